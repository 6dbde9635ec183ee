//! P15: special and criminal data moves only under a condition for it.

use super::reading::{named, said_at};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static SPECIAL_CATEGORIES: Primitive = Primitive {
    id: "P15",
    name: "special_categories",
    about: "Routes with special data name the condition under which it may be processed, and use it for nothing else.",
    moments: &[Moment::Static],
    run,
};

/// Uses for which sensitive data may not be used once its use was limited.
const BEYOND: &[&str] = &["marketing", "advertising", "ads", "profiling", "profile", "analytics", "enrichment", "sale"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let written = way.written().both(asked.classes());
        if written.is_empty() {
            continue;
        }
        let said = &way.mapping.compliance;
        let note = if asked.wants("limited") {
            let purpose = said.purpose.as_ref().map(|purpose| purpose.value.to_lowercase()).unwrap_or_default();
            let beyond = way.target.custody.sells || BEYOND.iter().any(|word| purpose.contains(word));
            match beyond && said.consent.is_none() {
                true => notes
                    .fail(way.object(), format!("{} is used for `{purpose}`, which people can limit", named(written))),
                false => {
                    notes.pass(way.object(), format!("{} is used for nothing that people can limit", named(written)))
                }
            }
        } else {
            match &said.condition {
                Some(condition) => notes.pass(way.object(), format!("its condition is `{}`", condition.value)),
                None => notes.fail(
                    way.object(),
                    format!("{} is written, and no condition for special data is named", named(written)),
                ),
            }
        };
        note.at(said_at(way)).fix(match asked.wants("limited") {
            true => "leave the sensitive data out, or ask each record for consent",
            false => "name it: `compliance: { condition: … }`, or leave the data out",
        });
    }
}
