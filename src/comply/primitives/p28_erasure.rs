//! P28: who was erased stays erased, and what was corrected is corrected everywhere.

use super::reading::{age, few, told_after};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;
use crate::config::Mode;

pub(super) static ERASURE: Primitive = Primitive {
    id: "P28",
    name: "erasure",
    about: "Targets are brought up to date with their source, and erasures reach everybody who was sent the data.",
    moments: &[Moment::Static, Moment::Inline, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    if asked.wants("corrected") { corrected(subject, notes) } else { erased(subject, notes) }
}

/// A target that is only added to keeps what was wrong.
fn corrected(subject: &Subject<'_>, notes: &mut Notes) {
    for way in &subject.routes {
        if way.written().sensitivity() == 0
            || !way.written().iter().any(|id| id.class().regimes.iter().any(|r| r.starts_with("gdpr")))
        {
            continue;
        }
        let keyed = way.mapping.sync.mode.keyed();
        notes
            .judge(
                keyed,
                way.object(),
                match keyed {
                    true => "what is corrected at the source is corrected with the next run",
                    false => "it only adds: what was wrong stays in the target beside what is right",
                },
            )
            .at(&way.mapping.name.place)
            .fix("say `sync: { mode: upsert, key: … }`");
    }
}

fn erased(subject: &Subject<'_>, notes: &mut Notes) {
    if subject.facts.resurrected > 0 {
        notes
            .fail("targets", format!("{} erased people have come back", subject.facts.resurrected))
            .fix("say `compliance: { subject: FIELD }` in the mappings, so that tombstones are looked at");
    }
    let open: Vec<&str> = subject
        .routes
        .iter()
        .filter(|way| {
            way.written().iter().any(|id| id.class().name.starts_with("pii"))
                && way.mapping.compliance.subject.is_none()
        })
        .map(|way| way.name())
        .collect();
    let Some(log) = &subject.facts.log else {
        notes.untested("audit log", "it is not at hand");
        return;
    };
    let mut erasures = 0;
    for told in log.of("subject.erased") {
        erasures += 1;
        let about = told.resource.as_deref();
        let told_them = told_after(log, "custom.erasure_notified", told.time, about);
        let removed = subject.facts.runs.iter().flatten().any(|run| {
            let mode = subject.routes.iter().find(|way| way.name() == run.route).map(|way| way.mapping.sync.mode);
            run.started > told.time && matches!(mode, Some(Mode::Mirror | Mode::Delete))
        });
        let note = if told_them || removed {
            notes.pass(format!("event {}", told.seq), "recipients were told, or mirror the source")
        } else if subject.now_ns - told.time < 30 * DAY_NS {
            notes.warn(
                format!("event {}", told.seq),
                format!("recipients were not told yet, {} after", age(subject.now_ns - told.time)),
            )
        } else {
            notes.fail(
                format!("event {}", told.seq),
                format!("recipients were not told, {} after", age(subject.now_ns - told.time)),
            )
        };
        note.fix("tell them, and say so: `consign audit add --action erasure_notified --resource SUBJECT`");
    }
    if !open.is_empty() && erasures > 0 {
        notes
            .fail(
                "mappings",
                format!("the next full sync can bring people back: no `subject` in {}", few(open.iter().copied())),
            )
            .fix("say `compliance: { subject: FIELD }`");
    } else if erasures == 0 && !subject.routes.is_empty() && subject.facts.resurrected == 0 {
        notes.pass("audit log", "nobody was erased so far");
    }
}
