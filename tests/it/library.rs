//! The folder `mappings`: each of its routes is tested whole, and runs on what the repository holds.

use crate::support::{consign, demo, repository, text};

#[test]
fn every_mapping_of_the_folder_has_tests_for_each_of_its_rules() {
    let arguments = ["--config", "connectors.yaml.example", "-o", "json"];
    let check = consign(repository()).args(arguments).args(["map", "check", "--strict"]).output().unwrap();
    assert!(check.status.success(), "{}{}", text(&check.stdout), text(&check.stderr));
    let output = consign(repository()).args(arguments).args(["map", "test", "--coverage"]).output().unwrap();
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    let told: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let ways = told["coverage"].as_array().unwrap_or_else(|| panic!("no coverage in {printed}"));
    assert!(ways.len() > 200, "{} ways", ways.len());
    let never: Vec<String> = ways.iter().filter(|way| way["tests"] == 0).map(ToString::to_string).collect();
    assert!(never.is_empty(), "no test takes these ways:\n{}", never.join("\n"));
}

#[test]
fn every_route_of_the_folder_runs_on_its_stand_ins_and_finds_nothing_new_the_second_time() {
    let folder = demo();
    let run = || {
        let arguments = ["--config", "connectors.yaml.example", "-o", "json", "sync", "run", "--all"];
        let output = consign(folder.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let mappings = std::fs::read_dir(repository().join("mappings")).unwrap().count();
    let (first, second) = (run(), run());
    for told in [&first, &second] {
        assert_eq!(told["routes"].as_array().map(Vec::len), Some(mappings), "{told}");
    }
    let written = |told: &serde_json::Value| told["totals"]["written"].as_u64();
    assert!(written(&first) > Some(2_400), "{first}");
    assert_eq!(written(&second), Some(0), "{second}");
    // What the samples hold in clear and nobody may have does not arrive.
    let outbox = folder.path().join("tests/fixtures/samples/outbox");
    for file in crate::support::files(&outbox) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in ["4111111111111111", "4242 4242", "bob@jones", "john@smith", "GB82WEST"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", file.display());
        }
    }
}
