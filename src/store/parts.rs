//! Where the events of a log are: the oldest in sealed segments, files of their own that nobody writes to, the
//! newest in the live log. Whoever reads events asks here for the part that they are in.
//!
//! A long reading goes in steps, each of one moment and short: so it never keeps a writer from emptying the
//! write-ahead log, however many events there are.

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags, Row, params};

use super::append::{self, SEQ_BITS};
use super::{Store, sql};
use crate::error::codes::audit::SEGMENT_GONE;
use crate::error::{Error, Kind, Result};

/// So many segments stay open for the next question.
const MOST_OPEN: usize = 8;

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its log.
    pub(super) log: i64,
    /// Its first event, by number.
    pub first: u64,
    /// Its last event.
    pub last: u64,
    /// The time of its first event, nanoseconds since 1970.
    pub first_ns: i64,
    /// The time of its last event.
    pub last_ns: i64,
    /// The name of its file in the folder `segments` of the state.
    pub file: String,
}

/// Events of a log that are in one place.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where its first event is, or would be.
    pub from: i64,
    /// Past its last one.
    pub end: i64,
    /// `None`: the live log.
    pub segment: Option<Segment>,
}

/// What is met while a log is gone through.
pub(super) enum Met<'a> {
    /// The rows that follow are in another part.
    Part(&'a Part),
    /// A row.
    Row(&'a Row<'a>),
}

impl Store {
    /// The sealed segments of the log in use, the oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn segments(&self) -> Result<Vec<Segment>> {
        self.segments_of(self.log.number)
    }

    pub(super) fn segments_of(&self, log: i64) -> Result<Vec<Segment>> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Segment {
                log,
                first: sql::count(row.get(0)?),
                last: sql::count(row.get(1)?),
                first_ns: row.get(2)?,
                last_ns: row.get(3)?,
                file: row.get(4)?,
            })
        };
        self.db
            .prepare_cached(
                "SELECT first, last, first_ns, last_ns, file FROM audit_segments WHERE log = ?1 ORDER BY first",
            )
            .and_then(|mut statement| statement.query_map([log], read)?.collect())
            .map_err(|e| sql::error("reading the segments of the audit log", e))
    }

    /// Every part of a log, the oldest first; the live log is the last.
    pub(super) fn parts(&self, log: i64) -> Result<Vec<Part>> {
        let mut parts: Vec<Part> = Vec::new();
        for segment in self.segments_of(log)? {
            let (from, end) = (append::at(log, segment.first), append::at(log, segment.last + 1));
            parts.push(Part { from, end, segment: Some(segment) });
        }
        // What is still in the live log of sealed events is about to go.
        let from = parts.last().map_or(append::at(log, 0), |last| last.end);
        parts.push(Part { from, end: append::at(log + 1, 0), segment: None });
        Ok(parts)
    }

    /// The part that an event is in, or would be.
    pub(super) fn part_of(&self, at: i64) -> Result<Part> {
        let mut parts = self.parts(at >> SEQ_BITS)?;
        let place = parts.iter().position(|part| at < part.end).unwrap_or(parts.len() - 1);
        Ok(parts.swap_remove(place))
    }

    /// Asks the database that a part is in.
    pub(super) fn on<T>(&self, part: &Part, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let Some(segment) = &part.segment else { return work(&self.db) };
        let known = {
            let mut open = self.open_segments.borrow_mut();
            let place = open.iter().position(|(file, _)| *file == segment.file);
            place.map(|place| open.remove(place).1)
        };
        let db = match known {
            Some(db) => db,
            None => self.open_segment(segment)?,
        };
        let done = work(&db);
        let mut open = self.open_segments.borrow_mut();
        open.insert(0, (segment.file.clone(), db));
        open.truncate(MOST_OPEN);
        done
    }

    /// Does what must see one moment: others may go on writing. Where a segment was replaced just then, again.
    pub(super) fn at_once<T>(&self, doing: &str, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        if !self.db.is_autocommit() {
            return work();
        }
        let mut again = true;
        loop {
            self.db.execute_batch("BEGIN").map_err(|e| sql::error(doing, e))?;
            let done = work();
            let _ = self.db.execute_batch("ROLLBACK");
            match done {
                Err(error) if again && std::ptr::eq(error.code(), &SEGMENT_GONE) => again = false,
                done => return done,
            }
        }
    }

    /// Goes through a log from one place to another, in order and for as long as `take` wants more: so many rows
    /// in each step, of them these columns, of which `at` is the first.
    pub(super) fn walk_rows(
        &self,
        doing: &str,
        columns: &str,
        (from, end): (i64, i64),
        step: i64,
        take: &mut dyn FnMut(Met<'_>) -> Result<bool>,
    ) -> Result<()> {
        let fail = |e| sql::error(doing, e);
        let text = format!("SELECT {columns} FROM audit_events WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT ?3");
        let (mut cursor, mut before) = (from, None);
        while cursor < end {
            cursor = self.at_once(doing, || {
                let part = self.part_of(cursor)?;
                let file = part.segment.as_ref().map(|segment| segment.file.clone());
                if before.as_ref() != Some(&file) {
                    take(Met::Part(&part))?;
                    before = Some(file);
                }
                let until = end.min(part.end);
                self.on(&part, |db| {
                    let mut statement = db.prepare_cached(&text).map_err(fail)?;
                    let mut rows = statement.query([cursor, until, step]).map_err(fail)?;
                    let (mut seen, mut next) = (0, cursor);
                    while let Some(row) = rows.next().map_err(fail)? {
                        seen += 1;
                        next = row.get::<_, i64>(0).map_err(fail)? + 1;
                        if !take(Met::Row(row))? {
                            return Ok(end);
                        }
                    }
                    Ok(if seen == step { next } else { until })
                })
            })?;
        }
        Ok(())
    }

    /// The file of a segment.
    pub(super) fn segment_path(&self, file: &str) -> PathBuf {
        self.folder.segments().join(file)
    }

    fn open_segment(&self, segment: &Segment) -> Result<Connection> {
        let path = self.segment_path(&segment.file);
        if !path.is_file() {
            return Err(gone(segment));
        }
        open_sealed(&path).map_err(|e| unreadable(segment, e))
    }
}

/// Opens a file that nobody writes to.
pub(super) fn open_sealed(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let db = Connection::open_with_flags(super::open::immutable(&path), flags)?;
    db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(db)
}

/// The file of a segment is not there.
pub(super) fn gone(segment: &Segment) -> Error {
    Error::new(Kind::Tampered, &SEGMENT_GONE, format!("the segment `{}` of the audit log is missing", segment.file))
        .fact("events", format!("{} to {}", segment.first, segment.last))
        .hint("put it back from a backup into the folder `segments` of the state")
        .hint("keep a copy of the state folder as it is and run `consign audit verify`")
}

fn unreadable(segment: &Segment, error: rusqlite::Error) -> Error {
    append::tampered(&format!("the segment `{}` of the audit log cannot be read", segment.file)).caused_by(error)
}

/// All columns of an event, `at` first.
pub(super) const COLUMNS: &str = "at, ts_ns, epoch, kind, run, leaf, mac, body";

/// So many they are.
pub(super) const VALUES: usize = 8;

/// What puts so many events into a database, at once. Whoever fails with it takes the whole transaction back: so the
/// database need not be ready to take back one statement, for which it would copy every page that the statement changes.
pub(super) fn insert(events: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; events].join(", ");
    format!("INSERT OR FAIL INTO audit_events ({COLUMNS}) VALUES {values}")
}

/// How many events of these kinds are in a part between two places.
pub(super) fn count(db: &Connection, kinds: &[i64], (from, end): (i64, i64)) -> Result<u64> {
    let fail = |e| sql::error("counting events", e);
    let mut all = 0;
    let mut statement = db
        .prepare_cached("SELECT count(*) FROM audit_events WHERE kind = ?1 AND at >= ?2 AND at < ?3")
        .map_err(fail)?;
    for kind in kinds {
        all += statement.query_row(params![kind, from, end], |row| row.get::<_, i64>(0)).map_err(fail)?;
    }
    Ok(sql::count(all))
}
