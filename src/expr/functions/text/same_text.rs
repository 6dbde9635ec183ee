//! Whether two texts are the same but for form.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};
use unicode_normalization::UnicodeNormalization;

pub(in crate::expr::functions) static SAME_TEXT: Function = Function {
    spec: Spec {
        name: "same_text",
        aliases: &[],
        about: "Whether two texts are the same when case, width, composition of letters and amount of white space do not count.",
        parameters: &[Parameter::new("a", Kinds::TEXT, "One text."), Parameter::new("b", Kinds::TEXT, "The other.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"same_text(" ANNA  Müller", "anna mu\u0308ller")"#, r#"true"#),
            Example::ok(r#"same_text("anna", "anne")"#, r#"false"#),
            Example::fails(r#"same_text("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(a), Value::String(b)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(a == b || plain(a).eq(plain(b))))
}

/// The characters that count, words parted by one space.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace().flat_map(|word| word.chars().chain([' '])).nfkc().flat_map(char::to_lowercase).nfkc()
}
