//! Tests of the form of rows: what is written comes back, what is hostile is refused.

use std::sync::Arc;

use proptest::prelude::*;

use super::cells::RowWriter;
use super::*;
use crate::connect::{Decoder, Header, Part, RecordError, Rows};
use crate::record::{Arena, Date, Path, Position, Projection, Row, Timestamp, Type, Value, shown};

fn part(columns: &[&str], bytes: Vec<u8>) -> Part {
    Part {
        sequence: 0,
        slice: "t".into(),
        name: "t".into(),
        header: Arc::new(Header { columns: columns.iter().map(ToString::to_string).collect() }),
        bytes,
        start: Position::default(),
        end: Position::default(),
        last_of_slice: true,
    }
}

#[derive(Default)]
struct Read {
    rows: Vec<Vec<String>>,
    bad: Vec<RecordError>,
}

impl<'a> Rows<'a> for Read {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.rows.push(row.slots.iter().map(|v| format!("{} {}", v.type_name(), shown::text(v))).collect());
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        self.bad.push(error);
        true
    }
}

fn read(part: &Part, asked: &[(&str, &str)]) -> Read {
    let mut projection = Projection::default();
    for (path, kind) in asked {
        let path = if path.is_empty() { Path::default() } else { Path::parse(path).unwrap() };
        projection.slot(&path, Type::named(kind).unwrap());
    }
    let arena = Arena::new();
    let mut read = Read::default();
    RowDecoder::new().decode(part, &projection, &arena, &mut read).unwrap();
    read
}

fn written(write: impl Fn(&mut RowWriter)) -> Vec<u8> {
    let mut writer = RowWriter::default();
    writer.begin();
    write(&mut writer);
    writer.finish().unwrap();
    writer.take(0)
}

fn check(write: impl Fn(&mut RowWriter), path: &str, kind: &str, expected: &str) {
    let part = part(&["c"], written(write));
    let read = read(&part, &[(path, kind)]);
    let found = match (read.rows.as_slice(), read.bad.as_slice()) {
        ([row], []) => row[0].clone(),
        ([], [bad]) => bad.cause.clone(),
        _ => panic!("{} rows, {} bad", read.rows.len(), read.bad.len()),
    };
    assert!(found.starts_with(expected), "{path} as {kind}: {found}");
}

#[test]
fn cells_become_values_of_the_declared_type() {
    check(RowWriter::null, "c", "int", "null null");
    check(|w| w.int(-5), "c", "any", "int -5");
    check(|w| w.int(5), "c", "decimal", "decimal 5");
    check(|w| w.int(1), "c", "bool", "bool true");
    check(|w| w.int(2), "c", "bool", "the field `c` is neither");
    check(|w| w.int(5), "c", "string", "the field `c` is a number, not a text");
    check(|w| w.int(-1), "c", "uint", "the field `c` is not a whole number from 0");
    check(|w| w.int(i64::MAX), "c", "double", "the field `c` is not a finite number");
    check(|w| w.double(1.5), "c", "double", "double 1.5");
    check(|w| w.double(1.1), "c", "decimal", "decimal 1.1");
    check(|w| w.double(f64::INFINITY), "c", "decimal", "the field `c` is not a decimal");
    check(|w| w.decimal("1.50"), "c", "any", "decimal 1.50");
    check(|w| w.decimal("1.50"), "c", "decimal", "decimal 1.50");
    check(|w| w.decimal(&"9".repeat(300)), "c", "any", "decimal 999");
    check(|w| w.decimal("NaN"), "c", "any", "the bytes of the record");
    check(|w| w.text(b"x"), "c", "any", "string x");
    check(|w| w.text(b"2024-02-29"), "c", "date", "date 2024-02-29");
    check(|w| w.text(b"2024-02-30"), "c", "date", "the field `c` is not a date");
    check(|w| w.text(&[0xff]), "c", "any", "the text of column `c` is not UTF-8");
    check(|w| w.bytes(&[1, 255]), "c", "bytes", "bytes 01ff");
    check(|w| w.date(Date { days: 0 }), "c", "date", "date 1970-01-01");
    let moment = Timestamp { seconds: 1, nanos: 500_000_000, offset: 3600 };
    check(|w| w.timestamp(moment), "c", "timestamp", "timestamp 1970-01-01T01:00:01.500+01:00");
    check(|w| w.timestamp(moment), "c", "date", "the field `c` is not a date");
}

#[test]
fn paths_lead_into_json_and_lists() {
    let json = br#"{"a": {"b": [1, 2.50]}, "s": "x", "n": null}"#;
    check(|w| w.json(json), "c.a.b[1]", "decimal", "decimal 2.50");
    check(|w| w.json(json), "c.s", "string", "string x");
    check(|w| w.json(json), "c.n", "any", "null null");
    check(|w| w.json(json), "c.q", "any", "missing missing");
    check(|w| w.json(json), "c.s", "int", "the field `c.s` is not a whole number");
    check(|w| w.json(json), "c", "any", r#"map {"a":{"b":[1,2.50]},"s":"x","n":null}"#);
    check(|w| w.json(json), "c", "string", r#"string {"a": {"b""#);
    check(|w| w.json(b"[1,"), "c[0]", "any", "the column `c` holds no well-formed JSON");
    check(|w| w.json(b"5"), "c", "any", "decimal 5");
    // Databases without a type for it keep JSON as text.
    check(|w| w.text(json), "c.a.b[0]", "int", "int 1");
    check(|w| w.text(b"plain"), "c.a", "any", "the column `c` holds no well-formed JSON");
    let list = |w: &mut RowWriter| {
        w.begin_list();
        w.int(1);
        w.begin_list();
        w.text(b"x");
        w.end_list();
        w.null();
        w.end_list();
    };
    check(list, "c", "any", r#"list [1,["x"],null]"#);
    check(list, "c[1][0]", "string", "string x");
    check(list, "c[-1]", "any", "null null");
    check(list, "c[5]", "any", "missing missing");
    check(list, "c.x", "any", "missing missing");
    check(|w| w.int(1), "c.x", "any", "missing missing");
    check(RowWriter::null, "c.x", "any", "missing missing");
}

#[test]
fn the_whole_record_and_several_slots_of_one_column() {
    let bytes = written(|w| {
        w.int(7);
        w.json(br#"{"a":1}"#);
        w.text("ä".as_bytes());
    });
    let read = read(
        &part(&["id", "doc", "t"], bytes),
        &[("", "any"), ("doc.a", "int"), ("doc", "string"), ("id", "decimal"), ("gone", "any")],
    );
    assert!(read.bad.is_empty());
    assert_eq!(
        read.rows,
        [[r#"map {"id":7,"doc":{"a":1},"t":"ä"}"#, "int 1", r#"string {"a":1}"#, "decimal 7", "missing missing"]]
    );
}

#[test]
fn a_record_that_is_damaged_does_not_hide_the_next() {
    let good = written(|w| w.int(1));
    let mut bytes = good.clone();
    bytes.extend_from_slice(&[3, 0, 0, 0, 0x3f, 0, 0]);
    bytes.extend_from_slice(&good);
    bytes.extend_from_slice(&[9, 0, 0, 0, 3]);
    let part = part(&["c"], bytes);
    let read = read(&part, &[("c", "int")]);
    assert_eq!(read.rows.len(), 2);
    let places: Vec<(u32, usize, usize)> = read.bad.iter().map(|bad| (bad.index, bad.start, bad.end)).collect();
    assert_eq!(places, [(1, 13, 20), (3, 33, 38)]);
}

fn any_cell() -> impl Strategy<Value = Key> {
    prop_oneof![
        any::<bool>().prop_map(Key::Bool),
        any::<i64>().prop_map(Key::Int),
        any::<f64>().prop_map(Key::Double),
        "-?[1-9][0-9]{0,90}(\\.[0-9]{1,20})?".prop_map(Key::Decimal),
        "\\PC{0,200}".prop_map(Key::Text),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Key::Bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(crate::soak::rounds(64)) })]

    #[test]
    fn what_is_written_is_read(rows in proptest::collection::vec(proptest::collection::vec(proptest::option::of(any_cell()), 3), 0..20)) {
        let mut writer = RowWriter::default();
        for row in &rows {
            writer.begin();
            for cell in row {
                match cell {
                    None => writer.null(),
                    Some(Key::Bool(v)) => writer.bool(*v),
                    Some(Key::Int(v)) => writer.int(*v),
                    Some(Key::Double(v)) => writer.double(*v),
                    Some(Key::Decimal(v)) => writer.decimal(v),
                    Some(Key::Text(v)) => writer.text(v.as_bytes()),
                    Some(Key::Bytes(v)) => writer.bytes(v),
                    Some(other) => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(writer.finish(), Some(3));
        }
        let part = part(&["a", "b", "c"], writer.take(0));
        let read = read(&part, &[("a", "any"), ("b", "any"), ("c", "any")]);
        prop_assert!(read.bad.is_empty());
        prop_assert_eq!(read.rows.len(), rows.len());
        for (found, row) in read.rows.iter().zip(&rows) {
            for (text, cell) in found.iter().zip(row) {
                let wanted = match cell {
                    None => "null null".to_owned(),
                    Some(Key::Double(v)) => format!("double {v}"),
                    Some(Key::Bytes(v)) => format!("bytes {}", shown::text(&Value::Bytes(v))),
                    Some(key) => format!("{} {}", key.kind().name(), key.shown()),
                };
                prop_assert_eq!(text, &wanted);
            }
        }
    }

    #[test]
    fn hostile_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), framed in any::<bool>()) {
        let bytes = if framed {
            let mut whole = (bytes.len() as u32).to_le_bytes().to_vec();
            whole.extend_from_slice(&bytes);
            whole
        } else {
            bytes
        };
        let part = part(&["a", "b"], bytes);
        let read = read(&part, &[("a", "any"), ("b.x", "int"), ("", "any"), ("a", "date")]);
        for bad in &read.bad {
            prop_assert!(bad.start <= bad.byte && bad.byte <= bad.end && bad.end <= part.bytes.len());
        }
    }
}
