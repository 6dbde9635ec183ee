//! `consign audit witness`: one host sees to it that the log of another keeps its past.

use clap::Subcommand;
use serde_json::json;

use super::verify::public_key;
use crate::audit::note::{Purpose, Verifying};
use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::codes::audit::KEY_BAD;
use crate::error::{Error, Exit, Kind, Result};
use crate::sync::witness::{self, Service};

/// Cosigns checkpoints of other logs, or has this log's cosigned
#[derive(clap::Args, Debug)]
pub(super) struct Witness {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serves as a witness over HTTP (c2sp.org/tlog-witness), until it is stopped
    Serve {
        /// The folder of its key and of what it saw; made if it is not there
        #[arg(long, value_name = "DIR")]
        folder: std::path::PathBuf,
        /// Its name, such as `witness.example.org/1`
        #[arg(long)]
        name: String,
        /// The public key of a log that it witnesses, as often as there are: its line, or a file with it
        #[arg(long = "log", value_name = "KEY", required = true)]
        logs: Vec<String>,
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:8530", value_name = "ADDRESS")]
        listen: String,
        /// Ends after so many requests; for tests
        #[arg(long, hide = true)]
        requests: Option<u64>,
    },
    /// Signs a checkpoint of this log and has a witness cosign it
    Cosign {
        /// The witness's address
        #[arg(long, value_name = "URL")]
        at: String,
        /// The witness's public key: its line, or a file with it
        #[arg(long, value_name = "KEY")]
        key: String,
    },
}

impl Witness {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::Serve { folder, name, logs, listen, requests } => {
                let logs = logs.iter().map(|text| public_key(text)).collect::<Result<Vec<Verifying>>>()?;
                let service = Service::open(&folder, &name, logs)?;
                let listener = service.listen(&listen)?;
                let at = listener.local_addr().map_err(|e| Error::io("listening", e))?;
                context.ui.note(&format!("witness {} listens at http://{at}", service.key().name));
                let key = service.key().line();
                let answer = Answer::new().fact("key", json!(key)).fact("address", json!(at.to_string()));
                context.ui.answer(answer.text(format!("{key}\n")))?;
                service.serve(&listener, requests)?;
                Ok(Exit::Done)
            }
            Verb::Cosign { at, key } => {
                let key = public_key(&key)?;
                if key.purpose != Purpose::Cosignature {
                    let cause = "`--key` is the key of a log, not of a witness";
                    return Err(Error::new(Kind::Invalid, &KEY_BAD, cause));
                }
                let (project, _) = context.project()?;
                let mut store = context.store(&project)?;
                let (size, note) = witness::have_cosigned(&mut store, &at, &key, who())?;
                let text = format!("{} cosigned {}\n", key.name, count(size, "event", "events"));
                context.ui.answer(Answer::new().fact("size", json!(size)).fact("note", json!(note)).text(text))?;
                Ok(Exit::Done)
            }
        }
    }
}
