//! A condition over something that is known as JSON: a connector, a mapping, a flow, an event, the record of
//! a test.

use serde_json::Value as Json;

use crate::comply::detect::Sight;
use crate::expr::{self, Bind, Binding, Environment, Frame, Keys, Locals, Moment, Program};
use crate::record::{Arena, Projection, Timestamp, Type, Value, json};

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    program: Program,
    projection: Projection,
}

impl Condition {
    /// Compiles a condition over something of that name.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn compile(name: &str, text: &str) -> Result<Self, String> {
        let mut projection = Projection::default();
        let environment = Environment {
            bindings: vec![Binding::new(name, Type::Dyn, Bind::Record)],
            keys: Keys::default().looking(Sight::usual()),
            ..Environment::default()
        };
        let program = expr::compile(text, &environment, &mut projection).map_err(|faults| {
            faults.into_iter().next().map_or_else(|| "it does not compile".into(), |fault| fault.cause)
        })?;
        Ok(Self { program, projection })
    }

    /// Whether it holds. Where it has no result, because what it asks for is not there, it does not.
    pub fn holds(&self, about: &Json) -> bool {
        let arena = Arena::new();
        let slots: Vec<Value<'_>> = self.projection.paths.iter().map(|path| json::at(about, path, &arena)).collect();
        let now = Timestamp { seconds: 0, nanos: 0, offset: 0 };
        let frame = Frame {
            slots: &slots,
            value: Value::Missing,
            arena: &arena,
            now: Moment::from(now),
            locals: Locals::default(),
        };
        matches!(self.program.eval(&frame), Ok(Value::Bool(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_see_what_is_there() {
        let flow = json!({ "target": { "region": "us", "agreements": ["dpa"] }, "written": ["pii", "pii.name"], "records": 12 });
        let check = |text: &str, expected: bool| {
            let condition = Condition::compile("flow", text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!(condition.holds(&flow), expected, "{text}");
        };
        check(r#"flow.target.region == "us""#, true);
        check(r#""pii" in flow.written && !("baa" in flow.target.agreements)"#, true);
        check("flow.records > 11", true);
        check("flow.nothing.at_all == 1", false);
        check("has(flow.source)", false);
        check(r#"flow.written.exists(c, c.startsWith("phi"))"#, false);
        assert!(Condition::compile("flow", "flow.x =").is_err());
        assert!(Condition::compile("flow", "record.x == 1").is_err());
    }
}
