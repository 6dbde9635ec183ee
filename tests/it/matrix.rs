//! The crash matrix: a run is killed at each named point, for every kind of target, every way of
//! reading and every mode. The next run finishes, and what the target then holds is what `sync plan`
//! had promised: each record exactly once, or at least once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::servers::liar::Liar;
use crate::servers::postgres;
use crate::servers::sftp::Sftp;
use crate::support::{consign, rounds, run_to, text};

/// Every point at which a run can be killed on purpose, in the order of the road.
const POINTS: &[&str] = &[
    "before_open",
    "before_resolve",
    "after_resolve",
    "before_intent",
    "after_intent",
    "before_write",
    "mid_write",
    "before_commit",
    "before_request",
    "after_request",
    "after_answer",
    "after_write",
    "inside_settle",
    "before_sweep",
    "after_sweep",
    "after_sweep_settle",
    "after_settle",
    "before_finish",
    "before_rename",
    "after_rename",
    "after_finish",
];
/// Those at which a run is killed in the middle too, with groups settled before.
const AGAIN: &[&str] =
    &["before_intent", "after_intent", "mid_write", "after_request", "after_answer", "after_write", "inside_settle"];

/// Records of the source.
const RECORDS: u64 = 14_000;
/// Records that a mirror's target has and its source has lost.
const STALE: u64 = 150;
/// Records whose `qty` is bad: they become dead letters.
const BAD_EVERY: u64 = 1_000;

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    File,
    Sqlite,
    Postgres,
    Sftp,
    Web,
}

/// What is read, and how it comes back to where it was.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    /// CSV files: byte by byte.
    Files,
    /// A table, in the order of its cursor.
    Sorted,
    /// A table whose cursor moves at the end of a run.
    Unsorted,
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    target: Target,
    reading: Reading,
    mode: &'static str,
}

/// The cells that make sense: files take no single records.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for target in [Target::File, Target::Sqlite, Target::Postgres, Target::Sftp, Target::Web] {
        for reading in [Reading::Files, Reading::Sorted, Reading::Unsorted] {
            for mode in ["append", "upsert", "mirror"] {
                let bytes = matches!(target, Target::File | Target::Sftp);
                let unable = bytes && mode == "upsert" || target == Target::Web && mode == "mirror";
                if unable || mode == "mirror" && reading == Reading::Unsorted {
                    continue;
                }
                cells.push(Cell { target, reading, mode });
            }
        }
    }
    cells
}

/// A project of one cell.
struct World {
    /// Kept if its test fails.
    folder: Option<tempfile::TempDir>,
    cell: Cell,
    place: Option<Place>,
}

impl World {
    /// `None` where the server is not installed.
    fn new(cell: Cell) -> Option<Self> {
        let place = match cell.target {
            Target::Postgres => Some(Place::postgres()?),
            Target::Sftp => Some(Place::sftp()?),
            Target::Web => Some(Place::Web(Liar::start(&[]))),
            Target::File | Target::Sqlite => None,
        };
        let world = Self { folder: Some(tempfile::tempdir().expect("a folder")), cell, place };
        let root = world.root();
        std::fs::create_dir_all(root.join("mappings")).expect("mappings");
        let from = match (cell.reading, cell.mode) {
            (Reading::Files, _) => {
                "use: file\n    with: { path: in }\n    streams:\n      items:\n        path: \"*.csv\"\n        \
                 format: csv\n        fields: { sku: string, qty: int, note: string }\n"
            }
            (_, "mirror") => {
                "use: sqlite\n    with: { path: source.db }\n    streams:\n      items: { table: items }\n"
            }
            (Reading::Sorted, _) => {
                "use: sqlite\n    with: { path: source.db }\n    streams:\n      items: { table: items, cursor: seen, tie: [id] }\n"
            }
            (Reading::Unsorted, _) => {
                "use: sqlite\n    with: { path: source.db }\n    streams:\n      items: { table: items, cursor: seen, tie: [id], sorted: false }\n"
            }
        };
        let to = match (&world.place, cell.target) {
            (Some(place), _) => place.connector(),
            (None, Target::Sqlite) => "use: sqlite\n    with: { path: out.db, busy_timeout: 0 }\n".to_owned(),
            _ => "use: file\n    streams:\n      items: { path: out.ndjson, format: ndjson }\n".to_owned(),
        };
        let connectors = format!("version: 1\nconnectors:\n  in:\n    {from}  out:\n    {to}");
        std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
        let key = if cell.mode == "append" { "" } else { "\n  key: [sku]" };
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync:\n  mode: {}{key}\n  batch: {{ records: 2000 }}\n  \
             on_error: {{ tolerate: {{ percent: 5 }} }}\nfields:\n  - {{ target: sku, source: sku, required: true, type: string }}\n  \
             - {{ target: qty, source: qty, type: int, validate: value >= 0 }}\n  - {{ target: note, source: note, type: string }}\n",
            cell.mode
        );
        std::fs::write(root.join("mappings/items.yaml"), mapping).expect("mapping");
        if cell.mode == "mirror" {
            world.fill(RECORDS + STALE, false);
            world.must(&["sync", "run", "items"]);
        }
        world.fill(RECORDS, cell.mode == "mirror");
        Some(world)
    }

    fn root(&self) -> &Path {
        self.folder.as_ref().expect("until it is dropped").path()
    }

    /// Makes the source anew, with so many records; `later`: some have changed.
    fn fill(&self, records: u64, later: bool) {
        let root = self.root();
        if self.cell.reading == Reading::Files {
            let _ = std::fs::remove_dir_all(root.join("in"));
            std::fs::create_dir_all(root.join("in")).expect("in");
            for (name, from, to) in
                [("a.csv", 0, 9_000), ("b.csv", 9_000, records - 1), ("c.csv", records - 1, records)]
            {
                let mut text = String::from("sku,qty,note\n");
                for n in from..to {
                    writeln!(text, "{},{},\"{}\"", sku(n), qty(n), note(n, later)).expect("a row");
                }
                std::fs::write(root.join("in").join(name), text).expect("rows");
            }
            return;
        }
        let _ = std::fs::remove_file(root.join("source.db"));
        let mut db = rusqlite::Connection::open(root.join("source.db")).expect("source.db");
        db.execute_batch(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, sku TEXT, qty INTEGER, note TEXT)",
        )
        .expect("items");
        let begun = db.transaction().expect("begun");
        for n in 0..records {
            // Thousands of records share a cursor value, and the order of ids is not that of cursors.
            let seen = (n * 7919 % records) / 3_000;
            begun
                .prepare_cached("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5)")
                .and_then(|mut s| s.execute((n as i64 + 1, seen as i64, sku(n), qty(n), note(n, later))))
                .expect("a row");
        }
        begun.commit().expect("committed");
    }

    fn run(&self, words: &[&str], point: Option<&str>) -> Output {
        let variables = self.place.as_ref().map_or_else(Vec::new, Place::environment);
        run_to(self.root(), words, point, &variables)
    }

    fn must(&self, words: &[&str]) -> String {
        let output = self.run(words, None);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{:?} {words:?}: {:?}\n{said}", self.cell, output.status);
        text(&output.stdout).to_string()
    }

    fn must_after(&self, context: &str, words: &[&str]) {
        let output = self.run(words, None);
        assert!(output.status.success(), "{context}: {words:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    }

    /// Whether the plan promises each record exactly once.
    fn promised_once(&self) -> bool {
        let plan = self.must(&["-o", "json", "sync", "plan", "items"]);
        let once = ["exactly_once", "known_requests", "by_key", "looked_up"];
        match (once.iter().any(|word| plan.contains(&format!("\"{word}\""))), plan.contains("\"at_least_once\"")) {
            (once, least) if once != least => once,
            _ => panic!("no guarantee in\n{plan}"),
        }
    }

    /// How often each record is in the target, with its note.
    fn found(&self) -> BTreeMap<(String, String), u64> {
        let root = self.root();
        let rows: Vec<(String, String)> = match (&self.place, self.cell.target) {
            (Some(place), _) => place.rows(),
            (None, Target::Sqlite) => {
                let db = rusqlite::Connection::open(root.join("out.db")).expect("out.db");
                let mut all = db.prepare("SELECT sku, note FROM items").expect("items");
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                    .expect("rows")
                    .map(|row| row.expect("row"))
                    .collect()
            }
            _ => records_of(&root.join("out.ndjson")),
        };
        let mut found = BTreeMap::new();
        for row in rows {
            *found.entry(row).or_default() += 1;
        }
        found
    }

    /// What the target should hold.
    fn wanted(&self) -> Vec<(String, String)> {
        let later = self.cell.mode == "mirror";
        let mut wanted: Vec<_> = (0..RECORDS).filter(|n| !is_bad(*n)).map(|n| (sku(n), note(n, later))).collect();
        // A key that was read is seen, whatever became of its record: a table keeps what it had. A
        // file is replaced whole.
        wanted.sort();
        wanted
    }

    fn check(&self, once: bool, context: &str) {
        let found = self.found();
        let wanted = self.wanted();
        assert!(found.keys().eq(wanted.iter()), "{context}: {} records, not {}", found.len(), wanted.len());
        if once {
            let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).take(3).collect();
            assert!(twice.is_empty(), "{context}: more than once: {twice:?}");
        }
        self.must(&["audit", "verify"]);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            drop(folder.keep());
        }
    }
}

/// A definition whose requests are known by keys where it adds records.
const WEB: &str = "definition:
      pack: liar
      transport: { base: \"ADDRESS\" }
      streams:
        items:
          key: [sku]
          write:
            create:
              method: POST
              path: /items
              body: { records: \"{{ records }}\" }
              batch: { records: 500 }
              idempotency: { send: { header: Idempotency-Key } }
            upsert:
              method: PUT
              path: /items
              body: { records: \"{{ records }}\" }
              batch: { records: 500 }
";

/// A target on a server that the tests of this process share.
enum Place {
    Postgres { server: &'static postgres::Server, database: String },
    Sftp { server: &'static Sftp, folder: String },
    Web(Liar),
}

impl Place {
    fn postgres() -> Option<Self> {
        let server = postgres::shared()?;
        Some(Self::Postgres { server, database: server.database() })
    }

    fn sftp() -> Option<Self> {
        let server = Sftp::shared()?;
        let folder = server.own_folder();
        Some(Self::Sftp { server, folder })
    }

    /// The connector's entry.
    fn connector(&self) -> String {
        match self {
            Self::Postgres { .. } => "use: postgres\n    with: { url: \"${env:DATABASE_URL}\" }\n".to_owned(),
            Self::Sftp { server, folder } => server.connector(folder, "path: items.ndjson, format: ndjson"),
            Self::Web(server) => WEB.replace("ADDRESS", &server.address),
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Postgres { server, database } => vec![("DATABASE_URL", server.url(database))],
            Self::Sftp { .. } | Self::Web(_) => Vec::new(),
        }
    }

    /// The `sku` and `note` of each record there is.
    fn rows(&self) -> Vec<(String, String)> {
        match self {
            Self::Postgres { server, database } => server
                .sql(database, "SELECT sku, note FROM items")
                .lines()
                .map(|line| line.split_once('|').expect("two columns"))
                .map(|(sku, note)| (sku.to_owned(), note.to_owned()))
                .collect(),
            Self::Sftp { server, folder } => records_of(&server.file(folder).join("items.ndjson")),
            Self::Web(server) => server.rows(),
        }
    }
}

/// The `sku` and `note` of each line of an NDJSON file.
fn records_of(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let field = |value: &serde_json::Value, name: &str| value[name].as_str().expect("text").to_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("whole lines"))
        .map(|value: serde_json::Value| (field(&value, "sku"), field(&value, "note")))
        .collect()
}

fn is_bad(n: u64) -> bool {
    n % BAD_EVERY == 7
}

fn sku(n: u64) -> String {
    format!("SKU-{n:07}")
}

fn qty(n: u64) -> i64 {
    if is_bad(n) { -5 } else { (n % 50) as i64 }
}

fn note(n: u64, later: bool) -> String {
    let changed = if later && n % 10 == 3 { "changed since" } else { "as it was" };
    format!(
        "{changed}: an ordinary note that makes the row about as long as rows are, with some more words to it and {n}"
    )
}

/// Runs one test of a cell in each of as many threads as there are cores.
fn everywhere(test: impl Fn(Cell) + Sync) {
    let cells = cells();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    test(*cell);
                }
            });
        }
    });
}

#[test]
fn every_point_of_the_road_is_tested() {
    let all = |folder: &str| {
        let files = crate::support::files(&crate::support::repository().join(folder)).into_iter();
        files.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap_or_default())).collect::<Vec<_>>()
    };
    let mut named: Vec<String> = Vec::new();
    for (_, text) in all("src") {
        named.extend(text.split("reach(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    // Keys and sign-ins have roads of their own, and tests that kill them there.
    let others: String = [all("tests/it"), all("src")]
        .into_iter()
        .flatten()
        .filter(|(path, _)| !path.ends_with("matrix.rs"))
        .flat_map(|(_, text)| {
            text.lines().filter(|line| !line.contains("reach(\"")).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let elsewhere = |name: &str| {
        name.starts_with("sign-in-") || name.starts_with("tokens-") || others.contains(&format!("\"{name}\""))
    };
    named.retain(|name| POINTS.contains(&name.as_str()) || !elsewhere(name));
    named.sort();
    named.dedup();
    let mut tested: Vec<&str> = POINTS.to_vec();
    tested.sort_unstable();
    assert_eq!(named, tested);
}

#[test]
fn what_is_promised_holds_at_each_named_point() {
    everywhere(|cell| {
        for point in POINTS {
            for nth in [1, 3] {
                if point.contains("sweep") && cell.mode != "mirror" || nth > 1 && !AGAIN.contains(point) {
                    continue;
                }
                let Some(world) = World::new(cell) else { return };
                let once = world.promised_once();
                let context = format!("{cell:?} killed at {point} for the {nth}. time");
                let killed = world.run(&["sync", "run", "items"], Some(&format!("{point}:{nth}")));
                // Points that this pair does not have (a file is not swept) are passed by.
                if killed.status.code().is_some() {
                    assert!(killed.status.success(), "{context}: {}", text(&killed.stderr));
                }
                world.must(&["audit", "verify"]);
                world.must(&["sync", "run", "items"]);
                world.check(once, &context);
                // Nothing comes again.
                world.must(&["sync", "run", "items"]);
                world.check(once, &format!("{context}, and one more run"));
            }
        }
    });
}

/// A sequence that looks random and is the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// More points than this no run of these sources comes to.
const MOST_POINTS: u64 = 40;

/// How runs of a cell were killed.
#[derive(Default)]
struct Killed {
    at_points: u64,
    at_times: u64,
    /// Of these: right after another kill, with no whole run in between.
    in_a_row: u64,
    /// Runs that ended before they could be killed.
    ended: u64,
}

/// Kills runs of one cell until so many were killed; `None` where its server is not installed.
fn kill_at_random(cell: Cell, wanted: u64, seed: u64) -> Option<Killed> {
    let mut dice = Dice(seed);
    let mut killed = Killed::default();
    let mut world = World::new(cell)?;
    let once = world.promised_once();
    let begun = std::time::Instant::now();
    world.must(&["sync", "run", "items"]);
    let whole = begun.elapsed();
    let mut round = 0;
    while killed.at_points + killed.at_times < wanted {
        round += 1;
        assert!(round <= wanted * 4 + 20, "{cell:?}: runs end before they can be killed");
        world = World::new(cell).expect("as before");
        let in_a_row = 1 + dice.throw(3).min(dice.throw(3));
        let mut how = String::new();
        for nth in 0..in_a_row {
            let point = (dice.throw(2) == 0).then(|| format!("any:{}", 1 + dice.throw(MOST_POINTS)));
            let after = whole.mul_f64(dice.throw(1_000) as f64 / 1_000.0);
            let mut child = consign(world.root());
            if let Some(place) = &world.place {
                child.envs(place.environment());
            }
            if let Some(point) = &point {
                child.env("CONSIGN_FAILPOINT", point);
            }
            let child = child.args(["sync", "run", "items"]).stdin(Stdio::null());
            let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("consign");
            if point.is_none() {
                std::thread::park_timeout(after);
                child.kill().ok();
            }
            let status = child.wait().expect("it ends");
            write!(how, "{}, ", point.clone().unwrap_or_else(|| format!("{after:?}"))).expect("text");
            match (status.code(), &point) {
                (None, Some(_)) => killed.at_points += 1,
                (None, None) => killed.at_times += 1,
                (Some(code), _) => {
                    assert_eq!(code, 0, "{cell:?} seed {seed} round {round}: {how}in {}", world.root().display());
                    killed.ended += 1;
                    break;
                }
            }
            killed.in_a_row += u64::from(nth > 0);
        }
        let context = format!(
            "{cell:?}, seed {seed}, round {round}, killed at {how}in {} (kept): again with CONSIGN_SOAK_SEED",
            world.root().display()
        );
        world.must_after(&context, &["sync", "run", "items"]);
        world.check(once, &context);
    }
    Some(killed)
}

/// `CONSIGN_SOAK=1000` kills at least a thousand runs, as many of each combination, half of them at a
/// point of the road and half at a moment. `CONSIGN_SOAK_SEED` makes the same choices again.
#[test]
fn what_is_promised_holds_wherever_it_is_killed() {
    let cells = cells();
    let wanted = u64::from(rounds(u32::try_from(cells.len() * 2).expect("few")));
    let each = wanted.div_ceil(cells.len() as u64);
    let said = std::env::var_os("CONSIGN_SOAK_SEED").and_then(|seed| seed.into_string().ok()?.parse::<u64>().ok());
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| d.as_secs());
    let seed = said.unwrap_or_else(now);
    let say = |line: String| {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "{line}").expect("standard error");
    };
    say(format!("{wanted} kills over {} combinations, CONSIGN_SOAK_SEED={seed}", cells.len()));
    let all = std::sync::Mutex::new((Killed::default(), 0));
    everywhere(|cell| {
        // Its own sequence, whatever the order in which the threads come to the cells.
        let own =
            format!("{cell:?}").bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let begun = std::time::Instant::now();
        let Some(killed) = kill_at_random(cell, each, own) else { return };
        let seconds = begun.elapsed().as_secs();
        let Killed { at_points, at_times, in_a_row, ended } = killed;
        if wanted >= 1_000 {
            say(format!("  {cell:?}: {at_points} at points, {at_times} at moments, {ended} ended before, {seconds} s"));
        }
        let mut sum = all.lock().expect("no thread failed");
        sum.0.at_points += at_points;
        sum.0.at_times += at_times;
        sum.0.in_a_row += in_a_row;
        sum.0.ended += ended;
        sum.1 += 1;
    });
    let (Killed { at_points, at_times, in_a_row, ended }, tested) = all.into_inner().expect("no thread failed");
    say(format!(
        "{} runs killed over {tested} combinations: {at_points} at points of the road, {at_times} at moments, {in_a_row} right after another; \
         {ended} ended before; each next run was whole",
        at_points + at_times
    ));
    assert!(at_points + at_times >= each * tested, "too few were killed");
    assert!(tested < cells.len() as u64 || at_points + at_times >= wanted);
}
