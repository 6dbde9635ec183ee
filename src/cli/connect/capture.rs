//! `consign connect capture NAME STREAM --to F`: what goes over the network while a stream is read, written down
//! as a test of its pack: without secrets, sensitive values replaced by made-up ones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::packs::{self, pack_of};
use crate::audit::Action;
use crate::cli::context::{Context, Looked};
use crate::cli::output::Answer;
use crate::cli::sample::{self, Found};
use crate::config::{Connector, Node, Spanned, Text};
use crate::connect::pack::Given;
use crate::connect::web::tap::Kept;
use crate::connect::web::{Caller, Tap, Wire, stand_in};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::{Field, suspect};

/// Records what is exchanged while a stream is read, as a test of the pack; secrets and sensitive values are replaced
#[derive(clap::Args, Debug)]
pub(super) struct Capture {
    /// The connector's name
    name: String,
    /// The stream's name
    stream: String,
    /// The file that the test is added to: a list under `tests:`
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// How many records
    #[arg(long, default_value_t = 5, value_name = "N")]
    limit: usize,
}

impl Capture {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, connector) = packs::connector(&self.name, context)?;
        let Some(protocol) = connector.spec.and_then(pack_of) else {
            let cause = format!("`{}` uses `{}`, which is no pack", self.name, connector.uses.value);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause));
        };
        let Some(stream) = connector.spec.and_then(|spec| connector.stream(&self.stream, spec)) else {
            let cause = format!("`{}` has no stream `{}`", self.name, self.stream);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause).hint("`consign connect list`"));
        };
        let (tapped, tap, _lent) = tapped(protocol.pack, &connector)?;
        let mut records = 0;
        let projection = sample::projection(&stream);
        sample::first(&project.root, &tapped, &stream, &projection, self.limit, &mut |_, found| {
            if let Found::Row(..) = found {
                records += 1;
            }
        })?;
        let looked =
            Looked { action: Action::DataCaptured, connector: &self.name, stream: Some(&self.stream), clear: false };
        context.looked(&project, &looked, stream.fields.iter().map(|field| field.classes), records)?;
        let mut scrub = Scrub { fields: &stream.fields, secrets: secrets(&connector), fakes: BTreeMap::new() };
        let exchanges: Vec<Json> = tap.kept().iter().filter_map(|kept| scrub.exchange(kept)).collect();
        let auth: serde_json::Map<String, Json> = connector
            .auth
            .iter()
            .map(|(key, _)| (key.value.clone(), json!(format!("made-up-{}", key.value))))
            .collect();
        let with: serde_json::Map<String, Json> = connector
            .with
            .iter()
            .filter(|(key, _)| key.value != stand_in::OPTION.name)
            .filter_map(|(key, node)| match &node.value {
                Node::Text(text) => Some((key.value.clone(), json!(crate::cli::sample::literal(text)))),
                Node::Number(text) => Some((key.value.clone(), serde_json::from_str(text).ok()?)),
                Node::Bool(value) => Some((key.value.clone(), json!(value))),
                _ => None,
            })
            .collect();
        // JSON is YAML: one element of the list on each line.
        let mut text = format!("  - name: {} as they were read\n    stream: {0}\n", self.stream);
        text.push_str(&format!("    with: {}\n    auth: {}\n    exchanges:\n", json!(with), json!(auth)));
        exchanges.iter().for_each(|exchange| text.push_str(&format!("      - {exchange}\n")));
        text.push_str(
            "    # Say what comes of it: `consign connect test FILE` shows what it is.\n    expect: { records: [] }\n",
        );
        let known = std::fs::read_to_string(&self.to).unwrap_or_default();
        let begin = match (known.is_empty(), known.lines().any(|line| line.trim_end() == "tests:")) {
            (_, true) => known.trim_end().to_owned() + "\n",
            (true, false) => "tests:\n".to_owned(),
            (false, false) => format!("{}\ntests:\n", known.trim_end()),
        };
        std::fs::write(&self.to, begin + &text)
            .map_err(|e| Error::io(format!("writing `{}`", self.to.display()), e).into_kind(Kind::Invalid))?;
        let said = format!(
            "{} exchanges for {records} records added to {}, {} values replaced\nnext: look through it, then consign connect test {1}\n",
            exchanges.len(),
            self.to.display(),
            scrub.fakes.len()
        );
        let answer = Answer::new().fact("exchanges", json!(exchanges.len())).fact("records", json!(records));
        context.ui.answer(answer.fact("replaced", json!(scrub.fakes.len())).text(said))?;
        Ok(Exit::Done)
    }
}

/// A connector whose calls are kept.
pub(super) fn tapped(
    pack: &'static crate::connect::pack::Pack,
    connector: &Connector,
) -> Result<(Connector, Arc<Tap>, stand_in::Lent)> {
    let below = Arc::clone(Caller::open(Arc::new(Given::new(pack, connector.clone())))?.wire());
    let tap = Arc::new(Tap::new(below));
    let lent = stand_in::lend(Arc::clone(&tap) as Arc<dyn Wire>);
    let mut tapped = connector.clone();
    tapped.with.retain(|(key, _)| key.value != stand_in::OPTION.name);
    let spanned = |value: Node| Spanned { value, place: connector.place.clone() };
    let name = Spanned { value: stand_in::OPTION.name.to_owned(), place: connector.place.clone() };
    tapped.with.push((name, spanned(Node::Text(Text::literal(lent.name())))));
    Ok((tapped, tap, lent))
}

/// The texts of what is signed in with.
fn secrets(connector: &Connector) -> Vec<String> {
    let texts = connector.auth.iter().filter_map(|(_, node)| match &node.value {
        Node::Text(text) => Some(crate::cli::sample::literal(text)),
        _ => None,
    });
    texts.filter(|text| text.len() >= 4).collect()
}

/// Replaces what nobody should see, equal values by equal ones.
struct Scrub<'s> {
    fields: &'s [Field],
    secrets: Vec<String>,
    fakes: BTreeMap<String, String>,
}

impl Scrub<'_> {
    fn exchange(&mut self, kept: &Kept) -> Option<Json> {
        let Ok(answer) = &kept.answer else { return None };
        let request = &kept.request;
        let mut query = serde_json::Map::new();
        for (name, value) in request.url.query_pairs() {
            let value = json!(self.plain(&value));
            match query.get_mut(name.as_ref()) {
                Some(Json::Array(all)) => all.push(value),
                Some(known) => *known = json!([known.clone(), value]),
                None => drop(query.insert(name.into_owned(), value)),
            }
        }
        let mut asked = json!({ "method": request.method.as_str(), "path": self.plain(request.url.path()) });
        if !query.is_empty() {
            asked["query"] = Json::Object(query);
        }
        if !request.body.is_empty() {
            match serde_json::from_slice::<Json>(&request.body) {
                Ok(mut tree) => {
                    self.tree("", &mut tree);
                    asked["body"] = tree;
                }
                Err(_) => asked["body"] = json!("*"),
            }
        }
        let mut headers = serde_json::Map::new();
        for name in ["link", "location", "retry-after", "content-type", "etag"] {
            if let Some(value) = answer.header(name) {
                headers.insert(name.into(), json!(self.plain(value)));
            }
        }
        let body = match serde_json::from_slice::<Json>(&answer.body) {
            Ok(mut tree) => {
                self.tree("", &mut tree);
                tree
            }
            Err(_) => json!(""),
        };
        Some(json!({ "request": asked, "answer": { "status": answer.status, "headers": headers, "body": body } }))
    }

    /// A text without what is signed in with.
    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "made-up");
        }
        text
    }

    fn tree(&mut self, name: &str, value: &mut Json) {
        match value {
            Json::Object(members) => members.iter_mut().for_each(|(name, value)| self.tree(name, value)),
            Json::Array(items) => items.iter_mut().for_each(|item| self.tree(name, item)),
            Json::Null | Json::Bool(_) => {}
            other => {
                let declared = self.fields.iter().find(|field| field.name == name).map(|field| field.classes);
                let classes = declared.filter(|classes| !classes.is_empty()).unwrap_or_else(|| suspect::by_name(name));
                let lower = name.to_lowercase();
                let secret = ["token", "secret", "password", "authorization"].iter().any(|word| lower.contains(word));
                match other {
                    Json::String(text) if secret => *text = self.fake("secret", text),
                    Json::String(text) if text.contains('@') && text.contains('.') => *text = self.fake("mail", text),
                    Json::String(text) if !classes.is_empty() => *text = self.fake(name, text),
                    Json::String(text) => *text = self.plain(text),
                    number if !classes.is_empty() => *number = json!(1),
                    _ => {}
                }
            }
        }
    }

    fn fake(&mut self, name: &str, text: &str) -> String {
        let number = self.fakes.len() + 1;
        let made = self.fakes.entry(text.to_owned()).or_insert_with(|| match name {
            "mail" => format!("person{number}@example.com"),
            name => format!("{name}-{number}"),
        });
        made.clone()
    }
}
