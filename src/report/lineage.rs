//! The report of lineage: for each target field where its value comes from, through which functions,
//! which data classes it carries and what protects them.
//!
//! A route whose newest run had the mapping as it stands is told from the compiled mapping, classes
//! followed through every function. One that was changed since is told as it ran: from the text that was
//! kept with the run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::document::{Cell, Edge, Graph, Kind, Node, Report, Section, Table, Tone};
use super::provenance::Provenance;
use super::shape::counted;
use crate::config::Mapping;
use crate::error::Result;
use crate::expr::Effect;
use crate::map::{Leaf, Route};
use crate::record::ClassSet;
use crate::store::{RunRow, Store};

/// The report of lineage.
pub static KIND: Kind = Kind {
    name: "lineage",
    about: "field by field from source through functions to target, with data classes",
    version: 1,
};

/// A mapping whose lineage is told.
pub struct Subject<'m> {
    /// Its route.
    pub name: String,
    /// `connector.stream` it reads.
    pub from: String,
    /// `connector.stream` it writes.
    pub to: String,
    /// The hash of the mapping as it stands.
    pub hash: String,
    /// The mapping compiled; `None`: it has faults.
    pub route: Option<&'m Route>,
    /// The names of its `let`, with their texts.
    pub lets: Vec<(String, String)>,
}

impl<'m> Subject<'m> {
    /// A mapping, and what it was compiled to.
    pub fn of(mapping: &Mapping, route: Option<&'m Route>) -> Self {
        Self {
            name: mapping.name.value.clone(),
            from: format!("{}.{}", mapping.from.connector, mapping.from.stream),
            to: format!("{}.{}", mapping.to.connector, mapping.to.stream),
            hash: mapping.hash.clone(),
            route,
            lets: mapping.lets.iter().map(|one| (one.name.value.clone(), one.expression.text.clone())).collect(),
        }
    }
}

/// The fields of a mapping as it was kept under a hash: from the compiled one if that is the same.
pub(super) fn lines(store: &Store, compiled: Option<&Subject<'_>>, hash: &str) -> Result<Vec<Line>> {
    if let Some((subject, route)) = compiled.and_then(|subject| Some((subject, subject.route?))) {
        return Ok(route.leaves.iter().map(|leaf| of_leaf(leaf, &subject.lets)).collect());
    }
    let kept: Option<Value> = store.config(hash)?.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.map_or_else(Vec::new, |kept| of_kept(&kept)))
}

/// One target field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) target: String,
    pub(super) sources: Vec<String>,
    through: Vec<String>,
    pub(super) classes_in: Vec<String>,
    pub(super) classes_out: Vec<String>,
    pub(super) protected_by: Vec<String>,
    decided_by: Vec<String>,
}

/// A route with its fields.
struct Told {
    name: String,
    from: String,
    to: String,
    hash: String,
    run: Option<RunRow>,
    /// As it ran, which is not as it stands.
    kept: bool,
    lines: Vec<Line>,
}

/// Gathers the lineage of mappings.
///
/// # Errors
/// The state cannot be read.
pub fn gather(store: Option<&Store>, subjects: &[Subject<'_>], project: &str) -> Result<Report> {
    let query = "the kept configuration of the newest run of each route, and the mappings as they stand";
    let mut provenance = match store {
        Some(store) => Provenance::of(store, query)?,
        None => Provenance::without_state(query),
    };
    let mut all = Vec::new();
    for subject in subjects {
        all.push(told(store, subject)?);
    }
    let fields: usize = all.iter().map(|route| route.lines.len()).sum();
    provenance = provenance
        .parameter("routes", Cell::codes(subjects.iter().map(|subject| subject.name.clone())))
        .count("routes", all.len() as u64)
        .count("fields", fields as u64);
    provenance.configuration = vec![("project".to_string(), project.to_string())];
    provenance.configuration.extend(all.iter().map(|route| (route.name.replace('.', "_"), route.hash.clone())));
    let (bare, guarded) = all.iter().flat_map(|route| &route.lines).fold((0_u64, 0_u64), |(bare, guarded), line| {
        (bare + u64::from(!line.classes_out.is_empty()), guarded + u64::from(!line.protected_by.is_empty()))
    });
    let lead = format!(
        "{} of {}: {} data classes in clear, {} protected on the way.",
        counted(fields as u64, "field", "fields"),
        counted(all.len() as u64, "route", "routes"),
        counted(bare, "carries", "carry"),
        counted(guarded, "is", "are")
    );
    let mut report = Report::new(&KIND, "Lineage", provenance).lead(Tone::Plain, lead);
    report.data.push(("openlineage", events(&all)));
    report.push(Section::new("systems", "Between systems").graph(systems(&all)));
    for route in &all {
        report.push(section(route));
    }
    Ok(report)
}

fn told(store: Option<&Store>, subject: &Subject<'_>) -> Result<Told> {
    let run = match store {
        Some(store) => store.route(&subject.name)?.last_run.map(|id| store.run(&id)).transpose()?,
        None => None,
    };
    let differs = run.as_ref().is_some_and(|run| run.mapping != subject.hash);
    let mut told = Told {
        name: subject.name.clone(),
        from: subject.from.clone(),
        to: subject.to.clone(),
        hash: subject.hash.clone(),
        kept: false,
        lines: Vec::new(),
        run,
    };
    let kept = match (&told.run, store) {
        (Some(run), Some(store)) if differs || subject.route.is_none() => store.config(&run.mapping)?,
        _ => None,
    };
    let kept: Option<Value> = kept.and_then(|text| serde_json::from_str(&text).ok());
    match (kept, subject.route) {
        (Some(kept), _) => {
            told.kept = true;
            told.hash = told.run.as_ref().map_or_else(String::new, |run| run.mapping.clone());
            let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
            (told.from, told.to) = (word(&kept["from"]), word(&kept["to"]));
            told.lines = of_kept(&kept);
        }
        (None, Some(route)) => {
            told.lines = route.leaves.iter().map(|leaf| of_leaf(leaf, &subject.lets)).collect();
        }
        (None, None) => {}
    }
    Ok(told)
}

fn names(classes: ClassSet) -> Vec<String> {
    classes.iter().map(|id| id.class().name.to_string()).collect()
}

/// A field of a compiled mapping.
fn of_leaf(leaf: &Leaf, lets: &[(String, String)]) -> Line {
    use crate::config::Make;
    let mut text = leaf.rule.transform().map_or_else(String::new, |transform| transform.text.clone());
    if let Make::Cases(cases) = &leaf.rule.make {
        for case in cases {
            if let Some(when) = &case.when {
                text.push_str(&format!(" {}", when.text));
            }
            text.push_str(&format!(" {}", case.then.text));
        }
    }
    let mut through: Vec<String> = called(&text);
    if matches!(leaf.rule.make, Make::Table(_) | Make::Cases(_)) {
        through.push("switch".to_string());
    }
    let mut sources: Vec<String> = leaf.source.iter().map(ToString::to_string).collect();
    add(&mut sources, reads(&text, lets));
    let mut classes_in = leaf.flow.source;
    let mut protected_by = Vec::new();
    for passage in &leaf.flow.passages {
        classes_in = classes_in.union(passage.before);
        if passage.effect == Effect::Protects {
            add(&mut protected_by, vec![passage.through.clone()]);
        }
    }
    let when = leaf.rule.when.as_ref().map(|when| when.text.trim().to_string());
    Line {
        target: leaf.target.to_string(),
        sources,
        through,
        classes_in: names(classes_in),
        classes_out: names(leaf.flow.classes),
        protected_by,
        decided_by: when.map_or_else(Vec::new, |when| reads(&when, lets)),
    }
}

/// The fields of a mapping as it was kept: what can be read from its text.
fn of_kept(mapping: &Value) -> Vec<Line> {
    let lets: Vec<(String, String)> = mapping["let"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one[1].as_str()?.to_string(), one[2].as_str()?.to_string())))
        .collect();
    let mut lines = Vec::new();
    kept_rules(&mapping["fields"], "", &lets, &mut lines);
    lines
}

fn kept_rules(rules: &Value, around: &str, lets: &[(String, String)], lines: &mut Vec<Line>) {
    for rule in rules.as_array().into_iter().flatten() {
        let own = rule["target"].as_str().unwrap_or_default();
        let target = if around.is_empty() { own.to_string() } else { format!("{around}.{own}") };
        let mut texts: Vec<&str> = rule["transform"].as_str().into_iter().collect();
        for case in rule["switch"].as_array().into_iter().flatten() {
            texts.extend(case["when"].as_str());
            texts.extend(case["then"].as_str());
        }
        let text = texts.join(" ");
        let mut sources: Vec<String> = rule["source"].as_str().map(ToString::to_string).into_iter().collect();
        add(&mut sources, reads(&text, lets));
        let through = called(&text);
        let protected_by = through.iter().filter(|name| PROTECTING.contains(&name.as_str())).cloned().collect();
        let class = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|one| Some(one.as_str()?.to_string())).collect()
        };
        lines.push(Line {
            target: target.clone(),
            sources,
            through,
            classes_in: Vec::new(),
            classes_out: class(&rule["class"]),
            protected_by,
            decided_by: rule["when"].as_str().map_or_else(Vec::new, |when| reads(when, lets)),
        });
        kept_rules(&rule["object"]["fields"], &target, lets, lines);
        kept_rules(&rule["for_each"]["fields"], &format!("{target}[*]"), lets, lines);
        for (index, element) in rule["list"].as_array().into_iter().flatten().enumerate() {
            kept_rules(&element["fields"], &format!("{target}[{index}]"), lets, lines);
        }
    }
}

/// Functions that protect, by name: all that is known of one in a text that is not compiled.
const PROTECTING: &[&str] = &[
    "encrypt",
    "encrypt_for",
    "encrypt_joinable",
    "fpe_encrypt",
    "hmac_sha256",
    "mask",
    "mask_email",
    "mask_iban",
    "mask_pan",
    "pseudonymize",
    "random_token",
    "redact",
    "reencrypt",
    "safe_harbor_year",
    "tokenize",
];

fn add(to: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}

/// The paths that an expression reads of its record, names of `let` taken apart.
fn reads(text: &str, lets: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    collect(text, lets, &mut Vec::new(), &mut found);
    found
}

fn collect<'l>(text: &str, lets: &'l [(String, String)], seen: &mut Vec<&'l str>, found: &mut Vec<String>) {
    for word in words(text) {
        if let Some(path) = word.strip_prefix("record.") {
            let path = path.trim_start_matches('?').replace(".?", ".");
            // A call at the end is no field.
            let path = match word.ends_with('(') {
                true => path.rsplit_once('.').map_or(String::new(), |(path, _)| path.to_string()),
                false => path,
            };
            if !path.is_empty() {
                add(found, vec![path]);
            }
        } else if let Some((name, inside)) = lets.iter().find(|(name, _)| {
            word.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }) && !seen.contains(&name.as_str())
        {
            seen.push(name);
            collect(inside, lets, seen, found);
        }
    }
}

/// The functions that an expression calls, in order, each once.
fn called(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in words(text) {
        if let Some(path) = word.strip_suffix('(') {
            let name = path.rsplit(['.', '?']).next().unwrap_or_default();
            if !name.is_empty() {
                add(&mut found, vec![name.to_string()]);
            }
        }
    }
    found
}

/// Names with points in a text, strings left out; a call keeps its parenthesis.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some(_) if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c.is_alphanumeric() || c == '_' || (c == '.' && !word.is_empty()) => word.push(c),
            None if c == '?' && word.ends_with('.') => word.push(c),
            None => {
                if c == '"' || c == '\'' {
                    quote = Some(c);
                }
                if c == '(' && !word.is_empty() {
                    word.push(c);
                }
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.retain(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words
}

fn systems(all: &[Told]) -> Graph {
    let mut graph = Graph { key: "systems".into(), title: "streams, from left to right".into(), ..Graph::default() };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    // A stream that is written and read again stands to the right of what it comes from.
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..all.len() {
        let before = columns.clone();
        for route in all {
            let left = *columns.entry(&route.from).or_default();
            let right = columns.entry(&route.to).or_default();
            if route.from != route.to {
                *right = (*right).max(left + 1).min(6);
            }
        }
        if columns == before {
            break;
        }
    }
    let mut order: Vec<(&str, usize)> = columns.into_iter().collect();
    order.sort_by_key(|(name, column)| (*column, name.to_string()));
    for (stream, column) in order {
        let (connector, name) = stream.split_once('.').unwrap_or((stream, ""));
        places.insert(stream.to_string(), graph.nodes.len());
        graph.nodes.push(Node {
            label: name.to_string(),
            more: None,
            group: Some(connector.to_string()),
            column,
            tone: Tone::Plain,
        });
    }
    for route in all {
        if let (Some(from), Some(to)) = (places.get(&route.from), places.get(&route.to)) {
            graph.edges.push(Edge { from: *from, to: *to, label: Some(route.name.clone()) });
        }
    }
    graph
}

/// The fields of a route: a table, and a graph from sources through what protects or computes to targets.
fn section(of: &Told) -> Section {
    let columns = ["target", "sources", "through", "classes", "protected_by", "carries", "decided_by"];
    let mut table = Table::new("fields", &columns, "It writes no field, or has faults: see `consign map check`.")
        .label("sources", "from")
        .label("classes", "classes read");
    for line in &of.lines {
        table.push(vec![
            Cell::Code(line.target.clone()),
            Cell::codes(line.sources.clone()),
            Cell::codes(line.through.clone()),
            Cell::codes(line.classes_in.clone()),
            Cell::codes(line.protected_by.clone()),
            Cell::codes(line.classes_out.clone()),
            Cell::codes(line.decided_by.clone()),
        ]);
    }
    let text = match (&of.run, of.kept) {
        (Some(run), true) => format!(
            "{} to {}, as it ran in {}: the mapping was changed since. Classes are those that its rules name.",
            of.from, of.to, run.id
        ),
        (Some(_), false) => format!("{} to {}, as it ran last and stands now.", of.from, of.to),
        (None, _) => format!("{} to {}, as it stands; it never ran.", of.from, of.to),
    };
    let id = format!("route_{}", of.name);
    Section::new(id, format!("Route {}", of.name)).text(text).graph(graph(of)).table(table)
}

fn graph(of: &Told) -> Graph {
    let mut graph = Graph { key: "graph".into(), title: format!("fields of {}", of.name).into(), ..Graph::default() };
    let mut sources: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for line in &of.lines {
        for source in &line.sources {
            let known = sources.len();
            let entry = sources.entry(source).or_insert((known, Vec::new()));
            if line.sources.len() == 1 {
                add(&mut entry.1, line.classes_in.clone());
            }
        }
    }
    let some = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
    let mut ordered: Vec<_> = sources.iter().map(|(name, (at, classes))| (*at, *name, classes.clone())).collect();
    ordered.sort();
    for (_, name, classes) in &ordered {
        graph.nodes.push(Node {
            label: (*name).to_string(),
            more: some(classes),
            group: Some(of.from.clone()),
            column: 0,
            tone: Tone::Plain,
        });
    }
    for line in &of.lines {
        let step = (!line.through.is_empty()).then(|| {
            graph.nodes.push(Node {
                label: line.through.join(", "),
                more: (!line.protected_by.is_empty()).then(|| "protects".to_string()),
                group: None,
                column: 1,
                tone: if line.protected_by.is_empty() { Tone::Plain } else { Tone::Good },
            });
            graph.nodes.len() - 1
        });
        graph.nodes.push(Node {
            label: line.target.clone(),
            more: some(&line.classes_out),
            group: Some(of.to.clone()),
            column: 2,
            tone: if line.classes_out.is_empty() { Tone::Plain } else { Tone::Warn },
        });
        let target = graph.nodes.len() - 1;
        for source in &line.sources {
            let Some((at, _)) = sources.get(source.as_str()) else { continue };
            graph.edges.push(Edge { from: *at, to: step.unwrap_or(target), label: None });
        }
        if let Some(step) = step {
            graph.edges.push(Edge { from: step, to: target, label: None });
        }
    }
    graph
}

/// The lineage as events of OpenLineage 2-0-2 with the column lineage facet 1-2-0:
/// <https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet>.
fn events(all: &[Told]) -> Value {
    const PRODUCER: &str = concat!("urn:consign:", env!("CARGO_PKG_VERSION"));
    let dataset = |of: &str| {
        let (connector, stream) = of.split_once('.').unwrap_or((of, ""));
        json!({ "namespace": format!("consign://{connector}"), "name": stream })
    };
    all.iter()
        .map(|route| {
            let (namespace, name) = (dataset(&route.from)["namespace"].clone(), dataset(&route.from)["name"].clone());
            let fields: serde_json::Map<String, Value> = route
                .lines
                .iter()
                .map(|line| {
                    let inputs: Vec<Value> = line
                        .sources
                        .iter()
                        .map(|source| {
                            let transformation = json!({
                                "type": "DIRECT",
                                "subtype": if line.through.is_empty() { "IDENTITY" } else { "TRANSFORMATION" },
                                "description": line.through.join(", "),
                                "masking": !line.protected_by.is_empty(),
                            });
                            json!({ "namespace": namespace, "name": name, "field": source, "transformations": [transformation] })
                        })
                        .collect();
                    (line.target.clone(), json!({ "inputFields": inputs }))
                })
                .collect();
            let mut output = dataset(&route.to);
            output["facets"] = json!({
                "columnLineage": {
                    "_producer": PRODUCER,
                    "_schemaURL": "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
                    "fields": fields,
                }
            });
            let at = route.run.as_ref().map_or(0, |run| run.started_ns);
            json!({
                "eventTime": super::shape::moment(at),
                "producer": PRODUCER,
                "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
                "job": { "namespace": "consign", "name": route.name },
                "inputs": [dataset(&route.from)],
                "outputs": [output],
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_expression_reads_and_calls() {
        let lets = [
            ("agreed".to_string(), "record.?consent.orValue(false)".to_string()),
            ("loop".to_string(), "loop + record.x".to_string()),
        ];
        let check = |text: &str, paths: &[&str], functions: &[&str]| {
            assert_eq!(reads(text, &lets), paths, "{text}");
            assert_eq!(called(text), functions, "{text}");
        };
        check("value", &[], &[]);
        check("normalize_email(value)", &[], &["normalize_email"]);
        check("record.a.b + \" record.c( \" + trim(record.d)", &["a.b", "d"], &["trim"]);
        check(
            "agreed ? record.?first.orValue('') : upper(record.name.trim())",
            &["consent", "first", "name"],
            &["orValue", "upper", "trim"],
        );
        check("loop", &["x"], &[]);
        check("1.5 + record.amount", &["amount"], &[]);
    }

    #[test]
    fn a_kept_mapping_is_told_from_its_text() {
        let mapping = json!({
            "fields": [
                { "target": "email", "source": "mail", "transform": "mask_email(value)", "class": ["pii.contact.email"] },
                { "target": "lines", "for_each": { "fields": [{ "target": "price", "source": "p" }] } },
            ]
        });
        let lines = of_kept(&mapping);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].protected_by, ["mask_email"]);
        assert_eq!((lines[2].target.as_str(), &lines[2].sources[..]), ("lines[*].price", &["p".to_string()][..]));
    }
}
