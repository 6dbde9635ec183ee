//! `consign connect check`: is `connectors.yaml` right, or the file of a pack? Offline; no reference is resolved.

use std::path::PathBuf;

use serde_json::json;

use super::packs;
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::config::discover;
use crate::error::{Exit, Result, Severity};

/// Checks connectors.yaml, or files of packs: no network, no secrets, no commands
#[derive(clap::Args, Debug)]
pub(super) struct Check {
    /// Files of packs; connectors.yaml unless given
    paths: Vec<PathBuf>,
}

impl Check {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if !self.paths.is_empty() {
            return self.packs(context);
        }
        let found = context.find()?;
        let loaded = context.load(&found);
        let file = discover::shown(&found.file, &found.stand);
        // A pack of the project's own is checked where it stands.
        let mappings: Vec<&str> = loaded.mappings.iter().map(|mapping| mapping.file.as_str()).collect();
        let findings: Vec<_> = loaded
            .findings
            .into_iter()
            .filter(|f| {
                f.place.as_ref().is_none_or(|place| {
                    place.file == file
                        || (place.file.ends_with(".yaml")
                            && !place.file.contains("mappings/")
                            && !mappings.contains(&place.file.as_str()))
                })
            })
            .collect();
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

    fn packs(&self, context: &Context<'_>) -> Result<Exit> {
        let (mut findings, mut text, mut checked) = (Vec::new(), String::new(), Vec::new());
        for path in &self.paths {
            let spec = packs::from_file(path, &mut findings)?;
            let name = path.display().to_string();
            if let Some(pack) = spec.and_then(packs::pack_of).map(|protocol| protocol.pack) {
                text.push_str(&format!(
                    "{name}: pack {}, {} streams, {} operations, {} tests, no findings\n",
                    pack.name,
                    pack.streams.len(),
                    pack.operations.len(),
                    pack.exchanges.len()
                ));
            }
            checked.push(name);
        }
        let failed = findings.iter().any(|f| f.severity == Severity::Error);
        let mut answer = Answer::new().fact("ok", json!(!failed)).fact("packs", json!(self.paths.len()));
        if findings.is_empty() {
            answer = answer.text(text);
        }
        answer.checked = checked;
        context.ui.answer(answer.findings(findings))?;
        Ok(if failed { Exit::Invalid } else { Exit::Done })
    }
}
