//! Alerts where they are encrypted, where the machine is killed, where the log does not verify: each goes to a server
//! of the test's own, and none says what a script or a record said.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use crate::servers::web::Web;
use crate::support::{consign, demo, repository, text};

/// How long an alert may take to come on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What nobody may be told.
const CANARY: &str = "canary-4111111111111111";

/// A server's side of TLS, made out for `localhost`.
fn tls() -> Arc<rustls::ServerConfig> {
    let folder = repository().join("tests/fixtures/tls");
    let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("protocols").with_no_client_auth().with_single_cert(chain, key).expect("a certificate"))
}

type Secured = rustls::StreamOwned<rustls::ServerConnection, TcpStream>;

fn secured(stream: TcpStream, tls: &Arc<rustls::ServerConfig>) -> Secured {
    rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(tls)).expect("a session"), stream)
}

/// Talks SMTP until the other side quits or asks for TLS; what it was told. The greeting is not part of it.
fn smtp(stream: &mut BufReader<impl Read + Write>, told: &mut String, offers: &str) -> bool {
    let mut inside = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        told.push_str(&line);
        let answer = match line.trim_end() {
            "." if inside => {
                inside = false;
                "250 taken\r\n".to_string()
            }
            _ if inside => continue,
            "DATA" => {
                inside = true;
                "354 go on\r\n".to_string()
            }
            "QUIT" => "221 bye\r\n".to_string(),
            "STARTTLS" => "220 go on\r\n".to_string(),
            hello if hello.starts_with("EHLO") => format!("250-test\r\n{offers}250 8BITMIME\r\n"),
            login if login.starts_with("AUTH") => "235 welcome\r\n".to_string(),
            _ => "250 ok\r\n".to_string(),
        };
        if stream.get_mut().write_all(answer.as_bytes()).and_then(|()| stream.get_mut().flush()).is_err() {
            return false;
        }
        match line.trim_end() {
            "STARTTLS" => return true,
            "QUIT" => return false,
            _ => {}
        }
    }
}

/// A mail server; `implicit`: encrypted from the first byte, else after STARTTLS. What was said in clear, and then.
fn mail(implicit: bool) -> (u16, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, heard): (Sender<(String, String)>, _) = channel();
    std::thread::spawn(move || {
        let tls = tls();
        for stream in listener.incoming().map_while(Result::ok) {
            let (mut clear, mut sealed) = (String::new(), String::new());
            let mut stream = stream;
            if !implicit {
                let mut plain = BufReader::new(stream);
                let _ = plain.get_mut().write_all(b"220 test\r\n");
                let goes_on = smtp(&mut plain, &mut clear, "250-STARTTLS\r\n");
                stream = plain.into_inner();
                if !goes_on {
                    let _ = say.send((clear, sealed));
                    continue;
                }
            }
            let mut secured = BufReader::new(secured(stream, &tls));
            if implicit {
                let _ = secured.get_mut().write_all(b"220 test\r\n");
            }
            smtp(&mut secured, &mut sealed, "250-AUTH PLAIN\r\n");
            let _ = say.send((clear, sealed));
        }
    });
    (port, heard)
}

/// A log server behind TLS; each connection as one text.
fn log() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, heard) = channel();
    std::thread::spawn(move || {
        let tls = tls();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut read = Vec::new();
            // However it ends: what came counts.
            let _ = secured(stream, &tls).read_to_end(&mut read);
            let _ = say.send(text(&read));
        }
    });
    (port, heard)
}

fn project(alerts: &str) -> tempfile::TempDir {
    let folder = demo();
    let mut yaml = std::fs::read_to_string(folder.path().join("connectors.yaml.example")).expect("the example");
    // It ends with its section `audit`.
    yaml.push_str(alerts);
    std::fs::write(folder.path().join("connectors.yaml"), yaml).expect("connectors.yaml");
    folder
}

#[track_caller]
fn run(folder: &Path, words: &[&str], exit: i32, variables: &[(&str, &str)]) -> String {
    let ca = repository().join("tests/fixtures/tls/ca.pem");
    let output = consign(folder)
        .args(words)
        .env("SSL_CERT_FILE", ca)
        .envs(variables.iter().copied())
        .output()
        .expect("the program starts");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
    said
}

#[test]
fn mail_and_log_servers_are_told_behind_tls() {
    let ((implicit, sealed), (starttls, started), (port, logged)) = (mail(true), mail(false), log());
    let folder = project(&format!(
        "  alerts:\n    sealed: {{ email: ops@example.com, from: consign@example.com, server: 'smtps://localhost:{implicit}', \
         user: ops, password: '${{env:MAIL}}' }}\n    started: {{ email: ops@example.com, from: consign@example.com, \
         server: 'smtp://localhost:{starttls}', user: ops, password: '${{env:MAIL}}' }}\n    log: {{ syslog: 'tls://localhost:{port}' }}\n"
    ));
    let variables = [("MAIL", "mail-secret")];
    let words =
        ["audit", "add", CANARY, "--level", "error", "--resource", CANARY, "--detail", "x=canary-4111111111111111"];
    run(folder.path(), &words, 0, &variables);
    let (clear, told) = sealed.recv_timeout(PATIENCE).expect("a mail");
    assert!(clear.is_empty() && told.contains("RCPT TO:<ops@example.com>") && told.contains("audit.note"), "{told}");
    let (clear, again) = started.recv_timeout(PATIENCE).expect("a mail");
    assert!(again.contains("AUTH PLAIN") && again.contains("audit.note"), "{again}");
    // Before the line is encrypted nothing is said but that it shall be.
    assert!(clear.contains("STARTTLS") && !clear.contains("AUTH") && !clear.contains("MAIL FROM"), "{clear}");
    let line = logged.recv_timeout(PATIENCE).expect("a message");
    let (length, message) = line.split_once(' ').expect("its length");
    assert_eq!(length.parse::<usize>().expect("a length"), message.len(), "{line}");
    assert!(message.starts_with("<107>1 ") && message.contains("audit.note"), "{line}");
    for told in [&told, &again, &line] {
        assert!(!told.contains("canary") && !told.contains("mail-secret"), "{told}");
    }
    assert!(run(folder.path(), &["audit", "alerts", "list"], 0, &variables).contains("no alert waits"));

    // A server that is not who it should be hears nothing.
    let other = format!("tls://127.0.0.1:{port}");
    let folder = project(&format!("  alerts:\n    log: {{ syslog: '{other}' }}\n"));
    run(folder.path(), &["audit", "add", "trouble", "--level", "error"], 0, &[]);
    assert!(logged.recv_timeout(PATIENCE).expect("a connection").is_empty());
    assert!(run(folder.path(), &["audit", "alerts", "list"], 0, &[]).contains("log"), "it waits");
}

#[test]
fn a_command_is_told_and_so_is_whoever_watches_the_log() {
    let (hook, hooked) = Web::told(&[200]);
    let hook = hook.url();
    let folder = project(&format!(
        "  alerts:\n    script: {{ exec: tell, on: [failures] }}\n    hook: {{ webhook: '{hook}', on: [integrity] }}\n"
    ));
    let here = folder.path();
    // Commands run only where the user's own configuration, outside of the project, names them.
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".config/consign");
    std::fs::create_dir_all(&config).expect("a folder");
    std::fs::write(here.join("tell.sh"), "#!/bin/sh\ncat > \"$1\"\n").expect("a script");
    let script = format!("commands:\n  tell: [sh, '{0}/tell.sh', '{0}/told.json']\n", here.display());
    std::fs::write(config.join("commands.yaml"), script).expect("a file");
    let variables = [("HOME", home.path().to_str().expect("a name"))];
    run(here, &["audit", "add", CANARY, "--level", "error", "--resource", CANARY], 0, &variables);
    let told = std::fs::read_to_string(here.join("told.json")).expect("it was told");
    let document: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (document["why"].as_str(), document["event"]["action"].as_str()),
        (Some("failures"), Some("audit.note"))
    );
    assert!(!told.contains("canary"), "{told}");
    // Somebody changes an event behind its back.
    let state = rusqlite::Connection::open(here.join(".consign/consign.db")).expect("the state");
    state.execute_batch("DROP TRIGGER audit_events_stay; UPDATE audit_events SET body = CAST(replace(CAST(body AS TEXT), 'ada', 'eve') AS BLOB) WHERE (at & 1099511627775) = 2;").expect("changed");
    drop(state);
    run(here, &["audit", "verify"], 8, &[]);
    let alert = hooked.recv_timeout(PATIENCE).expect("a post").body;
    assert!(alert.contains("integrity") && !alert.contains("canary"), "{alert}");
}

/// What rules over events of the project do: `warn` is on record, `notify` tells whoever is told of rules, by a
/// command and by a webhook, `alert` tells everybody, and `stop` ends the run.
#[test]
fn rules_over_events_tell_by_command_and_webhook() {
    let ((rules, ruled), (failures, failed)) = (Web::told(&[200]), Web::told(&[200]));
    let (rules, failures) = (rules.url(), failures.url());
    let folder = project(&format!(
        "  alerts:\n    script: {{ exec: tell, on: [rules] }}\n    hook: {{ webhook: '{rules}', on: [rules] }}\n    \
         other: {{ webhook: '{failures}', on: [failures] }}\n"
    ));
    let here = folder.path();
    let yaml = std::fs::read_to_string(here.join("connectors.yaml")).expect("the project");
    let rule = |name: &str, resource: &str, action: &str| {
        format!(
            "    - {{ name: {name}, on: event, when: 'event.?resource.orValue(\"\") == \"{resource}\"', action: {action} }}\n"
        )
    };
    let written: String = [("seen", "one", "warn"), ("told", "two", "notify"), ("cried", "three", "alert")]
        .map(|(name, resource, action)| rule(name, resource, action))
        .concat();
    let stop = "    - { name: halted, on: event, when: 'event.action == \"run.started\"', action: stop }\n";
    let with = |more: &str| yaml.replace("compliance:\n", &format!("compliance:\n  rules:\n{written}{more}"));
    std::fs::write(here.join("connectors.yaml"), with("")).expect("written");
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".config/consign");
    std::fs::create_dir_all(&config).expect("a folder");
    std::fs::write(here.join("tell.sh"), "#!/bin/sh\ncat >> \"$1\"\n").expect("a script");
    let script = format!("commands:\n  tell: [sh, '{0}/tell.sh', '{0}/told.json']\n", here.display());
    std::fs::write(config.join("commands.yaml"), script).expect("a file");
    let variables = [("HOME", home.path().to_str().expect("a name"))];
    let note = |resource: &str| run(here, &["audit", "add", "a note", "--resource", resource], 0, &variables);
    let told = || std::fs::read_to_string(here.join("told.json")).unwrap_or_default();
    note("one");
    assert!(run(here, &["audit", "list", "--action", "rule.fired"], 0, &variables).contains("rule.fired"));
    assert!(told().is_empty() && ruled.try_recv().is_err() && failed.try_recv().is_err());
    note("two");
    assert!(ruled.recv_timeout(PATIENCE).expect("a post").body.contains("told") && told().contains("told"));
    assert!(failed.try_recv().is_err());
    note("three");
    for heard in [&ruled, &failed] {
        assert!(heard.recv_timeout(PATIENCE).expect("a post").body.contains("cried"));
    }
    assert!(told().contains("cried"));
    std::fs::write(here.join("connectors.yaml"), with(stop)).expect("written");
    let said = run(here, &["sync", "run", "--all"], 6, &variables);
    assert!(said.contains("halted"), "{said}");
}

#[test]
fn what_waits_outlives_whoever_was_to_send_it() {
    let (hook, hooked) = Web::told(&[200]);
    let hook = hook.url();
    let folder = project(&format!("  alerts:\n    hook: {{ webhook: '{hook}' }}\n"));
    let here = folder.path();
    run(here, &["audit", "add", "before", "--level", "info"], 0, &[]);
    // Killed with the event durable and nobody told.
    let killed = consign(here)
        .args(["audit", "add", "trouble", "--level", "error"])
        .env("CONSIGN_FAILPOINT", "before_alerts")
        .output()
        .expect("the program starts");
    assert!(killed.status.code().is_none(), "{}", text(&killed.stderr));
    assert!(hooked.try_recv().is_err());
    let waiting = run(here, &["-o", "json", "audit", "alerts", "list"], 0, &[]);
    assert!(waiting.contains("\"to\": \"hook\""), "{waiting}");
    // Killed once more after it was told and before that is known: it is told again, with the same id.
    let killed = consign(here)
        .args(["audit", "alerts", "send"])
        .env("CONSIGN_FAILPOINT", "after_alert")
        .output()
        .expect("the program starts");
    assert!(killed.status.code().is_none(), "{}", text(&killed.stderr));
    run(here, &["audit", "alerts", "send"], 0, &[]);
    let told = [hooked.recv_timeout(PATIENCE), hooked.recv_timeout(PATIENCE)];
    let [first, second] = told.map(|post| post.expect("a post").header("x-consign-alert-id").to_owned());
    assert!(!first.is_empty());
    assert_eq!(first, second);
    assert!(run(here, &["audit", "alerts", "list"], 0, &[]).contains("no alert waits"));
}
