//! What protection keeps in the state: keys of subjects, random tokens, who was erased.
//!
//! A run makes these while it maps, from several threads, so they go through a connection of their own.
//! It does not sync each of them to disk: before a run sends anything its intent is committed to the same
//! write-ahead log with a sync, and that takes all that was written before it along.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::keys;
use super::protection::By;
use super::{Clock, Folder, Store, lock, open, sql};
use crate::audit::{Action, Draft};
use crate::error::{Error, Result};
use crate::record::shown::hex;

/// A keyed hash of a subject's id.
pub type Subject = [u8; 16];

/// Bytes that lie sealed in the vault, and the id of the version of the key that sealed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id.
    pub by: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What is known of a subject under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectKey {
    /// Its key.
    Known(Sealed),
    /// Nothing.
    Unknown,
    /// It was erased.
    Erased,
}

/// That a subject was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// What it is called in the event.
    pub name: String,
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
    /// By whom.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What became of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shredded {
    /// What it is known by, in hexadecimal.
    pub subject: String,
    /// How many keys were destroyed.
    pub keys: u64,
    /// How many dead letters were given up.
    pub letters: u64,
    /// When it had been erased before, nanoseconds since 1970.
    pub before_ns: Option<i64>,
}

/// An entry to be sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The key of a subject.
    Subject(Subject),
    /// The value of a token, by its keyed hash.
    Token([u8; 32]),
}

/// The tables, for a run.
#[derive(Debug)]
pub struct VaultTables {
    db: Mutex<Connection>,
    folder: Folder,
    wait: std::time::Duration,
    clock: ClockOf,
    secret: [u8; 32],
    /// Where nothing may be written: what would have been.
    dry: Option<Mutex<Dry>>,
}

struct ClockOf(Clock);

impl std::fmt::Debug for ClockOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[derive(Debug, Default)]
struct Dry {
    subjects: BTreeMap<(String, Subject), Sealed>,
    tokens: BTreeMap<(String, [u8; 32]), String>,
}

/// What a subject is known by.
pub(super) fn reference(secret: &[u8; 32], id: &[u8]) -> Subject {
    let mut block = [0; 64];
    block[..32].copy_from_slice(secret);
    let mut mac = hmac::Hmac::<sha2::Sha256>::new(&block.into());
    mac.update(id);
    let digest: [u8; 32] = mac.finalize().into_bytes().into();
    digest.first_chunk().copied().unwrap_or_default()
}

impl Store {
    /// The tables that protection keeps, through a connection of their own. Where this state was opened for
    /// reading they forget what they are given.
    ///
    /// # Errors
    /// The state cannot be opened once more, or its key ring is gone.
    pub fn vault(&self) -> Result<VaultTables> {
        let secret = keys::subject_secret(&self.folder)?;
        let db = if self.writable { open::connect_beside(&self.folder)? } else { open::connect_read(&self.folder)? };
        Ok(VaultTables {
            db: Mutex::new(db),
            folder: self.folder.clone(),
            wait: self.options.wait,
            clock: ClockOf(std::sync::Arc::clone(&self.options.clock)),
            secret,
            dry: (!self.writable).then(Mutex::default),
        })
    }

    /// Erases a subject: destroys its keys under every key, leaves a tombstone, and records it. What was
    /// deleted is gone from the files of the state when this returns; if it was killed before, the next
    /// opening sees to it.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn shred(&mut self, id: &[u8], by: &By) -> Result<Shredded> {
        let subject = reference(&keys::subject_secret(&self.folder)?, id);
        let record = std::str::from_utf8(id).ok().map(|id| self.subject_token(&[id]));
        let person = self.person_token(id);
        let doing = "erasing a subject";
        let done = self.write(doing, |w| {
            let before_ns = w
                .db
                .query_row("SELECT erased_ns FROM erased_subjects WHERE subject = ?1", [&subject[..]], |row| row.get(0))
                .optional()
                .map_err(|e| sql::error(doing, e))?;
            let keys =
                w.db.execute("DELETE FROM subject_keys WHERE subject = ?1", [&subject[..]])
                    .map_err(|e| sql::error(doing, e))?;
            let letters = w.erase_letters(&subject)?;
            super::failpoint::reach("inside_shred");
            w.db.execute(
                "INSERT INTO erased_subjects (subject, erased_ns, actor, reason) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (subject) DO UPDATE SET scrubbed_ns = NULL",
                params![&subject[..], w.now_ns, by.actor, by.reason],
            )
            .map_err(|e| sql::error(doing, e))?;
            let name = hex(&subject);
            let mut known = super::subjects::forget(w.db, person)?;
            if let Some(record) = record {
                known |= super::subjects::forget(w.db, record)?;
            }
            let mut draft = Draft::new(Action::SubjectErased)
                .detail("keys", keys as u64)
                .detail("letters", letters)
                .detail("identity", known);
            draft.resource = Some(format!("subject {name}"));
            draft.actor = by.actor.clone();
            draft.reason = by.reason.clone();
            w.record(vec![draft])?;
            Ok(Shredded { subject: name, keys: keys as u64, letters, before_ns })
        })?;
        super::failpoint::reach("after_shred");
        self.scrub()?;
        Ok(done)
    }

    /// Sees to it that what was deleted is gone from the write-ahead log too. `secure_delete` has
    /// overwritten it in the database itself.
    pub(super) fn scrub(&mut self) -> Result<()> {
        let doing = "clearing what was deleted out of the write-ahead log";
        let _held = lock::append(&self.folder, self.options.wait, self.now_ns())?;
        let busy: i64 = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| sql::error(doing, e))?;
        super::failpoint::reach("after_scrub");
        // A reader holds on to the log: the next opening tries again.
        if busy == 0 {
            let now_ns = self.now_ns();
            self.db
                .execute("UPDATE erased_subjects SET scrubbed_ns = ?1 WHERE scrubbed_ns IS NULL", [now_ns])
                .map_err(|e| sql::error(doing, e))?;
        }
        Ok(())
    }

    /// Whether something that was deleted may still stand in the write-ahead log.
    pub(super) fn unscrubbed(&self) -> Result<bool> {
        self.db
            .query_row("SELECT EXISTS (SELECT 1 FROM erased_subjects WHERE scrubbed_ns IS NULL)", [], |row| row.get(0))
            .map_err(|e| sql::error("looking for what was deleted", e))
    }

    /// When, by whom and why a subject was erased, and what it is called in the event that says so; `None`: it
    /// was not.
    ///
    /// # Errors
    /// The state cannot be read, or its key ring is gone.
    pub fn erasure(&self, id: &[u8]) -> Result<Option<Erasure>> {
        let subject = reference(&keys::subject_secret(&self.folder)?, id);
        self.db
            .prepare_cached("SELECT erased_ns, actor, reason FROM erased_subjects WHERE subject = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([&subject[..]], |row| {
                        Ok(Erasure { name: hex(&subject), at_ns: row.get(0)?, actor: row.get(1)?, reason: row.get(2)? })
                    })
                    .optional()
            })
            .map_err(|e| sql::error("reading who was erased", e))
    }

    /// The names of the keys under which values of a subject are sealed with a key of its own, in order.
    ///
    /// # Errors
    /// The state cannot be read, or its key ring is gone.
    pub fn keys_of_subject(&self, id: &[u8]) -> Result<Vec<String>> {
        let subject = reference(&keys::subject_secret(&self.folder)?, id);
        self.db
            .prepare_cached("SELECT DISTINCT name FROM subject_keys WHERE subject = ?1 ORDER BY name")
            .and_then(|mut statement| statement.query_map([&subject[..]], |row| row.get(0))?.collect())
            .map_err(|e| sql::error("reading the keys of a subject", e))
    }

    /// How many subjects were erased.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn erased_subjects(&self) -> Result<u64> {
        self.db
            .query_row("SELECT count(*) FROM erased_subjects", [], |row| row.get(0))
            .map(sql::count)
            .map_err(|e| sql::error("counting who was erased", e))
    }

    /// Entries under a key that another version than `newest` seals, so many at most.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn sealed_by_others(&self, name: &str, newest: &str, limit: usize) -> Result<Vec<(Entry, Sealed)>> {
        let doing = "reading what older versions of a key seal";
        let mut found = Vec::new();
        let mut statement = self
            .db
            .prepare(
                "SELECT subject, wrapped_by, wrapped FROM subject_keys WHERE name = ?1 AND wrapped_by <> ?2 LIMIT ?3",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map(params![name, newest, limit as i64], |row| {
                Ok((Entry::Subject(row.get(0)?), Sealed { by: row.get(1)?, bytes: row.get(2)? }))
            })
            .map_err(|e| sql::error(doing, e))?;
        for row in rows {
            found.push(row.map_err(|e| sql::error(doing, e))?);
        }
        let mut statement = self
            .db
            .prepare("SELECT value, sealed_by, sealed FROM vault_tokens WHERE name = ?1 AND sealed_by <> ?2 LIMIT ?3")
            .map_err(|e| sql::error(doing, e))?;
        let left = limit.saturating_sub(found.len()) as i64;
        let rows = statement
            .query_map(params![name, newest, left], |row| {
                Ok((Entry::Token(row.get(0)?), Sealed { by: row.get(1)?, bytes: row.get(2)? }))
            })
            .map_err(|e| sql::error(doing, e))?;
        for row in rows {
            found.push(row.map_err(|e| sql::error(doing, e))?);
        }
        Ok(found)
    }

    /// Puts entries that were sealed anew in the place of what they were; those that changed or went
    /// meanwhile stay as they are. One transaction.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn reseal(&mut self, name: &str, entries: &[(Entry, Sealed, Sealed)], by: &By) -> Result<u64> {
        let doing = "sealing entries anew";
        let done = self.write(doing, |w| {
            let mut count = 0;
            for (entry, old, new) in entries {
                let (text, key): (_, &[u8]) = match entry {
                    Entry::Subject(subject) => (
                        "UPDATE subject_keys SET wrapped_by = ?3, wrapped = ?4 WHERE name = ?1 AND subject = ?2 AND wrapped = ?5",
                        subject,
                    ),
                    Entry::Token(value) => (
                        "UPDATE vault_tokens SET sealed_by = ?3, sealed = ?4 WHERE name = ?1 AND value = ?2 AND sealed = ?5",
                        value,
                    ),
                };
                count += w
                    .db
                    .prepare_cached(text)
                    .and_then(|mut statement| statement.execute(params![name, key, new.by, new.bytes, old.bytes]))
                    .map_err(|e| sql::error(doing, e))? as u64;
            }
            super::failpoint::reach("inside_reencrypt");
            let mut draft = Draft::new(Action::KeyReencrypted).detail("entries", count);
            draft.resource = Some(format!("key {name}"));
            draft.actor = by.actor.clone();
            draft.reason = by.reason.clone();
            if let Some((_, _, new)) = entries.first() {
                draft = draft.detail("key", new.by.clone());
            }
            w.record(vec![draft])?;
            Ok(count)
        })?;
        super::failpoint::reach("after_reencrypt");
        Ok(done)
    }
}

impl VaultTables {
    /// What a subject is known by.
    pub fn reference(&self, id: &[u8]) -> Subject {
        reference(&self.secret, id)
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dry(&self) -> Option<MutexGuard<'_, Dry>> {
        self.dry.as_ref().map(|dry| dry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known of a subject under a key.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn subject(&self, name: &str, subject: &Subject) -> Result<SubjectKey> {
        if let Some(dry) = self.dry()
            && let Some(sealed) = dry.subjects.get(&(name.to_owned(), *subject))
        {
            return Ok(SubjectKey::Known(sealed.clone()));
        }
        read_subject(&self.db(), name, subject)
    }

    /// Keeps the key of a subject that has none; what is kept then.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn keep_subject(&self, name: &str, subject: &Subject, sealed: Sealed) -> Result<SubjectKey> {
        if let Some(mut dry) = self.dry() {
            dry.subjects.insert((name.to_owned(), *subject), sealed.clone());
            return Ok(SubjectKey::Known(sealed));
        }
        self.write("keeping the key of a subject", |db, now_ns| {
            let erased = db
                .prepare_cached("SELECT 1 FROM erased_subjects WHERE subject = ?1")
                .and_then(|mut statement| statement.exists([&subject[..]]))?;
            if !erased {
                db.prepare_cached(
                    "INSERT INTO subject_keys (name, subject, wrapped_by, wrapped, made_ns) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (name, subject) DO NOTHING",
                )?
                .execute(params![name, &subject[..], sealed.by, sealed.bytes, now_ns])?;
            }
            Ok(())
        })?;
        self.subject(name, subject)
    }

    /// Whether a subject was erased.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn is_erased(&self, subject: &Subject) -> Result<bool> {
        self.db()
            .prepare_cached("SELECT 1 FROM erased_subjects WHERE subject = ?1")
            .and_then(|mut statement| statement.exists([&subject[..]]))
            .map_err(|e| sql::error("looking for a tombstone", e))
    }

    /// The token of a value, by its keyed hash.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn token(&self, name: &str, value: &[u8; 32]) -> Result<Option<String>> {
        if let Some(dry) = self.dry()
            && let Some(token) = dry.tokens.get(&(name.to_owned(), *value))
        {
            return Ok(Some(token.clone()));
        }
        self.db()
            .prepare_cached("SELECT token FROM vault_tokens WHERE name = ?1 AND value = ?2")
            .and_then(|mut statement| statement.query_row(params![name, &value[..]], |row| row.get(0)).optional())
            .map_err(|e| sql::error("reading a token", e))
    }

    /// Keeps a token for a value that has none; the one that is kept then.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn keep_token(&self, name: &str, value: &[u8; 32], token: &str, sealed: &Sealed) -> Result<String> {
        if let Some(mut dry) = self.dry() {
            dry.tokens.insert((name.to_owned(), *value), token.to_owned());
            return Ok(token.to_owned());
        }
        self.write("keeping a token", |db, now_ns| {
            db.prepare_cached(
                "INSERT INTO vault_tokens (name, value, token, sealed_by, sealed, made_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (name, value) DO NOTHING",
            )?
            .execute(params![name, &value[..], token, sealed.by, sealed.bytes, now_ns])?;
            Ok(())
        })?;
        self.token(name, value)?.ok_or_else(|| Error::bug("a token that was kept is not there"))
    }

    /// The value of a token: its keyed hash and what is sealed.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn value(&self, name: &str, token: &str) -> Result<Option<([u8; 32], Sealed)>> {
        self.db()
            .prepare_cached("SELECT value, sealed_by, sealed FROM vault_tokens WHERE name = ?1 AND token = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row(params![name, token], |row| {
                        Ok((row.get(0)?, Sealed { by: row.get(1)?, bytes: row.get(2)? }))
                    })
                    .optional()
            })
            .map_err(|e| sql::error("reading a token", e))
    }

    fn write(&self, doing: &str, work: impl FnOnce(&Connection, i64) -> rusqlite::Result<()>) -> Result<()> {
        let db = self.db();
        let now_ns = (self.clock.0)();
        let _held = lock::append(&self.folder, self.wait, now_ns)?;
        let failed = |e| sql::error(doing, e);
        db.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let done = super::migrate::still_known(&db)
            .and_then(|()| work(&db, now_ns).map_err(failed))
            .and_then(|()| db.execute_batch("COMMIT").map_err(failed));
        if done.is_err() {
            let _ = db.execute_batch("ROLLBACK");
        }
        done
    }
}

fn read_subject(db: &Connection, name: &str, subject: &Subject) -> Result<SubjectKey> {
    let doing = "reading the key of a subject";
    let found = db
        .prepare_cached("SELECT wrapped_by, wrapped FROM subject_keys WHERE name = ?1 AND subject = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![name, &subject[..]], |row| Ok(Sealed { by: row.get(0)?, bytes: row.get(1)? }))
                .optional()
        })
        .map_err(|e| sql::error(doing, e))?;
    if let Some(sealed) = found {
        return Ok(SubjectKey::Known(sealed));
    }
    let erased = db
        .prepare_cached("SELECT 1 FROM erased_subjects WHERE subject = ?1")
        .and_then(|mut statement| statement.exists([&subject[..]]))
        .map_err(|e| sql::error(doing, e))?;
    Ok(if erased { SubjectKey::Erased } else { SubjectKey::Unknown })
}
