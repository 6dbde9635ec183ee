//! Codes of the area `store`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
