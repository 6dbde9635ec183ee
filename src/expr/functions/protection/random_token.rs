//! A random token out of the vault.

use super::{Example, Flow, Function, IDENTIFIERS, Kinds, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static RANDOM_TOKEN: Function = Function {
    spec: Spec {
        name: "random_token",
        aliases: &[],
        about: "A random token: 24 small letters and digits that are not made of the value. The state keeps which value has which, so that the same value has the same token in each run; without the state nothing leads back (45 CFR 164.514(c)).",
        parameters: &[
            Parameter::new("value", PLAIN, "The value."),
            Parameter::new("key", Kinds::TEXT, "The name of a key for `vault`, written down."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: IDENTIFIERS, to: None },
        examples: &[
            Example::ok(r#"random_token("078-05-1120", "vault").size()"#, "24"),
            Example::fails(r#"random_token("a", "customers")"#, "is for `token`"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
