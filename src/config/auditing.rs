//! The audit section: what is remembered and for how long, which rules look at it, and who is told.

use std::time::Duration;

use super::keys::{Key, Kind, Section, Word, word};
use super::project::{flag, get, label, one_or_many, whole};
use super::source::Source;
use super::yaml::{Raw, RawKind};
use super::{Ambient, Expression, Text, units};
use crate::error::{Finding, Place};
use crate::expr;
use crate::record::{Projection, Type};

/// What takes longer than this is slow, unless said.
const SLOW: Duration = Duration::from_secs(30);
/// The window of a rule, unless said.
const WINDOW: Duration = Duration::from_secs(3600);

/// How many events a sealed segment of the log has, unless it is said.
pub const SEGMENT: u64 = 250_000;

/// The audit section.
#[derive(Clone, Debug)]
pub struct Audit {
    /// How long events are kept, in days; `None`: for ever.
    pub retention_days: Option<u32>,
    /// The same for single categories, by their words.
    pub keep: Vec<(String, u32)>,
    /// No more events than so many.
    pub max_events: Option<u64>,
    /// No more room than about so many megabytes.
    pub max_megabytes: Option<u64>,
    /// Whether retention respects what standards ask for at least.
    pub standards: bool,
    /// Where checkpoints are carried.
    pub checkpoints: Vec<String>,
    /// Whether a checkpoint is signed and carried at the end of each `sync run`.
    pub checkpoint_runs: bool,
    /// How many events a sealed segment of the log has; 0: none is sealed.
    pub segments: u64,
    /// Whether events are recorded at all. Switching it off is itself recorded.
    pub enabled: bool,
    /// Whether events of a run say which records they are about, by pseudonyms.
    pub items: bool,
    /// Whether events of a run say whose records they are about, by pseudonyms: of routes that name the
    /// `subject` of their records.
    pub people: bool,
    /// Whether looking at the log is recorded; `None`: where a standard asks for it.
    pub views: Option<bool>,
    /// What takes longer is slow.
    pub slow: Duration,
    /// From which score on a risk is low, medium, high and critical.
    pub risk: [f64; 4],
    /// When people work: what a person does at another time is riskier.
    pub hours: Hours,
    /// Who is told of what.
    pub alerts: Vec<Alert>,
    /// Rules over events.
    pub rules: Vec<EventRule>,
}

/// The hours in which people work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The hour they begin with.
    pub from: i8,
    /// The hour they end before; no later than `from`: on the day after.
    pub until: i8,
    /// On which days, by the words of `days`, Monday first.
    pub days: [bool; 7],
    /// Where; `None`: where this runs.
    pub timezone: Option<String>,
}

impl Default for Hours {
    fn default() -> Self {
        Self { from: 6, until: 22, days: [true, true, true, true, true, false, false], timezone: None }
    }
}

impl Hours {
    /// Whether somebody who works at this hour (0 to 23) of this day (0 is Monday) does so within them.
    pub fn include(&self, day: usize, hour: i8) -> bool {
        let within = if self.from < self.until {
            (self.from..self.until).contains(&hour)
        } else {
            hour >= self.from || hour < self.until
        };
        within && self.days.get(day) == Some(&true)
    }
}

/// Somebody who is told.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// Of what, by the words of `on`.
    pub on: Vec<String>,
    /// Where it goes.
    pub to: AlertPlace,
    /// How long to wait for it.
    pub timeout: Duration,
}

/// Where an alert goes.
#[derive(Clone, Debug)]
pub enum AlertPlace {
    /// A command that the user's own configuration allows, by name.
    Exec(String),
    /// Posted as JSON, signed with the secret if there is one.
    Webhook {
        /// The address.
        url: Text,
        /// What it is signed with.
        secret: Option<Text>,
    },
    /// Posted to an incoming webhook of Slack.
    Slack(Text),
    /// Sent to PagerDuty's Events API.
    PagerDuty {
        /// The routing key.
        key: Text,
        /// The address, if it is not PagerDuty's.
        url: Option<Text>,
    },
    /// Sent as e-mail.
    Email {
        /// The server: `smtp://host:587` (STARTTLS), `smtps://host`, or `smtp+plain://host` without encryption.
        server: Text,
        /// From whom.
        from: String,
        /// To whom.
        to: Vec<String>,
        /// The account, if the server asks for one.
        user: Option<Text>,
        /// Its password.
        password: Option<Text>,
    },
    /// Said to the system's log, or to a server.
    Syslog(String),
}

/// A rule over events.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What it is for.
    pub about: Option<String>,
    /// For which events it holds; `event` is the event.
    pub when: Expression,
    /// Events are counted apart by what this gives.
    pub group_by: Option<Expression>,
    /// Within how long they count together.
    pub window: Duration,
    /// How many of them make the rule fire.
    pub threshold: u64,
    /// How grave it is, by the word of a level.
    pub severity: String,
    /// What happens, by words.
    pub actions: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// The standard or control that it serves.
    pub control: Option<String>,
    /// Its own tests: events, and whether it fires on them.
    pub tests: Vec<EventTest>,
}

/// A test of a rule.
#[derive(Clone, Debug)]
pub struct EventTest {
    /// Its name.
    pub name: String,
    /// The events, in order: members of the event as JSON; `after` is seconds since the event before it.
    pub events: Vec<serde_json::Value>,
    /// Whether it fires.
    pub fires: bool,
    /// Where it stands.
    pub place: Place,
}

static KEEP: Section = Section {
    name: "the time that events of single categories are kept",
    about: "Longer than `retention`: they stay with the bodies of the others removed. Shorter: their bodies are removed earlier.",
    foreign: false,
    keys: &[
        Key::new("inventory", Kind::Days, "Stock and items."),
        Key::new("user_action", Kind::Days, "What people did."),
        Key::new("system", Kind::Days, "consign itself."),
        Key::new("security", Kind::Days, "Keys, access, locks, tampering."),
        Key::new("compliance", Kind::Days, "Rules and their decisions."),
        Key::new("integration", Kind::Days, "Data moving between systems."),
        Key::new("performance", Kind::Days, "Speed and limits."),
    ],
};

/// The words of `on`.
pub static OCCASIONS: &[Word] = &[
    word("failures", "A run failed, died or was refused; anything of level error or above."),
    word("slow", "A run took longer than `slow`."),
    word("violations", "A compliance rule was violated, or records were withheld."),
    word("risk", "An event's risk is high or critical."),
    word("integrity", "The log did not verify, or the clock went backwards."),
    word("rules", "A rule over events fired whose actions name `alert` or `notify`."),
];

/// The words of `actions`.
pub static ACTIONS: &[Word] = &[
    word("log_event", "Only records that it fired; every other action does that too."),
    word("notify", "Tells whoever is told of `rules`."),
    word("alert", "Tells everybody in `alerts`, whatever they are told of."),
    word("fail", "Ends the run that the event came from, with exit 6."),
    word("freeze", "Disables the route until somebody enables it again."),
];

static LEVELS: &[Word] = &[
    word("debug", "Of use while looking for a fault."),
    word("info", "The normal course."),
    word("warning", "Worth a look."),
    word("error", "Something failed."),
    word("critical", "Somebody must look now."),
];

static RISK: Section = Section {
    name: "the bands of risk",
    about: "From which score (0 to 1) on a risk is called so.",
    foreign: false,
    keys: &[
        Key::new("low", Kind::Share, "A low risk.").default("0.2"),
        Key::new("medium", Kind::Share, "A medium risk.").default("0.5"),
        Key::new("high", Kind::Share, "A high risk.").default("0.8"),
        Key::new("critical", Kind::Share, "A critical risk.").default("0.9"),
    ],
};

static DAYS: &[Word] = &[
    word("monday", "The first."),
    word("tuesday", "The second."),
    word("wednesday", "The third."),
    word("thursday", "The fourth."),
    word("friday", "The fifth."),
    word("saturday", "The sixth."),
    word("sunday", "The last."),
];

static HOURS: Section = Section {
    name: "the hours in which people work",
    about: "What a person does at another time scores a higher risk; what runs by schedule does not.",
    foreign: false,
    keys: &[
        Key::new("from", Kind::Whole(0, 23), "The hour they begin with.").default("6"),
        Key::new("until", Kind::Whole(1, 24), "The hour they end before; no later than `from`, on the day after.")
            .default("22"),
        Key::new("days", Kind::OneOrMany(&Kind::Word(DAYS)), "On which days.")
            .default("[monday, tuesday, wednesday, thursday, friday]"),
        Key::new("timezone", Kind::TimeZone, "Where; left out, where consign runs."),
    ],
};

static ALERT: Section = Section {
    name: "an alert",
    about: "Somebody who is told, in one way. What is told names events, routes and counts, never a value of a record.",
    foreign: false,
    keys: &[
        Key::new("on", Kind::OneOrMany(&Kind::Word(OCCASIONS)), "Of what; left out, of everything but `slow`."),
        Key::new(
            "exec",
            Kind::Label,
            "A command that `commands.yaml` of your own configuration allows, by its name; it reads the alert as JSON from standard input.",
        ),
        Key::new("webhook", Kind::Filled, "An address that the alert is posted to as JSON."),
        Key::new(
            "secret",
            Kind::Secret,
            "What posts are signed with: `X-Consign-Signature: sha256=…`, the HMAC over `X-Consign-Timestamp`, a point and the body.",
        ),
        Key::new(
            "slack",
            Kind::Secret,
            "The address of an incoming webhook of Slack, or of one that understands the same.",
        ),
        Key::new("pagerduty", Kind::Secret, "The routing key of a service of PagerDuty."),
        Key::new("url", Kind::Filled, "Where PagerDuty's Events API is, if not where it usually is."),
        Key::new("email", Kind::OneOrMany(&Kind::Label), "Addresses that get a mail."),
        Key::new("from", Kind::Label, "From whom the mail is."),
        Key::new(
            "server",
            Kind::Filled,
            "The mail server: `smtp://host:587` (STARTTLS), `smtps://host`, `smtp+plain://host:25` (not encrypted).",
        )
        .default("smtp+plain://localhost:25"),
        Key::new("user", Kind::Filled, "The account at the mail server."),
        Key::new("password", Kind::Secret, "Its password."),
        Key::new(
            "syslog",
            Kind::Label,
            "`local` for the system's log, `unix:/SOCKET` for one that listens elsewhere, `syslog://HOST:514` (UDP), `tcp://HOST:601`, or `tls://HOST:6514` (RFC 5425).",
        ),
        Key::new("timeout", Kind::Length, "How long to wait for it.").default("10s"),
    ],
};

static TEST: Section = Section {
    name: "a test of a rule",
    about: "Events in their order, and whether the rule fires on them.",
    foreign: false,
    keys: &[
        Key::new("name", Kind::Label, "What it shows.").required(),
        Key::new(
            "events",
            Kind::List(&Kind::Record),
            "Members of each event; `after: 90` says so many seconds after the one before.",
        )
        .required(),
        Key::new("fires", Kind::Flag, "Whether the rule fires.").default("true"),
    ],
};

static RULE: Section = Section {
    name: "a rule over events",
    about: "Fires when enough events within a window meet its condition; what it does is done after the event is recorded.",
    foreign: false,
    keys: &[
        Key::new("name", Kind::Name(true), "Its name.").required(),
        Key::new("about", Kind::Label, "What it is for."),
        Key::new(
            "when",
            Kind::Expression,
            "For which events it holds: `event.action == \"run.finished\" && event.outcome == \"failure\"`.",
        )
        .required(),
        Key::new("group_by", Kind::Expression, "Events are counted apart by what this gives: `event.route`."),
        Key::new(
            "window",
            Kind::Length,
            "Within how long events count together; once fired, it fires again only after that long.",
        )
        .default("1h"),
        Key::new("threshold", Kind::Whole(1, 1_000_000), "How many of them make it fire.").default("1"),
        Key::new("severity", Kind::Word(LEVELS), "How grave it is.").default("warning"),
        Key::new("actions", Kind::OneOrMany(&Kind::Word(ACTIONS)), "What happens.").default("[log_event]"),
        Key::new("control", Kind::Label, "The standard or control that it serves."),
        Key::new("enabled", Kind::Flag, "Whether it is in force.").default("true"),
        Key::new("tests", Kind::List(&Kind::Section(&TEST)), "Its tests: `consign audit rules test`."),
    ],
};

/// The audit section's keys.
pub static AUDIT: Section = Section {
    name: "audit",
    about: "What is remembered, and for how long.",
    foreign: false,
    keys: &[
        Key::new(
            "retention",
            Kind::Days,
            "How long events are kept; left out, for ever. Standards keep longer what they ask for.",
        ),
        Key::new("keep", Kind::Section(&KEEP), "How long events of single categories are kept."),
        Key::new("max_events", Kind::Whole(1, i64::MAX), "No more events than so many."),
        Key::new("max_megabytes", Kind::Whole(1, 1 << 40), "No more room than about so much."),
        Key::new(
            "checkpoints",
            Kind::List(&Kind::Label),
            "Where `consign audit checkpoint` carries them: `file:PATH`, `git:FOLDER`, `https://…`, `syslog`, `unix:/SOCKET`, `syslog://HOST:514`, `stdout`.",
        ),
        Key::new("checkpoint_runs", Kind::Flag, "Whether a checkpoint is signed and carried there at the end of each `sync run` too.")
            .default("false"),
        Key::new("segments", Kind::Whole(0, 1 << 40), "The oldest events move to read-only files of about so many events each, at the end of a `sync run` that leaves twice as many in the database, or by `consign audit seal`. 0: none is moved.")
            .default("250000"),
        Key::new("enabled", Kind::Flag, "Whether events are recorded. Switching it off is itself recorded.")
            .default("true"),
        Key::new("items", Kind::Flag, "Whether events of a run say which records they are about, by pseudonyms of their keys: then `consign audit subject KEY` finds them. Needs mappings with a key.")
            .default("false"),
        Key::new("people", Kind::Flag, "Whether events of a run say whose records they are about, by pseudonyms, where the mapping names the `subject` of its records: then `consign report subject KEY` tells a person where their data went.")
            .default("true"),
        Key::new("views", Kind::Flag, "Whether looking at the log leaves an event; left out, it does where `pci_dss` is among the standards (PCI DSS 10.2.1.3)."),
        Key::new("slow", Kind::Length, "A run that takes longer is slow.").default("30s"),
        Key::new("risk", Kind::Section(&RISK), "From which score on a risk is low, medium, high and critical."),
        Key::new("hours", Kind::Section(&HOURS), "When people work: what they do at another time is riskier."),
        Key::new("alerts", Kind::Named(&Kind::Section(&ALERT)), "Who is told of what, by names of yours."),
        Key::new("rules", Kind::List(&Kind::Section(&RULE)), "Rules over events."),
    ],
};

/// Reads the section; what is wrong in its form was found by the check. What the check cannot tell is added
/// to `wrong`, with the bytes it stands at.
pub(super) fn read(
    raw: Option<&Raw>,
    ambient: &Ambient,
    source: &Source,
    wrong: &mut Vec<(usize, usize, String, &'static str)>,
) -> Audit {
    let of = |name: &str| raw.and_then(|raw| get(raw, name));
    let text = |name: &str| raw.and_then(|raw| label(raw, name));
    let count = |name: &str| whole(of(name)).and_then(|number| u64::try_from(number).ok());
    let share = |name: &str, usual: f64| match of("risk").and_then(|risk| get(risk, name)).map(|raw| &raw.kind) {
        Some(RawKind::Number(text)) => text.parse().unwrap_or(usual),
        _ => usual,
    };
    let risk = [share("low", 0.2), share("medium", 0.5), share("high", 0.8), share("critical", 0.9)];
    if let Some(raw) = of("risk").filter(|_| !risk.is_sorted()) {
        let cause = "the bands of risk do not rise from low to critical".to_string();
        wrong.push((raw.start, raw.end, cause, "give them in rising order"));
    }
    Audit {
        retention_days: text("retention").and_then(|text| units::days(&text).ok()).or(ambient.retention_days),
        keep: of("keep").map(keep).unwrap_or_default(),
        max_events: count("max_events").or(ambient.max_events.map(u64::from)),
        max_megabytes: count("max_megabytes"),
        standards: ambient.standards_hold.unwrap_or(true),
        checkpoints: texts(of("checkpoints")),
        checkpoint_runs: flag(of("checkpoint_runs")).unwrap_or(false),
        segments: count("segments").unwrap_or(SEGMENT),
        enabled: flag(of("enabled")).unwrap_or(true),
        items: flag(of("items")).unwrap_or(false),
        people: flag(of("people")).unwrap_or(true),
        views: flag(of("views")),
        slow: raw.and_then(|raw| length(raw, "slow")).unwrap_or(SLOW),
        risk,
        hours: of("hours").map(hours).unwrap_or_default(),
        alerts: of("alerts")
            .map_or(&[][..], Raw::entries)
            .iter()
            .filter_map(|entry| match alert(&entry.key, &entry.value) {
                Ok(alert) => Some(alert),
                Err((cause, fix)) => {
                    wrong.push((entry.start, entry.end, format!("the alert `{}` {cause}", entry.key), fix));
                    None
                }
            })
            .collect(),
        rules: of("rules").map_or(&[][..], Raw::items).iter().filter_map(|raw| rule(raw, source)).collect(),
    }
}

fn hours(raw: &Raw) -> Hours {
    let usual = Hours::default();
    let hour = |name: &str, usual: i8| whole(get(raw, name)).and_then(|hour| i8::try_from(hour).ok()).unwrap_or(usual);
    let named = texts(get(raw, "days"));
    let mut days = usual.days;
    if !named.is_empty() {
        days.iter_mut().zip(DAYS).for_each(|(day, word)| *day = named.iter().any(|name| name == word.name));
    }
    Hours { from: hour("from", usual.from), until: hour("until", usual.until), days, timezone: label(raw, "timezone") }
}

fn alert(name: &str, raw: &Raw) -> Result<Alert, (&'static str, &'static str)> {
    let filled = |name: &str| Text::parse(get(raw, name)?.text()?).ok();
    let mut places = Vec::new();
    places.extend(label(raw, "exec").map(AlertPlace::Exec));
    places.extend(filled("webhook").map(|url| AlertPlace::Webhook { url, secret: filled("secret") }));
    places.extend(filled("slack").map(AlertPlace::Slack));
    places.extend(filled("pagerduty").map(|key| AlertPlace::PagerDuty { key, url: filled("url") }));
    places.extend(label(raw, "syslog").map(AlertPlace::Syslog));
    let to = texts(get(raw, "email"));
    if !to.is_empty() {
        places.push(AlertPlace::Email {
            server: filled("server").or_else(|| Text::parse("smtp+plain://localhost:25").ok()).unwrap_or_default(),
            from: label(raw, "from").ok_or(("has no `from`", "say whose mail it is: `from: consign@example.com`"))?,
            to,
            user: filled("user"),
            password: filled("password"),
        });
    }
    let mut places = places.into_iter();
    match (places.next(), places.next()) {
        (Some(to), None) => {
            let mut on = texts(get(raw, "on"));
            if on.is_empty() {
                on = OCCASIONS.iter().map(|word| word.name).filter(|name| *name != "slow").map(String::from).collect();
            }
            let timeout = length(raw, "timeout").unwrap_or(Duration::from_secs(10));
            Ok(Alert { name: name.to_string(), on, to, timeout })
        }
        (None, _) => Err(("goes nowhere", "give one of `exec`, `webhook`, `slack`, `pagerduty`, `email`, `syslog`")),
        _ => Err(("goes to two places", "make two alerts of it")),
    }
}

fn rule(raw: &Raw, source: &Source) -> Option<EventRule> {
    let expression = |name: &str| {
        let raw = get(raw, name)?;
        Expression::of(raw, source)
    };
    let tests = get(raw, "tests").map_or(&[][..], Raw::items).iter().filter_map(|raw| {
        Some(EventTest {
            name: label(raw, "name")?,
            events: get(raw, "events").map_or(&[][..], Raw::items).iter().map(json).collect(),
            fires: flag(get(raw, "fires")).unwrap_or(true),
            place: source.place(raw.start, raw.end),
        })
    });
    let mut actions = texts(get(raw, "actions"));
    if actions.is_empty() {
        actions.push("log_event".into());
    }
    Some(EventRule {
        name: label(raw, "name")?,
        place: source.place(raw.start, raw.end),
        about: label(raw, "about"),
        when: expression("when")?,
        group_by: expression("group_by"),
        window: length(raw, "window").unwrap_or(WINDOW),
        threshold: whole(get(raw, "threshold")).and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
        severity: label(raw, "severity").unwrap_or_else(|| "warning".into()),
        actions,
        enabled: flag(get(raw, "enabled")).unwrap_or(true),
        control: label(raw, "control"),
        tests: tests.collect(),
    })
}

/// What the expressions of rules and of `--where` see: `event`, with the members of an event.
pub fn scope() -> expr::Environment {
    let bindings = vec![expr::Binding::new("event", Type::Dyn, expr::Bind::Record)];
    expr::Environment { bindings, ..expr::Environment::default() }
}

/// What is wrong with the expressions of a rule.
pub(super) fn faults(rule: &EventRule) -> Vec<Finding> {
    let mut found = Vec::new();
    for expression in std::iter::once(&rule.when).chain(&rule.group_by) {
        let faults = match expr::compile(&expression.text, &scope(), &mut Projection::default()) {
            Ok(program) => program.warnings().to_vec(),
            Err(faults) => faults,
        };
        found.extend(faults.into_iter().map(|fault| {
            let made = Finding::error(fault.code, expression.place_at(fault.start, fault.end), fault.cause);
            let made = Finding { severity: fault.severity, ..made };
            match fault.fix {
                Some(fix) => made.fix(fix),
                None => made,
            }
        }));
    }
    found
}

impl AlertPlace {
    /// What kind of place it is.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
            Self::Webhook { .. } => "webhook",
            Self::Slack(_) => "slack",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Email { .. } => "email",
            Self::Syslog(_) => "syslog",
        }
    }
}

/// YAML as JSON; numbers keep their text.
fn json(raw: &Raw) -> serde_json::Value {
    use serde_json::Value;
    match &raw.kind {
        RawKind::Null => Value::Null,
        RawKind::Bool(value) => Value::Bool(*value),
        RawKind::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        RawKind::Text { text, .. } => Value::String(text.clone()),
        RawKind::List { .. } => raw.items().iter().map(json).collect(),
        RawKind::Map { .. } => {
            Value::Object(raw.entries().iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect())
        }
    }
}

fn texts(raw: Option<&Raw>) -> Vec<String> {
    one_or_many(raw).filter_map(|raw| raw.text().map(str::to_owned)).collect()
}

fn length(raw: &Raw, name: &str) -> Option<Duration> {
    units::length(get(raw, name)?.text()?).ok()
}

fn keep(of: &Raw) -> Vec<(String, u32)> {
    let days = |name: &str| label(of, name).and_then(|text| units::days(&text).ok());
    KEEP.keys.iter().filter_map(|key| Some((key.name.to_string(), days(key.name)?))).collect()
}
