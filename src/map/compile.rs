//! From a resolved mapping to a [`Route`], with everything said that can be known without data.

use std::collections::HashMap;

use super::convert::Reading;
use super::literal::Literal;
use super::route::{Condition, Flow, Masks, Passage, Route, Rule};
use super::shape::{SourceShape, TargetShape, classes_at};
use super::{examples, mend, target as targets};
use crate::config::{Expression, FieldRule, Mapping, Node};
use crate::error::codes::map as codes;
use crate::error::{Finding, Findings, Place, Severity};
use crate::expr::{self, Bind, Binding, Dialect, Environment, Program};
use crate::record::{ClassSet, Column, Path, Projection, Type, suspect};

/// Compiles a mapping against its two streams and checks it: names, types, calls, targets,
/// key, and its own examples.
///
/// The route is `None` if a finding is an error other than a failing example, which says
/// nothing against running the others.
pub fn compile(mapping: &Mapping, source: &SourceShape, target: &TargetShape) -> (Option<Route>, Findings) {
    let mut compiler = Compiler::new(mapping, source);
    let declared = targets::check_paths(mapping, target, &mut compiler.findings);
    let gate = mapping.when.as_ref().and_then(|when| compiler.gate(when));
    let (mut rules, mut columns, mut flows) = (Vec::new(), Vec::new(), Vec::new());
    for (rule, declared) in mapping.fields.iter().zip(&declared) {
        if let Some((rule, column, flow)) = compiler.rule(rule, declared, target) {
            rules.push(rule);
            columns.push(column);
            flows.push(flow);
        }
    }
    let Compiler { mut findings, projection, known, .. } = compiler;
    if mapping.all_rules {
        targets::check_written(mapping, source, target, &mut findings);
    }
    let whole = mapping.whole && rules.len() == mapping.fields.len();
    let key = if whole { targets::check_filled(mapping, target, &columns, &mut findings) } else { Vec::new() };
    examples_apart(mapping, &mut findings);
    if !whole || findings.iter().any(|finding| finding.severity == Severity::Error) {
        return (None, findings);
    }
    let source_classes: Vec<ClassSet> = projection.paths.iter().map(|path| classes_at(&known, path)).collect();
    let masks = masks(&projection, &source_classes, mapping, &flows);
    let declared_classes = known.iter().fold(source.suspected(), |all, (_, classes)| all.union(*classes));
    let route = Route {
        payload_classes: masks.source.iter().fold(declared_classes, |all, classes| all.union(*classes)),
        gate_classes: gate
            .as_ref()
            .map(|gate| gate.program.classes().union(gate.program.control_classes()))
            .unwrap_or_default(),
        projection,
        columns,
        key,
        mode: mapping.sync.mode,
        flows,
        source_classes,
        masks,
        gate,
        rules,
        text_fields: source.text_fields,
        flat_target: target.flat,
    };
    check_examples(&route, mapping, &mut findings);
    (Some(route), findings)
}

struct Compiler<'m> {
    source: &'m SourceShape,
    /// Classes of source paths: declared by the stream, or annotated by a rule.
    known: Vec<(Path, ClassSet)>,
    projection: Projection,
    findings: Findings,
    /// The name of the mapping and how often it holds each expression: what tells them apart when they draw
    /// seeded values, wherever in the file they stand.
    name: &'m str,
    written: HashMap<String, u64>,
}

impl<'m> Compiler<'m> {
    fn new(mapping: &'m Mapping, source: &'m SourceShape) -> Self {
        let mut known = source.classes();
        for rule in &mapping.fields {
            if let Some(path) = &rule.source
                && !rule.classes.is_empty()
            {
                known.push((path.value.clone(), rule.classes));
            }
        }
        Self {
            source,
            known,
            projection: Projection::default(),
            findings: Findings::new(),
            name: &mapping.name.value,
            written: HashMap::new(),
        }
    }

    fn gate(&mut self, when: &Expression) -> Option<Condition> {
        let condition = self.condition(when, None, true)?;
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

    fn rule(&mut self, rule: &FieldRule, declared: &Type, target: &TargetShape) -> Option<(Rule, Column, Flow)> {
        let before = self.errors();
        let source_kind = self.source_kind(rule);
        let slot = rule.source.as_ref().map(|path| self.projection.slot(&path.value, source_kind.clone()));
        let default = self.default(rule, &source_kind);
        let source_classes = match &rule.source {
            Some(path) => classes_at(&self.known, &path.value),
            None => rule.classes,
        };
        if rule.source.is_none() && rule.transform.is_none() && default.is_none() && rule.default.is_none() {
            self.findings.push(
                Finding::error(
                    &codes::EMPTY_RULE,
                    rule.place.clone(),
                    format!("the rule for `{}` has neither a source nor a transform", rule.target.value),
                )
                .fix("add `source: field`, or `transform:` with an expression over `record`"),
            );
        }
        let transform = match &rule.transform {
            Some(written) => {
                let value = rule.source.is_some().then(|| (source_kind.clone(), source_classes));
                Some(self.program(written, value, false)?)
            }
            None => None,
        };
        let result = match (&transform, &rule.source, &default) {
            (Some(program), ..) => program.kind().clone(),
            (None, None, Some(default)) => default.kind(),
            _ => source_kind.clone(),
        };
        let (wanted, reading) = self.wanted(rule, &result, declared, target);
        if target.flat && matches!(result, Type::List(_) | Type::Map(_) | Type::Record { .. }) {
            let at = rule.transform.as_ref().map_or(&rule.target.place, |transform| &transform.place);
            self.findings.push(
                Finding::error(
                    &codes::TARGET_TYPE,
                    at.clone(),
                    format!("the result is of type {result}, but records of `{}` are flat", target.name),
                )
                .fix("pick one element or field of it, or join it into text"),
            );
        }
        let flow = flow(rule, transform.as_ref(), source_classes);
        let kind = if wanted == Type::Dyn { result } else { wanted.clone() };
        let mut validate = Vec::with_capacity(rule.validate.len());
        for condition in &rule.validate {
            validate.extend(self.condition(condition, Some((kind.clone(), flow.classes)), false));
        }
        if self.errors() > before {
            return None;
        }
        let always = match &rule.source {
            Some(path) => self.source.always(&path.value),
            None => transform.is_some(),
        } || rule.default.as_ref().is_some_and(|default| default.value != Node::Null);
        let filled = always
            && transform.as_ref().is_none_or(|program| {
                !matches!(program.kind(), Type::Dyn | Type::Null)
                    && program.reads().iter().all(|p| self.source.always(p))
            });
        let column = Column { path: rule.target.value.clone(), kind, required: rule.required || filled };
        let made = Rule {
            slot,
            default,
            open: self.is_open(rule, transform.as_ref(), &flow),
            transform,
            validate,
            required: rule.required,
            wanted,
            reading,
            target: rule.target.value.to_string(),
            source: rule.source.as_ref().map(|path| path.value.clone()),
        };
        Some((made, column, flow))
    }

    /// The type of the source value; a path that does not exist is a finding.
    fn source_kind(&mut self, rule: &FieldRule) -> Type {
        let Some(path) = &rule.source else { return Type::Dyn };
        match self.source.type_at(&path.value) {
            Ok(kind) => {
                self.unknown(&path.value, &path.place);
                kind
            }
            Err((key, known)) => {
                let cause = match (known.is_empty(), self.source.text_fields) {
                    (false, _) => format!("`{}` has no field `{key}`", self.source.name),
                    (true, true) => {
                        format!(
                            "`{}`: records of `{}` are flat, there is no `{key}` inside",
                            path.value, self.source.name
                        )
                    }
                    (true, false) => {
                        format!("`{}`: there is no `{key}` inside a plain value of `{}`", path.value, self.source.name)
                    }
                };
                let mut finding = Finding::error(&codes::UNKNOWN_SOURCE, path.place.clone(), cause)
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

    /// With `--strict`, a path that the stream does not declare is a finding.
    fn unknown(&mut self, path: &Path, place: &Place) {
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

    /// Whether something is said of the path: its first key is a declared field.
    fn is_declared(&self, path: &Path) -> bool {
        let first = Path(path.0.iter().take(1).cloned().collect());
        self.source.field(&first).is_some()
    }

    fn default(&mut self, rule: &FieldRule, source_kind: &Type) -> Option<Literal> {
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
            None if rule.transform.is_some() => Some("the rule has no source that could be absent".to_string()),
            Some(path) if self.source.always(&path.value) => {
                Some(format!("`{}` is declared as always there and never null", path.value))
            }
            _ => None,
        };
        if let Some(cause) = unused {
            self.findings
                .push(Finding::warning(&codes::UNUSED_DEFAULT, written.place.clone(), cause).fix("remove the default"));
        }
        let kind = literal.kind();
        let fitting = literal.fit(source_kind, self.source.text_fields);
        if fitting.is_none() {
            self.findings.push(
                Finding::error(
                    &codes::DEFAULT_TYPE,
                    written.place.clone(),
                    format!("the default is of type {kind}, but the source field is declared as {source_kind}"),
                )
                .fix("a default stands in for the source value, before the transform: give it that type")
                .edit(match &written.value {
                    Node::Text(text) => mend::retype(&written.place, &text.to_string(), source_kind),
                    Node::Number(text) => mend::retype(&written.place, text, source_kind),
                    _ => None,
                }),
            );
        }
        fitting
    }

    /// The type that the result must have and how far a conversion may go; what cannot meet it is
    /// a finding.
    fn wanted(&mut self, rule: &FieldRule, result: &Type, declared: &Type, target: &TargetShape) -> (Type, Reading) {
        let at = rule.transform.as_ref().map_or(&rule.target.place, |transform| &transform.place);
        let path = &rule.target.value;
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

    fn condition(&mut self, written: &Expression, value: Option<(Type, ClassSet)>, gate: bool) -> Option<Condition> {
        let name = if gate { "when" } else { "validate" };
        let program = self.program(written, value, gate)?;
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
        if !["value", "record", "now"].iter().any(|word| mentions(&written.text, word)) {
            self.findings.push(
                Finding::warning(
                    &codes::CONSTANT_CONDITION,
                    written.place.clone(),
                    format!("`{name}` reads neither the record nor the value: it is the same for every record"),
                )
                .fix(if gate {
                    "fields are read as `record.field`"
                } else {
                    "the result is read as `value`"
                }),
            );
        }
        Some(Condition { program, written: written.clone() })
    }

    /// Compiles an expression; its faults become findings at their places in the file.
    fn program(&mut self, written: &Expression, value: Option<(Type, ClassSet)>, gate: bool) -> Option<Program> {
        let has_value = value.is_some();
        let mut bindings = Vec::with_capacity(2);
        if let Some((kind, classes)) = value {
            bindings.push(Binding { name: "value".into(), kind, classes, how: Bind::Value, field_classes: Vec::new() });
        }
        bindings.push(Binding {
            name: "record".into(),
            kind: self.source.kind(),
            classes: ClassSet::NONE,
            how: Bind::Record,
            field_classes: self.known.clone(),
        });
        let salt = self.salt(&written.text);
        let environment = Environment { bindings, dialect: Dialect::Consign, gate, salt };
        match expr::compile(&written.text, &environment, &mut self.projection) {
            Ok(program) => {
                // That a type is not known matters with `--strict` alone, which says it below.
                let known = |warning: &&expr::Fault| warning.code != &crate::error::codes::expr::UNKNOWN_TYPE;
                for warning in program.warnings().iter().filter(known) {
                    self.findings.push(finding(written, warning));
                }
                for path in program.reads() {
                    self.unknown(path, &written.place);
                }
                Some(program)
            }
            Err(faults) => {
                for fault in &faults {
                    let part = written.text.get(fault.start..fault.end).unwrap_or_default();
                    if !has_value && !gate && part == "value" {
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

    fn salt(&mut self, text: &str) -> u64 {
        let count = self.written.entry(text.to_owned()).or_insert(0);
        *count += 1;
        let hash = blake3::hash(format!("{}\0{text}\0{count}", self.name).as_bytes());
        hash.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    /// Whether messages may show the values of this rule: all that it reads is declared, and
    /// nothing of it is or sounds sensitive.
    fn is_open(&self, rule: &FieldRule, transform: Option<&Program>, flow: &Flow) -> bool {
        let reads = transform.map(|program| program.reads()).unwrap_or_default();
        let mut paths = reads.iter().chain(rule.source.as_ref().map(|path| &path.value));
        let quiet = |path: &Path| {
            self.is_declared(path) && classes_at(&self.known, path).is_empty() && suspect::by_path(path).is_empty()
        };
        flow.source.is_empty()
            && flow.classes.is_empty()
            && flow.control.is_empty()
            && suspect::by_path(&rule.target.value).is_empty()
            && paths.all(quiet)
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }
}

fn flow(rule: &FieldRule, transform: Option<&Program>, source: ClassSet) -> Flow {
    let Some(program) = transform else {
        return Flow { source, classes: source, ..Flow::default() };
    };
    // A class on a rule without source has no other place than its result.
    let own = if rule.source.is_none() { rule.classes } else { ClassSet::NONE };
    let passages = program
        .flow()
        .iter()
        .map(|step| Passage { through: step.what.clone(), effect: step.effect, before: step.before, after: step.after })
        .collect();
    Flow { source, classes: program.classes().union(own), control: program.control_classes(), passages }
}

fn masks(projection: &Projection, known: &[ClassSet], mapping: &Mapping, flows: &[Flow]) -> Masks {
    let guessed = |classes: ClassSet, path: &Path| if classes.is_empty() { suspect::by_path(path) } else { classes };
    Masks {
        source: projection.paths.iter().zip(known).map(|(path, classes)| guessed(*classes, path)).collect(),
        target: mapping
            .fields
            .iter()
            .zip(flows)
            .map(|(rule, flow)| {
                // Where the classes of the source are known, those of the result are computed.
                if !flow.source.is_empty() || !flow.classes.is_empty() {
                    return flow.classes;
                }
                let source = rule.source.as_ref().map(|path| suspect::by_path(&path.value)).unwrap_or_default();
                source.union(suspect::by_path(&rule.target.value))
            })
            .collect(),
    }
}

fn finding(written: &Expression, fault: &expr::Fault) -> Finding {
    let mut finding = Finding::error(fault.code, written.place_at(fault.start, fault.end), fault.cause.clone());
    finding.severity = fault.severity;
    finding.fix = fault.fix.clone();
    finding.edit = fault.edit.as_ref().and_then(|edit| written.edit(edit.start, edit.end, &edit.text));
    finding
}

/// Whether a computed type can stand at a declared place, at worst after an exact conversion.
fn fits(result: &Type, declared: &Type) -> bool {
    matches!(result, Type::Null)
        || result.fits(declared)
        || matches!((result, declared), (Type::Int, Type::Uint) | (Type::Uint, Type::Int))
}

/// Whether `type:` on a rule can make one of the other.
fn can_read(result: &Type, asked: &Type) -> bool {
    let scalar = |kind: &Type| !matches!(kind, Type::Bytes | Type::List(_) | Type::Map(_) | Type::Record { .. });
    match (result, asked) {
        (Type::Int | Type::Uint | Type::Decimal, Type::Double) => true,
        (Type::String, Type::Duration) => false,
        (Type::String, asked) => scalar(asked),
        (result, Type::String) => scalar(result),
        (result, asked) => fits(result, asked),
    }
}

fn misfit(result: &Type, declared: &Type, place: Place, cause: impl Fn() -> String) -> Finding {
    if *declared == Type::Double && matches!(result, Type::Int | Type::Uint | Type::Decimal) {
        return Finding::error(
            &codes::DECIMAL_TO_DOUBLE,
            place,
            format!("{}: it would lose its exact digits", cause()),
        )
        .fix("declare the field as decimal, or ask for the loss with `type: double` on the rule");
    }
    let finding = Finding::error(&codes::TARGET_TYPE, place, cause());
    match (result, declared) {
        (Type::Timestamp, Type::Date) => finding.fix("say in which zone: date_of(value, \"UTC\")"),
        (_, Type::Int | Type::Decimal | Type::String | Type::Bool | Type::Timestamp | Type::Date) => {
            finding.fix(format!("convert it in the transform, or say `type: {declared}` on the rule"))
        }
        _ => finding.fix("convert it in the transform, or correct the type of the target field"),
    }
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
            let found = route.targets().position(|target| target == field).and_then(|index| mapping.fields.get(index));
            found.map_or(String::new(), |rule| format!(" (its rule: {}:{})", rule.place.file, rule.place.line))
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
