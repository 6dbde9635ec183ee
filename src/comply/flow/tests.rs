//! Whole files in, findings as text out: what is special about single judges. Projects with one leak each,
//! and the same mended, are under `tests/fixtures/leaks`.

use std::path::PathBuf;

use super::*;
use crate::config::{Carries, Catalog, FileText, Mode, OptionKind, OptionSpec, ProtocolSpec, load_texts};
use crate::error::{Finding, Severity};
use crate::map::{SourceShape, TargetShape};

static STORE: ProtocolSpec = ProtocolSpec {
    name: "store",
    about: "A store.",
    carries: Carries::Rows,
    reads: true,
    modes: &[Mode::Append],
    options: &[OptionSpec::new("url", OptionKind::Text, "Where it is.")],
    stream_options: &[OptionSpec::new("table", OptionKind::Text, "The table.")],
    undeclared_stream: Some("table"),
    example: "use: store",
    auth: &[],
    streams: &[],
    plugin: None,
};

static CATALOG: Catalog = Catalog { protocols: &[&STORE], formats: &[], shelf: None };

/// The findings of a mapping from `shop.people` to `warehouse.people`, each in a line: `mapping` and what
/// the target says of itself, the section `compliance`.
fn judged(mapping: &str, target: &str, compliance: &str) -> Vec<Finding> {
    let fields = "id: int!, mail: { type: string, class: pii.email }, card: { type: string, class: pci.pan }, code: { type: string, class: cvv }, token: { type: string, class: pci.token }, illness: { type: string, class: phi.diagnosis }";
    let fields = fields.replace("id: int!", "id: int");
    let project = format!(
        "version: 1\nconnectors:\n  shop: {{ use: store, streams: {{ people: {{ open: true, fields: {{ {fields} }} }} }} }}\n  warehouse: {{ use: store{target} }}\ncompliance: {{ {compliance} }}\n"
    );
    let mapping = format!("version: 1\nname: m\nfrom: shop.people\nto: warehouse.people\n{mapping}\n");
    let file = |name: &str, text: &str| FileText { name: name.into(), bytes: text.as_bytes().to_vec() };
    let loaded =
        load_texts(PathBuf::from("/p"), Some(file("c.yaml", &project)), vec![file("m.yaml", &mapping)], None, &CATALOG);
    assert_eq!(loaded.findings, [], "{project}\n{mapping}");
    let (project, mapping) = (loaded.project.unwrap(), &loaded.mappings[0]);
    let (source, target) = (&project.connectors["shop"], &project.connectors["warehouse"]);
    let stream = source.stream("people", &STORE).unwrap();
    let (route, found) =
        crate::map::compile(mapping, &SourceShape::of(&mapping.from, Some(&stream), None), &TargetShape::default());
    let route = route.unwrap_or_else(|| panic!("{found:?}"));
    flow(&project, (mapping, &route), (source, target), "2026-11-21".parse().unwrap())
}

fn said(finding: &Finding) -> String {
    let place = finding.place.as_ref().unwrap();
    let weight = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!("{weight} {}:{}:{} {}: {}", place.file, place.line, place.column, finding.code.id, finding.cause)
}

#[track_caller]
fn check(mapping: &str, target: &str, compliance: &str, expected: &[&str]) {
    let found: Vec<String> = judged(mapping, target, compliance).iter().map(said).collect();
    assert_eq!(found, expected, "{mapping} {target} {compliance}");
}

fn copy(field: &str) -> String {
    format!("fields: [{{ target: out, source: {field} }}]")
}

#[test]
fn clearance_decides() {
    // Nothing was said: nothing is judged.
    check(&copy("mail"), "", "", &[]);
    check(&copy("mail"), ", clearance: [pii.contact]", "", &[]);
    let block = "fields:\n  - target: out\n    source: mail";
    let found = judged(block, ", clearance: [pii.name]", "");
    assert!(said(&found[0]).contains("comply-flow") && found.len() == 1, "{found:?}");
    let fix = found[0].fix.as_deref().unwrap();
    assert!(fix.contains("mask_email(value)") && fix.contains("add pii.contact.email to its `clearance`"), "{fix}");
    assert_eq!(found[0].edit.as_ref().unwrap().text, "\n    transform: mask_email(value)");
    let declared = "purpose: x, basis: contract, retention: 30d";
    let with = |rule: &str| format!("compliance: {{ {declared} }}\n{rule}");
    let found: Vec<String> = judged(&with(&copy("mail")), "", "standards: [gdpr]").iter().map(said).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("error m.yaml:6:33 comply-flow") && found[0].contains("GDPR Art. "), "{found:?}");
    let found = judged(&with(&copy("mail")), "", "standards: [gdpr], on_violation: warn");
    assert_eq!(found[0].severity, Severity::Warning);
    // The standard knows nothing of e-mail addresses; a token is no card number.
    check(&copy("mail"), "", "standards: [pci_dss]", &[]);
    check(&copy("token"), ", clearance: []", "standards: [pci_dss]", &[]);
    check(&copy("id"), ", clearance: []", "standards: [pci_dss]", &[]);
}

#[test]
fn authentication_data_is_cleared_nowhere() {
    for target in ["", ", clearance: [pci, pci.sad]"] {
        let found = judged(&copy("code"), target, "on_violation: warn");
        assert!(said(&found[0]).starts_with("error m.yaml:5:33 comply-prohibited"), "{found:?}");
        assert!(found[0].cause.contains("PCI DSS 3.3.1.2"), "{found:?}");
    }
}

#[test]
fn a_protecting_function_changes_the_class() {
    let rule = "fields: [{ target: out, source: mail, transform: mask_email(value) }]";
    check(rule, ", clearance: []", "standards: [gdpr]", &[]);
    let rule = "fields: [{ target: out, source: mail, transform: '\"<\" + value + \">\"' }]";
    assert!(said(&judged(rule, ", clearance: []", "")[0]).contains("comply-flow"));
    // What the project does about a class is done: nothing arrives.
    check(&copy("mail"), ", clearance: []", "protect: { pii: mask }", &[]);
    assert!(
        !judged(&copy("illness"), ", clearance: []", "protect: { phi: mask }").is_empty(),
        "no mask for a diagnosis"
    );
}

#[test]
fn what_decides_is_a_finding_of_its_own() {
    let gate = |field: &str| format!("when: record.{field} == \"x\"\nfields: [{{ target: out, source: id }}]");
    let mail = said(&judged(&gate("mail"), ", clearance: []", "")[0]);
    assert!(
        mail.starts_with("warning m.yaml:5:7 comply-control-flow: `pii.contact.email` decides which records"),
        "{mail}"
    );
    let illness = said(&judged(&gate("illness"), ", clearance: []", "")[0]);
    assert!(illness.starts_with("error m.yaml:5:7 comply-control-flow"), "{illness}");
    let inner = "fields: [{ target: out, source: id, transform: 'record.mail == \"x\" ? 1 : 2' }]";
    let inner = said(&judged(inner, ", clearance: []", "")[0]);
    assert!(inner.starts_with("warning") && inner.contains("decides about the value of `out`"), "{inner}");
}

#[test]
fn a_card_number_may_be_cut_but_not_hashed() {
    let made = |transform: &str| format!("fields: [{{ target: out, source: card, transform: '{transform}' }}]");
    let codes =
        |mapping: &str| judged(mapping, "", "standards: [pci_dss]").iter().map(|f| f.code.id).collect::<Vec<_>>();
    assert_eq!(codes(&made("left(value, 6) + right(value, 4)")), [""; 0]);
    assert_eq!(codes(&made("left(value, 8) + right(value, 4)")), ["comply-card-truncation"]);
    assert_eq!(codes(&made("sha256(\"salt\" + value)")), ["comply-card-hash"]);
    assert_eq!(codes(&made("upper(value)")), ["comply-flow"]);
    let two = "fields: [{ target: a, source: card, transform: 'left(value, 6)' }, { target: b, source: card, transform: 'sha256(value)' }]";
    assert_eq!(codes(two), ["comply-card-hash", "comply-card-correlation"]);
    let parts = "fields: [{ target: a, source: card, transform: 'left(value, 6)' }, { target: b, source: card, transform: 'right(value, 4)' }]";
    assert_eq!(codes(parts), [""; 0]);
}

#[test]
fn a_waiver_takes_the_weight_off_until_its_day() {
    let with = |until: &str, at: &str| {
        let waiver =
            format!("waivers: [{{ check: comply-flow, at: {at}, owner: ann, reason: moving, until: {until} }}]");
        judged(&copy("mail"), ", clearance: []", &waiver)
    };
    for at in ["m", "m.out", "warehouse"] {
        let found = with("2026-11-21", at);
        assert_eq!((found[0].severity, found[0].waived().unwrap().owner.as_str()), (Severity::Note, "ann"), "{at}");
    }
    let ended = with("2026-11-20", "m");
    assert_eq!((ended[0].severity, ended[0].waived()), (Severity::Error, None));
    assert!(ended[0].breach.as_ref().unwrap().waived.as_ref().unwrap().expired);
    assert_eq!(with("2026-11-21", "other")[0].severity, Severity::Error);
}
