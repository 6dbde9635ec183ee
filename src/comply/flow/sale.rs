//! Where data counts as sold or shared, people can object; and the young are asked, or somebody for them.

use super::scene::{Charge, Scene, Weight};
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassId;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let of = &scene.mapping.compliance;
    let place = of.place.as_ref().unwrap_or(&scene.mapping.to.place);
    let target = &scene.target.name;
    if scene.target.custody.sells && of.opt_out.is_none() {
        let asked = scene.law.asked("P13", None);
        let classes = if scene.law.is_none() { scene.arriving } else { asked.both(scene.arriving) };
        if !classes.is_empty() {
            let broken = scene.law.broken("P13", None, classes);
            let charge = Charge { code: &codes::OPT_OUT, check: "P13", broken, weight: Weight::Breach };
            let cause = format!("{} is sold or shared with `{target}`, and nobody can object", Scene::named(classes));
            let finding = scene.of_route(charge, place, classes, &cause);
            findings.push(finding.fix(
                "add `opt_out: FIELD` to the `compliance` of the mapping: the field that says that a person objects (or sent Global Privacy Control)",
            ));
        }
    }
    let child = ClassId::named("pii.child").filter(|child| scene.read.contains(*child));
    let consents = of.basis.as_ref().is_some_and(|basis| basis.value == "consent") || scene.target.custody.sells;
    if let Some(child) = child.filter(|child| consents && of.parental.is_none() && scene.arriving.contains(*child))
        && let Some((leaf, class)) = scene.first(crate::record::ClassSet::one(child))
    {
        let part = if scene.target.custody.sells { "sale" } else { "consent" };
        let broken = scene.law.broken("P14", Some(part), scene.arriving);
        let charge = Charge { code: &codes::CONSENT, check: "P14", broken, weight: Weight::Breach };
        let cause =
            format!("`{}` is processed on consent, and nothing says who agreed for the child", class.class().name);
        findings.push(scene.of_leaf(charge, leaf, class, &cause).fix(
            "add `age` and `parental` to the `compliance` of the mapping: records of the young without it are held back",
        ));
    }
}
