//! What is exported is what its format says: programs and schemas that are not ours read it.

use std::path::Path;

use consign::audit::export::{Facts, Item, named};
use consign::audit::{Action, Draft, Event, Outcome, Session, event};
use serde_json::Value;

use crate::servers::readers::{READ, Readers};
use crate::support::{consign, demo, text};

/// An event of every action, bare and with everything that one can have, and in it text that formats need to escape.
fn events() -> Vec<(Event, Vec<u8>)> {
    let nasty = "a|b=c\\d\"e]f\ng\th\r\u{e9}\u{1f512}\u{2028}=";
    let mut made = Vec::new();
    for (index, action) in Action::ALL.iter().enumerate() {
        for full in [false, true] {
            let mut session = Session { host: Some("till-1".into()), ..Session::default() };
            let mut draft = Draft::new(*action);
            let seq = made.len() as u64 + 1;
            let ts_ns = 1_800_000_000_000_000_000 + seq as i64 * 1_001_001;
            draft.run = Some(event::id(ts_ns, [7; 16]));
            if full {
                session.actor = Some(nasty.into());
                session.pid = Some(4711);
                session.tool = Some("consign 1.2.3".into());
                session.host = Some("h".repeat(if index % 2 == 0 { 12 } else { 253 }));
                session.ip = Some(if index % 2 == 0 { "192.0.2.7" } else { "2001:db8::7" }.into());
                draft = draft.detail("written", 5).detail("bytes_written", 90).detail("note", nasty);
                draft = draft.detail("milliseconds", 12).detail("state", ["done", "failed", "interrupted"][index % 3]);
                draft.reason = Some(nasty.repeat(if index % 2 == 0 { 1 } else { 200 }));
                draft.resource = Some(nasty.into());
                draft.route = Some("orders".into());
                draft.tenant = Some("acme".into());
                draft.classes = vec!["pii.contact.email"];
                draft.subjects = vec!["s-00".into()];
                draft.checks = vec![("P01".into(), "fail".into())];
                draft.outcome = Outcome::ALL[index % Outcome::ALL.len()];
            }
            let stamp = event::Stamp { id: event::id(ts_ns, [index as u8; 16]), seq, ts_ns, clock_ns: ts_ns };
            let body = draft.body(&stamp, &session);
            made.push((Event::read(&body).expect("an event"), body));
        }
    }
    made
}

fn write(format: &str, events: &[(Event, Vec<u8>)], file: &Path) {
    let facts = Facts { log: "log-1".into(), version: "1.2.3".into(), environment: "production".into() };
    let mut writer = (named(format).expect(format).writer)(&facts);
    let mut out = Vec::new();
    writer.begin(&mut out);
    for (event, body) in events {
        writer.event(&Item { event, body: Some(body), ends: Some(("shop.orders", "house.orders")) }, &mut out);
    }
    writer.end(&mut out);
    std::fs::write(file, out).expect("written");
}

#[test]
fn every_kind_of_event_is_read_by_somebody_else() {
    let Some(readers) = Readers::found() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("export");
    let events = events();
    for format in READ {
        write(format, &events, &file);
        assert_eq!(readers.refuse(format, &file), None, "{format}");
    }
    // They do refuse: an event without what must be there, and one with what nobody knows.
    for (format, member) in [("ocsf", "class_uid"), ("openlineage", "job"), ("fhir", "agent")] {
        write(format, &events, &file);
        let lines = std::fs::read_to_string(&file).expect("text");
        let line: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
        for add in [false, true] {
            let mut changed = line.clone();
            if add {
                changed["never_heard_of"] = "it".into();
            } else {
                changed.as_object_mut().expect("an object").remove(member);
            }
            std::fs::write(&file, format!("{changed}\n")).expect("written");
            assert!(readers.refuse(format, &file).is_some(), "{format} {add}");
        }
    }
    for wrong in ["CEF:0|consign|consign|1|a|b\n", "CEF:0|consign|consign|1|a|b|5|nobody=knows\n"] {
        std::fs::write(&file, wrong).expect("written");
        assert!(readers.refuse("cef", &file).is_some(), "{wrong}");
    }
}

#[test]
fn what_the_program_exports_is_read_by_somebody_else() {
    let Some(readers) = Readers::found() else { return };
    let folder = demo();
    let run = |words: &[&str]| {
        let output = consign(folder.path())
            .args(["--config", "connectors.yaml.example"])
            .args(words)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{words:?} {}", text(&output.stderr));
        output.stdout
    };
    run(&["sync", "run", "--all", "-q"]);
    for format in READ {
        run(&["audit", "export", "--format", format, "--to", "export"]);
        assert_eq!(readers.refuse(format, &folder.path().join("export")), None, "{format}");
    }
    // The lineage of fields is of OpenLineage too.
    std::fs::write(folder.path().join("lineage"), run(&["report", "lineage", "--openlineage"])).expect("written");
    assert_eq!(readers.refuse("openlineage", &folder.path().join("lineage")), None);
}
