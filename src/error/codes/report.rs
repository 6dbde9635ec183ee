//! Codes of the area `report`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
