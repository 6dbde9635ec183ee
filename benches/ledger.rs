//! How fast the audit log is: `cargo bench --bench ledger -- append DIR EVENTS PER_TRANSACTION`,
//! `-- verify DIR`, `-- list DIR`, `-- prove DIR EVENT`. Without arguments: a small round of each.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for whoever measures")]

use std::path::Path;
use std::time::Instant;

use consign::audit::{Action, Draft};
use consign::store::{EventFilter, Options, Store};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["append", folder, events, per] => append(Path::new(folder), events.parse().unwrap(), per.parse().unwrap()),
        ["verify", folder] => verify(Path::new(folder)),
        ["list", folder] => list(Path::new(folder)),
        ["prove", folder, event] => prove(Path::new(folder), event),
        _ => {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("state");
            append(&folder, 20_000, 1000);
            append(&folder, 2000, 100);
            append(&folder, 50, 1);
            verify(&folder);
            list(&folder);
            prove(&folder, "777");
        }
    }
}

fn open(folder: &Path) -> Store {
    Store::open(folder, Options::default()).unwrap().store
}

/// An event with a body of about 250 bytes more than its frame.
fn draft(number: u64) -> Draft {
    let mut draft = Draft::new(Action::AuditNote).detail("n", number).detail("rule", "gdpr.consent");
    draft.actor = Some("svc".into());
    draft
}

fn append(folder: &Path, events: u64, per: u64) {
    let mut store = open(folder);
    let mut waits = Vec::new();
    let begun = Instant::now();
    let mut number = 0;
    while number < events {
        let count = per.min(events - number);
        let drafts = (number..number + count).map(draft).collect();
        let one = Instant::now();
        store.record(drafts).unwrap();
        waits.push(one.elapsed());
        number += count;
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let late = waits[waits.len() * 99 / 100].as_secs_f64() * 1000.0;
    let body = store.audit_event("2").ok().map(|event| serde_json::to_vec(&event).unwrap().len()).unwrap_or_default();
    drop(store);
    let bytes = folder.join("consign.db").metadata().unwrap().len();
    println!(
        "append {events} by {per}: {:.0}/s, p99 {late:.1} ms, body about {body} B, {bytes} B in all",
        events as f64 / seconds
    );
}

fn verify(folder: &Path) {
    let store = open(folder);
    let begun = Instant::now();
    let report = store.verify_audit(None).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    assert!(report.is_good());
    let events = report.logs[0].0.events;
    println!("verify {events}: {:.0}/s", events as f64 / seconds);
}

fn list(folder: &Path) {
    let store = open(folder);
    for action in [None, Some("audit.note"), Some("audit.log_started"), Some("audit.epoch_sealed")] {
        let filter = EventFilter { action: action.map(str::to_string), limit: 50, ..EventFilter::default() };
        let begun = Instant::now();
        let found = store.audit_events(&filter).unwrap().len();
        println!("list {action:?}: {found} in {:.2} ms", begun.elapsed().as_secs_f64() * 1000.0);
    }
}

fn prove(folder: &Path, event: &str) {
    let mut store = open(folder);
    store.checkpoint(None).unwrap();
    let begun = Instant::now();
    let (_, proof) = store.prove(event, None).unwrap();
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    println!("prove {event}: {} hashes in {milliseconds:.2} ms, its event included", proof.hashes.len());
}
