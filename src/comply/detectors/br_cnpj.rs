//! Brazilian numbers of enterprises (CNPJ).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "br_cnpj",
    class: "pii.id.national",
    about: "Brazilian numbers of enterprises (CNPJ): fourteen digits with two check digits modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("2.3.3/4-2"), Layout::weak("14")], check }],
    words: &["cnpj", "cadastro nacional"],
    null_rate: 0.01,
    shows: Shows::Number,
    finds: &["16.727.230/0001-97"],
    finds_if_named: &["16727230000197"],
    passes: &["16.727.230/0001-98", "00.000.000/0000-00"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let digit = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    let first = digit(digits.weighted(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = digit(digits.weighted(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
    let holds = first == u32::from(digits[12]) && second == u32::from(digits[13]) && !digits.is_uniform();
    holds.then_some(if digits.grouped { Grade::Strong } else { Grade::Possible })
}
