//! `consign audit keys`: the keys that values are protected with, from their making to their end.

mod list;
mod shred;

use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::config::{Environment, Project, ProtectionKey, Resolver};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::record::{KeyState, Purpose};
use crate::store::protection::{By, KeyRow, given_key};
use crate::sync::keys;

/// Keys that values are protected with: list, create, rotate, retire, destroy, shred a subject
#[derive(clap::Args, Debug)]
pub(super) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(list::List),
    /// Shows all versions of a key
    Show {
        /// The key's name
        name: String,
    },
    /// Makes the first version of a key
    Create {
        /// The key's name, as connectors.yaml declares it
        name: String,
        /// Takes the key (32 bytes, base64 or hexadecimal) from `@FILE` or `-` (standard input) instead of making one
        #[arg(long, value_name = "@FILE")]
        from: Option<String>,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Makes the next version of a key; the one before it only opens from now on
    Rotate {
        /// The key's name
        name: String,
        /// Somebody else may know the version in use
        #[arg(long, requires = "reason")]
        compromised: bool,
        /// Takes the key from `@FILE` or `-` (standard input) instead of making one
        #[arg(long, value_name = "@FILE")]
        from: Option<String>,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Lets a version of a key protect no more, without a next one
    Retire {
        /// The key's name
        name: String,
        /// The version, from 1
        #[arg(long, value_name = "N")]
        version: u32,
        /// Somebody else may know it
        #[arg(long)]
        compromised: bool,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Destroys a version of a key: what was encrypted under it can never be opened again
    Destroy {
        /// The key's name
        name: String,
        /// The version, from 1
        #[arg(long, value_name = "N")]
        version: u32,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Brings what older versions of a key and earlier roots seal in the state under the newest; goes on where it was stopped
    Reencrypt {
        /// The key's name
        name: String,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    Shred(shred::Shred),
}

impl Keys {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::List(verb) => verb.run(context),
            Verb::Show { name } => list::show(&name, context),
            Verb::Create { name, from, reason } => create(&name, from.as_deref(), reason, context),
            Verb::Rotate { name, compromised, from, reason } => {
                rotate(&name, compromised, from.as_deref(), reason, context)
            }
            Verb::Retire { name, version, compromised, reason } => {
                let state = if compromised { KeyState::Compromised } else { KeyState::Retired };
                change(&name, version, state, reason, context)
            }
            Verb::Destroy { name, version, reason } => change(&name, version, KeyState::Destroyed, reason, context),
            Verb::Reencrypt { name, reason } => reencrypt(&name, reason, context),
            Verb::Shred(verb) => verb.run(context),
        }
    }
}

fn create(name: &str, from: Option<&str>, reason: Option<String>, context: &Context<'_>) -> Result<Exit> {
    let (project, _) = context.project()?;
    let key = declared(&project, name)?;
    let given = from.map(read).transpose()?;
    let mut store = context.store(&project)?;
    let roots = keys::roots(key, &resolver(&project), &store)?;
    let row = store.create_key(name, key.purpose, &roots, given, &by(reason))?;
    let text = format!("{name} is there, in version {}: {}\n{}", row.version, row.id, kept(key));
    told(context, &row, text)
}

fn rotate(
    name: &str,
    compromised: bool,
    from: Option<&str>,
    reason: Option<String>,
    context: &Context<'_>,
) -> Result<Exit> {
    let (project, _) = context.project()?;
    let key = declared(&project, name)?;
    let given = from.map(read).transpose()?;
    let mut store = context.store(&project)?;
    let roots = keys::roots(key, &resolver(&project), &store)?;
    let row = store.rotate_key(name, &roots, compromised, given, &by(reason))?;
    let mut text = format!("{name} is in version {} now: {}\n", row.version, row.id);
    text.push_str(match key.purpose {
        Purpose::Token | Purpose::Fingerprint => {
            "tokens made from now on differ from those made before: joins with older data do not hold\n"
        }
        Purpose::Format => "text encrypted before does not say so: open it as `NAME@VERSION`\n",
        Purpose::Encrypt | Purpose::Join => {
            "targets keep what was encrypted before; a mapping with `reencrypt` brings it up to date\n"
        }
        Purpose::Vault | Purpose::Subject => "",
    });
    if store.protection_keys()?.iter().any(|one| one.name == name && one.version < row.version && one.seals > 0) {
        text.push_str(&format!("next: consign audit keys reencrypt {name}\n"));
    }
    told(context, &row, text)
}

fn change(name: &str, version: u32, state: KeyState, reason: String, context: &Context<'_>) -> Result<Exit> {
    let (project, _) = context.project()?;
    let mut store = context.store(&project)?;
    let row = store.set_key_state(name, version, state, &by(Some(reason)))?;
    let mut text = format!("version {version} of {name} is {state}\n");
    if state == KeyState::Destroyed {
        text.push_str(&shred::copies(&context.state_folder(&project)));
    }
    told(context, &row, text)
}

fn reencrypt(name: &str, reason: Option<String>, context: &Context<'_>) -> Result<Exit> {
    let (project, _) = context.project()?;
    let key = declared(&project, name)?;
    let mut store = context.store(&project)?;
    let done = keys::reencrypt(key, &resolver(&project), &mut store, &by(reason))?;
    let text = format!(
        "{} under the root in use, {} under the newest version of {name}\n",
        count(done.versions, "version", "versions"),
        count(done.entries, "entry", "entries"),
    );
    let answer = Answer::new()
        .fact("name", json!(name))
        .fact("versions", json!(done.versions))
        .fact("entries", json!(done.entries))
        .text(text);
    context.ui.answer(answer)?;
    Ok(Exit::Done)
}

fn told(context: &Context<'_>, row: &KeyRow, text: String) -> Result<Exit> {
    let answer = Answer::new()
        .fact("name", json!(row.name))
        .fact("version", json!(row.version))
        .fact("id", json!(row.id))
        .fact("state", json!(row.state.word()))
        .fact("purpose", json!(row.purpose.word()))
        .text(text);
    context.ui.answer(answer)?;
    Ok(Exit::Done)
}

/// The declaration of a key.
fn declared<'p>(project: &'p Project, name: &str) -> Result<&'p ProtectionKey> {
    let keys = &project.compliance.keys;
    keys.iter().find(|key| key.name == name).ok_or_else(|| {
        let error =
            Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("connectors.yaml declares no key `{name}`"));
        match nearest(name, keys.iter().map(|key| key.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`compliance: {{ keys: {{ {name}: {{ purpose: … }} }} }}` declares one")),
        }
    })
}

/// Where the key is kept, and what that asks of people.
fn kept(key: &ProtectionKey) -> String {
    match key.roots.first() {
        Some(root) => format!("it is in the state, sealed by {}: keep copies of both, apart\n", root.value),
        None => "it is in the state, sealed by the key ring of the same folder: a backup needs both files\n".to_owned(),
    }
}

fn resolver(project: &Project) -> Resolver {
    Resolver::new(&project.root, Environment::process())
}

fn by(reason: Option<String>) -> By {
    By { actor: who(), reason }
}

/// What stands in `@FILE`, or on standard input (`-`), without line ends around it. What is personal or
/// secret is not taken from the command line, which others can see.
fn text_from(source: &str, what: &str) -> Result<Zeroizing<String>> {
    use std::io::Read as _;
    const MOST: u64 = 1 << 16;
    let mut text = Zeroizing::new(String::new());
    let failed = |e| Error::io(format!("reading {what}"), e);
    match source.strip_prefix('@') {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(|e| Error::io(format!("reading `{path}`"), e))?;
            file.take(MOST).read_to_string(&mut text).map_err(failed)?;
        }
        None if source == "-" => {
            std::io::stdin().lock().take(MOST).read_to_string(&mut text).map_err(failed)?;
        }
        None => {
            let cause = format!("{what} does not stand on the command line, where others can see it");
            return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
                .hint("give it on standard input, with `-`, or in a file, with `@FILE`"));
        }
    }
    Ok(Zeroizing::new(text.trim_matches(['\r', '\n']).to_owned()))
}

fn read(source: &str) -> Result<crate::audit::Key> {
    use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
    let text = text_from(source, "a key")?;
    let text = text.trim().as_bytes();
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text)
        .or_else(|_| BASE64.decode(text))
        .or_else(|_| BASE64URL_NOPAD.decode(text))
        .unwrap_or_default();
    given_key(&Zeroizing::new(bytes))
}
