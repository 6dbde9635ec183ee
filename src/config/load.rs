//! A whole project: every file read, checked by itself and against the others, all findings
//! in one go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::discover::{self, Found, shown};
use super::source::Source;
use super::structure::{Fragments, unused};
use super::{
    Ambient, Carries, Catalog, Environment, Mapping, Mode, Project, StreamRef, canonical, json_schema, mapping, node,
    project, tables, yaml,
};
use crate::error::{Error, Finding, Findings, Kind, Place, Result, Severity, codes::config as codes, nearest};

/// What a project says, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// `connectors.yaml`; `None` if it cannot be read at all.
    pub project: Option<Project>,
    /// The mappings that could be read, by file. With errors among the findings they are good
    /// for further checks only, never for a run.
    pub mappings: Vec<Mapping>,
    /// Every finding, sorted by file, line and column.
    pub findings: Findings,
}

/// A file of a project, in memory.
#[derive(Clone, Debug)]
pub struct FileText {
    /// Its name, as the user would name it.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Reads a project's files and checks them. References are never resolved. A file that cannot
/// be read is a finding, too.
pub fn load(found: &Found, profile: Option<&str>, catalog: &Catalog) -> Loaded {
    let mut findings = Findings::new();
    let mut read = |path: &PathBuf| {
        let name = shown(path, &found.stand);
        // One byte more than allowed is enough to know that there are too many.
        let bytes = std::fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(file, yaml::MAX_BYTES as u64 + 1), &mut bytes)?;
            Ok(bytes)
        });
        match bytes {
            Ok(bytes) => Some(FileText { name, bytes }),
            Err(error) => {
                let error = Error::io(format!("reading {name}"), error);
                let place = Place { file: name, line: 1, column: 1, width: 1, source: String::new() };
                findings.push(Finding::error(
                    error.code(),
                    place,
                    format!("the file cannot be read: {}", error.cause()),
                ));
                None
            }
        }
    };
    let connectors = read(&found.file);
    let mappings = found.mappings.iter().filter_map(&mut read).collect();
    let mut fragments = OnDisk { found, known: BTreeMap::new() };
    // A variable that cannot be read is told before anything runs; a check needs none.
    let ambient = Ambient::of(&Environment::process()).unwrap_or_default();
    let schema = |path: &str| beside(found, path);
    let around = (&ambient, &schema as json_schema::Read<'_>);
    let mut loaded = load_under(found.root.clone(), connectors, mappings, &mut fragments, profile, catalog, around);
    loaded.findings.append(&mut findings);
    loaded.findings.sort_by_cached_key(node::order);
    tables::attach(found, &mut loaded.mappings);
    loaded
}

/// Most findings that are kept of one file: past so many, they have one cause.
const MAX_FINDINGS: usize = 200;

/// Fragments as files of the project, each read once.
struct OnDisk<'f> {
    found: &'f Found,
    known: BTreeMap<String, Vec<u8>>,
}

impl Fragments for OnDisk<'_> {
    fn read(&mut self, name: &str) -> std::result::Result<FileText, String> {
        if let Some(bytes) = self.known.get(name) {
            return Ok(FileText { name: name.to_owned(), bytes: bytes.clone() });
        }
        let path = self.found.stand.join(name);
        let real = path.canonicalize().map_err(|error| format!("`{name}` cannot be read: {}", error.kind()))?;
        let root = self.found.root.canonicalize().map_err(|error| format!("the project's folder: {}", error.kind()))?;
        if !real.starts_with(root) {
            return Err(format!("`{name}` lies outside of the project"));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(real)
            .and_then(|file| {
                std::io::Read::read_to_end(&mut std::io::Read::take(file, yaml::MAX_BYTES as u64 + 1), &mut bytes)
            })
            .map_err(|error| format!("`{name}` cannot be read: {}", error.kind()))?;
        self.known.insert(name.to_owned(), bytes.clone());
        Ok(FileText { name: name.to_owned(), bytes })
    }
}

/// Fragments among files that are in memory.
struct InMemory(Vec<FileText>);

impl Fragments for InMemory {
    fn read(&mut self, name: &str) -> std::result::Result<FileText, String> {
        let found = self.0.iter().find(|file| file.name == name).cloned();
        found.ok_or_else(|| format!("there is no file `{name}`"))
    }
}

/// Whether a file is a fragment by where it lies: in a folder of that name.
pub(super) fn is_fragment(name: &str) -> bool {
    name.split(['/', '\\']).rev().skip(1).any(|part| part == discover::FRAGMENTS)
}

/// The same for files that are in memory already: no input, no output. A file in a folder called
/// `fragments` is one that mappings include.
pub fn load_texts(
    root: PathBuf,
    connectors: Option<FileText>,
    mappings: Vec<FileText>,
    profile: Option<&str>,
    catalog: &Catalog,
) -> Loaded {
    let (fragments, mappings) = mappings.into_iter().partition(|file| is_fragment(&file.name));
    load_under(
        root,
        connectors,
        mappings,
        &mut InMemory(fragments),
        profile,
        catalog,
        (&Ambient::default(), &|_| Err("it is not at hand".into())),
    )
}

/// A schema file of the project's folder. What a link leads out of it to is not read: a check can be
/// run on the project of a stranger.
fn beside(found: &Found, path: &str) -> std::result::Result<FileText, String> {
    let whole = found.root.join(path);
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file `{path}` in the project's folder"),
        _ => Error::io("reading it", error).cause().to_owned(),
    };
    let (real, root) = (whole.canonicalize().map_err(told)?, found.root.canonicalize().map_err(told)?);
    if !real.starts_with(&root) {
        return Err("it is a link that leads out of the project's folder".into());
    }
    if !real.is_file() {
        return Err("it is no file".into());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&real).map_err(told)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, yaml::MAX_BYTES as u64 + 1), &mut bytes).map_err(told)?;
    Ok(FileText { name: shown(&whole, &found.stand), bytes })
}

fn load_under(
    root: PathBuf,
    connectors: Option<FileText>,
    mappings: Vec<FileText>,
    fragments: &mut dyn Fragments,
    profile: Option<&str>,
    catalog: &Catalog,
    (ambient, schema): (&Ambient, json_schema::Read<'_>),
) -> Loaded {
    let mut loaded = Loaded::default();
    if let Some(file) = connectors {
        match yaml::text(&file.name, file.bytes) {
            Ok(text) => {
                let source = Source::guarded(file.name, text);
                let before = loaded.findings.len();
                loaded.project =
                    project::project(root, &source, profile, catalog, (ambient, schema), &mut loaded.findings);
                // A line can turn out to hold a secret after a finding has pointed at it.
                for place in loaded.findings[before..].iter_mut().filter_map(|finding| finding.place.as_mut()) {
                    if source.shown(place.line).is_empty() {
                        place.source.clear();
                    }
                }
            }
            Err(finding) => loaded.findings.push(*finding),
        }
    }
    if let Some(project) = &mut loaded.project
        && project.connectors.values().any(|one| one.streams.values().any(|stream| stream.schema_file.is_some()))
    {
        json_schema::attach(project, schema, &mut loaded.findings);
        canonical::seal_project(project);
    }
    for file in mappings {
        match yaml::text(&file.name, file.bytes) {
            Ok(text) => {
                let source = Source::new(file.name, text);
                let set = loaded.project.as_ref().map_or(&[][..], |project| &project.parameters);
                let mut made = mapping::mapping(&source, fragments, set, &mut loaded.findings);
                loaded.mappings.append(&mut made);
            }
            Err(finding) => loaded.findings.push(*finding),
        }
    }
    names(&mut loaded);
    if let Some(project) = &loaded.project {
        for mapping in &mut loaded.mappings {
            mapping.sync.on_error.keep_days.get_or_insert(project.keep_days);
        }
        for mapping in &loaded.mappings {
            streams(project, mapping, &mut loaded.findings);
        }
        loaded.findings.extend(super::governance::names(project, &loaded.mappings));
        let own = loaded.mappings.iter().filter_map(|mapping| mapping.scopes.first());
        let declared = own.flat_map(|scope| &scope.parameters).map(|parameter| parameter.name.value.as_str()).collect();
        loaded.findings.extend(unused(&project.parameters, &declared));
    }
    loaded.findings.sort_by_cached_key(node::order);
    // A value can be looked at for more than one reason.
    loaded.findings.dedup();
    let mut count = (String::new(), 0);
    loaded.findings.retain(|finding| {
        let file = finding.place.as_ref().map_or("", |place| place.file.as_str());
        count = if count.0 == file { (std::mem::take(&mut count.0), count.1 + 1) } else { (file.to_owned(), 1) };
        count.1 <= MAX_FINDINGS
    });
    loaded
}

impl Loaded {
    /// Adds what a further check has found.
    pub fn add(&mut self, mut findings: Findings) {
        // What is wrong inside an expression that YAML cut in two follows from the cut.
        let cuts: Vec<&Place> = self
            .findings
            .iter()
            .filter(|f| f.code == &codes::EXPRESSION_CUT)
            .filter_map(|f| f.place.as_ref())
            .collect();
        findings.retain(|finding| {
            let follows = |cut: &&Place| finding.place.as_ref().is_some_and(|place| cut.covers(place));
            !cuts.iter().any(follows)
        });
        self.findings.extend(findings);
        self.findings.sort_by_cached_key(node::order);
        // What is wrong with a rule is found for each target.
        self.findings.dedup();
    }

    /// Whether a finding forbids to run.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Project and mappings, fit to run.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub fn sound(self) -> Result<(Project, Vec<Mapping>)> {
        let failed = self.has_errors();
        match self.project {
            Some(project) if !failed => Ok((project, self.mappings)),
            _ => {
                let count = self.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
                let errors = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
                let cause = format!("the configuration has {errors}");
                Err(Error::findings(Kind::Invalid, &codes::INVALID, cause, self.findings))
            }
        }
    }

    /// The mapping of that name.
    ///
    /// # Errors
    /// If there is none, with the nearest name.
    pub fn mapping(&self, name: &str) -> Result<&Mapping> {
        named(&self.mappings, name)
    }
}

/// The mapping of that name among these; of one with several targets, the route to the first.
///
/// # Errors
/// If there is none, with the nearest name or all that there are.
pub fn named<'m>(mappings: &'m [Mapping], name: &str) -> Result<&'m Mapping> {
    mappings.iter().find(|mapping| mapping.answers_to(name)).ok_or_else(|| {
        let error = Error::new(Kind::Invalid, &codes::NO_MAPPING, format!("there is no mapping `{name}`"));
        let routes = mappings.iter().map(|mapping| mapping.name.value.as_str());
        let mut names: Vec<&str> = mappings.iter().map(|mapping| mapping.family.as_str()).collect();
        names.dedup();
        match nearest(name, names.iter().copied().chain(routes)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if mappings.is_empty() => error.hint("the project has none: write one under `mappings/`"),
            None => error.hint(format!("there are: {}", names.join(", "))),
        }
    })
}

/// Every route that a name means: all targets of a mapping, or the one route.
///
/// # Errors
/// As for [`named`].
pub fn routes_named<'m>(mappings: &'m [Mapping], name: &str) -> Result<Vec<&'m Mapping>> {
    named(mappings, name)?;
    Ok(mappings.iter().filter(|mapping| mapping.answers_to(name)).collect())
}

/// Names are unique, `after` names mappings that exist, and leads in no circle.
fn names(loaded: &mut Loaded) {
    let mut first: BTreeMap<&str, &Mapping> = BTreeMap::new();
    for mapping in &loaded.mappings {
        let name = mapping.family.as_str();
        if let Some(other) = first.get(name).filter(|other| other.file == mapping.file) {
            // Another target of the same mapping.
            debug_assert!(other.is_branch());
        } else if let Some(other) = first.get(name) {
            let place = &other.name.place;
            let cause = format!("the name `{name}` is taken by {}:{}:{}", place.file, place.line, place.column);
            loaded.findings.push(
                Finding::error(&codes::DUPLICATE_NAME, mapping.name.place.clone(), cause)
                    .fix("give one of them another name"),
            );
        } else {
            first.insert(name, mapping);
        }
    }
    for mapping in &loaded.mappings {
        for after in &mapping.sync.after {
            if !first.contains_key(after.value.as_str()) {
                let cause = format!("there is no mapping `{}` to wait for", after.value);
                let finding = Finding::error(&codes::UNKNOWN_ROUTE, after.place.clone(), cause);
                loaded.findings.push(finding.did_you_mean(&after.value, first.keys().copied()));
            }
        }
        if let Some(place) = circle(mapping, &first) {
            let cause = format!("`{}` waits for itself in the end", mapping.family);
            loaded.findings.push(
                Finding::error(&codes::ROUTE_CYCLE, place, cause)
                    .fix("take out one of the `after` that lead back to it"),
            );
        }
    }
}

/// Where the way from a mapping over `after` back to itself begins, if there is one.
fn circle(from: &Mapping, all: &BTreeMap<&str, &Mapping>) -> Option<Place> {
    from.sync.after.iter().find_map(|first| {
        let (mut seen, mut ahead) = (BTreeSet::new(), vec![first.value.as_str()]);
        while let Some(name) = ahead.pop() {
            if name == from.family {
                return Some(first.place.clone());
            }
            if seen.insert(name) {
                ahead.extend(
                    all.get(name).iter().flat_map(|next| next.sync.after.iter().map(|after| after.value.as_str())),
                );
            }
        }
        None
    })
}

/// `from` and `to` name streams that exist and can do that.
fn streams(project: &Project, mapping: &Mapping, findings: &mut Findings) {
    let checked = |reference: &StreamRef, key: &str, reads: bool, findings: &mut Findings| {
        let Some(connector) = project.connectors.get(&reference.connector) else {
            let cause = format!("`{key}` names the connector `{}`, which is not defined", reference.connector);
            let known = || project.connectors.keys().map(String::as_str);
            let finding = Finding::error(&codes::UNKNOWN_CONNECTOR, part(reference, true), cause);
            let finding = finding.did_you_mean(&reference.connector, known());
            findings.push(if finding.fix.is_some() {
                finding
            } else {
                finding.fix(format!("connectors are {}", known().collect::<Vec<_>>().join(", ")))
            });
            return;
        };
        let Some(spec) = connector.spec else { return };
        if connector.stream(&reference.stream, spec).is_none() {
            let cause = format!("`{}` has no stream `{}`", connector.name, reference.stream);
            let known =
                || connector.streams.keys().map(String::as_str).chain(spec.streams.iter().map(|one| one.name.as_str()));
            let finding = Finding::error(&codes::UNKNOWN_STREAM, part(reference, false), cause);
            let finding = finding.did_you_mean(&reference.stream, known());
            let fix = format!("declare it under `streams` of `{}` in {}", connector.name, project.file);
            findings.push(if finding.fix.is_some() { finding } else { finding.fix(fix) });
        }
        if let Some(stream) = spec.stream(&reference.stream)
            && ((reads && !stream.reads) || (!reads && stream.modes.is_empty()))
        {
            let what = if reads { "read from" } else { "written to" };
            let cause = format!("the stream `{}` of `{}` cannot be {what}", stream.name, spec.name);
            findings.push(Finding::error(&codes::DIRECTION, part(reference, false), cause).fix("name another stream"));
        }
        if (reads && !spec.reads) || (!reads && !spec.writes()) {
            let what = if reads { "read from" } else { "written to" };
            let cause = format!("`{}` is `{}`, which cannot be {what}", connector.name, spec.name);
            findings.push(
                Finding::error(&codes::DIRECTION, part(reference, true), cause).fix("name a connector of another kind"),
            );
        }
    };
    checked(&mapping.from, "from", true, findings);
    checked(&mapping.to, "to", false, findings);
    mode_fits(project, mapping, findings);
    let declared = || {
        let connector = project.connectors.get(&mapping.to.connector)?;
        let target = connector.stream(&mapping.to.stream, connector.spec?)?;
        (!target.key.is_empty()).then_some(())
    };
    // A key that is there but cannot be read was a finding of its own.
    let unread = findings.iter().any(|finding| {
        finding.place.as_ref().is_some_and(|place| place.file == mapping.file)
            && [&codes::BAD_PATH, &codes::WRONG_TYPE].contains(&finding.code)
    });
    if mode_needs_key(project, mapping) && mapping.sync.key.is_empty() && !unread && declared().is_none() {
        let cause =
            format!("`{}` needs a key, and neither `sync.key` nor the target stream has one", mapping.sync.mode.name());
        let fix = "add `key: [...]` under `sync` with the target fields that identify a record";
        findings.push(Finding::error(&codes::KEY_MODE, mapping.to.place.clone(), cause).fix(fix));
    }
}

/// The target can be written to in the mode that is asked for.
fn mode_fits(project: &Project, mapping: &Mapping, findings: &mut Findings) {
    let mode = mapping.sync.mode;
    let Some(connector) = project.connectors.get(&mapping.to.connector) else { return };
    let Some(spec) = connector.spec else { return };
    let stream = spec.stream(&mapping.to.stream);
    let modes = stream.map_or(spec.modes, |stream| &stream.modes);
    if !spec.writes() || modes.is_empty() || modes.contains(&mode) {
        return;
    }
    let known: Vec<String> = modes.iter().map(|mode| format!("`{}`", mode.name())).collect();
    let cause = match stream {
        Some(stream) => format!("the stream `{}` of `{}` cannot `{}`", stream.name, spec.name, mode.name()),
        None => format!("`{}` is `{}`, which cannot `{}`", connector.name, spec.name, mode.name()),
    };
    let fix = format!("it can {}: say which under `sync.mode`, or name another target", known.join(", "));
    findings.push(Finding::error(&codes::KEY_MODE, part(&mapping.to, true), cause).fix(fix));
}

/// A file is mirrored as a whole and needs no key; everything else that is keyed does.
fn mode_needs_key(project: &Project, mapping: &Mapping) -> bool {
    let whole = || {
        let connector = project.connectors.get(&mapping.to.connector)?;
        (connector.spec?.carries == Carries::Bytes).then_some(())
    };
    match mapping.sync.mode {
        Mode::Append => false,
        Mode::Mirror => whole().is_none(),
        Mode::Upsert | Mode::Update | Mode::Delete => true,
    }
}

/// The place of the connector's or of the stream's name in a reference.
fn part(reference: &StreamRef, connector: bool) -> Place {
    let before = reference.connector.chars().count() as u32;
    let place = reference.place.clone();
    if connector {
        Place { width: before.max(1), ..place }
    } else {
        Place { column: place.column + before + 1, width: reference.stream.chars().count().max(1) as u32, ..place }
    }
}
