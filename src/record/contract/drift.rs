//! Drift: fields of a record that nobody has declared.

use regex::Regex;

use super::{Contract, NodeId, Rule};
use crate::record::{Field, Type, Value};

/// What is known of a place in records: its fields, as a tree.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Whether anything may be here: a free map, a place of which nothing is said.
    anything: bool,
    fields: Vec<(String, Known)>,
    patterns: Vec<Regex>,
    items: Option<Box<Known>>,
}

/// Most places of a tree; past that nothing is known of what lies below.
const MOST: usize = 20_000;

impl Known {
    /// From declared fields. Without any, everything is known.
    pub fn of_fields(fields: &[Field]) -> Self {
        if fields.is_empty() {
            return Self { anything: true, ..Self::default() };
        }
        let known = fields.iter().map(|field| (field.name.clone(), Self::of_type(&field.kind)));
        Self { fields: known.collect(), ..Self::default() }
    }

    fn of_type(kind: &Type) -> Self {
        match kind {
            Type::Record { fields, .. } => Self::of_fields(fields),
            Type::List(inner) => {
                Self { anything: true, items: Some(Box::new(Self::of_type(inner))), ..Self::default() }
            }
            _ => Self { anything: true, ..Self::default() },
        }
    }

    /// From the rules of a schema: a field is known where any keyword names it.
    pub fn of_contract(contract: &Contract) -> Self {
        let mut left = MOST;
        known(contract, &[contract.root], &mut Vec::new(), &mut left)
    }

    /// Adds what is known from elsewhere.
    pub fn and(mut self, other: Self) -> Self {
        if other.fields.is_empty() && other.patterns.is_empty() {
            return self;
        }
        self.anything = false;
        for (name, more) in other.fields {
            match self.fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = std::mem::take(known).and(more),
                None => self.fields.push((name, more)),
            }
        }
        self.patterns.extend(other.patterns);
        self
    }

    /// Whether there is nothing that it could find.
    pub fn is_blind(&self) -> bool {
        self.anything
            && self.items.as_ref().is_none_or(|items| items.is_blind())
            && self.fields.iter().all(|(_, known)| known.is_blind())
    }
}

fn known(contract: &Contract, ids: &[NodeId], above: &mut Vec<NodeId>, left: &mut usize) -> Known {
    let blind = Known { anything: true, ..Known::default() };
    // A schema inside of itself: there is no end to what it knows.
    if *left == 0 || ids.iter().any(|id| above.contains(id)) {
        return blind;
    }
    *left -= 1;
    let (mut patterns, mut items) = (Vec::new(), Vec::new());
    let mut fields: Vec<(String, Vec<NodeId>)> = Vec::new();
    let (mut free, mut ahead, mut seen) = (false, ids.to_vec(), Vec::new());
    while let Some(id) = ahead.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        for rule in contract.nodes.get(id).into_iter().flatten() {
            match rule {
                Rule::Fields(of) => {
                    for (name, id) in &of.named {
                        match fields.iter_mut().find(|(known, _)| known == name) {
                            Some((_, ids)) => ids.push(*id),
                            None => fields.push((name.clone(), vec![*id])),
                        }
                    }
                    patterns.extend(of.patterns.iter().map(|(pattern, _)| pattern.regex.clone()));
                    // What is said of all other fields makes each of them known.
                    let said = |id: &NodeId| {
                        contract
                            .nodes
                            .get(*id)
                            .is_some_and(|rules| !rules.is_empty() && !matches!(rules[0], Rule::Never))
                    };
                    free |= of.others.as_ref().is_some_and(said);
                }
                Rule::Items(first, rest) => items.extend(first.iter().chain(rest)),
                Rule::All(all) | Rule::Any(all) | Rule::One(all) => ahead.extend(all),
                Rule::If(condition, then, otherwise) => {
                    ahead.push(*condition);
                    ahead.extend(then.iter().chain(otherwise));
                }
                Rule::With(_, id) => ahead.push(*id),
                _ => {}
            }
        }
    }
    let deep = above.len();
    above.extend(&seen);
    let fields: Vec<_> = fields.into_iter().map(|(name, ids)| (name, known(contract, &ids, above, left))).collect();
    let items = (!items.is_empty()).then(|| Box::new(known(contract, &items, above, left)));
    above.truncate(deep);
    Known { anything: free || (fields.is_empty() && patterns.is_empty()), fields, patterns, items }
}

/// Tells the path of each field of a record that is not known, elements of lists as `[*]`, until
/// the answer is no.
pub fn undeclared(known: &Known, value: Value<'_>, tell: &mut dyn FnMut(&Way<'_>) -> bool) -> bool {
    look(known, value, &Way { above: None, step: None }, tell)
}

/// A way into a record, made without allocating: it is written out only where somebody asks.
#[derive(Debug)]
pub struct Way<'w> {
    above: Option<&'w Way<'w>>,
    /// `None`: each element of a list, or the record at the top.
    step: Option<&'w str>,
}

/// Longest name of a field that is told whole.
const MOST_NAME: usize = 80;

impl std::fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.step {
            None => f.write_str("[*]"),
            Some(name) => {
                if above.above.is_some() {
                    f.write_str(".")?;
                }
                let short: String = name.chars().take(MOST_NAME).collect();
                std::fmt::Display::fmt(&crate::record::Path::key(short), f)
            }
        }
    }
}

fn look(known: &Known, value: Value<'_>, way: &Way<'_>, tell: &mut dyn FnMut(&Way<'_>) -> bool) -> bool {
    match value {
        Value::List(items) => match &known.items {
            Some(inner) => {
                let way = Way { above: Some(way), step: None };
                items.iter().all(|item| look(inner, *item, &way, tell))
            }
            None => true,
        },
        Value::Map(entries) => {
            let mut next = 0;
            entries.iter().filter(|(_, value)| !value.is_missing()).all(|(key, item)| {
                let is = |(name, _): &(String, Known)| name == key;
                let found = known.fields[next.min(known.fields.len())..].iter().position(is).map(|found| found + next);
                let way = Way { above: Some(way), step: Some(key) };
                match found.or_else(|| known.fields.iter().position(is)) {
                    Some(at) => {
                        next = at + 1;
                        look(&known.fields[at].1, *item, &way, tell)
                    }
                    None if known.anything || known.patterns.iter().any(|pattern| pattern.is_match(key)) => true,
                    None => tell(&way),
                }
            })
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ClassSet;

    fn field(name: &str, kind: Type) -> Field {
        Field { name: name.into(), kind, required: false, nullable: true, classes: ClassSet::NONE }
    }

    fn found(known: &Known, record: Value<'_>) -> Vec<String> {
        let mut all = Vec::new();
        undeclared(known, record, &mut |way| {
            all.push(way.to_string());
            true
        });
        all
    }

    #[test]
    fn undeclared_fields_are_found_at_any_depth() {
        let line = Type::Record { fields: vec![field("sku", Type::String)], open: true };
        let known = Known::of_fields(&[
            field("id", Type::Int),
            field("lines", Type::List(Box::new(line))),
            field("free", Type::Map(Box::default())),
        ]);
        let x = Value::Int(1);
        let one = [("sku", x), ("odd", x)];
        let lines = [Value::Map(&one), Value::Null, Value::Map(&one[..1])];
        let free = [("anything", x)];
        let record =
            [("free", Value::Map(&free)), ("lines", Value::List(&lines)), ("a.b", x), ("gone", Value::Missing)];
        assert_eq!(found(&known, Value::Map(&record)), ["lines[*].odd", "\"a.b\""]);
        assert!(!known.is_blind() && Known::of_fields(&[]).is_blind());
        assert_eq!(found(&Known::of_fields(&[]), Value::Map(&record)), [""; 0]);
    }
}
