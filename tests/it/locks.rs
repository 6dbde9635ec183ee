//! One run of a route at a time, whatever happens to the one that runs: real processes on one route and
//! on many, one that is stopped past its deadline and woken when another has taken over.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::kill::{Project, Target};
use crate::support::{await_stop, signal};

/// The first run stops itself; a deadline this short is over when the next one looks twice.
const DEADLINE: (&str, &str) = ("CONSIGN_LOCK_DEADLINE", "1s");

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("consign starts")
}

/// A run that has stopped itself at a point.
fn stopped_at(project: &Project, point: &str) -> Child {
    let mut command = project.command(&["sync", "run", "items"]);
    command.env("CONSIGN_FAILPOINT", format!("{point}:stop")).env(DEADLINE.0, DEADLINE.1);
    let mut child = spawn(command);
    await_stop(&mut child);
    child
}

/// Runs again and again until the holder's deadline is over.
fn run_until_over(project: &Project) -> Output {
    for _ in 0..600 {
        let mut command = project.command(&["sync", "run", "items"]);
        let output = command.env(DEADLINE.0, DEADLINE.1).output().expect("consign starts");
        if output.status.code() != Some(7) {
            return output;
        }
        let said = said(&output);
        assert!(said.contains("which is stopped") && said.contains("kill -CONT"), "{said}");
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    panic!("the deadline never came");
}

fn wake(child: Child) -> Output {
    signal(&child, "CONT");
    child.wait_with_output().expect("ended")
}

fn rename_route(root: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(root.join("mappings/items.yaml")).expect("the mapping");
    let text =
        text.replace(&format!("name: {from}"), &format!("name: {to}")).replace("out.items", &format!("out.{to}"));
    std::fs::write(root.join(format!("mappings/{to}.yaml")), text).expect("a mapping");
}

#[test]
fn eight_processes_on_one_route_one_commits_the_others_name_it() {
    for target in Target::there(&[Target::File, Target::Rows, Target::Sftp, Target::PostgresRows]) {
        let project = Project::new(target);
        let mut first = project.command(&["sync", "run", "items"]);
        first.env("CONSIGN_FAILPOINT", "after_intent:1:stop");
        let mut first = spawn(first);
        await_stop(&mut first);
        let others: Vec<Child> = (0..7).map(|_| spawn(project.command(&["sync", "run", "items"]))).collect();
        for other in others {
            let output = other.wait_with_output().expect("ended");
            let said = said(&output);
            assert_eq!(output.status.code(), Some(7), "{said}");
            let pid = first.id();
            for text in [&format!("process {pid}"), "since", "sync run items", "host", "store-route-locked"] {
                assert!(said.contains(text), "`{text}` is not in\n{said}");
            }
        }
        let unlock = said(&project.run(&["sync", "unlock", "items"]));
        assert!(unlock.contains("stopped") && unlock.contains("kill -KILL") && unlock.contains("in "), "{unlock}");
        let output = wake(first);
        assert!(output.status.success(), "{}", said(&output));
        project.assert_whole(&format!("{target:?}: the one that had it"));
        // All at once, with nobody stopped: exactly one reads something, and none doubles it.
        let project = Project::new(target);
        let all: Vec<Child> = (0..8).map(|_| spawn(project.command(&["sync", "run", "items"]))).collect();
        let codes: Vec<_> =
            all.into_iter().map(|child| child.wait_with_output().expect("ended").status.code()).collect();
        assert!(codes.contains(&Some(0)), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 7))), "{codes:?}");
        project.assert_whole(&format!("{target:?}: all at once"));
    }
}

#[test]
fn eight_processes_on_eight_routes_of_one_state_all_commit() {
    let project = Project::new(Target::Rows);
    let root = project.root();
    std::fs::write(
        root.join("connectors.yaml"),
        std::fs::read_to_string(root.join("connectors.yaml"))
            .expect("it")
            .replace("busy_timeout: 0", "busy_timeout: 60"),
    )
    .expect("written");
    let routes: Vec<String> = (0..8).map(|n| format!("items{n}")).collect();
    routes.iter().for_each(|name| rename_route(root, "items", name));
    let all: Vec<Child> = routes.iter().map(|name| spawn(project.command(&["sync", "run", name]))).collect();
    for child in all {
        let output = child.wait_with_output().expect("ended");
        assert!(output.status.success(), "{}", said(&output));
    }
    let db = rusqlite::Connection::open(root.join("out.db")).expect("out.db");
    for name in &routes {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).expect("rows");
        assert_eq!(rows, 34_966, "{name}");
    }
    project.must(&["audit", "verify"]);
}

#[test]
fn a_killed_holder_frees_its_route_at_once() {
    let project = Project::new(Target::Rows);
    let mut first = stopped_at(&project, "after_intent:1");
    first.kill().expect("killed");
    first.wait().expect("ended");
    project.must(&["sync", "run", "items"]);
    project.assert_whole("after the kill");
}

#[test]
fn a_process_stopped_past_its_deadline_is_taken_over_and_commits_nothing_when_it_wakes() {
    for target in Target::there(&[Target::File, Target::Sqlite, Target::Rows, Target::Sftp]) {
        for point in [
            "before_open:1",
            "before_intent:1",
            "after_intent:1",
            "after_intent:2",
            "before_write:1",
            "before_write:2",
            "after_write:1",
            "after_settle:1",
            "before_finish:1",
        ] {
            let context = format!("{target:?} stopped at {point}");
            let project = Project::new(target);
            let first = stopped_at(&project, point);
            let second = run_until_over(&project);
            let told = said(&second);
            assert_eq!(second.status.code(), Some(0), "{context}\n{told}");
            assert!(told.contains(&format!("taken over from process {}", first.id())), "{context}\n{told}");
            project.assert_whole(&context);
            let before = project.bytes();
            let woken = wake(first);
            assert_eq!(woken.status.code(), Some(7), "{context}: woken\n{}", said(&woken));
            assert!(said(&woken).contains("taken over"), "{context}: woken\n{}", said(&woken));
            assert!(project.bytes() == before, "{context}: the woken process changed the target");
            project.assert_whole(&format!("{context}, woken"));
            project.must(&["sync", "run", "items"]);
            project.assert_whole(&format!("{context}, and once more"));
        }
    }
}

#[test]
fn a_process_woken_while_the_next_one_writes_changes_nothing() {
    for target in Target::there(&[Target::File, Target::Rows, Target::Sftp, Target::PostgresRows]) {
        for (stop, meet) in [
            ("after_intent:1", "after_intent:1"),
            ("after_write:1", "after_intent:1"),
            ("before_commit:2", "after_write:1"),
            ("before_finish:1", "before_finish:1"),
            ("after_intent:1", "before_finish:1"),
        ] {
            // A stopped SQLite transaction keeps everybody else out: see the next test.
            if target == Target::Rows && stop.starts_with("before_commit") {
                continue;
            }
            let context = format!("{target:?} stopped at {stop}, woken while the next is at {meet}");
            let project = Project::new(target);
            let first = stopped_at(&project, stop);
            std::thread::park_timeout(std::time::Duration::from_millis(1_200));
            let second = stopped_at(&project, meet);
            let woken = wake(first);
            assert_eq!(woken.status.code(), Some(7), "{context}: woken\n{}", said(&woken));
            let output = wake(second);
            assert_eq!(output.status.code(), Some(0), "{context}\n{}", said(&output));
            project.assert_whole(&context);
            project.must(&["sync", "run", "items"]);
            project.assert_whole(&context);
        }
    }
}

#[test]
fn a_process_stopped_inside_a_transaction_is_named_and_nothing_is_lost_when_it_goes_on() {
    // It holds SQLite's own lock on the target: nobody can write there until it goes on or ends.
    for point in ["mid_write:1", "before_commit:1"] {
        let project = Project::new(Target::Rows);
        let first = stopped_at(&project, point);
        let second = run_until_over(&project);
        assert_eq!(second.status.code(), Some(3), "{point}\n{}", said(&second));
        let woken = wake(first);
        assert_eq!(woken.status.code(), Some(7), "{point}\n{}", said(&woken));
        project.must(&["sync", "run", "items"]);
        project.assert_whole(point);
    }
    // Or that of the state: then every route waits, and the message says for whom.
    let project = Project::new(Target::Rows);
    let first = stopped_at(&project, "inside_settle:1");
    let second = run_until_over(&project);
    let told = said(&second);
    assert_eq!(second.status.code(), Some(3), "{told}");
    assert!(told.contains(&format!("process {} holds it and is stopped", first.id())), "{told}");
    wake(first);
    project.must(&["sync", "run", "items"]);
    project.assert_whole("inside_settle");
}
