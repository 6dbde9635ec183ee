//! The fields of a page that were asked for in several parts (`read.fields`): each record is joined by the
//! value that tells it apart.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::desk::Desk;
use super::sheet::below;
use super::stand::text;
use crate::connect::pack::cut::CutSpec;
use crate::error::codes::connect::ANSWER_UNREADABLE;
use crate::error::{Error, Kind, Result};

/// The value that tells a record apart.
///
/// # Errors
/// If there is none: then nobody knows what belongs together.
pub(super) fn key<'r>(desk: &Desk, cut: &CutSpec, record: &'r Json) -> Result<&'r Json> {
    let mut found = Vec::new();
    below(record, &cut.by.0, &mut found);
    match found.as_slice() {
        [one @ (Json::String(_) | Json::Number(_))] => Ok(one),
        _ => {
            let cause = format!("a record of `{}` has no value at `{}`", desk.stream.name, cut.by);
            Err(Error::new(Kind::Failed, &ANSWER_UNREADABLE, cause)
                .hint("its fields are asked for in several parts, which cannot be joined then"))
        }
    }
}

/// Joins the records of further answers to those of the first one.
///
/// # Errors
/// If a record cannot be told apart, or one is missing in a further answer to the very same request: the page
/// has changed meanwhile.
pub(super) fn joined(desk: &Desk, cut: &CutSpec, first: Vec<Json>, others: Vec<Vec<Json>>) -> Result<Vec<Json>> {
    let mut records = first;
    for other in others {
        let mut known = HashMap::with_capacity(other.len());
        for record in other {
            // What was asked for by name and is not there comes as null.
            if !record.is_null() {
                known.insert(text(key(desk, cut, &record)?).unwrap_or_default(), record);
            }
        }
        let mut whole = Vec::with_capacity(records.len());
        for mut record in records {
            match known.remove(&text(key(desk, cut, &record)?).unwrap_or_default()) {
                Some(more) => {
                    merge(&mut record, more);
                    whole.push(record);
                }
                None if cut.rest.is_some() => desk.note(format!(
                    "records of `{}` that were gone before all of their fields were read are left out",
                    desk.stream.name
                )),
                None => {
                    let cause = format!("a page of `{}` changed while its fields were read", desk.stream.name);
                    return Err(Error::new(Kind::Partial, &ANSWER_UNREADABLE, cause)
                        .hint("what came before was taken; run again"));
                }
            }
        }
        records = whole;
    }
    Ok(records)
}

/// Adds what is not there yet, at any depth.
fn merge(into: &mut Json, from: Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (name, value) in from {
                match into.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => {
                        into.insert(name, value);
                    }
                }
            }
        }
        (into @ Json::Null, from) => *into = from,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_stays() {
        let mut record = json!({ "id": 1, "properties": { "a": "x", "c": null }, "list": [1] });
        merge(&mut record, json!({ "id": 2, "properties": { "b": "y", "c": "z" }, "list": [2], "more": true }));
        let wanted = json!({ "id": 1, "properties": { "a": "x", "b": "y", "c": "z" }, "list": [1], "more": true });
        assert_eq!(record, wanted);
    }
}
