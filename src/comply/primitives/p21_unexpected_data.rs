//! P21: what no class announced is held back and followed up.

use super::reading::told_after;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::OnHit;

pub(super) static UNEXPECTED_DATA: Primitive = Primitive {
    id: "P21",
    name: "unexpected_data",
    about: "Outgoing values are looked at for sensitive data that nobody announced, what is found is held back, and somebody follows it up.",
    moments: &[Moment::Inline, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let classes = asked.classes();
    if subject.routes.is_empty() {
        return;
    }
    match &subject.project.compliance.rules.detect {
        None => {
            notes.fail("compliance.detect", "nobody looks at outgoing values").fix("say `compliance: { detect: all }`");
        }
        Some(detect) if detect.classes.is_empty() => {
            notes
                .fail("compliance.detect", "looking at outgoing values is switched off")
                .fix("say `compliance: { detect: all }`");
        }
        Some(detect) => {
            let looked =
                detect.classes.iter().flat_map(|around| classes.iter().filter(move |id| id.is_within(around))).count();
            let all = asked.classes.is_empty() || looked > 0;
            let note = match (all, detect.action) {
                (false, _) => notes.fail("compliance.detect", "these classes are not looked for"),
                (true, OnHit::Warn) => notes.warn("compliance.detect", "what is found is only said, and moves on"),
                (true, action) => notes.pass("compliance.detect", format!("what is found: {}", action.word())),
            };
            note.fix("say `compliance: { detect: { action: park } }`");
        }
    }
    let Some(log) = &subject.facts.log else { return };
    for run in subject.facts.runs.iter().flatten().filter(|run| run.detected > 0) {
        let followed = told_after(log, "audit.reviewed", run.started, None)
            || told_after(log, "custom.resolved", run.started, Some(&run.route))
            || told_after(log, "custom.resolved", run.started, Some(&run.id));
        notes
            .judge(
                followed,
                format!("run {}", run.id),
                match followed {
                    true => format!("what was found in {} records was followed up", run.detected),
                    false => {
                        format!("in {} records was what no class announced, and nobody followed it up", run.detected)
                    }
                },
            )
            .fix("look into it, and say so: `consign audit add --action resolved --resource ROUTE`");
    }
    for told in log.of("custom.incident") {
        let about = told.run.as_deref().or(told.route.as_deref()).or(told.resource.as_deref());
        let followed =
            told_after(log, "audit.reviewed", told.time, None) || told_after(log, "custom.resolved", told.time, about);
        let note = if followed {
            notes.pass(format!("event {}", told.seq), "what was found was followed up")
        } else {
            notes.fail(format!("event {}", told.seq), "what was found was not followed up")
        };
        note.fix("look into it, and say so: `consign audit add --action resolved --resource …`");
    }
}
