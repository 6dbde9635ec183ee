//! Short texts that are remembered between runs and are nobody's to read: an address that carries its own
//! permission, what a job was given. Sealed under the key ring of the state, each for the place where it
//! stands.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::keys::{Sealer, random};
use super::tokens;
use crate::error::{Error, Result};

/// What seals short texts.
pub struct Seals(Vec<Sealer>);

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("seals")
    }
}

impl Seals {
    /// Under the key ring of a state, which is made if there is none.
    ///
    /// # Errors
    /// The state folder cannot be made or written, or its key ring is damaged.
    pub fn open(state: &Path, now_ns: i64) -> Result<Self> {
        Ok(Self(tokens::ring(state, now_ns)?.note_sealers()))
    }

    /// Seals a text for a place.
    ///
    /// # Errors
    /// No random numbers are to be had.
    pub fn seal(&self, text: &[u8], place: &str) -> Result<String> {
        let sealer = self.0.last().ok_or_else(|| Error::bug("the key ring has no key"))?;
        Ok(STANDARD.encode(sealer.seal(random()?, text, place.as_bytes())?))
    }

    /// The text again; `None`: sealed under a key that is gone, for another place, or altered.
    pub fn unseal(&self, sealed: &str, place: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = STANDARD.decode(sealed).ok()?;
        self.0.iter().rev().find_map(|sealer| sealer.unseal(&bytes, place.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_in_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seals = Seals::open(folder.path(), 0).unwrap();
        let sealed = seals.seal(b"https://files.example/?sig=abc", "orders").unwrap();
        assert!(!sealed.contains("sig"));
        let again = Seals::open(folder.path(), 0).unwrap();
        assert_eq!(again.unseal(&sealed, "orders").unwrap().as_slice(), b"https://files.example/?sig=abc");
        for (sealed, place) in [(sealed.as_str(), "items"), (&sealed[4..], "orders"), ("", "orders"), ("%", "orders")] {
            assert!(again.unseal(sealed, place).is_none());
        }
        let other = tempfile::tempdir().unwrap();
        assert!(Seals::open(other.path(), 0).unwrap().unseal(&sealed, "orders").is_none());
    }
}
