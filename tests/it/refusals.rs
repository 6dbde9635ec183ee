//! A table that refuses single records: those are dead letters, once each, however the run ended; all
//! others are written, and a replay brings the rest once the table takes them.

use std::fmt::Write as _;
use std::process::Output;

use crate::support::{consign, text};

const ROWS: u32 = 30_000;

/// Points around the group with the refused records.
const POINTS: &[&str] =
    &["after_intent:1", "mid_write:1", "before_commit:1", "after_write:1", "inside_settle:2", "after_settle:1"];

struct Project(tempfile::TempDir);

impl Project {
    fn new(tolerate: u32) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(project.0.path().join("mappings")).expect("mappings");
        project.write(
            "connectors.yaml",
            "version: 1\nconnectors:\n  shop:\n    use: file\n    streams:\n      items: { path: items.csv, format: csv, key: [sku], \
             fields: { sku: string, qty: int } }\n  db: { use: sqlite, with: { path: out.db } }\n",
        );
        project.write(
            "mappings/items.yaml",
            &format!(
                "version: 1\nname: items\nfrom: shop.items\nto: db.items\nsync: {{ mode: upsert, key: [sku], batch: {{ records: 10000 }}, \
                 on_error: {{ to: dead_letters, tolerate: {{ records: {tolerate} }} }} }}\nfields:\n  \
                 - {{ target: sku, source: sku, required: true }}\n  - {{ target: qty, source: qty }}\n"
            ),
        );
        let mut csv = String::from("sku,qty\n");
        for row in 0..ROWS {
            writeln!(csv, "sku-{row:0>90},{row}").expect("text");
        }
        project.write("items.csv", &csv);
        project.database(
            "CREATE TABLE items(sku TEXT PRIMARY KEY, qty INT NOT NULL CHECK(qty % 1000 <> 7), UNIQUE(qty)); \
             INSERT INTO items VALUES ('other', 29999)",
        );
        project
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.0.path().join(name), content).expect("written");
    }

    fn database(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.0.path().join("out.db")).expect("out.db");
        database.execute_batch(sql).expect("statements");
    }

    fn counts(&self) -> (i64, i64) {
        let database = rusqlite::Connection::open(self.0.path().join("out.db")).expect("out.db");
        let sql = "SELECT count(*), sum(qty) FROM items WHERE sku <> 'other'";
        database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counts")
    }

    fn run(&self, words: &[&str], failpoint: Option<&str>) -> Output {
        let mut command = consign(self.0.path());
        if let Some(point) = failpoint {
            command.env("CONSIGN_FAILPOINT", point);
        }
        command.args(words).output().expect("consign starts")
    }

    fn says(&self, words: &[&str], exit: i32) -> String {
        let output = self.run(words, None);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        said
    }
}

#[test]
fn a_database_file_refuses_single_records_and_they_come_back_by_replay() {
    for point in [None].into_iter().chain(POINTS.iter().copied().map(Some)) {
        let project = Project::new(100);
        if let Some(point) = point {
            let killed = project.run(&["sync", "run", "items"], Some(point));
            assert_eq!(killed.status.code(), None, "{point}: {}", text(&killed.stderr));
        }
        project.says(&["sync", "run", "items"], 0);
        // Every thousandth breaks the rule, and the last one has the number of another record.
        let all = i64::from(ROWS);
        let refused: i64 = (0..all).filter(|n| n % 1000 == 7).sum::<i64>() + 29_999;
        assert_eq!(project.counts(), (all - 31, all * (all - 1) / 2 - refused), "{point:?}");
        let listed = project.says(&["-o", "ndjson", "sync", "dlq", "list", "--route", "items"], 0);
        assert_eq!(listed.matches("connect-constraint").count(), 31, "{point:?}: once each\n{listed}");
        assert_eq!(listed.matches("UNIQUE constraint failed: items.qty").count(), 1, "{point:?}\n{listed}");
        project.says(&["audit", "verify"], 0);
        // The table takes them now.
        project.database(
            "CREATE TABLE wider(sku TEXT PRIMARY KEY, qty INT); INSERT INTO wider SELECT * FROM items; DROP TABLE items; \
             ALTER TABLE wider RENAME TO items",
        );
        project.says(&["sync", "dlq", "replay", "--route", "items"], 0);
        assert_eq!(project.counts(), (all, all * (all - 1) / 2), "{point:?}");
        project.says(&["audit", "verify"], 0);
    }
    // More than is tolerated.
    let said = Project::new(30).says(&["sync", "run", "items"], 5);
    assert!(said.contains("31"), "{said}");
}
