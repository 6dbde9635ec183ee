//! Fields that are asked for in several parts.

use super::*;

/// Records with the fields that were asked for, in pages of ten.
fn asked_for(ask: &Ask, id: usize) -> Json {
    let mut record = json!({ "id": id, "properties": {} });
    for name in ask.get("properties").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        record["properties"][name] = json!(format!("{name} {id}"));
    }
    record
}

const CUT: &str = "      records: results
      query: { properties: \"{{ page.fields.join(',') }}\" }
      shape: { lift: [properties], drop: [properties] }
      pages: { kind: token, next: answer.body.next, send: { query: after } }
      fields: { names: \"['a', 'bb', 'ccc', 'd']\", characters: 6, by: id }
";

fn values(got: &Got) -> Vec<Json> {
    let bytes = got.parts.iter().filter(|part| !part.bytes.is_empty()).map(|part| part.bytes.clone());
    let all = bytes.map(|bytes| String::from_utf8(bytes).unwrap()).collect::<Vec<_>>().join(",");
    serde_json::from_str(&format!("[{all}]")).unwrap()
}

#[test]
fn each_page_is_asked_for_with_each_part() {
    let far = |ask: &Ask| {
        let (items, next) = by_token(ask, "after");
        let mut items: Vec<Json> = (0..items.len()).map(|at| asked_for(ask, at + ask.number("after", 0))).collect();
        // The order of another answer is its own.
        if ask.get("properties") == Some("ccc,d") {
            items.reverse();
        }
        good(json!({ "results": items, "next": next }))
    };
    let rig = things(CUT, far);
    let all = rig.everything(&numbers(25));
    assert_eq!(all.asked.len(), 6, "{:#?}", all.asked);
    assert!(all.asked[..2].contains(&"GET /v1/things?properties=a%2Cbb".to_owned()), "{:#?}", all.asked);
    let records = values(&all);
    assert_eq!(records[24], json!({ "id": 24, "a": "a 24", "bb": "bb 24", "ccc": "ccc 24", "d": "d 24" }));
    // What fits is asked for at once.
    let rig = things(&CUT.replace("characters: 6", "characters: 60"), far);
    assert_eq!(rig.everything(&numbers(25)).asked.len(), 3);
}

#[test]
fn the_rest_is_asked_for_by_key() {
    let cut = CUT.replace(
        "by: id }",
        "by: id, rest: { method: POST, path: /things/read, body: { ids: \"{{ page.keys }}\", of: \"{{ page.fields }}\" }, records: found } }",
    );
    let far = |ask: &Ask| {
        if ask.path.ends_with("/read") {
            assert_eq!(ask.body["of"], json!(["ccc", "d"]));
            let ids = ask.body["ids"].as_array().unwrap();
            // One is gone meanwhile.
            let found: Vec<Json> = ids
                .iter()
                .map(|id| if *id == json!(3) { Json::Null } else { json!({ "id": id, "properties": { "d": "more" } }) })
                .collect();
            return good(json!({ "found": found.into_iter().filter(|one| !one.is_null()).collect::<Vec<_>>() }));
        }
        let (items, next) = by_token(ask, "after");
        good(
            json!({ "results": (0..items.len()).map(|at| asked_for(ask, at + ask.number("after", 0))).collect::<Vec<_>>(), "next": next }),
        )
    };
    let all = things(&cut, far).read(&[]).whole();
    let wanted: Vec<i64> = (0..25).filter(|id| *id != 3).collect();
    assert_eq!(all.ids(), wanted);
    assert_eq!(values(&all)[3], json!({ "id": 4, "a": "a 4", "bb": "bb 4", "d": "more" }));
    assert!(all.notes.iter().any(|note| note.contains("gone before all of their fields")), "{:?}", all.notes);
}

#[test]
fn a_page_that_changes_between_its_parts_is_not_joined() {
    let far = |ask: &Ask| {
        let from = if ask.get("properties") == Some("ccc,d") { 1 } else { 0 };
        good(json!({ "results": (from..from + 3).map(|id| asked_for(ask, id)).collect::<Vec<_>>(), "next": null }))
    };
    let got = things(CUT, far).read(&[]);
    assert!(got.error.unwrap().cause().contains("changed while its fields were read"));
    let far = |ask: &Ask| match ask.get("properties") {
        Some("ccc,d") => good(json!({ "results": [{ "other": 1 }], "next": null })),
        _ => good(json!({ "results": [{ "id": 1 }], "next": null })),
    };
    let got = things(CUT, far).read(&[]);
    assert!(got.error.unwrap().cause().contains("no value at `id`"));
}
