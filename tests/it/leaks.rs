//! Small projects with one leak each, and the same mended: `tests/fixtures/leaks/NAME/{leak,mended}`. The
//! file `expected` beside them says what `map check` has to find, and nothing else: one line each,
//! `FILE:LINE CODE CONTROL` (`-` where no control is broken).

use std::path::Path;

use serde_json::Value;

use crate::support::{consign, demo, repository, text};

/// At least so many leaks.
const LEAKS: usize = 30;

fn check(folder: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let output = consign(folder).args(["map", "check", "-o", "json"]).args(arguments).output().expect("it starts");
    let printed = text(&output.stdout);
    let document = serde_json::from_str(&printed).unwrap_or(Value::Null);
    (output.status.code().unwrap_or(-1), document, format!("{printed}{}", text(&output.stderr)))
}

fn found(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().cloned().unwrap_or_default();
    let mut shown: Vec<String> = findings
        .iter()
        .map(|f| format!("{}:{} {}", f["file"].as_str().unwrap_or("?"), f["line"], f["code"].as_str().unwrap_or("?")))
        .collect();
    shown.sort();
    shown
}

#[test]
fn every_leak_is_found_and_nothing_in_its_mended_twin() {
    let root = repository().join("tests/fixtures/leaks");
    let mut names: Vec<_> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let mut wrong = Vec::new();
    for leak in &names {
        let name = leak.file_name().unwrap().to_string_lossy().into_owned();
        let expected = std::fs::read_to_string(leak.join("expected")).unwrap();
        let lines: Vec<Vec<&str>> = expected.lines().map(|line| line.splitn(3, ' ').collect()).collect();
        let mut wanted: Vec<String> = lines.iter().map(|line| format!("{} {}", line[0], line[1])).collect();
        wanted.sort();
        let (exit, document, printed) = check(&leak.join("leak"), &[]);
        let shown = found(&document);
        if shown != wanted {
            wrong.push(format!("{name}: wants {wanted:?}, gives {shown:?}\n{printed}"));
            continue;
        }
        let findings = document["findings"].as_array().unwrap();
        for line in &lines {
            let of = |f: &&Value| f["code"].as_str() == Some(line[1]);
            let controls = findings.iter().find(of).map(|f| f["controls"].to_string()).unwrap_or_default();
            if line[2] != "-" && !controls.contains(line[2]) {
                wrong.push(format!("{name}: {} breaks {controls}, not {}", line[1], line[2]));
            }
        }
        let refused = |f: &Value| f["severity"] == "error" && f["code"].as_str().unwrap().starts_with("comply-");
        let errors = findings.iter().any(|f| f["severity"] == "error");
        let code = if findings.iter().any(refused) { 6 } else { i32::from(errors) * 2 };
        if exit != code {
            wrong.push(format!("{name}: exit {exit}, not {code}"));
        }
        let (exit, document, printed) = check(&leak.join("mended"), &[]);
        if exit != 0 || !found(&document).is_empty() {
            wrong.push(format!("{name}, mended: exit {exit}\n{printed}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), names.len(), wrong.join("\n"));
    assert!(names.len() >= LEAKS, "{}", names.len());
}

#[test]
fn nothing_is_found_in_what_is_shipped() {
    let folder = demo();
    std::fs::copy(folder.path().join("connectors.yaml.example"), folder.path().join("connectors.yaml")).unwrap();
    let (exit, document, printed) = check(folder.path(), &[]);
    assert_eq!((exit, found(&document)), (0, Vec::<String>::new()), "{printed}");
}

/// Every stream of every shipped pack into files that are cleared for what it holds, with the connector as
/// `connect show` says that it begins.
#[test]
fn nothing_is_found_in_the_shipped_packs() {
    const CLEARED: &str = "[pii, phi, pci.pan, pci.cardholder, pci.expiry, financial, special, secret, confidential]";
    let mut looked = 0;
    for pack in std::fs::read_dir(repository().join("src/connect/packs")).unwrap() {
        let pack = pack.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("connectors.yaml"), "version: 1\nconnectors: {}\n").unwrap();
        let shown = |shape: &str| {
            let output = consign(folder.path()).args(["connect", "show", &pack, "-o", shape]).output().unwrap();
            text(&output.stdout)
        };
        let document: Value = serde_json::from_str(&shown("json")).unwrap();
        let streams: Vec<String> = document["streams"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|stream| stream["reads"] == true)
            .filter_map(|stream| stream["name"].as_str().map(str::to_owned))
            .collect();
        if streams.is_empty() {
            continue;
        }
        let page = shown("text");
        let begin = page.split_once("a connector:\n").unwrap().1.split_once("\n\n").unwrap().0;
        let begin = begin.replace('…', "\"${env:X}\"");
        let connector = begin.trim().split(':').next().unwrap();
        let declared: String =
            streams.iter().map(|name| format!("      {name}: {{ path: {name}.ndjson, format: ndjson }}\n")).collect();
        let file = format!(
            "version: 1\nconnectors:\n{begin}\n  dw:\n    use: file\n    with: {{ path: out }}\n    clearance: {CLEARED}\n    streams:\n{declared}"
        );
        std::fs::write(folder.path().join("connectors.yaml"), file).unwrap();
        std::fs::create_dir(folder.path().join("mappings")).unwrap();
        for stream in &streams {
            let mapping = format!(
                "version: 1\nname: {stream}\nfrom: {connector}.{stream}\nto: dw.{stream}\ncopy: {{ omit: [] }}\n"
            );
            std::fs::write(folder.path().join(format!("mappings/{stream}.yaml")), mapping).unwrap();
        }
        let (exit, document, printed) = check(folder.path(), &[]);
        // That a stream with a cursor wants a key is no leak.
        let found: Vec<String> = found(&document).into_iter().filter(|line| !line.contains(" connect-")).collect();
        assert!(matches!(exit, 0 | 2) && found.is_empty(), "{pack}: exit {exit}\n{printed}");
        looked += streams.len();
    }
    assert!(looked > 40, "{looked}");
}

#[test]
fn a_waived_finding_stays_in_sight() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::copy(&repository().join("tests/fixtures/leaks/card-number-into-csv/leak"), folder.path());
    let file = folder.path().join("connectors.yaml");
    let waiver = "  waivers: [{ check: 'PCI DSS 3.5.1', at: route.card, owner: ann, reason: the vault comes, until: 2999-01-01, ticket: T-1 }]\n";
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, before.replace("compliance:\n", &format!("compliance:\n{waiver}"))).unwrap();
    let (exit, document, printed) = check(folder.path(), &[]);
    assert_eq!((exit, document["findings"][0]["severity"].as_str()), (0, Some("note")), "{printed}");
    assert_eq!(document["findings"][0]["waiver"]["ticket"], "T-1");
    let shown = |shape: &str| {
        let output = consign(folder.path()).args(["map", "check", "-o", shape]).output().unwrap();
        text(&output.stdout)
    };
    assert!(shown("text").contains("waived: until 2999-01-01 by ann (T-1): the vault comes"), "{}", shown("text"));
    let sarif: Value = serde_json::from_str(&shown("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["suppressions"][0]["status"], "accepted", "{result}");
    assert_eq!(result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]["message"]["text"], "card");
    let junit = shown("junit");
    assert!(junit.contains("failures=\"0\"") && junit.contains("waived"), "{junit}");
}

#[test]
fn values_show_what_nobody_said() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::copy(&repository().join("tests/fixtures/leaks/destination-not-approved/mended"), folder.path());
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let rows: String = ["4111111111111111", "5555555555554444", "4012888888881881"]
        .iter()
        .enumerate()
        .map(|(n, card)| format!("{n},{card}\n"))
        .collect();
    std::fs::write(folder.path().join("in/records.csv"), format!("id,town\n{rows}")).unwrap();
    let (exit, document, printed) = check(folder.path(), &[]);
    assert_eq!((exit, found(&document).len()), (0, 0), "{printed}");
    let (exit, document, printed) = check(folder.path(), &["--sample"]);
    assert_eq!((exit, found(&document)), (0, vec!["mappings/route.yaml:9 comply-sampled".to_string()]), "{printed}");
    assert!(document["findings"][0]["classes"].to_string().contains("pci.pan"), "{printed}");
    let output = consign(folder.path())
        .args(["connect", "peek", "shop", "records", "--classify", "-o", "json"])
        .output()
        .unwrap();
    let peeked = text(&output.stdout);
    let document: Value = serde_json::from_str(&peeked).unwrap();
    assert_eq!(document["fields"][0]["class"], "pci.pan", "{peeked}");
    for shown in [printed, peeked] {
        assert!(!shown.contains("4111111111111111") && !shown.contains("4012888888881881"), "{shown}");
    }
}

#[test]
fn the_way_of_a_class_is_drawn() {
    let folder = repository().join("tests/fixtures/leaks/number-through-functions/leak");
    let output = consign(&folder).args(["map", "explain", "route", "reference"]).output().unwrap();
    let shown = text(&output.stdout);
    assert!(
        shown.contains("way        pii.id.national: record.ssn → substring → join → warehouse.records.reference"),
        "{shown}"
    );
    assert!(shown.contains("comply-flow"), "{shown}");
}
