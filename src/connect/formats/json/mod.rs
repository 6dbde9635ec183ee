//! JSON documents: an array of records, anywhere in the document, in constant memory.

mod decode;
mod encode;
mod framing;
mod habits;
mod parse;
mod plain;
mod project;
mod scan;
mod within;

pub(super) use decode::JsonDecoder;
pub(super) use encode::JsonEncoder;
pub(in crate::connect) use encode::{append as json_append, value as json_text};
pub(super) use parse::Rules;
pub(in crate::connect) use project::select;
pub(in crate::connect) use within::{JsonReader, Wish, Within};

use super::{Format, Options};
use crate::config::{FormatSpec, OptionKind, OptionSpec};
use crate::connect::options::OptionReader;
use crate::connect::{Decoder, Encoder, Frame, Framing};
use crate::error::Result;
use crate::record::{Column, Path};

/// The format `json`.
pub static JSON: Json = Json;

/// The format `json`.
pub struct Json;

static SPEC: FormatSpec = FormatSpec {
    name: "json",
    about: "One JSON document: an array of objects at its top or at a path, or a single object.",
    options: OPTIONS,
    extensions: &["json"],
    flat: false,
    text_fields: false,
    example: "records: orders.items\nmax_depth: 32\n",
};

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "records",
        OptionKind::RecordPath,
        "Where the array of records stands in the document (`orders.items`). Without it the top is an array, or one object that is the record.",
    ),
    OptionSpec::new(
        "count",
        OptionKind::Text,
        "When writing: the key beside the array, and before it, under which the number of records stands (`total`). Needs `records`.",
    ),
    DUPLICATE_KEYS,
    MAX_DEPTH,
    MAX_RECORD_BYTES,
];

pub(super) const DUPLICATE_KEYS: OptionSpec = OptionSpec::new(
    "duplicate_keys",
    OptionKind::Choice(&["error", "last"]),
    "What a key that stands twice in one object does: reject the record, or let the last one count.",
)
.default("error");

pub(super) const MAX_DEPTH: OptionSpec = OptionSpec::new(
    "max_depth",
    OptionKind::Int { min: 1, max: 1000 },
    "How many lists and objects of a record may stand within each other.",
)
.default("128");

pub(super) const MAX_RECORD_BYTES: OptionSpec = OptionSpec::new(
    "max_record_bytes",
    OptionKind::Int { min: 1024, max: 1 << 30 },
    "A record longer than this ends the reading with an error.",
)
.default("16777216");

impl Format for Json {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>> {
        let given = OptionReader::new(options, OPTIONS);
        let rules = Rules::new(&given, false)?;
        Ok(Box::new(framing::DocumentFraming::new(keys(&given)?, rules, given.number("max_record_bytes")? as usize)))
    }

    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(JsonDecoder::new(Rules::new(&OptionReader::new(options, OPTIONS), false)?)))
    }

    fn encoder(&self, _options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(JsonEncoder::new(columns, b"")?))
    }

    fn frame(&self, options: &Options, _columns: &[Column]) -> Result<Frame> {
        let given = OptionReader::new(options, OPTIONS);
        let keys = keys(&given)?;
        let count = given.text("count")?;
        if count.is_some() && keys.last().is_none_or(|last| Some(last) == count.as_ref()) {
            return Err(given.wrong("count", "needs `records` with another key: it stands beside the array"));
        }
        let mut frame = Frame { between: b",\n".to_vec(), ..Frame::default() };
        for (index, key) in keys.iter().enumerate() {
            frame.before.push(b'{');
            if let Some(count) = count.as_ref().filter(|_| index + 1 == keys.len()) {
                encode::text(count, &mut frame.before);
                frame.before.push(b':');
                frame.count_at = Some(frame.before.len());
                frame.before.push(b',');
            }
            encode::text(key, &mut frame.before);
            frame.before.push(b':');
        }
        frame.before.extend_from_slice(b"[\n");
        frame.after.extend_from_slice(b"\n]");
        frame.after.extend(keys.iter().map(|_| b'}'));
        frame.after.push(b'\n');
        Ok(frame)
    }
}

impl Rules {
    /// From the options that JSON and NDJSON share.
    pub(super) fn new(given: &OptionReader<'_>, lines: bool) -> Result<Self> {
        Ok(Self {
            max_depth: given.number("max_depth")? as usize,
            last_wins: given.text("duplicate_keys")?.as_deref() == Some("last"),
            lines,
        })
    }
}

/// The keys that lead to the array.
fn keys(given: &OptionReader<'_>) -> Result<Vec<String>> {
    let Some(text) = given.text("records")? else { return Ok(Vec::new()) };
    let path = Path::parse(&text).map_err(|error| given.wrong("records", &format!("is no path: {}", error.cause)))?;
    match project::plain_keys(&path) {
        Some(keys) => Ok(keys.into_iter().map(String::from).collect()),
        None => Err(given.wrong("records", "is a path of names; an index or `[*]` cannot stand in it")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Tree;

    use super::super::tests::{cases, check, options};
    use super::*;
    use crate::record::{Type, Value};

    const STRICT: Rules = Rules { max_depth: 128, last_wins: false, lines: false };

    #[test]
    fn json_test_suite() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/json-test-suite/test_parsing");
        let (mut count, mut wrong) = (0, Vec::new());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let relaxed = Rules { last_wins: true, ..STRICT };
            let accepted = std::str::from_utf8(&bytes).is_ok_and(|text| parse::check(text, relaxed).is_ok());
            count += 1;
            match name.as_bytes()[0] {
                b'y' if !accepted => wrong.push(name),
                b'n' if accepted => wrong.push(name),
                _ => {}
            }
            // As a stream: no panic, and nothing wrong passes without an error.
            for format in ["json", "ndjson"] {
                let block = if bytes.len() < 1000 { 16 } else { usize::MAX };
                let said = super::super::tests::read_with(format, &options(&[]), &["", "a.b", "[0]"], &bytes, block);
                let refused = said.iter().any(|line| !line.starts_with(|c: char| c.is_ascii_digit()));
                let nothing = format == "ndjson" && bytes.trim_ascii().is_empty();
                assert!(
                    !path.file_name().unwrap().to_string_lossy().starts_with("n_")
                        || refused
                        || nothing
                        || said.is_empty(),
                    "{format}: {path:?} {said:?}"
                );
            }
        }
        assert_eq!(count, 318);
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn slots_are_filled_by_path() {
        let text = r#"{"a":{"b":1.50,"x":[1,2]},"l":[{"s":"p"},{"s":"q"},{}],"n":null,"t":"\u00e9\ud83d\ude00\n"}"#;
        check("ndjson", &[], &["a.b", "n", "t", "none", "a.b.c"], text, &["1: #1.50 null \"é😀\\n\" - -"]);
        check(
            "ndjson",
            &[],
            &["l[*].s", "l[1].s", "l[-1]", "l[9]", "l[0]"],
            text,
            &["1: [\"p\" \"q\" -] \"q\" {} - {s=\"p\"}"],
        );
        check("ndjson", &[], &["l[1].s", "a.x[0]"], text, &["1: \"q\" #1"]);
        check("ndjson", &[], &["a", "a.b", "a.x"], text, &["1: {b=#1.50 x=[#1 #2]} #1.50 [#1 #2]"]);
        check("ndjson", &[], &[""], r#"{"a":1,"b":[]}"#, &["1: {a=#1 b=[]}"]);
    }

    #[test]
    fn declared_types() {
        check(
            "ndjson",
            &[],
            &["i:int", "d:decimal", "t:date", "l:list<int>"],
            r#"{"i":1.0,"d":"29.90","t":"2024-02-29","l":[1,2]}"#,
            &["1: i1 29.90 2024-02-29 [i1 i2]"],
        );
        check(
            "ndjson",
            &[],
            &["i:int"],
            "{\"i\":1}\n{\"i\":\"x\"}\n {\"i\":true}\n",
            &[
                "1: i1",
                "field-type 2:6 byte 13: the field `i` is not a whole number of 64 bits",
                "field-type 3:7 byte 24: the field `i` is not a whole number of 64 bits",
            ],
        );
    }

    #[test]
    fn bad_lines_are_told_and_passed() {
        check(
            "ndjson",
            &[],
            &["a"],
            "{\"a\":1}\r\n\n  \n{\"a\" 2}\n[1]\n{\"a\":3} {\"a\":4}\n{\"a\":5}",
            &[
                "1: #1",
                "json-syntax 4:6 byte 18: a colon is missing after the key",
                "format-record 5:1 byte 21: the record is not an object",
                "json-syntax 6:9 byte 33: something follows the record: each record has a line of its own",
                "7: #5",
            ],
        );
        let pretty = "the line ends inside the record: each record has one line (pretty-printed JSON is read with `format: json`)";
        check(
            "ndjson",
            &[],
            &["a"],
            "{\n\"a\": 1\n}",
            &[
                &format!("json-syntax 1:2 byte 1: {pretty}"),
                "format-record 2:1 byte 2: the record is not an object",
                "json-syntax 3:1 byte 9: a value is missing",
            ],
        );
        check(
            "ndjson",
            &[],
            &["a"],
            "{\"a\":\"é\u{1}\"}\n{\"a\":\"x\\ud800y\"}\n{\"a\":\"\\q\"}\n",
            &[
                "json-syntax 1:8 byte 8: a control character stands in a text: it must be escaped",
                "json-surrogate 2:8 byte 19: half of a surrogate pair stands alone in a text",
                "json-syntax 3:7 byte 35: an unknown escape stands in a text",
            ],
        );
        check(
            "ndjson",
            &[],
            &["a"],
            b"{\"a\":\"\xFC\"}\n{\"a\":2}".as_slice(),
            &[
                "format-encoding 1:7 byte 6: a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`",
                "2: #2",
            ],
        );
    }

    #[test]
    fn a_key_that_stands_twice() {
        let twice = "{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}";
        check("ndjson", &[], &["a"], twice, &["json-duplicate-key 1:19 byte 18: a key stands twice in one object"]);
        check("ndjson", &[("duplicate_keys", "last")], &["a", "b.c", "b"], twice, &["1: #1 #2 {c=#2}"]);
        check("ndjson", &[("duplicate_keys", "last")], &["b.c"], "{\"b\":{\"c\":1},\"b\":{}}", &["1: -"]);
        let many: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
        check("ndjson", &[], &["k99"], format!("{{{}}}", many.join(",")), &["1: #99"]);
        let again = format!("{{{},\"k50\":0}}", many.join(","));
        assert!(parse::check(&again, STRICT).unwrap_err().cause.contains("twice"));
        assert!(parse::check(&again, Rules { last_wins: true, ..STRICT }).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert!(parse::check(&deep(128), STRICT).is_ok());
            assert_eq!(parse::check(&deep(129), STRICT).unwrap_err().code.id, "json-depth");
            assert_eq!(parse::check(&deep(10_000), STRICT).unwrap_err().code.id, "json-depth");
            assert!(parse::check(&deep(1000), Rules { max_depth: 1000, ..STRICT }).is_ok());
        }
        let deep = format!("[{{\"a\":{}1{}}},{{\"a\":2}}]", "[".repeat(10_000), "]".repeat(10_000));
        let said = super::super::tests::read_with("json", &options(&[]), &["a"], deep.as_bytes(), usize::MAX);
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("json-depth 1:134 byte 133: ") && said[1] == "1: #2", "{said:?}");
    }

    #[test]
    fn records_of_a_document() {
        check("json", &[], &["a"], "[]", &[]);
        check("json", &[], &["a"], " [\n{\"a\":1},\n {\"a\":2}\n]\n", &["2: #1", "3: #2"]);
        check("json", &[], &["a"], "\u{feff}{\"a\":\n[1]}\n", &["1: [#1]"]);
        let orders = "{\"x\":[{\"items\":0}],\"or\\u0064ers\":{\"items\":[{\"a\":\"],\\\"\"},{\"a\":2}]},\"y\":{}}";
        check("json", &[("records", "orders.items")], &["a"], orders, &["1: \"],\\\"\"", "1: #2"]);
        check("json", &[("records", "orders")], &["items[1].a"], orders, &["1: #2"]);
        check(
            "json",
            &[],
            &["a"],
            "[{\"a\":1},\n 5,\n{\"a\" 2},\n{\"a\":3} {},{\"a\":4}]",
            &[
                "1: #1",
                "format-record 2:2 byte 11: the record is not an object",
                "json-syntax 3:6 byte 19: a colon is missing after the key",
                "json-syntax 4:9 byte 31: something follows the record: a comma or `]` is missing",
                "4: #4",
            ],
        );
        check(
            "json",
            &[],
            &["a"],
            b"[{\"a\":1},{\"a\":\"\xFC\"},{\"a\":2}]".as_slice(),
            &[
                "1: #1",
                "format-encoding 1:16 byte 15: a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`",
                "1: #2",
            ],
        );
    }

    #[test]
    fn broken_documents_are_refused_where_they_break() {
        let broken = |given: &[(&str, &str)], text: &str, place: &str, cause: &str| {
            for block in [1, 3, 1000] {
                let (_, outcome) = super::super::tests::parts(&JSON, &options(given), text.as_bytes(), block);
                let error = outcome.expect_err(text);
                let facts: Vec<String> = error.facts().iter().map(|(name, value)| format!("{name} {value}")).collect();
                assert_eq!((facts.join(" ").as_str(), error.cause()), (place, cause), "{text} in blocks of {block}");
            }
        };
        broken(&[], "", "line 1 column 1 byte 0", "the document is empty");
        broken(&[], " \n", "line 2 column 1 byte 2", "the document is empty");
        broken(&[], "7", "line 1 column 1 byte 0", "neither an array of records nor an object stands here");
        broken(&[], "[{},\n{}", "line 2 column 3 byte 7", "the array of records is not closed");
        broken(&[], "[{},\n]", "line 2 column 1 byte 5", "after a comma a record is missing");
        broken(&[], "[,{}]", "line 1 column 2 byte 1", "before a comma a record is missing");
        broken(&[], "[{},,{}]", "line 1 column 5 byte 4", "before a comma a record is missing");
        broken(&[], "[{}}]", "line 1 column 4 byte 3", "the array is not closed before this `}`");
        broken(&[], "[{}] x", "line 1 column 6 byte 5", "after the records: something follows the value");
        broken(&[], "{\"a\":1} {}", "line 1 column 9 byte 8", "after the records: something follows the value");
        broken(&[], "{\"a\":1", "line 1 column 7 byte 6", "the object is not closed");
        let at = [("records", "a.b")];
        broken(
            &at,
            "{\"a\":{\"b\":[{}]}",
            "line 1 column 16 byte 15",
            "after the records: the text ends inside a value",
        );
        broken(&at, "{\"a\":{\"c\":[{}]}}", "line 1 column 15 byte 14", "the key `b` is not there");
        broken(&at, "{\"a\":[]}", "line 1 column 6 byte 5", "`b` was looked for and no object stands here");
        broken(
            &at,
            "{\"x\":tru,\"a\":{\"b\":[]}}",
            "line 1 byte 5",
            "before the records: a word that is neither true, false nor null",
        );
    }

    #[test]
    fn a_record_beyond_the_limit_is_an_error_before_it_is_read_whole() {
        let given = options(&[("max_record_bytes", "1024")]);
        for (format, start) in [("json", "["), ("json", "{"), ("ndjson", "")] {
            let mut framing = super::super::named(format).unwrap().framing(&given).unwrap();
            framing.open(start.as_bytes(), false).unwrap();
            let long = [b"{\"a\":\"".as_slice(), &[b'x'; 2000]].concat();
            assert_eq!(framing.cut(&long, false).unwrap_err().code().id, "format-record-size");
        }
    }

    fn written(columns: &[&str], values: &[Value<'_>]) -> String {
        let columns: Vec<Column> = columns
            .iter()
            .map(|path| Column { path: Path::parse(path).unwrap(), kind: Type::Dyn, required: false })
            .collect();
        let mut out = Vec::new();
        match JSON.encoder(&[], &columns).map(|mut encoder| encoder.encode(values, &mut out)) {
            Ok(Ok(())) => String::from_utf8(out).unwrap(),
            Ok(Err(error)) => {
                assert!(out.is_empty());
                format!("column {}: {}", error.column, error.cause)
            }
            Err(error) => error.cause().to_string(),
        }
    }

    #[test]
    fn objects_are_written_with_exact_values() {
        use crate::record::{Date, Duration, Timestamp};
        let moment = Timestamp::parse_rfc3339("2024-02-29T12:00:00.5+02:00").unwrap();
        assert_eq!(
            written(
                &["a", "b.c", "b.d", "e", "f.g", "h"],
                &[
                    Value::Number("1.50"),
                    Value::String("q\"\\\n\u{1}é"),
                    Value::Missing,
                    Value::Null,
                    Value::Missing,
                    Value::Timestamp(moment),
                ]
            ),
            r#"{"a":1.50,"b":{"c":"q\"\\\n\u0001é"},"e":null,"h":"2024-02-29T12:00:00.500+02:00"}"#
        );
        let map = [("k", Value::Int(i64::MIN)), ("gone", Value::Missing)];
        let list = [Value::Map(&map), Value::Missing, Value::Double(0.1), Value::Double(1e300), Value::Uint(7)];
        assert_eq!(written(&["l"], &[Value::List(&list)]), r#"{"l":[{"k":-9223372036854775808},null,0.1,1e300,7]}"#);
        let span = Duration { seconds: 1, nanos: 500_000_000 };
        assert_eq!(
            written(&["b", "d", "s"], &[Value::Bytes(b"hi"), Value::Date(Date { days: 0 }), Value::Duration(span)]),
            r#"{"b":"aGk=","d":"1970-01-01","s":"1.5s"}"#
        );
        assert_eq!(
            written(&["a", "b"], &[Value::Null, Value::Double(f64::NAN)]),
            "column 1: the value is not a finite number"
        );
        let dict = [(Value::Int(1), Value::Null)];
        assert_eq!(written(&["a"], &[Value::Dict(&dict)]), "column 0: the value is a map with a key that is not text");
        assert_eq!(written(&["a", "a.b"], &[]), "the target column `a.b` stands twice, or inside another column");
        assert_eq!(written(&["a[0]"], &[]), "the target column `a[0]` is not a path of names");
        let frame = JSON.frame(&options(&[("records", "orders.items")]), &[]).unwrap();
        assert_eq!((frame.before, frame.after), (b"{\"orders\":{\"items\":[\n".to_vec(), b"\n]}}\n".to_vec()));
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(Tree::Null),
            any::<bool>().prop_map(Tree::from),
            any::<i64>().prop_map(Tree::from),
            any::<f64>().prop_map(Tree::from),
            "\\PC{0,20}".prop_map(Tree::from),
            "[\"\\\\\u{0}-\u{1f}é\u{1F600}a]{0,20}".prop_map(Tree::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::from),
                prop::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|entries| Tree::Object(entries.into_iter().collect())),
            ]
        })
    }

    /// Passes a value through the parser and the writer.
    fn through(text: &str) -> String {
        use crate::record::{Arena, Projection};
        let arena = Arena::new();
        let mut plan = Projection::default();
        plan.slot(&Path::key("v"), Type::Dyn);
        let mut parser = parse::Parser::new(STRICT, &arena);
        let mut slots = [Value::Missing];
        parser.turn_to(arena.alloc_str(text), 0);
        parser.record(&project::Node::new(&plan), &mut slots).unwrap();
        parser.end().unwrap();
        written(&["v"], &slots)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

        #[test]
        fn reads_and_writes_what_serde_json_does(tree in tree()) {
            let record = serde_json::json!({ "w": tree, "v": tree });
            for text in [serde_json::to_string(&record).unwrap(), serde_json::to_string_pretty(&record).unwrap()] {
                let found: Tree = serde_json::from_str(&through(&text)).unwrap();
                prop_assert_eq!(&found["v"], &tree);
            }
        }

        #[test]
        fn accepts_what_serde_json_accepts(text in "[\\[\\]{}\"a:, 0-9.eE+\\-truefalsn\\\\]{0,12}") {
            let relaxed = Rules { last_wins: true, ..STRICT };
            prop_assert_eq!(parse::check(&text, relaxed).is_ok(), serde_json::from_str::<Tree>(&text).is_ok(), "{}", text);
        }
    }
}
