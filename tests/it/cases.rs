//! Command tests as folders: `tests/cases/<topic>/<name>/` with `cmd`, the files it needs, and
//! what is expected in `stdout`, `stderr` and `exit` (absent: nothing printed, exit 0).
//!
//! `cmd` holds one command a line:
//! ```text
//! # a comment
//! @demo                          copies the part of the demo project that is about Northwind
//! @copy FROM [TO]                copies a file or folder of the repository
//! @append FILE TEXT              adds a line to a file
//! @write FILE TEXT               writes a file
//! @replace FILE TEXT BY          replaces the first occurrence of a text
//! @sqlwrite DATABASE STATEMENTS  changes an SQLite file behind the program's back
//! @remove PATH                   removes a file or folder
//! @cat FILE                      prints a file
//! @sql DATABASE QUERY            prints the rows of an SQLite file
//! [NAME=VALUE …] consign … [< FILE]
//! ```
//! With more than one printing line each is headed by `$ line`. `exit` holds the exit code of the
//! last `consign` line, or one for each, separated by white space. `CONSIGN_UPDATE=1` writes the
//! expected files, `CONSIGN_CASE=text` runs only the folders whose path holds that text.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use crate::support::{NORTHWIND, consign, copy, files, redact, repository, text, updating, words};

const EXPECTED: &[&str] = &["cmd", "stdout", "stderr", "exit"];

#[test]
fn every_case_prints_what_its_folder_says() {
    let root = repository().join("tests/cases");
    let filter = std::env::var_os("CONSIGN_CASE").unwrap_or_default().into_string().unwrap_or_default();
    let mut folders: Vec<_> = files(&root)
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "cmd"))
        .filter_map(|file| file.parent().map(Path::to_path_buf))
        .filter(|folder| folder.to_string_lossy().contains(&filter))
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no case matches");
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let name = folder.strip_prefix(&root).unwrap_or(folder).display().to_string();
                    if let Err(difference) = check(folder) {
                        failures.lock().unwrap().push(format!("=== tests/cases/{name}\n{difference}"));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(failures.is_empty(), "{} of {} cases differ\n{}", failures.len(), folders.len(), failures.join("\n"));
}

#[test]
fn no_folder_is_forgotten() {
    let root = repository().join("tests/cases");
    for file in files(&root) {
        let below = file.strip_prefix(&root).unwrap();
        let case: std::path::PathBuf = below.components().take(2).collect();
        assert!(root.join(&case).join("cmd").is_file(), "tests/cases/{} has no `cmd`", case.display());
    }
}

/// What a case printed and how it ended.
#[derive(Default)]
struct Printed {
    stdout: String,
    stderr: String,
    exits: Vec<i32>,
}

fn check(case: &Path) -> Result<(), String> {
    let printed = play(case).map_err(|e| format!("cannot be run: {e}"))?;
    let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap_or_default();
    let wanted: Vec<i32> = read("exit").split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let mut differences = String::new();
    let exits_fit = match wanted.len() {
        0 => printed.exits.iter().all(|e| *e == 0),
        1 => printed.exits.split_last().is_some_and(|(l, first)| *l == wanted[0] && first.iter().all(|e| *e == 0)),
        _ => printed.exits == wanted,
    };
    if updating() {
        let keep = |name: &str, text: &str| {
            let path = case.join(name);
            if text.is_empty() { std::fs::remove_file(path).unwrap_or(()) } else { std::fs::write(path, text).unwrap() }
        };
        keep("stdout", &printed.stdout);
        keep("stderr", &printed.stderr);
        let exits: Vec<String> = printed.exits.iter().map(ToString::to_string).collect();
        keep("exit", &if printed.exits.iter().all(|e| *e == 0) { String::new() } else { exits.join(" ") + "\n" });
        return Ok(());
    }
    if !exits_fit {
        let _ = writeln!(differences, "exit codes {:?}, expected {wanted:?}", printed.exits);
    }
    for (name, got) in [("stdout", &printed.stdout), ("stderr", &printed.stderr)] {
        differences.push_str(&difference(name, &read(name), got));
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

fn play(case: &Path) -> Result<Printed, String> {
    let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
    let here = scratch.path();
    for entry in std::fs::read_dir(case).map_err(|e| e.to_string())?.map(|e| e.expect("entry")) {
        if !EXPECTED.contains(&entry.file_name().to_string_lossy().as_ref()) {
            copy(&entry.path(), &here.join(entry.file_name()));
        }
    }
    let script = std::fs::read_to_string(case.join("cmd")).map_err(|e| e.to_string())?;
    let lines: Vec<&str> = script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let prints = |line: &&&str| !line.starts_with('@') || line.starts_with("@cat") || line.starts_with("@sql");
    let headed = lines.iter().filter(prints).count() > 1;
    let mut printed = Printed::default();
    for line in &lines {
        if headed && prints(&line) {
            let _ = writeln!(printed.stdout, "$ {}", line.trim_start_matches('@'));
        }
        let words = words(line);
        let argument = |n: usize| words.get(n).map(String::as_str).ok_or_else(|| format!("too few words: {line}"));
        match words[0].as_str() {
            "@demo" => {
                for name in NORTHWIND {
                    copy(&repository().join(name), &here.join(name));
                }
                std::fs::rename(here.join("connectors.yaml.example"), here.join("connectors.yaml")).unwrap();
            }
            "@copy" => {
                let from = argument(1)?;
                copy(&repository().join(from), &here.join(argument(2).unwrap_or(from)));
            }
            "@write" => std::fs::write(here.join(argument(1)?), format!("{}\n", lines_of(argument(2)?)))
                .map_err(|e| e.to_string())?,
            "@append" => {
                let path = here.join(argument(1)?);
                let before = std::fs::read_to_string(&path).unwrap_or_default();
                std::fs::write(path, format!("{before}{}\n", lines_of(argument(2)?))).map_err(|e| e.to_string())?;
            }
            "@replace" => {
                let path = here.join(argument(1)?);
                let before = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
                let (wanted, by) = (lines_of(argument(2)?), lines_of(argument(3)?));
                if !before.contains(&wanted) {
                    return Err(format!("nothing to replace: {line}"));
                }
                std::fs::write(path, before.replacen(&wanted, &by, 1)).map_err(|e| e.to_string())?;
            }
            "@sqlwrite" => {
                let database = rusqlite::Connection::open(here.join(argument(1)?)).map_err(|e| e.to_string())?;
                database.execute_batch(argument(2)?).map_err(|e| format!("{line}: {e}"))?;
            }
            "@remove" => {
                let path = here.join(argument(1)?);
                if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
                    .map_err(|e| e.to_string())?;
            }
            "@cat" => {
                let bytes = std::fs::read(here.join(argument(1)?)).map_err(|e| format!("{line}: {e}"))?;
                printed.stdout.push_str(&redact(&text(&bytes), here));
            }
            "@sql" => printed.stdout.push_str(&redact(&rows(&here.join(argument(1)?), argument(2)?)?, here)),
            _ => start(&words, here, &mut printed)?,
        }
    }
    Ok(printed)
}

/// `\\n` in the text of a line stands for a line end.
fn lines_of(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn start(words: &[String], here: &Path, printed: &mut Printed) -> Result<(), String> {
    let mut command = consign(here);
    let mut words = words;
    while let Some((name, value)) = words.first().and_then(|w| w.split_once('=')) {
        command.env(name, value);
        words = &words[1..];
    }
    let Some(("consign", mut arguments)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
        return Err(format!("a line starts with `consign` or `@…`, not {words:?}"));
    };
    command.stdin(Stdio::null());
    if let [before @ .., redirect, file] = arguments
        && redirect == "<"
    {
        command.stdin(File::open(here.join(file)).map_err(|e| format!("{file}: {e}"))?);
        arguments = before;
    }
    let output = command.args(arguments).output().map_err(|e| e.to_string())?;
    printed.stdout.push_str(&redact(&text(&output.stdout), here));
    printed.stderr.push_str(&redact(&text(&output.stderr), here));
    printed.exits.push(output.status.code().unwrap_or(-1));
    Ok(())
}

/// The rows of a query, fields separated by `|`.
fn rows(database: &Path, query: &str) -> Result<String, String> {
    use rusqlite::types::ValueRef;
    let open = rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = open.map_err(|e| e.to_string())?;
    let mut statement = connection.prepare(query).map_err(|e| e.to_string())?;
    let columns = statement.column_count();
    let mut found = statement.query([]).map_err(|e| e.to_string())?;
    let mut out = String::new();
    while let Some(row) = found.next().map_err(|e| e.to_string())? {
        let cells: Vec<String> = (0..columns)
            .map(|i| match row.get_ref_unwrap(i) {
                ValueRef::Null => "NULL".into(),
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Real(n) => n.to_string(),
                ValueRef::Text(t) => text(t),
                ValueRef::Blob(b) => format!("{} bytes", b.len()),
            })
            .collect();
        let _ = writeln!(out, "{}", cells.join("|"));
    }
    Ok(out)
}

/// The lines around the first difference.
fn difference(name: &str, wanted: &str, got: &str) -> String {
    if wanted == got {
        return String::new();
    }
    let mut out = format!("{name} differs (CONSIGN_UPDATE=1 accepts it):\n");
    let (wanted, got): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), got.lines().collect());
    let same = wanted.iter().zip(&got).take_while(|(a, b)| a == b).count();
    for line in wanted.iter().skip(same).take(12) {
        let _ = writeln!(out, "  - {line}");
    }
    for line in got.iter().skip(same).take(12) {
        let _ = writeln!(out, "  + {line}");
    }
    out
}
