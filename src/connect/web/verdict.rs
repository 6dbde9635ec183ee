//! What an answer is taken for: by the rules of the pack, else by its status.
//!
//! The body is read for rules at most once, and only if one of them looks into it.

use std::time::Duration;

use serde_json::Value as Json;

use super::caller::moment;
use super::draft::Purpose;
use super::told::{self, Told};
use super::waits::{self, Quota};
use super::wire::Answer;
use crate::connect::pack::faults::{Class, Fault};
use crate::connect::pack::limits;
use crate::connect::pack::template::Template;
use crate::connect::pack::{Given, Name, Scope};
use crate::expr;
use crate::record::json::from_json;
use crate::record::{Arena, Value};

/// An answer with what was read of it so far.
pub struct Seen<'a> {
    /// The answer.
    pub answer: &'a Answer,
    body: Option<Json>,
}

impl<'a> Seen<'a> {
    /// Nothing was read yet.
    pub fn new(answer: &'a Answer) -> Self {
        Self { answer, body: None }
    }

    /// `answer` of templates. Without `body` only its status and headers have values.
    pub fn value<'v>(&mut self, arena: &'v Arena, body: bool) -> Value<'v> {
        let headers = self.answer.headers.iter().filter_map(|(name, value)| {
            Some((&*arena.alloc_str(name.as_str()), Value::String(arena.alloc_str(value.to_str().ok()?))))
        });
        let headers: Vec<(&str, Value<'v>)> = headers.collect();
        let mut made = vec![
            ("status", Value::Int(i64::from(self.answer.status))),
            ("headers", Value::Map(arena.alloc_slice_copy(&headers))),
        ];
        if body {
            let text = String::from_utf8_lossy(&self.answer.body);
            made.push(("text", Value::String(arena.alloc_str(&text))));
            let read = self.body.get_or_insert_with(|| serde_json::from_slice(&self.answer.body).unwrap_or(Json::Null));
            if !(read.is_null() && !self.answer.body.is_empty() && &self.answer.body[..] != b"null") {
                made.push(("body", from_json(read, arena)));
            }
        }
        Value::Map(arena.alloc_slice_copy(&made))
    }
}

/// What an answer is taken for.
#[derive(Debug)]
pub struct Verdict {
    /// Its class.
    pub class: Class,
    /// Whether a rule of the pack said so.
    pub ruled: bool,
    /// The rule's sentence.
    pub say: Option<String>,
    /// What a person can do.
    pub hint: Option<String>,
    /// How long the system asks to wait.
    pub wait: Option<Duration>,
    /// What the answer says is wrong.
    pub told: Told,
}

/// The verdict on an answer. A condition that has no truth value (the answer is not at all what the pack
/// expects: a page of a proxy) does not hold.
pub fn of(given: &Given, purpose: &Purpose, seen: &mut Seen<'_>, now: i64) -> Verdict {
    let pack = given.pack;
    let status = seen.answer.status;
    let own = purpose.part.as_deref().and_then(|name| pack.stream(name)).map_or(&[][..], |stream| &stream.faults);
    let mut rules = own.iter().chain(&pack.faults).filter(|rule| fits(rule, status)).peekable();
    if rules.peek().is_none() {
        let class = usual(status, purpose.writes);
        return match class {
            // The common case: nothing more is looked at.
            Class::Good => good(),
            class => bad(given, None, class, seen, now),
        };
    }
    for rule in rules {
        let holds = match &rule.when {
            None => true,
            Some(when) => {
                let arena = Arena::new();
                let answer = seen.value(&arena, rule.body);
                when.holds(&given.scope(&arena, moment(now)).with(Name::Answer, answer)).unwrap_or(false)
            }
        };
        if holds {
            return match rule.class {
                Class::Good => Verdict { ruled: true, ..good() },
                class => bad(given, Some(rule), class, seen, now),
            };
        }
    }
    match usual(status, purpose.writes) {
        Class::Good => good(),
        class => bad(given, None, class, seen, now),
    }
}

fn good() -> Verdict {
    Verdict { class: Class::Good, ruled: false, say: None, hint: None, wait: None, told: Told::default() }
}

fn fits(rule: &Fault, status: u16) -> bool {
    // A rule that names no status and no condition is for whatever failed.
    if rule.statuses.is_empty() {
        return rule.when.is_some() || status >= 400;
    }
    rule.statuses.iter().any(|(from, to)| (*from..=*to).contains(&status))
}

/// What a status means where no rule fits.
pub fn usual(status: u16, writes: bool) -> Class {
    match status {
        200..=299 | 304 => Class::Good,
        401 => Class::SignIn,
        402 | 403 | 407 | 451 => Class::Denied,
        408 | 425 | 500 | 502..=504 | 520..=524 => Class::Retry,
        409 | 412 => Class::Conflict,
        413 => Class::Split,
        429 | 529 => Class::Wait,
        400 | 404 | 410 | 415 | 422 if writes => Class::Reject,
        _ => Class::Fail,
    }
}

fn bad(given: &Given, rule: Option<&'static Fault>, class: Class, seen: &mut Seen<'_>, now: i64) -> Verdict {
    let arena = Arena::new();
    let pack = given.pack;
    let answer = seen.value(&arena, true);
    let scope = given.scope(&arena, moment(now)).with(Name::Answer, answer);
    // A sentence that cannot be made must not hide what it was to be about.
    let text = |template: Option<&'static Template>| {
        template.and_then(|of| of.text(&scope).ok()).filter(|text| !text.is_empty())
    };
    let mut told = told::told(seen.answer);
    let errors = &pack.errors;
    told.code = text(errors.code.as_ref()).or(told.code);
    told.message = text(errors.message.as_ref()).or(told.message);
    told.field = text(errors.field.as_ref()).or(told.field);
    told.request_id = text(errors.request_id.as_ref()).or(told.request_id);
    let asked = rule.and_then(|rule| text(rule.wait.as_ref())).and_then(|text| waits::parse(&text, now));
    let wait = asked.or_else(|| match class {
        Class::Wait | Class::Quota => waits::throttled(&seen.answer.headers, now),
        _ => waits::retry_after(&seen.answer.headers, now),
    });
    Verdict {
        class,
        ruled: rule.is_some(),
        say: rule.and_then(|rule| text(rule.say.as_ref())),
        hint: rule.and_then(|rule| rule.hint.clone()),
        wait,
        told,
    }
}

/// What an answer says of a budget.
#[derive(Debug, Default)]
pub struct Heard {
    /// What the call did cost.
    pub cost: Option<f64>,
    /// What is left.
    pub quota: Option<Quota>,
    /// Units that come back in a second.
    pub restore: Option<f64>,
}

/// Hears what an answer says of a budget, by the expressions of the pack. One that has no value says nothing.
pub fn heard(given: &Given, told: &'static limits::Told, seen: &mut Seen<'_>, now: i64) -> Heard {
    if !told.is_some() {
        return Heard::default();
    }
    let arena = Arena::new();
    let answer = seen.value(&arena, told.body);
    let scope = given.scope(&arena, moment(now)).with(Name::Answer, answer);
    let number = |of: Option<&'static Template>| -> Option<f64> { text_of(of?, &scope)?.trim().parse().ok() };
    let quota = Quota {
        remaining: number(told.remaining.as_ref()),
        of: number(told.of.as_ref()),
        reset: told.reset.as_ref().and_then(|of| waits::parse(&text_of(of, &scope)?, now)),
    };
    Heard {
        cost: number(told.cost.as_ref()),
        quota: quota.remaining.map(|_| quota),
        restore: number(told.restore.as_ref()),
    }
}

fn text_of(template: &'static Template, scope: &Scope<'_>) -> Option<String> {
    let value = template.value(scope).ok()?;
    if matches!(value, Value::Missing | Value::Null) {
        return None;
    }
    let mut out = Vec::new();
    expr::format_value(&value, &mut out);
    String::from_utf8(out).ok()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
