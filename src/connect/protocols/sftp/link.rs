//! The connection: made with patience, signed in, kept alive, and made again when it broke while
//! something was asked that can be asked twice.

use std::borrow::Cow;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::PrivateKeyWithHashAlg;
use russh::{MethodKind, MethodSet, Preferred};
use russh_sftp::client::error::Error as Trouble;
use russh_sftp::client::rawsession::Limits;
use russh_sftp::client::{Config, RawSftpSession};

use super::failure::{is_lost, lost, told};
use super::hosts::{Known, Verifier};
use super::settings::Settings;
use crate::connect::runtime::Runtime;
use crate::error::codes::connect::{SFTP_REFUSED, SFTP_UNREACHABLE, SSH_SIGN_IN};
use crate::error::{Error, Kind, Result, Retry};

/// What a server without `limits@openssh.com` takes in one request: every server must.
const SURE_BYTES: u64 = 32 << 10;
/// More in one request gains nothing.
const MOST_BYTES: u64 = 64 << 10;
/// The first wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A connection that stands.
pub(super) struct Live {
    pub(super) sftp: Arc<RawSftpSession>,
    /// Ends with it.
    _ssh: Handle<Verifier>,
    /// Counts connections: handles of an earlier one mean nothing.
    pub(super) number: u64,
    /// Whether `posix-rename@openssh.com` is offered.
    pub(super) renames_over: bool,
    /// Whether `fsync@openssh.com` is offered.
    pub(super) syncs: bool,
    /// Whether `statvfs@openssh.com` is offered.
    pub(super) tells_space: bool,
    /// Bytes of one read.
    pub(super) read_bytes: u32,
    /// Bytes of one write.
    pub(super) write_bytes: usize,
}

/// The way to a server, with or without a connection at the moment.
pub(super) struct Link {
    settings: Settings,
    known: Arc<Known>,
    live: Option<Live>,
    made: u64,
    runtime: Runtime,
}

/// One link for all files of a source or a sink.
pub(super) type Shared = Arc<Mutex<Link>>;

/// The link, for one call. A thread that panicked left nothing half-done in it.
pub(super) fn hold(link: &Shared) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// A host key that is none.
    pub(super) fn new(settings: Settings) -> Result<Shared> {
        let known = Arc::new(Known::of(&settings)?);
        let runtime = Runtime::start("sftp")?;
        Ok(Arc::new(Mutex::new(Self { settings, known, live: None, made: 0, runtime })))
    }

    /// The connection, made if there is none.
    ///
    /// # Errors
    /// If there is no way to make it.
    pub(super) fn live(&mut self) -> Result<&Live> {
        // A session whose end nobody noticed yet would only fail at the next request.
        let live = match self.live.take().filter(|live| !live._ssh.is_closed()) {
            Some(live) => live,
            None => self.connect()?,
        };
        Ok(self.live.insert(live))
    }

    /// Waits for a future.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.run(future)
    }

    /// To let requests go on by themselves.
    pub(super) fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// The session of the connection that stands.
    pub(super) fn session(&self) -> Option<Arc<RawSftpSession>> {
        self.live.as_ref().map(|live| live.sftp.clone())
    }

    /// Bytes of one write over the connection that stands.
    pub(super) fn session_write_bytes(&self) -> usize {
        self.live.as_ref().map_or(SURE_BYTES as usize, |live| live.write_bytes)
    }

    /// Gives a broken connection up.
    pub(super) fn hang_up(&mut self) {
        self.live = None;
    }

    /// The number of the connection that stands; 0: none.
    pub(super) fn number(&self) -> u64 {
        self.live.as_ref().map_or(0, |live| live.number)
    }

    /// How often something is tried.
    pub(super) fn tries(&self) -> u32 {
        self.settings.tries
    }

    /// Asks once, and leaves the answer to the caller.
    ///
    /// # Errors
    /// If the server is out of reach.
    pub(super) fn attempted<T>(
        &mut self,
        question: impl AsyncFn(&Live) -> std::result::Result<T, Trouble>,
    ) -> Result<std::result::Result<T, Trouble>> {
        self.live()?;
        Ok(self.attempt(&question))
    }

    /// Asks once.
    ///
    /// # Errors
    /// What the server answered, or that it is out of reach.
    pub(super) fn ask<T>(&mut self, question: impl AsyncFn(&Live) -> std::result::Result<T, Trouble>) -> Result<T> {
        self.attempted(question)?.map_err(told)
    }

    /// Asks what changes nothing: once more over another connection if this one breaks.
    ///
    /// # Errors
    /// As for [`Link::ask`].
    pub(super) fn look<T>(&mut self, question: impl AsyncFn(&Live) -> std::result::Result<T, Trouble>) -> Result<T> {
        let mut tried = 0;
        loop {
            self.live()?;
            tried += 1;
            match self.attempt(&question) {
                Err(trouble) if is_lost(&trouble) && tried < self.settings.tries => self.pause(tried),
                outcome => return outcome.map_err(told),
            }
        }
    }

    /// Asks once over the connection that stands, for a caller that makes its own of the answer.
    pub(super) fn attempt<T>(
        &mut self,
        question: &impl AsyncFn(&Live) -> std::result::Result<T, Trouble>,
    ) -> std::result::Result<T, Trouble> {
        let Some(live) = &self.live else { return Err(Trouble::IO("no connection".into())) };
        let outcome = self.runtime.run(question(live));
        if outcome.as_ref().is_err_and(is_lost) {
            self.live = None;
        }
        outcome
    }

    /// Waits before another try: twice as long each time, and not in step with others.
    pub(super) fn pause(&self, tried: u32) {
        let wait = FIRST_WAIT.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(LONGEST_WAIT);
        let mut random = [0; 1];
        // Without randomness the wait is the longest of its kind.
        let share = getrandom::fill(&mut random).map_or(255, |()| u32::from(random[0]));
        let wait = wait / 2 + wait * share / 510;
        self.runtime.run(async { tokio::time::sleep(wait).await });
    }

    fn connect(&mut self) -> Result<Live> {
        let doing = || format!("connecting to `{}`", self.settings.server());
        let mut tried = 0;
        let made = loop {
            tried += 1;
            match self.runtime.run(open(&self.settings, &self.known, self.made + 1)) {
                Ok(live) => break live,
                Err(error) if error.retriable() == Retry::Later && tried < self.settings.tries => self.pause(tried),
                Err(error) => return Err(error.doing(doing()).fact("tries", tried)),
            }
        };
        self.made += 1;
        Ok(made)
    }
}

/// Connects, verifies the server, signs in, and starts the SFTP subsystem.
async fn open(settings: &Settings, known: &Arc<Known>, number: u64) -> Result<Live> {
    let limit = settings.connect_timeout;
    let late = |what: &'static str| {
        move |_| {
            unreachable(format!("{what} took longer than {} seconds", limit.as_secs())).hint("raise `connect_timeout`")
        }
    };
    let refusal = Arc::new(Mutex::new(None));
    let verifier = Verifier { known: known.clone(), refusal: refusal.clone() };
    let mut preferred = Preferred::default();
    let mut keys = preferred.key.to_vec();
    // Stable: within the preferred ones and the others the order stays.
    keys.sort_by_key(|algorithm| !known.prefers(algorithm));
    preferred.key = Cow::Owned(keys);
    let config = client::Config {
        keepalive_interval: settings.keepalive,
        keepalive_max: 3,
        nodelay: true,
        preferred,
        ..client::Config::default()
    };
    let connecting = tokio::net::TcpStream::connect((settings.host.as_str(), settings.port));
    let socket = tokio::time::timeout(limit, connecting)
        .await
        .map_err(late("connecting"))?
        .map_err(|e| unreachable("there is no connection to the server").fact("what was seen", e))?;
    // Without it small requests wait for each other.
    let _ = socket.set_nodelay(true);
    let session = client::connect_stream(Arc::new(config), socket, verifier);
    let mut ssh = match tokio::time::timeout(limit, session).await.map_err(late("the SSH handshake"))? {
        Ok(ssh) => ssh,
        Err(error) => {
            let refused = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(refused.unwrap_or_else(|| shaken(error)));
        }
    };
    tokio::time::timeout(limit, sign_in(&mut ssh, settings)).await.map_err(late("signing in"))??;
    let starting = async {
        let channel = ssh.channel_open_session().await.map_err(broken)?;
        channel.request_subsystem(true, "sftp").await.map_err(broken)?;
        let config = Config { request_timeout_secs: settings.timeout.as_secs(), ..Config::default() };
        let mut sftp = RawSftpSession::new_with_config(channel.into_stream(), config);
        let version = sftp
            .init()
            .await
            .map_err(|trouble| told(trouble).hint("does the server offer the subsystem `sftp` to this user?"))?;
        let offers = |name: &str| version.extensions.contains_key(name);
        let (mut read_bytes, mut write_bytes) = (SURE_BYTES, SURE_BYTES);
        if offers("limits@openssh.com") {
            let limits = Limits::from(sftp.limits().await.map_err(told)?);
            read_bytes = limits.read_len.unwrap_or(SURE_BYTES).clamp(1024, MOST_BYTES);
            write_bytes = limits.write_len.unwrap_or(SURE_BYTES).clamp(1024, MOST_BYTES);
            sftp.set_limits(limits);
        }
        Ok(Live {
            renames_over: offers("posix-rename@openssh.com"),
            syncs: offers("fsync@openssh.com"),
            tells_space: offers("statvfs@openssh.com"),
            sftp: Arc::new(sftp),
            _ssh: ssh,
            number,
            read_bytes: read_bytes as u32,
            write_bytes: write_bytes as usize,
        })
    };
    tokio::time::timeout(limit, starting).await.map_err(late("starting the SFTP subsystem"))?
}

/// Signs in with the key, then with the password, as far as the server lets us.
async fn sign_in(ssh: &mut Handle<Verifier>, settings: &Settings) -> Result<()> {
    let mut offered = None;
    if let Some(key) = &settings.key {
        // RSA keys sign with SHA-2; a server that only knows SHA-1 is not signed in to.
        let hash = match key.algorithm().is_rsa() {
            true => {
                ssh.best_supported_rsa_hash().await.map_err(broken)?.flatten().or(Some(russh::keys::HashAlg::Sha256))
            }
            false => None,
        };
        let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
        let reply = ssh.authenticate_publickey(settings.user.as_str(), key).await.map_err(broken)?;
        match answered(ssh, reply).await? {
            None => return Ok(()),
            Some(methods) => offered = Some(methods),
        }
    }
    if let Some(password) = &settings.password {
        let reply = ssh.authenticate_password(settings.user.as_str(), password.reveal().as_str()).await;
        match answered(ssh, reply.map_err(broken)?).await? {
            None => return Ok(()),
            Some(methods) if methods.contains(&MethodKind::KeyboardInteractive) => {
                if prompted(ssh, settings.user.as_str(), password.reveal()).await? {
                    return Ok(());
                }
                offered = Some(methods);
            }
            Some(methods) => offered = Some(methods),
        }
    }
    let tried = match (settings.key.is_some(), settings.password.is_some()) {
        (true, true) => "neither the key nor the password was accepted",
        (true, false) => "the key was not accepted",
        _ => "the password was not accepted",
    };
    let error = Error::new(Kind::Denied, &SSH_SIGN_IN, tried).fact("user", &settings.user);
    let methods: Vec<&str> = offered.iter().flat_map(|set| set.iter()).map(<&str>::from).collect();
    Err(match methods.is_empty() {
        true => error,
        false => error.fact("the server takes", methods.join(", ")),
    }
    .hint("check `user`, `password` and `key_file`, and that the server knows the public key"))
}

/// Answers every prompt with the password, as servers ask for it that offer nothing else.
async fn prompted(ssh: &mut Handle<Verifier>, user: &str, password: &str) -> Result<bool> {
    let mut reply = ssh.authenticate_keyboard_interactive_start(user, None).await.map_err(broken)?;
    // A server that goes on asking was not satisfied.
    for _ in 0..4 {
        match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answers = prompts.iter().map(|_| password.to_owned()).collect();
                reply = ssh.authenticate_keyboard_interactive_respond(answers).await.map_err(broken)?;
            }
        }
    }
    Ok(false)
}

/// What else the server would take; `None`: we are in.
async fn answered(ssh: &Handle<Verifier>, result: AuthResult) -> Result<Option<MethodSet>> {
    let methods = match result {
        AuthResult::Success => return Ok(None),
        AuthResult::Failure { remaining_methods, .. } => remaining_methods,
    };
    if methods.is_empty() {
        // The library says "failed" for a connection that ended before an answer came, too; a moment
        // later it knows that it ended.
        tokio::time::sleep(Duration::from_millis(100)).await;
        if ssh.is_closed() {
            return Err(lost("the connection ended while signing in"));
        }
    }
    Ok(Some(methods))
}

fn unreachable(cause: impl Into<String>) -> Error {
    Error::new(Kind::Environment, &SFTP_UNREACHABLE, cause)
        .retry(Retry::Later)
        .hint("is the server up, and are `host` and `port` right?")
}

/// A handshake that failed.
fn shaken(error: russh::Error) -> Error {
    match error {
        russh::Error::NoCommonAlgo { kind, ours, theirs } => {
            Error::new(Kind::Failed, &SFTP_REFUSED, "the server offers no algorithm that is still considered safe")
                .fact("for", format!("{kind:?}"))
                .fact("ours", ours.join(", "))
                .fact("the server's", theirs.join(", "))
                .hint("update the server's SSH software or its configuration")
        }
        russh::Error::WrongServerSig => {
            Error::new(Kind::Refused, &SFTP_REFUSED, "the server could not prove that its host key is its own")
        }
        error => unreachable("the SSH handshake did not come to its end").fact("what was seen", error),
    }
}

/// A session that broke.
fn broken(error: russh::Error) -> Error {
    match error {
        russh::Error::ChannelOpenFailure(_) | russh::Error::RequestDenied => {
            Error::new(Kind::Denied, &SFTP_REFUSED, "the server does not let this user in by SFTP")
                .fact("what was seen", error)
        }
        error => lost("the connection to the server was lost").fact("what was seen", error),
    }
}
