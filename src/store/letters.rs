//! Dead letters: records that did not make it, sealed, with all that is needed to explain and to
//! replay them.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::runs::Run;
use super::{Store, Writing, keys, only, sql};
use crate::audit::{Action, Draft, Level, event};
use crate::error::codes::store::{LETTER_SEALED, LETTER_UNKNOWN};
use crate::error::{Error, Kind, Result};
use crate::record::{ClassId, ClassSet, Reject};

/// How much is kept of a payload that is too large to be kept whole.
const HEAD_BYTES: usize = 64 << 10;

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

/// Which dead letters. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct LetterFilter {
    /// Of this route alone.
    pub route: Option<String>,
    /// Of this route, or of every target of the mapping of that name.
    pub family: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of the run whose id begins so.
    pub run: Option<String>,
    /// In these states; none: in any.
    pub states: Vec<LetterState>,
    /// Rejected at or after, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Those whose ids begin or end with one of these; none: any.
    pub ids: Vec<String>,
    /// Deleted before this moment, nanoseconds since 1970.
    pub expires_before_ns: Option<i64>,
    /// No more than so many, the oldest first. 0: all.
    pub limit: usize,
    /// Those that were replayed fewer times than this.
    pub attempts_below: Option<u64>,
}

/// What a group's rejects came to, for its event.
#[derive(Default)]
pub(super) struct Counted {
    pub by_code: BTreeMap<&'static str, u64>,
    pub digest: [u8; 32],
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

impl Writing<'_> {
    /// Turns rejects into dead letters.
    pub(super) fn add_letters(&mut self, run: &Run, group: u64, rejects: &[Reject]) -> Result<Counted> {
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
    pub(super) fn letters_replayed(&self, run: &Run, ids: &[String]) -> Result<()> {
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
    pub(super) fn overtake_letters(&mut self, run: &Run, keys: &[u128], replayed: &[String]) -> Result<u64> {
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
    pub(super) fn release_claims(&self, route: &str) -> Result<()> {
        self.db
            .prepare_cached(
                "UPDATE dead_letters SET state = 'open', claim = NULL, changed_ns = ?2 WHERE route = ?1 AND state = 'replaying'",
            )
            .and_then(|mut s| s.execute(params![route, self.now_ns]))
            .map(drop)
            .map_err(|e| sql::error("releasing dead letters", e))
    }

    /// Deletes letters past their time to live; the event that tells of it.
    pub(super) fn purge_letters(&self) -> Result<Option<Draft>> {
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
    pub(super) fn count_letter_bytes(&self) -> Result<()> {
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

/// Why a letter is superseded that nobody has to look at any more.
const OVERTAKEN: &str = "a later record with its key was written";

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

fn clause(filter: &LetterFilter) -> (String, Vec<rusqlite::types::Value>) {
    build_clause(filter, "1")
}

fn clause_whole(filter: &LetterFilter) -> (String, Vec<rusqlite::types::Value>) {
    build_clause(filter, "whole = 1")
}

fn build_clause(filter: &LetterFilter, first: &str) -> (String, Vec<rusqlite::types::Value>) {
    use rusqlite::types::Value;
    let mut text = format!("WHERE {first}");
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        text.push_str(" AND ");
        text.push_str(&condition.replace("??", &format!("?{}", values.len())));
    };
    if let Some(route) = &filter.route {
        add("route = ??", route.clone().into());
    }
    if let Some(family) = &filter.family {
        add(sql::OF_FAMILY, family.clone().into());
    }
    if let Some(code) = &filter.code {
        add("code = ??", code.clone().into());
    }
    if let Some(run) = &filter.run {
        add(r"run LIKE ?? ESCAPE '\'", sql::prefix_pattern(run).into());
    }
    if let Some(since) = filter.since_ns {
        add("created_ns >= ??", since.into());
    }
    if let Some(attempts) = filter.attempts_below {
        add("attempts < ??", sql::int(attempts).into());
    }
    if let Some(before) = filter.expires_before_ns {
        add("expires_ns < ??", before.into());
    }
    // Lists travel as JSON: the statement stays the same whatever their length.
    if !filter.states.is_empty() {
        let words: Vec<&str> = filter.states.iter().map(|s| s.word()).collect();
        add("state IN (SELECT value FROM json_each(??))", serde_json::json!(words).to_string().into());
    }
    if !filter.ids.is_empty() {
        // Ids of one group begin alike, since they begin with the time: the end of one will do as well.
        let patterns: Vec<String> = filter.ids.iter().map(|id| sql::literal_pattern(id)).collect();
        add(
            r"EXISTS (SELECT 1 FROM json_each(??) WHERE dead_letters.id LIKE value || '%' ESCAPE '\'
                OR dead_letters.id LIKE '%' || value ESCAPE '\')",
            serde_json::json!(patterns).to_string().into(),
        );
    }
    text.push_str(" ORDER BY number");
    if filter.limit > 0 {
        text.push_str(&format!(" LIMIT {}", filter.limit));
    }
    (text, values)
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
