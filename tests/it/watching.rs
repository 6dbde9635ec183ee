//! Whoever watches: alerts to servers of the tests' own, rules that end and freeze runs, what is asked of the log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::servers::web::Web;
use crate::support::{consign, demo, text};

/// How long an alert may take to come on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server that takes one mail after the other; what it was told.
fn mail() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut told = String::new();
            let mut inside = false;
            let _ = reader.get_mut().write_all(b"220 test\r\n");
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                told.push_str(&line);
                let answer: &[u8] = match line.trim_end() {
                    "." if inside => {
                        inside = false;
                        b"250 taken\r\n"
                    }
                    _ if inside => continue,
                    "DATA" => {
                        inside = true;
                        b"354 go on\r\n"
                    }
                    "QUIT" => b"221 bye\r\n",
                    _ => b"250 ok\r\n",
                };
                let _ = reader.get_mut().write_all(answer);
                if line.starts_with("QUIT") {
                    break;
                }
            }
            let _ = say.send(told);
        }
    });
    (port, heard)
}

/// A project with what stands under `audit:`, and a state.
fn project(audit: &str) -> tempfile::TempDir {
    let folder = demo();
    let example = folder.path().join("connectors.yaml.example");
    let mut yaml = std::fs::read_to_string(&example).expect("connectors.yaml.example");
    let path = folder.path().join("connectors.yaml");
    // It ends with its section `audit`.
    yaml.push_str(audit);
    std::fs::write(&path, yaml).expect("connectors.yaml");
    folder
}

#[track_caller]
fn run(folder: &Path, arguments: &[&str], exit: i32) -> String {
    run_with(folder, arguments, exit, &[])
}

#[track_caller]
fn run_with(folder: &Path, arguments: &[&str], exit: i32, variables: &[(&str, &str)]) -> String {
    let output = consign(folder).args(arguments).envs(variables.iter().copied()).output().expect("the program starts");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}\n{said}");
    text(&output.stdout)
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let text = run(folder, &[arguments, &["-o", "json"]].concat(), 0);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The HMAC that whoever is posted to computes.
fn signature(secret: &str, stamp: &str, body: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{stamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn everybody_is_told_in_their_own_way_and_nobody_gets_what_a_script_wrote() {
    let (hook, hooked) = Web::told(&[503, 200]);
    let (slack, slacked) = Web::told(&[200]);
    let (pager, paged) = Web::told(&[202]);
    let (hook, slack, pager) = (hook.url(), slack.url(), pager.url());
    let (smtp, mailed) = mail();
    let log = UdpSocket::bind("127.0.0.1:0").expect("a port");
    log.set_read_timeout(Some(PATIENCE)).expect("a time");
    let at = log.local_addr().expect("an address");
    let folder = project(&format!(
        "  alerts:\n    hook: {{ webhook: '{hook}', secret: '${{env:HOOK}}' }}\n    chat: {{ slack: '${{env:SLACK}}' }}\n    \
         pager: {{ pagerduty: '${{env:PAGER}}', url: '{pager}' }}\n    mail: {{ email: ops@example.com, from: consign@example.com, \
         server: 'smtp+plain://127.0.0.1:{smtp}' }}\n    log: {{ syslog: 'syslog://{at}' }}\n    quiet: {{ webhook: '{hook}', on: slow }}\n"
    ));
    let variables = [("HOOK", "hook-secret"), ("SLACK", slack.as_str()), ("PAGER", "routing-key")];
    let canary = "canary-4111111111111111";
    let arguments =
        ["audit", "add", canary, "--level", "error", "--resource", canary, "--detail", "x=canary-4111111111111111"];
    run_with(folder.path(), &arguments, 0, &variables);

    // The first answer was 503: the same alert came again, signed, with the same id.
    let (first, second) =
        (hooked.recv_timeout(PATIENCE).expect("a post"), hooked.recv_timeout(PATIENCE).expect("again"));
    assert!(!first.header("x-consign-alert-id").is_empty());
    assert_eq!(first.header("x-consign-alert-id"), second.header("x-consign-alert-id"));
    let signed = signature("hook-secret", second.header("x-consign-timestamp"), &second.body);
    assert_eq!(second.header("x-consign-signature"), format!("sha256={signed}"));
    let alert = second.json();
    assert_eq!((alert["schema"].as_str(), alert["why"].as_str()), (Some("consign.alert/1"), Some("failures")));
    assert_eq!(alert["event"]["action"], "audit.note");

    let chat = slacked.recv_timeout(PATIENCE).expect("Slack");
    assert!(chat.json()["text"].as_str().expect("text").contains("audit.note"));
    let page = paged.recv_timeout(PATIENCE).expect("PagerDuty").json();
    assert_eq!((page["event_action"].as_str(), page["payload"]["severity"].as_str()), (Some("trigger"), Some("error")));
    assert_eq!(page["routing_key"], "routing-key");
    let letter = mailed.recv_timeout(PATIENCE).expect("a mail");
    assert!(letter.contains("RCPT TO:<ops@example.com>") && letter.contains("Subject:"), "{letter}");
    let mut line = [0; 2048];
    let length = log.recv(&mut line).expect("a message");
    let line = text(&line[..length]);
    assert!(line.starts_with("<107>1 "), "{line}");

    for told in [&second.body, &chat.body, &page.to_string(), &letter, &line] {
        assert!(!told.contains("canary"), "{told}");
    }
    // Each of them is an event, none of them an alert of its own.
    let sent = json(folder.path(), &["audit", "list", "--action", "alert.sent"]);
    assert_eq!(sent["events"].as_array().expect("events").len(), 5);
    assert!(run(folder.path(), &["audit", "alerts", "list"], 0).contains("no alert waits"));
    assert!(hooked.try_recv().is_err());
}

#[test]
fn the_system_s_log_is_told_on_the_socket_that_it_listens_on() {
    let place = tempfile::tempdir().expect("a folder");
    let socket = place.path().join("log");
    let log = UnixDatagram::bind(&socket).expect("a socket");
    log.set_read_timeout(Some(PATIENCE)).expect("a time");
    let heard = || {
        let mut line = [0; 2048];
        let length = log.recv(&mut line).expect("a message");
        text(&line[..length])
    };
    let at = format!("unix:{}", socket.display());
    let folder = project(&format!("  checkpoints: ['{at}']\n  alerts:\n    log: {{ syslog: '{at}' }}\n"));
    let canary = "canary-4111111111111111";
    run(folder.path(), &["audit", "add", canary, "--level", "critical", "--resource", canary], 0);
    let line = heard();
    assert!(line.starts_with("<106>consign: ") && line.contains("audit.note") && !line.contains("canary"), "{line}");
    run(folder.path(), &["audit", "checkpoint"], 0);
    let line = heard();
    assert!(line.starts_with("<110>consign: checkpoint consign/"), "{line}");
    // Nobody listens there any more: the alert waits, the checkpoint says so.
    drop(log);
    run(folder.path(), &["audit", "checkpoint"], 3);
    run(folder.path(), &["audit", "add", "trouble", "--level", "error"], 0);
    assert!(json(folder.path(), &["audit", "alerts", "list"])["alerts"].as_array().is_some_and(|all| !all.is_empty()));
}

#[test]
fn what_cannot_be_told_waits_and_says_so() {
    // Nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let folder = project(&format!("  alerts:\n    hook: {{ webhook: 'http://127.0.0.1:{port}' }}\n"));
    run(folder.path(), &["audit", "add", "trouble", "--level", "critical"], 0);
    let waiting = json(folder.path(), &["audit", "alerts", "list"]);
    assert_eq!(waiting["alerts"][0]["tries"], 1, "{waiting}");
    let failed = json(folder.path(), &["audit", "list", "--action", "alert.failed"]);
    assert_eq!(failed["events"][0]["resource"], "alert hook", "{failed}");
    assert!(run(folder.path(), &["audit", "alerts", "send"], 3).contains("1 failed"));
    assert!(run(folder.path(), &["audit", "verify"], 0).contains("nothing was changed"));
}

#[test]
fn rules_fire_freeze_and_are_tried_on_what_was() {
    let folder = project(
        "  rules:\n    - name: counted-twice\n      when: event.action == \"custom.counted\" && event.details.difference > 5\n      \
         group_by: event.route\n      threshold: 2\n      severity: error\n      actions: [freeze]\n      tests:\n        - name: two of a route\n          \
         events: [{ action: custom.counted, route: a, details: { difference: 6 } }, { action: custom.counted, route: a, details: { difference: 9 } }]\n        \
         - name: small ones\n          events: [{ action: custom.counted, details: { difference: 1 } }, { action: custom.counted, details: { difference: 1 } }]\n          fires: false\n",
    );
    let here = folder.path();
    assert!(run(here, &["audit", "rules", "test"], 0).contains("2 tests passed"));
    run(here, &["sync", "run", "suppliers", "-q"], 0);
    let lines = "{\"action\":\"counted\",\"route\":\"suppliers\",\"details\":{\"difference\":6}}\n{\"action\":\"counted\",\"route\":\"suppliers\",\"details\":{\"difference\":7},\"quantity\":3,\"previous_quantity\":10}\n";
    std::fs::write(here.join("counted.ndjson"), lines).expect("a file");
    assert!(run(here, &["audit", "add", "--ndjson", "counted.ndjson"], 0).contains("2 events recorded"));
    let fired = json(here, &["audit", "list", "--action", "rule.fired"]);
    assert_eq!(fired["events"].as_array().expect("events").len(), 1, "{fired}");
    run(here, &["sync", "run", "suppliers"], 6);
    let tried = json(here, &["audit", "rules", "test", "--since", "1d"]);
    assert_eq!(tried["rules"]["counted-twice"], 1, "{tried}");
    let stats = json(here, &["audit", "stats"]);
    assert_eq!(stats["active_rules"], 1);
    assert!(run(here, &["audit", "verify"], 0).contains("nothing was changed"));
}

#[test]
fn a_subject_is_found_by_its_key_until_it_is_erased() {
    let folder = project("  items: true\n");
    let here = folder.path();
    run(here, &["sync", "run", "suppliers", "-q"], 0);
    run(here, &["audit", "add", "asked for a copy", "--subject", "ada@example.com", "--class", "pii.email"], 0);
    let item = json(here, &["audit", "subject", "1"]);
    assert_eq!(
        (item["known"].as_bool(), item["events"][0]["action"].as_str()),
        (Some(true), Some("group.settled")),
        "{item}"
    );
    let ada = json(here, &["audit", "subject", "ada@example.com"]);
    assert_eq!(ada["events"][0]["reason"], "asked for a copy");
    // The key itself is nowhere.
    for file in ["consign.db", "consign.db-wal"] {
        let bytes = std::fs::read(here.join(".consign").join(file)).unwrap_or_default();
        assert!(!bytes.windows(15).any(|window| window == b"ada@example.com"), "{file}");
    }
    assert_eq!(json(here, &["audit", "subject", "nobody@example.com"])["known"], false);
    assert!(run(here, &["audit", "verify"], 0).contains("nothing was changed"));
}

#[test]
fn exports_are_signed_and_a_changed_one_is_found() {
    let folder = demo();
    let here = folder.path();
    run(here, &["sync", "run", "suppliers", "-q"], 0);
    for format in ["ndjson", "csv", "ocsf", "syslog", "cef", "leef", "otlp", "openlineage", "fhir"] {
        let made = json(here, &["audit", "export", "--format", format, "--to", &format!("out.{format}")]);
        assert!(made["events"].as_u64().expect("events") > 0, "{made}");
        assert!(here.join(format!("out.{format}")).metadata().expect("a file").len() > 0, "{format}");
    }
    let key = json(here, &["audit", "public-key"])["key"].as_str().expect("a key").to_string();
    run(here, &["audit", "verify", "--export", "out.ndjson", "--key", &key], 0);
    let path = here.join("out.ndjson");
    let changed = std::fs::read_to_string(&path).expect("text").replacen("run.started", "run.starved", 1);
    std::fs::write(&path, changed).expect("a file");
    run(here, &["audit", "verify", "--export", "out.ndjson", "--key", &key], 8);
    // The same events over a connection, each with its length before it.
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let to = format!("tcp://{}", server.local_addr().expect("an address"));
    let heard = std::thread::spawn(move || {
        let mut text = String::new();
        server.accept().expect("a caller").0.read_to_string(&mut text).expect("text");
        text
    });
    run(here, &["audit", "export", "--format", "syslog", "--to", &to], 0);
    let heard = heard.join().expect("a server");
    let (length, rest) = heard.split_once(' ').expect("a length");
    assert!(rest.starts_with("<110>1 ") && rest.len() > length.parse::<usize>().expect("a length"), "{heard}");
}

#[test]
fn why_names_the_rule_that_stopped_a_record() {
    let folder = demo();
    let here = folder.path();
    let output = consign(here).args(["sync", "run", "--all"]).output().expect("the program starts");
    assert!(output.status.code().is_some());
    let letters = json(here, &["sync", "dlq", "list"]);
    let letter = &letters["letters"][0];
    let id = letter["id"].as_str().unwrap_or_else(|| panic!("{letters}"));
    let why = json(here, &["audit", "why", id]);
    assert_eq!(why["found"][0]["id"], id);
    assert!(why["found"][0]["explain"].is_string() && why["found"][0]["cause"].is_string(), "{why}");
    let place = format!("{}:{}", why["found"][0]["source"].as_str().expect("source"), why["found"][0]["line"]);
    assert_eq!(json(here, &["audit", "why", &place])["found"][0]["id"], id);
    run(here, &["audit", "why", "never-heard-of-it"], 2);
}

#[test]
fn conditions_choose_and_what_comes_is_followed() {
    let folder = demo();
    let here = folder.path();
    run(here, &["sync", "run", "suppliers", "-q"], 0);
    let listed = json(
        here,
        &["audit", "list", "--where", "event.details.written > 10 && event.outcome == \"success\"", "--limit", "50"],
    );
    let actions: Vec<&str> =
        listed["events"].as_array().expect("events").iter().filter_map(|e| e["action"].as_str()).collect();
    assert!(actions.contains(&"run.finished"), "{listed}");
    run(here, &["audit", "list", "--where", "event.action = 1"], 2);
    let mut follower = consign(here)
        .args(["audit", "list", "--follow", "-o", "ndjson", "--limit", "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("output")).lines();
    assert!(lines.next().is_some());
    run(here, &["audit", "add", "while somebody watches"], 0);
    let line = lines.next().expect("a line").expect("text");
    assert!(line.contains("while somebody watches"), "{line}");
    let _ = follower.kill();
    let _ = follower.wait();
}

#[test]
fn a_run_ends_with_a_checkpoint_that_is_carried_to_every_place() {
    let (hook, hooked) = Web::told(&[200, 500]);
    let hook = hook.url();
    let log = UdpSocket::bind("127.0.0.1:0").expect("a port");
    log.set_read_timeout(Some(PATIENCE)).expect("a time");
    let at = log.local_addr().expect("an address");
    let folder = project(&format!(
        "  checkpoint_runs: true\n  segments: 256\n  checkpoints: ['file:kept', 'git:repo', '{hook}/x?token=canary', 'syslog://{at}']\n"
    ));
    let here = folder.path();
    let repo = here.join("repo");
    let git = |words: &[&str]| {
        let done = std::process::Command::new("git").arg("-C").arg(&repo).args(words).env("HOME", here).output();
        let done = done.expect("git starts");
        assert!(done.status.success(), "git {words:?}: {}", text(&done.stderr));
        text(&done.stdout)
    };
    std::fs::create_dir(&repo).expect("a folder");
    git(&["init", "--quiet"]);
    for (name, value) in [("user.name", "ada"), ("user.email", "ada@example.com")] {
        git(&["config", name, value]);
    }
    consign(here).args(["sync", "run", "--all"]).output().expect("the program starts");
    // Every place has the same note, and it verifies.
    let kept = std::fs::read_to_string(here.join("kept")).expect("the file");
    assert_eq!(git(&["show", "HEAD:consign.checkpoints"]), kept);
    assert_eq!(hooked.recv_timeout(PATIENCE).expect("a post").body, kept);
    let mut line = [0; 2048];
    let length = log.recv(&mut line).expect("a message");
    let line = text(&line[..length]);
    let said: Vec<&str> = kept.lines().filter(|line| !line.is_empty()).collect();
    assert!(line.starts_with("<110>1 ") && said.iter().all(|part| line.contains(part)), "{line}");
    run(here, &["audit", "verify", "--checkpoint", "kept"], 0);
    let listed = run(here, &["audit", "list", "--action", "audit.checkpoint", "-o", "json"], 0);
    assert!(!listed.contains("canary"), "{listed}");
    // A place that cannot be reached is told of; the checkpoint is carried to the others.
    run(here, &["audit", "checkpoint"], 3);
    assert_eq!(git(&["rev-list", "--count", "HEAD"]).trim(), "2");
    let nowhere = consign(here).args(["audit", "checkpoint", "--to", "git:nowhere"]).output().expect("it starts");
    assert!(!nowhere.status.success(), "{}", text(&nowhere.stderr));
}
