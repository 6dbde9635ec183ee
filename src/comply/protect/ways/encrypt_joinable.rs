//! Encryption that keeps equality.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static ENCRYPT_JOINABLE: Way = Way {
    name: "encrypt_joinable",
    about: "Encryption that keeps equality (AES-SIV), for fields that are joined on.",
    reversible: true,
    joinable: true,
    keeps_form: false,
    purpose: Some(Purpose::Join),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.placed("encrypt_joinable(value", "")
}
