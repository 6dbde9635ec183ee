//! OpenTelemetry logs as JSON (OTLP/JSON): requests of up to a hundred records, one on each line, as the collector's
//! file receiver reads and its HTTP receiver takes them.

use serde_json::{Map, Value, json};

use super::{Facts, Format, Item, Writer, grade, sentence};

pub(super) static FORMAT: Format = Format {
    name: "otlp",
    about: "OpenTelemetry logs (OTLP/JSON): export requests of up to a hundred records, one per line.",
    ending: "otlp.ndjson",
    writer: |facts: &Facts| Box::new(Requests { facts: facts.clone(), records: Vec::new() }),
};

/// How many records stand in one request.
const TOGETHER: usize = 100;

struct Requests {
    facts: Facts,
    records: Vec<Value>,
}

impl Writer for Requests {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let mut attributes = Vec::new();
        let Ok(Value::Object(members)) = serde_json::to_value(event) else { return };
        for (name, value) in members {
            match name.as_str() {
                "time" | "level" | "v" | "clock" => {}
                _ => attributes.push(json!({ "key": format!("consign.{name}"), "value": any(&value) })),
            }
        }
        self.records.push(json!({
            "timeUnixNano": event.time.to_string(),
            "observedTimeUnixNano": event.time.to_string(),
            "severityNumber": grade(event.level).otel,
            "severityText": event.level.word().to_uppercase(),
            "eventName": event.action,
            "body": { "stringValue": sentence(event) },
            "attributes": attributes,
        }));
        if self.records.len() >= TOGETHER {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.records.is_empty() {
            return;
        }
        let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let request = json!({ "resourceLogs": [{
            "resource": { "attributes": [
                text("service.name", "consign"),
                text("service.version", &self.facts.version),
                text("deployment.environment.name", &self.facts.environment),
                text("consign.log", &self.facts.log),
            ] },
            "scopeLogs": [{
                "scope": { "name": "consign.audit", "version": self.facts.version },
                "logRecords": std::mem::take(&mut self.records),
            }],
        }] });
        out.extend_from_slice(request.to_string().as_bytes());
        out.push(b'\n');
    }
}

/// A value as `AnyValue`.
fn any(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(value) => json!({ "boolValue": value }),
        // Integers of 64 bits are text in the JSON form of protocol buffers.
        Value::Number(number) => match number.as_i64() {
            Some(whole) => json!({ "intValue": whole.to_string() }),
            None => json!({ "doubleValue": number.as_f64().unwrap_or_default() }),
        },
        Value::String(text) => json!({ "stringValue": text }),
        Value::Array(items) => json!({ "arrayValue": { "values": items.iter().map(any).collect::<Vec<_>>() } }),
        Value::Object(map) => json!({ "kvlistValue": { "values": pairs(map) } }),
    }
}

fn pairs(map: &Map<String, Value>) -> Vec<Value> {
    map.iter().map(|(key, value)| json!({ "key": key, "value": any(value) })).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};
    use serde_json::Value;

    /// The members of the messages of `opentelemetry/proto/logs/v1/logs.proto` and `common/v1/common.proto` that
    /// are used, with what stands under them.
    fn fits(value: &Value, message: &str) {
        let fields: &[(&str, &str)] = match message {
            "ExportLogsServiceRequest" => &[("resourceLogs", "[ResourceLogs")],
            "ResourceLogs" => &[("resource", "Resource"), ("scopeLogs", "[ScopeLogs"), ("schemaUrl", "string")],
            "Resource" => &[("attributes", "[KeyValue"), ("droppedAttributesCount", "u32")],
            "ScopeLogs" => &[("scope", "Scope"), ("logRecords", "[LogRecord"), ("schemaUrl", "string")],
            "Scope" => &[("name", "string"), ("version", "string"), ("attributes", "[KeyValue")],
            "LogRecord" => &[
                ("timeUnixNano", "fixed64"),
                ("observedTimeUnixNano", "fixed64"),
                ("severityNumber", "severity"),
                ("severityText", "string"),
                ("body", "AnyValue"),
                ("attributes", "[KeyValue"),
                ("flags", "u32"),
                ("eventName", "string"),
            ],
            "KeyValue" => &[("key", "string"), ("value", "AnyValue")],
            "KeyValueList" => &[("values", "[KeyValue")],
            "ArrayValue" => &[("values", "[AnyValue")],
            "AnyValue" => &[
                ("stringValue", "string"),
                ("boolValue", "bool"),
                ("intValue", "fixed64"),
                ("doubleValue", "double"),
                ("arrayValue", "ArrayValue"),
                ("kvlistValue", "KeyValueList"),
            ],
            "string" => return assert!(value.is_string(), "{value}"),
            "bool" => return assert!(value.is_boolean(), "{value}"),
            "double" => return assert!(value.is_number(), "{value}"),
            "fixed64" => return assert!(value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()), "{value}"),
            "severity" => return assert!(value.as_u64().is_some_and(|n| (1..=24).contains(&n)), "{value}"),
            other => panic!("{other} is not used"),
        };
        let members = value.as_object().unwrap_or_else(|| panic!("{value} is no {message}"));
        if message == "AnyValue" {
            assert!(members.len() <= 1, "{value}");
        }
        for (name, below) in members {
            let (_, kind) =
                fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{message}.{name}"));
            match kind.strip_prefix('[') {
                Some(each) => below.as_array().expect("a list").iter().for_each(|one| fits(one, each)),
                None => fits(below, kind),
            }
        }
    }

    #[test]
    fn requests_are_as_the_protocol_says() {
        let text = exported("otlp");
        let mut records = 0;
        for line in text.lines() {
            let request: Value = serde_json::from_str(line).expect("JSON");
            fits(&request, "ExportLogsServiceRequest");
            records += request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().expect("records").len();
        }
        assert_eq!(records, samples().len());
    }

    /// Every member of ours stands in theirs, with the same value.
    fn stands_in(ours: &Value, theirs: &Value, at: &str) {
        match (ours, theirs) {
            (Value::Object(ours), Value::Object(theirs)) => {
                for (name, value) in ours {
                    let found = theirs.get(name).unwrap_or_else(|| panic!("{at}: no {name}"));
                    stands_in(value, found, &format!("{at}.{name}"));
                }
            }
            (Value::Array(ours), Value::Array(theirs)) => {
                assert_eq!(ours.len(), theirs.len(), "{at}");
                ours.iter().zip(theirs).for_each(|(ours, theirs)| stands_in(ours, theirs, at));
            }
            (ours, theirs) => assert_eq!(ours, theirs, "{at}"),
        }
    }

    /// The types that the makers of the protocol publish read the requests, and write all of them again.
    #[test]
    fn the_published_types_read_the_requests() {
        use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
        let (mut records, text) = (0, exported("otlp"));
        for line in text.lines() {
            // Every JSON is YAML, and this reader hands numbers on as numbers (ours keeps their text).
            let read: ExportLogsServiceRequest = serde_yaml::from_str(line).expect("a request");
            records +=
                read.resource_logs.iter().flat_map(|of| &of.scope_logs).map(|of| of.log_records.len()).sum::<usize>();
            let ours: Value = serde_json::from_str(line).expect("JSON");
            stands_in(&ours, &serde_json::to_value(&read).expect("JSON"), "request");
        }
        assert_eq!(records, samples().len());
    }
}
