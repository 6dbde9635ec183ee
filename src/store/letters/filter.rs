//! Which dead letters are asked for.

use rusqlite::types::Value;

use super::LetterState;
use crate::store::sql;

/// Which dead letters. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct LetterFilter {
    /// Of this route alone.
    pub route: Option<String>,
    /// Of this route, or of every target of the mapping of that name.
    pub family: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// Of the run whose id begins so.
    pub run: Option<String>,
    /// In these states; none: in any.
    pub states: Vec<LetterState>,
    /// Rejected at or after, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Those whose ids begin or end with one of these; none: any.
    pub ids: Vec<String>,
    /// Deleted before this moment, nanoseconds since 1970.
    pub expires_before_ns: Option<i64>,
    /// No more than so many, the oldest first. 0: all.
    pub limit: usize,
    /// Those that were replayed fewer times than this.
    pub attempts_below: Option<u64>,
}

/// The filter as the end of a statement, and its values.
pub(super) fn clause(filter: &LetterFilter) -> (String, Vec<Value>) {
    build_clause(filter, "1")
}

/// The same, of letters whose payload was kept whole.
pub(super) fn clause_whole(filter: &LetterFilter) -> (String, Vec<Value>) {
    build_clause(filter, "whole = 1")
}

fn build_clause(filter: &LetterFilter, first: &str) -> (String, Vec<Value>) {
    let mut text = format!("WHERE {first}");
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        text.push_str(" AND ");
        text.push_str(&condition.replace("??", &format!("?{}", values.len())));
    };
    if let Some(route) = &filter.route {
        add("route = ??", route.clone().into());
    }
    if let Some(family) = &filter.family {
        add(sql::OF_FAMILY, family.clone().into());
    }
    if let Some(code) = &filter.code {
        add("code = ??", code.clone().into());
    }
    if let Some(run) = &filter.run {
        add(r"run LIKE ?? ESCAPE '\'", sql::prefix_pattern(run).into());
    }
    if let Some(since) = filter.since_ns {
        add("created_ns >= ??", since.into());
    }
    if let Some(attempts) = filter.attempts_below {
        add("attempts < ??", sql::int(attempts).into());
    }
    if let Some(before) = filter.expires_before_ns {
        add("expires_ns < ??", before.into());
    }
    // Lists travel as JSON: the statement stays the same whatever their length.
    if !filter.states.is_empty() {
        let words: Vec<&str> = filter.states.iter().map(|s| s.word()).collect();
        add("state IN (SELECT value FROM json_each(??))", serde_json::json!(words).to_string().into());
    }
    if !filter.ids.is_empty() {
        // Ids of one group begin alike, since they begin with the time: the end of one will do as well.
        let patterns: Vec<String> = filter.ids.iter().map(|id| sql::literal_pattern(id)).collect();
        add(
            r"EXISTS (SELECT 1 FROM json_each(??) WHERE dead_letters.id LIKE value || '%' ESCAPE '\'
                OR dead_letters.id LIKE '%' || value ESCAPE '\')",
            serde_json::json!(patterns).to_string().into(),
        );
    }
    text.push_str(" ORDER BY number");
    if filter.limit > 0 {
        text.push_str(&format!(" LIMIT {}", filter.limit));
    }
    (text, values)
}
