//! Everything outside the process: protocols carry bytes or rows, formats say where records
//! end and what is in them. Who reads never knows which of them it is.

pub mod auth;
mod bytes;
pub mod calling;
mod columns;
mod commits;
pub mod formats;
pub mod http;
mod hush;
pub(crate) mod options;
pub mod pace;
pub mod pack;
pub mod propose;
pub mod protocols;
pub mod reading;
pub mod received;
pub mod rows;
pub mod runtime;
mod seam;
pub mod simulate;
pub mod trial;
pub mod typed;
pub mod web;
pub mod writing;

pub use crate::record::Column;
pub use seam::*;
