//! How fast the audit log is: `cargo bench --bench ledger -- append DIR EVENTS PER_TRANSACTION`,
//! `-- writers DIR WRITERS EVENTS PER_TRANSACTION`, `-- fsync DIR TIMES`, `-- verify DIR`, `-- list DIR`,
//! `-- subject DIR`, `-- prove DIR EVENT`, `-- seal DIR EVENTS`; `-- runs DIR COUNT` writes the numbers of so many
//! runs for reports. Without arguments: a small round of each.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for whoever measures")]

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use consign::audit::{Action, Draft};
use consign::store::{EventFilter, Options, Store};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().unwrap();
    match words.as_slice() {
        ["append", folder, events, per] => append(Path::new(folder), number(events), number(per)),
        ["writers", folder, writers, events, per] => {
            side_by_side(Path::new(folder), number(writers), number(events), number(per));
        }
        ["fsync", folder, times] => fsync(Path::new(folder), number(times)),
        ["verify", folder] => verify(Path::new(folder)),
        ["list", folder] => list(Path::new(folder)),
        ["subject", folder] => subject(Path::new(folder)),
        ["prove", folder, event] => prove(Path::new(folder), event),
        ["seal", folder, events] => seal(Path::new(folder), number(events)),
        ["runs", folder, count] => runs(Path::new(folder), number(count)),
        _ => {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("state");
            append(&folder, 20_000, 1000);
            append(&folder, 2000, 100);
            append(&folder, 50, 1);
            side_by_side(&folder, 8, 400, 10);
            fsync(&folder, 50);
            verify(&folder);
            list(&folder);
            subject(&folder);
            prove(&folder, "777");
            seal(&folder, 5000);
            verify(&folder);
            list(&folder);
            runs(&folder, 1000);
        }
    }
}

fn open(folder: &Path) -> Store {
    let options = Options { wait: Duration::from_secs(60), ..Options::default() };
    Store::open(folder, options).unwrap().store
}

/// An event with a body of about 250 bytes; one in fifty is about one of 100,000 subjects.
fn draft(store: &Store, number: u64) -> Draft {
    let mut draft = Draft::new(Action::AuditNote).detail("n", number).detail("ok", true);
    draft.actor = Some("svc".into());
    if number.is_multiple_of(50) {
        draft.about = vec![store.subject_token(&[&format!("customer-{}", number / 50 % 100_000)])];
    }
    draft
}

/// Appends so many events; how long each transaction took.
fn fill(store: &mut Store, events: u64, per: u64) -> Vec<Duration> {
    let mut waits = Vec::new();
    let mut number = 0;
    while number < events {
        let count = per.min(events - number);
        let drafts = (number..number + count).map(|number| draft(store, number)).collect();
        let one = Instant::now();
        store.record(drafts).unwrap();
        waits.push(one.elapsed());
        number += count;
    }
    waits
}

fn milliseconds(mut waits: Vec<Duration>, share: usize) -> f64 {
    waits.sort_unstable();
    waits[(waits.len() * share / 100).min(waits.len() - 1)].as_secs_f64() * 1000.0
}

fn append(folder: &Path, events: u64, per: u64) {
    let mut store = open(folder);
    let begun = Instant::now();
    let waits = fill(&mut store, events, per);
    let seconds = begun.elapsed().as_secs_f64();
    let body = store.audit_event("3").ok().map(|event| serde_json::to_vec(&event).unwrap().len()).unwrap_or_default();
    let all = store.last_event().unwrap();
    drop(store);
    let bytes = folder.join("consign.db").metadata().unwrap().len();
    println!(
        "append {events} by {per}: {:.0}/s, p99 {:.1} ms, body about {body} B, {:.0} B on disk for each of {all}",
        events as f64 / seconds,
        milliseconds(waits, 99),
        bytes as f64 / all as f64,
    );
}

fn side_by_side(folder: &Path, writers: u64, events: u64, per: u64) {
    drop(open(folder));
    let begun = Instant::now();
    let waits: Vec<Duration> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..writers).map(|_| scope.spawn(|| fill(&mut open(folder), events, per))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{writers} writers, {events} each by {per}: {:.0}/s, wait p50 {:.1} ms, p99 {:.1} ms",
        (writers * events) as f64 / seconds,
        milliseconds(waits.clone(), 50),
        milliseconds(waits, 99),
    );
}

/// What the disk itself does: a page written and synced, so often.
fn fsync(folder: &Path, times: u64) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("fsync");
    let mut file = std::fs::File::create(&path).unwrap();
    let begun = Instant::now();
    for _ in 0..times {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    println!("fsync: {:.0}/s", times as f64 / begun.elapsed().as_secs_f64());
    std::fs::remove_file(path).unwrap();
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

fn subject(folder: &Path) {
    let store = open(folder);
    let begun = Instant::now();
    let found = store.subject_events(&["customer-7"], 100).unwrap().map_or(0, |(_, events)| events.len());
    println!("subject: {found} events in {:.2} ms", begun.elapsed().as_secs_f64() * 1000.0);
}

fn prove(folder: &Path, event: &str) {
    let mut store = open(folder);
    store.checkpoint(None).unwrap();
    let begun = Instant::now();
    let (_, proof) = store.prove(event, None).unwrap();
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    println!("prove {event}: {} hashes in {milliseconds:.2} ms, its event included", proof.hashes.len());
}

fn seal(folder: &Path, events: u64) {
    let mut store = open(folder);
    let begun = Instant::now();
    let made = store.seal_segments(events, events).unwrap();
    let sealed: u64 = made.iter().map(|segment| segment.last + 1 - segment.first).sum();
    let bytes: u64 = made.iter().map(|one| folder.join("segments").join(&one.file).metadata().unwrap().len()).sum();
    println!(
        "seal {sealed} in {} files: {:.0}/s, {:.0} B each",
        made.len(),
        sealed as f64 / begun.elapsed().as_secs_f64(),
        bytes as f64 / sealed.max(1) as f64
    );
}

/// The numbers of so many runs of 40 routes, one each half minute up to now; as runs leave them.
fn runs(folder: &Path, count: u64) {
    let store = open(folder);
    let now = store.now_ns();
    drop(store);
    let db = rusqlite::Connection::open(folder.join("consign.db")).unwrap();
    db.execute_batch("BEGIN").unwrap();
    let mut add = db
        .prepare(
            "INSERT INTO run_numbers (started_ns, number, route, ended_ns, due_ns, state, read, written, aside, bytes, error_code)
             VALUES (?1, ?2, ?3, ?4, NULL, ?5, 1000, 990, 10, 250000, ?6)",
        )
        .unwrap();
    for number in 0..count as i64 {
        let started = now - (count as i64 - number) * 30_000_000_000;
        let took = 1_000_000_000 + number * 7919 % 60_000 * 1_000_000;
        let (state, code) = if number % 100 == 0 { ("failed", Some("connect-refused")) } else { ("done", None) };
        let route = format!("route_{:02}", number % 40);
        add.execute(rusqlite::params![started, 1_000_000 + number, route, started + took, state, code]).unwrap();
    }
    drop(add);
    db.execute_batch("COMMIT").unwrap();
    println!("{count} runs");
}
