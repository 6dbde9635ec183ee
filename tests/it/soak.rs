//! Memory stays the same however much passes through: every format that is read as a stream gets
//! some megabytes, and with `CONSIGN_SOAK` of 1000 or more ten gigabytes, within 256 MiB. The same of a system
//! over HTTP that fails now and then, with a page for each round more.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};

use crate::servers::web::{Web, good, status};
use crate::support::{consign, rounds};

/// What the process may hold at most: 256 MiB.
const MOST_KIB: u64 = 256 * 1024;
/// One record in so many is kept: the target stays small.
const KEPT: u64 = 1_000;
/// Records in one block of generated text.
const BLOCK: u64 = 20_000;

struct Form {
    name: &'static str,
    format: &'static str,
    before: &'static str,
    after: &'static str,
    record: fn(u64) -> String,
}

const FORMS: &[Form] = &[
    Form {
        name: "csv",
        format: "csv",
        before: "id,keep,amount,note\n",
        after: "",
        record: |n| {
            format!("{n},{},{}.25,\"an ordinary note, with a comma and some more words to it\"\n", keep(n), n % 900)
        },
    },
    Form {
        name: "ndjson",
        format: "ndjson",
        before: "",
        after: "",
        record: |n| {
            format!(
                "{{\"id\":{n},\"keep\":\"{}\",\"amount\":{}.25,\"nested\":{{\"note\":\"an ordinary note\",\"list\":[1,2,3]}}}}\n",
                keep(n),
                n % 900
            )
        },
    },
    Form {
        name: "xml",
        format: "{ type: xml, records: items/item }",
        before: "<?xml version=\"1.0\"?>\n<items>\n",
        after: "</items>\n",
        record: |n| {
            format!(
                "<item id=\"{n}\"><keep>{}</keep><amount>{}.25</amount><nested><note>an ordinary &amp; note</note></nested></item>\n",
                keep(n),
                n % 900
            )
        },
    },
];

fn keep(n: u64) -> &'static str {
    if n % KEPT == 7 { "yes" } else { "no" }
}

/// The most the process has held so far, in KiB.
fn peak(child: &Child) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[test]
fn memory_stays_the_same_however_much_passes_through() {
    let wanted: u64 = if rounds(1) >= 1_000 { 10 << 30 } else { 24 << 20 };
    for form in FORMS {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("mappings")).expect("mappings");
        let connectors = format!(
            "version: 1\nconnectors:\n  pipe:\n    use: file\n    with: {{ path: . }}\n    streams:\n      \
             all: {{ path: \"-\", format: {} }}\n      kept: {{ path: kept.csv, format: csv }}\n",
            form.format
        );
        std::fs::write(folder.path().join("connectors.yaml"), connectors).expect("connectors");
        let id = if form.name == "xml" { "\"@id\"" } else { "id" };
        let mapping = format!(
            "version: 1\nname: keep\nfrom: pipe.all\nto: pipe.kept\nwhen: record.keep == \"yes\"\nfields:\n  \
                       - {{ target: id, source: {id}, required: true }}\n  - {{ target: amount, source: amount }}\n"
        );
        std::fs::write(folder.path().join("mappings/keep.yaml"), mapping).expect("mapping");
        let mut child = consign(folder.path())
            .args(["sync", "run", "keep"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("consign starts");
        let mut pipe = child.stdin.take().expect("standard input");
        let block: String = (0..BLOCK).map(form.record).collect();
        pipe.write_all(form.before.as_bytes()).expect("the head");
        let (mut written, mut blocks, mut most) = (0, 0, 0);
        while written < wanted {
            pipe.write_all(block.as_bytes()).expect("a block");
            written += block.len() as u64;
            blocks += 1;
            most = most.max(peak(&child));
            assert!(most < MOST_KIB, "{}: {most} KiB after {written} bytes", form.name);
        }
        pipe.write_all(form.after.as_bytes()).expect("the tail");
        drop(pipe);
        let output = child.wait_with_output().expect("the end");
        assert!(output.status.success(), "{}: {}", form.name, String::from_utf8_lossy(&output.stderr));
        let kept = std::fs::read_to_string(folder.path().join("kept.csv")).expect("the target");
        assert_eq!(kept.lines().count() as u64 - 1, blocks * BLOCK / KEPT, "{}", form.name);
        writeln!(std::io::stderr(), "{}: {} MiB through {} MiB", form.name, written >> 20, most >> 10).expect("said");
    }
}

/// Records of a page over HTTP.
const PAGE: u64 = 1_000;

#[test]
fn memory_stays_the_same_however_many_pages_a_system_gives() {
    let pages = u64::from(rounds(25));
    let asked = AtomicU64::new(0);
    let far = Web::start(move |ask| {
        // Now and then it fails, in the ways that such systems do.
        match asked.fetch_add(1, Ordering::Relaxed) % 23 {
            3 => return status(503, &json!({ "error": "down for a moment" })),
            11 => return status(429, &json!({ "error": "too many" })).with("retry-after", "0"),
            17 => return good(&json!("cut off")).with("content-encoding", "gzip"),
            _ => {}
        }
        let page: u64 = ask.query["page"].parse().unwrap();
        let records: Vec<Json> = ((page - 1) * PAGE..page * PAGE)
            .map(|id| json!({ "id": id, "keep": keep(id), "amount": "12.25", "note": "an ordinary note, and some more words to it" }))
            .collect();
        good(&json!({ "items": records, "next": (page < pages).then_some(page + 1) }))
    });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("mappings")).expect("mappings");
    let connectors = format!(
        "version: 1\nconnectors:\n  far:\n    definition:\n      pack: far\n      transport: {{ base: \"{}\" }}\n      \
         retry: {{ tries: 6, base: 1ms, cap: 5ms, budget: 100, breaker: {{ failures: 1000 }} }}\n      \
         streams:\n        items: {{ key: id, read: {{ path: /items, records: items, pages: {{ kind: page, send: {{ query: page }}, size: {PAGE}, \
         stop: {{ when: \"answer.body.next == null\" }} }} }} }}\n  \
         here:\n    use: file\n    with: {{ path: . }}\n    streams: {{ kept: {{ path: kept.csv, format: csv }} }}\n",
        far.url()
    );
    std::fs::write(folder.path().join("connectors.yaml"), connectors).expect("connectors");
    let mapping = "version: 1\nname: keep\nfrom: far.items\nto: here.kept\nwhen: record.keep == \"yes\"\n\
                   fields:\n  - { target: id, source: id, required: true }\n  - { target: amount, source: amount }\n";
    std::fs::write(folder.path().join("mappings/keep.yaml"), mapping).expect("mapping");
    let child = consign(folder.path())
        .args(["sync", "run", "keep"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("consign starts");
    let mut most = 0;
    while !std::fs::read_to_string(format!("/proc/{}/stat", child.id())).is_ok_and(|stat| stat.contains(") Z ")) {
        most = most.max(peak(&child));
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("the end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(most > 0 && most < MOST_KIB, "{most} KiB after {pages} pages");
    let kept = std::fs::read_to_string(folder.path().join("kept.csv")).expect("the target");
    assert_eq!(kept.lines().count() as u64 - 1, pages * PAGE / KEPT);
    writeln!(std::io::stderr(), "http: {pages} pages through {} MiB", most >> 10).expect("said");
}
