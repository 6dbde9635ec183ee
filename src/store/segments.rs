//! Sealing: the oldest events of the live log move to files of their own that nobody writes to any more. The
//! log tells of each with the SHA-256 of its file.
//!
//! An event is in one place, whenever the process dies: a file counts from the moment that the database names
//! it, in the transaction that records it. What lies there before is a file that nothing names; what is still
//! in the live log after is no longer asked for. Both are tidied away by whoever opens the state next. Files
//! are never changed: where bodies are redacted or the oldest events removed, a new file takes the old one's place.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};

use super::append::{self, SEQ_BITS};
use super::parts::{self, COLUMNS, Met, Segment, VALUES};
use super::verify::sha256_of;
use super::{Store, Writing, failpoint, keys, lock, sql};
use crate::audit::chain::hex;
use crate::audit::merkle::TILE;
use crate::audit::{Action, Draft};
use crate::error::{Error, Result};

/// The events of a segment lie in its file as in the live log, and are found in the same ways.
const SCHEMA: &str = "
    PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
    BEGIN;
    CREATE TABLE audit_events (at INTEGER PRIMARY KEY, ts_ns INTEGER NOT NULL, epoch INTEGER NOT NULL,
      kind INTEGER NOT NULL, run INTEGER, leaf BLOB NOT NULL, mac BLOB NOT NULL, body BLOB) STRICT;";
const INDEXES: &str = "
    CREATE INDEX audit_events_by_kind ON audit_events (kind);
    CREATE INDEX audit_events_by_run ON audit_events (run) WHERE run IS NOT NULL;
    COMMIT;";

/// So many events are read, or leave the live log, in one transaction: some milliseconds, so that nobody who
/// has something to record waits for long.
const STEP: i64 = 2048;

/// A file that was written and is not yet named by the database.
pub(super) struct Written {
    segment: Segment,
    sha256: String,
    bytes: u64,
    /// The file that it takes the place of.
    replaces: Option<String>,
}

impl Store {
    /// Moves the oldest events of the log in use to sealed segments of about `each` events, for as long as `keep`
    /// newer ones stay in the live log. Returns the segments that were made.
    ///
    /// # Errors
    /// The state cannot be written; what was sealed until then stays sealed.
    pub fn seal_segments(&mut self, each: u64, keep: u64) -> Result<Vec<Segment>> {
        let each = (each / TILE).max(1) * TILE;
        let mut made = Vec::new();
        if !self.may_seal(each, keep)? {
            return Ok(made);
        }
        let _held = self.upkeep(self.options.wait)?;
        self.tidy()?;
        while self.may_seal(each, keep)? {
            let log = self.log.number;
            let first = self.sealed_until(log)? + 1;
            let written = self.write_segment(log, (first, first - 1 + each), &BTreeSet::new())?;
            failpoint::reach("segment_written");
            let segment = written.segment.clone();
            self.write("sealing a segment of the audit log", |w| {
                w.name_segment(&written)?;
                failpoint::reach("inside_segment");
                Ok(())
            })?;
            failpoint::reach("segment_sealed");
            self.empty_live(log)?;
            made.push(segment);
        }
        Ok(made)
    }

    /// Nobody else seals, prunes, redacts or restores while this is held.
    pub(super) fn upkeep(&self, wait: Duration) -> Result<lock::Held> {
        lock::upkeep(&self.folder, wait, self.now_ns())
    }

    /// Puts away what a process left behind that died while it sealed: files that nothing names, and events of
    /// the live log that are in a segment.
    pub(super) fn tidy(&mut self) -> Result<()> {
        let folder = self.folder.segments();
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
        let named: BTreeSet<String> = self
            .db
            .prepare_cached("SELECT file FROM audit_segments")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(|e| sql::error("reading the segments of the audit log", e))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name.ends_with(ENDING) || name.ends_with(UNFINISHED);
            if ours && !named.contains(&name) {
                // What cannot be removed now is tried again; nobody stops recording for it.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        for log in self.log_numbers()? {
            self.empty_live(log)?;
        }
        Ok(())
    }

    /// As [`Self::tidy`], where there is something and nobody is at it.
    pub(super) fn tidy_if_free(&mut self) -> Result<()> {
        if !self.folder.segments().is_dir() {
            return Ok(());
        }
        match self.upkeep(Duration::ZERO) {
            Ok(_held) => self.tidy(),
            Err(_) => Ok(()),
        }
    }

    /// Writes these events of a log to a new file, without the bodies of those that are named. What it is made
    /// of stays where it is.
    pub(super) fn write_segment(
        &self,
        log: i64,
        (first, last): (u64, u64),
        without: &BTreeSet<u64>,
    ) -> Result<Written> {
        let doing = "writing a segment of the audit log";
        let folder = self.folder.segments();
        let io = |path: &Path, e: std::io::Error| Error::io(format!("writing `{}`", path.display()), e);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| io(&folder, e))?;
        let name = format!("{first:012}-{last:012}-{}", hex(&keys::random::<8>()?));
        let (part, path) = (folder.join(format!("{name}{UNFINISHED}")), folder.join(format!("{name}{ENDING}")));
        let between = self.copy_rows(log, (first, last), without, &part)?;
        let Some((first_ns, last_ns)) = between else {
            return Err(append::tampered("events that were to be sealed are missing").doing(doing));
        };
        let file = File::open(&part).map_err(|e| io(&part, e))?;
        file.set_permissions(Permissions::from_mode(0o400)).and_then(|()| file.sync_all()).map_err(|e| io(&part, e))?;
        let sha256 = sha256_of(&part).map_err(|e| io(&part, e))?;
        let bytes = file.metadata().map_err(|e| io(&part, e))?.len();
        std::fs::rename(&part, &path).map_err(|e| io(&path, e))?;
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(|e| io(&folder, e))?;
        let segment = Segment { log, first, last, first_ns, last_ns, file: format!("{name}{ENDING}") };
        Ok(Written { segment, sha256, bytes, replaces: None })
    }

    /// Writes a segment anew: from another event on, or without bodies. The old file is still the one that counts.
    pub(super) fn rewrite_segment(&self, old: &Segment, first: u64, without: &BTreeSet<u64>) -> Result<Written> {
        let written = self.write_segment(old.log, (first, old.last), without)?;
        Ok(Written { replaces: Some(old.file.clone()), ..written })
    }

    /// Copies rows to a new database; the times of the first and the last.
    fn copy_rows(
        &self,
        log: i64,
        (first, last): (u64, u64),
        without: &BTreeSet<u64>,
        to: &Path,
    ) -> Result<Option<(i64, i64)>> {
        let doing = "writing a segment of the audit log";
        let fail = |e| sql::error(doing, e);
        let _ = std::fs::remove_file(to);
        let into = Connection::open(to).map_err(fail)?;
        into.execute_batch(SCHEMA).map_err(fail)?;
        let (mut between, mut count) = (None, 0);
        let mut insert = into.prepare(&parts::insert(1)).map_err(fail)?;
        let range = (append::at(log, first), append::at(log, last + 1));
        self.walk_rows(doing, COLUMNS, range, STEP, &mut |met| {
            let Met::Row(row) = met else { return Ok(true) };
            let (at, ts_ns): (i64, i64) = (row.get(0).map_err(fail)?, row.get(1).map_err(fail)?);
            count += 1;
            between = Some((between.map_or(ts_ns, |(first, _)| first), ts_ns));
            for column in 0..VALUES {
                let gone = column == VALUES - 1 && without.contains(&sql::count(at & ((1 << SEQ_BITS) - 1)));
                let value = if gone { ValueRef::Null } else { row.get_ref(column).map_err(fail)? };
                insert.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(value)).map_err(fail)?;
            }
            insert.raw_execute().map_err(fail)?;
            Ok(true)
        })?;
        drop(insert);
        into.execute_batch(INDEXES).map_err(fail)?;
        into.close().map_err(|(_, e)| fail(e))?;
        Ok(between.filter(|_| count == last + 1 - first))
    }

    /// Removes files that no longer count.
    pub(super) fn remove_segments(&self, files: &[String]) {
        self.open_segments.borrow_mut().retain(|(file, _)| !files.contains(file));
        for file in files {
            // What stays is tidied away by whoever opens the state next.
            let _ = std::fs::remove_file(self.segment_path(file));
        }
    }

    /// Up to which event a log is sealed or pruned.
    fn sealed_until(&self, log: i64) -> Result<u64> {
        let sealed = self.segments_of(log)?.last().map_or(0, |segment| segment.last);
        Ok(sealed.max(self.floor(log)?.map_or(0, |floor| floor.size)))
    }

    fn may_seal(&self, each: u64, keep: u64) -> Result<bool> {
        Ok(self.last_event()? >= self.sealed_until(self.log.number)? + each + keep)
    }

    /// Removes what is sealed from the live log, in steps.
    fn empty_live(&mut self, log: i64) -> Result<()> {
        let doing = "removing sealed events from the live log";
        let fail = |e| sql::error(doing, e);
        let Some(last) = self.segments_of(log)?.last().map(|segment| append::at(log, segment.last)) else {
            return Ok(());
        };
        loop {
            let until: Option<i64> = self
                .db
                .query_row(
                    "SELECT max(at) FROM (SELECT at FROM audit_events WHERE at > ?1 AND at <= ?2 ORDER BY at LIMIT ?3)",
                    params![append::at(log, 0), last, STEP],
                    |row| row.get(0),
                )
                .map_err(fail)?;
            let Some(until) = until else { return Ok(()) };
            self.write(doing, |w| {
                w.db.prepare_cached("DELETE FROM audit_events WHERE at > ?1 AND at <= ?2")
                    .and_then(|mut statement| statement.execute([append::at(log, 0), until]))
                    .map(drop)
                    .map_err(fail)
            })?;
            failpoint::reach("segment_emptying");
        }
    }

    /// Puts the sealed events of a copy of the database back into its live log: a copy is one file and whole.
    pub(super) fn absorb_segments(&self, copy: &Path) -> Result<()> {
        let doing = "copying the sealed segments of the audit log";
        let fail = |e| sql::error(doing, e);
        let db = Connection::open(copy).map_err(fail)?;
        let files: Vec<String> = db
            .prepare("SELECT file FROM audit_segments ORDER BY log, first")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(fail)?;
        if files.is_empty() {
            return Ok(());
        }
        db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;").map_err(fail)?;
        for file in files {
            let path = self.segment_path(&file);
            let path = std::path::absolute(&path).unwrap_or(path);
            let text = "ATTACH ?1 AS segment";
            db.execute(text, [super::open::immutable(&path)]).map_err(fail)?;
            db.execute_batch(
                "INSERT OR REPLACE INTO main.audit_events SELECT * FROM segment.audit_events; DETACH segment;",
            )
            .map_err(fail)?;
        }
        db.execute_batch("DELETE FROM audit_segments").map_err(fail)?;
        db.close().map_err(|(_, e)| fail(e))
    }
}

impl Writing<'_> {
    /// From here on the events of a segment are those of its file, and the log says which file that is.
    pub(super) fn name_segment(&mut self, written: &Written) -> Result<()> {
        let fail = |e| sql::error("sealing a segment of the audit log", e);
        let segment = &written.segment;
        let mut draft = Draft::new(Action::SegmentSealed)
            .detail("file", segment.file.clone())
            .detail("first", segment.first)
            .detail("last", segment.last)
            .detail("bytes", written.bytes)
            .detail("sha256", written.sha256.clone());
        draft.resource = Some("audit log".to_string());
        if let Some(old) = &written.replaces {
            draft = draft.detail("replaces", old.clone());
            self.db.execute("DELETE FROM audit_segments WHERE file = ?1", [old]).map_err(fail)?;
        }
        self.db
            .execute(
                "INSERT INTO audit_segments (log, first, last, first_ns, last_ns, file) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    segment.log,
                    sql::int(segment.first),
                    sql::int(segment.last),
                    segment.first_ns,
                    segment.last_ns,
                    segment.file
                ],
            )
            .map_err(fail)?;
        append::append(self.db, self.log, self.now_ns, &[draft]).map(drop)
    }
}

/// How the name of a segment's file ends.
const ENDING: &str = ".events";

/// How the name of a file ends that is not written whole yet.
const UNFINISHED: &str = ".events-part";
