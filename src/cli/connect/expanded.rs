//! `consign connect show NAME --expanded`: every value of a pack with defaults filled in, and where it comes from.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::packs::{self, pack_of};
use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::config::keys::{Kind, Section};
use crate::config::yaml::{Raw, RawKind};
use crate::config::{Node, Piece};
use crate::connect::pack::keys::PACK;
use crate::connect::pack::streams;
use crate::error::{Error, Exit, Result};

/// One value.
struct Value {
    path: String,
    value: String,
    from: String,
}

pub(super) fn run(name: &str, context: &Context<'_>) -> Result<Exit> {
    let chosen = packs::chosen(name, context)?;
    let Some(protocol) = pack_of(chosen.spec) else { return Err(Error::bug("a pack without a pack")) };
    let pack = protocol.pack;
    let mut all = Vec::new();
    // What a connector says, or the pack says for it.
    let given = |options: &[(crate::config::Spanned<String>, crate::config::Spanned<Node>)], name: &str| {
        options.iter().find(|(key, _)| key.value == name).map(|(_, node)| (shown(&node.value), node.place.clone()))
    };
    for (section, specs) in [("with", chosen.spec.options), ("auth", chosen.spec.auth)] {
        for spec in specs {
            let options = chosen.connector.as_ref().map(|c| if section == "with" { &c.with } else { &c.auth });
            let said = options.and_then(|options| given(options, spec.name));
            let (value, from) = match (said, spec.default) {
                (Some((value, place)), default) => {
                    let same = default.is_some_and(|default| default.trim_matches('"') == value);
                    let from =
                        if same { "default of the pack".into() } else { format!("{}:{}", place.file, place.line) };
                    (value, from)
                }
                (None, Some(default)) => (default.to_owned(), "default of the pack".into()),
                (None, None) if spec.required => ("(must be given)".into(), "nobody".into()),
                (None, None) => continue,
            };
            all.push(Value { path: format!("{section}.{}", spec.name), value, from });
        }
    }
    walk(&PACK, &pack.raw, "", &format!("pack {}", pack.name), &mut all);
    let mut rows = Rows::new("values", &["path", "value", "from"]);
    let mut text = String::new();
    for value in &all {
        rows.push(vec![json!(value.path), json!(value.value), json!(value.from)]);
        let short: String = value.value.chars().take(100).collect();
        let more = if short.len() < value.value.len() { "…" } else { "" };
        let _ = writeln!(text, "{}: {short}{more}   # {}", value.path, value.from);
    }
    context.ui.answer(Answer::new().fact("name", json!(name)).fact("pack", json!(pack.name)).rows(rows).text(text))?;
    Ok(Exit::Done)
}

fn walk(section: &'static Section, raw: &Raw, path: &str, from: &str, out: &mut Vec<Value>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for key in section.keys.iter().filter(|key| key.available && !(path.is_empty() && key.name == "tests")) {
        let said = raw.entries().iter().find(|entry| entry.key == key.name || key.alias == Some(entry.key.as_str()));
        match (said, key.default) {
            (Some(entry), _) => inner(&key.kind, &entry.value, &below(key.name), from, out),
            (None, Some(default)) => out.push(Value {
                path: below(key.name),
                value: default.trim_matches('"').to_owned(),
                from: "default of the vocabulary".into(),
            }),
            (None, None) => {}
        }
    }
}

fn inner(kind: &'static Kind, raw: &Raw, path: &str, from: &str, out: &mut Vec<Value>) {
    let is_map = matches!(raw.kind, RawKind::Map { .. });
    match kind {
        Kind::Section(section) | Kind::Overlay(section) if is_map => walk(section, raw, path, from, out),
        Kind::Named(kind) => {
            for entry in raw.entries() {
                inner(kind, &entry.value, &format!("{path}.{}", entry.key), from, out);
            }
        }
        Kind::List(kind) => {
            for (at, item) in raw.items().iter().enumerate() {
                inner(kind, item, &format!("{path}[{at}]"), from, out);
            }
        }
        Kind::OneOrMany(kind) if !raw.items().is_empty() => {
            for (at, item) in raw.items().iter().enumerate() {
                inner(kind, item, &format!("{path}[{at}]"), from, out);
            }
        }
        Kind::OneOrMany(kind) => inner(kind, raw, path, from, out),
        Kind::ShortOr(_, long) if is_map => inner(long, raw, path, from, out),
        _ => out.push(Value {
            path: path.to_owned(),
            value: match streams::json(raw) {
                Json::String(text) => text.replace('\n', " "),
                other => other.to_string(),
            },
            from: from.to_owned(),
        }),
    }
}

/// A value as it is written; references as references.
fn shown(node: &Node) -> String {
    match node {
        Node::Null => "null".into(),
        Node::Bool(value) => value.to_string(),
        Node::Number(text) => text.clone(),
        Node::Text(text) => text
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Env(name) => format!("${{env:{name}}}"),
                Piece::File(name) => format!("${{file:{name}}}"),
                Piece::Command(name) => format!("${{cmd:{name}}}"),
            })
            .collect(),
        Node::List(items) => {
            format!("[{}]", items.iter().map(|item| shown(&item.value)).collect::<Vec<_>>().join(", "))
        }
        Node::Map(entries) => {
            let all: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", key.value, shown(&value.value))).collect();
            format!("{{ {} }}", all.join(", "))
        }
    }
}
