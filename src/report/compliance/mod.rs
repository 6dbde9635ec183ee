//! The report on compliance: what a period shows of every control of the standards in force, for the
//! reader who will judge it. Its sections are those that auditors ask for, always the same and in
//! the same order; what was not tested stands beside what was.
//!
//! It says what passed and what failed. Whether that is enough is not for a program to say.

mod conduct;
pub(super) mod data;
mod ledger;
mod standing;

pub(super) use standing::waivers;

use super::document::{Kind, Report, Tone};
use super::provenance::Provenance;
use crate::comply::standards::Standard;
use crate::comply::{Held, Selection, Status, Subject, check_project};
use crate::error::Result;
use crate::store::Store;

/// The report on compliance.
pub static KIND: Kind = Kind {
    name: "compliance",
    about: "what a period shows of each control of the standards in force: findings, waivers, data, changes, the log",
    version: 1,
};

/// What is asked.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The project at the end of the period.
    pub now: &'a Subject<'a>,
    /// The same configuration, with what was recorded in the period before, of the same length.
    pub before: &'a Subject<'a>,
    /// The standards.
    pub standards: &'a [&'static Standard],
    /// The period: from, nanoseconds since 1970.
    pub from_ns: i64,
    /// Until, and not including it.
    pub to_ns: i64,
}

/// Gathers what is known of the period. Reads the state, and nothing that is recorded from the end of the
/// period on: made again later it is the same.
///
/// # Errors
/// The state cannot be read.
pub fn gather(store: &Store, asked: &Asked<'_>) -> Result<Report> {
    let selection = Selection::default();
    let held = check_project(asked.now, asked.standards, &selection);
    let earlier = check_project(asked.before, asked.standards, &selection);
    let names: Vec<String> = asked.standards.iter().map(|standard| standard.name.clone()).collect();
    let query =
        "every event and run of the period, keys, approvals, dead letters; configuration and mappings as they stand";
    let mut provenance = Provenance::of(store, query)?
        .parameter("standard", names.join(","))
        .parameter("from", super::document::Cell::Moment(asked.from_ns))
        .parameter("to", super::document::Cell::Moment(asked.to_ns));
    provenance.log = Some(store.log_standing(Some(asked.to_ns))?);
    if let Some(log) = &asked.now.facts.log {
        provenance = provenance.count("events", log.events);
        provenance.events = log.first_seq.zip(log.last_seq);
    }
    if let Some(runs) = &asked.now.facts.runs {
        provenance = provenance.count("runs", runs.len() as u64);
    }
    provenance.configuration = vec![("project".to_string(), asked.now.project.hash.clone())];
    provenance
        .configuration
        .extend(asked.now.routes.iter().map(|way| (way.name().to_string(), way.mapping.hash.clone())));

    let (tone, lead) = answer(&held);
    let mut report = Report::new(&KIND, "Controls and what shows of them", provenance).lead(tone, lead);
    report.cover = true;
    report.push(standing::cover(asked));
    report.push(standing::scope(asked, &held));
    report.push(standing::summary(asked.standards, &held));
    report.push(standing::findings(&held));
    report.push(waivers(asked.now, &held));
    report.push(data::inventory(asked.now));
    report.push(data::protection(asked.now));
    report.push(data::retention(asked.now));
    report.push(data::transfers(asked.now));
    report.push(conduct::access(asked.now));
    report.push(conduct::integrity(asked.now));
    report.push(conduct::incidents(asked.now));
    report.push(ledger::log(store, asked)?);
    report.push(standing::trend(asked, &held, &earlier));
    report.push(standing::crosswalk(&held));
    report.push(standing::methods());
    ledger::seal(store, &mut report);
    Ok(report)
}

/// How many controls stand how.
fn count(held: &[Held], status: Status) -> u64 {
    held.iter().filter(|one| one.status == status).count() as u64
}

/// A status as a tone.
pub(super) fn tone(status: Status) -> Tone {
    match status {
        Status::Pass => Tone::Good,
        Status::NotApplicable | Status::NotTested => Tone::Quiet,
        Status::Warn => Tone::Warn,
        Status::Fail => Tone::Bad,
    }
}

/// A status in words.
pub(super) fn said(status: Status) -> String {
    status.word().replace('_', " ")
}

fn answer(held: &[Held]) -> (Tone, String) {
    let (failed, warned) = (count(held, Status::Fail), count(held, Status::Warn));
    let (passed, open) = (count(held, Status::Pass), count(held, Status::NotTested));
    let of = held.len() as u64 - count(held, Status::NotApplicable);
    let tone = match (failed, warned) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Warn,
        _ => Tone::Bad,
    };
    let text = format!(
        "Of {of} controls that apply, {failed} failed, {warned} are to be looked at, {passed} passed, and {open} could not be tested from here."
    );
    (tone, text)
}
