//! Heartbeats: somebody outside is told how runs ended, so that it is noticed when they do not. The
//! convention is that of healthchecks.io and its kin: the address after success, `/start` and `/fail`
//! added for the rest. Whatever happens here changes no run's outcome.

use std::time::Duration;

use crate::config::{Environment, Heartbeat, Project, Resolver, Secret, Text};
use crate::connect::http;
use crate::connect::runtime::Runtime;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::folder::replace_file_as;

/// Tries of a heartbeat: a packet may be lost.
const TRIES: u32 = 2;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// A run begins.
    Start,
    /// It ended so.
    End(Exit),
}

impl Beat {
    /// The word for `{state}`, and what is added to the path where no word stands.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Start => ("run", "/start"),
            Self::End(Exit::Done) => ("complete", ""),
            Self::End(_) => ("fail", "/fail"),
        }
    }
}

/// Tells of the whole command (`route` is `None`) or of one route. What could not be told comes back
/// as warnings.
pub fn beat(project: &Project, route: Option<&str>, beat: Beat) -> Vec<Error> {
    let heartbeat = &project.heartbeat;
    let pulse = match route {
        None => &heartbeat.whole,
        Some(name) => match heartbeat.routes.get(name) {
            Some(pulse) => pulse,
            None => return Vec::new(),
        },
    };
    // Another run is under way: it will tell how it ended.
    if beat == Beat::End(Exit::Locked) || (beat == Beat::Start && !heartbeat.start) {
        return Vec::new();
    }
    let resolver = Resolver::new(&project.root, Environment::process());
    let mut warnings = Vec::new();
    let mut told = |outcome: Result<()>| warnings.extend(outcome.err());
    if let Some(url) = &pulse.url {
        told(ping(url, &resolver, heartbeat.timeout, beat));
    }
    if let (Some(file), Beat::End(Exit::Done)) = (&pulse.file, beat) {
        told(touch(project, file, &resolver));
    }
    let doing = route.map_or("giving the heartbeat".to_string(), |name| format!("giving the heartbeat of `{name}`"));
    warnings.into_iter().map(|error| error.doing(doing.clone()).fact("outcome of the run", "unchanged")).collect()
}

/// Routes that have a heartbeat and do not exist: a typing mistake nobody would hear of.
pub fn unknown<'h>(heartbeat: &'h Heartbeat, names: &[&str]) -> Vec<&'h str> {
    heartbeat.routes.keys().map(String::as_str).filter(|name| !names.contains(name)).collect()
}

fn ping(url: &Text, resolver: &Resolver, timeout: Duration, beat: Beat) -> Result<()> {
    let url = address(resolver.text(url)?.reveal(), beat)?;
    let client = http::client(timeout, url.reveal().starts_with("https:"))?;
    let runtime = Runtime::start("heartbeat")?;
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        outcome = runtime.run(http::get(&client, &url));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// The address for this beat: words filled in, or the step added before a query.
fn address(url: &str, beat: Beat) -> Result<Secret<String>> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let cause = "`heartbeat.url` is no address that begins with http:// or https://";
        return Err(Error::new(Kind::Invalid, &codes::connect::HTTP_FAILED, cause));
    }
    let (state, step) = beat.words();
    if url.contains("{state}") || url.contains("{exit}") {
        let exit = match beat {
            Beat::Start => String::new(),
            Beat::End(exit) => exit.number().to_string(),
        };
        return Ok(Secret::new(url.replace("{state}", state).replace("{exit}", &exit)));
    }
    let (path, query) = url.find('?').map_or((url, ""), |at| url.split_at(at));
    let path = if step.is_empty() { path } else { path.trim_end_matches('/') };
    Ok(Secret::new(format!("{path}{step}{query}")))
}

fn touch(project: &Project, file: &Text, resolver: &Resolver) -> Result<()> {
    let path = project.root.join(resolver.text(file)?.reveal());
    let now = format!("{}\n", jiff::Timestamp::now());
    replace_file_as(&path, now.as_bytes(), 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_convention() {
        let check = |url: &str, beat: Beat, expected: &str| {
            assert_eq!(address(url, beat).unwrap().reveal(), expected);
        };
        let (fine, broken) = (Beat::End(Exit::Done), Beat::End(Exit::Partial));
        check("https://hc.example/ping/abc", fine, "https://hc.example/ping/abc");
        check("https://hc.example/ping/abc", broken, "https://hc.example/ping/abc/fail");
        check("https://hc.example/ping/abc/", Beat::Start, "https://hc.example/ping/abc/start");
        check("http://h/p?a=b", broken, "http://h/p/fail?a=b");
        check("https://c.example/p/k?state={state}&code={exit}", broken, "https://c.example/p/k?state=fail&code=5");
        check("https://c.example/p/k?state={state}", fine, "https://c.example/p/k?state=complete");
        check("https://hc.example/ping/abc/{exit}", fine, "https://hc.example/ping/abc/0");
        for wrong in ["", "hc.example/x", "file:///etc/passwd", "ftp://x"] {
            assert_eq!(address(wrong, fine).unwrap_err().exit().number(), 2, "{wrong}");
        }
    }
}
