//! Events: recorded on their own, listed, shown, and verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{OptionalExtension as _, params};

use super::append::{self, StoredHead};
use super::{Store, only, sql};
use crate::audit::verify::{Index, Row};
use crate::audit::{Action, Draft, Event, Key, Level, Report, Verifier, verify};
use crate::error::codes::audit::{EVENT_UNKNOWN, KEY_OTHER};
use crate::error::{Error, Kind, Result};

/// Which events. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this action, or of those that begin with it (`run` for `run.started`, `run.finished` …).
    pub action: Option<String>,
    /// Of this level or above.
    pub level: Option<Level>,
    /// Of this category.
    pub category: Option<crate::audit::Category>,
    /// Of the run whose id begins so.
    pub run: Option<String>,
    /// Of this route.
    pub route: Option<String>,
    /// At or after, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Before, nanoseconds since 1970.
    pub until_ns: Option<i64>,
    /// No more than so many, the newest first. 0: all.
    pub limit: usize,
}

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
                .fact("event", bad.id.as_deref().unwrap_or("unreadable or missing")),
        )
    }
}

impl Store {
    /// Records an event on its own; its id.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn record_event(&mut self, draft: Draft) -> Result<Option<String>> {
        self.record(vec![draft]).map(|mut ids| ids.pop())
    }

    /// Records events on their own, in one transaction; their ids.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn record(&mut self, drafts: Vec<Draft>) -> Result<Vec<String>> {
        self.write("recording an event", |w| w.record(drafts))
    }

    /// Switches recording on or off, as the configuration says. The change itself is recorded;
    /// errors and critical events always are.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_auditing(&mut self, enabled: bool) -> Result<()> {
        if enabled == self.auditing {
            return Ok(());
        }
        self.auditing = true;
        let done = self.write("switching the audit log", |w| {
            let mut draft = Draft::new(if enabled { Action::AuditEnabled } else { Action::AuditDisabled });
            draft.risk = if enabled { 0.0 } else { 0.8 };
            w.record(vec![draft])?;
            w.db.execute("UPDATE state SET auditing = ?1", [enabled])
                .map(drop)
                .map_err(|e| sql::error("switching the audit log", e))
        });
        self.auditing = if done.is_ok() { enabled } else { !enabled };
        done
    }

    /// Events, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn audit_events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        let doing = "reading the audit log";
        let levels: Vec<&str> =
            Level::ALL.iter().filter(|l| filter.level.is_none_or(|least| **l >= least)).map(|l| l.word()).collect();
        let limit = if filter.limit == 0 { -1 } else { sql::int(filter.limit as u64) };
        let mut statement = self
            .db
            .prepare_cached(
                r"SELECT body FROM audit_events
                  WHERE (?1 IS NULL OR action = ?1 OR action LIKE ?2 ESCAPE '\') AND (?3 IS NULL OR category = ?3)
                    AND (?4 IS NULL OR run LIKE ?4 ESCAPE '\') AND (?5 IS NULL OR route = ?5)
                    AND (?6 IS NULL OR ts_ns >= ?6) AND (?7 IS NULL OR ts_ns < ?7)
                    AND (?8 IS NULL OR level IN (SELECT value FROM json_each(?8)))
                  ORDER BY log DESC, seq DESC LIMIT ?9",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map(
                params![
                    filter.action,
                    filter.action.as_ref().map(|a| sql::prefix_pattern(&format!("{a}."))),
                    filter.category.map(|c| c.word()),
                    filter.run.as_deref().map(sql::prefix_pattern),
                    filter.route,
                    filter.since_ns,
                    filter.until_ns,
                    filter.level.map(|_| serde_json::json!(levels).to_string()),
                    limit,
                ],
                |row| row.get::<_, Vec<u8>>(0),
            )
            .map_err(|e| sql::error(doing, e))?;
        rows.map(|body| read_body(&body.map_err(|e| sql::error(doing, e))?)).collect()
    }

    /// The event with this number in the log in use, or whose id is this or the only one to begin or end with it.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn audit_event(&self, id: &str) -> Result<Event> {
        let doing = "reading the audit log";
        if id.len() < 8
            && let Ok(seq) = id.parse::<i64>()
        {
            let body = self
                .db
                .query_row(
                    "SELECT body FROM audit_events WHERE log = ?1 AND seq = ?2",
                    params![self.log.number, seq],
                    |row| row.get::<_, Vec<u8>>(0),
                )
                .optional()
                .map_err(|e| sql::error(doing, e))?;
            if let Some(body) = body {
                return read_body(&body);
            }
        }
        let mut statement = self
            .db
            .prepare_cached("SELECT body FROM audit_events WHERE instr(body, CAST(?1 AS BLOB)) > 0 ORDER BY log, seq")
            .map_err(|e| sql::error(doing, e))?;
        let bodies: Vec<Vec<u8>> = statement
            .query_map([id], |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(|e| sql::error(doing, e))?;
        let mut found = Vec::new();
        for body in bodies {
            let event = read_body(&body)?;
            if event.id.starts_with(id) || event.id.ends_with(id) {
                found.push(event);
            }
        }
        only(found, id, "event", "audit list", &EVENT_UNKNOWN)
    }

    /// Verifies every log from its first event to its head, with the keys at hand: the current key
    /// out of the head, and the first key of one of the logs, if given (base64, as it was shown).
    ///
    /// # Errors
    /// The state cannot be read, or the first key belongs to none of the logs. What is wrong with
    /// the log is no error but part of the answer, see [`Verification::error`].
    pub fn verify_audit(&self, first_key: Option<&str>) -> Result<Verification> {
        let doing = "verifying the audit log";
        let first = first_key.map(parse_key).transpose()?;
        // All of it from one moment: others may go on writing.
        self.db.execute_batch("BEGIN").map_err(|e| sql::error(doing, e))?;
        let done = self.verify_logs(first.as_ref());
        let _ = self.db.execute_batch("ROLLBACK");
        done.map_err(|error| error.doing(doing))
    }

    /// All logs, in the transaction of the caller.
    pub(super) fn verify_logs(&self, first: Option<&Key>) -> Result<Verification> {
        let doing = "verifying the audit log";
        let mut statement = self
            .db
            .prepare(
                "SELECT l.log, l.id, l.closed_ns IS NOT NULL, l.first_key_id, h.size, h.last, h.running, h.epoch, h.epoch_since_ns,
                        h.epoch_events, h.last_ns, h.code, h.wrapped_by, h.wrapped
                 FROM audit_logs l LEFT JOIN audit_heads h USING (log) ORDER BY l.log",
            )
            .map_err(|e| sql::error(doing, e))?;
        let logs: Vec<(i64, String, bool, String, Option<StoredHead>)> = statement
            .query_map([], |row| {
                // A head with a field of the wrong size is no head.
                let head = append::head_of(row, 4).ok().and_then(|head| {
                    Some(StoredHead { head, wrapped_by: row.get(12).ok()?, wrapped: row.get(13).ok()? })
                });
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, head))
            })
            .and_then(Iterator::collect)
            .map_err(|e| sql::error(doing, e))?;
        if let Some(key) = first
            && !logs.iter().any(|(.., id, _)| *id == key.id())
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
        for (number, id, closed, key_id, head) in logs {
            let current = head.as_ref().and_then(|stored| self.current_key(&id, stored));
            let keys = verify::Keys { first: first.filter(|key| key.id() == key_id).cloned(), current };
            let open_epoch = head.as_ref().map(|stored| stored.head.epoch);
            let mut verifier = Verifier::new(&id, keys, open_epoch);
            self.feed(number, &mut verifier)?;
            reports.push((verifier.finish(head.as_ref().map(|stored| &stored.head)), closed));
        }
        Ok(Verification { logs: reports })
    }

    fn feed(&self, log: i64, verifier: &mut Verifier) -> Result<()> {
        let doing = "verifying the audit log";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT seq, ts_ns, epoch, body, leaf, previous, mac, level, category, action, run, route
                 FROM audit_events WHERE log = ?1 ORDER BY seq",
            )
            .map_err(|e| sql::error(doing, e))?;
        let mut rows = statement.query([log]).map_err(|e| sql::error(doing, e))?;
        while let Some(row) = rows.next().map_err(|e| sql::error(doing, e))? {
            let go_on = read_row(row).map(|row| verifier.row(&row));
            // A column of the wrong kind or text that is no text: somebody changed it.
            match go_on {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(_) => {
                    verifier.unreadable();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn current_key(&self, log_id: &str, stored: &StoredHead) -> Option<Key> {
        self.log.open_with(log_id, stored)
    }
}

fn read_row<'r>(row: &'r rusqlite::Row<'r>) -> std::result::Result<Row<'r>, Box<dyn std::error::Error>> {
    let blob = |index: usize| -> std::result::Result<&'r [u8], Box<dyn std::error::Error>> {
        Ok(row.get_ref(index)?.as_blob()?)
    };
    let text = |index: usize| -> std::result::Result<&'r str, Box<dyn std::error::Error>> {
        Ok(row.get_ref(index)?.as_str()?)
    };
    let maybe = |index: usize| -> std::result::Result<Option<&'r str>, Box<dyn std::error::Error>> {
        Ok(row.get_ref(index)?.as_str_or_null()?)
    };
    Ok(Row {
        seq: row.get(0)?,
        ts_ns: row.get(1)?,
        epoch: row.get(2)?,
        body: blob(3)?,
        leaf: blob(4)?,
        previous: blob(5)?,
        mac: blob(6)?,
        index: Index { level: text(7)?, category: text(8)?, action: text(9)?, run: maybe(10)?, route: maybe(11)? },
    })
}

fn read_body(body: &[u8]) -> Result<Event> {
    Event::read(body).map_err(|what| append::tampered(&format!("an event cannot be read: {what}")))
}

fn parse_key(text: &str) -> Result<Key> {
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(text.trim()).unwrap_or_default());
    let bytes: [u8; 32] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| Error::new(Kind::Invalid, &KEY_OTHER, "this is no first key: it must be 32 bytes in base64"))?;
    Ok(Key::new(bytes))
}
