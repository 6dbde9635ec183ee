//! Expressions and records that nobody wrote: whatever they are, an evaluation ends without a panic, within its
//! limits, with the type that was promised, and arithmetic is exact. `CONSIGN_SOAK=1000` makes a million of them.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::functions::{self, Kinds};
use super::{Bind, Binding, Environment, Frame, Locals, Program, compile, format_value};
use crate::record::decimal::{MAX_DIGITS, Rounding};
use crate::record::{Arena, Date, Decimal, Duration, Field, Path, Projection, Timestamp, Type, Value};

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// How many evaluations a test does.
fn evaluations(usual: u32) -> u32 {
    crate::soak::rounds(usual) * 1000
}

// ---------------------------------------------------------------------------------------------------------------
// Exactness: an oracle of integers without a limit.

/// `mantissa * 10^-scale`, of any size.
#[derive(Clone, Debug)]
struct Exact {
    mantissa: BigInt,
    scale: i64,
}

fn ten(power: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(power).expect("power"))
}

fn zero() -> BigInt {
    BigInt::from(0)
}

impl Exact {
    fn of(decimal: Decimal) -> Self {
        Self { mantissa: BigInt::from(decimal.mantissa()), scale: i64::from(decimal.scale()) }
    }

    fn read(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        Self { mantissa: format!("{whole}{fraction}").parse().expect("digits"), scale: fraction.len() as i64 }
    }

    fn at(&self, scale: i64) -> BigInt {
        &self.mantissa * ten(scale - self.scale)
    }

    fn order(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at(scale).cmp(&other.at(scale))
    }

    /// Whether it has a form within 28 digits and 28 places.
    fn fits(&self) -> bool {
        let (mut mantissa, mut scale) = (self.mantissa.clone(), self.scale);
        if mantissa == zero() {
            return true;
        }
        while scale > 0 && &mantissa % 10 == zero() {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        while scale < 0 {
            (mantissa, scale) = (mantissa * 10, scale + 1);
        }
        scale <= i64::from(MAX_DIGITS) && digits(&mantissa) <= MAX_DIGITS
    }
}

fn digits(number: &BigInt) -> u32 {
    number.to_string().trim_start_matches('-').len() as u32
}

/// The integer next to `a / b` by a rounding.
fn divided(a: &BigInt, b: &BigInt, rounding: Rounding) -> BigInt {
    let (quotient, rest) = (a / b, a % b);
    if rest == zero() {
        return quotient;
    }
    let negative = (rest.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    let half = (rest.magnitude() * 2_u32).cmp(b.magnitude());
    let away = match rounding {
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfDown => half.is_gt(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && &quotient % 2 != zero()),
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
    };
    match (away, negative) {
        (false, _) => quotient,
        (true, false) => quotient + 1,
        (true, true) => quotient - 1,
    }
}

/// The exact quotient if it has an end.
fn quotient(a: &Exact, b: &Exact) -> Option<Exact> {
    // Within 28 digits, no quotient of such numbers has more than 28 + 28 + 94 places (94: 2^94 > 10^28).
    const PLACES: i64 = 160;
    let dividend = &a.mantissa * ten(PLACES);
    (&dividend % &b.mantissa == zero())
        .then(|| Exact { mantissa: dividend / &b.mantissa, scale: PLACES + a.scale - b.scale })
}

fn decimal(dice: &mut Dice) -> Decimal {
    let most = 10_i128.pow(MAX_DIGITS) - 1;
    let wide = (i128::from(dice.roll()) << 64) | i128::from(dice.roll());
    let mantissa = match dice.below(8) {
        0 => i128::from(dice.below(20) as i64 - 10),
        1 => i128::from(dice.roll() as i64 % 100_000),
        2 => i128::from(dice.roll() as i64),
        3 => wide % most,
        4 => most - i128::from(dice.below(3) as i64),
        // Few factors but 2 and 5: quotients that end, products that end in zeros.
        5 => 2_i128.pow(dice.below(60) as u32) * 5_i128.pow(dice.below(12) as u32) % most,
        6 => 10_i128.pow(dice.below(28) as u32) * i128::from(dice.below(9) as i64 + 1) % (most + 1),
        _ => wide % 10_i128.pow(dice.below(28) as u32 + 1),
    };
    let sign = if dice.one_in(2) { -1 } else { 1 };
    let scale = if dice.one_in(2) { dice.below(6) } else { dice.below(29) };
    Decimal::new(mantissa * sign, scale as u32).expect("in range")
}

/// What two numbers come to.
type Expected = Box<dyn Fn(&Exact, &Exact) -> Option<Exact>>;

/// An expression over two numbers of the data, and what it must come to: `None` where that is an error.
struct Law {
    text: String,
    expected: Expected,
    /// How many places the result has to have, where that is said.
    places: Option<u32>,
}

fn laws() -> Vec<Law> {
    fn law(text: impl Into<String>, expected: impl Fn(&Exact, &Exact) -> Option<Exact> + 'static) -> Law {
        Law { text: text.into(), expected: Box::new(expected), places: None }
    }
    let sum = |a: &Exact, b: &Exact| {
        let scale = a.scale.max(b.scale);
        Some(Exact { mantissa: a.at(scale) + b.at(scale), scale })
    };
    let remainder = |a: &Exact, b: &Exact| {
        let scale = a.scale.max(b.scale);
        (b.mantissa != zero()).then(|| Exact { mantissa: a.at(scale) % b.at(scale), scale })
    };
    let mut laws = vec![
        law("record.a + record.b", sum),
        law("record.a - record.b", move |a, b| sum(a, &Exact { mantissa: -&b.mantissa, scale: b.scale })),
        law("record.a * record.b", |a, b| {
            Some(Exact { mantissa: &a.mantissa * &b.mantissa, scale: a.scale + b.scale })
        }),
        law("record.a / record.b", |a, b| if b.mantissa == zero() { None } else { quotient(a, b) }),
        law("record.a % record.b", remainder),
        law("modulo(record.a, record.b)", move |a, b| {
            let rest = remainder(a, b)?;
            let opposite =
                rest.mantissa != zero() && (rest.mantissa.sign() == Sign::Minus) != (b.mantissa.sign() == Sign::Minus);
            if opposite { sum(&rest, b) } else { Some(rest) }
        }),
        law("-record.a", |a, _| Some(Exact { mantissa: -&a.mantissa, scale: a.scale })),
        law("abs(record.a)", |a, _| {
            Some(Exact { mantissa: BigInt::from(a.mantissa.magnitude().clone()), scale: a.scale })
        }),
        law("sum([record.a, record.b])", sum),
        law("record.a < record.b ? 1 : 0", |a, b| {
            Some(Exact { mantissa: BigInt::from(i32::from(a.order(b).is_lt())), scale: 0 })
        }),
        law("record.a == record.b ? 1 : 0", |a, b| {
            Some(Exact { mantissa: BigInt::from(i32::from(a.order(b).is_eq())), scale: 0 })
        }),
        law("max(record.a, record.b)", |a, b| Some(if a.order(b).is_ge() { a.clone() } else { b.clone() })),
        law("clamp(record.a, -1000.5, 1000.5)", |a, _| {
            let bound = Exact::read("1000.5");
            let low = Exact { mantissa: -&bound.mantissa, scale: 1 };
            Some(if a.order(&low).is_lt() {
                low
            } else if a.order(&bound).is_gt() {
                bound
            } else {
                a.clone()
            })
        }),
        law("power(record.a, 3)", |a, _| Some(Exact { mantissa: a.mantissa.pow(3), scale: a.scale * 3 })),
        law("trim_zeros(record.a)", |a, _| Some(a.clone())),
        law("decimal(string(record.a))", |a, _| Some(a.clone())),
        law("parse_number(format_number(record.a, 28, \"de\"), \"de\")", |a, _| {
            (digits(&a.at(28)) <= MAX_DIGITS).then(|| a.clone())
        }),
    ];
    for (name, rounding) in Rounding::ALL {
        for places in [0_u32, 2, 5, 17, 28] {
            let fitting = move |mantissa: BigInt| {
                (digits(&mantissa) <= MAX_DIGITS).then(|| Exact { mantissa, scale: i64::from(places) })
            };
            let round = law(format!("round(record.a, {places}, \"{name}\")"), move |a, _| {
                fitting(divided(&(&a.mantissa * ten(i64::from(places))), &ten(a.scale), *rounding))
            });
            let div = law(format!("div(record.a, record.b, {places}, \"{name}\")"), move |a, b| {
                let scale = i64::from(places);
                (b.mantissa != zero())
                    .then(|| divided(&(&a.mantissa * ten(scale + b.scale)), &(&b.mantissa * ten(a.scale)), *rounding))
                    .and_then(fitting)
            });
            let sqrt = law(format!("sqrt(record.a, {places}, \"{name}\")"), move |a, _| {
                if a.mantissa.sign() == Sign::Minus {
                    return None;
                }
                // Two digits more than are asked for decide, with a third that says whether anything is left.
                let wide = &a.mantissa * ten(2 * (i64::from(places) + 2) + a.scale);
                let wide = wide / ten(2 * a.scale);
                let exact = &a.mantissa * ten(2 * (i64::from(places) + 2)) % ten(a.scale) == zero();
                let root = wide.sqrt();
                let rest = i32::from(!exact || &root * &root != wide);
                fitting(divided(&(root * 10 + rest), &BigInt::from(1000), *rounding))
            });
            laws.extend([round, div, sqrt].map(|law| Law { places: Some(places), ..law }));
        }
    }
    laws
}

fn number_environment(kind: &Type) -> Environment {
    let field = |name: &str| Field {
        name: name.into(),
        kind: kind.clone(),
        required: true,
        nullable: false,
        classes: crate::record::ClassSet::NONE,
    };
    let record = Type::Record { fields: vec![field("a"), field("b")], open: false };
    Environment { bindings: vec![Binding::new("record", record, Bind::Record)], ..Environment::default() }
}

/// The values of `record.a` and `record.b`, as the projection asks for them.
fn slots<'a>(projection: &Projection, a: Value<'a>, b: Value<'a>) -> Vec<Value<'a>> {
    projection.paths.iter().map(|path| if *path == Path::key("a") { a } else { b }).collect()
}

#[test]
fn no_digit_is_lost() {
    let environment = number_environment(&Type::Decimal);
    let laws: Vec<(Law, Program, Projection)> = laws()
        .into_iter()
        .map(|law| {
            let mut projection = Projection::default();
            let program = compile(&law.text, &environment, &mut projection).expect("compiles");
            (law, program, projection)
        })
        .collect();
    let mut dice = Dice(1);
    let mut arena = Arena::new();
    let (mut results, mut errors) = (0, 0);
    for round in 0..evaluations(40) {
        arena.reset();
        let (a, b) = (decimal(&mut dice), decimal(&mut dice));
        let (a_text, b_text) = (a.to_string(), b.to_string());
        let (law, program, projection) = dice.pick(&laws);
        let slots = slots(
            projection,
            Value::Number(&a_text),
            if round % 2 == 0 { Value::Number(&b_text) } else { Value::Decimal(b) },
        );
        let now = Timestamp { seconds: 0, nanos: 0, offset: 0 };
        let found = program.eval(&Frame {
            slots: &slots,
            value: Value::Missing,
            arena: &arena,
            now: now.into(),
            locals: Locals::default(),
        });
        let (x, y) = (Exact::of(a), Exact::of(b));
        let expected = (law.expected)(&x, &y).filter(Exact::fits);
        let context = || format!("{} with a = {a_text}, b = {b_text}", law.text);
        match (found, expected) {
            (Ok(value), Some(expected)) => {
                let mut text = Vec::new();
                format_value(&value, &mut text);
                let text = String::from_utf8(text).expect("text");
                assert!(!matches!(value, Value::Double(_)), "{}: a double", context());
                assert!(Exact::read(&text).order(&expected).is_eq(), "{}: {text}, not {expected:?}", context());
                if let (Some(places), Value::Decimal(value)) = (law.places, value) {
                    assert_eq!(value.scale(), places, "{}", context());
                }
                results += 1;
            }
            (Err(_), None) => errors += 1,
            (found, expected) => panic!("{}: {found:?}, expected {expected:?}", context()),
        }
    }
    assert!(results > errors / 4, "{results} results, {errors} errors");
}

#[test]
fn an_integer_that_overflows_is_an_error() {
    let environment = number_environment(&Type::Int);
    let programs: Vec<(&str, Program, Projection)> = ["+", "-", "*", "/", "%"]
        .into_iter()
        .map(|sign| {
            let mut projection = Projection::default();
            let text = format!("record.a {sign} record.b");
            (sign, compile(&text, &environment, &mut projection).expect("compiles"), projection)
        })
        .collect();
    let mut dice = Dice(2);
    let arena = Arena::new();
    let int = |dice: &mut Dice| match dice.below(4) {
        0 => i64::MIN + dice.below(2) as i64,
        1 => i64::MAX - dice.below(2) as i64,
        2 => dice.below(7) as i64 - 3,
        _ => dice.roll() as i64 >> dice.below(63),
    };
    for _ in 0..evaluations(10) {
        let (a, b) = (int(&mut dice), int(&mut dice));
        let (sign, program, projection) = dice.pick(&programs);
        let slots = slots(projection, Value::Int(a), Value::Int(b));
        let now = Timestamp { seconds: 0, nanos: 0, offset: 0 };
        let found = program
            .eval(&Frame {
                slots: &slots,
                value: Value::Missing,
                arena: &arena,
                now: now.into(),
                locals: Locals::default(),
            })
            .ok();
        let (x, y) = (BigInt::from(a), BigInt::from(b));
        let divisible = b != 0 && &x % &y == zero();
        let expected = match *sign {
            "+" => Some(x + y),
            "-" => Some(x - y),
            "*" => Some(x * y),
            "/" => divisible.then(|| x / y),
            _ => (b != 0).then(|| x % y),
        };
        let expected = expected.and_then(|number| i64::try_from(number).ok());
        match (found, expected) {
            (Some(Value::Int(found)), Some(expected)) => assert_eq!(found, expected, "{a} {sign} {b}"),
            // An exact quotient with a fraction.
            (Some(Value::Decimal(_)), None) if *sign == "/" && b != 0 && !divisible => {}
            // The remainder of the least int by -1 is not computed.
            (None, Some(_)) if *sign == "%" && b == -1 => {}
            (None, None) => {}
            (None, expected) if *sign == "/" && !divisible => assert_eq!(expected, None),
            (found, expected) => panic!("{a} {sign} {b}: {found:?}, expected {expected:?}"),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Anything at all.

/// Texts that mean something to some function, and some that mean nothing to any.
const WORDS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "ß",
    "é",
    "e\u{301}",
    "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F466}",
    "\u{202e}x",
    "\u{0}",
    "İ",
    "ﬃ",
    "ǆ",
    "EUR",
    "JPY",
    "978",
    "XAU",
    "half_up",
    "half_even",
    "floor",
    "Europe/Berlin",
    "America/New_York",
    "UTC",
    "+14:00",
    "-23:59",
    "%Y-%m-%d",
    "%d.%m.%Y %H:%M:%S.%f %z",
    "d/m/y",
    "any",
    "iso",
    "http",
    "us",
    "de",
    "en",
    "in",
    ",.",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "hour",
    "second",
    "NFC",
    "NFKD",
    "levenshtein",
    "(a+)+$",
    "(?<x>a)|(b)",
    "[a-z]+",
    "$1-${x}$$",
    "\\d{1,3}",
    "2024-02-29",
    "2024-02-29T23:59:59Z",
    "31.12.9999",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "12/31/1999 11:59 PM",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "1.234,56",
    "1,234",
    "-0.000",
    "99999999999999999999999999999",
    "1e400",
    "P1DT2H",
    "1h30m",
    "anna@b.example",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "héllo wörld",
    "orderLine_ID HTTPServer2Go",
    "0",
    "1",
    "-1",
    "aGVsbG8=",
    "68656c6c6f",
    "true",
    "null",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "28",
    "29",
    "60",
    "100",
    "1000",
    "-5",
    "0.1",
    "-0.5",
    "1.50",
    "2.345",
    "9223372036854775807",
    "-9223372036854775808",
    "9999999999999999999999999999",
    "0.0000000000000000000000000001",
    "1700000000",
    "253402300799",
    "45382",
];

/// Expressions by the type they have: leaves to build from. All examples of all functions are among them.
struct Seeds(Vec<(Type, String)>);

impl Seeds {
    fn new() -> Self {
        let environment = environment();
        let mut seeds = Vec::new();
        let mut add = |text: String| {
            if let Ok(program) = compile(&text, &environment, &mut Projection::default()) {
                seeds.push((program.kind().clone(), text));
            }
        };
        for word in WORDS {
            add(format!("{word:?}").replace("\\'", "'"));
        }
        for number in NUMBERS {
            add((*number).to_string());
        }
        for text in [
            "true",
            "false",
            "null",
            "[]",
            "[1, 2, 3]",
            "[\"a\", \"b\"]",
            "{\"a\": 1}",
            "{}",
            "b\"\\x00\\xff\"",
            "2u",
            "double(\"1.5\")",
            "double(\"NaN\")",
            "[[1], []]",
            "[{\"a\": 1}, {\"a\": 2}]",
            "now()",
            "date(\"2024-02-29\")",
            "duration(\"36h\")",
            "[record.dec, record.int]",
            "record",
            "value",
            "[1.5, \"x\", null]",
            "{1: 2}",
            "timestamp(0)",
        ] {
            add(text.to_string());
        }
        for name in [
            "text", "int", "dec", "dbl", "flag", "when", "on", "span", "tags", "nums", "any", "more.x", "more.y", "raw",
        ] {
            add(format!("record.{name}"));
        }
        for function in functions::all() {
            for example in function.spec.examples {
                add(example.text.to_string());
            }
        }
        Self(seeds)
    }

    fn of(&self, kinds: Kinds, dice: &mut Dice) -> &str {
        for _ in 0..40 {
            let (kind, text) = dice.pick(&self.0);
            if (kinds.meets(Kinds::of_type(kind)) && *kind != Type::Dyn) || dice.one_in(25) {
                return text;
            }
        }
        "record.any"
    }
}

fn environment() -> Environment {
    let field = |name: &str, kind: Type| Field {
        name: name.into(),
        kind,
        required: false,
        nullable: true,
        classes: crate::record::ClassSet::NONE,
    };
    let fields = vec![
        field("text", Type::String),
        field("int", Type::Int),
        field("dec", Type::Decimal),
        field("dbl", Type::Double),
        field("flag", Type::Bool),
        field("when", Type::Timestamp),
        field("on", Type::Date),
        field("span", Type::Duration),
        field("raw", Type::Bytes),
        field("tags", Type::List(Box::new(Type::String))),
        field("nums", Type::List(Box::new(Type::Decimal))),
        field("any", Type::Dyn),
        field("more", Type::Record { fields: Vec::new(), open: true }),
    ];
    Environment {
        bindings: vec![
            Binding::new("value", Type::Dyn, Bind::Value),
            Binding::new("record", Type::Record { fields, open: false }, Bind::Record),
        ],
        ..Environment::default()
    }
}

/// The text of an expression that should have one of these kinds.
fn expression(
    kinds: Kinds,
    depth: usize,
    seeds: &Seeds,
    all: &[&'static functions::Function],
    dice: &mut Dice,
) -> String {
    if depth == 0 || dice.one_in(4) {
        return seeds.of(kinds, dice).to_string();
    }
    let part = |kinds: Kinds, dice: &mut Dice| expression(kinds, depth - 1, seeds, all, dice);
    match dice.below(12) {
        0 => {
            let sign = *dice.pick(&["+", "-", "*", "/", "%"]);
            format!("({}) {sign} ({})", part(kinds, dice), part(kinds, dice))
        }
        1 => {
            let sign = *dice.pick(&["==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"]);
            format!("({}) {sign} ({})", part(Kinds::ANY, dice), part(Kinds::ANY, dice))
        }
        2 => format!("({}) ? ({}) : ({})", part(Kinds::BOOL, dice), part(kinds, dice), part(kinds, dice)),
        3 => {
            let name = *dice.pick(&["all", "exists", "exists_one", "filter", "map"]);
            let body = if name == "map" { kinds } else { Kinds::BOOL };
            format!("({}).{name}(x, {})", part(Kinds::LIST, dice), part(body, dice))
        }
        4 => format!("[{}, {}]", part(kinds, dice), part(kinds, dice)),
        5 => format!("({})[{}]", part(Kinds::LIST.or(Kinds::MAP), dice), part(Kinds::INT.or(Kinds::TEXT), dice)),
        _ => {
            let function = dice.pick(all);
            let spec = &function.spec;
            let mut arguments: Vec<String> = Vec::new();
            for (index, parameter) in spec.parameters.iter().enumerate() {
                if parameter.optional && dice.one_in(2) {
                    break;
                }
                // A constant that the function knows is more likely to get far.
                let example = dice.pick(spec.examples).text;
                let constant = quoted(example, index.saturating_sub(1));
                arguments.push(match constant {
                    Some(text) if index > 0 && parameter.kinds == Kinds::TEXT && !dice.one_in(4) => text.to_string(),
                    _ => part(parameter.kinds, dice),
                });
            }
            if spec.variadic {
                for _ in 0..dice.below(3) {
                    arguments.push(part(Kinds::ANY, dice));
                }
            }
            format!("{}({})", spec.name, arguments.join(", "))
        }
    }
}

/// The n-th text literal of an example, with its quotes.
fn quoted(text: &str, n: usize) -> Option<&str> {
    let marks: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    let (start, end) = (*marks.get(n * 2)?, *marks.get(n * 2 + 1)?);
    (!text[start..end].contains('\\')).then(|| &text[start..=end])
}

fn any_value<'a>(kind: &Type, depth: usize, arena: &'a Arena, dice: &mut Dice) -> Value<'a> {
    if dice.one_in(12) {
        return *dice.pick(&[Value::Missing, Value::Null]);
    }
    let seconds = |dice: &mut Dice| match dice.below(4) {
        0 => -62_135_596_800 + dice.below(90_000) as i64,
        1 => 253_402_300_799 - dice.below(90_000) as i64,
        _ => dice.roll() as i64 % 4_000_000_000,
    };
    match kind {
        Type::String => {
            let word = *dice.pick(WORDS);
            let times = if dice.one_in(50) { 500 } else { 1 };
            Value::String(arena.alloc_str(&word.repeat(times)))
        }
        Type::Int => Value::Int(match dice.below(3) {
            0 => *dice.pick(&[i64::MIN, i64::MAX, 0, -1]),
            _ => dice.roll() as i64 >> dice.below(63),
        }),
        Type::Decimal if dice.one_in(2) => Value::Decimal(decimal(dice)),
        Type::Decimal => Value::Number(dice.pick::<&str>(NUMBERS)),
        Type::Double => {
            Value::Double(*dice.pick(&[0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e300, -7.25]))
        }
        Type::Bool => Value::Bool(dice.one_in(2)),
        Type::Timestamp => {
            let offset = (dice.below(2879) as i32 - 1439) * 60;
            Timestamp::new(seconds(dice), dice.below(1_000_000_000) as u32)
                .map_or(Value::Missing, |moment| Value::Timestamp(Timestamp { offset, ..moment }))
        }
        Type::Date => Value::Date(Date { days: (seconds(dice) / 86_400) as i32 }),
        Type::Duration => Duration::from_nanos(i128::from(dice.roll() as i64) << dice.below(6))
            .map_or(Value::Missing, Value::Duration),
        Type::Bytes => Value::Bytes(arena.alloc_slice_copy(&dice.roll().to_le_bytes()[..dice.below(9)])),
        Type::List(inner) => {
            let count = if dice.one_in(40) { 200 } else { dice.below(5) };
            let items: Vec<Value<'a>> = (0..count).map(|_| any_value(inner, depth, arena, dice)).collect();
            let items: Vec<Value<'a>> =
                items.into_iter().map(|v| if v.is_missing() { Value::Null } else { v }).collect();
            Value::List(arena.alloc_slice_copy(&items))
        }
        Type::Record { fields, .. } if !fields.is_empty() => {
            let entries: Vec<(&str, Value<'a>)> = fields
                .iter()
                .map(|field| (&*arena.alloc_str(&field.name), any_value(&field.kind, 1, arena, dice)))
                .filter(|(_, value)| !value.is_missing())
                .collect();
            Value::Map(arena.alloc_slice_copy(&entries))
        }
        _ => {
            let kinds = [
                Type::String,
                Type::Int,
                Type::Decimal,
                Type::Double,
                Type::Bool,
                Type::Timestamp,
                Type::Date,
                Type::Duration,
                Type::Bytes,
            ];
            match dice.below(12) {
                10 if depth > 0 => any_value(&Type::List(Box::new(Type::Dyn)), depth - 1, arena, dice),
                11 if depth > 0 => {
                    let entries: Vec<(&str, Value<'a>)> = ["x", "y", "é"]
                        .into_iter()
                        .map(|key| (key, any_value(&Type::Dyn, depth - 1, arena, dice)))
                        .filter(|(_, value)| !value.is_missing())
                        .collect();
                    Value::Map(arena.alloc_slice_copy(&entries))
                }
                n => any_value(&kinds[n % kinds.len()], depth, arena, dice),
            }
        }
    }
}

/// Whether a value is of a static type, absent or not.
fn has_type(value: &Value<'_>, kind: &Type) -> bool {
    match (kind, value) {
        (_, Value::Missing | Value::Null) => true,
        // A uint beside other numbers stays one, and the type of both is decimal.
        (Type::Decimal, Value::Uint(_)) => true,
        (Type::List(inner), Value::List(items)) => items.iter().all(|item| has_type(item, inner)),
        _ => Kinds::of_type(kind).meets(Kinds::of(value)),
    }
}

#[test]
fn whatever_is_written_ends_within_its_limits() {
    let environment = environment();
    let record = environment.bindings[1].kind.clone();
    let seeds = Seeds::new();
    let all: Vec<&'static functions::Function> = functions::all().collect();
    let mut dice = Dice(3);
    let mut arena = Arena::new();
    let (mut done, mut results, mut wrong) = (0, 0, Vec::new());
    let wanted = evaluations(20);
    while done < wanted {
        let depth = dice.below(4);
        let text = expression(Kinds::ANY, depth, &seeds, &all, &mut dice);
        let mut projection = Projection::default();
        let Ok(program) = compile(&text, &environment, &mut projection) else { continue };
        for _ in 0..8 {
            arena.reset();
            let slots: Vec<Value<'_>> = projection
                .paths
                .iter()
                .map(|path| any_value(&record.at(path).unwrap_or_default(), 2, &arena, &mut dice))
                .collect();
            let value = any_value(&Type::Dyn, 2, &arena, &mut dice);
            let now = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 };
            let before = arena.allocated_bytes();
            let frame = Frame { slots: &slots, value, arena: &arena, now: now.into(), locals: Locals::default() };
            let found = program.eval(&frame);
            let taken = arena.allocated_bytes() - before;
            // An arena grows by doubling, and lists and texts in it do too.
            assert!(taken <= functions::MAX_MEMORY * 4, "{text} took {taken} bytes");
            done += 1;
            let Ok(value) = found else { continue };
            results += 1;
            if !has_type(&value, program.kind()) && wrong.len() < 40 {
                wrong.push(format!("{text} is {} {value:?}, with {slots:?}", program.kind()));
                break;
            }
            let again = program.eval(&frame).expect("as before");
            let (mut one, mut other) = (Vec::new(), Vec::new());
            format_value(&value, &mut one);
            format_value(&again, &mut other);
            assert_eq!(one, other, "{text} has two results");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(results > done / 4, "{results} results of {done}");
}
