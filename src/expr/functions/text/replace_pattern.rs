//! Text with the matches of a pattern replaced.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REPLACE_PATTERN: Function = Function {
    spec: Spec {
        name: "replace_pattern",
        aliases: &[],
        about: "Replaces what a regular expression matches, everywhere or only the first times.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern."),
            Parameter::new(
                "to",
                Kinds::TEXT,
                "What stands there instead: `$1` or `${name}` is a group, `$$` a dollar sign.",
            ),
            Parameter::new("limit", Kinds::INT, "At most so many; negative for all.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"replace_pattern("2024-03-31", "(\\d+)-(\\d+)-(\\d+)", "$3.$2.$1")"#, r#"31.03.2024"#),
            Example::ok(r#""a  b   c".replace_pattern(" +", " ", 1)"#, r#"a b   c"#),
            Example::fails(r#"replace_pattern("a", "a", "$2")"#, r#"no such group"#),
            Example::fails(r#"replace_pattern("a", "a", "5 $")"#, r#"`$$`"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern), Value::String(to), rest @ ..] = arguments else {
        return Err(super::misuse());
    };
    let limit = match rest {
        [Value::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let made;
    let rule: &Rule = match super::made(call.prepared) {
        Some(rule) => rule,
        None => {
            made = Rule::new(pattern, to)?;
            &made
        }
    };
    let mut out = call.text(text.len())?;
    let mut last = 0;
    for groups in rule.pattern.captures_iter(text).take(limit) {
        let Some(whole) = groups.get(0) else { continue };
        out.push_str(&text[last..whole.start()]);
        for piece in &rule.pieces {
            let piece = match piece {
                Piece::Text(text) => text,
                Piece::Group(index) => groups.get(*index).map_or("", |found| found.as_str()),
            };
            call.spend(piece.len())?;
            out.push_str(piece);
        }
        last = whole.end();
    }
    out.push_str(&text[last..]);
    Ok(Value::String(out.into_bump_str()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants {
        [_, Some(Value::String(pattern)), Some(Value::String(to)), ..] => {
            Rule::new(pattern, to).map(|rule| Prepared::Made(Box::new(rule)))
        }
        _ => Ok(Prepared::None),
    }
}

/// A pattern and what stands in place of its matches.
struct Rule {
    pattern: regex::Regex,
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Group(usize),
}

impl Rule {
    /// Reads both; a group that the pattern does not have is an error here, not an empty text later.
    fn new(pattern: &str, to: &str) -> Result<Self, Failure> {
        let pattern = super::pattern_of(pattern)?;
        let mut pieces = Vec::new();
        let mut rest = to;
        while let Some(at) = rest.find('$') {
            pieces.push(Piece::Text(rest[..at].to_string()));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                pieces.push(Piece::Text("$".into()));
                rest = after;
                continue;
            }
            let (name, after) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                Some(named) => named,
                None => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
            };
            if name.is_empty() {
                return Err(Failure::value("a `$` stands for a group: write `$$` for the sign itself"));
            }
            pieces.push(Piece::Group(super::group_of(&pattern, name)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_string()));
        Ok(Self { pattern, pieces })
    }
}
