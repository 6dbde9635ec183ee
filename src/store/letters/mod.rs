//! Dead letters: records that did not make it, sealed, with all that is needed to explain and to
//! replay them.

mod filter;
mod written;

use rusqlite::{Row, params};
use zeroize::Zeroizing;

use super::runs::Run;
use super::{Store, keys, only, sql};
use crate::audit::{Action, Draft};
use crate::error::codes::store::{LETTER_SEALED, LETTER_UNKNOWN};
use crate::error::{Error, Kind, Result};
use crate::record::{ClassId, ClassSet};
pub use filter::LetterFilter;
use filter::{clause, clause_whole};
pub(super) use written::Counted;

/// How a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// Waits for somebody.
    Open,
    /// A run has it in hand.
    Replaying,
    /// Its record made it.
    Replayed,
    /// A later version of its record was written, or it was rejected again: a newer letter has it.
    Superseded,
    /// Given up, with a reason.
    Discarded,
}

impl LetterState {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Open, Self::Replaying, Self::Replayed, Self::Superseded, Self::Discarded];

    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replaying => "replaying",
            Self::Replayed => "replayed",
            Self::Superseded => "superseded",
            Self::Discarded => "discarded",
        }
    }

    /// The one with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A dead letter without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// The route.
    pub route: String,
    /// The run that rejected it.
    pub run: String,
    /// The group it was read in.
    pub group: u64,
    /// How it stands.
    pub state: LetterState,
    /// The code of the reason.
    pub code: String,
    /// The reason.
    pub cause: String,
    /// The field at fault.
    pub field: Option<String>,
    /// The slice's name.
    pub source: String,
    /// The slice's id.
    pub slice: String,
    /// Byte of the record's beginning.
    pub byte: u64,
    /// Line of the record's beginning, from 1.
    pub line: u64,
    /// The record's number in its slice, from 1.
    pub record: u64,
    /// Column of the fault, 0 if unknown.
    pub column: u32,
    /// Classes of data in it.
    pub classes: ClassSet,
    /// What is needed to read it again.
    pub columns: Vec<String>,
    /// Bytes of the record as read.
    pub size: u64,
    /// SHA-256 of them.
    pub digest: [u8; 32],
    /// Whether they were kept whole: only then it can be replayed.
    pub whole: bool,
    /// When it was rejected, nanoseconds since 1970.
    pub created_ns: i64,
    /// When its state last changed.
    pub changed_ns: i64,
    /// When it will be deleted.
    pub expires_ns: i64,
    /// How often it was replayed.
    pub attempts: u64,
    /// Why it was discarded or superseded.
    pub reason: Option<String>,
}

/// A dead letter with its content.
#[derive(Clone, Debug)]
pub struct LetterText {
    /// The letter.
    pub letter: Letter,
    /// The record's bytes as read, or their beginning, see [`Letter::whole`].
    pub payload: Zeroizing<Vec<u8>>,
}

/// The id of the key and the sealed payload.
type Sealed = (String, Vec<u8>);

const COLUMNS: &str =
    "id, route, run, settled_group, state, code, cause, field, source, slice, byte, line, record, col,
    classes, columns, size, digest, whole, created_ns, changed_ns, expires_ns, attempts, reason";

impl Store {
    /// Dead letters, the oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn dead_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>> {
        self.query_letters(filter, "").map(|found| found.into_iter().map(|(letter, _)| letter).collect())
    }

    /// Dead letters of the record that begins at this line of a source, whose name may be given in part from its
    /// end (`orders.csv`), the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn letters_at(&self, source: &str, line: u64) -> Result<Vec<Letter>> {
        let ending = format!("%/{}", sql::literal_pattern(source));
        self.letters_like(
            "line = ?1 AND (source = ?2 OR source LIKE ?3 ESCAPE '\\')",
            params![sql::int(line), source, ending],
        )
    }

    /// Dead letters of the records with this key, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn letters_of_key(&self, key: &[&str]) -> Result<Vec<Letter>> {
        let token = self.subject_token(key).to_be_bytes();
        self.letters_like("record_key = ?1", params![&token[..]])
    }

    /// Dead letters of a person's records or of the record with this key, the newest first.
    ///
    /// # Errors
    /// The state cannot be read, or its key ring is gone.
    pub fn letters_of_subject(&self, key: &[&str]) -> Result<Vec<Letter>> {
        let token = self.subject_token(key).to_be_bytes();
        let person = match key {
            [id] => super::vault::reference(&keys::subject_secret(&self.folder)?, id.as_bytes()),
            _ => return self.letters_of_key(key),
        };
        let fail = |e| sql::error("reading dead letters of a subject", e);
        let ids: Vec<String> = self
            .db
            .prepare_cached(
                "SELECT id FROM dead_letters WHERE record_key = ?1 OR id IN (SELECT letter FROM letter_subjects WHERE subject = ?2)
                 ORDER BY number DESC LIMIT 1000",
            )
            .and_then(|mut statement| statement.query_map(params![&token[..], &person[..]], |row| row.get(0))?.collect())
            .map_err(fail)?;
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(100) {
            found.extend(self.dead_letters(&LetterFilter { ids: some.to_vec(), ..LetterFilter::default() })?);
        }
        found.sort_by_key(|letter| (std::cmp::Reverse(letter.created_ns), letter.id.clone()));
        Ok(found)
    }

    fn letters_like(&self, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Letter>> {
        let fail = |e| sql::error("reading dead letters", e);
        let ids: Vec<String> = self
            .db
            .prepare_cached(&format!("SELECT id FROM dead_letters WHERE {condition} ORDER BY number DESC LIMIT 5"))
            .and_then(|mut statement| statement.query_map(values, |row| row.get(0))?.collect())
            .map_err(fail)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut letters = self.dead_letters(&LetterFilter { ids, ..LetterFilter::default() })?;
        letters.reverse();
        Ok(letters)
    }

    /// How many there are.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn count_dead_letters(&self, filter: &LetterFilter) -> Result<u64> {
        let (clause, values) = clause(filter);
        self.db
            .prepare_cached(&format!("SELECT count(*) FROM dead_letters {clause}"))
            .and_then(|mut s| s.query_row(rusqlite::params_from_iter(values), |row| row.get::<_, i64>(0)))
            .map(sql::count)
            .map_err(|e| sql::error("counting dead letters", e))
    }

    /// The letter whose id is this or the only one to begin or end with it, with its content.
    ///
    /// # Errors
    /// There is none or several; nothing of its content was kept, or its key is gone.
    pub fn dead_letter(&self, id: &str) -> Result<LetterText> {
        let filter = LetterFilter { ids: vec![id.to_string()], limit: 10, ..LetterFilter::default() };
        let found = self.query_letters(&filter, ", key_id, sealed")?;
        let (letter, sealed) = only(found, id, "dead letter", "sync dlq list", &LETTER_UNKNOWN)?;
        self.unseal(letter, sealed)
    }

    /// Takes open letters for replay by a run and gives their contents, the oldest first. Those
    /// that were not kept whole are left out. Call it again until it gives none.
    ///
    /// # Errors
    /// The state cannot be written, or a key is gone.
    pub fn claim_letters(&mut self, run: &Run, filter: &LetterFilter) -> Result<Vec<LetterText>> {
        let mut filter = filter.clone();
        filter.route = Some(run.route.clone());
        filter.states = vec![LetterState::Open];
        let (clause, values) = clause_whole(&filter);
        let ids: Vec<String> = self.write("claiming dead letters", |w| {
            w.check_fence(run)?;
            let mut statement =
                w.db.prepare(&format!("SELECT id FROM dead_letters {clause}"))
                    .map_err(|e| sql::error("claiming dead letters", e))?;
            let ids: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(values), |row| row.get(0))
                .and_then(Iterator::collect)
                .map_err(|e| sql::error("claiming dead letters", e))?;
            for id in &ids {
                w.db.prepare_cached(
                    "UPDATE dead_letters SET state = 'replaying', claim = ?2, attempts = attempts + 1, changed_ns = ?3
                     WHERE id = ?1",
                )
                .and_then(|mut s| s.execute(params![id, run.id, w.now_ns]))
                .map_err(|e| sql::error("claiming dead letters", e))?;
            }
            if !ids.is_empty() {
                w.record(vec![run.draft(Action::LettersClaimed).detail("letters", ids.len())])?;
            }
            Ok(ids)
        })?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut letters = Vec::with_capacity(ids.len());
        for id in ids {
            letters.push(self.dead_letter(&id)?);
        }
        Ok(letters)
    }

    /// Takes letters again that a run had in hand which died: those of a group that turned out to
    /// be written. Gives their contents.
    ///
    /// # Errors
    /// The state cannot be written, a letter is no longer open, or its key is gone.
    pub fn reclaim_letters(&mut self, run: &Run, ids: &[String]) -> Result<Vec<LetterText>> {
        let doing = "claiming dead letters";
        self.write(doing, |w| {
            w.check_fence(run)?;
            for id in ids {
                let taken = w
                    .db
                    .prepare_cached(
                        "UPDATE dead_letters SET state = 'replaying', claim = ?2, changed_ns = ?3 WHERE id = ?1 AND state = 'open'",
                    )
                    .and_then(|mut s| s.execute(params![id, run.id, w.now_ns]))
                    .map_err(|e| sql::error(doing, e))?;
                if taken != 1 {
                    return Err(Error::new(Kind::Partial, &LETTER_UNKNOWN, format!("dead letter `{id}` is no longer open")));
                }
            }
            Ok(())
        })?;
        ids.iter().map(|id| self.dead_letter(id)).collect()
    }

    /// Gives open letters up or marks them as overtaken, with a reason; how many.
    ///
    /// # Errors
    /// The state cannot be written; another state was asked for.
    pub fn resolve_letters(
        &mut self,
        filter: &LetterFilter,
        state: LetterState,
        reason: &str,
        who: Option<&str>,
    ) -> Result<u64> {
        let action = match state {
            LetterState::Discarded => Action::LettersDiscarded,
            LetterState::Superseded => Action::LettersSuperseded,
            LetterState::Replayed => Action::LettersReplayed,
            LetterState::Open | LetterState::Replaying => {
                return Err(Error::bug("letters are opened and claimed by runs alone"));
            }
        };
        let mut filter = filter.clone();
        filter.states = vec![LetterState::Open];
        let (clause, values) = clause(&filter);
        self.write("resolving dead letters", |w| {
            let mut all: Vec<rusqlite::types::Value> = values;
            all.extend([state.word().to_string().into(), reason.to_string().into(), w.now_ns.into()]);
            let at = all.len();
            // The content is of no more use: it goes at once, what is known of it stays.
            let changed =
                w.db.execute(
                    &format!(
                        "UPDATE dead_letters SET state = ?{}, reason = ?{}, changed_ns = ?{at}, sealed = NULL, whole = 0
                         WHERE number IN (SELECT number FROM dead_letters {clause})",
                        at - 2,
                        at - 1
                    ),
                    rusqlite::params_from_iter(all),
                )
                .map_err(|e| sql::error("resolving dead letters", e))? as u64;
            if changed > 0 {
                let mut draft = Draft::new(action).detail("letters", changed);
                draft.reason = Some(reason.to_string());
                draft.actor = who.map(str::to_string);
                draft.route = filter.route.clone().or_else(|| filter.family.clone());
                if let Some(code) = &filter.code {
                    draft = draft.detail("code", code.clone());
                }
                if !filter.ids.is_empty() && filter.ids.len() <= 20 {
                    draft = draft.detail("ids", filter.ids.clone());
                }
                w.record(vec![draft])?;
                w.count_letter_bytes()?;
            }
            Ok(changed)
        })
    }

    /// The hashed keys of the letters of a route that wait; `None`: there are more than `most`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn waiting_keys(&self, route: &str, most: usize) -> Result<Option<Vec<u128>>> {
        let doing = "reading the keys of dead letters";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT record_key FROM dead_letters
                 WHERE route = ?1 AND record_key IS NOT NULL AND state IN ('open', 'replaying') LIMIT ?2",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map(params![route, sql::int(most as u64 + 1)], |row| row.get::<_, [u8; 16]>(0))
            .map_err(|e| sql::error(doing, e))?;
        let keys: Vec<u128> = rows
            .map(|key| key.map(u128::from_be_bytes))
            .collect::<rusqlite::Result<_>>()
            .map_err(|e| sql::error(doing, e))?;
        Ok((keys.len() <= most).then_some(keys))
    }

    fn unseal(&self, letter: Letter, sealed: Option<Sealed>) -> Result<LetterText> {
        let closed = |cause: &str| {
            Error::new(Kind::Failed, &LETTER_SEALED, format!("dead letter `{}`: {cause}", letter.id))
                .fact("source", &letter.source)
                .fact("line", letter.line)
                .hint("read the record from its source: the letter names file, line and byte")
        };
        let Some((key_id, sealed)) = sealed else {
            return Err(closed("its content was not kept"));
        };
        let place = place(&letter.route, &letter.slice, letter.byte, letter.record, &letter.id);
        let payload = self
            .letter_sealers
            .iter()
            .filter(|sealer| sealer.id == key_id)
            .find_map(|sealer| sealer.unseal(&sealed, &place))
            .ok_or_else(|| closed("the key it was sealed with is not in the key ring, or it was altered"))?;
        Ok(LetterText { letter, payload })
    }

    fn query_letters(&self, filter: &LetterFilter, more: &str) -> Result<Vec<(Letter, Option<Sealed>)>> {
        let doing = "reading dead letters";
        let (clause, values) = clause(filter);
        let mut statement = self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS}{more} FROM dead_letters {clause}"))
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), |row| {
                let sealed = if more.is_empty() {
                    None
                } else {
                    row.get::<_, Option<String>>(24)?.zip(row.get::<_, Option<Vec<u8>>>(25)?)
                };
                Ok((letter_of(row)?, row.get::<_, String>(15)?, sealed))
            })
            .map_err(|e| sql::error(doing, e))?;
        rows.map(|row| {
            let (mut letter, columns, sealed) = row.map_err(|e| sql::error(doing, e))?;
            letter.columns = sql::from_json(&columns, "the columns of a dead letter")?;
            Ok((letter, sealed))
        })
        .collect()
    }
}

/// Where a sealed payload belongs.
fn place(route: &str, slice: &str, byte: u64, record: u64, id: &str) -> Vec<u8> {
    let mut place = b"consign-dead-letter/1".to_vec();
    for text in [route, slice, id] {
        place.extend_from_slice(&(text.len() as u64).to_be_bytes());
        place.extend_from_slice(text.as_bytes());
    }
    place.extend_from_slice(&byte.to_be_bytes());
    place.extend_from_slice(&record.to_be_bytes());
    place
}

fn letter_of(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let state: String = row.get(4)?;
    let classes: String = row.get(14)?;
    Ok(Letter {
        id: row.get(0)?,
        route: row.get(1)?,
        run: row.get(2)?,
        group: sql::count(row.get(3)?),
        state: LetterState::of(&state).unwrap_or(LetterState::Open),
        code: row.get(5)?,
        cause: row.get(6)?,
        field: row.get(7)?,
        source: row.get(8)?,
        slice: row.get(9)?,
        byte: sql::count(row.get(10)?),
        line: sql::count(row.get(11)?),
        record: sql::count(row.get(12)?),
        column: row.get(13)?,
        classes: classes.split(", ").filter_map(ClassId::named).collect(),
        columns: Vec::new(),
        size: sql::count(row.get(16)?),
        digest: row.get(17)?,
        whole: row.get(18)?,
        created_ns: row.get(19)?,
        changed_ns: row.get(20)?,
        expires_ns: row.get(21)?,
        attempts: sql::count(row.get(22)?),
        reason: row.get(23)?,
    })
}
