//! Numbers: exact arithmetic, rounding and bits.

mod abs;
mod bit_and;
mod bit_not;
mod bit_or;
mod bit_shift_left;
mod bit_shift_right;
mod bit_xor;
mod ceil;
mod div;
mod floor;
mod is_finite;
mod is_inf;
mod is_nan;
mod round;
mod sign;
mod trunc;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse, rounding,
};

/// Numbers.
pub(super) static GROUP: Group = Group {
    name: "Numbers",
    about: "Exact arithmetic, rounding and bits.",
    functions: &[
        &abs::ABS,
        &bit_and::BIT_AND,
        &bit_not::BIT_NOT,
        &bit_or::BIT_OR,
        &bit_shift_left::BIT_SHIFT_LEFT,
        &bit_shift_right::BIT_SHIFT_RIGHT,
        &bit_xor::BIT_XOR,
        &ceil::CEIL,
        &div::DIV,
        &floor::FLOOR,
        &is_finite::IS_FINITE,
        &is_inf::IS_INF,
        &is_nan::IS_NAN,
        &round::ROUND,
        &sign::SIGN,
        &trunc::TRUNC,
    ],
};
