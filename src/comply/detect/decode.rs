//! What hides a value without protecting it: URL encoding, entities, escapes of JSON, base64, and
//! Unicode's other digits, spaces and hyphens. Each decoded text knows where its bytes came from.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How often a text is decoded at most: base64 in JSON in a URL is three.
pub(super) const DEPTH: u8 = 3;
/// The shortest base64 that is looked into.
pub(super) const BASE64: usize = 24;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A decoded text, and from where in the original each stretch of it came. Reused: it keeps its memory.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) text: Vec<u8>,
    /// Where stretches begin: here, and there. Within one, both go on in step.
    stretches: Vec<(usize, usize)>,
    whole: usize,
}

impl Decoded {
    fn clear(&mut self, whole: usize) {
        self.text.clear();
        self.stretches.clear();
        self.stretches.push((0, 0));
        self.whole = whole;
    }

    /// Puts decoded bytes for what stood before `next` in the original.
    fn put(&mut self, bytes: &[u8], at: usize, next: usize) {
        self.stretches.push((self.text.len(), at));
        self.text.extend_from_slice(bytes);
        self.stretches.push((self.text.len(), next));
    }

    /// Where in the original a stretch of the decoded text stands: offset and length.
    pub(super) fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let place = |at: usize| {
            let index = self.stretches.partition_point(|(here, _)| *here <= at).saturating_sub(1);
            let (here, there) = self.stretches[index];
            let limit = self.stretches.get(index + 1).map_or(self.whole, |(_, there)| *there);
            (there + (at - here)).min(limit.max(there))
        };
        let from = place(start);
        (from, place(end).saturating_sub(from))
    }

    /// Undoes URL encoding, entities and escapes, each once; `false` if there was nothing to undo.
    pub(super) fn unescape(&mut self, text: &[u8]) -> bool {
        self.clear(text.len());
        let (mut at, mut copied) = (0, 0);
        let mut buffer = [0; 4];
        while let Some(found) = memchr::memchr3(b'%', b'&', b'\\', &text[at..]) {
            let start = at + found;
            let decoded = match text[start] {
                b'%' => percent(&text[start..]).map(|byte| (None, byte, 3)),
                b'&' => entity(&text[start..]).map(|(character, length)| (Some(character), 0, length)),
                _ => escape(&text[start..]).map(|(character, length)| (Some(character), 0, length)),
            };
            at = start + 1;
            if let Some((character, byte, length)) = decoded {
                self.text.extend_from_slice(&text[copied..start]);
                match character {
                    Some(character) => self.put(character.encode_utf8(&mut buffer).as_bytes(), start, start + length),
                    None => self.put(&[byte], start, start + length),
                }
                at = start + length;
                copied = at;
            }
        }
        self.text.extend_from_slice(&text[copied..]);
        self.stretches.len() > 1
    }

    /// Puts the plain digits, spaces and hyphens for Unicode's others, and drops what has no width.
    pub(super) fn fold(&mut self, text: &[u8]) -> bool {
        self.clear(text.len());
        let Ok(text) = std::str::from_utf8(text) else { return false };
        let mut copied = 0;
        for (at, character) in text.char_indices().filter(|(_, character)| !character.is_ascii()) {
            let plain: Option<&[u8]> = match plain(character) {
                Some(Plain::Nothing) => Some(b""),
                Some(Plain::Byte(byte)) => Some(std::slice::from_ref(&PLAIN[usize::from(byte)])),
                None => None,
            };
            if let Some(plain) = plain {
                self.text.extend_from_slice(&text.as_bytes()[copied..at]);
                copied = at + character.len_utf8();
                self.put(plain, at, copied);
            }
        }
        self.text.extend_from_slice(&text.as_bytes()[copied..]);
        self.stretches.len() > 1
    }

    /// Decodes base64 of either alphabet; `false` unless text comes out.
    pub(super) fn base64(&mut self, text: &[u8]) -> bool {
        self.clear(text.len());
        // What stands in it cannot be pointed at: a hit is the whole.
        self.stretches.clear();
        let engine = if text.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
        engine.decode_vec(text, &mut self.text).is_ok() && is_text(&self.text)
    }
}

/// Whether bytes are text that somebody could have written.
fn is_text(bytes: &[u8]) -> bool {
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r') || **byte == 0x7F;
    bytes.len() >= 8 && bytes.iter().find(control).is_none() && std::str::from_utf8(bytes).is_ok()
}

/// All of ASCII, to borrow a byte of.
static PLAIN: [u8; 128] = {
    let mut all = [0; 128];
    let mut at = 0;
    while at < 128 {
        all[at] = at as u8;
        at += 1;
    }
    all
};

/// What stands for a character that only looks different.
enum Plain {
    Nothing,
    Byte(u8),
}

fn plain(character: char) -> Option<Plain> {
    let digit = |zero: u32| Some(Plain::Byte(b'0' + (character as u32 - zero) as u8));
    match character {
        // Soft hyphen, zero width, word joiner, byte-order mark.
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => Some(Plain::Nothing),
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => Some(Plain::Byte(b' ')),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' => Some(Plain::Byte(b'-')),
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6F0}'..='\u{6F9}' => digit(0x6F0),
        '\u{966}'..='\u{96F}' => digit(0x966),
        // The full-width forms of ASCII.
        '\u{FF01}'..='\u{FF5E}' => Some(Plain::Byte((character as u32 - 0xFF01 + 0x21) as u8)),
        _ => None,
    }
}

/// Whether a byte can begin a character that [`plain`] knows.
pub(super) const fn may_fold(lead: u8) -> bool {
    matches!(lead, 0xC2 | 0xD9 | 0xDB | 0xE0 | 0xE2 | 0xE3 | 0xEF)
}

/// Whether characters beyond ASCII in a stretch stand for plain ones.
pub(super) fn folds(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.chars().any(|character| plain(character).is_some()))
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// `%41`.
fn percent(text: &[u8]) -> Option<u8> {
    let [_, high, low, ..] = text else { return None };
    Some(hexadecimal(*high)? << 4 | hexadecimal(*low)?)
}

/// `&amp;`, `&#64;`, `&#x40;`: the five of XML and a few that separate.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    let end = text.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" | "ndash" | "hyphen" | "dash" | "minus" => '-',
        "commat" => '@',
        "period" => '.',
        "colon" => ':',
        number => match number.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => char::from_u32(u32::from_str_radix(&hex[1..], 16).ok()?)?,
            decimal => char::from_u32(decimal.parse().ok()?)?,
        },
    };
    Some((character, end + 1))
}

/// `\u0040`, `\/`, `\"`, `\n`: the escapes of JSON.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    match text.get(1)? {
        b'u' => {
            let digits =
                text.get(2..6)?.iter().try_fold(0, |sum, byte| Some(sum << 4 | u32::from(hexadecimal(*byte)?)))?;
            // Halves of pairs are no digits nor letters of anything looked for.
            Some((char::from_u32(digits).unwrap_or('\u{FFFD}'), 6))
        }
        b'n' | b'r' => Some(('\n', 2)),
        b't' => Some(('\t', 2)),
        plain @ (b'"' | b'/' | b'\\') => Some((char::from(*plain), 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, looked: &str, origin: &str) {
        let mut decoded = Decoded::default();
        assert!(decoded.unescape(text.as_bytes()), "{text}");
        let out = String::from_utf8(decoded.text.clone()).unwrap();
        assert_eq!(out, expected);
        let start = out.find(looked).unwrap();
        let (from, length) = decoded.origin(start, start + looked.len());
        assert_eq!(&text[from..from + length], origin);
    }

    #[test]
    fn decoded_text_knows_its_origin() {
        check("to=a%40b.example&x=1", "to=a@b.example&x=1", "a@b.example", "a%40b.example");
        check("a&#64;b.example", "a@b.example", "a@b.example", "a&#64;b.example");
        check("x&#x40;y &amp; z", "x@y & z", "x@y", "x&#x40;y");
        check(r#"{\"ssn\":\"123-45\u002d6789\"}"#, r#"{"ssn":"123-45-6789"}"#, "123-45-6789", r"123-45\u002d6789");
        check("%41%42%43", "ABC", "B", "%42");
    }

    #[test]
    fn what_is_not_encoded_stays() {
        let mut decoded = Decoded::default();
        for text in ["", "100% sure & so on \\", "%", "%4", "%zz", "&", "&;", "&unknown;", "\\", "\\u12", "\\x41"] {
            assert!(!decoded.unescape(text.as_bytes()), "{text}");
            assert_eq!(decoded.text, text.as_bytes());
        }
    }

    #[test]
    fn other_digits_and_spaces_are_folded() {
        let mut decoded = Decoded::default();
        let text = "４１１１\u{200B}1111\u{A0}1111\u{2011}١١١١ é";
        assert!(decoded.fold(text.as_bytes()));
        assert_eq!(decoded.text, "41111111 1111-1111 é".as_bytes());
        let (from, length) = decoded.origin(0, 18);
        assert_eq!(&text[from..from + length], text.strip_suffix(" é").unwrap());
        assert!(!decoded.fold("é “quoted”".as_bytes()));
    }

    #[test]
    fn base64_of_text_is_read() {
        let mut decoded = Decoded::default();
        assert!(decoded.base64(b"c3NuOiA1MzYtOTAtNDM5OSBpcyBtaW5l"));
        assert_eq!(decoded.text, b"ssn: 536-90-4399 is mine");
        assert!(decoded.base64(b"c3NuOiA1MzYtOTAtNDM5OQ==") && decoded.base64(b"c3NuOiA1MzYtOTAtNDM5OQ"));
        assert!(!decoded.base64(b"AKIAIOSFODNN7EXAMPLEAKIA") && !decoded.base64(b"c3Nu*"));
    }
}
