//! Which characters XML 1.0 (fifth edition) allows where.

/// Begins a name (productions 4), without the colon, which namespaces keep for themselves.
pub(super) const START: u8 = 1;
/// Stands in a name (production 4a), without the colon.
pub(super) const NAME: u8 = 2;
/// White space (production 3).
pub(super) const SPACE: u8 = 4;
/// Stops a run of an attribute's value: quotes, `<`, `&`, white space other than a blank.
pub(super) const VALUE: u8 = 8;

/// What each byte is; bytes from 0x80 on are nothing here.
pub(super) static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' {
            table[byte] |= START | NAME;
        }
        if c.is_ascii_digit() || c == b'-' || c == b'.' {
            table[byte] |= NAME;
        }
        if matches!(c, b' ' | b'\t' | b'\n' | b'\r') {
            table[byte] |= SPACE;
        }
        if matches!(c, b'"' | b'\'' | b'<' | b'&' | b'\t' | b'\n' | b'\r') {
            table[byte] |= VALUE;
        }
        byte += 1;
    }
    table
}

/// Whether the byte is white space.
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    CLASS[usize::from(byte)] & SPACE != 0
}

/// Whether the character may begin a name without colon.
pub(super) fn is_name_start(c: char) -> bool {
    match u32::from(c) {
        low @ 0..=0x7F => CLASS[low as usize] & START != 0,
        0xC0..=0xD6
        | 0xD8..=0xF6
        | 0xF8..=0x2FF
        | 0x370..=0x37D
        | 0x37F..=0x1FFF
        | 0x200C..=0x200D
        | 0x2070..=0x218F
        | 0x2C00..=0x2FEF
        | 0x3001..=0xD7FF
        | 0xF900..=0xFDCF
        | 0xFDF0..=0xFFFD
        | 0x1_0000..=0xE_FFFF => true,
        _ => false,
    }
}

/// Whether the character may stand in a name without colon.
pub(super) fn is_name_char(c: char) -> bool {
    match u32::from(c) {
        low @ 0..=0x7F => CLASS[low as usize] & NAME != 0,
        0xB7 | 0x300..=0x36F | 0x203F..=0x2040 => true,
        _ => is_name_start(c),
    }
}

/// Whether the character may stand in a document at all (production 2).
pub(super) fn is_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        c => c >= ' ',
    }
}

/// Whether the text is a name without colon.
pub(super) fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Where the first character stands that no document may hold. Looks at whole runs at once: there is
/// hardly ever one.
pub(super) fn first_illegal(text: &str) -> Option<usize> {
    let suspicious = text.as_bytes().chunks(256).any(|run| {
        run.iter().fold(false, |any, byte| {
            any | (*byte == 0xEF) | ((*byte < b' ') & (*byte != b'\n') & (*byte != b'\t') & (*byte != b'\r'))
        })
    });
    if !suspicious {
        return None;
    }
    text.char_indices().find(|(_, c)| !is_char(*c)).map(|(at, _)| at)
}
