//! What stands at a file target when a run begins: a file of ours, a half-written one, one that
//! somebody else made. Decides where writing goes on.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::Packing;
use super::identity::{TAIL_BYTES, Tail, hash};
use super::names::Names;
use super::place::{About, AsRead, Edited, Place, unwrapped};
use crate::connect::{Found, Frame};
use crate::error::codes::connect::{TARGET_CHANGED, TARGET_FOREIGN, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};
use crate::record::{Known, Mark, Trace};

/// How much of a file's end is looked at for its closing.
const CLOSING_BYTES: u64 = 4096;
/// How much of a target's beginning is hashed to know it again.
const HEAD_BYTES: u64 = 4096;
/// So many zeros in a row stand in no record: a power loss left them in place of what was written.
const TORN_BYTES: usize = 64;

/// Where a run writes.
pub struct Target {
    /// The file that is written.
    pub file: Box<dyn Edited>,
    /// Where the next bytes go.
    pub at: u64,
    /// The file that is written now: the target itself or one beside it.
    pub path: PathBuf,
    /// The target.
    pub named: PathBuf,
    pub stage: Stage,
    /// Bytes that are settled; what lies behind them is not ours to keep.
    pub settled: u64,
    /// Whether the file holds its beginning and at least one record.
    pub begun: bool,
    /// Whether the beginning stands but no record.
    pub headed: bool,
    /// A closing stands behind the settled bytes and goes before anything is appended.
    pub closed: bool,
    /// A line end is missing before the first record.
    pub unended: bool,
    /// What stands before `at`, and before `settled`.
    seen: (Ends, Ends),
    /// What stood under the target's name when this run began.
    instead: Option<About>,
}

/// The ends of a run of bytes from the beginning of a file.
#[derive(Clone, Default)]
pub struct Ends {
    head: Vec<u8>,
    tail: Tail,
}

impl Ends {
    /// Reads them off a file, up to a length.
    fn of(file: &mut dyn Edited, length: u64) -> Result<Self> {
        Self::between(file, 0, length)
    }

    /// The same between two offsets.
    pub fn between(file: &mut dyn Edited, from: u64, to: u64) -> Result<Self> {
        let head = read(file, from, to.min(from + HEAD_BYTES))?;
        let mut tail = Tail::default();
        match to - from <= HEAD_BYTES {
            true => tail.push(&head),
            false => tail.push(&read(file, to - TAIL_BYTES as u64, to)?),
        }
        Ok(Self { head, tail })
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES as usize - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.push(bytes);
    }

    /// Hashes of both.
    pub fn content(&self) -> String {
        format!("{}:{}", &hash(&self.head)[..32], self.tail.hash())
    }
}

/// What kind of file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Beside the target, no group committed.
    New,
    /// Beside the target, with committed groups.
    Part,
    /// The target itself.
    InPlace,
}

/// How much of a closing stands at the end of a file.
enum Closing {
    Whole,
    /// Its writing was cut short.
    Begun,
    None,
}

/// What the state knows of a target.
pub struct Past<'p> {
    /// The last settled mark.
    pub settled: Option<&'p Mark>,
    /// Whether a group was intended after it.
    pub in_doubt: bool,
    /// What that group looks like, if that is known.
    pub trace: Option<&'p Trace>,
}

/// What the target's format puts around records, and how it is stored.
pub struct Form<'f> {
    pub frame: &'f Frame,
    pub packing: Option<Packing>,
}

impl Target {
    /// Finds out what stands there and opens the file to write on.
    pub fn open(
        place: &mut dyn Place,
        names: &Names,
        form: &Form<'_>,
        anew: bool,
        past: &Past<'_>,
    ) -> Result<(Self, Found)> {
        let halves = names.clear(place)?;
        if anew {
            return Ok((Self::begin(place, names)?, Found::Same));
        }
        names.refuse_foreign(&halves)?;
        let (settled, in_doubt) = (past.settled, past.in_doubt);
        let length = settled.and_then(|mark| mark.length).unwrap_or(0);
        let (ours, taken_back) = names.own_part(place, past)?;
        let found = |taken_back: bool| if taken_back { Found::TakenBack } else { Found::Same };
        if let Some(part) = ours {
            let target = Self::go_on_in(place, names, part, length, settled.and_then(|mark| mark.known.as_ref()))?;
            return Ok((target, found(in_doubt || taken_back)));
        }
        names.displace(place, names.target.clone(), names.target.clone()).map_err(|e| e.doing(names.doing()))?;
        match (place.about(&names.target).map_err(|e| e.doing(names.doing()))?, settled) {
            (None, Some(_)) if length > 0 => Err(names.gone().fact("bytes settled", length)),
            (None, _) => Ok((Self::begin(place, names)?, found(taken_back))),
            (Some(_), None) => {
                let (target, back) = Self::adopt(place, names, form, past, in_doubt)?;
                Ok((target, found(taken_back || back)))
            }
            // Taken over by a person's word: nobody knows a settled length yet.
            (Some(_), Some(mark)) if mark.length.is_none() => {
                let (target, back) = Self::adopt(place, names, form, past, true)?;
                Ok((target, found(taken_back || back)))
            }
            (Some(about), Some(_)) => {
                let (target, back) = Self::append(place, names, form, past, length, about.length)?;
                Ok((target, found(taken_back || back)))
            }
        }
    }

    /// On in a half-written file of ours, with its first group.
    pub fn go_on_in(
        place: &mut dyn Place,
        names: &Names,
        (first, path): (u64, PathBuf),
        length: u64,
        known: Option<&Known>,
    ) -> Result<Self> {
        let path = names.displace(place, path, names.part(first)).map_err(|e| e.doing(names.doing()))?;
        Self::go_on(place, names, path, length, known)
    }

    /// A new file beside the target.
    pub fn begin(place: &mut dyn Place, names: &Names) -> Result<Self> {
        let path = names.new_file();
        let failed = |e: Error| e.doing(names.doing());
        // Who may read the old file may read the new one, and nobody else.
        let instead = place.about(&names.target).map_err(failed)?;
        let file = place.create(&path, instead.map(|about| about.mode & 0o7777)).map_err(failed)?;
        Ok(Self { instead, ..Self::at(names, file, path, Stage::New, 0) })
    }

    fn at(names: &Names, file: Box<dyn Edited>, path: PathBuf, stage: Stage, settled: u64) -> Self {
        Self {
            file,
            at: settled,
            path,
            named: names.target.clone(),
            stage,
            settled,
            begun: settled > 0,
            headed: false,
            closed: false,
            unended: false,
            seen: Default::default(),
            instead: None,
        }
    }

    /// The same with what stands before the settled length.
    fn knowing(mut self) -> Result<Self> {
        let ends = Ends::of(&mut *self.file, self.settled)?;
        self.seen = (ends.clone(), ends);
        Ok(self)
    }

    /// What was written counts as settled from now on: by what it is known again.
    pub fn settle(&mut self) -> Known {
        self.settled = self.at;
        self.seen.1 = self.seen.0.clone();
        self.known()
    }

    /// By what the settled bytes are known again.
    pub fn known(&self) -> Known {
        let replaces = self.instead.filter(|_| self.stage != Stage::InPlace).map(|about| about.length);
        Known { content: self.seen.1.content(), replaces, records: None }
    }

    /// What stood under the target's name when this run began.
    pub fn instead(&self) -> Option<About> {
        self.instead
    }

    /// Refuses to take the place of a file that somebody else has written meanwhile.
    ///
    /// # Errors
    /// If there is one.
    pub fn check_instead(&self, place: &mut dyn Place, names: &Names) -> Result<()> {
        let same = match (place.about(&self.named)?, &self.instead) {
            (None, None) => true,
            (Some(now), Some(then)) => now.is_same(then) && now.length == then.length,
            _ => false,
        };
        if same { Ok(()) } else { Err(names.overtaken()) }
    }

    /// Cuts off what is not settled.
    pub fn cut_back(&mut self) -> Result<()> {
        self.at = self.settled;
        self.seen.0 = self.seen.1.clone();
        self.file.cut(self.settled)
    }

    /// Writes on.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        self.seen.0.push(bytes);
        Ok(())
    }

    /// On in a half-written file of ours. Nobody else knows it, so what is behind the settled
    /// length (a group in doubt, a closing) is cut off without asking.
    fn go_on(place: &mut dyn Place, names: &Names, path: PathBuf, length: u64, known: Option<&Known>) -> Result<Self> {
        let failed = |e: Error| e.doing(format!("writing `{}`", path.display()));
        let mut file = names.edit(place, &path).map_err(failed)?;
        let there = file.length().map_err(failed)?;
        if there < length {
            return Err(names
                .half_changed("the half-written target is shorter than what was settled", &path)
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        let instead = place.about(&names.target).map_err(failed)?;
        let mut target = Self::at(names, file, path.clone(), Stage::Part, length).knowing().map_err(failed)?;
        target.instead = instead;
        if let Some(known) = known {
            if target.seen.1.content() != known.content {
                return Err(names.half_changed("the half-written target does not hold what was settled", &path));
            }
            if instead.map(|about| about.length) != known.replaces {
                return Err(names.overtaken());
            }
        }
        if there > length {
            target.file.cut(length).map_err(failed)?;
        }
        Ok(target)
    }

    /// On in the target itself, which this route wrote before.
    fn append(
        place: &mut dyn Place,
        names: &Names,
        form: &Form<'_>,
        past: &Past<'_>,
        length: u64,
        there: u64,
    ) -> Result<(Self, bool)> {
        let failed = |e: Error| e.doing(names.doing());
        let file = names.edit(place, &names.target).map_err(failed)?;
        if there < length {
            return Err(names
                .changed("the target is shorter than what was settled: it is an older one, or was cut")
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        let mut target =
            Self::at(names, file, names.target.clone(), Stage::InPlace, length).knowing().map_err(failed)?;
        if let Some(known) = past.settled.and_then(|mark| mark.known.as_ref())
            && known.content != target.seen.1.content()
        {
            return Err(names
                .changed(
                    "the target does not hold what was settled: it is another file, or was written by somebody else",
                )
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        if there == length {
            return Ok((target, false));
        }
        // A file without records was closed with its beginning.
        let closing = match length {
            0 => [form.frame.before.as_slice(), &form.frame.after].concat(),
            _ => form.frame.after.clone(),
        };
        match form.closing_between(&mut *target.file, length, there, &closing).map_err(failed)? {
            Closing::Whole => {
                target.closed = true;
                return Ok((target, false));
            }
            Closing::Begun => {}
            Closing::None if form.could_be(&mut *target.file, length, there, past).map_err(failed)? => {}
            Closing::None => {
                return Err(names
                    .changed("somebody else has written to the target, or this state is older than it")
                    .fact("bytes there", there)
                    .fact("bytes settled", length));
            }
        }
        target.cut_back().map_err(failed)?;
        Ok((target, past.in_doubt))
    }

    /// On in a file that this route has never settled anything in. What it looks like now is
    /// secured first, so that a crash before the first settled group can be taken back.
    /// Unless somebody said that it is to be continued (`known`), it must hold no record: a state
    /// that was lost would add everything once more.
    fn adopt(
        place: &mut dyn Place,
        names: &Names,
        form: &Form<'_>,
        past: &Past<'_>,
        known: bool,
    ) -> Result<(Self, bool)> {
        let failed = |e: Error| e.doing(names.doing());
        let in_doubt = past.in_doubt;
        let mut file = names.edit(place, &names.target).map_err(failed)?;
        let mut there = file.length().map_err(failed)?;
        let mut taken_back = false;
        if in_doubt && let Some((length, closing)) = read_base(place, &names.base()).map_err(failed)? {
            if there < length {
                return Err(names.changed("the target is shorter than before this route wrote to it"));
            }
            let as_it_was =
                there == length + closing.len() as u64 && read(&mut *file, length, there).map_err(failed)? == closing;
            if !as_it_was && !form.could_be(&mut *file, length, there, past).map_err(failed)? {
                return Err(names.changed("somebody else has written to the target").fact("bytes there", there));
            }
            taken_back = there != length + closing.len() as u64;
            file.cut(length).map_err(failed)?;
            file.write_at(&closing, length).map_err(failed)?;
            there = length + closing.len() as u64;
        }
        let mut target = Self::at(names, file, names.target.clone(), Stage::InPlace, there);
        let empty = [form.frame.before.as_slice(), &form.frame.after].concat();
        if let Closing::Whole = form.closing_between(&mut *target.file, 0, there, &empty).map_err(failed)? {
            // A run without records ended like this.
            (target.settled, target.begun, target.closed) = (0, false, true);
        } else if there > 0 {
            target.look_at(names, form, there)?;
        }
        if target.begun && !known {
            return Err(Error::new(
                Kind::Refused,
                &TARGET_FOREIGN,
                "the target holds records that this state never wrote",
            )
            .doing(names.doing())
            .fact("bytes there", there)
            .hint("was the state lost or moved? Then put it back")
            .hint(
                "`consign sync state adopt` goes on behind what is there; `--full` replaces it; or name another file",
            ));
        }
        let closing = read(&mut *target.file, target.settled, there).map_err(failed)?;
        write_base(place, names, target.settled, &closing)?;
        target.at = target.settled;
        Ok((target.knowing().map_err(failed)?, taken_back))
    }

    /// Finds out whether a file of somebody else's can be continued, and where.
    fn look_at(&mut self, names: &Names, form: &Form<'_>, there: u64) -> Result<()> {
        let failed = |e: Error| e.doing(names.doing());
        let frame = form.frame;
        let foreign = |cause: &str| {
            Error::new(Kind::Refused, &TARGET_CHANGED, cause)
                .doing(names.doing())
                .hint("name another file, move this one away, or replace it with `--full`")
        };
        let beginning = trimmed(&frame.before);
        let (head, last) = form.ends(&mut *self.file, there, beginning.len() + 1).map_err(failed)?;
        if !head.starts_with(beginning) {
            return Err(foreign("the target begins otherwise than this mapping would: its columns are not these"));
        }
        if frame.after.is_empty() {
            let lines = frame.before.ends_with(b"\n");
            if lines && !matches!(head.get(beginning.len()), None | Some(b'\r' | b'\n')) {
                return Err(foreign("the target has more columns than this mapping writes"));
            }
            self.unended = !head.is_empty() && last != Some(b'\n') && frame.between.is_empty();
            self.begun = !head.is_empty();
            return Ok(());
        }
        if form.packing.is_some() {
            return Err(foreign(
                "a compressed file with a closing cannot be continued by a route that did not write it",
            ));
        }
        let from = there.saturating_sub(CLOSING_BYTES);
        let end = read(&mut *self.file, from, there).map_err(failed)?;
        let Some(body) = end.trim_ascii_end().strip_suffix(trimmed(&frame.after)) else {
            return Err(foreign("the target does not end as its format demands"));
        };
        let body = body.trim_ascii_end();
        self.settled = from + body.len() as u64;
        self.closed = true;
        self.begun = self.settled > beginning.len() as u64;
        self.headed = !self.begun;
        Ok(())
    }
}

impl Form<'_> {
    /// How much of this closing stands between the two offsets.
    fn closing_between(&self, file: &mut dyn Edited, from: u64, to: u64, closing: &[u8]) -> Result<Closing> {
        if closing.is_empty() || to - from > closing.len() as u64 + 1024 {
            return Ok(Closing::None);
        }
        let rest = read(file, from, to)?;
        let Some(packing) = self.packing else {
            return Ok(match closing.strip_prefix(rest.as_slice()) {
                Some([]) => Closing::Whole,
                Some(_) => Closing::Begun,
                None => Closing::None,
            });
        };
        let mut plain = Vec::new();
        let limit = closing.len() as u64 + 1;
        let whole = packing.unpacked(rest.as_slice())?.take(limit).read_to_end(&mut plain).is_ok();
        if whole && plain == closing {
            return Ok(Closing::Whole);
        }
        Ok(if packing.packed(closing)?.starts_with(&rest) { Closing::Begun } else { Closing::None })
    }

    /// Whether what stands between the two offsets can be of the group in doubt.
    fn could_be(&self, file: &mut dyn Edited, from: u64, to: u64, past: &Past<'_>) -> Result<bool> {
        if !past.in_doubt {
            return Ok(false);
        }
        // A version before this one left no trace of it.
        let Some(trace) = past.trace.filter(|trace| trace.batches > 0) else { return Ok(true) };
        let frame = self.frame;
        let around = frame.before.len() + frame.after.len() + 2;
        let most = trace.bytes + trace.batches * frame.between.len() as u64 + around as u64;
        // Compression that does not compress adds a little of its own.
        let most = if self.packing.is_some() { most + most / 256 + 4096 } else { most };
        if to - from > most {
            return Ok(false);
        }
        let looked_at = around as u64 + frame.between.len() as u64 + trace.looks_at();
        let mut there = Vec::new();
        match self.packing {
            None => there = read(file, from, to.min(from + looked_at))?,
            Some(packing) => {
                let rest = read(file, from, to)?;
                // What is cut short ends with an error, behind what came out of it.
                let _ = packing.unpacked(rest.as_slice())?.take(looked_at).read_to_end(&mut there);
            }
        }
        if there.chunks(TORN_BYTES).any(|chunk| chunk.len() == TORN_BYTES && chunk.iter().all(|byte| *byte == 0)) {
            return Ok(true);
        }
        let ended = [b"\n", frame.between.as_slice()].concat();
        Ok([frame.before.as_slice(), &frame.between, &ended].iter().any(|lead| match there.strip_prefix(*lead) {
            Some(rest) => trace.fits(rest),
            None => lead.starts_with(&there),
        }))
    }

    /// The first bytes and the last one of the content.
    fn ends(&self, file: &mut dyn Edited, length: u64, wanted: usize) -> Result<(Vec<u8>, Option<u8>)> {
        let Some(packing) = self.packing else {
            let head = read(file, 0, length.min(wanted as u64))?;
            let last = read(file, length.saturating_sub(1), length)?;
            return Ok((head, last.last().copied()));
        };
        let damaged = |error: std::io::Error| match error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            true => unwrapped(error),
            false => {
                Error::new(Kind::Refused, packing.damaged(), format!("the target is no whole {} file", packing.name()))
                    .caused_by(error)
            }
        };
        let (mut head, mut last) = (Vec::new(), None);
        let mut decoder = packing.unpacked(AsRead((file, 0)))?;
        let mut block = vec![0; 64 << 10];
        loop {
            let count = decoder.read(&mut block).map_err(damaged)?;
            if count == 0 {
                return Ok((head, last));
            }
            let missing = (wanted - head.len()).min(count);
            head.extend_from_slice(&block[..missing]);
            last = Some(block[count - 1]);
        }
    }
}

/// The bytes between two offsets.
pub fn read(file: &mut dyn Edited, from: u64, to: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; (to - from) as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], from + filled as u64)? {
            0 => return Err(Error::of_io(std::io::ErrorKind::UnexpectedEof.into())),
            count => filled += count,
        }
    }
    Ok(bytes)
}

/// Without white space at its end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// The length and the closing that a file had before this route; `None` if that is not known.
fn read_base(place: &mut dyn Place, path: &Path) -> Result<Option<(u64, Vec<u8>)>> {
    let Some(about) = place.about(path)?.filter(|about| about.length <= CLOSING_BYTES + 64) else { return Ok(None) };
    let mut bytes = vec![0; about.length as usize];
    place.open(path)?.read_exact_at(&mut bytes, 0)?;
    let Some(line) = bytes.iter().position(|b| *b == b'\n') else { return Ok(None) };
    let length = std::str::from_utf8(&bytes[..line]).ok().and_then(|text| text.parse().ok());
    Ok(length.map(|length| (length, bytes[line + 1..].to_vec())))
}

fn write_base(place: &mut dyn Place, names: &Names, length: u64, closing: &[u8]) -> Result<()> {
    if closing.len() as u64 > CLOSING_BYTES {
        return Err(
            Error::new(Kind::Refused, &TARGET_UNFIT, "the target's closing is unusually long").doing(names.doing())
        );
    }
    let mut secure = || {
        let mut file = place.create(&names.base(), None)?;
        file.write_at(&[format!("{length}\n").as_bytes(), closing].concat(), 0)?;
        file.secure()?;
        place.secure_folder(&names.folder)
    };
    secure().map_err(|e: Error| e.doing(names.doing()))
}
