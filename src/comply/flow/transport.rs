//! What is sensitive travels encrypted, and the other side is verified.

use super::scene::{Charge, Scene, Weight};
use crate::comply::primitives::in_clear;
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassSet;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let sensitive =
        |classes: ClassSet| -> ClassSet { classes.iter().filter(|class| class.class().sensitivity > 0).collect() };
    // What is read travels from the source as it lies there, whatever is made of it later.
    for (connector, classes) in [(scene.source, sensitive(scene.read)), (scene.target, scene.arriving)] {
        // Where nobody asks for anything, only what is more than a name is worth a word.
        let asked = classes.iter().any(|class| scene.law.covers(class));
        if classes.is_empty() || (!asked && classes.sensitivity() < 2) {
            continue;
        }
        let weight = if asked { Weight::Breach } else { Weight::Gap };
        for (what, place) in in_clear(connector) {
            let broken = scene.law.broken("P01", None, classes);
            let charge = Charge { code: &codes::TRANSPORT, check: "P01", broken, weight };
            let cause = format!("{what}, and {} travels that way", Scene::named(classes));
            findings.push(scene.finding(charge, place, &cause).fix(
                "use the encrypted form (`https`, `tls: verify-full`), with the other side's certificate verified",
            ));
        }
    }
}
