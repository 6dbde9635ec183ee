//! What people write who come from other languages, and what it is called here.

/// Words for constants.
const CONSTANTS: &[(&str, &str)] = &[
    ("None", "null"),
    ("nil", "null"),
    ("NULL", "null"),
    ("Null", "null"),
    ("undefined", "null"),
    ("True", "true"),
    ("TRUE", "true"),
    ("False", "false"),
    ("FALSE", "false"),
];

/// Functions and methods of the same arguments.
const FUNCTIONS: &[(&str, &str)] = &[
    ("len", "size"),
    ("length", "size"),
    ("count", "size"),
    ("toupper", "upper"),
    ("touppercase", "upper"),
    ("ucase", "upper"),
    ("uppercase", "upper"),
    ("tolower", "lower"),
    ("tolowercase", "lower"),
    ("lcase", "lower"),
    ("lowercase", "lower"),
    ("strip", "trim"),
    ("str", "string"),
    ("tostring", "string"),
    ("text", "string"),
    ("number", "decimal"),
    ("float", "decimal"),
    ("parsefloat", "decimal"),
    ("tonumber", "decimal"),
    ("parseint", "int"),
    ("integer", "int"),
    ("toint", "int"),
    ("boolean", "bool"),
    ("substr", "substring"),
    ("slice", "substring"),
    ("mid", "substring"),
    ("nvl", "coalesce"),
    ("ifnull", "coalesce"),
    ("default", "coalesce"),
    ("includes", "contains"),
    ("datetime", "timestamp"),
    ("todate", "date"),
    ("ceiling", "ceil"),
    ("lpad", "pad_left"),
    ("padstart", "pad_left"),
    ("rpad", "pad_right"),
    ("padend", "pad_right"),
];

/// Functions that choose between two values.
const CHOICES: &[&str] = &["iif", "ifelse", "if_else", "cond"];

/// The word of the language for a constant of another one.
pub(super) fn constant(name: &str) -> Option<&'static str> {
    CONSTANTS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

/// The function that is called otherwise elsewhere, if this version has it.
pub(super) fn function(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let found = FUNCTIONS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
    found.filter(|ours| crate::expr::functions::find(ours).is_some())
}

/// Whether it is a function of three arguments for what is `a ? b : c` here.
pub(super) fn is_choice(name: &str) -> bool {
    CHOICES.contains(&name.to_ascii_lowercase().as_str())
}
