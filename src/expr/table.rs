//! Tables that stand in files beside a mapping: `lookup("codes.csv", key, "name")`. Reading files is
//! none of this folder's business: it is given their text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ast::{Expr, Kind};

/// The most bytes of one file.
pub const MAX_TABLE_BYTES: usize = 64 << 20;
/// The most columns.
const MAX_COLUMNS: usize = 1000;

/// The tables that the expressions of a mapping may look things up in, by the names of their files.
#[derive(Clone, Debug, Default)]
pub struct Tables(Arc<BTreeMap<String, Result<Arc<Table>, String>>>);

/// A table in memory: its text once, four bytes for each cell, and its keys again with some 50 bytes for
/// each row.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    /// All cells, one after the other.
    text: String,
    /// Where each cell ends in it.
    ends: Vec<u32>,
    /// The row of each key, which is the cell in the first column.
    rows: HashMap<Box<str>, u32>,
}

impl Tables {
    /// The tables that could be read, and why others could not.
    pub fn new(tables: BTreeMap<String, Result<Arc<Table>, String>>) -> Self {
        Self(Arc::new(tables))
    }

    /// The table of a file, or why there is none; `None` if nobody tried to read it.
    pub fn get(&self, file: &str) -> Option<&Result<Arc<Table>, String>> {
        self.0.get(file)
    }
}

impl Table {
    /// Reads the text of a CSV file (RFC 4180): a line of names, then rows as long as that. Comma,
    /// semicolon or tab: what stands in the first line. Empty lines are passed over.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TABLE_BYTES {
            return Err(format!("it is larger than {} MiB", MAX_TABLE_BYTES >> 20));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let head = text.lines().next().unwrap_or_default();
        let separator = [b',', b';', b'\t'].into_iter().find(|byte| head.as_bytes().contains(byte)).unwrap_or(b',');
        let mut reader = Reader { rest: text, line: 1, separator };
        let mut table = Self { columns: Vec::new(), text: String::new(), ends: Vec::new(), rows: HashMap::new() };
        while reader.row(|cell| table.columns.push(cell.to_string()))? {
            if table.columns != [""] {
                break;
            }
            table.columns.clear();
        }
        if table.columns.len() < 2 || table.columns.len() > MAX_COLUMNS {
            return Err("its first line names a key and at least one more column".into());
        }
        if let Some(twice) = (1..table.columns.len()).find(|at| table.columns[..*at].contains(&table.columns[*at])) {
            return Err(format!("line 1: the column `{}` stands twice", table.columns[twice]));
        }
        // A file of nothing but keys: the text is never longer than what it is read from.
        table.text.reserve(text.len());
        loop {
            let (line, first) = (reader.line, table.ends.len());
            let Table { text, ends, .. } = &mut table;
            let found = reader.row(|cell| {
                text.push_str(cell);
                ends.push(text.len() as u32);
            })?;
            if !found {
                break;
            }
            let cells = table.ends.len() - first;
            if cells == 1 && table.cell(first).is_empty() {
                table.ends.truncate(first);
                continue;
            }
            if cells != table.columns.len() {
                return Err(format!("line {line} has {cells} cells, the first line {}", table.columns.len()));
            }
            let key: Box<str> = table.cell(first).into();
            if key.is_empty() {
                return Err(format!("line {line} has no key"));
            }
            let row = (first / table.columns.len()) as u32;
            if table.rows.insert(key, row).is_some() {
                return Err(format!("line {line}: its key stands in an earlier line too"));
            }
        }
        table.text.shrink_to_fit();
        Ok(table)
    }

    /// The names of the columns; the first is that of the key.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What stands in a column, counted from 0, in the row of a key.
    pub fn get(&self, key: &str, column: usize) -> Option<&str> {
        let row = *self.rows.get(key)? as usize;
        (column < self.columns.len()).then(|| self.cell(row * self.columns.len() + column))
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn cell(&self, at: usize) -> &str {
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.ends.get(at).and_then(|end| self.text.get(from..*end as usize)).unwrap_or_default()
    }
}

/// Rows of CSV text.
struct Reader<'t> {
    rest: &'t str,
    line: u32,
    separator: u8,
}

impl<'t> Reader<'t> {
    /// Gives the cells of the next row; `false` behind the last.
    fn row(&mut self, mut cell: impl FnMut(&str)) -> Result<bool, String> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        loop {
            if let Some(quoted) = self.rest.strip_prefix('"') {
                self.quoted(quoted, &mut cell)?;
            } else {
                let end =
                    memchr::memchr3(self.separator, b'\r', b'\n', self.rest.as_bytes()).unwrap_or(self.rest.len());
                if memchr::memchr(b'"', &self.rest.as_bytes()[..end]).is_some() {
                    return Err(format!("line {}: a quote inside of a cell without quotes", self.line));
                }
                cell(&self.rest[..end]);
                self.rest = &self.rest[end..];
            }
            match self.rest.as_bytes() {
                [byte, ..] if *byte == self.separator => self.rest = &self.rest[1..],
                [b'\r', b'\n', ..] => {
                    self.rest = &self.rest[2..];
                    break;
                }
                [b'\r' | b'\n', ..] => {
                    self.rest = &self.rest[1..];
                    break;
                }
                [] => break,
                _ => return Err(format!("line {}: something stands behind the closing quote", self.line)),
            }
        }
        self.line += 1;
        Ok(true)
    }

    fn quoted(&mut self, quoted: &'t str, cell: &mut impl FnMut(&str)) -> Result<(), String> {
        let begun = self.line;
        let (mut held, mut rest) = (None::<String>, quoted);
        loop {
            let Some(end) = memchr::memchr(b'"', rest.as_bytes()) else {
                return Err(format!("line {begun}: a quote is not closed"));
            };
            let part = &rest[..end];
            self.line += memchr::memchr_iter(b'\n', part.as_bytes()).count() as u32;
            let after = &rest[end + 1..];
            if let Some(more) = after.strip_prefix('"') {
                let held = held.get_or_insert_default();
                held.push_str(part);
                held.push('"');
                rest = more;
                continue;
            }
            match held {
                None => cell(part),
                Some(mut held) => {
                    held.push_str(part);
                    cell(&held);
                }
            }
            self.rest = after;
            return Ok(());
        }
    }
}

/// The files that an expression names in calls of `lookup`; none if the text is no expression.
pub fn tables_named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.contains("lookup")
        && let Ok(tree) = super::parse::parse(text)
    {
        named(&tree, &mut found);
    }
    found
}

fn named(tree: &Expr, found: &mut Vec<String>) {
    match &tree.kind {
        Kind::Call { target, name, arguments, .. } => {
            if let (None, "lookup", Some(Expr { kind: Kind::Text(file), .. })) =
                (target, name.as_str(), arguments.first())
            {
                found.push(file.clone());
            }
            target.iter().for_each(|inner| named(inner, found));
            arguments.iter().for_each(|inner| named(inner, found));
        }
        Kind::Select { base, .. } => named(base, found),
        Kind::Index { base, index, .. } => [base, index].into_iter().for_each(|inner| named(inner, found)),
        Kind::List(items) => items.iter().for_each(|(_, inner)| named(inner, found)),
        Kind::Map(items) => items.iter().for_each(|(_, key, value)| {
            named(key, found);
            named(value, found);
        }),
        Kind::Not(inner) | Kind::Negate(inner) => named(inner, found),
        Kind::Binary(_, left, right) => [left, right].into_iter().for_each(|inner| named(inner, found)),
        Kind::Conditional(condition, yes, no) => {
            [condition, yes, no].into_iter().for_each(|inner| named(inner, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, key: &str, expected: &[&str]) {
        let table = Table::parse(text).unwrap();
        let found: Vec<&str> = (0..table.columns().len()).map(|at| table.get(key, at).unwrap()).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn files_as_people_have_them() {
        check("code,name\nA,Alpha\nB,Beta\n", "B", &["B", "Beta"]);
        check("\u{feff}code;name\r\n1;\"a \"\"b\"\"; c\"\r\n\r\n2;\r\n", "1", &["1", "a \"b\"; c"]);
        check("code\tname\nA\t\"two\nlines\"\nB\té", "B", &["B", "é"]);
        check("code,name\nA,\"\"", "A", &["A", ""]);
        assert_eq!(Table::parse("a,b\n1,2\n").unwrap().get("1", 2), None);
        assert_eq!(Table::parse("a,b\n1,2\n").unwrap().get("3", 1), None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, part) in [
            ("", "first line"),
            ("code\nA\n", "first line"),
            ("a,a\n", "stands twice"),
            ("a,b\n1\n", "line 2 has 1 cells"),
            ("a,b\n1,2\n1,3\n", "line 3: its key"),
            ("a,b\n,2\n", "line 2 has no key"),
            ("a,b\n1,\"x\n", "line 2: a quote is not closed"),
            ("a,b\n1,\"x\ny\"z\n", "line 3: something stands"),
            ("a,b\n1,x\"\n", "line 2: a quote inside"),
        ] {
            assert!(Table::parse(text).unwrap_err().contains(part), "{text:?}: {:?}", Table::parse(text));
        }
    }

    #[test]
    fn files_are_found_wherever_they_are_named() {
        let text = r#"has(record.a) ? [lookup("a.csv", value, "x")][0] : {"k": !(lookup("b.csv", lookup('c.csv', "1", "y"), "x") == "z")}.k"#;
        assert_eq!(tables_named(text), ["a.csv", "b.csv", "c.csv"]);
        assert_eq!(tables_named("lookup(value, 1, 2) +"), Vec::<String>::new());
        assert_eq!(tables_named("lookup(value, 1, 2)"), Vec::<String>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_found(rows in prop::collection::btree_map("[a-z\"é,;\n]{1,5}", "[a-z\"é,;\r\n]{0,6}", 0..12)) {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let mut text = "key,value\n".to_string();
            for (key, value) in &rows {
                text.push_str(&format!("{},{}\n", quoted(key), quoted(value)));
            }
            let table = Table::parse(&text).unwrap();
            prop_assert_eq!(table.len(), rows.len());
            for (key, value) in &rows {
                prop_assert_eq!(table.get(key, 1), Some(value.as_str()));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "[a\",;\t\r\n]{0,40}") {
            let _ = Table::parse(&text);
        }
    }
}
