//! P39: what runs was approved of.

use super::reading::is_test;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use std::collections::BTreeMap;

pub(super) static CHANGE_APPROVAL: Primitive = Primitive {
    id: "P39",
    name: "change_approval",
    about: "Each production run used a configuration that was approved of under a ticket before it ran.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    if is_test(&subject.project.environment) {
        return;
    }
    let Some(runs) = &subject.facts.runs else {
        notes.untested("runs", "no runs are at hand");
        return;
    };
    if runs.is_empty() {
        notes.untested("runs", "nothing ran yet");
        return;
    }
    let mut bad: BTreeMap<&str, (u64, &'static str, &str)> = BTreeMap::new();
    for run in runs {
        let found =
            subject.facts.approvals.iter().filter(|one| {
                one.hash == run.mapping || one.hash == run.project || Some(&one.hash) == run.plan.as_ref()
            });
        let mut found = found.peekable();
        let why = if found.peek().is_none() {
            Some("nobody approved of what it ran")
        } else if found.clone().all(|one| one.ticket.is_none()) {
            Some("what it ran was approved of without a ticket")
        } else if found.all(|one| one.at.is_some_and(|at| at > run.started)) {
            Some("what it ran was approved of only afterwards")
        } else {
            None
        };
        if let Some(why) = why {
            bad.entry(run.route.as_str()).or_insert((0, why, run.id.as_str())).0 += 1;
        }
    }
    for (route, (count, why, first)) in &bad {
        notes
            .fail(format!("mapping {route}"), format!("{why} ({count} runs, the first is {first})"))
            .fix("have the configuration approved of: a line in the file of `compliance: { approvals }` with hash, ticket and approver");
    }
    if bad.is_empty() {
        notes.pass("runs", format!("what {} runs used was approved of before", runs.len()));
    }
}
