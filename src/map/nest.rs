//! Results with something inside: switches, objects, lists, and lists made of lists.

use bumpalo::collections::Vec as List;

use super::literal::Literal;
use super::route::{Condition, Fault, Make, Route, Rule, Watch, one_line};
use crate::config::Expression;
use crate::error::codes;
use crate::expr::{Frame, Program};
use crate::record::path::Step;
use crate::record::{Arena, Decimal, Path, Value, shown};

/// Most values that the `for_each` of one record make together: a list in a list in a list grows
/// faster than anybody means.
const MAX_VALUES: i64 = 10_000_000;

/// A table from values to values.
#[derive(Debug)]
pub(super) struct Table {
    /// The text of each value read, sorted, with the number of its case.
    pub(super) keys: Vec<(String, usize)>,
    /// Those keys that are numbers.
    pub(super) numbers: Vec<(Decimal, usize)>,
    /// The values written; behind the last case what `otherwise` says.
    pub(super) results: Vec<Literal>,
    pub(super) otherwise: bool,
}

/// A condition and its result.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) when: Option<Condition>,
    pub(super) then: Program,
}

/// An object and its rules.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) when: Option<Condition>,
    pub(super) rules: Vec<Rule>,
    pub(super) shape: Vec<(String, Shape)>,
    /// Cells that are computed anew for each object.
    pub(super) cells: std::ops::Range<usize>,
}

/// How values are put together to an object.
#[derive(Debug)]
pub(super) enum Shape {
    /// The value of this number.
    Leaf(usize),
    Object(Vec<(String, Shape)>),
}

/// A list made of a list.
#[derive(Debug)]
pub(super) struct ForEach {
    pub(super) over: Over,
    /// Lists in lists that are gone through as one.
    pub(super) depth: usize,
    pub(super) item: usize,
    pub(super) index: usize,
    /// Where the values of one record's lists are counted, all of them together.
    pub(super) count: usize,
    pub(super) part: Part,
    pub(super) empty_if_missing: bool,
    pub(super) keep_empty: bool,
    /// The list, for messages.
    pub(super) name: String,
}

/// Where the list comes from.
#[derive(Debug)]
pub(super) enum Over {
    Slot(usize),
    Cell(usize, Vec<Step>),
    Program(Box<Program>, Expression),
}

/// The places of values in an object, by their paths.
pub(super) fn shape(paths: &[&Path]) -> Vec<(String, Shape)> {
    let mut fields = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        place(&mut fields, &path.0, index);
    }
    fields
}

fn place(fields: &mut Vec<(String, Shape)>, steps: &[Step], index: usize) {
    let Some((Step::Key(key), rest)) = steps.split_first() else { return };
    let at = fields.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
        fields.push((key.clone(), if rest.is_empty() { Shape::Leaf(index) } else { Shape::Object(Vec::new()) }));
        fields.len() - 1
    });
    if let Shape::Object(inner) = &mut fields[at].1 {
        place(inner, rest, index);
    }
}

/// The object of some values; missing ones are left out, and an object of nothing else is none.
pub(super) fn object<'a>(shape: &'a [(String, Shape)], values: &[Value<'a>], arena: &'a Arena) -> Option<Value<'a>> {
    let mut entries = List::with_capacity_in(shape.len(), arena);
    for (key, inner) in shape {
        let value = match inner {
            Shape::Leaf(index) => values.get(*index).copied().unwrap_or_default(),
            Shape::Object(inner) => object(inner, values, arena).unwrap_or_default(),
        };
        if !value.is_missing() {
            entries.push((key.as_str(), value));
        }
    }
    (!entries.is_empty()).then(|| Value::Map(entries.into_bump_slice()))
}

/// The value at the end of some steps; missing where they lead nowhere.
pub(super) fn read<'a>(value: Value<'a>, steps: &[Step], arena: &'a Arena) -> Value<'a> {
    let Some((step, rest)) = steps.split_first() else { return value };
    match (step, value) {
        // An XML element without attributes is its text.
        (Step::Key(name), Value::String(_)) if name == "#text" && rest.is_empty() => value,
        (Step::Key(name), _) => read(value.get(name), rest, arena),
        (Step::Index(index), Value::List(items)) => {
            let at = if *index < 0 { index + items.len() as i64 } else { *index };
            let item = usize::try_from(at).ok().and_then(|at| items.get(at));
            item.map_or(Value::Missing, |item| read(*item, rest, arena))
        }
        (Step::Each, Value::List(items)) if rest.is_empty() => Value::List(items),
        (Step::Each, Value::List(items)) => {
            Value::List(arena.alloc_slice_fill_iter(items.iter().map(|item| read(*item, rest, arena))))
        }
        _ => Value::Missing,
    }
}

impl Table {
    /// The case for a value; `None`: none fits.
    fn find(&self, value: &Value<'_>) -> Option<usize> {
        let text =
            |text: &str| self.keys.binary_search_by(|(key, _)| key.as_str().cmp(text)).ok().map(|at| self.keys[at].1);
        let number = |number: Decimal| self.numbers.iter().find(|(key, _)| *key == number).map(|(_, case)| *case);
        match value {
            Value::String(found) => text(found),
            Value::Bool(truth) => text(if *truth { "true" } else { "false" }),
            Value::Int(found) => number(Decimal::from_i64(*found)),
            Value::Uint(found) => number(Decimal::from_u64(*found)),
            Value::Decimal(found) => number(*found),
            Value::Number(found) => text(found).or_else(|| number(Decimal::parse(found).ok()?)),
            Value::Date(_) => text(&shown::text(value)),
            _ => None,
        }
    }
}

impl Route {
    /// The source value of a rule inside of `for_each`.
    #[inline(never)]
    pub(super) fn element<'a>(&self, cell: usize, steps: &[Step], frame: &Frame<'_, 'a>) -> Value<'a> {
        let item = frame.locals.cells.get(cell).and_then(std::cell::Cell::get).unwrap_or_default();
        match steps {
            [Step::Key(name)] if name != "#text" => item.get(name),
            steps => read(item, steps, frame.arena),
        }
    }

    /// What makes a result but a transform.
    #[inline(never)]
    pub(super) fn made<'a, W: Watch>(
        &'a self,
        rule: &'a Rule,
        value: Value<'a>,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Value<'a>, Box<Fault>> {
        match &rule.make {
            Make::Value | Make::Transform(_) => Ok(value),
            Make::Constant(constant) => Ok(constant.lend(frame.arena)),
            Make::Table(table) => self.look_up(rule, table, value, frame, watch),
            Make::Cases(cases) => {
                frame.value = value;
                for (branch, case) in cases.iter().enumerate() {
                    if let Some(when) = &case.when
                        && !self.holds(Some(rule), "when", when, frame)?
                    {
                        continue;
                    }
                    watch.branch(rule.leaf, branch);
                    return case
                        .then
                        .eval(frame)
                        .map_err(|error| self.failed_transform(rule, &case.then, &error, frame));
                }
                Err(self.reject(&codes::map::NO_CASE, Some(rule), "no case of the switch holds".into()))
            }
            Make::Object(part) => Ok(self.part(part, frame, watch)?.unwrap_or_default()),
            Make::List(parts, keep_empty) => {
                let mut items = List::with_capacity_in(parts.len(), frame.arena);
                for (index, part) in parts.iter().enumerate() {
                    let made = self.part(part, frame, watch).map_err(|fault| inside(fault, rule, index))?;
                    items.extend(made);
                }
                Ok(list(items, *keep_empty))
            }
            Make::ForEach(each) => self.for_each(rule, each, frame, watch),
        }
    }

    fn look_up<'a, W: Watch>(
        &'a self,
        rule: &Rule,
        table: &'a Table,
        value: Value<'a>,
        frame: &Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Value<'a>, Box<Fault>> {
        let last = table.results.len().saturating_sub(1);
        let case = match table.find(&value) {
            Some(case) => case,
            None if table.otherwise => last,
            None if value.is_absent() => return Ok(value),
            None => {
                let shown = if rule.open { shown::short(&value) } else { "the value".into() };
                let cause = format!("{shown} is none of the cases of the switch");
                return Err(self.reject(&codes::map::NO_CASE, Some(rule), cause));
            }
        };
        watch.branch(rule.leaf, case);
        Ok(table.results.get(case).map(|result| result.lend(frame.arena)).unwrap_or_default())
    }

    /// The object that a part makes; `None`: its condition does not hold, or nothing is in it.
    fn part<'a, W: Watch>(
        &'a self,
        part: &'a Part,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Option<Value<'a>>, Box<Fault>> {
        for cell in frame.locals.cells.get(part.cells.clone()).unwrap_or_default() {
            cell.set(None);
        }
        if let Some(when) = &part.when
            && !self.holds(None, "when", when, frame)?
        {
            return Ok(None);
        }
        let mut values = List::with_capacity_in(part.rules.len(), frame.arena);
        for rule in &part.rules {
            let value = self.value(rule, frame, watch).inspect_err(|_| watch.rejects(rule.leaf))?;
            values.push(value);
        }
        Ok(object(&part.shape, &values, frame.arena))
    }

    fn for_each<'a, W: Watch>(
        &'a self,
        rule: &Rule,
        each: &'a ForEach,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Value<'a>, Box<Fault>> {
        let found = match &each.over {
            Over::Slot(slot) => frame.slots.get(*slot).copied().unwrap_or_default(),
            Over::Cell(cell, steps) => self.element(*cell, steps, frame),
            Over::Program(program, written) => program.eval(frame).map_err(|error| {
                self.reject(error.code, Some(rule), format!("`{}`: {}", one_line(written), error.cause))
            })?,
        };
        watch.rule(rule.leaf, !found.is_absent());
        if found.is_absent() {
            return Ok(if each.empty_if_missing { Value::List(&[]) } else { Value::Missing });
        }
        let count = if let Value::List(items) = found { items.len() } else { 0 };
        let mut made = List::with_capacity_in(count, frame.arena);
        let (mut index, outside) = (0, frame.now.element);
        let done = self.elements(rule, each, each.depth, found, frame, watch, &mut index, &mut made);
        frame.now.element = outside;
        done?;
        Ok(list(made, each.keep_empty))
    }

    /// Goes through a list, and through the lists in it so many levels deep.
    #[expect(clippy::too_many_arguments, reason = "what one loop carries along")]
    fn elements<'a, W: Watch>(
        &'a self,
        rule: &Rule,
        each: &'a ForEach,
        depth: usize,
        found: Value<'a>,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
        index: &mut usize,
        made: &mut List<'a, Value<'a>>,
    ) -> Result<(), Box<Fault>> {
        let Value::List(items) = found else {
            // A list that is not there has no elements.
            if found.is_absent() {
                return Ok(());
            }
            let cause = format!("`{}` is {}, not a list", each.name, found.type_name());
            return Err(self.reject(&codes::map::WRONG_TYPE, Some(rule), cause));
        };
        for item in items {
            if depth > 0 {
                self.elements(rule, each, depth - 1, *item, frame, watch, index, made)?;
                continue;
            }
            let cells = frame.locals.cells;
            if let Some(total) = cells.get(each.count) {
                let before = if let Some(Value::Int(count)) = total.get() { count } else { 0 };
                let count = before + each.part.rules.len() as i64 + 1;
                if count > MAX_VALUES {
                    let cause = format!("the lists of the record come to more than {MAX_VALUES} values");
                    return Err(self.reject(&codes::expr::LIMIT, Some(rule), cause));
                }
                total.set(Some(Value::Int(count)));
            }
            if let (Some(place), Some(number)) = (cells.get(each.item), cells.get(each.index)) {
                place.set(Some(*item));
                number.set(Some(Value::Int(*index as i64)));
            }
            // Each element draws seeded values of its own.
            let around = frame.now.element;
            frame.now.element = around.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(*index as u64 + 1);
            let element = self.part(&each.part, frame, watch).map_err(|fault| inside(fault, rule, *index))?;
            frame.now.element = around;
            made.extend(element);
            *index += 1;
        }
        Ok(())
    }
}

fn list<'a>(items: List<'a, Value<'a>>, keep_empty: bool) -> Value<'a> {
    if items.is_empty() && !keep_empty { Value::Missing } else { Value::List(items.into_bump_slice()) }
}

/// A fault of an element, named from the record: `lines[2].price`.
#[cold]
fn inside(mut fault: Box<Fault>, rule: &Rule, index: usize) -> Box<Fault> {
    let field = match &fault.field {
        Some(field) => format!("{}[{index}].{field}", rule.target),
        None => format!("{}[{index}]", rule.target),
    };
    fault.field = Some(field);
    fault
}
