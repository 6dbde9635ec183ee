//! Numbers: exact arithmetic, rounding and bits.

mod abs;
mod between;
mod bit_and;
mod bit_not;
mod bit_or;
mod bit_shift_left;
mod bit_shift_right;
mod bit_xor;
mod ceil;
mod clamp;
mod div;
mod floor;
mod format_number;
mod is_finite;
mod is_inf;
mod is_nan;
mod is_number;
mod is_whole;
mod modulo;
mod parse_number;
mod percent;
mod percent_of;
mod power;
mod round;
mod round_to;
mod sign;
mod sqrt;
mod trim_zeros;
mod trunc;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, made, misuse,
    operators, places, prepare_rounding, prepare_style, rounding, rounding_of, style_named, style_of,
};

/// Numbers.
pub(super) static GROUP: Group = Group {
    name: "Numbers",
    about: "Exact arithmetic, rounding and bits.",
    functions: &[
        &abs::ABS,
        &between::BETWEEN,
        &bit_and::BIT_AND,
        &bit_not::BIT_NOT,
        &bit_or::BIT_OR,
        &bit_shift_left::BIT_SHIFT_LEFT,
        &bit_shift_right::BIT_SHIFT_RIGHT,
        &bit_xor::BIT_XOR,
        &ceil::CEIL,
        &clamp::CLAMP,
        &div::DIV,
        &floor::FLOOR,
        &format_number::FORMAT_NUMBER,
        &is_finite::IS_FINITE,
        &is_inf::IS_INF,
        &is_nan::IS_NAN,
        &is_number::IS_NUMBER,
        &is_whole::IS_WHOLE,
        &modulo::MODULO,
        &parse_number::PARSE_NUMBER,
        &percent::PERCENT,
        &percent_of::PERCENT_OF,
        &power::POWER,
        &round::ROUND,
        &round_to::ROUND_TO,
        &sign::SIGN,
        &sqrt::SQRT,
        &trim_zeros::TRIM_ZEROS,
        &trunc::TRUNC,
    ],
};
