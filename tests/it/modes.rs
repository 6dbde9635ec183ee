//! Mirrors through the whole program: killed at each point, over a source that changes, they end as
//! what the source is, and what they deleted is counted once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{await_stop, signal};

/// The points of the road, then those of the sweep at the end of a mirror.
const POINTS: &[&str] = &[
    "before_intent:1",
    "after_intent:1",
    "after_intent:2",
    "mid_write:2",
    "after_write:1",
    "after_write:2",
    "inside_settle:2",
    "before_sweep:1",
    "after_sweep:1",
    "after_sweep_settle:1",
    "after_settle:1",
    "after_finish:1",
];

const ROWS: i64 = 6_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Table,
    File,
}

struct Mirror {
    folder: tempfile::TempDir,
    target: Target,
}

type Rows = BTreeMap<i64, i64>;

/// What the source holds first, and later: a tenth is gone, a tenth has changed, some are new.
fn before() -> Rows {
    (0..ROWS).map(|n| (n, n % 50)).collect()
}

fn after() -> Rows {
    let kept = (0..ROWS).filter(|n| n % 10 != 3).map(|n| (n, if n % 10 == 5 { n % 50 + 100 } else { n % 50 }));
    kept.chain((ROWS..ROWS + 200).map(|n| (n, 1))).collect()
}

impl Mirror {
    fn new(target: Target, sync: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join("mappings")).expect("mappings");
        let out = match target {
            Target::File => "{ use: file, streams: { items: { path: out.ndjson, format: ndjson } } }",
            Target::Table => "{ use: sqlite, with: { path: out.db, busy_timeout: 0 } }",
        };
        let connectors = format!(
            "version: 1\nconnectors:\n  in: {{ use: file, streams: {{ items: {{ path: items.csv, format: csv, fields: {{ n: int, qty: int, note: string }} }} }} }}\n  out: {out}\n"
        );
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync: {{ {sync}, batch: {{ records: 2000 }} }}\nfields:\n  - {{ target: n, source: n, required: true }}\n  - {{ target: qty, source: qty }}\n  - {{ target: note, source: note }}\n"
        );
        std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
        std::fs::write(root.join("mappings/items.yaml"), mapping).expect("mapping");
        let made = Self { folder, target };
        made.source(&before());
        made
    }

    fn of(target: Target) -> Self {
        match target {
            Target::Table => Self::new(target, "mode: mirror, key: [n], deletes: { percent: 50 }"),
            Target::File => Self::new(target, "mode: mirror"),
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a new file in the place of the source.
    fn source(&self, rows: &Rows) {
        let mut text = String::from("n,qty,note\n");
        for (n, qty) in rows {
            let _ = writeln!(text, "{n},{qty},{:0300}", n * 7);
        }
        std::fs::write(self.root().join("items.new"), text).expect("the source");
        std::fs::rename(self.root().join("items.new"), self.root().join("items.csv")).expect("renamed");
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command.arg("-C").arg(self.root()).args(words).stdin(Stdio::null()).env_remove("CONSIGN_FAILPOINT");
        command
    }

    fn says(&self, words: &[&str], exit: i32) -> String {
        let output = self.command(words).output().expect("consign starts");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        said
    }

    fn target(&self) -> Rows {
        match self.target {
            Target::Table => {
                let db = rusqlite::Connection::open(self.root().join("out.db")).expect("out.db");
                let mut all = db.prepare("SELECT n, qty FROM items").expect("items");
                let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Target::File => {
                let text = std::fs::read_to_string(self.root().join("out.ndjson")).expect("out.ndjson");
                let values = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line"));
                values.map(|value| (value["n"].as_i64().expect("n"), value["qty"].as_i64().expect("qty"))).collect()
            }
        }
    }

    /// Over all runs, as they are recorded.
    fn counted(&self, column: &str) -> i64 {
        let db = rusqlite::Connection::open(self.root().join(".consign/consign.db")).expect("the state");
        db.query_row(&format!("SELECT sum({column}) FROM runs"), [], |row| row.get(0)).expect("a sum")
    }

    fn killed(&self, point: &str) -> bool {
        let mut command = self.command(&["sync", "run", "items"]);
        let output = command.env("CONSIGN_FAILPOINT", point).output().expect("consign starts");
        output.status.code().is_none()
    }

    fn is_whole(&self, rows: &Rows, context: &str) {
        assert!(self.target() == *rows, "{context}: the target is not what the source is");
        self.says(&["audit", "verify"], 0);
        let state = self.says(&["-o", "json", "sync", "state", "show", "items"], 0);
        let state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
        assert_eq!(state["in_doubt"], serde_json::Value::Null, "{context}");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_mirror_killed_at_each_point_ends_as_what_the_source_is() {
    let gone = before().keys().filter(|n| !after().contains_key(n)).count() as i64;
    for target in [Target::Table, Target::File] {
        for point in POINTS {
            let context = format!("{target:?} killed {point}");
            let project = Mirror::of(target);
            project.says(&["sync", "run", "items"], 0);
            project.is_whole(&before(), "the first run");
            project.source(&after());
            let sweep = point.contains("sweep");
            assert_eq!(project.killed(point), target == Target::Table || !sweep, "{context}: reached or not");
            if target == Target::File && *point != "after_finish:1" && !sweep {
                assert!(project.target() == before(), "{context}: a file is replaced as a whole");
            }
            project.says(&["sync", "run", "items"], 0);
            project.is_whole(&after(), &context);
            if target == Target::Table {
                assert_eq!(project.counted("deleted"), gone, "{context}: each delete is counted once");
            }
            // Nothing is left over that a further run would do.
            project.says(&["sync", "run", "items"], 0);
            project.is_whole(&after(), &context);
        }
    }
}

#[test]
fn rows_that_go_while_a_mirror_reads_are_deleted_by_the_next_one() {
    let project = Mirror::of(Target::Table);
    project.says(&["sync", "run", "items"], 0);
    let mut command = project.command(&["sync", "run", "items"]);
    command.env("CONSIGN_FAILPOINT", "after_intent:1:stop").stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("consign starts");
    await_stop(&mut child);
    project.source(&after());
    signal(&child, "CONT");
    child.wait().expect("the child ends");
    assert_eq!(project.counted("deleted"), 0, "what was read was there");
    project.says(&["sync", "run", "items"], 0);
    project.is_whole(&after(), "the next run");
}

#[test]
fn a_mirror_stopped_by_a_signal_deletes_nothing_and_begins_anew() {
    let project = Mirror::of(Target::Table);
    project.says(&["sync", "run", "items"], 0);
    project.source(&after());
    let mut command = project.command(&["sync", "run", "items"]);
    command.env("CONSIGN_FAILPOINT", "after_intent:1:stop").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("consign starts");
    await_stop(&mut child);
    signal(&child, "TERM");
    signal(&child, "CONT");
    let output = child.wait_with_output().expect("the child ends");
    assert_eq!(output.status.code(), Some(143), "{}", said(&output));
    assert_eq!(project.counted("deleted"), 0, "{}", said(&output));
    assert!(said(&output).contains("nothing was deleted"), "{}", said(&output));
    project.says(&["sync", "run", "items"], 0);
    project.is_whole(&after(), "the next run");
}

#[test]
fn what_an_earlier_version_has_committed_is_gone_on_with() {
    let project = Mirror::new(Target::Table, "mode: upsert, key: [n]");
    project.says(&["sync", "run", "items"], 0);
    // The commit rows as version 0.1 made them.
    let db = rusqlite::Connection::open(project.root().join("out.db")).expect("out.db");
    db.execute_batch("ALTER TABLE _consign_commits DROP COLUMN receipt").expect("an older table");
    drop(db);
    let mut rows = before();
    rows.insert(ROWS, 1);
    project.source(&rows);
    assert!(project.killed("after_write:1"));
    project.says(&["sync", "run", "items"], 0);
    assert_eq!(project.target().len() as i64, ROWS + 1);
}
