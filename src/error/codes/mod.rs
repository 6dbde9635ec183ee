//! Every code that an error or a finding can carry, with the text of `--explain CODE`.
//!
//! A code is stable: scripts and suppressions name it. One file per area holds its codes and
//! their written-out list; the reference page of error codes is made from [`all`].

pub mod audit;
pub mod cli;
pub mod comply;
pub mod config;
pub mod connect;
pub mod expr;
pub mod formats;
pub mod map;
pub mod report;
pub mod store;
pub mod sync;

/// A stable code: `area-what`, a title, and a longer explanation with the fix.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `area-what-went-wrong`, lower case with hyphens.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// A few sentences: why this is checked, how it comes about, what to do.
    pub explain: &'static str,
}

impl Code {
    /// A code; use it in a `pub static` beside its siblings and add it to the list.
    pub const fn new(id: &'static str, title: &'static str, explain: &'static str) -> Self {
        Self { id, title, explain }
    }
}

/// A bug of ours.
pub static BUG: Code = Code::new(
    "bug",
    "a bug in consign",
    "An invariant of the program did not hold. Nothing that was settled is lost; the next run resumes. Please report the text of the error.",
);
/// The operating system refused access.
pub static IO_DENIED: Code = Code::new(
    "io-denied",
    "access was refused",
    "The operating system refused access to a file or folder. Check its owner and mode, and whether the file system is mounted read-only.",
);
/// The disk is full.
pub static IO_FULL: Code = Code::new(
    "io-full",
    "no space left",
    "The disk or the quota is full. Everything that was settled is kept; free some space and run again, the run resumes where it stopped.",
);
/// A file is not there.
pub static IO_NOT_FOUND: Code = Code::new(
    "io-not-found",
    "file or folder not found",
    "A file or folder that was named does not exist. Relative paths count from the folder of connectors.yaml.",
);
/// Any other input/output error.
pub static IO_FAILED: Code =
    Code::new("io-failed", "input/output error", "The operating system reported an error while reading or writing.");

const COMMON: &[&Code] = &[&BUG, &IO_DENIED, &IO_FULL, &IO_NOT_FOUND, &IO_FAILED];

/// The codes that a check of configuration and mappings can find before anything moves.
pub fn checked_offline() -> impl Iterator<Item = &'static Code> {
    [config::ALL, expr::ALL, map::ALL, comply::CHECKED].into_iter().flatten().copied()
}

/// Every code, area by area.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [
        COMMON,
        config::ALL,
        expr::ALL,
        map::ALL,
        comply::CHECKED,
        comply::AT_RUN_TIME,
        connect::ALL,
        formats::ALL,
        store::ALL,
        audit::ALL,
        sync::ALL,
        report::ALL,
        cli::ALL,
    ]
    .into_iter()
    .flat_map(|list| list.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for code in super::all() {
            assert!(seen.insert(code.id), "`{}` is listed twice", code.id);
            assert!(code.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", code.id);
            assert!(!code.title.is_empty() && !code.explain.is_empty(), "{}", code.id);
        }
    }

    #[test]
    fn every_code_is_in_its_list() {
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/error/codes")).expect("codes") {
            let path = entry.expect("entry").path();
            let text = std::fs::read_to_string(&path).expect("text");
            for line in text.lines().filter(|l| l.starts_with("pub static ")) {
                let name = line["pub static ".len()..].split(':').next().unwrap_or_default();
                assert!(
                    text.contains(&format!("&{name},")) || text.contains(&format!("&{name}]")),
                    "{}: add &{name} to ALL",
                    path.display()
                );
            }
        }
    }
}
