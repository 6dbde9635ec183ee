//! States that were copied, cut short, damaged, shut, filled up or restored.

use super::*;

#[test]
fn a_state_whose_making_was_cut_short_is_none_yet() {
    let bench = Bench::new();
    drop(bench.open());
    // What a process leaves that dies between the schema and the first log.
    bench.raw().execute_batch("DELETE FROM audit_heads; DELETE FROM audit_events; DELETE FROM state;").unwrap();
    let read = || Store::open_read(&bench.folder(), bench.options()).map(|found| found.is_some());
    assert_eq!(read().unwrap_err().exit().number(), 8, "a log without a state is no beginning");
    bench.raw().execute_batch("DELETE FROM audit_logs;").unwrap();
    assert!(!read().unwrap());
    drop(bench.open());
    assert!(read().unwrap());
}

#[test]
fn a_copy_is_whole_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let mut store = bench.open();
    let to = bench.temp.path().join("copy.db");
    store.backup(&to).unwrap();
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(migrate::look(&Connection::open(&to).unwrap()).unwrap(), migrate::Found::Current));
    assert_eq!(store.audit_events(&EventFilter::default()).unwrap()[0].action, "state.backed_up");
}

#[test]
fn reading_needs_no_state_and_changes_none() {
    let bench = Bench::new();
    assert!(Store::open_read(&bench.folder(), bench.options()).unwrap().is_none());
    assert!(!bench.folder().exists());
    let mut writer = bench.open();
    writer.begin_run(&new_run("r")).unwrap();
    let mut reader = Store::open_read(&bench.folder(), bench.options()).unwrap().unwrap().store;
    assert_eq!(reader.runs(&RunFilter::default()).unwrap().len(), 1);
    assert_eq!(reader.record_event(Draft::new(Action::AuditNote)).unwrap_err().kind(), Kind::Bug);
    drop(reader);
    drop(writer);
    let name = bench.folder().join("consign.db");
    assert!(!name.with_extension("db-wal").exists(), "closed, the state is one file");
    // As on a read-only mount: no place for shared memory.
    let copy = bench.temp.path().join("strange #?%41 name");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(&name, copy.join("consign.db")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/shm", copy.join("consign.db-shm")).unwrap();
    let reader = Store::open_read(&copy, bench.options()).unwrap().unwrap().store;
    assert_eq!(reader.runs(&RunFilter::default()).unwrap().len(), 1);
    assert!(reader.verify_audit(None).unwrap().is_good());
}

#[test]
fn damaged_newer_and_foreign_files_are_refused_with_the_right_code() {
    let fresh = || {
        let bench = Bench::new();
        drop(bench.open());
        let name = bench.folder().join("consign.db");
        (bench, name)
    };
    let check = |bench: &Bench, exit: u8, code: &str| {
        for error in [bench.try_open().err(), Store::open_read(&bench.folder(), bench.options()).err()] {
            let error = error.unwrap_or_else(|| panic!("{code}"));
            assert_eq!((error.exit().number(), error.code().id), (exit, code), "{error:?}");
            assert!(!error.hints().is_empty(), "{error:?}");
        }
    };
    let (bench, name) = fresh();
    std::fs::write(&name, vec![b'x'; 8192]).unwrap();
    check(&bench, 8, "store-damaged");
    let (bench, name) = fresh();
    let length = name.metadata().unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&name).unwrap().set_len(length / 2 / 4096 * 4096).unwrap();
    check(&bench, 8, "store-damaged");
    let (bench, _) = fresh();
    bench.raw().execute_batch("PRAGMA user_version = 99").unwrap();
    check(&bench, 2, "store-newer");
    let (bench, _) = fresh();
    bench.raw().execute_batch("PRAGMA application_id = 1").unwrap();
    check(&bench, 8, "store-damaged");
    let (bench, _) = fresh();
    std::fs::write(bench.folder().join("keys"), b"{").unwrap();
    assert_eq!(bench.try_open().err().unwrap().code().id, "store-keys-damaged");
}

#[test]
fn a_folder_that_cannot_be_written_says_where_else() {
    let bench = Bench::new();
    std::fs::write(bench.folder(), b"a file stands in the way").unwrap();
    assert!(bench.try_open().is_err());
    if rustix::process::getuid().is_root() {
        return; // Nothing is unwritable to root.
    }
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(bench.temp.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let error = Store::open(&bench.temp.path().join("other"), bench.options()).err().unwrap();
    assert_eq!((error.exit().number(), error.code().id), (4, "store-not-writable"));
    assert!(error.hints()[0].contains("--state"));
}

#[test]
fn an_altered_head_stops_everything() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.record_event(Draft::new(Action::AuditNote)).unwrap();
    bench.raw().execute_batch("DELETE FROM audit_events WHERE at % 1024 = 2; UPDATE audit_heads SET size = 1").unwrap();
    let error = store.record_event(Draft::new(Action::AuditNote)).unwrap_err();
    assert_eq!((error.exit().number(), error.code().id), (8, "audit-tampered"));
    let proof = store.verify_audit(None).unwrap();
    assert_eq!(proof.error().unwrap().exit().number(), 8);
}

#[test]
fn the_tripwire_keeps_accidents_away() {
    let bench = Bench::new();
    let store = bench.open();
    for text in ["UPDATE audit_events SET ts_ns = 1", "DELETE FROM audit_events"] {
        assert!(store.db.execute_batch(text).unwrap_err().to_string().contains("never"), "{text}");
    }
}

#[test]
fn a_full_disk_is_the_surroundings_and_loses_nothing() {
    let bench = Bench::new();
    let mut store = bench.open();
    let run = store.begin_run(&new_run("r")).unwrap();
    store.step(&run, Some(&settle(&store, &run, 1, 1, vec![])), None).unwrap();
    let before = (store.route("r").unwrap(), store.run(&run.id).unwrap());
    let pages: i64 = store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    let full = settle(&store, &run, 2, 0, vec![reject(1, &[b'x'; 100_000])]);
    let error = store.step(&run, Some(&full), None).unwrap_err();
    assert_eq!((error.exit().number(), error.code().id), (3, "io-full"));
    assert_eq!(before, (store.route("r").unwrap(), store.run(&run.id).unwrap()));
    store.db.query_row("PRAGMA max_page_count = 100000", [], |_| Ok(())).unwrap();
    store.step(&run, Some(&full), None).unwrap();
    assert!(store.verify_audit(None).unwrap().is_good());
}

#[test]
fn a_copy_is_restored_with_a_reason_and_verifies() {
    let bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let key = first_key(&opened.notices);
    let mut store = opened.store;
    let run = store.begin_run(&new_run("r")).unwrap();
    let copy = bench.temp.path().join("copy.db");
    store.backup(&copy).unwrap();
    store.step(&run, Some(&settle(&store, &run, 1, 0, vec![reject(1, b"x")])), None).unwrap();
    store.restore(&copy, "disk was swapped", Some("ada")).unwrap();
    assert_eq!(store.route("r").unwrap().group, 0);
    assert!(store.dead_letters(&LetterFilter::default()).unwrap().is_empty());
    let event = store.audit_events(&EventFilter { limit: 1, ..EventFilter::default() }).unwrap().remove(0);
    assert_eq!((event.action.as_str(), event.reason.as_deref()), ("state.restored", Some("disk was swapped")));
    let known = Mark { group: 1, fence: 7, ..Mark::default() };
    store.adopt("r", Some(&known), "the target has group 1", None).unwrap();
    assert_eq!((store.route("r").unwrap().group, store.begin_run(&new_run("r")).unwrap().fence), (1, 8));
    assert!(store.verify_audit(Some(&key)).unwrap().is_good());
    assert!(store.db.execute_batch("DELETE FROM audit_events").is_err(), "the tripwire is back");

    // An altered copy is refused, and nothing changes.
    let db = Connection::open(&copy).unwrap();
    db.execute_batch("DROP TRIGGER audit_events_stay; UPDATE audit_events SET ts_ns = ts_ns + 1 WHERE at % 1024 = 2")
        .unwrap();
    drop(db);
    let before = store.audit_events(&EventFilter::default()).unwrap();
    assert_eq!(store.restore(&copy, "again", None).unwrap_err().exit().number(), 8);
    assert_eq!(before, store.audit_events(&EventFilter::default()).unwrap());
    assert_eq!(store.restore(&bench.temp.path().join("none"), "again", None).unwrap_err().code().id, "io-not-found");
}

#[test]
fn a_lock_is_cleared_only_when_its_holder_is_gone() {
    let bench = Bench::new();
    let mut store = bench.open();
    assert_eq!(store.unlock("r", None).unwrap(), None);
    let held = store.lock_route("r", Duration::ZERO).unwrap();
    assert_eq!(store.unlock("r", None).unwrap_err().exit().number(), 7);
    drop(held);
    assert_eq!(store.unlock("r", Some("ada")).unwrap().map(|h| h.process.pid), Some(std::process::id()));
    assert_eq!(store.unlock("r", None).unwrap(), None);
    assert_eq!(store.audit_events(&EventFilter::default()).unwrap()[0].action, "route.unlocked");
}

#[test]
fn every_column_of_every_event_in_the_file_counts() {
    let bench = Bench::new();
    let mut store = bench.open();
    let run = store.begin_run(&new_run("r")).unwrap();
    store.finish_run(&run, &end(RunState::Done)).unwrap();
    let db = bench.raw();
    let columns = ["at", "ts_ns", "epoch", "kind", "run", "body", "leaf", "mac"];
    let rows: i64 = db.query_row("SELECT count(*) FROM audit_events", [], |row| row.get(0)).unwrap();
    let kept = bench.temp.path().join("kept.db");
    migrate::copy(&store.db, &kept, |_| Ok(())).unwrap();
    db.execute("ATTACH ?1 AS kept", [kept.to_str().unwrap()]).unwrap();
    for (seq, column) in (1..=rows).flat_map(|seq| columns.map(|column| (seq, column))) {
        let value = match column {
            "body" | "leaf" | "mac" => "randomblob(32)".to_string(),
            "run" => "coalesce(run, 0) + 1".to_string(),
            _ => format!("{column} + 1000"),
        };
        db.execute_batch(&format!("UPDATE main.audit_events SET {column} = {value} WHERE at % 1024 = {seq}")).unwrap();
        let proof = store.verify_audit(None).unwrap();
        assert!(!proof.is_good(), "{column} of {seq}");
        db.execute_batch(
            "DELETE FROM main.audit_events; INSERT INTO main.audit_events SELECT * FROM kept.audit_events",
        )
        .unwrap();
        assert!(store.verify_audit(None).unwrap().is_good(), "{column} of {seq}");
    }
}
