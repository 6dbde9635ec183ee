//! P10: fields are declared and labelled.

use super::reading::few;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::ClassSet;

pub(super) static INVENTORY: Primitive = Primitive {
    id: "P10",
    name: "inventory",
    about: "Every field that is read has a type, and a class where its name or anything else gives one away.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let owned = asked.wants("owned");
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        let mut open = Vec::new();
        let mut unlabelled = Vec::new();
        for leaf in &route.leaves {
            let Some(source) = &leaf.source else { continue };
            if !way.declares(source) {
                open.push(source.to_string());
            }
            let guessed = crate::comply::names::classes(&source.to_string());
            let stronger: ClassSet = guessed.iter().filter(|id| id.class().sensitivity >= 2).collect();
            if leaf.flow.source.is_empty() && !stronger.is_empty() {
                unlabelled.push(source.to_string());
            }
        }
        let note = if !unlabelled.is_empty() {
            notes.fail(
                way.object(),
                format!("fields that look sensitive have no class: {}", few(unlabelled.iter().map(String::as_str))),
            )
        } else if !open.is_empty() {
            notes.fail(
                way.object(),
                format!("fields that nobody declared are read: {}", few(open.iter().map(String::as_str))),
            )
        } else if owned && way.mapping.compliance.owner.is_none() {
            notes.fail(way.object(), "nobody answers for it")
        } else {
            notes.pass(way.object(), format!("all of {} fields are declared and labelled", route.leaves.len()))
        };
        note.at(&way.mapping.name.place)
            .fix("declare the stream's fields with `type` and `class`, and say `compliance: { owner: … }`");
    }
}
