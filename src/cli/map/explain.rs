//! `consign map explain NAME FIELD`: where the value of a target field comes from.

use serde_json::json;

use super::one;
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::config::Obeyed;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::map;
use crate::sync::check as checks;

/// Explains a target field: source, steps, conditions, type and data classes
#[derive(clap::Args, Debug)]
pub(super) struct Explain {
    /// The mapping's name
    name: String,
    /// The target field, as the mapping writes it
    field: String,
}

impl Explain {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mapping, route) = one(&self.name, context)?;
        let told = map::explain(&route, &self.field).map_err(|known| {
            let cause = format!("`{}` writes no field `{}`", self.name, self.field);
            let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
            match nearest(&self.field, known.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("it writes {}", known.join(", "))),
            }
        })?;
        let (told_ways, findings) = checks::judged(&project, &mapping, &route, &told.target);
        let passages: Vec<_> = told
            .flow
            .passages
            .iter()
            .map(|p| json!({ "through": p.through, "before": p.before.to_string(), "after": p.after.to_string() }))
            .collect();
        let mut text = format!("{} of {}\n", told.target, self.name);
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&format!("  {name:<10} {value}\n"));
            }
        };
        line("rule", &format!("{}:{}:{}", told.place.file, told.place.line, told.place.column));
        let kind = told.source_kind.as_deref().map_or_else(String::new, |k| format!(" ({k})"));
        line("source", &told.source.as_deref().map_or_else(|| "none".into(), |s| format!("{s}{kind}")));
        if told.has_default {
            line("default", "stands in for a missing or null source");
        }
        line("transform", told.transform.as_deref().unwrap_or_default().trim());
        let protects: Vec<String> = told
            .protected
            .iter()
            .map(|one| {
                let expression = one.expression.as_ref().map_or_else(String::new, |text| format!(" with {text}"));
                let place = format!("{}:{}", one.place.file, one.place.line);
                format!("{}: {}{expression} ({place})", one.class.class().name, one.action)
            })
            .collect();
        line("protect", &protects.join("; "));
        line("required", if told.required { "a missing or null result rejects the record" } else { "" });
        line("validate", &told.validate.join("; "));
        let gate = mapping.when.as_ref().map(|when| when.text.trim().to_string());
        let key = mapping.sync.key.iter().any(|path| path.value.to_string() == told.target);
        let feeds: Vec<String> = route
            .leaves
            .iter()
            .filter(|leaf| told.source.is_some() && leaf.source.as_ref().map(ToString::to_string) == told.source)
            .map(|leaf| leaf.target.to_string())
            .filter(|target| *target != told.target)
            .collect();
        let judged: Vec<String> = mapping
            .validate
            .iter()
            .map(|check| check.that.text.trim().to_string())
            .filter(|text| text.contains(&told.target))
            .collect();
        line("gate", gate.as_deref().unwrap_or_default());
        line("judged by", &judged.join("; "));
        line("key", if key { "records of the target are found by it" } else { "" });
        line(
            "beside",
            &if feeds.is_empty() { String::new() } else { format!("its source feeds {} too", feeds.join(", ")) },
        );
        line("type", &told.kind);
        line("classes", &told.flow.source.to_string());
        for passage in &told.flow.passages {
            let after = if passage.after.is_empty() { "none".into() } else { passage.after.to_string() };
            line("", "");
            line("through", &format!("{}: {} becomes {after}", passage.through, passage.before));
        }
        if !told.flow.source.is_empty() {
            let result = &told.flow.classes;
            line("result", &if result.is_empty() { "carries no class".into() } else { format!("carries {result}") });
        }
        for (class, way) in &told_ways {
            line("way", &format!("{class}: {}", way.join(" → ")));
        }
        for finding in &findings {
            line("found", &format!("{}: {}", finding.code.id, finding.cause));
        }
        for one in &mapping.obeys {
            line("obeys", &one.to_string());
        }
        let answer = Answer::new()
            .fact("obeys", mapping.obeys.iter().map(Obeyed::json).collect())
            .fact("mapping", json!(self.name))
            .fact("target", json!(told.target))
            .fact("source", json!(told.source))
            .fact("source_type", json!(told.source_kind))
            .fact("has_default", json!(told.has_default))
            .fact("transform", json!(told.transform))
            .fact("protected", json!(protected(&told.protected)))
            .fact("required", json!(told.required))
            .fact("validate", json!(told.validate))
            .fact("gate", json!(gate))
            .fact("judged_by", json!(judged))
            .fact("is_key", json!(key))
            .fact("beside", json!(feeds))
            .fact("type", json!(told.kind))
            .fact("source_classes", json!(told.flow.source.to_string()))
            .fact("classes", json!(told.flow.classes.to_string()))
            .fact("ways", told_ways.iter().map(|(class, way)| json!({ "class": class, "way": way })).collect())
            .fact("found", findings.iter().map(crate::cli::output::json::finding).collect())
            .fact("passages", json!(passages));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

/// What is done for the sake of classes, as documents have it.
pub(in crate::cli) fn protected(of: &[map::Protected]) -> Vec<serde_json::Value> {
    let one = |one: &map::Protected| json!({ "class": one.class.class().name, "action": one.action, "expression": one.expression });
    of.iter().map(one).collect()
}
