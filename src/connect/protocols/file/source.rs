//! Reads files into parts: each file is a slice, cut where its format says that records end.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;

use super::identity::{Identity, Kinship, TAIL_BYTES, Tail, fresh_slice, settled_as};
use super::paths::{Listed, is_pattern, list, regular};
use super::stream::{Coding, Stream};
use crate::config::{Node, Spanned};
use crate::connect::formats::Format;
use crate::connect::{Cut, Framing, Header, PART_BYTES, Part, Source};
use crate::error::codes::connect::{FILE_TRUNCATED, LINE_CONTINUED, NOT_REPEATABLE, RECORD_TOO_LARGE};
use crate::error::{Error, Kind, Result};
use crate::record::{Position, Settled, SliceId};

/// The largest record of any format. Formats have a much smaller limit of their own
/// (`max_record_bytes`); this one only keeps a format without one from taking all memory.
const RECORD_LIMIT: usize = 1 << 30;

/// What a stream's configuration says about its files.
pub(super) struct Wanted {
    pub(super) folder: PathBuf,
    pub(super) path: String,
    pub(super) compression: Compression,
    pub(super) encoding: Option<&'static encoding_rs::Encoding>,
    pub(super) max_inflation: u64,
    pub(super) format: &'static dyn Format,
    pub(super) format_options: Vec<(Spanned<String>, Spanned<Node>)>,
}

/// Whether files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Those whose name ends in `.gz`.
    Auto,
    None,
    Gzip,
}

impl Wanted {
    fn coding(&self, name: &str) -> Coding {
        let gzip = match self.compression {
            Compression::Auto => super::is_gzip_name(name),
            Compression::None => false,
            Compression::Gzip => true,
        };
        Coding { gzip, encoding: self.encoding, max_inflation: self.max_inflation }
    }
}

/// The files of a stream, one after the other.
pub(super) struct FileSource {
    wanted: Wanted,
    settled: Vec<(SliceId, Settled)>,
    only: Option<(SliceId, Position)>,
    /// The files still to be read, with their sizes when the run began; `None` before the first look.
    files: Option<VecDeque<(Listed, u64)>>,
    reading: Option<Slice>,
    sequence: u64,
    pending: Option<Error>,
    skipped: Vec<String>,
    notes: Vec<String>,
    /// Whether the slice of `only` was found.
    found_only: bool,
}

impl FileSource {
    pub(super) fn new(wanted: Wanted, settled: Vec<(SliceId, Settled)>, only: Option<(SliceId, Position)>) -> Self {
        Self {
            wanted,
            settled,
            only,
            files: None,
            reading: None,
            sequence: 0,
            pending: None,
            skipped: Vec::new(),
            notes: Vec::new(),
            found_only: false,
        }
    }

    /// Looks which files there are: this fixes the upper bound of the run.
    fn look(&mut self) -> Result<VecDeque<(Listed, u64)>> {
        if self.wanted.path == "-" {
            let path = PathBuf::from("-");
            return Ok(VecDeque::from([(Listed { name: "-".into(), path }, 0)]));
        }
        let listed = list(&self.wanted.folder, &self.wanted.path)?;
        if listed.is_empty() && is_pattern(&self.wanted.path) {
            let (pattern, folder) = (&self.wanted.path, self.wanted.folder.display());
            self.notes.push(format!("no file matches `{pattern}` in `{folder}`"));
        }
        listed
            .into_iter()
            .map(|file| {
                let size = regular(&file.path, &file.name)?.len();
                Ok((file, size))
            })
            .collect()
    }

    /// Opens the next file that has something to read.
    fn start(&mut self, file: Listed, size: u64) -> Result<Option<Slice>> {
        if file.name == "-" {
            return self.start_stdin().map(Some);
        }
        let name: Arc<str> = file.name.as_str().into();
        let failed = |e| Error::io(format!("reading `{}`", file.name), e);
        // Looked at again: opening what became a pipe meanwhile would wait for ever.
        regular(&file.path, &file.name)?;
        let opened = File::open(&file.path).map_err(failed)?;
        let length = opened.metadata().map_err(failed)?.len();
        let bound = size.min(length);
        let now = Identity::of(&opened, &file.name, bound).map_err(failed)?;
        let coding = self.wanted.coding(&file.name);
        let framing = self.wanted.format.framing(&self.wanted.format_options)?;
        let Some(start) = self.judge(&now, &opened, coding, framing.can_grow())? else { return Ok(None) };
        let (id, resume) = match &self.only {
            None => start,
            Some((only, position)) => {
                let known = Identity::in_position(position);
                let kinship = match &known {
                    Some(known) => now.kinship(known, &opened).map_err(failed)?,
                    None => Kinship::Other,
                };
                if kinship != Kinship::Same {
                    return Ok(None);
                }
                self.found_only = true;
                let settled = self.settled.iter().find(|(slice, _)| slice == only).map(|(_, at)| at.position.clone());
                (only.clone(), settled)
            }
        };
        let slice = Slice {
            id,
            name: name.clone(),
            path: Some(file.path),
            coding,
            grows: length > bound && framing.can_grow(),
            stream: Stream::new(
                opened.try_clone().map_err(failed)?,
                &name,
                Some(bound),
                coding,
                length > bound && framing.can_grow(),
            ),
            framing,
            file: Some(opened),
            bound,
            header: Arc::default(),
            buffer: Vec::new(),
            at: Position::default(),
            tail: Tail::default(),
            extra: serde_json::to_value(&now).unwrap_or_default(),
            until: self.only.as_ref().map(|(_, position)| position.clone()),
            broken: None,
            state: State::Unopened { resume },
        };
        Ok(Some(slice))
    }

    fn start_stdin(&mut self) -> Result<Slice> {
        if self.only.is_some() {
            return Err(Error::new(
                Kind::Partial,
                &NOT_REPEATABLE,
                "what came from standard input cannot be read again",
            )
            .hint("compare the target, then settle the doubt with `consign sync state set`"));
        }
        let file = std::io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .map_err(|e| Error::io("reading standard input", e))?;
        let coding = self.wanted.coding("-");
        let name: Arc<str> = "standard input".into();
        Ok(Slice {
            id: fresh_slice("stdin", &self.settled),
            name: name.clone(),
            path: None,
            coding,
            grows: false,
            framing: self.wanted.format.framing(&self.wanted.format_options)?,
            stream: Stream::new(file, &name, None, coding, false),
            file: None,
            bound: 0,
            header: Arc::default(),
            buffer: Vec::new(),
            at: Position::default(),
            tail: Tail::default(),
            extra: Json::Null,
            until: None,
            broken: None,
            state: State::Unopened { resume: None },
        })
    }

    /// What is to be done with a file: its slice and where to resume; `None` if there is nothing.
    fn judge(
        &mut self,
        now: &Identity,
        file: &File,
        coding: Coding,
        can_grow: bool,
    ) -> Result<Option<(SliceId, Option<Position>)>> {
        let failed = |e| Error::io(format!("reading `{}`", now.path), e);
        let Some((slice, at, known, kinship)) = settled_as(now, file, &self.settled).map_err(failed)? else {
            if self.settled.iter().any(|(_, at)| path_of(&at.position) == Some(&now.path)) {
                self.notes.push(format!("`{}` was replaced by another file: it is read from its beginning", now.path));
            }
            return Ok(Some((fresh_slice(&now.slice(), &self.settled), None)));
        };
        if self.only.is_some() {
            return Ok(Some((slice.clone(), None)));
        }
        let anew = |note: String, notes: &mut Vec<String>| {
            notes.push(note);
            Ok(Some((fresh_slice(slice.split('~').next().unwrap_or_default(), &self.settled), None)))
        };
        let changed = now.size != known.size;
        if changed && !can_grow {
            let note = format!("`{}` changed, and its format cannot be continued: it is read anew", now.path);
            return anew(note, &mut self.notes);
        }
        let settled_bytes = if coding.is_plain() { at.position.byte } else { known.size };
        if kinship == Kinship::Cut || now.size < settled_bytes {
            return Err(Error::new(
                Kind::Failed,
                &FILE_TRUNCATED,
                format!("`{}` became shorter than what was read of it", now.path),
            )
            .doing(format!("reading `{}`", now.path))
            .fact("bytes now", now.size)
            .fact("bytes settled", settled_bytes)
            .hint("restore the file, or read it from its beginning with `--full`"));
        }
        if coding.is_plain() && !tail_before(file, at.position.byte).map_err(failed)?.fits(&at.position) {
            let note = format!("`{}` was rewritten in place: it is read from its beginning", now.path);
            return anew(note, &mut self.notes);
        }
        if at.done && !changed && (coding.is_plain() || now.modified == known.modified) {
            self.skipped.push(now.path.clone());
            return Ok(None);
        }
        Ok(Some((slice.clone(), Some(at.position.clone()))))
    }
}

impl Source for FileSource {
    fn next(&mut self) -> Result<Option<Part>> {
        if let Some(error) = self.pending.take() {
            self.files = Some(VecDeque::new());
            return Err(error);
        }
        loop {
            if let Some(slice) = &mut self.reading {
                let mut after = Aftermath::default();
                let part = slice.next(self.sequence, &mut after)?;
                self.notes.append(&mut after.notes);
                self.pending = after.error;
                if part.as_ref().is_none_or(|part| part.last_of_slice) || self.pending.is_some() {
                    self.reading = None;
                }
                if let Some(part) = part {
                    self.sequence += 1;
                    return Ok(Some(part));
                }
                if let Some(error) = self.pending.take() {
                    self.files = Some(VecDeque::new());
                    return Err(error);
                }
            }
            let mut files = match self.files.take() {
                Some(files) => files,
                None => self.look()?,
            };
            let next = files.pop_front();
            self.files = Some(files);
            let Some((file, size)) = next else { break };
            if self.found_only {
                continue;
            }
            self.reading = self.start(file, size)?;
        }
        match &self.only {
            Some((_, position)) if !self.found_only => Err(Error::new(
                Kind::Partial,
                &NOT_REPEATABLE,
                "the file of the group in doubt is gone or was replaced",
            )
            .fact("file", path_of(position).unwrap_or("unknown"))
            .hint("bring the file back, or settle the doubt with `consign sync state set`")),
            _ => Ok(None),
        }
    }

    fn notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        match self.skipped.as_slice() {
            [] => {}
            [only] => notes.push(format!("`{only}` was skipped: it was read to its end before and is unchanged")),
            [first, .., last] => notes.push(format!(
                "{} files were skipped (`{first}` to `{last}`): they were read to their ends before and are unchanged",
                self.skipped.len()
            )),
        }
        self.skipped.clear();
        notes
    }
}

/// What is left to say after a part was cut.
#[derive(Default)]
struct Aftermath {
    notes: Vec<String>,
    error: Option<Error>,
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

/// One file while it is read.
struct Slice {
    id: SliceId,
    name: Arc<str>,
    path: Option<PathBuf>,
    coding: Coding,
    /// More is known to stand behind the bound: the last line may not be whole.
    grows: bool,
    framing: Box<dyn Framing>,
    stream: Stream,
    /// For a look at what became of it; `None` for standard input.
    file: Option<File>,
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
    fn next(&mut self, sequence: u64, after: &mut Aftermath) -> Result<Option<Part>> {
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
                        if let Err(error) = self.look_back(&mut after.notes) {
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
            Err(error) => (true, Some(error)),
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
                    self.broken = Some(error);
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
        match &self.file {
            Some(file) if self.coding.is_plain() => {
                let failed = |e| Error::io(format!("reading `{}`", self.name), e);
                self.tail = tail_before(file, position.byte).map_err(failed)?;
                let mut again = file.try_clone().map_err(failed)?;
                std::io::Seek::seek(&mut again, std::io::SeekFrom::Start(position.byte)).map_err(failed)?;
                let left = self.bound.saturating_sub(position.byte);
                self.stream = Stream::new(again, &self.name, Some(left), self.coding, self.grows);
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
    fn look_back(&self, notes: &mut Vec<String>) -> Result<()> {
        let (Some(file), Some(path)) = (&self.file, &self.path) else { return Ok(()) };
        let failed = |e| Error::io(format!("reading `{}`", self.name), e);
        let held = file.metadata().map_err(failed)?;
        if held.len() < self.bound {
            return Err(Error::new(Kind::Failed, &FILE_TRUNCATED, "the file became shorter while it was read")
                .doing(format!("reading `{}`", self.name))
                .fact("bytes when the run began", self.bound)
                .fact("bytes now", held.len())
                .hint("what was read before is kept; let the writer finish the file, then run again"));
        }
        match std::fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => {}
            Ok(_) => notes.push(format!(
                "`{}` was replaced while it was read: the file that was open was read to its end, the new one is next run's",
                self.name
            )),
            Err(_) => notes.push(format!("`{}` was moved or removed while it was read; it was read to its end", self.name)),
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

fn path_of(position: &Position) -> Option<&str> {
    position.extra.get("path").and_then(Json::as_str)
}

/// The bytes before a point of a plain file.
fn tail_before(file: &File, end: u64) -> std::io::Result<Tail> {
    let mut bytes = vec![0; end.min(TAIL_BYTES as u64) as usize];
    file.read_exact_at(&mut bytes, end - end.min(TAIL_BYTES as u64))?;
    let mut tail = Tail::default();
    tail.push(&bytes);
    Ok(tail)
}
