//! Facts about the repository that would otherwise rot: direction of use, one place that prints,
//! one place that opens the state, codes that exist are used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::{files, repository};

/// What each folder of `src` may use. `error` is free to all; a folder may use itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("record", &[]),
    ("expr", &["record"]),
    ("config", &["record", "expr"]),
    ("audit", &["record", "expr", "config"]),
    ("store", &["record", "expr", "config", "audit"]),
    ("connect", &["record", "expr", "config", "audit", "store"]),
    ("map", &["record", "expr", "config"]),
    ("comply", &["record", "expr", "config", "audit", "map"]),
    ("sync", &["record", "expr", "config", "audit", "store", "connect", "map", "comply"]),
    ("report", &["record", "expr", "config", "audit", "store", "connect", "map", "comply", "sync"]),
    ("cli", &["record", "expr", "config", "audit", "store", "connect", "map", "comply", "sync", "report"]),
];

/// Every source file: path below `src`, text up to its tests.
fn sources() -> Vec<(String, String)> {
    let root = repository().join("src");
    files(&root)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
        .filter(|file| !file.ends_with("tests.rs") && !file.parent().is_some_and(|folder| folder.ends_with("tests")))
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("text");
            (file.strip_prefix(&root).expect("below src").display().to_string(), text)
        })
        .collect()
}

/// The text without its tests.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests").map_or(text, |end| &text[..end])
}

/// The folder of `src` a file belongs to.
fn area(path: &str) -> &str {
    path.split(['/', '\\']).next().unwrap_or(path).trim_end_matches(".rs")
}

#[test]
fn uses_point_in_the_allowed_direction() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let pattern = regex::Regex::new(r"\bcrate::(?:\{([^}]*)\}|(\w+))").expect("pattern");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let here = area(&path);
        if matches!(here, "lib" | "main" | "soak") {
            continue;
        }
        let Some(may) = allowed.get(here) else { panic!("src/{here} is not in the list of folders") };
        for line in without_tests(&text).lines().filter(|l| !l.trim_start().starts_with("//")) {
            for found in pattern.captures_iter(line) {
                let names = found.get(1).or(found.get(2)).map_or("", |m| m.as_str());
                for name in names.split(',').filter_map(|n| n.trim().split("::").next()).filter(|n| !n.is_empty()) {
                    let known = allowed.contains_key(name);
                    if known && name != here && name != "error" && !may.contains(&name) {
                        wrong.push(format!("src/{path}: {here} must not use {name}: {}", line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_says_why_it_exists() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| format!("src/{path}"))
        .chain(files(&repository().join("tests/it")).into_iter().filter_map(|file| {
            let opening = match file.extension().and_then(|ending| ending.to_str()) {
                Some("py") => "\"\"\"",
                Some("txt") => "# ",
                _ => "//!",
            };
            let silent = !std::fs::read_to_string(&file).is_ok_and(|text| text.starts_with(opening));
            silent.then(|| file.display().to_string())
        }))
        .collect();
    assert!(silent.is_empty(), "these files do not open with what they are for: {silent:?}");
}

/// Asserts that a pattern stands only in files that begin with one of `homes`.
fn only_in(pattern: &str, homes: &[&str], why: &str) {
    let pattern = regex::Regex::new(pattern).expect("pattern");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if homes.iter().any(|home| path.starts_with(home)) {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            if pattern.is_match(line) && !line.trim_start().starts_with("//") {
                wrong.push(format!("src/{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{why}\n{}", wrong.join("\n"));
}

#[test]
fn only_the_ui_prints() {
    only_in(
        r"\b(e?print(ln)?|dbg)!",
        &["expr/conformance.rs"],
        "cli::ui alone prints, through its own writers (and one test its tally)",
    );
    only_in(
        r"\b(stdout|stderr)\(\)",
        &["cli/ui.rs", "cli/mod.rs", "connect/protocols/file"],
        "only cli::ui knows standard output (the file protocol may carry data there)",
    );
}

#[test]
fn only_cli_knows_clap_and_indicatif() {
    only_in(r"\b(clap|clap_complete|indicatif)::", &["cli/"], "the command line is known to cli alone");
}

#[test]
fn only_store_opens_the_state_file() {
    only_in(
        r"\brusqlite::|\bConnection::open",
        &["store/", "connect/protocols/sqlite"],
        "consign's own SQL stands in store, the user's in connect/protocols",
    );
    only_in(r"consign\.db", &["store/", "error/codes/"], "only store knows the name of the state file");
}

#[test]
fn only_config_reads_the_environment() {
    only_in(
        r"env::(var|vars)\(",
        &["config/environment.rs", "expr/conformance.rs"],
        "config::environment alone reads variables",
    );
}

#[test]
fn every_code_is_used() {
    let sources = sources();
    let name = regex::Regex::new(r"(?m)^pub static (\w+): Code").expect("pattern");
    let mut unused = BTreeSet::new();
    for (path, text) in sources.iter().filter(|(path, _)| path.starts_with("error/codes/")) {
        for found in name.captures_iter(text) {
            let used = regex::Regex::new(&format!(r"\b{}\b", &found[1])).expect("pattern");
            let home = Path::new(path);
            if !sources.iter().any(|(other, text)| Path::new(other) != home && used.is_match(text)) {
                unused.insert(format!("{path}: {}", &found[1]));
            }
        }
    }
    assert!(unused.is_empty(), "codes that nothing uses: {unused:#?}");
}
