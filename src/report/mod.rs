//! Reports: what was recorded, told to people. One file each.
//!
//! A report reads the store and nothing else: the configuration kept with the run, not today's
//! files. What it says of "now" is said of a moment that is one of its arguments. Made twice from the
//! same log and arguments, it is the same, byte for byte.
//!
//! To write one: a file here with a `KIND`, a `gather` that reads the store and builds a
//! [`document::Report`] with its [`provenance::Provenance`], a line in [`ALL`], a verb in
//! `cli::report` that calls it. [`shape::render`] does the rest; [`run`] is the shortest example.

mod advice;
mod classes;
pub mod compliance;
pub mod dashboard;
pub mod document;
pub mod evidence;
pub mod health;
pub mod inventory;
pub mod lineage;
pub mod metrics;
mod numbers;
pub mod performance;
pub mod provenance;
pub mod ropa;
pub mod routes;
pub mod run;
pub mod shape;
pub mod subject;

use document::Kind;

/// Every report, in the order of the command line's help.
pub const ALL: &[&Kind] = &[
    &run::KIND,
    &performance::KIND,
    &health::KIND,
    &lineage::KIND,
    &inventory::KIND,
    &dashboard::KIND,
    &compliance::KIND,
    &evidence::KIND,
    &ropa::KIND,
    &subject::KIND,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report");
        let mut wanted: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let file = if path.is_dir() { path.join("mod.rs") } else { path.clone() };
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let has_kind = text.contains("\npub static KIND: Kind");
                has_kind.then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
            })
            .collect();
        wanted.sort();
        let mut listed: Vec<String> = ALL.iter().map(|kind| kind.name.to_string()).collect();
        listed.sort();
        assert_eq!(listed, wanted, "add the missing `&NAME::KIND` to `ALL` in src/report/mod.rs");
    }

    #[test]
    fn every_kind_says_what_it_tells() {
        for kind in ALL {
            assert!(kind.version > 0 && !kind.about.is_empty() && !kind.about.ends_with('.'), "{}", kind.name);
        }
    }
}
