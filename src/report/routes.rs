//! Routes as the store knows them: where each stands, its newest run, the configuration that was kept
//! with that run. What several reports begin with.

use serde_json::Value;

use crate::error::Result;
use crate::store::{RouteState, RunRow, Store};

/// A route.
#[derive(Clone, Debug)]
pub struct RouteTold {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: RouteState,
    /// Its newest run.
    pub last: Option<RunRow>,
    /// The mapping as it was kept with that run.
    pub mapping: Value,
    /// The project as it was kept with that run.
    pub project: Value,
    /// Connector and stream it reads from.
    pub from: (String, String),
    /// Connector and stream it writes to.
    pub to: (String, String),
}

impl RouteTold {
    /// Whether it reads from or writes to that connector, or is that route.
    pub fn touches(&self, name: &str) -> bool {
        self.from.0 == name || self.to.0 == name || self.name == name
    }
}

/// Every route that ever ran, in the order of their names.
///
/// # Errors
/// The state cannot be read.
pub fn all(store: &Store) -> Result<Vec<RouteTold>> {
    let mut told = Vec::new();
    for name in store.routes()? {
        let state = store.route(&name)?;
        let last = state.last_run.as_ref().map(|id| store.run(id)).transpose()?;
        let kept = |hash: Option<&String>| -> Result<Value> {
            let Some(hash) = hash else { return Ok(Value::Null) };
            Ok(store.config(hash)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
        };
        let mapping = kept(last.as_ref().map(|run| &run.mapping))?;
        let project = kept(last.as_ref().map(|run| &run.project))?;
        let from = end(&mapping["from"]);
        let to = end(&mapping["to"]);
        told.push(RouteTold { name, state, last, mapping, project, from, to });
    }
    Ok(told)
}

/// `connector.stream` taken apart: names of connectors have no point.
fn end(of: &Value) -> (String, String) {
    let text = of.as_str().unwrap_or_default();
    let (connector, stream) = text.split_once('.').unwrap_or((text, ""));
    (connector.to_string(), stream.to_string())
}
