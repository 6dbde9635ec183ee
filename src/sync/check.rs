//! Every static check in one place: what the configuration says, what the mappings compute, where
//! data classes flow, and whether the examples hold. No data, no network, no secret.

use std::sync::Arc;

use crate::comply;
use crate::comply::detect::Sight;
use crate::comply::protect::{Declared, Policy, Ring};
use crate::config::{Carries, Loaded, Mapping, Mode, Node, Project, Spanned, Stream};
use crate::connect::formats::{self, Format};
use crate::connect::options::OptionReader;
use crate::connect::protocols::{self, Protocol, ReadRequest};
use crate::error::{Breach, Finding, Findings, Place, Severity, codes};
use crate::expr::Keys;
use crate::map::{self, Route, SourceShape, TargetShape};

/// A mapping that was checked.
pub struct Checked {
    /// The mapping compiled, if it could be.
    pub route: Option<Route>,
}

/// Checks a loaded project as a whole: adds to its findings and gives each mapping's compiled
/// route, in their order. `strict` makes every path of which nothing is known a finding.
pub fn check(loaded: &mut Loaded, strict: bool) -> Vec<Checked> {
    let Some(project) = &loaded.project else {
        return loaded.mappings.iter().map(|_| Checked { route: None }).collect();
    };
    let mut findings = Findings::new();
    let checked = loaded
        .mappings
        .iter()
        .map(|mapping| {
            let (route, found) = check_one(project, mapping, strict);
            findings.extend(found);
            Checked { route }
        })
        .collect::<Vec<_>>();
    findings.extend(shared(project, &loaded.mappings));
    findings.extend(ruled(project, &loaded.mappings, &checked));
    // What a connection lacks is said once, however many routes use it.
    let mut said: Vec<Place> = Vec::new();
    findings.retain(|finding| {
        let once = [&codes::comply::TRANSPORT, &codes::comply::AGREEMENT_ENDED].contains(&finding.code);
        let place = finding.place.clone().filter(|_| once);
        let known = place.as_ref().is_some_and(|place| said.contains(place));
        said.extend(place);
        !known
    });
    findings.extend(comply::judge_waivers(project, today(), &findings));
    let secrets = comply::secret_controls(&project.compliance.standards);
    for finding in loaded.findings.iter_mut().filter(|finding| finding.code == &codes::config::LITERAL_SECRET) {
        finding.cause.push_str(&format!(" (P02: {})", secrets.join(", ")));
        finding.breach = Some(Box::new(Breach { check: "P02", controls: secrets.clone(), ..Breach::default() }));
    }
    loaded.add(findings);
    checked
}

/// What the project's own rules over connectors, mappings and flows find in a project.
fn ruled(project: &Project, mappings: &[Mapping], checked: &[Checked]) -> Findings {
    let routes = checked.iter().map(|one| one.route.as_ref()).collect();
    by_rules(project, mappings, routes, |subject, rules| comply::rules::findings(subject, rules, false))
}

/// The same in one route and its two ends, before it runs; and the rule for which somebody has to approve of each run
/// of it, if one asks for that.
pub fn ruled_one(project: &Project, mapping: &Mapping, route: &Route) -> (Findings, Option<String>) {
    by_rules(project, std::slice::from_ref(mapping), vec![Some(route)], |subject, rules| {
        (comply::rules::findings(subject, rules, true), comply::rules::asks_approval(subject, rules))
    })
}

/// What the rules of a project make of it; nothing if it has none.
fn by_rules<T: Default>(
    project: &Project,
    mappings: &[Mapping],
    routes: Vec<Option<&Route>>,
    look: impl FnOnce(&comply::Subject<'_>, &[comply::rules::Rule]) -> T,
) -> T {
    let rules = comply::rules::of(project, mappings).0;
    if rules.is_empty() {
        return T::default();
    }
    let facts = comply::facts::Facts::default();
    // Which waivers are in force is all that the time decides.
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    look(&comply::Subject::new(project, mappings, routes, &facts, now), &rules)
}

/// Lets the project's waivers take the weight off findings of further checks.
pub fn waive(project: &Project, findings: &mut [Finding]) {
    comply::waive(project, today(), findings);
}

/// The day it is, by which agreements and waivers hold or have ended.
fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Checks one mapping against its two streams.
pub fn check_one(project: &Project, mapping: &Mapping, strict: bool) -> (Option<Route>, Findings) {
    let ends = [&mapping.from, &mapping.to].map(|end| {
        let connector = project.connectors.get(&end.connector)?;
        let protocol = protocols::of(connector)?;
        let stream = connector.stream(&end.stream, protocol.spec())?;
        let format = stream.format.as_ref().and_then(|name| formats::named(&name.value));
        Some((connector, protocol, stream, format))
    });
    // An end that is not there is a finding of the configuration already.
    let [Some((from_connector, source, from, from_format)), Some((connector, target, to, to_format))] = ends else {
        return (None, Findings::new());
    };
    let flat = match to_format {
        Some(format) => format.spec().flat,
        None => target.spec().carries == Carries::Rows && !target.nests(),
    };
    let source_shape = SourceShape::of(&mapping.from, Some(&from), from_format.map(Format::spec)).strict(strict);
    let mut target_shape = TargetShape::of(&mapping.to, Some(&to), flat);
    // What a system brings along says what is always there when it is read. Much of that it makes itself;
    // what it wants to be given, its answer to a record says.
    for known in target.spec().stream(&mapping.to.stream).iter().flat_map(|stream| &stream.fields) {
        if let Some(field) = target_shape.fields.iter_mut().find(|field| known.required && field.name == known.name) {
            field.required = false;
        }
    }
    let policy = Policy { processing: &mapping.compliance, rules: &project.compliance.rules, target: connector };
    let sight = Sight::of(project.compliance.rules.detect.as_ref());
    let rehearsal = Keys::of(Arc::new(Ring::rehearsal(Declared::all(project)))).looking(Arc::clone(&sight));
    let (mut route, mut findings) = map::compile_with(mapping, &source_shape, &target_shape, &rehearsal, &policy);
    if !project.keys.is_none() && route.as_ref().is_some_and(|route| route.keyed) {
        // Once more with the keys themselves: only now it is known whether each is there.
        let keys = project.keys.clone().looking(sight);
        let (keyed, found) = map::compile_with(mapping, &source_shape, &target_shape, &keys, &policy);
        findings.extend(found.into_iter().filter(|finding| finding.severity == Severity::Error));
        route = keyed;
    }
    if let Some(route) = route.as_mut().filter(|_| target.spec().carries == Carries::Bytes) {
        // Bytes have no records to be found again: each is added, whatever identifies it elsewhere.
        route.key.clear();
    }
    if let Some(explode) = mapping.explode.as_ref().filter(|_| target.refuses_records() && !mapping.sync.mode.keyed()) {
        let cause = "a target record that the target refuses is replayed with all others of its source record, which `append` adds again";
        findings.push(
            Finding::warning(&codes::sync::EXPLODE_APPENDS, explode.list.place.clone(), cause)
                .fix("say `mode: upsert` with a key that tells the elements apart"),
        );
    }
    findings.extend(directions(mapping, source, target));
    findings.extend(way_of_reading(project, mapping, source, &from));
    if let Some(route) = &route {
        findings.extend(comply::flow(project, (mapping, route), (from_connector, connector), today()));
    }
    (route, findings)
}

/// The way of each class through one target field of a checked mapping, and what the flow check says of it.
pub fn judged(
    project: &Project,
    mapping: &Mapping,
    route: &Route,
    field: &str,
) -> (Vec<(String, Vec<String>)>, Findings) {
    let end = |name: &str| project.connectors.get(name);
    let (Some(source), Some(target)) = (end(&mapping.from.connector), end(&mapping.to.connector)) else {
        return (Vec::new(), Findings::new());
    };
    let ways = comply::ways(project, (mapping, route), (source, target), today(), field);
    let mut findings = comply::flow(project, (mapping, route), (source, target), today());
    let object = format!("{}.{field}", mapping.name.value);
    findings.retain(|finding| finding.breach.as_ref().is_some_and(|breach| breach.object == object));
    (ways, findings)
}

/// Routes that write the same file: each would cut back or replace what the other wrote.
pub(super) fn shared(project: &Project, mappings: &[Mapping]) -> Findings {
    let mut findings = Findings::new();
    let mut seen: Vec<((String, std::path::PathBuf), &Mapping)> = Vec::new();
    for mapping in mappings {
        let Some(path) = written_file(project, mapping) else { continue };
        match seen.iter().find(|(other, _)| *other == path) {
            Some((_, first)) => findings.push(
                Finding::error(
                    &codes::sync::TARGET_SHARED,
                    mapping.to.place.clone(),
                    format!("`{}` writes the same file as `{}`", mapping.name.value, first.name.value),
                )
                .fix("give each route a file of its own"),
            ),
            None => seen.push((path, mapping)),
        }
    }
    findings.extend(mirrored(project, mappings));
    findings
}

/// A mirror and any other route that writes the same table: each would delete what the other wrote.
fn mirrored(project: &Project, mappings: &[Mapping]) -> Findings {
    let mut findings = Findings::new();
    for (index, mapping) in mappings.iter().enumerate() {
        let Some(place) = written_table(project, mapping) else { continue };
        let mirrors = |one: &Mapping| one.sync.mode == Mode::Mirror;
        let other = mappings[..index].iter().find(|other| {
            (mirrors(mapping) || mirrors(other)) && written_table(project, other).as_ref() == Some(&place)
        });
        let Some(other) = other else { continue };
        let (first, second) = (&other.name.value, &mapping.name.value);
        let cause = match (mirrors(mapping), mirrors(other)) {
            (true, true) => {
                format!("`{second}` mirrors the same table as `{first}`: each would delete what the other wrote")
            }
            (true, false) => {
                format!("`{second}` mirrors the table that `{first}` writes, and would delete what that wrote")
            }
            (false, _) => format!("`{second}` writes the table that `{first}` mirrors, which would delete it"),
        };
        findings.push(
            Finding::error(&codes::sync::MIRROR_SHARED, mapping.to.place.clone(), cause)
                .fix("give the mirror a table of its own, or let one mapping read both sources"),
        );
    }
    findings
}

/// The table that a mapping writes, as far as its configuration says it in plain words: the kind of
/// system, where that is, and the table.
fn written_table(project: &Project, mapping: &Mapping) -> Option<(&'static str, String, String)> {
    let connector = project.connectors.get(&mapping.to.connector)?;
    let spec = protocols::of(connector)?.spec();
    let stream = connector.stream(&mapping.to.stream, spec)?;
    let written = |options: &[(Spanned<String>, Spanned<Node>)], name: &str| {
        options.iter().find(|(key, _)| key.value == name).and_then(|(_, node)| match &node.value {
            Node::Text(text) => Some(text.to_string()),
            _ => None,
        })
    };
    let system = match written(&connector.with, "path") {
        Some(path) => {
            let whole = project.root.join(path);
            let plain = whole.components().filter(|part| !matches!(part, std::path::Component::CurDir));
            plain.collect::<std::path::PathBuf>().display().to_string()
        }
        None => connector.with.iter().map(|(key, node)| format!("{}={:?};", key.value, plain(&node.value))).collect(),
    };
    let table = spec.undeclared_stream.and_then(|option| written(&stream.options, option)).unwrap_or(stream.name);
    (spec.carries == Carries::Rows).then(|| (spec.name, system, table.to_lowercase()))
}

/// A value without the places where it is written.
fn plain(node: &Node) -> String {
    match node {
        Node::Text(text) => text.to_string(),
        Node::Number(text) => text.clone(),
        Node::Bool(truth) => truth.to_string(),
        Node::Null | Node::List(_) | Node::Map(_) => String::new(),
    }
}

/// The one file that a mapping writes and the server it lies on, as far as its configuration says it
/// in plain words.
fn written_file(project: &Project, mapping: &Mapping) -> Option<(String, std::path::PathBuf)> {
    let connector = project.connectors.get(&mapping.to.connector)?;
    let spec = protocols::of(connector)?.spec();
    let stream = connector.stream(&mapping.to.stream, spec)?;
    let words = |options, specs, name| OptionReader::new(options, specs).text(name).ok().flatten();
    let folder = words(&connector.with, spec.options, "path")?;
    let path = words(&stream.options, spec.stream_options, "path")?;
    (spec.carries == Carries::Bytes && path != "-").then(|| {
        let host = words(&connector.with, spec.options, "host");
        let server = host.map_or_else(String::new, |host| {
            format!("{host}:{}", words(&connector.with, spec.options, "port").unwrap_or_default())
        });
        let whole = project.root.join(folder).join(path);
        (server, whole.components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect())
    })
}

/// Whether the source can be read in the way its options and the mode of the mapping ask for.
fn way_of_reading(project: &Project, mapping: &Mapping, source: &dyn Protocol, stream: &Stream) -> Findings {
    let refers = |node: &Node| matches!(node, Node::Text(text) if text.has_reference());
    let Some(connector) = project.connectors.get(&mapping.from.connector) else { return Findings::new() };
    // What is filled in at the run is looked at then.
    if stream.options.iter().any(|(_, node)| refers(&node.value)) {
        return Findings::new();
    }
    let request = ReadRequest {
        root: &project.root,
        connector,
        stream,
        format: None,
        mode: mapping.sync.mode,
        settled: &[],
        only: None,
        window: None,
    };
    let Err(error) = source.check_source(&request) else { return Findings::new() };
    let place = error.place().cloned().unwrap_or_else(|| mapping.from.place.clone());
    let mut finding = Finding::error(error.code(), place, error.cause());
    if let Some(hint) = error.hints().first() {
        finding = finding.fix(hint.clone());
    }
    vec![finding]
}

/// Whether the source can be read and the target written at all.
fn directions(mapping: &Mapping, source: &dyn Protocol, target: &dyn Protocol) -> Findings {
    let mut findings = Findings::new();
    let can = |reads: bool| {
        protocols::ALL
            .iter()
            .map(|protocol| protocol.spec())
            .filter(|spec| if reads { spec.reads } else { spec.writes() })
            .map(|spec| format!("`{}`", spec.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !source.spec().reads {
        let cause = format!("`{}` cannot be read from", source.spec().name);
        findings.push(
            Finding::error(&codes::sync::SOURCE_UNREADABLE, mapping.from.place.clone(), cause)
                .fix(format!("read from one of: {}", can(true))),
        );
    }
    if !target.spec().writes() {
        let cause = format!("`{}` cannot be written to", target.spec().name);
        findings.push(
            Finding::error(&codes::sync::TARGET_UNWRITABLE, mapping.to.place.clone(), cause)
                .fix(format!("write to one of: {}", can(false))),
        );
    }
    findings
}
