//! `consign map new --from A.s --to B.s`: a first draft of a mapping, for a person to read and correct.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::{self, Found};
use crate::config::{Connector, Project, Stream};
use crate::connect::protocols;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::map::propose::{self, Candidate, Pair};
use crate::record::{Path, Type, Value, shown, suspect};

/// Proposes a mapping: pairs of fields by name, type, class and values, with how sure each is
#[derive(clap::Args, Debug)]
pub(super) struct New {
    /// Where records come from
    #[arg(long, value_name = "CONNECTOR.STREAM")]
    from: String,
    /// Where they go
    #[arg(long, value_name = "CONNECTOR.STREAM")]
    to: String,
    /// The mapping's name; made of both streams unless given
    #[arg(long)]
    name: Option<String>,
    /// Writes `mappings/NAME.yaml` instead of printing it; a file that is there is left alone
    #[arg(long)]
    write: bool,
    /// How many records are looked at
    #[arg(long, default_value_t = 20, value_name = "N")]
    sample: usize,
}

/// One side: its fields, and records of it as text.
struct Side {
    fields: Vec<Candidate>,
    records: Vec<Vec<(String, Example)>>,
    key: Vec<Path>,
}

/// A value of a sample as it may stand in a file.
#[derive(Clone)]
enum Example {
    Text(String),
    Plain(String),
}

impl New {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let found = context.find()?;
        let loaded = context.load(&found);
        let Some(project) = &loaded.project else {
            return Err(loaded.sound().err().unwrap_or_else(|| Error::bug("a project without a project")));
        };
        let source = self.side(context, project, &self.from, true)?;
        let mut target = self.side(context, project, &self.to, false)?;
        let known = !target.fields.is_empty();
        if !known {
            context
                .ui
                .note(&format!("nothing is known of the fields of `{}`: they are named after the source", self.to));
            target.fields = source
                .fields
                .iter()
                .map(|field| Candidate { path: column(&field.path), ..Candidate::default() })
                .collect();
        }
        if source.fields.is_empty() {
            let cause = format!("nothing is known of the fields of `{}`", self.from);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNREADABLE, cause)
                .hint("declare them (`consign connect discover`, `connect schema --write`), or let there be records to look at"));
        }
        let pairs = match known {
            true => propose::propose(&source.fields, &target.fields),
            false => (0..source.fields.len())
                .map(|at| Pair { source: at, target: at, confidence: 99, why: "named after the source".into() })
                .collect(),
        };
        let name = self.name.clone().unwrap_or_else(|| {
            let part = |of: &str| of.split_once('.').map_or(of, |(_, stream)| stream).replace(['_', '.'], "-");
            match part(&self.from) == part(&self.to) {
                true => part(&self.from),
                false => format!("{}-to-{}", part(&self.from), part(&self.to)),
            }
        });
        let text = draft(&name, &self.from, &self.to, &source, &target, &pairs);
        let mut rows = Rows::new("pairs", &["target", "source", "confidence", "why"]);
        for pair in &pairs {
            let (from, to) = (&source.fields[pair.source].path, &target.fields[pair.target].path);
            rows.push(vec![json!(to), json!(from), json!(pair.confidence), json!(pair.why)]);
        }
        let mut answer = Answer::new().fact("name", json!(name)).fact("mapping", json!(text));
        if self.write {
            let path = project.root.join("mappings").join(format!("{name}.yaml"));
            let shown = crate::config::discover::shown(&path, &found.stand);
            let failed = |e| Error::io(format!("writing {shown}"), e).into_kind(Kind::Invalid);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let mut file = std::fs::File::create_new(&path).map_err(failed)?;
            std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
            answer = answer.fact("file", json!(shown)).text(format!(
                "{shown}: {} of {} target fields have a proposal; read them, then `consign map check {shown}`\n",
                pairs.len(),
                target.fields.len()
            ));
        } else {
            answer = answer.text(text);
        }
        context.ui.answer(answer.rows(rows))?;
        Ok(Exit::Done)
    }

    /// What is known of one end: what is declared, and what a few records show.
    fn side(&self, context: &Context<'_>, project: &Project, name: &str, read: bool) -> Result<Side> {
        let unknown = |cause: String, near: Option<&str>| {
            let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
            near.map_or(error.clone(), |near| error.hint(format!("did you mean `{near}`?")))
        };
        let Some((connector, stream)) = name.split_once('.') else {
            return Err(unknown(format!("`{name}` is no stream: write `connector.stream`"), None));
        };
        let Some(found) = project.connectors.get(connector) else {
            let near = nearest(connector, project.connectors.keys().map(String::as_str));
            return Err(unknown(format!("there is no connector `{connector}`"), near));
        };
        let spec = protocols::of(found).map(|protocol| protocol.spec());
        let Some(declared) = spec.and_then(|spec| found.stream(stream, spec)) else {
            let near = nearest(stream, found.streams.keys().map(String::as_str));
            return Err(unknown(format!("`{connector}` has no stream `{stream}`"), near));
        };
        let mut side =
            Side { fields: propose::of_fields(&declared.fields), records: Vec::new(), key: declared.key.clone() };
        if self.sample > 0 && (read || side.fields.is_empty()) {
            match self.look(context, project, found, &declared, &mut side) {
                Ok(()) => {}
                Err(error) if read => context.ui.note(&format!("no sample of `{name}`: {}", error.cause())),
                Err(_) => {}
            }
        }
        Ok(side)
    }

    fn look(
        &self,
        context: &Context<'_>,
        project: &Project,
        connector: &Connector,
        stream: &Stream,
        side: &mut Side,
    ) -> Result<()> {
        let connector = context.fill_in(project, connector)?;
        let stream = connector.streams.get(&stream.name).unwrap_or(stream);
        let projection = sample::projection(stream);
        let declared = !side.fields.is_empty();
        sample::first(&project.root, &connector, stream, &projection, self.sample, &mut |_, found| {
            let Found::Row(row, _) = found else { return };
            let mut record = Vec::new();
            for (field, value) in stream.fields.iter().zip(row.slots) {
                leaves(&Path::key(&field.name).to_string(), value, &mut record);
            }
            if let Some(Value::Map(entries)) = row.slots.get(stream.fields.len()).filter(|_| !declared) {
                entries.iter().for_each(|(name, value)| leaves(&Path::key(*name).to_string(), value, &mut record));
            }
            for (path, example) in &record {
                let text = match example {
                    Example::Text(text) | Example::Plain(text) => text,
                };
                let kind = match example {
                    Example::Text(_) => Type::String,
                    Example::Plain(text) if matches!(text.as_str(), "true" | "false") => Type::Bool,
                    Example::Plain(text) if text.parse::<i64>().is_ok() => Type::Int,
                    Example::Plain(_) => Type::Decimal,
                };
                match side.fields.iter_mut().find(|field| field.path == *path) {
                    Some(field) => {
                        if !declared && field.kind != kind {
                            field.kind = Type::Dyn;
                        }
                        field.samples.push(text.clone());
                    }
                    None if !declared => side.fields.push(Candidate {
                        path: path.clone(),
                        kind,
                        samples: vec![text.clone()],
                        ..Candidate::default()
                    }),
                    None => {}
                }
            }
            side.records.push(record);
        })?;
        Ok(())
    }
}

/// The plain values of a record by their paths; lists are left out.
fn leaves(path: &str, value: &Value<'_>, out: &mut Vec<(String, Example)>) {
    match value {
        Value::Map(entries) => {
            entries.iter().for_each(|(name, below)| leaves(&format!("{path}.{}", Path::key(*name)), below, out));
        }
        Value::Missing | Value::Null | Value::List(_) | Value::Dict(_) | Value::Bytes(_) => {}
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) => {
            out.push((path.to_string(), Example::Plain(shown::text(value))));
        }
        other => out.push((path.to_string(), Example::Text(shown::text(other)))),
    }
}

/// A name for a column, made of a path: `CompanyName` as `company_name`.
fn column(path: &str) -> String {
    let mut out = String::new();
    let mut last = '_';
    for c in path.chars() {
        if c.is_uppercase() && (last.is_lowercase() || last.is_ascii_digit()) {
            out.push('_');
        }
        let plain = c.is_alphanumeric();
        if plain {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
        last = c;
    }
    out.trim_end_matches('_').to_string()
}

/// The text of the file: each line with how sure it is, what is left over as comments, and a test.
fn draft(name: &str, from: &str, to: &str, source: &Side, target: &Side, pairs: &[Pair]) -> String {
    let mut text = format!(
        "# A proposal: read each line, its confidence is in per cent. `consign map check` says what does not fit yet.\n\
         version: 1\nname: {name}\nfrom: {from}\nto: {to}\n"
    );
    let of = |path: &Path| {
        let wanted = path.to_string();
        pairs.iter().any(|pair| target.fields[pair.target].path == wanted)
    };
    // The key that the target declares, or what the key of the source becomes.
    let key: Vec<String> = if target.key.is_empty() {
        let becomes = |path: &Path| {
            let wanted = path.to_string();
            let pair = pairs.iter().find(|pair| source.fields[pair.source].path == wanted)?;
            Some(target.fields[pair.target].path.clone())
        };
        source.key.iter().map(becomes).collect::<Option<_>>().unwrap_or_default()
    } else if target.key.iter().all(of) {
        target.key.iter().map(Path::to_string).collect()
    } else {
        Vec::new()
    };
    if !key.is_empty() {
        text.push_str(&format!(
            "sync:\n  mode: upsert\n  key: [{}]\n",
            key.iter().map(|k| scalar(k)).collect::<Vec<_>>().join(", ")
        ));
    }
    text.push_str(if pairs.is_empty() { "fields: []\n" } else { "fields:\n" });
    for pair in pairs {
        let (from, to) = (&source.fields[pair.source], &target.fields[pair.target]);
        text.push_str(&format!("  - target: {}   # {}: {}\n", scalar(&to.path), pair.confidence, pair.why));
        text.push_str(&format!("    source: {}\n", scalar(&from.path)));
        if let Some(call) = conversion(&from.kind, &to.kind) {
            text.push_str(&format!("    {call}\n"));
        }
        if to.required || key.contains(&to.path) {
            text.push_str("    required: true\n");
        }
    }
    let left = |all: &[Candidate], taken: &dyn Fn(usize) -> bool| {
        let free = all.iter().enumerate().filter(|(at, _)| !taken(*at)).map(|(_, field)| field.path.as_str());
        free.collect::<Vec<_>>().join(", ")
    };
    let targets = left(&target.fields, &|at| pairs.iter().any(|pair| pair.target == at));
    let sources = left(&source.fields, &|at| pairs.iter().any(|pair| pair.source == at));
    for (what, names) in [("Nothing was found for", targets), ("Not used of the source", sources)] {
        if !names.is_empty() {
            for line in wrapped(&format!("{what}: {names}"), 110) {
                text.push_str(&format!("# {line}\n"));
            }
        }
    }
    text.push_str(&tests(source, target, pairs));
    text
}

/// What a rule needs so that one type becomes the other.
fn conversion(from: &Type, to: &Type) -> Option<String> {
    match (from, to) {
        (a, b) if a == b => None,
        (Type::Dyn, _) | (_, Type::Dyn | Type::Record { .. } | Type::Map(_) | Type::List(_)) => None,
        (Type::Timestamp, Type::Date) => Some("transform: date_of(value, \"UTC\")   # in which zone?".into()),
        (Type::Int | Type::Uint, Type::Decimal | Type::Int | Type::Uint) => None,
        (_, kind) => Some(format!("type: {kind}")),
    }
}

/// Two tests made of the first records; what is or sounds sensitive is invented.
fn tests(source: &Side, target: &Side, pairs: &[Pair]) -> String {
    let mut text = String::new();
    for (number, record) in source.records.iter().take(2).enumerate() {
        let (mut given, mut expect) = (Vec::new(), Vec::new());
        for pair in pairs {
            let (from, to) = (&source.fields[pair.source], &target.fields[pair.target]);
            let Some((_, example)) = record.iter().find(|(path, _)| *path == from.path) else { continue };
            let classes = if from.classes.is_empty() {
                suspect::by_name(from.path.rsplit('.').next().unwrap_or_default())
                    .union(suspect::by_name(to.path.rsplit('.').next().unwrap_or_default()))
            } else {
                from.classes
            };
            let example = match classes.iter().next() {
                Some(class) => Example::Text(invented(class.class().name, number)),
                None => example.clone(),
            };
            let written = match &example {
                Example::Text(text) => scalar(text),
                Example::Plain(text) => text.clone(),
            };
            if !given.iter().any(|(path, _)| *path == from.path) {
                given.push((from.path.clone(), written.clone()));
            }
            expect.push((to.path.clone(), written));
        }
        if given.is_empty() {
            continue;
        }
        let nested = |pairs: &[(String, String)]| {
            pairs.iter().map(|(path, value)| format!("      {path}: {value}\n")).collect::<String>()
        };
        // Paths into objects are written as objects.
        let plain = |pairs: &[(String, String)]| pairs.iter().all(|(path, _)| !path.contains(['.', '[', '"', '\'']));
        if !plain(&given) || !plain(&expect) {
            continue;
        }
        if text.is_empty() {
            text.push_str("# Made of the first records; what is sensitive is invented. `consign map test --update` writes what comes out.\ntests:\n");
        }
        text.push_str(&format!(
            "  - name: record {}\n    given:\n{}    expect:\n{}",
            number + 1,
            nested(&given),
            nested(&expect)
        ));
    }
    text
}

/// A value of a class that is nobody's.
fn invented(class: &str, number: usize) -> String {
    match class {
        class if class.contains("email") => format!("person{}@mail.example", number + 1),
        class if class.contains("phone") => format!("+1 555 010{number}"),
        class if class.contains("name") => ["Ada Example", "Ben Example"][number % 2].into(),
        class if class.contains("address") => format!("{} Example Street", number + 1),
        class if class.contains("pan") => "4111111111111111".into(),
        _ => format!("invented {}", number + 1),
    }
}

/// A text as it can stand in YAML.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
        && !text.ends_with(' ')
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if plain { text.to_string() } else { json!(text).to_string() }
}

/// Text in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests_of_proposals {
    use super::*;

    #[test]
    fn columns_are_named_as_databases_name_them() {
        let check = |path: &str, expected: &str| assert_eq!(column(path), expected);
        check("CompanyName", "company_name");
        check("address.zipCode", "address_zip_code");
        check("SupplierID", "supplier_id");
        check("a  b!", "a_b");
    }

    /// The share of the pairs of a person's mapping that are proposed: at least eight in ten, over every
    /// mapping of the repository, for the rules that read one field and write one.
    #[test]
    fn eight_in_ten_pairs_that_a_person_wrote_are_proposed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: std::path::PathBuf| crate::config::FileText {
            name: path.display().to_string(),
            bytes: std::fs::read(&path).unwrap(),
        };
        let mut files: Vec<_> =
            std::fs::read_dir(root.join("mappings")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
        files.sort();
        let connectors = read(root.join("connectors.yaml.example"));
        let texts = files.into_iter().map(read).collect();
        let loaded =
            crate::config::load_texts(root.into(), Some(connectors), texts, None, &crate::cli::context::catalog());
        let project = loaded.project.unwrap();
        let (mut found, mut all, mut missed) = (0, 0, Vec::new());
        for mapping in &loaded.mappings {
            let Some(stream) =
                project.connectors.get(&mapping.from.connector).and_then(|c| c.streams.get(&mapping.from.stream))
            else {
                continue;
            };
            let source: Vec<Candidate> = propose::of_fields(&stream.fields);
            let wanted: Vec<(String, String)> = mapping
                .fields
                .iter()
                .filter_map(|rule| Some((rule.source.as_ref()?.value.to_string(), rule.target.value.to_string())))
                .filter(|(from, _)| source.iter().any(|field| field.path == *from))
                .collect();
            let target: Vec<Candidate> = mapping
                .fields
                .iter()
                .map(|rule| Candidate { path: rule.target.value.to_string(), ..Candidate::default() })
                .collect();
            let pairs = propose::propose(&source, &target);
            for (from, to) in &wanted {
                let made = pairs.iter().any(|p| source[p.source].path == *from && target[p.target].path == *to);
                found += usize::from(made);
                all += 1;
                if !made {
                    missed.push(format!("{}: {to} < {from}", mapping.name.value));
                }
            }
        }
        assert!(all > 20 && found * 10 >= all * 8, "{found} of {all}\n{}", missed.join("\n"));
    }
}
