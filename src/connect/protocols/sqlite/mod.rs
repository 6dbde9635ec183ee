//! SQLite databases. As sources: a table or a query, read in one snapshot behind a cursor. As targets:
//! rows go into a table in the same transaction as the commit row that says which group they were,
//! so that the effect is exactly once.

mod cells;
mod database;
mod discover;
mod failure;
mod sink;
mod source;
#[cfg(test)]
mod source_tests;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::cells::CellEncoder;
use self::failure::failure;
use self::sink::SqliteSink;
use self::source::SqliteSource;
use self::table::Table;
use super::{Discovered, Guarantee, Protocol, ReadRequest, Resumption, WriteRequest};
use crate::config::{Carries, Connector, Mode, OptionKind, OptionSpec, ProtocolSpec, Stream};
use crate::connect::commits;
use crate::connect::options::OptionReader;
use crate::connect::rows::{self, RowDecoder, Wanted};
use crate::connect::{Decoder, Encoder, Sink, Source};
use crate::error::codes::connect::TARGET_UNFIT;
use crate::error::{Error, Kind, Result};

/// The protocol.
pub(super) struct Sqlite;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "sqlite",
    about: "Tables and queries of an SQLite database file; written in its own transactions, so that the effect is exactly once.",
    carries: Carries::Rows,
    reads: true,
    modes: Mode::ALL,
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
        rows::QUERY,
        rows::CURSOR,
        rows::TIE,
        rows::LAG,
        rows::OVERLAP,
        rows::SORTED,
        rows::WITHOUT_CURSOR,
        OptionSpec::new("create", OptionKind::Bool, "Whether the table is made from the mapping if it is not there.")
            .default("true"),
    ],
    undeclared_stream: Some("table"),
    example: "use: sqlite\nwith:\n  path: warehouse.db\n",
    auth: &[],
    streams: &[],
    plugin: None,
};

impl Protocol for Sqlite {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        let (path, busy) = place_of(request.root, request.connector)?;
        Ok(Box::new(SqliteSource::new(path, busy, Wanted::of(request, SPEC.stream_options)?)))
    }

    fn check_source(&self, request: &ReadRequest<'_>) -> Result<()> {
        Wanted::of(request, SPEC.stream_options).map(drop)
    }

    fn decoder(&self, _request: &ReadRequest<'_>) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(RowDecoder::new()))
    }

    fn resumption(&self, request: &ReadRequest<'_>) -> Resumption {
        rows::resumption(request, SPEC.stream_options)
    }

    fn has_cursor(&self, stream: &Stream) -> bool {
        rows::has_cursor(stream, SPEC.stream_options)
    }

    fn discover(&self, root: &Path, connector: &Connector) -> Result<Option<Vec<Discovered>>> {
        let (path, busy) = place_of(root, connector)?;
        discover::discover(&path, busy).map(Some)
    }

    fn guarantee(&self, _request: &WriteRequest<'_>) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn refuses_records(&self) -> bool {
        true
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        let table = table_of(request)?;
        let encoder = CellEncoder::new(request.columns, request.key);
        Ok(Box::new(if table.mode == Mode::Delete { encoder.keys_alone() } else { encoder }))
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        let (path, busy) = place_of(request.root, request.connector)?;
        Ok(Box::new(SqliteSink::new(
            path,
            table_of(request)?,
            OptionReader::new(&request.stream.options, SPEC.stream_options).flag("create")?,
            busy,
            (request.log_id, request.route),
            request.anew,
            request.rehearse,
        )))
    }
}

/// The database file, and how long to wait for somebody who holds it.
fn place_of(root: &Path, connector: &Connector) -> Result<(PathBuf, Duration)> {
    let options = OptionReader::new(&connector.with, SPEC.options);
    let path = options
        .text("path")?
        .filter(|path| !path.is_empty())
        .ok_or_else(|| Error::new(Kind::Invalid, &TARGET_UNFIT, "`path` names no database file"))?;
    Ok((root.join(path), Duration::from_secs(options.number("busy_timeout")?)))
}

fn table_of(request: &WriteRequest<'_>) -> Result<Table> {
    let name = OptionReader::new(&request.stream.options, SPEC.stream_options)
        .text("table")?
        .unwrap_or_else(|| request.stream.name.clone());
    if name.to_ascii_lowercase().starts_with("sqlite_") || name.eq_ignore_ascii_case(commits::TABLE) || name.is_empty()
    {
        return Err(Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`{name}` is no name for a table of records")));
    }
    Table::new(name, request.columns, request.key, request.mode)
}
