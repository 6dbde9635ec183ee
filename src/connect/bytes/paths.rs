//! From the path or pattern of a stream to the files behind it, in the order of their names.

use std::path::{Path, PathBuf};

use super::place::{About, Place, What, missing};
use crate::error::codes::connect::{GLOB_MALFORMED, NOT_A_FILE};
use crate::error::{Error, Kind, Result};

/// A file to read: where it is and how a person names it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// As a person names it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What the listing told of it.
    pub about: Option<About>,
}

/// Whether the text is a pattern rather than a path.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files of a stream. A pattern without a match gives none; a path always gives one, there
/// or not.
///
/// # Errors
/// A malformed pattern, an unreadable folder, or a pattern in a folder that is not there: a disk
/// that is not mounted must not look like a day without files.
pub fn list(place: &mut dyn Place, folder: &Path, text: &str) -> Result<Vec<Listed>> {
    let whole = folder.join(text);
    if !is_pattern(text) || place.is_taken(&whole)? {
        return Ok(vec![Listed { name: text.to_owned(), path: whole, about: None }]);
    }
    let steps: Vec<&str> = text.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    for step in &steps {
        check(step, text)?;
    }
    let (start, prefix) = match text.starts_with('/') {
        true => (PathBuf::from("/"), "/".to_owned()),
        false => (folder.to_owned(), String::new()),
    };
    let plain = steps.iter().take_while(|step| **step != "**" && !is_pattern(step));
    let fixed = plain.fold(start.clone(), |path, step| path.join(step));
    if let Err(error) = place.about(&fixed).and_then(|about| about.ok_or_else(missing)) {
        return Err(error
            .doing(format!("looking for files in `{}`", fixed.display()))
            .hint("make the folder, mount its disk, or correct the stream's `path`"));
    }
    let mut found = Vec::new();
    walk(place, &start, &prefix, &steps, &mut found)?;
    found.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    found.dedup_by(|a, b| (&a.name, &a.path) == (&b.name, &b.path));
    Ok(found)
}

/// Whether a pattern makes sense.
///
/// # Errors
/// If it does not.
pub fn check_pattern(text: &str) -> Result<()> {
    text.split('/').try_for_each(|step| check(step, text))
}

fn check(step: &str, whole: &str) -> Result<()> {
    let malformed = |cause: &str| {
        Err(Error::new(Kind::Invalid, &GLOB_MALFORMED, format!("the pattern `{whole}` is malformed: {cause}")))
    };
    if step.contains("**") && step != "**" {
        return malformed("`**` stands for whole folders and is alone between slashes");
    }
    let mut rest = step;
    while let Some(open) = rest.find('[') {
        // The first character of a set may be `]` itself.
        let inside = rest[open + 1..].trim_start_matches('!');
        match inside.char_indices().skip(1).find(|(_, c)| *c == ']') {
            Some((close, _)) => rest = &inside[close + 1..],
            None => return malformed("`[` is not closed"),
        }
    }
    Ok(())
}

fn walk(place: &mut dyn Place, folder: &Path, prefix: &str, steps: &[&str], found: &mut Vec<Listed>) -> Result<()> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    let doing = || format!("looking for files in `{}`", folder.display());
    if *step != "**" && !is_pattern(step) {
        let (path, name) = (folder.join(step), format!("{prefix}{step}"));
        return match place.about(&path).map_err(|e| e.doing(doing()))? {
            Some(about) if about.what == What::Folder => walk(place, &path, &format!("{name}/"), rest, found),
            Some(about) if rest.is_empty() => {
                found.push(Listed { name, path, about: Some(about) });
                Ok(())
            }
            _ => Ok(()),
        };
    }
    if *step == "**" {
        walk(place, folder, prefix, rest, found)?;
    }
    let Some(entries) = place.entries(folder).map_err(|e| e.doing(doing()))? else { return Ok(()) };
    for entry in entries {
        let (path, name) = (folder.join(&entry.name), format!("{prefix}{}", entry.name));
        if *step == "**" {
            // Linked folders are not followed: they may lead in a circle.
            let hidden = entry.name.starts_with('.');
            if entry.what == What::Folder && !hidden {
                walk(place, &path, &format!("{name}/"), steps, found)?;
            } else if rest.is_empty() && entry.what != What::Folder && !hidden {
                found.push(Listed { name, path, about: entry.about });
            }
            continue;
        }
        if !matches(step, &entry.name) {
            continue;
        }
        let is_folder = match entry.what {
            What::Folder => true,
            What::Link => {
                place.about(&path).map_err(|e| e.doing(doing()))?.is_some_and(|about| about.what == What::Folder)
            }
            _ => false,
        };
        if !rest.is_empty() && is_folder {
            walk(place, &path, &format!("{name}/"), rest, found)?;
        } else if rest.is_empty() && !is_folder {
            found.push(Listed { name, path, about: entry.about });
        }
    }
    Ok(())
}

/// Whether the name of an archive's member fits a pattern: `*.csv` names those that lie in no folder,
/// `**/*.csv` all.
pub fn in_archive(pattern: &str, name: &str) -> bool {
    fn fits(pattern: &[&str], name: &[&str]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (["**", rest @ ..], []) => fits(rest, name),
            (["**", rest @ ..], [first, deeper @ ..]) => {
                fits(rest, name) || !first.starts_with('.') && fits(pattern, deeper)
            }
            ([step, rest @ ..], [first, deeper @ ..]) => (step == first || matches(step, first)) && fits(rest, deeper),
            _ => false,
        }
    }
    let steps = |text: &'_ str| -> Vec<String> { text.split('/').map(str::to_owned).collect() };
    let (pattern, name) = (steps(pattern), steps(name));
    let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
    fits(&pattern, &name.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether a name fits a pattern of one step. A name that begins with a point is only found by a
/// pattern that begins with one: half-written and hidden files are not data.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(p + 1),
            Some('[') => in_set(&pattern, p, name[n]),
            Some(literal) if *literal == name[n] => Some(p + 1),
            _ => None,
        };
        match (step, star) {
            (Some(next), _) => (p, n) = (next, n + 1),
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// If the character is in the set that begins at `at`, the index after the set.
fn in_set(pattern: &[char], at: usize, wanted: char) -> Option<usize> {
    let negated = pattern.get(at + 1) == Some(&'!');
    let first = at + 1 + usize::from(negated);
    let (mut index, mut hit) = (first, false);
    loop {
        let low = *pattern.get(index)?;
        if low == ']' && index > first {
            return (hit != negated).then_some(index + 1);
        }
        match (pattern.get(index + 1), pattern.get(index + 2)) {
            (Some('-'), Some(high)) if *high != ']' => {
                hit |= (low..=*high).contains(&wanted);
                index += 3;
            }
            _ => {
                hit |= low == wanted;
                index += 1;
            }
        }
    }
}

/// Checks that there is a regular file, without opening it: opening a pipe would wait for ever.
///
/// # Errors
/// What is there instead, by name.
pub fn regular(place: &mut dyn Place, path: &Path, name: &str) -> Result<About> {
    let doing = format!("reading `{name}`");
    let about = match place.about(path) {
        Ok(Some(about)) => about,
        Ok(None) => {
            let error = missing().doing(doing).fact("path", path.display());
            return Err(match place.is_taken(path) {
                Ok(true) => error.hint("the name is there, but it is a link to a file that is not"),
                _ => error.hint("relative paths count from the connector's folder"),
            });
        }
        Err(error) => return Err(error.doing(doing).fact("path", path.display())),
    };
    let what = match about.what {
        What::File => return Ok(about),
        What::Folder => ("a folder", "name a file in it, or all of them with a pattern such as `folder/*.csv`"),
        What::Pipe => ("a pipe", "give it to standard input and use `-` as the path"),
        What::Link | What::Other => ("a device or socket", "only regular files can be read again after a crash"),
    };
    Err(Error::new(Kind::Invalid, &NOT_A_FILE, format!("`{}` is {}, not a file", path.display(), what.0))
        .doing(doing)
        .hint(what.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_members() {
        fn check(pattern: &str, name: &str, expected: bool) {
            assert_eq!(in_archive(pattern, name), expected, "{pattern} {name}");
        }
        check("**", "a.csv", true);
        check("**/*", "a.csv", true);
        check("**/*", "a/b/c.csv", true);
        check("*.csv", "a.csv", true);
        check("*.csv", "a/b.csv", false);
        check("**/*.csv", "a/b.csv", true);
        check("a/**/c.csv", "a/c.csv", true);
        check("a/**/c.csv", "a/x/y/c.csv", true);
        check("a/*/c.csv", "a/x/y/c.csv", false);
        check("**/*", "a/.hidden", false);
        check("**/*", ".git/config", false);
        check("a[1].csv", "a[1].csv", true);
        check("../*", "../a", true);
    }

    #[test]
    fn patterns_match_names() {
        fn check(pattern: &str, name: &str, expected: bool) {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        check("*.csv", "a.csv", true);
        check("*.csv", ".a.csv", false);
        check("*.csv", "a.csv.gz", false);
        check("a*b*c", "a--b-b--c", true);
        check("a*b*c", "a--c", false);
        check("?.csv", "ä.csv", true);
        check("[a-c]x[!0-9]", "bxz", true);
        check("[a-c]x[!0-9]", "bx5", false);
        check("[]]", "]", true);
        check(".*", ".a", true);
        check("*", "", true);
        check(&"*a".repeat(40), &"a".repeat(39), false);
    }
}
