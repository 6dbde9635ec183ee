//! Encryption of values into envelopes, and back.

use bumpalo::collections::Vec as List;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::derive::derive;
use super::envelope::{Envelope, PREFIX, Way, bound};
use super::plain;
use super::siv::{self, Siv};
use super::xaes::{self, Xaes};
use crate::expr::functions::{Call, Failure, Outcome};
use crate::expr::keyed::{failed, refused};
use crate::record::Value;

/// A key that makes envelopes of one way for one place.
#[derive(Debug)]
pub(super) struct Sealing {
    cipher: Cipher,
    way: Way,
    /// What every envelope begins with: `cs1:x:<key id>:`.
    begin: String,
    /// What the seal covers besides the value.
    bound: Vec<u8>,
}

enum Cipher {
    /// With the key that nonces are made with.
    Random(Box<Xaes>, Zeroizing<[u8; 32]>),
    Joinable(Siv),
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(***)")
    }
}

impl Sealing {
    /// Expands a key.
    pub(super) fn new(way: Way, key: &[u8; 32], id: &str, subject: Option<&str>, context: &str) -> Self {
        let cipher = match way {
            Way::Joinable => Cipher::Joinable(Siv::new(derive(key, &["join"]))),
            Way::Random | Way::Subject => {
                Cipher::Random(Box::new(Xaes::new(&derive(key, &["encrypt"]))), derive(key, &["nonce"]))
            }
        };
        let named = subject.map_or_else(|| id.to_owned(), |subject| format!("{id}.{subject}"));
        let begin = format!("{PREFIX}{}:{named}:", way.word());
        Self { cipher, way, begin, bound: bound(way, id, subject, context) }
    }

    /// How it encrypts.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    /// Whether an envelope was made with this key.
    pub(super) fn made(&self, envelope: &Envelope<'_>) -> bool {
        envelope.way == self.way && self.begin.split(':').nth(2) == Some(envelope.key)
    }

    /// The envelope of a value.
    ///
    /// The nonce is not drawn but made, under a key of its own, of the value, the place it is for and the
    /// place where the record stands. A record that is read again after a crash, or replayed, gives the
    /// same envelope; nonces of different values are as unlike as if they were drawn.
    pub(super) fn seal<'a>(&self, call: &Call<'_, 'a>, value: &Value<'a>) -> Outcome<'a> {
        let (tag, text) = (plain::tag(value)?, plain::text(value)?);
        let front = if self.way == Way::Joinable { siv::TAG } else { xaes::NONCE };
        let room = front + 1 + text.len() + xaes::TAG;
        call.spend(room * 3 + self.begin.len())?;
        let mut bytes = List::with_capacity_in(room, call.arena);
        bytes.resize(front, 0);
        bytes.push(tag);
        bytes.extend_from_slice(&text);
        let too_long = || refused("the value is too long");
        match &self.cipher {
            Cipher::Random(cipher, made_with) => {
                let mut nonce = [0; xaes::NONCE];
                self.nonce(call, made_with, &bytes[front..], &mut nonce);
                bytes[..front].copy_from_slice(&nonce);
                let tag = cipher.seal(&nonce, &self.bound, &mut bytes[front..]).ok_or_else(too_long)?;
                bytes.extend_from_slice(&tag);
            }
            Cipher::Joinable(cipher) => {
                let tag = cipher.seal(&self.bound, &mut bytes[front..]).ok_or_else(too_long)?;
                bytes[..front].copy_from_slice(&tag);
            }
        }
        let begin = self.begin.len();
        let whole = begin + BASE64URL_NOPAD.encode_len(bytes.len());
        let mut out = List::with_capacity_in(whole, call.arena);
        out.extend_from_slice(self.begin.as_bytes());
        out.resize(whole, 0);
        BASE64URL_NOPAD.encode_mut(&bytes, &mut out[begin..]);
        Ok(Value::String(std::str::from_utf8(out.into_bump_slice()).map_err(|_| too_long())?))
    }

    fn nonce(&self, call: &Call<'_, '_>, made_with: &[u8; 32], plain: &[u8], nonce: &mut [u8; xaes::NONCE]) {
        let (seed, moment) = (&call.seed, call.seed.moment);
        let count = seed.drawn.get();
        seed.drawn.set(count + 1);
        let mut hasher = blake3::Hasher::new_keyed(made_with);
        let numbers = [moment.byte, moment.element, seed.salt, count, moment.slice.len() as u64, plain.len() as u64];
        let mut front = [0; 48];
        for (place, number) in front.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        hasher.update(&front);
        hasher.update(moment.slice.as_bytes());
        hasher.update(plain);
        hasher.update(&self.bound);
        hasher.finalize_xof().fill(nonce);
    }

    /// The value in an envelope that was made with this key for this place.
    pub(super) fn open<'a>(&self, call: &Call<'_, 'a>, envelope: &Envelope<'_>) -> Outcome<'a> {
        let plain = self.opened(envelope)?;
        plain::value(call, &plain)
    }

    fn opened(&self, envelope: &Envelope<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut bytes = Zeroizing::new(envelope.bytes().map_err(|damage| refused(damage.words()))?);
        let altered = || {
            refused(
                "the envelope does not open: it was altered, or made for another place (its context), or another field",
            )
        };
        let opened = match &self.cipher {
            Cipher::Random(cipher, _) => {
                let (nonce, rest) = bytes.split_first_chunk_mut::<{ xaes::NONCE }>().ok_or_else(altered)?;
                let (text, tag) = rest.split_last_chunk_mut::<{ xaes::TAG }>().ok_or_else(altered)?;
                cipher.open(nonce, &self.bound, text, tag).map(|()| text.to_vec())
            }
            Cipher::Joinable(cipher) => {
                let (tag, text) = bytes.split_first_chunk_mut::<{ siv::TAG }>().ok_or_else(altered)?;
                cipher.open(&self.bound, text, tag).map(|()| text.to_vec())
            }
        };
        opened.map(Zeroizing::new).ok_or_else(altered)
    }
}

/// Takes a value apart that is to be opened.
///
/// # Errors
/// It is no text, or no envelope.
pub(super) fn envelope<'a>(value: &Value<'a>) -> Result<Envelope<'a>, Failure> {
    let Value::String(text) = value else { return Err(refused("it is no envelope: one is text")) };
    Envelope::parse(text).map_err(|damage| failed(&crate::error::codes::expr::SEALED, damage.words()))
}
