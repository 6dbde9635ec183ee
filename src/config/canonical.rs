//! The canonical form of what was resolved, and its hash: what a run keeps, so that a report
//! about the past does not depend on today's files.
//!
//! JSON, keys sorted, defaults filled in, references as written, no places, no secrets. The
//! same configuration gives the same bytes whatever its layout, comments and order of keys.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::source::{password_in_url, secret_name};
use super::{Connector, Expectation, Expression, Mapping, Missed, Mode, Node, Project, Spanned, Stream, Violation};
use crate::record::shown::hex;
use crate::record::{Field, Path};

/// Fills in the canonical form and the hash of a project.
pub fn seal_project(project: &mut Project) {
    let connectors: Map<String, Value> =
        project.connectors.values().map(|made| (made.name.clone(), connector(made))).collect();
    let value = json!({
        "schema": "consign.project/1",
        "environment": project.environment,
        "profile": project.profile,
        "connectors": connectors,
        "compliance": {
            "standards": project.compliance.standards,
            "on_violation": if project.compliance.on_violation == Violation::Block { "block" } else { "warn" },
        },
        "audit": { "retention_days": project.audit.retention_days, "enabled": project.audit.enabled },
    });
    (project.canonical, project.hash) = sealed(value);
}

/// Fills in the canonical form and the hash of a mapping.
pub fn seal_mapping(mapping: &mut Mapping) {
    let text = |expression: &Expression| expression.text.trim().to_owned();
    let fields: Vec<Value> = mapping
        .fields
        .iter()
        .map(|rule| {
            json!({
                "target": rule.target.value.to_string(),
                "source": rule.source.as_ref().map(|path| path.value.to_string()),
                "transform": rule.transform.as_ref().map(text),
                "default": rule.default.as_ref().map(|value| node(&value.value)),
                "required": rule.required,
                "validate": rule.validate.iter().map(text).collect::<Vec<_>>(),
                "class": rule.classes.iter().map(|id| id.class().name).collect::<Vec<_>>(),
                "type": rule.kind.as_ref().map(|kind| kind.value.to_string()),
            })
        })
        .collect();
    let tests: Vec<Value> = mapping
        .tests
        .iter()
        .map(|test| {
            let (kind, value) = match &test.expect {
                Expectation::Record(record) => ("record", node(&record.value)),
                Expectation::Filtered => ("filtered", Value::Bool(true)),
                Expectation::Rejected(reason) => ("rejected", Value::String(reason.clone())),
            };
            json!({ "name": test.name.value, "given": node(&test.given.value), "expect": { kind: value } })
        })
        .collect();
    let sync = &mapping.sync;
    let schedule = sync.schedule.as_ref().map(|schedule| {
        json!({
            "cron": schedule.cron.value,
            "timezone": schedule.timezone,
            "missed": if schedule.missed == Missed::Once { "once" } else { "skip" },
        })
    });
    let mut value = json!({
        "schema": "consign.mapping/1",
        "name": mapping.name.value,
        "from": format!("{}.{}", mapping.from.connector, mapping.from.stream),
        "to": format!("{}.{}", mapping.to.connector, mapping.to.stream),
        "sync": {
            "mode": sync.mode.name(),
            "key": sync.key.iter().map(|path| path.value.to_string()).collect::<Vec<_>>(),
            "schedule": schedule,
            "batch_records": sync.batch_records,
            "tolerate_ppm": sync.on_error.tolerate_ppm,
            "tolerate_records": sync.on_error.tolerate_records,
            "stop": sync.on_error.stop,
            "after": sync.after.iter().map(|name| &name.value).collect::<Vec<_>>(),
            "accept_loss": sync.accept_loss,
        },
        "when": mapping.when.as_ref().map(text),
        "fields": fields,
        "tests": tests,
    });
    // Only where it is said: what earlier versions have sealed keeps its hash.
    if let Some(approval) = sync.approval {
        value["sync"]["approval"] = json!({ "four_eyes": approval.four_eyes });
    }
    if mapping.is_branch() {
        value["of"] = json!(mapping.family);
    }
    // Where nothing is ever deleted the form stays what it was before there was a guard.
    if sync.mode == Mode::Mirror {
        value["sync"]["deletes"] = json!({ "share_ppm": sync.deletes.share_ppm, "records": sync.deletes.records });
    }
    (mapping.canonical, mapping.hash) = sealed(value);
}

fn connector(made: &Connector) -> Value {
    let streams: Map<String, Value> = made.streams.values().map(|of| (of.name.clone(), stream(of))).collect();
    json!({
        "use": made.uses.value,
        "with": pairs(&made.with),
        "auth": pairs(&made.auth),
        "streams": streams,
        "tenant": made.tenant,
        "region": made.region,
        "standards": made.standards,
        "agreements": made.agreements,
        "clearance": made.clearance.map(|set| set.iter().map(|id| id.class().name).collect::<Vec<_>>()),
        "tries": made.retry_tries,
    })
}

fn stream(of: &Stream) -> Value {
    let field = |field: &Field| {
        json!({
            "name": field.name,
            "type": field.kind.to_string(),
            "required": field.required,
            "nullable": field.nullable,
            "class": field.classes.iter().map(|id| id.class().name).collect::<Vec<_>>(),
        })
    };
    let mut value = json!({
        "options": pairs(&of.options),
        "format": of.format.as_ref().map(|name| &name.value),
        "format_options": pairs(&of.format_options),
        "key": of.key.iter().map(Path::to_string).collect::<Vec<_>>(),
        "fields": of.fields.iter().map(field).collect::<Vec<_>>(),
        "closed": of.closed,
    });
    // Only where it is said: what earlier versions have sealed keeps its hash.
    if let Some(file) = &of.schema_file {
        value["schema"] = json!({ "file": file.value, "sha256": of.schema.as_ref().map(|schema| &schema.hash) });
    }
    value
}

fn pairs(options: &[(Spanned<String>, Spanned<Node>)]) -> Value {
    options
        .iter()
        .map(|(key, value)| {
            let literal = matches!(&value.value, Node::Text(text) if text.has_reference() || text.pieces.is_empty());
            let scalar = !matches!(value.value, Node::Map(_) | Node::Null);
            // A literal secret was a finding; here it is left out all the same.
            let shown = if scalar && secret_name(&key.value) && !literal { json!("***") } else { node(&value.value) };
            (key.value.clone(), shown)
        })
        .collect::<Map<_, _>>()
        .into()
}

/// A value as JSON; numbers keep their digits.
pub fn node(value: &Node) -> Value {
    match value {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        Node::Text(text) if password_in_url(&text.to_string()) => json!("***"),
        Node::Text(text) => Value::String(text.to_string()),
        Node::List(items) => items.iter().map(|item| node(&item.value)).collect(),
        Node::Map(entries) => pairs(entries),
    }
}

fn sealed(mut value: Value) -> (String, String) {
    value.sort_all_objects();
    let text = value.to_string();
    let hash = hex(&Sha256::digest(text.as_bytes()));
    (text, hash)
}
