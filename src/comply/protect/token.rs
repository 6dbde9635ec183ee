//! Keyed tokens, digests and pseudonyms: equal values have equal ones, and none leads back.

use super::mac::Keyed;
use super::plain;
use crate::expr::functions::{Call, Outcome};
use crate::expr::keyed::{Work, refused};
use crate::record::Value;

/// The letters of a token: base 32 (RFC 4648) in small letters.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// The letters of a digest.
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Letters of a token: 130 bits, which no two of 2^64 values share but by chance.
const LENGTH: usize = 26;

/// Makes tokens of 26 letters and digits.
#[derive(Debug)]
pub(super) struct Token(pub Keyed);

impl Work for Token {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let digest = self.0.digest(&plain::text(value)?);
        let (mut held, mut bits, mut bytes) = (0_u32, 0, digest.iter());
        let letters: [u8; LENGTH] = std::array::from_fn(|_| {
            if bits < 5 {
                held = held << 8 | u32::from(*bytes.next().unwrap_or(&0));
                bits += 8;
            }
            bits -= 5;
            LETTERS[(held >> bits & 31) as usize]
        });
        ascii(call, letters)
    }
}

/// Makes digests of 64 hexadecimal digits.
#[derive(Debug)]
pub(super) struct Digest(pub Keyed);

impl Work for Digest {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let digest = self.0.digest(&plain::text(value)?);
        let digits: [u8; 64] = std::array::from_fn(|at| nibble(&digest, at));
        ascii(call, digits)
    }
}

/// Makes pseudonyms in the form of a UUID of version 8 (RFC 9562), for columns that hold one.
#[derive(Debug)]
pub(super) struct Pseudonym(pub Keyed);

impl Work for Pseudonym {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        let mut digest = self.0.digest(&plain::text(value)?);
        digest[6] = digest[6] & 0x0f | 0x80;
        digest[8] = digest[8] & 0x3f | 0x80;
        let mut at = 0;
        let digits: [u8; 36] = std::array::from_fn(|place| match place {
            8 | 13 | 18 | 23 => b'-',
            _ => {
                at += 1;
                nibble(&digest, at - 1)
            }
        });
        ascii(call, digits)
    }
}

fn nibble(bytes: &[u8; 32], at: usize) -> u8 {
    let byte = bytes.get(at / 2).copied().unwrap_or(0);
    HEX[usize::from(if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 })]
}

fn ascii<'a, const N: usize>(call: &Call<'_, 'a>, letters: [u8; N]) -> Outcome<'a> {
    call.spend(N)?;
    Ok(Value::String(std::str::from_utf8(call.arena.alloc(letters)).unwrap_or_default()))
}
