//! Reads sections of a pack that the check has found well formed: one method for each kind of value.

use std::time::Duration;

use crate::config::yaml::{Entry, Raw, RawKind};
use crate::config::{Source, units};
use crate::connect::web::Spot;
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Finding, Place};
use crate::expr::Environment;
use crate::record::{Path, Type};

use super::names::environment;
use super::template::{Template, Tree};

/// Reads a tree, and gathers what is wrong with it.
pub struct Reader<'s> {
    /// The file.
    pub source: &'s Source,
    /// What templates are compiled against.
    pub environment: Environment,
    /// What was found.
    pub findings: &'s mut Vec<Finding>,
}

impl<'s> Reader<'s> {
    /// For a pack with these parameters, and these names of what is signed in with.
    pub fn new(
        source: &'s Source,
        params: Vec<(String, Type)>,
        secrets: Vec<String>,
        findings: &'s mut Vec<Finding>,
    ) -> Self {
        Self { source, environment: environment(params, secrets), findings }
    }

    /// What stands under a key.
    pub fn get<'r>(&self, raw: &'r Raw, name: &str) -> Option<&'r Raw> {
        raw.entries().iter().find(|entry| entry.key == name).map(|entry| &entry.value)
    }

    /// The entries of the map under a key.
    pub fn entries<'r>(&self, raw: &'r Raw, name: &str) -> &'r [Entry] {
        self.get(raw, name).map_or(&[], Raw::entries)
    }

    /// The elements of the list under a key, or the one value.
    pub fn items<'r>(&self, raw: &'r Raw, name: &str) -> impl Iterator<Item = &'r Raw> + use<'r> {
        let of = self.get(raw, name);
        let one = of.filter(|raw| !matches!(raw.kind, RawKind::List { .. } | RawKind::Null));
        of.map_or(&[][..], Raw::items).iter().chain(one)
    }

    /// Literal text; numbers and truth values as they are written.
    pub fn label(&self, raw: &Raw, name: &str) -> Option<String> {
        scalar(self.get(raw, name)?)
    }

    /// A list of literal texts.
    pub fn labels(&self, raw: &Raw, name: &str) -> Vec<String> {
        self.items(raw, name).filter_map(scalar).collect()
    }

    /// A truth value.
    pub fn flag(&self, raw: &Raw, name: &str) -> Option<bool> {
        if let RawKind::Bool(value) = self.get(raw, name)?.kind { Some(value) } else { None }
    }

    /// A whole number.
    pub fn whole(&self, raw: &Raw, name: &str) -> Option<u64> {
        if let RawKind::Number(text) = &self.get(raw, name)?.kind { text.parse().ok() } else { None }
    }

    /// A length of time.
    pub fn length(&self, raw: &Raw, name: &str) -> Option<Duration> {
        units::length(self.get(raw, name)?.text()?).ok()
    }

    /// A length of time in seconds, days, weeks and years included: `60s`, `7d`; or a bare number.
    pub fn span(&mut self, raw: &Raw, name: &str) -> Option<u64> {
        let of = self.get(raw, name)?;
        let text = scalar(of).unwrap_or_default();
        let (digits, factor) = match text.char_indices().last() {
            Some((at, 's')) => (&text[..at], 1),
            Some((at, 'm')) => (&text[..at], 60),
            Some((at, 'h')) => (&text[..at], 3_600),
            Some((at, 'd')) => (&text[..at], 86_400),
            Some((at, 'w')) => (&text[..at], 604_800),
            Some((at, 'y')) => (&text[..at], 31_536_000),
            _ => (text.as_str(), 1),
        };
        let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        if seconds.is_none() {
            self.error(of, format!("`{text}` is no length of time"), "write `30s`, `5m`, `12h`, `7d` or a number");
        }
        seconds
    }

    /// A text with `{{ … }}` in it.
    pub fn template(&mut self, raw: &Raw, name: &str) -> Option<Template> {
        let of = self.get(raw, name)?;
        Template::compile(of, self.source, &self.environment, self.findings)
    }

    /// An expression without braces: a condition.
    pub fn expression(&mut self, raw: &Raw, name: &str) -> Option<Template> {
        let of = self.get(raw, name)?;
        Template::expression(of, self.source, &self.environment, self.findings)
    }

    /// A tree of templates.
    pub fn tree(&mut self, raw: &Raw, name: &str) -> Option<Tree> {
        let of = self.get(raw, name)?;
        Tree::compile(of, self.source, &self.environment, self.findings)
    }

    /// A path in a record or a body.
    pub fn path(&mut self, raw: &Raw, name: &str) -> Option<Path> {
        let of = self.get(raw, name)?;
        match Path::parse(of.text()?) {
            Ok(path) => Some(path),
            Err(error) => {
                self.error(of, format!("this is no path: {error:?}"), "write `data.items`, `entry[*].resource`");
                None
            }
        }
    }

    /// A place in a request: a map with one of `query`, `header`, `path`, `cookie`, `form`, `body`.
    pub fn spot(&mut self, raw: &Raw, name: &str) -> Option<Spot> {
        let of = self.get(raw, name)?;
        self.spot_of(of)
    }

    /// The same of the map itself.
    pub fn spot_of(&mut self, of: &Raw) -> Option<Spot> {
        let [entry] = of.entries() else {
            self.error(of, "a value goes to one place".into(), SPOTS);
            return None;
        };
        let value = scalar(&entry.value).unwrap_or_default();
        Some(match entry.key.as_str() {
            "query" => Spot::Query(value),
            "header" => Spot::Header(value),
            "path" => Spot::Path(value),
            "cookie" => Spot::Cookie(value),
            "form" => Spot::Form(value),
            "body" => match Path::parse(&value) {
                Ok(path) => Spot::Body(path),
                Err(_) => {
                    self.error(&entry.value, "this is no path in a body".into(), "write `paging.cursor`");
                    return None;
                }
            },
            other => {
                self.error(of, format!("there is no place `{other}` in a request"), SPOTS);
                return None;
            }
        })
    }

    /// Adds an error at a value of the file.
    pub fn error(&mut self, raw: &Raw, cause: String, fix: &str) {
        let finding = Finding::error(&PACK_INVALID, self.place(raw), cause);
        self.findings.push(if fix.is_empty() { finding } else { finding.fix(fix) });
    }

    /// The place of a value.
    pub fn place(&self, raw: &Raw) -> Place {
        self.source.place(raw.start, raw.end)
    }
}

const SPOTS: &str = "name one of `query`, `header`, `path`, `cookie`, `form`, `body`, as in `send: { query: page }`";

/// A scalar as it is written.
pub fn scalar(raw: &Raw) -> Option<String> {
    match &raw.kind {
        RawKind::Text { text, .. } => Some(text.clone()),
        RawKind::Number(text) => Some(text.clone()),
        RawKind::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
