//! Tests of reading from SQLite: types, snapshots, and files that are not what they should be.

use std::path::PathBuf;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use super::super::{Protocol, ReadRequest, Window, WriteRequest};
use super::Sqlite;
use crate::config::{Connector, Mode, Node, Spanned, Stream, Text};
use crate::connect::{Batch, Part, RecordError, Rows, Source};
use crate::error::{Error, Kind, Place, Result};
use crate::record::{Arena, Column, Mark, Path, Projection, Row, Settled, SliceId, Type};

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, place: place() }
}

fn place() -> Place {
    Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() }
}

fn options(pairs: &[(&str, &str)]) -> Vec<(Spanned<String>, Spanned<Node>)> {
    let node = |text: &str| match text.strip_prefix('[') {
        Some(rest) => Node::List(
            rest.trim_end_matches(']').split(", ").map(|item| spanned(Node::Text(Text::literal(item)))).collect(),
        ),
        None if matches!(text, "true" | "false") => Node::Bool(text == "true"),
        None => Node::Text(Text::literal(text)),
    };
    pairs.iter().map(|(key, text)| (spanned((*key).to_string()), spanned(node(text)))).collect()
}

struct Desk {
    folder: tempfile::TempDir,
    connector: Connector,
    settled: Vec<(SliceId, Settled)>,
    mode: Mode,
    window: Option<Window>,
}

impl Desk {
    fn new(sql: &str) -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            connector: Connector {
                with: options(&[("path", "a.db"), ("busy_timeout", "0")]),
                retry_tries: 1,
                ..Connector::new("db", "sqlite", place())
            },
            settled: Vec::new(),
            mode: Mode::Append,
            window: None,
        };
        desk.sql(sql);
        desk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    fn stream(pairs: &[(&str, &str)]) -> Stream {
        Stream { options: options(pairs), ..Stream::new("t", place()) }
    }

    fn source(&self, pairs: &[(&str, &str)]) -> Result<Box<dyn Source>> {
        Sqlite.source(&ReadRequest {
            root: self.folder.path(),
            connector: &self.connector,
            stream: &Self::stream(pairs),
            format: None,
            mode: self.mode,
            settled: &self.settled,
            only: None,
            window: self.window.as_ref(),
        })
    }

    /// Every part, and what ended the reading early.
    fn parts(&self, pairs: &[(&str, &str)]) -> (Vec<Part>, Option<Error>) {
        let mut parts = Vec::new();
        let mut source = match self.source(pairs) {
            Ok(source) => source,
            Err(error) => return (parts, Some(error)),
        };
        loop {
            match source.next() {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => return (parts, None),
                Err(error) => return (parts, Some(error)),
            }
        }
    }

    /// The first column of every row; positions are settled.
    fn read(&mut self, pairs: &[(&str, &str)]) -> Result<Vec<String>> {
        let (parts, error) = self.parts(pairs);
        let mut firsts = Vec::new();
        for part in &parts {
            let arena = Arena::new();
            let mut projection = Projection::default();
            projection.slot(&Path::key(&part.header.columns[0]), Type::Dyn);
            let mut seen = Firsts(Vec::new());
            crate::connect::Decoder::decode(
                &mut crate::connect::rows::RowDecoder::new(),
                part,
                &projection,
                &arena,
                &mut seen,
            )?;
            firsts.extend(seen.0);
            self.settled = vec![(part.slice.clone(), Settled { position: part.end.clone(), done: part.last_of_slice })];
        }
        error.map_or(Ok(firsts), Err)
    }

    fn refused(&mut self, pairs: &[(&str, &str)], kind: Kind, code: &str, part: &str) {
        let error = self.read(pairs).unwrap_err();
        let text = format!("{error:?} {:?}", error.hints());
        assert_eq!((error.kind(), error.code().id), (kind, code), "{text}");
        assert!(text.contains(part), "{text}");
    }
}

struct Firsts(Vec<String>);

impl<'a> Rows<'a> for Firsts {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.0.push(crate::record::shown::text(&row.slots[0]));
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        self.0.push(error.cause);
        true
    }
}

#[test]
fn texts_that_differ_in_case_only_are_two_values() {
    let mut desk = Desk::new(
        "CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, c TEXT COLLATE NOCASE NOT NULL, x);
         INSERT INTO t VALUES ('1', 'A', 0), ('2', 'b', 0), ('3', 'C', 0), ('4', 'a', 0);",
    );
    let wanted = [("cursor", "c")];
    assert_eq!(desk.read(&wanted).unwrap(), ["1", "3", "4", "2"], "in the order of bytes");
    desk.sql("INSERT INTO t VALUES ('5', 'B', 0), ('6', 'b', 0), ('7', 'bb', 0)");
    assert_eq!(desk.read(&wanted).unwrap(), ["6", "7"], "from the boundary on, itself included");
}

#[test]
fn a_column_of_several_types_has_no_order() {
    let table = "CREATE TABLE t(id INTEGER PRIMARY KEY, c); INSERT INTO t VALUES (1, 5), (2, 6.5)";
    let mut desk = Desk::new(table);
    let wanted = [("cursor", "c"), ("without_cursor", "skip")];
    assert_eq!(desk.read(&wanted).unwrap(), ["1", "2"], "numbers are one order");
    desk.sql("INSERT INTO t VALUES (3, '7')");
    desk.refused(&wanted, Kind::Failed, "connect-cursor-changed", "of other types");
    desk.sql("UPDATE t SET c = 'x' || c");
    desk.refused(&wanted, Kind::Invalid, "connect-cursor-changed", "was of type double");
    desk.settled.clear();
    desk.sql("UPDATE t SET c = CAST(c AS BLOB) WHERE id = 1");
    desk.refused(&wanted, Kind::Failed, "connect-cursor-changed", "another type");
}

#[test]
fn moments_as_text_must_be_written_in_one_form() {
    let mut desk = Desk::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, c TEXT NOT NULL);
         INSERT INTO t VALUES (1, '2024-01-01T12:00:00Z'), (2, '2024-01-01T12:00:01Z')",
    );
    let wanted = [("cursor", "c")];
    assert_eq!(desk.read(&wanted).unwrap(), ["1", "2"]);
    // Later, and yet before the last one in the order of texts: it would be lost.
    desk.sql("INSERT INTO t VALUES (3, '2024-01-01T12:00:01.5Z'), (4, '2024-01-01T12:00:02Z')");
    desk.refused(&wanted, Kind::Failed, "connect-cursor-unfit", "several forms");
    desk.sql("UPDATE t SET c = '2024-01-01T12:00:03Z' WHERE id = 3");
    assert_eq!(desk.read(&wanted).unwrap(), ["4", "3"]);
    // Nothing stands behind these fractions: they are in order.
    let mut desk = Desk::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, c TEXT NOT NULL);
         INSERT INTO t VALUES (1, '2024-01-01 12:00:00'), (2, '2024-01-01 12:00:00.5'), (3, '2024-01-01 12:00:01')",
    );
    assert_eq!(desk.read(&wanted).unwrap(), ["1", "2", "3"]);
    desk.sql("INSERT INTO t VALUES (4, '2024-01-01T12:00:00')");
    desk.refused(&wanted, Kind::Failed, "connect-cursor-unfit", "several forms");
}

#[test]
fn bounds_and_lags_are_measured_on_text_too() {
    let mut desk = Desk::new(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, c TEXT NOT NULL);
         INSERT INTO t VALUES (1, '2024-01-01 12:00:00'), (2, '2024-01-02 12:00:00'), (3, '2999-01-01 12:00:00')",
    );
    assert_eq!(desk.read(&[("cursor", "c"), ("lag", "1h")]).unwrap(), ["1", "2"], "what lies ahead is left for later");
    desk.settled.clear();
    desk.refused(&[("cursor", "c"), ("lag", "100")], Kind::Invalid, "connect-cursor-unfit", "cannot be measured");
    desk.mode = Mode::Upsert;
    desk.window = Some(Window { since: Some("2024-01-02".into()), until: Some("2025".into()) });
    assert_eq!(desk.read(&[("cursor", "c")]).unwrap(), ["2"]);
}

#[test]
fn every_key_and_view_is_understood() {
    let mut desk = Desk::new(
        "CREATE TABLE t(a TEXT, b INTEGER, c INTEGER NOT NULL, PRIMARY KEY (b, a)) WITHOUT ROWID;
         INSERT INTO t VALUES ('x', 1, 7), ('y', 1, 7), ('x', 2, 6);
         CREATE VIEW v AS SELECT a || b AS ab, c FROM t;
         CREATE TABLE g(id INTEGER PRIMARY KEY, n INT, twice INT GENERATED ALWAYS AS (n * 2) STORED);
         INSERT INTO g(n) VALUES (4);
         CREATE TABLE u(a TEXT NOT NULL, c INT NOT NULL); CREATE UNIQUE INDEX ua ON u(a);
         INSERT INTO u VALUES ('p', 1);",
    );
    assert_eq!(desk.read(&[("cursor", "c")]).unwrap(), ["x", "x", "y"]);
    desk.settled.clear();
    desk.refused(&[("table", "v"), ("cursor", "c")], Kind::Invalid, "connect-cursor-unfit", "apart");
    desk.refused(
        &[("table", "v"), ("cursor", "c"), ("tie", "[ab]")],
        Kind::Invalid,
        "connect-cursor-unfit",
        "not unique",
    );
    desk.mode = Mode::Upsert;
    assert_eq!(desk.read(&[("table", "v"), ("cursor", "c")]).unwrap(), ["x2", "x1", "y1"]);
    desk.settled.clear();
    let (parts, error) = desk.parts(&[("table", "G")]);
    assert!(error.is_none());
    assert_eq!(parts[0].header.columns, ["id", "n", "twice"]);
    assert_eq!(desk.read(&[("table", "u"), ("cursor", "c"), ("tie", "[a]")]).unwrap(), ["p"]);
    desk.settled.clear();
    desk.refused(&[("table", "tt")], Kind::Invalid, "connect-cursor-unfit", "did you mean");
    desk.refused(&[("query", "SELECT 1 AS a, 2 AS a")], Kind::Invalid, "connect-cursor-unfit", "two columns");
    desk.refused(&[("query", "DELETE FROM t")], Kind::Failed, "connect-database", "one SELECT");
    desk.refused(&[("query", "SELECT 1; DELETE FROM t")], Kind::Failed, "connect-database", "one SELECT");
    assert_eq!(desk.read(&[("query", "WITH w AS (SELECT 5 AS n) SELECT n FROM w;")]).unwrap(), ["5"]);
}

#[test]
fn files_that_are_no_sound_database_are_told_apart() {
    let rows: String = (0..2_000).map(|n| format!("INSERT INTO t VALUES ({n}, 1, '{n:0>300}');")).collect();
    let mut desk = Desk::new(&format!("CREATE TABLE t(id INTEGER PRIMARY KEY, c INT, x TEXT); BEGIN; {rows} COMMIT;"));
    let sound = std::fs::read(desk.path()).unwrap();
    // Pages in the middle are gone: what is before the damage may come, and then it is said.
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40_000].fill(0xA5);
    std::fs::write(desk.path(), &damaged).unwrap();
    desk.refused(&[("table", "t"), ("cursor", "id")], Kind::Failed, "connect-not-a-database", "damaged");
    std::fs::write(desk.path(), "id,name\n".repeat(2_000)).unwrap();
    desk.refused(&[], Kind::Invalid, "connect-not-a-database", "no SQLite database");
    std::fs::remove_file(desk.path()).unwrap();
    let error = desk.read(&[]).unwrap_err();
    assert_eq!(error.code().id, "io-not-found");
    assert!(!desk.path().exists(), "reading makes no file");
    std::fs::create_dir(desk.path()).unwrap();
    desk.refused(&[], Kind::Invalid, "connect-not-a-database", "folder");
}

#[test]
fn a_snapshot_does_not_see_what_comes_later() {
    let rows: String = (0..9_000).map(|n| format!("INSERT INTO t VALUES ({n}, '{n:0>300}');")).collect();
    let desk = Desk::new(&format!(
        "PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT); BEGIN; {rows} COMMIT;"
    ));
    let mut source = desk.source(&[("cursor", "id")]).unwrap();
    let first = source.next().unwrap().unwrap();
    assert!(!first.last_of_slice);
    // Rows and columns change while the rest is read.
    desk.sql("INSERT INTO t VALUES (9000, 'new'); DELETE FROM t WHERE id = 8999; ALTER TABLE t ADD COLUMN y; DROP TABLE IF EXISTS z");
    let mut last = first;
    while let Some(part) = source.next().unwrap() {
        last = part;
    }
    assert!(last.last_of_slice);
    let bookmark = crate::connect::rows::Bookmark::of(&last.end).unwrap().unwrap();
    assert_eq!(bookmark.shown().unwrap(), "id 8999");
    // A source that is given up in the middle ends its thread.
    let mut source = desk.source(&[("cursor", "id")]).unwrap();
    source.next().unwrap();
    drop(source);
}

#[test]
fn a_database_that_somebody_holds_is_an_environment_error() {
    let mut desk = Desk::new("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    let other = Connection::open(desk.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    desk.refused(&[], Kind::Environment, "connect-target-busy", "holds the database");
    other.execute_batch("ROLLBACK").unwrap();
    desk.read(&[]).unwrap();
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        any::<i64>().prop_map(Cell::Integer),
        any::<f64>().prop_filter("NaN is null in SQLite", |n| !n.is_nan()).prop_map(Cell::Real),
        "\\PC{0,40}".prop_map(Cell::Text),
        "-?[0-9]{1,30}\\.[0-9]{1,10}".prop_map(Cell::Text),
        "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:00:00".prop_map(Cell::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Blob),
    ]
}

/// Hands each row to the encoder of a table.
struct Copy<'e> {
    encoder: &'e mut dyn crate::connect::Encoder,
    batch: Batch,
}

impl<'a> Rows<'a> for Copy<'_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.encoder.encode(row.slots, &mut self.batch.bytes).unwrap();
        self.batch.records += 1;
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        panic!("{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(crate::soak::rounds(24)) })]

    #[test]
    fn what_is_in_one_database_comes_into_another_as_it_was(rows in proptest::collection::vec(proptest::collection::vec(any_cell(), 3), 0..30)) {
        let desk = Desk::new("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT, c BLOB)");
        let database = Connection::open(desk.path()).unwrap();
        for (id, row) in rows.iter().enumerate() {
            database.execute("INSERT INTO t VALUES (?1, ?2, ?3, ?4)", (id as i64, &row[0], &row[1], &row[2])).unwrap();
        }
        let names = ["id", "a", "b", "c"];
        let columns: Vec<Column> =
            names.iter().map(|name| Column { path: Path::key(*name), kind: Type::Dyn, required: false }).collect();
        let stream = Desk::stream(&[("table", "copy")]);
        let request = WriteRequest {
            root: desk.folder.path(),
            connector: &desk.connector,
            stream: &stream,
            format: None,
            columns: &columns,
            key: &[],
            mode: Mode::Append,
            anew: false,
            rehearse: false,
            log_id: "l",
            route: "r",
        };
        let mut encoder = Sqlite.encoder(&request).unwrap();
        let mut sink = Sqlite.sink(&request).unwrap();
        sink.open(None, false).unwrap();
        let (parts, error) = desk.parts(&[("cursor", "id")]);
        prop_assert!(error.is_none(), "{:?}", error);
        let mut projection = Projection::default();
        for name in names {
            projection.slot(&Path::key(name), Type::Dyn);
        }
        for part in &parts {
            let arena = Arena::new();
            let mut copy = Copy { encoder: encoder.as_mut(), batch: Batch::default() };
            let mut decoder = crate::connect::rows::RowDecoder::new();
            crate::connect::Decoder::decode(&mut decoder, part, &projection, &arena, &mut copy).unwrap();
            sink.write(&copy.batch).unwrap();
        }
        sink.commit(&Mark { log_id: "l".into(), route: "r".into(), group: 1, fence: 1, length: None, known: None }).unwrap();
        sink.finish().unwrap();
        // Compared by the database itself, storage classes included; infinite numbers too.
        let differing: i64 = database
            .query_row(
                "SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM t JOIN copy USING (id) WHERE
                   t.a IS copy.a AND t.b IS copy.b AND t.c IS copy.c
                   AND typeof(t.a) = typeof(copy.a) AND typeof(t.b) = typeof(copy.b) AND typeof(t.c) = typeof(copy.c))",
                [],
                |row| row.get(0),
            )
            .unwrap();
        prop_assert!(rows.is_empty() || differing == 0, "{} rows differ", differing);
    }
}
