//! The road: records go from source to target, in order, counted, and survive being killed.

pub mod check;
pub mod middle;
pub mod pipeline;
