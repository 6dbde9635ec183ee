//! The conformance cases of CEL, run under its dialect.
