//! `consign connect check`: is `connectors.yaml` right? Offline; no reference is resolved.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::config::discover;
use crate::error::{Exit, Result, Severity};

/// Checks connectors.yaml: no network, no secrets, no commands
#[derive(clap::Args, Debug)]
pub(super) struct Check {}

impl Check {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let found = context.find()?;
        let loaded = context.load(&found);
        let file = discover::shown(&found.file, &found.stand);
        let findings: Vec<_> =
            loaded.findings.into_iter().filter(|f| f.place.as_ref().is_none_or(|place| place.file == file)).collect();
        let failed = findings.iter().any(|f| f.severity == Severity::Error);
        let connectors = loaded.project.map_or(0, |p| p.connectors.len());
        let mut answer = Answer::new().fact("ok", json!(!failed)).fact("connectors", json!(connectors));
        if findings.is_empty() {
            answer = answer.text(format!("{file}: {connectors} connectors, no findings\n"));
        }
        answer.checked = vec![file];
        context.ui.answer(answer.findings(findings))?;
        Ok(if failed { Exit::Invalid } else { Exit::Done })
    }
}
