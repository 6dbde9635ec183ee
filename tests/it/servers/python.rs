//! The Python that holds the packages of `requirements.txt`: servers and readers that others wrote, for tests.
//!
//! `.ci/run` installs them into `target/servers`; where they are elsewhere, their Python is the first of the path.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::cannot;

/// A Python that knows `module`; `None` (and a word about it) where there is none.
pub fn with(module: &str) -> Option<PathBuf> {
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/servers/bin/python"));
    let found =
        [own, PathBuf::from("python"), PathBuf::from("python3")].into_iter().find(|python| knows(python, module));
    if found.is_none() {
        cannot(&format!(
            "no Python knows `{module}`: python3 -m venv target/servers && \
             target/servers/bin/pip install -r tests/it/servers/requirements.txt"
        ));
    }
    found
}

/// Where a program of this folder stands.
pub fn script(name: &str) -> String {
    format!("{}/tests/it/servers/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn knows(python: &PathBuf, module: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A program of this folder that serves: it says its port in the first line. Dropping it ends it.
pub struct Serving {
    child: Child,
    /// Its port on this machine.
    pub port: u16,
}

impl Serving {
    /// Starts it with a Python that knows `module`; `None` where there is none.
    pub fn start(name: &str, module: &str, arguments: &[&str]) -> Option<Self> {
        let mut child = Command::new(with(module)?)
            .arg(script(name))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} says no port: `{line}`"));
        Some(Self { child, port })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
