//! How a simulated system words what every system has to say: what is left of its limits, and what went wrong.

use serde_json::json;

use super::place::Made;
use super::routes::{get, word};
use super::world::World;
use crate::config::yaml::Raw;
use crate::connect::pack::reader::scalar;

/// What may still be asked of it.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// Units that are left.
    pub left: u64,
    /// Units there are when nothing is used.
    pub of: u64,
    /// Units that this request did cost.
    pub cost: u64,
    /// Units that come back in a second.
    pub restore: u64,
    /// Until all of them are there again.
    pub reset_seconds: u64,
    /// Until this request could be made.
    pub wait_seconds: u64,
}

impl World {
    /// Says what is left where the pack looks for it, and in the headers that many use.
    pub(super) fn tell(&self, left: &Left, made: &mut Made) {
        let limits = get(&self.raw, "limits");
        let says = [
            ("cost", left.cost),
            ("remaining", left.left),
            ("of", left.of),
            ("reset", left.reset_seconds),
            ("restore", left.restore),
        ];
        let mut said = false;
        for (key, value) in says {
            if let Some(expression) = limits.and_then(|limits| word(limits, key)) {
                said = true;
                // Answers that are no tree have no place for it.
                if !expression.contains("answer.body") || made.body.is_object() {
                    made.put(&expression, Some(json!(value)));
                }
            }
        }
        if !said {
            for (name, value) in [("limit", left.of), ("remaining", left.left), ("reset", left.reset_seconds)] {
                made.header(&format!("x-ratelimit-{name}"), value.to_string());
            }
        }
        if made.status == 429 {
            made.header("retry-after", left.wait_seconds.to_string());
        }
    }

    /// An error as the system words it.
    pub(super) fn refused(&self, status: u16, why: &str) -> Made {
        let all =
            |raw: &Raw| raw.items().iter().chain(raw.items().is_empty().then_some(raw)).filter_map(scalar).collect();
        let fits = |fault: &&Raw| {
            let statuses: Vec<String> = get(fault, "status").map(all).unwrap_or_default();
            statuses.iter().any(|text| *text == status.to_string() || *text == format!("{}xx", status / 100))
        };
        let faults: Vec<&Raw> = get(&self.raw, "faults").map_or(&[][..], Raw::items).iter().filter(fits).collect();
        // What is meant by each status: to wait, to sign in anew; otherwise what holds without a condition.
        let meant = match status {
            429 | 503 => Some("wait"),
            401 => Some("sign_in"),
            _ => None,
        };
        let of_class = |fault: &&&Raw| meant.is_some_and(|class| word(fault, "then").as_deref() == Some(class));
        let plain = |fault: &&&Raw| get(fault, "when").is_none();
        let fault = faults.iter().find(|fault| of_class(fault) && plain(fault));
        let fault = fault.or_else(|| faults.iter().find(of_class)).or_else(|| faults.iter().find(plain));
        // An answer that was recorded may be of another kind than the one that is meant.
        let known = self.refusals.iter().find(|made| made.status == status).filter(|_| meant.is_none());
        let mut made = known.cloned().unwrap_or_else(|| Made::new(status, json!({})));
        if let Some(fault) = fault.filter(|_| known.is_none()) {
            if let Some(condition) = word(fault, "when") {
                made.fulfil(&condition, true);
            }
            for hole in holes(&word(fault, "say").unwrap_or_default()) {
                made.put(&hole, Some(json!(why)));
            }
        }
        if made.body.as_object().is_some_and(serde_json::Map::is_empty) {
            made.body = json!({ "error": { "message": why } });
        }
        if matches!(status, 429 | 503) && !made.headers.iter().any(|(name, _)| name == "retry-after") {
            made.header("retry-after", "1");
        }
        made.status = status;
        made
    }
}

/// The expressions of a text.
fn holes(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("{{") {
        let Some((hole, after)) = behind.split_once("}}") else { break };
        out.push(hole.trim().to_owned());
        rest = after;
    }
    out
}
