//! `cargo bench --bench sqlite_sink`: records per second of the thread that writes SQLite, over a
//! million rows like those of a shop (10 columns, key `sku`), beside the same rows written by
//! hand with weaker promises. Plain loops; compare ratios taken in one run.
//! `-- DIR ROWS` picks the folder (a disk, not memory) and the number of rows.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops at the first error")]

use std::path::Path;
use std::time::Instant;

use consign::config::{Connector, Node, Piece, Spanned, Stream, Text};
use consign::connect::Batch;
use consign::connect::protocols::{WriteRequest, named};
use consign::error::Place;
use consign::record::{Column, Decimal, Mark, Path as RecordPath, Type, Value};
use rusqlite::Connection;

const NAMES: [&str; 10] =
    ["sku", "name", "category", "qty", "price", "currency", "updated_at", "email", "phone", "warehouse"];
const PER_GROUP: usize = 10_000;

struct Item {
    sku: String,
    name: String,
    category: &'static str,
    qty: i64,
    price: Decimal,
    price_text: String,
    updated: String,
    email: String,
    phone: String,
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let folder = match given.first() {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap(),
    };
    let rows: u64 = given.get(1).map_or(1_000_000, |rows| rows.parse().unwrap());
    for shuffled in [false, true] {
        let items: Vec<Item> = (0..rows).map(|n| item(if shuffled { n * 7_919 % rows } else { n })).collect();
        let order = if shuffled { "keys in any order" } else { "ascending keys" };
        by_hand(&folder.path().join("hand.db"), &items, &format!("by hand, NORMAL, 200 MB cache, {order}"));
        let encoded = encode(folder.path(), &items);
        sink(folder.path(), &encoded, &format!("sink, {order}"));
        sink(folder.path(), &encoded, &format!("sink again (all replaced), {order}"));
        for name in ["hand.db", "w.db"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
    }
}

fn say(what: &str, rows: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:<60} {:>9.0} rows/s  {seconds:.3} s", rows as f64 / seconds);
}

fn item(n: u64) -> Item {
    let price_text = format!("{}.{:02}", n % 997 + 1, n % 100);
    Item {
        sku: format!("SKU-{n:08}"),
        name: format!("Heavy-Duty Chair {}", n % 10_007),
        category: ["Electronics", "Garden", "Toys", "Home & Kitchen"][(n % 4) as usize],
        qty: (n * 31 % 5000) as i64,
        price: Decimal::parse(&price_text).unwrap(),
        price_text,
        updated: format!("20{:02}-0{}-1{}T12:{:02}:00Z", n % 9 + 10, n % 9 + 1, n % 10, n % 60),
        email: format!("anna.{n}@example.com"),
        phone: format!("+49 30 {:07}", n * 13 % 10_000_000),
    }
}

/// What a hand-written loader does: one loop, weaker promises.
fn by_hand(path: &Path, items: &[Item], what: &str) {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-200000;
             CREATE TABLE items(sku TEXT PRIMARY KEY, name TEXT, category TEXT, qty INTEGER, price TEXT,
             currency TEXT, updated_at TEXT, email TEXT, phone TEXT, warehouse TEXT);",
        )
        .unwrap();
    let set: Vec<String> = NAMES[1..].iter().map(|name| format!("{name}=excluded.{name}")).collect();
    let sql = format!("INSERT INTO items VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT(sku) DO UPDATE SET {}", set.join(","));
    let mut statement = database.prepare(&sql).unwrap();
    let start = Instant::now();
    for group in items.chunks(PER_GROUP) {
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        for item in group {
            statement.raw_bind_parameter(1, item.sku.as_str()).unwrap();
            statement.raw_bind_parameter(2, item.name.as_str()).unwrap();
            statement.raw_bind_parameter(3, item.category).unwrap();
            statement.raw_bind_parameter(4, item.qty).unwrap();
            statement.raw_bind_parameter(5, item.price_text.as_str()).unwrap();
            statement.raw_bind_parameter(6, "EUR").unwrap();
            statement.raw_bind_parameter(7, item.updated.as_str()).unwrap();
            statement.raw_bind_parameter(8, item.email.as_str()).unwrap();
            statement.raw_bind_parameter(9, item.phone.as_str()).unwrap();
            statement.raw_bind_parameter(10, "WH-01").unwrap();
            statement.raw_execute().unwrap();
        }
        database.execute_batch("COMMIT").unwrap();
    }
    say(what, items.len() as u64, start);
}

fn encode(folder: &Path, items: &[Item]) -> Vec<Batch> {
    with_request(folder, |request| {
        let mut encoder = named("sqlite").unwrap().encoder(request).unwrap();
        let start = Instant::now();
        let batches: Vec<Batch> = items
            .chunks(PER_GROUP)
            .map(|group| {
                let mut batch =
                    Batch { bytes: Vec::with_capacity(2 << 20), records: group.len() as u64, ..Batch::default() };
                for item in group {
                    let values = [
                        Value::String(&item.sku),
                        Value::String(&item.name),
                        Value::String(item.category),
                        Value::Int(item.qty),
                        Value::Decimal(item.price),
                        Value::String("EUR"),
                        Value::String(&item.updated),
                        Value::String(&item.email),
                        Value::String(&item.phone),
                        Value::String("WH-01"),
                    ];
                    encoder.encode(&values, &mut batch.bytes).unwrap();
                }
                batch
            })
            .collect();
        say("encoder (one worker)", items.len() as u64, start);
        batches
    })
}

fn sink(folder: &Path, batches: &[Batch], what: &str) {
    with_request(folder, |request| {
        let mut sink = named("sqlite").unwrap().sink(request).unwrap();
        let settled = Connection::open(folder.join("w.db"))
            .unwrap()
            .query_row("SELECT group_no FROM _consign_commits", [], |row| row.get::<_, i64>(0))
            .ok()
            .map(|group| mark(group as u64));
        let start = Instant::now();
        sink.open(settled.as_ref(), false).unwrap();
        let first = settled.map_or(1, |mark| mark.group + 1);
        let mut records = 0;
        for (index, batch) in batches.iter().enumerate() {
            sink.write(batch).unwrap();
            records += sink.commit(&mark(first + index as u64)).unwrap().written;
        }
        let committed = start.elapsed().as_secs_f64();
        sink.finish().unwrap();
        say(what, records, start);
        println!("{:<60} {committed:.3} s before the last checkpoint", "");
    });
}

fn mark(group: u64) -> Mark {
    Mark { log_id: "bench".into(), route: "bench".into(), group, fence: 1, length: None, known: None }
}

fn with_request<T>(folder: &Path, act: impl FnOnce(&WriteRequest<'_>) -> T) -> T {
    let place = Place { file: "bench".into(), line: 1, column: 1, width: 1, source: String::new() };
    let spanned = |value: &str| Spanned { value: value.to_owned(), place: place.clone() };
    let path = Node::Text(Text { pieces: vec![Piece::Literal("w.db".into())] });
    let connector = Connector {
        with: vec![(spanned("path"), Spanned { value: path, place: place.clone() })],
        retry_tries: 1,
        ..Connector::new("warehouse", "sqlite", place.clone())
    };
    let stream = Stream::new("items", place.clone());
    let columns: Vec<Column> = NAMES
        .iter()
        .map(|name| {
            let kind = match *name {
                "qty" => Type::Int,
                "price" => Type::Decimal,
                _ => Type::String,
            };
            Column { path: RecordPath::key(*name), kind, required: true }
        })
        .collect();
    act(&WriteRequest {
        root: folder,
        connector: &connector,
        stream: &stream,
        format: None,
        columns: &columns,
        key: &[0],
        mode: consign::config::Mode::Upsert,
        rehearse: false,
        anew: false,
        log_id: "bench",
        route: "bench",
    })
}
