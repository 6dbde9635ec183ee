//! Compliance, judged before data moves: which data class reaches which target, and whether
//! that target may have it. Pure.

mod controls;
mod flow;
pub mod protect;

pub use crate::record::shown::{mask, masked};
pub use flow::flow;
