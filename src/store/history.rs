//! Runs as they are on record: read back, by whatever they are asked for.

use rusqlite::{Row, params};

use super::{RunState, Store, only, sql};
use crate::error::Result;
use crate::error::codes::store::RUN_UNKNOWN;
use crate::record::Totals;

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// Its route.
    pub route: String,
    /// Its fence.
    pub fence: u64,
    /// How it stands.
    pub state: RunState,
    /// When it began, nanoseconds since 1970.
    pub started_ns: i64,
    /// When it ended.
    pub ended_ns: Option<i64>,
    /// The due time it stood for.
    pub due_ns: Option<i64>,
    /// What made it run.
    pub cause: String,
    /// How it ran.
    pub flags: Vec<String>,
    /// Who.
    pub actor: Option<String>,
    /// From where.
    pub origin: Option<String>,
    /// For which tenant.
    pub tenant: Option<String>,
    /// Hash of the project; [`Store::config`] has the text.
    pub project: String,
    /// Hash of the mapping.
    pub mapping: String,
    /// Groups that were settled.
    pub groups: u64,
    /// The counts.
    pub totals: Totals,
    /// The exit code.
    pub exit: Option<u8>,
    /// Code and cause of the error that ended it.
    pub error: Option<(String, String)>,
    /// What there was to say.
    pub warnings: Vec<String>,
}

/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Of this route, or of every target of the mapping of that name.
    pub route: Option<String>,
    /// Begun at or after, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// No more than so many, the newest first. 0: all.
    pub limit: usize,
}

/// One reason why records of a run were rejected, with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectReason {
    /// Its code.
    pub code: String,
    /// The field at fault, if it is one.
    pub field: Option<String>,
    /// How many records.
    pub records: u64,
    /// The cause, as the first of them has it.
    pub cause: String,
    /// Where the first of them stands.
    pub source: String,
    /// On which line.
    pub line: u64,
}

impl Store {
    /// Runs, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>> {
        let of_route = sql::OF_FAMILY.replace("??", "?1");
        let limit = if filter.limit == 0 { -1 } else { sql::int(filter.limit as u64) };
        self.query_runs(
            &format!(
                "WHERE (?1 IS NULL OR {of_route}) AND (?2 IS NULL OR started_ns >= ?2) ORDER BY number DESC LIMIT ?3"
            ),
            params![filter.route, filter.since_ns, limit],
        )
    }

    /// How many runs of a route are on record, and their counts added up.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn run_sums(&self, route: &str) -> Result<(u64, Totals)> {
        self.db
            .prepare_cached(
                "SELECT count(*), total(read), total(filtered), total(rejected), total(withheld), total(written),
                   total(unchanged), total(deleted), total(refused), total(bytes_read) FROM runs WHERE route = ?1",
            )
            .and_then(|mut statement| {
                statement.query_row([route], |row| {
                    let sum = |index: usize| row.get::<_, f64>(index).map(|sum| sum as u64);
                    let totals = Totals {
                        read: sum(1)?,
                        filtered: sum(2)?,
                        rejected: sum(3)?,
                        withheld: sum(4)?,
                        written: sum(5)?,
                        unchanged: sum(6)?,
                        deleted: sum(7)?,
                        refused: sum(8)?,
                        bytes_read: sum(9)?,
                        ..Totals::default()
                    };
                    Ok((sql::count(row.get(0)?), totals))
                })
            })
            .map_err(|e| sql::error("adding up the runs of a route", e))
    }

    /// The run whose id is this or the only one to begin with it. The random end of an id will do as well.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn run(&self, id: &str) -> Result<RunRow> {
        let found = self.query_runs(
            r"WHERE id LIKE ?1 || '%' ESCAPE '\' OR id LIKE '%' || ?1 ESCAPE '\' ORDER BY number DESC LIMIT 10",
            params![sql::literal_pattern(id)],
        )?;
        only(found, id, "run", "sync history", &RUN_UNKNOWN)
    }

    /// Why records of a run were rejected, the most frequent reason first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn reject_reasons(&self, run: &str) -> Result<Vec<RejectReason>> {
        let doing = "reading why records were rejected";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT code, field, records, cause, source, line FROM run_rejects WHERE run = ?1
                 ORDER BY records DESC, code, field",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map([run], |row| {
                Ok(RejectReason {
                    code: row.get(0)?,
                    field: Some(row.get::<_, String>(1)?).filter(|field| !field.is_empty()),
                    records: sql::count(row.get(2)?),
                    cause: row.get(3)?,
                    source: row.get(4)?,
                    line: sql::count(row.get(5)?),
                })
            })
            .map_err(|e| sql::error(doing, e))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))
    }

    /// The canonical configuration that was kept under this hash.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn config(&self, hash: &str) -> Result<Option<String>> {
        use rusqlite::OptionalExtension as _;
        self.db
            .query_row("SELECT document FROM configs WHERE hash = ?1", [hash], |row| row.get(0))
            .optional()
            .map_err(|e| sql::error("reading a kept configuration", e))
    }

    pub(super) fn query_runs(&self, rest: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<RunRow>> {
        let doing = "reading runs";
        let mut statement = self
            .db
            .prepare_cached(&format!(
                "SELECT id, route, fence, state, started_ns, ended_ns, due_ns, cause, flags, actor, origin, tenant, project,
                        mapping, groups, read, mapped, filtered, rejected, withheld, produced, superseded, written, unchanged,
                        refused, in_doubt, bytes_read, bytes_written, deleted, unmatched, exit, error_code, error_cause, warnings FROM runs {rest}"
            ))
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement.query_map(values, run_row).map_err(|e| sql::error(doing, e))?;
        rows.map(|row| {
            let (mut row, flags, warnings) = row.map_err(|e| sql::error(doing, e))?;
            row.flags = sql::from_json(&flags, "the flags of a run")?;
            row.warnings = sql::from_json(&warnings, "the warnings of a run")?;
            Ok(row)
        })
        .collect()
    }
}

pub(super) fn totals_of(row: &Row<'_>, at: usize) -> rusqlite::Result<Totals> {
    let get = |index: usize| row.get::<_, i64>(at + index).map(sql::count);
    Ok(Totals {
        read: get(0)?,
        mapped: get(1)?,
        // Not kept by itself: it is what the others leave.
        exploded: (get(5)? + get(6)?).saturating_sub(get(1)?),
        filtered: get(2)?,
        rejected: get(3)?,
        withheld: get(4)?,
        produced: get(5)?,
        superseded: get(6)?,
        written: get(7)?,
        unchanged: get(8)?,
        refused: get(9)?,
        in_doubt: get(10)?,
        bytes_read: get(11)?,
        bytes_written: get(12)?,
        deleted: get(13)?,
        unmatched: get(14)?,
    })
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<(RunRow, String, String)> {
    let error: (Option<String>, Option<String>) = (row.get(31)?, row.get(32)?);
    let run = RunRow {
        id: row.get(0)?,
        route: row.get(1)?,
        fence: sql::count(row.get(2)?),
        state: RunState::of(&row.get::<_, String>(3)?),
        started_ns: row.get(4)?,
        ended_ns: row.get(5)?,
        due_ns: row.get(6)?,
        cause: row.get(7)?,
        flags: Vec::new(),
        actor: row.get(9)?,
        origin: row.get(10)?,
        tenant: row.get(11)?,
        project: row.get(12)?,
        mapping: row.get(13)?,
        groups: sql::count(row.get(14)?),
        totals: totals_of(row, 15)?,
        exit: row.get(30)?,
        error: error.0.map(|code| (code, error.1.unwrap_or_default())),
        warnings: Vec::new(),
    };
    Ok((run, row.get(8)?, row.get(33)?))
}
