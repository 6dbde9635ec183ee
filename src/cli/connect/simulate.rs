//! `consign connect simulate NAME…`: systems that exist on this machine alone, made from their packs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::packs::{self, Chosen, pack_of};
use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::literal;
use crate::config::{Node, Piece, units};
use crate::connect::http;
use crate::connect::pack::Pack;
use crate::connect::runtime::Runtime;
use crate::connect::simulate::{Messenger, Rate, Server, Setup, Told, Ways, World, trouble};
use crate::connect::web::stand_in;
use crate::error::{Error, Exit, Kind, Result, codes};

/// Where a system listens whose connector does not say it.
const ADDRESS: &str = "127.0.0.1:8500";

/// Serves packs' streams and operations on this machine: systems to try a sync on, without an account
#[derive(clap::Args, Debug)]
pub(super) struct Simulate {
    /// Connectors of the project, built-in packs, or files of packs; unless named, all connectors of
    /// the project that say `simulator`
    names: Vec<String>,
    /// Where it listens; port 0 takes a free one. Unless given, where the connector's `simulator`
    /// says, or 127.0.0.1:8500
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// What goes wrong, and how often: `429:5%,drop-after-write:1%,stall:2s:1%`
    #[arg(long, value_name = "LIST", value_parser = trouble::parse, long_help = FAULTS)]
    faults: Option<Faults>,
    /// How long each answer takes, `200ms`
    #[arg(long, value_name = "TIME", value_parser = units::length)]
    latency: Option<Duration>,
    /// Requests in a second at most, or `pack`: what the pack says; beyond that it answers 429
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<Rate>,
    /// How long tokens hold that it gives
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = units::length)]
    tokens: Duration,
    /// What looks like chance follows from it: records and faults
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Records of each stream; the pack's examples unless given. `--records NAME=N` for one system,
    /// or one of its streams
    #[arg(long, value_name = "N", value_parser = count)]
    records: Vec<Count>,
    /// Records from a file: JSON, a map from streams to lists of records
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// An address that is told of each record that changes
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// What the messages to that address are signed with, where the pack says how the system signs
    #[arg(long, value_name = "KEY", default_value = "simulated", requires = "webhook")]
    webhook_secret: String,
}

/// A list of faults, as one value of the command line.
type Faults = Vec<trouble::Plan>;

/// What `--help` says of faults.
const FAULTS: &str = "What goes wrong, and how often, separated by commas; 1 % unless it says how often:\n\
  429:5%, 503:1%       this status, and nothing is done\n\
  drop                 the connection ends before anything is done\n\
  drop-after-write     it is done, and the connection ends before the answer\n\
  500-after-write      it is done, and the answer has this status all the same\n\
  stall:2s:5%          the answer comes so late\n\
  cut                  the answer ends in its middle\n\
  expire-token         tokens that were given are no longer valid\n\
  reject-item          one record of those that are written is refused";

/// How many records a stream has.
#[derive(Clone, Debug)]
struct Count {
    /// A system, or a stream; `None`: all.
    of: Option<String>,
    records: usize,
}

fn count(text: &str) -> std::result::Result<Count, String> {
    let (of, number) = match text.split_once('=') {
        Some((of, number)) => (Some(of.to_owned()), number),
        None => (None, text),
    };
    let records = number.parse().map_err(|_| format!("`{number}` is no number of records"))?;
    Ok(Count { of, records })
}

fn rate(text: &str) -> std::result::Result<Rate, String> {
    match (text, text.parse()) {
        ("pack", _) => Ok(Rate::OfPack),
        (_, Ok(number)) if number > 0 => Ok(Rate::PerSecond(number)),
        _ => Err("write requests in a second, or `pack`".into()),
    }
}

impl Simulate {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let all = self.chosen(context)?;
        let usage = |cause: &str| Error::new(Kind::Invalid, &codes::cli::USAGE, cause);
        if all.len() > 1 && (self.listen.is_some() || self.data.is_some()) {
            return Err(usage("`--listen` and `--data` are for one system alone")
                .hint("give each connector a `simulator` under `with`, and it listens there"));
        }
        let runtime = Runtime::start("simulator")?;
        let stop = context.stop(None)?;
        let say = Arc::new(Mutex::new(context.ui.noter()));
        let mut rows = Rows::new("simulators", &["name", "pack", "url", "streams"]);
        let (mut text, mut servers) = (String::new(), Vec::new());
        for (at, chosen) in all.iter().enumerate() {
            let pack = pack_of(chosen.spec).ok_or_else(|| Error::bug(format!("`{}` is no pack", chosen.name)))?.pack;
            let (say, name, several) = (Arc::clone(&say), chosen.name.clone(), all.len() > 1);
            let told: Option<Told> = context.global.verbose.then(|| {
                let told: Told = Box::new(move |line: &str| {
                    if let Ok(say) = say.lock() {
                        match several {
                            true => say(&format!("{name} {line}")),
                            false => say(line),
                        }
                    }
                });
                told
            });
            let setup = self.setup(chosen, pack)?;
            let changed = match &self.webhook {
                Some(url) => {
                    let secret = self.webhook_secret.clone();
                    let messenger = Messenger::new(pack, setup.params.clone(), secret);
                    Some(webhook(&runtime, url.clone(), messenger, context)?)
                }
                None => None,
            };
            let ways = Ways {
                troubles: self.faults.clone().unwrap_or_default(),
                // Systems do not fail in step.
                seed: self.seed.wrapping_add(at as u64),
                latency: self.latency.unwrap_or_default(),
                rate: self.rate,
                told,
                changed,
            };
            let (named, address) = match (&self.listen, simulator(chosen)) {
                (Some(address), _) => (false, address.clone()),
                (None, Some(address)) => (true, address),
                (None, None) => (false, ADDRESS.to_owned()),
            };
            let world = World::new(pack, setup);
            let server = runtime.run(Server::start(&address, world, ways))?;
            let url = server.url();
            text.push_str(&format!("{} is simulated at {url}\n", chosen.name));
            if !named {
                text.push_str(&format!("  point a connector at it: with: {{ simulator: \"{url}\" }}\n"));
            }
            let streams: Vec<&str> = pack.streams.iter().map(|stream| stream.name.as_str()).collect();
            rows.push(vec![json!(chosen.name), json!(pack.name), json!(url), json!(streams)]);
            servers.push(runtime.handle().spawn(server.serve()));
        }
        text.push_str("stop it with Ctrl-C; each shows what it keeps at /simulator/records/STREAM, and ends all tokens at /simulator/expire\n");
        context.ui.answer(Answer::new().rows(rows).text(text))?;
        runtime.run(async {
            while !stop.asked() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        servers.iter().for_each(tokio::task::JoinHandle::abort);
        Ok(Exit::Done)
    }

    /// The systems that are simulated.
    fn chosen(&self, context: &Context<'_>) -> Result<Vec<Chosen>> {
        if !self.names.is_empty() {
            return self.names.iter().map(|name| packs::chosen(name, context)).collect();
        }
        let (project, _) = context.project()?;
        let mut all = Vec::new();
        for connector in project.connectors.values() {
            if let Some(spec) = connector.spec.filter(|spec| pack_of(spec).is_some()) {
                let chosen = Chosen { name: connector.name.clone(), spec, connector: Some(connector.clone()) };
                if simulator(&chosen).is_some() {
                    all.push(chosen);
                }
            }
        }
        match all.is_empty() {
            false => Ok(all),
            true => Err(Error::new(
                Kind::Invalid,
                &codes::cli::UNKNOWN_NAME,
                format!("no connector in {} says `simulator`, with this profile", project.file),
            )
            .hint(
                "name a connector or a pack: `consign connect simulate stripe`; `connect list --packs` shows the packs",
            )),
        }
    }

    /// How a system begins.
    fn setup(&self, chosen: &Chosen, pack: &Pack) -> Result<Setup> {
        let mut params = serde_json::Map::new();
        for param in &pack.params {
            if let Some(value) = param.default.as_ref().or(param.example.as_ref()) {
                params.insert(param.name.clone(), Json::from(value.as_str()));
            }
        }
        // References stay as they are: no secret is needed here.
        for (key, value) in chosen.connector.iter().flat_map(|connector| &connector.with) {
            if let Node::Text(text) = &value.value
                && let [Piece::Literal(literal)] = text.pieces.as_slice()
            {
                params.insert(key.value.clone(), Json::from(literal.as_str()));
            }
        }
        let of = |name: &str| self.records.iter().rev().find(|count| count.of.as_deref() == Some(name));
        let general = self.records.iter().rev().find(|count| count.of.is_none());
        let mut each = BTreeMap::new();
        for stream in &pack.streams {
            if let Some(count) = of(&stream.name).or_else(|| of(&chosen.name)).or(general) {
                each.insert(stream.name.clone(), count.records);
            }
        }
        Ok(Setup {
            params: Json::Object(params),
            seed: self.seed,
            records: each,
            data: self.data()?,
            now: jiff::Timestamp::now().as_second(),
            token_seconds: self.tokens.as_secs().max(1),
        })
    }

    /// Records from a file.
    fn data(&self) -> Result<BTreeMap<String, Vec<Json>>> {
        let Some(path) = &self.data else { return Ok(BTreeMap::new()) };
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::io(format!("reading `{}`", path.display()), e).into_kind(Kind::Invalid))?;
        serde_json::from_str(&text).map_err(|e| {
            let cause = format!("`{}` holds no map from streams to lists of records: {e}", path.display());
            Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
        })
    }
}

/// Where the connector expects its simulator: `127.0.0.1:8501`.
fn simulator(chosen: &Chosen) -> Option<String> {
    let connector = chosen.connector.as_ref()?;
    let (_, node) = connector.with.iter().find(|(key, _)| key.value == stand_in::OPTION.name)?;
    let Node::Text(text) = &node.value else { return None };
    let url = url::Url::parse(&literal(text)).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// Tells an address of each record that changes, in order.
fn webhook(
    runtime: &Runtime,
    url: String,
    messenger: Messenger,
    context: &Context<'_>,
) -> Result<tokio::sync::mpsc::UnboundedSender<Json>> {
    let client = http::client(Duration::from_secs(10), url.starts_with("https:"))?;
    let (changed, mut changes) = tokio::sync::mpsc::unbounded_channel::<Json>();
    let say = context.ui.warner();
    runtime.handle().spawn(async move {
        while let Some(change) = changes.recv().await {
            let message = match messenger.message(&change, &url) {
                Ok(message) => message,
                Err(error) => {
                    say(error.cause());
                    continue;
                }
            };
            let mut request = client.post(&url).body(message.body);
            for (name, value) in &message.headers {
                request = request.header(name, value);
            }
            let sent = request.send().await;
            if !sent.is_ok_and(|answer| answer.status().is_success()) {
                say("the webhook did not take a change");
            }
        }
    });
    Ok(changed)
}
