//! From the path or pattern of a stream to the files behind it, in the order of their names.

use std::path::{Path, PathBuf};

use crate::error::codes::connect::{GLOB_MALFORMED, NOT_A_FILE};
use crate::error::{Error, Kind, Result};

/// A file to read: where it is and how a person names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Whether the text is a pattern rather than a path.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files of a stream. A pattern without a match gives none; a path always gives one, there
/// or not.
///
/// # Errors
/// A malformed pattern, an unreadable folder, or a pattern in a folder that is not there: a disk
/// that is not mounted must not look like a day without files.
pub(super) fn list(folder: &Path, text: &str) -> Result<Vec<Listed>> {
    let whole = folder.join(text);
    if !is_pattern(text) || std::fs::symlink_metadata(&whole).is_ok() {
        return Ok(vec![Listed { name: text.to_owned(), path: whole }]);
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
    if let Err(error) = std::fs::metadata(&fixed) {
        return Err(Error::io(format!("looking for files in `{}`", fixed.display()), error)
            .hint("make the folder, mount its disk, or correct the stream's `path`"));
    }
    let mut found = Vec::new();
    walk(&start, &prefix, &steps, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
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

fn walk(folder: &Path, prefix: &str, steps: &[&str], found: &mut Vec<Listed>) -> Result<()> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    if *step != "**" && !is_pattern(step) {
        let (path, name) = (folder.join(step), format!("{prefix}{step}"));
        return match std::fs::metadata(&path) {
            Ok(about) if about.is_dir() => walk(&path, &format!("{name}/"), rest, found),
            Ok(_) if rest.is_empty() => {
                found.push(Listed { name, path });
                Ok(())
            }
            _ => Ok(()),
        };
    }
    if *step == "**" {
        walk(folder, prefix, rest, found)?;
    }
    let doing = || format!("looking for files in `{}`", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(doing(), error)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(doing(), e))?;
        let file_name = entry.file_name();
        // A name that is no text cannot be asked for by a pattern.
        let Some(entry_name) = file_name.to_str() else { continue };
        let kind = entry.file_type().map_err(|e| Error::io(doing(), e))?;
        let (path, name) = (entry.path(), format!("{prefix}{entry_name}"));
        if *step == "**" {
            // Linked folders are not followed: they may lead in a circle.
            if kind.is_dir() && !entry_name.starts_with('.') {
                walk(&path, &format!("{name}/"), steps, found)?;
            } else if rest.is_empty() && !kind.is_dir() && !entry_name.starts_with('.') {
                found.push(Listed { name, path });
            }
            continue;
        }
        if !matches(step, entry_name) {
            continue;
        }
        let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
        if !rest.is_empty() && is_folder {
            walk(&path, &format!("{name}/"), rest, found)?;
        } else if rest.is_empty() && !is_folder {
            found.push(Listed { name, path });
        }
    }
    Ok(())
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
pub(super) fn regular(path: &Path, name: &str) -> Result<std::fs::Metadata> {
    let doing = format!("reading `{name}`");
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let linked = std::fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink());
            let error = Error::io(doing, error).fact("path", path.display());
            return Err(match (missing, linked) {
                (true, true) => error.hint("the name is there, but it is a link to a file that is not"),
                (true, false) => error.hint("relative paths count from the connector's folder"),
                _ => error,
            });
        }
    };
    use std::os::unix::fs::FileTypeExt;
    let kind = about.file_type();
    let what = if kind.is_file() {
        return Ok(about);
    } else if kind.is_dir() {
        ("a folder", "name a file in it, or all of them with a pattern such as `folder/*.csv`")
    } else if kind.is_fifo() {
        ("a pipe", "give it to standard input and use `-` as the path")
    } else {
        ("a device or socket", "only regular files can be read again after a crash")
    };
    Err(Error::new(Kind::Invalid, &NOT_A_FILE, format!("`{}` is {}, not a file", path.display(), what.0))
        .doing(doing)
        .hint(what.1))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn files_are_listed_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b-1.csv", "a-2.csv", "a-1.csv", ".a-0.csv", "a.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("deep/er.csv")).unwrap();
        std::fs::write(folder.path().join("deep/er.csv/c.csv"), "").unwrap();
        let names = |pattern: &str| -> Vec<String> {
            list(folder.path(), pattern).unwrap().into_iter().map(|l| l.name).collect()
        };
        assert_eq!(names("*.csv"), ["a-1.csv", "a-2.csv", "b-1.csv"]);
        assert_eq!(names("**/*.csv"), ["a-1.csv", "a-2.csv", "b-1.csv", "deep/er.csv/c.csv"]);
        assert_eq!(names("deep/*/c.csv"), ["deep/er.csv/c.csv"]);
        assert_eq!(names("deep/*.csv/nothing/*.csv"), [""; 0]);
        assert!(list(folder.path(), "nothing/*.csv").is_err(), "a disk that is not mounted is no empty folder");
        assert_eq!(names("plain.csv"), ["plain.csv"]);
        std::fs::write(folder.path().join("odd[1].csv"), "").unwrap();
        assert_eq!(names("odd[1].csv"), ["odd[1].csv"], "a file of that very name comes first");
        for bad in ["a[b", "a**", "x/[!"] {
            assert_eq!(list(folder.path(), bad).unwrap_err().kind(), Kind::Invalid, "{bad}");
        }
    }
}
