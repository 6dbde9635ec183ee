//! What stands at a file target when a run begins: a file of ours, a half-written one, one that
//! somebody else made. Decides where writing goes on.
//!
//! Beside the target `out.csv` there may be, all hidden, of the state and route with the tag `s1f3c`:
//! - `.out.csv.consign-s1f3c.new`: begun, no group committed yet; worth nothing.
//! - `.out.csv.consign-s1f3c-7.part`: being written, group 7 was the first one committed into it. The
//!   number tells whether the settled group is in this file or still in the one it will replace.
//! - `.out.csv.consign-s1f3c-f9.new`, `.out.csv.consign-s1f3c-7-f9.part`: the same, of the run with fence 9, which
//!   took over from a process that is stopped and may wake up. What that one has open or might still
//!   rename is not used: the new run writes into files of its own and removes the old names, so that
//!   the woken process writes into files that have no name, and finds nothing to rename.
//! - `.out.csv.consign-s1f3c-f9.copy`: being copied for that; worth nothing.
//! - `.out.csv.consign-s1f3c.base`: what a file of somebody else's looked like before the first group
//!   of this route was appended to it.
//!
//! The same names without a tag are of earlier versions, and count as ours. What carries another tag is
//! another state's: it is never taken back, and only `--full` replaces it. The target itself carries no
//! name of ours: it is known again by its content ([`Known`]).

use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::Packing;
use super::identity::{TAIL_BYTES, Tail, hash, short_hash};
use super::place::{About, AsRead, Edited, Place, What, missing, unwrapped};
use crate::connect::{Found, Frame};
use crate::error::codes::connect::{NOT_A_FILE, TARGET_BUSY, TARGET_CHANGED, TARGET_FOREIGN, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};
use crate::record::{Known, Mark, Trace};
use crate::store::Tenure;

/// How much of a file's end is looked at for its closing.
const CLOSING_BYTES: u64 = 4096;
/// How much of a target's beginning is hashed to know it again.
const HEAD_BYTES: u64 = 4096;
/// So many zeros in a row stand in no record: a power loss left them in place of what was written.
const TORN_BYTES: usize = 64;
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
    /// What stands before `at`, and before `settled`.
    seen: (Ends, Ends),
    /// What stood under the target's name when this run began.
    instead: Option<About>,
}

/// The ends of a run of bytes from the beginning of a file.
#[derive(Clone, Default)]
struct Ends {
    head: Vec<u8>,
    tail: Tail,
}

impl Ends {
    /// Reads them off a file, up to a length.
    fn of(file: &mut dyn Edited, length: u64) -> Result<Self> {
        let head = read(file, 0, length.min(HEAD_BYTES))?;
        let mut tail = Tail::default();
        match length <= HEAD_BYTES {
            true => tail.push(&head),
            false => tail.push(&read(file, length - TAIL_BYTES as u64, length)?),
        }
        Ok(Self { head, tail })
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES as usize - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.push(bytes);
    }

    /// Hashes of both.
    fn content(&self) -> String {
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

/// The names around a target.
pub struct Names {
    pub target: PathBuf,
    pub folder: PathBuf,
    name: String,
    /// Tells the files of this state and route from those of others.
    tag: String,
    /// The route, for messages.
    route: String,
    /// The fence of this run, and by what right it writes; `None` where nobody said.
    pub under: Option<(u64, Tenure)>,
}

impl Names {
    /// # Errors
    /// A target that is a folder or device, a folder that is not there.
    pub fn of(place: &mut dyn Place, path: &Path, (log_id, route): (&str, &str)) -> Result<Self> {
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
            Some(name) if about.what == What::Folder => {
                let tag = format!("s{}", &short_hash(format!("{log_id}\n{route}").as_bytes())[..8]);
                Ok(Self { target, folder, name, tag, route: route.to_owned(), under: None })
            }
            Some(_) => {
                Err(Error::new(Kind::Invalid, &NOT_A_FILE, format!("`{}` is no folder", folder.display())).doing(doing))
            }
            None => Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target has no name that is text").doing(doing)),
        }
    }

    pub fn new_file(&self) -> PathBuf {
        match self.contested() {
            Some(fence) => self.beside(&format!("-f{fence}.new")),
            None => self.beside(".new"),
        }
    }

    pub fn part(&self, group: u64) -> PathBuf {
        match self.contested() {
            Some(fence) => self.beside(&format!("-{group}-f{fence}.part")),
            None => self.beside(&format!("-{group}.part")),
        }
    }

    /// A hidden file of this state and route.
    fn beside(&self, ending: &str) -> PathBuf {
        self.folder.join(format!(".{}.consign-{}{ending}", self.name, self.tag))
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
        remove(place, &self.beside(".new"))?;
        let prefix = format!(".{}.consign-{}-f", self.name, self.tag);
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
        let copy = self.beside(&format!("-f{fence}.copy"));
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
        self.beside(".base")
    }

    /// What lies half-written beside the target.
    pub fn halves(&self, place: &mut dyn Place) -> Result<Halves> {
        let doing = || format!("looking into `{}`", self.folder.display());
        let entries = place.entries(&self.folder).and_then(|entries| entries.ok_or_else(missing));
        let (mut parts, mut halves) = (Vec::new(), Halves::default());
        for entry in entries.map_err(|e| e.doing(doing()))? {
            let Some(rest) = entry.name.strip_prefix(&format!(".{}.consign", self.name)) else { continue };
            let path = self.folder.join(&entry.name);
            let Some(stem) = rest.strip_suffix(".part").and_then(|rest| rest.strip_prefix('-')) else {
                // Those of a version that had no tags, and those of others.
                if rest == ".new" || rest.starts_with("-s") && rest.ends_with(".new") && !self.owns(rest) {
                    halves.begun.push(path);
                }
                continue;
            };
            if stem.starts_with('s') && !self.owns(rest) {
                halves.foreign.push(path);
                continue;
            }
            let stem = stem.strip_prefix(&format!("{}-", self.tag)).unwrap_or(stem);
            let (group, fence) = stem.split_once("-f").unwrap_or((stem, "0"));
            if let (Ok(group), Ok(fence)) = (group.parse::<u64>(), fence.parse::<u64>()) {
                parts.push(((group, fence), path));
            }
        }
        parts.sort_by(|a, b| b.cmp(a));
        halves.parts = parts.into_iter().map(|((group, _), path)| (group, path)).collect();
        Ok(halves)
    }

    /// Whether what follows `.consign` in a name says that the file is of this state and route.
    fn owns(&self, rest: &str) -> bool {
        rest.strip_prefix('-')
            .and_then(|rest| rest.strip_prefix(&self.tag))
            .is_some_and(|rest| rest.starts_with(['-', '.']))
    }

    /// A target that another state or route has half-written is not touched: this one does not know what
    /// the other has settled.
    ///
    /// # Errors
    /// If there is one.
    fn refuse_foreign(&self, halves: &Halves) -> Result<()> {
        let Some(path) = halves.foreign.first() else { return Ok(()) };
        Err(Error::new(Kind::Refused, &TARGET_FOREIGN, "another state or route has half-written this target")
            .doing(self.doing())
            .fact("half-written file", path.display())
            .hint("run that route to its end with its own state, or name another file")
            .hint(format!("if that state is lost, `consign sync run {} --full` writes the target anew", self.route)))
    }

    /// Refuses to take a target over as it stands while something half-written beside it says more.
    ///
    /// # Errors
    /// If there is something.
    pub fn refuse_halves(&self, place: &mut dyn Place) -> Result<()> {
        let halves = self.halves(place)?;
        self.refuse_foreign(&halves)?;
        let Some((_, path)) = halves.parts.first() else { return Ok(()) };
        Err(Error::new(Kind::Refused, &TARGET_CHANGED, "this route has half-written the target")
            .doing(self.doing())
            .fact("half-written file", path.display())
            .hint(format!(
                "`consign sync run {0}` goes on with it; `consign sync run {0} --full` writes the target anew",
                self.route
            )))
    }
}

/// What lies half-written beside a target.
#[derive(Default)]
pub struct Halves {
    /// Ours, with the first group of each, the newest first; of those that begin with one group, that
    /// of the highest fence first.
    pub parts: Vec<(u64, PathBuf)>,
    /// Those of another state or route.
    pub foreign: Vec<PathBuf>,
    /// What others have begun and not committed anything into.
    pub begun: Vec<PathBuf>,
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
        names.sweep(place).map_err(|e| e.doing(names.doing()))?;
        let halves = names.halves(place)?;
        for path in halves.foreign.iter().chain(&halves.begun) {
            // Where the place has locks: whoever writes there now must end first.
            match place.edit(path) {
                Err(error) if error.code().id == TARGET_BUSY.id => return Err(error.doing(names.doing())),
                _ => {}
            }
        }
        if anew {
            return Ok((Self::begin(place, names)?, Found::Same));
        }
        names.refuse_foreign(&halves)?;
        let (settled, in_doubt) = (past.settled, past.in_doubt);
        let group = settled.map_or(0, |mark| mark.group);
        let length = settled.and_then(|mark| mark.length).unwrap_or(0);
        let mut taken_back = false;
        let mut ours = None;
        for (first, path) in halves.parts {
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
            let target = Self::go_on(place, names, path, length, settled.and_then(|mark| mark.known.as_ref()))?;
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

    /// A new file beside the target.
    fn begin(place: &mut dyn Place, names: &Names) -> Result<Self> {
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
        Known { content: self.seen.1.content(), replaces }
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

impl Names {
    pub fn doing(&self) -> String {
        format!("writing `{}`", self.target.display())
    }

    /// The target is there, and not as it was settled.
    fn changed(&self, cause: &str) -> Error {
        let route = &self.route;
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(self.doing())
            .hint("nothing was written; put the file back as it was if you can")
            .hint(format!("`consign sync run {route} --full` writes it anew, from the beginning of the source"))
            .hint(format!(
                "`consign sync state adopt {route} --reason TEXT` goes on behind what is there: what it lacks stays lacking, what it has too much stays"
            ))
    }

    /// The target is not there.
    fn gone(&self) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, "the target is gone")
            .doing(self.doing())
            .hint("put the file back if you can")
            .hint(format!("`consign sync run {0} --full` writes it anew, from the beginning of the source", self.route))
            .hint(format!(
                "`consign sync state adopt {} --reason TEXT` begins a new file with what comes next, if the old one was taken away on purpose",
                self.route
            ))
    }

    /// A half-written file is not as it was settled.
    fn half_changed(&self, cause: &str, path: &Path) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(self.doing())
            .fact("half-written file", path.display())
            .hint("put that file back as it was if you can")
            .hint(format!(
                "`consign sync run {} --full` writes the target anew, from the beginning of the source",
                self.route
            ))
    }

    /// While this route wrote beside the target, somebody else wrote the target.
    fn overtaken(&self) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, "somebody else has written the target while this route was writing it")
            .doing(self.doing())
            .hint("name another file for one of the two, or move that file away and run again: what this route wrote is kept beside it")
            .hint(format!("`consign sync run {} --full` writes the target anew, and replaces what is there", self.route))
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
