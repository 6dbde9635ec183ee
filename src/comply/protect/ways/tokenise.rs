//! A keyed token.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static TOKENISE: Way = Way {
    name: "tokenise",
    about: "A keyed token (HMAC-SHA-256): equal values have equal ones, none leads back.",
    reversible: false,
    joinable: true,
    keeps_form: false,
    purpose: Some(Purpose::Token),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.call("tokenize")
}
