//! `write.….job`: a batch that is written by several requests: create, upload, close, wait, fetch results.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::outcome::{OUTCOME, Outcome};
use super::reader::Reader;
use super::request::{self, RequestSpec, request_keys};
use super::template::{Template, Tree};

/// The section.
pub static JOB: Section = Section {
    name: "the job of a batch",
    about: "Several requests for one batch. What a step captures is `job.NAME` in those after it, and is noted at once, so that a run after a crash finds its job again.",
    foreign: false,
    keys: &[
        Key::new(
            "steps",
            Kind::List(&Kind::Section(&STEP)),
            "The requests in order; `records` stands in the body of one of them.",
        )
        .required(),
        Key::new("poll", Kind::Section(&POLL), "Asks until it is done."),
        Key::new(
            "results",
            Kind::List(&Kind::Section(&RESULT)),
            "Fetch what became of each record; each has its own `outcome`. A record that none mentions is as the last `unmentioned` says.",
        ),
        Key::new("clean", Kind::Section(&request::REQUEST), "Removes the job once its results are known."),
    ],
};

static STEP: Section = Section {
    name: "a step of a job that writes",
    about: "One request.",
    foreign: false,
    keys: request_keys![
        Key::new("capture", Kind::Record, "Values by name, from `answer`: `job.NAME` from then on."),
        Key::new("bare", Kind::Flag, "Without sign-in: an address that is signed itself.").default("false"),
    ],
};

static POLL: Section = Section {
    name: "the waiting for a job that writes",
    about: "Asks how the job stands.",
    foreign: false,
    keys: request_keys![
        Key::new("done", Kind::Expression, "Whether it is done, of `answer`.").required(),
        Key::new(
            "failed",
            Kind::Expression,
            "Whether it failed: then nothing of it is counted as written without its results.",
        ),
        Key::new("capture", Kind::Record, "Values by name, from the last `answer`."),
        Key::new(
            "every",
            Kind::Length,
            "How long to wait in between, if the answer does not say; it grows to ten times that.",
        )
        .default("2s"),
        Key::new("at_most", Kind::Length, "How long to wait in all.").default("1h"),
    ],
};

static RESULT: Section = Section {
    name: "a result of a job that writes",
    about: "Fetches outcomes.",
    foreign: false,
    keys: request_keys![
        Key::new("outcome", Kind::Section(&OUTCOME), "What they say of each record.").required(),
        Key::new("bare", Kind::Flag, "Without sign-in: an address that is signed itself.").default("false"),
    ],
};

/// The section, read.
#[derive(Debug)]
pub struct Job {
    /// The requests in order.
    pub steps: Vec<Step>,
    /// Asks until it is done.
    pub poll: Option<Poll>,
    /// Fetch what became of each record.
    pub results: Vec<Results>,
    /// Removes the job.
    pub clean: Option<RequestSpec>,
}

/// A request of a job.
#[derive(Debug)]
pub struct Step {
    /// The request.
    pub request: RequestSpec,
    /// What is kept of the answer.
    pub capture: Option<Tree>,
    /// Without sign-in.
    pub bare: bool,
}

/// How a job is waited for.
#[derive(Debug)]
pub struct Poll {
    /// The request.
    pub request: RequestSpec,
    /// Whether it is done.
    pub done: Template,
    /// Whether it failed.
    pub failed: Option<Template>,
    /// What is kept of the last answer.
    pub capture: Option<Tree>,
    /// How long to wait in between.
    pub every: Duration,
    /// How long to wait in all.
    pub at_most: Duration,
}

/// Outcomes that are fetched.
#[derive(Debug)]
pub struct Results {
    /// The request.
    pub request: RequestSpec,
    /// What they say.
    pub outcome: Outcome,
    /// Without sign-in.
    pub bare: bool,
}

impl Job {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let mut steps = Vec::new();
        for of in reader.items(raw, "steps") {
            let capture = reader.tree(of, "capture");
            let bare = reader.flag(of, "bare").unwrap_or(false);
            steps.push(Step { request: RequestSpec::read(reader, of), capture, bare });
        }
        let poll = match reader.get(raw, "poll") {
            Some(of) => Some(Poll {
                request: RequestSpec::read(reader, of),
                done: reader.expression(of, "done")?,
                failed: reader.expression(of, "failed"),
                capture: reader.tree(of, "capture"),
                every: reader.length(of, "every").unwrap_or(Duration::from_secs(2)),
                at_most: reader.length(of, "at_most").unwrap_or(Duration::from_secs(3600)),
            }),
            None => None,
        };
        let mut results = Vec::new();
        for of in reader.items(raw, "results") {
            let bare = reader.flag(of, "bare").unwrap_or(false);
            results.push(Results { request: RequestSpec::read(reader, of), outcome: Outcome::read(reader, of), bare });
        }
        let clean = reader.get(raw, "clean").map(|of| RequestSpec::read(reader, of));
        Some(Self { steps, poll, results, clean })
    }
}
