//! The modes: a table becomes what the mode promises, counted, whatever the changes of the source.

use std::collections::BTreeMap;

use super::*;
use crate::store::Letter;

const MIRROR: &str = "mode: mirror, key: [sku], deletes: { percent: 100 }";

fn project(sync: &str, items: &str) -> Project {
    Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("db.items", sync)),
        ("items.csv", items),
    ])
}

impl Project {
    fn table(&self) -> BTreeMap<String, i64> {
        let db = rusqlite::Connection::open(self.root().join("out.db")).unwrap();
        let mut all = db.prepare("SELECT sku, qty FROM items").unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.root().join("out.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// One more run over these rows.
    fn again(&self, rows: &str) -> Finished {
        self.write("items.csv", &format!("sku,qty\n{rows}"));
        self.one()
    }

    fn letters(&self, state: LetterState) -> Vec<Letter> {
        let filter = LetterFilter { states: vec![state], ..LetterFilter::default() };
        self.store().dead_letters(&filter).unwrap()
    }
}

fn table(rows: &[(&str, i64)]) -> BTreeMap<String, i64> {
    rows.iter().map(|(sku, qty)| ((*sku).to_string(), *qty)).collect()
}

#[test]
fn an_upsert_tells_what_stood_there_already() {
    let project = project("mode: upsert, key: [sku]", "sku,qty\na,1\nb,2\n");
    assert_eq!(project.one().totals.written, 2);
    let full = project.run(&Options { full: true, ..Options::default() }).pop().unwrap();
    let Became::Ran(full) = full else { panic!("it did not run") };
    assert_eq!((full.totals.written, full.totals.unchanged), (0, 2));
    assert_eq!(full.totals.check(), Ok(()));
}

#[test]
fn an_update_adds_nothing() {
    let project = project("mode: update, key: [sku]", "sku,qty\na,9\nb,2\nz,1\n");
    project.sql("CREATE TABLE items (sku TEXT PRIMARY KEY, qty INTEGER, more TEXT NOT NULL)");
    project.sql("INSERT INTO items VALUES ('a', 1, 'x'), ('b', 2, 'x'), ('c', 3, 'x')");
    let totals = project.one().totals;
    assert_eq!((totals.written, totals.unchanged, totals.unmatched), (1, 2, 1));
    assert_eq!(project.table(), table(&[("a", 9), ("b", 2), ("c", 3)]));
}

#[test]
fn a_delete_needs_the_key_alone() {
    let project = project("mode: delete, key: [sku]", "sku,qty\na,\nz,\na,\n");
    project.write(
        "mappings/items.yaml",
        &mapping("db.items", "mode: delete, key: [sku]")
            .replace("  - { target: qty, source: qty, required: true }\n", ""),
    );
    project.sql("CREATE TABLE items (sku TEXT PRIMARY KEY, qty INTEGER); INSERT INTO items VALUES ('a', 1), ('b', 2)");
    let totals = project.one().totals;
    assert_eq!((totals.written, totals.deleted, totals.unchanged, totals.unmatched), (1, 1, 1, 1));
    assert_eq!(totals.superseded, 1);
    assert_eq!(project.table(), table(&[("b", 2)]));
}

#[test]
fn a_mirror_deletes_what_is_gone_and_nothing_it_has_seen() {
    let project = project(MIRROR, "sku,qty\na,1\nb,2\nc,3\n");
    assert_eq!(project.one().exit, Exit::Done);
    let again = project.again("a,1\nc,5\nd,4\n");
    let totals = again.totals;
    assert_eq!((totals.written, totals.unchanged, totals.deleted), (2, 1, 1), "{again:?}");
    assert_eq!(project.table(), table(&[("a", 1), ("c", 5), ("d", 4)]));
    // Rejected, yet seen: its last version stays.
    let again = project.again("a,1\nc,\n");
    assert_eq!((again.exit, again.totals.deleted), (Exit::Partial, 1), "{again:?}");
    assert_eq!(project.table(), table(&[("a", 1), ("c", 5)]));
    // A record without its key could be any.
    let again = project.again("a,1\n,7\n");
    assert_eq!(again.error.as_ref().unwrap().code().id, "sync-past-tolerance", "{again:?}");
    assert!(again.notes.iter().any(|note| note.contains("the key of 1 record")), "{again:?}");
    assert_eq!(project.table(), table(&[("a", 1), ("c", 5)]));
    // Nothing never replaces something.
    let again = project.again("");
    assert_eq!((again.exit, again.totals.deleted), (Exit::Partial, 0), "{again:?}");
    assert_eq!(project.table(), table(&[("a", 1), ("c", 5)]));
    assert!(project.store().verify_audit(None).unwrap().is_good());
    // Unless a person says so.
    let emptied = project.run(&Options { allow_deletes: Some(2), ..Options::default() }).pop().unwrap();
    assert_eq!(emptied.exit(), Exit::Done);
    assert_eq!(project.table(), table(&[]));
    let runs = project.store().runs(&crate::store::RunFilter { limit: 1, ..Default::default() }).unwrap();
    assert_eq!(runs[0].flags, ["allow-deletes=2"]);
    assert_eq!((runs[0].totals.deleted, runs[0].totals.check()), (2, Ok(())));
}

#[test]
fn a_mirror_asks_before_it_deletes_much() {
    let project = project("mode: mirror, key: [sku], deletes: { percent: 10, records: 1 }", "sku,qty\na,1\nb,2\nc,3\n");
    project.one();
    let refused = project.again("a,9\n");
    assert_eq!(refused.exit, Exit::Refused, "{refused:?}");
    assert!(refused.error.as_ref().unwrap().to_string().contains("2 of 3"), "{refused:?}");
    assert_eq!(project.table(), table(&[("a", 9), ("b", 2), ("c", 3)]), "what was read was written");
    assert!(project.store().route("items").unwrap().intent.is_none(), "nothing is in doubt");
    let allowed = project.run(&Options { allow_deletes: Some(2), ..Options::default() }).pop().unwrap();
    assert_eq!(allowed.exit(), Exit::Done);
    assert_eq!(project.table(), table(&[("a", 9)]));
}

#[test]
fn a_mirror_keeps_the_order_of_a_column_that_ignores_case() {
    let project = project(MIRROR, "sku,qty\nA,1\nb,2\n");
    project.sql("CREATE TABLE items (sku TEXT COLLATE NOCASE PRIMARY KEY, qty TEXT)");
    project.sql("INSERT INTO items VALUES ('a', 1), ('B', '2'), ('x', 3)");
    let totals = project.one().totals;
    assert_eq!((totals.deleted, totals.unchanged), (1, 2), "{totals:?}");
}

#[test]
fn a_file_is_mirrored_as_a_whole() {
    let project = Project::new(&[
        ("connectors.yaml", CONNECTORS),
        ("mappings/items.yaml", &mapping("out.items", "mode: mirror")),
        ("items.csv", "sku,qty\na,1\nb,2\n"),
    ]);
    assert_eq!(project.one().exit, Exit::Done);
    assert_eq!(project.read("out.ndjson").lines().count(), 2);
    assert_eq!(project.again("b,2\n").totals.written, 1);
    assert_eq!(project.read("out.ndjson"), "{\"sku\":\"b\",\"qty\":2}\n");
    assert_eq!(project.again("c,\n").exit, Exit::Partial);
    assert_eq!(project.again("").exit, Exit::Partial);
    assert_eq!(project.read("out.ndjson"), "{\"sku\":\"b\",\"qty\":2}\n", "left as it was");
    // It is not replaced by much less than it was, either.
    let strict = mapping("out.items", "mode: mirror, deletes: { percent: 10, records: 1 }");
    project.write("mappings/items.yaml", &strict);
    assert_eq!(project.again("a,1\nb,2\nc,3\n").exit, Exit::Done);
    let refused = project.again("a,1\n");
    assert_eq!(refused.error.as_ref().unwrap().code().id, "connect-deletes-guarded", "{refused:?}");
    assert!(refused.error.as_ref().unwrap().to_string().contains("2 of 3"), "{refused:?}");
    assert_eq!(project.read("out.ndjson").lines().count(), 3, "left as it was");
    let allowed = project.run(&Options { allow_deletes: Some(2), ..Options::default() }).pop().unwrap();
    let Became::Ran(allowed) = allowed else { panic!("it did not run") };
    assert_eq!((allowed.exit, project.read("out.ndjson").lines().count()), (Exit::Done, 1), "{:?}", allowed.error);
}

#[test]
fn a_later_record_supersedes_the_letters_of_its_key() {
    // A reject followed by a good one is superseded, a good one followed by a reject is not.
    let project = project("mode: upsert, key: [sku]", "sku,qty\na,\na,1\nb,2\nb,\nc,\n");
    assert_eq!(project.one().totals.rejected, 3);
    let open = |project: &Project| {
        project.letters(LetterState::Open).into_iter().map(|letter| letter.line).collect::<Vec<_>>()
    };
    assert_eq!(open(&project), [5, 6]);
    assert_eq!(project.letters(LetterState::Superseded).len(), 1);
    // In a later run as well.
    project.write("items.csv", "sku,qty\na,\na,1\nb,2\nb,\nc,\nc,3\n");
    project.one();
    assert_eq!(open(&project), [5]);
    let kinds = crate::store::EventFilter::default();
    let superseded = project.store().audit_events(&kinds).unwrap();
    assert_eq!(superseded.iter().filter(|event| event.action == "dead_letters.superseded").count(), 2);
    assert!(project.store().verify_audit(None).unwrap().is_good());
}

/// Runs these sources one after the other from the beginning and keeps a table by hand beside.
fn check_mode(mode: &str, sources: &[Vec<Line>], batch: u64) -> Result<(), proptest::test_runner::TestCaseError> {
    use proptest::prop_assert_eq;
    let guard = if mode == "mirror" { ", deletes: { percent: 100 }" } else { "" };
    let mapping = format!(
        "version: 1\nname: items\nfrom: in.items\nto: db.items\nsync: {{ mode: {mode}, key: [sku]{guard}, batch: {{ records: {batch} }}, on_error: {{ tolerate: {{ percent: 100 }} }} }}\nwhen: record.keep == \"yes\"\nfields:
  - {{ target: sku, source: sku, required: true }}
  - {{ target: qty, source: qty, required: true, transform: int(value), validate: value >= 0 }}\n"
    );
    let connectors = CONNECTORS.replace("{ sku: string, qty: int }", "{ sku: string, qty: string, keep: string }");
    let project = Project::new(&[("connectors.yaml", &connectors), ("mappings/items.yaml", &mapping)]);
    project.sql("CREATE TABLE items (sku TEXT PRIMARY KEY, qty INTEGER); INSERT INTO items VALUES ('a', 1), ('x', 2)");
    let mut expected = table(&[("a", 1), ("x", 2)]);
    for lines in sources {
        let rows = lines.iter().map(|line| format!("{},{},{}\n", line.sku, line.qty, line.keep));
        project.write("items.csv", &format!("sku,qty,keep\n{}", rows.collect::<String>()));
        let ran = project.run(&Options { full: true, workers: 2, ..Options::default() }).pop().unwrap();
        let Became::Ran(ran) = ran else { panic!("it did not run") };
        let before = expected.clone();
        for line in lines.iter().filter(|line| line.is_good()) {
            let qty = line.qty.parse().unwrap();
            match mode {
                "delete" => drop(expected.remove(line.sku)),
                "update" if !expected.contains_key(line.sku) => {}
                _ => drop(expected.insert(line.sku.to_string(), qty)),
            }
        }
        if mode == "mirror" && !lines.is_empty() && lines.iter().all(|line| !line.sku.is_empty()) {
            expected.retain(|sku, _| lines.iter().any(|line| line.sku == sku));
        }
        prop_assert_eq!(project.table(), expected.clone());
        let totals = ran.totals;
        prop_assert_eq!(totals.check(), Ok(()));
        prop_assert_eq!(totals.read as usize, lines.len());
        let gone = before.keys().filter(|sku| !expected.contains_key(*sku)).count();
        prop_assert_eq!(totals.deleted as usize, gone);
        let unmatched = match mode {
            "delete" => totals.produced - totals.deleted,
            "update" => totals.unmatched.min(totals.unchanged),
            _ => 0,
        };
        prop_assert_eq!(totals.unmatched, unmatched);
    }
    let store = project.store();
    for run in store.runs(&crate::store::RunFilter::default()).unwrap() {
        prop_assert_eq!(run.totals.check(), Ok(()));
    }
    proptest::prop_assert!(store.verify_audit(None).unwrap().is_good());
    Ok(())
}

/// Versions of a few records, some of which the mapping rejects at first: read in steps on several
/// workers and in small groups, replayed in an order of somebody's choice, the last version of each
/// record is the one that stands.
fn check_order(
    lines: &[(u8, i64)],
    steps: usize,
    batch: u64,
    newest_first: bool,
) -> Result<(), proptest::test_runner::TestCaseError> {
    use proptest::prop_assert_eq;
    let strict = mapping(
        "db.items",
        &format!(
            "mode: upsert, key: [sku], batch: {{ records: {batch} }}, on_error: {{ tolerate: {{ percent: 100 }} }}"
        ),
    );
    let mended = strict.clone();
    let strict = strict.replace("qty, required: true", "qty, required: true, validate: value >= 0");
    // A field that nobody maps makes the rows long: several parts are under way at once.
    let connectors = CONNECTORS.replace("qty: int }", "qty: int, note: string }");
    let project = Project::new(&[("connectors.yaml", &connectors), ("mappings/items.yaml", &strict)]);
    let note = "n".repeat(20_000);
    for step in 1..=steps {
        let until = lines.len() * step / steps;
        let rows = lines[..until].iter().map(|(sku, qty)| format!("s{sku},{qty},{note}\n"));
        project.write("items.csv", &format!("sku,qty,note\n{}", rows.collect::<String>()));
        project.run(&Options { workers: 3, ..Options::default() });
    }
    let expected: BTreeMap<String, i64> = lines.iter().map(|(sku, qty)| (format!("s{sku}"), *qty)).collect();
    let open = project.letters(LetterState::Open);
    // What waits is what was rejected after the last good version of its record.
    for (at, (sku, qty)) in lines.iter().enumerate() {
        let last = !lines[at..].iter().any(|(other, qty)| other == sku && *qty >= 0);
        let waits = open.iter().any(|letter| letter.record as usize == at + 1);
        prop_assert_eq!(waits, last && *qty < 0, "record {}", at + 1);
    }
    project.write("mappings/items.yaml", &mended);
    let loaded = project.loaded();
    let mut store = project.store();
    let mut replay = |filter: LetterFilter| {
        let (project, mapping) = (loaded.project.as_ref().unwrap(), &loaded.mappings[0]);
        let options = Options { cause: "replay", ..Options::default() };
        super::replay(project, mapping, &mut store, &filter, &options, NOW, &mut Silent).map(drop)
    };
    if let (true, Some(newest)) = (newest_first, open.last()) {
        replay(LetterFilter { ids: vec![newest.id.clone()], ..LetterFilter::default() }).unwrap();
    }
    let _ = replay(LetterFilter { limit: 1, ..LetterFilter::default() });
    let _ = replay(LetterFilter::default());
    prop_assert_eq!(project.table(), expected);
    prop_assert_eq!(project.letters(LetterState::Open).len(), 0);
    proptest::prop_assert!(project.store().verify_audit(None).unwrap().is_good());
    Ok(())
}

#[test]
fn a_superseded_letter_is_not_replayed() {
    let project = project("mode: upsert, key: [sku]", "sku,qty\na,\nb,\na,1\n");
    project.one();
    let overtaken = project.letters(LetterState::Superseded).pop().unwrap();
    let loaded = project.loaded();
    let filter = LetterFilter { ids: vec![overtaken.id], ..LetterFilter::default() };
    let error = replay(
        loaded.project.as_ref().unwrap(),
        &loaded.mappings[0],
        &mut project.store(),
        &filter,
        &Options { cause: "replay", ..Options::default() },
        NOW,
        &mut Silent,
    )
    .unwrap_err();
    assert_eq!((error.code().id, error.exit()), ("sync-superseded", Exit::Refused));
}

mod laws {
    use proptest::prelude::*;

    use super::{Line, check_mode, check_order};

    fn line() -> impl Strategy<Value = Line> {
        let sku = prop::sample::select(vec!["a", "b", "c", "d", "a", "b", "c", "d", "e", "f", "g", ""]);
        let qty = prop::sample::select(vec!["0", "7", "12", "-3", "many", ""]);
        let keep = prop::sample::select(vec!["yes", "yes", "yes", "no"]);
        (sku, qty, keep).prop_map(|(sku, qty, keep)| Line { sku, qty, keep })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(16), ..ProptestConfig::default() })]

        #[test]
        fn hold_in_every_mode(
            mode in prop::sample::select(vec!["upsert", "update", "delete", "mirror", "mirror"]),
            sources in prop::collection::vec(prop::collection::vec(line(), 0..12), 1..4),
            batch in 1_u64..20,
        ) {
            check_mode(mode, &sources, batch)?;
        }

        #[test]
        fn the_last_version_of_a_record_stands(
            lines in prop::collection::vec((0_u8..5, -3_i64..6), 1..90),
            steps in 1_usize..4,
            batch in 1_u64..30,
            newest_first in any::<bool>(),
        ) {
            check_order(&lines, steps, batch, newest_first)?;
        }
    }
}
