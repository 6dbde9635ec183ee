//! Exact decimals: up to 28 digits, never a silent double.
//!
//! The mantissa and the scale share one 128-bit word; sums and products of everyday size run
//! on 64 bits. What does not fit in 28 digits is an error, never rounded unasked.

use std::cmp::Ordering;
use std::fmt;

/// The most digits a computed decimal has.
pub const MAX_DIGITS: u32 = 28;
/// The largest mantissa: 10^28 - 1.
const MAX_MANTISSA: i128 = 10_i128.pow(MAX_DIGITS) - 1;

/// `mantissa * 10^-scale`, with scale 0..=28. Trailing zeros are kept: `1.50` has scale 2.
#[derive(Clone, Copy)]
pub struct Decimal([u64; 2]);

impl Default for Decimal {
    fn default() -> Self {
        Self::ZERO
    }
}

/// How a digit that falls away is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Ties away from zero (the commercial rule, and the default).
    HalfUp,
    /// Ties to the even neighbour (banker's rule).
    HalfEven,
    /// Ties towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceiling,
    /// Towards negative infinity.
    Floor,
}

impl Rounding {
    /// Every rounding with the name it has in mappings.
    pub const ALL: &'static [(&'static str, Rounding)] = &[
        ("half_up", Self::HalfUp),
        ("half_even", Self::HalfEven),
        ("half_down", Self::HalfDown),
        ("up", Self::Up),
        ("down", Self::Down),
        ("ceiling", Self::Ceiling),
        ("floor", Self::Floor),
    ];

    /// The rounding of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, r)| *r)
    }
}

/// Why an operation on decimals has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// More than 28 digits.
    Overflow,
    /// Division by zero.
    DivisionByZero,
    /// The quotient has no end within 28 digits: `div(a, b, scale, rounding)` says where to cut.
    Inexact,
    /// The text is no decimal number.
    Syntax,
    /// The square root of a negative number.
    Negative,
}

#[expect(clippy::should_implement_trait, reason = "these can fail, and operators have no way to say so")]
impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self::pack(0, 0);

    #[inline]
    const fn pack(mantissa: i128, scale: u32) -> Self {
        let word = (mantissa << 8) | scale as i128;
        Self([(word as u128 >> 64) as u64, word as u64])
    }

    #[inline]
    const fn word(self) -> i128 {
        (((self.0[0] as u128) << 64) | self.0[1] as u128) as i128
    }

    /// `mantissa * 10^-scale`.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] past 28 digits of mantissa or scale.
    #[inline]
    pub fn new(mantissa: i128, scale: u32) -> Result<Self, DecimalError> {
        if scale > MAX_DIGITS || mantissa.unsigned_abs() > MAX_MANTISSA as u128 {
            return Err(DecimalError::Overflow);
        }
        Ok(Self::pack(mantissa, scale))
    }

    /// The mantissa.
    #[inline]
    pub fn mantissa(self) -> i128 {
        self.word() >> 8
    }

    /// How many digits stand after the point.
    #[inline]
    pub fn scale(self) -> u32 {
        (self.0[1] & 0xff) as u32
    }

    /// From an integer.
    #[inline]
    pub fn from_i64(value: i64) -> Self {
        Self::pack(value as i128, 0)
    }

    /// From an unsigned integer.
    #[inline]
    pub fn from_u64(value: u64) -> Self {
        Self::pack(value as i128, 0)
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`; white space is not skipped.
    ///
    /// # Errors
    /// [`DecimalError::Syntax`] for anything else, [`DecimalError::Overflow`] past 28 digits.
    #[inline]
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let bytes = text.as_bytes();
        let (negative, digits) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, bytes),
        };
        // Up to 18 characters of digits and one point cannot overflow 64 bits.
        if digits.is_empty() || digits.len() > 18 {
            return Self::parse_long(negative, digits);
        }
        let (mut mantissa, mut point) = (0_i64, usize::MAX);
        for (index, &byte) in digits.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                mantissa = mantissa * 10 + i64::from(digit);
            } else if byte == b'.' && point == usize::MAX && index > 0 {
                point = index;
            } else {
                return Self::parse_long(negative, digits);
            }
        }
        let scale = if point == usize::MAX { 0 } else { digits.len() - 1 - point };
        if point != usize::MAX && scale == 0 {
            return Err(DecimalError::Syntax);
        }
        Ok(Self::pack(i128::from(if negative { -mantissa } else { mantissa }), scale as u32))
    }

    #[cold]
    fn parse_long(negative: bool, digits: &[u8]) -> Result<Self, DecimalError> {
        let (body, exponent) = match digits.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => {
                let text = std::str::from_utf8(&digits[at + 1..]).map_err(|_| DecimalError::Syntax)?;
                let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
                if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(DecimalError::Syntax);
                }
                (&digits[..at], text.parse::<i32>().map_err(|_| DecimalError::Overflow)?)
            }
            None => (digits, 0),
        };
        let (mut mantissa, mut scale, mut seen_point, mut count) = (0_i128, 0_i32, false, 0_u32);
        let mut overflow = false;
        for &byte in body {
            match byte {
                b'0'..=b'9' => {
                    count += 1;
                    scale += i32::from(seen_point);
                    mantissa = mantissa * 10 + i128::from(byte - b'0');
                    if mantissa > MAX_MANTISSA {
                        overflow = true;
                        mantissa = 1;
                    }
                }
                b'.' if !seen_point && count > 0 => seen_point = true,
                _ => return Err(DecimalError::Syntax),
            }
        }
        if count == 0 || body.last() == Some(&b'.') {
            return Err(DecimalError::Syntax);
        }
        if overflow {
            return Err(DecimalError::Overflow);
        }
        let mut scale = scale.checked_sub(exponent).ok_or(DecimalError::Overflow)?;
        if mantissa == 0 {
            scale = scale.clamp(0, MAX_DIGITS as i32);
        }
        while scale < 0 {
            mantissa *= 10;
            if mantissa > MAX_MANTISSA {
                return Err(DecimalError::Overflow);
            }
            scale += 1;
        }
        while scale > MAX_DIGITS as i32 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self::new(if negative { -mantissa } else { mantissa }, scale as u32)
    }

    /// The sum, with the larger scale of both.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] past 28 digits.
    #[inline]
    pub fn add(self, other: Self) -> Result<Self, DecimalError> {
        match align(self, other) {
            Ok((a, b, scale)) if let Some(sum) = a.checked_add(b) => {
                if sum.unsigned_abs() <= MAX_MANTISSA as u128 {
                    return Ok(Self::pack(sum, scale));
                }
                let (sum, scale) = shed(sum, scale);
                Self::new(sum, scale)
            }
            // Only zeros that stand at the end of one of them can be what does not fit.
            _ => {
                let (a, b) = (self.normalised(), other.normalised());
                let (a, b, scale) = align(a, b)?;
                let (sum, scale) = shed(a.checked_add(b).ok_or(DecimalError::Overflow)?, scale);
                Self::new(sum, scale)
            }
        }
    }

    /// The difference, with the larger scale of both.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] past 28 digits.
    #[inline]
    pub fn sub(self, other: Self) -> Result<Self, DecimalError> {
        self.add(other.neg())
    }

    /// The product; its scale is the sum of both.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] past 28 digits that trailing zeros cannot save.
    #[inline]
    pub fn mul(self, other: Self) -> Result<Self, DecimalError> {
        let (a, b) = (self.mantissa(), other.mantissa());
        let scale = self.scale() + other.scale();
        if let (Ok(x), Ok(y)) = (i64::try_from(a), i64::try_from(b)) {
            let product = i128::from(x) * i128::from(y);
            if scale <= MAX_DIGITS && product.unsigned_abs() <= MAX_MANTISSA as u128 {
                return Ok(Self::pack(product, scale));
            }
        }
        // Trailing zeros of the product are given up before digits are: each is a 2 and a 5 of the factors.
        let (mut a, mut b, mut scale) = (a, b, scale);
        loop {
            match a.checked_mul(b) {
                Some(product) => {
                    let (product, scale) = shed(product, scale);
                    return Self::new(product, scale);
                }
                None if scale == 0 => return Err(DecimalError::Overflow),
                None if a % 10 == 0 => a /= 10,
                None if b % 10 == 0 => b /= 10,
                None if a % 2 == 0 && b % 5 == 0 => (a, b) = (a / 2, b / 5),
                None if a % 5 == 0 && b % 2 == 0 => (a, b) = (a / 5, b / 2),
                None => return Err(DecimalError::Overflow),
            }
            scale -= 1;
        }
    }

    /// The exact quotient.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`]; [`DecimalError::Inexact`] if it has no end in 28 digits.
    pub fn div_exact(self, other: Self) -> Result<Self, DecimalError> {
        let b = other.mantissa();
        if b == 0 {
            return Err(DecimalError::DivisionByZero);
        }
        let mut a = self.mantissa();
        let mut scale = self.scale() as i32 - other.scale() as i32;
        while a % b != 0 || scale < 0 {
            a = match a.checked_mul(10) {
                Some(a) if scale < MAX_DIGITS as i32 => a,
                _ => return self.div_reduced(other),
            };
            scale += 1;
        }
        let (quotient, scale) = shed(a / b, scale as u32);
        Self::new(quotient, scale)
    }

    /// The exact quotient by way of the reduced fraction: it ends if the denominator has no factors but 2 and 5.
    #[cold]
    fn div_reduced(self, other: Self) -> Result<Self, DecimalError> {
        let (mut a, mut b) = (self.mantissa(), other.mantissa());
        let divisor = greatest_common_divisor(a.unsigned_abs(), b.unsigned_abs()) as i128 * b.signum();
        (a, b) = (a / divisor, b / divisor);
        let mut scale = self.scale() as i32 - other.scale() as i32;
        let (mut twos, mut fives) = (0, 0);
        while b % 2 == 0 {
            (b, twos) = (b / 2, twos + 1);
        }
        while b % 5 == 0 {
            (b, fives) = (b / 5, fives + 1);
        }
        if b != 1 {
            return Err(DecimalError::Inexact);
        }
        let mut grow = |factor: i128| a.checked_mul(factor).map(|grown| a = grown).ok_or(DecimalError::Inexact);
        for _ in twos..fives {
            grow(2)?;
        }
        for _ in fives..twos {
            grow(5)?;
        }
        scale += twos.max(fives);
        while scale > MAX_DIGITS as i32 && a % 10 == 0 {
            (a, scale) = (a / 10, scale - 1);
        }
        while scale < 0 {
            (a, scale) = (a.checked_mul(10).ok_or(DecimalError::Overflow)?, scale + 1);
        }
        if scale > MAX_DIGITS as i32 {
            return Err(DecimalError::Inexact);
        }
        Self::new(a, scale as u32)
    }

    /// The quotient with this many digits after the point.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`], or [`DecimalError::Overflow`] past 28 digits.
    pub fn div(self, other: Self, scale: u32, rounding: Rounding) -> Result<Self, DecimalError> {
        let (mut a, mut b) = (self.mantissa(), other.mantissa());
        if b == 0 {
            return Err(DecimalError::DivisionByZero);
        }
        if scale > MAX_DIGITS {
            return Err(DecimalError::Overflow);
        }
        let shift = scale as i32 + other.scale() as i32 - self.scale() as i32;
        let power = 10_i128.checked_pow(shift.unsigned_abs());
        let wide = match power {
            Some(power) if shift >= 0 => a.checked_mul(power).map(|a| (a, b)),
            Some(power) => b.checked_mul(power).map(|b| (a, b)),
            None => None,
        };
        match wide {
            Some((a, b)) => Self::new(divide(a, b, rounding), scale),
            None if shift < 0 => Self::new(nearly_nothing(a, a.signum() * b.signum(), rounding), scale),
            None => {
                // Long division: the rest stays below the divisor, so that one more digit always fits.
                let sign = a.signum() * b.signum();
                (a, b) = (a.abs(), b.abs());
                let (mut quotient, mut rest) = (a / b, a % b);
                for _ in 0..shift {
                    rest *= 10;
                    quotient = quotient * 10 + rest / b;
                    rest %= b;
                    if quotient > MAX_MANTISSA {
                        return Err(DecimalError::Overflow);
                    }
                }
                Self::new(sign * (quotient + rounded_up(quotient, rest, b, sign, rounding)), scale)
            }
        }
    }

    /// The square root with this many digits after the point.
    ///
    /// # Errors
    /// [`DecimalError::Negative`], or [`DecimalError::Overflow`] past 28 digits.
    pub fn sqrt(self, scale: u32, rounding: Rounding) -> Result<Self, DecimalError> {
        if self.mantissa() < 0 {
            return Err(DecimalError::Negative);
        }
        if scale > MAX_DIGITS {
            return Err(DecimalError::Overflow);
        }
        // By hand, two digits at a time: those of the mantissa first, made an even number behind the point.
        let odd = self.scale() % 2;
        let digits = format!("{}{}", self.mantissa(), if odd == 1 { "0" } else { "" });
        let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        let pairs = (digits.len() / 2) as u32;
        let behind = self.scale().div_ceil(2);
        // One digit more than is asked for decides, and whether anything is left behind it.
        let steps = (pairs + scale + 1).saturating_sub(behind);
        let (mut root, mut rest) = (0_i128, 0_i128);
        for step in 0..steps as usize {
            let pair = digits.get(step * 2..step * 2 + 2).and_then(|pair| pair.parse().ok()).unwrap_or(0);
            let value = rest * 100 + pair;
            let digit = (1..=9).rev().find(|digit| (root * 20 + digit) * digit <= value).unwrap_or(0);
            rest = value - (root * 20 + digit) * digit;
            root = root * 10 + digit;
            if root / 10 > MAX_MANTISSA {
                return Err(DecimalError::Overflow);
            }
        }
        let left = digits.get(steps as usize * 2..).is_some_and(|more| more.bytes().any(|digit| digit != b'0'));
        // What is left makes a tie more than a tie, and an exact root an inexact one.
        let (quotient, last) = (root / 10, root % 10);
        let last = last * 2 + i128::from(rest > 0 || left);
        Self::new(quotient + rounded_up(quotient, last, 20, 1, rounding), scale)
    }

    /// The remainder of truncated division; it has the sign of the dividend.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`], or [`DecimalError::Overflow`] past 28 digits.
    pub fn rem(self, other: Self) -> Result<Self, DecimalError> {
        if other.mantissa() == 0 {
            return Err(DecimalError::DivisionByZero);
        }
        let scale = self.scale().max(other.scale());
        match align(self, other) {
            Ok((a, b, _)) => Self::new(a % b, scale),
            // The divisor is too long to be scaled up, and so the larger of both.
            Err(_) if other.scale() < self.scale() => Ok(self),
            Err(_) => {
                let b = other.mantissa();
                let mut rest = self.mantissa() % b;
                for _ in self.scale()..other.scale() {
                    rest = (rest * 10) % b;
                }
                Self::new(rest, scale)
            }
        }
    }

    /// With exactly this many digits after the point.
    ///
    /// # Errors
    /// [`DecimalError::Overflow`] past 28 digits.
    #[inline]
    pub fn round(self, scale: u32, rounding: Rounding) -> Result<Self, DecimalError> {
        let (mantissa, from) = (self.mantissa(), self.scale());
        if from == scale {
            return Ok(self);
        }
        if from < scale {
            if scale > MAX_DIGITS {
                return Err(DecimalError::Overflow);
            }
            let grown = mantissa.checked_mul(POWERS[(scale - from) as usize]).ok_or(DecimalError::Overflow)?;
            return Self::new(grown, scale);
        }
        if let (Ok(small), true) = (i64::try_from(mantissa), from - scale < 19) {
            let power = POWERS[(from - scale) as usize] as i64;
            return Ok(Self::pack(i128::from(divide_small(small, power, rounding)), scale));
        }
        Self::new(divide(mantissa, POWERS[(from - scale) as usize], rounding), scale)
    }

    /// With the other sign.
    #[inline]
    pub fn neg(self) -> Self {
        Self::pack(-self.mantissa(), self.scale())
    }

    /// Without sign.
    pub fn abs(self) -> Self {
        Self::pack(self.mantissa().abs(), self.scale())
    }

    /// Without trailing zeros after the point.
    pub fn normalised(self) -> Self {
        let (mut mantissa, mut scale) = (self.mantissa(), self.scale());
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self::pack(mantissa, scale)
    }

    /// The integer it is, if it is one that fits 64 bits.
    #[inline]
    pub fn to_i64(self) -> Option<i64> {
        let plain = if self.scale() == 0 { self } else { self.normalised() };
        if plain.scale() == 0 { i64::try_from(plain.mantissa()).ok() } else { None }
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// Appends its text: plain notation, no exponent, trailing zeros kept.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        let (mantissa, scale) = (self.mantissa(), self.scale() as usize);
        let mut text = [b'0'; 40];
        let mut at = text.len();
        let mut wide = mantissa.unsigned_abs();
        while wide > u128::from(u64::MAX) {
            at -= 1;
            text[at] = b'0' + (wide % 10) as u8;
            wide /= 10;
        }
        let mut rest = wide as u64;
        while rest > 0 {
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let start = at.min(text.len() - scale - 1);
        if mantissa < 0 {
            out.push(b'-');
        }
        let point = text.len() - scale;
        out.extend_from_slice(&text[start..point]);
        if scale > 0 {
            out.push(b'.');
            out.extend_from_slice(&text[point..]);
        }
    }
}

const POWERS: [i128; 29] = {
    let mut powers = [1_i128; 29];
    let mut index = 1;
    while index < 29 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

#[inline]
fn align(a: Decimal, b: Decimal) -> Result<(i128, i128, u32), DecimalError> {
    let (x, y) = (a.scale(), b.scale());
    if x == y {
        return Ok((a.mantissa(), b.mantissa(), x));
    }
    let grow = |m: i128, by: u32| m.checked_mul(POWERS[by as usize]).ok_or(DecimalError::Overflow);
    if x > y {
        Ok((a.mantissa(), grow(b.mantissa(), x - y)?, x))
    } else {
        Ok((grow(a.mantissa(), y - x)?, b.mantissa(), y))
    }
}

fn shed(mut product: i128, mut scale: u32) -> (i128, u32) {
    while (scale > MAX_DIGITS || product.unsigned_abs() > MAX_MANTISSA as u128) && scale > 0 && product % 10 == 0 {
        (product, scale) = (product / 10, scale - 1);
    }
    (product, scale)
}

#[inline]
fn divide_small(a: i64, b: i64, rounding: Rounding) -> i64 {
    let (quotient, rest) = (a / b, a % b);
    if rest == 0 {
        return quotient;
    }
    let away = match rounding {
        Rounding::HalfUp => rest.unsigned_abs() >= b.unsigned_abs() - rest.unsigned_abs(),
        _ => return divide(i128::from(a), i128::from(b), rounding) as i64,
    };
    if away { quotient + a.signum() * b.signum() } else { quotient }
}

fn divide(a: i128, b: i128, rounding: Rounding) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    if rest == 0 {
        return quotient;
    }
    let sign = a.signum() * b.signum();
    let (rest, b) = (rest.abs(), b.abs());
    quotient + sign * rounded_up(quotient, rest, b, sign, rounding)
}

/// 1 if a quotient of that sign moves away from zero for its rest, else 0. The rest is not negative.
fn rounded_up(quotient: i128, rest: i128, divisor: i128, sign: i128, rounding: Rounding) -> i128 {
    if rest == 0 {
        return 0;
    }
    let half = rest.cmp(&(divisor - rest));
    i128::from(match rounding {
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfDown => half == Ordering::Greater,
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && quotient % 2 != 0),
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => sign > 0,
        Rounding::Floor => sign < 0,
    })
}

/// A quotient whose divisor is more than ten times the dividend: zero, but for the rounding.
fn nearly_nothing(dividend: i128, sign: i128, rounding: Rounding) -> i128 {
    sign * rounded_up(0, i128::from(dividend != 0), 10, sign, rounding)
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Decimal {}
impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match align(*self, *other) {
            Ok((a, b, _)) => a.cmp(&b),
            // One of them is too long to be scaled up: compare whole parts, then fractions.
            Err(_) => {
                let split = |d: &Self| {
                    let power = POWERS[d.scale() as usize];
                    (d.mantissa() / power, (d.mantissa() % power) * POWERS[(MAX_DIGITS - d.scale()) as usize])
                };
                split(self).cmp(&split(other))
            }
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(40);
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn text_is_kept() {
        for text in ["0", "1.50", "-0.07", "12345678901234567890.12345678", "0.0000000000000000000000000001"] {
            assert_eq!(d(text).to_string(), text);
        }
        assert_eq!(d("1e3").to_string(), "1000");
        assert_eq!(d("1.5E-3").to_string(), "0.0015");
    }

    #[test]
    fn no_number_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1..2", "1e", "1e+", "abc", "1 ", "0x1", "--1", "1e99999999999"] {
            assert!(Decimal::parse(text).is_err(), "{text}");
        }
        assert_eq!(Decimal::parse("99999999999999999999999999999"), Err(DecimalError::Overflow));
    }

    #[test]
    fn sums_and_products_are_exact() {
        assert_eq!(d("0.1").add(d("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(d("29.99").mul(d("1.2")).unwrap().to_string(), "35.988");
        assert_eq!(d("10").div_exact(d("4")).unwrap().to_string(), "2.5");
        assert_eq!(d("1").div_exact(d("3")), Err(DecimalError::Inexact));
        assert_eq!(d("1").div(d("3"), 4, Rounding::HalfUp).unwrap().to_string(), "0.3333");
        assert_eq!(d("-7.5").rem(d("2")).unwrap().to_string(), "-1.5");
    }

    #[test]
    fn rounding_by_name() {
        for (mode, expected) in [
            ("half_up", "-3"),
            ("half_even", "-2"),
            ("half_down", "-2"),
            ("up", "-3"),
            ("down", "-2"),
            ("ceiling", "-2"),
            ("floor", "-3"),
        ] {
            assert_eq!(d("-2.5").round(0, Rounding::named(mode).unwrap()).unwrap().to_string(), expected, "{mode}");
        }
    }

    mod random {
        use super::*;
        use proptest::prelude::*;

        fn cases() -> u32 {
            crate::soak::rounds(256)
        }

        fn decimal() -> impl Strategy<Value = Decimal> {
            let wide = prop_oneof![
                (-1000_i128..1000),
                any::<i64>().prop_map(i128::from),
                (-MAX_MANTISSA..=MAX_MANTISSA),
                Just(MAX_MANTISSA),
                Just(-MAX_MANTISSA),
            ];
            (wide, 0..=MAX_DIGITS).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale).unwrap())
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn text_round_trips(a in decimal()) {
                let read = d(&a.to_string());
                prop_assert_eq!((read.mantissa(), read.scale()), (a.mantissa(), a.scale()));
            }

            #[test]
            fn any_text_is_read_or_refused(text in "[-+]?[0-9.eE+-]{0,40}|\\PC{0,12}") {
                let _ = Decimal::parse(&text);
            }

            #[test]
            fn sums_undo(a in decimal(), b in decimal()) {
                if let Ok(sum) = a.add(b) && let Ok(back) = sum.sub(b) {
                    prop_assert_eq!(back, a);
                    prop_assert_eq!(b.add(a).unwrap(), sum);
                }
            }

            #[test]
            fn products_undo(a in decimal(), b in decimal()) {
                if let Ok(product) = a.mul(b) {
                    prop_assert_eq!(b.mul(a).unwrap(), product);
                    if b != Decimal::ZERO && let Ok(back) = product.div_exact(b) {
                        prop_assert_eq!(back, a);
                    }
                }
            }

            #[test]
            fn quotient_and_rest_make_the_whole(a in decimal(), b in decimal()) {
                if let (Ok(rest), Ok(quotient)) = (a.rem(b), a.div(b, 0, Rounding::Down))
                    && let Ok(product) = quotient.mul(b)
                    && let Ok(whole) = product.add(rest)
                {
                    prop_assert_eq!(whole, a);
                }
            }

            #[test]
            fn order_agrees_with_differences(a in decimal(), b in decimal()) {
                prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                if let Ok(difference) = a.sub(b) {
                    prop_assert_eq!(a.cmp(&b), difference.mantissa().cmp(&0));
                }
            }

            #[test]
            fn rounding_stays_near(a in decimal(), scale in 0..=MAX_DIGITS, mode in 0..Rounding::ALL.len()) {
                let mode = Rounding::ALL[mode].1;
                if let Ok(rounded) = a.round(scale, mode) {
                    prop_assert_eq!(rounded.scale(), scale);
                    if let (Ok(off), Ok(unit)) = (rounded.sub(a), Decimal::new(1, scale)) {
                        prop_assert!(off.abs() < unit, "{a} became {rounded}");
                    }
                    if let Ok(expected) = a.div(Decimal::from_i64(1), scale, mode) {
                        prop_assert_eq!(expected, rounded);
                    }
                }
            }
        }
    }
}
