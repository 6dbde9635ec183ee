//! What every step of reading a stream needs: the pack with its connector's values, the caller, and how
//! templates get their values.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use crate::connect::hush::Hush;
use crate::connect::pack::read::Read;
use crate::connect::pack::request::RequestSpec;
use crate::connect::pack::streams::Stream;
use crate::connect::pack::template::to_json;
use crate::connect::pack::{Given, Name, Scope, Template, Tree};
use crate::connect::web::{Answer, Caller, Draft, Failure};
use crate::error::codes::connect::TEMPLATE_FAILED;
use crate::error::{Error, Kind, Result};
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp};

/// What reading a stream needs.
pub(super) struct Desk {
    pub caller: Caller,
    pub given: Arc<Given>,
    pub stream: &'static Stream,
    pub read: &'static Read,
    /// The fields that are wanted, by name: those of the pack, or what the project says of the stream.
    pub fields: Vec<String>,
    /// The same in parts that are asked for one by one: one, unless the pack cuts them.
    pub parts: Vec<Vec<String>>,
    /// What an operation is called with.
    pub input: Json,
    /// Whether what is gone is read, instead of what is there.
    pub gone: bool,
    /// Whether records meet the target by key: they may come twice.
    pub keyed: bool,
    /// Whether its records are only whom others are read for: they are looked at here, and not by workers.
    pub trees: bool,
    /// Whether each run reads everything (a mirror).
    pub whole: bool,
    /// The time of the run.
    pub now: Timestamp,
    /// What the `discover` requests found.
    pub found: Json,
    /// What the sign-in gave.
    pub auth: Json,
    /// What there is to say at the end.
    pub notes: Arc<Mutex<Vec<String>>>,
    /// Seals what is remembered.
    pub hush: Arc<Hush>,
    /// Jobs that were fetched whole, to be cleaned away once their records are settled.
    pub fetched: Mutex<Vec<super::jobs::Fetched>>,
}

/// Values of templates that change while a stream is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    pub cursor: Json,
    pub page: Json,
    pub parent: Json,
    pub window: Json,
    pub job: Json,
    pub answer: Json,
    pub record: Json,
    pub records: Json,
}

impl Desk {
    /// Says something at the end of the run, once.
    pub fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Calls with the values of all names.
    pub fn scoped<R>(&self, vars: &Vars, act: impl FnOnce(&Scope<'_>) -> R) -> R {
        let arena = Arena::new();
        let scope = self.given.scope(&arena, self.now);
        let scope = scope
            .with(Name::Stream, from_json(&json!({ "name": self.stream.name, "fields": self.fields }), &arena))
            .with(Name::Run, from_json(&json!({ "started": rfc3339(self.now) }), &arena));
        let scope = put(scope, Name::Found, &self.found);
        let scope = put(scope, Name::Auth, &self.auth);
        let scope = put(scope, Name::Input, &self.input);
        let scope = put(scope, Name::Cursor, &vars.cursor);
        let scope = put(scope, Name::Page, &vars.page);
        let scope = put(scope, Name::Parent, &vars.parent);
        let scope = put(scope, Name::Window, &vars.window);
        let scope = put(scope, Name::Job, &vars.job);
        let scope = put(scope, Name::Answer, &vars.answer);
        let scope = put(scope, Name::Record, &vars.record);
        let scope = put(scope, Name::Records, &vars.records);
        act(&scope)
    }

    /// Finds out in which parts fields are asked for; everything else is known.
    ///
    /// # Errors
    /// If their names are no list of texts.
    pub fn cut(mut self) -> Result<Self> {
        let Some(cut) = &self.read.cut else {
            self.parts = vec![self.fields.clone()];
            return Ok(self);
        };
        let names = match &cut.names {
            None => self.fields.clone(),
            Some(names) => match self.value(names, &Vars::default())? {
                Json::Null => Vec::new(),
                Json::Array(names) => {
                    let text = |name: Json| match name {
                        Json::String(name) => Ok(name),
                        _ => Err(unfit(format!("a name among the `fields` of `{}` is no text", self.stream.name))),
                    };
                    names.into_iter().map(text).collect::<Result<_>>()?
                }
                _ => return Err(unfit(format!("the names of the `fields` of `{}` are no list", self.stream.name))),
            },
        };
        self.parts = cut.parts(names);
        Ok(self)
    }

    /// The draft of a request.
    pub fn draft(&self, request: &'static RequestSpec, vars: &Vars, what: String) -> Result<Draft> {
        self.scoped(vars, |scope| {
            let mut draft = self.caller.draft(request, scope)?;
            draft.purpose.what = what;
            draft.purpose.part = Some(self.stream.name.clone());
            draft.purpose.repeatable = true;
            Ok(draft)
        })
    }

    /// What an expression comes to.
    pub fn value(&self, template: &'static Template, vars: &Vars) -> Result<Json> {
        self.scoped(vars, |scope| Ok(to_json(&template.value(scope)?).unwrap_or(Json::Null)))
    }

    /// Whether a condition holds.
    pub fn holds(&self, template: &'static Template, vars: &Vars) -> Result<bool> {
        self.scoped(vars, |scope| template.holds(scope))
    }

    /// The text of a template.
    pub fn text(&self, template: &'static Template, vars: &Vars) -> Result<String> {
        self.scoped(vars, |scope| template.text(scope))
    }

    /// What a tree comes to.
    pub fn tree(&self, tree: &'static Tree, vars: &Vars) -> Result<Json> {
        self.scoped(vars, |scope| Ok(tree.json(scope)?.unwrap_or(Json::Null)))
    }

    /// Makes a call.
    pub async fn call(&self, draft: Draft) -> Result<Answer, Box<Failure>> {
        self.caller.call(draft).await
    }

    /// What is captured of an answer, added to what was captured before.
    pub fn capture(&self, tree: Option<&'static Tree>, vars: &Vars, into: &mut Json) -> Result<()> {
        let Some(tree) = tree else { return Ok(()) };
        let Json::Object(made) = self.tree(tree, vars)? else { return Ok(()) };
        if !into.is_object() {
            *into = json!({});
        }
        for (name, value) in made {
            into[name.as_str()] = value;
        }
        Ok(())
    }
}

fn put<'a>(scope: Scope<'a>, name: Name, value: &Json) -> Scope<'a> {
    match value {
        Json::Null => scope,
        value => scope.with(name, from_json(value, scope.arena())),
    }
}

/// An answer as templates see it; `body` is what stands around its records.
pub(super) fn shown(answer: &Answer, body: Json) -> Json {
    let mut headers = serde_json::Map::new();
    for (name, value) in &answer.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), Json::String(value.to_owned()));
        }
    }
    json!({ "status": answer.status, "headers": headers, "body": body })
}

/// An answer as templates see it, its whole body read as JSON, or as text if it is none.
pub(super) fn shown_whole(answer: &Answer) -> Json {
    let body = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    let mut made = shown(answer, body);
    if made["body"].is_null() && answer.body.len() <= 65_536 {
        made["text"] = Json::String(String::from_utf8_lossy(&answer.body).into_owned());
    }
    made
}

/// An error that a template of the pack gave what it must not.
pub(super) fn unfit(cause: String) -> Error {
    Error::new(Kind::Failed, &TEMPLATE_FAILED, cause)
}

/// A moment as text.
pub(super) fn rfc3339(at: Timestamp) -> String {
    let mut out = Vec::new();
    at.write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}
