//! The names that expressions can use, and expressions compiled against them.

use super::{Compiler, codes};
use crate::config::{Expression, Let, Mapping, Node};
use crate::error::{Finding, Place};
use crate::expr::{self, Bind, Binding, Constant, Dialect, Environment, Program};
use crate::map::route::Condition;
use crate::record::{ClassSet, Path, Type};

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It decides whether a record, an object or an element is made.
    Gate,
    /// It makes or judges the value of a rule.
    Rule,
    /// It judges the whole target record.
    Whole,
    /// It is given a name.
    Let,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Gate => "when",
            Self::Rule | Self::Whole => "validate",
            Self::Let => "let",
        }
    }
}

/// What `params` holds in each scope of a mapping.
pub(super) fn parameters(mapping: &Mapping) -> Vec<Vec<(String, Type, Constant)>> {
    let of = |parameter: &crate::config::Parameter| {
        (parameter.name.value.clone(), parameter.kind.clone(), constant(&parameter.value.value))
    };
    mapping.scopes.iter().map(|scope| scope.parameters.iter().map(of).collect()).collect()
}

fn constant(node: &Node) -> Constant {
    match node {
        Node::Null => Constant::Null,
        Node::Bool(value) => Constant::Bool(*value),
        Node::Number(text) => Constant::Number(text.clone()),
        Node::Text(text) => Constant::Text(text.to_string()),
        Node::List(items) => Constant::List(items.iter().map(|item| constant(&item.value)).collect()),
        Node::Map(entries) => {
            Constant::Map(entries.iter().map(|(key, value)| (key.value.clone(), constant(&value.value))).collect())
        }
    }
}

impl Compiler<'_> {
    /// A new cell.
    pub(super) fn cell(&mut self, program: Option<Program>) -> usize {
        self.cells.push(program);
        self.cells.len() - 1
    }

    /// Makes a name known to the expressions of a scope, or of all.
    pub(super) fn bind(&mut self, scope: Option<usize>, binding: Binding) {
        self.names.push((scope, binding));
        self.environment_of = None;
    }

    /// Forgets names but the first so many.
    pub(super) fn unbind(&mut self, known: usize) {
        self.names.truncate(known);
        self.environment_of = None;
    }

    fn environment_for(&mut self, scope: usize) {
        if self.environment_of == Some(scope) {
            return;
        }
        let seen = self.names.iter().filter(|(of, _)| of.is_none_or(|of| of == scope));
        self.environment = Environment {
            bindings: seen.map(|(_, binding)| binding.clone()).collect(),
            parameters: self.parameters.get(scope).cloned().unwrap_or_default(),
            dialect: Dialect::Consign,
            gate: false,
            tables: self.tables.clone(),
            keys: self.keys.clone(),
            salt: 0,
        };
        self.environment_of = Some(scope);
    }

    /// Compiles what is given a name; each can use those before it.
    pub(super) fn lets(&mut self, lets: &[Let]) -> std::ops::Range<usize> {
        let first = self.cells.len();
        for one in lets {
            let taken = self
                .names
                .iter()
                .any(|(scope, known)| known.name == one.name.value && scope.is_none_or(|scope| scope == one.scope));
            if taken {
                self.findings.push(
                    Finding::error(
                        &codes::DUPLICATE_NAME,
                        one.name.place.clone(),
                        format!("`{}` stands for something else already", one.name.value),
                    )
                    .fix("choose another name"),
                );
                continue;
            }
            let program = self.program(&one.expression, None, Role::Let, one.scope);
            let binding = match &program {
                Some(program) => Binding {
                    classes: program.classes(),
                    control: program.control_classes(),
                    ..Binding::new(&one.name.value, program.kind().clone(), Bind::Local(self.cells.len()))
                },
                // It was found wrong; what uses it is not.
                None => Binding::new(&one.name.value, Type::Dyn, Bind::Local(self.cells.len())),
            };
            let cell = self.cell(program);
            self.named.push((cell, one.name.clone()));
            self.bind(Some(one.scope), binding);
        }
        first..self.cells.len()
    }

    /// Names that no expression uses.
    pub(super) fn unused_lets(&mut self) {
        // What could not be compiled may have used it.
        if self.errors() > 0 {
            return;
        }
        for (cell, name) in &self.named {
            if !self.used.contains(cell) {
                let cause = format!("nothing uses `{}`", name.value);
                self.findings.push(Finding::warning(&codes::UNUSED_NAME, name.place.clone(), cause).fix("remove it"));
            }
        }
    }

    pub(super) fn condition(
        &mut self,
        written: &Expression,
        message: Option<String>,
        value: Option<(Type, ClassSet)>,
        role: Role,
        scope: usize,
    ) -> Option<Condition> {
        let name = role.name();
        let program = self.program(written, value, role, scope)?;
        if !matches!(program.kind(), Type::Bool | Type::Dyn) {
            self.findings.push(
                Finding::error(
                    &codes::NOT_A_CONDITION,
                    written.place_at(0, written.text.len()),
                    format!("`{name}` must be true or false, and this is of type {}", program.kind()),
                )
                .fix("compare it with something"),
            );
            return None;
        }
        let known = self.environment.bindings.iter().map(|binding| binding.name.as_str());
        if !["value", "now", "params"].into_iter().chain(known).any(|word| mentions(&written.text, word)) {
            self.findings.push(
                Finding::warning(
                    &codes::CONSTANT_CONDITION,
                    written.place.clone(),
                    format!("`{name}` reads neither the record nor the value: it is the same for every record"),
                )
                .fix(match role {
                    Role::Rule => "the result is read as `value`",
                    Role::Whole => "the record made is read as `target.field`",
                    Role::Gate | Role::Let => "fields are read as `record.field`",
                }),
            );
        }
        Some(Condition { program, written: written.clone(), message })
    }

    fn salt(&mut self, text: &str) -> u64 {
        let count = self.written.entry(text.to_owned()).or_insert(0);
        *count += 1;
        let hash = blake3::hash(format!("{}\0{text}\0{count}", self.name).as_bytes());
        hash.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    /// Compiles an expression; its faults become findings at their places in the file.
    pub(super) fn program(
        &mut self,
        written: &Expression,
        value: Option<(Type, ClassSet)>,
        role: Role,
        scope: usize,
    ) -> Option<Program> {
        let has_value = value.is_some();
        self.environment_for(scope);
        // What is used in several places must be right for the strictest of them.
        self.environment.gate = matches!(role, Role::Gate | Role::Let);
        self.environment.salt = self.salt(&written.text);
        if let Some((kind, classes)) = value {
            self.environment.bindings.push(Binding { classes, ..Binding::new("value", kind, Bind::Value) });
        }
        let compiled = expr::compile(&written.text, &self.environment, &mut self.projection);
        if has_value {
            self.environment.bindings.pop();
        }
        match compiled {
            Ok(program) => {
                // That a type is not known matters with `--strict` alone, which says it below.
                let known = |warning: &&expr::Fault| warning.code != &crate::error::codes::expr::UNKNOWN_TYPE;
                for warning in program.warnings().iter().filter(known) {
                    self.findings.push(finding(written, warning));
                }
                for path in program.reads() {
                    self.unknown(path, &written.place);
                }
                self.used.extend(program.locals());
                self.keyed |= program.is_keyed();
                self.key_uses.extend(program.keys().iter().cloned());
                Some(program)
            }
            Err(faults) => {
                for fault in &faults {
                    let part = written.text.get(fault.start..fault.end).unwrap_or_default();
                    if !has_value && role == Role::Rule && part == "value" {
                        self.findings.push(
                            Finding::error(
                                &codes::VALUE_WITHOUT_SOURCE,
                                written.place_at(fault.start, fault.end),
                                "`value` is the source value, but the rule has no source",
                            )
                            .fix("add `source: field`, or read the record: `record.field`"),
                        );
                        continue;
                    }
                    self.findings.push(finding(written, fault));
                }
                None
            }
        }
    }

    /// With `--strict`, a path that the stream does not declare is a finding.
    pub(super) fn unknown(&mut self, path: &Path, place: &Place) {
        if self.source.strict && self.source.type_at(path).is_ok() && !self.is_declared(path) {
            let mut finding = Finding::error(
                &codes::UNKNOWN_SOURCE,
                place.clone(),
                format!("`{}` does not declare `{path}`, which `--strict` asks for", self.source.name),
            )
            .did_you_mean(&path.to_string(), self.source.fields.iter().map(|field| field.name.as_str()));
            finding.fix.get_or_insert_with(|| "declare it under the stream's `fields`".into());
            self.findings.push(finding);
        }
    }
}

fn finding(written: &Expression, fault: &expr::Fault) -> Finding {
    let mut finding = Finding::error(fault.code, written.place_at(fault.start, fault.end), fault.cause.clone());
    finding.severity = fault.severity;
    finding.fix = fault.fix.clone();
    finding.edit = fault.edit.as_ref().and_then(|edit| written.edit(edit.start, edit.end, &edit.text));
    finding
}

/// Whether a name stands in an expression outside of text in quotes.
fn mentions(text: &str, word: &str) -> bool {
    let (mut quote, mut name, mut escaped) = (None, String::new(), false);
    for c in text.chars().chain([' ']) {
        if let Some(open) = quote {
            match (c, escaped) {
                (_, true) => escaped = false,
                ('\\', false) => escaped = true,
                (c, false) if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            name.push(c);
            continue;
        }
        if name == word {
            return true;
        }
        name.clear();
        if matches!(c, '"' | '\'') {
            quote = Some(c);
        }
    }
    false
}
