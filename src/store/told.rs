//! What reports read: how the audit log stands, and the numbers of many runs at once.

use rusqlite::{OptionalExtension as _, params};

use super::checkpoints::Signed;
use super::tree::Kept;
use super::{RunRow, RunState, Store, Writing, append, sql};
use crate::audit::chain::Hash;
use crate::audit::{Action, merkle};
use crate::error::Result;
use crate::record::Calls;

/// How the audit log in use stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStanding {
    /// Its id.
    pub id: String,
    /// How many events were ever recorded in it: the number of the newest.
    pub size: u64,
    /// How many of the oldest are not there any more.
    pub pruned: u64,
    /// The root of the Merkle tree over all of them; `None`: an older consign wrote it last.
    pub root: Option<Hash>,
    /// When the newest was recorded, nanoseconds since 1970.
    pub last_ns: i64,
    /// How often the clock of the host went back, as far as it is recorded.
    pub clock_steps: u64,
    /// The newest checkpoint that was signed.
    pub checkpoint: Option<Signed>,
}

impl Store {
    /// How the audit log in use stands, or how it stood before a moment: what a report about the past says of
    /// it, however the log has grown since. Reads a handful of rows, however long the log is.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn log_standing(&self, until_ns: Option<i64>) -> Result<LogStanding> {
        let doing = "reading the head of the audit log";
        let fail = |e| sql::error(doing, e);
        let Some((number, id, stored)) = append::read_head(&self.db)? else {
            return Err(sql::damaged("the head of the audit log is gone"));
        };
        let pruned: Option<i64> = self
            .db
            .query_row("SELECT size FROM audit_floors WHERE log = ?1", [number], |row| row.get(0))
            .optional()
            .map_err(fail)?;
        let pruned = pruned.map_or(0, sql::count);
        let head = stored.head;
        let (mut size, mut last_ns, mut root) = (head.size, head.last_ns, head.root());
        let begin = append::at(number, 0);
        let end = until_ns.map_or(Ok(append::at(number + 1, 0)), |ns| self.at_time(number, ns))?;
        if end <= append::at(number, size) {
            let newest = self.newest_before(end)?.filter(|(at, _)| *at > begin);
            (size, last_ns) = newest.map_or((pruned, 0), |(at, ns)| (sql::count(at - begin), ns));
            let kept = Kept { store: self, log: number };
            root = (size > 0 && size >= pruned).then(|| merkle::root_at(size, &kept)).transpose()?;
        }
        Ok(LogStanding {
            id,
            size,
            pruned,
            root,
            last_ns,
            clock_steps: self.count_of(Action::ClockStep.word(), (begin, end))?,
            checkpoint: self.newest_checkpoint_within(0, size)?,
        })
    }

    /// Where the last event before a place is, and its time.
    fn newest_before(&self, end: i64) -> Result<Option<(i64, i64)>> {
        self.at_once("reading the audit log", || {
            let part = self.part_of(end - 1)?;
            self.on(&part, |db| {
                db.query_row(
                    "SELECT at, ts_ns FROM audit_events WHERE at >= ?1 AND at < ?2 ORDER BY at DESC LIMIT 1",
                    [part.from, end],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(|e| sql::error("reading the audit log", e))
            })
        })
    }
}

/// The numbers of a run that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunNumbers<'a> {
    /// Its number: what [`Store::runs_numbered`] finds it by.
    pub number: i64,
    /// When it began, nanoseconds since 1970.
    pub started_ns: i64,
    /// When it ended; `None`: its process died.
    pub ended_ns: Option<i64>,
    /// The due time it stood for.
    pub due_ns: Option<i64>,
    /// Its route.
    pub route: &'a str,
    /// How it ended.
    pub state: RunState,
    /// Records read.
    pub read: u64,
    /// Records written.
    pub written: u64,
    /// Records rejected, refused or in doubt.
    pub aside: u64,
    /// Bytes read and written.
    pub bytes: u64,
    /// The code of the error that ended it.
    pub error_code: Option<&'a str>,
}

/// The calls of one run to one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCalls {
    /// When the run began, nanoseconds since 1970.
    pub started_ns: i64,
    /// The connector.
    pub connector: String,
    /// What they came to.
    pub calls: Calls,
}

impl Store {
    /// Goes through the runs that began in a period and ended, in the order of their beginning.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn each_run(&self, from_ns: i64, until_ns: i64, mut each: impl FnMut(&RunNumbers<'_>)) -> Result<()> {
        let fail = |e| sql::error("reading the numbers of runs", e);
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT number, started_ns, ended_ns, due_ns, route, state, read, written, aside, bytes, error_code
                 FROM run_numbers WHERE started_ns >= ?1 AND started_ns < ?2 ORDER BY started_ns, number",
            )
            .map_err(fail)?;
        let mut rows = statement.query(params![from_ns, until_ns]).map_err(fail)?;
        let wrong = |_| sql::damaged("the numbers of a run cannot be read");
        while let Some(row) = rows.next().map_err(fail)? {
            let text = |at: usize| row.get_ref(at).map_err(fail);
            each(&RunNumbers {
                number: row.get(0).map_err(fail)?,
                started_ns: row.get(1).map_err(fail)?,
                ended_ns: row.get(2).map_err(fail)?,
                due_ns: row.get(3).map_err(fail)?,
                route: text(4)?.as_str().map_err(wrong)?,
                state: RunState::of(text(5)?.as_str().map_err(wrong)?),
                read: sql::count(row.get(6).map_err(fail)?),
                written: sql::count(row.get(7).map_err(fail)?),
                aside: sql::count(row.get(8).map_err(fail)?),
                bytes: sql::count(row.get(9).map_err(fail)?),
                error_code: text(10)?.as_str_or_null().map_err(wrong)?,
            });
        }
        Ok(())
    }

    /// The calls of the runs that began in a period.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn run_calls(&self, from_ns: i64, until_ns: i64) -> Result<Vec<RunCalls>> {
        let read = |row: &rusqlite::Row<'_>| {
            let get = |at: usize| row.get::<_, i64>(at).map(sql::count);
            let mut calls = Calls::default();
            (calls.calls, calls.retries, calls.throttled, calls.failed) = (get(2)?, get(3)?, get(4)?, get(5)?);
            (calls.waited_ns, calls.took_ns, calls.slowest_ns) = (get(6)?, get(7)?, get(8)?);
            calls.read_spread(row.get_ref(9)?.as_str()?);
            Ok(RunCalls { started_ns: row.get(0)?, connector: row.get(1)?, calls })
        };
        self.db
            .prepare_cached(
                "SELECT started_ns, connector, calls, retries, throttled, failed, waited_ns, took_ns, slowest_ns, spread
                 FROM run_calls WHERE started_ns >= ?1 AND started_ns < ?2 ORDER BY started_ns, number, connector",
            )
            .and_then(|mut statement| statement.query_map(params![from_ns, until_ns], read)?.collect())
            .map_err(|e| sql::error("reading the calls of runs", e))
    }

    /// Runs by their numbers, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn runs_numbered(&self, numbers: &[i64]) -> Result<Vec<RunRow>> {
        let list = numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        self.query_runs(&format!("WHERE number IN ({list}) ORDER BY number DESC"), &[])
    }

    /// Runs that are under way, or whose process died and nobody noticed yet.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn runs_under_way(&self) -> Result<Vec<RunRow>> {
        self.query_runs("WHERE state = 'running' ORDER BY number", &[])
    }
}

impl Writing<'_> {
    /// Notes the numbers of a run that has ended, and the calls it made.
    pub(super) fn note_numbers(&self, run: &str, calls: &[(String, Calls)]) -> Result<()> {
        let fail = |e| sql::error("noting the numbers of a run", e);
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO run_numbers SELECT started_ns, number, route, ended_ns, due_ns, state, read, written,
                   rejected + refused + in_doubt, bytes_read + bytes_written, error_code FROM runs WHERE id = ?1",
            )
            .and_then(|mut statement| statement.execute([run]))
            .map_err(fail)?;
        for (connector, of) in calls {
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO run_calls SELECT started_ns, number, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
                     FROM runs WHERE id = ?1",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        run,
                        connector,
                        sql::int(of.calls),
                        sql::int(of.retries),
                        sql::int(of.throttled),
                        sql::int(of.failed),
                        sql::int(of.waited_ns),
                        sql::int(of.took_ns),
                        sql::int(of.slowest_ns),
                        of.spread_text()
                    ])
                })
                .map_err(fail)?;
        }
        Ok(())
    }
}
