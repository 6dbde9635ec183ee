//! Tables for people: aligned, without lines, numbers to the right.

use serde_json::Value;

use super::{Answer, Rows};

/// What a person reads.
pub(in crate::cli) fn page(answer: &Answer) -> String {
    if let Some(text) = &answer.text {
        return text.clone();
    }
    let mut out = String::new();
    if let Some(rows) = &answer.rows {
        out.push_str(&table(rows));
        return out;
    }
    let width = answer.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &answer.facts {
        out.push_str(&format!("{:width$}  {}\n", name.replace('_', " "), cell(value)));
    }
    out
}

/// An aligned table. Empty rows give an empty text.
pub(in crate::cli) fn table(rows: &Rows) -> String {
    if rows.rows.is_empty() {
        return String::new();
    }
    let cells: Vec<Vec<String>> = rows.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let heads: Vec<String> = rows.columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|i| cells.iter().map(|row| row[i].chars().count()).chain([heads[i].chars().count()]).max().unwrap_or(0))
        .collect();
    let numeric: Vec<bool> = (0..heads.len())
        .map(|i| rows.rows.iter().all(|row| row[i].is_number() || row[i].is_null()) && !rows.rows.is_empty())
        .collect();
    let mut out = String::new();
    for row in std::iter::once(&heads).chain(&cells) {
        let mut line = String::new();
        for (i, text) in row.iter().enumerate() {
            let pad = widths[i] - text.chars().count();
            if i > 0 {
                line.push_str("  ");
            }
            if numeric[i] {
                line.extend(std::iter::repeat_n(' ', pad));
                line.push_str(text);
            } else {
                line.push_str(text);
                line.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A value in a cell. Control characters are shown, not obeyed: data must not steer the terminal.
pub(in crate::cli) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => shown(text),
        other => shown(&other.to_string()),
    }
}

/// Text with control characters made visible.
pub(in crate::cli) fn shown(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A tree as an indented outline; what says nothing is left out.
pub(in crate::cli) fn outline(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let mut out = String::new();
    let Value::Object(members) = value else { return format!("{indent}{}\n", cell(value)) };
    for (name, below) in members.iter().filter(|(_, v)| !empty(v)) {
        let name = shown(name);
        match below {
            Value::Object(_) => out.push_str(&format!("{indent}{name}:\n{}", outline(below, depth + 1))),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                out.push_str(&format!("{indent}{name}:\n"));
                for item in items {
                    let text = outline(item, depth + 2);
                    out.push_str(&format!("{indent}  - {}", text.trim_start()));
                }
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(cell).collect();
                out.push_str(&format!("{indent}{name}: {}\n", items.join(", ")));
            }
            scalar => out.push_str(&format!("{indent}{name}: {}\n", cell(scalar))),
        }
    }
    out
}

/// 1234567 as `1,234,567`.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 error", "2 errors".
pub(in crate::cli) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_is_aligned_and_harmless() {
        let mut rows = Rows::new("x", &["name", "records_read"]);
        rows.push(vec![json!("a\u{1b}[31m"), json!(5)]);
        rows.push(vec![json!("long name here"), json!(12345)]);
        let expected = "NAME            RECORDS READ\na\\u{1b}[31m                5\nlong name here         12345\n";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn numbers_are_grouped() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1000, "1,000");
        check(1234567, "1,234,567");
    }
}
