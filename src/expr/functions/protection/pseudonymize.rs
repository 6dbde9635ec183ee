//! A keyed pseudonym in the form of a UUID.

use super::{Example, Flow, Function, IDENTIFIERS, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static PSEUDONYMIZE: Function = Function {
    spec: Spec {
        name: "pseudonymize",
        aliases: &[],
        about: "A pseudonym in the form of a UUID (version 8): the same for the same value and key, for columns that hold one. With the key it can be told who it stands for by trying: it is a pseudonym (GDPR Art. 4(5)), not anonymous, and no code for HIPAA de-identification, for which `random_token` is.",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `token`, written down."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: IDENTIFIERS, to: None },
        examples: &[
            Example::ok(r#"pseudonymize("anna@b.example", "customers")"#, "de3d764b-e889-85cd-a31c-7c502579aeea"),
            Example::fails(r#"pseudonymize(null, "customers")"#, "wants"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
