//! P22: what is shown to people is masked.

use super::reading::few;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::{ClassId, ClassSet};

pub(super) static DISPLAY_MASK: Primitive = Primitive {
    id: "P22",
    name: "display_mask",
    about: "Previews, logs and letters show no more of sensitive values than they may, except to people with the role for it.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let classes = asked.classes();
    for way in subject.carrying(classes) {
        let Some(route) = way.route else { continue };
        let open: Vec<String> = route
            .leaves
            .iter()
            .filter(|leaf| !leaf.flow.classes.both(classes).is_empty() && leaf.mask.both(classes).is_empty())
            .map(|leaf| leaf.target.to_string())
            .collect();
        let note = if open.is_empty() {
            notes.pass(way.object(), "its values are masked wherever they are shown")
        } else {
            notes.fail(way.object(), format!("shown in clear: {}", few(open.iter().map(String::as_str))))
        };
        note.at(&way.mapping.name.place).fix("say the class of the field where its stream is declared");
    }
    let Some(log) = &subject.facts.log else { return };
    let roles = &subject.project.compliance.rules.roles;
    let may = |actor: &str| {
        roles.iter().any(|role| {
            role.members.iter().any(|one| one == actor) && role.can.iter().any(|can| can == "*" || can == "pan.view")
        })
    };
    let viewed = ["dead_letters.shown", "data.viewed", "data.captured", "operation.called"];
    for told in viewed.into_iter().flat_map(|action| log.of(action)) {
        // What an event does not say may be any class; an operation of a system without classes is about none.
        let named = told.classes.iter().filter_map(|name| ClassId::named(name));
        let within = named.collect::<ClassSet>();
        let is_call = told.action == "operation.called";
        if (is_call || !within.is_empty()) && within.both(classes).is_empty() {
            continue;
        }
        let clear = told.details.get("clear").or(told.details.get("unmasked")).and_then(serde_json::Value::as_bool);
        if clear != Some(true) {
            continue;
        }
        let actor = told.actor.as_deref().unwrap_or("nobody knows who");
        let note = if may(actor) {
            notes.pass(format!("event {}", told.seq), format!("`{actor}` saw values in clear and has the role for it"))
        } else {
            notes.fail(
                format!("event {}", told.seq),
                format!("`{actor}` saw values in clear without a role that can `pan.view`"),
            )
        };
        note.fix("give the role to who needs it, and leave `--reveal` to them");
    }
}
