//! Encryption of values into envelopes, and back.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use bumpalo::collections::Vec as List;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::derive::derive;
use super::envelope::{Envelope, PREFIX, Way, bound};
use super::plain;
use super::siv::{self, Siv};
use super::xaes::{self, Derived, Xaes};
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
    Random(Box<Nonces>),
    Joinable(Box<Siv>),
}

/// Encryption of which no two results are alike, and the key that nonces are made with.
struct Nonces {
    cipher: Xaes,
    made_with: Zeroizing<[u8; 32]>,
    /// Tells ciphers apart in what a thread remembers.
    number: u64,
    /// Whether one cipher seals many values: the key of a column does, that of a subject hardly.
    recurs: bool,
}

/// What the values of one stretch of a slice have in common: the first half of their nonces and so the key
/// that is derived from it, and the key that the second halves are made with.
struct Stretch {
    number: u64,
    block: u64,
    slice: String,
    begin: [u8; xaes::BEGIN],
    derived: Derived,
    ends: Zeroizing<[u8; 32]>,
}

/// Bits of a record's byte that do not count for its stretch: a derived key serves a mebibyte of the source,
/// far fewer values than the second half of a nonce (96 bits) may be drawn for.
const STRETCH_BITS: u32 = 20;

/// How many stretches a thread remembers: one for each encrypted column, up to so many.
const REMEMBERED: usize = 16;

static NUMBER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static STRETCHES: RefCell<[Option<Box<Stretch>>; REMEMBERED]> = const { RefCell::new([const { None }; REMEMBERED]) };
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(***)")
    }
}

impl Sealing {
    /// Expands a key.
    pub(super) fn new(way: Way, key: &[u8; 32], id: &str, subject: Option<&str>, context: &str) -> Self {
        let bound = bound(way, id, subject, context);
        let cipher = match way {
            Way::Joinable => Cipher::Joinable(Box::new(Siv::new(&derive(key, &["join"]), &[&bound]))),
            Way::Random | Way::Subject => Cipher::Random(Box::new(Nonces {
                cipher: Xaes::new(&derive(key, &["encrypt"])),
                made_with: derive(key, &["nonce"]),
                number: NUMBER.fetch_add(1, Ordering::Relaxed),
                recurs: way == Way::Random,
            })),
        };
        let named = subject.map_or_else(|| id.to_owned(), |subject| format!("{id}.{subject}"));
        let begin = format!("{PREFIX}{}:{named}:", way.word());
        Self { cipher, way, begin, bound }
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
            Cipher::Random(nonces) => {
                let (nonce, text) = bytes.split_at_mut(front);
                let tag = nonces.seal(call, &self.bound, nonce, text).ok_or_else(too_long)?;
                bytes.extend_from_slice(&tag);
            }
            Cipher::Joinable(cipher) => {
                let tag = cipher.seal(&mut bytes[front..]);
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
            Cipher::Random(nonces) => {
                let (nonce, rest) = bytes.split_first_chunk_mut::<{ xaes::NONCE }>().ok_or_else(altered)?;
                let (text, tag) = rest.split_last_chunk_mut::<{ xaes::TAG }>().ok_or_else(altered)?;
                nonces.cipher.open(nonce, &self.bound, text, tag).map(|()| text.to_vec())
            }
            Cipher::Joinable(cipher) => {
                let (tag, text) = bytes.split_first_chunk_mut::<{ siv::TAG }>().ok_or_else(altered)?;
                cipher.open(text, tag).map(|()| text.to_vec())
            }
        };
        opened.map(Zeroizing::new).ok_or_else(altered)
    }
}

impl Nonces {
    /// Makes the nonce of a value and encrypts it in place; the tag. `None`: it is too long.
    fn seal(&self, call: &Call<'_, '_>, bound: &[u8], nonce: &mut [u8], text: &mut [u8]) -> Option<[u8; xaes::TAG]> {
        let moment = call.seed.moment;
        let block = moment.byte >> STRETCH_BITS;
        if !self.recurs {
            return self.stretch(moment.slice, block, bound).seal(call, nonce, text);
        }
        STRETCHES.with_borrow_mut(|known| {
            let place = &mut known[self.number as usize % REMEMBERED];
            match place {
                Some(stretch)
                    if stretch.number == self.number && stretch.block == block && stretch.slice == moment.slice =>
                {
                    stretch.seal(call, nonce, text)
                }
                place => place.insert(Box::new(self.stretch(moment.slice, block, bound))).seal(call, nonce, text),
            }
        })
    }

    fn stretch(&self, slice: &str, block: u64, bound: &[u8]) -> Stretch {
        let mut hasher = blake3::Hasher::new_keyed(&self.made_with);
        for part in [slice.as_bytes(), &block.to_le_bytes(), bound] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let (mut begin, mut ends) = ([0; xaes::BEGIN], Zeroizing::new([0; 32]));
        let mut made = hasher.finalize_xof();
        made.fill(&mut begin);
        made.fill(&mut *ends);
        let derived = self.cipher.derived(&begin, bound);
        Stretch { number: self.number, block, slice: slice.to_owned(), begin, derived, ends }
    }
}

impl Stretch {
    fn seal(&self, call: &Call<'_, '_>, nonce: &mut [u8], text: &mut [u8]) -> Option<[u8; xaes::TAG]> {
        let (seed, moment) = (&call.seed, call.seed.moment);
        let count = seed.drawn.get();
        seed.drawn.set(count + 1);
        // One block of the hash, where the value is short: place and value together.
        let mut front = [0; 32];
        let numbers = [moment.byte, moment.element, seed.salt, count];
        for (place, number) in front.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        let mut whole = [0; 64];
        let made = match whole.get_mut(..32 + text.len()) {
            Some(whole) => {
                whole[..32].copy_from_slice(&front);
                whole[32..].copy_from_slice(text);
                blake3::keyed_hash(&self.ends, whole)
            }
            None => blake3::Hasher::new_keyed(&self.ends).update(&front).update(text).finalize(),
        };
        zeroize::Zeroize::zeroize(&mut whole);
        let end: &[u8; xaes::NONCE - xaes::BEGIN] = made.as_bytes().first_chunk()?;
        let tag = self.derived.seal(end, text)?;
        let (first, second) = nonce.split_at_mut_checked(xaes::BEGIN)?;
        first.copy_from_slice(&self.begin);
        second.copy_from_slice(end);
        Some(tag)
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
