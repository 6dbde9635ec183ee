//! The files that mappings look things up in: found by the names in their expressions, read once, however
//! many mappings use them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::canonical;
use super::discover::{Found, shown};
use super::resolved::Mapping;
use crate::error::Error;
use crate::expr::{self, MAX_TABLE_BYTES, Table, Tables};
use crate::record::shown::hex;

/// A table with the SHA-256 of its file, or why there is none.
type Read = Result<(Arc<Table>, String), String>;

/// Reads the files that the mappings name. What is wrong with one is said where an expression names it.
pub(super) fn attach(found: &Found, mappings: &mut [Mapping]) {
    let mut known: HashMap<PathBuf, Read> = HashMap::new();
    for mapping in mappings.iter_mut().filter(|mapping| mapping.canonical.contains("lookup")) {
        let mut names = BTreeSet::new();
        // The canonical form holds every expression, wherever in the mapping it stands.
        if let Ok(form) = serde_json::from_str(&mapping.canonical) {
            named(&form, &mut names);
        }
        let file = found.mappings.iter().find(|path| shown(path, &found.stand) == mapping.file);
        let Some(folder) = file.and_then(|path| path.parent()).filter(|_| !names.is_empty()) else { continue };
        let (mut tables, mut hashes) = (BTreeMap::new(), Map::new());
        for name in names {
            let read = match beside(folder, &name) {
                Ok(path) => known.entry(path).or_insert_with_key(|path| table(path)).clone(),
                Err(why) => Err(why),
            };
            if let Ok((_, hash)) = &read {
                hashes.insert(name.clone(), hash.clone().into());
            }
            tables.insert(name, read.map(|(table, _)| table));
        }
        mapping.tables = Tables::new(tables);
        canonical::seal_tables(mapping, hashes);
    }
}

fn named(form: &Value, names: &mut BTreeSet<String>) {
    match form {
        Value::String(text) => names.extend(expr::tables_named(text)),
        Value::Array(items) => items.iter().for_each(|item| named(item, names)),
        Value::Object(entries) => entries.values().for_each(|item| named(item, names)),
        _ => {}
    }
}

/// The file of a name, which does not lead out of the folder: a check can be run on the project of a
/// stranger.
fn beside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || !plain {
        return Err("the file lies in the folder of the mapping, or below it".into());
    }
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file in the folder of the mapping".to_string(),
        _ => Error::io("reading it", error).cause().to_owned(),
    };
    let (folder, file) = (folder.canonicalize().map_err(told)?, folder.join(name).canonicalize().map_err(told)?);
    if !file.starts_with(&folder) {
        return Err("it is a link that leads out of the folder of the mapping".into());
    }
    if file.is_file() { Ok(file) } else { Err("it is no file".into()) }
}

fn table(path: &Path) -> Read {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            let mut file = std::io::Read::take(file, MAX_TABLE_BYTES as u64 + 1);
            std::io::Read::read_to_end(&mut file, &mut bytes)
        })
        .map_err(|error| Error::io("reading it", error).cause().to_owned())?;
    let hash = hex(&Sha256::digest(&bytes));
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = memchr::memchr_iter(b'\n', bytes.get(..error.valid_up_to()).unwrap_or_default()).count() + 1;
        format!("line {line} is not UTF-8")
    })?;
    Ok((Arc::new(Table::parse(text)?), hash))
}
