//! Encryption of which no two results are alike.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static ENCRYPT: Way = Way {
    name: "encrypt",
    about: "Encryption (XAES-256-GCM) of which no two results are alike.",
    reversible: true,
    joinable: false,
    keeps_form: false,
    purpose: Some(Purpose::Encrypt),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.placed("encrypt(value", "")
}
