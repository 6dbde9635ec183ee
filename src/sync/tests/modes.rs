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
