//! Codes of the area `connect`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
