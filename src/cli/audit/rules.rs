//! `consign audit rules`: rules over events: what there is, their own tests, and what they would have done.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::json;

use crate::audit::condition::seen;
use crate::audit::rules::{self, InMemory, Rule, Watch};
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::config::{EventRule, Project};
use crate::error::codes::audit::RULE_TEST;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::store::{EventFilter, Found};

/// Rules over events
#[derive(clap::Args, Debug)]
pub(super) struct Rules {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Lists the rules
    List,
    /// Runs the tests of rules, or tries them on what was recorded, without doing anything
    Test {
        /// Only these rules
        names: Vec<String>,
        /// Tries them on the events since then, in place of their tests: a date, a moment, or `30d`
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
}

impl Rules {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        match self.verb {
            Verb::List => list(context, &project),
            Verb::Test { names, since: None } => test(context, &chosen(&project, &names)?),
            Verb::Test { names, since: Some(since) } => tried(context, &project, &chosen(&project, &names)?, &since),
        }
    }
}

fn chosen<'p>(project: &'p Project, names: &[String]) -> Result<Vec<&'p EventRule>> {
    let rules = &project.audit.rules;
    if names.is_empty() {
        return Ok(rules.iter().collect());
    }
    let find = |name: &String| {
        rules.iter().find(|rule| rule.name == *name).ok_or_else(|| {
            let error =
                Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("there is no rule `{name}` over events"));
            match nearest(name, rules.iter().map(|rule| rule.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("rules stand under `audit: { rules }`"),
            }
        })
    };
    names.iter().map(find).collect()
}

fn list(context: &Context<'_>, project: &Project) -> Result<Exit> {
    let columns = ["name", "enabled", "severity", "threshold", "window_s", "group_by", "actions", "control", "about"];
    let mut rows = Rows::new("rules", &columns);
    for rule in &project.audit.rules {
        rows.push(vec![
            json!(rule.name),
            json!(rule.enabled),
            json!(rule.severity),
            json!(rule.threshold),
            json!(rule.window.as_secs()),
            json!(rule.group_by.as_ref().map(|by| &by.text)),
            json!(rule.actions.join(" ")),
            json!(rule.control),
            json!(rule.about),
        ]);
    }
    let mut answer = Answer::new();
    if rows.rows.is_empty() {
        answer = answer.text("there is no rule over events; they stand under `audit: { rules }`\n");
    }
    context.ui.answer(answer.rows(rows))?;
    Ok(Exit::Done)
}

fn test(context: &Context<'_>, chosen: &[&EventRule]) -> Result<Exit> {
    let mut rows = Rows::new("tests", &["rule", "test", "ok", "what"]);
    let (mut text, mut passed, mut failed) = (String::new(), 0_u64, 0_u64);
    for rule in chosen {
        for (name, wrong) in rules::test(rule)? {
            match &wrong {
                None => passed += 1,
                Some(wrong) => {
                    failed += 1;
                    text.push_str(&format!("{}: {}: {wrong}\n", shown(&rule.name), shown(&name)));
                }
            }
            rows.push(vec![json!(rule.name), json!(name), json!(wrong.is_none()), json!(wrong)]);
        }
        if rule.tests.is_empty() {
            text.push_str(&format!("{}: it has no tests\n", shown(&rule.name)));
        }
    }
    text.push_str(&format!("{} passed, {failed} failed\n", count(passed, "test", "tests")));
    let answer = Answer::new().fact("passed", json!(passed)).fact("failed", json!(failed));
    context.ui.answer(answer.rows(rows).text(text))?;
    if failed > 0 {
        let error =
            Error::new(Kind::Invalid, &RULE_TEST, format!("{} of rules failed", count(failed, "test", "tests")));
        context.ui.talk_error(&error);
        return Ok(error.exit());
    }
    Ok(Exit::Done)
}

/// What rules would have done on what was recorded.
fn tried(context: &Context<'_>, project: &Project, chosen: &[&EventRule], since: &str) -> Result<Exit> {
    let watch =
        Watch { rules: chosen.iter().map(|rule| Rule::compile(rule)).collect::<Result<_>>()?, ..Watch::default() };
    let store = context.store_must(project)?;
    let filter = EventFilter {
        since_ns: Some(moment::past(since, now_ns())?),
        after: Some(0),
        oldest_first: true,
        ..EventFilter::default()
    };
    let (mut memory, mut looked, mut rows) =
        (InMemory::default(), 0_u64, Rows::new("fired", &["rule", "time", "event", "group", "count"]));
    let mut fires: BTreeMap<&str, u64> = chosen.iter().map(|rule| (rule.name.as_str(), 0)).collect();
    store.walk_events(&filter, &mut |Found { event, .. }| {
        looked += 1;
        // No rule looks at what rules did.
        if event.action.starts_with("rule.") {
            return Ok(true);
        }
        for fired in watch.judge(&seen(&event), event.seq, event.time, &mut memory)? {
            let name = chosen[fired.rule].name.as_str();
            *fires.entry(name).or_default() += 1;
            rows.push(vec![
                json!(name),
                json!(moment::shown(event.time)),
                json!(event.seq),
                json!(fired.part),
                json!(fired.count),
            ]);
        }
        Ok(true)
    })?;
    let mut text = format!("{} looked at\n", count(looked, "event", "events"));
    for (name, times) in &fires {
        text.push_str(&format!("  {}: would have fired {}\n", shown(name), count(*times, "time", "times")));
    }
    let answer = Answer::new().fact("events", json!(looked)).fact("rules", json!(fires));
    context.ui.answer(answer.rows(rows).text(text))?;
    Ok(Exit::Done)
}
