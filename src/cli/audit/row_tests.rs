//! Every row of the catalogue of checks, with an example that passes and one that fails:
//! `tests/fixtures/standards/ROW/{pass,fail}.yaml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::context::catalog;
use crate::comply::facts::{Facts, read_moment};
use crate::comply::standards::{self, Standard};
use crate::comply::{Held, Selection, Status, Subject, check_project};
use crate::config::{FileText, load_texts, yaml};
use crate::error::Severity;
use crate::sync::check;

/// The moment at which every example is looked at.
const NOW: &str = "2026-11-01T00:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    about: String,
    connectors: String,
    mapping: String,
    #[serde(default)]
    facts: Facts,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/standards")
}

fn example(row: u32, word: &str) -> Result<Example, String> {
    let path = folder().join(format!("{row:03}/{word}.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{row:03}/{word}.yaml: {error}"))?;
    yaml::read(&text).map_err(|error| format!("{row:03}/{word}.yaml: {error:?}"))
}

/// What the standard says of an example.
fn held(example: &mut Example, standard: &'static Standard) -> Result<Vec<Held>, String> {
    let file = |name: &str, text: &str| FileText { name: name.into(), bytes: text.as_bytes().to_vec() };
    let mut loaded = load_texts(
        PathBuf::from("/nowhere"),
        Some(file("connectors.yaml", &example.connectors)),
        vec![file("mappings/people.yaml", &example.mapping)],
        None,
        &catalog(),
    );
    let wrong: Vec<String> = loaded
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && finding.code.id != "config-literal-secret")
        .map(|finding| finding.cause.clone())
        .collect();
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    example.facts.literal_secrets =
        loaded.findings.iter().filter(|finding| finding.code.id == "config-literal-secret").cloned().collect();
    let checked = check(&mut loaded, false);
    let project = loaded.project.as_ref().ok_or("no project")?;
    let routes: Vec<_> = checked.iter().map(|one| one.route.as_ref()).collect();
    if routes.iter().any(Option::is_none) {
        let causes: Vec<&str> = loaded.findings.iter().map(|finding| finding.cause.as_str()).collect();
        return Err(format!("it does not compile: {}", causes.join("; ")));
    }
    let subject = Subject::new(project, &loaded.mappings, routes, &example.facts, read_moment(NOW).ok_or("no moment")?);
    Ok(check_project(&subject, &[standard], &Selection::default()))
}

#[test]
fn every_row_has_an_example_that_passes_and_one_that_fails() {
    let mut wrong = Vec::new();
    for standard in standards::all() {
        for control in &standard.controls {
            for (word, expected) in [("pass", Status::Pass), ("fail", Status::Fail)] {
                let row = control.row;
                let found = example(row, word).and_then(|mut example| {
                    assert!(example.about.len() > 10, "{row}: {word}");
                    held(&mut example, standard)
                });
                match found {
                    Err(what) => wrong.push(format!("row {row} {word}: {what}")),
                    Ok(held) => {
                        let Some(one) = held.iter().find(|one| one.control.row == row) else { continue };
                        if one.status != expected {
                            let notes: Vec<String> = one
                                .assessments
                                .iter()
                                .map(|it| {
                                    format!("{} {} {}: {}", it.check.id, it.status.word(), it.object, it.evidence)
                                })
                                .collect();
                            wrong.push(format!("row {row} {word} is {}: {notes:#?}", one.status.word()));
                        }
                        for it in &one.assessments {
                            assert!(!it.evidence.contains("hunter2"), "row {row}: a secret is shown");
                            assert!(!it.evidence.to_lowercase().contains("compliant"), "row {row}: {}", it.evidence);
                            assert!(it.status != Status::Fail || it.fix.is_some(), "row {row}: no fix");
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A waiver turns a failure into a warning until its day, and is there afterwards.
#[test]
fn a_waiver_is_seen_and_ends() {
    let pci = standards::named("pci_dss").expect("a standard");
    let mut example = example(7, "fail").expect("an example");
    let before = example.connectors.clone();
    let with = |until: &str, check: &str, at: &str| {
        let waiver = format!(
            "compliance:\n  waivers: [{{ check: {check}, at: {at}, owner: anna, reason: moves in June, until: {until} }}]\nconnectors:"
        );
        before.replacen("connectors:", &waiver, 1)
    };
    let cases = [
        (with("2027-01-01", "P17", "people"), Status::Warn, Some(false)),
        (with("2027-01-01", "\"PCI DSS 3.5.1\"", "people.card"), Status::Warn, Some(false)),
        (with("2026-10-01", "P17", "people"), Status::Fail, Some(true)),
        (with("2027-01-01", "P17", "orders"), Status::Fail, None),
    ];
    for (connectors, status, expired) in cases {
        example.connectors = connectors;
        let held = held(&mut example, pci).expect("a project");
        let one = held.iter().find(|one| one.control.row == 7).expect("the row");
        let waiver = one.assessments.iter().find_map(|it| it.waiver.as_ref());
        assert_eq!((one.status, waiver.map(|waived| waived.expired)), (status, expired), "{}", example.connectors);
    }
}

/// The same project gives the same answer, and `--only` and `--skip` choose by check, control and standard.
#[test]
fn controls_are_chosen() {
    let mut example = example(7, "fail").expect("an example");
    let pci = standards::named("pci").expect("a standard");
    let all = held(&mut example, pci).expect("a project");
    // Rules that apply by themselves stand beside them.
    let of_standard = all.iter().filter(|one| one.standard.name == pci.name).count();
    assert_eq!(of_standard, pci.controls.len());
    let again = held(&mut example, pci).expect("a project");
    let shown =
        |held: &[Held]| held.iter().flat_map(|one| &one.assessments).map(|it| format!("{it:?}")).collect::<Vec<_>>();
    assert_eq!(shown(&all), shown(&again));
}
