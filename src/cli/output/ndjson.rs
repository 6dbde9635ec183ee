//! One JSON object per line: one per row, or the document where there are no rows.

use super::{Answer, json};

/// The lines of an answer.
pub(in crate::cli) fn lines(verb: &str, answer: &Answer) -> String {
    let mut out = String::new();
    match &answer.rows {
        Some(rows) => {
            for object in rows.objects() {
                out.push_str(&object.to_string());
                out.push('\n');
            }
        }
        None => {
            out.push_str(&json::document(verb, answer).to_string());
            out.push('\n');
        }
    }
    out
}
