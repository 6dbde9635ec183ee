//! Nothing is left.

use super::{Asked, Way};

pub(super) static DROP: Way = Way {
    name: "drop",
    about: "The field is left out: the only way for card authentication data.",
    reversible: false,
    joinable: false,
    keeps_form: false,
    purpose: None,
    expression,
};

fn expression(_: &Asked<'_>) -> Option<String> {
    Some("null".into())
}
