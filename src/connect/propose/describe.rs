//! What a schema or a sample says of records: where the list stands, fields, types, the key.

use serde_json::{Map, Value as Json};

use crate::record::ClassSet;

/// What the name of a field gives away, from the names on the way to it (`customer.email`).
pub type Classes<'a> = &'a dyn Fn(&str) -> ClassSet;

/// The records of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Names on the way to the list.
    pub(super) path: Vec<String>,
    /// Whether the list may be missing.
    pub(super) optional: bool,
    /// Their fields.
    pub(super) fields: Vec<Field>,
    /// The map in a record in which its fields stand (JSON:API).
    pub(super) lift: Option<String>,
    /// The field that identifies one.
    pub(super) key: Option<String>,
    /// One that may identify it.
    pub(super) perhaps: Option<String>,
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
    /// Names of it and of what is in it.
    pub(super) names: Vec<String>,
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
    /// `path`: the path that gives it.
    pub(super) fn of_schema(document: &Json, schema: &Json, path: &str) -> Option<Self> {
        let schema = resolved(document, schema);
        let hint = path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default();
        if let Some(items) = list_of_objects(document, schema) {
            return Some(Self::of_items(document, items, Vec::new(), path));
        }
        let mut found: Vec<(usize, Vec<String>, bool, &Json)> = Vec::new();
        for (name, below, required) in properties(document, schema, 0) {
            if let Some(items) = list_of_objects(document, below) {
                found.push((rank(name, hint), vec![name.to_owned()], !required, items));
            }
            for (inner, deeper, inner_required) in properties(document, below, 0) {
                if let Some(items) = list_of_objects(document, deeper) {
                    let way = vec![name.to_owned(), inner.to_owned()];
                    found.push((rank(inner, hint) + 10, way, !(required && inner_required), items));
                }
            }
        }
        found.sort_by_key(|(rank, ..)| *rank);
        let (rank, way, optional, items) = found.into_iter().next()?;
        // An object with several lists in it, none of which is named like one of records, is one record itself.
        let one_record = rank % 10 > 2 && properties(document, schema, 0).len() > 8;
        (!one_record).then(|| Self { optional, ..Self::of_items(document, items, way, path) })
    }

    fn of_items(document: &Json, items: &Json, way: Vec<String>, path: &str) -> Self {
        let mut all = properties(document, items, 0);
        // A record of JSON:API: `type`, `id`, and everything else under `attributes`.
        let has = |name: &str| all.iter().any(|(known, ..)| *known == name);
        let lift = has("id") && has("type") && has("attributes");
        if let Some(at) = all.iter().position(|(name, ..)| lift && *name == "attributes") {
            let (_, below, _) = all.remove(at);
            for one in properties(document, below, 0) {
                if !all.iter().any(|(known, ..)| *known == one.0) {
                    all.push(one);
                }
            }
        }
        let fields: Vec<Field> = all
            .into_iter()
            .map(|(name, below, required)| {
                let mut names = vec![name.to_owned()];
                inside(document, below, name, 0, &mut names);
                Field { name: name.to_owned(), kind: kind(document, below), required, names }
            })
            .collect();
        let example = resolved(document, items).get("example").filter(|example| telling(example)).cloned();
        let (key, perhaps) = key(&fields, path);
        Self { key, perhaps, path: way, fields, example, lift: lift.then(|| "attributes".into()), optional: false }
    }

    /// Of an answer.
    pub(super) fn of_answer(answer: &Json) -> Option<Self> {
        let (path, list) = longest(answer, Vec::new(), 0)?;
        let mut fields: Vec<Field> = Vec::new();
        let lift = list.iter().all(|record| {
            let has = |name: &str| record.get(name).is_some();
            has("id") && has("type") && record.get("attributes").is_some_and(Json::is_object)
        });
        let lift = lift.then(|| "attributes".to_owned());
        for record in list.iter().filter_map(Json::as_object) {
            let lifted = lift.as_ref().and_then(|name| record.get(name)?.as_object());
            let plain = record.iter().filter(|(name, _)| lift.as_ref() != Some(*name));
            for (name, value) in plain.chain(lifted.into_iter().flatten()) {
                let kind = kind_of(value);
                let at = fields.iter().position(|field| field.name == *name).unwrap_or_else(|| {
                    fields.push(Field { name: name.clone(), kind, required: false, names: vec![name.clone()] });
                    fields.len() - 1
                });
                let known = &mut fields[at];
                known.kind = match (known.kind, kind) {
                    (before, "any") => before,
                    ("any", now) => now,
                    (before, now) if before == now => before,
                    ("int", "decimal") | ("decimal", "int") => "decimal",
                    ("timestamp" | "date" | "string", "timestamp" | "date" | "string") => "string",
                    _ => "any",
                };
                within(value, name, 0, &mut known.names);
            }
        }
        let (key, perhaps) = key(&fields, path.last().map_or("", String::as_str));
        Some(Self { key, perhaps, path, fields, lift, ..Self::default() })
    }
}

/// Whether an example was written by somebody: made ones say of each field what it is called.
fn telling(example: &Json) -> bool {
    let texts: Vec<(&String, &str)> =
        members(Some(example)).filter_map(|(name, value)| Some((name, value.as_str()?))).collect();
    let empty = |(name, value): &&(&String, &str)| value.is_empty() || value == name;
    example.is_object() && texts.iter().filter(empty).count() * 3 <= texts.len()
}

impl Field {
    /// What its name, and the names of what is in it, give away.
    pub(super) fn classes(&self, classes: Classes<'_>) -> ClassSet {
        self.names.iter().fold(ClassSet::NONE, |found, name| found.union(classes(name)))
    }
}

/// Names in a schema, with those on the way to them.
fn inside(document: &Json, schema: &Json, way: &str, depth: usize, names: &mut Vec<String>) {
    let schema = resolved(document, schema);
    let schema = schema.get("items").map_or(schema, |items| resolved(document, items));
    if depth > 2 || names.len() > 200 {
        return;
    }
    for (name, below, _) in properties(document, schema, 0) {
        let way = format!("{way}.{name}");
        names.push(way.clone());
        inside(document, below, &way, depth + 1, names);
    }
}

/// The same of a value.
fn within(value: &Json, way: &str, depth: usize, names: &mut Vec<String>) {
    let value = value.get(0).unwrap_or(value);
    if depth > 2 || names.len() > 200 {
        return;
    }
    for (name, below) in value.as_object().into_iter().flatten() {
        let way = format!("{way}.{name}");
        if !names.contains(&way) {
            names.push(way.clone());
        }
        within(below, &way, depth + 1, names);
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

/// The field that identifies a record: `id`, or what is named after the path; and one that may be it.
fn key(fields: &[Field], path: &str) -> (Option<String>, Option<String>) {
    let words: Vec<String> = path
        .split('/')
        .filter(|part| !part.starts_with('{'))
        .flat_map(|part| snake(part).split('_').map(singular).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .collect();
    let last = path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default();
    let stem = singular(&snake(last));
    let end = stem.rsplit('_').next().unwrap_or_default().to_owned();
    let scalars = || fields.iter().filter(|field| matches!(field.kind, "string" | "int" | "any"));
    let fits = |wanted: &str| scalars().find(|field| snake(&field.name) == wanted);
    // `scheduled_payment_id` of `payments/scheduled`: all of its words stand in the path, the path's last among them.
    let spelled = || {
        scalars().find(|field| {
            let name = snake(&field.name);
            let of = name.strip_suffix("_id").unwrap_or_default();
            let mut parts = of.split('_').map(singular);
            !of.is_empty() && parts.all(|part| words.contains(&part)) && of.split('_').any(|part| singular(part) == end)
        })
    };
    let sure = ["id".to_owned(), format!("{stem}_id"), format!("{end}_id"), "uuid".into(), "guid".into()]
        .iter()
        .find_map(|name| fits(name))
        .or_else(spelled)
        .or_else(|| ["key", "code"].iter().find_map(|name| fits(name)));
    let perhaps = || {
        let named = |field: &&Field| snake(&field.name).ends_with("_id") || snake(&field.name).ends_with("_number");
        scalars().find(|field| field.required && named(field)).or_else(|| scalars().find(named))
    };
    (sure.map(|field| field.name.clone()), perhaps().filter(|_| sure.is_none()).map(|field| field.name.clone()))
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
