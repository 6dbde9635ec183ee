//! Check digits that more than one kind of number uses. Those of one kind stand in its file, those that
//! expressions know, too, in `expr::functions::checks`.

use crate::expr::functions::checks;

/// Whether the last digit is that of Luhn.
pub(in crate::comply) fn luhn(digits: &[u8]) -> bool {
    digits.split_last().is_some_and(|(last, others)| checks::luhn_digit(others) == *last)
}

/// Whether the last digit is that of ISO 7064, MOD 11,10.
pub(in crate::comply) fn mod11_10(digits: &[u8]) -> bool {
    let Some((last, others)) = digits.split_last() else { return false };
    let product = others.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// The remainder of a row of digits.
pub(in crate::comply) fn remainder(digits: &[u8], by: u64) -> u64 {
    digits.iter().fold(0, |rest, digit| (rest * 10 + u64::from(*digit)) % by)
}

/// The value of a character among digits: 0 to 9, then A to Z as 10 to 35; `None` for others.
pub(in crate::comply) fn value(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(36)
}

/// Reads digits of a text into numbers from 0 to 9; `None` if any is something else.
pub(in crate::comply) fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut digits = [0; N];
    if text.len() != N || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter_mut().zip(text).for_each(|(digit, byte)| *digit = byte - b'0');
    Some(digits)
}

/// The number that digits in a text make.
pub(in crate::comply) fn number(text: &[u8]) -> u32 {
    text.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(10).wrapping_add(u32::from(byte.wrapping_sub(b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_hold() {
        assert!(luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]) && !luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 0]) && !luhn(&[]));
        // The Croatian number of the tax office's own example.
        assert!(mod11_10(&[3, 3, 3, 9, 2, 0, 0, 5, 9, 6, 1]) && !mod11_10(&[3, 3, 3, 9, 2, 0, 0, 5, 9, 6, 2]));
        assert_eq!(remainder(&[1, 0, 0], 97), 3);
        assert_eq!((value(b'A'), value(b'z'), value(b'-')), (Some(10), Some(35), None));
        assert_eq!((digits::<3>(b"120"), digits::<3>(b"12x"), number(b"0120")), (Some([1, 2, 0]), None, 120));
    }
}
