//! `consign map test`: the tests that stand in the mappings.

use serde_json::json;

use super::chosen;
use crate::cli::context::Context;
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};
use crate::map::{self, Failure};
use crate::sync::check as checks;

/// Runs the tests of mappings
#[derive(clap::Args, Debug)]
pub(super) struct Test {
    /// Mappings; all of them unless named
    names: Vec<String>,
    /// Says for each rule how many tests reach it
    #[arg(long)]
    coverage: bool,
}

impl Test {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut loaded = context.load(&context.find()?);
        let checked = checks::check(&mut loaded, false);
        let names = chosen(&self.names, &loaded)?;
        // An example that does not hold is a finding of the check too; here it is a result.
        let mut blocking = Vec::new();
        let mut rows = Rows::new("tests", &["mapping", "test", "ok", "failure"]);
        let mut cover = Rows::new("coverage", &["mapping", "target", "with_value", "without_value", "rejected"]);
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
            for example in &tested.examples {
                let failure = example.failure.as_ref().map(said);
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
            for rule in &tested.coverage {
                cover.push(vec![
                    json!(name),
                    json!(rule.target),
                    json!(rule.with_value),
                    json!(rule.without_value),
                    json!(rule.rejected),
                ]);
            }
        }
        if !blocking.is_empty() {
            // What keeps a mapping from being run at all is more important than any test.
            return loaded.sound().map(|_| Exit::Failed);
        }
        text.push_str(&format!("{}, {failed} failed\n", count(passed, "test passed", "tests passed")));
        let mut answer =
            Answer::new().fact("ok", json!(failed == 0)).fact("passed", json!(passed)).fact("failed", json!(failed));
        if self.coverage {
            text.push('\n');
            text.push_str(&crate::cli::output::text::table(&cover));
            answer = answer.fact("coverage", cover.objects().collect());
        }
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(if failed == 0 { Exit::Done } else { Exit::Invalid })
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
