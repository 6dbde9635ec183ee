//! What was encrypted, in clear; and the same under the newest version of its key.

use super::envelope::{Envelope, Way};
use super::seal::{Sealing, envelope};
use super::subject::Subjects;
use crate::expr::functions::{Call, Failure, Outcome};
use crate::expr::keyed::{Work, refused};
use crate::record::Value;

/// Opens envelopes of any version of one key.
#[derive(Debug)]
pub(super) struct Decrypt {
    way: Way,
    versions: Vec<(String, Sealing)>,
    destroyed: Vec<String>,
    subjects: Option<Subjects>,
}

impl Decrypt {
    pub(super) fn new(
        way: Way,
        versions: Vec<(String, Sealing)>,
        destroyed: Vec<String>,
        subjects: Option<Subjects>,
    ) -> Self {
        Self { way, versions, destroyed, subjects }
    }
}

impl Work for Decrypt {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let sealed = envelope(value)?;
        match (&self.subjects, sealed.way) {
            (Some(subjects), Way::Subject) => subjects.open(call, &sealed),
            (None, way) if way == self.way => version(&self.versions, &self.destroyed, &sealed)?.open(call, &sealed),
            _ => Err(refused("the envelope was made in another way than this key encrypts")),
        }
    }
}

/// Opens with the version that sealed and seals with the newest; what is under that already stays.
#[derive(Debug)]
pub(super) struct Reencrypt {
    newest: Sealing,
    versions: Vec<(String, Sealing)>,
    destroyed: Vec<String>,
}

impl Reencrypt {
    pub(super) fn new(newest: Sealing, versions: Vec<(String, Sealing)>, destroyed: Vec<String>) -> Self {
        Self { newest, versions, destroyed }
    }
}

impl Work for Reencrypt {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let sealed = envelope(value)?;
        let plain = version(&self.versions, &self.destroyed, &sealed)?.open(call, &sealed)?;
        if self.newest.made(&sealed) { Ok(*value) } else { self.newest.seal(call, &plain) }
    }
}

/// The version that sealed an envelope.
fn version<'v>(
    versions: &'v [(String, Sealing)],
    destroyed: &[String],
    sealed: &Envelope<'_>,
) -> Result<&'v Sealing, Failure> {
    match versions.iter().find(|(id, _)| id == sealed.key) {
        Some((_, sealing)) if sealing.way() == sealed.way => Ok(sealing),
        Some(_) => Err(refused("the envelope was made in another way than this key encrypts")),
        None if destroyed.iter().any(|id| id == sealed.key) => {
            Err(refused("the version of the key that sealed it was destroyed: nobody can open it any more"))
        }
        None => Err(refused("it was sealed with another key: none of this key's versions has the id in its envelope")),
    }
}
