//! How risky an event is: a number from 0 to 1 out of what was moved, where to, how protected, and how
//! unusual the circumstances are. Every input is kept with the event, so that anybody can compute it again.
//!
//! Impact grows with the sensitivity of the data, the number of records and the exposure of the target, and
//! shrinks with protection; likelihood grows with failed controls, privilege, anomaly and context. The score is
//! `1 - (1 - 0.65 * impact * unprotected) * (1 - 0.9 * likelihood)`, never below the floor of its action. It is
//! monotone: more of anything that is bad never lowers it.

use serde::{Deserialize, Serialize};

use super::canonical;
use super::event::{Action, Level, Outcome};

/// The version of the weights below; stored with each score.
pub const WEIGHTS: u8 = 1;

/// The most that anomaly adds.
const MOST_ANOMALY: f64 = 0.5;
/// The most that context adds.
const MOST_CONTEXT: f64 = 0.3;

/// What a place that data never went to adds.
pub const NEW_DESTINATION: f64 = 0.2;
/// What a host that the route never ran on adds.
pub const NEW_HOST: f64 = 0.1;
/// What a person adds who does it at night or on a weekend.
const OFF_HOURS: f64 = 0.2;

/// What a score is computed from. Members are short: they are stored with every event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Version of the weights.
    #[serde(rename = "v")]
    pub weights: u8,
    /// Sensitivity of the most sensitive class: 0 none, .3 personal, .5 financial or official, .7 health, special
    /// or cards, .9 what must never be stored.
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    pub sensitivity: f64,
    /// Records.
    #[serde(rename = "n", default, skip_serializing_if = "is_none")]
    pub records: u64,
    /// Exposure of the target: 0 same environment, .25 another, .5 a contracted third party, 1 none or a country
    /// without safeguards, 1.5 public.
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub exposure: f64,
    /// What is left unprotected: .4 where every sensitive field is protected, .7 some, 1 none.
    #[serde(rename = "m", default = "one", skip_serializing_if = "is_one")]
    pub unprotected: f64,
    /// Anomaly, 0 to .5.
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub anomaly: f64,
    /// The worst failed control: .3 warning or a failed or denied action, .6 high, .85 critical.
    #[serde(rename = "f", default, skip_serializing_if = "is_zero")]
    pub failed: f64,
    /// Privilege: .05 service, .1 operator, .25 administrator, .5 break-glass.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub privilege: f64,
    /// Context (off-hours, new host, new destination), 0 to .3.
    #[serde(rename = "t", default, skip_serializing_if = "is_zero")]
    pub context: f64,
    /// No score below this.
    #[serde(rename = "floor", default, skip_serializing_if = "is_zero")]
    pub floor: f64,
    /// Whether it is too early to tell what is usual, so that anomaly counts as none.
    #[serde(rename = "l", default, skip_serializing_if = "is_known")]
    pub learning: bool,
    /// No score above this; 0: no cap.
    #[serde(rename = "cap", default, skip_serializing_if = "is_zero")]
    pub cap: f64,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            weights: WEIGHTS,
            sensitivity: 0.0,
            records: 0,
            exposure: 0.0,
            unprotected: 1.0,
            anomaly: 0.0,
            failed: 0.0,
            privilege: 0.05,
            context: 0.0,
            floor: 0.0,
            learning: false,
            cap: 0.0,
        }
    }
}

impl Inputs {
    /// The score, 0 to 1, to three decimals.
    pub fn score(&self) -> f64 {
        let sensitivity = self.sensitivity.clamp(0.0, 1.0);
        let impact = if sensitivity > 0.0 {
            let volume = ((1.0 + self.records as f64).log10() / 6.0).clamp(0.0, 1.0);
            1.0 - (1.0 - sensitivity).powf(1.0 + volume + self.exposure.max(0.0))
        } else {
            0.0
        };
        let likelihood = 1.0
            - (1.0 - self.anomaly.clamp(0.0, MOST_ANOMALY))
                * (1.0 - self.failed.clamp(0.0, 1.0))
                * (1.0 - self.privilege.clamp(0.0, 1.0))
                * (1.0 - self.context.clamp(0.0, MOST_CONTEXT));
        let score = 1.0 - (1.0 - 0.65 * impact * self.unprotected.clamp(0.0, 1.0)) * (1.0 - 0.9 * likelihood);
        let score = if self.cap > 0.0 { score.min(self.cap) } else { score };
        (score.max(self.floor).clamp(0.0, 1.0) * 1000.0).round() / 1000.0
    }

    /// With what the hour says of who does it: people sleep, schedules do not.
    pub fn with_hour(mut self, off_hours: bool, kind: Option<&str>) -> Self {
        if off_hours && matches!(kind, Some("person" | "admin" | "break_glass")) {
            self.context = (self.context + OFF_HOURS).min(MOST_CONTEXT);
        }
        self
    }

    /// Writes what is not as usual as canonical JSON: the members in their order, as `serde` names them.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let usual = Self { privilege: 0.0, ..Self::default() };
        let numbers = [
            ("a", self.anomaly, usual.anomaly),
            ("cap", self.cap, usual.cap),
            ("f", self.failed, usual.failed),
            ("floor", self.floor, usual.floor),
            ("m", self.unprotected, usual.unprotected),
            ("p", self.privilege, usual.privilege),
            ("s", self.sensitivity, usual.sensitivity),
            ("t", self.context, usual.context),
            ("x", self.exposure, usual.exposure),
        ];
        let mut before = b'{';
        let mut name = |out: &mut Vec<u8>, name: &str| {
            out.push(std::mem::replace(&mut before, b','));
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
        };
        for (own, value, usual) in numbers {
            // `l` and `n` stand between them, and `v` before the last.
            if own == "m" && self.learning {
                name(out, "l");
                out.extend_from_slice(b"true");
            }
            if own == "p" && self.records > 0 {
                name(out, "n");
                canonical::write(&self.records.into(), out);
            }
            if own == "x" {
                name(out, "v");
                canonical::write_whole(u64::from(self.weights), out);
            }
            if value != usual {
                name(out, own);
                canonical::write_double(value, out);
            }
        }
        out.push(b'}');
    }

    /// With what an action, its level and its outcome say by themselves.
    pub fn with_action(mut self, action: Action, level: Level, outcome: Outcome) -> Self {
        let graver = |now: f64, least: f64| if now < least { least } else { now };
        if matches!(outcome, Outcome::Failure | Outcome::Denied) {
            self.failed = graver(self.failed, 0.3);
        }
        if matches!(action, Action::RuleWarned) {
            self.failed = graver(self.failed, 0.3);
        }
        if matches!(action, Action::RuleRefused) {
            self.failed = graver(self.failed, if level >= Level::Critical { 0.85 } else { 0.6 });
        }
        self.floor = graver(self.floor, floor(action));
        if level == Level::Debug {
            self.cap = 0.2;
        }
        self
    }
}

/// The sensitivity of a class of that grade (0 to 4, see [`crate::record::ClassSet::sensitivity`]).
pub fn sensitivity(grade: u8) -> f64 {
    [0.0, 0.3, 0.5, 0.7, 0.9][usize::from(grade).min(4)]
}

/// The privilege of a kind of somebody, see [`super::session::Session::actor_kind`].
pub fn privilege(kind: Option<&str>) -> f64 {
    match kind {
        Some("person") => 0.1,
        Some("admin") => 0.25,
        Some("break_glass") => 0.5,
        _ => 0.05,
    }
}

/// Below what no event of this action scores.
fn floor(action: Action) -> f64 {
    match action {
        Action::AuditDisabled | Action::LogReplaced => 0.9,
        Action::KeyDestroyed | Action::KeyCompromised => 0.8,
        Action::StateRestored | Action::EventsPruned | Action::EventsRedacted => 0.5,
        _ => 0.0,
    }
}

/// How far a failure that is the `count`th within five minutes is out of the ordinary: the tenth is as far as it goes.
pub fn anomaly_of_repeats(count: u64) -> f64 {
    (count.saturating_sub(1) as f64 / 9.0).min(1.0) * MOST_ANOMALY
}

/// How far an amount is out of the ordinary, given those of the last 30 days: nothing up to their 95th percentile,
/// all there is at ten times that. `None`: fewer than 14 of them, or for fewer than 14 days; nobody knows yet.
pub fn anomaly_of_amount(amount: u64, before: &mut [u64], days: i64) -> Option<f64> {
    if before.len() < 14 || days < 14 {
        return None;
    }
    before.sort_unstable();
    let usual = before[(before.len() * 95).div_ceil(100) - 1].max(1) as f64;
    Some(((amount as f64 / usual - 1.0) / 9.0).clamp(0.0, 1.0) * MOST_ANOMALY)
}

/// From which score on an event is of a band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Low.
    pub low: f64,
    /// Medium.
    pub medium: f64,
    /// High.
    pub high: f64,
    /// Critical.
    pub critical: f64,
}

impl Default for Bands {
    fn default() -> Self {
        Self { low: 0.2, medium: 0.5, high: 0.8, critical: 0.9 }
    }
}

impl Bands {
    /// The word of the band that a score is in.
    pub fn word(&self, score: f64) -> &'static str {
        match score {
            s if s >= self.critical => "critical",
            s if s >= self.high => "high",
            s if s >= self.medium => "medium",
            s if s >= self.low => "low",
            _ => "none",
        }
    }
}

/// The score of a person, a route or a host out of the scores of its events of the last 30 days, each with its age
/// in days: the worst counts whole, each further one less (`rank^-1.5`), and what is a week old counts half.
pub fn entity(events: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    /// The sum of all weights there can be.
    const ALL: f64 = 2.612;
    let mut scores: Vec<f64> = events
        .into_iter()
        .filter(|(_, days)| *days <= 30.0)
        .map(|(score, days)| score * 0.5f64.powf(days.max(0.0) / 7.0))
        .collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let sum: f64 = scores.iter().enumerate().map(|(rank, score)| score * ((rank + 1) as f64).powf(-1.5)).sum();
    ((sum / ALL).clamp(0.0, 1.0) * 1000.0).round() / 1000.0
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}
fn is_none(number: &u64) -> bool {
    *number == 0
}
fn is_one(number: &f64) -> bool {
    *number == 1.0
}
fn is_known(learning: &bool) -> bool {
    !learning
}
fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(what: &str, inputs: Inputs, score: f64, band: &str) {
        let found = inputs.score();
        assert!((found - score).abs() < 0.0051, "{what}: {found}, not {score}");
        assert_eq!(Bands::default().word(found), band, "{what}");
    }

    #[test]
    fn cases_that_were_agreed_on_score_as_they_should() {
        let of = Inputs::default();
        check("a scheduler's heartbeat", of, 0.05, "none");
        check("public rows to a partner", Inputs { records: 10_000, exposure: 0.5, ..of }, 0.05, "none");
        let health = Inputs { sensitivity: sensitivity(3), records: 100_000, ..of };
        let nightly = Inputs { exposure: 0.5, unprotected: 0.4, ..health };
        check("nightly health records, protected, contracted", nightly, 0.28, "low");
        let login = Inputs { failed: 0.3, privilege: privilege(Some("person")), ..of };
        check("one failed login of an operator", login, 0.33, "low");
        check("the tenth in five minutes", Inputs { anomaly: anomaly_of_repeats(10), ..login }, 0.62, "medium");
        let mails =
            Inputs { sensitivity: sensitivity(1), records: 500, exposure: 0.5, failed: 0.3, context: 0.2, ..of };
        check("500 clear e-mail addresses to a new contracted target", mails, 0.61, "medium");
        let change = Inputs { sensitivity: sensitivity(2), failed: 0.6, privilege: 0.1, ..of };
        check("an unapproved change of a mapping of financial reporting", change, 0.71, "medium");
        let export = Inputs { privilege: privilege(Some("break_glass")), context: 0.2, ..health };
        check("break-glass export of health records at night", export, 0.81, "high");
        check("the log pruned outside of its policy", Inputs { floor: 0.9, ..of }, 0.90, "critical");
        let cvv = Inputs { sensitivity: sensitivity(4), records: 1, failed: 0.85, ..of };
        check("one card verification code in a file", cvv, 0.91, "critical");
        check(
            "health records in clear, no contract",
            Inputs { exposure: 1.0, failed: 0.85, ..health },
            0.92,
            "critical",
        );
    }

    fn inputs() -> impl Strategy<Value = Inputs> {
        let part = || 0.0..=1.0f64;
        (part(), 0u64..10_000_000, 0.0..=1.5f64, part(), part(), part(), part(), part(), part()).prop_map(
            |(sensitivity, records, exposure, unprotected, anomaly, failed, privilege, context, floor)| Inputs {
                weights: WEIGHTS,
                sensitivity,
                records,
                exposure,
                unprotected,
                anomaly,
                failed,
                privilege,
                context,
                floor,
                learning: records % 2 == 1,
                cap: 0.0,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(200)))]
        #[test]
        fn inputs_are_written_as_they_are_read(one in inputs(), none: [bool; 4]) {
            let keep = |kept: bool, value: f64| if kept { (value * 100.0).round() / 100.0 } else { 0.0 };
            let one = Inputs {
                sensitivity: keep(none[0], one.sensitivity),
                exposure: keep(none[1], one.exposure),
                unprotected: if none[2] { 1.0 } else { one.unprotected },
                privilege: keep(none[3], one.privilege),
                records: if none[0] { 0 } else { one.records },
                ..one
            };
            let mut written = Vec::new();
            one.write(&mut written);
            prop_assert_eq!(canonical::bytes(&serde_json::to_value(one).unwrap()), written);
        }

        #[test]
        fn more_of_what_is_bad_never_lowers_a_score(a in inputs(), b in inputs()) {
            let more = Inputs {
                sensitivity: a.sensitivity.max(b.sensitivity),
                records: a.records.max(b.records),
                exposure: a.exposure.max(b.exposure),
                unprotected: a.unprotected.max(b.unprotected),
                anomaly: a.anomaly.max(b.anomaly),
                failed: a.failed.max(b.failed),
                privilege: a.privilege.max(b.privilege),
                context: a.context.max(b.context),
                floor: a.floor.max(b.floor),
                ..Inputs::default()
            };
            prop_assert!(more.score() >= a.score() && more.score() >= b.score());
            prop_assert!((0.0..=1.0).contains(&a.score()));
            // What is stored leads back to the score.
            let stored = serde_json::to_value(a).expect("JSON");
            let read: Inputs = serde_json::from_value(stored).expect("inputs");
            prop_assert_eq!(read.score(), a.score());
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_known_only_with_time() {
        assert_eq!(anomaly_of_amount(1_000_000, &mut [1; 13], 30), None);
        assert_eq!(anomaly_of_amount(1_000_000, &mut [1; 500], 13), None);
        let mut usual: Vec<u64> = (1..=100).collect();
        assert_eq!(anomaly_of_amount(95, &mut usual, 14), Some(0.0));
        assert_eq!(anomaly_of_amount(950, &mut usual, 14), Some(MOST_ANOMALY));
        assert!((anomaly_of_amount(522, &mut usual, 14).unwrap() - 0.25).abs() < 0.01);
        assert_eq!((anomaly_of_repeats(1), anomaly_of_repeats(10), anomaly_of_repeats(50)), (0.0, 0.5, 0.5));
    }

    #[test]
    fn an_entity_is_as_risky_as_its_worst_days_and_it_passes() {
        assert_eq!(entity([]), 0.0);
        assert_eq!(entity([(0.9, 0.0)]), 0.345);
        assert_eq!(entity([(0.9, 7.0)]), 0.172);
        assert_eq!(entity([(0.9, 31.0)]), 0.0);
        assert!(entity((0..1000).map(|_| (0.9, 0.0))) > 0.85);
    }

    #[test]
    fn the_hour_counts_for_people() {
        let of = |off, kind| Inputs::default().with_hour(off, kind).context;
        assert_eq!((of(true, Some("person")), of(true, Some("service")), of(false, Some("admin"))), (0.2, 0.0, 0.0));
        let at_most = Inputs { context: NEW_DESTINATION + NEW_HOST, ..Inputs::default() };
        assert_eq!(at_most.with_hour(true, Some("admin")).context, MOST_CONTEXT);
    }

    #[test]
    fn actions_have_floors_and_looking_for_faults_a_cap() {
        let of = |action: Action, level| Inputs::default().with_action(action, level, Outcome::Success).score();
        assert_eq!(of(Action::AuditDisabled, Level::Critical), 0.9);
        assert_eq!(of(Action::KeyDestroyed, Level::Warning), 0.8);
        assert!(of(Action::EpochSealed, Level::Debug) <= 0.2);
        assert_eq!(of(Action::RunStarted, Level::Info), 0.045);
    }
}
