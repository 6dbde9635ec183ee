//! How each kind of place is told.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::email;
use super::message::{Message, rfc3339};
use crate::audit::Level;
use crate::audit::chain::hex;
use crate::config::{Alert, AlertPlace, Resolver, Secret};
use crate::connect::http;
use crate::connect::runtime::Runtime;
use crate::error::codes::audit::{ALERT_FAILED, ALERT_PLACE};
use crate::error::{Error, Kind, Result};
use crate::sync::ship::Shipping;
use crate::sync::system_log;

/// Where PagerDuty's Events API is.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Pauses between tries of a web address within one command.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// How often it is looked whether a command ended.
const LOOK: Duration = Duration::from_millis(20);

/// Tells one place.
///
/// # Errors
/// It could not be told.
pub(super) fn send(to: &Alert, message: &Message, resolver: &Resolver) -> Result<()> {
    match &to.to {
        AlertPlace::Exec(name) => exec(name, to.timeout, message, resolver),
        AlertPlace::Webhook { url, secret } => {
            let body = message.document.to_string();
            let mut headers = vec![("x-consign-alert-id".to_string(), message.id.clone())];
            if let Some(secret) = secret {
                let stamp = jiff::Timestamp::now().as_second().to_string();
                let code = signature(resolver.text(secret)?.reveal(), &stamp, &body)?;
                headers.push(("x-consign-timestamp".into(), stamp));
                headers.push(("x-consign-signature".into(), format!("sha256={code}")));
            }
            post(&resolver.text(url)?, headers, body, to.timeout)
        }
        AlertPlace::Slack(url) => {
            // The three characters that mean something in its text.
            let text = message.summary.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            post(&resolver.text(url)?, Vec::new(), json!({ "text": text }).to_string(), to.timeout)
        }
        AlertPlace::PagerDuty { key, url } => {
            let url = url.as_ref().map_or_else(|| Ok(Secret::new(PAGERDUTY.to_string())), |url| resolver.text(url))?;
            let key = resolver.text(key)?;
            let severity = match message.level {
                Level::Debug | Level::Info => "info",
                Level::Warning => "warning",
                Level::Error => "error",
                Level::Critical => "critical",
            };
            let body = json!({
                "routing_key": key.reveal(), "event_action": "trigger", "dedup_key": message.id, "client": "consign",
                "payload": {
                    "summary": message.summary.chars().take(1024).collect::<String>(), "source": message.source,
                    "severity": severity, "timestamp": rfc3339(message.time_ns), "component": message.route,
                    "class": message.action, "custom_details": message.document,
                },
            });
            post(&url, Vec::new(), body.to_string(), to.timeout)
        }
        AlertPlace::Email { server, from, to: people, user, password } => {
            let text = |of: &Option<crate::config::Text>| of.as_ref().map(|of| resolver.text(of)).transpose();
            let account = text(user)?.zip(text(password)?);
            let server = resolver.text(server)?;
            email::send(server.reveal(), (from, people), account, message, to.timeout)
        }
        AlertPlace::Syslog(at) => syslog(at, message, to.timeout),
    }
}

/// The code by which whoever is posted to knows who posts: over the time too, so that nobody can post it again.
fn signature(secret: &str, stamp: &str, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| Error::bug("an HMAC takes keys of any length"))?;
    mac.update(stamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}

/// Posts a document, and again if it could not be done, with the same id.
fn post(url: &Secret<String>, headers: Vec<(String, String)>, body: String, timeout: Duration) -> Result<()> {
    let address = url.reveal().as_str();
    if !address.starts_with("http://") && !address.starts_with("https://") {
        return Err(Error::new(Kind::Invalid, &ALERT_PLACE, "it is no address that begins with http:// or https://"));
    }
    let client = http::client(timeout, address.starts_with("https:"))?;
    let runtime = Runtime::start("alert")?;
    let mut pauses = PAUSES.iter();
    loop {
        let ended = runtime.run(http::post_as(&client, url, &headers, body.clone()));
        let error = match ended {
            Ok(status) if (200..300).contains(&status) => return Ok(()),
            // What is refused stays refused.
            Ok(status @ 400..500) if status != 408 && status != 429 => {
                return Err(failed(format!("the answer was {status}")));
            }
            Ok(status) => failed(format!("the answer was {status}")),
            Err(error) => failed(error.cause().to_string()),
        };
        match pauses.next() {
            Some(pause) => std::thread::park_timeout(*pause),
            None => return Err(error),
        }
    }
}

fn exec(name: &str, timeout: Duration, message: &Message, resolver: &Resolver) -> Result<()> {
    let (words, folder) = resolver.allowed(name)?;
    let (program, arguments) = words.split_first().ok_or_else(|| Error::bug("an empty command was let through"))?;
    let cannot = |what: &str, e: std::io::Error| failed(format!("the command `{name}` {what}: {}", e.kind()));
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| cannot("cannot be started", e))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read is told by being started.
        let _ = stdin.write_all(message.document.to_string().as_bytes());
    }
    let until = Instant::now() + timeout;
    loop {
        match child.try_wait().map_err(|e| cannot("cannot be waited for", e))? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(format!("the command `{name}` ended with {status}"))),
            None if Instant::now() >= until => {
                child.kill().ok();
                child.wait().ok();
                return Err(failed(format!("the command `{name}` did not end within {} s", timeout.as_secs())));
            }
            None => std::thread::park_timeout(LOOK),
        }
    }
}

fn syslog(at: &str, message: &Message, timeout: Duration) -> Result<()> {
    // Facility 13 (log audit), RFC 5424 section 6.2.1.
    let severity = match message.level {
        Level::Debug => 7,
        Level::Info => 6,
        Level::Warning => 4,
        Level::Error => 3,
        Level::Critical => 2,
    };
    let priority = 13 * 8 + severity;
    let line = || {
        let (time, host) = (rfc3339(message.time_ns), message.source.replace(' ', "-"));
        format!("<{priority}>1 {time} {host} consign - {} - {}", message.action, message.summary)
    };
    if at.starts_with("tls://") || at.starts_with("tcp://") {
        let mut shipping = Shipping::open(at)?;
        shipping.send(&line())?;
        return shipping.end();
    }
    let socket = if at == "local" { Some(system_log::SOCKET) } else { at.strip_prefix("unix:") };
    let sent = match (socket, at.strip_prefix("syslog://")) {
        (Some(socket), _) => system_log::tell(socket, &format!("<{priority}>consign: {}", message.summary), timeout),
        (None, Some(at)) => system_log::send(at, &line()),
        (None, None) => {
            let cause = format!("`{at}` is no place to log to");
            return Err(Error::new(Kind::Invalid, &ALERT_PLACE, cause)
                .hint("write `local`, `unix:/SOCKET`, `syslog://HOST:514`, `tcp://HOST:601` or `tls://HOST:6514`"));
        }
    };
    sent.map_err(|e| failed(format!("the log does not take it: {e}")))
}

pub(super) fn failed(cause: String) -> Error {
    Error::new(Kind::Environment, &ALERT_FAILED, cause)
}
