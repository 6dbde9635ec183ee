//! Lists and maps: what is in them, and what they come to.

mod max;
mod min;
mod size;
mod sum;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, extreme, misuse, operators,
};

/// Lists and maps.
pub(super) static GROUP: Group = Group {
    name: "Lists and maps",
    about: "What is in them, and what they come to.",
    functions: &[&max::MAX, &min::MIN, &size::SIZE, &sum::SUM],
};
