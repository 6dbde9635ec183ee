//! Protection: masks: what sensitive values become.

mod mask;
mod mask_email;
pub(in crate::expr::functions) mod mask_pan;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};

/// Protection.
pub(super) static GROUP: Group = Group {
    name: "Protection",
    about: "Masks: what sensitive values become.",
    functions: &[&mask::MASK, &mask_email::MASK_EMAIL, &mask_pan::MASK_PAN],
};
