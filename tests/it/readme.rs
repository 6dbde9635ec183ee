//! The manual cannot lie: the commands of README and guide are run.

use std::path::Path;

use crate::support::{consign, demo, repository, text, words};

/// What follows the name of a file that a block is added to.
const AT_THE_END: &str = ", at the end";

/// The `sh` blocks of a Markdown file, in order, and the `yaml` and `json` blocks that begin with the name
/// of a file.
fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<String> = None;
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        match (&mut inside, line.trim_end()) {
            (None, "```sh") => inside = Some(String::new()),
            (None, "```yaml" | "```json")
                if lines.peek().is_some_and(|line| {
                    line.starts_with("# ")
                        && (line.ends_with(".yaml") || line.ends_with(".json") || line.ends_with(AT_THE_END))
                }) =>
            {
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
    follow_in(folder, line, ids, &[])
}

/// The same with variables that the manual has exported.
fn follow_in(folder: &Path, line: &str, ids: &mut Vec<String>, exported: &[(String, String)]) -> Option<String> {
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
    let mut command = consign(folder);
    command.args(&arguments).envs(exported.iter().map(|(name, value)| (name, value)));
    let output = command.output().expect("the program starts");
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

#[test]
fn the_commands_of_the_guide_for_cron_do_what_it_says() {
    follow_guide("docs/guide/cron.md", 10);
}

/// What is handed over is checked somewhere else, with the tools that are everywhere: the lines are run by a shell.
#[test]
fn the_commands_of_the_guide_for_auditors_do_what_it_says() {
    let guide = std::fs::read_to_string(repository().join("docs/guide/auditor.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_consign")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var_os("PATH").unwrap().to_string_lossy());
    let (mut here, mut count) = (folder.path().to_path_buf(), 0);
    let blocks = blocks(&guide);
    for line in blocks.iter().flat_map(|block| block.lines()).filter(|line| !line.trim().is_empty()) {
        let (line, expected) = match line.split_once(" # exit ") {
            Some((line, code)) => (line, code.trim().parse().unwrap()),
            None => (line, 0),
        };
        if let Some(below) = line.strip_prefix("cd ") {
            here = here.join(below.trim()).canonicalize().unwrap();
            continue;
        }
        // Not everybody has it.
        if let Some((archive, to)) = line.strip_prefix("unzip ").and_then(|rest| rest.split_once(" -d ")) {
            let file = std::fs::File::open(here.join(archive)).unwrap();
            zip::ZipArchive::new(file).unwrap().extract(here.join(to)).unwrap();
            continue;
        }
        let mut shell = std::process::Command::new("sh");
        let home = folder.path();
        shell.args(["-c", line]).current_dir(&here).env_clear().env("HOME", home).env("PATH", &path).env("TZ", "UTC");
        let output = shell.env("USER", "ada").env("CONSIGN_ORIGIN", "script").output().unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(expected), "{line}\n{said}");
        count += 1;
    }
    assert!(count >= 20, "the guide runs only {count} commands");
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
        if let Some((name, text)) = line.strip_prefix("# ").and_then(|file| file.split_once(AT_THE_END)) {
            let path = here.join(name);
            let before = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, format!("{}\n{}", before.trim_end(), text.trim_start_matches('\n'))).unwrap();
        } else if let Some((name, _)) = line.strip_prefix("# ").and_then(|file| file.split_once('\n')) {
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

/// A program that the manual leaves running; it ends with the test.
struct Behind(std::process::Child);

impl Drop for Behind {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From nothing to a shop that fills a warehouse and a warehouse that fills a CRM, against simulators with
/// faults: every record is there, once.
#[test]
fn systems_are_connected_as_the_guide_says() {
    let guide = std::fs::read_to_string(repository().join("docs/guide/connect.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The guide's ports may be in use here.
    let held: Vec<std::net::TcpListener> =
        (0..4).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    drop(held);
    let (mut here, mut ids, mut exported, mut behind) = (folder.path().to_path_buf(), Vec::new(), Vec::new(), None);
    let blocks = blocks(&guide);
    let lines = blocks.iter().flat_map(|block| match block.starts_with("# ") {
        true => vec![block.as_str()],
        false => block.lines().collect(),
    });
    let mut printed: Vec<(String, String)> = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if let Some((name, text)) = line.strip_prefix("# ").and_then(|file| file.split_once('\n')) {
            let text = if name.ends_with(".json") { text } else { line };
            std::fs::write(here.join(name), text).unwrap();
        } else if let Some(below) = line.strip_prefix("cd ") {
            here = here.join(below.trim());
            let project = here.join("connectors.yaml");
            let mut text = std::fs::read_to_string(&project).unwrap();
            for (at, port) in ports.iter().enumerate() {
                text = text.replace(&format!("127.0.0.1:{}", 8501 + at), &format!("127.0.0.1:{port}"));
            }
            std::fs::write(project, text).unwrap();
        } else if let Some((name, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            exported.push((name.to_owned(), value.trim().to_owned()));
        } else if let Some(line) = line.trim().strip_suffix(" &") {
            let mut command = consign(&here);
            command.args(words(line.strip_prefix("consign ").unwrap())).arg("-v");
            let log = std::fs::File::create(folder.path().join("simulators.log")).unwrap();
            command.stdout(std::process::Stdio::piped()).stderr(log);
            let mut child = command.envs(exported.iter().cloned()).spawn().unwrap();
            let out = child.stdout.take().unwrap();
            behind = Some(Behind(child));
            let mut said = String::new();
            // It serves once it has said where.
            let mut out = std::io::BufReader::new(out);
            while !said.contains("stop it") {
                assert!(std::io::BufRead::read_line(&mut out, &mut said).unwrap() > 0, "{said}");
            }
        } else {
            let told = follow_in(&here, line, &mut ids, &exported).unwrap_or_else(|| panic!("something else: {line}"));
            printed.push((line.to_owned(), told));
        }
    }
    assert!(behind.is_some(), "the guide simulates nothing");
    let said = |line: &str| printed.iter().find(|(known, _)| known.starts_with(line)).map(|(_, said)| said.as_str());
    assert!(said("consign connect show stripe").unwrap().contains("use: stripe"));
    assert!(said("consign connect probe").unwrap().matches("healthy").count() >= 4);
    // What the far sides hold, and what is in between.
    let kept = |port: u16, stream: &str| -> Vec<serde_json::Value> {
        let mut stream_of = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!("GET /simulator/records/{stream} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream_of, request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream_of, &mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let warehouse = rusqlite::Connection::open(here.join("warehouse.db")).unwrap();
    let column = |query: &str| -> Vec<String> {
        let mut statement = warehouse.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut all: Vec<String> = rows.map(Result::unwrap).collect();
        all.sort();
        all
    };
    let field = |records: &[serde_json::Value], name: &str| -> Vec<String> {
        let mut all: Vec<String> =
            records.iter().filter_map(|record| record[name].as_str().map(str::to_owned)).collect();
        all.sort();
        all
    };
    for (port, stream, table, count) in [
        (ports[0], "orders", "orders", 300),
        (ports[1], "customers", "customers", 1000),
        (ports[2], "shipments", "parcels", 1000),
    ] {
        let there = field(&kept(port, stream), "id");
        assert_eq!(there.len(), count, "{stream}");
        assert_eq!(column(&format!("SELECT id FROM {table}")), there, "{table} is whole");
    }
    let contacts: Vec<serde_json::Value> =
        kept(ports[3], "contacts").into_iter().map(|mut contact| contact["properties"].take()).collect();
    let mut wanted = column("SELECT email FROM customers WHERE email IS NOT NULL");
    wanted.dedup();
    assert_eq!(field(&contacts, "email"), wanted, "every contact is there, once");
    // Things did go wrong on the way.
    let log = std::fs::read_to_string(folder.path().join("simulators.log")).unwrap();
    for fault in ["fault 429", "dropped after it was done", "fault: late"] {
        assert!(log.contains(fault), "no `{fault}` in\n{log}");
    }
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
    let guides = [
        "docs/guide/auditor.md",
        "docs/guide/compliance.md",
        "docs/guide/connect.md",
        "docs/guide/cron.md",
        "docs/guide/detection.md",
    ];
    for name in ["README.md", "CONTRIBUTING.md", "docs/guide.md"].into_iter().chain(guides) {
        let path = repository().join(name);
        for found in link.captures_iter(&std::fs::read_to_string(&path).unwrap()) {
            assert!(path.parent().unwrap().join(&found[1]).exists(), "{name} links to {}", &found[1]);
        }
    }
}
