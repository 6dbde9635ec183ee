//! Only a part of the value is left.

use super::{Asked, Way};

pub(super) static TRUNCATE: Way = Way {
    name: "truncate",
    about: "Only the last characters stay, and the length does not show.",
    reversible: false,
    joinable: false,
    keeps_form: false,
    purpose: None,
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    let call = match asked.class.class().name {
        "pci.pan" | "financial.iban" | "financial.account" | "pii.contact.phone" => {
            r#"mask(value, 4).replace("*", "")"#
        }
        "pii.contact.address" => "truncate_zip(value)",
        "pii.device.ip" => "anonymize_ip(value)",
        name if name.starts_with("pii.id") => r#"mask(value, 4).replace("*", "")"#,
        _ => return None,
    };
    Some(call.into())
}
