//! Protection: masks, generalisations, and functions with a key: what sensitive values become.

mod anonymize_ip;
mod decrypt;
mod encrypt;
mod encrypt_for;
mod encrypt_joinable;
mod fpe_decrypt;
mod fpe_encrypt;
mod generalize_coordinate;
mod generalize_date;
mod generalize_number;
mod hmac_sha256;
mod is_erased;
mod looks_like;
mod mask;
mod mask_email;
mod mask_iban;
mod mask_name;
pub(in crate::expr::functions) mod mask_pan;
mod mask_phone;
mod pseudonymize;
mod random_token;
mod redact;
mod reencrypt;
mod safe_harbor_year;
mod tokenize;
mod truncate_zip;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};
use crate::expr::keyed::{Keyed, Task};

/// Protection.
pub(super) static GROUP: Group = Group {
    name: "Protection",
    about: "Masks, generalisations, tokens and encryption: what sensitive values become. Keys are declared in connectors.yaml and named here.",
    functions: &[
        &anonymize_ip::ANONYMIZE_IP,
        &decrypt::DECRYPT,
        &encrypt::ENCRYPT,
        &encrypt_for::ENCRYPT_FOR,
        &encrypt_joinable::ENCRYPT_JOINABLE,
        &fpe_decrypt::FPE_DECRYPT,
        &fpe_encrypt::FPE_ENCRYPT,
        &generalize_coordinate::GENERALIZE_COORDINATE,
        &generalize_date::GENERALIZE_DATE,
        &generalize_number::GENERALIZE_NUMBER,
        &hmac_sha256::HMAC_SHA256,
        &is_erased::IS_ERASED,
        &looks_like::LOOKS_LIKE,
        &mask::MASK,
        &mask_email::MASK_EMAIL,
        &mask_iban::MASK_IBAN,
        &mask_name::MASK_NAME,
        &mask_pan::MASK_PAN,
        &mask_phone::MASK_PHONE,
        &pseudonymize::PSEUDONYMIZE,
        &random_token::RANDOM_TOKEN,
        &redact::REDACT,
        &reencrypt::REENCRYPT,
        &safe_harbor_year::SAFE_HARBOR_YEAR,
        &tokenize::TOKENIZE,
        &truncate_zip::TRUNCATE_ZIP,
    ],
};

/// What a function with a key does with it; `None` for all others.
pub fn keyed(function: &str) -> Option<Keyed> {
    Some(match function {
        "decrypt" => Keyed::new(Task::Decrypt).context(2),
        "encrypt" => Keyed::new(Task::Encrypt).context(2),
        "encrypt_for" => Keyed::new(Task::EncryptFor).context(3),
        "encrypt_joinable" => Keyed::new(Task::EncryptJoinable).context(2),
        "fpe_decrypt" => Keyed { alphabet: Some(2), ..Keyed::new(Task::FormatDecrypt).context(3) },
        "fpe_encrypt" => Keyed { alphabet: Some(2), ..Keyed::new(Task::FormatEncrypt).context(3) },
        "hmac_sha256" => Keyed::new(Task::Mac),
        "is_erased" => Keyed { key: None, ..Keyed::new(Task::IsErased) },
        "pseudonymize" => Keyed::new(Task::Pseudonymize),
        "random_token" => Keyed::new(Task::RandomToken),
        "reencrypt" => Keyed::new(Task::Reencrypt).context(2),
        "tokenize" => Keyed::new(Task::Tokenize),
        _ => return None,
    })
}

/// What can be protected with a key.
const PLAIN: Kinds = Kinds::TEXT
    .or(Kinds::BYTES)
    .or(Kinds::INT)
    .or(Kinds::UINT)
    .or(Kinds::DECIMAL)
    .or(Kinds::DOUBLE)
    .or(Kinds::RAW)
    .or(Kinds::BOOL)
    .or(Kinds::DATE)
    .or(Kinds::TIMESTAMP);

/// What encryption protects: everything but card authentication data, which nothing makes storable.
const ENCRYPTED: &[&str] = &[
    "pii",
    "phi",
    "pci.pan",
    "pci.cardholder",
    "pci.expiry",
    "pci.service_code",
    "financial",
    "special",
    "secret",
    "confidential",
];

/// What a token protects that is the same for the same value: classes of which there are many values, so
/// that how often one stands there does not tell which it is.
const IDENTIFIERS: &[&str] = &[
    "pii.name",
    "pii.contact",
    "pii.id",
    "pii.device",
    "pii.vehicle",
    "phi.mrn",
    "phi.member_id",
    "phi.provider_id",
    "phi.device_serial",
    "pci.pan",
    "pci.cardholder",
    "financial.account",
    "financial.iban",
];

/// What encryption that keeps the form protects: numbers.
const FORMATTED: &[&str] = &[
    "pii.contact.phone",
    "pii.id",
    "phi.mrn",
    "phi.member_id",
    "phi.device_serial",
    "pci.pan",
    "financial.account",
    "financial.iban",
];
