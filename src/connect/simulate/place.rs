//! Expressions of a pack read backwards: an answer is made such that they find in it what they should.
//!
//! It is no solver: it knows the forms that packs are written in (a path into the answer, a comparison
//! with a literal, `has`, `size`, and these joined). What it does not know stays as it is.

use serde_json::{Map, Value as Json};

/// An answer in the making.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    /// The status.
    pub(super) status: u16,
    /// Headers, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// The body; null: none.
    pub(super) body: Json,
}

impl Made {
    /// An answer with a body.
    pub(super) fn new(status: u16, body: Json) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// Sets a header.
    pub(super) fn header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Puts a value where an expression reads it. `None` removes it.
    pub(super) fn put(&mut self, expression: &str, value: Option<Json>) {
        let Some(steps) = reference(expression, "answer") else { return };
        match (steps.split_first(), value) {
            (Some((Step::Name(root), rest)), value) if root == "body" || root == "text" => {
                set(&mut self.body, rest, value)
            }
            (Some((Step::Name(root), [Step::Name(name)])), value) if root == "headers" => match value {
                Some(value) => self.header(&name.to_lowercase(), text(&value)),
                None => self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
            },
            (Some((Step::Name(root), [])), Some(value)) if root == "status" => {
                self.status = value.as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(self.status);
            }
            _ => {}
        }
    }

    /// Makes a condition hold, or not.
    pub(super) fn fulfil(&mut self, condition: &str, holds: bool) {
        fulfil(condition, holds, &mut |place, change| match reference(place, "answer")
            .as_deref()
            .and_then(<[Step]>::split_first)
        {
            Some((Step::Name(root), rest)) if root == "body" => apply(&mut self.body, rest, change),
            _ => match change {
                Change::Set(value) | Change::Fill(value) => self.put(place, Some(value)),
                Change::Remove => self.put(place, None),
            },
        });
    }
}

/// What is done with a place.
pub(super) enum Change {
    /// It gets a value.
    Set(Json),
    /// It gets a value if there is nothing, or nothing but an empty list.
    Fill(Json),
    /// There is nothing.
    Remove,
}

/// Changes a place of a tree.
pub(super) fn apply(root: &mut Json, steps: &[Step], change: Change) {
    match change {
        Change::Set(value) => set(root, steps, Some(value)),
        Change::Remove => set(root, steps, None),
        Change::Fill(value) => {
            let known = steps.iter().try_fold(&*root, |here, step| match step {
                Step::Name(name) => here.get(name),
                Step::At(at) => here.get(at),
            });
            let nothing = |known: &Json| known.is_null() || known.as_array().is_some_and(Vec::is_empty);
            if known.is_none_or(nothing) {
                set(root, steps, Some(value));
            }
        }
    }
}

/// A step of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member.
    Name(String),
    /// An element.
    At(usize),
}

/// The first reference below a name in an expression: `answer.body.?a["b c"][0]`.
pub(super) fn reference(expression: &str, root: &str) -> Option<Vec<Step>> {
    let at = expression.match_indices(root).map(|(at, _)| at).find(|at| {
        let before = expression[..*at].chars().next_back();
        let after = expression[at + root.len()..].chars().next();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.')
            && matches!(after, None | Some('.' | '[' | ' ' | ')' | ',' | '='))
    })?;
    let mut rest = &expression[at + root.len()..];
    let mut steps = Vec::new();
    loop {
        if let Some(member) = rest.strip_prefix(".?").or_else(|| rest.strip_prefix('.')) {
            let end = member.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(member.len());
            let (name, behind) = member.split_at(end);
            // A method ends the path.
            if name.is_empty() || behind.starts_with('(') {
                return Some(steps);
            }
            steps.push(Step::Name(name.to_owned()));
            rest = behind;
        } else if let Some(index) = rest.strip_prefix("[?").or_else(|| rest.strip_prefix('[')) {
            let Some(end) = index.find(']') else { return Some(steps) };
            let inner = index[..end].trim();
            match inner.parse::<usize>() {
                Ok(at) => steps.push(Step::At(at)),
                Err(_) => match literal(inner) {
                    Some(Json::String(name)) => steps.push(Step::Name(name)),
                    _ => return Some(steps),
                },
            }
            rest = &index[end + 1..];
        } else {
            return Some(steps);
        }
    }
}

/// Puts a value into a tree; what is on the way is made.
pub(super) fn set(root: &mut Json, steps: &[Step], value: Option<Json>) {
    let Some((step, rest)) = steps.split_first() else {
        *root = value.unwrap_or(Json::Null);
        return;
    };
    match step {
        Step::Name(name) => {
            if !root.is_object() {
                if value.is_none() {
                    return;
                }
                *root = Json::Object(Map::new());
            }
            let Some(members) = root.as_object_mut() else { return };
            if rest.is_empty() && value.is_none() {
                members.remove(name);
            } else if value.is_some() || members.contains_key(name) {
                set(members.entry(name.clone()).or_insert(Json::Null), rest, value);
            }
        }
        Step::At(at) => {
            if !root.is_array() {
                *root = Json::Array(Vec::new());
            }
            let Some(items) = root.as_array_mut() else { return };
            while items.len() <= *at && *at < 1000 {
                items.push(Json::Null);
            }
            if let Some(item) = items.get_mut(*at) {
                set(item, rest, value);
            }
        }
    }
}

/// Says what to change so that a condition holds, or does not.
pub(super) fn fulfil(condition: &str, holds: bool, change: &mut dyn FnMut(&str, Change)) {
    let condition = unwrapped(condition.trim());
    for (joint, all) in [("||", false), ("&&", true)] {
        let parts = split(condition, joint);
        if parts.len() > 1 {
            // `a && b` holds if both do; it fails if the last one does (the first is often a guard of it).
            match holds == all {
                true => parts.iter().for_each(|part| fulfil(part, holds, change)),
                false => match (all, parts.first(), parts.last()) {
                    (true, _, Some(last)) => fulfil(last, false, change),
                    (_, Some(first), _) => fulfil(first, true, change),
                    _ => {}
                },
            }
            return;
        }
    }
    if let Some(rest) = condition.strip_prefix('!').filter(|rest| !rest.starts_with('=')) {
        return fulfil(rest, !holds, change);
    }
    if let Some(inner) = condition.strip_prefix("has(").and_then(|rest| rest.strip_suffix(')')) {
        return change(inner, if holds { Change::Fill(Json::Bool(true)) } else { Change::Remove });
    }
    if let Some((value, rest)) = condition.split_once(".startsWith(") {
        let Some(Json::String(begin)) = rest.strip_suffix(')').and_then(literal) else { return };
        return match (holds, begin.parse::<u32>()) {
            // The class of a status: `2`, `5`.
            (true, Ok(digit)) if digit < 10 => change(value, Change::Set(Json::from(format!("{digit}00 simulated")))),
            (true, _) => change(value, Change::Set(Json::from(begin))),
            (false, Ok(_)) => change(value, Change::Set(Json::from("400 simulated"))),
            (false, Err(_)) => change(value, Change::Remove),
        };
    }
    if let Some((name, whole)) = condition.split_once(" in ")
        && let Some(Json::String(name)) = literal(name)
    {
        let member = format!("{}[\"{name}\"]", whole.trim());
        return change(&member, if holds { Change::Set(Json::from("simulated")) } else { Change::Remove });
    }
    for operator in ["==", "!=", ">=", "<=", ">", "<", " in "] {
        let parts = split(condition, operator);
        let [left, right] = parts.as_slice() else { continue };
        let (left, right) = (left.trim(), right.trim());
        if let Some(inner) = left.strip_prefix("size(").and_then(|rest| rest.strip_suffix(')')) {
            let empty = matches!((operator, right), ("==", "0") | ("<", "1"));
            let filled = matches!((operator, right), (">", "0") | ("!=", "0") | (">=", "1"));
            if (empty && holds) || (filled && !holds) {
                change(inner, Change::Set(Json::Array(Vec::new())));
            } else if (filled && holds) || (empty && !holds) {
                change(inner, Change::Fill(serde_json::json!([{ "id": "simulated" }])));
            }
            return;
        }
        let Some(wanted) = literal(right) else { return };
        match (operator, holds) {
            ("==", true) | ("!=", false) => change(left, Change::Set(wanted)),
            ("==", false) | ("!=", true) => match wanted {
                Json::Bool(truth) => change(left, Change::Set(Json::Bool(!truth))),
                Json::Null => change(left, Change::Set(Json::Bool(true))),
                _ if left.ends_with("status") => {}
                _ => change(left, Change::Remove),
            },
            (" in ", true) => {
                if let Some(first) = wanted.as_array().and_then(|all| all.first()) {
                    change(left, Change::Set(first.clone()));
                }
            }
            (">=" | "<=", true) | (">" | "<", false) => change(left, Change::Set(wanted)),
            (operator, _) => {
                let Some(number) = wanted.as_i64() else { return };
                let up = matches!((operator, holds), (">", true) | ("<=", false));
                change(left, Change::Set(Json::from(if up { number + 1 } else { number - 1 })));
            }
        }
        return;
    }
    if condition.chars().next().is_some_and(char::is_alphabetic) {
        change(condition, Change::Set(Json::Bool(holds)));
    }
}

/// A literal of the expression language.
pub(super) fn literal(text: &str) -> Option<Json> {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (!inner.contains(quote)).then(|| Json::from(inner));
        }
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.split(',').map(literal).collect::<Option<Vec<Json>>>().map(Json::Array);
    }
    match text {
        "true" => Some(Json::Bool(true)),
        "false" => Some(Json::Bool(false)),
        "null" => Some(Json::Null),
        number => number.parse::<i64>().ok().map(Json::from),
    }
}

/// The parts between a joint that stands outside of quotes and brackets.
pub(super) fn split<'t>(text: &'t str, joint: &str) -> Vec<&'t str> {
    let (mut parts, mut from, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    let mut skip = 0;
    for (at, character) in text.char_indices() {
        if at < skip {
            continue;
        }
        match (quote, character) {
            (Some(open), closing) if open == closing => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) if depth == 0 && text[at..].starts_with(joint) => {
                // `=` of `>=` is no end of `>`.
                if matches!(joint, ">" | "<") && text[at + 1..].starts_with('=') {
                    continue;
                }
                parts.push(&text[from..at]);
                from = at + joint.len();
                skip = from;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn unwrapped(text: &str) -> &str {
    match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) if split(inner, ")").len() == 1 && !inner.contains(')') => inner.trim(),
        _ => text,
    }
}

/// A value as text.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(condition: &str, holds: bool, expected: Json) {
        let mut made = Made::new(200, json!({ "list": [1], "more": "?" }));
        made.fulfil(condition, holds);
        assert_eq!(made.body, expected, "{condition} {holds}");
    }

    #[test]
    fn answers_are_made_so_that_conditions_hold() {
        check("answer.body.has_more == false", true, json!({ "list": [1], "more": "?", "has_more": false }));
        check("answer.body.has_more == false", false, json!({ "list": [1], "more": "?", "has_more": true }));
        check("!answer.body.?more", true, json!({ "list": [1], "more": false }));
        check("has(answer.body.more)", false, json!({ "list": [1] }));
        check("size(answer.body.list) == 0", true, json!({ "list": [], "more": "?" }));
        check(
            "answer.status == 200 && answer.body.state == \"done && over\"",
            true,
            json!({ "list": [1], "more": "?", "state": "done && over" }),
        );
        check("answer.body.left <= 5", false, json!({ "list": [1], "more": "?", "left": 6 }));
        check("answer.body.kind in [\"a\", \"b\"]", true, json!({ "list": [1], "more": "?", "kind": "a" }));
    }

    #[test]
    fn values_stand_where_expressions_look() {
        let mut made = Made::new(200, Json::Null);
        made.put("answer.body.?paging.?next.?after.orValue(null)", Some(json!("t")));
        made.put("answer.headers[?\"X-Next\"].orValue('')", Some(json!(7)));
        made.put("answer.body[\"@odata.nextLink\"]", Some(json!("u")));
        made.put("answer.body.items[1].id", Some(json!(2)));
        assert_eq!(
            made.body,
            json!({ "paging": { "next": { "after": "t" } }, "@odata.nextLink": "u", "items": [null, { "id": 2 }] })
        );
        assert_eq!(made.headers, [("x-next".to_owned(), "7".to_owned())]);
        made.put("answer.body.paging.next.after", None);
        assert_eq!(made.body["paging"], json!({ "next": {} }));
    }
}
