//! Reports as a user gets them: every one in every shape, twice the same, with nothing that leads
//! outside; and numbers that are those of the runs.

use std::path::Path;

use serde_json::Value;

use crate::support::{consign, demo, text};

/// A demo project with a few runs: one with rejects, one that fails.
fn project() -> tempfile::TempDir {
    let folder = demo();
    for (arguments, exit) in
        [(&["sync", "run", "order-lines", "-q"][..], 0), (&["sync", "run", "products", "suppliers", "-q"], 0)]
    {
        let output = consign(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", text(&output.stderr));
    }
    let suppliers = folder.path().join("tests/fixtures/northwind/suppliers.csv");
    let kept = std::fs::read(&suppliers).unwrap();
    std::fs::remove_file(&suppliers).unwrap();
    let output = consign(folder.path()).args(["sync", "run", "suppliers", "-q"]).output().unwrap();
    assert_ne!(output.status.code(), Some(0), "{}", text(&output.stdout));
    std::fs::write(&suppliers, kept).unwrap();
    folder
}

fn report(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = consign(folder).arg("report").args(arguments).output().unwrap();
    (text(&output.stdout), output.status.code().unwrap())
}

const AT: &[&str] = &["--at", "2100-01-01T00:00:00Z"];

#[test]
fn every_report_takes_every_shape_and_is_the_same_when_made_twice() {
    let project = project();
    let folder = project.path();
    let with_at = |name: &'static str| [&[name], AT].concat();
    let reports =
        [vec!["run"], vec!["performance"], with_at("health"), vec!["lineage"], vec!["inventory"], with_at("dashboard")];
    for arguments in reports {
        for shape in ["text", "json", "ndjson", "csv", "markdown", "html"] {
            let all = [&arguments[..], &["-o", shape]].concat();
            let (page, exit) = report(folder, &all);
            assert_eq!((&page, exit), (&report(folder, &all).0, report(folder, &all).1), "{all:?} differs");
            assert!(!page.is_empty() && [0, 1, 5].contains(&exit), "{all:?}: exit {exit}");
            match shape {
                "text" => {
                    let wide = page.lines().map(|line| line.chars().count()).max().unwrap_or(0);
                    assert!(wide <= 100, "{all:?} is {wide} columns wide:\n{page}");
                    assert!(page.contains("What this report was made from"), "{page}");
                }
                "json" | "ndjson" => {
                    let document: Value = serde_json::from_str(&page).unwrap();
                    assert_eq!(document["schema"], format!("consign.report.{}/1", arguments[0]));
                    let provenance = &document["provenance"];
                    for (of, member) in [("log", "id"), ("log", "root"), ("tool", "sha256")] {
                        assert!(provenance[of][member].is_string(), "{of}.{member}: {provenance:#}");
                    }
                }
                "csv" => {
                    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(page.as_bytes());
                    let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
                    assert!(rows.iter().any(|row| &row[0] == "provenance" && &row[3] == "log.root"));
                }
                "html" => {
                    for wrong in ["<script", "http://", "https://", "src=", "@import", "url("] {
                        assert!(!page.contains(wrong), "{all:?} holds {wrong}");
                    }
                    assert!(page.contains("default-src 'none'") && page.len() < 1 << 20, "{} bytes", page.len());
                }
                _ => assert!(page.starts_with("# "), "{page}"),
            }
        }
    }
}

#[test]
fn a_file_is_written_whole_in_the_shape_that_its_name_says() {
    let project = project();
    let folder = project.path();
    for (file, begins) in
        [("a.html", "<!doctype html>"), ("a.md", "# "), ("a.json", "{"), ("a.csv", "section,"), ("a", "Performance")]
    {
        let (printed, exit) = report(folder, &["performance", "--file", file]);
        assert_eq!((printed.as_str(), exit), ("", 0));
        let written = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(written.starts_with(begins), "{file}: {written}");
    }
    report(folder, &["performance", "--file", "b.html", "-o", "json"]);
    assert!(std::fs::read_to_string(folder.join("b.html")).unwrap().starts_with('{'), "what was asked for wins");
    assert_ne!(report(folder, &["performance", "--file", "no/such/folder.html"]).1, 0);
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".new")), "{left:?}");
}

#[test]
fn performance_counts_what_ran() {
    let project = project();
    let (page, _) = report(project.path(), &["performance", "-o", "json"]);
    let document: Value = serde_json::from_str(&page).unwrap();
    let measures = &document["measures"];
    assert_eq!(measures["operations"], 4, "{measures:#}");
    assert_eq!(measures["success_rate"], 0.75);
    assert_eq!(measures["error_rate"], 0.25);
    assert_eq!(measures["records_aside"], 11);
    let errors = document["sections"]["errors"]["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["runs"], 1);
    let routes = document["sections"]["routes"]["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 3);
    let (page, _) = report(project.path(), &["performance", "order-lines", "-o", "json"]);
    let document: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(document["measures"]["operations"], 1);
    assert_eq!(document["measures"]["records_read"], 2155);
    let (_, exit) = report(project.path(), &["performance", "no-such-thing"]);
    assert_eq!(exit, 2);
    // A period before anything ran is empty, and says so.
    let (page, exit) = report(project.path(), &["performance", "--until", "2001-01-01"]);
    assert!(page.contains("No run began") && exit == 0, "{page}");
}

#[test]
fn health_tells_cron_by_its_exit() {
    let project = project();
    let (page, exit) = report(project.path(), &[&["health", "-o", "json"], AT].concat());
    let document: Value = serde_json::from_str(&page).unwrap();
    let rows = document["sections"]["routes"]["routes"].as_array().unwrap().clone();
    let row = |name: &str| rows.iter().find(|row| row["route"] == name).unwrap().clone();
    assert_eq!(row("suppliers")["last_run"], "failed");
    assert_ne!(row("suppliers")["health"], "healthy");
    assert_eq!(row("order-lines")["dead_letters"], 8);
    assert_eq!(row("order-lines")["next_run"], "overdue", "nothing ran for decades");
    assert_eq!((document["health"]["state"].as_str(), exit), (Some("unhealthy"), 1));
}
