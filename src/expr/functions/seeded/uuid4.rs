//! A random UUID.

use super::{Call, Example, Flow, Function, Outcome, Returns, Spec};
use crate::expr::functions::uuid;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static UUID4: Function = Function {
    spec: Spec {
        name: "uuid4",
        aliases: &[],
        about: "A random UUID (version 4, RFC 9562). It is no secret of its own: whoever has the record and the state could make it again.",
        parameters: &[],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"matches(uuid4(), "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")"#,
                "true",
            ),
            Example::ok("uuid4() == uuid4()", "false"),
            Example::fails("uuid4(1)", "takes 0"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, _: &[Value<'a>]) -> Outcome<'a> {
    let drawn = call.seed.draw();
    uuid::text(uuid::versioned(*drawn.first_chunk().unwrap_or(&[0; 16]), 4), call)
}
