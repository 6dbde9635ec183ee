//! What is shown of records to people: values that look sensitive are masked, wherever they stand.

use std::cell::RefCell;

use serde_json::Value as Json;

use super::detection::masked;
use crate::comply::detect::{Context, Hit, Scanner, Selection};
use crate::config::Detect;

/// Masks what looks sensitive in what is shown, where a project looks for such values.
pub struct Hush {
    scanner: RefCell<(Scanner, Vec<Hit>)>,
}

impl Hush {
    /// As a project asks for; `None`: it does not look for anything.
    pub fn of(asked: Option<&Detect>) -> Option<Self> {
        let asked = asked.filter(|asked| !asked.classes.is_empty())?;
        let selection = Selection::all().threshold(f32::from(asked.threshold) / 1000.0);
        Some(Self { scanner: RefCell::new((Scanner::new(&selection), Vec::new())) })
    }

    /// A text of a field.
    pub fn text(&self, field: &str, text: &str) -> String {
        let mut scanner = self.scanner.borrow_mut();
        let (scanner, hits) = &mut *scanner;
        hits.clear();
        scanner.scan(text, &Context::of_field(field), hits);
        hits.retain(|hit| hit.class.class().sensitivity > 0);
        if hits.is_empty() { text.to_owned() } else { masked(text, hits) }
    }

    /// A document.
    pub fn over(&self, document: Json) -> Json {
        self.within("", document)
    }

    fn within(&self, field: &str, document: Json) -> Json {
        match document {
            Json::String(text) => Json::String(self.text(field, &text)),
            Json::Number(number) => {
                let text = number.to_string();
                let left = self.text(field, &text);
                if left == text { Json::Number(number) } else { Json::String(left) }
            }
            Json::Array(items) => items.into_iter().map(|item| self.within(field, item)).collect(),
            Json::Object(entries) => {
                entries.into_iter().map(|(key, value)| (key.clone(), self.within(&key, value))).collect()
            }
            other => other,
        }
    }
}
