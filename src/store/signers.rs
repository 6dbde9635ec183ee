//! Another key for the checkpoints of a log: the old one signs for it, and both sign the checkpoint over the
//! event that tells of it. So whoever holds the old public key can follow.

use rusqlite::{OptionalExtension as _, params};

use super::append;
use super::{Signed, Store, signer, sql};
use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::note::Verifying;
use crate::audit::{Action, Draft, handover};
use crate::error::Result;

impl Store {
    /// Makes a new key for the checkpoints of the log in use, in one transaction with the event that tells of it.
    /// Returns the checkpoint over that, signed by both keys, and the note by which the old key hands over.
    ///
    /// # Errors
    /// The old key is not at hand, the state cannot be written, or does not hold what an earlier checkpoint was
    /// signed over; nothing is changed then.
    pub fn rotate_signer(&mut self, reason: &str, actor: Option<String>) -> Result<(Signed, String)> {
        let doing = "replacing the key that signs checkpoints";
        // Signed over by the old key alone, and so looked at: the past is what it was.
        self.checkpoint(actor.clone())?;
        let old = self.signing()?;
        let done = self.write(doing, |w| {
            let fail = |e| sql::error(doing, e);
            let (new, seed) = signer::fresh(&w.log.id)?;
            let note = handover::note(&old, &new);
            let mut draft = Draft::new(Action::SignerRotated)
                .detail("from", old.public().line())
                .detail("verifier", new.public().line())
                .detail("handover", note.clone());
            (draft.reason, draft.actor) = (Some(reason.to_string()), actor.clone());
            append::append(w.db, w.log, w.now_ns, &[draft])?;
            let head = append::read_head(w.db)?.map(|(.., stored)| stored.head);
            let head = head.ok_or_else(|| sql::damaged("the head of the audit log is gone"))?;
            let root = head.root().ok_or_else(|| append::tampered("the audit log has no tree"))?;
            let text = Checkpoint::new(&w.log.id, head.size, root).text();
            let both = format!("{text}\n{}{}", old.line(&text, 0), new.line(&text, 0));
            let (log, size) = (w.log.number, sql::int(head.size));
            w.db.execute(
                "INSERT INTO audit_signers (log, until_size, public, note) VALUES (?1, ?2, ?3, ?4)",
                params![log, size, &old.public().bytes()[..], note],
            )
            .map_err(fail)?;
            w.db.execute(
                "INSERT OR REPLACE INTO audit_checkpoints (log, size, made_ns, note) VALUES (?1, ?2, ?3, ?4)",
                params![log, size, w.now_ns, both],
            )
            .map_err(fail)?;
            signer::wrap(w.db, w.log, &seed, new.public().bytes())?;
            super::failpoint::reach("inside_signer");
            let signed = Signed { size: head.size, root, note: both, key: new.public().line(), carried: None };
            Ok((signed, note))
        })?;
        self.pin();
        Ok(done)
    }

    /// The notes by which the keys of the log in use handed over, the oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn handovers(&self) -> Result<Vec<String>> {
        self.db
            .prepare_cached("SELECT note FROM audit_signers WHERE log = ?1 ORDER BY until_size")
            .and_then(|mut statement| statement.query_map([self.log.number], |row| row.get(0))?.collect())
            .map_err(|e| sql::error("reading the keys of checkpoints", e))
    }

    /// Every key that signed or signs checkpoints of a log of this state, the one in use first.
    pub(super) fn verifiers(&self, log_id: &str) -> Result<Vec<Verifying>> {
        let fail = |e| sql::error("reading the keys of checkpoints", e);
        let found: Option<(i64, Option<Vec<u8>>)> = self
            .db
            .query_row("SELECT log, signer FROM audit_logs WHERE id = ?1", [log_id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(fail)?;
        let Some((log, newest)) = found else { return Ok(Vec::new()) };
        let before: Vec<Vec<u8>> = self
            .db
            .prepare_cached("SELECT public FROM audit_signers WHERE log = ?1 ORDER BY until_size DESC")
            .and_then(|mut statement| statement.query_map([log], |row| row.get(0))?.collect())
            .map_err(fail)?;
        let key = |bytes: Vec<u8>| Verifying::of_bytes(&checkpoint::origin(log_id), &<[u8; 32]>::try_from(bytes).ok()?);
        Ok(newest.into_iter().chain(before).filter_map(key).collect())
    }
}
