//! P18: hashes are keyed, and codes are not made from what identifies.

use super::reading::{field, passed, place_of};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::{ClassId, ClassSet};

pub(super) static KEYED_HASH: Primitive = Primitive {
    id: "P18",
    name: "keyed_hash",
    about: "What replaces a card number is keyed; what leads back to a patient is random.",
    moments: &[Moment::Static],
    run,
};

/// Functions whose result anybody can compute who guesses the value.
const PLAIN: &[&str] = &["md5", "sha1", "sha256", "sha512", "blake3", "uuid5"];
/// Functions whose result is computed from the value and a key.
const KEYED: &[&str] = &["hmac_sha256", "tokenize", "pseudonymize", "fpe_encrypt", "encrypt_joinable"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let underived = asked.wants("underived");
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        if underived && !way.mapping.compliance.safe_harbor.as_ref().is_some_and(|flag| flag.value) {
            continue;
        }
        let classes = if underived { identifiers() } else { asked.classes() };
        for leaf in &route.leaves {
            let steps = passed(leaf, classes);
            let plain = steps.iter().find(|step| PLAIN.contains(step));
            let keyed = steps.iter().find(|step| KEYED.contains(step));
            let random = steps.contains(&"random_token");
            let note = match (underived, plain, keyed) {
                (_, Some(function), _) if !underived => notes.fail(
                    field(way, leaf),
                    format!("`{function}` has no key: whoever guesses the value finds it, salted or not"),
                ),
                (true, Some(function), _) | (true, None, Some(function)) => {
                    notes.fail(field(way, leaf), format!("`{function}` makes the code from what identifies the person"))
                }
                (false, None, Some(function)) => notes.pass(field(way, leaf), format!("`{function}` is keyed")),
                (true, None, None) if random => notes.pass(field(way, leaf), "the code is random"),
                _ => continue,
            };
            note.at(place_of(leaf)).fix(match underived {
                true => "use `random_token(value, KEY)`: nothing but the vault leads back",
                false => "use `tokenize(value, KEY)` or `hmac_sha256(value, KEY)`",
            });
        }
    }
}

fn identifiers() -> ClassSet {
    let all = (0..crate::record::class::ALL.len() as u8).map(ClassId);
    all.filter(|id| id.class().regimes.iter().any(|regime| regime.starts_with("hipaa.id."))).collect()
}
