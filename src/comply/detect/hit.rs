//! What is kept of a value that was found: everything but the value.

use std::fmt;

use zeroize::Zeroizing;

use crate::comply::detectors::{ALL, Detector};
use crate::record::ClassId;

/// A value that a detector found. It never holds the value itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub(super) detector: u8,
    /// Its data class.
    pub class: ClassId,
    /// Where it begins in the text, in bytes; where it was decoded, what it was decoded from.
    pub offset: usize,
    /// How many bytes it takes there.
    pub length: usize,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// How often the text was decoded before it was seen: 0 is as it stands.
    pub layers: u8,
    /// Whether something around it spoke for it: the name of the field, a word near it, the column.
    pub supported: bool,
    /// The same for the same value under the same key; nothing where no key was given.
    pub fingerprint: Option<Fingerprint>,
    /// Its form, without its content.
    pub preview: Preview,
}

impl Hit {
    /// What found it.
    pub fn detector(&self) -> &'static Detector {
        ALL[usize::from(self.detector) % ALL.len()]
    }
}

/// A keyed digest of a value: BLAKE3 under a key, its first 128 bits. A value is short, and one block of it is one
/// step of the hash, where HMAC-SHA-256 takes four.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Makes fingerprints.
#[derive(Clone)]
pub(super) struct Fingerprints(Zeroizing<[u8; 32]>);

impl Fingerprints {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// The digest of a value; where separators are a matter of taste they do not count.
    pub(super) fn of(&self, value: &[u8], is_compact: bool) -> Fingerprint {
        let whole = if is_compact { self.compact(value) } else { blake3::keyed_hash(&self.0, value) };
        Fingerprint(whole.as_bytes().first_chunk().copied().unwrap_or_default())
    }

    fn compact(&self, value: &[u8]) -> blake3::Hash {
        let (mut held, mut count) = ([0; 64], 0);
        let mut long = None;
        for byte in value.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
            if count == held.len() {
                long.get_or_insert_with(|| blake3::Hasher::new_keyed(&self.0)).update(&held);
                count = 0;
            }
            held[count] = byte.to_ascii_uppercase();
            count += 1;
        }
        match &mut long {
            None => blake3::keyed_hash(&self.0, &held[..count]),
            Some(hasher) => hasher.update(&held[..count]).finalize(),
        }
    }
}

/// The most bytes of a form that are shown.
const SHOWN: usize = 24;

/// The form of a value: digits as `0`, letters as `x`, separators as they are. Of secrets and of words
/// not even that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    form: [u8; SHOWN],
    length: u8,
}

impl Preview {
    /// Of a value whose form gives nothing away.
    pub(super) fn of(value: &[u8]) -> Self {
        let mut form = [0; SHOWN];
        for (place, byte) in form.iter_mut().zip(value) {
            *place = match byte {
                b'0'..=b'9' => b'0',
                b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => b'x',
                b' ' | b'-' | b'.' | b'/' | b':' | b'@' | b'+' | b'(' | b')' => *byte,
                _ => b'*',
            };
        }
        Self { form, length: value.len().min(SHOWN) as u8 }
    }

    /// Of a value whose very form is its secret.
    pub(super) const HIDDEN: Self = {
        let mut form = [0; SHOWN];
        form[0] = b'*';
        form[1] = b'*';
        form[2] = b'*';
        Self { form, length: 3 }
    };

    /// The form.
    pub fn as_str(&self) -> &str {
        self.form.get(..usize::from(self.length)).and_then(|form| std::str::from_utf8(form).ok()).unwrap_or("***")
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_key_and_value_alone() {
        let one = Fingerprints::new(&[1; 32]);
        let other = Fingerprints::new(&[2; 32]);
        assert_eq!(one.of(b"4111 1111-1111 1111", true), one.of(b"4111111111111111", true));
        assert_ne!(one.of(b"4111 1111", false), one.of(b"41111111", false));
        assert_ne!(one.of(b"a", false), other.of(b"a", false));
        assert_eq!(one.of(&[b'7'; 200], true), one.of(&[b'7'; 200], false));
    }

    #[test]
    fn a_form_gives_nothing_away() {
        assert_eq!(Preview::of(b"123-45-6789").as_str(), "000-00-0000");
        assert_eq!(Preview::of("Zoë@b.example".as_bytes()).as_str(), "xxxx@x.xxxxxxx");
        assert_eq!(Preview::of(&[b'9'; 99]).as_str().len(), SHOWN);
        assert_eq!(Preview::HIDDEN.as_str(), "***");
    }
}
