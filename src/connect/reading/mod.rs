//! Reading a pack's stream: from what the pack says under `read` to parts of the road.
//!
//! A [`Reel`](reel) reads one sequence: windows of the cursor (`spans`), parts of a job, pages (`paging`).
//! `turn` finds the next page, `pieces` cuts one that comes by lines, `skim` finds the records in JSON
//! without building them, `sheet` makes them what the decoder of a worker takes, `pick` follows the cursor
//! through them, `joined` puts fields together that were asked for in parts. `stand` is the position. `source` puts sequences
//! (one, or one for each parent) behind one another for the road, with pages read ahead.

mod bounds;
mod desk;
mod families;
mod jobs;
mod joined;
mod kin;
mod listing;
mod paging;
mod pick;
mod pieces;
mod receipts;
mod reel;
mod sheet;
mod skim;
mod source;
mod spans;
mod stand;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

pub use self::listing::listing;

use self::desk::{Desk, Vars};
use self::stand::Stand;
use super::hush::Hush;
use super::pack::read::Read;
use super::pack::streams::Stream;
use super::pack::{Given, Pack};
use super::protocols::{ReadRequest, Resumption};
use super::runtime::Runtime;
use super::web::Caller;
use super::{Decoder, Source};
use crate::config::Mode;
use crate::error::codes::connect::{CURSOR_UNFIT, PACK_INVALID};
use crate::error::codes::sync::DOUBT;
use crate::error::{Error, Kind, Result};
use crate::record::Timestamp;

/// Opens a pack's stream. Asks nothing yet but what the pack has to find out first.
///
/// # Errors
/// If the stream cannot be read, or not so.
pub fn source(pack: &'static Pack, request: &ReadRequest<'_>, caller: Caller) -> Result<Box<dyn Source>> {
    let runtime = Runtime::start("consign-web")?;
    let desk = desk(pack, request, caller, &runtime)?;
    let only = match request.only {
        // What a queue gave is not given again on demand.
        Some(_) if desk.read.acknowledge.is_some() => {
            let cause =
                format!("`{}` cannot be read again: what is not acknowledged comes by itself", desk.stream.name);
            return Err(Error::new(Kind::Partial, &DOUBT, cause));
        }
        Some((slice, position)) => Some((slice.clone(), Stand::of(position, &desk.hush)?.unwrap_or_default())),
        None => None,
    };
    Ok(Box::new(source::Reading::new(desk, runtime, request.settled, only, request.window.cloned())))
}

/// The decoder of one worker.
///
/// # Errors
/// If the stream cannot be read.
pub fn decoder(pack: &'static Pack, request: &ReadRequest<'_>) -> Result<Box<dyn Decoder>> {
    let (_, read, gone) = chosen(pack, &request.stream.name, request.mode)?;
    sheet::decoder(read, gone)
}

/// How the stream comes back to where it was.
pub fn resumption(pack: &'static Pack, request: &ReadRequest<'_>) -> Resumption {
    match chosen(pack, &request.stream.name, request.mode) {
        Ok((_, read, _))
            if reel::exact(read, request.mode.keyed()) && read.each.as_ref().is_none_or(|_| read.cursor.is_some()) =>
        {
            Resumption::Exact
        }
        _ => Resumption::SliceStart,
    }
}

/// Whether `--since` and `--until` can bound the stream.
pub fn has_cursor(pack: &'static Pack, stream: &str) -> bool {
    chosen(pack, stream, Mode::Upsert)
        .is_ok_and(|(_, read, _)| read.cursor.as_ref().is_some_and(|cursor| cursor.field.is_some()))
}

/// Whether the stream makes sense for reading in this mode.
///
/// # Errors
/// What contradicts what.
pub fn check(pack: &'static Pack, request: &ReadRequest<'_>) -> Result<()> {
    let (stream, read, _) = chosen(pack, &request.stream.name, request.mode)?;
    let unfit = |cause: String| Error::new(Kind::Invalid, &CURSOR_UNFIT, cause).at(request.stream.place.clone());
    if let Some(cursor) = &read.cursor
        && cursor.overlap > 0
        && !request.mode.keyed()
    {
        return Err(unfit(format!(
            "`{}` goes back behind where it ended, and a route that appends would add those records again",
            stream.name
        ))
        .hint("use `mode: upsert` with a key"));
    }
    if read.acknowledge.is_some() && request.mode == Mode::Mirror {
        return Err(unfit(format!("`{}` gives each record once, and a mirror needs all there are", stream.name)));
    }
    if request.window.is_some() {
        match request.mode {
            Mode::Mirror => {
                return Err(unfit(
                    "a mirror needs the whole source: what lies outside of the bounds would be deleted".into(),
                ));
            }
            Mode::Append => {
                return Err(unfit("a route that appends would add the records between the bounds again".into()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where a position stands, as people write it: `value`.
pub fn shown(extra: &Json) -> Json {
    let at = &extra["web"]["at"];
    match at.get("sealed") {
        Some(_) => serde_json::json!({ "value": "(an address that carries its own permission, sealed)" }),
        None => serde_json::json!({ "value": at }),
    }
}

/// The stream that is read, and whether it is read for what is gone.
fn chosen(pack: &'static Pack, name: &str, mode: Mode) -> Result<(&'static Stream, &'static Read, bool)> {
    let missing = |name: &str| {
        let cause = format!("the stream `{name}` of the pack `{}` cannot be read", pack.name);
        Error::new(Kind::Invalid, &PACK_INVALID, cause)
    };
    let stream = pack.stream(name).ok_or_else(|| missing(name))?;
    let read = stream.read.as_ref().ok_or_else(|| missing(name))?;
    match (&read.deletes, mode) {
        (Some(deletes), Mode::Delete) => match &deletes.stream {
            Some(other) => {
                let stream = pack.stream(other).ok_or_else(|| missing(other))?;
                Ok((stream, stream.read.as_ref().ok_or_else(|| missing(other))?, false))
            }
            None if deletes.when.is_some() || deletes.records.is_some() => Ok((stream, read, true)),
            None => Ok((stream, read, false)),
        },
        _ => Ok((stream, read, false)),
    }
}

fn desk(pack: &'static Pack, request: &ReadRequest<'_>, caller: Caller, runtime: &Runtime) -> Result<Arc<Desk>> {
    check(pack, request)?;
    let (stream, read, gone) = chosen(pack, &request.stream.name, request.mode)?;
    let given = Arc::clone(&caller.given);
    let now = caller.wire().now();
    let now =
        Timestamp { seconds: now.as_second(), nanos: u32::try_from(now.subsec_nanosecond()).unwrap_or(0), offset: 0 };
    let auth = runtime.run(caller.auth())?;
    // Another stream is one that this one is read for each record of.
    let wanted = if request.stream.name == stream.name { &request.stream.fields } else { &stream.fields };
    let fields = wanted.iter().map(|field| field.name.clone()).collect();
    let hush = Arc::new(Hush::new(&given, &stream.name));
    let mut desk = Desk {
        caller,
        given,
        stream,
        read,
        fields,
        parts: Vec::new(),
        input: Json::Null,
        gone,
        keyed: request.mode.keyed(),
        trees: false,
        whole: request.mode == Mode::Mirror,
        now,
        found: Json::Null,
        auth,
        notes: Arc::default(),
        hush,
        fetched: Mutex::default(),
    };
    desk.found = found(&desk, runtime)?;
    desk.cut().map(Arc::new)
}

/// What the pack's `discover` requests find: asked once in a process for each connector.
fn found(desk: &Desk, runtime: &Runtime) -> Result<Json> {
    static KNOWN: Mutex<BTreeMap<String, Json>> = Mutex::new(BTreeMap::new());
    let Given { pack, connector, .. } = &*desk.given;
    if pack.discover.is_empty() {
        return Ok(Json::Null);
    }
    // Two connectors of one name are of two projects: what they are given tells them apart.
    let name = format!("{}\n{}\n{}", pack.name, connector.name, desk.given.params());
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return Ok(known.clone());
    }
    let mut all = serde_json::Map::new();
    for discovery in &pack.discover {
        let vars = Vars::default();
        let mut draft = desk.draft(&discovery.request, &vars, format!("finding out `{}`", discovery.name))?;
        draft.purpose.bare = !discovery.sign_in;
        let answer = runtime.run(desk.call(draft)).map_err(|failure| failure.error)?;
        let vars = Vars { answer: desk::shown_whole(&answer), ..vars };
        let value = match &discovery.value {
            Some(value) => desk.value(value, &vars)?,
            None => vars.answer["body"].clone(),
        };
        all.insert(discovery.name.clone(), value);
    }
    let found = Json::Object(all);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(name, found.clone());
    Ok(found)
}
