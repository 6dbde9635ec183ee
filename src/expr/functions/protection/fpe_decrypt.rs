//! Text of the same form, in clear.

use super::{Example, Flow, Function, Kinds, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static FPE_DECRYPT: Function = Function {
    spec: Spec {
        name: "fpe_decrypt",
        aliases: &[],
        about: "The text that `fpe_encrypt` made another of. The key must say which mappings may do this and which classes come back, as for `decrypt`. A wrong key or context gives another text and no error: nothing in it tells. After a rotation the older text needs its version: `\"cards@1\"`.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `format`, written down."),
            Parameter::new("alphabet", Kinds::TEXT, "`digits` (if not said), `alphanumeric` (digits and capitals), or the letters written out.").optional(),
            Parameter::new("context", Kinds::TEXT, "Tells places apart, written down: what was sealed for one does not open in another. The name of the key if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"fpe_decrypt(fpe_encrypt("4111111111111111", "cards"), "cards")"#, "4111111111111111"),
            Example::fails(r#"fpe_decrypt("123", "cards")"#, "less than a million"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
