//! CSV (RFC 4180): one row per event, what is nested as JSON in a cell. A cell that a spreadsheet would take for a
//! formula begins with an apostrophe, as they ask for.

use super::{Facts, Format, Item, Writer, pairs, rfc3339};

pub(super) static FORMAT: Format = Format {
    name: "csv",
    about: "CSV (RFC 4180) with a header, for spreadsheets: cells that would be taken for formulas begin with an apostrophe.",
    ending: "csv",
    writer: |_: &Facts| Box::new(Rows),
};

/// The columns, in order.
const COLUMNS: [&str; 26] = [
    "seq",
    "time",
    "id",
    "level",
    "category",
    "action",
    "outcome",
    "reason",
    "resource",
    "actor",
    "actor_kind",
    "on_behalf_of",
    "origin",
    "host",
    "pid",
    "ip",
    "tenant",
    "run",
    "route",
    "config",
    "environment",
    "tool",
    "risk",
    "classes",
    "subjects",
    "details",
];

struct Rows;

impl Writer for Rows {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(COLUMNS.join(",").as_bytes());
        out.extend_from_slice(b",checks,ci\r\n");
    }

    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let pairs = pairs(item.event);
        let of = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref());
        for (index, column) in COLUMNS.iter().chain(&["checks", "ci"]).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match *column {
                "time" => cell(&rfc3339(item.event.time), out),
                "level" => cell(item.event.level.word(), out),
                "action" => cell(&item.event.action, out),
                name => cell(of(name).unwrap_or_default(), out),
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn cell(text: &str, out: &mut Vec<u8>) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_string() };
    if text.contains([',', '"', '\r', '\n']) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};

    #[test]
    fn rows_read_back() {
        let text = exported("csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("header").clone();
        let place = |name: &str| header.iter().position(|column| column == name).expect(name);
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
        for (row, (event, _)) in rows.iter().zip(samples()) {
            assert_eq!(row.len(), header.len());
            assert_eq!(&row[place("seq")], event.seq.to_string());
            assert_eq!(&row[place("reason")], event.reason.clone().unwrap_or_default());
            assert_eq!(&row[place("action")], event.action);
        }
        assert_eq!(rows.len(), samples().len());
    }

    #[test]
    fn formulas_are_text() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            super::cell(text, &mut out);
            assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
        };
        check("=1+1", "'=1+1");
        check("@x,\"y\"", "\"'@x,\"\"y\"\"\"");
        check("plain", "plain");
    }
}
