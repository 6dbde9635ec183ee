//! From a part of an XML document to rows: one walk over each record that checks all of it and builds
//! what is asked for.

use super::around::{Around, Step, record_end};
use super::lexer::{Attribute, Fault, Lexer, Markup, Name, Parsed, Run, Tag, append_lines, coded};
use super::names::{Names, Scope, XSI};
use super::plan::{Child, Counts, Declared, Node, TEXT, Target, select};
use crate::connect::formats::characters;
use crate::connect::typed::{from_text, from_value};
use crate::connect::{Decoder, Part, RecordError, Rows};
use crate::error::codes::formats::{
    FIELD_TYPE, FORMAT_ENCODING, FORMAT_OPTIONS, FORMAT_RECORD, XML_DEPTH, XML_DOCUMENT, XML_REPEATED,
};
use crate::error::{Error, Kind, Result};
use crate::record::{Arena, Projection, Row, Type, Value};

/// How values are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub max_depth: usize,
    /// White space at the ends of text is dropped.
    pub trim: bool,
    /// Empty text is null.
    pub empty_is_null: bool,
}

/// Decoder of one worker.
pub(super) struct XmlDecoder {
    names: Names,
    around: Around,
    declared: Declared,
    rules: Rules,
}

impl XmlDecoder {
    pub fn new(names: Names, around: Around, declared: Declared, rules: Rules) -> Self {
        Self { names, around, declared, rules }
    }
}

impl Decoder for XmlDecoder {
    fn decode<'a>(
        &mut self,
        part: &'a Part,
        projection: &Projection,
        arena: &'a Arena,
        rows: &mut dyn Rows<'a>,
    ) -> Result<()> {
        let mut counts = Counts::default();
        let plan = Node::new(projection, &self.names, &self.declared, &mut counts)
            .map_err(|cause| Error::new(Kind::Invalid, &FORMAT_OPTIONS, cause))?;
        if !self.around.go_to(&self.names, &part.header.columns) {
            return Err(Error::bug("the context of a part of XML cannot be read"));
        }
        let mut walk = Walk {
            part,
            bytes: &part.bytes,
            around: &mut self.around,
            plan,
            slots: projection.paths.len(),
            reader: Reader {
                names: &self.names,
                rules: self.rules,
                arena,
                lexer: Lexer::new("", true),
                scope: Scope::default(),
                attributes: Vec::new(),
                open: Vec::new(),
                entries: Vec::new(),
                lists: vec![Vec::new(); counts.lists],
                seen: vec![0; counts.nodes],
                record: 0,
            },
            rows,
            index: 0,
            line: 0,
            counted: 0,
        };
        walk.part()
    }
}

struct Walk<'a, 'r, 'p> {
    part: &'a Part,
    bytes: &'a [u8],
    around: &'r mut Around,
    plan: Node<'p>,
    slots: usize,
    reader: Reader<'a, 'p>,
    rows: &'r mut dyn Rows<'a>,
    index: u32,
    /// Line ends before `counted`.
    line: u32,
    counted: usize,
}

impl<'a> Walk<'a, '_, '_> {
    fn part(&mut self) -> Result<()> {
        let mut base = 0;
        // What is no UTF-8 rejects its record: the text of the part is taken in pieces around it.
        while base < self.bytes.len() {
            let rest = &self.bytes[base..];
            let text = match std::str::from_utf8(rest) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
            };
            self.reader.lexer = Lexer::new(text, true);
            match self.stretch(base, text)? {
                Some(next) => base = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads a stretch of text; where the next one begins, if there is one.
    fn stretch(&mut self, base: usize, text: &'a str) -> Result<Option<usize>> {
        loop {
            let names = self.reader.names;
            match self.around.step(names, &mut self.reader.lexer) {
                Ok(Step::Moved) => {}
                Ok(Step::End) => return Ok((base + text.len() < self.bytes.len()).then_some(self.bytes.len())),
                Ok(Step::Record(name)) => {
                    let start = base + self.reader.lexer.at;
                    let Some(end) = self.record(name, base, start, text) else { return Ok(None) };
                    self.around.passed_record();
                    match end.checked_sub(base).filter(|at| *at <= text.len() && text.is_char_boundary(*at)) {
                        Some(at) if at >= self.reader.lexer.at => self.reader.lexer.at = at,
                        Some(at) => self.reader.lexer.rewind(at),
                        None => return Ok(Some(end)),
                    }
                }
                Err(fault) => {
                    // The framing has read all this before and found it well.
                    let line = self.part.start.line
                        + memchr::memchr_iter(b'\n', &self.bytes[..base + fault.at]).count() as u64;
                    return Err(Error::new(Kind::Failed, &XML_DOCUMENT, fault.cause.to_string())
                        .fact("line", line + 1)
                        .fact("byte", self.part.start.byte + (base + fault.at) as u64));
                }
            }
        }
    }

    /// Reads the record that begins here and hands it out; where it ends, `None` to stop.
    fn record(&mut self, name: Name<'a>, base: usize, start: usize, text: &'a str) -> Option<usize> {
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.counted..start]).count() as u32;
        self.counted = start;
        let slots = self.reader.arena.alloc_slice_fill_copy(self.slots, Value::Missing);
        std::mem::swap(&mut self.around.scope, &mut self.reader.scope);
        let mark = self.reader.scope.mark();
        let outcome = self.reader.record(&self.plan, slots);
        self.reader.scope.leave(mark);
        std::mem::swap(&mut self.around.scope, &mut self.reader.scope);
        match outcome {
            Ok(()) => {
                let end = base + self.reader.lexer.at;
                let row = Row { slots, raw: &self.bytes[start..end], index: self.index, line: self.line };
                self.index += 1;
                self.rows.row(row).then_some(end)
            }
            Err(fault) => {
                let end = record_end(self.bytes, start, name.raw.as_bytes()).unwrap_or(self.bytes.len());
                let fault = match base + text.len() < end {
                    true if fault.at >= text.len() => Box::new(Fault {
                        code: &FORMAT_ENCODING,
                        cause:
                            "a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`"
                                .into(),
                        field: None,
                        at: text.len(),
                        ended: false,
                    }),
                    _ => fault,
                };
                self.bad(&fault, start, end, (base + fault.at).clamp(start, end)).then_some(end)
            }
        }
    }

    #[cold]
    fn bad(&mut self, fault: &Fault, start: usize, end: usize, byte: usize) -> bool {
        let column = match memchr::memrchr(b'\n', &self.bytes[..byte]) {
            Some(feed) => characters(&self.bytes[feed + 1..byte]) + 1,
            // A part may begin in the middle of a line: of the first line the beginning is known.
            None if self.part.start.line == 0 => self.part.start.byte as usize + characters(&self.bytes[..byte]) + 1,
            None => 0,
        };
        let error = RecordError {
            code: fault.code,
            cause: fault.cause.to_string(),
            field: fault.field.clone(),
            index: self.index,
            line: self.line + memchr::memchr_iter(b'\n', &self.bytes[start..byte]).count() as u32,
            column: u32::try_from(column).unwrap_or(0),
            byte,
            start,
            end,
        };
        self.index += 1;
        self.rows.bad(error)
    }
}

/// Reads elements.
pub(super) struct Reader<'a, 'p> {
    pub names: &'p Names,
    pub rules: Rules,
    pub arena: &'a Arena,
    pub lexer: Lexer<'a>,
    pub scope: Scope,
    /// Of the start tag that was read last.
    pub attributes: Vec<Attribute<'a>>,
    /// Open elements that are passed over, with the declarations before each.
    open: Vec<(&'a str, usize)>,
    /// Entries of the maps that are being built.
    pub entries: Vec<(&'a str, Value<'a>)>,
    /// Elements of each list of the plan, as far as they were met in its parent.
    lists: Vec<Vec<Value<'a>>>,
    /// The record in which each node of the plan was met last.
    seen: Vec<u32>,
    record: u32,
}

/// The text of an element, in pieces.
#[derive(Default)]
pub(super) struct Pieces<'a> {
    only: Option<&'a str>,
    more: String,
}

impl<'a> Pieces<'a> {
    #[inline]
    pub fn run(&mut self, run: &Run<'a>) {
        if run.plain && self.only.is_none() && self.more.is_empty() {
            self.only = Some(run.raw);
            return;
        }
        self.spill();
        run.append(&mut self.more);
    }

    pub fn data(&mut self, raw: &'a str) {
        if self.only.is_none() && self.more.is_empty() && memchr::memchr(b'\r', raw.as_bytes()).is_none() {
            self.only = Some(raw);
            return;
        }
        self.spill();
        append_lines(raw, &mut self.more);
    }

    fn spill(&mut self) {
        if let Some(only) = self.only.take() {
            self.more.push_str(only);
        }
    }

    /// Whether there is nothing but white space so far.
    pub fn is_white(&self) -> bool {
        let text = self.only.unwrap_or(&self.more);
        text.bytes().all(super::chars::is_space)
    }

    /// The whole text; there are no pieces afterwards.
    #[inline]
    pub fn take(&mut self, arena: &'a Arena) -> &'a str {
        match self.only.take() {
            Some(only) => only,
            None if self.more.is_empty() => "",
            None => {
                let text = arena.alloc_str(&self.more);
                self.more.clear();
                text
            }
        }
    }
}

/// What the content of an element goes on with.
pub(super) enum Next<'a> {
    Text(Run<'a>),
    Data(&'a str),
    Comment(&'a str),
    Instruction(&'a str, &'a str),
    /// A start tag; the lexer stands at it.
    Child,
    /// The end tag, which was read.
    End,
}

impl<'a> Reader<'a, '_> {
    /// Reads a record from its start tag on.
    fn record(&mut self, plan: &Node<'_>, slots: &mut [Value<'a>]) -> Parsed<()> {
        self.record += 1;
        self.entries.clear();
        self.lists.iter_mut().for_each(Vec::clear);
        let tag = self.start()?;
        if plan.whole.is_empty() {
            return self.element(plan, &tag, slots, 1);
        }
        let value = self.build(&tag, &super::plan::Shape::All, plan.declared, 1)?;
        let value = match value {
            Value::Map(_) => value,
            text => Value::Map(self.arena.alloc_slice_copy(&[(TEXT, text)])),
        };
        for target in &plan.all {
            let found = if target.rest.is_empty() { value } else { select(value, &target.rest, self.arena) };
            self.put(target, found, tag.at, slots)?;
        }
        Ok(())
    }

    /// Reads a start tag and enters its element.
    #[inline]
    pub fn start(&mut self) -> Parsed<Tag<'a>> {
        let tag = self.lexer.start_tag(&mut self.attributes)?;
        self.scope.enter(self.names, &tag, &self.attributes)?;
        Ok(tag)
    }

    /// What comes next in the element that is open.
    #[inline]
    pub fn next(&mut self, open: &Tag<'a>) -> Parsed<Next<'a>> {
        if open.empty {
            return Ok(Next::End);
        }
        if self.lexer.peek() != b'<' {
            let run = self.lexer.run()?;
            if self.lexer.at >= self.lexer.bytes.len() {
                return self.lexer.fail("the element is not closed");
            }
            return Ok(Next::Text(run));
        }
        match self.lexer.after() {
            b'/' => self.lexer.end_tag(open.name.raw).map(|()| Next::End),
            b'!' => Ok(match self.lexer.markup()? {
                Markup::Comment(text) => Next::Comment(text),
                Markup::Data(text) => Next::Data(text),
            }),
            b'?' => self.lexer.instruction().map(|(target, data)| Next::Instruction(target, data)),
            _ => Ok(Next::Child),
        }
    }

    /// Whether the element whose start tag was just read is null.
    #[inline]
    pub fn is_nil(&self, tag: &Tag<'_>) -> bool {
        tag.prefixed
            && self.attributes.iter().any(|attribute| {
                self.is_nil_attribute(attribute) && matches!(attribute.normalised().trim(), "true" | "1")
            })
    }

    pub fn is_nil_attribute(&self, attribute: &Attribute<'_>) -> bool {
        attribute.name.local() == "nil" && self.scope.attribute(&attribute.name).space == XSI
    }

    /// Fills the slots that ask for something of this element.
    fn element(&mut self, node: &Node<'_>, tag: &Tag<'a>, slots: &mut [Value<'a>], depth: usize) -> Parsed<()> {
        for (name, targets) in &node.attributes {
            for index in 0..self.attributes.len() {
                let attribute = self.attributes[index];
                if name.is(self.scope.attribute(&attribute.name), attribute.name.local()) && !attribute.declares() {
                    let value = Value::String(attribute.value(self.arena));
                    targets.iter().try_for_each(|target| self.put(target, value, attribute.at, slots))?;
                }
            }
        }
        if !node.whole.is_empty() && node.declared.is_some_and(Declared::is_built) {
            return self.rebuild(node, tag, slots, depth);
        }
        let nil = self.is_nil(tag);
        let wants_text = !node.whole.is_empty() || !node.text.is_empty();
        let (mut pieces, mut near, mut children) = (Pieces::default(), 0, false);
        loop {
            match self.next(tag)? {
                Next::End => break,
                Next::Text(run) if wants_text => pieces.run(&run),
                Next::Data(text) if wants_text => pieces.data(text),
                Next::Child if !node.whole.is_empty() => return self.rebuild(node, tag, slots, depth),
                Next::Child => {
                    children = true;
                    self.child(node, &mut near, slots, depth + 1)?;
                }
                _ => {}
            }
        }
        if wants_text {
            let text = pieces.take(self.arena);
            self.text(node, nil, children, text, tag.at, slots)?;
        }
        for (_, child) in &node.children {
            if let Child::List(list) = child {
                let items: &'a [Value<'a>] = self.arena.alloc_slice_copy(&self.lists[list.id]);
                self.lists[list.id].clear();
                for target in &list.targets {
                    let value = match target.rest.is_empty() {
                        true => Value::List(items),
                        false => select(Value::List(items), &target.rest, self.arena),
                    };
                    self.put(target, value, tag.at, slots)?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn child(&mut self, node: &Node<'_>, near: &mut usize, slots: &mut [Value<'a>], depth: usize) -> Parsed<()> {
        self.check_depth(depth)?;
        let mark = self.scope.mark();
        let tag = self.start()?;
        match node.child(self.scope.element(&tag.name), tag.name.local(), near) {
            None => self.skip(&tag, depth)?,
            Some(Child::Node(child)) => {
                if std::mem::replace(&mut self.seen[child.id], self.record) == self.record {
                    return repeated(tag.at, &child.name);
                }
                self.element(child, &tag, slots, depth)?;
            }
            Some(Child::List(list)) => {
                let value = self.build(&tag, &list.shape, list.declared, depth)?;
                self.lists[list.id].push(value);
            }
        }
        self.scope.leave(mark);
        Ok(())
    }

    pub fn check_depth(&self, depth: usize) -> Parsed<()> {
        if depth <= self.rules.max_depth {
            return Ok(());
        }
        coded(&XML_DEPTH, self.lexer.at, "elements stand within each other more than `max_depth` levels deep")
    }

    fn text(
        &mut self,
        node: &Node<'_>,
        nil: bool,
        children: bool,
        text: &'a str,
        at: usize,
        slots: &mut [Value<'a>],
    ) -> Parsed<()> {
        let white = || text.bytes().all(super::chars::is_space);
        let value = if nil {
            if !white() || children {
                return coded(&FORMAT_RECORD, at, "an element with `xsi:nil` has something in it");
            }
            Value::Null
        } else if children && white() {
            // White space between elements is no text.
            return Ok(());
        } else {
            self.leaf(text)
        };
        node.whole.iter().chain(&node.text).try_for_each(|target| self.put(target, value, at, slots))
    }

    /// The value of text.
    #[inline]
    pub fn leaf(&self, text: &'a str) -> Value<'a> {
        let text = if self.rules.trim { trimmed(text) } else { text };
        if text.is_empty() && self.rules.empty_is_null { Value::Null } else { Value::String(text) }
    }

    /// Reads the element again, whole, and takes all that is asked of it from there.
    fn rebuild(&mut self, node: &Node<'_>, tag: &Tag<'a>, slots: &mut [Value<'a>], depth: usize) -> Parsed<()> {
        self.lexer.rewind(tag.at);
        let tag = self.lexer.start_tag(&mut self.attributes)?;
        let value = self.build(&tag, &super::plan::Shape::All, node.declared, depth)?;
        for target in &node.all {
            let found = select(value, &target.rest, self.arena);
            self.put(target, found, tag.at, slots)?;
        }
        Ok(())
    }

    /// Passes over the element whose start tag was read, checking it.
    pub fn skip(&mut self, tag: &Tag<'a>, depth: usize) -> Parsed<()> {
        if tag.empty {
            return Ok(());
        }
        self.open.clear();
        self.open.push((tag.name.raw, self.scope.mark()));
        while let Some((name, mark)) = self.open.last().copied() {
            if self.lexer.peek() != b'<' {
                self.lexer.run()?;
                if self.lexer.at >= self.lexer.bytes.len() {
                    return self.lexer.fail("the element is not closed");
                }
            }
            match self.lexer.after() {
                b'/' => {
                    self.lexer.end_tag(name)?;
                    self.open.pop();
                    if !self.open.is_empty() {
                        self.scope.leave(mark);
                    }
                }
                b'!' => {
                    self.lexer.markup()?;
                }
                b'?' => {
                    self.lexer.instruction()?;
                }
                _ => {
                    self.check_depth(depth + self.open.len())?;
                    let mark = self.scope.mark();
                    let child = self.start()?;
                    if child.empty {
                        self.scope.leave(mark);
                    } else {
                        self.open.push((child.name.raw, mark));
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts a value into its slot, as its type.
    #[inline]
    fn put(&self, target: &Target, value: Value<'a>, at: usize, slots: &mut [Value<'a>]) -> Parsed<()> {
        match typed(value, &target.kind, self.arena) {
            Ok(value) => {
                slots[target.slot] = value;
                Ok(())
            }
            Err(cause) => Err(Box::new(Fault {
                code: &FIELD_TYPE,
                cause: format!("the field `{}` {cause}", target.name).into(),
                field: Some(target.name.clone()),
                at,
                ended: false,
            })),
        }
    }
}

/// A value as its type.
#[inline]
fn typed<'a>(value: Value<'a>, kind: &Type, arena: &'a Arena) -> std::result::Result<Value<'a>, &'static str> {
    match (value, kind) {
        (_, Type::Dyn) | (Value::String(_), Type::String) => Ok(value),
        // The types of XML Schema other than text do not count white space around a value.
        (Value::String(text), Type::Map(_) | Type::Record { .. }) => Ok(match trimmed(text) {
            "" => Value::Map(&[]),
            _ => Value::Map(arena.alloc_slice_copy(&[(TEXT, value)])),
        }),
        (Value::String(text), kind) => from_text(trimmed(text), kind, arena),
        (Value::List(items), Type::List(inner)) => arena
            .alloc_slice_try_fill_iter(items.iter().map(|item| typed(*item, inner, arena)))
            .map(|items| Value::List(items)),
        (_, kind) => from_value(value, kind, arena),
    }
}

/// An element that stands where it stood before, and is no declared list.
#[cold]
pub(super) fn repeated(at: usize, path: &str) -> Parsed<()> {
    coded(
        &XML_REPEATED,
        at,
        format!("the element `{path}` stands more than once: if it is a list, add its path to `lists`"),
    )
}

/// Without the white space of XML at its ends.
#[inline]
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}
