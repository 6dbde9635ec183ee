//! Makes the requests that records are written with.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use super::encoder::number_mark;
use super::group::Group;
use super::parts;
use crate::config::Mode;
use crate::connect::pack::batch::Form;
use crate::connect::pack::doubt::LookUp;
use crate::connect::pack::request::{BodyAs, RequestSpec};
use crate::connect::pack::template::to_json;
use crate::connect::pack::write::Way;
use crate::connect::pack::{Name, Scope, Template, Tree};
use crate::connect::web::{Answer, Caller, Content, Draft, Spot};
use crate::error::Result;
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp, Value};

/// Makes requests for records of one group.
pub(super) struct Maker {
    pub caller: Caller,
    pub way: &'static Way,
    pub mode: Mode,
    pub stream: String,
    pub group: Arc<Group>,
    /// What stands for a record's number in its element.
    pub number: String,
    /// Names of the columns of CSV.
    pub header: Arc<Vec<String>>,
    pub now: Timestamp,
    pub needs: Needs,
}

/// What the requests of a way are made of: only that is read of each record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    record: bool,
    fields: bool,
    /// The body is nothing but the fields, which are there as text.
    fields_alone: bool,
}

impl Needs {
    /// Of a way.
    pub fn of(way: &'static Way) -> Self {
        let request = &way.request;
        if way.job.is_some() {
            return Self { record: true, fields: true, fields_alone: false };
        }
        let fields_alone = way.batch.form == Form::One
            && request.body_as == BodyAs::Json
            && matches!(&request.body, Some(Tree::Template(body)) if body.only() == Some("fields"));
        let body = request.body.as_ref().filter(|_| !fields_alone);
        let trees = [request.query.as_ref(), request.headers.as_ref(), body];
        let outcome = &way.outcome;
        let templates = [
            request.path.as_ref(),
            request.url.as_ref(),
            way.idempotency.as_ref().and_then(|idempotency| idempotency.key.as_ref()),
            outcome.items.as_ref(),
            outcome.by.as_ref(),
            outcome.good.as_ref(),
            outcome.unchanged.as_ref(),
            outcome.unmatched.as_ref(),
            outcome.code.as_ref(),
            outcome.message.as_ref(),
            outcome.field.as_ref(),
        ];
        let says = |name: &str| {
            trees.into_iter().flatten().any(|tree| mentions(tree, name))
                || templates.into_iter().flatten().any(|template| template.written().contains(name))
                || outcome.faults.iter().any(|fault| fault.when.as_ref().is_some_and(|w| w.written().contains(name)))
        };
        Self { record: says("record"), fields: says("fields"), fields_alone }
    }
}

/// What one request is made of, beside the records.
#[derive(Clone, Copy, Default)]
pub(super) struct With<'w> {
    /// Its key.
    pub key: &'w str,
    /// The record of the other side.
    pub existing: Option<&'w Json>,
    /// The version that the change is based on.
    pub version: Option<&'w Json>,
    /// What the job captured.
    pub job: Option<&'w Map<String, Json>>,
}

/// What stands in bodies in place of the records until they are put there.
fn records_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| format!("records-{}-{}", number_mark(), number_mark().len()))
}

impl Maker {
    /// The same for another way.
    pub fn on(&self, way: &'static Way, mode: Mode) -> Self {
        Self {
            caller: self.caller.clone(),
            way,
            mode,
            stream: self.stream.clone(),
            group: Arc::clone(&self.group),
            number: self.number.clone(),
            header: Arc::clone(&self.header),
            now: self.now,
            needs: Needs::of(way),
        }
    }

    /// What templates see of one record.
    fn one<'a>(&self, scope: Scope<'a>, at: u32) -> Scope<'a> {
        self.seen(scope, at, true, true)
    }

    /// The same of as much as is asked for.
    fn seen<'a>(&self, mut scope: Scope<'a>, at: u32, record: bool, fields: bool) -> Scope<'a> {
        let parsed = |bytes: &[u8], arena| {
            let json: Json = serde_json::from_slice(bytes).unwrap_or(Json::Null);
            from_json(&json, arena)
        };
        if record {
            scope = scope.with(Name::Record, parsed(self.group.record(at), scope.arena()));
        }
        if fields {
            scope = scope.with(Name::Fields, parsed(self.group.fields(at), scope.arena()));
        }
        scope.with(Name::Number, Value::String("00000000"))
    }

    /// What templates see of everything that is written there.
    fn plain<'a>(&self, arena: &'a Arena) -> Scope<'a> {
        let scope = self.caller.given.scope(arena, self.now);
        let stream: &'a [(&'a str, Value<'a>)] =
            arena.alloc_slice_copy(&[("name", Value::String(arena.alloc_str(&self.stream)))]);
        scope.with(Name::Stream, Value::Map(stream))
    }

    fn scope<'a>(&self, arena: &'a Arena, records: &[u32], with: With<'_>) -> Scope<'a> {
        let mut batch = Map::new();
        batch.insert("count".to_owned(), Json::from(records.len()));
        batch.insert("key".to_owned(), Json::from(with.key));
        let mut scope = self.plain(arena).with(Name::Batch, from_json(&Json::Object(batch), arena));
        if let Some(existing) = with.existing {
            scope = scope.with(Name::Existing, from_json(existing, arena));
        }
        if let Some(job) = with.job {
            scope = scope.with(Name::Job, from_json(&Json::Object(job.clone()), arena));
        }
        match records {
            [at] if self.way.batch.form == Form::One => {
                let Needs { record, fields, .. } = self.needs;
                self.seen(scope, *at, record, fields)
            }
            _ => scope,
        }
    }

    /// The request that writes these records.
    ///
    /// # Errors
    /// If a template has no value.
    pub fn write(&self, records: &[u32], with: With<'_>) -> Result<Draft> {
        let mut draft = self.draft(&self.way.request, records, with)?;
        let bodiless = self.way.request.body.is_none() && self.mode != Mode::Delete;
        let plain = matches!(draft.content, Content::None) && (bodiless || self.needs.fields_alone);
        if let (true, Form::One, [at]) = (plain, &self.way.batch.form, records) {
            draft.content = json(self.group.fields(*at).to_vec());
        }
        if let Some(idempotency) = &self.way.idempotency {
            let key = match &idempotency.key {
                Some(key) => Json::String(self.scoped(records, with, |scope| key.text(scope))?),
                None => Json::from(with.key),
            };
            self.put(&mut draft, &idempotency.send, key)?;
        }
        if let (Some(lock), Some(version)) = (&self.way.lock, with.version) {
            self.put(&mut draft, &lock.send, version.clone())?;
        }
        if self.way.batch.form != Form::One {
            self.fill(&mut draft, records, plain)?;
        }
        draft.purpose.writes = true;
        draft.purpose.what = match records.len() {
            1 => format!("writing a record to `{}`", self.stream),
            many => format!("writing {many} records to `{}`", self.stream),
        };
        Ok(draft)
    }

    /// A request of a job; `records` are put where it says so.
    ///
    /// # Errors
    /// If a template has no value.
    pub fn step(&self, request: &'static RequestSpec, records: &[u32], with: With<'_>, bare: bool) -> Result<Draft> {
        let mut draft = self.draft(request, records, with)?;
        self.fill(&mut draft, records, false)?;
        draft.purpose.writes = !matches!(draft.method.as_str(), "GET" | "HEAD");
        draft.purpose.repeatable = true;
        draft.purpose.bare = bare;
        draft.purpose.what = format!("writing {} records to `{}` by a job", records.len(), self.stream);
        Ok(draft)
    }

    /// The request that asks for a record.
    ///
    /// # Errors
    /// If a template has no value.
    pub fn ask(&self, look: &'static LookUp, at: u32) -> Result<Draft> {
        let arena = Arena::new();
        let scope = self.one(self.plain(&arena), at);
        let mut draft = self.caller.draft(&look.request, &scope)?;
        draft.purpose.repeatable = true;
        draft.purpose.part = Some(self.stream.clone());
        draft.purpose.what = format!("looking for a record in `{}`", self.stream);
        Ok(draft)
    }

    /// The record that an answer to [`Maker::ask`] found.
    ///
    /// # Errors
    /// If an expression has no result.
    pub fn found(&self, look: &'static LookUp, at: u32, answer: &Answer) -> Result<Option<Json>> {
        let arena = Arena::new();
        let scope = self.one(self.plain(&arena), at);
        let scope = scope.with(Name::Answer, super::fates::seen(answer, &arena));
        let found = match &look.found {
            Some(found) => found.value(&scope)?,
            None => from_json(&serde_json::from_slice(&answer.body).unwrap_or(Json::Null), &arena),
        };
        let candidates = match found {
            Value::List(items) => items,
            Value::Missing | Value::Null => &[],
            ref one => std::slice::from_ref(arena.alloc(*one)),
        };
        for candidate in candidates.iter().filter(|candidate| !matches!(candidate, Value::Missing | Value::Null)) {
            let fits = match &look.fits {
                Some(fits) => fits.holds(&scope.with(Name::Existing, *candidate))?,
                None => true,
            };
            if fits {
                return Ok(to_json(candidate));
            }
        }
        Ok(None)
    }

    /// The version that a change of a record is based on.
    ///
    /// # Errors
    /// If the expression has no result.
    pub fn version(
        &self,
        version: &'static Template,
        at: u32,
        existing: Option<&Json>,
        answer: Option<&Answer>,
    ) -> Result<Option<Json>> {
        let arena = Arena::new();
        let mut scope = self.one(self.plain(&arena), at);
        if let Some(existing) = existing {
            scope = scope.with(Name::Existing, from_json(existing, &arena));
        }
        if let Some(answer) = answer {
            scope = scope.with(Name::Answer, super::fates::seen(answer, &arena));
        }
        Ok(to_json(&version.value(&scope)?).filter(|version| !version.is_null()))
    }

    /// Calls with what outcomes see: parameters and the batch.
    pub fn scoped<R>(&self, records: &[u32], with: With<'_>, act: impl FnOnce(&Scope<'_>) -> R) -> R {
        let arena = Arena::new();
        act(&self.scope(&arena, records, with))
    }

    fn draft(&self, request: &'static RequestSpec, records: &[u32], with: With<'_>) -> Result<Draft> {
        let arena = Arena::new();
        let mut scope = self.scope(&arena, records, with);
        if self.way.batch.form != Form::One || self.way.job.is_some() {
            let trees = [&request.query, &request.headers];
            let elsewhere = trees.into_iter().flatten().any(mentions_records)
                || request.path.as_ref().is_some_and(|path| path.written().contains("records"));
            let whole =
                request.body_as == BodyAs::Form || elsewhere || request.body.as_ref().is_some_and(computes_records);
            scope = scope.with(
                Name::Records,
                match whole {
                    true => {
                        let list = Json::Array(
                            self.elements(records)
                                .iter()
                                .map(|e| serde_json::from_slice(e).unwrap_or(Json::Null))
                                .collect(),
                        );
                        from_json(&list, &arena)
                    }
                    false => Value::String(records_mark()),
                },
            );
        }
        let mut draft = self.caller.draft(request, &scope)?;
        draft.purpose.part = Some(self.stream.clone());
        Ok(draft)
    }

    /// Puts a value into a request whose body may be bytes already.
    fn put(&self, draft: &mut Draft, spot: &Spot, value: Json) -> Result<()> {
        if let (Spot::Body(_), Content::Bytes { bytes, .. }) = (spot, &draft.content)
            && let Ok(body) = serde_json::from_slice(bytes)
        {
            draft.content = Content::Json(body);
        }
        draft.put(spot, value)
    }

    /// What stands for each of the records, their numbers put in.
    fn elements(&self, records: &[u32]) -> Vec<Vec<u8>> {
        let mark = self.number.as_bytes();
        let numbered = |(number, at): (usize, &u32)| {
            let mut element = self.group.element(*at).to_vec();
            let places: Vec<usize> = memchr::memmem::find_iter(&element, mark).collect();
            for place in places {
                element[place..place + mark.len()].copy_from_slice(format!("{number:08}").as_bytes());
            }
            element
        };
        if self.way.element.is_none() || self.way.batch.form == Form::Csv {
            return records.iter().map(|at| self.group.element(*at).to_vec()).collect();
        }
        records.iter().enumerate().map(numbered).collect()
    }

    /// The records in their form, between what stands around them.
    fn body(&self, before: &[u8], records: &[u32], after: &[u8]) -> Result<(Vec<u8>, String)> {
        let size: usize = records.iter().map(|at| self.group.element(*at).len() + 1).sum();
        let header: usize = self.header.iter().map(|name| name.len() + 1).sum();
        let mut out = Vec::with_capacity(size + 2 + header + before.len() + after.len());
        out.extend_from_slice(before);
        let numbered = self.way.element.is_some() && self.way.batch.form != Form::Csv;
        let elements = if numbered { self.elements(records) } else { Vec::new() };
        let each = (0..records.len()).map(|place| match elements.get(place) {
            Some(element) => element.as_slice(),
            None => self.group.element(records[place]),
        });
        let kind = match &self.way.batch.form {
            Form::One | Form::Json => {
                out.push(b'[');
                for (place, element) in each.enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(element);
                }
                out.push(b']');
                "application/json".to_owned()
            }
            Form::Ndjson => {
                each.for_each(|element| {
                    out.extend_from_slice(element);
                    out.push(b'\n');
                });
                "application/x-ndjson".to_owned()
            }
            Form::Csv => {
                let delimiter = char::from(self.way.batch.delimiter).to_string();
                out.extend_from_slice(self.header.join(&delimiter).as_bytes());
                out.push(b'\n');
                each.for_each(|row| {
                    out.extend_from_slice(row);
                    out.push(b'\n');
                });
                "text/csv".to_owned()
            }
            Form::OData => {
                let boundary = format!("batch_{}", number_mark());
                let elements: Vec<Vec<u8>> = each.map(<[u8]>::to_vec).collect();
                out.append(&mut parts::write(&elements, self.way.batch.change_set, &boundary)?);
                format!("multipart/mixed; boundary={boundary}")
            }
            Form::GraphQl { field, variables } => {
                let elements: Vec<&[u8]> = each.collect();
                out.append(&mut graphql(field, variables, &elements).to_string().into_bytes());
                "application/json".to_owned()
            }
        };
        out.extend_from_slice(after);
        Ok((out, kind))
    }

    /// Puts the records where their mark stands; `plain`: they are the whole body.
    fn fill(&self, draft: &mut Draft, records: &[u32], plain: bool) -> Result<()> {
        let whole = plain || matches!(self.way.batch.form, Form::GraphQl { .. } | Form::OData);
        if whole {
            let (bytes, kind) = self.body(b"", records, b"")?;
            draft.content = Content::Bytes { kind, bytes: bytes.into() };
            return Ok(());
        }
        let mark = records_mark();
        match &draft.content {
            Content::Json(tree) => {
                let text = tree.to_string();
                let quoted = format!("\"{mark}\"");
                if let Some((before, after)) = text.split_once(&quoted) {
                    let (body, _) = self.body(before.as_bytes(), records, after.as_bytes())?;
                    draft.content = json(body);
                }
            }
            Content::Bytes { bytes, kind: around } => {
                if let Some(at) = memchr::memmem::find(bytes, mark.as_bytes()) {
                    let (bytes, kind) = self.body(&bytes[..at], records, &bytes[at + mark.len()..])?;
                    // A file among the parts of a form does not make the form a file.
                    let kind = if around.starts_with("multipart/") { around.clone() } else { kind };
                    draft.content = Content::Bytes { kind, bytes: bytes.into() };
                }
            }
            Content::None | Content::Form(_) => {}
        }
        Ok(())
    }
}

fn json(bytes: Vec<u8>) -> Content {
    Content::Bytes { kind: "application/json".to_owned(), bytes: Bytes::from(bytes) }
}

/// Whether something in a tree has to do with the records.
fn mentions_records(tree: &Tree) -> bool {
    mentions(tree, "records")
}

/// Whether a name stands somewhere in a tree.
fn mentions(tree: &Tree, name: &str) -> bool {
    match tree {
        Tree::Fixed(_) => false,
        Tree::Template(template) => template.written().contains(name),
        Tree::List(items) => items.iter().any(|item| mentions(item, name)),
        Tree::Map(entries) => entries.iter().any(|(_, node)| mentions(node, name)),
    }
}

/// Whether something in a tree computes with the records, rather than to hold them.
fn computes_records(tree: &'static Tree) -> bool {
    match tree {
        Tree::Fixed(_) => false,
        Tree::Template(template) => template.written().contains("records") && template.only() != Some("records"),
        Tree::List(items) => items.iter().any(computes_records),
        Tree::Map(entries) => entries.iter().any(|(_, node)| computes_records(node)),
    }
}

/// One mutation with an alias for each record.
fn graphql(field: &str, variables: &[(String, String)], elements: &[&[u8]]) -> Json {
    let (mut head, mut fields, mut values) = (Vec::new(), Vec::new(), Map::new());
    for (number, element) in elements.iter().enumerate() {
        let mut own = field.to_owned();
        let given: Json = serde_json::from_slice(element).unwrap_or(Json::Null);
        for (name, kind) in variables {
            let renamed = format!("{name}_{number:08}");
            own = rename(&own, name, &renamed);
            head.push(format!("${renamed}: {kind}"));
            values.insert(renamed, given.get(name).cloned().unwrap_or(Json::Null));
        }
        fields.push(format!("r{number:08}: {own}"));
    }
    let query = format!("mutation({}) {{ {} }}", head.join(", "), fields.join(" "));
    serde_json::json!({ "query": query, "variables": values })
}

/// Text with the variable `$name` under another name.
fn rename(text: &str, name: &str, by: &str) -> String {
    let wanted = format!("${name}");
    let mut out = String::with_capacity(text.len() + by.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&wanted) {
        out.push_str(before);
        let whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        out.push('$');
        out.push_str(if whole { by } else { name });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_has_an_alias_for_each_record() {
        let made = graphql(
            "set(input: $in, other: $inner) { id }",
            &[("in".into(), "In!".into())],
            &[br#"{"in":{"a":1}}"#, br#"{"in":{"a":2}}"#],
        );
        assert_eq!(
            made["query"],
            "mutation($in_00000000: In!, $in_00000001: In!) { r00000000: set(input: $in_00000000, other: $inner) { id } r00000001: set(input: $in_00000001, other: $inner) { id } }"
        );
        assert_eq!(made["variables"]["in_00000001"], serde_json::json!({ "a": 2 }));
    }
}
