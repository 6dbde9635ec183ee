//! The files around a target: their names, whose they are, and what is said when they are not as they
//! were.
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

use std::path::{Path, PathBuf};

use super::identity::short_hash;
use super::place::{Edited, Place, What, missing};
use super::target::Past;
use crate::error::codes::connect::{NOT_A_FILE, TARGET_BUSY, TARGET_CHANGED, TARGET_FOREIGN};
use crate::error::{Error, Kind, Result};
use crate::store::Tenure;

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
    pub fn edit(&self, place: &mut dyn Place, path: &Path) -> Result<Box<dyn Edited>> {
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
    pub fn displace(&self, place: &mut dyn Place, path: PathBuf, to: PathBuf) -> Result<PathBuf> {
        let Some(fence) = self.contested() else { return Ok(path) };
        let Some(about) = place.about(&path)? else { return Ok(path) };
        let copy = self.beside(&format!("-f{fence}.copy"));
        let mut copied = place.create(&copy, Some(about.mode & 0o7777))?;
        let mut at = 0;
        super::counted::copy(place, &path, (0, about.length), &mut |bytes| {
            copied.write_at(bytes, at)?;
            at += bytes.len() as u64;
            Ok(())
        })?;
        copied.secure()?;
        drop(copied);
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

    /// Removes what runs that are over have left, and says what lies half-written.
    ///
    /// # Errors
    /// If somebody writes the target at this moment, where the place can tell.
    pub fn clear(&self, place: &mut dyn Place) -> Result<Halves> {
        self.sweep(place).map_err(|e| e.doing(self.doing()))?;
        let halves = self.halves(place)?;
        for path in halves.foreign.iter().chain(&halves.begun) {
            // Where the place has locks: whoever writes there now must end first.
            match place.edit(path) {
                Err(error) if error.code().id == TARGET_BUSY.id => return Err(error.doing(self.doing())),
                _ => {}
            }
        }
        Ok(halves)
    }

    /// The half-written file that holds the settled group, with its first group; the others are removed.
    /// And whether one of them held what was never settled.
    pub fn own_part(&self, place: &mut dyn Place, past: &Past<'_>) -> Result<(Option<(u64, PathBuf)>, bool)> {
        let group = past.settled.map_or(0, |mark| mark.group);
        let (mut ours, mut taken_back) = (None, false);
        for (first, path) in self.halves(place)?.parts {
            if past.settled.is_some() && first <= group && ours.is_none() {
                ours = Some((first, path));
                continue;
            }
            // A file whose first group was never settled, or that a later one took the place of.
            taken_back |= first > group;
            remove(place, &path)?;
        }
        Ok((ours, taken_back))
    }

    /// A target that another state or route has half-written is not touched: this one does not know what
    /// the other has settled.
    ///
    /// # Errors
    /// If there is one.
    pub fn refuse_foreign(&self, halves: &Halves) -> Result<()> {
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

impl Names {
    pub fn doing(&self) -> String {
        format!("writing `{}`", self.target.display())
    }

    /// What `--full` does.
    pub fn full(&self) -> String {
        format!("`consign sync run {} --full` writes it anew, from the beginning of the source", self.route)
    }

    /// The target is there, and not as it was settled.
    pub fn changed(&self, cause: &str) -> Error {
        let route = &self.route;
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(self.doing())
            .hint("nothing was written; put the file back as it was if you can")
            .hint(self.full())
            .hint(format!(
                "`consign sync state adopt {route} --reason TEXT` goes on behind what is there: what it lacks stays lacking, what it has too much stays"
            ))
    }

    /// The target is not there.
    pub fn gone(&self) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, "the target is gone")
            .doing(self.doing())
            .hint("put the file back if you can")
            .hint(self.full())
            .hint(format!(
                "`consign sync state adopt {} --reason TEXT` begins a new file with what comes next, if the old one was taken away on purpose",
                self.route
            ))
    }

    /// A half-written file is not as it was settled.
    pub fn half_changed(&self, cause: &str, path: &Path) -> Error {
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
    pub fn overtaken(&self) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, "somebody else has written the target while this route was writing it")
            .doing(self.doing())
            .hint("name another file for one of the two, or move that file away and run again: what this route wrote is kept beside it")
            .hint(format!("`consign sync run {} --full` writes the target anew, and replaces what is there", self.route))
    }
}

/// Removes a file if it is there.
pub fn remove(place: &mut dyn Place, path: &Path) -> Result<()> {
    place.remove(path).map_err(|e| e.doing(format!("removing `{}`", path.display())))
}
