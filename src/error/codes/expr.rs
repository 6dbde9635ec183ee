//! Codes of the area `expr`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
