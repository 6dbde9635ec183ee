//! What compliance rules ask people to declare: of the project, of each system and of each route.
//! Every declaration is optional; what is declared is judged by `comply` and enforced by `sync`.
//!
//! `keys` are the tables of what can be written, `read` makes these types of it, `canonical` puts
//! what was said into the sealed form.

pub(super) mod canonical;
pub(super) mod keys;
mod names;
mod read;

use jiff::civil::Date;

use super::{Node, Spanned};
use crate::error::Place;
use crate::record::{ClassId, ClassSet, Path};

pub(super) use names::names;
pub(super) use read::{agreements, custody, processing, rules};

/// What the project declares beside its standards and keys.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The industry it is in: which packs of rules apply by themselves.
    pub industry: Option<Industry>,
    /// Where the people are whose data it moves: a country (`de`), or `eu`, `eea`, `us-ca`.
    pub home: Option<String>,
    /// Who decides about the data.
    pub controller: Option<Controller>,
    /// Findings that somebody answers for, for a while.
    pub waivers: Vec<Waiver>,
    /// What is done to a class that no mapping says anything about.
    pub protect: Vec<Protect>,
    /// Rules of the project's own, as they are written; `comply` reads them.
    pub custom: Vec<Spanned<Node>>,
    /// Whether values are looked at for what no class announced; `None`: nothing was said.
    pub detect: Option<Detect>,
    /// How long data of a class may be kept, in days.
    pub retention: Vec<(ClassId, u32)>,
    /// The file that approvals of configurations stand in, by its path from the project's folder.
    pub approvals: Option<Spanned<String>>,
    /// Who may do what.
    pub roles: Vec<Role>,
    /// The folder of standards of the project's own, from the project's folder.
    pub standards_dir: Option<Spanned<String>>,
    /// The connectors that may be written to at all; `None`: nothing was said.
    pub destinations: Option<Vec<Spanned<String>>>,
}

/// Who decides about the data (GDPR Art. 4(7), 30(1)(a)).
#[derive(Clone, Debug, Default)]
pub struct Controller {
    /// Its name.
    pub name: Option<String>,
    /// How to reach it.
    pub contact: Option<String>,
    /// Its representative in the Union, if it has none of its own there.
    pub representative: Option<String>,
    /// Its data protection officer.
    pub dpo: Option<String>,
}

/// A finding that somebody answers for until a day.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Where it stands.
    pub place: Place,
    /// What is waived: the code of a finding (`comply-flow`), a check (`P17`), or a control (`PCI DSS 3.5.1`).
    pub check: String,
    /// Of what: a connector, a mapping, or a field of one (`mapping.field`).
    pub at: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day it holds.
    pub until: Date,
    /// Where it was decided.
    pub ticket: Option<String>,
}

/// What is done to a class of data.
#[derive(Clone, Debug)]
pub struct Protect {
    /// Where it stands.
    pub place: Place,
    /// The class, with all below it.
    pub class: ClassId,
    /// What is done.
    pub action: Action,
    /// The name of the key, for actions that need one.
    pub key: Option<Spanned<String>>,
}

/// What can be done to a value of a class, or to the record that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is written as it is.
    Allow,
    /// Its middle is hidden.
    Mask,
    /// Its middle is cut out.
    Truncate,
    /// A keyed token takes its place.
    Tokenize,
    /// It is encrypted, its form kept.
    Fpe,
    /// It is encrypted.
    Encrypt,
    /// It is encrypted so that equal values stay equal.
    EncryptSiv,
    /// A keyed pseudonym takes its place.
    Pseudonymize,
    /// A random token takes its place, which only the vault leads back from.
    RandomToken,
    /// It is made coarser.
    Generalize,
    /// It is left out.
    Drop,
    /// Its record goes to the dead letters.
    Park,
    /// Nothing moves.
    Block,
}

impl Action {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] = &[
        ("allow", Self::Allow),
        ("mask", Self::Mask),
        ("truncate", Self::Truncate),
        ("tokenize", Self::Tokenize),
        ("fpe", Self::Fpe),
        ("encrypt", Self::Encrypt),
        ("encrypt_siv", Self::EncryptSiv),
        ("pseudonymize", Self::Pseudonymize),
        ("random_token", Self::RandomToken),
        ("generalize", Self::Generalize),
        ("drop", Self::Drop),
        ("park", Self::Park),
        ("block", Self::Block),
    ];

    /// The action of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, action)| *action)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

/// What happens when a value shows what no class announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detect {
    /// The classes that are looked for; none: nothing is.
    pub classes: ClassSet,
    /// What is done.
    pub action: OnHit,
    /// From which score on, in thousandths.
    pub threshold: u16,
}

/// What is done about a value that shows what no class announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHit {
    /// The run stops.
    Block,
    /// Its record goes to the dead letters.
    #[default]
    Park,
    /// It is masked.
    Mask,
    /// It is said and recorded.
    Warn,
}

impl OnHit {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] =
        &[("block", Self::Block), ("park", Self::Park), ("mask", Self::Mask), ("warn", Self::Warn)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, found)| *found == self).map_or("", |(name, _)| name)
    }
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What its members may do: commands with `*` (`sync.*`, `audit.export`).
    pub can: Vec<String>,
    /// What they may not, whatever other roles allow.
    pub cannot: Vec<String>,
    /// Who has it.
    pub members: Vec<String>,
    /// Roles that nobody may have together with it.
    pub apart_from: Vec<String>,
    /// When somebody last looked whether its members still need it.
    pub reviewed: Option<Date>,
}

/// An agreement with the operator of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Where it stands.
    pub place: Place,
    /// What kind: `baa`, `dpa`, `pci_service_provider`, `scc`, `bcr`, `dua`, `service_provider`.
    pub kind: String,
    /// Where it is filed.
    pub reference: Option<String>,
    /// The last day it holds; `None`: nothing was said.
    pub until: Option<Date>,
}

/// What a system is, in the eyes of compliance rules.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    /// What it serves, where not what the project does: `production`, `test`.
    pub environment: Option<String>,
    /// The industry it serves, where not what the project says.
    pub industry: Option<Industry>,
    /// Who sees what is written to it.
    pub kind: Option<Audience>,
    /// What its data may be used for; `None`: nothing was said.
    pub purposes: Option<Vec<String>>,
    /// How long it keeps what is written to it, in days.
    pub retention_days: Option<u32>,
    /// What encrypts what lies there.
    pub at_rest: Option<AtRest>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether data that goes there counts as sold or shared (CCPA 1798.140).
    pub sells: bool,
    /// When its secrets were last changed.
    pub rotated: Option<Date>,
}

/// An industry whose rules are shipped as a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Industry {
    /// Car dealers and whoever serves them.
    Automotive,
    /// Care, and whoever pays for it.
    Healthcare,
    /// Banks, payments, insurance.
    Finance,
    /// Making and storing things.
    Manufacturing,
}

impl Industry {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] = &[
        ("automotive", Self::Automotive),
        ("healthcare", Self::Healthcare),
        ("finance", Self::Finance),
        ("manufacturing", Self::Manufacturing),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, industry)| *industry == self).map_or("", |(name, _)| name)
    }
}

/// Who sees what is written to a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The organisation itself.
    Internal,
    /// A third party.
    Partner,
    /// Anybody.
    Public,
    /// The members of a chat.
    Chat,
    /// Who gets a mail.
    Mail,
    /// Who gets a text message.
    Sms,
}

impl Audience {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] = &[
        ("internal", Self::Internal),
        ("partner", Self::Partner),
        ("public", Self::Public),
        ("chat", Self::Chat),
        ("mail", Self::Mail),
        ("sms", Self::Sms),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether others than the organisation see it.
    pub fn external(self) -> bool {
        self != Self::Internal
    }

    /// Whether what is written there is read by people as a message, in clear (PCI DSS 4.2.2).
    pub fn message(self) -> bool {
        matches!(self, Self::Chat | Self::Mail | Self::Sms)
    }
}

/// What encrypts what lies in a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// Nothing.
    None,
    /// The disk or volume: whoever reads files of the running system reads clear data.
    Disk,
    /// The system itself, with keys of its own.
    Store,
}

impl AtRest {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] = &[("none", Self::None), ("disk", Self::Disk), ("store", Self::Store)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, at_rest)| *at_rest == self).map_or("", |(name, _)| name)
    }
}

/// What a route does with personal data, and why it may: a processing activity.
#[derive(Clone, Debug, Default)]
pub struct Processing {
    /// Where it stands; `None`: nothing was said.
    pub place: Option<Place>,
    /// What the data is used for there.
    pub purpose: Option<Spanned<String>>,
    /// The lawful basis (GDPR Art. 6): one of the words of the key.
    pub basis: Option<Spanned<String>>,
    /// Why special categories may be processed (GDPR Art. 9(2), 10).
    pub condition: Option<Spanned<String>>,
    /// Records go on only with consent.
    pub consent: Option<Consent>,
    /// The field that says that a person objects to sale or sharing.
    pub opt_out: Option<Spanned<Path>>,
    /// Where the record says where the person lives: what may not go to the target is kept back.
    pub residency: Option<Residency>,
    /// The field with the age or the birth date of the person.
    pub age: Option<Spanned<Path>>,
    /// The field that says that who has parental authority agreed.
    pub parental: Option<Spanned<Path>>,
    /// From which age on a person agrees alone.
    pub age_of_consent: Option<u8>,
    /// Where the record says who the person is.
    pub subject: Option<Spanned<Path>>,
    /// What kind of people they are: customers, patients, employees.
    pub people: Vec<String>,
    /// Who gets the data.
    pub recipients: Vec<String>,
    /// Why data may leave the region of its people.
    pub transfer: Option<Transfer>,
    /// The data protection impact assessment.
    pub dpia: Option<String>,
    /// The patient's authorisation (HIPAA 164.508).
    pub authorisation: Option<String>,
    /// The data use agreement of a limited data set (HIPAA 164.514(e)).
    pub data_use_agreement: Option<String>,
    /// Whether what is written is to be de-identified by Safe Harbor (HIPAA 164.514(b)(2)).
    pub safe_harbor: Option<Spanned<bool>>,
    /// What kind of disclosure of health data it is; `accountable` ones are listed for the patient.
    pub disclosure: Option<Spanned<String>>,
    /// How long the target keeps what is written, in days.
    pub retention_days: Option<u32>,
    /// Who answers for the route.
    pub owner: Option<String>,
    /// Who approves of changes to it.
    pub approver: Option<String>,
    /// Where the last change was decided.
    pub ticket: Option<String>,
    /// Fields of the target record whose sums are compared with what arrived.
    pub totals: Vec<Spanned<Path>>,
    /// What is done to classes on this route; stands before what the project says.
    pub protect: Vec<Protect>,
    /// The classes that the purpose needs; `None`: nothing was said.
    pub needs: Option<ClassSet>,
}

/// Where records say where their people live.
#[derive(Clone, Debug)]
pub struct Residency {
    /// The field with the country or region.
    pub field: Spanned<Path>,
    /// Places whose people's data does not leave them, whatever grounds there are.
    pub stays: Vec<String>,
}

/// How consent is told. Fields are paths in the record, or with `lookup` in the row found.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Where it stands.
    pub place: Place,
    /// Where it is looked up; `None`: the record itself says it.
    pub lookup: Option<ConsentLookup>,
    /// The field that says whether there is consent.
    pub field: Option<Spanned<Path>>,
    /// The purpose it must be for; `None`: the purpose of the route.
    pub purpose: Option<String>,
    /// The field that lists what it is for.
    pub purposes: Option<Spanned<Path>>,
    /// The field with the moment it was given.
    pub given: Option<Spanned<Path>>,
    /// The field with the moment it was withdrawn.
    pub withdrawn: Option<Spanned<Path>>,
}

/// Where consent is looked up.
#[derive(Clone, Debug)]
pub struct ConsentLookup {
    /// A file of the project, or a stream (`crm.consents`).
    pub from: ConsentSource,
    /// The field of the row that holds who the person is.
    pub key: Spanned<Path>,
    /// The field of the record that holds it; `None`: the route's `subject`.
    pub by: Option<Spanned<Path>>,
}

/// What consent is looked up in.
#[derive(Clone, Debug)]
pub enum ConsentSource {
    /// A file, by its path from the project's folder.
    File(Spanned<String>),
    /// A stream of a connector.
    Stream(super::StreamRef),
}

/// Why data may leave the region of its people.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Where it stands.
    pub place: Place,
    /// The ground: `scc`, `bcr`, … one of the words of the key.
    pub ground: String,
    /// Where it is filed.
    pub reference: Option<String>,
}

impl Processing {
    /// The purpose that consent must be for: its own, or that of the route.
    pub fn consent_purpose(&self) -> Option<&str> {
        let own = self.consent.as_ref().and_then(|consent| consent.purpose.as_deref());
        own.or(self.purpose.as_ref().map(|purpose| purpose.value.as_str()))
    }

    /// What is done to a class on this route: what the mapping says of the nearest class around it, or
    /// else the project.
    pub fn protection<'r>(&'r self, class: ClassId, project: &'r Rules) -> Option<&'r Protect> {
        nearest_class(&self.protect, class).or_else(|| nearest_class(&project.protect, class))
    }
}

impl Rules {
    /// How long data of a class may be kept, in days: what is said of the nearest class around it.
    pub fn kept_days(&self, class: ClassId) -> Option<u32> {
        let around = self.retention.iter().filter(|(known, _)| class.is_within(*known));
        around.max_by_key(|(known, _)| known.class().name.len()).map(|(_, days)| *days)
    }
}

/// The entry of the longest name around a class.
fn nearest_class(of: &[Protect], class: ClassId) -> Option<&Protect> {
    of.iter().filter(|one| class.is_within(one.class)).max_by_key(|one| one.class.class().name.len())
}
