//! Writes a proposed pack down: YAML with comments that say what was guessed.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::describe::{Classes, Field, Shape};
use super::paging::{Paging, quoted};
use super::since::Since;
use crate::record::ClassSet;

/// A pack in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) about: String,
    /// The address that paths count from, or what it may look like.
    pub(super) base: Result<String, String>,
    /// What it was made of.
    pub(super) origin: String,
    pub(super) params: Vec<Param>,
    /// Headers of every call.
    pub(super) headers: Vec<(String, String)>,
    /// Lines of `auth`, without the key itself.
    pub(super) auth: Vec<String>,
    pub(super) streams: Vec<Stream>,
    pub(super) operations: Vec<Operation>,
    /// What could not be said in a pack, and why.
    pub(super) left_out: Vec<String>,
}

/// A parameter of the pack.
#[derive(Debug, Default)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) required: bool,
    pub(super) example: Option<String>,
    pub(super) choices: Vec<String>,
}

/// A hole in a path, and what fills it.
#[derive(Debug)]
pub(super) struct Hole {
    /// `{order_id}`
    pub(super) text: String,
    /// `parent.id`
    pub(super) expression: String,
    /// The field of the stream's own records that holds the same.
    pub(super) field: Option<String>,
}

/// A stream in the making.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) about: String,
    /// Its path with what fills the holes.
    pub(super) path: String,
    /// Its path as the description has it.
    pub(super) template: String,
    /// Parameters and headers that are always sent: name, value.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) shape: Shape,
    pub(super) paging: Option<Paging>,
    /// The stream that it is read for each record of.
    pub(super) parent: Option<String>,
    pub(super) holes: Vec<Hole>,
    /// Fields that come from elsewhere, with the expressions that give them.
    pub(super) added: Vec<(String, Field)>,
    /// What tells new records.
    pub(super) since: Option<Since>,
    /// Ways of writing: their name and lines.
    pub(super) ways: Vec<(String, Vec<String>)>,
}

/// An operation in the making.
#[derive(Debug, Default)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
    pub(super) path: String,
    /// Whether it reads and needs no input.
    pub(super) bare: bool,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            base: Err("https://api.example.com".into()),
            origin: String::new(),
            params: Vec::new(),
            headers: Vec::new(),
            auth: Vec::new(),
            streams: Vec::new(),
            operations: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

impl Draft {
    pub(super) fn yaml(&self, classes: Classes<'_>) -> String {
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
        let _ = match &self.base {
            Ok(base) => writeln!(out, "    default: {}", quoted(base)),
            Err(like) => writeln!(out, "    required: true\n    example: {}", quoted(like)),
        };
        self.params.iter().for_each(|param| param.yaml(&mut out));
        out.push_str("transport:\n  base: \"{{ params.base }}\"\n");
        pairs("headers", &self.headers, 2, &mut out);
        match self.auth.is_empty() {
            true => out.push_str("# auth: nothing is said of how to sign in\n"),
            false => {
                out.push_str("auth:\n");
                self.auth.iter().for_each(|line| {
                    let _ = writeln!(out, "  {line}");
                });
            }
        }
        out.push_str(
            "limits:\n  in_flight: 4   # guessed: what does the system allow?\n\
             faults:\n  - { status: 401, then: sign_in, say: the sign-in is not valid }\n  - { status: 403, then: denied, say: the sign-in may not do this }\n\
             \x20 - { status: 429, then: wait, say: too many requests }\n  - { status: [409, 412], then: conflict, say: somebody else changed it meanwhile }\n\
             \x20 - { status: [400, 404, 422], then: reject, say: the system refuses it }\n\
             \x20 - { status: [408, 5xx], then: retry, say: the system has a fault of its own }\n",
        );
        self.probe(&mut out);
        if !self.streams.is_empty() {
            out.push_str("streams:\n");
        }
        self.streams.iter().for_each(|stream| stream.yaml(classes, &mut out));
        if !self.operations.is_empty() {
            out.push_str("operations:\n");
        }
        for operation in &self.operations {
            let _ = writeln!(out, "  {}:", operation.name);
            operation.lines.iter().for_each(|line| {
                let _ = writeln!(out, "    {line}");
            });
        }
        if !self.left_out.is_empty() {
            out.push_str("# Left out, since a pack cannot say it:\n");
        }
        self.left_out.iter().for_each(|line| {
            let _ = writeln!(out, "#   {line}");
        });
        out
    }

    /// What tells that the system is well: a call for that, or the first stream.
    fn probe(&self, out: &mut String) {
        let last = |operation: &&Operation| operation.path.rsplit('/').next().unwrap_or_default().to_lowercase();
        const WELL: [&str; 8] = ["health", "healthz", "status", "ping", "me", "whoami", "info", "version"];
        let well = WELL
            .iter()
            .find_map(|word| self.operations.iter().find(|operation| operation.bare && last(operation) == *word));
        if let Some(operation) = well {
            let _ = writeln!(out, "probe:\n  path: {}   # guessed", quoted(&operation.path));
            return;
        }
        let plain = |stream: &&Stream| stream.holes.is_empty();
        if let Some(first) = self.streams.iter().find(plain) {
            let _ = writeln!(out, "probe:\n  path: {}   # guessed: something cheaper may do", quoted(&first.path));
            pairs("query", &first.query, 2, out);
            pairs("headers", &first.headers, 2, out);
        } else if let Some(operation) = self.operations.iter().find(|operation| operation.bare) {
            let _ = writeln!(out, "probe:\n  path: {}   # guessed", quoted(&operation.path));
        }
    }
}

impl Param {
    fn yaml(&self, out: &mut String) {
        let _ = write!(out, "  {}:\n    about: {}\n", self.name, quoted(&self.about));
        if self.required {
            out.push_str("    required: true\n");
        }
        if !self.choices.is_empty() {
            let all: Vec<String> = self.choices.iter().map(|choice| quoted(choice)).collect();
            let _ = writeln!(out, "    choices: [{}]", all.join(", "));
        }
        if let Some(example) = &self.example {
            let _ = writeln!(out, "    example: {}", quoted(example));
        }
    }
}

impl Stream {
    fn yaml(&self, classes: Classes<'_>, out: &mut String) {
        let _ = writeln!(out, "  {}:", self.name);
        if !self.about.is_empty() {
            let _ = writeln!(out, "    about: {}", quoted(&self.about));
        }
        let _ = match (&self.shape.key, &self.shape.perhaps) {
            (Some(key), _) => writeln!(out, "    key: {}", quoted(&path_name(key))),
            (None, Some(key)) => {
                writeln!(out, "    # key: {}   # guessed: is there one record for each of it?", quoted(&path_name(key)))
            }
            (None, None) => writeln!(out, "    # key: what identifies a record?"),
        };
        if !self.shape.fields.is_empty() {
            out.push_str("    fields:\n");
        }
        self.added.iter().for_each(|(_, of)| field(of, ClassSet::NONE, out));
        self.shape.fields.iter().for_each(|of| field(of, of.classes(classes), out));
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
        if self.shape.optional {
            out.push_str("      absent: empty   # it is not said to be always there\n");
        }
        if let Some(parent) = &self.parent {
            let _ = writeln!(out, "      each: {{ stream: {parent} }}");
        }
        if self.shape.lift.is_some() || !self.added.is_empty() {
            out.push_str("      shape:\n");
        }
        if let Some(lift) = &self.shape.lift {
            let _ = writeln!(out, "        lift: [{lift}]");
        }
        if !self.added.is_empty() {
            out.push_str("        add:\n");
        }
        for (expression, of) in &self.added {
            let _ = writeln!(out, "          {}: \"{{{{ {expression} }}}}\"", quoted(&of.name));
        }
        match &self.paging {
            Some(paging) => {
                out.push_str("      pages:   # guessed\n");
                paging.lines.iter().for_each(|line| {
                    let _ = writeln!(out, "        {line}");
                });
            }
            None => out.push_str("      # pages: nothing is said of how more than one comes\n"),
        }
        let _ = match &self.since {
            Some(since) if since.sure => writeln!(out, "      {}   # guessed", since.line),
            Some(since) => writeln!(out, "      # {}   # guessed: does it tell what is new?", since.line),
            None => Ok(()),
        };
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

/// The line of a field.
fn field(of: &Field, classes: ClassSet, out: &mut String) {
    let name = quoted(&of.name);
    let classes: Vec<&str> = classes
        .iter()
        .map(|id| id.class())
        .map(|class| class.aliases.iter().copied().find(|alias| alias.starts_with("pii.")).unwrap_or(class.name))
        .collect();
    let required = if of.required { ", required: true" } else { "" };
    let _ = match (classes.as_slice(), of.required) {
        ([], false) => writeln!(out, "      {name}: {}", of.kind),
        ([], true) => writeln!(out, "      {name}: {{ type: {}{required} }}", of.kind),
        ([class], _) => {
            writeln!(out, "      {name}: {{ type: {}, class: {class}{required} }}   # class guessed", of.kind)
        }
        (many, _) => {
            let all = many.join(", ");
            writeln!(out, "      {name}: {{ type: {}, class: [{all}]{required} }}   # classes guessed", of.kind)
        }
    };
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
