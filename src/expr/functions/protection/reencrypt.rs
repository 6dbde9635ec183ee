//! The same value under the newest version of its key.

use super::{Example, Flow, Function, Kinds, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static REENCRYPT: Function = Function {
    spec: Spec {
        name: "reencrypt",
        aliases: &[],
        about: "What was encrypted with an older version of a key, encrypted with the one that protects now; what is already stays as it is. The value is not seen: no mapping needs to be allowed to decrypt. A mapping from a table to itself brings it up to date after a rotation.",
        parameters: &[
            Parameter::new("sealed", Kinds::TEXT, "What was encrypted."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `encrypt` or `join`, written down."),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"reencrypt(encrypt_joinable("a", "links"), "links") == encrypt_joinable("a", "links")"#, "true"),
            Example::fails(r#"reencrypt("cs1:x:0:AA", "mail")"#, "another key"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
