//! Dead letters as they are written: sealed, overtaken, released, purged.

use std::collections::BTreeMap;

use rusqlite::params;
use sha2::{Digest as _, Sha256};

use super::{LetterState, place};
use crate::audit::{Action, Draft, Level, event};
use crate::error::{Error, Result};
use crate::record::Reject;
use crate::store::runs::Run;
use crate::store::{Writing, keys, sql};

/// How much is kept of a payload that is too large to be kept whole.
const HEAD_BYTES: usize = 64 << 10;

/// Why a letter is superseded that nobody has to look at any more.
const OVERTAKEN: &str = "a later record with its key was written";

/// What a group's rejects came to, for its event.
#[derive(Default)]
pub(in crate::store) struct Counted {
    pub by_code: BTreeMap<&'static str, u64>,
    pub digest: [u8; 32],
}

impl Writing<'_> {
    /// Turns rejects into dead letters.
    pub(in crate::store) fn add_letters(&mut self, run: &Run, group: u64, rejects: &[Reject]) -> Result<Counted> {
        let mut counted = Counted::default();
        if rejects.is_empty() {
            return Ok(counted);
        }
        let doing = "storing dead letters";
        let sealer = self.letter_sealer.ok_or_else(|| Error::bug("no key to seal dead letters with"))?;
        let mut room = self.letter_room(&run.route)?;
        let mut randoms = vec![0u8; rejects.len() * 28];
        keys::fill(&mut randoms)?;
        let mut all = Sha256::new();
        let mut reasons: BTreeMap<(&str, &str), (u64, &Reject)> = BTreeMap::new();
        let mut header: (&[String], String) = (&[], "[]".to_string());
        let expires = self.now_ns.saturating_add(i64::from(run.keep_days) * 86_400_000_000_000);
        let mut insert = self
            .db
            .prepare_cached(
                "INSERT INTO dead_letters (id, route, run, settled_group, code, cause, field, source, slice, byte, line,
                   record, col, classes, columns, size, digest, whole, key_id, sealed, created_ns, changed_ns, expires_ns,
                   record_key, state, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                   ?21, ?21, ?22, ?23, ?24, ?25)",
            )
            .map_err(|e| sql::error(doing, e))?;
        let mut supersede = self
            .db
            .prepare_cached(
                "UPDATE dead_letters SET state = 'superseded', reason = 'rejected again', changed_ns = ?5, sealed = NULL, whole = 0
                 WHERE route = ?1 AND slice = ?2 AND record = ?3 AND digest = ?4 AND state IN ('open', 'replaying')",
            )
            .map_err(|e| sql::error(doing, e))?;
        for (reject, random) in rejects.iter().zip(randoms.chunks_exact(28)) {
            let digest: [u8; 32] = Sha256::digest(&reject.payload).into();
            all.update(digest);
            *counted.by_code.entry(reject.code).or_default() += 1;
            reasons.entry((reject.code, reject.field.as_deref().unwrap_or_default())).or_insert((0, reject)).0 += 1;
            supersede
                .execute(params![run.route, reject.slice, sql::int(reject.record), &digest[..], self.now_ns])
                .map_err(|e| sql::error(doing, e))?;
            let (nonce, seed) = random.split_at(12);
            let id = event::id(self.now_ns, seed.try_into().unwrap_or_default());
            // Nothing is kept of what must never be stored.
            let whole = !reject.payload.is_empty() && reject.payload.len() <= self.limits.payload_bytes;
            let kept =
                if whole { &reject.payload[..] } else { &reject.payload[..HEAD_BYTES.min(reject.payload.len())] };
            let fits = kept.len() as u64 <= room;
            // Its content is of no use any more: a later version of the record is in the target.
            let sealed = if fits && !reject.overtaken && !kept.is_empty() {
                room -= kept.len() as u64;
                let place = place(&run.route, &reject.slice, reject.byte, reject.record, &id);
                Some(sealer.seal(nonce.try_into().unwrap_or_default(), kept, &place)?)
            } else {
                None
            };
            if header.0 != reject.columns.as_slice() {
                header = (&reject.columns, sql::to_json(&reject.columns)?);
            }
            insert
                .execute(params![
                    id,
                    run.route,
                    run.id,
                    sql::int(group),
                    reject.code,
                    reject.cause,
                    reject.field,
                    reject.source,
                    reject.slice,
                    sql::int(reject.byte),
                    sql::int(reject.line),
                    sql::int(reject.record),
                    reject.column,
                    reject.classes.to_string(),
                    header.1,
                    sql::int(reject.payload.len() as u64),
                    &digest[..],
                    whole && fits && !reject.overtaken,
                    sealer.id,
                    sealed,
                    self.now_ns,
                    expires,
                    reject.record_key.map(u128::to_be_bytes),
                    if reject.overtaken { LetterState::Superseded.word() } else { LetterState::Open.word() },
                    reject.overtaken.then_some(OVERTAKEN),
                ])
                .map_err(|e| sql::error(doing, e))?;
            if let Some(subject) = &reject.subject {
                self.belongs(&id, subject)?;
            }
        }
        drop((insert, supersede));
        self.db
            .execute(
                "UPDATE routes SET letter_bytes = ?2 WHERE route = ?1",
                params![run.route, sql::int(self.limits.route_bytes.saturating_sub(room))],
            )
            .map_err(|e| sql::error(doing, e))?;
        self.add_reasons(run, &reasons)?;
        counted.digest = all.finalize().into();
        Ok(counted)
    }

    /// Marks letters as replayed by a run; their content is of no more use.
    pub(in crate::store) fn letters_replayed(&self, run: &Run, ids: &[String]) -> Result<()> {
        for id in ids {
            let changed = self
                .db
                .prepare_cached(
                    "UPDATE dead_letters SET state = 'replayed', changed_ns = ?3, sealed = NULL, whole = 0
                     WHERE id = ?1 AND claim = ?2 AND state = 'replaying'",
                )
                .and_then(|mut s| s.execute(params![id, run.id, self.now_ns]))
                .map_err(|e| sql::error("marking dead letters as replayed", e))?;
            if changed != 1 {
                return Err(Error::bug(format!("dead letter `{id}` was not claimed by run `{}`", run.id)));
            }
        }
        Ok(())
    }

    /// Letters whose record has a later version in the target by now: those with one of these keys,
    /// and those older than a letter of the same key that was just replayed. Their content is of no
    /// more use. How many.
    pub(in crate::store) fn overtake_letters(&mut self, run: &Run, keys: &[u128], replayed: &[String]) -> Result<u64> {
        let doing = "marking dead letters as superseded";
        let mut overtaken = 0;
        let superseded = |condition: &str| {
            format!(
                "UPDATE dead_letters SET state = 'superseded', reason = ?2, changed_ns = ?3, sealed = NULL, whole = 0
                 WHERE route = ?1 AND record_key IS NOT NULL AND state IN ('open', 'replaying') AND {condition}"
            )
        };
        if !keys.is_empty() {
            let mut by_key =
                self.db.prepare_cached(&superseded("record_key = ?4")).map_err(|e| sql::error(doing, e))?;
            for key in keys {
                overtaken += by_key
                    .execute(params![run.route, OVERTAKEN, self.now_ns, key.to_be_bytes()])
                    .map_err(|e| sql::error(doing, e))?;
            }
        }
        if !replayed.is_empty() {
            let mut older = self
                .db
                .prepare_cached(&superseded(
                    "number < (SELECT number FROM dead_letters WHERE id = ?4)
                     AND record_key = (SELECT record_key FROM dead_letters WHERE id = ?4)",
                ))
                .map_err(|e| sql::error(doing, e))?;
            for id in replayed {
                overtaken +=
                    older.execute(params![run.route, OVERTAKEN, self.now_ns, id]).map_err(|e| sql::error(doing, e))?;
            }
        }
        if overtaken > 0 {
            self.count_letter_bytes()?;
        }
        Ok(overtaken as u64)
    }

    /// Letters that a run claimed and did not resolve are open again.
    pub(in crate::store) fn release_claims(&self, route: &str) -> Result<()> {
        self.db
            .prepare_cached(
                "UPDATE dead_letters SET state = 'open', claim = NULL, changed_ns = ?2 WHERE route = ?1 AND state = 'replaying'",
            )
            .and_then(|mut s| s.execute(params![route, self.now_ns]))
            .map(drop)
            .map_err(|e| sql::error("releasing dead letters", e))
    }

    /// Deletes letters past their time to live; the event that tells of it.
    pub(in crate::store) fn purge_letters(&self) -> Result<Option<Draft>> {
        let purged = self
            .db
            .prepare_cached("DELETE FROM dead_letters WHERE expires_ns <= ?1 AND state <> 'replaying'")
            .and_then(|mut s| s.execute([self.now_ns]))
            .map_err(|e| sql::error("deleting dead letters past their time", e))?;
        if purged == 0 {
            return Ok(None);
        }
        self.db
            .execute("DELETE FROM letter_subjects WHERE letter NOT IN (SELECT id FROM dead_letters)", [])
            .map_err(|e| sql::error("deleting dead letters past their time", e))?;
        self.count_letter_bytes()?;
        let mut draft = Draft::new(Action::LettersPurged).detail("letters", purged);
        draft.level = Level::Warning;
        Ok(Some(draft))
    }

    /// Counts anew what the letters of each route hold.
    pub(in crate::store) fn count_letter_bytes(&self) -> Result<()> {
        self.db
            .execute(
                "UPDATE routes SET letter_bytes = (SELECT coalesce(sum(length(sealed)), 0) FROM dead_letters d
                   WHERE d.route = routes.route AND sealed IS NOT NULL) WHERE letter_bytes > 0",
                [],
            )
            .map(drop)
            .map_err(|e| sql::error("counting dead letters", e))
    }

    fn letter_room(&self, route: &str) -> Result<u64> {
        let used: i64 = self
            .db
            .prepare_cached("SELECT letter_bytes FROM routes WHERE route = ?1")
            .and_then(|mut s| s.query_row([route], |row| row.get(0)))
            .map_err(|e| sql::error("storing dead letters", e))?;
        Ok(self.limits.route_bytes.saturating_sub(sql::count(used)))
    }
}
