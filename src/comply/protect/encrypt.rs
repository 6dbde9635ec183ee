//! Encryption of a value with a key for one place.

use super::seal::Sealing;
use crate::expr::functions::{Call, Outcome};
use crate::expr::keyed::{Work, refused};
use crate::record::Value;

/// Makes envelopes.
#[derive(Debug)]
pub(super) struct Encrypt(pub Sealing);

impl Work for Encrypt {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [value, ..] = arguments else { return Err(refused("there is no value")) };
        self.0.seal(call, value)
    }
}
