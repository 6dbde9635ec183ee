//! What errors of the embedded database mean to a person, and small readings of its values.

use rusqlite::ErrorCode as C;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::codes::store::{BUSY, DAMAGED, FAILED, NOT_WRITABLE};
use crate::error::codes::{BUG, IO_FULL};
use crate::error::{Error, Kind, Result, Retry};

/// SQLITE_IOERR_SHORT_READ: the file ends before its pages do.
const SHORT_READ: i32 = 522;

/// SQLITE_IOERR_SHMSIZE: the shared memory of the write-ahead log cannot grow, which is a file beside it.
const NO_ROOM_TO_SHARE: i32 = 4874;

/// Whether a route has the name `??` or is one of the targets of the mapping of that name: they are
/// called `name@connector.stream`, and `A` is what comes after `@`.
pub(super) const OF_FAMILY: &str = "(route = ?? OR (route >= ?? || '@' AND route < ?? || 'A'))";

/// An error of the database with its kind, code and hint.
pub(super) fn error(doing: &str, error: rusqlite::Error) -> Error {
    let (code, extended) = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => (failure.code, failure.extended_code),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => (C::DatabaseCorrupt, 0),
        _ => (C::Unknown, 0),
    };
    let made = match code {
        C::DatabaseCorrupt | C::NotADatabase => damaged(error.to_string()),
        _ if extended == SHORT_READ => damaged("the file was cut short"),
        _ if code == C::DiskFull || extended == NO_ROOM_TO_SHARE => {
            Error::new(Kind::Environment, &IO_FULL, "no space is left for the state")
                .hint("free some space and run again: nothing that was settled is lost")
                .retry(Retry::Later)
        }
        C::ReadOnly | C::CannotOpen | C::PermissionDenied => {
            Error::new(Kind::Denied, &NOT_WRITABLE, format!("the state cannot be opened or written: {error}"))
                .hint("check owner and mode of the state folder, or name another with `--state DIR`")
        }
        C::DatabaseBusy | C::DatabaseLocked => {
            Error::new(Kind::Environment, &BUSY, "the state was busy for too long").retry(Retry::Later)
        }
        C::SystemIoFailure | C::OutOfMemory | C::FileLockingProtocolFailed => {
            Error::new(Kind::Failed, &FAILED, error.to_string()).retry(Retry::Later)
        }
        _ => Error::new(Kind::Bug, &BUG, error.to_string()),
    };
    made.doing(doing.to_string()).caused_by(error)
}

/// The database is not what it should be.
pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Tampered, &DAMAGED, format!("`consign.db` is damaged: {what}"))
        .hint("keep a copy of the state folder as it is, then restore the newest backup")
}

/// A value as JSON text.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::bug(format!("a value cannot be written as JSON: {e}")))
}

/// A value from JSON text of ours.
pub(super) fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| damaged(format!("{what} cannot be read: {e}")))
}

/// A count as the database keeps it.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count as we use it.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Text as itself in a pattern for `LIKE … ESCAPE '\'`.
pub(super) fn literal_pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text that begins with `prefix`, as such a pattern.
pub(super) fn prefix_pattern(prefix: &str) -> String {
    literal_pattern(prefix) + "%"
}
