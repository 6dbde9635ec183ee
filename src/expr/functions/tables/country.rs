//! Names and codes of countries.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::functions::data;
use crate::record::Value;

pub(in crate::expr::functions) static COUNTRY: Function = Function {
    spec: Spec {
        name: "country",
        aliases: &[],
        about: "A country in another form: from a code (ISO 3166-1: two or three letters, or three digits) or its English name, in letters of either case, to the form asked for. What is not known gives what else is said, or an error.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "A code or an English name."),
            Parameter::new("form", Kinds::TEXT, "`alpha2`, `alpha3`, `numeric`, `dial`, `name` or `un_name`."),
            Parameter::new("otherwise", Kinds::ANY.or(Kinds::NULL), "The result for what is not known.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("string", super::text_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"country("de", "name")"#, "Germany"),
            Example::ok(r#"country("Germany", "alpha3")"#, "DEU"),
            Example::ok(r#"country("276", "alpha2")"#, "DE"),
            Example::ok(r#"country("DE", "dial")"#, "49"),
            Example::ok(r#"country("XX", "name", "?")"#, "?"),
            Example::fails(r#"country("XX", "name")"#, "no country"),
            Example::fails(r#"country("DE", "capital")"#, "`alpha2`"),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(name), rest @ ..] = arguments else { return Err(super::misuse()) };
    let form = form(name)?;
    super::in_form("country", data::country(text).map(form), rest)
}

fn form(name: &str) -> Result<fn(&data::Country) -> &'static str, Failure> {
    Ok(match name {
        "alpha2" => |country| country.alpha2,
        "alpha3" => |country| country.alpha3,
        "numeric" => |country| country.numeric,
        "dial" => |country| country.dial,
        "name" => |country| country.name,
        "un_name" => |country| country.un_name,
        _ => return Err(Failure::value("the form is `alpha2`, `alpha3`, `numeric`, `dial`, `name` or `un_name`")),
    })
}

/// A form that is written down is checked before there is data.
fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::checked(constants, |name| form(name).map(drop))
}
