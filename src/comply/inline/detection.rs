//! Detection over outgoing values: what no class announced is found before it is written.

use std::collections::HashMap;
use std::sync::Arc;

use crate::comply::detect::{Context, Hit, Scanner, Selection};
use crate::config::{Detect, OnHit};
use crate::error::codes::comply::DETECTED;
use crate::map::Route;
use crate::record::path::Step;
use crate::record::{Act, Arena, ClassId, ClassSet, Path, Rulings, Value};

/// What is said in place of a value that was masked begins and ends so.
const MASK: (&str, &str) = ("[", "]");

/// Whole numbers below have too few digits for anything that is looked for in numbers.
const SMALL: u64 = 1_000_000;

/// What is looked for in the values of a route.
#[derive(Debug)]
pub struct Detection {
    asked: Detect,
    selection: Selection,
    columns: Vec<Watched>,
    /// Of a sentence about a record.
    none: Context,
}

/// A field whose values are looked at.
#[derive(Debug)]
struct Watched {
    path: Path,
    name: String,
    context: Context,
    /// The classes that are known to be in it: the flow check has judged them.
    announced: ClassSet,
    /// Whether it is a part of the key: its value cannot be changed.
    is_key: bool,
    /// Fields below it, by their keys.
    below: HashMap<String, Watched>,
}

/// What a worker looks with.
pub struct Memory {
    scanner: Scanner,
    hits: Vec<Hit>,
    /// Fields that no rule names: those of objects that are taken over whole.
    others: HashMap<String, Arc<Watched>>,
    path: String,
}

/// Most fields that no rule names and that are remembered.
const MOST_OTHERS: usize = 10_000;

/// What was seen in a record.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// Nothing that stands in its way; what was masked or warned of is counted.
    Clean,
    /// It goes to the dead letters.
    Park(Box<Finding>),
    /// The run ends.
    Block(Box<Finding>),
}

/// Why a record does not go on.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// The field of the target record.
    pub field: String,
    /// The class that was found.
    pub class: ClassId,
    /// In one sentence: kind, place, form, fingerprint, never the value.
    pub cause: String,
    /// Whether it is never to be stored, not even sealed.
    pub is_fleeting: bool,
}

/// What is done about one hit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Warn,
    Mask,
    Park,
    Block,
}

impl Detection {
    /// For the columns of a route; `None` where nothing is looked for. `key` makes fingerprints.
    pub fn new(asked: &Detect, route: &Route, key: [u8; 32]) -> Option<Self> {
        if asked.classes.is_empty() {
            return None;
        }
        // Beside a card number that is written short digits are a code; beside a token they are digits.
        let beside = route.leaves.iter().fold(ClassSet::NONE, |all, leaf| all.union(leaf.flow.classes));
        let wanted = |class: &str| ClassId::named(class).is_some_and(|class| covers(asked.classes, class));
        let selection = Selection::only(|detector| wanted(detector.class))
            .threshold(f32::from(asked.threshold) / 1000.0)
            .fingerprints(key);
        let columns = route.columns.iter().enumerate().map(|(index, column)| {
            let flow = route.flows.get(index).map_or(ClassSet::NONE, |flow| flow.source.union(flow.classes));
            let mut watched = Watched::new(column.path.clone(), flow, beside, route.key.contains(&index));
            for leaf in route.leaves.iter().filter(|leaf| leaf.column == index && leaf.target != column.path) {
                watched.grow(&leaf.target, leaf.flow.source.union(leaf.flow.classes), beside);
            }
            watched
        });
        Some(Self { asked: asked.clone(), selection, columns: columns.collect(), none: Context::none() })
    }

    /// What a worker looks with.
    pub fn memory(&self) -> Memory {
        Memory { scanner: Scanner::new(&self.selection), hits: Vec::new(), others: HashMap::new(), path: String::new() }
    }

    /// Looks at the values of one or more target records, one after the other.
    pub(super) fn look<'a>(
        &self,
        memory: &mut Memory,
        values: &mut [Value<'a>],
        arena: &'a Arena,
        rulings: &mut Rulings,
    ) -> Seen {
        let Memory { scanner, hits, others, path } = memory;
        let mut look = Look { detection: self, scanner, hits, others, path, arena, rulings, worst: None };
        for (value, watched) in values.iter_mut().zip(self.columns.iter().cycle()) {
            if let Some(masked) = look.value(*value, watched) {
                *value = masked;
            }
        }
        match look.worst {
            None => Seen::Clean,
            Some((Deed::Block, finding)) => Seen::Block(finding),
            Some((_, finding)) => Seen::Park(finding),
        }
    }

    /// A sentence without what it shows of values that look sensitive.
    pub(super) fn quiet(&self, memory: &mut Memory, text: String) -> String {
        let Memory { scanner, hits, .. } = memory;
        hits.clear();
        scanner.scan(&text, &self.none, hits);
        hits.retain(|hit| hit.class.class().sensitivity > 0);
        if hits.is_empty() { text } else { masked(&text, hits) }
    }

    /// Whether a source value of a column looks sensitive, announced or not.
    pub(super) fn suspects(&self, memory: &mut Memory, column: usize, value: &Value<'_>) -> bool {
        let Memory { scanner, hits, .. } = memory;
        let context = self.columns.get(column).map_or(&self.none, |watched| &watched.context);
        hits.clear();
        scanner.scan(&crate::record::shown::text(value), context, hits);
        hits.iter().any(|hit| hit.class.class().sensitivity > 0)
    }

    fn deed(&self, class: ClassId, can_mask: bool) -> Deed {
        let never = is_fleeting(class);
        match self.asked.action {
            OnHit::Block => Deed::Block,
            OnHit::Park => Deed::Park,
            OnHit::Mask if can_mask => Deed::Mask,
            OnHit::Mask => Deed::Park,
            // What must never be stored is not written with a warning.
            OnHit::Warn if never => Deed::Park,
            OnHit::Warn => Deed::Warn,
        }
    }
}

/// Card authentication data: never stored after authorisation, not even encrypted (PCI DSS 3.3.1).
fn is_fleeting(class: ClassId) -> bool {
    ClassId::named("pci.sad").is_some_and(|sad| class.is_within(sad))
}

fn covers(classes: ClassSet, class: ClassId) -> bool {
    ClassSet::one(class).beyond(classes).is_empty()
}

impl Watched {
    fn new(path: Path, announced: ClassSet, beside: ClassSet, is_key: bool) -> Self {
        let name = path.to_string();
        let context = Context::of_field(&name).beside(beside);
        Self { path, name, context, announced, is_key, below: HashMap::new() }
    }

    /// Takes a field below into account.
    fn grow(&mut self, target: &Path, announced: ClassSet, beside: ClassSet) {
        let Some(rest) = target.0.strip_prefix(self.path.0.as_slice()) else { return };
        let keys = rest.iter().filter_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
        let mut at = self;
        for key in keys {
            let mut path = at.path.clone();
            path.0.push(Step::Key(key.clone()));
            at = at.below.entry(key.clone()).or_insert_with(|| Self::new(path, ClassSet::NONE, beside, false));
        }
        at.announced = at.announced.union(announced);
    }

    /// Whether a class is no news here.
    fn knows(&self, class: ClassId) -> bool {
        self.announced.iter().any(|known| class.is_within(known) || known.is_within(class))
    }
}

struct Look<'l, 'a> {
    detection: &'l Detection,
    scanner: &'l mut Scanner,
    hits: &'l mut Vec<Hit>,
    others: &'l mut HashMap<String, Arc<Watched>>,
    path: &'l mut String,
    arena: &'a Arena,
    rulings: &'l mut Rulings,
    worst: Option<(Deed, Box<Finding>)>,
}

impl<'a> Look<'_, 'a> {
    /// Looks at a value; gives what takes its place if something in it was masked.
    fn value(&mut self, value: Value<'a>, watched: &Watched) -> Option<Value<'a>> {
        match value {
            Value::String(text) => self.text(text, watched, true).map(Value::String),
            Value::List(items) => {
                let mut changed: Option<&'a mut [Value<'a>]> = None;
                for (at, item) in items.iter().enumerate() {
                    if let Some(masked) = self.value(*item, watched) {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(items))[at] = masked;
                    }
                }
                changed.map(|items| Value::List(items))
            }
            Value::Map(entries) => {
                let mut changed: Option<&'a mut [(&'a str, Value<'a>)]> = None;
                for (at, (key, item)) in entries.iter().enumerate() {
                    if let Some(masked) = self.entry(key, *item, watched) {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(entries))[at].1 = masked;
                    }
                }
                changed.map(|entries| Value::Map(entries))
            }
            Value::Dict(entries) => {
                let mut changed: Option<&'a mut [(Value<'a>, Value<'a>)]> = None;
                for (at, (key, item)) in entries.iter().enumerate() {
                    let masked = match key {
                        Value::String(key) => self.entry(key, *item, watched),
                        _ => self.value(*item, watched),
                    };
                    if let Some(masked) = masked {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(entries))[at].1 = masked;
                    }
                }
                changed.map(|entries| Value::Dict(entries))
            }
            other => {
                self.plain(&other, watched);
                None
            }
        }
    }

    /// What is no text has no mask: it is looked at as its text.
    fn plain(&mut self, value: &Value<'a>, watched: &Watched) {
        match value {
            Value::Number(text) => drop_mask(self.text(text, watched, false)),
            Value::Int(number) if number.unsigned_abs() >= SMALL || watched.context.is_named() => {
                drop_mask(self.text(&number.to_string(), watched, false));
            }
            Value::Uint(number) if *number >= SMALL || watched.context.is_named() => {
                drop_mask(self.text(&number.to_string(), watched, false));
            }
            Value::Decimal(_) => {
                let mut text = Vec::new();
                crate::record::shown::write(value, false, &mut text);
                if let Ok(text) = std::str::from_utf8(&text) {
                    drop_mask(self.text(text, watched, false));
                }
            }
            Value::Bytes(bytes) => {
                if let Ok(text) = std::str::from_utf8(bytes) {
                    drop_mask(self.text(text, watched, false));
                }
            }
            _ => {}
        }
    }

    /// A field of an object: known from the mapping, or by its name alone.
    fn entry(&mut self, key: &str, item: Value<'a>, around: &Watched) -> Option<Value<'a>> {
        if let Some(below) = around.below.get(key) {
            return self.value(item, below);
        }
        // What a field is, its name says; it is asked once, not for each record.
        self.path.clear();
        self.path.push_str(&around.name);
        self.path.push('.');
        self.path.push_str(key);
        if let Some(below) = self.others.get(self.path.as_str()) {
            let below = Arc::clone(below);
            return self.value(item, &below);
        }
        let mut path = around.path.clone();
        path.0.push(Step::Key(key.to_owned()));
        let below = Arc::new(Watched::new(path, around.announced, ClassSet::NONE, around.is_key));
        if self.others.len() < MOST_OTHERS {
            self.others.insert(self.path.clone(), Arc::clone(&below));
        }
        self.value(item, &below)
    }

    /// Looks at a text; gives what is left of it if something in it was masked.
    fn text(&mut self, text: &str, watched: &Watched, can_mask: bool) -> Option<&'a str> {
        self.hits.clear();
        self.scanner.scan(text, &watched.context, self.hits);
        if self.hits.is_empty() {
            return None;
        }
        let classes = self.detection.asked.classes;
        self.hits
            .retain(|hit| hit.class.class().sensitivity > 0 && !watched.knows(hit.class) && covers(classes, hit.class));
        let mut masks = false;
        for at in 0..self.hits.len() {
            let hit = self.hits[at];
            let deed = self.detection.deed(hit.class, can_mask && !watched.is_key);
            let told = || told(&watched.name, &hit);
            match deed {
                Deed::Warn => self.rulings.count(Act::Warned, DETECTED.id, &watched.name, Some(hit.class), told),
                Deed::Mask => {
                    masks = true;
                    self.rulings.count(Act::Masked, DETECTED.id, &watched.name, Some(hit.class), told);
                }
                Deed::Park | Deed::Block => {
                    if deed == Deed::Park {
                        self.rulings.count(Act::Parked, DETECTED.id, &watched.name, Some(hit.class), told);
                    }
                    let is_fleeting =
                        is_fleeting(hit.class) || self.worst.as_ref().is_some_and(|(_, worst)| worst.is_fleeting);
                    if self.worst.as_ref().is_none_or(|(worst, _)| *worst < deed) {
                        let finding =
                            Finding { field: watched.name.clone(), class: hit.class, cause: told(), is_fleeting };
                        self.worst = Some((deed, Box::new(finding)));
                    } else if let Some((_, worst)) = &mut self.worst {
                        worst.is_fleeting = is_fleeting;
                    }
                }
            }
        }
        masks.then(|| &*self.arena.alloc_str(&masked(text, self.hits)))
    }
}

/// What is said of a hit: `looks like pci.pan (card_number, 0.99), 19 bytes at 12, 0000-0000-0000-0000`.
fn told(field: &str, hit: &Hit) -> String {
    let fingerprint = hit.fingerprint.map_or_else(String::new, |print| format!(", fingerprint {print}"));
    format!(
        "`{field}` holds what looks like `{}` ({}, {:.2} sure): {} bytes at {}, of the form `{}`{fingerprint}",
        hit.class.class().name,
        hit.detector().name,
        hit.score,
        hit.length,
        hit.offset,
        hit.preview,
    )
}

/// What is no text is left as it is, and its record is parked where it would be masked.
fn drop_mask(_: Option<&str>) {}

/// A text with the kind of what was found in place of it. Of overlapping ones the first stands for all.
pub(super) fn masked(text: &str, hits: &mut [Hit]) -> String {
    hits.sort_unstable_by_key(|hit| (hit.offset, std::cmp::Reverse(hit.length)));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for hit in hits {
        let (mut begin, mut end) = (hit.offset.min(text.len()), (hit.offset + hit.length).min(text.len()));
        while !text.is_char_boundary(begin) {
            begin -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if begin >= from {
            out.push_str(text.get(from..begin).unwrap_or_default());
            out.push_str(MASK.0);
            out.push_str(hit.class.class().name);
            out.push_str(MASK.1);
        }
        from = from.max(end);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::TargetShape;
    use crate::map::tests::{json, route, rules};

    fn detection(action: OnHit, fields: &str) -> (Detection, usize) {
        let mapping = rules("", fields);
        let declared = "id: string!, mail: string pii.email, comment: string, number: string, cvc: string";
        let route = route(&mapping, &json(declared), &TargetShape::default());
        let asked = Detect {
            classes: (0..crate::record::class::ALL.len() as u8).map(ClassId).collect(),
            action,
            threshold: 600,
        };
        let columns = route.columns.len();
        (Detection::new(&asked, &route, [7; 32]).unwrap(), columns)
    }

    const FIELDS: &str = "  - { target: id, source: id }\n  - { target: mail, source: mail }\n  - { target: comment, source: comment }\n  - { target: number, source: number }\n  - { target: cvc, source: cvc }\n";

    fn look(action: OnHit, values: &[Value<'_>]) -> (Seen, Vec<String>, Rulings) {
        let (detection, _) = detection(action, FIELDS);
        let (arena, mut rulings) = (Arena::new(), Rulings::default());
        let mut values: Vec<_> = values.iter().map(|value| value.copy_into(&arena)).collect();
        let seen = detection.look(&mut detection.memory(), &mut values, &arena, &mut rulings);
        (seen, values.iter().map(crate::record::shown::text).collect(), rulings)
    }

    const CARD: &str = "call 4539 1488 0343 6467 or jane@shop.example now";

    #[test]
    fn what_is_announced_is_no_news() {
        let (seen, _, rulings) =
            look(OnHit::Park, &[Value::String("a1"), Value::String("jane@shop.example"), Value::String("hello")]);
        assert_eq!((seen, rulings.is_empty()), (Seen::Clean, true));
    }

    #[test]
    fn actions_do_what_they_say() {
        let record = [Value::String("a1"), Value::Missing, Value::String(CARD)];
        let (seen, values, rulings) = look(OnHit::Mask, &record);
        assert_eq!((seen, values[2].as_str()), (Seen::Clean, "call [pci.pan] or [pii.contact.email] now"));
        let counted: Vec<_> = rulings.counted.iter().map(|one| (one.act, one.field.as_str(), one.records)).collect();
        assert_eq!(counted, [(Act::Masked, "comment", 1), (Act::Masked, "comment", 1)]);
        let (seen, values, rulings) = look(OnHit::Warn, &record);
        assert_eq!((seen, values[2].as_str(), rulings.counted.len()), (Seen::Clean, CARD, 2));
        let (seen, _, _) = look(OnHit::Park, &record);
        let Seen::Park(finding) = seen else { panic!("{seen:?}") };
        assert_eq!((finding.field.as_str(), finding.is_fleeting), ("comment", false));
        assert!(finding.cause.contains("of the form") && !finding.cause.contains("4539"), "{}", finding.cause);
        assert!(matches!(look(OnHit::Block, &record).0, Seen::Block(_)));
    }

    #[test]
    fn numbers_and_what_is_nested_are_looked_at() {
        let nested = Value::Map(&[("a", Value::List(&[Value::String(CARD)]))]);
        let (_, values, _) = look(OnHit::Mask, &[Value::String("a"), Value::Missing, nested]);
        assert!(!values[2].contains("4539") && values[2].contains("[pci.pan]"), "{}", values[2]);
        for number in [Value::Number("4539148803436467"), Value::Int(4_539_148_803_436_467)] {
            let (seen, _, _) = look(OnHit::Mask, &[Value::String("a"), Value::Missing, number]);
            assert!(matches!(seen, Seen::Park(_)), "a number has no mask");
        }
    }

    #[test]
    fn what_is_never_stored_is_not_written_with_a_warning() {
        let missing = Value::Missing;
        let record = [Value::String("a"), missing, missing, missing, Value::String("123")];
        let (seen, _, _) = look(OnHit::Warn, &record);
        let Seen::Park(finding) = seen else { panic!("{seen:?}") };
        assert!(finding.is_fleeting);
    }

    #[test]
    fn sentences_are_kept_quiet() {
        let (detection, _) = detection(OnHit::Park, FIELDS);
        let quiet = |text: &str| detection.quiet(&mut detection.memory(), text.into());
        assert_eq!(quiet("`4539148803436467` is no date"), "`[pci.pan]` is no date");
        assert_eq!(quiet("`x` is no date"), "`x` is no date");
    }
}
