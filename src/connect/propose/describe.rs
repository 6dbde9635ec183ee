//! What a schema or a sample says of records: where the list stands, fields, types, the key.

use serde_json::{Map, Value as Json};

/// The records of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Names on the way to the list.
    pub(super) path: Vec<String>,
    /// Their fields.
    pub(super) fields: Vec<Field>,
    /// The field that identifies one.
    pub(super) key: Option<String>,
    /// A record.
    pub(super) example: Option<Json>,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    /// The name of its type.
    pub(super) kind: &'static str,
    pub(super) required: bool,
}

/// Follows references; what leads nowhere is nothing.
pub(super) fn resolved<'d>(document: &'d Json, mut schema: &'d Json) -> &'d Json {
    for _ in 0..32 {
        let Some(reference) = schema.get("$ref").and_then(Json::as_str) else { return schema };
        match document.pointer(reference.trim_start_matches('#')) {
            Some(found) => schema = found,
            None => return &Json::Null,
        }
    }
    &Json::Null
}

/// The properties of an object, those of `allOf` and of the first of `oneOf` included.
pub(super) fn properties<'d>(document: &'d Json, schema: &'d Json, depth: usize) -> Vec<(&'d str, &'d Json, bool)> {
    let schema = resolved(document, schema);
    let mut out: Vec<(&str, &Json, bool)> = Vec::new();
    if depth > 8 {
        return out;
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    for (name, below) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        out.push((name, below, required.contains(&name.as_str())));
    }
    let parts = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
    let first = ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(key)?.as_array()?.first());
    for part in parts.chain(first) {
        for (name, below, is_required) in properties(document, part, depth + 1) {
            if !out.iter().any(|(known, _, _)| *known == name) {
                out.push((name, below, is_required || required.contains(&name)));
            }
        }
    }
    out
}

/// The name of a schema's type.
pub(super) fn kind(document: &Json, schema: &Json) -> &'static str {
    let schema = resolved(document, schema);
    let word = match schema.get("type") {
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).find(|word| *word != "null"),
        other => other.and_then(Json::as_str),
    };
    let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
    match (word, format) {
        (Some("string"), "date-time") => "timestamp",
        (Some("string"), "date") => "date",
        (Some("string"), _) => "string",
        (Some("integer"), _) => "int",
        (Some("number"), _) => "decimal",
        (Some("boolean"), _) => "bool",
        (Some("array"), _) => "list",
        (Some("object"), _) => "map",
        _ if schema.get("properties").is_some() => "map",
        _ if schema.get("items").is_some() => "list",
        _ if schema.get("enum").and_then(|all| all.get(0)).is_some_and(Json::is_string) => "string",
        (None, _) => {
            let part = ["allOf", "oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()?.first());
            part.map_or("any", |part| if part == schema { "any" } else { kind(document, part) })
        }
        _ => "any",
    }
}

impl Shape {
    /// Of the schema of an answer: itself a list, or with a list of objects in it, two levels down at most.
    pub(super) fn of_schema(document: &Json, schema: &Json, hint: &str) -> Option<Self> {
        let schema = resolved(document, schema);
        if let Some(items) = list_of_objects(document, schema) {
            return Some(Self::of_items(document, items, Vec::new(), hint));
        }
        let mut found: Vec<(usize, Vec<String>, &Json)> = Vec::new();
        for (name, below, _) in properties(document, schema, 0) {
            if let Some(items) = list_of_objects(document, below) {
                found.push((rank(name, hint), vec![name.to_owned()], items));
            }
            for (inner, deeper, _) in properties(document, below, 0) {
                if let Some(items) = list_of_objects(document, deeper) {
                    found.push((rank(inner, hint) + 10, vec![name.to_owned(), inner.to_owned()], items));
                }
            }
        }
        found.sort_by_key(|(rank, _, _)| *rank);
        let (rank, path, items) = found.into_iter().next()?;
        // An object with several lists in it, none of which is named like one of records, is one record itself.
        let one_record = rank % 10 > 2 && properties(document, schema, 0).len() > 8;
        (!one_record).then(|| Self::of_items(document, items, path, hint))
    }

    fn of_items(document: &Json, items: &Json, path: Vec<String>, hint: &str) -> Self {
        let fields: Vec<Field> = properties(document, items, 0)
            .into_iter()
            .map(|(name, below, required)| Field { name: name.to_owned(), kind: kind(document, below), required })
            .collect();
        let example = resolved(document, items).get("example").filter(|example| example.is_object()).cloned();
        Self { key: key(&fields, hint), path, fields, example }
    }

    /// Of an answer.
    pub(super) fn of_answer(answer: &Json) -> Option<Self> {
        let (path, list) = longest(answer, Vec::new(), 0)?;
        let mut fields: Vec<Field> = Vec::new();
        for record in list.iter().filter_map(Json::as_object) {
            for (name, value) in record {
                let kind = kind_of(value);
                match fields.iter_mut().find(|field| field.name == *name) {
                    Some(known) if known.kind == "any" => known.kind = kind,
                    Some(known) if known.kind != kind && kind != "any" => {
                        known.kind = match (known.kind, kind) {
                            ("int", "decimal") | ("decimal", "int") => "decimal",
                            ("timestamp" | "date" | "string", "timestamp" | "date" | "string") => "string",
                            _ => "any",
                        };
                    }
                    Some(_) => {}
                    None => fields.push(Field { name: name.clone(), kind, required: false }),
                }
            }
        }
        let hint = path.last().cloned().unwrap_or_default();
        Some(Self { key: key(&fields, &hint), path, fields, example: None })
    }
}

fn list_of_objects<'d>(document: &'d Json, schema: &'d Json) -> Option<&'d Json> {
    let schema = resolved(document, schema);
    let items = resolved(document, schema.get("items")?);
    let is_object = kind(document, items) == "map" || !properties(document, items, 0).is_empty();
    is_object.then_some(items)
}

/// How likely a list of this name holds the records: 0 is best.
fn rank(name: &str, hint: &str) -> usize {
    let name = snake(name);
    let stem = |text: &str| text.trim_end_matches('s').trim_end_matches("ie").trim_end_matches('y').to_owned();
    match name.as_str() {
        _ if !hint.is_empty() && stem(&name) == stem(&snake(hint)) => 0,
        "data" | "items" | "results" | "records" | "value" | "values" | "entries" | "list" | "content" => 1,
        "errors" | "warnings" | "links" | "included" | "meta" | "validation_errors" => 9,
        _ => 4,
    }
}

/// The field that identifies a record: `id`, or what is named after the stream.
fn key(fields: &[Field], hint: &str) -> Option<String> {
    let singular = singular(&snake(hint));
    let fits = |wanted: &str| {
        let scalar = |field: &&Field| matches!(field.kind, "string" | "int" | "any");
        fields.iter().filter(scalar).find(|field| snake(&field.name) == wanted).map(|field| field.name.clone())
    };
    let last = singular.rsplit('_').next().unwrap_or_default().to_owned();
    [
        "id".to_owned(),
        format!("{singular}_id"),
        format!("{last}_id"),
        "uuid".into(),
        "guid".into(),
        "key".into(),
        "code".into(),
    ]
    .iter()
    .find_map(|name| fits(name))
    .or_else(|| {
        let one = fields.iter().find(|field| field.required && snake(&field.name).ends_with("_id"));
        one.map(|field| field.name.clone())
    })
    .or_else(|| fields.iter().find(|field| snake(&field.name).ends_with("_id")).map(|field| field.name.clone()))
}

fn longest(value: &Json, path: Vec<String>, depth: usize) -> Option<(Vec<String>, &Vec<Json>)> {
    match value {
        Json::Array(items) if items.first().is_some_and(Json::is_object) => Some((path, items)),
        Json::Object(members) if depth < 4 => {
            let below = members.iter().filter_map(|(name, value)| {
                let mut path = path.clone();
                path.push(name.clone());
                longest(value, path, depth + 1)
            });
            below.max_by_key(|(path, items)| (items.len(), usize::MAX - path.len()))
        }
        _ => None,
    }
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "any",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_i64() || number.is_u64() => "int",
        Json::Number(_) => "decimal",
        Json::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "timestamp",
        Json::String(text) if text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok() => "date",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "map",
    }
}

/// `accountsList-v2` as `accounts_list_v2`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for character in name.chars() {
        if character.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        match character.is_alphanumeric() {
            true => out.extend(character.to_lowercase()),
            false if !out.ends_with('_') && !out.is_empty() => out.push('_'),
            false => {}
        }
        before = character;
    }
    out.trim_matches('_').to_owned()
}

/// `categories` as `category`, `orders` as `order`.
pub(super) fn singular(name: &str) -> String {
    match name {
        _ if name.ends_with("ies") => format!("{}y", &name[..name.len() - 3]),
        _ if name.ends_with("sses") => name[..name.len() - 2].to_owned(),
        _ if name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us") => name[..name.len() - 1].to_owned(),
        _ => name.to_owned(),
    }
}

/// Members of an object, or none.
pub(super) fn members(value: Option<&Json>) -> impl Iterator<Item = (&String, &Json)> {
    static NONE: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Json::as_object).unwrap_or(&NONE).iter()
}
