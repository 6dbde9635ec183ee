//! Dates and times: moments, dates and their parts.

mod date_of;
mod format_time;
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
mod now;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
    offset_of, prepare_zone, zone_named,
};

/// Dates and times.
pub(super) static GROUP: Group = Group {
    name: "Dates and times",
    about: "Moments, dates and their parts.",
    functions: &[
        &date_of::DATE_OF,
        &format_time::FORMAT_TIME,
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
        &now::NOW,
    ],
};
