//! From a resolved mapping to a [`Route`], with everything said that can be known without data.

mod block;
mod explode;
mod fit;
mod governed;
mod names;
mod protect;
mod rule;
mod switch;

use super::contract::Guard;
use std::collections::{BTreeSet, HashMap};

use super::nest;
use super::protect::{Protects, Unprotected};
use super::route::{Condition, Flow, Leaf, Masks, Route, Withholding};
use super::shape::{SourceShape, TargetShape, classes_at};
use super::{examples, target as targets};
use crate::config::{Expression, FieldRule, Mapping, Withholds};
use crate::error::codes::map as codes;
use crate::error::{Finding, Findings, Severity};
use crate::expr::{Bind, Binding, Constant, Environment, KeyUse, Keys, Program, Tables};
use crate::record::{ClassSet, Path, Projection, Type, suspect};
use block::Base;
use names::Role;

/// Compiles a mapping against its two streams and checks it: names, types, calls, targets,
/// key, and its own examples.
///
/// The route is `None` if a finding is an error other than a failing example, which says
/// nothing against running the others.
pub fn compile(mapping: &Mapping, source: &SourceShape, target: &TargetShape) -> (Option<Route>, Findings) {
    compile_with(mapping, source, target, &Keys::default(), &Unprotected)
}

/// The same for a mapping whose expressions name keys: who holds them; and whose values are protected by
/// their classes: what says how.
pub fn compile_with(
    mapping: &Mapping,
    source: &SourceShape,
    target: &TargetShape,
    keys: &Keys,
    protects: &dyn Protects,
) -> (Option<Route>, Findings) {
    let mut compiler = Compiler::new(mapping, source, target, keys, protects);
    let explode = compiler.explode(mapping);
    compiler.lets(&mapping.lets);
    let fields = compiler.expand(&mapping.fields, &mapping.copies, &Base::Record);
    let kind = target.kind();
    let declared = targets::check_paths(&fields, &kind, &target.name, target.flat, &mut compiler.findings);
    let gate = mapping.when.as_ref().and_then(|when| compiler.gate(when));
    let withholds = mapping.withholds.iter().filter_map(|one| compiler.withholding(one)).collect();
    let (mut rules, mut columns, mut flows, mut targets_masks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (column, (rule, declared)) in fields.iter().zip(&declared).enumerate() {
        compiler.column = column;
        if let Some(made) = compiler.rule(rule, declared, &Base::Record, &Path::default()) {
            rules.push(made.rule);
            columns.push(made.column);
            flows.push(made.flow);
            targets_masks.push(made.mask);
        }
    }
    let (whole_record, validate) = compiler.judged(mapping, &columns, &flows);
    compiler.unused_lets();
    if mapping.all_rules {
        targets::check_written(mapping, &fields, source, target, &mut compiler.findings);
    }
    let whole = mapping.whole && rules.len() == fields.len();
    let key = if whole {
        targets::check_filled(mapping, &fields, target, &columns, &mut compiler.findings)
    } else {
        Vec::new()
    };
    let governed = compiler.governed(mapping);
    let totals = if whole { compiler.totals(mapping, &columns) } else { Vec::new() };
    let Compiler { mut findings, mut projection, known, cells, leaves, key_uses, keyed, .. } = compiler;
    let mut guard = Guard::new(mapping, source, target, &known, &mut projection, &mut findings);
    guard.iter_mut().for_each(|guard| guard.columns(&columns));
    examples_apart(mapping, &mut findings);
    if !whole || findings.iter().any(|finding| finding.severity == Severity::Error) {
        return (None, findings);
    }
    let source_classes: Vec<ClassSet> = projection.paths.iter().map(|path| classes_at(&known, path)).collect();
    let guessed = |classes: ClassSet, path: &Path| if classes.is_empty() { suspect::by_path(path) } else { classes };
    let masks = Masks {
        source: projection.paths.iter().zip(&source_classes).map(|(path, classes)| guessed(*classes, path)).collect(),
        target: targets_masks,
    };
    let declared_classes = known.iter().fold(source.suspected(), |all, (_, classes)| all.union(*classes));
    let route = Route {
        payload_classes: masks.source.iter().fold(declared_classes, |all, classes| all.union(*classes)),
        gate_classes: gate.as_ref().map(|gate| decided(&gate.program)).unwrap_or_default(),
        projection,
        columns,
        key,
        mode: mapping.sync.mode,
        flows,
        source_classes,
        masks,
        leaves,
        guard: guard.map(Box::new),
        explode,
        gate,
        withholds,
        rules,
        cells,
        whole: whole_record,
        validate,
        text_fields: source.text_fields,
        flat_target: target.flat,
        keys: key_uses.into_iter().collect(),
        keyed,
        rehearses: keyed && keys.rehearse(),
        governed,
        totals,
    };
    // What examples expect is what stand-ins make: a check runs them, and a run with keys has been checked.
    if !keyed || route.rehearses {
        check_examples(&route, mapping, &mut findings);
    }
    (Some(route), findings)
}

/// The classes on which a condition rests.
fn decided(program: &Program) -> ClassSet {
    program.classes().union(program.control_classes())
}

struct Compiler<'m> {
    source: &'m SourceShape,
    target: &'m TargetShape,
    /// Classes of source paths: declared by the stream, or annotated by a rule.
    known: Vec<(Path, ClassSet)>,
    projection: Projection,
    findings: Findings,
    /// Names that expressions can use, each with the scope that sees it (`None`: all).
    names: Vec<(Option<usize>, Binding)>,
    /// Those of one scope, as expressions are compiled against them.
    environment: Environment,
    environment_of: Option<usize>,
    /// What `params` holds in each scope.
    parameters: Vec<Vec<(String, Type, Constant)>>,
    cells: Vec<Option<Program>>,
    /// Cells of `let` with their names, to tell those that nobody uses.
    named: Vec<(usize, crate::config::Spanned<String>)>,
    used: BTreeSet<usize>,
    leaves: Vec<Leaf>,
    column: usize,
    /// The name of the mapping and how often it holds each expression: what tells them apart when they draw
    /// seeded values, wherever in the file they stand.
    name: &'m str,
    written: HashMap<String, u64>,
    /// The files that expressions look things up in.
    tables: &'m Tables,
    /// Who holds the keys that expressions name, and those that were named.
    keys: Keys,
    key_uses: BTreeSet<KeyUse>,
    keyed: bool,
    /// The cell in which elements are counted.
    count: Option<usize>,
    /// What is done to values for the sake of their classes.
    protects: &'m dyn Protects,
    /// The key of the target record.
    key: Vec<&'m Path>,
}

impl<'m> Compiler<'m> {
    fn new(
        mapping: &'m Mapping,
        source: &'m SourceShape,
        target: &'m TargetShape,
        keys: &Keys,
        protects: &'m dyn Protects,
    ) -> Self {
        let mut compiler = Self {
            source,
            target,
            known: source.classes(),
            projection: Projection::default(),
            findings: Findings::new(),
            names: Vec::new(),
            environment: Environment::default(),
            environment_of: None,
            parameters: names::parameters(mapping),
            cells: Vec::new(),
            named: Vec::new(),
            used: BTreeSet::new(),
            leaves: Vec::new(),
            column: 0,
            name: &mapping.name.value,
            written: HashMap::new(),
            tables: &mapping.tables,
            keys: keys.on_behalf(&mapping.family),
            key_uses: BTreeSet::new(),
            keyed: false,
            count: None,
            protects,
            key: mapping.sync.key.iter().map(|path| &path.value).collect(),
        };
        compiler.annotated(&mapping.fields, &Path::default());
        compiler.bind(
            None,
            Binding { field_classes: compiler.known.clone(), ..Binding::new("record", source.kind(), Bind::Record) },
        );
        compiler
    }

    /// Takes the classes that rules say of what they read.
    fn annotated(&mut self, rules: &[FieldRule], around: &Path) {
        for rule in rules {
            if let Some(path) = &rule.source
                && !rule.classes.is_empty()
            {
                let path = block::joined(around, &path.value);
                if !self.known.contains(&(path.clone(), rule.classes)) {
                    self.known.push((path, rule.classes));
                }
            }
            let around = block::around(rule, around);
            for (_, inner) in rule.blocks() {
                if let Some(around) = &around {
                    self.annotated(&inner.rules, around);
                }
            }
        }
    }

    fn gate(&mut self, when: &Expression) -> Option<Condition> {
        let condition = self.condition(when, None, None, Role::Gate, 0)?;
        // Text formats always have each column; elsewhere a gate rejects what it cannot read.
        let asks = ["has(", ".?", "orValue"].iter().any(|form| when.text.contains(form));
        if !self.source.text_fields && !asks {
            for path in condition.program.reads() {
                if self.source.field(path).is_some() && !self.source.always(path) {
                    self.findings.push(
                        Finding::note(
                            &codes::GATE_MAY_MISS,
                            when.place.clone(),
                            format!("`{path}` may be missing: such a record is rejected, not filtered"),
                        )
                        .fix(format!("if it should be filtered, begin with `has(record.{path}) && `")),
                    );
                }
            }
        }
        Some(condition)
    }

    /// A rule that keeps records back: a condition over the record like the gate.
    fn withholding(&mut self, one: &Withholds) -> Option<Withholding> {
        let program = self.program(&one.when, None, Role::Gate, 0)?;
        if !matches!(program.kind(), Type::Bool | Type::Dyn) {
            let cause =
                format!("the rule `{}` must be true or false, and this is of type {}", one.rule, program.kind());
            let place = one.when.place.clone();
            self.findings.push(Finding::error(&codes::NOT_A_CONDITION, place, cause).fix("compare it with something"));
            return None;
        }
        let condition = Condition { program, written: one.when.clone(), message: None };
        Some(Withholding { rule: one.rule.as_str().into(), told: one.told.clone(), condition })
    }

    /// The conditions on the whole target record, and how that is put together for them.
    #[expect(clippy::type_complexity, reason = "named where it goes, in the route")]
    fn judged(
        &mut self,
        mapping: &Mapping,
        columns: &[crate::record::Column],
        flows: &[Flow],
    ) -> (Option<(usize, Vec<(String, nest::Shape)>)>, Vec<Condition>) {
        if mapping.validate.is_empty() {
            return (None, Vec::new());
        }
        let cell = self.cell(None);
        let made: Vec<_> = columns.iter().zip(flows).map(|(column, flow)| (column, flow.classes)).collect();
        let kind = block::record_type(&made);
        self.bind(None, Binding::new("target", kind, Bind::Local(cell)));
        let check =
            |check: &crate::config::Check| self.condition(&check.that, check.message.clone(), None, Role::Whole, 0);
        let validate: Vec<Condition> = mapping.validate.iter().filter_map(check).collect();
        let paths: Vec<&Path> = columns.iter().map(|column| &column.path).collect();
        (Some((cell, nest::shape(&paths))), validate)
    }

    /// Whether something is said of the path: its first key is a declared field.
    fn is_declared(&self, path: &Path) -> bool {
        let first = Path(path.0.iter().take(1).cloned().collect());
        self.source.field(&first).is_some()
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }
}

fn examples_apart(mapping: &Mapping, findings: &mut Findings) {
    for (index, test) in mapping.tests.iter().enumerate() {
        if mapping.tests[..index].iter().any(|other| other.name.value == test.name.value) {
            findings.push(
                Finding::warning(
                    &codes::DUPLICATE_EXAMPLE,
                    test.name.place.clone(),
                    format!("two examples are named `{}`", test.name.value),
                )
                .fix("give each its own name"),
            );
        }
    }
}

/// Runs the examples and makes findings of those that do not hold.
fn check_examples(route: &Route, mapping: &Mapping, findings: &mut Findings) {
    for example in examples::test(route, mapping).examples {
        let Some(failure) = example.failure else { continue };
        let rule = |field: &str| {
            let found = route.leaf(field).map(|leaf| &leaf.rule.place);
            found.map_or(String::new(), |place| format!(" (its rule: {}:{})", place.file, place.line))
        };
        let name = &example.name;
        findings.push(match failure {
            examples::Failure::Invalid { place, cause } => {
                Finding::error(&codes::EXAMPLE_INVALID, place, format!("`{name}`: {cause}"))
                    .fix("write plain values of the declared types")
            }
            examples::Failure::Verdict { expected, got, field } => Finding::error(
                &codes::EXAMPLE_FAILED,
                example.place,
                format!("`{name}`: expected {expected}, got {got}{}", field.as_deref().map(rule).unwrap_or_default()),
            )
            .fix("correct the rule, or what the example expects"),
            examples::Failure::Different(differences) => {
                let shown: Vec<String> = differences
                    .iter()
                    .take(3)
                    .map(|d| format!("`{}` expected {}, got {}{}", d.field, d.expected, d.got, rule(&d.field)))
                    .collect();
                let more = differences.len().saturating_sub(3);
                let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
                Finding::error(&codes::EXAMPLE_FAILED, example.place, format!("`{name}`: {}{rest}", shown.join("; ")))
                    .fix("correct the rule, or what the example expects")
            }
        });
    }
}
