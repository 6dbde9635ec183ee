//! What an answer says is wrong: the system's own code, its sentence, the field, the number its support
//! knows the call by. Looked for where they usually stand, unless the pack says where.
//!
//! A sentence may quote what was sent. Whatever stood in the request is taken out of it again, and so is
//! what looks like an address or a long number: messages hold no values of records.

use serde_json::Value as Json;

use super::wire::{Answer, Request};

/// Characters of a message that are shown.
const SHOWN: usize = 300;
/// Bytes of an answer that are looked through for tags and text.
const LOOKED: usize = 64 << 10;

/// What an answer says is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The system's own code.
    pub code: Option<String>,
    /// Its sentence, as it came: see [`harmless`].
    pub message: Option<String>,
    /// The field at fault.
    pub field: Option<String>,
    /// What its support knows the call by.
    pub request_id: Option<String>,
}

/// Headers that name the call.
const REQUEST_IDS: &[&str] = &[
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-ms-request-id",
    "x-ms-correlation-request-id",
    "x-correlation-id",
    "x-trace-id",
    "cf-ray",
];

/// What stands where it usually does.
pub fn told(answer: &Answer) -> Told {
    let body: Option<Json> = serde_json::from_slice(&answer.body).ok();
    let mut made = match &body {
        Some(body) => of_json(body, 0),
        None => of_text(answer),
    };
    for name in ["x-amzn-errortype", "x-amzn-query-error", "x-ms-error-code", "x-error-code"] {
        // `Code:more`, `Code;Sender`
        let code = answer.header(name).and_then(|text| text.split([':', ';']).next());
        made.code = made.code.or_else(|| code.map(str::to_owned));
    }
    let header = REQUEST_IDS.iter().find_map(|name| answer.header(name)).map(str::to_owned);
    made.request_id = header.or(made.request_id);
    made
}

/// What one part of an answer says is wrong: the body, or what stands for one record in it.
pub fn of_json(body: &Json, depth: u8) -> Told {
    if depth > 4 {
        return Told::default();
    }
    let below = |value: &Json| of_json(value, depth + 1);
    match body {
        Json::String(text) => Told { message: Some(text.clone()), ..Told::default() },
        Json::Array(items) => items.first().map(below).unwrap_or_default(),
        Json::Object(_) => {
            let mut made = Told {
                code: first(body, CODES).or_else(|| listed(body, CODES)),
                message: first(body, MESSAGES),
                field: first(body, FIELDS).or_else(|| listed(body, FIELDS)),
                request_id: first(
                    body,
                    &["request_id", "requestId", "RequestId", "request-id", "traceId", "CorrelationId"],
                ),
            };
            // AWS says the code with its namespace.
            if let Some(code) = &mut made.code
                && let Some((_, name)) = code.split_once('#')
            {
                *code = name.to_owned();
            }
            if let Some(extensions) = body.get("extensions") {
                made.code = made.code.or_else(|| first(extensions, CODES));
                made.request_id = made.request_id.or_else(|| first(extensions, &["requestId"]));
            }
            let inner = WRAPPERS.iter().find_map(|name| body.get(*name).filter(|inner| !empty(inner)));
            match inner {
                // OAuth 2: `error` is the code, the sentence stands beside it.
                Some(Json::String(text)) if made.message.as_ref().is_some_and(|message| message != text) => {
                    made.code = Some(made.code.unwrap_or_else(|| text.clone()));
                }
                Some(Json::String(text)) => made.message = Some(text.clone()),
                Some(Json::Object(fields)) if depth > 0 || !looks_like_error(fields) => {
                    // `{"email": ["is invalid"]}`
                    let inner = below(&Json::Object(fields.clone()));
                    if inner.message.is_some() || inner.code.is_some() {
                        made = inner.or(made);
                    } else if let Some((field, what)) = fields.iter().next() {
                        let inner = Told { field: Some(field.clone()), ..below(what) };
                        made = inner.or(made);
                    }
                }
                Some(inner) => made = below(inner).or(made),
                None => {}
            }
            made
        }
        _ => Told::default(),
    }
}

impl Told {
    /// What is not known here is taken from there.
    fn or(self, other: Self) -> Self {
        Self {
            code: self.code.or(other.code),
            message: self.message.or(other.message),
            field: self.field.or(other.field),
            request_id: self.request_id.or(other.request_id),
        }
    }
}

const CODES: &[&str] = &[
    "__type",
    "errorCode",
    "error_code",
    "code",
    "Code",
    "statusCode",
    "scimType",
    "error_type",
    "type",
    "reason",
    "status",
];
const MESSAGES: &[&str] = &[
    "message",
    "Message",
    "error_description",
    "error_message",
    "errorMessage",
    "detail",
    "Detail",
    "diagnostics",
    "description",
    "title",
    "msg",
    "value",
    "text",
    "faultstring",
];
const FIELDS: &[&str] = &[
    "field",
    "param",
    "target",
    "fields",
    "expression",
    "pointer",
    "path",
    "property",
    "propertyName",
    "location",
    "element",
];
/// Where an error, or a list of them, stands inside of something.
const WRAPPERS: &[&str] = &[
    "error",
    "errors",
    "Error",
    "Errors",
    "Fault",
    "fault",
    "issue",
    "errorMessages",
    "userErrors",
    "details",
    "message",
    "source",
];

fn empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

fn looks_like_error(fields: &serde_json::Map<String, Json>) -> bool {
    let known = |key: &str| MESSAGES.contains(&key) || CODES.contains(&key);
    fields.iter().any(|(key, value)| known(key) && !value.is_array())
}

/// The first of these that holds a list of texts: its first.
fn listed(body: &Json, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| Some(body.get(*name)?.as_array()?.first()?.as_str()?.to_owned()))
}

/// The first of these that holds text or a number.
fn first(body: &Json, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match body.get(*name)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// XML by its tags, plain text by its first line, a page by its title.
fn of_text(answer: &Answer) -> Told {
    let bytes = answer.body.get(..answer.body.len().min(LOOKED)).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    let tag = |names: &[&str]| names.iter().find_map(|name| element(&text, name));
    if text.trim_start().starts_with('<') {
        let made = Told {
            code: tag(&["Code", "faultcode", "Value", "errorcode"]),
            message: tag(&["Message", "faultstring", "Text", "message", "errormessage", "title"]),
            field: None,
            request_id: tag(&["RequestId", "RequestID"]),
        };
        return made;
    }
    let line = text.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned());
    Told { message: line.filter(|line| !line.chars().any(char::is_control)), ..Told::default() }
}

/// The text of the first element of that local name, if it has nothing but text.
fn element(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let before = text[..at].chars().next_back()?;
        if !(before == '<' || before == ':') {
            return None;
        }
        let rest = &text[at + name.len()..];
        let open = rest.find('>')?;
        if !(open == 0 || rest.starts_with(char::is_whitespace)) || rest[..open].ends_with('/') {
            return None;
        }
        let inside = &rest[open + 1..];
        let end = inside.find('<')?;
        let inside = inside[..end].trim();
        (!inside.is_empty() && rest[open + 1 + end..].starts_with("</")).then(|| inside.to_owned())
    })
}

/// A sentence of another system, fit to be shown: on one line, not too long, and without anything that
/// stood in the request or looks like an address or a long number.
pub fn harmless(text: &str, request: Option<&Request>, secrets: &Json) -> String {
    let mut sent = Vec::new();
    if let Some(request) = request {
        if let Ok(body) = serde_json::from_slice(&request.body) {
            leaves(&body, &mut sent);
        } else if request.body.len() <= LOOKED {
            sent.extend(url::form_urlencoded::parse(&request.body).map(|(_, value)| value.into_owned()));
        }
        sent.extend(request.url.query_pairs().map(|(_, value)| value.into_owned()));
        sent.extend(request.url.path_segments().into_iter().flatten().filter(|one| is_value(one)).map(str::to_owned));
    }
    leaves(secrets, &mut sent);
    let mut made: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN * 4).collect();
    // The longest first: one may be part of another.
    sent.retain(|value| value.chars().count() >= 4 && made.contains(value.as_str()));
    sent.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in &sent {
        made = made.replace(value.as_str(), "…");
    }
    let words: Vec<String> = made
        .split_whitespace()
        .map(|word| {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            if word.contains('@') || digits >= 6 { "…".to_owned() } else { word.to_owned() }
        })
        .collect();
    let made = words.join(" ");
    match made.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &made[..end]),
        None => made,
    }
}

/// Whether a segment of a path is rather a value than a word: it is not shown.
pub fn is_value(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    segment.contains(['@', '%', '=', ':']) || segment.len() > 40 || (digits >= 3 && !version(segment))
}

/// `v1.0`, `2026-01`, `20210101`: not somebody's.
fn version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or(segment);
    rest.len() <= 10
        && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && rest.contains(['.', '-'])
}

/// Method, host and path of a request, values in the path left out.
pub fn place(request: &Request) -> String {
    let path: Vec<&str> = request.url.path().split('/').map(|one| if is_value(one) { "…" } else { one }).collect();
    format!("{} {}{}", request.method, request.url.host_str().unwrap_or_default(), path.join("/"))
}

fn leaves(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Number(number) => out.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, out)),
        Json::Object(fields) => fields.values().for_each(|item| leaves(item, out)),
        Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn answer(body: &str) -> Answer {
        let headers = [("request-id", "req_1")];
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Answer { status: 400, headers, body: body.as_bytes().to_vec().into(), took: Duration::ZERO }
    }

    #[test]
    fn errors_are_found_where_they_usually_stand() {
        let check = |body: &str, code: &str, message: &str, field: &str| {
            let made = told(&answer(body));
            let text = |of: &Option<String>| of.clone().unwrap_or_default();
            assert_eq!(
                (text(&made.code), text(&made.message), text(&made.field)),
                (code.into(), message.into(), field.into()),
                "{body}"
            );
            assert_eq!(made.request_id.as_deref(), Some("req_1"));
        };
        // Stripe, OpenAI
        check(
            r#"{"error":{"code":"resource_missing","message":"No such customer","param":"customer","type":"invalid_request_error"}}"#,
            "resource_missing",
            "No such customer",
            "customer",
        );
        // GraphQL: a sentence and no code.
        check(r#"{"errors":[{"message":"Cannot query field 'x'"}]}"#, "", "Cannot query field 'x'", "");
        // Salesforce
        check(
            r#"[{"message":"Required fields are missing","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]"#,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing",
            "LastName",
        );
        // OData
        check(
            r#"{"error":{"code":"0x80040217","message":"It does not exist","innererror":{}}}"#,
            "0x80040217",
            "It does not exist",
            "",
        );
        check(
            r#"{"error":{"code":"005056","message":{"lang":"en","value":"No authorization"}}}"#,
            "005056",
            "No authorization",
            "",
        );
        // GraphQL
        check(
            r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}"#,
            "THROTTLED",
            "Throttled",
            "",
        );
        // FHIR
        check(
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"Unknown search parameter","expression":["Patient.name"]}]}"#,
            "invalid",
            "Unknown search parameter",
            "Patient.name",
        );
        // RFC 9457
        check(
            r#"{"type":"https://example.com/probs/out","title":"Out of credit","detail":"Not enough","status":403}"#,
            "https://example.com/probs/out",
            "Not enough",
            "",
        );
        // OAuth 2
        check(
            r#"{"error":"invalid_grant","error_description":"The code is used up"}"#,
            "invalid_grant",
            "The code is used up",
            "",
        );
        // AWS
        check(r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"Gone"}"#, "QueueDoesNotExist", "Gone", "");
        check(
            "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>Not there</Message><RequestId>x</RequestId></Error>",
            "NoSuchKey",
            "Not there",
            "",
        );
        // SOAP
        check(
            "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Bad</faultstring></s:Fault></s:Body></s:Envelope>",
            "s:Client",
            "Bad",
            "",
        );
        // Shopify REST
        check(r#"{"errors":{"title":["can't be blank"]}}"#, "", "can't be blank", "title");
        check(r#"{"errors":"Not Found"}"#, "", "Not Found", "");
        check("Bad Gateway\nmore", "", "Bad Gateway", "");
        for hostile in [
            "",
            "[]",
            "{}",
            "[[[[[[[[[]]]]]]]]]",
            "{\"error\":{\"error\":{\"error\":{\"error\":{\"error\":{\"error\":1}}}}}}",
            "<",
            "<Code",
            "<Code>",
            "<a:Code/>",
            "\u{0}\u{1}",
            "{\"error\":null}",
        ] {
            assert_eq!(told(&answer(hostile)).message, None, "{hostile}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let request = Request {
            method: reqwest::Method::POST,
            url: url::Url::parse("https://api.example/v1/people/ada@example.org?q=Lovelace").unwrap(),
            headers: Default::default(),
            body: br#"{"name":"Ada King","card":4111111111111111}"#.to_vec().into(),
            timeout: None,
        };
        let secrets = serde_json::json!({ "key": "sk_live_canary" });
        let check = |text: &str, wanted: &str| assert_eq!(harmless(text, Some(&request), &secrets), wanted);
        check("Duplicate: Ada King exists", "Duplicate: … exists");
        check("no card 4111111111111111", "no card …");
        check("mail somebody@example.org is taken", "mail … is taken");
        check("key sk_live_canary is wrong\n\u{7}at Lovelace", "key … is wrong at …");
        check("order 1234567 not found", "order … not found");
        assert!(harmless(&"x ".repeat(9999), None, &secrets).chars().count() <= SHOWN + 1);
        assert_eq!(place(&request), "POST api.example/v1/people/…");
    }
}
