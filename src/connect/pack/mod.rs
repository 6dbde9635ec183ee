//! A pack: one YAML file that says how a system is read and written. Here its text becomes a checked,
//! compiled [`Pack`]; `connect::web` calls by it, `connect::reading` and `connect::writing` move records.
//!
//! Each section of the vocabulary is one file: its keys as a table (from which come the check, the JSON
//! Schema and the reference), what it becomes, and how it is read. Packs are made once in a process and
//! live as long as it.

pub mod acknowledge;
pub mod auth;
pub mod batch;
pub mod catalog;
pub mod cursor;
pub mod cut;
pub mod deletes;
pub mod discover;
pub mod doubt;
pub mod each;
pub mod exchanges;
pub mod faults;
pub mod given;
pub mod job;
pub mod keys;
pub mod limits;
pub mod names;
pub mod nest;
pub mod operations;
pub mod outcome;
pub mod pages;
pub mod params;
pub mod probe;
pub mod protocol;
pub mod read;
pub mod reader;
pub mod request;
pub mod spot;
pub mod streams;
pub mod template;
pub mod transport;
pub mod upload;
pub mod webhook;
pub mod write;

use crate::config::check::Checker;
use crate::config::yaml::Raw;
use crate::config::{ProtocolSpec, Source};
use crate::error::{Finding, Severity};

pub use catalog::SHELF;
pub use given::Given;
pub use names::{Name, Scope};
pub use protocol::PackProtocol;
pub use reader::Reader;
pub use template::{Template, Tree};

/// A pack, read and compiled.
#[derive(Debug)]
pub struct Pack {
    /// Its name: the word after `use:`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// One sentence: what system it is.
    pub about: String,
    /// Parameters (`with`).
    pub params: Vec<params::Param>,
    /// Where calls go, and over what.
    pub transport: transport::Transport,
    /// How to sign in.
    pub auth: auth::Auth,
    /// How much may be asked.
    pub limits: limits::Limits,
    /// What answers mean.
    pub faults: Vec<faults::Fault>,
    /// Where answers say what is wrong.
    pub errors: faults::Errors,
    /// How often a call is tried.
    pub retry: limits::Retry,
    /// How its state is told.
    pub probe: Option<probe::Probe>,
    /// What has to be asked before anything else.
    pub discover: Vec<discover::Discovery>,
    /// What can be read and written, in the order of the file.
    pub streams: Vec<streams::Stream>,
    /// Calls by name.
    pub operations: Vec<operations::Operation>,
    /// What the system sends when a record changes.
    pub webhook: Option<webhook::Webhook>,
    /// Exchanges that are replayed as tests.
    pub exchanges: Vec<exchanges::Exchange>,
    /// The tree it was read from, what it extends merged in.
    pub raw: Raw,
}

impl Pack {
    /// Reads a pack from a tree; `None` if it has errors, which are among the findings then.
    pub fn read(source: &Source, raw: &Raw, findings: &mut Vec<Finding>) -> Option<Self> {
        let before = findings.len();
        let raw = catalog::extended(source, raw, findings)?;
        let mut checker = Checker::new(source, false);
        checker.section(&raw, &keys::PACK, (raw.start, raw.start + 1));
        findings.append(&mut checker.findings);
        // What has another shape than it should cannot be read; what is wrong is known.
        if findings[before..].iter().any(|finding| finding.severity == Severity::Error) {
            return None;
        }
        let mut params = params::read(&raw, source, findings);
        for common in transport::common(&raw) {
            if params.iter().all(|param| param.name != common.name) {
                params.push(common);
            }
        }
        let secrets = auth::names(&raw);
        let mut reader = Reader::new(source, params::types(&params), secrets, findings);
        let made = Self {
            name: reader.label(&raw, "pack").unwrap_or_default(),
            version: reader.label(&raw, "version").unwrap_or_default(),
            about: reader.label(&raw, "about").unwrap_or_default(),
            transport: transport::Transport::read(&mut reader, &raw),
            auth: auth::Auth::read(&mut reader, &raw),
            limits: limits::Limits::read(&mut reader, &raw),
            faults: faults::read(&mut reader, &raw),
            errors: faults::Errors::read(&mut reader, &raw),
            retry: limits::Retry::read(&mut reader, &raw),
            probe: probe::Probe::read(&mut reader, &raw),
            discover: discover::read(&mut reader, &raw),
            streams: streams::read(&mut reader, &raw),
            operations: operations::read(&mut reader, &raw),
            webhook: webhook::Webhook::read(&mut reader, &raw),
            exchanges: exchanges::read(&mut reader, &raw),
            params,
            raw,
        };
        let sound = !findings[before..].iter().any(|finding| finding.severity == Severity::Error);
        sound.then_some(made)
    }

    /// The stream of that name.
    pub fn stream(&'static self, name: &str) -> Option<&'static streams::Stream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

/// A pack as a kind of connector, for as long as the process lives.
pub fn published(pack: Pack) -> &'static ProtocolSpec {
    protocol::publish(Box::leak(Box::new(pack)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// No place at all.
    pub(crate) fn nowhere() -> crate::error::Place {
        crate::error::Place { file: String::new(), line: 1, column: 1, width: 1, source: String::new() }
    }

    /// A connector that says nothing.
    pub(crate) fn connector(name: &str) -> crate::config::Connector {
        crate::config::Connector::new(name, name, nowhere())
    }

    /// A pack made of a text that is sound.
    pub(crate) fn pack(text: &str) -> &'static Pack {
        let source = Source::new("pack.yaml", text);
        let mut findings = Vec::new();
        let raw = crate::config::yaml::parse(&source, &mut findings);
        let made = raw.and_then(|raw| Pack::read(&source, &raw, &mut findings));
        let told: Vec<String> = findings.iter().map(|f| format!("{:?}: {}", f.place, f.cause)).collect();
        assert!(told.is_empty(), "{told:#?}");
        Box::leak(Box::new(made.unwrap()))
    }
}
