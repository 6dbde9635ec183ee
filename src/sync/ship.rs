//! Messages sent to a log server over TCP or TLS, each with its length before it (RFC 6587 section 3.4.1,
//! RFC 5425 section 4.3). That the server took them is only known as far as the connection was closed well.

use std::io::{Read as _, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use crate::error::codes::audit::EXPORT_PLACE;
use crate::error::{Error, Kind, Result};

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection to a log server.
pub enum Shipping {
    /// Not encrypted.
    Plain(TcpStream),
    /// Encrypted, the server's certificate verified.
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Shipping {
    /// Calls a server: `tcp://HOST:PORT` or `tls://HOST:PORT`.
    ///
    /// # Errors
    /// The address is none, or the server cannot be reached or is not who it should be.
    pub fn open(address: &str) -> Result<Self> {
        let wrong = || {
            Error::new(Kind::Invalid, &EXPORT_PLACE, format!("`{address}` is no address of a log server"))
                .hint("write `tcp://HOST:PORT` or `tls://HOST:PORT`")
        };
        let (scheme, place) = address.split_once("://").ok_or_else(wrong)?;
        let (host, _) = place.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = place.to_socket_addrs().map_err(|e| failed(address, &e.to_string()))?;
        let mut why = "it has no address".to_string();
        let mut stream = None;
        for one in found {
            match TcpStream::connect_timeout(&one, PATIENCE) {
                Ok(open) => {
                    stream = Some(open);
                    break;
                }
                Err(error) => why = error.to_string(),
            }
        }
        let stream = stream.ok_or_else(|| failed(address, &why))?;
        let patient = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        patient.map_err(|e| failed(address, &e.to_string()))?;
        match scheme {
            "tcp" => Ok(Self::Plain(stream)),
            "tls" => {
                let name = rustls::pki_types::ServerName::try_from(host.to_string()).map_err(|_| wrong())?;
                let config = trust().map_err(|why| failed(address, &why))?;
                let session = rustls::ClientConnection::new(Arc::new(config), name)
                    .map_err(|e| failed(address, &e.to_string()))?;
                Ok(Self::Tls(Box::new(rustls::StreamOwned::new(session, stream))))
            }
            _ => Err(wrong()),
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn send(&mut self, message: &str) -> Result<()> {
        let framed = format!("{} {message}", message.len());
        let sent = match self {
            Self::Plain(stream) => stream.write_all(framed.as_bytes()),
            Self::Tls(stream) => stream.write_all(framed.as_bytes()),
        };
        sent.map_err(|e| failed("the log server", &e.to_string()))
    }

    /// Ends the connection, and waits until the server has ended it too: then it has read everything.
    ///
    /// # Errors
    /// The server closed it before, or never.
    pub fn end(self) -> Result<()> {
        let gone = |e: std::io::Error| failed("the log server", &e.to_string());
        let mut stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(mut stream) => {
                stream.conn.send_close_notify();
                stream.flush().map_err(gone)?;
                stream.sock
            }
        };
        stream.flush().map_err(gone)?;
        stream.shutdown(Shutdown::Write).map_err(gone)?;
        let mut rest = [0; 512];
        loop {
            match stream.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // A server that keeps its side open has had everything, as far as anybody can tell.
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    return Ok(());
                }
                Err(error) => return Err(gone(error)),
            }
        }
    }
}

/// The certificate authorities of the system (SSL_CERT_FILE and SSL_CERT_DIR name others).
fn trust() -> std::result::Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("no certificate authority was found".into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn failed(place: &str, why: &str) -> Error {
    Error::new(Kind::Environment, &EXPORT_PLACE, format!("{place} does not take the export: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn messages_have_their_length_before_them() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", server.local_addr().unwrap());
        let read = std::thread::spawn(move || {
            let mut text = String::new();
            server.accept().unwrap().0.read_to_string(&mut text).unwrap();
            text
        });
        let mut shipping = Shipping::open(&address).unwrap();
        shipping.send("<110>1 - - é").unwrap();
        shipping.send("b").unwrap();
        shipping.end().unwrap();
        assert_eq!(read.join().unwrap(), "13 <110>1 - - é1 b");
    }

    #[test]
    fn addresses_are_checked() {
        for wrong in ["", "x", "udp://a:1", "tcp://a", "tcp:1"] {
            assert!(Shipping::open(wrong).is_err(), "{wrong}");
        }
    }
}
