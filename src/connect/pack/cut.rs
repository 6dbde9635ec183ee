//! `fields`: a system that gives only so many fields of a record at once is asked several times, and what it
//! gives is joined.

use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::template::Template;
use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::record::Path;

/// The section.
pub static CUT: Section = Section {
    name: "a cut of the fields",
    about: "No more than so many fields are asked for at once: each page is asked for once for each part of them, and its records are joined.",
    foreign: false,
    keys: &[
        Key::new(
            "names",
            Kind::Expression,
            "The names that are asked for, a list; each request gets its part of them as `page.fields`.",
        )
        .default("stream.fields"),
        Key::new("most", Kind::Whole(1, 1_000_000), "Names in one request."),
        Key::new(
            "characters",
            Kind::Whole(1, 100_000_000),
            "Characters of all names in one request, commas between them.",
        ),
        Key::new("always", Kind::OneOrMany(&Kind::Label), "Names that each part has."),
        Key::new(
            "by",
            Kind::RecordPath,
            "Where in what the system gives the value stands that tells its records apart; in each part of them.",
        )
        .required(),
        Key::new(
            "rest",
            Kind::Section(&REST),
            "The request for all parts but the first, by `page.keys`; left out, the page's own is made again.",
        ),
    ],
};

static REST: Section = Section {
    name: "a request for further fields",
    about: "Asks for further fields of the records of a page: `page.keys` are their values at `by`, `page.fields` the names.",
    foreign: false,
    keys: request_keys![Key::new(
        "records",
        Kind::OneOrMany(&Kind::RecordPath),
        "Where in the answer the records stand; left out, the answer is the list.",
    )],
};

/// `fields`, read.
#[derive(Debug)]
pub struct CutSpec {
    /// The names; `None`: the stream's fields.
    pub names: Option<Template>,
    /// Names in one request.
    pub most: usize,
    /// Characters of them, commas between them.
    pub characters: usize,
    /// Names that each part has.
    pub always: Vec<String>,
    /// What tells records apart.
    pub by: Path,
    /// The request for all parts but the first, and where its records stand; `None`: the page's own.
    pub rest: Option<(RequestSpec, Vec<Path>)>,
}

impl CutSpec {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "fields")?;
        let number = |reader: &Reader<'_>, name: &str| {
            reader.whole(raw, name).map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
        };
        let (most, characters) = (number(reader, "most"), number(reader, "characters"));
        if most.min(characters) == usize::MAX {
            reader.error(raw, "nothing says how many fields are too many".into(), "say `most` or `characters`");
        }
        Some(Self {
            names: reader.expression(raw, "names"),
            most,
            characters,
            always: reader.labels(raw, "always"),
            by: reader.path(raw, "by")?,
            rest: reader.get(raw, "rest").map(|rest| {
                let records = reader.items(rest, "records").filter_map(|raw| Path::parse(raw.text()?).ok()).collect();
                (RequestSpec::read(reader, rest), records)
            }),
        })
    }

    /// The parts of a list of names: as few as there can be in this order, and at least one.
    pub fn parts(&self, names: Vec<String>) -> Vec<Vec<String>> {
        let width = |names: &[String]| names.iter().map(|name| name.chars().count() + 1).sum::<usize>();
        let (mut parts, mut part) = (Vec::new(), self.always.clone());
        let mut taken = width(&part);
        for name in names {
            if part.contains(&name) {
                continue;
            }
            let more = name.chars().count() + 1;
            let full = part.len() >= self.most || taken + more > self.characters.saturating_add(1);
            if full && part.len() > self.always.len() {
                parts.push(std::mem::replace(&mut part, self.always.clone()));
                taken = width(&part);
            }
            taken += more;
            part.push(name);
        }
        if part.len() > self.always.len() || parts.is_empty() {
            parts.push(part);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_no_more_than_they_may() {
        let check = |most: usize, characters: usize, always: &[&str], names: &[&str], wanted: &[&[&str]]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let cut = CutSpec { names: None, most, characters, always: owned(always), by: Path::key("id"), rest: None };
            assert_eq!(cut.parts(owned(names)), wanted.iter().map(|part| owned(part)).collect::<Vec<_>>());
        };
        let many = usize::MAX;
        check(many, many, &[], &[], &[&[]]);
        check(2, many, &[], &["a", "b", "c"], &[&["a", "b"], &["c"]]);
        check(2, many, &["id"], &["a", "id", "b"], &[&["id", "a"], &["id", "b"]]);
        check(2, many, &["id"], &[], &[&["id"]]);
        // `aa,bb` are five characters.
        check(many, 5, &[], &["aa", "bb", "cc"], &[&["aa", "bb"], &["cc"]]);
        check(many, 4, &[], &["aa", "bb"], &[&["aa"], &["bb"]]);
        // One that is too long by itself is asked for all the same: the system says what it thinks of it.
        check(many, 2, &[], &["a", "long", "b"], &[&["a"], &["long"], &["b"]]);
        check(1, many, &["id"], &["a", "b"], &[&["id", "a"], &["id", "b"]]);
    }
}
