//! Writes a proposed pack down: YAML with comments that say what was guessed.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::describe::Shape;
use super::paging::{Paging, quoted};
use crate::record::suspect;

/// A pack in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) base: String,
    /// What it was made of.
    pub(super) origin: String,
    /// Parameters: name, sentence, default.
    pub(super) params: Vec<(String, String, Option<String>)>,
    /// Lines of `auth`, without the key itself.
    pub(super) auth: Vec<String>,
    pub(super) streams: Vec<Stream>,
    pub(super) operations: Vec<Operation>,
}

/// A stream in the making.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) path: String,
    /// Parameters and headers that are always sent: name, value.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) shape: Shape,
    pub(super) paging: Option<Paging>,
    /// The stream that it is read for each record of.
    pub(super) parent: Option<String>,
    /// Comments with what could be said of a cursor.
    pub(super) hints: Vec<String>,
    /// Ways of writing: their name and lines.
    pub(super) ways: Vec<(String, Vec<String>)>,
}

/// An operation in the making.
#[derive(Debug, Default)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

impl Draft {
    pub(super) fn yaml(&self) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "# Made from {} by `consign connect new`: look through it, above all where it says `guessed`.\n\
             # Then: consign connect check FILE, and record exchanges with `consign connect capture`.\n\
             pack: {}\nversion: 0.1.0\nengine: 1\nabout: {}\n",
            self.origin,
            quoted(&self.name),
            quoted(&self.about)
        );
        out.push_str("params:\n  base:\n    about: The address that paths count from.\n");
        let _ = writeln!(out, "    default: {}", quoted(&self.base));
        for (name, about, default) in &self.params {
            let _ = write!(out, "  {name}:\n    about: {}\n", quoted(about));
            match default {
                Some(default) => {
                    let _ = writeln!(out, "    default: {}", quoted(default));
                }
                None => out.push_str("    required: true\n"),
            }
        }
        out.push_str("transport:\n  base: \"{{ params.base }}\"\n");
        if !self.auth.is_empty() {
            out.push_str("auth:\n");
            self.auth.iter().for_each(|line| {
                let _ = writeln!(out, "  {line}");
            });
        }
        out.push_str(
            "limits:\n  in_flight: 4   # guessed: what does the system allow?\n\
             faults:\n  - { status: 401, then: denied, say: the sign-in is not valid }\n  - { status: 403, then: denied, say: the sign-in may not do this }\n\
             \x20 - { status: 429, then: wait, say: too many requests }\n  - { status: [400, 404, 422], then: reject, say: the system refuses it }\n\
             \x20 - { status: 5xx, then: retry, say: the system has a fault of its own }\n",
        );
        if let Some(first) = self.streams.iter().find(|stream| stream.parent.is_none()) {
            let _ = writeln!(out, "probe:\n  path: {}   # guessed: something cheaper may do", quoted(&first.path));
            pairs("query", &first.query, 2, &mut out);
            pairs("headers", &first.headers, 2, &mut out);
        }
        if !self.streams.is_empty() {
            out.push_str("streams:\n");
        }
        self.streams.iter().for_each(|stream| stream.yaml(&mut out));
        if !self.operations.is_empty() {
            out.push_str("operations:\n");
        }
        for operation in &self.operations {
            let _ = writeln!(out, "  {}:", operation.name);
            operation.lines.iter().for_each(|line| {
                let _ = writeln!(out, "    {line}");
            });
        }
        out
    }
}

impl Stream {
    fn yaml(&self, out: &mut String) {
        let _ = writeln!(out, "  {}:", self.name);
        if !self.about.is_empty() {
            let _ = writeln!(out, "    about: {}", quoted(&self.about));
        }
        match &self.shape.key {
            Some(key) => {
                let _ = writeln!(out, "    key: {}", quoted(&path_name(key)));
            }
            None => out.push_str("    # key: what identifies a record?\n"),
        }
        if !self.shape.fields.is_empty() {
            out.push_str("    fields:\n");
        }
        for field in &self.shape.fields {
            let classes: Vec<String> =
                suspect::by_name(&field.name).iter().map(|id| id.class().name.to_owned()).collect();
            let name = quoted(&field.name);
            let _ = match (classes.as_slice(), field.required) {
                ([], false) => writeln!(out, "      {name}: {}", field.kind),
                ([], true) => writeln!(out, "      {name}: {{ type: {}, required: true }}", field.kind),
                (classes, required) => {
                    let required = if required { ", required: true" } else { "" };
                    let class = match classes {
                        [one] => alias(one).to_owned(),
                        many => format!("[{}]", many.join(", ")),
                    };
                    writeln!(
                        out,
                        "      {name}: {{ type: {}, class: {class}{required} }}   # class guessed",
                        field.kind
                    )
                }
            };
        }
        if let Some(example) = &self.shape.example {
            let _ = writeln!(out, "    examples:\n      - {}", flow(example));
        }
        let _ = writeln!(out, "    read:\n      path: {}", quoted(&self.path));
        pairs("query", &self.query, 6, out);
        pairs("headers", &self.headers, 6, out);
        if !self.shape.path.is_empty() {
            let path: Vec<String> = self.shape.path.iter().map(|name| path_name(name)).collect();
            let _ = writeln!(out, "      records: {}", quoted_path(&path.join(".")));
        }
        if let Some(parent) = &self.parent {
            let _ = writeln!(out, "      each: {{ stream: {parent} }}");
        }
        match &self.paging {
            Some(paging) => {
                out.push_str("      pages:   # guessed\n");
                paging.lines.iter().for_each(|line| {
                    let _ = writeln!(out, "        {line}");
                });
            }
            None => out.push_str("      # pages: the document does not say how more than one comes\n"),
        }
        for hint in &self.hints {
            let _ = writeln!(out, "      # {hint}");
        }
        if !self.ways.is_empty() {
            out.push_str("    write:\n");
        }
        for (name, lines) in &self.ways {
            let _ = writeln!(out, "      {name}:");
            lines.iter().for_each(|line| {
                let _ = writeln!(out, "        {line}");
            });
        }
    }
}

/// The short name of a class.
fn alias(class: &str) -> &str {
    match class {
        "pii.contact.email" => "pii.email",
        "pii.contact.phone" => "pii.phone",
        "pii.contact.address" => "pii.address",
        other => other,
    }
}

pub(super) fn pairs(key: &str, list: &[(String, String)], indent: usize, out: &mut String) {
    if list.is_empty() {
        return;
    }
    let room = " ".repeat(indent);
    let _ = writeln!(out, "{room}{key}:");
    for (name, value) in list {
        let _ = writeln!(out, "{room}  {}: {}", quoted(name), quoted(value));
    }
}

/// A name as a step of a path.
pub(super) fn path_name(name: &str) -> String {
    match name.chars().any(|c| matches!(c, '.' | '[' | ']' | '"' | '`' | ' ')) {
        true => format!("`{name}`"),
        false => name.to_owned(),
    }
}

fn quoted_path(path: &str) -> String {
    match path.contains('`') || path.contains('@') {
        true => format!("'{path}'"),
        false => quoted(path),
    }
}

/// A value in one line: JSON is YAML.
fn flow(value: &Json) -> String {
    value.to_string()
}
