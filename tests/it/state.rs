//! States of every age: kept files of earlier versions are brought up to date, newer ones are refused;
//! a state or a target that is not the one it was is noticed, and what the message names repairs it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::kill::{Project, Target};
use crate::support::{await_stop, consign, copy, repository, signal};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn says(project: &Project, words: &[&str], exit: i32, texts: &[&str]) -> String {
    let output = project.run(words);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
    for text in texts {
        assert!(said.contains(text), "{words:?}: `{text}` is not in\n{said}");
    }
    said
}

/// Every kept state, in a project of its own.
fn kept() -> Vec<(String, tempfile::TempDir)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(repository().join("tests/fixtures/state")).expect("the kept states") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let folder = tempfile::tempdir().expect("a folder");
            copy(&path, folder.path());
            std::fs::rename(folder.path().join("state"), folder.path().join(".consign")).expect("the state");
            found.push((path.file_name().expect("a name").to_string_lossy().into_owned(), folder));
        }
    }
    assert!(!found.is_empty(), "no kept state");
    found
}

fn database(root: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(root.join(".consign/consign.db")).expect("consign.db")
}

fn schema(root: &Path) -> i64 {
    database(root).query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a version")
}

#[test]
fn every_kept_state_is_upgraded_and_loses_nothing() {
    for (version, folder) in kept() {
        let root = folder.path();
        let number: i64 = version.trim_start_matches('v').parse().expect("v and a number");
        let must = |words: &[&str]| {
            let output = consign(root).args(words).output().expect("consign starts");
            assert!(output.status.success(), "{version} {words:?}\n{}", said(&output));
            said(&output)
        };
        assert_eq!(schema(root), number, "{version}");
        // Its letters would be past their time one day: they are kept for this test.
        database(root).execute("UPDATE dead_letters SET expires_ns = ?1", [i64::MAX]).expect("kept on");
        let text = std::fs::read_to_string(root.join("mappings/items.yaml")).expect("the mapping");
        std::fs::write(root.join("mappings/items.yaml"), text.replace("value >= 0", "value >= -100")).expect("it");
        // A verb that only reads says what to do; one that writes does it.
        let output = consign(root).args(["sync", "status"]).output().expect("consign starts");
        assert_eq!(output.status.code(), Some(2), "{version}\n{}", said(&output));
        assert!(said(&output).contains("must be brought up to date"), "{version}\n{}", said(&output));
        must(&["sync", "enable", "items", "--reason", "brought up to date"]);
        must(&["sync", "dlq", "replay", "--all"]);
        let made: Vec<PathBuf> = crate::support::files(&root.join(".consign"))
            .into_iter()
            .filter(|path| path.to_string_lossy().ends_with(&format!(".{version}.bak")))
            .collect();
        assert_eq!(made.len(), 1, "{version}: a copy of what was there before");
        assert!(schema(root) > number, "{version}");
        let rows = rusqlite::Connection::open(root.join("out.db")).and_then(|db| {
            db.query_row("SELECT group_concat(sku || qty) FROM items", [], |row| row.get::<_, String>(0))
        });
        let mut rows: Vec<String> = rows.expect("rows").split(',').map(str::to_owned).collect();
        rows.sort();
        assert_eq!(rows, ["A1", "B2", "C-3", "D4", "E5", "F-6"], "{version}: the letters came through");
        assert_eq!(must(&["-o", "ndjson", "sync", "history", "items"]).matches("\"run\":").count(), 3, "{version}");
        must(&["sync", "run", "items"]);
        must(&["audit", "verify", "--first-key", "first-key"]);
        must(&["audit", "list", "--limit", "100"]);
    }
}

#[test]
fn a_newer_state_is_refused_also_by_a_run_under_way() {
    let project = Project::new(Target::Rows);
    let mut command = project.command(&["sync", "run", "items"]);
    command.env("CONSIGN_FAILPOINT", "after_intent:1:stop").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("consign starts");
    await_stop(&mut child);
    let known = schema(project.root());
    database(project.root()).execute_batch(&format!("PRAGMA user_version = {}", known + 1)).expect("upgraded");
    signal(&child, "CONT");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("store-newer"), "{}", said(&output));
    for words in [&["sync", "run", "items"][..], &["sync", "status"], &["audit", "verify"]] {
        says(&project, words, 2, &["store-newer", "use the consign that wrote it"]);
    }
    // The newer program would go on; here it is taken back.
    database(project.root()).execute_batch(&format!("PRAGMA user_version = {known}")).expect("taken back");
    project.must(&["sync", "run", "items"]);
    project.assert_whole("after the newer one");
}

/// What a message tells to do, as the words of a command: `sync state adopt` or `--full`.
fn named_repair(said: &str) -> Vec<&'static str> {
    match (said.contains("sync state adopt"), said.contains("`--full`")) {
        (true, _) => vec!["sync", "state", "adopt", "items", "--reason", "the message said so"],
        (false, true) => vec!["sync", "run", "items", "--full"],
        _ => panic!("nothing to do is named in\n{said}"),
    }
}

/// The last of the sources comes later.
fn later(project: &Project) -> impl Fn() {
    let (here, away) = (project.root().join("in/b.csv"), project.root().join("b.later"));
    std::fs::rename(&here, &away).expect("later");
    move || std::fs::rename(&away, &here).expect("now")
}

fn target_files(project: &Project) -> Vec<PathBuf> {
    ["out.ndjson", "out.db", "out.db-wal", "out.db-shm"].iter().map(|name| project.root().join(name)).collect()
}

#[test]
fn what_is_not_as_it_was_is_noticed_said_and_repaired_by_the_verb_that_the_message_names() {
    for target in [Target::File, Target::Sqlite] {
        for what in ["state restored", "state lost", "target restored", "target of another state"] {
            let context = format!("{target:?}, {what}");
            let project = Project::new(target);
            let root = project.root().to_path_buf();
            let now = later(&project);
            let copy_of_state = root.join("copy.db");
            project.must(&["sync", "run", "items"]);
            project.must(&["sync", "state", "backup", copy_of_state.to_str().expect("a path")]);
            let older: Vec<_> =
                target_files(&project).into_iter().map(|path| (std::fs::read(&path).ok(), path)).collect();
            now();
            project.must(&["sync", "run", "items"]);
            match what {
                "state restored" => {
                    let words =
                        ["sync", "state", "restore", copy_of_state.to_str().expect("a path"), "--reason", "test"];
                    project.must(&words);
                }
                "state lost" => std::fs::remove_dir_all(root.join(".consign")).expect("lost"),
                "target restored" => {
                    for (bytes, path) in older {
                        match bytes {
                            Some(bytes) => std::fs::write(path, bytes).expect("restored"),
                            None => std::fs::remove_file(path).unwrap_or(()),
                        }
                    }
                }
                _ => {
                    std::fs::rename(root.join(".consign"), root.join("first")).expect("away");
                    let other = Project::new(target);
                    // A file keeps no account of who wrote it: what tells is its length.
                    let _ = later(&other);
                    other.must(&["sync", "run", "items"]);
                    copy(&other.root().join(".consign"), &root.join(".consign"));
                }
            }
            let before = project.bytes();
            let told = says(&project, &["sync", "run", "items"], 6, &[]);
            assert!(project.bytes() == before, "{context}: nothing is written before a person decides\n{told}");
            project.must(&named_repair(&told));
            if target == Target::File && told.contains("sync state adopt") {
                // It was said that what is read again is added again: `--full`, which the message names too.
                assert!(told.contains("`--full`"), "{context}\n{told}");
                project.must(&["sync", "run", "items", "--full"]);
            }
            project.must(&["sync", "run", "items"]);
            let delivered = {
                let mut all = project.delivered();
                all.sort();
                all
            };
            assert_eq!(delivered.len(), 34_966, "{context}\n{told}");
            assert!(delivered.windows(2).all(|pair| pair[0] != pair[1]), "{context}: twice");
            project.must(&["audit", "verify"]);
        }
    }
}
