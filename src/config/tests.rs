//! Whole files in, findings as text out: the tests of everything between YAML and the resolved
//! types, with plug-ins that exist nowhere else.

use std::path::PathBuf;

use super::*;
use crate::error::{Finding, Place};
use crate::record::{Path, Type};

static SHOP: ProtocolSpec = ProtocolSpec {
    name: "shopify",
    about: "A shop.",
    carries: Carries::Rows,
    reads: true,
    modes: &[],
    options: &[
        OptionSpec::new("shop", OptionKind::Text, "The shop.").required(),
        OptionSpec::new("api_version", OptionKind::Text, "The version."),
        OptionSpec::new("api_key", OptionKind::Text, "The key.").secret(),
        OptionSpec::new("pages", OptionKind::Int { min: 1, max: 9 }, "Pages.").default("3"),
    ],
    stream_options: &[OptionSpec::new("resource", OptionKind::Text, "The resource.")],
    undeclared_stream: Some("resource"),
    example: "use: shopify\nwith: { shop: acme }",
    auth: &[],
    streams: &[],
    plugin: None,
};

static SQLITE: ProtocolSpec = ProtocolSpec {
    name: "sqlite",
    about: "A database.",
    carries: Carries::Rows,
    reads: false,
    modes: &[Mode::Append, Mode::Upsert],
    options: &[OptionSpec::new("path", OptionKind::FilePath, "The file.").required()],
    stream_options: &[
        OptionSpec::new("table", OptionKind::Text, "The table."),
        OptionSpec::new("create", OptionKind::Bool, "Whether it is made.").default("true"),
    ],
    undeclared_stream: Some("table"),
    example: "use: sqlite\nwith: { path: a.db }",
    auth: &[],
    streams: &[],
    plugin: None,
};

static FILES: ProtocolSpec = ProtocolSpec {
    name: "file",
    about: "Files.",
    carries: Carries::Bytes,
    reads: true,
    modes: &[Mode::Append, Mode::Upsert],
    options: &[OptionSpec::new("root", OptionKind::FilePath, "The folder.").default(".")],
    stream_options: &[
        OptionSpec::new("path", OptionKind::FilePath, "The file.").required(),
        OptionSpec::new("compression", OptionKind::Choice(&["auto", "gzip", "none"]), "How it is packed.")
            .default("auto"),
    ],
    undeclared_stream: None,
    example: "use: file",
    auth: &[],
    streams: &[],
    plugin: None,
};

static CSV: FormatSpec = FormatSpec {
    name: "csv",
    about: "Tables.",
    options: &[
        OptionSpec::new("delimiter", OptionKind::Character, "Between fields.").default("\",\""),
        OptionSpec::new("skip", OptionKind::List(&OptionKind::RecordPath), "Not read."),
    ],
    extensions: &["csv"],
    flat: true,
    text_fields: true,
    example: "{ type: csv }",
};

pub(super) const CATALOG: Catalog = Catalog { protocols: &[&SHOP, &SQLITE, &FILES], formats: &[&CSV], shelf: None };

/// `connectors.yaml` of the design.
const DESIGN_PROJECT: &str = r#"version: 1
environment: production
defaults:
  retry: { tries: 5 }
connectors:
  shop:
    use: shopify
    with: { shop: acme, api_version: "2025-07" }
    auth:
      access_token: ${env:SHOPIFY_TOKEN}
    tenant: acme                 # isolation: a run of another tenant cannot touch it
    region: eu                   # residency rules look here
    standards: [gdpr, pci_dss]   # on top of the project's
    agreements: [dpa]            # baa, dpa, pci_service_provider, scc: what compliance rules ask for
  warehouse:
    use: sqlite
    with: { path: warehouse.db }
    clearance: [pii.contact]     # the data classes this system may receive in clear
profiles:
  staging:
    environment: staging
    connectors:
      warehouse:
        with: { path: staging.db }
compliance:
  standards: [gdpr]
  on_violation: block
audit:
  retention: 400d
"#;

/// A mapping of the design.
const DESIGN_MAPPING: &str = r#"version: 1
name: inventory-to-warehouse
from: shop.inventory_items
to: warehouse.stock
sync:
  mode: upsert
  key: [product_id]
  schedule: { cron: "*/15 * * * *", timezone: Europe/Berlin, missed: once }
  batch: { records: 500 }
  on_error: { to: dead_letters, tolerate: { percent: 0.5 } }
when: record.status == "active"
fields:
  - target: product_id
    source: sku
    transform: '"PROD_" + value'
    required: true
  - target: cost
    source: price
    transform: round(value * 1.2, 2)
    validate:
      - value >= 0
  - target: product_type
    source: category
    default: General
  - target: contact
    source: supplier.email
    class: pii.email
    transform: mask_email(value)
tests:
  - name: marks up the price exactly
    given: { sku: TEST001, price: 29.99, status: active, supplier: { email: a@b.example } }
    expect: { product_id: PROD_TEST001, cost: 35.99, product_type: General, contact: a***@b.example }
"#;

fn file(name: &str, text: &str) -> FileText {
    FileText { name: name.into(), bytes: text.as_bytes().to_vec() }
}

fn loaded(project: &str, mappings: &[&str], profile: Option<&str>) -> Loaded {
    let mappings = mappings.iter().enumerate().map(|(i, text)| file(&format!("m{i}.yaml"), text)).collect();
    load_texts(PathBuf::from("/p"), Some(file("c.yaml", project)), mappings, profile, &CATALOG)
}

fn line(finding: &Finding) -> String {
    let Place { file, line, column, width, .. } = finding.place.clone().unwrap();
    let fix = finding.fix.as_deref().map_or(String::new(), |fix| format!(" | {fix}"));
    format!("{file}:{line}:{column}+{width} {}: {}{fix}", finding.code.id.trim_start_matches("config-"), finding.cause)
}

fn report(loaded: &Loaded) -> String {
    loaded.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The findings of a project alone; `$` stands for a valid beginning.
#[track_caller]
fn check_project(yaml: &str, expected: &[&str]) {
    let text = yaml.replace("$\n", "version: 1\nconnectors:\n");
    assert_eq!(report(&loaded(&text, &[], None)), expected.join("\n"), "\n{text}");
}

/// The findings of a mapping in the design's project; `$` stands for valid first lines, the four
/// lines `version`, `name`, `from`, `to`, and `$$` for them with a rule as well.
#[track_caller]
fn check_mapping(yaml: &str, expected: &[&str]) {
    let head = "version: 1\nname: a\nfrom: shop.items\nto: warehouse.stock\n";
    let text = yaml.replace("$$\n", &format!("{head}fields: [{{ target: a, source: a }}]\n")).replace("$\n", head);
    assert_eq!(report(&loaded(DESIGN_PROJECT, &[&text], None)), expected.join("\n"), "\n{text}");
}

#[test]
fn the_examples_of_the_design_load() {
    let loaded = loaded(DESIGN_PROJECT, &[DESIGN_MAPPING], None);
    assert_eq!(report(&loaded), "");
    let (project, mappings) = loaded.sound().unwrap();
    let (shop, warehouse) = (&project.connectors["shop"], &project.connectors["warehouse"]);
    assert_eq!((shop.retry_tries, shop.region.as_deref(), project.audit.retention_days), (5, Some("eu"), Some(400)));
    assert_eq!(shop.standards, ["gdpr", "pci_dss"]);
    assert_eq!(warehouse.clearance.unwrap().to_string(), "pii.contact");
    assert!(matches!(&shop.auth[0].1.value, Node::Text(text) if text.to_string() == "${env:SHOPIFY_TOKEN}"));
    let pages = shop.with.iter().find(|(key, _)| key.value == "pages").unwrap();
    assert_eq!(pages.1.value, Node::Number("3".into()));
    let mapping = &mappings[0];
    assert_eq!(
        (mapping.sync.mode, mapping.sync.batch_records, mapping.sync.on_error.tolerate_ppm),
        (Mode::Upsert, Some(500), 5000)
    );
    assert_eq!(mapping.sync.key[0].value, Path::key("product_id"));
    assert_eq!(mapping.sync.schedule.as_ref().unwrap().timezone, "Europe/Berlin");
    let transform = mapping.fields[0].transform().unwrap();
    assert_eq!((transform.text.as_str(), transform.place.line, transform.place.column), (r#""PROD_" + value"#, 15, 17));
    assert_eq!(mapping.fields[3].classes.to_string(), "pii.contact.email");
    let Expectation::Record(record) = &mapping.tests[0].expect else { panic!("a record") };
    let Node::Map(entries) = &record.value else { panic!("a map") };
    assert_eq!(entries[1].1.value, Node::Number("35.99".into()));
    assert!(mapping.whole);
}

#[test]
fn a_profile_is_merged_key_by_key() {
    let path = |profile| {
        let loaded = loaded(DESIGN_PROJECT, &[DESIGN_MAPPING], profile);
        assert_eq!(report(&loaded), "");
        let project = loaded.project.unwrap();
        (project.environment.clone(), canonical::node(&project.connectors["warehouse"].with[0].1.value).to_string())
    };
    assert_eq!(path(None), ("production".into(), r#""warehouse.db""#.into()));
    assert_eq!(path(Some("staging")), ("staging".into(), r#""staging.db""#.into()));
    let found = loaded(DESIGN_PROJECT, &[], Some("stagin"));
    assert_eq!(report(&found), "c.yaml:19:1+8 unknown-profile: there is no profile `stagin` | did you mean `staging`?");
    let nested = "version: 1\nconnectors: {}\nprofiles:\n  x: { profiles: {} }\n";
    assert_eq!(
        report(&loaded(nested, &[], None)),
        "c.yaml:4:8+8 unknown-key: a profile cannot hold `profiles` | move it to the top of the file"
    );
    // What is missing can come from the profile, and is asked for once.
    let half = "version: 1\nconnectors:\n  a:\n    use: sqlite\nprofiles:\n  x:\n    connectors:\n      a: { with: { path: b.db } }\n      c: {}\n";
    assert_eq!(
        report(&loaded(half, &[], None)),
        "c.yaml:3:3+1 missing-key: `sqlite` needs `path` | add `path`: The file"
    );
    assert_eq!(
        report(&loaded(half, &[], Some("x"))),
        "c.yaml:9:7+1 missing-key: a connector needs `use`, or a `definition` of its own | add `use`: what kind of system it is"
    );
}

#[test]
fn faults_of_a_project() {
    check_project("[]", &["c.yaml:1:1+2 wrong-type: connectors.yaml is a map, this is a list"]);
    check_project(
        "connectors: {}\n",
        &["c.yaml:1:1+1 version: the file does not say its version | begin it with `version: 1`"],
    );
    check_project(
        "version: 2\nconnectors: {}\n",
        &[
            "c.yaml:1:10+1 version: version 2 is not supported: this consign reads version 1 | use a later consign, or write the file in version 1",
        ],
    );
    check_project(
        "version: 1\nconectors: {}\n",
        &[
            "c.yaml:1:1+1 missing-key: connectors.yaml needs `connectors` | add `connectors`: every system, by a name of yours",
            "c.yaml:2:1+9 unknown-key: connectors.yaml has no key `conectors` | did you mean `connectors`?",
        ],
    );
    check_project(
        "$\n  a:\n    use: sqlit\n",
        &["c.yaml:4:10+5 unknown-connector-kind: there is no kind of connector `sqlit` | did you mean `sqlite`?"],
    );
    check_project(
        "$\n  a: { use: sqlite, with: { pth: x } }\n",
        &[
            "c.yaml:3:21+4 missing-key: `sqlite` needs `path` | add `path`: The file",
            "c.yaml:3:29+3 unknown-key: `sqlite` has no option `pth` | did you mean `path`?",
        ],
    );
    check_project(
        "$\n  a:\n    use: shopify\n    with: { shop: 5, pages: 10 }\n    clearance: pii.emial\n    agreements: [dta]\n",
        &[
            "c.yaml:5:19+1 wrong-type: `shop` is text, this is a number | quote it: \"5\"",
            "c.yaml:5:29+2 bad-value: `pages` is a whole number from 1 to 9, this is 10",
            "c.yaml:6:16+9 unknown-class: there is no data class `pii.emial` | did you mean `pii.email`?",
            "c.yaml:7:18+3 bad-value: `agreements` cannot be `dta` | did you mean `dpa`?",
        ],
    );
    check_project(
        "$\n  a: { use: sqlite, with: { path: \"${env:A\" } }\n  b: { use: sqlite, with: { path: \"${vault:a}\" } }\n",
        &[
            "c.yaml:3:36+7 bad-reference: `${` is not closed by `}` | close it, or write `$${` for a literal `${`",
            "c.yaml:4:36+10 bad-reference: `vault` is no kind of reference: there are env, file and cmd | write `$${` for a literal `${`",
        ],
    );
    check_project(
        "$\n  a b: { use: sqlite, with: { path: a } }\n  c: { use: sqlite, definition: {}, with: { path: a } }\naudit: { retention: 400 }\ncompliance: { on_violation: blok }\n",
        &[
            "c.yaml:3:3+3 bad-value: `a b` is no name: names begin with a letter or digit and hold letters, digits, `_` and `-`, at most 100",
            "c.yaml:4:21+10 duplicate-key: `definition` says what kind of system it is, and so does `use` | keep one of them",
            "c.yaml:5:21+3 wrong-type: `retention` is a number of days such as `400d`, this is a number",
            "c.yaml:6:29+4 bad-value: `on_violation` cannot be `blok` | did you mean `block`?",
        ],
    );
}

#[test]
fn streams_and_their_formats() {
    let project = r#"version: 1
connectors:
  files:
    use: file
    streams:
      orders:
        path: in/orders.CSV.gz
        key: [id, line]
        fields:
          id: int
          mail: { type: string, class: [pii.email, pan], required: true, nullable: false }
      other:
        path: x.dat
        format: { type: csv, delimiter: ";" }
        fields: { id: "list<decimal>" }
        open: true
"#;
    let loaded_project = loaded(project, &[], None);
    assert_eq!(report(&loaded_project), "");
    let project = loaded_project.project.unwrap();
    let orders = &project.connectors["files"].streams["orders"];
    assert_eq!(orders.format.as_ref().unwrap().value, "csv");
    assert_eq!(orders.format_options[0].1.value, Node::Text(Text::literal(",")));
    assert_eq!(orders.options.iter().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>(), ["path", "compression"]);
    assert_eq!((orders.key.len(), orders.closed, orders.fields[0].kind.clone()), (2, true, Type::Int));
    assert_eq!(orders.fields[1].classes.to_string(), "pii.contact.email, pci.pan");
    assert!(orders.fields[1].required && !orders.fields[1].nullable);
    let other = &project.connectors["files"].streams["other"];
    assert_eq!((other.closed, other.fields[0].kind.to_string()), (false, "list<decimal>".into()));
    assert_eq!(other.format_options[0].1.value, Node::Text(Text::literal(";")));

    check_project(
        "$\n  f:\n    use: file\n    streams:\n      a: { path: x.dat }\n      b: { path: x, format: cvs }\n      c: { pth: x.csv, format: csv }\n      d: { path: x.csv, format: { type: csv, delimter: x } }\n      e: { path: x.csv, format: { type: csv, delimiter: ab } }\n      f: { path: x.csv, compression: zip, fields: { a: strng, b: { tpye: int } }, kye: [a] }\n",
        &[
            "c.yaml:6:7+1 unknown-format: the stream does not say its format, and no file ending tells it | add `format`: one of csv",
            "c.yaml:7:29+3 unknown-format: there is no format `cvs` | did you mean `csv`?",
            "c.yaml:8:7+1 missing-key: a stream of `file` needs `path` | add `path`: The file",
            "c.yaml:8:12+3 unknown-key: a stream of `file` has no option `pth` | did you mean `path`?",
            "c.yaml:9:46+8 unknown-key: `csv` has no option `delimter` | did you mean `delimiter`?",
            "c.yaml:10:57+2 bad-value: `delimiter` is one character, or the word `tab` or `none`",
            "c.yaml:11:38+3 bad-value: `compression` cannot be `zip` | did you mean `gzip`?",
            "c.yaml:11:56+5 bad-value: there is no type `strng` | did you mean `string`?",
            "c.yaml:11:68+4 unknown-key: a field has no key `tpye` | did you mean `type`?",
            "c.yaml:11:83+3 unknown-key: a stream of `file` has no option `kye` | did you mean `key`?",
        ],
    );
    check_project(
        "$\n  w:\n    use: sqlite\n    with: { path: a.db }\n    streams: { t: { format: csv, create: yes } }\n",
        &[
            "c.yaml:6:21+6 unknown-key: `sqlite` carries rows, which have no format | remove `format`",
            "c.yaml:6:42+3 wrong-type: `create` is true or false, this is text",
        ],
    );
}

#[test]
fn a_literal_secret_is_never_shown() {
    for yaml in [
        "  a: { use: shopify, with: { shop: x, api_key: canary } }\n",
        "  a: { use: shopify, with: { shop: x, api_key: 8345 }, typo: 1 }\n",
        "  a:\n    use: shopify\n    with: { shop: x }\n    auth: { client_secret: canary }\n",
        "  a:\n    use: shopify\n    with: { shop: x }\n    auth:\n      private_key: |\n        canary\n        8345\n",
        "  a:\n    use: shopify\n    with: { shop: x }\n    auth: { steps: { password: canary } }\n",
        "  a:\n    use: shopify\n    with: { shop: \"https://me:canary@host/\" }\n",
    ] {
        let loaded = loaded(&format!("version: 1\nconnectors:\n{yaml}"), &[], None);
        assert_eq!(loaded.findings.iter().filter(|f| f.code.id == "config-literal-secret").count(), 1, "{yaml}");
        let all = format!("{:?}", loaded.findings);
        assert!(!all.contains("canary") && !all.contains("8345"), "{all}");
        let canonical = loaded.project.unwrap().canonical;
        assert!(!canonical.contains("canary") && !canonical.contains("8345"), "{canonical}");
    }
    // Not even where the file cannot be read at all.
    let loaded = loaded("version: 1\nconnectors:\n  a:\n    auth: { token: \"canary\n", &[], None);
    assert!(loaded.has_errors() && !format!("{:?}", loaded.findings).contains("canary"));
    check_project(
        "$\n  a:\n    use: shopify\n    with: { shop: x, api_key: \"${env:K}\" }\n    auth: { token_url: \"https://x\", user: me, token: \"\" }\n",
        &[],
    );
}

#[test]
fn faults_of_a_mapping() {
    check_mapping("$$\n", &[]);
    check_mapping(
        "version: 1\n",
        &[
            "m0.yaml:1:1+1 missing-key: a mapping needs `name` | add `name`: the route's name, unique in the project: state and audit log know it by this",
            "m0.yaml:1:1+1 missing-key: a mapping needs `from` | add `from`: where records come from: `connector.stream`",
            "m0.yaml:1:1+1 missing-key: a mapping needs `to` | add `to`: where they go: `connector.stream`, or a list of several",
            "m0.yaml:1:1+1 missing-key: a mapping needs `fields` | add `fields`: the field rules: one for each place of the target record",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    surce: b\n    requird: yes\n  - source: a..b\n",
        &[
            "m0.yaml:7:5+5 unknown-key: a field rule has no key `surce` | did you mean `source`?",
            "m0.yaml:8:5+7 unknown-key: a field rule has no key `requird` | did you mean `required`?",
            "m0.yaml:9:5+1 missing-key: a field rule needs `target` | add `target`: where the result goes",
            "m0.yaml:9:15+1 bad-path: `a..b` is no path: a name is missing before the point | a name with points, brackets or blanks at its ends is quoted: '\"odd.name\"'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - { target: a, class: pii.emali, tags: [pii.name], required: yes, type: decimel, validate: }\n",
        &[
            "m0.yaml:6:25+9 unknown-class: there is no data class `pii.emali` | did you mean `pii.email`?",
            "m0.yaml:6:36+4 duplicate-key: `tags` is another name of `class`, which is given too | keep one of them",
            "m0.yaml:6:64+3 wrong-type: `yes` is text in YAML 1.2, and `required` is true or false | write `true`",
            "m0.yaml:6:75+7 bad-value: there is no type `decimel` | did you mean `decimal`?",
            "m0.yaml:6:84+8 wrong-type: `validate` is an expression, this is nothing",
        ],
    );
    check_mapping(
        "$$\nsync:\n  mode: mirrir\n  schedule: { cron: \"*/15 * * 13 *\", timezone: Europe/Berln }\n  on_error: { to: dead_letter, tolerate: { percent: 101, records: -1 } }\n  batch: { records: 0 }\n",
        &[
            "m0.yaml:7:9+6 bad-value: `mode` cannot be `mirrir` | did you mean `mirror`?",
            "m0.yaml:8:31+2 bad-cron: month: `13` is not between 1 and 12 | fields: minute hour day-of-month month day-of-week, as in `*/15 * * * *`",
            "m0.yaml:8:48+12 bad-timezone: there is no time zone `Europe/Berln` | did you mean `Europe/Berlin`?",
            "m0.yaml:9:19+11 bad-value: `to` cannot be `dead_letter` | did you mean `dead_letters`?",
            "m0.yaml:9:53+3 bad-value: `percent` is a share from 0 to 100 with at most four decimals, this is 101",
            "m0.yaml:9:67+2 bad-value: `records` is a whole number from 0 up, this is -1",
            "m0.yaml:10:21+1 bad-value: `records` is a whole number from 1 to 1000000, this is 0",
        ],
    );
    check_mapping(
        "$$\nsync: { key: a }\n",
        &[
            "m0.yaml:6:14+1 key-mode: a key is given, but `append` adds every record and uses none | add `mode: upsert`, or remove the key",
        ],
    );
    check_mapping(
        "$$\nsync: { mode: upsert }\n",
        &[
            "m0.yaml:4:5+15 key-mode: `upsert` needs a key, and neither `sync.key` nor the target stream has one | add `key: [...]` under `sync` with the target fields that identify a record",
        ],
    );
    check_mapping(
        "$$\ntests:\n  - { name: a, given: { x: 1 } }\n  - { name: b, given: {}, expect: {}, expect_filtered: true }\n  - { name: c, given: {}, expect_filtered: false }\n  - { name: d, given: { s: \"${env:A}\" }, expect: {} }\n  - { name: e, given: {}, expect_rejected: \"required\" }\n",
        &[
            "m0.yaml:7:5+1 missing-key: the test does not say what it expects | add `expect` with the target record, `expect_filtered: true`, `expect_rejected` with a text of the reason, or `expect_withheld` with the name of a rule",
            "m0.yaml:8:39+15 bad-value: a test expects one thing | keep one of the `expect` keys",
            "m0.yaml:9:44+5 bad-value: `expect_filtered: false` says nothing | expect a record instead, or write `true`",
            "m0.yaml:10:29+8 bad-reference: a reference cannot stand here: what a mapping does must not depend on where it runs | write the text itself, or `$${` for a literal `${`",
        ],
    );
}

#[test]
fn expressions_that_yaml_cut() {
    check_mapping(
        "$\nfields:\n  - { target: a, transform: round(value * 1.2, 2), required: true }\n",
        &[
            "m0.yaml:6:29+17 expression-cut: YAML cut this expression of `transform` in two at the `,` | quote it: 'round(value * 1.2, 2)'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - { target: a, validate: [value > 0, round(value, 2) > \"0\", x] }\n",
        &[
            "m0.yaml:6:40+11 expression-cut: YAML cut this expression of `validate` in two at the `,` | quote it: 'round(value, 2) > \"0\", x'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    transform: concat(\"a #1\", value)\n    # fine\n  - target: b\n    transform: trim(value) # why\n",
        &[
            "m0.yaml:7:16+9 expression-cut: YAML cut this expression of `transform` in two at the `#` | quote it: 'concat(\"a #1\", value)'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    transform: {\"a\": value}\n  - target: b\n    transform: [value, 1]\n",
        &[
            "m0.yaml:7:16+1 expression-cut: YAML reads this expression of `transform` as a map | quote it: '{\"a\": value}'",
            "m0.yaml:9:16+1 expression-cut: YAML reads this expression of `transform` as a list | quote it: '[value, 1]'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    transform: \"PROD_\" + value\n",
        &[
            "m0.yaml:7:24+1 expression-quote: an expression that begins with a quote ends for YAML at the second quote | quote it as a whole: '\"PROD_\" + value'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    validate:\n      - 'it''s' == value\n",
        &[
            "m0.yaml:8:17+1 expression-quote: an expression that begins with a quote ends for YAML at the second quote | quote it as a whole: '''it''''s'' == value'",
        ],
    );
    check_mapping(
        "$\nfields:\n  - target: a\n    transform: value > 1 ? \"a\" : \"b\"\n",
        &[
            "m0.yaml:7:32+1 expression-cut: YAML ends the expression of `transform` before this `:` | quote it: transform: 'value > 1 ? \"a\" : \"b\"'",
        ],
    );
    // Pieces that look like keys of their own, and more than one cut.
    check_mapping(
        "$\nfields:\n  - { target: a, transform: f(max(value, source, b: 1), 2), required: true }\n",
        &[
            "m0.yaml:6:29+11 expression-cut: YAML cut this expression of `transform` in two at the `,` | quote it: 'f(max(value, source, b: 1), 2)'",
        ],
    );
    check_mapping("$\nwhen: true\nfields:\n  - { target: a, transform: 5 }\n", &[]);
}

#[test]
fn names_across_files() {
    let mapping = |name: &str, from: &str, to: &str, after: &str| {
        format!(
            "version: 1\nname: {name}\nfrom: {from}\nto: {to}\nsync: {{ after: [{after}] }}\nfields: [{{ target: a, source: a }}]\n"
        )
    };
    let texts = [
        mapping("a", "shp.items", "warehouse.t", "b"),
        mapping("b", "shop.items", "shop.t", "c"),
        mapping("c", "warehouse.x.y", "nowhere.t", "b, d"),
        mapping("a", "shop.items", "warehouse.t", "a2"),
    ];
    let found = loaded(DESIGN_PROJECT, &texts.each_ref().map(String::as_str), None);
    assert_eq!(
        report(&found),
        [
            "m0.yaml:3:7+3 unknown-connector: `from` names the connector `shp`, which is not defined | did you mean `shop`?",
            "m1.yaml:4:5+4 direction: `shop` is `shopify`, which cannot be written to | name a connector of another kind",
            "m1.yaml:5:17+1 route-cycle: `b` waits for itself in the end | take out one of the `after` that lead back to it",
            "m2.yaml:3:7+9 direction: `warehouse` is `sqlite`, which cannot be read from | name a connector of another kind",
            "m2.yaml:4:5+7 unknown-connector: `to` names the connector `nowhere`, which is not defined | connectors are shop, warehouse",
            "m2.yaml:5:17+1 route-cycle: `c` waits for itself in the end | take out one of the `after` that lead back to it",
            "m2.yaml:5:20+1 unknown-route: there is no mapping `d` to wait for | did you mean `a`?",
            "m3.yaml:2:7+1 duplicate-name: the name `a` is taken by m0.yaml:2:7 | give one of them another name",
            "m3.yaml:5:17+2 unknown-route: there is no mapping `a2` to wait for | did you mean `a`?",
        ]
        .join("\n")
    );
    let project = "version: 1\nconnectors:\n  f: { use: file, streams: { orders: { path: a.csv } } }\n";
    let found = loaded(project, &[&mapping("a", "f.order", "f.orders", "")], None);
    assert_eq!(report(&found), "m0.yaml:3:9+5 unknown-stream: `f` has no stream `order` | did you mean `orders`?");
    assert_eq!(found.mapping("b").unwrap_err().hints(), ["did you mean `a`?"]);
    assert_eq!(found.sound().unwrap_err().all_findings().len(), 1);
}

#[test]
fn an_undeclared_stream_is_its_name() {
    let project = loaded(DESIGN_PROJECT, &[], None).project.unwrap();
    let stream = project.connectors["warehouse"].stream("stock", &SQLITE).unwrap();
    let options: Vec<_> = stream.options.iter().map(|(key, value)| (key.value.as_str(), value.value.clone())).collect();
    assert_eq!(options, [("table", Node::Text(Text::literal("stock"))), ("create", Node::Bool(true))]);
    assert!(project.connectors["warehouse"].stream("stock", &FILES).is_none());
}

#[test]
fn one_pass_finds_the_faults_of_all_files() {
    let found = load_texts(
        PathBuf::from("/p"),
        Some(FileText { name: "c.yaml".into(), bytes: b"version: 1\n\xff".to_vec() }),
        vec![file("a.yaml", "version: 1\nname: [\n"), file("b.yaml", ""), file("c2.yaml", DESIGN_MAPPING)],
        None,
        &CATALOG,
    );
    assert_eq!(
        report(&found),
        "a.yaml:2:7+1 yaml: `[` is not closed | close it\nb.yaml:1:1+1 yaml: the file is empty | it begins with `version: 1`\nc.yaml:2:1+1 yaml: the bytes here are not UTF-8 | save the file as UTF-8"
    );
    assert_eq!((found.mappings.len(), found.project.is_none()), (1, true));
}

#[test]
fn the_hash_is_of_the_meaning_alone() {
    let hash = |project: &str, mapping: &str| {
        let loaded = loaded(project, &[mapping], None);
        assert_eq!(report(&loaded), "");
        (loaded.project.unwrap().hash, loaded.mappings[0].hash.clone())
    };
    let (project, mapping) = hash(DESIGN_PROJECT, DESIGN_MAPPING);
    assert_eq!(project.len(), 64);
    let other_project = DESIGN_PROJECT
        .replace("retention: 400d", "enabled: true\n  retention: \"400d\" # days")
        .replace("environment: production\n", "");
    let other_mapping = DESIGN_MAPPING
        .replace("required: true", "required: true # why")
        .replace("'\"PROD_\" + value'", "|\n      \"PROD_\" + value");
    assert_eq!(hash(&other_project, &other_mapping), (project.clone(), mapping.clone()));
    let changed = hash(&DESIGN_PROJECT.replace("warehouse.db", "w.db"), &DESIGN_MAPPING.replace("35.99", "35.990"));
    assert!(changed.0 != project && changed.1 != mapping);
}

#[test]
fn a_hostile_file_is_refused_quickly() {
    let keys: String = (0..30_000).map(|i| format!("key_{i}: &a{i} [x]\n")).collect();
    let one_line = format!("version: 1\nconnectors: {{{}}}\n", "a: {use: b}, ".repeat(4_000));
    for text in [keys, one_line, "connectors:\n".to_owned() + &"  a: { token: x }\n".repeat(20_000)] {
        let loaded = loaded(&text, &[&text], None);
        assert!(loaded.has_errors() && loaded.findings.len() <= 400, "{}", loaded.findings.len());
    }
}

#[test]
fn no_damage_panics() {
    let whole = [DESIGN_PROJECT, DESIGN_MAPPING];
    for text in whole {
        for end in 0..text.len() {
            damaged(text.as_bytes()[..end].to_vec());
        }
    }
    let rounds = crate::soak::rounds(2_000) as usize;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    const TOKENS: &[&[u8]] = &[
        b"\"",
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"\n",
        b"\t",
        b"#",
        b"&a ",
        b"*a",
        b"|",
        b">",
        b"${",
        b"\xff",
        b"\xc3\xa4",
        b"\\",
        b"? ",
        b"---\n",
        b"!!str ",
        b"<<",
        b"007",
        b".inf",
    ];
    for round in 0..rounds {
        let mut bytes = whole[round % 2].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] = random(256) as u8,
                1 => {
                    bytes.drain(at..(at + 1 + random(9)).min(bytes.len()));
                }
                _ => {
                    bytes.splice(at..at, TOKENS[random(TOKENS.len())].iter().copied());
                }
            }
        }
        damaged(bytes);
    }
}

/// Reads damaged bytes as either file; whatever is found has a place within the file.
fn damaged(bytes: Vec<u8>) {
    let lines = bytes.iter().filter(|b| **b == b'\n').count() as u32 + 1;
    for profile in [None, Some("staging")] {
        let project = FileText { name: "c.yaml".into(), bytes: bytes.clone() };
        let mapping = FileText { name: "m.yaml".into(), bytes: bytes.clone() };
        let loaded = load_texts(PathBuf::from("/p"), Some(project), vec![mapping], profile, &CATALOG);
        for finding in &loaded.findings {
            let place = finding.place.as_ref().expect("a place");
            assert!(place.line >= 1 && place.line <= lines && place.column >= 1 && place.width >= 1, "{finding:?}");
            let shown = place.source.chars().count() as u32;
            assert!(shown == 0 || place.column <= shown + 2, "{finding:?}");
        }
        for mapping in &loaded.mappings {
            for expression in mapping.fields.iter().filter_map(|rule| rule.transform()) {
                expression.place_at(0, expression.text.len());
            }
        }
    }
}

#[test]
fn governance_is_read_and_sealed() {
    let project = "version: 1\nconnectors:\n  shop: { use: shopify, with: { shop: a }, agreements: [dpa], purposes: sales }\n  warehouse:\n    use: sqlite\n    with: { path: a }\n    kind: partner\n    at_rest: disk\n    rotated: 2026-01-31\n    agreements: { dpa: D-1, baa: { reference: B-7, until: 2027-03-31 } }\ncompliance:\n  home: de\n  waivers: [{ check: comply-flow, at: a.b, owner: o, reason: r, until: 2027-01-01 }]\n  protect: { pii.email: mask, pci.pan: { action: tokenize, key: cards }, pii: drop }\n  keys: { cards: { purpose: token } }\n  detect: { threshold: 75, action: warn, classes: pci }\n  retention: { pii: 30d }\n  roles: { operator: { can: 'sync.*', members: [ann] } }\n  destinations: [warehouse]\n";
    let mapping = "version: 1\nname: a\nfrom: shop.items\nto: warehouse.stock\ncompliance:\n  purpose: billing\n  basis: contract\n  consent: { lookup: { stream: shop.consents, key: id, by: customer }, field: yes_to, withdrawn: ended }\n  transfer: { ground: scc, reference: S-1 }\n  needs: [pii]\n  protect: { pii.contact: allow }\nfields: [{ target: a, source: a }]\n";
    let found = loaded(project, &[mapping], None);
    assert_eq!(report(&found), "");
    let made = found.project.unwrap();
    let warehouse = &made.connectors["warehouse"];
    let agreed: Vec<_> = warehouse.agreements.iter().map(|one| (one.kind.as_str(), one.reference.as_deref())).collect();
    assert_eq!(agreed, [("dpa", Some("D-1")), ("baa", Some("B-7"))]);
    assert_eq!(warehouse.agreements[1].until.unwrap().to_string(), "2027-03-31");
    assert!(warehouse.custody.kind.unwrap().external() && warehouse.custody.at_rest == Some(AtRest::Disk));
    let (rules, processing) = (&made.compliance.rules, &found.mappings[0].compliance);
    let class = |name| crate::record::ClassId::named(name).unwrap();
    let action = |name| processing.protection(class(name), rules).map(|one| one.action.word());
    assert_eq!(
        (action("pii.email"), action("pii.name"), action("pci.pan"), action("phi")),
        (Some("allow"), Some("drop"), Some("tokenize"), None)
    );
    assert_eq!((rules.kept_days(class("pii.name")), rules.kept_days(class("phi"))), (Some(30), None));
    let detect = rules.detect.as_ref().unwrap();
    assert_eq!((detect.threshold, detect.action, detect.classes.to_string().as_str()), (750, OnHit::Warn, "pci"));
    assert!(
        matches!(&processing.consent.as_ref().unwrap().lookup.as_ref().unwrap().from, ConsentSource::Stream(of) if of.connector == "shop")
    );
    for said in [
        r#""agreed":{"baa":{"reference":"B-7","until":"2027-03-31"}"#,
        r#""at_rest":"disk""#,
        r#""home":"de""#,
        r#""action":"tokenize","key":"cards""#,
    ] {
        assert!(made.canonical.contains(said), "{said}\n{}", made.canonical);
    }
    assert!(found.mappings[0].canonical.contains(r#""basis":"contract","consent":{"field":"yes_to","lookup":{"by":"customer","key":"id","stream":"shop.consents"}"#));
}

#[test]
fn faults_of_governance() {
    check_project(
        "$\n  a: { use: sqlite, with: { path: a }, kind: chatt, agreements: { dpa: { until: tomorrow } } }\ncompliance:\n  protect: { pii.emial: mask, pci.pan: tokenize, phi: hide }\n  detect: yes\n  waivers: [{ check: P17, at: a, owner: o, until: 2027-02-30 }]\n",
        &[
            "c.yaml:3:46+5 bad-value: `kind` cannot be `chatt` | did you mean `chat`?",
            "c.yaml:3:81+8 bad-value: `tomorrow` is no day such as `2027-03-31` | write year, month and day: `2027-03-31`",
            "c.yaml:5:14+9 unknown-class: there is no data class `pii.emial` | did you mean `pii.email`?",
            "c.yaml:5:40+8 missing-key: `tokenize` needs the name of a key | write `{ action: tokenize, key: NAME }`, a key of `compliance: { keys }`",
            "c.yaml:5:55+4 bad-value: `phi` cannot be `hide` | use one of allow, mask, truncate, tokenize, fpe, encrypt, encrypt_siv, pseudonymize, random_token, generalize, drop, park, block",
            "c.yaml:6:11+3 bad-value: `detect` cannot be `yes` | use one of off, all",
            "c.yaml:7:13+1 missing-key: a waiver needs `reason` | add `reason`: why it is accepted",
            "c.yaml:7:51+10 bad-value: `2027-02-30` is no day such as `2027-03-31` | write year, month and day: `2027-03-31`",
        ],
    );
    check_project(
        "$\n  warehouse: { use: sqlite, with: { path: a } }\ncompliance:\n  keys: { cards: { purpose: token } }\n  protect: { pii: { action: tokenize, key: card }, phi: { action: encrypt, key: cards } }\n  destinations: [warehous]\n",
        &[
            "c.yaml:6:44+4 bad-value: there is no key `card` | did you mean `cards`?",
            "c.yaml:6:81+5 bad-value: the key `cards` is for `token`, and `encrypt` needs one for `encrypt` | name another key: each serves one purpose",
            "c.yaml:7:18+8 unknown-connector: there is no connector `warehous` | did you mean `warehouse`?",
        ],
    );
    check_mapping(
        "$$\ncompliance: { basis: consnt, consent: {}, subject: a }\n",
        &[
            "m0.yaml:6:22+6 bad-value: `basis` cannot be `consnt` | did you mean `consent`?",
            "m0.yaml:6:39+1 missing-key: nothing tells whether there is consent | add `field`, `purposes` or `given`: the field that says it",
        ],
    );
}
