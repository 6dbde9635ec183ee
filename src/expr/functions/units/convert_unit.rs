//! A quantity in another unit.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::functions::quantity;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static CONVERT_UNIT: Function = Function {
    spec: Spec {
        name: "convert_unit",
        aliases: &[],
        about: "A quantity in another unit of the same kind, exactly: factors are those that are exact by definition (NIST SP 811, appendix B). Where the result has no end within 28 digits, say how many places it keeps.",
        parameters: &[
            Parameter::new("x", Kinds::INT.or(Kinds::UINT).or(Kinds::DECIMAL), "The quantity."),
            Parameter::new(
                "from",
                Kinds::TEXT,
                "Its unit, by symbol or word (`kilograms`): `mm cm m km in ft yd mi nmi`, `mg g kg t oz lb st`, `ml l m3 gal pt qt floz imp_gal`, `m2 ha acre ft2 km2`, `ms s min h d wk`, `kmh mps mph kn`, `C F K`, `J kJ Wh kWh cal kcal BTU`, `W kW hp PS`, `Pa kPa bar psi atm`, `B kB MB GB TB KiB MiB GiB TiB`.",
            ),
            Parameter::new("to", Kinds::TEXT, "The unit wanted."),
            Parameter::new("places", Kinds::INT, "Places after the point, rounded half up; all of them if not said.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"convert_unit(1, "lb", "kg")"#, "0.45359237"),
            Example::ok(r#"convert_unit(100, "km", "mi", 2)"#, "62.14"),
            Example::ok(r#"convert_unit(98.6, "F", "C")"#, "37.0"),
            Example::ok(r#"convert_unit(-40, "C", "F")"#, "-40"),
            Example::ok(r#"convert_unit(2, "kilograms", "g")"#, "2000"),
            Example::fails(r#"convert_unit(1, "kg", "m")"#, "a mass is not a length"),
            Example::fails(r#"convert_unit(1, "kg", "lb")"#, "say how many places"),
            Example::fails(r#"convert_unit(1, "stone", "flops")"#, "no unit"),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [x, Value::String(from), Value::String(to), rest @ ..] = arguments else { return Err(super::misuse()) };
    let places = match rest {
        [] => None,
        [Value::Int(places @ 0..=28)] => Some(*places as u32),
        _ => return Err(Failure::value("the places are 0 to 28")),
    };
    let x = match x {
        Value::Decimal(x) => *x,
        Value::Int(x) => Decimal::from_i64(*x),
        Value::Uint(x) => Decimal::from_u64(*x),
        _ => return Err(super::misuse()),
    };
    let change = match call.made::<quantity::Change>() {
        Some(change) => *change,
        None => quantity::between(from, to)?,
    };
    change.apply(x, places).map(Value::Decimal)
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants {
        [_, Some(Value::String(from)), Some(Value::String(to)), ..] => {
            Ok(Prepared::Made(Box::new(quantity::between(from, to)?)))
        }
        _ => Ok(Prepared::None),
    }
}
