//! What reports read: how the audit log stands, and the numbers of many runs at once.

use rusqlite::{OptionalExtension as _, params};

use super::checkpoints::Signed;
use super::{Store, append, sql};
use crate::audit::Action;
use crate::audit::chain::Hash;
use crate::error::Result;

/// How the audit log in use stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFacts {
    /// Its id.
    pub id: String,
    /// How many events were ever recorded in it: the number of the newest.
    pub size: u64,
    /// How many of the oldest are not there any more.
    pub pruned: u64,
    /// The root of the Merkle tree over all of them; `None`: an older consign wrote it last.
    pub root: Option<Hash>,
    /// When the newest was recorded, nanoseconds since 1970.
    pub last_ns: i64,
    /// How often the clock of the host went back, as far as it is recorded.
    pub clock_steps: u64,
    /// The newest checkpoint that was signed.
    pub checkpoint: Option<Signed>,
}

impl Store {
    /// How the audit log in use stands. Reads a handful of rows, however long the log is.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn log_facts(&self) -> Result<LogFacts> {
        let fail = |e| sql::error("reading the head of the audit log", e);
        let Some((number, id, stored)) = append::read_head(&self.db)? else {
            return Err(sql::damaged("the head of the audit log is gone"));
        };
        let pruned: Option<i64> = self
            .db
            .query_row("SELECT size FROM audit_floors WHERE log = ?1", [number], |row| row.get(0))
            .optional()
            .map_err(fail)?;
        let clock_steps: i64 = self
            .db
            .query_row(
                "SELECT count(*) FROM audit_events WHERE kind IN (SELECT kind FROM audit_kinds WHERE action = ?1)
                   AND at >= ?2 AND at < ?3",
                params![Action::ClockStep.word(), append::at(number, 0), append::at(number + 1, 0)],
                |row| row.get(0),
            )
            .map_err(fail)?;
        Ok(LogFacts {
            id,
            size: stored.head.size,
            pruned: pruned.map_or(0, sql::count),
            root: stored.head.root(),
            last_ns: stored.head.last_ns,
            clock_steps: sql::count(clock_steps),
            checkpoint: self.newest_checkpoint(0)?,
        })
    }
}
