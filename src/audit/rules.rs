//! Rules over events: a condition, counted apart by groups within a window, up to a threshold. Here it is decided
//! when a rule fires; remembering hits and doing what it says is for whoever records.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::condition::Condition;
use super::event::{Action, Draft, Event, Level};
use super::risk::Bands;
use crate::config::{self, EventRule};
use crate::error::{Error, Kind, Result, codes};

/// A rule, compiled.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    condition: Condition,
    group_by: Option<Condition>,
    /// Within how long events count together, nanoseconds.
    pub window_ns: i64,
    /// How many make it fire.
    pub threshold: u64,
    /// How grave it is.
    pub severity: Level,
    /// The standard or control that it serves.
    pub control: Option<String>,
    /// Whoever is told of rules is told.
    pub notify: bool,
    /// Everybody is told.
    pub alert: bool,
    /// The run ends.
    pub fail: bool,
    /// The route is disabled.
    pub freeze: bool,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Of what, by the words of [`config::auditing::OCCASIONS`].
    pub on: Vec<String>,
}

/// What looks at events as they are recorded.
#[derive(Debug, Default)]
pub struct Watch {
    /// The rules in force.
    pub rules: Vec<Rule>,
    /// Who is told of what.
    pub listeners: Vec<Listener>,
    /// A run that takes longer is slow, milliseconds; 0: none is.
    pub slow_ms: u64,
    /// What is called a high risk.
    pub bands: Bands,
}

/// That a rule fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Which one, in [`Watch::rules`].
    pub rule: usize,
    /// For which group.
    pub part: String,
    /// How many events there were.
    pub count: u64,
}

/// What is remembered of hits, between events.
pub trait Memory {
    /// Remembers that an event met a rule's condition; how many did within the window that ends with it.
    ///
    /// # Errors
    /// It cannot be remembered.
    fn hit(&mut self, rule: &Rule, part: &str, seq: u64, time_ns: i64) -> Result<u64>;

    /// When the rule fired last for this group.
    ///
    /// # Errors
    /// It cannot be read.
    fn fired(&mut self, rule: &Rule, part: &str) -> Result<Option<i64>>;

    /// Remembers that it fired.
    ///
    /// # Errors
    /// It cannot be remembered.
    fn fire(&mut self, rule: &Rule, part: &str, time_ns: i64) -> Result<()>;
}

impl Rule {
    /// Compiles a rule.
    ///
    /// # Errors
    /// What is wrong with its expressions; the check of the configuration has said it already.
    pub fn compile(rule: &EventRule) -> Result<Self> {
        let compile = |of: &config::Expression| {
            Condition::compile(&of.text).map_err(|faults| {
                let cause = faults.first().map_or_else(String::new, |fault| fault.cause.clone());
                Error::new(
                    Kind::Invalid,
                    &codes::cli::USAGE,
                    format!("the rule `{}` cannot be read: {cause}", rule.name),
                )
                .at(of.place.clone())
            })
        };
        let does = |word: &str| rule.actions.iter().any(|action| action == word);
        Ok(Self {
            name: rule.name.clone(),
            condition: compile(&rule.when)?,
            group_by: rule.group_by.as_ref().map(compile).transpose()?,
            window_ns: i64::try_from(rule.window.as_nanos()).unwrap_or(i64::MAX),
            threshold: rule.threshold,
            severity: Level::of(&rule.severity).unwrap_or(Level::Warning),
            control: rule.control.clone(),
            notify: does("notify"),
            alert: does("alert"),
            fail: does("fail"),
            freeze: does("freeze"),
        })
    }

    /// The event that tells that it fired on another.
    pub fn event(&self, fired: &Fired, on: &Event) -> Draft {
        let mut draft = Draft::new(Action::RuleFired)
            .detail("rule", self.name.clone())
            .detail("count", fired.count)
            .detail("threshold", self.threshold)
            .detail("window_secs", self.window_ns / 1_000_000_000)
            .detail("event", on.seq);
        if !fired.part.is_empty() {
            draft = draft.detail("group", fired.part.clone());
        }
        if let Some(control) = &self.control {
            draft = draft.detail("control", control.clone());
        }
        draft.level = self.severity;
        draft.resource = Some(format!("rule {}", self.name));
        (draft.route, draft.run, draft.tenant) = (on.route.clone(), on.run.clone(), on.tenant.clone());
        draft.weighed.failed = match self.severity {
            Level::Debug | Level::Info => 0.0,
            Level::Warning => 0.3,
            Level::Error => 0.6,
            Level::Critical => 0.85,
        };
        draft
    }
}

impl Watch {
    /// What a project's audit section asks for. A rule that cannot be read was found by its check.
    ///
    /// # Errors
    /// A rule cannot be read.
    pub fn of(audit: &config::Audit) -> Result<Self> {
        let [low, medium, high, critical] = audit.risk;
        Ok(Self {
            rules: audit.rules.iter().filter(|rule| rule.enabled).map(Rule::compile).collect::<Result<_>>()?,
            listeners: audit.alerts.iter().map(|a| Listener { name: a.name.clone(), on: a.on.clone() }).collect(),
            slow_ms: u64::try_from(audit.slow.as_millis()).unwrap_or(u64::MAX),
            bands: Bands { low, medium, high, critical },
        })
    }

    /// Whether anything looks at events of this action at all.
    pub fn looks_at(&self, action: Action) -> bool {
        !self.rules.is_empty() || !self.listeners.is_empty() || (self.slow_ms > 0 && action == Action::RunFinished)
    }

    /// Which rules fire with this event.
    ///
    /// # Errors
    /// As the memory says.
    pub fn judge(&self, event: &Json, seq: u64, time_ns: i64, memory: &mut dyn Memory) -> Result<Vec<Fired>> {
        let mut fired = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.condition.holds(event) {
                continue;
            }
            let part = rule.group_by.as_ref().and_then(|by| by.text(event)).unwrap_or_default();
            let count = memory.hit(rule, &part, seq, time_ns)?;
            let before = memory.fired(rule, &part)?;
            let again = before.is_none_or(|before| time_ns.saturating_sub(before) >= rule.window_ns);
            if count >= rule.threshold && again {
                memory.fire(rule, &part, time_ns)?;
                fired.push(Fired { rule: index, part, count });
            }
        }
        Ok(fired)
    }

    /// How much longer than it should a run took that this event ends, in milliseconds: what it took.
    pub fn slow(&self, event: &Event) -> Option<u64> {
        let took = event.details.get("milliseconds")?.as_u64()?;
        (event.action == Action::RunFinished.word() && self.slow_ms > 0 && took > self.slow_ms).then_some(took)
    }

    /// What an event is an occasion to tell of, by the words of [`config::auditing::OCCASIONS`].
    pub fn occasions(&self, event: &Event) -> Vec<&'static str> {
        let is = |actions: &[Action]| actions.iter().any(|action| action.word() == event.action);
        // Alerts of alerts would never end.
        if is(&[Action::AlertSent, Action::AlertFailed]) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let fired = is(&[Action::RuleFired]);
        if (event.level >= Level::Error && !fired) || is(&[Action::RunRefused, Action::RunDied]) {
            found.push("failures");
        }
        if is(&[Action::SlowOperation]) {
            found.push("slow");
        }
        // Gates that keep back whoever did not consent do what they are there for.
        let withheld = is(&[Action::RecordsWithheld]) && event.level >= Level::Warning;
        if withheld || is(&[Action::RuleRefused, Action::RuleWarned]) {
            found.push("violations");
        }
        if event.risk >= self.bands.high {
            found.push("risk");
        }
        if is(&[Action::VerificationFailed, Action::ClockStep, Action::LogReplaced, Action::AuditDisabled]) {
            found.push("integrity");
        }
        found
    }
}

/// Remembers in memory: for tests of rules, and for trying them on what was recorded.
#[derive(Debug, Default)]
pub struct InMemory {
    hits: HashMap<(String, String), Vec<i64>>,
    fired: HashMap<(String, String), i64>,
}

impl Memory for InMemory {
    fn hit(&mut self, rule: &Rule, part: &str, _seq: u64, time_ns: i64) -> Result<u64> {
        let hits = self.hits.entry((rule.name.clone(), part.to_string())).or_default();
        hits.push(time_ns);
        hits.retain(|at| *at > time_ns.saturating_sub(rule.window_ns));
        Ok(hits.len() as u64)
    }

    fn fired(&mut self, rule: &Rule, part: &str) -> Result<Option<i64>> {
        Ok(self.fired.get(&(rule.name.clone(), part.to_string())).copied())
    }

    fn fire(&mut self, rule: &Rule, part: &str, time_ns: i64) -> Result<()> {
        self.fired.insert((rule.name.clone(), part.to_string()), time_ns);
        Ok(())
    }
}

/// Runs the tests of a rule; for each its name and what is wrong with how it ended, if anything is.
///
/// # Errors
/// The rule cannot be read.
pub fn test(rule: &EventRule) -> Result<Vec<(String, Option<String>)>> {
    let watch = Watch { rules: vec![Rule::compile(rule)?], ..Watch::default() };
    let mut results = Vec::new();
    for case in &rule.tests {
        let (mut memory, mut fires, mut time) = (InMemory::default(), false, 1_700_000_000_000_000_000);
        for (index, given) in case.events.iter().enumerate() {
            let after = given.get("after").and_then(Json::as_f64).unwrap_or(0.0);
            time += (after * 1e9) as i64;
            let event = filled(given, index as u64 + 1, time);
            fires |= !watch.judge(&event, index as u64 + 1, time, &mut memory)?.is_empty();
        }
        let wrong = match (case.fires, fires) {
            (true, false) => Some("it does not fire".to_string()),
            (false, true) => Some("it fires".to_string()),
            _ => None,
        };
        results.push((case.name.clone(), wrong));
    }
    Ok(results)
}

/// An event out of the members that a test gives; what it does not give is as of a plain event.
fn filled(given: &Json, seq: u64, time_ns: i64) -> Json {
    let mut event = json!({
        "v": 1, "id": format!("test-{seq}"), "seq": seq, "time": time_ns.to_string(), "level": "info",
        "category": "system", "action": "audit.note", "outcome": "success", "risk": 0,
    });
    let given: Map<String, Json> = given.as_object().cloned().unwrap_or_default();
    if let Some(into) = event.as_object_mut() {
        into.extend(given.into_iter().filter(|(name, _)| name != "after" && name != "seq" && name != "time"));
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EventTest;
    use crate::error::Place;
    use std::time::Duration;

    fn rule(when: &str, group_by: Option<&str>, threshold: u64) -> EventRule {
        let place = Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
        let expression = |text: &str| config::Expression { text: text.into(), place: place.clone(), runs: Vec::new() };
        EventRule {
            name: "many".into(),
            place: place.clone(),
            about: None,
            when: expression(when),
            group_by: group_by.map(expression),
            window: Duration::from_secs(60),
            threshold,
            severity: "error".into(),
            actions: vec!["alert".into(), "freeze".into()],
            enabled: true,
            control: None,
            tests: Vec::new(),
        }
    }

    fn check(rule: &EventRule, events: Json, fires: bool) {
        let place = rule.place.clone();
        let events = events.as_array().cloned().unwrap_or_default();
        let case = EventTest { name: "case".into(), events, fires, place };
        let tested = EventRule { tests: vec![case], ..rule.clone() };
        assert_eq!(test(&tested).unwrap(), [("case".to_string(), None)]);
    }

    #[test]
    fn a_rule_fires_at_its_threshold_within_its_window_and_group() {
        let failed = rule(r#"event.outcome == "failure""#, Some("event.route"), 3);
        let of = |route: &str, after: u64| json!({ "outcome": "failure", "route": route, "after": after });
        check(&failed, json!([of("a", 0), of("a", 10), of("a", 10)]), true);
        check(&failed, json!([of("a", 0), of("b", 10), of("a", 10), of("b", 1)]), false);
        check(&failed, json!([of("a", 0), of("a", 40), of("a", 40)]), false);
        check(&failed, json!([of("a", 0), of("a", 59), of("a", 0)]), true);
        check(&failed, json!([{ "outcome": "success" }, of("a", 0), of("a", 0)]), false);
    }

    #[test]
    fn it_fires_once_for_each_window() {
        let watch = Watch { rules: vec![Rule::compile(&rule("event.seq > 0", None, 1)).unwrap()], ..Watch::default() };
        let mut memory = InMemory::default();
        let mut fires = |seconds: i64| {
            let time = seconds * 1_000_000_000;
            !watch.judge(&filled(&Json::Null, 1, time), 1, time, &mut memory).unwrap().is_empty()
        };
        assert_eq!([fires(0), fires(1), fires(59), fires(60), fires(61)], [true, false, false, true, false]);
    }

    #[test]
    fn occasions_follow_level_risk_and_action() {
        let watch = Watch { slow_ms: 30_000, ..Watch::default() };
        let check = |action: Action, level: Level, risk: f64, expected: &[&str]| {
            let event = Event { level, risk, ..Event::bare(1, 0, action.word()) };
            assert_eq!(watch.occasions(&event), expected, "{action}");
        };
        check(Action::RunFinished, Level::Error, 0.3, &["failures"]);
        check(Action::RunFinished, Level::Info, 0.85, &["risk"]);
        check(Action::RuleRefused, Level::Error, 0.3, &["failures", "violations"]);
        check(Action::ClockStep, Level::Warning, 0.1, &["integrity"]);
        check(Action::AlertFailed, Level::Error, 0.9, &[]);
        check(Action::RunStarted, Level::Info, 0.05, &[]);
        let mut slow = Event::bare(1, 0, "run.finished");
        slow.details.insert("milliseconds".into(), json!(30_001));
        assert_eq!(watch.slow(&slow), Some(30_001));
        slow.details.insert("milliseconds".into(), json!(30_000));
        assert_eq!(watch.slow(&slow), None);
    }
}
