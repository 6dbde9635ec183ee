//! `job`: an answer that takes long is ordered, waited for, and fetched. The request of `read` itself is
//! the fetching, once for each of the job's parts, with pages of its own if it has any.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{self, RequestSpec, request_keys};
use super::template::{Template, Tree};

/// The section.
pub static JOB: Section = Section {
    name: "a job that is read",
    about: "An answer that takes long: it is ordered, waited for, and fetched by the request of `read`. A job that was ordered is remembered at once: a run after a crash goes on with it.",
    foreign: false,
    keys: &[
        Key::new("submit", Kind::Section(&STEP), "Orders it.").required(),
        Key::new(
            "then",
            Kind::List(&Kind::Section(&STEP)),
            "Requests between ordering and waiting (a job that must be started or closed).",
        ),
        Key::new("poll", Kind::Section(&POLL), "Asks how far it is."),
        Key::new(
            "parts",
            Kind::Expression,
            "What there is to fetch, a list; `job.part` is the one that is fetched. Left out: one part.",
        ),
        Key::new("abort", Kind::Section(&request::REQUEST), "Calls it off, if it fails or takes too long."),
        Key::new(
            "clean",
            Kind::Section(&request::REQUEST),
            "Deletes it once all is fetched and settled or the next run begins.",
        ),
        Key::new("expires", Kind::Label, "How long results are kept: `7d`. An older job is ordered anew.")
            .default("1d"),
    ],
};

/// A request whose answer is kept.
pub static STEP: Section = Section {
    name: "a step of a job",
    about: "A request, and what is kept of its answer as `job.NAME`.",
    foreign: false,
    keys: request_keys![Key::new("capture", Kind::Record, "Values by name, from `answer`: `job.NAME` from then on.")],
};

static POLL: Section = Section {
    name: "the waiting for a job",
    about: "A request that is repeated until the job is done. `Retry-After` of its answers holds before `every`.",
    foreign: false,
    keys: request_keys![
        Key::new(
            "done",
            Kind::Expression,
            "When it is done: `answer.status == 200`, `answer.body.state == \"JobComplete\"`.",
        )
        .required(),
        Key::new("failed", Kind::Expression, "When it failed."),
        Key::new("say", Kind::Label, "Why it failed, for a person; may hold templates."),
        Key::new("empty", Kind::Expression, "When there is nothing to fetch: asked once it is done."),
        Key::new("capture", Kind::Record, "Values by name, from `answer`: `job.NAME` from then on."),
        Key::new("every", Kind::Length, "How long to wait before the first and the second time; then ever longer.")
            .default("2s"),
        Key::new("at_most", Kind::Length, "The longest time between two.").default("60s"),
        Key::new("deadline", Kind::Label, "When it is given up: `24h`.").default("24h"),
    ],
};

/// `job`, read.
#[derive(Debug)]
pub struct Job {
    /// Orders it.
    pub submit: Step,
    /// Between ordering and waiting.
    pub then: Vec<Step>,
    /// Waits for it.
    pub poll: Option<Poll>,
    /// What there is to fetch.
    pub parts: Option<Template>,
    /// Calls it off.
    pub abort: Option<RequestSpec>,
    /// Deletes it.
    pub clean: Option<RequestSpec>,
    /// How long results are kept, in seconds.
    pub expires: u64,
}

/// A request whose answer is kept.
#[derive(Debug)]
pub struct Step {
    /// The request.
    pub request: RequestSpec,
    /// What is kept.
    pub capture: Option<Tree>,
}

/// The waiting for a job.
#[derive(Debug)]
pub struct Poll {
    /// The request.
    pub request: RequestSpec,
    /// What is kept.
    pub capture: Option<Tree>,
    /// When it is done.
    pub done: Option<Template>,
    /// When it failed.
    pub failed: Option<Template>,
    /// Why.
    pub say: Option<Template>,
    /// When there is nothing to fetch.
    pub empty: Option<Template>,
    /// Seconds before the first time.
    pub every: u64,
    /// Seconds between two at most.
    pub at_most: u64,
    /// Seconds after which it is given up.
    pub deadline: u64,
}

impl Job {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "job")?;
        let submit = reader.get(raw, "submit").map(|of| Step::read(reader, of))?;
        Some(Self {
            submit,
            then: reader.items(raw, "then").map(|of| Step::read(reader, of)).collect(),
            poll: reader.get(raw, "poll").map(|of| Poll {
                request: RequestSpec::read(reader, of),
                capture: reader.tree(of, "capture"),
                done: reader.expression(of, "done"),
                failed: reader.expression(of, "failed"),
                say: reader.template(of, "say"),
                empty: reader.expression(of, "empty"),
                every: reader.span(of, "every").unwrap_or(2),
                at_most: reader.span(of, "at_most").unwrap_or(60),
                deadline: reader.span(of, "deadline").unwrap_or(86_400),
            }),
            parts: reader.expression(raw, "parts"),
            abort: reader.get(raw, "abort").map(|of| RequestSpec::read(reader, of)),
            clean: reader.get(raw, "clean").map(|of| RequestSpec::read(reader, of)),
            expires: reader.span(raw, "expires").unwrap_or(86_400),
        })
    }
}

impl Step {
    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        Self { request: RequestSpec::read(reader, raw), capture: reader.tree(raw, "capture") }
    }
}
