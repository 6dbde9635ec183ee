//! One rule: its source, how its result is made, what it must be, and which classes it carries.

use super::block::{Base, joined};
use super::fit::{can_read, fits, misfit};
use super::names::Role;
use super::{Compiler, codes, decided};
use crate::config::{self, FieldRule};
use crate::error::Finding;
use crate::expr::Program;
use crate::map::convert::Reading;
use crate::map::literal::Literal;
use crate::map::mend;
use crate::map::protect::Finish;
use crate::map::route::{Condition, Flow, From, Leaf, Make, Passage, Rule};
use crate::record::{ClassSet, Column, Path, Type, suspect};

/// A rule, compiled.
pub(super) struct Made {
    pub(super) rule: Rule,
    pub(super) column: Column,
    /// Of all that is in the result.
    pub(super) flow: Flow,
    pub(super) mask: ClassSet,
}

/// How a result is made, and what is known of it.
pub(super) struct Making {
    pub(super) make: Make,
    pub(super) kind: Type,
    /// The classes of the result, as far as the rule's own expressions say; for rules with rules
    /// inside, those inside come to it.
    pub(super) own: Flow,
    /// Of the rules inside.
    pub(super) inner: Flow,
    pub(super) mask: ClassSet,
    /// Whether there is always a result where there is a source value.
    pub(super) filled: bool,
    /// What is read of the record besides the source.
    pub(super) reads: Vec<Path>,
    /// Whether messages may show what it computes with.
    pub(super) quiet: bool,
    pub(super) branches: Vec<String>,
}

impl Compiler<'_> {
    /// Compiles a rule. `declared`: the type that the target declares there; `around`: what the
    /// target path begins with.
    pub(super) fn rule(&mut self, rule: &FieldRule, declared: &Type, base: &Base, around: &Path) -> Option<Made> {
        let before = self.errors();
        let target = joined(around, &rule.target.value);
        let leaf = self.leaves.len();
        // Its place is kept: the rules inside come behind it.
        self.leaves.push(Leaf {
            target: target.clone(),
            column: self.column,
            rule: rule.clone(),
            source: None,
            source_kind: None,
            kind: Type::Dyn,
            flow: Flow::default(),
            mask: ClassSet::NONE,
            branches: Vec::new(),
            protected: Vec::new(),
        });
        let source_kind = self.source_kind(rule, base);
        let from = self.from(rule, &source_kind, base);
        let default = self.default(rule, &source_kind, base);
        let source_classes = match &rule.source {
            Some(path) => base.classes(&self.known, &path.value).union(rule.classes),
            None => rule.classes,
        };
        if rule.source.is_none()
            && matches!(rule.make, config::Make::Value)
            && default.is_none()
            && rule.default.is_none()
        {
            self.findings.push(
                Finding::error(
                    &codes::EMPTY_RULE,
                    rule.place.clone(),
                    format!("the rule for `{}` has neither a source nor a transform", rule.target.value),
                )
                .fix("add `source: field`, or `transform:` with an expression over `record`"),
            );
        }
        let value = rule.source.is_some().then(|| (source_kind.clone(), source_classes));
        let when = match &rule.when {
            Some(when) => Some(self.condition(when, None, value.clone(), Role::Gate, rule.scope)?),
            None => None,
        };
        let mut making = self.making(rule, value, default.as_ref(), declared, base, &target)?;
        // What rules inside make has the types they say, and is protected where it is made.
        let composed = matches!(making.make, Make::Object(_) | Make::List(..) | Make::ForEach(_));
        let protected = !composed && self.protects_any(making.own.classes);
        let asked = if protected { &Type::Dyn } else { declared };
        let (wanted, reading) = self.wanted(rule, &making.kind, asked, &target);
        if self.target.flat && matches!(making.kind, Type::List(_) | Type::Map(_) | Type::Record { .. }) {
            self.flat(rule, &making.kind);
        }
        if let Some(when) = &when {
            making.own.control = making.own.control.union(decided(&when.program));
        }
        let flow = union(&making.own, &making.inner);
        let wanted = if composed { Type::Dyn } else { wanted };
        let kind = if wanted == Type::Dyn { making.kind.clone() } else { wanted.clone() };
        let mut validate = Vec::with_capacity(rule.validate.len());
        for check in &rule.validate {
            let value = Some((kind.clone(), flow.classes));
            validate.extend(self.condition(&check.that, check.message.clone(), value, Role::Rule, rule.scope));
        }
        let (mut finish, mut kind, mut flow, mut done) = (None, kind, flow, Vec::new());
        if protected && self.errors() == before {
            let (made, kind_then, how) = self.finish(rule, &mut making, kind, declared, &target)?;
            flow = union(&making.own, &making.inner);
            (finish, kind, done) = (Some(made), kind_then, how);
        }
        if self.errors() > before {
            return None;
        }
        let given = match &rule.source {
            Some(path) => self.always(base, &path.value),
            None => !matches!(rule.make, config::Make::Value),
        } || rule.default.as_ref().is_some_and(|default| default.value != config::Node::Null)
            && rule.nullable != Some(true);
        let leaves_out = matches!(finish, Some(Finish::Drop));
        let filled = given && when.is_none() && making.filled && !leaves_out;
        let never_null = rule.required && rule.nullable != Some(true);
        let column = Column { path: rule.target.value.clone(), kind: kind.clone(), required: never_null || filled };
        let mask = self.mask(rule, &flow, making.mask);
        let source = rule.source.as_ref().map(|path| path.value.clone());
        let open = making.quiet && self.is_open(rule, &making.reads, &flow, base);
        let mut branches = making.branches;
        if let Make::Transform(program) = &making.make {
            let shown = |fork: &str| fork.split_whitespace().collect::<Vec<_>>().join(" ");
            let ways = |fork: String| [format!("`{fork}` holds"), format!("`{fork}` does not hold")];
            branches.extend(program.forks().map(shown).flat_map(ways));
        }
        let known = &mut self.leaves[leaf];
        known.source = source.as_ref().and_then(|path| base.absolute(path));
        known.source_kind = source.is_some().then_some(source_kind);
        (known.kind, known.flow, known.mask, known.branches) = (kind, making.own, mask, branches);
        known.protected = done;
        let made = Rule {
            leaf,
            from,
            when: when.map(Box::new),
            default,
            make: making.make,
            validate,
            required: rule.required,
            nullable: rule.nullable,
            wanted,
            reading,
            open,
            target: rule.target.value.to_string(),
            source,
            finish: finish.map(Box::new),
        };
        Some(Made { rule: made, column, flow, mask })
    }

    fn from(&mut self, rule: &FieldRule, kind: &Type, base: &Base) -> From {
        match (&rule.source, base) {
            (None, _) => From::Nowhere,
            (Some(path), Base::Record) => From::Slot(self.projection.slot(&path.value, kind.clone())),
            (Some(path), Base::Item { cell, .. }) => {
                self.used.insert(*cell);
                From::Cell(*cell, path.value.0.clone())
            }
        }
    }

    /// How the result is made.
    fn making(
        &mut self,
        rule: &FieldRule,
        value: Option<(Type, ClassSet)>,
        default: Option<&Literal>,
        declared: &Type,
        base: &Base,
        target: &Path,
    ) -> Option<Making> {
        let (kind, classes) = value.clone().unwrap_or((Type::Dyn, rule.classes));
        // A class on a rule without source has no other place than its result.
        let own = if rule.source.is_none() { rule.classes } else { ClassSet::NONE };
        let plain = |make, kind, flow, filled| Making {
            make,
            kind,
            own: flow,
            inner: Flow::default(),
            mask: ClassSet::NONE,
            filled,
            reads: Vec::new(),
            quiet: true,
            branches: Vec::new(),
        };
        Some(match &rule.make {
            config::Make::Value => {
                let kind = match (&rule.source, default) {
                    (None, Some(default)) => default.kind(),
                    _ => kind,
                };
                plain(Make::Value, kind, Flow { source: classes, classes, ..Flow::default() }, true)
            }
            config::Make::Transform(written) => {
                let program = self.program(written, value, Role::Rule, rule.scope)?;
                let flow = Flow {
                    source: classes,
                    classes: program.classes().union(own),
                    control: program.control_classes(),
                    passages: self.passages(&program),
                };
                let (kind, filled) = (program.kind().clone(), self.sure(&program));
                let (reads, quiet) = (program.reads().to_vec(), self.quiet(&program));
                Making { reads, quiet, ..plain(Make::Transform(program), kind, flow, filled) }
            }
            config::Make::Constant(node) => {
                let literal = self.literal(node)?;
                let (kind, filled) = (literal.kind(), !matches!(literal, Literal::Null));
                let flow = Flow { source: own, classes: own, ..Flow::default() };
                plain(Make::Constant(literal), kind, flow, filled)
            }
            config::Make::Table(table) => self.table(table, &kind, classes, value.is_some())?,
            config::Make::Cases(cases) => self.cases(cases, value, classes, rule)?,
            config::Make::Object(block) => self.object(block, rule, declared, base, target)?,
            config::Make::List(list) => self.listed(list, rule, declared, base, target)?,
            config::Make::ForEach(each) => self.for_each(each, rule, declared, base, target)?,
        })
    }

    /// A plain value that is written.
    pub(super) fn literal(&mut self, node: &config::Spanned<config::Node>) -> Option<Literal> {
        match Literal::of(node) {
            Ok(literal) => Some(literal),
            Err(error) => {
                self.findings.push(
                    Finding::error(&codes::DEFAULT_TYPE, error.place, error.cause)
                        .fix("write a plain value; what is computed belongs into a transform"),
                );
                None
            }
        }
    }

    fn flat(&mut self, rule: &FieldRule, kind: &Type) {
        let (at, fix) = match &rule.make {
            config::Make::Transform(written) => {
                (written.place.clone(), "pick one element or field of it, or join it into text")
            }
            config::Make::ForEach(_) | config::Make::List(_) => (
                rule.target.place.clone(),
                "write one record for each element instead, pick one element, or join them into text: record.orders.map(order, order.id)",
            ),
            config::Make::Object(_) => (rule.target.place.clone(), "write each field as a column of its own"),
            _ => (rule.target.place.clone(), "pick one element or field of it, or join it into text"),
        };
        self.findings.push(
            Finding::error(
                &codes::TARGET_TYPE,
                at,
                format!("the result is of type {kind}, but records of `{}` are flat", self.target.name),
            )
            .fix(fix),
        );
    }

    /// The steps of classes through an expression, what it uses by name included.
    pub(super) fn passages(&self, program: &Program) -> Vec<Passage> {
        let mut steps: Vec<Passage> = Vec::new();
        for cell in program.locals() {
            if let Some(Some(inner)) = self.cells.get(*cell) {
                steps.extend(self.passages(inner));
            }
        }
        steps.extend(program.flow().iter().map(|step| Passage {
            through: step.what.clone(),
            effect: step.effect,
            before: step.before,
            after: step.after,
        }));
        steps
    }

    /// Whether an expression has a result that is not null for every record.
    pub(super) fn sure(&self, program: &Program) -> bool {
        !matches!(program.kind(), Type::Dyn | Type::Null)
            && program.reads().iter().all(|path| self.source.always(path))
            && program.locals().iter().all(|cell| match self.cells.get(*cell) {
                Some(Some(inner)) => self.sure(inner),
                _ => false,
            })
    }

    /// Whether messages may show what an expression computes with besides the source.
    pub(super) fn quiet(&self, program: &Program) -> bool {
        program.reads().iter().all(|path| self.is_plain(path))
            && program.locals().iter().all(|cell| match self.cells.get(*cell) {
                Some(Some(inner)) => self.quiet(inner),
                // An element: what is in it is known by the names of its fields alone.
                _ => false,
            })
    }

    /// Whether a path is declared, and nothing says or suggests that it is sensitive.
    fn is_plain(&self, path: &Path) -> bool {
        let quiet = crate::map::shape::classes_at(&self.known, path).is_empty() && suspect::by_path(path).is_empty();
        self.is_declared(path) && quiet
    }

    fn default(&mut self, rule: &FieldRule, source_kind: &Type, base: &Base) -> Option<Literal> {
        let written = rule.default.as_ref()?;
        let literal = match Literal::of(written) {
            Ok(literal) => literal,
            Err(error) => {
                self.findings.push(
                    Finding::error(&codes::DEFAULT_TYPE, error.place, error.cause)
                        .fix("write a plain value; what is computed belongs into the transform"),
                );
                return None;
            }
        };
        let unused = match &rule.source {
            None if !matches!(rule.make, config::Make::Value) => {
                Some("the rule has no source that could be absent".to_string())
            }
            Some(path) if self.always(base, &path.value) => {
                Some(format!("`{}` is declared as always there and never null", path.value))
            }
            _ => None,
        };
        if let Some(cause) = unused {
            self.findings
                .push(Finding::warning(&codes::UNUSED_DEFAULT, written.place.clone(), cause).fix("remove the default"));
        }
        let kind = literal.kind();
        let fitting = literal.fit(source_kind, self.source.text_fields && matches!(base, Base::Record));
        if fitting.is_none() {
            self.findings.push(
                Finding::error(
                    &codes::DEFAULT_TYPE,
                    written.place.clone(),
                    format!("the default is of type {kind}, but the source field is declared as {source_kind}"),
                )
                .fix("a default stands in for the source value, before the transform: give it that type")
                .edit(match &written.value {
                    config::Node::Text(text) => mend::retype(&written.place, &text.to_string(), source_kind),
                    config::Node::Number(text) => mend::retype(&written.place, text, source_kind),
                    _ => None,
                }),
            );
        }
        fitting
    }

    /// The type that the result must have and how far a conversion may go; what cannot meet it is
    /// a finding.
    fn wanted(&mut self, rule: &FieldRule, result: &Type, declared: &Type, path: &Path) -> (Type, Reading) {
        let at = rule.transform().map_or(&rule.target.place, |transform| &transform.place);
        let target = self.target;
        let Some(asked) = &rule.kind else {
            if !fits(result, declared) {
                self.findings.push(
                    misfit(result, declared, at.clone(), || {
                        format!(
                            "the result is of type {result}, but `{path}` of `{}` is declared as {declared}",
                            target.name
                        )
                    })
                    .edit(mend::convert(rule, result, declared)),
                );
            }
            return (declared.clone(), Reading::Exact);
        };
        if !can_read(result, &asked.value) {
            self.findings.push(
                Finding::error(
                    &codes::TARGET_TYPE,
                    asked.place.clone(),
                    format!("the result is of type {result}, which cannot be read as {}", asked.value),
                )
                .fix("convert it in the transform, or correct `type`"),
            );
        }
        if !fits(&asked.value, declared) {
            self.findings.push(misfit(&asked.value, declared, asked.place.clone(), || {
                format!("`type` says {}, but `{path}` of `{}` is declared as {declared}", asked.value, target.name)
            }));
        }
        (asked.value.clone(), Reading::Text)
    }

    /// Whether messages may show the values of this rule: all that it reads is declared, and
    /// nothing of it is or sounds sensitive.
    fn is_open(&self, rule: &FieldRule, reads: &[Path], flow: &Flow, base: &Base) -> bool {
        let source = rule.source.as_ref().is_none_or(|path| match base {
            Base::Record => self.is_plain(&path.value),
            Base::Item { kind, .. } => {
                kind.at(&path.value).is_ok_and(|kind| kind != Type::Dyn) && suspect::by_path(&path.value).is_empty()
            }
        });
        flow.source.is_empty()
            && flow.classes.is_empty()
            && flow.control.is_empty()
            && suspect::by_path(&rule.target.value).is_empty()
            && source
            && reads.iter().all(|path| self.is_plain(path))
    }

    /// By which classes the result is masked.
    fn mask(&self, rule: &FieldRule, flow: &Flow, inner: ClassSet) -> ClassSet {
        // Where the classes of the source are known, those of the result are computed.
        if !flow.source.is_empty() || !flow.classes.is_empty() {
            return flow.classes.union(inner);
        }
        let source = rule.source.as_ref().map(|path| suspect::by_path(&path.value)).unwrap_or_default();
        let constant = matches!(rule.make, config::Make::Constant(_));
        let target = if constant { ClassSet::NONE } else { suspect::by_path(&rule.target.value) };
        source.union(target).union(inner)
    }
}

/// What reaches a result by either way.
pub(super) fn union(one: &Flow, other: &Flow) -> Flow {
    Flow {
        source: one.source.union(other.source),
        classes: one.classes.union(other.classes),
        control: one.control.union(other.control),
        passages: one.passages.iter().chain(&other.passages).cloned().collect(),
    }
}

/// The condition of an object or an element.
pub(super) fn adds(flow: &mut Flow, condition: Option<&Condition>) {
    if let Some(condition) = condition {
        flow.control = flow.control.union(decided(&condition.program));
    }
}
