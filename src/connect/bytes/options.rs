//! Options of a stream that all protocols for bytes share, and what is made of them.

use std::path::PathBuf;

use super::compression::{Compression, Packing};
use super::paths::check_pattern;
use super::source::Wanted;
use crate::config::{OptionKind, OptionSpec, Stream};
use crate::connect::Frame;
use crate::connect::formats::Format;
use crate::connect::options::OptionReader;
use crate::error::codes::connect::{ENCODING_UNKNOWN, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};

/// How files are compressed.
pub const COMPRESSION: OptionSpec = OptionSpec::new(
    "compression",
    OptionKind::Choice(&["auto", "none", "gzip", "zstd", "zip"]),
    "How files are compressed; `auto` goes by the endings `.gz`, `.zst` and `.zip`. Of a zip archive the members are read; it is never a target.",
)
.default("auto");

/// Which members of an archive are read.
pub const MEMBER: OptionSpec = OptionSpec::new(
    "member",
    OptionKind::Text,
    "Which members of a zip archive are read: a name or a pattern, `*.csv` for those in no folder, `**/*.csv` for all. Hidden ones are only found by a pattern that begins with a point.",
)
.default("**/*");

/// In which encoding they are.
pub const ENCODING: OptionSpec = OptionSpec::new(
    "encoding",
    OptionKind::Text,
    "The encoding of the files, as a label of the WHATWG Encoding Standard. Unless it is given, an XML file is read as it says itself. Targets are always UTF-8.",
)
.default("utf-8");

/// How much may come out of a compressed file.
pub const MAX_INFLATION: OptionSpec = OptionSpec::new(
    "max_inflation",
    OptionKind::Int { min: 1, max: 1_000_000 },
    "How many times its size a compressed file may become, once more than 64 MiB came out of it.",
)
.default("200");

/// The stream's files, as its options describe them.
///
/// # Errors
/// A stream without a path, an unknown encoding.
pub fn wanted(
    stream: &Stream,
    specs: &'static [OptionSpec],
    folder: PathBuf,
    format: Option<&'static dyn Format>,
) -> Result<Wanted> {
    Ok(Wanted {
        folder,
        path: path(stream, specs)?,
        compression: compression(stream, specs)?,
        encoding: encoding(stream, specs)?,
        told: !stream.options.iter().any(|(name, _)| name.value == ENCODING.name),
        member: {
            let member = OptionReader::new(&stream.options, specs).text(MEMBER.name)?.unwrap_or_default();
            check_pattern(&member).map_err(|e| e.at(stream.place.clone()))?;
            member
        },
        max_inflation: OptionReader::new(&stream.options, specs).number("max_inflation")?,
        format: self::format(format)?,
        format_options: stream.format_options.clone(),
        settle_time: None,
        unfinished: Vec::new(),
    })
}

/// The path or pattern of a stream.
///
/// # Errors
/// If there is none.
pub fn path(stream: &Stream, specs: &'static [OptionSpec]) -> Result<String> {
    OptionReader::new(&stream.options, specs).text("path")?.filter(|path| !path.is_empty()).ok_or_else(|| {
        Error::new(Kind::Invalid, &TARGET_UNFIT, format!("stream `{}` names no file", stream.name))
            .at(stream.place.clone())
    })
}

/// How the files of a stream are compressed.
///
/// # Errors
/// If the option was not checked.
pub fn compression(stream: &Stream, specs: &'static [OptionSpec]) -> Result<Compression> {
    Ok(match OptionReader::new(&stream.options, specs).text("compression")?.as_deref() {
        Some("gzip") => Compression::Always(Packing::Gzip),
        Some("zstd") => Compression::Always(Packing::Zstd),
        Some("none") => Compression::None,
        Some("zip") => Compression::Zip,
        _ => Compression::Auto,
    })
}

/// How a target is compressed.
///
/// # Errors
/// An archive: it is only read.
pub fn target_packing(stream: &Stream, specs: &'static [OptionSpec], path: &str) -> Result<Option<Packing>> {
    let compression = compression(stream, specs)?;
    if compression.is_archive(path) {
        return Err(Error::new(Kind::Invalid, &TARGET_UNFIT, "zip archives are read, not written")
            .at(stream.place.clone())
            .hint("write a `.gz` or `.zst` file"));
    }
    Ok(compression.packing(path))
}

/// Whether a target can have a head that is only known at the end.
///
/// # Errors
/// If it cannot: it is compressed, or cannot be written twice.
pub fn check_count(stream: &Stream, frame: &Frame, packing: Option<Packing>, is_standard: bool) -> Result<()> {
    let cause = match (frame.count_at, packing, is_standard) {
        (Some(_), Some(_), _) => "a target that begins with the number of its records cannot be compressed",
        (Some(_), _, true) => "standard output cannot begin with the number of its records: it is known at the end",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Invalid, &TARGET_UNFIT, cause)
        .at(stream.place.clone())
        .hint("leave the count out of the format"))
}

/// The encoding, `None` for UTF-8.
///
/// # Errors
/// If it is unknown.
pub fn encoding(stream: &Stream, specs: &'static [OptionSpec]) -> Result<Option<&'static encoding_rs::Encoding>> {
    let label = OptionReader::new(&stream.options, specs).text("encoding")?.unwrap_or_default();
    match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(None),
        Some(encoding) => Ok(Some(encoding)),
        None => Err(Error::new(Kind::Invalid, &ENCODING_UNKNOWN, format!("`{label}` is no encoding"))
            .at(stream.place.clone())
            .hint("usual ones are `utf-8`, `windows-1252`, `utf-16le` and `shift_jis`")),
    }
}

/// The format, which a stream of bytes always has.
///
/// # Errors
/// If it has none: a bug of ours.
pub fn format(format: Option<&'static dyn Format>) -> Result<&'static dyn Format> {
    format.ok_or_else(|| Error::bug("a stream of files came without a format"))
}
