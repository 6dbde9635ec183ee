//! A class that reaches a target which is not cleared for it, as data or by what it decides; and card
//! authentication data, which is cleared nowhere.

use super::scene::{Charge, Scene, Weight};
use super::{cards, deidentified, protection};
use crate::error::codes::comply as codes;
use crate::error::{Finding, Findings, Severity};
use crate::map::Leaf;
use crate::record::{ClassId, ClassSet};

/// Judges every leaf, the gate, and what decides.
pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    for (leaf, arrives) in scene.leaves() {
        for class in arrives.iter() {
            findings.extend(written(scene, leaf, class));
        }
        for class in leaf.flow.control.without(leaf.flow.classes).iter() {
            findings.extend(decides(scene, class, Some(leaf)));
        }
    }
    for class in scene.route.gate_classes.iter() {
        findings.extend(decides(scene, class, None));
    }
}

/// A class that stands in what is written.
fn written<'a>(scene: &Scene<'a>, leaf: &'a Leaf, class: ClassId) -> Option<Finding> {
    let name = class.class().name;
    // Whoever is cleared for what.
    if class.is_fleeting() {
        let broken = scene.law.broken("P20", None, ClassSet::one(class));
        let charge = Charge { code: &codes::PROHIBITED, check: "P20", broken, weight: Weight::Breach };
        let cause = match hidden(leaf, class) {
            Some(how) => format!("`{name}` would be written; `{how}` does not make it storable"),
            None => format!("`{name}` would be written"),
        };
        let mut finding = scene
            .of_leaf(charge, leaf, class, &cause)
            .fix("leave the field out: such data is never stored after authorisation");
        finding.severity = Severity::Error;
        return Some(finding);
    }
    // What became of a card number, and what identifies a person, is a matter of its own.
    if cards::speaks_of(scene, leaf, class) || deidentified::speaks_of(scene, class) || scene.is_cleared(class) {
        return None;
    }
    let broken = scene.law.in_clear(class);
    let charge = Charge { code: &codes::FLOW, check: "P17", broken, weight: Weight::Breach };
    let cause = format!("`{name}` reaches `{}`, which is not cleared for it", scene.target.name);
    let rule = &leaf.rule;
    let edit = protection(class)
        .filter(|_| matches!(rule.make, crate::config::Make::Value) && rule.source.is_some())
        .and_then(|call| crate::map::add_key(rule, &format!("transform: {call}")));
    let fix = format!("{}, or {}", super::protect(class), super::clear(scene, class));
    Some(scene.of_leaf(charge, leaf, class, &cause).fix(fix).edit(edit))
}

/// What was done to authentication data in the belief that it helps.
fn hidden(leaf: &Leaf, class: ClassId) -> Option<&str> {
    let helps = ["encrypt", "tokenize", "mask", "hmac", "sha", "pseudonymize", "fpe", "random_token", "redact"];
    let tried = leaf.flow.passages.iter().filter(|passage| passage.before.contains(class));
    tried.map(|passage| passage.through.as_str()).find(|name| helps.iter().any(|help| name.starts_with(help)))
}

/// A class that decides what is written: by the gate, or by a condition of one rule.
fn decides<'a>(scene: &Scene<'a>, class: ClassId, leaf: Option<&'a Leaf>) -> Option<Finding> {
    if !class.is_fleeting() && scene.is_cleared(class) {
        return None;
    }
    let name = class.class().name;
    let target = &scene.target.name;
    let broken = scene.law.in_clear(class);
    let charge = Charge { code: &codes::CONTROL_FLOW, check: "P17", broken, weight: Weight::Breach };
    let seen = format!("`{target}` is not cleared for it, and can tell something from what is there");
    let mut finding = match leaf {
        Some(leaf) => {
            let cause = format!("`{name}` decides about the value of `{}`; {seen}", leaf.target);
            scene.of_leaf(charge, leaf, class, &cause)
        }
        None => {
            let place = scene.mapping.when.as_ref()?.place.clone();
            scene.finding(charge, place, &format!("`{name}` decides which records are written (`when`); {seen}"))
        }
    };
    if let Some(breach) = &mut finding.breach {
        breach.classes = vec![name.to_string()];
    }
    if !is_grave(class) {
        finding.severity = Severity::Warning;
    }
    Some(finding.fix(format!("base the condition on another field, or {}", super::clear(scene, class))))
}

/// Classes for which it is grave already that they decide something.
fn is_grave(class: ClassId) -> bool {
    class.is_fleeting()
        || ["phi", "special"].iter().filter_map(|name| ClassId::named(name)).any(|around| class.is_within(around))
}
