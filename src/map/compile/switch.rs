//! Switches: tables from values to values, and lists of conditions.

use super::names::Role;
use super::rule::Making;
use super::{Compiler, codes, decided};
use crate::config::{self, FieldRule};
use crate::error::Finding;
use crate::expr::Effect;
use crate::map::literal::Literal;
use crate::map::nest::{Case, Table};
use crate::map::route::{Flow, Make, Passage};
use crate::record::{ClassSet, Decimal, Type};

impl Compiler<'_> {
    /// A table: the result depends on the source value, but does not hold it.
    pub(super) fn table(
        &mut self,
        table: &config::Table,
        source: &Type,
        classes: ClassSet,
        has_source: bool,
    ) -> Option<Making> {
        if !has_source {
            self.findings.push(
                Finding::error(&codes::EMPTY_RULE, table.place.clone(), "the table has no value to look for")
                    .fix("add `source: field`, or write a list of `when` and `then`"),
            );
            return None;
        }
        let before = self.errors();
        let mut made = Table { keys: Vec::new(), numbers: Vec::new(), results: Vec::new(), otherwise: false };
        let mut branches = Vec::with_capacity(table.cases.len() + 1);
        for (index, (key, result)) in table.cases.iter().enumerate() {
            if let Some(cause) = never(&key.value, source) {
                self.findings.push(
                    Finding::error(&codes::NO_CASE, key.place.clone(), cause)
                        .fix("correct the case, or the type of the source field"),
                );
            }
            if let Ok(number) = Decimal::parse(&key.value) {
                made.numbers.push((number, index));
            }
            made.keys.push((key.value.clone(), index));
            branches.push(key.value.clone());
            made.results.extend(self.literal(result));
        }
        made.keys.sort();
        if let Some(otherwise) = &table.otherwise {
            made.results.extend(self.literal(otherwise));
            made.otherwise = true;
            branches.push("otherwise".into());
        }
        if self.errors() > before {
            return None;
        }
        let kind = made.results.iter().map(Literal::kind).reduce(common).unwrap_or_default();
        let filled = made.results.iter().all(|result| !matches!(result, Literal::Null));
        let through =
            Passage { through: "switch".into(), effect: Effect::Declassifies, before: classes, after: ClassSet::NONE };
        let passages = if classes.is_empty() { Vec::new() } else { vec![through] };
        Some(Making {
            make: Make::Table(made),
            kind,
            own: Flow { source: classes, classes: ClassSet::NONE, control: classes, passages },
            inner: Flow::default(),
            mask: ClassSet::NONE,
            filled,
            reads: Vec::new(),
            quiet: true,
            branches,
        })
    }

    /// A list of conditions with results.
    pub(super) fn cases(
        &mut self,
        cases: &[config::Case],
        value: Option<(Type, ClassSet)>,
        source: ClassSet,
        rule: &FieldRule,
    ) -> Option<Making> {
        let before = self.errors();
        let own = if rule.source.is_none() { rule.classes } else { ClassSet::NONE };
        let mut flow = Flow { source, classes: own, ..Flow::default() };
        let (mut made, mut branches, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        let (mut kind, mut filled, mut quiet) = (None, true, true);
        for case in cases {
            let when = match &case.when {
                Some(when) => self.condition(when, None, value.clone(), Role::Gate, rule.scope),
                None => None,
            };
            let name = case.when.as_ref().map_or("otherwise", |when| &when.text);
            branches.push(name.split_whitespace().collect::<Vec<_>>().join(" "));
            let Some(then) = self.program(&case.then, value.clone(), Role::Rule, rule.scope) else { continue };
            if let Some(when) = &when {
                flow.control = flow.control.union(decided(&when.program));
                reads.extend_from_slice(when.program.reads());
                quiet &= self.quiet(&when.program);
            }
            flow.classes = flow.classes.union(then.classes());
            flow.control = flow.control.union(then.control_classes());
            flow.passages.extend(self.passages(&then));
            reads.extend_from_slice(then.reads());
            quiet &= self.quiet(&then);
            filled &= self.sure(&then);
            kind = Some(kind.map_or(then.kind().clone(), |kind| common(kind, then.kind().clone())));
            made.push(Case { when, then });
        }
        if self.errors() > before {
            return None;
        }
        Some(Making {
            make: Make::Cases(made),
            kind: kind.unwrap_or_default(),
            own: flow,
            inner: Flow::default(),
            mask: ClassSet::NONE,
            filled,
            reads,
            quiet,
            branches,
        })
    }
}

/// Why a value of the type can never be this case.
fn never(key: &str, source: &Type) -> Option<String> {
    let fits = match source {
        Type::Int | Type::Uint | Type::Decimal => Decimal::parse(key).is_ok(),
        Type::Bool => ["true", "false"].contains(&key),
        Type::Dyn | Type::String | Type::Date => true,
        other => return Some(format!("a switch chooses by text, numbers, dates, true and false, and this is {other}")),
    };
    (!fits).then(|| format!("the source is of type {source}, which is never `{key}`"))
}

/// The type that values of both have.
fn common(one: Type, other: Type) -> Type {
    let number = |kind: &Type| matches!(kind, Type::Int | Type::Uint | Type::Decimal);
    match (one, other) {
        (one, other) if one == other => one,
        (one, other) if number(&one) && number(&other) => Type::Decimal,
        (Type::Null, other) | (other, Type::Null) => other,
        _ => Type::Dyn,
    }
}
