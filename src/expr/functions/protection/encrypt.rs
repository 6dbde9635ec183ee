//! An encrypted value.

use super::{ENCRYPTED, Example, Flow, Function, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static ENCRYPT: Function = Function {
    spec: Spec {
        name: "encrypt",
        aliases: &[],
        about: "Encrypts a value into text (`cs1:x:…`, XAES-256-GCM) that says under which key it was made. No two are alike, but the same record read again gives the same. Type and value come back with `decrypt`. Card authentication data stays what it is: encryption does not make it storable.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `encrypt`, written down."),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: ENCRYPTED, to: None },
        examples: &[
            Example::ok(r#"encrypt("anna@b.example", "mail").startsWith("cs1:x:")"#, "true"),
            Example::ok(r#"encrypt(42, "mail") == encrypt(42, "mail", "elsewhere")"#, "false"),
            Example::fails(r#"encrypt("a", "links")"#, "is for `join`"),
            Example::fails(r#"encrypt("a", string(1))"#, "known before there is data"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
