//! `limits` and `retry`: how much may be asked of a system, and how a failing call is tried again.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::template::Template;

/// The section `limits`.
pub static LIMITS: Section = Section {
    name: "limits",
    about: "How much may be asked of the system. What its answers say (`Retry-After`, `RateLimit`, `X-RateLimit-…`) is heeded without a word here, and wins.",
    foreign: false,
    keys: &[
        RATE,
        PER,
        BURST,
        Key::new("in_flight", Kind::Whole(1, 1024), "Calls at the same time at most.").default("4"),
        COST,
        REMAINING,
        OF,
        RESET,
        RESTORE,
        Key::new(
            "buckets",
            Kind::Named(&Kind::Section(&BUCKET)),
            "Further budgets by name, which requests with `limit: NAME` count against as well.",
        ),
        Key::new(
            "account",
            Kind::Label,
            "Whose budgets they are: connectors for which it comes to the same text share them. Left out: the connector.",
        ),
    ],
};

const RATE: Key =
    Key::new("rate", Kind::Whole(1, 1_000_000_000), "Units in `per` at most, evenly spaced; a call is one unit.");
const PER: Key = Key::new("per", Kind::Length, "The time that `rate` is for.").default("1s");
const BURST: Key = Key::new(
    "burst",
    Kind::Whole(1, 1_000_000_000),
    "Units that may be asked for at once after a pause. Where the system counts in fixed windows leave it out.",
)
.default("1");
const COST: Key = Key::new(
    "cost",
    Kind::Expression,
    "What a call did cost, by its `answer`, where that is known only afterwards: the difference to what was taken is made good.",
);
const REMAINING: Key = Key::new("remaining", Kind::Expression, "Units that are left, by the `answer`.");
const OF: Key = Key::new("of", Kind::Expression, "Units there are when nothing is used, by the `answer`.");
const RESET: Key = Key::new(
    "reset",
    Kind::Expression,
    "When all of them are there again, by the `answer`: a time, a length of time, or a number in any of the usual units.",
);
const RESTORE: Key = Key::new(
    "restore",
    Kind::Expression,
    "Units that come back in a second, by the `answer`, where they do so steadily.",
);

static BUCKET: Section = Section {
    name: "a budget",
    about: "Units of some kind: calls of one sort, tokens, points.",
    foreign: false,
    keys: &[
        RATE,
        PER,
        BURST,
        Key::new("in_flight", Kind::Whole(1, 1024), "Calls at the same time at most; left out, that of `limits`."),
        COST,
        REMAINING,
        OF,
        RESET,
        RESTORE,
    ],
};

/// The section `retry`.
pub static RETRY: Section = Section {
    name: "retry",
    about: "How a failing call is tried again. A call that may have taken effect is only repeated where that does no harm.",
    foreign: false,
    keys: &[
        Key::new("tries", Kind::Whole(1, 20), "How often a call is made at most; what the connector says holds.")
            .default("5"),
        Key::new("base", Kind::Length, "The pause after the first failure; each further one is twice as long at most.")
            .default("500ms"),
        Key::new("cap", Kind::Length, "The longest pause that is not asked for by the system.").default("30s"),
        Key::new("jitter", Kind::Percent, "The share of each pause that is left to chance, in percent.").default("100"),
        Key::new(
            "budget",
            Kind::Percent,
            "How many of all calls may be repetitions, in percent, once there were more than ten of them: a system that is ill is not asked more, but less.",
        )
        .default("20"),
        Key::new(
            "patience",
            Kind::Length,
            "The longest wait inside a call. If the system (or a budget) asks for more, the run ends with exit code 3 and says when to go on.",
        )
        .default("10m"),
        Key::new("breaker", Kind::Section(&BREAKER), "When a system is left alone for a while."),
    ],
};

static BREAKER: Section = Section {
    name: "a circuit breaker",
    about: "When a system is left alone for a while. After the pause one call tries whether it is well again.",
    foreign: false,
    keys: &[
        Key::new("failures", Kind::Whole(1, 1000), "Calls without a good answer, one after the other, that open it.")
            .default("10"),
        Key::new("pause", Kind::Length, "How long it stays open.").default("15s"),
    ],
};

/// `limits`, read.
#[derive(Debug)]
pub struct Limits {
    /// What every call counts against.
    pub general: Bucket,
    /// Calls at the same time at most.
    pub in_flight: usize,
    /// Further budgets by name.
    pub buckets: Vec<(String, Bucket)>,
    /// Whose budgets they are.
    pub account: Option<Template>,
}

/// A budget.
#[derive(Debug, Default)]
pub struct Bucket {
    /// Units in [`Bucket::per`] at most.
    pub rate: Option<u64>,
    /// The time that the rate is for.
    pub per: Duration,
    /// Units at once after a pause.
    pub burst: u64,
    /// Calls at the same time at most.
    pub in_flight: Option<usize>,
    /// What answers say of it.
    pub told: Told,
}

/// What answers say of a budget: expressions on `answer`.
#[derive(Debug, Default)]
pub struct Told {
    /// What a call did cost.
    pub cost: Option<Template>,
    /// Units that are left.
    pub remaining: Option<Template>,
    /// Units there are when nothing is used.
    pub of: Option<Template>,
    /// When all of them are there again.
    pub reset: Option<Template>,
    /// Units that come back in a second.
    pub restore: Option<Template>,
    /// Whether one of them looks into the body: only then it is read for them.
    pub body: bool,
}

/// `retry`, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is made at most.
    pub tries: u32,
    /// The pause after the first failure.
    pub base: Duration,
    /// The longest pause that is not asked for.
    pub cap: Duration,
    /// The share of each pause that is left to chance, in millionths.
    pub jitter_ppm: u32,
    /// How many of all calls may be repetitions, in millionths.
    pub budget_ppm: u32,
    /// The longest wait inside a call.
    pub patience: Duration,
    /// Failures in a row that open the breaker.
    pub failures: u32,
    /// How long it stays open.
    pub pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            jitter_ppm: 1_000_000,
            budget_ppm: 200_000,
            patience: Duration::from_secs(600),
            failures: 10,
            pause: Duration::from_secs(15),
        }
    }
}

impl Limits {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "limits") else {
            return Self { general: Bucket::default(), in_flight: 4, buckets: Vec::new(), account: None };
        };
        let general = Bucket::read(reader, raw);
        let buckets = reader.entries(raw, "buckets").iter();
        let buckets = buckets.map(|entry| (entry.key.clone(), Bucket::read(reader, &entry.value))).collect();
        Self { in_flight: general.in_flight.unwrap_or(4), general, buckets, account: reader.template(raw, "account") }
    }

    /// The budget of that name.
    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.iter().find(|(known, _)| known == name).map(|(_, bucket)| bucket)
    }
}

impl Bucket {
    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        let rate = reader.whole(raw, "rate");
        if rate.is_none() && reader.get(raw, "burst").or_else(|| reader.get(raw, "per")).is_some() {
            reader.error(raw, "`per` and `burst` say nothing without `rate`".into(), "add `rate`, or remove them");
        }
        Self {
            rate,
            per: reader.length(raw, "per").filter(|per| !per.is_zero()).unwrap_or(Duration::from_secs(1)),
            burst: reader.whole(raw, "burst").unwrap_or(1),
            in_flight: reader.whole(raw, "in_flight").and_then(|most| usize::try_from(most).ok()),
            told: Told::read(reader, raw),
        }
    }
}

impl Told {
    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        let all = ["cost", "remaining", "of", "reset", "restore"];
        let body = all.iter().filter_map(|name| reader.label(raw, name)).any(|text| looks_into_body(&text));
        let [cost, remaining, of, reset, restore] = all.map(|name| reader.expression(raw, name));
        Self { cost, remaining, of, reset, restore, body }
    }

    /// Whether answers say anything of it.
    pub fn is_some(&self) -> bool {
        [&self.cost, &self.remaining, &self.of, &self.reset, &self.restore].iter().any(|said| said.is_some())
    }
}

/// Whether an expression may look at more of `answer` than its status and headers.
pub fn looks_into_body(expression: &str) -> bool {
    expression.match_indices("answer").any(|(at, word)| {
        let rest = expression[at + word.len()..].trim_start();
        !(rest.starts_with(".headers") || rest.starts_with(".status"))
    })
}

impl Retry {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let known = Self::default();
        let Some(raw) = reader.get(pack, "retry") else { return known };
        let percent = |name: &str| reader.label(raw, name).and_then(|text| crate::config::units::percent_to_ppm(&text));
        let breaker = reader.get(raw, "breaker");
        Self {
            tries: reader.whole(raw, "tries").and_then(|tries| u32::try_from(tries).ok()).unwrap_or(known.tries),
            base: reader.length(raw, "base").unwrap_or(known.base),
            cap: reader.length(raw, "cap").unwrap_or(known.cap),
            jitter_ppm: percent("jitter").unwrap_or(known.jitter_ppm),
            budget_ppm: percent("budget").unwrap_or(known.budget_ppm),
            patience: reader.length(raw, "patience").unwrap_or(known.patience),
            failures: breaker
                .and_then(|of| u32::try_from(reader.whole(of, "failures")?).ok())
                .unwrap_or(known.failures),
            pause: breaker.and_then(|of| reader.length(of, "pause")).unwrap_or(known.pause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::pack::tests::pack;

    #[test]
    fn the_sections_are_read_with_their_defaults() {
        let plain = pack("pack: plain\n");
        assert_eq!((plain.limits.in_flight, plain.limits.general.rate), (4, None));
        assert_eq!(plain.retry, Retry::default());
        let full = pack(
            "pack: full
limits:
  rate: 100
  per: 1m
  burst: 10
  in_flight: 8
  account: '{{ params.ca_file }}'
  buckets:
    points:
      rate: 50
      burst: 1000
      cost: answer.body.extensions.cost.actual
      remaining: answer.body.extensions.cost.left
    tokens:
      remaining: int(answer.headers['x-ratelimit-remaining-tokens'])
      reset: answer.headers['x-ratelimit-reset-tokens']
retry: { tries: 2, base: 10ms, cap: 1s, jitter: 50, budget: 10, patience: 1h, breaker: { failures: 3, pause: 5s } }
",
        );
        let limits = &full.limits;
        assert_eq!(
            (limits.general.rate, limits.general.per, limits.general.burst),
            (Some(100), Duration::from_secs(60), 10)
        );
        assert!(limits.bucket("points").unwrap().told.body);
        assert!(!limits.bucket("tokens").unwrap().told.body && limits.bucket("tokens").unwrap().told.is_some());
        let made = Retry {
            tries: 2,
            base: Duration::from_millis(10),
            cap: Duration::from_secs(1),
            jitter_ppm: 500_000,
            budget_ppm: 100_000,
            patience: Duration::from_secs(3600),
            failures: 3,
            pause: Duration::from_secs(5),
        };
        assert_eq!(full.retry, made);
    }
}
