//! What people read as a message, or anybody can read, holds no sensitive data in clear; and nothing goes
//! to systems that nobody approved of.

use super::scene::{Charge, Scene, Weight};
use crate::config::Audience;
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::record::{ClassId, ClassSet};

/// From this sensitivity on a class never goes into a message, whatever the target is cleared for.
const GRAVE: u8 = 3;

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    messages(scene, findings);
    destinations(scene, findings);
}

fn messages(scene: &Scene<'_>, findings: &mut Findings) {
    let Some(kind) = scene.target.custody.kind.filter(|kind| kind.message() || *kind == Audience::Public) else {
        return;
    };
    let grave = |class: &ClassId| class.class().sensitivity >= GRAVE && !class.is_fleeting();
    let classes: ClassSet = scene.arriving.iter().filter(grave).collect();
    for class in classes.iter() {
        let Some((leaf, class)) = scene.first(ClassSet::one(class)) else { continue };
        // What the target is not cleared for is said already.
        if !scene.is_cleared(class) {
            continue;
        }
        let broken = scene.law.broken("P06", Some("people"), ClassSet::one(class));
        let charge = Charge { code: &codes::MESSAGE, check: "P06", broken, weight: Weight::Breach };
        let who = match kind {
            Audience::Chat => "the members of a chat",
            Audience::Mail => "who gets a mail",
            Audience::Sms => "who gets a text message",
            _ => "anybody",
        };
        let cause = format!("`{}` in clear would be read by {who}", class.class().name);
        findings.push(scene.of_leaf(charge, leaf, class, &cause).fix(super::protect(class)));
    }
}

fn destinations(scene: &Scene<'_>, findings: &mut Findings) {
    let Some(approved) = &scene.project.compliance.rules.destinations else { return };
    if approved.iter().any(|name| name.value == scene.target.name) {
        return;
    }
    let concerned = if scene.arriving.is_empty() { scene.law.asked("P06", Some("cleared")) } else { scene.arriving };
    let broken = scene.law.broken("P06", Some("cleared"), concerned);
    let charge = Charge { code: &codes::DESTINATION, check: "P06", broken, weight: Weight::Breach };
    let cause = format!("`{}` is not among the destinations that the project approves of", scene.target.name);
    let finding = scene.finding(charge, scene.mapping.to.place.clone(), &cause);
    findings.push(
        finding
            .fix(format!("write to one of them, or add `{}` to `compliance: {{ destinations }}`", scene.target.name)),
    );
}
