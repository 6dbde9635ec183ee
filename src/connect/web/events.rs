//! Answers that are streams of events, as a list: whoever reads an answer, a rule of the pack, a stream, an
//! operation, then finds what happened in order. Server-sent events (the HTML standard, section 9.2) and the
//! frames of AWS (`application/vnd.amazon.eventstream`).
//!
//! Each element is `{ event, id, data }`: what kind it is, its number if it has one, and what it says: JSON as a
//! tree, anything else as text. Frames have their other headers beside these, and `event` is `exception` or
//! `error` where the sender failed in the middle: with a good status, long after it was sent.

use bytes::Bytes;
use data_encoding::BASE64;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value as Json};

use super::wire::{Answer, Unanswered};

/// The same answer, its events as a list of JSON; any other as it is.
///
/// # Errors
/// If a frame is damaged or cut off.
pub fn listed(mut answer: Answer) -> Result<Answer, Unanswered> {
    let said = answer.header("content-type").unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    let events = if kind.eq_ignore_ascii_case("text/event-stream") {
        sent(&String::from_utf8_lossy(&answer.body))
    } else if kind.eq_ignore_ascii_case("application/vnd.amazon.eventstream") {
        frames(&answer.body).ok_or_else(|| Unanswered {
            cause: "its events are damaged or cut off".to_owned(),
            sent: true,
            temporary: true,
        })?
    } else {
        return Ok(answer);
    };
    answer.body = Bytes::from(Json::Array(events).to_string());
    answer.headers.remove(CONTENT_LENGTH);
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// What is JSON as a tree, anything else as text.
fn data(text: String) -> Json {
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}

/// Server-sent events. One that the end of the answer ends, and no blank line, counts: the answer is whole, and
/// what it said last is often what matters most.
fn sent(text: &str) -> Vec<Json> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Vec::new();
    let (mut event, mut lines, mut id) = ("", Vec::new(), None::<&str>);
    // A line ends with `\r\n`, `\n` or `\r`: between the first two stands an empty piece, which is no blank line.
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    for line in unified.split('\n').chain([""]) {
        if line.is_empty() {
            if !lines.is_empty() {
                let mut made = Map::new();
                made.insert("event".into(), Json::from(if event.is_empty() { "message" } else { event }));
                if let Some(id) = id {
                    made.insert("id".into(), Json::from(id));
                }
                made.insert("data".into(), data(lines.join("\n")));
                events.push(Json::Object(made));
            }
            (event, lines) = ("", Vec::new());
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => event = value,
            "data" => lines.push(value),
            // It holds for those after it, too.
            "id" if !value.contains('\0') => id = Some(value).filter(|id| !id.is_empty()),
            _ => {}
        }
    }
    events
}

/// Frames: lengths, a sum over them, headers, what it says, a sum over all of it.
fn frames(mut bytes: &[u8]) -> Option<Vec<Json>> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let whole = number(bytes.get(..4)?)? as usize;
        let headers = number(bytes.get(4..8)?)? as usize;
        let frame = bytes.get(..whole)?;
        let end = whole.checked_sub(4)?;
        if sum(frame.get(..8)?) != number(frame.get(8..12)?)? || sum(&frame[..end]) != number(&frame[end..])? {
            return None;
        }
        let mut made = Map::new();
        read_headers(frame.get(12..12 + headers)?, &mut made)?;
        let says = frame.get(12 + headers..end)?;
        let text = std::str::from_utf8(says).map(str::to_owned);
        let mut take = |name: &str| made.shift_remove(name);
        let kinds = (take(":message-type"), take(":event-type"), take(":exception-type"), take(":error-code"));
        let (event, named) = match kinds {
            (Some(kind), _, Some(code), _) | (Some(kind), _, None, Some(code)) => (kind, Some(code)),
            (_, Some(event), ..) => (event, None),
            _ => (Json::from("message"), None),
        };
        made.insert("event".into(), event);
        if let Some(code) = named {
            made.insert("code".into(), code);
        }
        made.insert("data".into(), text.map_or_else(|_| Json::from(BASE64.encode(says)), data));
        events.push(Json::Object(made));
        bytes = &bytes[whole..];
    }
    Some(events)
}

/// The headers of a frame: name, kind, value.
fn read_headers(mut bytes: &[u8], into: &mut Map<String, Json>) -> Option<()> {
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let long = |rest: &[u8]| Some(2 + usize::from(u16::from_be_bytes(*rest.first_chunk()?)));
        let size = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 | 7 => long(rest)?,
            9 => 16,
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(size)?;
        let value = match kind {
            0 | 1 => Json::from(*kind == 0),
            2..=5 | 8 => {
                // Two's complement, of as many bytes as there are.
                let negative = value.first().is_some_and(|first| first & 0x80 != 0);
                Json::from(value.iter().fold(if negative { -1_i64 } else { 0 }, |n, byte| (n << 8) | i64::from(*byte)))
            }
            7 => Json::from(std::str::from_utf8(value.get(2..)?).ok()?),
            6 => Json::from(BASE64.encode(value.get(2..)?)),
            _ => Json::from(data_encoding::HEXLOWER.encode(value)),
        };
        into.insert(String::from_utf8_lossy(name).into_owned(), value);
        bytes = rest;
    }
    Some(())
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// CRC-32 as gzip has it.
fn sum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn list(kind: &'static str, body: &[u8]) -> Result<Json, Unanswered> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let body = Bytes::copy_from_slice(body);
        let answer = listed(Answer { status: 200, headers, body, took: Duration::ZERO })?;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        Ok(serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn server_sent_events_are_a_list() {
        let check = |body: &str, wanted: Json| {
            assert_eq!(list("text/event-stream; charset=utf-8", body.as_bytes()).unwrap(), wanted, "{body:?}");
        };
        check("", json!([]));
        check(
            "data: {\"a\":1}\n\ndata: [DONE]\n\n",
            json!([{ "event": "message", "data": { "a": 1 } }, { "event": "message", "data": "[DONE]" }]),
        );
        check(
            "\u{feff}: a comment\r\nevent: delta\r\nid: 7\r\ndata: one\r\ndata:two\r\n\r\nretry: 5\r\n\r\nevent: end\rdata\r\r",
            json!([{ "event": "delta", "id": "7", "data": "one\ntwo" }, { "event": "end", "id": "7", "data": "" }]),
        );
        // The last one is ended by the end.
        check(
            "data: x\n\nevent: usage\ndata: {\"n\":2}",
            json!([{ "event": "message", "data": "x" }, { "event": "usage", "data": { "n": 2 } }]),
        );
    }

    /// Text headers and what it says.
    fn frame(headers: &[(&str, &str)], says: &[u8]) -> Vec<u8> {
        let mut named = Vec::new();
        for (name, value) in headers {
            named.push(name.len() as u8);
            named.extend_from_slice(name.as_bytes());
            named.push(7);
            named.extend_from_slice(&(value.len() as u16).to_be_bytes());
            named.extend_from_slice(value.as_bytes());
        }
        let mut made = ((16 + named.len() + says.len()) as u32).to_be_bytes().to_vec();
        made.extend_from_slice(&(named.len() as u32).to_be_bytes());
        made.extend_from_slice(&sum(&made).to_be_bytes());
        made.extend_from_slice(&named);
        made.extend_from_slice(says);
        made.extend_from_slice(&sum(&made).to_be_bytes());
        made
    }

    #[test]
    fn frames_are_a_list_and_late_exceptions_are_among_them() {
        const KIND: &str = "application/vnd.amazon.eventstream";
        let good = frame(
            &[(":event-type", "chunk"), (":message-type", "event"), (":content-type", "application/json")],
            br#"{"bytes":"aGk="}"#,
        );
        let late = frame(
            &[(":exception-type", "modelStreamErrorException"), (":message-type", "exception")],
            br#"{"message":"broke"}"#,
        );
        let both = [good.clone(), late].concat();
        assert_eq!(
            list(KIND, &both).unwrap(),
            json!([
                { "event": "chunk", ":content-type": "application/json", "data": { "bytes": "aGk=" } },
                { "event": "exception", "code": "modelStreamErrorException", "data": { "message": "broke" } },
            ])
        );
        assert_eq!(list(KIND, b"").unwrap(), json!([]));
        // What is cut off or changed is no answer.
        for cut in 1..good.len() {
            assert!(list(KIND, &good[..cut]).is_err(), "{cut}");
            let mut other = good.clone();
            other[cut] ^= 1;
            assert!(list(KIND, &other).is_err(), "{cut}");
        }
    }

    /// The example of an empty message in the documentation of the format: the smallest frame there is.
    #[test]
    fn the_smallest_frame_has_the_published_sums() {
        let bytes = [0, 0, 0, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
        assert_eq!(
            list("application/vnd.amazon.eventstream", &bytes).unwrap(),
            json!([{ "event": "message", "data": "" }])
        );
    }
}
