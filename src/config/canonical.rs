//! The canonical form of what was resolved, and its hash: what a run keeps, so that a report
//! about the past does not depend on today's files.
//!
//! JSON, keys sorted, defaults filled in, references as written, no places, no secrets. The
//! same configuration gives the same bytes whatever its layout, comments and order of keys.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::governance::canonical as governance;
use super::source::{password_in_url, secret_name};
use super::{
    Block, Case, Check, Connector, Copying, Drift, Element, Expectation, Expression, FieldRule, Let, Make, Mapping,
    Missed, Mode, Node, Over, Parameter, Project, ProtectionKey, Scope, Spanned, Stream, Violation, Which,
};
use crate::record::shown::hex;
use crate::record::{Field, Path};

/// Fills in the canonical form and the hash of a project.
pub fn seal_project(project: &mut Project) {
    let connectors: Map<String, Value> =
        project.connectors.values().map(|made| (made.name.clone(), connector(made))).collect();
    let mut value = json!({
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
    // What was not there once and is not said changes no hash.
    if !project.compliance.keys.is_empty() {
        value["compliance"]["keys"] = project
            .compliance
            .keys
            .iter()
            .map(|key| (key.name.clone(), protection_key(key)))
            .collect::<Map<_, _>>()
            .into();
    }
    // What an older consign did not know stands there only where it is said: hashes stay as they were.
    let audit = &project.audit;
    for (name, said) in [("max_events", audit.max_events), ("max_megabytes", audit.max_megabytes)] {
        if let Some(said) = said {
            value["audit"][name] = json!(said);
        }
    }
    if !audit.keep.is_empty() {
        value["audit"]["keep"] = audit.keep.iter().map(|(name, days)| (name.clone(), json!(days))).collect();
    }
    if !audit.checkpoints.is_empty() {
        value["audit"]["checkpoints"] = json!(audit.checkpoints);
    }
    if audit.checkpoint_runs {
        value["audit"]["checkpoint_runs"] = json!(true);
    }
    if audit.segments != super::SEGMENT {
        value["audit"]["segments"] = json!(audit.segments);
    }
    if audit.items {
        value["audit"]["items"] = json!(true);
    }
    if !audit.people {
        value["audit"]["people"] = json!(false);
    }
    if audit.risk != [0.2, 0.5, 0.8, 0.9] {
        value["audit"]["risk"] = json!(audit.risk);
    }
    if audit.slow.as_secs() != 30 {
        value["audit"]["slow_secs"] = json!(audit.slow.as_secs());
    }
    if !audit.alerts.is_empty() {
        let told =
            audit.alerts.iter().map(|alert| (alert.name.clone(), json!({ "on": alert.on, "by": alert.to.word() })));
        value["audit"]["alerts"] = told.collect::<Map<_, _>>().into();
    }
    if !audit.rules.is_empty() {
        value["audit"]["rules"] = audit.rules.iter().map(event_rule).collect();
    }
    if !audit.standards {
        value["audit"]["standards"] = json!(false);
    }
    if !project.parameters.is_empty() {
        value["parameters"] = pairs(&project.parameters);
    }
    governance::rules(&project.compliance.rules, &mut value["compliance"]);
    (project.canonical, project.hash) = sealed(value);
}

/// Fills in the canonical form and the hash of a mapping.
pub fn seal_mapping(mapping: &mut Mapping) {
    let fields = rules(&mapping.fields);
    let tests: Vec<Value> = mapping
        .tests
        .iter()
        .map(|test| {
            let (kind, value) = match &test.expect {
                Expectation::Record(record) => ("record", node(&record.value)),
                Expectation::Filtered => ("filtered", Value::Bool(true)),
                Expectation::Rejected(reason) => ("rejected", Value::String(reason.clone())),
                Expectation::Withheld(rule) => ("withheld", Value::String(rule.clone())),
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
        "when": mapping.when.as_ref().map(written),
        "fields": fields,
        "tests": tests,
    });
    // Only where it is said: what earlier versions have sealed keeps its hash.
    if let Some(approval) = sync.approval {
        value["sync"]["approval"] = json!({ "four_eyes": approval.four_eyes });
    }
    if let Some(explode) = &mapping.explode {
        value["explode"] = json!({
            "list": explode.list.value.to_string(),
            "as": explode.name.as_ref().map(|name| &name.value),
        });
    }
    if let Some(drift) = &mapping.drift {
        let word = Drift::NAMES.iter().find(|(_, one)| *one == drift.value).map(|(name, _)| *name);
        value["contract"] = json!({ "drift": word });
    }
    if mapping.is_branch() {
        value["of"] = json!(mapping.family);
    }
    // Where nothing is ever deleted the form stays what it was before there was a guard.
    if sync.mode == Mode::Mirror {
        value["sync"]["deletes"] = json!({ "share_ppm": sync.deletes.share_ppm, "records": sync.deletes.records });
    }
    for (key, said) in [("about", &mapping.about), ("revision", &mapping.revision)] {
        if let Some(said) = said {
            value[key] = json!(said);
        }
    }
    if !mapping.validate.is_empty() {
        value["validate"] = mapping.validate.iter().map(check).collect();
    }
    // Rules of fragments stand among the others; what their expressions see is told apart by scope.
    let set: Vec<Value> = mapping.scopes.iter().map(scope).collect();
    if set.len() > 1 || set.iter().any(|scope| scope != &json!({})) {
        value["scopes"] = json!(set);
    }
    add_block(&mut value, &mapping.lets, &mapping.copies);
    governance::processing(&mapping.compliance, &mut value);
    (mapping.canonical, mapping.hash) = sealed(value);
}

fn protection_key(key: &ProtectionKey) -> Value {
    json!({
        "purpose": key.purpose.word(),
        "root": key.roots.iter().map(|root| root.value.to_string()).collect::<Vec<_>>(),
        "class": key.classes.iter().map(|id| id.class().name).collect::<Vec<_>>(),
        "decrypt": key.decrypt,
        "max_age_days": key.max_age_days,
    })
}

fn written(expression: &Expression) -> String {
    expression.text.trim().to_owned()
}

fn scope(of: &Scope) -> Value {
    let value = |of: &Parameter| {
        (of.name.value.clone(), json!({ "type": of.kind.to_string(), "value": node(&of.value.value) }))
    };
    of.parameters.iter().map(value).collect::<Map<_, _>>().into()
}

fn check(of: &Check) -> Value {
    match &of.message {
        None => json!(written(&of.that)),
        Some(message) => json!({ "that": written(&of.that), "message": message }),
    }
}

fn rules(of: &[FieldRule]) -> Vec<Value> {
    of.iter().map(rule).collect()
}

/// A rule. What a mapping could not say earlier stands there only where it is said, so that what was
/// sealed before keeps its hash.
fn rule(of: &FieldRule) -> Value {
    let mut value = json!({
        "target": of.target.value.to_string(),
        "source": of.source.as_ref().map(|path| path.value.to_string()),
        "transform": of.transform().map(written),
        "default": of.default.as_ref().map(|value| node(&value.value)),
        "required": of.required,
        "validate": of.validate.iter().map(check).collect::<Vec<_>>(),
        "class": of.classes.iter().map(|id| id.class().name).collect::<Vec<_>>(),
        "type": of.kind.as_ref().map(|kind| kind.value.to_string()),
    });
    if let Some(nullable) = of.nullable {
        value["nullable"] = json!(nullable);
    }
    if let Some(when) = &of.when {
        value["when"] = json!(written(when));
    }
    if of.scope > 0 {
        value["scope"] = json!(of.scope);
    }
    match &of.make {
        Make::Value | Make::Transform(_) => {}
        Make::Constant(constant) => value["value"] = node(&constant.value),
        Make::Table(table) => {
            let cases: Vec<Value> =
                table.cases.iter().map(|(key, result)| json!([key.value, node(&result.value)])).collect();
            value["switch"] = json!({ "cases": cases });
            if let Some(otherwise) = &table.otherwise {
                value["switch"]["otherwise"] = node(&otherwise.value);
            }
        }
        Make::Cases(cases) => {
            let case = |of: &Case| json!({ "when": of.when.as_ref().map(written), "then": written(&of.then) });
            value["switch"] = cases.iter().map(case).collect();
        }
        Make::Object(inner) => value["object"] = block(inner),
        Make::List(list) => {
            let element = |of: &Element| {
                let mut value = block(&of.block);
                value["when"] = json!(of.when.as_ref().map(written));
                value
            };
            value["list"] = list.elements.iter().map(element).collect();
            value["keep_empty"] = json!(list.keep_empty);
        }
        Make::ForEach(each) => {
            let over = match &each.over {
                Over::Path(path) => json!({ "path": path.value.to_string() }),
                Over::Expression(expression) => json!({ "expression": written(expression) }),
            };
            let mut made = block(&each.block);
            made["over"] = over;
            made["as"] = json!(each.name.as_ref().map(|name| &name.value));
            made["when"] = json!(each.when.as_ref().map(written));
            made["empty_if_missing"] = json!(each.empty_if_missing);
            made["keep_empty"] = json!(each.keep_empty);
            value["for_each"] = made;
        }
    }
    value
}

fn block(of: &Block) -> Value {
    let mut value = json!({ "fields": rules(&of.rules) });
    add_block(&mut value, &of.lets, &of.copies);
    value
}

fn add_block(value: &mut Value, lets: &[Let], copies: &[Copying]) {
    if !lets.is_empty() {
        let one = |of: &Let| json!([of.scope, of.name.value, written(&of.expression)]);
        value["let"] = lets.iter().map(one).collect();
    }
    if !copies.is_empty() {
        let copy = |of: &Copying| {
            let (how, names) = match &of.which {
                Which::Pick(names) => ("pick", names),
                Which::Omit(names) => ("omit", names),
            };
            let names: Vec<String> = names.iter().map(|name| name.value.to_string()).collect();
            json!({ "from": of.from.as_ref().map(|path| path.value.to_string()), "to": of.target.to_string(), how: names })
        };
        value["copy"] = copies.iter().map(copy).collect();
    }
}

/// Adds what the files of its lookups hold to the canonical form and the hash of a mapping: one that
/// looks up something else is another one.
pub fn seal_tables(mapping: &mut Mapping, hashes: Map<String, Value>) {
    if let Ok(mut value) = serde_json::from_str::<Value>(&mapping.canonical) {
        value["tables"] = hashes.into();
        (mapping.canonical, mapping.hash) = sealed(value);
    }
}

fn connector(made: &Connector) -> Value {
    let streams: Map<String, Value> = made.streams.values().map(|of| (of.name.clone(), stream(of))).collect();
    let mut document = json!({
        "use": made.uses.value,
        "with": pairs(&made.with),
        "auth": pairs(&made.auth),
        "streams": streams,
        "tenant": made.tenant,
        "region": made.region,
        "standards": made.standards,
        "agreements": made.agreements.iter().map(|one| &one.kind).collect::<Vec<_>>(),
        "clearance": made.clearance.map(|set| set.iter().map(|id| id.class().name).collect::<Vec<_>>()),
        "tries": made.retry_tries,
    });
    // What was not there once and is not said changes no hash.
    if let Some(rate) = made.rate {
        document["rate"] = json!(rate);
    }
    governance::custody(&made.custody, &made.agreements, &mut document);
    document
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

fn event_rule(rule: &super::EventRule) -> Value {
    json!({
        "name": rule.name, "about": rule.about, "when": rule.when.text,
        "group_by": rule.group_by.as_ref().map(|by| &by.text), "window_secs": rule.window.as_secs(),
        "threshold": rule.threshold, "severity": rule.severity, "actions": rule.actions, "control": rule.control,
        "enabled": rule.enabled,
    })
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
