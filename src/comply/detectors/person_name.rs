//! Names of people.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "person_name",
    class: "pii.name",
    about: "Names of people: by the name of the field alone; names in free text are not found.",
    looks: &[Looks::Whole(check)],
    words: &[
        "first name",
        "firstname",
        "last name",
        "lastname",
        "surname",
        "full name",
        "fullname",
        "given name",
        "vorname",
        "nachname",
        "prénom",
        "apellido",
        "cardholder",
    ],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["Jane Doe", "Zoë", "O’Brien, Seán"],
    passes: &["12345", "jane@x.example", "https://x.example/"],
};

fn check(text: &str) -> Option<Grade> {
    // Letters, and what stands in names; no addresses, numbers or codes.
    let plain = text
        .chars()
        .all(|character| character.is_alphabetic() || matches!(character, ' ' | '-' | '\'' | '\u{2019}' | '.' | ','));
    (plain && text.chars().any(char::is_alphabetic) && text.len() <= 120).then_some(Grade::Weak)
}
