//! Random numbers and ids that are the same whenever the record is the same, and the place of a record.

mod random_decimal;
mod random_int;
mod random_item;
mod sequence;
mod source_line;
mod source_name;
mod uuid4;
mod uuid7;

use super::{Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, misuse};
use crate::record::Type;

/// Seeded values.
pub(super) static GROUP: Group = Group {
    name: "Seeded values",
    about: "Random numbers and ids, and the place of a record. They are made of the place and the bytes of the record, its expression and the secret of the state: a record gives the same values when its dead letter is replayed, and when it is read again after a run was killed. Another state, place or expression gives others.",
    functions: &[
        &random_decimal::RANDOM_DECIMAL,
        &random_int::RANDOM_INT,
        &random_item::RANDOM_ITEM,
        &sequence::SEQUENCE,
        &source_line::SOURCE_LINE,
        &source_name::SOURCE_NAME,
        &uuid4::UUID4,
        &uuid7::UUID7,
    ],
};

/// A random number of 128 bits.
fn number(call: &Call<'_, '_>) -> u128 {
    call.seed.draw().first_chunk().copied().map_or(0, u128::from_le_bytes)
}

fn item_type(types: &[Type]) -> Type {
    match types {
        [Type::List(item)] => (**item).clone(),
        _ => Type::Dyn,
    }
}
