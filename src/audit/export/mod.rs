//! Events as other systems read them: one file per format, pure. What a format has no place for is put where it
//! says that such things go, and never dropped silently; no format gets more than the event itself has.

mod cef;
mod csv;
mod fhir;
mod leef;
mod ndjson;
mod ocsf;
mod openlineage;
mod otlp;
pub mod syslog;

use super::event::{Event, Level, Outcome};

/// A format.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// How a file of it is called.
    pub ending: &'static str,
    /// Begins an export.
    pub writer: fn(&Facts) -> Box<dyn Writer>,
}

/// What is known of the export as a whole.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The id of the log.
    pub log: String,
    /// The version of consign that exports.
    pub version: String,
    /// What the configuration in force is for.
    pub environment: String,
}

/// An event with what stands beside it.
pub struct Item<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its canonical bytes; `None`: they were redacted.
    pub body: Option<&'a [u8]>,
    /// Where its data came from and went to, as the mapping of its route says.
    pub ends: Option<(&'a str, &'a str)>,
}

/// Writes an export.
pub trait Writer {
    /// What stands before the first event.
    fn begin(&mut self, _out: &mut Vec<u8>) {}
    /// An event.
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>);
    /// What stands behind the last.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

/// The written-out list.
pub static ALL: &[&Format] = &[
    &ndjson::FORMAT,
    &csv::FORMAT,
    &ocsf::FORMAT,
    &syslog::FORMAT,
    &cef::FORMAT,
    &leef::FORMAT,
    &otlp::FORMAT,
    &openlineage::FORMAT,
    &fhir::FORMAT,
];

/// The format of that name.
pub fn named(name: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.name == name)
}

/// What a level is called elsewhere.
pub(super) struct Grade {
    /// OCSF `severity_id`.
    pub ocsf: u8,
    /// RFC 5424 severity.
    pub syslog: u8,
    /// OpenTelemetry severity number.
    pub otel: u8,
    /// CEF and LEEF severity.
    pub cef: u8,
}

/// The grade of a level.
pub(super) fn grade(level: Level) -> Grade {
    let (ocsf, syslog, otel, cef) = match level {
        Level::Debug => (1, 7, 5, 0),
        Level::Info => (1, 6, 9, 2),
        Level::Warning => (3, 4, 13, 5),
        Level::Error => (4, 3, 17, 8),
        Level::Critical => (5, 2, 21, 10),
    };
    Grade { ocsf, syslog, otel, cef }
}

/// One sentence that says what happened.
pub(super) fn sentence(event: &Event) -> String {
    let what = super::Action::of(&event.action).map_or(event.action.as_str(), |action| action.about());
    let what = what.trim_end_matches('.');
    match (&event.reason, event.outcome) {
        (Some(reason), _) => format!("{what}: {reason}"),
        (None, Outcome::Success) => what.to_string(),
        (None, outcome) => format!("{what} ({outcome})"),
    }
}

/// Nanoseconds since 1970 as RFC 3339 in UTC, to the microsecond.
pub(super) fn rfc3339(ns: i64) -> String {
    use crate::record::Timestamp;
    let micros = ns.div_euclid(1000);
    let moment = Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: u32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or(0),
        offset: 0,
    };
    let mut out = Vec::new();
    moment.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The members of an event that are plain text or numbers, by name, in a fixed order: for formats of pairs.
pub(super) fn pairs<'e>(event: &'e Event) -> Vec<(&'static str, std::borrow::Cow<'e, str>)> {
    use std::borrow::Cow;
    let mut pairs: Vec<(&'static str, Cow<'e, str>)> = vec![
        ("seq", Cow::Owned(event.seq.to_string())),
        ("id", Cow::Borrowed(&event.id)),
        ("category", Cow::Borrowed(event.category.word())),
        ("outcome", Cow::Borrowed(event.outcome.word())),
        ("risk", Cow::Owned(event.risk.to_string())),
    ];
    let texts = [
        ("resource", &event.resource),
        ("actor", &event.actor),
        ("actor_kind", &event.actor_kind),
        ("on_behalf_of", &event.on_behalf_of),
        ("origin", &event.origin),
        ("host", &event.host),
        ("ip", &event.ip),
        ("tenant", &event.tenant),
        ("run", &event.run),
        ("route", &event.route),
        ("config", &event.config),
        ("environment", &event.environment),
        ("tool", &event.tool),
        ("reason", &event.reason),
    ];
    pairs.extend(texts.into_iter().filter_map(|(name, text)| Some((name, Cow::Borrowed(text.as_deref()?)))));
    if let Some(pid) = event.pid {
        pairs.push(("pid", Cow::Owned(pid.to_string())));
    }
    for (name, list) in [("classes", &event.classes), ("subjects", &event.subjects)] {
        if !list.is_empty() {
            pairs.push((name, Cow::Owned(list.join(","))));
        }
    }
    if !event.checks.is_empty() {
        let checks: Vec<String> = event.checks.iter().map(|check| format!("{}={}", check.id, check.status)).collect();
        pairs.push(("checks", Cow::Owned(checks.join(","))));
    }
    if let Some(ci) = &event.ci {
        pairs.push(("ci", Cow::Owned(serde_json::to_string(ci).unwrap_or_default())));
    }
    if !event.details.is_empty() {
        pairs.push(("details", Cow::Owned(serde_json::Value::Object(event.details.clone()).to_string())));
    }
    pairs
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audit::{Action, Category, Draft, Session, event};
    use serde_json::json;

    /// Events of every action, with nasty text in every member.
    pub(in crate::audit) fn samples() -> Vec<(Event, Vec<u8>)> {
        let nasty = "a|b=c\\d\"e]f\ng\th\u{e9}\u{1f512}";
        let session = Session {
            actor: Some("ada".into()),
            actor_kind: Some("person"),
            origin: Some("terminal"),
            host: Some("host one".into()),
            pid: Some(4711),
            ip: Some("192.0.2.7".into()),
            tool: Some("consign 0.1.0 abcdef".into()),
            environment: Some("production".into()),
            ..Session::default()
        };
        let mut made = Vec::new();
        for (index, action) in Action::ALL.iter().enumerate() {
            for full in [false, true] {
                let seq = (made.len() + 1) as u64;
                let ts_ns = 1_700_000_000_000_000_000 + index as i64 * 1_001_001;
                let mut draft = Draft::new(*action);
                draft.run = Some(event::id(ts_ns, [7; 16]));
                if full {
                    draft = draft.detail("written", 5).detail("note", nasty).detail("rejects", json!({ "a": 1 }));
                    (draft.reason, draft.resource) = (Some(nasty.into()), Some(nasty.into()));
                    (draft.route, draft.tenant) = (Some("orders".into()), Some("acme".into()));
                    draft.classes = vec!["pii.contact.email"];
                    draft.subjects = vec!["s-00".into()];
                    draft.checks = vec![("P01".into(), "fail".into())];
                    draft.outcome = Outcome::ALL[index % Outcome::ALL.len()];
                }
                let stamp = event::Stamp { id: event::id(ts_ns, [index as u8; 16]), seq, ts_ns, clock_ns: ts_ns };
                let body = draft.body(&stamp, &session);
                made.push((Event::read(&body).expect("event"), body));
            }
        }
        let mut bare = Event::bare(99, 5, "run.finished");
        bare.category = Category::Integration;
        made.push((bare, Vec::new()));
        made
    }

    /// All samples in a format.
    pub(in crate::audit) fn exported(name: &str) -> String {
        let format = named(name).expect(name);
        let facts = Facts { log: "log-1".into(), version: "0.1.0".into(), environment: "production".into() };
        let mut writer = (format.writer)(&facts);
        let mut out = Vec::new();
        writer.begin(&mut out);
        for (event, body) in &samples() {
            let body = (!body.is_empty()).then_some(body.as_slice());
            writer.event(&Item { event, body, ends: Some(("shop.orders", "warehouse.orders")) }, &mut out);
        }
        writer.end(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn every_file_is_listed() {
        let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit/export"))
            .expect("folder")
            .filter_map(|entry| entry.expect("entry").path().file_stem()?.to_str().map(str::to_string))
            .filter(|name| name != "mod")
            .collect();
        files.sort();
        let mut names: Vec<&str> = ALL.iter().map(|format| format.name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
        assert!(ALL.iter().all(|format| format.about.ends_with('.') && !format.ending.is_empty()));
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_700_000_000_123_456_789), "2023-11-14T22:13:20.123456Z");
    }
}
