//! The JSON document: one object with the name and version of its schema, on failure too.

use serde_json::{Map, Value, json};

use super::Answer;
use crate::error::{Error, Finding, Place, Severity};

/// The document of an answer.
pub(in crate::cli) fn document(verb: &str, answer: &Answer) -> Value {
    let mut members = head(verb);
    for (name, value) in &answer.facts {
        members.insert((*name).to_string(), value.clone());
    }
    if let Some(rows) = &answer.rows {
        members.insert(rows.name.to_string(), rows.objects().collect());
    }
    Value::Object(members)
}

/// The document of a failure.
pub(in crate::cli) fn failure(verb: &str, error: &Error) -> Value {
    let mut members = head(verb);
    let mut body = Map::new();
    body.insert("code".into(), json!(error.code().id));
    body.insert("kind".into(), json!(kind_name(error)));
    body.insert("exit".into(), json!(error.exit().number()));
    if let Some(doing) = error.what() {
        body.insert("doing".into(), json!(doing));
    }
    body.insert("cause".into(), json!(error.cause()));
    if let Some(at) = error.place() {
        body.insert("place".into(), place(at));
    }
    let facts: Map<String, Value> =
        error.facts().iter().map(|(name, value)| ((*name).to_string(), json!(value))).collect();
    body.insert("facts".into(), Value::Object(facts));
    body.insert("hints".into(), json!(error.hints()));
    if !error.all_findings().is_empty() {
        body.insert("findings".into(), error.all_findings().iter().map(finding).collect());
    }
    members.insert("error".into(), Value::Object(body));
    Value::Object(members)
}

/// A finding as an object.
pub(in crate::cli) fn finding(found: &Finding) -> Value {
    let mut members = Map::new();
    members.insert("severity".into(), json!(severity(found.severity)));
    members.insert("code".into(), json!(found.code.id));
    if let Some(at) = &found.place {
        members.insert("place".into(), place(at));
    }
    members.insert("cause".into(), json!(found.cause));
    members.insert("fix".into(), json!(found.fix));
    Value::Object(members)
}

/// A finding as the flat row of a table.
pub(super) fn finding_row(found: &Finding) -> Vec<Value> {
    let at = found.place.as_ref();
    vec![
        json!(severity(found.severity)),
        json!(found.code.id),
        json!(at.map(|p| &p.file)),
        json!(at.map(|p| p.line)),
        json!(at.map(|p| p.column)),
        json!(found.cause),
        json!(found.fix),
    ]
}

/// The word for a severity.
pub(in crate::cli) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn place(at: &Place) -> Value {
    json!({ "file": at.file, "line": at.line, "column": at.column, "width": at.width })
}

fn kind_name(error: &Error) -> String {
    format!("{:?}", error.kind()).to_lowercase()
}

fn head(verb: &str) -> Map<String, Value> {
    let verb = if verb.is_empty() { "explain" } else { verb };
    let mut members = Map::new();
    members.insert("schema".into(), json!(format!("consign.{verb}/1")));
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Kind, codes};

    #[test]
    fn a_failure_names_its_schema_and_exit() {
        let error = Error::new(Kind::Locked, &codes::BUG, "held").fact("pid", 7).hint("wait");
        assert_eq!(
            failure("sync.run", &error).to_string(),
            r#"{"schema":"consign.sync.run/1","error":{"code":"bug","kind":"locked","exit":7,"cause":"held","facts":{"pid":"7"},"hints":["wait"]}}"#
        );
    }
}
