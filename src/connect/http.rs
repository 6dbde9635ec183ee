//! The one place that builds an HTTP client: TLS by rustls with ring, certificate authorities of the
//! system (SSL_CERT_FILE and SSL_CERT_DIR name others), proxies by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
//! and NO_PROXY.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Secret;
use crate::error::codes::connect::HTTP_FAILED;
use crate::error::{Error, Kind, Result, Retry};

/// Whom a client trusts, and as whom it calls.
#[derive(Debug, Default)]
pub struct Tls {
    /// PEM of certificate authorities beside those of the machine.
    pub authorities: Option<Vec<u8>>,
    /// PEM of the certificate (with what follows up to its authority) and of the key it calls with.
    pub identity: Option<(Secret<String>, Secret<String>)>,
    /// Whether TLS 1.2 is refused.
    pub modern: bool,
}

/// The most bytes that are read of an answer to [`post`].
const MOST_ANSWERED: usize = 1 << 18;

/// A client that gives up after so long. `tls`: whether it will speak TLS; without, the certificate
/// authorities need not be read.
///
/// # Errors
/// If no certificate authority can be found, or the client cannot be made.
pub fn client(timeout: Duration, tls: bool) -> Result<reqwest::Client> {
    let follow = reqwest::redirect::Policy::default();
    builder(tls.then(Tls::default).as_ref())?.redirect(follow).timeout(timeout).build().map_err(|e| failed(plain(&e)))
}

/// What every client is built from: certificates are verified, always.
///
/// # Errors
/// If no certificate authority can be found, or what is given is no certificate, or no key.
pub fn builder(tls: Option<&Tls>) -> Result<reqwest::ClientBuilder> {
    let mut roots = rustls::RootCertStore::empty();
    let none = Tls::default();
    if let Some(tls) = tls {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if let Some(pem) = &tls.authorities {
            for one in certificates(pem)? {
                roots.add(one).map_err(|e| unfit(&format!("a certificate authority cannot be used: {e}")))?;
            }
        }
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(String::new, |e| format!(": {e}"));
            return Err(failed(format!("no certificate authority was found{why}"))
                .hint("install the package `ca-certificates`, or name a file of them in SSL_CERT_FILE"));
        }
    }
    let tls = tls.unwrap_or(&none);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match tls.modern {
        true => &[&rustls::version::TLS13],
        false => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|e| failed(e.to_string()))?
        .with_root_certificates(roots);
    let config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            // The library's own words may quote the key.
            let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes())
                .map_err(|_| unfit("the key of the client certificate is no PEM of a private key"))?;
            config
                .with_client_auth_cert(certificates(chain.reveal().as_bytes())?, key)
                .map_err(|e| unfit(&format!("the client certificate and its key cannot be used: {e}")))?
        }
    };
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("consign/", env!("CARGO_PKG_VERSION"))))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| unfit(NO_PEM))?;
    if all.is_empty() { Err(unfit(NO_PEM)) } else { Ok(all) }
}

const NO_PEM: &str = "what should be certificates is no PEM: `-----BEGIN CERTIFICATE-----` and what follows";

fn failed(what: String) -> Error {
    Error::new(Kind::Environment, &HTTP_FAILED, what)
}

fn unfit(what: &str) -> Error {
    Error::new(Kind::Invalid, &HTTP_FAILED, what)
}

/// Asks for an address; the answer's content is of no interest. The address is nowhere in the error:
/// it may be a secret as a whole.
///
/// # Errors
/// If there is no answer in time, or one that is no success.
pub async fn get(client: &reqwest::Client, url: &Secret<String>) -> Result<()> {
    let failed = |what: String| Error::new(Kind::Environment, &HTTP_FAILED, what).retry(Retry::Later);
    let answer = client.get(url.reveal().as_str()).send().await.map_err(|e| failed(plain(&e)))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(failed(format!("the answer was {status}"))),
    }
}

/// Posts a text; the answer's status and the beginning of its text. The address is nowhere in the error.
///
/// # Errors
/// If there is no answer in time.
pub async fn post(client: &reqwest::Client, url: &Secret<String>, body: String) -> Result<(u16, String)> {
    let failed = |e: reqwest::Error| Error::new(Kind::Environment, &HTTP_FAILED, plain(&e)).retry(Retry::Later);
    let request = client.post(url.reveal().as_str()).header("content-type", "text/plain; charset=utf-8").body(body);
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        text.extend_from_slice(&part);
        if text.len() > MOST_ANSWERED {
            break;
        }
    }
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}

/// Posts a JSON document with headers; the answer's status. The address is nowhere in the error.
///
/// # Errors
/// If there is no answer in time.
pub async fn post_as(
    client: &reqwest::Client,
    url: &Secret<String>,
    headers: &[(String, String)],
    body: String,
) -> Result<u16> {
    let failed = |e: reqwest::Error| Error::new(Kind::Environment, &HTTP_FAILED, plain(&e)).retry(Retry::Later);
    let request = client.post(url.reveal().as_str()).header("content-type", "application/json").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    Ok(request.send().await.map_err(failed)?.status().as_u16())
}

/// The innermost cause, which says what a person can act on; without the address.
pub fn plain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) if error.is_builder() => "the address is no URL".into(),
        Some(_) => "the request failed".into(),
        None => cause.to_string(),
    }
}
