//! The habits of containers, each with the real program in name spaces of its own: a read-only root,
//! full disks, process 1, signals with a grace time, limits of processors and memory.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use crate::kill::{Project, Target};
use crate::support::{await_stop, cannot, consign, signal};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a shell script as root of its own name spaces. Some machines do not allow that: then the test
/// says so, and under `CI=true` it fails.
fn in_name_space(options: &[&str], script: &str) -> Option<Command> {
    let allowed = Command::new("unshare").args(options).arg("true").output().is_ok_and(|o| o.status.success());
    if !allowed {
        cannot(&format!("`unshare {}` (package util-linux) is not allowed here", options.join(" ")));
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-ec", script]).stdin(Stdio::null()).env_remove("CONSIGN_FAILPOINT");
    Some(command)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_consign");

/// A project that reads a pipe, which the test holds open: the reader waits for as long as it wants.
fn piped(root: &Path) {
    std::fs::create_dir_all(root.join("mappings")).expect("mappings");
    let connectors = "version: 1\nconnectors:\n  pipe:\n    use: file\n    with: { path: . }\n    streams:\n      \
         all: { path: \"-\", format: csv }\n      kept: { path: kept.ndjson, format: ndjson }\n";
    std::fs::write(root.join("connectors.yaml"), connectors).expect("connectors");
    let mapping = "version: 1\nname: keep\nfrom: pipe.all\nto: pipe.kept\nfields:\n  - { target: id, source: id }\n";
    std::fs::write(root.join("mappings/keep.yaml"), mapping).expect("mapping");
}

/// Waits until the process has read what was written and has it settled.
fn await_lines(root: &Path, child: &mut Child, lines: usize) {
    let wanted = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() >= lines);
    loop {
        let written =
            crate::support::files(root).iter().any(|p| p.to_string_lossy().contains("kept.ndjson") && wanted(p));
        if written {
            return;
        }
        assert!(child.try_wait().expect("a status").is_none(), "the process ended");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_cannot_drain_leaves_when_its_grace_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    piped(folder.path());
    for (name, code, option) in [("TERM", 143, true), ("INT", 130, false)] {
        let mut command = consign(folder.path());
        command.args(["sync", "run", "keep"]);
        match option {
            true => command.args(["--grace", "1s"]),
            false => command.env("CONSIGN_GRACE", "1s"),
        };
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("consign starts");
        let mut pipe = child.stdin.take().expect("standard input");
        pipe.write_all(b"id\n").expect("a header");
        // Enough for a part of its own, so that something is settled before the reader waits again.
        let rows: String = (0..80_000).map(|n| format!("{name}-{n:08}\n")).collect();
        pipe.write_all(rows.as_bytes()).expect("rows");
        await_lines(folder.path(), &mut child, 1_000);
        let began = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().expect("it ends");
        // The pipe is open still: nothing else could have ended it.
        drop(pipe);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains("1 s of grace are over"), "{}", said(&output));
        assert!(began.elapsed().as_secs_f64() >= 1.0, "it had its time");
        // The next run finds the route free, takes over and says so.
        let again = consign(folder.path()).args(["sync", "status"]).output().expect("consign starts");
        assert!(again.status.success(), "{}", said(&again));
    }
    let mut child = consign(folder.path())
        .args(["sync", "run", "keep"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("consign starts");
    child.stdin.take().expect("standard input").write_all(b"id\nlast\n").expect("rows");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = consign(folder.path()).args(["audit", "verify"]).output().expect("consign starts");
    assert!(output.status.success(), "{}", said(&output));
    let output = consign(folder.path()).args(["sync", "run", "keep", "--grace", "soon"]).output().expect("consign");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn what_the_grace_cuts_off_is_resumed() {
    for target in [Target::File, Target::Sqlite, Target::Rows] {
        let project = Project::new(target);
        // Stopped in the middle of the road, it hears the signal and cannot drain: the timer has run
        // out by the time that it goes on.
        let mut child = project
            .command(&["sync", "run", "items", "--grace", "0s"])
            .env("CONSIGN_FAILPOINT", "mid_write:1:stop")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("consign starts");
        await_stop(&mut child);
        signal(&child, "TERM");
        signal(&child, "CONT");
        assert_eq!(child.wait().expect("it ends").code(), Some(143), "{target:?}");
        project.must(&["audit", "verify"]);
        project.must(&["sync", "run", "items"]);
        project.assert_whole(&format!("{target:?} after the grace was over"));
    }
}

/// The process that `unshare --fork` has started, by its number out here.
fn inner(outer: &mut Child) -> u32 {
    let children = format!("/proc/{0}/task/{0}/children", outer.id());
    loop {
        let text = std::fs::read_to_string(&children).unwrap_or_default();
        if let Some(pid) = text.split_ascii_whitespace().next() {
            return pid.parse().expect("a number");
        }
        assert!(outer.try_wait().expect("a status").is_none(), "it ended before it had begun");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

fn kill(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.expect("kill").success());
}

const AS_FIRST: &[&str] = &["-rmp", "--fork", "--kill-child", "--mount-proc"];

#[test]
fn process_1_drains_and_ends_as_any_other() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let folder = tempfile::tempdir().expect("a folder");
        piped(folder.path());
        let script = format!("echo $$ >{0}/pid; exec {PROGRAM} -C {0} sync run keep", folder.path().display());
        let Some(mut command) = in_name_space(AS_FIRST, &script) else { return };
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("unshare");
        let mut pipe = child.stdin.take().expect("standard input");
        let rows: String = (0..80_000).map(|n| format!("{n:08}\n")).collect();
        pipe.write_all(format!("id\n{rows}").as_bytes()).expect("rows");
        await_lines(folder.path(), &mut child, 1_000);
        kill(inner(&mut child), name);
        // What comes now lets the reader see that it was asked to stop, however late the signal is
        // delivered on a busy machine; when it has ended, nobody reads.
        while child.try_wait().expect("a status").is_none() && pipe.write_all(rows.as_bytes()).is_ok() {}
        let output = child.wait_with_output().expect("it ends");
        drop(pipe);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(!said(&output).contains("of grace are over"), "it drained: {}", said(&output));
        let first = std::fs::read_to_string(folder.path().join("pid")).expect("a number");
        assert_eq!(first.trim(), "1");
        let output = consign(folder.path()).args(["-o", "json", "sync", "state", "show", "keep"]).output();
        let output = output.expect("consign starts");
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(shown["in_doubt"], serde_json::Value::Null, "{shown}");
    }
}

#[test]
fn process_1_ends_at_once_where_there_is_nothing_to_drain() {
    let folder = tempfile::tempdir().expect("a folder");
    piped(folder.path());
    let script = format!("exec {PROGRAM} -C {} connect peek pipe all", folder.path().display());
    let Some(mut command) = in_name_space(AS_FIRST, &script) else { return };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("unshare");
    let pipe = child.stdin.take().expect("standard input");
    let inner = inner(&mut child);
    // It waits for its input, as consign: a shell would not have the handler.
    let own = std::fs::read_link(format!("/proc/{inner}/exe")).ok();
    let is_consign = || std::fs::read_link(format!("/proc/{inner}/exe")).is_ok_and(|exe| exe == Path::new(PROGRAM));
    let caught = || {
        let status = std::fs::read_to_string(format!("/proc/{inner}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default().trim().to_owned();
        u64::from_str_radix(&caught, 16).is_ok_and(|set| set & (1 << 14) != 0)
    };
    while !(is_consign() && caught()) {
        assert!(child.try_wait().expect("a status").is_none(), "it ended: {own:?}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    kill(inner, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    drop(pipe);
}

/// The lines of `-v` about the limits that hold.
fn under_limits(project: &Project, files: &[(&str, &str)]) -> Option<Output> {
    let groups = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(groups.path().join(name), content).expect("a limit");
    }
    // As in a container: the root of the control groups is its own.
    let script = format!(
        "echo 0::/ >{0}/own; mount --bind {0} /sys/fs/cgroup; mount --bind {0}/own /proc/$$/cgroup; exec {PROGRAM} -v -C {1} sync run items --full",
        groups.path().display(),
        project.root().display()
    );
    let mut command = in_name_space(&["-rm"], &script)?;
    Some(command.output().expect("unshare"))
}

#[test]
fn limits_of_the_container_are_obeyed_and_said() {
    let project = Project::new(Target::Sqlite);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (cpu, memory, expected) in [
        ("max 100000\n", "max\n", None),
        ("50000 100000\n", "max\n", Some("1 worker, groups of 8192 KiB: a CPU quota of 1").filter(|_| cores > 1)),
        ("max 100000\n", "67108864\n", Some("1 worker, groups of 1365 KiB: a memory limit of 64 MiB")),
    ] {
        let Some(output) = under_limits(&project, &[("cpu.max", cpu), ("memory.max", memory)]) else { return };
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        match expected {
            Some(expected) => assert!(said(&output).contains(expected), "{cpu}{memory}{}", said(&output)),
            None => assert!(!said(&output).contains("groups of") || cores == 1, "{}", said(&output)),
        }
        project.assert_whole(&format!("{cpu}{memory}"));
    }
}

/// What each `exit N` line of a script's output says.
fn exits(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("exit ")).collect()
}

#[test]
fn a_full_disk_of_the_state_loses_nothing() {
    for target in [Target::File, Target::Rows] {
        // Full when the state is made, when a run begins, in the middle, at the end, and never.
        let mut full = 0;
        for kib in [16, 128, 256, 320, 384, 448, 512, 1024] {
            let project = Project::new(target);
            let script = format!(
                "cd {root}; mkdir small; mount -t tmpfs -o size={kib}k tmpfs small; run() {{ {PROGRAM} --state small/s \"$@\" && echo exit 0 || echo exit $?; }}; \
                 run sync run items; mount -o remount,size=64m small; run sync run items; run sync run items; run audit verify; cp -a small/s .consign",
                root = project.root().display()
            );
            let Some(mut command) = in_name_space(&["-rm"], &script) else { return };
            let output = command.output().expect("unshare");
            let said = said(&output);
            let ends = exits(&said);
            assert!(matches!(ends[..], ["0" | "3", "0", "0", "0"]), "{target:?} {kib} KiB\n{said}");
            assert!(!said.contains("panicked"), "{said}");
            if ends[0] == "3" {
                full += 1;
                assert!(said.to_lowercase().contains("space") && said.contains("small/s"), "{kib} KiB\n{said}");
            }
            project.assert_whole(&format!("{target:?}, state of {kib} KiB"));
        }
        assert!(full >= 3, "the disk was never full");
    }
}

#[test]
fn a_full_disk_of_a_file_target_loses_nothing() {
    let project = Project::new(Target::File);
    let script = format!(
        "cd {root}; mkdir small; sed -i 's/out.ndjson/small\\/out.ndjson/' connectors.yaml; mount -t tmpfs -o size=700k tmpfs small; \
         run() {{ {PROGRAM} \"$@\" && echo exit 0 || echo exit $?; }}; run sync run items; run sync run items; \
         mount -o remount,size=64m small; run sync run items; run sync run items; cp small/out.ndjson out.ndjson; umount small; \
         sed -i 's/small\\///' connectors.yaml",
        root = project.root().display()
    );
    let Some(mut command) = in_name_space(&["-rm"], &script) else { return };
    let output = command.output().expect("unshare");
    let said = said(&output);
    assert_eq!(exits(&said), ["3", "3", "0", "0"], "{said}");
    assert!(said.to_lowercase().contains("space") && said.contains("out.ndjson"), "{said}");
    project.assert_whole("after the disk was full");
}

#[test]
fn a_read_only_root_needs_a_state_elsewhere_and_nothing_more() {
    for (target, mode) in [(Target::File, "append"), (Target::Sqlite, "upsert"), (Target::Sqlite, "mirror")] {
        let project = Project::new(target);
        let mapping = project.root().join("mappings/items.yaml");
        let text = std::fs::read_to_string(&mapping).expect("the mapping");
        std::fs::write(&mapping, text.replace("mode: upsert", &format!("mode: {mode}"))).expect("written");
        let connectors = project.root().join("connectors.yaml");
        let text = std::fs::read_to_string(&connectors).expect("connectors");
        std::fs::write(&connectors, text.replace("path: out.", "path: volume/out.")).expect("written");
        // The one writable place is the volume: there is no `/tmp`, no home.
        let script = format!(
            "cd {root}; mkdir volume; mount -t tmpfs tmpfs volume; mount -o remount,bind,ro /; \
             for place in /tmp /var/tmp /dev/shm; do mountpoint -q $place && mount -o remount,bind,ro $place; done; \
             if touch beside 2>/dev/null; then echo writable; fi; unset TMPDIR HOME; \
             run() {{ {PROGRAM} --state volume/state \"$@\" && echo exit 0 || echo exit $?; }}; \
             run sync run items --no-input; run sync run items --full; run sync status; run audit verify; run map check; \
             mount -o remount,bind,ro volume; run sync status; run sync history; run audit verify; run sync dlq list; run sync run items; \
             {PROGRAM} sync run items && echo exit 0 || echo exit $?",
            root = project.root().display()
        );
        let Some(mut command) = in_name_space(&["-rm"], &script) else { return };
        let output = command.env("CONSIGN_STATE", "volume/state").output().expect("unshare");
        let said = said(&output);
        assert!(!said.contains("writable\n"), "{said}");
        let ends = exits(&said);
        // Verbs that only read go on where nothing can be written; a run says why it cannot.
        assert_eq!(ends, ["0", "0", "0", "0", "0", "0", "0", "0", "0", "4", "4"], "{target:?} {mode}\n{said}");
        assert!(
            said.contains("volume/state/consign.db` cannot be written") && said.contains("`--state DIR`"),
            "{said}"
        );
    }
}
