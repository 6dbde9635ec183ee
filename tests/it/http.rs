//! Systems over HTTP through the whole program, against a far side of the test's own: what a pack says is
//! what is sent, and what goes wrong there is told and never passed over.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value as Json, json};

use crate::servers::web::{Reply, Web, good, status};
use crate::support::{consign, repository, text};

/// A project of one system over HTTP and a database.
pub fn project(definition: &str, mappings: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let definition = definition.replace('\n', "\n      ");
    let connectors = format!(
        "version: 1\nconnectors:\n  far:\n    definition:\n      {definition}\n    auth: {{ token: \"${{env:FAR_TOKEN}}\" }}\n    \
         clearance: [pii]\n  here:\n    use: sqlite\n    with: {{ path: here.db }}\n"
    );
    std::fs::write(folder.path().join("connectors.yaml"), connectors).unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    for (name, rest) in mappings {
        let mapping = format!("version: 1\nname: {name}\n{rest}");
        std::fs::write(folder.path().join(format!("mappings/{name}.yaml")), mapping).unwrap();
    }
    folder
}

/// How a pack of these tests begins.
pub fn pack(url: &str, rest: &str) -> String {
    format!(
        "pack: far\nabout: A far side.\ntransport: {{ base: \"{url}\" }}\nauth:\n  needs: {{ token: {{ about: A token., secret: true }} }}\n  \
         ways: {{ token: {{ kind: bearer, token: \"{{{{ secrets.token }}}}\" }} }}\nretry: {{ tries: 3, base: 10ms, cap: 50ms }}\n{rest}"
    )
}

/// A mapping that copies fields into a table of the same name.
pub fn copying(stream: &str, key: &str, fields: &[&str]) -> String {
    let mut text = format!("from: far.{stream}\nto: here.{stream}\nsync: {{ mode: upsert, key: {key} }}\nfields:\n");
    for field in fields {
        let required = if *field == key { ", required: true" } else { "" };
        text.push_str(&format!("  - {{ target: {field}, source: {field}{required} }}\n"));
    }
    text
}

/// Runs the program; its exit code and all that it said.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = consign(folder).args(arguments).env("FAR_TOKEN", "top-secret").output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!said.contains("top-secret"), "{said}");
    (output.status.code().unwrap_or(-1), said)
}

/// A column of the database, in order.
pub fn column(folder: &Path, query: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(folder.join("here.db")).unwrap();
    let mut statement = database.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn graphql_is_read_by_connections_and_written_by_aliases() {
    let written: Arc<Mutex<Vec<Json>>> = Arc::default();
    let seen = Arc::clone(&written);
    let far = Web::start(move |ask| {
        let body = ask.json();
        let query = body["query"].as_str().unwrap_or_default();
        if query.starts_with("mutation") {
            let mut data = serde_json::Map::new();
            for (name, input) in body["variables"].as_object().unwrap() {
                let number = name.rsplit_once('_').unwrap().1;
                let bad = input["name"] == "Rum";
                if !bad {
                    seen.lock().unwrap().push(input.clone());
                }
                let errors = if bad { json!([{ "field": ["name"], "message": "no Rum here" }]) } else { json!([]) };
                data.insert(format!("r{number}"), json!({ "thing": { "id": "x" }, "userErrors": errors }));
            }
            return good(&json!({ "data": data }));
        }
        let after: usize = body["variables"]["after"].as_str().map_or(0, |cursor| cursor[1..].parse().unwrap());
        let nodes: Vec<Json> = (after..(after + 2).min(5))
            .map(|at| json!({ "id": format!("t{at}"), "name": if at == 3 { "Rum".into() } else { format!("Tea {at}") } }))
            .collect();
        let end = after + nodes.len();
        good(
            &json!({ "data": { "things": { "nodes": nodes, "pageInfo": { "hasNextPage": end < 5, "endCursor": format!("c{end}") } } } }),
        )
    });
    let definition = pack(
        &far.url(),
        "streams:
  things:
    key: id
    fields: { id: { type: string, required: true }, name: string }
    read:
      method: POST
      path: /graphql
      body: { query: 'query($first: Int!, $after: String) { things(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }' }
      records: data.things.nodes
      pages: { kind: relay, send: { body: variables.after }, size: 2, send_size: { body: variables.first } }
    write:
      create:
        method: POST
        path: /graphql
        batch: { records: 50, as: graphql, graphql: { field: 'thingCreate(input: $input) { thing { id } userErrors { field message } }', variables: { input: 'ThingInput!' } } }
        element: { input: '{{ fields }}' }
        outcome: { items: answer.body.data, pair: number, good: size(item.userErrors) == 0, message: 'item.userErrors[0].message', field: 'item.userErrors[0].field' }
        on_unknown: park",
    );
    let back = "from: here.things\nto: far.things\nsync: { mode: append, on_error: { to: dead_letters, tolerate: { records: 1 } } }\n\
        fields:\n  - { target: name, source: name }\n";
    let folder = project(&definition, &[("in", &copying("things", "id", &["id", "name"])), ("out", back)]);
    let (code, said) = run(folder.path(), &["sync", "run", "in"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(column(folder.path(), "SELECT id FROM things ORDER BY id"), ["t0", "t1", "t2", "t3", "t4"]);
    let (code, said) = run(folder.path(), &["sync", "run", "out"]);
    // One record was refused by the far side and is a dead letter; its value is not told.
    assert!(code == 5 || code == 0, "{code} {said}");
    assert!(said.contains("1 dead letter") && said.contains("no *** here"), "{said}");
    assert_eq!(written.lock().unwrap().len(), 4);
}

#[test]
fn a_next_page_elsewhere_is_refused_and_told_nothing() {
    let other = Web::start(|_| good(&json!({ "value": [{ "id": "stolen" }] })));
    let there = other.url();
    let far = Web::start(move |ask| match ask.query.get("$skip").map(String::as_str) {
        None => good(&json!({
            "value": [{ "id": "1" }, { "id": "2" }],
            "@odata.nextLink": format!("http://{}/things?$skip=2", ask.header("host")),
        })),
        Some("2") => good(&json!({ "value": [{ "id": "3" }], "@odata.nextLink": format!("{there}/things?$skip=3") })),
        _ => status(404, &json!({})),
    });
    let definition = pack(
        &far.url(),
        "streams:
  things:
    key: id
    fields: { id: { type: string, required: true } }
    read: { path: /things, records: value, pages: { kind: odata } }",
    );
    let folder = project(&definition, &[("in", &copying("things", "id", &["id"]))]);
    let (code, said) = run(folder.path(), &["sync", "run", "in"]);
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("127.0.0.1"), "{said}");
    assert!(other.asked().is_empty(), "{:?}", other.asked());
    assert!(far.asked().iter().all(|ask| ask.header("authorization") == "Bearer top-secret"));
}

#[test]
fn a_change_of_another_is_noticed_and_made_on_top() {
    let version = Arc::new(AtomicUsize::new(1));
    let held = Arc::clone(&version);
    let far = Web::start(move |ask| {
        let now = held.load(Ordering::SeqCst);
        let tag = |number: usize| format!("\"v{number}\"");
        if ask.method == "GET" {
            return good(&json!({ "id": "1", "name": "old" })).with("etag", tag(now));
        }
        // Somebody else is faster, once.
        if now == 1 {
            held.store(2, Ordering::SeqCst);
            return status(412, &json!({ "message": "it was changed" }));
        }
        match ask.header("if-match") == tag(now) {
            true => {
                held.store(now + 1, Ordering::SeqCst);
                good(&json!({ "id": "1" }))
            }
            false => status(412, &json!({ "message": "it was changed" })),
        }
    });
    let definition = pack(
        &far.url(),
        "faults:
  - { status: 412, then: conflict, say: somebody else changed it }
streams:
  things:
    key: id
    fields: { id: { type: string, required: true }, name: string }
    read: { path: /things }
    write:
      update:
        method: PATCH
        path: '/things/{{ record.id }}'
        apart: [id]
        body: '{{ fields }}'
        lock: { version: answer.headers.etag, read: { path: '/things/{{ record.id }}' }, send: { header: If-Match }, on_conflict: retry }",
    );
    let out = "from: here.things\nto: far.things\nsync: { mode: update, key: id }\nfields:\n  - { target: id, source: id, required: true }\n  \
        - { target: name, source: name }\n";
    let folder = project(&definition, &[("out", out)]);
    let database = rusqlite::Connection::open(folder.path().join("here.db")).unwrap();
    database
        .execute_batch("CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT); INSERT INTO things VALUES ('1', 'new')")
        .unwrap();
    let (code, said) = run(folder.path(), &["sync", "run", "out"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(version.load(Ordering::SeqCst), 3);
    let tags: Vec<String> =
        far.asked().iter().filter(|ask| ask.method == "PATCH").map(|ask| ask.header("if-match").to_owned()).collect();
    assert_eq!(tags, ["\"v1\"", "\"v2\""]);
}

#[test]
fn a_position_that_is_too_old_is_told_and_everything_is_read_anew() {
    let gone = Arc::new(AtomicUsize::new(0));
    let too_old = Arc::clone(&gone);
    let far = Web::start(move |ask| match ask.query.get("since").map(String::as_str) {
        Some(_) if too_old.load(Ordering::SeqCst) == 1 => status(410, &json!({ "message": "too old" })),
        Some("t2") => good(&json!({ "items": [], "next": "t2" })),
        _ => good(&json!({ "items": [{ "id": "1" }, { "id": "2" }], "next": "t2" })),
    });
    let definition = pack(
        &far.url(),
        "faults:
  - { status: 410, then: reset_cursor, say: the position is too old }
streams:
  things:
    key: id
    fields: { id: { type: string, required: true } }
    read: { path: /changes, records: items, cursor: { next: answer.body.next, send: { query: since }, commit: end } }",
    );
    let folder = project(&definition, &[("in", &copying("things", "id", &["id"]))]);
    for _ in 0..2 {
        let (code, said) = run(folder.path(), &["sync", "run", "in"]);
        assert_eq!(code, 0, "{said}");
    }
    gone.store(1, Ordering::SeqCst);
    let (code, said) = run(folder.path(), &["sync", "run", "in"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("anew") || said.contains("too old"), "{said}");
    let asked: Vec<Option<String>> = far.asked().iter().map(|ask| ask.query.get("since").cloned()).collect();
    assert_eq!(asked, [None, Some("t2".into()), Some("t2".into()), None]);
    assert_eq!(column(folder.path(), "SELECT id FROM things ORDER BY id"), ["1", "2"]);
}

#[test]
fn a_search_is_opened_read_and_closed() {
    let far = Web::start(|ask| match (ask.method.as_str(), ask.path.as_str()) {
        ("POST", "/searches") => good(&json!({ "search": "s7" })),
        ("GET", "/searches/s7") => match ask.query.get("page").map(String::as_str) {
            Some("1") => good(&json!({ "items": [{ "id": "1" }, { "id": "2" }] })),
            _ => good(&json!({ "items": [{ "id": "3" }] })),
        },
        ("DELETE", "/searches/s7") => good(&json!({})),
        _ => status(404, &json!({})),
    });
    let definition = pack(
        &far.url(),
        "streams:
  things:
    key: id
    fields: { id: { type: string, required: true } }
    read:
      path: '/searches/{{ page.open.search }}'
      records: items
      pages:
        kind: page
        send: { query: page }
        size: 2
        ahead: 0
        stop: { short: true }
        open: { method: POST, path: /searches, capture: { search: '{{ answer.body.search }}' } }
        close: { method: DELETE, path: '/searches/{{ page.open.search }}' }",
    );
    let folder = project(&definition, &[("in", &copying("things", "id", &["id"]))]);
    let (code, said) = run(folder.path(), &["sync", "run", "in"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(far.lines(), ["POST /searches", "GET /searches/s7", "GET /searches/s7", "DELETE /searches/s7"]);
    assert_eq!(column(folder.path(), "SELECT id FROM things ORDER BY id"), ["1", "2", "3"]);
}

/// A server's side of TLS; with `clients`, it wants a certificate of them.
fn tls(clients: bool) -> rustls::ServerConfig {
    let folder = repository().join("tests/fixtures/tls");
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.unwrap();
    match clients {
        false => builder.with_no_client_auth().with_single_cert(chain, key).unwrap(),
        true => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(folder.join("client-ca.pem")).unwrap()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap()).with_single_cert(chain, key).unwrap()
        }
    }
}

#[test]
fn tls_is_verified_and_certificates_are_shown_where_they_are_wanted() {
    let answer = |_: &crate::servers::web::Ask| -> Reply { good(&json!({ "items": [{ "id": "1" }] })) };
    let (plain, mutual) = (Web::secure(tls(false), answer), Web::secure(tls(true), answer));
    let streams = "streams:\n  things:\n    key: id\n    fields: { id: { type: string, required: true } }\n    read: { path: /things, records: items }\n";
    let fixtures = repository().join("tests/fixtures/tls");
    for (server, ca, certificate, good) in [
        (&plain, true, false, true),
        // Nobody vouches for the server.
        (&plain, false, false, false),
        (&mutual, true, true, true),
        (&mutual, true, false, false),
    ] {
        let definition = pack(&format!("https://localhost:{}", server.port), streams);
        let shown = "token: { kind: bearer, token: \"{{ secrets.token }}\", certificate: \"{{ secrets.certificate }}\", certificate_key: \"{{ secrets.key }}\" }";
        let definition = match certificate {
            true => definition.replace("token: { kind: bearer, token: \"{{ secrets.token }}\" }", shown).replace(
                "needs: { token",
                "needs: { certificate: { about: Its certificate. }, key: { about: Its key. }, token",
            ),
            false => definition,
        };
        let folder = project(&definition, &[("in", &copying("things", "id", &["id"]))]);
        let path = folder.path().join("connectors.yaml");
        let mut connectors = std::fs::read_to_string(&path).unwrap();
        if certificate {
            for name in ["client.pem", "client.key"] {
                std::fs::copy(fixtures.join(name), folder.path().join(name)).unwrap();
            }
            connectors = connectors.replace(
                "auth: { token: \"${env:FAR_TOKEN}\" }",
                "auth: { token: \"${env:FAR_TOKEN}\", certificate: \"${file:client.pem}\", key: \"${file:client.key}\" }",
            );
        }
        if ca {
            let with =
                format!("with: {{ ca_file: {} }}\n    clearance: [pii]\n  here:", fixtures.join("ca.pem").display());
            connectors = connectors.replace("clearance: [pii]\n  here:", &with);
        }
        std::fs::write(&path, connectors).unwrap();
        let (code, said) = run(folder.path(), &["sync", "run", "in"]);
        assert_eq!(code == 0, good, "{ca} {certificate}: {said}");
        if good {
            assert_eq!(column(folder.path(), "SELECT id FROM things"), ["1"]);
        }
    }
    assert_eq!((plain.asked().len(), mutual.asked().len()), (1, 1), "nothing was asked where trust was missing");
}

#[test]
fn what_is_captured_holds_neither_secrets_nor_people() {
    let far = Web::start(|ask| {
        assert_eq!(ask.header("authorization"), "Bearer top-secret");
        good(&json!({ "people": [
            { "id": "p1", "email": "ann@firm.example", "boss": "ann@firm.example", "plan": "gold" },
            { "id": "p2", "email": "bob@firm.example", "boss": "ann@firm.example", "plan": "gold" },
        ] }))
    });
    let streams = "streams:
  people:
    key: id
    fields:
      id: { type: string, required: true }
      email: { type: string, class: pii.email }
      boss: { type: string, class: pii.email }
      plan: string
    read: { path: /people, records: people }";
    let folder = project(&pack(&far.url(), streams), &[]);
    let file = folder.path().join("captured.yaml");
    let (code, said) = run(folder.path(), &["connect", "capture", "far", "people", "--to", "captured.yaml"]);
    assert_eq!(code, 0, "{said}");
    let captured = std::fs::read_to_string(&file).unwrap();
    assert!(captured.starts_with("tests:\n  - name: people as they were read\n"), "{captured}");
    for kept in ["\"p1\"", "\"p2\"", "\"gold\"", "/people"] {
        assert!(captured.contains(kept), "{kept}: {captured}");
    }
    for gone in ["ann@", "bob@", "firm.example", "top-secret"] {
        assert!(!captured.contains(gone), "{gone}: {captured}");
    }
    // A second capture adds to the first.
    let (code, said) = run(folder.path(), &["connect", "capture", "far", "people", "--to", "captured.yaml"]);
    assert_eq!(code, 0, "{said}");
    let twice = std::fs::read_to_string(&file).unwrap();
    assert_eq!((twice.matches("tests:").count(), twice.matches("exchanges:").count()), (1, 2), "{twice}");
    let (code, said) = run(folder.path(), &["connect", "capture", "far", "nobody", "--to", "captured.yaml"]);
    assert!(code != 0 && said.contains("has no stream `nobody`"), "{said}");
}
