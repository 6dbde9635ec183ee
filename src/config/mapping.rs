//! `mappings/*.yaml` → [`Mapping`].

use super::check::Checker;
use super::keys::MAPPING;
use super::node::node;
use super::project::{classes, either, flag, get, label, one_or_many, whole};
use super::source::Source;
use super::yaml::{self, Raw, RawKind};
use super::{
    Expectation, Expression, FieldRule, Mapping, MappingTest, Missed, Mode, OnError, Schedule, Spanned, StreamRef,
    SyncOptions, canonical, units,
};
use crate::error::{Findings, Severity, codes::config as codes};
use crate::record::{Path, Type};

/// Reads, checks and resolves the text of one mapping. Names of connectors, streams and other
/// mappings are looked up later, when all files are there.
pub fn mapping(source: &Source, findings: &mut Findings) -> Option<Mapping> {
    let raw = yaml::parse(source, findings)?;
    let mut checker = Checker::new(source, false);
    checker.section(&raw, &MAPPING, (0, 0));
    let made = resolve(&mut checker, &raw);
    let whole = !checker.findings.iter().any(|finding| finding.severity == Severity::Error);
    findings.append(&mut checker.findings);
    let mut mapping = made?;
    mapping.whole = whole;
    canonical::seal_mapping(&mut mapping);
    Some(mapping)
}

fn resolve(checker: &mut Checker<'_>, raw: &Raw) -> Option<Mapping> {
    let source = checker.source;
    let sync = sync(checker, get(raw, "sync"));
    let fields: Vec<_> = one_or_many(get(raw, "fields")).filter_map(|raw| rule(raw, source)).collect();
    let tests = one_or_many(get(raw, "tests")).filter_map(|raw| test(checker, raw)).collect();
    Some(Mapping {
        name: text(get(raw, "name")?, source)?,
        file: source.file.clone(),
        from: stream_ref(get(raw, "from")?, source)?,
        to: stream_ref(get(raw, "to")?, source)?,
        sync,
        when: get(raw, "when").and_then(|raw| Expression::of(raw, source)),
        all_rules: fields.len() == one_or_many(get(raw, "fields")).count(),
        fields,
        tests,
        whole: true,
        hash: String::new(),
        canonical: String::new(),
    })
}

fn text(raw: &Raw, source: &Source) -> Option<Spanned<String>> {
    Some(Spanned { value: raw.text()?.to_owned(), place: source.place(raw.start, raw.end) })
}

fn stream_ref(raw: &Raw, source: &Source) -> Option<StreamRef> {
    let (connector, stream) = raw.text()?.split_once('.')?;
    let place = source.place(raw.start, raw.end);
    Some(StreamRef { connector: connector.to_owned(), stream: stream.to_owned(), place })
}

fn path(raw: &Raw, source: &Source) -> Option<Spanned<Path>> {
    Some(Spanned { value: Path::parse(raw.text()?).ok()?, place: source.place(raw.start, raw.end) })
}

fn rule(raw: &Raw, source: &Source) -> Option<FieldRule> {
    let expression = |raw: &Raw| Expression::of(raw, source);
    let kind = get(raw, "type").and_then(|raw| {
        let value = Type::named(raw.text()?)?;
        Some(Spanned { value, place: source.place(raw.start, raw.end) })
    });
    Some(FieldRule {
        place: source.place(raw.start, raw.start + 1),
        target: get(raw, "target").and_then(|raw| path(raw, source))?,
        source: get(raw, "source").and_then(|raw| path(raw, source)),
        transform: get(raw, "transform").and_then(expression),
        default: get(raw, "default").map(|raw| node(raw, source)),
        required: flag(get(raw, "required")).unwrap_or(false),
        validate: one_or_many(get(raw, "validate")).filter_map(expression).collect(),
        classes: classes(either(raw, "class", "tags")),
        kind,
    })
}

fn test(checker: &mut Checker<'_>, raw: &Raw) -> Option<MappingTest> {
    let entries = raw.entries();
    let said: Vec<_> = entries.iter().filter(|entry| entry.key.starts_with("expect")).collect();
    match said.as_slice() {
        [] if matches!(raw.kind, RawKind::Map { .. }) => {
            let cause = "the test does not say what it expects";
            let fix = "add `expect` with the target record, `expect_filtered: true`, or `expect_rejected` with a text of the reason";
            checker.error(&codes::MISSING_KEY, raw.start, raw.start + 1, cause, fix);
            return None;
        }
        [_, second, ..] => {
            let cause = "a test expects one thing";
            checker.error(&codes::BAD_VALUE, second.start, second.end, cause, "keep one of the `expect` keys");
            return None;
        }
        _ => {}
    }
    let source = checker.source;
    let expect = if let Some(record) = get(raw, "expect") {
        Expectation::Record(node(record, source))
    } else if let Some(reason) = label(raw, "expect_rejected") {
        Expectation::Rejected(reason)
    } else if let Some(filtered) = get(raw, "expect_filtered") {
        if flag(Some(filtered)) == Some(false) {
            let cause = "`expect_filtered: false` says nothing";
            let fix = "expect a record instead, or write `true`";
            checker.error(&codes::BAD_VALUE, filtered.start, filtered.end, cause, fix);
            return None;
        }
        Expectation::Filtered
    } else {
        return None;
    };
    Some(MappingTest { name: text(get(raw, "name")?, source)?, given: node(get(raw, "given")?, source), expect })
}

fn sync(checker: &mut Checker<'_>, raw: Option<&Raw>) -> SyncOptions {
    let source = checker.source;
    let of = |name| raw.and_then(|raw| get(raw, name));
    let word = of("mode").and_then(Raw::text);
    let mode = Mode::ALL.iter().copied().find(|mode| Some(mode.name()) == word).unwrap_or(Mode::Append);
    let key: Vec<_> = one_or_many(of("key")).filter_map(|raw| path(raw, source)).collect();
    if let (None | Some("append"), Some(at)) = (of("mode").and_then(Raw::text), of("key"))
        && mode == Mode::Append
    {
        let cause = "a key is given, but `append` adds every record and uses none";
        checker.error(&codes::KEY_MODE, at.start, at.end, cause, "add `mode: upsert`, or remove the key");
    }
    let schedule = of("schedule").and_then(|raw| {
        let missed = match get(raw, "missed").and_then(Raw::text) {
            Some("skip") => Missed::Skip,
            _ => Missed::Once,
        };
        let timezone = label(raw, "timezone").unwrap_or_else(|| "UTC".into());
        Some(Schedule { cron: text(get(raw, "cron")?, source)?, timezone, missed })
    });
    let on_error = of("on_error");
    let tolerate = on_error.and_then(|raw| get(raw, "tolerate"));
    let percent = tolerate.and_then(|raw| get(raw, "percent")).and_then(|raw| match &raw.kind {
        RawKind::Number(text) => units::percent_to_ppm(text),
        _ => None,
    });
    SyncOptions {
        mode,
        key,
        schedule,
        batch_records: whole(of("batch").and_then(|raw| get(raw, "records"))).and_then(|n| u64::try_from(n).ok()),
        on_error: OnError {
            tolerate_ppm: percent.unwrap_or(0),
            tolerate_records: whole(tolerate.and_then(|raw| get(raw, "records"))).map_or(0, |n| n.max(0) as u64),
            stop: flag(on_error.and_then(|raw| get(raw, "stop"))).unwrap_or(false),
        },
        after: one_or_many(of("after")).filter_map(|raw| text(raw, source)).collect(),
        accept_loss: flag(of("accept_loss")).unwrap_or(false),
    }
}
