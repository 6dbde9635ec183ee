//! Reads a table or a query of an SQLite database: one read transaction for everything a run asks,
//! so that bound and rows are of one snapshot. A thread of its own walks the rows, because they
//! live as long as their statement.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, InterruptHandle, OpenFlags, OptionalExtension};

use super::failure;
use super::table::quoted;
use crate::connect::rows::{Database, Key, KeyKind, Layout, Relation, RowWriter, Scan, Statement, Wanted};
use crate::connect::{Part, Source};
use crate::error::codes::connect::{DATABASE, NOT_A_DATABASE};
use crate::error::{Error, Kind, Result, nearest};
use crate::record::Timestamp;

/// Parts that wait for the road: one is being made meanwhile.
const AHEAD: usize = 1;
/// Page cache of the reading side.
const CACHE_KIB: i64 = 8 * 1024;

/// A stream of rows.
pub(super) struct SqliteSource {
    path: PathBuf,
    busy: Duration,
    wanted: Option<Wanted>,
    reading: Option<Reading>,
    notes: Arc<Mutex<Vec<String>>>,
}

struct Reading {
    parts: Receiver<Result<Part>>,
    interrupt: Arc<Mutex<Option<InterruptHandle>>>,
    thread: JoinHandle<()>,
}

impl SqliteSource {
    pub(super) fn new(path: PathBuf, busy: Duration, wanted: Wanted) -> Self {
        Self { path, busy, wanted: Some(wanted), reading: None, notes: Arc::default() }
    }

    fn begin(&mut self, wanted: Wanted) -> Result<Reading> {
        let (out, parts) = sync_channel(AHEAD);
        let interrupt = Arc::default();
        let walk = Walk {
            path: self.path.clone(),
            busy: self.busy,
            out,
            interrupt: Arc::clone(&interrupt),
            notes: Arc::clone(&self.notes),
        };
        let thread = std::thread::Builder::new()
            .name("sqlite source".into())
            .spawn(move || {
                if let Err(error) = walk.walk(wanted) {
                    // Nobody listens any more: then nobody asks for the error either.
                    let _ = walk.out.send(Err(error));
                }
            })
            .map_err(|e| Error::io("starting a thread to read the database", e))?;
        Ok(Reading { parts, interrupt, thread })
    }
}

impl Source for SqliteSource {
    fn next(&mut self) -> Result<Option<Part>> {
        if let Some(wanted) = self.wanted.take() {
            self.reading = Some(self.begin(wanted)?);
        }
        let Some(reading) = &self.reading else { return Ok(None) };
        match reading.parts.recv() {
            Ok(part) => part.map(Some),
            Err(_) => {
                let ended = self.reading.take().map(|reading| reading.thread.join());
                match ended {
                    Some(Err(_)) => Err(Error::bug("the thread that reads the database panicked")),
                    _ => Ok(None),
                }
            }
        }
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for SqliteSource {
    fn drop(&mut self) {
        let Some(Reading { parts, interrupt, thread }) = self.reading.take() else { return };
        // The thread may stand in a long sort or wait for somebody to take its part.
        drop(parts);
        if let Some(handle) = &*interrupt.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.interrupt();
        }
        let _ = thread.join();
    }
}

struct Walk {
    path: PathBuf,
    busy: Duration,
    out: SyncSender<Result<Part>>,
    interrupt: Arc<Mutex<Option<InterruptHandle>>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Walk {
    fn walk(&self, wanted: Wanted) -> Result<()> {
        let name = wanted.slice.clone();
        let doing = || format!("reading `{name}` of `{}`", self.path.display());
        let connection = open_to_read(&self.path, self.busy)?;
        *self.interrupt.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.get_interrupt_handle());
        let found = self.rows(&connection, wanted).map_err(|e| if e.what().is_some() { e } else { e.doing(doing()) });
        *self.interrupt.lock().unwrap_or_else(PoisonError::into_inner) = None;
        found
    }

    fn rows(&self, connection: &Connection, wanted: Wanted) -> Result<()> {
        let doing = format!("reading `{}` of `{}`", wanted.slice, self.path.display());
        let failed = |e| failure(doing.clone(), e);
        // From the first look on everything is of one snapshot, the schema too.
        connection.execute_batch("BEGIN").map_err(failed)?;
        let relation = relation(connection, &wanted, &doing)?;
        let layout = layout(connection, &wanted, &relation).map_err(|e| e.doing(doing.clone()))?;
        let columns = layout.columns.len();
        let mut database = Snapshot { connection, relation, doing: doing.clone() };
        let mut scan = Scan::new(wanted, layout, &mut database)?;
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).append(&mut scan.notes());
        let Some(statement) = scan.statement(&database) else { return Ok(()) };
        let mut parts = scan.parts();
        let mut prepared = connection.prepare(&statement.sql).map_err(failed)?;
        bind(&mut prepared, &statement).map_err(failed)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            let writer = parts.row();
            for column in 0..columns {
                write(row.get_ref(column).map_err(failed)?, writer);
            }
            if let Some(part) = parts.end_row()?
                && self.out.send(Ok(part)).is_err()
            {
                return Ok(());
            }
        }
        if let Some(part) = parts.end()? {
            // Nobody listens any more: the run was stopped.
            let _ = self.out.send(Ok(part));
        }
        Ok(())
    }
}

#[inline]
fn write(value: ValueRef<'_>, writer: &mut RowWriter) {
    match value {
        ValueRef::Null => writer.null(),
        ValueRef::Integer(number) => writer.int(number),
        ValueRef::Real(number) => writer.double(number),
        ValueRef::Text(text) => writer.text(text),
        ValueRef::Blob(bytes) => writer.bytes(bytes),
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, statement: &Statement) -> rusqlite::Result<()> {
    for (index, (_, key)) in statement.parameters.iter().enumerate() {
        let value = match key {
            Key::Bool(truth) => Owned::Integer(i64::from(*truth)),
            Key::Int(number) => Owned::Integer(*number),
            Key::Double(number) => Owned::Real(*number),
            Key::Bytes(bytes) => Owned::Blob(bytes.clone()),
            other => Owned::Text(other.shown()),
        };
        prepared.raw_bind_parameter(index + 1, ToSqlOutput::Owned(value))?;
    }
    Ok(())
}

/// The database inside its read transaction.
struct Snapshot<'c> {
    connection: &'c Connection,
    relation: String,
    doing: String,
}

impl Snapshot<'_> {
    fn ask<T>(&self, statement: &Statement, read: impl FnOnce(ValueRef<'_>) -> T) -> Result<Option<T>> {
        let failed = |e| failure(self.doing.clone(), e);
        let mut prepared = self.connection.prepare(&statement.sql).map_err(failed)?;
        bind(&mut prepared, statement).map_err(failed)?;
        let mut rows = prepared.raw_query();
        match rows.next().map_err(failed)? {
            Some(row) => Ok(Some(read(row.get_ref(0).map_err(failed)?))),
            None => Ok(None),
        }
    }

    fn number(&self, sql: String) -> Result<u64> {
        let found = self.ask(&Statement { sql, parameters: Vec::new() }, |value| value.as_i64().unwrap_or(0))?;
        Ok(found.unwrap_or(0).unsigned_abs())
    }
}

impl Database for Snapshot<'_> {
    fn relation(&self) -> String {
        self.relation.clone()
    }

    fn ordered(&self, name: &str) -> String {
        // A column that does not tell case apart would call two cursor values one.
        format!("{} COLLATE BINARY", quoted(name))
    }

    fn parameter(&self, number: usize, _column: &str) -> String {
        format!("?{number}")
    }

    fn count(&mut self, statement: &Statement) -> Result<u64> {
        Ok(self.ask(statement, |value| value.as_i64().unwrap_or(0))?.unwrap_or(0).unsigned_abs())
    }

    fn value(&mut self, statement: &Statement) -> Result<Option<Key>> {
        let no_text = || Error::new(Kind::Failed, &DATABASE, "the newest cursor value is text that is not UTF-8");
        let found = self.ask(statement, |value| match value {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(Key::Int(number))),
            ValueRef::Real(number) => Ok(Some(Key::Double(number))),
            ValueRef::Text(text) => {
                std::str::from_utf8(text).map(|text| Some(Key::Text(text.to_owned()))).map_err(|_| no_text())
            }
            ValueRef::Blob(bytes) => Ok(Some(Key::Bytes(bytes.to_vec()))),
        })?;
        found.transpose().map(Option::flatten)
    }

    fn now(&mut self) -> Result<Timestamp> {
        let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')".to_owned();
        let text = self.ask(&Statement { sql, parameters: Vec::new() }, |value| value.as_str().map(str::to_owned))?;
        text.and_then(|text| text.ok())
            .and_then(|text| Timestamp::parse_rfc3339(&text))
            .ok_or_else(|| Error::bug("SQLite does not know what time it is"))
    }

    fn strangers(&mut self, cursor: &str, kind: KeyKind) -> Result<u64> {
        // SQLite orders numbers before texts before bytes, whatever the column was declared as: an
        // index answers these.
        let column = self.ordered(cursor);
        let elsewhere = match kind {
            KeyKind::Text => format!("{column} < '' OR {column} >= x''"),
            KeyKind::Bytes => format!("{column} < x''"),
            _ => format!("{column} >= ''"),
        };
        self.number(format!("SELECT count(*) FROM {} WHERE {elsewhere}", self.relation))
    }
}

/// What stands after `FROM`.
fn relation(connection: &Connection, wanted: &Wanted, doing: &str) -> Result<String> {
    let table = match &wanted.relation {
        Relation::Query(query) => return Ok(format!("({query})")),
        Relation::Table(table) => table,
    };
    let failed = |e| failure(doing.to_owned(), e);
    let found: Option<String> = connection
        .query_row(
            "SELECT name FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [table],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)?;
    if let Some(name) = found {
        return Ok(quoted(&name));
    }
    let mut names = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )
        .map_err(failed)?;
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)?;
    let error = wanted.unfit(format!("there is no table `{table}`")).doing(doing.to_owned());
    Err(match nearest(table, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`consign connect discover NAME` lists the tables"),
    })
}

/// What the table or query has.
fn layout(connection: &Connection, wanted: &Wanted, relation: &str) -> Result<Layout> {
    let doing = format!("looking at `{}`", wanted.slice);
    let failed = |e| failure(doing.clone(), e);
    let layout = match &wanted.relation {
        Relation::Table(table) => table_layout(connection, table).map_err(failed)?,
        Relation::Query(query) => {
            let explained = |e| {
                failure(doing.clone(), e).hint("`query` is one SELECT, as it would stand in parentheses after FROM")
            };
            connection.prepare(&format!("SELECT * FROM {relation} LIMIT 0")).map_err(explained)?;
            // Asked of the query itself: in parentheses SQLite gives a second `a` another name.
            let prepared = connection.prepare(query).map_err(explained)?;
            let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
            Layout { nullable: columns.clone(), columns, ..Layout::default() }
        }
    };
    for (index, column) in layout.columns.iter().enumerate() {
        if layout.columns[..index].contains(column) {
            return Err(wanted
                .unfit(format!("two columns of the query are called `{column}`"))
                .hint("give each column of the query a name of its own: `SELECT a.id AS order_id, …`"));
        }
    }
    if layout.columns.is_empty() {
        return Err(wanted.unfit(format!("`{}` has no columns", wanted.slice)));
    }
    Ok(layout)
}

/// Columns, keys and what may be null.
pub(super) fn table_layout(connection: &Connection, table: &str) -> rusqlite::Result<Layout> {
    let mut layout = Layout::default();
    let mut primary: Vec<(i64, String, String)> = Vec::new();
    // Hidden columns of virtual tables are parameters, not data; generated ones (2, 3) are data.
    let mut statement =
        connection.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let (name, declared, not_null, key): (String, String, bool, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        if key > 0 {
            primary.push((key, name.clone(), declared));
        }
        if !not_null {
            layout.nullable.push(name.clone());
        }
        layout.columns.push(name);
    }
    primary.sort();
    if let [(_, name, declared)] = primary.as_slice()
        && declared.eq_ignore_ascii_case("INTEGER")
    {
        // The row's own number: never null, though it is not declared so.
        layout.nullable.retain(|column| column != name);
    }
    layout.primary = primary.into_iter().map(|(_, name, _)| name).collect();
    if !layout.primary.is_empty() {
        layout.unique.push(layout.primary.clone());
    }
    let mut statement = connection.prepare(
        "SELECT l.name, i.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i \
         WHERE l.\"unique\" = 1 AND l.partial = 0 ORDER BY l.name, i.seqno",
    )?;
    let mut rows = statement.query([table])?;
    let mut indexes = std::collections::BTreeMap::<String, Vec<Option<String>>>::new();
    while let Some(row) = rows.next()? {
        indexes.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    // An index over an expression says nothing of columns.
    layout.unique.extend(indexes.into_values().filter_map(|names| names.into_iter().collect::<Option<Vec<_>>>()));
    Ok(layout)
}

/// Opens a database that is there, so that nothing can be written.
pub(super) fn open_to_read(path: &Path, busy: Duration) -> Result<Connection> {
    let doing = format!("opening `{}` to read", path.display());
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            return Err(Error::new(Kind::Invalid, &NOT_A_DATABASE, "the path is a folder").doing(doing));
        }
        Ok(_) => {}
        Err(error) => return Err(Error::io(doing, error)),
    }
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(busy)?;
        database.pragma_update(None, "query_only", true)?;
        // A database from elsewhere must not run functions of ours from its views.
        database.pragma_update(None, "trusted_schema", false)?;
        database.pragma_update(None, "cell_size_check", true)?;
        database.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // Says at once whether this is a database at all.
        database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(database)
    };
    open().map_err(|e| failure(doing, e))
}
