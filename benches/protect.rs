//! What protecting one field of 16 bytes costs: `cargo bench --bench protect`. The bars: a keyed token 0.3 µs,
//! encryption 0.5 µs, encryption that keeps the form 10 µs.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a bench prints and stops at the first error")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use consign::comply::protect::{Declared, Ring};
use consign::expr::{Bind, Binding, Environment, Frame, Keys, Locals, compile};
use consign::record::{Arena, ClassId, ClassSet, Projection, Purpose, Timestamp, Type, Value};

const ROUNDS: u32 = 200;
const RECORDS: u32 = 2000;

fn main() {
    let classes = ClassSet::one(ClassId::named("pci.pan").expect("class"));
    let key =
        |purpose: Purpose| Declared { name: purpose.word().into(), purpose, classes, decrypt: vec!["bench".into()] };
    // Keys that stand in do the same work as those of a run.
    let keys = Keys::of(Arc::new(Ring::rehearsal(Purpose::ALL.iter().copied().map(key)))).on_behalf("bench");
    let cases: &[(&str, f64)] = &[
        ("value", 0.0),
        ("mask(value, 4)", 0.0),
        ("sha256(value)", 0.0),
        ("tokenize(value, \"token\")", 0.3),
        ("hmac_sha256(value, \"token\")", 0.3),
        ("pseudonymize(value, \"token\")", 0.3),
        ("encrypt(value, \"encrypt\")", 0.5),
        ("encrypt_joinable(value, \"join\")", 0.5),
        ("encrypt_for(value, \"subject\", value)", 0.0),
        ("decrypt(encrypt(value, \"encrypt\"), \"encrypt\")", 0.0),
        ("fpe_encrypt(value, \"format\")", 10.0),
    ];
    for (expression, bar) in cases {
        let environment = Environment {
            bindings: vec![Binding::new("value", Type::String, Bind::Value)],
            keys: keys.clone(),
            ..Environment::default()
        };
        let program = compile(expression, &environment, &mut Projection::default()).expect(expression);
        let mut arena = Arena::new();
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            arena.reset();
            let frame = Frame {
                slots: &[],
                value: Value::String("4111111111111111"),
                arena: &arena,
                now: Timestamp { seconds: 0, nanos: 0, offset: 0 }.into(),
                locals: Locals::default(),
            };
            let began = Instant::now();
            for _ in 0..RECORDS {
                black_box(program.eval(black_box(&frame)).expect("a result"));
            }
            best = best.min(began.elapsed().as_secs_f64() / f64::from(RECORDS));
        }
        let micros = best * 1e6;
        let held = if *bar == 0.0 { String::new() } else { format!("  of {bar} µs") };
        println!("{micros:8.3} µs{held:12}  {expression}");
    }
}
