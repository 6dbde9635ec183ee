//! Rules over events as rules of the log: one evaluator counts, remembers and acts, whoever wrote the rule.
//! `count_in("1h") > 3`, joined to the rest of a condition by `&&`, becomes the window and the threshold.

use std::time::Duration;

use serde_json::Value as Json;

use super::{Action, Rule, Test};
use crate::audit::rules::test;
use crate::comply::assess::Gravity;
use crate::config::{EventRule, EventTest, Expression, units};
use crate::error::Place;

/// The window of a rule that names none: it fires for each event.
const AT_ONCE: Duration = Duration::from_nanos(1);

/// What events are counted apart by where nothing is said.
const SAME: &str = r#"event.action + " " + string(event.?route.orValue(""))"#;

/// A rule as a rule of the log.
///
/// # Errors
/// The window is not said in a way that can be counted, or an expression does not compile.
pub(super) fn compiled(rule: &Rule) -> Result<EventRule, String> {
    let place = rule.place.clone().unwrap_or_else(|| Place {
        file: rule.pack.as_ref().map_or_else(String::new, |pack| format!("rules of {}", pack.pack)),
        line: 1,
        column: 1,
        width: 1,
        source: String::new(),
    });
    let expression = |text: String| Expression { text, place: place.clone(), runs: Vec::new() };
    let (when, counted) = counted(&rule.when)?;
    if let Some(word) = super::words::of_records(&when)? {
        return Err(format!("`{word}` is about records and routes, and an event has none"));
    }
    let (window, threshold) = counted.unwrap_or((AT_ONCE, 1));
    let group_by = rule.group_by.clone().or_else(|| counted.map(|_| SAME.to_owned()));
    let words = |action: &Action| match action {
        Action::Notify => "notify",
        Action::Alert => "alert",
        Action::Stop => "fail",
        Action::Freeze => "freeze",
        _ => "log_event",
    };
    let severity = match rule.severity {
        Gravity::Low => "info",
        Gravity::Medium => "warning",
        Gravity::High => "error",
        Gravity::Critical => "critical",
    };
    let compiled = EventRule {
        name: rule.name.clone(),
        about: rule.about.clone().or_else(|| rule.message.clone()),
        when: expression(when),
        group_by: group_by.map(expression),
        window,
        threshold,
        severity: severity.into(),
        actions: match rule.actions.as_slice() {
            [] => vec!["log_event".into()],
            actions => actions.iter().map(|action| words(action).to_owned()).collect(),
        },
        enabled: true,
        control: rule.control.clone(),
        tests: rule.tests.iter().map(|test| of_log(test, &place)).collect(),
        place,
    };
    crate::audit::rules::Rule::compile(&compiled).map_err(|error| error.to_string())?;
    Ok(compiled)
}

/// A test of one event, or of several in their order.
fn of_log(test: &Test, place: &Place) -> EventTest {
    let events = match &test.given {
        Json::Array(events) => events.clone(),
        one => vec![one.clone()],
    };
    EventTest { name: test.name.clone(), events, fires: test.fires, place: place.clone() }
}

/// What does not come out as a rule's tests say.
pub(super) fn failures(rule: &Rule) -> Vec<String> {
    match compiled(rule).and_then(|rule| test(&rule).map_err(|error| error.to_string())) {
        Ok(results) => results
            .into_iter()
            .filter_map(|(name, wrong)| wrong.map(|wrong| format!("test `{name}`: {wrong}")))
            .collect(),
        Err(cause) => vec![cause],
    }
}

/// A condition without its `count_in`, and what that says: within how long, from how many events on.
fn counted(when: &str) -> Result<(String, Option<(Duration, u64)>), String> {
    let how = "`count_in` is compared on its own, joined by `&&`: `… && count_in(\"1h\") > 10`";
    let (mut rest, mut found) = (Vec::new(), None);
    for part in conjuncts(when) {
        let trimmed = part.trim();
        if !super::words::holds_word(trimmed, "count_in")? {
            rest.push(part);
            continue;
        }
        let inside = trimmed.strip_prefix("count_in(").and_then(|text| text.split_once(')')).ok_or(how)?;
        let (window, compared) = (inside.0.trim().trim_matches(['"', '\'']), inside.1.trim());
        let (at_least, number) = match (compared.strip_prefix(">="), compared.strip_prefix('>')) {
            (Some(number), _) => (0, number),
            (None, Some(number)) => (1, number),
            (None, None) => return Err(how.into()),
        };
        let number: u64 = number.trim().parse().map_err(|_| how.to_owned())?;
        let length = units::length(window).map_err(|_| format!("`{window}` is no length of time, such as `1h`"))?;
        if found.replace((length, (number + at_least).max(1))).is_some() {
            return Err("a rule counts in one window".into());
        }
    }
    let rest = if rest.is_empty() { "true".to_owned() } else { rest.join("&&") };
    Ok((rest, found))
}

/// The parts of a condition that are joined by `&&` on the outside.
fn conjuncts(when: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    let (mut quote, mut is_escaped) = (None, false);
    let bytes = when.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') if !is_escaped => is_escaped = true,
            (Some(mark), byte) => {
                if *byte == mark && !is_escaped {
                    quote = None;
                }
                is_escaped = false;
            }
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b'|') if depth == 0 && bytes.get(at + 1) == Some(&b'|') => return vec![when],
            (None, b'?') if depth == 0 && bytes.get(at.wrapping_sub(1)) != Some(&b'.') => return vec![when],
            (None, b'&') if depth == 0 && bytes.get(at + 1) == Some(&b'&') => {
                parts.extend(when.get(from..at));
                from = at + 2;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.extend(when.get(from..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(when: &str, more: Json) -> Rule {
        let mut rule = json!({ "name": "r", "on": "event", "when": when });
        if let (Some(into), Json::Object(more)) = (rule.as_object_mut(), more) {
            into.extend(more);
        }
        serde_json::from_value(rule).expect("a rule")
    }

    #[test]
    fn windows_and_actions_become_those_of_the_log() {
        let check = |when: &str, expected: Result<(&str, u64, u64), &str>| {
            let came = compiled(&rule(when, json!({})));
            let came = came.map(|made| (made.when.text.trim().to_owned(), made.window.as_secs(), made.threshold));
            match expected {
                Ok((text, window, threshold)) => assert_eq!(came, Ok((text.to_owned(), window, threshold)), "{when}"),
                Err(part) => assert!(came.as_ref().is_err_and(|cause| cause.contains(part)), "{when}: {came:?}"),
            }
        };
        check(r#"event.risk > 0.5"#, Ok(("event.risk > 0.5", 0, 1)));
        check(r#"event.action == "a && b" && count_in("1h") > 3"#, Ok((r#"event.action == "a && b""#, 3600, 4)));
        check(r#"count_in('10m') >= 3"#, Ok(("true", 600, 3)));
        check(r#"event.risk > 1 || count_in("1h") > 3"#, Err("joined by `&&`"));
        check(r#"!(count_in("1h") > 3)"#, Err("joined by `&&`"));
        check(r#"count_in("1h") < 3"#, Err("joined by `&&`"));
        check(r#"count_in("soon") > 3"#, Err("no length of time"));
        check(r#"count_in("1h") > 3 && count_in("2h") > 4"#, Err("one window"));
        check(r#"tag(record.x).size() > 0"#, Err("`tag` is about records"));
        let made = compiled(&rule("event.risk > 0.5", json!({ "action": ["freeze", "notify"], "severity": "high" })));
        let made = made.expect("a rule");
        assert_eq!((made.actions, made.severity.as_str()), (vec!["freeze".into(), "notify".into()], "error"));
    }

    #[test]
    fn tests_are_those_of_the_log() {
        let of = |after: u64| json!({ "action": "run.finished", "outcome": "failure", "after": after });
        let check = |given: Json, fires: bool| {
            let tests = json!([{ "name": "t", "given": given, "fires": fires }]);
            let made = rule(r#"event.outcome == "failure" && count_in("1h") > 2"#, json!({ "tests": tests }));
            assert_eq!(failures(&made), Vec::<String>::new(), "{given}");
        };
        check(json!([of(0), of(60), of(60)]), true);
        check(json!([of(0), of(60), of(3600)]), false);
        check(of(0), false);
    }
}
