//! What an error of the server or of the way to it means to a person and a scheduler, by SQLSTATE
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>). The server's DETAIL and the
//! values it quotes are left out: they hold what stands in rows.

use std::error::Error as _;

use tokio_postgres::error::DbError;

use crate::error::codes::connect::{
    CONSTRAINT, DATABASE, SERVER_DENIED, SERVER_UNREACHABLE, SERVER_UNTRUSTED, TABLE_UNFIT, TARGET_BUSY,
};
use crate::error::codes::{IO_FULL, connect::TARGET_UNFIT};
use crate::error::{Error, Kind, Retry};

/// What can be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The transaction lost against another one: the same again may pass.
    Again,
    /// One record of many is at fault.
    Record,
    /// Two records of one statement have one key.
    Twice,
    /// None here.
    None,
}

/// What can be done about an error.
pub(super) fn remedy(error: &tokio_postgres::Error) -> Remedy {
    let Some(code) = error.code() else { return Remedy::None };
    match code.code() {
        "40001" | "40P01" => Remedy::Again,
        "21000" => Remedy::Twice,
        // A trigger raises P0001 unless it says otherwise.
        "44000" | "P0001" => Remedy::Record,
        // 22023 (a parameter) and 22P05 excepted, these are about a value; those two may be.
        other if other.starts_with("22") || other.starts_with("23") => Remedy::Record,
        _ => Remedy::None,
    }
}

/// An error of the client library as ours.
pub(super) fn failure(doing: impl Into<String>, error: tokio_postgres::Error) -> Error {
    let made = match error.as_db_error() {
        Some(found) => of_server(found),
        None => of_way(&error),
    };
    // The library's own text repeats the server's with its DETAIL: it is not kept as the source.
    made.doing(doing)
}

/// Why the server did not take one record: for its dead letter.
pub(super) fn refusal(error: &tokio_postgres::Error) -> (String, Option<String>) {
    match error.as_db_error() {
        Some(found) => {
            let named =
                |context: &str| Some(context.rsplit_once(", column ")?.1.split([':', '\n']).next()?.to_string());
            let column = found.column().map(str::to_string).or_else(|| found.where_().and_then(named));
            (text(found), column)
        }
        None => ("the server refused the record".into(), None),
    }
}

fn of_server(found: &DbError) -> Error {
    let state = found.code().code();
    let text = text(found);
    let made = match state {
        "53100" => Error::new(Kind::Environment, &IO_FULL, "the disk of the database server is full")
            .retry(Retry::Later)
            .hint("free space on the server and run again: what was settled is kept, nothing was lost"),
        "53300" | "57P03" => Error::new(Kind::Environment, &SERVER_UNREACHABLE, text)
            .retry(Retry::Later)
            .hint("the server takes no connection now; run again later"),
        "53400" => Error::new(Kind::Environment, &IO_FULL, text).retry(Retry::Later).hint(
            "a limit of the server or of this role was reached (`temp_file_limit`, a quota): raise it and run again",
        ),
        "55P03" => Error::new(Kind::Environment, &TARGET_BUSY, "another transaction holds the table or its rows")
            .retry(Retry::Later)
            .hint("end long transactions (pg_stat_activity names them), or raise `lock_timeout`; nothing was lost"),
        "57014" => Error::new(
            Kind::Environment,
            &TARGET_BUSY,
            "the server ended a statement: it took too long or was cancelled",
        )
        .retry(Retry::Later)
        .hint("raise `statement_timeout`, or run when the server has less to do; nothing was lost"),
        "25006" => Error::new(Kind::Denied, &SERVER_DENIED, "the server or the session may only read")
            .hint("name the primary server, or let the client pick it with `target_session_attrs: read-write`"),
        "3D000" => {
            Error::new(Kind::Invalid, &TARGET_UNFIT, text).hint("name a database that is there under `database`")
        }
        "42501" => Error::new(Kind::Denied, &SERVER_DENIED, text)
            .hint("GRANT what the message names to the user of this connector"),
        "42P01" | "3F000" | "42703" => Error::new(Kind::Invalid, &TABLE_UNFIT, text),
        "40001" | "40P01" => {
            Error::new(Kind::Environment, &TARGET_BUSY, "the transaction lost against others again and again")
                .retry(Retry::Spent)
                .hint("run when fewer transactions change the same rows; nothing was lost")
        }
        _ => match &state[..2] {
            "28" => Error::new(Kind::Denied, &SERVER_DENIED, text)
                .hint("check user, password and pg_hba.conf of the server"),
            "08" | "57" | "53" | "58" => Error::new(Kind::Environment, &SERVER_UNREACHABLE, text)
                .retry(Retry::Later)
                .hint("run again: what was settled is kept, the run resumes where it stopped"),
            "22" | "23" | "44" | "P0" => Error::new(Kind::Failed, &CONSTRAINT, text)
                .hint("let the mapping check it (`required`, `validate`), so that such records go to the dead letters"),
            _ => Error::new(Kind::Failed, &DATABASE, text),
        },
    };
    let made = match found.constraint() {
        Some(name) => made.fact("constraint", name),
        None => made,
    };
    made.fact("SQLSTATE", state)
}

/// The server's own sentence, without what it quotes of a row.
fn text(found: &DbError) -> String {
    let state = found.code().code();
    if state.starts_with("P0") {
        return "a trigger or function of the database refused the record".into();
    }
    if !state.starts_with("22") {
        return found.message().to_string();
    }
    // `invalid input syntax for type integer: "…"`: what stands in quotes is the value.
    let mut kept = String::new();
    for (index, piece) in found.message().split('"').enumerate() {
        kept.push_str(if index % 2 == 0 { piece } else { "…" });
    }
    kept
}

fn of_way(error: &tokio_postgres::Error) -> Error {
    let mut below = error.source();
    let mut last = String::new();
    while let Some(cause) = below {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return untrusted(tls);
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return untrusted(tls);
        }
        last = cause.to_string();
        below = cause.source();
    }
    let text = if last.is_empty() { error.to_string() } else { format!("{error}: {last}") };
    let text = match text.find(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    };
    if text.contains("does not support TLS") {
        return Error::new(Kind::Denied, &SERVER_UNTRUSTED, "the server does not offer TLS")
            .hint("switch `ssl` on at the server, or set `tls: disable` where the network itself is trusted");
    }
    // A password that is missing or a method that the client does not know ends here.
    if text.starts_with("invalid configuration") || text.starts_with("authentication error") {
        return Error::new(Kind::Denied, &SERVER_DENIED, text)
            .hint("check user, password and pg_hba.conf of the server");
    }
    Error::new(Kind::Environment, &SERVER_UNREACHABLE, text)
        .retry(Retry::Later)
        .hint("run again: what was settled is kept, the run resumes where it stopped")
}

fn untrusted(tls: &rustls::Error) -> Error {
    use rustls::CertificateError as Bad;
    let cause = match tls {
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "the server's certificate was made out for another name".to_string()
        }
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "the server's certificate was issued by nobody that is trusted here".to_string()
        }
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "the server's certificate has expired".to_string()
        }
        other => format!("no secure connection: {other}"),
    };
    Error::new(Kind::Denied, &SERVER_UNTRUSTED, cause)
        .hint("name the certificate of its issuer under `ca_file`, and the host by the name in the certificate")
}
