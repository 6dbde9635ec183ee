//! Proposes a pack: from an OpenAPI 3 document, or from one answer of a system. What comes out passes the
//! check, says what was guessed, and is there to be edited.

mod calls;
mod describe;
mod openapi;
mod paging;
mod signin;
mod since;
mod ways;
mod write;

use serde_json::Value as Json;

pub use describe::Classes;
pub use openapi::from_openapi;

use describe::Shape;

/// A pack with one stream, made of an answer: where its records stand and what fields they have. `classes`: what
/// the name of a field gives away.
///
/// # Errors
/// One sentence, if it holds no records.
pub fn from_sample(name: &str, answer: &Json, classes: Classes<'_>) -> Result<String, String> {
    let Some(shape) = Shape::of_answer(answer) else {
        return Err("the answer holds no list of records".into());
    };
    let named = shape.path.last().map(|name| describe::snake(name)).filter(|name| !name.is_empty());
    let stream = write::Stream {
        name: named.unwrap_or_else(|| "records".into()),
        path: "/CHANGE-ME".into(),
        paging: paging::of_answer(answer),
        since: since::of_answer(&shape),
        shape,
        ..write::Stream::default()
    };
    let draft = write::Draft {
        name: name.to_owned(),
        about: "A system of which one answer was seen.".into(),
        origin: "one answer of the system".into(),
        auth: signin::unknown(),
        streams: vec![stream],
        ..write::Draft::default()
    };
    Ok(draft.yaml(classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, yaml};
    use crate::connect::pack::Pack;
    use crate::record::suspect::by_name;

    fn sound(text: &str) -> Pack {
        let source = Source::new("proposed.yaml", text);
        let mut findings = Vec::new();
        let raw = yaml::parse(&source, &mut findings);
        let pack = raw.and_then(|raw| Pack::read(&source, &raw, &mut findings));
        let told: Vec<String> = findings.iter().map(|f| format!("{:?}: {}", f.place, f.cause)).collect();
        assert!(told.is_empty(), "{told:#?}\n{text}");
        pack.unwrap()
    }

    #[test]
    fn an_answer_becomes_a_pack() {
        let answer = serde_json::json!({
            "meta": { "next_cursor": "c2", "count": 2 },
            "data": { "invoices": [
                { "id": "i1", "total": 12.5, "email": "a@b.example", "paid": true, "created_at": "2026-01-01T00:00:00Z" },
                { "id": "i2", "total": 7, "lines": [], "on": "2026-01-01", "who's": {} },
            ] },
        });
        let text = from_sample("billing", &answer, &by_name).unwrap();
        let pack = sound(&text);
        let stream = &pack.streams[0];
        assert_eq!(stream.name, "invoices");
        let kinds: Vec<String> = stream.fields.iter().map(|f| format!("{} {}", f.name, f.kind)).collect();
        assert!(kinds.contains(&"total decimal".into()) && kinds.contains(&"created_at timestamp".into()), "{kinds:?}");
        assert!(text.contains("records: data.invoices") && text.contains("next_cursor"), "{text}");
        assert!(from_sample("x", &serde_json::json!({ "a": 1 }), &by_name).is_err());
    }

    #[test]
    fn a_document_becomes_a_pack() {
        let document = serde_json::json!({
            "openapi": "3.0.3",
            "info": { "title": "Shop: orders & more" },
            "servers": [{ "url": "https://{region}.shop.example/v1/", "variables": { "region": { "default": "eu" } } }],
            "security": [{ "key": [] }],
            "components": {
                "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Key" } },
                "schemas": {
                    "Order": { "allOf": [
                        { "type": "object", "required": ["order_id"], "properties": { "order_id": { "type": "integer" } } },
                        { "type": "object", "properties": { "email": { "type": "string" }, "at": { "type": "string", "format": "date-time" } } },
                    ] },
                    "Line": { "type": "object", "properties": { "id": { "type": "string" }, "sku": { "type": "string" } } },
                },
            },
            "paths": {
                "/orders": {
                    "get": {
                        "summary": "All orders.",
                        "parameters": [
                            { "name": "page", "in": "query", "schema": { "type": "integer" } },
                            { "name": "per_page", "in": "query", "schema": { "type": "integer", "maximum": 200 } },
                            { "name": "X-Version", "in": "header", "required": true, "schema": { "type": "string", "default": "3" } },
                            { "name": "shop", "in": "query", "required": true, "schema": { "type": "string" } },
                        ],
                        "responses": { "200": { "content": { "application/json": { "schema": {
                            "type": "object", "properties": { "orders": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } } } } } } },
                    },
                    "post": {
                        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } },
                        "responses": { "201": { "description": "made" } },
                    },
                },
                "/orders/{id}": {
                    "get": { "operationId": "getOrder", "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } } } },
                    "delete": { "responses": { "204": {} } },
                },
                "/orders/{id}/lines": { "get": { "responses": { "200": { "content": { "application/json": { "schema": {
                    "type": "array", "items": { "$ref": "#/components/schemas/Line" } } } } } } } },
                "/refunds/run": { "post": {
                    "operationId": "refunds-run",
                    "requestBody": { "content": { "application/json": { "schema": { "type": "object", "required": ["order"], "properties": { "order": { "type": "integer" } } } } } },
                    "responses": { "200": {} },
                } },
            },
        });
        let text = from_openapi("shop", &document, &[], &by_name).unwrap();
        let pack = sound(&text);
        let names: Vec<&str> = pack.streams.iter().map(|stream| stream.name.as_str()).collect();
        assert_eq!(names, ["orders", "order_lines"]);
        assert_eq!(pack.streams[0].modes(), [crate::config::Mode::Append, crate::config::Mode::Delete]);
        assert_eq!(pack.streams[0].key[0].to_string(), "order_id");
        let operations: Vec<&str> = pack.operations.iter().map(|operation| operation.name.as_str()).collect();
        assert_eq!(operations, ["get_order", "refunds_run"]);
        for part in [
            "X-Version: \"3\"",
            "params.shop",
            "stream: orders",
            "parent.order_id",
            "size: 200",
            "class: pii.email",
            "input.id",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
