//! Files: plain or compressed, one or many, standard input and output. Read in parts cut at
//! record boundaries; written beside the target and renamed, or on from the settled length.

#[cfg(test)]
mod archive_tests;
mod durable;
mod local;
#[cfg(test)]
mod power;
mod standard;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::local::Local;
use super::{Guarantee, Protocol, ReadRequest, WriteRequest};
use crate::config::{Carries, Connector, Mode, OptionKind, OptionSpec, ProtocolSpec, Stream};
use crate::connect::bytes::compression::Compression;
use crate::connect::bytes::options::{
    COMPRESSION, ENCODING, MAX_INFLATION, MEMBER, check_count, encoding, format, path, target_packing, wanted,
};
use crate::connect::bytes::{ByteSink, ByteSource, paths};
use crate::connect::options::OptionReader;
use crate::connect::{Encoder, Sink, Source};
use crate::error::codes::connect::{ENCODING_UNKNOWN, GLOB_MALFORMED, NOT_A_FILE, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};

/// The protocol.
pub(super) struct Files;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "file",
    about: "Files on this machine, plain, gzip, Zstandard or zip; `-` is standard input or output.",
    carries: Carries::Bytes,
    reads: true,
    modes: &[Mode::Append, Mode::Mirror],
    options: &[OptionSpec::new(
        "path",
        OptionKind::FilePath,
        "The folder the streams' paths count from; relative ones count from the project's folder.",
    )
    .default(".")],
    stream_options: &[
        OptionSpec::new(
            "path",
            OptionKind::FilePath,
            "The file; a pattern (`orders-*.csv`, `**/*.csv`) reads all that match, by name; `-` is standard input or output.",
        )
        .required(),
        COMPRESSION,
        MEMBER,
        ENCODING,
        MAX_INFLATION,
    ],
    undeclared_stream: None,
    example: "use: file\nwith:\n  path: data\nstreams:\n  orders:\n    path: orders-*.csv\n",
    auth: &[],
    streams: &[],
    plugin: None,
};

impl Protocol for Files {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        let folder = folder(request.root, request.connector)?;
        let wanted = wanted(request.stream, SPEC.stream_options, folder, request.format)?;
        let only = request.only.map(|(slice, position)| (slice.clone(), position.clone()));
        let settled = request.settled.to_vec();
        if wanted.path == "-" {
            if wanted.compression == Compression::Zip {
                return Err(Error::new(
                    Kind::Invalid,
                    &NOT_A_FILE,
                    "a zip archive is read from its end: it cannot come from standard input",
                )
                .at(request.stream.place.clone()));
            }
            let input = standard::input()?;
            return Ok(Box::new(ByteSource::once(wanted, ("standard input", "stdin"), input, settled, only)));
        }
        Ok(Box::new(ByteSource::new(wanted, Box::new(Local::new()), settled, only)))
    }

    fn guarantee(&self, request: &WriteRequest<'_>) -> Guarantee {
        match path(request.stream, SPEC.stream_options) {
            Ok(path) if path == "-" => Guarantee::AtLeastOnce,
            _ => Guarantee::ExactlyOnce,
        }
    }

    fn is_standard(&self, stream: &Stream) -> bool {
        path(stream, SPEC.stream_options).is_ok_and(|path| path == "-")
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        format(request.format)?.encoder(&request.stream.format_options, request.columns)
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        let unfit = |cause: &str| Error::new(Kind::Invalid, &TARGET_UNFIT, cause);
        if !SPEC.modes.contains(&request.mode) {
            return Err(unfit("single records of a file cannot be replaced")
                .at(request.stream.place.clone())
                .hint("use `mode: append`, or a database as the target"));
        }
        if encoding(request.stream, SPEC.stream_options)?.is_some() {
            return Err(Error::new(Kind::Invalid, &ENCODING_UNKNOWN, "targets are written in UTF-8 only")
                .at(request.stream.place.clone())
                .hint("leave `encoding` out of the target's stream"));
        }
        let path = path(request.stream, SPEC.stream_options)?;
        let whole = folder(request.root, request.connector)?.join(&path);
        let frame = format(request.format)?.frame(&request.stream.format_options, request.columns)?;
        let packing = target_packing(request.stream, SPEC.stream_options, &path)?;
        check_count(request.stream, &frame, packing, path == "-")?;
        if path == "-" {
            return Ok(Box::new(standard::Output::new(frame)));
        }
        if paths::is_pattern(&path) && std::fs::symlink_metadata(&whole).is_err() {
            return Err(Error::new(
                Kind::Invalid,
                &GLOB_MALFORMED,
                format!("the target `{path}` is a pattern, not a file"),
            )
            .at(request.stream.place.clone()));
        }
        let sink = ByteSink::new(Box::new(Local::new()), whole, frame, packing, request.anew);
        Ok(Box::new(sink.owned_by(request.log_id, request.route)))
    }
}

fn folder(root: &std::path::Path, connector: &Connector) -> Result<PathBuf> {
    let path = OptionReader::new(&connector.with, SPEC.options).text("path")?.unwrap_or_default();
    // Without the point, so that messages show `data/a.csv` and not `./data/a.csv`.
    Ok(if path == "." || path.is_empty() { root.to_owned() } else { root.join(path) })
}
