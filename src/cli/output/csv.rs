//! CSV as RFC 4180 has it: a header line, then one line per row; without rows, the facts, one a
//! line.

use serde_json::Value;

use super::Answer;
use crate::report::shape::csv_line as line;

/// The text of an answer.
pub(in crate::cli) fn table(answer: &Answer) -> String {
    let mut out = String::new();
    match &answer.rows {
        Some(rows) => {
            line(&rows.columns, &mut out);
            for row in &rows.rows {
                line(row.iter().map(cell), &mut out);
            }
        }
        None => {
            line(["name", "value"], &mut out);
            for (name, value) in &answer.facts {
                leaves(name, value, &mut out);
            }
        }
    }
    out
}

/// A line for each plain value in a tree, named by its path: `totals.read`, `reasons.0.code`.
fn leaves(name: &str, value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, below)| leaves(&format!("{name}.{key}"), below, out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, below)| leaves(&format!("{name}.{index}"), below, out));
        }
        plain => line([name, &cell(plain)], out),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rows;
    use super::*;
    use serde_json::json;

    #[test]
    fn quotes_only_where_it_must() {
        let mut rows = Rows::new("x", &["a", "b"]);
        rows.push(vec![json!("plain"), json!("say \"hi\", twice")]);
        rows.push(vec![json!(null), json!(1.5)]);
        let facts = Answer::new().fact("run", json!({ "flags": ["a", "b"], "id": "x" })).fact("ok", json!(true));
        assert_eq!(table(&facts), "name,value\r\nrun.flags.0,a\r\nrun.flags.1,b\r\nrun.id,x\r\nok,true\r\n");
        assert_eq!(table(&Answer::new().rows(rows)), "a,b\r\nplain,\"say \"\"hi\"\", twice\"\r\n,1.5\r\n");
    }
}
