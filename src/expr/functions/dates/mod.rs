//! Dates and times: moments, dates and their parts.

mod add_business_days;
mod add_days;
mod add_months;
mod add_years;
mod age;
mod at_time;
mod business_days_between;
mod date_of;
mod day_of_year;
mod days_between;
mod days_in_month;
mod end_of;
mod format_duration;
mod format_time;
mod from_epoch;
mod from_epoch_millis;
mod from_excel_date;
mod get_date;
mod get_day_of_month;
mod get_day_of_week;
mod get_day_of_year;
mod get_full_year;
mod get_hours;
mod get_milliseconds;
mod get_minutes;
mod get_month;
mod get_seconds;
mod is_business_day;
mod is_leap_year;
mod is_weekend;
mod make_date;
mod month;
mod months_between;
mod now;
mod parse_date;
mod parse_duration;
mod parse_time;
mod quarter;
mod time_between;
mod to_epoch;
mod to_epoch_millis;
mod to_zone;
mod truncate_time;
mod week_of_year;
mod week_year;
mod weekday;
mod years_between;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, made, misuse,
    offset_of, prepare_zone, zone_named,
};
use crate::expr::zone::{self, Zone};
use crate::record::decimal::Rounding;
use crate::record::{Date, Decimal, Timestamp, Value};

/// Dates and times.
pub(super) static GROUP: Group = Group {
    name: "Dates and times",
    about: "Moments, dates and their parts.",
    functions: &[
        &add_business_days::ADD_BUSINESS_DAYS,
        &add_days::ADD_DAYS,
        &add_months::ADD_MONTHS,
        &add_years::ADD_YEARS,
        &age::AGE,
        &at_time::AT_TIME,
        &business_days_between::BUSINESS_DAYS_BETWEEN,
        &date_of::DATE_OF,
        &day_of_year::DAY_OF_YEAR,
        &days_between::DAYS_BETWEEN,
        &days_in_month::DAYS_IN_MONTH,
        &end_of::END_OF,
        &format_duration::FORMAT_DURATION,
        &format_time::FORMAT_TIME,
        &from_epoch::FROM_EPOCH,
        &from_epoch_millis::FROM_EPOCH_MILLIS,
        &from_excel_date::FROM_EXCEL_DATE,
        &get_date::GET_DATE,
        &get_day_of_month::GET_DAY_OF_MONTH,
        &get_day_of_week::GET_DAY_OF_WEEK,
        &get_day_of_year::GET_DAY_OF_YEAR,
        &get_full_year::GET_FULL_YEAR,
        &get_hours::GET_HOURS,
        &get_milliseconds::GET_MILLISECONDS,
        &get_minutes::GET_MINUTES,
        &get_month::GET_MONTH,
        &get_seconds::GET_SECONDS,
        &is_business_day::IS_BUSINESS_DAY,
        &is_leap_year::IS_LEAP_YEAR,
        &is_weekend::IS_WEEKEND,
        &make_date::MAKE_DATE,
        &month::MONTH,
        &months_between::MONTHS_BETWEEN,
        &now::NOW,
        &parse_date::PARSE_DATE,
        &parse_duration::PARSE_DURATION,
        &parse_time::PARSE_TIME,
        &quarter::QUARTER,
        &time_between::TIME_BETWEEN,
        &to_epoch::TO_EPOCH,
        &to_epoch_millis::TO_EPOCH_MILLIS,
        &to_zone::TO_ZONE,
        &truncate_time::TRUNCATE_TIME,
        &week_of_year::WEEK_OF_YEAR,
        &week_year::WEEK_YEAR,
        &weekday::WEEKDAY,
        &years_between::YEARS_BETWEEN,
    ],
};

#[cold]
fn out_of_range() -> Failure {
    Failure::number("the moment or date lies outside of the years 1 to 9999")
}

/// The zone that an argument names; none if there is none.
fn zone_of(call: &Call<'_, '_>, argument: Option<&Value<'_>>) -> Result<Option<Zone>, Failure> {
    match (call.prepared, argument) {
        (Prepared::Zone(zone), _) => Ok(Some(zone.clone())),
        (_, Some(Value::String(name))) => zone_named(name).map(Some),
        _ => Ok(None),
    }
}

fn prepare_zone_at(constants: &[Option<Value<'_>>], index: usize) -> Result<Prepared, Failure> {
    match constants.get(index) {
        Some(Some(Value::String(name))) => zone_named(name).map(Prepared::Zone),
        _ => Ok(Prepared::None),
    }
}

/// The date so many days later; none outside of the years 1 to 9999.
fn later(date: Date, days: i64) -> Option<Date> {
    const RANGE: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;
    let days = i64::from(date.days).checked_add(days).filter(|days| RANGE.contains(days))?;
    Some(Date { days: i32::try_from(days).ok()? })
}

/// The date so many months later, on the last day where the month is shorter.
fn months_later(date: Date, months: i64) -> Option<Date> {
    let (year, month, day) = date.civil();
    let total = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = total.rem_euclid(12) as u32 + 1;
    Date::new(year, month, day.min(crate::record::time::days_in(year, month)))
}

/// Whole months from one date to another: the most that can be added to the one without passing the other.
fn whole_months(a: Date, b: Date) -> i64 {
    if b < a {
        return -whole_months(b, a);
    }
    let ((x, m, _), (y, n, _)) = (a.civil(), b.civil());
    let months = i64::from(y - x) * 12 + i64::from(n) - i64::from(m);
    if months_later(a, months).is_some_and(|date| date > b) { months - 1 } else { months }
}

/// A moment or date with its date moved, at the same time of day in the zone.
fn moved<'a>(
    call: &Call<'_, 'a>,
    time: &Value<'a>,
    zone: Option<&Value<'a>>,
    to: impl Fn(Date) -> Option<Date>,
) -> Outcome<'a> {
    match time {
        Value::Date(date) => to(*date).map(Value::Date).ok_or_else(out_of_range),
        Value::Timestamp(moment) => {
            let zone = zone_of(call, zone)?.unwrap_or(Zone::Fixed(moment.offset));
            let offset = zone.offset(*moment);
            let date = to(moment.date_at(offset)).ok_or_else(out_of_range)?;
            let second = (moment.seconds + i64::from(offset)).rem_euclid(86_400) as u32;
            zone.moment_or_later(date, second, moment.nanos).map(Value::Timestamp).ok_or_else(out_of_range)
        }
        _ => Err(misuse()),
    }
}

/// The first day of the unit that a date lies in.
fn start_of(date: Date, unit: &str) -> Result<Date, Failure> {
    let (year, month, _) = date.civil();
    let start = match unit {
        "day" => Some(date),
        "week" => later(date, -i64::from((zone::weekday(date) + 6) % 7)),
        "month" => Date::new(year, month, 1),
        "quarter" => Date::new(year, (month - 1) / 3 * 3 + 1, 1),
        "year" => Date::new(year, 1, 1),
        "second" | "minute" | "hour" => {
            return Err(Failure::value("the units of dates are day, week, month, quarter, year"));
        }
        _ => {
            return Err(Failure::value(
                "no unit of that name: there are second, minute, hour, day, week, month, quarter, year",
            ));
        }
    };
    start.ok_or_else(out_of_range)
}

/// Year and number of the week by ISO 8601: those of its Thursday.
fn week(date: Date) -> (i64, i64) {
    let thursday = Date { days: date.days + 3 - ((zone::weekday(date) + 6) % 7) as i32 };
    (i64::from(thursday.civil().0), i64::from(zone_day(thursday)) / 7 + 1)
}

/// The day of the year from 0; also for the week that begins in the year 0 or ends in the year 10000.
fn zone_day(date: Date) -> u32 {
    let (_, month, day) = date.civil();
    match month {
        1 => day - 1,
        _ => zone::day_of_year(date),
    }
}

/// Monday to Friday.
fn is_weekday(days: i32) -> bool {
    !matches!(zone::weekday(Date { days }), 0 | 6)
}

/// How many days from Monday to Friday lie before a day, counted from a Monday long ago.
fn weekdays_before(days: i32) -> i64 {
    // 1970-01-01 was a Thursday: day 0 is the fourth of its week.
    let days = i64::from(days) + 3;
    days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
}

/// The days that a list of holidays names, in order.
fn holidays(call: &Call<'_, '_>, list: Option<&Value<'_>>) -> Result<Vec<i32>, Failure> {
    let Some(Value::List(list)) = list else { return Ok(Vec::new()) };
    if list.len() > 10_000 {
        return Err(Failure::limit());
    }
    call.spend(list.len() * 32)?;
    let mut days = Vec::with_capacity(list.len());
    for item in *list {
        let date = match item {
            Value::Date(date) => Some(*date),
            Value::String(text) => Date::parse(text),
            _ => None,
        };
        days.push(date.ok_or_else(|| Failure::value("holidays are dates, or texts in the form YYYY-MM-DD"))?.days);
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

fn from_seconds(seconds: Decimal) -> Result<Timestamp, Failure> {
    let whole = seconds.round(0, Rounding::Floor)?;
    let nanos = seconds.sub(whole)?.round(9, Rounding::Down)?.mantissa();
    let moment = whole.to_i64().and_then(|whole| Timestamp::new(whole, u32::try_from(nanos).ok()?));
    moment.ok_or_else(out_of_range)
}
