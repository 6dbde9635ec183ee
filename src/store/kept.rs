//! What is kept of a group while nobody knows yet what became of it: its requests, sealed like dead
//! letters, written with its intent and gone with its settling.

use rusqlite::{OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::{Store, Writing, keys, sql};
use crate::error::codes::store::KEPT_SEALED;
use crate::error::{Error, Kind, Result};

impl Store {
    /// What was kept of the group that a route has in doubt; `None`: nothing.
    ///
    /// # Errors
    /// The state cannot be read, or what was kept cannot be opened: its key is gone, or it was altered.
    pub fn kept(&self, route: &str, group: u64) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let found: Option<(String, Vec<u8>)> = self
            .db
            .prepare_cached("SELECT sealed_by, sealed FROM kept_requests WHERE route = ?1 AND group_number = ?2")
            .and_then(|mut statement| {
                statement.query_row(params![route, sql::int(group)], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(|e| sql::error("reading what was kept of a group", e))?;
        let Some((sealed_by, sealed)) = found else { return Ok(None) };
        let place = place(route, group);
        let opened = self
            .letter_sealers
            .iter()
            .filter(|sealer| sealer.id == sealed_by)
            .find_map(|sealer| sealer.unseal(&sealed, &place));
        opened.map(Some).ok_or_else(|| {
            let cause = format!("what was sent as group {group} of `{route}` cannot be opened");
            Error::new(Kind::Partial, &KEPT_SEALED, cause)
                .hint("restore the file `keys` of the state from a backup, then run again")
                .hint(format!(
                    "or compare the target by hand, then drop it with: consign sync state reset {route} --reason TEXT"
                ))
        })
    }
}

impl Writing<'_> {
    /// Keeps what is sent as a group until it is settled.
    pub(super) fn keep(&self, route: &str, group: u64, requests: &[u8]) -> Result<()> {
        let sealer = self.letter_sealer.ok_or_else(|| Error::bug("no key to seal requests with"))?;
        let sealed = sealer.seal(keys::random()?, requests, &place(route, group))?;
        self.db
            .prepare_cached(
                "INSERT INTO kept_requests (route, group_number, sealed_by, sealed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (route) DO UPDATE SET group_number = ?2, sealed_by = ?3, sealed = ?4",
            )
            .and_then(|mut statement| statement.execute(params![route, sql::int(group), sealer.id, sealed]))
            .map(drop)
            .map_err(|e| sql::error("keeping what is sent as a group", e))
    }

    /// Forgets what was kept of a route's group.
    pub(super) fn forget_kept(&self, route: &str) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM kept_requests WHERE route = ?1")
            .and_then(|mut statement| statement.execute([route]))
            .map(drop)
            .map_err(|e| sql::error("forgetting what was sent as a group", e))
    }
}

/// Where it belongs.
fn place(route: &str, group: u64) -> Vec<u8> {
    let mut place = b"consign-kept-requests/1".to_vec();
    place.extend_from_slice(&(route.len() as u64).to_be_bytes());
    place.extend_from_slice(route.as_bytes());
    place.extend_from_slice(&group.to_be_bytes());
    place
}
