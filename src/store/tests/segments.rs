//! Sealed segments: everything works over them as over the live log, what is done to their files is found, and
//! nobody waits for a long reading.

use super::*;
use crate::audit::verify::Tampering;
use crate::audit::{Category, Event, Level};

/// A log of some hundred events of several kinds, runs and subjects.
fn filled(bench: &Bench) -> Store {
    let mut store = bench.open();
    for round in 0..12u64 {
        let drafts = (0..100u64)
            .map(|n| {
                let mut draft = match n % 4 {
                    0 => Draft::new(Action::RunStarted),
                    1 => Draft::new(Action::RuleWarned),
                    _ => Draft::new(Action::AuditNote).detail("n", round * 100 + n),
                };
                draft.run = (n % 4 < 2).then(|| format!("run-{}", n % 3));
                draft.route = (n % 5 == 0).then(|| "orders".to_string());
                draft.actor = (n % 7 == 0).then(|| "ada".to_string());
                if n == 3 {
                    draft.about = vec![store.subject_token(&["p1"])];
                }
                draft
            })
            .collect();
        store.record(drafts).unwrap();
        bench.time.fetch_add(EPOCH_NS / 3, Ordering::Relaxed);
    }
    store
}

/// What is asked for, in many ways.
fn answers(store: &Store) -> Vec<Vec<Event>> {
    let all = EventFilter::default;
    let since = Some(BORN + EPOCH_NS);
    let filters = [
        all(),
        EventFilter { oldest_first: true, ..all() },
        EventFilter { limit: 700, ..all() },
        EventFilter { after: Some(300), oldest_first: true, limit: 600, ..all() },
        EventFilter { action: Some("run".into()), ..all() },
        EventFilter { action: Some("audit.note".into()), oldest_first: true, limit: 3, ..all() },
        EventFilter { level: Some(Level::Warning), category: Some(Category::Compliance), ..all() },
        EventFilter { run: Some("run-1".into()), limit: 50, ..all() },
        EventFilter { run: Some("run-".into()), action: Some("compliance".into()), ..all() },
        EventFilter { route: Some("orders".into()), actor: Some("ada".into()), oldest_first: true, ..all() },
        EventFilter { since_ns: since, until_ns: Some(BORN + 3 * EPOCH_NS), ..all() },
        EventFilter { since_ns: since, oldest_first: true, limit: 10, least_risk: Some(0.2), ..all() },
    ];
    let mut found: Vec<Vec<Event>> = filters.iter().map(|filter| store.audit_events(filter).unwrap()).collect();
    found.push(store.subject_events(&["p1"], 0).unwrap().unwrap().1);
    found
}

/// Without the events that tell of sealing, and up to that number.
fn plain(answers: Vec<Vec<Event>>, most: u64) -> Vec<Vec<Event>> {
    answers.into_iter().map(|all| all.into_iter().filter(|event| event.seq <= most).collect()).collect()
}

fn found(store: &Store) -> Option<crate::audit::Bad> {
    let verified = store.verify_audit(None).unwrap();
    let bad = verified.logs[0].0.bad.clone();
    assert_eq!(verified.error().map(|error| error.exit().number()), bad.as_ref().map(|_| 8));
    bad
}

fn by(approver: &str) -> Authority {
    Authority { approver: approver.into(), reason: "policy".into(), ..Authority::default() }
}

fn live(store: &Store) -> (u64, u64) {
    let text = "SELECT min(at) % 1099511627776, count(*) FROM audit_events";
    store.db.query_row(text, [], |row| Ok((sql::count(row.get(0)?), sql::count(row.get(1)?)))).unwrap()
}

#[test]
fn everything_works_over_segments_as_over_the_live_log() {
    let bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let key = first_key(&opened.notices);
    drop(opened);
    let mut store = filled(&bench);
    let signed = store.checkpoint(None).unwrap();
    let (before, statistics) = (answers(&store), store.event_statistics(None, &Default::default()).unwrap());
    let last = signed.size;
    assert!(store.seal_segments(256, 10_000).unwrap().is_empty(), "there are not so many");
    let made = store.seal_segments(500, 300).unwrap();
    let ranges: Vec<_> = made.iter().map(|segment| (segment.first, segment.last)).collect();
    assert_eq!(ranges, [(1, 256), (257, 512), (513, 768)], "whole tiles");
    assert_eq!((store.segments().unwrap(), live(&store).0), (made.clone(), 769));
    for segment in &made {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = store.segment_path(&segment.file).metadata().unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o400);
    }
    assert!(store.db.execute("DELETE FROM audit_events WHERE at % 1024 = 770", []).is_err(), "the tripwire stands");
    let same = |store: &Store| {
        let (now, before) = (plain(answers(store), last), plain(before.clone(), last));
        // All but the newest so many: there are newer ones by now.
        assert_eq!((&now[..2], &now[3..]), (&before[..2], &before[3..]));
    };
    same(&store);
    for first in [None, Some(key.as_str())] {
        let report = store.verify_audit(first).unwrap();
        assert!(report.is_good(), "{report:?}");
        let check = report.logs[0].0.checks.iter().find(|check| check.test == Test::Segments).unwrap();
        assert_eq!(check.made, Made::Passed);
    }
    let told = store.event_statistics(None, &Default::default()).unwrap();
    assert_eq!(told.actions["audit.note"], statistics.actions["audit.note"]);
    assert_eq!((told.actors, told.between.unwrap().0), (statistics.actors, statistics.between.unwrap().0));
    for event in ["2", "256", "257", "700", "900"] {
        let (_, proof) = store.prove(event, None).unwrap();
        let key = crate::audit::note::Verifying::read(&store.checkpoint_key().unwrap().unwrap()).unwrap();
        proof.check(proof.body.as_ref().unwrap(), &[key]).unwrap();
    }
    let hashes = store.prove_consistency(300, last).unwrap();
    assert!(!hashes.is_empty());
    let event = store.audit_event("300").unwrap();
    assert_eq!(store.audit_event(&event.id).unwrap(), event);
    assert_eq!(store.audit_event(&event.id[14..]).unwrap(), event, "by its end");
    let stood = store.log_standing(Some(BORN + EPOCH_NS)).unwrap();
    assert!(stood.size > 200 && stood.size < 512 && stood.root.is_some(), "{stood:?}");
    // A copy is one file and whole, and the way back leads to a log in one piece.
    let copy = bench.temp.path().join("copy.db");
    store.backup(&copy).unwrap();
    note_one(&mut store);
    store.restore(&copy, "test", None).unwrap();
    assert_eq!((store.segments().unwrap().len(), live(&store).0), (0, 1));
    assert_eq!(std::fs::read_dir(store.folder.segments()).unwrap().count(), 0, "nothing is left over");
    assert_eq!(found(&store), None);
    same(&store);
    assert_eq!(store.seal_segments(256, 256).unwrap()[0].first, 1, "and it can be sealed again");
    assert_eq!(found(&store), None);
}

fn note_one(store: &mut Store) {
    store.record_event(Draft::new(Action::AuditNote)).unwrap();
}

#[test]
fn redaction_holds_and_pruning_reach_into_segments() {
    let bench = Bench::new();
    let mut store = filled(&bench);
    let canary = Draft { reason: Some("canary".into()), ..Draft::new(Action::AuditNote) };
    store.record(vec![canary]).unwrap();
    let canary = store.last_event().unwrap();
    let later = (0..400).map(|_| Draft::new(Action::AuditNote)).collect();
    store.record(later).unwrap();
    let signed = store.checkpoint(None).unwrap();
    let made = store.seal_segments(512, 64).unwrap();
    assert_eq!(made.len(), 3, "{made:?}");
    store.place_hold("case", BORN, "litigation", None).unwrap();
    assert!(store.redact(&[canary], &by("bea")).is_err(), "held");
    store.release_hold("case", "settled", None).unwrap();
    store.redact(&[5, canary, canary + 1], &by("bea")).unwrap();
    assert_eq!(found(&store), None);
    assert_eq!(store.audit_event(&canary.to_string()).unwrap().reason.as_deref(), Some("its body was redacted"));
    let names: Vec<String> = std::fs::read_dir(store.folder.segments())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names.len(), 3, "the old files are gone: {names:?}");
    let files = names.iter().map(|name| store.segment_path(name)).chain([store.folder.database()]);
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
    // Up to the middle of a segment.
    store.checkpoint_carried(signed.size, "file:x").unwrap();
    let retention = Retention { most_events: Some(store.last_event().unwrap() - 800), ..Retention::default() };
    let prunable = store.prunable(&retention).unwrap();
    assert_eq!((prunable.first, prunable.last), (1, 768));
    store.prune(&prunable, &by("bea")).unwrap();
    let left: Vec<_> = store.segments().unwrap().iter().map(|segment| (segment.first, segment.last)).collect();
    assert_eq!(left, [(769, 1024), (1025, 1536)]);
    assert_eq!(std::fs::read_dir(store.folder.segments()).unwrap().count(), 2);
    assert_eq!(found(&store), None);
    assert_eq!(
        store.audit_events(&EventFilter { oldest_first: true, limit: 1, ..EventFilter::default() }).unwrap()[0].seq,
        769
    );
    let (_, proof) = store.prove("1000", None).unwrap();
    let key = crate::audit::note::Verifying::read(&store.checkpoint_key().unwrap().unwrap()).unwrap();
    proof.check(proof.body.as_ref().unwrap(), &[key]).unwrap();
    // Past every segment.
    let newest = store.checkpoint(None).unwrap();
    store.checkpoint_carried(newest.size, "file:x").unwrap();
    let all = store.prunable(&Retention { most_events: Some(10), ..Retention::default() }).unwrap();
    store.prune(&all, &by("bea")).unwrap();
    assert!(store.segments().unwrap().iter().all(|segment| segment.first > all.last));
    assert_eq!(found(&store), None);
}

#[test]
fn what_is_done_to_a_segment_is_found_and_named() {
    let bench = Bench::new();
    let mut store = filled(&bench);
    let made = store.seal_segments(256, 256).unwrap();
    let second = store.segment_path(&made[1].file);
    let good = std::fs::read(&second).unwrap();
    let reopened = || Store::open_read(&bench.folder(), bench.options()).unwrap().unwrap().store;
    let put = |path: &Path, bytes: &[u8]| {
        let _ = std::fs::remove_file(path);
        std::fs::write(path, bytes).unwrap();
    };
    // Every byte: some of them are in free room, and the file is another all the same.
    let step = if std::env::var_os("CONSIGN_SOAK").is_some() { 1 } else { good.len() / 60 };
    for index in (0..good.len()).step_by(step) {
        let mut bytes = good.clone();
        bytes[index] ^= 1 << (index % 8);
        put(&second, &bytes);
        let bad = found(&reopened()).unwrap_or_else(|| panic!("byte {index} passed"));
        assert!((257..=513).contains(&bad.seq), "byte {index}: {bad:?}");
    }
    // An event changed in it is named itself.
    put(&second, &good);
    let edit = |statements: &str| {
        put(&second, &good);
        Connection::open(&second).unwrap().execute_batch(statements).unwrap();
    };
    edit(
        "UPDATE audit_events SET body = CAST(replace(CAST(body AS TEXT), 'success', 'failure') AS BLOB) WHERE at % 1024 = 300",
    );
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.test, bad.looks), (300, Test::Bodies, Tampering::Edited));
    edit("DELETE FROM audit_events WHERE at % 1024 = 300");
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.looks), (300, Tampering::Removed));
    edit("DROP INDEX audit_events_by_kind");
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.test, bad.looks), (257, Test::Segments, Tampering::Edited));
    assert!(bad.what.contains(&made[1].file), "{bad:?}");
    // One in the place of another, cut short, no database, gone.
    for bytes in [std::fs::read(store.segment_path(&made[0].file)).unwrap(), good[..8192].to_vec(), b"no".to_vec()] {
        put(&second, &bytes);
        let bad = found(&reopened()).unwrap();
        assert!((257..=513).contains(&bad.seq), "{bad:?}");
    }
    std::fs::remove_file(&second).unwrap();
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.test, bad.looks), (257, Test::Segments, Tampering::Removed));
    assert!(bad.what.contains(&made[1].file) && bad.what.contains("missing"), "{bad:?}");
    let error = reopened().audit_event("300").unwrap_err();
    assert_eq!((error.code().id, error.exit().number()), ("audit-segment-missing", 8));
    assert!(reopened().audit_events(&EventFilter { limit: 50, ..EventFilter::default() }).unwrap().len() == 50);
    put(&second, &good);
    assert_eq!(found(&reopened()), None);
    // A segment that the database forgets, and one that no event tells of.
    bench
        .raw()
        .execute_batch(
            "CREATE TABLE kept AS SELECT * FROM audit_segments; DELETE FROM audit_segments WHERE first = 257",
        )
        .unwrap();
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.looks), (257, Tampering::Removed));
    let other = made[1].file.replace('-', "_");
    put(&store.segment_path(&other), &good);
    let text = format!(
        "INSERT INTO audit_segments SELECT log, first, last, first_ns, last_ns, '{other}' FROM kept WHERE first = 257"
    );
    bench.raw().execute_batch(&text).unwrap();
    let bad = found(&reopened()).unwrap();
    assert_eq!((bad.seq, bad.test), (257, Test::Segments));
    assert!(bad.what.contains("no event tells"), "{bad:?}");
    note_one(&mut store);
}

/// Whether a writer can empty the write-ahead log now.
fn can_checkpoint(writer: &mut Store) -> bool {
    note_one(writer);
    let text = "PRAGMA wal_checkpoint(TRUNCATE)";
    writer.db.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap() == 0
}

#[test]
fn no_long_reading_keeps_a_writer_from_its_checkpoint() {
    let bench = Bench::new();
    let mut store = filled(&bench);
    store.db.busy_timeout(Duration::ZERO).unwrap();
    let reader = Store::open_read(&bench.folder(), bench.options()).unwrap().unwrap().store;
    // Whoever exports or lists has what was read in hand, and nothing open.
    for oldest_first in [true, false] {
        let filter = EventFilter { oldest_first, ..EventFilter::default() };
        let mut seen = 0;
        reader
            .walk_events(&filter, &mut |_| {
                seen += 1;
                if seen % 100 == 1 {
                    assert!(can_checkpoint(&mut store), "after {seen}");
                }
                Ok(seen < 1000)
            })
            .unwrap();
        assert_eq!(seen, 1000);
    }
    // What goes through every row does so in steps, each from a moment of its own: what was written while the
    // first was read can be put into the database during the next.
    let passive = |writer: &mut Store| -> (i64, i64) {
        note_one(writer);
        let text = "PRAGMA wal_checkpoint(PASSIVE)";
        writer.db.query_row(text, [], |row| Ok((row.get(1)?, row.get(2)?))).unwrap()
    };
    let (mut first, mut second, mut within) = (None, None, 0u64);
    let drafts = |count| (0..count).map(|_| Draft::new(Action::AuditNote)).collect::<Vec<_>>();
    for _ in 0..18 {
        store.record(drafts(1000)).unwrap();
    }
    let last = reader.last_event().unwrap();
    reader
        .each_row(reader.log.number, 1, last, |_| {
            within += 1;
            match within {
                2 => first = Some(passive(&mut store)),
                12_000 => second = Some(passive(&mut store)),
                _ => {}
            }
            Ok(true)
        })
        .unwrap();
    let ((written, done), (_, later)) = (first.unwrap(), second.unwrap());
    assert!(done < written && later >= written, "{done} of {written}, then {later}");
    assert!(can_checkpoint(&mut store));
}

#[test]
fn another_key_signs_from_now_on_and_the_old_one_says_so() {
    use crate::audit::handover;
    use crate::audit::note::Verifying;
    let bench = Bench::new();
    let mut store = filled(&bench);
    let early = store.checkpoint(None).unwrap();
    let old = Verifying::read(&early.key).unwrap();
    let (signed, note) = store.rotate_signer("a year is over", Some("ada".into())).unwrap();
    let new = Verifying::read(&store.checkpoint_key().unwrap().unwrap()).unwrap();
    assert_ne!(old, new);
    assert_eq!(signed.key, new.line());
    assert_eq!(handover::read(note.as_bytes()).unwrap(), (old.clone(), new.clone()));
    // Both signed the checkpoint over the event that tells of it.
    for key in [&old, &new] {
        crate::audit::checkpoint::Checkpoint::signed(signed.note.as_bytes(), std::slice::from_ref(key)).unwrap();
    }
    let event =
        store.audit_events(&EventFilter { action: Some("audit.signer_rotated".into()), ..EventFilter::default() });
    let event = event.unwrap().remove(0);
    assert_eq!(event.details["verifier"], new.line());
    assert_eq!((event.seq, event.details["handover"].as_str()), (signed.size, Some(note.as_str())));
    note_one(&mut store);
    let late = store.checkpoint(None).unwrap();
    let check = |keys: &[Verifying]| crate::audit::checkpoint::Checkpoint::signed(late.note.as_bytes(), keys);
    assert!(check(std::slice::from_ref(&old)).unwrap_err().contains("replaced"), "whoever has the old key is told");
    let trusted = handover::follow(vec![old.clone()], &[handover::read(note.as_bytes()).unwrap()]);
    assert_eq!(check(&trusted).unwrap().0.size, late.size);
    // What the old key signed still counts, in the state and elsewhere.
    let known = store.own_evidence().unwrap();
    assert!([early.size, signed.size, late.size].iter().all(|size| known.iter().any(|(_, known)| known.size == *size)));
    assert!(store.known_from(early.note.as_bytes(), "it", &[]).is_ok());
    assert!(store.known_from(late.note.as_bytes(), "it", std::slice::from_ref(&old)).is_err());
    assert_eq!(found(&store), None);
    let (again, second) = store.rotate_signer("and another", None).unwrap();
    let handovers = store.handovers().unwrap();
    assert_eq!(handovers, [note, second]);
    let all: Vec<_> = handovers.iter().map(|note| handover::read(note.as_bytes()).unwrap()).collect();
    assert!(handover::follow(vec![old], &all).iter().any(|key| key.line() == again.key));
    assert_eq!(store.newest_checkpoint_within(0, early.size).unwrap().unwrap().key, early.key, "by whom it was signed");
    drop(store);
    assert_eq!(found(&bench.open()), None);
}
