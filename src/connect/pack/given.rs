//! A pack with what one connector gives it: parameters and what it signs in with, ready for templates.

use serde_json::{Map, Value as Json};

use super::Pack;
use super::names::{Name, Scope};
use crate::config::{Connector, Node, Piece, Spanned, Text};
use crate::error::Place;
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp};

/// A pack with a connector's values. Holds secrets: never shown.
pub struct Given {
    /// The pack.
    pub pack: &'static Pack,
    /// The connector, references filled in.
    pub connector: Connector,
    params: Json,
    secrets: Json,
    environment: std::sync::OnceLock<Json>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}", self.pack.name, self.connector.name)
    }
}

impl Given {
    /// Of a connector whose references are filled in.
    pub fn new(pack: &'static Pack, connector: Connector) -> Self {
        let mut params = tree(&connector.with);
        for param in &pack.params {
            if let (Json::Object(known), Some(default)) = (&mut params, &param.default) {
                known.entry(param.name.clone()).or_insert_with(|| Json::String(default.clone()));
            }
        }
        let mut secrets = tree(&connector.auth);
        for need in &pack.auth.needs {
            if let (Json::Object(known), Some(default)) = (&mut secrets, &need.default) {
                known.entry(need.name.clone()).or_insert_with(|| Json::String(default.clone()));
            }
        }
        Self { pack, connector, params, secrets, environment: std::sync::OnceLock::new() }
    }

    /// What templates see everywhere.
    pub fn scope<'a>(&self, arena: &'a Arena, now: Timestamp) -> Scope<'a> {
        let scope = Scope::new(arena, now)
            .with(Name::Params, from_json(&self.params, arena))
            .with(Name::Secrets, from_json(&self.secrets, arena));
        let chosen = self.environment.get_or_init(|| self.chosen(&scope));
        scope.with(Name::Environment, from_json(chosen, arena))
    }

    /// The set of addresses that the connector chose; null if there is none, or one of them has no value.
    fn chosen(&self, scope: &Scope<'_>) -> Json {
        let name = self.params.get("environment").and_then(Json::as_str);
        let found = self.pack.transport.environments.iter().find(|(known, _)| Some(known.as_str()) == name);
        found.and_then(|(_, tree)| tree.json(scope).ok().flatten()).unwrap_or(Json::Null)
    }

    /// The parameters.
    pub fn params(&self) -> &Json {
        &self.params
    }

    /// What it signs in with.
    pub fn secrets(&self) -> &Json {
        &self.secrets
    }
}

fn tree(options: &[(Spanned<String>, Spanned<Node>)]) -> Json {
    Json::Object(options.iter().map(|(key, value)| (key.value.clone(), json(&value.value))).collect::<Map<_, _>>())
}

fn json(node: &Node) -> Json {
    match node {
        Node::Null => Json::Null,
        Node::Bool(value) => Json::Bool(*value),
        Node::Number(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        Node::Text(text) => Json::String(
            text.pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.as_str(),
                    // Nothing is called with a reference that was not filled in.
                    Piece::Env(_) | Piece::File(_) | Piece::Command(_) => "",
                })
                .collect(),
        ),
        Node::List(items) => Json::Array(items.iter().map(|item| json(&item.value)).collect()),
        Node::Map(entries) => tree(entries),
    }
}

/// JSON as the configuration has it, as if it were written at that place.
pub fn node(value: &Json, place: &Place) -> Node {
    match value {
        Json::Null => Node::Null,
        Json::Bool(truth) => Node::Bool(*truth),
        Json::Number(number) => Node::Number(number.to_string()),
        Json::String(text) => Node::Text(Text::literal(text.clone())),
        Json::Array(items) => {
            Node::List(items.iter().map(|item| Spanned { value: node(item, place), place: place.clone() }).collect())
        }
        Json::Object(entries) => Node::Map(
            entries
                .iter()
                .map(|(key, value)| {
                    let key = Spanned { value: key.clone(), place: place.clone() };
                    (key, Spanned { value: node(value, place), place: place.clone() })
                })
                .collect(),
        ),
    }
}
