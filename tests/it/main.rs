//! The one integration binary: it drives the program as a user does.
//!
//! Most tests are folders under `tests/cases`, see [`cases`]; what needs more than a command
//! line and its output is a file here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking; clippy allows it inside #[test] functions only"
)]

mod alerted;
mod architecture;
mod aws;
mod cases;
mod container;
mod delivery;
mod described;
mod evidence;
mod exported;
mod fhir;
mod governed;
mod graphql;
mod heartbeat;
mod hostile;
mod http;
mod httpbin;
mod jobs;
mod kill;
mod leaks;
mod ledger;
mod library;
mod locks;
mod lying;
mod made_packs;
mod many;
mod matrix;
mod modes;
mod planted;
mod postgres;
mod previews;
mod protection;
mod queues;
mod reading;
mod readme;
mod refusals;
mod reports;
mod ruled;
mod schemas;
mod sealing;
mod servers;
mod sftp;
mod sign_in;
mod soak;
mod sources;
mod state;
mod subjects;
mod support;
mod unattended;
mod watching;
mod week;
mod wrong_mappings;
