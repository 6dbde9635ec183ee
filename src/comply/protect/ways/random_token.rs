//! A random token out of the vault.

use super::{Asked, Way};
use crate::record::Purpose;

pub(super) static RANDOM_TOKEN: Way = Way {
    name: "random_token",
    about: "A random token: equal values have equal ones, and only the vault leads back.",
    reversible: true,
    joinable: true,
    keeps_form: false,
    purpose: Some(Purpose::Vault),
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    asked.call("random_token")
}
