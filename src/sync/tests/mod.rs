//! Whole runs over real files and a real store, in one process.

mod modes;

use std::path::Path;

use super::{Became, Finished, Options, Selection, Setting, Silent, Stop, check, replay, run};
use crate::config::{Catalog, FormatSpec, Found, Loaded, ProtocolSpec, discover, load};
use crate::connect::{formats, protocols};
use crate::error::Exit;
use crate::record::Timestamp;
use crate::store::{LetterFilter, LetterState, Options as StoreOptions, Store};

const NOW: Timestamp = Timestamp { seconds: 1_780_000_000, nanos: 0, offset: 0 };

struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap()
    }

    fn loaded(&self) -> Loaded {
        let protocols: Vec<&'static ProtocolSpec> = protocols::ALL.iter().map(|p| p.spec()).collect();
        let formats: Vec<&'static FormatSpec> = formats::ALL.iter().map(|f| f.spec()).collect();
        let catalog = Catalog { protocols: protocols.leak(), formats: formats.leak(), shelf: None };
        let found: Found = discover(self.root(), None).unwrap();
        let mut loaded = load(&found, None, &catalog);
        check(&mut loaded, false);
        assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
        loaded
    }

    /// Line, column and cause of each finding.
    fn findings(&self) -> Vec<String> {
        let protocols: Vec<&'static ProtocolSpec> = protocols::ALL.iter().map(|p| p.spec()).collect();
        let formats: Vec<&'static FormatSpec> = formats::ALL.iter().map(|f| f.spec()).collect();
        let catalog = Catalog { protocols: protocols.leak(), formats: formats.leak(), shelf: None };
        let mut loaded = load(&discover(self.root(), None).unwrap(), None, &catalog);
        check(&mut loaded, false);
        let place = |place: &crate::error::Place| format!("{}:{}", place.line, place.column);
        loaded
            .findings
            .iter()
            .map(|f| format!("{}: {}", f.place.as_ref().map(place).unwrap_or_default(), f.cause))
            .collect()
    }

    fn store(&self) -> Store {
        Store::open(&self.root().join(".consign"), StoreOptions::default()).unwrap().store
    }

    fn run(&self, options: &Options) -> Vec<Became> {
        let loaded = self.loaded();
        let setting = Setting {
            project: loaded.project.as_ref().unwrap(),
            mappings: &loaded.mappings,
            options,
            now: "2026-07-10T12:00:00Z".parse().unwrap(),
            stop: &Stop::never(),
            wait: std::time::Duration::ZERO,
            plan: None,
        };
        run(&setting, &Selection::All, Some(&mut self.store()), &mut Silent).unwrap()
    }

    fn one(&self) -> Finished {
        match self.run(&Options::default()).pop().unwrap() {
            Became::Ran(finished) => *finished,
            Became::Failed { error, .. } => panic!("{error:?}"),
            Became::Skipped { why, .. } => panic!("{why}"),
        }
    }
}

const CONNECTORS: &str = "version: 1
connectors:
  in: { use: file, streams: { items: { path: items.csv, format: csv, fields: { sku: string, qty: int } } } }
  out: { use: file, streams: { items: { path: out.ndjson, format: ndjson } } }
  db: { use: sqlite, with: { path: out.db } }
";
const FIELDS: &str = "fields:
  - { target: sku, source: sku, required: true }
  - { target: qty, source: qty, required: true }
";

fn mapping(to: &str, sync: &str) -> String {
    format!("version: 1\nname: items\nfrom: in.items\nto: {to}\nsync: {{ {sync} }}\n{FIELDS}")
}

#[test]
fn a_file_is_delivered_once_and_read_on() {
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("out.items", "mode: append")),
        ("items.csv", "sku,qty\na,1\nb,2\n"),
    ]);
    let first = project.one();
    assert_eq!((first.exit, first.totals.read, first.totals.written), (Exit::Done, 2, 2), "{first:?}");
    assert_eq!(project.one().totals.read, 0);
    project.write("items.csv", "sku,qty\na,1\nb,2\nc,3\n");
    assert_eq!(project.one().totals.written, 1);
    let expected = "{\"sku\":\"a\",\"qty\":1}\n{\"sku\":\"b\",\"qty\":2}\n{\"sku\":\"c\",\"qty\":3}\n";
    assert_eq!(project.read("out.ndjson"), expected);
    assert!(project.store().verify_audit(None).unwrap().is_good());
    // All over again: the target is written anew, not added to.
    let full = project.run(&Options { full: true, ..Options::default() });
    assert_eq!(full[0].exit(), Exit::Done);
    assert_eq!(project.read("out.ndjson"), expected);
}

#[test]
fn rejects_are_kept_and_replayed_once_mended() {
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("db.items", "mode: upsert, key: [sku]")),
        ("items.csv", "sku,qty\na,1\nb,\nc,3\na,4\n"),
    ]);
    let first = project.one();
    assert_eq!(first.exit, Exit::Partial);
    assert_eq!((first.totals.rejected, first.totals.written, first.totals.superseded), (1, 2, 1), "{first:?}");
    assert_eq!(first.reasons[0].first, "items.csv:3");
    // The mapping is mended: an empty quantity means none.
    let mended = mapping("db.items", "mode: upsert, key: [sku]").replace("qty, required: true", "qty, default: 0");
    project.write("mappings/items.yaml", &mended);
    let loaded = project.loaded();
    let mut store = project.store();
    let replayed = replay(
        loaded.project.as_ref().unwrap(),
        &loaded.mappings[0],
        &mut store,
        &LetterFilter::default(),
        &Options { cause: "replay", ..Options::default() },
        NOW,
        &mut Silent,
    )
    .unwrap();
    assert_eq!((replayed.delivered, replayed.rejected), (1, 0), "{replayed:?}");
    let open = LetterFilter { states: vec![LetterState::Open], ..LetterFilter::default() };
    assert_eq!(store.count_dead_letters(&open).unwrap(), 0);
    let db = rusqlite::Connection::open(project.root().join("out.db")).unwrap();
    let rows: Vec<(String, i64)> = db
        .prepare("SELECT sku, qty FROM items ORDER BY sku")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, [("a".into(), 4), ("b".into(), 0), ("c".into(), 3)]);
    assert!(store.verify_audit(None).unwrap().is_good());
}

#[test]
fn a_dry_run_changes_nothing() {
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("out.items", "mode: append")),
        ("items.csv", "sku,qty\na,1\nb,2\n"),
    ]);
    let counted = |options: Options| match &project.run(&options)[0] {
        Became::Ran(finished) => finished.totals.read,
        _ => panic!("it did not run"),
    };
    assert_eq!(counted(Options { dry_run: true, ..Options::default() }), 2);
    assert_eq!(counted(Options { limit: Some(1), ..Options::default() }), 1);
    assert!(!project.root().join("out.ndjson").exists());
    assert_eq!(project.store().runs(&crate::store::RunFilter::default()).unwrap(), []);
    assert_eq!(project.one().totals.read, 2);
}

#[test]
fn an_empty_first_read_is_suspicious() {
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("out.items", "mode: append")),
        ("items.csv", "sku,qty\n"),
    ]);
    assert_eq!(project.one().exit, Exit::Partial);
}

/// One row of a source and what must become of it.
#[derive(Clone, Debug)]
struct Line {
    sku: &'static str,
    qty: &'static str,
    keep: &'static str,
}

impl Line {
    fn is_filtered(&self) -> bool {
        self.keep == "no"
    }

    fn is_good(&self) -> bool {
        !self.is_filtered() && !self.sku.is_empty() && self.qty.parse::<i64>().is_ok_and(|qty| qty >= 0)
    }
}

/// Runs these rows, some now and some later, and counts again by hand what the run counted.
fn check_counts(
    first: &[Line],
    later: &[Line],
    upsert: bool,
    batch: u64,
) -> Result<(), proptest::test_runner::TestCaseError> {
    use proptest::prop_assert_eq;
    let (to, sync) = if upsert { ("db.items", "mode: upsert, key: [sku]") } else { ("out.items", "mode: append") };
    let fields = "when: record.keep == \"yes\"\nfields:
  - { target: sku, source: sku, required: true }
  - { target: qty, source: qty, required: true, transform: int(value), validate: value >= 0 }\n";
    let mapping = format!(
        "version: 1\nname: items\nfrom: in.items\nto: {to}\nsync: {{ {sync}, batch: {{ records: {batch} }}, on_error: {{ to: dead_letters, tolerate: {{ percent: 100 }} }} }}\n{fields}"
    );
    let connectors = CONNECTORS.replace("{ sku: string, qty: int }", "{ sku: string, qty: string, keep: string }");
    let project = Project::new(&[("connectors.yaml", &connectors), ("mappings/items.yaml", &mapping)]);
    let text = |lines: &[Line]| {
        let rows = lines.iter().map(|line| format!("{},{},{}\n", line.sku, line.qty, line.keep));
        format!("sku,qty,keep\n{}", rows.collect::<String>())
    };
    let mut lines = first.to_vec();
    let mut expected: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for (all, new) in [(first.to_vec(), first), ([first, later].concat(), later)] {
        lines = all;
        project.write("items.csv", &text(&lines));
        let totals = project.one().totals;
        prop_assert_eq!(totals.check(), Ok(()));
        let good: Vec<&Line> = new.iter().filter(|line| line.is_good()).collect();
        let mut keys: Vec<&str> = good.iter().map(|line| line.sku).collect();
        keys.sort_unstable();
        keys.dedup();
        let written = if upsert { keys.len() } else { good.len() };
        let filtered = new.iter().filter(|line| line.is_filtered()).count();
        // What comes once more just as it stands there is unchanged.
        let settled = totals.written + totals.unchanged;
        let counted = [totals.read, totals.filtered, totals.mapped, totals.rejected, settled];
        let wanted = [new.len(), filtered, good.len(), new.len() - filtered - good.len(), written];
        prop_assert_eq!(counted.map(|n| n as usize), wanted);
        expected.extend(good.iter().map(|line| (line.sku, line.qty.parse::<i64>().unwrap())));
    }
    let rejected = lines.iter().filter(|line| !line.is_filtered() && !line.is_good()).count();
    let store = project.store();
    prop_assert_eq!(store.count_dead_letters(&LetterFilter::default()).unwrap() as usize, rejected);
    for run in store.runs(&crate::store::RunFilter::default()).unwrap() {
        prop_assert_eq!(run.totals.check(), Ok(()));
    }
    proptest::prop_assert!(store.verify_audit(None).unwrap().is_good());
    if upsert {
        let db = rusqlite::Connection::open(project.root().join("out.db")).unwrap();
        let mut all = db.prepare("SELECT sku, qty FROM items").unwrap();
        let rows = all.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
        let there: std::collections::BTreeMap<String, i64> = rows.map(Result::unwrap).collect();
        let expected: std::collections::BTreeMap<String, i64> =
            expected.into_iter().map(|(sku, qty)| (sku.to_string(), qty)).collect();
        prop_assert_eq!(there, expected);
    } else {
        let good = lines.iter().filter(|line| line.is_good()).count();
        prop_assert_eq!(project.read("out.ndjson").lines().count(), good);
    }
    Ok(())
}

mod laws {
    use proptest::prelude::*;

    use super::{Line, check_counts};

    fn line() -> impl Strategy<Value = Line> {
        let sku = prop::sample::select(vec!["a", "b", "c", "d", "e", ""]);
        let qty = prop::sample::select(vec!["0", "7", "12", "-3", "many", ""]);
        let keep = prop::sample::select(vec!["yes", "yes", "yes", "no"]);
        (sku, qty, keep).prop_map(|(sku, qty, keep)| Line { sku, qty, keep })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(24), ..ProptestConfig::default() })]

        #[test]
        fn hold_on_every_run(
            first in prop::collection::vec(line(), 1..40),
            later in prop::collection::vec(line(), 0..20),
            upsert in any::<bool>(),
            batch in 1_u64..50,
        ) {
            check_counts(&first, &later, upsert, batch)?;
        }
    }
}

#[test]
fn a_replayed_record_gets_the_seeded_values_of_its_place() {
    let seeded = |qty: &str| {
        mapping("out.items", "mode: append").replace("{ target: qty, source: qty, required: true }", qty)
            + "  - { target: id, transform: 'uuid4()' }\n  - { target: other, transform: 'uuid4()' }\n  \
               - { target: n, transform: 'sequence()' }\n  - { target: line, transform: 'source_line()' }\n  \
               - { target: file, transform: 'source_name()' }\n"
    };
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &seeded("{ target: qty, source: qty, required: true }")),
        ("items.csv", "sku,qty\na,1\nb,\na,1\n"),
    ]);
    assert_eq!(project.one().totals.rejected, 1);
    project.write("mappings/items.yaml", &seeded("{ target: qty, source: qty, default: 0 }"));
    let loaded = project.loaded();
    let options = Options { cause: "replay", ..Options::default() };
    let mapping = &loaded.mappings[0];
    let letters = LetterFilter::default();
    let mut store = project.store();
    replay(loaded.project.as_ref().unwrap(), mapping, &mut store, &letters, &options, NOW, &mut Silent).unwrap();
    drop(store);
    let lines = |project: &Project| {
        let text = project.read("out.ndjson");
        let mut lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|line| line["n"].as_u64());
        lines
    };
    let first = lines(&project);
    let ids: std::collections::BTreeSet<&str> =
        first.iter().flat_map(|line| [line["id"].as_str().unwrap(), line["other"].as_str().unwrap()]).collect();
    assert_eq!(ids.len(), 6, "no two are alike: {first:?}");
    assert_eq!(first.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(first.iter().all(|line| line["file"] == "items.csv"), "{first:?}");
    // Read again from the beginning, all in one go and at another time.
    project.run(&Options { full: true, ..Options::default() });
    assert_eq!(lines(&project), first);
}

#[test]
fn a_lookup_reads_the_file_beside_its_mapping() {
    let looking = |column: &str| {
        mapping("out.items", "mode: append")
            + &format!(
                "  - {{ target: name, source: sku, transform: 'lookup(\"tables/codes.csv\", value, \"{column}\", \"?\")' }}\n"
            )
    };
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &looking("name")),
        ("mappings/tables/codes.csv", "sku,name\na,Alpha\n"),
        ("items.csv", "sku,qty\na,1\nb,2\n"),
    ]);
    let before = project.loaded().mappings[0].hash.clone();
    assert_eq!(project.one().totals.written, 2);
    let expected = "{\"sku\":\"a\",\"qty\":1,\"name\":\"Alpha\"}\n{\"sku\":\"b\",\"qty\":2,\"name\":\"?\"}\n";
    assert_eq!(project.read("out.ndjson"), expected);
    project.write("mappings/tables/codes.csv", "sku,name\na,Beta\n");
    assert_ne!(project.loaded().mappings[0].hash, before);
    project.write("items.csv", "sku,qty\na,1\nb,2\na,3\n");
    project.one();
    assert!(project.read("out.ndjson").ends_with("{\"sku\":\"a\",\"qty\":3,\"name\":\"Beta\"}\n"));
    // What is wrong stands where the expression names it.
    for (text, file, part) in [
        (looking("nam"), "sku,name\na,Beta\n", "9:80: `tables/codes.csv` has no column `nam`"),
        (
            looking("name"),
            "sku,name\na,Beta\na,Alpha\n",
            "9:53: `tables/codes.csv`: line 3: its key stands in an earlier line",
        ),
        (looking("name").replace("tables/", "../"), "", "9:53: `../codes.csv`: the file lies in the folder"),
        (looking("name").replace("codes.csv", "none.csv"), "", "9:53: `tables/none.csv`: there is no such file"),
    ] {
        project.write("mappings/items.yaml", &text);
        project.write("mappings/tables/codes.csv", file);
        let found = project.findings();
        assert!(found.iter().any(|found| found.contains(part)), "{part}: {found:?}");
    }
}
