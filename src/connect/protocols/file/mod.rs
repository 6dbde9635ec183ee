//! Files: plain or compressed, one or many, standard input and output. Read in parts cut at
//! record boundaries; written beside the target and renamed, or on from the settled length.

mod durable;
mod identity;
mod paths;
#[cfg(test)]
mod power;
mod sink;
mod source;
mod stream;
mod target;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::sink::{FileSink, Place};
use self::source::{Compression, FileSource, Wanted};
use super::{Guarantee, Protocol, ReadRequest, WriteRequest};
use crate::config::{Carries, Connector, Mode, OptionKind, OptionSpec, ProtocolSpec, Stream};
use crate::connect::formats::Format;
use crate::connect::options::OptionReader;
use crate::connect::{Encoder, Sink, Source};
use crate::error::codes::connect::{ENCODING_UNKNOWN, GLOB_MALFORMED, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};

/// The protocol.
pub(super) struct Files;

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "file",
    about: "Files on this machine, plain or gzip; `-` is standard input or output.",
    carries: Carries::Bytes,
    reads: true,
    modes: &[Mode::Append],
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
        OptionSpec::new(
            "compression",
            OptionKind::Choice(&["auto", "none", "gzip"]),
            "How files are compressed; `auto` goes by the ending `.gz`.",
        )
        .default("auto"),
        OptionSpec::new(
            "encoding",
            OptionKind::Text,
            "The encoding of the files, as a label of the WHATWG Encoding Standard; targets are always UTF-8.",
        )
        .default("utf-8"),
        OptionSpec::new(
            "max_inflation",
            OptionKind::Int { min: 1, max: 1_000_000 },
            "How many times its size a gzip file may become, once more than 64 MiB came out of it.",
        )
        .default("200"),
    ],
    undeclared_stream: None,
    example: "use: file\nwith:\n  path: data\nstreams:\n  orders:\n    path: orders-*.csv\n",
};

impl Protocol for Files {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        let options = OptionReader::new(&request.stream.options, SPEC.stream_options);
        let wanted = Wanted {
            folder: folder(request.root, request.connector)?,
            path: path(request.stream)?,
            compression: compression(request.stream)?,
            encoding: encoding(request.stream)?,
            max_inflation: options.number("max_inflation")?,
            format: format(request.format)?,
            format_options: request.stream.format_options.clone(),
        };
        let only = request.only.map(|(slice, position)| (slice.clone(), position.clone()));
        Ok(Box::new(FileSource::new(wanted, request.settled.to_vec(), only)))
    }

    fn guarantee(&self, request: &WriteRequest<'_>) -> Guarantee {
        match path(request.stream) {
            Ok(path) if path == "-" => Guarantee::AtLeastOnce,
            _ => Guarantee::ExactlyOnce,
        }
    }

    fn is_standard(&self, stream: &Stream) -> bool {
        path(stream).is_ok_and(|path| path == "-")
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        format(request.format)?.encoder(&request.stream.format_options, request.columns)
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        let unfit = |cause: &str| Error::new(Kind::Invalid, &TARGET_UNFIT, cause);
        if request.mode != Mode::Append {
            return Err(unfit("single records of a file cannot be replaced")
                .at(request.stream.place.clone())
                .hint("use `mode: append`, or a database as the target"));
        }
        if encoding(request.stream)?.is_some() {
            return Err(Error::new(Kind::Invalid, &ENCODING_UNKNOWN, "targets are written in UTF-8 only")
                .at(request.stream.place.clone())
                .hint("leave `encoding` out of the target's stream"));
        }
        let path = path(request.stream)?;
        let whole = folder(request.root, request.connector)?.join(&path);
        let frame = format(request.format)?.frame(&request.stream.format_options, request.columns)?;
        if path == "-" {
            return Ok(Box::new(FileSink::new(Place::Stdout, frame, false, request.anew)));
        }
        if paths::is_pattern(&path) && std::fs::symlink_metadata(&whole).is_err() {
            return Err(Error::new(
                Kind::Invalid,
                &GLOB_MALFORMED,
                format!("the target `{path}` is a pattern, not a file"),
            )
            .at(request.stream.place.clone()));
        }
        let gzip = match compression(request.stream)? {
            Compression::Auto => is_gzip_name(&path),
            Compression::None => false,
            Compression::Gzip => true,
        };
        Ok(Box::new(FileSink::new(Place::File(whole), frame, gzip, request.anew)))
    }
}

fn folder(root: &std::path::Path, connector: &Connector) -> Result<PathBuf> {
    let path = OptionReader::new(&connector.with, SPEC.options).text("path")?.unwrap_or_default();
    // Without the point, so that messages show `data/a.csv` and not `./data/a.csv`.
    Ok(if path == "." || path.is_empty() { root.to_owned() } else { root.join(path) })
}

fn path(stream: &Stream) -> Result<String> {
    OptionReader::new(&stream.options, SPEC.stream_options).text("path")?.filter(|path| !path.is_empty()).ok_or_else(
        || {
            Error::new(Kind::Invalid, &TARGET_UNFIT, format!("stream `{}` names no file", stream.name))
                .at(stream.place.clone())
        },
    )
}

fn compression(stream: &Stream) -> Result<Compression> {
    Ok(match OptionReader::new(&stream.options, SPEC.stream_options).text("compression")?.as_deref() {
        Some("gzip") => Compression::Gzip,
        Some("none") => Compression::None,
        _ => Compression::Auto,
    })
}

/// The encoding, `None` for UTF-8.
fn encoding(stream: &Stream) -> Result<Option<&'static encoding_rs::Encoding>> {
    let label = OptionReader::new(&stream.options, SPEC.stream_options).text("encoding")?.unwrap_or_default();
    match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(None),
        Some(encoding) => Ok(Some(encoding)),
        None => Err(Error::new(Kind::Invalid, &ENCODING_UNKNOWN, format!("`{label}` is no encoding"))
            .at(stream.place.clone())
            .hint("usual ones are `utf-8`, `windows-1252`, `utf-16le` and `shift_jis`")),
    }
}

fn format(format: Option<&'static dyn Format>) -> Result<&'static dyn Format> {
    format.ok_or_else(|| Error::bug("a file stream came without a format"))
}

fn is_gzip_name(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
}
