//! `consign sync show RUN`: all that is known of one run.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{grouped, shown};
use crate::error::{Exit, Result};
use crate::report;

/// Shows one run: counts, reasons of rejects, what was said
#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// The run's id, or the beginning or end of it
    run: String,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let store = context.store_must(&project)?;
        let run = store.run(&self.run)?;
        let reasons = store.reject_reasons(&run.id)?;
        let (rulings, sums) = (store.rulings(&run.id)?, store.sums(&run.id)?);
        let t = &run.totals;
        let mut text = format!("run {} of {}\n", run.id, run.route);
        let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<10} {value}\n"));
        let exit = run.exit.map_or_else(String::new, |n| format!(", exit {n}"));
        line("state", format!("{}{exit}", run.state.word()));
        line("started", moment::shown(run.started_ns));
        if let Some(end) = run.ended_ns {
            line("took", moment::span((end - run.started_ns) as f64 / 1e9));
        }
        line("cause", std::iter::once(&run.cause).chain(&run.flags).cloned().collect::<Vec<_>>().join(", "));
        line("read", grouped(t.read));
        line("filtered", grouped(t.filtered));
        line("rejected", grouped(t.rejected));
        line("written", grouped(t.written));
        for (name, count) in [
            ("withheld", t.withheld),
            ("unchanged", t.unchanged),
            ("unmatched", t.unmatched),
            ("superseded", t.superseded),
            ("deleted", t.deleted),
            ("refused", t.refused),
            ("in doubt", t.in_doubt),
        ] {
            if count > 0 {
                line(name, grouped(count));
            }
        }
        line("groups", grouped(run.groups));
        if let Some((code, cause)) = &run.error {
            line("error", format!("{} ({code})", shown(cause)));
        }
        for reason in &reasons {
            line("reason", report::run::reason(reason));
        }
        for one in &rulings {
            line(&one.act, format!("{} × {}", grouped(one.records), shown(&one.told)));
        }
        for sum in &sums {
            let read = sum.read.map_or_else(String::new, |read| format!("{read} read, "));
            line(
                "sum",
                format!(
                    "`{}`: {read}{} filtered, {} rejected, {} withheld, {} written",
                    sum.field,
                    sum.filtered,
                    sum.rejected,
                    sum.withheld,
                    sum.written().unwrap_or_default()
                ),
            );
        }
        for warning in &run.warnings {
            line("said", shown(warning));
        }
        let answer = Answer::new()
            .fact("run", report::run::run_json(&run))
            .fact("rulings", rulings.iter().map(ruling).collect())
            .fact("sums", crate::store::sums_json(&sums))
            .fact("reasons", json!(reasons.iter().map(report::run::reason_json).collect::<Vec<_>>()));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

fn ruling(one: &crate::store::RulingRow) -> serde_json::Value {
    json!({ "act": one.act, "code": one.code, "rule": one.rule, "field": one.field, "class": one.class, "records": one.records, "told": one.told })
}
