//! The commonest reasons of rejects in a run, counted in constant memory.

use std::collections::HashMap;

use crate::record::Reject;

/// Most different reasons that are told apart; later ones count as "other".
const MOST: usize = 200;

/// One reason: its code, field, text, how often, and where it was seen first.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// The stable code.
    pub code: String,
    /// The field at fault, if it is one.
    pub field: Option<String>,
    /// The cause of the first record that had it.
    pub cause: String,
    /// How many records.
    pub records: u64,
    /// The first of them: `products.csv:17`.
    pub first: String,
}

/// Counts reasons.
#[derive(Default)]
pub struct Reasons {
    found: Vec<Reason>,
    index: HashMap<(&'static str, Option<String>), usize>,
    other: u64,
}

impl Reasons {
    /// Counts one reject.
    pub fn add(&mut self, reject: &Reject) {
        let key = (reject.code, reject.field.clone());
        if let Some(&at) = self.index.get(&key) {
            self.found[at].records += 1;
        } else if self.found.len() < MOST {
            self.index.insert(key, self.found.len());
            self.found.push(Reason {
                code: reject.code.to_string(),
                field: reject.field.clone(),
                cause: reject.cause.clone(),
                records: 1,
                first: format!("{}:{}", reject.source, reject.line),
            });
        } else {
            self.other += 1;
        }
    }

    /// The reasons, commonest first; ties in the order they were seen.
    pub fn commonest(mut self) -> Vec<Reason> {
        self.found.sort_by_key(|reason| std::cmp::Reverse(reason.records));
        if self.other > 0 {
            self.found.push(Reason {
                code: "other".into(),
                field: None,
                cause: format!("reasons past the first {MOST}"),
                records: self.other,
                first: String::new(),
            });
        }
        self.found
    }
}
