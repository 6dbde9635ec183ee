//! JSON: one document with the name and version of its schema. Values are raw: numbers, seconds,
//! bytes, shares from 0 to 1, moments as RFC 3339.

use serde_json::{Map, Value, json};

use super::super::document::{Block, Cell, Chart, Fact, Graph, Remark, Report, Section, Table};
use super::said::moment;

/// The document.
pub fn document(report: &Report) -> Value {
    let mut members = Map::new();
    members.insert("schema".into(), json!(report.kind.schema()));
    for (name, value) in &report.data {
        members.insert((*name).to_string(), value.clone());
    }
    members.insert("title".into(), json!(report.title));
    if let Some((tone, text)) = &report.lead {
        members.insert("summary".into(), json!({ "tone": tone.word(), "text": text }));
    }
    members.insert("provenance".into(), facts(&report.provenance.facts()));
    let sections = report.sections.iter().map(|of| (of.id.to_string(), section(of)));
    members.insert("sections".into(), Value::Object(sections.collect()));
    Value::Object(members)
}

/// A section: its title, its texts, and a member for each block with a key.
fn section(of: &Section) -> Value {
    let mut members = Map::new();
    members.insert("title".into(), json!(of.title));
    let mut texts = Vec::new();
    for block in &of.blocks {
        let (key, value) = match block {
            Block::Text(text) => {
                texts.push(json!(text));
                continue;
            }
            Block::Note(tone, text) => {
                texts.push(json!({ "tone": tone.word(), "text": text }));
                continue;
            }
            Block::Facts { key, facts: of } => (key, facts(of)),
            Block::Tiles { key, tiles } => {
                let tile = |of: &super::super::document::Tile| {
                    (of.key.to_string(), json!({ "value": raw(&of.value), "tone": of.tone.word(), "more": of.more }))
                };
                (key, Value::Object(tiles.iter().map(tile).collect()))
            }
            Block::Table(of) => {
                if let Some((left_out, why)) = &of.left_out {
                    members.insert(format!("{}_left_out", of.key), json!({ "rows": left_out, "why": why }));
                }
                (&of.key, table(of))
            }
            Block::Chart(of) => (&of.key, chart(of)),
            Block::Graph(of) => (&of.key, graph(of)),
            Block::Remarks { key, remarks, .. } => (key, remarks.iter().map(remark).collect()),
            Block::Literal { key, text, .. } => (key, json!(text)),
        };
        members.insert(key.to_string(), value);
    }
    if !texts.is_empty() {
        members.insert("texts".into(), Value::Array(texts));
    }
    Value::Object(members)
}

/// Facts as an object; a dot in a key makes an object inside.
pub fn facts(of: &[Fact]) -> Value {
    let mut members = Map::new();
    for fact in of {
        let value = raw(&fact.value);
        match fact.key.split_once('.') {
            Some((outer, inner)) => {
                let below = members.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(below) = below {
                    below.insert(inner.to_string(), value);
                }
            }
            None => {
                members.insert(fact.key.to_string(), value);
            }
        }
    }
    Value::Object(members)
}

fn table(of: &Table) -> Value {
    let row = |row: &Vec<Cell>| -> Value {
        Value::Object(of.columns.iter().map(|c| c.key.to_string()).zip(row.iter().map(raw)).collect())
    };
    of.rows.iter().map(row).collect()
}

fn chart(of: &Chart) -> Value {
    let series: Vec<Value> = of
        .series
        .iter()
        .map(|s| json!({ "name": s.name, "values": s.values.iter().map(raw).collect::<Vec<_>>() }))
        .collect();
    json!({ "title": of.title, "labels": of.labels.iter().map(raw).collect::<Vec<_>>(), "series": series })
}

fn graph(of: &Graph) -> Value {
    let nodes: Vec<Value> = of
        .nodes
        .iter()
        .map(|n| json!({ "label": n.label, "more": n.more, "group": n.group, "column": n.column, "tone": n.tone.word() }))
        .collect();
    let edges: Vec<Value> = of.edges.iter().map(|e| json!({ "from": e.from, "to": e.to, "label": e.label })).collect();
    json!({ "title": of.title, "nodes": nodes, "edges": edges })
}

fn remark(of: &Remark) -> Value {
    json!({
        "tone": of.tone.word(),
        "code": of.code,
        "what": of.what,
        "at": of.at,
        "evidence": of.evidence,
        "fix": of.fix,
    })
}

/// A value as it is.
pub(super) fn raw(value: &Cell) -> Value {
    // What was computed is the same to nine digits on every machine, and reads better so.
    let number = |n: f64| -> Value {
        let rounded = (n * 1e9).round() / 1e9;
        if n.abs() < 1e6 && rounded.is_finite() { json!(rounded) } else { json!(n) }
    };
    match value {
        Cell::Nothing => Value::Null,
        Cell::Text(text) | Cell::Code(text) => json!(text),
        Cell::Count(n) | Cell::Bytes(n) => json!(n),
        Cell::Number(n, _) | Cell::Share(n) | Cell::Change(n) | Cell::Points(n) => number(*n),
        Cell::Time(ns) => number(*ns as f64 / 1e9),
        Cell::Moment(ns) => json!(moment(*ns)),
        Cell::Yes(yes) => json!(yes),
        Cell::State(_, word) => json!(word),
        Cell::Many(several) => several.iter().map(raw).collect(),
    }
}
