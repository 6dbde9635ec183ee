//! consign moves records between systems, and can prove it.
//!
//! # Bird's eye
//! A *route* leads from one stream of records to another: `mappings/*.yaml` says how fields become
//! fields, `connectors.yaml` says which systems there are. A run is one straight road, and data only
//! moves forward on it:
//! ```text
//! source ─► part ─► [ decode ► map ► comply ► encode ] ─► sink ─► settle ─► source acknowledged
//!  connect            one worker, one call, no copy        connect  store + audit, one transaction
//! ```
//! The unit of reading is a *part* (a block of whole records with its position), the unit of settling a
//! *group* of parts. A worker turns a part into a batch in one synchronous, pure call: values borrow from
//! the part's bytes, numbers keep their text until somebody computes with them, and nothing is allocated
//! per record beyond the part's arena. Before a group is sent its intent is durable; after the target took
//! it, outcomes, dead letters, cursor and audit event are one transaction. Killed anywhere, the next run
//! knows what to do.
//!
//! # The folders, in the order of use
//! - `error`: one error type, stable codes, findings, exit codes. Free to all.
//! - `record`: what flows and what is said of it: `Value`, `Path`, `Type`, `ClassSet`, `Position`, `Totals`.
//! - `expr`: the expression language (the syntax of CEL): parser, static types, compiled evaluator;
//!   `expr::functions` has one file per function.
//! - `config`: what people write: YAML with spans, raw → resolved (`Project`, `Mapping`), `Secret`, schemas.
//! - `audit`: events, the keyed chain, its verifier. Pure.
//! - `store`: consign's own files: runs, cursors, intents, dead letters, keys, the audit log, in one SQLite file.
//! - `connect`: everything outside the process: `connect::protocols` carry bytes or rows, `connect::formats`
//!   say where records end and what is in them, `connect::rows` is what sources of rows share.
//! - `map`: a mapping compiled to a program and applied to one part; check, test, preview. Pure.
//! - `comply`: where each data class flows, and what that breaks; `comply::detectors` find classes in values. Pure.
//! - `sync`: the road: plan, the middle, settle, locks, schedule. Here the two chains meet.
//! - `report`: what was recorded, for people. One file per report.
//! - `cli`: the only code that knows clap or prints; one file per verb, `cli::output` one per shape.
//!
//! `record ← expr ← config`, then two chains that do not know each other, `config ← audit ← store ← connect`
//! (I/O) and `config ← map ← comply` (pure), meet in `sync ← report ← cli`; `comply` also knows the events of
//! `audit`. A test reads the `use` lines.
//!
//! # Never
//! - No I/O and no clock in `record`, `expr`, `map`, `comply`; no network in `audit`.
//! - No plug-in's name in `config`: lists are passed in.
//! - Nobody but `store` opens the state file; nobody but `cli` prints; nobody but `config` reads variables.
//! - No check resolves a reference (`${env:…}`) or runs a command.
//! - No record that failed reaches the target. It is retried, parked as a dead letter, or fails the run.
//! - The cursor is never ahead of what is settled.
//!
//! # Cross-cutting
//! - *Plug-ins* (functions, formats, protocols) are one file: description, code, tests. The written list in the
//!   folder's `mod.rs` is the inventory. Help, checks, schemas and `docs/reference` follow from descriptions.
//! - *Errors* carry code, place, cause and fix; `error::Exit` is a contract with schedulers.
//! - *Sensitive data*: classes travel with types; what may be sensitive is sealed at rest and masked when shown.
//! - *Tests*: insides beside the code, command lines as folders under `tests/cases`, one binary `tests/it`.

pub mod audit;
pub mod cli;
pub mod comply;
pub mod config;
pub mod connect;
pub mod error;
pub mod expr;
pub mod map;
pub mod record;
pub mod report;
#[cfg(test)]
mod soak;
pub mod store;
pub mod sync;
