//! Checkpoints of the log in use: signed, kept, pinned outside the state; and proofs that lead to them.

use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, params};

use super::append::{self, SEQ_BITS};
use super::tree::Kept;
use super::{Store, signer, sql};
use crate::audit::chain::{Hash, hex};
use crate::audit::checkpoint::{self, Checkpoint, Proof};
use crate::audit::merkle;
use crate::audit::note::{Note, Signing, Verifying};
use crate::audit::verify::Known;
use crate::audit::{Action, Draft, chain};
use crate::error::codes::audit::{EVENT_GONE, NO_SIGNER};
use crate::error::{Error, Kind, Result};

/// A checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// How many events it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// The signed note, as it is written.
    pub note: String,
    /// The line of the key that verifies it.
    pub key: String,
    /// Where it was carried, if it was.
    pub carried: Option<String>,
}

impl Store {
    /// Records that a checkpoint is made, and signs one over everything that is recorded by then, that
    /// event included. What it covers is on the disk before it is signed.
    ///
    /// # Errors
    /// The state cannot be written, or does not hold what an earlier checkpoint was signed over: then
    /// nothing is signed.
    pub fn checkpoint(&mut self, actor: Option<String>) -> Result<Signed> {
        let doing = "signing a checkpoint of the audit log";
        let before = self.newest_checkpoint(0)?;
        let mut draft = Draft::new(Action::CheckpointMade);
        draft.actor = actor;
        if let Some(before) = &before {
            draft = draft.detail("after", before.size).detail("after_note", hex(&chain::leaf(before.note.as_bytes())));
        }
        // Its commit is synced: from here on a loss of power loses nothing that is signed.
        self.write(doing, |w| append::append(w.db, w.log, w.now_ns, &[draft]).map(drop))?;
        let signed = self.sign(before.as_ref())?;
        let (log, now_ns) = (self.log.number, self.now_ns());
        self.write(doing, |w| {
            w.db.execute(
                "INSERT OR IGNORE INTO audit_checkpoints (log, size, made_ns, note) VALUES (?1, ?2, ?3, ?4)",
                params![log, sql::int(signed.size), now_ns, signed.note],
            )
            .map(drop)
            .map_err(|e| sql::error(doing, e))
        })?;
        self.pin();
        Ok(signed)
    }

    /// Remembers where a checkpoint was carried.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn checkpoint_carried(&mut self, size: u64, to: &str) -> Result<()> {
        let log = self.log.number;
        self.write("remembering where a checkpoint is", |w| {
            w.db.execute(
                "UPDATE audit_checkpoints SET carried = ifnull(carried || ', ', '') || ?3 WHERE log = ?1 AND size = ?2",
                params![log, sql::int(size), to],
            )
            .map(drop)
            .map_err(|e| sql::error("remembering where a checkpoint is", e))
        })
    }

    /// Keeps a checkpoint with the signature of a witness, and records that.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn checkpoint_witnessed(&mut self, size: u64, note: &str, by: &str, actor: Option<String>) -> Result<()> {
        let (log, doing) = (self.log.number, "keeping a cosigned checkpoint");
        let mut draft = Draft::new(Action::CheckpointWitnessed).detail("checkpoint", size);
        (draft.resource, draft.actor) = (Some(by.to_string()), actor);
        self.write(doing, |w| {
            w.db.execute(
                "UPDATE audit_checkpoints SET note = ?3, carried = ifnull(carried || ', ', '') || ?4 WHERE log = ?1 AND size = ?2",
                params![log, sql::int(size), note, format!("witness:{by}")],
            )
            .map_err(|e| sql::error(doing, e))?;
            append::append(w.db, w.log, w.now_ns, &[draft]).map(drop)
        })
    }

    /// The line of the key that verifies checkpoints of the log in use; `None`: nothing was recorded
    /// since an older consign wrote it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn checkpoint_key(&self) -> Result<Option<String>> {
        Ok(self.verifiers(&self.log.id)?.first().map(Verifying::line))
    }

    /// The newest checkpoint of at least that size.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn newest_checkpoint(&self, least: u64) -> Result<Option<Signed>> {
        self.newest_checkpoint_within(least, i64::MAX as u64)
    }

    /// The newest checkpoint of at least and at most that size.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn newest_checkpoint_within(&self, least: u64, most: u64) -> Result<Option<Signed>> {
        let fail = |e| sql::error("reading the checkpoints of the audit log", e);
        let found: Option<(String, Option<String>)> = self
            .db
            .query_row(
                "SELECT note, carried FROM audit_checkpoints WHERE log = ?1 AND size BETWEEN ?2 AND ?3 ORDER BY size DESC LIMIT 1",
                params![self.log.number, sql::int(least), sql::int(most)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(fail)?;
        let Some((note, carried)) = found else { return Ok(None) };
        let unlike = || append::tampered("a checkpoint that is kept in the state cannot be read");
        let signed = Note::read(note.as_bytes()).map_err(|_| unlike())?;
        let read = Checkpoint::read(&signed.text).map_err(|_| unlike())?;
        // The key in use, unless an earlier one signed it.
        let keys = self.verifiers(&self.log.id)?;
        let by = keys.iter().find(|key| signed.check(std::slice::from_ref(key)).is_ok()).or(keys.first());
        let key = by.map(Verifying::line).unwrap_or_default();
        Ok(Some(Signed { size: read.size, root: read.root, note, key, carried }))
    }

    /// Signs a text with the key of the log's checkpoints, as a signed note. The text ends with an end of line; its
    /// first line must not be the log's origin: it would be a checkpoint.
    ///
    /// # Errors
    /// The log has no key to sign with yet, or none at hand opens it.
    pub fn sign_note(&self, text: &str) -> Result<String> {
        if text.lines().next() == Some(checkpoint::origin(&self.log.id).as_str()) {
            return Err(Error::bug("a note that reads as a checkpoint was to be signed"));
        }
        Ok(self.signing()?.note(text))
    }

    /// How many events the newest checkpoint covers that was carried somewhere.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn carried_size(&self) -> Result<u64> {
        self.db
            .query_row(
                "SELECT ifnull(max(size), 0) FROM audit_checkpoints WHERE log = ?1 AND carried IS NOT NULL",
                [self.log.number],
                |row| row.get::<_, i64>(0).map(sql::count),
            )
            .map_err(|e| sql::error("reading the checkpoints of the audit log", e))
    }

    /// The proof that the event of this number or id is in the log, against the newest checkpoint; one is
    /// signed if there is none that covers it.
    ///
    /// # Errors
    /// There is no such event, its body was redacted, or the state cannot be written.
    pub fn prove(&mut self, id: &str, actor: Option<String>) -> Result<(u64, Proof)> {
        let at = self.find_event(id)?;
        let seq = sql::count(at & ((1 << SEQ_BITS) - 1));
        if at >> SEQ_BITS != self.log.number {
            return Err(Error::new(Kind::Invalid, &EVENT_GONE, "the event is in a log that was closed")
                .hint("its first key proves it: `consign audit verify --first-key FILE`"));
        }
        let checkpoint = match self.newest_checkpoint(seq)? {
            Some(checkpoint) => checkpoint,
            None => self.checkpoint(actor.clone())?,
        };
        let proof = self.proof(seq, &checkpoint)?;
        let mut draft = Draft::new(Action::EventProved).detail("event", seq).detail("checkpoint", checkpoint.size);
        draft.actor = actor;
        self.record(vec![draft])?;
        Ok((seq, proof))
    }

    /// The proof that the event of that number in the log in use is under a checkpoint. Records nothing.
    ///
    /// # Errors
    /// There is no such event, its body was redacted, or the checkpoint does not cover it.
    pub fn proof(&self, seq: u64, checkpoint: &Signed) -> Result<Proof> {
        let doing = "proving an event";
        let at = append::at(self.log.number, seq);
        let body: Option<Vec<u8>> = self.at_once(doing, || {
            let part = self.part_of(at)?;
            self.on(&part, |db| {
                db.query_row("SELECT body FROM audit_events WHERE at = ?1", [at], |row| row.get(0))
                    .map_err(|e| sql::error(doing, e))
            })
        })?;
        let Some(body) = body else {
            return Err(Error::new(Kind::Invalid, &EVENT_GONE, format!("the body of event {seq} was redacted")));
        };
        let kept = Kept { store: self, log: self.log.number };
        let hashes = merkle::inclusion(seq - 1, checkpoint.size, &kept).map_err(|e| e.doing(doing))?;
        Ok(Proof { body: Some(body), index: seq - 1, hashes, checkpoint: checkpoint.note.clone() })
    }

    /// The oldest checkpoint that covers so many events: which it is does not change as the log grows.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn oldest_checkpoint_over(&self, least: u64) -> Result<Option<Signed>> {
        let size: Option<i64> = self
            .db
            .query_row(
                "SELECT min(size) FROM audit_checkpoints WHERE log = ?1 AND size >= ?2",
                params![self.log.number, sql::int(least)],
                |row| row.get(0),
            )
            .map_err(|e| sql::error("reading the checkpoints of the audit log", e))?;
        size.map_or(Ok(None), |size| self.newest_checkpoint_within(least, sql::count(size)))
    }

    /// The hashes that prove that the tree of `new` events holds that of `old` unchanged.
    ///
    /// # Errors
    /// The state cannot be read, or has fewer events.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>> {
        merkle::consistency(old, new, &Kept { store: self, log: self.log.number })
    }

    /// What is known of the log in use from the checkpoints kept in the state and from the pin outside it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn own_evidence(&self) -> Result<Vec<(String, Known)>> {
        let mut known = Vec::new();
        let stored: Vec<(String, String)> = self
            .db
            .prepare_cached("SELECT l.id, c.note FROM audit_checkpoints c JOIN audit_logs l USING (log)")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|e| sql::error("reading the checkpoints of the audit log", e))?;
        for (log_id, note) in stored {
            let size = Checkpoint::signed(note.as_bytes(), &self.verifiers(&log_id)?).ok();
            // One that is not by the log's key was put there; it proves nothing.
            if let Some((checkpoint, _)) = size {
                let from = format!("the checkpoint over {} events kept in the state", checkpoint.size);
                known.push((log_id, Known { size: checkpoint.size, root: checkpoint.root, from }));
            }
        }
        if let Some((path, pinned)) = self.pinned() {
            let from = format!("the pin `{}`", path.display());
            known.push((self.log.id.clone(), Known { size: pinned.size, root: pinned.root, from }));
        }
        Ok(known)
    }

    /// What a checkpoint from elsewhere says, verified with these keys, or with those of the log that it
    /// names if none is given.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn known_from(&self, bytes: &[u8], from: &str, keys: &[Verifying]) -> Result<(String, Known)> {
        use crate::error::codes::audit::CHECKPOINT_BAD;
        let bad = |what: &str| {
            Error::new(Kind::Invalid, &CHECKPOINT_BAD, format!("{from} is no checkpoint of this log: {what}"))
        };
        let note = Note::read(bytes).map_err(bad)?;
        let read = Checkpoint::read(&note.text).map_err(bad)?;
        let log_id = read.origin.strip_prefix("consign/").unwrap_or_default().to_string();
        let own = self.verifiers(&log_id)?;
        if own.is_empty() {
            return Err(bad("it is of another log"));
        }
        note.check(if keys.is_empty() { &own } else { keys }).map_err(bad)?;
        Ok((log_id, Known { size: read.size, root: read.root, from: from.to_string() }))
    }

    /// Signs over what is there now, unless it no longer holds what `before` was signed over.
    fn sign(&self, before: Option<&Signed>) -> Result<Signed> {
        let Some((_, log_id, stored)) = append::read_head(&self.db)? else {
            return Err(sql::damaged("the head of the audit log is gone"));
        };
        let head = stored.head;
        let root = head.root().ok_or_else(|| append::tampered("the audit log has no tree"))?;
        if let Some(before) = before {
            let kept = Kept { store: self, log: self.log.number };
            if before.size > head.size || merkle::root_at(before.size, &kept)? != before.root {
                let what = format!("the first {} events are not those that were signed before", before.size);
                return Err(append::tampered(&what));
            }
        }
        let signing = self.signing()?;
        let note = signing.note(&Checkpoint::new(&log_id, head.size, root).text());
        Ok(Signed { size: head.size, root, note, key: signing.public().line(), carried: None })
    }

    pub(super) fn signing(&self) -> Result<Signing> {
        signer::load(&self.db, &self.log)?.ok_or_else(|| {
            Error::new(Kind::Failed, &NO_SIGNER, "the audit log has no key to sign with yet")
                .hint("record something first: `consign audit add` gives it one")
        })
    }

    /// The pin: what this user last knew of the log in use.
    pub fn pinned(&self) -> Option<(PathBuf, Checkpoint)> {
        let path = self.pin_path()?;
        let bytes = std::fs::read(&path).ok()?;
        // It is this user's own file: who could change it could change the signature's key as well.
        let note = Note::read(&bytes).ok()?;
        Some((path, Checkpoint::read(&note.text).ok()?))
    }

    fn pin_path(&self) -> Option<PathBuf> {
        Some(self.options.pins.as_ref()?.join(format!("{}.checkpoint", self.log.id)))
    }

    /// Writes the pin, unless it knows of more already. What cannot be pinned is not: the pin is help
    /// against carelessness, and no work stops for it.
    pub(super) fn pin(&self) {
        let Some(path) = self.pin_path() else { return };
        let Ok(signed) = self.sign(None) else { return };
        if self.pinned().is_some_and(|(_, known)| known.size > signed.size) {
            return;
        }
        let _ = self.write_pin(&path, &signed.note);
    }

    /// Writes the pin whatever it knew before: after a restore with a reason.
    pub(super) fn pin_anew(&self) {
        if let (Some(path), Ok(signed)) = (self.pin_path(), self.sign(None)) {
            let _ = self.write_pin(&path, &signed.note);
        }
    }

    fn write_pin(&self, path: &std::path::Path, note: &str) -> std::io::Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // Not synced: it is behind the log by a little after a loss of power, never ahead.
        let fresh = path.with_extension(format!("new{}", std::process::id()));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(note.as_bytes())?;
        std::fs::rename(&fresh, path)
    }

    /// What there is to say when the pin knows of more than the log has.
    pub(super) fn pin_notice(&self) -> Option<String> {
        let (path, pinned) = self.pinned()?;
        let (.., stored) = append::read_head(&self.db).ok()??;
        let older = stored.head.size < pinned.size
            || (stored.head.size == pinned.size && stored.head.root() != Some(pinned.root));
        older.then(|| {
            format!(
                "the audit log is not the one this user last wrote: it has {} events and had {}. Run `consign audit verify`; \
                 if you put an older copy in place yourself, remove `{}`",
                stored.head.size,
                pinned.size,
                path.display()
            )
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.dirty {
            self.pin();
        }
    }
}
