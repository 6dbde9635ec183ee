//! Expressions over events, in the language of mappings: `--where` and the conditions of rules. `event` is the
//! event; its `time` is a moment, everything else is as it is recorded.

use serde_json::Value as Json;

use super::event::Event;
use crate::config::auditing::scope;
use crate::expr::{self, Fault, Frame, Locals, Moment, Program};
use crate::record::path::Step;
use crate::record::{Arena, Path, Projection, Timestamp, Value, json};

/// A compiled expression over an event.
#[derive(Debug)]
pub struct Condition {
    program: Program,
    projection: Projection,
}

impl Condition {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        let mut projection = Projection::default();
        let program = expr::compile(text, &scope(), &mut projection)?;
        Ok(Self { program, projection })
    }

    /// Whether it holds for an event. Where it has no result, because the event does not have what it asks for,
    /// it does not hold.
    pub fn holds(&self, event: &Json) -> bool {
        let arena = Arena::new();
        matches!(self.eval(event, &arena), Some(Value::Bool(true)))
    }

    /// What it gives, as text; `None` if it has no result.
    pub fn text(&self, event: &Json) -> Option<String> {
        let arena = Arena::new();
        let mut out = Vec::new();
        let value = self.eval(event, &arena)?;
        if matches!(value, Value::Missing | Value::Null) {
            return None;
        }
        expr::format_value(&value, &mut out);
        String::from_utf8(out).ok()
    }

    fn eval<'a>(&'a self, event: &'a Json, arena: &'a Arena) -> Option<Value<'a>> {
        let slots: Vec<Value<'a>> = self.projection.paths.iter().map(|path| at(event, path, arena)).collect();
        let frame = Frame {
            slots: &slots,
            value: Value::Missing,
            arena,
            now: Moment::from(time_of(event)),
            locals: Locals::default(),
        };
        self.program.eval(&frame).ok()
    }
}

/// An event as the JSON that conditions look at.
pub fn seen(event: &Event) -> Json {
    serde_json::to_value(event).unwrap_or(Json::Null)
}

fn time_of(event: &Json) -> Timestamp {
    let ns = event.get("time").and_then(Json::as_str).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    Timestamp {
        seconds: ns.div_euclid(1_000_000_000),
        nanos: u32::try_from(ns.rem_euclid(1_000_000_000)).unwrap_or(0),
        offset: 0,
    }
}

/// What stands at a path of an event: its `time` is a moment.
fn at<'a>(event: &Json, path: &Path, arena: &'a Arena) -> Value<'a> {
    match path.0.as_slice() {
        [Step::Key(name)] if name.as_str() == "time" => Value::Timestamp(time_of(event)),
        _ => json::at(event, path, arena),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expected: bool) {
        let mut event = Event::bare(7, 1_700_000_000_000_000_000, "group.settled");
        event.details =
            json!({ "rejected": 12, "slices": [{ "slice": "a" }] }).as_object().cloned().unwrap_or_default();
        (event.route, event.risk) = (Some("orders".into()), 0.61);
        event.classes = vec!["pii.contact.email".into()];
        let condition = Condition::compile(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!(condition.holds(&seen(&event)), expected, "{text}");
    }

    #[test]
    fn conditions_see_what_is_recorded() {
        check(r#"event.action == "group.settled" && event.details.rejected > 10"#, true);
        check("event.details.rejected > 12", false);
        check("event.risk >= 0.5", true);
        check(r#"event.time > timestamp("2023-01-01T00:00:00Z")"#, true);
        check(r#"event.time > timestamp("2024-01-01T00:00:00Z")"#, false);
        check(r#""pii.contact.email" in event.classes"#, true);
        check(r#"event.classes.exists(c, c.startsWith("pii."))"#, true);
        check("event.details.slices[0].slice == \"a\"", true);
        check("has(event.run)", false);
        check("event.seq == 7", true);
    }

    #[test]
    fn what_an_event_does_not_have_is_no_match() {
        check(r#"event.run == "x""#, false);
        check("event.details.nothing > 1", false);
        check("event.route > 3", false);
        assert!(Condition::compile("event.action = 1").is_err());
        assert!(Condition::compile("nobody.knows").is_err());
    }
}
