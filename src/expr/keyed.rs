//! Functions that need a key, or somebody who knows what data looks like: expressions name keys and classes, and
//! whoever compiles them hands over who holds the keys and who looks.
//!
//! A check has no key at hand and needs none: a holder that *rehearses* knows what is declared and makes
//! stand-ins, so that types, classes and examples can be checked. A run refuses them.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Code;
use crate::record::{ClassId, ClassSet, Purpose, Value};

use super::functions::{Call, Failure, Outcome};

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A keyed token: short, of letters and digits.
    Tokenize,
    /// A keyed digest as another program would make it with the same key.
    Mac,
    /// A pseudonym in the form of a UUID.
    Pseudonymize,
    /// A random token out of the vault.
    RandomToken,
    /// Encryption, each time different.
    Encrypt,
    /// Encryption that keeps equality.
    EncryptJoinable,
    /// Encryption under the key of a subject.
    EncryptFor,
    /// What was encrypted, in clear.
    Decrypt,
    /// The same under the newest version of the key.
    Reencrypt,
    /// Encryption that keeps length and alphabet.
    FormatEncrypt,
    /// Back from it.
    FormatDecrypt,
    /// Whether a subject was erased.
    IsErased,
}

impl Task {
    /// The purposes of keys that it can be done with; none: it needs no key.
    pub fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::Tokenize | Self::Mac | Self::Pseudonymize => &[Purpose::Token],
            Self::RandomToken => &[Purpose::Vault],
            Self::Encrypt => &[Purpose::Encrypt],
            Self::EncryptJoinable => &[Purpose::Join],
            Self::EncryptFor => &[Purpose::Subject],
            Self::Decrypt => &[Purpose::Encrypt, Purpose::Join, Purpose::Subject],
            Self::Reencrypt => &[Purpose::Encrypt, Purpose::Join],
            Self::FormatEncrypt | Self::FormatDecrypt => &[Purpose::Format],
            Self::IsErased => &[],
        }
    }

    /// Whether the value comes back in clear.
    pub fn opens(self) -> bool {
        matches!(self, Self::Decrypt | Self::FormatDecrypt)
    }
}

/// A function that needs a key, and which of its arguments say what: those are written down.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// What it does.
    pub task: Task,
    /// The number of the argument that names the key, from 0.
    pub key: Option<usize>,
    /// That which tells places apart: what was sealed for one cannot be opened in another.
    pub context: Option<usize>,
    /// That which names the alphabet.
    pub alphabet: Option<usize>,
}

impl Keyed {
    /// Something done with the key that the second argument names.
    pub const fn new(task: Task) -> Self {
        Self { task, key: Some(1), context: None, alphabet: None }
    }

    /// The argument with this number tells places apart.
    pub const fn context(self, at: usize) -> Self {
        Self { context: Some(at), ..self }
    }
}

/// What a function asks of who holds the keys.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'q> {
    /// What is to be done.
    pub task: Task,
    /// The name of the key; empty if it needs none.
    pub key: &'q str,
    /// What tells places apart; the name of the key where nothing is said.
    pub context: &'q str,
    /// The alphabet, if one is said.
    pub alphabet: Option<&'q str>,
    /// The mapping it is asked for.
    pub route: &'q str,
}

/// Why a key is not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The cause in one sentence without a final period.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

/// Holds keys.
pub trait Holder: Debug + Send + Sync {
    /// What does the task, or why it cannot be done.
    ///
    /// # Errors
    /// The key is not declared, is for something else, has no version that protects, or is not granted.
    fn tool(&self, ask: &Ask<'_>) -> Result<Tool, Refused>;

    /// Whether its keys are stand-ins that protect nothing.
    fn rehearses(&self) -> bool;
}

/// Does one task with one key.
pub trait Work: Debug + Send + Sync {
    /// The result for the arguments of a call.
    ///
    /// # Errors
    /// The value cannot be protected or opened. Never says the value.
    fn apply<'a>(&self, call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a>;
}

/// What does a task, and what is to be known of it.
#[derive(Debug)]
pub struct Tool {
    /// Does it.
    pub work: Box<dyn Work>,
    /// The id of the key that protects with it; `None`: it needs none.
    pub key_id: Option<String>,
    /// The classes that the result has on top: those of what comes back in clear.
    pub restores: ClassSet,
}

/// A key that an expression uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyUse {
    /// Its name.
    pub name: String,
    /// The id of the version that protects; empty if nothing is protected with it here.
    pub id: String,
}

/// Knows what data looks like.
pub trait Looks: Debug + Send + Sync {
    /// What looks at values of a field of that name (empty: of none) for data of a class; `None`: of every class that
    /// is sensitive.
    fn looker(&self, class: Option<ClassId>, field: &str) -> Box<dyn Looker>;
}

/// Looks at values for data of one kind.
pub trait Looker: Debug + Send + Sync {
    /// Whether a value, or anything in it, looks like such data.
    fn sees(&self, value: &Value<'_>) -> bool;
}

/// Who holds the keys, for the expressions of one mapping, and who knows what data looks like.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    holder: Option<Arc<dyn Holder>>,
    looks: Option<Arc<dyn Looks>>,
    route: Arc<str>,
}

impl Keys {
    /// Keys of this holder.
    pub fn of(holder: Arc<dyn Holder>) -> Self {
        Self { holder: Some(holder), ..Self::default() }
    }

    /// The same with somebody who knows what data looks like.
    pub fn looking(mut self, looks: Arc<dyn Looks>) -> Self {
        self.looks = Some(looks);
        self
    }

    /// What looks at values of a field for data of a class; `None`: nobody is here who could.
    pub fn looker(&self, class: Option<ClassId>, field: &str) -> Option<Box<dyn Looker>> {
        self.looks.as_ref().map(|looks| looks.looker(class, field))
    }

    /// The same on behalf of a mapping.
    pub fn on_behalf(&self, route: &str) -> Self {
        Self { route: Arc::from(route), ..self.clone() }
    }

    /// Whether there is nobody who holds keys.
    pub fn is_none(&self) -> bool {
        self.holder.is_none()
    }

    /// Whether what is made with them protects nothing.
    pub fn rehearse(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.rehearses())
    }

    /// What does a task.
    ///
    /// # Errors
    /// As for [`Holder::tool`], or if nobody holds keys here.
    pub fn tool(&self, ask: Ask<'_>) -> Result<Tool, Refused> {
        match &self.holder {
            Some(holder) => holder.tool(&Ask { route: &self.route, ..ask }),
            None => Err(Refused {
                cause: "keys are not at hand here".into(),
                fix: "functions with keys stand in the expressions of mappings".into(),
            }),
        }
    }
}

/// Calls what a holder of keys has made for a function.
///
/// # Errors
/// As for [`Work::apply`].
pub(super) fn apply<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match call.made::<Tool>() {
        Some(tool) => tool.work.apply(call, arguments),
        None => Err(refused("no key was handed over")),
    }
}

/// A failure of a function with a key.
#[cold]
pub fn refused(cause: &'static str) -> Failure {
    Failure::new(&crate::error::codes::expr::SEALED, cause)
}

/// A failure with a code of its own.
#[cold]
pub fn failed(code: &'static Code, cause: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(code, cause)
}
