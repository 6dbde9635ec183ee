//! Rotation under `kill -9`: processes that are killed at every step, and eight at a time, against a server
//! that forgets the old refresh token as soon as the new tokens are used, and everything if an old one comes
//! back. The child processes are this test program again.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::tests::{given, run};
use super::*;
use crate::config::Environment;
use crate::connect::web::{Answer, Unanswered};

/// What a child is told: port, lifetime of tokens, state folder.
const TOLD: &str = "CONSIGN_TEST_SIGN_IN";

/// What the server knows.
#[derive(Default)]
struct Family {
    /// The number of the latest tokens; the seed is 0.
    latest: u64,
    /// Which refresh token they were given for: it is good until they are used, however often they were lost.
    parent: u64,
    /// Whether they were used.
    used: bool,
    /// An old refresh token came back after its successor was used: a thief, or a client that lost one.
    revoked: Option<String>,
    /// Access tokens up to this number are no longer good, although they have not ended.
    barred: u64,
    refreshes: u64,
    calls: u64,
}

impl Family {
    fn refresh(&mut self, number: u64, life: &str) -> (u16, String) {
        self.refreshes += 1;
        let known = number == self.latest || (number == self.parent && !self.used);
        if !known || self.revoked.is_some() {
            let told =
                format!("{number} came back while {} was {}used", self.latest, if self.used { "" } else { "not " });
            self.revoked.get_or_insert(told);
            return (400, r#"{"error":"invalid_grant"}"#.into());
        }
        // The refresh token is used with this: what it was changed for before is forgotten.
        self.parent = number;
        self.latest += 1;
        self.used = false;
        let now = self.latest;
        (200, format!(r#"{{"access_token":"acc{now}","refresh_token":"ref{now}","expires_in":{life}}}"#))
    }

    fn call(&mut self, number: u64) -> (u16, String) {
        self.calls += 1;
        if number != self.latest || number <= self.barred {
            return (401, "{}".into());
        }
        self.used = true;
        (200, "{}".into())
    }
}

/// Serves until the process ends; the port.
fn serve(family: Arc<Mutex<Family>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let family = Arc::clone(&family);
            std::thread::spawn(move || answer(stream, &family));
        }
    });
    port
}

fn answer(mut stream: TcpStream, family: &Mutex<Family>) {
    let mut text = String::new();
    let mut part = [0; 4096];
    loop {
        let Ok(count @ 1..) = stream.read(&mut part) else { return };
        text.push_str(&String::from_utf8_lossy(&part[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let number = |from: &str| -> Option<u64> {
        let rest = text.split(from).nth(1)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    let (status, body) = match text.split(' ').nth(1).unwrap_or_default().split_once("/token/") {
        Some((_, life)) => match number("refresh_token=ref") {
            Some(number) => family.lock().unwrap().refresh(number, life),
            None => (400, r#"{"error":"invalid_request"}"#.into()),
        },
        None => family.lock().unwrap().call(number("Bearer acc").unwrap_or(u64::MAX)),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
}

/// The network, for a child.
struct Net(reqwest::Client);

impl Wire for Net {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            let lost = |e: reqwest::Error| Unanswered { cause: e.to_string(), sent: true, temporary: true };
            let made = self.0.request(request.method, request.url).headers(request.headers).body(request.body);
            let answer = made.send().await.map_err(lost)?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.bytes().await.map_err(lost)?;
            Ok(Answer { status, headers, body, took: Duration::ZERO })
        })
    }
}

/// What a child does: signs in with what is kept, makes one call, signs in anew once if it is refused.
#[test]
fn child() {
    let Some(told) = Environment::process().get(TOLD).and_then(|told| told.into_string().ok()) else { return };
    let mut words = told.splitn(3, ' ');
    let (port, life, state) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let way = format!(
        "needs: {{ seed: {{}} }}\nways:\n  usual:\n    kind: oauth2\n    grant: refresh_token\n    token_url: http://127.0.0.1:{port}/token/{life}\n    client_auth: none\n    client_id: me\n    refresh_token: '{{{{ secrets.seed }}}}'"
    );
    let given = given(&way, &[("seed", "ref0")], Some(Path::new(state)));
    let wire = Arc::new(Net(crate::connect::http::client(Duration::from_secs(60), false).unwrap()));
    let sign_in = SignIn::open(given, Arc::clone(&wire) as Arc<dyn Wire>, system_clock()).unwrap().unwrap();
    run(async {
        for tried in 0..12 {
            let mut draft = Draft { url: Some(format!("http://127.0.0.1:{port}/api")), ..Draft::default() };
            let number = sign_in.prepare(&mut draft).await.unwrap();
            let answer = wire.send(draft.finish().unwrap()).await.unwrap();
            if answer.status == 200 {
                return;
            }
            // Another process got new tokens in between: with lifetimes of nothing that goes on for a while.
            assert!(tried < 11 && sign_in.renew(number).await.unwrap(), "refused for good");
        }
    });
}

fn spawn(port: u16, life: u32, state: &Path, failpoint: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "connect::auth::kill_tests::child", "--test-threads=1"]);
    command.env(TOLD, format!("{port} {life} {}", state.display())).env_remove("CONSIGN_FAILPOINT");
    if let Some(failpoint) = failpoint {
        command.env("CONSIGN_FAILPOINT", failpoint);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn ended(child: &mut Child) -> bool {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        assert!(since.elapsed() < Duration::from_secs(300), "a child does not end");
        pause();
    }
}

#[test]
fn no_refresh_token_is_lost_wherever_a_process_is_killed() {
    let temp = tempfile::tempdir().unwrap();
    let family = Arc::default();
    let port = serve(Arc::clone(&family));
    for point in ["sign-in-locked", "sign-in-obtained", "tokens-before", "tokens-after", "sign-in-kept"] {
        assert!(!ended(&mut spawn(port, 0, temp.path(), Some(point))), "{point} was not reached");
        assert!(ended(&mut spawn(port, 0, temp.path(), None)), "after {point}: {:?}", family.lock().unwrap().revoked);
    }
    let family = family.lock().unwrap();
    assert_eq!(family.revoked, None);
    // Twice for those that were killed after they had an answer, once for the first one.
    assert_eq!(family.refreshes, 9);
}

#[test]
fn eight_processes_refresh_once_and_never_lose_a_token() {
    let temp = tempfile::tempdir().unwrap();
    let family: Arc<Mutex<Family>> = Arc::default();
    let port = serve(Arc::clone(&family));
    let mut all: Vec<Child> = (0..8).map(|_| spawn(port, 3600, temp.path(), None)).collect();
    assert!(all.iter_mut().all(ended), "{:?}", family.lock().unwrap().revoked);
    {
        let family = family.lock().unwrap();
        assert_eq!((family.refreshes, family.calls), (1, 8), "one of them asks, all use what it got");
    }
    // Tokens that are refused on their first use, and some processes killed at any step: who is left gets through.
    let rounds = if std::env::var_os("CONSIGN_SOAK").is_some() { 40 } else { 3 };
    for round in 0..rounds {
        {
            let mut family = family.lock().unwrap();
            family.barred = family.latest;
        }
        let killed = |at: u64| format!("any:{}", 1 + (at + round) % 5);
        let mut all: Vec<Child> =
            (0..8).map(|at| spawn(port, 3600, temp.path(), (at % 2 == 0).then(|| killed(at)).as_deref())).collect();
        for (at, child) in all.iter_mut().enumerate() {
            let good = ended(child);
            assert!(good || at % 2 == 0, "round {round}: {:?}", family.lock().unwrap().revoked);
        }
        assert_eq!(family.lock().unwrap().revoked, None, "round {round}");
    }
    assert!(ended(&mut spawn(port, 3600, temp.path(), None)));
}

/// Lets others go on for a moment.
#[expect(clippy::disallowed_methods, reason = "what is waited for is another process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
