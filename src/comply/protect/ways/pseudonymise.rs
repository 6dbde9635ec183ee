//! A keyed pseudonym.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static PSEUDONYMISE: Way = Way {
    name: "pseudonymise",
    about: "A keyed pseudonym in the form of a UUID.",
    reversible: false,
    joinable: true,
    keeps_form: false,
    purpose: Some(Purpose::Token),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.call("pseudonymize")
}
