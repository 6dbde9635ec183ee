//! How far text is plain: no quote, no backslash, no control character. Both directions ask it of
//! every string, so it looks at words and blocks rather than bytes.

/// The first byte from `from` on that is a quote, a backslash or a control character; the length
/// of the bytes if none is.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.len() >= at + 16 {
        if let Some(end) = short_plain_end(bytes, at) {
            return end;
        }
        at += 16;
        // What goes on after that is long.
        while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<32>())
            && is_plain(block)
        {
            at += 32;
        }
    }
    while let Some(0x20..=0x21 | 0x23..=0x5B | 0x5D..) = bytes.get(at) {
        at += 1;
    }
    at
}

/// The same, if it is among the next sixteen bytes: both halves are looked at together, since a
/// branch on where would seldom be foreseen.
#[inline(always)]
pub(super) fn short_plain_end(bytes: &[u8], from: usize) -> Option<usize> {
    let words = u128::from_le_bytes(*bytes.get(from..)?.first_chunk::<16>()?);
    let (low, high) = (special(words as u64), special((words >> 64) as u64));
    if low | high == 0 {
        return None;
    }
    Some(from + (if low != 0 { low.trailing_zeros() } else { 64 + high.trailing_zeros() } / 8) as usize)
}

/// Whether a block has none of them. Without a branch, so that compilers make vector instructions of it.
#[inline]
fn is_plain(block: &[u8; 32]) -> bool {
    !block.iter().fold(false, |any, byte| any | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

/// The bytes of a word (the high bit of each) that end a run of plain text: quote, backslash,
/// control characters. Exact for the lowest of them, which is the one that counts.
#[inline]
pub(super) fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5C);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plainly(bytes: &[u8], from: usize) -> usize {
        let found = bytes[from..].iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
        found.map_or(bytes.len(), |at| from + at)
    }

    #[test]
    fn every_byte_at_every_place() {
        for length in 0..100 {
            for from in 0..=length {
                let plain = vec![b'a'; length];
                assert_eq!(plain_end(&plain, from), length);
                for at in 0..length {
                    for byte in [0, 0x1F, 0x20, 0x21, b'"', b'\\', 0x7F, 0x80, 0xFF] {
                        let mut bytes = plain.clone();
                        bytes[at] = byte;
                        assert_eq!(plain_end(&bytes, from), plainly(&bytes, from), "{length} {from} {at} {byte}");
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as_byte_by_byte(bytes in proptest::collection::vec(prop_oneof![8 => 0x20_u8..=0xFF, 1 => any::<u8>()], 0..80), from in 0_usize..80) {
            let from = from.min(bytes.len());
            prop_assert_eq!(plain_end(&bytes, from), plainly(&bytes, from));
        }
    }
}
