//! Signing in through the whole program, against an authorization server of the test's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::servers::web::{Ask, Reply, Web, good, status};
use crate::support::{consign, text};

/// An API with an authorization server: gives tokens, takes them back, and knows which are good.
fn far() -> Web {
    let (tokens, polls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    Web::start(move |ask: &Ask| -> Reply {
        match ask.path.as_str() {
            "/device" => good(&json!({
                "device_code": "dc-secret", "user_code": "ABCD-1234", "verification_uri": "https://id.example/device",
                "interval": 1, "expires_in": 60,
            })),
            "/token" => {
                let grant = ask.form("grant_type").unwrap_or_default();
                if grant.ends_with("device_code") && polls.fetch_add(1, Ordering::SeqCst) == 0 {
                    return status(400, &json!({ "error": "authorization_pending" }));
                }
                if grant == "authorization_code" && ask.form("code").as_deref() != Some("code-7") {
                    return status(400, &json!({ "error": "invalid_grant" }));
                }
                let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                let mut token =
                    json!({ "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 3600 });
                if grant != "client_credentials" {
                    token["refresh_token"] = json!(format!("refresh-{number}"));
                }
                good(&token)
            }
            "/revoke" => good(&json!({})),
            _ if ask.header("authorization").starts_with("Bearer token-") => good(&json!({ "items": [{ "id": "1" }] })),
            _ => status(401, &json!({ "error": "who are you" })),
        }
    })
}

fn project(far: &Web, grant: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let url = far.url();
    let text = format!(
        "version: 1
connectors:
  far:
    definition:
      pack: far
      about: A far side.
      transport: {{ base: \"{url}\" }}
      auth:
        needs: {{ client: {{ about: The client., secret: false }}, secret: {{ about: Its secret., secret: true }} }}
        ways:
          only:
            kind: oauth2
            grant: {grant}
            authorize_url: {url}/authorize
            device_url: {url}/device
            token_url: {url}/token
            revoke_url: {url}/revoke
            client_id: \"{{{{ secrets.client }}}}\"
            client_secret: \"{{{{ secrets.secret }}}}\"
            client_auth: post
            scope: read
      streams:
        things: {{ key: id, fields: {{ id: string }}, read: {{ path: /things, records: items }} }}
    auth: {{ client: me, secret: \"${{env:FAR_SECRET}}\" }}
"
    );
    std::fs::write(folder.path().join("connectors.yaml"), text).unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = consign(folder).args(arguments).env("FAR_SECRET", "client-secret").output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    for secret in ["client-secret", "token-1", "refresh-1", "dc-secret", "code-7"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    (output.status.code().unwrap_or(-1), said)
}

fn listed(folder: &Path) -> serde_json::Value {
    let (code, said) = run(folder, &["connect", "list", "-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let document: serde_json::Value =
        serde_json::from_str(said.split_once("\n}").map_or(&said, |(d, _)| &said[..d.len() + 2])).unwrap();
    document["connectors"][0].clone()
}

#[test]
fn a_client_signs_in_for_itself_once_and_out_again() {
    let far = far();
    let folder = project(&far, "client_credentials");
    assert_eq!(listed(folder.path())["state"], "ready");
    let (code, said) = run(folder.path(), &["connect", "login", "far"]);
    assert!(code == 0 && said.contains("signed in to far; it holds until"), "{code} {said}");
    // The next process uses what the first one got.
    for _ in 0..2 {
        let (code, said) = run(folder.path(), &["connect", "peek", "far", "things"]);
        assert_eq!(code, 0, "{said}");
    }
    assert_eq!(far.lines().iter().filter(|line| *line == "POST /token").count(), 1);
    let row = listed(folder.path());
    assert!(row["state"].as_str().unwrap().starts_with("signed in until"), "{row}");
    assert!(row["token_expires"].is_string(), "{row}");
    let (code, said) = run(folder.path(), &["connect", "logout", "far"]);
    assert!(code == 0 && said.contains("signed out of far"), "{said}");
    assert_eq!(far.lines().last().map(String::as_str), Some("POST /revoke"));
    let (code, said) = run(folder.path(), &["connect", "logout", "far"]);
    assert!(code == 0 && said.contains("nothing was kept for far"), "{said}");
    assert!(listed(folder.path())["token_expires"].is_null());
}

#[test]
fn a_person_signs_in_with_a_browser() {
    let far = far();
    let folder = project(&far, "authorization_code");
    assert_eq!(listed(folder.path())["state"], "not signed in");
    let mut command = consign(folder.path());
    command.args(["connect", "login", "far", "--wait", "60"]).env("FAR_SECRET", "client-secret");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("open this address and sign in: ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "no address was said");
    }
    let address = url::Url::parse(line.split("sign in: ").nth(1).unwrap().trim()).unwrap();
    let of = |name: &str| address.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    assert_eq!(of("code_challenge_method").as_deref(), Some("S256"));
    // What the browser does once the person has agreed; somebody else's answer comes first.
    let back = url::Url::parse(&of("redirect_uri").unwrap()).unwrap();
    let call = |state: &str| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", back.port().unwrap())).unwrap();
        let request =
            format!("GET {}?code=code-7&state={state} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", back.path());
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // It may be hung up on.
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    call("forged");
    assert!(far.lines().is_empty(), "nothing is made of an answer that was not asked for");
    let page = call(&of("state").unwrap());
    assert!(page.contains("200"), "{page}");
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    let asked = far.asked();
    let token = asked.iter().find(|ask| ask.path == "/token").unwrap();
    assert!(token.form("code_verifier").is_some_and(|verifier| verifier.len() >= 43), "{}", token.body);
    assert!(listed(folder.path())["state"].as_str().unwrap().starts_with("signed in until"));
    let (code, said) = run(folder.path(), &["connect", "peek", "far", "things"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_person_signs_in_on_another_device() {
    let far = far();
    let folder = project(&far, "device_code");
    let (code, said) = run(folder.path(), &["connect", "login", "far"]);
    assert!(code == 0 && said.contains("enter the code ABCD-1234"), "{code} {said}");
    assert_eq!(far.lines().iter().filter(|line| *line == "POST /token").count(), 2, "asked until it was granted");
    let (code, said) = run(folder.path(), &["connect", "peek", "far", "things"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_key_pair_is_made_and_its_public_half_shown() {
    let far = far();
    let folder = project(&far, "client_credentials");
    let (code, said) = run(folder.path(), &["connect", "keys", "far", "--new", "far.pem"]);
    assert!(code == 0 && said.contains("\"kty\": \"EC\"") && !said.contains("\"d\""), "{said}");
    let private = std::fs::read_to_string(folder.path().join("far.pem")).unwrap();
    assert!(private.contains("PRIVATE KEY") && !said.contains(private.lines().nth(1).unwrap()));
    let (code, again) = run(folder.path(), &["connect", "keys", "far", "--from", "far.pem"]);
    assert_eq!(code, 0, "{again}");
    let set = |said: &str| said[said.find('{').unwrap()..said.find("\n}").unwrap()].to_owned();
    assert_eq!(set(&said), set(&again));
    let (code, said) = run(folder.path(), &["connect", "keys", "far", "--new", "far.pem"]);
    assert!(code != 0 && said.contains("far.pem"), "a key is never overwritten: {said}");
}
