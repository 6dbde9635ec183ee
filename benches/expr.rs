//! What one expression of an everyday mapping costs: `cargo bench --bench expr`.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a bench prints and stops at the first error")]

use std::hint::black_box;
use std::time::Instant;

use consign::expr::{Bind, Binding, Environment, Frame, Locals, compile};
use consign::record::{Arena, Projection, Timestamp, Type, Value};

/// A condition as gates have them.
const PREDICATE: &str = r#"country in ["AT", "CH", "DE", "FR"] && sku.startsWith("A") && !consent"#;

fn main() {
    let text = |text| Value::String(text);
    let cases: &[(&str, Type, Value<'static>)] = &[
        ("value", Type::String, text("SKU-000123")),
        ("\"PROD_\" + value", Type::String, text("SKU-000123")),
        ("round(decimal(value) * 1.2, 2)", Type::String, text("129.99")),
        ("round(value * 1.2, 2)", Type::Dyn, Value::Number("129.99")),
        ("int(value)", Type::String, text("1234")),
        ("value == \"\" ? \"General\" : value", Type::String, text("Tools")),
        ("format_time(timestamp(value), \"%Y-%m-%d\", \"UTC\")", Type::String, text("2024-03-31T23:30:00+02:00")),
        ("format_time(timestamp(value), \"%Y-%m-%d\", \"Europe/Berlin\")", Type::String, text("2024-03-31T23:30:00Z")),
        ("mask_email(value)", Type::String, text("anna.example@mail.example.com")),
        ("sha256(value)", Type::String, text("SKU-000123")),
        ("value >= 0 && value < 1000", Type::Dyn, Value::Number("129.99")),
        (PREDICATE, Type::Dyn, Value::Null),
        (
            "other in [\"DE\", \"AT\", \"CH\", \"FR\", \"IT\", \"ES\", \"PL\", \"NL\", \"BE\", \"CZ\"]",
            Type::Dyn,
            Value::Null,
        ),
        ("matches(value, \"^[A-Z]+-[0-9]+$\")", Type::String, text("SKU-000123")),
    ];
    const ROUNDS: u32 = 400;
    const RECORDS: u32 = 1000;
    let slots = [text("DE"), text("A-000123"), Value::Bool(false), text("XX")];
    for (expression, kind, value) in cases {
        let slot = |name: &str, kind, slot| Binding::new(name, kind, Bind::Slot(slot));
        let bindings = vec![
            Binding::new("value", kind.clone(), Bind::Value),
            slot("country", Type::String, 0),
            slot("sku", Type::String, 1),
            slot("consent", Type::Bool, 2),
            slot("other", Type::String, 3),
        ];
        let environment = Environment { bindings, ..Environment::default() };
        let program = compile(expression, &environment, &mut Projection::default()).expect(expression);
        let mut arena = Arena::new();
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            arena.reset();
            let frame = Frame {
                slots: &slots,
                value: *value,
                arena: &arena,
                now: Timestamp { seconds: 0, nanos: 0, offset: 0 }.into(),
                locals: Locals::default(),
            };
            let start = Instant::now();
            for _ in 0..RECORDS {
                black_box(program.eval(black_box(&frame)).expect(expression));
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:8.1} ns  {expression}", best * 1e9 / f64::from(RECORDS));
    }
}
