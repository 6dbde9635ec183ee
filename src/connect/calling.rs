//! Calls of a pack that move no records: its operations, and its probe.

use std::time::Duration;

use serde_json::Value as Json;

use super::pack::operations::Operation;
use super::pack::{Name, Scope, Template, Tree};
use super::reading;
use super::web::{Answer, Caller, Failure};
use crate::error::codes::connect::{CALL_FAILED, PACK_INVALID};
use crate::error::{Error, Kind, Result, nearest};
use crate::record::json::from_json;
use crate::record::path::Step;
use crate::record::{Arena, Path, Timestamp, Type};

/// What an operation answered.
#[derive(Clone, Debug)]
pub struct Called {
    /// The result: a tree if the answer is JSON, else its text.
    pub result: Json,
    /// The status; of a list in several pages none.
    pub status: Option<u16>,
    /// From sending to the last byte.
    pub took: Duration,
}

/// Calls an operation.
///
/// # Errors
/// An input that the operation does not know or misses; what the system says.
pub async fn call(caller: &Caller, operation: &'static Operation, input: &Json) -> Result<Called> {
    check(operation, input)?;
    if let Some(stream) = &operation.listing {
        let began = std::time::Instant::now();
        let all = reading::listing(caller, stream, input).await?;
        return Ok(Called { result: Json::Array(all), status: None, took: began.elapsed() });
    }
    let auth = caller.auth().await?;
    let draft = {
        let arena = Arena::new();
        let scope = caller.given.scope(&arena, now(caller)).with(Name::Auth, from_json(&auth, &arena));
        let scope = scope.with(Name::Input, from_json(input, &arena));
        let mut draft = caller.draft(&operation.request, &scope)?;
        draft.purpose.what = format!("the operation `{}`", operation.name);
        draft.purpose.writes = operation.writes;
        draft.purpose.repeatable = operation.repeatable;
        draft.purpose.part = Some(operation.name.clone());
        draft
    };
    let answer = caller.call(draft).await.map_err(|failure| failure.error)?;
    let body = tree(&answer);
    let result = match &operation.result {
        None => body,
        Some(path) => below(&body, path).cloned().ok_or_else(|| {
            let cause = format!("the answer to `{}` holds nothing at `{path}`", operation.name);
            Error::new(Kind::Failed, &CALL_FAILED, cause).hint("look at `result` of the operation in the pack")
        })?,
    };
    Ok(Called { result, status: Some(answer.status), took: answer.took })
}

/// The body as a tree; text that is no JSON as text.
pub fn tree(answer: &Answer) -> Json {
    match answer.body.is_empty() {
        true => Json::Null,
        false => serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| Json::String(String::from_utf8_lossy(&answer.body).into_owned())),
    }
}

fn check(operation: &Operation, input: &Json) -> Result<()> {
    let invalid = |cause: String| Error::new(Kind::Invalid, &PACK_INVALID, cause);
    let known = || operation.input.iter().map(|field| field.name.as_str());
    let list = || match operation.input.is_empty() {
        true => "it takes no input".to_owned(),
        false => format!("its input is: {}", known().collect::<Vec<_>>().join(", ")),
    };
    let empty = serde_json::Map::new();
    let given = match input {
        Json::Null => &empty,
        Json::Object(given) => given,
        _ => return Err(invalid(format!("the input of `{}` is a map", operation.name)).hint(list())),
    };
    for name in given.keys() {
        if !known().any(|known| known == name) {
            let error = invalid(format!("the operation `{}` has no input `{name}`", operation.name));
            return Err(match nearest(name, known()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(list()),
            });
        }
    }
    for field in &operation.input {
        let fits = match (given.get(&field.name), &field.kind) {
            (None | Some(Json::Null), _) if field.required => {
                return Err(invalid(format!("the operation `{}` needs `{}`", operation.name, field.name)).hint(list()));
            }
            (None | Some(Json::Null), _) | (Some(_), Type::Dyn) => true,
            (Some(value), Type::Bool) => value.is_boolean(),
            (Some(value), Type::Int | Type::Uint) => value.is_i64() || value.is_u64(),
            (Some(value), Type::Decimal | Type::Double) => value.is_number(),
            (Some(value), Type::List(_)) => value.is_array(),
            (Some(value), Type::Map(_) | Type::Record { .. }) => value.is_object(),
            (Some(value), _) => value.is_string(),
        };
        if !fits {
            return Err(invalid(format!("the input `{}` of `{}` is a {}", field.name, operation.name, field.kind)));
        }
    }
    Ok(())
}

/// How a system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is well.
    Healthy,
    /// It answers, but not as it should.
    Degraded,
    /// It cannot be used.
    Unhealthy,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What a probe found.
#[derive(Debug)]
pub struct Health {
    /// The state.
    pub state: State,
    /// Why it is not healthy, and what else is worth saying; one sentence each, without a final period.
    pub said: Vec<String>,
    /// From sending to the last byte.
    pub took: Option<Duration>,
    /// Who the sign-in is on the other side.
    pub who: Option<String>,
    /// Scopes that are needed and not granted.
    pub missing: Vec<String>,
    /// How far its clock is ahead of ours, in seconds.
    pub skew: Option<i64>,
    /// How much may still be asked, and of how much.
    pub quota: Option<(String, Option<String>)>,
    /// Why there is no good answer.
    pub error: Option<Error>,
}

/// Probes a system; `None`: its pack says nothing of that.
pub async fn probe(caller: &Caller) -> Option<Health> {
    let probe = caller.given.pack.probe.as_ref()?;
    let mut health = Health {
        state: State::Healthy,
        said: Vec::new(),
        took: None,
        who: None,
        missing: Vec::new(),
        skew: None,
        quota: None,
        error: None,
    };
    let auth = caller.auth().await;
    let draft = auth.as_ref().map_err(Clone::clone).and_then(|auth| {
        let arena = Arena::new();
        let scope = caller.given.scope(&arena, now(caller)).with(Name::Auth, from_json(auth, &arena));
        caller.draft(&probe.request, &scope)
    });
    let answer = match draft {
        Ok(mut draft) => {
            draft.purpose.what = "the probe".into();
            draft.purpose.repeatable = true;
            draft.purpose.part = Some("probe".into());
            caller.call(draft).await.map_err(|failure| {
                let Failure { error, .. } = *failure;
                error
            })
        }
        Err(error) => Err(error),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            health.state = State::Unhealthy;
            health.said.push(error.cause().to_owned());
            health.error = Some(error);
            return Some(health);
        }
    };
    judge(caller, probe, &answer, &auth.unwrap_or_default(), &mut health);
    Some(health)
}

fn judge(
    caller: &Caller,
    probe: &'static super::pack::probe::Probe,
    answer: &Answer,
    auth: &Json,
    health: &mut Health,
) {
    let arena = Arena::new();
    let headers: serde_json::Map<String, Json> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), Json::from(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let told = serde_json::json!({
        "status": answer.status, "headers": headers, "body": tree(answer),
        "text": String::from_utf8_lossy(&answer.body),
    });
    let scope = caller.given.scope(&arena, now(caller)).with(Name::Auth, from_json(auth, &arena));
    let scope = scope.with(Name::Answer, from_json(&told, &arena));
    let worse = |health: &mut Health, state: State, why: String| {
        health.state = health.state.max(state);
        health.said.push(why);
    };
    health.took = Some(answer.took);
    let text = |template: &'static Option<Template>| {
        template.as_ref().and_then(|template| template.text(&scope).ok()).filter(|text| !text.is_empty())
    };
    health.who = text(&probe.who);
    let say = text(&probe.say);
    match holds(&probe.healthy, &scope, true) {
        Ok(true) => {}
        Ok(false) => {
            worse(health, State::Unhealthy, say.clone().unwrap_or("its answer says that it is not well".into()))
        }
        Err(why) => worse(health, State::Unhealthy, why),
    }
    match holds(&probe.degraded, &scope, false) {
        Ok(false) => {}
        Ok(true) => worse(health, State::Degraded, say.unwrap_or("its answer says that it is degraded".into())),
        Err(why) => worse(health, State::Degraded, why),
    }
    if answer.took >= probe.slow {
        worse(health, State::Degraded, format!("the answer took {:.1} s", answer.took.as_secs_f64()));
    }
    if let Some(date) = answer.header("date")
        && let Ok(theirs) = jiff::fmt::rfc2822::parse(date)
    {
        let skew = theirs.timestamp().as_second() - caller.wire().now().as_second();
        health.skew = Some(skew);
        if skew.unsigned_abs() >= probe.skew.as_secs() {
            let way = if skew > 0 { "ahead of" } else { "behind" };
            worse(health, State::Degraded, format!("its clock is {} s {way} ours", skew.unsigned_abs()));
        }
    }
    if let Some((granted, needed)) = &probe.scopes {
        match (words(granted, &scope), words(needed, &scope)) {
            (Ok(granted), Ok(needed)) => {
                health.missing = needed.into_iter().filter(|scope| !granted.contains(scope)).collect();
                if !health.missing.is_empty() {
                    let all = health.missing.join(", ");
                    worse(health, State::Unhealthy, format!("the sign-in lacks: {all}"));
                }
            }
            (Err(why), _) | (_, Err(why)) => worse(health, State::Degraded, why),
        }
    }
    if let Some(quota) = &probe.quota {
        let number = |template: &'static Template| template.text(&scope).ok().filter(|text| !text.is_empty());
        if let Some(left) = number(&quota.left) {
            let of = quota.of.as_ref().and_then(number);
            let share = of.as_ref().and_then(|of| Some(left.parse::<f64>().ok()? / of.parse::<f64>().ok()?));
            if share.is_some_and(|share| share * 1_000_000.0 < f64::from(quota.low_ppm)) || left == "0" {
                worse(health, State::Degraded, format!("only {left} calls are left"));
            }
            health.quota = Some((left, of));
        }
    }
}

fn holds(
    condition: &'static Option<Template>,
    scope: &Scope<'_>,
    otherwise: bool,
) -> std::result::Result<bool, String> {
    match condition {
        None => Ok(otherwise),
        Some(condition) => condition.holds(scope).map_err(|error| error.cause().to_owned()),
    }
}

/// A list of words, or text with blanks or commas between.
fn words(tree: &'static Tree, scope: &Scope<'_>) -> std::result::Result<Vec<String>, String> {
    let made = tree.json(scope).map_err(|error| error.cause().to_owned())?.unwrap_or_default();
    Ok(match made {
        Json::Array(items) => {
            items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
        }
        Json::String(text) => text.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}

fn below<'j>(value: &'j Json, path: &Path) -> Option<&'j Json> {
    let mut here = value;
    for step in &path.0 {
        here = match step {
            Step::Key(name) => here.get(name)?,
            Step::Index(at) => here.get(usize::try_from(*at).ok()?)?,
            Step::Each => return None,
        };
    }
    Some(here)
}

/// The moment it is.
fn now(caller: &Caller) -> Timestamp {
    let now = caller.wire().now();
    Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 }
}
