//! Alerts: whoever is to be told of an event is told once the event is durable. What could not be told waits in
//! the state and is tried again by later commands; that it failed is an event of its own. A message names events,
//! routes, codes and counts; never a value of a record, and no text that another system or a script wrote.

mod email;
mod message;
mod places;

use crate::config::{Alert, Environment, Project, Resolver};
use crate::error::codes::cli::UNKNOWN_NAME;
use crate::error::{Error, Kind, Result, nearest};
use crate::store::{Store, failpoint};

pub use message::Message;

/// Alerts of one command; what is more than this waits for the next: whoever is told of a thousand things is told
/// of nothing.
const MOST: usize = 20;

/// Sends what waits, all of it or what is due; how many were sent, and what went wrong.
///
/// # Errors
/// The state cannot be read or written.
pub fn send(project: &Project, store: &mut Store, all: bool) -> Result<(u64, Vec<Error>)> {
    let waiting = if all { store.alerts()? } else { store.alerts_due()? };
    let resolver = Resolver::new(&project.root, Environment::process());
    let (mut sent, mut failed) = (0, Vec::new());
    if !waiting.is_empty() {
        failpoint::reach("before_alerts");
    }
    for alert in waiting.into_iter().take(if all { usize::MAX } else { MOST }) {
        let ended = match (project.audit.alerts.iter().find(|to| to.name == alert.place), &alert.event) {
            (Some(to), Some(event)) => {
                let message = Message::of(project, to, event, &alert.why, store.audit_log_id());
                places::send(to, &message, &resolver).map_err(|error| error.doing(format!("alerting `{}`", to.name)))
            }
            // Nobody of that name is told any more, or what it was about was pruned: there is nothing to tell.
            _ => Ok(()),
        };
        failpoint::reach("after_alert");
        store.alert_ended(&alert, ended.as_ref().err())?;
        match ended {
            Ok(()) => sent += 1,
            Err(error) => failed.push(error),
        }
    }
    Ok((sent, failed))
}

/// Tells at once, past the state, whoever is told of integrity: the log does not verify, and perhaps takes no event.
/// What went wrong.
pub fn integrity(project: &Project, what: &str) -> Vec<Error> {
    let resolver = Resolver::new(&project.root, Environment::process());
    let told = project.audit.alerts.iter().filter(|to| to.on.iter().any(|on| on == "integrity"));
    told.filter_map(|to| {
        let sent = places::send(to, &Message::integrity(project, to, what), &resolver);
        sent.err().map(|error| error.doing(format!("alerting `{}`", to.name)))
    })
    .collect()
}

/// Sends a test to those of these names, or to everybody: name, kind, and what went wrong.
///
/// # Errors
/// There is nobody of such a name.
pub fn test<'p>(project: &'p Project, names: &[String]) -> Result<Vec<(&'p str, &'static str, Result<()>)>> {
    let known = || project.audit.alerts.iter().map(|alert| alert.name.as_str());
    if let Some(name) = names.iter().find(|name| known().all(|known| known != name.as_str())) {
        let error = Error::new(Kind::Invalid, &UNKNOWN_NAME, format!("there is no alert `{name}`"));
        return Err(match nearest(name, known()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("alerts stand under `audit: { alerts }`"),
        });
    }
    let resolver = Resolver::new(&project.root, Environment::process());
    let asked = |alert: &&Alert| names.is_empty() || names.contains(&alert.name);
    let chosen = project.audit.alerts.iter().filter(asked);
    Ok(chosen
        .map(|to| (to.name.as_str(), to.to.word(), places::send(to, &Message::test(project, to), &resolver)))
        .collect())
}
