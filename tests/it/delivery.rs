//! Exactly once where it is easiest to lose: full runs cut off, states and targets that are gone,
//! mappings changed in a doubt, sources that change while they are read.

use std::process::{Output, Stdio};

use crate::kill::{Project, Target};
use crate::support::{await_stop, signal};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Project {
    fn says(&self, words: &[&str], exit: i32, texts: &[&str]) -> String {
        let output = self.run(words);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        for text in texts {
            assert!(said.contains(text), "{words:?}: `{text}` is not in\n{said}");
        }
        said
    }

    fn killed(&self, words: &[&str], point: &str) {
        let mut command = self.command(words);
        let output = command.env("CONSIGN_FAILPOINT", point).output().expect("consign starts");
        assert_eq!(output.status.code(), None, "{point} was not reached\n{}", said(&output));
    }

    fn edit(&self, name: &str, change: impl Fn(String) -> String) {
        let path = self.root().join(name);
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(path, change(text)).expect("written");
    }
}

#[test]
fn a_full_run_cut_off_is_continued_by_a_plain_one() {
    for target in [Target::File, Target::Sqlite] {
        for point in [
            "before_intent:1",
            "after_intent:1",
            "mid_write:1",
            "after_write:1",
            "inside_settle:1",
            "inside_settle:2",
            "before_intent:2",
            "after_write:2",
            "after_settle:1",
            "after_finish:1",
        ] {
            for again in [&["sync", "run", "items"][..], &["sync", "run", "items", "--full"]] {
                let project = Project::new(target);
                project.must(&["sync", "run", "items"]);
                project.killed(&["sync", "run", "items", "--full"], point);
                project.must(again);
                project.assert_whole(&format!("{target:?} {point} {again:?}"));
                project.must(&["sync", "run", "items"]);
                project.assert_whole(&format!("{target:?} {point} {again:?}, once more"));
            }
        }
    }
}

#[test]
fn a_full_run_over_nothing_leaves_the_target() {
    for target in [Target::File, Target::Sqlite] {
        let project = Project::new(target);
        project.must(&["sync", "run", "items"]);
        let kept: Vec<_> = ["a.csv", "b.csv", "c.csv"].map(|name| project.root().join("in").join(name)).into();
        let texts: Vec<_> = kept.iter().map(|path| std::fs::read(path).expect("a source")).collect();
        kept.iter().for_each(|path| std::fs::write(path, "sku,qty,note\n").expect("emptied"));
        project.says(&["sync", "run", "items", "--full"], 5, &["left as it was"]);
        kept.iter().zip(texts).for_each(|(path, text)| std::fs::write(path, text).expect("restored"));
        project.assert_whole("after an empty full run");
        project.must(&["sync", "run", "items", "--full"]);
        project.assert_whole("after a full run");
    }
}

#[test]
fn a_full_run_would_double_a_table_without_a_key_and_is_refused() {
    let project = Project::new(Target::Rows);
    project.must(&["sync", "run", "items"]);
    project.says(&["sync", "run", "items", "--full"], 6, &["holds rows", "DELETE FROM items"]);
    project.assert_whole("after the refusal");
    let db = rusqlite::Connection::open(project.root().join("out.db")).expect("out.db");
    db.execute_batch("DELETE FROM items").expect("emptied");
    project.must(&["sync", "run", "items", "--full"]);
    project.assert_whole("written anew");
}

#[test]
fn a_mapping_changed_while_a_group_is_in_doubt_loses_nothing() {
    let loosen = |text: String| text.replace(", validate: value >= 0", "");
    // With a key the records are sent again, those that were rejected then included.
    let project = Project::new(Target::Sqlite);
    project.killed(&["sync", "run", "items"], "after_write:1");
    project.edit("mappings/items.yaml", loosen);
    project.says(&["sync", "run", "items"], 0, &["sent once more"]);
    assert_eq!(project.delivered().len(), 35_001);
    // Without one nobody knows: it stops and says so, until the mapping is back.
    let project = Project::new(Target::Rows);
    project.killed(&["sync", "run", "items"], "after_write:1");
    let before = std::fs::read_to_string(project.root().join("mappings/items.yaml")).expect("the mapping");
    project.edit("mappings/items.yaml", loosen);
    project.says(&["sync", "run", "items"], 5, &["earlier form", "sync-doubt", "state reset"]);
    project.edit("mappings/items.yaml", |_| before.clone());
    project.must(&["sync", "run", "items"]);
    project.assert_whole("with the mapping put back");
}

#[test]
fn a_source_that_is_gone_while_a_group_is_in_doubt_stops_the_route_until_a_person_decides() {
    for target in [Target::Sqlite, Target::Rows] {
        let project = Project::new(target);
        project.killed(&["sync", "run", "items"], "after_write:1");
        let (here, away) = (project.root().join("in/a.csv"), project.root().join("a.away"));
        std::fs::rename(&here, &away).expect("moved away");
        project.says(&["sync", "run", "items"], 5, &["a.csv", "state reset items"]);
        std::fs::rename(&away, &here).expect("moved back");
        project.must(&["sync", "run", "items"]);
        project.assert_whole(&format!("{target:?}"));
    }
    // Decided by hand: the doubt is settled, and what was set by hand stays.
    let project = Project::new(Target::Sqlite);
    project.killed(&["sync", "run", "items"], "after_write:1");
    project.must(&["sync", "state", "reset", "items", "--reason", "compared"]);
    project.must(&["sync", "run", "items"]);
    project.assert_whole("after a reset");
}

#[test]
fn a_replay_killed_at_each_point_delivers_each_letter_once() {
    for target in [Target::Sqlite, Target::Rows] {
        for point in ["before_intent", "after_intent", "mid_write", "after_write", "inside_settle:2", "after_settle"] {
            let project = Project::new(target);
            project.must(&["sync", "run", "items"]);
            project.edit("mappings/items.yaml", |text| text.replace(", validate: value >= 0", ""));
            project.killed(&["sync", "dlq", "replay", "--all"], point);
            // What was written before the end is found out by the next run; the rest is replayed.
            project.must(&["sync", "run", "items"]);
            let open = project.must(&["-o", "json", "sync", "dlq", "list"]);
            if !open.contains("\"letters\": []") && !open.contains("\"letters\":[]") {
                project.must(&["sync", "dlq", "replay", "--all"]);
            }
            let mut delivered = project.delivered();
            assert_eq!(delivered.len(), 35_001, "{target:?} {point}");
            delivered.dedup();
            assert_eq!(delivered.len(), 35_001, "{target:?} {point}");
            project.must(&["audit", "verify"]);
        }
    }
}

#[test]
fn a_state_that_is_gone_stops_the_run_until_the_target_is_adopted() {
    for target in [Target::File, Target::Sqlite, Target::Rows] {
        let project = Project::new(target);
        project.must(&["sync", "run", "items"]);
        std::fs::remove_dir_all(project.root().join(".consign")).expect("the state is gone");
        project.says(&["sync", "run", "items"], 6, &["connect-target-foreign", "sync state adopt"]);
        assert_eq!(project.delivered().len(), 34_966, "{target:?}: nothing was written");
        let adopted =
            project.says(&["sync", "state", "adopt", "items", "--reason", "the disk was lost"], 0, &["goes on"]);
        assert_eq!(adopted.contains("append"), target != Target::Sqlite, "{adopted}");
        if target == Target::Sqlite {
            project.must(&["sync", "run", "items"]);
            project.assert_whole("adopted");
        }
        if target == Target::File {
            project.must(&["sync", "run", "items", "--full"]);
            project.assert_whole("written anew");
        }
        project.must(&["audit", "verify"]);
    }
}

#[test]
fn a_state_brought_back_from_an_older_copy_asks_before_it_goes_on() {
    let project = Project::new(Target::Sqlite);
    let copy = project.root().join("copy.db");
    std::fs::rename(project.root().join("in/b.csv"), project.root().join("b.later")).expect("later");
    project.must(&["sync", "run", "items"]);
    project.must(&["sync", "state", "backup", copy.to_str().expect("a path")]);
    std::fs::rename(project.root().join("b.later"), project.root().join("in/b.csv")).expect("now");
    project.must(&["sync", "run", "items"]);
    project.must(&["sync", "state", "restore", copy.to_str().expect("a path"), "--reason", "a test"]);
    project.says(&["sync", "run", "items"], 6, &["never settled", "sync state adopt"]);
    project.must(&["sync", "state", "adopt", "items", "--reason", "a test"]);
    project.must(&["sync", "run", "items"]);
    project.assert_whole("restored and adopted");
}

#[test]
fn a_target_deleted_by_hand_is_noticed_and_written_anew_when_asked() {
    for target in [Target::File, Target::Sqlite, Target::Rows] {
        let project = Project::new(target);
        project.must(&["sync", "run", "items"]);
        for name in ["out.ndjson", "out.db", "out.db-wal", "out.db-shm"] {
            let _ = std::fs::remove_file(project.root().join(name));
        }
        project.says(&["sync", "run", "items"], 6, &["connect-target-changed", "--full"]);
        project.must(&["sync", "run", "items", "--full"]);
        project.assert_whole(&format!("{target:?}"));
    }
    let project = Project::new(Target::Sqlite);
    project.must(&["sync", "run", "items"]);
    let db = rusqlite::Connection::open(project.root().join("out.db")).expect("out.db");
    db.execute_batch("DROP TABLE items").expect("dropped");
    project.says(&["sync", "run", "items"], 6, &["table `items` is gone", "--full"]);
    project.must(&["sync", "run", "items", "--full"]);
    project.assert_whole("a dropped table");
}

#[test]
fn two_routes_into_one_file_are_found_by_the_check() {
    let project = Project::new(Target::File);
    let second = std::fs::read_to_string(project.root().join("mappings/items.yaml")).expect("the mapping");
    std::fs::write(project.root().join("mappings/second.yaml"), second.replace("name: items", "name: second")).unwrap();
    project.says(&["map", "check"], 2, &["sync-target-shared", "writes the same file as"]);
    project.says(&["sync", "run", "--all"], 2, &["sync-target-shared"]);
}

#[test]
fn two_states_cannot_write_one_file_at_once() {
    let project = Project::new(Target::File);
    let mut first = project.command(&["sync", "run", "items"]);
    first.env("CONSIGN_FAILPOINT", "after_intent:1:stop").stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = first.spawn().expect("consign starts");
    await_stop(&mut first);
    project.says(&["--state", "other", "sync", "run", "items"], 3, &["another process is writing the target"]);
    signal(&first, "CONT");
    assert!(first.wait().expect("ended").success());
    project.assert_whole("the first one");
}

#[test]
fn a_source_cut_or_replaced_while_it_is_read() {
    let mut text = String::from("sku,qty,note\n");
    for n in 0..120_000 {
        text.push_str(&format!("BIG-{n:07},1,{n:080}\n"));
    }
    let big = |project: &Project| {
        let path = project.root().join("in/a.csv");
        std::fs::write(&path, &text).expect("a.csv");
        path
    };
    let stopped = |project: &Project, change: &dyn Fn()| {
        let mut command = project.command(&["sync", "run", "items"]);
        command.env("CONSIGN_FAILPOINT", "after_intent:1:stop").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("consign starts");
        await_stop(&mut child);
        change();
        signal(&child, "CONT");
        child.wait_with_output().expect("ended")
    };
    for target in [Target::File, Target::Rows] {
        // Cut: what was read before stays, the run fails and says why.
        let project = Project::new(target);
        let path = big(&project);
        let output = stopped(&project, &|| {
            std::fs::File::options().write(true).open(&path).expect("a.csv").set_len(9_000_000).expect("cut");
        });
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("became shorter while it was read"), "{}", said(&output));
        // The writer puts it back as it was: nothing is lost, nothing comes twice.
        std::fs::write(&path, &text).expect("put back");
        project.must(&["sync", "run", "items"]);
        let mut there: Vec<String> = project.delivered().into_iter().filter(|sku| sku.starts_with("BIG")).collect();
        assert_eq!(there.len(), 120_000, "{target:?}");
        there.sort();
        there.dedup();
        assert_eq!(there.len(), 120_000, "{target:?}");
        // Replaced: the open one is read to its end, the new one is next.
        let project = Project::new(target);
        let path = big(&project);
        let new = project.root().join("in/new.tmp");
        std::fs::write(&new, "sku,qty,note\nNEW-1,1,x\n").expect("new");
        let output = stopped(&project, &|| std::fs::rename(&new, &path).expect("replaced"));
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("replaced while it was read"), "{}", said(&output));
        project.must(&["sync", "run", "items"]);
        let there = project.delivered();
        assert_eq!(there.iter().filter(|sku| sku.starts_with("BIG")).count(), 120_000);
        assert_eq!(there.iter().filter(|sku| sku.starts_with("NEW")).count(), 1);
    }
}

#[test]
fn standard_input_and_output_are_used_alone() {
    let project = Project::new(Target::File);
    project.edit("connectors.yaml", |text| text.replace("out.ndjson", "\"-\"").replace("\"*.csv\"", "\"-\""));
    project.says(&["sync", "plan", "items"], 0, &["at least once"]);
    let mut command = project.command(&["sync", "run", "items"]);
    let input = std::fs::File::open(project.root().join("in/b.csv")).expect("b.csv");
    let output = command.stdin(input).output().expect("consign starts");
    let (records, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{talk}");
    // Nothing but records on standard output.
    assert_eq!(records.lines().filter(|line| line.starts_with("{\"sku\":")).count(), records.lines().count());
    assert_eq!(records.lines().count(), 8_991);
    assert!(talk.contains("8,991 records"), "{talk}");
    project.must(&["audit", "verify"]);
}

#[test]
fn sources_without_a_record_and_groups_without_one() {
    for target in [Target::File, Target::Sqlite, Target::Rows] {
        let project = Project::new(target);
        let source = |name: &str, text: &str| std::fs::write(project.root().join("in").join(name), text).expect("in");
        for name in ["a.csv", "b.csv", "c.csv"] {
            source(name, "");
        }
        project.says(&["sync", "run", "items"], 5, &["nothing was read"]);
        for name in ["a.csv", "b.csv", "c.csv"] {
            source(name, "sku,qty,note\n");
        }
        project.run(&["sync", "run", "items"]);
        // Nothing but rejects.
        source("a.csv", "sku,qty,note\nx,-1,n\ny,-2,n\n");
        project.says(&["sync", "run", "items"], 5, &["2 records"]);
        project.says(&["sync", "run", "items"], 0, &["0 records by"]);
        // Nothing but what is filtered.
        project.edit("mappings/items.yaml", |text| text.replace("fields:", "when: record.note != \"n\"\nfields:"));
        source("b.csv", "sku,qty,note\nx,1,n\ny,2,n\n");
        project.says(&["sync", "run", "items"], 0, &["2 filtered"]);
        source("c.csv", "sku,qty,note\nz,1,kept\n");
        project.says(&["sync", "run", "items"], 0, &["1 record by"]);
        project.says(&["sync", "run", "items"], 0, &["0 records by"]);
        assert_eq!(project.delivered(), ["z"], "{target:?}");
        let letters = project.must(&["-o", "ndjson", "sync", "dlq", "list"]);
        assert_eq!(letters.matches("\"place\"").count(), 2, "{letters}");
        project.must(&["audit", "verify"]);
    }
}

#[test]
fn a_compressed_source_is_read_once() {
    use std::io::Write as _;
    let project = Project::new(Target::Rows);
    let plain = std::fs::read(project.root().join("in/a.csv")).expect("a.csv");
    std::fs::remove_file(project.root().join("in/a.csv")).expect("removed");
    let file = std::fs::File::create(project.root().join("in/a.csv.gz")).expect("a.csv.gz");
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(&plain).and_then(|()| gzip.finish()).expect("compressed");
    project.edit("connectors.yaml", |text| text.replace("\"*.csv\"", "\"*.csv*\""));
    project.killed(&["sync", "run", "items"], "after_write:2");
    project.must(&["sync", "run", "items"]);
    project.must(&["sync", "run", "items"]);
    project.assert_whole("gzip");
}
