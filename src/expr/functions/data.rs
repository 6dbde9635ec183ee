//! Tables of codes that standards keep: countries and languages. `src/expr/data/README.md` names the sources.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A country of ISO 3166-1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Country {
    /// Two letters.
    pub alpha2: &'static str,
    /// Three letters.
    pub alpha3: &'static str,
    /// Three digits, those of UN M49.
    pub numeric: &'static str,
    /// The country calling code of ITU-T E.164, if it has one.
    pub dial: &'static str,
    /// An everyday English name.
    pub name: &'static str,
    /// The name in the UN's M49 list.
    pub un_name: &'static str,
}

/// A language of ISO 639-2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Language {
    /// The code for bibliographies.
    pub alpha3b: &'static str,
    /// The code for terminology, which is the one of ISO 639-3.
    pub alpha3t: &'static str,
    /// The code of ISO 639-1; empty if there is none.
    pub alpha2: &'static str,
    /// The English name.
    pub name: &'static str,
}

/// The country of a code or an English name, in letters of either case.
pub(super) fn country(key: &str) -> Option<&'static Country> {
    COUNTRIES.get(folded(key).as_str()).copied()
}

/// The language of a code or an English name, in letters of either case.
pub(super) fn language(key: &str) -> Option<&'static Language> {
    LANGUAGES.get(folded(key).as_str()).copied()
}

static COUNTRIES: LazyLock<HashMap<String, &'static Country>> = LazyLock::new(|| {
    let rows = rows(include_str!("../data/countries.csv")).map(|row| {
        let [alpha2, alpha3, numeric, dial, name, un_name] = fields(row);
        Country { alpha2, alpha3, numeric, dial, name, un_name: if un_name.is_empty() { name } else { un_name } }
    });
    let all: &'static [Country] = rows.collect::<Vec<_>>().leak();
    keyed(all, |c| vec![c.alpha2, c.alpha3, c.numeric, c.name, c.un_name])
});

static LANGUAGES: LazyLock<HashMap<String, &'static Language>> = LazyLock::new(|| {
    let rows = rows(include_str!("../data/languages.csv")).map(|row| {
        let [alpha3b, alpha3t, alpha2, name] = fields(row);
        Language { alpha3b, alpha3t: if alpha3t.is_empty() { alpha3b } else { alpha3t }, alpha2, name }
    });
    let all: &'static [Language] = rows.collect::<Vec<_>>().leak();
    // "Dutch; Flemish" are two names of one language.
    keyed(all, |l| [l.alpha3b, l.alpha3t, l.alpha2, l.name].into_iter().chain(l.name.split("; ")).collect())
});

fn keyed<T>(all: &'static [T], keys: impl Fn(&T) -> Vec<&'static str>) -> HashMap<String, &'static T> {
    let mut map = HashMap::with_capacity(all.len() * 5);
    for one in all {
        for key in keys(one).into_iter().filter(|key| !key.is_empty()) {
            map.entry(folded(key)).or_insert(one);
        }
    }
    map
}

fn folded(key: &str) -> String {
    key.trim().to_lowercase()
}

fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().skip(1)
}

/// The fields of a line of our own files: a field in quotes holds no quote.
fn fields<const N: usize>(row: &'static str) -> [&'static str; N] {
    let (mut fields, mut rest) = ([""; N], row);
    for field in &mut fields {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        (*field, rest) = (value, after);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        let countries: Vec<[&str; 6]> = rows(include_str!("../data/countries.csv")).map(fields).collect();
        assert_eq!(countries.len(), 249);
        for [alpha2, alpha3, numeric, dial, name, _] in countries {
            assert!(
                alpha2.len() == 2 && alpha3.len() == 3 && numeric.len() == 3 && !name.is_empty(),
                "{alpha2} {name}"
            );
            assert!(dial.bytes().all(|byte| byte.is_ascii_digit()), "{alpha2} {dial}");
            for key in [alpha2, alpha3, numeric, name] {
                assert_eq!(country(key).unwrap().alpha2, alpha2, "{key}");
            }
        }
        let languages: Vec<[&str; 4]> = rows(include_str!("../data/languages.csv")).map(fields).collect();
        assert_eq!(languages.len(), 486);
        for [alpha3b, _, alpha2, name] in languages {
            assert!(alpha3b.len() == 3 && matches!(alpha2.len(), 0 | 2) && !name.is_empty(), "{alpha3b}");
            assert_eq!(language(alpha3b).unwrap().name, name);
        }
        assert_eq!(language("nld").unwrap().alpha2, "nl");
        assert_eq!(language("Flemish").unwrap().alpha3b, "dut");
    }
}
