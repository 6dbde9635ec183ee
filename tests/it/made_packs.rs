//! Packs that `connect new` makes of descriptions which vendors publish: after a few edited lines they pass the
//! check, and what is asked through them is as described.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use crate::servers::openapi::Described;
use crate::support::{consign, repository, text};

/// Lines that may be edited in a pack before it is of use.
const EDITS: usize = 30;

/// A project with a connector `it` whose pack was made of a description and edited.
struct Made {
    folder: tempfile::TempDir,
    server: Described,
}

impl Made {
    /// `connector`: what it says beside its definition, `BASE` standing for the server.
    fn new(name: &str, connector: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Described::start(&[name]);
        let pack = name.replace('-', "_");
        let document = repository().join(format!("tests/fixtures/openapi/{name}.json"));
        let made = Self { folder, server };
        made.good(&["connect", "new", &pack, "--from", &document.display().to_string(), "--to", "pack.yaml"]);
        // What comes out passes the check before anybody touches it.
        made.good(&["connect", "check", "pack.yaml"]);
        let edits = repository().join(format!("tests/fixtures/made/{pack}.diff"));
        let edits = std::fs::read_to_string(&edits).unwrap_or_default();
        let proposed = std::fs::read_to_string(made.path().join("pack.yaml")).expect("a pack");
        let (edited, lines) = patched(&proposed, &edits);
        assert!(lines <= EDITS, "{name}: {lines} edited lines");
        std::fs::write(made.path().join("pack.yaml"), edited).expect("written");
        made.good(&["connect", "check", "pack.yaml"]);
        let connector = connector.replace("BASE", &made.server.address);
        std::fs::write(
            made.path().join("connectors.yaml"),
            format!(
                "version: 1\nconnectors:\n  it:\n    definition: pack.yaml\n{connector}  files:\n    use: file\n    streams:\n      none: {{ path: none.ndjson, format: ndjson }}\n"
            ),
        )
        .expect("written");
        made
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        consign(self.path()).args(arguments).env("MADE_UP_KEY", "made-up").output().expect("it runs")
    }

    /// What is printed; whatever is said if it did not end well.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// How many records are shown.
    fn peeked(&self, stream: &str) -> usize {
        let shown = self.good(&["connect", "peek", "it", stream, "--limit", "10", "-o", "json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        shown["records"].as_array().or_else(|| shown["rows"].as_array()).unwrap_or_else(|| panic!("{shown}")).len()
    }

    fn call(&self, operation: &str, input: &str) {
        std::fs::write(self.path().join("input.json"), input).expect("written");
        self.good(&["connect", "call", "it", operation, "--input", "@input.json"]);
    }

    /// Writes a record through a mapping.
    fn written(&self, stream: &str, mode: &str, key: &str, record: &str) {
        let value: serde_json::Value = serde_json::from_str(record).expect("JSON");
        let names = value.as_object().expect("a record").keys();
        let rules: String =
            names.map(|name| format!("  - {{ target: {name}, source: {name}, required: true }}\n")).collect();
        let file = format!("{stream}_{mode}.ndjson");
        std::fs::write(self.path().join(&file), format!("{record}\n")).expect("written");
        let connectors = std::fs::read_to_string(self.path().join("connectors.yaml")).expect("text");
        let streams = format!("      {stream}_{mode}: {{ path: {file}, format: ndjson, key: [{key}] }}\n");
        std::fs::write(self.path().join("connectors.yaml"), connectors + &streams).expect("written");
        std::fs::create_dir_all(self.path().join("mappings")).expect("a folder");
        let by = if mode == "append" { String::new() } else { format!(", key: [{key}]") };
        let mapping = format!(
            "version: 1\nname: {stream}_{mode}\nfrom: files.{stream}_{mode}\nto: it.{stream}\nsync: {{ mode: {mode}{by} }}\nfields:\n{rules}"
        );
        std::fs::write(self.path().join(format!("mappings/{stream}_{mode}.yaml")), mapping).expect("written");
        self.good(&["sync", "run", &format!("{stream}_{mode}")]);
    }

    /// What was asked for is what is expected, and all of it was as described.
    fn found(&self, expected: &[&str]) {
        assert_eq!(self.server.violations(), Vec::<String>::new());
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(self.server.operations(), expected);
    }
}

/// A text with the changes of a unified diff, and how many lines they touch: a line that became another one is
/// one. Hunks are found by their lines, not by their numbers.
fn patched(text: &str, diff: &str) -> (String, usize) {
    let mut lines: Vec<&str> = text.lines().collect();
    let (mut from, mut touched) = (0, 0);
    for hunk in diff.split("\n@@").skip(1) {
        let hunk: Vec<&str> = hunk.lines().skip(1).filter(|line| !line.is_empty()).collect();
        let side = |other: char| hunk.iter().filter(move |line| !line.starts_with(other)).map(|line| &line[1..]);
        let (before, after): (Vec<&str>, Vec<&str>) = (side('+').collect(), side('-').collect());
        let at = (from..lines.len()).find(|at| lines[*at..].starts_with(&before));
        let at = at.unwrap_or_else(|| panic!("a hunk does not fit any more: {hunk:#?}"));
        from = at + after.len();
        lines.splice(at..at + before.len(), after);
        let count = |sign: char| hunk.iter().filter(|line| line.starts_with(sign)).count();
        touched += count('+').max(count('-'));
    }
    (lines.join("\n") + "\n", touched)
}

#[test]
fn a_pack_of_the_australian_banking_standard() {
    let made = Made::new("cdr-banking", "    with: { base: \"BASE/cds-au/v1\" }\n    clearance: [financial, pii]\n");
    for stream in ["accounts", "balances", "account_transactions", "account_direct_debits", "payees", "products"] {
        assert!(made.peeked(stream) > 1, "{stream}: {:#?}", made.server.requests());
    }
    made.good(&["connect", "probe", "it"]);
    made.found(&[
        "get /banking/accounts",
        "get /banking/accounts/balances",
        "get /banking/accounts/{accountId}/transactions",
        "get /banking/accounts/{accountId}/direct-debits",
        "get /banking/payees",
        "get /banking/products",
    ]);
    assert!(made.server.requests().iter().any(|one| one.contains("/banking/payees?page=2&page-size=")));
}

#[test]
fn a_pack_of_the_british_banking_standard() {
    let made = Made::new(
        "obie-accounts",
        "    with: { base: \"BASE/open-banking/v4.0/aisp\" }\n    auth: { way: token, token: \"${env:MADE_UP_KEY}\" }\n    clearance: [financial, pii]\n",
    );
    for stream in [
        "accounts",
        "balances",
        "transactions",
        "account_transactions",
        "account_balances",
        "account_statements",
        "account_statement_transactions",
    ] {
        assert_eq!(made.peeked(stream), 1, "{stream}");
    }
    made.call("create_account_access_consents", r#"{"body":{"Data":{"Permissions":["ReadAccountsBasic"]},"Risk":{}}}"#);
    made.call("get_account_access_consents_consent_id", r#"{"consent_id":"c1"}"#);
    made.call("delete_account_access_consents_consent_id", r#"{"consent_id":"c1"}"#);
    made.found(&[
        "get /accounts",
        "get /balances",
        "get /transactions",
        "get /accounts/{AccountId}/transactions",
        "get /accounts/{AccountId}/balances",
        "get /accounts/{AccountId}/statements",
        "get /accounts/{AccountId}/statements/{StatementId}/transactions",
        "post /account-access-consents",
        "get /account-access-consents/{ConsentId}",
        "delete /account-access-consents/{ConsentId}",
    ]);
}

#[test]
fn a_pack_of_xero() {
    let made = Made::new(
        "xero",
        "    with: { base: \"BASE/api.xro/2.0\", xero_tenant_id: t-1 }\n    auth: { way: token, token: \"${env:MADE_UP_KEY}\" }\n    clearance: [financial, pii]\n",
    );
    for stream in ["contacts", "items", "journals", "users", "organisation"] {
        assert_eq!(made.peeked(stream), 1, "{stream}");
    }
    let person = r#"{"Name":"Ann Miller","EmailAddress":"ann@example.com"}"#;
    made.written("contacts", "append", "Name", person);
    let known = r#"{"ContactID":"11111111-2222-4333-8444-555555555555","Name":"Ann Miller"}"#;
    made.written("contacts", "update", "ContactID", known);
    made.written("contacts", "upsert", "ContactID", known);
    let item = r#"{"ItemID":"11111111-2222-4333-8444-555555555555","Code":"tea","Name":"Tea"}"#;
    made.written("items", "update", "ItemID", item);
    made.call("email_invoice", r#"{"invoice_id":"11111111-2222-4333-8444-555555555555","body":{}}"#);
    made.found(&[
        "get /Contacts",
        "get /Items",
        "get /Journals",
        "get /Users",
        "get /Organisation",
        "put /Contacts",
        "post /Contacts",
        "post /Contacts/{ContactID}",
        "post /Items/{ItemID}",
        "post /Invoices/{InvoiceID}/Email",
    ]);
}

#[test]
fn a_pack_of_a_server_of_language_models() {
    let made = Made::new("tgi", "    with: { base: BASE }\n");
    let prompt = r#"{"body":{"inputs":"tea?","parameters":{"max_new_tokens":5}}}"#;
    made.call("generate", prompt);
    made.call("tokenize", prompt);
    made.call("get_model_info", "{}");
    made.call("chat_completions", r#"{"body":{"model":"m","messages":[{"role":"user","content":"tea?"}]}}"#);
    made.good(&["connect", "probe", "it"]);
    made.found(&["post /generate", "post /tokenize", "get /info", "post /v1/chat/completions", "get /health"]);
}

#[test]
fn a_pack_of_an_answer_reads_what_the_answer_came_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = consign(folder.path()).args(arguments).env("MADE_UP_KEY", "k").output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    let answer = serde_json::json!({
        "meta": { "total": 2, "next_cursor": null },
        "data": [
            { "id": 1, "type": "person", "attributes": { "email": "ann@example.com", "updatedAt": "2026-01-02T03:04:05Z" } },
            { "id": 2, "type": "person", "attributes": { "email": "ben@example.com", "city": { "street": "x" } } },
        ],
    });
    std::fs::write(folder.path().join("answer.json"), answer.to_string()).expect("written");
    run(&["connect", "new", "people", "--from", "answer.json", "--to", "pack.yaml"]);
    run(&["connect", "check", "pack.yaml"]);
    let pack = std::fs::read_to_string(folder.path().join("pack.yaml")).expect("a pack");
    for part in ["lift: [attributes]", "email: { type: string, class: pii.email }", "# cursor: { field: updatedAt"] {
        assert!(pack.contains(part), "{part}: {pack}");
    }
    let (mut address, asked) = answering(answer.to_string());
    address.push_str("/v1");
    let pack = pack.replace("/CHANGE-ME", "/people");
    std::fs::write(folder.path().join("pack.yaml"), pack).expect("written");
    std::fs::write(
        folder.path().join("connectors.yaml"),
        format!("version: 1\nconnectors:\n  it: {{ definition: pack.yaml, with: {{ base: \"{address}\" }}, auth: {{ token: \"${{env:MADE_UP_KEY}}\" }} }}\n"),
    )
    .expect("written");
    let shown = run(&["connect", "peek", "it", "data", "-o", "json"]);
    assert!(shown.contains("updatedAt") && !shown.contains("ann@example.com"), "{shown}");
    assert_eq!(asked.join().expect("no panic"), "GET /v1/people HTTP/1.1");
}

/// A server that answers one request with this, and says what it was.
fn answering(body: String) -> (String, std::thread::JoinHandle<String>) {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut lines = std::io::BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
        let first = lines.next().expect("a request");
        let _ = lines.by_ref().take_while(|line| !line.is_empty()).count();
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
            .expect("answered");
        first
    });
    (address, served)
}

#[test]
fn edits_are_counted_by_line() {
    let diff = "--- a\n+++ b\n@@ -1 +1 @@\n a\n-b\n+c\n+d\n@@ -3 +3 @@\n-e\n";
    assert_eq!(patched("a\nb\nx\ne\nf\n", diff), ("a\nc\nd\nx\nf\n".to_owned(), 3));
}
