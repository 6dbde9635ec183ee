//! JSON Schema files: read, understood and compiled into a [`Contract`].
//!
//! Draft 2020-12 and draft-07, in JSON or YAML. References lead inside the file, to files beside it
//! (never out of the project's folder) and to what carries an `$id`; nothing is ever fetched. What
//! is wrong with a schema, and what about it is not understood, is found at its place in its file.

mod keywords;
mod pattern;
mod references;
mod streams;

pub use streams::attach;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::load::FileText;
use super::source::Source;
use super::yaml::{self, Raw, RawKind};
use crate::error::codes::config as codes;
use crate::error::{Finding, Findings, Place, nearest};
use crate::record::contract::{Contract, NodeId, Rule, Shape};
use crate::record::shown::hex;

/// A schema of a stream, ready for use.
#[derive(Clone, Debug)]
pub struct StreamSchema {
    /// The rules that records are checked against.
    pub contract: Arc<Contract>,
    /// What is known of records beforehand.
    pub shape: Shape,
    /// SHA-256 (hex) over all files that it is made of.
    pub hash: String,
}

/// Reads a file by its path below the project's folder, with `/` between names.
pub type Read<'r> = &'r dyn Fn(&str) -> Result<FileText, String>;

/// The schema files of a project, each read once.
pub struct Schemas<'r> {
    read: Read<'r>,
    documents: Vec<Rc<Document>>,
    made: HashMap<String, Option<StreamSchema>>,
}

/// Most schemas (with all that lie inside them) of one stream.
const MOST_NODES: usize = 20_000;
/// Most files.
const MOST_FILES: usize = 200;
/// Longest way from schema to schema without going into the record.
const LONGEST_WAY: usize = 64;

/// Which version of JSON Schema a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draft {
    Seven,
    Twenty,
}

/// A schema file.
struct Document {
    /// Below the project's folder.
    path: String,
    source: Source,
    root: Raw,
    draft: Draft,
    /// Every `$id` in it, made absolute, and where that schema stands.
    ids: Vec<(String, Vec<String>)>,
    /// Every `$anchor`.
    anchors: BTreeMap<String, Vec<String>>,
    digest: [u8; 32],
}

/// Where a schema stands: a document and the way into it.
type At = (usize, Vec<String>);

/// The making of one contract.
struct Reading<'a, 'r> {
    schemas: &'a mut Schemas<'r>,
    contract: Contract,
    made: HashMap<At, NodeId>,
    ahead: VecDeque<(At, NodeId)>,
    places: Vec<Option<Place>>,
    findings: &'a mut Findings,
    /// It was said already that there are too many.
    full: bool,
}

impl<'r> Schemas<'r> {
    /// None yet.
    pub fn new(read: Read<'r>) -> Self {
        Self { read, documents: Vec::new(), made: HashMap::new() }
    }

    /// The schema that is named so (`schemas/order.json`, with `#/$defs/line` behind it where it is a
    /// part of the file) at a place of the configuration. `None` where a finding says why there is none.
    pub fn load(&mut self, named: &str, place: &Place, findings: &mut Findings) -> Option<StreamSchema> {
        if let Some(made) = self.made.get(named) {
            return made.clone();
        }
        let made = self.make(named, place, findings);
        self.made.insert(named.to_owned(), made.clone());
        made
    }

    fn make(&mut self, named: &str, place: &Place, findings: &mut Findings) -> Option<StreamSchema> {
        let (path, fragment) = named.split_once('#').unwrap_or((named, ""));
        let error = |cause: String| Finding::error(&codes::SCHEMA_FILE, place.clone(), cause);
        let document = match references::below("", path) {
            Ok(path) => match self.document(&path, findings) {
                Ok(document) => document?,
                Err(cause) => {
                    let fix = "name a file by its path from the folder of connectors.yaml";
                    findings.push(error(format!("the schema cannot be read: {cause}")).fix(fix));
                    return None;
                }
            },
            Err(cause) => {
                findings.push(error(cause.to_owned()).fix("keep schemas in the project's folder"));
                return None;
            }
        };
        let Some(tokens) = self.fragment(document, &[], fragment) else {
            findings.push(
                error(format!("`{path}` has no schema at `#{fragment}`")).fix("name one that is there: `#/$defs/NAME`"),
            );
            return None;
        };
        let before = findings.len();
        let mut reading = Reading {
            schemas: self,
            contract: Contract::default(),
            made: HashMap::new(),
            ahead: VecDeque::new(),
            places: Vec::new(),
            findings,
            full: false,
        };
        reading.contract.root = reading.node((document, tokens));
        while let Some((at, id)) = reading.ahead.pop_front() {
            reading.fill(&at, id);
        }
        reading.circles();
        let Reading { schemas, contract, made, places, findings, .. } = reading;
        let sound =
            |findings: &Findings| !findings[before..].iter().any(|f| f.severity == crate::error::Severity::Error);
        if !sound(findings) {
            return None;
        }
        let (shape, clashes) = contract.shape();
        for clash in clashes {
            let place = places.get(clash.node).cloned().flatten();
            findings.push(
                Finding::error(&codes::SCHEMA_INVALID, place, clash.cause).fix("correct one of the two, or remove it"),
            );
        }
        let mut files: Vec<usize> = made.keys().map(|(document, _)| *document).collect();
        files.sort_unstable();
        files.dedup();
        let mut hasher = Sha256::new();
        hasher.update(fragment);
        files.iter().for_each(|file| hasher.update(schemas.documents[*file].digest));
        let hash = hex(&hasher.finalize());
        sound(findings).then(|| StreamSchema { contract: Arc::new(contract), shape, hash })
    }

    /// The document of a path; `Ok(None)` where findings in it say why there is none.
    fn document(&mut self, path: &str, findings: &mut Findings) -> Result<Option<usize>, String> {
        if let Some(found) = self.documents.iter().position(|document| document.path == path) {
            return Ok(Some(found));
        }
        if self.documents.len() >= MOST_FILES {
            return Err(format!("there are more than {MOST_FILES} schema files"));
        }
        let FileText { name, bytes } = (self.read)(path)?;
        let digest = Sha256::digest(&bytes).into();
        let text = match yaml::text(&name, bytes) {
            Ok(text) => text,
            Err(finding) => {
                findings.push(*finding);
                return Ok(None);
            }
        };
        let source = Source::new(name, text);
        let Some(root) = yaml::parse(&source, findings) else { return Ok(None) };
        let draft = draft(&root, &source, findings);
        let mut document = Document {
            path: path.to_owned(),
            root: Raw { kind: RawKind::Null, start: 0, end: 0 },
            source,
            draft,
            ids: Vec::new(),
            anchors: BTreeMap::new(),
            digest,
        };
        document.names(&root, &mut Vec::new(), "");
        document.root = root;
        self.documents.push(Rc::new(document));
        Ok(Some(self.documents.len() - 1))
    }
}

/// The draft that a file says it is written in; 2020-12 where it says nothing.
fn draft(root: &Raw, source: &Source, findings: &mut Findings) -> Draft {
    let Some(said) = entry(root, "$schema") else { return Draft::Twenty };
    let name = said.text().unwrap_or_default().trim_end_matches('#');
    let version = name.rsplit("json-schema.org/").next().unwrap_or_default();
    match version {
        "draft/2020-12/schema" => Draft::Twenty,
        "draft-07/schema" => Draft::Seven,
        other => {
            let (near, draft) = match other {
                "draft/2019-09/schema" => ("read as 2020-12", Draft::Twenty),
                "draft-06/schema" => ("read as draft-07", Draft::Seven),
                _ => ("not a draft that is known: it is read as 2020-12", Draft::Twenty),
            };
            let cause = format!("`{name}` is {near}");
            findings.push(Finding::warning(&codes::SCHEMA_KEYWORD, source.place(said.start, said.end), cause).fix(
                "say `https://json-schema.org/draft/2020-12/schema` or `http://json-schema.org/draft-07/schema#`",
            ));
            draft
        }
    }
}

impl Document {
    /// Collects what schemas are called by.
    fn names(&mut self, raw: &Raw, way: &mut Vec<String>, base: &str) {
        let mut here = base.to_owned();
        match &raw.kind {
            RawKind::Map { entries, .. } => {
                if let Some(id) = entry(raw, "$id").and_then(Raw::text) {
                    match id.strip_prefix('#') {
                        Some(anchor) => drop(self.anchors.insert(anchor.to_owned(), way.clone())),
                        None => {
                            here = references::join(base, id.trim_end_matches('#'));
                            self.ids.push((here.clone(), way.clone()));
                        }
                    }
                }
                for name in ["$anchor", "$dynamicAnchor"] {
                    if let Some(anchor) = entry(raw, name).and_then(Raw::text) {
                        self.anchors.insert(anchor.to_owned(), way.clone());
                    }
                }
                // What is data there is no schema.
                for entry in
                    entries.iter().filter(|e| !["enum", "const", "default", "examples"].contains(&e.key.as_str()))
                {
                    way.push(entry.key.clone());
                    self.names(&entry.value, way, &here);
                    way.pop();
                }
            }
            RawKind::List { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    way.push(index.to_string());
                    self.names(item, way, &here);
                    way.pop();
                }
            }
            _ => {}
        }
    }

    fn find(&self, way: &[String]) -> Option<&Raw> {
        way.iter().try_fold(&self.root, |raw, token| match &raw.kind {
            RawKind::Map { .. } => entry(raw, token),
            RawKind::List { items, .. } => items.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

impl Reading<'_, '_> {
    /// The schema at a place, made later if it is new.
    fn node(&mut self, at: At) -> NodeId {
        if let Some(known) = self.made.get(&at) {
            return *known;
        }
        let id = self.contract.nodes.len();
        if self.overfull(1) {
            return 0;
        }
        let document = &self.schemas.documents[at.0];
        let place = document.find(&at.1).map(|raw| document.source.place(raw.start, raw.start + 1));
        self.contract.nodes.push(Vec::new());
        self.contract.classes.push(crate::record::ClassSet::NONE);
        self.places.push(place);
        self.made.insert(at.clone(), id);
        self.ahead.push_back((at, id));
        id
    }

    /// Whether so many more schemas are too many, which is said once.
    fn overfull(&mut self, more: usize) -> bool {
        if self.contract.nodes.len() + more <= MOST_NODES {
            return false;
        }
        if !std::mem::replace(&mut self.full, true) {
            let cause = format!("the schema has more than {MOST_NODES} schemas in it");
            let place = self.places.first().cloned().flatten();
            self.findings.push(Finding::error(&codes::SCHEMA_INVALID, place, cause).fix("leave out what is not used"));
        }
        true
    }

    fn error(&mut self, document: &Document, raw: &Raw, cause: impl Into<String>, fix: &str) {
        let place = document.source.place(raw.start, raw.end);
        let finding = Finding::error(&codes::SCHEMA_INVALID, place, cause);
        self.findings.push(if fix.is_empty() { finding } else { finding.fix(fix) });
    }

    /// Schemas that lead back to themselves without going into the record, and ways that are too long:
    /// their check would have no end.
    fn circles(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done(usize),
        }
        let nodes = &self.contract.nodes;
        let next = |id: NodeId| {
            let mut found = Vec::new();
            nodes[id].iter().filter(|rule| rule.stays()).for_each(|rule| rule.leads_to(&mut |id| found.push(id)));
            found
        };
        let mut marks = vec![Mark::New; nodes.len()];
        for start in 0..nodes.len() {
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::Open;
            let mut stack = vec![(start, next(start), 0)];
            while let Some((id, ahead, longest)) = stack.last_mut() {
                let (id, mut add) = (*id, None);
                match ahead.pop() {
                    Some(child) => match marks[child] {
                        Mark::New => add = Some(child),
                        Mark::Done(length) => *longest = (*longest).max(length + 1),
                        Mark::Open => {
                            let cause = "the schema refers to itself without going into the record";
                            let place = self.places.get(id).cloned().flatten();
                            self.findings.push(
                                Finding::error(&codes::SCHEMA_REFERENCE, place, cause)
                                    .fix("refer to itself only below `properties` or `items`"),
                            );
                            return;
                        }
                    },
                    None => {
                        let length = *longest;
                        if length > LONGEST_WAY {
                            let cause = format!("more than {LONGEST_WAY} schemas refer to each other in a row");
                            let place = self.places.get(id).cloned().flatten();
                            self.findings.push(
                                Finding::error(&codes::SCHEMA_REFERENCE, place, cause)
                                    .fix("refer to what is meant directly"),
                            );
                            return;
                        }
                        marks[id] = Mark::Done(length);
                        stack.pop();
                        if let Some((_, _, longest)) = stack.last_mut() {
                            *longest = (*longest).max(length + 1);
                        }
                    }
                }
                if let Some(child) = add {
                    marks[child] = Mark::Open;
                    stack.push((child, next(child), 0));
                }
            }
        }
    }
}

/// The value under a key of a map.
fn entry<'r>(raw: &'r Raw, name: &str) -> Option<&'r Raw> {
    raw.entries().iter().find(|entry| entry.key == name).map(|entry| &entry.value)
}

/// "did you mean", or nothing.
fn meant<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// The order in which rules are asked: the cheap ones first, what needs the others last.
fn rank(rule: &Rule) -> u8 {
    match rule {
        Rule::Never | Rule::Types(_) => 0,
        Rule::OneOf(_)
        | Rule::Minimum(..)
        | Rule::Maximum(..)
        | Rule::Length(..)
        | Rule::Count(..)
        | Rule::Size(..) => 1,
        Rule::Required(_) | Rule::Format(_) | Rule::MultipleOf(_) | Rule::Needs(..) => 2,
        Rule::Pattern(_) | Rule::Fields(_) | Rule::Items(..) | Rule::Names(_) => 3,
        Rule::OtherFields(_) | Rule::OtherItems(_) => 6,
        _ => 4,
    }
}

#[cfg(test)]
mod tests;
