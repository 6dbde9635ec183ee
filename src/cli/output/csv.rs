//! CSV as RFC 4180 has it: a header line, then one line per row; without rows, the facts.

use serde_json::Value;

use super::Answer;

/// The text of an answer.
pub(in crate::cli) fn table(answer: &Answer) -> String {
    let mut out = String::new();
    match &answer.rows {
        Some(rows) => {
            line(rows.columns.iter().map(String::as_str), &mut out);
            for row in &rows.rows {
                line(row.iter().map(cell).collect::<Vec<_>>().iter().map(String::as_str), &mut out);
            }
        }
        None => {
            line(answer.facts.iter().map(|(name, _)| *name), &mut out);
            line(answer.facts.iter().map(|(_, v)| cell(v)).collect::<Vec<_>>().iter().map(String::as_str), &mut out);
        }
    }
    out
}

fn line<'c>(cells: impl Iterator<Item = &'c str>, out: &mut String) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
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
        assert_eq!(table(&Answer::new().rows(rows)), "a,b\r\nplain,\"say \"\"hi\"\", twice\"\r\n,1.5\r\n");
    }
}
