//! Protocols: how bytes or rows come in and go out. One file (or folder) each.
//!
//! Adding one: a file here with its [`ProtocolSpec`] and a [`Protocol`], its `mod` line and its
//! place in [`ALL`].

mod file;
mod postgres;
mod sftp;
mod sqlite;

use std::path::Path;

use crate::config::{Connector, Mode, ProtocolSpec, Stream};
use crate::connect::formats::Format;
use crate::connect::{Column, Decoder, Encoder, Sink, Source};
use crate::error::{Error, Result};
use crate::record::{Position, Settled, SliceId};

/// What a protocol gets to open a source.
pub struct ReadRequest<'r> {
    /// The project's folder: relative paths count from here.
    pub root: &'r Path,
    /// The connector, references in its options already filled in.
    pub connector: &'r Connector,
    /// The stream.
    pub stream: &'r Stream,
    /// The format, for protocols that carry bytes.
    pub format: Option<&'static dyn Format>,
    /// How the records will meet the target: without a key, none may come twice.
    pub mode: Mode,
    /// The settled position of each slice. Empty: from the beginning.
    pub settled: &'r [(SliceId, Settled)],
    /// Read only what lies between the settled position and this one, of this slice alone: the
    /// group that was written but not settled is read again to know its outcomes.
    pub only: Option<(&'r SliceId, &'r Position)>,
    /// Read what lies between these cursor values instead of what is new; positions do not move.
    pub window: Option<&'r Window>,
}

/// Bounds of a cursor that a person asked for, as text of the cursor's own type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From here on, this value included.
    pub since: Option<String>,
    /// Up to here, this value excluded.
    pub until: Option<String>,
}

/// How a source comes back to a position inside a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// Exactly: what was settled never comes again.
    Exact,
    /// From where the last whole slice ended: records settled since then come again.
    SliceStart,
    /// Not at all: everything comes again (a pipe).
    Never,
}

/// What a source was found to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovered {
    /// The stream, as a mapping would name it.
    pub stream: String,
    /// Its key, by column name; empty if it has none.
    pub key: Vec<String>,
    /// Its columns, in order, with their types.
    pub columns: Vec<Column>,
}

/// What a protocol gets to open a target.
pub struct WriteRequest<'r> {
    /// The project's folder: relative paths count from here.
    pub root: &'r Path,
    /// The connector, references in its options already filled in.
    pub connector: &'r Connector,
    /// The stream.
    pub stream: &'r Stream,
    /// The format, for protocols that carry bytes.
    pub format: Option<&'static dyn Format>,
    /// The columns of the target record, in order.
    pub columns: &'r [Column],
    /// Indices of the key columns; empty for append.
    pub key: &'r [usize],
    /// How records meet the target: one of the modes that the protocol's description lists.
    pub mode: Mode,
    /// The target is to be written anew (`--full` into a file).
    pub anew: bool,
    /// Nothing is to be kept: the sink is opened to look ([`Sink::foresee`]) and must leave the
    /// target as it is.
    pub rehearse: bool,
    /// The log id of the state, and the route's name: how a target knows this route again.
    pub log_id: &'r str,
    /// The route's name.
    pub route: &'r str,
}

/// What a target promises about a group whose fate is unknown after a crash; the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// The target takes back or knows again what it was given: the effect is exactly once.
    ExactlyOnce,
    /// Groups in doubt are sent again with the keys by which the target knows requests.
    KnownRequests,
    /// Groups in doubt are sent again, and each record replaces itself by its key.
    ByKey,
    /// Records in doubt are looked up in the target, and sent again if they are not there.
    LookedUp,
    /// Records in doubt are not sent again: they are set aside for a person.
    SetAside,
    /// Groups in doubt are sent again: at least once.
    AtLeastOnce,
}

/// A protocol: a description, a source and a sink.
pub trait Protocol: Sync {
    /// The description.
    fn spec(&self) -> &'static ProtocolSpec;

    /// Whether it calls a server: limits of calls, tries and time-outs mean something to it.
    fn calls(&self) -> bool {
        false
    }

    /// Whether a record that it writes may hold objects and lists, as JSON does. Of protocols that carry bytes the
    /// format says it.
    fn nests(&self) -> bool {
        false
    }

    /// Opens a source; reads nothing yet.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>>;

    /// What the target promises, for `sync plan`. Opens nothing.
    fn guarantee(&self, request: &WriteRequest<'_>) -> Guarantee;

    /// Makes the decoder of one worker: that of the stream's format, unless the protocol has rows of
    /// its own.
    ///
    /// # Errors
    /// If options contradict each other.
    fn decoder(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Decoder>> {
        match request.format {
            Some(format) => format.decoder(&request.stream.format_options),
            None => Err(Error::bug(format!("`{}` has rows and no decoder for them", self.spec().name))),
        }
    }

    /// How this source comes back to where it was, for the guarantee. Opens nothing.
    fn resumption(&self, request: &ReadRequest<'_>) -> Resumption {
        match self.is_standard(request.stream) {
            true => Resumption::Never,
            false => Resumption::Exact,
        }
    }

    /// Whether the options of a stream make sense for reading it in this mode. Opens nothing.
    ///
    /// # Errors
    /// What contradicts what.
    fn check_source(&self, _request: &ReadRequest<'_>) -> Result<()> {
        Ok(())
    }

    /// Whether the stream has a cursor that `--since` and `--until` could bound.
    fn has_cursor(&self, _stream: &Stream) -> bool {
        false
    }

    /// What there is to read: asks the system. `None`: this protocol has no catalogue.
    ///
    /// # Errors
    /// If the system cannot be asked.
    fn discover(&self, _root: &Path, _connector: &Connector) -> Result<Option<Vec<Discovered>>> {
        Ok(None)
    }

    /// Whether this stream is standard input or output: what is read from it cannot be read again,
    /// and what is written to it stands among nothing else.
    fn is_standard(&self, _stream: &Stream) -> bool {
        false
    }

    /// Whether its target may refuse single records of a group and take the others
    /// ([`Receipt::refusals`](crate::record::Receipt)).
    fn refuses_records(&self) -> bool {
        false
    }

    /// Makes the encoder of one worker for this target.
    ///
    /// # Errors
    /// If the columns have no form in this target.
    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>>;

    /// Whether a sink that is made to rehearse looks its records up. Of a target that does not, every
    /// record counts as added and nothing is opened.
    fn rehearses(&self) -> bool {
        false
    }

    /// Makes the sink; nothing is opened before [`Sink::open`].
    ///
    /// # Errors
    /// If the request makes no sense for this target (upsert into a file).
    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>>;
}

/// Every protocol.
pub const ALL: &[&dyn Protocol] = &[&file::Files, &postgres::Postgres, &sftp::Sftp, &sqlite::Sqlite];

/// The protocol of that name.
pub fn named(name: &str) -> Option<&'static dyn Protocol> {
    ALL.iter().copied().find(|p| p.spec().name == name)
}

/// The protocol of a connector: one of [`ALL`], or its pack's.
pub fn of(connector: &Connector) -> Option<&'static dyn Protocol> {
    match connector.spec.and_then(|spec| spec.plugin) {
        Some(plugin) => plugin.downcast_ref::<super::pack::PackProtocol>().map(|pack| pack as &dyn Protocol),
        None => named(&connector.uses.value),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{OptionKind, OptionSpec};
    use crate::connect::options::OptionReader;

    fn check_options(owner: &str, specs: &'static [OptionSpec]) {
        let mut names = BTreeSet::new();
        let reader = OptionReader::new(&[], specs);
        for spec in specs {
            let name = spec.name;
            assert!(names.insert(name), "{owner}: option `{name}` twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{owner}.{name}");
            assert!(spec.about.ends_with('.') && spec.about.len() > 10, "{owner}.{name} is not explained");
            assert!(!(spec.required && spec.default.is_some()), "{owner}.{name} is required and has a default");
            let Some(default) = spec.default else { continue };
            match spec.kind {
                OptionKind::Bool => assert!(reader.flag(name).is_ok(), "{owner}.{name}"),
                OptionKind::Int { min, max } => {
                    assert!((min..=max).contains(&(reader.number(name).unwrap() as i64)), "{owner}.{name}");
                }
                OptionKind::Choice(words) => assert!(words.contains(&default), "{owner}.{name}"),
                _ => assert_eq!(reader.text(name).unwrap().as_deref(), Some(default)),
            }
        }
    }

    #[test]
    fn every_description_is_sane() {
        let mut names = BTreeSet::new();
        for protocol in ALL {
            let spec = protocol.spec();
            assert!(names.insert(spec.name), "`{}` twice", spec.name);
            assert!(spec.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", spec.name);
            assert!(spec.about.ends_with('.') && (spec.reads || spec.writes()), "{}", spec.name);
            assert!(std::ptr::eq(named(spec.name).unwrap().spec(), spec));
            check_options(spec.name, spec.options);
            check_options(spec.name, spec.stream_options);
            if let Some(option) = spec.undeclared_stream {
                assert!(spec.stream_options.iter().any(|o| o.name == option), "{}: no option `{option}`", spec.name);
            }
            assert!(spec.example.contains(&format!("use: {}\n", spec.name)), "{}: example", spec.name);
            for required in spec.options.iter().filter(|o| o.required) {
                assert!(spec.example.contains(&format!("{}:", required.name)), "{}: example lacks it", required.name);
            }
        }
    }

    #[test]
    fn every_file_is_listed() {
        let listed = include_str!("mod.rs");
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/connect/protocols")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.trim_end_matches(".rs");
            if stem != "mod" {
                assert!(named(stem).is_some(), "add `mod {stem};` and `&{stem}::…` to ALL in protocols/mod.rs");
                assert!(listed.contains(&format!("\nmod {stem};\n")), "add the line `mod {stem};`");
            }
        }
    }
}
