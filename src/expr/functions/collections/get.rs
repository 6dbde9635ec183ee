//! What stands at a path of a value.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::reach;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GET: Function = Function {
    spec: Spec {
        name: "get",
        aliases: &[],
        about: "What stands at a path inside of a list or map; what else is said, or null, if nothing does.",
        parameters: &[
            Parameter::new("x", Kinds::LIST.or(Kinds::MAP), "The list or map."),
            Parameter::new("path", Kinds::TEXT, "The path, such as `lines[0].sku`; `[-1]` is the last item."),
            Parameter::new("otherwise", Kinds::ANY.or(Kinds::NULL), "The result if nothing stands there.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"get({"lines": [{"sku": "A1"}]}, "lines[-1].sku")"#, "A1"),
            Example::ok(r#"get({"a": 1}, "b", 0)"#, "0"),
            Example::fails(r#"get({"a": 1}, "b[")"#, "the path"),
        ],
    },
    prepare: Some(reach::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [value, Value::String(path), rest @ ..] = arguments else { return Err(super::misuse()) };
    let path = reach::path(call, path)?;
    match (reach::reach(value, &path), rest) {
        (Value::Missing, [otherwise, ..]) => Ok(*otherwise),
        (Value::Missing, []) => Ok(Value::Null),
        (found, _) => Ok(found),
    }
}
