//! `mappings/*.yaml` → [`Mapping`].

use super::check::Checker;
use super::keys::MAPPING;
use super::node::node;
use super::project::{either, flag, get, label, one_or_many, whole};
use super::source::Source;
use super::structure::{Fragments, Structure, checks};
use super::yaml::{self, Raw, RawKind};
use super::{
    Approval, Deletes, Drift, Expectation, Explode, Expression, Mapping, MappingTest, Missed, Mode, Node, OnError,
    Schedule, Spanned, StreamRef, SyncOptions, canonical, governance, units,
};
use crate::error::{Findings, Severity, codes::config as codes};
use crate::record::Path;

/// Reads, checks and resolves the text of one mapping: one route for each of its targets. Names of
/// connectors, streams and other mappings are looked up later, when all files are there. `set` are
/// the project's values for parameters.
pub fn mapping(
    source: &Source,
    fragments: &mut dyn Fragments,
    set: &[(Spanned<String>, Spanned<Node>)],
    findings: &mut Findings,
) -> Vec<Mapping> {
    let Some(raw) = yaml::parse(source, findings) else { return Vec::new() };
    let mut checker = Checker::new(source, false);
    checker.section(&raw, &MAPPING, (0, 0));
    if matches!(raw.kind, RawKind::Map { .. })
        && ["fields", "include", "copy"].iter().all(|key| get(&raw, key).is_none())
    {
        let fix = "add `fields`: the field rules: one for each place of the target record";
        checker.error(&codes::MISSING_KEY, 0, 0, "a mapping needs `fields`", fix);
    }
    let made = resolve(&mut checker, &raw, fragments, set);
    let whole = !checker.findings.iter().any(|finding| finding.severity == Severity::Error);
    findings.append(&mut checker.findings);
    let mut routes = made.map_or_else(Vec::new, |mapping| branches(mapping, &raw, source));
    for route in &mut routes {
        route.whole = whole;
        canonical::seal_mapping(route);
    }
    routes
}

/// A route for each target: what a target says of itself takes the place of what `sync` says.
fn branches(mapping: Mapping, raw: &Raw, source: &Source) -> Vec<Mapping> {
    let targets: Vec<&Raw> = one_or_many(get(raw, "to")).collect();
    // A list of one is a list still: a target that is left keeps the name it had among others.
    let many = get(raw, "to").is_some_and(|to| matches!(to.kind, RawKind::List { .. }));
    let mut routes: Vec<Mapping> = Vec::with_capacity(targets.len());
    for target in targets {
        let Some(to) = stream_ref(get(target, "stream").unwrap_or(target), source) else { continue };
        let mut route = Mapping { to, ..mapping.clone() };
        if many && flag(get(target, "continues")) != Some(true) {
            route.name.value = format!("{}@{}.{}", mapping.family, route.to.connector, route.to.stream);
        }
        route.sync.mode = mode(get(target, "mode")).unwrap_or(mapping.sync.mode);
        if let Some(key) = get(target, "key") {
            route.sync.key = one_or_many(Some(key)).filter_map(|raw| path(raw, source)).collect();
        }
        if !route.sync.mode.keyed() {
            route.sync.key.clear();
        }
        if let Some(raw) = get(target, "on_error") {
            route.sync.on_error = on_error(Some(raw));
        }
        if !routes.iter().any(|known| known.name.value == route.name.value) {
            routes.push(route);
        }
    }
    routes
}

/// A list of targets that makes no sense.
fn targets(checker: &mut Checker<'_>, raw: &Raw) {
    let mut seen: Vec<&str> = Vec::new();
    let mut continues = 0;
    let targets: Vec<&Raw> = one_or_many(get(raw, "to")).collect();
    if let Some(to) = get(raw, "to").filter(|_| targets.is_empty()) {
        checker.error(&codes::BAD_VALUE, to.start, to.end, "`to` names no target", "name one or more streams");
    }
    for target in targets {
        let at = get(target, "stream").unwrap_or(target);
        let Some(name) = at.text() else { continue };
        if seen.contains(&name) {
            let cause = format!("`{name}` is a target already");
            checker.error(&codes::BAD_VALUE, at.start, at.end, cause, "name each target once");
        }
        seen.push(name);
        if let Some(at) = get(target, "continues").filter(|at| flag(Some(at)) == Some(true)) {
            continues += 1;
            if continues > 1 {
                let cause = "another target goes on under the mapping's name already";
                checker.error(&codes::BAD_VALUE, at.start, at.end, cause, "say `continues: true` of one target");
            }
        }
        if let (Some(key), Some(mode)) = (get(target, "key"), mode(get(target, "mode")))
            && !mode.keyed()
        {
            let cause = "a key is given, but `append` adds every record and uses none";
            checker.error(&codes::KEY_MODE, key.start, key.end, cause, "remove the key, or choose another mode");
        }
    }
}

fn resolve(
    checker: &mut Checker<'_>,
    raw: &Raw,
    fragments: &mut dyn Fragments,
    set: &[(Spanned<String>, Spanned<Node>)],
) -> Option<Mapping> {
    let source = checker.source;
    targets(checker, raw);
    let first = one_or_many(get(raw, "to")).next()?;
    let modes: Vec<Mode> = one_or_many(get(raw, "to")).filter_map(|to| mode(get(to, "mode"))).collect();
    let compliance = governance::processing(checker, get(raw, "compliance"));
    let sync = sync(checker, get(raw, "sync"), &modes);
    let mut structure = Structure::new(checker, raw, fragments, set);
    let block = structure.block(checker, raw);
    let Structure { findings, scopes, lost, .. } = structure;
    checker.findings.extend(findings);
    let tests = one_or_many(get(raw, "tests")).filter_map(|raw| test(checker, raw)).collect();
    Some(Mapping {
        name: text(get(raw, "name")?, source)?,
        family: label(raw, "name")?,
        file: source.file.clone(),
        from: stream_ref(get(raw, "from")?, source)?,
        to: stream_ref(get(first, "stream").unwrap_or(first), source)?,
        sync,
        compliance,
        explode: explode(checker, raw),
        drift: get(raw, "contract").and_then(|raw| drift(get(raw, "drift")?, source)),
        when: get(raw, "when").and_then(|raw| Expression::of(raw, source)),
        about: either(raw, "about", "description").and_then(Raw::text).map(str::to_owned),
        revision: label(raw, "revision"),
        scopes,
        lets: block.lets,
        copies: block.copies,
        all_rules: !lost,
        fields: block.rules,
        validate: checks(get(raw, "validate"), source),
        withholds: Vec::new(),
        obeys: Vec::new(),
        tests,
        whole: true,
        tables: crate::expr::Tables::default(),
        hash: String::new(),
        canonical: String::new(),
    })
}

pub(super) fn text(raw: &Raw, source: &Source) -> Option<Spanned<String>> {
    Some(Spanned { value: raw.text()?.to_owned(), place: source.place(raw.start, raw.end) })
}

pub(super) fn stream_ref(raw: &Raw, source: &Source) -> Option<StreamRef> {
    let (connector, stream) = raw.text()?.split_once('.')?;
    let place = source.place(raw.start, raw.end);
    Some(StreamRef { connector: connector.to_owned(), stream: stream.to_owned(), place })
}

fn explode(checker: &mut Checker<'_>, raw: &Raw) -> Option<Explode> {
    let source = checker.source;
    let name = get(raw, "as");
    if let (Some(name), None) = (name, get(raw, "explode")) {
        let cause = "`as` names the elements of `explode`, and there is none";
        checker.error(&codes::BAD_VALUE, name.start, name.end, cause, "add `explode: lines[*]`, or remove it");
    }
    let list = get(raw, "explode").and_then(|raw| path(raw, source))?;
    Some(Explode { list, name: name.and_then(|raw| text(raw, source)) })
}

fn drift(raw: &Raw, source: &Source) -> Option<Spanned<Drift>> {
    let (_, value) = Drift::NAMES.iter().find(|(name, _)| Some(*name) == raw.text())?;
    Some(Spanned { value: *value, place: source.place(raw.start, raw.end) })
}

pub(super) fn path(raw: &Raw, source: &Source) -> Option<Spanned<Path>> {
    Some(Spanned { value: Path::parse(raw.text()?).ok()?, place: source.place(raw.start, raw.end) })
}

fn test(checker: &mut Checker<'_>, raw: &Raw) -> Option<MappingTest> {
    let entries = raw.entries();
    let said: Vec<_> = entries.iter().filter(|entry| entry.key.starts_with("expect")).collect();
    match said.as_slice() {
        [] if matches!(raw.kind, RawKind::Map { .. }) => {
            let cause = "the test does not say what it expects";
            let fix = "add `expect` with the target record, `expect_filtered: true`, `expect_rejected` with a text of the reason, or `expect_withheld` with the name of a rule";
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
    } else if let Some(rule) = label(raw, "expect_withheld") {
        Expectation::Withheld(rule)
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

fn mode(raw: Option<&Raw>) -> Option<Mode> {
    let word = raw.and_then(Raw::text)?;
    Mode::ALL.iter().copied().find(|mode| mode.name() == word)
}

fn on_error(raw: Option<&Raw>) -> OnError {
    let tolerate = raw.and_then(|raw| get(raw, "tolerate"));
    OnError {
        tolerate_ppm: percent(tolerate).unwrap_or(0),
        tolerate_records: whole(tolerate.and_then(|raw| get(raw, "records"))).map_or(0, |n| n.max(0) as u64),
        stop: flag(raw.and_then(|raw| get(raw, "stop"))).unwrap_or(false),
        keep_days: raw.and_then(|raw| label(raw, "keep")).and_then(|text| units::days(&text).ok()),
    }
}

fn percent(of: Option<&Raw>) -> Option<u32> {
    match &of.and_then(|raw| get(raw, "percent"))?.kind {
        RawKind::Number(text) => units::percent_to_ppm(text),
        _ => None,
    }
}

/// What `sync` says for every target; `modes`: those that targets have of their own.
fn sync(checker: &mut Checker<'_>, raw: Option<&Raw>, modes: &[Mode]) -> SyncOptions {
    let source = checker.source;
    let keyed = modes.iter().copied().any(Mode::keyed);
    let of = |name| raw.and_then(|raw| get(raw, name));
    let mode = mode(of("mode")).unwrap_or(Mode::Append);
    let key: Vec<_> = one_or_many(of("key")).filter_map(|raw| path(raw, source)).collect();
    if let (None | Some("append"), Some(at)) = (of("mode").and_then(Raw::text), of("key"))
        && mode == Mode::Append
        && !keyed
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
    let deletes = of("deletes");
    if let (Some(at), false) = (deletes, mode == Mode::Mirror || modes.contains(&Mode::Mirror)) {
        let cause = format!("`deletes` is the guard of a mirror, and the mode is `{}`", mode.name());
        checker.error(&codes::KEY_MODE, at.start, at.start + 1, cause, "remove it, or add `mode: mirror`");
    }
    SyncOptions {
        mode,
        key,
        schedule,
        batch_records: whole(of("batch").and_then(|raw| get(raw, "records"))).and_then(|n| u64::try_from(n).ok()),
        on_error: on_error(of("on_error")),
        deletes: Deletes {
            share_ppm: percent(deletes).unwrap_or(100_000),
            records: whole(deletes.and_then(|raw| get(raw, "records"))).map_or(100, |n| n.max(0) as u64),
        },
        after: one_or_many(of("after")).filter_map(|raw| text(raw, source)).collect(),
        approval: of("approval")
            .filter(|raw| flag(get(raw, "required")) != Some(false))
            .map(|raw| Approval { four_eyes: flag(get(raw, "four_eyes")).unwrap_or(true) }),
        accept_loss: flag(of("accept_loss")).unwrap_or(false),
    }
}
