//! The SQLite target from outside: rows, commit rows, and what goes wrong.

use std::path::PathBuf;

use rusqlite::Connection;

use super::sink::SqliteSink;
use super::table::Table;
use crate::config::Mode;
use crate::connect::{Batch, DeleteGuard, Encoder, Found, Sink};
use crate::error::{Error, Kind, Result};
use crate::record::{Column, Decimal, Mark, Path, Type, Value};

/// A table of `sku` (key), `qty` and `price` in a new folder.
struct Desk {
    folder: tempfile::TempDir,
    columns: Vec<Column>,
    key: Vec<usize>,
    mode: Mode,
    create: bool,
}

impl Desk {
    fn new() -> Self {
        let column = |name: &str, kind| Column { path: Path::key(name), kind, required: false };
        Self {
            folder: tempfile::tempdir().unwrap(),
            columns: vec![column("sku", Type::String), column("qty", Type::Int), column("price", Type::Decimal)],
            key: vec![0],
            mode: Mode::Upsert,
            create: true,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("w.db")
    }

    fn table(&self) -> Result<Table> {
        Table::new("items".into(), &self.columns, &self.key, self.mode)
    }

    fn sink(&self) -> SqliteSink {
        let busy = std::time::Duration::from_millis(50);
        SqliteSink::new(self.path(), self.table().unwrap(), self.create, busy, ("log", "route"), false, false)
    }

    fn batch(&self, rows: &[(&str, i64, &str)]) -> Batch {
        let mut encoder = super::CellEncoder::new(&self.columns, &self.key);
        let mut batch = Batch::default();
        for (sku, qty, price) in rows {
            let price = Value::Decimal(Decimal::parse(price).unwrap());
            encoder.encode(&[Value::String(sku), Value::Int(*qty), price], &mut batch.bytes).unwrap();
            batch.records += 1;
        }
        batch
    }

    fn opened(&self, settled: Option<&Mark>, in_doubt: bool) -> Result<(SqliteSink, Found)> {
        let mut sink = self.sink();
        let found = sink.open(settled, in_doubt)?;
        Ok((sink, found))
    }

    fn rows(&self) -> Vec<(String, i64, String)> {
        let database = Connection::open(self.path()).unwrap();
        let mut statement = database.prepare("SELECT sku, qty, price FROM items ORDER BY sku").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    fn refused(&self, settled: Option<&Mark>, in_doubt: bool) -> Error {
        self.opened(settled, in_doubt).err().unwrap()
    }
}

fn mark(group: u64, fence: u64) -> Mark {
    Mark { log_id: "log".into(), route: "route".into(), group, fence, length: None, known: None }
}

fn row(sku: &str, qty: i64, price: &str) -> (String, i64, String) {
    (sku.into(), qty, price.into())
}

#[test]
fn rows_are_upserted_and_decimals_stay_exact() {
    let desk = Desk::new();
    let (mut sink, found) = desk.opened(None, false).unwrap();
    assert_eq!(found, Found::Same);
    sink.write(&desk.batch(&[("a", 1, "35.990"), ("b", 2, "0.1")])).unwrap();
    let receipt = sink.commit(&mark(1, 1)).unwrap();
    assert_eq!((receipt.written, receipt.length), (2, None));
    sink.write(&desk.batch(&[("a", 7, "12345678901234567890.12")])).unwrap();
    sink.commit(&mark(2, 1)).unwrap();
    sink.finish().unwrap();
    assert_eq!(desk.rows(), [row("a", 7, "12345678901234567890.12"), row("b", 2, "0.1")]);
    let log = std::fs::metadata(desk.folder.path().join("w.db-wal")).map_or(0, |about| about.len());
    assert_eq!(log, 0, "the write-ahead log was copied back");
}

#[test]
fn a_group_is_there_whole_or_not_at_all() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    sink.write(&desk.batch(&[("b", 1, "1")])).unwrap();
    sink.abandon();
    assert_eq!(desk.rows(), [row("a", 1, "1")]);
    assert_eq!(desk.opened(Some(&mark(1, 1)), true).unwrap().1, Found::Same);
}

#[test]
fn the_commit_row_is_compared_with_the_state() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
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
    desk.sql("DELETE FROM _consign_commits");
    check(Some(3), false, Err("connect-target-changed"));
    check(None, false, Ok(Found::Same));
}

#[test]
fn only_a_table_with_rules_of_its_own_may_refuse_records() {
    let desk = Desk::new();
    let check = |expected: bool, sql: &str| {
        desk.sql(sql);
        assert_eq!(desk.opened(None, false).unwrap().0.may_refuse(), expected, "{sql}");
    };
    // Once while it is made, once as it was found.
    check(false, "SELECT 1");
    check(false, "SELECT 1");
    check(true, "CREATE INDEX apart ON items (qty)");
    check(false, "DROP INDEX apart");
    check(true, "CREATE TRIGGER watch BEFORE INSERT ON items BEGIN SELECT RAISE(ABORT, 'no'); END");
}

#[test]
fn what_another_state_wrote_is_taken_over_on_demand() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    desk.sql("UPDATE _consign_commits SET log_id = 'other', group_no = 3, fence = 2");
    assert_eq!(desk.refused(None, false).code().id, "connect-target-foreign");
    assert_eq!(desk.sink().adopt().unwrap(), Some(mark(3, 2)));
    assert_eq!(desk.opened(Some(&mark(3, 2)), false).unwrap().1, Found::Same);
}

#[test]
fn an_older_run_cannot_write_behind_a_newer_one() {
    let desk = Desk::new();
    let (mut old, _) = desk.opened(None, false).unwrap();
    old.commit(&mark(1, 1)).unwrap();
    let (mut new, _) = desk.opened(Some(&mark(1, 1)), false).unwrap();
    new.write(&desk.batch(&[("new", 1, "1")])).unwrap();
    new.commit(&mark(2, 2)).unwrap();
    old.write(&desk.batch(&[("old", 1, "1")])).unwrap();
    let error = old.commit(&mark(3, 1)).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Locked, "connect-target-fenced"));
    old.abandon();
    assert_eq!(desk.rows(), [row("new", 1, "1")]);
}

#[test]
fn tables_are_made_to_lose_nothing() {
    fn check(kinds: &[Type], key: &[usize], expected: &str) {
        let columns: Vec<Column> = kinds
            .iter()
            .zip(["a", "b", "od\"d"])
            .map(|(kind, name)| Column { path: Path::key(name), kind: kind.clone(), required: false })
            .collect();
        let table =
            Table::new("t".into(), &columns, key, if key.is_empty() { Mode::Append } else { Mode::Upsert }).unwrap();
        assert_eq!(table.definition(), expected);
        Connection::open_in_memory().unwrap().execute_batch(&table.definition()).unwrap();
    }
    check(
        &[Type::String, Type::Decimal, Type::Dyn],
        &[0],
        r#"CREATE TABLE "t" ("a" TEXT NOT NULL, "b" TEXT, "od""d", PRIMARY KEY ("a")) WITHOUT ROWID"#,
    );
    check(
        &[Type::Int, Type::Bool, Type::Timestamp],
        &[0],
        r#"CREATE TABLE "t" ("a" INTEGER PRIMARY KEY, "b" INTEGER, "od""d" TEXT)"#,
    );
    check(&[Type::Double, Type::Bytes, Type::Date], &[], r#"CREATE TABLE "t" ("a" REAL, "b" BLOB, "od""d" TEXT)"#);
}

#[test]
fn tables_that_do_not_fit_are_refused_with_what_to_do() {
    let check = |sql: &str, cause: &str, hint: &str| {
        let desk = Desk::new();
        desk.sql(sql);
        let error = desk.refused(None, false);
        assert_eq!((error.kind(), error.code().id), (Kind::Invalid, "connect-table-unfit"), "{error:?}");
        assert!(error.cause().contains(cause), "{error}");
        assert!(error.hints().iter().any(|h| h.contains(hint)), "{:?}", error.hints());
    };
    check(
        "CREATE TABLE items(sku TEXT PRIMARY KEY, quantity INT, price TEXT)",
        "no column `qty`",
        "ADD COLUMN \"qty\"",
    );
    check("CREATE TABLE items(sku TEXT PRIMARY KEY, qtys INT, price TEXT)", "no column `qty`", "did you mean `qtys`");
    check(
        "CREATE TABLE items(sku TEXT, qty INT, price TEXT)",
        "no unique index over (\"sku\")",
        "CREATE UNIQUE INDEX \"items_key\" ON \"items\" (\"sku\")",
    );
    check(
        "CREATE TABLE items(sku TEXT, qty INT, price TEXT); CREATE UNIQUE INDEX i ON items(sku) WHERE qty > 0",
        "no unique index",
        "CREATE UNIQUE INDEX",
    );
    for declared in ["REAL", "NUMERIC", "DECIMAL(10,2)", "INTEGER", "FLOAT"] {
        check(
            &format!("CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT, price {declared})"),
            "binary floating-point",
            "TEXT",
        );
    }
    check("CREATE VIEW items AS SELECT 1 AS sku, 2 AS qty, 3 AS price", "is a view", "");
    let desk = Desk { create: false, ..Desk::new() };
    let error = desk.refused(None, false);
    assert!(error.cause().contains("no table `items`") && error.hints()[0].contains("CREATE TABLE"), "{error:?}");
}

#[test]
fn tables_that_fit_are_used_as_they_are() {
    for sql in [
        "CREATE TABLE Items(SKU VARCHAR(20) PRIMARY KEY, extra TEXT DEFAULT 'x', qty BIGINT, price TEXT)",
        "CREATE TABLE items(sku TEXT, qty, price BLOB, UNIQUE(sku))",
        "CREATE TABLE items(sku TEXT PRIMARY KEY, qty INTEGER, price TEXT) STRICT, WITHOUT ROWID",
    ] {
        let desk = Desk::new();
        desk.sql(sql);
        let (mut sink, _) = desk.opened(None, false).unwrap();
        sink.write(&desk.batch(&[("a", 1, "1.10"), ("a", 2, "1.20")])).unwrap();
        sink.commit(&mark(1, 1)).unwrap();
        sink.finish().unwrap();
        assert_eq!(desk.rows(), [row("a", 2, "1.20")], "{sql}");
    }
}

#[test]
fn a_decimal_in_disguise_does_not_become_a_binary_number() {
    let mut desk = Desk::new();
    desk.columns[2].kind = Type::Dyn;
    desk.sql("CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT, price NUMERIC)");
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "5")])).unwrap();
    sink.write(&desk.batch(&[("b", 1, "1.10"), ("c", 1, "6")])).unwrap();
    let receipt = sink.commit(&mark(1, 1)).unwrap();
    assert_eq!((receipt.written, receipt.refused), (2, 1));
    let refused = &receipt.refusals[0];
    assert_eq!((refused.record, refused.field.as_deref()), (1, Some("price")));
    assert!(refused.cause.contains("binary floating-point") && !refused.cause.contains("1.10"), "{}", refused.cause);
}

#[test]
fn requests_without_sense_are_refused() {
    let check = |change: fn(&mut Desk), part: &str| {
        let mut desk = Desk::new();
        change(&mut desk);
        let error = desk.table().err().unwrap();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.cause().contains(part), "{error}");
    };
    check(|desk| desk.key.clear(), "needs a key");
    check(|desk| desk.columns[1].path = Path::parse("a.b").unwrap(), "`a.b` is nested");
    check(|desk| desk.columns[1].path = Path::key("SKU"), "one column");
    check(|desk| (desk.columns, desk.mode) = (Vec::new(), Mode::Append), "no column");
}

#[test]
fn one_record_that_breaks_a_constraint_takes_no_other_with_it() {
    let check = |definition: &str, cause: &str, field: Option<&str>| {
        let desk = Desk::new();
        desk.sql(definition);
        let (mut sink, _) = desk.opened(None, false).unwrap();
        sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "1")])).unwrap();
        sink.write(&desk.batch(&[("c", 3, "1"), ("secret-key", -77, "1"), ("d", 4, "1")])).unwrap();
        let receipt = sink.commit(&mark(1, 1)).unwrap();
        assert_eq!((receipt.written, receipt.refused), (4, 1), "{definition}");
        let refused = &receipt.refusals[0];
        assert_eq!((refused.record, refused.field.as_deref()), (3, field), "{definition}");
        assert!(refused.cause.contains(cause), "{definition}: {}", refused.cause);
        assert!(!refused.cause.contains("secret-key") && !refused.cause.contains("77"), "{}", refused.cause);
        let names: Vec<String> = desk.rows().into_iter().map(|row| row.0).collect();
        assert_eq!(names, ["a", "b", "c", "d"], "{definition}");
        drop(sink);
        // What the group came to stands beside it.
        let (mut sink, _) = desk.opened(Some(&mark(1, 1)), false).unwrap();
        assert_eq!(sink.recall().unwrap(), Some(receipt));
    };
    let items = |rules: &str| format!("CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT, price TEXT{rules})");
    check(&items(", CHECK(qty > 0)"), "qty > 0", None);
    check(
        "CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT CHECK(qty > 0) NOT NULL, price TEXT) STRICT",
        "qty > 0",
        None,
    );
    let other = items(", positive INT AS (nullif(max(qty, 0), 0)) NOT NULL");
    check(&other, "NOT NULL constraint failed", None);
    check(
        "CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT UNIQUE, price TEXT); INSERT INTO items VALUES ('d', -77, '')",
        "UNIQUE constraint failed: items.qty",
        Some("qty"),
    );
    let parents = "CREATE TABLE places(n INTEGER PRIMARY KEY); INSERT INTO places VALUES (1), (2), (3), (4);";
    let child = items(", FOREIGN KEY (qty) REFERENCES places(n)");
    check(&format!("{parents}{child}"), "FOREIGN KEY", None);
    for (when, how) in [("BEFORE", "ABORT"), ("AFTER", "FAIL")] {
        let trigger = format!(
            "; CREATE TABLE seen(n INT); CREATE TRIGGER t {when} INSERT ON items BEGIN INSERT INTO seen VALUES (new.qty); \
             SELECT RAISE({how}, 'secret-key') WHERE new.qty < 0; END"
        );
        check(&format!("{}{trigger}", items("")), "a trigger", None);
    }
}

#[test]
fn a_constraint_that_takes_the_group_back_fails_it_whole() {
    let desk = Desk::new();
    desk.sql("CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT NOT NULL ON CONFLICT ROLLBACK, price TEXT UNIQUE ON CONFLICT ROLLBACK)");
    let (mut sink, _) = desk.opened(None, false).unwrap();
    let error = sink.write(&desk.batch(&[("a", 1, "1"), ("secret-key", 2, "1")])).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Failed, "connect-constraint"), "{error:?}");
    assert!(!format!("{error:?}").contains("secret-key"));
    sink.abandon();
    assert!(desk.rows().is_empty());
}

#[test]
fn a_mirror_keeps_records_whose_newer_form_was_refused() {
    let mut desk = Desk::new();
    desk.mode = Mode::Mirror;
    desk.sql("CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT CHECK(qty > 0), price TEXT)");
    desk.sql("INSERT INTO items VALUES ('a', 1, '1'), ('b', 1, '1')");
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", -1, "1"), ("c", 1, "1")])).unwrap();
    let receipt = sink.commit(&mark(1, 1)).unwrap();
    assert_eq!((receipt.written, receipt.refused), (1, 1));
    let swept = sink.sweep(&mark(2, 1), DeleteGuard { share_ppm: 1_000_000, records: 10 }, false);
    assert_eq!(swept.unwrap().deleted, 1);
    assert_eq!(desk.rows(), [row("a", 1, "1"), row("c", 1, "1")]);
}

#[test]
fn a_locked_database_is_an_environment_error() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    let other = Connection::open(desk.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = sink.write(&desk.batch(&[("a", 1, "1")])).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Environment, "connect-target-busy"));
    assert_eq!(desk.refused(None, false).kind(), Kind::Environment);
    other.execute_batch("ROLLBACK").unwrap();
    sink.abandon();
    desk.opened(None, false).unwrap();
}

#[test]
fn a_full_disk_takes_the_group_back() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    // A database that may not grow says the same as a disk that is full.
    sink.limit_pages(4);
    let long = "x".repeat(20_000);
    let error = sink.write(&desk.batch(&[(&long, 1, "1"), ("z", 1, "1")])).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Environment, "io-full"));
    sink.abandon();
    assert_eq!(desk.rows(), [row("a", 1, "1")]);
    assert_eq!(desk.opened(Some(&mark(1, 1)), true).unwrap().1, Found::Same);
}

#[test]
fn what_is_no_database_is_left_alone() {
    let desk = Desk::new();
    let text = "id,name\n1,x\n".repeat(500);
    std::fs::write(desk.path(), &text).unwrap();
    let error = desk.refused(None, false);
    assert_eq!((error.kind(), error.code().id), (Kind::Invalid, "connect-not-a-database"), "{error:?}");
    assert_eq!(std::fs::read_to_string(desk.path()).unwrap(), text);
    std::fs::remove_file(desk.path()).unwrap();
    std::fs::create_dir(desk.path()).unwrap();
    assert_eq!(desk.refused(None, false).kind(), Kind::Invalid);
    let desk = Desk::new();
    std::fs::remove_dir_all(desk.folder.path()).unwrap();
    let error = desk.refused(None, false);
    assert!(error.hints().iter().any(|hint| hint.contains("make the folder")), "{error:?}");
}

#[test]
fn a_read_only_database_is_a_matter_of_permission() {
    let desk = Desk::new();
    drop(desk.opened(None, false).unwrap());
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.forbid_writing();
    let error = sink.write(&desk.batch(&[("a", 1, "1")])).unwrap_err();
    assert_eq!((error.kind(), error.code().id), (Kind::Denied, "io-denied"), "{error:?}");
    // The mode of the file counts for everybody but root.
    use std::os::unix::fs::PermissionsExt;
    drop(sink);
    std::fs::set_permissions(desk.path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    if !rustix::process::geteuid().is_root() {
        assert_eq!(desk.refused(None, false).kind(), Kind::Denied);
    }
}

#[test]
fn keys_in_any_order_and_many_batches_give_one_row_each() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    let mut wanted = std::collections::BTreeMap::new();
    for group in 1..=10_u64 {
        for _ in 0..3 {
            let rows: Vec<(String, i64)> =
                (0..200_u64).map(|n| (format!("k{:03}", (n * 7919 + group * 31) % 700), (n * group) as i64)).collect();
            let borrowed: Vec<(&str, i64, &str)> = rows.iter().map(|(k, n)| (k.as_str(), *n, "1.5")).collect();
            sink.write(&desk.batch(&borrowed)).unwrap();
            wanted.extend(rows);
        }
        sink.commit(&mark(group, 1)).unwrap();
    }
    sink.finish().unwrap();
    let there: Vec<(String, i64)> = desk.rows().into_iter().map(|(k, n, _)| (k, n)).collect();
    assert_eq!(there, wanted.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_rehearsal_tells_what_would_happen_and_leaves_all_as_it_is() {
    let look = |mode: Mode, rows: &[(&str, i64, &str)], there: bool| {
        let mut desk = Desk::new();
        if there {
            let (mut sink, _) = desk.opened(None, false).unwrap();
            sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2"), ("c", 3, "3")])).unwrap();
            sink.commit(&mark(1, 1)).unwrap();
            sink.finish().unwrap();
        }
        desk.mode = mode;
        let before = desk.path().exists().then(|| std::fs::read(desk.path()).unwrap());
        let busy = std::time::Duration::from_millis(50);
        let mut sink = SqliteSink::new(desk.path(), desk.table().unwrap(), true, busy, ("log", "route"), false, true);
        sink.open(there.then(|| mark(1, 1)).as_ref(), false).unwrap();
        let mut effects = sink.foresee(&desk.batch(rows)).unwrap();
        if mode == Mode::Mirror {
            effects.deleted = sink.sweep(&mark(2, 2), DeleteGuard { share_ppm: 0, records: 0 }, true).unwrap().deleted;
        }
        drop(sink);
        assert_eq!(desk.path().exists().then(|| std::fs::read(desk.path()).unwrap()), before, "left as it is");
        [effects.created, effects.updated, effects.unchanged, effects.unmatched, effects.deleted]
    };
    let rows = [("a", 1, "1"), ("b", 9, "2"), ("z", 1, "1"), ("z", 2, "1")];
    assert_eq!(look(Mode::Upsert, &rows, true), [1, 2, 1, 0, 0]);
    assert_eq!(look(Mode::Upsert, &rows, false), [3, 1, 0, 0, 0]);
    assert_eq!(look(Mode::Mirror, &rows, true), [1, 2, 1, 0, 1]);
    assert_eq!(look(Mode::Update, &rows, true), [0, 1, 3, 2, 0]);
    assert_eq!(look(Mode::Append, &rows, true), [4, 0, 0, 0, 0]);
}

#[test]
fn a_group_found_ahead_says_what_it_came_to() {
    let desk = Desk::new();
    let (mut sink, _) = desk.opened(None, false).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 2, "2")])).unwrap();
    sink.commit(&mark(1, 1)).unwrap();
    sink.write(&desk.batch(&[("a", 1, "1"), ("b", 3, "2")])).unwrap();
    let receipt = sink.commit(&mark(2, 1)).unwrap();
    assert_eq!((receipt.written, receipt.unchanged), (1, 1));
    drop(sink);
    let (mut sink, found) = desk.opened(Some(&mark(1, 1)), true).unwrap();
    assert_eq!((found, sink.recall().unwrap()), (Found::Ahead, Some(receipt)));
}
