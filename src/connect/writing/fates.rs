//! What an answer says of each record that was sent.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::group::{Group, within};
use super::parts;
use crate::connect::pack::faults::Class;
use crate::connect::pack::outcome::{Format, Outcome, Pair, Unmentioned};
use crate::connect::pack::template::to_json;
use crate::connect::pack::{Name, Scope};
use crate::connect::web::Answer;
use crate::error::codes::connect::CALL_FAILED;
use crate::error::{Error, Kind, Result};
use crate::record::json::from_json;
use crate::record::{Arena, Path, Value};

/// Most characters of what the other side says that are kept.
const MOST_TOLD: usize = 300;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// It took effect.
    Written,
    /// It stood there just so.
    Unchanged,
    /// There was none of its key.
    Unmatched,
    /// It is refused.
    Refused(Told),
    /// Nobody knows.
    Doubt(Told),
    /// It was not taken this time.
    Again(Told),
    /// It has to be sent alone.
    Alone(Told),
    /// Somebody else changed it meanwhile.
    Conflict(Told),
}

/// Why, without values. In a box: nearly all fates are good ones, and there is one for each record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told(Box<Why>);

/// Why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Why {
    pub cause: String,
    pub field: Option<String>,
}

impl Told {
    pub fn new(cause: impl Into<String>) -> Self {
        Self::of(cause.into(), None)
    }

    /// Of a field.
    pub fn of(cause: String, field: Option<String>) -> Self {
        Self(Box::new(Why { cause, field }))
    }

    /// The sentence.
    pub fn cause(&self) -> &str {
        &self.0.cause
    }

    /// The sentence, and the field that it is of.
    pub fn taken(self) -> (String, Option<String>) {
        (self.0.cause, self.0.field)
    }
}

/// What outcomes are judged by.
pub(super) struct Judge<'j> {
    pub outcome: &'static Outcome,
    pub group: &'j Group,
    /// The records of the request, in the order in which they stand in it.
    pub records: &'j [u32],
    /// What a record is known by.
    pub key: &'j [Path],
    /// Names of the columns of CSV.
    pub header: &'j [String],
    pub delimiter: u8,
}

impl Judge<'_> {
    /// The fates of the records; `None`: the answer does not mention it.
    ///
    /// # Errors
    /// If the answer cannot be read: then nobody knows.
    pub fn fates(&self, answer: &Answer, scope: &Scope<'_>) -> Result<Vec<Option<Fate>>> {
        let mut fates: Vec<Option<Fate>> = vec![None; self.records.len()];
        let Some(items) = &self.outcome.items else {
            let good =
                self.outcome.good.is_some() || self.outcome.unchanged.is_some() || self.outcome.unmatched.is_some();
            let fate = match good {
                false => Fate::Written,
                true => {
                    let body = self.body(answer)?;
                    let item = from_json(&body, scope.arena());
                    let seen = from_json(&answer_value(answer, body), scope.arena());
                    self.fate(&scope.with(Name::Answer, seen).with(Name::Item, item), 0)?
                }
            };
            fates.fill(Some(fate));
            return Ok(fates);
        };
        let body = answer_value(answer, self.body(answer)?);
        let scope = scope.with(Name::Answer, from_json(&body, scope.arena()));
        let mut pairing = Pairing::new(self);
        match items.value(&scope)? {
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.take(&scope.with(Name::Item, *item), None, at, &mut pairing, &mut fates)?;
                }
            }
            Value::Map(entries) => {
                for (at, (name, item)) in entries.iter().enumerate() {
                    self.take(&scope.with(Name::Item, *item), Some(name), at, &mut pairing, &mut fates)?;
                }
            }
            Value::Missing | Value::Null => {}
            other => return Err(unreadable(&format!("its outcomes are {}, not a list", other.type_name()))),
        }
        Ok(fates)
    }

    /// What holds for a record that no outcome is of.
    pub fn unmentioned(&self) -> Fate {
        let told = Told::new("the answer does not mention the record");
        match self.outcome.unmentioned {
            Unmentioned::Good => Fate::Written,
            Unmentioned::Reject => Fate::Refused(told),
            Unmentioned::Doubt => Fate::Doubt(told),
        }
    }

    fn body(&self, answer: &Answer) -> Result<Json> {
        let bytes: &[u8] = &answer.body;
        Ok(match self.outcome.format {
            Format::Json if bytes.iter().all(u8::is_ascii_whitespace) => Json::Null,
            Format::Json => serde_json::from_slice(bytes).map_err(|_| unreadable("it is no JSON"))?,
            Format::Ndjson => {
                let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
                let lines = lines.map(|line| serde_json::from_slice(line).map_err(|_| unreadable("a line is no JSON")));
                Json::Array(lines.collect::<Result<_>>()?)
            }
            Format::Csv => {
                let mut reader = csv::ReaderBuilder::new().delimiter(self.delimiter).flexible(true).from_reader(bytes);
                let names = reader.headers().map_err(|_| unreadable("it is no CSV"))?.clone();
                let mut rows = Vec::new();
                for row in reader.records() {
                    let row = row.map_err(|_| unreadable("it is no CSV"))?;
                    let row = names.iter().zip(row.iter()).map(|(name, value)| (name.to_owned(), Json::from(value)));
                    rows.push(Json::Object(row.collect()));
                }
                Json::Array(rows)
            }
            Format::Parts => Json::Array(parts::read(answer.header("content-type").unwrap_or_default(), bytes)?),
        })
    }

    fn take(
        &self,
        scope: &Scope<'_>,
        name: Option<&str>,
        at: usize,
        pairing: &mut Pairing,
        fates: &mut [Option<Fate>],
    ) -> Result<()> {
        for place in self.places(scope, name, at, pairing)? {
            if let Some(fate) = fates.get_mut(place) {
                *fate = Some(self.fate(scope, place)?);
            }
        }
        Ok(())
    }

    /// Which records an outcome is of.
    fn places(&self, scope: &Scope<'_>, name: Option<&str>, at: usize, pairing: &mut Pairing) -> Result<Vec<usize>> {
        let by = match (&self.outcome.by, name) {
            (Some(by), _) => by.value(scope)?,
            (None, Some(name)) => Value::String(scope.arena().alloc_str(name)),
            (None, None) => Value::Missing,
        };
        let text = |value: &Value<'_>| match to_json(value) {
            Some(Json::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        Ok(match self.outcome.pair {
            Pair::Position => vec![at],
            Pair::Number | Pair::Index => {
                let one = |value: &Value<'_>| number(&text(value));
                match by {
                    Value::List(items) => items.iter().filter_map(one).collect(),
                    other => one(&other).into_iter().collect(),
                }
            }
            Pair::Key => {
                let key = match by {
                    Value::List(parts) => parts.iter().map(text).collect::<Vec<_>>().join("\u{1f}"),
                    other => text(&other),
                };
                pairing.take(&key)
            }
            Pair::Row => {
                let item = to_json(&scope.get(Name::Item)).unwrap_or(Json::Null);
                let row: Vec<String> = pairing.names.iter().map(|name| plain(&item[name.as_str()])).collect();
                pairing.take(&row.join("\u{1f}"))
            }
        })
    }

    /// What one outcome means.
    fn fate(&self, scope: &Scope<'_>, place: usize) -> Result<Fate> {
        let holds = |template: &'static Option<crate::connect::pack::Template>| match template {
            Some(template) => template.holds(scope).map(Some),
            None => Ok(None),
        };
        if holds(&self.outcome.good)?.unwrap_or(true) {
            if holds(&self.outcome.unmatched)? == Some(true) {
                return Ok(Fate::Unmatched);
            }
            return Ok(if holds(&self.outcome.unchanged)? == Some(true) { Fate::Unchanged } else { Fate::Written });
        }
        if holds(&self.outcome.unmatched)? == Some(true) {
            return Ok(Fate::Unmatched);
        }
        let mut class = Class::Reject;
        let mut said = None;
        for fault in &self.outcome.faults {
            let fits = match &fault.when {
                Some(when) => when.holds(scope)?,
                None => true,
            };
            if fits {
                class = fault.class;
                said = fault.say.as_ref().map(|say| say.text(scope)).transpose()?;
                break;
            }
        }
        let told = self.told(scope, place, said)?;
        Ok(match class {
            Class::Good => Fate::Written,
            Class::Empty | Class::Skip => Fate::Unmatched,
            Class::Retry | Class::Wait => Fate::Again(told),
            Class::Split => Fate::Alone(told),
            Class::Conflict => Fate::Conflict(told),
            _ => Fate::Refused(told),
        })
    }

    /// What the other side says is wrong, without the record's own values.
    fn told(&self, scope: &Scope<'_>, place: usize, said: Option<String>) -> Result<Told> {
        let text = |template: &'static Option<crate::connect::pack::Template>| match template {
            Some(template) => Ok::<_, Error>(
                match template.value(scope)? {
                    Value::List(items) => {
                        let items = items.iter().filter_map(to_json).map(|item| plain(&item));
                        Some(items.collect::<Vec<_>>().join(", "))
                    }
                    other => to_json(&other).map(|found| plain(&found)),
                }
                .filter(|text| !text.is_empty()),
            ),
            None => Ok(None),
        };
        let (code, message) =
            (text(&self.outcome.code)?, said.map_or_else(|| text(&self.outcome.message), |s| Ok(Some(s)))?);
        let cause = match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "the other side refused it and does not say why".to_owned(),
        };
        let record = self.records.get(place).map_or(&b"null"[..], |at| self.group.record(*at));
        Ok(Told::of(masked(&cause, record), text(&self.outcome.field)?))
    }
}

/// Finds records by texts.
struct Pairing {
    names: Vec<String>,
    waiting: HashMap<String, VecDeque<usize>>,
}

impl Pairing {
    fn new(judge: &Judge<'_>) -> Self {
        let mut made = Self { names: judge.header.to_vec(), waiting: HashMap::new() };
        if !matches!(judge.outcome.pair, Pair::Key | Pair::Row) {
            return made;
        }
        for (place, at) in judge.records.iter().enumerate() {
            let text = match judge.outcome.pair {
                Pair::Row if !made.names.is_empty() => {
                    let row = judge.group.element(*at);
                    let mut reader =
                        csv::ReaderBuilder::new().delimiter(judge.delimiter).has_headers(false).from_reader(row);
                    let row = reader.records().next().and_then(std::result::Result::ok).unwrap_or_default();
                    row.iter().collect::<Vec<_>>().join("\u{1f}")
                }
                Pair::Row => {
                    let fields: Json = serde_json::from_slice(judge.group.fields(*at)).unwrap_or(Json::Null);
                    if place == 0 {
                        made.names = fields.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
                    }
                    made.names.iter().map(|name| plain(&fields[name.as_str()])).collect::<Vec<_>>().join("\u{1f}")
                }
                _ => {
                    let record: Json = serde_json::from_slice(judge.group.record(*at)).unwrap_or(Json::Null);
                    judge.key.iter().map(|path| plain(within(&record, path))).collect::<Vec<_>>().join("\u{1f}")
                }
            };
            made.waiting.entry(text).or_default().push_back(place);
        }
        made
    }

    fn take(&mut self, text: &str) -> Vec<usize> {
        self.waiting.get_mut(text).and_then(VecDeque::pop_front).into_iter().collect()
    }
}

/// A scalar as text; nothing for null.
fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The number that a text ends with.
fn number(text: &str) -> Option<usize> {
    let digits = text.len() - text.bytes().rev().take_while(u8::is_ascii_digit).count();
    text.get(digits..)?.parse().ok()
}

/// What templates see of an answer.
pub(super) fn answer_value(answer: &Answer, body: Json) -> Json {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), Json::from(value));
        }
    }
    let text = if body.is_null() { String::from_utf8_lossy(&answer.body).into_owned() } else { String::new() };
    json!({ "status": answer.status, "headers": headers, "body": body, "text": text })
}

/// An answer as templates see it, its body as JSON if it is any.
pub(super) fn seen<'a>(answer: &Answer, arena: &'a Arena) -> Value<'a> {
    let body = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    from_json(&answer_value(answer, body), arena)
}

/// A sentence of the other side without what stands in the record, and not too long.
pub(super) fn masked(text: &str, record: &[u8]) -> String {
    let mut values = Vec::new();
    leaves(&serde_json::from_slice(record).unwrap_or(Json::Null), &mut values);
    // Longer ones first: a short one may stand within a long one.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for value in values.iter().filter(|value| value.chars().count() >= 3) {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), "***");
        }
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(MOST_TOLD).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn leaves(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::String(text) => out.push(text.clone()),
        Json::Number(number) => out.push(number.to_string()),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, out)),
        Json::Object(entries) => entries.values().for_each(|item| leaves(item, out)),
        Json::Null | Json::Bool(_) => {}
    }
}

fn unreadable(cause: &str) -> Error {
    Error::new(Kind::Failed, &CALL_FAILED, format!("the answer cannot be read: {cause}"))
}
