//! Codes of the area `config`: what can be wrong with what people write.

use super::Code;

/// The file is not YAML that consign reads.
pub static YAML: Code = Code::new(
    "config-yaml",
    "the file is not YAML that consign reads",
    "The YAML core schema 1.2 is read, and nothing around it: no tabs in indentation, no tags, no merge keys (`<<`), no directives, one document in a file, keys unique, at most 4 MiB, 64 levels and 200,000 values. The place shows where reading ended; the mistake may stand a little before it: an open quote or bracket, a missing `:` or a wrong indentation.",
);

/// A key is given twice.
pub static DUPLICATE_KEY: Code = Code::new(
    "config-duplicate-key",
    "a key is given twice",
    "A map holds each key once: with two, one of them would silently lose. Keep the one that is meant.",
);

/// A number begins with a zero.
pub static LEADING_ZERO: Code = Code::new(
    "config-leading-zero",
    "a number begins with a zero",
    "Without quotes, `01234` is the number 1234: a postal code or an article number would lose its zero. Quote it if it is text, else remove the zero.",
);

/// YAML cut an expression in two.
pub static EXPRESSION_CUT: Code = Code::new(
    "config-expression-cut",
    "YAML cut an expression in two",
    "Inside `{ }` and `[ ]` YAML ends a value at `,` `]` `}`; everywhere it ends one at `: ` and at ` #`. An expression that holds one of them must be quoted as a whole (`transform: 'round(value, 2)'`) or stand on a line of its own.",
);

/// An expression begins with a quote.
pub static EXPRESSION_QUOTE: Code = Code::new(
    "config-expression-quote",
    "an expression begins with a quote",
    "A value that begins with a quote ends, for YAML, at the next one: what follows is an error. An expression that begins with a quote must be quoted as a whole (`transform: '\"PROD_\" + value'`) or stand on its own line after `|`.",
);

/// A key is not known here.
pub static UNKNOWN_KEY: Code = Code::new(
    "config-unknown-key",
    "a key is not known here",
    "A misspelt key would be an option that silently does not hold, so each unknown key is an error. The fix names the nearest key that exists here, or all of them.",
);

/// A key is missing.
pub static MISSING_KEY: Code =
    Code::new("config-missing-key", "a key is missing", "This key has no default and must be given.");

/// A value is of the wrong kind.
pub static WRONG_TYPE: Code = Code::new(
    "config-wrong-type",
    "a value is of the wrong kind",
    "Text, numbers, truth values, lists and maps are told apart as YAML 1.2 does: `yes`, `no`, `on` and `off` are text, and truth values are `true` and `false`.",
);

/// A value is out of its bounds.
pub static BAD_VALUE: Code = Code::new(
    "config-bad-value",
    "a value is out of its bounds",
    "The value is of the right kind but none of those that this key takes. Durations are whole numbers with a unit: `400d`, `12h`, `30m`, `10s`; names hold letters, digits, `_` and `-`.",
);

/// A cron expression cannot be read.
pub static BAD_CRON: Code = Code::new(
    "config-bad-cron",
    "a cron expression cannot be read",
    "Five fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or jan-dec), day of week (0-7 or sun-sat; 0 and 7 are Sunday). Each is `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these with commas. With both day fields given, either one is enough. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` stand for the usual five.",
);

/// A time zone does not exist.
pub static BAD_ZONE: Code = Code::new(
    "config-bad-timezone",
    "a time zone does not exist",
    "Time zones are IANA names such as `Europe/Berlin` or `UTC`: only they know when daylight saving begins and ends. Abbreviations (`CET`) and fixed offsets are not accepted where a schedule depends on them.",
);

/// A path cannot be read.
pub static BAD_PATH: Code = Code::new(
    "config-bad-path",
    "a path cannot be read",
    "A path into a record is made of names, points and brackets: `sku`, `address.city`, `lines[0].sku`, `lines[*].sku`. A name with points, brackets, quotes or blanks at its ends is quoted: `\"odd.name\"`.",
);

/// A reference cannot be read.
pub static BAD_REFERENCE: Code = Code::new(
    "config-bad-reference",
    "a reference cannot be read",
    "References are `${env:NAME}`, `${file:PATH}` and `${cmd:NAME}`, in text only. A literal `${` is written `$${`.",
);

/// No connector of that kind exists.
pub static UNKNOWN_PROTOCOL: Code = Code::new(
    "config-unknown-connector-kind",
    "no connector of that kind exists",
    "The word after `use:` names a protocol or a pack that this version has. `consign connect list` shows them.",
);

/// No format of that name exists.
pub static UNKNOWN_FORMAT: Code = Code::new(
    "config-unknown-format",
    "no format of that name exists",
    "The word after `format:` names a format that this version has. Where it is left out, the ending of the file's name decides.",
);

/// A connector is not defined.
pub static UNKNOWN_CONNECTOR: Code = Code::new(
    "config-unknown-connector",
    "a connector is not defined",
    "`from` and `to` name a connector of connectors.yaml and, after the first point, a stream of it: `shop.orders`.",
);

/// A stream is not declared.
pub static UNKNOWN_STREAM: Code = Code::new(
    "config-unknown-stream",
    "a stream is not declared",
    "Connectors of this kind know only the streams declared under `streams:` in connectors.yaml.",
);

/// A data class does not exist.
pub static UNKNOWN_CLASS: Code = Code::new(
    "config-unknown-class",
    "a data class does not exist",
    "Data classes form one small dotted tree (`pii.contact.email`, `phi.diagnosis`, `pci.pan` …); a name outside of it would protect nothing, so it is an error.",
);

/// A profile does not exist.
pub static UNKNOWN_PROFILE: Code = Code::new(
    "config-unknown-profile",
    "a profile does not exist",
    "The profile asked for by `--profile` or CONSIGN_PROFILE stands under `profiles:` in connectors.yaml.",
);

/// A mapping does not exist.
pub static UNKNOWN_ROUTE: Code = Code::new(
    "config-unknown-route",
    "a mapping does not exist",
    "`after` names mappings of this project that run first.",
);

/// Mappings wait for each other.
pub static ROUTE_CYCLE: Code = Code::new(
    "config-route-cycle",
    "mappings wait for each other",
    "Following `after` from this mapping leads back to it: none of them could ever begin.",
);

/// Two mappings have one name.
pub static DUPLICATE_NAME: Code = Code::new(
    "config-duplicate-name",
    "two mappings have one name",
    "A mapping's name identifies its route in the state and in the audit log, so it must be unique in the project.",
);

/// The version of the file is not supported.
pub static VERSION: Code = Code::new(
    "config-version",
    "the version of the file is not supported",
    "Each file says `version: 1`. A higher number belongs to a later consign: use that, or take out what it added.",
);

/// This is not available yet.
pub static NOT_YET: Code = Code::new(
    "config-not-available-yet",
    "this is not available yet",
    "The key or word is part of the language, but this version does not do it. It is refused rather than ignored.",
);

/// A secret stands in the file.
pub static LITERAL_SECRET: Code = Code::new(
    "config-literal-secret",
    "a secret stands in the file",
    "A secret in a configuration file ends up in version control, back-ups and pull requests. Put a reference there: `${env:NAME}`, `${file:PATH}` or `${cmd:NAME}`; then treat the secret that stood here as known to others and replace it. Neither the value nor its line is shown.",
);

/// The connector cannot do that.
pub static DIRECTION: Code = Code::new(
    "config-direction",
    "the connector cannot do that",
    "Some kinds of connector only read, others only write. `from` needs one that reads, `to` one that writes.",
);

/// Key and mode do not fit.
pub static KEY_MODE: Code = Code::new(
    "config-key-mode",
    "key and mode do not fit",
    "`upsert` replaces the record with the same key and needs one, under `sync.key` or declared by the target stream. `append` adds every record and uses none.",
);

/// No connectors.yaml was found.
pub static NO_PROJECT: Code = Code::new(
    "config-no-project",
    "no connectors.yaml was found",
    "connectors.yaml is looked for in the folder you stand in and in those above it, up to the root of the repository. `consign init` writes one; `--config` names one elsewhere.",
);

/// No such mapping.
pub static NO_MAPPING: Code = Code::new(
    "config-no-mapping",
    "no such mapping",
    "The project has no mapping of that name. Mappings are the files under `mappings/` beside connectors.yaml; each says its `name:`, which is the name of the route too.",
);

/// The configuration has errors.
pub static INVALID: Code = Code::new(
    "config-invalid",
    "the configuration has errors",
    "A check of connectors.yaml and the mappings found errors; each is listed with its place, cause and fix. Nothing was run.",
);

/// An environment variable cannot be used.
pub static BAD_VARIABLE: Code = Code::new(
    "config-bad-variable",
    "an environment variable cannot be used",
    "Some variables of the environment are defaults that the configuration overrides (`consign` lists them in the reference of the configuration). One that is set and cannot be read would be an option that silently does not hold. Correct it, or take it out of the environment.",
);

/// An environment variable is not set.
pub static REFERENCE_ENV: Code = Code::new(
    "config-reference-env",
    "an environment variable is not set",
    "A `${env:NAME}` reference is filled in when a run begins. The variable must be set in the environment of that process and be valid UTF-8.",
);

/// A referenced file cannot be read.
pub static REFERENCE_FILE: Code = Code::new(
    "config-reference-file",
    "a referenced file cannot be read",
    "A `${file:PATH}` reference is filled in when a run begins. Relative paths count from the folder of connectors.yaml; one line end at the end of the file is left out; at most 1 MiB.",
);

/// The file of a key is open to others.
pub static REFERENCE_OPEN: Code = Code::new(
    "config-reference-open",
    "the file of a key is open to others",
    "A file that seals keys (`root: ${file:PATH}`) must be readable by its owner alone: mode 0600. It is refused before it is read. Close it with `chmod 600`; if somebody else could have read it, make a new one, name it first under `root` with the old one behind it, and run `consign audit keys reencrypt`.",
);

/// A referenced command was not run or failed.
pub static REFERENCE_COMMAND: Code = Code::new(
    "config-reference-command",
    "a referenced command was not run or failed",
    "A `${cmd:NAME}` reference names a command of your own configuration outside the project (`consign/commands.yaml` below the configuration folder of your account): a project can come from a stranger, and cannot bring commands along. Its standard output, without a final line end, is the value; it has 30 seconds.",
);

/// A schema file cannot be read.
pub static SCHEMA_FILE: Code = Code::new(
    "config-schema-file",
    "a schema file cannot be read",
    "`schema` of a stream names a JSON Schema file (JSON or YAML) by its path from the folder of connectors.yaml, with `#/$defs/NAME` behind it where the schema is a part of the file. The file lies in the project's folder; nothing is fetched.",
);

/// Something is wrong with a schema.
pub static SCHEMA_INVALID: Code = Code::new(
    "config-schema",
    "a JSON Schema is wrong",
    "A keyword has a value that it cannot have, a pattern cannot be run in bounded time (look-around, references back to groups), or two keywords exclude each other, so that no record could ever meet the schema.",
);

/// A reference of a schema leads nowhere.
pub static SCHEMA_REFERENCE: Code = Code::new(
    "config-schema-reference",
    "a `$ref` of a JSON Schema leads nowhere",
    "A `$ref` leads to a place in the same file (`#/$defs/line`), to a file beside it (`line.json`), or to the `$id` of a schema that is part of the same set. Nothing is fetched, and no reference leads out of the project's folder. A schema may refer to itself below `properties` or `items`, where records come to an end, and not in a circle.",
);

/// A keyword of a schema is not understood.
pub static SCHEMA_KEYWORD: Code = Code::new(
    "config-schema-keyword",
    "something in a JSON Schema does not hold",
    "Draft 2020-12 and draft-07 are understood as a whole. What neither of them knows, or only the other one, asks for nothing, and a misspelt keyword is a check that silently never happens. Formats that are checked: date, date-time, time, duration, email, uuid, ipv4, ipv6, hostname, uri.",
);

/// A fragment that cannot be included.
pub static INCLUDE: Code = Code::new(
    "config-include",
    "a fragment cannot be included",
    "`include` names a YAML file of the project, relative to the file it stands in, that begins with `version: 1` and `fragment: name`. It must not lie outside of the project and must not include itself. Files in a folder called `fragments` are never taken for mappings.",
);
/// A parameter without a fitting value.
pub static PARAMETER: Code = Code::new(
    "config-parameter",
    "a parameter has no fitting value",
    "A parameter is declared with a `type`, a `default` or both. What is set for it (under `with` where a fragment is included, under `parameters` of connectors.yaml for a mapping) has to be of that type, and names one that is declared.",
);

/// A rule that cannot be read.
pub static RULE_BAD: Code = Code::new(
    "config-rule-bad",
    "a rule cannot be read",
    "An entry of `compliance: { rules }` is a rule with `name`, `on` (connector, mapping, flow, record, event) and `when`, the condition under which it is broken; or `use` with the name of a pack that is shipped (dealers, health, payments, accounts, inventory). A rule that cannot be read protects nothing, so nothing runs.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &YAML,
    &DUPLICATE_KEY,
    &LEADING_ZERO,
    &EXPRESSION_CUT,
    &EXPRESSION_QUOTE,
    &UNKNOWN_KEY,
    &MISSING_KEY,
    &WRONG_TYPE,
    &BAD_VALUE,
    &BAD_CRON,
    &BAD_ZONE,
    &BAD_PATH,
    &BAD_REFERENCE,
    &UNKNOWN_PROTOCOL,
    &UNKNOWN_FORMAT,
    &UNKNOWN_CONNECTOR,
    &UNKNOWN_STREAM,
    &UNKNOWN_CLASS,
    &UNKNOWN_PROFILE,
    &UNKNOWN_ROUTE,
    &ROUTE_CYCLE,
    &DUPLICATE_NAME,
    &VERSION,
    &NOT_YET,
    &LITERAL_SECRET,
    &DIRECTION,
    &KEY_MODE,
    &NO_PROJECT,
    &NO_MAPPING,
    &INVALID,
    &BAD_VARIABLE,
    &REFERENCE_ENV,
    &REFERENCE_FILE,
    &REFERENCE_OPEN,
    &REFERENCE_COMMAND,
    &SCHEMA_FILE,
    &SCHEMA_INVALID,
    &SCHEMA_REFERENCE,
    &SCHEMA_KEYWORD,
    &INCLUDE,
    &PARAMETER,
    &RULE_BAD,
];
