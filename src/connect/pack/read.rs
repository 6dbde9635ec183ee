//! `read`: how a stream is read.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::record::Path;
use crate::record::path::Step;

use super::acknowledge::{ACKNOWLEDGE, Acknowledge};
use super::cursor::{CURSOR, Cursor};
use super::cut::{CUT, CutSpec};
use super::deletes::{DELETES, Deletes};
use super::each::{EACH, Each};
use super::job::{JOB, Job};
use super::nest::{NEST, Nest};
use super::pages::{CEILING, Ceiling, PAGES, PageKind, Pages};
use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::streams::json;
use super::template::{Template, Tree};

/// The section.
pub static READ: Section = Section {
    name: "read",
    about: "How a stream is read.",
    foreign: false,
    keys: request_keys![
        Key::new(
            "sign_in",
            Kind::Expression,
            "Whether the request is signed in; an address that carries its own permission is not. Always, unless said.",
        ),
        Key::new(
            "records",
            Kind::OneOrMany(&Kind::RecordPath),
            "Where in the answer the records stand (`data.items`, `entry[*].resource`), or several such places; left out, the answer is the list.",
        ),
        Key::new(
            "absent",
            Kind::Word(&[
                word("refuse", "The answer is not what it should be: an error."),
                word("empty", "A page without records."),
            ]),
            "What it means if nothing stands there.",
        )
        .default("refuse"),
        Key::new(
            "format",
            Kind::Word(&[
                word("json", "One JSON document."),
                word("ndjson", "A JSON value on each line."),
                word("csv", "Comma-separated values, the first line with the names."),
                word("xml", "XML; `records` leads to the elements."),
            ]),
            "What the answer is.",
        )
        .default("json"),
        Key::new(
            "format_options",
            Kind::Record,
            "Options of that format, as a stream of files has them (`delimiter`).",
        ),
        Key::new(
            "nest",
            Kind::Section(&NEST),
            "How lines become trees again that a system wrote flat, before anything else is done with them.",
        ),
        Key::new(
            "fields",
            Kind::Section(&CUT),
            "How the fields are asked for in several parts, where the system gives only so many at once.",
        ),
        Key::new("keep", Kind::Expression, "Which records count: a condition on `record`, `answer`, `parent`."),
        Key::new("shape", Kind::Section(&SHAPE), "How a record is made of what stands there."),
        Key::new("pages", Kind::Section(&PAGES), "How it comes in several pages."),
        Key::new("ceiling", Kind::Section(&CEILING), "How many records of one question are given at most."),
        Key::new("cursor", Kind::Section(&CURSOR), "What is new since the last run."),
        Key::new("each", Kind::Section(&EACH), "Read once for each record of another stream, or element of a list."),
        Key::new("job", Kind::Section(&JOB), "An answer that takes long: ordered, waited for, fetched."),
        Key::new("deletes", Kind::Section(&DELETES), "How it is known that a record is gone."),
        Key::new(
            "acknowledge",
            Kind::Section(&ACKNOWLEDGE),
            "How the system is told that records are settled and may go (a queue).",
        ),
        Key::new(
            "about_empty",
            Kind::Word(&[
                word("fine", "Nothing new is nothing unusual."),
                word("suspicious", "It never happens that nothing comes: the run ends with exit code 2."),
            ]),
            "What a reading without any record means.",
        )
        .default("fine"),
    ],
};

/// How a record is made.
pub static SHAPE: Section = Section {
    name: "a shape",
    about: "How a record is made of what stands in the answer, in this order: taken from inside, fields lifted, added, dropped.",
    foreign: false,
    keys: &[
        Key::new("take", Kind::RecordPath, "Where inside the element the record stands (`node`)."),
        Key::new(
            "lift",
            Kind::OneOrMany(&Kind::RecordPath),
            "Maps whose entries become fields of the record (`properties`).",
        ),
        Key::new(
            "add",
            Kind::Record,
            "Fields by name, from `record` (the element as a whole), `parent`, `answer`, `job`.",
        ),
        Key::new("drop", Kind::OneOrMany(&Kind::Label), "Fields that are left out."),
    ],
};

/// `read`, read.
#[derive(Debug)]
pub struct Read {
    /// The request.
    pub request: RequestSpec,
    /// Whether it is signed in.
    pub sign_in: Option<Template>,
    /// Where the records are.
    pub records: Vec<Path>,
    /// Whether an answer without them is an empty page.
    pub absent_is_empty: bool,
    /// What the answer is.
    pub format: BodyFormat,
    /// Options of that format, as they are written.
    pub format_options: Vec<(String, serde_json::Value)>,
    /// How lines become trees again.
    pub nest: Option<Nest>,
    /// How the fields are asked for in several parts.
    pub cut: Option<CutSpec>,
    /// Which records count.
    pub keep: Option<Template>,
    /// How a record is made.
    pub shape: Option<Shape>,
    /// How it comes in pages.
    pub pages: Pages,
    /// How many records of one question there are at most.
    pub ceiling: Option<Ceiling>,
    /// What is new.
    pub cursor: Option<Cursor>,
    /// Once for each of these.
    pub each: Option<Each>,
    /// Ordered and waited for.
    pub job: Option<Job>,
    /// What is gone.
    pub deletes: Option<Deletes>,
    /// How the system is told that records are settled.
    pub acknowledge: Option<Acknowledge>,
    /// Whether a reading without records is suspicious.
    pub empty_is_suspicious: bool,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON document.
    #[default]
    Json,
    /// JSON by lines.
    Ndjson,
    /// Comma-separated values.
    Csv,
    /// XML.
    Xml,
}

impl BodyFormat {
    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Xml => "xml",
        }
    }
}

/// How a record is made.
#[derive(Debug)]
pub struct Shape {
    /// Where inside the element it stands.
    pub take: Option<Path>,
    /// Maps whose entries become fields.
    pub lift: Vec<Path>,
    /// Fields added.
    pub add: Option<Tree>,
    /// Fields left out.
    pub drop: Vec<String>,
}

impl Shape {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        Self {
            take: reader.path(raw, "take"),
            lift: reader.items(raw, "lift").filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
            add: reader.tree(raw, "add"),
            drop: reader.labels(raw, "drop"),
        }
    }
}

impl Read {
    /// Reads the section of a stream.
    pub fn of(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        let format = match reader.label(raw, "format").as_deref() {
            Some("ndjson") => BodyFormat::Ndjson,
            Some("csv") => BodyFormat::Csv,
            Some("xml") => BodyFormat::Xml,
            _ => BodyFormat::Json,
        };
        let made = Self {
            request: RequestSpec::read(reader, raw),
            sign_in: reader.expression(raw, "sign_in"),
            records: reader.items(raw, "records").filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
            absent_is_empty: reader.label(raw, "absent").as_deref() == Some("empty"),
            format,
            format_options: reader
                .entries(raw, "format_options")
                .iter()
                .map(|entry| (entry.key.clone(), json(&entry.value)))
                .collect(),
            nest: Nest::read(reader, raw),
            cut: CutSpec::read(reader, raw),
            keep: reader.expression(raw, "keep"),
            shape: reader.get(raw, "shape").map(|of| Shape::read(reader, of)),
            pages: Pages::read(reader, raw),
            ceiling: Ceiling::read(reader, raw),
            cursor: Cursor::read(reader, raw),
            each: Each::read(reader, raw),
            job: Job::read(reader, raw),
            deletes: Deletes::read(reader, raw),
            acknowledge: Acknowledge::read(reader, raw),
            empty_is_suspicious: reader.label(raw, "about_empty").as_deref() == Some("suspicious"),
        };
        made.check(reader, raw);
        made
    }

    /// What an operation lists: its request, with the pages and the place of the result that it names.
    pub fn listing(reader: &mut Reader<'_>, raw: &Raw, request: RequestSpec) -> Self {
        let made = Self {
            request,
            sign_in: None,
            records: reader.path(raw, "result").into_iter().collect(),
            absent_is_empty: false,
            format: BodyFormat::Json,
            format_options: Vec::new(),
            nest: None,
            cut: None,
            keep: None,
            shape: None,
            pages: Pages::read(reader, raw),
            ceiling: None,
            cursor: None,
            each: None,
            job: None,
            deletes: None,
            acknowledge: None,
            empty_is_suspicious: false,
        };
        made.check(reader, raw);
        made
    }

    /// What no single key can tell.
    fn check(&self, reader: &mut Reader<'_>, raw: &Raw) {
        let said = |reader: &Reader<'_>, name: &str| reader.get(raw, name).cloned();
        if matches!(self.format, BodyFormat::Ndjson | BodyFormat::Csv)
            && let Some(of) = said(reader, "records")
        {
            reader.error(&of, "an answer by lines has no path to its records".into(), "leave out `records`");
        }
        if let (Some(of), true) = (said(reader, "nest"), self.format != BodyFormat::Ndjson || self.cursor.is_some()) {
            reader.error(&of, "only lines of JSON without a cursor are nested".into(), "say `format: ndjson`");
        }
        if let (Some(of), true) = (said(reader, "fields"), self.format != BodyFormat::Json || self.nest.is_some()) {
            reader.error(&of, "only records that come as JSON are joined".into(), "leave out `fields`");
        }
        if let Some(of) = said(reader, "acknowledge")
            && (self.cursor.is_some()
                || self.job.is_some()
                || !matches!(self.format, BodyFormat::Json | BodyFormat::Ndjson))
        {
            let cause = "what is acknowledged has no cursor and no job, and comes as JSON";
            reader.error(&of, cause.into(), "the system itself knows what comes next");
        }
        if self.records.iter().any(|path| path.0.iter().any(|step| matches!(step, Step::Index(_)))) {
            reader.error(raw, "`records` is a path of names and `[*]`".into(), "take the element with `shape.take`");
        }
        if self.pages.kind == PageKind::Relay && self.records.is_empty() {
            reader.error(raw, "`relay` needs `records`: `data.orders.nodes` or `data.orders.edges[*].node`".into(), "");
        }
        if let (Some(ceiling), Some(of)) = (&self.ceiling, said(reader, "ceiling")) {
            let cursor = self.cursor.as_ref();
            let windowed = cursor.is_some_and(|cursor| cursor.window.is_some());
            let sorted = cursor.is_some_and(|cursor| cursor.order == super::cursor::Order::Ascending);
            if ceiling.split && !windowed {
                reader.error(
                    &of,
                    "`by: split` halves the windows of a cursor, and there are none".into(),
                    "add `cursor.window`",
                );
            }
            if !ceiling.split && !sorted {
                let fix = "say `order: ascending` under `cursor` and ask for that order, or `by: split`";
                reader.error(&of, "`by: cursor` needs records in the order of a cursor".into(), fix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pack;
    use crate::config::{Source, yaml};

    /// The findings of a pack with one stream that is read so.
    fn findings(read: &str) -> Vec<String> {
        let text = format!("pack: test\nabout: \"A test.\"\nstreams:\n  things:\n    key: id\n    read:\n{read}");
        let source = Source::new("test.yaml", text);
        let mut findings = Vec::new();
        let raw = yaml::parse(&source, &mut findings).unwrap();
        let pack = Pack::read(&source, &raw, &mut findings);
        assert_eq!(pack.is_some(), findings.is_empty());
        findings.into_iter().map(|finding| finding.cause).collect()
    }

    #[test]
    fn the_whole_vocabulary_is_read() {
        let read = r#"
      path: /things
      query: { since: "{{ cursor.value }}" }
      sign_in: job.token_required
      records: data.edges[*].node
      absent: empty
      format: json
      keep: record.kind == "thing"
      shape:
        take: node
        lift: [properties, extra]
        add: { parent_id: "{{ parent.id }}" }
        drop: [links]
      pages:
        kind: token
        next: answer.body.paging.next
        send: { query: after }
        also: [{ next: answer.body.paging.marker, send: { query: marker } }]
        size: 100
        send_size: { query: limit }
        stop: { when: "!answer.body.more", empty: false, short: true, total: true }
        total: answer.body.total
        most: 1000
        ahead: 4
        open: { method: POST, path: /pit, capture: { id: "{{ answer.body.id }}" } }
        close: { method: DELETE, path: "/pit/{{ page.open.id }}" }
      ceiling: { records: 10000, by: split, smallest: 1m }
      cursor:
        field: updated_at
        like: "2024-12-31 23:59:59"
        zone: Europe/Berlin
        order: ascending
        send: { query: since }
        until: { query: until }
        overlap: 5m
        lag: 60s
        window: 30d
        start: "{{ params.start }}"
        expires: 90d
        tie: [id, version]
      each: { stream: parents, key: parent.id, when: parent.active, parallel: 4, on_fail: go_on }
      job:
        submit: { method: POST, path: /exports, capture: { id: "{{ answer.body.id }}" } }
        poll: { path: "/exports/{{ job.id }}", done: answer.body.done, failed: answer.body.failed, every: 5s }
        parts: answer.body.files
        clean: { method: DELETE, path: "/exports/{{ job.id }}" }
      deletes: { when: has(record.deleted), records: removed, stream: others }
"#;
        let found = findings(&read.replace("params.start", "run.started"));
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn what_contradicts_itself_is_found() {
        let check = |read: &str, wanted: &str| {
            let found = findings(&format!("      path: /x\n{read}"));
            assert!(found.iter().any(|cause| cause.contains(wanted)), "{read}: {found:#?}");
        };
        check("      pages: { kind: token }\n", "need `next`");
        check("      pages: { kind: page, next: answer.body.x }\n", "have no `next`");
        check("      pages: { kind: page, stop: { empty: false } }\n", "never end");
        check("      pages: { kind: page, stop: { short: true } }\n", "there is none");
        check("      pages: { kind: relay }\n", "needs `records`");
        check("      cursor: { type: number }\n", "or comes with answers");
        check("      cursor: { field: a, next: answer.body.b }\n", "not both");
        check("      cursor: { field: a, commit: page }\n", "oldest records come first");
        check("      cursor: { field: a, type: text, window: 1d }\n", "the cursor is none");
        check("      cursor: { field: a, like: yesterday }\n", "no moment");
        check("      cursor: { field: a, overlap: soon }\n", "no length of time");
        check("      ceiling: { records: 5 }\n", "order of a cursor");
        check("      each: { parallel: 2 }\n", "names a stream or a list");
        check("      format: csv\n      records: a\n", "has no path");
    }
}
