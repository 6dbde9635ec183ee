//! The built-in packs: a written-out list of files that are part of the binary. Only their names are
//! known at the start; a pack is read when it is used.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Pack, published};
use crate::config::yaml::{self, Raw, RawKind};
use crate::config::{ProtocolSpec, Shelf, Source};
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Finding, nearest};

/// Every built-in pack: its name and its text. One line each, sorted.
pub const ALL: &[(&str, &str)] = &[
    ("aws", include_str!("../packs/aws.yaml")),
    ("aws_comprehend", include_str!("../packs/aws_comprehend.yaml")),
    ("aws_s3", include_str!("../packs/aws_s3.yaml")),
    ("aws_sqs", include_str!("../packs/aws_sqs.yaml")),
    ("datadog", include_str!("../packs/datadog.yaml")),
    ("epic", include_str!("../packs/epic.yaml")),
    ("fhir", include_str!("../packs/fhir.yaml")),
    ("graphql", include_str!("../packs/graphql.yaml")),
    ("hubspot", include_str!("../packs/hubspot.yaml")),
    ("microsoft_graph", include_str!("../packs/microsoft_graph.yaml")),
    ("openai", include_str!("../packs/openai.yaml")),
    ("oracle_health", include_str!("../packs/oracle_health.yaml")),
    ("plaid", include_str!("../packs/plaid.yaml")),
    ("rest", include_str!("../packs/rest.yaml")),
    ("salesforce", include_str!("../packs/salesforce.yaml")),
    ("sap_s4hana", include_str!("../packs/sap_s4hana.yaml")),
    ("servicenow", include_str!("../packs/servicenow.yaml")),
    ("shopify", include_str!("../packs/shopify.yaml")),
    ("stripe", include_str!("../packs/stripe.yaml")),
    ("veradigm", include_str!("../packs/veradigm.yaml")),
];

/// The shelf of built-in packs.
pub static SHELF: Packs = Packs { read: Mutex::new(BTreeMap::new()) };

/// Packs that were read in this process.
pub struct Packs {
    read: Mutex<BTreeMap<&'static str, Option<&'static ProtocolSpec>>>,
}

impl Shelf for Packs {
    fn names(&self) -> Vec<&'static str> {
        ALL.iter().map(|(name, _)| *name).collect()
    }

    fn take(&self, name: &str) -> Option<&'static ProtocolSpec> {
        let (name, _) = ALL.iter().find(|(known, _)| *known == name)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read.entry(name).or_insert_with(|| {
            // A built-in pack with a finding is a failed test of ours.
            built_in(name, &mut Vec::new()).map(published)
        })
    }

    fn read(&self, source: &Source, raw: &Raw, findings: &mut Vec<Finding>) -> Option<&'static ProtocolSpec> {
        Pack::read(source, raw, findings).map(published)
    }
}

/// A built-in pack, read anew, with what is wrong with it.
pub fn built_in(name: &str, findings: &mut Vec<Finding>) -> Option<Pack> {
    let (source, raw) = tree(name, findings)?;
    Pack::read(&source, &raw, findings)
}

fn tree(name: &str, findings: &mut Vec<Finding>) -> Option<(Source, Raw)> {
    let (_, text) = ALL.iter().find(|(known, _)| *known == name)?;
    let source = Source::new(format!("built-in pack {name}"), *text);
    let raw = yaml::parse(&source, findings)?;
    Some((source, raw))
}

/// The tree with what it extends merged in below. What comes from there stands, for findings, where
/// `extends` is said.
pub fn extended(source: &Source, raw: &Raw, findings: &mut Vec<Finding>) -> Option<Raw> {
    let mut made = raw.clone();
    let mut depth = 0;
    while let Some(at) = made.entries().iter().position(|entry| entry.key == "extends") {
        let RawKind::Map { entries, .. } = &mut made.kind else { break };
        let said = entries.remove(at).value;
        let name = said.text().unwrap_or_default().to_owned();
        depth += 1;
        let Some((_, mut base)) = tree(&name, findings).filter(|_| depth <= 8) else {
            let cause = format!("there is no built-in pack `{name}` to extend");
            let finding = Finding::error(&PACK_INVALID, source.place(said.start, said.end), cause);
            findings.push(match nearest(&name, ALL.iter().map(|(name, _)| *name)) {
                Some(near) => finding.fix(format!("did you mean `{near}`?")),
                None => finding.fix("`consign connect list --packs` shows the built-in ones"),
            });
            return None;
        };
        moved(&mut base, said.start, said.end);
        // What a base says of itself, and the exchanges that were recorded with it, are its own.
        if let RawKind::Map { entries, .. } = &mut base.kind {
            entries.retain(|entry| !matches!(entry.key.as_str(), "proven" | "sources" | "tests"));
        }
        merge(&mut base, &made);
        made = base;
    }
    Some(made)
}

fn moved(raw: &mut Raw, start: usize, end: usize) {
    (raw.start, raw.end) = (start, end);
    match &mut raw.kind {
        RawKind::List { items, .. } => items.iter_mut().for_each(|item| moved(item, start, end)),
        RawKind::Map { entries, .. } => {
            for entry in entries {
                (entry.start, entry.end) = (start, end);
                moved(&mut entry.value, start, end);
            }
        }
        _ => {}
    }
}

fn merge(base: &mut Raw, over: &Raw) {
    match (&mut base.kind, &over.kind) {
        (RawKind::Map { entries, .. }, RawKind::Map { entries: more, .. }) => {
            for entry in more {
                let known = entries.iter().position(|known| known.key == entry.key);
                match (known, &entry.value.kind) {
                    (Some(at), RawKind::Null) => drop(entries.remove(at)),
                    (Some(at), _) => {
                        let known = &mut entries[at];
                        (known.start, known.end) = (entry.start, entry.end);
                        merge(&mut known.value, &entry.value);
                    }
                    (None, _) => entries.push(entry.clone()),
                }
            }
            (base.start, base.end) = (over.start, over.end);
        }
        _ => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/connect/packs");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, files, "catalog::ALL has one line for each file of src/connect/packs, sorted");
    }

    #[test]
    fn every_pack_is_sound() {
        for (name, _) in ALL {
            let mut findings = Vec::new();
            let pack = built_in(name, &mut findings);
            let told: Vec<String> = findings.iter().map(|f| format!("{:?}: {}", f.place, f.cause)).collect();
            assert!(findings.is_empty(), "{name}: {told:#?}");
            assert_eq!(pack.map(|pack| pack.name).as_deref(), Some(*name));
        }
    }
}
