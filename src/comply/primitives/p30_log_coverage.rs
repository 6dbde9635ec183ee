//! P30: everything that has to be recorded is.

use super::reading::{few, log};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static LOG_COVERAGE: Primitive = Primitive {
    id: "P30",
    name: "log_coverage",
    about: "Recording is on, and every run and every other kind of event that has to be recorded leaves one.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    if !subject.project.audit.enabled {
        notes.fail("audit", "recording is switched off (`audit: { enabled: false }`)").fix("leave recording on");
        return;
    }
    let Some(log) = log(subject, notes) else { return };
    let silences = log.count("audit.disabled");
    if asked.wants("runs") {
        return runs(subject, asked, log, notes);
    }
    // Which events are recorded is decided by the program, not by whoever runs it: while recording is on,
    // all families are. Only a time without recording leaves a gap.
    let (off, on) = (log.last("audit.disabled"), log.last("audit.enabled"));
    if off.is_some() && off > on {
        notes.fail("audit log", "recording was switched off and is not on again").fix("switch it on");
    } else if silences > 0 {
        let times = if silences == 1 { "once".into() } else { format!("{silences} times") };
        notes.warn("audit log", format!("recording was switched off {times}: what happened then is not here"));
    } else {
        let kinds = log.actions.len();
        notes.pass("audit log", format!("recording was never switched off; {kinds} kinds of events are here"));
    }
}

/// Each run of a route with these classes began and ended in the log.
fn runs(subject: &Subject<'_>, asked: &Parameters, log: &crate::comply::facts::LogFacts, notes: &mut Notes) {
    let Some(runs) = &subject.facts.runs else {
        notes.untested("runs", "no runs are at hand");
        return;
    };
    let routes: Vec<&str> = subject.carrying(asked.classes()).map(|way| way.name()).collect();
    let of: Vec<_> = runs.iter().filter(|run| routes.contains(&run.route.as_str())).collect();
    if of.is_empty() {
        return;
    }
    let first = log.first_ns.unwrap_or_default();
    let silent: Vec<&str> = of
        .iter()
        .filter(|run| run.started >= first && !log.runs.contains(&run.id))
        .map(|run| run.id.as_str())
        .collect();
    if silent.is_empty() {
        notes.pass("runs", format!("each of {} runs is in the log", of.len()));
    } else {
        notes
            .fail(
                "runs",
                format!("{} of {} runs left no event: {}", silent.len(), of.len(), few(silent.iter().copied())),
            )
            .fix("verify the log (`consign audit verify`): events of runs are written with what they settle");
    }
}
