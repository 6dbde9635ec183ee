//! Numbers compared by their digits: exact however long they are.

use std::cmp::Ordering;

use crate::record::{Decimal, Value};

/// A number that stands in a schema.
#[derive(Clone, Debug)]
pub struct Bound {
    /// As it is written.
    pub text: String,
    /// As a decimal, if it is one of at most 28 digits.
    small: Option<Decimal>,
    long: Long,
}

/// A number of any length: `0.d1d2d3… * 10^point`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Long {
    negative: bool,
    /// Without zeros at either end; none at all for zero.
    digits: Vec<u8>,
    point: i64,
}

/// The most zeros that a number is written out with to find a remainder.
const MOST_ZEROS: i64 = 5_000;

impl Bound {
    /// From the text of a JSON number.
    pub fn new(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned(), small: Decimal::parse(text).ok(), long: Long::read(text)? })
    }

    /// Whether it is zero or less.
    pub fn is_positive(&self) -> bool {
        !self.long.negative && !self.long.digits.is_empty()
    }

    /// Whether its fraction is zero.
    pub fn is_whole(&self) -> bool {
        self.long.is_whole()
    }

    /// The order of two numbers of schemas.
    pub fn order(&self, other: &Self) -> Ordering {
        self.long.order(&other.long)
    }

    /// How a value stands to it; `None`: the value is no number.
    #[inline]
    pub fn against(&self, value: &Value<'_>) -> Option<Ordering> {
        match (small(value), self.small) {
            (Some(value), Some(bound)) => Some(value.cmp(&bound)),
            _ => Some(long(value)?.order(&self.long)),
        }
    }

    /// Whether a value is a multiple of it; `None`: the value is no number, or too far from it to be told.
    pub fn divides(&self, value: &Value<'_>) -> Option<bool> {
        if let (Some(value), Some(step)) = (small(value), self.small)
            && let Ok(rest) = value.rem(step)
        {
            return Some(rest == Decimal::ZERO);
        }
        long(value)?.is_multiple_of(&self.long)
    }
}

/// Whether a value is a number, and whether its fraction is zero.
#[inline]
pub(super) fn whole(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Int(_) | Value::Uint(_) => Some(true),
        Value::Decimal(number) => Some(number.scale() == 0 || number.normalised().scale() == 0),
        Value::Number(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => Some(true),
        Value::Number(_) => Some(long(value)?.is_whole()),
        Value::Double(number) => Some(number.is_finite() && number.fract() == 0.0),
        _ => None,
    }
}

/// Whether two values are the same number; `None`: one of them is none.
pub(super) fn same(one: &Value<'_>, other: &Value<'_>) -> Option<bool> {
    match (small(one), small(other)) {
        (Some(one), Some(other)) => Some(one == other),
        _ => Some(long(one)?.order(&long(other)?).is_eq()),
    }
}

#[inline]
fn small(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from_i64(*number)),
        Value::Uint(number) => Some(Decimal::from_u64(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Number(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

fn long(value: &Value<'_>) -> Option<Long> {
    match value {
        Value::Number(text) => Long::read(text),
        Value::Double(number) if number.is_finite() => Long::read(&format!("{number:e}")),
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) => {
            let mut out = Vec::new();
            small(value)?.write(&mut out);
            Long::read(std::str::from_utf8(&out).ok()?)
        }
        _ => None,
    }
}

impl Long {
    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if before.is_empty() && after.is_empty() || exponent.unsigned_abs() > 1 << 40 {
            return None;
        }
        let mut digits = Vec::with_capacity(mantissa.len());
        for digit in before.bytes().chain(after.bytes()) {
            if !digit.is_ascii_digit() {
                return None;
            }
            digits.push(digit - b'0');
        }
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let point = i64::try_from(before.len()).ok()? - i64::try_from(leading).ok()? + exponent;
        let zero = digits.is_empty();
        Some(Self { negative: negative && !zero, digits, point: if zero { 0 } else { point } })
    }

    fn is_whole(&self) -> bool {
        self.digits.len() as i64 <= self.point || self.digits.is_empty()
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (one, two) if one != two => one.cmp(&two),
            (0, _) => Ordering::Equal,
            (sign, _) => {
                let size = self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
                if sign < 0 { size.reverse() } else { size }
            }
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (_, true) => -1,
            _ => 1,
        }
    }

    /// The remainder of a long division by hand: both are made whole by the same power of ten.
    fn is_multiple_of(&self, step: &Self) -> Option<bool> {
        if self.digits.is_empty() {
            return Some(true);
        }
        // Without its last zeros the step is at most 28 digits: ten times a remainder fits.
        if step.digits.is_empty() || step.digits.len() > 28 {
            return None;
        }
        let divisor = step.digits.iter().fold(0_u128, |sum, digit| sum * 10 + u128::from(*digit));
        let last = |number: &Self| number.point - number.digits.len() as i64;
        // How many more zeros the value ends in than the step does.
        let zeros = last(self) - last(step);
        if zeros < 0 {
            // It has digits behind the last one of the step, and none of them is zero.
            return Some(false);
        }
        if zeros > MOST_ZEROS {
            return None;
        }
        let padded = self.digits.iter().copied().chain(std::iter::repeat_n(0, zeros as usize));
        Some(padded.fold(0_u128, |rest, digit| (rest * 10 + u128::from(digit)) % divisor) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(one: &str, two: &str) -> Ordering {
        let [one, two] = [one, two].map(|text| Bound::new(text).unwrap());
        let quick = one.against(&Value::Number(&two.text)).unwrap();
        assert_eq!(one.order(&two), quick.reverse(), "{} {}", one.text, two.text);
        one.order(&two)
    }

    #[test]
    fn numbers_are_compared_by_their_digits() {
        let rising = [
            "-12345678901234567890123456789012345",
            "-1e30",
            "-2",
            "-1.5",
            "-0.10",
            "0",
            "1e-40",
            "0.1",
            "0.10000000000000000000000000000000001",
            "1",
            "9.99",
            "10",
            "100000000000000000000000000000000000000.1",
            "1e39",
        ];
        for (at, one) in rising.iter().enumerate() {
            for (other, two) in rising.iter().enumerate() {
                assert_eq!(order(one, two), at.cmp(&other), "{one} {two}");
            }
        }
        assert_eq!(order("1.50", "15e-1"), Ordering::Equal);
        assert_eq!(order("-0.0", "0"), Ordering::Equal);
        assert!(Bound::new("1e99999999999999999999").is_none() && Bound::new("x").is_none());
    }

    #[test]
    fn multiples_are_exact() {
        for (value, step, expected) in [
            ("0.3", "0.1", true),
            ("19.99", "0.01", true),
            ("19.995", "0.01", false),
            ("1e30", "7", false),
            ("700000000000000000000000000000000000000000", "7", true),
            ("7", "1e30", false),
            ("0", "5", true),
            ("-9", "3", true),
            ("1e400", "2", true),
            ("0.00000001", "0.00000001", true),
            ("4.02", "0.01", true),
        ] {
            assert_eq!(Bound::new(step).unwrap().divides(&Value::Number(value)), Some(expected), "{value} {step}");
        }
        assert_eq!(Bound::new("3").unwrap().divides(&Value::Number("1e999999")), None);
        assert_eq!(Bound::new("0.5").unwrap().divides(&Value::Double(1.5)), Some(true));
    }

    #[test]
    fn whole_numbers() {
        for (text, expected) in
            [("1", true), ("1.0", true), ("1.5", false), ("15e-1", false), ("1e3", true), ("-0", true)]
        {
            assert_eq!(whole(&Value::Number(text)), Some(expected), "{text}");
        }
    }
}
