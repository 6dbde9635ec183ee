//! Where data is kept, somebody has said for how long, and not longer than the project allows.

use super::scene::{Charge, Scene, Weight};
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::ClassSet;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let place = scene.mapping.compliance.place.as_ref().unwrap_or(&scene.mapping.to.place);
    let kept = scene.mapping.compliance.retention_days.or(scene.target.custody.retention_days);
    let Some(days) = kept else {
        let classes = scene.law.asked("P27", Some("target")).both(scene.arriving);
        if classes.is_empty() {
            return;
        }
        let broken = scene.law.broken("P27", Some("target"), classes);
        let charge = Charge { code: &codes::RETENTION, check: "P27", broken, weight: Weight::Gap };
        let cause =
            format!("{} is kept in `{}`, and nothing says for how long", Scene::named(classes), scene.target.name);
        let finding = scene.of_route(charge, place, classes, &cause);
        findings.push(
            finding.fix(format!(
                "add `retention: 400d` to `{}`, or to the `compliance` of the mapping",
                scene.target.name
            )),
        );
        return;
    };
    let rules = &scene.project.compliance.rules;
    let longer: ClassSet =
        scene.arriving.iter().filter(|class| rules.kept_days(*class).is_some_and(|most| days > most)).collect();
    if let Some(most) = longer.iter().filter_map(|class| rules.kept_days(class)).min() {
        let broken = scene.law.broken("P27", Some("target"), longer);
        let charge = Charge { code: &codes::RETENTION, check: "P27", broken, weight: Weight::Breach };
        let cause = format!(
            "{} is kept in `{}` for {days} days, and the project allows {most}",
            Scene::named(longer),
            scene.target.name
        );
        let finding = scene.of_route(charge, place, longer, &cause);
        findings.push(finding.fix("keep it for a shorter time, or change `retention` of the project's `compliance`"));
    }
}
