//! P48: reports say what they were made from.

use super::reading::log;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static REPORT_PROVENANCE: Primitive = Primitive {
    id: "P48",
    name: "report_provenance",
    about: "Each report that was made says its query, its counts, what of the log it covers and what built it.",
    moments: &[Moment::Periodic],
    run,
};

/// What the event of a report has to say: any of the words of a line.
const SAYS: &[(&str, &[&str])] = &[
    ("what was asked", &["query", "parameters", "arguments", "scope"]),
    ("how many", &["rows", "count", "counts", "events"]),
    ("of which records", &["source", "sources", "root", "log", "sha256", "digest", "config"]),
    ("what made it", &["tool", "version", "build"]),
];

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let mut made = 0;
    for told in log.of("report.made") {
        made += 1;
        let lacks: Vec<&str> = SAYS
            .iter()
            .filter(|(_, words)| !told.details.keys().any(|key| words.iter().any(|word| key.contains(word))))
            .map(|(what, _)| *what)
            .collect();
        notes
            .judge(
                lacks.is_empty(),
                format!("event {}", told.seq),
                match lacks.is_empty() {
                    true => "the report says what it was made from".to_string(),
                    false => format!("the report does not say: {}", lacks.join(", ")),
                },
            )
            .fix("make it with `consign report`: it records what it was made from");
    }
    if made == 0 {
        notes.untested("reports", "none was made yet");
    }
}
