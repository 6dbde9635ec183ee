//! Verification of the whole state's audit logs, read as they are stored.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::append::{self, SEQ_BITS, StoredHead};
use super::browse::Kinds;
use super::follow::{Sealed, StoredNodes, follow};
use super::parts::{COLUMNS, Met, Part, Segment};
use super::{Store, sql};
use crate::audit::chain::{self, Hash};
use crate::audit::merkle::{Frontier, STRIDE};
use crate::audit::redaction::Redaction;
use crate::audit::verify::{Index, Known, Row};
use crate::audit::{Action, Event, Head, Key, Report, Setting, Tampering, Verifier, verify};
use crate::error::codes::audit::KEY_OTHER;
use crate::error::{Error, Kind, Result};

/// What is done here, for errors.
const DOING: &str = "verifying the audit log";

/// What the verification of the whole state came to, log by log, the oldest first.
#[derive(Clone, Debug)]
pub struct Verification {
    /// One report per log, and whether the log was closed because its key was lost.
    pub logs: Vec<(Report, bool)>,
}

impl Verification {
    /// Whether nothing was found by the checks that could be made.
    pub fn is_good(&self) -> bool {
        self.logs.iter().all(|(report, _)| report.is_good())
    }

    /// The first bad event as an error (exit 8), if there is one.
    pub fn error(&self) -> Option<Error> {
        let (report, _) = self.logs.iter().find(|(report, _)| !report.is_good())?;
        let bad = report.bad.as_ref()?;
        Some(
            append::tampered(&format!("event {} of the audit log fails verification: {}", bad.seq, bad.what))
                .fact("log", &report.log_id)
                .fact("check", bad.test.name())
                .fact("looks like", format!("{}: {}", bad.looks.word(), bad.looks.about()))
                .fact("event", bad.id.as_deref().unwrap_or("unreadable or missing")),
        )
    }
}

/// A log as the table of logs and heads has it.
struct LogRow {
    number: i64,
    id: String,
    closed: bool,
    first_key_id: String,
    plain_until: u64,
    head: Option<StoredHead>,
}

/// What a verification is told beside the state itself.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The first key of one of the logs, if it is at hand.
    pub first_key: Option<Key>,
    /// Checkpoints at hand: the log's id and what is known.
    pub known: Vec<(String, Known)>,
}

impl Evidence {
    /// With the first key as it was shown (base64).
    ///
    /// # Errors
    /// It is none.
    pub fn of_key(first_key: Option<&str>) -> Result<Self> {
        Ok(Self { first_key: first_key.map(parse_key).transpose()?, known: Vec::new() })
    }
}

impl Store {
    /// Verifies every log from its first event to its head, with the keys at hand: the current key
    /// out of the head, and the first key of one of the logs, if given (base64, as it was shown).
    ///
    /// # Errors
    /// As for [`Self::verify_with`].
    pub fn verify_audit(&self, first_key: Option<&str>) -> Result<Verification> {
        self.verify_with(&Evidence::of_key(first_key)?)
    }

    /// Verifies every log from its first event to its head, with the current key out of the head and
    /// with what else is at hand.
    ///
    /// # Errors
    /// The state cannot be read, or the first key belongs to none of the logs. What is wrong with
    /// the log is no error but part of the answer, see [`Verification::error`].
    pub fn verify_with(&self, evidence: &Evidence) -> Result<Verification> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let before = self.removals()?;
            let verification = self.verify_logs(evidence).map_err(|error| error.doing(DOING))?;
            // Where events or bodies were removed while it went on, the event that tells of that came too late
            // to be read: it is done again.
            if verification.is_good() || left == 0 || self.removals()? == before {
                return Ok(verification);
            }
        }
    }

    /// All logs, each as it stands when it is begun with: it is read in steps, and others may go on writing.
    pub(super) fn verify_logs(&self, evidence: &Evidence) -> Result<Verification> {
        let logs = self.log_rows()?;
        if let Some(key) = &evidence.first_key
            && !logs.iter().any(|log| log.first_key_id == key.id())
        {
            return Err(Error::new(
                Kind::Invalid,
                &KEY_OTHER,
                "this first key belongs to none of the logs of this state",
            )
            .fact("key", key.id()));
        }
        if logs.is_empty() {
            return Err(sql::damaged("it has no audit log"));
        }
        let mut reports = Vec::with_capacity(logs.len());
        for log in logs {
            let (number, id, closed) = (log.number, log.id.clone(), log.closed);
            let begun = self.at_once(DOING, || self.begin_with(number, &id))?;
            let Begun { log, setting, claims, last } = begun;
            let head = log.head.as_ref();
            let current = head.and_then(|stored| self.log.open_with(&id, stored));
            let first = evidence.first_key.as_ref().filter(|key| key.id() == log.first_key_id).cloned();
            let known = evidence.known.iter().filter(|(of, _)| *of == id).map(|(_, known)| known.clone());
            let setting = Setting { known: known.collect(), ..setting };
            let verifier = Verifier::new(&id, verify::Keys { first, current }, setting);
            let treeless = head.is_some_and(|stored| stored.head.frontier.is_none());
            let verifier = self.feed(number, last, treeless, &claims, verifier)?;
            reports.push((verifier.finish(head.map(|stored| &stored.head)), closed));
        }
        Ok(Verification { logs: reports })
    }

    /// What a verification of a log begins with, all of it from one moment.
    fn begin_with(&self, number: i64, id: &str) -> Result<Begun> {
        let log = self.log_rows()?.into_iter().find(|log| log.number == number);
        let log = log.ok_or_else(|| append::tampered(&format!("the log {id} is gone")))?;
        let setting = Setting {
            open_epoch: log.head.as_ref().map(|stored| stored.head.epoch),
            plain_until: log.plain_until,
            floor: self.floor(number)?,
            redactions: self
                .told_by(number, Action::EventsRedacted)?
                .iter()
                .filter_map(|event| Redaction::of(&event.details))
                .collect(),
            known: Vec::new(),
        };
        let newest: Option<i64> = self
            .db
            .query_row(
                "SELECT max(at) FROM audit_events WHERE at >= ?1 AND at < ?2",
                params![append::at(number, 0), append::at(number + 1, 0)],
                |row| row.get(0),
            )
            .map_err(|e| sql::error(DOING, e))?;
        let sealed = self.segments_of(number)?.last().map_or(0, |segment| segment.last);
        let last = newest.map_or(0, |at| sql::count(at - append::at(number, 0))).max(sealed);
        let mut claims = HashMap::new();
        for event in self.told_by(number, Action::SegmentSealed)? {
            let text = |name: &str| event.details.get(name).and_then(|value| value.as_str()).map(str::to_string);
            if let (Some(file), Some(sha256)) = (text("file"), text("sha256")) {
                claims.insert(file, sha256);
            }
        }
        Ok(Begun { log, setting, claims, last })
    }

    /// What tells whether something was removed from the logs, or moved, on purpose.
    fn removals(&self) -> Result<(i64, i64, i64, String)> {
        let text = "SELECT (SELECT restores FROM state), (SELECT ifnull(sum(size), 0) FROM audit_floors),
                      (SELECT count(*) FROM audit_events WHERE kind IN (SELECT kind FROM audit_kinds WHERE action = ?1)),
                      (SELECT ifnull(group_concat(file), '') FROM audit_segments)";
        self.db
            .query_row(text, [Action::EventsRedacted.word()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .map_err(|e| sql::error(DOING, e))
    }

    fn log_rows(&self) -> Result<Vec<LogRow>> {
        self.db
            .prepare(
                "SELECT l.log, l.id, l.closed_ns IS NOT NULL, l.first_key_id, h.size, h.last, h.running, h.epoch, h.epoch_since_ns,
                        h.epoch_events, h.last_ns, h.code, h.frontier, l.plain_until, h.wrapped_by, h.wrapped
                 FROM audit_logs l LEFT JOIN audit_heads h USING (log) ORDER BY l.log",
            )
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    // A head with a field of the wrong size is no head.
                    let head = append::head_of(row, 4).ok().and_then(|head| {
                        Some(StoredHead { head, wrapped_by: row.get(14).ok()?, wrapped: row.get(15).ok()? })
                    });
                    Ok(LogRow {
                        number: row.get(0)?,
                        id: row.get(1)?,
                        closed: row.get(2)?,
                        first_key_id: row.get(3)?,
                        plain_until: sql::count(row.get(13)?),
                        head,
                    })
                };
                statement.query_map([], read)?.collect()
            })
            .map_err(|e| sql::error(DOING, e))
    }

    /// Where a log begins, if its oldest events were pruned.
    pub(super) fn floor(&self, log: i64) -> Result<Option<Head>> {
        read_floor(&self.db, log)
    }

    /// What the events of one action say, as far as they can be read: whether they are all there, and as they
    /// were, is found out when they are gone through.
    fn told_by(&self, log: i64, action: Action) -> Result<Vec<Event>> {
        let fail = |e| sql::error(DOING, e);
        let kinds = self.kinds_named(action.word()).unwrap_or_default();
        let mut told = Vec::new();
        for part in self.parts(log)? {
            let bodies = self.on(&part, |db| {
                let text = "SELECT body FROM audit_events WHERE kind = ?1 AND at >= ?2 AND at < ?3 ORDER BY at";
                let mut statement = db.prepare_cached(text).map_err(fail)?;
                let mut bodies: Vec<Option<Vec<u8>>> = Vec::new();
                for kind in &kinds {
                    let rows = statement.query_map([*kind, part.from, part.end], |row| Ok(row.get(0).ok()));
                    bodies.extend(rows.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(fail)?);
                }
                Ok(bodies)
            });
            match bodies {
                Ok(bodies) => told.extend(bodies.into_iter().flatten().filter_map(|body| Event::read(&body).ok())),
                Err(_) if part.segment.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        told.sort_by_key(|event| event.seq);
        Ok(told)
    }

    fn feed(
        &self,
        log: i64,
        last: u64,
        treeless: bool,
        claims: &HashMap<String, String>,
        verifier: Verifier,
    ) -> Result<Verifier> {
        let words = self.words();
        let nodes = |first, last| if treeless { Ok(None) } else { self.completed_by(log, first, last).map(Some) };
        let (mut verifier, inside, done) =
            follow(verifier, &nodes, |handing| {
                self.walk_rows(DOING, COLUMNS, (append::at(log, 0), append::at(log, last + 1)), STEP, &mut |met| {
                    match met {
                        Met::Part(Part { segment, .. }) => handing.part(segment.as_ref().map(|segment| {
                            let wrong = self.unlike(segment, claims);
                            Sealed { segment: segment.clone(), wrong }
                        })),
                        Met::Row(row) => handing.row(read_row(row, &words).ok()),
                    }
                })
            });
        match (done, inside) {
            (Ok(()), inside) => Sealed::leave(inside, &mut verifier),
            (Err(error), Some(Sealed { segment, .. })) if error.kind() == Kind::Tampered => {
                let there = self.segment_path(&segment.file).is_file();
                let (looks, how) =
                    if there { (Tampering::Edited, "cannot be read") } else { (Tampering::Removed, "is missing") };
                verifier.wrong_segment(segment.first, looks, format!("{} {how}", named(&segment)));
            }
            (Err(error), _) => return Err(error),
        }
        Ok(verifier)
    }

    /// What is wrong with the file of a segment, by what the log says of it.
    fn unlike(&self, segment: &Segment, claims: &HashMap<String, String>) -> Option<String> {
        let Some(claim) = claims.get(&segment.file) else {
            return Some(format!("no event tells of {}", named(segment)));
        };
        // One that cannot be read is told of where its events are.
        let sha256 = sha256_of(&self.segment_path(&segment.file)).ok()?;
        (sha256 != *claim)
            .then(|| format!("{} is not the file that was sealed: its SHA-256 is another", named(segment)))
    }

    /// Every row of a log from one number to another, in order, for as long as `take` wants more. `None`: a column is
    /// of the wrong kind, or text that is no text; somebody changed it.
    pub(super) fn each_row(
        &self,
        log: i64,
        first: u64,
        last: u64,
        mut take: impl FnMut(Option<&Row<'_>>) -> Result<bool>,
    ) -> Result<()> {
        let words = self.words();
        let between = (append::at(log, first), append::at(log, last + 1));
        self.walk_rows(DOING, COLUMNS, between, STEP, &mut |met| match met {
            Met::Part(_) => Ok(true),
            Met::Row(row) => take(read_row(row, &words).ok().map(|(row, index)| Row { index, ..row }).as_ref()),
        })
    }

    /// The stored nodes that the events from one number to another complete.
    fn completed_by(&self, log: i64, first: u64, last: u64) -> Result<StoredNodes> {
        let fail = |e| sql::error(DOING, e);
        let text = "SELECT place, hash FROM audit_nodes WHERE log = ?1 AND level = ?2 AND place >= ?3 AND place < ?4";
        let mut stored = StoredNodes::new();
        for level in (STRIDE..64).step_by(STRIDE as usize) {
            // A node is complete with the last of the events below it.
            let (from, end) = (first.saturating_sub(1) >> level, last >> level);
            if from == end {
                break;
            }
            let mut statement = self.db.prepare_cached(text).map_err(fail)?;
            let mut rows = statement.query(params![log, level, sql::int(from), sql::int(end)]).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                // One that cannot be read is none.
                if let (Ok(place), Ok(hash)) = (row.get(0).map(sql::count), row.get(1)) {
                    stored.insert((level, place), hash);
                }
            }
        }
        Ok(stored)
    }

    /// What numbers in rows stand for, as far as that can be read.
    fn words(&self) -> Words {
        Words { kinds: by_number(self.kinds().unwrap_or_default()), runs: self.run_ids().unwrap_or_default() }
    }

    fn run_ids(&self) -> Result<HashMap<i64, String>> {
        self.db
            .prepare_cached("SELECT number, id FROM audit_runs")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|e| sql::error(DOING, e))
    }
}

/// So many rows are read from one moment: some milliseconds.
const STEP: i64 = 8192;

/// A verification during which something was removed on purpose is begun again, so often.
const TRIES: u32 = 3;

/// What a verification of a log begins with.
struct Begun {
    log: LogRow,
    setting: Setting,
    /// The SHA-256 of each segment's file, as the log tells it.
    claims: HashMap<String, String>,
    /// The number of the last event that is there.
    last: u64,
}

fn named(segment: &Segment) -> String {
    format!("the segment `{}` with the events {} to {}", segment.file, segment.first, segment.last)
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256_of(path: &std::path::Path) -> std::io::Result<String> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut bytes = vec![0; 1 << 18];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(chain::hex(&hash.finalize())),
            count => hash.update(&bytes[..count]),
        }
    }
}

/// Where a log begins, if its oldest events were pruned.
pub(super) fn read_floor(db: &Connection, log: i64) -> Result<Option<Head>> {
    let text = "SELECT size, last, running, frontier, epoch, epoch_since_ns, epoch_events, last_ns FROM audit_floors WHERE log = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let size = sql::count(row.get(0)?);
        let frontier = Frontier::of(size, row.get_ref(3)?.as_blob()?).ok_or(rusqlite::Error::InvalidQuery)?;
        Ok(Head {
            size,
            last: row.get::<_, Hash>(1)?,
            running: row.get::<_, Hash>(2)?,
            frontier: Some(frontier),
            epoch: sql::count(row.get(4)?),
            epoch_since_ns: row.get(5)?,
            epoch_events: sql::count(row.get(6)?),
            last_ns: row.get(7)?,
            ..Head::empty(0)
        })
    };
    match db.query_row(text, [log], read).optional() {
        Ok(floor) => Ok(floor),
        Err(rusqlite::Error::SqliteFailure(failure, message)) => {
            Err(sql::error(DOING, rusqlite::Error::SqliteFailure(failure, message)))
        }
        // Somebody changed it: with no floor the first event is missing, which is what it looks like.
        Err(_) => Ok(None),
    }
}

/// Kinds at the places of their numbers, which are given from 1 on; a number that is far off was put there.
fn by_number(kinds: Vec<(i64, Kinds)>) -> Vec<Option<Kinds>> {
    let mut all = Vec::new();
    for (number, kind) in kinds {
        let Some(place) = usize::try_from(number).ok().filter(|place| *place < MOST_KINDS) else { continue };
        if all.len() <= place {
            all.resize_with(place + 1, || None);
        }
        all[place] = Some(kind);
    }
    all
}

/// No log has so many kinds of events.
const MOST_KINDS: usize = 1 << 18;

/// What numbers in rows stand for.
struct Words {
    kinds: Vec<Option<Kinds>>,
    runs: HashMap<i64, String>,
}

/// A row, and beside it what its numbers stand for, which stays where it is while rows come and go.
fn read_row<'r, 'w>(
    row: &'r rusqlite::Row<'r>,
    words: &'w Words,
) -> std::result::Result<(Row<'r>, Index<'w>), Box<dyn std::error::Error>> {
    let at: i64 = row.get(0)?;
    let kind = usize::try_from(row.get::<_, i64>(3)?)?;
    let kind = words.kinds.get(kind).and_then(Option::as_ref).ok_or("no such kind")?;
    let run = match row.get::<_, Option<i64>>(4)? {
        None => None,
        Some(number) => Some(words.runs.get(&number).ok_or("no such run")?.as_str()),
    };
    let (level, category, action) = (kind.level.as_str(), kind.category.as_str(), kind.action.as_str());
    let index = Index { level, category, action, run, route: kind.route.as_deref() };
    let read = Row {
        seq: at & ((1 << SEQ_BITS) - 1),
        ts_ns: row.get(1)?,
        epoch: row.get(2)?,
        leaf: row.get_ref(5)?.as_blob()?,
        mac: row.get_ref(6)?.as_blob()?,
        body: row.get_ref(7)?.as_blob_or_null()?,
        index: Index::default(),
    };
    Ok((read, index))
}

fn parse_key(text: &str) -> Result<Key> {
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
    let bytes: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| Error::new(Kind::Invalid, &KEY_OTHER, "this is no first key: it must be 32 bytes in base64"))?;
    Ok(Key::new(bytes))
}
