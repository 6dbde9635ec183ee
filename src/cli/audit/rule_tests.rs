//! Rules over records, as the mappings they become a part of: each mapping has tests of its own, which the
//! check of mappings runs with the rules in place.

use std::path::PathBuf;

use crate::cli::context::catalog;
use crate::comply::rules;
use crate::config::{FileText, load_texts};
use crate::error::Severity;
use crate::sync::check;

/// What is wrong with a mapping from `shop.NAME` under rules, its own tests included: code and cause.
fn found(name: &str, compliance: &str, fields: &str, mapping: &str) -> Vec<String> {
    let connectors = format!(
        "version: 1\ncompliance:\n{compliance}\nconnectors:\n  shop:\n    use: file\n    streams:\n      {name}:\n        path: a.ndjson\n        format: ndjson\n        fields: {fields}\n  dw:\n    use: sqlite\n    with: {{ path: dw.db }}\n"
    );
    let mapping = format!("version: 1\nname: {name}\nfrom: shop.{name}\nto: dw.{name}\n{mapping}");
    let file = |name: &str, text: &str| FileText { name: name.into(), bytes: text.as_bytes().to_vec() };
    let mut loaded = load_texts(
        PathBuf::from("/nowhere"),
        Some(file("connectors.yaml", &connectors)),
        vec![file("mappings/a.yaml", &mapping)],
        None,
        &catalog(),
    );
    rules::attach(&mut loaded);
    let _ = check(&mut loaded, false);
    let bad = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error);
    bad.map(|finding| format!("{}: {}", finding.code.id, finding.cause)).collect()
}

fn holds(name: &str, compliance: &str, fields: &str, mapping: &str) {
    assert_eq!(found(name, compliance, fields, mapping), Vec::<String>::new(), "{name}");
}

/// Transactions with card data that must not be there are refused; a card number becomes a token.
#[test]
fn payments_hold_out_of_the_box() {
    let compliance = "  keys: { cards: { purpose: token } }\n  rules: [{ use: payments }]";
    let fields = "{ id: int, amount: decimal, card_token: string, card_number: { type: string, class: pci.pan }, cvv: { type: string, class: cvv }, pin: { type: string, class: pci.pin } }";
    let rules = "fields:\n  - { target: id, source: id }\n  - { target: amount, source: amount }\n  - { target: card, source: card_number }\ntests:\n";
    holds(
        "transactions",
        compliance,
        fields,
        &format!(
            "{rules}  - {{ name: a code, given: {{ id: 1, cvv: \"123\" }}, expect_rejected: card-data-refused }}\n  - {{ name: a PIN, given: {{ id: 1, pin: \"1234\" }}, expect_rejected: PCI DSS 3.3.1 }}\n  - {{ name: neither, given: {{ id: 1, amount: 3 }}, expect: {{ id: 1, amount: 3 }} }}\n"
        ),
    );
    // The number itself arrives nowhere: what is expected here is what the rule keeps away.
    let clear = format!(
        "{rules}  - {{ name: in clear, given: {{ id: 1, card_number: \"4111111111111111\" }}, expect: {{ id: 1, card: \"4111111111111111\" }} }}\n"
    );
    assert_eq!(found("transactions", compliance, fields, &clear).len(), 1);
    // Without the key there is nothing to make tokens with, and nothing runs.
    let keyless = found("transactions", "  rules: [{ use: payments }]", fields, rules.trim_end_matches("tests:\n"));
    assert!(keyless.iter().any(|cause| cause.contains("cards")), "{keyless:?}");
}

/// Without consent to marketing a dealer's customer has initials and no address.
#[test]
fn dealers_hold_out_of_the_box() {
    holds(
        "dealer-customers",
        "  rules: [{ use: dealers }]",
        "{ id: int, name: { type: string, class: pii.name }, email: { type: string, class: pii.email }, consent_marketing: bool }",
        "fields:\n  - { target: id, source: id }\n  - { target: name, source: name }\n  - { target: email, source: email }\ntests:\n  - { name: no answer, given: { id: 1, name: Bob Jones, email: b@j.example }, expect: { id: 1, name: BJ } }\n  - { name: yes, given: { id: 1, name: Bob Jones, email: b@j.example, consent_marketing: true }, expect: { id: 1, name: Bob Jones, email: b@j.example } }\n",
    );
    // Records that cannot say yes say no.
    holds(
        "dealer-customers",
        "  rules: [{ use: dealers }]",
        "{ id: int, name: { type: string, class: pii.name }, email: { type: string, class: pii.email } }",
        "fields:\n  - { target: id, source: id }\n  - { target: name, source: name }\n  - { target: email, source: email }\ntests:\n  - { name: nobody asked, given: { id: 1, name: Bob Jones, email: b@j.example }, expect: { id: 1, name: BJ } }\n",
    );
}

/// Accounts carry personal data only with consent to processing.
#[test]
fn accounts_hold_out_of_the_box() {
    holds(
        "accounts",
        "  rules: [{ use: accounts }]",
        "{ id: int, customer_name: { type: string, class: pii.name }, balance: decimal, consent_data_processing: bool, include_balance: bool }",
        "fields:\n  - { target: id, source: id }\n  - { target: name, source: customer_name }\n  - { target: balance, source: balance }\ntests:\n  - { name: neither, given: { id: 1, customer_name: Erika, balance: 5 }, expect: { id: 1 } }\n  - { name: both, given: { id: 1, customer_name: Erika, balance: 5, consent_data_processing: true, include_balance: true }, expect: { id: 1, name: Erika, balance: 5 } }\n",
    );
}

/// An item without id, quantity, place or time of its last count is refused.
#[test]
fn inventory_holds_out_of_the_box() {
    holds(
        "inventory",
        "  rules: [{ use: inventory }]",
        "{ item_id: string, quantity: decimal, location: string, last_updated: string }",
        "fields:\n  - { target: item_id, source: item_id }\n  - { target: quantity, source: quantity }\ntests:\n  - { name: nowhere, given: { item_id: a, quantity: 1, last_updated: now }, expect_rejected: inventory-complete }\n  - { name: whole, given: { item_id: a, quantity: 1, location: HAM, last_updated: now }, expect: { item_id: a, quantity: 1 } }\n",
    );
    // Where there is no such field at all, no item is whole.
    holds(
        "inventory",
        "  rules: [{ use: inventory }]",
        "{ item_id: string, quantity: decimal, location: string }",
        "fields:\n  - { target: item_id, source: item_id }\ntests:\n  - { name: never counted, given: { item_id: a, quantity: 1, location: HAM }, expect_rejected: inventory-complete }\n",
    );
}

/// Health data goes encrypted, and to others only under an agreement.
#[test]
fn health_holds_out_of_the_box() {
    let fields = "{ id: int, diagnosis: { type: string, class: phi.diagnosis } }";
    let rules = |transform: &str| {
        format!(
            "fields:\n  - {{ target: id, source: id }}\n  - {{ target: diagnosis, source: diagnosis{transform} }}\n"
        )
    };
    let compliance = "  keys: { sealed: { purpose: encrypt } }\n  rules: [{ use: health }]";
    let clear = found("patients", compliance, fields, &rules(""));
    assert!(clear.iter().any(|cause| cause.starts_with("comply-rule") && cause.contains("phi-encrypted")), "{clear:?}");
    holds("patients", compliance, fields, &rules(", transform: 'encrypt(value, \"sealed\")'"));
}

/// Rules of a project's own: each action does what it says.
#[test]
fn actions_do_what_they_say() {
    let check = |rule: &str, test: &str| {
        let compliance = format!("  rules:\n    - {{ name: own, on: record, {rule} }}");
        let mapping = format!(
            "fields:\n  - {{ target: id, source: id }}\n  - {{ target: note, source: note }}\ntests:\n  - {{ name: t, given: {{ id: 7, note: secret things }}, {test} }}\n"
        );
        holds("notes", &compliance, "{ id: int, note: { type: string, class: pii.free_text } }", &mapping);
    };
    check("when: record.id > 5", "expect_rejected: own");
    check("when: record.id > 5, action: stop, message: no ids above five", "expect_rejected: no ids above five");
    check("when: record.id > 5, action: withhold", "expect_withheld: own");
    check("when: record.id > 9, action: withhold", "expect: { id: 7, note: secret things }");
    check("when: record.id > 5, action: { drop: note }", "expect: { id: 7 }");
    check("when: '\"pii\" in tag(record.note)', action: { drop: note }", "expect: { id: 7 }");
    check("when: '\"phi\" in tag(record.note)', action: { drop: note }", "expect: { id: 7, note: secret things }");
    check("when: record.id > 5, enabled: false", "expect: { id: 7, note: secret things }");
    check("when: record.id > 5, mappings: [\"other*\"]", "expect: { id: 7, note: secret things }");
}

/// What is wrong with a rule is said where it stands, and nothing runs.
#[test]
fn bad_rules_are_told() {
    let check = |rule: &str, expected: &str| {
        let found = found(
            "notes",
            &format!("  rules:\n    - {rule}"),
            "{ id: int }",
            "fields:\n  - { target: id, source: id }\n",
        );
        assert!(
            found.len() == 1 && found[0].starts_with("config-rule-bad") && found[0].contains(expected),
            "{rule}: {found:?}"
        );
    };
    check("{ use: airlines }", "no pack of rules `airlines`");
    check("{ name: a, on: record }", "when");
    check("{ name: a, on: planet, when: 'true' }", "planet");
    check("{ name: a, on: record, when: 'true', colour: red }", "colour");
    check("{ name: a, on: record, when: 'record.id >' }", "the rule `a`");
    check("{ name: a, on: record, when: 'count_in(\"1h\") > 1' }", "count_in");
    check("{ name: a, on: connector, when: 'true', action: park }", "can do nothing");
}

/// A flow rule is a finding before anything moves; a waiver makes it a warning, `approve` asks for approval.
#[test]
fn rules_over_flows_are_findings() {
    let fields = "{ id: int, mail: { type: string, class: pii.email } }";
    let mapping = "fields:\n  - { target: id, source: id }\n  - { target: mail, source: mail }\n";
    let rule = |action: &str| {
        format!(
            "  rules:\n    - {{ name: eu-only, on: flow, when: '\"pii\" in flow.written && region(\"target\") != \"eu\"'{action} }}"
        )
    };
    let found_with =
        |more: &str, action: &str, mapping: &str| found("people", &format!("{}{more}", rule(action)), fields, mapping);
    assert_eq!(found_with("", "", mapping).len(), 1);
    assert_eq!(found_with("", ", action: warn", mapping).len(), 0);
    assert_eq!(found_with("", ", enabled: false", mapping).len(), 0);
    assert_eq!(
        found_with(
            "\n  waivers: [{ check: eu-only, at: people, owner: a, reason: b, until: 2099-01-01 }]",
            "",
            mapping
        )
        .len(),
        0
    );
    assert_eq!(
        found_with(
            "\n  waivers: [{ check: eu-only, at: people, owner: a, reason: b, until: 2020-01-01 }]",
            "",
            mapping
        )
        .len(),
        1
    );
    // It is no error: each run asks for it.
    assert_eq!(found_with("", ", action: approve", mapping).len(), 0);
}
