//! The one thread that writes: binds cells to one prepared statement, and commits each group
//! together with the row that names it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement};
use serde::{Deserialize, Serialize};

use super::cells::Cell;
use super::failure;
use super::table::{Fitted, Table};
use crate::config::Mode;
use crate::connect::{Batch, DeleteGuard, Effects, Found, Sink};
use crate::error::codes::connect::{NOT_A_DATABASE, TABLE_UNFIT, TARGET_CHANGED, TARGET_FENCED, TARGET_FOREIGN};
use crate::error::{Error, Kind, Result};
use crate::record::{Mark, Receipt};
use crate::store::Tenure;

/// The table of commit rows: one per route.
pub(super) const COMMITS: &str = "_consign_commits";

/// Rows of a table keyed by a wide text need wide pages: fewer levels, fewer splits. Only for
/// databases we make.
const PAGE_BYTES: u32 = 8192;
/// Page cache: the process as a whole stays within 64 MiB.
const CACHE_KIB: i64 = 16 * 1024;
/// Page cache of the keys that a mirror has seen.
const SEEN_CACHE_KIB: i64 = 8 * 1024;
/// The write-ahead log is copied back once it is about this large: each copying costs two
/// further syncs, and readers get slower with its length.
const LOG_BYTES: u32 = 64 << 20;

/// A table of an SQLite database as a target.
pub(super) struct SqliteSink {
    path: PathBuf,
    table: Table,
    create: bool,
    busy: Duration,
    log_id: String,
    route: String,
    anew: bool,
    rehearse: bool,
    /// The fence of this run; 0 if nobody said.
    fence: u64,
    statement: String,
    /// For each column its place in the key, from 1.
    key: Vec<Option<usize>>,
    database: Option<Connection>,
    fitted: Fitted,
    /// Of the group in hand.
    done: Receipt,
}

/// What a group came to, as it is kept with the group's number.
#[derive(Serialize, Deserialize)]
struct Kept {
    group: i64,
    #[serde(flatten)]
    receipt: Receipt,
}

/// A commit row.
struct Commit {
    log_id: String,
    group: i64,
    fence: i64,
}

impl SqliteSink {
    pub(super) fn new(
        path: PathBuf,
        table: Table,
        create: bool,
        busy: Duration,
        (log_id, route): (&str, &str),
        anew: bool,
        rehearse: bool,
    ) -> Self {
        let statement = table.statement();
        let place = |column: usize| table.key.iter().position(|at| *at == column).map(|at| at + 1);
        let key = (0..table.columns.len()).map(place).collect();
        Self {
            path,
            table,
            create,
            busy,
            log_id: log_id.into(),
            route: route.into(),
            anew,
            rehearse,
            statement,
            key,
            fence: 0,
            database: None,
            fitted: Fitted::default(),
            done: Receipt::default(),
        }
    }

    fn doing(&self) -> String {
        format!("writing `{}` in `{}`", self.table.name, self.path.display())
    }

    fn database(&self) -> Result<&Connection> {
        self.database.as_ref().ok_or_else(|| Error::bug("the SQLite target is used before it was opened"))
    }

    /// The commit row of this route.
    fn commit_row(&self) -> Result<Option<Commit>> {
        self.database()?
            .query_row(
                &format!("SELECT log_id, group_no, fence FROM {COMMITS} WHERE route = ?1"),
                [&self.route],
                |row| Ok(Commit { log_id: row.get(0)?, group: row.get(1)?, fence: row.get(2)? }),
            )
            .optional()
            .map_err(|e| failure(self.doing(), e))
    }

    /// Begins the group's transaction unless it has begun.
    fn begin(&self) -> Result<()> {
        let database = self.database()?;
        if database.is_autocommit() {
            database.execute_batch("BEGIN IMMEDIATE").map_err(|e| failure(self.doing(), e))?;
        }
        Ok(())
    }

    /// Says why the commit row did not take the mark.
    #[cold]
    fn why_not_committed(&self, mark: &Mark) -> Error {
        match self.commit_row() {
            Ok(Some(row)) if row.log_id != mark.log_id => self.foreign(&row),
            Ok(Some(row)) if row.fence > signed(mark.fence) => self.fenced(row.fence, mark.fence),
            Ok(Some(row)) => Error::new(Kind::Refused, &TARGET_CHANGED, "the target already holds this group")
                .doing(self.doing())
                .fact("group of the target", row.group)
                .fact("group of this run", mark.group),
            Ok(None) => Error::bug("the commit row vanished within its own transaction"),
            Err(error) => error,
        }
    }

    #[cold]
    fn fenced(&self, newer: i64, fence: u64) -> Error {
        Error::new(Kind::Locked, &TARGET_FENCED, "a newer run of this route has taken the target over")
            .doing(self.doing())
            .fact("fencing number of the target", newer)
            .fact("fencing number of this run", fence)
            .hint("look at `consign sync history`; nothing of this group was written")
            .hint("was the state brought back from an older copy? Then `consign sync state adopt` takes over what the target knows")
    }

    /// Raises the fence in the commit row: a run with a lower one, woken after it was taken over,
    /// commits nothing more.
    fn raise_fence(&self, there: i64) -> Result<()> {
        if self.fence == 0 {
            return Ok(());
        }
        if there > signed(self.fence) {
            return Err(self.fenced(there, self.fence));
        }
        self.database()?
            .execute(
                &format!(
                    "INSERT INTO {COMMITS} (route, log_id, group_no, fence, records) VALUES (?1, ?2, 0, ?3, 0) \
                     ON CONFLICT (route) DO UPDATE SET fence = excluded.fence, log_id = excluded.log_id"
                ),
                (&self.route, &self.log_id, signed(self.fence)),
            )
            .map(drop)
            .map_err(|e| failure(self.doing(), e))
    }

    fn foreign(&self, row: &Commit) -> Error {
        Error::new(
            Kind::Refused,
            &TARGET_FOREIGN,
            format!("the target knows route `{}` under another state", self.route),
        )
        .doing(self.doing())
        .fact("log id of the target", &row.log_id)
        .fact("log id of this state", &self.log_id)
        .hint("compare the two first; `consign sync state adopt` takes over what the target knows")
    }
}

impl Sink for SqliteSink {
    fn under(&mut self, fence: u64, _tenure: &Tenure) {
        self.fence = fence;
    }

    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        if self.rehearse {
            return self.open_to_look(settled, in_doubt);
        }
        self.database = Some(connect(&self.path, self.busy)?);
        let database = self.database()?;
        let failed = |e| failure(self.doing(), e);
        database.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        database
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {COMMITS} (route TEXT NOT NULL PRIMARY KEY, log_id TEXT NOT NULL, \
                 group_no INTEGER NOT NULL, fence INTEGER NOT NULL, records INTEGER NOT NULL, receipt TEXT) \
                 WITHOUT ROWID"
            ))
            .map_err(failed)?;
        if !has_receipts(database).map_err(failed)? {
            // Made by an earlier version, which goes on working with it.
            database.execute_batch(&format!("ALTER TABLE {COMMITS} ADD COLUMN receipt TEXT")).map_err(failed)?;
        }
        let found = {
            // A row of group 0 says that somebody began and never wrote.
            let row = self.commit_row()?.filter(|row| row.group > 0 || row.log_id == self.log_id);
            let fence = row.as_ref().map_or(0, |row| row.fence);
            let found = self.compare(row.filter(|row| row.group > 0), settled, in_doubt)?;
            self.raise_fence(fence)?;
            found
        };
        let there = self.table.holds_rows(database)?;
        if there.is_none() && !self.anew && settled.is_some_and(|mark| mark.group > 0) {
            return Err(self.changed(format!("table `{}` is gone", self.table.name)).hint(
                "put the table back, or write everything again with `--full`: only new records would come otherwise",
            ));
        }
        if there == Some(true) && self.anew && !self.table.mode.keyed() {
            let name = &self.table.name;
            return Err(Error::new(
                Kind::Refused,
                &TARGET_CHANGED,
                format!("table `{name}` holds rows, and `mode: append` would add every record to it again"),
            )
            .doing(self.doing())
            .hint(format!("empty it first (DELETE FROM {name}), or use `mode: upsert` with a key")));
        }
        let fitted = self.table.prepare(database, self.create, false)?;
        database.execute_batch("COMMIT").map_err(failed)?;
        // Finds a column that changed its name or a broken trigger now, not after the first part.
        database.prepare_cached(&self.statement).map_err(failed)?;
        if self.table.mode == Mode::Mirror {
            keep_seen(database, &self.table.seen(&fitted)).map_err(failed)?;
        }
        self.fitted = fitted;
        Ok(found)
    }

    fn recall(&mut self) -> Result<Option<Receipt>> {
        let text: Option<(i64, Option<String>)> = self
            .database()?
            .query_row(&format!("SELECT group_no, receipt FROM {COMMITS} WHERE route = ?1"), [&self.route], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|e| failure(self.doing(), e))?;
        // An earlier version writes the row without what the group came to.
        let kept = text.and_then(|(group, text)| {
            let kept: Kept = serde_json::from_str(&text?).ok()?;
            (kept.group == group).then_some(kept.receipt)
        });
        Ok(kept)
    }

    fn adopt(&mut self) -> Result<Option<Mark>> {
        self.database = Some(connect(&self.path, self.busy)?);
        let failed = |e| failure(self.doing(), e);
        let database = self.database()?;
        let commits: Option<i64> = database
            .query_row("SELECT 1 FROM sqlite_schema WHERE name = ?1", [COMMITS], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if commits.is_none() {
            return Ok(None);
        }
        database
            .execute(&format!("UPDATE {COMMITS} SET log_id = ?2 WHERE route = ?1"), [&self.route, &self.log_id])
            .map_err(failed)?;
        Ok(self.commit_row()?.map(|row| Mark {
            log_id: row.log_id,
            route: self.route.clone(),
            group: row.group.unsigned_abs(),
            fence: row.fence.unsigned_abs(),
            length: None,
            known: None,
        }))
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.begin()?;
        let database = self.database()?;
        let failed = |e| failure(self.doing(), e);
        let mut statement = database.prepare_cached(&self.statement).map_err(failed)?;
        let mode = self.table.mode;
        let mut look = match mode {
            Mode::Update => Some(database.prepare_cached(&self.table.look()).map_err(failed)?),
            _ => None,
        };
        let mut see = match mode {
            Mode::Mirror => Some(database.prepare_cached(&self.table.see()).map_err(failed)?),
            _ => None,
        };
        let mut bytes = batch.bytes.as_slice();
        let careful = self.fitted.binary.contains(&true);
        let mut done = self.done.clone();
        for index in 0..batch.records {
            let record = bytes;
            for column in 0..self.table.columns.len() {
                let cell = Cell::take(&mut bytes).ok_or_else(cut_off)?;
                let value = if careful { self.fitting(cell, column, index)? } else { value(cell) };
                statement.raw_bind_parameter(column + 1, value).map_err(failed)?;
            }
            let changed = match statement.raw_execute() {
                Ok(changed) => changed > 0,
                Err(error) => {
                    let nth = self.written_so_far() + index + 1;
                    return Err(failure(self.doing(), error).fact("record of the group, from 1", nth));
                }
            };
            match (changed, mode) {
                (true, Mode::Delete) => {
                    done.written += 1;
                    done.deleted += 1;
                }
                (true, _) => done.written += 1,
                (false, _) => done.unchanged += 1,
            }
            if !changed && mode == Mode::Delete {
                done.unmatched += 1;
            }
            if let (false, Some(look)) = (changed, &mut look) {
                self.bind(look, record, index)?;
                if look.raw_query().next().map_err(failed)?.is_none() {
                    done.unmatched += 1;
                }
            }
            if let Some(see) = &mut see {
                self.see(see, record, index)?;
            }
        }
        if !bytes.is_empty() {
            return Err(Error::bug("a batch for SQLite holds more than its records"));
        }
        if let Some(see) = &mut see {
            self.see_keys(see, batch)?;
        }
        drop((statement, look, see));
        self.done = done;
        Ok(())
    }

    fn commit(&mut self, mark: &Mark) -> Result<Receipt> {
        self.begin()?;
        let database = self.database()?;
        let failed = |e| failure(self.doing(), e);
        let kept = Kept { group: signed(mark.group), receipt: self.done.clone() };
        let kept = serde_json::to_string(&kept).map_err(|e| Error::bug(e.to_string()))?;
        let taken = database
            .prepare_cached(&format!(
                "INSERT INTO {COMMITS} (route, log_id, group_no, fence, records, receipt) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?7) \
                 ON CONFLICT (route) DO UPDATE SET group_no = excluded.group_no, fence = excluded.fence, \
                 records = excluded.records, receipt = excluded.receipt \
                 WHERE log_id = excluded.log_id AND fence <= excluded.fence AND (?6 OR group_no < excluded.group_no)"
            ))
            .and_then(|mut statement| {
                statement.execute((
                    &mark.route,
                    &mark.log_id,
                    signed(mark.group),
                    signed(mark.fence),
                    signed(self.written_so_far()),
                    self.anew,
                    kept,
                ))
            })
            .map_err(failed)?;
        if taken == 0 {
            return Err(self.why_not_committed(mark));
        }
        database.execute_batch("COMMIT").map_err(failed)?;
        Ok(std::mem::take(&mut self.done))
    }

    fn foresee(&mut self, batch: &Batch) -> Result<Effects> {
        let mode = self.table.mode;
        if !mode.keyed() {
            return Ok(Effects { created: batch.records, ..Effects::default() });
        }
        let database = self.database()?;
        let failed = |e| failure(self.doing(), e);
        let mut look = database.prepare_cached(&self.table.look()).map_err(failed)?;
        let mut see = database.prepare_cached(&self.table.see()).map_err(failed)?;
        let mut effects = Effects::default();
        let mut bytes = batch.bytes.as_slice();
        for index in 0..batch.records {
            let record = bytes;
            bytes = self.bind(&mut look, record, index)?;
            let there: Option<bool> = match look.raw_query().next().map_err(failed)? {
                Some(row) => Some(row.get(0).map_err(failed)?),
                None => None,
            };
            // A key that came before in this rehearsal stands there by now, or is gone.
            let again = !self.see(&mut see, record, index)?;
            let (count, unmatched) = match (mode, there) {
                (Mode::Delete, Some(_)) if !again => (&mut effects.deleted, false),
                (Mode::Delete, _) | (Mode::Update, None) => (&mut effects.unchanged, true),
                (_, Some(false)) if !again => (&mut effects.unchanged, false),
                (_, None) if !again => (&mut effects.created, false),
                _ => (&mut effects.updated, false),
            };
            *count += 1;
            effects.unmatched += u64::from(unmatched);
        }
        self.see_keys(&mut see, batch)?;
        Ok(effects)
    }

    fn sweep(&mut self, mark: &Mark, guard: DeleteGuard, foresee: bool) -> Result<Receipt> {
        if self.table.mode != Mode::Mirror {
            return Err(Error::bug("only a mirror deletes what it has not seen"));
        }
        if !foresee {
            self.begin()?;
        }
        let failed = |e| failure(self.doing(), e);
        let count = |from: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {from}");
            let found: i64 = self.database()?.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
            Ok(found.unsigned_abs())
        };
        let unseen = self.table.unseen(&self.fitted);
        let deleted = count(&unseen)?;
        if foresee {
            return Ok(Receipt { deleted, ..Receipt::default() });
        }
        let allowed = guard.check(deleted, count(&super::table::quoted(&self.table.name))?);
        if let Err(refused) = allowed {
            self.database()?.execute_batch("ROLLBACK").map_err(failed)?;
            return Err(refused.doing(self.doing()));
        }
        if deleted > 0 {
            let gone = self.database()?.execute(&format!("DELETE FROM {unseen}"), []).map_err(failed)? as u64;
            self.done.deleted = gone;
        }
        self.commit(mark)
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(database) = self.database.take() {
            // A reader may hold an old state: then the log stays, and nothing is lost by it.
            let _: Option<i64> = database
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .optional()
                .map_err(|e| failure(self.doing(), e))?;
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.done = Receipt::default();
        // Closing takes the open transaction back, whatever state it is in.
        self.database = None;
    }
}

impl SqliteSink {
    fn changed(&self, cause: String) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause).doing(self.doing())
    }

    /// What the commit row says against what this state has settled.
    fn compare(&self, row: Option<Commit>, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let changed = |cause: String| self.changed(cause);
        let group = settled.map_or(0, |mark| signed(mark.group));
        match row {
            Some(row) if row.log_id != self.log_id => Err(self.foreign(&row)),
            None if group == 0 || self.anew => Ok(Found::Same),
            None => Err(changed(format!("the target knows nothing of route `{}`, which has settled groups", self.route))
                .fact("groups settled", group)
                .hint("put the database back, or write everything again with `--full`")),
            Some(_) if self.anew && settled.is_none() => Ok(Found::Same),
            Some(row) if row.group == group || (self.anew && row.group < group) => Ok(Found::Same),
            Some(row) if row.group == group + 1 && in_doubt => Ok(Found::Ahead),
            Some(row) if row.group > group => Err(Error::new(
                Kind::Refused,
                &TARGET_FOREIGN,
                format!("the target holds groups of route `{}` that this state never settled", self.route),
            )
            .doing(self.doing())
            .fact("group of the target", row.group)
            .fact("groups settled here", group)
            .hint("the state was restored or lost: `consign sync state adopt` takes over what the target knows")),
            Some(row) => Err(changed(format!("the target misses groups of route `{}`", self.route))
                .fact("group of the target", row.group)
                .fact("groups settled here", group)
                .hint("the database was restored from an older copy: put it back, or write everything again with `--full`")),
        }
    }

    /// Opens the target to look at it: nothing of it changes.
    fn open_to_look(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let failed = |e| failure(self.doing(), e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = match self.path.exists() {
            true => Connection::open_with_flags(&self.path, flags),
            false => Connection::open_in_memory(),
        };
        let database = database.map_err(failed)?;
        database.busy_timeout(self.busy).map_err(failed)?;
        // What is looked at stays as it is from here on.
        database.execute_batch("PRAGMA temp_store = FILE; BEGIN").map_err(failed)?;
        let commits: Option<i64> = database
            .query_row("SELECT 1 FROM sqlite_schema WHERE name = ?1", [COMMITS], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let fitted = self.table.prepare(&database, self.create, true)?;
        if self.table.mode.keyed() {
            keep_seen(&database, &self.table.seen(&fitted)).map_err(failed)?;
        }
        self.fitted = fitted;
        self.database = Some(database);
        match commits {
            Some(_) => self.compare(self.commit_row()?.filter(|row| row.group > 0), settled, in_doubt),
            None => self.compare(None, settled, in_doubt),
        }
    }

    /// Records of the group in hand.
    fn written_so_far(&self) -> u64 {
        self.done.written + self.done.unchanged
    }

    /// A cell as its column takes it without loss.
    #[inline]
    fn fitting<'b>(&self, cell: Cell<'b>, column: usize, index: u64) -> Result<ToSqlOutput<'b>> {
        match self.fitted.binary.get(column) {
            Some(true) => without_loss(cell).ok_or_else(|| self.would_lose(column, index)),
            _ => Ok(value(cell)),
        }
    }

    /// Binds the cells of a record that the statement asks for; what follows the record.
    fn bind<'b>(&self, statement: &mut Statement<'_>, record: &'b [u8], index: u64) -> Result<&'b [u8]> {
        let mut rest = record;
        let wanted = statement.parameter_count();
        for column in 0..self.table.columns.len() {
            let cell = Cell::take(&mut rest).ok_or_else(cut_off)?;
            if column < wanted {
                let value = self.fitting(cell, column, index)?;
                statement.raw_bind_parameter(column + 1, value).map_err(|e| failure(self.doing(), e))?;
            }
        }
        Ok(rest)
    }

    /// Remembers the key of a record; whether it is new.
    fn see(&self, see: &mut Statement<'_>, record: &[u8], index: u64) -> Result<bool> {
        let failed = |e| failure(self.doing(), e);
        let mut rest = record;
        for (column, place) in self.key.iter().enumerate() {
            let cell = Cell::take(&mut rest).ok_or_else(cut_off)?;
            if let Some(place) = place {
                see.raw_bind_parameter(*place, self.fitting(cell, column, index)?).map_err(failed)?;
            }
        }
        Ok(see.raw_execute().map_err(failed)? > 0)
    }

    /// Remembers the keys that came without a record.
    fn see_keys(&self, see: &mut Statement<'_>, batch: &Batch) -> Result<()> {
        let failed = |e| failure(self.doing(), e);
        let mut bytes = batch.seen.as_slice();
        for _ in 0..batch.seen_records {
            for (place, column) in self.table.key.iter().enumerate() {
                let cell = Cell::take(&mut bytes).ok_or_else(cut_off)?;
                // What a column could not hold without loss is in no row of it.
                let value = match self.fitted.binary.get(*column) {
                    Some(true) => without_loss(cell).unwrap_or_else(|| value(cell)),
                    _ => value(cell),
                };
                see.raw_bind_parameter(place + 1, value).map_err(failed)?;
            }
            see.raw_execute().map_err(failed)?;
        }
        match bytes.is_empty() {
            true => Ok(()),
            false => Err(Error::bug("a batch for SQLite holds more than its keys")),
        }
    }

    #[cold]
    fn would_lose(&self, column: usize, index: u64) -> Error {
        let name = self.table.columns.get(column).map_or("?", String::as_str);
        Error::new(
            Kind::Failed,
            &TABLE_UNFIT,
            format!("column `{name}` would keep a decimal as a binary floating-point number"),
        )
        .doing(self.doing())
        .fact("record of the group, from 1", self.written_so_far() + index + 1)
        .hint("declare the column TEXT, which loses nothing, or make the value an `int` in the mapping")
    }
}

#[cfg(test)]
impl SqliteSink {
    /// Lets the database grow no further.
    pub(super) fn limit_pages(&self, pages: u32) {
        self.database().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Makes the connection one that may only read.
    pub(super) fn forbid_writing(&self) {
        self.database().unwrap().pragma_update(None, "query_only", true).unwrap();
    }
}

/// Opens the database with the settings all writing relies on.
fn connect(path: &Path, busy: Duration) -> Result<Connection> {
    let doing = format!("opening `{}`", path.display());
    let new = match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            return Err(Error::new(Kind::Invalid, &NOT_A_DATABASE, "the path is a folder").doing(doing));
        }
        Ok(about) => about.len() == 0,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::metadata(folder).map_err(|e| {
                Error::io(format!("{doing} in `{}`", folder.display()), e).hint("make the folder first")
            })?;
            true
        }
        Err(error) => return Err(Error::io(doing, error)),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(busy)?;
        if new {
            database.pragma_update(None, "page_size", PAGE_BYTES)?;
        }
        database.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: a commit that returned survives a power loss. NORMAL would not keep that promise.
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "cache_size", -CACHE_KIB)?;
        database.pragma_update(None, "temp_store", "MEMORY")?;
        let page: u32 = database.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        database.pragma_update(None, "wal_autocheckpoint", LOG_BYTES / page.max(512))?;
        Ok(database)
    };
    open().map_err(|e| failure(doing, e))
}

/// Makes the table of keys that were seen. It lies in a file that is deleted at the end, and a small
/// part of it in memory: a mirror of any size needs the same.
fn keep_seen(database: &Connection, definition: &str) -> rusqlite::Result<()> {
    database
        .execute_batch(&format!("PRAGMA temp_store = FILE; PRAGMA temp.cache_size = -{SEEN_CACHE_KIB}; {definition}"))
}

/// Whether the commit rows say what their groups came to.
fn has_receipts(database: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'receipt'";
    database.query_row(sql, [COMMITS], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

#[cold]
fn cut_off() -> Error {
    Error::bug("a batch for SQLite does not hold what its encoder writes")
}

#[inline]
fn value(cell: Cell<'_>) -> ToSqlOutput<'_> {
    match cell {
        Cell::Text(text) | Cell::Decimal(text) => ToSqlOutput::Borrowed(ValueRef::Text(text)),
        Cell::Integer(number) => ToSqlOutput::Owned(Owned::Integer(number)),
        Cell::Null => ToSqlOutput::Owned(Owned::Null),
        Cell::Double(number) => ToSqlOutput::Owned(Owned::Real(number)),
        Cell::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}

/// The value for a column of numeric affinity: digits only as an integer, for what SQLite would
/// make of other digits is a binary number. `None` if it would lose something.
fn without_loss(cell: Cell<'_>) -> Option<ToSqlOutput<'_>> {
    let (Cell::Text(digits) | Cell::Decimal(digits)) = cell else { return Some(value(cell)) };
    let text = std::str::from_utf8(digits).ok()?;
    match text.parse::<i64>() {
        Ok(number) => Some(ToSqlOutput::Owned(Owned::Integer(number))),
        Err(_) if text.trim().parse::<f64>().is_ok() => None,
        Err(_) => Some(value(cell)),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
