//! A value from a file beside the mapping.

use std::sync::Arc;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::Table;
use crate::expr::functions::identity;
use crate::record::Value;

pub(in crate::expr::functions) static LOOKUP: Function = Function {
    spec: Spec {
        name: "lookup",
        aliases: &[],
        about: "What stands in a column of a CSV file, in the row whose first column is the key. The file lies in the folder of the mapping or below it and is read once, at most 64 MiB; it takes its size in memory, four bytes for each cell and some 50 bytes for each row. A key that is not there, or says nothing, gives what else is said, or an error. The classes of the key stay: a table may lead back to it.",
        parameters: &[
            Parameter::new("file", Kinds::TEXT, "The file, written down."),
            Parameter::new(
                "key",
                Kinds::TEXT
                    .or(Kinds::INT)
                    .or(Kinds::DECIMAL)
                    .or(Kinds::RAW)
                    .or(Kinds::BOOL)
                    .or(Kinds::DATE)
                    .or(Kinds::NULL)
                    .or(Kinds::MISSING),
                "What the first column is compared with, as text.",
            ),
            Parameter::new("column", Kinds::TEXT, "The name of the column, written down."),
            Parameter::new("otherwise", Kinds::ANY.or(Kinds::NULL), "The result if there is no such key.").optional(),
        ],
        variadic: false,
        method: false,
        returns: Returns::Computed("string", super::found_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"lookup("codes.csv", "de", "name")"#, "Germany"),
            Example::ok(r#"lookup("codes.csv", 49, "name")"#, "Number 49"),
            Example::ok(r#"lookup("codes.csv", "xx", "name", "?")"#, "?"),
            Example::fails(r#"lookup("codes.csv", "xx", "name")"#, "no row has that key"),
            Example::fails(r#"lookup("codes.csv", "de", "nam")"#, "no column `nam`"),
            Example::fails(r#"lookup("none.csv", "de", "name")"#, "not at hand"),
            Example::fails(r#"lookup(string(1), "de", "name")"#, "known before there is data"),
        ],
    },
    prepare: None,
    call,
};

/// What a lookup that was checked needs: made by the checker, which knows the tables.
#[derive(Debug)]
pub struct Lookup {
    /// The table.
    pub table: Arc<Table>,
    /// The column, from 0.
    pub column: usize,
}

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [_, key, _, rest @ ..] = arguments else { return Err(super::misuse()) };
    let Some(lookup) = call.made::<Lookup>() else { return Err(super::misuse()) };
    let found = match identity::key(key, call)? {
        Some(key) => lookup.table.get(key, lookup.column),
        None => None,
    };
    match (found, rest) {
        (Some(found), _) => Ok(Value::String(found)),
        (None, [otherwise]) => Ok(*otherwise),
        (None, _) if key.is_absent() => Err(Failure::value(format!("the key is {}", key.type_name()))),
        (None, _) => Err(Failure::value("no row has that key: say what else with a fourth argument")),
    }
}
