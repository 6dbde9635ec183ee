//! A value encrypted under the key of a subject.

use super::{ENCRYPTED, Example, Flow, Function, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static ENCRYPT_FOR: Function = Function {
    spec: Spec {
        name: "encrypt_for",
        aliases: &[],
        about: "Encrypts a value (`cs1:p:…`, XAES-256-GCM) under a key that belongs to one subject alone: `consign audit keys shred` destroys it, and with it everything that was encrypted for that subject, wherever it went. For a subject that was erased there is no result.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `subject`, written down."),
            Parameter::new("subject", PLAIN, "Who it is about: a customer number, an address."),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: ENCRYPTED, to: None },
        examples: &[
            Example::ok(r#"encrypt_for("12 High St", "people", 4711).startsWith("cs1:p:people.")"#, "true"),
            Example::fails(r#"encrypt_for("a", "people", "")"#, "the subject is empty"),
            Example::fails(r#"encrypt_for("a", "mail", 1)"#, "is for `encrypt`"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
