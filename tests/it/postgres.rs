//! Runs into a real PostgreSQL server, from outside: what a user and a scheduler see when it restarts,
//! refuses records or lets nobody in.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::servers::postgres::{PASSWORD, Server, shared};
use crate::support::{await_stop, consign, signal, text};

/// A project that carries a CSV file into a table.
struct Project {
    folder: tempfile::TempDir,
    url: String,
}

impl Project {
    fn new(url: String, mode: &str, rows: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self { folder, url };
        project.write(
            "connectors.yaml",
            "version: 1\nconnectors:\n  shop:\n    use: file\n    streams:\n      items: { path: items.csv, format: csv, key: [sku], \
             fields: { sku: string, qty: int, price: decimal } }\n  db:\n    use: postgres\n    with: { url: \"${env:PG_URL}\", lock_timeout: 5 }\n",
        );
        let key = if mode == "append" { "" } else { ", key: [sku]" };
        project.write(
            "mappings/items.yaml",
            &format!(
                "version: 1\nname: items\nfrom: shop.items\nto: db.items\nsync: {{ mode: {mode}{key}, batch: {{ records: 1000 }} }}\nfields:\n  \
                 - {{ target: sku, source: sku, required: true }}\n  - {{ target: qty, source: qty }}\n  - {{ target: price, source: price }}\n"
            ),
        );
        let mut csv = String::from("sku,qty,price\n");
        for row in 0..rows {
            writeln!(csv, "sku-{row},{row},{row}.50").unwrap();
        }
        project.write("items.csv", &csv);
        project
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = consign(self.root());
        command.args(words).env("PG_URL", &self.url).stdin(Stdio::null());
        command
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn expect(&self, words: &[&str], code: i32) -> String {
        let output = self.run(words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}{}", text(&output.stdout));
        assert!(!said.contains(PASSWORD) && !text(&output.stdout).contains(PASSWORD), "{said}");
        said
    }
}

#[test]
fn a_server_restarted_in_the_middle_of_a_load_costs_nothing() {
    let Some(server) = Server::start(&[], &[]) else { return };
    for (point, mode) in
        [("mid_write:2:stop", "upsert"), ("after_intent:2:stop", "append"), ("after_write:1:stop", "append")]
    {
        let database = server.database();
        let project = Project::new(server.url(&database), mode, 80_000);
        let mut child = project
            .command(&["sync", "run", "items"])
            .env("CONSIGN_FAILPOINT", point)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_stop(&mut child);
        server.restart();
        signal(&child, "CONT");
        assert_eq!(child.wait().unwrap().code(), Some(3), "{point}");
        project.expect(&["sync", "run", "items"], 0);
        assert_eq!(
            server.sql(&database, "SELECT count(*), count(DISTINCT sku), sum(qty) FROM items"),
            "80000|80000|3199960000",
            "{point}"
        );
        project.expect(&["audit", "verify"], 0);
    }
}

#[test]
fn a_full_disk_of_the_server_loses_nothing() {
    let Some(server) = Server::start_with_small_disk(24) else { return };
    for mode in ["append", "upsert"] {
        let database = server.database();
        server.sql(
            &database,
            "CREATE TABLE items (sku text PRIMARY KEY, qty bigint, price numeric) TABLESPACE small;
             CREATE TABLE filler TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 17000)",
        );
        let project = Project::new(server.url(&database), mode, 120_000);
        let said = project.expect(&["sync", "run", "items"], 3);
        assert!(
            said.contains("the disk of the database server is full") && said.contains("nothing was lost"),
            "{said}"
        );
        project.expect(&["audit", "verify"], 0);
        // Room is made, the next run goes on.
        server.sql(&database, "DROP TABLE filler");
        project.expect(&["sync", "run", "items"], 0);
        let counted = server.sql(&database, "SELECT count(*), count(DISTINCT sku), sum(qty) FROM items");
        assert_eq!(counted, "120000|120000|7199940000", "{mode}");
        project.expect(&["audit", "verify"], 0);
        server.sql(&database, "DROP TABLE items");
    }
}

#[test]
fn records_that_the_server_refuses_are_dead_letters_and_can_be_replayed() {
    let Some(server) = shared() else { return };
    let database = server.database();
    server.sql(
        &database,
        "CREATE TABLE items (sku text PRIMARY KEY, qty bigint CHECK (qty <> 1500), price numeric(5,2))",
    );
    let project = Project::new(server.url(&database), "upsert", 3000);
    let said = project.expect(&["sync", "run", "items"], 5);
    assert!(said.contains("were rejected"), "{said}");
    // One breaks the rule; prices from 1000 on have a digit too many.
    assert_eq!(server.sql(&database, "SELECT count(*) FROM items"), "1000");
    project.expect(&["audit", "verify"], 0);
    let letters = text(&project.run(&["-o", "json", "sync", "dlq", "list", "--route", "items"]).stdout);
    assert!(letters.contains("connect-constraint"), "{letters}");
    server.sql(&database, "ALTER TABLE items DROP CONSTRAINT items_qty_check, ALTER COLUMN price TYPE numeric");
    project.expect(&["sync", "dlq", "replay", "--route", "items"], 0);
    assert_eq!(server.sql(&database, "SELECT count(*), sum(qty) FROM items"), "3000|4498500");
    project.expect(&["audit", "verify"], 0);
}

#[test]
fn wrong_passwords_end_with_exit_4_and_are_not_told() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let mut project = Project::new(server.url(&database), "upsert", 1);
    project.url = server.url(&database).replace(PASSWORD, "not-the-one");
    let said = project.expect(&["sync", "run", "items"], 4);
    assert!(said.contains("connect-server-denied") && !said.contains("not-the-one"), "{said}");
}

#[test]
fn rows_are_read_behind_a_cursor_each_once_and_without_loss() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let project = Project::new(server.url(&database), "append", 0);
    server.sql(
        &database,
        "CREATE TABLE events (id bigint PRIMARY KEY, at timestamptz NOT NULL, n numeric, tags text[], j jsonb, raw bytea, day date, u uuid);
         INSERT INTO events SELECT i, '2024-02-29 12:00+02', 12345678901234567890.123456789, ARRAY['a,b', NULL], '{\"k\": [1.50]}', '\\x00ff', \
         '0001-01-01', '00000000-0000-0000-0000-00000000000a' FROM generate_series(1, 10000) i",
    );
    project.write(
        "connectors.yaml",
        "version: 1\nconnectors:\n  out:\n    use: file\n    streams:\n      events: { path: out.ndjson, format: ndjson }\n  db:\n    \
         use: postgres\n    with: { url: \"${env:PG_URL}\" }\n    streams:\n      events: { cursor: at }\n",
    );
    let rules: String = ["id", "at", "n", "tags", "j", "raw", "day", "u"]
        .map(|name| match name {
            "raw" => "  - { target: raw, source: raw, transform: \"base64_encode(value)\" }\n".to_string(),
            _ => format!("  - {{ target: {name}, source: {name} }}\n"),
        })
        .concat();
    project.write(
        "mappings/items.yaml",
        &format!(
            "version: 1\nname: items\nfrom: db.events\nto: out.events\nsync: {{ mode: append }}\nfields:\n{rules}"
        ),
    );
    let lines = || std::fs::read_to_string(project.root().join("out.ndjson")).unwrap();
    project.expect(&["sync", "run", "items"], 0);
    assert_eq!(lines().lines().count(), 10_000);
    assert_eq!(
        lines().lines().next().unwrap(),
        r#"{"id":1,"at":"2024-02-29T10:00:00Z","n":12345678901234567890.123456789,"tags":["a,b",null],"j":{"k":[1.50]},"raw":"AP8=","day":"0001-01-01","u":"00000000-0000-0000-0000-00000000000a"}"#
    );
    project.expect(&["sync", "run", "items"], 0);
    assert_eq!(lines().lines().count(), 10_000, "nothing is new");
    // One with the cursor value of all the others, one behind it.
    server.sql(
        &database,
        "INSERT INTO events (id, at, raw) VALUES (0, '2024-02-29 12:00+02', ''), (-1, '2024-03-01', '')",
    );
    project.expect(&["sync", "run", "items"], 0);
    assert_eq!(lines().lines().count(), 10_002);
    let found = text(&project.run(&["connect", "discover", "db"]).stdout);
    assert!(found.contains("events"), "{found}");
}

#[test]
fn a_run_that_was_stopped_and_taken_over_commits_nothing_when_it_wakes() {
    let Some(server) = shared() else { return };
    for point in ["before_open:1:stop", "after_intent:2:stop", "before_write:2:stop", "after_settle:1:stop"] {
        let database = server.database();
        let project = Project::new(server.url(&database), "append", 80_000);
        let mut stopped = project.command(&["sync", "run", "items"]);
        stopped.env("CONSIGN_FAILPOINT", point).env("CONSIGN_LOCK_DEADLINE", "1s");
        let mut stopped = stopped.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        await_stop(&mut stopped);
        let mut tries = 0;
        loop {
            let mut command = project.command(&["sync", "run", "items"]);
            let output = command.env("CONSIGN_LOCK_DEADLINE", "1s").output().unwrap();
            if output.status.code() != Some(7) {
                assert!(output.status.success(), "{point}: {}", text(&output.stderr));
                break;
            }
            tries += 1;
            assert!(tries < 600, "the deadline never came");
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        signal(&stopped, "CONT");
        let woken = stopped.wait_with_output().unwrap();
        assert_eq!(woken.status.code(), Some(7), "{point}: {}", text(&woken.stderr));
        let counted = server.sql(&database, "SELECT count(*), count(DISTINCT sku) FROM items");
        assert_eq!(counted, "80000|80000", "{point}");
        project.expect(&["sync", "run", "items"], 0);
        project.expect(&["audit", "verify"], 0);
    }
}
