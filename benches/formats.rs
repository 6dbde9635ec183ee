//! `cargo bench --bench formats`: nanoseconds per record of the inner steps of the formats, over
//! rows like those of a shop (CSV, 10 columns, about 130 bytes) and of customers (nested JSON,
//! about 700 bytes). Plain loops; compare ratios taken in one run.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints and stops at the first error"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use consign::connect::formats::named;
use consign::connect::{Header, PART_BYTES, Part, RecordError, Rows};
use consign::record::{Arena, Column, Path, Position, Projection, Row, Type, Value};

fn main() {
    let csv = shop();
    let all = "sku name category qty:int price:decimal currency updated_at email phone warehouse";
    framing("csv", &csv);
    decode("csv decode, 10 of 10 columns", "csv", &csv, all);
    decode("csv decode, 3 of 10 columns", "csv", &csv, "sku qty:int price:decimal");
    let windows = csv.replace('\n', "\r\n");
    decode("csv decode, CRLF", "csv", &windows, all);
    let quoted: String = csv
        .lines()
        .filter(|line| !line.contains('"'))
        .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
        .collect();
    decode("csv decode, every field quoted", "csv", &quoted, "sku name price:decimal");
    let people = customers();
    framing("ndjson", &people);
    decode(
        "ndjson decode, 10 paths",
        "ndjson",
        &people,
        "id first_name last_name email consent_marketing created_at address.city address.geo.lat notes orders[*].amount",
    );
    decode("ndjson decode, nothing (check only)", "ndjson", &people, "");
    decode("ndjson decode, whole record", "ndjson", &people, ".");
    let document = format!("[\n{}]\n", people.trim_end().replace('\n', ",\n"));
    framing("json", &document);
    decode("json decode, 3 paths", "json", &document, "id email address.city");
    encode("ndjson");
    encode("csv");
}

/// Small and repeatable.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.throw(of.len() as u64) as usize]
    }
}

fn shop() -> String {
    let mut dice = Dice(1);
    let mut out = String::from("sku,name,category,qty,price,currency,updated_at,email,phone,warehouse\n");
    let mut index = 0;
    while out.len() < PART_BYTES - 200 {
        let name = format!(
            "{} {} {}",
            dice.pick(&["Compact", "Heavy-Duty", "Slim"]),
            dice.pick(&["Lamp", "Drill", "Backpack"]),
            dice.throw(9999)
        );
        let name = match dice.throw(50) {
            0 => format!("\"{name}, 12\"\" display\""),
            1 => format!("{name} – édition №{}", dice.throw(9)),
            _ => name,
        };
        let category = if dice.throw(12) == 0 { "" } else { dice.pick(&["Electronics", "Home & Kitchen", "Toys"]) };
        let date = format!("20{}-{:02}-{:02}", 19 + dice.throw(6), 1 + dice.throw(12), 1 + dice.throw(28));
        let time = format!(
            "{:02}:{:02}:{:02}{}",
            dice.throw(24),
            dice.throw(60),
            dice.throw(60),
            dice.pick(&["Z", "+02:00", "-05:00"])
        );
        out.push_str(&format!(
            "SKU-{index:07},{name},{category},{},{}.{:02},{},{date}T{time},{}.{}{}@example.com,+{}{:09},WH-{:02}\n",
            dice.throw(5000),
            dice.throw(2000),
            dice.throw(100),
            dice.pick(&["EUR", "USD"]),
            dice.pick(&["anna", "katarzyna"]),
            dice.pick(&["smith", "kowalska"]),
            dice.throw(1000),
            dice.throw(99),
            dice.throw(1_000_000_000),
            dice.throw(24)
        ));
        index += 1;
    }
    out
}

fn customers() -> String {
    let mut dice = Dice(2);
    let words = [
        "customer",
        "called",
        "about",
        "delivery",
        "and",
        "asked",
        "for",
        "a",
        "refund",
        "parcel",
        "neighbour",
        "invoice",
    ];
    let mut out = String::new();
    let mut index = 0;
    while out.len() < PART_BYTES - 2000 {
        let orders: Vec<String> = (0..dice.throw(6))
            .map(|order| {
                format!(
                    r#"{{"id":"ORD-{index:07}-{order}","amount":{}.{},"currency":"{}","items":{},"placed_at":"2024-03-{:02}T12:30:00Z"}}"#,
                    dice.throw(2500), dice.throw(100), dice.pick(&["EUR", "USD"]), dice.throw(9), 10 + dice.throw(18)
                )
            })
            .collect();
        let mut notes: Vec<&str> = (0..6 + dice.throw(18)).map(|_| dice.pick(&words)).collect();
        if dice.throw(50) == 0 {
            notes.push(r#"said \"call back\"\nthanks"#);
        }
        out.push_str(&format!(
            concat!(
                r#"{{"id":"CUST-{:07}","first_name":"{}","last_name":"{}","email":"a.b{}@example.com","phone":"+49{:09}","consent_marketing":{},"#,
                r#""created_at":"2024-01-{:02}T08:00:00+02:00","address":{{"street":"{} {} street","city":"{}","postcode":"{:05}","country":"PL","#,
                r#""geo":{{"lat":{}.{:04},"lon":-{}.{:04}}}}},"orders":[{}],"tags":["vip","b2b"],"notes":"{}"}}"#,
                "\n"
            ),
            index, dice.pick(&["Anna", "Jörg", "Zoé"]), dice.pick(&["Smith", "Müller", "O'Brien"]), dice.throw(1000), dice.throw(1_000_000_000),
            dice.throw(10) < 7, 10 + dice.throw(18), dice.throw(400), dice.pick(&words), dice.pick(&["Berlin", "Kraków", "Lyon"]), dice.throw(100_000),
            dice.throw(90), dice.throw(10_000), dice.throw(180), dice.throw(10_000), orders.join(","), notes.join(" ")
        ));
        index += 1;
    }
    out
}

struct Sum {
    rows: u64,
    seen: usize,
}

impl<'a> Rows<'a> for Sum {
    #[inline]
    fn row(&mut self, row: Row<'a>) -> bool {
        self.rows += 1;
        self.seen += black_box(row.slots).len();
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        panic!("{error:?}")
    }
}

const ROUNDS: u32 = 300;

/// Runs it often and reports the median round, so that a busy machine does no harm.
fn measure(name: &str, records: u64, bytes: usize, mut round: impl FnMut()) {
    let mut nanos: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_nanos()
        })
        .collect();
    nanos.sort_unstable();
    let (best, median) = (nanos[0] as f64, nanos[nanos.len() / 2] as f64);
    println!(
        "{name:40} {:7.1} ns per record, {:7.1} at best ({} bytes each, {:.0} MB/s)",
        median / records as f64,
        best / records as f64,
        bytes as u64 / records,
        bytes as f64 / median * 1000.0
    );
}

fn framing(format: &str, text: &str) {
    let mut framing = named(format).unwrap().framing(&[]).unwrap();
    let opening = framing.open(text.as_bytes(), false).unwrap().unwrap();
    measure(&format!("{format} framing"), text.lines().count() as u64, text.len(), || {
        let mut framing = named(format).unwrap().framing(&[]).unwrap();
        framing.open(text.as_bytes(), false).unwrap();
        black_box(framing.cut(&text.as_bytes()[opening.bytes..], false).unwrap());
    });
}

fn decode(name: &str, format: &str, text: &str, paths: &str) {
    let format = named(format).unwrap();
    let opening = format.framing(&[]).unwrap().open(text.as_bytes(), true).unwrap().unwrap();
    let part = Part {
        sequence: 0,
        slice: Arc::from("bench"),
        name: Arc::from("bench"),
        header: Arc::new(Header { columns: opening.header.columns }),
        bytes: text.as_bytes()[opening.bytes..].to_vec(),
        start: Position::default(),
        end: Position::default(),
        last_of_slice: true,
    };
    let mut projection = Projection::default();
    for text in paths.split_whitespace() {
        let (path, kind) = text.split_once(':').unwrap_or((text, "any"));
        let path = if path == "." { Path::default() } else { Path::parse(path).unwrap() };
        projection.slot(&path, Type::named(kind).unwrap());
    }
    let mut decoder = format.decoder(&[]).unwrap();
    let mut arena = Arena::with_capacity(4 << 20);
    let mut sum = Sum { rows: 0, seen: 0 };
    decoder.decode(&part, &projection, &arena, &mut sum).unwrap();
    let records = sum.rows;
    measure(name, records, part.bytes.len(), || {
        arena.reset();
        let mut sum = Sum { rows: 0, seen: 0 };
        decoder.decode(&part, &projection, &arena, &mut sum).unwrap();
        black_box(sum.seen);
    });
}

fn encode(format: &str) {
    let names =
        ["product_id", "title", "category", "quantity", "cost", "currency", "updated", "contact", "phone", "place"];
    let columns: Vec<Column> =
        names.iter().map(|name| Column { path: Path::key(*name), kind: Type::Dyn, required: false }).collect();
    let mut encoder = named(format).unwrap().encoder(&[], &columns).unwrap();
    let values = [
        Value::String("PROD_SKU-0001234"),
        Value::String("Heavy-Duty Backpack 4711"),
        Value::String("Home & Kitchen"),
        Value::Int(4711),
        Value::Decimal(consign::record::Decimal::parse("1396.10").unwrap()),
        Value::String("EUR"),
        Value::Timestamp(consign::record::Timestamp::parse_rfc3339("2024-02-29T12:00:00+02:00").unwrap()),
        Value::String("a***@example.com"),
        Value::String("+491234567890"),
        Value::String("WH-07"),
    ];
    let mut out = Vec::with_capacity(2 << 20);
    let records = 5000;
    encoder.encode(&values, &mut out).unwrap();
    let length = out.len() * records;
    measure(&format!("{format} encode, 10 columns"), records as u64, length, || {
        out.clear();
        for _ in 0..records {
            encoder.encode(black_box(&values), &mut out).unwrap();
        }
    });
}
