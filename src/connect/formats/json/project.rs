//! The paths of a projection as a tree, so that one walk over a record fills every slot.

use super::parse::fingerprint;
use crate::record::path::Step;
use crate::record::{Arena, Path, Projection, Type, Value};

/// What is asked of a value.
#[derive(Debug)]
pub(in crate::connect::formats) enum Node {
    /// Build it whole and take these from it.
    Build(Vec<Target>),
    /// Look into it.
    Descend {
        /// Fields of an object.
        keys: Keys,
        /// Elements of a list.
        indexes: Vec<(usize, Node)>,
    },
}

/// A slot, and the way to it from the value that is built.
#[derive(Debug)]
pub(in crate::connect::formats) struct Target {
    /// The slot.
    pub slot: usize,
    /// Its type.
    pub kind: Type,
    /// The path as people write it.
    pub name: String,
    rest: Vec<Step>,
}

/// Nodes by key.
#[derive(Debug)]
pub(in crate::connect::formats) struct Keys {
    entries: Vec<(String, Node)>,
    /// For each fingerprint the first entry that has it, or [`NONE`]. Most keys are told from it.
    first: [u8; 64],
}

const NONE: u8 = u8::MAX;
/// The number of no node. A mapping of more fields than that in one object is refused long before.
pub(super) const NOTHING: u16 = u16::MAX;

impl Keys {
    fn new(entries: Vec<(String, Node)>) -> Self {
        let mut first = [NONE; 64];
        for (index, (key, _)) in entries.iter().enumerate().rev() {
            // Entries too far back to be numbered are found from the last numbered one on.
            first[fingerprint(key) as usize] = index.min(usize::from(NONE) - 1) as u8;
        }
        Self { entries, first }
    }

    /// The number of a key's node, or [`NOTHING`].
    #[inline]
    pub fn index(&self, key: &str) -> u16 {
        let first = self.first[fingerprint(key) as usize & 63];
        if first == NONE {
            return NOTHING;
        }
        let first = usize::from(first);
        let found = self.entries[first..].iter().position(|(known, _)| known == key);
        found.and_then(|found| u16::try_from(first + found).ok()).unwrap_or(NOTHING)
    }

    /// The node of that number.
    #[inline]
    pub fn node(&self, index: u16) -> Option<&Node> {
        self.entries.get(usize::from(index)).map(|(_, node)| node)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Node {
    /// The tree of a projection.
    pub fn new(projection: &Projection) -> Self {
        let targets = projection.paths.iter().enumerate().map(|(slot, path)| Target {
            slot,
            kind: projection.types.get(slot).cloned().unwrap_or_default(),
            name: path.to_string(),
            rest: path.0.clone(),
        });
        Self::of(targets.collect())
    }

    /// The tree of what is asked of a text inside a field: slot, type, name and steps of each.
    pub fn within(wishes: impl Iterator<Item = (usize, Type, String, Vec<Step>)>) -> Self {
        Self::of(wishes.map(|(slot, kind, name, rest)| Target { slot, kind, name, rest }).collect())
    }

    fn of(targets: Vec<Target>) -> Self {
        // Each element, or one counted from the end, is known only when the list has been read.
        let whole = |target: &Target| {
            matches!(target.rest.first(), None | Some(Step::Each))
                || matches!(target.rest.first(), Some(Step::Index(i)) if *i < 0)
        };
        if targets.iter().any(whole) {
            return Self::Build(targets);
        }
        let mut keys: Vec<(String, Vec<Target>)> = Vec::new();
        let mut indexes: Vec<(usize, Vec<Target>)> = Vec::new();
        for mut target in targets {
            match target.rest.remove(0) {
                Step::Key(key) => group(&mut keys, key, target),
                Step::Index(index) => group(&mut indexes, usize::try_from(index).unwrap_or(usize::MAX), target),
                Step::Each => {}
            }
        }
        let entries: Vec<(String, Node)> = keys.into_iter().map(|(key, targets)| (key, Self::of(targets))).collect();
        let indexes = indexes.into_iter().map(|(index, targets)| (index, Self::of(targets))).collect();
        Self::Descend { keys: Keys::new(entries), indexes }
    }

    /// Takes back what an earlier value under the same key has filled.
    pub fn clear(&self, slots: &mut [Value<'_>]) {
        match self {
            Self::Build(targets) => targets.iter().for_each(|target| slots[target.slot] = Value::Missing),
            Self::Descend { keys, indexes } => {
                keys.entries.iter().for_each(|(_, node)| node.clear(slots));
                indexes.iter().for_each(|(_, node)| node.clear(slots));
            }
        }
    }
}

impl Target {
    /// Whether text is taken as it stands.
    #[inline]
    pub fn takes_text(&self) -> bool {
        self.rest.is_empty() && matches!(self.kind, Type::String | Type::Dyn)
    }

    /// The value at the end of the rest of the path.
    #[inline]
    pub fn select<'a>(&self, value: Value<'a>, arena: &'a Arena) -> Value<'a> {
        if self.rest.is_empty() { value } else { select(value, &self.rest, arena) }
    }
}

fn group<K: PartialEq>(groups: &mut Vec<(K, Vec<Target>)>, key: K, target: Target) {
    match groups.iter_mut().find(|(known, _)| *known == key) {
        Some((_, targets)) => targets.push(target),
        None => groups.push((key, vec![target])),
    }
}

/// The value at the end of some steps; missing where a step leads nowhere.
pub(in crate::connect) fn select<'a>(value: Value<'a>, steps: &[Step], arena: &'a Arena) -> Value<'a> {
    let Some((step, rest)) = steps.split_first() else { return value };
    match (step, value) {
        (Step::Key(key), value) => select(value.get(key), rest, arena),
        (Step::Index(index), Value::List(items)) => {
            let index = if *index < 0 { items.len() as i64 + index } else { *index };
            let item = usize::try_from(index).ok().and_then(|index| items.get(index));
            item.map_or(Value::Missing, |item| select(*item, rest, arena))
        }
        (Step::Each, Value::List(items)) if rest.is_empty() => Value::List(items),
        (Step::Each, Value::List(items)) => {
            Value::List(arena.alloc_slice_fill_iter(items.iter().map(|item| select(*item, rest, arena))))
        }
        _ => Value::Missing,
    }
}

/// The keys of a path that has nothing else.
pub(in crate::connect::formats) fn plain_keys(path: &Path) -> Option<Vec<&str>> {
    path.0
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) | Step::Each => None,
        })
        .collect()
}
