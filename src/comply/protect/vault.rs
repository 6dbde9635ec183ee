//! Random tokens, and what keeps them: nothing in a token leads back but the vault, which is a table of
//! the state. Also what else the state keeps for protection: keys of subjects, and who was erased.

use std::fmt::Debug;
use std::sync::Arc;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::derive::derive;
use super::mac::Keyed;
use super::plain;
use super::ring::Version;
use super::xaes::{NONCE, TAG, Xaes};
use crate::error::codes::expr as codes;
use crate::expr::functions::{Call, Failure, Outcome};
use crate::expr::keyed::{Refused, Work, failed, refused};
use crate::record::{KeyState, Value};

/// What a subject is known by: a keyed hash of its id.
pub type Reference = [u8; 16];

/// A key or value as the vault keeps it: by what it was sealed, and the sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the version that sealed it.
    pub by: String,
    /// Sealed.
    pub sealed: Vec<u8>,
}

/// What a vault says of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its sealed key.
    Known(Stored),
    /// There is none.
    Unknown,
    /// It was erased.
    Erased,
}

/// What the state keeps for protection. What is put there is there before anything made with it is sent.
pub trait Vault: Debug + Send + Sync {
    /// What the subject of an id is known by.
    fn reference(&self, id: &[u8]) -> Reference;

    /// What there is of a subject under a key.
    ///
    /// # Errors
    /// In words: the state cannot be read.
    fn subject(&self, name: &str, subject: &Reference) -> Result<Standing, String>;

    /// Keeps the key of a subject that has none; gives what is kept then, which may be another's.
    ///
    /// # Errors
    /// In words: the state cannot be written.
    fn keep_subject(&self, name: &str, subject: &Reference, stored: Stored) -> Result<Standing, String>;

    /// Whether a subject was erased.
    ///
    /// # Errors
    /// In words: the state cannot be read.
    fn is_erased(&self, subject: &Reference) -> Result<bool, String>;

    /// The token of a value, by its keyed hash.
    ///
    /// # Errors
    /// In words: the state cannot be read.
    fn token(&self, name: &str, value: &[u8; 32]) -> Result<Option<String>, String>;

    /// Keeps a token for a value that has none; gives the one that is kept then.
    ///
    /// # Errors
    /// In words: the state cannot be written.
    fn keep_token(&self, name: &str, value: &[u8; 32], token: &str, stored: Stored) -> Result<String, String>;

    /// Random bytes.
    ///
    /// # Errors
    /// In words: there are none to be had.
    fn random(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// What a vault that does not answer makes of a value.
#[cold]
pub(super) fn out_of_reach(cause: String) -> Failure {
    failed(&codes::SEALED, cause)
}

/// Seals bytes with a random nonce in front.
pub(super) fn wrap(cipher: &Xaes, vault: &dyn Vault, plain: &[u8], place: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut nonce = [0; NONCE];
    vault.random(&mut nonce).map_err(out_of_reach)?;
    let mut out = [&nonce, plain].concat();
    let tag = cipher.seal(&nonce, place, &mut out[NONCE..]).ok_or_else(|| refused("the value is too long"))?;
    out.extend_from_slice(&tag);
    Ok(out)
}

/// What [`wrap`] sealed.
pub(super) fn unwrap(cipher: &Xaes, sealed: &[u8], place: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (text, tag) = rest.split_last_chunk::<TAG>()?;
    let mut plain = Zeroizing::new(text.to_vec());
    cipher.open(nonce, place, &mut plain, tag)?;
    Some(plain)
}

/// The cipher that a key wraps with.
pub(super) fn wrapping(key: &[u8; 32]) -> Xaes {
    Xaes::new(&derive(key, &["wrap"]))
}

/// Seals again, under another version, what the vault keeps: a key of a subject, or a value.
///
/// # Errors
/// In words: it does not open under its version, or there is no randomness.
pub fn rewrap(
    from: &Version,
    to: &Version,
    vault: &dyn Vault,
    stored: &Stored,
    place: &[u8],
) -> Result<Stored, String> {
    let plain = unwrap(&wrapping(&from.key), &stored.sealed, place)
        .ok_or_else(|| format!("it does not open under the version {}", from.id))?;
    let sealed = wrap(&wrapping(&to.key), vault, &plain, place).map_err(|failure| failure.cause.to_string())?;
    Ok(Stored { by: to.id.clone(), sealed })
}

/// Where the value of a token belongs.
pub fn token_place(name: &str, value: &[u8; 32]) -> Vec<u8> {
    [b"vault/1 ", name.as_bytes(), b" ", &value[..]].concat()
}

/// Gives random tokens: the same value has the same one for as long as the vault is kept.
#[derive(Debug)]
pub(super) struct RandomToken {
    name: String,
    /// Of the first version: a later one must not make known values unknown.
    known_by: Keyed,
    seals: (String, Xaes),
    vault: Arc<dyn Vault>,
}

impl RandomToken {
    pub(super) fn new(name: &str, versions: &[Version], vault: Arc<dyn Vault>) -> Result<Self, Refused> {
        let first = versions.iter().min_by_key(|one| one.number);
        let active = versions.iter().find(|one| one.state == KeyState::Active);
        match (first, active) {
            (Some(first), Some(active)) if first.number == 1 => Ok(Self {
                name: name.to_owned(),
                known_by: Keyed::new(&derive(&first.key, &["vault"])),
                seals: (active.id.clone(), wrapping(&active.key)),
                vault,
            }),
            _ => Err(Refused {
                cause: format!("the first version of the key `{name}`, by which the vault knows values, is gone"),
                fix: "declare a new key of the purpose `vault`".into(),
            }),
        }
    }
}

impl Work for RandomToken {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let text = plain::text(value)?;
        let known_by = self.known_by.digest(&text);
        let token = match self.vault.token(&self.name, &known_by).map_err(out_of_reach)? {
            Some(token) => token,
            None => {
                let mut bytes = [0; 15];
                self.vault.random(&mut bytes).map_err(out_of_reach)?;
                let token = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
                let (by, cipher) = &self.seals;
                let sealed = wrap(cipher, &*self.vault, &text, &token_place(&self.name, &known_by))?;
                let stored = Stored { by: by.clone(), sealed };
                self.vault.keep_token(&self.name, &known_by, &token, stored).map_err(out_of_reach)?
            }
        };
        call.spend(token.len())?;
        Ok(Value::String(call.arena.alloc_str(&token)))
    }
}

/// Where nothing is kept: what is made of a value is made of the value. For rehearsals.
#[derive(Debug)]
pub(super) struct Rehearsed;

impl Vault for Rehearsed {
    fn reference(&self, id: &[u8]) -> Reference {
        let digest = Keyed::new(&[0; 32]).digest(id);
        digest.first_chunk().copied().unwrap_or_default()
    }
    fn subject(&self, _: &str, _: &Reference) -> Result<Standing, String> {
        Ok(Standing::Unknown)
    }
    fn keep_subject(&self, _: &str, _: &Reference, stored: Stored) -> Result<Standing, String> {
        Ok(Standing::Known(stored))
    }
    fn is_erased(&self, _: &Reference) -> Result<bool, String> {
        Ok(false)
    }
    fn token(&self, _: &str, value: &[u8; 32]) -> Result<Option<String>, String> {
        Ok(Some(BASE32_NOPAD.encode(&value[..15]).to_ascii_lowercase()))
    }
    fn keep_token(&self, _: &str, _: &[u8; 32], token: &str, _: Stored) -> Result<String, String> {
        Ok(token.to_owned())
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        bytes.fill(0);
        Ok(())
    }
}

/// A reference as envelopes write it.
pub(super) fn written(reference: &Reference) -> String {
    BASE64URL_NOPAD.encode(reference)
}
