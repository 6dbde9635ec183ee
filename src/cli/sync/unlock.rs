//! `consign sync unlock NAME`: who holds a route, and what can be done.
//!
//! The lock is the operating system's: a process that died has freed it already, so there is
//! nothing that could be cleared behind the back of one that lives.

use serde_json::json;

use crate::cli::context::Context;
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
        let mut error = Error::new(Kind::Locked, &codes::cli::HELD, format!("another run holds `{name}`"));
        if let Some(holder) = &holder {
            error = error
                .fact("process", holder.pid)
                .fact("host", &holder.host)
                .fact("since", moment::shown(holder.since_ns));
        }
        let pid = holder.as_ref().map_or_else(|| "PID".to_string(), |h| h.pid.to_string());
        Err(match health {
            Health::Stopped => error.hint(format!(
                "it is stopped: `kill -CONT {pid}` lets it go on, `kill -KILL {pid}` frees the route at once"
            )),
            _ => error.hint(format!("wait for it, or let it drain with `kill -TERM {pid}`; the next run resumes")),
        })
    }
}
