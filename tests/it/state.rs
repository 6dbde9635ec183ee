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
        // Verbs that only read tell the same as after it, and change nothing …
        let reading: &[&[&str]] = &[
            &["sync", "status"],
            &["-o", "json", "sync", "history", "items"],
            &["-o", "json", "sync", "dlq", "list"],
            &["-o", "json", "sync", "state", "show", "items"],
            &["audit", "verify", "--first-key", "first-key", "--no-record"],
            &["audit", "list", "--limit", "3"],
            &["report", "run"],
            &["report", "performance"],
            &["sync", "plan", "items"],
            &["sync", "run", "items", "--dry-run"],
        ];
        let bytes = || std::fs::read(root.join(".consign/consign.db")).expect("consign.db");
        let before = bytes();
        let told: Vec<String> = reading.iter().map(|words| must(words)).collect();
        assert!(told[1].matches("\"run\":").count() == 2 && told[2].matches("\"place\":").count() == 2, "{told:?}");
        assert!(before == bytes() && schema(root) == number, "{version}: only read");
        // … and also where nothing can be written.
        let shut = |mode: &str| {
            let done = std::process::Command::new("chmod").args(["-R", mode]).arg(root.join(".consign")).status();
            assert!(done.expect("chmod").success());
        };
        shut("a-w");
        must(&["sync", "status"]);
        shut("u+w");
        // One that writes brings it up to date first, one of many at once.
        let all: Vec<_> = (0..4)
            .map(|_| {
                let mut command = consign(root);
                command.args(["sync", "enable", "items", "--reason", "brought up to date"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("consign starts")
            })
            .collect();
        for child in all {
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{version}\n{}", said(&output));
        }
        for (words, before) in reading.iter().zip(&told).take(4).skip(1) {
            assert_eq!(&must(words), before, "{version} {words:?}");
        }
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
        let events = must(&["audit", "list", "--limit", "100"]);
        assert_eq!(events.matches("migrated").count(), 1, "{version}\n{events}");
        // The way back: the copy from before the upgrade is a backup like any other.
        let copy = made[0].to_str().expect("a path");
        must(&["sync", "state", "restore", copy, "--reason", "the way back"]);
        assert_eq!(must(&["-o", "ndjson", "sync", "history", "items"]).matches("\"run\":").count(), 2, "{version}");
        must(&["audit", "verify", "--first-key", "first-key"]);
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

/// What a message tells to do, as the words of a command.
fn named_repairs(said: &str) -> Vec<Vec<&'static str>> {
    let mut repairs = Vec::new();
    if said.contains("--full") {
        repairs.push(vec!["sync", "run", "items", "--full"]);
    }
    if said.contains("sync state adopt") {
        repairs.push(vec!["sync", "state", "adopt", "items", "--reason", "the message said so"]);
    }
    assert!(!repairs.is_empty(), "nothing to do is named in\n{said}");
    repairs
}

/// The last of the sources comes later.
fn later(project: &Project) -> impl Fn() {
    let (here, away) = (project.root().join("in/b.csv"), project.root().join("b.later"));
    std::fs::rename(&here, &away).expect("later");
    move || std::fs::rename(&away, &here).expect("now")
}

fn target_files(project: &Project) -> Vec<PathBuf> {
    let mut files = vec![project.out()];
    files.extend(["out.db", "out.db-wal", "out.db-shm"].iter().map(|name| project.root().join(name)));
    files
}

/// The state of another project whose run has written a target of the same length, with other records.
fn second_state(target: Target) -> Project {
    let other = Project::new(target);
    for entry in std::fs::read_dir(other.root().join("in")).expect("in") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("rows");
        std::fs::write(&path, text.replace("SKU-", "SKX-")).expect("rows");
    }
    other.must(&["sync", "run", "items"]);
    other
}

fn whole(project: &Project, context: &str) {
    let mut all = project.delivered();
    all.sort();
    assert_eq!(all.len(), 34_966, "{context}");
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{context}: twice");
}

/// What happens to a target or a state between two runs, and in which targets it can.
const MISHAPS: &[(&str, bool)] = &[
    ("state restored", true),
    ("state lost", true),
    ("target restored", true),
    ("second state", true),
    // Databases keep an account of each route: only for files something could go unseen.
    ("target replaced", false),
    ("target cut and continued", false),
    ("target removed", false),
    ("half-written by a lost state", false),
    ("half-written and replaced", false),
    ("half-written and overtaken", false),
    ("in doubt and continued by another", false),
];

/// Lets it happen: two runs have gone well before, unless the mishap needs something else.
fn mishap(what: &str, project: &Project, target: Target) {
    let root = project.root();
    let now = later(project);
    let copy_of_state = root.join("copy.db");
    let backup = copy_of_state.to_str().expect("a path");
    let killed_at = |point: &str| {
        let mut command = project.command(&["sync", "run", "items"]);
        let status = command.env("CONSIGN_FAILPOINT", point).stderr(Stdio::null()).status().expect("consign starts");
        assert!(!status.success(), "{point} was not reached");
    };
    let half = || -> PathBuf {
        let folder = project.out().parent().expect("a folder").to_path_buf();
        let names = crate::support::files(&folder).into_iter();
        names.into_iter().find(|path| path.extension().is_some_and(|e| e == "part")).expect("a half-written file")
    };
    if what.starts_with("half-written") {
        now();
        killed_at("inside_settle:3");
        match what {
            "half-written by a lost state" => std::fs::remove_dir_all(root.join(".consign")).expect("lost"),
            "half-written and replaced" => {
                let bytes = std::fs::read(half()).expect("it");
                project
                    .put(&half(), Some(&String::from_utf8(bytes).expect("text").replace("SKU-", "SKX-").into_bytes()));
            }
            _ => project.put(&project.out(), Some(b"{\"sku\":\"SKX-1\"}\n")),
        }
        return;
    }
    project.must(&["sync", "run", "items"]);
    project.must(&["sync", "state", "backup", backup]);
    let older: Vec<_> = target_files(project).into_iter().map(|path| (std::fs::read(&path).ok(), path)).collect();
    let kept = project.keep_base();
    now();
    if what == "in doubt and continued by another" {
        killed_at("after_intent:1");
        let line = "{\"sku\":\"SKX-1\",\"qty\":1,\"note\":\"of somebody else\"}\n";
        project.put(&project.out(), Some(&[project.bytes(), line.into()].concat()));
        return;
    }
    project.must(&["sync", "run", "items"]);
    let text = || String::from_utf8(project.bytes()).expect("text");
    match what {
        "state restored" => {
            project.must(&["sync", "state", "restore", backup, "--reason", "test"]);
        }
        "state lost" => std::fs::remove_dir_all(root.join(".consign")).expect("lost"),
        "target restored" if let Some(copy) = &kept => project.restore_base(copy),
        "target restored" => {
            for (bytes, path) in older {
                match target.is_file() {
                    true if path != project.out() => {}
                    true => project.put(&path, bytes.as_deref()),
                    false => match bytes {
                        Some(bytes) => std::fs::write(path, bytes).expect("restored"),
                        None => std::fs::remove_file(path).unwrap_or(()),
                    },
                }
            }
        }
        "second state" => {
            std::fs::rename(root.join(".consign"), root.join("first")).expect("away");
            copy(&second_state(target).root().join(".consign"), &root.join(".consign"));
        }
        "target replaced" => project.put(&project.out(), Some(text().replace("SKU-", "SKX-").as_bytes())),
        "target cut and continued" => {
            let kept = text().lines().take(20_000).map(|line| format!("{line}\n")).collect::<String>();
            let more = text().len() - kept.len();
            let more = format!("{{\"sku\":\"SKX-{}\"}}\n", "1".repeat(more - 15));
            project.put(&project.out(), Some((kept + &more).as_bytes()));
        }
        _ => project.put(&project.out(), None),
    }
}

#[test]
fn what_is_not_as_it_was_is_noticed_said_and_repaired_by_the_verb_that_the_message_names() {
    for target in Target::there(&[Target::File, Target::Sftp, Target::Sqlite, Target::Postgres]) {
        for (what, _) in MISHAPS.iter().filter(|(_, anywhere)| *anywhere || target.is_file()) {
            let mut number = 0;
            loop {
                let project = Project::new(target);
                let context = format!("{target:?}, {what}, repair {number}");
                mishap(what, &project, target);
                let bytes = || if project.out().exists() || !target.is_file() { Some(project.bytes()) } else { None };
                let before = bytes();
                let told = says(&project, &["sync", "run", "items"], 6, &[]);
                assert!(bytes() == before, "{context}: nothing is written before a person decides\n{told}");
                // And it is not forgotten by being asked once.
                says(&project, &["sync", "run", "items"], 6, &[]);
                assert!(bytes() == before, "{context}: nor after that\n{told}");
                let repairs = named_repairs(&told);
                let Some(repair) = repairs.get(number) else { break };
                project.must(repair);
                project.must(&["sync", "run", "items"]);
                project.must(&["sync", "run", "items"]);
                match (repair.contains(&"adopt"), before) {
                    // What stands there stays, and what comes next comes behind it.
                    (true, Some(before)) if target.is_file() => {
                        assert!(project.bytes().starts_with(&before), "{context}: what was there stays");
                    }
                    (true, None) => {}
                    // A database told which groups it has: those come once more, or not at all.
                    (true, Some(_)) if *what == "second state" => {}
                    _ => whole(&project, &context),
                }
                project.must(&["audit", "verify"]);
                number += 1;
            }
            assert!(number > 0, "{target:?}, {what}: no repair was named");
        }
    }
}

#[test]
fn a_target_with_its_count_in_front_is_known_again_too() {
    for target in Target::there(&[Target::Counted, Target::CountedSftp]) {
        for what in
            ["state restored", "state lost", "target restored", "second state", "target replaced", "target removed"]
        {
            let project = Project::new(target);
            mishap(what, &project, target);
            let there = std::fs::read(project.out()).ok();
            let told = says(&project, &["sync", "run", "items"], 6, &["--full"]);
            assert!(std::fs::read(project.out()).ok() == there, "{target:?}, {what}: nothing is written\n{told}");
            assert!(!told.contains("state adopt"), "{target:?}, {what}: there is nothing to go on behind\n{told}");
            says(&project, &["sync", "state", "adopt", "items", "--reason", "try"], 6, &["--full"]);
            project.must(&["sync", "run", "items", "--full"]);
            project.must(&["sync", "run", "items"]);
            whole(&project, &format!("{target:?}, {what}"));
        }
    }
}

#[test]
fn two_states_that_write_one_file_see_each_other() {
    for target in Target::there(&[Target::File, Target::Sftp]) {
        let project = Project::new(target);
        project.must(&["sync", "run", "items"]);
        let own = project.bytes();
        // The second one takes the file over and goes on behind what is there.
        let (here, first) = (project.root().join(".consign"), project.root().join("first"));
        std::fs::rename(&here, &first).expect("away");
        says(&project, &["sync", "run", "items"], 6, &["sync state adopt"]);
        project.must(&["sync", "state", "adopt", "items", "--reason", "two write it"]);
        project.must(&["sync", "run", "items"]);
        assert_eq!(project.delivered().len(), 2 * 34_966);
        assert!(project.bytes().starts_with(&own));
        // The first one comes back, with something new: it neither cuts nor doubles.
        let second = project.root().join("second");
        std::fs::rename(&here, &second).expect("away");
        std::fs::rename(&first, &here).expect("back");
        let source = project.root().join("in/c.csv");
        let rows = std::fs::read_to_string(&source).expect("c.csv");
        std::fs::write(&source, rows + "SKU-9000000,1,late\n").expect("c.csv");
        let before = project.bytes();
        says(&project, &["sync", "run", "items"], 6, &["somebody else has written", "sync state adopt"]);
        assert!(project.bytes() == before);
        project.must(&["sync", "state", "adopt", "items", "--reason", "it may"]);
        project.must(&["sync", "run", "items"]);
        assert_eq!(project.delivered().len(), 2 * 34_966 + 1);
        // And the second one notices that.
        std::fs::rename(&here, &first).expect("away");
        std::fs::rename(&second, &here).expect("back");
        let before = project.bytes();
        says(&project, &["sync", "run", "items"], 6, &["somebody else has written"]);
        assert!(project.bytes() == before);
    }
}

#[test]
fn a_copy_of_the_target_in_its_place_is_the_target() {
    for target in Target::there(&[Target::File, Target::Sftp]) {
        let project = Project::new(target);
        let now = later(&project);
        project.must(&["sync", "run", "items"]);
        // Restored from a backup that holds all of it: nothing is amiss.
        let bytes = project.bytes();
        project.put(&project.out(), None);
        project.put(&project.out(), Some(&bytes));
        now();
        project.must(&["sync", "run", "items"]);
        whole(&project, &format!("{target:?}"));
    }
}
