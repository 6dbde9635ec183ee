//! `consign map check`: is every mapping right? With no data, no network and no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::connect::SAMPLE;
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::cli::sample;
use crate::config::{Found, Loaded, discover};
use crate::connect::protocols;
use crate::error::{Breach, Error, Exit, Finding, Kind, Result, Severity, codes};
use crate::sync::check as checks;

/// Checks mappings: names, types, calls, examples, data classes; offline
#[derive(clap::Args, Debug)]
pub(super) struct Check {
    /// Files or folders to check; the whole project unless given
    paths: Vec<PathBuf>,
    /// A field that no stream declares is a finding
    #[arg(long)]
    strict: bool,
    /// Reads up to 200 records of each source, and finds fields whose values show a data class that nobody said
    #[arg(long)]
    sample: bool,
}

impl Check {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut found = self.find(context)?;
        let asked = self.asked(&mut found)?;
        let mut loaded = context.load(&found);
        let checked = checks::check(&mut loaded, self.strict);
        if self.sample {
            let found = sampled(context, &loaded, &checked);
            loaded.add(found);
        }
        // A mapping stands and falls with the fragments that it includes.
        let included: Vec<String> = loaded
            .mappings
            .iter()
            .filter(|mapping| asked.as_ref().is_none_or(|files| files.contains(&mapping.file)))
            .flat_map(|mapping| mapping.scopes.iter().filter_map(|scope| scope.fragment.clone()))
            .collect();
        let wanted = |finding: &Finding| match (&asked, &finding.place) {
            (Some(files), Some(place)) => files.contains(&place.file) || included.contains(&place.file),
            _ => true,
        };
        let findings: Vec<Finding> = loaded.findings.into_iter().filter(wanted).collect();
        let failed = findings.iter().any(|f| f.severity == Severity::Error);
        let mut mappings: Vec<_> =
            loaded.mappings.iter().filter(|m| asked.as_ref().is_none_or(|files| files.contains(&m.file))).collect();
        // The targets of a mapping are one mapping.
        mappings.dedup_by(|one, other| one.file == other.file);
        let (fields, tests) = mappings.iter().fold((0, 0), |(f, t), m| (f + m.fields.len(), t + m.tests.len()));
        let mut answer = Answer::new()
            .fact("ok", json!(!failed))
            .fact("mappings", json!(mappings.len()))
            .fact("fields", json!(fields))
            .fact("tests", json!(tests));
        if findings.is_empty() {
            answer = answer.text(format!(
                "{}, {}, {}: no findings\n",
                count(mappings.len() as u64, "mapping", "mappings"),
                count(fields as u64, "field", "fields"),
                count(tests as u64, "test", "tests"),
            ));
        }
        answer.rules = codes::checked_offline().collect();
        answer.checked = match asked {
            Some(files) => files,
            None => std::iter::once(&found.file)
                .chain(&found.mappings)
                .map(|path| discover::shown(path, &found.stand))
                .collect(),
        };
        for fragment in &included {
            if !answer.checked.contains(fragment) {
                answer.checked.push(fragment.clone());
            }
        }
        let refused =
            findings.iter().any(|f| f.severity == Severity::Error && codes::comply::CHECKED.contains(&f.code));
        let texts = |name: &str| {
            let mut files = std::iter::once(&found.file).chain(&found.mappings);
            let file = match files.find(|path| discover::shown(path, &found.stand) == name) {
                Some(file) => file.clone(),
                None if included.iter().any(|fragment| fragment == name) => found.stand.join(name),
                None => return None,
            };
            std::fs::read_to_string(file).ok()
        };
        context.ui.answer(answer.findings_in(findings, &texts))?;
        Ok(match (refused, failed) {
            (true, _) => Exit::Refused,
            (false, true) => Exit::Invalid,
            (false, false) => Exit::Done,
        })
    }

    /// The project: the one named, the one of the first path, or the nearest.
    fn find(&self, context: &Context<'_>) -> Result<Found> {
        let Some(first) = self.paths.first().filter(|_| context.global.config.is_none()) else {
            return context.find();
        };
        let stand = std::env::current_dir().map_err(|e| Error::io("looking where we stand", e))?;
        let first = stand.join(first);
        let folder = if first.is_dir() { first.as_path() } else { first.parent().unwrap_or(&stand) };
        let mut found = discover(folder, None)?;
        found.stand = stand;
        Ok(found)
    }

    /// The names of the files asked for; `None`: all of the project.
    fn asked(&self, found: &mut Found) -> Result<Option<Vec<String>>> {
        if self.paths.is_empty() {
            return Ok(None);
        }
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|e| Error::io(format!("reading `{}`", path.display()), e).into_kind(Kind::Invalid))
        };
        let mut names = Vec::new();
        for path in &self.paths {
            let wanted = real(path)?;
            let before = names.len();
            for file in std::iter::once(&found.file).chain(&found.mappings) {
                if real(file)?.starts_with(&wanted) {
                    names.push(discover::shown(file, &found.stand));
                }
            }
            if names.len() == before && wanted.is_file() {
                // A mapping that lies outside of `mappings/`.
                let file = found.stand.join(path);
                names.push(discover::shown(&file, &found.stand));
                found.mappings.push(file);
            } else if names.len() == before {
                let cause = format!("`{}` holds no file of the project", path.display());
                return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause)
                    .fact("project", discover::shown(&found.file, &found.stand)));
            }
        }
        Ok(Some(names))
    }
}

/// Fields whose values show a class that nobody said: each where its first mapping reads it. A source that
/// cannot be read is a warning, and the others are looked at.
fn sampled(context: &Context<'_>, loaded: &Loaded, checked: &[checks::Checked]) -> Vec<Finding> {
    let Some(project) = &loaded.project else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    let mut known: BTreeMap<(String, String), Vec<crate::comply::detect::Proposal>> = BTreeMap::new();
    for (mapping, checked) in loaded.mappings.iter().zip(checked) {
        let Some(route) = &checked.route else { continue };
        let of = (mapping.from.connector.clone(), mapping.from.stream.clone());
        let proposals = known.entry(of).or_insert_with(|| {
            look(context, project, mapping).unwrap_or_else(|error| {
                context
                    .ui
                    .warn(&format!("`{}.{}` is not sampled: {error}", mapping.from.connector, mapping.from.stream));
                Vec::new()
            })
        });
        for leaf in &route.leaves {
            let (Some(source), Some(written)) = (&leaf.source, &leaf.rule.source) else { continue };
            let path = source.to_string();
            for proposal in proposals.iter().filter(|proposal| proposal.path == path && proposal.share > 0.0) {
                let said = leaf
                    .flow
                    .source
                    .iter()
                    .any(|class| proposal.class.is_within(class) || class.is_within(proposal.class));
                if said || proposal.class.class().sensitivity == 0 {
                    continue;
                }
                let name = proposal.class.class().name;
                let cause = format!("values of `{path}` seem to be `{name}`: {}", proposal.reasons.join("; "));
                let fix = format!("if they are, say `class: {name}` here, or in the `fields` of the stream");
                let mut finding = Finding::warning(&codes::comply::SAMPLED, written.place.clone(), cause).fix(fix);
                finding.breach = Some(Box::new(Breach {
                    check: "P10",
                    classes: vec![name.to_string()],
                    object: format!("{}.{}", mapping.name.value, leaf.target),
                    target: mapping.to.connector.clone(),
                    ..Breach::default()
                }));
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
    if let Some(project) = &loaded.project {
        checks::waive(project, &mut findings);
    }
    findings
}

/// What the fields of a mapping's source seem to be.
fn look(
    context: &Context<'_>,
    project: &crate::config::Project,
    mapping: &crate::config::Mapping,
) -> Result<Vec<crate::comply::detect::Proposal>> {
    let Some(connector) = project.connectors.get(&mapping.from.connector) else { return Ok(Vec::new()) };
    let connector = context.fill_in(project, connector)?;
    let stream = protocols::of(&connector).and_then(|protocol| connector.stream(&mapping.from.stream, protocol.spec()));
    let Some(stream) = stream else { return Ok(Vec::new()) };
    let mut columns = BTreeMap::new();
    let projection = sample::projection(&stream);
    let notes = sample::first(&project.root, &connector, &stream, &projection, SAMPLE, &mut |_, found| {
        if let sample::Found::Row(row, _) = found {
            sample::collect(&stream, &row, &mut columns);
        }
    })?;
    notes.iter().for_each(|note| context.ui.note(note));
    Ok(sample::classify(&columns))
}
