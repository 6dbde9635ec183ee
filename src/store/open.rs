//! Opening: folder, key ring, schema, audit log; each made if it is not there, put right if it
//! can be, and refused with what to do if not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OpenFlags, params};

use super::append::{self, Log};
use super::folder::{Folder, replace_file};
use super::keys::{self, Ring, Sealer};
use super::migrate::{self, Found};
use super::{Opened, Options, Store, lock, sql};
use crate::audit::{Action, Draft, Key, event};
use crate::error::{Error, Kind, Result};
use std::path::Path;

/// The log is checkpointed into the database after so many pages (16 MiB), and when it is closed:
/// seldom enough that a run's groups cost one fsync each.
const CHECKPOINT_PAGES: u32 = 4000;

impl Store {
    /// Opens the state in this folder for writing and makes it if it is not there.
    ///
    /// # Errors
    /// The folder cannot be written or lies on a network file system; the state is damaged or
    /// newer than this program; the audit key is not set.
    pub fn open(folder: &Path, options: Options) -> Result<Opened> {
        Self::open_for_writing(Folder::at(folder), options).map_err(|error| in_folder(error, folder))
    }

    fn open_for_writing(folder: Folder, options: Options) -> Result<Opened> {
        let mut notices = folder.prepare(options.allow_network)?;
        let held = lock::append(&folder, options.wait, (options.clock)())?;
        let db = connect(&folder)?;
        let found = migrate::look(&db)?;
        let ring = match Ring::load(&folder)? {
            Some(ring) => ring,
            None => Ring::create(&folder)?,
        };
        let from = match found {
            Found::Current => None,
            Found::Empty => Some(0),
            Found::Older(version) => Some(version),
        };
        if let Some(from) = from {
            migrate::run(&db, &folder, from)?;
        }
        let now_ns = (options.clock)();
        let mut log = Log::new(audit_sealers(&ring, &options)?);
        log.session = std::sync::Arc::clone(&options.session);
        log.watch = std::sync::Arc::clone(&options.watch);
        let doing = "opening the state";
        db.execute_batch("BEGIN IMMEDIATE").map_err(|e| sql::error(doing, e))?;
        let done = settle_log(&db, &mut log, &folder, &options, now_ns, &mut notices).and_then(|id| {
            if let Some(version) = from.filter(|v| *v > 0) {
                let draft = Draft::new(Action::StateMigrated).detail("from", version);
                append::append(&db, &mut log, now_ns, &[draft])?;
            }
            db.execute_batch("COMMIT").map_err(|e| sql::error(doing, e))?;
            Ok(id)
        });
        let id = match done {
            Ok(id) => id,
            Err(error) => {
                let _ = db.execute_batch("ROLLBACK");
                return Err(error.doing(doing));
            }
        };
        drop(held);
        let auditing = auditing(&db)?;
        let (letter_sealers, record_secret) = (ring.letter_sealers(), ring.record_secret());
        let mut store = Self {
            folder,
            db,
            id,
            log,
            letter_sealers,
            record_secret,
            options,
            writable: true,
            dirty: true,
            auditing,
            tenures: Default::default(),
            open_segments: Default::default(),
        };
        if store.unscrubbed()? {
            store.scrub()?;
        }
        store.tidy_if_free()?;
        notices.extend(store.pin_notice());
        Ok(Opened { store, notices })
    }

    /// Opens the state in this folder for reading, `None` if there is none. Changes nothing, also
    /// where an older consign has written it; the folder need not be writable.
    ///
    /// # Errors
    /// The state is damaged, not readable, or of a newer schema than this program's.
    pub fn open_read(folder: &Path, options: Options) -> Result<Option<Opened>> {
        let folder = Folder::at(folder);
        match folder.database().metadata() {
            Ok(meta) if meta.len() == 0 && !wal_has_content(&folder) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::io(format!("opening the state `{}`", folder.database().display()), error));
            }
        }
        let db = connect_read(&folder)?;
        match migrate::look(&db)? {
            Found::Current => {}
            Found::Empty => return Ok(None),
            Found::Older(version) => migrate::read_as_current(&db, version)?,
        }
        let ring = Ring::load(&folder).ok().flatten();
        let (mut log, letter_sealers) = match &ring {
            Some(ring) => (Log::new(audit_sealers(ring, &options)?), ring.letter_sealers()),
            None => (Log::new(environment(&options)?.into_iter().collect()), Vec::new()),
        };
        let failed = |e| sql::error("opening the state", e);
        let id: Option<String> = db
            .query_row("SELECT id FROM state", [], |row| row.get(0))
            .map(Some)
            .or_else(|e| if e == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(e) })
            .map_err(failed)?;
        let Some(id) = id else {
            // A process that died while it made the state left the tables and nothing in them.
            let logs: i64 = db.query_row("SELECT count(*) FROM audit_logs", [], |row| row.get(0)).map_err(failed)?;
            return if logs == 0 { Ok(None) } else { Err(sql::damaged("its own row is gone")) };
        };
        if let Some((number, log_id, _)) = append::read_head(&db)? {
            log.number = number;
            log.id = log_id;
        }
        let auditing = auditing(&db)?;
        let record_secret = ring.as_ref().map(Ring::record_secret).unwrap_or_default();
        let store = Self {
            folder,
            db,
            id,
            log,
            letter_sealers,
            record_secret,
            options,
            writable: false,
            dirty: false,
            auditing,
            tenures: Default::default(),
            open_segments: Default::default(),
        };
        Ok(Some(Opened { store, notices: Vec::new() }))
    }
}

/// What is full or broken is a disk: says where it is.
pub(super) fn in_folder(error: Error, folder: &Path) -> Error {
    match error.kind() {
        Kind::Environment | Kind::Failed => error.fact("state", folder.display()),
        _ => error,
    }
}

/// A second connection for writing beside the first. It leaves it to the first to sync: what is committed
/// here is on disk with the next commit there, for both write to one log.
pub(super) fn connect_beside(folder: &Folder) -> Result<Connection> {
    let db = connect(folder)?;
    db.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;")
        .map_err(|e| sql::error("opening the state", e))?;
    Ok(db)
}

fn connect(folder: &Folder) -> Result<Connection> {
    let doing = "opening the state";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(folder.database(), flags).map_err(|e| sql::error(doing, e))?;
    // The second line behind the append lock; backups and readers take no lock of ours.
    db.busy_timeout(std::time::Duration::from_secs(10)).map_err(|e| sql::error(doing, e))?;
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
    ))
    .map_err(|e| sql::error(doing, e))?;
    Ok(db)
}

/// Opens for reading. A folder that cannot be written has no place for the shared memory that a
/// write-ahead log needs; where there is no such log the file is complete and read as it is.
pub(super) fn connect_read(folder: &Folder) -> Result<Connection> {
    let doing = "opening the state for reading";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let probe = |db: &Connection| db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let first = Connection::open_with_flags(folder.database(), flags).and_then(|db| {
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;")?;
        probe(&db)?;
        Ok(db)
    });
    let error = match first {
        Ok(db) => return Ok(db),
        Err(error) => error,
    };
    let no_place = matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied)
    );
    if !no_place || wal_has_content(folder) {
        return Err(sql::error(doing, error));
    }
    let path = std::path::absolute(folder.database())
        .map_err(|e| Error::io(format!("opening `{}`", folder.database().display()), e))?;
    let db = Connection::open_with_flags(immutable(&path), flags).map_err(|e| sql::error(doing, e))?;
    probe(&db).map_err(|e| sql::error(doing, e))?;
    Ok(db)
}

/// The address of a file, by its absolute path, that nobody changes while it is open.
pub(super) fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(byte as char),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn wal_has_content(folder: &Folder) -> bool {
    folder.root.join("consign.db-wal").metadata().is_ok_and(|meta| meta.len() > 0)
}

fn auditing(db: &Connection) -> Result<bool> {
    db.query_row("SELECT auditing FROM state", [], |row| row.get(0)).map_err(|e| sql::error("opening the state", e))
}

fn environment(options: &Options) -> Result<Option<Sealer>> {
    options.audit_key.as_ref().map(|secret| keys::environment_sealer(secret)).transpose()
}

/// What can open the chain's key; the one to wrap with stands last.
fn audit_sealers(ring: &Ring, options: &Options) -> Result<Vec<Sealer>> {
    let mut sealers = ring.audit_sealers();
    sealers.extend(environment(options)?);
    Ok(sealers)
}

/// Sees to it that there is a state row and an audit log whose key can be had.
fn settle_log(
    db: &Connection,
    log: &mut Log,
    folder: &Folder,
    options: &Options,
    now_ns: i64,
    notices: &mut Vec<String>,
) -> Result<String> {
    let doing = "opening the state";
    let known: Option<String> = {
        use rusqlite::OptionalExtension as _;
        db.query_row("SELECT id FROM state", [], |row| row.get(0)).optional().map_err(|e| sql::error(doing, e))?
    };
    let Some(state_id) = known else {
        let id = event::id(now_ns, keys::random()?);
        db.execute("INSERT INTO state (one, id, born_ns, clock_ns) VALUES (1, ?1, ?2, ?2)", params![id, now_ns])
            .map_err(|e| sql::error(doing, e))?;
        let first = append::begin(db, log, now_ns, id.clone(), None)?;
        notices.push(hand_over(&first, &log.id, folder, options)?);
        return Ok(id);
    };
    let Some((number, id, stored)) = append::read_head(db)? else {
        return Err(sql::damaged("the head of the audit log is gone"));
    };
    log.number = number;
    log.id = id;
    match log.unwrap(&stored) {
        Ok(_) => {
            if append::rewrap(db, log, now_ns)? {
                notices.push("the audit chain's key is now wrapped by the key in use".to_string());
            }
        }
        // Not set is most likely forgotten: refuse. Set to something else, or the ring replaced: lost.
        Err(error) if stored.wrapped_by.starts_with("env:") && options.audit_key.is_none() => return Err(error),
        Err(_) => {
            let draft = append::replacement(&log.id, &stored);
            db.execute("UPDATE audit_logs SET closed_ns = ?2 WHERE log = ?1", params![log.number, now_ns])
                .map_err(|e| sql::error(doing, e))?;
            let old = std::mem::take(&mut log.id);
            log.forget();
            let id = event::id(now_ns, keys::random()?);
            let first = append::begin(db, log, now_ns, id, Some(draft))?;
            notices.push(format!(
                "the key of the audit log {old} is lost: it was closed, and a new log {} began with a critical event. \
                 The old log can still be verified with its first key",
                log.id
            ));
            notices.push(hand_over(&first, &log.id, folder, options)?);
        }
    }
    Ok(state_id)
}

/// Gives the first key away: shown to the person, or in a file that the notice names.
fn hand_over(first: &Key, log_id: &str, folder: &Folder, options: &Options) -> Result<String> {
    let text = zeroize::Zeroizing::new(STANDARD.encode(first.reveal()));
    if options.show_first_key {
        return Ok(format!(
            "the audit log {log_id} began. Its first key, shown this once, proves every event; keep it away from this \
             machine: {}",
            text.as_str()
        ));
    }
    let path = folder.root.join(format!("first-audit-key-{log_id}"));
    replace_file(&path, format!("{}\n", text.as_str()).as_bytes())?;
    Ok(format!(
        "the audit log {log_id} began. Its first key, which proves every event, is in `{}`: move it away from this machine",
        path.display()
    ))
}
