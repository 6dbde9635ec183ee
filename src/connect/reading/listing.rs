//! What an operation lists, page after page: read as a stream is, and given back as a whole.

use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::desk::Desk;
use super::kin::records;
use super::reel::Reel;
use super::sheet;
use super::source::{WAITING_KIB, out};
use super::stand::Stand;
use crate::connect::hush::Hush;
use crate::connect::pack::streams::Stream;
use crate::connect::web::Caller;
use crate::error::{Error, Result};
use crate::record::Timestamp;

/// Everything that a list has.
///
/// # Errors
/// If a page cannot be read, or the list does not end as the pack says it does.
pub async fn listing(caller: &Caller, stream: &'static Stream, input: &Json) -> Result<Vec<Json>> {
    let read = stream.read.as_ref().ok_or_else(|| Error::bug("a list that cannot be read"))?;
    let now = caller.wire().now();
    let desk = Desk {
        caller: caller.clone(),
        given: Arc::clone(&caller.given),
        stream,
        read,
        fields: Vec::new(),
        parts: Vec::new(),
        input: input.clone(),
        gone: false,
        keyed: true,
        trees: true,
        whole: true,
        now: Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 },
        found: Json::Null,
        auth: caller.auth().await?,
        notes: Arc::default(),
        hush: Arc::new(Hush::new(&caller.given, &stream.name)),
        fetched: Mutex::default(),
    };
    let desk = desk.cut()?;
    let form = sheet::form_at(&desk);
    let (parts, mut arrived) = mpsc::channel(4);
    let out = out(parts, WAITING_KIB);
    let reel = Reel::new(Arc::new(desk), Json::Null, stream.name.clone(), Stand::default());
    let reading = async move {
        reel.run(&out).await;
    };
    let taking = async move {
        let mut all = Vec::new();
        while let Some(taken) = arrived.recv().await {
            all.append(&mut records(form, &taken?.bytes)?);
        }
        Ok(all)
    };
    tokio::join!(reading, taking).1
}
