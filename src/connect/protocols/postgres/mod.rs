//! PostgreSQL as a source and a target: records go in by COPY and one set-based statement, in the
//! same transaction as the commit row that says which group they were, so that the effect is exactly
//! once. Servers from version 12 on; a pooler in between must keep sessions together (temporary
//! tables and settings live in them).

mod encode;
mod failure;
mod group;
mod load;
mod name;
mod session;
mod sink;
mod source;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod tls;

use std::path::Path;

use self::encode::CopyEncoder;
use self::name::TableName;
use self::session::Settings;
use self::sink::PostgresSink;
use self::source::PostgresSource;
use self::table::Table;
use super::{Discovered, Guarantee, Protocol, ReadRequest, Resumption, WriteRequest};
use crate::config::{Carries, Connector, Mode, OptionKind, OptionSpec, ProtocolSpec, Stream};
use crate::connect::options::OptionReader;
use crate::connect::rows::{self, RowDecoder, Wanted};
use crate::connect::{Decoder, Encoder, Sink, Source};
use crate::error::Result;

/// The protocol.
pub(super) struct Postgres;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "postgres",
    about: "A table or query of a PostgreSQL database; read behind a cursor in one snapshot, written by COPY and one statement for each group, exactly once.",
    carries: Carries::Rows,
    reads: true,
    modes: Mode::ALL,
    options: session::OPTIONS,
    stream_options: &[
        OptionSpec::new(
            "table",
            OptionKind::Text,
            "The table, `table` or `schema.table`, in exactly these letters; the stream's own name unless given.",
        ),
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
    example: "use: postgres\nwith:\n  url: ${env:DATABASE_URL}\n",
    auth: &[],
    streams: &[],
    plugin: None,
};

impl Protocol for Postgres {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn calls(&self) -> bool {
        true
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        let settings = Settings::of(request.root, request.connector)?;
        Ok(Box::new(PostgresSource::new(settings, Wanted::of(request, SPEC.stream_options)?)))
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
        source::discover(&Settings::of(root, connector)?).map(Some)
    }

    fn guarantee(&self, _request: &WriteRequest<'_>) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn refuses_records(&self) -> bool {
        true
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        table_of(request)?;
        Ok(Box::new(CopyEncoder::new(request.columns, request.key, request.mode == Mode::Delete)))
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        Ok(Box::new(PostgresSink::new(
            Settings::of(request.root, request.connector)?,
            table_of(request)?,
            OptionReader::new(&request.stream.options, SPEC.stream_options).flag("create")?,
            (request.log_id, request.route),
            request.anew,
            request.rehearse,
        )))
    }
}

fn table_of(request: &WriteRequest<'_>) -> Result<Table> {
    let name = OptionReader::new(&request.stream.options, SPEC.stream_options)
        .text("table")?
        .unwrap_or_else(|| request.stream.name.clone());
    Table::new(TableName::parse(&name)?, request.columns, request.key, request.mode)
}
