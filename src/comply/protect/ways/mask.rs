//! What a person still recognises, and nobody else can use.

use super::{Asked, Way};

pub(super) static MASK: Way = Way {
    name: "mask",
    about: "Characters are replaced, the last or first ones stay.",
    reversible: false,
    joinable: false,
    keeps_form: true,
    purpose: None,
    expression,
};

fn expression(asked: &Asked<'_>) -> Option<String> {
    let call = match asked.class.class().name {
        "pci.pan" => "mask_pan(value)",
        "pci.cardholder" => "mask_name(value)",
        "pii.contact.email" => "mask_email(value)",
        "pii.contact.phone" => "mask(value, 4)",
        "financial.iban" | "financial.account" => "mask_iban(value)",
        "pii.name" => "mask_name(value)",
        "pii.device.ip" => "anonymize_ip(value)",
        name if name.starts_with("pii.id") => "mask(value, 4)",
        _ => return None,
    };
    Some(call.into())
}
