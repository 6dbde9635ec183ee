//! Street and house number.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::postal;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SPLIT_STREET: Function = Function {
    spec: Spec {
        name: "split_street",
        aliases: &[],
        about: "The street line of an address as a map with `street`, `number` and `addition`, each empty if there is none: `Hauptstr. 12 a`, `221B Baker Street`, `12, rue de la Paix`.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The street line.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("map(string)", |_| Type::Map(Box::new(Type::String))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"split_street("Hauptstr. 12 a")"#, r#"{"street":"Hauptstr.","number":"12","addition":"a"}"#),
            Example::ok(
                r#"split_street("221B Baker Street")"#,
                r#"{"street":"Baker Street","number":"221","addition":"B"}"#,
            ),
            Example::ok(
                r#"split_street("Straße des 17. Juni")"#,
                r#"{"street":"Straße des 17. Juni","number":"","addition":""}"#,
            ),
            Example::fails("split_street(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let parts = postal::street(text);
    let mut entries = call.list(3)?;
    entries.extend(["street", "number", "addition"].into_iter().zip(parts.map(Value::String)));
    Ok(Value::Map(entries.into_bump_slice()))
}
