//! P47: the record of processing is whole.

use super::reading::{is_external, said_at};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static PROCESSING_RECORD: Primitive = Primitive {
    id: "P47",
    name: "processing_record",
    about: "Each route with personal data says what for, whose data, to whom, how long, and how its people are found.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let controller = subject.project.compliance.rules.controller.as_ref();
    let mut any = false;
    for way in subject.carrying(asked.classes()) {
        if way.written().both(asked.classes()).is_empty() {
            continue;
        }
        any = true;
        let said = &way.mapping.compliance;
        if asked.wants("subject") {
            let there = said.subject.is_some();
            notes
                .judge(
                    there,
                    way.object(),
                    if there { "its records say whose they are" } else { "nobody can tell whose records they are" },
                )
                .at(said_at(way))
                .fix("say `compliance: { subject: FIELD }`");
            continue;
        }
        let mut lacks = Vec::new();
        let mut need = |there: bool, what| {
            if !there {
                lacks.push(what);
            }
        };
        need(said.purpose.is_some(), "purpose");
        need(!said.people.is_empty(), "people");
        need(!is_external(way.target) || !said.recipients.is_empty(), "recipients");
        need(said.retention_days.or(way.target.custody.retention_days).is_some(), "retention");
        notes
            .judge(
                lacks.is_empty(),
                way.object(),
                match lacks.is_empty() {
                    true => "its row of the record is whole".to_string(),
                    false => format!("its row of the record lacks: {}", lacks.join(", ")),
                },
            )
            .at(said_at(way))
            .fix("say what is missing under `compliance` of the mapping");
    }
    if any && !asked.wants("subject") {
        let there = controller.is_some_and(|one| one.name.is_some() && one.contact.is_some());
        notes
            .judge(
                there,
                "compliance.controller",
                if there { "the controller is named" } else { "nobody says who decides about the data" },
            )
            .fix("say `compliance: { controller: { name: …, contact: … } }`");
    }
}
