//! Guesses by which parameter a list gives what is new, and which field of its records that is about.

use super::calls::Parameter;
use super::describe::{Field, Shape, snake};
use super::paging::quoted;

/// Words that say "from then on".
const FROM: &[&str] = &["since", "after", "from", "min", "gte", "gt", "start", "oldest", "greater", "newer"];
/// Words that say "up to then".
const UNTIL: &[&str] = &["before", "until", "to", "max", "lte", "lt", "end", "newest", "less", "older"];
/// Words of moments at which a record changed.
const CHANGED: &[&str] = &["updated", "modified", "changed", "update", "modification", "change"];
/// Words that say nothing of which moment it is.
const PLAIN: &[&str] = &["date", "time", "datetime", "at", "on", "utc", "timestamp", "equal", "than", "if", "param"];

/// A cursor: what a YAML line says, and whether it is sure enough to hold.
#[derive(Debug)]
pub(super) struct Since {
    pub(super) line: String,
    pub(super) sure: bool,
    /// Parameters that are spoken for.
    pub(super) parameters: Vec<String>,
}

/// From an answer alone: a field that looks like the moment of a change. Nothing tells how to ask for it.
pub(super) fn of_answer(shape: &Shape) -> Option<Since> {
    let field = shape.fields.iter().find(|field| {
        let name = snake(&field.name);
        field.kind == "timestamp" && name.split('_').any(|word| CHANGED.contains(&word))
    })?;
    let line = format!("cursor: {{ field: {}, send: {{ query: WHICH-PARAMETER }} }}", quoted(&field.name));
    Some(Since { line, sure: false, parameters: Vec::new() })
}

/// From the parameters of a list and the fields of its records.
pub(super) fn guess(parameters: &[Parameter], shape: &Shape) -> Option<Since> {
    let words = |name: &str| -> Vec<String> { snake(name).split('_').map(str::to_owned).collect() };
    let is = |word: &String, list: &[&str]| list.contains(&word.as_str());
    let cursor = |parameter: &&Parameter| {
        let all = words(&parameter.name);
        matches!(parameter.place.as_str(), "query" | "header") && all.iter().any(|word| is(word, FROM))
    };
    let mut best: Option<(usize, &Parameter, Option<&Field>)> = None;
    for parameter in parameters.iter().filter(cursor) {
        let all = words(&parameter.name);
        let about: Vec<&String> = all.iter().filter(|word| !is(word, FROM) && !is(word, PLAIN)).collect();
        let changed = about.iter().any(|word| is(word, CHANGED)) || all == ["since"];
        let timely = |field: &&Field| {
            let parts = words(&field.name);
            matches!(field.kind, "timestamp" | "date")
                || matches!(field.kind, "string" | "int" | "any")
                    && parts.iter().any(|part| is(part, &["date", "time", "datetime", "at", "on"]))
        };
        let fits = |field: &&Field| {
            let parts = words(&field.name);
            let same = |word: &&&String| {
                parts.contains(word) || is(word, CHANGED) && parts.iter().any(|part| is(part, CHANGED))
            };
            match about.is_empty() {
                true => changed && parts.iter().any(|part| is(part, CHANGED)),
                false => about.iter().filter(same).count() == about.len(),
            }
        };
        let moment = |field: &&Field| matches!(field.kind, "timestamp" | "date");
        let mut fields = shape.fields.iter().filter(timely);
        let field = fields.clone().filter(moment).find(fits).or_else(|| fields.find(fits));
        let rank = usize::from(changed) * 2 + usize::from(field.is_some()) * 4;
        let dated = about.iter().any(|word| is(word, &["created", "booking", "posted", "modified", "updated"]))
            || all.iter().any(|word| is(word, &["date", "time", "datetime", "since"]));
        if (rank > 0 || dated) && best.as_ref().is_none_or(|(known, ..)| rank > *known) {
            best = Some((rank, parameter, field));
        }
    }
    let (_, parameter, field) = best?;
    let stem: Vec<String> = words(&parameter.name).into_iter().filter(|word| !is(word, FROM)).collect();
    let until = parameters.iter().find(|other| {
        let rest: Vec<String> = words(&other.name).into_iter().filter(|word| !is(word, UNTIL)).collect();
        other.place == parameter.place && rest == stem && other.name != parameter.name
    });
    let mut line = format!("cursor: {{ field: {}", quoted(field.map_or("WHICH-FIELD", |field| field.name.as_str())));
    match field.map(|field| field.kind) {
        Some("date") => line.push_str(", type: date"),
        Some("int") => line.push_str(", type: unix"),
        _ => {}
    }
    line.push_str(&format!(", send: {{ {}: {} }}", parameter.place, quoted(&parameter.name)));
    if let Some(until) = until {
        line.push_str(&format!(", until: {{ {}: {} }}", until.place, quoted(&until.name)));
    }
    line.push_str(" }");
    let mut names = vec![parameter.name.clone()];
    names.extend(until.map(|until| until.name.clone()));
    let moment = field.is_some_and(|field| matches!(field.kind, "timestamp" | "date"));
    // A header of this kind is usually a date as HTTP writes it.
    let described = parameter.schema.get("format").is_some_and(|format| format == "date-time");
    let sure = moment && (parameter.place == "query" || described);
    Some(Since { line, sure, parameters: names })
}
