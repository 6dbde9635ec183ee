//! The words that conditions of rules have beside those of the language. Each is about something that is
//! known before anything moves, so it is as if its value were written there:
//! `tag(record.card)` is the list of the field's classes with those around them, `protected(record.card)` whether
//! nothing of it arrives in clear, `consent("marketing")` whether the record says yes to that, `region("crm")` where
//! a connector stands. One looks at the record itself: `detect(record.note, "pci")` is whether the detectors find
//! such data in its value; over a flow, whether outgoing values are looked at for it. `count_in("1h")` belongs to
//! rules over events, see [`super::events`].

use std::collections::BTreeMap;

use super::{On, Rule, Test};
use crate::record::ClassId;

/// What is known of the names in a condition.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The classes of fields, by path.
    pub tags: BTreeMap<String, Vec<String>>,
    /// The fields of which nothing arrives in clear.
    pub protected: Vec<String>,
    /// The classes that outgoing values are looked at for.
    pub detected: Vec<String>,
    /// The expression by which a record says yes, by purpose.
    pub consents: BTreeMap<String, String>,
    /// Whether consent is asked for at all on the way, by purpose: for flows and mappings.
    pub gated: Vec<String>,
    /// Where connectors stand.
    pub regions: BTreeMap<String, String>,
    /// The fields that there are; `None`: any.
    pub fields: Option<Vec<String>>,
}

impl Known {
    /// Of a test: nothing but what it says.
    pub(super) fn of_test(test: &Test) -> Self {
        Self { tags: test.tags.clone(), ..Self::default() }
    }
}

const WORDS: &[&str] = &["tag", "protected", "detect", "consent", "region", "count_in"];

/// The condition of a rule with its words in place. Without anything known, what could be.
///
/// # Errors
/// A word is not used as it can be.
pub(super) fn expand(rule: &Rule, known: Option<&Known>) -> Result<String, String> {
    let nothing = Known::default();
    let known = known.unwrap_or(&nothing);
    let mut out = String::with_capacity(rule.when.len());
    let mut rest = rule.when.as_str();
    while let Some((at, word, inside, end)) = next(rest)? {
        out.push_str(&rest[..at]);
        out.push_str(&value(rule, word, inside.trim(), known)?);
        rest = &rest[end..];
    }
    out.push_str(rest);
    Ok(without_unknown(&out, rule.on, known))
}

/// The first word in a condition that is about records and routes.
pub(super) fn of_records(when: &str) -> Result<Option<&'static str>, String> {
    Ok(next(when)?.map(|(_, word, ..)| word))
}

/// Whether a condition holds a word.
pub(super) fn holds_word(when: &str, wanted: &str) -> Result<bool, String> {
    let mut rest = when;
    while let Some((_, word, _, end)) = next(rest)? {
        if word == wanted {
            return Ok(true);
        }
        rest = &rest[end..];
    }
    Ok(false)
}

/// The next word: where it begins, which it is, what stands in its parentheses, and where it ends.
fn next(text: &str) -> Result<Option<(usize, &'static str, &str, usize)>, String> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if let Some(mark) = quote {
            (quote, escaped) = match (escaped, c) {
                (false, '\\') => (quote, true),
                (false, c) if c == mark => (None, false),
                _ => (quote, false),
            };
            before = c;
            continue;
        }
        if matches!(c, '"' | '\'') {
            quote = Some(c);
        }
        let boundary = !(before.is_alphanumeric() || matches!(before, '_' | '.'));
        let word = WORDS
            .iter()
            .find(|word| boundary && text[at..].starts_with(*word) && text[at + word.len()..].starts_with('('));
        if let Some(word) = word {
            let begin = at + word.len() + 1;
            let Some(length) = text[begin..].find(')') else { return Err(format!("`{word}(` is not closed")) };
            return Ok(Some((at, word, &text[begin..begin + length], begin + length + 1)));
        }
        before = c;
    }
    Ok(None)
}

fn value(rule: &Rule, word: &str, inside: &str, known: &Known) -> Result<String, String> {
    let quoted = |text: &str| format!("{text:?}");
    let name = inside.trim_matches(['"', '\'']);
    let field = inside.strip_prefix("record.").map_or(name, |path| path.trim_start_matches('?'));
    if name.is_empty() {
        return Err(format!("`{word}()` says of what: a field, a purpose or a name"));
    }
    Ok(match word {
        "tag" => {
            let list = known.tags.get(field).into_iter().flatten().flat_map(|class| around(class));
            format!("[{}]", list.map(|class| quoted(&class)).collect::<Vec<_>>().join(", "))
        }
        "protected" => known.protected.iter().any(|one| one == field).to_string(),
        "detect" if rule.on == On::Record => {
            let (field, class) = inside.split_once(',').map_or((inside, "any"), |(field, class)| (field, class.trim()));
            let class = class.trim_matches(['"', '\'']);
            let Some(field) = field.trim().strip_prefix("record.").map(|path| path.trim_start_matches('?')) else {
                return Err(
                    "`detect()` says of which field: `detect(record.note)`, `detect(record.note, \"pci\")`".into()
                );
            };
            let first = field.split(['.', '[']).next().unwrap_or(field);
            match &known.fields {
                Some(fields) if !fields.iter().any(|known| known == first) => "false".into(),
                _ => format!("(has(record.{field}) && looks_like(record.{field}, {class:?}, {field:?}))"),
            }
        }
        "detect" => {
            let of_field = known.tags.get(field).into_iter().flatten();
            let asked: Vec<String> =
                of_field.cloned().chain(ClassId::named(name).map(|id| id.class().name.to_owned())).collect();
            let looked = |class: &String| around(class).iter().any(|one| known.detected.contains(one));
            let any = asked.is_empty() && !known.detected.is_empty();
            (any || asked.iter().any(looked)).to_string()
        }
        "consent" if rule.on == On::Record => match known.consents.get(name) {
            Some(expression) => format!("({expression})"),
            // A field of that name is how most systems say it.
            None => format!("(record.?consent_{name}.orValue(false) == true)"),
        },
        "consent" => known.gated.iter().any(|one| one == name).to_string(),
        "region" => quoted(known.regions.get(name).map_or("", String::as_str)),
        _ => return Err(format!("`{word}` is for rules on events")),
    })
}

/// A class with those around it: `pci.pan` is `pci` too.
pub(super) fn around(class: &str) -> Vec<String> {
    let name = ClassId::named(class).map_or(class, |id| id.class().name);
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| name[..end].to_owned()).collect()
}

/// `has(record.x)` of a field that no record has is false; `record.?x` of it is absent.
fn without_unknown(text: &str, on: On, known: &Known) -> String {
    let Some(fields) = known.fields.as_ref().filter(|_| on == On::Record) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("record.") {
        let path = &rest[at + 7..];
        let optional = path.starts_with('?');
        let name: String =
            path.trim_start_matches('?').chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = at + 7 + usize::from(optional) + name.len();
        if fields.contains(&name) {
            out.push_str(&rest[..end]);
        } else if let Some(begin) = rest[..at].strip_suffix("has(")
            && rest[end..].starts_with(')')
        {
            out.push_str(begin);
            out.push_str("false");
            rest = &rest[end + 1..];
            continue;
        } else if optional {
            out.push_str(&rest[..at]);
            out.push_str("{}.?");
            out.push_str(&name);
        } else {
            out.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A condition that reads another field in place of one.
pub(super) fn renamed(when: &str, field: &str, other: &str) -> String {
    let mut out = String::with_capacity(when.len());
    let mut rest = when;
    while let Some(at) = rest.find("record.") {
        let path = &rest[at + 7..];
        let begin = at + 7 + usize::from(path.starts_with('?'));
        let name: String = rest[begin..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        out.push_str(&rest[..begin]);
        out.push_str(if name == field { other } else { &name });
        rest = &rest[begin + name.len()..];
    }
    out.push_str(rest);
    out
}

/// The fields of the record that a condition reads, words excluded.
pub(super) fn fields(when: &str) -> Vec<String> {
    let of = when.match_indices("record.").map(|(at, _)| {
        when[at + 7..]
            .trim_start_matches('?')
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    });
    of.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(on: &str, when: &str, expected: Result<&str, &str>) {
        let rule: Rule =
            serde_json::from_value(serde_json::json!({ "name": "r", "on": on, "when": when })).expect("a rule");
        let known = Known {
            tags: [("card".to_owned(), vec!["pan".to_owned()])].into(),
            protected: vec!["card".into()],
            detected: vec!["pci".into()],
            consents: [("ads".to_owned(), "record.agreed == true".to_owned())].into(),
            gated: vec!["ads".into()],
            regions: [("crm".to_owned(), "eu".to_owned())].into(),
            fields: Some(vec!["card".into(), "agreed".into()]),
        };
        let came = expand(&rule, Some(&known));
        assert_eq!(came.as_deref().map_err(String::as_str), expected, "{when}");
    }

    #[test]
    fn words_stand_for_what_is_known() {
        check("record", r#""pci" in tag(record.card)"#, Ok(r#""pci" in ["pci", "pci.pan"]"#));
        check(
            "record",
            "tag(record.card).size() > 0 && !protected(record.card)",
            Ok(r#"["pci", "pci.pan"].size() > 0 && !true"#),
        );
        check("record", r#"consent("ads")"#, Ok("(record.agreed == true)"));
        check("record", r#"!consent("mail")"#, Ok("!({}.?consent_mail.orValue(false) == true)"));
        check("flow", r#"consent("ads") && region("crm") == "eu""#, Ok(r#"true && "eu" == "eu""#));
        check("flow", r#"detect("pci.pan")"#, Ok("true"));
        check("flow", r#"detect("phi")"#, Ok("false"));
        check(
            "record",
            r#"detect(record.card, "pci.pan")"#,
            Ok(r#"(has(record.card) && looks_like(record.card, "pci.pan", "card"))"#),
        );
        check("record", "detect(record.?card)", Ok(r#"(has(record.card) && looks_like(record.card, "any", "card"))"#));
        check("record", "detect(record.nothing)", Ok("false"));
        check("record", r#"region("crm") == "eu""#, Ok(r#""eu" == "eu""#));
        // Inside of a text, and as part of another name, it is no word.
        check("record", r#"record.card == "tag(x)""#, Ok(r#"record.card == "tag(x)""#));
        check("record", "record.card.detect(1) || my_tag(2)", Ok("record.card.detect(1) || my_tag(2)"));
        check("record", "has(record.cvv) || has(record.card)", Ok("false || has(record.card)"));
        check("record", r#"count_in("1h") > 1"#, Err("`count_in` is for rules on events"));
        check(
            "record",
            r#"detect("pci.pan")"#,
            Err("`detect()` says of which field: `detect(record.note)`, `detect(record.note, \"pci\")`"),
        );
        check("record", "tag(record.card", Err("`tag(` is not closed"));
        check("record", "tag()", Err("`tag()` says of what: a field, a purpose or a name"));
    }
}
