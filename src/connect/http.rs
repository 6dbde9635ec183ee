//! The one place that builds an HTTP client: TLS by rustls with ring, certificate authorities of the
//! system (SSL_CERT_FILE and SSL_CERT_DIR name others), proxies by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
//! and NO_PROXY.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Secret;
use crate::error::codes::connect::HTTP_FAILED;
use crate::error::{Error, Kind, Result, Retry};

/// A client that gives up after so long. `tls`: whether it will speak TLS; without, the certificate
/// authorities need not be read.
///
/// # Errors
/// If no certificate authority can be found, or the client cannot be made.
pub fn client(timeout: Duration, tls: bool) -> Result<reqwest::Client> {
    let failed = |what: String| Error::new(Kind::Environment, &HTTP_FAILED, what);
    let mut roots = rustls::RootCertStore::empty();
    if tls {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(String::new, |e| format!(": {e}"));
            return Err(failed(format!("no certificate authority was found{why}"))
                .hint("install the package `ca-certificates`, or name a file of them in SSL_CERT_FILE"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .timeout(timeout)
        .user_agent(concat!("consign/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| failed(plain(&e)))
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

/// The innermost cause, which says what a person can act on; without the address.
fn plain(error: &reqwest::Error) -> String {
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
