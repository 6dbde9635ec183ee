//! The one integration binary: it drives the program as a user does.
//!
//! Most tests are folders under `tests/cases`, see [`cases`]; what needs more than a command
//! line and its output is a file here.

mod architecture;
mod cases;
mod readme;
mod schemas;
mod support;
