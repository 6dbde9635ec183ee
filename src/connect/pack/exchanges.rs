//! `tests`: exchanges that are replayed offline; what was sent and what came of it are compared.

use serde_json::Value as Json;

use crate::config::Mode;
use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::{Raw, RawKind};
use crate::error::Place;

use super::reader::{Reader, scalar};
use super::streams::json;

/// A test.
pub static EXCHANGE: Section = Section {
    name: "a test",
    about: "Requests in the order in which they are expected, with their answers, and what comes of them. It is about a `stream` (read, or written as `write` says), an `operation`, or the `probe`.",
    foreign: false,
    keys: &[
        Key::new("name", Kind::Label, "What it shows.").required(),
        Key::new("stream", Kind::Name(false), "The stream that is read, or written."),
        Key::new(
            "write",
            Kind::Word(&[
                word("create", "`given.records` are added."),
                word("update", "`given.records` change what has their key."),
                word("upsert", "`given.records` are added, or change what has their key."),
                word("delete", "`given.records` are deleted."),
            ]),
            "How the stream is written; left out, it is read.",
        ),
        Key::new("operation", Kind::Name(false), "The operation that is called with `given.input`."),
        Key::new("probe", Kind::Flag, "Whether the system is probed.").default("false"),
        Key::new("with", Kind::Record, "The connector's parameters."),
        Key::new("auth", Kind::Record, "What the connector signs in with: made-up values."),
        Key::new("given", Kind::Section(&GIVEN), "What there is before."),
        Key::new(
            "exchanges",
            Kind::List(&Kind::Section(&PAIR)),
            "Every request that is sent, those of the sign-in included, with its answer.",
        )
        .required(),
        Key::new(
            "in_order",
            Kind::Flag,
            "Whether the requests come in this order; where several are under way at once they need not.",
        )
        .default("true"),
        Key::new("expect", Kind::Section(&EXPECT), "What comes of it.").required(),
    ],
};

/// What there is before.
static GIVEN: Section = Section {
    name: "what is given",
    about: "What there is before a test.",
    foreign: false,
    keys: &[
        Key::new("records", Kind::List(&Kind::Record), "The records that are written, with the fields of the target."),
        Key::new("input", Kind::Record, "The input of the operation."),
        Key::new("cursor", Kind::Record, "Where reading goes on: `value`, `tie`, `token`, as an earlier run left it."),
        Key::new("window", Kind::Record, "`since` and `until`, as a person asked for them."),
        Key::new("fields", Kind::List(&Kind::Label), "The fields that are wanted; left out, all that are declared."),
        Key::new("now", Kind::Label, "The time it is, `2026-11-21T12:00:00Z`.").default("2026-01-01T00:00:00Z"),
    ],
};

/// A request with its answer.
static PAIR: Section = Section {
    name: "an exchange",
    about: "A request that is expected, and the answer to it.",
    foreign: false,
    keys: &[
        Key::new("request", Kind::Section(&REQUEST), "What is sent. The text `*` stands for anything.").required(),
        Key::new("answer", Kind::Section(&ANSWER), "What comes back.").required(),
    ],
};

/// A request that is expected.
static REQUEST: Section = Section {
    name: "an expected request",
    about: "What is sent. The text `*` stands for anything, also as the value of a parameter or of a field.",
    foreign: false,
    keys: &[
        Key::new("method", Kind::Label, "The method.").default("GET"),
        Key::new(
            "path",
            Kind::Label,
            "The whole path, that of the base included, escaped as it is sent; a whole address where the host matters.",
        )
        .required(),
        Key::new("query", Kind::Record, "Every parameter, unescaped; a list where one comes more than once.")
            .default("{}"),
        Key::new("headers", Kind::Record, "Headers that matter: others are not looked at; null: it is not sent."),
        Key::new("body", Kind::Value, "The body: JSON, or text as it is sent; left out, there is none."),
        Key::new("form", Kind::Record, "The body as form fields, unescaped, in place of `body`."),
    ],
};

/// A recorded answer.
static ANSWER: Section = Section {
    name: "a recorded answer",
    about: "What comes back.",
    foreign: false,
    keys: &[
        Key::new("status", Kind::Whole(100, 599), "The status.").default("200"),
        Key::new("headers", Kind::Record, "Headers; a body that is a map or a list is `application/json` unless said."),
        Key::new("body", Kind::Value, "The body: a map or a list as JSON, text as it is."),
        Key::new(
            "lost",
            Kind::Word(&[
                word("sent", "The connection breaks once the request was sent: it may have taken effect."),
                word("unsent", "The system cannot be reached: nothing took effect."),
            ]),
            "No answer comes.",
        ),
    ],
};

/// What comes of it.
static EXPECT: Section = Section {
    name: "what is expected",
    about: "What comes of a test: each thing that is said here is compared.",
    foreign: false,
    keys: &[
        Key::new("records", Kind::List(&Kind::Record), "The records that were read, in their order."),
        Key::new("deleted", Kind::List(&Kind::Record), "The keys of records that were found to be deleted."),
        Key::new("cursor", Kind::Record, "Where reading goes on next time: what is named here is compared."),
        Key::new(
            "outcomes",
            Kind::List(&Kind::Value),
            "What became of each record that was to be written: `written`, `unchanged`, `rejected`, `in_doubt`; or a map of one of them to a part of the reason.",
        ),
        Key::new("result", Kind::Value, "The result of the operation."),
        Key::new(
            "health",
            Kind::Word(&[
                word("healthy", "The system is well."),
                word("degraded", "It answers, but not as it should."),
                word("unhealthy", "It cannot be used."),
            ]),
            "What the probe finds.",
        ),
        Key::new("error", Kind::Label, "It fails, with this text in the error or as its code."),
        Key::new("notes", Kind::List(&Kind::Label), "Texts that stand in what is said at the end."),
    ],
};

/// What a test is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A stream is read.
    Read(String),
    /// A stream is written.
    Write(String, Mode),
    /// An operation is called.
    Call(String),
    /// The system is probed.
    Probe,
}

/// A test, read.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What it is about.
    pub subject: Subject,
    /// The connector's parameters.
    pub with: Json,
    /// What it signs in with.
    pub auth: Json,
    /// The records that are written.
    pub records: Vec<Json>,
    /// The input of the operation.
    pub input: Json,
    /// Where reading goes on.
    pub cursor: Option<Json>,
    /// `since` and `until`.
    pub window: Option<Json>,
    /// The fields that are wanted; empty: all.
    pub fields: Vec<String>,
    /// The time it is.
    pub now: String,
    /// Requests with their answers.
    pub pairs: Vec<Pair>,
    /// Whether they come in this order.
    pub in_order: bool,
    /// What comes of it.
    pub expect: Expect,
}

/// A request with its answer, read.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Where it stands.
    pub place: Place,
    /// The method.
    pub method: String,
    /// The path, or the whole address.
    pub path: String,
    /// Every parameter.
    pub query: Json,
    /// Headers that matter.
    pub headers: Json,
    /// The body.
    pub body: Option<Json>,
    /// The body as form fields.
    pub form: Option<Json>,
    /// What comes back.
    pub reply: Reply,
}

/// What comes back, read.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// Its headers.
        headers: Json,
        /// Its body.
        body: Option<Json>,
    },
    /// None; whether the request may have taken effect.
    Lost(bool),
}

/// What comes of a test, read.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The records that were read.
    pub records: Option<Vec<Json>>,
    /// The keys of records that were deleted.
    pub deleted: Option<Vec<Json>>,
    /// Where reading goes on next time.
    pub cursor: Option<Json>,
    /// What became of each record that was to be written.
    pub outcomes: Option<Vec<Json>>,
    /// The result of the operation.
    pub result: Option<Json>,
    /// What the probe finds.
    pub health: Option<String>,
    /// Text of the error, or its code.
    pub error: Option<String>,
    /// Texts that stand in what is said at the end.
    pub notes: Vec<String>,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Exchange> {
    let mut made = Vec::new();
    for raw in reader.get(pack, "tests").map_or(&[][..], Raw::items) {
        let Some(subject) = subject(reader, pack, raw) else { continue };
        let given = reader.get(raw, "given");
        let of_given = |name: &str| given.and_then(|given| reader.get(given, name)).map(json);
        made.push(Exchange {
            name: reader.label(raw, "name").unwrap_or_default(),
            place: reader.place(raw),
            with: reader.get(raw, "with").map(json).unwrap_or_default(),
            auth: reader.get(raw, "auth").map(json).unwrap_or_default(),
            records: list(of_given("records")).unwrap_or_default(),
            input: of_given("input").unwrap_or_default(),
            cursor: of_given("cursor"),
            window: of_given("window"),
            fields: given.map(|given| reader.labels(given, "fields")).unwrap_or_default(),
            now: given.and_then(|given| reader.label(given, "now")).unwrap_or_else(|| "2026-01-01T00:00:00Z".into()),
            pairs: reader
                .get(raw, "exchanges")
                .map_or(&[][..], Raw::items)
                .iter()
                .map(|raw| pair(reader, raw))
                .collect(),
            in_order: reader.flag(raw, "in_order").unwrap_or(true),
            expect: reader.get(raw, "expect").map(|raw| expect(reader, raw)).unwrap_or_default(),
            subject,
        });
    }
    made
}

fn subject(reader: &mut Reader<'_>, pack: &Raw, raw: &Raw) -> Option<Subject> {
    let probe = reader.flag(raw, "probe") == Some(true);
    let (stream, operation) = (reader.get(raw, "stream"), reader.get(raw, "operation"));
    let (named, section, name) = match (stream, operation, probe) {
        (Some(stream), None, false) => (stream, "streams", scalar(stream)?),
        (None, Some(operation), false) => (operation, "operations", scalar(operation)?),
        (None, None, true) => return Some(Subject::Probe),
        _ => {
            reader.error(raw, "a test is about one thing".into(), "name a `stream`, an `operation`, or `probe: true`");
            return None;
        }
    };
    let known: Vec<&str> = reader.entries(pack, section).iter().map(|entry| entry.key.as_str()).collect();
    if !known.contains(&name.as_str()) {
        let fix = match crate::error::nearest(&name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        reader.error(named, format!("the pack has no `{name}` among its {section}"), &fix);
        return None;
    }
    Some(match (section, reader.label(raw, "write").as_deref()) {
        ("operations", _) => Subject::Call(name),
        (_, None) => Subject::Read(name),
        (_, Some("create")) => Subject::Write(name, Mode::Append),
        (_, Some("update")) => Subject::Write(name, Mode::Update),
        (_, Some("delete")) => Subject::Write(name, Mode::Delete),
        (_, Some(_)) => Subject::Write(name, Mode::Upsert),
    })
}

fn pair(reader: &Reader<'_>, raw: &Raw) -> Pair {
    let nothing = Raw { kind: RawKind::Null, ..raw.clone() };
    let request = reader.get(raw, "request").unwrap_or(&nothing);
    let answer = reader.get(raw, "answer").unwrap_or(&nothing);
    let map = |raw: &Raw, name: &str| reader.get(raw, name).map(json).unwrap_or_default();
    Pair {
        place: reader.place(request),
        method: reader.label(request, "method").unwrap_or_else(|| "GET".into()),
        path: reader.label(request, "path").unwrap_or_default(),
        query: map(request, "query"),
        headers: map(request, "headers"),
        body: reader.get(request, "body").map(json),
        form: reader.get(request, "form").map(json),
        reply: match reader.label(answer, "lost").as_deref() {
            Some(lost) => Reply::Lost(lost == "sent"),
            None => Reply::Answer {
                status: reader.whole(answer, "status").and_then(|status| u16::try_from(status).ok()).unwrap_or(200),
                headers: map(answer, "headers"),
                body: reader.get(answer, "body").map(json),
            },
        },
    }
}

fn expect(reader: &Reader<'_>, raw: &Raw) -> Expect {
    let of = |name: &str| reader.get(raw, name).map(json);
    Expect {
        records: list(of("records")),
        deleted: list(of("deleted")),
        cursor: of("cursor"),
        outcomes: list(of("outcomes")),
        result: of("result"),
        health: reader.label(raw, "health"),
        error: reader.label(raw, "error"),
        notes: reader.labels(raw, "notes"),
    }
}

fn list(value: Option<Json>) -> Option<Vec<Json>> {
    match value? {
        Json::Array(items) => Some(items),
        _ => Some(Vec::new()),
    }
}
