//! The log as a whole: checkpoints, proofs, retention, and every attack of the threat table.

use super::*;
use crate::audit::checkpoint::{Checkpoint, Proof};
use crate::audit::note::Verifying;
use crate::audit::verify::Tampering;
use crate::audit::{Category, Event};

const DAY_NS: i64 = 24 * EPOCH_NS;

fn note(store: &mut Store, text: &str) -> String {
    let mut draft = Draft::new(Action::AuditNote);
    draft.reason = Some(text.to_string());
    store.record_event(draft).unwrap().unwrap()
}

fn notes(store: &mut Store, count: usize) {
    let drafts = (0..count).map(|n| Draft::new(Action::AuditNote).detail("n", n)).collect();
    store.record(drafts).unwrap();
}

fn key(store: &Store) -> Verifying {
    Verifying::read(&store.checkpoint_key().unwrap().unwrap()).unwrap()
}

fn by(approver: &str) -> Authority {
    Authority { actor: Some("ada".into()), approver: approver.into(), reason: "policy".into(), policy: String::new() }
}

/// What is found with the current key, the kept checkpoints and the pin at hand.
fn looks(store: &Store) -> Option<Tampering> {
    let evidence = Evidence { known: store.own_evidence().unwrap(), ..Evidence::default() };
    store.verify_with(&evidence).unwrap().logs.into_iter().find_map(|(report, _)| report.bad).map(|bad| bad.looks)
}

fn with_checkpoint(store: &Store, checkpoint: &Signed) -> Option<Tampering> {
    let known = vec![store.known_from(checkpoint.note.as_bytes(), "the checkpoint", &[]).unwrap()];
    let evidence = Evidence { known, ..Evidence::default() };
    store.verify_with(&evidence).unwrap().logs.into_iter().find_map(|(report, _)| report.bad).map(|bad| bad.looks)
}

#[test]
fn a_checkpoint_covers_its_own_event_and_a_proof_leads_to_it() {
    let bench = Bench::new();
    let mut store = bench.open();
    let id = note(&mut store, "first");
    notes(&mut store, 700);
    let signed = store.checkpoint(Some("ada".into())).unwrap();
    assert_eq!(signed.size, 703);
    let (checkpoint, _) = Checkpoint::signed(signed.note.as_bytes(), &[key(&store)]).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (703, signed.root));
    for event in [id.as_str(), "1", "2", "256", "257", "512", "703"] {
        let (seq, proof) = store.prove(event, None).unwrap();
        let read = Proof::read(proof.text().as_bytes()).unwrap();
        let body = read.body.clone().unwrap();
        read.check(&body, &[key(&store)]).unwrap();
        assert_eq!(Event::read(&body).unwrap().seq, seq);
    }
    assert_eq!(store.newest_checkpoint(0).unwrap().unwrap().size, 703, "one was enough for all of them");
    let last = note(&mut store, "last");
    let (seq, proof) = store.prove(&last, None).unwrap();
    assert!(store.newest_checkpoint(0).unwrap().unwrap().size > seq, "it was not covered, now it is");
    proof.check(proof.body.as_ref().unwrap(), &[key(&store)]).unwrap();
    let hashes = store.prove_consistency(703, 712).unwrap();
    let root = |size| merkle_root(&store, size);
    crate::audit::merkle::check_consistency(703, 712, &signed.root, &root(712), &hashes).unwrap();
    assert_eq!(looks(&store), None);
    assert_eq!(with_checkpoint(&store, &signed), None);
}

fn merkle_root(store: &Store, size: u64) -> crate::audit::chain::Hash {
    let kept = super::super::tree::Kept { store, log: store.log.number };
    crate::audit::merkle::root_at(size, &kept).unwrap()
}

#[test]
fn what_was_pruned_leaves_a_log_that_verifies_and_proves() {
    let bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let first_key = first_key(&opened.notices);
    let mut store = opened.store;
    for _ in 0..4 {
        notes(&mut store, 200);
        bench.time.fetch_add(100 * DAY_NS, Ordering::Relaxed);
    }
    let early = store.checkpoint(None).unwrap();
    let retention = Retention { days: Some(150), ..Retention::default() };
    let found = store.prunable(&retention).unwrap();
    assert_eq!(found.last, 0, "no checkpoint was carried away yet");
    assert!(found.kept_by[0].contains("carried"), "{found:?}");
    store.checkpoint_carried(early.size, "file:x").unwrap();
    let found = store.prunable(&retention).unwrap();
    assert_eq!((found.first, found.last), (1, 512), "three hundred days, in whole tiles");
    store.place_hold("case-7", BORN + 150 * DAY_NS, "litigation", None).unwrap();
    let held = store.prunable(&retention).unwrap();
    assert_eq!(held.last, 256, "{held:?}");
    assert!(held.kept_by.iter().any(|why| why.contains("case-7")));
    store.release_hold("case-7", "settled", None).unwrap();
    let strict = Retention { least_days: 10_000, why: vec!["SOX".into()], ..retention.clone() };
    assert_eq!(store.prunable(&strict).unwrap().last, 0);

    store.prune(&found, &by("bea")).unwrap();
    let rows: i64 = store.db.query_row("SELECT min(at) % 1024 FROM audit_events", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 513);
    let event = store.audit_events(&EventFilter { action: Some("audit.pruned".into()), ..EventFilter::default() });
    let event = event.unwrap().remove(0);
    assert_eq!((event.details["last"].as_u64(), event.details["approver"].as_str()), (Some(512), Some("bea")));
    for key in [None, Some(first_key.as_str())] {
        let report = store.verify_audit(key).unwrap();
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.logs[0].0.pruned, 512);
    }
    assert_eq!(with_checkpoint(&store, &early), None);
    let (_, proof) = store.prove("600", None).unwrap();
    proof.check(proof.body.as_ref().unwrap(), &[key(&store)]).unwrap();
    assert!(store.prove("100", None).is_err());
    // Consistency with what was signed before the prune.
    let now = store.checkpoint(None).unwrap();
    let hashes = store.prove_consistency(early.size, now.size).unwrap();
    crate::audit::merkle::check_consistency(early.size, now.size, &early.root, &now.root, &hashes).unwrap();
    // And again, from there.
    store.checkpoint_carried(now.size, "file:x").unwrap();
    bench.time.fetch_add(400 * DAY_NS, Ordering::Relaxed);
    note(&mut store, "later");
    let more = store.prunable(&retention).unwrap();
    assert_eq!((more.first, more.last), (513, 768));
    store.prune(&more, &by("bea")).unwrap();
    assert!(store.verify_audit(Some(&first_key)).unwrap().is_good());
    // A floor that somebody moved is found.
    bench.raw().execute_batch("UPDATE audit_floors SET running = zeroblob(32)").unwrap();
    assert!(looks(&store).is_some());
}

#[test]
fn numbers_and_categories_are_kept_for_as_long_as_they_say() {
    let bench = Bench::new();
    let mut store = bench.open();
    notes(&mut store, 300);
    let mut lasting = Draft::new(Action::StateRestored);
    lasting.reason = Some("lasting".into());
    store.record(vec![lasting]).unwrap();
    notes(&mut store, 300);
    let signed = store.checkpoint(None).unwrap();
    store.checkpoint_carried(signed.size, "file:x").unwrap();
    let most = Retention { most_events: Some(100), ..Retention::default() };
    assert_eq!(store.prunable(&most).unwrap().last, 256);
    assert_eq!(store.prunable(&Retention { least_days: 5, ..most }).unwrap().last, 0, "the standard wins");
    bench.time.fetch_add(100 * DAY_NS, Ordering::Relaxed);
    // System and security events stay; the notes between them lose their bodies.
    let days: std::collections::BTreeMap<_, _> = [(Category::UserAction, 30)].into();
    let retention = Retention { by_category: days, ..Retention::default() };
    let lasting = Retention { days: Some(30), by_category: [(Category::Security, 400)].into(), ..Retention::default() };
    let found = store.prunable(&lasting).unwrap();
    assert_eq!((found.last, found.redact.len()), (0, 601), "security lasts, so the rest is emptied and not removed");
    let found = store.prunable(&retention).unwrap();
    assert_eq!((found.last, found.redact.len()), (0, 601), "the restore is a user's action too");
    store.prune(&found, &by("bea")).unwrap();
    let report = store.verify_audit(None).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.logs[0].0.redacted, 601);
    let left =
        store.audit_events(&EventFilter { action: Some("audit.note".into()), limit: 2, ..EventFilter::default() });
    assert_eq!(left.unwrap()[0].reason.as_deref(), Some("its body was redacted"));
}

#[test]
fn a_redacted_event_keeps_its_place_and_nothing_else_may_change() {
    let bench = Bench::new();
    let mut store = bench.open();
    let id = note(&mut store, "canary");
    note(&mut store, "next");
    let signed = store.checkpoint(None).unwrap();
    store.redact(&[2], &by("bea")).unwrap();
    assert_eq!(looks(&store), None);
    assert_eq!(with_checkpoint(&store, &signed), None);
    assert!(store.prove("2", None).is_err() && store.audit_event(&id).is_err());
    assert!(store.redact(&[2], &by("bea")).is_err(), "once");
    assert!(store.redact(&[1], &by("bea")).is_err(), "the first event stays");
    let bytes =
        ["consign.db", "consign.db-wal"].map(|name| std::fs::read(bench.folder().join(name)).unwrap_or_default());
    assert!(!bytes.iter().any(|bytes| bytes.windows(6).any(|w| w == b"canary")), "it is gone from the disk");
    for change in ["kind = kind + 1", "ts_ns = ts_ns - 1", "run = 1", "leaf = randomblob(32)"] {
        let bench_raw = bench.raw();
        bench_raw.execute_batch("BEGIN").unwrap();
        bench_raw.execute_batch(&format!("UPDATE audit_events SET {change} WHERE at % 1024 = 2; COMMIT")).unwrap();
        assert!(looks(&store).is_some(), "{change}");
        let back = change.split(' ').next().unwrap();
        let undo = match back {
            "kind" => "kind = kind - 1",
            "ts_ns" => "ts_ns = ts_ns + 1",
            "run" => "run = NULL",
            _ => break,
        };
        bench_raw.execute_batch(&format!("UPDATE audit_events SET {undo} WHERE at % 1024 = 2")).unwrap();
        assert_eq!(looks(&store), None, "{change}");
    }
}

#[test]
fn the_pin_knows_of_an_older_copy_and_of_another_history() {
    let bench = Bench::new();
    let mut store = bench.open();
    notes(&mut store, 3);
    let old = bench.temp.path().join("old.db");
    migrate::copy(&store.db, &old, |_| Ok(())).unwrap();
    notes(&mut store, 3);
    let signed = store.checkpoint(None).unwrap();
    drop(store);
    let put_back = || {
        for name in ["consign.db-wal", "consign.db-shm"] {
            let _ = std::fs::remove_file(bench.folder().join(name));
        }
        std::fs::copy(&old, bench.folder().join("consign.db")).unwrap();
    };
    put_back();
    let read = Store::open_read(&bench.folder(), bench.options()).unwrap().unwrap().store;
    assert_eq!(looks(&read), Some(Tampering::RolledBack));
    assert_eq!(with_checkpoint(&read, &signed), Some(Tampering::RolledBack));
    drop(read);
    // The older copy goes its own way: with the log's own keys, and past the size that was signed.
    let pins = std::fs::read_dir(bench.temp.path().join("pins")).unwrap().next().unwrap().unwrap().path();
    let pin = std::fs::read(&pins).unwrap();
    let opened = bench.try_open().unwrap();
    assert!(opened.notices.iter().any(|notice| notice.contains("not the one")), "{:?}", opened.notices);
    let mut store = opened.store;
    notes(&mut store, 20);
    assert_eq!(store.verify_audit(None).unwrap().logs[0].0.bad, None, "by itself it fits together");
    std::fs::write(&pins, &pin).unwrap();
    assert_eq!(looks(&store), Some(Tampering::Forked));
    assert_eq!(with_checkpoint(&store, &signed), Some(Tampering::Forked));
}

#[test]
fn nothing_is_signed_over_a_past_that_is_not_the_one_signed_before() {
    let bench = Bench::new();
    let mut store = bench.open();
    notes(&mut store, 3);
    store.checkpoint(None).unwrap();
    bench
        .raw()
        .execute_batch("UPDATE audit_events SET body = CAST(replace(CAST(body AS TEXT), '\"n\":1', '\"n\":7') AS BLOB) WHERE at % 1024 = 3")
        .unwrap();
    let error = store.checkpoint(None).unwrap_err();
    assert_eq!((error.exit().number(), error.code().id), (8, "audit-tampered"));
}

/// One attack of the threat table: what is done to the file, and what it must look like.
struct Attack {
    name: &'static str,
    statements: &'static str,
    looks: Tampering,
}

/// `{n}` and `{m}` are numbers of events, n before m; `{o}` is the log's.
const ATTACKS: &[Attack] = &[
    Attack {
        name: "an event edited",
        statements: "UPDATE audit_events SET body = CAST(replace(CAST(body AS TEXT), 'success', 'failure') AS BLOB) WHERE at = {o}+{n}",
        looks: Tampering::Edited,
    },
    Attack {
        name: "an event erased",
        statements: "UPDATE audit_events SET body = NULL WHERE at = {o}+{n}",
        looks: Tampering::Erased,
    },
    Attack {
        name: "an event dropped",
        statements: "DELETE FROM audit_events WHERE at = {o}+{n}",
        looks: Tampering::Removed,
    },
    Attack {
        name: "an event dropped and those after it numbered anew",
        statements: "DELETE FROM audit_events WHERE at = {o}+{n}; UPDATE audit_events SET at = at - 1 WHERE at > {o}+{n}",
        looks: Tampering::Moved,
    },
    Attack {
        name: "two events swapped",
        statements: "UPDATE audit_events SET at = -1 WHERE at = {o}+{n}; UPDATE audit_events SET at = {o}+{n} WHERE at = {o}+{m}; UPDATE audit_events SET at = {o}+{m} WHERE at = -1",
        looks: Tampering::Moved,
    },
    Attack {
        name: "an event replayed at the end",
        statements: "INSERT INTO audit_events SELECT (SELECT max(at) + 1 FROM audit_events), ts_ns, epoch, kind, run, leaf, mac, body FROM audit_events WHERE at = {o}+{n}",
        looks: Tampering::Moved,
    },
    Attack {
        name: "an event put over another",
        statements: "INSERT OR REPLACE INTO audit_events SELECT {o}+{m}, ts_ns, epoch, kind, run, leaf, mac, body FROM audit_events WHERE at = {o}+{n}",
        looks: Tampering::Moved,
    },
    Attack {
        name: "the end cut off",
        statements: "DELETE FROM audit_events WHERE at > {o}+{n}",
        looks: Tampering::CutOff,
    },
    Attack {
        name: "a node of the tree changed",
        statements: "UPDATE audit_nodes SET hash = zeroblob(32) WHERE level = 8 AND place = 0",
        looks: Tampering::Derived,
    },
    Attack {
        name: "the frontier changed",
        statements: "UPDATE audit_heads SET frontier = zeroblob(length(frontier))",
        looks: Tampering::Derived,
    },
    Attack { name: "the head set back", statements: "UPDATE audit_heads SET size = {n}", looks: Tampering::Moved },
    Attack { name: "the head gone", statements: "DELETE FROM audit_heads", looks: Tampering::Derived },
    Attack {
        name: "the clock of an event turned back",
        statements: "UPDATE audit_events SET ts_ns = ts_ns - 1000000000 WHERE at = {o}+{m}",
        looks: Tampering::Moved,
    },
    Attack {
        name: "an event moved to another epoch",
        statements: "UPDATE audit_events SET epoch = epoch + 1 WHERE at = {o}+{n}",
        looks: Tampering::Moved,
    },
    Attack {
        name: "a code changed",
        statements: "UPDATE audit_events SET mac = zeroblob(32) WHERE at = {o}+{m}",
        looks: Tampering::Forged,
    },
    Attack {
        name: "a kind given another action",
        statements: "UPDATE audit_kinds SET action = 'audit.other' WHERE action = 'audit.note'",
        looks: Tampering::Edited,
    },
];

#[test]
fn every_attack_of_the_threat_table_is_found_and_named() {
    let bench = Bench::new();
    let mut store = bench.open();
    notes(&mut store, 150);
    bench.time.fetch_add(2 * EPOCH_NS, Ordering::Relaxed);
    for _ in 0..150 {
        bench.time.fetch_add(1_000_000, Ordering::Relaxed);
        note(&mut store, "one at a time");
    }
    let signed = store.checkpoint(None).unwrap();
    let kept = bench.temp.path().join("kept.db");
    migrate::copy(&store.db, &kept, |_| Ok(())).unwrap();
    let db = bench.raw();
    db.execute("ATTACH ?1 AS kept", [kept.to_str().unwrap()]).unwrap();
    let origin = append::at(store.log.number, 0);
    for (n, m) in [(5, 90), (170, 280), (2, 299)] {
        for attack in ATTACKS {
            let statements = attack.statements.replace("{o}", &origin.to_string());
            let statements = statements.replace("{n}", &n.to_string()).replace("{m}", &m.to_string());
            db.execute_batch(&statements).unwrap_or_else(|e| panic!("{}: {e}", attack.name));
            let error = store.verify_audit(None).unwrap();
            let bad = error.logs[0].0.bad.clone().unwrap_or_else(|| panic!("{} of {n} and {m} passed", attack.name));
            // In an epoch that is sealed, a changed code shows as what the seal does not fit.
            assert_eq!(bad.looks, attack.looks, "{} of {n} and {m}: {bad:?}", attack.name);
            assert_eq!(error.error().unwrap().exit().number(), 8);
            assert!(with_checkpoint(&store, &signed).is_some(), "{}", attack.name);
            for table in ["audit_events", "audit_heads", "audit_nodes", "audit_kinds"] {
                let text = format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM kept.{table}");
                db.execute_batch(&text).unwrap();
            }
            assert_eq!(looks(&store), None, "put back after {}", attack.name);
        }
    }
}

#[test]
fn no_flipped_byte_of_the_file_changes_what_is_read_unseen() {
    let bench = Bench::new();
    let mut store = bench.open();
    notes(&mut store, 3);
    store.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let told = store.audit_events(&EventFilter::default()).unwrap();
    drop(store);
    let path = bench.folder().join("consign.db");
    let good = std::fs::read(&path).unwrap();
    // All of them where a soak is asked for, else some from all over the file.
    let step = if std::env::var_os("CONSIGN_SOAK").is_some() { 1 } else { good.len() / 400 };
    let (mut seen, mut harmless) = (0, 0);
    for index in (0..good.len()).step_by(step.max(1)) {
        let mut bytes = good.clone();
        bytes[index] ^= 1 << (index % 8);
        std::fs::write(&path, &bytes).unwrap();
        let read = Store::open_read(&bench.folder(), bench.options());
        let Ok(Some(opened)) = read else {
            seen += 1;
            continue;
        };
        match opened.store.verify_audit(None) {
            Ok(report) if report.is_good() => {
                // Bytes of free room or of other tables: the events are what they were.
                assert_eq!(
                    opened.store.audit_events(&EventFilter::default()).ok().as_ref(),
                    Some(&told),
                    "byte {index}"
                );
                harmless += 1;
            }
            _ => seen += 1,
        }
    }
    assert!(seen > 0 && harmless > 0, "{seen} seen, {harmless} harmless");
}
