//! `consign connect simulate NAME`: a system that exists on this machine alone, made from its pack.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use super::packs::{self, pack_of};
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::config::{Node, Piece, units};
use crate::connect::http;
use crate::connect::runtime::Runtime;
use crate::connect::simulate::{Server, Setup, Ways, World, trouble};
use crate::error::{Error, Exit, Kind, Result, codes};

/// Serves a pack's streams and operations on this machine: a system to try a sync on, without an account
#[derive(clap::Args, Debug)]
pub(super) struct Simulate {
    /// A connector of the project, a built-in pack, or the file of a pack
    name: String,
    /// Where it listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8500", value_name = "ADDRESS")]
    listen: String,
    /// What goes wrong, and how often: `429:5%,drop-after-write:1%,stall:2s:1%`
    #[arg(long, value_name = "LIST", value_parser = trouble::parse)]
    faults: Option<Faults>,
    /// How long each answer takes, `200ms`
    #[arg(long, value_name = "TIME", value_parser = units::length)]
    latency: Option<Duration>,
    /// Requests in a second at most; beyond that it answers 429
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How long tokens hold that it gives
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = units::length)]
    tokens: Duration,
    /// What looks like chance follows from it: records and faults
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Records of each stream; the pack's examples unless given
    #[arg(long, value_name = "N")]
    records: Option<usize>,
    /// Records from a file: JSON, a map from streams to lists of records
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// An address that is told of each record that changes
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

/// A list of faults, as one value of the command line.
type Faults = Vec<trouble::Plan>;

impl Simulate {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let chosen = packs::chosen(&self.name, context)?;
        let Some(protocol) = pack_of(chosen.spec) else {
            return Err(Error::bug(format!("`{}` is no pack", chosen.name)));
        };
        let pack = protocol.pack;
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
        let setup = Setup {
            params: Json::Object(params),
            seed: self.seed,
            records: self.records,
            data: self.data()?,
            token_seconds: self.tokens.as_secs().max(1),
        };
        let world = World::new(pack, setup);
        let runtime = Runtime::start("simulator")?;
        let changed = match &self.webhook {
            Some(url) => Some(webhook(&runtime, url.clone(), context)?),
            None => None,
        };
        let verbose = context.global.verbose;
        let say = context.ui.warner();
        let say = std::sync::Mutex::new(say);
        let told: Box<dyn Fn(&str) + Send + Sync> = Box::new(move |line: &str| {
            if verbose && let Ok(say) = say.lock() {
                say(line);
            }
        });
        let ways = Ways {
            troubles: self.faults.clone().unwrap_or_default(),
            seed: self.seed,
            latency: self.latency.unwrap_or_default(),
            rate: self.rate,
            told: Some(told),
            changed,
        };
        let stop = context.stop(None)?;
        let server = runtime.run(Server::start(&self.listen, world, ways))?;
        let url = server.url();
        let streams: Vec<&str> = pack.streams.iter().map(|stream| stream.name.as_str()).collect();
        let text = format!(
            "{} is simulated at {url}\n\
             streams: {}\n\
             point a connector at it:\n  with: {{ simulator: \"{url}\" }}\n\
             what is kept: {url}/simulator/records/STREAM; all tokens end now: {url}/simulator/expire\n",
            pack.name,
            streams.join(", ")
        );
        let answer = Answer::new().fact("pack", pack.name.as_str().into()).fact("url", url.as_str().into());
        context.ui.answer(answer.fact("streams", streams.into()).text(text))?;
        let served = runtime.handle().spawn(server.serve());
        runtime.run(async {
            while !stop.asked() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        served.abort();
        Ok(Exit::Done)
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

/// Tells an address of each record that changes, in order.
fn webhook(runtime: &Runtime, url: String, context: &Context<'_>) -> Result<tokio::sync::mpsc::UnboundedSender<Json>> {
    let client = http::client(Duration::from_secs(10), url.starts_with("https:"))?;
    let (changed, mut changes) = tokio::sync::mpsc::unbounded_channel::<Json>();
    let say = context.ui.warner();
    runtime.handle().spawn(async move {
        while let Some(change) = changes.recv().await {
            let sent =
                client.post(&url).header("content-type", "application/json").body(change.to_string()).send().await;
            if !sent.is_ok_and(|answer| answer.status().is_success()) {
                say("the webhook did not take a change");
            }
        }
    });
    Ok(changed)
}
