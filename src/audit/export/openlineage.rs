//! OpenLineage: what runs read and wrote, for catalogues. Only events of runs have a meaning there.

use serde_json::{Value, json};

use super::super::Action;
use super::{Facts, Format, Item, Writer, rfc3339};

pub(super) static FORMAT: Format = Format {
    name: "openlineage",
    about: "OpenLineage run events, one per line: only events of runs, with what they read and wrote.",
    ending: "openlineage.ndjson",
    writer: |facts: &Facts| Box::new(Lines { facts: facts.clone() }),
};

const PRODUCER: &str = "https://consign.invalid/audit";
const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const STATISTICS: &str = "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet";
const FAILURE: &str = "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";

struct Lines {
    facts: Facts,
}

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let (Some(run), Some(route)) = (&event.run, &event.route) else { return };
        let is = |action: Action| event.action == action.word();
        let state = event.details.get("state").and_then(Value::as_str);
        let kind = match state {
            _ if is(Action::RunStarted) => "START",
            _ if is(Action::GroupSettled) => "RUNNING",
            _ if is(Action::RunDied) => "ABORT",
            Some("done" | "partial") if is(Action::RunFinished) => "COMPLETE",
            Some("interrupted") if is(Action::RunFinished) => "ABORT",
            _ if is(Action::RunFinished) => "FAIL",
            _ => return,
        };
        let namespace = format!("consign://{}", self.facts.environment);
        let dataset = |name: &str| json!({ "namespace": namespace, "name": name });
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        if let Some((from, to)) = item.ends {
            inputs.push(dataset(from));
            let mut output = dataset(to);
            let count = |name: &str| event.details.get(name).and_then(Value::as_u64);
            if let Some(rows) = count("written") {
                let size = count("bytes_written");
                let mut facet = json!({ "_producer": PRODUCER, "_schemaURL": STATISTICS, "rowCount": rows });
                if let Some(size) = size {
                    facet["size"] = json!(size);
                }
                output["outputFacets"] = json!({ "outputStatistics": facet });
            }
            outputs.push(output);
        }
        let mut facets = json!({});
        if kind == "FAIL" {
            let message = event.reason.as_deref().unwrap_or("the run failed");
            facets["errorMessage"] = json!({
                "_producer": PRODUCER, "_schemaURL": FAILURE, "message": message, "programmingLanguage": "consign",
            });
        }
        let made = json!({
            "eventTime": rfc3339(event.time), "producer": PRODUCER, "schemaURL": SCHEMA, "eventType": kind,
            "run": { "runId": run, "facets": facets }, "job": { "namespace": namespace, "name": route },
            "inputs": inputs, "outputs": outputs,
        });
        out.extend_from_slice(made.to_string().as_bytes());
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::exported;
    use regex::Regex;
    use serde_json::Value;

    /// What `RunEvent` of the specification requires, written as a table: member, what it must be.
    #[test]
    fn run_events_are_as_the_specification_says() {
        let uuid = Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$").expect("pattern");
        let uri = |value: &Value| assert!(value.as_str().is_some_and(|text| text.starts_with("https://")), "{value}");
        let text = |value: &Value| assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{value}");
        let kinds = ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"];
        let mut seen = 0;
        for line in exported("openlineage").lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let known = ["eventTime", "producer", "schemaURL", "eventType", "run", "job", "inputs", "outputs"];
            assert!(event.as_object().expect("object").keys().all(|name| known.contains(&name.as_str())));
            assert!(event["eventTime"].as_str().expect("time").parse::<jiff::Timestamp>().is_ok());
            uri(&event["producer"]);
            assert!(event["schemaURL"].as_str().expect("schema").ends_with("#/$defs/RunEvent"));
            assert!(kinds.contains(&event["eventType"].as_str().expect("type")));
            assert!(uuid.is_match(event["run"]["runId"].as_str().expect("run")));
            for name in ["namespace", "name"] {
                text(&event["job"][name]);
            }
            for dataset in ["inputs", "outputs"].iter().flat_map(|list| event[list].as_array().expect("list")) {
                text(&dataset["namespace"]);
                text(&dataset["name"]);
                for facet in dataset["outputFacets"].as_object().into_iter().flat_map(|facets| facets.values()) {
                    uri(&facet["_producer"]);
                    uri(&facet["_schemaURL"]);
                    assert!(facet["rowCount"].is_u64());
                }
            }
            seen += 1;
        }
        assert!(seen >= 4);
    }
}
