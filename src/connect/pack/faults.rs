//! `faults`: what answers mean. Ordered rules; the first that fits an answer says its class, and what a
//! person reads. Answers of status 400 and above that no rule fits fail by their status.

use crate::config::keys::{Key, Kind, Section, Word, word};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::template::Template;

/// What an answer is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It is good.
    Good,
    /// It is good, and there is nothing in it: no records.
    Empty,
    /// Temporary: try again after a while.
    Retry,
    /// Too much was asked: wait as the answer says, then try again.
    Wait,
    /// The sign-in is no longer valid: sign in anew once, then try again.
    SignIn,
    /// What this call is for is left out, and said.
    Skip,
    /// Too much at once: split the batch, or ask for a smaller page or window.
    Split,
    /// Reading starts over from where it stands: the cursor of the pages is no longer valid.
    ResetPages,
    /// The position is no longer valid: everything is read anew, and said.
    ResetCursor,
    /// The record (or this one item) is refused.
    Reject,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The system must not be asked again before `resume_at`: the quota is spent.
    Quota,
    /// A person has to grant something.
    Denied,
    /// It failed for good.
    Fail,
}

/// Every class with its word.
pub const CLASSES: &[(Class, Word)] = &[
    (Class::Good, word("good", "It is good.")),
    (Class::Empty, word("empty", "It is good, and there is nothing in it.")),
    (Class::Retry, word("retry", "Temporary: it is tried again after a while.")),
    (Class::Wait, word("wait", "Too much was asked: it is tried again after the time that the answer names.")),
    (
        Class::SignIn,
        word("sign_in", "The sign-in is no longer valid: it is made anew once, then the call is tried again."),
    ),
    (Class::Skip, word("skip", "What the call is for is left out, and said.")),
    (Class::Split, word("split", "Too much at once: the batch is split, the page or window made smaller.")),
    (
        Class::ResetPages,
        word(
            "reset_pages",
            "The place among the pages is no longer valid: reading goes on from the last settled place.",
        ),
    ),
    (Class::ResetCursor, word("reset_cursor", "The position is no longer valid: everything is read anew, and said.")),
    (Class::Reject, word("reject", "The record is refused.")),
    (Class::Conflict, word("conflict", "Somebody else changed the record meanwhile.")),
    (Class::Quota, word("quota", "The quota is spent: the run ends with exit code 3 and says when to go on.")),
    (Class::Denied, word("denied", "Something has to be granted by a person: exit code 4.")),
    (Class::Fail, word("fail", "It failed for good.")),
];

const WORDS: &[Word] = &{
    let mut words = [const { word("", "") }; CLASSES.len()];
    let mut at = 0;
    while at < CLASSES.len() {
        words[at] = word(CLASSES[at].1.name, CLASSES[at].1.about);
        at += 1;
    }
    words
};

/// A rule.
pub static FAULT: Section = Section {
    name: "a fault",
    about: "What an answer means. All that is said must fit.",
    foreign: false,
    keys: &[
        Key::new("status", Kind::OneOrMany(&Kind::Value), "Statuses: `429`, `5xx`, `500-504`."),
        Key::new("when", Kind::Expression, "A condition on `answer`: its status, headers and body."),
        Key::new("then", Kind::Word(WORDS), "What it is.").required(),
        Key::new("say", Kind::Label, "One sentence for the person who reads it; may hold templates."),
        Key::new("hint", Kind::Label, "What that person can do."),
        Key::new(
            "wait",
            Kind::Expression,
            "How long to wait, by the `answer`, where no usual header says it: a time, a length of time, seconds.",
        ),
    ],
};

/// The section `errors`.
pub static ERRORS: Section = Section {
    name: "errors",
    about: "Where answers say what is wrong: expressions on `answer`. What is left out is looked for where it usually stands (RFC 9457, OData, GraphQL, FHIR, SOAP, AWS, OAuth 2, JSON:API, SCIM and the like).",
    foreign: false,
    keys: &[
        Key::new("code", Kind::Expression, "The system's own code."),
        Key::new("message", Kind::Expression, "Its sentence."),
        Key::new("field", Kind::Expression, "The field at fault."),
        Key::new("request_id", Kind::Expression, "What the vendor's support knows the call by."),
    ],
};

/// Where answers say what is wrong.
#[derive(Debug, Default)]
pub struct Errors {
    /// The system's own code.
    pub code: Option<Template>,
    /// Its sentence.
    pub message: Option<Template>,
    /// The field at fault.
    pub field: Option<Template>,
    /// What the vendor's support knows the call by.
    pub request_id: Option<Template>,
}

impl Errors {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "errors") else { return Self::default() };
        let [code, message, field, request_id] =
            ["code", "message", "field", "request_id"].map(|name| reader.expression(raw, name));
        Self { code, message, field, request_id }
    }
}

/// A rule, read.
#[derive(Debug)]
pub struct Fault {
    /// Ranges of statuses, both ends included; empty: any.
    pub statuses: Vec<(u16, u16)>,
    /// The condition.
    pub when: Option<Template>,
    /// What it is.
    pub class: Class,
    /// For the person.
    pub say: Option<Template>,
    /// What to do.
    pub hint: Option<String>,
    /// How long to wait.
    pub wait: Option<Template>,
    /// Whether a condition looks into the body: only then it is read for it.
    pub body: bool,
}

/// Reads the section of a pack, or of a part of it.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Fault> {
    let mut made = Vec::new();
    for raw in reader.get(pack, "faults").map_or(&[][..], Raw::items) {
        let mut statuses = Vec::new();
        for raw in reader.items(raw, "status") {
            match super::reader::scalar(raw).as_deref().and_then(range) {
                Some(range) => statuses.push(range),
                None => reader.error(raw, "this is no status".into(), "write `429`, `5xx` or `500-504`"),
            }
        }
        let word = reader.label(raw, "then");
        let class = CLASSES.iter().find(|(_, known)| Some(known.name) == word.as_deref());
        made.push(Fault {
            statuses,
            when: reader.expression(raw, "when"),
            class: class.map_or(Class::Fail, |(class, _)| *class),
            say: reader.template(raw, "say"),
            hint: reader.label(raw, "hint"),
            wait: reader.expression(raw, "wait"),
            body: reader.label(raw, "when").is_some_and(|text| super::limits::looks_into_body(&text)),
        });
    }
    made
}

fn range(text: &str) -> Option<(u16, u16)> {
    if let Some(hundreds) = text.strip_suffix("xx") {
        let from = hundreds.parse::<u16>().ok().filter(|h| (1..=9).contains(h))? * 100;
        return Some((from, from + 99));
    }
    match text.split_once('-') {
        Some((from, to)) => Some((from.trim().parse().ok()?, to.trim().parse().ok()?)),
        None => text.parse().ok().map(|one| (one, one)),
    }
}
