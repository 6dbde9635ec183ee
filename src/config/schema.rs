//! JSON Schemas of both files, for completion in editors: made from the tables that the check
//! itself uses.
//!
//! A schema says less than the check: what a cron field or a path may hold, and which names
//! belong together, is left to `consign map check`.

use serde_json::{Map, Value, json};

use super::describe::{Carries, Catalog, FormatSpec, OptionKind, OptionSpec};
use super::keys::{CONNECTOR, FRAGMENT, Key, Kind, MAPPING, PROJECT, STREAM, Section};
use crate::record::{class, shape};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of `connectors.yaml` with these plug-ins, as JSON text with a line end.
pub fn connectors(catalog: &Catalog) -> String {
    let mut definitions = Map::new();
    let root = section(&PROJECT, false, &mut definitions);
    plug_ins(catalog, &mut definitions);
    document(&PROJECT, &root, definitions)
}

/// The schema of `mappings/*.yaml`, as JSON text with a line end.
pub fn mapping() -> String {
    let mut definitions = Map::new();
    let root = section(&MAPPING, false, &mut definitions);
    document(&MAPPING, &root, definitions)
}

/// The schema of fragments that mappings include, as JSON text with a line end.
pub fn fragment() -> String {
    let mut definitions = Map::new();
    let root = section(&FRAGMENT, false, &mut definitions);
    document(&FRAGMENT, &root, definitions)
}

/// The schema of any other file whose keys are a section: a pack.
pub fn of(root: &'static Section) -> String {
    let mut definitions = Map::new();
    let reference = section(root, false, &mut definitions);
    document(root, &reference, definitions)
}

fn document(root: &'static Section, reference: &Value, definitions: Map<String, Value>) -> String {
    let value = json!({
        "$schema": DIALECT,
        "title": root.name,
        "description": root.about,
        "$ref": reference["$ref"],
        "$defs": definitions,
    });
    let mut text = format!("{value:#}");
    text.push('\n');
    text
}

/// What the kind of a connector adds: its options, and those of its streams and formats.
fn plug_ins(catalog: &Catalog, definitions: &mut Map<String, Value>) {
    let formats: Vec<Value> = catalog.formats.iter().map(|format| format_with_options(format)).collect();
    let names: Vec<_> = catalog.formats.iter().map(|format| format.name).collect();
    let mut cases = Vec::new();
    for protocol in catalog.protocols {
        let mut stream = definitions.get(&name_of(&STREAM)).cloned().unwrap_or_default();
        let mut options = options(protocol.stream_options);
        if let (Value::Object(all), Some(Value::Object(more))) =
            (&mut stream["properties"], options.get_mut("properties"))
        {
            all.append(more);
            all.remove("format").filter(|_| protocol.carries == Carries::Bytes).map(|mut format| {
                format["anyOf"] = json!([{ "enum": names }]);
                if let Some(list) = format["anyOf"].as_array_mut() {
                    list.extend(formats.iter().cloned());
                }
                all.insert("format".into(), format)
            });
        }
        stream["additionalProperties"] = Value::Bool(false);
        if let Some(required) = options.get("required") {
            stream["required"] = required.clone();
        }
        let (with, of_stream) = (format!("options_of_{}", protocol.name), format!("stream_of_{}", protocol.name));
        let mut own = self::options(protocol.options);
        own["description"] = json!(protocol.about);
        definitions.insert(with.clone(), own);
        definitions.insert(of_stream.clone(), stream);
        let mut then = json!({ "properties": {
            "with": { "$ref": format!("#/$defs/{with}") },
            "streams": { "type": "object", "additionalProperties": { "$ref": format!("#/$defs/{of_stream}") } },
        } });
        if protocol.options.iter().any(|option| option.required) {
            then["required"] = json!(["with"]);
        }
        let when = json!({ "properties": { "use": { "const": protocol.name } }, "required": ["use"] });
        cases.push(json!({ "if": when, "then": then }));
    }
    if let Some(connector) = definitions.get_mut(&name_of(&CONNECTOR)) {
        connector["allOf"] = Value::Array(cases);
        let names: Vec<_> = catalog.protocols.iter().map(|protocol| protocol.name).collect();
        let about = connector["properties"]["use"]["description"].clone();
        connector["properties"]["use"] = json!({ "enum": names, "description": about });
    }
}

fn format_with_options(format: &FormatSpec) -> Value {
    let mut made = options(format.options);
    made["description"] = json!(format.about);
    made["properties"]["type"] = json!({ "const": format.name });
    let mut required = vec![json!("type")];
    required.extend(made["required"].as_array().cloned().unwrap_or_default());
    made["required"] = Value::Array(required);
    made
}

fn options(specs: &[OptionSpec]) -> Value {
    let mut properties = Map::new();
    for spec in specs {
        let mut value = option(&spec.kind);
        value["description"] = json!(spec.about);
        if let Some(default) = spec.default {
            value["default"] = super::canonical::node(&super::node::default(default));
        }
        properties.insert(spec.name.to_owned(), value);
    }
    let mut made = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let required: Vec<_> = specs.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    if !required.is_empty() {
        made["required"] = json!(required);
    }
    made
}

fn option(kind: &OptionKind) -> Value {
    match kind {
        OptionKind::Text | OptionKind::FilePath | OptionKind::RecordPath => json!({ "type": "string" }),
        OptionKind::Bool => json!({ "type": "boolean" }),
        OptionKind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        OptionKind::Choice(words) => json!({ "enum": words }),
        OptionKind::Character => json!({ "type": "string", "pattern": "^(.|\\t|tab|none)$" }),
        OptionKind::List(inner) => json!({ "type": "array", "items": option(inner) }),
    }
}

fn name_of(section: &Section) -> String {
    section.name.trim_start_matches("a ").replace([' ', '.'], "_")
}

/// A reference to a section, which is defined once. `optional`: an overlay, nothing in it is
/// asked for.
fn section(section: &'static Section, optional: bool, definitions: &mut Map<String, Value>) -> Value {
    let plain = name_of(section);
    let name = if optional { format!("{plain}_overlay") } else { plain };
    let reference = json!({ "$ref": format!("#/$defs/{name}") });
    if definitions.contains_key(&name) {
        return reference;
    }
    // Stands in while it is made: an overlay holds itself.
    definitions.insert(name.clone(), Value::Null);
    let (mut properties, mut required, mut one_of) = (Map::new(), Vec::new(), Vec::new());
    for key in section.keys.iter().filter(|key| key.available) {
        let value = described(key, optional, definitions);
        for name in std::iter::once(key.name).chain(key.alias) {
            properties.insert(name.to_owned(), value.clone());
        }
        if key.required && !optional {
            required.push(key.name);
        }
        if key.name.starts_with("expect") {
            one_of.push(json!({ "required": [key.name] }));
        }
    }
    let mut made = json!({ "type": "object", "description": section.about, "properties": properties });
    if !section.foreign {
        made["additionalProperties"] = Value::Bool(false);
    }
    if !required.is_empty() {
        made["required"] = json!(required);
    }
    if !one_of.is_empty() {
        made["oneOf"] = Value::Array(one_of);
    }
    definitions.insert(name, made);
    reference
}

fn described(key: &'static Key, optional: bool, definitions: &mut Map<String, Value>) -> Value {
    let mut value = kind(&key.kind, optional, definitions);
    value["description"] = json!(key.about);
    if let Some(default) = key.default {
        value["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    value
}

fn kind(of: &'static Kind, optional: bool, definitions: &mut Map<String, Value>) -> Value {
    match of {
        Kind::Version => json!({ "const": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(min, max) if *max == i64::MAX => json!({ "type": "integer", "minimum": min }),
        Kind::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Percent => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        Kind::Length => json!({ "type": "string", "pattern": "^[0-9]+(ms|[smhd])$" }),
        Kind::Filled => json!({ "type": "string", "minLength": 1 }),
        Kind::Secret => json!({ "type": "string", "pattern": "^\\$\\{(env|file|cmd):[^}]+\\}$" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Days => json!({ "type": "string", "pattern": "^[0-9]+[dwy]$" }),
        Kind::Label | Kind::Cron | Kind::TimeZone | Kind::RecordPath => json!({ "type": "string", "minLength": 1 }),
        Kind::Name(false) => json!({ "type": "string", "pattern": r"^[^\s.]+$" }),
        Kind::Name(true) => json!({ "type": "string", "pattern": r"^\S+$" }),
        Kind::Word(words) => {
            json!({ "enum": words.iter().map(|word| word.name).collect::<Vec<_>>() })
        }
        Kind::Stream => json!({ "type": "string", "pattern": r"^[^.]+\..+$" }),
        Kind::Expression => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Class => {
            let names = class::ALL.iter().flat_map(|class| std::iter::once(&class.name).chain(class.aliases));
            define("class", definitions, json!({ "enum": names.collect::<Vec<_>>() }))
        }
        Kind::Type => {
            let names: Vec<_> = shape::NAMES.iter().map(|(name, _)| *name).chain(["list", "map"]).collect();
            define(
                "type",
                definitions,
                json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^(list|map)<.+>$" }] }),
            )
        }
        Kind::Value => json!({}),
        Kind::Record | Kind::Foreign | Kind::Auth => json!({ "type": "object" }),
        Kind::List(inner) => json!({ "type": "array", "items": kind(inner, optional, definitions) }),
        Kind::OneOrMany(inner) => {
            let one = kind(inner, optional, definitions);
            json!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
        }
        Kind::Section(inner) => section(inner, optional, definitions),
        Kind::Named(inner) => {
            json!({ "type": "object", "additionalProperties": kind(inner, optional, definitions) })
        }
        Kind::ByClass(inner) => {
            let names = kind(&Kind::Class, optional, definitions);
            json!({
                "type": "object",
                "propertyNames": names,
                "additionalProperties": kind(inner, optional, definitions),
            })
        }
        Kind::ShortOr(short, long) => {
            json!({ "anyOf": [kind(short, optional, definitions), kind(long, optional, definitions)] })
        }
        Kind::Overlay(inner) => section(inner, true, definitions),
    }
}

fn define(name: &str, definitions: &mut Map<String, Value>, value: Value) -> Value {
    definitions.entry(name).or_insert(value);
    json!({ "$ref": format!("#/$defs/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let none = Catalog { protocols: &[], formats: &[], shelf: None };
        for text in [connectors(&none), connectors(&super::super::tests::CATALOG), mapping(), fragment()] {
            let value: Value = serde_json::from_str(&text).unwrap();
            let mut ahead = vec![&value];
            while let Some(here) = ahead.pop() {
                if let Some(reference) = here.get("$ref").and_then(Value::as_str) {
                    let found = value.pointer(reference.trim_start_matches('#'));
                    assert!(found.is_some_and(Value::is_object), "{reference}");
                }
                match here {
                    Value::Object(map) => ahead.extend(map.values()),
                    Value::Array(list) => ahead.extend(list),
                    _ => {}
                }
            }
        }
    }
}
