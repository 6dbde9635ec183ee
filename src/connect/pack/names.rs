//! The names that templates of a pack can use, and what they stand for while one request is made.
//!
//! Every template sees every name; which of them has a value depends on where it stands (a page has
//! no `record`, a write no `page`). A name without a value is missing, and a member of it is an error
//! that says so.

use std::cell::Cell;

use crate::expr::{Bind, Binding, Environment, Frame, Locals, Moment};
use crate::record::{Arena, Timestamp, Type, Value};

/// A name of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Name {
    /// `params`
    Params,
    /// `secrets`
    Secrets,
    /// `environment`
    Environment,
    /// `auth`
    Auth,
    /// `found`
    Found,
    /// `stream`
    Stream,
    /// `cursor`
    Cursor,
    /// `page`
    Page,
    /// `parent`
    Parent,
    /// `window`
    Window,
    /// `job`
    Job,
    /// `record`
    Record,
    /// `records`
    Records,
    /// `fields`
    Fields,
    /// `number`
    Number,
    /// `existing`
    Existing,
    /// `batch`
    Batch,
    /// `item`
    Item,
    /// `answer`
    Answer,
    /// `request`
    Request,
    /// `input`
    Input,
    /// `fresh`
    Fresh,
    /// `run`
    Run,
}

/// Every name with what it stands for, in the order of [`Name`].
pub const ALL: &[(Name, &str, &str)] = &[
    (Name::Params, "params", "The connector's parameters: what stands under `with`, defaults filled in."),
    (Name::Secrets, "secrets", "What stands under the connector's `auth`."),
    (Name::Environment, "environment", "The set of addresses that the connector chose: `transport.environments`."),
    (Name::Auth, "auth", "What the sign-in gave: `auth.token`, and what the way of signing in says it captures."),
    (Name::Found, "found", "What the pack's `discover` requests found, by name."),
    (Name::Stream, "stream", "The stream: `stream.name`, `stream.fields` (names that are wanted, a list)."),
    (
        Name::Cursor,
        "cursor",
        "Where reading goes on: `cursor.value` (nothing at the first time), `cursor.until` (the upper bound), `cursor.age` (seconds since it was kept).",
    ),
    (
        Name::Page,
        "page",
        "The page: `page.number`, `page.offset`, `page.size`, `page.token`, `page.index` (from 0), `page.count` (records so far), `page.open` (what `pages.open` captured), `page.fields` (names of fields that are asked for with this request: its part of `fields`, if there is such); where an answer is looked at, `page.records` (how many it has) and `page.last` (its last record), too.",
    ),
    (Name::Parent, "parent", "The record of the parent stream, or the element of the list, that is read for."),
    (Name::Window, "window", "A slice of time or of values: `window.from`, `window.to`."),
    (Name::Job, "job", "The asynchronous job: what its submission captured, `job.url`, `job.part`."),
    (Name::Record, "record", "The record: as read, or as it is to be written."),
    (Name::Records, "records", "The records of a batch, a list."),
    (
        Name::Fields,
        "fields",
        "The record as it is written: without the fields that `apart` names, in the way's own style.",
    ),
    (
        Name::Number,
        "number",
        "The record's place in its request, as text of eight digits from `00000000` on: what answers name it by.",
    ),
    (Name::Existing, "existing", "The record of the other side, as `find`, `look_up` or `lock.read` found it."),
    (Name::Batch, "batch", "The batch: `batch.count`, `batch.key` (its idempotency key)."),
    (Name::Item, "item", "One element of the answer's list of outcomes."),
    (
        Name::Answer,
        "answer",
        "The answer: `answer.status`, `answer.headers` (names in lower case), `answer.body`, `answer.text`. Of a stream of events (`text/event-stream`, `application/vnd.amazon.eventstream`) the body is a list of `{ event, id, data }`.",
    ),
    (
        Name::Request,
        "request",
        "The request, for signatures: `method`, `url`, `host`, `path`, `query`, `headers`, `body` (text), `body_sha256`, `body_md5`.",
    ),
    (Name::Input, "input", "The input of an operation."),
    (
        Name::Fresh,
        "fresh",
        "New for each request: `fresh.uuid`, `fresh.nonce`, `fresh.now` (the clock's time), `fresh.unix` (its seconds), `fresh.unix_ms`.",
    ),
    (Name::Run, "run", "The run: `run.started`, `run.route`."),
];

/// Values of names while something is rendered. Cheap to make and to copy.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    values: [Value<'a>; ALL.len()],
    arena: &'a Arena,
    now: Timestamp,
}

impl<'a> Scope<'a> {
    /// Nothing has a value yet. `now`: the time of the run.
    pub fn new(arena: &'a Arena, now: Timestamp) -> Self {
        Self { values: [Value::Missing; ALL.len()], arena, now }
    }

    /// The same with a value for a name.
    #[must_use]
    pub fn with(mut self, name: Name, value: Value<'a>) -> Self {
        self.values[name as usize] = value;
        self
    }

    /// The value of a name.
    pub fn get(&self, name: Name) -> Value<'a> {
        self.values[name as usize]
    }

    /// Where results are made.
    pub fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// The time of the run.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Calls with the frame that a program is evaluated with.
    pub fn framed<R>(&self, act: impl FnOnce(&Frame<'_, 'a>) -> R) -> R {
        let cells: [Cell<Option<Value<'a>>>; ALL.len()] = self.values.map(|value| Cell::new(Some(value)));
        act(&Frame {
            slots: &[],
            value: Value::Missing,
            arena: self.arena,
            now: Moment::from(self.now),
            locals: Locals { cells: &cells, programs: &[] },
        })
    }
}

/// What templates are compiled against. `params` and `secrets`: the names that the pack declares, so
/// that another one is found without data.
pub fn environment(params: Vec<(String, Type)>, secrets: Vec<String>) -> Environment {
    let record = |fields: Vec<(String, Type)>| Type::Record {
        fields: fields
            .into_iter()
            .map(|(name, kind)| crate::record::Field {
                name,
                kind,
                required: false,
                nullable: true,
                classes: crate::record::ClassSet::NONE,
            })
            .collect(),
        open: false,
    };
    let bindings = ALL.iter().map(|(name, word, _)| {
        let kind = match name {
            Name::Params => record(params.clone()),
            Name::Secrets => record(secrets.iter().map(|name| (name.clone(), Type::Dyn)).collect()),
            _ => Type::Dyn,
        };
        Binding::new(*word, kind, Bind::Local(*name as usize))
    });
    Environment { bindings: bindings.collect(), ..Environment::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        for (at, (name, _, about)) in ALL.iter().enumerate() {
            assert_eq!(*name as usize, at);
            assert!(about.ends_with('.'));
        }
    }
}
