//! A connection to a server: its settings as the configuration has them, and the one session that
//! a source or a sink works in. One route so takes one connection per end, and no more; how many run
//! at once is what the schedule says, and a server that has none left ends a run with exit 3.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};

use super::failure::failure;
use super::tls::{self, Files, Mode};
use crate::config::{Connector, OptionKind, OptionSpec};
use crate::connect::options::OptionReader;
use crate::connect::runtime::Runtime;
use crate::error::codes::connect::TARGET_UNFIT;
use crate::error::{Error, Kind, Result, Retry};

/// Options under `with:`.
pub(super) static OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "url",
        OptionKind::Text,
        "The whole of it, `postgres://user:password@host:port/database?sslmode=…`; the options below go before it.",
    )
    .secret(),
    OptionSpec::new("host", OptionKind::Text, "Name or address of the server, or the folder of its socket."),
    OptionSpec::new("port", OptionKind::Int { min: 1, max: 65_535 }, "Port of the server; 5432 unless given."),
    OptionSpec::new("database", OptionKind::Text, "The database; named like the user unless given."),
    OptionSpec::new("user", OptionKind::Text, "Who signs in."),
    OptionSpec::new("password", OptionKind::Text, "The password of that user.").secret(),
    OptionSpec::new(
        "tls",
        OptionKind::Choice(Mode::NAMES),
        "How the connection is secured: `disable` in clear, `prefer` encrypted if the server offers it, `require` encrypted, `verify-ca` and a trusted issuer, `verify-full` and the server's own name; `verify-full` unless the server is this machine (`prefer`).",
    ),
    OptionSpec::new("ca_file", OptionKind::FilePath, "The issuers that are trusted (PEM) instead of the system's."),
    OptionSpec::new("cert_file", OptionKind::FilePath, "The certificate that consign shows (PEM)."),
    OptionSpec::new("key_file", OptionKind::FilePath, "The private key of that certificate (PEM)."),
    OptionSpec::new("connect_timeout", OptionKind::Int { min: 1, max: 3600 }, "Seconds to wait for the server.")
        .default("10"),
    OptionSpec::new(
        "statement_timeout",
        OptionKind::Int { min: 0, max: 86_400 },
        "Seconds that one statement may take; 0: as long as it takes.",
    )
    .default("0"),
    OptionSpec::new(
        "lock_timeout",
        OptionKind::Int { min: 0, max: 3600 },
        "Seconds to wait for another transaction that holds the table or a row; 0: as long as it takes.",
    )
    .default("30"),
    OptionSpec::new("application_name", OptionKind::Text, "How the session is called in pg_stat_activity.")
        .default("consign"),
    OptionSpec::new(
        "keepalive",
        OptionKind::Int { min: 1, max: 3600 },
        "Seconds of silence after which the server is asked whether it is still there.",
    )
    .default("30"),
    OptionSpec::new(
        "target_session_attrs",
        OptionKind::Choice(&["any", "read-write", "read-only"]),
        "Which of several servers (`host: a,b`) is taken.",
    )
    .default("any"),
];

/// Everything needed to connect.
#[derive(Clone)]
pub(super) struct Settings {
    config: Config,
    mode: Mode,
    files: Files,
    /// Sent once connected.
    session: String,
    tries: u32,
    /// Server and database, for messages.
    shown: String,
}

impl Settings {
    /// Reads the options of a connector.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if they contradict each other or no server is named.
    pub(super) fn of(root: &Path, connector: &Connector) -> Result<Self> {
        let options = OptionReader::new(&connector.with, OPTIONS);
        let text = |name| options.text(name).map(|text| text.filter(|text| !text.is_empty()));
        let (mut config, named) = match text("url")? {
            Some(url) => parse_url(&url)?,
            None => (Config::new(), None),
        };
        if let Some(hosts) = text("host")? {
            config = rehosted(&config, &hosts);
        }
        if let Some(port) = text("port")?.and_then(|port| port.parse().ok()) {
            config.port(port);
        }
        if let Some(database) = text("database")? {
            config.dbname(database);
        }
        if let Some(user) = text("user")? {
            config.user(user);
        }
        if let Some(password) = text("password")? {
            config.password(password);
        }
        if config.get_hosts().is_empty() {
            return Err(Error::new(Kind::Invalid, &TARGET_UNFIT, "neither `url` nor `host` names a server"));
        }
        if config.get_user().is_none() {
            return Err(Error::new(Kind::Invalid, &TARGET_UNFIT, "neither `url` nor `user` says who signs in"));
        }
        let mode = match text("tls")?.or(named) {
            Some(word) => Mode::named(&word)
                .ok_or_else(|| Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`sslmode` knows no `{word}`")))?,
            None if config.get_hosts().iter().all(is_local) => Mode::Prefer,
            None => Mode::VerifyFull,
        };
        let client = match (text("cert_file")?, text("key_file")?) {
            (Some(certificate), Some(key)) => Some((root.join(certificate), root.join(key))),
            (None, None) => None,
            _ => return Err(options.wrong("cert_file", "and `key_file` belong together")),
        };
        config.ssl_mode(mode.negotiation());
        config.connect_timeout(Duration::from_secs(options.number("connect_timeout")?));
        let keepalive = Duration::from_secs(options.number("keepalive")?);
        config.keepalives(true).keepalives_idle(keepalive).keepalives_interval(Duration::from_secs(10));
        config.keepalives_retries(3).tcp_user_timeout(keepalive + Duration::from_secs(30));
        config.application_name(text("application_name")?.unwrap_or_else(|| "consign".into()));
        match text("target_session_attrs")?.as_deref() {
            Some("read-write") => config.target_session_attrs(TargetSessionAttrs::ReadWrite),
            Some("read-only") => config.target_session_attrs(TargetSessionAttrs::ReadOnly),
            _ => &mut config,
        };
        // Times, numbers and bytes come and go in one form, whatever the database's defaults are;
        // a commit that returned survives a power loss.
        let session = format!(
            "SET statement_timeout = '{}s'; SET lock_timeout = '{}s'; SET synchronous_commit = on; SET timezone = 'UTC'; \
             SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex'; SET extra_float_digits = 3; \
             SET standard_conforming_strings = on; SET client_min_messages = warning",
            options.number("statement_timeout")?,
            options.number("lock_timeout")?
        );
        let shown = shown(&config);
        let files = Files { ca: text("ca_file")?.map(|path| root.join(path)), client };
        Ok(Self { config, mode, files, session, tries: connector.retry_tries.max(1), shown })
    }

    /// Server and database, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// How often a transaction that lost against another one is tried.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// Opens a session; a server that is not there yet is asked again a few times.
    ///
    /// # Errors
    /// [`Kind::Environment`] if the server cannot be reached, [`Kind::Denied`] if it lets nobody in or
    /// cannot be trusted.
    pub(super) fn connect(&self) -> Result<Session> {
        let runtime = Runtime::start("postgres")?;
        let mut pause = Duration::from_millis(200);
        let mut tries = self.tries;
        loop {
            match runtime.run(self.connect_once(&runtime)) {
                Ok(client) => return Ok(Session { client, runtime }),
                Err(error) if tries > 1 && error.retriable() == Retry::Later => {
                    tries -= 1;
                    runtime.run(async { tokio::time::sleep(pause).await });
                    pause *= 2;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn connect_once(&self, runtime: &Runtime) -> Result<Client> {
        let doing = || format!("connecting to `{}`", self.shown);
        let failed = |e| failure(doing(), e);
        let client = match self.mode {
            Mode::Disable => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
                // Ends with the client; what it failed with, the next call fails with.
                drop(runtime.handle().spawn(async { connection.await.is_ok() }));
                client
            }
            _ => {
                let secured = tls::connector(self.mode, &self.files).map_err(|e| e.doing(doing()))?;
                let (client, connection) = self.config.connect(secured).await.map_err(failed)?;
                drop(runtime.handle().spawn(async { connection.await.is_ok() }));
                client
            }
        };
        client.batch_execute(&self.session).await.map_err(failed)?;
        Ok(client)
    }
}

/// One session of a server, with the runtime that drives it. The client goes first when it ends.
pub(super) struct Session {
    pub(super) client: Client,
    runtime: Runtime,
}

impl Session {
    /// Waits for what the client is asked.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.run(future)
    }
}

/// Reads a URL; the client library knows fewer words for `sslmode` than PostgreSQL's own, so that
/// it is taken out and read here.
fn parse_url(url: &str) -> Result<(Config, Option<String>)> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode = None;
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| match pair.split_once('=') {
            Some(("sslmode", word)) => {
                mode = Some(word.to_string());
                false
            }
            _ => !pair.is_empty(),
        })
        .collect();
    let address = if rest.is_empty() { address.to_string() } else { format!("{address}?{}", rest.join("&")) };
    // The library's own words may repeat the password.
    let config = address.parse().map_err(|_| {
        Error::new(Kind::Invalid, &TARGET_UNFIT, "`url` is no address of a PostgreSQL server")
            .hint("write `postgres://user:password@host:port/database`; what is special in a password stands as %XX")
    })?;
    Ok((config, mode))
}

/// The same settings for other hosts: the library can only add hosts.
fn rehosted(config: &Config, hosts: &str) -> Config {
    let mut made = Config::new();
    if let Some(user) = config.get_user() {
        made.user(user);
    }
    if let Some(password) = config.get_password() {
        made.password(password);
    }
    if let Some(database) = config.get_dbname() {
        made.dbname(database);
    }
    for host in hosts.split(',') {
        made.host(host.trim());
    }
    made
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    match config.get_ports() {
        ports if ports.iter().all(|port| *port == 5432) => format!("{hosts}/{database}"),
        ports => {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            format!("{hosts}:{}/{database}", ports.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_with_every_word_of_sslmode() {
        let check = |url: &str, mode: Option<&str>, expected: &str| {
            let (config, found) = parse_url(url).unwrap();
            assert_eq!((found.as_deref(), shown(&config).as_str()), (mode, expected), "{url}");
        };
        check(
            "postgres://me:pw@db.example:5433/sales?sslmode=verify-full",
            Some("verify-full"),
            "db.example:5433/sales",
        );
        check("postgres://me@db.example/sales?sslmode=disable", Some("disable"), "db.example/sales");
        check("postgresql://me@a,b/sales?connect_timeout=5", None, "a,b/sales");
        let error = parse_url("postgres://me:canary@[/x").err().unwrap();
        assert!(!format!("{error:?} {:?}", error.hints()).contains("canary"));
    }

    #[test]
    fn other_machines_are_verified_and_this_one_is_not() {
        for (host, local) in
            [("localhost", true), ("127.0.0.1", true), ("::1", true), ("db.example", false), ("10.0.0.1", false)]
        {
            assert_eq!(is_local(&Host::Tcp(host.into())), local, "{host}");
        }
    }
}
