//! What the tests share: the repository, a scratch folder, the program and what it printed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether expected texts are to be written anew.
pub fn updating() -> bool {
    std::env::var_os("CONSIGN_UPDATE").is_some()
}

/// The program, in a folder, with an environment that holds nothing of the user's.
pub fn consign(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("TZ", "UTC").env("COLUMNS", "100");
    // Who runs the tests, and from where, is no part of what is compared.
    command.env("USER", "ada").env("CONSIGN_ORIGIN", "script");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs the program with these variables to its end, or to a point at which it is killed.
pub fn run_to(folder: &Path, words: &[&str], point: Option<&str>, variables: &[(&str, String)]) -> Output {
    let mut command = consign(folder);
    command.args(words).envs(variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    if let Some(point) = point {
        command.env("CONSIGN_FAILPOINT", point);
    }
    command.output().expect("consign starts")
}

/// How many rounds a random test does: the usual number, or `CONSIGN_SOAK` if that is more.
pub fn rounds(usual: u32) -> u32 {
    let asked = std::env::var_os("CONSIGN_SOAK").and_then(|n| n.into_string().ok()?.parse().ok());
    usual.max(asked.unwrap_or(0))
}

/// Says that a test cannot be made here. In CI that is a failure: nothing is skipped unseen.
pub fn cannot(why: &str) {
    use std::io::Write as _;
    assert!(std::env::var_os("CI").is_none(), "{why}");
    writeln!(std::io::stderr(), "skipped: {why}").expect("standard error");
}

/// Waits until a process has stopped itself, see `CONSIGN_FAILPOINT=…:stop`.
pub fn await_stop(child: &mut std::process::Child) {
    let state = format!("/proc/{}/stat", child.id());
    for _ in 0..12_000 {
        let text = std::fs::read_to_string(&state).unwrap_or_default();
        if text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T')) {
            return;
        }
        assert!(child.try_wait().expect("a status").is_none(), "the process ended before it came to the point");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("the process did not stop");
}

/// Sends a signal by its name: `TERM`, `CONT`.
pub fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A copy of the demo project in a folder of its own.
pub fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["connectors.yaml.example", "mappings"] {
        copy(&repository().join(name), &folder.path().join(name));
    }
    for name in ["northwind", "samples", "fhir-r4", "camt053"].map(|name| format!("tests/fixtures/{name}")) {
        copy(&repository().join(&name), &folder.path().join(&name));
    }
    // What somebody who tried the example wrote there is not part of it.
    let outbox = folder.path().join("tests/fixtures/samples/outbox");
    std::fs::remove_dir_all(&outbox).expect("removed");
    std::fs::create_dir(&outbox).expect("folder");
    folder
}

/// The part of the demo project that is about Northwind, by path in the repository.
pub const NORTHWIND: &[&str] = &[
    "connectors.yaml.example",
    "mappings/customers.yaml",
    "mappings/order-lines.yaml",
    "mappings/products.yaml",
    "mappings/suppliers.yaml",
    "tests/fixtures/northwind",
];

/// Copies a file or a whole folder.
pub fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("folder");
        for entry in std::fs::read_dir(from).expect("readable").map(|e| e.expect("entry")) {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).expect("folder");
        }
        std::fs::copy(from, to).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    }
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries.map(|e| e.expect("entry").path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// Splits a command line into words as a shell does: quotes, no expansions.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('"') | None, '\\') => word.extend(characters.next()),
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                open = true;
            }
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (None, c) => word.push(c),
        }
    }
    assert!(quote.is_none(), "an open quote in: {line}");
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Replaces what differs from run to run: the folder, times, ids, durations, rates.
pub fn redact(text: &str, folder: &Path) -> String {
    let mut text = text.replace(&folder.display().to_string(), "[dir]");
    if let Ok(real) = folder.canonicalize() {
        text = text.replace(&real.display().to_string(), "[dir]");
    }
    let hash = regex::Regex::new(r"\b[0-9a-f]{16,}\b").expect("pattern");
    text = hash
        .replace_all(&text, |found: &regex::Captures<'_>| {
            // A long number is none.
            if found[0].bytes().all(|b| b.is_ascii_digit()) { found[0].to_string() } else { "[hash]".to_string() }
        })
        .into_owned();
    if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        text = text
            .replace(&format!(" {}", host.trim()), " [host]")
            .replace(&format!("\"{}\"", host.trim()), "\"[host]\"");
    }
    for (pattern, by) in [
        (r"(consign \d+\.\d+\.\d+) [0-9a-f]{12}\b", "$1 [build]"),
        (r#"("pid": ?)\d+"#, "${1}0"),
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}| UTC)?", "[time]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[id]"),
        (r"\b(r|e|d|run|evt|dl)_?-?[0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{10,}\b", "[id]"),
        // A key that verifies checkpoints, a signature, a root: before anything that could stand inside one.
        (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "+[key]"),
        (r"(— \S+) [A-Za-z0-9+/=]{90,}", "$1 [signature]"),
        (r"\b[A-Za-z0-9+/]{43}=", "[root]"),
        (r"\b[0-9][0-9A-HJKMNP-TV-Z]{25}\b", "[id]"),
        (r"\b\d+(\.\d+)? ?(µs|ms|s|min)\b", "[duration]"),
        (r"\b[\d,]+(\.\d+)?k? records/s", "[rate]"),
        (r"\b[\d,.]+ [KMG]?i?B/s", "[rate]"),
        (r"\bpid \d+", "pid [pid]"),
        // A file as the state knows it: device, inode, hash of its beginning.
        (r"\bfile:[0-9a-f]+:[0-9a-f]+:", "file:[inode]:"),
        // Cells of tables: how long a run took, how old a success is.
        (r#"("(duration_s|age_s)": )[\d.]+"#, "${1}0"),
        (r#"(duration_seconds|records_per_second)("?[:,] ?)[\d.]+"#, "${1}${2}0"),
        (r"(\[time\]) +\d+(\.\d+)?\b", "$1  [duration]"),
        (r"(\[time\],)\d+(\.\d+)?,", "${1}[duration],"),
        (r"(?m),\d+(\.\d+)?,(\r?)$", ",[duration],$2"),
    ] {
        text = regex::Regex::new(pattern).expect("pattern").replace_all(&text, by).into_owned();
    }
    text.replace(env!("CARGO_PKG_VERSION"), "[version]")
}
