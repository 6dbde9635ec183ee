//! The report on a subject: what is known of one person or item over the whole log. For a person it is what an
//! access request asks for beside the data (GDPR Art. 15(1)(a) to (d), (g)) and the accounting of disclosures
//! (45 CFR 164.528): where their data went, when, to whom, for which purpose and on which basis, which classes
//! of it and how protected, what was kept back and why, what was set aside, that they were erased.
//!
//! It is made of events, runs and the configurations kept with these: what a route said of its purpose when it
//! ran, not what it says today. It holds no value of theirs and not the key that was asked for: only the
//! pseudonyms that events carry.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Cell, Kind, Report, Section, Table, Tile, Tone, fact, named};
use super::lineage::{self, Line};
use super::provenance::Provenance;
use super::shape::counted;
use crate::audit::Event;
use crate::error::{Result, codes};
use crate::store::subjects::{Known, Role};
use crate::store::{EventFilter, RunRow, Store};

/// The report on a subject.
pub static KIND: Kind = Kind {
    name: "subject",
    about: "what is known of one person or item: where their data went, for what, what was kept back or erased",
    version: 1,
};

/// What is asked.
pub struct Asked<'a> {
    /// The key, a text for each of its parts.
    pub key: &'a [&'a str],
    /// As what; `None`: as a person if one is known under the key, and what else it is known as.
    pub role: Option<Role>,
    /// The period: from, nanoseconds since 1970.
    pub from_ns: i64,
    /// Until, and not including it.
    pub to_ns: i64,
    /// Routes as they stand, compiled: what a run had that was made with the same mapping.
    pub routes: &'a [lineage::Subject<'a>],
}

/// What a run says of the data that it moved.
#[derive(Debug)]
struct Way {
    from: String,
    to: String,
    /// What the mapping says of its processing, and the project of its target.
    said: Value,
    target: Value,
    mapping: String,
    /// The classes that travelled.
    classes: Vec<String>,
    /// The fields of the source as they were declared.
    declared: Value,
}

/// Data of the subject that went somewhere: one event.
#[derive(Debug)]
struct Move<'e> {
    event: &'e Event,
    role: Role,
    way: usize,
}

/// Gathers what is known of a subject.
///
/// # Errors
/// The state cannot be read, or its key ring is gone.
pub fn gather(store: &Store, asked: &Asked<'_>) -> Result<(Report, Vec<String>)> {
    let known = asked_for(store, asked)?;
    let id = asked.key.first().map(|id| id.as_bytes()).filter(|_| asked.key.len() == 1);
    let erasure = match id {
        Some(id) => store.erasure(id)?.filter(|erased| erased.at_ns < asked.to_ns),
        None => None,
    };
    let mut ways = Ways { store, ways: Vec::new(), of_run: BTreeMap::new(), configs: BTreeMap::new() };
    let mut moves: Vec<Move<'_>> = Vec::new();
    let mut kept_back: Vec<(&Event, Role)> = Vec::new();
    let mut others: Vec<(&Event, Role)> = Vec::new();
    let inside = |time: i64| time >= asked.from_ns && time < asked.to_ns;
    let has_person = known.iter().any(|known| known.role == Role::Person);
    let pseudonyms: Vec<String> = known.iter().map(|known| known.pseudonym.clone()).collect();
    let mut provenance = Provenance::of(
        store,
        "every event about the subject, their runs and what was kept with these, dead letters, erasures",
    )?
    .parameter("as", asked.role.map_or(Cell::from("whatever it is known as"), |role| Cell::from(role.word())))
    .parameter("from", Cell::Moment(asked.from_ns))
    .parameter("to", Cell::Moment(asked.to_ns));
    provenance.log = Some(store.log_standing(Some(asked.to_ns))?);
    for one in &known {
        for event in one.events.iter().rev().filter(|event| inside(event.time)) {
            let way = ways.of(event)?;
            // Where a route says whose its records are, a record with the same key as the person is another's.
            let of_another = has_person
                && one.role == Role::Record
                && asked.role.is_none()
                && way.is_some_and(|way| !ways.ways[way].said["subject"].is_null());
            if of_another {
                continue;
            }
            provenance.saw(event.seq);
            match (event.action.as_str(), way) {
                ("records.withheld", _) => kept_back.push((event, one.role)),
                ("group.settled", Some(way)) => moves.push(Move { event, role: one.role, way }),
                _ => others.push((event, one.role)),
            }
        }
    }
    moves.sort_by_key(|moved| moved.event.seq);
    others.sort_by_key(|(event, _)| event.seq);
    kept_back.sort_by_key(|(event, _)| event.seq);
    let mut letters = store.letters_of_subject(asked.key)?;
    letters.retain(|letter| inside(letter.created_ns));
    letters.reverse();
    provenance = provenance
        .count("events", (moves.len() + others.len() + kept_back.len()) as u64)
        .count("dead_letters", letters.len() as u64);
    provenance.configuration = ways.configuration();

    let recipients = ways.recipients(&moves);
    let lead = said(&moves, recipients.len(), &kept_back, letters.len(), erasure.is_some(), known.is_empty());
    let mut report = Report::new(&KIND, "What is known of one subject", provenance).lead(lead.0, lead.1);
    report.push(subject(store, asked, &known, &erasure, &moves)?);
    report.push(Section::new("summary", "In short").tiles(
        "counts",
        vec![
            tile("movements", "times data moved", moves.len(), Tone::Plain),
            tile("recipients", "systems that got it", recipients.len(), Tone::Plain),
            tile("withheld", "times kept back", kept_back.len(), Tone::Plain),
            tile(
                "dead_letters",
                "dead letters",
                letters.len(),
                if letters.is_empty() { Tone::Plain } else { Tone::Warn },
            ),
        ],
    ));
    report.push(went(&ways, &recipients));
    report.push(accounting(&ways, &moves));
    report.push(carried(store, asked, &ways, &moves)?);
    report.push(movements(&ways, &moves));
    let withheld = match asked.role {
        Some(Role::Person) => Vec::new(),
        _ => store.withheld(store.subject_token(asked.key))?,
    };
    let mut table = Table::new(
        "withheld",
        &["time", "route", "why", "code", "known_as", "run", "event"],
        "No record was kept back.",
    )
    .label("known_as", "known as");
    for (event, role) in &kept_back {
        let code = event.details.get("code").and_then(Value::as_str).unwrap_or_default();
        table.push(vec![
            Cell::Moment(event.time),
            Cell::code(event.route.clone()),
            Cell::from(title(code)),
            Cell::Code(code.to_string()),
            Cell::from(role.word()),
            Cell::code(event.run.clone()),
            Cell::Count(event.seq),
        ]);
    }
    // Records that were kept back before whose they are was kept account of, or on routes that do not say it.
    for row in withheld.iter().filter(|row| inside(row.at_ns)) {
        let told = |event: &&(&Event, Role)| event.0.run.as_deref() == Some(row.run.as_str());
        if !kept_back.iter().any(|event| told(&event)) {
            table.push(vec![
                Cell::Moment(row.at_ns),
                Cell::Code(row.route.clone()),
                Cell::from(title(&row.code)),
                Cell::Code(row.code.clone()),
                Cell::from(Role::Record.word()),
                Cell::Code(row.run.clone()),
                Cell::Nothing,
            ]);
        }
    }
    report.push(Section::new("withheld", "Records that were kept back").table(table));
    let columns = ["time", "route", "state", "why", "field", "classes", "kept_until", "run", "letter"];
    let mut table = Table::new("letters", &columns, "No record was set aside.").label("kept_until", "kept until");
    for letter in &letters {
        table.push(vec![
            Cell::Moment(letter.created_ns),
            Cell::Code(letter.route.clone()),
            Cell::from(letter.state.word()),
            // The cause may show a key.
            Cell::from(title(&letter.code)),
            Cell::code(letter.field.clone()),
            Cell::codes(letter.classes.iter().map(|id| id.class().name)),
            Cell::Moment(letter.expires_ns),
            Cell::Code(letter.run.clone()),
            Cell::Code(letter.id.clone()),
        ]);
    }
    report.push(Section::new("letters", "Records that were set aside").table(table).text(
        "Their content is sealed in the state and goes when they are replayed, given up, past their time, or erased.",
    ));
    let mut table =
        Table::new("events", &["time", "what", "outcome", "of", "reason", "who", "event"], "Nothing else is recorded.");
    for (event, _) in &others {
        table.push(vec![
            Cell::Moment(event.time),
            Cell::Code(event.action.clone()),
            Cell::from(event.outcome.word()),
            Cell::from(event.resource.clone()),
            Cell::from(event.reason.clone()),
            Cell::from(event.actor.clone()),
            Cell::Count(event.seq),
        ]);
    }
    report.push(Section::new("others", "What else is recorded").table(table));
    report.push(Section::new("limits", "What this does not hold").text(
        "No value of the subject, and not the key that was asked for. The data itself is in the systems named above. \
         Known are routes that say whose their records are (`compliance: subject`), or that keep account of records \
         (`audit: items`), since they say it; what was pruned from the log is gone.",
    ));
    Ok((report, pseudonyms))
}

fn asked_for(store: &Store, asked: &Asked<'_>) -> Result<Vec<Known>> {
    let mut known = store.subject_known(asked.key, 0)?;
    known.retain(|known| asked.role.is_none_or(|role| role == known.role));
    Ok(known)
}

fn said(
    moves: &[Move<'_>],
    recipients: usize,
    kept_back: &[(&Event, Role)],
    letters: usize,
    erased: bool,
    unknown: bool,
) -> (Tone, String) {
    let gone = if erased { " They were erased: what was recorded before points to nobody." } else { "" };
    if unknown && letters == 0 {
        return (Tone::Quiet, format!("Nothing is known under this key.{gone}"));
    }
    let text = format!(
        "Data moved {} to {}; {} kept back, {} set aside.{gone}",
        counted(moves.len() as u64, "time", "times"),
        counted(recipients as u64, "system", "systems"),
        counted(kept_back.len() as u64, "record", "records"),
        counted(letters as u64, "record", "records"),
    );
    (if letters > 0 { Tone::Warn } else { Tone::Plain }, text)
}

fn tile(key: &'static str, label: &'static str, count: usize, tone: Tone) -> Tile {
    Tile { key: key.into(), label: label.into(), value: Cell::Count(count as u64), tone, more: None }
}

/// What a code means.
fn title(code: &str) -> String {
    codes::all().find(|known| known.id == code).map_or_else(|| code.to_string(), |known| known.title.to_string())
}

fn subject(
    store: &Store,
    asked: &Asked<'_>,
    known: &[Known],
    erasure: &Option<crate::store::vault::Erasure>,
    moves: &[Move<'_>],
) -> Result<Section> {
    let mut facts = vec![
        named("asked", "the key", format!("given in {}, not shown", counted(asked.key.len() as u64, "part", "parts"))),
        named("from", "period from", Cell::Moment(asked.from_ns)),
        named("to", "to", Cell::Moment(asked.to_ns)),
    ];
    for one in known {
        facts.push(named(
            format!("pseudonym_{}", one.role.word()),
            format!("pseudonym as a {}", one.role.word()),
            Cell::Code(one.pseudonym.clone()),
        ));
    }
    facts.push(named("first", "data moved first", Cell::moment(moves.first().map(|moved| moved.event.time))));
    facts.push(named("last", "data moved last", Cell::moment(moves.last().map(|moved| moved.event.time))));
    if let [id] = asked.key {
        let keys = store.keys_of_subject(id.as_bytes())?;
        facts.push(named("own_keys", "values sealed with a key of their own, under", Cell::codes(keys)));
    }
    match erasure {
        Some(erased) => {
            facts.push(named("erased", "erased", Cell::Moment(erased.at_ns)));
            facts.push(named("erased_by", "by", Cell::from(erased.actor.clone())));
            facts.push(named("erased_why", "reason", Cell::from(erased.reason.clone())));
            facts.push(named("erased_as", "in the log as", Cell::Code(format!("subject {}", erased.name))));
        }
        None => facts.push(fact("erased", Cell::Yes(false))),
    }
    Ok(Section::new("subject", "The subject").facts("facts", facts))
}

/// The systems that got data, each with what is said of it.
fn went(ways: &Ways<'_>, recipients: &BTreeMap<Reached, Times>) -> Section {
    let columns = ["system", "stream", "recipients", "kind", "region", "purpose", "basis", "safeguard", "times"];
    let mut table = Table::new("recipients", &columns, "No data of theirs went anywhere.");
    let mut spans =
        Table::new("spans", &["system", "stream", "classes", "first", "last"], "").titled("Which classes, and when");
    for (reached, times) in recipients {
        let way = &ways.ways[reached.way];
        let (system, stream) = way.to.split_once('.').unwrap_or((&way.to, ""));
        table.push(vec![
            Cell::Code(system.to_string()),
            Cell::Code(stream.to_string()),
            texts(&way.said["recipients"]),
            text(&way.target["kind"]),
            text(&way.target["region"]),
            text(&way.said["purpose"]),
            text(&way.said["basis"]),
            safeguard(way),
            Cell::Count(times.count),
        ]);
        spans.push(vec![
            Cell::Code(system.to_string()),
            Cell::Code(stream.to_string()),
            Cell::codes(way.classes.iter().cloned()),
            Cell::Moment(times.first),
            Cell::Moment(times.last),
        ]);
    }
    let section = Section::new("recipients", "Where their data went").table(table);
    if spans.rows.is_empty() { section } else { section.table(spans) }
}

/// Disclosures as 45 CFR 164.528(b)(2) asks for them, repeated ones to one recipient told together (b)(3).
fn accounting(ways: &Ways<'_>, moves: &[Move<'_>]) -> Section {
    let columns = ["first", "last", "times", "recipient", "address", "what", "purpose", "event"];
    let mut table =
        Table::new("disclosures", &columns, "No disclosure is to be accounted for.").label("event", "first event");
    let mut exempt =
        Table::new("not_listed", &["disclosure", "system", "times"], "").titled("Disclosures that need not be listed");
    let mut listed: BTreeMap<(String, usize), (Times, u64)> = BTreeMap::new();
    let mut left_out: BTreeMap<(String, String), u64> = BTreeMap::new();
    for moved in moves {
        let way = &ways.ways[moved.way];
        let system = way.to.split_once('.').map_or(way.to.as_str(), |(system, _)| system).to_string();
        let external = way.target["kind"].as_str().is_some_and(|kind| kind != "internal");
        match way.said["disclosure"].as_str() {
            Some("accountable") => {}
            Some(word) => {
                *left_out.entry((word.replace('_', " "), system)).or_default() += 1;
                continue;
            }
            None if external => {}
            None => {
                *left_out.entry(("within the organisation".to_string(), system)).or_default() += 1;
                continue;
            }
        }
        let entry = listed.entry((system, moved.way)).or_insert_with(|| (Times::default(), moved.event.seq));
        entry.0.add(moved.event);
    }
    for ((system, way), (times, seq)) in listed {
        let way = &ways.ways[way];
        let named = match &way.said["recipients"] {
            Value::Array(names) if !names.is_empty() => texts(&way.said["recipients"]),
            _ => Cell::Code(system),
        };
        table.push(vec![
            Cell::Moment(times.first),
            Cell::Moment(times.last),
            Cell::Count(times.count),
            named,
            address(way),
            Cell::codes(way.classes.iter().cloned()),
            text(&way.said["purpose"]),
            Cell::Count(seq),
        ]);
    }
    for ((disclosure, system), times) in left_out {
        exempt.push(vec![Cell::from(disclosure), Cell::Code(system), Cell::Count(times)]);
    }
    let section = Section::new("accounting", "Accounting of disclosures").table(table);
    let section = if exempt.rows.is_empty() { section } else { section.table(exempt) };
    section.text(
        "Listed is what a route declares as `disclosure: accountable`, and what goes outside without a word of it; \
         several to one recipient stand in one row, with the first, the last and their number.",
    )
}

/// Which fields went, and what protects them.
fn carried(store: &Store, asked: &Asked<'_>, ways: &Ways<'_>, moves: &[Move<'_>]) -> Result<Section> {
    let columns = ["to", "field", "made_of", "holds", "in_clear", "protected_by"];
    let mut table = Table::new("fields", &columns, "No field went anywhere.")
        .label("made_of", "made of")
        .label("in_clear", "written in clear")
        .label("protected_by", "protected by");
    let mut told: Vec<(&str, &str)> = Vec::new();
    for moved in moves {
        let way = &ways.ways[moved.way];
        let this = (way.to.as_str(), way.mapping.as_str());
        if told.contains(&this) {
            continue;
        }
        told.push(this);
        for line in lines(store, asked, way, &ways.declared(way))? {
            table.push(vec![
                Cell::Code(way.to.clone()),
                Cell::Code(line.target),
                Cell::codes(line.sources),
                Cell::codes(line.classes_in),
                Cell::codes(line.classes_out),
                Cell::codes(line.protected_by),
            ]);
        }
    }
    Ok(Section::new("fields", "Which fields, and how protected").table(table))
}

fn lines(store: &Store, asked: &Asked<'_>, way: &Way, declared: &BTreeMap<String, Vec<String>>) -> Result<Vec<Line>> {
    let compiled = asked.routes.iter().find(|route| route.hash == way.mapping);
    let mut lines = lineage::lines(store, compiled, &way.mapping)?;
    if compiled.is_none() {
        // Of a mapping that is no more only its text is known: classes are those that its source declared.
        for line in &mut lines {
            let found = line.sources.iter().filter_map(|source| declared.get(source)).flatten();
            let found: Vec<String> = found.cloned().collect();
            if line.protected_by.is_empty() {
                line.classes_out.extend(found.iter().cloned());
            }
            line.classes_in.extend(found);
        }
    }
    Ok(lines)
}

fn movements(ways: &Ways<'_>, moves: &[Move<'_>]) -> Section {
    let columns = ["time", "from", "to", "purpose", "outcome", "known_as", "risk", "run", "event"];
    let mut table = Table::new("movements", &columns, "Nothing moved.").label("known_as", "known as");
    for moved in moves {
        let way = &ways.ways[moved.way];
        table.push(vec![
            Cell::Moment(moved.event.time),
            Cell::Code(way.from.clone()),
            Cell::Code(way.to.clone()),
            text(&way.said["purpose"]),
            Cell::from(moved.event.outcome.word()),
            Cell::from(moved.role.word()),
            Cell::Number(moved.event.risk, ""),
            Cell::code(moved.event.run.clone()),
            Cell::Count(moved.event.seq),
        ]);
    }
    Section::new("movements", "Each time").table(table).text(
        "An event is a group of records among which theirs were; `consign audit prove EVENT` proves it to somebody else.",
    )
}

fn text(value: &Value) -> Cell {
    value.as_str().map_or(Cell::Nothing, Cell::from)
}

fn texts(value: &Value) -> Cell {
    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<Cell> = names.map(Cell::from).collect();
    if names.is_empty() { Cell::Nothing } else { Cell::Many(names) }
}

/// What holds the recipient to it: agreements, the ground of a transfer.
fn safeguard(way: &Way) -> Cell {
    let mut found: Vec<String> = way.target["agreements"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some(one.as_str()?.to_string()))
        .collect();
    if let Some(ground) = way.said["transfer"]["ground"].as_str() {
        found.push(match way.said["transfer"]["reference"].as_str() {
            Some(reference) => format!("{ground} ({reference})"),
            None => ground.to_string(),
        });
    }
    if found.is_empty() { Cell::Nothing } else { Cell::Many(found.into_iter().map(Cell::from).collect()) }
}

/// Where the recipient is reached, as its connector says: a reference as it is written, never what it was filled
/// with.
fn address(way: &Way) -> Cell {
    let with = &way.target["with"];
    let found =
        ["base_url", "url", "host", "server", "path", "shop", "instance"].iter().find_map(|name| with[*name].as_str());
    found.map_or(Cell::Nothing, |found| Cell::Code(found.to_string()))
}

/// A system that was reached in one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    to: String,
    way: usize,
}

/// How often, from when until when.
#[derive(Debug, Default)]
struct Times {
    count: u64,
    first: i64,
    last: i64,
}

impl Times {
    fn add(&mut self, event: &Event) {
        if self.count == 0 {
            self.first = event.time;
        }
        self.count += 1;
        self.last = event.time;
    }
}

/// What runs said, each way once.
struct Ways<'s> {
    store: &'s Store,
    ways: Vec<Way>,
    of_run: BTreeMap<String, Option<usize>>,
    configs: BTreeMap<(String, String), usize>,
}

impl Ways<'_> {
    /// The way that the data of an event went; `None`: it is of no run, or the run is gone.
    fn of(&mut self, event: &Event) -> Result<Option<usize>> {
        let Some(run) = &event.run else { return Ok(None) };
        if let Some(known) = self.of_run.get(run) {
            return Ok(*known);
        }
        // A run may be gone where its events still are.
        let found = match self.store.run(run) {
            Ok(row) => Some(self.way(&row)?),
            Err(_) => None,
        };
        self.of_run.insert(run.clone(), found);
        Ok(found)
    }

    fn way(&mut self, run: &RunRow) -> Result<usize> {
        let key = (run.mapping.clone(), run.project.clone());
        if let Some(known) = self.configs.get(&key) {
            return Ok(*known);
        }
        let kept = |hash: &str| -> Result<Value> {
            Ok(self.store.config(hash)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
        };
        let (mapping, project) = (kept(&run.mapping)?, kept(&run.project)?);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let (from, to) = (word(&mapping["from"]), word(&mapping["to"]));
        let target = to.split_once('.').map_or(to.as_str(), |(system, _)| system);
        let target = project["connectors"][target].clone();
        // A run says once which classes travel.
        let began = EventFilter {
            run: Some(run.id.clone()),
            action: Some("run.started".into()),
            limit: 1,
            ..EventFilter::default()
        };
        let classes = self.store.audit_events(&began)?.pop().map_or_else(Vec::new, |event| event.classes);
        let said = mapping["compliance"].clone();
        let (system, stream) = from.split_once('.').unwrap_or((&from, ""));
        let declared = project["connectors"][system]["streams"][stream]["fields"].clone();
        self.ways.push(Way { from, to, said, target, mapping: run.mapping.clone(), classes, declared });
        self.configs.insert(key, self.ways.len() - 1);
        Ok(self.ways.len() - 1)
    }

    /// The classes of the source's fields as they were declared when a way was gone, by field.
    fn declared(&self, way: &Way) -> BTreeMap<String, Vec<String>> {
        let field = |field: &Value| {
            let classes = field["class"].as_array()?.iter().filter_map(|class| Some(class.as_str()?.to_string()));
            Some((field["name"].as_str()?.to_string(), classes.collect()))
        };
        way.declared.as_array().into_iter().flatten().filter_map(field).collect()
    }

    fn recipients(&self, moves: &[Move<'_>]) -> BTreeMap<Reached, Times> {
        let mut found: BTreeMap<Reached, Times> = BTreeMap::new();
        for moved in moves {
            // What was said the same way is one row, whatever else changed in the mapping.
            let this = &self.ways[moved.way];
            let same = self
                .ways
                .iter()
                .position(|way| way.to == this.to && way.said == this.said && way.target == this.target);
            let reached = Reached { to: this.to.clone(), way: same.unwrap_or(moved.way) };
            found.entry(reached).or_default().add(moved.event);
        }
        found
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for (mapping, project) in self.configs.keys() {
            for (of, hash) in [("mapping", mapping), ("project", project)] {
                if !found.iter().any(|(_, known)| known == hash) {
                    let of = format!("{of}_{}", found.iter().filter(|(name, _)| name.starts_with(of)).count() + 1);
                    found.push((of, hash.clone()));
                }
            }
        }
        found
    }
}
