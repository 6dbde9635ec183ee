//! Notes of what was sent and answered, beside the state: what they know need not be in doubt after a
//! crash. They are appended without waiting for the disk: a process that dies loses none of them, a power
//! loss some, and only makes more doubt. They hold no values of records.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::fates::Fate;
use crate::connect::hush::Hush;
use crate::error::{Error, Result};

/// The notes of one route.
pub(super) struct Notes {
    path: PathBuf,
    file: Mutex<Option<File>>,
    /// Seals what jobs captured.
    hush: Hush,
}

/// A request that was begun: its key, its records, what its job captured after how many of its steps.
pub(super) type Begun = (String, Vec<u32>, Option<(usize, Map<String, Json>)>);

/// What notes of a group say.
#[derive(Default)]
pub(super) struct Noted {
    /// Records whose fate is known.
    pub known: Vec<(u32, Fate)>,
    /// Requests that were begun and never answered.
    pub open: Vec<Begun>,
    /// Whether a record that is not mentioned was surely never sent.
    pub whole: bool,
}

impl Notes {
    /// Of a route, in the folder of consign's own files.
    pub fn new(state: &Path, route: &str, hush: Hush) -> Self {
        let name = blake3::hash(route.as_bytes()).to_hex();
        Self { path: state.join("requests").join(&name.as_str()[..32]), file: Mutex::default(), hush }
    }

    /// Begins the notes of a group: those of the one before are settled.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn begin(&self, seed: &str, group: u64) -> Result<()> {
        let failed = |e| Error::io(format!("writing `{}`", self.path.display()), e);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&self.path).map_err(failed)?;
        let line = format!("{}\n", json!({ "seed": seed, "group": group, "boot": boot() }));
        file.write_all(line.as_bytes()).map_err(failed)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// Goes on with the notes of a group that is being resolved.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn go_on(&self, seed: &str, group: u64, whole: bool) -> Result<()> {
        if !whole {
            return self.begin(seed, group);
        }
        let file = OpenOptions::new().append(true).open(&self.path);
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(file.map_err(|e| Error::io(format!("writing `{}`", self.path.display()), e))?);
        Ok(())
    }

    /// A request is about to be sent.
    pub fn begun(&self, key: &str, records: &[u32]) {
        self.line(&json!({ "b": key, "r": ranges(records) }));
    }

    /// A step of a job was answered.
    pub fn stepped(&self, key: &str, step: usize, captured: &Map<String, Json>) {
        // Without a key the job is not found again, and its records are in doubt.
        if let Ok(captured) = self.hush.seal(&Json::Object(captured.clone())) {
            self.line(&json!({ "j": key, "s": step, "c": captured }));
        }
    }

    /// A request was answered: these are the fates that are final. Its other records did not take effect
    /// and are sent anew.
    pub fn answered(&self, key: &str, fates: &[(u32, Fate)]) {
        let written: Vec<u32> =
            fates.iter().filter(|(_, fate)| *fate == Fate::Written).map(|(record, _)| *record).collect();
        let others: Vec<&(u32, Fate)> = fates.iter().filter(|(_, fate)| *fate != Fate::Written).collect();
        self.line(&json!({ "a": key, "w": ranges(&written), "o": others }));
    }

    /// Removes them: everything is settled.
    pub fn remove(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // One that stays is overwritten by the next group.
        let _ = std::fs::remove_file(&self.path);
    }

    fn line(&self, line: &Json) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = file.as_mut().is_some_and(|file| file.write_all(format!("{line}\n").as_bytes()).is_err());
        if failed {
            // A note that is missing must not look like one that never was: without the file all is doubt.
            *file = None;
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// What is noted of a group.
    pub fn read(&self, seed: &str, group: u64) -> Noted {
        let mut noted = Noted::default();
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).ok());
        let Some(Some(head)) = lines.next() else { return noted };
        if head["seed"] != seed || head["group"] != group {
            return noted;
        }
        let here = boot();
        noted.whole = !here.is_empty() && head["boot"] == here;
        let (mut known, mut open) = (HashMap::new(), Vec::<Begun>::new());
        for line in lines {
            // The last line may be cut off: a process died within it, and what it tells of is in doubt.
            let Some(line) = line else { break };
            if let Some(key) = line["b"].as_str() {
                let records = records(&line["r"]);
                open.retain(|(known, ..)| known != key);
                open.push((key.to_owned(), records, None));
            } else if let Some(key) = line["j"].as_str() {
                let step = line["s"].as_u64().and_then(|step| usize::try_from(step).ok());
                if let Some((_, _, job)) = open.iter_mut().find(|(known, ..)| known == key) {
                    let captured = self.hush.unseal(&line["c"]).and_then(|captured| captured.as_object().cloned());
                    *job = step.zip(captured);
                }
            } else if let Some(key) = line["a"].as_str() {
                open.retain(|(known, ..)| known != key);
                known.extend(records(&line["w"]).into_iter().map(|record| (record, Fate::Written)));
                let others: Vec<(u32, Fate)> = serde_json::from_value(line["o"].clone()).unwrap_or_default();
                known.extend(others);
            }
        }
        open.iter_mut().for_each(|(_, records, _)| records.retain(|record| !known.contains_key(record)));
        open.retain(|(_, records, _)| !records.is_empty());
        noted.known = known.into_iter().collect();
        noted.open = open;
        noted
    }
}

/// `0-4,7`
fn ranges(records: &[u32]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = records.get(at) {
        let mut last = *first;
        while records.get(at + 1) == Some(&(last + 1)) {
            at += 1;
            last += 1;
        }
        let comma = if out.is_empty() { "" } else { "," };
        match last == *first {
            true => out.push_str(&format!("{comma}{first}")),
            false => out.push_str(&format!("{comma}{first}-{last}")),
        }
        at += 1;
    }
    out
}

fn records(ranges: &Json) -> Vec<u32> {
    let mut found = Vec::new();
    for range in ranges.as_str().unwrap_or_default().split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            found.extend(first..=last);
        }
    }
    found
}

/// What tells one start of this machine from the next; empty where nothing does.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::writing::fates::Told;

    #[test]
    fn what_was_answered_is_known_and_what_was_begun_is_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::new(folder.path(), "items", Hush::of(folder.path()));
        notes.begin("s", 7).unwrap();
        notes.begun("one", &[0, 1, 2, 5]);
        notes.begun("two", &[3, 4]);
        let refused = Fate::Refused(Told::new("no"));
        notes.answered("one", &[(0, Fate::Written), (1, Fate::Written), (2, refused.clone())]);
        notes.begun("three", &[5]);
        notes.stepped("three", 1, json!({ "id": 9 }).as_object().unwrap());
        let noted = notes.read("s", 7);
        let mut known = noted.known;
        known.sort_by_key(|(record, _)| *record);
        assert_eq!(known, [(0, Fate::Written), (1, Fate::Written), (2, refused)]);
        let open: Vec<_> = noted.open.iter().map(|(key, records, _)| (key.as_str(), records.as_slice())).collect();
        assert_eq!(open, [("two", &[3, 4][..]), ("three", &[5][..])]);
        assert_eq!(noted.open[1].2.as_ref().unwrap().0, 1);
        assert!(noted.whole);
        assert!(!notes.read("s", 8).whole && !notes.read("t", 7).whole, "of another group nothing is known");
        notes.remove();
        assert!(!notes.read("s", 7).whole);
    }

    #[test]
    fn a_line_that_is_cut_off_is_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::new(folder.path(), "items", Hush::of(folder.path()));
        notes.begin("s", 1).unwrap();
        notes.begun("one", &[0]);
        notes.answered("one", &[(0, Fate::Written)]);
        let whole = std::fs::read(&notes.path).unwrap();
        std::fs::write(&notes.path, &whole[..whole.len() - 4]).unwrap();
        let noted = notes.read("s", 1);
        assert_eq!((noted.known.len(), noted.open.len()), (0, 1));
    }
}
