//! Less exact, and still of use.

use super::{Asked, Way};

pub(super) static GENERALISE: Way = Way {
    name: "generalise",
    about: "A year, a range, a region: what HIPAA safe harbor leaves of it.",
    reversible: false,
    joinable: false,
    keeps_form: false,
    purpose: None,
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    let call = match asked.class.class().name {
        "pii.birth_date" => "safe_harbor_year(value)",
        "pii.age" => "generalize_number(value, 10, 90)",
        "pii.contact.address" => "truncate_zip(value)",
        "pii.location.precise" => "generalize_coordinate(value)",
        _ => return None,
    };
    Some(call.into())
}
