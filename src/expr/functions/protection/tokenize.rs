//! A keyed token in place of a value.

use super::{Example, Flow, Function, IDENTIFIERS, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static TOKENIZE: Function = Function {
    spec: Spec {
        name: "tokenize",
        aliases: &[],
        about: "A keyed token: 26 small letters and digits that are the same for the same value and key (HMAC-SHA-256), so that joins still work, and that do not lead back. `42` and `\"42\"` have the same one. It replaces what identifies; a value of which there are few (a gender, a state) is guessed from how often its token stands there, and keeps its classes.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `token`, written down."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: IDENTIFIERS, to: None },
        examples: &[
            Example::ok(r#"tokenize("anna@b.example", "customers")"#, "hit5zbfneghpmqwmizllgpoxj3"),
            Example::ok(r#"tokenize(42, "customers") == tokenize("42", "customers")"#, "true"),
            Example::fails(r#"tokenize("a", "custmers")"#, "there is no key"),
            Example::fails(r#"tokenize("a", "mail")"#, "is for `encrypt`"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
