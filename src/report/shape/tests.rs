//! What holds for every shape of every report: nothing that a value holds is obeyed, the page is
//! well formed and refers to nothing outside of itself, the same report gives the same bytes.

use super::super::document::*;
use super::super::provenance::Provenance;
use super::*;

static KIND: Kind = Kind { name: "sample", about: "a sample", version: 1 };

/// Names as an enemy would choose them.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></title></textarea><svg onload=alert(1)>",
    "a|b`c`*d*_e_[f](javascript:alert(1))",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "line\r\nbreak,\"quoted\"",
    "\u{1b}]0;title\u{7}\u{1b}[2Jred",
    "user\u{202e}gpj.exe",
    "``` \n# heading\n- item",
    "&lt;b&gt; &amp;",
    "https://evil.example/?a=1&b=2",
    "n0\"]; click n0 href \"https://evil.example\"",
    "]]>--><!--",
    "",
];

/// A report that says a text wherever one can be said.
fn full(text: &str) -> Report {
    let cell = || Cell::Text(text.to_string());
    let mut provenance = Provenance::without_state(text).parameter("of", text).count("rows", 3);
    provenance.tool_sha256 = None;
    provenance.configuration = vec![(text.replace('.', ""), text.to_string())];
    let mut report = Report::new(&KIND, text, provenance).lead(Tone::Warn, text);
    let mut table =
        Table::new("rows", &["name", "id", "count", "share", "state", "classes"], "None.").titled(text.to_string());
    table.push(vec![
        cell(),
        Cell::Code(text.into()),
        Cell::Count(1234),
        Cell::Share(0.5),
        Cell::State(Tone::Bad, text.to_string().into()),
        Cell::codes([text, "pii.name"]),
    ]);
    table.left_out = Some((12, text.to_string()));
    let labels = || vec![cell(), Cell::Moment(1_700_000_000_000_000_000), Cell::Nothing];
    let series = |tone, values: [Cell; 3]| Series { name: text.to_string().into(), tone, values: values.to_vec() };
    let chart = |key: &'static str, form| Chart {
        key: key.into(),
        title: text.to_string().into(),
        form,
        labels: labels(),
        series: vec![
            series(Tone::Plain, [Cell::Count(3), Cell::Nothing, Cell::Count(2)]),
            series(Tone::Bad, [Cell::Count(0), Cell::Count(1), Cell::Count(7)]),
        ],
    };
    let node = |column, more: Option<&str>| Node {
        label: text.to_string(),
        more: more.map(ToString::to_string),
        group: Some(text.to_string()),
        column,
        tone: Tone::Bad,
    };
    report.push(
        Section::new("all", text.to_string())
            .text(text)
            .note(Tone::Bad, text)
            .facts("facts", vec![named("name", text.to_string(), text), fact("nothing", Cell::Nothing)])
            .tiles(
                "tiles",
                vec![Tile {
                    key: "t".into(),
                    label: text.to_string().into(),
                    value: cell(),
                    tone: Tone::Good,
                    more: Some(text.into()),
                }],
            )
            .table(table)
            .table(Table::new("empty", &["a"], text.to_string()))
            .chart(chart("columns", Form::Columns))
            .chart(chart("lines", Form::Lines))
            .chart(chart("bars", Form::Bars))
            .chart(chart("strips", Form::Strips))
            .graph(Graph {
                key: "graph".into(),
                title: text.to_string().into(),
                nodes: vec![node(0, None), node(1, Some(text)), node(2, None)],
                edges: vec![
                    Edge { from: 0, to: 1, label: Some(text.to_string()) },
                    Edge { from: 1, to: 2, label: None },
                    Edge { from: 7, to: 9, label: None },
                ],
            })
            .remarks(
                "remarks",
                vec![Remark::new(Tone::Bad, text).at(text).code(text).evidence(text).fix(text)],
                "None.",
            )
            .remarks("none", vec![], text.to_string())
            .with(Block::Literal { key: "literal".into(), language: "text", text: text.to_string() }),
    );
    report
}

/// An element: its name, its attributes.
type Tag = (String, Vec<(String, String)>);

/// A strict reader of the pages that are written here: every element is closed in order, every
/// attribute is quoted, every reference is one of HTML, nothing leads outside. The texts of the page.
fn read_page(page: &str) -> (Vec<Tag>, String) {
    const VOID: &[&str] = &["meta", "wbr", "br"];
    const ALONE: &[&str] = &["path", "rect"];
    let mut rest = page.strip_prefix("<!doctype html>\n").expect("a doctype");
    let (mut open, mut tags, mut texts): (Vec<String>, Vec<_>, String) = (Vec::new(), Vec::new(), String::new());
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = &rest[..end];
            if open.last().is_some_and(|tag| tag == "style") {
                assert!(!text.contains("@import") && !text.contains("url("), "the style loads something");
            } else {
                assert!(!text.contains('>'), "a lone > in {text:?}");
                for part in text.split('&').skip(1) {
                    assert!(
                        ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|known| part.starts_with(known)),
                        "a lone & in {text:?}"
                    );
                }
                texts.push_str(text);
            }
            rest = &rest[end..];
            continue;
        };
        if let Some(close) = tag.strip_prefix('/') {
            let end = close.find('>').expect("an end");
            assert_eq!(open.pop().as_deref(), Some(&close[..end]), "closed out of order");
            rest = &close[end + 1..];
            continue;
        }
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).expect("a name");
        let name = tag[..end].to_string();
        let mut inside = &tag[end..];
        let mut attributes = Vec::new();
        let alone = loop {
            inside = inside.trim_start();
            if let Some(after) = inside.strip_prefix("/>") {
                rest = after;
                break true;
            }
            if let Some(after) = inside.strip_prefix('>') {
                rest = after;
                break false;
            }
            let (attribute, after) = inside.split_once("=\"").expect("a quoted attribute");
            assert!(attribute.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{attribute:?}");
            assert!(!attribute.to_ascii_lowercase().starts_with("on"), "{attribute} runs something");
            let (value, after) = after.split_once('"').expect("the end of an attribute");
            assert!(!value.contains('<'), "{value:?}");
            attributes.push((attribute.to_string(), value.to_string()));
            inside = after;
        };
        assert!(
            !matches!(name.as_str(), "script" | "link" | "img" | "iframe" | "object" | "base" | "form"),
            "<{name}>"
        );
        for (attribute, value) in &attributes {
            assert!(attribute != "src" && (attribute != "href" || value.starts_with('#')), "{attribute}={value}");
        }
        if alone {
            assert!(ALONE.contains(&name.as_str()), "<{name}/>");
        } else if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        tags.push((name, attributes));
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    (tags, texts)
}

#[test]
fn a_page_is_well_formed_and_obeys_no_value() {
    let plain = read_page(&render(&full("plain"), Shape::Html)).0;
    for text in HOSTILE {
        let (tags, texts) = read_page(&render(&full(text), Shape::Html));
        // As many elements with the same attributes as for a harmless text, but for code in sentences.
        let shape = |tags: &[Tag]| -> Vec<(String, Vec<String>)> {
            let kept = tags.iter().filter(|(name, _)| name != "wbr" && name != "code");
            kept.map(|(name, attributes)| (name.clone(), attributes.iter().map(|(n, _)| n.clone()).collect())).collect()
        };
        assert_eq!(shape(&tags), shape(&plain), "{text:?}");
        assert!(!texts.contains('\u{202e}') && !texts.contains('\u{1b}'), "{text:?}");
        let ids: Vec<_> = tags.iter().flat_map(|(_, a)| a).filter(|(name, _)| name == "id").collect();
        let links: Vec<_> = tags.iter().flat_map(|(_, a)| a).filter(|(name, _)| name == "href").collect();
        assert!(links.iter().all(|(_, to)| ids.iter().any(|(_, id)| to[1..] == **id)), "a link leads nowhere");
    }
}

/// RFC 4180, strictly.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn no_cell_of_csv_is_a_formula() {
    for text in HOSTILE {
        let report = full(text);
        for rows in [read_csv(&render(&report, Shape::Csv)), read_csv(&csv_table(report.tables().next().unwrap().1))] {
            assert!(rows.len() > 1);
            for cell in rows.iter().flatten() {
                let number = cell.parse::<f64>().is_ok();
                assert!(number || !cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
                assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
            }
        }
        let rows = read_csv(&render(&report, Shape::Csv));
        let said = rows.iter().find(|row| row[0] == "all" && row[1] == "facts" && row[3] == "name").expect("the fact");
        assert_eq!(said[4].trim_start_matches('\''), text.trim_start_matches('\''), "nothing of it is lost");
    }
}

#[test]
fn markdown_keeps_its_form_whatever_a_value_holds() {
    let lines = |page: &str| page.lines().count();
    let plain = render(&full("plain"), Shape::Markdown);
    for text in HOSTILE {
        let page = render(&full(text), Shape::Markdown);
        // A literal has as many lines as its text.
        assert_eq!(lines(&page) + 1, lines(&plain) + text.lines().count(), "{text:?}\n{page}");
        assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'));
        let mut fence: Option<String> = None;
        for line in page.lines() {
            let marks = line.chars().take_while(|c| *c == '`').count();
            match &fence {
                Some(open) if line == *open => fence = None,
                Some(_) => {}
                None if marks >= 3 => fence = Some("`".repeat(marks)),
                None => {
                    assert!(
                        !line.contains('<') && !line.replace("\\]", "").contains("](") && !line.contains("://"),
                        "{line:?}"
                    );
                    if let Some(row) = line.strip_prefix('|') {
                        let bars = row.replace("\\\\", "").replace("\\|", "").matches('|').count();
                        assert!([2, 6].contains(&bars), "{line:?}");
                    }
                    assert!(line.starts_with("# ") || !line.starts_with("# heading"), "{line:?}");
                }
            }
        }
        assert!(fence.is_none(), "a fence is not closed for {text:?}");
    }
}

#[test]
fn text_fits_its_page_and_steers_no_terminal() {
    let pattern = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    for text in HOSTILE {
        let page = render(&full(text), Shape::Text { colour: false });
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        for line in page.lines() {
            assert!(line.chars().count() <= text::WIDTH, "{} columns: {line}", line.chars().count());
        }
        // Without colours the coloured page is the plain one.
        let coloured = render(&full(text), Shape::Text { colour: true });
        let bare: Vec<_> = coloured.lines().map(|line| pattern.replace_all(line, "").trim_end().to_string()).collect();
        assert_eq!(bare, page.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn json_holds_values_as_they_are() {
    for text in HOSTILE {
        let document = document(&full(text));
        assert_eq!(document["schema"], "consign.report.sample/1");
        let all = &document["sections"]["all"];
        assert_eq!(all["facts"]["name"], *text);
        assert_eq!(all["rows"][0]["classes"][1], "pii.name");
        assert_eq!(all["rows"][0]["share"], 0.5);
        assert_eq!(all["rows_left_out"]["rows"], 12);
        assert_eq!(all["columns"]["series"][1]["values"][2], 7);
        assert_eq!(all["remarks"][0]["fix"], *text);
        assert_eq!(document["provenance"]["counts"]["rows"], 3);
    }
}

#[test]
fn a_flowchart_obeys_no_value() {
    let plain = flowchart(match &full("plain").sections[0].blocks[10] {
        Block::Graph(graph) => graph,
        other => panic!("{other:?}"),
    });
    for text in HOSTILE {
        let report = full(text);
        let graph = report.sections[0].blocks.iter().find_map(|block| match block {
            Block::Graph(graph) => Some(graph),
            _ => None,
        });
        let chart = flowchart(graph.unwrap());
        assert_eq!(chart.lines().count(), plain.lines().count(), "{text:?}");
        assert_eq!(chart.matches('"').count(), plain.matches('"').count(), "{text:?}");
        assert!(!chart.contains('`') && !chart.contains("<s") && !chart.contains("\u{1b}"), "{chart}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let all = [Shape::Text { colour: false }, Shape::Json, Shape::Csv, Shape::Markdown, Shape::Html];
    for shape in all {
        assert_eq!(render(&full("x"), shape), render(&full("x"), shape));
    }
}

#[test]
fn a_wide_table_is_broken_or_told_row_by_row() {
    let mut table = Table::new("wide", &["one", "two", "three", "four", "five", "six", "seven", "eight"], "None.");
    table.push(vec![Cell::Text("many words ".repeat(12)); 8]);
    let mut report = Report::new(&KIND, "Wide", Provenance::default());
    report.push(Section::new("s", "S").table(table));
    let mut long = Table::new("long", &["a", "b", "c", "d", "e", "f"], "None.");
    long.push(vec![Cell::Code("0123456789abcdef".repeat(8)); 6]);
    report.push(Section::new("t", "T").table(long));
    let page = render(&report, Shape::Text { colour: false });
    assert!(page.lines().all(|line| line.chars().count() <= text::WIDTH), "{page}");
    assert!(page.contains("many words"), "{page}");
}
