//! What an event is: a closed list of actions, a versioned body, and its canonical bytes.

mod draft;
mod recorded;

use serde::{Deserialize, Serialize};

pub use draft::{Draft, Stamp};
pub use recorded::{Checked, Event};

/// The version of the body that is written; every version ever written stays readable.
pub const VERSION: u64 = 1;

/// What actions begin with that scripts named: none of consign's own does, so that nobody can forge one.
pub const CUSTOM: &str = "custom.";

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that is stored and shown.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one with this word.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// How much an event matters, rising.
    #[derive(Default)]
    Level {
        /// Of use while looking for a fault.
        Debug = "debug",
        /// The normal course.
        #[default]
        Info = "info",
        /// Worth a look.
        Warning = "warning",
        /// Something failed.
        Error = "error",
        /// Somebody must look now.
        Critical = "critical",
    }
}

words! {
    /// What an event is about.
    #[derive(Default)]
    Category {
        /// Stock and items.
        Inventory = "inventory",
        /// Something a person did.
        UserAction = "user_action",
        /// consign itself.
        #[default]
        System = "system",
        /// Keys, access, locks, tampering.
        Security = "security",
        /// Rules and their decisions.
        Compliance = "compliance",
        /// Data moving between systems.
        Integration = "integration",
        /// Speed and limits.
        Performance = "performance",
    }
}

words! {
    /// How it ended.
    #[derive(Default)]
    Outcome {
        /// As intended.
        Success = "success",
        /// In part.
        Partial = "partial",
        /// Not at all.
        Failure = "failure",
        /// It was not allowed.
        Denied = "denied",
        /// Nobody can say yet.
        #[default]
        Unknown = "unknown",
    }
}

macro_rules! actions {
    ($($variant:ident $word:literal $category:ident $level:ident $about:literal;)*) => {
        words! {
            /// Everything that is ever recorded.
            Action { $(#[doc = $about] $variant = $word),* }
        }

        impl Action {
            /// Its category.
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category),* }
            }
            /// Its usual level.
            pub fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),* }
            }
            /// What it means, one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

actions! {
    LogStarted "audit.log_started" Security Info "An audit log began.";
    LogReplaced "audit.log_replaced" Security Critical "The key of an earlier log was lost; it was closed and this log began.";
    SignerMade "audit.signer_made" Security Info "The log got the key that its checkpoints are signed with.";
    CheckpointMade "audit.checkpoint" Security Info "A checkpoint of the log was signed.";
    EventProved "audit.proved" Security Info "A proof that an event is in the log was written.";
    EventsPruned "audit.pruned" Security Critical "The oldest events of the log were removed, as its retention allows.";
    EventsRedacted "audit.redacted" Security Critical "The bodies of events were removed; their places in the log remain.";
    SegmentSealed "audit.segment_sealed" Security Info "A part of the log was moved to a file of its own that nobody writes to any more.";
    SignerRotated "audit.signer_rotated" Security Warning "The key that checkpoints are signed with was replaced; the old one signed for the new one.";
    HoldPlaced "audit.hold_placed" Compliance Warning "A legal hold was placed: nothing from its beginning on is removed.";
    HoldReleased "audit.hold_released" Compliance Warning "A legal hold was released.";
    CheckpointWitnessed "audit.witnessed" Security Info "A witness cosigned a checkpoint of the log.";
    EpochSealed "audit.epoch_sealed" Security Debug "An epoch of the chain was sealed and its key replaced.";
    KeyRewrapped "audit.key_rewrapped" Security Warning "The chain's current key was wrapped by another key.";
    AuditDisabled "audit.disabled" Security Critical "Recording was switched off by configuration.";
    AuditEnabled "audit.enabled" Security Warning "Recording was switched on again.";
    AuditVerified "audit.verified" Security Info "The log was verified.";
    AuditExported "audit.exported" Security Info "Events were exported.";
    AuditNote "audit.note" UserAction Info "A note from a person or a script.";
    ClockStep "clock.step" System Warning "The system clock went backwards.";
    ConfigSeen "config.seen" System Info "A configuration was used for the first time.";
    RunStarted "run.started" Integration Info "A run began.";
    GroupSettled "group.settled" Integration Info "A group of records was settled.";
    RunFinished "run.finished" Integration Info "A run ended.";
    RunRefused "run.refused" Compliance Warning "A run was refused before it began: not approved of, or not what was approved of, disabled, or against a rule.";
    RunDied "run.died" Integration Error "A run had ended without saying so.";
    RouteEnabled "route.enabled" UserAction Info "A route was enabled.";
    RouteDisabled "route.disabled" UserAction Warning "A route was disabled.";
    RouteTakenOver "route.taken_over" Integration Warning "A route was taken over from a process that was stopped past its deadline.";
    RouteUnlocked "route.unlocked" UserAction Warning "The lock of a route was cleared.";
    PositionSet "position.set" UserAction Warning "The resume point of a route was set by hand.";
    PositionReset "position.reset" UserAction Warning "The resume point of a route was forgotten.";
    LettersClaimed "dead_letters.claimed" UserAction Info "Dead letters were taken for replay.";
    LettersReplayed "dead_letters.replayed" Integration Info "Dead letters were replayed.";
    LettersReleased "dead_letters.released" Integration Info "Dead letters went back to open.";
    LettersSuperseded "dead_letters.superseded" Integration Info "Dead letters were overtaken by later records.";
    LettersDiscarded "dead_letters.discarded" UserAction Warning "Dead letters were given up.";
    LettersPurged "dead_letters.purged" System Info "Dead letters past their time to live were deleted.";
    LetterShown "dead_letters.shown" UserAction Info "The content of a dead letter was looked at.";
    SignedIn "connector.signed_in" Security Info "A connector was signed in to; what was obtained is kept.";
    SignedOut "connector.signed_out" Security Info "A connector was signed out of; what was kept is forgotten.";
    StateBackedUp "state.backed_up" System Info "A copy of the state was made.";
    StateRestored "state.restored" UserAction Critical "The state was restored from a copy.";
    TargetAdopted "state.adopted" UserAction Warning "What a target knew of a route was taken over.";
    StateMigrated "state.migrated" System Info "The state's schema was brought up to date.";
    RuleRefused "compliance.refused" Compliance Error "A compliance rule refused to let data move.";
    RuleWarned "compliance.warned" Compliance Warning "A compliance rule was violated and only said so.";
    PlanSaved "plan.saved" UserAction Info "A plan of what a run would do was saved.";
    PlanApproved "plan.approved" UserAction Warning "Somebody approved of a plan.";
    ApprovalRefused "plan.approval_refused" Compliance Warning "Somebody's approval of a plan was not accepted.";
    KeyMade "key.made" Security Info "A version of a key that values are protected with was made.";
    KeyRetired "key.retired" Security Info "A version of a key protects no more.";
    KeyCompromised "key.compromised" Security Critical "Somebody else may know a version of a key.";
    KeyDestroyed "key.destroyed" Security Warning "A version of a key was destroyed.";
    KeyResealed "key.resealed" Security Info "A version of a key is sealed by another root.";
    KeyReencrypted "key.reencrypted" Security Info "What older versions of a key sealed in the state was sealed with the newest.";
    SubjectErased "subject.erased" Compliance Warning "The keys of a subject were destroyed, and a tombstone was left.";
    StandardsChecked "compliance.checked" Compliance Info "The project and its log were held against standards.";
    ReportMade "report.made" UserAction Info "A report was made.";
    ToolSeen "tool.seen" System Info "A build of consign wrote to this log for the first time.";
    TokensRotated "connector.tokens_rotated" Security Info "A connector's tokens were replaced by new ones.";
    DataViewed "data.viewed" UserAction Info "Records of a system were looked at.";
    DataCaptured "data.captured" UserAction Warning "Records of a system were written to a file.";
    OperationCalled "operation.called" UserAction Info "An operation of a system was called by hand.";
    LogViewed "audit.viewed" Security Info "Events of the log were looked at.";
    SubjectViewed "subject.viewed" Security Warning "What the log knows of one subject was looked at.";
    RuleFired "rule.fired" Compliance Warning "A rule over events fired.";
    AlertSent "alert.sent" System Info "An alert was sent.";
    AlertFailed "alert.failed" System Error "An alert could not be sent.";
    SlowOperation "operation.slow" Performance Warning "Something took longer than it should.";
    VerificationFailed "audit.verification_failed" Security Critical "The log did not verify.";
    RouteFrozen "route.frozen" Compliance Error "A route was disabled by a rule over events.";
    InventoryChanged "inventory.changed" Inventory Info "The quantity of an item changed.";
    Reviewed "audit.reviewed" Security Info "Somebody reviewed the log.";
    RecordsWithheld "records.withheld" Compliance Warning "Records were withheld from a target.";
}

/// An id that sorts by time (UUID version 7, RFC 9562): 48 bits of milliseconds, the rest random.
pub fn id(ts_ns: i64, random: [u8; 16]) -> String {
    let mut bytes = random;
    let millis = (ts_ns.max(0) / 1_000_000) as u64;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::canonical;
    use crate::audit::session::{Ci, Session};
    use serde_json::{Value, json};

    #[test]
    fn ids_are_uuids_of_version_7_and_sort_by_time() {
        let early = id(1_700_000_000_000_000_000, [0xff; 16]);
        assert_eq!(early, "018bcfe5-6800-7fff-bfff-ffffffffffff");
        assert!(early < id(1_700_000_000_001_000_000, [0; 16]));
    }

    #[test]
    fn a_body_reads_back_as_what_was_written() {
        let mut draft = Draft::new(Action::GroupSettled).detail("written", 5u64).detail("big", u64::MAX);
        draft.route = Some("orders".into());
        draft.risk = 0.25;
        let stamp = Stamp { id: id(5, [0; 16]), seq: 9, ts_ns: 1_700_000_000_123_456_789, clock_ns: 3 };
        let body = draft.body(&stamp, &Session::default());
        let event = Event::read(&body).expect("event");
        assert_eq!((event.seq, event.time, event.risk), (9, stamp.ts_ns, 0.25));
        assert_eq!(event.risk_inputs.expect("inputs").score(), event.risk);
        assert_eq!(event.action, "group.settled");
        assert_eq!(event.clock.as_deref(), Some("3"));
        assert_eq!(event.details["big"], json!(u64::MAX.to_string()));
        let keys: Vec<&str> = ["action", "category", "clock", "details", "id"].into();
        let text = String::from_utf8(body).expect("utf-8");
        let places: Vec<usize> = keys.iter().map(|k| text.find(&format!("\"{k}\":")).expect(k)).collect();
        assert!(places.is_sorted(), "{text}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(crate::soak::rounds(100)))]
        #[test]
        fn a_body_is_written_in_canonical_form(texts in proptest::array::uniform14(proptest::option::of(".*")), key in ".*", n: i64, ts: i64, clock: i64, risk in -1.0f64..2.0) {
            let mut draft = Draft::new(Action::AuditNote).detail(&key, n).detail("b", risk).detail("a", serde_json::json!({ "z": [n], "y": null }));
            let [reason, resource, actor, origin, tenant, run, route, config, own, host, ip, tool, environment, behind] = texts;
            let subjects: Vec<String> = behind.iter().cloned().collect();
            let checks = vec![("P01".to_string(), "pass".to_string())];
            draft = Draft { reason, resource, actor, origin, tenant, run, route, config, risk, subjects, checks, classes: vec!["pii.name"], ..draft };
            let ci = host.as_ref().map(|run| Ci { system: "github".into(), run: Some(run.clone()), claimed: true, ..Ci::default() });
            let session = Session { actor: own, host, ip, tool, environment, on_behalf_of: behind, ci, pid: Some(7), origin: Some("cron"), actor_kind: Some("service"), off_hours: true };
            let body = draft.body(&Stamp { id: id(ts, [9; 16]), seq: 7, ts_ns: ts, clock_ns: clock }, &session);
            let value: Value = serde_json::from_slice(&body).expect("JSON");
            proptest::prop_assert_eq!(canonical::bytes(&value), body.clone());
            let event = Event::read(&body).expect("event");
            proptest::prop_assert_eq!(event.pid, Some(7));
        }
    }

    #[test]
    fn every_word_leads_back() {
        for action in Action::ALL {
            assert_eq!(Action::of(action.word()), Some(*action));
            assert!(action.word().contains('.') && action.about().ends_with('.'));
        }
        for level in Level::ALL {
            assert_eq!(Level::of(level.word()), Some(*level));
        }
    }
}
