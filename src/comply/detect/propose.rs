//! What class a field has, to judge by its name and by some of its values.

use super::{Column, Context, Scanner, Selection};
use crate::comply::detect::Hit;
use crate::comply::detectors::ALL;
use crate::comply::names;
use crate::record::ClassId;

/// A class that a field seems to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The field.
    pub path: String,
    /// The class.
    pub class: ClassId,
    /// The share of its values that a detector found it in, 0 to 1; 0 where only the name says so.
    pub share: f64,
    /// How sure it is, 0 to 1.
    pub score: f32,
    /// Why, for people: names, counts and rates, never a value.
    pub reasons: Vec<String>,
}

/// The score of a name alone.
const NAME_ALONE: f32 = 0.75;
/// The least share of values in which a class is worth a proposal if the name does not say it.
const LEAST_SHARE: f64 = 0.02;

/// Proposes classes for a field from its name and some of its values, the surest first. Values that are
/// no text are given as their text.
pub fn propose<'v>(path: &str, values: impl Iterator<Item = &'v str> + Clone) -> Vec<Proposal> {
    let mut scanner = Scanner::new(&Selection::all());
    let mut column = Column::new();
    values.clone().for_each(|value| scanner.sample(value, &mut column));
    let context = Context::of_field(path).with_column(&column);

    // Of each detector: values it was found in, and the sum of their scores.
    let mut tallies = vec![(0_u32, 0.0_f32); ALL.len()];
    let mut hits: Vec<Hit> = Vec::new();
    for value in values {
        hits.clear();
        scanner.scan(value, &context, &mut hits);
        let mut seen = 0_u128;
        for hit in &hits {
            if seen & 1 << hit.detector == 0 {
                seen |= 1 << hit.detector;
                let tally = &mut tallies[usize::from(hit.detector)];
                *tally = (tally.0 + 1, tally.1 + hit.score);
            }
        }
    }

    let mut proposals: Vec<Proposal> = Vec::new();
    for (place, (count, sum)) in tallies.into_iter().enumerate() {
        let share = f64::from(count) / f64::from(column.values().max(1));
        let named = context.named.contains(place) || context.classed.contains(place);
        let Some(class) = ClassId::named(ALL[place].class) else { continue };
        if count == 0 || share < LEAST_SHARE && !named && sum / (count as f32) < 0.8 {
            continue;
        }
        let mut reasons = vec![format!("{} in {count} of {} values", ALL[place].name, column.values())];
        if let Some((rate, shaped)) = column.pass_rate(place).filter(|_| ALL[place].null_rate < 0.5) {
            reasons.push(format!(
                "{:.0} % of {shaped} values of its form hold its check, by chance {:.1} % would",
                rate * 100.0,
                ALL[place].null_rate * 100.0
            ));
        }
        add(&mut proposals, Proposal { path: path.to_string(), class, share, score: sum / count as f32, reasons });
    }
    for class in names::classes(path).iter() {
        let reasons = vec![format!("the name says `{}`", class.class().name)];
        add(&mut proposals, Proposal { path: path.to_string(), class, share: 0.0, score: NAME_ALONE, reasons });
    }
    proposals.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.share.total_cmp(&a.share)).then(a.class.cmp(&b.class)));
    proposals
}

/// One proposal for each class: what speaks for the same is put together.
fn add(proposals: &mut Vec<Proposal>, new: Proposal) {
    match proposals.iter_mut().find(|known| known.class == new.class) {
        Some(known) => {
            known.share = known.share.max(new.share);
            known.score = known.score.max(new.score);
            known.reasons.extend(new.reasons);
        }
        None => proposals.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn best(path: &str, values: &[&str], expected: &str) -> Option<Proposal> {
        let proposals = propose(path, values.iter().copied());
        let found = proposals.first().map_or("", |proposal| proposal.class.class().name);
        assert_eq!(found, expected, "{path}: {proposals:?}");
        proposals.into_iter().next()
    }

    #[test]
    fn values_propose_a_class() {
        let emails = ["a@b.example.com", "", "c@d.example.org", "e@f.example.net"];
        let found = best("reach", &emails, "pii.contact.email").unwrap();
        assert_eq!(found.share, 1.0);
        assert!(found.score > 0.8 && found.reasons[0].contains("3 of 3"), "{found:?}");
        best("x1", &["4111111111111111", "5555555555554444"], "pci.pan");
    }

    #[test]
    fn a_name_proposes_a_class() {
        best("kunde.geburtsdatum", &[], "pii.birth_date");
        best("kunde.geburtsdatum", &["1980-02-03", "1991-12-31"], "pii.birth_date");
        best("quantity", &["1", "2", "3"], "");
    }

    #[test]
    fn a_column_of_chance_proposes_nothing() {
        // Order numbers of sixteen digits that begin like cards; a tenth of them hold by Luhn.
        let values: Vec<String> = (0..200_u64).map(|n| (4_000_123_400_005_600 + n * 7919).to_string()).collect();
        let proposals = propose("ref", values.iter().map(String::as_str));
        assert!(proposals.iter().all(|p| p.class.class().name != "pci.pan"), "{proposals:?}");
    }

    #[test]
    fn a_weak_number_is_known_by_its_column() {
        // Routing numbers without a name: each holds the check, a tenth would by chance.
        let values =
            ["111000025", "021000021", "011401533", "091000019", "121000358", "026009593", "122105278", "071000013"];
        let proposals = propose("bank_ref", values.iter().copied());
        assert!(proposals.iter().any(|p| p.reasons.iter().any(|r| r.starts_with("us_routing"))), "{proposals:?}");
        // Reasons never hold a value.
        assert!(!format!("{proposals:?}").contains("111000025"));
    }
}
