//! The plan of one route: the mapping compiled, the two ends looked up, the guarantee computed.
//! After it nothing is checked again; making it reads no data and opens nothing.

use std::path::Path;
use std::sync::Arc;

use crate::comply::inline::Inline;
use crate::config::{Carries, Connector, Mapping, Mode, Node, Piece, Project, Resolver, Stream, StreamRef};
use crate::connect::formats::{self, Format};
use crate::connect::options::OptionReader;
use crate::connect::pace::Pace;
use crate::connect::protocols::{self, Guarantee, Protocol, ReadRequest, Resumption, Window, WriteRequest};
use crate::connect::{Counting, Decoder, DeleteGuard, Encoder, Sink, Source};
use crate::error::codes::sync::NO_WINDOW;
use crate::error::{Error, Kind, Result};
use crate::map::Route;
use crate::record::{Position, Settled, SliceId, Timestamp};
use crate::store::Store;

use super::road::Options;

/// One end of a route: a stream with what it takes to open it.
pub struct End {
    /// The protocol.
    pub protocol: &'static dyn Protocol,
    /// The connector, references filled in.
    pub connector: Connector,
    /// The stream, references filled in.
    pub stream: Stream,
    /// The format, for protocols that carry bytes.
    pub format: Option<&'static dyn Format>,
    /// The pace at which it may be called, if it is limited.
    pub pace: Option<Arc<Pace>>,
    /// What [`End::shown`] gives.
    shown: String,
}

/// A route, ready to run.
pub struct Plan {
    /// The mapping as written.
    pub mapping: Mapping,
    /// The mapping compiled.
    pub route: Arc<Route>,
    /// Where records come from.
    pub from: End,
    /// Where they go.
    pub to: End,
    /// The folder that relative paths count from.
    pub root: Arc<Path>,
    /// Hash and canonical form of the project.
    pub project: (String, String),
    /// What it asks of its records beside the mapping, once that is brought together for a run.
    pub inline: Option<Arc<Inline>>,
    /// The rule of the project for which somebody has to approve of each run, as it is told.
    pub approval_because: Option<String>,
    /// Whether events say which records they are about.
    pub accounts: bool,
    /// Whether events say whose records they are about.
    pub people: bool,
    /// How exposed what it writes is, see [`crate::audit::risk::Inputs::exposure`].
    pub exposure: f64,
}

impl Plan {
    /// The calls that were made for it so far, by connector; counted anew from then on.
    pub fn calls(&self) -> Vec<(String, crate::record::Calls)> {
        let ends = [&self.from, &self.to];
        let counted = ends.map(|end| (end.connector.name.clone(), end.connector.meter.take()));
        let made = |calls: &crate::record::Calls| calls.calls > 0 || calls.waited_ns > 0;
        counted.into_iter().filter(|(_, calls)| made(calls)).collect()
    }
}

impl End {
    /// Looks up one end and fills in its references.
    ///
    /// # Errors
    /// If a reference cannot be filled in, or the configuration was not checked.
    pub fn new(project: &Project, reference: &StreamRef, resolver: &Resolver) -> Result<Self> {
        let connector = project
            .connectors
            .get(&reference.connector)
            .ok_or_else(|| Error::bug(format!("connector `{}` is not defined", reference.connector)))?;
        let protocol = protocols::of(connector)
            .ok_or_else(|| Error::bug(format!("protocol `{}` is not listed", connector.uses.value)))?;
        // Before the references are filled in: what they hold may be secret.
        let shown = match connector.stream(&reference.stream, protocol.spec()) {
            Some(stream) => shown(protocol, connector, &stream),
            None => reference.stream.clone(),
        };
        let mut connector = resolver.connector(connector)?;
        connector.meter = Default::default();
        let stream = connector
            .stream(&reference.stream, protocol.spec())
            .ok_or_else(|| Error::bug(format!("stream `{}` is not declared", reference.stream)))?;
        let format = match &stream.format {
            Some(name) => Some(
                formats::named(&name.value)
                    .ok_or_else(|| Error::bug(format!("format `{}` is not listed", name.value)))?,
            ),
            None => None,
        };
        let pace = Pace::of(&connector);
        Ok(Self { protocol, connector, stream, format, pace, shown })
    }

    /// What the stream is, for a person: a path, a table. References stay as they are written.
    pub fn shown(&self) -> String {
        self.shown.clone()
    }
}

fn shown(protocol: &dyn Protocol, connector: &Connector, stream: &Stream) -> String {
    let text = |options: &[(crate::config::Spanned<String>, crate::config::Spanned<Node>)], name: &str| {
        options.iter().find(|(key, _)| key.value == name).and_then(|(_, node)| match &node.value {
            Node::Text(text) => Some(text.pieces.iter().map(written).collect::<String>()),
            _ => None,
        })
    };
    // A server's folder is where the user lands unless it says otherwise.
    let host = text(&connector.with, "host");
    let lands = host.as_ref().filter(|_| protocol.spec().carries == Carries::Bytes).map(|_| ".".to_owned());
    let place = text(&connector.with, "path").or(lands);
    let within = text(&stream.options, "path").or_else(|| text(&stream.options, "table"));
    if text(&stream.options, "query").is_some() {
        let database = place.map_or_else(String::new, |database| format!(" of {database}"));
        return format!("query {}{database}", stream.name);
    }
    match (protocol.spec().carries, place, within) {
        (Carries::Bytes, _, Some(path)) if path == "-" => "standard input or output".into(),
        (Carries::Bytes, Some(folder), Some(path)) => {
            let whole = Path::new(&folder).join(path);
            let whole = whole.strip_prefix(".").unwrap_or(&whole).display();
            match host {
                Some(host) => format!("{host}:{whole}"),
                None => whole.to_string(),
            }
        }
        (Carries::Rows, Some(database), Some(table)) => format!("table {table} of {database}"),
        (_, Some(one), None) | (_, None, Some(one)) => one,
        _ => stream.name.clone(),
    }
}

fn written(piece: &Piece) -> String {
    match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Env(name) => format!("${{env:{name}}}"),
        Piece::File(path) => format!("${{file:{path}}}"),
        Piece::Command(name) => format!("${{cmd:{name}}}"),
    }
}

impl Plan {
    /// The route's name.
    pub fn name(&self) -> &str {
        &self.mapping.name.value
    }

    /// A checked mapping with both of its ends.
    ///
    /// # Errors
    /// As for [`End::new`].
    pub fn new(project: &Project, mapping: &Mapping, route: Route, resolver: &Resolver) -> Result<Self> {
        let (from, to) = (End::new(project, &mapping.from, resolver)?, End::new(project, &mapping.to, resolver)?);
        let exposure = super::stakes::exposure(project, mapping, &from.connector, &to.connector, None);
        Ok(Self {
            from,
            to,
            exposure,
            mapping: mapping.clone(),
            route: Arc::new(route),
            root: project.root.as_path().into(),
            project: (project.hash.clone(), project.canonical.clone()),
            inline: None,
            approval_because: None,
            accounts: project.audit.items,
            people: project.audit.people && mapping.compliance.subject.is_some(),
        })
    }

    /// The same with what it asks of its records, for a run.
    ///
    /// # Errors
    /// As for [`inline::prepare`](super::inline::prepare).
    pub fn prepared(mut self, project: &Project, store: Option<&Store>, now: Timestamp) -> Result<Self> {
        let today =
            jiff::Timestamp::from_second(now.seconds).ok().map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        let (from, to) = (&self.from.connector, &self.to.connector);
        self.exposure = super::stakes::exposure(project, &self.mapping, from, to, today);
        self.inline = super::inline::prepare(&self, project, store, now)?;
        Ok(self)
    }

    /// Opens the source after what is settled; with `only`, just up to that position of that
    /// slice.
    ///
    /// # Errors
    /// If the source cannot be opened.
    pub fn source(
        &self,
        settled: &[(SliceId, Settled)],
        only: Option<(&SliceId, &Position)>,
    ) -> Result<Box<dyn Source>> {
        self.from.protocol.source(&self.read_request(settled, only))
    }

    /// Opens the source for what lies between two cursor values instead of what is new.
    ///
    /// # Errors
    /// If the source has no cursor, or the mode of the mapping would add or delete what it must not.
    pub fn between_bounds(&self, window: &Window) -> Result<Box<dyn Source>> {
        if !self.from.protocol.has_cursor(&self.from.stream) {
            let cause = format!("{} has no cursor that `--since` and `--until` could bound", self.from.shown());
            return Err(Error::new(Kind::Invalid, &NO_WINDOW, cause)
                .at(self.from.stream.place.clone())
                .hint("name the column that tells what is new under `cursor` of the stream, or leave the bounds out"));
        }
        self.from.protocol.source(&ReadRequest { window: Some(window), ..self.read_request(&[], None) })
    }

    /// The one slice of a source with a cursor, as its positions name it; `None` if it has no cursor.
    ///
    /// # Errors
    /// If the options were not checked.
    pub fn cursor_slice(&self) -> Result<Option<SliceId>> {
        let End { protocol, stream, .. } = &self.from;
        if !protocol.has_cursor(stream) {
            return Ok(None);
        }
        let options = protocol.spec().stream_options;
        if !options.iter().any(|option| option.name == "table") {
            return Ok(Some(stream.name.as_str().into()));
        }
        let table = OptionReader::new(&stream.options, options).text("table")?;
        Ok(Some(table.filter(|table| !table.is_empty()).unwrap_or_else(|| stream.name.clone()).into()))
    }

    /// How the source comes back to where it was.
    pub fn resumption(&self) -> Resumption {
        self.from.protocol.resumption(&self.read_request(&[], None))
    }

    /// Makes the decoder of one worker.
    ///
    /// # Errors
    /// If options contradict each other.
    pub fn decoder(&self) -> Result<Box<dyn Decoder>> {
        self.from.protocol.decoder(&self.read_request(&[], None))
    }

    /// Makes the encoder of one worker.
    ///
    /// # Errors
    /// If the target's columns have no form there.
    pub fn encoder(&self) -> Result<Box<dyn Encoder>> {
        self.to.protocol.encoder(&self.write_request("", false))
    }

    /// The bytes between two records of the target.
    ///
    /// # Errors
    /// As for [`Plan::encoder`].
    pub fn between(&self) -> Result<Arc<[u8]>> {
        Ok(match self.to.format {
            Some(format) => format.frame(&self.to.stream.format_options, &self.route.columns)?.between.into(),
            None => Arc::from([]),
        })
    }

    /// Makes the sink; opens nothing.
    ///
    /// # Errors
    /// If the mode makes no sense for this target.
    pub fn sink(&self, log_id: &str, anew: bool) -> Result<Box<dyn Sink>> {
        self.to.protocol.sink(&self.write_request(log_id, anew))
    }

    /// Whether the target may refuse single records, so that what they were read from is kept.
    pub fn keeps_origins(&self) -> bool {
        self.to.protocol.refuses_records()
    }

    /// Whether this run begins from the beginning: it was asked to, or it is a mirror, which has to
    /// see everything.
    pub fn anew(&self, options: &Options) -> bool {
        options.full || self.mapping.sync.mode == Mode::Mirror
    }

    /// Whether its target is a mirror that deletes records one by one; a mirror that is one file is
    /// replaced as a whole.
    pub fn sweeps(&self) -> bool {
        self.mapping.sync.mode == Mode::Mirror && self.to.protocol.spec().carries == Carries::Rows
    }

    /// How much this run may delete.
    pub fn guard(&self, options: &Options) -> DeleteGuard {
        let deletes = self.mapping.sync.deletes;
        let agreed = self.agreed_deletes(options).unwrap_or(0);
        DeleteGuard { share_ppm: deletes.share_ppm, records: deletes.records.max(agreed) }
    }

    /// How many deletes of this route a person has agreed to, by hand or with a plan; `None`: nobody has.
    pub fn agreed_deletes(&self, options: &Options) -> Option<u64> {
        options.allow_deletes.max(options.plan.as_ref().and_then(|plan| plan.deletes(self.name())))
    }

    /// Makes a sink that looks and keeps nothing; one that only counts where the protocol cannot look.
    ///
    /// # Errors
    /// As for [`Plan::sink`].
    pub fn rehearsal(&self, log_id: &str, anew: bool) -> Result<Box<dyn Sink>> {
        if !self.to.protocol.rehearses() {
            return Ok(Box::new(Counting));
        }
        self.to.protocol.sink(&WriteRequest { rehearse: true, ..self.write_request(log_id, anew) })
    }

    /// Whether records go to standard output.
    pub fn speaks(&self) -> bool {
        self.to.protocol.is_standard(&self.to.stream)
    }

    /// Whether what is read cannot be read again.
    pub fn reads_once(&self) -> bool {
        self.resumption() == Resumption::Never
    }

    /// Whether the source yields the same to this route and to another one of the same source: what rows are
    /// read for can depend on how they meet the target.
    pub fn reads_like(&self, other: &Self) -> bool {
        self.from.protocol.spec().carries == Carries::Bytes || self.mapping.sync.mode == other.mapping.sync.mode
    }

    /// What the pair promises.
    pub fn guarantee(&self) -> Guarantee {
        let target = self.to.protocol.guarantee(&self.write_request("", false));
        match self.resumption() {
            Resumption::Exact => target,
            // What comes again changes nothing where it has a key.
            // A mirror always reads everything, and comes to the same.
            _ if self.mapping.sync.mode == Mode::Mirror => target,
            Resumption::SliceStart if self.mapping.sync.mode.keyed() => target,
            Resumption::SliceStart | Resumption::Never => Guarantee::AtLeastOnce,
        }
    }

    fn read_request<'p>(
        &'p self,
        settled: &'p [(SliceId, Settled)],
        only: Option<(&'p SliceId, &'p Position)>,
    ) -> ReadRequest<'p> {
        ReadRequest {
            root: &self.root,
            connector: &self.from.connector,
            stream: &self.from.stream,
            format: self.from.format,
            mode: self.mapping.sync.mode,
            settled,
            only,
            window: None,
        }
    }

    fn write_request<'p>(&'p self, log_id: &'p str, anew: bool) -> WriteRequest<'p> {
        WriteRequest {
            root: &self.root,
            connector: &self.to.connector,
            stream: &self.to.stream,
            format: self.to.format,
            columns: &self.route.columns,
            key: &self.route.key,
            mode: self.mapping.sync.mode,
            anew,
            rehearse: false,
            log_id,
            route: self.name(),
        }
    }
}
