//! What a route asks of each record beside its mapping, brought together for a run: who was erased, what was
//! consented to, what is looked for.

use std::sync::{Arc, OnceLock};

use super::plan::{End, Plan};
use crate::comply::inline::{ConsentRow, Consents, Detection, Erased, Gates, Inline, Residency, Sums};
use crate::config::{
    Catalog, ConsentLookup, ConsentSource, Environment, FileText, FormatSpec, Mode, Project, ProtocolSpec, Resolver,
    Spanned, StreamRef, load_texts,
};
use crate::connect::protocols::{self, ReadRequest};
use crate::connect::{RecordError, Rows, formats};
use crate::error::codes::comply::GATE;
use crate::error::{Error, Kind, Result};
use crate::map::Governed;
use crate::record::{Arena, Path, Projection, Row, Timestamp, Type};
use crate::store::Store;

/// What fingerprints and hashes of one run are made with is derived for this.
const FINGERPRINTS: &str = "consign 2026 fingerprints of what was detected";
const PEOPLE: &str = "consign 2026 people whose consent is looked up";

/// Brings together what a route asks of its records; `None`: nothing. Reads what consent is looked up in.
///
/// # Errors
/// What consent is looked up in cannot be read as a whole, or the state cannot be read.
pub fn prepare(plan: &Plan, project: &Project, store: Option<&Store>, now: Timestamp) -> Result<Option<Arc<Inline>>> {
    let (route, said, rules) = (&plan.route, &plan.mapping.compliance, &project.compliance.rules);
    let secret = store.map_or([0; 16], Store::record_secret);
    let derived = |context: &str| blake3::derive_key(context, &secret);
    let mut gates = Gates {
        slots: route.governed.clone(),
        purpose: said.consent_purpose().map(str::to_owned),
        asks_consent: said.consent.is_some(),
        age_of_consent: said.age_of_consent,
        residency: Residency::of(&plan.mapping, &plan.to.connector, project, day(now)),
        ..Gates::default()
    };
    if let Some(lookup) = said.consent.as_ref().and_then(|consent| consent.lookup.as_ref()) {
        let consents = Consents::new(derived(PEOPLE), gates.purpose.clone(), now);
        gates.consents = Some(look_up(plan, project, lookup, consents)?);
    }
    if let Some(store) = store.filter(|_| said.subject.is_some()) {
        let tombstones = store.tombstones()?;
        let known = tombstones.known().clone();
        gates.erased = Some(Erased::new(known, Box::new(move |id| tombstones.reference(id))));
    }
    let detection = rules.detect.as_ref().and_then(|asked| Detection::new(asked, route, derived(FINGERPRINTS)));
    let inline = Inline {
        gates: Some(gates).filter(|gates| !gates.is_empty()),
        detection,
        sums: Sums::new(route),
        withholds: !route.withholding().is_empty(),
    };
    Ok((!inline.is_empty()).then(|| Arc::new(inline)))
}

/// The day of a moment, in UTC.
fn day(now: Timestamp) -> jiff::civil::Date {
    let moment = jiff::Timestamp::from_second(now.seconds).unwrap_or_default();
    moment.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Reads all consents.
fn look_up(plan: &Plan, project: &Project, lookup: &ConsentLookup, mut consents: Consents) -> Result<Consents> {
    let resolver = Resolver::new(&project.root, Environment::process());
    let end = match &lookup.from {
        ConsentSource::Stream(stream) => End::new(project, stream, &resolver)?,
        ConsentSource::File(file) => beside(project, file, &resolver)?,
    };
    let doing = |error: Error| error.doing(format!("looking up consent for `{}` in {}", plan.name(), end.shown()));
    let said = plan.mapping.compliance.consent.as_ref();
    let mut projection = Projection::default();
    let key = projection.slot(&lookup.key.value, Type::Dyn);
    let mut slots = Governed::default();
    {
        let mut ask = |path: Option<&Spanned<Path>>| {
            let path = path?;
            let slot = projection.slot(&path.value, Type::Dyn);
            slots.names.push((slot, path.value.to_string()));
            Some(slot)
        };
        let (field, purposes) = (
            ask(said.and_then(|consent| consent.field.as_ref())),
            ask(said.and_then(|consent| consent.purposes.as_ref())),
        );
        let (given, withdrawn) = (
            ask(said.and_then(|consent| consent.given.as_ref())),
            ask(said.and_then(|consent| consent.withdrawn.as_ref())),
        );
        (slots.consent, slots.purposes, slots.given, slots.withdrawn) = (field, purposes, given, withdrawn);
    }
    let request = ReadRequest {
        root: &project.root,
        connector: &end.connector,
        stream: &end.stream,
        format: end.format,
        mode: Mode::Mirror,
        settled: &[],
        only: None,
        window: None,
    };
    let mut source = end.protocol.source(&request).map_err(doing)?;
    let mut decoder = end.protocol.decoder(&request).map_err(doing)?;
    let mut arena = Arena::new();
    while let Some(part) = source.next().map_err(doing)? {
        arena.reset();
        let mut rows = Taken { consents: &mut consents, slots: &slots, key, failed: None };
        decoder.decode(&part, &projection, &arena, &mut rows).map_err(doing)?;
        if let Some((line, field, cause)) = rows.failed {
            let cause = format!("what consent is looked up in cannot be read: {cause}");
            let line = part.start.line + u64::from(line) + 1;
            return Err(doing(
                Error::new(Kind::Invalid, &GATE, cause)
                    .fact("record", format!("{}:{line}", part.name))
                    .fact("field", field.unwrap_or_default())
                    .hint("correct it in its source: nothing moves while it is not known who agreed"),
            ));
        }
    }
    Ok(consents)
}

/// A file of the project as an end to read from: as if a connector of its own named it.
fn beside(project: &Project, file: &Spanned<String>, resolver: &Resolver) -> Result<End> {
    let path = serde_json::Value::from(file.value.as_str());
    let written = format!(
        "version: 1\nconnectors: {{ consents: {{ use: file, with: {{ path: . }}, streams: {{ consents: {{ path: {path} }} }} }} }}\n"
    );
    static PROTOCOLS: OnceLock<Vec<&'static ProtocolSpec>> = OnceLock::new();
    static FORMATS: OnceLock<Vec<&'static FormatSpec>> = OnceLock::new();
    let catalog = Catalog {
        protocols: PROTOCOLS.get_or_init(|| protocols::ALL.iter().map(|protocol| protocol.spec()).collect()),
        formats: FORMATS.get_or_init(|| formats::ALL.iter().map(|format| format.spec()).collect()),
        shelf: None,
    };
    let text = FileText { name: file.place.file.to_string(), bytes: written.into_bytes() };
    let loaded = load_texts(project.root.clone(), Some(text), Vec::new(), None, &catalog);
    let Some(made) = loaded.project.as_ref().filter(|_| !loaded.has_errors()) else {
        let cause = loaded.findings.first().map_or_else(String::new, |finding| format!(": {}", finding.cause));
        return Err(Error::new(Kind::Invalid, &GATE, format!("`{}` cannot be looked up in{cause}", file.value))
            .at(file.place.clone())
            .hint("name a CSV, JSON or NDJSON file by its path from the folder of connectors.yaml"));
    };
    let stream = StreamRef { connector: "consents".into(), stream: "consents".into(), place: file.place.clone() };
    End::new(made, &stream, resolver)
}

struct Taken<'t> {
    consents: &'t mut Consents,
    slots: &'t Governed,
    key: usize,
    failed: Option<(u32, Option<String>, String)>,
}

impl<'a> Rows<'a> for Taken<'_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        let key = row.slots.get(self.key).copied().unwrap_or_default();
        match self.consents.add(self.slots, ConsentRow { key, slots: row.slots }) {
            Ok(()) => true,
            Err((field, cause)) => {
                self.failed = Some((row.line, Some(field), cause.to_owned()));
                false
            }
        }
    }

    fn bad(&mut self, error: RecordError) -> bool {
        self.failed = Some((error.line, error.field, error.cause));
        false
    }
}
