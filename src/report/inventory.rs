//! The report of inventory: which systems there are, their streams and fields, which data classes are in
//! them, who may have them, and which routes touch them.

use super::classes;
use super::document::{Cell, Kind, Report, Section, Table, Tone, fact};
use super::provenance::Provenance;
use super::shape::counted;
use crate::config::{Mapping, Project};
use crate::error::Result;
use crate::record::ClassSet;
use crate::store::Store;

/// The report of inventory.
pub static KIND: Kind = Kind {
    name: "inventory",
    about: "systems, streams and fields with their data classes, and who uses them",
    version: 1,
};

/// Gathers what the project knows of systems; a store adds when each was last used.
///
/// # Errors
/// The state cannot be read.
pub fn gather(project: &Project, mappings: &[Mapping], store: Option<&Store>) -> Result<Report> {
    let query = "connectors, streams and mappings of the project as it stands, and when routes last ran";
    let mut provenance = match store {
        Some(store) => Provenance::of(store, query)?,
        None => Provenance::without_state(query),
    };
    let columns = ["system", "uses", "kind", "region", "owner", "read_by", "written_by", "last_success"];
    let mut systems = Table::new("systems", &columns, "The project has no connectors.");
    let columns = ["system", "tenant", "standards", "agreements", "cleared_for", "holds"];
    let mut custody = Table::new("custody", &columns, "").titled("what they hold, and may receive in clear");
    let columns = ["stream", "format", "key", "fields", "classes", "read_by", "written_by"];
    let mut streams = Table::new("streams", &columns, "No connector declares a stream, and no route uses one.");
    let columns = ["stream", "field", "type", "required", "classes", "regimes"];
    let mut fields = Table::new("fields", &columns, "No stream declares its fields.");
    let (mut classified, mut every) = (0_u64, 0_u64);
    for connector in project.connectors.values() {
        let reads = |stream: Option<&str>| -> Vec<String> {
            let of = |m: &&Mapping| m.from.connector == connector.name && stream.is_none_or(|s| m.from.stream == s);
            mappings.iter().filter(of).map(|m| m.name.value.clone()).collect()
        };
        let writes = |stream: Option<&str>| -> Vec<String> {
            let of = |m: &&Mapping| m.to.connector == connector.name && stream.is_none_or(|s| m.to.stream == s);
            mappings.iter().filter(of).map(|m| m.name.value.clone()).collect()
        };
        let mut holds = ClassSet::default();
        // Streams that routes use are there, declared or known by the pack alone.
        let mut names: Vec<&str> = connector.streams.keys().map(String::as_str).collect();
        for mapping in mappings {
            for reference in [&mapping.from, &mapping.to] {
                if reference.connector == connector.name && !names.contains(&reference.stream.as_str()) {
                    names.push(&reference.stream);
                }
            }
        }
        names.sort_unstable();
        for name in names {
            let spec = connector.spec.or_else(|| crate::connect::protocols::of(connector).map(|p| p.spec()));
            let Some(stream) = spec.and_then(|spec| connector.stream(name, spec)) else { continue };
            let mut found = ClassSet::default();
            let whole = format!("{}.{name}", connector.name);
            for field in &stream.fields {
                every += 1;
                classified += u64::from(!field.classes.is_empty());
                found = found.union(field.classes);
                fields.push(vec![
                    Cell::Code(whole.clone()),
                    Cell::Code(field.name.clone()),
                    Cell::Text(field.kind.to_string()),
                    Cell::Yes(field.required),
                    classes::names(field.classes),
                    classes::regimes(field.classes),
                ]);
            }
            holds = holds.union(found);
            streams.push(vec![
                Cell::Code(whole),
                stream.format.as_ref().map_or(Cell::Nothing, |format| Cell::Code(format.value.clone())),
                Cell::codes(stream.key.iter().map(ToString::to_string)),
                Cell::Count(stream.fields.len() as u64),
                classes::names(found),
                Cell::codes(reads(Some(name))),
                Cell::codes(writes(Some(name))),
            ]);
        }
        let mut last_success = None;
        if let Some(store) = store {
            for route in reads(None).into_iter().chain(writes(None)) {
                last_success = last_success.max(store.route(&route)?.last_success_ns);
            }
        }
        let word = |text: &Option<String>| text.as_ref().map_or(Cell::Nothing, |text| Cell::Text(text.clone()));
        systems.push(vec![
            Cell::Code(connector.name.clone()),
            Cell::Code(connector.uses.value.clone()),
            custody_kind(connector),
            word(&connector.region),
            word(&connector.custody.owner),
            Cell::codes(reads(None)),
            Cell::codes(writes(None)),
            Cell::moment(last_success),
        ]);
        custody.push(vec![
            Cell::Code(connector.name.clone()),
            word(&connector.tenant),
            Cell::codes(connector.standards.clone()),
            Cell::codes(connector.agreements.iter().map(|one| one.kind.clone())),
            connector.clearance.map_or(Cell::State(Tone::Quiet, "nothing was said".into()), classes::names),
            classes::names(holds),
        ]);
    }
    provenance = provenance
        .count("systems", systems.rows.len() as u64)
        .count("streams", streams.rows.len() as u64)
        .count("fields", every)
        .count("routes", mappings.len() as u64);
    provenance.configuration = vec![("project".to_string(), project.hash.clone())];
    provenance.configuration.extend(mappings.iter().map(|m| (m.name.value.replace('.', "_"), m.hash.clone())));
    let lead = format!(
        "{}, {}, {}; {} data classes.",
        counted(systems.rows.len() as u64, "system", "systems"),
        counted(streams.rows.len() as u64, "stream", "streams"),
        counted(every, "declared field", "declared fields"),
        counted(classified, "of them carries", "of them carry")
    );
    let mut report = Report::new(&KIND, "Inventory", provenance).lead(Tone::Plain, lead);
    let about = vec![
        fact("environment", project.environment.clone()),
        fact("standards", Cell::codes(project.compliance.standards.clone())),
    ];
    report.push(Section::new("systems", "Systems").facts("project", about).table(systems).table(custody));
    report.push(Section::new("streams", "Streams").table(streams));
    report.push(Section::new("fields", "Fields").table(fields));
    report.push(Section::new("classes", "Data classes in use").table(classes_table(project)));
    Ok(report)
}

fn custody_kind(connector: &crate::config::Connector) -> Cell {
    connector.custody.kind.map_or(Cell::Nothing, |kind| Cell::Text(kind.word().to_string()))
}

/// Where each class stands.
fn classes_table(project: &Project) -> Table {
    let mut table = Table::new("classes", &["class", "about", "fields", "systems"], "No field carries a data class.");
    let mut found: std::collections::BTreeMap<&str, (&str, u64, Vec<String>)> = std::collections::BTreeMap::new();
    for connector in project.connectors.values() {
        for field in connector.streams.values().flat_map(|stream| &stream.fields) {
            for id in field.classes.iter() {
                let entry = found.entry(id.class().name).or_insert_with(|| (id.class().about, 0, Vec::new()));
                entry.1 += 1;
                if !entry.2.contains(&connector.name) {
                    entry.2.push(connector.name.clone());
                }
            }
        }
    }
    for (class, (about, fields, systems)) in found {
        table.push(vec![Cell::Code(class.to_string()), about.into(), Cell::Count(fields), Cell::codes(systems)]);
    }
    table
}
