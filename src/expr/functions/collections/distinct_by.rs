//! A list without items that are alike in one place.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::reach;
use crate::record::Value;

pub(in crate::expr::functions) static DISTINCT_BY: Function = Function {
    spec: Spec {
        name: "distinct_by",
        aliases: &[],
        about: "The items of a list that differ in what stands at a path, the first of each kind; what is missing there counts as one kind.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("path", Kinds::TEXT, "Where the items are compared."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"distinct_by([{"id": 1, "n": "a"}, {"id": 1, "n": "b"}], "id")"#, r#"[{"id":1,"n":"a"}]"#),
            Example::fails(r#"distinct_by([], "a[*]")"#, "one value"),
        ],
    },
    prepare: Some(reach::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::String(path)] = arguments else { return Err(super::misuse()) };
    let path = reach::path(call, path)?;
    super::distinct_items(items, |item| reach::reach(item, &path), call)
}
