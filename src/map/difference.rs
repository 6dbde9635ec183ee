//! What a mapping makes of a record, in a form that two mappings can be compared by: values as they are
//! for the comparison, masked for whoever reads it.

use super::route::{Route, Verdict};
use crate::record::{Arena, Row, Timestamp, shown};

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// These fields: path, type and text for the comparison, and what may be shown.
    Record(Vec<(String, String, String)>),
    /// `when` held it back.
    Filtered,
    /// A rule kept it back: its name.
    Withheld(String),
    /// It was rejected: code, and where.
    Rejected(&'static str, String),
}

impl Made {
    /// In a word, for a summary.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Record(_) => "mapped",
            Self::Filtered => "filtered",
            Self::Withheld(_) => "withheld",
            Self::Rejected(..) => "rejected",
        }
    }
}

/// Applies a mapping to one record.
pub fn made<'a>(route: &'a Route, row: &Row<'a>, arena: &'a Arena, now: Timestamp) -> Made {
    let mut out = Vec::with_capacity(route.columns.len());
    match route.apply(row, arena, now.into(), &mut out) {
        Verdict::Filtered => Made::Filtered,
        Verdict::Withheld(rule) => Made::Withheld(route.rule_name(rule)),
        Verdict::Rejected(fault) => Made::Rejected(fault.code.id, fault.field.unwrap_or_default()),
        Verdict::Mapped => {
            let values = route.columns.iter().zip(&out).zip(&route.masks.target);
            let absent =
                |value: &crate::record::Value<'_>| value.is_missing() || (route.flat_target && value.is_absent());
            let field = |((column, value), classes): ((&crate::record::Column, &crate::record::Value<'_>), &_)| {
                let exact = format!("{} {}", value.type_name(), shown::text(value));
                (column.path.to_string(), exact, shown::masked(value, *classes))
            };
            Made::Record(values.filter(|((_, value), _)| !absent(value)).map(field).collect())
        }
    }
}
