//! The static checker: resolves names, proves types, follows data classes, and compiles.

mod calls;
mod classes;
mod habits;
mod macros;

use super::ast::{Expr, Kind, Operator, Span};
use super::functions::{self, Kinds};
use super::node::{Among, Fields, Node, Op, excerpt};
use super::{Bind, Constant, Dialect, Effect, Environment, Fault, FlowStep, KeyUse, Program, Rewrite, types};
use crate::error::codes::expr as codes;
use crate::error::{Code, Severity, nearest};
use crate::record::path::Step;
use crate::record::{ClassSet, Decimal, Path, Projection, Type, Value};
use classes::classes_at;

/// The most entries of a map written in an expression: its keys are compared with each other.
const MAX_ENTRIES: usize = 1000;

/// Checks and compiles a tree.
pub(super) fn check(
    text: &str,
    tree: &Expr,
    environment: &Environment,
    projection: &mut Projection,
) -> Result<Program, Vec<Fault>> {
    let mut checker = Checker {
        text,
        environment,
        projection,
        locals: Vec::new(),
        faults: Vec::new(),
        warnings: Vec::new(),
        flow: Vec::new(),
        reads: Vec::new(),
        cells: Vec::new(),
        forks: Vec::new(),
        keys: Vec::new(),
        keyed: false,
    };
    let typed = checker.lower(tree);
    if !checker.faults.is_empty() {
        checker.faults.sort_by_key(|fault| fault.start);
        return Err(checker.faults);
    }
    // What a macro or a message looked at twice is one fork.
    checker.forks.sort_unstable();
    checker.forks.dedup();
    let (flow, reads, warnings, locals) = (checker.flow, checker.reads, checker.warnings, checker.cells);
    Ok(Program {
        text: text.to_string(),
        node: typed.node,
        kind: typed.kind,
        classes: typed.data,
        control: typed.control,
        flow,
        reads,
        locals,
        forks: checker.forks,
        warnings,
        keys: checker.keys,
        keyed: checker.keyed,
        cel: environment.dialect == Dialect::Cel,
        salt: environment.salt,
    })
}

struct Checker<'e> {
    text: &'e str,
    environment: &'e Environment,
    projection: &'e mut Projection,
    locals: Vec<Local>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    flow: Vec<FlowStep>,
    reads: Vec<Path>,
    cells: Vec<usize>,
    forks: Vec<(u32, u32)>,
    keys: Vec<KeyUse>,
    keyed: bool,
}

/// A variable of a macro.
struct Local {
    name: String,
    kind: Type,
    data: ClassSet,
    control: ClassSet,
}

/// A compiled part and what is known of it.
struct Typed {
    node: Node,
    kind: Type,
    data: ClassSet,
    control: ClassSet,
    /// It may be absent and must be unwrapped before use: `record.?a`.
    optional: bool,
    /// It is the name of a type.
    is_type: bool,
    /// Which binding it is a part of, and where in it.
    origin: Option<(usize, Path)>,
    /// It did not compile; nothing more is said of it.
    broken: bool,
}

impl Typed {
    fn new(at: Span, op: Op, kind: Type) -> Self {
        Self {
            node: Node { at, op },
            kind,
            data: ClassSet::NONE,
            control: ClassSet::NONE,
            optional: false,
            is_type: false,
            origin: None,
            broken: false,
        }
    }

    fn classes(mut self, data: ClassSet, control: ClassSet) -> Self {
        (self.data, self.control) = (data, control);
        self
    }

    fn kinds(&self) -> Kinds {
        Kinds::of_type(&self.kind)
    }

    /// The value, if it is written down.
    fn constant(&self) -> Option<Value<'_>> {
        match &self.node.op {
            Op::Constant(value) => Some(*value),
            Op::Text(text) => Some(Value::String(text)),
            Op::Bytes(bytes) => Some(Value::Bytes(bytes)),
            _ => None,
        }
    }
}

/// What would mend a fault: a sentence, and the same as a change of a part of the text.
struct Mend {
    fix: String,
    at: Span,
    text: String,
}

/// Whether a name can stand behind a point.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !matches!(name, "in" | "true" | "false" | "null")
}

const EXACT: Kinds = Kinds::INT.or(Kinds::UINT).or(Kinds::DECIMAL);

impl Checker<'_> {
    fn cel(&self) -> bool {
        self.environment.dialect == Dialect::Cel
    }

    fn fault(&mut self, code: &'static Code, at: Span, cause: impl Into<String>, fix: Option<String>) -> Typed {
        self.faults.push(Fault {
            code,
            cause: cause.into(),
            fix,
            start: at.start as usize,
            end: at.end as usize,
            severity: Severity::Error,
            edit: None,
        });
        Typed { broken: true, ..Typed::new(at, Op::Constant(Value::Missing), Type::Dyn) }
    }

    /// A fault that one change of the text mends.
    fn mendable(&mut self, code: &'static Code, at: Span, cause: impl Into<String>, mend: Option<Mend>) -> Typed {
        let (fix, edit) = match mend {
            Some(Mend { fix, at, text }) => {
                (Some(fix), Some(Rewrite { start: at.start as usize, end: at.end as usize, text }))
            }
            None => (None, None),
        };
        let typed = self.fault(code, at, cause, fix);
        if let Some(fault) = self.faults.last_mut() {
            fault.edit = edit;
        }
        typed
    }

    fn source(&self, at: Span) -> String {
        excerpt(self.text, at)
    }

    /// The text of a part, whole.
    fn part(&self, at: Span) -> &str {
        self.text.get(at.start as usize..at.end as usize).unwrap_or_default()
    }

    /// An operand: an optional must have been unwrapped.
    fn operand(&mut self, tree: &Expr) -> Typed {
        let typed = self.lower(tree);
        if typed.optional {
            let source = self.source(tree.at);
            let cause = format!("`{source}` may be absent, so it cannot be computed with");
            let plain = match &typed.kind {
                Type::String => "\"\"",
                Type::Int | Type::Uint | Type::Decimal => "0",
                Type::Bool => "false",
                Type::List(_) => "[]",
                _ => {
                    let fix = Some(format!("say what else: `{source}.orValue(…)`"));
                    return self.fault(&codes::TYPE, tree.at, cause, fix);
                }
            };
            let text = format!("{}.orValue({plain})", self.part(tree.at));
            let fix = format!("say what else: `{source}.orValue({plain})`");
            return self.mendable(&codes::TYPE, tree.at, cause, Some(Mend { fix, at: tree.at, text }));
        }
        typed
    }

    fn lower(&mut self, tree: &Expr) -> Typed {
        let at = tree.at;
        match &tree.kind {
            Kind::Null => Typed::new(at, Op::Constant(Value::Null), Type::Null),
            Kind::Bool(value) => Typed::new(at, Op::Constant(Value::Bool(*value)), Type::Bool),
            Kind::Unsigned(value) => Typed::new(at, Op::Constant(Value::Uint(*value)), Type::Uint),
            Kind::Text(text) => Typed::new(at, Op::Text(text.as_str().into()), Type::String),
            Kind::Bytes(bytes) => Typed::new(at, Op::Bytes(bytes.as_slice().into()), Type::Bytes),
            Kind::Integer(text) | Kind::Real(text) => self.numeral(text, matches!(tree.kind, Kind::Integer(_)), at),
            Kind::Name { name, rooted } => self.name(name, *rooted, at),
            Kind::Select { base, name, name_at, optional } => self.select(tree, base, name, *name_at, *optional),
            Kind::Index { base, index, optional } => self.index(tree, base, index, *optional),
            Kind::Call { target, name, name_at, arguments } => {
                self.call(at, target.as_deref(), name, *name_at, arguments)
            }
            Kind::List(items) => self.list(at, items),
            Kind::Map(items) => self.map(at, items),
            Kind::Not(inner) => {
                let inner = self.operand(inner);
                let inner = self.expect(inner, Kinds::BOOL, "!");
                let (data, control) = (inner.data, inner.control);
                Typed::new(at, Op::Not(Box::new(inner.node)), Type::Bool).classes(data, control)
            }
            Kind::Negate(inner) => {
                let inner = self.operand(inner);
                let inner = self.expect(inner, Kinds::NUMBER.or(Kinds::DURATION), "-");
                let (kind, data, control) = (inner.kind.clone(), inner.data, inner.control);
                Typed::new(at, Op::Negate(Box::new(inner.node)), kind).classes(data, control)
            }
            Kind::Binary(operator, left, right) => self.binary(at, *operator, left, right),
            Kind::Conditional(condition, yes, no) => {
                self.forks.push((condition.at.start, condition.at.end));
                let condition = self.operand(condition);
                let condition = self.expect(condition, Kinds::BOOL, "?");
                let (yes, no) = (self.lower(yes), self.lower(no));
                let kind = types::common(&yes.kind, &no.kind);
                let data = yes.data.union(no.data);
                let control = yes.control.union(no.control).union(condition.data).union(condition.control);
                let op = Op::Conditional(Box::new(condition.node), Box::new(yes.node), Box::new(no.node));
                Typed { optional: yes.optional || no.optional, ..Typed::new(at, op, kind).classes(data, control) }
            }
        }
    }

    fn numeral(&mut self, text: &str, integral: bool, at: Span) -> Typed {
        if integral && let Ok(value) = text.parse::<i64>() {
            return Typed::new(at, Op::Constant(Value::Int(value)), Type::Int);
        }
        if self.cel() {
            return match text.parse::<f64>() {
                Ok(value) if !integral => Typed::new(at, Op::Constant(Value::Double(value)), Type::Double),
                _ => self.fault(&codes::NUMBER, at, "the number has more than 64 bits", None),
            };
        }
        let text = if text.starts_with('.') { format!("0{text}") } else { text.replace("-.", "-0.") };
        match Decimal::parse(&text) {
            Ok(value) => Typed::new(at, Op::Constant(Value::Decimal(value)), Type::Decimal),
            Err(_) => self.fault(&codes::NUMBER, at, "the number has more than 28 digits", None),
        }
    }

    fn local(&self, name: &str) -> Option<(usize, &Local)> {
        self.locals.iter().rev().enumerate().find(|(_, local)| local.name == name)
    }

    fn binding(&self, name: &str) -> Option<usize> {
        self.environment.bindings.iter().rposition(|binding| binding.name == name)
    }

    fn name(&mut self, name: &str, rooted: bool, at: Span) -> Typed {
        if !rooted && let Some((out, local)) = self.local(name) {
            return Typed::new(at, Op::Local(out), local.kind.clone()).classes(local.data, local.control);
        }
        if let Some(binding) = self.binding(name) {
            return self.bound(binding, Path::default(), at, at, false);
        }
        if let Some(known) = types::named(name) {
            return Typed { is_type: true, ..Typed::new(at, Op::Text(known.into()), Type::String) };
        }
        let known: Vec<String> = (self.environment.bindings.iter().map(|b| b.name.clone()))
            .chain(self.locals.iter().map(|l| l.name.clone()))
            .collect();
        let instead = |fix: String, text: String| Some(Mend { fix, at, text });
        let mend = if let Some(ours) = habits::constant(name) {
            instead(format!("write `{ours}`"), ours.to_string())
        } else if name == "params" {
            let fix = match self.environment.parameters.is_empty() {
                true => "the mapping has no parameters: declare one under `parameters`",
                false => "a parameter is written `params.name`",
            };
            return self.fault(&codes::UNKNOWN_NAME, at, "unknown name `params`", Some(fix.into()));
        } else if self.declares(name) {
            instead(format!("a field of the record is written `record.{name}`"), format!("record.{name}"))
        } else if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            instead(format!("did you mean `{near}`?"), near.to_string())
        } else if functions::find(name).is_some() {
            let fix = Some(format!("a call is written `{name}(…)`"));
            return self.fault(&codes::UNKNOWN_NAME, at, format!("unknown name `{name}`"), fix);
        } else {
            instead(format!("text is written in quotes: `\"{name}\"`"), format!("\"{name}\""))
        };
        self.mendable(&codes::UNKNOWN_NAME, at, format!("unknown name `{name}`"), mend)
    }

    /// `params.name`: as if the value were written there.
    fn parameter(&mut self, base: &Expr, name: &str, at: Span, name_at: Span) -> Option<Typed> {
        let environment = self.environment;
        let is_params = matches!(&base.kind, Kind::Name { name, rooted } if name == "params" && (*rooted || self.local(name).is_none()));
        if !is_params || environment.parameters.is_empty() || self.binding("params").is_some() {
            return None;
        }
        if let Some((_, kind, value)) = environment.parameters.iter().find(|(known, ..)| known == name) {
            return Some(constant(value, kind, at));
        }
        let known: Vec<&str> = environment.parameters.iter().map(|(known, ..)| known.as_str()).collect();
        let fix = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the parameters are {}", known.join(", ")),
        };
        Some(self.fault(&codes::UNKNOWN_FIELD, name_at, format!("unknown parameter `{name}`"), Some(fix)))
    }

    fn declares(&self, name: &str) -> bool {
        self.environment.bindings.iter().any(|b| {
            b.name == "record"
                && matches!(&b.kind, Type::Record { fields, .. } if fields.iter().any(|f| f.name == name))
        })
    }

    /// A binding or a part of one that has a slot of its own.
    fn bound(&mut self, index: usize, path: Path, at: Span, last: Span, optional: bool) -> Typed {
        let environment = self.environment;
        let binding = &environment.bindings[index];
        let kind = match binding.kind.at(&path) {
            Ok(kind) => kind,
            Err((name, known)) => return self.unknown_field(&name, &known, last),
        };
        let op = match binding.how {
            Bind::Value => Op::Value,
            Bind::Slot(slot) => Op::Slot(slot),
            Bind::Local(cell) => {
                if !self.cells.contains(&cell) {
                    self.cells.push(cell);
                }
                Op::Cell(cell)
            }
            Bind::Record => {
                if !self.reads.contains(&path) {
                    self.reads.push(path.clone());
                }
                Op::Slot(self.projection.slot(&path, kind.clone()))
            }
        };
        if kind == Type::Dyn && !self.cel() && binding.how == Bind::Record && !path.0.is_empty() {
            self.warnings.push(Fault {
                code: &codes::UNKNOWN_TYPE,
                cause: format!("the type of `{path}` is not known"),
                fix: Some("declare it under `fields` of the stream".into()),
                start: at.start as usize,
                end: at.end as usize,
                severity: Severity::Note,
                edit: None,
            });
        }
        let data = classes_at(binding, &path);
        if !data.is_empty() {
            self.flow.push(FlowStep {
                what: self.source(at),
                effect: Effect::Reads,
                before: data,
                after: data,
                start: at.start as usize,
                end: at.end as usize,
            });
        }
        let control = binding.control;
        Typed { optional, origin: Some((index, path)), ..Typed::new(at, op, kind).classes(data, control) }
    }

    fn unknown_field(&mut self, name: &str, known: &[&str], at: Span) -> Typed {
        let mend = |text: &str, fix: String| {
            // Only where the name is all that the place covers: a part between brackets is not.
            (self.part(at) == name).then(|| Mend { fix, at, text: text.to_string() })
        };
        if known.is_empty() {
            let cause = format!("`{name}` cannot be a field: the value before it has none");
            let ours = habits::function(name).map(|ours| format!("{ours}()"));
            let mend = ours.and_then(|ours| mend(&ours, format!("did you mean `{ours}`?")));
            return self.mendable(&codes::TYPE, at, cause, mend);
        }
        let cause = format!("unknown field `{name}`");
        let fix = match nearest(name, known.iter().copied()) {
            Some(near) => {
                let fix = format!("did you mean `{near}`?");
                let found = mend(near, fix.clone()).filter(|_| is_name(near));
                if found.is_some() {
                    return self.mendable(&codes::UNKNOWN_FIELD, at, cause, found);
                }
                fix
            }
            None => format!("the fields are {}", known.iter().take(12).copied().collect::<Vec<_>>().join(", ")),
        };
        self.fault(&codes::UNKNOWN_FIELD, at, cause, Some(fix))
    }

    /// The path into a record that a chain of members with constant keys is, if it is one.
    fn record_path(&self, tree: &Expr) -> Option<(usize, Path, bool)> {
        match &tree.kind {
            Kind::Name { name, rooted } => {
                if !rooted && self.local(name).is_some() {
                    return None;
                }
                let index = self.binding(name)?;
                (self.environment.bindings[index].how == Bind::Record).then(|| (index, Path::default(), false))
            }
            Kind::Select { base, name, optional, .. } => {
                let (index, mut path, before) = self.record_path(base)?;
                path.0.push(Step::Key(name.clone()));
                Some((index, path, before || *optional))
            }
            Kind::Index { base, index, optional } => {
                let step = match &index.kind {
                    Kind::Integer(number) => Step::Index(number.parse().ok().filter(|n| *n >= 0)?),
                    Kind::Text(key) => Step::Key(key.clone()),
                    _ => return None,
                };
                let (binding, mut path, before) = self.record_path(base)?;
                path.0.push(step);
                Some((binding, path, before || *optional))
            }
            _ => None,
        }
    }

    fn select(&mut self, tree: &Expr, base: &Expr, name: &str, name_at: Span, optional: bool) -> Typed {
        if let Some((binding, path, optional)) = self.record_path(tree) {
            return self.bound(binding, path, tree.at, name_at, optional);
        }
        if let Some(typed) = self.parameter(base, name, tree.at, name_at) {
            return typed;
        }
        if let Some(typed) = self.dotted(tree) {
            return typed;
        }
        let base = self.lower(base);
        if base.broken {
            return base;
        }
        let kind = if base.optional && base.kind == Type::Dyn {
            Type::Dyn
        } else {
            match base.kind.at(&Path::key(name)) {
                Ok(kind) => kind,
                Err(_) if self.cel() => Type::Dyn,
                Err((name, known)) => {
                    let known: Vec<String> = known.into_iter().map(str::to_string).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    return self.unknown_field(&name, &known, name_at);
                }
            }
        };
        let origin = base.origin.map(|(index, mut path)| {
            path.0.push(Step::Key(name.to_string()));
            (index, path)
        });
        let data = self.part_classes(origin.as_ref(), base.data);
        let optional = optional || base.optional;
        let op = Op::Select { base: Box::new(base.node), key: name.into(), optional };
        Typed { optional, origin, ..Typed::new(tree.at, op, kind).classes(data, base.control) }
    }

    /// `a.b.c` as one name with points, or as the name of a type; the longest name wins.
    fn dotted(&mut self, tree: &Expr) -> Option<Typed> {
        fn join(tree: &Expr) -> Option<(String, &str)> {
            match &tree.kind {
                Kind::Name { name, .. } => Some((name.clone(), name)),
                Kind::Select { base, name, optional: false, .. } => {
                    let (text, first) = join(base)?;
                    Some((format!("{text}.{name}"), first))
                }
                _ => None,
            }
        }
        let (text, first) = join(tree)?;
        if self.local(first).is_some() {
            return None;
        }
        if let Some(binding) = self.binding(&text) {
            return Some(self.bound(binding, Path::default(), tree.at, tree.at, false));
        }
        let known = types::named(&text)?;
        Some(Typed { is_type: true, ..Typed::new(tree.at, Op::Text(known.into()), Type::String) })
    }

    fn part_classes(&self, origin: Option<&(usize, Path)>, whole: ClassSet) -> ClassSet {
        match origin {
            Some((index, path)) => classes_at(&self.environment.bindings[*index], path),
            None => whole,
        }
    }

    fn index(&mut self, tree: &Expr, base: &Expr, index: &Expr, optional: bool) -> Typed {
        if let Some((binding, path, optional)) = self.record_path(tree) {
            return self.bound(binding, path, tree.at, index.at, optional);
        }
        let base = self.lower(base);
        let index = self.operand(index);
        if base.broken || index.broken {
            return base;
        }
        let kind = match &base.kind {
            Type::List(inner) | Type::Map(inner) => (**inner).clone(),
            Type::Record { .. } => match index.constant() {
                Some(Value::String(key)) => base.kind.at(&Path::key(key)).unwrap_or_default(),
                _ => Type::Dyn,
            },
            _ => Type::Dyn,
        };
        let base = self.expect(base, Kinds::LIST.or(Kinds::MAP), "[]");
        let index = if matches!(base.kind, Type::List(_)) { self.expect(index, Kinds::NUMBER, "[]") } else { index };
        let optional = optional || base.optional;
        let control = base.control.union(index.data).union(index.control);
        let op = Op::Index { base: Box::new(base.node), index: Box::new(index.node), optional };
        Typed { optional, ..Typed::new(tree.at, op, kind).classes(base.data, control) }
    }

    fn list(&mut self, at: Span, items: &[(bool, Expr)]) -> Typed {
        let (mut nodes, mut data, mut control) = (Vec::with_capacity(items.len()), ClassSet::NONE, ClassSet::NONE);
        let mut kind: Option<Type> = None;
        for (optional, item) in items {
            let typed = if *optional { self.lower(item) } else { self.operand(item) };
            data = data.union(typed.data);
            control = control.union(typed.control);
            kind = Some(kind.map_or(typed.kind.clone(), |kind| types::common(&kind, &typed.kind)));
            nodes.push((*optional, typed.node));
        }
        let kind = Type::List(Box::new(kind.unwrap_or_default()));
        Typed::new(at, Op::List(nodes.into()), kind).classes(data, control)
    }

    fn map(&mut self, at: Span, items: &[(bool, Expr, Expr)]) -> Typed {
        if items.len() > MAX_ENTRIES {
            return self.fault(&codes::LIMIT, at, format!("a map has at most {MAX_ENTRIES} entries"), None);
        }
        let (mut nodes, mut data, mut control) = (Vec::with_capacity(items.len()), ClassSet::NONE, ClassSet::NONE);
        let mut kind: Option<Type> = None;
        for (optional, key, value) in items {
            let key = self.operand(key);
            let key = self.expect(key, Kinds::TEXT.or(Kinds::BOOL).or(EXACT), "the key of a map");
            let value = if *optional { self.lower(value) } else { self.operand(value) };
            data = data.union(key.data).union(value.data);
            control = control.union(key.control).union(value.control);
            kind = Some(kind.map_or(value.kind.clone(), |kind| types::common(&kind, &value.kind)));
            nodes.push((*optional, key.node, value.node));
        }
        let kind = Type::Map(Box::new(kind.unwrap_or_default()));
        let op = match plain_fields(&mut nodes) {
            Some(fields) => Op::Record(fields),
            None => Op::Map(nodes.into()),
        };
        Typed::new(at, op, kind).classes(data, control)
    }

    /// The operand of an operator, which takes only these kinds.
    fn expect(&mut self, typed: Typed, wanted: Kinds, sign: &str) -> Typed {
        if self.cel() || typed.broken || wanted.meets(typed.kinds()) {
            return typed;
        }
        let at = typed.node.at;
        let (source, kind) = (self.source(at), &typed.kind);
        let cause = format!("`{sign}` wants {}, and `{source}` is {kind}", wanted.words());
        let mend = self.conversion(&typed, wanted);
        self.mendable(&codes::TYPE, at, cause, mend)
    }

    /// The conversion that would help.
    fn conversion(&self, typed: &Typed, wanted: Kinds) -> Option<Mend> {
        let at = typed.node.at;
        let source = self.source(at);
        // Text that is written down as a number is meant as one, and the other way round.
        if let Some(Value::String(written)) = typed.constant()
            && wanted.meets(EXACT)
            && !wanted.meets(Kinds::TEXT)
            && !written.starts_with('+')
            && Decimal::parse(written).is_ok()
        {
            return Some(Mend { fix: format!("write `{written}`"), at, text: written.to_string() });
        }
        if let Some(Value::Int(_) | Value::Decimal(_)) = typed.constant()
            && wanted.meets(Kinds::TEXT)
            && !wanted.meets(EXACT)
        {
            let text = format!("\"{}\"", self.part(at));
            return Some(Mend { fix: format!("write `{text}`"), at, text });
        }
        let text = typed.kind == Type::String;
        let constant = typed.constant().is_some();
        let function = if text && wanted.meets(Kinds::DECIMAL) {
            "decimal"
        } else if text && wanted.meets(Kinds::INT) {
            "int"
        } else if text && wanted.meets(Kinds::TIMESTAMP) {
            "timestamp"
        } else if wanted.meets(Kinds::TEXT) && !matches!(typed.kind, Type::List(_) | Type::Map(_) | Type::Null) {
            "string"
        } else if wanted.meets(Kinds::DOUBLE) && typed.kinds().meets(EXACT) {
            "double"
        } else if wanted.meets(Kinds::DECIMAL) && typed.kind == Type::Double {
            "decimal"
        } else {
            return None;
        };
        let fix = if text && !constant {
            format!(
                "write `{function}({source})`, or declare `type: {function}` for the field in the stream's `fields`"
            )
        } else {
            format!("write `{function}({source})`")
        };
        let whole = self.part(at);
        let bare = match whole.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) if !inner.contains(['(', ')']) => inner,
            _ => whole,
        };
        Some(Mend { fix, at, text: format!("{function}({bare})") })
    }

    fn binary(&mut self, at: Span, operator: Operator, left: &Expr, right: &Expr) -> Typed {
        use Operator as O;
        let (mut l, mut r) = (self.operand(left), self.operand(right));
        if l.broken || r.broken {
            return Typed { broken: true, ..Typed::new(at, Op::Constant(Value::Missing), Type::Dyn) };
        }
        let (data, control) = (l.data.union(r.data), l.control.union(r.control));
        if !self.cel() {
            // A numeral beside a double is one.
            to_double(&mut l, &r.kind);
            to_double(&mut r, &l.kind);
        }
        let typed = match operator {
            // `name || "nobody"`: what other languages write for a value that stands in.
            O::Or if !self.cel() && !l.kinds().meets(Kinds::BOOL) => {
                let text = format!("coalesce({}, {})", self.part(left.at), self.part(right.at));
                let cause = format!("`||` wants a bool, and `{}` is {}", self.source(left.at), l.kind);
                let fix = format!("for a value that stands in where this is missing or null write `{text}`");
                return self.mendable(&codes::TYPE, left.at, cause, Some(Mend { fix, at, text }));
            }
            O::And | O::Or => {
                let (l, r) =
                    (self.expect(l, Kinds::BOOL, operator.sign()), self.expect(r, Kinds::BOOL, operator.sign()));
                self.forks.push((left.at.start, left.at.end));
                let op = Op::Logic {
                    decides: operator == O::Or,
                    strict: self.environment.gate,
                    left: Box::new(l.node),
                    right: Box::new(r.node),
                };
                Typed::new(at, op, Type::Bool)
            }
            O::Equal | O::NotEqual => {
                self.comparable(at, operator, &l, &r, true);
                Typed::new(at, Op::Equal(operator == O::Equal, Box::new(l.node), Box::new(r.node)), Type::Bool)
            }
            O::Less | O::LessEqual | O::Greater | O::GreaterEqual => {
                self.comparable(at, operator, &l, &r, false);
                Typed::new(at, Op::Order(operator, Box::new(l.node), Box::new(r.node)), Type::Bool)
            }
            O::In => {
                let r = self.expect(r, Kinds::LIST.or(Kinds::MAP), "in");
                let op = match Among::of(&r.node.op) {
                    Some(among) => Op::Among(Box::new(l.node), Box::new(among)),
                    None => Op::In(Box::new(l.node), Box::new(r.node)),
                };
                Typed::new(at, op, Type::Bool)
            }
            _ => match self.result_of(operator, &l, &r) {
                Some(Type::String) if operator == O::Add => {
                    let mut pieces = Vec::new();
                    for typed in [l, r] {
                        match typed.node.op {
                            Op::Concat(inner) => pieces.extend(inner),
                            op => pieces.push(Node { at: typed.node.at, op }),
                        }
                    }
                    Typed::new(at, Op::Concat(pieces.into()), Type::String)
                }
                Some(kind) => Typed::new(at, Op::Arithmetic(operator, Box::new(l.node), Box::new(r.node)), kind),
                None => self.no_operation(at, operator, &l, &r),
            },
        };
        typed.classes(data, control)
    }

    fn no_operation(&mut self, at: Span, operator: Operator, l: &Typed, r: &Typed) -> Typed {
        let cause = format!("`{}` does not take {} and {}", operator.sign(), l.kind, r.kind);
        let (text, other) = if l.kind == Type::String { (l, r) } else { (r, l) };
        let mend = if text.kind == Type::String && operator == Operator::Add && text.constant().is_some() {
            match other.constant() {
                Some(_) => self.conversion(other, Kinds::TEXT),
                None => self.wrapped("string", other),
            }
        } else if text.kind == Type::String && other.kinds().meets(Kinds::NUMBER) {
            self.conversion(text, Kinds::DECIMAL)
        } else if l.kind == Type::Double || r.kind == Type::Double {
            let exact = if l.kind == Type::Double { r } else { l };
            self.conversion(exact, Kinds::DOUBLE)
        } else {
            None
        };
        self.mendable(&codes::TYPE, at, cause, mend)
    }

    /// A call of a conversion around a part.
    fn wrapped(&self, function: &str, typed: &Typed) -> Option<Mend> {
        let at = typed.node.at;
        let convertible = !matches!(typed.kind, Type::List(_) | Type::Map(_) | Type::Record { .. } | Type::Null);
        let fix = format!("write `{function}({})`", self.source(at));
        convertible.then(|| Mend { fix, at, text: format!("{function}({})", self.part(at)) })
    }

    /// The type of an arithmetic operation; `None` if there is none.
    fn result_of(&self, operator: Operator, l: &Typed, r: &Typed) -> Option<Type> {
        use Operator as O;
        use Type as T;
        Some(match (operator, &l.kind, &r.kind) {
            (O::Add, T::String, T::String | T::Dyn) | (O::Add, T::Dyn, T::String) if !self.cel() => T::String,
            (O::Add, T::String, T::String) => T::String,
            (_, T::Dyn, other) | (_, other, T::Dyn) => match other {
                T::Decimal | T::Int | T::Uint if !self.cel() => T::Decimal,
                _ => T::Dyn,
            },
            (O::Divide, T::Int, T::Int) if !self.cel() => T::Decimal,
            (_, T::Int, T::Int) => T::Int,
            (_, T::Uint, T::Uint) => T::Uint,
            (O::Remainder, T::Double, T::Double) if !self.cel() => return None,
            (_, T::Double, T::Double) => T::Double,
            (_, T::Int | T::Uint | T::Decimal, T::Int | T::Uint | T::Decimal) => T::Decimal,
            (O::Add, T::Bytes, T::Bytes) => T::Bytes,
            (O::Add, T::List(a), T::List(b)) => T::List(Box::new(types::common(a, b))),
            (O::Add, T::Timestamp, T::Duration) | (O::Add, T::Duration, T::Timestamp) => T::Timestamp,
            (O::Subtract, T::Timestamp, T::Duration) => T::Timestamp,
            (O::Subtract, T::Timestamp, T::Timestamp) | (O::Subtract, T::Date, T::Date) => T::Duration,
            (O::Add | O::Subtract, T::Duration, T::Duration) => T::Duration,
            (O::Add | O::Subtract, T::Date, T::Duration) => T::Date,
            _ if self.cel() => T::Dyn,
            _ => return None,
        })
    }

    fn comparable(&mut self, at: Span, operator: Operator, l: &Typed, r: &Typed, equality: bool) {
        if self.cel() {
            return;
        }
        let (a, b) = (l.kinds(), r.kinds());
        let numbers = a.meets(Kinds::NUMBER) && b.meets(Kinds::NUMBER);
        let ordered = Kinds(!(Kinds::LIST.0 | Kinds::MAP.0 | Kinds::NULL.0));
        let fine = if equality {
            numbers || a.meets(b) || l.kind == Type::Null || r.kind == Type::Null
        } else {
            numbers || (a.meets(b) && a.meets(ordered))
        };
        if fine {
            return;
        }
        let number = |typed: &Typed| matches!(typed.constant(), Some(Value::Int(_) | Value::Decimal(_)));
        let mend = if equality && l.kind == Type::String && number(r) {
            // A code such as "42" is compared with text.
            self.conversion(r, a)
        } else if l.kind == Type::String {
            self.conversion(l, b)
        } else {
            self.conversion(r, a)
        };
        let cause = format!("`{}` does not compare {} and {}", operator.sign(), l.kind, r.kind);
        self.mendable(&codes::TYPE, at, cause, mend);
    }
}

/// A known value as if it were written at a place.
fn constant(value: &Constant, kind: &Type, at: Span) -> Typed {
    let op = match value {
        Constant::Null => Op::Constant(Value::Null),
        Constant::Bool(value) => Op::Constant(Value::Bool(*value)),
        Constant::Text(text) => Op::Text(text.as_str().into()),
        Constant::Number(text) => match (text.parse::<i64>(), Decimal::parse(text)) {
            (Ok(value), _) if *kind != Type::Decimal => Op::Constant(Value::Int(value)),
            (_, Ok(value)) => Op::Constant(Value::Decimal(value)),
            // More digits than can be computed with: text that passes through whole.
            _ => Op::Text(text.as_str().into()),
        },
        Constant::List(items) => {
            let inner = if let Type::List(inner) = kind { inner } else { &Type::Dyn };
            Op::List(items.iter().map(|item| (false, constant(item, inner, at).node)).collect())
        }
        Constant::Map(entries) => {
            let inner = if let Type::Map(inner) = kind { inner } else { &Type::Dyn };
            Op::Record(
                entries.iter().map(|(key, item)| (key.as_str().into(), constant(item, inner, at).node)).collect(),
            )
        }
    };
    Typed::new(at, op, kind.clone())
}

/// The entries of a map whose keys are texts that are written down, all different; what they were made
/// from is then used up.
fn plain_fields(entries: &mut Vec<(bool, Node, Node)>) -> Option<Fields> {
    let key = |entry: &(bool, Node, Node)| match &entry.1.op {
        Op::Text(text) if !entry.0 => Some(text.clone()),
        _ => None,
    };
    let keys = entries.iter().map(key).collect::<Option<Vec<Box<str>>>>()?;
    let different = keys.iter().enumerate().all(|(index, key)| !keys[..index].contains(key));
    different.then(|| keys.into_iter().zip(entries.drain(..)).map(|(key, (_, _, value))| (key, value)).collect())
}

fn to_double(typed: &mut Typed, other: &Type) {
    if *other != Type::Double {
        return;
    }
    let value = match typed.constant() {
        Some(Value::Int(value)) => value as f64,
        Some(Value::Decimal(value)) => value.to_f64(),
        _ => return,
    };
    typed.node.op = Op::Constant(Value::Double(value));
    typed.kind = Type::Double;
}
