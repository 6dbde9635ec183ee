//! Changes of a mapping's file that mend what the check finds, where there is exactly one that does.

use crate::config::{FieldRule, Make, Mapping};
use crate::error::{Edit, Place};
use crate::record::{Decimal, Field, Type};

/// Puts one more key into a rule, behind its target: `required: true`.
pub(crate) fn add_key(rule: &FieldRule, key: &str) -> Option<Edit> {
    let at = &rule.target.place;
    let (before, after) = around(at)?;
    let quoted = before.ends_with(['"', '\'']);
    let head = before.trim_end_matches(['"', '\'']);
    let indent = head.strip_suffix("target: ").or_else(|| head.strip_suffix("target:"))?;
    if indent.chars().all(|c| c == ' ' || c == '-') {
        let line_end = at.source.chars().count() as u32 + 1;
        let text = format!("\n{}{key}", " ".repeat(indent.chars().count()));
        return Some(Edit::at(at.line, line_end, 0, text));
    }
    // `- { target: a, source: b }`
    let behind = after.chars().nth(usize::from(quoted));
    let flow = indent.trim_start().starts_with("- {") && !matches!(behind, None | Some('#'));
    flow.then(|| Edit::at(at.line, at.column + at.width + u32::from(quoted), 0, format!(", {key}")))
}

/// Puts one more rule before the first: the target field from the source field of the same name.
pub(super) fn add_rule(mapping: &Mapping, target: &Field, source: &[Field]) -> Option<Edit> {
    let found = source.iter().find(|field| bare(&field.name) == bare(&target.name))?;
    let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let at = &mapping.fields.first().filter(|rule| rule.place.file == mapping.file)?.place;
    let (before, _) = around(at)?;
    let indent = before.strip_suffix("- ")?;
    if !indent.chars().all(|c| c == ' ') || !plain(&found.name) || !plain(&target.name) {
        return None;
    }
    let required = if target.nullable { String::new() } else { format!("\n{indent}  required: true") };
    let text = format!("- target: {}\n{indent}  source: {}{required}\n{indent}", target.name, found.name);
    Some(Edit::at(at.line, indent.chars().count() as u32 + 1, 0, text))
}

/// Writes a default as the type that it stands in for: a number without its quotes, text with them.
pub(super) fn retype(at: &Place, text: &str, wanted: &Type) -> Option<Edit> {
    let (before, after) = around(at)?;
    let quoted = before.ends_with(['"', '\'']) && after.starts_with(['"', '\'']);
    match (wanted, quoted) {
        (Type::Int | Type::Uint, true) => text.parse::<i64>().ok().map(|_| ())?,
        (Type::Decimal, true) => Decimal::parse(text).ok().map(|_| ())?,
        (Type::Bool, true) if matches!(text, "true" | "false") => {}
        (Type::String, false) if !text.is_empty() => {
            return Some(Edit::at(at.line, at.column, at.width, format!("\"{text}\"")));
        }
        _ => return None,
    }
    Some(Edit::at(at.line, at.column - 1, at.width + 2, text))
}

/// A rule whose result has another type than its target: the conversion, where it loses nothing that was
/// not lost before.
pub(super) fn convert(rule: &FieldRule, result: &Type, declared: &Type) -> Option<Edit> {
    // Where the result comes about otherwise, there is no one change that does.
    if !matches!(rule.make, Make::Value | Make::Transform(_)) {
        return None;
    }
    let text = rule.transform().map(|transform| transform.text.trim());
    if let (Type::Double, Type::Decimal | Type::Int, Some(text)) = (result, declared, text) {
        // Exact digits that were made a double for no reason.
        let inner = text.strip_prefix("double(").and_then(|rest| rest.strip_suffix(')'))?;
        return rule.transform()?.replace(inner).filter(|_| !inner.contains(['(', ')']));
    }
    let call = match (result, declared) {
        (Type::Timestamp, Type::Date) => format!("date_of({}, \"UTC\")", text.unwrap_or("value")),
        (Type::Int | Type::Uint | Type::Decimal | Type::Bool, Type::String) => {
            format!("string({})", text.unwrap_or("value"))
        }
        (Type::String, Type::Int | Type::Decimal | Type::Bool | Type::Timestamp | Type::Date)
            if rule.kind.is_none() =>
        {
            return add_key(rule, &format!("type: {declared}"));
        }
        _ => return None,
    };
    match rule.transform() {
        Some(transform) => transform.replace(&call),
        None => add_key(rule, &format!("transform: {call}")),
    }
}

/// What stands before a place in its line, and behind it.
fn around(at: &Place) -> Option<(String, String)> {
    let before = at.column.checked_sub(1)? as usize;
    if at.source.is_empty() {
        return None;
    }
    let behind = before + at.width as usize;
    Some((at.source.chars().take(before).collect(), at.source.chars().skip(behind).collect()))
}

/// A name without what people put between its words.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::tests::mapping;

    /// The file with a key added to its first rule.
    #[track_caller]
    fn check(rules: &str, expected: &str) {
        let yaml = format!("version: 1\nname: m\nfrom: a.b\nto: c.d\nfields:\n{rules}");
        let made = add_key(&mapping(&yaml).fields[0], "required: true").and_then(|edit| edit.apply(&yaml));
        let rest = made.as_deref().map(|text| text.split_once("fields:\n").unwrap().1);
        assert_eq!(rest.unwrap_or("none"), expected);
    }

    #[test]
    fn a_key_is_added_where_the_rule_is() {
        check("  - target: x\n    source: y\n", "  - target: x\n    required: true\n    source: y\n");
        check("- target: 'x'   # odd\n  source: y\n", "- target: 'x'   # odd\n  required: true\n  source: y\n");
        check("  - source: y\n    target: x\n", "  - source: y\n    target: x\n    required: true\n");
        check("  - { target: x, source: y }\n", "  - { target: x, required: true, source: y }\n");
        check("  - { source: y, target: x }\n", "  - { source: y, target: x, required: true }\n");
    }
}
