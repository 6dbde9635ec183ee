//! TLS to a server: how much of its certificate is checked, by the words that PostgreSQL's own
//! client uses (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::codes::connect::{SERVER_UNTRUSTED, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In clear.
    Disable,
    /// Encrypted if the server offers it; nobody is checked.
    Prefer,
    /// Encrypted; nobody is checked unless trusted issuers are named.
    Require,
    /// Encrypted, by a certificate of a trusted issuer.
    VerifyCa,
    /// Encrypted, by a certificate of a trusted issuer for this very host.
    VerifyFull,
}

impl Mode {
    /// The words of the configuration.
    pub(super) const NAMES: &'static [&'static str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];

    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "disable" => Some(Self::Disable),
            "prefer" | "allow" => Some(Self::Prefer),
            "require" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" => Some(Self::VerifyFull),
            _ => None,
        }
    }

    /// What the client library is told.
    pub(super) fn negotiation(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

/// The files that TLS needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// Trusted issuers instead of the system's.
    pub(super) ca: Option<std::path::PathBuf>,
    /// The certificate that this client shows, and its key.
    pub(super) client: Option<(std::path::PathBuf, std::path::PathBuf)>,
}

/// Makes the connector of the client library.
///
/// # Errors
/// Files that are unreadable or hold no certificate.
pub(super) fn connector(mode: Mode, files: &Files) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let verifier: Arc<dyn ServerCertVerifier> = match mode {
        // As with PostgreSQL's own client: who names the issuers wants them checked.
        Mode::Require if files.ca.is_some() => Arc::new(AnyName(trusted(files, provider)?)),
        Mode::Disable | Mode::Prefer | Mode::Require => Arc::new(Anybody(provider)),
        Mode::VerifyCa => Arc::new(AnyName(trusted(files, provider)?)),
        Mode::VerifyFull => trusted(files, provider)?,
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let config = match &files.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, &e))?;
            builder.with_client_auth_cert(certificates(certificate)?, key).map_err(unusable)?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Checks against the trusted issuers: those named, or the system's (where `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` are obeyed).
fn trusted(files: &Files, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    match &files.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(unusable)?;
            }
        }
        None => {
            // A system may hold a few certificates that nobody can read: the others count.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(Error::new(Kind::Denied, &SERVER_UNTRUSTED, "no issuer of certificates is trusted here")
            .hint("install the system's certificates (ca-certificates), or name a file under `ca_file`"));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|e| Error::new(Kind::Denied, &SERVER_UNTRUSTED, e.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|e| unreadable(path, &e))?;
    match found.is_empty() {
        true => Err(Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`{}` holds no certificate", path.display()))),
        false => Ok(found),
    }
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> Error {
    Error::new(Kind::Invalid, &TARGET_UNFIT, format!("`{}` is no PEM file that can be read: {error}", path.display()))
}

fn unusable(error: rustls::Error) -> Error {
    Error::new(Kind::Invalid, &TARGET_UNFIT, format!("the certificates cannot be used: {error}"))
}

/// Takes any certificate whose key the server really has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes a certificate of a trusted issuer for any name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The name is looked at last: what is wrong with the name alone was right otherwise.
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
