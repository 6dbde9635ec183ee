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

/// A hash without a key stands in for a card number.
pub static CARD_HASH: Code = Code::new(
    "comply-card-hash",
    "a hash without a key does not hide a card number",
    "There are few card numbers: whoever has a hash tries them all, a salt that is known does not help. PCI DSS 3.5.1.1 asks for a keyed hash of the whole number. Use `tokenize(value, KEY)` or `hmac_sha256(value, KEY)` with a key of `compliance: { keys }`.",
);
/// Too much of a card number stays.
pub static CARD_TRUNCATION: Code = Code::new(
    "comply-card-truncation",
    "too much of a card number stays",
    "Of any card number the first six and the last four digits may stay; of a number with 16 digits the first eight (PCI SSC FAQ 1091). Numbers of 15 digits (American Express) with eight and four left are three digits away from the whole. Several fields made of the same number count together.",
);
/// A hash of a card number beside its digits.
pub static CARD_CORRELATION: Code = Code::new(
    "comply-card-correlation",
    "a hash of a card number stands beside its digits",
    "Who has a hash and the first and last digits of the same card number has few numbers left to try (PCI DSS 3.5.1). Write one of them to a target, or a token by a key of its own.",
);
/// Sensitive data lies unprotected in a cleared system.
pub static AT_REST: Code = Code::new(
    "comply-at-rest",
    "a system that may hold the data does not encrypt it",
    "The target is cleared for the class, and says of itself (`at_rest`) that nothing, or only its disk, encrypts what lies there. Disk encryption alone is not enough for card numbers (PCI DSS 3.5.1.2). Protect the value on the way, or say `at_rest: store` if the system itself encrypts it.",
);
/// No agreement with whoever gets the data.
pub static AGREEMENT: Code = Code::new(
    "comply-agreement",
    "data goes to somebody else without an agreement",
    "The target belongs to somebody else (`kind: partner` and the like; services of vendors unless said otherwise), and a standard in force asks for an agreement: a business associate agreement for health data (`baa`), a data processing agreement for personal data (`dpa`), an attestation for card data (`pci_service_provider`). Name it under `agreements` of the connector, with `reference` and `until`.",
);
/// An agreement has ended.
pub static AGREEMENT_ENDED: Code = Code::new(
    "comply-agreement-ended",
    "an agreement has ended",
    "The agreement under which data goes to somebody else says `until`, and that day is over. Renew it and say the new day, or stop sending such data.",
);
/// Personal data leaves its region without a ground.
pub static TRANSFER: Code = Code::new(
    "comply-transfer",
    "personal data leaves its region without a ground",
    "The people live where the GDPR protects them (`compliance: { home }`; `eea` unless said), and the target's `region` lies where it does not. Without a decision about that country (list in the program, dated) a ground is needed: standard contractual clauses, binding corporate rules, a certification, or one of the derogations of Art. 49.",
);
/// Live data goes into a test system.
pub static TEST_DATA: Code = Code::new(
    "comply-test-data",
    "live data goes into a system that serves tests",
    "The source is live (`environment` of the connector or the project is `production`, `prod` or `live`), the target is not. Test systems are open to more people and less guarded: mask or tokenise what is sensitive, or make test data.",
);
/// A purpose that the source does not allow.
pub static PURPOSE: Code = Code::new(
    "comply-purpose",
    "data is used for a purpose that its source does not allow",
    "The source connector says what its data may be used for (`purposes`), and the mapping's `purpose` is not among it, or it says none. People were told of a purpose when the data was taken; another one needs a ground of its own.",
);
/// No lawful basis.
pub static BASIS: Code = Code::new(
    "comply-basis",
    "nothing says on what lawful basis personal data is processed",
    "Under the GDPR every processing of personal data needs one of six bases (Art. 6(1)). Say which in the mapping: `compliance: { purpose: billing, basis: contract }`. The record of processing activities is made of it.",
);
/// No condition for special categories.
pub static CONDITION: Code = Code::new(
    "comply-condition",
    "nothing says why a special category may be processed",
    "Health, belief, origin, orientation and the like may be processed only where a condition of Art. 9(2) holds (for offences Art. 10), beside the lawful basis. Say which: `compliance: { condition: health_care }`.",
);
/// No consent is asked for.
pub static CONSENT: Code = Code::new(
    "comply-consent",
    "no record is asked for consent",
    "The basis is consent, or the purpose one that needs it, and nothing says where consent stands. Name the field (`consent: newsletter_ok`) or a lookup; records without consent, or with one that was withdrawn, are then held back and counted. Health data for marketing or sale needs an authorisation instead (HIPAA 164.508).",
);
/// Nothing says how long data is kept.
pub static RETENTION: Code = Code::new(
    "comply-retention",
    "nothing says how long data is kept, or too long",
    "Personal data is kept no longer than its purpose needs. Say how long the target keeps it: `retention` of the connector or of the mapping's `compliance`. The project's `compliance: { retention: { CLASS: DAYS } }` is the most that is allowed.",
);
/// Sensitive data in a message.
pub static MESSAGE: Code = Code::new(
    "comply-message",
    "sensitive data would be read by people in a message",
    "The target is a chat, mail, text messages, or public (`kind`). What is written there is read in clear and kept where nobody looks after it: card numbers never go there (PCI DSS 4.2.2), nor health data, special categories or secrets. Mask it or leave it out.",
);
/// A destination that nobody approved of.
pub static DESTINATION: Code = Code::new(
    "comply-destination",
    "a system is written to that nobody approved of",
    "The project lists its `compliance: { destinations }`, and this connector is not among them.",
);
/// Sensitive data travels in clear.
pub static TRANSPORT: Code = Code::new(
    "comply-transport",
    "sensitive data travels in clear",
    "The connection to another machine is not encrypted (`http://`, `mllp://`, `tls: disable`), or the other side is not verified, and sensitive data goes over it. Use the encrypted form with the certificate verified.",
);
/// An identifier in de-identified data.
pub static IDENTIFIED: Code = Code::new(
    "comply-identified",
    "de-identified data carries an identifier",
    "The mapping says `safe_harbor: true`: none of the eighteen identifiers of HIPAA 164.514(b)(2) may arrive. Of dates only the year may stay, and ages over 89 are one group (`safe_harbor_year`); of places three digits of the ZIP code, where enough people live there (`truncate_zip`).",
);
/// A code that is made of an identifier.
pub static DERIVED_CODE: Code = Code::new(
    "comply-derived-code",
    "a code of de-identified data is made of an identifier",
    "A code by which records can be led back to a person must not be made of what identifies the person (HIPAA 164.514(c)): a hash or token of the number is. Use `random_token`, which only the vault leads back from.",
);
/// More is carried than is needed.
pub static MINIMISE: Code = Code::new(
    "comply-minimise",
    "more is carried than the purpose needs",
    "Sensitive fields are carried only where they are named: a copy of all fields takes along what nobody thought of, and what a source adds tomorrow. Or the mapping says what its purpose `needs`, and this is not among it.",
);
/// Nobody can object to sale or sharing.
pub static OPT_OUT: Code = Code::new(
    "comply-opt-out",
    "nobody can object to sale or sharing",
    "Data that goes to the target counts as sold or shared (`sells: true`), and the mapping does not say where it stands that a person objects (`opt_out`). Records of those who do are then held back.",
);
/// A field seems sensitive and nobody said what it is.
pub static UNCLASSED: Code = Code::new(
    "comply-unclassed",
    "a field seems to be sensitive, and nothing says what it is",
    "The name of the field says what it probably is. The flow check follows what is declared and never rests on a guess: say the class where the field is read, in the fields of its stream, or, if the name misleads, waive the finding.",
);
/// A waiver has ended.
pub static WAIVER_ENDED: Code = Code::new(
    "comply-waiver-ended",
    "a waiver has ended",
    "A waiver takes the weight off a finding until a day. That day is over: the finding weighs again. Mend what it was about, or decide anew and say until when.",
);
/// Nothing needs a waiver.
pub static WAIVER_UNUSED: Code = Code::new(
    "comply-waiver-unused",
    "nothing needs a waiver",
    "No finding is what the waiver is about. Perhaps it was mended: then remove the waiver, so that it does not cover the next one. Or its `check` or `at` names something else than is meant.",
);
/// A value shows what no class announced.
pub static SAMPLED: Code = Code::new(
    "comply-sampled",
    "values of a field are sensitive, and nothing says so",
    "`consign map check --sample` has read some records and found values of a class that the field does not have. The values themselves are not shown. Say the class in the `fields` of the stream or where the field is read, and the flow check follows it.",
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
/// A rule of the project keeps a record back.
pub static RULE_WITHHELD: Code = Code::new(
    "comply-rule-withheld",
    "a record is withheld: a rule of the project says so",
    "A rule under `compliance: rules:` whose action is `withhold` holds for the record. It is not written, nothing of it is kept but what it is known by, and it is counted in its run with the name of the rule. Once the rule no longer holds for it, the next run that reads the record takes it along.",
);
/// The person lives where data may not leave for the target.
pub static RESIDENCY: Code = Code::new(
    "comply-residency",
    "a record is withheld: data of people of its place may not go there",
    "`compliance: residency:` of the mapping names the field that says where the person lives, and data of people of that place may not go to where the target stands: it is one that the mapping lists under `stays`, or the target stands in a country without an adequacy decision, and no ground of transfer (GDPR Art. 44 to 49) is declared. Nothing of the record is kept.",
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

/// Those that are found before anything moves.
pub const CHECKED: &[&Code] = &[
    &FLOW,
    &CONTROL_FLOW,
    &PROHIBITED,
    &RULE,
    &CARD_HASH,
    &CARD_TRUNCATION,
    &CARD_CORRELATION,
    &AT_REST,
    &AGREEMENT,
    &AGREEMENT_ENDED,
    &TRANSFER,
    &TEST_DATA,
    &PURPOSE,
    &BASIS,
    &CONDITION,
    &CONSENT,
    &RETENTION,
    &MESSAGE,
    &DESTINATION,
    &TRANSPORT,
    &IDENTIFIED,
    &DERIVED_CODE,
    &MINIMISE,
    &OPT_OUT,
    &UNCLASSED,
    &WAIVER_ENDED,
    &WAIVER_UNUSED,
    &SAMPLED,
    &UNPROTECTED,
];

/// Those that only records show.
pub const AT_RUN_TIME: &[&Code] = &[
    &BLOCKED,
    &PARKED,
    &DETECTED,
    &NO_CONSENT,
    &WITHDRAWN,
    &OPTED_OUT,
    &UNDER_AGE,
    &ERASED,
    &RULE_WITHHELD,
    &RESIDENCY,
    &GATE,
    &TOTALS,
];
