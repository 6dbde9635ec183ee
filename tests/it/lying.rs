//! Writing to an HTTP API that lies, and being killed at each point on the way: nothing is lost, what has a
//! key is never doubled, and what is in doubt is resolved by the way that the pack declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

use crate::servers::liar::{Liar, Lie, refused};
use crate::support::{run_to, text};

/// Each of them often, none of them always.
const LIES: &[(u64, Lie)] = &[
    (5, Lie::ApplyThenDrop),
    (7, Lie::ApplyThenBreak),
    (9, Lie::Wait),
    (11, Lie::CloseEarly),
    (13, Lie::Break),
    (17, Lie::Slow),
    (61, Lie::Stall),
];

/// Points at which a run that writes over HTTP can be killed, each for the first and a later time.
const POINTS: &[(&str, u32)] = &[
    ("before_intent", 1),
    ("before_intent", 2),
    ("after_intent", 1),
    ("after_intent", 2),
    ("before_write", 1),
    ("before_commit", 1),
    ("before_request", 1),
    ("before_request", 4),
    ("after_request", 1),
    ("after_request", 4),
    ("after_answer", 1),
    ("after_answer", 4),
    ("after_write", 1),
    ("inside_settle", 2),
    ("after_settle", 1),
    ("before_finish", 1),
    ("after_finish", 1),
];

/// A way of writing.
#[derive(Clone, Copy, Debug)]
struct Cell {
    name: &'static str,
    mode: &'static str,
    /// What `sync plan` says of it.
    promise: &'static str,
    /// Of the stream's `write`.
    write: &'static str,
    records: usize,
}

const BATCH: &str = "          body: { records: \"{{ records }}\" }\n          batch: { records: 20 }\n          outcome: { items: answer.body.results, good: item.ok, code: item.code, message: item.message, field: item.field }\n";

const CELLS: &[Cell] = &[
    Cell {
        name: "upsert by key",
        mode: "upsert",
        promise: "by_key",
        write: "upsert:\n          method: PUT\n          path: /items\nBATCH",
        records: 600,
    },
    Cell {
        name: "create with keys of requests",
        mode: "append",
        promise: "known_requests",
        write: "create:\n          method: POST\n          path: /items\n          idempotency: { send: { header: Idempotency-Key } }\nBATCH",
        records: 600,
    },
    Cell {
        name: "create as a whole or not at all",
        mode: "append",
        promise: "known_requests",
        write: "create:\n          method: POST\n          path: /whole\n          body: { records: \"{{ records }}\" }\n          batch: { records: 20, atomic: true }\n          idempotency: { send: { header: Idempotency-Key } }\n",
        records: 200,
    },
    Cell {
        name: "create one by one, and look",
        mode: "append",
        promise: "looked_up",
        write: "create:\n          method: POST\n          path: /items\n          on_unknown: look_up\n          look_up: { path: \"/items/{{ record.sku }}\", fits: existing.note == record.note }\n",
        records: 80,
    },
    Cell {
        name: "create one by one, and set aside",
        mode: "append",
        promise: "set_aside",
        write: "create:\n          method: POST\n          path: /items\n          on_unknown: park\n",
        records: 80,
    },
    Cell {
        name: "create and send again",
        mode: "append",
        promise: "at_least_once",
        write: "create:\n          method: POST\n          path: /items\nBATCH",
        records: 300,
    },
    Cell {
        name: "find, then update or create",
        mode: "upsert",
        promise: "looked_up",
        write: "upsert:\n          find: { path: \"/items/{{ record.sku }}\" }\n        update:\n          method: PUT\n          path: /items\n        create:\n          method: POST\n          path: /items\n",
        records: 80,
    },
];

struct World {
    folder: tempfile::TempDir,
    cell: Cell,
    server: Liar,
}

fn sku(n: usize) -> String {
    if n % 100 == 77 { format!("BAD-{n:05}") } else { format!("SKU-{n:05}") }
}

impl World {
    fn new(cell: Cell, lies: &[(u64, Lie)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Liar::start(lies);
        let root = folder.path();
        let db = rusqlite::Connection::open(root.join("source.db")).expect("a database");
        db.execute_batch("CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT, note TEXT)").expect("a table");
        let begun = db.unchecked_transaction().expect("begun");
        for n in 0..cell.records {
            begun
                .execute("INSERT INTO items VALUES (?1, ?2, ?3)", (n as i64 + 1, sku(n), format!("note {n}")))
                .expect("a row");
        }
        begun.commit().expect("committed");
        std::fs::create_dir_all(root.join("mappings")).expect("mappings");
        let write = cell.write.replace("BATCH", BATCH);
        let stock =
            format!("    key: [sku]\n          write:\n            {}", write.replace("\n        ", "\n            "));
        let connectors = format!(
            "version: 1\nconnectors:\n  in:\n    use: sqlite\n    with: {{ path: source.db }}\n    streams:\n      \
             items: {{ table: items, cursor: id }}\n  out:\n    definition:\n      pack: liar\n      \
             transport: {{ base: \"{}\", timeouts: {{ answer: 1s }} }}\n      limits: {{ in_flight: 3 }}\n      \
             retry: {{ tries: 8, base: 1ms, cap: 5ms, budget: 100, breaker: {{ failures: 1000 }} }}\n      streams:\n        items:\n      \
             {}",
            server.address, stock
        );
        std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
        let key = if cell.mode == "append" { "" } else { "\n  key: [sku]" };
        let mapping = format!(
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync:\n  mode: {}{key}\n  batch: {{ records: 150 }}\n  \
             on_error: {{ tolerate: {{ percent: 50 }} }}\nfields:\n  - {{ target: sku, source: sku, required: true, type: string }}\n  \
             - {{ target: note, source: note, type: string }}\n",
            cell.mode
        );
        std::fs::write(root.join("mappings/items.yaml"), mapping).expect("a mapping");
        Self { folder, cell, server }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str], point: Option<&str>) -> Output {
        run_to(self.root(), words, point, &[])
    }

    fn json(&self, words: &[&str]) -> serde_json::Value {
        let output = self.run(&[&["-o", "json"], words].concat(), None);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{:?}: {}{}", self.cell.name, text(&output.stdout), text(&output.stderr)))
    }

    /// The source forgets what was acknowledged: everything up to the settled cursor.
    fn prune(&self) {
        let state = self.json(&["sync", "state", "show", "items"]).to_string();
        let cursor =
            state.split("\"cursor\":").nth(1).map_or("", |rest| rest.split([',', '}']).next().unwrap_or_default());
        let Ok(cursor) = cursor.trim_matches(['"', ' ']).parse::<i64>() else { return };
        let db = rusqlite::Connection::open(self.root().join("source.db")).expect("a database");
        // Its cursor is read inclusively: the last row that was seen stays.
        db.execute("DELETE FROM items WHERE id < ?1", [cursor]).expect("pruned");
    }

    /// Runs until it is through; what the last run said.
    fn through(&self, context: &str) -> Output {
        let mut said = String::new();
        for _ in 0..60 {
            let output = self.run(&["sync", "run", "items"], None);
            self.prune();
            match output.status.code() {
                Some(0 | 5) => return output,
                // The system could not be reached often enough: the next run goes on.
                Some(3) => said = text(&output.stderr),
                other => panic!("{context}: {other:?} {}{}", text(&output.stdout), text(&output.stderr)),
            }
        }
        panic!("{context}: it never got through: {said}");
    }

    /// The codes of the dead letters that wait, by record.
    fn letters(&self) -> BTreeMap<String, u64> {
        let told = self.json(&["sync", "dlq", "list", "--limit", "100000"]);
        let mut codes = BTreeMap::new();
        for letter in told["letters"].as_array().into_iter().flatten() {
            *codes.entry(letter["code"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        codes
    }

    fn check(&self, context: &str) {
        let wanted: BTreeSet<String> = (0..self.cell.records).map(sku).filter(|sku| !refused(sku)).collect();
        let bad = self.cell.records - wanted.len();
        let letters = self.letters();
        let parked = letters.get("sync-parked").copied().unwrap_or(0) as usize;
        let added = self.server.added();
        let there: BTreeSet<String> = added.keys().cloned().collect();
        let lost = wanted.difference(&there).count();
        let twice: Vec<_> = added.iter().filter(|(_, (count, _))| *count > 1).map(|(sku, _)| sku.clone()).collect();
        assert_eq!(self.server.mixed(), 0, "{context}: a key of a request was used for another");
        assert!(there.iter().all(|sku| wanted.contains(sku)), "{context}: what was refused is there");
        if self.cell.promise == "set_aside" {
            assert!(lost <= parked, "{context}: {lost} are not there and {parked} were set aside");
        } else {
            assert_eq!((lost, parked), (0, 0), "{context}: lost, set aside");
        }
        match self.cell.promise {
            "known_requests" | "set_aside" => assert!(twice.is_empty(), "{context}: twice {twice:?}"),
            "looked_up" if self.cell.mode == "append" => assert!(twice.is_empty(), "{context}: twice {twice:?}"),
            _ => {}
        }
        if self.cell.mode == "upsert" {
            let keyed = self.server.keyed();
            for n in 0..self.cell.records {
                let wanted = (!refused(&sku(n))).then(|| format!("note {n}"));
                assert_eq!(keyed.get(&sku(n)), wanted.as_ref(), "{context}");
            }
        }
        let refused = letters.get("connect-constraint").copied().unwrap_or(0) as usize;
        assert!(
            refused == bad || self.cell.promise == "set_aside" && refused <= bad,
            "{context}: {letters:?}, {bad} bad"
        );
        let verified = self.run(&["audit", "verify"], None);
        assert!(verified.status.success(), "{context}: {}", text(&verified.stderr));
    }
}

fn everywhere(test: impl Fn(Cell) + Sync) {
    std::thread::scope(|scope| {
        for cell in CELLS {
            let test = &test;
            scope.spawn(move || test(*cell));
        }
    });
}

#[test]
fn a_plan_tells_what_each_way_of_writing_promises() {
    for cell in CELLS {
        let world = World::new(*cell, &[]);
        let plan = world.json(&["sync", "plan", "items"]);
        assert!(plan.to_string().contains(&format!("\"guarantee\":\"{}\"", cell.promise)), "{}: {plan}", cell.name);
    }
}

#[test]
fn a_server_that_lies_costs_nothing() {
    everywhere(|cell| {
        let world = World::new(cell, LIES);
        let output = world.through(cell.name);
        world.check(cell.name);
        if world.letters().contains_key("sync-parked") {
            assert_eq!(output.status.code(), Some(5), "{}: doubt is left", cell.name);
        }
        assert!(world.server.most_at_once() <= 3, "{}: no more than the pack allows", cell.name);
        // Nothing comes again.
        let before = world.server.added();
        world.through(cell.name);
        assert_eq!(world.server.added(), before, "{}", cell.name);
    });
}

#[test]
fn killed_at_each_point_what_is_promised_holds() {
    everywhere(|cell| {
        for (point, nth) in POINTS {
            let world = World::new(cell, &[(4, Lie::ApplyThenDrop)]);
            let context = format!("{} killed at {point} for the {nth}. time", cell.name);
            let killed = world.run(&["sync", "run", "items"], Some(&format!("{point}:{nth}")));
            if let Some(code) = killed.status.code() {
                assert!(matches!(code, 0 | 3 | 5), "{context}: {}", text(&killed.stderr));
            }
            world.prune();
            world.through(&context);
            world.check(&context);
        }
    });
}

#[test]
fn killed_while_it_resolves_a_group_it_resolves_it_again() {
    everywhere(|cell| {
        for point in ["before_resolve", "after_resolve", "after_request", "after_answer", "inside_settle"] {
            let world = World::new(cell, &[]);
            let context = format!("{} killed at after_request, then at {point}", cell.name);
            world.run(&["sync", "run", "items"], Some("after_request:3"));
            world.run(&["sync", "run", "items"], Some(point));
            world.prune();
            world.through(&context);
            world.check(&context);
        }
    });
}

#[test]
fn what_was_sent_is_sent_again_whatever_mapping_and_source_have_become() {
    let cell = CELLS.iter().find(|cell| cell.promise == "known_requests").copied().expect("one");
    let world = World::new(cell, &[]);
    world.run(&["sync", "run", "items"], Some("after_request:2"));
    // The source has lost all that was read and has something new, and the mapping is another one.
    let db = rusqlite::Connection::open(world.root().join("source.db")).expect("a database");
    db.execute("DELETE FROM items", []).expect("gone");
    db.execute("INSERT INTO items VALUES (601, 'SKU-new', 'note new')", []).expect("a row");
    let path = world.root().join("mappings/items.yaml");
    let mapping = std::fs::read_to_string(&path).expect("a mapping");
    std::fs::write(
        &path,
        mapping.replace("source: note, type: string", "source: note, type: string, transform: upper(value)"),
    )
    .expect("another mapping");
    world.through("another mapping");
    let added = world.server.added();
    for n in 0..cell.records {
        let wanted = (!refused(&sku(n))).then(|| (1, format!("note {n}")));
        assert_eq!(added.get(&sku(n)), wanted.as_ref(), "{n}");
    }
    assert_eq!(added.get("SKU-new"), Some(&(1, "NOTE NEW".to_owned())));
    assert_eq!(world.server.mixed(), 0);
}

#[test]
fn what_a_server_says_of_a_record_is_told_without_its_values() {
    let world = World::new(CELLS[0], &[]);
    let output = world.run(&["sync", "run", "items"], None);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = world.json(&["sync", "dlq", "list"]).to_string();
    assert!(told.contains("NOT_FOR_SALE: the sku *** is not for sale"), "{told}");
    assert!(told.contains("\"field\":\"sku\"") && !told.contains("sku BAD-00077"), "{told}");
}
