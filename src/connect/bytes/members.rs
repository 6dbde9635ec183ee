//! The members of an archive, one after the other, and what is new in each since it was settled.
//!
//! A member is known by its archive, its name, its size and its checksum: one that is in a newer
//! archive of the same name just as it was is not read again, one that changed is read anew.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::archive::{Member, members};
use super::identity::{Identity, Kinship, fresh_slice, short_hash};
use super::paths::Listed;
use super::place::{Opened, Place};
use crate::error::codes::connect::ZIP_DAMAGED;
use crate::error::{Error, Kind, Result};
use crate::record::{Position, Settled, SliceId};

/// An archive while its members are read.
pub struct Archive {
    /// Where it is and how a person names it.
    pub file: Listed,
    /// What it is known by.
    pub now: Identity,
    /// Its length in bytes.
    pub length: u64,
    members: VecDeque<Member>,
    /// What is settled of members, by their names.
    settled: HashMap<String, Vec<(SliceId, Settled, Identity, Content)>>,
}

/// What a position remembers of its member. Written by one version, read by later ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    name: String,
    size: u64,
    crc: u32,
}

/// What is to be done with a member.
pub enum Verdict {
    /// It is read from its beginning, as this slice; the note says why, if it was read before.
    Anew(SliceId, Option<String>),
    /// It is read on.
    On(SliceId, Position),
    /// It was read to its end before.
    Done,
}

impl Archive {
    /// Looks into an archive.
    ///
    /// # Errors
    /// As for [`members`].
    pub fn open(place: &mut dyn Place, file: Listed, pattern: &str, settled: &[(SliceId, Settled)]) -> Result<Self> {
        let doing = |e: Error| e.doing(format!("reading `{}`", file.name));
        let mut opened = place.open(&file.path).map_err(doing)?;
        let length = opened.about().map_err(doing)?.length;
        let now = Identity::of(&mut *opened, &file.name, length).map_err(doing)?;
        let members = members(&mut *opened, length, pattern).map_err(doing)?.into();
        let mut known: HashMap<String, Vec<_>> = HashMap::new();
        for (slice, at) in settled {
            if let (Some(archive), Some(content)) = (Identity::in_position(&at.position), content_of(&at.position)) {
                known.entry(content.name.clone()).or_default().push((slice.clone(), at.clone(), archive, content));
            }
        }
        Ok(Self { file, now, length, members, settled: known })
    }

    /// Whether nothing in it is wanted.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The next member.
    pub fn next(&mut self) -> Option<Member> {
        self.members.pop_front()
    }

    /// A member as a person names it.
    pub fn name_of(&self, member: &Member) -> String {
        format!("{}/{}", self.file.name, member.name)
    }

    /// The archive once more, for one member, and where its bytes lie.
    ///
    /// # Errors
    /// If it is not the archive any more that was looked into.
    pub fn enter(&self, place: &mut dyn Place, member: &Member) -> Result<(Box<dyn Opened>, (u64, u64))> {
        let mut opened = place.open(&self.file.path)?;
        let about = opened.about()?;
        let object = about.object.unwrap_or_default();
        let same = (about.length, about.modified) == (self.length, self.now.modified);
        if !same || object != (self.now.device, self.now.inode) {
            return Err(Error::new(Kind::Failed, &ZIP_DAMAGED, "the archive was replaced while it was read")
                .hint("what was read before is kept; let its writer finish, then run again"));
        }
        let range = member.range(&mut *opened, self.length)?;
        Ok((opened, range))
    }

    /// What a position in a member remembers.
    pub fn extra(&self, member: &Member) -> serde_json::Value {
        let mut extra = serde_json::to_value(&self.now).unwrap_or_default();
        if let serde_json::Value::Object(fields) = &mut extra {
            fields.insert("member".into(), serde_json::to_value(content(member)).unwrap_or_default());
        }
        extra
    }

    /// What is to be done with a member, `file` being the archive.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub fn judge(&self, member: &Member, file: &mut dyn Opened, all: &[(SliceId, Settled)]) -> Result<Verdict> {
        let base = format!("{}!{}", self.now.slice(), short_hash(member.name.as_bytes()));
        let mut changed = false;
        for (slice, at, archive, then) in self.settled.get(&member.name).into_iter().flatten().rev() {
            if archive.path != self.now.path && self.now.kinship(archive, file)? != Kinship::Same {
                continue;
            }
            match (*then == content(member), at.done) {
                (true, true) => return Ok(Verdict::Done),
                (true, false) => return Ok(Verdict::On(slice.clone(), at.position.clone())),
                (false, _) => changed = true,
            }
        }
        let note = changed.then(|| format!("`{}` changed: it is read from its beginning", self.name_of(member)));
        Ok(Verdict::Anew(fresh_slice(&base, all), note))
    }

    /// Whether this position was settled in this member.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub fn holds(&self, member: &Member, file: &mut dyn Opened, position: &Position) -> Result<bool> {
        let (Some(archive), Some(then)) = (Identity::in_position(position), content_of(position)) else {
            return Ok(false);
        };
        if then != content(member) {
            return Ok(false);
        }
        Ok(archive.path == self.now.path || self.now.kinship(&archive, file)? == Kinship::Same)
    }
}

fn content(member: &Member) -> Content {
    Content { name: member.name.clone(), size: member.sealed.size, crc: member.sealed.crc }
}

fn content_of(position: &Position) -> Option<Content> {
    serde_json::from_value(position.extra.get("member")?.clone()).ok()
}
