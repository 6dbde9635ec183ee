//! The generic `graphql` pack against GraphQL's reference implementation, which validates each question: a stream
//! of connections is read, mutations are written many in a request, what the schema refuses is told as such.

use std::path::Path;

use serde_json::{Value, json};

use crate::servers::python::Serving;
use crate::support::{consign, text};

/// A definition as somebody would write it for a shop of their own.
const SHOP: &str = r#"pack: shop
version: 1.0.0
engine: 1
extends: graphql
about: A shop of our own.
streams:
  orders:
    key: id
    fields:
      id: { type: string, required: true }
      total: double
      updatedAt: timestamp
      customer: { type: map, class: pii.id.customer }
    read:
      method: POST
      path: /graphql
      body:
        query: >-
          query($first: Int!, $after: String, $since: String) { orders(first: $first, after: $after, since: $since) {
          nodes { id total updatedAt customer { id email } } pageInfo { hasNextPage endCursor } } }
        variables: { since: "{{ cursor.value }}" }
      records: data.orders.nodes
      pages: { kind: relay, send: { body: variables.after }, size: 10, send_size: { body: variables.first } }
      cursor: { field: updatedAt, like: "2026-01-01T00:00:00Z", order: ascending, tie: [id] }
    write:
      upsert:
        method: POST
        path: /graphql
        element: { input: "{{ fields }}" }
        batch:
          records: 4
          as: graphql
          graphql:
            field: "orderSet(input: $input) { order { id } userErrors { field message } }"
            variables: { input: OrderInput! }
        outcome:
          items: answer.body.data
          pair: number
          good: size(item.userErrors) == 0
          message: item.userErrors[0].message
          field: item.userErrors[0].field
        on_unknown: resend
"#;

const FETCH: &str = "version: 1
name: fetch
from: shop.orders
to: files.orders
sync: { mode: append }
fields:
  - { target: id, source: id, type: string, required: true }
  - { target: total, source: total, type: double }
  - { target: email, source: customer.email, type: string }
";

const SEND: &str = "version: 1
name: send
from: files.changes
to: shop.orders
sync: { mode: upsert, on_error: { to: dead_letters, tolerate: { records: 1 } } }
fields:
  - { target: id, source: id, type: string, required: true }
  - { target: total, source: total, type: double }
  - { target: email, source: email, type: string }
";

/// Six changes, one of which the shop refuses.
const CHANGES: &str = r#"{"id":"o003","total":30.5,"email":"ann@example.com"}
{"id":"o026","total":26.5,"email":"ann@example.com"}
{"id":"o027","total":-1.0,"email":"ann@example.com"}
{"id":"o028","total":28.5,"email":"ann@example.com"}
{"id":"o029","total":29.5,"email":"\"$input\" } mutation"}
{"id":"o030","total":30.5,"email":"ann@example.com"}
"#;

struct Project {
    folder: tempfile::TempDir,
    token: &'static str,
    // Ends with the project.
    _server: Serving,
}

impl Project {
    fn new(token: &'static str) -> Option<Self> {
        let server = Serving::start("play_graphql.py", "graphql", &[])?;
        let folder = tempfile::tempdir().expect("a folder");
        let at = format!("http://127.0.0.1:{}", server.port);
        let connectors = format!(
            r#"version: 1
connectors:
  shop:
    definition: shop.yaml
    with: {{ base: "{at}" }}
    auth: {{ way: token, token: "${{env:TOKEN}}" }}
  api:
    use: graphql
    with: {{ base: "{at}/graphql" }}
    auth: {{ way: token, token: "${{env:TOKEN}}" }}
  files:
    use: file
    streams:
      orders: {{ path: orders.ndjson, format: ndjson }}
      changes: {{ path: changes.ndjson, format: ndjson, key: id }}
"#
        );
        std::fs::create_dir(folder.path().join("mappings")).expect("a folder");
        for (name, content) in [
            ("connectors.yaml", connectors.as_str()),
            ("shop.yaml", SHOP),
            ("mappings/fetch.yaml", FETCH),
            ("mappings/send.yaml", SEND),
            ("changes.ndjson", CHANGES),
        ] {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        Some(Self { folder, token, _server: server })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let output = consign(self.path()).args(words).env("TOKEN", self.token).output().expect("it runs");
        (output.status.code().unwrap_or(-1), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }

    fn good(&self, words: &[&str]) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    fn call(&self, query: &str, variables: &Value) -> (i32, String) {
        let input = json!({ "query": query, "variables": variables }).to_string();
        self.run(&["connect", "call", "api", "query", "--input", &input])
    }
}

#[test]
fn connections_are_read_to_their_end_and_mutations_are_written_many_in_a_request() {
    let Some(project) = Project::new("made-up") else { return };
    project.good(&["sync", "run", "fetch"]);
    let all: Vec<String> = (1..=25).map(|number| format!("o{number:03}")).collect();
    assert_eq!(project.orders(), all);

    // One record is refused by the shop alone; the five beside it in its requests took effect.
    let (code, said) = project.run(&["sync", "run", "send"]);
    assert!(code == 0 && said.contains("1 dead letter"), "{code} {said}");
    let told = project.good(&["sync", "dlq", "list", "--route", "send"]);
    assert!(told.contains("Total must not be negative") && !told.contains("ann@example.com"), "{told}");
    for (id, total, email) in [("o003", 30.5, "ann@example.com"), ("o029", 29.5, "\"$input\" } mutation")] {
        let (_, said) =
            project.call("query($id: ID!) { order(id: $id) { total customer { email } } }", &json!({ "id": id }));
        let held: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(held["order"], json!({ "total": total, "customer": { "email": email } }));
    }

    // Of what was written only one order is newer than the last that was read.
    project.good(&["sync", "run", "fetch"]);
    let newer = all.into_iter().chain(["o026".to_owned()]).collect::<Vec<_>>();
    assert_eq!(project.orders(), newer);
}

#[test]
fn what_the_schema_or_the_server_refuses_is_told_as_such() {
    let Some(project) = Project::new("made-up") else { return };
    let (code, said) = project.call("{ order(id: 1) { nothing } }", &json!({}));
    assert!(code != 0 && said.contains("Cannot query field 'nothing' on type 'Order'"), "{code} {said}");
    let (code, said) = project.call("query($id: ID!) { order(id: $id) { id } }", &json!({}));
    assert!(code != 0 && said.contains("Variable '$id' has invalid value"), "{code} {said}");

    let Some(stranger) = Project::new("another") else { return };
    let (code, said) = stranger.run(&["connect", "peek", "shop", "orders"]);
    assert!(code == 4 && said.contains("the sign-in is not valid"), "{code} {said}");
}

impl Project {
    /// The ids that were read, sorted.
    fn orders(&self) -> Vec<String> {
        let read = std::fs::read_to_string(self.path().join("orders.ndjson")).expect("the file");
        let id =
            |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_str().expect("an id").to_owned();
        let mut ids: Vec<String> = read.lines().map(id).collect();
        ids.sort_unstable();
        ids
    }
}
