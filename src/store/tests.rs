//! The state as a whole: runs and steps, killed and damaged, by many at once.

mod damage;
mod ledger;
mod segments;

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::audit::verify::{Made, Test};
use crate::audit::{Action, Draft, chain::EPOCH_NS};
use crate::record::{Mark, Position, Receipt, Reject, Settled, SliceId, Totals};

const BORN: i64 = 1_700_000_000_000_000_000;

/// A state in a folder of its own, with a clock that the test sets.
struct Bench {
    temp: tempfile::TempDir,
    time: Arc<AtomicI64>,
    key: Option<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        Self { temp: tempfile::tempdir().unwrap(), time: Arc::new(AtomicI64::new(BORN)), key: None }
    }

    fn options(&self) -> Options {
        let time = Arc::clone(&self.time);
        Options {
            audit_key: self.key.clone().map(Zeroizing::new),
            show_first_key: true,
            pins: Some(self.temp.path().join("pins")),
            clock: Arc::new(move || time.fetch_add(1_000_000, Ordering::Relaxed)),
            ..Options::default()
        }
    }

    fn folder(&self) -> std::path::PathBuf {
        self.temp.path().join("state")
    }

    fn open(&self) -> Store {
        self.try_open().unwrap().store
    }

    fn try_open(&self) -> Result<Opened> {
        Store::open(&self.folder(), self.options())
    }

    /// The database, with no regard for anybody.
    fn raw(&self) -> Connection {
        let db = Connection::open(self.folder().join("consign.db")).unwrap();
        db.execute_batch("DROP TRIGGER IF EXISTS audit_events_stay; DROP TRIGGER IF EXISTS audit_events_remain;")
            .unwrap();
        db
    }
}

fn new_run(route: &str) -> NewRun {
    NewRun {
        route: route.into(),
        project: ("p1".into(), "{}".into()),
        mapping: ("m1".into(), "{\"a\":1}".into()),
        cause: "hand".into(),
        flags: vec!["full".into()],
        actor: Some("ada".into()),
        ..NewRun::default()
    }
}

fn reject(record: u64, payload: &[u8]) -> Reject {
    Reject {
        code: "map-validate",
        cause: "value >= 0 does not hold".into(),
        field: Some("cost".into()),
        source: "orders.csv".into(),
        slice: "orders.csv".into(),
        byte: record * 10,
        line: record + 1,
        record,
        column: 3,
        payload: payload.to_vec(),
        columns: vec!["sku".into(), "cost".into()],
        classes: crate::record::ClassId::named("pii.email").map(crate::record::ClassSet::one).unwrap_or_default(),
        record_key: None,
        overtaken: false,
        subject: None,
    }
}

fn settle(store: &Store, run: &Run, group: u64, written: u64, rejects: Vec<Reject>) -> Settle {
    let rejected = rejects.len() as u64;
    Settle {
        mark: Mark {
            log_id: store.log_id().into(),
            route: run.route.clone(),
            group,
            fence: run.fence,
            length: Some(group * 100),
            known: None,
        },
        receipt: Receipt { written, ..Receipt::default() },
        positions: vec![(SliceId::from("orders.csv"), settled(group * 1000))],
        totals: Totals {
            read: written + rejected,
            mapped: written,
            produced: written,
            written,
            rejected,
            ..Totals::default()
        },
        rejects,
        replayed: Vec::new(),
        warnings: Vec::new(),
        anew: false,
        overtaking: Vec::new(),
        rulings: Default::default(),
        about: Vec::new(),
        kept_back: Vec::new(),
    }
}

fn settled(byte: u64) -> Settled {
    let extra = serde_json::json!({ "inode": 7 });
    Settled { position: Position { byte, line: 5, record: byte / 10, extra }, done: false }
}

fn intent(run: &Run, group: u64) -> Intent {
    Intent {
        group,
        slices: vec![(SliceId::from("orders.csv"), settled(group * 1000))],
        records: 100,
        content: [0xab; 32],
        fence: run.fence,
        mapping: run.mapping.clone(),
        replayed: Vec::new(),
        anew: false,
        sweep: false,
        trace: crate::record::Trace::default(),
    }
}

fn end(state: RunState) -> RunEnd {
    RunEnd { state, exit: 0, error: None, warnings: vec!["mind".into()], calls: Vec::new(), settle: None }
}

/// The first key, out of the notice that shows it.
fn first_key(notices: &[String]) -> String {
    notices.iter().find_map(|n| n.split_once("machine: ")).unwrap().1.to_string()
}

#[test]
fn a_run_from_beginning_to_end() {
    let bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let key = first_key(&opened.notices);
    let mut store = opened.store;
    assert!(store.route("orders").unwrap().enabled);
    let run = store.begin_run(&new_run("orders")).unwrap();
    assert_eq!((run.fence, run.group), (1, 0));
    store.step(&run, None, Some(&intent(&run, 1))).unwrap();
    assert_eq!(store.route("orders").unwrap().intent, Some(intent(&run, 1)));
    let first = settle(&store, &run, 1, 8, vec![reject(3, b"a,-1"), reject(4, b"b,-2")]);
    store.step(&run, Some(&first), Some(&intent(&run, 2))).unwrap();
    let state = store.route("orders").unwrap();
    assert_eq!((state.group, state.mark.clone(), state.settled.clone()), (1, Some(first.mark), first.positions));
    assert_eq!(state.intent, Some(intent(&run, 2)));
    let last = RunEnd { settle: Some(settle(&store, &run, 2, 5, vec![])), ..end(RunState::Done) };
    store.finish_run(&run, &last).unwrap();
    let state = store.route("orders").unwrap();
    assert_eq!((state.intent, state.group), (None, 2));
    assert!(state.last_success_ns.is_some());

    let row = store.run(&run.id[..18]).unwrap();
    assert_eq!((row.state, row.groups, row.totals.written, row.totals.rejected), (RunState::Done, 2, 13, 2));
    assert_eq!((row.flags, row.warnings), (vec!["full".to_string()], vec!["mind".to_string()]));
    assert_eq!(store.runs(&RunFilter { route: Some("orders".into()), ..RunFilter::default() }).unwrap().len(), 1);
    let reasons = store.reject_reasons(&run.id).unwrap();
    assert_eq!((reasons[0].records, reasons[0].line), (2, 4));
    assert_eq!(store.config("m1").unwrap().as_deref(), Some("{\"a\":1}"));

    let events = store.audit_events(&EventFilter { run: Some(run.id.clone()), ..EventFilter::default() }).unwrap();
    let actions: Vec<&str> = events.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["run.finished", "group.settled", "group.settled", "run.started"]);
    assert_eq!(events[2].details["rejects"]["map-validate"], serde_json::json!(2));
    assert_eq!(store.audit_event(&events[1].id).unwrap(), events[1]);
    assert_eq!(store.audit_event("1").unwrap().action, "audit.log_started");
    assert_eq!(store.audit_event("ffff").unwrap_err().exit().number(), 2);
    let proof = store.verify_audit(Some(&key)).unwrap();
    assert!(
        proof.is_good() && proof.logs[0].0.checks.iter().all(|c| c.made == Made::Passed || c.test == Test::Checkpoints),
        "{proof:?}"
    );
}

#[test]
fn what_breaks_a_law_changes_nothing() {
    let bench = Bench::new();
    let mut store = bench.open();
    let old = store.begin_run(&new_run("r")).unwrap();
    let run = store.begin_run(&new_run("r")).unwrap();
    let before = (store.route("r").unwrap(), store.audit_events(&EventFilter::default()).unwrap().len());
    let good = settle(&store, &run, 1, 5, vec![]);
    let mut miscounted = good.clone();
    miscounted.totals.read = 6;
    let mut unlettered = good.clone();
    (unlettered.totals.read, unlettered.totals.rejected) = (6, 1);
    let mut gap = good.clone();
    gap.mark.group = 2;
    for (wrong, run, exit) in [(&miscounted, &run, 1), (&unlettered, &run, 1), (&gap, &run, 1), (&good, &old, 7)] {
        assert_eq!(store.step(run, Some(wrong), None).unwrap_err().exit().number(), exit);
    }
    assert_eq!(store.step(&run, None, Some(&intent(&run, 2))).unwrap_err().kind(), Kind::Bug);
    let after = (store.route("r").unwrap(), store.audit_events(&EventFilter::default()).unwrap().len());
    assert_eq!(before, after);
    assert_eq!(store.run(&old.id).unwrap().state, RunState::Died);
    store.step(&run, Some(&good), None).unwrap();
}

#[test]
fn a_state_dropped_in_the_middle_of_a_transaction_is_as_before() {
    let bench = Bench::new();
    let mut store = bench.open();
    let run = store.begin_run(&new_run("r")).unwrap();
    store.step(&run, None, Some(&intent(&run, 1))).unwrap();
    let group = settle(&store, &run, 1, 5, vec![reject(1, b"x")]);
    // As if the process died between the statements and COMMIT.
    store.db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let id = store.id.clone();
    let mut writing = Writing {
        db: &store.db,
        log: &mut store.log,
        now_ns: BORN + 5,
        auditing: true,
        letter_sealer: store.letter_sealers.last(),
        limits: LetterLimits::default(),
        state_id: &id,
    };
    writing.settle(&run, 0, &group).unwrap();
    drop(store);
    let store = bench.open();
    let state = store.route("r").unwrap();
    assert_eq!((state.group, state.intent), (0, Some(intent(&run, 1))));
    assert!(store.dead_letters(&LetterFilter::default()).unwrap().is_empty());
    assert!(store.verify_audit(None).unwrap().is_good());
}

#[test]
fn dead_letters_are_sealed_listed_claimed_replayed_and_given_up() {
    let bench = Bench::new();
    let mut store = bench.open();
    let run = store.begin_run(&new_run("r")).unwrap();
    let rejects = vec![reject(1, b"canary-one@example.org"), reject(2, b"two"), reject(3, b"three")];
    store.step(&run, Some(&settle(&store, &run, 1, 0, rejects)), None).unwrap();
    let listed = store.dead_letters(&LetterFilter { route: Some("r".into()), ..LetterFilter::default() }).unwrap();
    assert_eq!(listed.iter().map(|l| l.record).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((listed[0].columns.len(), listed[0].classes.to_string()), (2, "pii.contact.email".to_string()));
    assert_eq!(store.dead_letter(&listed[0].id).unwrap().payload.as_slice(), b"canary-one@example.org");
    store.finish_run(&run, &end(RunState::Partial)).unwrap();

    // A replay: one makes it, one is rejected again, one is left when the run dies.
    let run = store.begin_run(&new_run("r")).unwrap();
    let claimed = store.claim_letters(&run, &LetterFilter::default()).unwrap();
    assert_eq!(claimed.len(), 3);
    assert!(store.claim_letters(&run, &LetterFilter::default()).unwrap().is_empty());
    let mut group = settle(&store, &run, 2, 1, vec![reject(2, b"two")]);
    group.replayed = vec![claimed[0].letter.id.clone()];
    store.step(&run, Some(&group), None).unwrap();
    let run = store.begin_run(&new_run("r")).unwrap();
    let states: Vec<_> =
        store.dead_letters(&LetterFilter::default()).unwrap().iter().map(|l| (l.record, l.state)).collect();
    use LetterState::{Open, Replayed, Superseded};
    assert_eq!(states, [(1, Replayed), (2, Superseded), (3, Open), (2, Open)]);
    assert_eq!(store.dead_letter(&claimed[0].letter.id).unwrap_err().code().id, "store-letter-sealed");
    let mut foreign = settle(&store, &run, 3, 1, vec![]);
    foreign.replayed = vec![claimed[2].letter.id.clone()];
    assert_eq!(store.step(&run, Some(&foreign), None).unwrap_err().kind(), Kind::Bug, "not claimed by this run");

    let two = LetterFilter { code: Some("map-validate".into()), ..LetterFilter::default() };
    assert_eq!(store.resolve_letters(&two, LetterState::Discarded, "old stock", Some("ada")).unwrap(), 2);
    let open = LetterFilter { states: vec![Open], ..LetterFilter::default() };
    assert_eq!(store.count_dead_letters(&open).unwrap(), 0);
    let told =
        store.audit_events(&EventFilter { action: Some("dead_letters".into()), ..EventFilter::default() }).unwrap();
    assert_eq!(told[0].reason.as_deref(), Some("old stock"));

    // After 31 days they are gone; why they were rejected is still known.
    bench.time.fetch_add(31 * 24 * EPOCH_NS, Ordering::Relaxed);
    store.begin_run(&new_run("other")).unwrap();
    assert!(store.dead_letters(&LetterFilter::default()).unwrap().is_empty());
    assert!(store.verify_audit(None).unwrap().is_good());
    drop(store);
    for entry in std::fs::read_dir(bench.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = std::fs::read(&path).unwrap();
            assert!(memchr::memmem::find(&text, b"canary-one").is_none(), "{}", path.display());
        }
    }
}

#[test]
fn caps_keep_the_letter_and_let_the_payload_go() {
    let bench = Bench::new();
    let limits = LetterLimits { payload_bytes: 10, route_bytes: 12, days: 1 };
    let mut store = Store::open(&bench.folder(), Options { letters: limits, ..bench.options() }).unwrap().store;
    let run = store.begin_run(&new_run("r")).unwrap();
    let rejects = vec![reject(1, b"0123456789"), reject(2, b"abc"), reject(3, &[b'x'; 2]), reject(4, &[b'y'; 70_000])];
    store.step(&run, Some(&settle(&store, &run, 1, 0, rejects)), None).unwrap();
    let whole: Vec<_> =
        store.dead_letters(&LetterFilter::default()).unwrap().iter().map(|l| (l.whole, l.size)).collect();
    assert_eq!(whole, [(true, 10), (false, 3), (true, 2), (false, 70_000)]);
    drop(store);
    let mut store = bench.open();
    let run = store.begin_run(&new_run("s")).unwrap();
    let mut large = vec![b'z'; 1 << 20];
    large.push(b'!');
    store.step(&run, Some(&settle(&store, &run, 1, 0, vec![reject(1, &large)])), None).unwrap();
    let letter =
        store.dead_letters(&LetterFilter { route: Some("s".into()), ..LetterFilter::default() }).unwrap().remove(0);
    assert!(!letter.whole);
    assert_eq!(store.dead_letter(&letter.id).unwrap().payload.len(), 64 << 10);
    assert!(store.claim_letters(&run, &LetterFilter::default()).unwrap().is_empty(), "not to be replayed");
}

#[test]
fn routes_are_switched_and_set_by_hand_and_all_of_it_is_recorded() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.set_enabled("r", false, Some("stocktaking"), Some("ada")).unwrap();
    let state = store.route("r").unwrap();
    assert_eq!((state.enabled, state.reason.as_deref()), (false, Some("stocktaking")));
    store.set_enabled("r", true, None, None).unwrap();
    store.set_position("r", "orders.csv", &settled(50), "skip the bad part", None).unwrap();
    assert_eq!(store.route("r").unwrap().settled, [(SliceId::from("orders.csv"), settled(50))]);
    store.reset_position("r", "again", None).unwrap();
    assert!(store.route("r").unwrap().settled.is_empty() && store.route("r").unwrap().enabled);
    let events = store.audit_events(&EventFilter { route: Some("r".into()), ..EventFilter::default() }).unwrap();
    let actions: Vec<&str> = events.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["position.reset", "position.set", "route.enabled", "route.disabled"]);
    assert_eq!(events[1].details["to"]["byte"], serde_json::json!(50));
}

#[test]
fn epochs_are_sealed_by_time_and_the_first_key_still_proves_everything() {
    let bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let key = first_key(&opened.notices);
    let mut store = opened.store;
    for hours in [0, 1, 0, 5, 30] {
        bench.time.fetch_add(hours * EPOCH_NS, Ordering::Relaxed);
        store.record_event(Draft::new(Action::AuditNote).detail("hours", hours)).unwrap();
    }
    let head = append::read_head(&store.db).unwrap().unwrap().2.head;
    assert_eq!(head.epoch, 36, "1 + 5 + 30 hours");
    for key in [Some(key.as_str()), None] {
        assert!(store.verify_audit(key).unwrap().is_good());
    }
    let report = store.verify_audit(None).unwrap().logs.remove(0).0;
    let sealed = report.checks.iter().find(|c| c.test == Test::SealedCodes).unwrap();
    assert!(matches!(sealed.made, Made::NotMade(why) if why.contains("first key")));
    let other = store.verify_audit(Some(&base64_of(&[9; 32]))).unwrap_err();
    assert_eq!((other.code().id, other.exit().number()), ("audit-key-other", 2));
}

#[test]
fn many_at_once_are_one_chain_whichever_thread_makes_them() {
    let bench = Bench::new();
    let mut store = bench.open();
    for (round, count) in [1, 15, 16, 63, 64, 65, 200, 333].into_iter().enumerate() {
        // Every other round its epoch is over: its seal comes first.
        bench.time.fetch_add(if round % 2 == 0 { 1 } else { 2 * EPOCH_NS }, Ordering::Relaxed);
        let before = store.last_event().unwrap();
        let drafts = (0..count).map(|number| {
            let mut draft = Draft::new(Action::AuditNote).detail("n", number);
            draft.about.extend((number % 7 == 3).then(|| store.subject_token(&[&format!("customer {}", number % 5)])));
            draft.run = (number % 3 == 0).then(|| format!("run {round}"));
            draft
        });
        let drafts: Vec<Draft> = drafts.collect();
        let ids = store.record(drafts).unwrap();
        assert_eq!(ids.len(), count);
        assert_eq!(store.last_event().unwrap(), before + count as u64 + round as u64 % 2, "{count}");
        let events: Vec<_> = ids.iter().map(|id| store.audit_event(id).unwrap()).collect();
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event.details["n"], serde_json::json!(number));
            assert_eq!((event.subjects.len(), event.run.is_some()), (usize::from(number % 7 == 3), number % 3 == 0));
        }
        assert!(events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    }
    assert!(store.verify_audit(None).unwrap().is_good());
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn the_clock_may_go_back_and_the_log_does_not() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.record_event(Draft::new(Action::AuditNote)).unwrap();
    bench.time.store(BORN - 10 * EPOCH_NS, Ordering::Relaxed);
    let ids: Vec<_> = (0..3).map(|_| store.record_event(Draft::new(Action::AuditNote)).unwrap().unwrap()).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    let events = store.audit_events(&EventFilter::default()).unwrap();
    assert!(events.windows(2).all(|pair| pair[0].time >= pair[1].time));
    assert_eq!(events.iter().filter(|e| e.action == "clock.step").count(), 1);
    assert!(events[0].clock.is_some(), "what the clock said is kept");
    assert!(store.verify_audit(None).unwrap().is_good());
}

#[test]
fn a_lost_key_begins_a_new_log_and_is_no_tampering() {
    let mut bench = Bench::new();
    let opened = bench.try_open().unwrap();
    let key = first_key(&opened.notices);
    let (id, log) = (opened.store.log_id().to_string(), opened.store.audit_log_id().to_string());
    drop(opened);
    std::fs::remove_file(bench.folder().join("keys")).unwrap();
    let opened = bench.try_open().unwrap();
    assert!(opened.notices.iter().any(|n| n.contains("is lost")), "{:?}", opened.notices);
    assert_eq!(opened.store.log_id(), id, "targets still know the state");
    assert_ne!(opened.store.audit_log_id(), log);
    let events = opened.store.audit_events(&EventFilter::default()).unwrap();
    assert_eq!((events[0].action.as_str(), events[0].level), ("audit.log_replaced", crate::audit::Level::Critical));
    let proof = opened.store.verify_audit(Some(&key)).unwrap();
    assert!(proof.is_good() && proof.logs.len() == 2 && proof.logs[0].1);
    drop(opened);

    // A key in the environment takes over; forgotten, it is asked for; replaced, a new log begins.
    bench.key = Some(b"a long enough secret".to_vec());
    assert!(bench.try_open().unwrap().notices.iter().any(|n| n.contains("wrapped")));
    bench.key = None;
    let error = bench.try_open().err().unwrap();
    assert_eq!((error.code().id, error.exit().number()), ("audit-key-missing", 4));
    assert!(Store::open_read(&bench.folder(), bench.options()).unwrap().is_some(), "reading goes on");
    bench.key = Some(b"another long enough secret".to_vec());
    let opened = bench.try_open().unwrap();
    assert_eq!(opened.store.verify_audit(None).unwrap().logs.len(), 3);
    assert!(opened.store.verify_audit(None).unwrap().is_good());
}

#[test]
fn the_first_key_goes_into_a_file_where_nobody_looks() {
    let bench = Bench::new();
    let opened = Store::open(&bench.folder(), Options { show_first_key: false, ..bench.options() }).unwrap();
    let path = bench.folder().join(format!("first-audit-key-{}", opened.store.audit_log_id()));
    let key = std::fs::read_to_string(&path).unwrap();
    assert!(opened.notices[0].contains(path.to_str().unwrap()) && !opened.notices[0].contains(key.trim()));
    assert!(opened.store.verify_audit(Some(&key)).unwrap().is_good());
    assert!(bench.try_open().unwrap().notices.is_empty(), "told once");
}

#[test]
fn recording_can_be_switched_off_and_says_so() {
    let bench = Bench::new();
    let mut store = bench.open();
    store.set_auditing(false).unwrap();
    assert_eq!(store.record_event(Draft::new(Action::AuditNote)).unwrap(), None);
    assert!(store.record_event(Draft::new(Action::RunDied)).unwrap().is_some(), "trouble is recorded all the same");
    drop(store);
    let mut store = bench.open();
    store.set_auditing(true).unwrap();
    let events = store.audit_events(&EventFilter::default()).unwrap();
    let actions: Vec<&str> = events.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["audit.enabled", "run.died", "audit.disabled", "audit.log_started"]);
}

#[test]
fn many_writers_at_once_and_none_is_turned_away() {
    let bench = Bench::new();
    drop(bench.open());
    let each = u64::from(crate::soak::rounds(25));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let bench = &bench;
            scope.spawn(move || {
                let mut store = bench.open();
                for index in 0..each {
                    let draft = Draft::new(Action::AuditNote).detail("thread", thread).detail("index", index);
                    store.record_event(draft).unwrap();
                }
            });
        }
    });
    let store = bench.open();
    let report = store.verify_audit(None).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.logs[0].0.events, 8 * each + 1);
}

#[test]
fn first_opened_by_many_at_once_it_is_one_state() {
    let bench = Bench::new();
    let ids: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| bench.open().log_id().to_string())).collect();
        all.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1);
}
