//! multipart/mixed as OData's `$batch` has it: requests in parts, answers in parts, change sets in parts
//! of their own (RFC 2046, section 5.1; OData 4.01 part 1, section 11.7.7).

use serde_json::{Map, Value as Json, json};

use crate::error::codes::connect::CALL_FAILED;
use crate::error::{Error, Kind, Result};

/// How deep parts stand in parts: a batch, a change set in it.
const DEEPEST: u32 = 3;

/// The body of a batch: its elements are requests. `change_set`: how many stand in one change set.
///
/// # Errors
/// If an element is no request.
pub(super) fn write(elements: &[Vec<u8>], change_set: usize, boundary: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut number = 0;
    for (at, set) in elements.chunks(change_set.max(1)).enumerate() {
        let inner = format!("{boundary}_set_{at}");
        line(&mut out, &format!("--{boundary}"));
        line(&mut out, &format!("Content-Type: multipart/mixed; boundary={inner}"));
        line(&mut out, "");
        for element in set {
            let request: Json = serde_json::from_slice(element).unwrap_or(Json::Null);
            let Some(path) = request["path"].as_str() else {
                return Err(Error::new(
                    Kind::Invalid,
                    &crate::error::codes::connect::PACK_INVALID,
                    "an element of an OData batch is a request with `method`, `path`, `headers`, `body`",
                ));
            };
            let method = request["method"].as_str().unwrap_or("POST");
            let body = match &request["body"] {
                Json::Null => String::new(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            line(&mut out, &format!("--{inner}"));
            line(&mut out, "Content-Type: application/http");
            line(&mut out, "Content-Transfer-Encoding: binary");
            line(&mut out, &format!("Content-ID: {number:08}"));
            line(&mut out, "");
            line(&mut out, &format!("{method} {} HTTP/1.1", path.replace(['\r', '\n', ' '], "%20")));
            if !body.is_empty() {
                line(&mut out, "Content-Type: application/json");
            }
            for (name, value) in request["headers"].as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                line(&mut out, &format!("{name}: {}", value.replace(['\r', '\n'], " ")));
            }
            line(&mut out, &format!("Content-Length: {}", body.len()));
            line(&mut out, "");
            line(&mut out, &body);
            number += 1;
        }
        line(&mut out, &format!("--{inner}--"));
    }
    line(&mut out, &format!("--{boundary}--"));
    Ok(out)
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The answers in a multipart body, those of change sets among them: `{id, status, headers, body}`.
///
/// # Errors
/// If it is not made of parts.
pub(super) fn read(content_type: &str, body: &[u8]) -> Result<Vec<Json>> {
    let mut found = Vec::new();
    gather(content_type, body, 0, &mut found)?;
    Ok(found)
}

fn gather(content_type: &str, body: &[u8], depth: u32, found: &mut Vec<Json>) -> Result<()> {
    let Some(boundary) = boundary(content_type).filter(|_| depth < DEEPEST) else {
        return Err(unreadable("it is not made of parts"));
    };
    let marker = format!("--{boundary}");
    let mut starts: Vec<usize> = memchr::memmem::find_iter(body, marker.as_bytes())
        .filter(|at| *at == 0 || body.get(at - 1) == Some(&b'\n'))
        .collect();
    let Some(last) = starts.pop() else { return Err(unreadable("its first part is missing")) };
    if body.get(last + marker.len()..last + marker.len() + 2) != Some(b"--") {
        return Err(unreadable("its last part is cut off"));
    }
    starts.push(last);
    for pair in starts.windows(2) {
        let part = body.get(pair[0] + marker.len()..pair[1]).unwrap_or_default();
        let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")).unwrap_or(part);
        let (headers, inside) = head(part);
        let kind = header(&headers, "content-type");
        if kind.starts_with("multipart/") {
            gather(&kind, inside, depth + 1, found)?;
            continue;
        }
        let end = inside.iter().position(|byte| *byte == b'\n').unwrap_or(inside.len());
        let (first, rest) = inside.split_at(end);
        let status = String::from_utf8_lossy(first);
        let status: u16 = status.split(' ').nth(1).and_then(|code| code.trim().parse().ok()).unwrap_or(0);
        let (inner, text) = head(rest.get(1..).unwrap_or_default());
        let text = String::from_utf8_lossy(text).trim().to_owned();
        let body = serde_json::from_str(&text).unwrap_or(if text.is_empty() { Json::Null } else { Json::from(text) });
        let id = match header(&inner, "content-id") {
            id if id.is_empty() => header(&headers, "content-id"),
            id => id,
        };
        let named: Map<String, Json> = inner.into_iter().map(|(name, value)| (name, Json::from(value))).collect();
        found.push(json!({ "id": id, "status": status, "headers": named, "body": body }));
    }
    Ok(())
}

/// Headers in lower case, and what comes after the empty line.
fn head(part: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let mut headers = Vec::new();
    let mut rest = part;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        match text.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned())),
            None => return (headers, rest),
        }
        if rest.is_empty() {
            return (headers, rest);
        }
    }
}

fn header(headers: &[(String, String)], name: &str) -> String {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn boundary(content_type: &str) -> Option<String> {
    let (_, after) = content_type.split_once("boundary=")?;
    let value = after.split(';').next()?.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

fn unreadable(cause: &str) -> Error {
    Error::new(Kind::Failed, &CALL_FAILED, format!("the answer cannot be read: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_parts_and_in_change_sets() {
        let text = "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
            --c\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{\"d\":{\"a\":1}}\r\n--c--\r\n\
            --b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\nno\r\n--b--\r\n";
        let found = read("multipart/mixed; boundary=b", text.as_bytes()).unwrap();
        let told: Vec<_> = found.iter().map(|part| (part["status"].clone(), part["body"].clone())).collect();
        assert_eq!(told, [(json!(201), json!({ "d": { "a": 1 } })), (json!(400), json!("no"))]);
        assert_eq!(found[0]["id"], "1");
    }

    #[test]
    fn what_is_cut_off_is_not_read_as_whole() {
        let text = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n--b--";
        assert_eq!(read("multipart/mixed; boundary=b", text.as_bytes()).unwrap().len(), 1);
        for end in 0..text.len() - 1 {
            assert!(read("multipart/mixed; boundary=b", &text.as_bytes()[..end]).is_err(), "{end}");
        }
        assert!(read("text/plain", b"x").is_err());
    }

    #[test]
    fn requests_are_written_with_the_line_ends_that_it_takes() {
        let element = br#"{"method":"PATCH","path":"A_B('x')","headers":{"If-Match":"*"},"body":{"a":1}}"#.to_vec();
        let body = write(&[element], 1, "b").unwrap();
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("\r\nPATCH A_B('x') HTTP/1.1\r\nContent-Type: application/json\r\nIf-Match: *\r\nContent-Length: 7\r\n\r\n{\"a\":1}\r\n"), "{text}");
        assert!(text.ends_with("--b_set_0--\r\n--b--\r\n") && !text.replace("\r\n", "").contains('\n'));
    }
}
