//! Text: letters, words and patterns.

mod camel_case;
mod capitalize;
mod char_at;
mod collapse_spaces;
mod contains;
mod contains_all;
mod contains_any;
mod digits;
mod edit_distance;
mod ends_with;
mod extract;
mod extract_all;
mod format;
mod index_of;
mod is_blank;
mod join;
mod kebab_case;
mod last_index_of;
mod left;
mod lines;
mod lower;
mod lower_ascii;
mod matches;
mod normalize;
mod pad_left;
mod pad_right;
mod pascal_case;
mod quote;
mod remove;
mod repeat;
mod replace;
mod replace_pattern;
mod reverse;
mod right;
mod same_text;
mod similarity;
mod slug;
mod snake_case;
mod split;
mod split_pattern;
mod starts_with;
mod strip_prefix;
mod strip_suffix;
mod substring;
mod text_after;
mod text_before;
mod title_case;
mod transliterate;
mod trim;
mod trim_left;
mod trim_right;
mod truncate;
mod upper;
mod upper_ascii;
mod words;

use regex::{Regex, RegexBuilder};
use unicode_normalization::char::is_combining_mark;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, made, misuse,
    operators,
};
use crate::record::Value;

/// Text.
pub(super) static GROUP: Group = Group {
    name: "Text",
    about: "Letters, words and patterns.",
    functions: &[
        &camel_case::CAMEL_CASE,
        &capitalize::CAPITALIZE,
        &char_at::CHAR_AT,
        &collapse_spaces::COLLAPSE_SPACES,
        &contains::CONTAINS,
        &contains_all::CONTAINS_ALL,
        &contains_any::CONTAINS_ANY,
        &digits::DIGITS,
        &edit_distance::EDIT_DISTANCE,
        &ends_with::ENDS_WITH,
        &extract::EXTRACT,
        &extract_all::EXTRACT_ALL,
        &format::FORMAT,
        &index_of::INDEX_OF,
        &is_blank::IS_BLANK,
        &join::JOIN,
        &kebab_case::KEBAB_CASE,
        &last_index_of::LAST_INDEX_OF,
        &left::LEFT,
        &lines::LINES,
        &lower::LOWER,
        &lower_ascii::LOWER_ASCII,
        &matches::MATCHES,
        &normalize::NORMALIZE,
        &pad_left::PAD_LEFT,
        &pad_right::PAD_RIGHT,
        &pascal_case::PASCAL_CASE,
        &quote::QUOTE,
        &remove::REMOVE,
        &repeat::REPEAT,
        &replace::REPLACE,
        &replace_pattern::REPLACE_PATTERN,
        &reverse::REVERSE,
        &right::RIGHT,
        &same_text::SAME_TEXT,
        &similarity::SIMILARITY,
        &slug::SLUG,
        &snake_case::SNAKE_CASE,
        &split::SPLIT,
        &split_pattern::SPLIT_PATTERN,
        &starts_with::STARTS_WITH,
        &strip_prefix::STRIP_PREFIX,
        &strip_suffix::STRIP_SUFFIX,
        &substring::SUBSTRING,
        &text_after::TEXT_AFTER,
        &text_before::TEXT_BEFORE,
        &title_case::TITLE_CASE,
        &transliterate::TRANSLITERATE,
        &trim::TRIM,
        &trim_left::TRIM_LEFT,
        &trim_right::TRIM_RIGHT,
        &truncate::TRUNCATE,
        &upper::UPPER,
        &upper_ascii::UPPER_ASCII,
        &words::WORDS,
    ],
};

/// What is built at run time: text in the arena.
type Text<'a> = bumpalo::collections::String<'a>;

fn push_lower<'a>(call: &Call<'_, 'a>, out: &mut Text<'a>, character: char) -> Result<(), Failure> {
    if character.is_ascii() {
        out.push(character.to_ascii_lowercase());
    } else {
        call.spend(4)?;
        out.extend(character.to_lowercase());
    }
    Ok(())
}

fn push_upper<'a>(call: &Call<'_, 'a>, out: &mut Text<'a>, character: char) -> Result<(), Failure> {
    if character.is_ascii() {
        out.push(character.to_ascii_uppercase());
    } else {
        call.spend(4)?;
        out.extend(character.to_uppercase());
    }
    Ok(())
}

/// Whether a character is part of a word: a letter, a digit, or a mark on one.
fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// The words of a name such as `orderLine_ID`: cut at what is no letter or digit, at a capital behind
/// another character, and before the last capital of a run (`HTTPServer`: `HTTP`, `Server`).
fn name_words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = &rest[rest.find(char::is_alphanumeric)?..];
        let mut before = None;
        let mut end = rest.len();
        let mut characters = rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if !is_letter(character) {
                end = at;
                break;
            }
            if let Some(before) = before
                && character.is_uppercase()
                && (!char::is_uppercase(before) || characters.peek().is_some_and(|(_, next)| next.is_lowercase()))
            {
                end = at;
                break;
            }
            if !is_combining_mark(character) {
                before = Some(character);
            }
        }
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// A set of characters is looked through for each character: it is short.
fn few(characters: &str) -> Result<(), Failure> {
    if characters.len() > 400 { Err(Failure::value("the characters are at most 100")) } else { Ok(()) }
}

fn count_of(count: i64) -> Result<usize, Failure> {
    usize::try_from(count).map_err(|_| Failure::value("the count is 0 or more"))
}

/// Comparing takes the product of both lengths: that is bounded, and counted as memory is.
fn comparable(call: &Call<'_, '_>, a: &str, b: &str) -> Result<(), Failure> {
    let (a, b) = (a.chars().count(), b.chars().count());
    if a > 1000 || b > 1000 {
        return Err(Failure::value("texts of more than 1,000 characters are not compared"));
    }
    call.spend(a * b)
}

fn pattern_of(pattern: &str) -> Result<Regex, Failure> {
    RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Failure::value("the pattern is not well formed, or too large"))
}

fn prepare_pattern(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(pattern))) => pattern_of(pattern).map(Prepared::Pattern),
        _ => Ok(Prepared::None),
    }
}

/// The number of the group with this number or name.
fn group_of(pattern: &Regex, name: &str) -> Result<usize, Failure> {
    let number = match name.parse::<usize>() {
        Ok(number) => Some(number).filter(|number| *number < pattern.captures_len()),
        Err(_) => pattern.capture_names().position(|known| known == Some(name)),
    };
    number.ok_or_else(|| Failure::value("the pattern has no such group"))
}

/// A pattern and the group of it that is asked for.
struct Wanted {
    pattern: Regex,
    group: usize,
}

impl Wanted {
    fn new(pattern: &str, group: Option<&Value<'_>>) -> Result<Self, Failure> {
        let pattern = pattern_of(pattern)?;
        let group = match group {
            Some(Value::Int(number)) => group_of(&pattern, &number.to_string())?,
            Some(Value::String(name)) => group_of(&pattern, name)?,
            Some(_) => return Err(misuse()),
            None => usize::from(pattern.captures_len() > 1),
        };
        Ok(Self { pattern, group })
    }
}
