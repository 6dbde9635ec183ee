//! Encryption that keeps length and letters.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static FORMAT: Way = Way {
    name: "format",
    about: "Encryption that keeps length and digits (FF1).",
    reversible: true,
    joinable: true,
    keeps_form: true,
    purpose: Some(Purpose::Format),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.placed("fpe_encrypt(value", r#", "digits""#)
}
