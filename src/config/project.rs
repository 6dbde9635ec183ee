//! `connectors.yaml` → [`Project`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::auditing;
use super::check::Checker;
use super::keys::{PROJECT, STREAM};
use super::node::{self, options, pairs};
use super::source::Source;
use super::yaml::{self, Entry, Raw, RawKind};
use super::{
    Ambient, Carries, Catalog, Compliance, Connector, FormatSpec, Heartbeat, Node, Project, ProtectionKey,
    ProtocolSpec, Pulse, Spanned, Stream, Text, Violation, canonical, governance, json_schema, units,
};
use crate::error::{Finding, Findings, codes::config as codes, nearest};
use crate::expr::Keys;
use crate::record::{ClassId, ClassSet, Field, Path, Purpose, Type};

/// Days that dead letters are kept, unless said.
const KEEP_DAYS: u32 = 30;
/// How long a heartbeat waits for an answer, unless said.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// Options of connectors, in seconds, for which the environment has a default.
const TIMEOUTS: [&str; 2] = ["connect_timeout", "timeout"];

/// Reads, checks and resolves the text of `connectors.yaml` for one profile.
pub fn project(
    root: PathBuf,
    source: &Source,
    profile: Option<&str>,
    catalog: &Catalog,
    (ambient, files): (&Ambient, json_schema::Read<'_>),
    findings: &mut Findings,
) -> Option<Project> {
    let raw = yaml::parse(source, findings)?;
    let mut checker = Checker::new(source, true);
    // With a profile, what is missing can still come from it: ask once both are merged.
    checker.required = profile.is_none();
    checker.section(&raw, &PROJECT, (0, 0));
    let merged = match profile {
        None => raw,
        Some(name) => {
            let merged = overlaid(&mut checker, raw, name);
            let mut once_more = Checker::new(source, true);
            once_more.section(&merged, &PROJECT, (0, 0));
            let found: Vec<Finding> =
                once_more.findings.into_iter().filter(|finding| !checker.findings.contains(finding)).collect();
            checker.findings.extend(found);
            merged
        }
    };
    let made = resolve(&mut checker, &merged, root, profile, catalog, (ambient, files));
    findings.append(&mut checker.findings);
    made
}

fn overlaid(checker: &mut Checker<'_>, mut raw: Raw, name: &str) -> Raw {
    let profiles = get(&raw, "profiles").cloned();
    let found = profiles.as_ref().and_then(|profiles| get(profiles, name)).cloned();
    match found {
        Some(overlay) => merge(&mut raw, &overlay),
        None => {
            let known: Vec<String> =
                profiles.iter().flat_map(|profiles| profiles.entries()).map(|entry| entry.key.clone()).collect();
            let at = raw.entries().iter().find(|entry| entry.key == "profiles").map_or((0, 0), |e| (e.start, e.end));
            let fix = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there are no profiles; leave `--profile` out".to_owned(),
                None => format!("profiles are {}", known.join(", ")),
            };
            checker.error(&codes::UNKNOWN_PROFILE, at.0, at.1, format!("there is no profile `{name}`"), fix);
        }
    }
    raw
}

/// Maps are merged key by key; anything else is replaced.
fn merge(base: &mut Raw, overlay: &Raw) {
    match (&mut base.kind, &overlay.kind) {
        (RawKind::Map { entries, .. }, RawKind::Map { entries: over, .. }) => {
            for entry in over {
                match entries.iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => merge(&mut known.value, &entry.value),
                    None => entries.push(entry.clone()),
                }
            }
        }
        (RawKind::Map { .. }, RawKind::Null) => {}
        _ => *base = overlay.clone(),
    }
}

fn resolve(
    checker: &mut Checker<'_>,
    raw: &Raw,
    root: PathBuf,
    profile: Option<&str>,
    catalog: &Catalog,
    (ambient, files): (&Ambient, json_schema::Read<'_>),
) -> Option<Project> {
    let (compliance, defaults) = (get(raw, "compliance"), get(raw, "defaults"));
    let mut wrong = Vec::new();
    let audit = auditing::read(get(raw, "audit"), ambient, checker.source, &mut wrong);
    for (start, end, cause, fix) in wrong {
        checker.error(&codes::BAD_VALUE, start, end, cause, fix);
    }
    for rule in &audit.rules {
        checker.findings.extend(auditing::faults(rule));
    }
    let tries = |of: Option<&Raw>| whole(of.and_then(|of| get(of, "retry")).and_then(|retry| get(retry, "tries")));
    let default_tries = tries(get(raw, "defaults")).or(ambient.tries.map(i64::from));
    let mut connectors = BTreeMap::new();
    for entry in get(raw, "connectors").map_or(&[][..], Raw::entries) {
        if let Some(mut made) = connector(checker, entry, catalog, (ambient, files)) {
            // A pack knows by itself how often it is tried.
            let known = if made.spec.is_some_and(|spec| spec.plugin.is_some()) { 0 } else { 5 };
            let said = tries(Some(&entry.value)).or(default_tries).map(|tries| tries.clamp(1, 20));
            made.retry_tries = said.unwrap_or(known) as u32;
            connectors.insert(made.name.clone(), made);
        }
    }
    let mut project = Project {
        root,
        file: checker.source.file.clone(),
        environment: label(raw, "environment").unwrap_or_else(|| "production".into()),
        profile: profile.map(str::to_owned),
        connectors,
        compliance: Compliance {
            standards: ambient.standards(compliance.map(|of| labels(of, "standards")).unwrap_or_default()),
            on_violation: match compliance.and_then(|of| label(of, "on_violation")).as_deref() {
                Some("warn") => Violation::Warn,
                _ => Violation::Block,
            },
            keys: protection_keys(checker, compliance.and_then(|of| get(of, "keys"))),
            rules: governance::rules(checker, compliance),
        },
        audit,
        heartbeat: heartbeat(get(raw, "heartbeat")),
        metrics_file: get(raw, "metrics").and_then(|of| filled(of, "file")),
        lock_deadline: defaults.and_then(|of| length(of, "lock_deadline")),
        keep_days: defaults
            .and_then(|of| label(of, "keep_rejected"))
            .and_then(|text| units::days(&text).ok())
            .unwrap_or(KEEP_DAYS),
        parameters: pairs(get(raw, "parameters").map_or(&[][..], Raw::entries), checker.source),
        keys: Keys::default(),
        hash: String::new(),
        canonical: String::new(),
    };
    canonical::seal_project(&mut project);
    Some(project)
}

fn connector(
    checker: &mut Checker<'_>,
    entry: &Entry,
    catalog: &Catalog,
    (ambient, files): (&Ambient, json_schema::Read<'_>),
) -> Option<Connector> {
    let raw = &entry.value;
    let source = checker.source;
    let around = (entry.start, entry.end);
    let own = raw.entries().iter().find(|entry| entry.key == "definition");
    let (uses_raw, defined) = match (get(raw, "use"), own) {
        (Some(uses), None) => (uses, None),
        (None, Some(own)) => (&own.value, Some(definition(checker, &own.value, catalog, files))),
        (Some(_), Some(own)) => {
            let cause = "`definition` says what kind of system it is, and so does `use`";
            checker.error(&codes::DUPLICATE_KEY, own.start, own.end, cause, "keep one of them");
            return None;
        }
        (None, None) => {
            let cause = "a connector needs `use`, or a `definition` of its own";
            checker.error(&codes::MISSING_KEY, around.0, around.1, cause, "add `use`: what kind of system it is");
            return None;
        }
    };
    // A definition with mistakes makes a connector all the same: mappings that name it have none by that.
    let (uses, spec) = match defined {
        Some(spec) => (spec.map_or(entry.key.as_str(), |spec| spec.name).to_owned(), spec),
        None => {
            let uses = uses_raw.text()?.to_owned();
            let spec = catalog.kind(&uses);
            (uses, spec)
        }
    };
    if spec.is_none() && own.is_none() {
        let names = catalog.kinds();
        let fix = match nearest(&uses, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("this version has {}", names.join(", ")),
        };
        let cause = format!("there is no kind of connector `{uses}`");
        checker.error(&codes::UNKNOWN_PROTOCOL, uses_raw.start, uses_raw.end, cause, fix);
    }
    let with = get(raw, "with").map_or(&[][..], Raw::entries);
    let with = match spec {
        Some(spec) => {
            let around = raw.entries().iter().find(|e| e.key == "with").map_or(around, |e| (e.start, e.end));
            let mut made = options(checker, with, spec.options, &format!("`{uses}`"), around);
            if let Some(timeout) = ambient.timeout {
                let said = |name: &str| with.iter().any(|entry| entry.key == name);
                for (name, value) in made.iter_mut().filter(|(name, _)| TIMEOUTS.contains(&name.value.as_str())) {
                    if !said(&name.value) {
                        value.value = Node::Number(timeout.as_secs().to_string());
                    }
                }
            }
            made
        }
        None => pairs(with, source),
    };
    let auth = get(raw, "auth").map_or(&[][..], Raw::entries);
    let auth = match spec.filter(|spec| !spec.auth.is_empty()) {
        Some(spec) => {
            let around = raw.entries().iter().find(|e| e.key == "auth").map_or(around, |e| (e.start, e.end));
            options(checker, auth, spec.auth, &format!("the sign-in of `{uses}`"), around)
        }
        None => pairs(auth, source),
    };
    let mut streams = BTreeMap::new();
    for entry in get(raw, "streams").map_or(&[][..], Raw::entries) {
        if let Some(mut made) = stream(checker, entry, spec, catalog) {
            // What is not said here is as the kind of connector knows it.
            if let Some(known) = spec.and_then(|spec| spec.stream(&made.name)) {
                if made.key.is_empty() {
                    made.key.clone_from(&known.key);
                }
                if made.fields.is_empty() {
                    (made.fields, made.closed) = (known.fields.clone(), known.closed);
                }
            }
            streams.insert(made.name.clone(), made);
        }
    }
    let clearance = get(raw, "clearance").map(|raw| classes(Some(raw)));
    Some(Connector {
        name: entry.key.clone(),
        place: source.place(entry.start, entry.end),
        uses: Spanned { value: uses, place: source.place(uses_raw.start, uses_raw.end) },
        with,
        auth,
        spec,
        state: None,
        meter: Default::default(),
        streams,
        tenant: label(raw, "tenant"),
        region: label(raw, "region"),
        standards: labels(raw, "standards"),
        agreements: governance::agreements(source, get(raw, "agreements")),
        custody: governance::custody(raw),
        clearance,
        retry_tries: 0,
        rate: get(raw, "limits")
            .and_then(|limits| whole(get(limits, "rate")))
            .and_then(|rate| u32::try_from(rate).ok())
            .or(ambient.rate),
    })
}

/// A pack of the user's own: written in place, or in a file of the project.
fn definition(
    checker: &mut Checker<'_>,
    raw: &Raw,
    catalog: &Catalog,
    files: json_schema::Read<'_>,
) -> Option<&'static ProtocolSpec> {
    let shelf = catalog.shelf?;
    let Some(path) = raw.text() else { return shelf.read(checker.source, raw, &mut checker.findings) };
    let text = match files(path) {
        Ok(file) => yaml::text(&file.name, file.bytes).map(|text| Source::guarded(file.name, text)),
        Err(why) => {
            checker.error(&codes::BAD_VALUE, raw.start, raw.end, format!("the definition cannot be read: {why}"), "");
            return None;
        }
    };
    match text {
        Ok(source) => {
            let raw = yaml::parse(&source, &mut checker.findings)?;
            shelf.read(&source, &raw, &mut checker.findings)
        }
        Err(finding) => {
            checker.findings.push(*finding);
            None
        }
    }
}

fn protection_keys(checker: &Checker<'_>, raw: Option<&Raw>) -> Vec<ProtectionKey> {
    let key = |entry: &Entry| {
        let raw = &entry.value;
        let place = |start, end| checker.source.place(start, end);
        let roots = one_or_many(get(raw, "root")).filter_map(|root| {
            Some(Spanned { value: Text::parse(root.text()?).ok()?, place: place(root.start, root.end) })
        });
        Some(ProtectionKey {
            name: entry.key.clone(),
            place: place(entry.start, entry.end),
            purpose: Purpose::of(&label(raw, "purpose")?)?,
            roots: roots.collect(),
            classes: classes(get(raw, "class")),
            decrypt: labels(raw, "decrypt"),
            max_age_days: label(raw, "max_age").and_then(|text| units::days(&text).ok()),
        })
    };
    raw.map_or(&[][..], Raw::entries).iter().filter_map(key).collect()
}

fn heartbeat(raw: Option<&Raw>) -> Heartbeat {
    let pulse = |of: &Raw| Pulse { url: filled(of, "url"), file: filled(of, "file") };
    let routes = raw.and_then(|of| get(of, "routes")).map_or(&[][..], Raw::entries);
    Heartbeat {
        whole: raw.map(pulse).unwrap_or_default(),
        routes: routes.iter().map(|entry| (entry.key.clone(), pulse(&entry.value))).collect(),
        start: flag(raw.and_then(|of| get(of, "start"))).unwrap_or(false),
        timeout: raw.and_then(|of| length(of, "timeout")).unwrap_or(HEARTBEAT_TIMEOUT),
    }
}

/// Text under a key, with its references.
fn filled(raw: &Raw, name: &str) -> Option<Text> {
    Text::parse(get(raw, name)?.text()?).ok()
}

/// A length of time under a key.
fn length(raw: &Raw, name: &str) -> Option<Duration> {
    units::length(get(raw, name)?.text()?).ok()
}

fn stream(
    checker: &mut Checker<'_>,
    entry: &Entry,
    spec: Option<&'static ProtocolSpec>,
    catalog: &Catalog,
) -> Option<Stream> {
    let raw = &entry.value;
    if !matches!(raw.kind, RawKind::Map { .. }) {
        return None;
    }
    let source = checker.source;
    let around = (entry.start, entry.end);
    let own: Vec<Entry> = raw.entries().iter().filter(|entry| STREAM.key(&entry.key).is_none()).cloned().collect();
    let stream_options = match spec {
        Some(spec) => {
            let before = checker.findings.len();
            let made = options(checker, &own, spec.stream_options, &format!("a stream of `{}`", spec.name), around);
            // A misspelt key of every stream is offered here too.
            for finding in &mut checker.findings[before..] {
                if finding.code == &codes::UNKNOWN_KEY
                    && let Some(entry) = own.iter().find(|entry| finding.cause.ends_with(&format!("`{}`", entry.key)))
                    && let Some(near) = nearest(&entry.key, STREAM.keys.iter().map(|key| key.name))
                    && !finding.fix.as_deref().is_some_and(|fix| fix.starts_with("did you mean"))
                {
                    finding.fix = Some(format!("did you mean `{near}`?"));
                }
            }
            made
        }
        None => pairs(&own, source),
    };
    let (format, format_options) = format(checker, raw, spec, &stream_options, catalog, around);
    let declared = get(raw, "fields");
    let mut fields = Vec::new();
    for entry in declared.map_or(&[][..], Raw::entries) {
        let of = &entry.value;
        let kind = of.text().map_or_else(|| label(of, "type"), |text| Some(text.to_owned()));
        fields.push(Field {
            name: entry.key.clone(),
            kind: kind.and_then(|name| Type::named(&name)).unwrap_or(Type::Dyn),
            required: flag(get(of, "required")).unwrap_or(false),
            nullable: flag(get(of, "nullable")).unwrap_or(true),
            classes: classes(either(of, "class", "tags")),
        });
    }
    Some(Stream {
        name: entry.key.clone(),
        place: source.place(entry.start, entry.end),
        options: stream_options,
        format,
        format_options,
        key: one_or_many(get(raw, "key")).filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
        closed: !fields.is_empty() && !flag(get(raw, "open")).unwrap_or(false),
        fields,
        schema_file: get(raw, "schema")
            .and_then(|raw| Some(Spanned { value: raw.text()?.to_owned(), place: source.place(raw.start, raw.end) })),
        schema: None,
    })
}

/// The format as said, or as the ending of the file's name says.
fn format(
    checker: &mut Checker<'_>,
    raw: &Raw,
    spec: Option<&'static ProtocolSpec>,
    stream_options: &node::Options,
    catalog: &Catalog,
    around: (usize, usize),
) -> (Option<Spanned<String>>, node::Options) {
    let carries_rows = spec.is_some_and(|spec| spec.carries == Carries::Rows);
    let said = raw.entries().iter().find(|entry| entry.key == "format");
    let Some(entry) = said else {
        let by_name = spec.filter(|spec| spec.carries == Carries::Bytes).map(|spec| {
            let names = stream_options.iter().filter(|(key, _)| {
                let path = |option: &&super::OptionSpec| {
                    option.name == key.value && option.kind == super::OptionKind::FilePath
                };
                spec.stream_options.iter().any(|option| path(&option))
            });
            names
                .filter_map(|(_, value)| by_ending(&value.value, catalog).map(|format| (format, value.place.clone())))
                .next()
        });
        return match by_name {
            None => (None, Vec::new()),
            Some(Some((format, place))) => {
                let made = options(checker, &[], format.options, &format!("`{}`", format.name), around);
                (Some(Spanned { value: format.name.to_owned(), place }), made)
            }
            Some(None) => {
                let known = catalog.formats.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
                let cause = "the stream does not say its format, and no file ending tells it";
                checker.error(
                    &codes::UNKNOWN_FORMAT,
                    around.0,
                    around.1,
                    cause,
                    format!("add `format`: one of {known}"),
                );
                (None, Vec::new())
            }
        };
    };
    if carries_rows {
        let name = spec.map_or("", |spec| spec.name);
        let cause = format!("`{name}` carries rows, which have no format");
        checker.error(&codes::UNKNOWN_KEY, entry.start, entry.end, cause, "remove `format`");
        return (None, Vec::new());
    }
    let (name_raw, own): (Option<&Raw>, Vec<Entry>) = match &entry.value.kind {
        RawKind::Map { entries, .. } => {
            (get(&entry.value, "type"), entries.iter().filter(|entry| entry.key != "type").cloned().collect())
        }
        _ => (Some(&entry.value), Vec::new()),
    };
    let Some((name_raw, name)) = name_raw.and_then(|raw| raw.text().map(|text| (raw, text))) else {
        return (None, Vec::new());
    };
    let place = checker.source.place(name_raw.start, name_raw.end);
    match catalog.formats.iter().copied().find(|format| format.name == name) {
        Some(format) => {
            let made = options(checker, &own, format.options, &format!("`{name}`"), (entry.start, entry.end));
            (Some(Spanned { value: name.to_owned(), place }), made)
        }
        None => {
            let names = catalog.formats.iter().map(|format| format.name);
            let fix = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("formats are {}", names.collect::<Vec<_>>().join(", ")),
            };
            checker.error(
                &codes::UNKNOWN_FORMAT,
                name_raw.start,
                name_raw.end,
                format!("there is no format `{name}`"),
                fix,
            );
            (None, Vec::new())
        }
    }
}

/// The format that one of the endings of a path belongs to: `a.csv.gz` is found by `csv`.
fn by_ending(value: &Node, catalog: &Catalog) -> Option<&'static FormatSpec> {
    let Node::Text(text) = value else { return None };
    let written = text.to_string();
    let name = written.rsplit(['/', '\\']).next()?;
    name.rsplit('.').take(name.matches('.').count()).find_map(|ending| {
        let ending = ending.to_ascii_lowercase();
        catalog.formats.iter().copied().find(|format| format.extensions.contains(&ending.as_str()))
    })
}

impl Connector {
    /// The stream of that name: declared, or implied where the protocol allows it (a database's
    /// table). `None` if there is neither.
    pub fn stream(&self, name: &str, spec: &ProtocolSpec) -> Option<Stream> {
        if let Some(declared) = self.streams.get(name) {
            return Some(declared.clone());
        }
        let place = self.place.clone();
        if let Some(known) = spec.stream(name) {
            return Some(Stream {
                key: known.key.clone(),
                fields: known.fields.clone(),
                closed: known.closed,
                ..Stream::new(name, place)
            });
        }
        let option = spec.undeclared_stream?;
        let spanned = |value: String| Spanned { value, place: place.clone() };
        let mut options: node::Options = vec![(
            spanned(option.to_owned()),
            Spanned { value: Node::Text(Text::literal(name)), place: place.clone() },
        )];
        for other in spec.stream_options.iter().filter(|other| other.name != option) {
            if let Some(default) = other.default {
                options.push((
                    spanned(other.name.to_owned()),
                    Spanned { value: node::default(default), place: place.clone() },
                ));
            }
        }
        Some(Stream { options, ..Stream::new(name, self.place.clone()) })
    }
}

/// The value under a key of a map.
pub(super) fn get<'r>(raw: &'r Raw, name: &str) -> Option<&'r Raw> {
    raw.entries().iter().find(|entry| entry.key == name).map(|entry| &entry.value)
}

/// The value under a key or under its other name.
pub(super) fn either<'r>(raw: &'r Raw, name: &str, alias: &str) -> Option<&'r Raw> {
    get(raw, name).or_else(|| get(raw, alias))
}

/// The elements of a list, or the one value.
pub(super) fn one_or_many(raw: Option<&Raw>) -> impl Iterator<Item = &Raw> {
    let one = raw.filter(|raw| !matches!(raw.kind, RawKind::List { .. } | RawKind::Null));
    raw.map_or(&[][..], Raw::items).iter().chain(one)
}

/// The text under a key.
pub(super) fn label(raw: &Raw, name: &str) -> Option<String> {
    get(raw, name)?.text().map(str::to_owned)
}

/// The texts under a key: one, or a list of them.
pub(super) fn labels(raw: &Raw, name: &str) -> Vec<String> {
    one_or_many(get(raw, name)).filter_map(|raw| raw.text().map(str::to_owned)).collect()
}

/// A truth value.
pub(super) fn flag(raw: Option<&Raw>) -> Option<bool> {
    if let RawKind::Bool(value) = raw?.kind { Some(value) } else { None }
}

/// A whole number.
pub(super) fn whole(raw: Option<&Raw>) -> Option<i64> {
    if let RawKind::Number(text) = &raw?.kind { text.parse().ok() } else { None }
}

/// A set of classes; names that do not exist were found by the check.
pub(super) fn classes(raw: Option<&Raw>) -> ClassSet {
    one_or_many(raw).filter_map(|raw| ClassId::named(raw.text()?)).collect()
}
