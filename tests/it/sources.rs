//! What every source of rows must answer, asked in one place: each database says how it is spoken
//! to ([`Server`]), the questions are the same. Each goes through the whole program.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;

use crate::servers::postgres;
use crate::support::{await_stop, rounds, signal};

/// A database that can be a source.
pub trait Server {
    /// Runs statements, separated by semicolons, each committed.
    fn sql(&self, statements: &str);
    /// The connector's entry, indented by four spaces.
    fn connector(&self) -> String;
    /// An expression for the moment so many seconds ago, of the type that [`Server::moment`] names.
    fn ago(&self, seconds: i64) -> String;
    /// The type of a column of moments.
    fn moment(&self) -> &'static str;
}

/// A file beside the project.
pub struct Sqlite(tempfile::TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("source.db")
    }
}

impl Server for Sqlite {
    fn sql(&self, statements: &str) {
        let database = rusqlite::Connection::open(self.path()).expect("source.db");
        database.busy_timeout(std::time::Duration::from_secs(20)).expect("a time-out");
        database.pragma_update(None, "journal_mode", "WAL").expect("a log");
        database.execute_batch(statements).unwrap_or_else(|e| {
            let (text, begun) = (e.to_string(), statements.get(..200).unwrap_or(statements));
            panic!("{}: {begun}", text.get(..200).unwrap_or(&text))
        });
    }

    fn connector(&self) -> String {
        format!("    use: sqlite\n    with: {{ path: \"{}\" }}\n", self.path().display())
    }

    fn ago(&self, seconds: i64) -> String {
        format!("strftime('%Y-%m-%d %H:%M:%S', 'now', '-{seconds} seconds')")
    }

    fn moment(&self) -> &'static str {
        "TEXT"
    }
}

/// A database of a server.
pub struct Postgres {
    server: &'static postgres::Server,
    database: String,
}

impl Postgres {
    /// `None` where no server is installed.
    fn new() -> Option<Self> {
        let server = postgres::shared()?;
        Some(Self { server, database: server.database() })
    }
}

impl Server for Postgres {
    fn sql(&self, statements: &str) {
        self.server.sql(&self.database, statements);
    }

    fn connector(&self) -> String {
        let (port, database) = (self.server.port, &self.database);
        format!(
            "    use: postgres\n    with: {{ host: 127.0.0.1, port: {port}, user: tester, database: {database}, \
             password: \"${{env:PG_PASSWORD}}\" }}\n"
        )
    }

    fn ago(&self, seconds: i64) -> String {
        format!("now() - interval '{seconds} seconds'")
    }

    fn moment(&self) -> &'static str {
        "timestamptz"
    }
}

/// A project with one route from the table `items` of a server.
struct Project<'s> {
    folder: tempfile::TempDir,
    server: &'s dyn Server,
}

const APPEND: &str = "mode: append";
const MIRROR: &str = "mode: mirror, key: [id]";
const UPSERT: &str = "mode: upsert, key: [id]";

impl<'s> Project<'s> {
    /// `stream` are the options of the stream, `sync` those of the route.
    fn new(server: &'s dyn Server, stream: &str, sync: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("mappings")).expect("mappings");
        let project = Self { folder, server };
        project.configure(stream, sync);
        project
    }

    fn configure(&self, stream: &str, sync: &str) {
        let connectors = format!(
            "version: 1\nconnectors:\n  in:\n{}    streams:\n      items: {{ {stream} }}\n  out:\n    use: sqlite\n    with: {{ path: out.db }}\n",
            self.server.connector()
        );
        std::fs::write(self.root().join("connectors.yaml"), connectors).expect("connectors");
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync: {{ {sync}, batch: {{ records: 6000 }}, on_error: {{ to: dead_letters, tolerate: {{ records: 100 }} }} }}\nfields:\n  - {{ target: id, source: id, required: true }}\n  - {{ target: v, source: v, validate: 'value != \"bad\"' }}\n"
        );
        std::fs::write(self.root().join("mappings/items.yaml"), mapping).expect("mapping");
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command.arg("-C").arg(self.root()).args(words).stdin(Stdio::null()).env_remove("CONSIGN_FAILPOINT");
        command.env("PG_PASSWORD", postgres::PASSWORD);
        command
    }

    /// Runs a command that must end so and say that.
    fn says(&self, words: &[&str], exit: i32, texts: &[&str]) -> String {
        let output = self.command(words).output().expect("consign starts");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        for text in texts {
            assert!(said.contains(text), "{words:?}: `{text}` is not in\n{said}");
        }
        said
    }

    fn run(&self) {
        self.says(&["sync", "run", "items"], 0, &[]);
    }

    fn killed(&self, point: &str) -> bool {
        let mut command = self.command(&["sync", "run", "items"]);
        let output = command.env("CONSIGN_FAILPOINT", point).output().expect("consign starts");
        output.status.code().is_none()
    }

    /// Every id in the target, sorted, as often as it is there.
    fn delivered(&self) -> Vec<i64> {
        let path = self.root().join("out.db");
        if !path.exists() {
            return Vec::new();
        }
        let database = rusqlite::Connection::open(path).expect("out.db");
        let Ok(mut all) = database.prepare("SELECT id FROM items ORDER BY id") else { return Vec::new() };
        all.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    }

    fn holds(&self, wanted: impl Iterator<Item = i64>, context: &str) {
        let (wanted, found): (Vec<i64>, _) = (wanted.collect(), self.delivered());
        assert_eq!(found.len(), wanted.len(), "{context}: number of rows");
        assert!(found == wanted, "{context}: rows differ");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `INSERT` of rows with ids of a range and one cursor expression.
fn insert(ids: std::ops::Range<i64>, cursor: &str) -> String {
    // Wide rows, so that some thousand of them are several parts.
    let rows: Vec<String> = ids.map(|id| format!("({id}, {cursor}, 'v{id:0>200}')")).collect();
    rows.chunks(500).map(|rows| format!("INSERT INTO items(id, c, v) VALUES {};", rows.join(","))).collect()
}

const NUMBERED: &str = "CREATE TABLE items(id INTEGER PRIMARY KEY, c INTEGER, v TEXT);";

/// Points at which a run is killed.
const POINTS: &[&str] = &[
    "before_intent:1",
    "after_intent:1",
    "mid_write:1",
    "after_write:1",
    "inside_settle:1",
    "after_settle:1",
    "before_intent:2",
    "after_write:2",
    "inside_settle:3",
];

fn ten_thousand_records_with_one_cursor_value(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(10_000..20_000, "7")));
    let project = Project::new(server, "cursor: c", APPEND);
    for point in POINTS {
        project.killed(point);
    }
    project.run();
    project.holds(10_000..20_000, "after kills");
    project.run();
    project.holds(10_000..20_000, "once more");
    // Before, between and behind those that were read, with the same value.
    server.sql("DELETE FROM items WHERE id = 15000");
    server.sql(&insert(15_000..15_001, "7"));
    server.sql(&insert(100..110, "7"));
    server.sql(&insert(30_000..30_010, "7"));
    for point in POINTS {
        project.killed(point);
    }
    project.run();
    project.holds((100..110).chain(10_000..20_000).chain(30_000..30_010), "with the same value");
}

fn more_records_with_one_cursor_value_than_are_remembered(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(10_000..40_000, "7")));
    let project = Project::new(server, "cursor: c", APPEND);
    for point in POINTS {
        project.killed(point);
    }
    project.run();
    project.holds(10_000..40_000, "after kills");
    server.sql(&insert(50_000..50_010, "7"));
    project.run();
    project.holds((10_000..40_000).chain(50_000..50_010), "behind them");
    // Nothing tells this one from those that were read: it is said, and not lost in silence.
    server.sql(&insert(5..6, "7"));
    project.says(&["sync", "run", "items"], 5, &["connect-cursor-missed", "state set"]);
    project.configure("cursor: c", UPSERT);
    let keyed = Project::new(server, "cursor: c", UPSERT);
    keyed.run();
    server.sql(&insert(6..7, "7"));
    keyed.says(&["sync", "run", "items"], 0, &["read again"]);
    keyed.holds((5..7).chain(10_000..40_000).chain(50_000..50_010), "by key");
}

fn records_committed_late_inside_the_lag(server: &dyn Server) {
    let moment = server.moment();
    server.sql(&format!("CREATE TABLE items(id INTEGER PRIMARY KEY, c {moment} NOT NULL, v TEXT);"));
    server.sql(&insert(0..10, &server.ago(3600)));
    server.sql(&insert(10..20, &server.ago(5)));
    let project = Project::new(server, "cursor: c, lag: 10m", APPEND);
    project.run();
    project.holds(0..10, "those outside of the lag");
    // Committed now, with a time that is past.
    server.sql(&insert(20..30, &server.ago(300)));
    project.run();
    project.holds(0..10, "still inside");
    project.configure("cursor: c, lag: 1s", APPEND);
    project.run();
    project.holds(0..30, "once the lag is over");
}

fn records_inserted_while_reading(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(0..20_000, "1")));
    let project = Project::new(server, "cursor: c", APPEND);
    let mut command = project.command(&["sync", "run", "items"]);
    let mut child = command
        .env("CONSIGN_FAILPOINT", "mid_write:1:stop")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("consign starts");
    await_stop(&mut child);
    server.sql(&insert(20_000..20_100, "1"));
    server.sql(&insert(20_100..20_200, "2"));
    server.sql("DELETE FROM items WHERE id = 19999");
    signal(&child, "CONT");
    assert!(child.wait().expect("an end").success());
    project.run();
    project.holds(0..20_200, "rows that came meanwhile");
}

fn deleted_boundary_records(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}{}", insert(0..10, "1"), insert(10..20, "2")));
    let project = Project::new(server, "cursor: c", APPEND);
    project.run();
    server.sql("DELETE FROM items WHERE c = 2");
    project.run();
    server.sql(&insert(20..30, "2"));
    server.sql(&insert(30..40, "3"));
    project.run();
    project.holds(0..40, "after the boundary was deleted");
}

fn records_without_a_cursor_value(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}{}", insert(0..10, "1"), insert(10..13, "NULL")));
    let project = Project::new(server, "cursor: c", APPEND);
    project.says(&["sync", "run", "items"], 1, &["connect-cursor-null", "3 records", "without_cursor: skip"]);
    project.holds(0..0, "nothing is read");
    project.configure("cursor: c, without_cursor: skip", APPEND);
    project.says(&["sync", "run", "items"], 0, &["3 records have no value in `c`", "left out"]);
    project.holds(0..10, "those that have one");
}

fn an_unsorted_cursor_moves_at_the_end_only(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(0..9_000, "0")));
    server.sql("UPDATE items SET c = id * 7919 % 100");
    let project = Project::new(server, "cursor: c, sorted: false", UPSERT);
    assert!(project.killed("inside_settle:2"));
    let shown = project.says(&["sync", "state", "show", "items"], 0, &["items"]);
    assert!(!shown.contains("c 99"), "{shown}");
    project.says(&["sync", "plan", "items"], 0, &["exactly once"]);
    project.run();
    project.holds(0..9_000, "after a kill");
    project.says(&["sync", "state", "show", "items"], 0, &["c 99"]);
    server.sql(&insert(9_000..9_010, "99"));
    project.says(&["-o", "json", "sync", "run", "items"], 0, &["\"read\": 10,"]);
    project.holds(0..9_010, "with the value of the bound");
    // Without a key it can come twice, and the plan says so.
    let rows = Project::new(server, "cursor: c, sorted: false", APPEND);
    rows.says(&["sync", "plan", "items"], 0, &["at least once"]);
    assert!(rows.killed("after_write:2"));
    rows.run();
    let mut found = rows.delivered();
    found.dedup();
    assert_eq!(found, (0..9_010).collect::<Vec<_>>());
}

fn everything_without_a_cursor(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(0..5_000, "1")));
    let keyed = Project::new(server, "table: items", UPSERT);
    keyed.killed("inside_settle:2");
    keyed.run();
    keyed.holds(0..5_000, "all of it");
    keyed.says(&["-o", "json", "sync", "run", "items"], 0, &["\"read\": 5000,"]);
    let once = Project::new(server, "table: items", APPEND);
    for point in POINTS {
        once.killed(point);
    }
    once.run();
    once.holds(0..5_000, "once");
    once.says(&["sync", "run", "items"], 0, &["skipped", "no cursor"]);
    server.sql(&insert(5_000..5_001, "1"));
    once.says(&["sync", "run", "items"], 5, &["more records than when it was read", "cursor"]);
    once.holds(0..5_000, "and never twice");
}

fn a_position_of_another_reading_is_refused(server: &dyn Server) {
    server.sql("CREATE TABLE items(id INTEGER PRIMARY KEY, c INTEGER NOT NULL, d INTEGER NOT NULL DEFAULT 5, v TEXT);");
    server.sql(&insert(0..10, "1"));
    let project = Project::new(server, "cursor: c", APPEND);
    project.run();
    for other in ["cursor: d", "query: 'SELECT * FROM items', cursor: c, tie: [id]", "cursor: c, tie: [id, v]"] {
        project.configure(other, APPEND);
        project.says(&["sync", "run", "items"], 2, &["connect-cursor-changed", "state set", "state reset"]);
    }
    project.configure("cursor: d", APPEND);
    let set = ["sync", "state", "set", "items", "items", "--cursor", "6", "--reason", "a new cursor"];
    project.says(&set, 0, &["resumes items with cursor value 6"]);
    project.says(&["sync", "state", "show", "items"], 0, &["from 6"]);
    project.says(&["-o", "json", "audit", "list"], 0, &["position.set"]);
    project.run();
    project.holds(0..10, "nothing twice");
    server.sql("UPDATE items SET d = 6 WHERE id = 3");
    project.run();
    project.holds([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9].into_iter(), "what the cursor says is new");
    // A table under another name is another one, until somebody says where to go on in it.
    server.sql("ALTER TABLE items RENAME TO goods");
    project.configure("table: goods, cursor: d", APPEND);
    project.says(&["sync", "run", "items"], 2, &["it was `items` and is `goods` now", "state set NAME goods"]);
    project.says(&["sync", "state", "set", "items", "goods", "--cursor", "7", "--reason", "renamed"], 0, &["goods"]);
    project.says(&["-o", "json", "sync", "run", "items"], 0, &["\"read\": 0,"]);
    let none = ["sync", "state", "set", "items", "itms", "--cursor", "6", "--reason", "x"];
    project.says(&none, 2, &["no slice `itms`", "items"]);
    project.says(&["sync", "state", "reset", "items", "--reason", "again"], 0, &["from the beginning"]);
}

fn bounds_that_a_person_asks_for(server: &dyn Server) {
    server.sql(NUMBERED);
    for value in 0..10 {
        server.sql(&insert(value * 10..value * 10 + 10, &value.to_string()));
    }
    let project = Project::new(server, "cursor: c", UPSERT);
    project.says(&["sync", "run", "items", "--since", "3", "--until", "5"], 0, &["20 records"]);
    project.holds(30..50, "between the bounds");
    project.says(&["sync", "plan", "items", "--since", "3"], 0, &["from 3 on", "stays as it is"]);
    project.says(&["sync", "run", "items", "--since", "77"], 5, &["sync-nothing-read", "between the bounds"]);
    project.says(&["sync", "run", "items", "--since", "x"], 2, &["no value of `c`"]);
    project.says(&["sync", "run", "items", "--since", "3", "--full"], 2, &["--full"]);
    project.run();
    project.holds(0..100, "positions did not move");
    project.says(&["-o", "json", "sync", "run", "items", "--until", "1"], 0, &["\"read\": 10,"]);
    project.says(&["-o", "json", "sync", "run", "items"], 0, &["\"read\": 0,"]);
    project.configure("cursor: c", APPEND);
    project.says(&["sync", "run", "items", "--since", "3"], 2, &["appends", "again"]);
    project.configure("table: items", UPSERT);
    project.says(&["sync", "run", "items", "--since", "3"], 2, &["sync-no-window", "cursor"]);
}

fn a_mirror_reads_everything_whatever_the_cursor(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}", insert(0..6_000, "5")));
    let project = Project::new(server, "cursor: c, lag: \"3\"", MIRROR);
    project.run();
    project.holds(0..6_000, "all of it, the lag included");
    server.sql("DELETE FROM items WHERE id >= 5990");
    project.run();
    project.holds(0..5_990, "what is gone there is gone here");
    project.says(&["sync", "run", "items", "--since", "3"], 2, &["mirror"]);
    // What is deleted while it is read is there in the snapshot, and gone at the next run.
    let mut command = project.command(&["sync", "run", "items"]);
    let mut child = command
        .env("CONSIGN_FAILPOINT", "mid_write:1:stop")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("consign starts");
    await_stop(&mut child);
    server.sql("DELETE FROM items WHERE id >= 5980");
    server.sql(&insert(7_000..7_010, "1"));
    signal(&child, "CONT");
    assert!(child.wait().expect("an end").success());
    project.run();
    project.holds((0..5_980).chain(7_000..7_010), "at the next run");
}

fn an_overlap_reads_again_by_key_only(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}{}{}", insert(0..10, "100"), insert(10..20, "200")));
    let project = Project::new(server, "cursor: c, overlap: \"50\"", UPSERT);
    project.run();
    server.sql(&insert(20..30, "160"));
    project.says(&["-o", "json", "sync", "run", "items"], 0, &["\"read\": 20,"]);
    project.holds(0..30, "late ones too");
    project.configure("cursor: c, overlap: \"50\"", APPEND);
    project.says(&["sync", "run", "items"], 2, &["overlap"]);
}

fn what_tells_records_apart_must_do_so(server: &dyn Server) {
    server.sql("CREATE TABLE items(id INTEGER NOT NULL, c INTEGER NOT NULL, v TEXT);");
    server.sql(&insert(0..10, "1"));
    let project = Project::new(server, "cursor: c", APPEND);
    project.says(&["sync", "run", "items"], 2, &["connect-cursor-unfit", "tie"]);
    project.configure("cursor: c, tie: [id]", APPEND);
    project.says(&["sync", "run", "items"], 2, &["not unique"]);
    project.configure("cursor: nothing", APPEND);
    project.says(&["sync", "run", "items"], 2, &["no column `nothing`"]);
    let query = "query: 'SELECT id, c, v FROM items', cursor: c, tie: [id]";
    project.configure(query, APPEND);
    project.run();
    project.holds(0..10, "a query says so itself");
    server.sql(&insert(11..12, "2"));
    server.sql(&insert(11..12, "2"));
    project.says(&["sync", "run", "items"], 1, &["connect-cursor-missed", "the same `id`"]);
    // By key it does no harm that records at the boundary come again.
    let keyed = Project::new(server, "cursor: c", UPSERT);
    keyed.run();
    keyed.run();
    keyed.holds((0..10).chain([11]), "by key");
}

fn dead_letters_of_rows_are_shown_and_replayed(server: &dyn Server) {
    server.sql(&format!("{NUMBERED}INSERT INTO items VALUES (1, 1, 'good'), (2, 1, 'bad');"));
    let project = Project::new(server, "cursor: c", APPEND);
    project.run();
    project.holds(1..2, "the good one");
    let listed = project.says(&["-o", "json", "sync", "dlq", "list"], 0, &["items:2"]);
    let listed: serde_json::Value =
        serde_json::from_str(listed.split("\n{").next().unwrap_or(&listed)).unwrap_or_else(|e| panic!("{e}: {listed}"));
    let id = listed["letters"][0]["id"].as_str().expect("an id").to_owned();
    project.says(&["sync", "dlq", "show", &id], 0, &["bad"]);
    let path = project.root().join("mappings/items.yaml");
    let text = std::fs::read_to_string(&path).expect("a mapping");
    std::fs::write(&path, text.replace("value != \"bad\"", "value != \"worse\"")).expect("written");
    project.says(&["sync", "dlq", "replay", "--all"], 0, &["1 record"]);
    project.holds(1..3, "the replayed one");
    project.says(&["connect", "peek", "in", "items", "--limit", "1"], 0, &["good"]);
}

/// What may happen to a table between two runs.
#[derive(Clone, Debug)]
enum Step {
    /// So many records come in with this much more than the greatest cursor value.
    Insert(u8, u8),
    /// A record with the greatest value is deleted.
    Delete,
    Run,
    /// A run that is killed there.
    Kill(usize),
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..40_u8, 0..3_u8).prop_map(|(count, more)| Step::Insert(count, more)),
        1 => Just(Step::Delete),
        2 => Just(Step::Run),
        2 => (0..POINTS.len()).prop_map(Step::Kill),
    ];
    proptest::collection::vec(step, 1..12)
}

fn every_record_comes_exactly_once(server: &dyn Server) {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(rounds(6))
    });
    runner
        .run(&any_steps(), |steps| {
            server.sql("DROP TABLE IF EXISTS items;");
            server.sql(NUMBERED);
            let project = Project::new(server, "cursor: c", APPEND);
            let (mut greatest, mut next, mut living) = (0_i64, 0_i64, std::collections::BTreeSet::new());
            let mut ever = std::collections::BTreeSet::new();
            let (mut killed, mut gone) = (false, false);
            for step in steps.iter().chain([&Step::Insert(1, 1), &Step::Run]) {
                match step {
                    Step::Insert(count, more) => {
                        greatest += i64::from(*more);
                        for _ in 0..*count {
                            // Ids in no order: a later one may be smaller.
                            let id = next * 7919 % 10_007;
                            next += 1;
                            server.sql(&insert(id..id + 1, &greatest.to_string()));
                            living.insert(id);
                            ever.insert(id);
                        }
                    }
                    Step::Delete => {
                        if let Some(id) = living.pop_last() {
                            server.sql(&format!("DELETE FROM items WHERE id = {id}"));
                            gone |= killed;
                        }
                    }
                    Step::Run => {
                        let output = project.command(&["sync", "run", "items"]).output().expect("consign starts");
                        // What was written when the run was killed can no longer be read again: that is for people to judge.
                        if said(&output).contains("sync-doubt") {
                            prop_assert!(gone, "{}", said(&output));
                            return Ok(());
                        }
                        // A table that was always empty is a suspicious one.
                        prop_assert!(matches!(output.status.code(), Some(0 | 5)), "{}", said(&output));
                    }
                    Step::Kill(point) => killed |= project.killed(POINTS[*point]),
                }
            }
            let found = project.delivered();
            let unique: std::collections::BTreeSet<i64> = found.iter().copied().collect();
            prop_assert_eq!(unique.len(), found.len(), "a record came twice");
            prop_assert!(living.is_subset(&unique), "a record was lost");
            prop_assert!(unique.is_subset(&ever));
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
}

/// A test of each question for one database; `None`: it is not installed here.
macro_rules! ask {
    ($database:ident, $new:expr, $($question:ident),+ $(,)?) => {
        mod $database {
            $(
                #[test]
                fn $question() {
                    let Some(server) = $new else { return };
                    super::$question(&server);
                }
            )+
        }
    };
}

/// Every question.
macro_rules! ask_everything {
    ($database:ident, $new:expr) => {
        ask!(
            $database,
            $new,
            ten_thousand_records_with_one_cursor_value,
            more_records_with_one_cursor_value_than_are_remembered,
            records_committed_late_inside_the_lag,
            records_inserted_while_reading,
            deleted_boundary_records,
            records_without_a_cursor_value,
            an_unsorted_cursor_moves_at_the_end_only,
            everything_without_a_cursor,
            a_position_of_another_reading_is_refused,
            bounds_that_a_person_asks_for,
            a_mirror_reads_everything_whatever_the_cursor,
            an_overlap_reads_again_by_key_only,
            what_tells_records_apart_must_do_so,
            dead_letters_of_rows_are_shown_and_replayed,
            every_record_comes_exactly_once,
        );
    };
}

ask_everything!(sqlite, Some(super::Sqlite::new()));
ask_everything!(postgresql, super::Postgres::new());
