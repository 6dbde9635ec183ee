//! Bad days: full disks, locked databases, hostile files, lost keys. Each gets a clear message, the
//! right exit code, nothing lost, no panic.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{await_stop, cannot};

struct Project(tempfile::TempDir);

const CONNECTORS: &str = "version: 1
connectors:
  in:
    use: file
    streams:
      rows: { path: rows.csv, format: csv, fields: { id: string, n: int } }
      lines: { path: lines.ndjson, format: ndjson }
  out:
    use: file
    streams:
      copy: { path: copy.ndjson, format: ndjson }
  db:
    use: sqlite
    with: { path: out.db, busy_timeout: 1 }
";

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Self(folder);
        project.file("connectors.yaml", CONNECTORS);
        project.file("rows.csv", "id,n\na,1\nb,2\nc,3\n");
        project.route("copy", "in.rows", "out.copy", "mode: append");
        project.route("table", "in.rows", "db.rows", "mode: upsert\n  key: [id]");
        project
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, content).expect("written");
    }

    fn route(&self, name: &str, from: &str, to: &str, sync: &str) {
        self.file(
            &format!("mappings/{name}.yaml"),
            format!(
                "version: 1\nname: {name}\nfrom: {from}\nto: {to}\nsync:\n  {sync}\nfields:\n  - {{ target: id, source: id, required: true }}\n  - {{ target: n, source: n }}\n"
            ),
        );
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        command.arg("-C").arg(self.root()).args(words).stdin(Stdio::null());
        for variable in ["CONSIGN_FAILPOINT", "CONSIGN_AUDIT_KEY", "AUDIT_SECRET_KEY"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs and asserts the exit code and what the message says; returns all output.
    fn says(&self, words: &[&str], exit: i32, texts: &[&str]) -> String {
        judge(self.command(words).output().expect("consign starts"), words, exit, texts)
    }
}

fn judge(output: Output, words: &[&str], exit: i32, texts: &[&str]) -> String {
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{words:?}\n{all}");
    assert!(!all.contains("panicked"), "{words:?}\n{all}");
    for text in texts {
        assert!(all.to_lowercase().contains(&text.to_lowercase()), "{words:?}: `{text}` is not in\n{all}");
    }
    all
}

/// Runs a shell script in its own mount name space, where it may mount a small disk. Some
/// machines do not allow that: then the test says so, and under `CI=true` it fails.
fn in_name_space(script: &str) -> Option<Output> {
    let allowed = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|o| o.status.success());
    if !allowed {
        cannot("`unshare -rm` (package util-linux) is not allowed here, so a full disk cannot be made");
        return None;
    }
    Some(Command::new("unshare").args(["-rm", "sh", "-ec", script]).stdin(Stdio::null()).output().expect("unshare"))
}

#[test]
fn a_full_disk_loses_nothing() {
    let project = Project::new();
    let mut rows = String::from("id,n\n");
    for n in 0..60_000 {
        rows.push_str(&format!("row-{n:08},{n}\n"));
    }
    project.file("rows.csv", rows);
    let consign = env!("CARGO_BIN_EXE_consign");
    let root = project.root().display();
    for (route, check) in [("copy", "wc -l < small/copy.ndjson"), ("table", "cp small/out.db* . && echo copied")] {
        // The disk is full, then grows, and the next run goes on.
        let script = format!(
            "cd {root}; mkdir -p small; mount -t tmpfs -o size=600k tmpfs small; \
             sed 's/copy.ndjson/small\\/copy.ndjson/; s/out.db/small\\/out.db/' connectors.yaml > c2.yaml; mv c2.yaml connectors.yaml; \
             set +e; {consign} sync run {route}; echo \"exit $?\"; set -e; \
             mount -o remount,size=64m small; {consign} sync run {route}; {consign} audit verify; echo \"rows $({check})\""
        );
        let Some(output) = in_name_space(&script) else { return };
        let all = judge(output, &[route], 0, &["exit 3", "space"]);
        if route == "copy" {
            assert!(all.contains("rows 60000"), "{all}");
        } else {
            let db = rusqlite::Connection::open(project.root().join("out.db")).expect("out.db");
            let rows: i64 = db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).expect("rows");
            assert_eq!(rows, 60_000);
        }
        project.file("connectors.yaml", CONNECTORS);
    }
}

#[test]
fn a_read_only_folder_is_named() {
    let project = Project::new();
    let consign = env!("CARGO_BIN_EXE_consign");
    let root = project.root().display();
    let script = format!(
        "cd {root}; mkdir -p fixed; mount -t tmpfs -o ro tmpfs fixed; \
         sed 's/copy.ndjson/fixed\\/copy.ndjson/' connectors.yaml > c2.yaml; mv c2.yaml connectors.yaml; \
         set +e; {consign} sync run copy; echo \"exit $?\"; {consign} --state fixed/state sync run table; echo \"exit $?\"; \
         {consign} --state fixed/state sync status; echo \"exit $?\""
    );
    let Some(output) = in_name_space(&script) else { return };
    let all = judge(output, &["read-only"], 0, &["fixed", "read-only"]);
    assert_eq!(all.matches("exit 4").count(), 2, "{all}");
    assert_eq!(all.matches("exit 0").count(), 1, "verbs that only read need no writable state: {all}");
}

#[test]
fn a_locked_destination_is_named() {
    let project = Project::new();
    project.says(&["sync", "run", "table"], 0, &[]);
    project.file("rows.csv", "id,n\na,1\nb,2\nc,3\nd,4\n");
    let db = rusqlite::Connection::open(project.root().join("out.db")).expect("out.db");
    db.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    project.says(&["sync", "run", "table"], 3, &["out.db", "another process holds"]);
    db.execute_batch("ROLLBACK").expect("unlocked");
    project.says(&["sync", "run", "table"], 0, &[]);
    let rows: i64 = db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).expect("rows");
    assert_eq!(rows, 4);
}

#[test]
fn a_source_that_was_cut_or_replaced_is_noticed() {
    let project = Project::new();
    project.says(&["sync", "run", "copy"], 0, &[]);
    project.file("rows.csv", "id,n\na,1\n");
    project.says(&["sync", "run", "copy"], 1, &["rows.csv", "--full"]);
}

#[test]
fn the_wrong_encoding_is_explained() {
    let project = Project::new();
    project.file("rows.csv", b"id,n\na,1\nM\xfcnchen,2\n");
    project.says(&["sync", "run", "copy"], 5, &["UTF-8", "encoding"]);
    project.says(&["sync", "dlq", "list"], 0, &["rows.csv", "3"]);
}

#[test]
fn a_line_of_a_gigabyte_is_refused_in_little_memory() {
    let project = Project::new();
    let path = project.root().join("rows.csv");
    let file = std::fs::File::options().write(true).open(&path).expect("rows.csv");
    file.set_len(1 << 30).expect("a sparse file");
    let script = format!(
        "ulimit -v 1500000; exec {} -C {} sync run copy",
        env!("CARGO_BIN_EXE_consign"),
        project.root().display()
    );
    let output = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().expect("sh");
    judge(output, &["1 GB line"], 1, &["rows.csv", "record", "limit"]);
}

#[test]
fn deep_nesting_is_refused() {
    let project = Project::new();
    project.route("lines", "in.lines", "db.lines", "mode: append");
    let deep =
        format!("{{\"id\":\"a\",\"n\":1}}\n{{\"id\":\"b\",\"n\":{}{}}}\n", "[".repeat(10_000), "]".repeat(10_000));
    project.file("lines.ndjson", deep);
    project.says(&["sync", "run", "lines"], 5, &["lines.ndjson:2", "deep"]);
}

#[test]
fn an_open_quote_names_the_line_where_it_opened() {
    let project = Project::new();
    project.file("rows.csv", "id,n\na,1\n\"b,2\nc,3\n");
    project.says(&["sync", "run", "copy"], 1, &["quote", "line 3"]);
}

#[test]
fn duplicate_keys_are_rejected() {
    let project = Project::new();
    project.route("lines", "in.lines", "db.lines", "mode: append");
    project.file("lines.ndjson", "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"id\":\"c\",\"n\":1}\n");
    project.says(&["sync", "run", "lines"], 5, &["lines.ndjson:2", "twice"]);
}

#[test]
fn two_runs_at_once_and_a_stopped_holder() {
    let project = Project::new();
    // The holder stops itself (SIGSTOP) with the lock in hand.
    let mut holder = project
        .command(&["sync", "run", "copy"])
        .env("CONSIGN_FAILPOINT", "after_intent:1:stop")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("consign starts");
    let pid = holder.id();
    await_stop(&mut holder);
    project.says(&["sync", "run", "copy"], 7, &["copy", &pid.to_string()]);
    project.says(&["sync", "status"], 0, &["stopped", &format!("held by process {pid}, which is stopped")]);
    project.says(&["sync", "status", "-o", "json"], 0, &[&format!("\"pid\": {pid}")]);
    // Other routes are not held up.
    project.says(&["sync", "run", "table"], 0, &[]);
    project.says(&["sync", "unlock", "copy"], 7, &[&pid.to_string()]);
    holder.kill().expect("killed");
    holder.wait().expect("ended");
    project.says(&["sync", "run", "copy"], 0, &[]);
    project.says(&["audit", "verify"], 0, &[]);
    let copied = std::fs::read_to_string(project.root().join("copy.ndjson")).expect("copy.ndjson");
    assert_eq!(copied.lines().count(), 3);
}

#[test]
fn a_newer_state_file_is_refused() {
    let project = Project::new();
    project.says(&["sync", "run", "copy"], 0, &[]);
    let db = rusqlite::Connection::open(project.root().join(".consign/consign.db")).expect("the state");
    db.execute_batch("PRAGMA user_version = 9999").expect("a newer version");
    drop(db);
    project.says(&["sync", "run", "copy"], 2, &["newer"]);
    project.says(&["audit", "verify"], 2, &["newer"]);
}

#[test]
fn a_broken_state_file_stops_everything() {
    let project = Project::new();
    project.says(&["sync", "run", "copy"], 0, &[]);
    std::fs::write(project.root().join(".consign/consign.db"), "this is no database, at all; it is only text")
        .expect("broken");
    for extra in ["consign.db-wal", "consign.db-shm"] {
        std::fs::remove_file(project.root().join(".consign").join(extra)).ok();
    }
    project.says(&["sync", "run", "copy"], 8, &["consign.db"]);
}

#[test]
fn a_lost_audit_key_starts_a_new_log_and_says_so() {
    let project = Project::new();
    let with_key = |key: &str, words: &[&str], exit: i32, texts: &[&str]| {
        let output = project.command(words).env("CONSIGN_AUDIT_KEY", key).output().expect("consign starts");
        judge(output, words, exit, texts)
    };
    with_key("correct horse battery staple", &["sync", "run", "copy"], 0, &[]);
    with_key("correct horse battery staple", &["audit", "verify"], 0, &[]);
    project.file("rows.csv", "id,n\na,1\nb,2\nc,3\nd,4\n");
    with_key("another key altogether", &["sync", "run", "copy"], 0, &["audit", "new"]);
    with_key("another key altogether", &["audit", "verify"], 0, &[]);
    let copied = std::fs::read_to_string(project.root().join("copy.ndjson")).expect("copy.ndjson");
    assert_eq!(copied.lines().count(), 4);
}

#[test]
fn a_tampered_log_stops_everything() {
    let project = Project::new();
    project.says(&["sync", "run", "copy"], 0, &[]);
    let db = rusqlite::Connection::open(project.root().join(".consign/consign.db")).expect("the state");
    let triggers: Vec<String> = {
        let mut all = db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").expect("triggers");
        all.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("row")).collect()
    };
    for trigger in triggers {
        db.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).expect("dropped");
    }
    db.execute_batch(
        "UPDATE audit_events SET body = CAST(replace(CAST(body AS TEXT), 'copy', 'cope') AS BLOB)
         WHERE at = (SELECT min(at) FROM audit_events WHERE instr(CAST(body AS TEXT), 'copy') > 0)",
    )
    .expect("tampered");
    drop(db);
    project.says(&["audit", "verify"], 8, &["edited"]);
}

#[test]
fn an_audit_key_that_is_not_set_is_asked_for() {
    let project = Project::new();
    let output =
        project.command(&["sync", "run", "copy"]).env("CONSIGN_AUDIT_KEY", "correct horse battery staple").output();
    judge(output.expect("consign starts"), &["with key"], 0, &[]);
    project.file("rows.csv", "id,n\na,1\nb,2\nc,3\nd,4\n");
    let said = project.says(&["sync", "run", "copy"], 4, &["CONSIGN_AUDIT_KEY"]);
    assert!(!said.contains("correct horse"), "{said}");
    let output =
        project.command(&["sync", "run", "copy"]).env("CONSIGN_AUDIT_KEY", "correct horse battery staple").output();
    judge(output.expect("consign starts"), &["with key"], 0, &["1 record by"]);
}

#[test]
fn secrets_and_classified_values_stand_nowhere_in_clear() {
    const SECRET: &str = "canary-of-a-secret";
    const PERSONAL: &str = "canary-of-a-person";
    let project = Project::new();
    project.file(
        "connectors.yaml",
        CONNECTORS
            .replacen("use: file\n", "use: file\n    with: { path: \"${env:CANARY}\" }\n", 1)
            .replace("{ id: string, n: int }", "{ id: string, n: int, mail: string }"),
    );
    project.file(
        &format!("{SECRET}/rows.csv"),
        format!("id,n,mail\na,1,{PERSONAL}1@x.example\nb,-2,{PERSONAL}2@x.example\nc,many,{PERSONAL}3@x.example\n"),
    );
    for (name, to, sync) in [("copy", "out.copy", "mode: append"), ("table", "db.rows", "mode: upsert\n  key: [id]")] {
        project.file(
            &format!("mappings/{name}.yaml"),
            format!(
                "version: 1\nname: {name}\nfrom: in.rows\nto: {to}\nsync:\n  {sync}\nfields:\n  - {{ target: id, source: id, required: true }}\n  - {{ target: n, source: n, validate: value >= 0 }}\n  - {{ target: mail, source: mail, class: pii.email, transform: mask_email(value) }}\n"
            ),
        );
    }
    let mut outputs = String::new();
    let mut run = |words: &[&str]| {
        let mut command = project.command(words);
        let output = command.env("CANARY", SECRET).output().expect("consign starts");
        let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(matches!(output.status.code(), Some(0 | 1 | 5)), "{words:?}\n{all}");
        for canary in [SECRET, PERSONAL] {
            assert!(!all.contains(canary), "{words:?} says {canary}\n{all}");
        }
        outputs.push_str(&all);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&["-v", "map", "check"]);
    run(&["-v", "map", "preview", "copy"]);
    run(&["-v", "sync", "plan", "copy", "table"]);
    run(&["-v", "sync", "run", "copy", "table", "--dry-run"]);
    run(&["-v", "sync", "run", "copy", "table"]);
    run(&["-v", "--log-format", "json", "sync", "run", "copy", "table"]);
    let letters: serde_json::Value =
        serde_json::from_str(&run(&["-o", "json", "sync", "dlq", "list"])).expect("a document");
    let letters = letters["letters"].as_array().expect("letters");
    assert_eq!(letters.len(), 4);
    for letter in letters {
        let id = letter["id"].as_str().expect("an id");
        run(&["sync", "dlq", "show", id]);
        run(&["-o", "json", "sync", "dlq", "show", id]);
    }
    run(&["sync", "dlq", "replay", "--all"]);
    run(&["sync", "status"]);
    run(&["sync", "history"]);
    run(&["sync", "state", "show", "copy"]);
    for shape in ["text", "json", "markdown"] {
        run(&["-o", shape, "report", "run"]);
    }
    run(&["-o", "json", "audit", "list"]);
    run(&["connect", "show", "in"]);
    run(&["connect", "list"]);
    // An error names what it could not open: by its reference.
    let source = project.root().join(SECRET).join("rows.csv");
    std::fs::rename(&source, project.root().join("rows.csv")).expect("moved away");
    run(&["-v", "--log-format", "json", "sync", "run", "copy"]);
    run(&["-o", "json", "sync", "run", "copy"]);
    run(&["connect", "peek", "in", "rows"]);
    run(&["sync", "history"]);
    run(&["-o", "json", "report", "run"]);
    assert!(outputs.contains("${env:CANARY}"), "the reference stands where its value would");
    assert!(outputs.contains("***[pii"), "something was masked");
    // What is kept: the state, its log, the dead letters, and the targets.
    for file in crate::support::files(project.root()) {
        if file.ends_with("rows.csv") {
            continue;
        }
        let bytes = std::fs::read(&file).expect("readable");
        for canary in [SECRET, PERSONAL] {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{} holds {canary}", file.display());
        }
    }
}

#[test]
fn a_group_costs_at_most_three_syncs() {
    let traced = |parts: u64| -> Option<(u64, u64)> {
        let project = Project::new();
        project.says(&["sync", "run", "copy", "table"], 0, &[]);
        let mut rows = String::from("id,n\n");
        for n in 0..parts * 22_000 {
            rows.push_str(&format!("{n:040},{n:06}\n"));
        }
        project.file("rows.csv", rows);
        project.route("table", "in.rows", "db.rows", "batch: { records: 1000 }\n  mode: upsert\n  key: [id]");
        let log = project.root().join("calls");
        let output = Command::new("strace")
            .args(["-f", "-e", "trace=fsync,fdatasync", "-o"])
            .args([log.as_os_str(), env!("CARGO_BIN_EXE_consign").as_ref(), "-C".as_ref(), project.root().as_os_str()])
            .args(["sync", "run", "table"])
            .stdin(Stdio::null())
            .output();
        let Ok(output) = output else {
            cannot("`strace` (package strace) is not here, so syncs cannot be counted");
            return None;
        };
        let calls = std::fs::read_to_string(&log).unwrap_or_default();
        if calls.is_empty() && !output.status.success() {
            cannot("`strace` may not trace here, so syncs cannot be counted");
            return None;
        }
        judge(output, &["strace"], 0, &[]);
        let syncs = calls.lines().filter(|line| line.contains("fsync(") || line.contains("fdatasync(")).count();
        let state = rusqlite::Connection::open(project.root().join(".consign/consign.db")).expect("the state");
        let groups = state
            .query_row("SELECT groups FROM runs WHERE route = 'table' ORDER BY number DESC LIMIT 1", [], |row| {
                row.get::<_, i64>(0)
            })
            .expect("the run");
        Some((syncs as u64, groups.unsigned_abs()))
    };
    // The difference of two runs is what groups cost, without beginning and end.
    let (Some((few, fewer)), Some((many, more))) = (traced(2), traced(10)) else { return };
    assert!(more >= fewer + 6, "{fewer} and {more} groups are too alike to tell");
    assert!(many - few <= 3 * (more - fewer), "{} syncs for {} groups", many - few, more - fewer);
}
