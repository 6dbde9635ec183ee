//! Where a region lies, and whether data of people in the European Economic Area may go there
//! without more. The lists are data with a date, in `regions.tsv`.

use std::sync::LazyLock;

use jiff::civil::Date;

/// What the European Commission has decided about a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adequacy {
    /// That it protects data well enough.
    Decided,
    /// The same, only of these.
    Partly(&'static str),
    /// The decision ended on that day.
    Ended(Date),
    /// Nothing.
    None,
}

/// The lines of the file that begin with a word, without it.
fn lines(word: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = include_str!("regions.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(move |line| line.strip_prefix(word)?.strip_prefix('\t'))
}

struct Lists {
    eea: Vec<&'static str>,
    /// Name of a region, country; sorted.
    regions: Vec<(&'static str, &'static str)>,
    /// Country, last day, scope.
    adequate: Vec<(&'static str, Option<Date>, Option<&'static str>)>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut regions: Vec<_> = lines("region")
        .filter_map(|line| line.split_once('\t'))
        .flat_map(|(country, names)| names.split(' ').map(move |name| (name, country)))
        .collect();
    regions.sort_unstable();
    let adequate = lines("adequate").filter_map(|line| {
        let mut parts = line.split('\t');
        let (country, until, scope) = (parts.next()?, parts.next()?, parts.next()?);
        Some((country, until.parse().ok(), Some(scope).filter(|scope| *scope != "-")))
    });
    Lists { eea: lines("eea").flat_map(|line| line.split(' ')).collect(), regions, adequate: adequate.collect() }
});

/// The country that a region lies in, by its code (ISO 3166-1 alpha-2); `eea` for the whole of it.
/// `None`: nobody knows.
pub fn country(region: &str) -> Option<&'static str> {
    country_of(&region.trim().to_ascii_lowercase())
}

/// The same of a name in small letters without anything around it.
pub fn country_of(region: &str) -> Option<&'static str> {
    if matches!(region, "eu" | "eea" | "europe" | "eu-only") {
        return Some("eea");
    }
    let lists = &*LISTS;
    if let Ok(at) = lists.regions.binary_search_by_key(&region, |(name, _)| name) {
        return lists.regions.get(at).map(|(_, country)| *country);
    }
    // A country, or a part of one: `de`, `us-ca`.
    let code = region.split_once(['-', '_']).map_or(region, |(country, _)| country);
    let known = lists.eea.iter().copied().chain(lists.regions.iter().map(|(_, country)| *country));
    let mut known = known.chain(lists.adequate.iter().map(|(country, ..)| *country)).chain(OTHERS.iter().copied());
    let part = region.len() == 2 || (region.len() <= 6 && !region.ends_with(|c: char| c.is_ascii_digit()));
    known.find(|country| *country == code && part).or((region == "usa").then_some("us"))
}

/// Countries that are named as they are, beside those in the lists.
const OTHERS: &[&str] = &[
    "cn", "ru", "tr", "mx", "co", "pe", "ph", "th", "vn", "my", "pk", "bd", "lk", "ke", "ng", "gh", "eg", "ma", "tn",
    "ua", "md", "ge", "am", "az", "kz", "rs", "ba", "me", "mk", "al", "by", "cr", "pa", "do", "ec", "bo", "py", "ve",
    "gt", "hn", "ni", "sv", "jo", "lb", "kw", "om", "iq", "np", "kh", "mm", "et", "tz", "ug", "mu", "rw", "sn", "ci",
];

/// Whether people there are protected by the GDPR itself.
pub fn is_protected(region: &str) -> bool {
    country(region).is_some_and(|country| country == "eea" || LISTS.eea.contains(&country))
}

/// What was decided about a country.
pub fn adequacy(country: &str, today: Date) -> Adequacy {
    match LISTS.adequate.iter().find(|(known, ..)| *known == country) {
        None => Adequacy::None,
        Some((_, Some(until), _)) if *until < today => Adequacy::Ended(*until),
        Some((.., Some(scope))) => Adequacy::Partly(scope),
        Some(_) => Adequacy::Decided,
    }
}

/// A region in a sentence.
pub fn shown(region: &str) -> String {
    match region {
        "eea" | "eu" => "the European Economic Area".into(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_in_countries() {
        let check = |region: &str, expected: Option<&str>| assert_eq!(country(region), expected, "{region}");
        check("eu", Some("eea"));
        check("DE", Some("de"));
        check("eu-central-1", Some("de"));
        check("eu-central-2", Some("ch"));
        check("us-east-1", Some("us"));
        check("us-ca", Some("us"));
        check("westeurope", Some("nl"));
        check("us-moon-9", None);
        check("mars", None);
        check("cn", Some("cn"));
        assert!(is_protected("eu") && is_protected("no") && is_protected("europe-west3"));
        assert!(!is_protected("gb") && !is_protected("us") && !is_protected("mars"));
    }

    #[test]
    fn decisions_have_a_scope_and_an_end() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(adequacy("ch", day("2026-11-21")), Adequacy::Decided);
        assert_eq!(adequacy("gb", day("2031-12-27")), Adequacy::Decided);
        assert_eq!(adequacy("gb", day("2032-01-01")), Adequacy::Ended(day("2031-12-27")));
        assert!(matches!(adequacy("us", day("2026-11-21")), Adequacy::Partly(_)));
        assert_eq!(adequacy("cn", day("2026-11-21")), Adequacy::None);
    }

    #[test]
    fn every_line_is_sound() {
        assert_eq!(LISTS.eea.len(), 30);
        assert!(lines("adequate").count() == LISTS.adequate.len() && LISTS.adequate.len() > 10);
        let mut names: Vec<_> = LISTS.regions.iter().map(|(name, _)| *name).collect();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "a region is named twice");
        let known = include_str!("regions.tsv").lines().all(|line| {
            line.starts_with('#') || ["eea\t", "adequate\t", "region\t"].iter().any(|word| line.starts_with(word))
        });
        assert!(known);
    }
}
