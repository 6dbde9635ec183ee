//! The generic `rest` pack against httpbin: every sign-in of its own, right and wrong; compressed answers,
//! redirects here and elsewhere, statuses, an answer that is late.

use crate::servers::python::Serving;
use crate::support::{consign, text};

/// The generic pack, with little patience.
const HASTY: &str = "pack: hasty
version: 1.0.0
engine: 1
extends: rest
about: An API that is not waited for.
transport: { timeouts: { answer: 1s } }
retry: { tries: 2, base: 10ms }
";

/// Runs consign with a connector `it`.
struct Project {
    folder: tempfile::TempDir,
    server: Serving,
}

impl Project {
    fn new() -> Option<Self> {
        let server = Serving::start("play_httpbin.py", "httpbin", &[])?;
        Some(Self { folder: tempfile::tempdir().expect("a folder"), server })
    }

    /// The exit code and what is said of `GET path`, signed in that way.
    fn get(&self, auth: &str, path: &str) -> (i32, String) {
        let connectors = format!(
            "version: 1\nconnectors:\n  it:\n    definition: hasty.yaml\n    \
             with: {{ base: \"http://127.0.0.1:{}\", key_header: X-Tea-Key }}\n    auth: {{ {auth} }}\n",
            self.server.port
        );
        for (name, content) in [("connectors.yaml", connectors.as_str()), ("hasty.yaml", HASTY)] {
            std::fs::write(self.folder.path().join(name), content).expect("written");
        }
        let input = format!("{{\"path\":\"{path}\"}}");
        let words = ["connect", "call", "it", "get", "--input", &input];
        let output = consign(self.folder.path())
            .args(words)
            .env("MADE_UP", "made-up")
            .env("ODD", "p:ä")
            .output()
            .expect("it runs");
        (output.status.code().unwrap_or(-1), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }
}

#[test]
fn each_way_of_signing_in_is_let_in_and_a_wrong_one_is_told_as_such() {
    let Some(project) = Project::new() else { return };
    for (auth, path, expected) in [
        ("way: none", "get", "\"url\""),
        ("way: token, token: \"${env:MADE_UP}\"", "bearer", "\"authenticated\": true"),
        ("way: basic, user: tea, password: \"${env:ODD}\"", "basic-auth/tea/p%3A%C3%A4", "\"authenticated\": true"),
        ("way: key, key: \"${env:MADE_UP}\"", "headers", "\"X-Tea-Key\": \"${env:MADE_UP}\""),
    ] {
        let (code, said) = project.get(auth, path);
        assert!(code == 0 && said.contains(expected), "{auth}: {code} {said}");
    }
    for (auth, path) in [
        ("way: none", "bearer"),
        ("way: basic, user: tea, password: \"${env:MADE_UP}\"", "basic-auth/tea/right"),
        ("way: token, token: \"${env:MADE_UP}\"", "status/401"),
    ] {
        let (code, said) = project.get(auth, path);
        assert!(code == 4 && said.contains("the sign-in is not valid"), "{auth}: {code} {said}");
    }
}

#[test]
fn answers_are_inflated_redirects_followed_and_statuses_told() {
    let Some(project) = Project::new() else { return };
    for (path, expected) in [
        ("gzip", "\"gzipped\": true"),
        ("deflate", "\"deflated\": true"),
        ("redirect/3", "\"url\""),
        ("relative-redirect/2", "\"url\""),
        ("encoding/utf8", "STARGΛ̊TE"),
        ("anything/a%20b?x=%C3%A4&x=2", "\"x\": ["),
    ] {
        let (code, said) = project.get("way: none", path);
        assert!(code == 0 && said.contains(expected), "{path}: {code} {said}");
    }
    for (path, expected_code, expected) in [
        // Nobody asked for that.
        ("brotli", 3, "compressed in a way that was not asked for"),
        ("status/403", 4, "the sign-in may not do this"),
        ("status/404", 1, "the request is refused"),
        ("status/409", 1, "somebody else changed it meanwhile"),
        ("status/503", 3, "the system has a fault of its own"),
        ("redirect-to?url=http%3A%2F%2Flocalhost%3A1%2F", 6, "the pack does not list its host"),
    ] {
        let (code, said) = project.get("way: none", path);
        assert!(code == expected_code && said.contains(expected), "{path}: {code} {said}");
    }
}

#[test]
fn a_late_answer_is_not_awaited_for_ever() {
    let Some(project) = Project::new() else { return };
    let (code, said) = project.get("way: none", "delay/8");
    assert!(code == 3 && said.contains("no answer within 1.0 s"), "{code} {said}");
    let (code, said) = project.get("way: none", "delay/0");
    assert_eq!(code, 0, "{said}");
}
