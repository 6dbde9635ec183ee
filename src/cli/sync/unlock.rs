//! `consign sync unlock NAME`: who holds a route, and what can be done.
//!
//! The lock is the operating system's: a process that died has freed it already, and one that is
//! stopped past its deadline is taken over by the next run, so there is nothing that could be cleared
//! behind the back of one that lives.

use serde_json::json;

use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::config::routes_named;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::Standing;
use crate::store::folder::Folder;
use crate::store::lock::{self, Health};

/// Says who holds a route, and how to free it
#[derive(clap::Args, Debug)]
pub(super) struct Unlock {
    /// The route's name
    name: String,
}

impl Unlock {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let routes = routes_named(&mappings, &self.name)?;
        let folder = Folder::at(&context.state_folder(&project));
        let mut held = None;
        for route in routes {
            if let Standing::Held(holder, health) = lock::standing(&folder, &route.name.value)? {
                held = Some((route.name.value.as_str(), holder, health));
                break;
            }
        }
        let Some((name, holder, health)) = held else {
            let name = &self.name;
            let answer = Answer::new().fact("route", json!(name)).fact("held", json!(false));
            context.ui.answer(answer.text(format!("nobody holds {name}: there is nothing to unlock\n")))?;
            return Ok(Exit::Done);
        };
        let state = match health {
            Health::Stopped => "a process that is stopped",
            Health::Elsewhere => "a process of another container",
            Health::Running | Health::Gone => "another run",
        };
        let error = Error::new(Kind::Locked, &codes::cli::HELD, format!("{state} holds `{name}`"));
        let Some(holder) = holder else {
            return Err(error.hint("wait until it ends; the next run resumes"));
        };
        let now = now_ns();
        let mut error = error
            .fact("pid", holder.process.pid)
            .fact("since", moment::shown(holder.since_ns))
            .fact("command", &holder.command)
            .fact("host", &holder.host);
        if let Some(silent) = holder.silence(now) {
            error = error.fact("last sign of life", format!("{} ago", moment::span(silent.as_secs_f64())));
        }
        for hint in lock::hints(&holder, health, now) {
            error = error.hint(hint);
        }
        Err(error)
    }
}
