//! An encrypted value that can be joined on.

use super::{Example, Flow, Function, IDENTIFIERS, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static ENCRYPT_JOINABLE: Function = Function {
    spec: Spec {
        name: "encrypt_joinable",
        aliases: &[],
        about: "Encrypts a value into text (`cs1:s:…`, AES-SIV) that is the same for the same value, key and context, so that it can be a key or joined on. Whoever sees it knows which values are equal and how often each stands there: for what identifies, not for what there are few of.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `join`, written down."),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: IDENTIFIERS, to: None },
        examples: &[
            Example::ok(r#"encrypt_joinable("A-1", "links") == encrypt_joinable("A-1", "links")"#, "true"),
            Example::fails(r#"encrypt_joinable("a", "mail")"#, "is for `encrypt`"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
