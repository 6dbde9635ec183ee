//! Sections 6 to 9 of the report on compliance: which data there is, where it goes, how it is protected,
//! how long it is kept, and under which agreements it leaves.

use std::collections::BTreeMap;

use super::super::classes::{names, regimes, sensitive};
use super::super::document::{Cell, Edge, Graph, Node, Section, Table, Tone};
use crate::comply::Subject;
use crate::comply::assess::Way;
use crate::config::governance::Agreement;
use crate::expr::Effect;
use crate::record::ClassSet;

/// 6: fields with classes, and the map of flows.
pub(super) fn inventory(subject: &Subject<'_>) -> Section {
    let columns = ["system", "stream", "field", "type", "classes", "sensitivity", "regimes"];
    let mut table = Table::new("fields", &columns, "No field has a data class.");
    let mut plain = 0;
    // Of each stream of a system: names of fields, their types, their classes.
    type Known = Vec<(String, String, ClassSet)>;
    let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
    for way in &subject.routes {
        let of = known.entry((way.source.name.clone(), way.mapping.from.stream.clone())).or_default();
        for field in way.declared() {
            if !of.iter().any(|(name, ..)| *name == field.name) {
                of.push((field.name.clone(), field.kind.to_string(), field.classes));
            }
        }
        let leaves = way.route.map_or(&[][..], |route| &route.leaves);
        for leaf in leaves {
            let Some(source) = &leaf.source else { continue };
            let name = source.to_string();
            match of.iter_mut().find(|(known, ..)| *known == name) {
                Some(entry) => entry.2 = entry.2.union(leaf.flow.source),
                None => of.push((
                    name,
                    leaf.source_kind.as_ref().map_or(String::new(), ToString::to_string),
                    leaf.flow.source,
                )),
            }
        }
    }
    for connector in subject.project.connectors.values() {
        for stream in connector.streams.values() {
            let of = known.entry((connector.name.clone(), stream.name.clone())).or_default();
            for field in &stream.fields {
                if !of.iter().any(|(name, ..)| *name == field.name) {
                    of.push((field.name.clone(), field.kind.to_string(), field.classes));
                }
            }
        }
    }
    for ((system, stream), fields) in known {
        for (name, kind, of) in fields {
            let of = sensitive(of);
            if of.is_empty() {
                plain += 1;
                continue;
            }
            table.push(vec![
                Cell::from(system.as_str()),
                Cell::from(stream.as_str()),
                Cell::Code(name),
                Cell::from(kind),
                names(of),
                Cell::Count(of.iter().map(|id| u64::from(id.class().sensitivity)).max().unwrap_or(0)),
                regimes(of),
            ]);
        }
    }
    Section::new("inventory", "6. Data and its flows")
        .table(table)
        .text(format!("Fields without a data class, not listed: {plain}."))
        .graph(flows(subject))
}

/// Systems, and what goes from one to the other.
fn flows(subject: &Subject<'_>) -> Graph {
    let mut graph = Graph { key: "flows".into(), title: "Which classes go where in clear".into(), ..Graph::default() };
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for way in &subject.routes {
        for connector in [way.source, way.target] {
            let is_source = subject.routes.iter().any(|other| other.source.name == connector.name);
            let is_target = subject.routes.iter().any(|other| other.target.name == connector.name);
            place.entry(connector.name.as_str()).or_insert_with(|| {
                let external = connector.custody.kind.is_some_and(|kind| kind.external());
                let more = [connector.region.clone(), external.then(|| "outside".to_string())];
                let more: Vec<String> = more.into_iter().flatten().collect();
                graph.nodes.push(Node {
                    label: connector.name.clone(),
                    more: (!more.is_empty()).then(|| more.join(", ")),
                    group: None,
                    column: match (is_source, is_target) {
                        (true, false) => 0,
                        (true, true) => 1,
                        _ => 2,
                    },
                    tone: if external { Tone::Warn } else { Tone::Plain },
                });
                graph.nodes.len() - 1
            });
        }
    }
    for way in &subject.routes {
        let (Some(from), Some(to)) = (place.get(way.source.name.as_str()), place.get(way.target.name.as_str())) else {
            continue;
        };
        let written: Vec<&str> = sensitive(way.written()).iter().map(|id| id.class().name).collect();
        let label = match (written.is_empty(), sensitive(way.read()).is_empty()) {
            (false, _) => written.join(", "),
            (true, false) => "protected".to_string(),
            (true, true) => "nothing sensitive".to_string(),
        };
        graph.edges.push(Edge { from: *from, to: *to, label: Some(format!("{}: {label}", way.name())) });
    }
    graph
}

/// 7: what protects which field.
pub(super) fn protection(subject: &Subject<'_>) -> Section {
    let columns = ["route", "field", "holds", "protected_by", "in_clear", "rule"];
    let mut table = Table::new("fields", &columns, "No route writes anything made of a field with a data class.")
        .label("in_clear", "written in clear")
        .label("protected_by", "protected by");
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        for leaf in &route.leaves {
            let (holds, clear) = (sensitive(leaf.flow.source), sensitive(leaf.flow.classes));
            if holds.is_empty() && clear.is_empty() {
                continue;
            }
            let mut by: Vec<String> = leaf
                .flow
                .passages
                .iter()
                .filter(|step| {
                    matches!(step.effect, Effect::Protects | Effect::Declassifies) && step.through != "switch"
                })
                .map(|step| step.through.clone())
                .collect();
            let declared = holds.iter().filter_map(|class| {
                way.mapping.compliance.protection(class, &subject.project.compliance.rules).map(|said| {
                    let key = said.key.as_ref().map_or(String::new(), |key| format!(" with {}", key.value));
                    format!("{}{key}", said.action.word())
                })
            });
            by.extend(declared);
            by.sort();
            by.dedup();
            table.push(vec![
                Cell::from(way.name()),
                Cell::Code(leaf.target.to_string()),
                names(holds),
                Cell::codes(by),
                names(clear),
                Cell::code(leaf.rule.transform().map(|transform| transform.text.clone())),
            ]);
        }
    }
    let mut keys = Table::new("keys", &["key", "version", "purpose", "state", "made", "last_used"], "No key was made.")
        .titled("Keys");
    for key in subject.facts.keys.iter().flatten() {
        keys.push(vec![
            Cell::Code(key.name.clone()),
            Cell::Count(u64::from(key.version)),
            Cell::from(key.purpose.as_str()),
            Cell::from(key.state.as_str()),
            Cell::Moment(key.made),
            Cell::moment(key.used),
        ]);
    }
    Section::new("protection", "7. Protection").table(table).table(keys)
}

/// 8: how long what is kept.
pub(super) fn retention(subject: &Subject<'_>) -> Section {
    let project = subject.project;
    let mut table =
        Table::new("routes", &["route", "target", "kept_days", "said_by", "dead_letters_days"], "There is no route.")
            .label("kept_days", "kept, days")
            .label("said_by", "said by")
            .label("dead_letters_days", "dead letters kept, days");
    for way in &subject.routes {
        let (days, by) = kept(way);
        table.push(vec![
            Cell::from(way.name()),
            Cell::from(format!("{}.{}", way.target.name, way.mapping.to.stream)),
            days.map(u64::from).into(),
            Cell::from(by),
            Cell::Count(u64::from(way.mapping.sync.on_error.keep_days.unwrap_or(project.keep_days))),
        ]);
    }
    let mut rules = Table::new("classes", &["class", "kept_days"], "No class has a limit of its own.")
        .titled("Limits for classes")
        .label("kept_days", "kept, days");
    for (class, days) in &project.compliance.rules.retention {
        rules.push(vec![Cell::Code(class.class().name.into()), Cell::Count(u64::from(*days))]);
    }
    let mut done = Table::new("done", &["what", "events", "last"], "Nothing was erased or removed.")
        .titled("Erased and removed in the period");
    let actions = ["subject.erased", "key.destroyed", "dead_letters.purged", "audit.pruned", "audit.redacted"];
    if let Some(log) = &subject.facts.log {
        for (action, kind) in log.actions.iter().filter(|(action, _)| actions.contains(&action.as_str())) {
            done.push(vec![Cell::Code(action.clone()), Cell::Count(kind.count), Cell::Moment(kind.last_ns)]);
        }
    }
    let days = project.audit.retention_days.map(u64::from);
    let letters = subject.facts.letters.as_ref();
    let facts = vec![
        super::super::document::named(
            "audit_days",
            "audit log kept, days",
            days.map_or(Cell::from("for ever"), Cell::Count),
        ),
        super::super::document::named("dead_letters", "dead letters that wait", letters.map(|of| of.count)),
        super::super::document::named("overdue", "of them past their time", letters.map(|of| of.overdue)),
        super::super::document::named("resurrected", "erased subjects that came back", subject.facts.resurrected),
    ];
    Section::new("retention", "8. Retention and erasure").facts("facts", facts).table(table).table(rules).table(done)
}

/// How long the target of a route keeps what is written, and who says so.
pub(in crate::report) fn kept(way: &Way<'_>) -> (Option<u32>, &'static str) {
    match (way.mapping.compliance.retention_days, way.target.custody.retention_days) {
        (Some(days), _) => (Some(days), "mapping"),
        (None, Some(days)) => (Some(days), "connector"),
        (None, None) => (None, "nobody"),
    }
}

/// 9: who else gets data, where, and under which agreement.
pub(super) fn transfers(subject: &Subject<'_>) -> Section {
    let columns = ["system", "seen_by", "region", "agreements", "classes_in_clear", "owner"];
    let mut table = Table::new("systems", &columns, "There is no system.")
        .label("seen_by", "seen by")
        .label("classes_in_clear", "gets in clear");
    for connector in subject.project.connectors.values() {
        let gets = subject.routes.iter().filter(|way| way.target.name == connector.name);
        let clear = gets.fold(ClassSet::NONE, |set, way| set.union(sensitive(way.written())));
        table.push(vec![
            Cell::from(connector.name.as_str()),
            connector.custody.kind.map(|kind| kind.word()).into(),
            Cell::from(connector.region.clone()),
            Cell::Many(connector.agreements.iter().map(|of| agreement(of, subject.now_ns)).collect()),
            names(clear),
            Cell::from(connector.custody.owner.clone()),
        ]);
    }
    let mut grounds = Table::new(
        "transfers",
        &["route", "from", "to", "ground", "reference"],
        "No route declares a ground for a transfer.",
    )
    .titled("Grounds for transfers");
    for way in &subject.routes {
        if let Some(transfer) = &way.mapping.compliance.transfer {
            grounds.push(vec![
                Cell::from(way.name()),
                Cell::from(way.source.region.clone()),
                Cell::from(way.target.region.clone()),
                Cell::from(transfer.ground.as_str()),
                Cell::code(transfer.reference.clone()),
            ]);
        }
    }
    Section::new("transfers", "9. Transfers and contracts").table(table).table(grounds)
}

/// An agreement with its end.
fn agreement(of: &Agreement, now_ns: i64) -> Cell {
    let reference = of.reference.as_ref().map_or(String::new(), |reference| format!(" ({reference})"));
    let Some(until) = of.until else { return Cell::from(format!("{}{reference}", of.kind)) };
    let ended = until.to_string() < super::super::shape::moment(now_ns);
    let tone = if ended { Tone::Bad } else { Tone::Plain };
    let word = if ended { "ended" } else { "until" };
    Cell::State(tone, format!("{}{reference} {word} {until}", of.kind).into())
}
