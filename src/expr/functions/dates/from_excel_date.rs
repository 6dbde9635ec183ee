//! A date from the number of a spreadsheet.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Date, Type, Value};

pub(in crate::expr::functions) static FROM_EXCEL_DATE: Function = Function {
    spec: Spec {
        name: "from_excel_date",
        aliases: &[],
        about: "The date that a spreadsheet keeps as a number of days (the 1900 system; a fraction, the time of day, is dropped).",
        parameters: &[Parameter::new("serial", Kinds::DECIMAL, "The number, from 1.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"from_excel_date(45382)"#, r#"2024-03-31"#),
            Example::ok(r#"from_excel_date(1)"#, r#"1900-01-01"#),
            Example::fails(r#"from_excel_date(60)"#, r#"1900-02-29"#),
            Example::fails(r#"from_excel_date(0)"#, r#"1 to 2958465"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(serial)] = arguments else { return Err(super::misuse()) };
    let whole = serial.round(0, Rounding::Floor)?.to_i64().filter(|day| (1..=2_958_465).contains(day));
    let day = whole.ok_or_else(|| Failure::value("the number of a day is 1 to 2958465"))?;
    // The 1900 system counts a day that never was; from there on numbers are one ahead.
    match day {
        60 => Err(Failure::value("60 stands for 1900-02-29, which never was")),
        day => {
            let first = Date::new(1899, 12, if day < 60 { 31 } else { 30 });
            let date = first.and_then(|first| super::later(first, day));
            date.map(Value::Date).ok_or_else(super::out_of_range)
        }
    }
}
