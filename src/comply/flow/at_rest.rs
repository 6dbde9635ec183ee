//! What may lie in a system in clear still has to be encrypted there: health data by anything, card numbers
//! by more than the disk.

use super::scene::{Charge, Scene, Weight};
use crate::config::AtRest;
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassSet;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let Some(at_rest) = scene.target.custody.at_rest.filter(|at_rest| *at_rest != AtRest::Store) else { return };
    for (leaf, arrives) in scene.leaves() {
        for class in arrives.iter().filter(|class| scene.is_cleared(*class)) {
            let one = ClassSet::one(class);
            let part = if at_rest == AtRest::Disk { Some("disk") } else { None };
            let asked = match part {
                Some(_) => scene.law.asked("P17", part),
                None => scene.law.asked("P17", Some("disk")).union(scene.law.asked("P17", None)),
            };
            if asked.both(one).is_empty() {
                continue;
            }
            let broken = scene.law.broken("P17", part, one);
            let charge = Charge { code: &codes::AT_REST, check: "P17", broken, weight: Weight::Breach };
            let what = match at_rest {
                AtRest::Disk => "is encrypted by its disk alone",
                _ => "encrypts nothing",
            };
            let cause = format!("`{}` lies in `{}`, which {what}", class.class().name, scene.target.name);
            findings.push(scene.of_leaf(charge, leaf, class, &cause).fix(super::protect(class)));
        }
    }
}
