//! The contract of every format: the same questions to each of [`super::ALL`].

use std::sync::Arc;

use proptest::prelude::*;

use super::{ALL, Format, named};
use crate::config::{Node, Piece, Spanned, Text};
use crate::connect::{Cut, Framing, Header, Part, RecordError, Rows};
use crate::error::{Place, Result};
use crate::record::{Arena, Column, Date, Decimal, Path, Position, Projection, Row, Timestamp, Type, Value};

type Given = Vec<(Spanned<String>, Spanned<Node>)>;

/// Options from names and texts; `columns` is split at commas.
pub(super) fn options(pairs: &[(&str, &str)]) -> Given {
    let place = || Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
    let text = |text: &str| Node::Text(Text { pieces: vec![Piece::Literal(text.to_string())] });
    pairs
        .iter()
        .map(|(name, value)| {
            let node = match *name {
                "columns" | "lists" | "mixed" | "namespaces" => {
                    Node::List(value.split(',').map(|v| Spanned { value: text(v), place: place() }).collect())
                }
                _ => text(value),
            };
            (Spanned { value: (*name).to_string(), place: place() }, Spanned { value: node, place: place() })
        })
        .collect()
}

/// A projection of paths with types: `qty:int`.
pub(super) fn projection(paths: &[&str]) -> Projection {
    let mut made = Projection::default();
    for text in paths {
        let typed = text.rsplit_once(':').and_then(|(path, kind)| Some((path, Type::named(kind)?)));
        let (path, kind) = typed.unwrap_or((text, Type::Dyn));
        let path = if path.is_empty() { Path::default() } else { Path::parse(path).unwrap() };
        made.slot(&path, kind);
    }
    made
}

/// Cuts a stream as a source does that reads `block` bytes at a time.
pub(super) fn parts(format: &dyn Format, given: &Given, bytes: &[u8], block: usize) -> (Vec<Part>, Result<()>) {
    let mut parts = Vec::new();
    let outcome = cut_all(format, given, bytes, block.max(1), &mut parts);
    (parts, outcome)
}

fn cut_all(format: &dyn Format, given: &Given, bytes: &[u8], block: usize, parts: &mut Vec<Part>) -> Result<()> {
    let mut framing = format.framing(given)?;
    let mut filled = block.min(bytes.len());
    let opening = loop {
        let eof = filled == bytes.len();
        if let Some(opening) = framing.open(&bytes[..filled], eof)? {
            break opening;
        }
        assert!(!eof, "with all bytes at hand, the opening is known or an error");
        filled = (filled + block).min(bytes.len());
    };
    let (mut header, mut extra) = around(framing.as_ref(), Arc::new(opening.header));
    let (mut at, mut line) = (opening.bytes, opening.lines);
    loop {
        let eof = filled == bytes.len();
        let (length, lines, end) = match framing.cut(&bytes[at..filled], eof)? {
            Cut::More => {
                assert!(!eof, "at the end all is cut or an error");
                filled = (filled + block).min(bytes.len());
                continue;
            }
            Cut::At { bytes, lines } => (bytes, lines, false),
            Cut::End { bytes, lines } => (bytes, lines, true),
        };
        parts.push(part(
            &bytes[at..at + length],
            &header,
            Position { byte: at as u64, line, extra, ..Position::default() },
        ));
        (header, extra) = around(framing.as_ref(), header);
        (at, line) = (at + length, line + lines);
        if end || (eof && at == bytes.len()) {
            return Ok(());
        }
        assert!(length > 0 || !eof, "a cut moves on");
        filled = (filled + block).min(bytes.len());
    }
}

/// The header of the next part and what its position remembers, as a source keeps them.
fn around(framing: &dyn Framing, header: Arc<Header>) -> (Arc<Header>, serde_json::Value) {
    match framing.context() {
        None => (header, serde_json::Value::Null),
        Some(context) => (Arc::new(Header { columns: context.to_vec() }), serde_json::json!({ "context": context })),
    }
}

pub(super) fn part(bytes: &[u8], header: &Arc<Header>, start: Position) -> Part {
    Part {
        sequence: 0,
        slice: Arc::from("slice"),
        name: Arc::from("file"),
        header: header.clone(),
        bytes: bytes.to_vec(),
        end: start.clone(),
        start,
        last_of_slice: false,
    }
}

/// What a decoder said, with positions in the whole stream: `line 2: [...]`, or
/// `error CODE line 2 column 5 byte 17: cause`.
struct Said<'p> {
    part: &'p Part,
    out: &'p mut Vec<String>,
    next: u32,
}

impl<'a> Rows<'a> for Said<'_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        assert_eq!(row.index, self.next);
        self.next += 1;
        let line = self.part.start.line + u64::from(row.line) + 1;
        let slots: Vec<String> = row.slots.iter().map(show).collect();
        self.out.push(format!("{line}: {}", slots.join(" ")));
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        assert_eq!(error.index, self.next);
        assert!(
            error.start <= error.byte && error.byte <= error.end && error.end <= self.part.bytes.len(),
            "{error:?}"
        );
        self.next += 1;
        let (line, byte) = (self.part.start.line + u64::from(error.line) + 1, self.part.start.byte + error.byte as u64);
        self.out.push(format!("{} {line}:{} byte {byte}: {}", error.code.id, error.column, error.cause));
        true
    }
}

/// A value as tests write it.
pub(super) fn show(value: &Value<'_>) -> String {
    let mut text = Vec::new();
    match value {
        Value::Missing => return "-".into(),
        Value::String(text) => return format!("{text:?}"),
        Value::Decimal(number) => number.write(&mut text),
        Value::Number(number) => return format!("#{number}"),
        Value::Int(number) => return format!("i{number}"),
        Value::Bool(flag) => return flag.to_string(),
        Value::Null => return "null".into(),
        Value::Date(date) => date.write(&mut text),
        Value::Timestamp(moment) => moment.write(&mut text),
        Value::List(items) => return format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(k, v)| format!("{k}={}", show(v))).collect();
            return format!("{{{}}}", entries.join(" "));
        }
        other => return format!("{other:?}"),
    }
    String::from_utf8(text).unwrap()
}

pub(super) fn read_with(format: &str, given: &Given, paths: &[&str], bytes: &[u8], block: usize) -> Vec<String> {
    let format = named(format).unwrap();
    let (parts, outcome) = parts(format, given, bytes, block);
    let projection = projection(paths);
    let mut out = Vec::new();
    match format.decoder(given) {
        Err(error) => out.push(format!("failed {}: {error}", error.code().id)),
        Ok(mut decoder) => {
            for part in &parts {
                let arena = Arena::new();
                let mut said = Said { part, out: &mut out, next: 0 };
                decoder.decode(part, &projection, &arena, &mut said).unwrap();
            }
            if let Err(error) = outcome {
                out.push(format!("failed {}: {error}", error.code().id));
            }
        }
    }
    out
}

/// Reads a text in one block, and in blocks of every size that could matter: the same each time.
#[track_caller]
pub(super) fn check(format: &str, given: &[(&str, &str)], paths: &[&str], text: impl AsRef<[u8]>, expected: &[&str]) {
    let (given, bytes) = (options(given), text.as_ref());
    let found = read_with(format, &given, paths, bytes, usize::MAX);
    assert_eq!(found, expected, "of {:?}", String::from_utf8_lossy(bytes));
    if expected.iter().any(|line| line.starts_with("failed")) {
        return;
    }
    for block in 1..bytes.len().min(64) {
        assert_eq!(read_with(format, &given, paths, bytes, block), expected, "in blocks of {block} bytes");
    }
}

/// How many random inputs a property is tried with: few, unless a soak is asked for.
pub(super) fn cases() -> u32 {
    crate::soak::rounds(64)
}

#[test]
fn an_empty_stream_has_no_records() {
    for format in ["csv", "ndjson"] {
        check(format, &[], &["a"], "", &[]);
        check(format, &[], &["a"], "\u{feff}", &[]);
    }
}

#[test]
fn a_mark_at_the_beginning_is_no_data() {
    check("csv", &[], &["a"], "\u{feff}a,b\n1,2\n", &["2: \"1\""]);
    check("ndjson", &[], &["a"], "\u{feff}{\"a\":1}\n", &["1: #1"]);
}

/// Format, options, text.
type Sample = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Streams of each format with what makes them hard, and paths to ask for.
const SAMPLES: &[Sample] = &[
    ("csv", &[], "\u{feff}a,b\r\n1,\"x\r\ny\"\r\n\"é \"\"q\"\"\",\r\n\r\n3,4"),
    (
        "csv",
        &[("escape", "backslash"), ("comment", "#"), ("skip_lines", "1")],
        "top\n# \"c\na,b\n\"x\\\"\n\",2\n#,\"\n3,4\n",
    ),
    ("csv", &[("header", "false"), ("columns", "a,b")], "1,2\r3,\"4\r5\"\r6,7\r"),
    ("ndjson", &[], "\u{feff}{\"a\":\"\\ud83d\\ude00\\n\",\"b\":[1.5,{}]}\r\n\n{\"a\":null}\n{\"b\":-1e+5}"),
    ("json", &[], "\u{feff} [ {\"a\":\"]\\\"}\",\"b\":[1,{\"c\":2}]},\n {\"a\":2} , {\"a\":\"é\"}\n] \n"),
    ("json", &[("records", "x.y")], "{\"w\":[{\"y\":1}],\"x\":{\"y\":[{\"a\":1},\n{\"b\":2},{}],\"z\":0}}"),
    ("json", &[], "{\"a\":1,\n\"b\":[{}]}"),
    (
        "xml",
        &[("records", "p:x/y/r"), ("namespaces", "p=urn:u"), ("lists", "b")],
        "\u{feff}<?xml version='1.0'?>\r\n<!-- <r> -->\n<q:x xmlns:q=\"urn:u\"><w>t &amp; <r/></w><y>\n<r><a>é]]&gt;</a></r><?p <r>?>\r\n<r><b c='>'>1</b><![CDATA[</r>]]></r >text<r/></y>\n<y xmlns='urn:v'><r/><r xmlns=''><a/></r></y></q:x>\n<!-- end -->\n",
    ),
    ("xml", &[("records", "r")], "<r><r><a>1</a></r><a>x</a></r>"),
];

#[test]
fn a_stream_may_end_at_any_byte() {
    for (format, given, text) in SAMPLES {
        let given = options(given);
        for end in 0..text.len() {
            for block in [3, usize::MAX] {
                read_with(format, &given, &["a", "b[1].c", ""], &text.as_bytes()[..end], block);
            }
        }
    }
}

#[test]
fn a_stream_is_cut_anywhere_into_the_same_records() {
    for (format, given, text) in SAMPLES {
        let given = options(given);
        let wanted = read_with(format, &given, &["a", "b"], text.as_bytes(), usize::MAX);
        assert!(
            !wanted.is_empty() && wanted.iter().all(|line| line.starts_with(|c: char| c.is_ascii_digit())),
            "{wanted:?}"
        );
        for block in 1..text.len() {
            assert_eq!(read_with(format, &given, &["a", "b"], text.as_bytes(), block), wanted, "{format} by {block}");
        }
    }
}

#[test]
fn reading_resumes_at_every_cut() {
    for (name, given, text) in SAMPLES {
        let (format, given, bytes) = (named(name).unwrap(), options(given), text.as_bytes());
        let (whole, outcome) = parts(format, &given, bytes, 1);
        assert!(outcome.is_ok());
        for (index, part) in whole.iter().enumerate() {
            let mut framing = format.framing(&given).unwrap();
            let opening = framing.open(bytes, true).unwrap().unwrap();
            framing.resume(&part.start);
            assert_eq!(*around(framing.as_ref(), Arc::new(opening.header)).0, *part.header);
            let cut = framing.cut(&bytes[part.start.byte as usize..], true).unwrap();
            let rest: usize = whole[index..].iter().map(|part| part.bytes.len()).sum();
            let (Cut::At { bytes: length, .. } | Cut::End { bytes: length, .. }) = cut else { panic!("{cut:?}") };
            assert_eq!(length, rest, "{name} from byte {}", part.start.byte);
        }
    }
}

#[test]
fn another_encoding_is_told_from_its_mark() {
    for format in ALL {
        let mut framing = format.framing(&[]).unwrap();
        let error = framing.open(b"\xFF\xFEa\0", false).unwrap_err();
        assert_eq!((error.code().id, error.hints().len()), ("format-encoding", 1));
    }
}

#[test]
fn every_example_passes_its_own_options() {
    for format in ALL {
        let spec = format.spec();
        assert!(spec.about.ends_with('.'), "{}", spec.name);
        for line in spec.example.lines().filter(|line| !line.starts_with([' ', '-'])) {
            let name = line.split(':').next().unwrap_or_default();
            assert!(spec.options.iter().any(|option| option.name == name), "{}: {name}", spec.name);
        }
        for option in spec.options {
            assert!(option.about.ends_with('.'), "{}.{}", spec.name, option.name);
            if let Some(default) = option.default {
                serde_yaml::from_str::<serde_json::Value>(default)
                    .unwrap_or_else(|e| panic!("{}.{}: {e}", spec.name, option.name));
            }
        }
        assert!(format.framing(&[]).is_ok() && format.decoder(&[]).is_ok(), "{}: defaults", spec.name);
    }
}

/// The promise of CONTRIBUTING: one new file and two lines here.
#[test]
fn every_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/connect/formats");
    let list = std::fs::read_to_string(format!("{folder}/mod.rs")).unwrap();
    let mut stems: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|stem| stem != "mod" && stem != "tests")
        .collect();
    stems.sort();
    for stem in &stems {
        assert!(list.contains(&format!("\nmod {stem};")), "formats/mod.rs: add the line `mod {stem};`");
        let constant = stem.to_uppercase();
        assert!(named(stem).is_some(), "formats/mod.rs: add `&{stem}::{constant},` to ALL");
    }
    let mut names: Vec<&str> = ALL.iter().map(|format| format.spec().name).collect();
    names.sort_unstable();
    assert_eq!(names, stems, "a format is named as its file");
}

/// A value that each format can hold, with the text it comes back as.
fn scalar() -> impl Strategy<Value = Value<'static>> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[\"\\\\,;\n\r\t #'é\u{1F600}\u{feff}a]{0,6}",
        "\\PC{0,8}",
        Just(String::new()),
        Just("null".to_string()),
        Just("\\N".to_string()),
    ];
    prop_oneof![
        Just(Value::Null),
        text.prop_map(|text| Value::String(text.leak())),
        (any::<i64>(), 0_u32..20).prop_map(|(m, s)| Value::Decimal(Decimal::new(m.into(), s).unwrap())),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        (-700_000_i32..2_900_000).prop_map(|days| Value::Date(Date { days })),
        (-60_000_000_000_i64..250_000_000_000, 0_u32..1_000_000_000, -1000_i32..1000).prop_map(
            |(seconds, nanos, minutes)| {
                Value::Timestamp(Timestamp { seconds, nanos, offset: minutes.clamp(-1439, 1439) * 60 })
            }
        ),
    ]
}

/// The declared type that brings a value back as it was.
fn kind_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Int(_) => "int",
        Value::Decimal(_) => "decimal",
        Value::Bool(_) => "bool",
        Value::Date(_) => "date",
        Value::Timestamp(_) => "timestamp",
        _ => "any",
    }
}

/// Writes rows as a sink does and reads them back. A row that the format refuses is left out:
/// what it takes, it must give back.
fn round_trip(format: &dyn Format, given: &Given, rows: &[Vec<Value<'_>>]) {
    let width = rows.first().map_or(1, Vec::len);
    let columns: Vec<Column> =
        (0..width).map(|i| Column { path: Path::key(format!("c{i}")), kind: Type::Dyn, required: false }).collect();
    let frame = format.frame(given, &columns).unwrap();
    let mut encoder = format.encoder(given, &columns).unwrap();
    let mut bytes = frame.before.clone();
    let mut taken: Vec<&Vec<Value<'_>>> = Vec::new();
    for row in rows {
        let before = bytes.len();
        if !taken.is_empty() {
            bytes.extend_from_slice(&frame.between);
        }
        let start = bytes.len();
        match encoder.encode(row, &mut bytes) {
            Ok(()) => taken.push(row),
            Err(error) => {
                assert_eq!(bytes.len(), start, "a refused record leaves nothing behind");
                assert!(error.column < width && !error.cause.is_empty());
                bytes.truncate(before);
            }
        }
    }
    bytes.extend_from_slice(&frame.after);
    let rows = taken;
    for (index, row) in rows.iter().enumerate() {
        let paths: Vec<String> = row.iter().enumerate().map(|(i, v)| format!("c{i}:{}", kind_of(v))).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let wanted: Vec<String> = row.iter().map(show).collect();
        for block in [7, 64, usize::MAX] {
            let found = read_with(format.spec().name, given, &paths, &bytes, block);
            assert_eq!(found.len(), rows.len(), "{}", String::from_utf8_lossy(&bytes));
            let text = found[index].split_once(": ").map(|(_, slots)| slots.to_string());
            assert_eq!(text, Some(wanted.join(" ")), "{} of {:?}", format.spec().name, String::from_utf8_lossy(&bytes));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        rows in (1_usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(scalar(), width), 1..5)),
        dialect in 0_usize..8,
    ) {
        for format in ALL {
            let dialects: &[&[(&str, &str)]] = match format.spec().name {
                "csv" => &[
                    &[],
                    &[("delimiter", "tab"), ("line_end", "crlf")],
                    &[("delimiter", ";"), ("decimal_comma", "true")],
                    &[("escape", "backslash"), ("null_text", "\\N")],
                    &[("quote", "'"), ("comment", "#")],
                    &[("null_text", "null"), ("trim", "true")],
                    &[("delimiter", "1"), ("comment", "-")],
                    &[("decimal_comma", "true"), ("trim", "true")],
                ],
                _ => &[&[]],
            };
            round_trip(*format, &options(dialects[dialect % dialects.len()]), &rows);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(text in "[\\[\\]{}\",:\\\\a1.\\-e\n\r #é\u{0}]{0,80}", tail in prop::collection::vec(any::<u8>(), 0..8), block in 1_usize..40) {
        let mut bytes = text.into_bytes();
        bytes.extend(tail);
        for format in ALL {
            read_with(format.spec().name, &options(&[]), &["a", "", "a[0].b:int", "column1:decimal"], &bytes, block);
        }
        read_with("csv", &options(&[("header", "false"), ("comment", "#"), ("escape", "backslash")]), &["column2", ""], &bytes, block);
    }
}

#[test]
fn a_count_in_front_is_written_where_the_options_say_and_passed_over_when_reading() {
    fn check(format: &str, given: &[(&str, &str)], body: &[&str], expected: &str) {
        let (format, given) = (named(format).unwrap(), options(given));
        let columns = [Column { path: Path::key("a"), kind: Type::String, required: true }];
        let frame = format.frame(&given, &columns).unwrap();
        let between = String::from_utf8(frame.between.clone()).unwrap();
        let head = String::from_utf8(frame.head(body.len() as u64)).unwrap();
        let whole = head + &body.join(&between) + std::str::from_utf8(&frame.after).unwrap();
        assert_eq!(whole, expected);
        let (parts, outcome) = parts(format, &given, whole.as_bytes(), 7);
        outcome.unwrap();
        let read: String = parts.iter().map(|part| String::from_utf8_lossy(&part.bytes)).collect();
        assert!(body.iter().all(|record| read.contains(record)) && !read.contains("HDR"), "{read}");
    }
    check("csv", &[("count_line", "HDR;{count};x")], &["1\n", "2\n"], "HDR;2;x\na\n1\n2\n");
    check("csv", &[("count_line", "{count}"), ("line_end", "crlf"), ("skip_lines", "0")], &[], "0\r\na\r\n");
    check(
        "json",
        &[("records", "all.items"), ("count", "total")],
        &["{\"a\":\"x\"}", "{\"a\":\"y\"}"],
        "{\"all\":{\"total\":2,\"items\":[\n{\"a\":\"x\"},\n{\"a\":\"y\"}\n]}}\n",
    );
    check(
        "xml",
        &[("records", "all/item"), ("count", "@count"), ("nulls", "omit")],
        &["<item><a>x</a></item>"],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<all count=\"1\">\n<item><a>x</a></item>\n</all>\n",
    );
    check(
        "xml",
        &[("records", "D/T/Tx"), ("count", "GrpHdr/NbOfTxs"), ("namespaces", "=urn:x"), ("nulls", "omit")],
        &["<Tx><a>x</a></Tx>"],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<D xmlns=\"urn:x\">\n<T>\n<GrpHdr><NbOfTxs>1</NbOfTxs></GrpHdr>\n<Tx><a>x</a></Tx>\n</T>\n</D>\n",
    );
    let wrong = |format: &str, given: &[(&str, &str)]| named(format).unwrap().frame(&options(given), &[]).is_err();
    assert!(wrong("csv", &[("count_line", "HDR")]) && wrong("csv", &[("count_line", "a\n{count}")]));
    assert!(wrong("json", &[("count", "n")]) && wrong("json", &[("records", "n"), ("count", "n")]));
    assert!(wrong("xml", &[("records", "a/b"), ("count", "@1 2")]));
}
