//! From target values to elements. What can be said once is said once: tags are made beforehand, names
//! of maps are checked as they come.

use super::chars::{is_char, is_ncname};
use super::names::Names;
use super::plan::{COMMENT, CONTENT, INSTRUCTION, NAME, TEXT};
use crate::connect::formats::{base64, double, integer};
use crate::connect::{EncodeError, Encoder};
use crate::error::codes::formats::{FORMAT_ENCODE, FORMAT_OPTIONS};
use crate::error::{Error, Kind, Result};
use crate::record::path::Step;
use crate::record::{Column, Value};

/// How null is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    /// An empty element with `xsi:nil`.
    Nil,
    /// Not at all.
    Omit,
    /// An empty element or attribute.
    Empty,
}

/// How elements are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub pretty: bool,
    /// Elements around the records.
    pub depth: usize,
}

/// Encoder of one worker.
pub(super) struct XmlEncoder {
    names: Names,
    nulls: Nulls,
    layout: Layout,
    root: Element,
}

/// An element that columns fill.
#[derive(Debug, Default)]
struct Element {
    /// Its name, and for messages nothing else.
    name: String,
    /// `@name` columns.
    attributes: Vec<(String, usize)>,
    /// The column of its own value or text.
    value: Option<usize>,
    children: Vec<Element>,
}

type Written<T> = std::result::Result<T, Wrong>;

/// The column, and what its value is that has no form in XML.
type Wrong = (usize, std::borrow::Cow<'static, str>);

impl XmlEncoder {
    /// An encoder of `record` elements with these columns.
    ///
    /// # Errors
    /// If a path has an index or a name that XML does not have, or two columns have one place.
    pub fn new(names: Names, record: &str, columns: &[Column], nulls: Nulls, layout: Layout) -> Result<Self> {
        let mut root = Element { name: record.to_owned(), ..Element::default() };
        for (index, column) in columns.iter().enumerate() {
            let fail = |what: String| {
                Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("the target column `{}` {what}", column.path))
            };
            let mut here = &mut root;
            for (at, step) in column.path.0.iter().enumerate() {
                let Step::Key(key) = step else { return Err(fail("is not a path of names".into())) };
                let last = at + 1 == column.path.0.len();
                if let Some(attribute) = key.strip_prefix('@') {
                    if !last {
                        return Err(fail("goes on behind an attribute".into()));
                    }
                    let wanted =
                        names.wanted(attribute, true).map_err(|cause| fail(format!("has no name in XML: {cause}")))?;
                    if names.uri_of(&wanted).is_some() && names.prefix_of(&wanted).is_empty() {
                        return Err(fail("is an attribute in a namespace without a prefix".into()));
                    }
                    if here.attributes.iter().any(|(known, _)| known == attribute) {
                        return Err(fail("stands twice".into()));
                    }
                    here.attributes.push((attribute.to_owned(), index));
                    break;
                }
                if key == TEXT || key == CONTENT {
                    if !last || here.value.replace(index).is_some() {
                        return Err(fail("stands twice, or goes on behind a text".into()));
                    }
                    break;
                }
                let written =
                    written_name(&names, key).map_err(|cause| fail(format!("has no name in XML: {cause}")))?;
                let place = match here.children.iter().position(|child| child.name == written) {
                    Some(place) => place,
                    None => {
                        here.children.push(Element { name: written, ..Element::default() });
                        here.children.len() - 1
                    }
                };
                here = &mut here.children[place];
                if last && here.value.replace(index).is_some() {
                    return Err(fail("stands twice".into()));
                }
            }
            if column.path.0.is_empty() {
                return Err(fail("is the whole record: name an element".into()));
            }
        }
        if let Some(index) = mingled(&root) {
            let path = &columns[index].path;
            return Err(Error::new(
                Kind::Invalid,
                &FORMAT_OPTIONS,
                format!("the target column `{path}` is text, and other columns put elements beside it"),
            ));
        }
        Ok(Self { names, nulls, layout, root })
    }

    /// Writes an element that columns fill; says whether it is there. One of nothing but missing values is
    /// missing itself; a record is there in any case.
    fn element(&self, element: &Element, values: &[Value<'_>], depth: usize, out: &mut Vec<u8>) -> Written<bool> {
        let value = |index: usize| values.get(index).copied().unwrap_or_default();
        let record = depth == self.layout.depth;
        if let (true, false, Some(index)) = (element.attributes.is_empty(), record, element.value) {
            return self.value(&element.name, &value(index), depth, out).map_err(|cause| (index, cause));
        }
        let begin = out.len();
        self.open(&element.name, depth, out);
        let bare = out.len();
        for (name, index) in &element.attributes {
            self.attribute(name, &value(*index), out).map_err(|cause| (*index, cause))?;
        }
        let mut there = record || out.len() > bare;
        match element.value.map(|index| (index, value(index))) {
            Some((_, Value::Null)) if self.nulls == Nulls::Nil => {
                there = true;
                out.extend_from_slice(b" xsi:nil=\"true\"/>");
            }
            Some((_, found @ (Value::Missing | Value::Null))) => {
                there |= matches!(found, Value::Null) && self.nulls == Nulls::Empty;
                out.extend_from_slice(b"/>");
            }
            Some((index, found)) => {
                there = true;
                out.push(b'>');
                match found {
                    Value::List(items) => self.mixed(items, out).map_err(|cause| (index, cause))?,
                    Value::Map(_) | Value::Dict(_) => {
                        return Err((index, "is a map, and columns stand beside it in its element".into()));
                    }
                    found => scalar(&found, false, out).map_err(|cause| (index, cause.into()))?,
                }
                self.end(&element.name, out);
            }
            None => {
                out.push(b'>');
                let inner = out.len();
                for child in &element.children {
                    self.element(child, values, depth + 1, out)?;
                }
                if out.len() == inner {
                    out.pop();
                    out.extend_from_slice(b"/>");
                } else {
                    there = true;
                    self.line(depth, out);
                    self.end(&element.name, out);
                }
            }
        }
        if !there {
            out.truncate(begin);
        }
        Ok(there)
    }

    /// Writes an element with this value; a list is one element for each item.
    fn value(
        &self,
        name: &str,
        value: &Value<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> std::result::Result<bool, std::borrow::Cow<'static, str>> {
        match value {
            Value::Missing => return Ok(false),
            Value::Null if self.nulls == Nulls::Omit => return Ok(false),
            Value::List(items) if items.iter().any(is_content) => {
                self.open(name, depth, out);
                out.push(b'>');
                self.mixed(items, out)?;
                self.end(name, out);
            }
            Value::List(items) => {
                for item in *items {
                    if matches!(item, Value::List(_)) {
                        return Err("is a list in a list".into());
                    }
                    let item = if item.is_missing() { &Value::Null } else { item };
                    self.value(name, item, depth, out)?;
                }
                return Ok(!items.is_empty());
            }
            Value::Null => {
                self.open(name, depth, out);
                out.extend_from_slice(if self.nulls == Nulls::Nil { b" xsi:nil=\"true\"/>" } else { b"/>" });
            }
            Value::Map(entries) => self.map(name, entries, depth, out)?,
            Value::Dict(_) => return Err("is a map with a key that is not text".into()),
            Value::String("") => {
                self.open(name, depth, out);
                out.extend_from_slice(b"/>");
            }
            scalar => {
                self.open(name, depth, out);
                out.push(b'>');
                self::scalar(scalar, false, out)?;
                self.end(name, out);
            }
        }
        Ok(true)
    }

    fn map(
        &self,
        name: &str,
        entries: &[(&str, Value<'_>)],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), std::borrow::Cow<'static, str>> {
        self.open(name, depth, out);
        let mut inside = None;
        let mut children = 0;
        for (key, value) in entries {
            match *key {
                TEXT | CONTENT if !value.is_missing() => inside = Some(value),
                key => match key.strip_prefix('@') {
                    Some(attribute) => {
                        self.check_attribute(attribute)?;
                        self.attribute(attribute, value, out)?;
                    }
                    None => children += usize::from(!value.is_missing()),
                },
            }
        }
        match inside {
            Some(_) if children > 0 => return Err(format!("has both `{TEXT}` and elements").into()),
            Some(Value::Null) if self.nulls == Nulls::Nil => out.extend_from_slice(b" xsi:nil=\"true\"/>"),
            Some(Value::List(items)) => {
                out.push(b'>');
                self.mixed(items, out)?;
                self.end(name, out);
            }
            Some(Value::Map(_) | Value::Dict(_)) => return Err(format!("has a map as `{TEXT}`").into()),
            Some(Value::Null | Value::String("")) => out.extend_from_slice(b"/>"),
            Some(found) => {
                out.push(b'>');
                scalar(found, false, out)?;
                self.end(name, out);
            }
            None if children == 0 => out.extend_from_slice(b"/>"),
            None => {
                out.push(b'>');
                let inner = out.len();
                for (key, value) in entries.iter().filter(|(key, _)| !key.starts_with('@')) {
                    let child = written_name(&self.names, key)?;
                    self.value(&child, value, depth + 1, out)?;
                }
                if out.len() > inner {
                    self.line(depth, out);
                }
                self.end(name, out);
            }
        }
        Ok(())
    }

    /// Mixed content, as it was: no line is added.
    fn mixed(&self, items: &[Value<'_>], out: &mut Vec<u8>) -> std::result::Result<(), std::borrow::Cow<'static, str>> {
        for item in items {
            let Value::Map(entries) = item else {
                if matches!(item, Value::List(_) | Value::Dict(_)) {
                    return Err("is no mixed content: a list stands in it".into());
                }
                scalar(item, false, out)?;
                continue;
            };
            let text = |key: &str| match item.get(key) {
                Value::String(text) => Some(text),
                _ => None,
            };
            if let Some(comment) = text(COMMENT) {
                if comment.contains("--") || comment.ends_with('-') || !comment.chars().all(is_char) {
                    return Err("has a comment with `--` in it".into());
                }
                out.extend_from_slice(b"<!--");
                out.extend_from_slice(comment.as_bytes());
                out.extend_from_slice(b"-->");
            } else if let Some(target) = text(INSTRUCTION) {
                let data = text(TEXT).unwrap_or_default();
                let good = is_ncname(target) && !target.eq_ignore_ascii_case("xml") && !data.contains("?>");
                if !good || !data.chars().all(is_char) {
                    return Err("has a processing instruction that XML does not allow".into());
                }
                out.extend_from_slice(format!("<?{target} {data}?>").as_bytes());
            } else if let Some(name) = text(NAME) {
                let name = written_name(&self.names, name)?;
                out.push(b'<');
                out.extend_from_slice(name.as_bytes());
                for (key, value) in *entries {
                    if let Some(attribute) = key.strip_prefix('@') {
                        self.check_attribute(attribute)?;
                        self.attribute(attribute, value, out)?;
                    }
                }
                match item.get(CONTENT) {
                    Value::List([]) | Value::Missing => out.extend_from_slice(b"/>"),
                    Value::List(inner) => {
                        out.push(b'>');
                        self.mixed(inner, out)?;
                        self.end(&name, out);
                    }
                    _ => return Err(format!("has a `{CONTENT}` that is no list").into()),
                }
            } else {
                return Err(format!("is no mixed content: a map without `{NAME}` stands in it").into());
            }
        }
        Ok(())
    }

    fn check_attribute(&self, name: &str) -> std::result::Result<(), std::borrow::Cow<'static, str>> {
        let wanted = self.names.wanted(name, true)?;
        match self.names.uri_of(&wanted).is_some() && self.names.prefix_of(&wanted).is_empty() {
            true => Err("has an attribute in a namespace without a prefix".into()),
            false => Ok(()),
        }
    }

    fn attribute(
        &self,
        name: &str,
        value: &Value<'_>,
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), std::borrow::Cow<'static, str>> {
        match (value, self.nulls) {
            (Value::Missing, _) | (Value::Null, Nulls::Omit) => return Ok(()),
            (Value::Null, Nulls::Nil) => {
                return Err("is null, which an attribute cannot be: `nulls: omit` leaves it out".into());
            }
            _ => {}
        }
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"=\"");
        if !value.is_absent() {
            scalar(value, true, out)?;
        }
        out.push(b'"');
        Ok(())
    }

    /// Begins a start tag. The line of a record is begun by what stands between records.
    fn open(&self, name: &str, depth: usize, out: &mut Vec<u8>) {
        if depth > self.layout.depth {
            self.line(depth, out);
        }
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
    }

    fn end(&self, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }

    /// Begins a line, where elements have lines of their own.
    fn line(&self, depth: usize, out: &mut Vec<u8>) {
        if self.layout.pretty {
            out.push(b'\n');
            out.resize(out.len() + 2 * depth, b' ');
        }
    }
}

impl Encoder for XmlEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> std::result::Result<(), EncodeError> {
        let start = out.len();
        match self.element(&self.root, values, self.layout.depth, out) {
            Ok(_) => Ok(()),
            Err((column, cause)) => {
                out.truncate(start);
                Err(EncodeError { code: &FORMAT_ENCODE, column, cause: format!("the value {cause}") })
            }
        }
    }
}

/// The column of an element that has both text and children.
fn mingled(element: &Element) -> Option<usize> {
    match (element.value, element.children.is_empty()) {
        (Some(index), false) => Some(index),
        _ => element.children.iter().find_map(mingled),
    }
}

/// Whether an item of a list can only be one of mixed content.
fn is_content(item: &Value<'_>) -> bool {
    matches!(item, Value::Map(entries) if entries.iter().any(|(key, _)| matches!(*key, NAME | COMMENT | INSTRUCTION)))
}

/// An element's name as it is written: with the prefix that its namespace is declared with.
pub(super) fn written_name(names: &Names, name: &str) -> std::result::Result<String, String> {
    let wanted = names.wanted(name, false)?;
    if names.prefix_of(&wanted).is_empty() {
        if name.starts_with('{') && names.uri_of(&wanted).is_some() {
            return Err(format!("the namespace of `{name}` is not declared: add it to `namespaces`"));
        }
        return Ok(wanted.local);
    }
    Ok(format!("{}:{}", names.prefix_of(&wanted), wanted.local))
}

/// Appends a scalar as text.
fn scalar(value: &Value<'_>, attribute: bool, out: &mut Vec<u8>) -> std::result::Result<(), &'static str> {
    match value {
        Value::String(found) => return text(found, attribute, out),
        Value::Decimal(number) => number.write(out),
        Value::Number(number) => out.extend_from_slice(number.as_bytes()),
        Value::Int(number) => integer(number.unsigned_abs(), *number < 0, out),
        Value::Uint(number) => integer(*number, false, out),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Double(number) if number.is_finite() => double(*number, out),
        Value::Double(_) => return Err("is not a finite number"),
        Value::Timestamp(moment) => moment.write(out),
        Value::Date(date) => date.write(out),
        Value::Duration(span) => span.write(out),
        Value::Bytes(bytes) => base64(bytes, out),
        Value::Missing | Value::Null => {}
        Value::List(_) => return Err("is a list, which an attribute or a text cannot be"),
        Value::Map(_) | Value::Dict(_) => return Err("is a map, which an attribute or a text cannot be"),
    }
    Ok(())
}

/// What a byte needs: 0 nothing, 1 everywhere, 2 in attributes, 3 cannot be written, 4 perhaps so.
static ESCAPES: [u8; 256] = escapes();

const fn escapes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 32 {
        table[byte] = 3;
        byte += 1;
    }
    table[b'\t' as usize] = 2;
    table[b'\n' as usize] = 2;
    table[b'\r' as usize] = 1;
    table[b'<' as usize] = 1;
    table[b'&' as usize] = 1;
    table[b'>' as usize] = 1;
    table[b'"' as usize] = 2;
    table[0xEF] = 4;
    table
}

/// Appends text, escaped.
pub(super) fn text(text: &str, attribute: bool, out: &mut Vec<u8>) -> std::result::Result<(), &'static str> {
    let bytes = text.as_bytes();
    out.reserve(bytes.len());
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let need = ESCAPES[usize::from(*byte)];
        if need == 0 || (need == 2 && !attribute) {
            continue;
        }
        if need == 4 {
            if matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) {
                return Err("holds a character that XML does not allow (U+FFFE or U+FFFF)");
            }
            continue;
        }
        let escaped: &[u8] = match byte {
            b'<' => b"&lt;",
            b'&' => b"&amp;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\r' => b"&#13;",
            b'\n' => b"&#10;",
            b'\t' => b"&#9;",
            _ => return Err("holds a control character that XML does not allow"),
        };
        out.extend_from_slice(&bytes[from..at]);
        out.extend_from_slice(escaped);
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    Ok(())
}
