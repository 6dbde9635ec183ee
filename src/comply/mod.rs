//! Compliance, judged before data moves: which data class reaches which target, and whether
//! that target may have it. And what the data itself shows: the detectors. Pure.

mod controls;
pub mod detect;
pub mod detectors;
mod flow;
pub mod names;
pub mod protect;

pub use crate::record::shown::{mask, masked};
pub use flow::flow;
