//! Protection: masks: what sensitive values become.

mod anonymize_ip;
mod generalize_coordinate;
mod generalize_date;
mod generalize_number;
mod mask;
mod mask_email;
mod mask_iban;
mod mask_name;
pub(in crate::expr::functions) mod mask_pan;
mod mask_phone;
mod redact;
mod truncate_zip;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};

/// Protection.
pub(super) static GROUP: Group = Group {
    name: "Protection",
    about: "Masks and generalisations: what sensitive values become.",
    functions: &[
        &anonymize_ip::ANONYMIZE_IP,
        &generalize_coordinate::GENERALIZE_COORDINATE,
        &generalize_date::GENERALIZE_DATE,
        &generalize_number::GENERALIZE_NUMBER,
        &mask::MASK,
        &mask_email::MASK_EMAIL,
        &mask_iban::MASK_IBAN,
        &mask_name::MASK_NAME,
        &mask_pan::MASK_PAN,
        &mask_phone::MASK_PHONE,
        &redact::REDACT,
        &truncate_zip::TRUNCATE_ZIP,
    ],
};
