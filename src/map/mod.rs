//! Mappings: compiled against the two streams they stand between, checked without any data,
//! applied to one record at a time. Pure: no input/output, no clock.
//!
//! [`compile`] makes a [`Route`] and says all that can be known before data moves;
//! [`Route::apply`] is the inner loop of every run, of `map test` and of `map preview` alike.

mod compile;
mod contract;
mod convert;
mod difference;
mod examples;
mod explain;
mod explode;
mod governed;
mod key;
mod literal;
mod mend;
mod nest;
mod preview;
pub mod propose;
mod protect;
mod route;
mod shape;
#[cfg(test)]
mod structure_tests;
mod target;
#[cfg(test)]
pub(crate) mod tests;

pub use compile::{compile, compile_with};
pub use contract::Drifted;
pub use difference::{Made, made};
pub use examples::{Coverage, Difference, EXAMPLE_NOW, Example, Failure, Tested, came, test};
pub use explain::{Explained, explain};
pub use governed::Governed;
pub(crate) use mend::add_key;
pub use preview::{Outcome, Previewed, Shown, preview};
pub use protect::{How, Protected, Protects, Remedy, Unprotected};
pub use route::{Fault, Flow, Leaf, Masks, Passage, Route, Verdict, Withholding};
pub use shape::{SourceShape, TargetShape};
