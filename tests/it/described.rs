//! Packs against the descriptions that vendors publish: every stream is read, written, every operation
//! called, and the server finds nothing wrong with what was asked.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use crate::servers::odata::Metadata;
use crate::servers::openapi::Described;
use crate::support::consign;

/// A project of one connector with this text behind its name.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(connector: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("connectors.yaml"), format!("version: 1\nconnectors:\n  it:\n{connector}"))
            .expect("written");
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        consign(self.path()).args(arguments).env("MADE_UP_KEY", "made-up").output().expect("it runs")
    }

    /// Runs, and shows what was said if it did not end well.
    fn good(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What was asked for is what is expected, and all of it was as described.
fn found(server: &Described, expected: &[&str]) {
    assert_eq!(server.violations(), Vec::<String>::new());
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(server.operations(), expected);
}

#[test]
fn openai_is_asked_as_it_describes_itself() {
    let server = Described::start(&["openai"]);
    let project = Project::new(&format!(
        "    use: openai\n    with: {{ base: \"{}/v1\" }}\n    auth: {{ api_key: \"${{env:MADE_UP_KEY}}\" }}\n",
        server.address
    ));
    for stream in
        ["models", "files", "batches", "fine_tuning_jobs", "vector_stores", "projects", "users", "audit_logs", "costs"]
    {
        project.good(&["connect", "peek", "it", stream]);
    }
    let calls = [
        ("embed", r#"{"model":"text-embedding-3-small","input":"tea"}"#),
        ("moderate", r#"{"input":"tea"}"#),
        ("chat", r#"{"model":"gpt-4o","messages":[{"role":"user","content":"tea?"}]}"#),
        ("create_batch", r#"{"input_file_id":"file-1","endpoint":"/v1/embeddings"}"#),
        ("batch", r#"{"id":"batch_1"}"#),
        ("cancel_batch", r#"{"id":"batch_1"}"#),
    ];
    for (operation, input) in calls {
        let file = project.path().join("input.json");
        std::fs::write(&file, input).expect("written");
        project.good(&["connect", "call", "it", operation, "--input", "@input.json"]);
    }
    project.good(&["connect", "probe", "it"]);
    found(
        &server,
        &[
            "get /models",
            "get /files",
            "get /batches",
            "get /fine_tuning/jobs",
            "get /vector_stores",
            "get /organization/projects",
            "get /organization/users",
            "get /organization/audit_logs",
            "get /organization/costs",
            "post /embeddings",
            "post /moderations",
            "post /chat/completions",
            "post /batches",
            "get /batches/{batch_id}",
            "post /batches/{batch_id}/cancel",
        ],
    );
}

#[test]
fn datadog_is_asked_as_it_describes_itself() {
    let server = Described::start(&["datadog-v1", "datadog-v2"]);
    let project = Project::new(&format!(
        "    use: datadog\n    with: {{ base: \"{0}\", logs_base: \"{0}\" }}\n    auth: {{ api_key: \"${{env:MADE_UP_KEY}}\", application_key: \"${{env:MADE_UP_KEY}}\" }}\n    clearance: [pii]\n  files:\n    use: file\n    streams:\n      points: {{ path: points.ndjson, format: ndjson, key: [metric], fields: {{ metric: string, timestamp: int, value: decimal }} }}\n      lines: {{ path: lines.ndjson, format: ndjson, key: [message], fields: {{ message: string, service: string }} }}\n",
        server.address
    ));
    for stream in ["logs", "events", "monitors", "hosts", "service_level_objectives", "users", "audit_events"] {
        project.good(&["connect", "peek", "it", stream]);
    }
    std::fs::write(
        project.path().join("input.json"),
        r#"{"check":"shop.ok","host_name":"web-1","status":0,"tags":["env:test"]}"#,
    )
    .expect("written");
    project.good(&["connect", "call", "it", "post_check", "--input", "@input.json"]);
    project.good(&["connect", "probe", "it"]);
    std::fs::write(
        project.path().join("points.ndjson"),
        "{\"metric\":\"a\",\"timestamp\":1700000000,\"value\":1.5}\n{\"metric\":\"a\",\"timestamp\":1700000060,\"value\":2}\n",
    )
    .expect("written");
    std::fs::write(project.path().join("lines.ndjson"), "{\"message\":\"tea is ready\",\"service\":\"shop\"}\n")
        .expect("written");
    std::fs::create_dir(project.path().join("mappings")).expect("a folder");
    for (name, from, to, copy) in [
        ("points", "files.points", "it.series", "[metric, timestamp, value]"),
        ("lines", "files.lines", "it.logs", "[message, service]"),
    ] {
        std::fs::write(
            project.path().join(format!("mappings/{name}.yaml")),
            format!("version: 1\nname: {name}\nfrom: {from}\nto: {to}\ncopy: {{ pick: {copy} }}\n"),
        )
        .expect("written");
    }
    project.good(&["sync", "run", "--all"]);
    found(
        &server,
        &[
            "post /api/v2/logs/events/search",
            "post /api/v2/events/search",
            "get /api/v1/monitor",
            "get /api/v1/hosts",
            "get /api/v1/slo",
            "get /api/v2/users",
            "get /api/v2/audit/events",
            "post /api/v1/check_run",
            "get /api/v1/validate",
            "post /api/v2/series",
            "post /api/v2/logs",
        ],
    );
}

#[test]
fn microsoft_graph_is_asked_as_its_metadata_say() {
    let server = Metadata::start("msgraph");
    let project = Project::new(&format!(
        "    use: microsoft_graph\n    with: {{ base: \"{0}/v1.0\", login: \"{0}\", tenant: contoso.example }}\n    auth: {{ client_id: made-up, client_secret: \"${{env:MADE_UP_KEY}}\" }}\n    clearance: [pii]\n  files:\n    use: file\n    streams:\n      new: {{ path: new.ndjson, format: ndjson }}\n      known: {{ path: known.ndjson, format: ndjson, key: [id] }}\n",
        server.address
    ));
    project.good(&["connect", "probe", "it"]);
    for stream in ["users", "groups", "group_members", "all_groups"] {
        project.good(&["connect", "peek", "it", stream]);
    }
    project.good(&["connect", "call", "it", "organization"]);
    // Every field that users have can be written.
    let user = r#""userPrincipalName":"ann@contoso.example","displayName":"Ann","givenName":"Ann","surname":"Example","mail":"ann@contoso.example","jobTitle":"Engineer","department":"Research","employeeId":"7","officeLocation":"B2","mobilePhone":"1","businessPhones":["2"],"accountEnabled":true,"userType":"Member""#;
    std::fs::write(project.path().join("new.ndjson"), format!("{{{user}}}\n")).expect("written");
    std::fs::write(project.path().join("known.ndjson"), format!("{{\"id\":\"text\",{user}}}\n")).expect("written");
    std::fs::create_dir(project.path().join("mappings")).expect("a folder");
    let names: Vec<&str> =
        user.split(',').filter_map(|pair| pair.split(':').next()).map(|name| name.trim_matches('"')).collect();
    let rules: String = names.iter().map(|name| format!("  - {{ target: {name}, source: {name} }}\n")).collect();
    let id = "  - { target: id, source: id, required: true }\n";
    for (name, from, sync, rules) in [
        ("create", "new", "{ mode: append }", rules.clone()),
        ("update", "known", "{ mode: update, key: [id] }", format!("{id}{rules}")),
        ("delete", "known", "{ mode: delete, key: [id] }", id.to_owned()),
    ] {
        std::fs::write(
            project.path().join(format!("mappings/{name}.yaml")),
            format!("version: 1\nname: {name}\nfrom: files.{from}\nto: it.users\nsync: {sync}\nfields:\n{rules}"),
        )
        .expect("written");
        project.good(&["sync", "run", name]);
    }
    assert_eq!(server.violations(), Vec::<String>::new());
    let expected = [
        "GET /organization",
        "GET /users/delta",
        "GET /groups/delta",
        "GET /groups",
        "GET /groups/{id}/members",
        "POST /users",
        "PATCH /users/{id}",
        "DELETE /users/{id}",
    ];
    assert_eq!(server.asked(), expected.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>());
}
