//! FHIR R4 AuditEvent resources, one per line (as bulk data has it).

use serde_json::{Map, Value, json};

use super::super::{Category, Event, Outcome};
use super::{Facts, Format, Item, Writer, rfc3339, sentence};

pub(super) static FORMAT: Format = Format {
    name: "fhir",
    about: "FHIR R4 AuditEvent resources, one per line.",
    ending: "fhir.ndjson",
    writer: |facts: &Facts| Box::new(Lines { facts: facts.clone() }),
};

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const KINDS: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const OWN: &str = "urn:consign:action";

struct Lines {
    facts: Facts,
}

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let outcome = match event.outcome {
            Outcome::Success | Outcome::Unknown => "0",
            Outcome::Partial => "4",
            Outcome::Failure | Outcome::Denied => "8",
        };
        let mut made = Map::new();
        made.insert("resourceType".into(), json!("AuditEvent"));
        if !event.id.is_empty() {
            made.insert("id".into(), json!(event.id));
        }
        let (system, code, display) = kind(event);
        made.insert("type".into(), json!({ "system": system, "code": code, "display": display }));
        made.insert("subtype".into(), json!([{ "system": OWN, "code": event.action }]));
        made.insert("action".into(), json!(doing(event)));
        made.insert("recorded".into(), json!(rfc3339(event.time)));
        made.insert("outcome".into(), json!(outcome));
        made.insert("outcomeDesc".into(), json!(sentence(event)));
        let name = event.actor.as_deref().unwrap_or("unknown");
        let mut agent = json!({ "who": { "display": name }, "altId": name, "requestor": true });
        if let Some(ip) = &event.ip {
            // 2: an IP address.
            agent["network"] = json!({ "address": ip, "type": "2" });
        }
        made.insert("agent".into(), json!([agent]));
        let observer = event.host.as_deref().unwrap_or("consign");
        made.insert("source".into(), json!({ "site": self.facts.environment, "observer": { "display": observer } }));
        let mut entities = Vec::new();
        if event.resource.is_some() || event.route.is_some() || !event.details.is_empty() {
            let mut entity = Map::new();
            let name = event.resource.as_ref().or(event.route.as_ref());
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                entity.insert("name".into(), json!(name));
            }
            let mut details = vec![detail("seq", &event.seq.to_string()), detail("log", &self.facts.log)];
            details.extend(event.route.iter().map(|route| detail("route", route)));
            details.extend(event.run.iter().map(|run| detail("run", run)));
            if let Some((from, to)) = item.ends {
                details.extend([detail("from", from), detail("to", to)]);
            }
            if !event.details.is_empty() {
                details.push(detail("details", &Value::Object(event.details.clone()).to_string()));
            }
            entity.insert("detail".into(), json!(details));
            entities.push(Value::Object(entity));
        }
        for subject in &event.subjects {
            // 1: a person.
            entities.push(json!({
                "what": { "identifier": { "system": "urn:consign:subject", "value": subject } },
                "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1" },
            }));
        }
        if !entities.is_empty() {
            made.insert("entity".into(), json!(entities));
        }
        out.extend_from_slice(Value::Object(made).to_string().as_bytes());
        out.push(b'\n');
    }
}

fn detail(name: &str, value: &str) -> Value {
    json!({ "type": name, "valueString": value })
}

/// The kind of event, out of DICOM's list where it has one.
fn kind(event: &Event) -> (&'static str, &'static str, &'static str) {
    let begins = |with: &str| event.action.starts_with(with);
    match event.category {
        _ if begins("connector.signed") => (DICOM, "110114", "User Authentication"),
        _ if begins("audit.viewed") || begins("audit.exported") => (DICOM, "110101", "Audit Log Used"),
        _ if begins("audit.") || begins("key.") => (DICOM, "110113", "Security Alert"),
        _ if begins("subject.") || begins("data.") => (DICOM, "110112", "Query"),
        _ if begins("state.") || begins("tool.") || begins("config.") => (DICOM, "110100", "Application Activity"),
        Category::Integration => (DICOM, "110107", "Import"),
        Category::Security => (DICOM, "110113", "Security Alert"),
        _ => (KINDS, "object", "Object"),
    }
}

/// Create, read, update, delete or execute.
fn doing(event: &Event) -> &'static str {
    match event.action.as_str() {
        "subject.erased" | "key.destroyed" | "audit.pruned" | "audit.redacted" | "dead_letters.purged" => "D",
        "data.viewed" | "subject.viewed" | "audit.viewed" | "dead_letters.shown" | "audit.exported" => "R",
        "key.made" | "plan.saved" | "audit.checkpoint" => "C",
        "inventory.changed" | "position.set" | "position.reset" | "key.retired" => "U",
        _ => "E",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};
    use regex::Regex;
    use serde_json::Value;

    fn only(value: &Value, known: &[&str]) {
        let members = value.as_object().unwrap_or_else(|| panic!("{value}"));
        for name in members.keys() {
            assert!(known.contains(&name.as_str()), "{name} in {value}");
        }
    }

    fn coding(value: &Value) {
        only(value, &["system", "code", "display"]);
        assert!(value["system"].is_string() && value["code"].is_string());
    }

    /// The parts of AuditEvent of FHIR R4 (4.0.1) that are used: what must be there, and of which type.
    #[test]
    fn resources_are_audit_events() {
        let id = Regex::new(r"^[A-Za-z0-9\-.]{1,64}$").expect("pattern");
        let instant = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$").expect("pattern");
        let text = exported("fhir");
        assert_eq!(text.lines().count(), samples().len());
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let known = [
                "resourceType",
                "id",
                "type",
                "subtype",
                "action",
                "recorded",
                "outcome",
                "outcomeDesc",
                "agent",
                "source",
                "entity",
            ];
            only(&event, &known);
            assert_eq!(event["resourceType"], "AuditEvent");
            assert!(event.get("id").is_none_or(|own| id.is_match(own.as_str().expect("id"))));
            coding(&event["type"]);
            event["subtype"].as_array().expect("list").iter().for_each(coding);
            assert!(["C", "R", "U", "D", "E"].contains(&event["action"].as_str().expect("action")));
            assert!(instant.is_match(event["recorded"].as_str().expect("time")), "{line}");
            assert!(["0", "4", "8", "12"].contains(&event["outcome"].as_str().expect("outcome")));
            let agents = event["agent"].as_array().expect("agents");
            assert!(!agents.is_empty());
            for agent in agents {
                only(agent, &["who", "altId", "requestor", "network"]);
                assert!(agent["requestor"].is_boolean());
            }
            only(&event["source"], &["site", "observer"]);
            assert!(event["source"]["observer"]["display"].is_string());
            for entity in event["entity"].as_array().into_iter().flatten() {
                only(entity, &["what", "type", "name", "detail"]);
                // sev-1: a name or a query, not both; an element is never empty.
                assert!(entity.as_object().is_some_and(|members| !members.is_empty()));
                for detail in entity["detail"].as_array().into_iter().flatten() {
                    only(detail, &["type", "valueString"]);
                    assert!(detail["valueString"].as_str().is_some_and(|text| !text.is_empty()), "{line}");
                }
            }
        }
    }
}
