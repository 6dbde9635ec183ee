//! Codes of the area `expr`.

use super::Code;

/// The text is no expression.
pub static SYNTAX: Code = Code::new(
    "expr-syntax",
    "the text is no expression",
    "An expression follows the syntax of CEL (Common Expression Language). The place shows where reading stopped. Inside YAML, an expression that begins with a quote or holds `, { } [ ] # ? : !` must be quoted as a whole or stand on its own line.",
);
/// A name that is not bound.
pub static UNKNOWN_NAME: Code = Code::new(
    "expr-unknown-name",
    "unknown name",
    "An expression may use the names its place offers (`value`, `record` and the variables of macros such as `all` and `map`) and nothing else. Text needs quotes.",
);
/// A field that the schema does not have.
pub static UNKNOWN_FIELD: Code = Code::new(
    "expr-unknown-field",
    "unknown field",
    "The stream declares its fields, and this one is not among them. Correct the name, declare the field under `fields`, or mark the stream as open.",
);
/// A function that does not exist.
pub static UNKNOWN_FUNCTION: Code = Code::new(
    "expr-unknown-function",
    "unknown function",
    "There is no function of that name. `consign map functions` lists them all, each with its signature and examples.",
);
/// Wrong number or form of arguments.
pub static ARGUMENTS: Code = Code::new(
    "expr-arguments",
    "the arguments do not fit the function",
    "The function takes another number of arguments, or a constant argument such as a pattern, a format or a time zone is not well formed. `consign map functions NAME` shows its signature.",
);
/// Types that do not go together.
pub static TYPE: Code = Code::new(
    "expr-type",
    "the types do not go together",
    "consign never converts a value silently: text is not a number even if it looks like one. Convert where you mean it (`decimal(x)`, `int(x)`, `string(x)`), or declare the type of the field in the stream's `fields`.",
);
/// An operation on a field that is not there.
pub static MISSING: Code = Code::new(
    "expr-missing",
    "a value that is needed is missing",
    "Missing is neither null nor empty text, and no operator guesses what it should stand for. Ask with `has(record.a)`, say what else with `record.?a.orValue(b)`, or give the rule a `default`.",
);
/// An operation on null.
pub static NULL: Code = Code::new(
    "expr-null",
    "a value that is needed is null",
    "Only `==` and `!=` take null. Say what stands for it: `x == null ? b : x` or `coalesce(x, b)`.",
);
/// A lookup in a file that does not fit it.
pub static LOOKUP: Code = Code::new(
    "expr-lookup",
    "the lookup does not fit its file",
    "`lookup(\"codes.csv\", key, \"column\")` reads a CSV file in the folder of the mapping, or below it: UTF-8, at most 64 MiB, the names of its columns in the first line, the key in the first column, each key once. File and column are written down, so that a check can tell before there is data whether they are there.",
);
/// A key that is not to be had.
pub static KEY: Code = Code::new(
    "expr-key",
    "the key is not to be had",
    "Functions such as `tokenize(value, \"customers\")` name a key that connectors.yaml declares: `compliance: { keys: { customers: { purpose: token } } }`. The name is written down, so that a check can tell before there is data whether the key is declared, is for what the function does, and may be used by this mapping. `consign audit keys list` tells which versions there are, `consign audit keys create NAME` makes the first one.",
);
/// A value that is not protected or opened.
pub static SEALED: Code = Code::new(
    "expr-sealed",
    "the value cannot be protected or opened",
    "A function with a key could not do its work. What is to be opened is no envelope, was altered, was made for another place (its context), or under a key that is not at hand or was destroyed; what is to be protected is not in the form that the function takes. The message says which; the value itself is never shown. Nothing is passed on in clear instead.",
);
/// The subject was erased.
pub static ERASED: Code = Code::new(
    "expr-erased",
    "the subject was erased",
    "The record is about somebody whose data was erased with `consign audit keys shred`. A tombstone keeps it from coming back: nothing is encrypted for that subject any more. Leave such records out with `when: \"!is_erased(record.id)\"`, and delete them at the source.",
);
/// A number without a result.
pub static NUMBER: Code = Code::new(
    "expr-number",
    "the computation has no exact result",
    "Numbers are exact decimals of up to 28 digits. A result that is larger, a division by zero, or a quotient without end is an error, never a silent approximation: `div(a, b, scale, rounding)` says where to cut.",
);
/// A conversion that failed.
pub static VALUE: Code = Code::new(
    "expr-value",
    "the value cannot be converted",
    "The text or number is not in the form that the function reads. The message names the form; the value itself is not shown, since it may be sensitive.",
);
/// Outside of a list, or no such key.
pub static INDEX: Code = Code::new(
    "expr-index",
    "no such element",
    "The index lies outside of the list, or the map has no such key. Ask first (`size(list)`, `key in map`) or use `list[?0].orValue(x)`.",
);
/// A limit against hostile input.
pub static LIMIT: Code = Code::new(
    "expr-limit",
    "the expression or its result is too large",
    "Expressions are limited in length, nesting, steps and the memory of their results, so that no record can stop a run. Split the work, or filter lists before combining them.",
);
/// A type that is not known.
pub static UNKNOWN_TYPE: Code = Code::new(
    "expr-unknown-type",
    "the type is not known",
    "Nothing declares the type of this field, so its use can only be checked while records flow. Declare it under the stream's `fields`; `consign connect discover` proposes them.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &SYNTAX,
    &UNKNOWN_NAME,
    &UNKNOWN_FIELD,
    &UNKNOWN_FUNCTION,
    &ARGUMENTS,
    &TYPE,
    &MISSING,
    &NULL,
    &LOOKUP,
    &KEY,
    &SEALED,
    &ERASED,
    &NUMBER,
    &VALUE,
    &INDEX,
    &LIMIT,
    &UNKNOWN_TYPE,
];
