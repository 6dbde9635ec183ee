//! How the simulated system gives its records: filtered by cursor and parent, in order, page by page.

use serde_json::{Map, Value as Json, json};

use super::data;
use super::pattern::{Captures, said, whole};
use super::place::{self, Made, Step, text};
use super::routes::{Asked, get, word};
use super::world::{Kept, Table, World};
use crate::config::yaml::Raw;
use crate::record::Path;

/// The parameter of addresses that we give: which revision reading began behind, and which record comes next.
const OURS: &str = "simulated";
/// Where the records of an answer in XML stand until it is written.
const ROWS: &str = "simulated-rows";

impl World {
    /// Answers a request that reads a stream.
    pub(super) fn read(
        &self,
        stream: &str,
        read: &Raw,
        base: Made,
        asked: &Asked,
        tree: &Json,
        captures: &Captures,
        origin: &str,
    ) -> Made {
        let Some(table) = self.known(stream) else { return base };
        let nothing = Raw { kind: crate::config::yaml::RawKind::Null, start: 0, end: 0 };
        let pages = get(read, "pages").unwrap_or(&nothing);
        let cursor = get(read, "cursor").unwrap_or(&nothing);
        let spot = |raw: &Raw, key: &str| get(raw, key).and_then(|of| at_spot(of, asked, tree, captures));
        // A place that we gave: behind which revision, and from which record on.
        let given = asked
            .parameter(OURS)
            .map(str::to_owned)
            .or_else(|| spot(pages, "send").map(|value| text(&value)))
            .or_else(|| said(captures, "page.token").map(text))
            .or_else(|| spot(cursor, "send").map(|value| text(&value)))
            .or_else(|| said(captures, "cursor.token").or_else(|| said(captures, "cursor.value")).map(text));
        let ours = given.as_deref().and_then(|token| token.strip_prefix("sim-").or(asked.parameter(OURS)));
        let (since, from) = match ours.and_then(|token| token.split_once('.')) {
            Some((since, from)) => (since.parse::<u64>().ok(), from.parse::<usize>().ok()),
            None => (None, None),
        };
        let list = self.chosen(table, cursor, &spot, captures, since);
        let kind = word(pages, "kind").unwrap_or_else(|| "none".into());
        let size = spot(pages, "send_size")
            .or_else(|| said(captures, "page.size").cloned())
            .and_then(|value| number(&text(&value)))
            .or_else(|| word(pages, "size").and_then(|text| number(&text)));
        let size = size.map_or(usize::MAX, |size| size.max(1.0) as usize);
        let place = spot(pages, "send").map(|value| text(&value));
        let asked_for =
            |name: &str| place.clone().or_else(|| said(captures, name).map(text)).and_then(|text| number(&text));
        let first = word(pages, "first").and_then(|text| number(&text));
        let start = match kind.as_str() {
            "page" => {
                let number = asked_for("page.number").unwrap_or(first.unwrap_or(1.0));
                (number - first.unwrap_or(1.0)).max(0.0) as usize * if size == usize::MAX { 0 } else { size }
            }
            "offset" => (asked_for("page.offset").unwrap_or(0.0) - first.unwrap_or(0.0)).max(0.0) as usize,
            "last" => {
                let field = word(pages, "next").unwrap_or_default();
                let field = Path::parse(field.trim_start_matches("page.last.")).unwrap_or_default();
                let last = place
                    .clone()
                    .or_else(|| said(captures, "page.token").or_else(|| said(captures, "page.last")).map(text));
                last.map_or(0, |last| {
                    let at =
                        list.iter().position(|kept| table.field(&kept.json, &field).map(text).as_ref() == Some(&last));
                    at.map_or(0, |at| at + 1)
                })
            }
            _ => from.unwrap_or(0),
        };
        let end = start.saturating_add(size).min(list.len());
        let start = start.min(end);
        let (page, total) = (&list[start..end], list.len());
        let mut made = base;
        if made.status >= 300 {
            made.status = 200;
        }
        let (records, gone): (Vec<&&Kept>, Vec<&&Kept>) = page.iter().partition(|kept| !kept.gone);
        let mut items: Vec<Json> = records.iter().map(|kept| kept.json.clone()).collect();
        self.tombstones(read, &gone, &mut items, &mut made);
        let parent = fill(read, items, &mut made);
        let more = end < total;
        let next = format!("sim-{}.{end}", since.unwrap_or(0));
        let last_token = format!("sim-{}.0", self.revision);
        let address = |token: &str| {
            let mut url = url::Url::parse(&format!("{origin}{}", asked.path)).ok()?;
            {
                let mut pairs = url.query_pairs_mut();
                for (name, value) in asked.query.iter().filter(|(name, _)| name != OURS) {
                    pairs.append_pair(name, value);
                }
                pairs.append_pair(OURS, token.trim_start_matches("sim-"));
            }
            Some(url.to_string())
        };
        if let Some(condition) = get(pages, "stop").and_then(|stop| word(stop, "when")) {
            numbers(
                &condition,
                &mut made,
                start.checked_div(size.min(total.max(1))).unwrap_or(0) + 1,
                total.div_ceil(size.min(total.max(1))),
                total,
            );
            made.fulfil(&condition, !more);
        }
        if let Some(expression) = word(pages, "total") {
            made.put(&expression, Some(json!(total)));
        }
        let next_expression = word(pages, "next").unwrap_or_default();
        match kind.as_str() {
            "token" | "sequence" => point(&mut made, &next_expression, more.then(|| json!(next))),
            "url" => point(&mut made, &next_expression, more.then(|| address(&next)).flatten().map(Json::from)),
            "link" => match more.then(|| address(&next)).flatten() {
                Some(url) => {
                    made.header("link", format!("<{url}>; rel=\"{}\"", word(pages, "rel").unwrap_or("next".into())))
                }
                None => made.headers.retain(|(name, _)| name != "link"),
            },
            "odata" => {
                let name = if made.body.get("d").is_some() {
                    "answer.body.d.__next"
                } else {
                    "answer.body[\"@odata.nextLink\"]"
                };
                made.put(name, more.then(|| address(&next)).flatten().map(Json::from));
            }
            "relay" => {
                let mut info = parent.clone();
                info.push(Step::Name("pageInfo".into()));
                place::set(&mut made.body, &info, Some(json!({ "hasNextPage": more, "endCursor": next })));
            }
            _ => {}
        }
        // Where reading goes on next time: an answer says it at its end.
        if let Some(expression) = word(cursor, "next") {
            let by_address = word(cursor, "send").as_deref() == Some("url");
            match (more, expression == next_expression || next_expression.contains(&expression)) {
                (true, true) => {}
                (true, false) => point(&mut made, &expression, None),
                (false, _) if by_address => point(&mut made, &expression, address(&last_token).map(Json::from)),
                (false, _) => point(&mut made, &expression, Some(json!(last_token))),
            }
        }
        as_text(read, &mut made);
        made
    }

    /// The records that a request asks for, in their order.
    fn chosen<'w>(
        &self,
        table: &'w Table,
        cursor: &Raw,
        spot: &dyn Fn(&Raw, &str) -> Option<Json>,
        captures: &Captures,
        since: Option<u64>,
    ) -> Vec<&'w Kept> {
        let lower = spot(cursor, "send")
            .or_else(|| said(captures, "cursor.value").cloned())
            .or_else(|| said(captures, "window.from").cloned())
            .and_then(|value| weight(&value));
        let upper = spot(cursor, "until")
            .or_else(|| said(captures, "cursor.until").cloned())
            .or_else(|| said(captures, "window.to").cloned())
            .and_then(|value| weight(&value));
        let inclusive = word(cursor, "inclusive").as_deref() != Some("false");
        let parents: Vec<(Vec<Step>, String)> = captures
            .iter()
            .filter_map(|(expression, value)| Some((place::reference(expression, "parent")?, text(value))))
            .filter(|(steps, _)| !steps.is_empty())
            .collect();
        let mut list: Vec<&Kept> = table
            .records
            .iter()
            .filter(|kept| !kept.gone || since.is_some())
            .filter(|kept| since.is_none_or(|since| kept.revision > since || since == 0))
            .filter(|kept| !(kept.gone && since == Some(0)))
            .filter(|kept| {
                let Some((path, _)) = &table.cursor else { return true };
                let Some(own) = table.field(&kept.json, path).and_then(weight) else { return lower.is_none() };
                let above = lower.is_none_or(|lower| if inclusive { own >= lower } else { own > lower });
                above && upper.is_none_or(|upper| own <= upper)
            })
            .filter(|kept| match &kept.parent {
                Some(parent) => {
                    parents.iter().all(|(steps, value)| step(parent, steps).map(text).as_ref() == Some(value))
                }
                None => true,
            })
            .collect();
        if let Some((path, _)) = &table.cursor {
            let of = |kept: &Kept| table.field(&kept.json, path).and_then(weight).unwrap_or(0.0);
            match word(cursor, "order").as_deref() {
                Some("ascending") => list.sort_by(|a, b| of(a).total_cmp(&of(b))),
                Some("descending") => list.sort_by(|a, b| of(b).total_cmp(&of(a))),
                _ => {}
            }
        }
        list
    }

    /// Records that are gone, as the pack expects to be told.
    fn tombstones(&self, read: &Raw, gone: &[&&Kept], items: &mut Vec<Json>, made: &mut Made) {
        let Some(deletes) = get(read, "deletes") else { return };
        if let Some(condition) = word(deletes, "when") {
            for kept in gone {
                let mut record = kept.json.clone();
                place::fulfil(&condition, true, &mut |reference, change| {
                    let Some(steps) = place::reference(reference, "record") else { return };
                    place::apply(&mut record, &steps, change);
                });
                items.push(record);
            }
        } else if let Some(records) = word(deletes, "records").and_then(|path| Path::parse(&path).ok()) {
            let (steps, _) = steps(&records);
            let all: Vec<Json> = gone.iter().map(|kept| kept.json.clone()).collect();
            place::set(&mut made.body, &steps, Some(Json::Array(all)));
        }
    }
}

/// Puts the records where the pack reads them; gives back where the object around the list stands.
fn fill(read: &Raw, items: Vec<Json>, made: &mut Made) -> Vec<Step> {
    let shape = |key: &str| get(read, "shape").and_then(|shape| get(shape, key));
    // What the pack takes the record itself for: `url: "{{ record }}"` is an element that is no map.
    let scalar = shape("add").map_or(&[][..], Raw::entries).iter().find_map(|entry| {
        (entry.value.text().and_then(whole).as_deref() == Some("record")).then(|| Path::key(&entry.key))
    });
    let keep = word(read, "keep");
    let items: Vec<Json> = items
        .into_iter()
        .map(|mut item| {
            if let Some(field) = &scalar {
                return data::get(&item, field).cloned().unwrap_or_default();
            }
            if let Some(keep) = &keep {
                place::fulfil(keep, true, &mut |reference, change| {
                    if let Some(steps) = place::reference(reference, "record").filter(|steps| !steps.is_empty()) {
                        place::apply(&mut item, &steps, change);
                    }
                });
            }
            item
        })
        .collect();
    let path = get(read, "records").and_then(|raw| match raw.items() {
        // Of several lists the first one.
        [] => scalar_text(raw),
        [first, ..] => scalar_text(first),
    });
    let Some(path) = path.and_then(|text| Path::parse(&text).ok()) else {
        made.body = match word(read, "format").as_deref() {
            Some("xml") => json!({ ROWS: items }),
            _ => Json::Array(items),
        };
        return Vec::new();
    };
    let take = shape("take").and_then(Raw::text).and_then(|text| Path::parse(text).ok());
    let (list, inner) = steps(&path);
    let inner: Vec<Option<Step>> =
        inner.into_iter().chain(take.iter().flat_map(|take| steps(take).0.into_iter().map(Some))).collect();
    let wrapped: Vec<Json> = items.into_iter().map(|item| wrapped(&inner, item)).collect();
    if !made.body.is_object() && !list.is_empty() {
        made.body = Json::Object(Map::new());
    }
    place::set(&mut made.body, &list, Some(Json::Array(wrapped)));
    list[..list.len().saturating_sub(1)].to_vec()
}

/// What stands around a record; `None`: a list of it alone.
fn wrapped(steps: &[Option<Step>], item: Json) -> Json {
    match steps.split_first() {
        None => item,
        Some((None, rest)) => json!([wrapped(rest, item)]),
        Some((Some(step), rest)) => {
            let mut around = Json::Null;
            place::set(&mut around, std::slice::from_ref(step), Some(wrapped(rest, item)));
            around
        }
    }
}

fn scalar_text(raw: &Raw) -> Option<String> {
    crate::connect::pack::reader::scalar(raw)
}

/// The steps to the list, and those inside each element, where `None` is a list again.
fn steps(path: &Path) -> (Vec<Step>, Vec<Option<Step>>) {
    use crate::record::path::Step as Of;
    let each = path.0.iter().position(|step| *step == Of::Each).unwrap_or(path.0.len());
    let made = |step: &Of| match step {
        Of::Key(name) => Some(Step::Name(name.clone())),
        Of::Index(at) => usize::try_from(*at).ok().map(Step::At),
        Of::Each => None,
    };
    let inner = path.0.get(each + 1..).unwrap_or_default();
    (path.0[..each].iter().filter_map(made).collect(), inner.iter().map(made).collect())
}

/// Puts the place of the next page where the pack looks for it, a choice between two included.
fn point(made: &mut Made, expression: &str, value: Option<Json>) {
    // `extract(answer.text, "<Next>(…)</Next>")`: an element of XML.
    if let Some((_, tag)) = expression.split_once("extract(answer.text, \"<")
        && let Some((tag, _)) = tag.split_once('>')
    {
        return made.put(&format!("answer.body.{tag}"), value);
    }
    match expression.split_once(" ? ") {
        Some((condition, rest)) => {
            made.fulfil(condition, value.is_some());
            let chosen = rest.rsplit_once(" : ").map_or(rest, |(chosen, _)| chosen);
            if value.is_some() {
                made.put(chosen, value);
            }
        }
        None => made.put(expression, value),
    }
}

/// `answer.body.page >= answer.body.pages` and the like: both sides get their number.
fn numbers(condition: &str, made: &mut Made, page: usize, pages: usize, total: usize) {
    for operator in [">=", "==", ">"] {
        let Some((left, right)) = condition.split_once(operator) else { continue };
        if !right.contains("answer.") {
            return;
        }
        let counts = left.contains("page.count") || left.contains("page.offset");
        if left.contains("answer.") {
            made.put(left, Some(json!(page)));
        }
        made.put(right, Some(json!(if counts { total } else { pages })));
        return;
    }
}

/// The value at a place of a request.
pub(super) fn at_spot(spot: &Raw, asked: &Asked, tree: &Json, captures: &Captures) -> Option<Json> {
    let [entry] = spot.entries() else { return None };
    let name = crate::connect::pack::reader::scalar(&entry.value)?;
    match entry.key.as_str() {
        "query" => asked.parameter(&name).map(Json::from),
        "header" => asked.header(&name.to_lowercase()).map(Json::from),
        "path" => captures.iter().find(|(hole, _)| *hole == format!("path:{name}")).map(|(_, value)| value.clone()),
        "form" | "body" => data::get(tree, &Path::parse(&name).ok()?).cloned(),
        _ => None,
    }
    .filter(|value| !value.is_null())
}

fn step<'j>(value: &'j Json, steps: &[Step]) -> Option<&'j Json> {
    let mut here = value;
    for step in steps {
        here = match step {
            Step::Name(name) => here.get(name)?,
            Step::At(at) => here.get(at)?,
        };
    }
    Some(here)
}

/// A moment or number, whatever it is written as; of a text with more in it the last one that stands there.
fn weight(value: &Json) -> Option<f64> {
    match value {
        Json::Number(_) => number(&value.to_string()).map(|n| if n > 100_000_000_000.0 { n / 1000.0 } else { n }),
        Json::String(text) => {
            let exact =
                moment(text).or_else(|| number(text).map(|n| if n > 100_000_000_000.0 { n / 1000.0 } else { n }));
            exact.or_else(|| {
                static MOMENT: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| {
                    regex::Regex::new(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?").ok()
                });
                MOMENT.as_ref()?.find_iter(text).last().and_then(|found| moment(found.as_str()))
            })
        }
        _ => None,
    }
}

fn moment(text: &str) -> Option<f64> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.replacen(' ', "T", 1),
    };
    let parsed: Option<jiff::Timestamp> =
        whole.parse().ok().or_else(|| format!("{whole}Z").parse().ok()).or_else(|| {
            // `+0000`, as some write it.
            let (head, zone) = whole.split_at_checked(whole.len().checked_sub(5)?)?;
            zone.starts_with(['+', '-']).then(|| format!("{head}{}:{}", &zone[..3], &zone[3..]).parse().ok())?
        });
    parsed.map(|stamp| stamp.as_millisecond() as f64 / 1000.0)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Answers that are no JSON: lines of JSON, CSV.
fn as_text(read: &Raw, made: &mut Made) {
    let format = word(read, "format").unwrap_or_default();
    if format == "xml" {
        let text = xml(read, &made.body);
        made.header("content-type", "application/xml");
        made.body = Json::String(text);
        return;
    }
    if format != "ndjson" && format != "csv" {
        return;
    }
    let records: Vec<Json> = match &made.body {
        Json::Array(items) => items.clone(),
        _ => return,
    };
    let mut out = String::new();
    if format == "ndjson" {
        records.iter().for_each(|record| out.push_str(&format!("{record}\n")));
        made.header("content-type", "application/x-ndjson");
    } else {
        let names: Vec<String> =
            records.first().and_then(Json::as_object).map(|m| m.keys().cloned().collect()).unwrap_or_default();
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        out.push_str(&format!("{}\n", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")));
        for record in &records {
            let cells: Vec<String> =
                names.iter().map(|name| quoted(&text(record.get(name).unwrap_or(&Json::Null)))).collect();
            out.push_str(&format!("{}\n", cells.join(",")));
        }
        made.header("content-type", "text/csv");
    }
    made.body = Json::String(out);
}

/// Records and what else was said as XML, elements as the pack looks for them.
fn xml(read: &Raw, body: &Json) -> String {
    let options = get(read, "format_options");
    let path = options.and_then(|of| word(of, "records")).unwrap_or_else(|| "records/record".into());
    let space = options.and_then(|of| get(of, "namespaces")).and_then(|all| all.items().first().and_then(Raw::text));
    let space = space.and_then(|text| text.strip_prefix('=')).map(|url| format!(" xmlns=\"{url}\""));
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && !name.contains('*')).collect();
    let (around, element) = match names.split_last() {
        Some((element, around)) => (around, *element),
        None => (&[][..], "record"),
    };
    let mut inside = String::new();
    for record in body.get(ROWS).and_then(Json::as_array).into_iter().flatten() {
        inside.push_str(&tagged(element, record));
    }
    let mut more = String::new();
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| *name != ROWS) {
        more.push_str(&tagged(name, value));
    }
    for (at, name) in around.iter().enumerate().rev() {
        let (attribute, beside) =
            if at == 0 { (space.clone().unwrap_or_default(), more.as_str()) } else { Default::default() };
        inside = format!("<{name}{attribute}>{inside}{beside}</{name}>");
    }
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{inside}")
}

fn tagged(name: &str, value: &Json) -> String {
    let inside = match value {
        Json::Object(members) => members.iter().map(|(name, value)| tagged(name, value)).collect(),
        Json::Array(items) => return items.iter().map(|item| tagged(name, item)).collect(),
        scalar => text(scalar).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    };
    format!("<{name}>{inside}</{name}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_weigh_alike_however_they_are_written() {
        for value in [
            json!(1_767_225_600),
            json!(1_767_225_600_000_u64),
            json!("2026-01-01T00:00:00Z"),
            json!("2026-01-01T00:00:00.000+0000"),
            json!("2026-01-01 00:00:00"),
            json!("2026-01-01"),
            json!("updated_at:>='2026-01-01T00:00:00Z'"),
            json!("WHERE SystemModstamp >= 2026-01-01T00:00:00Z ORDER BY x"),
            json!("sys_updated_on>=2026-01-01 00:00:00^ORDERBYsys_id"),
        ] {
            assert_eq!(weight(&value), Some(1_767_225_600.0), "{value}");
        }
        assert_eq!(weight(&json!("cus_1")), None);
    }
}
