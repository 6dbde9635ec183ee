//! References become values: at the beginning of a run, never in a check.
//!
//! Errors name the reference, never what is behind it. Commands run only if the user's own
//! configuration, outside of every project, allows them by name: a pull request may come from
//! a stranger.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroize;

use super::environment::Environment;
use super::{Connector, Node, Piece, Secret, Spanned, Text, yaml};
use crate::error::{Error, Kind, Place, Result, Retry, codes::config as codes, nearest};

/// The file in the user's configuration folder that allows commands.
const COMMANDS: &str = "commands.yaml";
/// Most bytes of a referenced file or of a command's output.
const MAX_BYTES: u64 = 1 << 20;
/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Fills in references.
#[derive(Debug)]
pub struct Resolver {
    environment: Environment,
    root: PathBuf,
    deadline: Duration,
}

/// `commands.yaml` of the user's own configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commands {
    #[serde(default)]
    commands: BTreeMap<String, Vec<String>>,
}

impl Resolver {
    /// For a project; relative paths count from its root.
    pub fn new(root: impl Into<PathBuf>, environment: Environment) -> Self {
        Self { environment, root: root.into(), deadline: DEADLINE }
    }

    /// The text with every reference filled in.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, a command that is not allowed or
    /// fails: the error names the reference.
    pub fn text(&self, text: &Text) -> Result<Secret<String>> {
        // Room for all of it at once: growing would leave copies behind.
        let mut parts: Vec<Secret<String>> = Vec::with_capacity(text.pieces.len());
        for piece in &text.pieces {
            let (value, written) = match piece {
                Piece::Literal(text) => {
                    parts.push(Secret::new(text.clone()));
                    continue;
                }
                Piece::Env(name) => (self.variable(name)?, format!("${{env:{name}}}")),
                Piece::File(path) => (self.file(path)?, format!("${{file:{path}}}")),
                Piece::Command(name) => (self.command(name)?, format!("${{cmd:{name}}}")),
            };
            super::hidden::remember(&value, written);
            parts.push(Secret::new(value));
        }
        let mut out = String::with_capacity(parts.iter().map(|part| part.reveal().len()).sum());
        for part in &parts {
            out.push_str(part.reveal());
        }
        Ok(Secret::new(out))
    }

    /// The same for what seals keys: a file must be closed to all but its owner.
    ///
    /// # Errors
    /// As for [`Resolver::text`], or if others could read or change the file.
    pub fn key(&self, text: &Text) -> Result<Secret<String>> {
        for piece in &text.pieces {
            if let Piece::File(path) = piece {
                self.closed(path)?;
            }
        }
        self.text(text)
    }

    #[cfg(unix)]
    fn closed(&self, path: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let full = self.root.join(path);
        // A file that is not there is told where it is read.
        match full.metadata() {
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => Err(Error::new(
                Kind::Denied,
                &codes::REFERENCE_OPEN,
                format!("the file of a key is open to others (mode {:04o})", meta.permissions().mode() & 0o7777),
            )
            .fact("reference", format!("${{file:{path}}}"))
            .fact("path", full.display())
            .hint("close it: `chmod 600` on it; if others have read it, make a new one and re-encrypt")),
            _ => Ok(()),
        }
    }

    #[cfg(not(unix))]
    fn closed(&self, _: &str) -> Result<()> {
        Ok(())
    }

    /// A value with every reference in it filled in.
    ///
    /// # Errors
    /// As for [`Resolver::text`], with the place of the text.
    pub fn node(&self, node: &Spanned<Node>) -> Result<Spanned<Node>> {
        let value = match &node.value {
            Node::Text(text) if text.has_reference() => {
                let filled = self.text(text).map_err(|error| error.at(node.place.clone()))?;
                Node::Text(Text::literal(filled.reveal().as_str()))
            }
            Node::List(items) => Node::List(items.iter().map(|item| self.node(item)).collect::<Result<_>>()?),
            Node::Map(entries) => Node::Map(self.options(entries)?),
            other => other.clone(),
        };
        Ok(Spanned { value, place: node.place.clone() })
    }

    /// The connector with the references in its options and in those of its streams filled in:
    /// what a protocol gets. Its sign-in parameters stay references until a sign-in asks for
    /// each of them by [`Resolver::text`].
    ///
    /// # Errors
    /// As for [`Resolver::node`].
    pub fn connector(&self, connector: &Connector) -> Result<Connector> {
        let doing =
            |error: Error| error.doing(format!("filling in the references of the connector `{}`", connector.name));
        let mut filled = connector.clone();
        filled.with = self.options(&connector.with).map_err(doing)?;
        // A pack signs in by what its own description asks for.
        if let Some(spec) = connector.spec.filter(|spec| spec.plugin.is_some()) {
            let stood_in = |(key, _): &(Spanned<String>, _)| {
                spec.options.iter().any(|option| option.stands_in && option.name == key.value)
            };
            filled.auth = match connector.with.iter().any(stood_in) {
                // Whoever tries a system without an account has no credentials for it.
                true => {
                    connector.auth.iter().map(|(key, node)| (key.clone(), self.made_up(&key.value, node))).collect()
                }
                false => self.options(&connector.auth).map_err(doing)?,
            };
        }
        for stream in filled.streams.values_mut() {
            stream.options = self.options(&stream.options).map_err(doing)?;
            stream.format_options = self.options(&stream.format_options).map_err(doing)?;
        }
        Ok(filled)
    }

    /// A value whose references are filled in where they lead somewhere, and made up where they do not.
    fn made_up(&self, name: &str, node: &Spanned<Node>) -> Spanned<Node> {
        let value = match &node.value {
            Node::Text(text) if text.has_reference() => match self.text(text) {
                Ok(filled) => Node::Text(Text::literal(filled.reveal().as_str())),
                Err(_) => Node::Text(Text::literal(format!("made-up-{name}"))),
            },
            Node::List(items) => Node::List(items.iter().map(|item| self.made_up(name, item)).collect()),
            Node::Map(entries) => {
                Node::Map(entries.iter().map(|(key, item)| (key.clone(), self.made_up(&key.value, item))).collect())
            }
            other => other.clone(),
        };
        Spanned { value, place: node.place.clone() }
    }

    /// Options with their references filled in.
    ///
    /// # Errors
    /// As for [`Resolver::node`].
    pub fn options(
        &self,
        options: &[(Spanned<String>, Spanned<Node>)],
    ) -> Result<Vec<(Spanned<String>, Spanned<Node>)>> {
        options.iter().map(|(key, value)| Ok((key.clone(), self.node(value)?))).collect()
    }

    fn variable(&self, name: &str) -> Result<String> {
        let fail = |cause: String, hint: String| {
            Err(Error::new(Kind::Invalid, &codes::REFERENCE_ENV, cause)
                .fact("reference", format!("${{env:{name}}}"))
                .hint(hint))
        };
        match self.environment.get(name).map(|value| value.into_string()) {
            None => fail(
                format!("the environment variable {name} is not set"),
                format!("set it for this process: {name}=…"),
            ),
            Some(Err(_)) => fail(format!("the environment variable {name} is not UTF-8"), "set it anew".into()),
            Some(Ok(value)) if value.is_empty() => {
                fail(format!("the environment variable {name} is empty"), format!("set it for this process: {name}=…"))
            }
            Some(Ok(value)) => Ok(value),
        }
    }

    fn file(&self, path: &str) -> Result<String> {
        let full = self.root.join(path);
        let fail = |cause: &str| {
            Error::new(Kind::Invalid, &codes::REFERENCE_FILE, cause).fact("reference", format!("${{file:{path}}}"))
        };
        let bytes = std::fs::File::open(&full).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        match bytes {
            Ok(bytes) => text_of(bytes).map_err(|cause| fail(&format!("the file of a reference {cause}"))),
            Err(error) => {
                let kind =
                    if error.kind() == std::io::ErrorKind::PermissionDenied { Kind::Denied } else { Kind::Invalid };
                let cause = match error.kind() {
                    std::io::ErrorKind::NotFound => "the file of a reference does not exist",
                    std::io::ErrorKind::PermissionDenied => "the file of a reference may not be read",
                    _ => "the file of a reference cannot be read",
                };
                Err(fail(cause).into_kind(kind).fact("path", full.display()).caused_by(error))
            }
        }
    }

    /// The program and the arguments of a command that the user's own configuration allows by this name, and the
    /// folder to start it in, so that no file of the project can stand in for it.
    ///
    /// # Errors
    /// It is not allowed, or the list of allowed commands cannot be trusted.
    pub fn allowed(&self, name: &str) -> Result<(Vec<String>, PathBuf)> {
        let fail = |cause: String| {
            Error::new(Kind::Invalid, &codes::REFERENCE_COMMAND, cause).fact("reference", format!("${{cmd:{name}}}"))
        };
        let Some(folder) = self.environment.config_folder() else {
            return Err(fail("there is no configuration folder of yours that could allow the command".into())
                .hint("set HOME or XDG_CONFIG_HOME to an absolute path"));
        };
        let file = folder.join(COMMANDS);
        self.trusted(&file).map_err(|cause| fail(cause).fact("file", file.display()))?;
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                return Err(fail(format!("the command `{name}` is not allowed: {} cannot be read", file.display()))
                    .hint(format!("allow it there: `commands: {{ {name}: [program, argument] }}`"))
                    .caused_by(error));
            }
        };
        let allowed: Commands = yaml::read(&text).map_err(|(cause, line, column)| {
            let place = Place { file: file.display().to_string(), line, column, width: 1, source: String::new() };
            fail(format!("the list of allowed commands cannot be read: {cause}")).at(place)
        })?;
        let Some(words) = allowed.commands.get(name) else {
            let error = fail(format!("the command `{name}` is not allowed by {}", file.display()));
            return Err(match nearest(name, allowed.commands.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("allow it there: `commands: {{ {name}: [program, argument] }}`")),
            });
        };
        if words.is_empty() {
            return Err(fail(format!("the command `{name}` is empty")).fact("file", file.display()));
        }
        Ok((words.clone(), folder))
    }

    fn command(&self, name: &str) -> Result<String> {
        let fail = |cause: String| {
            Error::new(Kind::Invalid, &codes::REFERENCE_COMMAND, cause).fact("reference", format!("${{cmd:{name}}}"))
        };
        let (words, folder) = self.allowed(name)?;
        let (program, arguments) = words.split_first().ok_or_else(|| Error::bug("an empty command was let through"))?;
        let bytes = self.output(program, arguments, &folder).map_err(|cause| {
            let error = fail(format!("the command `{name}` {cause}"));
            if cause.starts_with("did not") { error.into_kind(Kind::Environment).retry(Retry::Later) } else { error }
        })?;
        text_of(bytes).map_err(|cause| fail(format!("the output of the command `{name}` {cause}")))
    }

    /// Refuses a list of commands that somebody else could have written.
    fn trusted(&self, file: &Path) -> std::result::Result<(), String> {
        let (Ok(real), Ok(root)) = (file.canonicalize(), self.root.canonicalize()) else { return Ok(()) };
        if real.starts_with(&root) {
            return Err("the list of allowed commands lies inside of the project: anybody who changes the project could extend it".into());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if std::fs::metadata(&real).is_ok_and(|meta| meta.permissions().mode() & 0o022 != 0) {
                return Err("the list of allowed commands can be written by others than its owner".into());
            }
        }
        Ok(())
    }

    /// What the program wrote. It starts in the user's configuration folder, so that no file of
    /// the project can stand in for it.
    fn output(&self, program: &str, arguments: &[String], folder: &Path) -> std::result::Result<Vec<u8>, String> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot be started: {}", error.kind()))?;
        let Some(stdout) = child.stdout.take() else { return Err("has no output".into()) };
        let (sender, receiver) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let result = stdout.take(MAX_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes);
            // The other side may have given up; then nobody wants it.
            sender.send(result).ok();
        });
        let read = receiver.recv_timeout(self.deadline);
        if read.is_err() {
            child.kill().ok();
        }
        let status = child.wait().map_err(|error| format!("cannot be waited for: {}", error.kind()))?;
        match read {
            // Its children may hold the pipe for longer than it lived: leave the thread to them.
            Err(_) => Err(format!("did not end within {} seconds", self.deadline.as_secs())),
            Ok(bytes) => {
                reader.join().ok();
                if status.success() {
                    bytes.map_err(|error| format!("cannot be read: {}", error.kind()))
                } else {
                    Err(match status.code() {
                        Some(code) => format!("failed with exit code {code}"),
                        None => "was ended by a signal".into(),
                    })
                }
            }
        }
    }
}

/// Bytes as text without the line end at their end.
fn text_of(mut bytes: Vec<u8>) -> std::result::Result<String, &'static str> {
    if bytes.len() as u64 > MAX_BYTES {
        bytes.zeroize();
        return Err("is larger than 1 MiB");
    }
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            error.into_bytes().zeroize();
            return Err("is not UTF-8");
        }
    };
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err("is empty") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(resolver: &Resolver, text: &str) -> std::result::Result<String, (String, String)> {
        match resolver.text(&Text::parse(text).unwrap()) {
            Ok(secret) => Ok(secret.reveal().clone()),
            Err(error) => Err((error.code().id.to_owned(), error.to_string())),
        }
    }

    #[test]
    fn variables_and_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "canary-file\r\n").unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        std::fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
        let environment = Environment::of([("TOKEN", "canary-env"), ("NOTHING", "")]);
        let resolver = Resolver::new(folder.path(), environment);
        assert_eq!(filled(&resolver, "Bearer ${env:TOKEN}!").unwrap(), "Bearer canary-env!");
        assert_eq!(filled(&resolver, "${file:token}$${x}").unwrap(), "canary-file${x}");
        assert_eq!(filled(&resolver, "").unwrap(), "");
        for (text, code, cause) in [
            ("${env:GONE}", "config-reference-env", "the environment variable GONE is not set"),
            ("${env:NOTHING}", "config-reference-env", "the environment variable NOTHING is empty"),
            ("${file:gone}", "config-reference-file", "the file of a reference does not exist"),
            ("${file:empty}", "config-reference-file", "the file of a reference is empty"),
            ("${file:binary}", "config-reference-file", "the file of a reference is not UTF-8"),
        ] {
            assert_eq!(filled(&resolver, text).unwrap_err(), (code.to_owned(), cause.to_owned()));
        }
        let error = resolver.text(&Text::parse("${env:TOKEN}${env:GONE}").unwrap()).unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[cfg(unix)]
    #[test]
    fn commands_run_only_if_the_user_allows_them() {
        use std::os::unix::fs::PermissionsExt;
        let (home, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let list = home.path().join("consign/commands.yaml");
        let environment = Environment::of([("XDG_CONFIG_HOME", home.path().to_str().unwrap())]);
        let mut resolver = Resolver::new(project.path(), environment);
        let cause = |resolver: &Resolver, text| filled(resolver, text).unwrap_err().1;
        assert!(cause(&resolver, "${cmd:show}").contains("is not allowed"));
        std::fs::create_dir_all(list.parent().unwrap()).unwrap();
        let text = "commands:\n  show: [printf, 'canary-cmd\\n']\n  fails: ['false']\n  gone: [/no/such/program]\n  hangs: [sleep, '60']\n  empty: []\n";
        std::fs::write(&list, text).unwrap();
        std::fs::set_permissions(&list, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(filled(&resolver, "<${cmd:show}>").unwrap(), "<canary-cmd>");
        assert!(cause(&resolver, "${cmd:shwo}").contains("is not allowed"));
        assert_eq!(cause(&resolver, "${cmd:fails}"), "the command `fails` failed with exit code 1");
        assert!(cause(&resolver, "${cmd:gone}").contains("cannot be started"));
        assert_eq!(cause(&resolver, "${cmd:empty}"), "the command `empty` is empty");
        resolver.deadline = Duration::from_millis(50);
        assert!(cause(&resolver, "${cmd:hangs}").contains("did not end"));
        resolver.deadline = DEADLINE;
        std::fs::set_permissions(&list, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(cause(&resolver, "${cmd:show}").contains("written by others"));
        std::fs::set_permissions(&list, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&list, "comands: {}\n").unwrap();
        assert!(cause(&resolver, "${cmd:show}").contains("cannot be read"));
        let inside = Environment::of([("XDG_CONFIG_HOME", project.path().to_str().unwrap())]);
        std::fs::create_dir_all(project.path().join("consign")).unwrap();
        std::fs::write(project.path().join("consign/commands.yaml"), text).unwrap();
        assert!(cause(&Resolver::new(project.path(), inside), "${cmd:show}").contains("inside of the project"));
    }
}
