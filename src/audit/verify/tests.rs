//! The verifier against every way to change a log that a test can think of.

use proptest::prelude::*;

use super::*;
use crate::audit::chain::{EPOCH_EVENTS, EPOCH_NS};
use crate::audit::event::{self, Draft, Stamp};

const LOG: &str = "018bcfe5-6800-7fff-bfff-ffffffffffff";

#[derive(Clone, Debug)]
struct Owned {
    numbers: [i64; 3],
    blobs: [Vec<u8>; 3],
    texts: [String; 5],
}

impl Owned {
    fn row(&self) -> Row<'_> {
        let [seq, ts_ns, epoch] = self.numbers;
        let [body, leaf, mac] = &self.blobs;
        let [level, category, action, run, route] = &self.texts;
        let index = Index {
            level,
            category,
            action,
            run: Some(run).filter(|r| !r.is_empty()).map(|r| &**r),
            route: Some(route),
        };
        Row { seq, ts_ns, epoch, body: Some(body), leaf, mac, index }
    }
}

fn grow(head: &mut Head, ts_ns: i64, leaf: &Hash, mac: Hash) {
    let _: Result<(), std::convert::Infallible> = head.add(ts_ns, leaf, mac, |_, _, _| Ok(()));
}

/// A log as its writer makes it.
#[derive(Clone)]
struct Sample {
    rows: Vec<Owned>,
    known: Vec<Known>,
    head: Head,
    first: Key,
    current: Key,
}

impl Sample {
    fn new() -> Self {
        let first = Key::new([3; 32]);
        Self { rows: Vec::new(), known: Vec::new(), head: Head::empty(0), current: first.clone(), first }
    }

    fn add(&mut self, draft: &Draft, ts_ns: i64) {
        let (seq, epoch) = (self.head.size + 1, self.head.epoch);
        let body = draft.body(
            &Stamp { id: event::id(ts_ns, [seq as u8; 16]), seq, ts_ns, clock_ns: ts_ns },
            &crate::audit::Session::default(),
        );
        let leaf = chain::leaf(&body);
        let previous = self.head.last;
        let mac = chain::link(&self.current, &Link { log_id: LOG, epoch, seq, previous: &previous, leaf: &leaf });
        let index = [draft.level.word(), draft.action.category().word(), draft.action.word()];
        let [level, category, action] = index.map(str::to_string);
        self.rows.push(Owned {
            numbers: [seq as i64, ts_ns, epoch as i64],
            blobs: [body, leaf.to_vec(), mac.to_vec()],
            texts: [
                level,
                category,
                action,
                draft.run.clone().unwrap_or_default(),
                draft.route.clone().unwrap_or_default(),
            ],
        });
        grow(&mut self.head, ts_ns, &leaf, mac);
    }

    fn note(&mut self, ts_ns: i64) {
        let mut draft = Draft::new(Action::GroupSettled).detail("written", self.rows.len());
        (draft.run, draft.route) = (Some("run".into()), Some("orders".into()));
        if self.head.is_over(ts_ns) && self.head.size > 0 {
            let next = self.head.epoch_after(ts_ns);
            let mut seal = Draft::new(Action::EpochSealed)
                .detail("epoch", self.head.epoch)
                .detail("next", next)
                .detail("events", self.head.epoch_events)
                .detail("running", chain::hex(&self.head.running));
            seal.route = Some("orders".into());
            self.add(&seal, ts_ns);
            self.current = self.current.evolve_by(next - self.head.epoch);
            self.head.open_epoch(next, ts_ns);
        }
        self.add(&draft, ts_ns);
        self.head.code = self.head.code_under(&self.current, LOG);
    }

    /// Three epochs, one of them empty.
    fn three_epochs() -> Self {
        let mut made = Self::new();
        for ts in [1, 2, 3, EPOCH_NS + 5, EPOCH_NS + 6, 4 * EPOCH_NS, 4 * EPOCH_NS, 4 * EPOCH_NS + 1] {
            made.note(ts);
        }
        made
    }

    fn keys(&self) -> [Keys; 3] {
        let (first, current) = (Some(self.first.clone()), Some(self.current.clone()));
        [Keys::default(), Keys { first: None, current: current.clone() }, Keys { first, current }]
    }

    fn setting(&self) -> Setting {
        Setting { open_epoch: Some(self.head.epoch), known: self.known.clone(), ..Setting::default() }
    }

    fn verify(&self, keys: Keys) -> Report {
        let mut verifier = Verifier::new(LOG, keys, self.setting());
        for owned in &self.rows {
            if !verifier.row(&owned.row()) {
                break;
            }
        }
        verifier.finish(Some(&self.head))
    }

    /// Whether the fault is found: without a key, with the current one, with the first.
    fn found(&self) -> [bool; 3] {
        self.keys().map(|keys| !self.verify(keys).is_good())
    }

    /// Makes everything fit that needs no key: what a forger without keys can do.
    fn refit(&mut self) {
        let mut head = Head::empty(self.rows[0].numbers[1]);
        for row in &mut self.rows {
            let leaf = chain::leaf(&row.blobs[0]);
            row.blobs[1] = leaf.to_vec();
            grow(&mut head, row.numbers[1], &leaf, row.blobs[2].clone().try_into().expect("32 bytes"));
            if row.texts[2] == "audit.epoch_sealed" {
                let next = head.epoch_after(row.numbers[1]);
                head.open_epoch(next, row.numbers[1]);
            }
        }
        head.code = self.head.code;
        self.head = head;
    }

    fn edit(&mut self, index: usize) {
        let body = String::from_utf8(self.rows[index].blobs[0].clone()).expect("utf-8");
        let forged = body.replace("\"written\":", "\"written\":9");
        assert_ne!(body, forged, "{body}");
        self.rows[index].blobs[0] = forged.into_bytes();
    }
}

#[test]
fn what_was_written_verifies_and_the_checks_are_named() {
    let made = Sample::three_epochs();
    assert_eq!(made.found(), [false; 3]);
    let skipped = made.keys().map(|keys| {
        made.verify(keys)
            .checks
            .iter()
            .filter(|c| matches!(c.made, Made::NotMade(_)))
            .map(|c| c.test)
            .collect::<Vec<_>>()
    });
    assert_eq!(
        skipped,
        [
            vec![Test::SealedCodes, Test::OpenCodes, Test::Checkpoints, Test::HeadCode],
            vec![Test::SealedCodes, Test::Checkpoints],
            vec![Test::Checkpoints]
        ]
    );
    let report = made.verify(Keys::default());
    assert_eq!(
        (report.events, report.from_ns, report.to_ns),
        (made.rows.len() as u64, Some(1), Some(4 * EPOCH_NS + 1))
    );
}

#[test]
fn every_flipped_byte_of_every_row_is_found_with_any_keys_and_named() {
    let good = Sample::three_epochs();
    for index in 0..good.rows.len() {
        let sealed = (good.rows[index].numbers[2] as u64) < good.head.epoch;
        let check = |what: &dyn std::fmt::Debug, is_code: bool, change: &dyn Fn(&mut Owned)| {
            let mut made = good.clone();
            change(&mut made.rows[index]);
            for keys in made.keys() {
                // A changed code, without its key, shows where its epoch was sealed, or at the head.
                let blind = is_code && keys.first.is_none() && (sealed || keys.current.is_none());
                let bad = made.verify(keys).bad.unwrap_or_else(|| panic!("row {index}: {what:?} passed"));
                let found = if blind { bad.seq > index as u64 } else { bad.seq == index as u64 + 1 };
                assert!(found, "row {index} {what:?}: {bad:?}");
            }
        };
        for blob in 0..3 {
            for byte in 0..good.rows[index].blobs[blob].len() {
                check(&(blob, byte), blob == 2, &|row| row.blobs[blob][byte] ^= 1);
            }
            check(&"cut", false, &|row| {
                row.blobs[blob].pop();
            });
        }
        for (number, bit) in (0..3).flat_map(|n| (0..64).map(move |b| (n, b))) {
            check(&(number, bit), false, &|row| row.numbers[number] ^= 1 << bit);
        }
        for text in 0..5 {
            check(&text, false, &|row| row.texts[text].push('x'));
        }
    }
}

#[test]
fn every_change_of_the_head_is_found() {
    let good = Sample::three_epochs();
    let changes: [fn(&mut Head); 7] = [
        |h| h.size -= 1,
        |h| h.last[0] ^= 1,
        |h| h.running[31] ^= 1,
        |h| h.epoch += 1,
        |h| h.epoch_since_ns += 1,
        |h| h.epoch_events += 1,
        |h| h.last_ns += 1,
    ];
    for change in changes {
        let mut made = good.clone();
        change(&mut made.head);
        assert_eq!(made.found(), [true; 3]);
    }
    let mut made = good.clone();
    made.head.code[5] ^= 1;
    assert_eq!(made.found(), [false, true, true]);
    let report = Verifier::new(LOG, Keys::default(), Setting::default()).finish(None);
    assert_eq!(report.bad.map(|b| b.test), Some(Test::Head));
}

#[test]
fn every_dropped_swapped_or_doubled_row_is_found() {
    let good = Sample::three_epochs();
    for index in 0..good.rows.len() {
        let mut dropped = good.clone();
        dropped.rows.remove(index);
        let mut doubled = good.clone();
        doubled.rows.insert(index, good.rows[index].clone());
        assert_eq!((dropped.found(), doubled.found()), ([true; 3], [true; 3]), "row {index}");
        for other in index + 1..good.rows.len() {
            let mut swapped = good.clone();
            swapped.rows.swap(index, other);
            assert_eq!(swapped.found(), [true; 3], "rows {index} and {other}");
            let (a, b) = (swapped.rows[index].numbers[0], swapped.rows[other].numbers[0]);
            (swapped.rows[index].numbers[0], swapped.rows[other].numbers[0]) = (b, a);
            assert_eq!(swapped.found(), [true; 3], "rows {index} and {other}, numbered anew");
        }
    }
}

#[test]
fn a_forger_without_keys_is_found_by_whoever_has_one() {
    let good = Sample::three_epochs();
    for index in (0..good.rows.len()).filter(|i| good.rows[*i].texts[2] == "group.settled") {
        let mut edited = good.clone();
        edited.edit(index);
        edited.refit();
        let [none, current, first] = edited.found();
        // Without a key a sealed epoch's running hash still gives the forger away, unless he changes that too.
        assert!(current && first, "row {index}");
        let last_epoch = good.rows[index].numbers[2] as u64 == good.head.epoch;
        assert_eq!(none, !last_epoch, "row {index}");
    }
    for keep in 1..good.rows.len() {
        let mut cut = good.clone();
        cut.rows.truncate(keep);
        cut.refit();
        let [none, current, first] = cut.found();
        assert!(!none && current && first, "cut after {keep}");
    }
}

#[test]
fn a_thief_of_todays_key_cannot_touch_sealed_epochs() {
    let good = Sample::three_epochs();
    let thief = |made: &mut Sample| made.head.code = made.head.code_under(&good.current, LOG);
    let mut cut = good.clone();
    cut.rows.truncate(2);
    cut.refit();
    thief(&mut cut);
    assert_eq!(cut.verify(good.keys()[2].clone()).bad.map(|b| b.test), Some(Test::HeadCode));
    // With the seals' own hashes made to fit, only the first key tells.
    let mut edited = good.clone();
    edited.edit(1);
    edited.refit();
    let old = chain::hex(&good.running_before(4));
    let new = chain::hex(&edited.running_before(4));
    let seal = &mut edited.rows[3];
    assert_eq!(seal.texts[2], "audit.epoch_sealed");
    seal.blobs[0] = String::from_utf8(seal.blobs[0].clone()).expect("utf-8").replace(&old, &new).into_bytes();
    edited.refit();
    let old = chain::hex(&good.running_before(7));
    let new = chain::hex(&edited.running_before(7));
    let seal = &mut edited.rows[6];
    seal.blobs[0] = String::from_utf8(seal.blobs[0].clone()).expect("utf-8").replace(&old, &new).into_bytes();
    edited.refit();
    thief(&mut edited);
    let bad = edited.verify(good.keys()[2].clone()).bad.expect("found");
    assert_eq!((bad.seq, bad.test), (2, Test::SealedCodes));
    // What no key of ours can tell: the epoch that is still open, rewritten with its own key.
    let mut open = good.clone();
    open.rows.truncate(good.rows.len() - 1);
    open.refit();
    thief(&mut open);
    assert_eq!(open.found(), [false; 3]);
}

impl Sample {
    fn running_before(&self, seq: usize) -> Hash {
        let mac = |row: &Owned| row.blobs[2].clone().try_into().expect("32 bytes");
        self.rows[..seq - 1]
            .iter()
            .fold([0; 32], |running, row| chain::fold(&running, &chain::leaf(&row.blobs[0]), &mac(row)))
    }
}

#[test]
fn a_full_epoch_is_sealed() {
    let mut made = Sample::new();
    for _ in 0..EPOCH_EVENTS + 5 {
        made.note(7);
    }
    assert_eq!((made.head.epoch, made.found()), (1, [false; 3]));
    let mut late = Sample::new();
    late.note(0);
    late.head.epoch_since_ns = 1; // The writer forgets when the epoch began …
    late.note(EPOCH_NS);
    late.head.epoch_since_ns = 0;
    late.head.code = late.head.code_under(&late.current, LOG);
    assert_eq!(late.found(), [true; 3], "… and an epoch stays open beyond its time");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(100)))]
    #[test]
    fn no_garbage_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), short in prop::collection::vec(any::<u8>(), 0..40), n in any::<i64>()) {
        let mut made = Sample::three_epochs();
        let row = &mut made.rows[2];
        row.blobs = [body.clone(), chain::leaf(&body).to_vec(), short];
        row.numbers[1] = n;
        prop_assert_eq!(made.found(), [true; 3]);
    }
}
