//! The report of health: every route and every connector with its state, a score and why; for a person
//! in the morning and for cron, which looks at the exit code.

use jiff::Timestamp;

use super::document::{Cell, Chart, Form, Kind, Remark, Report, Section, Series, Table, Tile, Tone};
use super::numbers::{self, Period};
use super::provenance::Provenance;
use super::shape::{cell, counted, when};
use crate::audit::Action;
use crate::config::{Mapping, Project};
use crate::connect::{auth, web};
use crate::error::Result;
use crate::store::folder::Folder;
use crate::store::{EventFilter, LetterFilter, LetterState, RouteState, RunRow, RunState, Standing, Store, lock};
use crate::sync::schedule;

/// The report of health.
pub static KIND: Kind = Kind {
    name: "health",
    about: "every route and connector: state, last success, uptime, tokens, schedule",
    version: 1,
};

/// How long a due run may be late before it counts, nanoseconds.
const LATE_NS: i64 = 15 * 60 * 1_000_000_000;
/// How long before a sign-in ends it counts, nanoseconds.
const ENDS_SOON_NS: i64 = 7 * 86_400 * 1_000_000_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The moment that is "now", nanoseconds since 1970.
    pub at_ns: i64,
    /// How far back error rate and uptime go, nanoseconds.
    pub period_ns: i64,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be: 80 points or more.
    Healthy,
    /// It works, not as it should: 50 or more.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Health {
    fn of(score: u8) -> Self {
        match score {
            80.. => Self::Healthy,
            50.. => Self::Degraded,
            _ => Self::Unhealthy,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// How good it is.
    pub fn tone(self) -> Tone {
        match self {
            Self::Healthy => Tone::Good,
            Self::Degraded => Tone::Warn,
            Self::Unhealthy => Tone::Bad,
        }
    }
}

/// Points that are taken from a hundred, each with its reason.
#[derive(Clone, Debug, Default)]
struct Score {
    lost: u32,
    why: Vec<(u32, String)>,
}

impl Score {
    fn lose(&mut self, points: u32, why: impl Into<String>) {
        self.lost += points;
        self.why.push((points, why.into()));
    }

    fn points(&self) -> u8 {
        u8::try_from(100_u32.saturating_sub(self.lost)).unwrap_or(0)
    }

    /// The reasons, the heaviest first.
    fn told(&self) -> String {
        let mut why = self.why.clone();
        why.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
        why.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
    }
}

/// A route, looked at.
pub(super) struct RouteSeen {
    pub name: String,
    from: String,
    to: String,
    enabled: bool,
    word: &'static str,
    score: Score,
    state: RouteState,
    last: Option<RunRow>,
    error_rate: Cell,
    uptime: Cell,
    pub letters: u64,
    pub schedule: Option<String>,
    pub next: Option<i64>,
    pub overdue: bool,
    pub strip: Vec<Option<u8>>,
}

impl RouteSeen {
    pub fn health(&self) -> Option<Health> {
        self.enabled.then(|| Health::of(self.score.points()))
    }
}

/// A connector, looked at.
struct ConnectorSeen {
    name: String,
    uses: String,
    score: Score,
    routes: u64,
    last_success_ns: Option<i64>,
    error_rate: Cell,
    token: Cell,
    version: Cell,
}

/// Everything, looked at.
pub(super) struct Seen {
    pub routes: Vec<RouteSeen>,
    connectors: Vec<ConnectorSeen>,
    pub period: Option<Period>,
}

impl Seen {
    /// The worst of what is enabled.
    pub fn worst(&self) -> Health {
        let routes = self.routes.iter().filter_map(RouteSeen::health);
        let connectors = self.connectors.iter().map(|one| Health::of(one.score.points()));
        routes.chain(connectors).max().unwrap_or(Health::Healthy)
    }

    /// The lowest score of what is enabled.
    pub fn score(&self) -> u8 {
        let routes = self.routes.iter().filter(|one| one.enabled).map(|one| one.score.points());
        routes.chain(self.connectors.iter().map(|one| one.score.points())).min().unwrap_or(100)
    }

    /// How many enabled routes are that well.
    pub fn count(&self, health: Health) -> u64 {
        self.routes.iter().filter(|one| one.health() == Some(health)).count() as u64
    }
}

/// Gathers how everything is; and how the worst of it is.
///
/// # Errors
/// The state cannot be read.
pub fn gather(
    project: &Project,
    mappings: &[Mapping],
    store: Option<&Store>,
    folder: &Folder,
    asked: &Asked,
) -> Result<(Report, Health)> {
    let query = "routes and connectors of the project, where they stand, their newest runs, the numbers of runs of the period, locks, what is kept of sign-ins";
    let provenance = match store {
        Some(store) => Provenance::of(store, query)?,
        None => Provenance::without_state(query),
    };
    let seen = look(project, mappings, store, folder, asked)?;
    let runs = seen.period.as_ref().map_or(0, |period| period.runs);
    let mut provenance = provenance
        .parameter("at", Cell::Moment(asked.at_ns))
        .parameter("period", Cell::Time(asked.period_ns))
        .count("routes", seen.routes.len() as u64)
        .count("connectors", seen.connectors.len() as u64)
        .count("runs", runs);
    provenance.configuration = vec![("project".to_string(), project.hash.clone())];
    let worst = seen.worst();
    let wrong = seen.count(Health::Degraded) + seen.count(Health::Unhealthy);
    let lead = match worst {
        Health::Healthy => format!("All is well at {}.", when(asked.at_ns)),
        worst if wrong == 0 => format!("A connector is {} at {}.", worst.word(), when(asked.at_ns)),
        worst => format!(
            "{wrong} of {} not healthy at {}; the worst is {}.",
            counted(seen.routes.len() as u64, "route is", "routes are"),
            when(asked.at_ns),
            worst.word()
        ),
    };
    let mut report =
        Report::new(&KIND, format!("Health of {}", project.environment), provenance).lead(worst.tone(), lead);
    report.data.push(("health", serde_json::json!({ "state": worst.word(), "score": seen.score() })));
    report.push(Section::new("overview", "Overview").tiles("tiles", tiles(&seen)).remarks(
        "reasons",
        reasons(&seen),
        "Nothing needs a look.",
    ));
    report.push(routes_section(&seen));
    report.push(connectors_section(&seen));
    report.push(Section::new("uptime", "Over time").chart(strips(&seen, asked)));
    report.push(own(store)?);
    Ok((report, worst))
}

/// Looks at every route and connector.
pub(super) fn look(
    project: &Project,
    mappings: &[Mapping],
    store: Option<&Store>,
    folder: &Folder,
    asked: &Asked,
) -> Result<Seen> {
    let period = store
        .map(|store| numbers::period(store, asked.at_ns - asked.period_ns, asked.at_ns, i64::MAX, &|_| true))
        .transpose()?;
    let mut routes = Vec::new();
    for mapping in mappings {
        routes.push(route(mapping, store, folder, period.as_ref(), asked)?);
    }
    let mut connectors = Vec::new();
    for connector in project.connectors.values() {
        let state = connector.state.as_deref().unwrap_or(&folder.root);
        let kept = auth::known(state, &connector.name)?;
        let mine = || routes.iter().filter(|route| route.from == connector.name || route.to == connector.name);
        if mine().next().is_none() {
            continue;
        }
        let mut score = Score::default();
        let token = token(kept, asked.at_ns, &mut score);
        let version = version(mine(), &mut score);
        if let Some(worst) = mine().filter(|route| route.enabled).min_by_key(|route| route.score.points())
            && worst.score.lost > 0
        {
            // What is wrong with a route is told there; a connector is no better than what it serves.
            score.lose(worst.score.lost / 2, format!("route {}", worst.name));
        }
        let (mut errors, mut runs) = (0, 0);
        for of in mine().filter_map(|route| period.as_ref()?.routes.get(&route.name)) {
            errors += of.sums.errors();
            runs += of.sums.runs();
        }
        connectors.push(ConnectorSeen {
            name: connector.name.clone(),
            uses: connector.uses.value.clone(),
            routes: mine().count() as u64,
            last_success_ns: mine().filter_map(|route| route.state.last_success_ns).max(),
            error_rate: Cell::share(errors, runs),
            token,
            version,
            score,
        });
    }
    Ok(Seen { routes, connectors, period })
}

fn route(
    mapping: &Mapping,
    store: Option<&Store>,
    folder: &Folder,
    period: Option<&Period>,
    asked: &Asked,
) -> Result<RouteSeen> {
    let name = mapping.name.value.clone();
    let state = match store {
        Some(store) => store.route(&name)?,
        None => RouteState { enabled: true, ..RouteState::default() },
    };
    let last = match (store, &state.last_run) {
        (Some(store), Some(id)) => Some(store.run(id)?),
        _ => None,
    };
    let letters =
        LetterFilter { route: Some(name.clone()), states: vec![LetterState::Open], ..LetterFilter::default() };
    let letters = store.map_or(Ok(0), |store| store.count_dead_letters(&letters))?;
    let (held, stopped) = match lock::standing(folder, &name)? {
        Standing::Held(_, health) => (true, health == lock::Health::Stopped),
        Standing::Free(_) => (false, false),
    };
    let now = schedule::moment(asked.at_ns);
    let due = match &mapping.sync.schedule {
        Some(plan) if state.enabled => Some(schedule::due(plan, state.last_start_ns.map(schedule::moment), now)?),
        _ => None,
    };
    let nanoseconds = |of: Timestamp| i64::try_from(of.as_nanosecond()).ok();
    // Late since the first time that was missed, however many came after it.
    let missed = match (&mapping.sync.schedule, state.last_start_ns) {
        (Some(plan), Some(begun)) if state.enabled && !held => {
            let begun = schedule::moment(begun);
            schedule::due(plan, Some(begun), begun)?.next.and_then(nanoseconds)
        }
        _ => None,
    };
    let late = missed.map(|missed| asked.at_ns - missed).filter(|late| *late > LATE_NS);
    let of = period.and_then(|period| period.routes.get(&name));
    let (errors, runs) = of.map_or((0, 0), |of| (of.sums.errors(), of.sums.runs()));

    let mut score = Score::default();
    match last.as_ref().map(|run| (run.state, run)) {
        None if mapping.sync.schedule.is_some() => score.lose(30, "it never ran"),
        None => {}
        Some((RunState::Failed, run)) => {
            let code = run.error.as_ref().map_or_else(String::new, |(code, _)| format!(" ({code})"));
            score.lose(40, format!("the last run failed{code}"));
        }
        Some((RunState::Died, _)) => score.lose(40, "the process of the last run died"),
        Some((RunState::Running, _)) if !held => score.lose(40, "the process of the last run died"),
        Some((RunState::Partial, _)) => score.lose(15, "the last run was not whole"),
        Some((RunState::Interrupted, _)) => score.lose(5, "the last run was interrupted"),
        Some((RunState::Done | RunState::Running, _)) => {}
    }
    if stopped {
        score.lose(40, "its process is stopped");
    }
    if runs > 0 && errors > 0 {
        let share = errors as f64 / runs as f64;
        score.lose((share * 40.0).ceil() as u32, format!("{} of {runs} runs failed", errors));
    }
    if let Some(late) = late {
        score.lose(30, format!("it is overdue by {}", cell(&Cell::Time(late))));
    }
    if letters > 0 {
        score.lose(10, format!("{} waiting", counted(letters, "dead letter is", "dead letters are")));
    }
    if state.intent.is_some() && !held {
        score.lose(15, "a group is in doubt");
    }
    let word = match (&last, held, state.enabled) {
        _ if stopped => "stopped",
        (_, true, _) => "running",
        (_, _, false) => "disabled",
        (None, ..) => "never ran",
        (Some(run), ..) => run.state.word(),
    };
    Ok(RouteSeen {
        name,
        from: mapping.from.connector.clone(),
        to: mapping.to.connector.clone(),
        enabled: state.enabled,
        word,
        score,
        last,
        error_rate: Cell::share(errors, runs),
        uptime: of.and_then(numbers::OfRoute::uptime).map_or(Cell::Nothing, Cell::Share),
        letters,
        schedule: mapping.sync.schedule.as_ref().map(|plan| format!("{} {}", plan.cron.value, plan.timezone)),
        next: due.and_then(|due| nanoseconds(due.next?)),
        overdue: late.is_some(),
        strip: of.map_or_else(Vec::new, |of| of.strip.clone()),
        state,
    })
}

/// When the sign-in ends that is kept.
fn token(kept: Option<(i64, Option<i64>, bool)>, at_ns: i64, score: &mut Score) -> Cell {
    let Some((_, ends, renews)) = kept else { return Cell::Nothing };
    let Some(ends_ns) = ends.map(|seconds| seconds.saturating_mul(1_000_000_000)) else {
        return Cell::State(Tone::Good, "does not end".into());
    };
    let when = when(ends_ns);
    match (ends_ns - at_ns, renews) {
        (left, true) if left < 0 => Cell::State(Tone::Plain, format!("ended {when}, is renewed when used").into()),
        (_, true) => Cell::State(Tone::Good, format!("until {when}, is renewed").into()),
        (left, false) if left < 0 => {
            score.lose(
                10,
                format!("its sign-in ended {when}: the next run signs in anew, or asks for `consign connect login`"),
            );
            Cell::State(Tone::Warn, format!("ended {when}").into())
        }
        (left, false) if left < ENDS_SOON_NS => Cell::State(Tone::Plain, format!("until {when}").into()),
        (_, false) => Cell::State(Tone::Good, format!("until {when}").into()),
    }
}

/// What systems said of the version of their API.
fn version<'r>(routes: impl Iterator<Item = &'r RouteSeen>, score: &mut Score) -> Cell {
    let mut warnings = routes.filter_map(|route| route.last.as_ref()).flat_map(|run| &run.warnings);
    let Some(said) = warnings.find(|said| web::is_of_version(said)) else { return Cell::Nothing };
    score.lose(25, said.clone());
    Cell::State(Tone::Warn, said.clone().into())
}

fn tiles(seen: &Seen) -> Vec<Tile> {
    let tile = |key: &'static str, label: &'static str, value: Cell, tone: Tone| Tile {
        key: key.into(),
        label: label.into(),
        value,
        tone,
        more: None,
    };
    let bad = |count: u64, tone| if count == 0 { Tone::Good } else { tone };
    let (degraded, unhealthy) = (seen.count(Health::Degraded), seen.count(Health::Unhealthy));
    let overdue = seen.routes.iter().filter(|route| route.overdue).count() as u64;
    let letters = seen.routes.iter().map(|route| route.letters).sum();
    vec![
        tile("score", "health score", Cell::Number(f64::from(seen.score()), "/ 100"), seen.worst().tone()),
        tile("healthy", "routes healthy", Cell::Count(seen.count(Health::Healthy)), Tone::Plain),
        tile("degraded", "degraded", Cell::Count(degraded), bad(degraded, Tone::Warn)),
        tile("unhealthy", "unhealthy", Cell::Count(unhealthy), bad(unhealthy, Tone::Bad)),
        tile("overdue", "overdue", Cell::Count(overdue), bad(overdue, Tone::Bad)),
        tile("dead_letters", "dead letters", Cell::Count(letters), bad(letters, Tone::Warn)),
    ]
}

/// Why things are not well, the worst first.
pub(super) fn reasons(seen: &Seen) -> Vec<Remark> {
    let routes = seen.routes.iter().filter(|one| one.enabled).map(|one| (&one.name, &one.score, "route"));
    let connectors = seen.connectors.iter().map(|one| (&one.name, &one.score, "connector"));
    // A connector that only suffers with its routes is told of there.
    let own = |(_, score, what): &(&String, &Score, &str)| {
        score.lost > 0 && (*what == "route" || score.why.iter().any(|(_, why)| !why.starts_with("route ")))
    };
    let mut found: Vec<_> = routes.chain(connectors).filter(own).collect();
    found.sort_by_key(|(name, score, _)| (std::cmp::Reverse(score.lost), (*name).clone()));
    let remark = |(name, score, what): (&String, &Score, &str)| {
        let tone = match Health::of(score.points()) {
            Health::Healthy => Tone::Plain,
            other => other.tone(),
        };
        let fix = if what == "route" {
            format!("`consign sync history {name}`, then `consign report run` of one of them")
        } else {
            format!("`consign connect probe {name}`")
        };
        Remark::new(tone, score.told()).at(format!("{what} {name}")).fix(fix)
    };
    found.into_iter().map(remark).collect()
}

fn state(health: Option<Health>) -> Cell {
    match health {
        Some(health) => Cell::State(health.tone(), health.word().into()),
        None => Cell::State(Tone::Quiet, "disabled".into()),
    }
}

/// The routes in a table.
pub(super) fn routes_table(seen: &Seen) -> Table {
    let columns =
        ["route", "health", "score", "last_run", "last_success", "error_rate", "uptime", "dead_letters", "next_run"];
    let mut table = Table::new("routes", &columns, "The project has no routes.").label("error_rate", "errors");
    for route in &seen.routes {
        let tone = route.last.as_ref().map_or(Tone::Quiet, |run| super::run::tone(run.state));
        let next = match (route.overdue, route.next) {
            (true, _) => Cell::State(Tone::Bad, "overdue".into()),
            (false, next) => Cell::moment(next),
        };
        table.push(vec![
            Cell::Code(route.name.clone()),
            state(route.health()),
            Cell::Count(u64::from(route.score.points())),
            Cell::State(tone, route.word.into()),
            Cell::moment(route.state.last_success_ns),
            route.error_rate.clone(),
            route.uptime.clone(),
            Cell::Count(route.letters),
            next,
        ]);
    }
    table
}

fn routes_section(seen: &Seen) -> Section {
    Section::new("routes", "Routes").table(routes_table(seen))
}

fn connectors_section(seen: &Seen) -> Section {
    let columns = ["connector", "uses", "health", "score", "routes", "last_success", "error_rate", "sign_in", "api"];
    let mut table =
        Table::new("connectors", &columns, "No connector is used by a route.").label("error_rate", "errors");
    for one in &seen.connectors {
        table.push(vec![
            Cell::Code(one.name.clone()),
            Cell::Code(one.uses.clone()),
            state(Some(Health::of(one.score.points()))),
            Cell::Count(u64::from(one.score.points())),
            Cell::Count(one.routes),
            Cell::moment(one.last_success_ns),
            one.error_rate.clone(),
            one.token.clone(),
            one.version.clone(),
        ]);
    }
    Section::new("connectors", "Connectors").table(table)
}

/// Each route along time.
pub(super) fn strips(seen: &Seen, asked: &Asked) -> Chart {
    let width = asked.period_ns / numbers::COLUMNS as i64;
    let from = asked.at_ns - asked.period_ns;
    let series = |route: &RouteSeen| Series {
        name: route.name.clone().into(),
        tone: Tone::Plain,
        values: (0..numbers::COLUMNS)
            .map(|at| match route.strip.get(at).copied().flatten() {
                Some(worst) => Cell::Count(u64::from(worst)),
                None => Cell::Nothing,
            })
            .collect(),
    };
    Chart {
        key: "uptime".into(),
        title: "the worst run of each stretch of time: well, not whole, failed".into(),
        form: Form::Strips,
        labels: (0..numbers::COLUMNS as i64).map(|at| Cell::Moment(from + at * width)).collect(),
        series: seen.routes.iter().map(series).collect(),
    }
}

/// consign's own state: what is recorded, when it was last verified.
pub(super) fn own(store: Option<&Store>) -> Result<Section> {
    let section = Section::new("integrity", "The audit log");
    let Some(store) = store else {
        return Ok(section.text("Nothing was recorded yet."));
    };
    let log = store.log_standing(None)?;
    let newest = |action: Action| -> Result<Option<crate::audit::Event>> {
        let filter = EventFilter { action: Some(action.word().to_string()), limit: 1, ..EventFilter::default() };
        Ok(store.audit_events(&filter)?.pop())
    };
    let verified = newest(Action::AuditVerified)?;
    let verified_state = match &verified {
        None => Cell::State(Tone::Warn, "never verified here".into()),
        Some(event) if event.outcome == crate::audit::Outcome::Success => Cell::State(Tone::Good, "good".into()),
        Some(_) => Cell::State(Tone::Bad, "found wrong".into()),
    };
    let checkpoint = log.checkpoint.as_ref();
    let facts = vec![
        super::document::named("events", "events", log.size),
        super::document::named("newest", "newest event", Cell::Moment(log.last_ns)),
        super::document::named("verification", "last verification", verified_state),
        super::document::named("verified", "verified", Cell::moment(verified.map(|event| event.time))),
        super::document::named("checkpoint", "newest checkpoint over", checkpoint.map(|of| of.size)),
        super::document::named("behind", "events since then", checkpoint.map(|of| log.size.saturating_sub(of.size))),
        super::document::named("carried", "carried to", Cell::code(checkpoint.and_then(|of| of.carried.clone()))),
        super::document::named("clock_steps", "steps back of the clock", log.clock_steps),
    ];
    Ok(section.facts("facts", facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_says_why() {
        let mut score = Score::default();
        assert_eq!((score.points(), Health::of(score.points())), (100, Health::Healthy));
        score.lose(10, "letters");
        assert_eq!(Health::of(score.points()), Health::Healthy);
        score.lose(30, "late");
        assert_eq!((score.points(), Health::of(score.points())), (60, Health::Degraded));
        score.lose(400, "gone");
        assert_eq!((score.points(), Health::of(score.points())), (0, Health::Unhealthy));
        assert_eq!(score.told(), "gone; late; letters");
    }

    #[test]
    fn the_end_of_a_sign_in_is_told() {
        const DAY: i64 = 86_400;
        let check = |ends: Option<i64>, renews: bool, tone: Tone, lost: u32| {
            let mut score = Score::default();
            let told = token(Some((0, ends, renews)), 10 * DAY * 1_000_000_000, &mut score);
            assert!(matches!(told, Cell::State(told, _) if told == tone), "{ends:?} {renews}: {told:?}");
            assert_eq!(score.lost, lost);
        };
        check(None, false, Tone::Good, 0);
        check(Some(9 * DAY), true, Tone::Plain, 0);
        check(Some(9 * DAY), false, Tone::Warn, 10);
        check(Some(11 * DAY), false, Tone::Plain, 0);
        check(Some(40 * DAY), false, Tone::Good, 0);
        assert_eq!(token(None, 0, &mut Score::default()), Cell::Nothing);
    }
}
