//! Only what the purpose needs is carried, and every sensitive field is named: nothing rides along
//! in a copy of everything.

use super::scene::{Charge, Scene, Weight};
use crate::config::{Copying, FieldRule, Which};
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassSet;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let asked = scene.law.asked("P16", None);
    let mut copies: Vec<&Copying> = scene.mapping.copies.iter().collect();
    inside(&scene.mapping.fields, &mut copies);
    for copy in copies.iter().filter(|copy| matches!(copy.which, Which::Omit(_))) {
        let mut fields =
            scene.leaves().filter(|(leaf, arrives)| leaf.rule.place == copy.place && !arrives.both(asked).is_empty());
        let Some((leaf, arrives)) = fields.next() else { continue };
        let Some(class) = arrives.both(asked).iter().next() else { continue };
        let others = fields.count();
        let broken = scene.law.broken("P16", None, arrives.both(asked));
        let charge = Charge { code: &codes::MINIMISE, check: "P16", broken, weight: Weight::Breach };
        let more = if others == 0 { String::new() } else { format!(" and {others} more") };
        let cause = format!("`{}`{more} rides along in a copy of all fields", class.class().name);
        let mut finding = scene.of_leaf(charge, leaf, class, &cause);
        finding.place = Some(copy.place.clone());
        findings.push(finding.fix("name the fields that are needed: `pick` in place of `omit`, or leave these out"));
    }
    if let Some(needs) = scene.mapping.compliance.needs {
        for (leaf, arrives) in scene.leaves() {
            for class in arrives.beyond(needs).iter() {
                let one = ClassSet::one(class);
                let broken = scene.law.broken("P16", None, one);
                let charge = Charge { code: &codes::MINIMISE, check: "P16", broken, weight: Weight::Breach };
                let cause = format!("`{}` is not among what the purpose needs", class.class().name);
                let fix = format!("leave it out, protect it, or add {} to `needs`", class.class().name);
                findings.push(scene.of_leaf(charge, leaf, class, &cause).fix(fix));
            }
        }
    }
}

/// The copies in rules in rules.
fn inside<'r>(rules: &'r [FieldRule], found: &mut Vec<&'r Copying>) {
    for rule in rules {
        for (_, block) in rule.blocks() {
            found.extend(&block.copies);
            inside(&block.rules, found);
        }
    }
}
