//! Runs with nobody watching: heartbeats, numbers for Prometheus, what the environment says, letters
//! past their time, and the habits of containers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use crate::kill::{Project, Target};
use crate::support::cannot;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn add(project: &Project, text: &str) {
    let path = project.root().join("connectors.yaml");
    let before = std::fs::read_to_string(&path).expect("connectors.yaml");
    std::fs::write(path, before + text).expect("written");
}

/// Answers `count` requests with this status, and gives the paths that were asked for.
fn answer(count: usize, status: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for _ in 0..count {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|w| w == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).expect("a request");
                request.extend_from_slice(&buffer[..read]);
            }
            let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_string();
            asked.push(line.split(' ').nth(1).unwrap_or_default().to_string());
            let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(reply.as_bytes()).expect("an answer");
        }
        asked
    });
    (address, thread)
}

#[test]
fn somebody_outside_is_told_how_runs_end_and_never_changes_it() {
    let project = Project::new(Target::Sqlite);
    add(
        &project,
        "heartbeat:\n  url: ${env:BEAT}/ping/canary-7f3a\n  file: alive\n  start: true\n  timeout: 5s\n  routes:\n    items: { url: \"${env:BEAT}/route?code={exit}\" }\n",
    );
    let run = |url: &str, words: &[&str]| project.command(words).env("BEAT", url).output().expect("consign starts");
    let (url, asked) = answer(3, "200 OK");
    let output = run(&url, &["sync", "run", "items"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(asked.join().expect("told"), ["/ping/canary-7f3a/start", "/route?code=0", "/ping/canary-7f3a"]);
    let first = std::fs::read_to_string(project.root().join("alive")).expect("the file");
    assert!(first.starts_with("20"), "{first}");
    // A dry run tells nobody: nobody listens here, and there is no warning.
    let output = run("http://127.0.0.1:1", &["sync", "run", "items", "--dry-run"]);
    assert!(output.status.success() && !said(&output).contains("heartbeat"), "{}", said(&output));
    // A failure is told, and leaves the file.
    std::fs::remove_file(project.root().join("out.db")).expect("the target is gone");
    let (url, asked) = answer(3, "200 OK");
    let output = run(&url, &["sync", "run", "items"]);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert_eq!(asked.join().expect("told"), ["/ping/canary-7f3a/start", "/route?code=6", "/ping/canary-7f3a/fail"]);
    assert_eq!(std::fs::read_to_string(project.root().join("alive")).expect("the file"), first);
    // One that cannot be given, or that is refused, is a warning: the address stays unsaid.
    let (refusing, asked) = answer(6, "500 Oh");
    for url in ["http://127.0.0.1:1", &refusing, "no address"] {
        let output = run(url, &["sync", "run", "items", "--full"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("giving the heartbeat"), "{}", said(&output));
        assert!(!said(&output).contains("canary"), "{}", said(&output));
    }
    assert_eq!(asked.join().expect("told").len(), 6, "each is tried twice");
}

#[test]
fn the_numbers_of_the_last_run_are_there_for_prometheus() {
    let project = Project::new(Target::Rows);
    add(&project, "metrics: { file: consign.prom }\n");
    project.must(&["sync", "run", "items"]);
    let text = std::fs::read_to_string(project.root().join("consign.prom")).expect("the file");
    for line in [
        "consign_run_exit_code 0",
        "consign_route_exit_code{route=\"items\"} 0",
        "consign_route_dead_letters_open{route=\"items\"} 35",
        "consign_route_records_total{route=\"items\",outcome=\"written\"} 34966",
        "# TYPE consign_route_records_total counter",
    ] {
        assert!(text.lines().any(|l| l == line), "`{line}` is not in\n{text}");
    }
    let other = project.root().join("other.prom");
    project.must(&["sync", "run", "items", "--metrics-file", other.to_str().expect("a path")]);
    assert!(std::fs::read_to_string(&other).expect("the file").contains("consign_route_runs_total{route=\"items\"} 2"));
    // A folder that is not there is a warning.
    let output = project.run(&["sync", "run", "items", "--metrics-file", "/nowhere/x.prom"]);
    assert!(output.status.success() && said(&output).contains("/nowhere/x.prom"), "{}", said(&output));
}

#[test]
fn what_the_environment_says_is_read_or_refused() {
    let project = Project::new(Target::Rows);
    for (name, value) in [
        ("INTEGRATION_TIMEOUT", "soon"),
        ("INTEGRATION_RETRY_COUNT", "-1"),
        ("INTEGRATION_RATE_LIMIT", "0"),
        ("CONSIGN_LOCK_DEADLINE", "never"),
    ] {
        let output = project.command(&["sync", "run", "items"]).env(name, value).output().expect("consign starts");
        assert_eq!(output.status.code(), Some(2), "{name}\n{}", said(&output));
        assert!(said(&output).contains(name) && said(&output).contains("config-bad-variable"), "{}", said(&output));
    }
    // Where nothing is called over a network they mean nothing, and that is said.
    for name in ["INTEGRATION_TIMEOUT", "INTEGRATION_RETRY_COUNT", "INTEGRATION_RATE_LIMIT"] {
        let output = project.command(&["sync", "run", "items"]).env(name, "3").output().expect("consign starts");
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(&format!("{name} is set and changes nothing here")), "{}", said(&output));
    }
    assert!(!said(&project.run(&["sync", "run", "items"])).contains("changes nothing here"));
}

#[test]
fn a_server_is_called_no_more_often_than_the_limit_allows() {
    let Some(server) = crate::servers::postgres::shared() else { return };
    // So many groups at one call in 100 ms are one wait less, however fast or slow the machine is: a shorter
    // time is no waiting at all. The connector's own word goes before that of the environment: one call a
    // minute would take minutes.
    for (limits, rate) in [("", "600"), ("    limits: { rate: 600 }\n", "1")] {
        let database = server.database();
        let project = Project::new(Target::Rows);
        let path = project.root().join("connectors.yaml");
        let text = std::fs::read_to_string(&path).expect("connectors.yaml");
        let (before, _) = text.split_once("  out:\n").expect("the target");
        let target = format!("  out:\n    use: postgres\n    with: {{ url: \"${{env:DATABASE_URL}}\" }}\n{limits}");
        std::fs::write(&path, format!("{before}{target}")).expect("written");
        let began = std::time::Instant::now();
        let mut command = project.command(&["sync", "run", "items"]);
        command.env("DATABASE_URL", server.url(&database)).env("INTEGRATION_RATE_LIMIT", rate);
        let output = command.output().expect("consign starts");
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("changes nothing here"), "{}", said(&output));
        let took = began.elapsed();
        let groups: u32 = server.sql(&database, "SELECT max(group_no) FROM _consign_commits").trim().parse().unwrap();
        assert!(
            groups >= 2 && took >= std::time::Duration::from_millis(100) * (groups - 1),
            "{groups} groups in {took:?}"
        );
        assert_eq!(server.sql(&database, "SELECT count(*) FROM items").trim(), "34966");
    }
}

#[test]
fn letters_past_their_time_are_deleted_by_the_next_run_and_that_is_recorded() {
    let project = Project::new(Target::Rows);
    let path = project.root().join("mappings/items.yaml");
    let text = std::fs::read_to_string(&path).expect("the mapping");
    std::fs::write(&path, text.replace("to: dead_letters,", "to: dead_letters, keep: 2d,")).expect("written");
    project.must(&["sync", "run", "items"]);
    let listed = said(&project.run(&["sync", "dlq", "list", "--limit", "1"]));
    assert!(listed.contains("deleted within 3d") && listed.contains("EXPIRES"), "{listed}");
    let soon = project.must(&["-o", "ndjson", "sync", "dlq", "list", "--limit", "0", "--expires-within", "3d"]);
    assert_eq!(soon.matches("\"place\"").count(), 35);
    let database = rusqlite::Connection::open(project.root().join(".consign/consign.db")).expect("consign.db");
    database.execute_batch("UPDATE dead_letters SET expires_ns = 1 WHERE number <= 5").expect("aged");
    project.must(&["sync", "run", "items"]);
    let left: i64 = database.query_row("SELECT count(*) FROM dead_letters", [], |row| row.get(0)).expect("a number");
    assert_eq!(left, 30);
    let events = project.must(&["audit", "list", "--limit", "0"]);
    assert!(events.contains("purged"), "{events}");
    project.must(&["audit", "verify"]);
}

#[test]
fn a_container_without_home_temporary_folder_or_name_for_its_user() {
    let project = Project::new(Target::Sqlite);
    let state = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
    command.current_dir(project.root()).env_clear().env("TMPDIR", "/proc/no-such").stdin(Stdio::null());
    command.env("CONSIGN_STATE", state.path()).args(["sync", "run", "items", "--no-input"]);
    let output = command.output().expect("consign starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!project.root().join(".consign").exists());
    // Standard output is closed before the run has anything to say.
    let mut command = Command::new("sh");
    let line = format!("\"{}\" sync run items 2>err >&-; echo $? >code", env!("CARGO_BIN_EXE_consign"));
    command.current_dir(project.root()).env("CONSIGN_STATE", state.path()).args(["-c", &line]);
    assert!(command.status().expect("sh").success());
    let code = std::fs::read_to_string(project.root().join("code")).expect("a code");
    let err = std::fs::read_to_string(project.root().join("err")).expect("stderr");
    assert!(!err.contains("panicked"), "{err}");
    assert!(code.trim() == "0" || !err.is_empty(), "{code}{err}");
    project.command(&["audit", "verify"]).env("CONSIGN_STATE", state.path()).output().expect("consign starts");
    // A user without a name and with nothing of its own but the state and the target.
    let fresh = Project::new(Target::File);
    let who = Command::new("setpriv").args(["--reuid", "54321", "--regid", "54321", "--clear-groups", "true"]).status();
    if !who.is_ok_and(|status| status.success()) {
        return cannot("setpriv cannot change the user here");
    }
    let owned = Command::new("chown").args(["-R", "54321:54321"]).arg(fresh.root()).status().expect("chown");
    assert!(owned.success());
    let program = fresh.root().join("consign");
    // By another process: a file that this one has open for writing may be inherited by what the other
    // tests start, and cannot be executed then.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_consign")).arg(&program).status();
    assert!(copied.expect("cp").success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "54321", "--regid", "54321", "--clear-groups"]).arg(&program);
    command.args(["sync", "run", "items"]).current_dir(fresh.root()).env_clear().stdin(Stdio::null());
    let output = command.output().expect("setpriv");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
