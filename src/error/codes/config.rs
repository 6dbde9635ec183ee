//! Codes of the area `config`.

use super::Code;

/// The written-out list.
pub const ALL: &[&Code] = &[];
