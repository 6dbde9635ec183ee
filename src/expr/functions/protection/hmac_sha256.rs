//! A keyed digest as other programs make it.

use super::{Example, Flow, Function, IDENTIFIERS, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static HMAC_SHA256: Function = Function {
    spec: Spec {
        name: "hmac_sha256",
        aliases: &[],
        about: "HMAC-SHA-256 of a value under a key, in hexadecimal: what any other program makes with the same key (`consign audit keys create --from`). Of text its UTF-8.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `token`, written down."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: IDENTIFIERS, to: None },
        examples: &[
            Example::ok(r#"hmac_sha256("anna@b.example", "customers").size()"#, "64"),
            Example::fails(r#"hmac_sha256("a", "mail")"#, "is for `encrypt`"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
