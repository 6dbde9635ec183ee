//! What several primitives read in a connector, a mapping or the log in the same way.

use crate::comply::assess::Subject;
use crate::comply::facts::LogFacts;
use crate::config::{Carries, Connector, Node, Spanned, Text};
use crate::error::Place;
use crate::map::Leaf;
use crate::record::ClassSet;

/// Every text of a connector's parameters and sign-in, with its key and place.
pub(super) fn texts(connector: &Connector) -> Vec<(&str, &Text, &Place)> {
    fn walk<'c>(key: &'c str, node: &'c Spanned<Node>, found: &mut Vec<(&'c str, &'c Text, &'c Place)>) {
        match &node.value {
            Node::Text(text) => found.push((key, text, &node.place)),
            Node::List(items) => items.iter().for_each(|item| walk(key, item, found)),
            Node::Map(entries) => entries.iter().for_each(|(key, node)| walk(&key.value, node, found)),
            Node::Null | Node::Bool(_) | Node::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    for (key, node) in connector.with.iter().chain(&connector.auth) {
        walk(&key.value, node, &mut found);
    }
    found
}

/// A parameter as it is written, if it is plain.
pub(super) fn parameter<'c>(connector: &'c Connector, name: &str) -> Option<(String, &'c Place)> {
    let entry = connector.with.iter().chain(&connector.auth).find(|(key, _)| key.value == name)?;
    let text = match &entry.1.value {
        Node::Text(text) => text.to_string(),
        Node::Number(text) => text.clone(),
        Node::Bool(truth) => truth.to_string(),
        Node::Null | Node::List(_) | Node::Map(_) => return None,
    };
    Some((text, &entry.1.place))
}

/// Whether anything of it goes over a network.
pub(super) fn is_networked(connector: &Connector) -> bool {
    !matches!(connector.uses.value.as_str(), "file" | "sqlite")
}

/// Whether a host is this machine.
pub(super) fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host == "::1" || host.starts_with("127.") || host.starts_with('/') || host.is_empty()
}

/// The host of an address, if it is one.
pub(super) fn host_of(address: &str) -> Option<&str> {
    let rest = address.split_once("://")?.1;
    let rest = rest.split(['/', '?', '#']).next()?;
    let rest = rest.rsplit('@').next()?;
    if rest.starts_with('[') {
        return rest.split_once(']').map(|(host, _)| host.trim_start_matches('['));
    }
    rest.split(':').next()
}

/// `connector crm`.
pub(super) fn object(connector: &Connector) -> String {
    format!("connector {}", connector.name)
}

/// Whether a target keeps what it gets: everything does but a stream to standard output.
pub(super) fn keeps(connector: &Connector) -> bool {
    connector.spec.is_none_or(|spec| spec.carries == Carries::Rows || !connector.streams.values().any(is_a_pipe))
}

fn is_a_pipe(stream: &crate::config::Stream) -> bool {
    stream.options.iter().any(|(key, node)| {
        key.value == "path" && matches!(&node.value, Node::Text(text) if text.as_literal() == Some("-"))
    })
}

/// Where the rule of a leaf is written.
pub(super) fn place_of(leaf: &Leaf) -> &Place {
    leaf.rule.source.as_ref().map_or(&leaf.rule.target.place, |source| &source.place)
}

/// What functions a class passed on its way to a leaf.
pub(super) fn passed(leaf: &Leaf, classes: ClassSet) -> Vec<&str> {
    let of = leaf.flow.passages.iter().filter(|step| !step.before.both(classes).is_empty());
    of.map(|step| step.through.as_str()).collect()
}

/// The log, where it is at hand and recording; else it is said that nobody can tell.
pub(super) fn log<'s>(subject: &Subject<'s>, notes: &mut crate::comply::assess::Notes) -> Option<&'s LogFacts> {
    let found = subject.facts.log.as_ref().filter(|log| log.events > 0);
    if found.is_none() {
        notes
            .untested("audit log", "nothing is recorded yet")
            .fix("run a route, or `consign audit add`, and check again");
    }
    found
}

/// `3 days`.
pub(super) fn days(ns: i64) -> String {
    let days = ns / crate::comply::facts::DAY_NS;
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

/// `5 hours`, `3 days`.
pub(super) fn age(ns: i64) -> String {
    let hours = ns / crate::comply::facts::HOUR_NS;
    match hours {
        0 => "less than an hour".into(),
        1 => "1 hour".into(),
        2..48 => format!("{hours} hours"),
        _ => days(ns),
    }
}

/// A few names out of many, for a sentence.
pub(super) fn few<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(5).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown} and {} more", names.len() - 5) } else { shown }
}
