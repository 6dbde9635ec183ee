//! The Open Cybersecurity Schema Framework, version 1.9: JSON lines, each event of the class that is closest to
//! it, with the profiles `host` and `record_integrity`. The attestation of each covers the event as it is exported
//! (RFC 8785) and names the one before it, so that an export is a chain of its own; the leaf of the event in
//! consign's log stands under `unmapped`.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{Category, Event, Level, Outcome, canonical, chain};
use super::{Facts, Format, Item, Writer, grade, sentence};

pub(super) static FORMAT: Format = Format {
    name: "ocsf",
    about: "OCSF 1.9 (Open Cybersecurity Schema Framework) with the profile `record_integrity`, one event per line.",
    ending: "ocsf.ndjson",
    writer: |facts: &Facts| Box::new(Lines { facts: facts.clone(), before: None }),
};

/// The version of the schema.
const VERSION: &str = "1.9.0";

struct Lines {
    facts: Facts,
    /// Of the event before: its id, its type and its fingerprint.
    before: Option<(String, u64, String)>,
}

/// A class, its category, and what was done.
type Class = (u64, u64, u64);

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let (class, category, activity) = class(event);
        let kind = class * 100 + activity;
        let mut made = Map::new();
        let mut put = |name: &str, value: Value| made.insert(name.to_string(), value);
        put("activity_id", json!(activity));
        put("category_uid", json!(category));
        put("class_uid", json!(class));
        put("type_uid", json!(kind));
        put("severity_id", json!(grade(event.level).ocsf));
        put("time", json!(event.time.div_euclid(1_000_000)));
        put("message", json!(sentence(event)));
        let status = match event.outcome {
            Outcome::Success => 1,
            Outcome::Failure | Outcome::Denied => 2,
            Outcome::Unknown => 0,
            Outcome::Partial => 99,
        };
        // A finding's status is that of the work on it: new.
        put("status_id", json!(if category == 2 { 1 } else { status }));
        put("status", json!(if category == 2 { "new" } else { event.outcome.word() }));
        if let Some(code) = event.details.get("code").and_then(Value::as_str) {
            put("status_code", json!(code));
        }
        let mut metadata = json!({
            "version": VERSION,
            "product": { "name": "consign", "vendor_name": "consign", "version": self.facts.version },
            "profiles": ["host", "record_integrity"],
            "sequence": event.seq,
            "event_code": event.action,
            "log_name": "consign audit",
        });
        if !event.id.is_empty() {
            metadata["uid"] = json!(event.id);
        }
        if let Some(tenant) = &event.tenant {
            metadata["tenant_uid"] = json!(tenant);
        }
        if let Some(run) = &event.run {
            metadata["correlation_uid"] = json!(run);
        }
        put("metadata", metadata);
        let name = event.actor.as_deref().unwrap_or("unknown");
        let mut actor = json!({ "app_name": "consign", "user": { "name": name } });
        if let Some(pid) = event.pid {
            actor["process"] = json!({ "pid": pid, "name": "consign" });
        }
        put("actor", actor);
        let host = event.host.as_deref().unwrap_or("unknown");
        // 0: unknown.
        put("device", json!({ "type_id": 0, "hostname": host }));
        let mut from = json!({ "hostname": host });
        if let Some(ip) = &event.ip {
            from["ip"] = json!(ip);
        }
        let resource = event.resource.as_deref().or(event.route.as_deref()).unwrap_or("consign");
        match class {
            6005 => {
                put("src_endpoint", from);
                put("table", json!({ "name": item.ends.map_or(resource, |(_, to)| to) }));
                if let Some(count) = event.details.get("written").and_then(Value::as_u64) {
                    put("count", json!(count));
                }
            }
            6003 => {
                put("src_endpoint", from);
                put("api", json!({ "operation": event.action }));
            }
            6002 => {
                drop(put("app", json!({ "name": "consign", "vendor_name": "consign", "version": self.facts.version })))
            }
            3004 => drop(put("entity", json!({ "name": resource }))),
            1008 => {
                put("log_name", json!("consign audit"));
                put("src_endpoint", from);
            }
            2003 | 2006 => {
                let title = super::super::Action::of(&event.action).map_or(event.action.as_str(), |a| a.about());
                let uid = if event.id.is_empty() { event.seq.to_string() } else { event.id.clone() };
                put("finding_info", json!({ "uid": uid, "title": title, "types": [event.action] }));
                if class == 2003 {
                    let control =
                        ["control", "check", "rule", "code"].iter().find_map(|name| event.details.get(*name)?.as_str());
                    // 1 pass, 2 warning, 3 fail.
                    let status = match (event.outcome, event.level) {
                        (Outcome::Denied | Outcome::Failure, _) => 3,
                        (_, level) if level >= Level::Error => 3,
                        (_, Level::Warning) => 2,
                        _ => 1,
                    };
                    put("compliance", json!({ "control": control.unwrap_or(&event.action), "status_id": status }));
                }
            }
            _ => {}
        }
        if let Some(took) = event.details.get("milliseconds").and_then(Value::as_u64) {
            put("duration", json!(took));
        }
        put("unmapped", self.unmapped(item));
        // What is attested is all of it but the fingerprint itself.
        let mut attestation =
            json!({ "chain_uid": self.facts.log, "authority_uid": format!("consign/{}", self.facts.log) });
        if let Some((uid, kind, fingerprint)) = &self.before {
            attestation["prev_event"] = json!({ "uid": uid, "type_uid": kind, "fingerprint": digest(fingerprint) });
        }
        put("attestation_list", json!([attestation]));
        let mut whole = Value::Object(made);
        let fingerprint = chain::hex(&Sha256::digest(canonical::bytes(&whole)));
        whole["attestation_list"][0]["fingerprint"] = digest(&fingerprint);
        self.before = Some((event.id.clone(), kind, fingerprint));
        canonical::write(&whole, out);
        out.push(b'\n');
    }
}

impl Lines {
    /// What the schema has no place for.
    fn unmapped(&self, item: &Item<'_>) -> Value {
        let event = item.event;
        let Ok(Value::Object(mut rest)) = serde_json::to_value(event) else { return Value::Null };
        for told in
            ["time", "id", "seq", "v", "level", "actor", "host", "pid", "ip", "action", "tenant", "run", "risk_inputs"]
        {
            rest.remove(told);
        }
        if let Some(body) = item.body {
            rest.insert("leaf".into(), json!(chain::hex(&chain::leaf(body))));
        }
        Value::Object(rest)
    }
}

/// A SHA-256 as the schema writes it.
fn digest(hex: &str) -> Value {
    json!({ "algorithm": "SHA-256", "algorithm_id": 3, "value": hex })
}

/// The class that is closest to an event, its category, and what was done.
fn class(event: &Event) -> Class {
    let is = |begin: &str| event.action.starts_with(begin);
    let one = |actions: &[&str]| actions.contains(&event.action.as_str());
    match event.category {
        // Event log activity: clear 1, delete 2, export 3, archive 4, rotate 5, start 6, stop 7, enable 9, disable 10.
        _ if one(&["audit.exported", "audit.viewed", "audit.proved"]) => (1008, 1, 3),
        _ if one(&["audit.pruned", "audit.redacted"]) => (1008, 1, 2),
        _ if one(&["audit.log_started", "audit.log_replaced"]) => (1008, 1, 6),
        _ if one(&["audit.disabled"]) => (1008, 1, 10),
        _ if one(&["audit.enabled"]) => (1008, 1, 9),
        _ if one(&["audit.epoch_sealed", "audit.key_rewrapped"]) => (1008, 1, 5),
        _ if is("audit.checkpoint") || is("audit.witnessed") || is("audit.signer") || is("audit.verified") => {
            (1008, 1, 99)
        }
        _ if is("audit.verification_failed") => (2006, 2, 1),
        // Entity management: create 1, read 2, update 3, delete 4, enable 8, disable 9.
        _ if one(&["key.made", "plan.saved"]) => (3004, 3, 1),
        _ if one(&["key.destroyed", "subject.erased"]) => (3004, 3, 4),
        _ if one(&["route.enabled"]) => (3004, 3, 8),
        _ if one(&["route.disabled", "route.frozen", "key.retired", "key.compromised"]) => (3004, 3, 9),
        _ if is("key.") || is("plan.") || is("position.") || is("route.") || is("connector.") => (3004, 3, 3),
        // Datastore activity: read 1, update 2, write 5, delete 7.
        _ if one(&["data.viewed", "data.captured", "dead_letters.shown", "subject.viewed"]) => (6005, 6, 1),
        _ if one(&["group.settled", "run.finished", "dead_letters.replayed"]) => (6005, 6, 5),
        _ if is("dead_letters.") => (6005, 6, 2),
        Category::Inventory => (6005, 6, 2),
        Category::Compliance => (2003, 2, 1),
        Category::Security => (2006, 2, 1),
        // API activity: other.
        Category::Integration => (6003, 6, 99),
        Category::UserAction => (6003, 6, 99),
        // Application lifecycle: other.
        Category::System | Category::Performance => (6002, 6, 99),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};
    use super::*;

    /// What the classes that are used require beside the base class, out of the schema's own definitions
    /// (github.com/ocsf/ocsf-schema, 1.9.0-dev of July 2026): class, category, activities, required, one of these.
    type Class = (u64, u64, &'static [u64], &'static [&'static str], &'static [&'static str]);
    const CLASSES: &[Class] = &[
        (1008, 1, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99], &[], &["log_name", "log_provider", "log_type"]),
        (2003, 2, &[1, 2, 3, 99], &["finding_info", "compliance"], &[]),
        (2006, 2, &[1, 2, 3, 4, 99], &["finding_info"], &[]),
        (3004, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99], &["entity"], &[]),
        (6002, 6, &[1, 2, 3, 4, 5, 6, 7, 8, 99], &["app"], &[]),
        (6003, 6, &[1, 2, 3, 4, 99], &["actor", "api", "src_endpoint"], &[]),
        (
            6005,
            6,
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99],
            &["actor", "src_endpoint"],
            &["database", "databucket", "table"],
        ),
    ];

    /// Attributes: where they may stand, of what type; `!` is required.
    const ATTRIBUTES: &[(&str, &[&str])] = &[
        (
            "event",
            &[
                "activity_id!int",
                "category_uid!int",
                "class_uid!int",
                "type_uid!int",
                "severity_id!int",
                "time!int",
                "metadata!metadata",
                "message string",
                "status_id int",
                "status string",
                "status_code string",
                "actor actor",
                "device device",
                "src_endpoint endpoint",
                "table named",
                "api api",
                "app named",
                "entity named",
                "log_name string",
                "finding_info finding_info",
                "compliance compliance",
                "count int",
                "duration int",
                "unmapped any",
                "attestation_list [attestation",
            ],
        ),
        (
            "metadata",
            &[
                "version!string",
                "product!named",
                "profiles [string",
                "sequence int",
                "event_code string",
                "log_name string",
                "uid string",
                "tenant_uid string",
                "correlation_uid string",
            ],
        ),
        ("named", &["name!string", "vendor_name string", "version string"]),
        ("actor", &["app_name string", "user user", "process process"]),
        ("user", &["name!string"]),
        ("process", &["pid int", "name string"]),
        ("device", &["type_id!int", "hostname string"]),
        ("endpoint", &["hostname!string", "ip string"]),
        ("api", &["operation!string"]),
        ("finding_info", &["uid!string", "title string", "types [string"]),
        ("compliance", &["control string", "status_id int"]),
        (
            "attestation",
            &["chain_uid string", "authority_uid string", "fingerprint!fingerprint", "prev_event prev_event"],
        ),
        ("prev_event", &["uid!string", "type_uid int", "fingerprint fingerprint"]),
        ("fingerprint", &["algorithm string", "algorithm_id!int", "value!string"]),
    ];

    fn fits(value: &Value, kind: &str) {
        match kind {
            "int" => return assert!(value.is_i64() || value.is_u64(), "{value}"),
            "string" => return assert!(value.is_string(), "{value}"),
            "any" => return,
            _ => {}
        }
        let (_, attributes) = ATTRIBUTES.iter().find(|(name, _)| *name == kind).unwrap_or_else(|| panic!("{kind}"));
        let known = |text: &str| {
            let at = text.find(['!', ' ']).expect("a type");
            (text[..at].to_string(), text[at..].starts_with('!'), text[at + 1..].to_string())
        };
        let known: Vec<_> = attributes.iter().map(|text| known(text)).collect();
        let members = value.as_object().unwrap_or_else(|| panic!("{value} is no {kind}"));
        for (name, required, _) in &known {
            assert!(!required || members.contains_key(name), "{kind} without {name}: {value}");
        }
        for (name, below) in members {
            let (_, _, kind) = known.iter().find(|(own, ..)| own == name).unwrap_or_else(|| panic!("{kind}.{name}"));
            match kind.strip_prefix('[') {
                Some(each) => below.as_array().expect("a list").iter().for_each(|one| fits(one, each)),
                None => fits(below, kind),
            }
        }
    }

    #[test]
    fn events_are_as_the_schema_says_and_hold_each_other() {
        let text = exported("ocsf");
        assert_eq!(text.lines().count(), samples().len());
        let mut before: Option<String> = None;
        for line in text.lines() {
            let mut event: Value = serde_json::from_str(line).expect("JSON");
            fits(&event, "event");
            let number = |name: &str| event[name].as_u64().expect(name);
            let (class, category, activity) = (number("class_uid"), number("category_uid"), number("activity_id"));
            let (_, own, activities, required, one_of) =
                CLASSES.iter().find(|(known, ..)| *known == class).unwrap_or_else(|| panic!("{class}"));
            assert_eq!((category, number("type_uid")), (*own, class * 100 + activity));
            assert!(activities.contains(&activity), "{class} has no activity {activity}");
            assert!(required.iter().all(|name| event.get(name).is_some()), "{line}");
            assert!(one_of.is_empty() || one_of.iter().any(|name| event.get(name).is_some()), "{line}");
            assert!((0..=6).contains(&number("severity_id")));
            // The attestation: over everything but itself, and over the one before.
            let attestation = event["attestation_list"][0].as_object_mut().expect("attestation");
            let said =
                attestation.remove("fingerprint").expect("fingerprint")["value"].as_str().expect("hex").to_string();
            let linked = attestation
                .get("prev_event")
                .map(|event| event["fingerprint"]["value"].as_str().expect("hex").to_string());
            assert_eq!(linked, before);
            assert_eq!(chain::hex(&Sha256::digest(canonical::bytes(&event))), said);
            before = Some(said);
        }
    }
}
