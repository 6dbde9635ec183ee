//! Statements over a cursor and its tie, in the words of whichever database is asked.

use super::key::Key;
use super::scan::Database;

/// A statement with its parameters, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// What stands for its placeholders: the value, and the column it is compared with.
    pub parameters: Vec<(String, Key)>,
}

/// A statement in the making.
pub(super) struct Sql<'d> {
    database: &'d dyn Database,
    pub(super) text: String,
    parameters: Vec<(String, Key)>,
    conditions: usize,
}

impl<'d> Sql<'d> {
    pub(super) fn new(database: &'d dyn Database, text: String) -> Self {
        Self { database, text, parameters: Vec::new(), conditions: 0 }
    }

    pub(super) fn and(&mut self, condition: &str) {
        self.text.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.text.push_str(condition);
        self.conditions += 1;
    }

    pub(super) fn compare(&mut self, column: Option<&str>, operator: &str, key: &Key) {
        let Some(column) = column else { return };
        let place = self.place(column, key);
        self.and(&format!("{} {operator} {place}", self.database.ordered(column)));
    }

    /// Compares a point of cursor and tie, as a whole.
    pub(super) fn point(
        &mut self,
        cursor: Option<&str>,
        tie: &[String],
        operator: &str,
        at: Option<&Key>,
        key: &[Key],
    ) {
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        let cursor = cursor.zip(at);
        for (column, key) in cursor.into_iter().chain(tie.iter().map(String::as_str).zip(key)) {
            columns.push(self.database.ordered(column));
            places.push(self.place(column, key));
        }
        match columns.as_slice() {
            [] => {}
            [only] => self.and(&format!("{only} {operator} {}", places[0])),
            _ => self.and(&format!("({}) {operator} ({})", columns.join(", "), places.join(", "))),
        }
    }

    fn place(&mut self, column: &str, key: &Key) -> String {
        self.parameters.push((column.to_owned(), key.clone()));
        self.database.parameter(self.parameters.len(), column)
    }

    pub(super) fn finish(self) -> Statement {
        Statement { sql: self.text, parameters: self.parameters }
    }
}
