//! Live data does not go into a system that serves tests.

use super::scene::{Charge, Scene, Weight};
use crate::error::Findings;
use crate::error::codes::comply as codes;

/// What systems are called that serve their purpose.
const LIVE: &[&str] = &["production", "prod", "live"];

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let of = |own: &Option<String>| own.clone().unwrap_or_else(|| scene.project.environment.clone());
    let (source, target) = (of(&scene.source.custody.environment), of(&scene.target.custody.environment));
    if scene.arriving.is_empty() || !is_live(&source) || is_live(&target) {
        return;
    }
    let classes = scene.arriving;
    let broken = scene.law.broken("P29", None, classes);
    let charge = Charge { code: &codes::TEST_DATA, check: "P29", broken, weight: Weight::Breach };
    let cause = format!("live {} goes to `{}`, which serves `{target}`", Scene::named(classes), scene.target.name);
    let finding = scene.of_route(charge, &scene.mapping.to.place, classes, &cause);
    findings.push(finding.fix("mask or tokenise it on the way, or make test data of your own"));
}

fn is_live(environment: &str) -> bool {
    LIVE.iter().any(|live| live.eq_ignore_ascii_case(environment))
}
