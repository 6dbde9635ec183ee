//! What the log comes to: totals, risk, who and what stands out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::append;
use super::browse::{EventFilter, Found};
use super::{Store, sql};
use crate::audit::risk::{self, Bands};
use crate::error::Result;

/// What the log comes to within a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventStatistics {
    /// Events.
    pub events: u64,
    /// Time of the first and the last, nanoseconds since 1970.
    pub between: Option<(i64, i64)>,
    /// By level, category and action.
    pub levels: BTreeMap<String, u64>,
    /// By category.
    pub categories: BTreeMap<String, u64>,
    /// By action.
    pub actions: BTreeMap<String, u64>,
    /// By outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// By actor.
    pub actors: BTreeMap<String, u64>,
    /// The average risk.
    pub average_risk: f64,
    /// The highest.
    pub highest_risk: f64,
    /// How many of each band.
    pub bands: BTreeMap<&'static str, u64>,
    /// Scores of actors and routes, the worst first.
    pub entities: Vec<(String, f64)>,
    /// Bytes of the database's file.
    pub bytes: u64,
    /// Alerts that wait to be sent.
    pub alerts_waiting: u64,
}

/// What of a body is counted.
#[derive(Deserialize)]
struct Counted<'a> {
    #[serde(borrow, default)]
    actor: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    outcome: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    route: Option<std::borrow::Cow<'a, str>>,
    risk: f64,
}

impl Store {
    /// What the log in use comes to, of the events since then.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn event_statistics(&self, since_ns: Option<i64>, bands: &Bands) -> Result<EventStatistics> {
        let fail = |e| sql::error("counting events", e);
        let log = self.log.number;
        let from = since_ns.map_or(Ok(append::at(log, 0)), |ns| self.at_time(log, ns))?;
        let to = append::at(log + 1, 0);
        let mut made = EventStatistics::default();
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for part in self.parts(log)? {
            let range = (from.max(part.from), to.min(part.end));
            if range.0 < range.1 {
                self.on(&part, |db| kinds_in(db, range, &mut counts).map_err(fail))?;
            }
        }
        for (kind, words) in self.kinds()? {
            let count = counts.get(&kind).copied().unwrap_or_default();
            if count > 0 {
                made.events += count;
                *made.levels.entry(words.level).or_default() += count;
                *made.categories.entry(words.category).or_default() += count;
                *made.actions.entry(words.action).or_default() += count;
            }
        }
        let now = self.now_ns();
        let (mut sum, mut seen) = (0.0, 0_u64);
        let mut scores: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        self.each_body((from, to), &mut |_, time, body| {
            let Some(body) = body else { return Ok(()) };
            made.between = Some((made.between.map_or(time, |(first, _)| first), time));
            let Ok(event) = serde_json::from_slice::<Counted<'_>>(body) else { return Ok(()) };
            seen += 1;
            sum += event.risk;
            made.highest_risk = made.highest_risk.max(event.risk);
            *made.bands.entry(bands.word(event.risk)).or_default() += 1;
            count(&mut made.outcomes, &event.outcome);
            let days = (now - time) as f64 / 86_400e9;
            // What is as risky as a heartbeat says nothing of anybody.
            let telling = event.risk >= bands.low && days <= 30.0;
            if let Some(actor) = &event.actor {
                count(&mut made.actors, actor);
                if telling {
                    scores.entry(format!("actor {actor}")).or_default().push((event.risk, days));
                }
            }
            if let Some(route) = event.route.as_ref().filter(|_| telling) {
                scores.entry(format!("route {route}")).or_default().push((event.risk, days));
            }
            Ok(())
        })?;
        made.average_risk = if seen > 0 { (sum / seen as f64 * 1000.0).round() / 1000.0 } else { 0.0 };
        made.entities = scores.into_iter().map(|(name, all)| (name, risk::entity(all))).collect();
        made.entities.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let number = |text: &str| -> Result<u64> {
            self.db.query_row(text, [], |row| row.get::<_, i64>(0)).map(sql::count).map_err(fail)
        };
        made.bytes = number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
        made.alerts_waiting = number("SELECT count(*) FROM audit_alerts")?;
        Ok(made)
    }

    /// The score of an actor or a route out of its events of the last 30 days.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn entity_score(&self, filter: &EventFilter) -> Result<f64> {
        let now = self.now_ns();
        let since = now.saturating_sub(30 * 86_400_000_000_000);
        let filter =
            EventFilter { since_ns: Some(filter.since_ns.map_or(since, |own| own.max(since))), ..filter.clone() };
        let mut scores = Vec::new();
        self.walk_events(&filter, &mut |Found { event, .. }| {
            scores.push((event.risk, (now - event.time) as f64 / 86_400e9));
            Ok(true)
        })?;
        Ok(risk::entity(scores))
    }
}

/// Adds up how many events of each kind are between two places of a part.
fn kinds_in(db: &rusqlite::Connection, range: (i64, i64), counts: &mut BTreeMap<i64, u64>) -> rusqlite::Result<()> {
    let text = "SELECT kind, count(*) FROM audit_events WHERE at >= ?1 AND at < ?2 GROUP BY kind";
    let mut statement = db.prepare_cached(text)?;
    let mut rows = statement.query([range.0, range.1])?;
    while let Some(row) = rows.next()? {
        *counts.entry(row.get(0)?).or_default() += sql::count(row.get(1)?);
    }
    Ok(())
}

fn count(of: &mut BTreeMap<String, u64>, name: &str) {
    match of.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            of.insert(name.to_string(), 1);
        }
    }
}
