//! Residency, record by record: whether data of people of a place may go to where the target stands. A route whose
//! people live in several places takes those along whose data may go, and keeps the others back.

use jiff::civil::Date;

use crate::comply::regions::{self, Adequacy};
use crate::config::{Connector, Mapping, Project};
use crate::record::Value;

/// Longest name of a place that is looked at.
const LONGEST: usize = 32;

/// Where a target stands, and whose data may go there.
#[derive(Clone, Debug)]
pub struct Residency {
    /// The target's country; `None`: nobody knows.
    target: Option<&'static str>,
    /// Whether data of people in the European Economic Area may go there.
    is_open: bool,
    /// The countries whose people's data leaves them on no ground.
    stays: Vec<&'static str>,
    /// Where people live of whom nothing is said.
    home: String,
}

impl Residency {
    /// As a mapping asks for, on that day; `None`: it does not ask.
    pub fn of(mapping: &Mapping, target: &Connector, project: &Project, today: Date) -> Option<Self> {
        let asked = mapping.compliance.residency.as_ref()?;
        let country = target.region.as_deref().and_then(regions::country);
        let agreed = |one: &crate::config::Agreement| {
            matches!(one.kind.as_str(), "scc" | "bcr") && one.until.is_none_or(|until| until >= today)
        };
        let is_open = country.is_some_and(|country| {
            regions::is_protected(country) || regions::adequacy(country, today) == Adequacy::Decided
        }) || target.agreements.iter().any(agreed)
            || mapping.compliance.transfer.is_some();
        Some(Self {
            target: country,
            is_open,
            stays: asked.stays.iter().filter_map(|place| regions::country(place)).collect(),
            home: project.compliance.rules.home.clone().unwrap_or_else(|| "eea".into()),
        })
    }

    /// Whether data of a person of that place may go there.
    ///
    /// # Errors
    /// Nobody knows where that is.
    pub fn allows(&self, place: &Value<'_>) -> Result<bool, &'static str> {
        let wrong = "it is no country or region that is known";
        let country = match place {
            Value::Missing | Value::Null | Value::String("") => regions::country(&self.home),
            Value::String(text) => {
                // On the stack: this is asked for each record.
                let (text, mut lower) = (text.trim(), [0_u8; LONGEST]);
                let into = lower.get_mut(..text.len()).ok_or(wrong)?;
                into.copy_from_slice(text.as_bytes());
                into.make_ascii_lowercase();
                std::str::from_utf8(into).ok().and_then(regions::country_of)
            }
            _ => None,
        };
        let country = country.ok_or(wrong)?;
        let is_here = self.target.is_some_and(|target| within(country, target) || within(target, country));
        let stays = self.stays.iter().any(|stays| within(country, stays));
        Ok(is_here || (!stays && (self.is_open || !regions::is_protected(country))))
    }
}

/// Whether a country is that one, or lies in that area.
fn within(country: &str, area: &str) -> bool {
    country == area || (area == "eea" && regions::is_protected(country))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, is_open: bool, stays: &[&'static str], expected: &[(&str, Option<bool>)]) {
        let residency =
            Residency { target: regions::country(target), is_open, stays: stays.to_vec(), home: "eea".into() };
        for (place, allowed) in expected {
            assert_eq!(residency.allows(&Value::String(place)).ok(), *allowed, "{place} to {target}");
        }
    }

    #[test]
    fn who_may_go_where() {
        check(
            "us-east-1",
            false,
            &[],
            &[
                ("us", Some(true)),
                ("DE", Some(false)),
                (" fr ", Some(false)),
                ("cn", Some(true)),
                ("", Some(false)),
                ("atlantis", None),
            ],
        );
        check("us-east-1", true, &["cn"], &[("de", Some(true)), ("cn", Some(false)), ("us", Some(true))]);
        check(
            "de",
            true,
            &["fr", "cn"],
            &[("de", Some(true)), ("fr", Some(false)), ("cn", Some(false)), ("us", Some(true))],
        );
        check("eu", true, &["fr"], &[("fr", Some(true)), ("ru", Some(true))]);
        check("fr", true, &["eea"], &[("fr", Some(true)), ("de", Some(false))]);
        let long = "x".repeat(LONGEST + 1);
        check("us", false, &[], &[(&long, None)]);
        let nobody = Residency { target: None, is_open: false, stays: Vec::new(), home: "us".into() };
        assert_eq!((nobody.allows(&Value::Null), nobody.allows(&Value::Int(1)).is_err()), (Ok(true), true));
    }
}
