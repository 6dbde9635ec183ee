//! JSON Schemas of both files, for completion in editors: made from the tables that the check
//! itself uses.
//!
//! A schema says less than the check: options of plug-ins are open, and what a cron field or a
//! path may hold is left to `consign map check`.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, MAPPING, PROJECT, Section};
use crate::record::{class, shape};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of `connectors.yaml`, as JSON text with a line end.
pub fn connectors() -> String {
    document(&PROJECT)
}

/// The schema of `mappings/*.yaml`, as JSON text with a line end.
pub fn mapping() -> String {
    document(&MAPPING)
}

fn document(root: &'static Section) -> String {
    let mut definitions = Map::new();
    let reference = section(root, false, &mut definitions);
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

/// A reference to a section, which is defined once. `optional`: an overlay, nothing in it is
/// asked for.
fn section(section: &'static Section, optional: bool, definitions: &mut Map<String, Value>) -> Value {
    let plain = section.name.trim_start_matches("a ").replace([' ', '.'], "_");
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
        Kind::Percent => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        Kind::Days => json!({ "type": "string", "pattern": "^[0-9]+[dwy]$" }),
        Kind::Label | Kind::Cron | Kind::TimeZone | Kind::RecordPath => json!({ "type": "string", "minLength": 1 }),
        Kind::Name(false) => json!({ "type": "string", "pattern": r"^[^\s.]+$" }),
        Kind::Name(true) => json!({ "type": "string", "pattern": r"^\S+$" }),
        Kind::Word(words) => {
            json!({ "enum": words.iter().filter(|word| word.available).map(|word| word.name).collect::<Vec<_>>() })
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

    /// Compares with the committed page, or writes it with `CONSIGN_UPDATE=1`.
    fn fresh(name: &str, text: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
        if std::env::var_os("CONSIGN_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{} is stale: run CONSIGN_UPDATE=1 cargo test schemas_are_fresh", path.display());
    }

    #[test]
    fn schemas_are_fresh() {
        fresh("connectors.schema.json", &connectors());
        fresh("mapping.schema.json", &mapping());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for text in [connectors(), mapping()] {
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
