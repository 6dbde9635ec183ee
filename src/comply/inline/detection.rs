//! Detection over outgoing values: what no class announced is found before it is written.

use std::collections::HashMap;

use crate::comply::detect::{Context, Hit, Scanner, Selection};
use crate::config::{Detect, OnHit};
use crate::error::codes::comply::DETECTED;
use crate::map::Route;
use crate::record::path::Step;
use crate::record::{Act, Arena, ClassId, ClassSet, Path, Rulings, Value};

/// What is said in place of a value that was masked begins and ends so.
const MASK: (&str, &str) = ("[", "]");

/// Numbers with fewer digits have too few for anything that is looked for in numbers.
const FEW: usize = 7;
/// Whole numbers below have fewer.
const SMALL: u64 = 1_000_000;

/// What is looked for in the values of a route.
#[derive(Debug)]
pub struct Detection {
    asked: Detect,
    selection: Selection,
    /// The fields that are known: first the columns, then what is known of those below them.
    fields: Vec<Watched>,
    /// Each column as if nothing were known to be in it.
    columns: Vec<Context>,
    /// Of a sentence about a record.
    none: Context,
}

/// A field whose values are looked at.
#[derive(Clone, Debug)]
struct Watched {
    path: Path,
    name: String,
    context: Context,
    /// The classes that are known to be in it: the flow check has judged them.
    announced: ClassSet,
    /// Whether it is a part of the key: its value cannot be changed.
    is_key: bool,
    below: Below,
}

/// The fields of a field, by their keys.
#[derive(Clone, Debug, Default)]
struct Below {
    /// The first of them in the order they were met, which is that of most records.
    first: Vec<(String, usize)>,
    /// Which of these comes next.
    next: usize,
    others: HashMap<String, usize>,
}

/// What a worker looks with.
pub struct Memory {
    scanner: Scanner,
    hits: Vec<Hit>,
    /// The fields of the route, and those that no rule names: those of objects that are taken over whole.
    fields: Vec<Watched>,
}

/// Most fields that are remembered.
const MOST_FIELDS: usize = 10_000;
/// Most keys of an object that are looked for one after the other.
const MOST_FIRST: usize = 32;

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
            Watched::new(column.path.clone(), flow, beside, route.key.contains(&index))
        });
        let mut fields: Vec<Watched> = columns.collect();
        let columns = fields.iter().map(|field| Context::of_field(&field.name).beside(beside)).collect();
        for leaf in route.leaves.iter().filter(|leaf| leaf.target != route.columns[leaf.column].path) {
            grow(&mut fields, leaf.column, &leaf.target, leaf.flow.source.union(leaf.flow.classes), beside);
        }
        for field in &mut fields {
            field.context.announce(field.announced);
        }
        Some(Self { asked: asked.clone(), selection, fields, columns, none: Context::none() })
    }

    /// What a worker looks with.
    pub fn memory(&self) -> Memory {
        Memory { scanner: Scanner::new(&self.selection), hits: Vec::new(), fields: self.fields.clone() }
    }

    /// Looks at the values of one or more target records, one after the other.
    pub(super) fn look<'a>(
        &self,
        memory: &mut Memory,
        values: &mut [Value<'a>],
        arena: &'a Arena,
        rulings: &mut Rulings,
    ) -> Seen {
        let Memory { scanner, hits, fields } = memory;
        let mut look = Look { detection: self, scanner, hits, fields, arena, rulings, worst: None };
        for (value, column) in values.iter_mut().zip((0..self.columns.len()).cycle()) {
            if let Some(masked) = look.value(*value, column) {
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

    /// The classes that a text shows, announced or not.
    pub(super) fn shows(&self, memory: &mut Memory, text: &str) -> ClassSet {
        let Memory { scanner, hits, .. } = memory;
        hits.clear();
        scanner.scan(text, &self.none, hits);
        hits.iter().map(|hit| hit.class).filter(|class| class.class().sensitivity > 0).collect()
    }

    /// Whether a source value of a column looks sensitive, announced or not.
    pub(super) fn suspects(&self, memory: &mut Memory, column: usize, value: &Value<'_>) -> bool {
        let Memory { scanner, hits, .. } = memory;
        hits.clear();
        scanner.scan(&crate::record::shown::text(value), self.columns.get(column).unwrap_or(&self.none), hits);
        hits.iter().any(|hit| hit.class.class().sensitivity > 0)
    }

    fn deed(&self, class: ClassId, can_mask: bool) -> Deed {
        let never = class.is_fleeting();
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

fn covers(classes: ClassSet, class: ClassId) -> bool {
    ClassSet::one(class).beyond(classes).is_empty()
}

/// Takes a field below a column into account.
fn grow(fields: &mut Vec<Watched>, column: usize, target: &Path, announced: ClassSet, beside: ClassSet) {
    let Some(rest) = target.0.strip_prefix(fields[column].path.0.as_slice()) else { return };
    let keys = rest.iter().filter_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
    let mut at = column;
    for key in keys {
        at = match fields[at].below.find(key) {
            Some(below) => below,
            None => add(fields, at, key, ClassSet::NONE, beside, false),
        };
    }
    fields[at].announced = fields[at].announced.union(announced);
}

/// A field more, below another; its number.
fn add(
    fields: &mut Vec<Watched>,
    around: usize,
    key: &str,
    announced: ClassSet,
    beside: ClassSet,
    is_key: bool,
) -> usize {
    let mut path = fields[around].path.clone();
    path.0.push(Step::Key(key.to_owned()));
    let number = fields.len();
    fields.push(Watched::new(path, announced, beside, is_key));
    fields[around].below.add(key, number);
    number
}

impl Below {
    /// The number of a field.
    #[inline]
    fn find(&mut self, key: &str) -> Option<usize> {
        let (before, after) = self.first.split_at(self.next.min(self.first.len()));
        let count = before.len();
        let (place, number) = match after.iter().position(|(known, _)| known == key) {
            Some(at) => (count + at, after[at].1),
            None => match before.iter().position(|(known, _)| known == key) {
                Some(at) => (at, before[at].1),
                None => return self.others.get(key).copied(),
            },
        };
        self.next = place + 1;
        Some(number)
    }

    fn add(&mut self, key: &str, number: usize) {
        if self.first.len() < MOST_FIRST {
            self.first.push((key.to_owned(), number));
        } else {
            self.others.insert(key.to_owned(), number);
        }
    }
}

impl Watched {
    fn new(path: Path, announced: ClassSet, beside: ClassSet, is_key: bool) -> Self {
        let name = path.to_string();
        let mut context = Context::of_field(&name).beside(beside);
        context.announce(announced);
        Self { path, name, context, announced, is_key, below: Below::default() }
    }
}

struct Look<'l, 'a> {
    detection: &'l Detection,
    scanner: &'l mut Scanner,
    hits: &'l mut Vec<Hit>,
    fields: &'l mut Vec<Watched>,
    arena: &'a Arena,
    rulings: &'l mut Rulings,
    worst: Option<(Deed, Box<Finding>)>,
}

impl<'a> Look<'_, 'a> {
    /// Looks at a value; gives what takes its place if something in it was masked.
    fn value(&mut self, value: Value<'a>, field: usize) -> Option<Value<'a>> {
        match value {
            Value::String(text) => self.text(text, field, true).map(Value::String),
            Value::List(items) => {
                let mut changed: Option<&'a mut [Value<'a>]> = None;
                for (at, item) in items.iter().enumerate() {
                    if let Some(masked) = self.value(*item, field) {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(items))[at] = masked;
                    }
                }
                changed.map(|items| Value::List(items))
            }
            Value::Map(entries) => {
                let mut changed: Option<&'a mut [(&'a str, Value<'a>)]> = None;
                for (at, (key, item)) in entries.iter().enumerate() {
                    if let Some(masked) = self.entry(key, *item, field) {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(entries))[at].1 = masked;
                    }
                }
                changed.map(|entries| Value::Map(entries))
            }
            Value::Dict(entries) => {
                let mut changed: Option<&'a mut [(Value<'a>, Value<'a>)]> = None;
                for (at, (key, item)) in entries.iter().enumerate() {
                    let masked = match key {
                        Value::String(key) => self.entry(key, *item, field),
                        _ => self.value(*item, field),
                    };
                    if let Some(masked) = masked {
                        changed.get_or_insert_with(|| self.arena.alloc_slice_copy(entries))[at].1 = masked;
                    }
                }
                changed.map(|entries| Value::Dict(entries))
            }
            other => {
                self.plain(&other, field);
                None
            }
        }
    }

    /// What is no text has no mask: it is looked at as its text.
    fn plain(&mut self, value: &Value<'a>, field: usize) {
        let is_named = self.fields[field].context.is_named();
        match value {
            Value::Number(text) if is_named || text.bytes().filter(u8::is_ascii_digit).count() >= FEW => {
                drop_mask(self.text(text, field, false));
            }
            Value::Int(number) if is_named || number.unsigned_abs() >= SMALL => {
                drop_mask(self.text(&number.to_string(), field, false));
            }
            Value::Uint(number) if is_named || *number >= SMALL => {
                drop_mask(self.text(&number.to_string(), field, false));
            }
            Value::Decimal(number)
                if is_named
                    || number.mantissa().unsigned_abs() >= u128::from(SMALL)
                    || usize::try_from(number.scale()).is_ok_and(|scale| scale >= FEW) =>
            {
                let mut text = Vec::new();
                crate::record::shown::write(value, false, &mut text);
                if let Ok(text) = std::str::from_utf8(&text) {
                    drop_mask(self.text(text, field, false));
                }
            }
            Value::Bytes(bytes) => {
                if let Ok(text) = std::str::from_utf8(bytes) {
                    drop_mask(self.text(text, field, false));
                }
            }
            _ => {}
        }
    }

    /// A field of an object: known from the mapping, or by its name alone.
    fn entry(&mut self, key: &str, item: Value<'a>, around: usize) -> Option<Value<'a>> {
        if let Some(below) = self.fields[around].below.find(key) {
            return self.value(item, below);
        }
        // What a field is, its name says; it is asked once, not for each record.
        let Watched { announced, is_key, .. } = self.fields[around];
        let known = self.fields.len();
        if known < MOST_FIELDS {
            let below = add(self.fields, around, key, announced, ClassSet::NONE, is_key);
            return self.value(item, below);
        }
        let mut path = self.fields[around].path.clone();
        path.0.push(Step::Key(key.to_owned()));
        self.fields.push(Watched::new(path, announced, ClassSet::NONE, is_key));
        let seen = self.value(item, known);
        self.fields.truncate(known);
        seen
    }

    /// Looks at a text; gives what is left of it if something in it was masked.
    fn text(&mut self, text: &str, field: usize, can_mask: bool) -> Option<&'a str> {
        let watched = &self.fields[field];
        self.hits.clear();
        self.scanner.scan(text, &watched.context, self.hits);
        if self.hits.is_empty() {
            return None;
        }
        let classes = self.detection.asked.classes;
        self.hits.retain(|hit| {
            hit.class.class().sensitivity > 0 && !watched.context.expects(hit) && covers(classes, hit.class)
        });
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
                        hit.class.is_fleeting() || self.worst.as_ref().is_some_and(|(_, worst)| worst.is_fleeting);
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
    fn what_is_announced_is_sensitive_all_the_same() {
        let mapping = rules("", "  - { target: full_name, source: full_name }\n");
        let route = route(&mapping, &json("full_name: string pii.name"), &TargetShape::default());
        let classes = (0..crate::record::class::ALL.len() as u8).map(ClassId).collect();
        let asked = Detect { classes, action: OnHit::Park, threshold: 600 };
        let detection = Detection::new(&asked, &route, [7; 32]).unwrap();
        let mut memory = detection.memory();
        assert!(detection.suspects(&mut memory, 0, &Value::String("Yara Tanaka")));
        assert!(!detection.suspects(&mut memory, 0, &Value::String("?")));
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
