//! What flows and what is said of it: values, paths, types, data classes, positions and
//! outcomes. No input/output, no clock.

pub mod calls;
pub mod class;
pub mod contract;
pub mod decimal;
pub mod digest;
pub mod json;
pub mod key;
pub mod outcome;
pub mod path;
pub mod position;
pub mod row;
pub mod ruling;
pub mod shape;
pub mod shown;
pub mod suspect;
pub mod time;
pub mod value;

pub use calls::{Calls, Meter};
pub use class::{ClassId, ClassSet};
pub use decimal::Decimal;
pub use key::{KeyState, Purpose};
pub use outcome::{Reject, Totals};
pub use path::Path;
pub use position::{Known, Mark, Position, Receipt, Refusal, Settled, SliceId, Trace};
pub use row::{Projection, Row};
pub use ruling::{Act, Ruling, Rulings, Sum, Withheld};
pub use shape::{Column, Field, Type};
pub use time::{Date, Duration, Timestamp};
pub use value::Value;

/// The arena of one part: everything a record is made of lives here or in the part's bytes
/// and is freed at once.
pub type Arena = bumpalo::Bump;
