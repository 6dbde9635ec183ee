//! Codes of the area `audit`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
