//! Two lists side by side.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ZIP: Function = Function {
    spec: Spec {
        name: "zip",
        aliases: &[],
        about: "A list of the pairs of items that stand at one position of two lists; the lists are of one length.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("other", Kinds::LIST, "The other list."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("a list of lists", |_| Type::List(Box::new(Type::List(Box::default())))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"zip([1, 2], ["a", "b"])"#, r#"[[1,"a"],[2,"b"]]"#),
            Example::fails("zip([1], [])", "one length"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::List(others)] = arguments else { return Err(super::misuse()) };
    if items.len() != others.len() {
        return Err(Failure::value("the lists are not of one length"));
    }
    let mut list = call.list(items.len())?;
    for (item, other) in items.iter().zip(*others) {
        let mut pair = call.list(2)?;
        pair.push(*item);
        pair.push(*other);
        list.push(Value::List(pair.into_bump_slice()));
    }
    Ok(Value::List(list.into_bump_slice()))
}
