//! Proposes which field of a source goes to which field of a target: by name, type, data class and
//! the values of a sample. A proposal says how sure it is and why, and is never more than one.

mod words;

use crate::record::{ClassSet, Field, Path, Type, suspect};

/// A field on one side, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// Its path.
    pub path: String,
    /// Its type; [`Type::Dyn`] if unknown.
    pub kind: Type,
    /// Its classes, declared.
    pub classes: ClassSet,
    /// Whether it must be there.
    pub required: bool,
    /// Some of its values as text, where there is a sample.
    pub samples: Vec<String>,
}

/// A pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Index of the source field.
    pub source: usize,
    /// Index of the target field.
    pub target: usize,
    /// How sure, in per cent.
    pub confidence: u8,
    /// Why, in a few words.
    pub why: String,
}

/// Every field of a record as a candidate: fields of objects by their paths.
pub fn of_fields(fields: &[Field]) -> Vec<Candidate> {
    fn below(fields: &[Field], around: &str, out: &mut Vec<Candidate>) {
        for field in fields {
            let path = format!("{around}{}", Path::key(&field.name));
            match &field.kind {
                Type::Record { fields, .. } if !fields.is_empty() => below(fields, &format!("{path}."), out),
                kind => out.push(Candidate {
                    path,
                    kind: kind.clone(),
                    classes: field.classes,
                    required: field.required && !field.nullable,
                    samples: Vec::new(),
                }),
            }
        }
    }
    let mut out = Vec::new();
    below(fields, "", &mut out);
    out
}

/// Below this nothing is proposed: a wrong pair costs more than a missing one.
const LEAST: f64 = 0.45;
/// How much each kind of evidence weighs; what is not known leaves the others to decide.
const NAME: f64 = 0.72;
const KIND: f64 = 0.10;
const CLASS: f64 = 0.10;
const VALUES: f64 = 0.08;

/// The best pair for each target field that has one. A source field may serve several targets only if
/// no other is left for them and the names agree wholly.
pub fn propose(source: &[Candidate], target: &[Candidate]) -> Vec<Pair> {
    let sides = [source, target].map(|side| side.iter().map(|field| words::of(&field.path)).collect::<Vec<_>>());
    let common = [words::shared(&sides[0]), words::shared(&sides[1])];
    let mut scored: Vec<(f64, Pair)> = Vec::new();
    for (t, wanted) in target.iter().enumerate() {
        for (s, offered) in source.iter().enumerate() {
            let (name, why) = words::similarity((&sides[0][s], &common[0]), (&sides[1][t], &common[1]));
            let Some((score, more)) = judge(offered, wanted, name) else { continue };
            if score >= LEAST {
                let confidence = (score * 100.0).round().clamp(1.0, 99.0) as u8;
                let why = [why.to_string(), more].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
                scored.push((score, Pair { source: s, target: t, confidence, why: why.join(", ") }));
            }
        }
    }
    // The surest first; of equals the one whose place in its record is the nearer one.
    let place = |pair: &Pair| {
        let share = |at: usize, of: usize| at as f64 / of.max(1) as f64;
        (share(pair.source, source.len()) - share(pair.target, target.len())).abs()
    };
    scored.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then(place(one).total_cmp(&place(other))).then(one.target.cmp(&other.target))
    });
    let mut pairs: Vec<Pair> = Vec::new();
    for free in [true, false] {
        for (score, pair) in &scored {
            let taken = pairs.iter().any(|known| known.source == pair.source);
            let done = pairs.iter().any(|known| known.target == pair.target);
            if !done && (!taken || (!free && *score > 0.5)) {
                pairs.push(pair.clone());
            }
        }
    }
    pairs.sort_by_key(|pair| pair.target);
    pairs
}

/// All evidence together; `None` where the two cannot be one thing.
fn judge(source: &Candidate, target: &Candidate, name: f64) -> Option<(f64, String)> {
    let mut why = Vec::new();
    let (mut sum, mut weight) = (name * NAME, NAME);
    if source.kind != Type::Dyn && target.kind != Type::Dyn {
        let fit = kinds(&source.kind, &target.kind);
        if fit == 0.0 && name < 0.9 {
            return None;
        }
        sum += fit * KIND;
        weight += KIND;
    }
    let classes = |field: &Candidate| match field.classes.is_empty() {
        true => suspect::by_name(field.path.rsplit('.').next().unwrap_or_default()),
        false => field.classes,
    };
    let (one, other) = (classes(source), classes(target));
    if !one.is_empty() && !other.is_empty() {
        let meet = one.iter().any(|a| other.iter().any(|b| a.is_within(b) || b.is_within(a)));
        sum += if meet { CLASS } else { 0.0 };
        weight += CLASS;
        if meet {
            why.push("same data class");
        }
    }
    if !source.samples.is_empty() && !target.samples.is_empty() {
        let alike = values(&source.samples, &target.samples);
        sum += alike * VALUES;
        weight += VALUES;
        if alike > 0.8 {
            why.push("like values");
        }
    }
    Some((sum / weight, why.join(", ")))
}

/// How well a value of one type serves as the other: 1 the same, 0 not at all.
fn kinds(source: &Type, target: &Type) -> f64 {
    let number = |kind: &Type| matches!(kind, Type::Int | Type::Uint | Type::Decimal | Type::Double);
    let moment = |kind: &Type| matches!(kind, Type::Timestamp | Type::Date);
    match (source, target) {
        (a, b) if a == b => 1.0,
        (a, b) if (number(a) && number(b)) || (moment(a) && moment(b)) => 0.8,
        (Type::Dyn, _) | (_, Type::Dyn) => 0.6,
        (Type::String, other) | (other, Type::String) if number(other) || moment(other) || *other == Type::Bool => 0.5,
        (Type::Bool, other) | (other, Type::Bool) if number(other) => 0.4,
        _ => 0.0,
    }
}

/// How alike two samples are: the form of their values, and values that are in both.
fn values(one: &[String], other: &[String]) -> f64 {
    let shared = one.iter().filter(|value| other.contains(value)).count();
    let part = shared as f64 / one.len().min(other.len()).max(1) as f64;
    let forms = |side: &[String]| {
        let mut found: Vec<String> = side.iter().map(|value| form(value)).collect();
        found.sort();
        found.dedup();
        found
    };
    let (a, b) = (forms(one), forms(other));
    let alike = a.iter().filter(|form| b.contains(form)).count() as f64 / a.len().max(b.len()).max(1) as f64;
    part.max(alike * 0.9)
}

/// A value's form: runs of digits as `9`, of letters as `a`, everything else as it is.
fn form(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars().take(40) {
        let mark = if c.is_ascii_digit() {
            '9'
        } else if c.is_alphabetic() {
            'a'
        } else {
            c
        };
        if !out.ends_with(mark) || !matches!(mark, '9' | 'a') {
            out.push(mark);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(text: &str) -> Vec<Candidate> {
        text.split(' ')
            .map(|part| {
                let (path, kind) = part.split_once(':').unwrap_or((part, "any"));
                Candidate { path: path.into(), kind: Type::named(kind).unwrap(), ..Candidate::default() }
            })
            .collect()
    }

    /// The pairs as `target<source`.
    #[track_caller]
    fn check(source: &str, target: &str, expected: &str) {
        let (source, target) = (side(source), side(target));
        let pairs: Vec<String> = propose(&source, &target)
            .iter()
            .map(|pair| format!("{}<{}", target[pair.target].path, source[pair.source].path))
            .collect();
        assert_eq!(pairs.join(" "), expected);
    }

    #[test]
    fn names_are_compared_by_their_words() {
        check(
            "SupplierID CompanyName ContactName",
            "supplier_id company contact",
            "supplier_id<SupplierID company<CompanyName contact<ContactName",
        );
        check(
            "qty unit_price cust_no",
            "quantity price customer_number",
            "quantity<qty price<unit_price customer_number<cust_no",
        );
        check(
            "first_name last_name zip",
            "given family postal_code",
            "given<first_name family<last_name postal_code<zip",
        );
        check("created_at id email", "ordered serial colour", "");
        check("address.street address.city", "street city", "street<address.street city<address.city");
        check("Titel Menge Preis", "title quantity price", "title<Titel quantity<Menge price<Preis");
    }

    #[test]
    fn types_and_classes_decide_between_like_names() {
        check("order_date:date order_id:int", "order:int date:date", "order<order_id date<order_date");
        check("tags:list", "tag:int", "");
        let source = side("contact phone_2");
        let mut target = side("reach");
        target[0].classes = suspect::by_name("phone");
        assert!(propose(&source, &target).is_empty(), "a class alone is no reason");
    }

    #[test]
    fn values_are_compared_by_form() {
        let text = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(form("DE89 3704-0044"), "a9 9-9");
        assert!(values(&text(&["A1", "B2"]), &text(&["C3"])) > 0.8);
        assert!(values(&text(&["A1"]), &text(&["2024-01-01"])) < 0.1);
    }

    #[test]
    fn nothing_and_too_much_is_no_panic() {
        check("a", "", "");
        let many: Vec<Candidate> = (0..60).flat_map(|n| side(&format!("field_{n}"))).collect();
        assert_eq!(propose(&many, &many).len(), 60);
    }
}
