//! What answers are taken for: rules of packs, usual meanings of statuses, what people are told.

use std::sync::Arc;

use super::*;
use crate::connect::web::caller::tests::given;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Answer { status, headers, body: body.to_owned().into(), took: Duration::ZERO }
}

fn judged(given: &Arc<Given>, writes: bool, answer: &Answer) -> Verdict {
    of(given, &Purpose { writes, ..Purpose::default() }, &mut Seen::new(answer), 0)
}

#[test]
fn the_first_rule_that_fits_holds() {
    let given = given(
        "pack: t
transport: { base: 'https://api.example' }
faults:
  - { status: 403, when: \"answer.body.error.code == 'REQUEST_LIMIT_EXCEEDED'\", then: quota, wait: '3600', hint: raise the limit }
  - { status: 200, when: has(answer.body.errors) && size(answer.body.errors) > 0, then: fail, say: 'it says {{ answer.body.errors[0].message }}' }
  - { when: \"answer.headers['x-empty'] == 'yes'\", then: empty }
  - { status: [404, 5xx], then: skip, say: '{{ answer.body.nowhere.at.all }}' }
  - { status: 303, then: good }
",
    );
    let check = |answer: Answer, class: Class, ruled: bool| -> Verdict {
        let made = judged(&given, false, &answer);
        assert_eq!((made.class, made.ruled), (class, ruled), "{answer:?}");
        made
    };
    let quota = check(answer(403, &[], r#"{"error":{"code":"REQUEST_LIMIT_EXCEEDED"}}"#), Class::Quota, true);
    assert_eq!((quota.wait, quota.hint.as_deref()), (Some(Duration::from_secs(3600)), Some("raise the limit")));
    check(answer(403, &[], r#"{"error":{"code":"NO"}}"#), Class::Denied, false);
    let errors = check(answer(200, &[], r#"{"errors":[{"message":"boom"}]}"#), Class::Fail, true);
    assert_eq!(errors.say.as_deref(), Some("it says boom"));
    check(answer(200, &[], r#"{"errors":[]}"#), Class::Good, false);
    check(answer(200, &[], "no json at all"), Class::Good, false);
    check(answer(200, &[("x-empty", "yes")], "{}"), Class::Empty, true);
    // A sentence that cannot be made hides nothing.
    let skipped = check(answer(503, &[("retry-after", "7")], r#"{"message":"down"}"#), Class::Skip, true);
    assert_eq!((skipped.say, skipped.told.message.as_deref()), (None, Some("down")));
    // What is no JSON at all fits no rule about its body.
    check(answer(403, &[], "<html>blocked</html>"), Class::Denied, false);
    check(answer(303, &[], ""), Class::Good, true);
    check(answer(302, &[], ""), Class::Fail, false);
}

#[test]
fn statuses_mean_what_they_usually_do() {
    for (status, reads, writes) in [
        (200, Class::Good, Class::Good),
        (204, Class::Good, Class::Good),
        (304, Class::Good, Class::Good),
        (300, Class::Fail, Class::Fail),
        (400, Class::Fail, Class::Reject),
        (401, Class::SignIn, Class::SignIn),
        (403, Class::Denied, Class::Denied),
        (404, Class::Fail, Class::Reject),
        (409, Class::Conflict, Class::Conflict),
        (413, Class::Split, Class::Split),
        (422, Class::Fail, Class::Reject),
        (429, Class::Wait, Class::Wait),
        (500, Class::Retry, Class::Retry),
        (501, Class::Fail, Class::Fail),
        (503, Class::Retry, Class::Retry),
        (999, Class::Fail, Class::Fail),
    ] {
        assert_eq!((usual(status, false), usual(status, true)), (reads, writes), "{status}");
    }
}

#[test]
fn what_answers_say_of_a_budget_is_heard() {
    let given = given(
        "pack: t
transport: { base: 'https://api.example' }
limits:
  buckets:
    points:
      cost: answer.body.extensions.cost.actual
      remaining: answer.body.extensions.cost.left
      of: answer.body.extensions.cost.most
      restore: answer.body.extensions.cost.rate
    tokens:
      remaining: answer.headers['x-left']
      reset: answer.headers['x-reset']
",
    );
    let check = |bucket: &str, answer: Answer| -> Heard {
        let told = &given.pack.limits.bucket(bucket).unwrap().told;
        heard(&given, told, &mut Seen::new(&answer), 0)
    };
    let made = check(
        "points",
        answer(200, &[], r#"{"extensions":{"cost":{"actual":12,"left":950.5,"most":1000,"rate":50}}}"#),
    );
    assert_eq!((made.cost, made.restore), (Some(12.0), Some(50.0)));
    assert_eq!(made.quota, Some(Quota { remaining: Some(950.5), of: Some(1000.0), reset: None }));
    let made = check("tokens", answer(200, &[("x-left", "3"), ("x-reset", "6m0s")], ""));
    assert_eq!(made.quota, Some(Quota { remaining: Some(3.0), of: None, reset: Some(Duration::from_secs(360)) }));
    for silent in ["", "{}", "[]", "null", r#"{"extensions":null}"#, r#"{"extensions":{"cost":{"left":"many"}}}"#] {
        let made = check("points", answer(200, &[], silent));
        assert!(made.cost.is_none() && made.quota.is_none(), "{silent}: {made:?}");
    }
}
