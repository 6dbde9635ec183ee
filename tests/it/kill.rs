//! The promise of delivery, proved by killing: at each named point and at random, for
//! file → file and file → SQLite. Nothing is lost, nothing doubled, the chain verifies, and the
//! next run takes over.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::servers::postgres;
use crate::servers::sftp::Sftp;
use crate::support::{await_stop, rounds, signal};

/// Every point at which a run can be killed on purpose, in the order of the road.
const POINTS: &[&str] =
    &["before_intent", "after_intent", "mid_write", "after_write", "inside_settle", "after_settle", "after_finish"];

/// The pairs that are tested.
const TARGETS: &[Target] = &[Target::File, Target::Sqlite, Target::Rows];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// An NDJSON file.
    File,
    /// A table with a key: what comes twice is there once, so doubling goes unseen …
    Sqlite,
    /// … which a table without a key shows.
    Rows,
    /// An NDJSON file on a server.
    Sftp,
    /// A table of a server, with a key …
    Postgres,
    /// … and without one.
    PostgresRows,
    /// A JSON file that begins with the number of its records.
    Counted,
    /// The same on a server.
    CountedSftp,
}

impl Target {
    /// Those of them that can be had here; what cannot is said.
    pub fn there(all: &[Self]) -> Vec<Self> {
        let there = |target: &Self| match target {
            Self::Postgres | Self::PostgresRows => postgres::shared().is_some(),
            target => !target.is_away() || Sftp::shared().is_some(),
        };
        all.iter().copied().filter(there).collect()
    }

    /// Whether it is a file.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Sftp | Self::Counted | Self::CountedSftp)
    }

    fn is_away(self) -> bool {
        matches!(self, Self::Sftp | Self::CountedSftp)
    }

    /// The stream, if it is a file.
    fn items(self) -> &'static str {
        match self {
            Self::Counted | Self::CountedSftp => {
                "path: out.ndjson, format: { type: json, records: result.items, count: total }"
            }
            _ => "path: out.ndjson, format: ndjson",
        }
    }
}

/// Source files: more than one, so that a run crosses from one slice into the next.
const FILES: &[(&str, u64, u64)] = &[("a.csv", 0, 26_000), ("b.csv", 26_000, 9_000), ("c.csv", 35_000, 1)];
/// One row in so many is rejected.
const BAD_EVERY: u64 = 1_000;

pub struct Project {
    folder: tempfile::TempDir,
    target: Target,
    /// The server, and the target's folder there.
    server: Option<(&'static Sftp, String)>,
    /// The database server, and the target's database there.
    base: Option<(&'static postgres::Server, String)>,
}

impl Project {
    pub fn new(target: Target) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("mappings")).expect("mappings");
        std::fs::create_dir_all(root.join("in")).expect("in");
        for (name, first, count) in FILES {
            std::fs::write(root.join("in").join(name), rows(*first, *count)).expect("rows");
        }
        let server = target.is_away().then(|| {
            let server = Sftp::shared().expect("a server");
            (server, server.own_folder())
        });
        let base = matches!(target, Target::Postgres | Target::PostgresRows).then(|| {
            let server = postgres::shared().expect("a server");
            (server, server.database())
        });
        let out = match (target, &server) {
            (_, Some((server, folder))) => server.connector(folder, target.items()),
            _ if let Some((server, database)) = &base => format!(
                "use: postgres\n    with: {{ host: 127.0.0.1, port: {}, user: tester, database: {database}, \
                 password: \"${{env:PG_PASSWORD}}\" }}\n",
                server.port
            ),
            (Target::Sqlite | Target::Rows, _) => {
                "use: sqlite\n    with: { path: out.db, busy_timeout: 0 }\n".to_owned()
            }
            _ => format!("use: file\n    streams:\n      items: {{ {} }}\n", target.items()),
        };
        let connectors = format!(
            "version: 1\nconnectors:\n  in:\n    use: file\n    with: {{ path: in }}\n    streams:\n      items:\n        path: \"*.csv\"\n        format: csv\n        fields: {{ sku: string, qty: int, note: string }}\n  out:\n    {out}"
        );
        std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
        let sync = match target {
            Target::Sqlite | Target::Postgres => "mode: upsert\n  key: [sku]",
            _ => "mode: append",
        };
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync:\n  {sync}\n  batch: {{ records: 5000 }}\n  on_error: {{ to: dead_letters, tolerate: {{ percent: 5 }} }}\nfields:\n  - {{ target: sku, source: sku, required: true }}\n  - {{ target: qty, source: qty, validate: value >= 0 }}\n  - {{ target: note, source: note }}\n"
        );
        std::fs::write(root.join("mappings/items.yaml"), mapping).expect("mapping");
        Self { folder, target, server, base }
    }

    /// The disk as it is at this moment, for another machine to go on with. What a power loss takes is
    /// gone: the shared memory of SQLite's logs, which is never synced, and with `torn` what comes after
    /// the last commit of a log is rubbish. The sources are the same files.
    fn snapshot(&self, torn: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let other = Self { folder, target: self.target, server: self.server.clone(), base: self.base.clone() };
        for path in crate::support::files(self.root()) {
            let name = path.strip_prefix(self.root()).expect("inside");
            let to = other.root().join(name);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("folders");
            let text = name.to_string_lossy();
            if text.ends_with("-shm") {
                continue;
            }
            if name.starts_with("in") {
                std::fs::hard_link(&path, &to).expect("linked");
                continue;
            }
            std::fs::copy(&path, &to).expect("copied");
            if torn && text.ends_with("-wal") {
                let mut bytes = std::fs::read(&to).expect("a log");
                bytes.extend((0..6_000_u32).map(|n| (n % 251) as u8));
                std::fs::write(&to, bytes).expect("written");
            }
        }
        other
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The target, if it is a file.
    pub fn out(&self) -> PathBuf {
        match &self.server {
            Some((server, folder)) => server.file(folder).join("out.ndjson"),
            None => self.root().join("out.ndjson"),
        }
    }

    /// Puts a file where the target is, `None`: none.
    pub fn put(&self, path: &Path, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => std::fs::write(path, bytes).expect("written"),
            None => std::fs::remove_file(path).unwrap_or(()),
        }
        if let (Some((server, _)), Some(_)) = (&self.server, bytes) {
            server.give(path);
        }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command.arg("-C").arg(self.root()).args(words).stdin(Stdio::null()).env_remove("CONSIGN_FAILPOINT");
        command.env("PG_PASSWORD", postgres::PASSWORD);
        // What is remembered outside of the state is lost and kept with the same disk.
        command.env("XDG_STATE_HOME", self.root().join(".remembered"));
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("consign starts")
    }

    pub fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "{words:?} in {}: {:?}\n{}\n{}",
            self.root().display(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The chain verifies, or a state that was being made when the process died holds none yet.
    fn verified(&self) {
        let output = self.run(&["audit", "verify"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("cli-no-state"), "{:?}\n{said}", output.status);
    }

    /// Every `sku` in the target, in its order.
    pub fn delivered(&self) -> Vec<String> {
        match self.target {
            Target::Counted | Target::CountedSftp => {
                let bytes = std::fs::read(self.out()).unwrap_or_default();
                if bytes.is_empty() {
                    return Vec::new();
                }
                let whole: serde_json::Value = serde_json::from_slice(&bytes).expect("one document");
                let items = whole["result"]["items"].as_array().expect("items");
                assert_eq!(whole["result"]["total"], items.len(), "the count in front");
                items.iter().map(|item| item["sku"].as_str().expect("sku").to_owned()).collect()
            }
            Target::File | Target::Sftp => {
                let path = self.out();
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                text.lines()
                    .map(|line| {
                        let value: serde_json::Value = serde_json::from_str(line).expect("whole lines");
                        value["sku"].as_str().expect("sku").to_string()
                    })
                    .collect()
            }
            Target::Postgres | Target::PostgresRows => {
                let all = self.base_sql("SELECT sku FROM items ORDER BY sku COLLATE \"C\"");
                all.lines().map(str::to_owned).collect()
            }
            Target::Sqlite | Target::Rows => {
                let db = rusqlite::Connection::open(self.root().join("out.db")).expect("out.db");
                let mut all = db.prepare("SELECT sku FROM items ORDER BY sku").expect("items");
                all.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("row")).collect()
            }
        }
    }

    /// Asks the target's database on its server.
    fn base_sql(&self, sql: &str) -> String {
        let (server, database) = self.base.as_ref().expect("a database");
        server.sql(database, sql)
    }

    /// Keeps the target's database as it is; what the copy is called.
    pub fn keep_base(&self) -> Option<String> {
        let (server, database) = self.base.as_ref()?;
        let copy = format!("{database}_kept");
        server.sql("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {database}"));
        Some(copy)
    }

    /// Puts a copy in the place of the target's database.
    pub fn restore_base(&self, copy: &str) {
        let (server, database) = self.base.as_ref().expect("a database");
        server.sql("postgres", &format!("DROP DATABASE {database}"));
        server.sql("postgres", &format!("CREATE DATABASE {database} TEMPLATE {copy}"));
    }

    /// The target as it is, byte for byte or row by row.
    pub fn bytes(&self) -> Vec<u8> {
        match self.target {
            target if target.is_file() => std::fs::read(self.out()).expect("out.ndjson"),
            _ => self.delivered().join("\n").into_bytes(),
        }
    }

    /// After everything: each good row exactly once, each bad row in the dead letters exactly
    /// once, and the chain verifies.
    pub fn assert_whole(&self, context: &str) {
        let delivered = self.delivered();
        let expected: Vec<String> = all_rows().filter(|n| !is_bad(*n)).map(sku).collect();
        assert_eq!(delivered.len(), expected.len(), "{context}: number of rows");
        assert!(delivered == expected, "{context}: rows differ");
        let letters: serde_json::Value =
            serde_json::from_str(&self.must(&["-o", "json", "sync", "dlq", "list", "--limit", "100000"]))
                .expect("JSON");
        let mut places: Vec<String> = letters["letters"]
            .as_array()
            .expect("letters")
            .iter()
            .map(|letter| letter["place"].as_str().expect("a place").to_string())
            .collect();
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count, "{context}: a dead letter twice");
        assert_eq!(count as u64, all_rows().filter(|n| is_bad(*n)).count() as u64, "{context}: dead letters");
        self.must(&["audit", "verify"]);
    }
}

fn all_rows() -> impl Iterator<Item = u64> {
    FILES.iter().flat_map(|(_, first, count)| *first..first + count)
}

fn is_bad(n: u64) -> bool {
    n % BAD_EVERY == 7
}

fn sku(n: u64) -> String {
    format!("SKU-{n:07}")
}

fn rows(first: u64, count: u64) -> String {
    let mut text = String::from("sku,qty,note\n");
    for n in first..first + count {
        let qty = if is_bad(n) { "-5".to_string() } else { (n % 50).to_string() };
        let note = if n % 11 == 0 {
            "\"a note, with a \"\"quote\"\"\nand a second line\""
        } else {
            "an ordinary note that makes the row about as long as rows are with some more words to it"
        };
        text.push_str(&format!("{},{qty},{note}\n", sku(n)));
    }
    text
}

#[test]
fn killed_at_each_named_point() {
    for target in TARGETS {
        for point in POINTS {
            for nth in [1, 3] {
                let project = Project::new(*target);
                let context = format!("{target:?} killed {point} for the {nth}. time");
                let killed = project
                    .command(&["sync", "run", "items"])
                    .env("CONSIGN_FAILPOINT", format!("{point}:{nth}"))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .expect("consign starts");
                let once = matches!(*point, "after_settle" | "after_finish");
                assert!(once && nth > 1 || !killed.success(), "{context}: the point was not reached");
                project.must(&["audit", "verify"]);
                // It waits for nobody (no `--wait`, `busy_timeout: 0`): a lock that outlived its
                // holder would be a failure here, not a delay.
                project.must(&["sync", "run", "items"]);
                project.assert_whole(&context);
            }
        }
    }
}

#[test]
fn a_target_with_its_count_in_front_is_whole_after_a_kill_at_each_point() {
    for target in Target::there(&[Target::Counted, Target::CountedSftp]) {
        // The road up to the end is the one of every file.
        let road = if target.is_away() { &POINTS[3..5] } else { POINTS };
        for point in road.iter().chain(&["before_finish", "before_rename", "after_rename"]) {
            let context = format!("{target:?} killed at {point}");
            let project = Project::new(target);
            let kill = || {
                let mut command = project.command(&["sync", "run", "items"]);
                let status = command.env("CONSIGN_FAILPOINT", format!("{point}:1")).stderr(Stdio::null()).status();
                assert!(!status.expect("consign starts").success(), "{context}: the point was not reached");
                // Whatever has the target's name is whole.
                project.delivered();
            };
            // The first time, …
            kill();
            project.must(&["sync", "run", "items"]);
            project.assert_whole(&context);
            // … and when a finished target is continued.
            let path = project.root().join("in/c.csv");
            let mut text = std::fs::read_to_string(&path).expect("c.csv");
            text.push_str("SKU-9000000,1,late\nSKU-9000001,1,later\n");
            std::fs::write(&path, text).expect("c.csv");
            let before = project.delivered();
            kill();
            project.must(&["sync", "run", "items"]);
            let bytes = project.bytes();
            project.must(&["sync", "run", "items"]);
            assert!(project.bytes() == bytes, "{context}: a run without records changes nothing");
            assert!(project.delivered()[..before.len()] == before, "{context}");
            assert_eq!(project.delivered()[before.len()..], ["SKU-9000000", "SKU-9000001"], "{context}");
            let folder = project.out().parent().expect("a folder").to_path_buf();
            let left: Vec<_> = std::fs::read_dir(folder)
                .expect("the folder")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
                .filter(|name| name.starts_with(".out"))
                .collect();
            assert!(left.is_empty(), "{context}: {left:?} is left");
        }
    }
}

#[test]
fn killed_at_random() {
    let wanted = rounds(60);
    for target in TARGETS {
        let clean = Project::new(*target);
        let begun = Instant::now();
        clean.must(&["sync", "run", "items"]);
        let whole = begun.elapsed();
        let mut project = Project::new(*target);
        let (mut kills, mut round) = (0, 0);
        while kills < wanted / 3 {
            round += 1;
            assert!(round < wanted * 4, "{target:?}: runs end before they can be killed");
            // Even steps over the length of a run, so that every phase is hit sooner or later.
            let after = whole.mul_f64(f64::from(round * 37 % 100) / 100.0);
            let mut child = project
                .command(&["sync", "run", "items"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("consign starts");
            let deadline = Instant::now() + after;
            let mut ended = false;
            while Instant::now() < deadline {
                if child.try_wait().expect("a status").is_some() {
                    ended = true;
                    break;
                }
                std::thread::yield_now();
            }
            child.kill().ok();
            child.wait().expect("the child ends");
            if !ended {
                kills += 1;
            }
            // Killed before it had made a state, it leaves none to verify.
            if project.root().join(".consign/consign.db").metadata().is_ok_and(|about| about.len() > 0) {
                project.verified();
            }
            // Every third time the next run may go to its end; the others pile kill upon kill.
            if ended || round % 3 == 2 {
                project.must(&["sync", "run", "items"]);
                project.assert_whole(&format!("{target:?} after {kills} kills, round {round}"));
                project = Project::new(*target);
            }
        }
        project.must(&["sync", "run", "items"]);
        project.assert_whole(&format!("{target:?} after {kills} kills"));
    }
}

#[test]
fn a_signal_drains_and_the_next_run_resumes() {
    for target in TARGETS {
        for (name, code) in [("TERM", 143), ("INT", 130)] {
            let project = Project::new(*target);
            // It stops itself in the middle, so that the signal is there before the end is.
            let mut child = project
                .command(&["sync", "run", "items"])
                .env("CONSIGN_FAILPOINT", "after_intent:1:stop")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("consign starts");
            await_stop(&mut child);
            signal(&child, name);
            signal(&child, "CONT");
            let status = child.wait().expect("the child ends");
            assert_eq!(status.code(), Some(code), "{target:?} {name}");
            let settled = project.must(&["-o", "json", "sync", "state", "show", "items"]);
            let settled: serde_json::Value = serde_json::from_str(&settled).expect("JSON");
            assert_eq!(settled["in_doubt"], serde_json::Value::Null, "{target:?} {name}: drained, not cut off");
            project.must(&["sync", "run", "items"]);
            project.assert_whole(&format!("{target:?} after SIG{name}"));
        }
    }
}

#[test]
fn a_source_that_grows_is_read_on_and_never_twice() {
    for target in TARGETS {
        let project = Project::new(*target);
        let path: PathBuf = project.root().join("in/c.csv");
        project.must(&["sync", "run", "items"]);
        project.assert_whole("first run");
        let before = project.delivered().len();
        let mut text = std::fs::read_to_string(&path).expect("c.csv");
        text.push_str("SKU-9000000,1,late\n");
        std::fs::write(&path, text).expect("c.csv");
        project.must(&["sync", "run", "items"]);
        project.must(&["sync", "run", "items"]);
        assert_eq!(project.delivered().len(), before + 1);
    }
}

/// Every commit of the state is synced before anything is built on it (`synchronous = FULL`), so that a copy
/// of the files at any moment is what a power loss at that moment leaves, or less. What a disk does that
/// lies about syncing is not emulated here.
#[test]
fn what_a_power_loss_leaves_is_resumed() {
    for target in TARGETS {
        for point in ["after_intent:2", "after_write:1", "after_write:3", "inside_settle:2", "after_settle:1"] {
            let project = Project::new(*target);
            let mut command = project.command(&["sync", "run", "items"]);
            command.env("CONSIGN_FAILPOINT", format!("{point}:stop")).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().expect("consign starts");
            await_stop(&mut child);
            let left: Vec<Project> = [false, true].map(|torn| project.snapshot(torn)).into();
            child.kill().expect("killed");
            child.wait().expect("it ends");
            for (snapshot, torn) in left.iter().zip(["", ", the log torn"]) {
                let context = format!("{target:?}, power lost at {point}{torn}");
                snapshot.must(&["audit", "verify"]);
                snapshot.must(&["sync", "run", "items"]);
                snapshot.assert_whole(&context);
            }
        }
    }
}
