//! SARIF 2.1.0 (OASIS): what code hosts show as annotations of a change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Code, Finding, Severity};

/// The document. `rules` are those that were looked for, found or not: without them nobody can tell a clean answer
/// from a question that was not asked.
pub(in crate::cli) fn document(findings: &[Finding], rules: &[&'static Code]) -> Value {
    let asked = rules.iter().map(|code| (code.id, *code));
    let codes: BTreeMap<&str, &Code> = asked.chain(findings.iter().map(|f| (f.code.id, f.code))).collect();
    let index = |finding: &Finding| codes.keys().position(|id| *id == finding.code.id);
    let rules: Vec<Value> = codes
        .values()
        .map(|code| {
            json!({
                "id": code.id,
                "shortDescription": { "text": code.title },
                "fullDescription": { "text": code.explain },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "consign", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(|finding| result(finding, index(finding))).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding, rule: Option<usize>) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let text = match &finding.fix {
        Some(fix) => format!("{}. {fix}", finding.cause),
        None => finding.cause.clone(),
    };
    let mut made = json!({ "ruleId": finding.code.id, "ruleIndex": rule, "level": level, "message": { "text": text } });
    if let Some(breach) = &finding.breach {
        made["properties"] = json!({
            "check": breach.check, "controls": breach.controls, "classes": breach.classes, "object": breach.object,
        });
        // What is suppressed stays in sight, with who answers for it.
        if let Some(waived) = finding.waived() {
            made["level"] = json!("error");
            made["suppressions"] = json!([{
                "kind": "external",
                "status": "accepted",
                "justification": format!("{}; {} until {}", waived.reason, waived.owner, waived.until),
            }]);
        }
        if let Some(place) = finding.place.as_ref().filter(|_| breach.way.len() > 1) {
            let step = |step: &String| {
                json!({ "location": {
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&place.file) },
                        "region": { "startLine": place.line, "startColumn": place.column },
                    },
                    "message": { "text": step },
                } })
            };
            let steps: Vec<Value> = breach.way.iter().map(step).collect();
            made["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
        }
    }
    if let Some(place) = &finding.place {
        made["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.column + place.width.max(1),
            },
        }}]);
        if let Some(edit) = &finding.edit {
            let description = finding.fix.as_deref().unwrap_or(&finding.cause);
            made["fixes"] = json!([{
                "description": { "text": description },
                "artifactChanges": [{
                    "artifactLocation": { "uri": uri(&place.file) },
                    "replacements": [{
                        "deletedRegion": {
                            "startLine": edit.start.0,
                            "startColumn": edit.start.1,
                            "endLine": edit.end.0,
                            "endColumn": edit.end.1,
                        },
                        "insertedContent": { "text": edit.text },
                    }],
                }],
            }]);
        }
    }
    made
}

/// A file's name as the relative reference of RFC 3986 that SARIF asks for.
pub(in crate::cli) fn uri(file: &str) -> String {
    let mut out = String::with_capacity(file.len());
    for byte in file.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Place, codes};

    #[test]
    fn a_finding_has_its_region() {
        let place = Place { file: "m.yaml".into(), line: 3, column: 5, width: 2, source: String::new() };
        let made = document(&[Finding::warning(&codes::BUG, place, "odd").fix("even")], &[]);
        let result = &made["runs"][0]["results"][0];
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["endColumn"], 7);
        assert_eq!(result["message"]["text"], "odd. even");
        assert_eq!(result.get("fixes"), None);
        let mut waived = Finding::note(&codes::BUG, None, "odd");
        assert_eq!(document(std::slice::from_ref(&waived), &[])["runs"][0]["results"][0].get("suppressions"), None);
        let until = crate::error::Waived {
            owner: "ann".into(),
            reason: "because".into(),
            until: "2027-01-01".into(),
            ticket: None,
            expired: false,
        };
        waived.breach = Some(Box::new(crate::error::Breach { waived: Some(until), ..Default::default() }));
        let made_of_waived = document(&[waived], &[]);
        let result = &made_of_waived["runs"][0]["results"][0];
        assert_eq!(result["suppressions"][0]["justification"], "because; ann until 2027-01-01");
        assert_eq!(uri("a b/ü.yaml"), "a%20b/%C3%BC.yaml");
        assert_eq!(made["runs"][0]["tool"]["driver"]["rules"][0]["id"], "bug");
    }

    #[test]
    fn rules_are_those_that_were_looked_for() {
        let found = [Finding::note(&codes::comply::FLOW, None, "odd")];
        let made = document(&found, &[&codes::comply::RULE, &codes::BUG]);
        let rules = made["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().clone();
        let ids: Vec<_> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
        assert_eq!(ids, ["bug", "comply-flow", "comply-rule"]);
        assert_eq!(made["runs"][0]["results"][0]["ruleIndex"], 1);
    }
}
