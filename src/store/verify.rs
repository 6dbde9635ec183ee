//! Verification of the whole state's audit logs, read as they are stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::append::{self, SEQ_BITS, StoredHead};
use super::browse::Kinds;
use super::{Store, sql};
use crate::audit::chain::Hash;
use crate::audit::merkle::Frontier;
use crate::audit::redaction::Redaction;
use crate::audit::verify::{Index, Known, Row};
use crate::audit::{Action, Event, Head, Key, Report, Setting, Verifier, verify};
use crate::error::codes::audit::KEY_OTHER;
use crate::error::{Error, Kind, Result};

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
        let doing = "verifying the audit log";
        // All of it from one moment: others may go on writing.
        self.db.execute_batch("BEGIN").map_err(|e| sql::error(doing, e))?;
        let done = self.verify_logs(evidence);
        let _ = self.db.execute_batch("ROLLBACK");
        done.map_err(|error| error.doing(doing))
    }

    /// All logs, in the transaction of the caller.
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
            let head = log.head.as_ref();
            let current = head.and_then(|stored| self.log.open_with(&log.id, stored));
            let first = evidence.first_key.as_ref().filter(|key| key.id() == log.first_key_id).cloned();
            let known = evidence.known.iter().filter(|(id, _)| *id == log.id).map(|(_, known)| known.clone());
            let setting = Setting {
                open_epoch: head.map(|stored| stored.head.epoch),
                plain_until: log.plain_until,
                floor: self.floor(log.number)?,
                redactions: self.redactions(log.number)?,
                known: known.collect(),
            };
            let mut verifier = Verifier::new(&log.id, verify::Keys { first, current }, setting);
            let treeless = head.is_some_and(|stored| stored.head.frontier.is_none());
            self.feed(log.number, treeless, &mut verifier)?;
            reports.push((verifier.finish(head.map(|stored| &stored.head)), log.closed));
        }
        Ok(Verification { logs: reports })
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
            .map_err(|e| sql::error("verifying the audit log", e))
    }

    /// Where a log begins, if its oldest events were pruned.
    pub(super) fn floor(&self, log: i64) -> Result<Option<Head>> {
        read_floor(&self.db, log)
    }

    /// What the events of a log say was redacted.
    fn redactions(&self, log: i64) -> Result<Vec<Redaction>> {
        let text = "SELECT e.body FROM audit_events e JOIN audit_kinds k USING (kind)
                    WHERE k.action = ?1 AND e.at >= ?2 AND e.at < ?3 ORDER BY e.at";
        let values = params![Action::EventsRedacted.word(), append::at(log, 0), append::at(log + 1, 0)];
        let bodies: Vec<Option<Vec<u8>>> = self
            .db
            .prepare_cached(text)
            .and_then(|mut statement| statement.query_map(values, |row| Ok(row.get(0).ok()))?.collect())
            .map_err(|e| sql::error("verifying the audit log", e))?;
        let read = |body: Vec<u8>| Event::read(&body).ok().and_then(|event| Redaction::of(&event.details));
        Ok(bodies.into_iter().flatten().filter_map(read).collect())
    }

    fn feed(&self, log: i64, treeless: bool, verifier: &mut Verifier) -> Result<()> {
        self.each_row(log, 0, (1 << SEQ_BITS) - 1, |row| {
            let Some(row) = row else {
                verifier.unreadable();
                return Ok(false);
            };
            let go_on = verifier.row(row);
            if go_on && !treeless {
                self.compare_nodes(log, verifier)?;
            }
            Ok(go_on)
        })
    }

    /// Every row of a log from one number to another, in order, for as long as `take` wants more. `None`:
    /// a column of the wrong kind, or text that is no text; somebody changed it.
    pub(super) fn each_row(
        &self,
        log: i64,
        first: u64,
        last: u64,
        mut take: impl FnMut(Option<&Row<'_>>) -> Result<bool>,
    ) -> Result<()> {
        let doing = "verifying the audit log";
        let words = Words {
            kinds: self.kinds().unwrap_or_default().into_iter().collect(),
            runs: self.run_ids().unwrap_or_default(),
        };
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT at, ts_ns, epoch, kind, run, leaf, mac, body FROM audit_events WHERE at >= ?1 AND at <= ?2 ORDER BY at",
            )
            .map_err(|e| sql::error(doing, e))?;
        let mut rows = statement
            .query(params![append::at(log, first), append::at(log, last)])
            .map_err(|e| sql::error(doing, e))?;
        while let Some(row) = rows.next().map_err(|e| sql::error(doing, e))? {
            if !take(read_row(row, &words).ok().as_ref())? {
                break;
            }
        }
        Ok(())
    }

    /// Compares the stored nodes that the last row completed with those that the verifier worked out.
    fn compare_nodes(&self, log: i64, verifier: &mut Verifier) -> Result<()> {
        for (level, place, hash) in verifier.nodes() {
            let stored: Option<Option<Hash>> = self
                .db
                .prepare_cached("SELECT hash FROM audit_nodes WHERE log = ?1 AND level = ?2 AND place = ?3")
                .and_then(|mut statement| {
                    let values = params![log, level, sql::int(place)];
                    statement.query_row(values, |row| Ok(row.get(0).ok())).optional()
                })
                .map_err(|e| sql::error("verifying the audit log", e))?;
            if stored.flatten() != Some(hash) {
                verifier.wrong_node(level, place);
            }
        }
        Ok(())
    }

    fn run_ids(&self) -> Result<std::collections::HashMap<i64, String>> {
        self.db
            .prepare_cached("SELECT number, id FROM audit_runs")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|e| sql::error("verifying the audit log", e))
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
            Err(sql::error("verifying the audit log", rusqlite::Error::SqliteFailure(failure, message)))
        }
        // Somebody changed it: with no floor the first event is missing, which is what it looks like.
        Err(_) => Ok(None),
    }
}

/// What numbers in rows stand for.
struct Words {
    kinds: std::collections::HashMap<i64, Kinds>,
    runs: std::collections::HashMap<i64, String>,
}

fn read_row<'r>(
    row: &'r rusqlite::Row<'r>,
    words: &'r Words,
) -> std::result::Result<Row<'r>, Box<dyn std::error::Error>> {
    let at: i64 = row.get(0)?;
    let kind = words.kinds.get(&row.get(3)?).ok_or("no such kind")?;
    let run = match row.get::<_, Option<i64>>(4)? {
        None => None,
        Some(number) => Some(words.runs.get(&number).ok_or("no such run")?.as_str()),
    };
    Ok(Row {
        seq: at & ((1 << SEQ_BITS) - 1),
        ts_ns: row.get(1)?,
        epoch: row.get(2)?,
        leaf: row.get_ref(5)?.as_blob()?,
        mac: row.get_ref(6)?.as_blob()?,
        body: row.get_ref(7)?.as_blob_or_null()?,
        index: Index {
            level: &kind.level,
            category: &kind.category,
            action: &kind.action,
            run,
            route: kind.route.as_deref(),
        },
    })
}

fn parse_key(text: &str) -> Result<Key> {
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
    let bytes: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| Error::new(Kind::Invalid, &KEY_OTHER, "this is no first key: it must be 32 bytes in base64"))?;
    Ok(Key::new(bytes))
}
