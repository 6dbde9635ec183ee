//! One file while it is read: its decoded bytes, cut where the format says that records end.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;

use super::identity::{TAIL_BYTES, Tail};
use super::place::{Input, Opened, Place};
use super::stream::{Coding, Stream};
use crate::connect::{Cut, Framing, Header, PART_BYTES, Part};
use crate::error::codes::connect::{FILE_TRUNCATED, LINE_CONTINUED, RECORD_TOO_LARGE};
use crate::error::{Error, Kind, Result};
use crate::record::{Position, SliceId};

/// The largest record of any format. Formats have a much smaller limit of their own
/// (`max_record_bytes`); this one only keeps a format without one from taking all memory.
const RECORD_LIMIT: usize = 1 << 30;

/// What is left to say after a part was cut.
#[derive(Default)]
pub struct Aftermath {
    /// What became of the file.
    pub notes: Vec<String>,
    /// What ends the reading behind the part.
    pub error: Option<Error>,
}

enum State {
    /// The beginning was not read yet.
    Unopened {
        resume: Option<Position>,
    },
    Reading,
    /// The last part was handed out.
    Done,
}

/// What a slice begins with.
pub struct Begin {
    /// The slice.
    pub id: SliceId,
    /// The file, as a person names it.
    pub name: Arc<str>,
    /// How its bytes are decoded.
    pub coding: Coding,
    /// Where its records end.
    pub framing: Box<dyn Framing>,
    /// The identity, for each position.
    pub extra: Json,
    /// Ends exactly here (a group that is read again).
    pub until: Option<Position>,
    /// Where to resume.
    pub resume: Option<Position>,
}

/// One file while it is read.
pub struct Slice {
    id: SliceId,
    name: Arc<str>,
    path: PathBuf,
    coding: Coding,
    /// More is known to stand behind the bound: the last line may not be whole.
    grows: bool,
    framing: Box<dyn Framing>,
    stream: Stream,
    /// For a look at what became of it; `None` for a pipe.
    file: Option<Box<dyn Opened>>,
    bound: u64,
    header: Arc<Header>,
    /// Bytes of the stream from `at` on.
    buffer: Vec<u8>,
    at: Position,
    tail: Tail,
    /// The identity, for each position.
    extra: Json,
    /// Ends exactly here (a group that is read again).
    until: Option<Position>,
    /// What broke the stream while its beginning was looked for.
    broken: Option<Error>,
    state: State,
}

impl Slice {
    /// An open file up to a bound, beyond which it may have grown.
    ///
    /// # Errors
    /// If reading cannot begin.
    pub fn of_file(begin: Begin, path: PathBuf, mut file: Box<dyn Opened>, bound: u64, length: u64) -> Result<Self> {
        let grows = length > bound && begin.framing.can_grow();
        let input = file.input(0, bound).map_err(|e| e.doing(format!("reading `{}`", begin.name)))?;
        let stream = Stream::new(input, &begin.name, Some(bound), begin.coding, grows)?;
        Ok(Self { path, grows, file: Some(file), bound, ..Self::begun(begin, stream) })
    }

    /// A member of an archive of this length, which is open, with the range of its bytes there.
    ///
    /// # Errors
    /// As for [`Slice::of_file`]; a member that would become too large.
    pub fn of_member(
        begin: Begin,
        path: PathBuf,
        mut archive: Box<dyn Opened>,
        (from, to): (u64, u64),
        length: u64,
    ) -> Result<Self> {
        let doing = |e: Error| e.doing(format!("reading `{}`", begin.name));
        let input = archive.input(from, to).map_err(doing)?;
        let stream = Stream::new(input, &begin.name, Some(to - from), begin.coding, false).map_err(doing)?;
        Ok(Self { path, file: Some(archive), bound: length, ..Self::begun(begin, stream) })
    }

    /// Bytes that come once.
    ///
    /// # Errors
    /// If there is no memory to decompress them.
    pub fn of_pipe(begin: Begin, input: Box<dyn Input>) -> Result<Self> {
        let stream = Stream::new(input, &begin.name, None, begin.coding, false)?;
        Ok(Self::begun(begin, stream))
    }

    fn begun(begin: Begin, stream: Stream) -> Self {
        Self {
            id: begin.id,
            name: begin.name,
            path: PathBuf::new(),
            coding: begin.coding,
            grows: false,
            framing: begin.framing,
            stream,
            file: None,
            bound: 0,
            header: Arc::default(),
            buffer: Vec::new(),
            at: Position::default(),
            tail: Tail::default(),
            extra: begin.extra,
            until: begin.until,
            broken: None,
            state: State::Unopened { resume: begin.resume },
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// What ends the reading when there is no part before it.
    pub fn next(
        &mut self,
        sequence: u64,
        place: Option<&mut Box<dyn Place>>,
        after: &mut Aftermath,
    ) -> Result<Option<Part>> {
        if let State::Unopened { resume } = &mut self.state {
            let resume = resume.take();
            self.state = State::Reading;
            let doing = format!("reading `{}`", self.name);
            self.open(resume).map_err(|e| e.doing(doing))?;
        }
        if matches!(self.state, State::Done) {
            return Ok(None);
        }
        let mut target = PART_BYTES;
        loop {
            let (ended, error) = self.fill(target);
            let cut = match self.cut(ended, error.is_none()) {
                Ok(cut) => cut,
                Err(error) => return Err(error.doing(format!("reading `{}`", self.name))),
            };
            match cut {
                Piece::More if error.is_some() => {
                    after.error = error;
                    return Ok(None);
                }
                Piece::More if self.buffer.len() >= RECORD_LIMIT => {
                    return Err(Error::new(
                        Kind::Failed,
                        &RECORD_TOO_LARGE,
                        format!("a record is larger than {} bytes", RECORD_LIMIT),
                    )
                    .doing(format!("reading `{}`", self.name))
                    .fact("line", self.at.line + 1)
                    .fact("byte offset", self.at.byte)
                    .hint("often a quote is left open there"));
                }
                Piece::More => target = larger(self.buffer.len()),
                Piece::Part { bytes, lines, last, error: cut_error } => {
                    after.error = error.or(cut_error.map(|e| e.doing(format!("reading `{}`", self.name))));
                    let last = last && after.error.is_none();
                    if last {
                        self.state = State::Done;
                        if let Err(error) = self.look_back(place, &mut after.notes) {
                            // Cut while it was read: what is whole was handed out, the end is not the end.
                            after.error = Some(error);
                        }
                    }
                    return Ok(Some(self.part(sequence, bytes, lines, last && after.error.is_none())));
                }
            }
        }
    }

    /// Reads up to so many bytes; returns whether the stream (or what was asked of it) ended and
    /// what broke it.
    fn fill(&mut self, target: usize) -> (bool, Option<Error>) {
        let left = self.until.as_ref().map(|until| until.byte.saturating_sub(self.at.byte) as usize);
        let target = left.map_or(target, |left| left.min(target));
        if let Some(error) = self.broken.take() {
            return (true, Some(error));
        }
        match self.stream.fill(&mut self.buffer, target) {
            Ok(ended) => {
                // A read takes what it gets; what lies behind the point asked for is not handed out.
                if let Some(left) = left {
                    self.buffer.truncate(left);
                }
                (ended || left.is_some_and(|left| self.buffer.len() >= left), None)
            }
            Err(error) => (true, Some(error.doing(format!("reading `{}`", self.name)))),
        }
    }

    /// Where to cut what is in the buffer.
    fn cut(&mut self, ended: bool, whole: bool) -> Result<Piece> {
        let first = self.framing.cut(&self.buffer, false)?;
        if !ended {
            return Ok(match first {
                Cut::More => Piece::More,
                Cut::At { bytes, lines } => Piece::Part { bytes, lines, last: false, error: None },
                Cut::End { bytes, lines } => Piece::Part { bytes, lines, last: true, error: None },
            });
        }
        if let Some(until) = &self.until {
            // This point was settled as an end of records: the framing need not be asked.
            let missing = until.byte.saturating_sub(self.at.byte) > self.buffer.len() as u64;
            if whole && missing {
                return Err(Error::new(Kind::Failed, &FILE_TRUNCATED, "the file ends before the group in doubt does"));
            }
            if whole {
                let lines = until.line.saturating_sub(self.at.line);
                return Ok(Piece::Part { bytes: self.buffer.len(), lines, last: true, error: None });
            }
        }
        // At the end: what is whole first, so that a broken end does not take it along.
        let (bytes, lines) = match first {
            Cut::More => (0, 0),
            Cut::At { bytes, lines } => (bytes, lines),
            Cut::End { bytes, lines } => return Ok(Piece::Part { bytes, lines, last: true, error: None }),
        };
        if !whole {
            return Ok(if bytes == 0 { Piece::More } else { Piece::Part { bytes, lines, last: false, error: None } });
        }
        if self.grows {
            return Ok(Piece::Part { bytes, lines, last: true, error: None });
        }
        match self.framing.cut(&self.buffer[bytes..], true) {
            Ok(Cut::At { bytes: more, lines: further } | Cut::End { bytes: more, lines: further }) => {
                Ok(Piece::Part { bytes: bytes + more, lines: lines + further, last: true, error: None })
            }
            Ok(Cut::More) => Ok(Piece::Part { bytes, lines, last: true, error: None }),
            Err(error) if bytes == 0 => Err(error),
            Err(error) => Ok(Piece::Part { bytes, lines, last: false, error: Some(error) }),
        }
    }

    /// Takes the part off the buffer.
    fn part(&mut self, sequence: u64, bytes: usize, lines: u64, last: bool) -> Part {
        let (start, header) = (self.position(), self.header.clone());
        self.look_around();
        let rest = match self.buffer.get(bytes..) {
            Some(rest) if !rest.is_empty() && !last => {
                let more = self.stream.likely(PART_BYTES.saturating_sub(rest.len()));
                let mut carried = Vec::with_capacity(rest.len() + more);
                carried.extend_from_slice(rest);
                carried
            }
            _ => Vec::new(),
        };
        let mut taken = std::mem::replace(&mut self.buffer, rest);
        taken.truncate(bytes);
        self.tail.push(&taken);
        self.at.byte += bytes as u64;
        self.at.line += lines;
        Part {
            sequence,
            slice: self.id.clone(),
            name: self.name.clone(),
            header,
            bytes: taken,
            start,
            end: self.position(),
            last_of_slice: last,
        }
    }

    fn position(&self) -> Position {
        let mut extra = self.extra.clone();
        if let Json::Object(fields) = &mut extra {
            fields.insert("tail_hash".into(), Json::String(self.tail.hash()));
            if self.framing.context().is_some() {
                fields.insert("context".into(), self.header.columns.as_slice().into());
            }
        }
        Position { extra, ..self.at.clone() }
    }

    /// Takes over what the framing says of the stream before the point it stands at.
    fn look_around(&mut self) {
        if let Some(context) = self.framing.context()
            && context != self.header.columns
        {
            self.header = Arc::new(Header { columns: context.to_vec() });
        }
    }

    /// Reads the beginning, and goes to where reading resumes.
    fn open(&mut self, resume: Option<Position>) -> Result<()> {
        let mut target = PART_BYTES;
        let opening = loop {
            // The opening may lie before the point a group ends at: no bound here.
            let ended = match self.stream.fill(&mut self.buffer, target) {
                Ok(ended) => ended,
                Err(error) => {
                    // What is whole before the fault is handed out first.
                    self.broken = Some(error.doing(format!("reading `{}`", self.name)));
                    false
                }
            };
            if let Some(opening) = self.framing.open(&self.buffer, ended)? {
                break opening;
            }
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            if ended {
                return Err(Error::bug("a format found no beginning in a whole file"));
            }
            if self.buffer.len() >= RECORD_LIMIT {
                return Err(Error::new(
                    Kind::Failed,
                    &RECORD_TOO_LARGE,
                    format!("no record begins within {} bytes", RECORD_LIMIT),
                ));
            }
            target = larger(target);
        };
        self.header = Arc::new(opening.header);
        match resume.filter(|position| position.byte > 0) {
            Some(position) => self.resume(position),
            None => {
                self.tail.push(&self.buffer[..opening.bytes]);
                self.buffer.drain(..opening.bytes);
                self.at = Position { byte: opening.bytes as u64, line: opening.lines, ..Position::default() };
                Ok(())
            }
        }
    }

    fn resume(&mut self, position: Position) -> Result<()> {
        self.framing.resume(&position);
        self.look_around();
        self.at = Position { extra: Json::Null, ..position.clone() };
        match &mut self.file {
            Some(file) if self.coding.is_plain() => {
                let failed = |e: Error| e.doing(format!("reading `{}`", self.name));
                self.tail = tail_before(&mut **file, position.byte).map_err(failed)?;
                let input = file.input(position.byte, self.bound.max(position.byte)).map_err(failed)?;
                let left = self.bound.saturating_sub(position.byte);
                self.stream = Stream::new(input, &self.name, Some(left), self.coding, self.grows)?;
                self.buffer.clear();
            }
            _ => self.skip(&position)?,
        }
        self.finish_line(&position)
    }

    /// Decodes up to the settled point and drops it: a decoded stream has no short way there.
    fn skip(&mut self, position: &Position) -> Result<()> {
        let mut left = position.byte;
        loop {
            let taken = (self.buffer.len() as u64).min(left) as usize;
            self.tail.push(&self.buffer[..taken]);
            self.buffer.drain(..taken);
            left -= taken as u64;
            if left == 0 {
                break;
            }
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            if self.stream.fill(&mut self.buffer, PART_BYTES)? && self.buffer.is_empty() {
                return Err(Error::new(
                    Kind::Failed,
                    &FILE_TRUNCATED,
                    "the file became shorter than what was read of it",
                )
                .fact("decoded bytes now", position.byte - left)
                .fact("decoded bytes settled", position.byte)
                .hint("restore the file, or read it from its beginning with `--full`"));
            }
        }
        if self.tail.fits(position) {
            return Ok(());
        }
        Err(Error::new(Kind::Failed, &FILE_TRUNCATED, "what was read of the file before is no longer what it holds")
            .fact("decoded bytes settled", position.byte)
            .hint("the file was rewritten in place: read it from its beginning with `--full`"))
    }

    /// A last line may have been read without its line end: then the end is all that may follow.
    fn finish_line(&mut self, position: &Position) -> Result<()> {
        if !self.framing.can_grow() || matches!(self.tail.last(), None | Some(b'\n' | b'\r')) {
            return Ok(());
        }
        self.stream.fill(&mut self.buffer, 2)?;
        let end = match self.buffer.as_slice() {
            [] => return Ok(()),
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => {
                return Err(Error::new(
                    Kind::Failed,
                    &LINE_CONTINUED,
                    "the file was continued in the middle of a line that was already read",
                )
                .fact("line", position.line + 1)
                .fact("byte offset", position.byte)
                .hint("let the writer end each line, and read the file from its beginning with `--full`"));
            }
        };
        self.tail.push(&self.buffer[..end]);
        self.buffer.drain(..end);
        self.at.byte += end as u64;
        self.at.line += 1;
        Ok(())
    }

    /// What became of the file while it was read.
    fn look_back(&mut self, place: Option<&mut Box<dyn Place>>, notes: &mut Vec<String>) -> Result<()> {
        let (Some(file), Some(place)) = (&mut self.file, place) else { return Ok(()) };
        let failed = |e: Error| e.doing(format!("reading `{}`", self.name));
        let named = place.about(&self.path).map_err(failed)?;
        let held = file.about().map_err(failed)?;
        if held.length < self.bound {
            return Err(Error::new(Kind::Failed, &FILE_TRUNCATED, "the file became shorter while it was read")
                .doing(format!("reading `{}`", self.name))
                .fact("bytes when the run began", self.bound)
                .fact("bytes now", held.length)
                .hint("what was read before is kept; let the writer finish the file, then run again"));
        }
        match named {
            Some(named) if named.is_same(&held) => {}
            // Without inodes a file that just grew looks like another one.
            Some(named) if named.object.is_none() && named.length <= held.length && named.modified <= held.modified => {}
            Some(_) => notes.push(format!(
                "`{}` was replaced while it was read: the file that was open was read to its end, the new one is next run's",
                self.name
            )),
            None => notes.push(format!("`{}` was moved or removed while it was read; it was read to its end", self.name)),
        }
        Ok(())
    }
}

/// The next size of a buffer that holds no whole record: twice, later half as much again, so
/// that the limit of the format is not overshot by much.
fn larger(size: usize) -> usize {
    let step = if size < 8 * PART_BYTES { size.max(PART_BYTES) } else { size / 2 };
    (size + step).min(RECORD_LIMIT)
}

enum Piece {
    More,
    Part { bytes: usize, lines: u64, last: bool, error: Option<Error> },
}

/// The bytes before a point of a plain file.
pub fn tail_before(file: &mut dyn Opened, end: u64) -> Result<Tail> {
    let mut bytes = vec![0; end.min(TAIL_BYTES as u64) as usize];
    file.read_exact_at(&mut bytes, end - end.min(TAIL_BYTES as u64))?;
    let mut tail = Tail::default();
    tail.push(&bytes);
    Ok(tail)
}
