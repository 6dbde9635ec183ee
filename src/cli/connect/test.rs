//! `consign connect test`: the recorded exchanges of packs, replayed offline.

use serde_json::json;

use super::packs::{self, Chosen, pack_of};
use crate::cli::context::Context;
use crate::cli::output::junit::{Case, Outcome, Suite};
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::config::Shelf as _;
use crate::connect::pack::SHELF;
use crate::connect::trial;
use crate::error::{Exit, Result};

/// Replays the tests of packs, offline: what is sent is compared, and what comes of it
#[derive(clap::Args, Debug)]
pub(super) struct Test {
    /// Connectors, built-in packs, or files of packs; all connectors of the project unless named, without a project the whole catalog
    names: Vec<String>,
    /// The whole catalog of built-in packs
    #[arg(long, conflicts_with = "names")]
    packs: bool,
}

impl Test {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let chosen = self.chosen(context)?;
        let mut rows = Rows::new("tests", &["pack", "test", "ok", "failure"]);
        let (mut suites, mut text) = (Vec::new(), String::new());
        let (mut passed, mut failed) = (0_u64, 0_u64);
        for one in &chosen {
            let Some(protocol) = pack_of(one.spec) else { continue };
            let mut cases = Vec::new();
            for test in &protocol.pack.exchanges {
                let failures = trial::run(one.spec, test);
                let place = &test.place;
                let failure = (!failures.is_empty()).then(|| failures.join("\n"));
                match &failure {
                    None => passed += 1,
                    Some(failure) => {
                        failed += 1;
                        let lines: Vec<String> = failure.lines().map(|line| format!("  {}", shown(line))).collect();
                        text.push_str(&format!(
                            "FAILED {}: {}\n  --> {}:{}:{}\n{}\n",
                            one.name,
                            shown(&test.name),
                            place.file,
                            place.line,
                            place.column,
                            lines.join("\n")
                        ));
                    }
                }
                cases.push(Case {
                    name: test.name.clone(),
                    result: match &failure {
                        None => Outcome::Passed,
                        Some(failure) => Outcome::Failed(
                            "pack-test-failed".into(),
                            failure.clone(),
                            format!("{}:{}", place.file, place.line),
                        ),
                    },
                });
                rows.push(vec![json!(one.name), json!(test.name), json!(failure.is_none()), json!(failure)]);
            }
            if cases.is_empty() {
                context.ui.note(&format!("the pack `{}` has no tests", one.name));
            }
            suites.push(Suite { name: one.name.clone(), cases });
        }
        text.push_str(&format!(
            "{}: {}, {failed} failed\n",
            count(suites.len() as u64, "pack", "packs"),
            count(passed, "test passed", "tests passed")
        ));
        let mut answer =
            Answer::new().fact("ok", json!(failed == 0)).fact("passed", json!(passed)).fact("failed", json!(failed));
        answer.suites = Some(suites);
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(if failed == 0 { Exit::Done } else { Exit::Invalid })
    }

    fn chosen(&self, context: &Context<'_>) -> Result<Vec<Chosen>> {
        if !self.names.is_empty() {
            return self.names.iter().map(|name| packs::chosen(name, context)).collect();
        }
        let project = match self.packs {
            true => None,
            false => context.find().ok().and_then(|found| context.load(&found).project),
        };
        Ok(match project {
            Some(project) => project
                .connectors
                .values()
                .filter_map(|connector| {
                    let spec = connector.spec.filter(|spec| pack_of(spec).is_some())?;
                    Some(Chosen { name: connector.name.clone(), spec, connector: Some(connector.clone()) })
                })
                .collect(),
            None => SHELF
                .names()
                .into_iter()
                .filter_map(|name| Some(Chosen { name: name.to_owned(), spec: SHELF.take(name)?, connector: None }))
                .collect(),
        })
    }
}
