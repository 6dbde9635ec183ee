//! Names and codes of languages.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::functions::data;
use crate::record::Value;

pub(in crate::expr::functions) static LANGUAGE: Function = Function {
    spec: Spec {
        name: "language",
        aliases: &[],
        about: "A language in another form: from a code (ISO 639-1 or 639-2) or its English name, in letters of either case, to the form asked for. What is not known gives what else is said, or an error.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "A code or an English name."),
            Parameter::new("form", Kinds::TEXT, "`alpha2`, `alpha3`, `alpha3b` or `name`."),
            Parameter::new("otherwise", Kinds::ANY.or(Kinds::NULL), "The result for what is not known.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("string", super::text_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"language("de", "name")"#, "German"),
            Example::ok(r#"language("ger", "alpha2")"#, "de"),
            Example::ok(r#"language("German", "alpha3")"#, "deu"),
            Example::ok(r#"language("de", "alpha3b")"#, "ger"),
            Example::ok(r#"language("zz", "name", null)"#, ""),
            Example::fails(r#"language("zz", "name")"#, "no language"),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(name), rest @ ..] = arguments else { return Err(super::misuse()) };
    let form = form(name)?;
    super::in_form("language", data::language(text).map(form), rest)
}

fn form(name: &str) -> Result<fn(&data::Language) -> &'static str, Failure> {
    Ok(match name {
        "alpha2" => |language| language.alpha2,
        "alpha3" => |language| language.alpha3t,
        "alpha3b" => |language| language.alpha3b,
        "name" => |language| language.name,
        _ => return Err(Failure::value("the form is `alpha2`, `alpha3`, `alpha3b` or `name`")),
    })
}

/// A form that is written down is checked before there is data.
fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::checked(constants, |name| form(name).map(drop))
}
