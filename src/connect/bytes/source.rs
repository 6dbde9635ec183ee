//! The files of a stream, one after the other: which there are, what is new in each since it was
//! settled, and which group in doubt is read again.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::archive::Member;
use super::compression::{Compression, Packed};
use super::identity::{Identity, Kinship, fresh_slice, settled_as};
use super::members::{Archive, Verdict};
use super::paths::{Listed, is_pattern, list, regular};
use super::place::{About, Input, Opened, Place};
use super::slice::{Aftermath, Begin, Slice, tail_before};
use super::stream::{Coding, Stream};
use crate::config::{Node, Spanned};
use crate::connect::formats::Format;
use crate::connect::{Part, Source};
use crate::error::codes::connect::{FILE_TRUNCATED, NOT_REPEATABLE};
use crate::error::{Error, Kind, Result};
use crate::record::{Position, Settled, SliceId};

/// How much of a file's beginning tells its encoding.
const HEAD_BYTES: usize = 512;

/// What a stream's configuration says about its files.
pub struct Wanted {
    /// Where relative paths count from.
    pub folder: PathBuf,
    /// The path or pattern.
    pub path: String,
    /// How they are compressed.
    pub compression: Compression,
    /// `None`: UTF-8.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Whether a file may say itself in which encoding it is.
    pub told: bool,
    /// Which members of an archive.
    pub member: String,
    /// How many times its size a compressed file may become.
    pub max_inflation: u64,
    /// What is in them.
    pub format: &'static dyn Format,
    /// The format's options.
    pub format_options: Vec<(Spanned<String>, Spanned<Node>)>,
    /// Files that were modified less than this ago are left for the next run.
    pub settle_time: Option<Duration>,
    /// Endings of names under which files are uploaded: a pattern does not find them.
    pub unfinished: Vec<String>,
}

impl Wanted {
    fn coding(&self, name: &str) -> Coding {
        let packing = self.compression.packing(name).map(Packed::File);
        Coding { packing, encoding: self.encoding, max_inflation: self.max_inflation }
    }
}

/// Where the bytes come from.
enum Origin {
    Place(Box<dyn Place>),
    /// A pipe: it is read once.
    Pipe {
        name: &'static str,
        slice: &'static str,
        input: Option<Box<dyn Input>>,
    },
}

/// The files of a stream, one after the other.
pub struct ByteSource {
    wanted: Wanted,
    origin: Origin,
    settled: Vec<(SliceId, Settled)>,
    only: Option<(SliceId, Position)>,
    /// The files still to be read, with their sizes when the run began; `None` before the first look.
    files: Option<VecDeque<(Listed, u64)>>,
    /// The archive whose members are read.
    archive: Option<Archive>,
    reading: Option<Slice>,
    sequence: u64,
    pending: Option<Error>,
    skipped: Vec<String>,
    notes: Vec<String>,
    /// Whether the slice of `only` was found.
    found_only: bool,
}

impl ByteSource {
    /// Reads the files of a place.
    pub fn new(
        wanted: Wanted,
        place: Box<dyn Place>,
        settled: Vec<(SliceId, Settled)>,
        only: Option<(SliceId, Position)>,
    ) -> Self {
        Self::of(Origin::Place(place), wanted, settled, only)
    }

    /// Reads what can be read once. `name` is for people, `slice` for positions.
    pub fn once(
        wanted: Wanted,
        (name, slice): (&'static str, &'static str),
        input: Box<dyn Input>,
        settled: Vec<(SliceId, Settled)>,
        only: Option<(SliceId, Position)>,
    ) -> Self {
        Self::of(Origin::Pipe { name, slice, input: Some(input) }, wanted, settled, only)
    }

    fn of(origin: Origin, wanted: Wanted, settled: Vec<(SliceId, Settled)>, only: Option<(SliceId, Position)>) -> Self {
        Self {
            wanted,
            origin,
            settled,
            only,
            files: None,
            archive: None,
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
        let Origin::Place(place) = &mut self.origin else { return Ok(VecDeque::new()) };
        let place = &mut **place;
        let by_pattern = is_pattern(&self.wanted.path);
        let listed = list(place, &self.wanted.folder, &self.wanted.path)?;
        if listed.is_empty() && by_pattern {
            let (pattern, folder) = (&self.wanted.path, self.wanted.folder.display());
            self.notes.push(format!("no file matches `{pattern}` in `{folder}`"));
        }
        let mut files = VecDeque::with_capacity(listed.len());
        let (mut young, mut unfinished) = (Vec::new(), Vec::new());
        // A group in doubt is read again whatever its file looks like now.
        let picks = self.only.is_none();
        for mut file in listed {
            if picks && by_pattern && self.wanted.unfinished.iter().any(|ending| file.name.ends_with(ending.as_str())) {
                unfinished.push(file.name);
                continue;
            }
            let about = match file.about {
                Some(about) if about.what == super::What::File => about,
                _ => regular(place, &file.path, &file.name)?,
            };
            if picks && is_young(&about, self.wanted.settle_time) {
                young.push(file.name);
                continue;
            }
            file.about = Some(about);
            files.push_back((file, about.length));
        }
        let mut left = |names: &[String], why: &str| match names {
            [] => {}
            [one] => self.notes.push(format!("`{one}` is left for a later run: {why}")),
            [first, .., last] => self
                .notes
                .push(format!("{} files (`{first}` to `{last}`) are left for a later run: {why}", names.len())),
        };
        left(&young, "modified within the stream's `settle_time`");
        left(&unfinished, "their names say that they are being uploaded (`unfinished`)");
        Ok(files)
    }

    /// Opens the next file that has something to read.
    fn start(&mut self, file: Listed, size: u64) -> Result<Option<Slice>> {
        let Origin::Place(place) = &mut self.origin else { return Ok(None) };
        let doing = || format!("reading `{}`", file.name);
        let is_archive = self.wanted.compression.is_archive(&file.name);
        if !is_archive && self.only.is_none() && is_known(&file, &self.settled) {
            self.skipped.push(file.name);
            return Ok(None);
        }
        // Looked at again: opening what became a pipe meanwhile would wait for ever.
        regular(&mut **place, &file.path, &file.name)?;
        if is_archive {
            let archive = Archive::open(&mut **place, file, &self.wanted.member, &self.settled)?;
            if archive.is_empty() {
                let (name, pattern) = (&archive.file.name, &self.wanted.member);
                self.notes.push(format!("no member of `{name}` matches `{pattern}`"));
            }
            self.archive = Some(archive);
            return Ok(None);
        }
        let mut opened = place.open(&file.path).map_err(|e| e.doing(doing()))?;
        let length = opened.about().map_err(|e| e.doing(doing()))?.length;
        let bound = size.min(length);
        let now = Identity::of(&mut *opened, &file.name, bound).map_err(|e| e.doing(doing()))?;
        let mut coding = self.wanted.coding(&file.name);
        if let Some(encoding) = self.told(&mut *opened, (0, bound), &file.name, coding).map_err(|e| e.doing(doing()))? {
            coding.encoding = encoding;
        }
        let framing = self.wanted.format.framing(&self.wanted.format_options)?;
        let Some(start) = self.judge(&now, &mut *opened, coding, framing.can_grow())? else { return Ok(None) };
        let (id, resume) = match &self.only {
            None => start,
            Some((only, position)) => {
                let known = Identity::in_position(position);
                let kinship = match &known {
                    Some(known) => now.kinship(known, &mut *opened).map_err(|e| e.doing(doing()))?,
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
        let begin = Begin {
            id,
            name: file.name.as_str().into(),
            coding,
            framing,
            extra: serde_json::to_value(&now).unwrap_or_default(),
            until: self.only.as_ref().map(|(_, position)| position.clone()),
            resume,
        };
        Slice::of_file(begin, file.path, opened, bound, length).map(Some)
    }

    /// The next member of the archive in hand that has something to read.
    fn next_member(&mut self) -> Result<Option<Slice>> {
        let (Some(archive), Origin::Place(place)) = (&mut self.archive, &mut self.origin) else { return Ok(None) };
        while let Some(member) = archive.next() {
            let name = archive.name_of(&member);
            let doing = |e: Error| e.doing(format!("reading `{name}`"));
            let (mut opened, range) = archive.enter(&mut **place, &member).map_err(doing)?;
            let (id, resume) = match &self.only {
                None => match archive.judge(&member, &mut *opened, &self.settled).map_err(doing)? {
                    Verdict::Done => {
                        self.skipped.push(name);
                        continue;
                    }
                    Verdict::On(slice, position) => (slice, Some(position)),
                    Verdict::Anew(slice, note) => {
                        self.notes.extend(note);
                        (slice, None)
                    }
                },
                Some((_, position)) if !archive.holds(&member, &mut *opened, position).map_err(doing)? => continue,
                Some((only, _)) => {
                    self.found_only = true;
                    let settled = self.settled.iter().find(|(slice, _)| slice == only);
                    (only.clone(), settled.map(|(_, at)| at.position.clone()))
                }
            };
            let (extra, length, path) = (archive.extra(&member), archive.length, archive.file.path.clone());
            return self.member(&member, (name, path), (id, resume, extra), (opened, range, length)).map(Some);
        }
        self.archive = None;
        Ok(None)
    }

    /// Begins a member.
    fn member(
        &self,
        member: &Member,
        (name, path): (String, PathBuf),
        (id, resume, extra): (SliceId, Option<Position>, serde_json::Value),
        (mut opened, range, length): (Box<dyn Opened>, (u64, u64), u64),
    ) -> Result<Slice> {
        let mut coding = Coding { packing: Some(Packed::Member(member.sealed)), ..self.wanted.coding("") };
        if let Some(encoding) = self.told(&mut *opened, range, &name, coding)? {
            coding.encoding = encoding;
        }
        let begin = Begin {
            id,
            name: name.into(),
            coding,
            framing: self.wanted.format.framing(&self.wanted.format_options)?,
            extra,
            until: self.only.as_ref().map(|(_, position)| position.clone()),
            resume,
        };
        Slice::of_member(begin, path, opened, range, length)
    }

    /// In which encoding a file says it is, if it is to be asked.
    #[expect(clippy::option_option, reason = "not asked is one thing, UTF-8 another")]
    fn told(
        &self,
        file: &mut dyn Opened,
        (from, to): (u64, u64),
        name: &str,
        coding: Coding,
    ) -> Result<Option<Option<&'static encoding_rs::Encoding>>> {
        let (true, Some(told)) = (self.wanted.told, self.wanted.format.told_encoding()) else { return Ok(None) };
        let (input, mut head) = (file.input(from, to)?, Vec::new());
        // What breaks the stream here breaks it again where it is read.
        let _ = Stream::new(input, &name.into(), Some(to - from), coding, false)?.fill(&mut head, HEAD_BYTES);
        Ok(Some(told(&head)))
    }

    fn start_pipe(&mut self) -> Result<Option<Slice>> {
        let Origin::Pipe { name, slice, input } = &mut self.origin else { return Ok(None) };
        let (name, slice) = (*name, *slice);
        let Some(input) = input.take() else { return Ok(None) };
        if self.only.is_some() {
            return Err(Error::new(
                Kind::Partial,
                &NOT_REPEATABLE,
                format!("what came from {name} cannot be read again"),
            )
            .hint("compare the target, then settle the doubt with `consign sync state set`"));
        }
        let begin = Begin {
            id: fresh_slice(slice, &self.settled),
            name: name.into(),
            coding: self.wanted.coding("-"),
            framing: self.wanted.format.framing(&self.wanted.format_options)?,
            extra: serde_json::Value::Null,
            until: None,
            resume: None,
        };
        Slice::of_pipe(begin, input).map(Some)
    }

    /// What is to be done with a file: its slice and where to resume; `None` if there is nothing.
    fn judge(
        &mut self,
        now: &Identity,
        file: &mut dyn Opened,
        coding: Coding,
        can_grow: bool,
    ) -> Result<Option<(SliceId, Option<Position>)>> {
        let failed = |e: Error| e.doing(format!("reading `{}`", now.path));
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
        let touched = now.modified != known.modified;
        if at.done && !changed && touched && !now.has_object() {
            // Nothing but its time tells a file that was replaced by one of the same size.
            let note = format!("`{}` was replaced by a file of the same size: it is read anew", now.path);
            return anew(note, &mut self.notes);
        }
        if at.done && !changed && (coding.is_plain() || !touched) {
            self.skipped.push(now.path.clone());
            return Ok(None);
        }
        Ok(Some((slice.clone(), Some(at.position.clone()))))
    }
}

impl Source for ByteSource {
    fn next(&mut self) -> Result<Option<Part>> {
        if let Some(error) = self.pending.take() {
            self.files = Some(VecDeque::new());
            return Err(error);
        }
        loop {
            if let Some(slice) = &mut self.reading {
                let mut after = Aftermath::default();
                let place = match &mut self.origin {
                    Origin::Place(place) => Some(place),
                    Origin::Pipe { .. } => None,
                };
                let part = slice.next(self.sequence, place, &mut after)?;
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
            if let Some(slice) = self.start_pipe()? {
                self.reading = Some(slice);
                continue;
            }
            if self.found_only {
                self.archive = None;
            }
            if let Some(slice) = self.next_member()? {
                self.reading = Some(slice);
                continue;
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

/// Whether a file was modified so lately that its writer may not be done with it.
fn is_young(about: &About, settle_time: Option<Duration>) -> bool {
    let Some(settle_time) = settle_time else { return false };
    now_in_nanoseconds().saturating_sub(about.modified) < settle_time.as_nanos().min(i64::MAX as u128) as i64
}

/// Whether the listing alone tells that a file was read to its end and is unchanged: its path, size
/// and time are those that were settled, and it was at rest by then. Only for places without inodes,
/// where opening costs round trips.
fn is_known(file: &Listed, settled: &[(SliceId, Settled)]) -> bool {
    let Some(about) = file.about.filter(|about| about.object.is_none()) else { return false };
    settled.iter().filter(|(_, at)| at.done).filter_map(|(_, at)| Identity::in_position(&at.position)).any(|known| {
        known.path == file.name && known.at_rest && known.size == about.length && known.modified == about.modified
    })
}

/// The clock, as files are stamped with it.
pub(super) fn now_in_nanoseconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

fn path_of(position: &Position) -> Option<&str> {
    position.extra.get("path").and_then(serde_json::Value::as_str)
}
