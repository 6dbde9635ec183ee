//! Text: letters, words and patterns.

mod char_at;
mod contains;
mod ends_with;
mod format;
mod index_of;
mod join;
mod last_index_of;
mod lower;
mod lower_ascii;
mod matches;
mod pad_left;
mod quote;
mod replace;
mod reverse;
mod split;
mod starts_with;
mod substring;
mod trim;
mod upper;
mod upper_ascii;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
    operators,
};

/// Text.
pub(super) static GROUP: Group = Group {
    name: "Text",
    about: "Letters, words and patterns.",
    functions: &[
        &char_at::CHAR_AT,
        &contains::CONTAINS,
        &ends_with::ENDS_WITH,
        &format::FORMAT,
        &index_of::INDEX_OF,
        &join::JOIN,
        &last_index_of::LAST_INDEX_OF,
        &lower::LOWER,
        &lower_ascii::LOWER_ASCII,
        &matches::MATCHES,
        &pad_left::PAD_LEFT,
        &quote::QUOTE,
        &replace::REPLACE,
        &reverse::REVERSE,
        &split::SPLIT,
        &starts_with::STARTS_WITH,
        &substring::SUBSTRING,
        &trim::TRIM,
        &upper::UPPER,
        &upper_ascii::UPPER_ASCII,
    ],
};
