//! Elements as values: maps of attributes, text and children, or the lossless list of mixed content.

use std::collections::HashSet;

use super::decode::{Next, Pieces, Reader, repeated};
use super::lexer::{Parsed, Tag, coded};
use super::plan::{COMMENT, CONTENT, Declared, INSTRUCTION, NAME, Shape, TEXT};
use crate::error::codes::formats::{FORMAT_RECORD, XML_MIXED};
use crate::record::Value;

/// Children by name, to find those that stand twice.
#[derive(Default)]
struct Children<'a> {
    first: usize,
    names: HashSet<&'a str>,
}

impl<'a> Reader<'a, '_> {
    /// The value of the element whose start tag was read and entered, as far as it is asked for.
    pub fn build(
        &mut self,
        tag: &Tag<'a>,
        shape: &Shape,
        declared: Option<&Declared>,
        depth: usize,
    ) -> Parsed<Value<'a>> {
        let base = self.entries.len();
        let nil = self.is_nil(tag);
        self.attribute_entries(shape);
        let with_attributes = self.entries.len() > base;
        if declared.is_some_and(|declared| declared.mixed) {
            let content = self.mixed(tag, depth)?;
            if !with_attributes {
                return Ok(content);
            }
            self.entries.push((CONTENT, content));
            return Ok(self.map(base));
        }
        let mut pieces = Pieces::default();
        let (mut children, mut known) = (false, Children { first: self.entries.len(), ..Children::default() });
        let mut lists: Vec<(usize, Vec<Value<'a>>)> = Vec::new();
        loop {
            match self.next(tag)? {
                Next::End => break,
                Next::Text(run) => pieces.run(&run),
                Next::Data(text) => pieces.data(text),
                Next::Comment(_) | Next::Instruction(..) => {}
                Next::Child => {
                    if shape.wants_text() && !pieces.is_white() {
                        return mingled(tag);
                    }
                    children = true;
                    self.child_entry(shape, declared, &mut known, &mut lists, depth + 1)?;
                }
            }
        }
        let text = pieces.take(self.arena);
        let white = text.bytes().all(super::chars::is_space);
        if nil && (!white || children) {
            return coded(&FORMAT_RECORD, tag.at, "an element with `xsi:nil` has something in it");
        }
        for (at, items) in lists {
            self.entries[at].1 = Value::List(self.arena.alloc_slice_copy(&items));
        }
        let mut holds_lists = false;
        for (wanted, name, below) in declared.map_or(&[][..], |declared| &declared.below) {
            // A leaf with text, or null, is no place for lists.
            if below.list && shape.wants(wanted) && (children || (white && !nil)) {
                holds_lists = true;
                if !self.entries[known.first..].iter().any(|(key, _)| key == name) {
                    self.entries.push((self.arena.alloc_str(name), Value::List(&[])));
                }
            }
        }
        if children || holds_lists || matches!(shape, Shape::Some { .. }) {
            if children && !white && shape.wants_text() {
                return mingled(tag);
            }
            if !children && !holds_lists && shape.wants_text() {
                let value = if nil { Value::Null } else { self.leaf(text) };
                self.entries.push((TEXT, value));
            }
            return Ok(self.map(base));
        }
        let value = if nil { Value::Null } else { self.leaf(text) };
        if !with_attributes {
            return Ok(value);
        }
        self.entries.push((TEXT, value));
        Ok(self.map(base))
    }

    fn child_entry(
        &mut self,
        shape: &Shape,
        declared: Option<&Declared>,
        known: &mut Children<'a>,
        lists: &mut Vec<(usize, Vec<Value<'a>>)>,
        depth: usize,
    ) -> Parsed<()> {
        self.check_depth(depth)?;
        let mark = self.scope.mark();
        let tag = self.start()?;
        let found = self.scope.element(&tag.name);
        let Some(shape) = shape.child(found, tag.name.local()) else {
            self.skip(&tag, depth)?;
            self.scope.leave(mark);
            return Ok(());
        };
        let below = declared.and_then(|declared| declared.child(found, tag.name.local()));
        let key = match self.names.canonical(found, &tag.name, false) {
            std::borrow::Cow::Borrowed(name) => name,
            std::borrow::Cow::Owned(name) => self.arena.alloc_str(&name),
        };
        let before = known.position(&self.entries, key);
        let is_list = below.is_some_and(|below| below.list);
        if before.is_some() && !is_list {
            return repeated(tag.at, key);
        }
        // Its place among the entries comes before what is built inside of it.
        let at = before.unwrap_or_else(|| {
            self.entries.push((key, Value::Missing));
            self.entries.len() - 1
        });
        let value = self.build(&tag, shape, below, depth)?;
        if !is_list {
            self.entries[at].1 = value;
        } else if let Some((_, items)) = lists.iter_mut().find(|(known, _)| *known == at) {
            items.push(value);
        } else {
            lists.push((at, vec![value]));
        }
        self.scope.leave(mark);
        Ok(())
    }

    fn attribute_entries(&mut self, shape: &Shape) {
        for index in 0..self.attributes.len() {
            let attribute = self.attributes[index];
            if attribute.declares() || self.is_nil_attribute(&attribute) {
                continue;
            }
            let found = self.scope.attribute(&attribute.name);
            if shape.wants_attribute(found, attribute.name.local()) {
                let name = self.names.canonical(found, &attribute.name, true);
                let key = self.arena.alloc_str(&format!("@{name}"));
                self.entries.push((key, Value::String(attribute.value(self.arena))));
            }
        }
    }

    fn map(&mut self, base: usize) -> Value<'a> {
        Value::Map(self.arena.alloc_slice_fill_iter(self.entries.drain(base..)))
    }

    /// The content of an element whose start tag was read, nothing left out: texts, and a map for each
    /// element with its name, its attributes and its content.
    fn mixed(&mut self, tag: &Tag<'a>, depth: usize) -> Parsed<Value<'a>> {
        let (mut items, mut pieces) = (Vec::new(), Pieces::default());
        loop {
            let next = self.next(tag)?;
            match &next {
                Next::Text(run) => pieces.run(run),
                Next::Data(text) => pieces.data(text),
                _ => {
                    let text = pieces.take(self.arena);
                    if !text.is_empty() {
                        items.push(Value::String(text));
                    }
                }
            }
            match next {
                Next::End => break,
                Next::Text(_) | Next::Data(_) => {}
                Next::Comment(text) => {
                    items.push(Value::Map(self.arena.alloc_slice_copy(&[(COMMENT, Value::String(text))])));
                }
                Next::Instruction(target, data) => {
                    let entries = [(INSTRUCTION, Value::String(target)), (TEXT, Value::String(data))];
                    items.push(Value::Map(self.arena.alloc_slice_copy(&entries)));
                }
                Next::Child => items.push(self.mixed_child(depth + 1)?),
            }
        }
        Ok(Value::List(self.arena.alloc_slice_copy(&items)))
    }

    fn mixed_child(&mut self, depth: usize) -> Parsed<Value<'a>> {
        self.check_depth(depth)?;
        let mark = self.scope.mark();
        let tag = self.start()?;
        let base = self.entries.len();
        let name = self.names.canonical(self.scope.element(&tag.name), &tag.name, false);
        self.entries.push((NAME, Value::String(self.arena.alloc_str(&name))));
        self.attribute_entries(&Shape::All);
        let content = self.mixed(&tag, depth)?;
        self.entries.push((CONTENT, content));
        self.scope.leave(mark);
        Ok(self.map(base))
    }
}

#[cold]
fn mingled<T>(tag: &Tag<'_>) -> Parsed<T> {
    coded(
        &XML_MIXED,
        tag.at,
        format!(
            "text and elements stand beside each other in `{}`: if that is meant, add its path to `mixed`",
            tag.name.raw
        ),
    )
}

impl<'a> Children<'a> {
    /// Where an entry of that name stands among the children.
    fn position(&mut self, entries: &[(&'a str, Value<'a>)], key: &'a str) -> Option<usize> {
        const FEW: usize = 16;
        let children = &entries[self.first..];
        if children.len() > FEW {
            if self.names.is_empty() {
                self.names.extend(children.iter().map(|(name, _)| *name));
            }
            if self.names.insert(key) {
                return None;
            }
        }
        children.iter().position(|(name, _)| *name == key).map(|at| self.first + at)
    }
}
