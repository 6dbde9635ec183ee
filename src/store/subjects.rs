//! Whom events are about: people and items, as random pseudonyms behind a table of identities of its own.
//! The log never holds a key of theirs; erasing an identity leaves the log as it is, and pointing to nobody.

use std::collections::BTreeSet;
use std::hash::Hasher as _;

use rusqlite::{Connection, OptionalExtension as _, params};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::append;
use super::{Store, keys, sql};
use crate::audit::chain::hex;
use crate::audit::{Draft, Event};
use crate::error::Result;

/// What the hash of a person's key begins with, so that a person and a record with the same key are two.
pub const PERSON: u8 = 0xfe;

/// Up to so many subjects stand in the event itself; of more it has the number, and the table who they are.
const NAMED: usize = 8;

/// As what a key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Whose records they are, as the `subject` of a mapping says.
    Person,
    /// A record, by its key; or whatever a script named.
    Record,
}

impl Role {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Record => "record",
        }
    }
}

/// What is known under a key.
#[derive(Clone, Debug)]
pub struct Known {
    /// As what.
    pub role: Role,
    /// The pseudonym that events carry.
    pub pseudonym: String,
    /// The events about it, the newest first.
    pub events: Vec<Event>,
}

impl Store {
    /// What a subject is known by in this state: of the key that a record has, one text for each of its parts.
    pub fn subject_token(&self, key: &[&str]) -> u128 {
        token(&self.record_secret, key)
    }

    /// What a person is known by in this state.
    pub fn person_token(&self, id: &[u8]) -> u128 {
        person(&self.record_secret, id)
    }

    /// The pseudonyms of a subject, as a person and as a record, and its events, the newest first; `None` if
    /// nothing is known of it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn subject_events(&self, key: &[&str], limit: usize) -> Result<Option<(String, Vec<Event>)>> {
        let known = self.subject_known(key, limit)?;
        if known.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = known.iter().map(|known| known.pseudonym.as_str()).collect();
        let names = names.join(", ");
        let mut events: Vec<Event> = known.into_iter().flat_map(|known| known.events).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.seq));
        events.dedup_by_key(|event| event.seq);
        if limit > 0 {
            events.truncate(limit);
        }
        Ok(Some((names, events)))
    }

    /// What a key is known as: the person first, then the record, each with its events, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn subject_known(&self, key: &[&str], limit: usize) -> Result<Vec<Known>> {
        let mut found = Vec::new();
        if let [id] = key
            && let Some((pseudonym, events)) = self.known(self.person_token(id.as_bytes()), limit)?
        {
            found.push(Known { role: Role::Person, pseudonym, events });
        }
        if let Some((pseudonym, events)) = self.known(self.subject_token(key), limit)? {
            found.push(Known { role: Role::Record, pseudonym, events });
        }
        Ok(found)
    }

    fn known(&self, token: u128, limit: usize) -> Result<Option<(String, Vec<Event>)>> {
        let fail = |e| sql::error("looking for a subject", e);
        let token = token.to_be_bytes();
        let found: Option<(i64, Vec<u8>)> = self
            .db
            .query_row("SELECT number, pseudonym FROM audit_subjects WHERE token = ?1", [&token[..]], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(fail)?;
        let Some((number, pseudonym)) = found else { return Ok(None) };
        let limit = if limit == 0 { -1 } else { sql::int(limit as u64) };
        let ats: Vec<i64> = self
            .db
            .prepare_cached("SELECT at FROM audit_touches WHERE subject = ?1 ORDER BY at DESC LIMIT ?2")
            .and_then(|mut statement| statement.query_map([number, limit], |row| row.get(0))?.collect())
            .map_err(fail)?;
        // An event may be pruned and its touches not yet.
        let events = ats.into_iter().filter_map(|at| self.event_if_there(at).transpose()).collect::<Result<_>>()?;
        Ok(Some((shown(&pseudonym), events)))
    }

    /// The pseudonyms of whom an event is about, those that were erased since included.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn subjects_of(&self, seq: u64) -> Result<Vec<String>> {
        self.db
            .prepare_cached(
                "SELECT pseudonym FROM audit_touches JOIN audit_subjects ON number = subject WHERE at = ?1 ORDER BY pseudonym",
            )
            .and_then(|mut statement| {
                let at = append::at(self.log.number, seq);
                statement.query_map([at], |row| row.get::<_, Vec<u8>>(0).map(|bytes| shown(&bytes)))?.collect()
            })
            .map_err(|e| sql::error("looking whom an event is about", e))
    }
}

/// The subjects of these tokens: their numbers, and their pseudonyms in order. New ones get one.
pub(super) fn named(db: &Connection, tokens: &[u128]) -> Result<(Vec<i64>, Vec<String>)> {
    let fail = |e| sql::error("remembering whom an event is about", e);
    let tokens: BTreeSet<u128> = tokens.iter().copied().collect();
    let mut numbers = Vec::with_capacity(tokens.len());
    let mut names = Vec::with_capacity(tokens.len());
    let mut find = db.prepare_cached("SELECT number, pseudonym FROM audit_subjects WHERE token = ?1").map_err(fail)?;
    let mut add = db.prepare_cached("INSERT INTO audit_subjects (token, pseudonym) VALUES (?1, ?2)").map_err(fail)?;
    for token in tokens {
        let token = token.to_be_bytes();
        let known: Option<(i64, Vec<u8>)> =
            find.query_row([&token[..]], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(fail)?;
        let (number, pseudonym) = match known {
            Some(known) => known,
            None => {
                let pseudonym: [u8; 16] = keys::random()?;
                (add.insert(params![&token[..], &pseudonym[..]]).map_err(fail)?, pseudonym.to_vec())
            }
        };
        numbers.push(number);
        names.push(shown(&pseudonym));
    }
    names.sort_unstable();
    Ok((numbers, names))
}

/// The draft with whom it is about: by pseudonym, or, of many, their number and the digest over all of them,
/// which holds the table beside the chain to who they are. With the numbers of the subjects.
pub(super) fn about(db: &Connection, draft: &Draft) -> Result<(Draft, Vec<i64>)> {
    let (numbers, names) = named(db, &draft.about)?;
    let mut draft = draft.clone();
    if names.len() <= NAMED {
        draft.subjects = names;
    } else {
        draft = draft.detail("subjects", names.len()).detail("subjects_digest", digest(&names));
    }
    Ok((draft, numbers))
}

/// Notes that an event is about these subjects.
pub(super) fn touch(db: &Connection, at: i64, subjects: &[i64]) -> Result<()> {
    let fail = |e| sql::error("remembering whom an event is about", e);
    let mut statement =
        db.prepare_cached("INSERT OR IGNORE INTO audit_touches (subject, at) VALUES (?1, ?2)").map_err(fail)?;
    for subject in subjects {
        statement.execute([*subject, at]).map_err(fail)?;
    }
    Ok(())
}

/// Erases an identity: its pseudonym points to nobody from now on. Whether there was one.
pub(super) fn forget(db: &Connection, token: u128) -> Result<bool> {
    db.execute("UPDATE audit_subjects SET token = NULL WHERE token = ?1", [&token.to_be_bytes()[..]])
        .map(|changed| changed > 0)
        .map_err(|e| sql::error("erasing an identity", e))
}

/// The digest over pseudonyms in their order, by which an event holds the table to who it was about.
pub fn digest(names: &[String]) -> String {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update([b'\n']);
    }
    hex(&hash.finalize())
}

fn shown(pseudonym: &[u8]) -> String {
    format!("s-{}", hex(pseudonym))
}

/// The keyed hash of what a person is known by.
fn person(secret: &[u8; 16], id: &[u8]) -> u128 {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&[PERSON]);
    hasher.write(id);
    hasher.finish128().as_u128()
}

/// The keyed hash of a key, as the road makes it of records: a key of one part is that text, of several each part
/// is ended by a byte that text does not have.
pub(super) fn token(secret: &[u8; 16], key: &[&str]) -> u128 {
    let mut hasher = SipHasher24::new_with_key(secret);
    match key {
        [one] => hasher.write(one.as_bytes()),
        parts => {
            for part in parts {
                hasher.write(part.as_bytes());
                hasher.write(&[0xff]);
            }
        }
    }
    hasher.finish128().as_u128()
}
