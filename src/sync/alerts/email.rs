//! Mail: the message, and the conversation with the server.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message as Mail, SmtpTransport, Transport as _};

use super::message::Message;
use super::places::failed;
use crate::config::Secret;
use crate::error::codes::audit::ALERT_PLACE;
use crate::error::{Error, Kind, Result};

/// Hands a mail to a server.
///
/// # Errors
/// An address is none, or the server does not take it.
pub(super) fn send(
    server: &str,
    (from, to): (&str, &[String]),
    account: Option<(Secret<String>, Secret<String>)>,
    message: &Message,
    timeout: Duration,
) -> Result<()> {
    let place = |cause: String| Error::new(Kind::Invalid, &ALERT_PLACE, cause);
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| place(format!("`{text}` is no mail address")));
    let mut mail = Mail::builder().from(mailbox(from)?).subject(subject(&message.summary));
    for one in to {
        mail = mail.to(mailbox(one)?);
    }
    let document = serde_json::to_string_pretty(&message.document).unwrap_or_default();
    let text = format!("{}\n\n{document}\n", message.summary);
    let mail = mail.body(text).map_err(|e| place(format!("the mail cannot be written: {e}")))?;
    let url = url::Url::parse(server).map_err(|_| place("the mail server is no address".into()))?;
    let host = url.host_str().ok_or_else(|| place("the mail server has no host".into()))?;
    let smtp = match url.scheme() {
        "smtps" => SmtpTransport::relay(host).map(|smtp| smtp.port(url.port().unwrap_or(465))),
        "smtp" => SmtpTransport::starttls_relay(host).map(|smtp| smtp.port(url.port().unwrap_or(587))),
        "smtp+plain" => Ok(SmtpTransport::builder_dangerous(host).port(url.port().unwrap_or(25))),
        _ => {
            return Err(place("the mail server begins with none of smtp:// smtps:// smtp+plain://".into()));
        }
    };
    let mut smtp = smtp.map_err(|e| failed(format!("the mail server cannot be called: {e}")))?.timeout(Some(timeout));
    if let Some((user, password)) = account {
        if url.scheme() == "smtp+plain" {
            return Err(place("a password never goes to a mail server that is not encrypted".into())
                .hint("write `smtp://` (STARTTLS) or `smtps://`"));
        }
        smtp = smtp.credentials(Credentials::new(user.reveal().clone(), password.reveal().clone()));
    }
    smtp.build().send(&mail).map(drop).map_err(|e| failed(format!("the mail server did not take it: {e}")))
}

/// One line of no more characters than mail programs show.
fn subject(summary: &str) -> String {
    summary.chars().filter(|c| !c.is_control()).take(200).collect()
}
