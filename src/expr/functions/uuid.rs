//! UUIDs as RFC 9562 writes them.

use super::{Call, Outcome};
use crate::record::Value;

/// The bytes with the bits of a version and of the variant of the RFC.
pub(super) fn versioned(mut bytes: [u8; 16], version: u8) -> [u8; 16] {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}

/// Its text.
///
/// # Errors
/// If the evaluation takes more memory than it may.
pub(super) fn text<'a>(bytes: [u8; 16], call: &Call<'_, 'a>) -> Outcome<'a> {
    let mut text = call.text(36)?;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    Ok(Value::String(text.into_bump_str()))
}

/// The bytes of a UUID in the usual form, `urn:uuid:` and braces aside; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    if text.len() != 36 {
        return None;
    }
    let (mut bytes, mut count) = ([0_u8; 16], 0);
    for (index, byte) in text.bytes().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(byte).to_digit(16)? as u8;
        let place = bytes.get_mut(count / 2)?;
        *place = *place << 4 | digit;
        count += 1;
    }
    Some(bytes)
}
