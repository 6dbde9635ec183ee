//! `consign connect login NAME`: a person signs in once; what is obtained is kept for all runs.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::audit::{Action, Draft};
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::connect::auth::{self, SignIn};
use crate::connect::pack::auth::Grant;
use crate::connect::pack::{Given, PackProtocol};
use crate::connect::runtime::Runtime;
use crate::connect::web::Caller;
use crate::error::codes::connect::SIGN_IN_REFUSED;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Signs in to a system and keeps what is obtained, encrypted, in the state folder
///
/// Ways that need a person open an address in a browser, on this machine or (with a code) on another. All
/// other ways are tried at once, so that a wrong password or key is known before the first run.
#[derive(clap::Args, Debug)]
pub(super) struct Login {
    /// The connector's name
    name: String,
    /// No browser runs on this machine: shows the address and reads the one that the browser ended at
    #[arg(long)]
    no_browser: bool,
    /// How many seconds to wait for the browser
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    wait: u64,
}

/// Signs out of a system: revokes where it can, and forgets what is kept
#[derive(clap::Args, Debug)]
pub(super) struct Logout {
    /// The connector's name
    name: String,
}

/// The sign-in of a connector.
pub(super) struct Desk {
    pub(super) given: Arc<Given>,
    pub(super) runtime: Runtime,
    sign_in: SignIn,
}

impl Login {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let desk = Desk::open(&self.name, context)?;
        let sign_in = &desk.sign_in;
        match sign_in.grant() {
            Some(Grant::DeviceCode) => desk.runtime.run(async {
                let device = sign_in.device().await?;
                context.ui.note(&format!("open {} and enter the code {}", device.url, device.code));
                if let Some(complete) = &device.complete {
                    context.ui.note(&format!("or open {complete}"));
                }
                sign_in.granted(&device).await
            })?,
            Some(_) => desk.runtime.run(async {
                let browser = sign_in.browse().await?;
                context.ui.note(&format!("open this address and sign in: {}", browser.url));
                if !self.no_browser {
                    return sign_in.arrived(&browser, Duration::from_secs(self.wait)).await;
                }
                context.ui.note("then paste here the address that the browser ended at, even if it shows an error");
                sign_in.returned(&browser, &pasted()?).await
            })?,
            None => drop(desk.runtime.run(sign_in.ready())?),
        }
        let known = desk.known(&self.name)?;
        desk.record(Action::SignedIn, &self.name, context)?;
        let text = match known {
            Some((_, Some(ends), _)) => format!("signed in to {}; it holds until {}\n", self.name, moment(ends)),
            _ => format!("signed in to {}\n", self.name),
        };
        let renews = known.is_some_and(|(_, _, renews)| renews);
        let ends = known.and_then(|(_, ends, _)| ends).map(moment);
        context.ui.answer(
            Answer::new()
                .fact("name", json!(self.name))
                .fact("expires", json!(ends))
                .fact("renews", json!(renews))
                .text(text),
        )?;
        Ok(Exit::Done)
    }
}

impl Logout {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let desk = Desk::open(&self.name, context)?;
        let ended = desk.runtime.run(desk.sign_in.end());
        // What is kept is forgotten even where the other side could not be told.
        if !matches!(ended, Ok(false)) {
            desk.record(Action::SignedOut, &self.name, context)?;
        }
        let was = ended?;
        let text = match was {
            true => format!("signed out of {}\n", self.name),
            false => format!("nothing was kept for {}\n", self.name),
        };
        context.ui.answer(Answer::new().fact("name", json!(self.name)).fact("was_signed_in", json!(was)).text(text))?;
        Ok(Exit::Done)
    }
}

impl Desk {
    /// Of the connector of that name.
    pub(super) fn open(name: &str, context: &Context<'_>) -> Result<Self> {
        let given = given(name, context)?;
        let runtime = Runtime::start("sign-in")?;
        let wire = Arc::clone(Caller::open(Arc::clone(&given))?.wire());
        let sign_in = SignIn::open(Arc::clone(&given), wire, auth::system_clock())?.ok_or_else(|| {
            let cause = format!("`{name}` uses `{}`, which needs no sign-in", given.pack.name);
            Error::new(Kind::Invalid, &SIGN_IN_REFUSED, cause)
        })?;
        Ok(Self { given, runtime, sign_in })
    }

    fn known(&self, name: &str) -> Result<Option<(i64, Option<i64>, bool)>> {
        match &self.given.connector.state {
            Some(state) => auth::known(state, name),
            None => Ok(None),
        }
    }

    fn record(&self, action: Action, name: &str, context: &Context<'_>) -> Result<()> {
        let (project, _) = context.project()?;
        let way = auth::way(&self.given)?.map(|way| way.name.clone());
        context.store(&project)?.record(vec![Draft::new(action).detail("connector", name).detail("way", way)])?;
        Ok(())
    }
}

/// A connector of the project with its pack, references filled in.
///
/// # Errors
/// If there is none of that name, it uses no pack, or a reference leads nowhere.
pub(super) fn given(name: &str, context: &Context<'_>) -> Result<Arc<Given>> {
    let (project, _) = context.project()?;
    let known = || project.connectors.keys().map(String::as_str);
    let connector = project.connectors.get(name).ok_or_else(|| {
        let cause = format!("there is no connector `{name}` in {}", project.file);
        let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
        match nearest(name, known()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`consign connect list` lists them"),
        }
    })?;
    let plugin = connector.spec.and_then(|spec| spec.plugin);
    let Some(protocol) = plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>()) else {
        let cause = format!("`{name}` uses `{}`, which signs in by itself at each run", connector.uses.value);
        return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause)
            .hint("only packs are signed in to: `consign connect list` shows what each connector uses"));
    };
    let mut filled = context.fill_in(&project, connector)?;
    filled.state = Some(context.state_folder(&project));
    Ok(Arc::new(Given::new(protocol.pack, filled)))
}

/// One line of standard input.
fn pasted() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Error::io("reading the pasted address", e))?;
    Ok(line)
}

/// Seconds since 1970 for a person.
fn moment(seconds: i64) -> String {
    let mut text = Vec::new();
    crate::record::Timestamp { seconds, nanos: 0, offset: 0 }.write(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
