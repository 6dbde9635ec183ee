//! Paths into a record: one small language, the same over every format.
//!
//! `name`, `address.city`, `lines[0].sku`, `lines[*].sku`, `` `odd name` ``, `"odd.name"`.

use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The field of a map.
    Key(String),
    /// The element of a list, from 0; negative counts from the end.
    Index(i64),
    /// Each element of a list.
    Each,
}

/// A path from the record's root; empty means the whole record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Step>);

/// Why a text is no path: what was wrong and at which character (from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// What was wrong, one sentence.
    pub cause: &'static str,
    /// Characters before the fault.
    pub at: usize,
}

impl Path {
    /// The path of one key at the root.
    pub fn key(name: impl Into<String>) -> Self {
        Self(vec![Step::Key(name.into())])
    }

    /// Reads a path. A key is any run of characters but `. [ ] " `` ` `` and white space at the
    /// ends; others are quoted with `"` (with `\"` and `\\`) or `` ` ``.
    ///
    /// # Errors
    /// [`PathError`] with the place of the fault.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let chars: Vec<char> = text.chars().collect();
        let fail = |cause, at| Err(PathError { cause, at });
        let (mut steps, mut at) = (Vec::new(), 0);
        if chars.is_empty() {
            return fail("the path is empty", 0);
        }
        let mut expect_key = true;
        while at < chars.len() {
            match chars[at] {
                '[' => {
                    if expect_key && !steps.is_empty() {
                        return fail("a name is missing after the point", at);
                    }
                    let start = at + 1;
                    let Some(length) = chars[start..].iter().position(|c| *c == ']') else {
                        return fail("`[` is not closed", at);
                    };
                    let inner: String = chars[start..start + length].iter().collect();
                    steps.push(match inner.as_str() {
                        "*" => Step::Each,
                        number => match number.parse::<i64>() {
                            Ok(index) => Step::Index(index),
                            Err(_) => return fail("between `[` and `]` stands a number or `*`", start),
                        },
                    });
                    at = start + length + 1;
                    expect_key = false;
                }
                '.' => {
                    if expect_key {
                        return fail("a name is missing before the point", at);
                    }
                    at += 1;
                    expect_key = true;
                }
                _ if !expect_key => return fail("a point or `[` is missing", at),
                quote @ ('"' | '`') => {
                    let start = at;
                    let mut name = String::new();
                    at += 1;
                    loop {
                        match chars.get(at) {
                            None => return fail("the quote is not closed", start),
                            Some(c) if *c == quote => break,
                            Some('\\') if quote == '"' => {
                                match chars.get(at + 1) {
                                    Some(c @ ('"' | '\\')) => name.push(*c),
                                    _ => return fail("after `\\` stands `\"` or `\\`", at),
                                }
                                at += 2;
                            }
                            Some(c) => {
                                name.push(*c);
                                at += 1;
                            }
                        }
                    }
                    at += 1;
                    steps.push(Step::Key(name));
                    expect_key = false;
                }
                _ => {
                    let start = at;
                    while at < chars.len() && !matches!(chars[at], '.' | '[' | ']' | '"' | '`') {
                        at += 1;
                    }
                    let name: String = chars[start..at].iter().collect();
                    if name.trim() != name || name.is_empty() {
                        return fail("a name with white space at its end must be quoted", start);
                    }
                    steps.push(Step::Key(name));
                    expect_key = false;
                }
            }
        }
        if expect_key {
            return fail("a name is missing after the point", chars.len());
        }
        Ok(Self(steps))
    }

    /// Whether this path leads to the other or to something around it.
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Each => f.write_str("[*]")?,
                Step::Key(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    let plain = !name.is_empty() && name.trim() == name && !name.contains(['.', '[', ']', '"', '`']);
                    if plain {
                        f.write_str(name)?;
                    } else {
                        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_round_trip() {
        for text in ["a", "a.b", "lines[0].sku", "lines[*].sku", "\"odd.name\".x", "[0]", "supplier id", "a[-1]"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        for text in ["", ".", "a.", ".a", "a[", "a[x]", "a..b", "\"a", "a[0]b", "a. b"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
