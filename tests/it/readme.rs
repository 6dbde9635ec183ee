//! The manual cannot lie: the commands of README and guide are run.

use std::path::Path;

use crate::support::{consign, demo, repository, text, words};

/// The `sh` blocks of a Markdown file, in order, and the `yaml` blocks that begin with the name of a
/// file.
fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<String> = None;
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        match (&mut inside, line.trim_end()) {
            (None, "```sh") => inside = Some(String::new()),
            (None, "```yaml") if lines.peek().is_some_and(|line| line.starts_with("# ") && line.ends_with(".yaml")) => {
                inside = Some(String::new());
            }
            (Some(_), "```") => blocks.extend(inside.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// Runs a line of the manual. `expected` is the exit code that the manual speaks of.
fn follow(folder: &Path, line: &str, ids: &mut Vec<String>) -> Option<String> {
    let (line, expected) = match line.split_once("# exit ") {
        Some((line, code)) => (line.trim(), code.trim().parse().expect("a number after `# exit`")),
        None => (line.split(" #").next().unwrap_or(line).trim(), 0),
    };
    let line = line.replace("cargo run --release -- ", "consign ");
    let arguments = line.strip_prefix("consign ")?;
    let arguments: Vec<String> = words(arguments)
        .into_iter()
        .map(|word| if word == "LETTER" { ids.first().cloned().unwrap_or_default() } else { word })
        .collect();
    let output = consign(folder).args(&arguments).output().expect("the program starts");
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(expected), "{line}\n{printed}\n{}", text(&output.stderr));
    if line.starts_with("consign sync dlq list") {
        *ids = printed.lines().skip(1).filter_map(|l| l.split_whitespace().next()).map(ToString::to_string).collect();
    }
    Some(printed)
}

#[test]
fn the_first_command_of_the_readme_moves_real_records() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    assert!(blocks[0].starts_with("cargo run --release -- ") && blocks[0].lines().count() == 1, "{}", blocks[0]);
    assert_eq!(blocks[1], "cargo test\n");
    let folder = demo();
    let told = follow(folder.path(), &blocks[0], &mut Vec::new()).expect("a consign command");
    assert_eq!(told.lines().count(), 10, "{told}");
    for word in ["read", "written", "rejected", "data", "took", "audit", "next"] {
        assert!(told.lines().any(|line| line.starts_with(word)), "no line `{word}` in\n{told}");
    }
    assert!(folder.path().join("northwind.db").is_file());
}

#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    follow_guide("docs/guide.md", 10);
}

#[test]
fn the_commands_of_the_guide_to_compliance_do_what_it_says() {
    follow_guide("docs/guide/compliance.md", 5);
}

/// Runs a guide from its first command to its last, in a folder of its own.
fn follow_guide(path: &str, least: usize) {
    let guide = std::fs::read_to_string(repository().join(path)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut here, mut ids, mut count) = (folder.path().to_path_buf(), Vec::new(), 0);
    let blocks = blocks(&guide);
    let lines = blocks.iter().flat_map(|block| match block.starts_with("# ") {
        true => vec![block.as_str()],
        false => block.lines().collect(),
    });
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if let Some((name, _)) = line.strip_prefix("# ").and_then(|file| file.split_once('\n')) {
            let file = here.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, line).unwrap();
        } else if let Some(made) = line.strip_prefix("mkdir ") {
            std::fs::create_dir(here.join(made.trim())).unwrap();
        } else if let Some(below) = line.strip_prefix("cd ") {
            here = here.join(below.trim());
        } else if let Some(edit) = line.strip_prefix("sed -i ") {
            edit_file(&here, &words(edit));
        } else {
            follow(&here, line, &mut ids).unwrap_or_else(|| panic!("the guide runs something else: {line}"));
            count += 1;
        }
    }
    assert!(count >= least, "the guide runs only {count} commands");
}

/// `sed -i 's/A/B/' FILE`, the one other command of the guide, literal texts only.
fn edit_file(folder: &Path, words: &[String]) {
    let parts: Vec<&str> = words[0].split('/').collect();
    let path = folder.join(&words[1]);
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(parts[1]), "{} does not hold {}", words[1], parts[1]);
    std::fs::write(path, before.replacen(parts[1], &parts[2].replace("\\n", "\n"), 1)).unwrap();
}

#[test]
fn the_manual_links_to_files_that_exist() {
    let link = regex::Regex::new(r"\]\(([^)#:]+)\)").unwrap();
    for name in ["README.md", "CONTRIBUTING.md", "docs/guide.md", "docs/guide/compliance.md"] {
        let path = repository().join(name);
        for found in link.captures_iter(&std::fs::read_to_string(&path).unwrap()) {
            assert!(path.parent().unwrap().join(&found[1]).exists(), "{name} links to {}", &found[1]);
        }
    }
}
