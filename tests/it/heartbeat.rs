//! Heartbeats over TLS and through proxies, with the issuers and the proxies that the environment names.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::kill::{Project, Target};
use crate::support::repository;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What was asked of a server: each request's head.
struct Server {
    port: u16,
    asked: Receiver<String>,
}

impl Server {
    fn told(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

/// Serves each connection on a thread of its own, for as long as the test runs. What was asked is to be
/// said before it is answered: who has the answer looks at once.
fn serve(each: impl Fn(TcpStream, &Sender<String>) -> Option<()> + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, asked) = channel();
    let each = Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (each, say) = (Arc::clone(&each), say.clone());
            std::thread::spawn(move || each(stream, &say));
        }
    });
    Server { port, asked }
}

/// Everything up to the empty line.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut one = [0];
        stream.read_exact(&mut one).ok()?;
        bytes.push(one[0]);
    }
    String::from_utf8(bytes).ok()
}

/// A server for `localhost` whose certificate an issuer of the tests has signed.
fn over_tls() -> Server {
    let pem = |name: &str| repository().join("tests/fixtures/tls").join(name);
    let chain = vec![CertificateDer::from_pem_file(pem("server.pem")).expect("the certificate")];
    let key = PrivateKeyDer::from_pem_file(pem("server.key")).expect("its key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    let config = Arc::new(config);
    serve(move |stream, say| {
        let session = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
        let mut stream = rustls::StreamOwned::new(session, stream);
        say.send(head(&mut stream)?).ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()?;
        stream.conn.send_close_notify();
        stream.flush().ok()
    })
}

/// A proxy that knows nothing but CONNECT.
fn proxy() -> Server {
    serve(|mut stream, say| {
        let asked = head(&mut stream)?;
        say.send(asked.clone()).ok()?;
        let port = asked.strip_prefix("CONNECT localhost:")?.split(' ').next()?.to_owned();
        let mut server = TcpStream::connect(format!("127.0.0.1:{port}")).ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
        let (mut from, mut to) = (stream.try_clone().ok()?, server.try_clone().ok()?);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        std::io::copy(&mut server, &mut stream).ok().map(drop)
    })
}

#[test]
fn issuers_and_proxies_come_from_the_environment() {
    let project = Project::new(Target::Sqlite);
    let path = project.root().join("connectors.yaml");
    let text = std::fs::read_to_string(&path).expect("connectors.yaml");
    std::fs::write(&path, text + "heartbeat: { url: \"${env:BEAT}\", timeout: 20s }\n").expect("written");
    let server = over_tls();
    let proxy = proxy();
    let issuer = repository().join("tests/fixtures/tls/ca.pem").display().to_string();
    let through = format!("http://127.0.0.1:{}", proxy.port);
    let with_password = format!("http://me:canary-9c1@127.0.0.1:{}", proxy.port);
    let run = |name: &str, variables: &[(&str, &str)]| {
        let mut command = project.command(&["sync", "run", "items"]);
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        command.env("BEAT", format!("https://{name}:{}/ping/canary-7f3a", server.port));
        let output = command.envs(variables.iter().copied()).output().expect("consign starts");
        // Whatever becomes of the heartbeat, the run is what it is.
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(!said(&output).contains("canary"), "{}", said(&output));
        said(&output)
    };
    let trusted = ("SSL_CERT_FILE", issuer.as_str());
    // An issuer that the environment names is trusted; one that nobody names is not, nor another name.
    let told = run("localhost", &[trusted]);
    assert!(!told.contains("heartbeat"), "{told}");
    let asked = server.told();
    assert!(asked.len() == 1 && asked[0].starts_with("GET /ping/canary-7f3a HTTP/1.1\r\n"), "{asked:?}");
    for (name, variables) in [("localhost", &[][..]), ("127.0.0.1", &[trusted])] {
        let told = run(name, variables);
        assert!(told.contains("giving the heartbeat") && told.contains("certificate"), "{told}");
    }
    let told = run("localhost", &[("SSL_CERT_FILE", "/nowhere/ca.pem")]);
    assert!(told.contains("giving the heartbeat") && told.contains("certificate"), "{told}");
    assert!(server.told().is_empty(), "nothing was said to a server that is not trusted");
    // Through the proxy, unless the name is excepted; what is inside stays between the two ends.
    let told = run("localhost", &[trusted, ("HTTPS_PROXY", &through)]);
    assert!(!told.contains("heartbeat"), "{told}");
    assert_eq!(server.told().len(), 1);
    let asked = proxy.told();
    assert!(asked.len() == 1 && asked[0].starts_with(&format!("CONNECT localhost:{} ", server.port)), "{asked:?}");
    assert!(!asked[0].contains("canary"), "{asked:?}");
    run("localhost", &[trusted, ("HTTPS_PROXY", &through), ("NO_PROXY", "localhost")]);
    assert_eq!((server.told().len(), proxy.told().len()), (1, 0));
    // A proxy may want to know who asks.
    run("localhost", &[trusted, ("https_proxy", &with_password)]);
    let asked = proxy.told();
    assert!(asked.len() == 1 && asked[0].to_lowercase().contains("proxy-authorization: basic "), "{asked:?}");
    assert_eq!(server.told().len(), 1);
    // One that is away is a warning, without its password.
    let told = run("localhost", &[trusted, ("HTTPS_PROXY", "http://me:canary-9c1@127.0.0.1:1")]);
    assert!(told.contains("giving the heartbeat"), "{told}");
}
