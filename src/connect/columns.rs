//! Which columns of a table a mode writes: the rules that the targets with tables have in common.

use std::fmt::Display;

use super::Column;
use crate::config::Mode;
use crate::error::codes::connect::TABLE_UNFIT;
use crate::error::{Error, Kind, Result};

/// The columns that the mode writes, and which of them are the key.
///
/// # Errors
/// A mode that lacks its key.
pub fn written<'c>(
    table: &dyn Display,
    columns: &'c [Column],
    key: &[usize],
    mode: Mode,
) -> Result<(Vec<&'c Column>, Vec<usize>)> {
    if mode.keyed() && key.is_empty() {
        return Err(unfit(format!("`{}` in `{table}` needs a key", mode.name()))
            .hint("name the columns that identify a record under `sync.key`"));
    }
    // Who deletes needs to know which record, and nothing else of it.
    Ok(match mode {
        Mode::Delete => (key.iter().filter_map(|at| columns.get(*at)).collect(), (0..key.len()).collect()),
        _ => (columns.iter().collect(), key.to_vec()),
    })
}

/// Checks that there is something to write.
///
/// # Errors
/// No column, or none but the key for a mode that changes records.
pub fn check_filled(table: &dyn Display, columns: usize, key: usize, mode: Mode) -> Result<()> {
    if columns == 0 {
        return Err(unfit(format!("the mapping fills no column of `{table}`")));
    }
    if mode == Mode::Update && columns == key {
        return Err(unfit(format!("the mapping fills no column of `{table}` but its key: there is nothing to update"))
            .hint("add a rule for what changes"));
    }
    Ok(())
}

fn unfit(cause: String) -> Error {
    Error::new(Kind::Invalid, &TABLE_UNFIT, cause)
}
