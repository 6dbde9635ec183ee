//! Encryption under a key for each subject: whoever destroys that key has erased everything that was ever
//! encrypted for the subject, wherever it went.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::envelope::{Envelope, Way};
use super::plain;
use super::ring::Version;
use super::seal::Sealing;
use super::vault::{Reference, Standing, Stored, Vault, out_of_reach, unwrap, wrap, wrapping, written};
use crate::error::codes::expr as codes;
use crate::expr::functions::{Call, Failure, Outcome};
use crate::expr::keyed::{Work, failed, refused};
use crate::record::{KeyState, Value};

/// How many keys of subjects are kept open at once.
const KEPT: usize = 1 << 16;

/// Where the key of a subject belongs.
pub fn subject_place(name: &str, subject: &Reference) -> Vec<u8> {
    [b"subject/1 ", name.as_bytes(), b" ", &subject[..]].concat()
}

/// The keys of subjects under one key of the project.
#[derive(Debug)]
pub(super) struct Subjects {
    name: String,
    versions: Vec<Version>,
    vault: Arc<dyn Vault>,
    /// What tells places apart.
    context: String,
    open: Mutex<HashMap<Reference, Arc<Sealing>>>,
}

impl Subjects {
    pub(super) fn new(name: &str, versions: &[Version], vault: Arc<dyn Vault>, context: &str) -> Self {
        let (name, context) = (name.to_owned(), context.to_owned());
        Self { name, versions: versions.to_vec(), vault, context, open: Mutex::default() }
    }

    /// What seals for a subject; made if there is none and it may be.
    fn sealing(&self, subject: &Reference, make: bool) -> Result<Arc<Sealing>, Failure> {
        if let Some(sealing) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(subject) {
            return Ok(Arc::clone(sealing));
        }
        let place = subject_place(&self.name, subject);
        let mut standing = self.vault.subject(&self.name, subject).map_err(out_of_reach)?;
        if standing == Standing::Unknown && make {
            let active = self.versions.iter().find(|one| one.state == KeyState::Active);
            let active = active.ok_or_else(|| refused("the key has no version that protects"))?;
            let mut key = Zeroizing::new([0; 32]);
            self.vault.random(&mut *key).map_err(out_of_reach)?;
            let sealed = wrap(&wrapping(&active.key), &*self.vault, &*key, &place)?;
            let stored = Stored { by: active.id.clone(), sealed };
            standing = self.vault.keep_subject(&self.name, subject, stored).map_err(out_of_reach)?;
        }
        let stored = match standing {
            Standing::Known(stored) => stored,
            Standing::Erased => return Err(erased()),
            Standing::Unknown => return Err(refused("no key of this subject is known here")),
        };
        let version = self.versions.iter().find(|one| one.id == stored.by);
        let version = version.ok_or_else(|| refused("the version that seals the key of this subject is gone"))?;
        let key = unwrap(&wrapping(&version.key), &stored.sealed, &place)
            .and_then(|key| Some(Zeroizing::new(<[u8; 32]>::try_from(&**key).ok()?)))
            .ok_or_else(|| refused("the key of this subject was altered"))?;
        // The name of the key stays in the envelope, so that it outlives rotations of what wraps it.
        let sealing = Sealing::new(Way::Subject, &key, &self.name, Some(&written(subject)), &self.context);
        let sealing = Arc::new(sealing);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= KEPT {
            open.clear();
        }
        open.insert(*subject, Arc::clone(&sealing));
        Ok(sealing)
    }

    /// What was sealed for a subject.
    pub(super) fn open<'a>(&self, call: &Call<'_, 'a>, sealed: &Envelope<'_>) -> Outcome<'a> {
        let subject = sealed.subject.and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        let subject = subject.and_then(|bytes| Reference::try_from(bytes.as_slice()).ok());
        let subject = subject.ok_or_else(|| refused(super::envelope::Damage::Form.words()))?;
        if sealed.key != self.name {
            return Err(refused("it was sealed with another key"));
        }
        self.sealing(&subject, false)?.open(call, sealed)
    }
}

/// Makes envelopes for the subject that the third argument names.
#[derive(Debug)]
pub(super) struct EncryptFor(pub Subjects);

impl Work for EncryptFor {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, _, subject, ..] = arguments else { return Err(refused("there is no subject")) };
        let reference = reference(&*self.0.vault, subject)?;
        self.0.sealing(&reference, true)?.seal(call, value)
    }
}

/// Whether a subject was erased.
#[derive(Debug)]
pub(super) struct IsErased(pub Arc<dyn Vault>);

impl Work for IsErased {
    fn apply<'a>(&self, _: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [subject, ..] = arguments else { return Err(refused("there is no subject")) };
        let reference = reference(&*self.0, subject)?;
        Ok(Value::Bool(self.0.is_erased(&reference).map_err(out_of_reach)?))
    }
}

fn reference(vault: &dyn Vault, subject: &Value<'_>) -> Result<Reference, Failure> {
    let text = plain::text(subject)?;
    if text.is_empty() {
        return Err(refused("the subject is empty: everybody without one would share a key"));
    }
    Ok(vault.reference(&text))
}

#[cold]
fn erased() -> Failure {
    failed(&codes::ERASED, "the subject was erased: nothing is encrypted or opened for it any more")
}
