//! Finds the records in the body of an answer without building it: one pass over the bytes that knows
//! only strings and brackets. What stands around the records is cut out as a small document of its own,
//! in which pagers look for what comes next. The records themselves are checked by whoever decodes them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use crate::record::Path;
use crate::record::path::Step;

/// What a body was found to hold.
#[derive(Debug, Default)]
pub struct Skimmed {
    /// Where each record stands, in order.
    pub records: Vec<Range<usize>>,
    /// The span that holds all of them and nothing else but commas and white space; `None` if they
    /// lie apart.
    pub span: Option<Range<usize>>,
    /// The body with the lists of records emptied.
    pub around: Vec<u8>,
    /// Whether anything stood where the records should be, be it an empty list or null.
    pub present: bool,
}

/// Why a body is not what it should be; never with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// One sentence.
    pub cause: &'static str,
    /// The byte.
    pub at: usize,
}

/// Looks for the records at one or several paths; without a path the body is the list, or the record.
///
/// # Errors
/// If the body ends early, or something else stands where the records should be.
pub fn skim(body: &[u8], paths: &[Path]) -> Result<Skimmed, Unfit> {
    let mut found = Skimmed::default();
    let whole = [Path::default()];
    let mut cuts = Vec::new();
    for path in if paths.is_empty() { &whole[..] } else { paths } {
        let mut walk = Walk { bytes: body, found: &mut found, cuts: &mut cuts, apart: false };
        let end = walk.value(space(body, 0), &path.0, false)?;
        let after = space(body, end);
        if after < body.len() {
            return Err(Unfit { cause: "something follows the document", at: after });
        }
    }
    if cuts.len() != 1 || found.span.is_none() {
        found.span = None;
    }
    cuts.sort_by_key(|cut: &(Range<usize>, &[u8])| cut.0.start);
    let mut at = 0;
    for (cut, instead) in cuts {
        found.around.extend_from_slice(body.get(at..cut.start).unwrap_or_default());
        found.around.extend_from_slice(instead);
        at = cut.end.max(at);
    }
    found.around.extend_from_slice(body.get(at..).unwrap_or_default());
    Ok(found)
}

/// The bytes of the value at a path of names inside a record; `None` if there is none.
pub fn at<'b>(record: &'b [u8], path: &[Step]) -> Option<&'b [u8]> {
    let mut here = space(record, 0);
    for step in path {
        match step {
            Step::Key(name) => {
                let mut members = Members::open(record, here).ok()?;
                here = loop {
                    let (key, value) = members.next().ok()??;
                    if same(&record[key], name) {
                        break value;
                    }
                    members.pass(value).ok()?;
                };
            }
            Step::Index(index) => {
                let mut left = usize::try_from(*index).ok()?;
                let mut elements = Elements::open(record, here).ok()?;
                here = loop {
                    let element = elements.next().ok()??;
                    if left == 0 {
                        break element.start;
                    }
                    left -= 1;
                };
            }
            Step::Each => return None,
        }
    }
    let end = skip(record, here).ok()?;
    record.get(here..end)
}

/// The text of a scalar: a string without its quotes, a number or truth value as it is written; `None`
/// for null, lists and maps.
pub fn scalar(value: &[u8]) -> Option<Cow<'_, str>> {
    match value.first()? {
        b'"' if !value.contains(&b'\\') => std::str::from_utf8(value.get(1..value.len() - 1)?).ok().map(Cow::Borrowed),
        b'"' => serde_json::from_slice::<String>(value).ok().map(Cow::Owned),
        b'{' | b'[' | b'n' => None,
        _ => std::str::from_utf8(value).ok().map(Cow::Borrowed),
    }
}

struct Walk<'b, 'f> {
    bytes: &'b [u8],
    found: &'f mut Skimmed,
    cuts: &'f mut Vec<(Range<usize>, &'static [u8])>,
    /// Inside of a list that is cut out as a whole.
    apart: bool,
}

impl Walk<'_, '_> {
    /// Follows the steps from the value that begins here; says where it ends.
    fn value(&mut self, start: usize, steps: &[Step], inside: bool) -> Result<usize, Unfit> {
        let first = *self.bytes.get(start).ok_or(EARLY)?;
        match steps {
            [] if first == b'[' => self.list(start, steps),
            [] if first == b'{' => {
                let end = skip(self.bytes, start)?;
                self.found.present = true;
                self.found.records.push(start..end);
                if inside {
                    self.found.span = None;
                } else if !self.apart && self.found.records.len() == 1 {
                    // One record that is the answer, or a part of it, stays visible around itself.
                    self.found.span = Some(start..end);
                    self.cuts.push((end..end, b""));
                }
                Ok(end)
            }
            // A null for the list is an empty one; a null on the way to it says nothing of records.
            [] | [Step::Each, ..] if first == b'n' => {
                self.found.present = true;
                skip(self.bytes, start)
            }
            [Step::Key(_), ..] if first == b'n' => skip(self.bytes, start),
            [] => Err(Unfit { cause: "neither a list of records nor a record stands where they should be", at: start }),
            [Step::Each, rest @ ..] => self.list(start, rest),
            [Step::Key(name), rest @ ..] => {
                let mut members = Members::open(self.bytes, start)?;
                while let Some((key, value)) = members.next()? {
                    if same(&self.bytes[key], name) {
                        let end = self.value(value, rest, inside)?;
                        members.passed(end);
                    } else {
                        members.pass(value)?;
                    }
                }
                Ok(members.at)
            }
            [Step::Index(_), ..] => Err(Unfit { cause: "an index cannot stand in the path of the records", at: start }),
        }
    }

    /// A list whose elements are records, or lead to them.
    fn list(&mut self, start: usize, rest: &[Step]) -> Result<usize, Unfit> {
        let outermost = !std::mem::replace(&mut self.apart, true);
        self.found.present = true;
        let before = self.found.records.len();
        let mut elements = Elements::open(self.bytes, start)?;
        if rest.is_empty() {
            while let Some(element) = elements.next()? {
                self.found.records.push(element);
            }
            if outermost && before == 0 {
                self.found.span = Some(start + 1..elements.at - 1);
            } else {
                self.found.span = None;
            }
        } else {
            while let Some(element) = elements.next_start()? {
                let end = self.value(element, rest, true)?;
                elements.passed(end);
            }
            self.found.span = None;
        }
        if outermost {
            self.cuts.push((start..elements.at, b"[]"));
            self.apart = false;
        }
        Ok(elements.at)
    }
}

const EARLY: Unfit = Unfit { cause: "the document ends early", at: usize::MAX };

/// The members of an object, in order.
struct Members<'b> {
    bytes: &'b [u8],
    at: usize,
    first: bool,
}

impl<'b> Members<'b> {
    fn open(bytes: &'b [u8], at: usize) -> Result<Self, Unfit> {
        match bytes.get(at) {
            Some(b'{') => Ok(Self { bytes, at: at + 1, first: true }),
            Some(_) => Err(Unfit { cause: "an object was looked for and something else stands there", at }),
            None => Err(EARLY),
        }
    }

    /// The key without its quotes, and where its value begins.
    fn next(&mut self) -> Result<Option<(Range<usize>, usize)>, Unfit> {
        self.at = space(self.bytes, self.at);
        match self.bytes.get(self.at).ok_or(EARLY)? {
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !self.first => self.at = space(self.bytes, self.at + 1),
            _ if self.first => {}
            _ => return Err(Unfit { cause: "a comma is missing", at: self.at }),
        }
        self.first = false;
        if self.bytes.get(self.at).ok_or(EARLY)? != &b'"' {
            return Err(Unfit { cause: "a key is missing", at: self.at });
        }
        let end = string(self.bytes, self.at)?;
        let key = self.at + 1..end - 1;
        let colon = space(self.bytes, end);
        if self.bytes.get(colon).ok_or(EARLY)? != &b':' {
            return Err(Unfit { cause: "a colon is missing", at: colon });
        }
        let value = space(self.bytes, colon + 1);
        self.at = value;
        Ok(Some((key, value)))
    }

    fn pass(&mut self, value: usize) -> Result<(), Unfit> {
        self.at = skip(self.bytes, value)?;
        Ok(())
    }

    fn passed(&mut self, end: usize) {
        self.at = end;
    }
}

/// The elements of a list, in order.
struct Elements<'b> {
    bytes: &'b [u8],
    at: usize,
    first: bool,
}

impl<'b> Elements<'b> {
    fn open(bytes: &'b [u8], at: usize) -> Result<Self, Unfit> {
        match bytes.get(at) {
            Some(b'[') => Ok(Self { bytes, at: at + 1, first: true }),
            Some(_) => Err(Unfit { cause: "a list was looked for and something else stands there", at }),
            None => Err(EARLY),
        }
    }

    fn next_start(&mut self) -> Result<Option<usize>, Unfit> {
        self.at = space(self.bytes, self.at);
        match self.bytes.get(self.at).ok_or(EARLY)? {
            b']' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !self.first => self.at = space(self.bytes, self.at + 1),
            _ if self.first => {}
            _ => return Err(Unfit { cause: "a comma is missing", at: self.at }),
        }
        self.first = false;
        Ok(Some(self.at))
    }

    fn next(&mut self) -> Result<Option<Range<usize>>, Unfit> {
        let Some(start) = self.next_start()? else { return Ok(None) };
        self.at = skip(self.bytes, start)?;
        Ok(Some(start..self.at))
    }

    fn passed(&mut self, end: usize) {
        self.at = end;
    }
}

fn same(key: &[u8], name: &str) -> bool {
    if key == name.as_bytes() {
        return true;
    }
    // An escaped key is rare enough to be built.
    key.contains(&b'\\') && serde_json::from_slice::<String>(&[b"\"", key, b"\""].concat()).is_ok_and(|key| key == name)
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the string that begins here ends, its quotes included.
#[inline]
fn string(bytes: &[u8], start: usize) -> Result<usize, Unfit> {
    let mut at = start + 1;
    // Most strings are short: a word at a time needs no call.
    for _ in 0..4 {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
        let word = u64::from_le_bytes(*word);
        let found = equal(word, b'"') | equal(word, b'\\');
        if found == 0 {
            at += 8;
            continue;
        }
        at += found.trailing_zeros() as usize / 8;
        if bytes[at] == b'"' {
            return Ok(at + 1);
        }
        at += 2;
    }
    loop {
        let found = at + memchr2(b'"', b'\\', bytes.get(at..).ok_or(EARLY)?).ok_or(EARLY)?;
        if bytes[found] == b'"' {
            return Ok(found + 1);
        }
        at = found + 2;
    }
}

/// The highest bits of the bytes of a word that are this byte. Only the lowest of them is sure.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let differs = word ^ (ONES * u64::from(byte));
    differs.wrapping_sub(ONES) & !differs & (ONES << 7)
}

/// What a byte is to somebody who only looks for the end of a value.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    class[b'"' as usize] = 1;
    class[b'{' as usize] = 2;
    class[b'[' as usize] = 2;
    class[b'}' as usize] = 3;
    class[b']' as usize] = 3;
    class
};

/// Where the value that begins here ends.
#[inline]
fn skip(bytes: &[u8], start: usize) -> Result<usize, Unfit> {
    match bytes.get(start).ok_or(EARLY)? {
        b'"' => string(bytes, start),
        b'{' | b'[' => {
            let (mut at, mut depth) = (start + 1, 1_usize);
            loop {
                let byte = *bytes.get(at).ok_or(EARLY)?;
                match CLASS[usize::from(byte)] {
                    0 => at += 1,
                    1 => at = string(bytes, at)?,
                    2 => {
                        depth += 1;
                        at += 1;
                    }
                    _ => {
                        depth -= 1;
                        at += 1;
                        if depth == 0 {
                            return Ok(at);
                        }
                    }
                }
            }
        }
        b',' | b']' | b'}' | b':' => Err(Unfit { cause: "a value is missing", at: start }),
        _ => {
            let rest = &bytes[start..];
            let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t'));
            Ok(start + end.unwrap_or(rest.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, paths: &[&str], wanted: Result<(&[&str], &str), &str>) {
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        let found = skim(body.as_bytes(), &paths);
        match (found, wanted) {
            (Ok(found), Ok((records, around))) => {
                let got: Vec<&str> = found.records.iter().map(|range| &body[range.clone()]).collect();
                assert_eq!((got.as_slice(), std::str::from_utf8(&found.around).unwrap()), (records, around), "{body}");
                if let Some(span) = found.span {
                    assert!(span.start <= found.records.first().map_or(span.start, |r| r.start), "{body}");
                    assert!(span.end >= found.records.last().map_or(span.end, |r| r.end), "{body}");
                }
            }
            (Err(unfit), Err(cause)) => assert!(unfit.cause.contains(cause), "{body}: {unfit:?}"),
            (found, wanted) => panic!("{body}: {found:?} {wanted:?}"),
        }
    }

    #[test]
    fn records_are_found_and_the_rest_is_kept() {
        check(r#"[{"a":1}, {"a":"]}"}]"#, &[], Ok((&[r#"{"a":1}"#, r#"{"a":"]}"}"#], "[]")));
        check(
            r#" {"x":1,"d":{"i":[{"a":1},{"a":2}],"n":"t"}} "#,
            &["d.i"],
            Ok((&[r#"{"a":1}"#, r#"{"a":2}"#], r#" {"x":1,"d":{"i":[],"n":"t"}} "#)),
        );
        check(
            r#"{"entry":[{"resource":{"a":1},"s":1},{"other":2},{"resource":{"a":2}}],"n":1}"#,
            &["entry[*].resource"],
            Ok((&[r#"{"a":1}"#, r#"{"a":2}"#], r#"{"entry":[],"n":1}"#)),
        );
        check(
            r#"{"g":[{"l":[{"a":1}]},{"l":[]},{"l":[{"a":2},{"a":3}]}]}"#,
            &["g[*].l"],
            Ok((&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#], r#"{"g":[]}"#)),
        );
        check(
            r#"{"added":[{"a":1}],"modified":[{"a":2}],"removed":[{"a":3}]}"#,
            &["added", "modified"],
            Ok((&[r#"{"a":1}"#, r#"{"a":2}"#], r#"{"added":[],"modified":[],"removed":[{"a":3}]}"#)),
        );
        check(r#"{"d":{"a":1},"n":2}"#, &["d"], Ok((&[r#"{"a":1}"#], r#"{"d":{"a":1},"n":2}"#)));
        check(r#"{"a":1}"#, &[], Ok((&[r#"{"a":1}"#], r#"{"a":1}"#)));
        check(r#"{"d":null}"#, &["d.items"], Ok((&[], r#"{"d":null}"#)));
        check(r#"{"n":1}"#, &["d"], Ok((&[], r#"{"n":1}"#)));
        check(r#"{"\u0064":[1]}"#, &["d"], Ok((&["1"], r#"{"\u0064":[]}"#)));
        check(r#"[]"#, &[], Ok((&[], "[]")));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        check(r#"{"d":[{"a":1},{"a":"#, &["d"], Err("ends early"));
        check(r#"{"d":[{"a":1}"#, &["d"], Err("ends early"));
        check(r#"{"d":"no"}"#, &["d"], Err("neither a list"));
        check("<html><body>Sign in</body></html>", &["d"], Err("an object was looked for"));
        check("", &["d"], Err("ends early"));
        check("[] []", &[], Err("something follows"));
        check(r#"{"d":[{"a":1} {"a":2}]}"#, &["d"], Err("comma is missing"));
        check(r#"{"d":[1,,2]}"#, &["d"], Err("value is missing"));
    }

    #[test]
    fn values_are_taken_out_of_records() {
        let get = |record: &str, path: &str| {
            let path = Path::parse(path).unwrap();
            at(record.as_bytes(), &path.0).and_then(scalar).map(Cow::into_owned)
        };
        let record = r#" {"a":{"b":[1,{"c":"x\"y"}]},"t":"2024-01-01","n":12.5,"z":null,"l":[]}"#;
        assert_eq!(get(record, "t").as_deref(), Some("2024-01-01"));
        assert_eq!(get(record, "n").as_deref(), Some("12.5"));
        assert_eq!(get(record, "a.b[1].c").as_deref(), Some("x\"y"));
        assert_eq!(get(record, "a.b[0]").as_deref(), Some("1"));
        // Strings of every length around those of words, with what could be taken for their end.
        for length in 0..40 {
            for inside in ["", r#"\""#, r"\\", "\u{7f}\u{e9}"] {
                let text = format!("{}{inside}", "x".repeat(length));
                assert_eq!(get(&format!(r#"{{"t":"{text}","n":1}}"#), "n").as_deref(), Some("1"), "{text}");
            }
        }
        for none in ["z", "l", "q", "a.q", "t.x", "l[0]", "a.b[7]"] {
            assert_eq!(get(record, none), None, "{none}");
        }
    }

    #[test]
    fn hostile_bytes_never_panic() {
        let base = br#"{"d":[{"a":"x\\\"y"},{"b":[1,2,{"c":null}]}],"n":"e"}"#;
        let paths = [Path::parse("d").unwrap()];
        for cut in 0..base.len() {
            assert!(skim(&base[..cut], &paths).is_err(), "{cut}");
            for byte in [b'"', b'\\', b'{', b']', 0xFF] {
                let mut bytes = base.to_vec();
                bytes[cut] = byte;
                let _ = skim(&bytes, &paths)
                    .map(|found| found.records.iter().map(|r| bytes[r.clone()].len()).sum::<usize>());
                let _ = at(&bytes, &paths[0].0);
            }
        }
    }
}
