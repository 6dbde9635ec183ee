//! A week of a shop, told by its own clock: runs that go well, one that fails and is mended, records that are set
//! aside, a mapping that breaks a rule, a waiver in force and one that ended, a key that is rotated, a log that is
//! pruned. Then what each report says of it is held against what happened.
//!
//! The clock is that of `faketime`, which gives a program another time from outside.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{cannot, consign, text};

struct Week {
    folder: tempfile::TempDir,
    library: String,
}

/// Where the library of `faketime` is.
fn library() -> Option<String> {
    let told = Command::new("faketime").args(["-f", "+0", "sh", "-c", "echo $LD_PRELOAD"]).output().ok()?;
    let named = text(&told.stdout).trim().to_string();
    (told.status.success() && !named.is_empty()).then_some(named)
}

const PROJECT: &str = "version: 1
environment: production
compliance:
  standards: [gdpr, sox]
  on_violation: warn
  home: eu
  controller: { name: Example Ltd, contact: privacy@example.com, dpo: dpo@example.com }
  keys: { customers: { purpose: token } }
  waivers:
    - { check: P08, at: partner, owner: dana, reason: the contract is being signed, until: 2027-01-31, ticket: GRC-12 }
    - { check: P42, at: role operator, owner: erik, reason: the review is planned, until: 2026-03-04, ticket: GRC-7 }
  roles: { operator: { members: [ada], can: [sync.run] } }
audit:
  retention: 3d
connectors:
  shop:
    use: file
    with: { path: . }
    region: eu
    owner: sales
    retention: 365d
    streams:
      customers:
        path: customers.csv
        format: csv
        key: id
        fields: { id: { class: pii.id }, email: { class: pii.contact.email }, name: { class: pii.name }, agreed: string }
      orders: { path: orders.csv, format: csv, key: id, fields: { id: string, total: string } }
  partner:
    use: file
    with: { path: out }
    kind: partner
    region: us
    streams: { people: { path: people.ndjson, format: ndjson } }
  house:
    use: file
    with: { path: house }
    kind: internal
    region: eu
    streams: { orders: { path: orders.ndjson, format: ndjson } }
";

const PEOPLE: &str = "version: 1
name: people
from: shop.customers
to: partner.people
compliance:
  subject: id
  purpose: newsletter
  basis: consent
  consent: { field: agreed }
  people: [customers]
  recipients: [Mailer Inc]
  retention: 365d
fields:
  - { target: id, source: id, transform: 'tokenize(value, \"customers\")' }
  - { target: email, source: email, transform: mask_email(value) }
  - { target: name, source: name, required: true }
";

const ORDERS: &str = "version: 1
name: orders
from: shop.orders
to: house.orders
sync: { schedule: { cron: '0 6 * * *' }, on_error: { tolerate: { percent: 10 } } }
compliance: { totals: [total], owner: finance, approver: frank }
fields:
  - { target: id, source: id }
  - { target: total, source: total, type: decimal }
";

impl Week {
    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).expect(name);
    }

    fn add(&self, name: &str, text: &str) {
        let before = std::fs::read_to_string(self.root().join(name)).expect(name);
        self.write(name, &format!("{before}{text}"));
    }

    /// Does something at a moment of March 2026; what it printed.
    #[track_caller]
    fn at(&self, moment: &str, who: &str, words: &[&str], exit: i32) -> String {
        self.at_with(moment, who, words, exit, &[])
    }

    #[track_caller]
    fn at_with(&self, moment: &str, who: &str, words: &[&str], exit: i32, variables: &[(&str, &str)]) -> String {
        let output = consign(self.root())
            .args(words)
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME", format!("@2026-03-{moment}"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
            .env("USER", who)
            .envs(variables.iter().copied())
            .output()
            .expect("consign starts");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{moment} {words:?}\n{said}");
        text(&output.stdout)
    }

    /// A report as JSON, made on the morning after.
    #[track_caller]
    fn report(&self, words: &[&str]) -> Value {
        let printed = self.at("09 08:00:00", "aud", &[&["-o", "json", "report"], words].concat(), 0);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The week; `None`: there is no clock for it here.
    fn lived() -> Option<Self> {
        let Some(library) = library() else {
            cannot("faketime is not installed: `apt-get install faketime`");
            return None;
        };
        let week = Self { folder: tempfile::tempdir().expect("a folder"), library };
        for inner in ["mappings", "out", "house"] {
            std::fs::create_dir(week.root().join(inner)).expect("a folder");
        }
        week.write("connectors.yaml", PROJECT);
        week.write("mappings/people.yaml", PEOPLE);
        week.write("mappings/orders.yaml", ORDERS);
        week.write("customers.csv", "id,email,name,agreed\n");
        week.write("orders.csv", "id,total\n");
        week.at("02 05:00:00", "ada", &["audit", "keys", "create", "customers"], 0);
        let counted: String =
            (1..=300).map(|till| format!("{{\"action\":\"till.counted\",\"resource\":\"till {till}\"}}\n")).collect();
        week.write("counted.ndjson", &counted);
        week.at("02 05:30:00", "till", &["audit", "add", "--ndjson", "counted.ndjson"], 0);
        for day in 2..=8 {
            for one in 1..=5 {
                let agreed = if one == 5 { "no" } else { "yes" };
                week.add("customers.csv", &format!("{day}0{one},p{day}{one}@example.com,Quimby{day}{one},{agreed}\n"));
                week.add("orders.csv", &format!("{day}0{one},{}.50\n", day * 10 + one));
            }
            let moment = |time: &str| format!("0{day} {time}");
            match day {
                // A number that is none: past what is tolerated.
                4 => {
                    week.add("orders.csv", "409,dear\n");
                    week.at(&moment("06:00:00"), "cron", &["sync", "run", "orders", "-q"], 5);
                }
                // The till's file is not there, then it is.
                5 => {
                    std::fs::rename(week.root().join("orders.csv"), week.root().join("gone.csv")).expect("moved");
                    week.at(&moment("06:00:00"), "cron", &["sync", "run", "orders", "-q"], 1);
                    std::fs::rename(week.root().join("gone.csv"), week.root().join("orders.csv")).expect("moved");
                    week.at(&moment("06:05:00"), "ada", &["sync", "run", "orders", "-q"], 0);
                }
                _ => drop(week.at(&moment("06:00:00"), "cron", &["sync", "run", "orders", "-q"], 0)),
            }
            if day == 7 {
                // From here on numbers of customers go out as they are.
                week.write(
                    "mappings/people.yaml",
                    &PEOPLE.replace(", transform: 'tokenize(value, \"customers\")'", ""),
                );
            }
            week.at(&moment("06:10:00"), "cron", &["sync", "run", "people", "-q"], 0);
            if day == 6 {
                week.at(&moment("11:00:00"), "ada", &["audit", "keys", "rotate", "customers"], 0);
            }
            week.at(&moment("23:00:00"), "cron", &["audit", "checkpoint"], 0);
            week.at(&moment("23:10:00"), "cron", &["audit", "check", "-q"], 6);
        }
        let words = ["audit", "prune", "--approver", "frank", "--reason", "the log is too long"];
        week.at_with("08 23:20:00", "ada", &words, 0, &[("AUDIT_COMPLIANCE_ENABLED", "false")]);
        week.at("08 23:30:00", "ada", &["audit", "verify"], 0);
        Some(week)
    }
}

#[track_caller]
fn rows<'v>(section: &'v Value, table: &str) -> &'v [Value] {
    section[table].as_array().unwrap_or_else(|| panic!("no {table} in {section}"))
}

#[track_caller]
fn row<'v>(section: &'v Value, table: &str, is: impl Fn(&Value) -> bool) -> &'v Value {
    rows(section, table).iter().find(|row| is(row)).unwrap_or_else(|| panic!("no such row in {table}: {section:#}"))
}

#[test]
fn the_reports_of_a_week_say_what_happened_in_it() {
    let Some(week) = Week::lived() else { return };
    others(&week);
    compliance(&week);
    evidence(&week);
}

fn compliance(week: &Week) {
    let asked = ["compliance", "--standard", "gdpr,sox", "--from", "2026-03-02", "--to", "2026-03-09"];
    for shape in ["text", "json", "csv", "markdown", "html"] {
        let words = [&["-o", shape, "report"], &asked[..]].concat();
        let first = week.at("09 08:00:00", "aud", &words, 0);
        // Later, and by somebody else.
        assert_eq!(first, week.at("11 19:30:00", "bea", &words, 0), "{shape}");
        assert!(!first.to_lowercase().contains("compliant"), "{shape}");
        for planted in ["Quimby", "@example.com,", "p21@", "dear"] {
            assert!(!first.contains(planted), "{shape}: {planted}");
        }
    }
    let report = week.report(&asked);
    let facts = &report["provenance"];
    assert_eq!((&facts["counts"]["runs"], &facts["log"]["pruned"]), (&json!(15), &json!(256)), "{facts}");
    let sections = &report["sections"];
    // 1 cover.
    let cover = &sections["cover"]["facts"];
    assert_eq!((&cover["controller"], &cover["dpo"]), (&json!("Example Ltd"), &json!("dpo@example.com")));
    assert_eq!(
        (&cover["from"], &cover["to"]),
        (&json!("2026-03-02T00:00:00.000Z"), &json!("2026-03-09T00:00:00.000Z"))
    );
    // 2 scope: what was not looked at is named.
    assert_eq!(sections["scope"]["facts"]["routes"], 2);
    assert!(
        rows(&sections["scope"], "limits").iter().all(|row| row["why_not"].as_str().is_some_and(|why| why.len() > 10))
    );
    row(&sections["scope"], "not_tested", |row| row["controls"] == "404 segregation of duties");
    // 3 summary: its numbers are those of the findings and of what was not tested.
    for standard in rows(&sections["summary"], "standards") {
        let of = |name: &str| standard[name].as_u64().expect("a count");
        let tested = of("fail") + of("warn") + of("pass");
        let share = of("not_tested") as f64 / (tested + of("not_tested")) as f64;
        assert!((standard["share_not_tested"].as_f64().expect("a share") - share).abs() < 0.01, "{standard}");
        assert!(of("fail") > 0, "{standard}");
    }
    // 4 findings: the broken mapping, the transfer, the waiver that ended; failures before warnings.
    let findings = rows(&sections["findings"], "findings");
    let told = |words: &[&str]| findings.iter().any(|one| words.iter().all(|word| one.to_string().contains(word)));
    assert!(told(&["P17", "people.id", "in clear", "bad"]), "{findings:#?}");
    assert!(told(&["P07", "no ground is named", "critical"]), "{findings:#?}");
    assert!(told(&["P42", "role operator", "bad"]), "a waiver that ended covers nothing: {findings:#?}");
    assert!(told(&["P08", "partner", "warn"]), "one in force makes it a warning: {findings:#?}");
    assert!(told(&["P33", "after pruning"]), "{findings:#?}");
    let tones: Vec<&str> = findings.iter().filter_map(|one| one["tone"].as_str()).collect();
    assert!(tones.windows(2).all(|two| two[0] == two[1] || two == ["bad", "warn"]), "{tones:?}");
    assert!(findings.iter().all(|one| one["fix"].is_string()), "{findings:#?}");
    // 5 waivers.
    let waiver = |check: &str| row(&sections["waivers"], "waivers", |row| row["check"] == check);
    assert_eq!(
        (&waiver("P08")["state"], &waiver("P08")["owner"], &waiver("P08")["covers"]),
        (&json!("in force"), &json!("dana"), &json!(1))
    );
    assert_eq!(
        (&waiver("P42")["state"], &waiver("P42")["ticket"], &waiver("P42")["covers"]),
        (&json!("ended"), &json!("GRC-7"), &json!(1))
    );
    // 6 inventory: three fields with classes, and the map.
    assert_eq!(rows(&sections["inventory"], "fields").len(), 3);
    assert!(sections["inventory"].to_string().contains("people: "), "{}", sections["inventory"]);
    // 7 protection: as it stands at the end, and both versions of the key.
    let field = |name: &str| row(&sections["protection"], "fields", |row| row["field"] == name);
    assert_eq!(field("id")["in_clear"], json!(["pii.id"]));
    assert!(
        field("email")["protected_by"].to_string().contains("mask_email") && field("email")["in_clear"] == json!([])
    );
    let keys: Vec<(&Value, &Value)> =
        rows(&sections["protection"], "keys").iter().map(|key| (&key["version"], &key["state"])).collect();
    assert_eq!(keys, [(&json!(1), &json!("retired")), (&json!(2), &json!("active"))]);
    // 8 retention: what is kept, what waits, what was removed.
    assert!(sections["retention"].to_string().contains("audit.pruned"), "{}", sections["retention"]);
    assert_eq!(
        row(&sections["retention"], "routes", |row| row["route"] == "people")["kept_days"],
        365,
        "{}",
        sections["retention"]
    );
    // 9 transfers.
    let partner = row(&sections["transfers"], "systems", |row| row["system"] == "partner");
    assert_eq!((&partner["region"], &partner["agreements"]), (&json!("us"), &json!([])), "{partner}");
    // 10 who did what.
    let access = &sections["access"];
    row(access, "actors", |row| row["who"] == "cron" && row["failed_or_denied"].as_u64() > Some(0));
    for (action, who) in [("key.made", "ada"), ("key.retired", "ada"), ("config.seen", "cron")] {
        row(access, "changes", |row| row["what"] == action && row["who"] == who);
    }
    // 11 whether what came in went out: 36 read, one set aside; five of seven days' last customer did not agree.
    let route = |name: &str| row(&sections["integrity"], "routes", |row| row["route"] == name);
    let counts = |name: &str| {
        ["runs", "not_done", "read", "written", "rejected", "withheld"].map(|of| route(name)[of].as_u64().expect(of))
    };
    assert_eq!(counts("orders"), [8, 2, 36, 35, 1, 0]);
    assert_eq!(counts("people"), [7, 0, 35, 28, 0, 7]);
    assert_eq!((&route("orders")["count_laws"], &route("orders")["sums"]), (&json!("hold"), &json!("agree")));
    // 12 what went wrong: the run that failed, the one that was not whole, each check that did not pass.
    let incidents = &sections["incidents"];
    let failed = row(incidents, "events", |row| row["what"] == "run.finished" && row["outcome"] == "failure");
    assert!(failed["time"].as_str().is_some_and(|time| time.starts_with("2026-03-05T06:00")), "{failed}");
    row(incidents, "events", |row| {
        row["what"] == "run.finished" && row["outcome"] == "partial" && row["of"] == "orders"
    });
    // 13 the log: verified, what was removed and who allowed it.
    let log = &sections["log"];
    assert!(log["facts"]["verification"].as_str().is_some_and(|said| said.starts_with("verified")), "{log}");
    assert_eq!((&log["facts"]["pruned"], &log["facts"]["clock_steps"]), (&json!(256), &json!(0)), "{log}");
    let removed = row(log, "removed", |row| row["what"] == "audit.pruned");
    assert_eq!(
        (&removed["approver"], &removed["who"], &removed["reason"], &removed["last"]),
        (&json!("frank"), &json!("ada"), &json!("the log is too long"), &json!(256))
    );
    assert_eq!(row(log, "actions", |row| row["what"] == "audit.checkpoint")["events"], 7);
    // 14 against the week before, in which there was nothing.
    let runs = row(&sections["trend"], "counts", |row| row["what"] == "runs");
    assert_eq!((&runs["before"], &runs["now"]), (&json!(0), &json!(15)));
    // A: every control stands there, with how it stands.
    let controls: u64 = rows(&sections["summary"], "standards")
        .iter()
        .flat_map(|row| ["fail", "warn", "not_tested", "pass", "not_applicable"].map(|of| row[of].as_u64().expect(of)))
        .sum();
    assert_eq!(rows(&sections["crosswalk"], "controls").len() as u64, controls);
    // B: how it was looked.
    assert!(rows(&sections["methods"], "checks").len() >= 50);
    assert!(rows(&sections["methods"], "detectors").iter().all(|row| row["by_chance"].is_number()));
    // C: the signed list of sections.
    let note = sections["manifest"]["note"].as_str().expect("a note");
    assert!(note.contains(" findings\n") && note.contains("\n\u{2014} consign/"), "{note}");
}

/// The evidence for controls of the week: what stands in it, and that a stranger can verify it though the log's
/// beginning is no more.
fn evidence(week: &Week) {
    let period = ["--standard", "gdpr,sox", "--from", "2026-03-02", "--to", "2026-03-09"];
    let key = week.at("09 08:00:00", "aud", &["audit", "public-key"], 0);
    let key = key.lines().find_map(|line| line.split(' ').find(|word| word.starts_with("consign/"))).expect("a key");
    for (control, status, told) in [
        ("P33", "fail", "after pruning"),
        ("P43", "pass", "every record of 15 runs"),
        ("P08", "warn", "partner"),
        ("sox/404 change management", "fail", "nobody approved"),
    ] {
        let words = [&["report", "evidence", "--control", control, "--zip", "evidence.zip"][..], &period].concat();
        let report = week.at("09 08:00:00", "aud", &[&["-o", "json"], &words[..]].concat(), 0);
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let sections = &report["sections"];
        let standing = rows(&sections["control"], "controls").iter().find(|row| row["status"] == status);
        assert!(standing.is_some(), "{control}: {}", sections["control"]);
        assert!(sections["assessments"].to_string().contains(told), "{control}: {}", sections["assessments"]);
        // Every run and every event that is left of the week, of which only the newest are.
        let facts = &sections["population"]["facts"];
        assert_eq!((&facts["runs"], &facts["events"]), (&json!(15), &json!(142)), "{control}");
        let sample = rows(&sections["population"], "sample");
        assert_eq!(sample.len(), 25, "{control}");
        assert!(sample.iter().any(|row| row["what"] == "run.finished" && row["outcome"] == "failure"), "{sample:?}");
        let waiver = row(&sections["waivers"], "waivers", |row| row["check"] == "P08");
        assert_eq!(waiver["state"], "in force");
        let script = crate::servers::python::script("verify_evidence.py");
        let done = Command::new("python3").arg(script).arg(week.root().join("evidence.zip")).arg(key).output();
        let done = done.expect("python3 starts");
        assert!(done.status.success(), "{control}: {}", text(&done.stderr));
        assert_eq!(text(&done.stdout).trim(), "142 events, 25 of them proved", "{control}");
    }
}

fn others(week: &Week) {
    // Performance of the seven days from midnight to midnight.
    let performance = week.at("09 00:00:00", "aud", &["-o", "json", "report", "performance", "--period", "7d"], 0);
    let performance: Value = serde_json::from_str(&performance).expect("JSON");
    let orders = row(&performance["sections"]["routes"], "routes", |row| row["route"] == "orders");
    assert_eq!((&orders["runs"], &orders["failed"]), (&json!(8), &json!(1)), "{orders}");
    let codes = performance["sections"].to_string();
    assert!(codes.contains("io-not-found") && codes.contains("sync-past-tolerance"), "{codes}");
    // The run that failed, by its id.
    let failed = week.at("09 08:00:00", "aud", &["-o", "json", "sync", "history", "orders"], 0);
    let failed: Value = serde_json::from_str(&failed).expect("JSON");
    let of = failed["runs"].as_array().expect("runs").iter().find(|run| run["state"] == "failed").expect("one failed");
    let id = of["run"].as_str().or(of["id"].as_str()).expect("its id");
    let run = week.report(&["run", id]);
    assert!(
        run["run"]["error"].to_string().contains("io-not-found") || run.to_string().contains("io-not-found"),
        "{run:#}"
    );
    let newest = week.report(&["run"]);
    assert_eq!(newest["sections"]["rulings"]["rulings"][0]["code"], "comply-no-consent", "{newest:#}");
    // Health on the next morning: orders should have run at six.
    let health = week.at("09 08:00:00", "aud", &["-o", "json", "report", "health"], 5);
    let health: Value = serde_json::from_str(&health).expect("JSON");
    let orders = row(&health["sections"]["routes"], "routes", |row| row["route"] == "orders");
    assert_eq!((&orders["health"], &orders["next_run"]), (&json!("degraded"), &json!("overdue")), "{orders}");
    // Nobody's data is in any of them.
    for words in [&["dashboard"][..], &["lineage"], &["inventory"], &["ropa"], &["subject", "201"], &["health"]] {
        for shape in ["html", "text"] {
            let output = week.report_as(shape, words);
            for planted in ["Quimby", "p21@", "dear"] {
                assert!(!output.contains(planted), "{words:?} {shape}: {planted}");
            }
        }
    }
    let subject = week.report(&["subject", "201"]);
    let went = &subject["sections"]["recipients"]["recipients"][0];
    assert_eq!((&went["system"], &went["purpose"]), (&json!("partner"), &json!("newsletter")), "{subject:#}");
    // The mapping that carried it is no more; what it did is told from what was kept.
    let id = row(&subject["sections"]["fields"], "fields", |row| row["field"] == "id");
    assert!(id["protected_by"].to_string().contains("tokenize") && id["holds"] == json!(["pii.id"]), "{id}");
    let withheld = week.report(&["subject", "205"]);
    assert_eq!(withheld["sections"]["withheld"]["withheld"][0]["code"], "comply-no-consent", "{withheld:#}");
}

impl Week {
    fn report_as(&self, shape: &str, words: &[&str]) -> String {
        let output = consign(self.root())
            .args([&["-o", shape, "report"], words].concat())
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME", "@2026-03-09 08:00:00")
            .env("NO_FAKE_STAT", "1")
            .output()
            .expect("consign starts");
        // Health says by its code what it found.
        assert!(matches!(output.status.code(), Some(0 | 5)), "{words:?} {}", text(&output.stderr));
        text(&output.stdout)
    }
}
