//! From the cells of a part to rows: each column that is asked for is read once, paths that go on
//! below a column lead into its JSON or its list.

use std::sync::Arc;

use super::cells::{Cell, MAX_DEPTH, take_record};
use crate::connect::formats::{JsonReader, Wish, Within, select};
use crate::connect::typed::{self, not_a};
use crate::connect::{Decoder, Header, Part, RecordError, Rows};
use crate::error::codes::connect::ROW_MALFORMED;
use crate::error::codes::formats::{FIELD_TYPE, FORMAT_ENCODING};
use crate::error::{Code, Result};
use crate::record::path::Step;
use crate::record::{Arena, Decimal, Projection, Row, Type, Value};

/// Decoder of one worker for parts of row sources. It needs no options: the header of a part
/// names the columns, the cells say what they are.
#[derive(Debug, Default)]
pub struct RowDecoder {
    /// What was asked of the columns last time: parts of one run have one header.
    known: Option<(Arc<Header>, Projection, Plan)>,
}

/// What is asked of a record.
#[derive(Debug, Default)]
struct Plan {
    /// By column; a column that nobody asks for has an empty one.
    columns: Vec<Asked>,
    /// Slots that get the record as a whole.
    whole: Vec<usize>,
}

/// What is asked of a column.
#[derive(Debug, Default)]
struct Asked {
    /// The value itself: slot and type.
    itself: Vec<(usize, Type)>,
    /// What lies below it: slot, type, steps.
    below: Vec<(usize, Type, Vec<Step>)>,
    /// The same for a text of JSON, and for the value itself where it is JSON.
    within: Option<Within>,
}

impl RowDecoder {
    /// A decoder.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Plan {
    fn new(header: &Header, projection: &Projection) -> Self {
        let mut plan = Self { columns: Vec::new(), whole: Vec::new() };
        plan.columns.resize_with(header.columns.len(), Asked::default);
        for (slot, path) in projection.paths.iter().enumerate() {
            let kind = projection.types.get(slot).cloned().unwrap_or_default();
            match path.0.split_first() {
                None => plan.whole.push(slot),
                Some((Step::Key(name), below)) => {
                    let Some(column) = header.columns.iter().position(|column| column == name) else { continue };
                    let asked = &mut plan.columns[column];
                    match below {
                        [] => asked.itself.push((slot, kind)),
                        steps => asked.below.push((slot, kind, steps.to_vec())),
                    }
                }
                Some(_) => {}
            }
        }
        for (asked, name) in plan.columns.iter_mut().zip(&header.columns) {
            let itself = asked.itself.iter().map(|(slot, kind)| (*slot, kind, &[][..]));
            let below = asked.below.iter().map(|(slot, kind, steps)| (*slot, kind, steps.as_slice()));
            let wishes: Vec<Wish> = itself
                .filter(|(_, kind, _)| **kind != Type::String)
                .chain(below)
                .map(|(slot, kind, steps)| Wish {
                    slot,
                    kind: kind.clone(),
                    name: shown(name, &projection.paths, slot),
                    steps: steps.to_vec(),
                })
                .collect();
            asked.within = (!wishes.is_empty()).then(|| Within::new(wishes));
        }
        plan
    }
}

fn shown(column: &str, paths: &[crate::record::Path], slot: usize) -> String {
    paths.get(slot).map_or_else(|| column.to_owned(), ToString::to_string)
}

impl Decoder for RowDecoder {
    fn decode<'a>(
        &mut self,
        part: &'a Part,
        projection: &Projection,
        arena: &'a Arena,
        rows: &mut dyn Rows<'a>,
    ) -> Result<()> {
        let known = self.known.take().filter(|(header, asked, _)| *header == part.header && asked == projection);
        let (header, asked, plan) =
            known.unwrap_or_else(|| (part.header.clone(), projection.clone(), Plan::new(&part.header, projection)));
        let mut walk = Walk {
            columns: &part.header.columns,
            plan: &plan,
            slots: projection.paths.len(),
            json: JsonReader::new(arena),
            arena,
        };
        let (mut at, mut index) = (0, 0_u32);
        while at < part.bytes.len() {
            let start = at;
            let found = match take_record(&part.bytes[start..]) {
                Some((cells, length)) => {
                    at = start + length;
                    walk.record(cells)
                }
                None => {
                    at = part.bytes.len();
                    Err(malformed())
                }
            };
            let go_on = match found {
                Ok(slots) => rows.row(Row { slots, raw: &part.bytes[start..at], index, line: index }),
                Err(fault) => rows.bad(RecordError {
                    code: fault.code,
                    cause: fault.cause,
                    field: fault.field,
                    index,
                    line: index,
                    column: 0,
                    byte: start,
                    start,
                    end: at,
                }),
            };
            index += 1;
            if !go_on {
                break;
            }
        }
        self.known = Some((header, asked, plan));
        Ok(())
    }
}

/// Why a record cannot be read.
struct Fault {
    code: &'static Code,
    cause: String,
    field: Option<String>,
}

#[cold]
fn malformed() -> Fault {
    let cause = "the bytes of the record are not what row sources write".into();
    Fault { code: &ROW_MALFORMED, cause, field: None }
}

struct Walk<'w, 'a> {
    columns: &'a [String],
    plan: &'w Plan,
    slots: usize,
    json: JsonReader<'a>,
    arena: &'a Arena,
}

impl<'a> Walk<'_, 'a> {
    fn record(&mut self, mut cells: &'a [u8]) -> Result<&'a [Value<'a>], Fault> {
        let whole = cells;
        let slots = self.arena.alloc_slice_fill_copy(self.slots, Value::Missing);
        for (column, asked) in self.plan.columns.iter().enumerate() {
            let cell = Cell::take(&mut cells).ok_or_else(malformed)?;
            if asked.itself.is_empty() && asked.below.is_empty() {
                continue;
            }
            self.column(column, asked, cell, slots)?;
        }
        if !cells.is_empty() {
            return Err(malformed());
        }
        if !self.plan.whole.is_empty() {
            let record = self.whole(whole)?;
            self.plan.whole.iter().for_each(|slot| slots[*slot] = record);
        }
        Ok(slots)
    }

    fn column(&mut self, column: usize, asked: &Asked, cell: Cell<'a>, slots: &mut [Value<'a>]) -> Result<(), Fault> {
        if let Cell::Json(text) = cell {
            let text = self.text(column, text)?;
            for (slot, kind) in &asked.itself {
                if *kind == Type::String {
                    slots[*slot] = Value::String(text);
                }
            }
            return self.within(column, asked, text, slots);
        }
        let value = self.value(column, cell, 0)?;
        for (slot, kind) in &asked.itself {
            slots[*slot] = convert(value, kind, self.arena).map_err(|cause| self.misfit(column, cause))?;
        }
        if asked.below.is_empty() {
            return Ok(());
        }
        match value {
            // Databases without a type for it keep JSON as text.
            Value::String(text) if asked.itself.is_empty() => self.within(column, asked, text, slots),
            Value::String(text) => {
                let kept: Vec<Value<'a>> = asked.itself.iter().map(|(slot, _)| slots[*slot]).collect();
                self.within(column, asked, text, slots)?;
                asked.itself.iter().zip(kept).for_each(|((slot, _), value)| slots[*slot] = value);
                Ok(())
            }
            value => {
                for (slot, kind, steps) in &asked.below {
                    let found = select(value, steps, self.arena);
                    slots[*slot] = convert(found, kind, self.arena).map_err(|cause| self.misfit(column, cause))?;
                }
                Ok(())
            }
        }
    }

    fn within(&mut self, column: usize, asked: &Asked, text: &'a str, slots: &mut [Value<'a>]) -> Result<(), Fault> {
        let Some(within) = &asked.within else { return Ok(()) };
        self.json.read(text, within, slots).map_err(|fault| {
            let name = self.columns.get(column).map_or("?", String::as_str);
            match fault.field {
                Some(field) => Fault { code: fault.code, cause: fault.cause, field: Some(field) },
                None => Fault {
                    code: fault.code,
                    cause: format!("the column `{name}` holds no well-formed JSON: {}", fault.cause),
                    field: Some(name.to_owned()),
                },
            }
        })
    }

    /// Every column under its name.
    fn whole(&mut self, mut cells: &'a [u8]) -> Result<Value<'a>, Fault> {
        let mut entries = Vec::with_capacity(self.columns.len());
        for (column, name) in self.columns.iter().enumerate() {
            let cell = Cell::take(&mut cells).ok_or_else(malformed)?;
            entries.push((name.as_str(), self.value(column, cell, 0)?));
        }
        Ok(Value::Map(self.arena.alloc_slice_copy(&entries)))
    }

    fn value(&mut self, column: usize, cell: Cell<'a>, depth: usize) -> Result<Value<'a>, Fault> {
        Ok(match cell {
            Cell::Null => Value::Null,
            Cell::Bool(truth) => Value::Bool(truth),
            Cell::Int(number) => Value::Int(number),
            Cell::Double(number) => Value::Double(number),
            Cell::Timestamp(moment) => Value::Timestamp(moment),
            Cell::Date(date) => Value::Date(date),
            Cell::Decimal(text) => {
                let text = self.text(column, text)?;
                match typed::is_json_number(text.as_bytes()) {
                    true => Value::Number(text),
                    false => return Err(malformed()),
                }
            }
            Cell::Text(text) => Value::String(self.text(column, text)?),
            Cell::Bytes(bytes) => Value::Bytes(bytes),
            Cell::Json(text) => {
                let text = self.text(column, text)?;
                let all = Within::new(vec![Wish {
                    slot: 0,
                    kind: Type::Dyn,
                    name: self.columns.get(column).cloned().unwrap_or_default(),
                    steps: Vec::new(),
                }]);
                let mut slot = [Value::Missing];
                self.json.read(text, &all, &mut slot).map_err(|fault| Fault {
                    code: fault.code,
                    cause: fault.cause,
                    field: fault.field,
                })?;
                slot[0]
            }
            Cell::List(mut cells) => {
                if depth == MAX_DEPTH {
                    return Err(malformed());
                }
                let mut items = Vec::new();
                while !cells.is_empty() {
                    let cell = Cell::take(&mut cells).ok_or_else(malformed)?;
                    items.push(self.value(column, cell, depth + 1)?);
                }
                Value::List(self.arena.alloc_slice_copy(&items))
            }
        })
    }

    #[inline]
    fn text(&self, column: usize, bytes: &'a [u8]) -> Result<&'a str, Fault> {
        std::str::from_utf8(bytes).map_err(|_| self.no_text(column))
    }

    #[cold]
    fn no_text(&self, column: usize) -> Fault {
        let name = self.columns.get(column).map_or("?", String::as_str);
        let cause = format!("the text of column `{name}` is not UTF-8");
        Fault { code: &FORMAT_ENCODING, cause, field: Some(name.to_owned()) }
    }

    #[cold]
    fn misfit(&self, column: usize, cause: &'static str) -> Fault {
        let name = self.columns.get(column).map_or("?", String::as_str);
        Fault { code: &FIELD_TYPE, cause: format!("the field `{name}` {cause}"), field: Some(name.to_owned()) }
    }
}

/// A value of a database as the declared type: exact, or refused with what it is not.
#[inline]
fn convert<'a>(value: Value<'a>, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
    match (value, kind) {
        (Value::Missing | Value::Null, _)
        | (_, Type::Dyn)
        | (Value::Int(_), Type::Int)
        | (Value::String(_), Type::String)
        | (Value::Bool(_), Type::Bool)
        | (Value::Double(_), Type::Double)
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Date(_), Type::Date)
        | (Value::Bytes(_), Type::Bytes) => Ok(value),
        _ => converted(value, kind, arena),
    }
}

fn converted<'a>(value: Value<'a>, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
    /// Integers up to here have a double of their own.
    const EXACT: u64 = 1 << 53;
    match (value, kind) {
        (Value::Int(number), Type::Uint) => u64::try_from(number).map(Value::Uint).map_err(|_| not_a(kind)),
        (Value::Int(number), Type::Decimal) => Ok(Value::Decimal(Decimal::from_i64(number))),
        (Value::Int(number), Type::Double) if number.unsigned_abs() <= EXACT => Ok(Value::Double(number as f64)),
        (Value::Int(number @ (0 | 1)), Type::Bool) => Ok(Value::Bool(number == 1)),
        (Value::Double(number), Type::Decimal | Type::Int | Type::Uint) if number.is_finite() => {
            // The fewest digits that bring the number back: what somebody wrote into the column.
            typed::from_value(Value::Number(arena.alloc_str(&format!("{number}"))), kind, arena)
        }
        (Value::Number(_), _) => typed::from_value(value, kind, arena),
        // Also in the forms that databases without a type for it keep moments in.
        (Value::String(text), Type::Timestamp) => {
            super::moment::read(text).map(Value::Timestamp).ok_or_else(|| not_a(kind))
        }
        (Value::String(text), _) => typed::from_text(text, kind, arena),
        (Value::List(items), Type::List(inner)) => arena
            .alloc_slice_try_fill_iter(items.iter().map(|item| convert(*item, inner, arena)))
            .map(|v| Value::List(v)),
        (Value::Map(_), Type::Map(_) | Type::Record { .. }) => typed::from_value(value, kind, arena),
        (Value::Bool(_), Type::String) => Err("is a truth value, not a text"),
        (Value::Int(_) | Value::Double(_), Type::String) => Err("is a number, not a text"),
        (_, wanted) => Err(not_a(wanted)),
    }
}
