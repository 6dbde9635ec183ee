//! Numbers as people write them: which mark stands before the fraction, and which between thousands.

use crate::record::Decimal;
use crate::record::decimal::DecimalError;

/// A way of writing numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Before the fraction.
    point: char,
    /// Between thousands when writing; when reading, spaces and apostrophes count as alike.
    group: Option<char>,
    /// Whether groups above the thousand have two digits, as in India.
    pairs: bool,
}

/// Why a text is no number in a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is not in the form of a number.
    Form,
    /// It has another meaning with the decimal comma than with the decimal point.
    Ambiguous,
    /// More than 28 digits.
    Long,
}

/// U+00A0: a number is not broken at the end of a line.
const NO_BREAK: char = '\u{a0}';

/// Names of styles, with decimal mark and thousands mark.
const NAMED: &[(&str, Style)] = &[
    ("plain", Style::new('.', None)),
    ("en", Style::new('.', Some(','))),
    ("de", Style::new(',', Some('.'))),
    ("fr", Style::new(',', Some(NO_BREAK))),
    ("ch", Style::new('.', Some('\''))),
    ("in", Style { pairs: true, ..Style::new('.', Some(',')) }),
];

/// Countries and languages that write as one of those.
const LIKE: &[(&str, &str)] = &[
    ("us", "en"),
    ("gb", "en"),
    ("ie", "en"),
    ("au", "en"),
    ("cn", "en"),
    ("jp", "en"),
    ("es", "de"),
    ("it", "de"),
    ("nl", "de"),
    ("pt", "de"),
    ("br", "de"),
    ("dk", "de"),
    ("tr", "de"),
    ("se", "fr"),
    ("no", "fr"),
    ("fi", "fr"),
    ("pl", "fr"),
    ("cz", "fr"),
    ("ru", "fr"),
];

impl Style {
    const fn new(point: char, group: Option<char>) -> Self {
        Self { point, group, pairs: false }
    }

    /// The point, and no mark between thousands.
    pub const PLAIN: Self = Self::new('.', None);

    /// A style by name (`de`), or by its marks: that before the fraction, and if there is one that between thousands
    /// (`,.`).
    pub fn named(text: &str) -> Option<Self> {
        let name = LIKE.iter().find(|(name, _)| *name == text).map_or(text, |(_, like)| like);
        if let Some((_, style)) = NAMED.iter().find(|(known, _)| *known == name) {
            return Some(*style);
        }
        let mut marks = text.chars();
        let (point, group) = (marks.next()?, marks.next());
        let mark = |c: char| !c.is_alphanumeric() && !c.is_control() && !matches!(c, '+' | '-' | '(' | ')');
        let fine = mark(point) && !point.is_whitespace() && group.is_none_or(|c| mark(c) && c != point);
        (fine && marks.next().is_none()).then_some(Self::new(point, group))
    }

    /// Whether the fraction stands behind a comma.
    pub fn has_comma(self) -> bool {
        self.point == ','
    }

    /// The names that can be written, for messages.
    pub fn names() -> String {
        NAMED.iter().map(|(name, _)| *name).chain(LIKE.iter().map(|(name, _)| *name)).collect::<Vec<_>>().join(", ")
    }

    /// Reads a number: marks between thousands stand where they belong or not at all, and a minus sign stands in
    /// front or behind, or the number in parentheses.
    ///
    /// # Errors
    /// [`Unread`] if it is none in this style.
    pub fn read(self, text: &str) -> Result<Decimal, Unread> {
        let (negative, digits) = signed(text.trim()).ok_or(Unread::Form)?;
        let (whole, fraction) = match digits.split_once(self.point) {
            Some((_, "")) => return Err(Unread::Form),
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        // 28 digits, as many marks, and zeros in front within reason.
        if whole.len() + fraction.len() > 400 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Unread::Form);
        }
        let mut plain = String::with_capacity(digits.len() + 2);
        if negative {
            plain.push('-');
        }
        let start = plain.len();
        self.join(whole, &mut plain).ok_or(Unread::Form)?;
        if plain.len() == start {
            // `.5` is what some programs write.
            plain.push('0');
        }
        if !fraction.is_empty() {
            plain.push('.');
            plain.push_str(fraction);
        }
        Decimal::parse(&plain).map_err(|error| match error {
            DecimalError::Overflow => Unread::Long,
            _ => Unread::Form,
        })
    }

    /// Appends the digits of the whole part without the marks between thousands, which are all the same.
    fn join(self, whole: &str, out: &mut String) -> Option<()> {
        let separator = whole.chars().find(|c| !c.is_ascii_digit());
        let Some(separator) = separator else {
            out.push_str(whole);
            return Some(());
        };
        if alike(separator) != alike(self.group?) {
            return None;
        }
        let groups = whole.split(separator).count();
        for (index, group) in whole.split(separator).enumerate() {
            let last = index + 1 == groups;
            let size = if self.pairs && !last { 2 } else { 3 };
            let fits = if index == 0 { (1..=size).contains(&group.len()) } else { group.len() == size };
            if !fits || !group.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            out.push_str(group);
        }
        Some(())
    }

    /// Reads a number with decimal point or decimal comma where only one of both makes sense.
    ///
    /// # Errors
    /// [`Unread::Ambiguous`] if both do, and differ: `1.234`.
    pub fn read_any(text: &str) -> Result<Decimal, Unread> {
        let mut found: Option<Decimal> = None;
        let mut failure = Unread::Form;
        for (point, groups) in [('.', [',', ' ', '\'']), (',', ['.', ' ', '\''])] {
            for group in groups {
                match Self::new(point, Some(group)).read(text) {
                    Ok(number) if found.is_some_and(|other| other != number) => return Err(Unread::Ambiguous),
                    Ok(number) => found = found.or(Some(number)),
                    Err(Unread::Form) => {}
                    Err(other) => failure = other,
                }
            }
        }
        found.ok_or(failure)
    }

    /// Writes a number, with all its places.
    pub fn write(self, number: Decimal, mut push: impl FnMut(char)) {
        let text = number.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let (minus, whole) = whole.strip_prefix('-').map_or((false, whole), |whole| (true, whole));
        if minus {
            push('-');
        }
        for (index, digit) in whole.chars().enumerate() {
            let rest = whole.len() - index;
            let border = if self.pairs { rest == 3 || (rest > 3 && rest % 2 == 1) } else { rest.is_multiple_of(3) };
            if index > 0
                && border
                && let Some(group) = self.group
            {
                push(group);
            }
            push(digit);
        }
        if !fraction.is_empty() {
            push(self.point);
            fraction.chars().for_each(push);
        }
    }
}

/// The sign, and what is left without it.
fn signed(text: &str) -> Option<(bool, &str)> {
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let (negative, rest) = if let Some(inner) = inner {
        (true, inner)
    } else if let Some(rest) = text.strip_prefix(MINUS).or_else(|| text.strip_suffix(MINUS)) {
        (true, rest)
    } else {
        (false, text.strip_prefix('+').unwrap_or(text))
    };
    let rest = rest.trim();
    (rest.bytes().any(|b| b.is_ascii_digit()) && rest.starts_with(|c: char| !MINUS.contains(&c) && c != '+'))
        .then_some((negative, rest))
}

/// Spaces of all kinds are one mark, and so are apostrophes.
fn alike(mark: char) -> char {
    match mark {
        '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
        '\u{2019}' => '\'',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: &str, text: &str, expected: &str) {
        let found = if style == "any" { Style::read_any(text) } else { Style::named(style).expect("style").read(text) };
        let found = match found {
            Ok(number) => number.to_string(),
            Err(Unread::Form) => "-".into(),
            Err(Unread::Ambiguous) => "?".into(),
            Err(Unread::Long) => "long".into(),
        };
        assert_eq!(found, expected, "{style} {text:?}");
    }

    #[test]
    fn numbers_of_people_are_read() {
        check("de", "1.234.567,89", "1234567.89");
        check("de", "1234,5", "1234.5");
        check("de", "1.23", "-");
        check("de", "12.34,5", "-");
        check("de", "1,234,5", "-");
        check("en", "1,234.50", "1234.50");
        check("en", "1,23", "-");
        check("en", "1.234,5", "-");
        check("en", " -5 ", "-5");
        check("en", "5-", "-5");
        check("en", "(1,000)", "-1000");
        check("en", "\u{2212}1", "-1");
        check("en", "--1", "-");
        check("en", "-", "-");
        check("en", "", "-");
        check("en", ".5", "0.5");
        check("en", "5.", "-");
        check("en", "1e5", "-");
        check("en", "1,,000", "-");
        check("en", ",000", "-");
        check("fr", "1\u{202f}234 567,8", "-");
        check("fr", "1\u{202f}234\u{202f}567,8", "1234567.8");
        check("fr", "1 234,5", "1234.5");
        check("ch", "1’234.05", "1234.05");
        check("in", "12,34,567.8", "1234567.8");
        check("in", "1,234,567", "-");
        check(",", "1.234", "-");
        check("plain", "1,234", "-");
        check("en", "٣", "-");
        check("en", &"9".repeat(29), "long");
        check("en", &"0,".repeat(100_000), "-");
    }

    #[test]
    fn what_is_ambiguous_is_said() {
        check("any", "1.234", "?");
        check("any", "1,234", "?");
        check("any", "1.234,5", "1234.5");
        check("any", "1,234.5", "1234.5");
        check("any", "1.5", "1.5");
        check("any", "1,50", "1.50");
        check("any", "1.234.567", "1234567");
        check("any", "0.000", "0.000");
        check("any", "12 345,6", "12345.6");
        check("any", "abc", "-");
    }

    mod random {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn what_is_written_reads_back(mantissa in -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999, scale in 0..=28_u32, index in 0..NAMED.len()) {
                let number = Decimal::new(mantissa, scale).expect("in range");
                let style = NAMED[index].1;
                let mut text = String::new();
                style.write(number, |c| text.push(c));
                prop_assert_eq!(style.read(&text).map(|n| n.to_string()), Ok(number.to_string()), "{}", text);
            }

            #[test]
            fn any_text_is_read_or_refused(text in "[-+(). ,'0-9]{0,30}|\\PC{0,12}", name in "\\PC{0,3}") {
                let _ = Style::read_any(&text);
                if let Some(style) = Style::named(&name) {
                    let _ = style.read(&text);
                }
            }
        }
    }
}
