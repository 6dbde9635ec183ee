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

/// Whether what is written there is seen by others than the organisation: as it says, or, where it says
/// nothing, if it is somebody's service.
pub(super) fn is_external(connector: &Connector) -> bool {
    match connector.custody.kind {
        Some(kind) => kind.external(),
        None => connector.spec.is_some_and(|spec| spec.plugin.is_some()),
    }
}

/// What a connector serves: `production` unless it or the project says otherwise.
pub(super) fn environment_of<'s>(subject: &Subject<'s>, connector: &'s Connector) -> &'s str {
    connector.custody.environment.as_deref().unwrap_or(&subject.project.environment)
}

/// Whether an environment is for tests.
pub(super) fn is_test(environment: &str) -> bool {
    !matches!(environment.to_ascii_lowercase().as_str(), "production" | "prod" | "live")
}

/// The day it is.
pub(super) fn today(subject: &Subject<'_>) -> Option<jiff::civil::Date> {
    let now = jiff::Timestamp::from_nanosecond(i128::from(subject.now_ns)).ok()?;
    Some(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Days from one day to another.
pub(super) fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// The place of what a mapping says of its compliance, or of its target.
pub(super) fn said_at<'m>(way: &crate::comply::assess::Way<'m>) -> &'m Place {
    way.mapping.compliance.place.as_ref().unwrap_or(&way.mapping.to.place)
}

/// `mapping orders.customer.email`.
pub(super) fn field(way: &crate::comply::assess::Way<'_>, leaf: &Leaf) -> String {
    format!("mapping {}.{}", way.name(), leaf.target)
}

/// Names of classes, for a sentence.
pub(super) fn named(classes: ClassSet) -> String {
    few(classes.iter().map(|id| id.class().name))
}

/// Whether something of that kind was told after this moment about this thing: a note of a person's
/// (`consign audit add --action NAME --resource THING`) or of a program's.
pub(super) fn told_after(log: &LogFacts, action: &str, after_ns: i64, about: Option<&str>) -> bool {
    log.of(action).any(|told| {
        let names = [told.resource.as_deref(), told.route.as_deref(), told.run.as_deref(), told.detail("about")];
        told.time >= after_ns && about.is_none_or(|about| names.contains(&Some(about)))
    })
}

/// The calls of some functions in an expression: the name, and the whole numbers among what stands in its
/// parentheses.
pub(super) fn calls<'e>(text: &'e str, names: &[&'static str]) -> Vec<(&'static str, Vec<i64>, &'e str)> {
    let mut found = Vec::new();
    for name in names {
        for (at, _) in text.match_indices(name) {
            let before = text[..at].chars().next_back();
            let rest = &text[at + name.len()..];
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') || !rest.starts_with('(') {
                continue;
            }
            let mut depth = 0_usize;
            let end = rest.char_indices().find_map(|(at, c)| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                (depth == 0).then_some(at)
            });
            let inside = rest.get(1..end.unwrap_or(rest.len())).unwrap_or_default();
            let numbers = inside.split(',').filter_map(|part| part.trim().parse().ok()).collect();
            found.push((*name, numbers, inside));
        }
    }
    found
}

/// What an expression of a leaf says, if it has one.
pub(super) fn transform(leaf: &Leaf) -> &str {
    leaf.rule.transform().map_or("", |transform| transform.text.as_str())
}

/// Everything that went into a leaf: what stands in its source, and what its steps took.
pub(super) fn taken(leaf: &Leaf) -> ClassSet {
    leaf.flow.passages.iter().fold(leaf.flow.source, |set, step| set.union(step.before))
}
