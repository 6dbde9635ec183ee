//! Names of tables as a stream writes them, and as SQL takes them: exactly, whatever is in them.

use crate::error::codes::connect::TARGET_UNFIT;
use crate::error::{Error, Kind, Result};

/// A table, with its schema if the stream names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    pub(super) schema: Option<String>,
    pub(super) table: String,
}

impl TableName {
    /// Reads `items`, `sales.items`, `"Odd.Name".items`. Letters keep their case: nothing is folded.
    ///
    /// # Errors
    /// A name with an open quote, an empty part or more than two of them.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let parts = parts(text).filter(|parts| parts.iter().all(|p| !p.is_empty() && !p.contains('\0')));
        match parts.as_deref() {
            Some([table]) => Ok(Self { schema: None, table: table.clone() }),
            Some([schema, table]) => Ok(Self { schema: Some(schema.clone()), table: table.clone() }),
            _ => Err(Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`{text}` names no table"))
                .hint("write `table` or `schema.table`; a name with a point in it stands in double quotes")),
        }
    }

    /// As SQL writes it.
    pub(super) fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

/// An identifier as SQL writes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as SQL writes it, under `standard_conforming_strings`.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The parts between points, quotes taken off. `None`: a quote is open, or text follows one.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inner) => {
                let mut name = String::new();
                let mut inner = inner;
                loop {
                    let (before, after) = inner.split_once('"')?;
                    name.push_str(before);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            name.push('"');
                            inner = more;
                        }
                        None => break (name, after),
                    }
                }
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.contains('"') {
                    return None;
                }
                (name.to_string(), after)
            }
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(parts),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_quoted() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(TableName::parse(text).ok().map(|name| name.sql()).as_deref(), expected, "{text}");
        };
        check("items", Some(r#""items""#));
        check("Sales.Items", Some(r#""Sales"."Items""#));
        check(r#""a.b"."c""d""#, Some(r#""a.b"."c""d""#));
        check("x; drop table y", Some(r#""x; drop table y""#));
        for text in ["", ".", "a.", ".a", "a.b.c", r#""a"#, r#"a"b"#, r#""a"b"#, "a\0b"] {
            check(text, None);
        }
    }
}
