//! Codes of the area `cli`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
