//! P42: who may do what is looked through.

use super::reading::{days_between, today};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;

pub(super) static ACCESS_REVIEW: Primitive = Primitive {
    id: "P42",
    name: "access_review",
    about: "Roles were reviewed lately, and changes of them are recorded.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let most = i64::from(asked.days.unwrap_or(92));
    let roles = &subject.project.compliance.rules.roles;
    if roles.is_empty() {
        notes.untested("roles", "no roles are declared").fix("say `compliance: { roles: … }`");
    }
    let reviewed = subject.facts.log.as_ref().and_then(|log| log.last("custom.access_reviewed"));
    for role in roles {
        let by_date = role.reviewed.zip(today(subject)).map(|(then, today)| days_between(then, today));
        let by_event = reviewed.map(|ns| (subject.now_ns - ns) / DAY_NS);
        let since = match (by_date, by_event) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let note = match since {
            Some(since) if since <= most => {
                notes.pass(format!("role {}", role.name), format!("it was reviewed {since} days ago"))
            }
            Some(since) => notes
                .fail(format!("role {}", role.name), format!("it was reviewed {since} days ago, {most} are allowed")),
            None => notes.fail(format!("role {}", role.name), "it was never reviewed"),
        };
        note.fix("look whether its members still need it, and write the day under `reviewed`");
    }
}
