//! `consign map test`: the tests that stand in the mappings.

use std::path::Path;

use serde_json::json;

use super::chosen;
use crate::cli::context::Context;
use crate::cli::output::junit::{Case, Outcome, Suite};
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::config::{Mapping, rewrite};
use crate::error::{Error, Exit, Result};
use crate::map::{self, Failure, Route};
use crate::sync::check as checks;

/// Runs the tests of mappings
#[derive(clap::Args, Debug)]
pub(super) struct Test {
    /// Mappings; all of them unless named
    names: Vec<String>,
    /// Says for each rule and each of its ways how many tests take it
    #[arg(long)]
    coverage: bool,
    /// Writes what came out into the `expect` of tests that fail; comments and layout stay
    #[arg(long)]
    update: bool,
}

impl Test {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut loaded = context.load(&context.find()?);
        let checked = checks::check(&mut loaded, false);
        let names = chosen(&self.names, &loaded)?;
        // An example that does not hold is a finding of the check too; here it is a result.
        let mut blocking = Vec::new();
        let mut rows = Rows::new("tests", &["mapping", "test", "ok", "failure"]);
        let mut cover = Rows::new("coverage", &["mapping", "target", "way", "tests"]);
        let (mut suites, mut updates) = (Vec::new(), Updates::default());
        let (mut text, mut passed, mut failed) = (String::new(), 0_u64, 0_u64);
        for (mapping, checked) in loaded.mappings.iter().zip(&checked) {
            let name = mapping.name.value.as_str();
            if !names.iter().any(|n| n == name) {
                continue;
            }
            let Some(route) = &checked.route else {
                blocking.push(name.to_string());
                continue;
            };
            let tested = map::test(route, mapping);
            let mut cases = Vec::new();
            for example in &tested.examples {
                let mut failure = example.failure.as_ref().map(said);
                if self.update && failure.is_some() && updates.take(mapping, route, &example.name) {
                    failure = None;
                }
                cases.push(Case {
                    name: example.name.clone(),
                    result: match &failure {
                        None => Outcome::Passed,
                        Some(failure) => {
                            let at = format!("{}:{}", example.place.file, example.place.line);
                            Outcome::Failed("map-example-failed".into(), failure.trim().to_string(), at)
                        }
                    },
                });
                match &failure {
                    None => passed += 1,
                    Some(failure) => {
                        failed += 1;
                        let place = &example.place;
                        text.push_str(&format!(
                            "FAILED {name}: {}\n  --> {}:{}:{}\n{failure}\n",
                            shown(&example.name),
                            place.file,
                            place.line,
                            place.column
                        ));
                    }
                }
                rows.push(vec![json!(name), json!(example.name), json!(failure.is_none()), json!(failure)]);
            }
            suites.push(Suite { name: name.to_string(), cases });
            for (way, taken) in tested.coverage.iter().flat_map(ways) {
                cover.push(vec![json!(name), json!(way.0), json!(way.1), json!(taken)]);
            }
        }
        if !blocking.is_empty() {
            // What keeps a mapping from being run at all is more important than any test.
            return loaded.sound().map(|_| Exit::Failed);
        }
        updates.write()?;
        for file in &updates.files {
            text.push_str(&format!("{}: {}\n", file.0, count(file.2, "expectation updated", "expectations updated")));
        }
        text.push_str(&format!("{}, {failed} failed\n", count(passed, "test passed", "tests passed")));
        let mut answer =
            Answer::new().fact("ok", json!(failed == 0)).fact("passed", json!(passed)).fact("failed", json!(failed));
        if self.coverage {
            text.push('\n');
            text.push_str(&crate::cli::output::text::table(&cover));
            let untaken = cover.rows.iter().filter(|row| row[3] == json!(0)).count() as u64;
            let all = cover.rows.len() as u64;
            text.push_str(&format!("{} of {} taken\n", all - untaken, count(all, "way", "ways")));
            answer = answer
                .fact("coverage", cover.objects().collect())
                .fact("ways", json!(all))
                .fact("untaken", json!(untaken));
        }
        answer.suites = Some(suites);
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(if failed == 0 { Exit::Done } else { Exit::Invalid })
    }
}

/// The ways of a rule and how many tests took each: with a value; without one, where that leads
/// somewhere else; rejected, where it can be; each case of a switch.
fn ways(rule: &map::Coverage) -> Vec<((String, String), usize)> {
    let way = |name: &str, taken: usize| ((rule.target.clone(), name.to_string()), taken);
    let mut all = vec![way("value", rule.with_value)];
    if rule.without_value > 0 || rule.has_default {
        all.push(way(if rule.has_default { "default" } else { "no value" }, rule.without_value));
    }
    if rule.rejected > 0 || rule.can_reject {
        all.push(way("rejected", rule.rejected));
    }
    if let Some((held, not)) = rule.when {
        all.extend([way("when holds", held), way("when does not hold", not)]);
    }
    all.extend(rule.branches.iter().map(|(name, taken)| way(name, *taken)));
    all
}

/// Files whose expectations are written anew.
#[derive(Default)]
struct Updates {
    /// Name, text so far, how many tests.
    files: Vec<(String, String, u64)>,
}

impl Updates {
    /// Puts what came out into the text of the mapping's file. `false`: the file has no form that can be
    /// updated, or another target of the mapping has written this test already.
    fn take(&mut self, mapping: &Mapping, route: &Route, test: &str) -> bool {
        let Some(example) = mapping.tests.iter().find(|one| one.name.value == test) else { return false };
        let file = &mapping.file;
        let at = match self.files.iter().position(|(name, ..)| name == file) {
            Some(at) => at,
            None => {
                let Ok(text) = std::fs::read_to_string(file) else { return false };
                self.files.push((file.clone(), text, 0));
                self.files.len() - 1
            }
        };
        let made = map::came(route, example).and_then(|came| rewrite::expectation(&self.files[at].1, test, &came));
        let Some(made) = made.filter(|_| !mapping.is_branch()) else { return false };
        self.files[at].1 = made;
        self.files[at].2 += 1;
        true
    }

    fn write(&mut self) -> Result<()> {
        self.files.retain(|(_, _, tests)| *tests > 0);
        for (name, text, _) in &self.files {
            super::fmt::replace(Path::new(name), text).map_err(|e| Error::io(format!("writing {name}"), e))?;
        }
        Ok(())
    }
}

/// A failure as indented lines.
fn said(failure: &Failure) -> String {
    match failure {
        Failure::Different(differences) => differences
            .iter()
            .map(|d| format!("  {}: expected {}, got {}", d.field, shown(&d.expected), shown(&d.got)))
            .collect::<Vec<_>>()
            .join("\n"),
        Failure::Verdict { expected, got, field } => {
            let field = field.as_ref().map_or_else(String::new, |f| format!(" at {f}"));
            format!("  expected {}, got {}{field}", shown(expected), shown(got))
        }
        Failure::Invalid { cause, .. } => format!("  {}", shown(cause)),
    }
}
