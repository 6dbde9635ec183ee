//! Codes of the area `map`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
