//! The parts of a name of a person.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::naming;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SPLIT_NAME: Function = Function {
    spec: Spec {
        name: "split_name",
        aliases: &[],
        about: "The parts of a name as a map with `prefix`, `given`, `middle`, `family` and `suffix`, each empty if there is none: titles in front, `van der` and the like belong to the family name, `Family, Given` is turned round. A guess that fits names of Europe and America.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The name.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("map(string)", |_| Type::Map(Box::new(Type::String))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"split_name("Dr. Anna Maria van der Berg")"#,
                r#"{"prefix":"Dr.","given":"Anna","middle":"Maria","family":"van der Berg","suffix":""}"#,
            ),
            Example::ok(
                r#"split_name("King, Martin Luther, Jr.")"#,
                r#"{"prefix":"","given":"Martin","middle":"Luther","family":"King","suffix":"Jr."}"#,
            ),
            Example::ok(r#"split_name("Cher").given"#, "Cher"),
            Example::fails("split_name(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let parts = naming::split(text, call)?;
    let mut entries = call.list(5)?;
    for (name, words) in ["prefix", "given", "middle", "family", "suffix"].into_iter().zip(parts) {
        entries.push((name, Value::String(naming::joined(&words, call)?)));
    }
    Ok(Value::Map(entries.into_bump_slice()))
}
