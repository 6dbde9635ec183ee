//! SQLite databases as targets: rows go into a table in the same transaction as the commit row
//! that says which group they were, so that the effect is exactly once.

mod cells;
mod failure;
mod sink;
mod table;
#[cfg(test)]
mod tests;

use self::cells::CellEncoder;
use self::failure::failure;
use self::sink::SqliteSink;
use self::table::Table;
use super::{Guarantee, Protocol, ReadRequest, WriteRequest};
use crate::config::{Carries, Mode, OptionKind, OptionSpec, ProtocolSpec};
use crate::connect::options::OptionReader;
use crate::connect::{Encoder, Sink, Source};
use crate::error::codes::connect::TARGET_UNFIT;
use crate::error::{Error, Kind, Result};

/// The protocol.
pub(super) struct Sqlite;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "sqlite",
    about: "A table of an SQLite database file; written in its own transactions, so that the effect is exactly once.",
    carries: Carries::Rows,
    reads: false,
    modes: &[Mode::Append, Mode::Upsert],
    options: &[
        OptionSpec::new(
            "path",
            OptionKind::FilePath,
            "The database file; made if it is not there, its folder must exist.",
        )
        .required(),
        OptionSpec::new(
            "busy_timeout",
            OptionKind::Int { min: 0, max: 3600 },
            "Seconds to wait for another process that holds the database.",
        )
        .default("10"),
    ],
    stream_options: &[
        OptionSpec::new("table", OptionKind::Text, "The table; the stream's own name unless given."),
        OptionSpec::new("create", OptionKind::Bool, "Whether the table is made from the mapping if it is not there.")
            .default("true"),
    ],
    undeclared_stream: Some("table"),
    example: "use: sqlite\nwith:\n  path: warehouse.db\n",
};

impl Protocol for Sqlite {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        Err(Error::new(Kind::Invalid, &TARGET_UNFIT, "SQLite databases are targets, not sources, in this version")
            .doing(format!("opening `{}` to read", request.connector.name)))
    }

    fn guarantee(&self, _request: &WriteRequest<'_>) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        let table = table_of(request)?;
        Ok(Box::new(CellEncoder::new(request.columns, table.columns, request.key)))
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        let options = OptionReader::new(&request.connector.with, SPEC.options);
        let path = options
            .text("path")?
            .filter(|path| !path.is_empty())
            .ok_or_else(|| Error::new(Kind::Invalid, &TARGET_UNFIT, "`path` names no database file"))?;
        Ok(Box::new(SqliteSink::new(
            request.root.join(path),
            table_of(request)?,
            OptionReader::new(&request.stream.options, SPEC.stream_options).flag("create")?,
            std::time::Duration::from_secs(options.number("busy_timeout")?),
            (request.log_id, request.route),
            request.anew,
        )))
    }
}

fn table_of(request: &WriteRequest<'_>) -> Result<Table> {
    let name = OptionReader::new(&request.stream.options, SPEC.stream_options)
        .text("table")?
        .unwrap_or_else(|| request.stream.name.clone());
    if name.to_ascii_lowercase().starts_with("sqlite_") || name.eq_ignore_ascii_case(sink::COMMITS) || name.is_empty() {
        return Err(Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`{name}` is no name for a table of records")));
    }
    Table::new(name, request.columns, request.key, request.mode == Mode::Upsert)
}
