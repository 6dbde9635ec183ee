//! Log lines on standard error: text or JSON, the run's id on each.

use serde_json::{Map, Value, json};

use super::output::text::shown;

/// One log line, without its end. `level` is `error`, `warning` or `info`.
pub(super) fn text(time: &str, level: &str, run: Option<&str>, message: &str, fields: &[(&str, String)]) -> String {
    let mut line = format!("{time} {}", level.to_uppercase());
    if let Some(run) = run {
        line.push_str(&format!(" run={run}"));
    }
    line.push(' ');
    line.push_str(&shown(message));
    for (name, value) in fields {
        line.push_str(&format!(" {name}={}", Value::String(value.clone())));
    }
    line
}

/// One log line as a JSON object, without its end.
pub(super) fn json(time: &str, level: &str, run: Option<&str>, message: &str, fields: &[(&str, String)]) -> String {
    let mut members = Map::new();
    members.insert("time".into(), json!(time));
    members.insert("level".into(), json!(level));
    if let Some(run) = run {
        members.insert("run".into(), json!(run));
    }
    members.insert("message".into(), json!(message));
    for (name, value) in fields {
        members.insert((*name).to_string(), json!(value));
    }
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_message_makes_no_second_line() {
        let fields = [("code", "x y".to_string())];
        assert_eq!(text("T", "info", Some("7"), "a\nb", &fields), r#"T INFO run=7 a\nb code="x y""#);
        assert_eq!(
            json("T", "info", None, "a\nb", &fields),
            r#"{"time":"T","level":"info","message":"a\nb","code":"x y"}"#
        );
    }
}
