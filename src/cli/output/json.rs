//! The JSON document: one object with the name and version of its schema, on failure too.

use serde_json::{Map, Value, json};

use super::Answer;
use crate::error::{Edit, Error, Finding, Place, Severity};

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
    if let Some(breach) = &found.breach {
        members.insert("check".into(), json!(breach.check));
        members.insert("controls".into(), json!(breach.controls));
        members.insert("classes".into(), json!(breach.classes));
        members.insert("way".into(), json!(breach.way));
        members.insert("waiver".into(), waiver(found));
    }
    members.insert("edits".into(), edits(found, None));
    Value::Object(members)
}

/// The changes of the file that mend a finding: one or none. Where the file's text is at hand, each end
/// says its byte too.
fn edits(found: &Finding, text: Option<&str>) -> Value {
    let one = |edit: &Edit| {
        let bytes = text.and_then(|text| edit.bytes(text));
        let end = |(line, column): (u32, u32), byte: Option<usize>| match byte {
            Some(byte) => json!({ "line": line, "column": column, "byte": byte }),
            None => json!({ "line": line, "column": column }),
        };
        let (start, behind) = (bytes.map(|(start, _)| start), bytes.map(|(_, end)| end));
        json!({ "start": end(edit.start, start), "end": end(edit.end, behind), "text": edit.text })
    };
    found.edit.iter().map(one).collect()
}

/// A finding as the flat row of a table.
pub(super) fn finding_row(found: &Finding, texts: &dyn Fn(&str) -> Option<String>) -> Vec<Value> {
    let at = found.place.as_ref();
    vec![
        json!(severity(found.severity)),
        json!(found.code.id),
        json!(at.map(|p| &p.file)),
        json!(at.map(|p| p.line)),
        json!(at.map(|p| p.column)),
        json!(found.cause),
        json!(found.fix),
        json!(found.breach.as_ref().map(|breach| breach.check)),
        json!(found.breach.as_ref().map_or(&[][..], |breach| &breach.controls)),
        json!(found.breach.as_ref().map_or(&[][..], |breach| &breach.classes)),
        json!(found.breach.as_ref().map_or(&[][..], |breach| &breach.way)),
        waiver(found),
        edits(found, at.filter(|_| found.edit.is_some()).and_then(|at| texts(&at.file)).as_deref()),
    ]
}

/// Who answers for a finding, if somebody does or did.
fn waiver(found: &Finding) -> Value {
    let waived = found.breach.as_ref().and_then(|breach| breach.waived.as_ref());
    waived.map_or(Value::Null, |waived| {
        json!({
            "owner": waived.owner, "reason": waived.reason, "until": waived.until, "ticket": waived.ticket,
            "expired": waived.expired,
        })
    })
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
