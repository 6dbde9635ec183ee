//! What an error of the database engine means to a person and a scheduler.

use rusqlite::ErrorCode;

use crate::error::codes::connect::{CONSTRAINT, DATABASE, NOT_A_DATABASE, TARGET_BUSY};
use crate::error::codes::{IO_DENIED, IO_FULL};
use crate::error::{Error, Kind, Retry};

/// SQLITE_IOERR_SHMSIZE: the shared memory of the write-ahead log cannot grow, which is a file beside it.
const NO_ROOM_TO_SHARE: i32 = 4874;
/// SQLITE_IOERR_GETTEMPPATH: no folder for temporary files can be written.
const NO_TEMPORARY_FOLDER: i32 = 6410;
/// SQLITE_CONSTRAINT_TRIGGER: a trigger said RAISE.
const TRIGGER_RAISED: i32 = 1811;

/// Why the engine refused one record, and the column that it names; `None`: the error is about more
/// than a record.
pub(super) fn refusal(error: &rusqlite::Error) -> Option<(String, Option<String>)> {
    let rusqlite::Error::SqliteFailure(code, text) = error else { return None };
    if code.extended_code == TRIGGER_RAISED {
        // Its text is the trigger's own, which may quote the record.
        return Some(("a trigger of the database refused the record".into(), None));
    }
    match code.code {
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => {
            let text = text.clone().unwrap_or_else(|| error.to_string());
            // `UNIQUE constraint failed: items.sku, items.place`, `cannot store TEXT value in INTEGER column items.qty`
            let names = text.rsplit_once(": ").or_else(|| text.rsplit_once(' ')).map_or("", |(_, names)| names);
            let named = names.split(", ").next().unwrap_or_default();
            let column = named.rsplit_once('.').map(|(_, column)| column.to_string());
            Some((text, column))
        }
        _ => None,
    }
}

/// An engine's error as ours. Its own text names tables and columns, never values.
pub(super) fn failure(doing: impl Into<String>, error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    let extended = error.sqlite_error().map_or(0, |engine| engine.extended_code);
    let text = match &error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    let made = match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(Kind::Environment, &TARGET_BUSY, "another process holds the database")
                .retry(Retry::Later)
                .hint("close long transactions on it, or raise `busy_timeout`; nothing was lost")
        }
        _ if extended == NO_TEMPORARY_FOLDER => {
            Error::new(Kind::Denied, &IO_DENIED, "no folder for temporary files can be written")
                .hint("name one in TMPDIR, or in SQLITE_TMPDIR")
        }
        _ if code == Some(ErrorCode::DiskFull) || extended == NO_ROOM_TO_SHARE => {
            Error::new(Kind::Environment, &IO_FULL, "no space is left for the database")
                .retry(Retry::Later)
                .hint("free some space and run again: nothing was lost")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            Error::new(Kind::Denied, &IO_DENIED, "the database cannot be written")
                .hint("check the owner and the mode of the file and of its folder")
        }
        Some(ErrorCode::CannotOpen) => Error::new(Kind::Denied, &IO_DENIED, "the database cannot be opened")
            .hint("check the owner and the mode of the file and of its folder"),
        Some(ErrorCode::NotADatabase) => Error::new(Kind::Invalid, &NOT_A_DATABASE, "the file is no SQLite database")
            .hint("name another file under `path`, or move this one away"),
        Some(ErrorCode::DatabaseCorrupt) => Error::new(Kind::Failed, &NOT_A_DATABASE, "the database is damaged")
            .hint("`PRAGMA integrity_check` names the damage; restore it from a backup"),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => Error::new(Kind::Failed, &CONSTRAINT, text)
            .hint("let the mapping check it (`required`, `validate`), so that such records go to the dead letters"),
        _ => Error::new(Kind::Failed, &DATABASE, text),
    };
    made.doing(doing).caused_by(error)
}
