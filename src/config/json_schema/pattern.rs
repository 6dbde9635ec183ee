//! `pattern`: regular expressions as JSON Schema has them (ECMA-262), run in linear time.

use regex::RegexBuilder;

use crate::record::contract::Pattern;

/// Most bytes that a compiled pattern takes.
const MOST_BYTES: usize = 1 << 20;
/// Longest text of a pattern.
const LONGEST: usize = 10_000;

/// Compiles a pattern.
///
/// # Errors
/// Why it cannot be run, one sentence.
pub(super) fn compile(text: &str) -> Result<Pattern, String> {
    if text.len() > LONGEST {
        return Err(format!("the pattern is longer than {LONGEST} bytes"));
    }
    let ours = translate(text)?;
    let regex =
        RegexBuilder::new(&ours).size_limit(MOST_BYTES).nest_limit(100).build().map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large to be run".to_owned(),
            other => {
                let told = other.to_string();
                let last = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("the pattern cannot be read: {last}")
            }
        })?;
    Ok(Pattern { text: text.to_owned(), regex })
}

/// Where ECMA-262 and our engine mean different things by the same letters: classes of characters
/// there are those of ASCII.
fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('b') if !inside => out.push_str("(?-u:\\b)"),
                Some('b') => out.push_str("\\x08"),
                Some('/') => out.push('/'),
                Some('-') => out.push_str("\\-"),
                Some('0') => out.push_str("\\x00"),
                Some('c') => match chars.next().filter(char::is_ascii_alphabetic) {
                    Some(letter) => out.push_str(&format!("\\x{:02x}", letter.to_ascii_uppercase() as u32 - 64)),
                    None => return Err("the pattern cannot be read: `\\c` wants a letter".into()),
                },
                Some(digit @ '1'..='9') if !inside => {
                    return Err(format!(
                        "the pattern refers back to a group (`\\{digit}`), which takes no bounded time"
                    ));
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' if !inside => {
                inside = true;
                out.push('[');
                // An empty class, or one that begins with a bracket, is read otherwise there.
                if chars.peek() == Some(&']') {
                    return Err("the pattern has an empty class `[]`, which nothing meets".into());
                }
            }
            '[' => out.push_str("\\["),
            ']' => {
                inside = false;
                out.push(']');
            }
            '&' | '~' if inside => {
                out.push('\\');
                out.push(c);
            }
            '(' if !inside && chars.peek() == Some(&'?') => {
                let rest: String = chars.clone().take(3).collect();
                if ["?=", "?!", "?<=", "?<!"].iter().any(|look| rest.starts_with(look)) {
                    return Err("the pattern looks around (`(?=`, `(?!`), which takes no bounded time".into());
                }
                out.push('(');
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, good: &[&str], bad: &[&str]) {
        let pattern = compile(pattern).unwrap();
        for text in good {
            assert!(pattern.regex.is_match(text), "{} {text}", pattern.text);
        }
        for text in bad {
            assert!(!pattern.regex.is_match(text), "{} {text}", pattern.text);
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_javascript() {
        check("^\\d{3}$", &["123"], &["12", "1234", "١٢٣", "123\n"]);
        check("^\\w+$", &["a_1"], &["ä"]);
        check("b", &["abc"], &["acd"]);
        check("^[\\w.-]+$", &["a.b-c"], &["a b"]);
        check("^[a&&b]$", &["&", "a"], &["ab"]);
        check("^[[a]$", &["[", "a"], &["b"]);
        check("^\\u00e9\\/$", &["é/"], &["e/"]);
        check("^\\p{Letter}$", &["é"], &["1"]);
        check("\\bcat\\b", &["a cat."], &["concat"]);
        check("^\\cA$", &["\u{1}"], &["A"]);
    }

    #[test]
    fn what_cannot_be_run_in_bounded_time_is_refused() {
        for pattern in
            ["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1", "[]", "(", "a{2,1}", "\\p{Nonsense}", "(a{1000}){1000}", "\\c1"]
        {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
        assert!(compile(&"(".repeat(200)).is_err() && compile(&"a".repeat(20_000)).is_err());
        // What hangs other engines.
        check("^(a+)+$", &["aaaa"], &[&format!("{}b", "a".repeat(5000))]);
    }
}
