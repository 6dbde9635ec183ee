//! People: how they are reached and what they are called.

mod email_domain;
mod initials;
mod is_email;
mod is_phone;
mod is_postal_code;
mod normalize_email;
mod normalize_name;
mod normalize_phone;
mod normalize_postal_code;
mod split_name;
mod split_street;

use super::{Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, misuse};

/// People.
pub(super) static GROUP: Group = Group {
    name: "People",
    about: "E-mail addresses, telephone numbers, names and postal addresses.",
    functions: &[
        &email_domain::EMAIL_DOMAIN,
        &initials::INITIALS,
        &is_email::IS_EMAIL,
        &is_phone::IS_PHONE,
        &is_postal_code::IS_POSTAL_CODE,
        &normalize_email::NORMALIZE_EMAIL,
        &normalize_name::NORMALIZE_NAME,
        &normalize_phone::NORMALIZE_PHONE,
        &normalize_postal_code::NORMALIZE_POSTAL_CODE,
        &split_name::SPLIT_NAME,
        &split_street::SPLIT_STREET,
    ],
};
