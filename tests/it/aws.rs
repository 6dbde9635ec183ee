//! The packs of AWS against moto, which checks access keys, Signature Version 4 and policies: streams are
//! read, operations called, messages sent and received by whole syncs, and wrong keys are told as such.

use std::path::Path;

use serde_json::{Value, json};

use crate::servers::moto::Moto;
use crate::support::{consign, text};

/// A project whose connectors are the packs, signed in with one key.
struct Project {
    folder: tempfile::TempDir,
    key: (String, String),
}

impl Project {
    fn new(moto: &Moto, key: &(String, String)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = moto.address();
        let auth = "auth: { access_key_id: \"${env:AWS_KEY}\", secret_access_key: \"${env:AWS_SECRET}\" }";
        let role = auth.replace("auth: {", "auth: { way: role,");
        let connectors = format!(
            r#"version: 1
connectors:
  store: {{ use: aws_s3, with: {{ endpoint: "{at}", bucket: invoices, key_prefix: "2026" }}, {auth} }}
  queue: {{ use: aws_sqs, with: {{ endpoint: "{at}", queue_url: "{at}/123456789012/orders" }}, {auth} }}
  words: {{ use: aws_comprehend, with: {{ endpoint: "{at}" }}, {auth} }}
  models: {{ use: aws, with: {{ endpoint: "{at}", service: sagemaker }}, {auth} }}
  taken: {{ use: aws_sqs, with: {{ endpoint: "{at}", sts_endpoint: "{at}", role_arn: "{role_arn}" }}, {role} }}
  files:
    use: file
    with: {{ path: . }}
    streams: {{ in: {{ path: in.csv, key: id }}, out: {{ path: out.csv }} }}
"#,
            role_arn = moto.role,
        );
        std::fs::write(folder.path().join("connectors.yaml"), connectors).expect("written");
        Self { folder, key: key.clone() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The exit code, and what stands on both outputs.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = consign(self.path());
        command.args(words).env("AWS_KEY", &self.key.0).env("AWS_SECRET", &self.key.1);
        let output = command.output().expect("it runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!said.contains(&self.key.1), "the secret key is never said: {said}");
        (output.status.code().unwrap_or(-1), said)
    }

    fn good(&self, words: &[&str]) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    fn call(&self, connector: &str, operation: &str, input: &Value) -> String {
        self.good(&["connect", "call", connector, operation, "--input", &input.to_string()])
    }
}

#[test]
fn what_is_asked_of_aws_is_signed_as_moto_checks_it() {
    let Some(moto) = Moto::start() else { return };
    let project = Project::new(&moto, &moto.key);
    // There is no operation that makes buckets and queues: that is not what a pipe is for.
    project.make_bucket_and_queue(&moto);

    for connector in ["store", "queue", "words"] {
        project.good(&["connect", "probe", connector]);
    }
    // moto writes the path anew before it signs, and escapes less than S3 does: of what must be escaped only
    // the blank is tried here. The rest is held by the vectors of the algorithm.
    for (key, content) in [("2026/a b.txt", "Grüße"), ("2026/other/x.txt", "two"), ("2025/old.txt", "three")] {
        project.call("store", "put", &json!({ "key": key, "text": content, "type": "text/plain" }));
        assert!(project.call("store", "get", &json!({ "key": key })).contains(content), "{key}");
    }
    let listed = project.good(&["connect", "peek", "store", "objects", "-o", "json"]);
    assert!(listed.contains("2026/a b.txt") && listed.contains("2026/other/x.txt"), "{listed}");
    assert!(!listed.contains("2025/old.txt"), "only what begins with the prefix: {listed}");
    assert!(project.good(&["connect", "peek", "store", "buckets"]).contains("invoices"));
    project.call("store", "delete", &json!({ "key": "2026/other/x.txt" }));
    let listed = project.good(&["connect", "peek", "store", "objects"]);
    assert!(!listed.contains("x.txt"), "{listed}");

    assert!(project.good(&["connect", "peek", "queue", "queues"]).contains("orders"));
    for stream in ["pii_jobs", "sentiment_jobs", "entity_jobs"] {
        project.run(&["connect", "peek", "words", stream]);
    }
    let mood = project.call("words", "sentiment", &json!({ "text": "I like it" }));
    assert!(mood.contains("Sentiment"), "{mood}");
    project.call("words", "pii", &json!({ "text": "call me" }));
    project.call("models", "json", &json!({ "target": "SageMaker.ListModels" }));
    // A role is taken on first, and its keys sign the call.
    assert!(project.good(&["connect", "peek", "taken", "queues"]).contains("orders"));
}

#[test]
fn messages_are_sent_in_batches_received_and_deleted_once_they_are_settled() {
    let Some(moto) = Moto::start() else { return };
    let project = Project::new(&moto, &moto.key);
    project.make_bucket_and_queue(&moto);
    let lines: String = (1..=25).map(|number| format!("{number},order {number}\n")).collect();
    std::fs::write(project.path().join("in.csv"), format!("id,body\n{lines}")).expect("written");
    std::fs::create_dir(project.path().join("mappings")).expect("a folder");
    let mappings = [
        (
            "send",
            "from: files.in\nto: queue.messages\nsync: { mode: append, batch: { records: 10 } }\nfields:\n  \
             - { target: id, source: id, type: string, required: true }\n  - { target: body, source: body, type: string }\n",
        ),
        (
            "fetch",
            "from: queue.received\nto: files.out\nsync: { mode: append }\nfields:\n  \
             - { target: body, source: Body, type: string }\n",
        ),
    ];
    for (name, rest) in mappings {
        let whole = format!("version: 1\nname: {name}\n{rest}");
        std::fs::write(project.path().join(format!("mappings/{name}.yaml")), whole).expect("written");
    }
    project.good(&["sync", "run", "send"]);
    let held = project.call("queue", "attributes", &json!({}));
    assert!(held.contains("\"ApproximateNumberOfMessages\": \"25\""), "{held}");
    project.good(&["sync", "run", "fetch"]);
    let out = std::fs::read_to_string(project.path().join("out.csv")).expect("written");
    let mut got: Vec<&str> = out.lines().skip(1).collect();
    got.sort_unstable();
    got.dedup();
    assert_eq!((got.len(), out.lines().count()), (25, 26), "{out}");
    let held = project.call("queue", "attributes", &json!({}));
    assert!(held.contains("\"ApproximateNumberOfMessages\": \"0\""), "{held}");
    assert!(held.contains("\"ApproximateNumberOfMessagesNotVisible\": \"0\""), "deleted, not hidden: {held}");
}

#[test]
fn wrong_and_powerless_keys_are_told_apart() {
    let Some(moto) = Moto::start() else { return };
    let wrong = (moto.key.0.clone(), "not-the-secret-that-it-is".to_owned());
    let unknown = ("AKIAUNKNOWN".to_owned(), moto.key.1.clone());
    for (key, expected) in [
        (&wrong, "does not accept the signature or the key"),
        (&unknown, "does not accept the signature or the key"),
        (&moto.powerless, "the key may not do this"),
    ] {
        let project = Project::new(&moto, key);
        let (code, said) = project.run(&["connect", "peek", "queue", "queues"]);
        assert!(code == 4 && said.contains(expected), "{code} {said}");
        let (code, said) = project.run(&["connect", "peek", "store", "buckets"]);
        assert!(code == 4 && said.contains("S3 refuses the call"), "{code} {said}");
    }
}

impl Project {
    /// By the generic pack: a service's calls are a `definition` of a few lines.
    fn make_bucket_and_queue(&self, moto: &Moto) {
        let definition = format!(
            r#"version: 1
connectors:
  maker:
    definition: making.yaml
    with: {{ endpoint: "{}", service: s3 }}
    auth: {{ access_key_id: "${{env:AWS_KEY}}", secret_access_key: "${{env:AWS_SECRET}}" }}
  sqs: {{ use: aws, with: {{ endpoint: "{}", service: sqs }}, auth: {{ access_key_id: "${{env:AWS_KEY}}", secret_access_key: "${{env:AWS_SECRET}}" }} }}
"#,
            moto.address(),
            moto.address()
        );
        let pack = "pack: maker\nversion: 1.0.0\nengine: 1\nextends: aws\nabout: Makes buckets.\ncategory: cloud\nauth: { ways: { key: { payload: hashed } } }\n\
                    operations: { bucket: { about: Makes a bucket., method: PUT, path: \"/{{ input.name }}\", input: { name: string } } }\n";
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("connectors.yaml"), definition).expect("written");
        std::fs::write(folder.path().join("making.yaml"), pack).expect("written");
        let making = Project { folder, key: self.key.clone() };
        making.call("maker", "bucket", &json!({ "name": "invoices" }));
        let queue = json!({ "target": "AmazonSQS.CreateQueue", "version": "1.0", "body": { "QueueName": "orders" } });
        making.call("sqs", "json", &queue);
    }
}
