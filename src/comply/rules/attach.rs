//! Rules over records become part of the mappings they concern: a condition on the record, a part of the
//! gate, or a step of a field. Whatever applies the mapping obeys them, and a route that no rule concerns
//! is as it was.

use super::words::{self, Known};
use super::{Action, On, Rule, of};
use crate::config::{Check, Connector, Expression, FieldRule, Loaded, Make, Mapping};
use crate::error::Findings;
use crate::record::{Field, Path};

/// Gives every mapping of a loaded project the rules that concern it; what is wrong with rules is among the
/// findings then.
pub fn attach(loaded: &mut Loaded) {
    let Some(project) = &loaded.project else { return };
    if project.compliance.rules.custom.is_empty() {
        return;
    }
    let (rules, findings) = of(project);
    let mut added: Findings = findings;
    if added.is_empty() {
        for mapping in &mut loaded.mappings {
            let Some(source) = project.connectors.get(&mapping.from.connector) else { continue };
            for rule in rules.iter().filter(|rule| rule.on == On::Record) {
                if rule.concerns(&mapping.family) {
                    add(rule, mapping, source);
                }
            }
        }
    }
    loaded.findings.append(&mut added);
}

fn add(rule: &Rule, mapping: &mut Mapping, source: &Connector) {
    let (fields, closed) = declared(mapping, source);
    let read = words::fields(&rule.when);
    let known_name = |name: &String| !closed || fields.iter().any(|field| field.name == *name);
    // A rule about fields that none of these records has does not concern them.
    let explicit = !rule.mappings.is_empty();
    if !explicit && (fields.is_empty() || !read.iter().any(|name| fields.iter().any(|field| field.name == *name))) {
        return;
    }
    if closed && !read.is_empty() && !read.iter().any(known_name) {
        return;
    }
    let known = Known {
        tags: fields
            .iter()
            .map(|field| (field.name.clone(), field.classes.iter().map(|id| id.class().name.to_owned()).collect()))
            .collect(),
        consents: consents(mapping),
        fields: closed.then(|| fields.iter().map(|field| field.name.clone()).collect()),
        ..Known::default()
    };
    let Ok(condition) = words::expand(rule, Some(&known)) else { return };
    let place = rule.place.clone().unwrap_or_else(|| mapping.name.place.clone());
    let expression = |text: String| Expression { text, place: place.clone(), runs: Vec::new() };
    match rule.action.as_ref().unwrap_or(&Action::Park) {
        Action::Withhold => {
            let held = format!("!({condition}){}", marker(rule));
            let when = mapping.when.take();
            let text = when.as_ref().map_or(held.clone(), |when| format!("({}) && {held}", when.text));
            mapping.when = Some(when.map_or_else(
                || expression(text.clone()),
                |when| Expression { text: text.clone(), place: when.place, runs: Vec::new() },
            ));
        }
        Action::Park | Action::Stop => {
            mapping.validate.push(Check { that: expression(format!("!({condition})")), message: Some(rule.said()) });
            if rule.action == Some(Action::Stop) {
                mapping.sync.on_error.stop = true;
                (mapping.sync.on_error.tolerate_ppm, mapping.sync.on_error.tolerate_records) = (0, 0);
            }
        }
        Action::Mask(fields) => each(mapping, fields.all(), &condition, |value| format!("mask({value})"), &expression),
        Action::Anonymize(fields) => {
            each(mapping, fields.all(), &condition, |value| format!("initials({value})"), &expression);
        }
        Action::Tokenize { field, key } => {
            let made = |value: &str| format!("tokenize({value}, {key:?})");
            each(mapping, std::slice::from_ref(field), &condition, made, &expression);
        }
        Action::Drop(fields) => {
            for rule in &mut mapping.fields {
                if reads(rule, fields.all()) {
                    let when = rule.when.take();
                    let text =
                        when.map_or(format!("!({condition})"), |when| format!("({}) && !({condition})", when.text));
                    rule.when = Some(expression(text));
                }
            }
        }
        Action::Warn | Action::Block | Action::Approve => {}
    }
}

/// What tells a rule's part of a gate: a comment of the language.
pub(super) fn marker(rule: &Rule) -> String {
    format!(" // rule {}\n", rule.name.replace('\n', " "))
}

/// Where the condition holds, what is made of the fields' values takes their place. A condition that asks only
/// whether the field is there always holds where there is a value: then nothing is left in clear, and the flow
/// check can see it.
fn each(
    mapping: &mut Mapping,
    fields: &[String],
    condition: &str,
    made: impl Fn(&str) -> String,
    expression: &dyn Fn(String) -> Expression,
) {
    for rule in &mut mapping.fields {
        if !reads(rule, fields) {
            continue;
        }
        let always = fields.iter().any(|field| condition.trim() == format!("has(record.{field})"));
        let value = match &rule.make {
            Make::Value => "value".to_owned(),
            Make::Transform(transform) => format!("({})", transform.text),
            _ => continue,
        };
        if always {
            // Without a value there is nothing to make something of.
            let when = rule.when.take();
            let there = condition.trim();
            let text = when.map_or_else(|| there.to_owned(), |when| format!("({}) && {there}", when.text));
            rule.when = Some(expression(text));
        }
        let text = if always { made(&value) } else { format!("({condition}) ? {} : {value}", made(&value)) };
        rule.make = Make::Transform(expression(text));
    }
}

/// Whether a rule reads one of these fields of the source.
fn reads(rule: &FieldRule, fields: &[String]) -> bool {
    let path = |name: &String| Path::parse(name).ok();
    rule.source.as_ref().is_some_and(|source| fields.iter().filter_map(path).any(|field| field == source.value))
}

fn declared<'c>(mapping: &Mapping, source: &'c Connector) -> (&'c [Field], bool) {
    let name = &mapping.from.stream;
    match source.streams.get(name) {
        Some(stream) => (&stream.fields, stream.closed),
        None => source
            .spec
            .and_then(|spec| spec.stream(name))
            .map_or((&[], false), |stream| (&stream.fields, stream.closed)),
    }
}

/// How records of a mapping say yes, by purpose.
fn consents(mapping: &Mapping) -> std::collections::BTreeMap<String, String> {
    let mut found = std::collections::BTreeMap::new();
    let said = &mapping.compliance;
    if let Some(consent) = &said.consent
        && consent.lookup.is_none()
        && let (Some(purpose), Some(field)) = (said.consent_purpose(), &consent.field)
    {
        let withdrawn = consent
            .withdrawn
            .as_ref()
            .map_or(String::new(), |path| format!(" && record.?{}.orValue(null) == null", path.value));
        found.insert(purpose.to_owned(), format!("record.?{}.orValue(false) == true{withdrawn}", field.value));
    }
    found
}
