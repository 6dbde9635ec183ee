//! `consign init`: a project to start from. The demo is the repository's own example, embedded.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Context;
use super::output::{Answer, Rows};
use crate::error::{Error, Exit, Kind, Result, codes};

/// Starts a project: a demo that runs, or the bare minimum
#[derive(clap::Args, Debug)]
pub(super) struct Init {
    /// What to start from
    #[arg(long, value_enum, default_value_t = Template::Demo)]
    template: Template,
    /// The folder, made if it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Template {
    /// Northwind, a food trader: CSV files into an SQLite database
    Demo,
    /// One connector, one mapping, three records
    Empty,
    /// A shop, payments, parcels and a CRM on simulators, a warehouse between them
    Shop,
}

/// A file of a template.
struct File {
    path: &'static str,
    text: &'static str,
}

const fn file(path: &'static str, text: &'static str) -> File {
    File { path, text }
}

/// Where the example keeps its data in the repository, and where `init` puts it.
const DATA: (&str, &str) = ("tests/fixtures/northwind/", "data/");

/// What the example holds beside Northwind: from here to there it is left out.
const SAMPLES: (&str, &str) = ("  # Samples of other trades", "  # End of the samples.\n");

const DEMO: &[File] = &[
    file("connectors.yaml", include_str!("../../connectors.yaml.example")),
    file("mappings/customers.yaml", include_str!("../../mappings/customers.yaml")),
    file("mappings/order-lines.yaml", include_str!("../../mappings/order-lines.yaml")),
    file("mappings/products.yaml", include_str!("../../mappings/products.yaml")),
    file("mappings/suppliers.yaml", include_str!("../../mappings/suppliers.yaml")),
    file("data/README.md", include_str!("../../tests/fixtures/northwind/README.md")),
    file("data/customers.csv", include_str!("../../tests/fixtures/northwind/customers.csv")),
    file("data/orders.csv", include_str!("../../tests/fixtures/northwind/orders.csv")),
    file("data/products_late.csv", include_str!("../../tests/fixtures/northwind/products_late.csv")),
    file("data/products.csv", include_str!("../../tests/fixtures/northwind/products.csv")),
    file("data/suppliers.csv", include_str!("../../tests/fixtures/northwind/suppliers.csv")),
    file(".gitignore", ".consign\n*.consign.part\nnorthwind.db\nnorthwind.db-*\n"),
];

const EMPTY: &[File] = &[
    file(
        "connectors.yaml",
        "version: 1\n\nconnectors:\n  files:\n    use: file\n    streams:\n      items:\n        path: data/items.csv\n        \
         fields:\n          id: { type: int, required: true }\n          name: string\n          price: decimal\n  \
         warehouse:\n    use: sqlite\n    with: { path: warehouse.db }\n",
    ),
    file(
        "mappings/items.yaml",
        "version: 1\nname: items\nfrom: files.items\nto: warehouse.items\nsync:\n  mode: upsert\n  key: id\nfields:\n  \
         - target: id\n    source: id\n    required: true\n  - target: name\n    source: name\n    default: unknown\n  \
         - target: price\n    source: price\n    transform: round(value * 1.2, 2)\ntests:\n  - name: marks up the price\n    \
         given: { id: 1, name: Tea, price: 10 }\n    expect: { id: 1, name: Tea, price: 12.00 }\n",
    ),
    file("data/items.csv", "id,name,price\n1,Tea,4.50\n2,Coffee,7.25\n3,,1.99\n"),
    file(".gitignore", ".consign\n*.consign.part\nwarehouse.db\nwarehouse.db-*\n"),
];

const SHOP: &[File] = &[
    file("connectors.yaml", include_str!("../../docs/guide/connect/connectors.yaml")),
    file("mappings/contacts.yaml", include_str!("../../docs/guide/connect/mappings/contacts.yaml")),
    file("mappings/customers.yaml", include_str!("../../docs/guide/connect/mappings/customers.yaml")),
    file("mappings/orders.yaml", include_str!("../../docs/guide/connect/mappings/orders.yaml")),
    file("mappings/parcels.yaml", include_str!("../../docs/guide/connect/mappings/parcels.yaml")),
    file("packs/parcelpost.yaml", include_str!("../../docs/guide/connect/packs/parcelpost.yaml")),
    file(".gitignore", ".consign\n*.consign.part\nwarehouse.db\nwarehouse.db-*\n"),
];

/// The text without what stands between two marks, marks included.
fn without(text: &str, (from, to): (&str, &str)) -> String {
    match text.split_once(from).and_then(|(before, rest)| Some((before, rest.split_once(to)?.1))) {
        Some((before, after)) => format!("{}\n{}", before.trim_end(), after),
        None => text.to_owned(),
    }
}

impl Init {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let files = match self.template {
            Template::Demo => DEMO,
            Template::Empty => EMPTY,
            Template::Shop => SHOP,
        };
        // All or nothing: what is there already is found before anything is written.
        for file in files {
            let path = self.folder.join(file.path);
            if path.symlink_metadata().is_ok() {
                return Err(Error::new(
                    Kind::Invalid,
                    &codes::cli::EXISTS,
                    format!("`{}` is there already", path.display()),
                )
                .hint("`init` never overwrites: name another folder, as in `consign init demo`"));
            }
        }
        let mut rows = Rows::new("files", &["path", "bytes"]);
        for file in files {
            let path = self.folder.join(file.path);
            let text =
                without(file.text, SAMPLES).replace(DATA.0, DATA.1).replace("--config connectors.yaml.example ", "");
            let text = text.replace("cargo run --release -- ", "consign ");
            write_new(&path, &text)?;
            rows.push(vec![json!(path.display().to_string()), json!(text.len())]);
        }
        let stands = match self.folder.to_str() {
            Some(".") => String::new(),
            _ => format!("-C {} ", self.folder.display()),
        };
        let next = match self.template {
            Template::Shop => format!(
                "next: export CONSIGN_PROFILE=simulated\n      consign {stands}connect simulate --records 400 --records crm=0 &\n      \
                 consign {stands}sync run --all\n"
            ),
            Template::Demo | Template::Empty => {
                format!("next: consign {stands}map check\n      consign {stands}sync run --all\n")
            }
        };
        let text = format!("{} files written to {}\n{next}", files.len(), self.folder.display());
        context.ui.answer(Answer::new().rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("writing `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| Error::io(doing(), e))?;
    }
    let mut file = fs::File::create_new(path).map_err(|e| Error::io(doing(), e))?;
    file.write_all(text.as_bytes()).map_err(|e| Error::io(doing(), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_holds_every_mapping_and_file_of_northwind() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (folder, below) in [("mappings", "mappings/"), ("tests/fixtures/northwind", "data/")] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let of_others =
                    folder == "mappings" && !fs::read_to_string(entry.path()).unwrap().contains("\nfrom: northwind.");
                if of_others {
                    continue;
                }
                assert!(DEMO.iter().any(|f| f.path == format!("{below}{name}")), "add {folder}/{name} to DEMO");
            }
        }
        let text = without(include_str!("../../connectors.yaml.example"), SAMPLES);
        for (word, there) in [("  northwind:", true), ("  warehouse:", true), ("compliance:", true), ("samples", false)]
        {
            assert_eq!(text.contains(word), there, "{word} in {text}");
        }
    }
}
