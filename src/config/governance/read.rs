//! From the tree to the types: what does not fit was found by the check, and is missing here.

use jiff::civil::Date;

use super::{
    Action, Agreement, AtRest, Audience, Consent, ConsentLookup, ConsentSource, Controller, Custody, Detect, Industry,
    OnHit, Processing, Protect, Residency, Role, Rules, Transfer, Waiver,
};
use crate::config::check::Checker;
use crate::config::mapping::{path, stream_ref, text};
use crate::config::node::node;
use crate::config::project::{classes, flag, get, label, labels, one_or_many, whole};
use crate::config::source::Source;
use crate::config::yaml::{Raw, RawKind};
use crate::config::{Spanned, units};
use crate::error::codes::config as codes;
use crate::record::class::ALL as CLASSES;
use crate::record::{ClassId, ClassSet, Path};

/// How sure a detector has to be, in thousandths, unless said.
const THRESHOLD: u16 = 600;

/// `compliance:` of the project.
pub fn rules(checker: &mut Checker<'_>, raw: Option<&Raw>) -> Rules {
    let source = checker.source;
    let Some(raw) = raw else { return Rules::default() };
    let waiver = |raw: &Raw| {
        Some(Waiver {
            place: source.place(raw.start, raw.start + 1),
            check: label(raw, "check")?,
            at: label(raw, "at")?,
            owner: label(raw, "owner")?,
            reason: label(raw, "reason")?,
            until: date(raw, "until")?,
            ticket: label(raw, "ticket"),
        })
    };
    let role = |entry: &crate::config::yaml::Entry| Role {
        name: entry.key.clone(),
        can: labels(&entry.value, "can"),
        cannot: labels(&entry.value, "cannot"),
        members: labels(&entry.value, "members"),
        apart_from: labels(&entry.value, "apart_from"),
        reviewed: date(&entry.value, "reviewed"),
    };
    let kept = get(raw, "retention").map_or(&[][..], Raw::entries);
    Rules {
        industry: word(raw, "industry", Industry::NAMES),
        home: label(raw, "home"),
        controller: get(raw, "controller").map(|of| Controller {
            name: label(of, "name"),
            contact: label(of, "contact"),
            representative: label(of, "representative"),
            dpo: label(of, "dpo"),
        }),
        waivers: one_or_many(get(raw, "waivers")).filter_map(waiver).collect(),
        protect: protect(checker, get(raw, "protect")),
        custom: one_or_many(get(raw, "rules")).map(|raw| node(raw, source)).collect(),
        detect: get(raw, "detect").and_then(detect),
        retention: kept
            .iter()
            .filter_map(|entry| Some((ClassId::named(&entry.key)?, units::days(entry.value.text()?).ok()?)))
            .collect(),
        approvals: get(raw, "approvals").and_then(|raw| text(raw, source)),
        roles: get(raw, "roles").map_or(&[][..], Raw::entries).iter().map(role).collect(),
        standards_dir: get(raw, "standards_dir").and_then(|raw| text(raw, source)),
        destinations: get(raw, "destinations")
            .map(|raw| one_or_many(Some(raw)).filter_map(|raw| text(raw, source)).collect()),
    }
}

fn detect(raw: &Raw) -> Option<Detect> {
    let all: ClassSet = (0..CLASSES.len() as u8).map(ClassId).collect();
    let plain = |classes| Detect { classes, action: OnHit::default(), threshold: THRESHOLD };
    match raw.text() {
        Some("off") => return Some(plain(ClassSet::NONE)),
        Some("all") => return Some(plain(all)),
        _ => {}
    }
    if !matches!(raw.kind, RawKind::Map { .. }) {
        return None;
    }
    let share = get(raw, "threshold").and_then(|raw| match &raw.kind {
        RawKind::Number(text) => units::percent_to_ppm(text),
        _ => None,
    });
    Some(Detect {
        classes: get(raw, "classes").map_or(all, |raw| classes(Some(raw))),
        action: word(raw, "action", OnHit::NAMES).unwrap_or_default(),
        threshold: share.map_or(THRESHOLD, |ppm| u16::try_from(ppm / 1000).unwrap_or(THRESHOLD)),
    })
}

/// `protect:` of the project or of a mapping.
fn protect(checker: &mut Checker<'_>, raw: Option<&Raw>) -> Vec<Protect> {
    let mut made = Vec::new();
    for entry in raw.map_or(&[][..], Raw::entries) {
        let said = entry.value.text().map(str::to_owned).or_else(|| label(&entry.value, "action"));
        let (Some(class), Some(action)) = (ClassId::named(&entry.key), said.as_deref().and_then(Action::named)) else {
            continue;
        };
        let place = checker.source.place(entry.start, entry.end);
        let key = get(&entry.value, "key").and_then(|raw| text(raw, checker.source));
        if action.needs_key() && key.is_none() {
            let cause = format!("`{}` needs the name of a key", action.word());
            let fix = format!("write `{{ action: {}, key: NAME }}`, a key of `compliance: {{ keys }}`", action.word());
            checker.error(&codes::MISSING_KEY, entry.value.start, entry.value.end, cause, fix);
        }
        made.push(Protect { place, class, action, key });
    }
    made
}

/// `agreements` of a connector.
pub fn agreements(source: &Source, raw: Option<&Raw>) -> Vec<Agreement> {
    let Some(raw) = raw else { return Vec::new() };
    let listed = one_or_many(Some(raw)).filter_map(|raw| {
        let place = source.place(raw.start, raw.end);
        Some(Agreement { place, kind: raw.text()?.to_owned(), reference: None, until: None })
    });
    let mapped = raw.entries().iter().map(|entry| Agreement {
        place: source.place(entry.start, entry.end),
        kind: entry.key.clone(),
        reference: entry.value.text().map(str::to_owned).or_else(|| label(&entry.value, "reference")),
        until: date(&entry.value, "until"),
    });
    listed.chain(mapped).collect()
}

/// What a connector says of itself.
pub fn custody(raw: &Raw) -> Custody {
    Custody {
        environment: label(raw, "environment"),
        industry: word(raw, "industry", Industry::NAMES),
        kind: word(raw, "kind", Audience::NAMES),
        purposes: get(raw, "purposes").map(|_| labels(raw, "purposes")),
        retention_days: label(raw, "retention").and_then(|text| units::days(&text).ok()),
        at_rest: word(raw, "at_rest", AtRest::NAMES),
        owner: label(raw, "owner"),
        sells: flag(get(raw, "sells")).unwrap_or(false),
        rotated: date(raw, "rotated"),
    }
}

/// `compliance:` of a mapping; `key` is where it stands.
pub fn processing(checker: &mut Checker<'_>, raw: Option<&Raw>) -> Processing {
    let source = checker.source;
    let Some(raw) = raw else { return Processing::default() };
    let at = |name| get(raw, name).and_then(|raw| path(raw, source));
    let said = |name| get(raw, name).and_then(|raw| text(raw, source));
    Processing {
        place: Some(source.place(raw.start, raw.start + 1)),
        purpose: said("purpose"),
        basis: said("basis"),
        condition: said("condition"),
        consent: get(raw, "consent").and_then(|of| consent(checker, of, get(raw, "subject").is_some())),
        opt_out: at("opt_out"),
        residency: get(raw, "residency").and_then(|of| match of.text() {
            Some(_) => Some(Residency { field: path(of, source)?, stays: Vec::new() }),
            None => Some(Residency { field: path(get(of, "field")?, source)?, stays: labels(of, "stays") }),
        }),
        age: at("age"),
        parental: at("parental"),
        age_of_consent: whole(get(raw, "age_of_consent")).and_then(|age| u8::try_from(age).ok()),
        subject: at("subject"),
        people: labels(raw, "people"),
        recipients: labels(raw, "recipients"),
        transfer: get(raw, "transfer").and_then(|of| {
            Some(Transfer {
                place: source.place(of.start, of.start + 1),
                ground: label(of, "ground")?,
                reference: label(of, "reference"),
            })
        }),
        dpia: label(raw, "dpia"),
        authorisation: label(raw, "authorisation"),
        data_use_agreement: label(raw, "data_use_agreement"),
        safe_harbor: get(raw, "safe_harbor")
            .and_then(|raw| Some(Spanned { value: flag(Some(raw))?, place: source.place(raw.start, raw.end) })),
        disclosure: said("disclosure"),
        retention_days: label(raw, "retention").and_then(|text| units::days(&text).ok()),
        owner: label(raw, "owner"),
        approver: label(raw, "approver"),
        ticket: label(raw, "ticket"),
        totals: one_or_many(get(raw, "totals")).filter_map(|raw| path(raw, source)).collect(),
        protect: protect(checker, get(raw, "protect")),
        needs: get(raw, "needs").map(|raw| classes(Some(raw))),
    }
}

fn consent(checker: &mut Checker<'_>, raw: &Raw, subject: bool) -> Option<Consent> {
    let source = checker.source;
    let place = source.place(raw.start, raw.start + 1);
    if raw.text().is_some() {
        let field = path(raw, source);
        let (lookup, purpose, purposes, given, withdrawn) = (None, None, None, None, None);
        return Some(Consent { place, lookup, field, purpose, purposes, given, withdrawn });
    }
    let at = |name| get(raw, name).and_then(|raw| path(raw, source));
    let (field, purposes, given): (Option<Spanned<Path>>, _, _) = (at("field"), at("purposes"), at("given"));
    if field.is_none() && purposes.is_none() && given.is_none() {
        let cause = "nothing tells whether there is consent";
        let fix = "add `field`, `purposes` or `given`: the field that says it";
        checker.error(&codes::MISSING_KEY, raw.start, raw.start + 1, cause, fix);
    }
    let lookup = get(raw, "lookup").and_then(|of| {
        let from = match (get(of, "file"), get(of, "stream")) {
            (Some(file), None) => ConsentSource::File(text(file, source)?),
            (None, Some(stream)) => ConsentSource::Stream(stream_ref(stream, source)?),
            _ => {
                let cause = "consent is looked up in one place: a `file` or a `stream`";
                checker.error(&codes::MISSING_KEY, of.start, of.start + 1, cause, "give one of them");
                return None;
            }
        };
        let by = get(of, "by").and_then(|raw| path(raw, source));
        if by.is_none() && !subject {
            let cause = "nothing says which field of the record consent is looked up by";
            checker.error(&codes::MISSING_KEY, of.start, of.start + 1, cause, "add `by`, or `subject` of the route");
        }
        Some(ConsentLookup { from, key: path(get(of, "key")?, source)?, by })
    });
    let (purpose, withdrawn) = (label(raw, "purpose"), at("withdrawn"));
    Some(Consent { place, lookup, field, purpose, purposes, given, withdrawn })
}

impl Action {
    /// Whether it needs a key.
    pub fn needs_key(self) -> bool {
        use Action::{Encrypt, EncryptSiv, Fpe, Pseudonymize, RandomToken, Tokenize};
        matches!(self, Tokenize | Fpe | Encrypt | EncryptSiv | Pseudonymize | RandomToken)
    }
}

fn date(raw: &Raw, name: &str) -> Option<Date> {
    units::date(get(raw, name)?.text()?).ok()
}

fn word<T: Copy>(raw: &Raw, name: &str, names: &[(&str, T)]) -> Option<T> {
    let word = label(raw, name)?;
    names.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}
