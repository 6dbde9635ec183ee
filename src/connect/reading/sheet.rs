//! One page: from the bytes of an answer to records that a decoder reads. What needs no look inside goes
//! through as it came; only records that are filtered or shaped are built and written anew, as JSON.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use serde_json::Value as Json;

use super::desk::{Desk, Vars, shown};
use super::families;
use super::joined::joined;
use super::skim::{self, Unfit};
use crate::config::{Node, Spanned, Text};
use crate::connect::formats::{self, Format};
use crate::connect::pack::given::node;
use crate::connect::pack::read::{BodyFormat, Read, Shape};
use crate::connect::web::Answer;
use crate::connect::{Cut, Decoder, Framing, Header, Part, RecordError, Rows};
use crate::error::codes::connect::ANSWER_UNREADABLE;
use crate::error::{Error, Kind, Place, Result};
use crate::record::path::Step;
use crate::record::{Arena, Path, Position, Projection, Row, Type};

/// How the records of a stream come to the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON values with commas between them.
    Elements,
    /// JSON values with line ends between them.
    Lines,
    /// Another format, as it came.
    AsIs,
}

/// A page of records.
#[derive(Debug)]
pub(super) struct Sheet {
    body: Bytes,
    records: Vec<Range<usize>>,
    /// What holds all records and nothing else.
    span: Option<Range<usize>>,
    form: Form,
    /// How many elements the answer had, before any was left out.
    pub came: u64,
    /// The answer as templates see it, the records left out.
    pub answer: Json,
    /// The last element, as it came.
    pub last: Json,
    /// What the decoder needs beside the records.
    pub header: Arc<Header>,
    /// What is to be acknowledged of all that came, once it is settled.
    pub owed: Vec<Json>,
}

/// In which form the records of a stream reach the workers: decided once for all of its pages.
pub(super) fn form(read: &Read, gone: bool) -> Form {
    let looked_at = read.nest.is_some()
        || read.keep.is_some()
        || read.shape.is_some()
        || gone
        || read.deletes.as_ref().is_some_and(|deletes| deletes.when.is_some());
    match read.format {
        BodyFormat::Json => Form::Elements,
        BodyFormat::Ndjson if !looked_at => Form::Lines,
        BodyFormat::Csv | BodyFormat::Xml if !looked_at && read.cursor.as_ref().is_none_or(|c| c.field.is_none()) => {
            Form::AsIs
        }
        BodyFormat::Ndjson | BodyFormat::Csv | BodyFormat::Xml => Form::Elements,
    }
}

/// The same for what is read here: whom others are read for is needed as trees.
pub(super) fn form_at(desk: &Desk) -> Form {
    match form(desk.read, desk.gone) {
        Form::AsIs if desk.trees => Form::Elements,
        form => form,
    }
}

/// The decoder of one worker for that form.
pub(in crate::connect) fn decoder(read: &Read, gone: bool) -> Result<Box<dyn Decoder>> {
    let (name, options) = match form(read, gone) {
        Form::Elements => ("json", Vec::new()),
        Form::Lines => ("ndjson", Vec::new()),
        Form::AsIs => (read.format.name(), options(read)),
    };
    format(name)?.decoder(&options)
}

impl Sheet {
    /// Nothing.
    pub fn empty(answer: &Answer, form: Form) -> Self {
        Self {
            body: Bytes::new(),
            records: Vec::new(),
            span: None,
            form,
            came: 0,
            answer: super::desk::shown_whole(answer),
            last: Json::Null,
            header: Arc::default(),
            owed: Vec::new(),
        }
    }

    /// Finds the records of an answer, and makes them what the pack says. `body`: of the answer, whose own is not
    /// looked at. `further`: bodies with further fields of its records.
    ///
    /// # Errors
    /// If the answer is not what the pack says it is.
    pub fn new(desk: &Desk, answer: &Answer, body: Bytes, further: &[Bytes], vars: &Vars) -> Result<Self> {
        let read = desk.read;
        let form = form_at(desk);
        let body = match body.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) => body.slice_ref(rest),
            None => body,
        };
        let sheet = match read.format {
            BodyFormat::Json => Self::of_json(desk, answer, body)?.with(desk, answer, further)?,
            BodyFormat::Ndjson => Self::of_lines(answer, body, form),
            BodyFormat::Csv | BodyFormat::Xml => Self::of_format(desk, answer, body, form)?,
        };
        sheet.made(desk, vars)
    }

    /// The same for a piece of an answer by lines: whole records. The answer is its head alone.
    ///
    /// # Errors
    /// If the records are not what the pack says they are.
    pub fn of_piece(desk: &Desk, head: &Answer, bytes: Vec<u8>, header: Arc<Header>, vars: &Vars) -> Result<Self> {
        let form = form_at(desk);
        let sheet = match desk.read.format {
            BodyFormat::Csv if bytes.is_empty() => Self { answer: shown(head, Json::Null), ..Self::empty(head, form) },
            BodyFormat::Csv => Self::of_rows(desk, head, bytes, header, form)?,
            _ => Self::of_lines(head, Bytes::from(bytes), form),
        };
        sheet.made(desk, vars)
    }

    /// Counted, and with records as the pack wants them.
    fn made(mut self, desk: &Desk, vars: &Vars) -> Result<Self> {
        self.came = self.records.len() as u64;
        if let Some(last) = self.records.last() {
            self.last = serde_json::from_slice(&self.body[last.clone()]).unwrap_or(Json::Null);
        }
        if let Some(element) = desk.read.acknowledge.as_ref().and_then(|spec| spec.element.as_ref()) {
            let mut vars = Vars { answer: self.answer.clone(), ..vars.clone() };
            for range in &self.records {
                // The decoder says what is wrong with one that is no JSON; it goes as the others do.
                vars.record = serde_json::from_slice(&self.body[range.clone()]).unwrap_or(Json::Null);
                self.owed.push(desk.tree(element, &vars)?);
            }
        }
        if let Some(nest) = &desk.read.nest {
            let lines = self.records.iter().map(|range| &self.body[range.clone()]);
            let trees = families::joined(desk, nest, lines)?;
            self.put(trees.into_iter().map(|tree| tree.to_string().into_bytes()).collect());
        }
        self.look_at(desk, vars)?;
        Ok(self)
    }

    fn of_json(desk: &Desk, answer: &Answer, body: Bytes) -> Result<Self> {
        let broken = |unfit: Unfit| {
            unreadable(desk, answer, unfit.cause).fact("byte", unfit.at.min(body.len())).fact("bytes", body.len())
        };
        let skimmed = skim::skim(&body, &desk.read.records).map_err(broken)?;
        let around: Json = serde_json::from_slice(&skimmed.around)
            .map_err(|error| unreadable(desk, answer, &format!("around the records it is no JSON: {error}")))?;
        if !skimmed.present && !desk.read.absent_is_empty && !desk.read.records.is_empty() {
            let paths: Vec<String> = desk.read.records.iter().map(ToString::to_string).collect();
            let error = unreadable(desk, answer, &format!("nothing stands at `{}`", paths.join("`, `")));
            return Err(error.hint("if that means that there are no records, the pack says `absent: empty`"));
        }
        Ok(Self {
            body,
            records: skimmed.records,
            span: skimmed.span,
            form: Form::Elements,
            came: 0,
            answer: shown(answer, around),
            last: Json::Null,
            header: Arc::default(),
            owed: Vec::new(),
        })
    }

    /// With further fields of its records.
    fn with(mut self, desk: &Desk, answer: &Answer, further: &[Bytes]) -> Result<Self> {
        let Some(cut) = desk.read.cut.as_ref().filter(|_| !further.is_empty()) else { return Ok(self) };
        let own: &[Path] = &desk.read.records;
        let paths = cut.rest.as_ref().map_or(own, |(_, paths)| paths.as_slice());
        let others = further.iter().map(|body| trees(desk, answer, body, paths)).collect::<Result<_>>()?;
        let first = (0..self.len()).map(|at| tree(desk, answer, self.record(at))).collect::<Result<_>>()?;
        let whole = joined(desk, cut, first, others)?;
        self.put(whole.into_iter().map(|record| record.to_string().into_bytes()).collect());
        Ok(self)
    }

    fn of_lines(answer: &Answer, body: Bytes, form: Form) -> Self {
        let mut records = Vec::new();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &body).chain(std::iter::once(body.len())) {
            let line = body[start..end].trim_ascii();
            if !line.is_empty() {
                let offset = start + body[start..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                records.push(offset..offset + line.len());
            }
            start = end + 1;
        }
        Self {
            span: Some(0..body.len()).filter(|_| form == Form::Lines),
            body,
            records,
            form,
            came: 0,
            answer: shown(answer, Json::Null),
            last: Json::Null,
            header: Arc::default(),
            owed: Vec::new(),
        }
    }

    /// CSV and XML: as they are, or each record as JSON.
    fn of_format(desk: &Desk, answer: &Answer, body: Bytes, form: Form) -> Result<Self> {
        let mut framing = framing(desk.read)?;
        let wrong = |error: Error| error.doing(format!("reading an answer for `{}`", desk.stream.name));
        let mut made = Self { answer: shown(answer, Json::Null), ..Self::empty(answer, form) };
        if desk.read.format == BodyFormat::Xml {
            // What stands around the records is not read as a tree: patterns find what pages go on with.
            made.answer["text"] = Json::String(String::from_utf8_lossy(&body).into_owned());
        }
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(made);
        }
        let Some(opening) = framing.open(&body, true).map_err(wrong)? else { return Ok(made) };
        let rest = body.slice(opening.bytes..);
        let end = match framing.cut(&rest, true).map_err(wrong)? {
            Cut::More => 0,
            Cut::At { bytes, .. } | Cut::End { bytes, .. } => bytes,
        };
        let rows = Self::of_rows(desk, answer, rest[..end].to_vec(), Arc::new(opening.header), form)?;
        Ok(Self { answer: made.answer, ..rows })
    }

    /// Whole records of a format.
    fn of_rows(desk: &Desk, answer: &Answer, bytes: Vec<u8>, header: Arc<Header>, form: Form) -> Result<Self> {
        let mut made = Self { answer: shown(answer, Json::Null), ..Self::empty(answer, form) };
        let part = Part {
            sequence: 0,
            slice: "".into(),
            name: "".into(),
            header: Arc::clone(&header),
            bytes,
            start: Position::default(),
            end: Position::default(),
            last_of_slice: false,
        };
        let mut gather = Gather { raw: form == Form::AsIs, ..Gather::default() };
        let arena = Arena::new();
        let mut projection = Projection::default();
        projection.slot(&Path::default(), Type::Dyn);
        let decoder = format(desk.read.format.name())?.decoder(&options(desk.read));
        decoder?.decode(&part, &projection, &arena, &mut gather)?;
        if let Some(cause) = gather.bad {
            return Err(unreadable(desk, answer, &cause));
        }
        if form == Form::AsIs {
            made.records = gather.ranges;
            made.body = Bytes::from(part.bytes);
            made.span = Some(0..made.body.len());
            made.header = header;
        } else {
            made.put(gather.made);
        }
        Ok(made)
    }

    /// Takes records that were written anew, as JSON.
    fn put(&mut self, made: Vec<Vec<u8>>) {
        let mut bytes = Vec::with_capacity(made.iter().map(|record| record.len() + 1).sum());
        self.records.clear();
        for record in made {
            if !bytes.is_empty() {
                bytes.push(b',');
            }
            let start = bytes.len();
            bytes.extend_from_slice(&record);
            self.records.push(start..bytes.len());
        }
        self.span = Some(0..bytes.len());
        self.body = Bytes::from(bytes);
        self.form = Form::Elements;
    }

    /// Leaves out and shapes records as the pack says.
    fn look_at(&mut self, desk: &Desk, vars: &Vars) -> Result<()> {
        let read = desk.read;
        let deletes = read.deletes.as_ref();
        let gone_among = deletes.and_then(|deletes| deletes.when.as_ref());
        if read.keep.is_none() && read.shape.is_none() && gone_among.is_none() && !desk.gone {
            return Ok(());
        }
        let mut vars = Vars { answer: self.answer.clone(), ..vars.clone() };
        let mut made = Vec::with_capacity(self.records.len());
        let mut left_out = 0_u64;
        for range in &self.records {
            let Ok(record) = serde_json::from_slice::<Json>(&self.body[range.clone()]) else {
                // The decoder says what is wrong with it.
                made.push(self.body[range.clone()].to_vec());
                continue;
            };
            vars.record = record;
            let gone = gone_among.map(|when| desk.holds(when, &vars)).transpose()?.unwrap_or(false);
            if gone != desk.gone {
                left_out += u64::from(gone);
                continue;
            }
            if let Some(keep) = &read.keep
                && !desk.holds(keep, &vars)?
            {
                continue;
            }
            let shape =
                if gone { deletes.and_then(|d| d.shape.as_ref()).or(read.shape.as_ref()) } else { read.shape.as_ref() };
            made.extend(shaped(desk, shape, &vars)?);
        }
        if let Some(path) = deletes.and_then(|deletes| deletes.records.as_ref()) {
            let mut others = Vec::new();
            below(&self.answer["body"], &path.0, &mut others);
            let shape = deletes.and_then(|d| d.shape.as_ref());
            for record in others.into_iter().filter(|_| desk.gone) {
                vars.record = record.clone();
                made.extend(shaped(desk, shape, &vars)?);
                self.came += 1;
            }
        }
        if left_out > 0 {
            desk.note(format!(
                "records of `{}` that are gone came and were left out: a route in mode `delete` reads them",
                desk.stream.name
            ));
        }
        self.put(made);
        Ok(())
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The bytes of a record.
    pub fn record(&self, at: usize) -> &[u8] {
        self.records.get(at).and_then(|range| self.body.get(range.clone())).unwrap_or_default()
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// A hash of all records, by which an equal page is known.
    pub fn print(&self) -> blake3::Hash {
        match &self.span {
            Some(span) => blake3::hash(&self.body[span.clone()]),
            None => {
                let mut hasher = blake3::Hasher::new();
                self.records.iter().for_each(|range| {
                    hasher.update(&self.body[range.clone()]);
                });
                hasher.finalize()
            }
        }
    }

    /// Leaves out all of its records: they were handed out before.
    pub fn pass_over(&mut self) {
        self.records.clear();
        self.span = None;
    }

    /// The records that are picked (all of them, if nothing was), as a part has them.
    pub fn into_part(self, picked: Option<&[bool]>) -> (Vec<u8>, u64) {
        let all = picked.is_none_or(|picked| picked.iter().all(|picked| *picked));
        let count = picked.map_or(self.records.len(), |picked| picked.iter().filter(|picked| **picked).count()) as u64;
        if let (true, Some(span)) = (all, self.span) {
            // Nobody else has the body any more: then it is not copied, only moved to its front.
            let mut body = self.body;
            body.truncate(span.end);
            body.advance(span.start);
            return (Vec::from(body), count);
        }
        let separator = if self.form == Form::Elements { b',' } else { b'\n' };
        let mut bytes = Vec::new();
        for (at, range) in self.records.iter().enumerate() {
            if picked.is_none_or(|picked| picked.get(at).copied().unwrap_or(true)) {
                if !bytes.is_empty() {
                    bytes.push(separator);
                }
                bytes.extend_from_slice(&self.body[range.clone()]);
            }
        }
        (bytes, count)
    }
}

/// The records of a body, as trees.
///
/// # Errors
/// If it is not what the pack says it is.
pub(super) fn trees(desk: &Desk, answer: &Answer, body: &Bytes, paths: &[Path]) -> Result<Vec<Json>> {
    let skimmed = skim::skim(body, paths).map_err(|unfit| unreadable(desk, answer, unfit.cause))?;
    skimmed.records.into_iter().map(|range| tree(desk, answer, &body[range])).collect()
}

fn tree(desk: &Desk, answer: &Answer, record: &[u8]) -> Result<Json> {
    serde_json::from_slice(record).map_err(|_| unreadable(desk, answer, "a record is no JSON"))
}

/// A record as the pack shapes it; none if it is taken from where nothing stands.
fn shaped(desk: &Desk, shape: Option<&'static Shape>, vars: &Vars) -> Result<Option<Vec<u8>>> {
    let mut record = vars.record.clone();
    if let Some(shape) = shape {
        if let Some(path) = &shape.take {
            let mut taken = Vec::new();
            below(&record, &path.0, &mut taken);
            let Some(inner) = taken.into_iter().next().cloned() else { return Ok(None) };
            record = inner;
        }
        for path in &shape.lift {
            let mut lifted = Vec::new();
            below(&record, &path.0, &mut lifted);
            let lifted: Vec<_> =
                lifted.into_iter().filter_map(Json::as_object).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
            if let (Json::Object(fields), [Step::Key(name)]) = (&mut record, path.0.as_slice()) {
                fields.shift_remove(name);
            }
            if let Json::Object(fields) = &mut record {
                for (name, value) in lifted {
                    fields.entry(name).or_insert(value);
                }
            }
        }
        // An element that is no map becomes the record that `add` makes of it.
        if shape.add.is_some() && !record.is_object() {
            record = Json::Object(serde_json::Map::new());
        }
        if let (Some(add), Json::Object(fields)) = (&shape.add, &mut record)
            && let Json::Object(added) = desk.tree(add, vars)?
        {
            fields.extend(added);
        }
        if let Json::Object(fields) = &mut record {
            shape.drop.iter().for_each(|name| {
                fields.shift_remove(name);
            });
        }
    }
    Ok(Some(record.to_string().into_bytes()))
}

/// Every value at a path, lists followed element by element.
pub(super) fn below<'j>(value: &'j Json, steps: &[Step], out: &mut Vec<&'j Json>) {
    match steps {
        [] => match value {
            Json::Array(items) => out.extend(items),
            Json::Null => {}
            one => out.push(one),
        },
        [Step::Key(name), rest @ ..] => {
            if let Some(inner) = value.get(name) {
                below(inner, rest, out);
            }
        }
        [Step::Index(at), rest @ ..] => {
            if let Some(inner) = usize::try_from(*at).ok().and_then(|at| value.get(at)) {
                below(inner, rest, out);
            }
        }
        [Step::Each, rest @ ..] => value.as_array().into_iter().flatten().for_each(|item| below(item, rest, out)),
    }
}

#[derive(Default)]
struct Gather {
    raw: bool,
    ranges: Vec<Range<usize>>,
    made: Vec<Vec<u8>>,
    bad: Option<String>,
}

impl<'a> Rows<'a> for Gather {
    fn row(&mut self, row: Row<'a>) -> bool {
        if self.raw {
            // Only how many they are is asked: the part goes on as a whole.
            self.ranges.push(0..0);
        } else if let Some(record) = row.slots.first().and_then(crate::connect::pack::template::to_json) {
            self.made.push(record.to_string().into_bytes());
        }
        true
    }

    fn bad(&mut self, error: RecordError) -> bool {
        match self.raw {
            true => self.ranges.push(0..0),
            false => self.bad = Some(error.cause),
        }
        self.raw
    }
}

/// Where records of an answer end.
///
/// # Errors
/// If the format's options contradict each other.
pub(super) fn framing(read: &Read) -> Result<Box<dyn Framing>> {
    format(read.format.name())?.framing(&options(read))
}

fn format(name: &str) -> Result<&'static dyn Format> {
    formats::named(name).ok_or_else(|| Error::bug(format!("format `{name}` is not listed")))
}

fn options(read: &Read) -> Vec<(Spanned<String>, Spanned<Node>)> {
    let nowhere = || Place { file: String::new(), line: 1, column: 1, width: 1, source: String::new() };
    let spanned = |text: &str| Spanned { value: text.to_owned(), place: nowhere() };
    let mut made: Vec<_> = read
        .format_options
        .iter()
        .map(|(name, value)| (spanned(name), Spanned { value: node(value, &nowhere()), place: nowhere() }))
        .collect();
    if let (BodyFormat::Xml, Some(path)) = (read.format, read.records.first()) {
        let names =
            path.0.iter().filter_map(|step| if let Step::Key(name) = step { Some(name.as_str()) } else { None });
        let node = Node::Text(Text::literal(names.collect::<Vec<_>>().join("/")));
        made.push((spanned("records"), Spanned { value: node, place: nowhere() }));
    }
    made
}

/// An error that an answer is not what it should be; without any of it.
fn unreadable(desk: &Desk, answer: &Answer, cause: &str) -> Error {
    let kind = answer.header("content-type").unwrap_or("none").to_owned();
    Error::new(
        Kind::Failed,
        &ANSWER_UNREADABLE,
        format!("an answer for `{}` cannot be read: {cause}", desk.stream.name),
    )
    .fact("status", answer.status)
    .fact("content type", kind)
}
