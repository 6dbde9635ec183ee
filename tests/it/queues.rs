//! A source that forgets what it is told is settled: whatever happens in between, nothing is deleted there
//! before it is in the target, everything comes through, and what has a key stands there once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use crate::servers::liar::{Liar, Lie};
use crate::servers::queue::Queue;
use crate::support::{run_to, text};

const MESSAGES: usize = 120;
/// How long what was received is hidden: long enough to be settled, or short enough to be waited for.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(400);

const LIES: &[(u64, Lie)] =
    &[(5, Lie::ApplyThenDrop), (7, Lie::ApplyThenBreak), (11, Lie::CloseEarly), (13, Lie::Break)];

/// Points at which a run is killed, each for the first and a later time.
const POINTS: &[&str] = &[
    "before_intent",
    "after_intent",
    "before_request",
    "after_request",
    "after_answer",
    "after_write",
    "inside_settle",
    "before_acknowledge",
    "after_acknowledge",
    "after_settle",
    "before_finish",
];

/// The mode, what `sync plan` says of it, and how it is written.
const CELLS: &[(&str, &str, &str)] = &[
    (
        "upsert",
        "by_key",
        "upsert: { method: PUT, path: /items, body: { records: \"{{ records }}\" }, batch: { records: 10 } }",
    ),
    (
        "append",
        "at_least_once",
        "create: { method: POST, path: /items, body: { records: \"{{ records }}\" }, batch: { records: 10 }, idempotency: { send: { header: Idempotency-Key } } }",
    ),
];

struct World {
    folder: tempfile::TempDir,
    mode: &'static str,
    queue: Queue,
    server: Liar,
}

fn sku(n: usize) -> String {
    format!("SKU-{n:05}")
}

impl World {
    fn new((mode, _, write): (&'static str, &'static str, &'static str), hidden: Duration, lies: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let queue = Queue::start((0..MESSAGES).map(sku), hidden, lies);
        let server = Liar::start(if lies { LIES } else { &[] });
        let root = folder.path();
        std::fs::create_dir_all(root.join("mappings")).expect("mappings");
        let usual = "retry: { tries: 8, base: 1ms, cap: 5ms, budget: 100, breaker: { failures: 1000 } }";
        let connectors = format!(
            "version: 1
connectors:
  in:
    definition:
      pack: queue
      transport: {{ base: \"{}\" }}
      {usual}
      streams:
        items:
          key: [id]
          fields: {{ id: string, receipt: int, sku: string, note: string }}
          read:
            method: POST
            path: /receive
            records: messages
            pages: {{ kind: page, ahead: 0, repeat: true }}
            acknowledge:
              method: POST
              path: /delete
              body: {{ receipts: \"{{{{ records }}}}\" }}
              element: \"{{{{ record.receipt }}}}\"
              records: 10
              refused: size(answer.body.failed) > 0
  out:
    definition:
      pack: liar
      transport: {{ base: \"{}\", timeouts: {{ answer: 1s }} }}
      limits: {{ in_flight: 3 }}
      {usual}
      streams:
        items:
          key: [sku]
          write:
            {write}
",
            queue.address, server.address
        );
        std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
        let key = if mode == "append" { "" } else { "\n  key: [sku]" };
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync:\n  mode: {mode}{key}\n  batch: {{ records: 30 }}\nfields:\n  \
             - {{ target: sku, source: sku, required: true, type: string }}\n  - {{ target: note, source: note, type: string }}\n",
        );
        std::fs::write(root.join("mappings/items.yaml"), mapping).expect("a mapping");
        Self { folder, mode, queue, server }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str], point: Option<&str>) -> Output {
        run_to(self.root(), words, point, &[])
    }

    /// Nothing is gone from the queue that is not in the target.
    fn nothing_is_lost(&self, context: &str) {
        let there: BTreeSet<String> = self.server.added().into_keys().collect();
        for sku in self.queue.deleted() {
            assert!(there.contains(&sku), "{context}: {sku} was deleted and is nowhere");
        }
    }

    /// Runs until the queue is empty; how often.
    fn through(&self, context: &str) -> usize {
        for run in 1..60 {
            let output = self.run(&["sync", "run", "items"], None);
            self.nothing_is_lost(context);
            match output.status.code() {
                Some(0) if self.queue.left() == 0 => return run,
                Some(0 | 3) => std::thread::park_timeout(SHORT),
                other => panic!("{context}: {other:?} {}{}", text(&output.stdout), text(&output.stderr)),
            }
        }
        panic!("{context}: {} messages never came through", self.queue.left());
    }

    fn check(&self, context: &str) {
        let there: BTreeSet<String> = self.server.added().into_keys().collect();
        assert_eq!(there, (0..MESSAGES).map(sku).collect(), "{context}");
        assert_eq!(self.server.mixed(), 0, "{context}: a key of a request was used for another");
        if self.mode == "upsert" {
            let keyed = self.server.keyed();
            assert_eq!(keyed.len(), MESSAGES, "{context}");
            assert!(keyed.iter().all(|(sku, note)| *note == format!("note of {sku}")), "{context}");
        }
        let verified = self.run(&["audit", "verify"], None);
        assert!(verified.status.success(), "{context}: {}", text(&verified.stderr));
    }
}

#[test]
fn a_queue_is_emptied_as_it_is_settled() {
    for cell in CELLS {
        let world = World::new(*cell, LONG, false);
        let plan = world.run(&["-o", "json", "sync", "plan", "items"], None);
        let plan = text(&plan.stdout).to_string();
        assert!(plan.contains(&format!("\"{}\"", cell.1)), "{}: {plan}", cell.0);
        assert_eq!(world.through(cell.0), 1, "{}: one run takes all there is", cell.0);
        world.check(cell.0);
        assert!(world.server.added().values().all(|(count, _)| *count == 1), "{}: once", cell.0);
        // A dry run settles nothing, and there is nothing more.
        assert!(world.run(&["sync", "run", "items", "--dry-run"], None).status.success());
    }
}

#[test]
fn a_queue_and_a_target_that_lie_lose_nothing() {
    for cell in CELLS {
        let world = World::new(*cell, SHORT, true);
        world.through(cell.0);
        world.check(cell.0);
    }
}

#[test]
fn killed_at_each_point_nothing_is_lost_and_keys_stand_once() {
    std::thread::scope(|scope| {
        for cell in CELLS {
            scope.spawn(move || {
                for point in POINTS {
                    for nth in [1, 3] {
                        let world = World::new(*cell, SHORT, false);
                        let context = format!("{} killed at {point} for the {nth}. time", cell.0);
                        world.run(&["sync", "run", "items"], Some(&format!("{point}:{nth}")));
                        world.nothing_is_lost(&context);
                        world.through(&context);
                        world.check(&context);
                    }
                }
            });
        }
    });
}
