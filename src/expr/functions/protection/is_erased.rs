//! Whether a subject was erased.

use super::{Example, Flow, Function, PLAIN, Parameter, Returns, Spec};
use crate::expr::keyed;
use crate::record::Type;

pub(in crate::expr::functions) static IS_ERASED: Function = Function {
    spec: Spec {
        name: "is_erased",
        aliases: &[],
        about: "Whether a subject was erased with `consign audit keys shred`: `when: \"!is_erased(record.id)\"` keeps it from coming back with the next full sync.",
        parameters: &[Parameter::new("subject", PLAIN, "Who it is: a customer number, an address.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_erased(4711)"#, "false"),
            Example::fails(r#"is_erased("")"#, "the subject is empty"),
        ],
    },
    prepare: None,
    call: keyed::apply,
};
