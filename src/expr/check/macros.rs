//! Macros (`has`, `all`, `map` …) and the methods of optional values.

use super::{Checker, Local, Typed};
use crate::error::codes::expr as codes;
use crate::expr::ast::{Expr, Kind, Span};
use crate::expr::functions::Kinds;
use crate::expr::node::{Loop, Op};
use crate::expr::types;
use crate::record::{ClassSet, Type, Value};

/// The macros, for "did you mean".
pub(super) const MACROS: &[&str] =
    &["has", "all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap"];

impl Checker<'_> {
    /// Macros, and the methods of optional values.
    pub(super) fn special(
        &mut self,
        at: Span,
        target: Option<&Expr>,
        name: &str,
        name_at: Span,
        arguments: &[Expr],
    ) -> Option<Typed> {
        match (target, name, arguments) {
            (None, "has", [field]) => Some(self.has(at, field)),
            (None, "dyn", [inner]) => {
                let inner = self.operand(inner);
                Some(Typed { kind: Type::Dyn, ..inner })
            }
            (Some(inner), "orValue" | "or", [other]) => {
                let inner = self.lower(inner);
                let other = if name == "or" { self.lower(other) } else { self.operand(other) };
                let kind = types::common(&inner.kind, &other.kind);
                let (data, control) = (inner.data.union(other.data), inner.control.union(other.control));
                let optional = name == "or" && other.optional;
                let op = Op::OrValue(Box::new(inner.node), Box::new(other.node));
                Some(Typed { optional, ..Typed::new(at, op, kind).classes(data, control) })
            }
            (Some(inner), "hasValue", []) => {
                let inner = self.lower(inner);
                let control = inner.data.union(inner.control);
                let op = Op::Has(Box::new(inner.node));
                Some(Typed::new(at, op, Type::Bool).classes(ClassSet::NONE, control))
            }
            (Some(inner), "value", []) => {
                let inner = self.lower(inner);
                Some(Typed { optional: false, ..inner })
            }
            (Some(Expr { kind: Kind::Name { name: space, .. }, .. }), "of", [inner]) if space == "optional" => {
                let inner = self.operand(inner);
                Some(Typed { optional: true, ..inner })
            }
            (Some(Expr { kind: Kind::Name { name: space, .. }, .. }), "none", []) if space == "optional" => {
                Some(Typed { optional: true, ..Typed::new(at, Op::Constant(Value::Missing), Type::Dyn) })
            }
            (Some(range), _, _) => self.looped(at, range, name, name_at, arguments),
            _ => None,
        }
    }

    fn has(&mut self, at: Span, field: &Expr) -> Typed {
        if !matches!(field.kind, Kind::Select { .. } | Kind::Index { .. }) {
            return self.fault(
                &codes::ARGUMENTS,
                field.at,
                "`has` asks for a field",
                Some("write `has(record.field)`, or `x != null` for a value".into()),
            );
        }
        let mut inner = self.lower(field);
        if let Op::Select { optional, .. } | Op::Index { optional, .. } = &mut inner.node.op
            && matches!(field.kind, Kind::Select { .. })
        {
            *optional = true;
        }
        let control = inner.data.union(inner.control);
        Typed::new(at, Op::Has(Box::new(inner.node)), Type::Bool).classes(ClassSet::NONE, control)
    }

    fn looped(&mut self, at: Span, range: &Expr, name: &str, name_at: Span, arguments: &[Expr]) -> Option<Typed> {
        // Variables, condition, body.
        let (kind, variables, filter, body) = match (name, arguments) {
            ("all", [v, body]) => (Loop::All, vec![v], None, body),
            ("exists", [v, body]) => (Loop::Exists, vec![v], None, body),
            ("exists_one" | "existsOne", [v, body]) => (Loop::One, vec![v], None, body),
            ("filter", [v, body]) => (Loop::Filter, vec![v], None, body),
            ("map", [v, body]) => (Loop::Map, vec![v], None, body),
            ("map", [v, filter, body]) => (Loop::Map, vec![v], Some(filter), body),
            ("all", [k, v, body]) => (Loop::All, vec![k, v], None, body),
            ("exists", [k, v, body]) => (Loop::Exists, vec![k, v], None, body),
            ("exists_one" | "existsOne", [k, v, body]) => (Loop::One, vec![k, v], None, body),
            ("transformList", [k, v, body]) => (Loop::Map, vec![k, v], None, body),
            ("transformList", [k, v, filter, body]) => (Loop::Map, vec![k, v], Some(filter), body),
            ("transformMap", [k, v, body]) => (Loop::MapEntries, vec![k, v], None, body),
            ("transformMap", [k, v, filter, body]) => (Loop::MapEntries, vec![k, v], Some(filter), body),
            _ if MACROS.contains(&name) && name != "has" => {
                return Some(self.fault(
                    &codes::ARGUMENTS,
                    name_at,
                    format!("`{name}` does not take {} arguments", arguments.len()),
                    Some(format!("write `list.{name}(x, …)` with a name for the item and what to do with it")),
                ));
            }
            _ => return None,
        };
        let mut names = Vec::new();
        for variable in &variables {
            match &variable.kind {
                Kind::Name { name, rooted: false } => names.push(name.clone()),
                _ => {
                    return Some(self.fault(
                        &codes::ARGUMENTS,
                        variable.at,
                        format!("`{name}` wants the name of a variable here"),
                        Some(format!("write `list.{name}(x, …)`")),
                    ));
                }
            }
        }
        let range = self.operand(range);
        let range = self.expect(range, Kinds::LIST.or(Kinds::MAP), name);
        let (key, item) = match &range.kind {
            Type::List(inner) => (Type::Int, (**inner).clone()),
            Type::Map(inner) => (Type::Dyn, (**inner).clone()),
            _ => (Type::Dyn, Type::Dyn),
        };
        let two = names.len() == 2;
        let kinds = match (two, &range.kind) {
            (true, _) => vec![key, item.clone()],
            (false, Type::List(_)) => vec![item.clone()],
            _ => vec![Type::Dyn],
        };
        let before = self.locals.len();
        for (name, kind) in names.into_iter().zip(kinds) {
            self.locals.push(Local { name, kind, data: range.data, control: range.control });
        }
        let filter = filter.map(|filter| {
            let filter = self.operand(filter);
            self.expect(filter, Kinds::BOOL, name)
        });
        let mut body = self.operand(body);
        if !matches!(kind, Loop::Map | Loop::MapEntries) {
            body = self.expect(body, Kinds::BOOL, name);
        }
        self.locals.truncate(before);
        let result = match kind {
            Loop::All | Loop::Exists | Loop::One => Type::Bool,
            Loop::Filter => match &range.kind {
                Type::List(_) => range.kind.clone(),
                _ => Type::List(Box::default()),
            },
            Loop::Map => Type::List(Box::new(body.kind.clone())),
            Loop::MapEntries => Type::Map(Box::new(body.kind.clone())),
        };
        let mut control = range.control.union(body.control);
        if let Some(filter) = &filter {
            control = control.union(filter.data).union(filter.control);
        }
        let data = match kind {
            Loop::Filter => {
                control = control.union(body.data);
                range.data
            }
            Loop::Map | Loop::MapEntries => {
                control = control.union(range.data);
                body.data
            }
            _ => body.data,
        };
        let op = Op::Loop {
            kind,
            two,
            strict: self.environment.gate,
            range: Box::new(range.node),
            filter: filter.map(|f| Box::new(f.node)),
            body: Box::new(body.node),
        };
        Some(Typed::new(at, op, result).classes(data, control))
    }
}
