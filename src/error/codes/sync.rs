//! Codes of the area `sync`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
