//! A pack's stream as a target: records are encoded by the workers, cut into requests, sent side by side,
//! and each gets the outcome that the answer has for it.
//!
//! A group's records have each key once (the last version counts), and groups follow one another: never is
//! an older version of a record sent beside or after a newer one. What can be doubled (`create`, keys that
//! a request is known by, `on_unknown`) is kept with the group's intent ([`Sink::keeps_requests`]) and noted
//! as it is answered, so that after a crash only what is truly unknown is in doubt.

mod encoder;
mod fates;
mod group;
mod notes;
mod parts;
mod request;
mod sender;
mod shape;
mod sink;

use std::sync::Arc;

use crate::config::Mode;
use crate::connect::pack::doubt::OnUnknown;
use crate::connect::pack::streams::Stream;
use crate::connect::pack::write::{Way, Write};
use crate::connect::pack::{Given, Pack};
use crate::connect::protocols::{Guarantee, WriteRequest};
use crate::connect::{Encoder, Sink};
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Error, Kind, Result};

/// What a target promises of what is in doubt.
pub fn guarantee(pack: &'static Pack, request: &WriteRequest<'_>) -> Guarantee {
    let Ok((_, _, way)) = found(pack, request) else { return Guarantee::AtLeastOnce };
    match way.on_unknown {
        OnUnknown::Park => Guarantee::SetAside,
        OnUnknown::LookUp => Guarantee::LookedUp,
        OnUnknown::Resend if way.find.is_some() => Guarantee::LookedUp,
        OnUnknown::Resend if way.idempotency.is_some() => Guarantee::KnownRequests,
        OnUnknown::Resend if request.mode == Mode::Append => Guarantee::AtLeastOnce,
        OnUnknown::Resend => Guarantee::ByKey,
    }
}

/// The encoder of one worker.
///
/// # Errors
/// If the stream cannot be written so, or its columns have no form there.
pub fn encoder(pack: &'static Pack, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
    let (_, _, way) = found(pack, request)?;
    let given = Arc::new(Given::new(pack, request.connector.clone()));
    // Where records are looked for first, the ways that they take say how they are written.
    let stream = &request.stream.name;
    Ok(Box::new(encoder::RecordEncoder::new(given, stream, way, request.columns, request.key, request.mode)?))
}

/// The sink; nothing is opened yet.
///
/// # Errors
/// As for [`encoder`].
pub fn sink(pack: &'static Pack, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
    let (stream, write, way) = found(pack, request)?;
    let given = Arc::new(Given::new(pack, request.connector.clone()));
    Ok(Box::new(sink::WebSink::new(given, (stream, write, way), request)?))
}

fn found(pack: &'static Pack, request: &WriteRequest<'_>) -> Result<(&'static Stream, &'static Write, &'static Way)> {
    let name = &request.stream.name;
    let stream = pack.stream(name);
    let write = stream.and_then(|stream| stream.write.as_ref());
    let way = write.and_then(|write| write.way(request.mode));
    match (stream, write, way) {
        (Some(stream), Some(write), Some(way)) => Ok((stream, write, way)),
        _ => {
            let cause = format!("the pack `{}` cannot write `{name}` in the mode `{}`", pack.name, request.mode.name());
            Err(Error::new(Kind::Invalid, &PACK_INVALID, cause))
        }
    }
}
