//! `consign audit export`: events as other systems read them, with a signed manifest of what the file holds.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::list::Which;
use crate::audit::chain::hex;
use crate::audit::condition::seen;
use crate::audit::export::{self, Facts, Item};
use crate::audit::note::{Note, Verifying};
use crate::audit::{Action, Draft};
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::codes::audit::{EXPORT_BAD, EXPORT_PLACE};
use crate::error::codes::cli::USAGE;
use crate::error::{Error, Exit, Kind, Result, nearest};
use crate::store::folder::replace_file_as;
use crate::store::{EventFilter, Found};
use crate::sync::ship::Shipping;

/// Writes events in the form of another system, the oldest first
#[derive(clap::Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    which: Which,
    /// The format: ndjson, csv, ocsf, syslog, cef, leef, otlp, openlineage, fhir
    #[arg(short, long, value_name = "FORMAT", default_value = "ndjson")]
    format: String,
    /// Where to: a file, `-` for standard output, or for syslog `tcp://HOST:PORT` or `tls://HOST:PORT`. Beside a file a
    /// manifest is written and signed with the log's key
    #[arg(long, value_name = "PLACE", default_value = "-")]
    to: String,
    /// Only events behind this number: what an earlier export ended with
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
}

impl Export {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let Some(format) = export::named(&self.format) else {
            let names = || export::ALL.iter().map(|format| format.name);
            let error = Error::new(Kind::Invalid, &USAGE, format!("there is no format `{}`", self.format));
            return Err(match nearest(&self.format, names()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("there are: {}", names().collect::<Vec<_>>().join(", "))),
            });
        };
        let (project, mappings) = context.project()?;
        let (filter, condition) = self.which.read()?;
        let store = context.store_must(&project)?;
        let ships = self.to.contains("://");
        if ships && format.name != "syslog" {
            let cause = format!("`{}` is a log server, and those take syslog alone", self.to);
            return Err(Error::new(Kind::Invalid, &EXPORT_PLACE, cause).hint("add `--format syslog`"));
        }
        let mut place = match self.to.as_str() {
            "-" => Place::Out,
            to if ships => Place::Server(Box::new(Shipping::open(to)?)),
            to => Place::File(PathBuf::from(to), Vec::new()),
        };
        let facts = Facts {
            log: store.audit_log_id().to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            environment: project.environment.clone(),
        };
        let ends: Vec<(String, (String, String))> = mappings
            .iter()
            .map(|mapping| {
                let end = |of: &crate::config::StreamRef| format!("{}.{}", of.connector, of.stream);
                (mapping.name.value.clone(), (end(&mapping.from), end(&mapping.to)))
            })
            .collect();
        let filter = EventFilter { after: Some(self.after), oldest_first: true, ..filter };
        let mut writer = (format.writer)(&facts);
        let mut made = Made::default();
        let mut out = Vec::new();
        writer.begin(&mut out);
        store.walk_events(&filter, &mut |Found { event, body }| {
            let event = &event;
            if condition.as_ref().is_some_and(|condition| !condition.holds(&seen(event))) {
                return Ok(true);
            }
            let ends = event.route.as_ref().and_then(|route| ends.iter().find(|(name, _)| name == route));
            let item =
                Item { event, body: body.as_deref(), ends: ends.map(|(_, (from, to))| (from.as_str(), to.as_str())) };
            made.events += 1;
            made.first.get_or_insert(event.seq);
            made.last = Some(event.seq);
            match &mut place {
                Place::Server(shipping) => shipping.send(&export::syslog::message(&item))?,
                _ => writer.event(&item, &mut out),
            }
            if out.len() >= AT_ONCE {
                made.take(&mut out, &mut place, context)?;
            }
            Ok(true)
        })?;
        writer.end(&mut out);
        made.take(&mut out, &mut place, context)?;
        let sha256 = hex(&made.hash.clone().finalize());
        let mut text = count(made.events, "event", "events");
        let mut manifest = None;
        let to = match place {
            Place::Out => None,
            Place::Server(shipping) => {
                shipping.end()?;
                text.push_str(&format!(" sent to {}\n", self.to));
                Some(self.to.clone())
            }
            Place::File(path, bytes) => {
                replace_file_as(&path, &bytes, 0o600)?;
                text.push_str(&format!(" written to {}\n", path.display()));
                let said = made.manifest(&facts, format.name, &self.which.told(), &sha256);
                let beside = manifest_of(&path);
                replace_file_as(&beside, store.sign_note(&said)?.as_bytes(), 0o600)?;
                text.push_str(&format!(
                    "  what it holds is signed in {}\n  whoever has both and the key verifies it: consign audit verify --export {} --key {}\n",
                    beside.display(),
                    path.display(),
                    store.checkpoint_key()?.unwrap_or_default()
                ));
                manifest = Some(beside.display().to_string());
                Some(path.display().to_string())
            }
        };
        drop(store);
        let mut draft = Draft::new(Action::AuditExported)
            .detail("format", format.name)
            .detail("events", made.events)
            .detail("query", self.which.told())
            .detail("sha256", sha256.clone());
        draft.resource = Some("audit log".into());
        if let (Some(first), Some(last)) = (made.first, made.last) {
            draft = draft.detail("first", first).detail("last", last);
        }
        if let Some(to) = &to {
            draft = draft.detail("to", to.clone());
        }
        if let Err(error) = context.store(&project).and_then(|mut store| store.record_event(draft)) {
            context.ui.warn(&format!("that events were exported could not be recorded: {error}"));
        }
        if to.is_some() {
            let answer = Answer::new()
                .fact("events", json!(made.events))
                .fact("first", json!(made.first))
                .fact("last", json!(made.last))
                .fact("sha256", json!(sha256))
                .fact("to", json!(to))
                .fact("manifest", json!(manifest));
            context.ui.answer(answer.text(text))?;
        }
        Ok(Exit::Done)
    }
}

/// How much is put together before it is written.
const AT_ONCE: usize = 1 << 16;

enum Place {
    Out,
    File(PathBuf, Vec<u8>),
    Server(Box<Shipping>),
}

/// What an export came to.
#[derive(Default)]
struct Made {
    events: u64,
    first: Option<u64>,
    last: Option<u64>,
    hash: Sha256,
}

impl Made {
    fn take(&mut self, out: &mut Vec<u8>, place: &mut Place, context: &Context<'_>) -> Result<()> {
        self.hash.update(&*out);
        match place {
            Place::Out => context.ui.raw(out)?,
            Place::File(_, bytes) => bytes.write_all(out).map_err(|e| Error::io("keeping the export", e))?,
            Place::Server(_) => {}
        }
        out.clear();
        Ok(())
    }

    /// What is signed: a line for each thing that must hold.
    fn manifest(&self, facts: &Facts, format: &str, query: &str, sha256: &str) -> String {
        let number = |number: Option<u64>| number.map_or_else(|| "none".into(), |number| number.to_string());
        format!(
            "consign export 1\nlog: {}\nformat: {format}\nevents: {}\nfirst: {}\nlast: {}\nquery: {}\nsha256: {sha256}\nmade: {}\ntool: consign {}\n",
            facts.log,
            self.events,
            number(self.first),
            number(self.last),
            if query.is_empty() { "all" } else { query },
            moment::shown(now_ns()),
            facts.version,
        )
    }
}

fn manifest_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".manifest");
    PathBuf::from(name)
}

/// Verifies a file by the manifest beside it and the log's public key.
///
/// # Errors
/// [`EXPORT_BAD`] if it is not what was exported.
pub(super) fn verify(context: &Context<'_>, path: &Path, keys: &[Verifying]) -> Result<Exit> {
    let bad = |what: &str| {
        Error::new(Kind::Tampered, &EXPORT_BAD, format!("`{}` is not what was exported: {what}", path.display()))
    };
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io(format!("reading `{}`", path.display()), e));
    let beside = manifest_of(path);
    let note = Note::read(&read(&beside)?).map_err(bad)?;
    note.check(keys).map_err(bad)?;
    let said = |name: &str| note.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    if note.text.lines().next() != Some("consign export 1") {
        return Err(bad("its manifest is none of consign's"));
    }
    if said("sha256") != Some(hex(&Sha256::digest(read(path)?)).as_str()) {
        return Err(bad("its bytes are not those that were signed"));
    }
    let text = format!("the export is as it was signed\n{}", note.text);
    context.ui.answer(Answer::new().fact("ok", json!(true)).fact("manifest", json!(note.text)).text(text))?;
    Ok(Exit::Done)
}
