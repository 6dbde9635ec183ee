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

    /// AuditEvent of FHIR R4 (hl7.org/fhir/R4/auditevent.html, table of its elements) and the types that it is made of
    /// (hl7.org/fhir/R4/datatypes.html): of each its members; `+` must be there, `[` is a list, then the type.
    const TYPES: &[(&str, &[(&str, &str)])] = &[
        (
            "AuditEvent",
            &[
                ("resourceType", "+code"),
                ("id", "id"),
                ("meta", "any"),
                ("text", "any"),
                ("implicitRules", "string"),
                ("language", "code"),
                ("contained", "any"),
                ("modifierExtension", "any"),
                ("extension", "any"),
                ("type", "+Coding"),
                ("subtype", "[Coding"),
                ("action", "action"),
                ("period", "any"),
                ("recorded", "+instant"),
                ("outcome", "outcome"),
                ("outcomeDesc", "string"),
                ("purposeOfEvent", "[CodeableConcept"),
                ("agent", "+[Agent"),
                ("source", "+Source"),
                ("entity", "[Entity"),
            ],
        ),
        (
            "Agent",
            &[
                ("type", "CodeableConcept"),
                ("role", "[CodeableConcept"),
                ("who", "Reference"),
                ("altId", "string"),
                ("name", "string"),
                ("requestor", "+boolean"),
                ("location", "Reference"),
                ("policy", "[string"),
                ("media", "Coding"),
                ("network", "Network"),
                ("purposeOfUse", "[CodeableConcept"),
            ],
        ),
        ("Network", &[("address", "string"), ("type", "network")]),
        ("Source", &[("site", "string"), ("observer", "+Reference"), ("type", "[Coding")]),
        (
            "Entity",
            &[
                ("what", "Reference"),
                ("type", "Coding"),
                ("role", "Coding"),
                ("lifecycle", "Coding"),
                ("securityLabel", "[Coding"),
                ("name", "string"),
                ("description", "string"),
                ("query", "base64"),
                ("detail", "[Detail"),
            ],
        ),
        ("Detail", &[("type", "+string"), ("valueString", "string"), ("valueBase64Binary", "base64")]),
        (
            "Coding",
            &[
                ("system", "string"),
                ("version", "string"),
                ("code", "code"),
                ("display", "string"),
                ("userSelected", "boolean"),
            ],
        ),
        ("CodeableConcept", &[("coding", "[Coding"), ("text", "string")]),
        (
            "Reference",
            &[("reference", "string"), ("type", "string"), ("identifier", "Identifier"), ("display", "string")],
        ),
        ("Identifier", &[("use", "code"), ("type", "CodeableConcept"), ("system", "string"), ("value", "string")]),
    ];

    /// What is wrong with a value as one of that type; nothing: it is one.
    fn wrong(value: &Value, kind: &str, at: &str) -> Option<String> {
        let text = |pattern: &str| {
            let fits = value.as_str().is_some_and(|text| Regex::new(pattern).expect("pattern").is_match(text));
            (!fits).then(|| format!("{at}: {value} is no {kind}"))
        };
        match kind {
            "any" => return None,
            "string" => return text(r"(?s)^[ \r\n\t\S].*$"),
            "code" => return text(r"^[^\s]+( [^\s]+)*$"),
            "id" => return text(r"^[A-Za-z0-9\-.]{1,64}$"),
            "base64" => return text(r"^[A-Za-z0-9+/=\s]+$"),
            "instant" => return text(r"^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"),
            "action" => return text("^[CRUDE]$"),
            "outcome" => return text("^(0|4|8|12)$"),
            "network" => return text("^[1-5]$"),
            "boolean" => return (!value.is_boolean()).then(|| format!("{at}: {value} is no boolean")),
            _ => {}
        }
        let Some((_, members)) = TYPES.iter().find(|(name, _)| *name == kind) else {
            return Some(format!("no type {kind}"));
        };
        let Some(object) = value.as_object().filter(|object| !object.is_empty()) else {
            return Some(format!("{at}: {value} is no {kind}"));
        };
        if let Some(name) = object.keys().find(|name| !members.iter().any(|(known, _)| known == name)) {
            return Some(format!("{at}: {kind} has no {name}"));
        }
        members.iter().find_map(|(name, kind)| {
            let needed = kind.starts_with('+');
            let kind = kind.trim_start_matches('+');
            match (object.get(*name), kind.strip_prefix('[')) {
                (None, _) => needed.then(|| format!("{at}: no {name}")),
                (Some(Value::Array(list)), Some(kind)) if !list.is_empty() => {
                    list.iter().find_map(|one| wrong(one, kind, &format!("{at}.{name}")))
                }
                (Some(other), Some(_)) => Some(format!("{at}.{name}: {other} is no list of something")),
                (Some(value), None) => wrong(value, kind, &format!("{at}.{name}")),
            }
        })
    }

    /// The invariants sev-1 (a name or a query, not both) and that a detail has one value.
    fn whole(event: &Value) -> Option<String> {
        let entities = event["entity"].as_array().into_iter().flatten();
        entities.into_iter().find_map(|entity| {
            let two = entity.get("name").is_some() && entity.get("query").is_some();
            let details = entity["detail"].as_array().into_iter().flatten();
            let bad =
                details.into_iter().any(|of| of.get("valueString").is_some() == of.get("valueBase64Binary").is_some());
            (two || bad).then(|| entity.to_string())
        })
    }

    #[test]
    fn resources_are_audit_events() {
        let text = exported("fhir");
        assert_eq!(text.lines().count(), samples().len());
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(event["resourceType"], "AuditEvent");
            assert_eq!(wrong(&event, "AuditEvent", "AuditEvent").or(whole(&event)), None, "{line}");
        }
    }

    /// The table is held against HL7's own examples, and against what it must refuse.
    #[test]
    fn the_table_takes_the_examples_of_the_standard_and_nothing_else() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fhir-r4-audit");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("fixtures") {
            let path = entry.expect("a file").path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("AuditEvent-")) {
                let example: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
                assert_eq!(wrong(&example, "AuditEvent", "AuditEvent").or(whole(&example)), None, "{}", path.display());
                for gone in ["type", "recorded", "agent", "source"] {
                    let mut lacking = example.clone();
                    lacking.as_object_mut().expect("an object").remove(gone);
                    assert!(wrong(&lacking, "AuditEvent", "AuditEvent").is_some(), "{gone}");
                }
                let mut more = example.clone();
                more["severity"] = "high".into();
                assert!(wrong(&more, "AuditEvent", "AuditEvent").is_some());
                seen += 1;
            }
        }
        assert!(seen >= 4, "{seen}");
    }
}
