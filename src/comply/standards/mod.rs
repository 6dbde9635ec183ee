//! Standards as data: which control asks what of which primitive. One YAML file each; a new one is
//! a file and its line in [`FILES`], or a file of the user's own (`standards_dir`).
//!
//! Ids of controls are cited, their texts are licensed: titles are our own words. Every file says
//! where its ids come from and when somebody last looked; every control whether its id was read in
//! a public source or is from memory.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::assess::{Gravity, Parameters};
use crate::config::yaml;
use crate::record::ClassId;

/// The built-in files.
const FILES: &[(&str, &str)] = &[
    ("pci_dss", include_str!("pci_dss.yaml")),
    ("hipaa", include_str!("hipaa.yaml")),
    ("gdpr", include_str!("gdpr.yaml")),
    ("ccpa", include_str!("ccpa.yaml")),
    ("sox", include_str!("sox.yaml")),
    ("soc2", include_str!("soc2.yaml")),
    ("iso27001", include_str!("iso27001.yaml")),
];

/// A standard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// The word in `standards:`.
    #[serde(rename = "standard")]
    pub name: String,
    /// Other words for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its name for people.
    pub title: String,
    /// What stands before the id of a control (`PCI DSS `).
    pub label: String,
    /// Which edition.
    pub version: String,
    /// Where the ids of its controls come from.
    pub source: Source,
    /// Regimes of the data classes that fall under it; none: every class.
    #[serde(default)]
    pub regimes: Vec<String>,
    /// How long records of what was done have to be kept at least.
    #[serde(default)]
    pub keeps: Option<Keeps>,
    /// The control that data in clear breaks, for each regime; the most specific first.
    #[serde(default)]
    pub clear: Vec<Clear>,
    /// Its controls.
    pub controls: Vec<Control>,
    /// What of it nobody can tell from configuration and records, and why.
    #[serde(default)]
    pub out_of_reach: Vec<OutOfReach>,
}

/// Where ids come from.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who publishes it.
    pub name: String,
    /// Where.
    pub url: String,
    /// When it was published or came into force.
    pub date: String,
    /// When somebody last held this file against it.
    pub reviewed: String,
}

/// How long records are kept at least.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeps {
    /// Days.
    pub days: u32,
    /// The control that says so.
    pub control: String,
}

/// The control that data in clear breaks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clear {
    /// The regime, and those below it.
    pub regime: String,
    /// The control's id.
    pub control: String,
    /// Whether it is cited only where the standard is in force: what it is about is cited otherwise.
    #[serde(default)]
    pub in_force_only: bool,
}

/// Whether an id was read where it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Read in a public source.
    Verified,
    /// General knowledge: to be held against the text before anybody relies on it.
    Memory,
}

/// Where somebody read the ids of a control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The pages.
    pub at: Vec<String>,
    /// The day.
    pub on: String,
}

/// What a control is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Connectors.
    Connector,
    /// Mappings.
    Mapping,
    /// Source, mapping, target and purpose together.
    Flow,
    /// Values of records.
    Value,
    /// Keys.
    Key,
    /// The audit log.
    Log,
}

/// A control, or several that ask the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its number in the catalogue of checks: what its examples are found by. 0: of the user's own.
    #[serde(default)]
    pub row: u32,
    /// Its ids.
    pub ids: Vec<String>,
    /// What it asks, in our words.
    pub title: String,
    /// How grave it is where it does not hold.
    pub severity: Gravity,
    /// What it is about.
    pub on: Vec<About>,
    /// Whether its ids were read where they are published.
    pub mark: Mark,
    /// Where they were read, if not in the standard's own source, and when.
    #[serde(default)]
    pub read: Option<Read>,
    /// What it is made of.
    pub checks: Vec<Part>,
}

/// A primitive with what is asked of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its id.
    pub check: String,
    /// What is asked.
    #[serde(default)]
    pub with: Parameters,
}

/// What nobody can tell from here.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfReach {
    /// The controls, or a family of them.
    pub ids: Vec<String>,
    /// What they are about.
    pub title: String,
    /// Why not.
    pub reason: String,
}

/// Every built-in standard, in the order of the catalogue.
pub fn all() -> &'static [Standard] {
    static ALL: OnceLock<Vec<Standard>> = OnceLock::new();
    // A test reads every file: one that cannot be read is never shipped.
    ALL.get_or_init(|| FILES.iter().filter_map(|(_, text)| yaml::read(text).ok()).collect())
}

/// The built-in standard of that name or other name.
pub fn named(name: &str) -> Option<&'static Standard> {
    all().iter().find(|standard| standard.answers_to(name))
}

/// Reads a standard of the user's own.
///
/// # Errors
/// What is wrong, with line and column (from 1).
pub fn read(text: &str) -> Result<Standard, (String, u32, u32)> {
    let standard: Standard = yaml::read(text)?;
    match standard.faults().into_iter().next() {
        Some(fault) => Err((fault, 1, 1)),
        None => Ok(standard),
    }
}

impl Standard {
    /// Whether a name means this one: with any of `_`, `-`, space or nothing between its words.
    pub fn answers_to(&self, name: &str) -> bool {
        let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        std::iter::once(&self.name).chain(&self.aliases).any(|own| plain(own) == plain(name))
    }

    /// Whether a class falls under it. Secrets do under every standard.
    pub fn covers(&self, class: ClassId) -> bool {
        let regimes = class.class().regimes;
        let under = |regime: &&str| *regime == "secret" || self.regimes.iter().any(|own| within(regime, own));
        self.regimes.is_empty() || regimes.iter().any(under)
    }

    /// How a control of it is cited.
    pub fn cite(&self, id: &str) -> String {
        format!("{}{id}", self.label)
    }

    /// What is wrong with it that YAML does not see.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for control in &self.controls {
            let name = control.ids.join(", ");
            if control.ids.is_empty() || control.checks.is_empty() {
                faults.push(format!("the control `{name}` has no id or no checks"));
            }
            for part in &control.checks {
                if super::primitives::named(&part.check).is_none() {
                    faults.push(format!("the control `{name}` names a check `{}` that there is not", part.check));
                }
                for class in part.with.classes.iter().chain(&part.with.except) {
                    if ClassId::named(class).is_none() {
                        faults.push(format!("the control `{name}` names a class `{class}` that there is not"));
                    }
                }
            }
        }
        faults
    }
}

/// Whether a regime is this one or lies below it.
pub(super) fn within(regime: &str, prefix: &str) -> bool {
    regime.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_listed() {
        for (name, text) in FILES {
            let read = yaml::read::<Standard>(text).unwrap_or_else(|error| panic!("{name}.yaml: {error:?}"));
            assert_eq!(read.name, *name);
            assert_eq!(read.faults(), Vec::<String>::new(), "{name}");
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/comply/standards");
        let mut stems: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut listed: Vec<String> = FILES.iter().map(|(name, _)| name.to_string()).collect();
        stems.sort();
        listed.sort();
        assert_eq!(stems, listed);
    }

    /// The catalogue has 101 rows; each stands in one standard.
    #[test]
    fn every_row_of_the_catalogue_is_there_once() {
        let mut rows: Vec<u32> = all().iter().flat_map(|standard| &standard.controls).map(|one| one.row).collect();
        rows.sort_unstable();
        assert_eq!(rows, (1..=101).collect::<Vec<_>>());
    }

    #[test]
    fn titles_are_sentences_of_ours_and_ids_are_told_once() {
        for standard in all() {
            let mut seen = std::collections::BTreeSet::new();
            for control in &standard.controls {
                assert!(
                    control.title.len() > 10 && !control.title.ends_with('.'),
                    "{}: {}",
                    standard.name,
                    control.title
                );
                assert!(!control.on.is_empty());
                assert!(seen.insert((&control.ids, &control.title)), "{} {:?} twice", standard.name, control.ids);
            }
            for clear in &standard.clear {
                let known = standard.controls.iter().flat_map(|one| &one.ids).any(|id| id.starts_with(&clear.control));
                assert!(known, "{}: {} is no control of it", standard.name, clear.control);
            }
            assert!(!standard.out_of_reach.is_empty(), "{}: something is always out of reach", standard.name);
        }
    }

    #[test]
    fn names_are_known_however_they_are_written() {
        for (written, expected) in [
            ("pci_dss", Some("pci_dss")),
            ("PCI-DSS", Some("pci_dss")),
            ("pci", Some("pci_dss")),
            ("cpra", Some("ccpa")),
            ("SOC 2", Some("soc2")),
            ("iso_27001", Some("iso27001")),
            ("fedramp", None),
        ] {
            assert_eq!(named(written).map(|standard| standard.name.as_str()), expected, "{written}");
        }
    }
}
