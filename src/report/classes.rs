//! Data classes as reports show them.

use super::document::Cell;
use crate::record::ClassSet;

/// Their names.
pub(super) fn names(of: ClassSet) -> Cell {
    Cell::codes(of.iter().map(|id| id.class().name))
}

/// Those of them that are sensitive at all.
pub(super) fn sensitive(of: ClassSet) -> ClassSet {
    of.iter().filter(|id| id.class().sensitivity > 0).collect()
}

/// The regimes that name one of them, each once.
pub(super) fn regimes(of: ClassSet) -> Cell {
    let mut found: Vec<&str> = of.iter().flat_map(|id| id.class().regimes.iter().copied()).collect();
    found.sort_unstable();
    found.dedup();
    Cell::codes(found)
}
