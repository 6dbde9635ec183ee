//! Programs and schemas that are not ours, which read what is exported: see `read_exports.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::python;
use crate::support::text;

/// The formats that somebody else's reader is here for. Beside them, syslog and OpenTelemetry have readers among the
/// crates, and CSV and JSON lines too; LEEF has none that is published.
pub const READ: [&str; 4] = ["ocsf", "openlineage", "cef", "fhir"];

/// The readers.
pub struct Readers(PathBuf);

impl Readers {
    /// `None` (and a word about it) where they are not installed.
    pub fn found() -> Option<Self> {
        python::with("ocsf_json_schema, jsonschema, openlineage.client, cefp, cefevent, fhir.resources").map(Self)
    }

    /// What is said against a file; `None`: it is what the format says.
    pub fn refuse(&self, format: &str, file: &Path) -> Option<String> {
        let script = python::script("read_exports.py");
        let read = Command::new(&self.0).arg(script).arg(format).arg(file).output().expect("python starts");
        (!read.status.success()).then(|| text(&read.stderr))
    }
}
