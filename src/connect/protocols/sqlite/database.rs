//! How a database is opened to be written, and the tables that consign keeps in it for itself.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::failure;
use crate::connect::commits::TABLE as COMMITS;
use crate::error::codes::connect::NOT_A_DATABASE;
use crate::error::{Error, Kind, Result};

/// Rows of a table keyed by a wide text need wide pages: fewer levels, fewer splits. Only for
/// databases we make.
const PAGE_BYTES: u32 = 8192;
/// Page cache: with a table that cannot refuse a record the process as a whole stays within 64 MiB.
const CACHE_KIB: i64 = 16 * 1024;
/// Page cache of the keys that a mirror has seen.
const SEEN_CACHE_KIB: i64 = 8 * 1024;
/// The write-ahead log is copied back once it is about this large: each copying costs two
/// further syncs, and readers get slower with its length.
const LOG_BYTES: u32 = 64 << 20;

/// Opens the database with the settings all writing relies on.
pub(super) fn connect(path: &Path, busy: Duration) -> Result<Connection> {
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
pub(super) fn keep_seen(database: &Connection, definition: &str) -> rusqlite::Result<()> {
    database
        .execute_batch(&format!("PRAGMA temp_store = FILE; PRAGMA temp.cache_size = -{SEEN_CACHE_KIB}; {definition}"))
}

/// Whether the commit rows say what their groups came to.
fn has_receipts(database: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'receipt'";
    database.query_row(sql, [COMMITS], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// Whether there is a table of commit rows.
pub(super) fn has_commits(database: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
    database.query_row(sql, [COMMITS], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// Makes the table of commit rows, or adds what an earlier version, which goes on working with it,
/// does not keep there.
pub(super) fn prepare_commits(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {COMMITS} (route TEXT NOT NULL PRIMARY KEY, log_id TEXT NOT NULL, \
         group_no INTEGER NOT NULL, fence INTEGER NOT NULL, records INTEGER NOT NULL, receipt TEXT) WITHOUT ROWID"
    ))?;
    match has_receipts(database)? {
        true => Ok(()),
        false => database.execute_batch(&format!("ALTER TABLE {COMMITS} ADD COLUMN receipt TEXT")),
    }
}
