//! How much of a text an expression leaves, to judge by how it is written: what `left`, `right` and
//! `substring` cut out of it.

use super::ast::{Expr, Kind, Operator};
use super::parse::parse;

/// What stays of a text at its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Characters at its beginning.
    pub first: u32,
    /// Characters at its end.
    pub last: u32,
    /// Perhaps all of it: nothing is cut, or nobody can tell.
    pub whole: bool,
    /// Whether the expression asks that the text has 16 characters where more than six stay.
    pub sixteen: bool,
}

impl Kept {
    const NOTHING: Self = Self { first: 0, last: 0, whole: false, sixteen: false };
    const WHOLE: Self = Self { whole: true, ..Self::NOTHING };

    fn and(self, other: Self) -> Self {
        // Where one part leaves nothing, only the other's length matters.
        let sixteen = |one: Self| one.sixteen || (one.first <= 6 && !one.whole);
        Self {
            first: self.first.max(other.first),
            last: self.last.max(other.last),
            whole: self.whole || other.whole,
            sixteen: sixteen(self) && sixteen(other) && (self.sixteen || other.sixteen),
        }
    }
}

/// What an expression leaves of the one text it is about; `None` if it cannot be read, or cuts nothing.
pub fn kept(text: &str) -> Option<Kept> {
    let found = of(&parse(text).ok()?);
    (!found.whole).then_some(found)
}

/// How many arguments the first call of a function has, and the whole numbers among them; `None` if there is no
/// such call, or the text cannot be read.
pub fn arguments(text: &str, function: &str) -> Option<Vec<Option<u32>>> {
    fn find<'e>(expr: &'e Expr, function: &str) -> Option<Vec<&'e Expr>> {
        let inside: Vec<&Expr> = match &expr.kind {
            Kind::Call { target, name, arguments, .. } => {
                let all: Vec<&Expr> = target.as_deref().into_iter().chain(arguments).collect();
                if name == function {
                    return Some(all);
                }
                all
            }
            Kind::Select { base, .. } => vec![base],
            Kind::Index { base, index, .. } => vec![base, index],
            Kind::List(items) => items.iter().map(|(_, item)| item).collect(),
            Kind::Map(items) => items.iter().flat_map(|(_, key, value)| [key, value]).collect(),
            Kind::Not(inner) | Kind::Negate(inner) => vec![inner],
            Kind::Binary(_, left, right) => vec![left, right],
            Kind::Conditional(condition, yes, no) => vec![condition, yes, no],
            _ => Vec::new(),
        };
        inside.into_iter().find_map(|expr| find(expr, function))
    }
    let tree = parse(text).ok()?;
    find(&tree, function).map(|all| all.into_iter().map(number).collect())
}

fn of(expr: &Expr) -> Kept {
    match &expr.kind {
        Kind::Text(_) | Kind::Integer(_) | Kind::Unsigned(_) | Kind::Bool(_) | Kind::Null | Kind::Real(_) => {
            Kept::NOTHING
        }
        Kind::Binary(Operator::Add, left, right) => of(left).and(of(right)),
        Kind::Conditional(condition, yes, no) => {
            let yes = Kept { sixteen: asks_for_sixteen(condition), ..of(yes) };
            yes.and(of(no))
        }
        Kind::Call { target, name, arguments, .. } => {
            let all: Vec<&Expr> = target.as_deref().into_iter().chain(arguments).collect();
            call(name, &all)
        }
        _ => Kept::WHOLE,
    }
}

fn call(name: &str, arguments: &[&Expr]) -> Kept {
    match (name, arguments) {
        ("left" | "take", [text, count]) => whole(text).map_or_else(|| of(text), |()| first(number(count))),
        ("right", [text, count]) => whole(text).map_or_else(|| of(text), |()| last(number(count))),
        ("substring" | "slice", [text, from, rest @ ..]) if whole(text).is_some() => {
            match (number(from), from_end(from), rest) {
                (Some(0), _, [to]) => first(number(to)),
                (_, Some(count), []) => last(Some(count)),
                _ => Kept::WHOLE,
            }
        }
        ("repeat", [text, _]) => of(text),
        ("concat" | "format" | "join", parts) => parts.iter().map(|part| of(part)).fold(Kept::NOTHING, Kept::and),
        ("string" | "trim" | "digits" | "lower" | "upper", [text, ..]) => of(text),
        _ => Kept::WHOLE,
    }
}

/// Whether a part is the text itself, of which nothing was cut yet.
fn whole(expr: &Expr) -> Option<()> {
    of(expr).whole.then_some(())
}

fn first(count: Option<u32>) -> Kept {
    count.map_or(Kept::WHOLE, |first| Kept { first, ..Kept::NOTHING })
}

fn last(count: Option<u32>) -> Kept {
    count.map_or(Kept::WHOLE, |last| Kept { last, ..Kept::NOTHING })
}

fn number(expr: &Expr) -> Option<u32> {
    if let Kind::Integer(text) = &expr.kind { text.parse().ok() } else { None }
}

/// `size(value) - 4`
fn from_end(expr: &Expr) -> Option<u32> {
    let Kind::Binary(Operator::Subtract, size, count) = &expr.kind else { return None };
    is_size(size).then(|| number(count)).flatten()
}

fn is_size(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Call { name, .. } if matches!(name.as_str(), "size" | "length"))
}

/// `size(value) == 16`
fn asks_for_sixteen(expr: &Expr) -> bool {
    let Kind::Binary(Operator::Equal, left, right) = &expr.kind else { return false };
    [(left, right), (right, left)].iter().any(|(size, count)| is_size(size) && number(count) == Some(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_known() {
        let check = |text: &str, expected: Option<(u32, u32, bool)>| {
            assert_eq!(kept(text).map(|kept| (kept.first, kept.last, kept.sixteen)), expected, "{text}");
        };
        check("left(value, 6) + \"******\" + right(value, 4)", Some((6, 4, false)));
        check("value.left(8) + value.right(4)", Some((8, 4, false)));
        check("substring(value, 0, 6)", Some((6, 0, false)));
        check("value.substring(size(value) - 4)", Some((0, 4, false)));
        check("size(value) == 16 ? left(value, 8) : left(value, 6)", Some((8, 0, true)));
        check("size(value) == 15 ? left(value, 8) : left(value, 6)", Some((8, 0, false)));
        check("size(value) == 16 ? left(value, 8) : left(value, 7)", Some((8, 0, false)));
        check("concat(left(value, 6), \"-\", right(value, 4))", Some((6, 4, false)));
        check("value", None);
        check("upper(value)", None);
        check("substring(value, 4, 12)", None);
        check("left(value, record.n)", None);
        check("left(value, ", None);
        check("\"constant\"", Some((0, 0, false)));
    }

    #[test]
    fn arguments_are_found() {
        let check =
            |text: &str, expected: Option<Vec<Option<u32>>>| assert_eq!(arguments(text, "f"), expected, "{text}");
        check("f(value, 10)", Some(vec![None, Some(10)]));
        check("a ? g([value.f(1, 2)]) : 3", Some(vec![None, Some(1), Some(2)]));
        check("g(value)", None);
        check("f(", None);
    }
}
