//! AWS as moto plays it: one server for all services, which checks access keys, signatures and policies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{free_port, python};

/// A running server. Dropping it ends it.
pub struct Moto {
    child: Child,
    pub port: u16,
    /// A key that may do everything.
    pub key: (String, String),
    /// A key that may do nothing.
    pub powerless: (String, String),
    /// A role that the first key may take on.
    pub role: String,
}

impl Moto {
    /// Starts one; `None` (and a word about it) where moto is not installed.
    pub fn start() -> Option<Self> {
        let python = python::with("moto.server")?;
        let port = free_port();
        let child = Command::new(python)
            .args([&python::script("play_aws.py"), "-H", "127.0.0.1", "-p", &port.to_string()])
            // Until a number is said, nobody has to sign: the first keys are made without one.
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "1000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let nobody = (String::new(), String::new());
        let mut moto = Self { child, port, key: nobody.clone(), powerless: nobody, role: String::new() };
        let began = Instant::now();
        while moto.post("/moto-api/reset-auth", "", "1000").is_none() {
            assert!(began.elapsed() < Duration::from_secs(120), "moto does not answer");
            std::thread::park_timeout(Duration::from_millis(100));
        }
        moto.people();
        moto.post("/moto-api/reset-auth", "", "0").expect("moto answers");
        Some(moto)
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes two users, one of them with every right, and a role for that one.
    fn people(&mut self) {
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        for user in ["able", "powerless"] {
            self.iam(&[("Action", "CreateUser"), ("UserName", user)]);
        }
        self.iam(&[("Action", "PutUserPolicy"), ("UserName", "able"), ("PolicyName", "all"), ("PolicyDocument", all)]);
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/able"},"Action":"sts:AssumeRole"}]}"#;
        let said = self.iam(&[("Action", "CreateRole"), ("RoleName", "reader"), ("AssumeRolePolicyDocument", trust)]);
        self.role = between(&said, "Arn");
        self.iam(&[
            ("Action", "PutRolePolicy"),
            ("RoleName", "reader"),
            ("PolicyName", "all"),
            ("PolicyDocument", all),
        ]);
        self.key = self.key_of("able");
        self.powerless = self.key_of("powerless");
    }

    fn key_of(&self, user: &str) -> (String, String) {
        let said = self.iam(&[("Action", "CreateAccessKey"), ("UserName", user)]);
        (between(&said, "AccessKeyId"), between(&said, "SecretAccessKey"))
    }

    fn iam(&self, fields: &[(&str, &str)]) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::from("Version=2010-05-08"));
        form.extend_pairs(fields);
        // moto tells services apart by the scope of the credential, whoever signed.
        let scope = "authorization: AWS4-HMAC-SHA256 Credential=nobody/20260101/us-east-1/iam/aws4_request, \
                     SignedHeaders=host, Signature=none\r\ncontent-type: application/x-www-form-urlencoded\r\n";
        let answer = self.post("/", scope, &form.finish()).expect("moto answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn between(text: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let from = text.find(&open).expect(element) + open.len();
    text[from..].split(&close).next().expect(element).to_owned()
}
