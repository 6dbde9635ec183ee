//! Codes of the area `map`: what `map check` finds, and why a mapping rejects a record.

use super::Code;

/// A source path that the stream does not have.
pub static UNKNOWN_SOURCE: Code = Code::new(
    "map-unknown-source",
    "the source stream has no such field",
    "The rule reads a path that the source stream does not declare. Streams with `fields:` are closed unless they say `open: true`; with `--strict` a path of unknown streams is a finding too. Correct the path, or declare the field.",
);
/// A result that does not fit its target.
pub static TARGET_TYPE: Code = Code::new(
    "map-target-type",
    "the result does not fit the type of the target field",
    "The type that the rule computes is not the one that the target field (or the rule's own `type`) asks for. Convert it in the transform, for instance with int(value), decimal(value), string(value) or timestamp(value); a `type` on the rule reads text strictly.",
);
/// Two rules write one field.
pub static DUPLICATE_TARGET: Code = Code::new(
    "map-duplicate-target",
    "two rules write the same target field",
    "Each target field is written by exactly one rule, so that it is never a question of order which of them wins. Remove one rule, or join both in one transform.",
);
/// One target lies inside another.
pub static NESTED_TARGET: Code = Code::new(
    "map-nested-target",
    "one target field lies inside another",
    "One rule writes a map as a whole and another a field inside that map; one of them would be lost. Write either the whole or its parts.",
);
/// A target path this target cannot hold.
pub static TARGET_PATH: Code = Code::new(
    "map-target-path",
    "the target cannot hold such a path",
    "Targets are named by keys: `a.b` makes a map inside a map, list elements (`[0]`, `[*]`) are made by a transform that yields the list. Flat targets such as CSV files and database tables have no maps: name a single column.",
);
/// A target field that the target does not declare.
pub static UNKNOWN_TARGET: Code = Code::new(
    "map-unknown-target",
    "the target stream has no such field",
    "The target stream declares its fields and this one is not among them. Correct the name, declare the field, or say `open: true` on the stream.",
);
/// A required target field is not filled.
pub static MISSING_TARGET: Code = Code::new(
    "map-missing-target",
    "a required target field is not filled",
    "The target stream declares this field as required, but no rule writes it, or the rule that does may leave it missing or null. Add a rule, a `default`, or `required: true`, which rejects records without it.",
);
/// A key column that no rule writes.
pub static KEY_NOT_FILLED: Code = Code::new(
    "map-key-not-filled",
    "a key column is not filled",
    "Each column of the key must be a target field of this mapping: without it no record could be found again.",
);
/// A key column that may be absent.
pub static KEY_NOT_REQUIRED: Code = Code::new(
    "map-key-not-required",
    "a key column may be absent",
    "A record without its key cannot be told from another one. Say `required: true` on the rule, which rejects such records, or declare the source field as required and not null.",
);
/// An exact number into a binary one.
pub static DECIMAL_TO_DOUBLE: Code = Code::new(
    "map-decimal-to-double",
    "an exact decimal would become a binary double",
    "Decimals stay exact in consign: 0.1 has no binary double. Declare the target field as decimal, or ask for the loss with double(value) or `type: double` on the rule.",
);
/// An example of the mapping fails.
pub static EXAMPLE_FAILED: Code = Code::new(
    "map-example-failed",
    "an example of the mapping does not hold",
    "A test under `tests:` was run through the mapping and something else came of it. Numbers are compared by value and by text (36 is not 36.00), and fields that `expect` does not name must be absent.",
);
/// An example that cannot be run.
pub static EXAMPLE_INVALID: Code = Code::new(
    "map-example-invalid",
    "an example cannot be run",
    "`given` and `expect` are maps of plain values: text, numbers, true and false, null, lists and maps. References such as ${env:NAME} have no place in examples.",
);
/// A default that is never used.
pub static UNUSED_DEFAULT: Code = Code::new(
    "map-unused-default",
    "the default is never used",
    "A default stands in where the source value is missing or null. The rule has no source, or its source field is declared as always there and never null.",
);
/// A default of another type than its source.
pub static DEFAULT_TYPE: Code = Code::new(
    "map-default-type",
    "the default does not fit the source field",
    "A default stands in for the source value, before the transform, and so has to be of the source field's type. It is a plain value: no expression, no reference.",
);
/// `value` in a rule without source.
pub static VALUE_WITHOUT_SOURCE: Code = Code::new(
    "map-value-without-source",
    "`value` without a source",
    "In a transform `value` is the source value, but the rule names no `source`. Add one, or read the record itself: record.field.",
);
/// A rule that does nothing.
pub static EMPTY_RULE: Code = Code::new(
    "map-empty-rule",
    "the rule says no value",
    "A rule takes its value from a `source`, from a `transform` over `record`, or from both.",
);
/// A condition that is no condition.
pub static NOT_A_CONDITION: Code = Code::new(
    "map-not-a-condition",
    "a condition must be true or false",
    "`when` and `validate` are conditions: their expressions yield a bool. Compare with something: value > 0, value != \"\".",
);
/// A condition that is the same for each record.
pub static CONSTANT_CONDITION: Code = Code::new(
    "map-constant-condition",
    "the condition is the same for every record",
    "The condition reads neither the record nor the value: it lets everything pass or nothing. It is often a typing error, such as a field name in quotes.",
);
/// A gate over a field that may be missing.
pub static GATE_MAY_MISS: Code = Code::new(
    "map-gate-may-miss",
    "the gate reads a field that may be missing",
    "`when` never takes a missing field for false: a record without it is rejected, not filtered, and goes to the dead letters. If it should be filtered, say so: has(record.field) && record.field == 1.",
);
/// Two examples of one name.
pub static DUPLICATE_EXAMPLE: Code = Code::new(
    "map-duplicate-example",
    "two examples have the same name",
    "Reports name an example by its name. Give each its own.",
);

/// A record without a required value.
pub static REQUIRED: Code = Code::new(
    "map-required",
    "a required field is missing or null",
    "The rule says `required: true` and the record gives it no value. The record waits in the dead letters; correct the source, or give the rule a `default`, and replay.",
);
/// A record that a condition refuses.
pub static INVALID: Code = Code::new(
    "map-invalid",
    "a value is refused by `validate`",
    "A condition under `validate` was false for the value that would have been written. The record waits in the dead letters; correct the source or the rule and replay.",
);
/// A record whose value has the wrong type.
pub static WRONG_TYPE: Code = Code::new(
    "map-wrong-type",
    "a value has the wrong type",
    "The value that would have been written is not of the type that the rule or the target field asks for. The record waits in the dead letters; convert the value in the transform and replay.",
);
/// A condition did not yield a bool.
pub static NO_ANSWER: Code = Code::new(
    "map-no-answer",
    "a condition gave no answer",
    "`when` or `validate` yielded something other than true or false for this record. A missing or null answer is never taken for false. Say what holds then: record.?field.orValue(false).",
);

/// `for_each` over something else than a list.
pub static NOT_A_LIST: Code = Code::new(
    "map-not-a-list",
    "`for_each` goes through a list",
    "`for_each` names the path of a list (`orders`, `orders[*]`, `orders[*].lines[*]`) or an expression that yields one. An object that is no list is written with `fields` alone. In XML an element that may stand more than once is a list where the format's `lists` says so.",
);
/// A name that stands for two things.
pub static DUPLICATE_NAME: Code = Code::new(
    "map-duplicate-name",
    "a name stands for something else already",
    "What `let` and `as` name must be different from each other and from what expressions know anyway, so that it is never a question which is meant.",
);
/// A name that nothing uses.
pub static UNUSED_NAME: Code = Code::new(
    "map-unused-name",
    "a name is never used",
    "What `let` names is computed only where an expression uses it, and none does.",
);
/// No case of a switch fits.
pub static NO_CASE: Code = Code::new(
    "map-no-case",
    "no case of the switch fits",
    "The value is none of the cases, or none of the conditions holds, and the switch does not say what holds otherwise. At run time the record waits in the dead letters; add the case or `otherwise`, and replay. As a finding: a value of the source's type can never be that case.",
);
/// A record breaks the contract of its source.
pub static CONTRACT_SOURCE: Code = Code::new(
    "map-contract-source",
    "a record breaks the contract of its source",
    "The source stream names a JSON Schema, and the record does not meet it: the field, the keyword and what it asks for are told. The record went to the dead letters before the mapping saw it. Correct it in the source, or the schema if it is the schema that is wrong, and replay.",
);
/// A target record breaks the contract of its target.
pub static CONTRACT_TARGET: Code = Code::new(
    "map-contract-target",
    "a record breaks the contract of its target",
    "The target stream names a JSON Schema, and what the mapping made of the record does not meet it: the field, the keyword and what it asks for are told. Nothing of it was written. Correct the rule of that field, and replay.",
);
/// A record has a field that nobody declared.
pub static DRIFT: Code = Code::new(
    "map-drift",
    "a record has a field that nobody declared",
    "The mapping asks for drift to be noticed (`contract: { drift: park }` or `fail`), and the source sends a field that neither its schema nor its `fields` know. Declare the field and decide what becomes of it, then replay or run again; `accept_new` lets such records pass and counts them.",
);
/// Drift cannot be told.
pub static DRIFT_UNKNOWABLE: Code = Code::new(
    "map-drift-unknowable",
    "drift cannot be told where nothing is declared",
    "`contract: { drift }` tells fields that nobody declared, and the source stream declares none. Name a `schema` of the stream, declare its `fields`, or have them written with `consign connect schema NAME --write`.",
);

/// A record has too many elements to be taken apart.
pub static EXPLODE_LIMIT: Code = Code::new(
    "map-explode-limit",
    "a record becomes too many target records",
    "`explode` makes a target record of each element of a list: at most 100,000 of one source record, and at most 64 MiB of them. More are no record but a file of its own: let the source yield the elements as records.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &UNKNOWN_SOURCE,
    &TARGET_TYPE,
    &DUPLICATE_TARGET,
    &NESTED_TARGET,
    &TARGET_PATH,
    &UNKNOWN_TARGET,
    &MISSING_TARGET,
    &KEY_NOT_FILLED,
    &KEY_NOT_REQUIRED,
    &DECIMAL_TO_DOUBLE,
    &EXAMPLE_FAILED,
    &EXAMPLE_INVALID,
    &UNUSED_DEFAULT,
    &DEFAULT_TYPE,
    &VALUE_WITHOUT_SOURCE,
    &EMPTY_RULE,
    &NOT_A_CONDITION,
    &CONSTANT_CONDITION,
    &GATE_MAY_MISS,
    &DUPLICATE_EXAMPLE,
    &REQUIRED,
    &INVALID,
    &WRONG_TYPE,
    &NO_ANSWER,
    &NOT_A_LIST,
    &DUPLICATE_NAME,
    &UNUSED_NAME,
    &NO_CASE,
    &CONTRACT_SOURCE,
    &CONTRACT_TARGET,
    &DRIFT,
    &DRIFT_UNKNOWABLE,
    &EXPLODE_LIMIT,
];
