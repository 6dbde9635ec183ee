//! Rules in rules: objects, lists, lists made of lists, and fields that are copied.

use super::names::Role;
use super::rule::{Making, adds, union};
use super::{Compiler, codes};
use crate::config::{self, Block, Copying, Expression, FieldRule, ForEach, ListOf, Spanned, Which};
use crate::error::Finding;
use crate::expr::{Bind, Binding};
use crate::map::nest::{self, Over, Part};
use crate::map::route::{Flow, Make};
use crate::map::{route, shape, target as targets};
use crate::record::path::Step;
use crate::record::{ClassSet, Column, Field, Path, Type};

/// What the sources of rules are relative to.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// The record.
    Record,
    /// The element of a list.
    Item {
        cell: usize,
        kind: Type,
        /// Classes of the element as a whole.
        whole: ClassSet,
        /// Classes of paths in it.
        known: Vec<(Path, ClassSet)>,
        /// Where it lies in the record, if it lies there.
        path: Option<Path>,
        /// The list, for messages.
        name: String,
    },
}

impl Base {
    /// The classes of what is read at a path.
    pub(super) fn classes(&self, known: &[(Path, ClassSet)], path: &Path) -> ClassSet {
        match self {
            Self::Record => shape::classes_at(known, path),
            Self::Item { whole, known, kind, .. } => {
                let declared = kind.at(path).map(|kind| below(&kind)).unwrap_or_default();
                shape::classes_at(known, path).union(*whole).union(declared)
            }
        }
    }

    /// A path of a source from the record on.
    pub(super) fn absolute(&self, path: &Path) -> Option<Path> {
        match self {
            Self::Record => Some(path.clone()),
            Self::Item { path: around, .. } => around.as_ref().map(|around| joined(around, path)),
        }
    }
}

/// One path behind another.
pub(super) fn joined(around: &Path, path: &Path) -> Path {
    Path(around.0.iter().chain(&path.0).cloned().collect())
}

/// What paths of sources inside of a rule begin with, as far as it is a place in the record.
pub(super) fn around(rule: &FieldRule, around: &Path) -> Option<Path> {
    match &rule.make {
        config::Make::ForEach(each) => match &each.over {
            config::Over::Path(path) => Some(elements(&joined(around, &path.value))),
            config::Over::Expression(_) => None,
        },
        _ => Some(around.clone()),
    }
}

/// The path of the elements of the list at a path.
fn elements(path: &Path) -> Path {
    Path(list(path).0.into_iter().chain([Step::Each]).collect())
}

/// The path of a list that can be written with or without `[*]` at its end.
fn list(path: &Path) -> Path {
    let mut steps = path.0.clone();
    if steps.last() == Some(&Step::Each) {
        steps.pop();
    }
    Path(steps)
}

/// The type of an object of these columns.
pub(super) fn record_type(columns: &[(&Column, ClassSet)]) -> Type {
    fn add(fields: &mut Vec<Field>, steps: &[Step], column: &Column, classes: ClassSet) {
        let Some((Step::Key(name), rest)) = steps.split_first() else { return };
        let at = fields.iter().position(|field| field.name == *name).unwrap_or_else(|| {
            let kind =
                if rest.is_empty() { column.kind.clone() } else { Type::Record { fields: Vec::new(), open: false } };
            let required = rest.is_empty() && column.required;
            let classes = if rest.is_empty() { classes } else { ClassSet::NONE };
            fields.push(Field { name: name.clone(), kind, required, nullable: !required, classes });
            fields.len() - 1
        });
        if !rest.is_empty()
            && let Type::Record { fields, .. } = &mut fields[at].kind
        {
            add(fields, rest, column, classes);
        }
    }
    let mut fields = Vec::new();
    for (column, classes) in columns {
        add(&mut fields, &column.path.0, column, *classes);
    }
    Type::Record { fields, open: false }
}

/// The classes of all that a type declares.
fn below(kind: &Type) -> ClassSet {
    match kind {
        Type::Record { fields, .. } => {
            fields.iter().fold(ClassSet::NONE, |all, field| all.union(field.classes).union(below(&field.kind)))
        }
        Type::List(inner) | Type::Map(inner) => below(inner),
        _ => ClassSet::NONE,
    }
}

/// What is known of a part beside what it does.
struct Inside {
    part: Part,
    kind: Type,
    flow: Flow,
    mask: ClassSet,
    /// Whether it always has something in it.
    filled: bool,
}

impl Compiler<'_> {
    /// The type of the source value; a path that does not exist is a finding.
    pub(super) fn source_kind(&mut self, rule: &FieldRule, base: &Base) -> Type {
        let Some(path) = &rule.source else { return Type::Dyn };
        self.type_at(path, &path.value, base)
    }

    fn type_at(&mut self, written: &Spanned<Path>, path: &Path, base: &Base) -> Type {
        let (found, name, flat) = match base {
            Base::Record => (self.source.type_at(path), self.source.name.clone(), self.source.text_fields),
            Base::Item { kind, name, .. } => {
                let found =
                    kind.at(path).map_err(|(key, known)| (key, known.into_iter().map(str::to_string).collect()));
                (found, name.clone(), false)
            }
        };
        match found {
            Ok(kind) => {
                if matches!(base, Base::Record) {
                    self.unknown(path, &written.place);
                }
                kind
            }
            Err((key, known)) => {
                let cause = match (known.is_empty(), flat) {
                    (false, _) => format!("`{name}` has no field `{key}`"),
                    (true, true) => {
                        format!("`{path}`: records of `{name}` are flat, there is no `{key}` inside")
                    }
                    (true, false) => format!("`{path}`: there is no `{key}` inside a plain value of `{name}`"),
                };
                let mut finding = Finding::error(&codes::UNKNOWN_SOURCE, written.place.clone(), cause)
                    .did_you_mean(&key, known.iter().map(String::as_str));
                finding.fix.get_or_insert_with(|| match known.is_empty() {
                    false => format!("it has: {}", known.join(", ")),
                    true => "name the field itself, or correct its declaration".into(),
                });
                self.findings.push(finding);
                Type::Dyn
            }
        }
    }

    /// Whether the value at a path is always there and never null.
    pub(super) fn always(&self, base: &Base, path: &Path) -> bool {
        match base {
            Base::Record => self.source.always(path),
            Base::Item { kind, .. } => {
                let mut here = kind;
                path.0.iter().all(|step| match (here, step) {
                    (Type::Record { fields, .. }, Step::Key(name)) => {
                        let found = fields.iter().find(|field| field.name == *name);
                        found.is_some_and(|field| {
                            here = &field.kind;
                            field.required && !field.nullable
                        })
                    }
                    _ => false,
                })
            }
        }
    }

    /// Compiles an object and its rules.
    fn part(
        &mut self,
        block: &Block,
        when: Option<&Expression>,
        scope: usize,
        declared: &Type,
        base: &Base,
        around: &Path,
        at: &crate::error::Place,
    ) -> Option<Inside> {
        let before = self.errors();
        let known = self.names.len();
        let cells = self.lets(&block.lets);
        let when = when.map(|when| self.condition(when, None, None, Role::Gate, scope));
        let fields = self.expand(&block.rules, &block.copies, base);
        let name = format!("{around} of {}", self.target.name);
        let kinds = targets::check_paths(&fields, declared, &name, false, &mut self.findings);
        let (mut rules, mut columns, mut flow, mut mask) = (Vec::new(), Vec::new(), Flow::default(), ClassSet::NONE);
        for (rule, declared) in fields.iter().zip(&kinds) {
            if let Some(made) = self.rule(rule, declared, base, around) {
                flow = union(&flow, &made.flow);
                mask = mask.union(made.mask);
                rules.push(made.rule);
                columns.push((made.column, made.flow.classes));
            }
        }
        self.unbind(known);
        if let Type::Record { fields: wanted, .. } = declared {
            targets::check_inside(&fields, wanted, &name, at, &mut self.findings, |_| None);
        }
        let when = match when {
            Some(when) => Some(when?),
            None => None,
        };
        if self.errors() > before {
            return None;
        }
        adds(&mut flow, when.as_ref());
        let borrowed: Vec<(&Column, ClassSet)> = columns.iter().map(|(column, classes)| (column, *classes)).collect();
        let paths: Vec<&Path> = columns.iter().map(|(column, _)| &column.path).collect();
        let filled = when.is_none() && columns.iter().any(|(column, _)| column.required);
        let (kind, shape) = (record_type(&borrowed), nest::shape(&paths));
        Some(Inside { part: Part { when, rules, shape, cells }, kind, flow, mask, filled })
    }

    pub(super) fn object(
        &mut self,
        block: &Block,
        rule: &FieldRule,
        declared: &Type,
        base: &Base,
        target: &Path,
    ) -> Option<Making> {
        let inside = self.part(block, None, rule.scope, declared, base, target, &rule.target.place)?;
        let filled = inside.filled;
        Some(making(Make::Object(inside.part), inside.kind, Flow::default(), inside.flow, inside.mask, filled))
    }

    pub(super) fn listed(
        &mut self,
        list: &ListOf,
        rule: &FieldRule,
        declared: &Type,
        base: &Base,
        target: &Path,
    ) -> Option<Making> {
        let declared = element(declared);
        let (mut parts, mut flow, mut mask) = (Vec::new(), Flow::default(), ClassSet::NONE);
        let (mut kind, mut filled) = (None, list.keep_empty);
        for (index, each) in list.elements.iter().enumerate() {
            let around = Path(target.0.iter().cloned().chain([Step::Index(index as i64)]).collect());
            let inside =
                self.part(&each.block, each.when.as_ref(), rule.scope, &declared, base, &around, &rule.target.place);
            let Some(inside) = inside else { continue };
            flow = union(&flow, &inside.flow);
            mask = mask.union(inside.mask);
            filled |= inside.filled;
            // Elements of different kinds have nothing in common but to be maps.
            kind = Some(match kind {
                None => inside.kind,
                Some(kind) if kind == inside.kind => kind,
                Some(_) => Type::Map(Box::default()),
            });
            parts.push(inside.part);
        }
        if parts.len() < list.elements.len() {
            return None;
        }
        let kind = Type::List(Box::new(kind.unwrap_or_default()));
        Some(making(Make::List(parts, list.keep_empty), kind, Flow::default(), flow, mask, filled))
    }

    pub(super) fn for_each(
        &mut self,
        each: &ForEach,
        rule: &FieldRule,
        declared: &Type,
        base: &Base,
        target: &Path,
    ) -> Option<Making> {
        let (over, kind, place, mut item) = self.over(each, rule, base)?;
        let (mut found, mut depth) = (kind, 0);
        if let config::Over::Path(path) = &each.over {
            depth = list(&path.value).0.iter().filter(|step| **step == Step::Each).count();
        }
        for _ in 0..=depth {
            found = match found {
                Type::List(inner) => *inner,
                Type::Dyn => Type::Dyn,
                other => {
                    let cause = format!("`for_each` goes through a list, and this is {other}");
                    let finding = Finding::error(&codes::NOT_A_LIST, place, cause);
                    self.findings.push(finding.fix("name a list, or write an object with `fields` alone"));
                    return None;
                }
            };
        }
        let known = self.names.len();
        let (cell, index) = (self.cell(None), self.cell(None));
        let count = match self.count {
            Some(count) => count,
            None => {
                let count = self.cell(None);
                *self.count.insert(count)
            }
        };
        let (mut whole, mut inner, mut control) = (ClassSet::NONE, Vec::new(), ClassSet::NONE);
        if let Base::Item { cell: place, kind, whole: all, known, .. } = &mut item {
            (*place, *kind) = (cell, found.clone());
            (whole, inner) = (*all, known.clone());
        }
        if let Over::Program(program, _) = &over {
            (whole, control) = (program.classes(), program.control_classes());
            if let Base::Item { whole: all, .. } = &mut item {
                *all = whole;
            }
        }
        let binding = |name: &str| Binding {
            classes: whole,
            field_classes: inner.clone(),
            control,
            ..Binding::new(name, found.clone(), Bind::Local(cell))
        };
        self.bind(None, binding("item"));
        self.bind(None, Binding::new("index", Type::Int, Bind::Local(index)));
        if let Some(name) = &each.name {
            if self.names.iter().any(|(_, known)| known.name == name.value) {
                let cause = format!("`{}` stands for something else already", name.value);
                let finding = Finding::error(&codes::DUPLICATE_NAME, name.place.clone(), cause);
                self.findings.push(finding.fix("choose another name"));
            }
            self.bind(None, binding(&name.value));
        }
        let around = Path(target.0.iter().cloned().chain([Step::Each]).collect());
        let inside = self.part(
            &each.block,
            each.when.as_ref(),
            rule.scope,
            &element(declared),
            &item,
            &around,
            &rule.target.place,
        );
        self.unbind(known);
        let inside = inside?;
        let name = match &each.over {
            config::Over::Path(path) => path.value.to_string(),
            config::Over::Expression(written) => route::one_line(written),
        };
        let given = match &each.over {
            config::Over::Path(path) => self.always(base, &list(&path.value)),
            config::Over::Expression(_) => false,
        };
        let filled = (given || each.empty_if_missing) && each.keep_empty;
        let kind = Type::List(Box::new(inside.kind));
        // How many elements there are tells something of what the list was chosen by.
        let own = Flow { control, ..Flow::default() };
        let made = route::Make::ForEach(Box::new(nest::ForEach {
            over,
            depth,
            item: cell,
            index,
            count,
            part: inside.part,
            empty_if_missing: each.empty_if_missing,
            keep_empty: each.keep_empty,
            name,
        }));
        Some(making(made, kind, own, inside.flow, inside.mask, filled))
    }

    /// The list that is gone through: its type, where it is written, and what its elements are.
    fn over(
        &mut self,
        each: &ForEach,
        rule: &FieldRule,
        base: &Base,
    ) -> Option<(Over, Type, crate::error::Place, Base)> {
        let item = |path: Option<Path>, whole, known, name: String| Base::Item {
            cell: 0,
            kind: Type::Dyn,
            whole,
            known,
            path,
            name,
        };
        match &each.over {
            config::Over::Path(written) => {
                let path = list(&written.value);
                let kind = self.type_at(written, &path, base);
                let name = format!("{} of {}", elements(&path), self.source.name);
                let (over, item) = match base {
                    Base::Record => {
                        let at = elements(&path);
                        let (whole, inner) = split(&self.known, &at);
                        let slot = self.projection.slot(&path, kind.clone());
                        (Over::Slot(slot), item(Some(at), whole, inner, name))
                    }
                    Base::Item { cell, known, whole, path: around, .. } => {
                        let (more, inner) = split(known, &elements(&path));
                        let at = around.as_ref().map(|around| joined(around, &elements(&path)));
                        (Over::Cell(*cell, path.0.clone()), item(at, whole.union(more), inner, name))
                    }
                };
                Some((over, kind, written.place.clone(), item))
            }
            config::Over::Expression(written) => {
                let program = self.program(written, None, Role::Rule, rule.scope)?;
                let (kind, name) = (program.kind().clone(), format!("an element of `{}`", route::one_line(written)));
                let item = item(None, ClassSet::NONE, Vec::new(), name);
                Some((Over::Program(Box::new(program), written.clone()), kind, written.place.clone(), item))
            }
        }
    }

    /// The rules with those that copies come to.
    pub(super) fn expand(&mut self, rules: &[FieldRule], copies: &[Copying], base: &Base) -> Vec<FieldRule> {
        let mut all = Vec::with_capacity(rules.len());
        for copy in copies {
            let from = copy.from.as_ref().map(|from| from.value.clone()).unwrap_or_default();
            let one = |name: &Path, place: &crate::error::Place| {
                let target = Spanned { value: joined(&copy.target, name), place: place.clone() };
                let source = Spanned { value: joined(&from, name), place: place.clone() };
                FieldRule::plain(place.clone(), target, source, copy.scope)
            };
            match &copy.which {
                Which::Pick(names) => all.extend(names.iter().map(|name| one(&name.value, &name.place))),
                Which::Omit(names) => {
                    let whole = match base {
                        Base::Record => self.source.kind(),
                        Base::Item { kind, .. } => kind.clone(),
                    };
                    let Ok(Type::Record { fields, .. }) = whole.at(&from) else {
                        let what = if from.0.is_empty() { self.source.name.clone() } else { from.to_string() };
                        let cause =
                            format!("`omit` takes all declared fields but some, and nothing is declared of `{what}`");
                        self.findings.push(
                            Finding::error(&codes::UNKNOWN_SOURCE, copy.place.clone(), cause)
                                .fix("name what is taken with `pick`, or declare the stream's `fields`"),
                        );
                        continue;
                    };
                    self.omitted(names, &fields);
                    let mut names_left = Vec::new();
                    left(&fields, &Path::default(), names, &mut names_left);
                    all.extend(names_left.iter().map(|name| one(name, &copy.place)));
                }
            }
        }
        all.extend_from_slice(rules);
        all
    }

    /// What is left out has to be there.
    fn omitted(&mut self, names: &[Spanned<Path>], fields: &[Field]) {
        let record = Type::Record { fields: fields.to_vec(), open: false };
        for name in names {
            if let Err((key, known)) = record.at(&name.value) {
                let finding = Finding::error(
                    &codes::UNKNOWN_SOURCE,
                    name.place.clone(),
                    format!("there is no declared field `{key}` to leave out"),
                );
                let mut finding = finding.did_you_mean(&key, known.iter().copied());
                finding.fix.get_or_insert_with(|| format!("it has: {}", known.join(", ")));
                self.findings.push(finding);
            }
        }
    }
}

/// The declared fields that are not left out; a map of which a part is left out is taken apart.
fn left(fields: &[Field], around: &Path, omit: &[Spanned<Path>], out: &mut Vec<Path>) {
    for field in fields {
        let path = joined(around, &Path::key(&field.name));
        if omit.iter().any(|name| name.value == path) {
            continue;
        }
        match &field.kind {
            Type::Record { fields, .. } if omit.iter().any(|name| path.is_prefix_of(&name.value)) => {
                left(fields, &path, omit, out);
            }
            _ => out.push(path),
        }
    }
}

/// The type of the elements that a target declares.
fn element(declared: &Type) -> Type {
    if let Type::List(inner) = declared { (**inner).clone() } else { Type::Dyn }
}

/// The classes at and above a path, and those below it with the rest of their paths.
pub(super) fn split(known: &[(Path, ClassSet)], at: &Path) -> (ClassSet, Vec<(Path, ClassSet)>) {
    let (mut whole, mut inner) = (ClassSet::NONE, Vec::new());
    for (path, classes) in known {
        let same = path.0.iter().zip(&at.0).all(|steps| match steps {
            (Step::Key(a), Step::Key(b)) => a == b,
            (Step::Key(_), _) | (_, Step::Key(_)) => false,
            _ => true,
        });
        if same && path.0.len() <= at.0.len() {
            whole = whole.union(*classes);
        } else if same {
            inner.push((Path(path.0[at.0.len()..].to_vec()), *classes));
        }
    }
    (whole, inner)
}

fn making(make: Make, kind: Type, own: Flow, inner: Flow, mask: ClassSet, filled: bool) -> Making {
    Making { make, kind, own, inner, mask, filled, reads: Vec::new(), quiet: true, branches: Vec::new() }
}
