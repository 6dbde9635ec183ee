//! What applying a mapping costs: `cargo bench --bench map`. A flat one over rows of a shop, and
//! a nested one of 60 fields with 20 expressions of mixed kinds over customers with orders.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints and stops at the first error"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use consign::config::{Catalog, FileText, load_texts};
use consign::connect::formats::named;
use consign::connect::{Header, Part, RecordError, Rows};
use consign::expr::Moment;
use consign::map::{Route, SourceShape, TargetShape, Verdict, compile};
use consign::record::{Arena, Position, Row, Timestamp, Value};

fn main() {
    let shop: String = (0..2000).map(shop).collect();
    let shop = format!("sku,name,category,qty,price,currency,updated_at,email,phone,warehouse\n{shop}");
    measure("flat, 10 fields with 6 expressions", "csv", &shop, FLAT);
    let people: String = (0..500).map(person).collect();
    measure("nested, 60 fields with 20 expressions", "ndjson", &people, NESTED);
    check();
}

/// The static check of a project with 500 mappings of 20 fields each, sensitive ones among them, under three standards:
/// files as text in, findings out.
fn check() {
    const MAPPINGS: usize = 500;
    let fields: String = (0..12).map(|n| format!("          f{n}: string\n")).collect();
    let project = format!(
        "version: 1\nconnectors:\n  crm:\n    use: file\n    with: {{ path: in }}\n    purposes: [billing]\n    streams:\n      people:\n        path: people.csv\n        fields:\n          id: {{ type: string, required: true }}\n          mail: {{ type: string, class: pii.email }}\n          card: {{ type: string, class: pci.pan }}\n          born: {{ type: string, class: pii.birth_date }}\n          illness: {{ type: string, class: phi.diagnosis }}\n{fields}  warehouse:\n    use: sqlite\n    with: {{ path: w.db }}\n    kind: partner\n    region: us-east-1\n    retention: 400d\n    clearance: [pii, phi]\n    agreements: [dpa, scc, baa]\ncompliance:\n  standards: [gdpr, pci_dss, hipaa]\n"
    );
    let rules: String =
        (0..12).map(|n| format!("  - target: f{n}\n    source: f{n}\n    transform: trim(value)\n")).collect();
    let mapping = |n: usize| {
        format!(
            "version: 1\nname: m{n}\nfrom: crm.people\nto: warehouse.people{n}\nsync: {{ mode: upsert, key: id }}\ncompliance: {{ purpose: billing, basis: contract, condition: health_care }}\nfields:\n  - target: id\n    source: id\n    required: true\n  - target: mail\n    source: mail\n    transform: lower(value)\n  - target: card\n    source: card\n    transform: left(value, 6) + right(value, 4)\n  - target: masked\n    source: card\n    transform: mask_pan(value)\n  - target: born\n    source: born\n    transform: safe_harbor_year(value)\n  - target: illness\n    source: illness\n  - target: who\n    transform: 'record.mail + \" \" + record.illness'\n{rules}tests:\n  - name: a record\n    given: {{ id: a, card: '4111111111111111', mail: A@B.example }}\n    expect: {{ id: a, mail: a@b.example, card: '4111111111', masked: '************1111' }}\n"
        )
    };
    let mappings: Vec<String> = (0..MAPPINGS).map(mapping).collect();
    let mut best = f64::MAX;
    for _ in 0..5 {
        let files = mappings
            .iter()
            .enumerate()
            .map(|(n, text)| FileText { name: format!("m{n}.yaml"), bytes: text.clone().into_bytes() });
        let text = FileText { name: "connectors.yaml".into(), bytes: project.clone().into_bytes() };
        let start = Instant::now();
        let mut loaded = load_texts("/".into(), Some(text), files.collect(), None, &catalog());
        let checked = consign::sync::check::check(&mut loaded, false);
        best = best.min(start.elapsed().as_secs_f64());
        assert!(checked.iter().all(|one| one.route.is_some()), "{:#?}", loaded.findings.first());
        black_box(&loaded.findings);
    }
    println!("{MAPPINGS} mappings checked, standards and all: {best:.3} s");
}

fn catalog() -> Catalog {
    let protocols: Vec<_> = consign::connect::protocols::ALL.iter().map(|protocol| protocol.spec()).collect();
    let formats: Vec<_> = consign::connect::formats::ALL.iter().map(|format| format.spec()).collect();
    Catalog { protocols: protocols.leak(), formats: formats.leak(), shelf: None }
}

const FLAT: &str = r#"
when: record.qty != "0"
fields:
  - { target: product_id, source: sku, transform: '"PROD_" + value', required: true }
  - { target: title, source: name }
  - { target: category, source: category, default: General }
  - { target: quantity, source: qty, transform: int(value), validate: value >= 0 }
  - { target: cost, source: price, transform: 'round(decimal(value) * 1.2, 2)' }
  - { target: currency, source: currency }
  - { target: updated, source: updated_at, type: timestamp }
  - { target: contact, source: email, class: pii.email, transform: mask_email(value) }
  - { target: phone, source: phone }
  - { target: place, source: warehouse, transform: lower(value) }
"#;

const NESTED: &str = r#"
let:
  full_name: record.first_name + " " + record.last_name
  total: sum(record.orders.map(order, order.amount))
fields:
  - { target: id, source: id, transform: '"C-" + value' }
  - { target: kind, value: customer }
  - { target: active, source: consent_marketing }
  - { target: since, source: created_at, type: timestamp }
  - target: status
    source: status
    switch: { cases: { A: active, I: inactive, B: blocked }, otherwise: unknown }
  - target: tier
    switch:
      - { when: total > 1000, then: '"gold"' }
      - { when: total > 100, then: '"silver"' }
      - { otherwise: '"bronze"' }
  - target: name
    fields:
      - { target: first, source: first_name }
      - { target: last, source: last_name, transform: upper(value) }
      - { target: full, transform: full_name }
      - { target: initials, transform: 'substring(record.first_name, 0, 1) + substring(record.last_name, 0, 1)' }
      - { target: greeting, transform: '"Dear " + full_name' }
  - target: contact
    fields:
      - { target: email, source: email, transform: mask_email(value) }
      - { target: phone, source: phone }
      - { target: marketing, transform: 'record.consent_marketing && record.address.country in ["PL", "DE", "FR"]' }
      - { target: language, value: en }
      - { target: channel, transform: 'record.consent_marketing ? "mail" : "post"' }
  - target: address
    fields:
      - { target: street, source: address.street }
      - { target: city, source: address.city, transform: trim(value) }
      - { target: postcode, source: address.postcode }
      - { target: country, source: address.country }
      - { target: region, value: EU }
      - target: geo
        fields:
          - { target: latitude, source: address.geo.lat, transform: 'round(value, 2)' }
          - { target: longitude, source: address.geo.lon, transform: 'round(value, 2)' }
          - { target: north, transform: record.address.geo.lat > 0 }
          - { target: system, value: WGS84 }
  - target: orders
    for_each: orders
    let: { gross: item.amount * 1.19 }
    fields:
      - { target: number, source: id }
      - { target: position, transform: index + 1 }
      - { target: net, source: amount }
      - { target: gross, transform: 'round(gross, 2)' }
      - { target: currency, source: currency }
      - { target: large, transform: gross > 500 }
      - { target: items, source: items, default: 0 }
      - { target: placed, source: placed_at }
  - { target: totals.amount, transform: total }
  - { target: totals.count, transform: size(record.orders) }
  - { target: f1, source: a1 }
  - { target: f2, source: a2 }
  - { target: f3, source: a3 }
  - { target: f4, source: a4 }
  - { target: f5, source: a5 }
  - { target: f6, source: a6 }
  - { target: f7, source: a7 }
  - { target: f8, source: a8 }
  - { target: f9, source: a9 }
  - { target: more.g1, source: b1 }
  - { target: more.g2, source: b2 }
  - { target: more.g3, source: b3 }
  - { target: more.g4, source: b4 }
  - { target: more.g5, source: b5 }
  - { target: more.g6, source: b6 }
  - { target: more.g7, source: b7 }
  - { target: more.g8, source: b8 }
  - { target: more.g9, source: b9 }
  - { target: flags.vip, transform: '"vip" in record.tags' }
  - { target: flags.b2b, transform: '"b2b" in record.tags' }
  - { target: flags.checked, value: true }
  - { target: source, value: crm }
  - { target: version, value: 3 }
"#;

fn shop(index: usize) -> String {
    format!(
        "SKU-{index:07},Heavy-Duty Backpack {index},Tools,{},{}.{:02},EUR,2024-02-{:02}T12:00:00Z,anna.b{index}@example.com,+4912345678,WH-{:02}\n",
        index % 50,
        index % 2000,
        index % 100,
        1 + index % 28,
        index % 24
    )
}

fn person(index: usize) -> String {
    let orders: Vec<String> = (0..3)
        .map(|order| {
            format!(
                r#"{{"id":"O-{index}-{order}","amount":{}.{:02},"currency":"EUR","items":{order},"placed_at":"2024-03-10T12:30:00Z"}}"#,
                index % 900,
                order * 7
            )
        })
        .collect();
    let more: Vec<String> = (1..10).map(|n| format!(r#""a{n}":"value {n}","b{n}":{n}.50"#)).collect();
    format!(
        concat!(
            r#"{{"id":"{:05}","status":"{}","first_name":"Anna","last_name":"Kowalska","email":"a.b{}@example.com","phone":"+4912345","consent_marketing":{},"#,
            r#""created_at":"2024-01-10T08:00:00+02:00","address":{{"street":"5 Long street","city":" Berlin","postcode":"10115","country":"DE","geo":{{"lat":52.5200,"lon":13.4050}}}},"#,
            r#""orders":[{}],"tags":["vip","new"],{}}}"#,
            "\n"
        ),
        index,
        ["A", "I", "X"][index % 3],
        index,
        index.is_multiple_of(2),
        orders.join(","),
        more.join(",")
    )
}

struct All<'a>(Vec<Vec<Value<'a>>>);

impl<'a> Rows<'a> for All<'a> {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.0.push(row.slots.to_vec());
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        panic!("{error:?}")
    }
}

/// Maps each row as it comes.
struct Mapped<'a> {
    route: &'a Route,
    arena: &'a Arena,
    now: Moment<'static>,
    out: Vec<Value<'a>>,
}

impl<'a> Rows<'a> for Mapped<'a> {
    fn row(&mut self, row: Row<'a>) -> bool {
        let verdict = self.route.apply(&row, self.arena, self.now, &mut self.out);
        assert!(!matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
        black_box(&self.out);
        true
    }
    fn bad(&mut self, error: RecordError) -> bool {
        panic!("{error:?}")
    }
}

fn measure(name: &str, format: &str, text: &str, rules: &str) {
    let yaml = format!("version: 1\nname: m\nfrom: shop.items\nto: warehouse.stock\n{rules}");
    let file = FileText { name: "m.yaml".into(), bytes: yaml.into_bytes() };
    let loaded = load_texts("/".into(), None, vec![file], None, &Catalog { protocols: &[], formats: &[], shelf: None });
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
    let source = SourceShape { text_fields: format == "csv", ..SourceShape::default() };
    let (route, findings) = compile(&loaded.mappings[0], &source, &TargetShape::default());
    let route = route.unwrap_or_else(|| panic!("{findings:#?}"));
    let format = named(format).unwrap();
    let opening = format.framing(&[]).unwrap().open(text.as_bytes(), true).unwrap().unwrap();
    let part = Part {
        sequence: 0,
        slice: Arc::from("bench"),
        name: Arc::from("bench"),
        header: Arc::new(Header { columns: opening.header.columns }),
        bytes: text.as_bytes()[opening.bytes..].to_vec(),
        start: Position::default(),
        end: Position::default(),
        last_of_slice: true,
    };
    let now: Moment<'static> = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 }.into();
    let kept = Arena::new();
    let mut rows = All(Vec::new());
    let mut decoder = format.decoder(&[]).unwrap();
    decoder.decode(&part, &route.projection, &kept, &mut rows).unwrap();
    let (mut best, mut both) = (f64::MAX, f64::MAX);
    for _ in 0..200 {
        let arena = Arena::with_capacity(8 << 20);
        let mut out = Vec::new();
        let start = Instant::now();
        for slots in &rows.0 {
            // Values only get shorter lives here.
            let row = Row { slots: black_box(slots), raw: b"", index: 0, line: 0 };
            let verdict = route.apply(&row, &arena, now, &mut out);
            assert!(!matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
            black_box(&out);
        }
        best = best.min(start.elapsed().as_secs_f64());
        let mut mapped = Mapped { route: &route, arena: &arena, now, out: Vec::new() };
        let start = Instant::now();
        decoder.decode(&part, &route.projection, &arena, &mut mapped).unwrap();
        both = both.min(start.elapsed().as_secs_f64());
    }
    let each = |seconds: f64| seconds * 1e9 / rows.0.len() as f64;
    println!("{name:40} {:8.1} ns per record, with decoding {:8.1}", each(best), each(both));
}
