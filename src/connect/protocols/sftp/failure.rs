//! What a server says and what a connection does, as errors with the right exit code.

use russh_sftp::client::error::Error as Trouble;
use russh_sftp::protocol::StatusCode;

use crate::error::codes::connect::{SFTP_LOST, SFTP_REFUSED};
use crate::error::{Error, Kind, Retry};

/// Whether the connection is gone, so that only another one can help.
pub(super) fn is_lost(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Status(status) => matches!(status.status_code, StatusCode::NoConnection | StatusCode::ConnectionLost),
        Trouble::Limited(_) => false,
        Trouble::IO(_) | Trouble::Timeout | Trouble::UnexpectedPacket | Trouble::UnexpectedBehavior(_) => true,
    }
}

/// What is there; `None` if the server says that nothing is.
pub(super) fn found<T>(outcome: std::result::Result<T, Trouble>) -> std::result::Result<Option<T>, Trouble> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(Trouble::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Whether the server does not know a request.
pub(super) fn is_unsupported(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Status(status) if status.status_code == StatusCode::OpUnsupported)
}

/// Whether the server gave no better reason than "failure".
pub(super) fn is_plain_failure(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Status(status) if status.status_code == StatusCode::Failure)
}

/// A connection that broke.
pub(super) fn lost(cause: impl Into<String>) -> Error {
    Error::new(Kind::Environment, &SFTP_LOST, cause)
        .retry(Retry::Later)
        .hint("run again: what was settled stays, and the rest follows from there")
}

/// The error for a person.
pub(super) fn told(trouble: Trouble) -> Error {
    let status = match trouble {
        Trouble::Status(status) => status,
        Trouble::Timeout => return lost("the server gave no answer in time"),
        Trouble::Limited(what) => {
            return Error::new(Kind::Failed, &SFTP_REFUSED, format!("a limit of the server stands against it: {what}"));
        }
        Trouble::IO(what) | Trouble::UnexpectedBehavior(what) => {
            return lost("the connection to the server was lost").fact("what was seen", what);
        }
        Trouble::UnexpectedPacket => return lost("the server answered something that was not asked"),
    };
    let refused = |kind: Kind, cause: &str| {
        let error = Error::new(kind, &SFTP_REFUSED, cause);
        match status.error_message.as_str() {
            "" => error,
            said => error.fact("the server says", said),
        }
    };
    match status.status_code {
        StatusCode::NoConnection | StatusCode::ConnectionLost => lost("the connection to the server was lost"),
        StatusCode::NoSuchFile => Error::of_io(rustix::io::Errno::NOENT.into()),
        StatusCode::PermissionDenied => Error::of_io(rustix::io::Errno::ACCESS.into()),
        StatusCode::OpUnsupported => refused(Kind::Failed, "the server does not support this request"),
        StatusCode::Eof => Error::of_io(std::io::ErrorKind::UnexpectedEof.into()),
        StatusCode::BadMessage => refused(Kind::Failed, "the server did not understand the request"),
        StatusCode::Ok | StatusCode::Failure => refused(Kind::Failed, "the server could not do it"),
    }
}

/// What a failed write most likely means: the protocol has no word for a full disk.
pub(super) fn full(free: Option<u64>) -> Error {
    let made = Error::of_io(std::io::ErrorKind::StorageFull.into());
    match free {
        Some(free) => made.fact("bytes free on the server", free),
        None => made.fact("the server says", "failure").hint("the protocol has no better word: a quota looks the same"),
    }
}
