//! The keys of governance: `compliance:` of the project, what a connector says of itself, and
//! `compliance:` of a mapping.

use crate::config::keys::{Key, Kind, Section, Word, word};
use crate::record::Purpose;

/// `compliance:` of connectors.yaml.
pub static COMPLIANCE: Section = Section {
    name: "compliance",
    about: "The rules data has to obey.",
    foreign: false,
    keys: &[
        Key::new("standards", Kind::List(&Kind::Label), "The standards the project is held to."),
        Key::new(
            "on_violation",
            Kind::Word(&[word("block", "Nothing moves."), word("warn", "It is said and recorded.")]),
            "What a violation does.",
        )
        .default("block"),
        Key::new(
            "keys",
            Kind::Named(&Kind::Section(&PROTECTION_KEY)),
            "Keys that values are protected with, by names that expressions use: `tokenize(value, \"customers\")`. `consign audit keys create NAME` makes one.",
        ),
        Key::new(
            "industry",
            INDUSTRIES,
            "The industry: its rules apply by themselves where records are what they are about.",
        ),
        Key::new(
            "home",
            Kind::Label,
            "Where the people live whose data is moved: a country (`de`, `us`), `eu`, `eea` or a state (`us-ca`). Transfer rules begin here.",
        ),
        Key::new("controller", Kind::Section(&CONTROLLER), "Who decides about the data; reports carry it."),
        Key::new(
            "waivers",
            Kind::List(&Kind::Section(&WAIVER)),
            "Findings that somebody answers for until a day. They stay visible; after that day they are findings again.",
        ),
        Key::new("protect", PROTECT, "What is done to a class of data where the mapping does nothing about it."),
        Key::new("rules", Kind::List(&Kind::Record), "Rules of your own."),
        Key::new(
            "detect",
            Kind::ShortOr(&Kind::Word(DETECTION), &Kind::Section(&DETECT)),
            "Whether outgoing values are looked at for sensitive data that no class announced: `off`, `all`, or a map.",
        ),
        Key::new("retention", Kind::ByClass(&Kind::Days), "How long data of a class may be kept at most."),
        Key::new("approvals", Kind::Label, "The file in which approvals of configurations stand, from this folder."),
        Key::new("roles", Kind::Named(&Kind::Section(&ROLE)), "Who may do what."),
        Key::new("standards_dir", Kind::Label, "The folder with standards of your own, from this folder.")
            .default("standards"),
        Key::new(
            "destinations",
            Kind::List(&Kind::Name(false)),
            "The connectors that may be written to at all; left out, all of them.",
        ),
    ],
};

static PROTECTION_KEY: Section = Section {
    name: "a key",
    about: "A key that values are protected with. The key itself is random, made by `consign audit keys create`, and lies in the state, sealed.",
    foreign: false,
    keys: &[
        Key::new("purpose", Kind::Word(PURPOSES), "What it is for. A key serves one purpose.").required(),
        Key::new(
            "root",
            Kind::OneOrMany(&Kind::Secret),
            "What seals the key: a reference to a secret of at least 16 characters, kept apart from the state; a file must be closed to others (mode 0600). Of a list the first seals, and all open: earlier ones, until `consign audit keys reencrypt`. Left out, the key ring of the state's folder.",
        ),
        Key::new(
            "class",
            Kind::OneOrMany(&Kind::Class),
            "What kind of data is encrypted with it: what decryption brings back.",
        ),
        Key::new(
            "decrypt",
            Kind::OneOrMany(&Kind::Name(true)),
            "The mappings that may decrypt with it; left out, none.",
        ),
        Key::new(
            "max_age",
            Kind::Days,
            "How old the version that protects may become before `consign audit keys list` says that it is due; left out, as old as it likes.",
        ),
    ],
};

const PURPOSES: &[Word] = &[
    purpose(Purpose::Token),
    purpose(Purpose::Encrypt),
    purpose(Purpose::Join),
    purpose(Purpose::Format),
    purpose(Purpose::Vault),
    purpose(Purpose::Subject),
    purpose(Purpose::Fingerprint),
];

const fn purpose(of: Purpose) -> Word {
    word(of.word(), of.about())
}

static CONTROLLER: Section = Section {
    name: "controller",
    about: "Who decides about the data (GDPR Art. 30(1)(a)).",
    foreign: false,
    keys: &[
        Key::new("name", Kind::Label, "Its name."),
        Key::new("contact", Kind::Label, "How to reach it."),
        Key::new("representative", Kind::Label, "Its representative in the Union, where it needs one."),
        Key::new("dpo", Kind::Label, "Its data protection officer, and how to reach them."),
    ],
};

static WAIVER: Section = Section {
    name: "a waiver",
    about: "A finding that somebody answers for until a day.",
    foreign: false,
    keys: &[
        Key::new(
            "check",
            Kind::Label,
            "What is waived: the code of the finding (`comply-flow`), the check (`P17`) or the control (`PCI DSS 3.5.1`).",
        )
        .required(),
        Key::new(
            "at",
            Kind::Label,
            "Of what: a connector, a mapping, or a field of a mapping (`orders.customer.email`).",
        )
        .required(),
        Key::new("owner", Kind::Label, "Who answers for it.").required(),
        Key::new("reason", Kind::Label, "Why it is accepted.").required(),
        Key::new("until", Kind::Date, "The last day it holds.").required(),
        Key::new("ticket", Kind::Label, "Where it was decided."),
    ],
};

/// What is done to classes.
const PROTECT: Kind = Kind::ByClass(&Kind::ShortOr(&Kind::Word(ACTIONS), &Kind::Section(&PROTECTION)));

static PROTECTION: Section = Section {
    name: "a protection",
    about: "What is done to a class of data.",
    foreign: false,
    keys: &[
        Key::new("action", Kind::Word(ACTIONS), "What is done.").required(),
        Key::new("key", Kind::Name(false), "The name of the key, for what needs one."),
    ],
};

const ACTIONS: &[Word] = &[
    word("allow", "It is written as it is."),
    word("mask", "Its middle is hidden."),
    word("truncate", "Its middle is cut out."),
    word("tokenize", "A keyed token takes its place."),
    word("fpe", "It is encrypted, its form kept."),
    word("encrypt", "It is encrypted."),
    word("encrypt_siv", "It is encrypted so that equal values stay equal."),
    word("pseudonymize", "A keyed pseudonym takes its place."),
    word("random_token", "A random token takes its place, which only the vault leads back from."),
    word("generalize", "It is made coarser."),
    word("drop", "It is left out."),
    word("park", "Its record goes to the dead letters."),
    word("block", "Nothing moves."),
];

const DETECTION: &[Word] = &[
    word("off", "No value is looked at."),
    word("all", "Every value is looked at for every class; a record with a hit goes to the dead letters."),
];

static DETECT: Section = Section {
    name: "detection",
    about: "How outgoing values are looked at.",
    foreign: false,
    keys: &[
        Key::new("classes", Kind::OneOrMany(&Kind::Class), "The classes that are looked for; left out, all."),
        Key::new(
            "action",
            Kind::Word(&[
                word("block", "The run stops."),
                word("park", "The record goes to the dead letters."),
                word("mask", "The value is masked."),
                word("warn", "It is said and recorded."),
            ]),
            "What is done where something is found.",
        )
        .default("park"),
        Key::new("threshold", Kind::Percent, "How sure a detector has to be, in per cent.").default("60"),
    ],
};

static ROLE: Section = Section {
    name: "a role",
    about: "What its members may do.",
    foreign: false,
    keys: &[
        Key::new(
            "can",
            Kind::OneOrMany(&Kind::Label),
            "What they may do, with `*` for anything: `sync.*`, `pan.view`.",
        ),
        Key::new("cannot", Kind::OneOrMany(&Kind::Label), "What they may not, whatever other roles allow."),
        Key::new("members", Kind::OneOrMany(&Kind::Label), "Who has it."),
        Key::new("apart_from", Kind::OneOrMany(&Kind::Label), "Roles that nobody may have together with it."),
        Key::new("reviewed", Kind::Date, "When somebody last looked whether its members still need it."),
    ],
};

/// Under `agreements` of a connector: a list of kinds, or a map that says more of each.
pub const AGREEMENTS: Kind = Kind::ShortOr(&Kind::List(&Kind::Word(AGREEMENT_KINDS)), &Kind::Section(&AGREED));

const AGREEMENT_KINDS: &[Word] = &[
    word("baa", BAA),
    word("dpa", DPA),
    word("pci_service_provider", PCI),
    word("scc", SCC),
    word("bcr", BCR),
    word("dua", DUA),
    word("service_provider", CCPA),
];
const BAA: &str = "A business associate agreement (HIPAA).";
const DPA: &str = "A data processing agreement (GDPR Art. 28).";
const PCI: &str = "An attested payment card service provider.";
const SCC: &str = "Standard contractual clauses (GDPR Art. 46).";
const BCR: &str = "Binding corporate rules (GDPR Art. 47).";
const DUA: &str = "A data use agreement for limited data sets (HIPAA 164.514(e)).";
const CCPA: &str = "Service provider terms (CCPA 1798.140).";

static AGREED: Section = Section {
    name: "agreements",
    about: "Agreements with the operator of a system: where each is filed, or a map that says until when it holds too.",
    foreign: false,
    keys: &[
        Key::new("baa", ONE_AGREED, BAA),
        Key::new("dpa", ONE_AGREED, DPA),
        Key::new("pci_service_provider", ONE_AGREED, PCI),
        Key::new("scc", ONE_AGREED, SCC),
        Key::new("bcr", ONE_AGREED, BCR),
        Key::new("dua", ONE_AGREED, DUA),
        Key::new("service_provider", ONE_AGREED, CCPA),
    ],
};

const ONE_AGREED: Kind = Kind::ShortOr(&Kind::Label, &Kind::Section(&AGREEMENT));

static AGREEMENT: Section = Section {
    name: "an agreement",
    about: "An agreement with the operator of a system.",
    foreign: false,
    keys: &[
        Key::new("reference", Kind::Label, "Where it is filed."),
        Key::new("until", Kind::Date, "The last day it holds; left out, until somebody says otherwise."),
    ],
};

/// Under `industry` of the project or of a connector.
pub const INDUSTRIES: Kind = Kind::Word(&[
    word("automotive", "Car dealers and whoever serves them."),
    word("healthcare", "Care, and whoever pays for it."),
    word("finance", "Banks, payments, insurance."),
    word("manufacturing", "Making and storing things."),
]);

/// Under `kind` of a connector.
pub const AUDIENCES: Kind = Kind::Word(&[
    word("internal", "The organisation itself."),
    word("partner", "A third party."),
    word("public", "Anybody."),
    word("chat", "The members of a chat."),
    word("mail", "Who gets a mail."),
    word("sms", "Who gets a text message."),
]);

/// Under `at_rest` of a connector.
pub const AT_REST: Kind = Kind::Word(&[
    word("none", "Nothing."),
    word("disk", "The disk or volume: whoever reads files of the running system reads clear data."),
    word("store", "The system itself, with keys of its own."),
]);

/// `compliance:` of a mapping.
pub static PROCESSING: Section = Section {
    name: "compliance of a mapping",
    about: "What the route does with personal, health or card data, and why it may.",
    foreign: false,
    keys: &[
        Key::new("purpose", Kind::Label, "What the data is used for there: `billing`, `marketing`, `treatment`."),
        Key::new("basis", Kind::Word(BASES), "The lawful basis (GDPR Art. 6(1))."),
        Key::new(
            "condition",
            Kind::Word(CONDITIONS),
            "Why special categories may be processed (GDPR Art. 9(2)), or data about offences (Art. 10).",
        ),
        Key::new(
            "consent",
            Kind::ShortOr(&Kind::RecordPath, &Kind::Section(&CONSENT)),
            "Records go on only with consent: the field that says it, or a map.",
        ),
        Key::new(
            "opt_out",
            Kind::RecordPath,
            "The field that says that a person objects to sale or sharing: its records go to no target that `sells`.",
        ),
        Key::new(
            "residency",
            Kind::ShortOr(&Kind::RecordPath, &Kind::Section(&RESIDENCY)),
            "The field with the country or region where the person lives, or a map: records whose data may not go to the target's region are held back.",
        ),
        Key::new("age", Kind::RecordPath, "The field with the age or the birth date of the person."),
        Key::new("parental", Kind::RecordPath, "The field that says that who has parental authority agreed."),
        Key::new("age_of_consent", Kind::Whole(13, 21), "From which age on a person agrees alone.").default("16"),
        Key::new(
            "subject",
            Kind::RecordPath,
            "The field that says who the person is: accounting, erasure and consent go by it.",
        ),
        Key::new("people", Kind::OneOrMany(&Kind::Label), "Whose data it is: `customers`, `patients`, `employees`."),
        Key::new("recipients", Kind::OneOrMany(&Kind::Label), "Who gets the data, with an address where one is asked for."),
        Key::new("transfer", Kind::Section(&TRANSFER), "Why data may leave the region of its people."),
        Key::new("dpia", Kind::Label, "The data protection impact assessment (GDPR Art. 35)."),
        Key::new("authorisation", Kind::Label, "Where the patients' authorisation is filed (HIPAA 164.508)."),
        Key::new(
            "data_use_agreement",
            Kind::Label,
            "The data use agreement that a limited data set goes under (HIPAA 164.514(e)).",
        ),
        Key::new(
            "safe_harbor",
            Kind::Flag,
            "Whether what is written is to be de-identified: none of the identifiers of HIPAA 164.514(b)(2) may arrive.",
        )
        .default("false"),
        Key::new(
            "disclosure",
            Kind::Word(DISCLOSURES),
            "What kind of disclosure of health data it is; those that are `accountable` are listed for the patient (HIPAA 164.528).",
        ),
        Key::new("retention", Kind::Days, "How long the target keeps what is written; left out, as the connector says."),
        Key::new("owner", Kind::Label, "Who answers for the route."),
        Key::new("approver", Kind::Label, "Who approves of changes to it."),
        Key::new("ticket", Kind::Label, "Where the last change was decided."),
        Key::new(
            "totals",
            Kind::OneOrMany(&Kind::RecordPath),
            "Fields of the target record whose sums are compared with what arrived.",
        ),
        Key::new("protect", PROTECT, "What is done to a class of data on this route; stands before what the project says."),
        Key::new(
            "needs",
            Kind::OneOrMany(&Kind::Class),
            "The classes of data that the purpose needs: any other that is written is a finding.",
        ),
    ],
};

const BASES: &[Word] = &[
    word("consent", "The person agreed (a)."),
    word("contract", "A contract with the person needs it (b)."),
    word("legal_obligation", "The law asks for it (c)."),
    word("vital_interests", "A life depends on it (d)."),
    word("public_task", "A task in the public interest (e)."),
    word("legitimate_interests", "Interests that weigh more than those of the person (f)."),
];

const CONDITIONS: &[Word] = &[
    word("explicit_consent", "The person agreed expressly (a)."),
    word("employment", "Employment and social security law (b)."),
    word("vital_interests", "A life depends on it (c)."),
    word("not_for_profit", "Members of a foundation or association (d)."),
    word("made_public", "The person made it public (e)."),
    word("legal_claims", "Legal claims (f)."),
    word("substantial_public_interest", "Substantial public interest, by law (g)."),
    word("health_care", "Health care, by or for professionals (h)."),
    word("public_health", "Public health (i)."),
    word("research", "Archives, research and statistics (j)."),
    word("official_authority", "Offences: under official authority or by law (Art. 10)."),
];

const DISCLOSURES: &[Word] = &[
    word("accountable", "It is listed for the patient."),
    word("treatment", "Treatment; not listed."),
    word("payment", "Payment; not listed."),
    word("operations", "Health care operations; not listed."),
    word("individual", "To the patient; not listed."),
    word("authorised", "Under an authorisation; not listed."),
    word("limited_data_set", "A limited data set; not listed."),
    word("incidental", "Incidental to a permitted disclosure; not listed."),
    word("directory", "Facility directory, or to persons involved in the care; not listed."),
    word("national_security", "National security or intelligence; not listed."),
    word("custody", "To correctional institutions or law enforcement about people in custody; not listed."),
];

static RESIDENCY: Section = Section {
    name: "residency",
    about: "Where people live, told by each record. What is empty counts as `home` of the project; what nobody knows goes to the dead letters.",
    foreign: false,
    keys: &[
        Key::new("field", Kind::RecordPath, "The field with the country (`de`), state (`us-ca`) or region (`eu`).")
            .required(),
        Key::new(
            "stays",
            Kind::OneOrMany(&Kind::Label),
            "Countries, or `eea`, whose people's data does not leave them on any ground.",
        ),
    ],
};

static CONSENT: Section = Section {
    name: "consent",
    about: "How consent is told: by fields of the record, or with `lookup` by fields of the row found. Records without it are held back.",
    foreign: false,
    keys: &[
        Key::new("field", Kind::RecordPath, "The field that says whether there is consent."),
        Key::new("lookup", Kind::Section(&CONSENT_LOOKUP), "Where consent is looked up; left out, in the record."),
        Key::new("purpose", Kind::Label, "The purpose it must be for; left out, the route's."),
        Key::new("purposes", Kind::RecordPath, "The field that lists what it is for."),
        Key::new("given", Kind::RecordPath, "The field with the moment it was given."),
        Key::new("withdrawn", Kind::RecordPath, "The field with the moment it was withdrawn."),
    ],
};

static CONSENT_LOOKUP: Section = Section {
    name: "a lookup of consent",
    about: "Where consent is looked up: in a file or in a stream, one of them.",
    foreign: false,
    keys: &[
        Key::new("file", Kind::Label, "A CSV, JSON or NDJSON file, from the folder of connectors.yaml."),
        Key::new("stream", Kind::Stream, "A stream of a connector: `connector.stream`."),
        Key::new("key", Kind::RecordPath, "The field of the row that says who the person is.").required(),
        Key::new("by", Kind::RecordPath, "The field of the record that says it; left out, `subject`."),
    ],
};

static TRANSFER: Section = Section {
    name: "transfer",
    about: "Why data may leave the region of its people (GDPR Art. 44 to 49).",
    foreign: false,
    keys: &[
        Key::new(
            "ground",
            Kind::Word(&[
                word("scc", "Standard contractual clauses (Art. 46(2)(c))."),
                word("bcr", "Binding corporate rules (Art. 47)."),
                word("code_of_conduct", "An approved code of conduct (Art. 46(2)(e))."),
                word("certification", "An approved certification (Art. 46(2)(f)): also of adequacy decisions that cover only certified recipients."),
                word("explicit_consent", "The person agreed, told of the risks (Art. 49(1)(a))."),
                word("contract", "A contract with the person needs it (Art. 49(1)(b))."),
                word("public_interest", "Important public interest (Art. 49(1)(d))."),
                word("legal_claims", "Legal claims (Art. 49(1)(e))."),
                word("vital_interests", "A life depends on it (Art. 49(1)(f))."),
            ]),
            "The ground.",
        )
        .required(),
        Key::new("reference", Kind::Label, "Where it is filed."),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Action, AtRest, Audience, OnHit};

    #[test]
    fn words_and_types_agree() {
        let words = |kind: &Kind| match kind {
            Kind::Word(words) => words.iter().map(|word| word.name).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let names = |names: Vec<&'static str>| names;
        assert_eq!(words(&Kind::Word(ACTIONS)), names(Action::NAMES.iter().map(|(name, _)| *name).collect()));
        assert_eq!(words(&AUDIENCES), names(Audience::NAMES.iter().map(|(name, _)| *name).collect()));
        assert_eq!(words(&AT_REST), names(AtRest::NAMES.iter().map(|(name, _)| *name).collect()));
        let found = DETECT.key("action").map(|key| words(&key.kind));
        assert_eq!(found, Some(names(OnHit::NAMES.iter().map(|(name, _)| *name).collect())));
        let agreed: Vec<_> = AGREED.keys.iter().map(|key| key.name).collect();
        assert_eq!(words(&Kind::Word(AGREEMENT_KINDS)), agreed);
    }
}
