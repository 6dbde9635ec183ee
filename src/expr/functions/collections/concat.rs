//! Lists one after the other.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static CONCAT: Function = Function {
    spec: Spec {
        name: "concat",
        aliases: &[],
        about: "The items of several lists one after the other.",
        parameters: &[Parameter::new("list", Kinds::LIST, "A list.")],
        variadic: true,
        method: true,
        returns: Returns::Common,
        flow: Flow::Carries,
        examples: &[Example::ok("concat([1], [2, 3], [])", "[1,2,3]"), Example::fails("concat([1], 2)", "wants list")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let lists = arguments.iter().map(|list| if let Value::List(items) = list { *items } else { &[] });
    let mut all = call.list(lists.clone().map(<[Value<'a>]>::len).sum())?;
    lists.for_each(|items| all.extend_from_slice(items));
    Ok(Value::List(all.into_bump_slice()))
}
