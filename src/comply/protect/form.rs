//! Encryption that keeps length and letters (FF1), on values.

use super::ff1::Ff1;
use crate::expr::functions::{Call, Outcome};
use crate::expr::keyed::{Work, refused};
use crate::record::Value;

/// Makes text of the same form.
#[derive(Debug)]
pub(super) struct FormatEncrypt(pub Ff1, pub String);

/// Back from it.
#[derive(Debug)]
pub(super) struct FormatDecrypt(pub Ff1, pub String);

impl Work for FormatEncrypt {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [Value::String(text), ..] = arguments else { return Err(refused("only text keeps its form")) };
        let mut out = call.text(text.len())?;
        self.0.encrypt(self.1.as_bytes(), text, &mut out).map_err(refused)?;
        Ok(Value::String(out.into_bump_str()))
    }
}

impl Work for FormatDecrypt {
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
        let [Value::String(text), ..] = arguments else { return Err(refused("only text keeps its form")) };
        let mut out = call.text(text.len())?;
        self.0.decrypt(self.1.as_bytes(), text, &mut out).map_err(refused)?;
        Ok(Value::String(out.into_bump_str()))
    }
}
