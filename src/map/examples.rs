//! A mapping's own tests, run through the very code that moves data.

use std::cell::RefCell;

use serde_json::Value as Json;

use super::convert::{Reading, convert};
use super::literal::Literal;
use super::nest::read;
use super::route::{Leaf, Route, Unwatched, Verdict, Watch};
use crate::config::rewrite::Came;
use crate::config::{Expectation, Mapping, MappingTest, Node, Spanned};
use crate::error::Place;
use crate::record::path::Step;
use crate::record::{Arena, Path, Row, Timestamp, Type, Value, shown};

/// The moment at which examples run, so that they hold tomorrow as they do today:
/// 2020-01-01T00:00:00Z.
pub const EXAMPLE_NOW: Timestamp = Timestamp { seconds: 1_577_836_800, nanos: 0, offset: 0 };

/// What came of the tests of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// One for each test, in order.
    pub examples: Vec<Example>,
    /// One for each rule, in order.
    pub coverage: Vec<Coverage>,
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// `None`: it holds.
    pub failure: Option<Failure>,
}

/// How a test failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Other values came out.
    Different(Vec<Difference>),
    /// Another verdict came out.
    Verdict {
        /// `a record`, `filtered`, `rejected (…)`.
        expected: String,
        /// The same, with the cause of a reject.
        got: String,
        /// The target field at fault, if it was rejected for one.
        field: Option<String>,
    },
    /// It could not be run.
    Invalid {
        /// Where in the example.
        place: Place,
        /// One sentence.
        cause: String,
    },
}

/// One field that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The target field.
    pub field: String,
    /// What the example says; `absent` where it does not name the field.
    pub expected: String,
    /// What came out.
    pub got: String,
}

/// How often the tests used a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The rule's target.
    pub target: String,
    /// Tests that reached the rule with a source value (or that has no source).
    pub with_value: usize,
    /// Tests in which the source was absent: the default stood in, if there is one.
    pub without_value: usize,
    /// Tests in which the rule rejected the record.
    pub rejected: usize,
    /// Whether a default stands in where there is no value.
    pub has_default: bool,
    /// Whether it can reject a record by a condition or because it is required.
    pub can_reject: bool,
    /// In how many tests its `when` held, and in how many it did not; `None`: it has none.
    pub when: Option<(usize, usize)>,
    /// The cases of its switch or the conditions in its transform, each with how often it was taken.
    pub branches: Vec<(String, usize)>,
}

/// Counts what records of tests do; a rule inside of `for_each` once for each element.
struct Counter(RefCell<Vec<Coverage>>);

impl Counter {
    fn at(&self, leaf: usize, count: impl FnOnce(&mut Coverage)) {
        if let Some(covered) = self.0.borrow_mut().get_mut(leaf) {
            count(covered);
        }
    }
}

impl Watch for Counter {
    fn rule(&self, leaf: usize, with_value: bool) {
        self.at(leaf, |covered| *if with_value { &mut covered.with_value } else { &mut covered.without_value } += 1);
    }

    fn branch(&self, leaf: usize, branch: usize) {
        self.at(leaf, |covered| {
            if let Some((_, count)) = covered.branches.get_mut(branch) {
                *count += 1;
            }
        });
    }

    fn when(&self, leaf: usize, holds: bool) {
        self.at(leaf, |covered| {
            let (held, not) = covered.when.get_or_insert_default();
            *if holds { held } else { not } += 1;
        });
    }

    fn rejects(&self, leaf: usize) {
        self.at(leaf, |covered| covered.rejected += 1);
    }
}

impl Tested {
    /// How many tests do not hold.
    pub fn failed(&self) -> usize {
        self.examples.iter().filter(|example| example.failure.is_some()).count()
    }

    /// How many rules no test reached with a value.
    pub fn uncovered(&self) -> usize {
        self.coverage.iter().filter(|rule| rule.with_value == 0).count()
    }

    /// How many cases of switches no test took.
    pub fn untaken(&self) -> usize {
        self.coverage.iter().flat_map(|rule| &rule.branches).filter(|(_, count)| *count == 0).count()
    }
}

/// Runs the tests of a mapping.
pub fn test(route: &Route, mapping: &Mapping) -> Tested {
    let rule = |leaf: &Leaf| Coverage {
        target: leaf.target.to_string(),
        has_default: leaf.rule.default.is_some(),
        can_reject: !leaf.rule.validate.is_empty(),
        when: leaf.rule.when.is_some().then_some((0, 0)),
        branches: leaf.branches.iter().map(|branch| (branch.clone(), 0)).collect(),
        ..Coverage::default()
    };
    let counter = Counter(RefCell::new(route.leaves.iter().map(rule).collect()));
    let examples = mapping
        .tests
        .iter()
        .map(|test| Example {
            name: test.name.value.clone(),
            place: test.name.place.clone(),
            failure: run(route, test, &counter),
        })
        .collect();
    Tested { examples, coverage: counter.0.into_inner() }
}

/// What really becomes of the record of a test, for its expectation; `None` if it cannot be run.
pub fn came(route: &Route, test: &MappingTest) -> Option<Came> {
    let arena = Arena::new();
    let (verdict, out) = watched(route, &test.given, &arena, &Unwatched).ok()?;
    Some(match verdict {
        Verdict::Filtered => Came::Filtered,
        Verdict::Withheld(rule) => Came::Withheld(route.rule_name(rule)),
        Verdict::Rejected(fault) => Came::Rejected(fault.code.id),
        Verdict::Mapped => {
            let flat = route.flat_target;
            let one = |values: &[Value<'_>]| {
                let made = json(&record(route, values, &arena), flat);
                made.unwrap_or_else(|| Json::Object(serde_json::Map::new()))
            };
            let mut records: Vec<Json> = out.chunks(route.width()).map(one).collect();
            // A record that was taken apart is a list of them, unless it came to the one that is written.
            let listed = matches!(&test.expect, Expectation::Record(said) if matches!(said.value, Node::List(_)));
            let record = match (records.len(), listed) {
                (1, false) => records.remove(0),
                _ => Json::Array(records),
            };
            Came::Record { record, flat }
        }
    })
}

/// A value as JSON with the digits that it has; `None` if nothing would be written.
fn json(value: &Value<'_>, flat: bool) -> Option<Json> {
    if nothing(value, flat) {
        return None;
    }
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Map(entries) => Json::Object(
            entries.iter().filter_map(|(key, below)| Some(((*key).to_string(), json(below, flat)?))).collect(),
        ),
        Value::List(items) => items.iter().map(|item| json(item, flat).unwrap_or(Json::Null)).collect(),
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) | Value::Double(_) => {
            let text = shown::text(value);
            text.parse().map_or_else(|_| Json::String(text), Json::Number)
        }
        other => Json::String(shown::text(other)),
    })
}

/// One record as an example gives it: what becomes of it, and the target values.
#[cfg(test)]
pub(super) fn outcome<'a>(
    route: &'a Route,
    given: &Spanned<Node>,
    arena: &'a Arena,
) -> Result<(Verdict, Vec<Value<'a>>), Failure> {
    watched(route, given, arena, &Unwatched)
}

/// What is said of a given value that a decoder would not have let through.
const DECLARED: &str = "is declared as";

fn watched<'a, W: Watch>(
    route: &'a Route,
    given: &Spanned<Node>,
    arena: &'a Arena,
    watch: &W,
) -> Result<(Verdict, Vec<Value<'a>>), Failure> {
    let invalid = |place: &Place, cause: String| Failure::Invalid { place: place.clone(), cause };
    let plain = match Literal::of(given) {
        Ok(plain @ Literal::Map(_)) => plain,
        Ok(_) => return Err(invalid(&given.place, "`given` is a record: a map of fields".into())),
        Err(error) => return Err(invalid(&error.place, error.cause.into())),
    };
    let lent = plain.lend(arena).copy_into(arena);
    let slots = slots(route, lent, arena).map_err(|(path, kind)| {
        invalid(&given.place, format!("`{path}` {DECLARED} {kind}, and the given value is none"))
    })?;
    let row = Row { slots: arena.alloc_slice_copy(&slots), raw: b"", index: 0, line: 0 };
    let mut out = Vec::with_capacity(route.columns.len());
    let verdict = route.watched(&row, arena, EXAMPLE_NOW.into(), &mut out, watch);
    Ok((verdict, out))
}

fn run(route: &Route, test: &MappingTest, counter: &Counter) -> Option<Failure> {
    let arena = Arena::new();
    let (verdict, out) = match watched(route, &test.given, &arena, counter) {
        Ok(made) => made,
        // A value of another type than declared does not even reach the mapping.
        Err(Failure::Invalid { cause, .. })
            if matches!(test.expect, Expectation::Rejected(_)) && cause.contains(DECLARED) =>
        {
            return None;
        }
        Err(failure) => return Some(failure),
    };
    let field = match &verdict {
        Verdict::Rejected(fault) => fault.field.clone(),
        _ => None,
    };
    let got = match &verdict {
        Verdict::Mapped if out.len() > route.width() => format!("{} records", out.len() / route.width()),
        Verdict::Mapped => "a record".to_string(),
        Verdict::Filtered => "filtered".to_string(),
        Verdict::Withheld(rule) => format!("withheld by `{}`", route.rule_name(*rule)),
        Verdict::Rejected(fault) => match &fault.field {
            Some(field) => format!("rejected: `{field}`: {}", fault.cause),
            None => format!("rejected: {}", fault.cause),
        },
    };
    let other = |expected: String| Some(Failure::Verdict { expected, got: got.clone(), field: field.clone() });
    match (&test.expect, &verdict) {
        (Expectation::Record(expected), Verdict::Mapped) => match Literal::of(expected) {
            Err(error) => Some(Failure::Invalid { place: error.place, cause: error.cause.into() }),
            Ok(Literal::List(expected)) => records(route, &expected, &out, &arena),
            Ok(_) if out.len() > route.width() => other("one record".into()),
            Ok(expected) => {
                let mut found = Vec::new();
                compare(
                    &expected.lend(&arena),
                    &record(route, &out, &arena),
                    String::new(),
                    route.flat_target,
                    &mut found,
                );
                if found.is_empty() { None } else { Some(Failure::Different(found)) }
            }
        },
        (Expectation::Filtered, Verdict::Filtered) => None,
        (Expectation::Rejected(text), Verdict::Rejected(fault)) => {
            let named = fault.cause.contains(text.as_str()) || fault.code.id == text || got.contains(text.as_str());
            if named { None } else { other(format!("rejected, with `{text}` in the reason")) }
        }
        (Expectation::Withheld(text), Verdict::Withheld(rule)) => {
            let rule = route.withholding().get(*rule);
            let named = rule.is_some_and(|one| *one.rule == **text || one.told.contains(text.as_str()));
            if named { None } else { other(format!("withheld by `{text}`")) }
        }
        (Expectation::Withheld(text), _) => other(format!("withheld by `{text}`")),
        (Expectation::Record(_), _) => other("a record".into()),
        (Expectation::Filtered, _) => other("filtered".into()),
        (Expectation::Rejected(text), _) if text.is_empty() => other("rejected".into()),
        (Expectation::Rejected(text), _) => other(format!("rejected, with `{text}` in the reason")),
    }
}

/// The records that one record was taken apart into, in their order.
fn records<'a>(route: &'a Route, expected: &[Literal], out: &[Value<'a>], arena: &'a Arena) -> Option<Failure> {
    let made = out.chunks(route.width()).len();
    if made != expected.len() {
        let told = |count: usize| if count == 1 { "1 record".to_string() } else { format!("{count} records") };
        return Some(Failure::Verdict { expected: told(expected.len()), got: told(made), field: None });
    }
    let mut found = Vec::new();
    for (number, (expected, values)) in expected.iter().zip(out.chunks(route.width())).enumerate() {
        let expected = expected.lend(arena).copy_into(arena);
        compare(&expected, &record(route, values, arena), format!("[{number}]"), route.flat_target, &mut found);
    }
    if found.is_empty() { None } else { Some(Failure::Different(found)) }
}

/// The values that a decoder would have put into the slots.
fn slots<'a>(route: &Route, given: Value<'a>, arena: &'a Arena) -> Result<Vec<Value<'a>>, (Path, Type)> {
    let projection = &route.projection;
    projection
        .paths
        .iter()
        .zip(&projection.types)
        .map(|(path, kind)| {
            let mut value = read(given, &path.0, arena);
            if route.text_fields {
                // A column that is not given is an empty one.
                if value.is_missing() {
                    value = Value::Null;
                }
                // What stands in a text file is text; a number in `given` serves as its text.
                value = convert(value, &Type::String, Reading::Text, arena).unwrap_or(value);
            }
            let reading = match (kind, value) {
                (Type::Timestamp | Type::Date, Value::String(_)) => Reading::Text,
                _ if route.text_fields => Reading::Text,
                _ => Reading::Exact,
            };
            convert(value, kind, reading, arena).ok_or_else(|| (path.clone(), kind.clone()))
        })
        .collect()
}

/// The target record as a map of maps.
pub(super) fn record<'a>(route: &'a Route, out: &[Value<'a>], arena: &'a Arena) -> Value<'a> {
    let mut leaves: Vec<(&'a [Step], Value<'a>)> = Vec::with_capacity(out.len());
    leaves.extend(route.columns.iter().zip(out).map(|(column, value)| (column.path.0.as_slice(), *value)));
    nest(&leaves, arena)
}

fn nest<'a>(leaves: &[(&'a [Step], Value<'a>)], arena: &'a Arena) -> Value<'a> {
    let mut keys: Vec<&'a str> = Vec::new();
    for (steps, _) in leaves {
        if let Some(Step::Key(name)) = steps.first()
            && !keys.contains(&name.as_str())
        {
            keys.push(name);
        }
    }
    let entries = keys.into_iter().map(|key| {
        let below: Vec<(&'a [Step], Value<'a>)> = leaves
            .iter()
            .filter_map(|(steps, value)| match steps.split_first() {
                Some((Step::Key(name), rest)) if name == key => Some((rest, *value)),
                _ => None,
            })
            .collect();
        let value = match below.as_slice() {
            [([], value)] => *value,
            _ => nest(&below, arena),
        };
        (key, value)
    });
    Value::Map(arena.alloc_slice_fill_iter(entries.collect::<Vec<_>>()))
}

/// Whether nothing would be written: missing, or a map of such. Flat targets have no missing:
/// there null is the same.
fn nothing(value: &Value<'_>, flat: bool) -> bool {
    match value {
        Value::Missing => true,
        Value::Null => flat,
        Value::Map(entries) => !entries.is_empty() && entries.iter().all(|(_, value)| nothing(value, flat)),
        _ => false,
    }
}

fn compare(expected: &Value<'_>, got: &Value<'_>, at: String, flat: bool, found: &mut Vec<Difference>) {
    let below = |key: &str| if at.is_empty() { key.to_string() } else { format!("{at}.{key}") };
    match (expected, got) {
        (Value::Map(wanted), Value::Map(entries)) => {
            for (key, value) in *wanted {
                compare(value, &got.get(key), below(key), flat, found);
            }
            for (key, value) in *entries {
                if wanted.iter().all(|(name, _)| name != key) && !nothing(value, flat) {
                    found.push(Difference { field: below(key), expected: "absent".into(), got: shown::short(value) });
                }
            }
        }
        (Value::List(wanted), Value::List(items)) if wanted.len() == items.len() => {
            for (index, (wanted, item)) in wanted.iter().zip(*items).enumerate() {
                compare(wanted, item, format!("{at}[{index}]"), flat, found);
            }
        }
        (Value::Null, value) if nothing(value, flat) && flat => {}
        (Value::Missing, value) if nothing(value, flat) => {}
        _ if same(expected, got) => {}
        _ => {
            let (expected_text, got_text) = (shown::short(expected), shown::short(got));
            let got = match number(expected).zip(number(got)) {
                Some((a, b)) if a == b => format!("{got_text} (the same number, written otherwise)"),
                _ if expected_text == got_text => format!("{got_text} ({})", got.type_name()),
                _ => got_text,
            };
            found.push(Difference { field: at, expected: expected_text, got });
        }
    }
}

/// Whether a plain value and a computed one are the same: numbers by value and text, moments
/// and dates by their text, which is how YAML can write them.
fn same(expected: &Value<'_>, got: &Value<'_>) -> bool {
    match (expected, got) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(_), Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_)) => {
            shown::text(expected) == shown::text(got)
        }
        // A double has no text of its own.
        (Value::Number(text), Value::Double(number)) => text.parse::<f64>().is_ok_and(|wanted| wanted == *number),
        (Value::String(a), Value::String(b)) => a == b,
        (Value::String(_), Value::Timestamp(_) | Value::Date(_) | Value::Duration(_) | Value::Bytes(_)) => {
            shown::text(expected) == shown::text(got)
        }
        _ => false,
    }
}

fn number(value: &Value<'_>) -> Option<crate::record::Decimal> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) => {
            crate::record::Decimal::parse(&shown::text(value)).ok()
        }
        _ => None,
    }
}
