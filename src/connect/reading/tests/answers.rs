//! Answers that are no page of records: nothing new, streams of events.

use super::*;

#[test]
fn what_did_not_change_is_not_sent_again() {
    // The tag of the last answer is the position: `304` says that nothing is new, and it stays.
    let read = "      pages: { kind: none }
      cursor: { next: \"answer.headers.?etag.orValue(null)\", send: { header: If-None-Match } }
";
    let tag = Arc::new(Mutex::new("\"one\"".to_owned()));
    let rig = {
        let tag = Arc::clone(&tag);
        things(read, move |ask: &Ask| {
            let now = tag.lock().unwrap().clone();
            match ask.headers.get("if-none-match") {
                Some(known) if *known == now => answer(304, &[("etag", &now)], ""),
                _ => answer(
                    200,
                    &[("etag", &now)],
                    if now == "\"one\"" { r#"[{"id":1},{"id":2}]"# } else { r#"[{"id":3}]"# },
                ),
            }
        })
    };
    let first = rig.read(&[]).whole();
    assert_eq!(first.ids(), [1, 2]);
    let settled = first.settled(first.parts.len());
    let second = rig.read(&settled).whole();
    assert_eq!((second.ids().len(), second.asked.len()), (0, 1));
    // Nothing moved: the same question is asked again, and a change is seen.
    let still = match second.parts.len() {
        0 => settled,
        parts => second.settled(parts),
    };
    assert!(rig.read(&still).whole().ids().is_empty());
    "\"two\"".clone_into(&mut tag.lock().unwrap());
    assert_eq!(rig.read(&still).whole().ids(), [3]);
}

#[test]
fn events_are_records() {
    let rig = things("      records: \"[*].data\"\n      keep: has(record.id)\n", |_: &Ask| {
        let body = ": hello\n\ndata: {\"id\":1}\n\nevent: delta\ndata: {\"id\":2}\n\ndata: {\"done\":true}\n\n";
        answer(200, &[("content-type", "text/event-stream")], body)
    });
    assert_eq!(rig.read(&[]).whole().ids(), [1, 2]);
}

#[test]
fn an_error_among_events_is_an_error_though_the_status_is_good() {
    let rig = rig(
        "  things:
    key: id
    faults:
      - { when: \"answer.body.exists(event, event.event == 'error')\", then: fail, say: the stream broke off }
    read: { path: /things, records: \"[*].data\" }
",
        |_: &Ask| {
            let body = "data: {\"id\":1}\n\nevent: error\ndata: {\"message\":\"overloaded\"}\n\n";
            answer(200, &[("content-type", "text/event-stream")], body)
        },
    );
    let error = rig.read(&[]).error.unwrap();
    assert!(error.cause().contains("the stream broke off"), "{error:?}");
}
