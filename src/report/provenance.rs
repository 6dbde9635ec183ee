//! What a report was made from, so that somebody else can make it again and compare: what was asked,
//! what was read, how the audit log stood, which program made it, whose clock the moments are.

use std::fs::File;
use std::io::Read as _;

use sha2::{Digest as _, Sha256};

use super::document::{Cell, Fact, Section, fact, named};
use crate::error::Result;
use crate::record::shown::hex;
use crate::store::{LogStanding, Store};

/// What a report was made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// What was read, in words.
    pub query: String,
    /// The arguments with everything that was left to default, by the names of the command line.
    pub parameters: Vec<(&'static str, Cell)>,
    /// The first and the last event that was read, by number; `None`: no event was.
    pub events: Option<(u64, u64)>,
    /// How many of each kind of thing were read.
    pub counts: Vec<(&'static str, u64)>,
    /// The audit log as it stood; `None`: there is none, or it was not asked.
    pub log: Option<LogStanding>,
    /// The hashes of the configurations that were read, by what they are of.
    pub configuration: Vec<(String, String)>,
    /// The SHA-256 of the program, lower-case hexadecimal.
    pub tool_sha256: Option<String>,
}

impl Provenance {
    /// How the log of a state stands and which program reads it. The caller adds what it reads.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn of(store: &Store, query: impl Into<String>) -> Result<Self> {
        Ok(Self {
            query: query.into(),
            log: Some(store.log_standing(None)?),
            tool_sha256: tool_sha256(),
            ..Self::default()
        })
    }

    /// The provenance of a report that reads no state.
    pub fn without_state(query: impl Into<String>) -> Self {
        Self { query: query.into(), tool_sha256: tool_sha256(), ..Self::default() }
    }

    /// Says an argument or its default.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Says how many of something were read.
    #[must_use]
    pub fn count(mut self, of: &'static str, count: u64) -> Self {
        self.counts.push((of, count));
        self
    }

    /// Takes an event in that was read.
    pub fn saw(&mut self, seq: u64) {
        self.events = Some(self.events.map_or((seq, seq), |(first, last)| (first.min(seq), last.max(seq))));
    }

    /// The facts in order; those with a dot in their key are members of an object in JSON.
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![fact("query", self.query.as_str())];
        for (name, value) in &self.parameters {
            facts.push(named(format!("parameters.{name}"), format!("--{name}"), value.clone()));
        }
        for (of, count) in &self.counts {
            facts.push(named(format!("counts.{of}"), format!("{} read", of.replace('_', " ")), *count));
        }
        let (first, last) = self.events.unzip();
        facts.push(named("first_seq", "first event", first));
        facts.push(named("last_seq", "last event", last));
        if let Some(log) = &self.log {
            facts.push(named("log.id", "audit log", Cell::Code(log.id.clone())));
            facts.push(named("log.events", "events in the log", log.size));
            facts.push(named("log.root", "root of the log", Cell::code(log.root.map(|root| hex(&root)))));
            facts.push(named("log.pruned", "events pruned", log.pruned));
            let checkpoint = log.checkpoint.as_ref();
            facts.push(named("checkpoint.events", "newest checkpoint over", checkpoint.map(|of| of.size)));
            facts.push(named("checkpoint.root", "its root", Cell::code(checkpoint.map(|of| hex(&of.root)))));
            facts.push(named(
                "checkpoint.carried",
                "carried to",
                Cell::code(checkpoint.and_then(|of| of.carried.clone())),
            ));
        }
        for (of, hash) in &self.configuration {
            facts.push(named(
                format!("configuration.{of}"),
                format!("configuration of {of}"),
                Cell::Code(hash.clone()),
            ));
        }
        facts.push(named("tool.version", "consign", Cell::Code(env!("CARGO_PKG_VERSION").to_string())));
        facts.push(named("tool.sha256", "SHA-256 of the program", Cell::code(self.tool_sha256.clone())));
        let steps = self.log.as_ref().map_or(0, |log| log.clock_steps);
        let source = match (self.log.is_some(), steps) {
            (false, _) => "none: no moment was read".to_string(),
            (true, 0) => "the system clock of the host that recorded; no step back is on record".to_string(),
            (true, steps) => {
                format!("the system clock of the host that recorded; it stepped back, on record: {steps}")
            }
        };
        facts.push(named("time_source", "time source", source));
        facts
    }

    /// The block as a section.
    pub fn section(&self) -> Section {
        Section::new("provenance", "What this report was made from").facts("facts", self.facts())
    }
}

/// The SHA-256 of the program that runs; `None` if it cannot be read.
fn tool_sha256() -> Option<String> {
    let mut file = File::open(std::env::current_exe().ok()?).ok()?;
    let mut digest = Sha256::new();
    let mut block = vec![0; 1 << 18];
    loop {
        match file.read(&mut block).ok()? {
            0 => return Some(hex(&digest.finalize())),
            read => digest.update(&block[..read]),
        }
    }
}
