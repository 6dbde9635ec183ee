//! Whether a value looks like data of a class, as detectors see it.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::keyed::Looker;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LOOKS_LIKE: Function = Function {
    spec: Spec {
        name: "looks_like",
        aliases: &[],
        about: "Whether detectors find data of a class in a value, in all that is in it: a card number in a note, a mail address in a list. `any` is every class that is sensitive. The name of a field speaks for what stands in it: three digits are a verification code in `cvv`.",
        parameters: &[
            Parameter::new("value", Kinds::ANY.or(Kinds::NULL), "The value."),
            Parameter::new("class", Kinds::TEXT, "A class, written down; `any` if left out.").optional(),
            Parameter::new("field", Kinds::TEXT, "The name of the field, written down.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"looks_like("paid with 4111 1111 1111 1111", "pci.pan")"#, "true"),
            Example::ok(r#"looks_like("paid in cash")"#, "false"),
            Example::ok(r#"looks_like(["anna@shop.example"], "pii.email")"#, "true"),
            Example::ok(r#"looks_like("anna@shop.example", "pci")"#, "false"),
            Example::fails(r#"looks_like("a", "pci.card")"#, "there is no class"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match (call.made::<Box<dyn Looker>>(), arguments) {
        (Some(looker), [value, ..]) => Ok(Value::Bool(looker.sees(value))),
        _ => Err(super::misuse()),
    }
}
