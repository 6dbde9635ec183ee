//! The reference pages under `docs/reference`: made from the code, stale pages fail the test.
//! `CONSIGN_UPDATE=1 cargo test` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use crate::error::exit;

/// Every page: its file and what makes it.
const PAGES: &[(&str, fn() -> String)] = &[("commands.md", commands), ("exit-codes.md", exit_codes)];

#[test]
fn pages_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let update = std::env::var_os("CONSIGN_UPDATE").is_some();
    let mut stale = Vec::new();
    for (name, make) in PAGES {
        let path = folder.join(name);
        let fresh = format!("{}\n", make().trim_end());
        if std::fs::read_to_string(&path).unwrap_or_default() != fresh {
            if update {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, fresh).unwrap();
            } else {
                stale.push(*name);
            }
        }
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(PAGES.iter().any(|(page, _)| *page == name), "docs/reference/{name} is made by nothing");
    }
    assert!(
        stale.is_empty(),
        "stale pages in docs/reference: {stale:?}; run CONSIGN_UPDATE=1 cargo test pages_are_fresh"
    );
}

fn commands() -> String {
    let mut out = String::from("# Commands\n\nMade from the program itself: what `--help` prints.\n");
    let mut root = super::Cli::command().term_width(100).color(clap::ColorChoice::Never);
    root.build();
    command("", &root, &mut out);
    out
}

fn command(above: &str, here: &clap::Command, out: &mut String) {
    if here.is_hide_set() {
        return;
    }
    let name = format!("{above}{}", here.get_name());
    let help = here.clone().render_long_help().to_string();
    // The arguments that every verb takes are shown once.
    let help = match help.find("\nEverywhere:\n") {
        Some(end) if !above.is_empty() => help.split_at(end).0.to_string(),
        _ => help,
    };
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = write!(out, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n"));
    for below in here.get_subcommands() {
        command(&format!("{name} "), below, out);
    }
}

fn exit_codes() -> String {
    let mut out = String::from(
        "# Exit codes\n\nA contract with schedulers. With several results the worst wins in the order 8 6 4 2 1 3 7 5. A panic is 1.\n\n\
         | code | meaning | a scheduler's reaction |\n|---|---|---|\n",
    );
    for row in exit::TABLE {
        let _ = writeln!(out, "| {} | {} | {} |", row.number, row.meaning, row.reaction);
    }
    out
}
