//! `consign audit list`: events, the newest first; with `--follow` those that come, as they come.

use std::time::Duration;

use serde_json::{Value, json};

use crate::audit::condition::{Condition, seen};
use crate::audit::{Action, Category, Event, Level, Outcome};
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::text::shown;
use crate::cli::output::{Answer, Rows};
use crate::cli::ui::Shape;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::{EventFilter, Found};

/// How long to wait before looking whether something was recorded.
const LOOK: Duration = Duration::from_millis(250);

/// Lists events, the newest first
#[derive(clap::Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Goes on with those that are recorded from now on, until it is stopped; the oldest first
    #[arg(short, long)]
    follow: bool,
}

/// Which events are meant.
#[derive(clap::Args, Debug, Default, Clone)]
pub(super) struct Which {
    /// Only this action, or those that begin with it (`run`)
    #[arg(long)]
    action: Option<String>,
    /// Only this level or above (debug, info, warning, error, critical)
    #[arg(long)]
    level: Option<String>,
    /// Only this category
    #[arg(long)]
    category: Option<String>,
    /// Only those that ended so (success, partial, failure, denied, unknown)
    #[arg(long)]
    outcome: Option<String>,
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    /// Only of this route
    #[arg(long)]
    route: Option<String>,
    /// Only by this actor
    #[arg(long)]
    actor: Option<String>,
    /// Only to this resource
    #[arg(long)]
    resource: Option<String>,
    /// Only with at least this risk (0 to 1)
    #[arg(long, value_name = "N")]
    risk: Option<f64>,
    /// Only since then: a date, a moment, or `36h`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only those for which this holds, in the language of mappings: `event.details.rejected > 10`
    #[arg(long = "where", value_name = "EXPRESSION")]
    condition: Option<String>,
}

impl Which {
    /// As what the state is asked, and what must hold beside.
    pub(super) fn read(&self) -> Result<(EventFilter, Option<Condition>)> {
        let words = |all: Vec<&'static str>, what: &'static str| move |word: &str| unknown(what, word, &all);
        let category = self.category.as_deref().map(|word| {
            Category::of(word).ok_or_else(|| words(Category::ALL.iter().map(|c| c.word()).collect(), "category")(word))
        });
        let outcome = self.outcome.as_deref().map(|word| {
            Outcome::of(word).ok_or_else(|| words(Outcome::ALL.iter().map(|c| c.word()).collect(), "outcome")(word))
        });
        let filter = EventFilter {
            action: self.action.clone(),
            level: self.level.as_deref().map(level).transpose()?,
            category: category.transpose()?,
            outcome: outcome.transpose()?,
            run: self.run.clone(),
            route: self.route.clone(),
            actor: self.actor.clone(),
            resource: self.resource.clone(),
            least_risk: self.risk,
            since_ns: self.since.as_deref().map(|text| moment::past(text, now_ns())).transpose()?,
            until_ns: self.until.as_deref().map(|text| moment::past(text, now_ns())).transpose()?,
            ..EventFilter::default()
        };
        Ok((filter, self.condition.as_deref().map(condition).transpose()?))
    }

    /// As one line, for the record.
    pub(super) fn told(&self) -> String {
        let of = |name: &str, value: Option<String>| value.map(|value| format!("{name}={value}"));
        [
            of("action", self.action.clone()),
            of("level", self.level.clone()),
            of("category", self.category.clone()),
            of("outcome", self.outcome.clone()),
            of("run", self.run.clone()),
            of("route", self.route.clone()),
            of("actor", self.actor.clone()),
            of("resource", self.resource.clone()),
            of("risk", self.risk.map(|risk| risk.to_string())),
            of("since", self.since.clone()),
            of("until", self.until.clone()),
            of("where", self.condition.clone()),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
    }
}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let (filter, condition) = self.which.read()?;
        let store = context.store_must(&project)?;
        let holds = |event: &Event| condition.as_ref().is_none_or(|condition| condition.holds(&seen(event)));
        let last = store.last_event()?;
        let most = if self.limit == 0 { usize::MAX } else { self.limit };
        // Where an expression decides, nobody knows how many events it takes.
        let limit = if condition.is_some() { 0 } else { self.limit };
        let mut events = Vec::new();
        store.walk_events(&EventFilter { limit, ..filter.clone() }, &mut |Found { event, .. }| {
            if holds(&event) {
                events.push(event);
            }
            Ok(events.len() < most)
        })?;
        if !self.follow {
            let mut rows = Rows::new("events", &COLUMNS);
            events.iter().for_each(|event| rows.push(row(event)));
            let mut answer = Answer::new();
            if rows.rows.is_empty() {
                answer = answer.text("no event matches\n");
            }
            context.ui.answer(answer.rows(rows))?;
            drop(store);
            context.viewed(&project, Action::LogViewed, &self.which.told(), events.len())?;
            return Ok(Exit::Done);
        }
        context.viewed(&project, Action::LogViewed, &format!("{} follow", self.which.told()), events.len())?;
        let stop = context.stop(None)?;
        events.reverse();
        for event in &events {
            line(context, event)?;
        }
        let mut last = last;
        while !stop.asked() && !context.ui.is_closed() {
            let behind = EventFilter { after: Some(last), oldest_first: true, ..filter.clone() };
            // Up to here at least everything is looked at now.
            last = last.max(store.last_event()?);
            store.walk_events(&behind, &mut |Found { event, .. }| {
                last = last.max(event.seq);
                if holds(&event) {
                    line(context, &event)?;
                }
                Ok(true)
            })?;
            std::thread::park_timeout(LOOK);
        }
        Ok(Exit::Done)
    }
}

const COLUMNS: [&str; 12] =
    ["seq", "time", "level", "category", "action", "outcome", "route", "run", "resource", "actor", "risk", "id"];

fn row(event: &Event) -> Vec<Value> {
    vec![
        json!(event.seq),
        json!(moment::shown(event.time)),
        json!(event.level.word()),
        json!(event.category.word()),
        json!(event.action),
        json!(event.outcome.word()),
        json!(event.route),
        json!(event.run),
        json!(event.resource),
        json!(event.actor),
        json!(event.risk),
        json!(event.id),
    ]
}

/// One event on one line, at once.
fn line(context: &Context<'_>, event: &Event) -> Result<()> {
    let text = match context.global.output.unwrap_or(Shape::Text) {
        Shape::Text => {
            let told = [&event.route, &event.resource, &event.actor, &event.reason];
            let told: Vec<_> = told.into_iter().flatten().map(|text| shown(text)).collect();
            let (time, level) = (moment::shown(event.time), event.level.word());
            format!("{time} {level:<8} {} {} {}\n", event.action, event.outcome.word(), told.join(" "))
        }
        _ => format!("{}\n", serde_json::to_value(event).unwrap_or_default()),
    };
    context.ui.raw(text.as_bytes())
}

/// Compiles `--where`.
pub(super) fn condition(text: &str) -> Result<Condition> {
    Condition::compile(text).map_err(|faults| {
        let first = faults.first();
        let cause = first.map_or_else(String::new, |fault| fault.cause.clone());
        let error = Error::new(Kind::Invalid, &codes::cli::USAGE, format!("`--where` cannot be read: {cause}"));
        let error = match first {
            Some(fault) => {
                error.fact("at", format!("character {}", text[..fault.start.min(text.len())].chars().count() + 1))
            }
            None => error,
        };
        match first.and_then(|fault| fault.fix.clone()) {
            Some(fix) => error.hint(fix),
            None => error
                .hint("`event` has the members that `consign audit show` shows: event.action, event.details.read …"),
        }
    })
}

/// Reads the word of a level.
pub(super) fn level(word: &str) -> Result<Level> {
    let words: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
    Level::of(word).ok_or_else(|| unknown("level", word, &words))
}

fn unknown(what: &str, word: &str, words: &[&str]) -> Error {
    Error::new(Kind::Invalid, &codes::cli::USAGE, format!("there is no {what} `{word}`"))
        .hint(format!("choose one of {}", words.join(", ")))
}
