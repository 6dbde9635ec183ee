//! Calls of functions: their names, the number and types of arguments, and the flow of classes.

use std::sync::Arc;

use super::macros::MACROS;
use super::{Checker, EXACT, Mend, Typed, habits};
use crate::error::codes::expr as codes;
use crate::error::nearest;
use crate::expr::ast::{Expr, Kind, Span};
use crate::expr::functions::{self, Flow, Function, Kinds, Prepared, Returns, Spec};
use crate::expr::keyed::{Ask, KeyUse, Keyed, Tool};
use crate::expr::node::{Node, Op};
use crate::expr::{Effect, FlowStep, Rewrite, types};
use crate::record::{ClassId, ClassSet, Type, Value, suspect};

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        at: Span,
        target: Option<&Expr>,
        name: &str,
        name_at: Span,
        arguments: &[Expr],
    ) -> Typed {
        if let Some(typed) = self.special(at, target, name, name_at, arguments) {
            return typed;
        }
        // `math.abs(x)` is a function with a point in its name, not a method of `math`.
        if let Some(Expr { kind: Kind::Name { name: space, .. }, .. }) = target
            && self.local(space).is_none()
            && self.binding(space).is_none()
            && let Some(function) = functions::find(&format!("{space}.{name}"))
        {
            return self.function(at, name_at, function, None, arguments);
        }
        match functions::find(name) {
            Some(function) if target.is_none() || function.spec.method => {
                self.function(at, name_at, function, target, arguments)
            }
            Some(function) => {
                let signature = function.spec.signature();
                self.fault(
                    &codes::UNKNOWN_FUNCTION,
                    name_at,
                    format!("`{name}` is no method"),
                    Some(format!("write `{signature}`")),
                )
            }
            None => {
                let cause = format!("unknown function `{name}`");
                if let (None, [condition, yes, no], true) = (target, arguments, habits::is_choice(name)) {
                    let [condition, yes, no] = [condition, yes, no].map(|one| self.part(one.at));
                    let text = format!("({condition} ? {yes} : {no})");
                    let mend = Mend { fix: format!("write `{text}`"), at, text };
                    return self.mendable(&codes::UNKNOWN_FUNCTION, name_at, cause, Some(mend));
                }
                let known = functions::names().chain(MACROS.iter().copied());
                match habits::function(name).or_else(|| nearest(name, known)) {
                    Some(near) => {
                        let fix = format!("did you mean `{near}`?");
                        let mend = Mend { fix, at: name_at, text: near.to_string() };
                        self.mendable(&codes::UNKNOWN_FUNCTION, name_at, cause, Some(mend))
                    }
                    None => {
                        let fix = Some("`consign map functions` lists them".into());
                        self.fault(&codes::UNKNOWN_FUNCTION, name_at, cause, fix)
                    }
                }
            }
        }
    }

    fn function(
        &mut self,
        at: Span,
        name_at: Span,
        function: &'static Function,
        target: Option<&Expr>,
        arguments: &[Expr],
    ) -> Typed {
        let spec = &function.spec;
        let count = arguments.len() + usize::from(target.is_some());
        let typed: Vec<Typed> = target
            .into_iter()
            .chain(arguments)
            .enumerate()
            .map(|(index, argument)| {
                let lenient = spec.parameter(index).is_some_and(|p| p.kinds.meets(Kinds::MISSING));
                if lenient { self.lower(argument) } else { self.operand(argument) }
            })
            .collect();
        if count < spec.least() || count > spec.most() {
            let wanted = match (spec.least(), spec.most()) {
                (a, b) if a == b => a.to_string(),
                (a, _) if spec.variadic => format!("at least {a}"),
                (a, b) => format!("{a} to {b}"),
            };
            return self.fault(
                &codes::ARGUMENTS,
                name_at,
                format!("`{}` takes {wanted} arguments, not {count}", spec.name),
                Some(format!("its signature is `{}`", spec.signature())),
            );
        }
        if spec.name == "type" && typed.iter().any(|t| t.is_type) {
            return Typed { is_type: true, ..Typed::new(at, Op::Text("type".into()), Type::String) };
        }
        let mut broken = typed.iter().any(|t| t.broken);
        let swap = if target.is_none() { self.swapped(spec, &typed, arguments) } else { None };
        for (index, argument) in typed.iter().enumerate() {
            let fits = self.fits(spec, index, argument);
            if !fits && let Some(Mend { fix, at, text }) = &swap {
                if let Some(fault) = self.faults.last_mut() {
                    fault.fix = Some(fix.clone());
                    fault.edit = Some(Rewrite { start: at.start as usize, end: at.end as usize, text: text.clone() });
                }
                broken = true;
                break;
            }
            broken |= !fits;
        }
        let mut prepared = Prepared::None;
        if let Some(prepare) = function.prepare {
            let constants: Vec<Option<Value<'_>>> = typed.iter().map(Typed::constant).collect();
            match prepare(&constants) {
                Ok(made) => prepared = made,
                Err(failure) if !broken => {
                    self.fault(&codes::ARGUMENTS, at, format!("`{}`: {}", spec.name, failure.cause), None);
                    broken = true;
                }
                Err(_) => {}
            }
        }
        if spec.name == "lookup" && !broken {
            match self.table(&typed) {
                Some(table) => prepared = table,
                None => broken = true,
            }
        }
        let mut restores = ClassSet::NONE;
        // A table says nothing of its columns but their names.
        if spec.name == "lookup"
            && let Some(Value::String(column)) = typed.get(2).and_then(Typed::constant)
        {
            restores = suspect::by_name(column);
        }
        if let Some(keyed) = functions::keyed(spec.name).filter(|_| !broken) {
            match self.tool(&keyed, &typed) {
                Some(tool) => {
                    restores = tool.restores;
                    prepared = Prepared::Made(Box::new(tool));
                }
                None => broken = true,
            }
        }
        if spec.name == "looks_like" && !broken {
            match self.looker(&typed) {
                Some(looker) => prepared = looker,
                None => broken = true,
            }
        }
        let kind = match &spec.returns {
            Returns::Fixed(kind) => kind.clone(),
            Returns::TextList => Type::List(Box::new(Type::String)),
            Returns::Like(index) => typed.get(*index).map(|t| t.kind.clone()).unwrap_or_default(),
            Returns::Common => {
                typed.iter().map(|t| t.kind.clone()).reduce(|a, b| types::common(&a, &b)).unwrap_or_default()
            }
            Returns::Computed(_, compute) => {
                let kinds: Vec<Type> = typed.iter().map(|t| t.kind.clone()).collect();
                compute(&kinds)
            }
        };
        let before = typed.iter().fold(ClassSet::NONE, |set, t| set.union(t.data));
        let mut control = typed.iter().fold(ClassSet::NONE, |set, t| set.union(t.control));
        let (after, effect) = match spec.flow {
            Flow::Carries => (before, Effect::Carries),
            Flow::Declassifies => {
                control = control.union(before);
                (ClassSet::NONE, Effect::Declassifies)
            }
            Flow::Protects { from, to } => {
                let covered: Vec<ClassId> = from.iter().filter_map(|name| ClassId::named(name)).collect();
                let gone: ClassSet = before.iter().filter(|id| covered.iter().any(|c| id.is_within(*c))).collect();
                let mut after = before.without(gone);
                if !gone.is_empty()
                    && let Some(to) = to.and_then(ClassId::named)
                {
                    after = after.union(ClassSet::one(to));
                }
                (after, if gone.is_empty() { Effect::Carries } else { Effect::Protects })
            }
        };
        let after = after.union(restores);
        if !before.union(after).is_empty() {
            self.flow.push(FlowStep {
                what: spec.name.to_string(),
                effect,
                before,
                after,
                start: at.start as usize,
                end: at.end as usize,
            });
        }
        let is_type = spec.name == "type";
        let arguments: Box<[Node]> = typed.into_iter().map(|t| t.node).collect();
        let op = Op::Call { function, arguments, prepared };
        Typed { broken, is_type, ..Typed::new(at, op, kind).classes(after, control) }
    }

    /// Whether an argument can be what the parameter takes.
    fn meets(&self, spec: &Spec, index: usize, argument: &Typed) -> bool {
        spec.parameter(index).is_some_and(|parameter| {
            let (wanted, have) = (parameter.kinds, argument.kinds());
            self.cel() || argument.broken || wanted.meets(have) || (wanted.meets(EXACT) && have.meets(EXACT))
        })
    }

    /// Two arguments that fit only the other way round.
    fn swapped(&self, spec: &Spec, typed: &[Typed], arguments: &[Expr]) -> Option<Mend> {
        let fits = |order: &[usize]| order.iter().enumerate().all(|(at, from)| self.meets(spec, at, &typed[*from]));
        let mut order: Vec<usize> = (0..typed.len()).collect();
        if typed.len() > 4 || typed.iter().any(|one| one.broken) || fits(&order) {
            return None;
        }
        for one in 0..order.len() {
            for other in one + 1..order.len() {
                order.swap(one, other);
                if fits(&order) {
                    let texts: Vec<&str> = order.iter().map(|from| self.part(arguments[*from].at)).collect();
                    let at = arguments.first()?.at.to(arguments.last()?.at);
                    let text = texts.join(", ");
                    let fix = format!("the arguments stand in another order: `{}({text})`", spec.name);
                    return Some(Mend { fix, at, text });
                }
                order.swap(one, other);
            }
        }
        None
    }

    /// The table and the column of a lookup; a fault if they are not there.
    fn table(&mut self, typed: &[Typed]) -> Option<Prepared> {
        let [file, _, column, ..] = typed else { return None };
        let (Some(Value::String(name)), Some(Value::String(wanted))) = (file.constant(), column.constant()) else {
            let (what, at) = if file.constant().is_some() { ("column", column) } else { ("file", file) };
            let cause = format!("the {what} of a lookup must be known before there is data");
            self.fault(&codes::LOOKUP, at.node.at, cause, Some("write its name in quotes".into()));
            return None;
        };
        let table = match self.environment.tables.get(name) {
            Some(Ok(table)) => Arc::clone(table),
            Some(Err(why)) => {
                let fix = "it is a CSV file in the folder of the mapping, its first column the key".to_string();
                self.fault(&codes::LOOKUP, file.node.at, format!("`{name}`: {why}"), Some(fix));
                return None;
            }
            None => {
                let fix = "lookups stand in the expressions of mappings".to_string();
                self.fault(&codes::LOOKUP, file.node.at, format!("`{name}` is not at hand here"), Some(fix));
                return None;
            }
        };
        let Some(place) = table.columns().iter().position(|known| known == wanted) else {
            let fix = match nearest(wanted, table.columns().iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "its columns are {}",
                    table.columns().iter().take(12).cloned().collect::<Vec<_>>().join(", ")
                ),
            };
            self.fault(&codes::LOOKUP, column.node.at, format!("`{name}` has no column `{wanted}`"), Some(fix));
            return None;
        };
        Some(Prepared::Made(Box::new(functions::Lookup { table, column: place })))
    }

    /// What looks at values for data of a class; a fault if the class is not known, or nobody can look.
    fn looker(&mut self, typed: &[Typed]) -> Option<Prepared> {
        let mut said: [Option<String>; 2] = [None, None];
        for (into, argument) in said.iter_mut().zip(typed.iter().skip(1)) {
            match argument.constant() {
                Some(Value::String(text)) => *into = Some(text.to_owned()),
                _ => {
                    let cause = "the class and the field must be known before there is data";
                    self.fault(&codes::ARGUMENTS, argument.node.at, cause, Some("write it in quotes".into()));
                    return None;
                }
            }
        }
        let [class, field] = said;
        let at = typed.get(1).or(typed.first())?.node.at;
        let class = match class.as_deref().filter(|class| *class != "any") {
            None => None,
            Some(name) => match ClassId::named(name) {
                Some(class) => Some(class),
                None => {
                    let near = nearest(name, crate::record::class::ALL.iter().map(|class| class.name));
                    let fix = near.map(|near| format!("did you mean `{near}`?"));
                    self.fault(&codes::ARGUMENTS, at, format!("there is no class `{name}`"), fix);
                    return None;
                }
            },
        };
        match self.environment.keys.looker(class, field.as_deref().unwrap_or_default()) {
            Some(looker) => Some(Prepared::Made(Box::new(looker))),
            None => {
                let fix = "it stands in the expressions of mappings and rules".to_string();
                self.fault(&codes::ARGUMENTS, at, "no detector is at hand here", Some(fix));
                None
            }
        }
    }

    /// What does the task of a function with a key; a fault if the key is not to be had.
    fn tool(&mut self, keyed: &Keyed, typed: &[Typed]) -> Option<Tool> {
        let written = |at: Option<usize>, what: &str| match at.and_then(|at| typed.get(at)) {
            None => Ok(None),
            Some(argument) => match argument.constant() {
                Some(Value::String(text)) => Ok(Some((text.to_owned(), argument.node.at))),
                _ => Err((format!("the {what} must be known before there is data"), argument.node.at)),
            },
        };
        let read = || {
            let key = written(keyed.key, "name of a key")?;
            Ok((key, written(keyed.context, "context")?, written(keyed.alphabet, "alphabet")?))
        };
        let (key, context, alphabet) = match read() {
            Ok(read) => read,
            Err((cause, at)) => {
                self.fault(&codes::KEY, at, cause, Some("write it in quotes".into()));
                return None;
            }
        };
        let name = key.as_ref().map_or("", |(name, _)| name.as_str());
        // All versions of a key have the context of the key: `mail@1` opens what `mail` sealed.
        let bare = name.split_once('@').map_or(name, |(bare, _)| bare);
        let context = context.as_ref().map_or(bare, |(text, _)| text.as_str());
        let alphabet = alphabet.as_ref().map(|(text, _)| text.as_str());
        match self.environment.keys.tool(Ask { task: keyed.task, key: name, context, alphabet, route: "" }) {
            Ok(tool) => {
                self.keyed = true;
                if !name.is_empty() {
                    self.keys.push(KeyUse { name: name.to_owned(), id: tool.key_id.clone().unwrap_or_default() });
                }
                Some(tool)
            }
            Err(refused) => {
                let at = key.as_ref().map(|(_, at)| *at).or_else(|| typed.first().map(|first| first.node.at))?;
                self.fault(&codes::KEY, at, refused.cause, Some(refused.fix));
                None
            }
        }
    }

    /// Whether an argument can be what the parameter takes; a fault if not.
    fn fits(&mut self, spec: &Spec, index: usize, argument: &Typed) -> bool {
        let Some(parameter) = spec.parameter(index) else { return false };
        if self.meets(spec, index, argument) {
            return true;
        }
        let wanted = parameter.kinds;
        let source = self.source(argument.node.at);
        let cause = format!(
            "`{}` wants {} as `{}`, and `{source}` is {}",
            spec.name,
            wanted.words(),
            parameter.name,
            argument.kind
        );
        let mend = self.conversion(argument, wanted);
        self.mendable(&codes::TYPE, argument.node.at, cause, mend);
        false
    }
}
