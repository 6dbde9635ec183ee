//! The PostgreSQL target against a real server: modes, commit rows, and what goes wrong.

#[path = "../../../../tests/it/servers/postgres.rs"]
#[allow(dead_code, reason = "the whole-binary tests use more of it")]
mod server;

use std::path::Path as FilePath;

use proptest::prelude::*;

use self::server::{Server, shared};
use super::encode::CopyEncoder;
use super::name::TableName;
use super::session::Settings;
use super::sink::PostgresSink;
use super::table::Table;
use crate::config::{Connector, Mode, Node, Piece, Spanned, Text};
use crate::connect::{Batch, DeleteGuard, Encoder, Found, Sink};
use crate::error::{Error, Exit, Kind, Place, Result};
use crate::record::{Column, Date, Decimal, Mark, Path, Receipt, Timestamp, Type, Value};

/// A table of `sku` (key), `qty` and `price` in a database of its own.
struct Desk {
    server: &'static Server,
    database: String,
    columns: Vec<Column>,
    key: Vec<usize>,
    mode: Mode,
    create: bool,
    rehearse: bool,
    table: &'static str,
}

fn column(name: &str, kind: Type) -> Column {
    Column { path: Path::key(name), kind, required: false }
}

/// A connector with these options.
fn connector(options: &[(&str, &str)]) -> Connector {
    let place = Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
    let spanned = |(name, value): &(&str, &str)| {
        let text = Text { pieces: vec![Piece::Literal((*value).into())] };
        (
            Spanned { value: (*name).to_string(), place: place.clone() },
            Spanned { value: Node::Text(text), place: place.clone() },
        )
    };
    Connector {
        with: options.iter().map(spanned).collect(),
        retry_tries: 2,
        ..Connector::new("db", "postgres", place.clone())
    }
}

impl Desk {
    fn new(mode: Mode) -> Option<Self> {
        let server = shared()?;
        let columns = vec![column("sku", Type::String), column("qty", Type::Int), column("price", Type::Decimal)];
        let key = if mode == Mode::Append { Vec::new() } else { vec![0] };
        let database = server.database();
        Some(Self { server, database, columns, key, mode, create: true, rehearse: false, table: "items" })
    }

    fn sink_as(&self, user: &str, password: &str) -> PostgresSink {
        let url = format!("postgres://{user}:{password}@127.0.0.1:{}/{}", self.server.port, self.database);
        let settings = Settings::of(FilePath::new("."), &connector(&[("url", &url), ("lock_timeout", "1")])).unwrap();
        let table = Table::new(TableName::parse(self.table).unwrap(), &self.columns, &self.key, self.mode).unwrap();
        PostgresSink::new(settings, table, self.create, ("log", "route"), false, self.rehearse)
    }

    fn opened(&self, settled: Option<&Mark>, in_doubt: bool) -> Result<(PostgresSink, Found)> {
        let mut sink = self.sink_as("tester", server::PASSWORD);
        let found = sink.open(settled, in_doubt)?;
        Ok((sink, found))
    }

    fn fresh(&self) -> PostgresSink {
        self.opened(None, false).unwrap().0
    }

    fn encoder(&self) -> CopyEncoder {
        CopyEncoder::new(&self.columns, &self.key, self.mode == Mode::Delete)
    }

    fn batch_of(&self, rows: &[&[Value<'_>]]) -> Batch {
        let (mut encoder, mut batch) = (self.encoder(), Batch::default());
        for row in rows {
            encoder.encode(row, &mut batch.bytes).unwrap();
            batch.records += 1;
        }
        batch
    }

    fn batch(&self, rows: &[(&str, i64, &str)]) -> Batch {
        let (mut encoder, mut batch) = (self.encoder(), Batch::default());
        for (sku, qty, price) in rows {
            let price = Value::Decimal(Decimal::parse(price).unwrap());
            encoder.encode(&[Value::String(sku), Value::Int(*qty), price], &mut batch.bytes).unwrap();
            batch.records += 1;
        }
        batch
    }

    fn rows(&self) -> Vec<String> {
        let text = self.sql(&format!("SELECT sku, qty, price FROM {} ORDER BY 1, 2", self.table));
        text.lines().map(str::to_string).collect()
    }

    fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.database, sql)
    }

    fn refused(&self, settled: Option<&Mark>, in_doubt: bool) -> Error {
        self.opened(settled, in_doubt).err().unwrap()
    }
}

fn mark(group: u64, fence: u64) -> Mark {
    Mark { log_id: "log".into(), route: "route".into(), group, fence, length: None, known: None }
}

/// written, unchanged, unmatched, superseded, deleted, refused
fn counts(receipt: &Receipt) -> [u64; 6] {
    [receipt.written, receipt.unchanged, receipt.unmatched, receipt.superseded, receipt.deleted, receipt.refused]
}

#[test]
fn records_are_appended_in_order() {
    let Some(desk) = Desk::new(Mode::Append) else { return };
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("b", 1, "1.50"), ("a", 2, "12345678901234567890.12345678")])).unwrap();
    sink.write(&desk.batch(&[("b", 1, "1.50")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(1, 1)).unwrap()), [3, 0, 0, 0, 0, 0]);
    assert_eq!(desk.sql("SELECT string_agg(sku, '' ORDER BY ctid) FROM items"), "bab");
    assert_eq!(desk.rows(), ["a|2|12345678901234567890.12345678", "b|1|1.50", "b|1|1.50"]);
    sink.finish().unwrap();
}

#[test]
fn records_are_upserted_and_what_stands_there_just_so_is_not_written() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "35.990"), ("b", 2, "0.1")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(1, 1)).unwrap()), [2, 0, 0, 0, 0, 0]);
    let before = desk.sql("SELECT xmin FROM items WHERE sku = 'b'");
    sink.write(&desk.batch(&[("a", 7, "35.990"), ("b", 2, "0.1"), ("c", 3, "3")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(2, 1)).unwrap()), [2, 1, 0, 0, 0, 0]);
    assert_eq!(desk.sql("SELECT xmin FROM items WHERE sku = 'b'"), before, "the unchanged row was not touched");
    // Of one key the last wins, also where an earlier one stands there already.
    sink.write(&desk.batch(&[("a", 8, "1"), ("b", 5, "5")])).unwrap();
    sink.write(&desk.batch(&[("a", 9, "1"), ("a", 7, "35.990"), ("d", 1, "1"), ("d", 2, "2")])).unwrap();
    let receipt = sink.commit(&mark(3, 1)).unwrap();
    assert_eq!(counts(&receipt), [2, 1, 0, 3, 0, 0]);
    assert_eq!(desk.rows(), ["a|7|35.990", "b|5|5", "c|3|3", "d|2|2"]);
    assert_eq!(sink.recall().unwrap(), Some(receipt), "the target keeps what the group came to");
}

#[test]
fn an_empty_table_is_filled_straight_until_a_record_meets_another() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    let mut write = |group: u64, rows: &[(&str, i64, &str)]| {
        sink.write(&desk.batch(rows)).unwrap();
        counts(&sink.commit(&mark(group, 1)).unwrap())
    };
    assert_eq!(write(1, &[("a", 1, "1"), ("b", 2, "2")]), [2, 0, 0, 0, 0, 0]);
    // Somebody else writes there, too.
    desk.sql("INSERT INTO items VALUES ('c', 0, 0)");
    assert_eq!(write(2, &[("c", 3, "3"), ("a", 1, "1.0"), ("d", 4, "4")]), [2, 1, 0, 0, 0, 0]);
    assert_eq!(write(3, &[("e", 5, "5"), ("e", 6, "6")]), [1, 0, 0, 1, 0, 0]);
    assert_eq!(desk.rows(), ["a|1|1", "b|2|2", "c|3|3", "d|4|4", "e|6|6"]);
    assert_eq!(desk.sql("SELECT group_no FROM _consign_commits"), "3");

    // Two with one key, and one that the server refuses, in the very first group.
    let desk = Desk { table: "others", ..desk };
    desk.sql("CREATE TABLE others (sku text PRIMARY KEY, qty bigint CHECK (qty > 0), price numeric)");
    let (mut sink, _) = desk.opened(Some(&mark(3, 1)), false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1"), ("a", 2, "2"), ("b", 0, "1"), ("c", 1, "1")])).unwrap();
    let receipt = sink.commit(&mark(4, 1)).unwrap();
    assert_eq!(counts(&receipt), [2, 0, 0, 1, 0, 1]);
    assert_eq!(receipt.refusals[0].record, 2);
    assert_eq!(desk.rows(), ["a|2|2", "c|1|1"]);
}

#[test]
fn rules_of_the_database_see_every_record() {
    let Some(desk) = Desk::new(Mode::Append) else { return };
    desk.sql(
        "CREATE TABLE items (sku text, qty bigint, price numeric); CREATE TABLE seen (sku text);
         CREATE RULE tell AS ON INSERT TO items DO ALSO INSERT INTO seen VALUES (new.sku)",
    );
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2")])).unwrap();
    assert_eq!(sink.commit(&mark(1, 1)).unwrap().written, 2);
    assert_eq!(desk.sql("SELECT string_agg(sku, '' ORDER BY sku) FROM seen"), "ab");
}

#[test]
fn records_are_updated_and_none_is_added() {
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    desk.mode = Mode::Update;
    let mut sink = desk.opened(Some(&mark(1, 1)), false).unwrap().0;
    sink.write(&desk.batch(&[("a", 5, "5"), ("b", 2, "2"), ("x", 1, "1"), ("a", 6, "6")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(2, 1)).unwrap()), [1, 2, 1, 1, 0, 0]);
    assert_eq!(desk.rows(), ["a|6|6", "b|2|2"]);
    desk.mode = Mode::Delete;
    let mut sink = desk.opened(Some(&mark(2, 1)), false).unwrap().0;
    sink.write(&desk.batch(&[("a", 0, "0"), ("x", 0, "0")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(3, 1)).unwrap()), [1, 1, 1, 0, 1, 0]);
    assert_eq!(desk.rows(), ["b|2|2"]);
}

#[test]
fn a_mirror_deletes_what_it_has_not_seen_within_its_guard() {
    let Some(desk) = Desk::new(Mode::Mirror) else { return };
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2"), ("c", 3, "3"), ("d", 4, "4")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    assert_eq!(sink.sweep(&mark(2, 1), DeleteGuard { share_ppm: 0, records: 0 }, false).unwrap().deleted, 0);
    drop(sink);
    let mut sink = desk.opened(Some(&mark(2, 1)), false).unwrap().0;
    let mut batch = desk.batch(&[("a", 1, "1"), ("e", 5, "5")]);
    desk.encoder().encode_key(&[Value::String("b")], &mut batch.seen).unwrap();
    batch.seen_records = 1;
    sink.write(&batch).unwrap();
    assert_eq!(counts(&sink.commit(&mark(3, 1)).unwrap()), [1, 1, 0, 0, 0, 0]);
    let tight = DeleteGuard { share_ppm: 399_999, records: 1 };
    assert_eq!(sink.sweep(&mark(4, 1), tight, true).unwrap().deleted, 2);
    let error = sink.sweep(&mark(4, 1), tight, false).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Refused, "connect-deletes-guarded"), "{error:?}");
    assert_eq!(desk.rows().len(), 5, "nothing was deleted");
    let receipt = sink.sweep(&mark(4, 1), DeleteGuard { share_ppm: 400_000, records: 0 }, false).unwrap();
    assert_eq!(counts(&receipt), [0, 0, 0, 0, 2, 0]);
    assert_eq!(desk.rows(), ["a|1|1", "b|2|2", "e|5|5"]);
    assert_eq!(desk.opened(Some(&mark(4, 1)), false).unwrap().1, Found::Same);
}

#[test]
fn a_rehearsal_counts_and_leaves_everything_as_it_is() {
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    desk.rehearse = true;
    let mut sink = desk.fresh();
    let effects = sink.foresee(&desk.batch(&[("a", 1, "1"), ("b", 2, "2")])).unwrap();
    assert_eq!((effects.created, effects.updated), (2, 0));
    assert_eq!(sink.foresee(&desk.batch(&[("a", 2, "1")])).unwrap().updated, 1, "it stands there by now");
    drop(sink);
    // The session's own table may stand until the server has noticed that the session is gone.
    let lasting =
        "SELECT count(*) FROM pg_class WHERE relpersistence <> 't' AND relname IN ('items', '_consign_commits')";
    assert_eq!(desk.sql(lasting), "0");
    desk.rehearse = false;
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    desk.rehearse = true;
    for (mode, expected) in [
        (Mode::Upsert, [1, 1, 1, 0, 0]),
        (Mode::Update, [0, 1, 2, 1, 0]),
        (Mode::Delete, [0, 0, 1, 1, 2]),
        (Mode::Append, [3, 0, 0, 0, 0]),
    ] {
        desk.mode = mode;
        desk.key = if mode == Mode::Append { Vec::new() } else { vec![0] };
        let mut sink = desk.opened(Some(&mark(1, 1)), false).unwrap().0;
        let found = sink.foresee(&desk.batch(&[("a", 1, "1"), ("b", 3, "2"), ("x", 1, "1")])).unwrap();
        let found = [found.created, found.updated, found.unchanged, found.unmatched, found.deleted];
        assert_eq!(found, expected, "{mode:?}");
    }
    assert_eq!(desk.rows(), ["a|1|1", "b|2|2"]);
}

#[test]
fn a_group_is_there_whole_or_not_at_all() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    sink.write(&desk.batch(&[("b", 1, "1")])).unwrap();
    sink.abandon();
    assert_eq!(desk.rows(), ["a|1|1"]);
    assert_eq!(desk.opened(Some(&mark(1, 1)), true).unwrap().1, Found::Same);
}

#[test]
fn the_commit_row_is_compared_with_the_state() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    for group in 1..=3 {
        sink.commit(&mark(group, 5)).unwrap();
    }
    drop(sink);
    let check = |settled: Option<u64>, in_doubt: bool, expected: std::result::Result<Found, &str>| {
        let settled = settled.map(|group| mark(group, 4));
        match (desk.opened(settled.as_ref(), in_doubt), expected) {
            (Ok((_, found)), Ok(wanted)) => assert_eq!(found, wanted),
            (Err(error), Err(code)) => {
                assert_eq!((error.kind(), error.code().id), (Kind::Refused, code), "{error:?}");
                assert!(!error.hints().is_empty());
            }
            (Ok((_, found)), Err(_)) => panic!("{settled:?} {in_doubt} {found:?}"),
            (Err(error), Ok(_)) => panic!("{error:?}"),
        }
    };
    check(Some(3), false, Ok(Found::Same));
    check(Some(3), true, Ok(Found::Same));
    check(Some(2), true, Ok(Found::Ahead));
    check(Some(2), false, Err("connect-target-foreign"));
    check(Some(1), true, Err("connect-target-foreign"));
    check(None, false, Err("connect-target-foreign"));
    check(Some(4), true, Err("connect-target-changed"));
    desk.sql("UPDATE _consign_commits SET log_id = 'other'");
    check(Some(3), false, Err("connect-target-foreign"));
    assert!(desk.refused(Some(&mark(3, 5)), false).hints()[0].contains("state adopt"));
    let adopted = desk.sink_as("tester", server::PASSWORD).adopt().unwrap();
    assert_eq!(adopted, Some(mark(3, 5)));
    check(Some(3), false, Ok(Found::Same));
    desk.sql("DROP TABLE items");
    check(Some(3), false, Err("connect-target-changed"));
    desk.sql("DELETE FROM _consign_commits");
    check(Some(3), false, Err("connect-target-changed"));
    check(None, false, Ok(Found::Same));
}

#[test]
fn an_older_run_cannot_write_behind_a_newer_one() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut old = desk.fresh();
    old.commit(&mark(1, 1)).unwrap();
    let mut new = desk.opened(Some(&mark(1, 1)), false).unwrap().0;
    new.write(&desk.batch(&[("new", 1, "1")])).unwrap();
    new.commit(&mark(2, 2)).unwrap();
    old.write(&desk.batch(&[("old", 1, "1")])).unwrap();
    let error = old.commit(&mark(3, 1)).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Locked, "connect-target-fenced"), "{error:?}");
    old.abandon();
    assert_eq!(desk.rows(), ["new|1|1"]);
}

#[test]
fn one_record_that_the_server_refuses_takes_no_other_with_it() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    desk.sql("CREATE TABLE items (sku varchar(5) PRIMARY KEY, qty int CHECK (qty > 0), price numeric(6,2) NOT NULL)");
    let mut sink = desk.fresh();
    let names: Vec<String> = (0..500).map(|n| if n == 77 { "too long".into() } else { format!("k{n}") }).collect();
    let mut rows: Vec<(&str, i64, &str)> = names.iter().map(|name| (name.as_str(), 1, "1.50")).collect();
    rows[3].1 = -5;
    rows[200].1 = i64::MAX;
    rows[300].2 = "1.005";
    rows[301].2 = "12345.67";
    sink.write(&desk.batch(&rows[..250])).unwrap();
    sink.write(&desk.batch(&rows[250..])).unwrap();
    let receipt = sink.commit(&mark(1, 1)).unwrap();
    assert_eq!(counts(&receipt), [495, 0, 0, 0, 0, 5], "{:?}", receipt.refusals);
    let refused: Vec<(u64, Option<&str>)> = receipt.refusals.iter().map(|r| (r.record, r.field.as_deref())).collect();
    assert_eq!(refused, [(3, None), (77, Some("sku")), (200, Some("qty")), (300, Some("price")), (301, None)]);
    for refusal in &receipt.refusals {
        assert!(!refusal.cause.contains("too long\"") && !refusal.cause.contains("9223372"), "{}", refusal.cause);
    }
    assert_eq!(desk.sql("SELECT count(*) FROM items"), "495");
    // The next group takes the quick way again.
    sink.write(&desk.batch(&[("z", 1, "1")])).unwrap();
    assert_eq!(counts(&sink.commit(&mark(2, 1)).unwrap()), [1, 0, 0, 0, 0, 0]);
}

#[test]
fn a_mirror_keeps_records_whose_newer_form_was_refused() {
    let Some(desk) = Desk::new(Mode::Mirror) else { return };
    desk.sql("CREATE TABLE items (sku text PRIMARY KEY, qty int, price numeric)");
    desk.sql("INSERT INTO items VALUES ('a', 1, 1), ('gone', 1, 1)");
    let mut sink = desk.fresh();
    let mut batch = desk.batch(&[("a", i64::MAX, "1"), ("b", 1, "1")]);
    desk.encoder().encode_key(&[Value::String("c")], &mut batch.seen).unwrap();
    sink.write(&batch).unwrap();
    assert_eq!(counts(&sink.commit(&mark(1, 1)).unwrap()), [1, 0, 0, 0, 0, 1]);
    sink.sweep(&mark(2, 1), DeleteGuard { share_ppm: 1_000_000, records: 0 }, false).unwrap();
    assert_eq!(desk.rows(), ["a|1|1", "b|1|1"]);
}

#[test]
fn deferred_constraints_and_triggers_refuse_single_records_too() {
    let Some(desk) = Desk::new(Mode::Append) else { return };
    desk.sql("CREATE TABLE skus (sku text PRIMARY KEY); INSERT INTO skus VALUES ('a'), ('b'), ('t')");
    desk.sql(
        "CREATE TABLE items (sku text REFERENCES skus DEFERRABLE INITIALLY DEFERRED, qty bigint, price numeric);
         CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.sku = 't' THEN RAISE 'canary %', NEW.sku; END IF; RETURN NEW; END $$;
         CREATE TRIGGER no BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION no()",
    );
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1"), ("x", 1, "1"), ("t", 1, "1"), ("b", 1, "1")])).unwrap();
    let receipt = sink.commit(&mark(1, 1)).unwrap();
    assert_eq!(receipt.refusals.iter().map(|r| r.record).collect::<Vec<_>>(), [1, 2]);
    assert!(receipt.refusals.iter().all(|r| !r.cause.contains("canary") && !r.cause.contains("(x)")));
    assert_eq!(desk.rows(), ["a|1|1", "b|1|1"]);
}

#[test]
fn tables_that_do_not_fit_are_refused_with_what_to_do() {
    let check = |sql: &str, cause: &str, hint: &str| {
        let Some(desk) = Desk::new(Mode::Upsert) else { return };
        desk.sql(sql);
        let error = desk.refused(None, false);
        assert_eq!((error.kind(), error.code().id), (Kind::Invalid, "connect-table-unfit"), "{error:?}");
        assert!(error.cause().contains(cause), "{error}");
        assert!(error.hints().iter().any(|h| h.contains(hint)), "{:?}", error.hints());
    };
    check("CREATE VIEW items AS SELECT 1", "is a view", "table");
    check("CREATE TABLE items (sku text PRIMARY KEY, qty int)", "no column `price`", "ADD COLUMN \"price\" numeric");
    check("CREATE TABLE items (sku text PRIMARY KEY, \"Qty\" int, price numeric)", "no column `qty`", "`Qty`");
    check("CREATE TABLE items (sku text PRIMARY KEY, qty int, price float8)", "keeps decimals", "numeric");
    check("CREATE TABLE items (sku text, qty int, price numeric)", "no unique index", "CREATE UNIQUE INDEX");
    check("CREATE TABLE items (sku text UNIQUE DEFERRABLE, qty int, price numeric)", "no unique index", "(\"sku\")");
    check(
        "CREATE TABLE items (sku text, qty int, price numeric); CREATE UNIQUE INDEX ON items (sku) WHERE qty > 0",
        "no unique index",
        "UNIQUE",
    );
    check("CREATE TABLE items (sku text PRIMARY KEY, qty bool, price numeric)", "no exact number", "bigint");
    check("CREATE TABLE items (sku text PRIMARY KEY, qty int, price numeric, more int NOT NULL)", "`more`", "default");
    check(
        "CREATE TABLE items (sku text PRIMARY KEY, qty int GENERATED ALWAYS AS IDENTITY, price numeric)",
        "computes column `qty`",
        "leave",
    );
    check(
        "CREATE TABLE items (sku text PRIMARY KEY, qty int GENERATED ALWAYS AS (1) STORED, price numeric)",
        "computes column `qty`",
        "leave",
    );
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    desk.create = false;
    let error = desk.refused(None, false);
    assert!(error.hints()[0].contains("CREATE TABLE \"items\" (\"sku\" text"), "{:?}", error.hints());
}

#[test]
fn names_are_taken_as_they_are() {
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    desk.table = r#""Odd "" Sch.ema"."it;em--s""#;
    desk.columns[1] = column("Qty \"of\" it", Type::Int);
    desk.sql(r#"CREATE SCHEMA "Odd "" Sch.ema""#);
    let mut sink = desk.fresh();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    sink.write(&desk.batch(&[("a", 2, "1"), ("'; DROP TABLE x", 2, "1")])).unwrap();
    sink.commit(&mark(2, 1)).unwrap();
    assert_eq!(desk.sql(r#"SELECT count(*), sum("Qty ""of"" it") FROM "Odd "" Sch.ema"."it;em--s""#), "2|4");
    assert_eq!(desk.sql(r#"SELECT group_no FROM "Odd "" Sch.ema"._consign_commits"#), "2");
}

#[test]
fn every_type_finds_its_column() {
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    let ints = Type::List(Box::new(Type::Int));
    let kinds = [
        ("id", Type::Int),
        ("b", Type::Bool),
        ("u", Type::Uint),
        ("d", Type::Double),
        ("raw", Type::Bytes),
        ("at", Type::Timestamp),
        ("day", Type::Date),
        ("span", Type::Duration),
        ("list", ints),
        ("map", Type::Map(Box::default())),
        ("any", Type::Dyn),
    ];
    desk.columns = kinds.iter().map(|(name, kind)| column(name, kind.clone())).collect();
    let list = [Value::Int(1), Value::Null, Value::Number("3")];
    let map = [("k\"", Value::Number("1.50")), ("l", Value::List(&list))];
    let moment = Timestamp::parse_rfc3339("2024-02-29T23:59:59.000001+05:30").unwrap();
    let row = [
        Value::Int(i64::MIN),
        Value::Bool(true),
        Value::Uint(u64::MAX),
        Value::Double(5e-324),
        Value::Bytes(&[0, 92, 255]),
        Value::Timestamp(moment),
        Value::Date(Date::new(1, 1, 1).unwrap()),
        Value::Duration(crate::record::Duration::parse("-90061.5s").unwrap()),
        Value::List(&list),
        Value::Map(&map),
        Value::String("\\N\t\n\r\\. 😀"),
    ];
    let nulls: Vec<Value<'_>> = (0..row.len()).map(|at| if at == 0 { Value::Int(0) } else { Value::Null }).collect();
    let mut sink = desk.fresh();
    for (group, expected) in [(1, [2, 0]), (2, [0, 2])] {
        sink.write(&desk.batch_of(&[&row, &nulls])).unwrap();
        let receipt = sink.commit(&mark(group, 1)).unwrap();
        assert_eq!([receipt.written, receipt.unchanged], expected);
    }
    assert_eq!(
        desk.sql(
            "SET timezone = 'UTC'; SELECT id, b, u, d, encode(raw, 'hex'), at, day, extract(epoch FROM span), list, map ->> 'k\"', \
             \"any\" = E'\\\\N\\t\\n\\r\\\\. 😀' FROM items WHERE id < 0"
        ),
        "-9223372036854775808|t|18446744073709551615|5e-324|005cff|2024-02-29 18:29:59.000001+00|0001-01-01|-90061.500000|{1,NULL,3}|1.50|t"
    );
    assert_eq!(desk.sql("SELECT count(*) FROM items WHERE b IS NULL AND list IS NULL AND \"any\" IS NULL"), "1");
}

#[test]
fn columns_without_an_equality_are_compared_all_the_same() {
    let Some(mut desk) = Desk::new(Mode::Upsert) else { return };
    desk.sql("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE items (sku text PRIMARY KEY, j json, tags text[], m mood, ip inet)");
    desk.columns = ["sku", "j", "tags", "m", "ip"].map(|name| column(name, Type::Dyn)).to_vec();
    let tags = [Value::String("a,b"), Value::String("c\"d")];
    let mut sink = desk.fresh();
    for (group, (j, form, expected)) in
        (1..).zip([("{}", "list", [1, 0]), ("{}", "text", [0, 1]), ("{ }", "text", [1, 0])])
    {
        let given = if form == "list" { Value::List(&tags) } else { Value::String(r#"{"a,b","c\"d"}"#) };
        let values = [Value::String("k"), Value::String(j), given, Value::String("ok"), Value::String("10.0.0.1")];
        sink.write(&desk.batch_of(&[&values])).unwrap();
        let receipt = sink.commit(&mark(group, 1)).unwrap();
        assert_eq!([receipt.written, receipt.unchanged], expected, "{j} {form}");
    }
    assert_eq!(desk.sql("SELECT array_length(tags, 1), tags[1], m, ip FROM items"), "2|a,b|ok|10.0.0.1");
}

#[test]
fn who_may_not_enter_or_write_gets_exit_4() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    drop(desk.fresh());
    let error = desk.sink_as("tester", "wrong").open(None, false).unwrap_err();
    assert_eq!((error.exit(), error.code().id), (Exit::Denied, "connect-server-denied"), "{error:?}");
    assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    desk.sql(&format!(
        "CREATE ROLE reader_{0} LOGIN PASSWORD '{1}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{0}",
        desk.database,
        server::PASSWORD
    ));
    let mut sink = desk.sink_as(&format!("reader_{}", desk.database), server::PASSWORD);
    sink.open(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    let error = sink.commit(&mark(1, 1)).unwrap_err();
    assert_eq!((error.exit(), error.code().id), (Exit::Denied, "connect-server-denied"), "{error:?}");
}

#[test]
fn a_server_is_trusted_as_far_as_its_certificate_says() {
    let certificate = include_bytes!("../../../../tests/fixtures/tls/server.pem");
    let key = include_bytes!("../../../../tests/fixtures/tls/server.key");
    let settings = ["ssl=on", "ssl_cert_file=../server.pem", "ssl_key_file=../server.key"];
    let Some(server) = Server::start(&settings, &[("server.pem", certificate), ("server.key", key)]) else { return };
    let issuer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
    let check = |host: &str, tls: &str, ca: &str, expected: std::result::Result<&str, &str>| {
        let port = server.port.to_string();
        let mut options = vec![("host", host), ("port", &port), ("user", "tester"), ("password", server::PASSWORD)];
        options.extend([("database", "postgres"), ("tls", tls)]);
        if !ca.is_empty() {
            options.push(("ca_file", ca));
        }
        let settings = Settings::of(FilePath::new("."), &connector(&options)).unwrap();
        match (settings.connect(), expected) {
            (Ok(session), Ok(secured)) => {
                let asked = session.client.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]);
                assert_eq!(session.run(asked).unwrap().get::<_, bool>(0), secured == "secured", "{host} {tls}");
            }
            (Err(error), Err(part)) => {
                assert_eq!((error.exit(), error.code().id), (Exit::Denied, "connect-server-untrusted"), "{error:?}");
                assert!(error.cause().contains(part), "{error:?}");
            }
            (Ok(_), Err(_)) => panic!("{host} {tls} was let through"),
            (Err(error), Ok(_)) => panic!("{host} {tls}: {error:?}"),
        }
    };
    check("localhost", "verify-full", issuer, Ok("secured"));
    check("127.0.0.1", "verify-full", issuer, Err("another name"));
    check("127.0.0.1", "verify-ca", issuer, Ok("secured"));
    check("localhost", "verify-full", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/server.pem"), Err(""));
    check("127.0.0.1", "require", "", Ok("secured"));
    check("127.0.0.1", "require", issuer, Ok("secured"));
    check("localhost", "require", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/server.pem"), Err(""));
    check("127.0.0.1", "prefer", "", Ok("secured"));
    check("127.0.0.1", "disable", "", Ok("clear"));
    let Some(plain) = shared() else { return };
    let port = plain.port.to_string();
    let options = [("host", "127.0.0.1"), ("port", &*port), ("user", "tester"), ("tls", "require")];
    let error = Settings::of(FilePath::new("."), &connector(&options)).unwrap().connect().err().unwrap();
    assert_eq!((error.exit(), error.cause()), (Exit::Denied, "the server does not offer TLS"), "{error:?}");
}

#[test]
fn a_server_that_is_not_there_is_the_environment() {
    let options = [("host", "127.0.0.1"), ("port", "1"), ("user", "me"), ("connect_timeout", "2")];
    let settings = Settings::of(FilePath::new("."), &connector(&options)).unwrap();
    let error = settings.connect().err().unwrap();
    assert_eq!((error.exit(), error.code().id), (Exit::Environment, "connect-server-unreachable"), "{error:?}");
    assert_eq!(settings.shown(), "127.0.0.1:1/me");
}

#[test]
fn another_transaction_that_holds_the_rows_is_waited_for_only_so_long() {
    let Some(desk) = Desk::new(Mode::Upsert) else { return };
    let mut sink = desk.fresh();
    let url = desk.server.url(&desk.database);
    let settings = Settings::of(FilePath::new("."), &connector(&[("url", &url)])).unwrap();
    let other = settings.connect().unwrap();
    other.run(other.client.batch_execute("BEGIN; LOCK TABLE items")).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    let error = sink.commit(&mark(1, 1)).unwrap_err();
    assert_eq!((error.exit(), error.code().id), (Exit::Environment, "connect-target-busy"), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(12)))]
    /// Text of any kind comes back as it went in, and is known again as unchanged.
    #[test]
    fn any_text_and_any_number_comes_back(rows in proptest::collection::vec((any::<i64>(), "[^\0]{0,40}", any::<f64>(), any::<i64>(), 0u32..12), 1..30)) {
        let Some(mut desk) = Desk::new(Mode::Upsert) else { return Ok(()) };
        desk.columns = vec![column("id", Type::Int), column("t", Type::String), column("d", Type::Double), column("n", Type::Decimal)];
        let rows: std::collections::BTreeMap<i64, _> = rows.into_iter().map(|r| (r.0, r)).collect();
        let mut batch = Batch::default();
        let mut encoder = desk.encoder();
        for (id, text, double, mantissa, scale) in rows.values() {
            let number = Decimal::new(i128::from(*mantissa), *scale).unwrap();
            encoder.encode(&[Value::Int(*id), Value::String(text), Value::Double(*double), Value::Decimal(number)], &mut batch.bytes).unwrap();
            batch.records += 1;
        }
        let mut sink = desk.fresh();
        for (group, expected) in [(1, [batch.records, 0]), (2, [0, batch.records])] {
            sink.write(&batch).unwrap();
            let receipt = sink.commit(&mark(group, 1)).unwrap();
            prop_assert_eq!([receipt.written, receipt.unchanged], expected);
        }
        let url = desk.server.url(&desk.database);
        let session = Settings::of(FilePath::new("."), &connector(&[("url", &url)])).unwrap().connect().unwrap();
        let back = session.run(session.client.query("SELECT id, t, d, n::text FROM items ORDER BY id", &[])).unwrap();
        prop_assert_eq!(back.len(), rows.len());
        for (row, (id, text, double, mantissa, scale)) in back.iter().zip(rows.values()) {
            let mut number = Vec::new();
            Decimal::new(i128::from(*mantissa), *scale).unwrap().write(&mut number);
            prop_assert_eq!(row.get::<_, i64>(0), *id);
            prop_assert_eq!(row.get::<_, String>(1), text.as_str());
            prop_assert!(row.get::<_, f64>(2).to_bits() == double.to_bits() || double.is_nan());
            prop_assert_eq!(row.get::<_, String>(3).into_bytes(), number);
        }
    }
}
