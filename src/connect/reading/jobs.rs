//! An answer that takes long: ordered once, remembered at once, waited for, and cleaned away when all of
//! it is settled. What a crash leaves behind is found again by the next run.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::desk::{Desk, Vars, shown_whole};
use super::reel::{Halt, Reel};
use crate::connect::pack::faults::Class;
use crate::connect::pack::job::{Job, Poll, Step};
use crate::connect::web::Answer;
use crate::error::codes::connect::JOB_FAILED;
use crate::error::{Error, Kind, Result, Retry};

/// A job that was fetched whole and is cleaned away once its records are settled.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    parent: Json,
    job: Json,
    file: Option<PathBuf>,
}

/// The job and the parts that there are to fetch; one part that is nothing where there is no job.
pub(super) async fn ready(
    reel: &Reel,
    vars: &mut Vars,
    from: Option<&str>,
    until: Option<&str>,
) -> Result<(Json, Vec<Json>), Halt> {
    let desk = &reel.desk;
    let Some(spec) = &desk.read.job else { return Ok((Json::Null, vec![Json::Null])) };
    let file = file(desk, &reel.slice);
    let resumed = reel.stand.under_way.as_ref().map(|under_way| under_way.job.clone()).filter(|job| !job.is_null());
    let mut job = Json::Null;
    let mut ordered_at = desk.now.seconds;
    if let Some(known) = file.as_ref().and_then(|file| load(desk, file)) {
        let fresh = desk.now.seconds.saturating_sub(known["at"].as_i64().unwrap_or(0))
            < i64::try_from(spec.expires).unwrap_or(i64::MAX);
        let same = known["from"].as_str() == from && known["whole"] == json!(desk.whole);
        let its = resumed.as_ref() == Some(&known["job"]);
        // Fetched is not settled: only the position says that.
        let over = known["fetched"] == json!(true) && (desk.whole || reel.stand.job == print(&known["job"]));
        if fresh && (its || same && !over) {
            job = known["job"].clone();
            ordered_at = known["at"].as_i64().unwrap_or(ordered_at);
            if known["until"].is_string() {
                vars.cursor["until"] = known["until"].clone();
                vars.window["to"] = known["until"].clone();
            }
            desk.note(format!("the job that was ordered for `{}` before is gone on with", reel.slice));
        } else {
            let old = Fetched { parent: reel.parent.clone(), job: known["job"].clone(), file: file.clone() };
            let unfinished = known["fetched"] != json!(true);
            if unfinished && fresh {
                abort(desk, spec, &old).await;
            }
            clean(desk, &old).await;
        }
    } else if let Some(resumed) = resumed {
        job = resumed;
    }
    if job.is_null() {
        job = json!({});
        order(desk, &spec.submit, vars, &mut job, "ordering").await?;
        keep(file.as_ref(), desk, (from, until), &job, ordered_at, false)?;
        for step in &spec.then {
            order(desk, step, vars, &mut job, "starting").await?;
            keep(file.as_ref(), desk, (from, until), &job, ordered_at, false)?;
        }
    }
    vars.job = job.clone();
    let mut empty = false;
    if let Some(poll) = &spec.poll {
        match wait(desk, spec, poll, vars, &mut job).await {
            Ok(nothing) => empty = nothing,
            Err(halt) => {
                // What failed or is no longer known is ordered anew by the next run.
                if let (Halt::Error(error), Some(file)) = (&halt, &file)
                    && error.code().id == JOB_FAILED.id
                {
                    let _ = std::fs::remove_file(file);
                }
                return Err(halt);
            }
        }
        keep(file.as_ref(), desk, (from, until), &job, ordered_at, false)?;
        vars.job = job.clone();
    }
    let parts = match &spec.parts {
        _ if empty => Vec::new(),
        None => vec![Json::Null],
        Some(parts) => match desk.value(parts, vars)? {
            Json::Array(parts) => parts,
            Json::Null => Vec::new(),
            one => vec![one],
        },
    };
    Ok((job, parts))
}

/// Remembers that all parts were fetched.
pub(super) fn fetched(reel: &mut Reel, job: &mut Json) {
    let desk = &reel.desk;
    let file = file(desk, &reel.slice);
    if let Some(path) = &file
        && let Some(mut known) = load(desk, path)
    {
        known["fetched"] = Json::Bool(true);
        // If it cannot be written, the next run asks for the parts once more.
        let _ = sealed(desk, known).map(|known| store(path, &known));
    }
    let done = Fetched { parent: reel.parent.clone(), job: job.take(), file };
    desk.fetched.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(done);
}

/// By what a job is known again.
pub(super) fn print(job: &Json) -> String {
    super::stand::fingerprint(&[Some(job.to_string().as_bytes())])
}

/// Cleans away what is settled.
pub(super) async fn clean(desk: &Desk, done: &Fetched) {
    if let Some(request) = desk.read.job.as_ref().and_then(|job| job.clean.as_ref()) {
        let vars = Vars { parent: done.parent.clone(), job: done.job.clone(), ..Vars::default() };
        let called = match desk.draft(request, &vars, format!("cleaning up the job of `{}`", desk.stream.name)) {
            Ok(draft) => desk.call(draft).await.map(drop).map_err(|failure| failure.error),
            Err(error) => Err(error),
        };
        if let Err(error) = called {
            desk.note(format!("a job of `{}` could not be cleaned up: {}", desk.stream.name, error.cause()));
        }
    }
    if let Some(file) = &done.file {
        let _ = std::fs::remove_file(file);
    }
}

async fn abort(desk: &Desk, spec: &'static Job, old: &Fetched) {
    if let Some(request) = &spec.abort {
        let vars = Vars { parent: old.parent.clone(), job: old.job.clone(), ..Vars::default() };
        if let Ok(draft) = desk.draft(request, &vars, format!("calling off a job of `{}`", desk.stream.name)) {
            // A job that cannot be called off ends by itself.
            let _ = desk.call(draft).await;
        }
    }
}

async fn order(desk: &Desk, step: &'static Step, vars: &mut Vars, job: &mut Json, what: &str) -> Result<(), Halt> {
    vars.job = job.clone();
    let mut draft = desk.draft(&step.request, vars, format!("{what} the job of `{}`", desk.stream.name))?;
    draft.purpose.writes = true;
    draft.purpose.repeatable = false;
    let answer = desk.call(draft).await?;
    let seen = Vars { answer: shown_whole(&answer), ..vars.clone() };
    desk.capture(step.capture.as_ref(), &seen, job)?;
    Ok(())
}

/// Waits until it is done; whether there is nothing to fetch.
async fn wait(
    desk: &Desk,
    spec: &'static Job,
    poll: &'static Poll,
    vars: &mut Vars,
    job: &mut Json,
) -> Result<bool, Halt> {
    let mut pause = Duration::from_secs(poll.every);
    let mut waited = Duration::ZERO;
    let deadline = Duration::from_secs(poll.deadline);
    loop {
        vars.job = job.clone();
        let draft = desk.draft(&poll.request, vars, format!("waiting for the job of `{}`", desk.stream.name))?;
        let mut asked = None;
        match desk.call(draft).await {
            Ok(answer) => {
                let seen = Vars { answer: shown_whole(&answer), ..vars.clone() };
                desk.capture(poll.capture.as_ref(), &seen, job)?;
                if poll.failed.as_ref().map(|failed| desk.holds(failed, &seen)).transpose()?.unwrap_or(false) {
                    let why = poll.say.as_ref().map(|say| desk.text(say, &seen)).transpose()?;
                    return Err(failed(desk, &why.unwrap_or_else(|| "the system gave it up".into())).into());
                }
                // What is under way lists nothing yet, which does not mean that there is nothing.
                if poll.done.as_ref().map(|done| desk.holds(done, &seen)).transpose()?.unwrap_or(true) {
                    let empty = poll.empty.as_ref().map(|empty| desk.holds(empty, &seen)).transpose()?;
                    return Ok(empty.unwrap_or(false));
                }
                asked = retry_after(&answer, desk.now.seconds + waited.as_secs().cast_signed());
            }
            // The job goes on whether it can be asked or not.
            Err(failure) if matches!(failure.class, Class::Retry | Class::Wait) => {}
            Err(failure) => {
                let gone = failure.answer.as_ref().is_some_and(|answer| matches!(answer.status, 404 | 410));
                return Err(match gone {
                    true => failed(desk, "the system no longer knows it").into(),
                    false => failure.into(),
                });
            }
        }
        if waited >= deadline {
            abort(desk, spec, &Fetched { parent: vars.parent.clone(), job: job.clone(), file: None }).await;
            let hours = deadline.as_secs() / 3600;
            return Err(failed(desk, &format!("it was not done after {hours} hours and was called off")).into());
        }
        let time = asked.unwrap_or(pause).min(deadline.saturating_sub(waited).max(Duration::from_secs(1)));
        desk.caller.wire().pause(time).await;
        waited += time;
        pause = (pause * 3 / 2).min(Duration::from_secs(poll.at_most.max(1)));
    }
}

/// How long to wait as an answer says: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(answer: &Answer, now: i64) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    let seconds = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => seconds.ceil() as u64,
        Ok(_) => return None,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
            u64::try_from(at.saturating_sub(now)).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.clamp(1, 3600)))
}

fn failed(desk: &Desk, why: &str) -> Error {
    Error::new(Kind::Failed, &JOB_FAILED, format!("the job that was ordered for `{}` failed: {why}", desk.stream.name))
        .hint("the next run orders it anew")
        .retry(Retry::Later)
}

fn file(desk: &Desk, slice: &str) -> Option<PathBuf> {
    let connector = &desk.given.connector;
    let name = blake3::hash(format!("{}\n{slice}\n{}", connector.name, desk.gone).as_bytes()).to_hex();
    Some(connector.state.as_ref()?.join("jobs").join(format!("{}.json", &name[..24])))
}

/// What is remembered of a job; `None` also where it was sealed under a key that is gone.
fn load(desk: &Desk, file: &PathBuf) -> Option<Json> {
    let mut known: Json = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    known["job"] = desk.hush.unseal(&known["job"])?;
    Some(known)
}

/// What a job captured may be an address that anybody could fetch.
fn sealed(desk: &Desk, mut known: Json) -> Result<Json> {
    known["job"] = desk.hush.seal(&known["job"])?;
    Ok(known)
}

fn keep(
    file: Option<&PathBuf>,
    desk: &Desk,
    (from, until): (Option<&str>, Option<&str>),
    job: &Json,
    at: i64,
    fetched: bool,
) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let known =
        json!({ "v": 1, "from": from, "until": until, "whole": desk.whole, "at": at, "job": job, "fetched": fetched });
    store(file, &sealed(desk, known)?).map_err(|error| Error::io("remembering a job that was ordered", error))
}

/// Written beside its name first, and durable before it takes its place: a crash leaves the one or the other.
fn store(file: &PathBuf, known: &Json) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = file.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let beside = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&beside)?;
    out.write_all(known.to_string().as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&beside, file)?;
    #[cfg(unix)]
    std::fs::File::open(&folder)?.sync_all()?;
    Ok(())
}
