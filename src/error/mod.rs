//! The one error type of consign, its exit codes and its findings, so that a user always
//! learns the code, the place, the cause and the fix, and a scheduler the right number.

pub mod codes;
pub mod exit;
mod finding;

use std::fmt;

pub use codes::Code;
pub use exit::Exit;
pub use finding::{Breach, Edit, Finding, Findings, Place, Severity, Waived, nearest};

/// The result of everything in consign that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of trouble an error is: it alone decides the exit code, see [`Exit::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The run failed while it was doing something that was allowed and well formed.
    Failed,
    /// A bug of ours: an invariant did not hold.
    Bug,
    /// Wrong usage, configuration, mapping or contract.
    Invalid,
    /// The surroundings: unreachable, time-out, disk full, quota spent.
    Environment,
    /// Sign-in or permission.
    Denied,
    /// Refused by a compliance rule or a guard.
    Refused,
    /// Another run holds the lock.
    Locked,
    /// The audit chain or the state fails verification.
    Tampered,
    /// The work ended, but not whole: a cap, a suspicious empty read, doubt left.
    Partial,
    /// A signal asked the run to stop and it drained.
    Interrupted,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails again.
    Never,
    /// A later call may succeed.
    Later,
    /// A later call may succeed, but not before so many seconds.
    After(u64),
    /// Was retried already; nobody multiplies the attempts.
    Spent,
}

/// An error as a person reads it.
///
/// `doing` says what was being attempted and to what ("reading `orders.csv`"), `cause` what
/// went wrong, `facts` the values that matter, `hints` what to do. Never put a secret or a
/// classified value into any of them.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    code: &'static Code,
    doing: Option<String>,
    cause: String,
    place: Option<Place>,
    facts: Vec<(&'static str, String)>,
    hints: Vec<String>,
    retry: Retry,
    findings: Vec<Finding>,
    source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind and code, with its cause in one sentence without a final period.
    pub fn new(kind: Kind, code: &'static Code, cause: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            doing: None,
            cause: cause.into(),
            place: None,
            facts: Vec::new(),
            hints: Vec::new(),
            retry: Retry::Never,
            findings: Vec::new(),
            source: None,
        }))
    }

    /// An input/output error: permission becomes [`Kind::Denied`], a full disk
    /// [`Kind::Environment`] with a hint, the rest [`Kind::Failed`].
    pub fn io(doing: impl Into<String>, error: std::io::Error) -> Self {
        Self::of_io(error).doing(doing)
    }

    /// The same from a layer that does not know what for: a caller adds [`Error::doing`].
    pub fn of_io(error: std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let (kind, code, hint) = match error.kind() {
            K::PermissionDenied | K::ReadOnlyFilesystem => {
                (Kind::Denied, &codes::IO_DENIED, Some("check the owner and the mode of the path"))
            }
            K::StorageFull | K::QuotaExceeded => {
                (Kind::Environment, &codes::IO_FULL, Some("free some space and run again: nothing was lost"))
            }
            K::NotFound => (Kind::Failed, &codes::IO_NOT_FOUND, None),
            _ => (Kind::Failed, &codes::IO_FAILED, None),
        };
        let mut made = Self::new(kind, code, plain(&error)).caused_by(error);
        if kind == Kind::Environment {
            made = made.retry(Retry::Later);
        }
        if let Some(hint) = hint {
            made = made.hint(hint);
        }
        made
    }

    /// Many findings as one error: what a check ends with.
    pub fn findings(kind: Kind, code: &'static Code, cause: impl Into<String>, found: Vec<Finding>) -> Self {
        let mut made = Self::new(kind, code, cause);
        made.0.findings = found;
        made
    }

    /// A broken invariant of ours.
    pub fn bug(cause: impl Into<String>) -> Self {
        Self::new(Kind::Bug, &codes::BUG, cause).hint("this is a bug in consign: please report it with this text")
    }

    /// Says what was being attempted, unless a deeper layer said so already.
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        self.0.doing.get_or_insert(doing.into());
        self
    }

    /// Where in a file of the user's this was found.
    pub fn at(mut self, place: Place) -> Self {
        self.0.place.get_or_insert(place);
        self
    }

    /// One fact that helps to understand, as a name and a value.
    pub fn fact(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.facts.push((name, value.to_string()));
        self
    }

    /// What the user can do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Whether trying again can help.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The error below.
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(std::sync::Arc::new(source));
        self
    }

    /// Changes the kind, for a caller that knows more.
    pub fn into_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What kind of trouble this is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    /// The stable code.
    pub fn code(&self) -> &'static Code {
        self.0.code
    }
    /// What was being attempted, where a layer said so.
    pub fn what(&self) -> Option<&str> {
        self.0.doing.as_deref()
    }
    /// What went wrong, in one sentence.
    pub fn cause(&self) -> &str {
        &self.0.cause
    }
    /// Where in a user's file, if it is about one.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
    /// The facts, in the order they were added.
    pub fn facts(&self) -> &[(&'static str, String)] {
        &self.0.facts
    }
    /// What to do, in the order it was added.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
    /// The findings, for an error that is the end of a check.
    pub fn all_findings(&self) -> &[Finding] {
        &self.0.findings
    }
    /// Whether trying again can help.
    pub fn retriable(&self) -> Retry {
        self.0.retry
    }
    /// The exit code this error ends the process with.
    pub fn exit(&self) -> Exit {
        Exit::of(self.0.kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(doing) = &self.0.doing {
            write!(f, "{doing}: ")?;
        }
        f.write_str(&self.0.cause)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {self}", self.0.code.id)?;
        for (name, value) in &self.0.facts {
            write!(f, "; {name}: {value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

/// The operating system's text without its number, which says nothing to a person.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}
