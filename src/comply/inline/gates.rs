//! Gates: whether a record may go on at all. Consent, opt-out, age, and whether its person was erased.
//!
//! A gate that holds a record back takes what the record says; what cannot be read is an error, and the record
//! goes to the dead letters: it is taken neither for a yes nor for a no.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::consents::{Consents, Standing, opinion};
use super::residency::Residency;
use crate::error::{Code, codes::comply as codes};
use crate::map::Governed;
use crate::record::{Date, Timestamp, Value, shown};

/// From which age on a person agrees alone, where the route does not say.
const AGE_OF_CONSENT: u8 = 16;

/// Makes a reference of what a person is known by.
pub type Refer = Box<dyn Fn(&[u8]) -> [u8; 16] + Send + Sync>;

/// Who was erased.
pub struct Erased {
    known: HashSet<[u8; 16]>,
    refer: Refer,
}

impl Erased {
    /// Those with these references; `refer` makes one of what a person is known by.
    pub fn new(known: HashSet<[u8; 16]>, refer: Refer) -> Self {
        Self { known, refer }
    }
}

impl fmt::Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Erased({})", self.known.len())
    }
}

/// What decides whether records of a route go on.
#[derive(Debug, Default)]
pub struct Gates {
    /// Where what is asked stands in a record.
    pub slots: Governed,
    /// The purpose that consent must be for.
    pub purpose: Option<String>,
    /// Whether consent is asked for.
    pub asks_consent: bool,
    /// Where it is looked up; `None`: in the record.
    pub consents: Option<Consents>,
    /// From which age on a person agrees alone.
    pub age_of_consent: Option<u8>,
    /// Whose data may go where the target stands; `None`: nobody asks.
    pub residency: Option<Residency>,
    /// Who was erased; `None`: nobody, or the route does not say who its people are.
    pub erased: Option<Erased>,
}

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It goes on.
    Passes,
    /// It is kept back.
    Withheld(&'static Code),
    /// It cannot be told.
    Failed {
        /// The field of the source record.
        field: String,
        /// Why not, without the value.
        cause: &'static str,
    },
}

impl Gates {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        let slots = &self.slots;
        let asks = self.asks_consent || self.residency.is_some() || self.erased.is_some();
        !asks && slots.opt_out.is_none() && slots.age.is_none()
    }

    /// What a record's person is known by in the state, where the route says who that is.
    pub fn reference(&self, slots: &[Value<'_>]) -> Option<[u8; 16]> {
        let (erased, slot) = self.erased.as_ref().zip(self.slots.subject)?;
        let id = identity(&slots.get(slot).copied().unwrap_or_default()).ok().flatten()?;
        Some((erased.refer)(&id))
    }

    /// What becomes of a record. `now`: the moment of the run.
    pub fn judge(&self, slots: &[Value<'_>], now: Timestamp) -> Judgement {
        match self.judged(slots, now) {
            Ok(judgement) => judgement,
            Err((slot, cause)) => Judgement::Failed { field: self.slots.name(slot), cause },
        }
    }

    fn judged(&self, slots: &[Value<'_>], now: Timestamp) -> Result<Judgement, (usize, &'static str)> {
        let at = |slot: usize| slots.get(slot).copied().unwrap_or_default();
        let withheld = |code| Ok(Judgement::Withheld(code));
        if let (Some(erased), Some(slot)) = (&self.erased, self.slots.subject)
            && !erased.known.is_empty()
            && let Some(id) = identity(&at(slot)).map_err(|cause| (slot, cause))?
            && erased.known.contains(&(erased.refer)(&id))
        {
            return withheld(&codes::ERASED);
        }
        if let (Some(residency), Some(slot)) = (&self.residency, self.slots.residency)
            && !residency.allows(&at(slot)).map_err(|cause| (slot, cause))?
        {
            return withheld(&codes::RESIDENCY);
        }
        if let Some(slot) = self.slots.opt_out
            && opinion(&at(slot)).map_err(|cause| (slot, cause))? == Some(true)
        {
            return withheld(&codes::OPTED_OUT);
        }
        if self.asks_consent {
            let standing = match (&self.consents, self.slots.by) {
                (Some(consents), Some(slot)) => match identity(&at(slot)).map_err(|cause| (slot, cause))? {
                    Some(id) => consents.of(&id),
                    None => Standing::Unknown,
                },
                _ => standing(&self.slots, &at, self.purpose.as_deref(), now)?,
            };
            match standing {
                Standing::Given => {}
                Standing::Unknown => return withheld(&codes::NO_CONSENT),
                Standing::Withdrawn => return withheld(&codes::WITHDRAWN),
            }
        }
        if let Some(slot) = self.slots.age {
            let limit = i64::from(self.age_of_consent.unwrap_or(AGE_OF_CONSENT));
            let is_young = age(&at(slot), now).map_err(|cause| (slot, cause))?.is_none_or(|age| age < limit);
            let agreed = match self.slots.parental.filter(|_| is_young) {
                Some(slot) => opinion(&at(slot)).map_err(|cause| (slot, cause))? == Some(true),
                None => false,
            };
            if is_young && !agreed {
                return withheld(&codes::UNDER_AGE);
            }
        }
        Ok(Judgement::Passes)
    }
}

/// What the fields of consent say; `at` gives the value of a slot.
///
/// # Errors
/// The slot of the field that cannot be read, and why.
pub fn standing<'v>(
    slots: &Governed,
    at: &dyn Fn(usize) -> Value<'v>,
    purpose: Option<&str>,
    now: Timestamp,
) -> Result<Standing, (usize, &'static str)> {
    if let Some(slot) = slots.withdrawn {
        let value = at(slot);
        let told = match value {
            Value::Bool(truth) => truth,
            _ => moment(&value).map_err(|cause| (slot, cause))?.is_some_and(|moment| moment <= now.seconds),
        };
        if told {
            return Ok(Standing::Withdrawn);
        }
    }
    if let Some(slot) = slots.consent
        && opinion(&at(slot)).map_err(|cause| (slot, cause))? != Some(true)
    {
        return Ok(Standing::Unknown);
    }
    if let Some(slot) = slots.given {
        let given = moment(&at(slot)).map_err(|cause| (slot, cause))?;
        if given.is_none_or(|given| given > now.seconds) {
            return Ok(Standing::Unknown);
        }
    }
    if let (Some(slot), Some(purpose)) = (slots.purposes, purpose)
        && !lists(&at(slot), purpose).map_err(|cause| (slot, cause))?
    {
        return Ok(Standing::Unknown);
    }
    Ok(Standing::Given)
}

/// What a person is known by, as it is hashed everywhere; `None`: nothing is said.
///
/// # Errors
/// It is no plain value.
pub fn identity<'v>(value: &Value<'v>) -> Result<Option<Cow<'v, [u8]>>, &'static str> {
    Ok(match value {
        Value::Missing | Value::Null | Value::String("") => None,
        Value::String(text) | Value::Number(text) => Some(Cow::Borrowed(text.as_bytes())),
        Value::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => return Err("it is no plain value"),
        other => {
            let mut text = Vec::new();
            shown::write(other, false, &mut text);
            Some(Cow::Owned(text))
        }
    })
}

/// Seconds since 1970 of a date or moment; `None`: nothing is said.
pub(super) fn moment(value: &Value<'_>) -> Result<Option<i64>, &'static str> {
    match value {
        Value::Missing | Value::Null | Value::String("") => Ok(None),
        Value::Timestamp(moment) => Ok(Some(moment.seconds)),
        Value::Date(date) => Ok(Some(date.midnight().seconds)),
        Value::String(text) => read_moment(text.trim()).map(Some).ok_or("it is neither a date nor a moment"),
        Value::Int(seconds) => Ok(Some(*seconds)),
        Value::Number(text) => text.parse().map(Some).map_err(|_| "it is neither a date nor a moment"),
        _ => Err("it is neither a date nor a moment"),
    }
}

fn read_moment(text: &str) -> Option<i64> {
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Some(moment.seconds);
    }
    if let Some(date) = Date::parse(text) {
        return Some(date.midnight().seconds);
    }
    // As databases write it: `2026-01-02 03:04:05`, in UTC.
    let (date, time) = text.split_once([' ', 'T'])?;
    Timestamp::parse_rfc3339(&format!("{date}T{time}Z")).map(|moment| moment.seconds)
}

/// Years of age, told by a number or a date of birth; `None`: nothing is said.
fn age(value: &Value<'_>, now: Timestamp) -> Result<Option<i64>, &'static str> {
    let wrong = "it is neither an age nor a date of birth";
    let born = |date: Date| {
        let ((year, month, day), (born_year, born_month, born_day)) = (now.date_at(0).civil(), date.civil());
        let had = (month, day) >= (born_month, born_day);
        i64::from(year) - i64::from(born_year) - i64::from(!had)
    };
    let years = match value {
        Value::Missing | Value::Null | Value::String("") => return Ok(None),
        Value::Int(years) => *years,
        Value::Uint(years) => i64::try_from(*years).map_err(|_| wrong)?,
        Value::Date(date) => born(*date),
        Value::Timestamp(moment) => born(moment.date_at(0)),
        Value::Decimal(number) => number.to_i64().ok_or(wrong)?,
        Value::Number(text) | Value::String(text) => match (text.trim().parse::<i64>(), text.get(..10)) {
            (Ok(years), _) => years,
            (Err(_), Some(date)) => born(Date::parse(date).ok_or(wrong)?),
            _ => return Err(wrong),
        },
        _ => return Err(wrong),
    };
    if (0..=150).contains(&years) { Ok(Some(years)) } else { Err(wrong) }
}

/// Whether a list of purposes holds one.
pub(super) fn lists(value: &Value<'_>, purpose: &str) -> Result<bool, &'static str> {
    match value {
        Value::Missing | Value::Null => Ok(false),
        Value::String(text) => {
            Ok(text.split([',', ';', '|', ' ']).any(|word| word.trim().eq_ignore_ascii_case(purpose)))
        }
        Value::List(items) => items.iter().try_fold(false, |found, item| match item {
            Value::String(word) => Ok(found || word.trim().eq_ignore_ascii_case(purpose)),
            _ => Err("it is no list of purposes"),
        }),
        _ => Err("it is no list of purposes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first moment of 2026-06-01.
    const NOW: Timestamp = Timestamp { seconds: 1_780_272_000, nanos: 0, offset: 0 };

    #[track_caller]
    fn check(gates: &Gates, slots: &[Value<'_>], expected: &str) {
        let got = match gates.judge(slots, NOW) {
            Judgement::Passes => "passes".to_owned(),
            Judgement::Withheld(code) => code.id.to_owned(),
            Judgement::Failed { field, cause } => format!("{field}: {cause}"),
        };
        assert_eq!(got, expected, "{slots:?}");
    }

    fn slots(names: &[&str]) -> Governed {
        let mut slots =
            Governed { names: names.iter().map(ToString::to_string).enumerate().collect(), ..Governed::default() };
        for (slot, name) in names.iter().enumerate() {
            match *name {
                "consent" => slots.consent = Some(slot),
                "purposes" => slots.purposes = Some(slot),
                "given" => slots.given = Some(slot),
                "withdrawn" => slots.withdrawn = Some(slot),
                "opt_out" => slots.opt_out = Some(slot),
                "age" => slots.age = Some(slot),
                "parental" => slots.parental = Some(slot),
                "subject" => slots.subject = Some(slot),
                other => panic!("{other}"),
            }
        }
        slots
    }

    #[test]
    fn consent_is_there_or_the_record_is_kept_back() {
        let gates = Gates { slots: slots(&["consent", "given", "withdrawn"]), asks_consent: true, ..Gates::default() };
        let text = Value::String;
        check(&gates, &[text("yes"), text("2026-01-01"), text("")], "passes");
        check(&gates, &[Value::Bool(true), text("2026-01-01T10:00:00Z"), Value::Null], "passes");
        check(&gates, &[Value::Number("1"), text("2026-05-31 10:00:00"), text("2027-01-01")], "passes");
        check(&gates, &[text("no"), text("2026-01-01"), text("")], "comply-no-consent");
        check(&gates, &[Value::Missing, text("2026-01-01"), text("")], "comply-no-consent");
        check(&gates, &[text("yes"), text("2026-06-02"), text("")], "comply-no-consent");
        check(&gates, &[text("yes"), Value::Null, text("")], "comply-no-consent");
        check(&gates, &[text("yes"), text("2026-01-01"), text("2026-05-01")], "comply-withdrawn");
        // It is taken neither for a yes nor for a no.
        check(&gates, &[text("perhaps"), text("2026-01-01"), text("")], "consent: it is neither yes nor no");
        check(&gates, &[text("yes"), text("last week"), text("")], "given: it is neither a date nor a moment");
        check(&gates, &[text("yes"), text("2026-01-01"), text("soon")], "withdrawn: it is neither a date nor a moment");
    }

    #[test]
    fn consent_is_for_a_purpose() {
        let purpose = Some("marketing".to_owned());
        let gates = Gates { slots: slots(&["purposes"]), purpose, asks_consent: true, ..Gates::default() };
        check(&gates, &[Value::String("billing, Marketing")], "passes");
        check(&gates, &[Value::List(&[Value::String("marketing")])], "passes");
        check(&gates, &[Value::String("billing")], "comply-no-consent");
        check(&gates, &[Value::Missing], "comply-no-consent");
        check(&gates, &[Value::Int(1)], "purposes: it is no list of purposes");
    }

    #[test]
    fn who_opted_out_or_is_too_young_is_kept_back() {
        let gates = Gates { slots: slots(&["opt_out", "age", "parental"]), ..Gates::default() };
        let (no, adult) = (Value::Bool(false), Value::Int(40));
        check(&gates, &[no, adult, Value::Missing], "passes");
        check(&gates, &[Value::Missing, adult, Value::Missing], "passes");
        check(&gates, &[Value::String("1"), adult, Value::Missing], "comply-opted-out");
        check(&gates, &[Value::String("?"), adult, Value::Missing], "opt_out: it is neither yes nor no");
        check(&gates, &[no, Value::Int(12), Value::Missing], "comply-under-age");
        check(&gates, &[no, Value::Int(12), Value::String("yes")], "passes");
        check(&gates, &[no, Value::Missing, Value::Missing], "comply-under-age");
        check(&gates, &[no, Value::String("2010-06-01"), Value::Missing], "passes");
        check(&gates, &[no, Value::String("2010-06-02"), Value::Missing], "comply-under-age");
        check(&gates, &[no, Value::String("old"), Value::Missing], "age: it is neither an age nor a date of birth");
        check(&gates, &[no, Value::Int(-3), Value::Missing], "age: it is neither an age nor a date of birth");
    }

    #[test]
    fn who_was_erased_does_not_come_back() {
        let refer = |id: &[u8]| {
            let mut out = [0; 16];
            out[..id.len()].copy_from_slice(id);
            out
        };
        let erased = Erased::new(HashSet::from([refer(b"17")]), Box::new(refer));
        let gates = Gates { slots: slots(&["subject"]), erased: Some(erased), ..Gates::default() };
        check(&gates, &[Value::String("17")], "comply-erased");
        check(&gates, &[Value::Int(17)], "comply-erased");
        check(&gates, &[Value::Number("17")], "comply-erased");
        check(&gates, &[Value::String("18")], "passes");
        check(&gates, &[Value::Missing], "passes");
        check(&gates, &[Value::List(&[])], "subject: it is no plain value");
    }
}
