//! What sources of rows share: the form of a row inside a part, and how a run knows what is new.
//!
//! A database opens a snapshot (one read transaction), looks what the table or query has
//! ([`Layout`]), and plans the run: [`Scan::new`] asks it for the newest cursor value and whatever
//! else the bounds depend on, all in that snapshot. [`Scan::statement`] reads the rows, [`Parts`]
//! takes them cell by cell and gives parts with their positions, [`RowDecoder`] reads the parts.
//!
//! The rules: a position is a cursor value, and which records with it were read. The next run reads
//! inclusively and drops those. The upper bound is fixed when the run begins, the lag already taken
//! off it. Reading goes on behind a point of (cursor, tie), never by counting rows off.

mod bookmark;
mod cells;
mod decode;
mod key;
pub mod moment;
mod parts;
mod scan;
mod sql;
#[cfg(test)]
mod tests;
mod wanted;

pub use bookmark::{Bookmark, Way};
pub use cells::{Cell, RowWriter};
pub use decode::RowDecoder;
pub use key::{Key, KeyKind};
pub use parts::Parts;
pub use scan::{Database, Layout, Scan};
pub use sql::Statement;
pub use wanted::{
    CURSOR, Distance, LAG, OVERLAP, QUERY, Relation, SORTED, TIE, WITHOUT_CURSOR, Wanted, has_cursor, resumption,
};
