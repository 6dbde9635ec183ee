//! CSV and its dialects (RFC 4180 and what is found in the wild).
//!
//! Own lexer, because the difference between a quoted empty field (an empty text) and an
//! unquoted one (null) must survive, which common readers do not tell.

mod decode;
mod encode;
mod framing;
mod lex;

use super::{Format, Options};
use crate::config::{FormatSpec, OptionKind, OptionSpec};
use crate::connect::given::Given;
use crate::connect::{Decoder, Encoder, Frame, Framing};
use crate::error::Result;
use crate::record::Column;

/// The format `csv`.
pub static CSV: Csv = Csv;

/// The format `csv`.
pub struct Csv;

static SPEC: FormatSpec = FormatSpec {
    name: "csv",
    about: "Rows of fields between delimiters (CSV, TSV and their dialects), with or without a header line.",
    options: OPTIONS,
    extensions: &["csv", "tsv"],
    flat: true,
    text_fields: true,
    example: "delimiter: \";\"\ndecimal_comma: true\nduplicate_headers: number\nskip_lines: 2\n",
};

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new("delimiter", OptionKind::Character, "Stands between two fields: one ASCII character, or `tab`.")
        .default("\",\""),
    OptionSpec::new(
        "quote",
        OptionKind::Character,
        "Stands around a field that holds delimiters or line ends; `none` if quotes mean nothing.",
    )
    .default("\"\\\"\""),
    OptionSpec::new(
        "escape",
        OptionKind::Choice(&["double", "backslash"]),
        "How a quote is written inside a quoted field: twice, or after a backslash.",
    )
    .default("double"),
    OptionSpec::new(
        "header",
        OptionKind::Bool,
        "Whether the first record names the columns. Without a header and without `columns` they are `column1`, `column2` and so on.",
    )
    .default("true"),
    OptionSpec::new(
        "columns",
        OptionKind::List(&OptionKind::Text),
        "The names of the columns in order, where there is no header or in place of it.",
    ),
    OptionSpec::new(
        "duplicate_headers",
        OptionKind::Choice(&["error", "number"]),
        "What a name that stands twice in the header does: stop, or become `name_2`.",
    )
    .default("error"),
    OptionSpec::new("skip_lines", OptionKind::Int { min: 0, max: 1_000_000 }, "How many lines stand above the header.")
        .default("0"),
    OptionSpec::new("comment", OptionKind::Character, "A line that begins with this character is passed over.")
        .default("none"),
    OptionSpec::new(
        "null_text",
        OptionKind::Text,
        "The unquoted text that stands for null. A quoted field is never null. With a text such as `\\N` an empty field is an empty text.",
    )
    .default("\"\""),
    OptionSpec::new("trim", OptionKind::Bool, "Whether spaces and tabs around an unquoted field are dropped.")
        .default("false"),
    OptionSpec::new(
        "decimal_comma",
        OptionKind::Bool,
        "Whether fields declared `decimal` or `double` have a comma in place of the point.",
    )
    .default("false"),
    OptionSpec::new(
        "ragged",
        OptionKind::Choice(&["error", "pad"]),
        "What a row with too few fields does: it is rejected, or its last fields are missing. One with too many is rejected.",
    )
    .default("error"),
    OptionSpec::new(
        "line_end",
        OptionKind::Choice(&["lf", "crlf"]),
        "What ends a row when writing. Reading understands LF, CRLF and CR.",
    )
    .default("lf"),
    OptionSpec::new(
        "max_record_bytes",
        OptionKind::Int { min: 1024, max: 1 << 30 },
        "A record longer than this ends the reading with an error.",
    )
    .default("16777216"),
];

impl Format for Csv {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>> {
        Ok(Box::new(framing::CsvFraming::new(Dialect::new(options)?)))
    }

    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(decode::CsvDecoder::new(Dialect::new(options)?)))
    }

    fn encoder(&self, options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(encode::CsvEncoder::new(Dialect::new(options)?, columns)?))
    }

    fn frame(&self, options: &Options, columns: &[Column]) -> Result<Frame> {
        encode::frame(&Dialect::new(options)?, columns)
    }
}

/// The options, checked once.
#[derive(Clone, Debug)]
struct Dialect {
    delimiter: u8,
    quote: Option<u8>,
    backslash: bool,
    header: bool,
    columns: Vec<String>,
    number_duplicates: bool,
    skip_lines: usize,
    comment: Option<u8>,
    null_text: String,
    trim: bool,
    decimal_comma: bool,
    pad: bool,
    crlf: bool,
    max_record_bytes: usize,
}

impl Dialect {
    fn new(options: &Options) -> Result<Self> {
        let given = Given::new(options, OPTIONS);
        let Some(delimiter) = given.character("delimiter")? else {
            return Err(given.wrong("delimiter", "cannot be `none`"));
        };
        let dialect = Self {
            delimiter,
            quote: given.character("quote")?,
            backslash: given.text("escape")?.as_deref() == Some("backslash"),
            header: given.bool("header")?,
            columns: given.list("columns")?,
            number_duplicates: given.text("duplicate_headers")?.as_deref() == Some("number"),
            skip_lines: given.size("skip_lines")?,
            comment: given.character("comment")?,
            null_text: given.text("null_text")?.unwrap_or_default(),
            trim: given.bool("trim")?,
            decimal_comma: given.bool("decimal_comma")?,
            pad: given.text("ragged")?.as_deref() == Some("pad"),
            crlf: given.text("line_end")?.as_deref() == Some("crlf"),
            max_record_bytes: given.size("max_record_bytes")?,
        };
        for (name, character) in
            [("delimiter", Some(dialect.delimiter)), ("quote", dialect.quote), ("comment", dialect.comment)]
        {
            if matches!(character, Some(b'\n' | b'\r' | 0)) {
                return Err(given.wrong(name, "cannot be a line end or NUL"));
            }
        }
        if dialect.quote == Some(dialect.delimiter) {
            return Err(given.wrong("quote", "is the same character as `delimiter`"));
        }
        if dialect.comment.is_some_and(|c| c == dialect.delimiter || Some(c) == dialect.quote) {
            return Err(given.wrong("comment", "is the same character as `delimiter` or `quote`"));
        }
        if dialect.backslash && (dialect.delimiter == b'\\' || dialect.quote == Some(b'\\')) {
            return Err(given.wrong("escape", "is `backslash`, which is the delimiter or the quote already"));
        }
        let null = dialect.null_text.as_bytes();
        if null.iter().any(|b| *b == dialect.delimiter || Some(*b) == dialect.quote || matches!(b, b'\n' | b'\r')) {
            return Err(given.wrong("null_text", "holds the delimiter, the quote or a line end"));
        }
        if null.first().is_some_and(|b| Some(*b) == dialect.comment)
            || (dialect.trim && dialect.null_text.trim() != dialect.null_text)
        {
            return Err(given.wrong("null_text", "begins with the comment character, or with spaces that `trim` drops"));
        }
        if let Some(twice) = repeated(&dialect.columns) {
            return Err(given.wrong("columns", &format!("has `{twice}` twice")));
        }
        Ok(dialect)
    }
}

fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = std::collections::HashSet::new();
    names.iter().find(|name| !seen.insert(name.as_str()))
}
