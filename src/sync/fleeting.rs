//! What must never be stored, not even sealed: card authentication data (PCI DSS 3.3.1). Of a record that holds
//! any, nothing is kept in its dead letter.

use std::collections::HashSet;

use crate::comply::names;
use crate::map::Route;
use crate::record::{ClassId, ClassSet, Value};

/// Whether such data is among these classes.
pub fn any(classes: ClassSet) -> bool {
    classes.iter().any(ClassId::is_fleeting)
}

/// Whether a record that was read holds some, as far as it is declared: a field that the mapping reads, or one that it
/// does not, which then stands in the record's bytes if it is there at all.
pub fn in_record(route: &Route, slots: &[Value<'_>]) -> bool {
    let read = &route.masks.source;
    if !any(route.payload_classes) {
        return false;
    }
    let holds = |(value, classes): (&Value<'_>, &ClassSet)| {
        !value.is_absent() && !matches!(value, Value::String("")) && any(*classes)
    };
    slots.iter().zip(read).any(holds) || !read.iter().any(|classes| any(*classes))
}

/// Whether a record that could not be decoded may hold some: its stream declares it, or a field in it is called so.
/// `columns` are those of its header.
pub fn in_bytes(route: &Route, columns: &[String], bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let said = |name: &str| any(names::classes(name));
    any(route.payload_classes) || columns.iter().any(|name| said(name)) || keys(&text).into_iter().any(said)
}

/// What may be names of fields in a text that is no document: what stands in quotes before a colon, and tags.
fn keys(text: &str) -> HashSet<&str> {
    let mut found = HashSet::new();
    let mut before = "";
    for part in text.split('"') {
        if part.trim_start().starts_with(':') {
            found.insert(before);
        }
        before = part;
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let tags = text.split('<').skip(1).map(|tag| tag.split(|c| !is_name(c)).next().unwrap_or_default());
    found.extend(tags.filter(|name| !name.is_empty()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_what_is_no_document() {
        let check = |text: &str, expected: &[&str]| {
            let mut found: Vec<_> = keys(text).into_iter().collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{text}");
        };
        check(r#"{"id": 1, "cvv" : "12"#, &["cvv", "id"]);
        check(r#"{"note": "a: b", "n""#, &["note"]);
        check("<card><cvv2>123</cvv2", &["card", "cvv2"]);
        check("1,2,3", &[]);
        check("", &[]);
    }
}
