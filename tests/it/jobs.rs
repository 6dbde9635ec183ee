//! Writes that are more than one request, and requests that are more than a body of JSON: jobs that are
//! killed at each of their steps, files among the parts of a form, answers that may take long, fields that are
//! asked for in parts, lists of operations, messages of simulated systems.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::http::{column, copying, pack, project, run};
use crate::servers::web::{Reply, Web, good, status};
use crate::support::{consign, text};

/// Records that are written.
const ALL: usize = 40;

/// Every point at which a run that writes by a job can be killed: before and behind each of its steps, too.
const POINTS: &[&str] = &[
    "after_intent",
    "before_commit",
    "before_request:1",
    "after_request:1",
    "after_answer:1",
    "before_request:2",
    "after_request:2",
    "after_answer:2",
    "before_request:3",
    "after_request:3",
    "after_answer:3",
    "after_write",
    "inside_settle",
    "after_settle",
    "after_finish",
];

/// A job of the far side.
#[derive(Default)]
struct Job {
    rows: String,
    closed: bool,
    asked: usize,
}

#[derive(Default)]
struct Bulk {
    jobs: Vec<Job>,
    /// How often each record took effect.
    applied: BTreeMap<String, usize>,
}

impl Bulk {
    fn rows(&self, at: usize, good: bool) -> String {
        let mut rows = self.jobs[at].rows.lines();
        let mut out = format!("outcome,{}\n", rows.next().unwrap_or_default());
        rows.filter(|row| row.starts_with("BAD") != good).for_each(|row| {
            out.push_str(&format!("{},{row}\n", if good { "ok" } else { "not for sale" }));
        });
        out
    }
}

/// A far side that takes records by jobs.
fn bulk() -> (Web, Arc<Mutex<Bulk>>) {
    let bulk: Arc<Mutex<Bulk>> = Arc::default();
    let shared = Arc::clone(&bulk);
    let csv = |rows: String| Reply { status: 200, headers: vec![("content-type", "text/csv".into())], body: rows };
    let far = Web::start(move |ask| {
        let mut bulk = shared.lock().unwrap();
        let words: Vec<&str> = ask.path.split('/').skip(1).collect();
        let number = words.get(1).and_then(|id| id.parse::<usize>().ok());
        match (ask.method.as_str(), number, words.get(2).copied()) {
            ("POST", None, None) => {
                bulk.jobs.push(Job::default());
                good(&json!({ "id": bulk.jobs.len() - 1 }))
            }
            ("PUT", Some(at), Some("data")) => {
                bulk.jobs[at].rows.clone_from(&ask.body);
                good(&json!({}))
            }
            ("PATCH", Some(at), None) => {
                if !std::mem::replace(&mut bulk.jobs[at].closed, true) {
                    let rows: Vec<String> = bulk.jobs[at].rows.lines().skip(1).map(str::to_owned).collect();
                    for row in rows.iter().filter(|row| !row.starts_with("BAD")) {
                        let sku = row.split(',').next().unwrap_or_default().to_owned();
                        *bulk.applied.entry(sku).or_default() += 1;
                    }
                }
                good(&json!({}))
            }
            ("GET", Some(at), None) => {
                bulk.jobs[at].asked += 1;
                good(&json!({ "state": if bulk.jobs[at].closed && bulk.jobs[at].asked > 1 { "done" } else { "open" } }))
            }
            ("GET", Some(at), Some("good")) => csv(bulk.rows(at, true)),
            ("GET", Some(at), Some("bad")) => csv(bulk.rows(at, false)),
            _ => status(404, &json!({})),
        }
    });
    (far, bulk)
}

const BULK: &str = "streams:
  items:
    key: sku
    write:
      create:
        batch: { records: 15, as: csv }
        job:
          steps:
            - { method: POST, path: /jobs, body: { of: items }, capture: { id: '{{ answer.body.id }}' } }
            - { method: PUT, path: '/jobs/{{ job.id }}/data', body: '{{ records }}', body_as: text, headers: { Content-Type: text/csv } }
            - { method: PATCH, path: '/jobs/{{ job.id }}', body: { state: closed } }
          poll: { path: '/jobs/{{ job.id }}', done: answer.body.state == 'done', every: 5ms }
          results:
            - { path: '/jobs/{{ job.id }}/good', outcome: { format: csv, items: answer.body, pair: row } }
            - { path: '/jobs/{{ job.id }}/bad', outcome: { format: csv, items: answer.body, pair: row, good: 'false', message: item.outcome, unmentioned: doubt } }";

/// Records in the database of the project.
fn fill(folder: &Path, records: usize) {
    let database = rusqlite::Connection::open(folder.join("here.db")).unwrap();
    database.execute_batch("CREATE TABLE items (sku TEXT PRIMARY KEY, note TEXT)").unwrap();
    for at in 0..records {
        let sku = if at % 10 == 7 { format!("BAD-{at:03}") } else { format!("SKU-{at:03}") };
        database.execute("INSERT INTO items VALUES (?1, ?2)", [sku, format!("note {at}")]).unwrap();
    }
}

const OUT: &str = "from: here.items\nto: far.items\nsync: { mode: append, on_error: { to: dead_letters, tolerate: { percent: 50 } } }\n\
    fields:\n  - { target: sku, source: sku, required: true }\n  - { target: note, source: note }\n";

#[test]
fn a_job_tells_what_became_of_each_record() {
    let (far, bulk) = bulk();
    let folder = project(&pack(&far.url(), BULK), &[("out", OUT)]);
    fill(folder.path(), ALL);
    let (code, said) = run(folder.path(), &["sync", "run", "out"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("36 records") && said.contains("4 dead letters"), "{said}");
    let (code, letters) = run(folder.path(), &["-o", "json", "sync", "dlq", "list"]);
    assert_eq!((code, letters.matches("not for sale").count()), (0, 4), "{letters}");
    assert_eq!(bulk.lock().unwrap().jobs.len(), 3);
}

#[test]
fn a_job_that_is_killed_at_any_step_takes_effect_once() {
    for point in POINTS {
        let (far, bulk) = bulk();
        let folder = project(&pack(&far.url(), BULK), &[("out", OUT)]);
        fill(folder.path(), ALL);
        let killed = consign(folder.path())
            .args(["sync", "run", "out"])
            .env("FAR_TOKEN", "top-secret")
            .env("CONSIGN_FAILPOINT", point)
            .output()
            .unwrap();
        assert!(killed.status.code().is_none(), "{point}: {}", text(&killed.stderr));
        let (code, said) = run(folder.path(), &["sync", "run", "out"]);
        assert_eq!(code, 0, "{point}: {said}");
        let bulk = bulk.lock().unwrap();
        let wanted: BTreeMap<String, usize> =
            (0..ALL).filter(|at| at % 10 != 7).map(|at| (format!("SKU-{at:03}"), 1)).collect();
        assert_eq!(bulk.applied, wanted, "{point}");
        // What was ordered and never named goes by itself: one for each job that was under way at most.
        assert!(bulk.jobs.len() <= 6, "{point}: {} jobs", bulk.jobs.len());
        let (_, letters) = run(folder.path(), &["-o", "json", "sync", "dlq", "list"]);
        assert_eq!(letters.matches("not for sale").count(), 4, "{point}: {letters}");
    }
}

#[test]
fn a_file_is_one_of_the_parts_of_a_form() {
    let far = Web::start(|_| good(&json!({})));
    let write = "streams:
  items:
    key: sku
    write:
      create:
        method: POST
        path: /files
        batch: { records: 100, as: ndjson }
        body_as: multipart
        body: { purpose: batch, file: { name: 'items \"1\".jsonl', type: application/jsonl, data: '{{ records }}' } }
        on_unknown: park";
    let folder = project(&pack(&far.url(), write), &[("out", OUT)]);
    fill(folder.path(), 3);
    let (code, said) = run(folder.path(), &["sync", "run", "out"]);
    assert_eq!(code, 0, "{said}");
    let asked = far.asked();
    let ask = asked.iter().find(|ask| ask.path == "/files").unwrap();
    let kind = ask.header("content-type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap_or_else(|| panic!("{kind}"));
    let parts: Vec<&str> = ask.body.split(&format!("--{boundary}")).collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "", "--\r\n"), "{}", ask.body);
    assert_eq!(parts[1], "\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n");
    let (head, data) = parts[2].split_once("\r\n\r\n").unwrap();
    assert!(head.contains("name=\"file\"; filename=\"items %221%22.jsonl\""), "{head}");
    assert!(head.contains("content-type: application/jsonl"), "{head}");
    let lines: Vec<&str> = data.trim_end_matches("\r\n").lines().collect();
    assert_eq!(lines, [0, 1, 2].map(|at| format!(r#"{{"sku":"SKU-{at:03}","note":"note {at}"}}"#)));
}

#[test]
fn a_request_may_say_how_long_it_takes() {
    let far = Web::start(|_| {
        std::thread::park_timeout(Duration::from_millis(1_200));
        good(&json!([{ "id": "a" }]))
    });
    let streams = "streams:
  patient: { key: id, read: { path: /report, timeout: 60s } }
  hasty: { key: id, read: { path: /report } }";
    let definition = pack(&far.url(), streams).replace("\" }\nauth", "\", timeouts: { answer: 400ms } }\nauth");
    let definition = definition.replace("tries: 3", "tries: 1");
    let mappings = [("patient", copying("patient", "id", &["id"])), ("hasty", copying("hasty", "id", &["id"]))];
    let folder = project(&definition, &mappings.each_ref().map(|(name, text)| (*name, text.as_str())));
    let (code, said) = run(folder.path(), &["sync", "run", "patient"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(column(folder.path(), "SELECT id FROM patient"), ["a"]);
    let (code, said) = run(folder.path(), &["sync", "run", "hasty"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("no answer within") || said.contains("did not go on in time"), "{said}");
}

#[test]
fn fields_are_asked_for_in_parts_and_lists_page_by_page() {
    let far = Web::start(|ask| {
        let after: usize = ask.query.get("after").map_or(0, |after| after.parse().unwrap());
        let fields: Vec<&str> = ask.query.get("fields").map_or("", String::as_str).split(',').collect();
        assert!(fields.len() <= 2, "{fields:?}");
        let records: Vec<_> = (after..(after + 2).min(5))
            .map(|at| {
                let mut record = json!({ "id": format!("t{at}") });
                fields
                    .iter()
                    .filter(|name| !name.is_empty() && **name != "id")
                    .for_each(|name| record[*name] = json!(format!("{name}{at}")));
                record
            })
            .collect();
        let next = (after + 2 < 5).then(|| (after + 2).to_string());
        good(&json!({ "items": records, "next": next }))
    });
    let rest = "streams:
  things:
    key: id
    fields: { id: { type: string, required: true }, a: string, b: string, c: string }
    read:
      path: /things
      query: { fields: \"{{ page.fields.join(',') }}\" }
      fields: { most: 2, always: id, by: id }
      records: items
      pages: { kind: token, next: answer.body.next, send: { query: after } }
operations:
  list:
    about: Everything there is.
    path: /things
    input: { fields: string }
    query: { fields: \"{{ input.?fields.orValue(null) }}\" }
    result: items
    pages: { kind: token, next: answer.body.next, send: { query: after } }";
    let mapping = copying("things", "id", &["id", "a", "b", "c"]);
    let folder = project(&pack(&far.url(), rest), &[("in", &mapping)]);
    let (code, said) = run(folder.path(), &["sync", "run", "in"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(far.asked().len(), 9, "{:?}", far.lines());
    assert_eq!(
        column(folder.path(), "SELECT id || a || b || c FROM things WHERE id > 't2' ORDER BY id"),
        ["t3a3b3c3", "t4a4b4c4"]
    );
    let (code, said) =
        run(folder.path(), &["-o", "json", "connect", "call", "far", "list", "--input", r#"{"fields":"a"}"#]);
    assert_eq!(code, 0, "{said}");
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&told["elements"], &told["result"][4]), (&json!(5), &json!({ "id": "t4", "a": "a4" })), "{said}");
    assert_eq!(far.asked().len(), 12);
}

#[test]
fn a_simulated_system_signs_what_it_sends() {
    let hook = Web::start(|_| good(&json!({})));
    let folder = tempfile::tempdir().unwrap();
    let mut child = consign(folder.path())
        .args(["connect", "simulate", "stripe", "--listen", "127.0.0.1:0", "--webhook-secret", "whsec_made_up"])
        .args(["--webhook", &format!("{}/hook?from=stripe", hook.url())])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit_once("http://").unwrap().1.to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let body = "email=ann%40example.com&name=Ann";
    let request = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer sk_test_made_up\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for _ in 0..2_000 {
        if !hook.asked().is_empty() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let asked = hook.asked();
    let told = asked.first().expect("it was told");
    assert_eq!((told.path.as_str(), told.json()["type"].as_str()), ("/hook", Some("customers.created")));
    assert_eq!(told.json()["data"]["object"]["email"], "ann@example.com");
    let (time, signature) = told.header("stripe-signature").strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"whsec_made_up");
    let signature = data_encoding::HEXLOWER.decode(signature.as_bytes()).unwrap();
    ring::hmac::verify(&key, format!("{time}.{}", told.body).as_bytes(), &signature).expect("signed as Stripe does");
}
