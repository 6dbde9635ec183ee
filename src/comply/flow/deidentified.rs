//! What is to be de-identified by Safe Harbor (HIPAA 164.514(b)(2)) carries none of the eighteen
//! identifiers, and no code that is made of one (164.514(c)).

use super::scene::{Charge, Scene, Weight};
use crate::error::Findings;
use crate::error::codes::comply as codes;
use crate::expr::{Effect, kept};
use crate::map::Leaf;
use crate::record::{ClassId, ClassSet};

/// Functions whose result is made of the value: whoever has the key can make it again.
const DERIVED: &[&str] = &[
    "hmac_sha256",
    "tokenize",
    "pseudonymize",
    "encrypt_joinable",
    "fpe_encrypt",
    "sha256",
    "sha512",
    "sha1",
    "md5",
    "blake3",
    "uuid5",
];

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    if !is_asked(scene) {
        return;
    }
    for (leaf, arrives) in scene.leaves() {
        let mut said = false;
        for class in arrives.iter() {
            if let Some(letter) = identifier(class) {
                findings.push(left(scene, leaf, class, letter));
                said = true;
            }
        }
        if !said && let Some(class) = open_ended(leaf) {
            findings.push(left(scene, leaf, class, "c"));
            said = true;
        }
        if !said && let Some((class, function)) = derived(leaf) {
            let broken = scene.law.broken("P18", Some("underived"), ClassSet::one(class));
            let charge = Charge { code: &codes::DERIVED_CODE, check: "P18", broken, weight: Weight::Breach };
            let cause = format!(
                "`{function}` makes the code of `{}`, so the code can be led back to the person",
                class.class().name
            );
            let key = scene.project.compliance.keys.iter().find(|key| key.purpose == crate::record::Purpose::Vault);
            let name = key.map_or("NAME", |key| key.name.as_str());
            findings.push(scene.of_leaf(charge, leaf, class, &cause).fix(format!(
                "use a code that is not made of it: `random_token(value, \"{name}\")`, which only the vault leads back from"
            )));
        }
    }
}

fn is_asked(scene: &Scene<'_>) -> bool {
    scene.mapping.compliance.safe_harbor.as_ref().is_some_and(|said| said.value)
}

/// Whether this file says what is to be said of a class that arrives.
pub(super) fn speaks_of(scene: &Scene<'_>, class: ClassId) -> bool {
    is_asked(scene) && identifier(class).is_some()
}

/// The highest age that may be told by itself.
const OLDEST: u32 = 90;

/// An age that is made coarser without one group for all who are 90 or older.
fn open_ended(leaf: &Leaf) -> Option<ClassId> {
    const COARSER: &str = "generalize_number";
    let age = ClassId::named("pii.age")?;
    let coarser = leaf.flow.passages.iter().any(|passage| passage.through == COARSER && passage.before.contains(age));
    let arguments = kept::arguments(&leaf.rule.transform()?.text, COARSER)?;
    let top = arguments.get(2).copied().flatten();
    (coarser && top.is_none_or(|top| top > OLDEST)).then_some(age)
}

/// The letter of the identifier that a class is, in the order of 164.514(b)(2)(i).
fn identifier(class: ClassId) -> Option<&'static str> {
    class.class().regimes.iter().find_map(|regime| regime.strip_prefix("hipaa.id."))
}

fn left<'a>(scene: &Scene<'a>, leaf: &'a Leaf, class: ClassId, letter: &str) -> crate::error::Finding {
    let (part, fix) = match letter {
        "c" if class.class().name == "pii.age" => (
            "dates",
            "ages over 89 are one group: `safe_harbor_year(value)` of the birth date, or `generalize_number(value, 10, 90)`"
                .to_string(),
        ),
        "c" => ("dates", "of dates of a person only the year may stay: `safe_harbor_year(value)`".to_string()),
        "b" => (
            "places",
            "of places smaller than a state only three digits of the ZIP code may stay: `truncate_zip(value)`"
                .to_string(),
        ),
        _ => ("identifiers", format!("leave it out, or {}", super::protect(class))),
    };
    let broken = scene.law.broken("P23", Some(part), ClassSet::one(class));
    let charge = Charge { code: &codes::IDENTIFIED, check: "P23", broken, weight: Weight::Breach };
    let cause = format!("`{}` is an identifier, and the route is to be de-identified", class.class().name);
    scene.of_leaf(charge, leaf, class, &cause).fix(fix)
}

/// An identifier that a function makes a code of, and that function.
fn derived(leaf: &Leaf) -> Option<(ClassId, &str)> {
    leaf.flow.passages.iter().filter(|passage| passage.effect == Effect::Protects).find_map(|passage| {
        let name = DERIVED.iter().find(|name| **name == passage.through)?;
        let class = passage.before.without(passage.after).iter().find(|class| identifier(*class).is_some())?;
        Some((class, *name))
    })
}
