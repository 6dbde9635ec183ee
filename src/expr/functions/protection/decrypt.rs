//! An encrypted value, in clear.

use super::{Example, Flow, Function, Kinds, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static DECRYPT: Function = Function {
    spec: Spec {
        name: "decrypt",
        aliases: &[],
        about: "The value that `encrypt`, `encrypt_joinable` or `encrypt_for` made text of, with its type. The key must say which mappings may do this and which classes come back: `mail: { purpose: encrypt, decrypt: [answers], class: pii.email }`. What was altered, or made for another place or with another key, is an error.",
        parameters: &[
            Parameter::new("sealed", Kinds::TEXT, "What was encrypted."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `encrypt` or `join` or `subject`, written down."),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"decrypt(encrypt(42, "mail"), "mail")"#, "42"),
            Example::ok(r#"decrypt(encrypt_joinable("A-1", "links", "orders"), "links", "orders")"#, "A-1"),
            Example::fails(r#"decrypt("anna@b.example", "mail")"#, "it is no envelope"),
            Example::fails(r#"decrypt(encrypt("a", "mail"), "mail", "elsewhere")"#, "does not open"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
