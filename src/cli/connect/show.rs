//! `consign connect show NAME`: a connector as it is understood, references as they are written.

use serde_json::{Value, json};

use super::packs;
use crate::cli::context::Context;
use crate::cli::output::text::{outline, table};
use crate::cli::output::{Answer, Rows};
use crate::config::Shelf as _;
use crate::connect::pack::SHELF;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Shows a connector (parameters, streams, fields and their classes) or a pack (how a connector begins)
#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// A connector of the project, a built-in pack, or the file of a pack
    name: String,
    /// Shows every value of its pack, defaults filled in, and where each comes from
    #[arg(long)]
    expanded: bool,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if self.expanded {
            return super::expanded::run(&self.name, context);
        }
        let stands = context.global.config.is_some() || context.find().is_ok();
        let project = match stands {
            true => Some(context.project()?.0),
            false => None,
        };
        let connector = project.as_ref().is_some_and(|project| project.connectors.contains_key(&self.name));
        if !connector && (packs::is_file(&self.name) || SHELF.take(&self.name).is_some()) {
            return self.pack(context);
        }
        let Some(project) = project else {
            let known = SHELF.names();
            let error = Error::new(
                Kind::Invalid,
                &codes::cli::UNKNOWN_NAME,
                format!("there is no pack `{}`, and no project here that could have such a connector", self.name),
            );
            return Err(match nearest(&self.name, known) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`consign connect list --packs` lists the packs"),
            });
        };
        let canonical: Value = serde_json::from_str(&project.canonical)
            .map_err(|e| Error::bug("the canonical form of the project is no JSON").caused_by(e))?;
        let Some(connector) = canonical["connectors"].get(&self.name) else {
            let error = Error::new(
                Kind::Invalid,
                &codes::cli::UNKNOWN_NAME,
                format!("there is no connector `{}` in {}", self.name, project.file),
            );
            return Err(match nearest(&self.name, project.connectors.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`consign connect list` lists them"),
            });
        };
        let text = person(&self.name, connector);
        let answer = Answer::new().fact("name", self.name.into()).fact("connector", connector.clone());
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

impl Show {
    /// Shows a pack, and how a connector begins that uses it.
    fn pack(&self, context: &Context<'_>) -> Result<Exit> {
        let chosen = packs::chosen(&self.name, context)?;
        let Some(pack) = packs::pack_of(chosen.spec).map(|protocol| protocol.pack) else {
            return Err(Error::bug("a pack without a pack"));
        };
        let mut text = format!("{}\n\n", pack.about);
        let mut with = Vec::new();
        let mut params = Rows::new("params", &["name", "default", "about"]);
        for param in &pack.params {
            params.push(vec![json!(param.name), json!(param.default), json!(param.about)]);
            if param.required {
                with.push(format!("{}: {}", param.name, param.example.as_deref().unwrap_or("…")));
            }
        }
        let mut auth = Vec::new();
        let mut ways = Rows::new("ways", &["name", "kind", "needs", "about"]);
        for (at, way) in pack.auth.ways.iter().enumerate() {
            let common = pack.auth.needs.iter().filter(|need| need.required).map(|need| need.name.clone());
            let mut needs: Vec<String> = common.collect();
            needs.extend(way.needs.iter().filter(|name| !needs.contains(name)).cloned().collect::<Vec<_>>());
            if at == 0 {
                auth.extend(needs.iter().map(|name| {
                    let secret = pack.auth.needs.iter().any(|need| need.name == *name && need.secret);
                    let variable = format!("{}_{}", pack.name, name).to_uppercase();
                    if secret { format!("{name}: \"${{env:{variable}}}\"") } else { format!("{name}: …") }
                }));
            }
            ways.push(vec![json!(way.name), json!(way.kind.word()), json!(needs.join(", ")), json!(way.about)]);
        }
        text.push_str("a connector:\n");
        let own = match packs::is_file(&self.name) {
            true => format!("definition: {}", self.name),
            false => format!("use: {}", pack.name),
        };
        text.push_str(&format!("  my_{}:\n    {own}\n", pack.name));
        for (section, entries) in [("with", &with), ("auth", &auth)] {
            if !entries.is_empty() {
                text.push_str(&format!("    {section}: {{ {} }}\n", entries.join(", ")));
            }
        }
        let mut streams = Rows::new("streams", &["name", "reads", "writes", "about"]);
        for stream in &pack.streams {
            let modes: Vec<&str> = stream.modes().iter().map(|mode| mode.name()).collect();
            streams.push(vec![
                json!(stream.name),
                json!(stream.read.is_some()),
                json!(Some(modes.join(", ")).filter(|modes| !modes.is_empty())),
                json!(stream.about),
            ]);
        }
        let mut operations = Rows::new("operations", &["name", "about"]);
        for operation in &pack.operations {
            operations.push(vec![json!(operation.name), json!(operation.about)]);
        }
        let mut answer = Answer::new().fact("name", json!(pack.name)).fact("about", json!(pack.about));
        for (what, rows) in [
            ("parameters (with)", params),
            ("ways of signing in (auth)", ways),
            ("streams", streams),
            ("operations", operations),
        ] {
            if !rows.rows.is_empty() {
                text.push_str(&format!("\n{what}:\n"));
                table(&rows).lines().for_each(|line| text.push_str(&format!("  {line}\n")));
            }
            answer = answer.fact(rows.name, rows.objects().collect());
        }
        text.push_str("\nevery value: --expanded; try it without an account: consign connect simulate ");
        text.push_str(&format!("{}\n", self.name));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

/// The connector for a person: its parameters, then each stream with a table of its fields.
fn person(name: &str, connector: &Value) -> String {
    let mut head = connector.clone();
    let streams = head.as_object_mut().and_then(|members| members.remove("streams"));
    let mut out = format!("{name}:\n{}", outline(&head, 1));
    for (name, stream) in streams.iter().filter_map(Value::as_object).flatten() {
        let mut about = stream.clone();
        let fields = about.as_object_mut().and_then(|members| members.remove("fields"));
        out.push_str(&format!("\nstream {name}:\n{}", outline(&about, 1)));
        let columns = ["name", "type", "required", "class"];
        let mut rows = Rows::new("fields", &columns);
        for field in fields.iter().filter_map(Value::as_array).flatten() {
            let classes: Vec<&str> =
                field["class"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            rows.push(vec![
                field["name"].clone(),
                field["type"].clone(),
                field["required"].clone(),
                if classes.is_empty() { Value::Null } else { classes.join(", ").into() },
            ]);
        }
        for line in table(&rows).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}
