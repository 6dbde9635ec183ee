//! The Merkle tree of a log in the database: kept nodes written with the events that complete them,
//! read back for proofs.

use rusqlite::{Connection, params};

use super::{Store, append, sql};
use crate::audit::chain::{self, Hash};
use crate::audit::merkle::{Frontier, Nodes, STRIDE};
use crate::error::{Error, Result};

/// Keeps a node that became complete, if it is of a level that is kept.
pub(super) fn keep(db: &Connection, log: i64, level: u32, place: u64, hash: &Hash) -> Result<()> {
    if !level.is_multiple_of(STRIDE) {
        return Ok(());
    }
    db.prepare_cached("INSERT INTO audit_nodes (log, level, place, hash) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut statement| statement.execute(params![log, level, sql::int(place), &hash[..]]))
        .map(drop)
        .map_err(|e| sql::error("adding to the tree of the audit log", e))
}

/// Makes the tree of a log that an older consign wrote, from its leaves as they stand.
pub(super) fn grow(db: &Connection, log: i64, size: u64) -> Result<Frontier> {
    let doing = "making the tree of the audit log";
    let fail = |e| sql::error(doing, e);
    let mut frontier = Frontier::default();
    let mut statement =
        db.prepare("SELECT leaf FROM audit_events WHERE at > ?1 AND at <= ?2 ORDER BY at").map_err(fail)?;
    let mut rows = statement.query(params![append::at(log, 0), append::at(log, size)]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let leaf: Hash = row.get(0).map_err(fail)?;
        frontier.add(leaf, |level, place, hash| keep(db, log, level, place, hash))?;
    }
    if frontier.size() != size {
        return Err(append::tampered(&format!("the head counts {size} events and {} are there", frontier.size())));
    }
    Ok(frontier)
}

/// The kept nodes of one log.
pub(super) struct Kept<'a> {
    pub store: &'a Store,
    pub log: i64,
}

impl Nodes for Kept<'_> {
    type Error = Error;

    fn run(&self, level: u32, first: u64, count: u64) -> Result<Vec<Hash>> {
        let doing = "reading the tree of the audit log";
        let fail = |e| sql::error(doing, e);
        let hashes: Vec<Hash> = if level == 0 {
            self.store.at_once(doing, || {
                let (from, end) = (append::at(self.log, first + 1), append::at(self.log, first + 1 + count));
                let mut hashes = Vec::new();
                for part in self.store.parts(self.log)? {
                    let range = (from.max(part.from), end.min(part.end));
                    if range.0 < range.1 {
                        self.store.on(&part, |db| leaves(db, range, &mut hashes).map_err(fail))?;
                    }
                }
                Ok(hashes)
            })?
        } else {
            let text = "SELECT hash FROM audit_nodes WHERE log = ?1 AND level = ?2 AND place >= ?3 AND place < ?4 ORDER BY place";
            self.store
                .db
                .prepare_cached(text)
                .and_then(|mut statement| {
                    let values = params![self.log, level, sql::int(first), sql::int(first + count)];
                    statement.query_map(values, |row| row.get(0))?.collect()
                })
                .map_err(fail)?
        };
        if hashes.len() as u64 == count {
            return Ok(hashes);
        }
        Err(append::tampered("nodes of the audit log's tree are missing").doing(doing))
    }
}

fn leaves(db: &Connection, (from, end): (i64, i64), hashes: &mut Vec<Hash>) -> rusqlite::Result<()> {
    let text = "SELECT leaf, body FROM audit_events WHERE at >= ?1 AND at < ?2 ORDER BY at";
    let mut statement = db.prepare_cached(text)?;
    // The body itself where it is still there: a stored leaf alone proves nothing.
    let leaf = |row: &rusqlite::Row<'_>| match row.get_ref(1)?.as_blob_or_null()? {
        Some(body) => Ok(chain::leaf(body)),
        None => row.get(0),
    };
    for hash in statement.query_map([from, end], leaf)? {
        hashes.push(hash?);
    }
    Ok(())
}
