//! `consign audit stats`: what the log comes to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::audit::risk::Bands;
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{count, grouped, shown};
use crate::error::{Exit, Result};

/// How many of each list are shown to a person.
const SHOWN: usize = 10;

/// Totals, risk, and who and what stands out
#[derive(clap::Args, Debug)]
pub(super) struct Stats {
    /// Only of events since then: a date, a moment, or `36h`; `all` for the whole log
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: String,
}

impl Stats {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let since = match self.since.as_str() {
            "all" => None,
            text => Some(moment::past(text, now_ns())?),
        };
        let [low, medium, high, critical] = project.audit.risk;
        let bands = Bands { low, medium, high, critical };
        let store = context.store_must(&project)?;
        let made = store.event_statistics(since, &bands)?;
        let rules = project.audit.rules.iter().filter(|rule| rule.enabled).count();
        let mut text = count(made.events, "event", "events");
        if let Some((first, last)) = made.between {
            text.push_str(&format!(", {} to {}", moment::shown(first), moment::shown(last)));
        }
        text.push_str(&format!(
            "\naverage risk {:.3}, highest {:.3}; {} active\n",
            made.average_risk,
            made.highest_risk,
            count(rules as u64, "rule", "rules")
        ));
        if made.alerts_waiting > 0 {
            let waiting = count(made.alerts_waiting, "alert waits", "alerts wait");
            text.push_str(&format!("{waiting} to be sent: consign audit alerts send\n"));
        }
        for (name, of) in [
            ("level", &made.levels),
            ("category", &made.categories),
            ("action", &made.actions),
            ("outcome", &made.outcomes),
            ("actor", &made.actors),
        ] {
            list(&mut text, name, of);
        }
        if !made.bands.is_empty() {
            let of = made.bands.iter().map(|(word, count)| ((*word).to_string(), *count)).collect();
            list(&mut text, "risk", &of);
        }
        if !made.entities.is_empty() {
            text.push_str("riskiest of the last 30 days\n");
            for (name, score) in made.entities.iter().take(SHOWN) {
                text.push_str(&format!("  {score:.3}  {}\n", shown(name)));
            }
        }
        let entities: Vec<Value> =
            made.entities.iter().map(|(name, score)| json!({ "entity": name, "score": score })).collect();
        let answer = Answer::new()
            .fact("total_events", json!(made.events))
            .fact("from", json!(made.between.map(|(first, _)| moment::shown(first))))
            .fact("to", json!(made.between.map(|(_, last)| moment::shown(last))))
            .fact("average_risk_score", json!(made.average_risk))
            .fact("highest_risk_score", json!(made.highest_risk))
            .fact("active_rules", json!(rules))
            .fact("by_level", json!(made.levels))
            .fact("by_category", json!(made.categories))
            .fact("by_action", json!(made.actions))
            .fact("by_outcome", json!(made.outcomes))
            .fact("by_actor", json!(made.actors))
            .fact("by_risk", json!(made.bands))
            .fact("entities", json!(entities))
            .fact("alerts_waiting", json!(made.alerts_waiting))
            .fact("bytes", json!(made.bytes));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

fn list(text: &mut String, name: &str, of: &BTreeMap<String, u64>) {
    let mut all: Vec<_> = of.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    text.push_str(&format!("by {name}\n"));
    let width = all.iter().take(SHOWN).map(|(_, count)| grouped(**count).len()).max().unwrap_or(0);
    for (word, count) in all.iter().take(SHOWN) {
        text.push_str(&format!("  {:>width$}  {}\n", grouped(**count), shown(word)));
    }
    if all.len() > SHOWN {
        text.push_str(&format!("  and {} more\n", all.len() - SHOWN));
    }
}
