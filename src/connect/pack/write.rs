//! `write`: how a stream is written, one way for each mode.
//!
//! A way is a request for one record, or for many (`batch`), or a job of several requests (`job`); where
//! the other side has no upsert, `find` tells which of the stream's ways a record takes. What the answer
//! says of each record is `outcome`; what holds where no answer came is in `doubt.rs`.

use crate::config::Mode;
use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::record::Path;

use super::batch::{BATCH, Batching};
use super::doubt::{self, Idempotency, Lock, LookUp, OnUnknown};
use super::outcome::{OUTCOME, Outcome};
use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::template::Tree;
use super::upload::{JOB, Job};

/// The section.
pub static WRITE: Section = Section {
    name: "write",
    about: "How a stream is written: one way for each thing that can be done.",
    foreign: false,
    keys: &[
        Key::new("create", Kind::Section(&WAY), "Adds a record: mode `append`."),
        Key::new("update", Kind::Section(&WAY), "Changes a record by its key: mode `update`."),
        Key::new("upsert", Kind::Section(&WAY), "Adds or changes a record by its key: mode `upsert`."),
        Key::new("delete", Kind::Section(&WAY), "Deletes a record by its key: mode `delete`."),
    ],
};

/// One way of writing.
static WAY: Section = Section {
    name: "a way of writing",
    about: "The request, what goes into one, and what the answer says of each record.",
    foreign: false,
    keys: request_keys![
        Key::new(
            "match_on",
            Kind::OneOrMany(&Kind::RecordPath),
            "The fields that a record is known by on the other side, where they are not the stream's `key`.",
        ),
        Key::new(
            "apart",
            Kind::OneOrMany(&Kind::RecordPath),
            "Fields that `fields` leaves out: they go elsewhere, into the path or beside it.",
        ),
        Key::new(
            "find",
            Kind::Section(&doubt::LOOK_UP),
            "Asks for the record first: one that is there takes the way `update` with `existing`, one that is not takes `create`. Such a way has no request of its own.",
        ),
        Key::new("batch", Kind::Section(&BATCH), "Many records in one request."),
        Key::new(
            "element",
            Kind::Value,
            "What stands in `records` for each record of a batch. Left out, its `fields`. An entry named `...` is merged into its map.",
        ),
        Key::new(
            "job",
            Kind::Section(&JOB),
            "Several requests for one batch: create, upload, close, wait, fetch results.",
        ),
        Key::new(
            "outcome",
            Kind::Section(&OUTCOME),
            "What the answer says of each record; left out, a good answer is good for all.",
        ),
        Key::new(
            "idempotency",
            Kind::Section(&doubt::IDEMPOTENCY),
            "A key by which the other side knows a request again.",
        ),
        Key::new(
            "on_unknown",
            Kind::Word(doubt::ON_UNKNOWN),
            "What is done with records of which nobody knows whether they took effect: no answer came, or the process died.",
        ),
        Key::new("look_up", Kind::Section(&doubt::LOOK_UP), "How to find out, for `on_unknown: look_up`."),
        Key::new("lock", Kind::Section(&doubt::LOCK), "How changes of others are noticed: an ETag, a version."),
        Key::new(
            "nulls",
            Kind::Label,
            "What a null is written as: `null`, `omit` (left out), `empty` (empty text), or the text itself (`#N/A`).",
        )
        .default("null"),
        Key::new("names", Kind::Word(NAMES), "How names of fields are written.").default("as_is"),
        Key::new("times", Kind::Word(TIMES), "How moments and dates are written.").default("rfc3339"),
        Key::new("numbers", Kind::Word(NUMBERS), "How numbers are written.").default("number"),
    ],
};

const NAMES: &[crate::config::keys::Word] = &[
    word("as_is", "As the mapping names them."),
    word("snake", "`first_name`"),
    word("camel", "`firstName`"),
    word("pascal", "`FirstName`"),
    word("kebab", "`first-name`"),
];
const TIMES: &[crate::config::keys::Word] = &[
    word("rfc3339", "`2026-11-21T09:30:00Z`, `2026-11-21`"),
    word("epoch_s", "Seconds since 1970, a number."),
    word("epoch_ms", "Milliseconds since 1970, a number."),
    word("odata_v2", "`/Date(1795253400000)/`"),
    word("plain", "`2026-11-21 09:30:00`, in UTC."),
];
const NUMBERS: &[crate::config::keys::Word] =
    &[word("number", "As numbers."), word("text", "As text, so that none loses digits on its way.")];

/// The section, read.
#[derive(Debug, Default)]
pub struct Write {
    /// The ways there are.
    pub ways: Vec<(Mode, Way)>,
}

/// One way of writing, read.
#[derive(Debug)]
pub struct Way {
    /// The request; with `find` or `job` it has none.
    pub request: RequestSpec,
    /// The fields that a record is known by; empty: the stream's key.
    pub match_on: Vec<Path>,
    /// Fields that go elsewhere.
    pub apart: Vec<Path>,
    /// Asks for the record first.
    pub find: Option<LookUp>,
    /// Many records in one request.
    pub batch: Batching,
    /// What stands for one record; `None`: its fields.
    pub element: Option<Tree>,
    /// Several requests for one batch.
    pub job: Option<Job>,
    /// What the answer says of each record.
    pub outcome: Outcome,
    /// A key by which a request is known again.
    pub idempotency: Option<Idempotency>,
    /// What is done with records in doubt.
    pub on_unknown: OnUnknown,
    /// How to find out.
    pub look_up: Option<LookUp>,
    /// How changes of others are noticed.
    pub lock: Option<Lock>,
    /// How values are written.
    pub style: Style,
}

/// How values and names are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// What a null is.
    pub nulls: Nulls,
    /// How names of fields are written.
    pub names: Names,
    /// How moments and dates are written.
    pub times: Times,
    /// Whether numbers are written as text.
    pub numbers_as_text: bool,
}

/// What a null is written as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nulls {
    /// Null.
    #[default]
    Null,
    /// Nothing.
    Omit,
    /// Some text.
    Text(String),
}

/// How names of fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// As the mapping names them.
    #[default]
    AsIs,
    /// `first_name`
    Snake,
    /// `firstName`
    Camel,
    /// `FirstName`
    Pascal,
    /// `first-name`
    Kebab,
}

/// How moments and dates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// RFC 3339.
    #[default]
    Rfc3339,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// `/Date(…)/`
    ODataV2,
    /// `2026-11-21 09:30:00`, in UTC.
    Plain,
}

impl Write {
    /// Reads the section of a stream.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let mut ways: Vec<(Mode, Way)> = Vec::new();
        for (name, mode) in
            [("create", Mode::Append), ("update", Mode::Update), ("upsert", Mode::Upsert), ("delete", Mode::Delete)]
        {
            if let Some(of) = reader.get(raw, name) {
                ways.push((mode, Way::read(reader, of)));
            }
        }
        for (mode, way) in &ways {
            let has = |wanted: Mode| ways.iter().any(|(mode, way)| *mode == wanted && way.find.is_none());
            if way.find.is_some() && !(has(Mode::Update) && (*mode != Mode::Upsert || has(Mode::Append))) {
                let cause = "a way that finds records first needs the ways `update` and `create` of its stream".into();
                reader.error(raw, cause, "add `create` and `update`");
            }
        }
        Some(Self { ways })
    }

    /// The modes that a target can have.
    pub fn modes(&self) -> Vec<Mode> {
        self.ways.iter().map(|(mode, _)| *mode).collect()
    }

    /// The way for a mode.
    pub fn way(&self, mode: Mode) -> Option<&Way> {
        self.ways.iter().find(|(known, _)| *known == mode).map(|(_, way)| way)
    }
}

impl Way {
    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        let on_unknown = doubt::on_unknown(reader, raw);
        let made = Self {
            request: RequestSpec::read(reader, raw),
            match_on: paths(reader, raw, "match_on"),
            apart: paths(reader, raw, "apart"),
            find: reader.get(raw, "find").and_then(|of| LookUp::read(reader, of)),
            batch: Batching::read(reader, raw),
            element: reader.tree(raw, "element"),
            job: reader.get(raw, "job").and_then(|of| Job::read(reader, of)),
            outcome: Outcome::read(reader, raw),
            idempotency: Idempotency::read(reader, raw),
            on_unknown,
            look_up: reader.get(raw, "look_up").and_then(|of| LookUp::read(reader, of)),
            lock: Lock::read(reader, raw),
            style: Style::read(reader, raw),
        };
        let requests = made.request.path.is_some() || made.request.url.is_some() || made.request.body.is_some();
        let ends = [made.find.is_some(), made.job.is_some(), requests].iter().filter(|has| **has).count();
        if ends != 1 {
            reader.error(
                raw,
                "a way of writing has one of: a request, `job`, `find`".into(),
                "write `path` (with `method`), or `job`, or `find`",
            );
        }
        if made.on_unknown == OnUnknown::LookUp && made.look_up.is_none() {
            reader.error(raw, "`on_unknown: look_up` needs a `look_up`".into(), "say how to find out");
        }
        if made.element.is_some() && made.batch.records <= 1 && made.job.is_none() {
            reader.error(raw, "`element` is for batches".into(), "say `batch: { records: N }`, or use `body`");
        }
        made
    }
}

impl Style {
    /// Whether values within lists and maps are written as JSON has them anyway.
    pub fn plain(&self) -> bool {
        self.times == Times::Rfc3339 && !self.numbers_as_text
    }

    fn read(reader: &Reader<'_>, raw: &Raw) -> Self {
        Self {
            nulls: match reader.label(raw, "nulls").as_deref() {
                None | Some("null") => Nulls::Null,
                Some("omit") => Nulls::Omit,
                Some("empty") => Nulls::Text(String::new()),
                Some(text) => Nulls::Text(text.to_owned()),
            },
            names: match reader.label(raw, "names").as_deref() {
                Some("snake") => Names::Snake,
                Some("camel") => Names::Camel,
                Some("pascal") => Names::Pascal,
                Some("kebab") => Names::Kebab,
                _ => Names::AsIs,
            },
            times: match reader.label(raw, "times").as_deref() {
                Some("epoch_s") => Times::EpochSeconds,
                Some("epoch_ms") => Times::EpochMilliseconds,
                Some("odata_v2") => Times::ODataV2,
                Some("plain") => Times::Plain,
                _ => Times::Rfc3339,
            },
            numbers_as_text: reader.label(raw, "numbers").as_deref() == Some("text"),
        }
    }
}

fn paths(reader: &Reader<'_>, raw: &Raw, name: &str) -> Vec<Path> {
    reader.items(raw, name).filter_map(|raw| Path::parse(raw.text()?).ok()).collect()
}
