//! The paths of a projection as a tree of elements, so that one walk over a record fills every slot; and
//! what the configuration declares of elements: which are lists, which hold mixed content.

use super::names::{Found, Names, Wanted};
use crate::record::path::Step;
use crate::record::{Arena, Path, Projection, Type, Value};

/// The text of an element.
pub(super) const TEXT: &str = "#text";
/// The mixed content of an element, as a list.
pub(super) const CONTENT: &str = "#content";
/// The name of an element within mixed content.
pub(super) const NAME: &str = "#name";
/// A comment within mixed content.
pub(super) const COMMENT: &str = "#comment";
/// The target of a processing instruction within mixed content; its data is [`TEXT`].
pub(super) const INSTRUCTION: &str = "#instruction";

/// What is declared of an element and of those in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub list: bool,
    pub mixed: bool,
    pub below: Vec<(Wanted, String, Declared)>,
}

impl Declared {
    /// Adds what a path says.
    ///
    /// # Errors
    /// If it is no path of element names.
    pub fn add(&mut self, names: &Names, path: &Path, set: fn(&mut Self)) -> Result<(), String> {
        let mut here = self;
        for step in &path.0 {
            let Step::Key(key) = step else { return Err("an index cannot stand in it".into()) };
            if key.starts_with(['@', '#']) {
                return Err(format!("`{key}` is no element"));
            }
            let wanted = names.wanted(key, false)?;
            let at = match here.below.iter().position(|(known, _, _)| *known == wanted) {
                Some(at) => at,
                None => {
                    here.below.push((wanted, key.clone(), Self::default()));
                    here.below.len() - 1
                }
            };
            here = &mut here.below[at].2;
        }
        set(here);
        Ok(())
    }

    /// Whether the element is more than its text also where no element stands in it.
    pub fn is_built(&self) -> bool {
        self.mixed || self.below.iter().any(|(_, _, below)| below.list)
    }

    pub fn child(&self, found: Found<'_>, local: &str) -> Option<&Self> {
        self.below.iter().find(|(name, _, _)| name.is(found, local)).map(|(_, _, declared)| declared)
    }
}

/// A slot, and the way to it from the value it is taken of.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub slot: usize,
    pub kind: Type,
    /// The path as people write it.
    pub name: String,
    pub rest: Vec<Step>,
}

/// What is asked of an element.
#[derive(Debug)]
pub(super) struct Node<'p> {
    /// Its number among all nodes.
    pub id: usize,
    /// The path as people write it.
    pub name: String,
    /// Who wants its value.
    pub whole: Vec<Target>,
    /// Who wants its own text.
    pub text: Vec<Target>,
    pub attributes: Vec<(Wanted, Vec<Target>)>,
    pub children: Vec<(Wanted, Child<'p>)>,
    /// Everyone here and below, for an element that is built after all.
    pub all: Vec<Target>,
    pub declared: Option<&'p Declared>,
    /// For each fingerprint of a name whether a child may have it.
    known: u64,
}

#[derive(Debug)]
pub(super) enum Child<'p> {
    Node(Node<'p>),
    List(List<'p>),
}

/// What is asked of a declared list.
#[derive(Debug)]
pub(super) struct List<'p> {
    /// Its number among all lists.
    pub id: usize,
    /// The rest of each path begins behind the list.
    pub targets: Vec<Target>,
    /// What is needed of each element.
    pub shape: Shape,
    pub declared: Option<&'p Declared>,
}

/// What is needed of an element that is built.
#[derive(Debug)]
pub(super) enum Shape {
    All,
    Some { attributes: Vec<Wanted>, text: bool, children: Vec<(Wanted, Shape)> },
}

/// Counts nodes and lists while a plan is made.
#[derive(Default)]
pub(super) struct Counts {
    pub nodes: usize,
    pub lists: usize,
}

impl<'p> Node<'p> {
    /// The plan of a projection.
    ///
    /// # Errors
    /// A path that no element can have, or that takes an element for a list that is none.
    pub fn new(
        projection: &Projection,
        names: &Names,
        declared: &'p Declared,
        counts: &mut Counts,
    ) -> Result<Self, String> {
        let targets = projection.paths.iter().enumerate().map(|(slot, path)| Target {
            slot,
            kind: projection.types.get(slot).cloned().unwrap_or_default(),
            name: path.to_string(),
            rest: path.0.clone(),
        });
        Self::of(String::new(), targets.collect(), names, Some(declared), counts)
    }

    fn of(
        name: String,
        targets: Vec<Target>,
        names: &Names,
        declared: Option<&'p Declared>,
        counts: &mut Counts,
    ) -> Result<Self, String> {
        let mut node = Self {
            id: counts.nodes,
            name,
            whole: Vec::new(),
            text: Vec::new(),
            attributes: Vec::new(),
            children: Vec::new(),
            all: targets.clone(),
            declared,
            known: 0,
        };
        counts.nodes += 1;
        let mut below: Vec<(String, Wanted, Vec<Target>)> = Vec::new();
        for mut target in targets {
            let Some(step) = target.rest.first().cloned() else {
                node.whole.push(target);
                continue;
            };
            let Step::Key(key) = step else {
                return Err(format!(
                    "`{}` reads a list where none is declared: add `{}` to `lists`",
                    target.name, node.name
                ));
            };
            target.rest.remove(0);
            if let Some(attribute) = key.strip_prefix('@') {
                let wanted = names.wanted(attribute, true)?;
                match node.attributes.iter_mut().find(|(known, _)| *known == wanted) {
                    Some((_, targets)) => targets.push(target),
                    None => node.attributes.push((wanted, vec![target])),
                }
            } else if key == TEXT {
                node.text.push(target);
            } else if key == CONTENT {
                node.whole.push(target);
            } else if key.starts_with('#') {
                return Err(format!(
                    "`{key}` in `{}` is nothing of an element: there are `{TEXT}` and `{CONTENT}`",
                    target.name
                ));
            } else {
                let wanted = names.wanted(&key, false)?;
                match below.iter_mut().find(|(_, known, _)| *known == wanted) {
                    Some((_, _, targets)) => targets.push(target),
                    None => below.push((key, wanted, vec![target])),
                }
            }
        }
        for (key, wanted, targets) in below {
            let declared = declared
                .and_then(|declared| declared.below.iter().find(|(known, _, _)| *known == wanted))
                .map(|(_, _, declared)| declared);
            // A field of the stream that is declared as a list is one.
            let typed = |target: &Target| target.rest.is_empty() && matches!(target.kind, Type::List(_));
            let child = if declared.is_some_and(|declared| declared.list) || targets.iter().any(typed) {
                counts.lists += 1;
                Child::List(List { id: counts.lists - 1, shape: Shape::of(&targets, names)?, targets, declared })
            } else {
                let name = if node.name.is_empty() { key } else { format!("{}.{key}", node.name) };
                Child::Node(Self::of(name, targets, names, declared, counts)?)
            };
            node.known |= 1 << fingerprint(&wanted.local);
            node.children.push((wanted, child));
        }
        Ok(node)
    }

    /// The child of that name. `near`: where to look first, as elements mostly stand in the order in
    /// which the mapping names them.
    #[inline]
    pub fn child(&self, found: Found<'_>, local: &str, near: &mut usize) -> Option<&Child<'p>> {
        if let Some((wanted, child)) = self.children.get(*near)
            && wanted.is(found, local)
        {
            *near += 1;
            return Some(child);
        }
        if self.known & (1 << fingerprint(local)) == 0 {
            return None;
        }
        let at = self.children.iter().position(|(wanted, _)| wanted.is(found, local))?;
        *near = at + 1;
        Some(&self.children[at].1)
    }
}

impl Shape {
    fn of(targets: &[Target], names: &Names) -> Result<Self, String> {
        let rests: Vec<&[Step]> = targets.iter().map(|target| target.rest.as_slice()).collect();
        Self::of_steps(&rests, names)
    }

    fn of_steps(rests: &[&[Step]], names: &Names) -> Result<Self, String> {
        let (mut attributes, mut text) = (Vec::new(), false);
        let mut below: Vec<(Wanted, Vec<&[Step]>)> = Vec::new();
        for rest in rests {
            let mut rest = *rest;
            while let [Step::Index(_) | Step::Each, tail @ ..] = rest {
                rest = tail;
            }
            let [Step::Key(key), tail @ ..] = rest else { return Ok(Self::All) };
            if let Some(attribute) = key.strip_prefix('@') {
                attributes.push(names.wanted(attribute, true)?);
            } else if key == TEXT {
                text = true;
            } else if key.starts_with('#') {
                return Ok(Self::All);
            } else {
                let wanted = names.wanted(key, false)?;
                match below.iter_mut().find(|(known, _)| *known == wanted) {
                    Some((_, rests)) => rests.push(tail),
                    None => below.push((wanted, vec![tail])),
                }
            }
        }
        let children = below
            .into_iter()
            .map(|(wanted, rests)| Ok((wanted, Self::of_steps(&rests, names)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self::Some { attributes, text, children })
    }

    pub fn wants_attribute(&self, found: Found<'_>, local: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some { attributes, .. } => attributes.iter().any(|wanted| wanted.is(found, local)),
        }
    }

    pub fn wants_text(&self) -> bool {
        matches!(self, Self::All | Self::Some { text: true, .. })
    }

    pub fn child(&self, found: Found<'_>, local: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Some { children, .. } => {
                children.iter().find(|(wanted, _)| wanted.is(found, local)).map(|(_, shape)| shape)
            }
        }
    }

    /// Whether a declared child that is not there is asked for.
    pub fn wants(&self, name: &Wanted) -> bool {
        match self {
            Self::All => true,
            Self::Some { children, .. } => children.iter().any(|(wanted, _)| wanted == name),
        }
    }
}

/// 0..64 from a name's length and ends.
#[inline]
fn fingerprint(name: &str) -> u32 {
    match name.as_bytes() {
        [] => 0,
        [only] => u32::from(*only) & 63,
        [first, .., last] => (name.len() as u32 * 7 + u32::from(*first) * 3 + u32::from(*last) * 5) & 63,
    }
}

/// The value at the end of some steps; missing where a step leads nowhere. An element with attributes
/// that is asked for itself is its text.
pub(super) fn select<'a>(value: Value<'a>, steps: &[Step], arena: &'a Arena) -> Value<'a> {
    let Some((step, rest)) = steps.split_first() else { return lifted(value) };
    match (step, value) {
        (Step::Key(key), Value::String(_) | Value::Null) if key == TEXT => value,
        (Step::Key(key), Value::List(_)) if key == CONTENT => value,
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

fn lifted(value: Value<'_>) -> Value<'_> {
    let Value::Map(entries) = value else { return value };
    match entries.split_last() {
        Some(((TEXT | CONTENT, inner), before)) if before.iter().all(|(key, _)| key.starts_with('@')) => *inner,
        _ => value,
    }
}
