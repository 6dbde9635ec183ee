//! Checkpoints carried away: to a file, a git folder, a web address, the system's log. What lies outside
//! of this machine is what holds the log to its past.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::config::Secret;
use crate::connect::http;
use crate::connect::runtime::Runtime;
use crate::error::codes::audit::CARRY_FAILED;
use crate::error::codes::cli::USAGE;
use crate::error::{Error, Kind, Result};
use crate::store::{Signed, Store};
use crate::sync::system_log;

/// How long a web address or the system's log may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Facility 13 (log audit) and severity 6 (informational), RFC 5424 section 6.2.1.
const PRIORITY: u8 = 13 * 8 + 6;

/// Where a checkpoint goes.
#[derive(Debug)]
pub enum Destination {
    /// Standard output: for whoever calls.
    Stdout,
    /// Added to the end of a file.
    File(String),
    /// Added to the end of a file in a folder under git, and committed.
    Git(String),
    /// Posted.
    Http(Secret<String>),
    /// Said to the log of this machine, on the socket that it listens on.
    Syslog(String),
    /// Sent to a syslog server over UDP: host and port.
    SyslogAt(String),
}

impl Destination {
    /// Reads one from its word.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self> {
        Ok(match text {
            "-" | "stdout" => Self::Stdout,
            "syslog" => Self::Syslog(system_log::SOCKET.to_string()),
            _ if text.starts_with("http://") || text.starts_with("https://") => {
                Self::Http(Secret::new(text.to_string()))
            }
            _ => match text.split_once(':') {
                Some(("file", path)) if !path.is_empty() => Self::File(path.to_string()),
                Some(("git", path)) if !path.is_empty() => Self::Git(path.to_string()),
                Some(("unix", path)) if path.starts_with('/') => Self::Syslog(path.to_string()),
                Some(("syslog", at)) if at.starts_with("//") && at[2..].contains(':') => {
                    Self::SyslogAt(at[2..].to_string())
                }
                _ => {
                    return Err(Error::new(Kind::Invalid, &USAGE, format!("`{text}` is no place for checkpoints"))
                        .hint("write `stdout`, `file:PATH`, `git:FOLDER`, `https://…`, `syslog`, `unix:/SOCKET` or `syslog://HOST:514`"));
                }
            },
        })
    }

    /// How it is called in what is recorded: a web address may hold a secret.
    pub fn shown(&self) -> String {
        match self {
            Self::Stdout => "stdout".into(),
            Self::File(path) => format!("file:{path}"),
            Self::Git(path) => format!("git:{path}"),
            Self::Http(url) => {
                let host = url.reveal().split('/').nth(2).unwrap_or_default();
                format!("http:{}", host.rsplit('@').next().unwrap_or_default())
            }
            Self::Syslog(socket) if socket == system_log::SOCKET => "syslog".into(),
            Self::Syslog(socket) => format!("unix:{socket}"),
            Self::SyslogAt(at) => format!("syslog://{at}"),
        }
    }
}

/// Signs a checkpoint and carries it to all these places: it, where it was brought, and what went wrong elsewhere.
///
/// # Errors
/// It cannot be signed.
pub fn sign_and_carry(
    store: &mut Store,
    places: &[Destination],
    root: &Path,
    actor: Option<String>,
) -> Result<(Signed, Vec<String>, Vec<Error>)> {
    let signed = store.checkpoint(actor)?;
    let (mut carried, mut failed) = (Vec::new(), Vec::new());
    for place in places {
        match carry(&signed, place, root) {
            Ok(()) => {
                store.checkpoint_carried(signed.size, &place.shown())?;
                carried.push(place.shown());
            }
            Err(error) => failed.push(error),
        }
    }
    Ok((signed, carried, failed))
}

/// Carries a checkpoint to one place; to standard output whoever calls does. Paths are below `root`.
///
/// # Errors
/// It could not be brought there.
pub fn carry(signed: &Signed, to: &Destination, root: &Path) -> Result<()> {
    let doing = format!("carrying the checkpoint to `{}`", to.shown());
    match to {
        Destination::Stdout => Ok(()),
        Destination::File(path) => add(&root.join(path), &signed.note).map_err(|e| Error::io(doing, e)),
        Destination::Git(folder) => commit(signed, &root.join(folder)).map_err(|e| e.doing(doing)),
        Destination::Http(url) => post(signed, url).map_err(|e| e.doing(doing)),
        Destination::Syslog(socket) => {
            let sent = system_log::tell(socket, &format!("<{PRIORITY}>consign: {}", line(signed)), PATIENCE);
            sent.map_err(|e| failed(format!("the system's log does not take it: {e}")).doing(doing))
        }
        Destination::SyslogAt(at) => {
            let message = format!("<{PRIORITY}>1 - - consign - checkpoint - {}", line(signed));
            system_log::send(at, &message).map_err(|e| failed(e.to_string()).doing(doing))
        }
    }
}

fn failed(what: String) -> Error {
    Error::new(Kind::Environment, &CARRY_FAILED, what)
}

fn add(path: &Path, note: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()
}

/// A signed checkpoint on one line.
fn line(signed: &Signed) -> String {
    format!("checkpoint {}", signed.note.trim_end().replace("\n\n", "\n").replace('\n', " | "))
}

fn commit(signed: &Signed, folder: &Path) -> Result<()> {
    let name = "consign.checkpoints";
    add(&folder.join(name), &signed.note).map_err(Error::of_io)?;
    let message = format!("consign: checkpoint over {} events", signed.size);
    let git = |arguments: &[&str]| -> Result<()> {
        let done = Command::new("git").arg("-C").arg(folder).args(arguments).output();
        let done = done.map_err(|e| failed(format!("git cannot be started: {e}")))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(failed(format!("git {} failed: {}", arguments[0], said.lines().next().unwrap_or("it did not say why"))))
    };
    git(&["add", "--", name])?;
    git(&["commit", "--quiet", "--only", "-m", &message, "--", name])
}

fn post(signed: &Signed, url: &Secret<String>) -> Result<()> {
    let client = http::client(PATIENCE, url.reveal().starts_with("https:"))?;
    let runtime = Runtime::start("checkpoint")?;
    let (status, _) = runtime.run(http::post(&client, url, signed.note.clone()))?;
    if (200..300).contains(&status) { Ok(()) } else { Err(failed(format!("the answer was {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_shown_without_secrets() {
        let check = |text: &str, shown: &str| assert_eq!(Destination::read(text).unwrap().shown(), shown);
        check("-", "stdout");
        check("file:a/b", "file:a/b");
        check("git:../log", "git:../log");
        check("https://user:canary@log.example/x?token=canary", "http:log.example");
        check("syslog", "syslog");
        check("unix:/run/log", "unix:/run/log");
        check("syslog://log.example:514", "syslog://log.example:514");
        for wrong in ["", "file:", "a", "ftp://x", "syslog:x", "syslog://x", "unix:log"] {
            assert_eq!(Destination::read(wrong).unwrap_err().exit().number(), 2, "{wrong}");
        }
    }

    #[test]
    fn notes_in_a_row_are_taken_apart() {
        let note = |n: u8| format!("o\n{n}\nr\n\n\u{2014} o AA\n\u{2014} w BB\n");
        assert_eq!(crate::audit::note::notes(&(note(1) + &note(2) + &note(3))), [note(1), note(2), note(3)]);
        assert_eq!(crate::audit::note::notes(""), Vec::<String>::new());
    }
}
