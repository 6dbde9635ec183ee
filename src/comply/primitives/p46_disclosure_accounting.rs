//! P46: disclosures are accounted for.

use super::reading::{is_external, said_at};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::ClassSet;

pub(super) static DISCLOSURE_ACCOUNTING: Primitive = Primitive {
    id: "P46",
    name: "disclosure_accounting",
    about: "Each disclosure of health data says what kind it is; those that are accountable say to whom, what for and about whom.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let phi: ClassSet =
        crate::comply::assess::Parameters { classes: vec!["phi".into()], ..Default::default() }.classes();
    for way in &subject.routes {
        if way.written().both(phi).is_empty() || !is_external(way.target) {
            continue;
        }
        let said = &way.mapping.compliance;
        let Some(kind) = &said.disclosure else {
            notes
                .fail(way.object(), "health data goes to somebody else, and what kind of disclosure it is nobody says")
                .at(said_at(way))
                .fix("say `compliance: { disclosure: accountable }`, or why it is exempt");
            continue;
        };
        if kind.value != "accountable" {
            notes.pass(way.object(), format!("it is exempt: `{}`", kind.value)).at(&kind.place);
            continue;
        }
        let mut lacks = Vec::new();
        let mut need = |there: bool, what| {
            if !there {
                lacks.push(what);
            }
        };
        need(said.purpose.is_some(), "purpose");
        need(!said.recipients.is_empty(), "recipients");
        need(said.subject.is_some(), "subject");
        notes
            .judge(
                lacks.is_empty(),
                way.object(),
                match lacks.is_empty() {
                    true => "date, recipient, what, what for and about whom are recorded".to_string(),
                    false => format!("the account would lack: {}", lacks.join(", ")),
                },
            )
            .at(&kind.place)
            .fix("say `recipients` (with address), `purpose` and `subject`");
    }
}
