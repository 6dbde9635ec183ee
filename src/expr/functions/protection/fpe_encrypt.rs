//! Encrypted text of the same form.

use super::{Example, FORMATTED, Flow, Function, Kinds, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static FPE_ENCRYPT: Function = Function {
    spec: Spec {
        name: "fpe_encrypt",
        aliases: &[],
        about: "Encrypts text into text of the same length and letters (FF1, NIST SP 800-38G r1), for systems that check the form. Spaces and `- . / ( ) + :` stay where they are; any other letter outside of the alphabet is an error, and so is a text with less than a million like it (6 digits). Check digits do not hold any more. Equal texts are equal; a result does not say with which key it was made.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `format`, written down."),
            Parameter::new("alphabet", Kinds::TEXT, "`digits` (if not said), `alphanumeric` (digits and capitals), or the letters written out.").optional(),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: FORMATTED, to: None },
        examples: &[
            Example::ok(r#"fpe_encrypt("4111-1111-1111-1111", "cards").size()"#, "19"),
            Example::ok(r#"fpe_decrypt(fpe_encrypt("AB12CD34", "cards", "alphanumeric"), "cards", "alphanumeric")"#, "AB12CD34"),
            Example::fails(r#"fpe_encrypt("12345", "cards")"#, "less than a million"),
            Example::fails(r#"fpe_encrypt("12345x", "cards")"#, "not of the alphabet"),
            Example::fails(r#"fpe_encrypt("123456", "cards", "aa")"#, "stands twice"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
