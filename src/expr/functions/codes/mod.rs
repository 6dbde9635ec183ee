//! Codes: encodings and hashes.

mod base64_decode;
mod base64_encode;
mod sha256;

use super::{Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, misuse};

/// Codes.
pub(super) static GROUP: Group = Group {
    name: "Codes",
    about: "Encodings and hashes.",
    functions: &[&base64_decode::BASE64_DECODE, &base64_encode::BASE64_ENCODE, &sha256::SHA256],
};
