//! Whom a stream is read for: the elements of a list, or the records of another stream, which may itself be
//! read for the records of a third one.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::desk::{Desk, Vars};
use super::reel::{Out, Reel, Taken};
use super::sheet::{self, Form};
use super::source::{WAITING_KIB, out};
use super::stand::Stand;
use crate::connect::pack::each::Each;
use crate::error::codes::connect::{ANSWER_UNREADABLE, PACK_INVALID};
use crate::error::{Error, Kind, Result};

/// How many streams may be read for one another.
const DEPTH: usize = 8;

/// Whom a stream is read for, one after another.
pub(super) enum Kin {
    /// Elements of a list.
    List(VecDeque<Json>),
    /// Records of a stream: its pages, their form, records that wait.
    Stream(mpsc::Receiver<Result<Taken>>, Form, VecDeque<Json>),
}

impl Kin {
    /// Begins to find out whom the stream of a desk is read for.
    ///
    /// # Errors
    /// If there is no such stream, or the list has no value.
    pub(super) fn of(desk: &Arc<Desk>, each: &'static Each, handle: &Handle, depth: usize) -> Result<Self> {
        let unfit = |cause: String| Err(Error::new(Kind::Invalid, &PACK_INVALID, cause));
        if let Some(name) = &each.stream {
            let parent = desk.given.pack.stream(name).and_then(|stream| Some((stream, stream.read.as_ref()?)));
            let Some((stream, read)) = parent else {
                let of = &desk.stream.name;
                return unfit(format!("`{of}` is read for each of `{name}`, which is no stream that can be read"));
            };
            if depth == DEPTH {
                return unfit(format!("`{name}` is read for streams that are read for it in turn"));
            }
            let desk = Desk {
                caller: desk.caller.clone(),
                given: Arc::clone(&desk.given),
                stream,
                read,
                fields: stream.fields.iter().map(|field| field.name.clone()).collect(),
                parts: Vec::new(),
                input: desk.input.clone(),
                gone: false,
                keyed: true,
                trees: true,
                whole: true,
                now: desk.now,
                found: desk.found.clone(),
                auth: desk.auth.clone(),
                notes: Arc::clone(&desk.notes),
                hush: Arc::clone(&desk.hush),
                fetched: Mutex::default(),
            }
            .cut()?;
            let form = sheet::form_at(&desk);
            let desk = Arc::new(desk);
            let (parts, receiver) = mpsc::channel(4);
            let out = out(parts, WAITING_KIB / 4);
            let kin = read.each.as_ref().map(|each| Self::of(&desk, each, handle, depth + 1)).transpose()?;
            handle.spawn(whole(desk, kin, out));
            return Ok(Self::Stream(receiver, form, VecDeque::new()));
        }
        let Some(list) = &each.list else { return Ok(Self::List(VecDeque::new())) };
        Ok(Self::List(match desk.value(list, &Vars::default())? {
            Json::Array(items) => items.into(),
            Json::Null => VecDeque::new(),
            Json::String(one) => {
                one.split([',', '\n']).map(str::trim).filter(|one| !one.is_empty()).map(Json::from).collect()
            }
            one => VecDeque::from([one]),
        }))
    }

    /// The next one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) async fn next(&mut self) -> Result<Option<Json>> {
        match self {
            Self::List(items) => Ok(items.pop_front()),
            Self::Stream(parts, form, waiting) => loop {
                if let Some(next) = waiting.pop_front() {
                    return Ok(Some(next));
                }
                match parts.recv().await {
                    None => return Ok(None),
                    Some(taken) => waiting.extend(records(*form, &taken?.bytes)?),
                }
            },
        }
    }
}

/// Reads a stream whole: once, or once for each of its own kin, one after another.
fn whole(desk: Arc<Desk>, kin: Option<Kin>, out: Out) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let name = desk.stream.name.clone();
        let Some(mut kin) = kin else {
            Reel::new(desk, Json::Null, name, Stand::default()).run(&out).await;
            return;
        };
        let when = desk.read.each.as_ref().and_then(|each| each.when.as_ref());
        loop {
            let next = match kin.next().await {
                Ok(Some(next)) => next,
                Ok(None) => return,
                Err(error) => {
                    let _ = out.parts.send(Err(error)).await;
                    return;
                }
            };
            let vars = Vars { parent: next, ..Vars::default() };
            match when.map(|when| desk.holds(when, &vars)).transpose() {
                Ok(Some(false)) => continue,
                Ok(_) => {}
                Err(error) => {
                    let _ = out.parts.send(Err(error)).await;
                    return;
                }
            }
            Reel::new(Arc::clone(&desk), vars.parent, name.clone(), Stand::default()).run(&out).await;
            if out.parts.is_closed() {
                return;
            }
        }
    })
}

/// The records of a page as trees.
pub(super) fn records(form: Form, bytes: &[u8]) -> Result<Vec<Json>> {
    let text = match form {
        Form::Elements => [b"[", bytes, b"]"].concat(),
        Form::Lines => {
            let lines: Vec<&[u8]> =
                bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect();
            [b"[".to_vec(), lines.join(&b','), b"]".to_vec()].concat()
        }
        Form::AsIs => return Err(Error::bug("records of this form are nobody's parents")),
    };
    serde_json::from_slice(&text).map_err(|error| {
        Error::new(Kind::Failed, &ANSWER_UNREADABLE, "the records to read for are no JSON").caused_by(error)
    })
}
