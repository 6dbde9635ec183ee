//! Personal data is used for a purpose that its source allows, on a lawful basis, special categories on a
//! condition, and on consent only where consent is asked for record by record.

use super::scene::{Charge, Scene, Weight};
use crate::error::codes::comply as codes;
use crate::error::{Findings, Place};
use crate::record::ClassSet;

/// Purposes for which people have to be asked, by the words they are called after.
const MARKETING: &[&str] =
    &["marketing", "advertising", "ads", "newsletter", "profiling", "retargeting", "promotion", "campaign", "werbung"];

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    if scene.arriving.is_empty() {
        return;
    }
    purpose(scene, findings);
    basis(scene, findings);
    condition(scene, findings);
    consent(scene, findings);
    authorisation(scene, findings);
}

/// Whether a purpose is one for which people have to be asked.
pub(super) fn is_marketing(purpose: &str) -> bool {
    let purpose = purpose.to_lowercase();
    purpose.split(|c: char| !c.is_alphanumeric()).any(|word| MARKETING.contains(&word))
}

/// Where what a mapping declares belongs: its section, or its target.
fn declared<'a>(scene: &Scene<'a>) -> &'a Place {
    scene.mapping.compliance.place.as_ref().unwrap_or(&scene.mapping.to.place)
}

fn purpose(scene: &Scene<'_>, findings: &mut Findings) {
    let classes = scene.arriving;
    let said = scene.mapping.compliance.purpose.as_ref();
    match (&scene.source.custody.purposes, said) {
        (Some(allowed), Some(purpose)) if !allowed.iter().any(|one| one.eq_ignore_ascii_case(&purpose.value)) => {
            let broken = scene.law.broken("P11", Some("purpose"), classes);
            let charge = Charge { code: &codes::PURPOSE, check: "P11", broken, weight: Weight::Breach };
            let cause = format!(
                "{} is used for `{}`; data of `{}` may be used for {}",
                Scene::named(classes),
                purpose.value,
                scene.source.name,
                allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
            );
            let finding = scene.of_route(charge, &purpose.place, classes, &cause);
            findings.push(finding.fix(format!(
                "leave such data out, or add the purpose to the `purposes` of `{}` if people were told of it",
                scene.source.name
            )));
        }
        (Some(allowed), None) => {
            let broken = scene.law.broken("P11", Some("purpose"), classes);
            let charge = Charge { code: &codes::PURPOSE, check: "P11", broken, weight: Weight::Gap };
            let cause = format!(
                "data of `{}` may be used for some purposes only, and the mapping does not say what {} is used for",
                scene.source.name,
                Scene::named(classes)
            );
            let finding = scene.of_route(charge, declared(scene), classes, &cause);
            findings.push(finding.fix(format!("add `compliance: {{ purpose: … }}`: one of {}", allowed.join(", "))));
        }
        _ => {}
    }
}

fn basis(scene: &Scene<'_>, findings: &mut Findings) {
    let classes = scene.law.asked("P11", Some("basis")).both(scene.arriving);
    if classes.is_empty() || scene.mapping.compliance.basis.is_some() {
        return;
    }
    let broken = scene.law.broken("P11", Some("basis"), classes);
    let charge = Charge { code: &codes::BASIS, check: "P11", broken, weight: Weight::Gap };
    let cause = format!("{} is processed, and nothing says on what lawful basis", Scene::named(classes));
    let finding = scene.of_route(charge, declared(scene), classes, &cause);
    findings.push(finding.fix("add `compliance: { purpose: …, basis: … }` to the mapping"));
}

fn condition(scene: &Scene<'_>, findings: &mut Findings) {
    let classes = scene.law.asked("P15", Some("condition")).both(scene.arriving);
    if classes.is_empty() || scene.mapping.compliance.condition.is_some() {
        return;
    }
    let broken = scene.law.broken("P15", Some("condition"), classes);
    let charge = Charge { code: &codes::CONDITION, check: "P15", broken, weight: Weight::Breach };
    let cause = format!("{} is of a special category, and nothing says why it may be processed", Scene::named(classes));
    let basis = scene.mapping.compliance.basis.as_ref();
    let place = basis.map_or_else(|| declared(scene), |basis| &basis.place);
    let finding = scene.of_route(charge, place, classes, &cause);
    findings.push(
        finding
            .fix("add `condition` to the `compliance` of the mapping (a basis alone is not enough), or leave it out"),
    );
}

fn consent(scene: &Scene<'_>, findings: &mut Findings) {
    let of = &scene.mapping.compliance;
    let basis = of.basis.as_ref().filter(|basis| basis.value == "consent");
    let express = of.condition.as_ref().filter(|condition| condition.value == "explicit_consent");
    let marketing = of.purpose.as_ref().filter(|purpose| is_marketing(&purpose.value) && of.opt_out.is_none());
    // Who may object instead of agreeing is asked elsewhere.
    let marketing = marketing.filter(|_| !scene.law.asked("P12", Some("gate")).both(scene.arriving).is_empty());
    let Some(why) = basis.or(express).or(marketing).filter(|_| of.consent.is_none()) else { return };
    let classes = scene.arriving;
    let broken = scene.law.broken("P12", Some("gate"), classes);
    let charge = Charge { code: &codes::CONSENT, check: "P12", broken, weight: Weight::Breach };
    let cause = match basis.or(express) {
        Some(_) => format!("{} is processed on consent, and no record is asked for it", Scene::named(classes)),
        None => format!("{} is used for `{}`, and no record is asked for consent", Scene::named(classes), why.value),
    };
    let finding = scene.of_route(charge, &why.place, classes, &cause);
    findings.push(finding.fix(
        "add `consent: FIELD` (or a `lookup`) to the `compliance` of the mapping: records without it are held back",
    ));
}

/// Health data for marketing or sale needs the patient's authorisation.
fn authorisation(scene: &Scene<'_>, findings: &mut Findings) {
    let classes: ClassSet = scene.law.asked("P12", Some("authorisation")).both(scene.arriving);
    let of = &scene.mapping.compliance;
    let marketing = of.purpose.as_ref().filter(|purpose| is_marketing(&purpose.value) || purpose.value == "sale");
    let Some(purpose) = marketing.filter(|_| !classes.is_empty() && of.authorisation.is_none()) else { return };
    let broken = scene.law.broken("P12", Some("authorisation"), classes);
    let charge = Charge { code: &codes::CONSENT, check: "P12", broken, weight: Weight::Breach };
    let cause = format!("{} is used for `{}` without an authorisation", Scene::named(classes), purpose.value);
    let finding = scene.of_route(charge, &purpose.place, classes, &cause);
    findings.push(finding.fix("say where it is filed: `authorisation`, or leave health data out"));
}
