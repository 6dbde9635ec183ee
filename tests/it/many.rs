//! One source, many targets: each ends as if it were alone, whatever becomes of the others, killed
//! at any point or not.

use std::path::Path;
use std::process::Output;

use crate::support::{consign, rounds};

/// Rows of the source; one in [`BAD_EVERY`] is rejected.
const ROWS: u64 = 12_000;
const BAD_EVERY: u64 = 500;

/// The two targets, as routes.
const ROUTES: [&str; 2] = ["items@base.items", "items@copy.items"];

/// A project with a table without a key and a file as targets.
struct Fan {
    folder: tempfile::TempDir,
}

impl Fan {
    fn new(to: &str) -> Self {
        let fan = Self { folder: tempfile::tempdir().expect("a folder") };
        for name in ["mappings", "in", "db"] {
            std::fs::create_dir_all(fan.root().join(name)).expect("folders");
        }
        fan.write("in/a.csv", &rows(0, ROWS));
        fan.write(
            "connectors.yaml",
            "version: 1\nconnectors:\n  in:\n    use: file\n    with: { path: in }\n    streams:\n      items:\n        path: \"*.csv\"\n        format: csv\n        fields: { sku: string, qty: int, note: string }\n  base:\n    use: sqlite\n    with: { path: db/out.db, busy_timeout: 5 }\n  copy:\n    use: file\n    streams:\n      items: { path: out.ndjson, format: ndjson }\n",
        );
        fan.mapping(to);
        fan
    }

    fn mapping(&self, to: &str) {
        self.write(
            "mappings/items.yaml",
            &format!(
                "version: 1\nname: items\nfrom: in.items\nto: {to}\nsync:\n  batch: {{ records: 2000 }}\n  on_error: {{ tolerate: {{ percent: 5 }} }}\nfields:\n  - {{ target: sku, source: sku, required: true }}\n  - {{ target: qty, source: qty, validate: value >= 0 }}\n"
            ),
        );
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).expect("written");
    }

    fn run(&self, words: &[&str]) -> Output {
        consign(self.root()).args(words).output().expect("consign starts")
    }

    /// Runs it, looks at its exit code, and gives what it said on both streams.
    fn says(&self, words: &[&str], exit: i32) -> String {
        let output = self.run(words);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        said
    }

    fn json(&self, words: &[&str]) -> serde_json::Value {
        let output = self.run(&[&["-o", "json"], words].concat());
        serde_json::from_slice(&output.stdout).expect("a document")
    }

    fn killed(&self, point: &str) -> bool {
        let ended = consign(self.root()).args(["sync", "run", "items"]).env("CONSIGN_FAILPOINT", point).output();
        ended.expect("consign starts").status.code().is_none()
    }

    fn table(&self) -> Vec<String> {
        let Ok(db) = rusqlite::Connection::open(self.root().join("db/out.db")) else { return Vec::new() };
        let Ok(mut all) = db.prepare("SELECT sku FROM items ORDER BY sku") else { return Vec::new() };
        all.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("row")).collect()
    }

    fn file(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.root().join("out.ndjson")).unwrap_or_default();
        let sku = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("whole lines")["sku"].clone();
        text.lines().map(|line| sku(line).as_str().expect("sku").to_string()).collect()
    }

    fn letters(&self, route: &str) -> usize {
        let all = self.json(&["sync", "dlq", "list", "--route", route, "--limit", "100000"]);
        all["letters"].as_array().expect("letters").len()
    }

    /// Every good row once in each target, every bad one once among the letters of each.
    fn assert_whole(&self, count: u64, context: &str) {
        let expected: Vec<String> = (0..count).filter(|n| !is_bad(*n)).map(sku).collect();
        assert!(self.table() == expected, "{context}: {} of {} rows", self.table().len(), expected.len());
        assert!(self.file() == expected, "{context}: {} of {} lines", self.file().len(), expected.len());
        let bad = (0..count).filter(|n| is_bad(*n)).count();
        for route in ROUTES {
            assert_eq!(self.letters(route), bad, "{context}: letters of {route}");
        }
        assert_eq!(self.letters("items"), 2 * bad, "{context}: letters of both");
        self.says(&["audit", "verify"], 0);
    }
}

fn is_bad(n: u64) -> bool {
    n % BAD_EVERY == 7
}

fn sku(n: u64) -> String {
    format!("SKU-{n:07}")
}

fn rows(first: u64, count: u64) -> String {
    let mut text = if first == 0 { String::from("sku,qty,note\n") } else { String::new() };
    for n in first..first + count {
        let note =
            "words that make the row long enough for a file to be read in several parts and then some more of them";
        text.push_str(&format!("{},{},{note}\n", sku(n), if is_bad(n) { -5 } else { (n % 50) as i64 }));
    }
    text
}

const BOTH: &str = "[base.items, copy.items]";

#[test]
fn each_target_has_a_result_of_its_own_and_the_source_is_read_once() {
    let fan = Fan::new(BOTH);
    let said = fan.says(&["sync", "run", "items"], 0);
    assert!(said.contains("read      12,000 records by 2 routes"), "{said}");
    for route in ROUTES {
        assert!(said.contains(&format!("{route}: 11,976 written, 24 rejected")), "{said}");
    }
    fan.assert_whole(ROWS, "one run");
    // What is new goes to both.
    let more = format!("{}{}", rows(0, ROWS), rows(ROWS, 1_000));
    fan.write("in/a.csv", &more);
    fan.says(&["sync", "run", "items"], 0);
    fan.assert_whole(ROWS + 1_000, "grown");
    let runs = fan.json(&["sync", "history", "items"]);
    assert_eq!(runs["runs"].as_array().expect("runs").len(), 4);
    assert_eq!(fan.json(&["sync", "history", ROUTES[1]])["runs"].as_array().expect("runs").len(), 2);
    let status = fan.json(&["sync", "status", "items"]);
    let names: Vec<_> = status["routes"].as_array().expect("routes").iter().map(|r| r["route"].clone()).collect();
    assert_eq!(names, ROUTES);
}

#[test]
fn a_target_that_fails_is_given_up_alone_and_catches_up() {
    let fan = Fan::new(BOTH);
    let (here, away) = (fan.root().join("db"), fan.root().join("away"));
    std::fs::rename(&here, &away).expect("moved away");
    let output = fan.run(&["sync", "run", "items"]);
    assert!(!matches!(output.status.code(), Some(0 | 5)), "{output:?}");
    assert_eq!(fan.file().len() as u64, ROWS - 24, "the other target is whole");
    std::fs::rename(&away, &here).expect("moved back");
    let more = format!("{}{}", rows(0, ROWS), rows(ROWS, 1_000));
    fan.write("in/a.csv", &more);
    let run = fan.json(&["sync", "run", "items"]);
    let read = |index: usize| run["routes"][index]["read"].as_u64().expect("read");
    assert_eq!((read(0), read(1)), (ROWS + 1_000, 1_000), "each from where it stands");
    fan.assert_whole(ROWS + 1_000, "caught up");
    // From here on both stand at the same point.
    let run = fan.json(&["sync", "run", "items"]);
    assert_eq!(run["exit"], 0);
}

#[test]
fn killed_at_each_point_each_target_is_whole_after_the_next_run() {
    let points =
        ["before_intent", "after_intent", "mid_write", "after_write", "inside_settle", "after_settle", "after_finish"];
    for point in points {
        for nth in [1, 2, 3] {
            let fan = Fan::new(BOTH);
            let reached = fan.killed(&format!("{point}:{nth}"));
            assert!(reached || (nth == 3 && matches!(point, "after_settle" | "after_finish")), "{point}:{nth}");
            fan.says(&["sync", "run", "items"], 0);
            fan.assert_whole(ROWS, &format!("{point}:{nth}"));
        }
    }
}

#[test]
fn killed_while_one_target_fails_the_other_loses_nothing() {
    for point in ["after_intent:2", "mid_write:1", "after_write:1", "inside_settle:2"] {
        let fan = Fan::new(BOTH);
        let (here, away) = (fan.root().join("db"), fan.root().join("away"));
        std::fs::rename(&here, &away).expect("moved away");
        fan.killed(point);
        std::fs::rename(&away, &here).expect("moved back");
        fan.killed(point);
        fan.says(&["sync", "run", "items"], 0);
        fan.assert_whole(ROWS, point);
    }
}

#[test]
fn each_of_many_ends_as_if_it_were_alone() {
    // Modes, keys and tolerances of their own, over data with repeated keys and bad rows.
    for round in 0..rounds(3) {
        let text: String = std::iter::once("sku,qty,note\n".to_string())
            .chain((0..2_000_u64).map(|n| {
                let mixed = (n + u64::from(round) * 7919).wrapping_mul(2_654_435_761) % 997;
                format!("{},{},\n", sku(mixed), mixed as i64 - 40)
            }))
            .collect();
        let items = [
            "{ stream: base.items, mode: upsert, key: [sku], on_error: { tolerate: { percent: 50 } } }",
            "{ stream: copy.items, on_error: { tolerate: { records: 1 } } }",
        ];
        let together = Fan::new(&format!("\n  - {}\n  - {}", items[0], items[1]));
        together.write("in/a.csv", &text);
        let run = together.json(&["sync", "run", "items"]);
        let mut exits = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let alone = Fan::new(item);
            alone.write("in/a.csv", &text);
            let one = alone.json(&["sync", "run", "items"]);
            for fact in ["exit", "read", "written", "unchanged", "filtered", "rejected", "error"] {
                assert_eq!(run["routes"][index][fact], one["routes"][0][fact], "{item}: {fact}");
            }
            exits.push(one["exit"].as_u64().expect("exit"));
            assert_eq!(together.letters(ROUTES[index]), alone.letters("items"), "{item}: letters");
            match index {
                0 => assert_eq!(together.table(), alone.table()),
                _ => assert_eq!(together.file(), alone.file()),
            }
        }
        assert_eq!(exits, [0, 5]);
        assert_eq!(run["exit"], 5, "the worst wins");
    }
}

#[test]
fn verbs_work_for_one_target_and_for_the_whole() {
    let fan = Fan::new(BOTH);
    fan.says(&["sync", "disable", ROUTES[0], "--reason", "rebuilt"], 0);
    let said = fan.says(&["sync", "run", "items"], 6);
    assert!(said.contains("rebuilt"), "{said}");
    assert_eq!((fan.table().len(), fan.file().len() as u64), (0, ROWS - 24));
    fan.says(&["sync", "enable", "items"], 0);
    fan.says(&["sync", "run", ROUTES[0]], 0);
    fan.assert_whole(ROWS, "each by itself");
    let said = fan.says(
        &["sync", "state", "set", "items", "x", "--byte", "0", "--line", "0", "--record", "0", "--reason", "no"],
        2,
    );
    assert!(said.contains(ROUTES[1]), "{said}");
    fan.says(&["sync", "unlock", "items"], 0);
    fan.says(&["sync", "plan", "items"], 0);
    fan.says(&["map", "check"], 0);
    fan.says(&["map", "explain", "items", "qty"], 0);
    let said = fan.says(&["sync", "run", "items@base.other"], 2);
    assert!(said.contains("did you mean `items@base.items`?"), "{said}");
    // A target named twice, or none, is a finding.
    fan.mapping("[base.items, base.items]");
    fan.says(&["map", "check"], 2);
    fan.mapping("[]");
    fan.says(&["map", "check"], 2);
}
