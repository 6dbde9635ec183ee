//! How well and how fast sensitive values are found: `cargo bench --bench detect`. Precision and recall of each
//! detector on values that others made, false alarms on look-alikes, and megabytes per second (`-- speed`: only
//! these). With `-- FILE…`, further labelled sets are judged: lines of text, a tab, and the detector that should find something
//! (several parted by commas), or after a `-` those that should not (none named: nothing at all).

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops at the first error")]

use std::collections::BTreeMap;
use std::hint::black_box;

use consign::comply::detect::{Column, Context, Hit, Scanner, Selection};
use consign::comply::detectors::ALL;

const STDNUM: &str = include_str!("../tests/fixtures/detect/stdnum.tsv");
const INVENTED: &str = include_str!("../tests/fixtures/detect/invented.tsv");
const CARDS: &str = include_str!("../tests/fixtures/detect/cards.tsv");

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if files == ["speed"] {
        return speed();
    }
    if !files.is_empty() {
        files.iter().for_each(|file| labelled(file));
        return;
    }
    accuracy();
    cards();
    speed();
}

/// The rows of a set: columns parted by tabs.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn scan(scanner: &mut Scanner, text: &str, context: &Context) -> Vec<Hit> {
    let mut hits = Vec::new();
    scanner.scan(text, context, &mut hits);
    hits
}

#[derive(Default)]
struct Figures {
    values: u32,
    named: u32,
    alone: u32,
    alarms_bare: u32,
    alarms_named: u32,
    alarms: u32,
}

/// Recall on values of python-stdnum and Faker; false alarms on fields of other kinds.
fn accuracy() {
    let mut figures: BTreeMap<&str, Figures> = ALL.iter().map(|detector| (detector.name, Figures::default())).collect();
    let mut scanner = Scanner::new(&Selection::all());
    let valid = rows(STDNUM).filter(|row| row[2] == "1").map(|row| (row[0], row[1]));
    for (name, value) in valid.chain(rows(INVENTED).map(|row| (row[0], row[1]))) {
        let detector = ALL.iter().find(|detector| detector.name == name).unwrap();
        let is_found = |hits: &[Hit]| hits.iter().any(|hit| hit.detector().class == detector.class);
        let row = figures.get_mut(name).unwrap();
        row.values += 1;
        row.named += u32::from(is_found(&scan(&mut scanner, value, &Context::of_field(detector.words[0]))));
        row.alone += u32::from(is_found(&scan(&mut scanner, value, &Context::none())));
    }

    let (mut fields, mut names) = (0, 0);
    let (mut bare, mut named, mut all) = (0_u32, 0_u32, 0_u32);
    for (name, make) in LOOK_ALIKES {
        names += 1;
        let values: Vec<String> = (0..PER_KIND).map(make).collect();
        fields += values.len();
        let mut column = Column::new();
        values[..1000].iter().for_each(|value| scanner.sample(value, &mut column));
        let field = Context::of_field(name);
        let full = field.clone().with_column(&column);
        for value in &values {
            for hit in scan(&mut scanner, value, &Context::none()) {
                figures.get_mut(hit.detector().name).unwrap().alarms_bare += 1;
                bare += 1;
            }
            for hit in scan(&mut scanner, value, &field) {
                figures.get_mut(hit.detector().name).unwrap().alarms_named += 1;
                named += 1;
            }
            for hit in scan(&mut scanner, value, &full) {
                figures.get_mut(hit.detector().name).unwrap().alarms += 1;
                all += 1;
            }
        }
    }

    println!("Recall on values made by python-stdnum 2.2 and Faker 40.54.0, and false alarms for each 100,000 of");
    println!(
        "{fields} look-alikes in {names} kinds of fields: values alone, with the name of their field, and with the column.\n"
    );
    println!(
        "| detector | values | recall, field named | recall, value alone | alone | with name | with column | precision |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let rate = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
    let per = |count: u32| f64::from(count) * 100_000.0 / fields as f64;
    let shown = |detector: &&&consign::comply::detectors::Detector| {
        let figures = &figures[detector.name];
        figures.values > 0 || figures.alarms_bare + figures.alarms_named + figures.alarms > 0
    };
    for detector in ALL.iter().filter(shown) {
        let f = &figures[detector.name];
        let recall = |found: u32| if f.values == 0 { "".to_string() } else { format!("{:.3}", rate(found, f.values)) };
        let precision = if f.named == 0 { "".to_string() } else { format!("{:.4}", rate(f.named, f.named + f.alarms)) };
        println!(
            "| {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {precision} |",
            detector.name,
            f.values,
            recall(f.named),
            recall(f.alone),
            per(f.alarms_bare),
            per(f.alarms_named),
            per(f.alarms)
        );
    }
    let sum = |pick: fn(&Figures) -> u32| figures.values().map(pick).sum::<u32>();
    println!(
        "| all | {} | {:.3} | {:.3} | {:.1} | {:.1} | {:.1} | {:.4} |\n",
        sum(|f| f.values),
        rate(sum(|f| f.named), sum(|f| f.values)),
        rate(sum(|f| f.alone), sum(|f| f.values)),
        per(bare),
        per(named),
        per(all),
        rate(sum(|f| f.named), sum(|f| f.named) + all)
    );
}

/// The labelled card numbers, each a text of its own.
fn cards() {
    let mut scanner = Scanner::new(&Selection::all());
    let (mut right, mut missed, mut wrong, mut none) = (0, 0, 0, 0);
    for row in rows(CARDS).filter(|row| row.len() == 2) {
        let found = scan(&mut scanner, row[0], &Context::none()).iter().any(|hit| hit.detector().class == "pci.pan");
        match (found, row[1]) {
            (true, "1") => right += 1,
            (false, "1") => missed += 1,
            (true, _) => wrong += 1,
            (false, _) => none += 1,
        }
    }
    println!(
        "Card numbers invented by Faker, alone: recall {:.3} ({right} of {}), precision {:.4} ({wrong} of {} others taken for one)\n",
        f64::from(right) / f64::from(right + missed),
        right + missed,
        f64::from(right) / f64::from(right + wrong),
        wrong + none
    );
}

/// A set in a file.
fn labelled(file: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut scanner = Scanner::new(&Selection::all());
    let (mut found, mut named, mut missed, mut alarms, mut passed) = (0, 0, Vec::new(), Vec::new(), 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.rsplitn(2, '\t');
        let (expected, text) = (parts.next().unwrap(), parts.next().unwrap());
        let text = text.replace("\\n", "\n").replace("\\t", "\t");
        let wanted: Vec<&str> = expected.trim_start_matches('-').split(',').collect();
        let is_found = |hits: &[Hit]| hits.iter().any(|hit| wanted == [""] || wanted.contains(&hit.detector().name));
        let hits = scan(&mut scanner, &text, &Context::none());
        match (expected.starts_with('-'), is_found(&hits)) {
            (false, true) => found += 1,
            (true, false) => passed += 1,
            (true, true) => alarms.push(line),
            (false, false) => {
                // Many are meant for a field that says what it is.
                let by_name =
                    |word: &str| is_found(&scan(&mut Scanner::new(&Selection::all()), &text, &Context::of_field(word)));
                let words =
                    ALL.iter().filter(|detector| wanted.contains(&detector.name)).map(|detector| detector.words[0]);
                if words.into_iter().any(by_name) { named += 1 } else { missed.push(line) }
            }
        }
    }
    println!(
        "{file}: of {} to find {found} alone and {named} more with the field named; {passed} of {} passed over",
        found + named + missed.len(),
        passed + alarms.len()
    );
    missed.iter().for_each(|line| println!("  missed {line}"));
    alarms.iter().for_each(|line| println!("  alarm {line}"));
}

/// Megabytes per second on one core, every detector on.
fn speed() {
    let sparse: Vec<String> = (0..20_000).map(business).collect();
    let prose: Vec<String> = (0..20_000).map(sentence).collect();
    let dense: Vec<String> = (0..20_000).map(person).collect();
    println!(
        "| text | MB | hits | hits, % of bytes | MB/s, values one by one | MB/s, whole lines | MB/s, with fingerprints |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (name, records) in [
        ("records of a shop, 1 % with a value to find", &sparse),
        ("prose", &prose),
        ("dense: every field a value to find", &dense),
    ] {
        measure(name, records);
    }
}

fn measure(name: &str, records: &[String]) {
    let fields: Vec<Vec<(String, String)>> = records.iter().map(|record| pairs(record)).collect();
    let mut contexts: BTreeMap<&str, Context> = BTreeMap::new();
    for (key, _) in fields.iter().flatten() {
        contexts.entry(key).or_insert_with(|| Context::of_field(key));
    }
    // What is decided once for a field is decided outside of the loop.
    let values: Vec<(&str, &Context)> =
        fields.iter().flatten().map(|(key, value)| (value.as_str(), &contexts[key.as_str()])).collect();
    let bytes: usize = values.iter().map(|(value, _)| value.len()).sum();
    let lines: usize = records.iter().map(String::len).sum();
    let none = Context::none();
    let whole: Vec<(&str, &Context)> = records.iter().map(|record| (record.as_str(), &none)).collect();
    let mut scanner = Scanner::new(&Selection::all());
    let (count, covered) = values.iter().fold((0, 0), |(count, covered), (value, context)| {
        let hits = scan(&mut scanner, value, context);
        (count + hits.len(), covered + hits.iter().map(|hit| hit.length).sum::<usize>())
    });
    let mut keyed = Scanner::new(&Selection::all().fingerprints([7; 32]));
    println!(
        "| {name} | {:.1} | {count} | {:.2} | {:.0} | {:.0} | {:.0} |",
        bytes as f64 / 1e6,
        covered as f64 * 100.0 / bytes as f64,
        pace(&mut scanner, &values, bytes),
        pace(&mut scanner, &whole, lines),
        pace(&mut keyed, &values, bytes)
    );
}

/// The best of several rounds: others use the machine, too.
fn pace(scanner: &mut Scanner, values: &[(&str, &Context)], bytes: usize) -> f64 {
    let mut hits = Vec::new();
    let mut best = f64::MAX;
    for _ in 0..15 {
        let start = processor_time();
        for (value, context) in values {
            hits.clear();
            scanner.scan(black_box(value), context, &mut hits);
            black_box(&hits);
        }
        best = best.min(processor_time() - start);
    }
    bytes as f64 / best / 1e6
}

/// Seconds of processor that this thread has used: the machine may be busy with other things.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Name and value of each field of a record of [`business`] or [`person`]; a sentence is one field.
fn pairs(record: &str) -> Vec<(String, String)> {
    let inner = record.trim_start_matches('{').trim_end_matches('}');
    inner
        .split(",\"")
        .map(|field| match field.split_once("\":") {
            Some((key, value)) => (key.trim_matches('"').to_string(), value.trim_matches('"').to_string()),
            None => ("text".to_string(), field.to_string()),
        })
        .collect()
}

/// Numbers that look random and are the same each time.
fn random(n: usize, turn: u64) -> u64 {
    let mut x = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ turn.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 30;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

fn digits(n: usize, turn: u64, count: u32) -> String {
    let low = random(n, turn) % 10_u64.pow(count.min(18));
    format!("{low:0width$}", width = count as usize)
}

const WORDS: [&str; 16] = [
    "delivery", "arrived", "the", "package", "was", "left", "with", "customer", "asks", "for", "a", "refund", "after",
    "shipping", "damage", "today",
];

fn sentence(n: usize) -> String {
    let mut text = String::new();
    for turn in 0..40 {
        text.push_str(WORDS[random(n, turn) as usize % 16]);
        text.push(if turn % 9 == 8 { '.' } else { ' ' });
        if turn == 20 && n.is_multiple_of(50) {
            text.push_str("jane.doe@mail.example.com ");
        }
    }
    text
}

fn business(n: usize) -> String {
    let note = if n.is_multiple_of(10) {
        "call jane.doe@mail.example.com"
    } else {
        "left with the neighbours, asked for a receipt"
    };
    format!(
        r#"{{"order_id":"{}","created_at":"2024-{:02}-{:02}T{:02}:15:30Z","status":"shipped","sku":"AB-{}-XL","title":"Cotton shirt with long sleeves, size {}","qty":{},"price":"{}.{:02}","currency":"EUR","warehouse":"Rotterdam West 2","tracking":"1Z{}","trace":"{:016x}{:016x}","note":"{note}"}}"#,
        digits(n, 1, 9),
        1 + random(n, 2) % 12,
        1 + random(n, 3) % 28,
        random(n, 4) % 24,
        digits(n, 5, 5),
        36 + n % 12,
        1 + n % 9,
        n % 300,
        n % 100,
        digits(n, 6, 16),
        random(n, 7),
        random(n, 8)
    )
}

fn person(n: usize) -> String {
    let cards = ["4539148803436467", "5425 2334 3010 9903", "374245455400126", "4716-6101-5294-3007"];
    let ibans =
        ["DE89370400440532013000", "GB29NWBK60161331926819", "NL91ABNA0417164300", "FR1420041010050500013M02606"];
    format!(
        r#"{{"email":"user{}@mail.example.com","card_number":"{}","iban":"{}","phone":"+49 30 {}","ssn":"{:03}-{:02}-{:04}"}}"#,
        digits(n, 1, 6),
        cards[n % 4],
        ibans[n % 4],
        digits(n, 2, 7),
        1 + random(n, 3) % 600,
        1 + random(n, 4) % 98,
        1 + random(n, 5) % 9998
    )
}

const PER_KIND: usize = 10_000;

/// The value of a number.
type Made = fn(usize) -> String;

/// Fields that hold nothing to find, and look so: name and how a value is made.
const LOOK_ALIKES: &[(&str, Made)] = &[
    ("order_id", |n| digits(n, 11, 9)),
    ("order_number", |n| digits(n, 12, 16)),
    ("orderId", |n| format!("4{}", digits(n, 13, 15))),
    ("created_at", |n| (1_600_000_000 + random(n, 14) % 200_000_000).to_string()),
    ("updated_at", |n| (1_600_000_000_000 + random(n, 15) % 200_000_000_000).to_string()),
    ("timestamp", |n| {
        format!(
            "20{:02}{:02}{:02}{:02}{:02}{:02}",
            10 + random(n, 16) % 15,
            1 + random(n, 17) % 12,
            1 + random(n, 18) % 28,
            random(n, 19) % 24,
            random(n, 20) % 60,
            random(n, 21) % 60
        )
    }),
    ("sha1", |n| format!("{:016x}{:016x}{:08x}", random(n, 22), random(n, 23), random(n, 24) as u32)),
    ("etag", |n| format!("{:016x}{:016x}", random(n, 25), random(n, 26))),
    ("request", |n| {
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            random(n, 27) as u32,
            random(n, 28) as u16,
            random(n, 29) & 0xfff,
            random(n, 30) & 0xfff,
            random(n, 31) & 0xffff_ffff_ffff
        )
    }),
    ("ean", |n| checked(&format!("4{}", digits(n, 32, 11)))),
    ("gtin", |n| checked(&format!("1{}", digits(n, 33, 12)))),
    ("upc", |n| checked(&digits(n, 34, 11))),
    ("tracking", |n| format!("1Z{:X}{}", 0x999A_A101 + (random(n, 35) & 0xfff), digits(n, 36, 8))),
    ("parcel", |n| digits(n, 37, 12)),
    ("shipment", |n| digits(n, 38, 14)),
    ("sku", |n| format!("{}-{}-{}", digits(n, 39, 3), digits(n, 40, 3), digits(n, 41, 4))),
    ("article", |n| format!("{}-{}-{}", digits(n, 42, 3), digits(n, 43, 2), digits(n, 44, 4))),
    ("part", |n| format!("AB{}", digits(n, 45, 7))),
    ("serial", |n| format!("SN{}X{}", digits(n, 46, 6), digits(n, 47, 4))),
    ("version", |n| {
        format!("{}.{}.{}.{}", random(n, 48) % 20, random(n, 49) % 60, random(n, 50) % 256, random(n, 51) % 10)
    }),
    ("price", |n| format!("{}.{:02}", digits(n, 52, 5), n % 100)),
    ("amount", |n| format!("{},{},{}.00", 1 + n % 99, digits(n, 53, 3), digits(n, 54, 3))),
    ("due", |n| format!("20{:02}-{:02}-{:02}", random(n, 55) % 30, 1 + random(n, 56) % 12, 1 + random(n, 57) % 28)),
    ("time", |n| format!("{:02}:{:02}:{:02}", random(n, 58) % 24, random(n, 59) % 60, random(n, 60) % 60)),
    ("sequence", |n| (100_000_000 + n).to_string()),
    ("event", |n| (1_500_000_000_000_000_000 + random(n, 61) % 400_000_000_000_000_000).to_string()),
    ("batch", |n| digits(n, 62, 10)),
    ("lot", |n| digits(n, 63, 11)),
    ("code", |n| ["CUSTOMER", "SHIPMENT", "OVERNIGHT", "INTERNATIONAL", "WAREHOUSE", "PENDING"][n % 6].to_string()),
    ("title", |n| sentence(n * 50 + 1)),
    ("url", |n| format!("https://shop.example.com/items/{}?page={}&ref=a%20b", digits(n, 64, 8), n % 20)),
    ("token_count", |n| digits(n, 65, 4)),
    ("ratio", |n| format!("0.{}", digits(n, 66, 16))),
    ("path", |n| format!("/srv/data/{:x}/report-2024-01-15.csv", random(n, 67))),
];

/// Digits with the check digit that goods have.
fn checked(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
