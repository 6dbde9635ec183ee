//! A random UUID that sorts by time.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::uuid;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static UUID7: Function = Function {
    spec: Spec {
        name: "uuid7",
        aliases: &[],
        about: "A random UUID that begins with a time and so sorts by it (version 7, RFC 9562).",
        parameters: &[Parameter::new(
            "time",
            Kinds::TIMESTAMP,
            "The time, such as when the record was made; 1970 or later.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"uuid7(timestamp("2022-02-22T19:22:22Z")).substring(0, 15)"#, "017f22e2-79b0-7"),
            Example::fails(r#"uuid7(timestamp("1969-12-31T00:00:00Z"))"#, "1970"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Timestamp(time)] = arguments else { return Err(super::misuse()) };
    let millis = i128::from(time.seconds) * 1000 + i128::from(time.nanos / 1_000_000);
    if !(0..1 << 48).contains(&millis) {
        return Err(Failure::value("the time is 1970 or later"));
    }
    let drawn = call.seed.draw();
    let mut bytes = *drawn.first_chunk::<16>().unwrap_or(&[0; 16]);
    bytes[..6].copy_from_slice(&(millis as u64).to_be_bytes()[2..]);
    uuid::text(uuid::versioned(bytes, 7), call)
}
