//! Values that a policy protects, planted everywhere a person might write them: a run over mixed data, with
//! rejects, dead letters, errors, detection, audit and reports, and then a look into everything that it left
//! behind. None of them is anywhere in clear.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{consign, files, text};

const RECORDS: usize = 60;

/// A person with everything that must not be found again.
struct Person {
    id: String,
    name: String,
    mail: String,
    ssn: String,
    card: String,
    iban: String,
    mrn: String,
    comment: String,
    amount: String,
    consent: &'static str,
}

/// The last digit that makes a number of cards.
fn luhn(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

fn card(seed: u64) -> String {
    let body = format!("4539{:011}", seed * 7_919 % 100_000_000_000);
    format!("{body}{}", luhn(&body))
}

fn iban(seed: u64) -> String {
    let body = format!("37040044{:010}", seed * 104_729 % 10_000_000_000);
    // ISO 7064, modulo 97: DE is 1314.
    let rest = format!("{body}131400").bytes().fold(0_u64, |rest, byte| (rest * 10 + u64::from(byte - b'0')) % 97);
    format!("DE{:02}{body}", 98 - rest)
}

fn person(kind: u64, n: usize) -> Person {
    let seed = kind * 1_000_003 + n as u64 * 613 + 17;
    let (card_number, ssn) =
        (card(seed), format!("{:03}-{:02}-{:04}", 501 + seed % 90, 11 + seed % 80, 1001 + seed % 8000));
    let other = card(seed + 500_000);
    let spaced = |card: &str| format!("{} {} {} {}", &card[..4], &card[4..8], &card[8..12], &card[12..]);
    let mail = format!("jane.roe{seed}@planted-{kind}.example");
    let comment = match n % 5 {
        0 => "called and all is well".to_owned(),
        1 => format!("customer gave card {} on the phone", spaced(&other)),
        2 => format!("write to other{seed}@planted-{kind}.example instead"),
        3 => format!("new account {}", iban(seed + 9_000)),
        _ => format!("ssn {:03}-{:02}-{:04} was confirmed", 520 + seed % 70, 21 + seed % 70, 2001 + seed % 7000),
    };
    Person {
        id: format!("p{kind}-{n}"),
        name: format!("Zora{seed} Plantedson{seed}"),
        mail,
        ssn,
        iban: iban(seed),
        mrn: format!("MRN{:08}", seed * 31 % 100_000_000),
        // A number in the wrong column: the record is rejected, and its cause would show the value.
        amount: match n % 11 {
            3 => format!("card {other}"),
            // A number among numbers: it cannot be masked, so that its record is set aside.
            7 if n.is_multiple_of(2) => card(seed + 700_000),
            _ => format!("{n}.25"),
        },
        card: card_number,
        comment,
        consent: if n % 7 == 5 { "no" } else { "yes" },
    }
}

impl Person {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("id", &self.id),
            ("name", &self.name),
            ("mail", &self.mail),
            ("ssn", &self.ssn),
            ("card", &self.card),
            ("iban", &self.iban),
            ("mrn", &self.mrn),
            ("comment", &self.comment),
            ("amount", &self.amount),
            ("consent", self.consent),
        ]
    }

    /// What must be nowhere, in the forms it could have.
    fn planted(&self) -> Vec<String> {
        let mut planted = vec![
            self.name.clone(),
            self.mail.clone(),
            self.ssn.clone(),
            self.ssn.replace('-', ""),
            self.card.clone(),
            self.iban.clone(),
            self.mrn.clone(),
        ];
        let told: String = self.comment.chars().filter(|c| !c.is_whitespace()).collect();
        if told.chars().any(|c| c.is_ascii_digit()) {
            // The part of the comment that is sensitive, as it stands and without its spaces.
            let words: Vec<&str> = self.comment.split(' ').filter(|w| w.bytes().any(|b| b.is_ascii_digit())).collect();
            planted.push(words.join(" "));
            planted.push(words.concat());
        }
        planted.push(self.amount.trim_start_matches("card ").to_owned());
        planted
    }
}

/// A server that takes everything and keeps what it was sent.
fn server() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    let seen = Arc::clone(&kept);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                loop {
                    let (mut length, mut line) = (0, String::new());
                    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                        seen.lock().expect("kept").extend_from_slice(line.as_bytes());
                        if let Some((name, value)) = line.split_once(':')
                            && name.eq_ignore_ascii_case("content-length")
                        {
                            length = value.trim().parse().unwrap_or(0);
                        }
                        line.clear();
                    }
                    if line.is_empty() {
                        return;
                    }
                    let mut body = vec![0; length];
                    if reader.read_exact(&mut body).is_err() {
                        return;
                    }
                    seen.lock().expect("kept").extend_from_slice(&body);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    if (&stream).write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, kept)
}

const CLASSES: &str = "id: string, name: { type: string, class: pii.name }, mail: { type: string, class: pii.email }, \
    ssn: { type: string, class: pii.ssn }, card: { type: string, class: pci.pan }, iban: { type: string, class: iban }, \
    mrn: { type: string, class: phi.mrn }, comment: string, amount: string, consent: string";

fn project(action: &str) -> (tempfile::TempDir, Arc<Mutex<Vec<u8>>>, BTreeSet<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for name in ["in", "lake", "mappings"] {
        std::fs::create_dir(root.join(name)).expect("a folder");
    }
    let (address, kept) = server();
    let connectors = format!(
        "version: 1
connectors:
  in:
    use: file
    with: {{ path: in }}
    streams:
      table: {{ path: people.csv, format: csv, fields: {{ {CLASSES} }} }}
      tree: {{ path: people.json, format: json, fields: {{ {CLASSES} }} }}
      doc: {{ path: people.xml, format: {{ type: xml, records: people/person }}, fields: {{ {CLASSES} }} }}
  db: {{ use: sqlite, with: {{ path: out.db }} }}
  lake:
    use: file
    with: {{ path: lake }}
    streams: {{ people: {{ path: people.ndjson, format: ndjson }} }}
  api:
    definition:
      pack: sink
      transport: {{ base: \"{address}\" }}
      streams:
        people:
          key: [id]
          write:
            create: {{ method: POST, path: /people }}
compliance:
  keys:
    people: {{ purpose: token }}
    seal: {{ purpose: encrypt, class: phi.mrn }}
  protect:
    pii.name: mask
    pii.email: mask
    pii.ssn: {{ action: tokenize, key: people }}
    pci.pan: truncate
    iban: mask
    phi.mrn: {{ action: encrypt, key: seal }}
  detect: {{ action: {action} }}
"
    );
    std::fs::write(root.join("connectors.yaml"), connectors).expect("written");
    for (name, from, to, mode) in [
        ("table", "in.table", "db.people", "mode: upsert, key: [id], "),
        ("tree", "in.tree", "lake.people", ""),
        ("doc", "in.doc", "api.people", ""),
    ] {
        let rules: String = ["name", "mail", "ssn", "card", "iban", "mrn", "comment"]
            .iter()
            .map(|field| format!("  - {{ target: {field}, source: {field} }}\n"))
            .collect();
        let mapping = format!(
            "version: 1\nname: {name}\nfrom: {from}\nto: {to}\nsync: {{ {mode}on_error: {{ tolerate: {{ percent: 95 }} }} }}\n\
             compliance: {{ purpose: support, subject: id, consent: {{ field: consent }}, totals: [amount] }}\nfields:\n  - {{ target: id, source: id, required: true }}\n{rules}  - {{ target: amount, source: amount, type: decimal }}\n"
        );
        std::fs::write(root.join(format!("mappings/{name}.yaml")), mapping).expect("written");
    }
    let people: Vec<Vec<Person>> = (1..4).map(|kind| (0..RECORDS).map(|n| person(kind, n)).collect()).collect();
    let header: Vec<&str> = people[0][0].fields().iter().map(|(name, _)| *name).collect();
    let mut csv = format!("{}\n", header.join(","));
    for one in &people[0] {
        csv.push_str(&one.fields().iter().map(|(_, value)| *value).collect::<Vec<_>>().join(","));
        csv.push('\n');
    }
    // A line that is no record.
    csv.push_str(&format!("broken,{0},{0}\n", people[0][1].card));
    std::fs::write(root.join("in/people.csv"), csv).expect("written");
    let tree: Vec<Value> = people[1]
        .iter()
        .map(|one| one.fields().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect())
        .collect();
    std::fs::write(root.join("in/people.json"), json!(tree).to_string()).expect("written");
    let mut doc = String::from("<people>");
    for one in &people[2] {
        let fields: String = one.fields().iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        doc.push_str(&format!("<person>{fields}</person>"));
    }
    doc.push_str("</people>");
    std::fs::write(root.join("in/people.xml"), doc).expect("written");
    let planted = people.iter().flatten().flat_map(Person::planted).filter(|text| text.len() >= 8).collect();
    (folder, kept, planted)
}

/// Where a planted value stands in some bytes.
fn found<'p>(bytes: &[u8], planted: &'p BTreeSet<String>) -> Option<&'p String> {
    // Long runs of text are searched once, for all values, by their first bytes.
    let mut begins: std::collections::HashMap<[u8; 4], Vec<&String>> = std::collections::HashMap::new();
    for value in planted {
        if let Some(begin) = value.as_bytes().first_chunk::<4>() {
            begins.entry(*begin).or_default().push(value);
        }
    }
    bytes.windows(4).enumerate().find_map(|(at, window)| {
        let known = begins.get(window)?;
        known.iter().copied().find(|value| bytes[at..].starts_with(value.as_bytes()))
    })
}

fn run(root: &Path, words: &[&str], planted: &BTreeSet<String>) -> (i32, String) {
    let output = consign(root).args(words).stdin(Stdio::null()).output().expect("consign starts");
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let found = found(bytes, planted);
        assert!(found.is_none(), "{words:?}: {found:?} on {name}\n{}", text(bytes));
    }
    look(root, planted, &format!("after {words:?}"));
    (output.status.code().expect("an exit code"), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Looks into everything but what was read.
fn look(root: &Path, planted: &BTreeSet<String>, when: &str) {
    for file in files(root).into_iter().filter(|file| !file.starts_with(root.join("in"))) {
        let bytes = std::fs::read(&file).expect("readable");
        assert!(found(&bytes, planted).is_none(), "{when}: {:?} in {}", found(&bytes, planted), file.display());
    }
}

fn walk(action: &str) {
    let (folder, kept, planted) = project(action);
    let root = folder.path();
    // What is looked for is there to be found.
    let source = std::fs::read(root.join("in/people.csv")).expect("readable");
    assert!(found(&source, &planted).is_some() && planted.len() > RECORDS * 12, "{}", planted.len());
    for key in ["people", "seal"] {
        let (exit, said) = run(root, &["audit", "keys", "create", key], &planted);
        assert_eq!(exit, 0, "{said}");
    }
    let (exit, said) = run(root, &["map", "check"], &planted);
    assert_eq!(exit, 0, "{said}");
    run(root, &["map", "preview", "table", "--limit", "12"], &planted);
    run(root, &["-o", "json", "map", "preview", "tree", "--limit", "12"], &planted);
    run(root, &["map", "explain", "table", "card"], &planted);
    run(root, &["sync", "plan", "table", "tree", "doc"], &planted);
    run(root, &["-v", "sync", "run", "--all", "--dry-run"], &planted);
    let (exit, said) = run(root, &["-v", "-o", "json", "sync", "run", "table", "tree", "doc"], &planted);
    assert!(exit == 0 || exit == 5, "{exit} {said}");
    let document: Value =
        serde_json::from_str(&said[said.find('{').expect("a document")..=said.rfind('}').expect("its end")])
            .unwrap_or_else(|error| panic!("{error}: {said}"));
    let total = |name: &str| document["totals"][name].as_u64().unwrap_or_else(|| panic!("{name}: {document}"));
    assert_eq!(
        total("read"),
        total("mapped") + total("filtered") + total("rejected") + total("withheld"),
        "{document}"
    );
    let refused = (0..RECORDS).filter(|n| n % 7 == 5).count() as u64;
    assert_eq!(total("withheld"), 3 * refused);
    assert!(total("written") > 0 && total("rejected") > 0, "{document}");
    let rulings = document["rulings"].as_array().expect("rulings");
    let acts: BTreeSet<&str> = rulings.iter().filter_map(|one| one["act"].as_str()).collect();
    assert_eq!(acts, BTreeSet::from([if action == "mask" { "masked" } else { "parked" }, "parked", "withheld"]));
    assert!(!kept.lock().expect("kept").is_empty());
    let sent = kept.lock().expect("kept").clone();
    assert!(found(&sent, &planted).is_none(), "{:?} was sent", found(&sent, &planted));
    // Everything that looks back.
    let (_, listed) = run(root, &["-o", "json", "sync", "dlq", "list", "--limit", "0"], &planted);
    let listed: Value = serde_json::from_str(&listed).expect("a document");
    let letters = listed["letters"].as_array().expect("letters");
    assert!(letters.len() as u64 >= total("rejected"));
    for letter in letters.iter().step_by(7) {
        let (exit, said) = run(root, &["sync", "dlq", "show", letter["id"].as_str().expect("an id")], &planted);
        assert_eq!(exit, 0, "{said}");
    }
    if action == "park" {
        let parked = letters.iter().find(|letter| letter["code"] == "comply-detected").expect("a parked letter");
        let cause = parked["cause"].as_str().expect("a cause");
        assert!(cause.contains("holds what looks like") && cause.contains("fingerprint"), "{cause}");
    }
    for words in [
        &["sync", "history"][..],
        &["sync", "status"],
        &["sync", "dlq", "replay", "--all"],
        &["report", "run"],
        &["-o", "html", "report", "run"],
        &["audit", "list"],
        &["-o", "json", "audit", "list"],
        &["audit", "verify"],
        &["sync", "state", "backup", "copy.db"],
        &["-v", "sync", "run", "table", "--full"],
    ] {
        run(root, words, &planted);
    }
    // Killed in the middle: also what is kept of a group in doubt is sealed, and the write-ahead log holds nothing.
    std::fs::write(root.join("in/people.json"), "[]").expect("written");
    let mut again = std::fs::read_to_string(root.join("in/people.csv")).expect("read");
    again.push_str(&person(9, 1).fields().iter().map(|(_, value)| *value).collect::<Vec<_>>().join(","));
    std::fs::write(root.join("in/people.csv"), again).expect("written");
    let planted: BTreeSet<String> =
        planted.into_iter().chain(person(9, 1).planted()).filter(|text| text.len() >= 8).collect();
    for point in ["after_intent", "after_write"] {
        let output = consign(root)
            .args(["-v", "sync", "run", "table", "doc", "--full"])
            .env("CONSIGN_FAILPOINT", point)
            .stdin(Stdio::null())
            .output()
            .expect("consign starts");
        assert!(found(&output.stderr, &planted).is_none() && found(&output.stdout, &planted).is_none());
        look(root, &planted, point);
    }
}

#[test]
fn no_planted_value_is_found_where_detection_masks() {
    walk("mask");
}

#[test]
fn no_planted_value_is_found_where_detection_sets_aside() {
    walk("park");
}
