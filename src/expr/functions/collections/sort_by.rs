//! A list in the order of what stands at a path.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::{reach, sorted};
use crate::record::Value;

pub(in crate::expr::functions) static SORT_BY: Function = Function {
    spec: Spec {
        name: "sort_by",
        aliases: &[],
        about: "The items of a list in the order of what stands at a path; those that are alike stay as they came, and where nothing stands is last.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("path", Kinds::TEXT, "Where the items are compared."),
            Parameter::new("direction", Kinds::TEXT, "`asc` (if not said) or `desc`.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"sort_by([{"n": 2}, {"n": 1}], "n")"#, r#"[{"n":1},{"n":2}]"#),
            Example::ok(r#"sort_by([{"n": 1}, {}, {"n": 2}], "n", "desc")"#, r#"[{"n":2},{"n":1},{}]"#),
            Example::fails(r#"sort_by([{"n": 1}, {"n": "a"}], "n")"#, "cannot be compared"),
        ],
    },
    prepare: Some(reach::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::String(path), rest @ ..] = arguments else { return Err(super::misuse()) };
    let path = reach::path(call, path)?;
    sorted::sorted(items, |item| reach::reach(item, &path), true, sorted::descends(rest.first())?, call)
}
