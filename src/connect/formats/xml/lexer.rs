//! The pieces XML is made of, each read strictly: what this accepts is well-formed (XML 1.0, fifth
//! edition, and Namespaces 1.0), as far as one piece can tell.
//!
//! Tokenizers for speed let much pass (mismatched names, `<` in values, bare `&`); here nothing is
//! checked in a second walk. What a whole text has none of (references, `]]>`, odd characters) is
//! looked for once, not in each run.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::chars::{CLASS, NAME, START, VALUE, first_illegal, is_char, is_name_char, is_name_start, is_space};
use crate::error::Code;
use crate::error::codes::formats::{XML_DOCTYPE, XML_SYNTAX};
use crate::record::Arena;

/// Why a text is not what it must be, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub code: &'static Code,
    pub cause: Cow<'static, str>,
    pub field: Option<String>,
    /// Byte of the text.
    pub at: usize,
    /// The text ended too early: more of it might mend this.
    pub ended: bool,
}

pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// A name as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub raw: &'a str,
    /// Bytes before the local part: the prefix and its colon.
    pub skip: usize,
}

impl<'a> Name<'a> {
    pub fn prefix(&self) -> &'a str {
        &self.raw[..self.skip.saturating_sub(1)]
    }

    #[inline]
    pub fn local(&self) -> &'a str {
        if self.skip == 0 { self.raw } else { &self.raw[self.skip..] }
    }
}

/// An attribute as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub name: Name<'a>,
    /// Where it begins.
    pub at: usize,
    /// What stands between the quotes.
    pub raw: &'a str,
    /// Whether that is the value: no reference and no white space to be normalised is in it.
    pub plain: bool,
}

impl<'a> Attribute<'a> {
    /// Whether it declares a namespace.
    pub fn declares(&self) -> bool {
        self.name.raw == "xmlns" || (self.name.skip == 6 && self.name.raw.starts_with("xmlns:"))
    }

    /// The value.
    #[inline]
    pub fn value(&self, arena: &'a Arena) -> &'a str {
        if self.plain { self.raw } else { arena.alloc_str(&self.normalised()) }
    }

    /// The value: references replaced, white space made blanks (XML 1.0, 3.3.3).
    pub fn normalised(&self) -> Cow<'a, str> {
        if self.plain {
            return Cow::Borrowed(self.raw);
        }
        let mut out = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
            out.push_str(&rest[..at]);
            let after = &rest[at..];
            let taken = match after.as_bytes()[0] {
                b'&' => match reference(after) {
                    Ok((c, length)) => {
                        out.push(c);
                        length
                    }
                    Err(_) => 1,
                },
                b'\r' if after.as_bytes().get(1) == Some(&b'\n') => {
                    out.push(' ');
                    2
                }
                _ => {
                    out.push(' ');
                    1
                }
            };
            rest = &after[taken..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

/// A start tag that was read; its attributes are in the list that was passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'a> {
    pub name: Name<'a>,
    /// Where its `<` stands.
    pub at: usize,
    /// Whether it is the whole element.
    pub empty: bool,
    /// Whether it declares a namespace.
    pub declares: bool,
    /// Whether its name or that of an attribute has a prefix.
    pub prefixed: bool,
}

/// What stands between two tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub raw: &'a str,
    /// Whether references or line ends in it are to be replaced.
    pub plain: bool,
}

impl Run<'_> {
    /// Appends its characters: references replaced, line ends made LF (XML 1.0, 2.11).
    pub fn append(&self, out: &mut String) {
        if self.plain {
            out.push_str(self.raw);
            return;
        }
        let mut rest = self.raw;
        while let Some(at) = rest.find(['&', '\r']) {
            out.push_str(&rest[..at]);
            let after = &rest[at..];
            let taken = match after.as_bytes()[0] {
                b'&' => match reference(after) {
                    Ok((c, length)) => {
                        out.push(c);
                        length
                    }
                    Err(_) => 1,
                },
                _ => {
                    out.push('\n');
                    1 + usize::from(after.as_bytes().get(1) == Some(&b'\n'))
                }
            };
            rest = &after[taken..];
        }
        out.push_str(rest);
    }
}

/// Appends what stands in a CDATA section.
pub(super) fn append_lines(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = rest[at + 1..].strip_prefix('\n').unwrap_or(&rest[at + 1..]);
    }
    out.push_str(rest);
}

/// Reads a text from its beginning on.
pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub bytes: &'a [u8],
    pub at: usize,
    /// Nothing follows behind the text.
    pub whole: bool,
    /// Where the next `&` stands, counted from a place that may lie behind: then it is looked for
    /// again. At first all these are 0: nothing was looked for.
    ampersand: usize,
    /// Where the next `]]>` stands, likewise.
    closing: usize,
    /// Where the next character stands that may stand nowhere, likewise.
    illegal: usize,
    /// Where the next carriage return stands, likewise.
    returns: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, whole: bool) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, whole, ampersand: 0, closing: 0, illegal: 0, returns: 0 }
    }

    /// Goes back to a place that was read before.
    pub fn rewind(&mut self, at: usize) {
        self.at = at;
        (self.ampersand, self.closing, self.illegal, self.returns) = (0, 0, 0, 0);
    }

    fn ampersand_from(&self, at: usize) -> usize {
        memchr(b'&', &self.bytes[at..]).map_or(usize::MAX, |found| at + found)
    }

    /// The byte here; NUL, which stands nowhere in XML, at the end.
    #[inline]
    pub fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// The byte behind this one.
    #[inline]
    pub fn after(&self) -> u8 {
        self.bytes.get(self.at + 1).copied().unwrap_or(0)
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Passes over white space; says whether there was any.
    #[inline]
    pub fn space(&mut self) -> bool {
        let start = self.at;
        while is_space(self.peek()) {
            self.at += 1;
        }
        self.at > start
    }

    /// A name with at most one prefix.
    #[inline]
    pub fn name(&mut self) -> Parsed<Name<'a>> {
        let start = self.at;
        self.part_of_name()?;
        let mut skip = 0;
        if self.peek() == b':' {
            self.at += 1;
            skip = self.at - start;
            self.part_of_name()?;
            if self.peek() == b':' {
                return self.fail("a name has two colons");
            }
        }
        Ok(Name { raw: &self.text[start..self.at], skip })
    }

    #[inline]
    fn part_of_name(&mut self) -> Parsed<()> {
        let first = self.peek();
        if CLASS[usize::from(first)] & START == 0 && !(first >= 0x80 && self.name_char(is_name_start)) {
            return self.fail(match first {
                b':' => "a name begins with a colon",
                _ => "a name must begin with a letter or `_` here",
            });
        }
        loop {
            let byte = self.peek();
            if CLASS[usize::from(byte)] & NAME != 0 {
                self.at += 1;
            } else if byte < 0x80 || !self.name_char(is_name_char) {
                return Ok(());
            }
        }
    }

    /// Passes over a character beyond ASCII, if it may stand here.
    #[cold]
    fn name_char(&mut self, allowed: fn(char) -> bool) -> bool {
        match self.text[self.at..].chars().next() {
            Some(c) if allowed(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    /// A start tag, from its `<` on.
    #[inline]
    pub fn start_tag(&mut self, attributes: &mut Vec<Attribute<'a>>) -> Parsed<Tag<'a>> {
        attributes.clear();
        let at = self.at;
        self.at += 1;
        let name = self.name()?;
        let mut tag = Tag { name, at, empty: false, declares: false, prefixed: name.skip > 0 };
        if self.peek() == b'>' {
            self.at += 1;
            return Ok(tag);
        }
        loop {
            let spaced = self.space();
            match self.peek() {
                b'>' => break,
                b'/' => {
                    self.at += 1;
                    if self.peek() != b'>' {
                        return self.fail("`/` in a tag is followed by `>`");
                    }
                    tag.empty = true;
                    break;
                }
                _ if !spaced => {
                    return self.fail("white space must separate what stands in a tag");
                }
                _ => {
                    let attribute = self.attribute()?;
                    tag.declares |= attribute.declares();
                    tag.prefixed |= attribute.name.skip > 0;
                    attributes.push(attribute);
                }
            }
        }
        self.at += 1;
        if attributes.len() > 1 {
            self.twice(attributes)?;
        }
        Ok(tag)
    }

    #[inline]
    fn attribute(&mut self) -> Parsed<Attribute<'a>> {
        let at = self.at;
        let name = self.name()?;
        self.space();
        if self.peek() != b'=' {
            return self.fail("an attribute has no value: `=` is missing");
        }
        self.at += 1;
        self.space();
        let quote = self.peek();
        if quote != b'"' && quote != b'\'' {
            return self.fail("the value of an attribute stands in quotes");
        }
        self.at += 1;
        let start = self.at;
        let mut plain = true;
        loop {
            let byte = self.peek();
            if CLASS[usize::from(byte)] & VALUE == 0 {
                if byte == 0 && self.at == self.bytes.len() {
                    return self.fail("the value of an attribute is not closed");
                }
                self.at += 1;
                continue;
            }
            match byte {
                found if found == quote => break,
                b'<' => return self.fail("`<` stands in the value of an attribute: write `&lt;`"),
                b'&' => {
                    plain = false;
                    self.reference()?;
                }
                b'"' | b'\'' => self.at += 1,
                _ => {
                    plain = false;
                    self.at += 1;
                }
            }
        }
        self.legal(start, self.at)?;
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(Attribute { name, at, raw, plain })
    }

    /// No attribute may stand twice in a tag. (Two prefixes of one namespace are told apart later.)
    fn twice(&self, attributes: &[Attribute<'a>]) -> Parsed<()> {
        let again = if attributes.len() <= 16 {
            (1..attributes.len()).find(|at| attributes[..*at].iter().any(|a| a.name.raw == attributes[*at].name.raw))
        } else {
            let mut seen = std::collections::HashSet::new();
            attributes.iter().position(|attribute| !seen.insert(attribute.name.raw))
        };
        match again {
            None => Ok(()),
            Some(at) => fault(attributes[at].at, format!("the attribute `{}` stands twice", attributes[at].name.raw)),
        }
    }

    /// An end tag, from its `<` on, that must close the element of that name.
    #[inline]
    pub fn end_tag(&mut self, open: &str) -> Parsed<()> {
        let name = self.at + 2;
        let end = name + open.len();
        if self.bytes.get(name..end) == Some(open.as_bytes()) {
            if self.bytes.get(end) == Some(&b'>') {
                self.at = end + 1;
                return Ok(());
            }
            if self.bytes.get(end).is_none_or(|byte| is_space(*byte)) {
                self.at = end;
                self.space();
                if self.peek() == b'>' {
                    self.at += 1;
                    return Ok(());
                }
                return self.fail("an end tag holds nothing but its name");
            }
        }
        self.wrong_end(open)
    }

    #[cold]
    fn wrong_end(&mut self, open: &str) -> Parsed<()> {
        let at = self.at;
        self.at += 2;
        let found = self.name()?.raw;
        if self.at == self.bytes.len() {
            return self.fail("an end tag is not closed");
        }
        fault(at, format!("`</{found}>` stands where `</{open}>` is due"))
    }

    /// Text up to the next `<`, or to the end.
    #[inline]
    pub fn run(&mut self) -> Parsed<Run<'a>> {
        let start = self.at;
        let end = self.bracket();
        self.at = end;
        if self.closing < end {
            self.closing_in(start, end)?;
        }
        let mut plain = true;
        if self.ampersand < end {
            plain = self.references(start, end)?;
        }
        if self.illegal < end {
            self.legal(start, end)?;
        }
        if self.returns < end {
            plain &= !self.returns_in(start, end);
        }
        Ok(Run { raw: &self.text[start..end], plain })
    }

    /// Where the next `<` stands, or the end: near ones are found without a call.
    #[inline]
    fn bracket(&self) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let mut at = self.at;
        for _ in 0..4 {
            let Some(word) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
            let word = u64::from_le_bytes(*word) ^ (ONES * 0x3C);
            let found = word.wrapping_sub(ONES) & !word & (ONES * 0x80);
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        memchr(b'<', &self.bytes[at..]).map_or(self.bytes.len(), |found| at + found)
    }

    #[cold]
    fn closing_in(&mut self, start: usize, end: usize) -> Parsed<()> {
        if self.closing < start || self.closing == 0 {
            self.closing = memmem::find(&self.bytes[start..], b"]]>").map_or(usize::MAX, |found| start + found);
        }
        match self.closing < end {
            true => fault(self.closing, "`]]>` stands in text: write `]]&gt;`"),
            false => Ok(()),
        }
    }

    #[cold]
    fn returns_in(&mut self, start: usize, end: usize) -> bool {
        if self.returns < start || self.returns == 0 {
            self.returns = memchr(b'\r', &self.bytes[start..]).map_or(usize::MAX, |found| start + found);
        }
        self.returns < end
    }

    /// Checks the references of a run; whether there are none.
    #[cold]
    fn references(&mut self, start: usize, end: usize) -> Parsed<bool> {
        if self.ampersand < start || self.ampersand == 0 {
            self.ampersand = self.ampersand_from(start);
        }
        let plain = self.ampersand >= end;
        while self.ampersand < end {
            self.at = self.ampersand;
            self.reference()?;
            self.ampersand = self.ampersand_from(self.at);
        }
        self.at = end;
        Ok(plain)
    }

    /// Passes over a reference.
    fn reference(&mut self) -> Parsed<()> {
        match reference(&self.text[self.at..]) {
            Ok((_, length)) => {
                self.at += length;
                Ok(())
            }
            Err(None) => {
                let at = self.at;
                self.at = self.bytes.len();
                let mut fault = self.fail::<()>("a reference is not closed: `&` itself is written `&amp;`");
                if let Err(fault) = &mut fault
                    && self.whole
                {
                    fault.at = at;
                }
                fault
            }
            Err(Some(cause)) => fault(self.at, cause),
        }
    }

    /// Checks that a stretch holds no character that may stand nowhere.
    #[inline]
    fn legal(&mut self, start: usize, end: usize) -> Parsed<()> {
        if self.illegal >= end {
            return Ok(());
        }
        self.illegal_in(start, end)
    }

    #[cold]
    fn illegal_in(&mut self, start: usize, end: usize) -> Parsed<()> {
        if self.illegal < start || self.illegal == 0 {
            self.illegal = first_illegal(&self.text[start..]).map_or(usize::MAX, |found| start + found);
        }
        if self.illegal >= end {
            return Ok(());
        }
        let code = self.text[self.illegal..].chars().next().map_or(0, u32::from);
        fault(self.illegal, format!("the character U+{code:04X} stands in no XML document"))
    }

    /// A comment, from its `<` on; what stands in it.
    pub fn comment(&mut self) -> Parsed<&'a str> {
        let start = self.at + 4;
        let Some(found) = memmem::find(self.bytes.get(start..).unwrap_or_default(), b"--") else {
            self.at = self.bytes.len();
            return self.fail("a comment is not closed");
        };
        let end = start + found;
        match self.bytes.get(end + 2) {
            Some(b'>') => {}
            None => {
                self.at = self.bytes.len();
                return self.fail("a comment is not closed");
            }
            Some(_) => return fault(end, "`--` stands inside a comment"),
        }
        self.legal(start, end)?;
        self.at = end + 3;
        Ok(&self.text[start..end])
    }

    /// A CDATA section, from its `<` on; what stands in it.
    pub fn cdata(&mut self) -> Parsed<&'a str> {
        let start = self.at + 9;
        if self.closing < start {
            let rest = self.bytes.get(start..).unwrap_or_default();
            self.closing = memmem::find(rest, b"]]>").map_or(usize::MAX, |found| start + found);
        }
        if self.closing == usize::MAX {
            self.at = self.bytes.len();
            return self.fail("a CDATA section is not closed");
        }
        let end = self.closing;
        self.legal(start, end)?;
        self.at = end + 3;
        Ok(&self.text[start..end])
    }

    /// A processing instruction, from its `<` on: target and data.
    pub fn instruction(&mut self) -> Parsed<(&'a str, &'a str)> {
        let at = self.at;
        self.at += 2;
        let target = self.name()?;
        if target.raw.eq_ignore_ascii_case("xml") && self.at < self.bytes.len() {
            return fault(at, "an XML declaration stands at the very beginning of a document and nowhere else");
        }
        if target.skip > 0 {
            return fault(at, "the target of a processing instruction has a colon");
        }
        let spaced = self.space();
        let start = self.at;
        let Some(found) = memmem::find(&self.bytes[start..], b"?>") else {
            self.at = self.bytes.len();
            return self.fail("a processing instruction is not closed");
        };
        if !spaced && found > 0 {
            return fault(start, "white space must follow the target of a processing instruction");
        }
        self.legal(start, start + found)?;
        self.at = start + found + 2;
        Ok((target.raw, &self.text[start..start + found]))
    }

    /// What stands here, at `<!`, and is neither element nor text.
    pub fn markup(&mut self) -> Parsed<Markup<'a>> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            return self.comment().map(Markup::Comment);
        }
        if rest.starts_with(b"<![CDATA[") {
            return self.cdata().map(Markup::Data);
        }
        if rest.starts_with(b"<!DOCTYPE") {
            let mut fault = self.new_fault(self.at, "a DOCTYPE stands in the document");
            fault.code = &XML_DOCTYPE;
            return Err(fault);
        }
        let begun = |whole: &[u8]| whole.starts_with(rest);
        if begun(b"<!--") || begun(b"<![CDATA[") || begun(b"<!DOCTYPE") {
            self.at = self.bytes.len();
            return self.fail("the text ends inside of what `<!` begins");
        }
        self.fail("`<!` begins neither a comment nor a CDATA section")
    }

    /// A fault here.
    #[cold]
    pub fn fail<T>(&self, cause: &'static str) -> Parsed<T> {
        Err(self.new_fault(self.at, cause))
    }

    fn new_fault(&self, at: usize, cause: impl Into<Cow<'static, str>>) -> Box<Fault> {
        let end = at >= self.bytes.len();
        let cause = if end { "the text ends inside of something that is not closed".into() } else { cause.into() };
        Box::new(Fault { code: &XML_SYNTAX, cause, field: None, at, ended: end && !self.whole })
    }
}

/// What `<!` begins.
pub(super) enum Markup<'a> {
    Comment(&'a str),
    Data(&'a str),
}

/// A fault at a place that more text would not mend.
#[cold]
pub(super) fn fault<T>(at: usize, cause: impl Into<Cow<'static, str>>) -> Parsed<T> {
    Err(Box::new(Fault { code: &XML_SYNTAX, cause: cause.into(), field: None, at, ended: false }))
}

/// The same with another code.
#[cold]
pub(super) fn coded<T>(code: &'static Code, at: usize, cause: impl Into<Cow<'static, str>>) -> Parsed<T> {
    Err(Box::new(Fault { code, cause: cause.into(), field: None, at, ended: false }))
}

/// The character that a reference at the beginning of the text stands for, and the length of the
/// reference. `Err(None)`: it is not closed.
fn reference(text: &str) -> Result<(char, usize), Option<&'static str>> {
    const LONGEST: usize = 64;
    let bytes = text.as_bytes();
    let near = &bytes[..bytes.len().min(LONGEST)];
    let end = near.iter().skip(1).position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'#')).map(|at| at + 1);
    let end = match end {
        Some(end) if bytes[end] == b';' => end,
        None if bytes.len() < LONGEST => return Err(None),
        _ => return Err(Some("a bare `&` stands here, or a reference is not closed: `&` itself is written `&amp;`")),
    };
    let c = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let Some(number) = name.strip_prefix('#') else {
                return Err(Some(
                    "an unknown entity is referred to: there are `lt`, `gt`, `amp`, `quot`, `apos` and no others",
                ));
            };
            let found = match number.strip_prefix('x') {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
                None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok(),
                _ => None,
            };
            match found.and_then(char::from_u32).filter(|c| is_char(*c)) {
                Some(c) => c,
                None => return Err(Some("a character reference names no character that XML allows")),
            }
        }
    };
    Ok((c, end + 1))
}
