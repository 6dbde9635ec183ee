//! P38: what a person does is recorded under that person's own name.

use super::reading::log;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static UNIQUE_ACTOR: Primitive = Primitive {
    id: "P38",
    name: "unique_actor",
    about: "No event that a person made carries a shared account, and jobs have an owner.",
    moments: &[Moment::Periodic],
    run,
};

/// Accounts that more than one person uses.
const SHARED: &[&str] = &[
    "root",
    "admin",
    "administrator",
    "user",
    "guest",
    "test",
    "postgres",
    "oracle",
    "system",
    "service",
    "ubuntu",
    "ec2-user",
    "shared",
    "ops",
    "operator",
    "support",
    "deploy",
    "app",
];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let mut people = std::collections::BTreeSet::new();
    let mut bad = 0;
    for told in &log.kept {
        let by_hand =
            told.category == "user_action" || told.origin.as_deref().is_some_and(|origin| origin.contains("terminal"));
        let Some(actor) = told.actor.as_deref() else { continue };
        let shared = SHARED.contains(&actor.to_ascii_lowercase().as_str());
        if by_hand && !shared {
            people.insert(actor);
        }
        let owned = told.route.as_deref().is_none_or(|route| {
            subject.routes.iter().any(|way| way.name() == route && way.mapping.compliance.owner.is_some())
        });
        if shared && (by_hand || asked.wants("jobs") && !owned) {
            bad += 1;
            if bad <= 20 {
                notes
                    .fail(format!("event {}", told.seq), format!("`{actor}` is nobody's own account (`{}`)", told.action))
                    .fix("let each person work under a name of their own; say who answers for a job: `compliance: { owner: … }`");
            }
        }
    }
    for run in subject.facts.runs.iter().flatten().filter(|_| asked.wants("jobs")) {
        let owned = subject.routes.iter().any(|way| way.name() == run.route && way.mapping.compliance.owner.is_some());
        if run.actor.as_deref().is_none_or(|actor| SHARED.contains(&actor.to_ascii_lowercase().as_str())) && !owned {
            bad += 1;
            if bad <= 20 {
                notes
                    .fail(format!("run {}", run.id), "a shared account ran it, and nobody answers for the route")
                    .fix("say who answers for the route: `compliance: { owner: … }`");
            }
        }
    }
    if bad == 0 {
        notes.pass("audit log", format!("{} people acted, each under a name of their own", people.len()));
    }
}
