//! Compliance, judged before data moves: which data class reaches which target, and whether
//! that target may have it. And what the data itself shows: the detectors. Pure.

pub mod assess;
pub mod detect;
pub mod detectors;
pub mod facts;
mod flow;
pub mod inline;
pub mod names;
pub mod primitives;
pub mod protect;
pub mod regions;
pub mod rules;
pub mod standards;

pub use crate::record::shown::{mask, masked};
pub use assess::{Assessment, Gravity, Held, Primitive, Selection, Status, Subject, check_project};
pub use flow::{flow, judge_waivers, secret_controls, waive, ways};
