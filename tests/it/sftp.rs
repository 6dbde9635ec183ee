//! SFTP against a real OpenSSH server: signing in, host keys, the ledger over several runs, and a
//! connection that is cut at every phase. Whatever breaks, the next run finishes whole.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::servers::cutter::{Cut, Cutter};
use crate::servers::sftp::{PASSPHRASE, PASSWORD, Sftp};
use crate::support::{cannot, consign};

/// Which side of the route is on the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Source,
    Target,
    /// Both are files of this machine.
    Neither,
}

/// A project with one route, `items`, from CSV to NDJSON, whose one side is on the server.
struct Lab<'s> {
    server: &'s Sftp,
    format: &'static str,
    folder: tempfile::TempDir,
    side: Side,
    source: String,
    target: String,
}

impl<'s> Lab<'s> {
    fn new(server: &'s Sftp, side: Side) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["mappings", "in", "out"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(
            folder.path().join("mappings/items.yaml"),
            "version: 1\nname: items\nfrom: in.items\nto: out.items\nsync:\n  mode: append\n  batch: { records: 3000 }\nfields:\n  - { target: sku, source: sku }\n  - { target: note, source: note }\n",
        )
        .expect("the mapping");
        for name in ["in", "out"] {
            // Each lab has the folders on the server to itself.
            for entry in std::fs::read_dir(server.file(name)).expect("a folder").map(|e| e.expect("entry").path()) {
                if entry.is_dir() { std::fs::remove_dir_all(entry) } else { std::fs::remove_file(entry) }
                    .expect("removed");
            }
        }
        Self {
            server,
            format: "ndjson",
            folder,
            side,
            source: "path: \"*.csv\"".into(),
            target: "path: items.ndjson".into(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        let on_server = match self.side {
            Side::Source => name.starts_with("in/"),
            Side::Target => name.starts_with("out"),
            Side::Neither => false,
        };
        if on_server { self.server.file(name) } else { self.folder.path().join(name) }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("written");
    }

    /// Writes `connectors.yaml`: how the server is reached, and how often it is tried.
    fn reach(&self, port: u16, tries: u32, with: &str) {
        let server = format!(
            "use: sftp\n    retry: {{ tries: {tries} }}\n    with:\n      host: 127.0.0.1\n      port: {port}\n      user: {}\n",
            self.server.user
        );
        let end = |side: Side, name: &str| match self.side == side {
            true => format!("{server}      path: {name}\n{with}"),
            false => format!("use: file\n    with: {{ path: {name} }}\n"),
        };
        let connectors = format!(
            "version: 1\nconnectors:\n  in:\n    {}    streams:\n      items:\n        {}\n        format: csv\n        fields: {{ sku: string, note: string }}\n  out:\n    {}    streams:\n      items:\n        {}\n        format: {}\n",
            end(Side::Source, "in"),
            self.source,
            end(Side::Target, "out"),
            self.target,
            self.format,
        );
        std::fs::write(self.folder.path().join("connectors.yaml"), connectors).expect("connectors.yaml");
    }

    /// The usual way: by key, with the right host key.
    fn usual(&self, port: u16, tries: u32) {
        self.reach(port, tries, &self.with_key("user_key", ""));
    }

    fn with_key(&self, key: &str, more: &str) -> String {
        format!(
            "      key_file: {}\n      host_key: {}\n      timeout: 10\n      connect_timeout: 10\n{more}",
            self.server.path(key).display(),
            self.server.host_key()
        )
    }

    fn run(&self, words: &[&str]) -> Output {
        consign(self.folder.path()).args(words).output().expect("consign starts")
    }

    /// Runs, and checks the exit code and that all these texts are said.
    fn says(&self, words: &[&str], exit: i32, texts: &[&str]) -> String {
        let output = self.run(words);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
        for text in texts {
            assert!(said.contains(text), "`{text}` is not in\n{said}");
        }
        assert!(!said.contains(PASSWORD) && !said.contains(PASSPHRASE), "a secret is shown\n{said}");
        said
    }

    fn sync(&self) -> String {
        self.says(&["sync", "run", "items"], 0, &[])
    }

    /// The delivered keys, in order.
    fn delivered(&self) -> Vec<String> {
        let name = self.target.trim_start_matches("path: ");
        let bytes = std::fs::read(self.path(&format!("out/{name}"))).unwrap_or_default();
        let mut text = String::new();
        if name.ends_with(".gz") && !bytes.is_empty() {
            std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice()), &mut text)
                .expect("gzip");
        } else {
            text = String::from_utf8(bytes).expect("text");
        }
        let key = regex::Regex::new(r"\bS\d{6}\b").expect("a pattern");
        key.find_iter(&text).map(|found| found.as_str().to_owned()).collect()
    }

    /// Three files; every key of theirs, in order.
    fn three_files(&self) -> Vec<String> {
        self.write("in/a.csv", rows(0, 6000));
        self.write("in/b.csv", rows(6000, 9000));
        self.write("in/c.csv", rows(15_000, 1));
        (0..15_001).map(sku).collect()
    }
}

fn sku(n: u32) -> String {
    format!("S{n:06}")
}

fn rows(first: u32, count: u32) -> String {
    let note = "a note that makes the row about as long as rows usually are with a number of words to it";
    let rows: String = (first..first + count).map(|n| format!("{},{note} {n}\n", sku(n))).collect();
    format!("sku,note\n{rows}")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

#[test]
fn a_user_signs_in_by_key_passphrase_or_password_and_is_told_what_failed() {
    let Some(server) = Sftp::start() else { return };
    let lab = Lab::new(&server, Side::Source);
    let host_key = format!("      host_key: {}\n", server.host_key());
    let (key, rsa) = (server.path("user_key").display().to_string(), server.path("user_key_rsa").display().to_string());
    let with = |more: &str| format!("{host_key}{more}");
    let check = |with: &str, exit: i32, texts: &[&str]| {
        lab.write("in/a.csv", rows(0, 5));
        lab.reach(server.port, 2, with);
        lab.says(&["sync", "run", "items", "--full"], exit, texts);
        if exit == 0 {
            assert_eq!(lab.delivered().len(), 5, "{with}");
        }
    };
    check(&with(&format!("      key_file: {key}\n")), 0, &[]);
    std::fs::write(lab.folder.path().join("phrase"), PASSPHRASE).expect("the passphrase");
    let phrase = "      passphrase: \"${file:phrase}\"\n";
    check(&with(&format!("      key_file: {rsa}\n{phrase}")), 0, &[]);
    check(&with(&format!("      key_file: {}\n{phrase}", server.path("user_key_new").display())), 0, &[]);
    check(&with(&format!("      key: \"${{file:{key}}}\"\n")), 0, &[]);
    check(&with(&format!("      key_file: {rsa}\n")), 4, &["connect-ssh-key", "is encrypted", "passphrase"]);
    std::fs::write(lab.folder.path().join("wrong"), "not it").expect("a wrong one");
    check(&with(&format!("      key_file: {rsa}\n      passphrase: \"${{file:wrong}}\"\n")), 4, &["connect-ssh-key"]);
    check(
        &with(&format!("      key_file: {}\n", server.path("stranger").display())),
        4,
        &["connect-ssh-sign-in", "the key was not accepted"],
    );
    check(&with(""), 2, &["connect-ssh-sign-in", "neither a password nor a key"]);
    check(&with("      key_file: not/there\n"), 1, &["not/there"]);
    check(&with("      password: \"${file:wrong}\"\n"), 4, &["connect-ssh-sign-in", "not accepted"]);
    if server.has_password {
        std::fs::write(lab.folder.path().join("word"), PASSWORD).expect("the password");
        check(&with("      password: \"${file:word}\"\n"), 0, &[]);
        // A key that is not known does not keep the password from being tried.
        let stranger = server.path("stranger").display().to_string();
        check(&with(&format!("      key_file: {stranger}\n      password: \"${{file:word}}\"\n")), 0, &[]);
    } else {
        cannot("only root can give a server a user with a password");
    }
}

#[test]
fn a_host_key_is_always_verified() {
    let Some(server) = Sftp::start() else { return };
    let lab = Lab::new(&server, Side::Source);
    lab.write("in/a.csv", rows(0, 5));
    let key = format!("      key_file: {}\n", server.path("user_key").display());
    let check = |port: u16, more: &str, exit: i32, texts: &[&str]| {
        lab.reach(port, 1, &format!("{key}{more}"));
        lab.says(&["sync", "run", "items", "--full"], exit, texts)
    };
    let fingerprint = |name: &str| {
        let output = std::process::Command::new("ssh-keygen").arg("-lf").arg(server.path(name)).output();
        let text = String::from_utf8(output.expect("ssh-keygen").stdout).expect("text");
        text.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    };
    let (right, wrong) = (fingerprint("host_key.pub"), fingerprint("stranger.pub"));
    let line = format!("[127.0.0.1]:{} {}", server.port, server.host_key());
    let known = lab.folder.path().join("known");
    let by_file = "      known_hosts: known\n";
    // Unknown: no file, an empty one, one with other servers.
    for text in [None, Some(String::new()), Some(format!("other.example {}\n", server.host_key()))] {
        if let Some(text) = text {
            std::fs::write(&known, text).expect("known");
        }
        let said = check(server.port, by_file, 4, &["connect-host-key-unknown", &right, "known"]);
        assert!(
            said.replace('\n', " ").contains(&line) || said.contains(&server.host_key()),
            "the line to add:\n{said}"
        );
    }
    std::fs::write(&known, format!("{line}\n")).expect("known");
    check(server.port, by_file, 0, &[]);
    // As OpenSSH keeps it when names are hashed.
    let hashed = std::process::Command::new("ssh-keygen").arg("-Hf").arg(&known).output().expect("ssh-keygen");
    assert!(hashed.status.success() && !std::fs::read_to_string(&known).expect("known").contains("127.0.0.1"));
    check(server.port, by_file, 0, &[]);
    // The server has two keys, and the one that is known is asked for.
    std::fs::write(&known, format!("[127.0.0.1]:{} {}\n", server.port, server.rsa_host_key())).expect("known");
    check(server.port, by_file, 0, &[]);
    check(server.port, &format!("      host_key: {right}\n"), 0, &[]);
    check(server.port, &format!("      host_key: {}\n", server.rsa_host_key()), 0, &[]);
    // Changed: loudly, and nothing is sent.
    let stranger = std::fs::read_to_string(server.path("stranger.pub")).expect("a key");
    let stranger = stranger.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    std::fs::write(&known, format!("[127.0.0.1]:{} {stranger}\n", server.port)).expect("known");
    for more in [by_file, &format!("      host_key: {wrong}\n"), &format!("      host_key: {stranger}\n")] {
        check(server.port, more, 6, &["connect-host-key-changed", "CHANGED", &right, &wrong]);
    }
    std::fs::write(&known, format!("{line}\n@revoked * {}\n", server.host_key())).expect("known");
    check(server.port, by_file, 6, &["REVOKED"]);
    check(server.port, "      host_key: nonsense\n", 2, &["host_key"]);
}

#[test]
fn a_ledger_knows_new_grown_replaced_and_unfinished_files() {
    let Some(server) = Sftp::start() else { return };
    let mut lab = Lab::new(&server, Side::Source);
    lab.source =
        "{ path: \"**/*.csv*\", settle_time: 3600 }".replace("{ ", "").replace(" }", "").replace(", ", "\n        ");
    lab.usual(server.port, 1);
    let age = |name: &str, seconds: u64| {
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
        let file = std::fs::File::options().append(true).open(lab.path(name)).expect("the file");
        file.set_modified(then).expect("a time");
    };
    let mut expected = Vec::new();
    lab.write("in/a.csv", rows(0, 10));
    lab.write("in/young.csv", rows(900, 1));
    lab.write("in/b.csv.part", rows(950, 1));
    age("in/a.csv", 9000);
    age("in/b.csv.part", 9000);
    let said = lab.sync();
    assert!(said.contains("young.csv") && said.contains("b.csv.part"), "{said}");
    expected.extend((0..10).map(sku));
    assert_eq!(lab.delivered(), expected);
    // Nothing new: nothing is read, nothing is opened.
    lab.sync();
    assert_eq!(lab.delivered(), expected);
    // Finished, aged, new in a folder below, compressed.
    std::fs::rename(lab.path("in/b.csv.part"), lab.path("in/b.csv")).expect("renamed");
    age("in/young.csv", 8000);
    std::fs::create_dir(lab.path("in/sub")).expect("a folder");
    lab.write("in/sub/c.csv.gz", gzip(rows(20, 5).as_bytes()));
    age("in/sub/c.csv.gz", 8000);
    lab.sync();
    expected.push(sku(950));
    expected.extend((20..25).map(sku));
    expected.push(sku(900));
    assert_eq!(lab.delivered(), expected);
    // Grown: only what is new.
    lab.write("in/a.csv", [rows(0, 10), rows(10, 3)["sku,note\n".len()..].to_owned()].concat());
    age("in/a.csv", 7000);
    lab.sync();
    expected.extend((10..13).map(sku));
    assert_eq!(lab.delivered(), expected);
    // Replaced by another, also by one of the same size.
    lab.write("in/b.csv", rows(960, 2));
    age("in/b.csv", 6000);
    lab.sync();
    expected.extend((960..962).map(sku));
    assert_eq!(lab.delivered(), expected);
    lab.write("in/b.csv", rows(970, 2));
    age("in/b.csv", 5000);
    lab.sync();
    expected.extend((970..972).map(sku));
    assert_eq!(lab.delivered(), expected);
    // Shorter than what was read of it: an error, and nothing is lost.
    lab.write("in/a.csv", rows(0, 2));
    age("in/a.csv", 4000);
    lab.says(&["sync", "run", "items"], 1, &["connect-file-truncated", "a.csv"]);
    lab.write("in/a.csv", [rows(0, 10), rows(10, 4)["sku,note\n".len()..].to_owned()].concat());
    age("in/a.csv", 3900);
    lab.sync();
    expected.push(sku(13));
    assert_eq!(lab.delivered(), expected);
}

#[test]
fn a_source_cut_at_every_phase_is_finished_by_the_next_run_or_over_another_connection() {
    let Some(server) = Sftp::start() else { return };
    let cutter = Cutter::to(server.port);
    let lab = Lab::new(&server, Side::Source);
    let expected = lab.three_files();
    lab.usual(cutter.port, 1);
    cutter.next(&[]);
    lab.sync();
    assert_eq!(lab.delivered(), expected);
    let (down, _) = cutter.passed();
    assert!(down > 1_000_000, "{down}");
    // From the greeting over the handshake, signing in, the listing and the opening to the last byte.
    let moments = [0, 1, 22, 400, 1200, 1700, 2000, 2300, 2600, 2900, 3200, 3600, 4200, 5000, 9000];
    let shares = [2, 10, 30, 40, 60, 90, 99].map(|share| down / 100 * share);
    for bytes in moments.into_iter().chain(shares).chain([down - 2000, down - 300]) {
        let lab = Lab::new(&server, Side::Source);
        lab.three_files();
        lab.usual(cutter.port, 1);
        cutter.next(&[Cut::down(bytes)]);
        let output = lab.run(&["sync", "run", "items"]);
        let said = String::from_utf8_lossy(&output.stderr);
        // A connection whose end is noticed between two requests is made again without counting as a try.
        let may_go_on = bytes > 4000 && output.status.success();
        assert!(output.status.code() == Some(3) || may_go_on, "{bytes}: {:?}\n{said}", output.status);
        if may_go_on {
            assert_eq!(lab.delivered(), expected, "cut after {bytes}");
        }
        lab.sync();
        assert_eq!(lab.delivered(), expected, "cut after {bytes}");
        // With tries left, the run itself goes on.
        let lab = Lab::new(&server, Side::Source);
        lab.three_files();
        lab.usual(cutter.port, 3);
        cutter.next(&[Cut::down(bytes), Cut::down(down / 2)]);
        lab.sync();
        assert_eq!(lab.delivered(), expected, "cut twice, after {bytes}");
    }
}

#[test]
fn a_target_cut_at_every_phase_is_finished_by_the_next_run() {
    let Some(server) = Sftp::start() else { return };
    let cutter = Cutter::to(server.port);
    for name in ["items.ndjson", "items.ndjson.gz"] {
        let target = format!("path: {name}");
        let mut lab = Lab::new(&server, Side::Target);
        lab.target.clone_from(&target);
        let expected = lab.three_files();
        lab.usual(cutter.port, 1);
        cutter.next(&[]);
        lab.sync();
        assert_eq!(lab.delivered(), expected);
        let (_, up) = cutter.passed();
        let early = [0, 30, 1500, 2200, 2600, 3000, 3400, 4000];
        let shares = [5, 20, 50, 75, 95].map(|share| up / 100 * share);
        // Towards the end: the last writes, fsync, close, rename, the removal of what is left over.
        let last = [1400, 1200, 1000, 800, 700, 600, 500, 400, 300, 200, 100, 40].map(|less| up - less);
        for bytes in early.into_iter().chain(shares).chain(last) {
            let mut lab = Lab::new(&server, Side::Target);
            lab.target.clone_from(&target);
            lab.three_files();
            lab.usual(cutter.port, 1);
            cutter.next(&[Cut::up(bytes)]);
            let output = lab.run(&["sync", "run", "items"]);
            let said = String::from_utf8_lossy(&output.stderr);
            let late = bytes + 2000 > up && output.status.success();
            assert!(output.status.code() == Some(3) || late, "{name} {bytes} of {up}: {:?}\n{said}", output.status);
            if !late {
                let there = lab.delivered();
                assert!(there.is_empty() || there == expected, "half a file has the final name: {name} {bytes}");
            }
            lab.sync();
            assert_eq!(lab.delivered(), expected, "{name}: cut after {bytes} of {up}");
            let left: Vec<_> = names(&lab.path("out"));
            assert_eq!(left, [name], "{name}: cut after {bytes} of {up}");
            // And what comes later is appended to it.
            lab.write("in/d.csv", rows(70_000, 2));
            lab.sync();
            assert_eq!(lab.delivered().len(), expected.len() + 2, "{name}: cut after {bytes} of {up}");
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries.map(|e| e.expect("entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn a_server_that_is_silent_or_away_is_an_environment_matter() {
    let Some(mut server) = Sftp::start() else { return };
    let cutter = Cutter::to(server.port);
    let lab = Lab::new(&server, Side::Source);
    let expected = lab.three_files();
    let impatient = lab.with_key("user_key", "").replace("timeout: 10", "timeout: 2");
    // Unplugged while reading, and before it said a word.
    for bytes in [0, 400_000] {
        lab.reach(cutter.port, 1, &impatient);
        cutter.next(&[Cut { silent: true, ..Cut::down(bytes) }]);
        lab.says(&["sync", "run", "items"], 3, &["in"]);
    }
    lab.usual(cutter.port, 1);
    lab.sync();
    assert_eq!(lab.delivered(), expected);
    let port = server.port;
    let folder = lab.folder;
    server.end();
    let output = consign(folder.path()).args(["sync", "run", "items"]).output().expect("consign starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{port}: {said}");
    assert!(said.contains("connect-sftp-unreachable"), "{said}");
}

#[test]
fn what_the_server_refuses_is_told_with_the_right_code() {
    let Some(server) = Sftp::start() else { return };
    let mut lab = Lab::new(&server, Side::Source);
    lab.source = "path: missing.csv".into();
    lab.usual(server.port, 1);
    lab.says(&["sync", "run", "items"], 1, &["missing.csv", "No such file"]);
    lab.source = "path: nowhere/*.csv".into();
    lab.usual(server.port, 1);
    lab.says(&["sync", "run", "items"], 1, &["nowhere"]);
    lab.source = "path: \"*.csv\"".into();
    lab.usual(server.port, 1);
    lab.says(&["sync", "run", "items"], 5, &["no file matches", "sync-nothing-read"]);
    // A folder, and a file, that the user may not read.
    use std::os::unix::fs::PermissionsExt;
    let mode =
        |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
    std::fs::create_dir(lab.path("in/closed")).expect("a folder");
    server.give(&lab.path("in/closed"));
    mode(&lab.path("in/closed"), 0);
    lab.source = "path: \"**/*.csv\"".into();
    lab.usual(server.port, 1);
    lab.write("in/a.csv", rows(0, 3));
    lab.says(&["sync", "run", "items"], 4, &["closed"]);
    assert!(lab.delivered().is_empty(), "a listing that is not whole is no listing");
    mode(&lab.path("in/closed"), 0o755);
    mode(&lab.path("in/a.csv"), 0);
    server.give(&lab.path("in/a.csv"));
    lab.says(&["sync", "run", "items"], 4, &["a.csv"]);
    let lab = Lab::new(&server, Side::Target);
    lab.write("in/a.csv", rows(0, 3));
    lab.usual(server.port, 1);
    mode(&lab.path("out"), 0o555);
    lab.says(&["sync", "run", "items"], 4, &["items.ndjson"]);
    mode(&lab.path("out"), 0o755);
    lab.sync();
    assert_eq!(lab.delivered().len(), 3);
}

#[test]
fn new_keys_in_the_middle_of_a_transfer_change_nothing() {
    let Some(server) = Sftp::with("RekeyLimit 300K") else { return };
    for side in [Side::Source, Side::Target] {
        let lab = Lab::new(&server, side);
        let expected = lab.three_files();
        lab.usual(server.port, 1);
        lab.sync();
        assert_eq!(lab.delivered(), expected, "{side:?}");
    }
}

/// What every target for bytes is asked, wherever it lies.
fn target_contract(server: &Sftp, side: Side) {
    let lab = |name: &str, format: &'static str| {
        let mut lab = Lab::new(server, side);
        lab.target = format!("path: {name}");
        lab.format = format;
        lab.write("in/a.csv", rows(0, 7000));
        lab.usual(server.port, 1);
        lab
    };
    let expected = |count: u32| -> Vec<String> { (0..count).map(sku).collect() };
    for (name, format) in [
        ("items.ndjson", "ndjson"),
        ("items.ndjson.gz", "ndjson"),
        ("items.csv", "csv"),
        ("items.json", "json"),
        ("items.json.gz", "json"),
    ] {
        let context = format!("{side:?} {name}");
        // A run, one without news, one that appends, one that replaces.
        let lab = lab(name, format);
        lab.sync();
        assert_eq!(lab.delivered(), expected(7000), "{context}");
        let before = std::fs::read(lab.path(&format!("out/{name}"))).expect("the target");
        lab.sync();
        assert_eq!(
            std::fs::read(lab.path(&format!("out/{name}"))).expect("the target"),
            before,
            "{context}: unchanged"
        );
        lab.write("in/b.csv", rows(7000, 10));
        lab.sync();
        assert_eq!(lab.delivered(), expected(7010), "{context}: appended");
        if name == "items.json" {
            let bytes = std::fs::read(lab.path("out/items.json")).expect("the target");
            assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(), "{context}");
        }
        std::fs::remove_file(lab.path("in/a.csv")).expect("removed");
        lab.says(&["sync", "run", "items", "--full"], 0, &[]);
        assert_eq!(lab.delivered(), (7000..7010).map(sku).collect::<Vec<_>>(), "{context}: anew");
        assert_eq!(names(&lab.path("out")), [name], "{context}");
    }
    // Killed at each point of the first run and of one that appends.
    for point in [
        "after_intent:1",
        "mid_write:1",
        "after_write:1",
        "after_write:2",
        "inside_settle:2",
        "after_settle:1",
        "after_finish:1",
    ] {
        for name in ["items.ndjson", "items.json.gz"] {
            for appends in [false, true] {
                let lab = lab(name, if name.contains("nd") { "ndjson" } else { "json" });
                if appends {
                    lab.sync();
                    lab.write("in/b.csv", rows(7000, 7000));
                }
                let mut command = consign(lab.folder.path());
                let killed =
                    command.args(["sync", "run", "items"]).env("CONSIGN_FAILPOINT", point).output().expect("consign");
                assert_eq!(killed.status.code(), None, "{side:?} {name} {point} was not reached");
                lab.sync();
                let count = if appends { 14_000 } else { 7000 };
                assert_eq!(lab.delivered(), expected(count), "{side:?} {name} killed {point} appends {appends}");
                assert_eq!(names(&lab.path("out")), [name], "{side:?} {point}");
            }
        }
    }
    // Changed by somebody else, gone, of somebody else.
    let one = lab("items.ndjson", "ndjson");
    one.sync();
    let path = one.path("out/items.ndjson");
    let before = std::fs::read(&path).expect("the target");
    one.write("in/b.csv", rows(7000, 1));
    std::fs::write(&path, [&before[..], b"more\n"].concat()).expect("written");
    one.says(&["sync", "run", "items"], 6, &["connect-target-changed", "--full"]);
    std::fs::write(&path, &before[..before.len() - 1]).expect("written");
    one.says(&["sync", "run", "items"], 6, &["connect-target-changed"]);
    std::fs::remove_file(&path).expect("removed");
    one.says(&["sync", "run", "items"], 6, &["connect-target-changed"]);
    std::fs::write(&path, &before).expect("put back");
    server.give(&path);
    one.sync();
    assert_eq!(one.delivered(), expected(7001));
    let other = lab("items.ndjson", "ndjson");
    std::fs::write(other.path("out/items.ndjson"), &before).expect("written");
    server.give(&other.path("out/items.ndjson"));
    other.says(&["sync", "run", "items"], 6, &["connect-target-foreign", "adopt"]);
    assert_eq!(std::fs::read(other.path("out/items.ndjson")).expect("the target"), before, "left as it was");
    // What cannot be a target.
    let wrong = lab("items.ndjson", "ndjson");
    std::fs::create_dir(wrong.path("out/items.ndjson")).expect("a folder");
    wrong.says(&["sync", "run", "items"], 2, &["is a folder"]);
    let wrong = lab("not/there/items.ndjson", "ndjson");
    wrong.says(&["sync", "run", "items"], 1, &["make the folder first"]);
}

/// What every source for bytes is asked, wherever it lies.
fn source_contract(server: &Sftp, side: Side) {
    let lab = |source: &str| {
        let mut lab = Lab::new(server, side);
        lab.source = source.to_owned();
        lab.usual(server.port, 1);
        lab
    };
    let expected = |count: u32| -> Vec<String> { (0..count).map(sku).collect() };
    // Killed at each point, the next run goes on inside the file.
    for point in ["after_intent:2", "mid_write:2", "after_write:2", "after_settle:1"] {
        let lab = lab("path: \"*.csv\"");
        lab.three_files();
        let mut command = consign(lab.folder.path());
        let killed = command.args(["sync", "run", "items"]).env("CONSIGN_FAILPOINT", point).output().expect("consign");
        assert_eq!(killed.status.code(), None, "{side:?} {point} was not reached");
        lab.sync();
        assert_eq!(lab.delivered(), expected(15_001), "{side:?} {point}");
    }
    // A line that is not ended yet, continued later: its end may follow, more of it not.
    let half = lab("path: a.csv");
    half.write("in/a.csv", "sku,note\nS000000,x\nS000001,y");
    half.sync();
    half.write("in/a.csv", "sku,note\nS000000,x\nS000001,y\nS000002,z\n");
    half.sync();
    assert_eq!(half.delivered(), expected(3), "{side:?}");
    let half = lab("path: a.csv");
    half.write("in/a.csv", "sku,note\nS000000,x");
    half.sync();
    half.write("in/a.csv", "sku,note\nS000000,xyz\n");
    half.says(&["sync", "run", "items"], 1, &["connect-line-continued"]);
    // Compressed files that grow, and that are damaged.
    let packed = lab("path: \"*.csv.gz\"");
    let member = gzip(rows(0, 500).as_bytes());
    packed.write("in/a.csv.gz", &member);
    packed.sync();
    let more = gzip(&rows(500, 10).as_bytes()["sku,note\n".len()..]);
    packed.write("in/a.csv.gz", [&member[..], &more].concat());
    packed.sync();
    assert_eq!(packed.delivered(), expected(510), "{side:?}");
    packed.write("in/b.csv.gz", &member[..member.len() / 2]);
    packed.says(&["sync", "run", "items"], 1, &["connect-gzip-damaged", "b.csv.gz"]);
    // Another encoding.
    let wide = lab("path: a.csv\n        encoding: utf-16le");
    wide.write("in/a.csv", rows(0, 300).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    wide.sync();
    assert_eq!(wide.delivered(), expected(300), "{side:?}");
    // Many files are many slices, read in the order of their names.
    let many = lab("path: \"**/*.csv\"");
    std::fs::create_dir(many.path("in/deep")).expect("a folder");
    for n in 0..130 {
        let folder = if n < 100 { "" } else { "deep/" };
        many.write(&format!("in/{folder}{n:03}.csv"), rows(n, 1));
    }
    many.sync();
    assert_eq!(many.delivered(), expected(130), "{side:?}");
    many.sync();
    assert_eq!(many.delivered(), expected(130), "{side:?}");
}

#[test]
fn targets_here_and_on_a_server_keep_the_same_contract() {
    let Some(server) = Sftp::start() else { return };
    target_contract(&server, Side::Neither);
    target_contract(&server, Side::Target);
}

#[test]
fn sources_here_and_on_a_server_keep_the_same_contract() {
    let Some(server) = Sftp::start() else { return };
    source_contract(&server, Side::Neither);
    source_contract(&server, Side::Source);
}

#[test]
fn a_full_disk_on_the_server_is_told_and_the_next_run_finishes() {
    // Only root can give a server a disk of its own; without, the size of files is limited.
    let Some(server) = Sftp::with_small_disk() else { return };
    let lab = Lab::new(&server, Side::Target);
    let expected = lab.three_files();
    lab.usual(server.port, 1);
    let told = lab.says(&["sync", "run", "items"], 3, &["items.ndjson", "free"]);
    assert!(told.contains(if server.has_password { "io-full" } else { "limit on the size of files" }), "{told}");
    let out = server.inside("out");
    assert!(!out.join("items.ndjson").exists(), "half a file has the final name");
    server.enlarge();
    lab.sync();
    let text = std::fs::read_to_string(out.join("items.ndjson")).expect("the target");
    let key = regex::Regex::new(r"\bS\d{6}\b").expect("a pattern");
    assert!(key.find_iter(&text).map(|found| found.as_str()).eq(expected.iter().map(String::as_str)));
    assert_eq!(names(&out), ["items.ndjson"]);
}

/// An archive of these members.
fn zip(members: &[(&str, String)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a member");
        writer.write_all(text.as_bytes()).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

#[test]
fn members_of_archives_here_and_on_a_server_are_read_on_after_a_kill_and_named_in_errors() {
    let Some(server) = Sftp::start() else { return };
    for side in [Side::Neither, Side::Source] {
        for point in ["after_intent:1", "after_write:1", "inside_settle:3", "after_write:3", "before_finish:1"] {
            let mut lab = Lab::new(&server, side);
            lab.source = "path: \"*.zip\"\n        member: \"**/*.csv\"".into();
            lab.usual(server.port, 1);
            lab.write(
                "in/x.zip",
                zip(&[("a.csv", rows(0, 9000)), ("deep/b.csv", rows(9000, 9000)), ("read.me", "no".into())]),
            );
            lab.write("in/y.zip", zip(&[("c.csv", rows(18_000, 10))]));
            let mut killed = consign(lab.folder.path());
            killed.args(["sync", "run", "items"]).env("CONSIGN_FAILPOINT", point);
            assert!(!killed.output().expect("consign starts").status.success(), "{side:?} {point} was not reached");
            lab.sync();
            assert!(lab.delivered() == (0..18_010).map(sku).collect::<Vec<_>>(), "{side:?}, killed at {point}");
            lab.sync();
            assert_eq!(lab.delivered().len(), 18_010, "{side:?}, killed at {point}");
            // A newer archive: what changed in it is read, and a bad record is named with its member.
            let changed = rows(20_000, 3) + "S020003,a note,and one too many\n";
            lab.write("in/y.zip", zip(&[("c.csv", rows(18_000, 10)), ("deep/d.csv", changed)]));
            lab.says(&["sync", "run", "items"], 5, &["y.zip/deep/d.csv:5"]);
            assert_eq!(lab.delivered()[18_010..], (20_000..20_003).map(sku).collect::<Vec<_>>(), "{side:?}");
        }
    }
}
