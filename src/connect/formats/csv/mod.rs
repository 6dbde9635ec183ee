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
use crate::connect::options::OptionReader;
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
    OptionSpec::new(
        "count_line",
        OptionKind::Text,
        "A line above everything that tells how many records follow, with `{count}` in it (`HDR;{count}`). Reading passes it over, as `skip_lines` does.",
    ),
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
        "formulas",
        OptionKind::Choice(&["keep", "guard"]),
        "What a text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return, and is no number) does when written: it stays as it is, or a `'` is put in front.",
    )
    .default("keep"),
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
    count_line: Option<(String, String)>,
    comment: Option<u8>,
    null_text: String,
    trim: bool,
    decimal_comma: bool,
    pad: bool,
    crlf: bool,
    guard: bool,
    max_record_bytes: usize,
}

impl Dialect {
    fn new(options: &Options) -> Result<Self> {
        let given = OptionReader::new(options, OPTIONS);
        let Some(delimiter) = given.character("delimiter")? else {
            return Err(given.wrong("delimiter", "cannot be `none`"));
        };
        let count_line = match given.text("count_line")? {
            Some(line) if line.contains(['\n', '\r']) => return Err(given.wrong("count_line", "is one line")),
            Some(line) => match line.split_once("{count}") {
                Some((start, end)) => Some((start.to_owned(), end.to_owned())),
                None => return Err(given.wrong("count_line", "has no `{count}` in it")),
            },
            None => None,
        };
        let dialect = Self {
            delimiter,
            quote: given.character("quote")?,
            backslash: given.text("escape")?.as_deref() == Some("backslash"),
            header: given.flag("header")?,
            columns: given.list("columns")?,
            number_duplicates: given.text("duplicate_headers")?.as_deref() == Some("number"),
            skip_lines: given.number("skip_lines")? as usize + usize::from(count_line.is_some()),
            count_line,
            comment: given.character("comment")?,
            null_text: given.text("null_text")?.unwrap_or_default(),
            trim: given.flag("trim")?,
            decimal_comma: given.flag("decimal_comma")?,
            pad: given.text("ragged")?.as_deref() == Some("pad"),
            crlf: given.text("line_end")?.as_deref() == Some("crlf"),
            guard: given.text("formulas")?.as_deref() == Some("guard"),
            max_record_bytes: given.number("max_record_bytes")? as usize,
        };
        for (name, character) in
            [("delimiter", Some(dialect.delimiter)), ("quote", dialect.quote), ("comment", dialect.comment)]
        {
            if matches!(character, Some(b'\n' | b'\r' | 0)) {
                return Err(given.wrong(name, "cannot be a line end or NUL"));
            }
        }
        if dialect.quote == Some(dialect.delimiter) {
            return Err(given.wrong("delimiter", "is the same character as `quote`"));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{cases, check, options, read_with, show};
    use super::*;
    use crate::record::{Decimal, Path, Type, Value};

    #[test]
    fn null_and_empty_text_differ() {
        check("csv", &[], &["a", "b", "c"], "a,b,c\n,\"\",x\n", &["2: null \"\" \"x\""]);
        check(
            "csv",
            &[("null_text", "\\N")],
            &["a", "b"],
            "a,b\n,\\N\n\"\\N\",\"\"\n",
            &["2: \"\" null", "3: \"\\\\N\" \"\""],
        );
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        check("csv", &[], &["c", "nowhere", "a"], "a,b,c\n1,2,3\n", &["2: \"3\" - \"1\""]);
        check("csv", &[], &[""], "a,b\n1,\n", &["2: {a=\"1\" b=null}"]);
        check("csv", &[], &["a.b"], "a.b,c\n1,2\n", &["2: \"1\""]);
        check("csv", &[], &[], "a,b\n1,2\n", &["2: "]);
    }

    #[test]
    fn quotes() {
        check("csv", &[], &["a", "b"], "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", &["2: \"x,y\" \"say \\\"hi\\\"\""]);
        check(
            "csv",
            &[],
            &["a", "b"],
            "a,b\n\"one\ntwo\r\n\",2\n3,4\n",
            &["2: \"one\\ntwo\\r\\n\" \"2\"", "5: \"3\" \"4\""],
        );
        check("csv", &[], &["a", "b"], "a,b\n5\" pipe,x\"y\n", &["2: \"5\\\" pipe\" \"x\\\"y\""]);
        check("csv", &[("quote", "none")], &["a"], "a,b\n\"x,y\n", &["2: \"\\\"x\""]);
        check("csv", &[("escape", "backslash")], &["a", "b"], "a,b\n\"x\\\"y\\\\\",2\n", &["2: \"x\\\"y\\\\\" \"2\""]);
    }

    #[test]
    fn wrong_quotes_are_named() {
        check(
            "csv",
            &[],
            &["a"],
            "a,b\n1,2\n\"x\"y,2\n3,4\n",
            &["2: \"1\"", "csv-quote 3:4 byte 11: text stands after a closing quote", "4: \"3\""],
        );
        check(
            "csv",
            &[],
            &["a"],
            "a,b\n1,2\n3,\"x\n",
            &["failed csv-quote: open quote: the quote in line 3 is not closed before the end"],
        );
    }

    #[test]
    fn line_ends() {
        check("csv", &[], &["b"], "a,b\r\n1,2\r\n3,4", &["2: \"2\"", "3: \"4\""]);
        check("csv", &[], &["b"], "a,b\r1,2\r3,4\r", &["2: \"2\"", "3: \"4\""]);
        check("csv", &[], &["b"], "a,b\n\n1,2\n\r\n3,4\n\n", &["3: \"2\"", "5: \"4\""]);
        check("csv", &[], &["a"], "a\n1\n\n2\n", &["2: \"1\"", "3: null", "4: \"2\""]);
    }

    #[test]
    fn headers() {
        check(
            "csv",
            &[("header", "false")],
            &["column1", "column2"],
            "1,2\n3,4\n",
            &["1: \"1\" \"2\"", "2: \"3\" \"4\""],
        );
        check("csv", &[("header", "false"), ("columns", "x,y")], &["y"], "1,2\n", &["1: \"2\""]);
        check("csv", &[("columns", "x,y")], &["y"], "a,b\n1,2\n", &["2: \"2\""]);
        check(
            "csv",
            &[("columns", "x,y,z")],
            &["y"],
            "a,b\n1,2\n",
            &["failed csv-header: `columns` has 3 names, the first record 2 fields"],
        );
        check("csv", &[], &["a"], "OrderID,b,OrderID\n1,2,3\n", &["failed csv-header: the header has `OrderID` twice"]);
        let numbered = [("duplicate_headers", "number")];
        check("csv", &numbered, &["OrderID", "OrderID_2"], "OrderID,b,OrderID\n1,2,3\n", &["2: \"1\" \"3\""]);
        check("csv", &numbered, &["a", "a_2", "a_3"], "a,a_2,a\n1,2,3\n", &["2: \"1\" \"2\" \"3\""]);
        check("csv", &[], &["a", "column2"], "a,\n1,2\n", &["2: \"1\" \"2\""]);
        check("csv", &[("skip_lines", "2")], &["a"], "Bank \"x\n\na,b\n1,2\n", &["4: \"1\""]);
        check("csv", &[], &["a,b"], "\"a,b\",c\n1,2\n", &["2: \"1\""]);
    }

    #[test]
    fn ragged_rows_are_refused_with_their_place() {
        check(
            "csv",
            &[],
            &["a"],
            "a,b\n1,2\n3\n4,5,6\n\"7\"\n8,9\n",
            &[
                "2: \"1\"",
                "csv-ragged 3:2 byte 9: the row has 1 fields, the header 2",
                "csv-ragged 4:6 byte 15: the row has 3 fields, the header 2",
                "csv-ragged 5:4 byte 19: the row has 1 fields, the header 2",
                "6: \"8\"",
            ],
        );
        check(
            "csv",
            &[("ragged", "pad")],
            &["a", "b"],
            "a,b\n1\n\"2\"\n3,4,5\n",
            &["2: \"1\" -", "3: \"2\" -", "csv-ragged 4:6 byte 15: the row has 3 fields, the header 2"],
        );
    }

    #[test]
    fn declared_types() {
        check(
            "csv",
            &[],
            &["q:int", "p:decimal"],
            "q,p\n5,1.50\n,\"2\"\nx,1\n1,\"y\"\n1.5,2\n",
            &[
                "2: i5 1.50",
                "3: null 2",
                "field-type 4:1 byte 16: the field `q` is not a whole number of 64 bits",
                "field-type 5:4 byte 23: the field `p` is not a decimal number",
                "field-type 6:1 byte 26: the field `q` is not a whole number of 64 bits",
            ],
        );
        let german = [("delimiter", ";"), ("decimal_comma", "true")];
        check(
            "csv",
            &german,
            &["p:decimal", "t"],
            "p;t\n12,50;1,5\n1.000;x\n",
            &[
                "2: 12.50 \"1,5\"",
                "field-type 3:1 byte 14: the field `p` has a point, where a comma stands before the decimals (`decimal_comma`)",
            ],
        );
        check("csv", &[("trim", "true")], &["a:int", "b"], "a , b\n 1 ,\t\n2,\" \"\n", &["2: i1 null", "3: i2 \" \""]);
    }

    #[test]
    fn comments_are_passed_over() {
        check(
            "csv",
            &[("comment", "#")],
            &["a"],
            "# one \"\na,b\n1,2\n# it's ,\"open\n3,\"4\n5\"\n6,7\n",
            &["3: \"1\"", "5: \"3\"", "7: \"6\""],
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_reject_their_record_alone() {
        check(
            "csv",
            &[],
            &["a"],
            b"a,b\n1,2\nM\xFCller,3\n\"\xFC\",4\n5,6\n".as_slice(),
            &[
                "2: \"1\"",
                "format-encoding 3:2 byte 9: a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`",
                "format-encoding 4:2 byte 18: a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`",
                "5: \"5\"",
            ],
        );
    }

    #[test]
    fn a_record_beyond_the_limit_is_an_error_before_it_is_read_whole() {
        let given = options(&[("max_record_bytes", "1024")]);
        let mut framing = CSV.framing(&given).unwrap();
        framing.open(b"a,b\n", false).unwrap();
        assert_eq!(framing.cut(&[b'x'; 1024], false).unwrap(), crate::connect::Cut::More);
        for filler in [[b'x'; 1025], [b'"'; 1025]] {
            assert_eq!(framing.cut(&filler, false).unwrap_err().code().id, "format-record-size");
        }
        assert_eq!(
            CSV.framing(&given).unwrap().open(&[b'x'; 1025], false).unwrap_err().code().id,
            "format-record-size"
        );
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let refused: &[&[(&str, &str)]] = &[
            &[("delimiter", "none")],
            &[("delimiter", "ab")],
            &[("delimiter", "é")],
            &[("delimiter", "\"")],
            &[("comment", ",")],
            &[("escape", "backslash"), ("delimiter", "\\")],
            &[("null_text", "a,b")],
            &[("columns", "a,a")],
        ];
        for given in refused {
            let error = CSV.framing(&options(given)).err().unwrap();
            assert_eq!(error.code().id, "format-options", "{given:?}");
            assert!(error.place().is_some(), "{given:?}");
        }
    }

    fn written(given: &[(&str, &str)], names: &[&str], values: &[Value<'_>]) -> String {
        let columns: Vec<Column> = names
            .iter()
            .map(|name| Column { path: Path::parse(name).unwrap(), kind: Type::Dyn, required: false })
            .collect();
        let given = options(given);
        let mut out = CSV.frame(&given, &columns).unwrap().before;
        match CSV.encoder(&given, &columns).unwrap().encode(values, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(error) => format!("column {}: {}", error.column, error.cause),
        }
    }

    #[test]
    fn quotes_are_written_where_they_are_needed() {
        let values = ["plain", "", " x", "a,b", "say \"hi\"", "one\ntwo", "é"].map(Value::String);
        let names = ["a", "b", "c.d", "e", "f", "g", "h"];
        assert_eq!(
            written(&[], &names, &values),
            "a,b,c.d,e,f,g,h\nplain,\"\",\" x\",\"a,b\",\"say \"\"hi\"\"\",\"one\ntwo\",é\n"
        );
        let price = Value::Decimal(Decimal::parse("1.50").unwrap());
        let german = [("decimal_comma", "true"), ("line_end", "crlf")];
        assert_eq!(written(&german, &["p", "n"], &[price, Value::Null]), "p,n\r\n\"1,50\",\r\n");
        assert_eq!(
            written(&[("quote", "none")], &["a"], &[Value::String("a,b")]),
            "column 0: the value would need quotes, and `quote` is `none`"
        );
        assert_eq!(
            written(&[], &["a", "b"], &[Value::Null, Value::List(&[])]),
            "column 1: the value is a list, and a CSV field is a single value"
        );
    }

    #[test]
    fn formulas_are_guarded_where_it_is_asked_for() {
        let guard = [("formulas", "guard")];
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30 1", "'+49 30 1"),
            ("-5", "-5"),
            ("+3.50", "+3.50"),
            ("-1e5", "-1e5"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("=a,b", "\"'=a,b\""),
            ("a=1", "a=1"),
            ("", "\"\""),
        ] {
            assert_eq!(written(&guard, &["a"], &[Value::String(text)]), format!("a\n{expected}\n"), "{text:?}");
        }
        // What is a number in the record is one in the file.
        let number = Value::Decimal(Decimal::parse("-1.50").unwrap());
        let german = [("formulas", "guard"), ("decimal_comma", "true"), ("delimiter", ";")];
        assert_eq!(
            written(&german, &["a", "b", "c"], &[number, Value::Int(-3), Value::Number("-1")]),
            "a;b;c\n-1,50;-3;-1\n"
        );
        assert_eq!(written(&german, &["a"], &[Value::String("-1,50")]), "a\n-1,50\n");
        assert_eq!(written(&[], &["a"], &[Value::String("=1+1")]), "a\n=1+1\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases() * 4, ..ProptestConfig::default() })]

        /// The csv crate knows no null and joins text behind a closing quote; where these do not
        /// come in, both must read the same fields.
        #[test]
        fn reads_what_the_csv_crate_reads(text in "[ab\"\",,;\n\r é]{0,40}", block in 1_usize..20) {
            let text = format!("x,y\n{text}\n");
            let given = options(&[("ragged", "pad")]);
            let found = read_with("csv", &given, &[""], text.as_bytes(), block);
            if found.iter().any(|line| line.contains("csv-quote")) {
                return Ok(());
            }
            let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
            let mut wanted = Vec::new();
            for record in reader.records().skip(1) {
                let record = record.unwrap();
                wanted.push(match record.len() {
                    0..=2 => {
                        let named: Vec<String> =
                            ["x", "y"].iter().zip(&record).map(|(name, field)| format!("{name}={}", show(&Value::String(field)))).collect();
                        format!("{{{}}}", named.join(" "))
                    }
                    more => format!("the row has {more} fields, the header 2"),
                });
            }
            let found: Vec<String> = found
                .iter()
                .map(|line| line.split_once(": ").unwrap().1.replace("=null", "=\"\""))
                .collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
