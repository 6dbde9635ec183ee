//! P40: who changes, who approves and who releases are different people.

use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static SEGREGATION: Primitive = Primitive {
    id: "P40",
    name: "segregation",
    about: "No approval is by its own author, no release by either, and approvers have the role for it.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let roles = &subject.project.compliance.rules.roles;
    let approvers: Vec<&str> = roles
        .iter()
        .filter(|role| role.can.iter().any(|can| can == "*" || can.contains("approve")))
        .flat_map(|role| role.members.iter().map(String::as_str))
        .collect();
    for one in &subject.facts.approvals {
        let object = format!("approval {}", one.hash.get(..12).unwrap_or(&one.hash));
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let note = if one.author.is_none() || one.approver.is_none() {
            notes.fail(object, "it does not say who made the change and who approved of it")
        } else if same(&one.author, &one.approver) {
            notes.fail(object, "who made the change approved of it")
        } else if same(&one.releaser, &one.author) || same(&one.releaser, &one.approver) {
            notes.fail(object, "who made the change or approved of it also released it")
        } else if !roles.is_empty() && !one.approver.as_deref().is_some_and(|who| approvers.contains(&who)) {
            notes.fail(object, "who approved of it has no role that can")
        } else {
            notes.pass(object, "author, approver and releaser differ")
        };
        note.fix("let somebody else approve, and a third person or a pipeline release");
    }
    for role in roles {
        for other in &role.apart_from {
            let both = roles
                .iter()
                .filter(|one| one.name == *other)
                .flat_map(|one| &one.members)
                .find(|who| role.members.contains(who));
            if let Some(who) = both {
                notes
                    .fail(format!("role {}", role.name), format!("`{who}` has it together with `{other}`"))
                    .fix("take one of the two away");
            }
        }
    }
    if subject.facts.approvals.is_empty() {
        notes.untested("approvals", "no approvals are at hand").fix("say `compliance: { approvals: FILE }`");
    }
}
