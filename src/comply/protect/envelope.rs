//! The envelope of an encrypted value: `cs1:<way>:<key id>:<base64url(nonce ‖ ciphertext ‖ tag)>`.
//!
//! Whoever reads one knows with what it was made and under which key, and nothing else. What is not
//! whole is refused with a word on what is wrong: an envelope is never taken for the value itself.

use data_encoding::BASE64URL_NOPAD;

/// The version of the form, and the beginning of every envelope.
pub const PREFIX: &str = "cs1:";

/// How the value inside was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// XAES-256-GCM: no two envelopes are alike.
    Random,
    /// AES-SIV: equal values have equal envelopes.
    Joinable,
    /// XAES-256-GCM under the key of one subject.
    Subject,
}

impl Way {
    /// Every way with its word.
    pub const ALL: &[(&str, Self)] = &[("x", Self::Random), ("s", Self::Joinable), ("p", Self::Subject)];

    /// The word in an envelope.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, way)| *way == self).map_or("", |(word, _)| word)
    }
}

/// An envelope, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'e> {
    /// How it was made.
    pub way: Way,
    /// The id of the key.
    pub key: &'e str,
    /// The subject whose key it is, for [`Way::Subject`]: base64url of its reference.
    pub subject: Option<&'e str>,
    /// The sealed bytes, as base64url.
    pub sealed: &'e str,
}

/// Why a text is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It does not begin as one.
    Plain,
    /// It is of a later version.
    Version,
    /// No way of that name.
    Way,
    /// A part is missing, too short, or not of the letters it may be of.
    Form,
}

impl Damage {
    /// In words, without a final period.
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain => "it is no envelope: one begins with `cs1:`",
            Self::Version => "its envelope is of a version that this consign does not know",
            Self::Way => "its envelope names a way of encryption that this consign does not know",
            Self::Form => "its envelope is damaged: parts of it are missing or altered",
        }
    }
}

impl<'e> Envelope<'e> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// It is no envelope, or not a whole one.
    pub fn parse(text: &'e str) -> Result<Self, Damage> {
        let Some(rest) = text.strip_prefix(PREFIX) else {
            let later = text.strip_prefix("cs").and_then(|rest| rest.split_once(':'));
            return Err(match later {
                Some((number, _)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
                    Damage::Version
                }
                _ => Damage::Plain,
            });
        };
        let mut parts = rest.split(':');
        let (Some(way), Some(key), Some(sealed), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Damage::Form);
        };
        let Some((_, way)) = Way::ALL.iter().find(|(word, _)| *word == way) else { return Err(Damage::Way) };
        let (key, subject) = match (way, key.split_once('.')) {
            (Way::Subject, Some((key, subject))) => (key, Some(subject)),
            (Way::Subject, None) | (_, Some(_)) => return Err(Damage::Form),
            _ => (key, None),
        };
        let named = |text: &str| !text.is_empty() && text.len() <= 64 && text.bytes().all(is_letter);
        if !named(key) || subject.is_some_and(|subject| !named(subject)) || !sealed.bytes().all(is_letter) {
            return Err(Damage::Form);
        }
        Ok(Self { way: *way, key, subject, sealed })
    }

    /// The sealed bytes.
    ///
    /// # Errors
    /// They are no base64url.
    pub fn bytes(&self) -> Result<Vec<u8>, Damage> {
        BASE64URL_NOPAD.decode(self.sealed.as_bytes()).map_err(|_| Damage::Form)
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// What the seal of an envelope covers besides the value: version, way, key and place, each with its
/// length, so that none can be taken for a part of another.
pub fn bound(way: Way, key: &str, subject: Option<&str>, context: &str) -> Vec<u8> {
    let parts = [PREFIX, way.word(), key, subject.unwrap_or_default(), context];
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn envelopes_are_taken_apart() {
        let parsed = Envelope::parse("cs1:x:ab12:AAEC").unwrap();
        assert_eq!((parsed.way, parsed.key, parsed.subject), (Way::Random, "ab12", None));
        assert_eq!(parsed.bytes().unwrap(), [0, 1, 2]);
        let parsed = Envelope::parse("cs1:p:ab12.Zz_-:").unwrap();
        assert_eq!((parsed.way, parsed.subject), (Way::Subject, Some("Zz_-")));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let check = |text, expected| assert_eq!(Envelope::parse(text).unwrap_err(), expected, "{text}");
        check("", Damage::Plain);
        check("anna@b.example", Damage::Plain);
        check("cs:x:k:AA", Damage::Plain);
        check("csv:x", Damage::Plain);
        check("cs2:x:k:AA", Damage::Version);
        check("cs1:q:k:AA", Damage::Way);
        check("cs1:x:k", Damage::Form);
        check("cs1:x:k:AA:AA", Damage::Form);
        check("cs1:x::AA", Damage::Form);
        check("cs1:x:k.s:AA", Damage::Form);
        check("cs1:p:k:AA", Damage::Form);
        check("cs1:x:k:A+", Damage::Form);
        check("cs1:x:k:AA==", Damage::Form);
        check("cs1:x:k é:AA", Damage::Form);
        // A letter that stands for no whole byte.
        assert_eq!(Envelope::parse("cs1:x:k:A").unwrap().bytes(), Err(Damage::Form));
    }

    #[test]
    fn no_two_places_are_bound_alike() {
        assert_ne!(bound(Way::Random, "ab", None, "c"), bound(Way::Random, "a", None, "bc"));
        assert_ne!(bound(Way::Subject, "a", Some("b"), ""), bound(Way::Subject, "a", None, "b"));
        assert_ne!(bound(Way::Random, "a", None, ""), bound(Way::Joinable, "a", None, ""));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_odd(text in "(cs1:)?[xsp:.A-Za-z0-9é_=-]{0,40}") {
            if let Ok(envelope) = Envelope::parse(&text) {
                let _ = envelope.bytes();
            }
        }
    }
}
