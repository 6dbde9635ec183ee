//! Codes of the area `comply`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
