//! Rules of a project's own and packs of rules, through the whole program: what they keep back, what they change,
//! and how somebody learns why.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{consign, text};

struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap_or_default()
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let output = consign(self.root()).args(words).stdin(Stdio::null()).output().expect("consign starts");
        (output.status.code().expect("an exit code"), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }

    /// The same as a document.
    fn document(&self, words: &[&str]) -> (i32, Value) {
        let words = [&["-o", "json"][..], words].concat();
        let output = consign(self.root()).args(words).stdin(Stdio::null()).output().expect("consign starts");
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)));
        (output.status.code().expect("an exit code"), document)
    }
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is not said:\n{said}");
    }
}

const SHOP: &str = "version: 1
compliance:
  rules:
    - name: no-embargo
      about: Nothing goes to countries under embargo
      on: record
      when: record.country == \"kp\"
      action: withhold
      control: House 7
    - { name: no-drafts, on: record, when: record.state == \"draft\", action: withhold }
connectors:
  shop:
    use: file
    with: { path: in }
    streams: { orders: { path: orders.csv, format: csv, fields: { id: string, country: string, state: string } } }
  dw: { use: sqlite, with: { path: dw.db } }
  out:
    use: file
    with: { path: out }
    streams: { orders: { path: orders.ndjson, format: ndjson } }
";

const ORDERS: &str = "id,country,state\na,de,open\nb,kp,open\nc,fr,draft\nd,kp,draft\n";

fn orders(to: &str, sync: &str) -> String {
    format!(
        "version: 1\nname: orders\nfrom: shop.orders\nto: {to}\n{sync}fields:\n  - {{ target: id, source: id, required: true }}\n  \
         - {{ target: country, source: country }}\n  - {{ target: state, source: state }}\ntests:\n  \
         - {{ name: embargo, given: {{ id: x, country: kp, state: open }}, expect_withheld: no-embargo }}\n"
    )
}

/// What a rule keeps back is withheld like what a gate does: counted, told of, and kept nowhere.
#[test]
fn what_a_rule_withholds_is_withheld() {
    let mapping = orders("dw.orders", "sync: { mode: upsert, key: id }\n");
    let project =
        Project::new(&[("connectors.yaml", SHOP), ("mappings/orders.yaml", &mapping), ("in/orders.csv", ORDERS)]);
    let (exit, said) = project.run(&["map", "test"]);
    assert_eq!(exit, 0, "{said}");
    let (_, said) = project.run(&["map", "preview", "orders"]);
    says(&said, &["withheld by the rule `no-embargo`", "withheld by the rule `no-drafts`"]);
    let (exit, said) = project.run(&["sync", "plan", "orders", "--save", "plan.json"]);
    assert_eq!(exit, 0, "{said}");
    says(&said, &["3 withheld"]);
    let (exit, document) = project.document(&["sync", "run", "orders"]);
    let totals = &document["totals"];
    assert_eq!((exit, totals["withheld"].as_u64(), totals["filtered"].as_u64()), (0, Some(3), Some(0)), "{document}");
    let by_rule = |name: &str| {
        let rulings = document["rulings"].as_array().expect("rulings").clone();
        rulings.iter().find(|one| one["rule"] == name).map(|one| one["records"].clone()).unwrap_or_default()
    };
    assert_eq!((by_rule("no-embargo"), by_rule("no-drafts")), (Value::from(2), Value::from(1)));
    // The next run says it to a person.
    let (_, said) = project.run(&["sync", "run", "orders", "--full"]);
    says(
        &said,
        &["3 records: 2 rule `no-embargo`: Nothing goes to countries under embargo (House 7), 1 rule `no-drafts`"],
    );
    let (_, said) = project.run(&["report", "run"]);
    says(&said, &["withheld", "rule `no-embargo`"]);
    let (_, document) = project.document(&["audit", "list", "--action", "records.withheld"]);
    let event = document["events"][0]["seq"].to_string();
    says(&project.run(&["audit", "show", &event, "-o", "json"]).1, &["no-embargo", "comply-rule-withheld"]);
    // Why, for one record, by its key; one that was delivered and one that nobody knows have other answers.
    let (exit, said) = project.run(&["audit", "why", "b"]);
    assert_eq!(exit, 0, "{said}");
    says(&said, &["withheld from orders", "no-embargo", "connectors.yaml:7", "takes it along"]);
    let (_, document) = project.document(&["audit", "why", "c"]);
    assert_eq!(document["found"][0]["rule"], "no-drafts", "{document}");
    assert_eq!(project.run(&["audit", "why", "nobody"]).0, 2);
    // Nothing of it waits anywhere, and once the rule is gone it comes along.
    says(&project.run(&["sync", "dlq", "list"]).1, &["no dead letter"]);
    project.write(
        "connectors.yaml",
        &SHOP.replace(
            "on: record\n      when: record.country",
            "on: record\n      enabled: false\n      when: record.country",
        ),
    );
    project.write(
        "mappings/orders.yaml",
        &mapping
            .replace("country: kp", "country: de")
            .replace("expect_withheld: no-embargo", "expect: { id: x, country: de, state: open }"),
    );
    let (exit, document) = project.document(&["sync", "run", "orders", "--full"]);
    assert_eq!((exit, document["totals"]["withheld"].as_u64()), (0, Some(2)), "{document}");
    assert_eq!(project.document(&["audit", "why", "d"]).1["found"][0]["rule"], "no-drafts");
}

/// Where records have no key they are known by where they stand.
#[test]
fn withheld_records_without_a_key_are_found_by_place() {
    let project = Project::new(&[
        ("connectors.yaml", SHOP),
        ("mappings/orders.yaml", &orders("out.orders", "")),
        ("in/orders.csv", ORDERS),
        ("out/.keep", ""),
    ]);
    let (exit, said) = project.run(&["sync", "run", "orders"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(project.read("out/orders.ndjson").lines().count(), 1);
    let place = project.document(&["audit", "why", "orders.csv:3"]);
    assert_eq!((place.0, &place.1["found"][0]["rule"]), (0, &Value::from("no-embargo")), "{}", place.1);
}

/// A project as somebody would write it who knows their industry and their files, and nothing of rules.
fn industry(industry: &str, stream: &str, fields: &str, mapping: &str, rows: &str) -> Project {
    let connectors = format!(
        "version: 1\n{industry}connectors:\n  crm:\n    use: file\n    with: {{ path: in }}\n    streams: {{ {stream}: {{ path: {stream}.ndjson, format: ndjson{fields} }} }}\n  \
         hub:\n    use: file\n    with: {{ path: out }}\n    streams: {{ {stream}: {{ path: {stream}.ndjson, format: ndjson }} }}\n"
    );
    let mapping = format!(
        "version: 1\nname: {stream}\nfrom: crm.{stream}\nto: hub.{stream}\nsync: {{ on_error: {{ tolerate: {{ percent: 90 }} }} }}\nfields:\n{mapping}"
    );
    Project::new(&[
        ("connectors.yaml", &connectors),
        (&format!("mappings/{stream}.yaml"), &mapping),
        (&format!("in/{stream}.ndjson"), rows),
        ("out/.keep", ""),
    ])
}

fn plain(fields: &[&str]) -> String {
    fields.iter().map(|field| format!("  - {{ target: {field}, source: {field} }}\n")).collect()
}

fn records(project: &Project, name: &str) -> Vec<Value> {
    let text = project.read(&format!("out/{name}.ndjson"));
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

/// Customers of dealers without consent to marketing are anonymised; those with it go as they are.
#[test]
fn dealers_customers_are_anonymous_without_consent() {
    let rows = "{\"id\":1,\"name\":\"Bob Jones\",\"email\":\"bob@jones.example\",\"phone\":\"+49 30 1\",\"consent_marketing\":false}\n\
                {\"id\":2,\"name\":\"Eva Gold\",\"email\":\"eva@gold.example\",\"phone\":\"+49 30 2\",\"consent_marketing\":true}\n\
                {\"id\":3,\"name\":\"Max Moritz\",\"email\":\"max@moritz.example\",\"phone\":\"+49 30 3\"}\n";
    let mapping = plain(&["id", "name", "email", "phone"]);
    let project = industry("compliance: { industry: automotive }\n", "customers", "", &mapping, rows);
    let (exit, said) = project.run(&["sync", "plan", "customers"]);
    assert_eq!(exit, 0, "{said}");
    says(
        &said,
        &["dealer-anonymous-name: leaves initials of name", "pack dealers, by itself: the project is automotive"],
    );
    says(&project.run(&["map", "explain", "customers", "email"]).1, &["dealer-no-contact"]);
    let (exit, said) = project.run(&["sync", "run", "customers"]);
    assert_eq!(exit, 0, "{said}");
    let written = records(&project, "customers");
    assert_eq!(written[0], serde_json::json!({ "id": 1, "name": "BJ" }));
    assert_eq!(written[1]["email"], "eva@gold.example");
    assert_eq!(written[2], serde_json::json!({ "id": 3, "name": "MM" }));
    says(&project.run(&["audit", "check", "--all"]).1, &["dealer-no-contact", "pack dealers"]);
    // Fields that are copied have nowhere to hide.
    let copied = industry(
        "compliance: { industry: automotive }\n",
        "customers",
        ", fields: { id: int, name: string, email: string, phone: string, consent_marketing: bool }",
        "",
        rows,
    );
    let mapping_of_copies =
        "version: 1\nname: customers\nfrom: crm.customers\nto: hub.customers\ncopy: { pick: [id, name, email] }\n";
    copied.write("mappings/customers.yaml", mapping_of_copies);
    let (exit, said) = copied.run(&["sync", "run", "customers"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(records(&copied, "customers")[0], serde_json::json!({ "id": 1, "name": "BJ" }));
    // Whoever says so is left alone, and so is who is in another business.
    for other in [
        "compliance: { industry: automotive, rules: [{ use: dealers, enabled: false }] }\n",
        "compliance: { industry: automotive, rules: [{ use: \"*\", enabled: false }] }\n",
        "compliance: { industry: automotive, rules: [{ use: dealers, enabled: false, mappings: [cust*] }] }\n",
        "compliance: { industry: finance }\n",
        "",
    ] {
        let project = industry(other, "customers", "", &mapping, rows);
        let (exit, said) = project.run(&["sync", "run", "customers"]);
        assert_eq!(exit, 0, "{said}");
        assert_eq!(records(&project, "customers")[0]["email"], "bob@jones.example", "{other}");
    }
}

/// Health data arrives encrypted or not at all, and whoever looks at it is on record.
#[test]
fn health_data_is_encrypted_and_looking_is_recorded() {
    let rows = "{\"id\":1,\"diagnosis\":\"E11.9\"}\n";
    let fields = ", fields: { id: int, diagnosis: { type: string, class: phi.diagnosis } }";
    let said_so = "compliance: { industry: healthcare, keys: { records: { purpose: encrypt } } }\n";
    let clear = industry(said_so, "patients", fields, &plain(&["id", "diagnosis"]), rows);
    let (exit, said) = clear.run(&["map", "check"]);
    assert_eq!(exit, 6, "{said}");
    says(&said, &["phi-encrypted"]);
    assert_eq!(clear.run(&["sync", "run", "patients"]).0, 6);
    let sealed = "  - { target: id, source: id }\n  - { target: diagnosis, source: diagnosis, transform: 'encrypt(value, \"records\")' }\n";
    let project = industry(said_so, "patients", fields, sealed, rows);
    let (exit, said) = project.run(&["audit", "keys", "create", "records"]);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = project.run(&["sync", "run", "patients"]);
    assert_eq!(exit, 0, "{said}");
    assert!(!project.read("out/patients.ndjson").contains("E11.9"), "{}", project.read("out/patients.ndjson"));
    // Looking at records leaves an event with who it was; a rule watches for events that do not say.
    let (exit, said) = project.run(&["connect", "peek", "crm", "patients"]);
    assert_eq!(exit, 0, "{said}");
    let (_, viewed) = project.document(&["audit", "list", "--action", "data.viewed"]);
    assert_eq!(viewed["events"][0]["actor"], "ada", "{viewed}");
    // It says that nothing was shown in clear: that is what the check of displays asks.
    let seq = viewed["events"][0]["seq"].to_string();
    says(&project.run(&["audit", "show", &seq, "-o", "json"]).1, &["\"clear\": false"]);
    says(&project.run(&["audit", "rules", "list"]).1, &["phi-access-recorded"]);
    says(&project.run(&["audit", "rules", "test"]).1, &["2 tests passed"]);
}

/// Transactions with full card numbers, verification codes or PINs are refused; card numbers become tokens.
#[test]
fn card_data_is_refused_and_card_numbers_become_tokens() {
    let rows = "{\"id\":1,\"amount\":5,\"card_token\":\"tok_1\"}\n\
                {\"id\":2,\"amount\":5,\"card_token\":\"tok_1\",\"cvv\":\"918\"}\n\
                {\"id\":3,\"amount\":5,\"full_card_number\":\"4539148803436467\"}\n\
                {\"id\":4,\"amount\":5,\"pin\":\"4711\",\"card_token\":\"tok_1\"}\n\
                {\"id\":5,\"amount\":5,\"card_number\":\"4539148803436467\"}\n";
    let mapping = plain(&["id", "amount", "card_token", "card_number"]);
    let ids =
        |project: &Project| records(project, "transactions").iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    let cards = |project: &Project| {
        let state = std::fs::read_dir(project.root().join(".consign")).expect("the state");
        let files = state.filter_map(|file| std::fs::read(file.ok()?.path()).ok());
        files.chain([project.read("out/transactions.ndjson").into_bytes()]).any(|bytes| {
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
            holds(b"4539148803436467")
        })
    };
    // Without a key there is nothing to make a token with: such a transaction is refused too.
    let project = industry("", "transactions", "", &mapping, rows);
    says(&project.run(&["sync", "plan", "transactions"]).1, &["card-data-refused", "its records have `card_number`"]);
    let (exit, said) = project.run(&["sync", "run", "transactions"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(ids(&project), [1]);
    let (_, letters) = project.document(&["sync", "dlq", "list"]);
    says(&letters.to_string(), &["there is no key to make a token of it with"]);
    let letters = letters["letters"].as_array().expect("letters").clone();
    assert_eq!(letters.len(), 4, "{letters:?}");
    // What must never be stored is not even in the dead letter.
    let code = letters.iter().find(|one| one["place"].as_str().is_some_and(|place| place.ends_with(":2")));
    let id = code.expect("a letter")["id"].as_str().expect("an id").to_owned();
    says(&project.run(&["sync", "dlq", "show", &id]).1, &["card-data-refused", "nothing of the record is kept"]);
    assert!(!cards(&project));
    // With one it becomes a token.
    let project = industry("compliance: { keys: { cards: { purpose: token } } }\n", "transactions", "", &mapping, rows);
    assert_eq!(project.run(&["audit", "keys", "create", "cards"]).0, 0);
    let (exit, said) = project.run(&["sync", "run", "transactions"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(ids(&project), [1, 5]);
    let token = records(&project, "transactions")[1]["card_number"].as_str().expect("a token").to_owned();
    assert!(token.len() == 26 && !cards(&project), "{token}");
    // A mapping that protects the number itself is left as it is, and a target that may have it gets it.
    let masked =
        "  - { target: id, source: id }\n  - { target: card, source: card_number, transform: mask_pan(value) }\n";
    let own = industry("", "transactions", "", masked, "{\"id\":5,\"card_number\":\"4539148803436467\"}\n");
    let (exit, said) = own.run(&["sync", "run", "transactions"]);
    assert_eq!(exit, 0, "{said}");
    assert!(records(&own, "transactions")[0]["card"].as_str().is_some_and(|card| card.ends_with("6467")));
}

/// Accounts carry names, addresses and balances only where that was agreed.
#[test]
fn accounts_are_minimised() {
    let rows = "{\"id\":\"a\",\"customer_name\":\"Erika Muster\",\"email\":\"e@m.example\",\"balance\":5,\"status\":\"open\"}\n\
                {\"id\":\"b\",\"customer_name\":\"Max Muster\",\"email\":\"m@m.example\",\"balance\":6,\"status\":\"open\",\"consent_data_processing\":true,\"include_balance\":true}\n";
    let mapping = plain(&["id", "customer_name", "email", "balance", "status"]);
    let project = industry("compliance: { industry: finance }\n", "accounts", "", &mapping, rows);
    let (exit, said) = project.run(&["sync", "run", "accounts"]);
    assert_eq!(exit, 0, "{said}");
    let written = records(&project, "accounts");
    assert_eq!(written[0], serde_json::json!({ "id": "a", "status": "open" }));
    assert_eq!((&written[1]["customer_name"], &written[1]["balance"]), (&Value::from("Max Muster"), &Value::from(6)));
}

/// Items of stock without id, quantity, location or last update are refused.
#[test]
fn items_of_stock_are_whole() {
    let rows = "{\"item_id\":\"a\",\"quantity\":1,\"location\":\"HAM\",\"last_updated\":\"2026-03-01\"}\n\
                {\"item_id\":\"b\",\"quantity\":1,\"last_updated\":\"2026-03-01\"}\n\
                {\"item_id\":\"c\",\"location\":\"HAM\",\"last_updated\":\"2026-03-01\"}\n\
                {\"quantity\":1,\"location\":\"HAM\",\"last_updated\":\"2026-03-01\"}\n\
                {\"item_id\":\"e\",\"quantity\":1,\"location\":\"HAM\"}\n";
    let mapping = plain(&["item_id", "quantity", "location"]);
    let project = industry("compliance: { industry: manufacturing }\n", "inventory", "", &mapping, rows);
    let (exit, document) = project.document(&["sync", "run", "inventory"]);
    assert_eq!((exit, document["totals"]["rejected"].as_u64()), (0, Some(4)), "{document}");
    assert_eq!(records(&project, "inventory").len(), 1);
    says(&project.run(&["sync", "dlq", "list"]).1, &["inventory-complete"]);
}

/// Each word of conditions over records, as it works while records move.
#[test]
fn words_look_at_records_and_at_what_is_known_of_them() {
    let rules = "compliance:
  rules:
    - { name: no-cards, on: record, when: 'detect(record.note, \"pci.pan\")', action: park }
    - { name: no-secrets, on: record, when: 'detect(record.memo)', action: withhold }
    - { name: no-marked, on: record, when: '\"pii\" in tag(record.mail) && record.?mark.orValue(\"\") == \"x\"', action: withhold }
    - { name: only-masked, on: record, when: '!protected(record.phone) && record.?mark.orValue(\"\") == \"p\"', action: withhold }
    - { name: never-masked, on: record, when: 'protected(record.mail) && record.?mark.orValue(\"\") == \"q\"', action: withhold }
    - { name: no-yes, on: record, when: '!consent(\"ads\") && record.?mark.orValue(\"\") == \"c\"', action: withhold }
    - { name: not-there, on: record, when: 'region(\"target\") == \"us\" && record.?mark.orValue(\"\") == \"r\"', action: withhold }
    - { name: not-here, on: record, when: 'region(\"hub\") == \"eu\" && record.?mark.orValue(\"\") == \"h\"', action: withhold }
";
    let fields = ", fields: { id: int, note: string, memo: string, mark: string, consent_ads: bool, \
                  mail: { type: string, class: pii.email }, phone: { type: string, class: pii.phone } }";
    let mapping = format!(
        "{}  - {{ target: mail, source: mail }}\n  - {{ target: phone, source: phone, transform: mask_phone(value), when: has(record.phone) }}\n",
        plain(&["id", "note"])
    );
    let mut rows = String::new();
    for (id, more) in [
        (1, "\"note\":\"paid 4539 1488 0343 6467\""),
        (2, "\"memo\":\"reach me at anna@shop.example\""),
        (3, "\"mark\":\"x\",\"mail\":\"a@b.example\""),
        (4, "\"mark\":\"p\",\"phone\":\"+4930123456\""),
        (5, "\"mark\":\"q\",\"mail\":\"a@b.example\""),
        (6, "\"mark\":\"c\""),
        (7, "\"mark\":\"c\",\"consent_ads\":true"),
        (8, "\"mark\":\"r\""),
        (9, "\"mark\":\"h\""),
        (10, "\"note\":\"paid in cash\",\"memo\":\"call me\",\"mark\":\"\""),
    ] {
        rows.push_str(&format!("{{\"id\":{id},{more}}}\n"));
    }
    let project = industry(rules, "notes", fields, &mapping, &rows);
    let at_home = project
        .read("connectors.yaml")
        .replace("  hub:\n    use: file\n", "  hub:\n    use: file\n    region: us\n    clearance: [pii]\n");
    project.write("connectors.yaml", &at_home);
    let (exit, document) = project.document(&["sync", "run", "notes"]);
    assert_eq!(exit, 0, "{document}");
    let ids: Vec<_> = records(&project, "notes").iter().map(|one| one["id"].clone()).collect();
    // Mail is written as it is, so nothing protects it; the phone is masked, so that is protected.
    assert_eq!(ids, [4, 5, 7, 9, 10], "{document}");
    let mut by_rule: Vec<_> =
        document["rulings"].as_array().expect("rulings").iter().map(|one| one["rule"].clone()).collect();
    by_rule.sort_by_key(ToString::to_string);
    assert_eq!(by_rule, ["no-marked", "no-secrets", "no-yes", "not-there"]);
    assert_eq!(document["totals"]["rejected"], 1, "{document}");
}

/// Rules over events of the project's rules run while events are recorded, and over what was recorded.
#[test]
fn rules_over_events_act() {
    let rules = "compliance:
  rules:
    - name: twice-failed
      on: event
      when: 'event.action == \"run.finished\" && event.outcome != \"success\" && count_in(\"1h\") > 1'
      severity: high
      action: [freeze]
      tests:
        - { name: once, given: { action: run.finished, outcome: failure }, fires: false }
        - { name: twice, given: [{ action: run.finished, outcome: failure }, { action: run.finished, outcome: failure, after: 60 }], fires: true }
";
    let mapping = "  - { target: id, source: id, validate: value > 5 }\n";
    let project = industry(rules, "items", ", fields: { id: int }", mapping, "{\"id\":1}\n");
    let strict = project.read("mappings/items.yaml").replace("percent: 90", "records: 0");
    project.write("mappings/items.yaml", &strict);
    says(&project.run(&["audit", "rules", "list"]).1, &["twice-failed", "freeze"]);
    says(&project.run(&["audit", "rules", "test"]).1, &["2 tests passed"]);
    assert_ne!(project.run(&["sync", "run", "items"]).0, 0);
    says(&project.run(&["sync", "status"]).1, &["items"]);
    assert!(!project.run(&["audit", "list", "--action", "rule.fired"]).1.contains("rule.fired"));
    project.run(&["sync", "run", "items", "--full"]);
    says(&project.run(&["audit", "list", "--action", "rule.fired"]).1, &["rule.fired"]);
    let (exit, said) = project.run(&["sync", "run", "items"]);
    assert!(exit != 0 && said.contains("disabled"), "{exit} {said}");
    says(&project.run(&["audit", "rules", "test", "--since", "1h"]).1, &["twice-failed: would have fired 1 time"]);
    says(&project.run(&["audit", "check", "--only", "twice-failed", "--all"]).1, &["twice-failed"]);
    // A window that cannot be counted is told where it stands.
    project.write("connectors.yaml", &project.read("connectors.yaml").replace("&& count_in(", "|| count_in("));
    let (exit, said) = project.run(&["map", "check"]);
    assert!(exit == 2 && said.contains("joined by `&&`"), "{exit} {said}");
}

/// Each record goes where data of its person may go.
#[test]
fn residency_is_told_by_each_record() {
    let rows = "{\"id\":1,\"country\":\"us\"}\n{\"id\":2,\"country\":\"de\"}\n{\"id\":3,\"country\":\"CN\"}\n\
                {\"id\":4}\n{\"id\":5,\"country\":\"atlantis\"}\n";
    let fields = ", fields: { id: int, country: string, mail: { type: string, class: pii.email } }";
    let project = industry("compliance: { standards: [gdpr] }\n", "people", fields, &plain(&["id", "country"]), rows);
    let said = |compliance: &str, region: &str| {
        let mapping = project.read("mappings/people.yaml");
        let plain = mapping.lines().filter(|line| !line.starts_with("compliance:")).collect::<Vec<_>>().join("\n");
        project.write("mappings/people.yaml", &plain.replace("\nfields:", &format!("\n{compliance}\nfields:")));
        let connectors = project.read("connectors.yaml");
        let lines: Vec<_> = connectors.lines().filter(|line| !line.contains("region: ")).collect();
        project.write(
            "connectors.yaml",
            &lines.join("\n").replace("  hub:\n    use: file", &format!("  hub:\n    use: file\n    region: {region}")),
        );
        let _ = std::fs::remove_file(project.root().join("out/people.ndjson"));
        let (exit, document) = project.document(&["sync", "run", "people", "--full"]);
        let ids: Vec<_> = records(&project, "people").iter().filter_map(|one| one["id"].as_i64()).collect();
        (exit, ids, document["totals"]["withheld"].as_u64(), document["totals"]["rejected"].as_u64())
    };
    assert_eq!(said("compliance: { residency: country }", "us-east-1"), (0, vec![1, 3], Some(2), Some(1)));
    assert_eq!(
        said("compliance: { residency: { field: country, stays: cn } }", "de"),
        (0, vec![1, 2, 4], Some(1), Some(1))
    );
    assert_eq!(
        said("compliance: { residency: country, transfer: { ground: explicit_consent } }", "us-east-1"),
        (0, vec![1, 2, 3, 4], Some(0), Some(1))
    );
    says(&project.run(&["sync", "plan", "people"]).1, &["may go there by country"]);
    // By place, as this route has no key.
    assert_eq!(said("compliance: { residency: country }", "us-east-1").0, 0);
    says(&project.run(&["audit", "why", "people.ndjson:2"]).1, &["comply-residency"]);
}

/// A record that the target refused is given up with its person, like one that the mapping rejected.
#[test]
fn letters_of_the_target_belong_to_their_person() {
    let connectors = "version: 1\nconnectors:\n  crm: { use: file, with: { path: in }, streams: { people: { path: people.csv, format: csv, fields: { id: string, age: int } } } }\n  \
                      dw: { use: sqlite, with: { path: dw.db } }\n";
    let mapping = "version: 1\nname: people\nfrom: crm.people\nto: dw.people\nsync: { mode: upsert, key: id, on_error: { tolerate: { percent: 90 } } }\n\
                   compliance: { subject: id }\nfields:\n  - { target: id, source: id, required: true }\n  - { target: age, source: age }\n";
    let project = Project::new(&[
        ("connectors.yaml", connectors),
        ("mappings/people.yaml", mapping),
        ("in/people.csv", "id,age\nanna,30\nbert,-1\n"),
    ]);
    let db = rusqlite::Connection::open(project.root().join("dw.db")).expect("a database");
    db.execute_batch("CREATE TABLE people(id TEXT PRIMARY KEY, age INT CHECK(age > 0))").expect("a table");
    drop(db);
    let (exit, document) = project.document(&["sync", "run", "people"]);
    assert_eq!((exit, document["totals"]["refused"].as_u64()), (0, Some(1)), "{document}");
    project.write("who", "bert");
    let (exit, said) = project.run(&["audit", "keys", "shred", "@who", "--reason", "asked"]);
    assert_eq!(exit, 0, "{said}");
    says(&said, &["1 dead letter was given up"]);
    says(&project.run(&["sync", "dlq", "list"]).1, &["no dead letter"]);
}

/// Items and accounts whose fields are called otherwise are known by the usual names, by classes, and by what
/// somebody says of them.
#[test]
fn fields_are_known_by_other_names() {
    let rows = "{\"sku\":\"a\",\"on_hand\":1,\"warehouse\":\"HAM\",\"updatedAt\":\"2026-03-01\"}\n\
                {\"sku\":\"b\",\"on_hand\":1,\"updatedAt\":\"2026-03-01\"}\n\
                {\"sku\":\"c\",\"on_hand\":1,\"warehouse\":\"HAM\"}\n";
    let stock = |industry_of: &str, mapping: &str, rows: &str| {
        let project = industry(industry_of, "stock", "", mapping, rows);
        let (exit, document) = project.document(&["sync", "run", "stock"]);
        assert_eq!(exit, 0, "{document}");
        (records(&project, "stock"), document["totals"]["rejected"].as_u64())
    };
    let mapping = plain(&["sku", "on_hand", "warehouse", "updatedAt"]);
    let (written, rejected) = stock("compliance: { industry: manufacturing }\n", &mapping, rows);
    assert_eq!((written.len(), written[0]["sku"].as_str(), rejected), (1, Some("a"), Some(2)));
    // What nobody could guess is said.
    let said = "compliance: { industry: manufacturing, rules: [{ use: inventory, mappings: [stock], \
                fields: { item_id: teil, quantity: anzahl, location: regal, last_updated: zeit } }] }\n";
    let rows =
        "{\"teil\":1,\"anzahl\":2,\"regal\":\"x\",\"zeit\":\"2026\"}\n{\"teil\":2,\"anzahl\":2,\"regal\":\"x\"}\n";
    let (written, rejected) = stock(said, &plain(&["teil", "anzahl", "regal", "zeit"]), rows);
    assert_eq!((written.len(), rejected), (1, Some(1)));
    let project = industry(&said.replace("item_id: teil", "item: teil"), "stock", "", &plain(&["teil"]), rows);
    let (exit, said) = project.run(&["map", "check"]);
    assert_eq!(exit, 2, "{said}");
    says(&said, &["has no field `item`: there are item_id, last_updated, location, quantity"]);
    // By class, whatever the name.
    let rows = "{\"id\":\"a\",\"inhaber\":\"Erika Muster\",\"mobile\":\"+49 30 1\",\"account_balance\":5,\"status\":\"open\"}\n\
                {\"id\":\"b\",\"inhaber\":\"Max Muster\",\"mobile\":\"+49 30 2\",\"account_balance\":6,\"status\":\"open\",\"consent_data_processing\":true,\"share_balance\":true}\n";
    let fields = ", fields: { id: string, inhaber: { type: string, class: pii.name }, mobile: string, account_balance: int, status: string, \
                  consent_data_processing: bool, share_balance: bool }";
    let mapping = plain(&["id", "inhaber", "mobile", "account_balance", "status"]);
    let project = industry("compliance: { industry: finance }\n", "accounts", fields, &mapping, rows);
    let connectors = project.read("connectors.yaml").replace("  hub:\n", "  hub:\n    clearance: [pii]\n");
    project.write("connectors.yaml", &connectors);
    let (exit, said) = project.run(&["sync", "run", "accounts"]);
    assert_eq!(exit, 0, "{said}");
    let written = records(&project, "accounts");
    assert_eq!(written[0], serde_json::json!({ "id": "a", "status": "open" }));
    assert_eq!((&written[1]["inhaber"], &written[1]["account_balance"]), (&Value::from("Max Muster"), &Value::from(6)));
}

/// A record that breaks several rules is told under all of them.
#[test]
fn all_rules_that_a_record_breaks_are_named() {
    let rules = "compliance:
  rules:
    - { name: no-debt, about: Amounts are not below zero, on: record, when: record.amount < 0, action: park }
    - { name: no-yen, about: Nothing is paid in yen, on: record, when: 'record.currency == \"JPY\"', action: park }
    - { name: no-test, on: record, when: record.kind == \"test\", action: withhold }
    - { name: no-kp, on: record, when: record.country == \"kp\", action: withhold }
";
    let fields = ", key: id, fields: { id: int, amount: int, currency: string, kind: string, country: string }";
    let rows = "{\"id\":1,\"amount\":-1,\"currency\":\"JPY\",\"kind\":\"a\",\"country\":\"de\"}\n\
                {\"id\":2,\"amount\":1,\"currency\":\"EUR\",\"kind\":\"test\",\"country\":\"kp\"}\n";
    let project = industry(rules, "sales", fields, &plain(&["id", "amount", "currency"]), rows);
    let (exit, said) = project.run(&["sync", "run", "sales"]);
    assert_eq!(exit, 0, "{said}");
    let (_, letters) = project.document(&["sync", "dlq", "list"]);
    let id = letters["letters"][0]["id"].as_str().expect("a letter").to_owned();
    says(&project.run(&["sync", "dlq", "show", &id]).1, &["rule `no-debt`", "rule `no-yen`"]);
    let (_, why) = project.document(&["audit", "why", "sales.ndjson:1"]);
    assert_eq!(why["found"][0]["rules"], serde_json::json!(["no-debt", "no-yen"]), "{why}");
    says(
        &project.run(&["audit", "why", "sales.ndjson:1"]).1,
        &["`no-debt` connectors.yaml:4", "`no-yen` connectors.yaml:5"],
    );
    let (_, why) = project.document(&["audit", "why", "sales.ndjson:2"]);
    assert_eq!(why["found"][0]["rules"], serde_json::json!(["no-test", "no-kp"]), "{why}");
    says(
        &project.run(&["audit", "why", "sales.ndjson:2"]).1,
        &["no-test", "connectors.yaml:6", "no-kp", "connectors.yaml:7"],
    );
}

/// A rule that asks for an approval: nothing moves until somebody else approved of the plan, or a waiver with owner,
/// reason and end says that it may; an approval is for one run, and a waiver ends.
#[test]
fn what_needs_an_approval_waits_for_it() {
    let rules = |more: &str| {
        format!(
            "compliance:
  rules:
    - {{ name: cross-border, about: What leaves the house is looked at by two, on: flow, when: flow.target.name == \"hub\", action: approve }}
{more}"
        )
    };
    let fields = ", fields: { id: int }";
    let project = industry(&rules(""), "items", fields, &plain(&["id"]), "{\"id\":1}\n");
    // It is no error, and it is said.
    let (exit, said) = project.run(&["map", "check"]);
    assert_eq!(exit, 0, "{said}");
    says(&said, &["cross-border", "consign sync approve"]);
    let (exit, said) = project.run(&["sync", "run", "items"]);
    assert_eq!(exit, 6, "{said}");
    says(&said, &["sync-approval-missing", "rule `cross-border`: What leaves the house is looked at by two"]);
    assert!(project.read("out/items.ndjson").is_empty());
    let event = |action: &str| {
        let (_, found) = project.document(&["audit", "list", "--action", action]);
        project.run(&["audit", "show", &found["events"][0]["seq"].to_string(), "-o", "json"]).1
    };
    says(&event("run.refused"), &["cross-border"]);
    says(&project.run(&["sync", "plan", "items"]).1, &["runs with an approved plan only", "cross-border"]);
    let (exit, said) = project.run(&["sync", "plan", "items", "--save", "plan.json"]);
    assert_eq!(exit, 0, "{said}");
    says(&said, &["next: consign sync approve plan.json"]);
    assert_eq!(project.run(&["sync", "run", "--plan", "plan.json"]).0, 6);
    // Whoever made it is not who approves of it.
    assert_eq!(project.run(&["sync", "approve", "plan.json", "--as", "ada", "--reason", "fine"]).0, 6);
    let (exit, said) = project.run(&["sync", "approve", "plan.json", "--as", "bert", "--reason", "CHG-7"]);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = project.run(&["sync", "run", "--plan", "plan.json"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(records(&project, "items").len(), 1);
    says(&event("plan.approved"), &["bert", "CHG-7"]);
    // It was for that run.
    assert_eq!(project.run(&["sync", "run", "items"]).0, 6);
    for (until, expected) in [("2999-01-01", 0), ("2020-01-01", 6)] {
        let waiver = format!(
            "  waivers:\n    - {{ check: cross-border, at: items, owner: bert, reason: tested by hand, until: {until} }}\n"
        );
        let project = industry(&rules(&waiver), "items", fields, &plain(&["id"]), "{\"id\":1}\n");
        let (exit, said) = project.run(&["sync", "run", "items"]);
        assert_eq!(exit, expected, "{until}: {said}");
    }
}

/// What each action does, through the whole program.
#[test]
fn each_action_does_what_it_says() {
    let rows = "{\"id\":1,\"flag\":true,\"name\":\"Bob Jones\",\"phone\":\"+49 30 123456\",\"number\":\"ab-12\"}\n\
                {\"id\":2,\"flag\":false,\"name\":\"Eva Gold\",\"phone\":\"+49 30 123457\",\"number\":\"ab-13\"}\n";
    let fields = ", fields: { id: int, flag: bool, name: string, phone: string, number: string }";
    let mapping = plain(&["id", "name", "phone", "number"]);
    let act = |action: &str| {
        let rules = format!(
            "compliance:\n  keys: {{ cards: {{ purpose: token }} }}\n  rules:\n    - {{ name: r, about: Flagged, on: record, when: record.flag, action: {action} }}\n"
        );
        let project = industry(&rules, "people", fields, &mapping, rows);
        assert_eq!(project.run(&["audit", "keys", "create", "cards"]).0, 0);
        let (exit, document) = project.document(&["sync", "run", "people"]);
        (exit, document["totals"].clone(), records(&project, "people"), project)
    };
    let number = |totals: &Value, name: &str| totals[name].as_u64().unwrap_or_default();
    let (exit, totals, written, project) = act("park");
    assert_eq!((exit, number(&totals, "rejected"), written.len()), (0, 1, 1));
    says(&project.run(&["sync", "dlq", "list"]).1, &["rule `r`: Flagged"]);
    let (exit, totals, written, _) = act("withhold");
    assert_eq!((exit, number(&totals, "withheld"), written.len()), (0, 1, 1));
    let (exit, _, written, project) = act("stop");
    assert_eq!((exit, written.len()), (5, 0));
    says(&project.run(&["sync", "run", "people"]).1, &["rule `r`: Flagged", "ends the run here"]);
    let (exit, _, written, _) = act("{ mask: phone }");
    let phone = written[0]["phone"].as_str().expect("a text").to_owned();
    assert!(exit == 0 && !phone.contains("123456") && written[1]["phone"] == "+49 30 123457", "{written:?}");
    let (exit, _, written, _) = act("{ drop: [phone, name] }");
    assert_eq!((exit, &written[0]), (0, &serde_json::json!({ "id": 1, "number": "ab-12" })));
    let (exit, _, written, _) = act("{ anonymize: name }");
    assert_eq!((exit, written[0]["name"].as_str(), written[1]["name"].as_str()), (0, Some("BJ"), Some("Eva Gold")));
    let (exit, _, written, _) = act("{ tokenize: { field: number, key: cards } }");
    let token = written[0]["number"].as_str().expect("a token").to_owned();
    assert!(exit == 0 && token.len() == 26 && written[1]["number"] == "ab-13", "{token}");
    // Several at once.
    let (exit, _, written, _) = act("[{ mask: phone }, { anonymize: name }]");
    assert!(exit == 0 && written[0]["name"] == "BJ" && written[0]["phone"] != "+49 30 123456", "{written:?}");
    // Before anything moves.
    for (action, exit) in [("block", 6), ("warn", 0), ("approve", 6)] {
        let rules = format!(
            "compliance: {{ rules: [{{ name: r, about: Nothing goes there, on: mapping, when: 'true', action: {action} }}] }}\n"
        );
        let project = industry(&rules, "people", fields, &mapping, rows);
        says(&project.run(&["map", "check"]).1, &["rule `r`: Nothing goes there"]);
        assert_eq!(project.run(&["sync", "run", "people"]).0, exit, "{action}");
        assert_eq!(records(&project, "people").is_empty(), exit != 0, "{action}");
    }
}

/// Of a record that cannot be decoded nobody knows which of its fields is which: it is sealed like any other, and
/// where it may hold what must never be stored nothing of it is kept.
#[test]
fn records_that_cannot_be_decoded_are_protected() {
    let good = "{\"id\":1}\n";
    let state = |project: &Project| {
        let files = std::fs::read_dir(project.root().join(".consign")).expect("the state");
        files.filter_map(|file| std::fs::read(file.ok()?.path()).ok()).flatten().collect::<Vec<u8>>()
    };
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let shown = |compliance: &str, fields: &str, bad: &str| {
        let project = industry(compliance, "payments", fields, &plain(&["id"]), &format!("{good}{bad}\n"));
        let (exit, document) = project.document(&["sync", "run", "payments"]);
        assert_eq!((exit, document["totals"]["rejected"].as_u64()), (0, Some(1)), "{document}");
        let (_, letters) = project.document(&["sync", "dlq", "list"]);
        let id = letters["letters"][0]["id"].as_str().expect("a letter").to_owned();
        let (_, said) = project.run(&["sync", "dlq", "show", &id]);
        (state(&project), said)
    };
    let off = "compliance: { rules: [{ use: \"*\", enabled: false }] }\n";
    let looking = "compliance: { rules: [{ use: \"*\", enabled: false }], detect: { action: mask } }\n";
    let (card, broken) = ("4539148803436467", "{\"id\":2,\"memo\":\"4539148803436467\",");
    // Sealed, whoever looks or not; shown only to whom asks for it in clear.
    for compliance in [off, looking] {
        let (state, said) = shown(compliance, "", broken);
        assert!(!holds(&state, card), "{compliance}");
        assert!(compliance == off || !said.contains(card), "{said}");
    }
    // A verification code: by the name of its field, by declaration, by what it looks like.
    for (compliance, fields, bad) in [
        (off, "", "{\"id\":2,\"cvv\":\"918\","),
        (
            off,
            ", fields: { id: int, pruefzahl: { type: string, class: pci.sad.cvv } }",
            "{\"id\":2,\"pruefzahl\":\"918\",",
        ),
        (looking, "", "{\"id\":2,\"swipe\":\"%B4539148803436467^DOE/JANE^27121010000000000000?\","),
    ] {
        let (_, said) = shown(compliance, fields, bad);
        says(&said, &["nothing of the record is kept"]);
    }
}
