//! Brazilian numbers of persons (CPF).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "br_cpf",
    class: "pii.id.national",
    about: "Brazilian numbers of persons (CPF): eleven digits with two check digits modulo 11, not all the same.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("3.3.3-2"), Layout::weak("11"), Layout::weak("9-2")], check }],
    words: &["cpf", "cadastro de"],
    null_rate: 0.01,
    shows: Shows::Number,
    finds: &["390.533.447-05"],
    finds_if_named: &["39053344705"],
    passes: &["390.533.447-06", "111.111.111-11"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let digit = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    let first = digit(digits.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = digit(digits.weighted(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let holds = first == u32::from(digits[9]) && second == u32::from(digits[10]) && !digits.is_uniform();
    holds.then_some(if digits.grouped { Grade::Strong } else { Grade::Possible })
}
