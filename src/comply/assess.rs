//! What a check says of one thing, and how a project as a whole is held against standards: the
//! same call for `consign audit check` and for `consign report compliance`.
//!
//! A *primitive* ([`Primitive`], `P01` …) is a test in code. A *control* of a standard is data that
//! names primitives with parameters ([`super::standards`]). [`check_project`] runs every control and
//! gives one [`Assessment`] for each thing that was looked at. Nothing here reads a file, a clock or
//! the state: what is recorded comes as [`Facts`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::primitives;
use super::standards::{Control, Standard};
use crate::config::{Connector, Mapping, Project};
use crate::error::Place;
use crate::map::Route;
use crate::record::path::Step;
use crate::record::{ClassId, ClassSet, Field, Path};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There is nothing here that it is about.
    NotApplicable,
    /// It holds.
    Pass,
    /// What it takes to tell is not at hand.
    NotTested,
    /// It holds for now, or in part.
    Warn,
    /// It does not hold.
    Fail,
}

impl Status {
    /// Every one, the best first.
    pub const ALL: [Self; 5] = [Self::NotApplicable, Self::Pass, Self::NotTested, Self::Warn, Self::Fail];

    /// The word that is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Pass => "pass",
            Self::NotTested => "not_tested",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// How grave it is where a control does not hold, rising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// Worth a look.
    Low,
    /// To be mended.
    #[default]
    Medium,
    /// To be mended soon.
    High,
    /// To be mended before anything moves.
    Critical,
}

impl Gravity {
    /// Every one, rising.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word that is written and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The one with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gravity| gravity.word() == word)
    }
}

/// When a primitive works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Over configuration and mappings, before anything moves.
    Static,
    /// Over values, while they move: the run does it, the check over a project looks whether it is on.
    Inline,
    /// Over what was recorded.
    Periodic,
}

/// A test in code that controls of standards are made of.
#[derive(Debug)]
pub struct Primitive {
    /// `P01` …: stable, in findings and in the log.
    pub id: &'static str,
    /// Its name: that of its file.
    pub name: &'static str,
    /// One sentence: what holds where it passes.
    pub about: &'static str,
    /// When it works.
    pub moments: &'static [Moment],
    /// Looks at a project.
    pub run: fn(&Subject<'_>, &Parameters, &mut Notes),
}

/// What a control asks of a primitive. Each primitive says which of it it looks at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Data classes it is about, and those below them; none: every class.
    pub classes: Vec<String>,
    /// Data classes it is not about.
    pub except: Vec<String>,
    /// Agreements, grounds or references one of which must be there.
    pub any_of: Vec<String>,
    /// The same, all of them.
    pub all_of: Vec<String>,
    /// What must not be there.
    pub none_of: Vec<String>,
    /// A number of days: at least, or at most.
    pub days: Option<u32>,
    /// A second one.
    pub and_days: Option<u32>,
    /// A number of hours.
    pub hours: Option<u32>,
    /// A number of years of age.
    pub years: Option<u32>,
    /// A number of records.
    pub records: Option<u64>,
    /// Which part of the primitive: each says which words it knows.
    pub part: Option<String>,
    /// Only where a target is outside: of somebody else.
    pub external: bool,
}

impl Parameters {
    /// The classes it is about.
    pub fn classes(&self) -> ClassSet {
        let named = |names: &[String]| names.iter().filter_map(|name| ClassId::named(name)).collect::<Vec<_>>();
        let (wanted, except) = (named(&self.classes), named(&self.except));
        let all = (0..crate::record::class::ALL.len() as u8).map(ClassId);
        all.filter(|id| wanted.is_empty() && self.classes.is_empty() || wanted.iter().any(|one| id.is_within(*one)))
            .filter(|id| id.class().sensitivity > 0 && !except.iter().any(|one| id.is_within(*one)))
            .collect()
    }

    /// Whether it asks for this part.
    pub fn wants(&self, part: &str) -> bool {
        self.part.as_deref() == Some(part)
    }
}

/// A project, and what is known of it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The configuration.
    pub project: &'a Project,
    /// Its mappings.
    pub mappings: &'a [Mapping],
    /// Its routes.
    pub routes: Vec<Way<'a>>,
    /// What was recorded, and what lies around.
    pub facts: &'a Facts,
    /// The moment it is, nanoseconds since 1970.
    pub now_ns: i64,
}

/// A route with its ends.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// The same compiled; `None` if it has errors.
    pub route: Option<&'a Route>,
    /// Where it comes from.
    pub source: &'a Connector,
    /// Where it goes.
    pub target: &'a Connector,
}

impl<'a> Subject<'a> {
    /// Of a project, its mappings and their routes (in the order of the mappings).
    pub fn new(
        project: &'a Project,
        mappings: &'a [Mapping],
        routes: impl IntoIterator<Item = Option<&'a Route>>,
        facts: &'a Facts,
        now_ns: i64,
    ) -> Self {
        let routes = mappings.iter().zip(routes).filter_map(|(mapping, route)| {
            let end = |name: &str| project.connectors.get(name);
            let (source, target) = (end(&mapping.from.connector)?, end(&mapping.to.connector)?);
            Some(Way { mapping, route, source, target })
        });
        Self { project, mappings, routes: routes.collect(), facts, now_ns }
    }

    /// Whether a standard that the project is held to keeps records for so many days, whatever retention says.
    pub fn standards_keep(&self, days: u32) -> bool {
        let of_connectors = self.project.connectors.values().flat_map(|connector| &connector.standards);
        let held = self.project.compliance.standards.iter().chain(of_connectors);
        held.filter_map(|name| super::standards::named(name)?.keeps.as_ref()).any(|keeps| keeps.days >= days)
    }

    /// The routes whose source holds one of these classes, or that write one.
    pub fn carrying(&self, classes: ClassSet) -> impl Iterator<Item = &Way<'a>> {
        self.routes.iter().filter(move |way| !way.carries().both(classes).is_empty())
    }

    /// The connectors that one of these classes goes through, with what of them it is.
    pub fn touched(&self, classes: ClassSet) -> BTreeMap<&'a str, (&'a Connector, ClassSet)> {
        let mut found: BTreeMap<&str, (&Connector, ClassSet)> = BTreeMap::new();
        for way in &self.routes {
            for (connector, there) in [(way.source, way.read()), (way.target, way.written())] {
                let here = there.both(classes);
                if !here.is_empty() {
                    let entry = found.entry(connector.name.as_str()).or_insert((connector, ClassSet::NONE));
                    entry.1 = entry.1.union(here);
                }
            }
        }
        for connector in self.project.connectors.values() {
            let declared = connector.streams.values().flat_map(|stream| &stream.fields);
            let here = declared.fold(ClassSet::NONE, |set, field| set.union(field.classes)).both(classes);
            if !here.is_empty() {
                let entry = found.entry(connector.name.as_str()).or_insert((connector, ClassSet::NONE));
                entry.1 = entry.1.union(here);
            }
        }
        found
    }
}

impl Way<'_> {
    /// The route's name.
    pub fn name(&self) -> &str {
        &self.mapping.name.value
    }

    /// The classes of what is read.
    pub fn read(&self) -> ClassSet {
        self.route.map_or(ClassSet::NONE, |route| {
            let of_leaves = route.leaves.iter().fold(ClassSet::NONE, |set, leaf| set.union(leaf.flow.source));
            route.source_classes.iter().fold(of_leaves, |set, classes| set.union(*classes))
        })
    }

    /// The classes of what is written, after every protection.
    pub fn written(&self) -> ClassSet {
        self.route.map_or(ClassSet::NONE, |route| {
            route.leaves.iter().fold(ClassSet::NONE, |set, leaf| set.union(leaf.flow.classes))
        })
    }

    /// Both.
    pub fn carries(&self) -> ClassSet {
        self.read().union(self.written())
    }

    /// The fields of the source that are declared: by the project, or by what kind of system it is.
    pub fn declared(&self) -> &[Field] {
        let name = &self.mapping.from.stream;
        match self.source.streams.get(name) {
            Some(stream) => &stream.fields,
            None => self.source.spec.and_then(|spec| spec.stream(name)).map_or(&[], |stream| &stream.fields),
        }
    }

    /// The classes of whole source records, fields that nothing reads included: dead letters hold them.
    pub fn holds(&self) -> ClassSet {
        self.declared().iter().fold(self.read(), |set, field| set.union(field.classes))
    }

    /// Whether somebody declared a field of the source.
    pub fn declares(&self, path: &Path) -> bool {
        let first = path.0.first();
        self.declared().iter().any(|field| matches!(first, Some(Step::Key(name)) if *name == field.name))
    }

    /// `mapping orders`.
    pub fn object(&self) -> String {
        format!("mapping {}", self.name())
    }
}

/// What a check says of one thing.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The primitive.
    pub check: &'static Primitive,
    /// The standard's name (`pci_dss`).
    pub standard: &'static str,
    /// The controls that it speaks for.
    pub controls: &'static [String],
    /// The row of the catalogue of checks, see [`Control::row`].
    pub row: u32,
    /// What came of it.
    pub status: Status,
    /// How grave it is if it fails.
    pub severity: Gravity,
    /// What was looked at: `connector crm`, `mapping orders.card`, `audit log`.
    pub object: String,
    /// Where that is written.
    pub place: Option<Place>,
    /// What was found, one sentence without a final period. Never a raw value.
    pub evidence: String,
    /// What to do.
    pub fix: Option<String>,
    /// The waiver that covers a failure: who, why, until when.
    pub waiver: Option<Waived>,
}

/// A failure that somebody has accepted for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waived {
    /// Who accepted it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when, as it is written.
    pub until: String,
    /// Whether that is over: then it covers nothing any more.
    pub expired: bool,
    /// The ticket, if there is one.
    pub ticket: Option<String>,
}

/// What a primitive says of one thing, before it is known for which control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What came of it.
    pub status: Status,
    /// What was looked at.
    pub object: String,
    /// Where that is written.
    pub place: Option<Place>,
    /// What was found.
    pub evidence: String,
    /// What to do.
    pub fix: Option<String>,
}

/// What a primitive says.
#[derive(Debug, Default)]
pub struct Notes(Vec<Note>);

impl Notes {
    fn push(&mut self, status: Status, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.0.push(Note { status, object: object.into(), place: None, evidence: evidence.into(), fix: None });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// It holds here.
    pub fn pass(&mut self, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.push(Status::Pass, object, evidence)
    }

    /// It does not hold here.
    pub fn fail(&mut self, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.push(Status::Fail, object, evidence)
    }

    /// It holds for now, or in part.
    pub fn warn(&mut self, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.push(Status::Warn, object, evidence)
    }

    /// What it takes to tell is not at hand.
    pub fn untested(&mut self, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.push(Status::NotTested, object, evidence)
    }

    /// Passes or fails.
    pub fn judge(&mut self, holds: bool, object: impl Into<String>, evidence: impl Into<String>) -> &mut Note {
        self.push(if holds { Status::Pass } else { Status::Fail }, object, evidence)
    }

    /// What was said.
    pub fn into_notes(self) -> Vec<Note> {
        self.0
    }
}

impl Note {
    /// Adds where it is written.
    pub fn at(&mut self, place: &Place) -> &mut Self {
        self.place = Some(place.clone());
        self
    }

    /// Adds what to do; dropped where nothing is to be done.
    pub fn fix(&mut self, fix: impl Into<String>) -> &mut Self {
        if matches!(self.status, Status::Fail | Status::Warn | Status::NotTested) {
            self.fix = Some(fix.into());
        }
        self
    }
}

/// Which controls are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these: ids of primitives (`P01`), of controls (`3.5.1`, `pci_dss/3.5.1`) or of waivable
    /// checks; none: all.
    pub only: Vec<String>,
    /// None of these.
    pub skip: Vec<String>,
}

impl Selection {
    fn wants(&self, standard: &Standard, control: &Control, primitive: &Primitive) -> bool {
        let named = |names: &[String]| {
            names.iter().any(|name| {
                name.eq_ignore_ascii_case(primitive.id)
                    || name == primitive.name
                    || *name == standard.name
                    || control.ids.iter().any(|id| name == id || *name == format!("{}/{id}", standard.name))
            })
        };
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// What a project shows of one control.
#[derive(Clone, Debug)]
pub struct Held {
    /// The standard.
    pub standard: &'static Standard,
    /// The control.
    pub control: &'static Control,
    /// The worst of its assessments; a failure under a waiver that is in force counts as a warning.
    pub status: Status,
    /// What was looked at.
    pub assessments: Vec<Assessment>,
}

/// Holds a project against standards: one entry for each control that is wanted, in the order of
/// the standards and of their files; behind them one for each rule of the project's own.
///
/// Deterministic: the same subject gives the same answer.
pub fn check_project(subject: &Subject<'_>, standards: &[&'static Standard], selection: &Selection) -> Vec<Held> {
    let mut held = Vec::new();
    for standard in standards {
        for control in &standard.controls {
            let mut assessments = Vec::new();
            let mut wanted = false;
            for part in &control.checks {
                let Some(primitive) = primitives::named(&part.check) else { continue };
                if !selection.wants(standard, control, primitive) {
                    continue;
                }
                wanted = true;
                let mut notes = Notes::default();
                (primitive.run)(subject, &part.with, &mut notes);
                assessments.extend(notes.into_notes().into_iter().map(|note| Assessment {
                    check: primitive,
                    standard: &standard.name,
                    controls: &control.ids,
                    row: control.row,
                    status: note.status,
                    severity: control.severity,
                    waiver: waived(subject, standard, control, primitive, &note),
                    object: note.object,
                    place: note.place,
                    evidence: note.evidence,
                    fix: note.fix,
                }));
            }
            if !wanted {
                continue;
            }
            let status = assessments.iter().map(|one| one.counts()).max().unwrap_or(Status::NotApplicable);
            held.push(Held { standard, control, status, assessments });
        }
    }
    held.extend(super::rules::held(subject, &super::rules::of(subject.project, subject.mappings).0, selection));
    held
}

/// The waiver that covers a failure: one in force before one that has expired.
fn waived(
    subject: &Subject<'_>,
    standard: &Standard,
    control: &Control,
    check: &Primitive,
    note: &Note,
) -> Option<Waived> {
    if note.status != Status::Fail {
        return None;
    }
    let fits = |what: &str| {
        let of_control =
            |id: &String| what == id || what == standard.cite(id) || what == format!("{}/{id}", standard.name);
        what == check.id || what == check.name || control.ids.iter().any(of_control)
    };
    waiver_of(subject, &note.object, fits)
}

/// The waiver of something that covers a thing (`mapping orders.card`): one in force before one that has
/// expired. A waiver of a mapping covers its fields.
pub fn waiver_of(subject: &Subject<'_>, object: &str, of: impl Fn(&str) -> bool) -> Option<Waived> {
    let now = jiff::Timestamp::from_nanosecond(i128::from(subject.now_ns)).ok()?;
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let thing = object.split_once(' ').map_or(object, |(_, name)| name);
    let covers =
        |at: &str| thing == at || object == at || thing.strip_prefix(at).is_some_and(|rest| rest.starts_with('.'));
    let waivers = subject.project.compliance.rules.waivers.iter();
    waivers
        .filter(|waiver| of(&waiver.check) && covers(&waiver.at))
        .map(|waiver| Waived {
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            until: waiver.until.to_string(),
            expired: waiver.until < today,
            ticket: waiver.ticket.clone(),
        })
        .min_by_key(|waived| waived.expired)
}

impl Assessment {
    /// What it counts as: a failure under a waiver that is in force as a warning.
    pub fn counts(&self) -> Status {
        match &self.waiver {
            Some(waived) if !waived.expired && self.status == Status::Fail => Status::Warn,
            _ => self.status,
        }
    }
}
