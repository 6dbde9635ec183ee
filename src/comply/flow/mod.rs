//! The static flow check: what of a route's data reaches its target, and everything that speaks
//! against that, before anything moves. One judge a file; each knows one idea.
//!
//! A judge speaks where something was said: a target has a `clearance`, a standard is in force, or
//! the configuration itself declares what is broken (an environment, a purpose, an audience). Card
//! authentication data is an error everywhere.

mod agreements;
mod at_rest;
mod audience;
mod cards;
mod clearance;
mod deidentified;
mod environment;
mod law;
mod minimal;
mod purpose;
mod retention;
mod sale;
mod scene;
mod transfer;
mod transport;
mod unnamed;
mod waivers;

#[cfg(test)]
mod tests;

use jiff::civil::Date;

use super::protect::ways::{self, Asked};
use crate::config::{Connector, Mapping, Project};
use crate::error::Findings;
use crate::map::Route;
use crate::record::ClassId;
use scene::Scene;

pub use waivers::{judge_waivers, waive};

/// Every judge, in the order in which they speak.
const JUDGES: &[fn(&Scene<'_>, &mut Findings)] = &[
    clearance::judge,
    cards::judge,
    deidentified::judge,
    audience::judge,
    at_rest::judge,
    minimal::judge,
    environment::judge,
    agreements::judge,
    transfer::judge,
    purpose::judge,
    sale::judge,
    retention::judge,
    transport::judge,
    unnamed::judge,
];

/// Judges a compiled mapping between its two connectors on a day. Waivers that hold have taken the
/// weight off what they are about.
pub fn flow(
    project: &Project,
    (mapping, route): (&Mapping, &Route),
    (source, target): (&Connector, &Connector),
    today: Date,
) -> Findings {
    let scene = Scene::new((project, mapping, route), (source, target), today);
    let mut findings = Findings::new();
    for judge in JUDGES {
        judge(&scene, &mut findings);
    }
    if !project.compliance.rules.waivers.is_empty() {
        waive(project, today, &mut findings);
    }
    findings
}

/// The way of each class that goes into one target field: its source, what it passes, where it arrives.
pub fn ways(
    project: &Project,
    (mapping, route): (&Mapping, &Route),
    (source, target): (&Connector, &Connector),
    today: Date,
    field: &str,
) -> Vec<(String, Vec<String>)> {
    let scene = Scene::new((project, mapping, route), (source, target), today);
    let leaf = route.leaves.iter().find(|leaf| leaf.target.to_string() == field);
    let of = |leaf: &crate::map::Leaf| {
        let all = leaf.flow.passages.iter().fold(leaf.flow.source, |all, passage| all.union(passage.before));
        let classes = all.union(leaf.flow.classes).iter().filter(|class| class.class().sensitivity > 0);
        classes.map(|class| (class.class().name.to_string(), scene.way(leaf, class))).collect()
    };
    leaf.map(of).unwrap_or_default()
}

/// The control that literal secrets break, for findings of other checks.
pub fn secret_controls(standards: &[String]) -> Vec<String> {
    let secret = ClassId::named("secret").map(crate::record::ClassSet::one).unwrap_or_default();
    law::Law::of(standards).broken("P02", None, secret).controls
}

/// "if `warehouse` may hold it, add pii.name to its `clearance`".
fn clear(scene: &Scene<'_>, class: ClassId) -> String {
    format!("if `{}` may hold it, add {} to its `clearance`", scene.target.name, class.class().name)
}

/// Ways without a key that still let people recognise a value.
const WITHOUT_KEY: &[&str] = &["mask", "generalise"];

/// A call that protects a value of this class and needs no key, where there is one.
fn protection(class: ClassId) -> Option<String> {
    let asked = Asked { class, key: None, context: None };
    WITHOUT_KEY.iter().filter_map(|name| ways::named(name)).find_map(|way| way.expression(&asked))
}

/// What to do about a class, in words.
fn protect(class: ClassId) -> String {
    let asked = Asked { class, key: Some("NAME"), context: None };
    let keyed = || ways::ALL.iter().filter(|way| way.purpose.is_some()).find_map(|way| way.expression(&asked));
    match protection(class).or_else(keyed) {
        Some(call) => format!("protect it, for instance with `{call}`"),
        None => "protect it in the transform, or leave the field out".into(),
    }
}
