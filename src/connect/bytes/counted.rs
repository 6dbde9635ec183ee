//! Targets whose head tells how many records follow: the body is written beside the target, alone, and
//! at the end a new file is made of head, body and closing, which takes the target's name.
//!
//! A finished target is continued by taking its body out again, once there is something to add.
//! The settled length and content are those of the body; how many records it has is settled with it.

use std::path::Path;

use super::names::{Names, remove};
use super::place::{About, Edited, Place};
use super::target::{Ends, Past, Target};
use crate::connect::{Found, Frame};
use crate::error::codes::connect::{TARGET_CHANGED, TARGET_FOREIGN};
use crate::error::{Error, Kind, Result};
use crate::record::Known;
use crate::store::failpoint::reach;

/// What is known of a target with a count in front.
pub struct Counted {
    /// What stands around the body.
    around: Frame,
    /// Records in the body.
    pub records: u64,
    /// Where the body lies in the finished target, as long as it was not taken out.
    body: Option<(u64, u64)>,
    /// What is settled of it.
    then: Known,
}

impl Counted {
    /// For a format whose head has a count; the frame that is left has nothing around its records.
    pub fn of(frame: &mut Frame) -> Option<Self> {
        frame.count_at?;
        let around = std::mem::take(frame);
        frame.between.clone_from(&around.between);
        Some(Self { around, records: 0, body: None, then: Known::default() })
    }

    /// Finds out what stands there, as [`Target::open`] does for other formats.
    pub fn open(&mut self, place: &mut dyn Place, names: &Names, past: &Past<'_>) -> Result<(Target, Found)> {
        let failed = |e: Error| e.doing(names.doing());
        let known = past.settled.and_then(|mark| mark.known.as_ref());
        let length = past.settled.and_then(|mark| mark.length).unwrap_or(0);
        self.records = known.and_then(|known| known.records).unwrap_or(0);
        let there = place.about(&names.target).map_err(failed)?;
        let finished = match there {
            Some(about) => self.finished(place, names, about, length, known).map_err(failed)?,
            None => false,
        };
        let (ours, taken_back) = names.own_part(place, past)?;
        let found = |back: bool| if back { Found::TakenBack } else { Found::Same };
        match (finished, ours, there) {
            (true, ours, _) => {
                // It was finished, and only the body beside it was not removed any more.
                if let Some((_, path)) = ours {
                    remove(place, &path)?;
                }
                self.body = Some((self.around.head(self.records).len() as u64, length));
                Ok((Target::begin(place, names)?, found(taken_back)))
            }
            (false, Some(part), _) => {
                Ok((Target::go_on_in(place, names, part, length, known)?, found(past.in_doubt || taken_back)))
            }
            (false, None, None) if length > 0 => Err(self.not_ours("the target is gone", names)),
            (false, None, None) => Ok((Target::begin(place, names)?, found(taken_back))),
            (false, None, Some(_)) if past.settled.is_none() => Err(Error::new(
                Kind::Refused,
                &TARGET_FOREIGN,
                "the target holds what this state never wrote, behind a count",
            )
            .doing(names.doing())
            .hint("was the state lost or moved? Then put it back")
            .hint(names.full())
            .hint("or name another file: one that begins with a count is not continued by whoever did not write it")),
            (false, None, Some(_)) => Err(self.not_ours("the target is not the one that was settled", names)),
        }
    }

    fn not_ours(&self, cause: &str, names: &Names) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(names.doing())
            .fact("records settled", self.records)
            .hint("nothing was written; put the file back as it was if you can")
            .hint(names.full())
    }

    /// Whether the target is head, settled body and closing.
    fn finished(
        &mut self,
        place: &mut dyn Place,
        names: &Names,
        about: About,
        length: u64,
        known: Option<&Known>,
    ) -> Result<bool> {
        let head = self.around.head(self.records);
        if about.length != head.len() as u64 + length + self.around.after.len() as u64 {
            return Ok(false);
        }
        let mut file = names.edit(place, &names.target)?;
        let body = head.len() as u64;
        let same = super::target::read(&mut *file, 0, body)? == head
            && super::target::read(&mut *file, body + length, about.length)? == self.around.after;
        let content = Ends::between(&mut *file, body, body + length)?.content();
        let same = same && known.is_none_or(|known| known.content == content);
        self.then = Known { content, replaces: None, records: Some(self.records) };
        Ok(same)
    }

    /// The settled length and content of a finished target to which nothing was added.
    pub fn untouched(&self) -> Option<(u64, Known)> {
        self.body.map(|(_, length)| (length, self.then.clone()))
    }

    /// Takes the body out of the finished target, once something is to be added to it.
    pub fn take_out(&mut self, place: &mut dyn Place, target: &mut Target) -> Result<()> {
        let Some((from, length)) = self.body.take() else { return Ok(()) };
        copy(place, &target.named.clone(), (from, from + length), &mut |bytes| target.write(bytes))?;
        target.settle();
        target.begun = length > 0;
        Ok(())
    }

    /// Makes the target of head, body and closing.
    pub fn finish(&self, place: &mut dyn Place, names: &Names, target: &mut Target) -> Result<()> {
        if self.body.is_some() {
            // Nothing came: what stands there stays.
            return place.remove(&target.path);
        }
        let head = self.around.head(self.records);
        let path = names.new_file();
        if target.path == path {
            // No record was ever committed: there is no body.
            target.cut_back()?;
            target.write(&head)?;
            target.write(&self.around.after)?;
            target.file.secure()?;
        } else {
            target.cut_back()?;
            let mode = target.instead().map(|about| about.mode & 0o7777);
            let mut whole = place.create(&path, mode)?;
            whole.write_at(&head, 0)?;
            let mut at = head.len() as u64;
            copy(place, &target.path, (0, target.settled), &mut |bytes| put(&mut *whole, &mut at, bytes))?;
            put(&mut *whole, &mut at, &self.around.after)?;
            whole.secure()?;
        }
        reach("before_rename");
        place.rename(&path, &target.named)?;
        place.secure_folder(&names.folder)?;
        reach("after_rename");
        if target.path == path { Ok(()) } else { place.remove(&target.path) }
    }
}

fn put(file: &mut dyn Edited, at: &mut u64, bytes: &[u8]) -> Result<()> {
    file.write_at(bytes, *at)?;
    *at += bytes.len() as u64;
    Ok(())
}

/// Hands on the bytes of a file between two offsets.
pub fn copy(
    place: &mut dyn Place,
    path: &Path,
    (from, to): (u64, u64),
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    if from == to {
        return Ok(());
    }
    let mut input = place.open(path)?.input(from, to)?;
    let (mut buffer, mut left) = (vec![0; 256 << 10], to - from);
    while left > 0 {
        let wanted = buffer.len().min(left as usize);
        match input.read(&mut buffer[..wanted])? {
            0 => return Err(Error::of_io(std::io::ErrorKind::UnexpectedEof.into())),
            count => {
                take(&buffer[..count])?;
                left -= count as u64;
            }
        }
    }
    Ok(())
}
