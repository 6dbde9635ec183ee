//! What was declared, in the canonical form: only what was said, so that what was sealed before
//! keeps its hash.

use serde_json::{Map, Value, json};

use super::{Agreement, Consent, ConsentSource, Custody, Processing, Protect, Rules};
use crate::config::{Spanned, canonical};
use crate::record::{ClassSet, Path};

/// Adds what the project declares to its `compliance`.
pub fn rules(of: &Rules, into: &mut Value) {
    let Some(into) = into.as_object_mut() else { return };
    put(into, "industry", of.industry.map(super::Industry::word));
    put(into, "home", of.home.as_deref());
    if let Some(controller) = &of.controller {
        let mut made = Map::new();
        put(&mut made, "name", controller.name.as_deref());
        put(&mut made, "contact", controller.contact.as_deref());
        put(&mut made, "representative", controller.representative.as_deref());
        put(&mut made, "dpo", controller.dpo.as_deref());
        into.insert("controller".into(), made.into());
    }
    let waivers: Vec<Value> = of
        .waivers
        .iter()
        .map(|waiver| {
            json!({
                "check": waiver.check, "at": waiver.at, "owner": waiver.owner, "reason": waiver.reason,
                "until": waiver.until.to_string(), "ticket": waiver.ticket,
            })
        })
        .collect();
    put_list(into, "waivers", waivers);
    put_map(into, "protect", protect(&of.protect));
    put_list(into, "rules", of.custom.iter().map(|rule| canonical::node(&rule.value)).collect());
    if let Some(detect) = &of.detect {
        let value =
            json!({ "classes": names(detect.classes), "action": detect.action.word(), "threshold": detect.threshold });
        into.insert("detect".into(), value);
    }
    put_map(
        into,
        "retention",
        of.retention.iter().map(|(class, days)| (class.class().name.into(), json!(days))).collect(),
    );
    put(into, "approvals", of.approvals.as_ref().map(|file| file.value.as_str()));
    let roles = of.roles.iter().map(|role| {
        let value = json!({
            "can": role.can, "cannot": role.cannot, "members": role.members, "apart_from": role.apart_from,
            "reviewed": role.reviewed.map(|date| date.to_string()),
        });
        (role.name.clone(), value)
    });
    put_map(into, "roles", roles.collect());
    put(into, "standards_dir", of.standards_dir.as_ref().map(|dir| dir.value.as_str()));
    if let Some(destinations) = &of.destinations {
        into.insert("destinations".into(), destinations.iter().map(|name| json!(name.value)).collect());
    }
}

/// Adds what a connector says of itself.
pub fn custody(of: &Custody, agreements: &[Agreement], into: &mut Value) {
    let Some(into) = into.as_object_mut() else { return };
    put(into, "environment", of.environment.as_deref());
    put(into, "industry", of.industry.map(super::Industry::word));
    put(into, "kind", of.kind.map(super::Audience::word));
    if let Some(purposes) = &of.purposes {
        into.insert("purposes".into(), json!(purposes));
    }
    put(into, "retention_days", of.retention_days);
    put(into, "at_rest", of.at_rest.map(super::AtRest::word));
    put(into, "owner", of.owner.as_deref());
    put(into, "sells", of.sells.then_some(true));
    put(into, "rotated", of.rotated.map(|date| date.to_string()));
    let more = agreements.iter().filter(|one| one.reference.is_some() || one.until.is_some());
    let more = more.map(|one| {
        let value = json!({ "reference": one.reference, "until": one.until.map(|date| date.to_string()) });
        (one.kind.clone(), value)
    });
    put_map(into, "agreed", more.collect());
}

/// Adds what a mapping says of its route.
pub fn processing(of: &Processing, into: &mut Value) {
    let mut made = Map::new();
    let said = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    put(&mut made, "purpose", said(&of.purpose));
    put(&mut made, "basis", said(&of.basis));
    put(&mut made, "condition", said(&of.condition));
    if let Some(of) = &of.consent {
        made.insert("consent".into(), consent(of));
    }
    put(&mut made, "opt_out", path(&of.opt_out));
    if let Some(of) = &of.residency {
        made.insert("residency".into(), json!({ "field": of.field.value.to_string(), "stays": of.stays }));
    }
    put(&mut made, "age", path(&of.age));
    put(&mut made, "parental", path(&of.parental));
    put(&mut made, "age_of_consent", of.age_of_consent);
    put(&mut made, "subject", path(&of.subject));
    put_list(&mut made, "people", of.people.iter().map(|one| json!(one)).collect());
    put_list(&mut made, "recipients", of.recipients.iter().map(|one| json!(one)).collect());
    if let Some(transfer) = &of.transfer {
        made.insert("transfer".into(), json!({ "ground": transfer.ground, "reference": transfer.reference }));
    }
    put(&mut made, "dpia", of.dpia.as_deref());
    put(&mut made, "authorisation", of.authorisation.as_deref());
    put(&mut made, "data_use_agreement", of.data_use_agreement.as_deref());
    put(&mut made, "safe_harbor", of.safe_harbor.as_ref().map(|flag| flag.value));
    put(&mut made, "disclosure", said(&of.disclosure));
    put(&mut made, "retention_days", of.retention_days);
    put(&mut made, "owner", of.owner.as_deref());
    put(&mut made, "approver", of.approver.as_deref());
    put(&mut made, "ticket", of.ticket.as_deref());
    put_list(&mut made, "totals", of.totals.iter().map(|path| json!(path.value.to_string())).collect());
    put_map(&mut made, "protect", protect(&of.protect));
    put(&mut made, "needs", of.needs.map(names));
    if !made.is_empty() {
        into["compliance"] = made.into();
    }
}

fn consent(of: &Consent) -> Value {
    let mut made = Map::new();
    if let Some(lookup) = &of.lookup {
        let (word, from) = match &lookup.from {
            ConsentSource::File(file) => ("file", file.value.clone()),
            ConsentSource::Stream(stream) => ("stream", format!("{}.{}", stream.connector, stream.stream)),
        };
        let value = json!({ word: from, "key": lookup.key.value.to_string(), "by": path(&lookup.by) });
        made.insert("lookup".into(), value);
    }
    put(&mut made, "field", path(&of.field));
    put(&mut made, "purpose", of.purpose.as_deref());
    put(&mut made, "purposes", path(&of.purposes));
    put(&mut made, "given", path(&of.given));
    put(&mut made, "withdrawn", path(&of.withdrawn));
    made.into()
}

fn protect(of: &[Protect]) -> Map<String, Value> {
    let value = |one: &Protect| match &one.key {
        None => json!(one.action.word()),
        Some(key) => json!({ "action": one.action.word(), "key": key.value }),
    };
    of.iter().map(|one| (one.class.class().name.to_owned(), value(one))).collect()
}

fn names(of: ClassSet) -> Vec<&'static str> {
    of.iter().map(|id| id.class().name).collect()
}

fn path(of: &Option<Spanned<Path>>) -> Option<String> {
    of.as_ref().map(|path| path.value.to_string())
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        into.insert(name.into(), value.into());
    }
}

fn put_list(into: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        into.insert(name.into(), list.into());
    }
}

fn put_map(into: &mut Map<String, Value>, name: &str, map: Map<String, Value>) {
    if !map.is_empty() {
        into.insert(name.into(), map.into());
    }
}
