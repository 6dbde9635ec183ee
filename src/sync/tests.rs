//! Whole runs over real files and a real store, in one process.

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
        let catalog = Catalog { protocols: protocols.leak(), formats: formats.leak() };
        let found: Found = discover(self.root(), None).unwrap();
        let mut loaded = load(&found, None, &catalog);
        check(&mut loaded, false);
        assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
        loaded
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
