//! Data goes to somebody else only under the agreement that the standards in force ask for, and only
//! while it holds.

use super::law::Broken;
use super::scene::{Charge, Scene, Weight};
use crate::comply::assess::Gravity;
use crate::config::Agreement;
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::{ClassId, ClassSet};

/// PCI DSS asks of service providers what no check of its file says: an attestation (12.8, 12.9).
const CARDS: &str = "PCI DSS 12.8.2";

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    if scene.arriving.is_empty() || !scene.is_external() {
        return;
    }
    let mut asked: Vec<(Vec<&str>, ClassSet, String)> = scene
        .law
        .agreements(scene.arriving)
        .into_iter()
        .map(|(kinds, classes, control)| (kinds.iter().map(String::as_str).collect(), classes, control))
        .collect();
    let cards = ClassId::named("pci.pan").map(ClassSet::one).unwrap_or_default().both(scene.arriving);
    if scene.law.holds("pci_dss") && !cards.is_empty() {
        asked.push((vec!["pci_service_provider"], cards, CARDS.into()));
    }
    for (kinds, classes, control) in asked {
        let held: Vec<&Agreement> =
            scene.target.agreements.iter().filter(|one| kinds.contains(&one.kind.as_str())).collect();
        if held.iter().any(|one| one.until.is_none_or(|until| until >= scene.today)) {
            continue;
        }
        let broken = Broken { controls: vec![control], in_force: true, gravity: Gravity::High };
        let (target, kind) = (&scene.target.name, kinds.first().copied().unwrap_or_default());
        match held.first().and_then(|one| Some((one, one.until?))) {
            Some((agreement, until)) => {
                let charge = Charge { code: &codes::AGREEMENT_ENDED, check: "P08", broken, weight: Weight::Breach };
                let cause = format!(
                    "the agreement `{}` with `{target}` ended on {until}, and {} still goes there",
                    agreement.kind,
                    Scene::named(classes)
                );
                let finding = scene.of_route(charge, &agreement.place, classes, &cause);
                findings.push(finding.fix("renew it and say until when, or send no such data there"));
            }
            None => {
                let charge = Charge { code: &codes::AGREEMENT, check: "P08", broken, weight: Weight::Breach };
                let cause = format!(
                    "{} goes to `{target}`, which is somebody else's, without an agreement",
                    Scene::named(classes)
                );
                let finding = scene.of_route(charge, &scene.mapping.to.place, classes, &cause);
                let names = kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" or ");
                findings.push(finding.fix(format!(
                    "if there is one, add {names} to the `agreements` of `{target}` (`agreements: {{ {kind}: {{ reference: …, until: … }} }}`); if it is your own system, say `kind: internal`"
                )));
            }
        }
    }
}
