//! The one thread that writes: binds cells to one prepared statement, and commits each group
//! together with the row that names it.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement};

use super::cells::Cell;
use super::database::{connect, has_commits, keep_seen, prepare_commits};
use super::failure::{failure, refusal};
use super::table::{Fitted, Table};
use crate::config::Mode;
use crate::connect::commits::{self, Claim, CommitRow, TABLE as COMMITS, signed};
use crate::connect::{Batch, DeleteGuard, Effects, Found, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt, Refusal};
use crate::store::Tenure;

/// A table of an SQLite database as a target.
pub(super) struct SqliteSink {
    path: PathBuf,
    table: Table,
    create: bool,
    busy: Duration,
    claim: Claim,
    rehearse: bool,
    statement: String,
    /// For each column its place in the key, from 1.
    key: Vec<Option<usize>>,
    database: Option<Connection>,
    fitted: Fitted,
    /// Of the group in hand.
    done: Receipt,
}

impl SqliteSink {
    pub(super) fn new(
        path: PathBuf,
        table: Table,
        create: bool,
        busy: Duration,
        ids: (&str, &str),
        anew: bool,
        rehearse: bool,
    ) -> Self {
        let statement = table.statement();
        let doing = format!("writing `{}` in `{}`", table.name, path.display());
        let place = |column: usize| table.key.iter().position(|at| *at == column).map(|at| at + 1);
        let key = (0..table.columns.len()).map(place).collect();
        Self {
            path,
            table,
            create,
            busy,
            claim: Claim::new(ids, anew, doing),
            rehearse,
            statement,
            key,
            database: None,
            fitted: Fitted::default(),
            done: Receipt::default(),
        }
    }

    /// An error of the engine as ours.
    fn failed(&self, error: rusqlite::Error) -> Error {
        failure(&self.claim.doing, error)
    }

    fn database(&self) -> Result<&Connection> {
        self.database.as_ref().ok_or_else(|| Error::bug("the SQLite target is used before it was opened"))
    }

    fn commit_row(&self) -> Result<Option<CommitRow>> {
        self.database()?
            .query_row(&commits::read_row(COMMITS), [&self.claim.route], |row| {
                Ok(CommitRow { log_id: row.get(0)?, group: row.get(1)?, fence: row.get(2)? })
            })
            .optional()
            .map_err(|e| self.failed(e))
    }

    /// Begins the group's transaction unless it has begun.
    fn begin(&self) -> Result<()> {
        let database = self.database()?;
        if database.is_autocommit() {
            database.execute_batch("BEGIN IMMEDIATE").map_err(|e| self.failed(e))?;
        }
        Ok(())
    }
}

impl Sink for SqliteSink {
    fn under(&mut self, fence: u64, _tenure: &Tenure) {
        self.claim.fence = fence;
    }

    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        if self.rehearse {
            return self.open_to_look(settled, in_doubt);
        }
        self.database = Some(connect(&self.path, self.busy)?);
        let database = self.database()?;
        let failed = |e| self.failed(e);
        database.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        prepare_commits(database).map_err(failed)?;
        let claim = &self.claim;
        if claim.fence > 0 {
            database
                .execute(&commits::raise_fence(COMMITS), (&claim.route, &claim.log_id, signed(claim.fence)))
                .map_err(failed)?;
        }
        let found = claim.compare(self.commit_row()?, settled, in_doubt)?;
        let name = &self.table.name;
        let there = self.table.holds_rows(database)?;
        claim.compare_table(name, there, settled, self.table.mode.keyed(), &format!("DELETE FROM {name}"))?;
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

    fn may_refuse(&self) -> bool {
        !self.fitted.plain
    }

    fn recall(&mut self) -> Result<Option<Receipt>> {
        let kept: Option<(i64, Option<String>)> = self
            .database()?
            .query_row(&commits::read_receipt(COMMITS), [&self.claim.route], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|e| self.failed(e))?;
        Ok(kept.and_then(|(group, text)| commits::recalled(group, text.as_deref())))
    }

    fn adopt(&mut self) -> Result<Option<Mark>> {
        self.database = Some(connect(&self.path, self.busy)?);
        let failed = |e| self.failed(e);
        let database = self.database()?;
        if !has_commits(database).map_err(failed)? {
            return Ok(None);
        }
        database.execute(&commits::adopt(COMMITS), [&self.claim.log_id, &self.claim.route]).map_err(failed)?;
        Ok(self.commit_row()?.map(|row| row.mark(&self.claim.route)))
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.begin()?;
        let database = self.database()?;
        let failed = |e| self.failed(e);
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
        let before = self.received();
        let mut done = self.done.clone();
        for index in 0..batch.records {
            let record = bytes;
            let mut refused = None;
            for column in 0..self.table.columns.len() {
                let cell = Cell::take(&mut bytes).ok_or_else(cut_off)?;
                let value = match careful {
                    true => self.fitting(cell, column).unwrap_or_else(|| {
                        refused.get_or_insert_with(|| self.would_lose(column));
                        value(cell)
                    }),
                    false => value(cell),
                };
                statement.raw_bind_parameter(column + 1, value).map_err(failed)?;
            }
            let changed = match refused {
                Some(refused) => Err(refused),
                None => self.execute(database, &mut statement)?,
            };
            if let Some(see) = &mut see {
                self.see(see, record)?;
            }
            let changed = match changed {
                Ok(changed) => changed,
                Err(refused) => {
                    done.refused += 1;
                    done.refusals.push(Refusal { record: before + index, ..refused });
                    continue;
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
                self.bind(look, record)?;
                if look.raw_query().next().map_err(failed)?.is_none() {
                    done.unmatched += 1;
                }
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
        let failed = |e| self.failed(e);
        let kept = commits::kept(mark, &self.done)?;
        let taken = database
            .prepare_cached(&commits::take_mark(COMMITS))
            .and_then(|mut statement| {
                statement.execute((
                    &mark.route,
                    &mark.log_id,
                    signed(mark.group),
                    signed(mark.fence),
                    signed(self.written_so_far()),
                    kept,
                    self.claim.anew,
                ))
            })
            .map_err(failed)?;
        if taken == 0 {
            return Err(self.claim.not_taken(self.commit_row()?.as_ref(), mark));
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
        let failed = |e| self.failed(e);
        let mut look = database.prepare_cached(&self.table.look()).map_err(failed)?;
        let mut see = database.prepare_cached(&self.table.see()).map_err(failed)?;
        let mut effects = Effects::default();
        let mut bytes = batch.bytes.as_slice();
        for _ in 0..batch.records {
            let record = bytes;
            bytes = self.bind(&mut look, record)?;
            let there: Option<bool> = match look.raw_query().next().map_err(failed)? {
                Some(row) => Some(row.get(0).map_err(failed)?),
                None => None,
            };
            // A key that came before in this rehearsal stands there by now, or is gone.
            let again = !self.see(&mut see, record)?;
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
        let failed = |e| self.failed(e);
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
            return Err(refused.doing(&self.claim.doing));
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
                .map_err(|e| self.failed(e))?;
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
    /// Opens the target to look at it: nothing of it changes.
    fn open_to_look(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let failed = |e| self.failed(e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = match self.path.exists() {
            true => Connection::open_with_flags(&self.path, flags),
            false => Connection::open_in_memory(),
        };
        let database = database.map_err(failed)?;
        database.busy_timeout(self.busy).map_err(failed)?;
        // What is looked at stays as it is from here on.
        database.execute_batch("PRAGMA temp_store = FILE; BEGIN").map_err(failed)?;
        let there = has_commits(&database).map_err(failed)?;
        let fitted = self.table.prepare(&database, self.create, true)?;
        if self.table.mode.keyed() {
            keep_seen(&database, &self.table.seen(&fitted)).map_err(failed)?;
        }
        self.fitted = fitted;
        self.database = Some(database);
        let row = if there { self.commit_row()? } else { None };
        let found = self.claim.compare(row, settled, in_doubt)?;
        // A look ahead is refused what the run would be.
        let (name, there) = (&self.table.name, self.table.holds_rows(self.database()?)?);
        self.claim.compare_table(name, there, settled, self.table.mode.keyed(), &format!("DELETE FROM {name}"))?;
        Ok(found)
    }

    /// Records of the group in hand that are in the target.
    fn written_so_far(&self) -> u64 {
        self.done.written + self.done.unchanged
    }

    /// Records of the group in hand.
    fn received(&self) -> u64 {
        self.written_so_far() + self.done.refused
    }

    /// Executes the statement for the record that is bound: whether it changed something, or why the
    /// record alone was refused.
    #[inline]
    fn execute(&self, database: &Connection, statement: &mut Statement<'_>) -> Result<Result<bool, Refusal>> {
        let failed = |e| self.failed(e);
        if !self.fitted.triggers {
            // A statement that is refused leaves nothing behind.
            return match statement.raw_execute() {
                Ok(changed) => Ok(Ok(changed > 0)),
                Err(error) => self.refused(database, error).map(Err),
            };
        }
        // What a trigger did before another one, or it itself, refused the record may stay (RAISE(FAIL)).
        database.prepare_cached("SAVEPOINT record").and_then(|mut s| s.raw_execute()).map_err(failed)?;
        let done = match statement.raw_execute() {
            Ok(changed) => Ok(changed > 0),
            Err(error) => {
                let refused = self.refused(database, error)?;
                database.prepare_cached("ROLLBACK TO record").and_then(|mut s| s.raw_execute()).map_err(failed)?;
                Err(refused)
            }
        };
        database.prepare_cached("RELEASE record").and_then(|mut s| s.raw_execute()).map_err(failed)?;
        Ok(done)
    }

    /// Why the engine refused the record, if that is all that happened.
    #[cold]
    fn refused(&self, database: &Connection, error: rusqlite::Error) -> Result<Refusal> {
        match refusal(&error) {
            // A constraint that is declared ON CONFLICT ROLLBACK has taken the whole group back.
            Some((cause, named)) if !database.is_autocommit() => {
                let field = named.and_then(|named| {
                    self.table.columns.iter().find(|column| column.eq_ignore_ascii_case(&named)).cloned()
                });
                Ok(Refusal { record: 0, cause, field, doubt: false })
            }
            _ => Err(self.failed(error).fact("record of the group, from 1", self.received() + 1)),
        }
    }

    /// A cell as its column takes it; `None`: not without loss.
    #[inline]
    fn fitting<'b>(&self, cell: Cell<'b>, column: usize) -> Option<ToSqlOutput<'b>> {
        match self.fitted.binary.get(column) {
            Some(true) => without_loss(cell),
            _ => Some(value(cell)),
        }
    }

    /// The same to look for it: what a column could not hold without loss is in no row of it.
    #[inline]
    fn as_sought<'b>(&self, cell: Cell<'b>, column: usize) -> ToSqlOutput<'b> {
        self.fitting(cell, column).unwrap_or_else(|| value(cell))
    }

    /// Binds the cells of a record that the statement asks for; what follows the record.
    fn bind<'b>(&self, statement: &mut Statement<'_>, record: &'b [u8]) -> Result<&'b [u8]> {
        let mut rest = record;
        let wanted = statement.parameter_count();
        for column in 0..self.table.columns.len() {
            let cell = Cell::take(&mut rest).ok_or_else(cut_off)?;
            if column < wanted {
                let value = self.as_sought(cell, column);
                statement.raw_bind_parameter(column + 1, value).map_err(|e| self.failed(e))?;
            }
        }
        Ok(rest)
    }

    /// Remembers the key of a record; whether it is new.
    fn see(&self, see: &mut Statement<'_>, record: &[u8]) -> Result<bool> {
        let failed = |e| self.failed(e);
        let mut rest = record;
        for (column, place) in self.key.iter().enumerate() {
            let cell = Cell::take(&mut rest).ok_or_else(cut_off)?;
            if let Some(place) = place {
                see.raw_bind_parameter(*place, self.as_sought(cell, column)).map_err(failed)?;
            }
        }
        Ok(see.raw_execute().map_err(failed)? > 0)
    }

    /// Remembers the keys that came without a record.
    fn see_keys(&self, see: &mut Statement<'_>, batch: &Batch) -> Result<()> {
        let failed = |e| self.failed(e);
        let mut bytes = batch.seen.as_slice();
        for _ in 0..batch.seen_records {
            for (place, column) in self.table.key.iter().enumerate() {
                let cell = Cell::take(&mut bytes).ok_or_else(cut_off)?;
                see.raw_bind_parameter(place + 1, self.as_sought(cell, *column)).map_err(failed)?;
            }
            see.raw_execute().map_err(failed)?;
        }
        match bytes.is_empty() {
            true => Ok(()),
            false => Err(Error::bug("a batch for SQLite holds more than its keys")),
        }
    }

    #[cold]
    fn would_lose(&self, column: usize) -> Refusal {
        let name = self.table.columns.get(column).map_or("?", String::as_str);
        let cause = format!(
            "column `{name}` would keep a decimal as a binary floating-point number: declare it TEXT, which loses nothing"
        );
        Refusal { record: 0, cause, field: Some(name.to_string()), doubt: false }
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
