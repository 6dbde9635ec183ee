//! The check of one value.

use super::number::{same, whole};
use super::{Contract, Fields, Fixed, NodeId, Rule, Types};
use crate::record::path::Step;
use crate::record::{Path, Value, shown};

/// The first thing about a record that breaks its contract.
#[derive(Clone, Debug)]
pub struct Broken<'v> {
    /// Where in the record; empty for the record itself.
    pub path: Path,
    /// The keyword of the schema.
    pub keyword: &'static str,
    /// What it asks for: "at least 1".
    pub wants: String,
    /// What stands there.
    pub value: Value<'v>,
}

/// Steps that the check of one record may take: what asks for more is no contract but an attack.
const MOST_STEPS: u64 = if cfg!(test) { 200_000 } else { 5_000_000 };
/// Deepest nesting of schemas and values.
const MOST_DEPTH: u32 = 600;
/// Lists up to this length are searched for equal elements pair by pair.
const PAIRWISE: usize = 32;

impl Contract {
    /// Checks a value. `open`: fields that the schema does not know are none of its concern here,
    /// even where it forbids them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check<'v>(&self, value: Value<'v>, open: bool) -> Result<(), Box<Broken<'v>>> {
        let mut walk = Walk { contract: self, open, quiet: 0, left: MOST_STEPS, depth: 0, broken: None };
        let holds = walk.node(self.root, value);
        if walk.left == 0 {
            let wants = "a record that can be checked in a bounded number of steps".to_owned();
            return Err(Box::new(Broken { path: Path::default(), keyword: "limit", wants, value }));
        }
        match walk.broken {
            Some(mut broken) if !holds => {
                broken.path.0.reverse();
                Err(broken)
            }
            _ => Ok(()),
        }
    }
}

struct Walk<'c, 'v> {
    contract: &'c Contract,
    open: bool,
    /// Above 0: somebody tries whether something holds, and wants no reason.
    quiet: u32,
    /// Steps that are left; with none left nothing holds.
    left: u64,
    depth: u32,
    broken: Option<Box<Broken<'v>>>,
}

impl<'c, 'v> Walk<'c, 'v> {
    fn node(&mut self, id: NodeId, value: Value<'v>) -> bool {
        let Some(rules) = self.contract.nodes.get(id) else { return true };
        if self.depth >= MOST_DEPTH {
            self.left = 0;
        }
        self.depth += 1;
        let holds = rules.iter().all(|rule| self.rule(id, rule, value));
        self.depth -= 1;
        holds
    }

    /// The same without a reason.
    fn tries(&mut self, id: NodeId, value: Value<'v>) -> bool {
        self.quiet += 1;
        let holds = self.node(id, value);
        self.quiet -= 1;
        holds
    }

    /// The same one step further down.
    fn below(&mut self, id: NodeId, value: Value<'v>, step: impl FnOnce() -> Step) -> bool {
        let holds = self.node(id, value);
        if !holds && let Some(broken) = &mut self.broken {
            broken.path.0.push(step());
        }
        holds
    }

    #[cold]
    fn fails(&mut self, keyword: &'static str, value: Value<'v>, wants: impl FnOnce() -> String) -> bool {
        if self.quiet == 0 && self.broken.is_none() {
            self.broken = Some(Box::new(Broken { path: Path::default(), keyword, wants: wants(), value }));
        }
        false
    }

    fn rule(&mut self, id: NodeId, rule: &'c Rule, value: Value<'v>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        match rule {
            Rule::Never => self.fails("false", value, || "nothing here".into()),
            Rule::Types(types) => types.has(type_of(&value)) || self.fails("type", value, || format!("type {types}")),
            Rule::OneOf(allowed) => {
                allowed.iter().any(|fixed| fixed.equals(&value))
                    || match allowed.as_slice() {
                        [one] => self.fails("const", value, || one.shown()),
                        many => self.fails("enum", value, || one_of(many)),
                    }
            }
            Rule::Minimum(..) | Rule::Maximum(..) | Rule::MultipleOf(_) => self.number(rule, value),
            Rule::Length(..) | Rule::Pattern(_) | Rule::Format(_) => self.text(rule, value),
            Rule::Count(..) | Rule::Unique | Rule::Items(..) | Rule::Contains(..) | Rule::OtherItems(_) => {
                match value {
                    Value::List(items) => self.list(id, rule, value, items),
                    _ => true,
                }
            }
            Rule::Size(..)
            | Rule::Required(_)
            | Rule::Fields(_)
            | Rule::Names(_)
            | Rule::Needs(..)
            | Rule::With(..)
            | Rule::OtherFields(_) => match value {
                Value::Map(_) | Value::Dict(_) => self.map(id, rule, value),
                _ => true,
            },
            Rule::All(all) => all.iter().all(|id| self.node(*id, value)),
            Rule::Any(any) => {
                any.iter().any(|id| self.tries(*id, value))
                    || self.fails("anyOf", value, || format!("one of {} forms, and it has none of them", any.len()))
            }
            Rule::One(one) => match one.iter().filter(|id| self.tries(**id, value)).take(2).count() {
                1 => true,
                0 => self.fails("oneOf", value, || format!("one of {} forms, and it has none of them", one.len())),
                _ => self.fails("oneOf", value, || format!("exactly one of {} forms, and it has several", one.len())),
            },
            Rule::Not(not) => {
                !self.tries(*not, value) && self.left > 0
                    || self.fails("not", value, || "anything but what it is".into())
            }
            Rule::If(condition, then, otherwise) => {
                let chosen = if self.tries(*condition, value) { then } else { otherwise };
                chosen.is_none_or(|id| self.node(id, value))
            }
        }
    }

    fn number(&mut self, rule: &'c Rule, value: Value<'v>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match rule {
            Rule::Minimum(bound, exclusive) => match (bound.against(&value), exclusive) {
                (Some(Less), _) | (Some(Equal), true) => {
                    let (keyword, words) =
                        if *exclusive { ("exclusiveMinimum", "more than") } else { ("minimum", "at least") };
                    self.fails(keyword, value, || format!("{words} {}", bound.text))
                }
                _ => true,
            },
            Rule::Maximum(bound, exclusive) => match (bound.against(&value), exclusive) {
                (Some(Greater), _) | (Some(Equal), true) => {
                    let (keyword, words) =
                        if *exclusive { ("exclusiveMaximum", "less than") } else { ("maximum", "at most") };
                    self.fails(keyword, value, || format!("{words} {}", bound.text))
                }
                _ => true,
            },
            Rule::MultipleOf(step) if whole(&value).is_some() => {
                step.divides(&value) == Some(true)
                    || self.fails("multipleOf", value, || format!("a multiple of {}", step.text))
            }
            _ => true,
        }
    }

    fn text(&mut self, rule: &'c Rule, value: Value<'v>) -> bool {
        let made;
        let text = match value {
            Value::String(text) => text,
            Value::Timestamp(_) | Value::Date(_) | Value::Duration(_) | Value::Bytes(_) => {
                made = shown::text(&value);
                &made
            }
            _ => return true,
        };
        match rule {
            Rule::Length(least, most) => {
                // A text has at most as many characters as bytes, and at least a quarter as many.
                if text.len() / 4 >= *least && most.is_none_or(|most| text.len() <= most) {
                    return true;
                }
                let length = text.chars().count();
                if length < *least {
                    return self.fails("minLength", value, || format!("at least {}", counted(*least, "character")));
                }
                match most.filter(|most| length > *most) {
                    Some(most) => self.fails("maxLength", value, || format!("at most {}", counted(most, "character"))),
                    None => true,
                }
            }
            Rule::Pattern(pattern) => {
                pattern.regex.is_match(text) || self.fails("pattern", value, || format!("the pattern {}", pattern.text))
            }
            Rule::Format(format) => {
                let is = matches!(
                    (format, value),
                    (super::Format::DateTime, Value::Timestamp(_)) | (super::Format::Date, Value::Date(_))
                );
                is || format.holds(text) || self.fails("format", value, || format!("the form `{}`", format.name()))
            }
            _ => true,
        }
    }

    fn list(&mut self, id: NodeId, rule: &'c Rule, value: Value<'v>, items: &'v [Value<'v>]) -> bool {
        match rule {
            Rule::Count(least, most) => {
                if items.len() < *least {
                    return self.fails("minItems", value, || format!("at least {}", counted(*least, "element")));
                }
                match most.filter(|most| items.len() > *most) {
                    Some(most) => self.fails("maxItems", value, || format!("at most {}", counted(most, "element"))),
                    None => true,
                }
            }
            Rule::Unique => {
                unique(items, &mut self.left)
                    || self.fails("uniqueItems", value, || "elements that differ from each other".into())
            }
            Rule::Items(first, rest) => {
                items.iter().enumerate().all(|(index, item)| match first.get(index).copied().or(*rest) {
                    Some(id) => self.below(id, *item, || Step::Index(index as i64)),
                    None => true,
                })
            }
            Rule::Contains(id, least, most) => {
                let found = items.iter().filter(|item| self.tries(*id, **item)).count();
                if found < *least {
                    return self.fails("contains", value, || {
                        format!("at least {} of a certain form", counted(*least, "element"))
                    });
                }
                match most.filter(|most| found > *most) {
                    Some(most) => self.fails("maxContains", value, || {
                        format!("at most {} of a certain form", counted(most, "element"))
                    }),
                    None => true,
                }
            }
            Rule::OtherItems(rest) => items.iter().enumerate().all(|(index, item)| {
                self.speaks_of_item(id, value, index)
                    || self.below(*rest, *item, || Step::Index(index as i64))
                    || self.renamed("unevaluatedItems")
            }),
            _ => true,
        }
    }

    fn map(&mut self, id: NodeId, rule: &'c Rule, value: Value<'v>) -> bool {
        match rule {
            Rule::Size(least, most) => {
                let mut size = 0;
                each(value, &mut |_, _| {
                    size += 1;
                    true
                });
                if size < *least {
                    return self.fails("minProperties", value, || format!("at least {}", counted(*least, "field")));
                }
                match most.filter(|most| size > *most) {
                    Some(most) => self.fails("maxProperties", value, || format!("at most {}", counted(most, "field"))),
                    None => true,
                }
            }
            Rule::Required(names) => self.required("required", names, value),
            Rule::Needs(with, names) => {
                value.get(with).is_missing() || self.required("dependentRequired", names, value)
            }
            Rule::With(name, id) => value.get(name).is_missing() || self.node(*id, value),
            Rule::Names(id) => each(value, &mut |key, _| {
                self.below(*id, Value::String(key), || Step::Key(key.to_owned())) || self.renamed("propertyNames")
            }),
            Rule::Fields(fields) => self.fields(fields, value),
            Rule::OtherFields(rest) if self.open && self.is_never(*rest) => true,
            Rule::OtherFields(rest) => each(value, &mut |key, item| {
                self.speaks_of(id, value, key)
                    || self.below(*rest, item, || Step::Key(key.to_owned()))
                    || self.unknown("unevaluatedProperties", *rest)
            }),
            _ => true,
        }
    }

    fn required(&mut self, keyword: &'static str, names: &'c [String], value: Value<'v>) -> bool {
        // Fields mostly stand in the order in which the schema names them.
        let mut next = 0;
        names.iter().all(|name| {
            let there = match value {
                Value::Map(entries) => {
                    let found = entries[next.min(entries.len())..].iter().position(|(key, _)| key == name);
                    let at =
                        found.map(|found| found + next).or_else(|| entries.iter().position(|(key, _)| key == name));
                    next = at.map_or(next, |at| at + 1);
                    at.is_some_and(|at| !entries[at].1.is_missing())
                }
                _ => !value.get(name).is_missing(),
            };
            there || {
                self.fails(keyword, Value::Missing, || "a value".into());
                if let Some(broken) = &mut self.broken {
                    broken.path.0.push(Step::Key(name.clone()));
                }
                false
            }
        })
    }

    fn fields(&mut self, fields: &'c Fields, value: Value<'v>) -> bool {
        let mut next = 0;
        each(value, &mut |key, item| {
            let named = &fields.named;
            let known = |(name, _): &(String, NodeId)| name == key;
            let found = named[next.min(named.len())..].iter().position(known).map(|found| found + next);
            let at = found.or_else(|| named.iter().position(known));
            let mut spoken = at.is_some();
            if let Some(at) = at {
                next = at + 1;
                if !self.below(named[at].1, item, || Step::Key(key.to_owned())) {
                    return false;
                }
            }
            for (pattern, id) in &fields.patterns {
                if pattern.regex.is_match(key) {
                    spoken = true;
                    if !self.below(*id, item, || Step::Key(key.to_owned())) {
                        return false;
                    }
                }
            }
            match fields.others {
                Some(id) if !(spoken || self.open && self.is_never(id)) => {
                    self.below(id, item, || Step::Key(key.to_owned())) || self.unknown("additionalProperties", id)
                }
                _ => true,
            }
        })
    }

    fn is_never(&self, id: NodeId) -> bool {
        matches!(self.contract.nodes.get(id).map(Vec::as_slice), Some([Rule::Never]))
    }

    /// A field that is there and must not be: the keyword that forbids it is told.
    fn unknown(&mut self, keyword: &'static str, id: NodeId) -> bool {
        if self.is_never(id)
            && let Some(broken) = &mut self.broken
        {
            broken.keyword = keyword;
            broken.wants = "only fields that it names".into();
        }
        false
    }

    fn renamed(&mut self, keyword: &'static str) -> bool {
        if let Some(broken) = self.broken.as_mut().filter(|broken| broken.keyword == "false") {
            broken.keyword = keyword;
        }
        false
    }

    /// Whether another keyword of a schema speaks of this field, for a record that meets it.
    fn speaks_of(&mut self, id: NodeId, value: Value<'v>, key: &str) -> bool {
        let Some(rules) = self.contract.nodes.get(id) else { return false };
        rules.iter().any(|rule| match rule {
            Rule::Fields(fields) => {
                fields.others.is_some()
                    || fields.named.iter().any(|(name, _)| name == key)
                    || fields.patterns.iter().any(|(pattern, _)| pattern.regex.is_match(key))
            }
            // That of the schema itself is the one that asks.
            Rule::OtherFields(_) => false,
            other => self.inside(other, value, |walk, id| {
                walk.speaks_of(id, value, key)
                    || walk.contract.nodes[id].iter().any(|rule| matches!(rule, Rule::OtherFields(_)))
            }),
        })
    }

    /// The same for an element of a list.
    fn speaks_of_item(&mut self, id: NodeId, value: Value<'v>, index: usize) -> bool {
        let Some(rules) = self.contract.nodes.get(id) else { return false };
        rules.iter().any(|rule| match rule {
            Rule::Items(first, rest) => rest.is_some() || index < first.len(),
            Rule::Contains(id, ..) => match value {
                Value::List(items) => items.get(index).is_some_and(|item| self.tries(*id, *item)),
                _ => false,
            },
            Rule::OtherItems(_) => false,
            other => self.inside(other, value, |walk, id| {
                walk.speaks_of_item(id, value, index)
                    || walk.contract.nodes[id].iter().any(|rule| matches!(rule, Rule::OtherItems(_)))
            }),
        })
    }

    /// Asks the schemas inside a keyword that hold of the value.
    fn inside(&mut self, rule: &'c Rule, value: Value<'v>, ask: impl Fn(&mut Self, NodeId) -> bool) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        match rule {
            Rule::All(all) => all.iter().any(|id| ask(self, *id)),
            Rule::Any(some) | Rule::One(some) => some.iter().any(|id| self.tries(*id, value) && ask(self, *id)),
            Rule::With(name, id) => !value.get(name).is_missing() && ask(self, *id),
            Rule::If(condition, then, otherwise) => {
                if self.tries(*condition, value) {
                    ask(self, *condition) || then.is_some_and(|id| ask(self, id))
                } else {
                    otherwise.is_some_and(|id| ask(self, id))
                }
            }
            _ => false,
        }
    }
}

/// The type as JSON Schema has it. What JSON has no form for stands there as text.
#[inline]
fn type_of(value: &Value<'_>) -> Types {
    match value {
        Value::Missing => Types::ALL,
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOL,
        Value::String(_) | Value::Bytes(_) | Value::Timestamp(_) | Value::Date(_) | Value::Duration(_) => Types::TEXT,
        Value::List(_) => Types::LIST,
        Value::Map(_) | Value::Dict(_) => Types::MAP,
        number => match whole(number) {
            Some(true) => Types::INTEGER,
            _ => Types(Types::NUMBER.0 & !Types::INTEGER.0),
        },
    }
}

/// Asks each field that is there, until the answer is no.
fn each<'v>(value: Value<'v>, ask: &mut dyn FnMut(&'v str, Value<'v>) -> bool) -> bool {
    match value {
        Value::Map(entries) => entries.iter().all(|(key, item)| item.is_missing() || ask(key, *item)),
        Value::Dict(entries) => entries.iter().all(|(key, item)| match key {
            Value::String(key) => item.is_missing() || ask(key, *item),
            _ => true,
        }),
        _ => true,
    }
}

fn unique(items: &[Value<'_>], left: &mut u64) -> bool {
    if items.len() <= PAIRWISE {
        return items.iter().enumerate().all(|(at, item)| items[..at].iter().all(|other| !equals(item, other, left)));
    }
    let mut seen: std::collections::HashMap<Vec<u8>, Vec<usize>> =
        std::collections::HashMap::with_capacity(items.len());
    items.iter().enumerate().all(|(at, item)| {
        // Numbers have more than one form: they share a drawer by what they are near to.
        let mut drawer = Vec::new();
        match item {
            Value::List(_) | Value::Map(_) | Value::Dict(_) => drawer.push(b'['),
            _ if whole(item).is_some() => {
                drawer.push(b'#');
                let near: f64 = shown::text(item).parse().unwrap_or(0.0);
                drawer.extend_from_slice(&near.to_bits().to_le_bytes());
            }
            _ => shown::write(item, true, &mut drawer),
        }
        let others = seen.entry(drawer).or_default();
        let differs = others.iter().all(|other| !equals(item, &items[*other], left));
        others.push(at);
        differs
    })
}

/// Whether two values are equal as JSON has it; with no steps left, they are taken for it.
fn equals(one: &Value<'_>, other: &Value<'_>, left: &mut u64) -> bool {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return true;
    }
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(*other).all(|(one, other)| equals(one, other, left))
        }
        (Value::Map(_) | Value::Dict(_), Value::Map(_) | Value::Dict(_)) => {
            let (mut here, mut there) = (0, 0);
            each(*other, &mut |_, _| {
                there += 1;
                true
            });
            each(*one, &mut |key, item| {
                here += 1;
                let twin = other.get(key);
                !twin.is_missing() && equals(&item, &twin, left)
            }) && here == there
        }
        _ => match (type_of(one), type_of(other)) {
            (Types::TEXT, Types::TEXT) => shown::text(one) == shown::text(other),
            _ => same(one, other) == Some(true),
        },
    }
}

impl Fixed {
    /// Whether a value is this one.
    pub fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(one), Value::Bool(other)) => one == other,
            (Self::Text(one), Value::String(other)) => one == other,
            (Self::Text(one), other) if type_of(other) == Types::TEXT => *one == shown::text(other),
            (Self::Number(number), other) => number.against(other).is_some_and(std::cmp::Ordering::is_eq),
            (Self::List(one), Value::List(other)) => {
                one.len() == other.len() && one.iter().zip(*other).all(|(one, other)| one.equals(other))
            }
            (Self::Map(entries), Value::Map(_) | Value::Dict(_)) => {
                let mut count = 0;
                let mut keys_known = |key: &str, _: Value<'_>| {
                    count += 1;
                    entries.iter().any(|(name, _)| name == key)
                };
                let all_known = match value {
                    Value::Map(items) => items.iter().all(|(key, item)| item.is_missing() || keys_known(key, *item)),
                    other => each(*other, &mut |key, item| keys_known(key, item)),
                };
                all_known && count == entries.len() && entries.iter().all(|(key, fixed)| fixed.equals(&value.get(key)))
            }
            _ => false,
        }
    }

    /// The type that it has.
    pub fn types(&self) -> Types {
        match self {
            Self::Null => Types::NULL,
            Self::Bool(_) => Types::BOOL,
            Self::Number(number) if number.is_whole() => Types::INTEGER,
            Self::Number(_) => Types::NUMBER,
            Self::Text(_) => Types::TEXT,
            Self::List(_) => Types::LIST,
            Self::Map(_) => Types::MAP,
        }
    }

    /// As JSON, for a message.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(truth) => truth.to_string(),
            Self::Number(number) => number.text.clone(),
            Self::Text(text) => shown::short(&Value::String(text)),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::shown).collect::<Vec<_>>().join(", "))
            }
            Self::Map(entries) => {
                let all: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key:?}: {}", value.shown())).collect();
                format!("{{{}}}", all.join(", "))
            }
        }
    }
}

/// Most allowed values that a message lists.
const MOST_LISTED: usize = 8;

fn one_of(allowed: &[Fixed]) -> String {
    let mut all: Vec<String> = allowed.iter().take(MOST_LISTED).map(Fixed::shown).collect();
    if allowed.len() > MOST_LISTED {
        all.push(format!("{} more", allowed.len() - MOST_LISTED));
    }
    format!("one of {}", all.join(", "))
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
