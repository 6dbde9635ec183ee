//! The schema: numbered SQL files that are only ever appended, one transaction each, a copy of
//! the database before each.

use std::path::Path;

use rusqlite::Connection;

use super::folder::Folder;
use super::sql;
use crate::error::codes::store::NEWER;
use crate::error::{Error, Kind, Result};

/// `cnsg`: how the file says that it is ours.
const APPLICATION: i32 = 0x636e_7367;

/// Every step, in order; the version of the schema is their number.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_state.sql"),
    include_str!("migrations/0002_modes.sql"),
    include_str!("migrations/0003_protection.sql"),
    include_str!("migrations/0004_ledger.sql"),
    include_str!("migrations/0005_requests.sql"),
    include_str!("migrations/0006_rulings.sql"),
    include_str!("migrations/0007_numbers.sql"),
    include_str!("migrations/0008_events.sql"),
    include_str!("migrations/0009_segments.sql"),
    include_str!("migrations/0010_rules.sql"),
];

/// How a file of each older version, from 1 on, is read as one of today: by views that belong to the
/// reading connection alone. One text for what each step but the first added; all from a file's version
/// on are applied.
const READINGS: &[&str] = &[
    include_str!("migrations/read_v1.sql"),
    include_str!("migrations/read_v2.sql"),
    include_str!("migrations/read_v3.sql"),
    include_str!("migrations/read_v4.sql"),
    include_str!("migrations/read_v5.sql"),
    include_str!("migrations/read_v6.sql"),
    include_str!("migrations/read_v7.sql"),
    include_str!("migrations/read_v8.sql"),
    include_str!("migrations/read_v9.sql"),
];

/// What is found in a file.
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A schema of this program.
    Current,
    /// An older schema.
    Older(usize),
}

/// Looks at the file.
///
/// # Errors
/// It is not ours, is damaged, or newer than this program.
pub(super) fn look(db: &Connection) -> Result<Found> {
    let doing = "opening the state";
    let pragma = |name: &str| {
        db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0)).map_err(|e| sql::error(doing, e))
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(|e| sql::error(doing, e))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION {
        return Err(sql::damaged("it belongs to another program").doing(doing));
    }
    match usize::try_from(version) {
        Ok(version) if version == STEPS.len() => Ok(Found::Current),
        Ok(version) if version > STEPS.len() => Err(newer(version).doing(doing)),
        Ok(version) if version > 0 => Ok(Found::Older(version)),
        _ => Err(sql::damaged(format!("its schema version is {version}")).doing(doing)),
    }
}

/// Whether the schema is still one of this program's: asked at the beginning of each transaction, for
/// two versions of consign may work on one state.
///
/// # Errors
/// A newer program has upgraded it.
pub(super) fn still_known(db: &Connection) -> Result<()> {
    let version: i64 = db
        .prepare_cached("PRAGMA user_version")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(|e| sql::error("looking at the schema of the state", e))?;
    match usize::try_from(version) {
        Ok(version) if version > STEPS.len() => Err(newer(version)),
        _ => Ok(()),
    }
}

fn newer(version: usize) -> Error {
    let known = STEPS.len();
    Error::new(Kind::Invalid, &NEWER, format!("the state has schema {version}; this consign knows up to {known}"))
        .hint("use the consign that wrote it, or restore the backup made before its upgrade")
}

/// Brings the schema up to date. The append lock must be held.
///
/// # Errors
/// The copy or a step fails; the file is then as it was.
pub(super) fn run(db: &Connection, folder: &Folder, from: usize) -> Result<()> {
    raise(db, Some(folder), from)
}

/// Lets a connection that only reads see an older schema as today's; the file is not touched.
///
/// # Errors
/// The file is not of the version that it says it is.
pub(super) fn read_as_current(db: &Connection, version: usize) -> Result<()> {
    let readings = version.checked_sub(1).and_then(|index| READINGS.get(index..)).filter(|all| !all.is_empty());
    let readings = readings.ok_or_else(|| Error::bug(format!("no reading of schema {version}")))?.join("\n");
    // The file itself was opened for reading only: what is made here has its place in memory.
    let text = format!("PRAGMA temp_store = MEMORY; PRAGMA query_only = OFF;\n{readings}\nPRAGMA query_only = ON;");
    db.execute_batch(&text).map_err(|e| sql::error("reading a state of an older consign", e))
}

/// Brings a copy that nobody else has open up to date, without copies on the way.
///
/// # Errors
/// As for [`run`].
pub(super) fn raise_copy(db: &Connection, from: usize) -> Result<()> {
    raise(db, None, from)
}

fn raise(db: &Connection, kept_in: Option<&Folder>, from: usize) -> Result<()> {
    // A new file gets the whole schema at once: there is no older program whose file it could be.
    let first = if from == 0 { STEPS.len() } else { from + 1 };
    for version in first..=STEPS.len() {
        let doing = format!("bringing the state to schema {version}");
        if let Some(folder) = kept_in.filter(|_| from > 0) {
            // It refers to the segments that are there, and these stay.
            copy(db, &folder.root.join(format!("consign.db.v{}.bak", version - 1)), |_| Ok(()))?;
        }
        let steps = if from == 0 { STEPS } else { &STEPS[version - 1..version] };
        let text = format!(
            "BEGIN IMMEDIATE;\n{}\nPRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {version};\nCOMMIT;",
            steps.join("\n")
        );
        db.execute_batch(&text).map_err(|e| {
            let _ = db.execute_batch("ROLLBACK");
            sql::error(&doing, e)
        })?;
    }
    Ok(())
}

/// A consistent copy, written beside and renamed once `complete` is done with it, so that a crash leaves no half of one.
///
/// # Errors
/// It cannot be written.
pub(super) fn copy(db: &Connection, to: &Path, complete: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let doing = format!("copying the state to `{}`", to.display());
    let mut name = to.as_os_str().to_os_string();
    name.push(format!(".part{}", std::process::id()));
    let part = std::path::PathBuf::from(name);
    let io = |e: std::io::Error| Error::io(doing.clone(), e);
    let _ = std::fs::remove_file(&part);
    let made = (|| {
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(io)?;
        }
        db.execute("VACUUM INTO ?1", [part.to_string_lossy()]).map_err(|e| sql::error(&doing, e))?;
        complete(&part)?;
        std::fs::File::open(&part).and_then(|f| f.sync_all()).map_err(io)?;
        std::fs::rename(&part, to).map_err(io)?;
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(parent).and_then(|f| f.sync_all()).map_err(io)
    })();
    if made.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table with its columns, as a query sees them.
    fn columns(db: &Connection, names: &[String]) -> Vec<(String, Vec<String>)> {
        let of = |name: &String| {
            let mut found = db.prepare("SELECT name FROM pragma_table_xinfo(?1)").unwrap();
            let found = found.query_map([name], |row| row.get(0)).unwrap();
            (name.clone(), found.map(|name| name.unwrap()).collect())
        };
        names.iter().map(of).collect()
    }

    fn tables(db: &Connection) -> Vec<String> {
        let mut found = db.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let found = found.query_map([], |row| row.get(0)).unwrap();
        found.map(|name| name.unwrap()).filter(|name: &String| !name.starts_with("sqlite_")).collect()
    }

    #[test]
    fn every_older_version_reads_as_todays() {
        assert_eq!(READINGS.len() + 1, STEPS.len(), "a new step needs readings of what was before");
        let today = Connection::open_in_memory().unwrap();
        today.execute_batch(&STEPS.join("\n")).unwrap();
        for version in 1..STEPS.len() {
            let old = Connection::open_in_memory().unwrap();
            old.execute_batch(&STEPS[..version].join("\n")).unwrap();
            assert_ne!(columns(&old, &tables(&today)), columns(&today, &tables(&today)), "{version}");
            read_as_current(&old, version).unwrap();
            assert_eq!(columns(&old, &tables(&today)), columns(&today, &tables(&today)), "{version}");
        }
        assert!(read_as_current(&today, 0).is_err() && read_as_current(&today, STEPS.len()).is_err());
    }

    /// A kept state (`tests/fixtures/state`) in a folder of its own, taken up to a version as the programs of that
    /// time would have done it.
    fn kept(name: &str, version: usize) -> (usize, tempfile::TempDir) {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state").join(name);
        let folder = tempfile::tempdir().unwrap();
        for file in ["consign.db", "keys"] {
            std::fs::copy(kept.join("state").join(file), folder.path().join(file)).unwrap();
        }
        let db = Connection::open(folder.path().join("consign.db")).unwrap();
        let from: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        let from = usize::try_from(from).unwrap();
        for step in from + 1..=version {
            let text = format!("BEGIN;\n{}\nPRAGMA user_version = {step};\nCOMMIT;", STEPS[step - 1]);
            db.execute_batch(&text).unwrap();
        }
        (from, folder)
    }

    #[test]
    fn a_state_of_any_older_version_is_read_and_brought_up_to_date() {
        use crate::store::{EventFilter, Options, RunFilter, Store};
        let told = |store: &Store| {
            let events = store.audit_events(&EventFilter { oldest_first: true, ..EventFilter::default() }).unwrap();
            let runs = store.runs(&RunFilter::default()).unwrap();
            assert!(store.verify_audit(None).unwrap().is_good());
            (events, runs.iter().map(|run| (run.id.clone(), run.totals)).collect::<Vec<_>>())
        };
        let mut seen = Vec::new();
        for name in ["v1", "v2", "v5"] {
            let least = name[1..].parse().unwrap();
            for version in least..STEPS.len() {
                let (from, folder) = kept(name, version);
                assert_eq!(from, least, "{name}");
                let read = Store::open_read(folder.path(), Options::default()).unwrap().unwrap().store;
                let before = told(&read);
                assert!(before.0.len() > 5 && before.1.len() == 2, "{name} at {version}");
                drop(read);
                let store = Store::open(folder.path(), Options::default()).unwrap().store;
                let (events, runs) = told(&store);
                assert_eq!(runs, before.1, "{name} at {version}");
                assert_eq!(events[..before.0.len()], before.0, "{name} at {version}");
                let migrated = events.iter().find(|event| event.action == "state.migrated").unwrap();
                assert_eq!(migrated.details["from"], version as u64, "{name} at {version}");
                assert!(matches!(look(&store.db).unwrap(), Found::Current));
                assert!(folder.path().join(format!("consign.db.v{version}.bak")).is_file());
                seen.push(version);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (1..STEPS.len()).collect::<Vec<_>>());
    }
}
