//! A strict parser of JSON (RFC 8259) that builds only what is asked for.
//!
//! Text is borrowed from the input unless it has escapes, numbers keep their text. What nobody
//! asks for is checked for well-formedness and passed over. Depth is bounded, so recursion is.

use std::borrow::Cow;
use std::collections::HashSet;

use super::habits::{Ahead, Habits, NOWHERE, ROOT};
use super::plain::{plain_end, short_plain_end};
use super::project::{Keys, NOTHING, Node, Target};
use crate::connect::typed;
use crate::error::Code;
use crate::error::codes::formats::{
    FIELD_TYPE, FORMAT_RECORD, JSON_DEPTH, JSON_DUPLICATE_KEY, JSON_SURROGATE, JSON_SYNTAX,
};
use crate::record::{Arena, Type, Value};

/// What is asked of the text.
#[derive(Clone, Copy, Debug)]
pub(in crate::connect::formats) struct Rules {
    /// Most lists and objects within each other.
    pub max_depth: usize,
    /// Whether the last of two equal keys counts, instead of being an error.
    pub last_wins: bool,
    /// Whether a record must end with its line, which the messages then say.
    pub lines: bool,
}

/// Why a text is no record.
#[derive(Debug)]
pub(in crate::connect::formats) struct Fault {
    pub code: &'static Code,
    pub cause: Cow<'static, str>,
    pub field: Option<String>,
    /// Byte in the text.
    pub at: usize,
}

/// Boxed, so that the good way returns one word.
pub(in crate::connect::formats) type Parsed<T> = Result<T, Box<Fault>>;

/// The parser and its scratch space; one per part.
pub(in crate::connect::formats) struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    rules: Rules,
    arena: &'a Arena,
    /// Keys of the objects that are open, each object's after those of the one around it.
    keys: Vec<&'a str>,
    /// Elements of the lists that are being built.
    values: Vec<Value<'a>>,
    /// Entries of the maps that are being built.
    entries: Vec<(&'a str, Value<'a>)>,
    habits: Habits,
}

/// A key of an object.
struct Key<'a> {
    text: &'a str,
    /// What is asked of its value.
    ahead: Ahead,
    /// Whether the object had it before.
    again: bool,
}

/// The keys of an object that is unlike those before it, to see whether one stands twice.
struct Strange<'a> {
    /// One bit per kind of key: as long as a key's bit is new, the key is.
    bits: u64,
    many: Option<HashSet<&'a str>>,
}

/// From this many keys on, an object's keys are looked up in a set.
const MANY_KEYS: usize = 24;

impl<'a> Parser<'a> {
    /// A parser whose values live as long as the arena.
    pub fn new(rules: Rules, arena: &'a Arena) -> Self {
        Self {
            text: "",
            bytes: b"",
            at: 0,
            depth: 0,
            rules,
            arena,
            keys: Vec::new(),
            values: Vec::new(),
            entries: Vec::new(),
            habits: Habits::new(),
        }
    }

    /// Turns to a text, at a byte of it.
    #[inline]
    pub fn turn_to(&mut self, text: &'a str, at: usize) {
        self.text = text;
        self.bytes = text.as_bytes();
        self.at = at;
        self.depth = 0;
        self.keys.clear();
        self.values.clear();
        self.entries.clear();
    }

    /// Where it stands.
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Reads one record: an object, of which the plan's slots are filled.
    #[inline]
    pub fn record(&mut self, plan: &Node, slots: &mut [Value<'a>]) -> Parsed<()> {
        self.space();
        if self.peek() == b'{' {
            return self.value(plan, slots, ROOT);
        }
        let start = self.at;
        self.skip(NOWHERE)?;
        self.fail_at(start, &FORMAT_RECORD, "the record is not an object")
    }

    /// Reads one value of any kind, of which the plan's slots are filled. Nothing is remembered of
    /// it: the next one may have another plan.
    pub fn any(&mut self, plan: &Node, slots: &mut [Value<'a>]) -> Parsed<()> {
        self.space();
        self.value(plan, slots, NOWHERE)
    }

    /// Reads one value of any kind and throws it away.
    fn skip(&mut self, place: u32) -> Parsed<()> {
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' => self.object(place, None, |parser, key| parser.skip(key.ahead.place)),
            b'[' => self.list(place, |parser, _, place| parser.skip(place)),
            _ => self.scalar().map(drop),
        }
    }

    /// Passes white space.
    #[inline]
    pub fn space(&mut self) {
        if self.peek() > b' ' {
            return;
        }
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Demands that nothing but white space follows.
    #[inline]
    pub fn end(&mut self) -> Parsed<()> {
        self.space();
        if self.at == self.bytes.len() {
            return Ok(());
        }
        let cause = if self.rules.lines {
            "something follows the record: each record has a line of its own"
        } else {
            "something follows the value"
        };
        self.fail(cause)
    }

    #[inline]
    fn value(&mut self, node: &Node, slots: &mut [Value<'a>], place: u32) -> Parsed<()> {
        match node {
            Node::Build(targets) => {
                // Text that is wanted as text goes to its slot at once.
                if let [target] = targets.as_slice()
                    && target.takes_text()
                    && self.peek() == b'"'
                {
                    slots[target.slot] = Value::String(self.string()?);
                    return Ok(());
                }
                let start = self.at;
                let built = self.build(place)?;
                for target in targets {
                    let found = target.select(built, self.arena);
                    slots[target.slot] = match (found, &target.kind) {
                        // Nothing to convert: nearly always.
                        (_, Type::Dyn) | (Value::String(_), Type::String) | (Value::Bool(_), Type::Bool) => found,
                        (_, kind) => match typed::from_value(found, kind, self.arena) {
                            Ok(value) => value,
                            Err(cause) => return Err(wrong_type(target, cause, start)),
                        },
                    };
                }
                Ok(())
            }
            Node::Descend { keys, indexes } => match self.peek() {
                b'{' if !keys.is_empty() => {
                    self.object(place, Some(keys), |parser, key| match keys.node(key.ahead.node) {
                        Some(child) => {
                            if key.again {
                                child.clear(slots);
                            }
                            parser.value(child, slots, key.ahead.place)
                        }
                        None => parser.skip(key.ahead.place),
                    })
                }
                // More than one node may stand for elements: nothing is remembered of them.
                b'[' if !indexes.is_empty() => {
                    self.list(NOWHERE, |parser, index, _| match indexes.iter().find(|(wanted, _)| *wanted == index) {
                        Some((_, child)) => parser.value(child, slots, NOWHERE),
                        None => parser.skip(NOWHERE),
                    })
                }
                _ => self.skip(place),
            },
        }
    }

    /// Reads one value and builds it whole.
    fn build(&mut self, place: u32) -> Parsed<Value<'a>> {
        match self.peek() {
            b'"' => self.string().map(Value::String),
            b'{' => {
                let base = self.entries.len();
                self.object(place, None, |parser, key| {
                    let value = parser.build(key.ahead.place)?;
                    let earlier = match key.again {
                        true => parser.entries[base..].iter().position(|(known, _)| *known == key.text),
                        false => None,
                    };
                    match earlier {
                        Some(index) => parser.entries[base + index].1 = value,
                        None => parser.entries.push((key.text, value)),
                    }
                    Ok(())
                })?;
                let entries = self.arena.alloc_slice_copy(&self.entries[base..]);
                self.entries.truncate(base);
                Ok(Value::Map(entries))
            }
            b'[' => {
                let base = self.values.len();
                self.list(place, |parser, _, place| {
                    let value = parser.build(place)?;
                    parser.values.push(value);
                    Ok(())
                })?;
                let values = self.arena.alloc_slice_copy(&self.values[base..]);
                self.values.truncate(base);
                Ok(Value::List(values))
            }
            _ => self.scalar(),
        }
    }

    /// Walks an object. `member` gets each key and reads the value. `plan` says which keys have
    /// nodes.
    #[inline]
    fn object(
        &mut self,
        place: u32,
        plan: Option<&Keys>,
        mut member: impl FnMut(&mut Self, Key<'a>) -> Parsed<()>,
    ) -> Parsed<()> {
        self.deeper()?;
        let base = self.keys.len();
        let mut next = 0;
        let mut strange: Option<Strange<'a>> = None;
        self.space();
        if self.peek() == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            let expected = match strange {
                None => self.habits.expected(place, next, &self.bytes[self.at..]),
                Some(_) => None,
            };
            let key = match expected {
                Some((length, ahead)) => {
                    let text = &self.text[self.at + 1..self.at + length - 2];
                    self.at += length;
                    self.keys.push(text);
                    next += 1;
                    Key { text, ahead, again: false }
                }
                None => self.key(place, plan, base, &mut next, &mut strange)?,
            };
            self.space();
            member(self, key)?;
            self.space();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.space();
                }
                b'}' => {
                    self.at += 1;
                    self.depth -= 1;
                    self.keys.truncate(base);
                    return Ok(());
                }
                _ => return self.fail("a comma or `}` is missing in an object"),
            }
        }
    }

    /// A key that is not the expected one, and the colon after it.
    #[inline(never)]
    fn key(
        &mut self,
        place: u32,
        plan: Option<&Keys>,
        base: usize,
        next: &mut usize,
        strange: &mut Option<Strange<'a>>,
    ) -> Parsed<Key<'a>> {
        let key_at = self.at;
        if self.peek() != b'"' {
            return self.fail("a key in double quotes is missing");
        }
        let text = self.string()?;
        let quoted = &self.bytes[key_at..self.at];
        let known = match strange {
            None => self.habits.find(place, *next, quoted, text, plan),
            Some(_) => None,
        };
        let key = match known {
            Some((index, ahead)) => {
                *next = index + 1;
                self.keys.push(text);
                Key { text, ahead, again: false }
            }
            None => {
                let strange = strange.get_or_insert_with(|| Strange::new(&self.keys[base..]));
                let again = strange.again(text, &self.keys[base..]);
                if again && !self.rules.last_wins {
                    return self.fail_at(key_at, &JSON_DUPLICATE_KEY, "a key stands twice in one object");
                }
                if strange.many.is_none() {
                    self.keys.push(text);
                }
                let node = plan.map_or(NOTHING, |plan| plan.index(text));
                Key { text, ahead: Ahead { node, place: NOWHERE }, again }
            }
        };
        self.space();
        if self.peek() != b':' {
            return self.fail("a colon is missing after the key");
        }
        self.at += 1;
        Ok(key)
    }

    /// Walks a list. `element` gets the index and the place, and reads the value.
    #[inline]
    fn list(&mut self, place: u32, mut element: impl FnMut(&mut Self, usize, u32) -> Parsed<()>) -> Parsed<()> {
        self.deeper()?;
        self.space();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        let place = self.habits.elements(place);
        let mut index = 0;
        loop {
            element(self, index, place)?;
            index += 1;
            self.space();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.space();
                }
                b']' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return self.fail("a comma or `]` is missing in a list"),
            }
        }
    }

    #[inline]
    fn deeper(&mut self) -> Parsed<()> {
        if self.depth == self.rules.max_depth {
            let cause = format!("lists and objects are nested more than {} levels deep", self.rules.max_depth);
            return Err(Box::new(Fault { code: &JSON_DEPTH, cause: cause.into(), field: None, at: self.at }));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// A string, from its opening quote to behind its closing one.
    #[inline]
    fn string(&mut self) -> Parsed<&'a str> {
        let start = self.at + 1;
        // Most end within sixteen bytes.
        if let Some(at) = short_plain_end(self.bytes, start)
            && self.bytes.get(at) == Some(&b'"')
        {
            self.at = at + 1;
            return Ok(&self.text[start..at]);
        }
        self.long_string(start)
    }

    #[inline(never)]
    fn long_string(&mut self, start: usize) -> Parsed<&'a str> {
        let at = plain_end(self.bytes, start);
        self.close(start, at)
    }

    /// A string that nobody asks for: what it means is not made, only checked.
    #[inline]
    fn skip_string(&mut self) -> Parsed<()> {
        let mut at = plain_end(self.bytes, self.at + 1);
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                Some(b'\\') => at = plain_end(self.bytes, at + self.escape(at)?.1),
                _ => return self.broken_string(at),
            }
        }
    }

    /// What ends a run of plain text: the quote, an escape, or something wrong.
    #[inline]
    fn close(&mut self, start: usize, at: usize) -> Parsed<&'a str> {
        match self.bytes.get(at) {
            Some(b'"') => {
                self.at = at + 1;
                Ok(&self.text[start..at])
            }
            Some(b'\\') => self.escaped(start, at),
            _ => self.broken_string(at),
        }
    }

    /// The rest of a string that has escapes, the first of them at `at`.
    fn escaped(&mut self, start: usize, mut at: usize) -> Parsed<&'a str> {
        let mut out = bumpalo::collections::String::with_capacity_in(at - start + 32, self.arena);
        let mut from = start;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    out.push_str(&self.text[from..at]);
                    self.at = at + 1;
                    return Ok(out.into_bump_str());
                }
                Some(b'\\') => {
                    out.push_str(&self.text[from..at]);
                    let (character, length) = self.escape(at)?;
                    out.push(character);
                    at += length;
                    from = at;
                }
                Some(0x20..) => at += 1,
                _ => return self.broken_string(at),
            }
        }
    }

    /// The character an escape stands for, and the bytes it takes.
    fn escape(&mut self, at: usize) -> Parsed<(char, usize)> {
        let plain = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.unit(at)?;
                if let Some(character) = char::from_u32(high) {
                    return Ok((character, 6));
                }
                if high < 0xDC00 && self.bytes.get(at + 6..at + 8) == Some(br"\u") {
                    let low = self.unit(at + 6)?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        return Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12));
                    }
                }
                return self.fail_at(at, &JSON_SURROGATE, "half of a surrogate pair stands alone in a text");
            }
            None => return self.broken_string(at + 1),
            Some(_) => return self.fail_at(at, &JSON_SYNTAX, "an unknown escape stands in a text"),
        };
        Ok((plain, 2))
    }

    /// The UTF-16 unit of a `\uXXXX`.
    fn unit(&mut self, at: usize) -> Parsed<u32> {
        let digits = self.bytes.get(at + 2..at + 6).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?));
        match unit {
            Some(unit) if digits.len() == 4 => Ok(unit),
            _ => self.fail_at(at, &JSON_SYNTAX, "after `\\u` stand four hexadecimal digits"),
        }
    }

    /// A number or a literal.
    #[inline]
    fn scalar(&mut self) -> Parsed<Value<'a>> {
        let (literal, value) = match self.peek() {
            b'-' | b'0'..=b'9' => return self.number(),
            b't' => ("true", Value::Bool(true)),
            b'f' => ("false", Value::Bool(false)),
            b'n' => ("null", Value::Null),
            _ => return self.fail("a value is missing"),
        };
        if !self.bytes[self.at..].starts_with(literal.as_bytes()) {
            return self.fail("a word that is neither true, false nor null");
        }
        self.at += literal.len();
        Ok(value)
    }

    #[inline]
    fn number(&mut self) -> Parsed<Value<'a>> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        if self.peek().is_ascii_digit() {
            return self.fail("a number does not begin with zeros");
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    #[inline]
    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { self.fail("a digit is missing in a number") } else { Ok(()) }
    }

    /// The next byte; NUL, which stands nowhere in JSON, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    fn broken_string<T>(&mut self, at: usize) -> Parsed<T> {
        self.at = at.min(self.bytes.len());
        self.fail("a control character stands in a text: it must be escaped")
    }

    #[cold]
    fn fail<T>(&mut self, cause: &'static str) -> Parsed<T> {
        let cause = match self.at >= self.bytes.len() {
            false => cause,
            true if self.rules.lines => {
                "the line ends inside the record: each record has one line (pretty-printed JSON is read with `format: json`)"
            }
            true => "the text ends inside a value",
        };
        self.fail_at(self.at, &JSON_SYNTAX, cause)
    }

    #[cold]
    fn fail_at<T>(&self, at: usize, code: &'static Code, cause: &'static str) -> Parsed<T> {
        Err(Box::new(Fault { code, cause: Cow::Borrowed(cause), field: None, at }))
    }
}

#[cold]
fn wrong_type(target: &Target, cause: &str, at: usize) -> Box<Fault> {
    Box::new(Fault {
        code: &FIELD_TYPE,
        cause: format!("the field `{}` {cause}", target.name).into(),
        field: Some(target.name.clone()),
        at,
    })
}

impl<'a> Strange<'a> {
    fn new(keys: &[&'a str]) -> Self {
        let bits = keys.iter().fold(0, |bits, key| bits | 1 << fingerprint(key));
        let many = (keys.len() >= MANY_KEYS).then(|| keys.iter().copied().collect());
        Self { bits, many }
    }

    /// Whether the object had the key before. `keys` are those before it, as long as there are
    /// few.
    fn again(&mut self, key: &'a str, keys: &[&'a str]) -> bool {
        if let Some(known) = &mut self.many {
            return !known.insert(key);
        }
        let bit = 1 << fingerprint(key);
        let again = self.bits & bit != 0 && keys.contains(&key);
        self.bits |= bit;
        if keys.len() + 1 >= MANY_KEYS {
            self.many = Some(keys.iter().copied().chain([key]).collect());
        }
        again
    }
}

/// Whether the whole text is one JSON value.
pub(in crate::connect::formats) fn check(text: &str, rules: Rules) -> Parsed<()> {
    let arena = Arena::new();
    let mut parser = Parser::new(rules, &arena);
    parser.turn_to(text, 0);
    parser.space();
    parser.skip(ROOT)?;
    parser.end()
}

/// 0..64 from a key's length and ends.
#[inline]
pub(super) fn fingerprint(key: &str) -> u32 {
    match key.as_bytes() {
        [] => 0,
        [only] => u32::from(*only) & 63,
        [first, .., last] => (key.len() as u32 * 7 + u32::from(*first) * 3 + u32::from(*last) * 5) & 63,
    }
}
