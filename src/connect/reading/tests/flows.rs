//! Answers that are read piece by piece: files of jobs and other bodies by lines.

use super::*;
use crate::connect::PART_BYTES;

/// Lines for about so many pieces.
fn lines(pieces: usize) -> (String, i64) {
    let mut text = String::new();
    let mut count = 0;
    while text.len() < pieces * PART_BYTES {
        text.push_str(&format!("{{\"id\":{count},\"name\":\"a thing with a name of some length, number {count}\"}}\n"));
        count += 1;
    }
    (text, count)
}

fn file(text: String) -> impl Fn(&Ask) -> Answer + Send + Sync + 'static {
    move |_| answer(200, &[("content-type", "application/x-ndjson")], &text)
}

#[test]
fn a_large_file_comes_in_pieces_and_goes_on_behind_each() {
    let (text, count) = lines(3);
    let rig = things("      format: ndjson\n      keep: record.id >= 0\n", file(text));
    let all = rig.everything(&numbers(count));
    assert!(all.parts.len() >= 3, "{}", all.parts.len());
    assert!(all.parts.iter().all(|part| part.bytes.len() <= PART_BYTES + 1), "no piece is larger than a part");
    assert_eq!(rig.resumption(), Resumption::Exact);
}

#[test]
fn csv_goes_through_as_it_came() {
    let mut text = String::from("id,note\n");
    for id in 0..60_000 {
        text.push_str(&format!("{id},\"a note, with a comma\nand a line {id}\"\n"));
    }
    let body = text.clone();
    let rig =
        things("      format: csv\n", move |_| answer(200, &[("content-type", "text/csv")], &body)).mode(Mode::Append);
    let all = rig.read(&[]).whole();
    assert!(all.parts.len() >= 3);
    let rows = text.strip_prefix("id,note\n").unwrap();
    let joined = |parts: &[Part]| parts.iter().flat_map(|part| part.bytes.clone()).collect::<Vec<u8>>();
    assert!(joined(&all.parts) == rows.as_bytes(), "byte by byte");
    assert!(all.parts.iter().all(|part| part.bytes.is_empty() || part.header.columns == ["id", "note"]));
    for at in 1..all.parts.len() {
        let rest = rig.read(&all.settled(at)).whole();
        assert!(joined(&rest.parts) == joined(&all.parts[at..]), "behind part {at}");
    }
}

#[test]
fn what_breaks_off_goes_on_where_it_broke() {
    let (text, count) = lines(3);
    let rig = things("      format: ndjson\n      keep: record.id >= 0\n", file(text)).mode(Mode::Append);
    // The first bytes of an answer are looked at as a whole; later ones break a reading that has begun.
    *rig.line.breaks.lock().unwrap() = vec![2 * PART_BYTES + 7, PART_BYTES + 100_000];
    let mut source = rig.open(&[], None, None).unwrap();
    let mut got = Vec::new();
    while let Some(part) = source.next().unwrap() {
        got.extend(ids(&part.bytes));
    }
    assert_eq!(got, numbers(count));
    assert_eq!(rig.line.asked.lock().unwrap().len(), 3);
}

#[test]
fn children_behind_their_parents_become_trees() {
    let read = "      format: ndjson\n      nest:\n        parent: record.?up.orValue(null)\n        id: record.gid\n        into: 'record.gid.startsWith(\"v\") ? \"variants\" : \"images\"'\n        drop: up\n";
    let family = |id: i64| {
        format!(
            "{{\"id\":{id},\"gid\":\"p{id}\"}}\n{{\"gid\":\"v{id}\",\"up\":\"p{id}\"}}\n{{\"gid\":\"i{id}\",\"up\":\"v{id}\"}}\n{{\"gid\":\"v{id}b\",\"up\":\"p{id}\"}}\n"
        )
    };
    let wanted = |id: i64| json!({ "id": id, "gid": format!("p{id}"), "variants": [{ "gid": format!("v{id}"), "images": [{ "gid": format!("i{id}") }] }, { "gid": format!("v{id}b") }] });
    let text: String = (0..12_000).map(family).collect();
    let rig = things(read, file(text));
    let all = rig.everything(&numbers(12_000));
    assert!(all.parts.len() >= 2);
    let first: Vec<Json> = serde_json::from_slice(&[b"[", &all.parts[1].bytes[..], b"]"].concat()).unwrap();
    let id = first[0]["id"].as_i64().unwrap();
    assert_eq!(first[0], wanted(id));
    for bad in ["{\"gid\":\"v1\",\"up\":\"p1\"}\n", "{\"gid\":\"p1\"}\n{\"gid\":\"v\",\"up\":\"p2\"}\n", "{\"gid\":\n"]
    {
        let got = things(read, file(bad.to_owned())).read(&[]);
        assert_eq!(got.error.unwrap().code().id, crate::error::codes::connect::ANSWER_UNREADABLE.id, "{bad}");
    }
}

#[test]
fn what_is_settled_is_acknowledged_and_nothing_else() {
    let read = "      method: POST\n      records: messages\n      keep: record.id != 3\n      pages: { kind: page, ahead: 0, repeat: true }\n      acknowledge:\n        method: POST\n        path: /gone\n        body: { receipts: \"{{ records }}\" }\n        element: \"r{{ record.id }}\"\n        records: 2\n        refused: size(answer.body.failed) > 0\n";
    let asked = Arc::new(Mutex::new((0, Vec::new())));
    let seen = Arc::clone(&asked);
    let rig = things(read, move |ask: &Ask| {
        let mut seen = seen.lock().unwrap();
        if ask.path.ends_with("/gone") {
            let receipts: Vec<String> =
                ask.body["receipts"].as_array().unwrap().iter().map(|r| r.as_str().unwrap().to_owned()).collect();
            let failed: Vec<&String> = receipts.iter().filter(|receipt| *receipt == "r4").collect();
            let told = good(json!({ "failed": failed }));
            seen.1.push(receipts);
            return told;
        }
        seen.0 += 1;
        match seen.0 {
            1 => good(json!({ "messages": list(0, 3) })),
            2 => good(json!({ "messages": list(3, 4) })),
            3 => good(json!({ "messages": list(4, 6) })),
            _ => good(json!({ "messages": [] })),
        }
    });
    assert_eq!(rig.resumption(), Resumption::SliceStart);
    let mut source = rig.open(&[], None, None).unwrap();
    let mut acknowledger = source.acknowledger().unwrap();
    let mut parts = Vec::new();
    while let Some(part) = source.next().unwrap() {
        parts.push(part);
    }
    assert_eq!(parts.iter().flat_map(|part| ids(&part.bytes)).collect::<Vec<_>>(), [0, 1, 2, 4, 5]);
    assert!(asked.lock().unwrap().1.is_empty(), "nothing is settled yet");
    acknowledger.settled(1);
    let wait = |count: usize| {
        for _ in 0..500 {
            if asked.lock().unwrap().1.len() >= count {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let mut told = asked.lock().unwrap().1.clone();
        told.sort();
        told
    };
    assert_eq!(wait(2), [vec!["r0", "r1"], vec!["r2"]]);
    acknowledger.settled(parts.len() as u64);
    let notes = source.acknowledge();
    // What the pack leaves out goes, too: it would come for ever.
    assert_eq!(wait(4), [vec!["r0", "r1"], vec!["r2"], vec!["r3", "r4"], vec!["r5"]]);
    assert!(notes.iter().any(|note| note.contains("could not be acknowledged (2 at once)")), "{notes:?}");
    // It has no end, and gives nothing twice.
    let stand = parts.last().unwrap();
    let settled = [(stand.slice.clone(), Settled { position: stand.end.clone(), done: true })];
    assert!(rig.mode(Mode::Append).read(&settled).error.is_none());
}

#[test]
fn parents_come_in_any_format() {
    for (format, body) in [
        ("format: csv\n", "id,name\n1,a\n2,b\n"),
        ("format: ndjson\n", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n"),
        ("format: xml\n      records: all.item\n", "<all><item><id>1</id></item><item><id>2</id></item></all>"),
    ] {
        let streams = format!(
            "  people:\n    key: id\n    read:\n      path: /people\n      {format}  things:\n    key: id\n    read:\n      path: \"/people/{{{{ parent.id }}}}/things\"\n      each: {{ stream: people }}\n"
        );
        let rig = rig(&streams, move |ask: &Ask| match ask.path.as_str() {
            "/v1/people" => answer(200, &[], body),
            "/v1/people/1/things" => good(json!([{ "id": 10 }])),
            _ => good(json!([{ "id": 20 }])),
        });
        assert_eq!(rig.read(&[]).whole().ids(), [10, 20], "{format}");
    }
}
