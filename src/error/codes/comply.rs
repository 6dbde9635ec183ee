//! Codes of the area `comply`: what the static flow check finds.

use super::Code;

/// Sensitive data reaches a target that is not cleared for it.
pub static FLOW: Code = Code::new(
    "comply-flow",
    "sensitive data reaches a target that is not cleared for it",
    "Data classes travel through every expression of a mapping. A class arrived at a target whose connector does not list it under `clearance`. Either the system may hold such data: then add the class to `clearance`; or it may not: then protect the value in the transform (a mask, a keyed token) or leave the field out. A class clears everything below it.",
);
/// Sensitive data decides what is written.
pub static CONTROL_FLOW: Code = Code::new(
    "comply-control-flow",
    "sensitive data decides what is written",
    "No sensitive value is written, but a condition reads one: whoever sees the target can tell something about it from which records or values are there. It is an error for health data, special categories and card authentication data, else a warning. Base the condition on another field, or clear the target for the class.",
);
/// Card authentication data is written.
pub static PROHIBITED: Code = Code::new(
    "comply-prohibited",
    "card authentication data must not be stored",
    "Card verification codes, PINs and track data are never stored after authorisation (PCI DSS 3.3.1), not even encrypted, whatever a target is cleared for. Leave the field out of the mapping.",
);
/// A rule of the project's own is broken.
pub static RULE: Code = Code::new(
    "comply-rule",
    "a rule of the project is broken",
    "A rule under `compliance: { rules }`, or of a pack that is used there, holds for this connector, mapping or flow. The finding names the rule, what it asks and the control it serves. Change what it is about, or let somebody answer for it for a while: `compliance: { waivers }` with `check: NAME_OF_THE_RULE`.",
);

/// A class that nothing may move would be written.
pub static BLOCKED: Code = Code::new(
    "comply-blocked",
    "a class of data would be written that nothing may move",
    "`protect` says `block` for a class of data, in the mapping or in connectors.yaml, and a field of the mapping carries it; or a value of the data showed what no class announced, and `detect` says `block`: then the run ends there, what was settled before stays, and the record is read again next time. Leave the field out, protect its value, or correct the data in its source.",
);
/// A class cannot be protected as the policy says.
pub static UNPROTECTED: Code = Code::new(
    "comply-unprotected",
    "a value cannot be protected as `protect` says",
    "`protect` names what is done to a class of data, and for this field that is not possible: the action has no form for the class, the key is missing, the value is an object, or it is part of the key of the target record and would no longer tell records apart. Nothing moves until another action is chosen: nothing falls back to less.",
);
/// A record was set aside since it holds a class.
pub static PARKED: Code = Code::new(
    "comply-parked",
    "a record was set aside for the class of its data",
    "`protect` says `park` for a class of data, and a field of this record holds a value of that class. The record waits in the dead letters. Correct it in its source, or change what the policy says, then replay or discard it.",
);
/// A value shows what no class announced.
pub static DETECTED: Code = Code::new(
    "comply-detected",
    "a value shows sensitive data that no class announced",
    "Outgoing values are looked at (`compliance: detect:`), and a value looks like sensitive data that nothing announced for its field. What was found is told by its kind, place, form and a keyed fingerprint; the value itself is kept sealed with its record, or not at all where it must never be stored. Give the source field its class and map it accordingly, correct the data in its source, or discard the record.",
);
/// No consent.
pub static NO_CONSENT: Code = Code::new(
    "comply-no-consent",
    "a record is withheld: there is no consent for the purpose",
    "The route goes on only with consent (`compliance: consent:` of the mapping), and of this person none is recorded for this purpose, or it was refused. Nothing of the record is kept. Once consent is given, the next run that reads the record takes it along.",
);
/// Consent was withdrawn.
pub static WITHDRAWN: Code = Code::new(
    "comply-withdrawn",
    "a record is withheld: consent was withdrawn",
    "The person withdrew consent before this run (GDPR Art. 7(3)). Nothing of the record is kept.",
);
/// The person opted out.
pub static OPTED_OUT: Code = Code::new(
    "comply-opted-out",
    "a record is withheld: the person objects to sale or sharing",
    "The field named by `compliance: opt_out:` of the mapping, an opt-out or a signal such as Global Privacy Control, says that this person's data must not go there (CCPA 1798.120, 11 CCR 7025). Nothing of the record is kept.",
);
/// Too young to agree alone.
pub static UNDER_AGE: Code = Code::new(
    "comply-under-age",
    "a record is withheld: the person is too young to agree alone",
    "The person is younger than the age of consent of the route, or the age is not known, and the record says of no parental agreement (GDPR Art. 8, CCPA 1798.120(c)). Nothing of the record is kept.",
);
/// The person was erased.
pub static ERASED: Code = Code::new(
    "comply-erased",
    "a record is withheld: its person was erased",
    "`consign audit keys shred` left a tombstone for this person, so that what was erased does not come back with the next full sync (GDPR Art. 17). Nothing of the record is kept, and dead letters of the person are given up.",
);
/// A gate cannot be told.
pub static GATE: Code = Code::new(
    "comply-gate",
    "a gate cannot be told from what is there",
    "A field that decides whether a record may go on (consent, opt-out, age, subject) holds what cannot be read as that. The record goes to the dead letters: a gate never takes what it cannot read for a yes, nor for a no. Correct the field in its source, then replay.",
);
/// Sums do not agree.
pub static TOTALS: Code = Code::new(
    "comply-totals",
    "declared sums do not agree",
    "`compliance: totals:` names fields whose sums are compared: what was read must be what was written, filtered, rejected and withheld together. They do not agree, so a value was changed, lost or added on the way. The run ends with 5, and both sides are on record.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &FLOW,
    &CONTROL_FLOW,
    &PROHIBITED,
    &RULE,
    &BLOCKED,
    &UNPROTECTED,
    &PARKED,
    &DETECTED,
    &NO_CONSENT,
    &WITHDRAWN,
    &OPTED_OUT,
    &UNDER_AGE,
    &ERASED,
    &GATE,
    &TOTALS,
];
