//! `map preview` of each mapping of the repository: within 100 columns, kept as a snapshot.

use crate::support::{consign, files, redact, repository, text, updating};

#[test]
fn each_mapping_has_a_preview_within_a_hundred_columns() {
    let root = repository();
    let snapshots = root.join("tests/fixtures/previews");
    let mut names = Vec::new();
    for file in files(&root.join("mappings")) {
        let yaml = std::fs::read_to_string(&file).unwrap();
        // A fragment has no records of its own.
        let Some(name) = yaml.lines().find_map(|line| line.strip_prefix("name: ")) else { continue };
        let name = name.split(" #").next().unwrap().trim().trim_matches(['"', '\'']).to_string();
        let arguments = ["--config", "connectors.yaml.example", "map", "preview", &name, "--limit", "3"];
        let output = consign(root).args(arguments).output().unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let printed = redact(&text(&output.stdout), root);
        for line in printed.lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
        assert!(printed.contains("record 1 "), "{name} shows nothing: {printed}");
        let snapshot = snapshots.join(format!("{name}.txt"));
        if updating() {
            std::fs::create_dir_all(&snapshots).unwrap();
            std::fs::write(&snapshot, &printed).unwrap();
        }
        let kept = std::fs::read_to_string(&snapshot).unwrap_or_default();
        assert!(kept == printed, "{} is stale: CONSIGN_UPDATE=1 writes it\n{printed}", snapshot.display());
        names.push(format!("{name}.txt"));
    }
    for snapshot in files(&snapshots) {
        let name = snapshot.file_name().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&name), "{name} is the preview of no mapping");
    }
}
