//! Postal addresses.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "postal_address",
    class: "pii.contact.address",
    about: "Postal addresses: by the name of the field alone; addresses in free text are not found.",
    looks: &[Looks::Whole(check)],
    words: &[
        "address",
        "street",
        "adresse",
        "anschrift",
        "strasse",
        "straße",
        "dirección",
        "domicilio",
        "rue",
        "postal code",
        "zip",
        "plz",
    ],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["12 Main St", "10115"],
    passes: &["-", "jane@x.example"],
};

fn check(text: &str) -> Option<Grade> {
    let plain = !text.contains('@') && !text.contains("://");
    (plain && text.chars().any(char::is_alphanumeric) && text.len() <= 400).then_some(Grade::Weak)
}
