//! A one-time password of a moment.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TOTP: Function = Function {
    spec: Spec {
        name: "totp",
        aliases: &[],
        about: "The one-time password of a moment (RFC 6238), as an authenticator app shows it: for sign-ins that want a second factor of a machine.",
        parameters: &[
            Parameter::new("seed", Kinds::TEXT, "The shared secret in base32; spaces and padding do not matter."),
            Parameter::new("unix", Kinds::INT, "The moment, seconds since 1970: `fresh.unix` in a pack."),
            Parameter::new("digits", Kinds::INT, "How many digits, 6 to 8; 6 if not said.").optional(),
            Parameter::new("period", Kinds::INT, "How many seconds a password holds; 30 if not said.").optional(),
            Parameter::new("digest", Kinds::TEXT, "`sha1`, `sha256` or `sha512`; `sha1` if not said.").optional(),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59)"#, "287082"),
            Example::ok(r#"totp("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", 1111111109, 8)"#, "07081804"),
            Example::ok(r#"totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 20000000000, 8, 30, "sha1")"#, "65353130"),
            Example::ok(
                r#"totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA", 59, 8, 30, "sha256")"#,
                "46119246",
            ),
            Example::fails(r#"totp("not base32!", 59)"#, "base32"),
            Example::fails(r#"totp("GEZDGNBV", 59, 20)"#, "6 to 8"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(seed), Value::Int(unix), rest @ ..] = arguments else { return Err(super::misuse()) };
    let number = |at: usize, usual: i64| match rest.get(at) {
        Some(Value::Int(number)) => *number,
        _ => usual,
    };
    let (digits, period) = (number(0, 6), number(1, 30));
    let algorithm = match rest.get(2) {
        Some(Value::String("sha256")) => ring::hmac::HMAC_SHA256,
        Some(Value::String("sha512")) => ring::hmac::HMAC_SHA512,
        Some(Value::String("sha1")) | None => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        _ => return Err(Failure::value("the digest is `sha1`, `sha256` or `sha512`")),
    };
    if !(6..=8).contains(&digits) || period < 1 || *unix < 0 {
        return Err(Failure::value(
            "there are 6 to 8 digits, the period is at least a second, and time begins in 1970",
        ));
    }
    let plain: String = seed
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '=' | '-'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let key = data_encoding::BASE32_NOPAD
        .decode(plain.as_bytes())
        .map_err(|_| Failure::value("the seed is no text in base32"))?;
    let step = u64::try_from(unix / period).unwrap_or_default();
    let code = ring::hmac::sign(&ring::hmac::Key::new(algorithm, &key), &step.to_be_bytes());
    // RFC 4226, section 5.3: where to look is in the last four bits.
    let bytes = code.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
    let word = bytes.get(at..at + 4).and_then(|four| four.first_chunk::<4>()).copied().unwrap_or_default();
    let number = u32::from_be_bytes(word) & 0x7fff_ffff;
    let width = usize::try_from(digits).unwrap_or(6);
    let text = format!("{:0width$}", number % 10_u32.pow(u32::try_from(digits).unwrap_or(6)));
    call.spend(text.len())?;
    Ok(Value::String(call.arena.alloc_str(&text)))
}
