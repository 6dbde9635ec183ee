//! A pack as a protocol of the road: what `sync` sees of it.

use std::any::Any;
use std::sync::Arc;

use super::{Given, Pack, params};
use crate::config::{self, Carries, Mode, ProtocolSpec, StreamSpec};
use crate::connect::protocols::{Guarantee, Protocol, ReadRequest, Resumption, WriteRequest};
use crate::connect::web::Caller;
use crate::connect::{Decoder, Encoder, Sink, Source, reading, writing};
use crate::error::Result;

/// A pack as a protocol.
#[derive(Debug)]
pub struct PackProtocol {
    /// The pack.
    pub pack: &'static Pack,
    spec: std::sync::OnceLock<&'static ProtocolSpec>,
}

/// Makes the description of a pack.
pub(super) fn publish(pack: &'static Pack) -> &'static ProtocolSpec {
    let protocol: &'static PackProtocol = Box::leak(Box::new(PackProtocol { pack, spec: std::sync::OnceLock::new() }));
    let streams: Vec<StreamSpec> = pack
        .streams
        .iter()
        .map(|stream| StreamSpec {
            name: stream.name.clone(),
            about: stream.about.clone(),
            key: stream.key.clone(),
            fields: stream.fields.clone(),
            closed: !stream.open && !stream.fields.is_empty(),
            reads: stream.read.is_some(),
            modes: stream.modes(),
        })
        .collect();
    let mut modes: Vec<Mode> = Vec::new();
    for mode in streams.iter().flat_map(|stream| &stream.modes) {
        if !modes.contains(mode) {
            modes.push(*mode);
        }
    }
    let plugin: &'static (dyn Any + Send + Sync) = protocol;
    let spec: &'static ProtocolSpec = Box::leak(Box::new(ProtocolSpec {
        name: &pack.name,
        about: &pack.about,
        carries: Carries::Rows,
        reads: pack.streams.iter().any(|stream| stream.read.is_some()),
        modes: modes.leak(),
        options: [params::options(&pack.params), &[crate::connect::web::stand_in::OPTION]].concat().leak(),
        stream_options: &[],
        undeclared_stream: None,
        example: "",
        auth: pack.auth.options(),
        streams: streams.leak(),
        plugin: Some(plugin),
    }));
    protocol.spec.get_or_init(|| spec)
}

impl Protocol for PackProtocol {
    fn spec(&self) -> &'static ProtocolSpec {
        // Set before anybody can have the protocol.
        self.spec.get().copied().unwrap_or(&NOTHING)
    }

    fn calls(&self) -> bool {
        true
    }

    fn nests(&self) -> bool {
        true
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        reading::source(self.pack, request, self.caller(request.connector)?)
    }

    fn decoder(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Decoder>> {
        reading::decoder(self.pack, request)
    }

    fn resumption(&self, request: &ReadRequest<'_>) -> Resumption {
        reading::resumption(self.pack, request)
    }

    fn check_source(&self, request: &ReadRequest<'_>) -> Result<()> {
        reading::check(self.pack, request)
    }

    fn has_cursor(&self, stream: &config::Stream) -> bool {
        reading::has_cursor(self.pack, &stream.name)
    }

    fn guarantee(&self, request: &WriteRequest<'_>) -> Guarantee {
        writing::guarantee(self.pack, request)
    }

    fn refuses_records(&self) -> bool {
        true
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        writing::encoder(self.pack, request)
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        writing::sink(self.pack, request)
    }
}

impl PackProtocol {
    /// Who calls the system of a connector.
    fn caller(&self, connector: &config::Connector) -> Result<Caller> {
        Caller::open(Arc::new(Given::new(self.pack, connector.clone())))
    }
}

static NOTHING: ProtocolSpec = ProtocolSpec {
    name: "",
    about: "",
    carries: Carries::Rows,
    reads: false,
    modes: &[],
    options: &[],
    stream_options: &[],
    undeclared_stream: None,
    example: "",
    auth: &[],
    streams: &[],
    plugin: None,
};
