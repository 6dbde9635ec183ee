//! `consign audit verify`: the whole log is recomputed from its stored bytes; the first event that
//! does not fit is named, and so is every check that could not be made.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::audit::verify::Made;
use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{count, grouped, shown};
use crate::error::{Error, Exit, Result};

/// Verifies that nothing in the log was changed, dropped or put in
#[derive(clap::Args, Debug)]
pub(super) struct Verify {
    /// A file with the log's first key, as it was given away when the log began: proves more
    #[arg(long, value_name = "FILE")]
    first_key: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let first = match &self.first_key {
            None => None,
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|e| Error::io(format!("reading `{}`", path.display()), e))?;
                Some(zeroize::Zeroizing::new(text.trim().to_string()))
            }
        };
        let store = context.store_must(&project)?;
        let verified = store.verify_audit(first.as_ref().map(|key| key.as_str()))?;
        let mut text = String::new();
        let mut logs: Vec<Value> = Vec::new();
        for (report, closed) in &verified.logs {
            let events = count(report.events, "event", "events");
            text.push_str(&format!("log {}: {events}", report.log_id));
            if let (Some(from), Some(to)) = (report.from_ns, report.to_ns) {
                text.push_str(&format!(", {} to {}", moment::shown(from), moment::shown(to)));
            }
            if report.pruned > 0 {
                text.push_str(&format!(", after {} that were pruned", grouped(report.pruned)));
            }
            if report.redacted > 0 {
                text.push_str(&format!(", {} of them redacted", grouped(report.redacted)));
            }
            text.push_str(if *closed { ", closed because its key was lost\n" } else { "\n" });
            let mut checks: Vec<Value> = Vec::new();
            for check in &report.checks {
                let (word, why) = made(&check.made);
                text.push_str(&format!(
                    "  {word:<9} {}{}\n",
                    check.test.name(),
                    why.as_ref().map_or_else(String::new, |w| format!(": {}", shown(w)))
                ));
                checks.push(json!({ "check": check.test.name(), "result": word, "why": why }));
            }
            let bad = report.bad.as_ref().map(|bad| {
                text.push_str(&format!("  first bad event: {} ({})\n", grouped(bad.seq), shown(&bad.what)));
                text.push_str(&format!("  looks like: {} ({})\n", bad.looks.word(), bad.looks.about()));
                json!({
                    "seq": bad.seq, "id": bad.id, "check": bad.test.name(), "what": bad.what,
                    "looks_like": bad.looks.word(),
                })
            });
            logs.push(json!({
                "log": report.log_id, "events": report.events, "pruned": report.pruned, "redacted": report.redacted,
                "root": report.root.as_ref().map(|root| STANDARD.encode(root)), "closed": closed, "checks": checks, "bad": bad,
            }));
        }
        let good = verified.is_good();
        text.push_str(if good { "nothing was changed\n" } else { "the log does NOT verify\n" });
        context.ui.answer(Answer::new().fact("ok", json!(good)).fact("logs", json!(logs)).text(text))?;
        match verified.error() {
            // The findings are the answer; a document on top of the document would be two.
            Some(error) => {
                context.ui.talk_error(&error);
                Ok(error.exit())
            }
            None => Ok(Exit::Done),
        }
    }
}

fn made(made: &Made) -> (&'static str, Option<String>) {
    match made {
        Made::Passed => ("good", None),
        Made::Failed => ("BAD", None),
        Made::UntilFault => ("so far", Some("another check failed first".into())),
        Made::NotMade(why) => ("not made", Some((*why).to_string())),
    }
}
