//! The shape of a file against the tables of `keys`: unknown keys, missing ones, wrong kinds,
//! words that cannot be chosen, literals that cannot be read. It never stops at the first fault.

use super::cron::Cron;
use super::keys::{Key, Kind, Section, Word};
use super::source::{Source, secret_name};
use super::yaml::{Entry, Raw, RawKind, Style, quoted};
use super::{Piece, Text, units};
use crate::error::{Code, Edit, Finding, codes::config as codes};
use crate::record::class::{ALL as CLASSES, ClassId};
use crate::record::{Path, Type, shape};

/// Checks trees of one file and collects what it finds.
pub struct Checker<'s> {
    /// The file.
    pub source: &'s Source,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Whether keys that must be given are asked for.
    pub required: bool,
    /// Whether references may stand in text (they may not in mappings).
    pub references: bool,
}

impl<'s> Checker<'s> {
    /// For one file.
    pub fn new(source: &'s Source, references: bool) -> Self {
        Self { source, findings: Vec::new(), required: true, references }
    }

    /// Adds an error at a range of the file.
    pub fn error(
        &mut self,
        code: &'static Code,
        start: usize,
        end: usize,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let fix = fix.into();
        let finding = Finding::error(code, self.source.place(start, end), cause);
        self.findings.push(if fix.is_empty() { finding } else { finding.fix(fix) });
    }

    /// The same with the change of the file that mends it: other text for a range of its bytes.
    fn mendable(
        &mut self,
        code: &'static Code,
        (start, end): (usize, usize),
        cause: impl Into<String>,
        fix: impl Into<String>,
        edit: Edit,
    ) {
        self.error(code, start, end, cause, fix);
        if let Some(finding) = self.findings.last_mut() {
            finding.edit = Some(edit);
        }
    }

    /// The change that puts other text in the place of a range of bytes.
    fn change(&self, start: usize, end: usize, text: impl Into<String>) -> Edit {
        let (start, end) = (self.source.line_and_column(start), self.source.line_and_column(end.max(start)));
        Edit { start, end, text: text.into() }
    }

    /// Checks a map against its section. `around` is where a missing key is reported.
    pub fn section(&mut self, raw: &Raw, section: &'static Section, around: (usize, usize)) {
        let RawKind::Map { entries, flow } = &raw.kind else {
            return self.wrong_type(raw, &format!("{} is a map", section.name), around);
        };
        // The last key, if its value is an expression that YAML may have cut, and its value.
        let mut previous: Option<(&'static Key, &Entry)> = None;
        let mut seen: Vec<&'static str> = Vec::new();
        for entry in entries {
            let key = section.key(&entry.key);
            let written = |value: &Raw| &self.source.text()[value.start..entry.start];
            if let Some((before, value)) = previous.filter(|_| *flow)
                && matches!(value.value.kind, RawKind::Text { style: Style::Plain, .. })
                && ((key.is_none() && entry.value.kind == RawKind::Null) || !balanced(written(&value.value)))
            {
                self.cut(before.name, &value.value, entry.end.max(entry.value.end));
                continue;
            }
            previous = None;
            let Some(key) = key else {
                if !section.foreign {
                    self.unknown_key(entry, section);
                }
                continue;
            };
            if takes_expression(&key.kind) {
                previous = Some((key, entry));
            }
            if seen.contains(&key.name) {
                let cause = format!("`{}` is another name of `{}`, which is given too", entry.key, key.name);
                self.error(&codes::DUPLICATE_KEY, entry.start, entry.end, cause, "keep one of them");
                continue;
            }
            seen.push(key.name);
            if !key.available {
                let cause = format!("`{}` is not available in this version yet", key.name);
                self.error(&codes::NOT_YET, entry.start, entry.end, cause, "leave it out for now");
                continue;
            }
            self.value(&entry.value, &key.kind, &entry.key, (entry.start, entry.end));
        }
        let required = self.required;
        for key in section.keys.iter().filter(|key| required && key.required && !seen.contains(&key.name)) {
            if matches!(key.kind, Kind::Version) {
                let cause = "the file does not say its version";
                let edit = self.change(raw.start, raw.start, "version: 1\n");
                self.mendable(&codes::VERSION, around, cause, "begin it with `version: 1`", edit);
            } else {
                let cause = format!("{} needs `{}`", section.name, key.name);
                self.error(
                    &codes::MISSING_KEY,
                    around.0,
                    around.1,
                    cause,
                    format!("add `{}`: {}", key.name, lower(key.about)),
                );
            }
        }
    }

    /// Checks a value under the key `name`, which stands at `around`.
    pub fn value(&mut self, raw: &Raw, kind: &'static Kind, name: &str, around: (usize, usize)) {
        match kind {
            Kind::Section(section) => self.section(raw, section, around),
            Kind::Overlay(section) => {
                let before = std::mem::replace(&mut self.required, false);
                for entry in raw.entries().iter().filter(|entry| entry.key == "profiles" || entry.key == "version") {
                    let cause = format!("a profile cannot hold `{}`", entry.key);
                    self.error(&codes::UNKNOWN_KEY, entry.start, entry.end, cause, "move it to the top of the file");
                }
                if raw.kind != RawKind::Null {
                    self.section(raw, section, around);
                }
                self.required = before;
            }
            Kind::ShortOr(short, long) => {
                let kind = if matches!(raw.kind, RawKind::Map { .. }) { long } else { short };
                self.value(raw, kind, name, around);
            }
            Kind::Named(inner) => {
                let RawKind::Map { entries, .. } = &raw.kind else {
                    return self.wrong_type(raw, &format!("`{name}` is a map from names to values"), around);
                };
                for entry in entries {
                    let at = (entry.start, entry.end);
                    if entry.key.trim().is_empty() {
                        self.error(&codes::BAD_VALUE, at.0, at.1, "a name is empty", "");
                    } else if matches!(inner, Kind::Section(section) if section.name == "a connector")
                        && let Some(cause) = bad_name(&entry.key, false)
                    {
                        self.error(&codes::BAD_VALUE, at.0, at.1, cause, "");
                    }
                    self.value(&entry.value, inner, &entry.key, at);
                }
            }
            Kind::ByClass(inner) => {
                let RawKind::Map { entries, .. } = &raw.kind else {
                    return self.wrong_type(raw, &format!("`{name}` is a map from data classes to values"), around);
                };
                for entry in entries {
                    if ClassId::named(&entry.key).is_none() {
                        self.unknown_class(&entry.key, entry.start, entry.end);
                    }
                    self.value(&entry.value, inner, &entry.key, (entry.start, entry.end));
                }
            }
            Kind::List(inner) => {
                let RawKind::List { items, .. } = &raw.kind else {
                    return self.wrong_type(raw, &format!("`{name}` is a list"), around);
                };
                for item in items {
                    self.value(item, inner, name, (item.start, item.start + 1));
                }
            }
            Kind::OneOrMany(inner) => match &raw.kind {
                RawKind::List { items, flow } => {
                    for item in items {
                        let cut = *flow && takes_expression(inner) && item.text().is_some_and(|text| !balanced(text));
                        if cut && matches!(item.kind, RawKind::Text { style: Style::Plain, .. }) {
                            return self.cut(name, item, raw.end.saturating_sub(1));
                        }
                        self.value(item, inner, name, (item.start, item.end));
                    }
                }
                _ => self.value(raw, inner, name, around),
            },
            Kind::Value => self.leaves(raw),
            Kind::Record | Kind::Foreign | Kind::Auth => {
                if !matches!(raw.kind, RawKind::Map { .. }) {
                    return self.wrong_type(raw, &format!("`{name}` is a map"), around);
                }
                self.leaves(raw);
                if matches!(kind, Kind::Auth) {
                    self.secrets(raw);
                }
            }
            Kind::Filled => {
                if raw.text().is_none_or(str::is_empty) {
                    return self.wrong_type(raw, &format!("`{name}` is text"), around);
                }
                self.leaves(raw);
            }
            Kind::Secret => {
                let Some(text) = raw.text().filter(|text| !text.is_empty()) else {
                    return self.wrong_type(raw, &format!("`{name}` is a reference"), around);
                };
                match Text::parse(text) {
                    Ok(Text { pieces })
                        if !matches!(&pieces[..], [Piece::Env(_) | Piece::File(_) | Piece::Command(_)]) =>
                    {
                        self.literal_secret(name, raw, raw.start, raw.end);
                    }
                    _ => self.leaves(raw),
                }
            }
            Kind::Expression => self.expression(raw, name, around),
            scalar => self.scalar(raw, scalar, name, around),
        }
    }

    fn scalar(&mut self, raw: &Raw, kind: &'static Kind, name: &str, around: (usize, usize)) {
        let (start, end) = (raw.start, raw.end);
        match (kind, &raw.kind) {
            (Kind::Version, RawKind::Number(text)) if text == "1" => {}
            (Kind::Version, RawKind::Number(text)) => {
                let cause = format!("version {text} is not supported: this consign reads version 1");
                self.error(&codes::VERSION, start, end, cause, "use a later consign, or write the file in version 1");
            }
            (Kind::Version, _) => {
                self.error(&codes::VERSION, start, end, "the version is a number", "write `version: 1`");
            }
            (Kind::Flag, RawKind::Bool(_)) => {}
            (Kind::Flag, RawKind::Text { text, .. }) if yes_or_no(text).is_some() => {
                let cause = format!("`{text}` is text in YAML 1.2, and `{name}` is true or false");
                let word = yes_or_no(text).unwrap_or_default();
                let whole = quotes_too(raw);
                let edit = self.change(whole.0, whole.1, word);
                self.mendable(&codes::WRONG_TYPE, (start, end), cause, format!("write `{word}`"), edit);
            }
            (Kind::Flag, _) => self.wrong_type(raw, &format!("`{name}` is true or false"), around),
            (Kind::Whole(min, max), RawKind::Number(text)) => {
                if !text.parse::<i64>().is_ok_and(|value| (*min..=*max).contains(&value)) {
                    let bounds =
                        if *max == i64::MAX { format!("from {min} up") } else { format!("from {min} to {max}") };
                    self.error(
                        &codes::BAD_VALUE,
                        start,
                        end,
                        format!("`{name}` is a whole number {bounds}, this is {text}"),
                        "",
                    );
                }
            }
            (Kind::Whole(..), _) => self.wrong_type(raw, &format!("`{name}` is a whole number"), around),
            (Kind::Percent, RawKind::Number(text)) => {
                if units::percent_to_ppm(text).is_none() {
                    let cause = format!("`{name}` is a share from 0 to 100 with at most four decimals, this is {text}");
                    self.error(&codes::BAD_VALUE, start, end, cause, "");
                }
            }
            (Kind::Percent, _) => self.wrong_type(raw, &format!("`{name}` is a number from 0 to 100"), around),
            (Kind::Share, RawKind::Number(text)) => {
                if !text.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share)) {
                    let cause = format!("`{name}` is a number from 0 to 1, this is {text}");
                    self.error(&codes::BAD_VALUE, start, end, cause, "");
                }
            }
            (Kind::Share, _) => self.wrong_type(raw, &format!("`{name}` is a number from 0 to 1"), around),
            (Kind::Days, RawKind::Text { text, .. }) => {
                if let Err(cause) = units::days(text) {
                    self.error(&codes::BAD_VALUE, start, end, cause, "write a whole number of days, such as `400d`");
                }
            }
            (Kind::Days, _) => self.wrong_type(raw, &format!("`{name}` is a number of days such as `400d`"), around),
            (Kind::Length, RawKind::Text { text, .. }) => match units::length(text) {
                Ok(length) if length.as_secs() <= 86_400 && !length.is_zero() => {}
                Ok(_) => {
                    let cause = format!("`{name}` is not between a millisecond and one day");
                    self.error(&codes::BAD_VALUE, start, end, cause, "");
                }
                Err(cause) => self.error(&codes::BAD_VALUE, start, end, cause, "write a whole number and s, m or h"),
            },
            (Kind::Length, _) => self.wrong_type(raw, &format!("`{name}` is a length of time such as `30s`"), around),
            (_, RawKind::Text { text, .. }) if text.is_empty() => {
                self.error(&codes::BAD_VALUE, around.0, around.1, format!("`{name}` is empty"), "");
            }
            (_, RawKind::Text { text, .. }) => self.word(raw, kind, name, text),
            (Kind::RecordPath | Kind::Name(_), RawKind::Number(_) | RawKind::Bool(_)) => {
                let cause = format!("`{name}` is a name, this is {}", raw.what());
                let written = &self.source.text()[start..end];
                let written = format!("\"{written}\"");
                let edit = self.change(start, end, &written);
                self.mendable(&codes::WRONG_TYPE, (start, end), cause, format!("quote it: {written}"), edit);
            }
            _ => self.wrong_type(raw, &format!("`{name}` is {}", wanted(kind)), around),
        }
    }

    fn word(&mut self, raw: &Raw, kind: &'static Kind, name: &str, text: &str) {
        let (start, end) = (raw.start, raw.end);
        match kind {
            Kind::Label => self.no_reference(raw, text),
            Kind::Name(points) => {
                if let Some(cause) = bad_name(text, *points) {
                    self.error(&codes::BAD_VALUE, start, end, cause, "");
                }
            }
            Kind::Word(words) => self.choice(raw, words, name, text),
            Kind::Cron => {
                if let Err(error) = Cron::parse(text) {
                    let (at, len) =
                        if self.plain_inside(raw) { (start + error.at, error.len) } else { (start, end - start) };
                    let fix = "fields: minute hour day-of-month month day-of-week, as in `*/15 * * * *`";
                    // Six fields begin with seconds elsewhere.
                    let five = text.strip_prefix("0 ").filter(|rest| Cron::parse(rest).is_ok());
                    match five.filter(|_| self.plain_inside(raw)) {
                        Some(_) => {
                            let edit = self.change(start, start + 2, "");
                            let fix = "leave out the seconds: fields are minute hour day-of-month month day-of-week";
                            self.mendable(&codes::BAD_CRON, (at, at + len), error.cause, fix, edit);
                        }
                        None => self.error(&codes::BAD_CRON, at, at + len, error.cause, fix),
                    }
                }
            }
            Kind::TimeZone => {
                if let Err(fix) = units::zone_exists(text) {
                    let cause = format!("there is no time zone `{text}`");
                    self.error(&codes::BAD_ZONE, start, end, cause, fix);
                }
            }
            Kind::RecordPath => {
                if let Err(error) = Path::parse(text) {
                    let at = text.char_indices().nth(error.at).map_or(text.len(), |(at, _)| at);
                    let at = if self.plain_inside(raw) { start + at } else { start };
                    let fix = "a name with points, brackets or blanks at its ends is quoted: '\"odd.name\"'";
                    self.error(&codes::BAD_PATH, at, at + 1, format!("`{text}` is no path: {}", error.cause), fix);
                }
            }
            Kind::Stream
                if text.split_once('.').is_none_or(|(connector, stream)| connector.is_empty() || stream.is_empty()) =>
            {
                let cause = format!("`{name}` names a connector and a stream with a point between them");
                self.error(&codes::BAD_VALUE, start, end, cause, "write `connector.stream`, as in `shop.orders`");
            }
            Kind::Class if ClassId::named(text).is_none() => self.unknown_class(text, start, end),
            Kind::Date => {
                if let Err(cause) = units::date(text) {
                    self.error(&codes::BAD_VALUE, start, end, cause, "write year, month and day: `2027-03-31`");
                }
            }
            Kind::Type if Type::named(text).is_none() => {
                let names = shape::NAMES.iter().map(|(name, _)| *name).chain(["list", "map"]);
                let list = names.clone().collect::<Vec<_>>().join(", ");
                let finding = Finding::error(
                    &codes::BAD_VALUE,
                    self.source.place(start, end),
                    format!("there is no type `{text}`"),
                );
                let finding = match habit(text) {
                    Some(ours) => finding
                        .fix(format!("did you mean `{ours}`?"))
                        .edit(Some(self.change(start, end, ours)).filter(|_| self.plain_inside(raw))),
                    None => finding.did_you_mean(text, names),
                };
                self.findings.push(if finding.fix.is_some() {
                    finding
                } else {
                    finding.fix(format!("types are {list}, list<…>, map<…>"))
                });
            }
            _ => {}
        }
    }

    fn unknown_class(&mut self, name: &str, start: usize, end: usize) {
        let known = CLASSES.iter().flat_map(|class| std::iter::once(&class.name).chain(class.aliases)).copied();
        let place = self.source.place(start, end);
        let finding = Finding::error(&codes::UNKNOWN_CLASS, place, format!("there is no data class `{name}`"));
        let mut finding = finding.did_you_mean(name, known);
        finding.fix.get_or_insert_with(|| {
            let families = CLASSES.iter().map(|class| class.name).filter(|name| !name.contains('.'));
            let families = families.collect::<Vec<_>>().join(", ");
            format!("name one of {families}, or one below them such as `pii.email`")
        });
        self.findings.push(finding);
    }

    /// One of some words.
    fn choice(&mut self, raw: &Raw, words: &'static [Word], name: &str, text: &str) {
        let known = || words.iter().map(|word| word.name);
        if known().any(|word| word == text) {
            return;
        }
        let place = self.source.place(raw.start, raw.end);
        let mut finding = Finding::error(&codes::BAD_VALUE, place, format!("`{name}` cannot be `{text}`"))
            .did_you_mean(text, known());
        finding.fix.get_or_insert_with(|| format!("use one of {}", known().collect::<Vec<_>>().join(", ")));
        self.findings.push(finding);
    }

    fn expression(&mut self, raw: &Raw, name: &str, around: (usize, usize)) {
        match &raw.kind {
            RawKind::Text { text, .. } if text.trim().is_empty() => {
                self.error(
                    &codes::BAD_VALUE,
                    around.0,
                    around.1,
                    format!("`{name}` is empty"),
                    "write an expression, or leave the key out",
                );
            }
            RawKind::Text { text, style: Style::Plain } if !balanced(text) => {
                let rest = &self.source.text()[raw.end..];
                let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
                if line.trim_start_matches([' ', '\t']).starts_with('#') {
                    self.cut(name, raw, raw.end + line.trim_end().len());
                }
            }
            RawKind::Text { .. } | RawKind::Number(_) | RawKind::Bool(_) => {}
            RawKind::Null if raw.end > raw.start => {}
            RawKind::Map { flow: true, .. } | RawKind::List { flow: true, .. } => {
                let written = &self.source.text()[raw.start..raw.end];
                let what = raw.what();
                let fix = match written.contains('\n') {
                    true => "quote the expression, or let it stand on its own line after `|`".to_owned(),
                    false => format!("quote it: {}", quoted(written)),
                };
                let edit = (!written.contains('\n')).then(|| self.change(raw.start, raw.end, quoted(written)));
                let place = self.source.place(raw.start, raw.start + 1);
                let cause = format!("YAML reads this expression of `{name}` as {what}");
                self.findings.push(Finding::error(&codes::EXPRESSION_CUT, place, cause).fix(fix).edit(edit));
            }
            _ => self.wrong_type(raw, &format!("`{name}` is an expression"), around),
        }
    }

    /// An expression that YAML ended before its end, which is at `end` as far as one can see.
    fn cut(&mut self, name: &str, raw: &Raw, end: usize) {
        let written = self.source.text()[raw.start..end.max(raw.end)].trim();
        let next = self.source.text()[raw.end..].trim_start().chars().next().unwrap_or(',');
        let place = self.source.place(raw.start, raw.end);
        // Cut more than once: the last piece knows the whole.
        self.findings.retain(|known| known.code != &codes::EXPRESSION_CUT || known.place.as_ref() != Some(&place));
        let cause = format!("YAML cut this expression of `{name}` in two at the `{next}`");
        let fix = match written.contains('\n') {
            true => "quote the expression as a whole".to_owned(),
            false => format!("quote it: {}", quoted(written)),
        };
        let from = raw.start;
        let edit = (!written.contains('\n')).then(|| self.change(from, from + written.len(), quoted(written)));
        self.findings.push(Finding::error(&codes::EXPRESSION_CUT, place, cause).fix(fix).edit(edit));
    }

    fn unknown_key(&mut self, entry: &Entry, section: &'static Section) {
        let names = section.keys.iter().flat_map(|key| std::iter::once(key.name).chain(key.alias));
        let cause = format!("{} has no key `{}`", section.name, entry.key);
        let place = self.source.place(entry.start, entry.end);
        let mut finding = Finding::error(&codes::UNKNOWN_KEY, place, cause).did_you_mean(&entry.key, names);
        finding.fix.get_or_insert_with(|| {
            format!("keys here are {}", section.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", "))
        });
        self.findings.push(finding);
    }

    /// A value of another kind than `expected` says.
    pub fn wrong_type(&mut self, raw: &Raw, expected: &str, around: (usize, usize)) {
        let (start, end) = if raw.start == raw.end { around } else { (raw.start, raw.end) };
        self.error(&codes::WRONG_TYPE, start, end, format!("{expected}, this is {}", raw.what()), "");
    }

    /// Every text below: references can be read, and stand only where they may.
    pub fn leaves(&mut self, raw: &Raw) {
        match &raw.kind {
            RawKind::Text { text, .. } if text.contains("${") => match Text::parse(text) {
                Err(error) => self.error(&codes::BAD_REFERENCE, raw.start, raw.end, error.cause, error.fix),
                Ok(parsed) if parsed.has_reference() && !self.references => self.no_reference(raw, text),
                Ok(_) => {}
            },
            RawKind::List { items, .. } => items.iter().for_each(|item| self.leaves(item)),
            RawKind::Map { entries, .. } => entries.iter().for_each(|entry| self.leaves(&entry.value)),
            _ => {}
        }
    }

    fn no_reference(&mut self, raw: &Raw, text: &str) {
        if Text::parse(text).is_ok_and(|parsed| parsed.has_reference()) {
            let cause = "a reference cannot stand here: what a mapping does must not depend on where it runs";
            self.error(
                &codes::BAD_REFERENCE,
                raw.start,
                raw.end,
                cause,
                "write the text itself, or `$${` for a literal `${`",
            );
        }
    }

    /// Keys whose names say that they hold a secret hold references.
    fn secrets(&mut self, raw: &Raw) {
        for entry in raw.entries() {
            match &entry.value.kind {
                RawKind::Map { .. } => self.secrets(&entry.value),
                RawKind::Null => {}
                RawKind::Text { text, .. }
                    if text.is_empty() || Text::parse(text).is_ok_and(|text| text.has_reference()) => {}
                _ if secret_name(&entry.key) => self.literal_secret(&entry.key, &entry.value, entry.start, entry.end),
                _ => {}
            }
        }
    }

    /// A secret that stands in the file: neither it nor its line is shown, now or later.
    pub fn literal_secret(&mut self, name: &str, value: &Raw, start: usize, end: usize) {
        self.source.hide(start.min(value.start), value.end);
        let variable = name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let fix = format!(
            "write `{name}: ${{env:{variable}}}` and set that variable; then replace the secret, it has been seen"
        );
        self.error(
            &codes::LITERAL_SECRET,
            start,
            end,
            format!("a secret stands here in clear: `{name}` takes a reference"),
            fix,
        );
    }

    /// Whether the text stands in the file just as it is, so that offsets into it are offsets
    /// into the file.
    fn plain_inside(&self, raw: &Raw) -> bool {
        raw.text().is_some_and(|text| self.source.text().get(raw.start..raw.end) == Some(text))
    }
}

fn takes_expression(kind: &Kind) -> bool {
    match kind {
        Kind::Expression => true,
        Kind::OneOrMany(inner) | Kind::ShortOr(inner, _) => takes_expression(inner),
        _ => false,
    }
}

/// Whether every bracket and quote of an expression is closed.
fn balanced(text: &str) -> bool {
    let mut open = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => {
                return false;
            }
            quote @ ('"' | '\'') => loop {
                match chars.next() {
                    None => return false,
                    Some('\\') => {
                        chars.next();
                    }
                    Some(c) if c == quote => break,
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    open.is_empty()
}

fn bad_name(text: &str, points: bool) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-') || (points && c == '.');
    let good = text.chars().all(fits) && text.starts_with(char::is_alphanumeric) && text.len() <= 100;
    (!good).then(|| {
        let also = if points { ", points" } else { "" };
        format!("`{text}` is no name: names begin with a letter or digit and hold letters, digits{also}, `_` and `-`, at most 100")
    })
}

fn yes_or_no(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => Some("true"),
        "no" | "off" | "n" => Some("false"),
        _ => None,
    }
}

/// Names of types in other languages and databases.
fn habit(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "integer" | "bigint" | "long" | "smallint" => "int",
        "number" | "numeric" | "money" => "decimal",
        "float" | "real" => "double",
        "text" | "str" | "varchar" | "char" => "string",
        "boolean" => "bool",
        "datetime" | "timestamptz" => "timestamp",
        _ => return None,
    })
}

/// The range of a scalar with the quotes around it.
fn quotes_too(raw: &Raw) -> (usize, usize) {
    match &raw.kind {
        RawKind::Text { style: Style::Single | Style::Double, .. } => (raw.start.saturating_sub(1), raw.end + 1),
        _ => (raw.start, raw.end),
    }
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Cron => "a cron expression, quoted",
        Kind::TimeZone => "the name of a time zone",
        Kind::RecordPath => "a path",
        Kind::Stream => "`connector.stream`",
        Kind::Class => "the name of a data class",
        Kind::Type => "the name of a type",
        Kind::Name(_) => "a name",
        Kind::Word(_) => "one word",
        _ => "text",
    }
}

/// A description inside of a sentence.
fn lower(about: &str) -> String {
    let mut chars = about.chars();
    let first = chars.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(chars).collect::<String>().trim_end_matches('.').to_owned()
}
