//! P13: who opted out is in nothing that is sold or shared.

use super::reading::said_at;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static OPT_OUT: Primitive = Primitive {
    id: "P13",
    name: "opt_out",
    about: "Routes to targets that sell or share hold back every record whose person opted out.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in subject.routes.iter().filter(|way| way.target.custody.sells) {
        if way.written().both(asked.classes()).is_empty() {
            continue;
        }
        let there = way.mapping.compliance.opt_out.is_some();
        notes
            .judge(
                there,
                way.object(),
                match there {
                    true => "records of people who opted out are held back".to_string(),
                    false => {
                        format!("`{}` sells or shares, and nobody looks whether people opted out", way.target.name)
                    }
                },
            )
            .at(said_at(way))
            .fix("say `compliance: { opt_out: FIELD }`");
    }
}
