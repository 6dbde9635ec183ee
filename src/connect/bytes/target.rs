//! What stands at a file target when a run begins: a file of ours, a half-written one, one that
//! somebody else made. Decides where writing goes on.
//!
//! Beside the target `out.csv` there may be, all hidden:
//! - `.out.csv.consign.new`: begun, no group committed yet; worth nothing.
//! - `.out.csv.consign-7.part`: being written, group 7 was the first one committed into it. The
//!   number tells whether the settled group is in this file or still in the one it will replace.
//! - `.out.csv.consign-f9.new`, `.out.csv.consign-7-f9.part`: the same, of the run with fence 9, which
//!   took over from a process that is stopped and may wake up. What that one has open or might still
//!   rename is not used: the new run writes into files of its own and removes the old names, so that
//!   the woken process writes into files that have no name, and finds nothing to rename.
//! - `.out.csv.consign-f9.copy`: being copied for that; worth nothing.
//! - `.out.csv.consign.base`: what a file of somebody else's looked like before the first group
//!   of this route was appended to it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::Packing;
use super::place::{AsRead, Edited, Place, What, missing, unwrapped};
use crate::connect::{Found, Frame};
use crate::error::codes::connect::{NOT_A_FILE, TARGET_CHANGED, TARGET_FOREIGN, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};
use crate::record::Mark;
use crate::store::Tenure;

/// How much of a file's end is looked at for its closing.
const CLOSING_BYTES: u64 = 4096;
/// How much is copied at once.
const COPY_BYTES: usize = 256 << 10;

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

/// The names around a target.
pub struct Names {
    pub target: PathBuf,
    pub folder: PathBuf,
    name: String,
    /// The fence of this run, and by what right it writes; `None` where nobody said.
    pub under: Option<(u64, Tenure)>,
}

impl Names {
    /// # Errors
    /// A target that is a folder or device, a folder that is not there.
    pub fn of(place: &mut dyn Place, path: &Path) -> Result<Self> {
        let doing = format!("writing `{}`", path.display());
        // A link stays a link: what it leads to is replaced.
        let target = place.resolve(path).map_err(|e| e.doing(doing.clone()))?;
        match place.about(&target).map_err(|e| e.doing(doing.clone()))?.map(|about| about.what) {
            Some(What::Folder) => {
                return Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target is a folder").doing(doing));
            }
            Some(What::File) | None => {}
            Some(_) => {
                return Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target is a pipe or device")
                    .doing(doing)
                    .hint("use `-` to write to standard output"));
            }
        }
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let about = place
            .about(&folder)
            .and_then(|about| about.ok_or_else(missing))
            .map_err(|e| e.doing(doing.clone()).fact("folder", folder.display()).hint("make the folder first"))?;
        let name = target.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        match name {
            Some(name) if about.what == What::Folder => Ok(Self { target, folder, name, under: None }),
            Some(_) => {
                Err(Error::new(Kind::Invalid, &NOT_A_FILE, format!("`{}` is no folder", folder.display())).doing(doing))
            }
            None => Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target has no name that is text").doing(doing)),
        }
    }

    pub fn new_file(&self) -> PathBuf {
        match self.contested() {
            Some(fence) => self.folder.join(format!(".{}.consign-f{fence}.new", self.name)),
            None => self.folder.join(format!(".{}.consign.new", self.name)),
        }
    }

    pub fn part(&self, group: u64) -> PathBuf {
        match self.contested() {
            Some(fence) => self.folder.join(format!(".{}.consign-{group}-f{fence}.part", self.name)),
            None => self.folder.join(format!(".{}.consign-{group}.part", self.name)),
        }
    }

    /// The fence, if a process may still wake up that this route was taken from.
    fn contested(&self) -> Option<u64> {
        self.under.as_ref().filter(|(_, tenure)| tenure.contested()).map(|(fence, _)| *fence)
    }

    /// Opens a file that is there for writing, and asks once it is locked whether this run may still
    /// write: from then on a run that takes over leaves this file alone.
    fn edit(&self, place: &mut dyn Place, path: &Path) -> Result<Box<dyn Edited>> {
        let file = place.edit(path)?;
        self.under.as_ref().map_or(Ok(()), |(_, tenure)| tenure.check())?;
        Ok(file)
    }

    /// Removes what runs with a lower fence began and never committed: they are over, and must not
    /// give it a name any more.
    fn sweep(&self, place: &mut dyn Place) -> Result<()> {
        let Some(own) = self.contested() else { return Ok(()) };
        remove(place, &self.folder.join(format!(".{}.consign.new", self.name)))?;
        let prefix = format!(".{}.consign-f", self.name);
        for entry in place.entries(&self.folder)?.unwrap_or_default() {
            let rest = entry.name.strip_prefix(&prefix);
            let fence = rest.and_then(|rest| rest.strip_suffix(".new").or_else(|| rest.strip_suffix(".copy")));
            if fence.and_then(|fence| fence.parse::<u64>().ok()).is_some_and(|fence| fence < own) {
                remove(place, &self.folder.join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// Puts a copy in the place of a file that a woken process may still have open; the name of the
    /// copy. Whatever that process writes from now on has no name.
    fn displace(&self, place: &mut dyn Place, path: PathBuf, to: PathBuf) -> Result<PathBuf> {
        let Some(fence) = self.contested() else { return Ok(path) };
        let Some(about) = place.about(&path)? else { return Ok(path) };
        let copy = self.folder.join(format!(".{}.consign-f{fence}.copy", self.name));
        let mut copied = place.create(&copy, Some(about.mode & 0o7777))?;
        let mut input = place.open(&path)?.input(0, about.length)?;
        let (mut buffer, mut at) = (vec![0; COPY_BYTES], 0);
        loop {
            let count = input.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            copied.write_at(&buffer[..count], at)?;
            at += count as u64;
        }
        copied.secure()?;
        drop((input, copied));
        place.rename(&copy, &to)?;
        if path != to {
            place.remove(&path)?;
        }
        place.secure_folder(&self.folder)?;
        Ok(to)
    }

    pub fn base(&self) -> PathBuf {
        self.folder.join(format!(".{}.consign.base", self.name))
    }

    /// The half-written files, with the first group of each, the newest first; of those that begin with
    /// one group, that of the highest fence first.
    pub fn parts(&self, place: &mut dyn Place) -> Result<Vec<(u64, PathBuf)>> {
        let doing = || format!("looking into `{}`", self.folder.display());
        let prefix = format!(".{}.consign-", self.name);
        let entries = place.entries(&self.folder).and_then(|entries| entries.ok_or_else(missing));
        let mut parts: Vec<((u64, u64), PathBuf)> = entries
            .map_err(|e| e.doing(doing()))?
            .into_iter()
            .filter_map(|entry| {
                let stem = entry.name.strip_prefix(&prefix)?.strip_suffix(".part")?;
                let (group, fence) = stem.split_once("-f").unwrap_or((stem, "0"));
                Some(((group.parse().ok()?, fence.parse().ok()?), self.folder.join(&entry.name)))
            })
            .collect();
        parts.sort_by(|a, b| b.cmp(a));
        Ok(parts.into_iter().map(|((group, _), path)| (group, path)).collect())
    }
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
        settled: Option<&Mark>,
        in_doubt: bool,
    ) -> Result<(Self, Found)> {
        names.sweep(place).map_err(|e| e.doing(names.doing()))?;
        if anew {
            return Ok((Self::begin(place, names)?, Found::Same));
        }
        let group = settled.map_or(0, |mark| mark.group);
        let length = settled.and_then(|mark| mark.length).unwrap_or(0);
        let mut taken_back = false;
        let mut ours = None;
        for (first, path) in names.parts(place)? {
            if settled.is_some() && first <= group && ours.is_none() {
                ours = Some((first, path));
                continue;
            }
            // A file whose first group was never settled, or that a later one took the place of.
            taken_back |= first > group;
            remove(place, &path)?;
        }
        let found = |taken_back: bool| if taken_back { Found::TakenBack } else { Found::Same };
        if let Some((first, path)) = ours {
            let path = names.displace(place, path, names.part(first)).map_err(|e| e.doing(names.doing()))?;
            let target = Self::go_on(place, names, path, length)?;
            return Ok((target, found(in_doubt || taken_back)));
        }
        names.displace(place, names.target.clone(), names.target.clone()).map_err(|e| e.doing(names.doing()))?;
        match (place.about(&names.target).map_err(|e| e.doing(names.doing()))?, settled) {
            (None, Some(_)) if length > 0 => Err(names.changed("the target is gone").fact("bytes settled", length)),
            (None, _) => Ok((Self::begin(place, names)?, found(taken_back))),
            (Some(_), None) => {
                let (target, back) = Self::adopt(place, names, form, in_doubt, in_doubt)?;
                Ok((target, found(taken_back || back)))
            }
            // Taken over by a person's word: nobody knows a settled length yet.
            (Some(_), Some(mark)) if mark.length.is_none() => {
                let (target, back) = Self::adopt(place, names, form, in_doubt, true)?;
                Ok((target, found(taken_back || back)))
            }
            (Some(about), Some(_)) => {
                let (target, back) = Self::append(place, names, form, length, about.length, in_doubt)?;
                Ok((target, found(taken_back || back)))
            }
        }
    }

    /// A new file beside the target.
    fn begin(place: &mut dyn Place, names: &Names) -> Result<Self> {
        let path = names.new_file();
        let failed = |e: Error| e.doing(names.doing());
        // Who may read the old file may read the new one, and nobody else.
        let mode = place.about(&names.target).map_err(failed)?.map(|about| about.mode & 0o7777);
        let file = place.create(&path, mode).map_err(failed)?;
        Ok(Self::at(names, file, path, Stage::New, 0))
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
        }
    }

    /// Cuts off what is not settled.
    pub fn cut_back(&mut self) -> Result<()> {
        self.at = self.settled;
        self.file.cut(self.settled)
    }

    /// Writes on.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// On in a half-written file of ours. Nobody else knows it, so what is behind the settled
    /// length (a group in doubt, a closing) is cut off without asking.
    fn go_on(place: &mut dyn Place, names: &Names, path: PathBuf, length: u64) -> Result<Self> {
        let failed = |e: Error| e.doing(format!("writing `{}`", path.display()));
        let mut file = names.edit(place, &path).map_err(failed)?;
        let there = file.length().map_err(failed)?;
        if there < length {
            return Err(names
                .changed("the half-written target is shorter than what was settled")
                .fact("half-written file", path.display())
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        if there > length {
            file.cut(length).map_err(failed)?;
        }
        Ok(Self::at(names, file, path, Stage::Part, length))
    }

    /// On in the target itself, which this route wrote before.
    fn append(
        place: &mut dyn Place,
        names: &Names,
        form: &Form<'_>,
        length: u64,
        there: u64,
        in_doubt: bool,
    ) -> Result<(Self, bool)> {
        let failed = |e: Error| e.doing(names.doing());
        let file = names.edit(place, &names.target).map_err(failed)?;
        let mut target = Self::at(names, file, names.target.clone(), Stage::InPlace, length);
        if there < length {
            return Err(names
                .changed("the target is shorter than what was settled")
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
            Closing::None if in_doubt => {}
            Closing::None => {
                return Err(names
                    .changed("somebody else has written to the target")
                    .fact("bytes there", there)
                    .fact("bytes settled", length));
            }
        }
        target.cut_back().map_err(failed)?;
        Ok((target, in_doubt))
    }

    /// On in a file that this route has never settled anything in. What it looks like now is
    /// secured first, so that a crash before the first settled group can be taken back.
    /// Unless somebody said that it is to be continued (`known`), it must hold no record: a state
    /// that was lost would add everything once more.
    fn adopt(
        place: &mut dyn Place,
        names: &Names,
        form: &Form<'_>,
        in_doubt: bool,
        known: bool,
    ) -> Result<(Self, bool)> {
        let failed = |e: Error| e.doing(names.doing());
        let mut file = names.edit(place, &names.target).map_err(failed)?;
        let mut there = file.length().map_err(failed)?;
        let mut taken_back = false;
        if in_doubt && let Some((length, closing)) = read_base(place, &names.base()).map_err(failed)? {
            if there < length {
                return Err(names.changed("the target is shorter than before this route wrote to it"));
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
        Ok((target, taken_back))
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

impl Names {
    pub fn doing(&self) -> String {
        format!("writing `{}`", self.target.display())
    }

    fn changed(&self, cause: &str) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(self.doing())
            .hint("put the file back as it was, or write it anew with `--full`")
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
fn read(file: &mut dyn Edited, from: u64, to: u64) -> Result<Vec<u8>> {
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

/// Removes a file if it is there.
pub fn remove(place: &mut dyn Place, path: &Path) -> Result<()> {
    place.remove(path).map_err(|e| e.doing(format!("removing `{}`", path.display())))
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
