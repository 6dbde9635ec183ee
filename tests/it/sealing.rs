//! Segments of the log, killed at every step of sealing, redacting and pruning: whatever happens, each event is
//! in one place afterwards. And the keys of checkpoints, from one to the next.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use consign::audit::{Action, Draft};
use consign::store::{Options, Store};
use rusqlite::Connection;

use crate::support::consign;

/// A project with a log of 1,200 events that is a year old.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("connectors.yaml"), "version: 1\nconnectors: {}\n").expect("the project");
    let year = 365 * 86_400_000_000_000i64;
    let then = consign::store::system_clock()() - year;
    let options = Options { clock: Arc::new(move || then), ..Options::default() };
    let mut store = Store::open(&folder.path().join(".consign"), options).expect("a state").store;
    for round in 0..12 {
        let drafts = (0..100).map(|n| Draft::new(Action::AuditNote).detail("n", round * 100 + n)).collect();
        store.record(drafts).expect("recorded");
    }
    drop(store);
    folder
}

fn run(root: &Path, words: &[&str], failpoint: Option<&str>) -> (Option<i32>, String) {
    let mut command = consign(root);
    command.args(words);
    if let Some(point) = failpoint {
        command.env("CONSIGN_FAILPOINT", point);
    }
    let output = command.output().expect("consign starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

fn must(root: &Path, words: &[&str]) -> String {
    let (code, said) = run(root, words, None);
    assert_eq!(code, Some(0), "{words:?}\n{said}");
    said
}

/// Every event by its number: in how many places it is, and how many of these have its body.
fn places(root: &Path) -> BTreeMap<i64, (u32, u32)> {
    let state = root.join(".consign");
    let mut places: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
    let mut look = |path: &Path| {
        let db = Connection::open(path).expect("a database");
        let mut rows = db.prepare("SELECT at % 1099511627776, body IS NOT NULL FROM audit_events").expect("events");
        let found = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("events");
        for row in found {
            let (seq, body): (i64, bool) = row.expect("a row");
            let place = places.entry(seq).or_default();
            *place = (place.0 + 1, place.1 + u32::from(body));
        }
    };
    look(&state.join("consign.db"));
    for entry in std::fs::read_dir(state.join("segments")).into_iter().flatten() {
        look(&entry.expect("a file").path());
    }
    places
}

/// After whatever was done to it and the next command that writes: nothing is lost, nothing is doubled.
fn whole(root: &Path, what: &str) -> BTreeMap<i64, (u32, u32)> {
    must(root, &["audit", "add", "after", "-q"]);
    let places = places(root);
    let doubled: Vec<_> = places.iter().filter(|(_, (count, _))| *count != 1).collect();
    assert!(doubled.is_empty(), "{what}: {doubled:?}");
    let (first, last) = (places.keys().next().expect("one"), places.keys().last().expect("one"));
    assert_eq!(last - first + 1, places.len() as i64, "{what}: none is missing");
    must(root, &["audit", "verify"]);
    places
}

const SEAL: &[&str] = &["audit", "seal", "--events", "256", "--keep", "100"];

#[test]
fn a_sealing_that_is_killed_leaves_every_event_in_one_place() {
    for point in [
        "segment_written",
        "inside_segment",
        "segment_sealed",
        "segment_emptying",
        "segment_written:3",
        "segment_sealed:2",
    ] {
        let folder = project();
        let root = folder.path();
        assert_eq!(run(root, SEAL, Some(point)).0, None, "{point}: it was killed");
        // Before anything is put right as well: what is asked for is there once.
        let listed = must(root, &["-o", "csv", "audit", "list", "--limit", "0", "--action", "audit.note"]);
        assert_eq!(listed.lines().count(), 1201, "{point}");
        must(root, &["audit", "verify", "--no-record"]);
        whole(root, point);
        must(root, SEAL);
        assert_eq!(std::fs::read_dir(root.join(".consign/segments")).expect("segments").count(), 4, "{point}");
        whole(root, point);
    }
}

#[test]
fn a_redaction_or_a_prune_that_is_killed_is_done_or_not() {
    for point in ["segment_written", "inside_segment", "segment_replaced"] {
        let folder = project();
        let root = folder.path();
        must(root, SEAL);
        let redact = ["audit", "redact", "300", "--reason", "asked for", "--approver", "bea"];
        assert_eq!(run(root, &redact, Some(point)).0, None, "{point}: it was killed");
        let done = point == "segment_replaced";
        assert_eq!(whole(root, point)[&300].1, u32::from(!done), "{point}");
        if !done {
            must(root, &redact);
            assert_eq!(whole(root, point)[&300].1, 0);
        }
        must(root, &["audit", "checkpoint", "--to", "file:checkpoints"]);
        let prune = ["audit", "prune", "--older-than", "100d", "--approver", "bea"];
        assert_eq!(run(root, &prune, Some(point)).0, None, "{point}: it was killed");
        let first = *whole(root, point).keys().next().expect("one");
        assert_eq!(first, if done { 1025 } else { 1 }, "{point}");
        if !done {
            must(root, &prune);
        }
        assert_eq!(*whole(root, point).keys().next().expect("one"), 1025);
        must(root, &["audit", "verify", "--checkpoint", "checkpoints"]);
    }
}

#[test]
fn a_missing_or_altered_segment_is_named() {
    let folder = project();
    let root = folder.path();
    must(root, SEAL);
    let file =
        std::fs::read_dir(root.join(".consign/segments")).expect("segments").flatten().map(|entry| entry.path()).min();
    let file = file.expect("a segment");
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let good = std::fs::read(&file).expect("its bytes");
    std::fs::remove_file(&file).expect("removed");
    let (code, said) = run(root, &["audit", "verify"], None);
    assert!(code == Some(8) && said.contains(&name) && said.contains("is missing"), "{said}");
    let mut bytes = good.clone();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).expect("written");
    let (code, said) = run(root, &["audit", "verify"], None);
    assert_eq!(code, Some(8), "{said}");
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, &good).expect("put back");
    assert!(must(root, &["audit", "verify"]).contains("segments"));
}

#[test]
fn whoever_has_the_old_key_follows_to_the_new_one() {
    let folder = project();
    let root = folder.path();
    let old = must(root, &["audit", "public-key"]);
    // Killed in the middle of it: the old key is the one that signs.
    assert_eq!(run(root, &["audit", "rotate-key"], Some("inside_signer")).0, None, "it was killed");
    assert_eq!(must(root, &["audit", "public-key"]), old);
    must(root, &["audit", "verify"]);
    must(root, &["audit", "rotate-key", "--reason", "a year is over", "--to", "handover.note"]);
    let new = must(root, &["audit", "public-key"]);
    assert_ne!(old, new);
    must(root, &["audit", "add", "one more", "-q"]);
    let number = |listed: String| listed.lines().nth(1).and_then(|line| line.split(',').next()).map(str::to_string);
    let told = must(root, &["-o", "csv", "audit", "list", "--action", "audit.signer_rotated"]);
    must(root, &["audit", "prove", &number(told).expect("the event"), "--to", "p"]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    for name in ["p", "handover.note"] {
        std::fs::copy(root.join(name), elsewhere.path().join(name)).expect("copied");
    }
    let verify = ["audit", "verify", "--proof", "p", "--key", old.trim()];
    let (code, said) = run(elsewhere.path(), &verify, None);
    // The checkpoint over the rotation itself is signed by both.
    assert!(code == Some(0), "{said}");
    must(root, &["audit", "add", "and another", "-q"]);
    let last = must(root, &["-o", "csv", "audit", "list", "--limit", "1"]);
    must(root, &["audit", "prove", &number(last).expect("an event"), "--to", "p"]);
    std::fs::copy(root.join("p"), elsewhere.path().join("p")).expect("copied");
    let (code, said) = run(elsewhere.path(), &verify, None);
    assert!(code == Some(8) && said.contains("may have been replaced"), "{said}");
    must(elsewhere.path(), &[&verify[..], &["--handover", "handover.note"]].concat());
    let text = std::fs::read_to_string(root.join("handover.note")).expect("the note");
    assert_eq!(must(root, &["audit", "public-key", "--handovers"]), text);
    std::fs::write(elsewhere.path().join("handover.note"), text.replacen("to consign", "to consigm", 1))
        .expect("changed");
    let (code, said) = run(elsewhere.path(), &[&verify[..], &["--handover", "handover.note"]].concat(), None);
    assert!(code == Some(8) && said.contains("audit-handover-bad"), "{said}");
}
