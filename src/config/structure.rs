//! The structure of a mapping: rules in rules, lists, copies, parameters and the fragments that a
//! mapping includes, taken apart into what is compiled.

use super::check::Checker;
use super::keys::{FRAGMENT, RULE};
use super::node::{node, pairs};
use super::project::{classes, either, flag, get, label, one_or_many};
use super::source::Source;
use super::yaml::{self, Entry, Raw, RawKind};
use super::{
    Block, Case, Check, Copying, Element, Expression, FieldRule, FileText, ForEach, Let, ListOf, Make, Node, Over,
    Parameter, Scope, Spanned, Table, Which,
};
use crate::error::{Finding, Findings, Severity, codes::config as codes, nearest};
use crate::record::path::Step;
use crate::record::{Path, Type};

/// Most fragments within fragments.
const MAX_INCLUDES: usize = 16;
/// Deepest nesting of lists and objects.
const MAX_DEPTH: usize = 32;
/// Most bytes of all fragments of a mapping, each counted as often as it is included.
const MAX_BYTES: usize = 16 << 20;
/// Most rules that a mapping comes to with all that it includes.
const MAX_RULES: usize = 10_000;

/// Where fragments come from.
pub trait Fragments {
    /// The text of the file of that name; `Err` says why there is none.
    ///
    /// # Errors
    /// One sentence without a final period.
    fn read(&mut self, name: &str) -> Result<FileText, String>;
}

/// What is gathered while a mapping is taken apart.
pub struct Structure<'s> {
    /// What was found in fragments.
    pub findings: Findings,
    /// The mapping's parameters, then those of each fragment.
    pub scopes: Vec<Scope>,
    /// Whether a rule could not be read.
    pub lost: bool,
    fragments: &'s mut dyn Fragments,
    /// Files that are being included, outermost first.
    stack: Vec<String>,
    /// Names that expressions of this file can use.
    names: Vec<String>,
    rules: usize,
    /// Lists and objects around.
    depth: usize,
    bytes: usize,
}

/// Where rules stand.
#[derive(Clone, Default)]
struct At {
    /// What their targets begin with.
    target: Vec<Step>,
    /// What their sources begin with.
    source: Vec<Step>,
    scope: usize,
}

/// The forms of a rule: the key that says so, and the keys that can stand beside it.
const FORMS: &[(&str, &[&str])] = &[
    ("for_each", &["as", "let", "when", "fields", "include", "copy", "if_missing", "if_empty", "required", "validate"]),
    ("list", &["when", "if_empty", "required", "validate"]),
    ("fields", &["when", "include", "copy", "required", "nullable", "validate"]),
    ("include", &["when", "fields", "copy", "required", "nullable", "validate"]),
    ("copy", &["when", "fields", "include", "required", "nullable", "validate"]),
    ("value", &["when", "required", "validate", "class", "type", "tags"]),
    ("switch", &["source", "default", "when", "required", "nullable", "validate", "class", "tags", "type"]),
    ("", &["source", "transform", "default", "when", "required", "nullable", "validate", "class", "tags", "type"]),
];

impl<'s> Structure<'s> {
    /// For the mapping in this file, with what the project says of parameters.
    pub fn new(
        checker: &mut Checker<'_>,
        raw: &Raw,
        fragments: &'s mut dyn Fragments,
        set: &[(Spanned<String>, Spanned<Node>)],
    ) -> Self {
        let parameters = parameters(checker, get(raw, "parameters"), set, None);
        Self {
            findings: Findings::new(),
            scopes: vec![Scope { fragment: None, parameters }],
            lost: false,
            fragments,
            stack: vec![checker.source.file.clone()],
            names: Vec::new(),
            rules: 0,
            depth: 0,
            bytes: 0,
        }
    }

    /// What fills the target record.
    pub fn block(&mut self, checker: &mut Checker<'_>, raw: &Raw) -> Block {
        let mut block = Block::default();
        self.fill(checker, raw, &At::default(), &mut block);
        block
    }

    /// Adds what stands under `let`, `include`, `copy` and `fields` of a map.
    fn fill(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At, block: &mut Block) {
        for entry in get(raw, "let").map_or(&[][..], Raw::entries) {
            block.lets.extend(self.named(checker, entry, at.scope));
        }
        for raw in one_or_many(get(raw, "include")) {
            self.include(checker, raw, at, block);
        }
        for raw in one_or_many(get(raw, "copy")) {
            block.copies.extend(copying(checker, raw, at));
        }
        for raw in get(raw, "fields").map_or(&[][..], Raw::items) {
            let (before, rules) = (block.rules.len(), self.rules);
            self.rule(checker, raw, at, block);
            self.rules += block.rules.len().saturating_sub(before);
            if rules <= MAX_RULES && self.rules > MAX_RULES {
                let cause = format!("the mapping has more than {MAX_RULES} rules");
                checker.error(&codes::BAD_VALUE, raw.start, raw.start + 1, cause, "write several mappings");
            }
            if self.rules > MAX_RULES {
                return;
            }
        }
    }

    fn named(&mut self, checker: &mut Checker<'_>, entry: &Entry, scope: usize) -> Option<Let> {
        let name = Spanned { value: entry.key.clone(), place: checker.source.place(entry.start, entry.end) };
        if let Some(cause) = bad_let(&entry.key) {
            checker.error(&codes::BAD_VALUE, entry.start, entry.end, cause, "choose another name");
            return None;
        }
        self.names.push(entry.key.clone());
        Some(Let { name, expression: Expression::of(&entry.value, checker.source)?, scope })
    }

    fn rule(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At, block: &mut Block) {
        let before = block.rules.len();
        if self.read_rule(checker, raw, at, block).is_none() && block.rules.len() == before {
            self.lost = true;
        }
    }

    fn read_rule(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At, block: &mut Block) -> Option<()> {
        let source = checker.source;
        self.form(checker, raw);
        let target = below(&at.target, get(raw, "target")?, source)?;
        let has = |key| get(raw, key).is_some();
        let object = has("fields") || has("include") || has("copy");
        let plain = !["when", "required", "nullable", "validate"].into_iter().any(has);
        if object && plain && !has("for_each") && !has("list") {
            let inner = At { target: target.value.0, ..at.clone() };
            self.fill(checker, raw, &inner, block);
            return Some(());
        }
        let expression = |key| get(raw, key).and_then(|raw| Expression::of(raw, source));
        self.depth += 1;
        let make = self.made(checker, raw, at, object);
        self.depth -= 1;
        let make = make?;
        let kind = get(raw, "type").and_then(|raw| {
            let value = Type::named(raw.text()?)?;
            Some(Spanned { value, place: source.place(raw.start, raw.end) })
        });
        // The `when` of `for_each` is asked of each element.
        let when = expression("when").filter(|_| !has("for_each"));
        block.rules.push(FieldRule {
            place: source.place(raw.start, raw.start + 1),
            target,
            source: get(raw, "source").and_then(|raw| below(&at.source, raw, source)),
            make,
            when,
            default: get(raw, "default").map(|raw| node(raw, source)),
            required: flag(get(raw, "required")).unwrap_or(false),
            nullable: flag(get(raw, "nullable")),
            validate: checks(get(raw, "validate"), source),
            classes: classes(either(raw, "class", "tags")),
            kind,
            scope: at.scope,
        });
        Some(())
    }

    /// How a rule makes its result. `object`: it has rules inside.
    fn made(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At, object: bool) -> Option<Make> {
        let source = checker.source;
        let has = |key| get(raw, key).is_some();
        if self.depth > MAX_DEPTH {
            let cause = format!("there are more than {MAX_DEPTH} lists and objects in each other");
            checker.error(&codes::BAD_VALUE, raw.start, raw.start + 1, cause, "write less deeply");
            return None;
        }
        let expression = |key| get(raw, key).and_then(|raw| Expression::of(raw, source));
        Some(if has("for_each") {
            Make::ForEach(Box::new(self.for_each(checker, raw, at)?))
        } else if let Some(list) = get(raw, "list") {
            let elements = list.items().iter().map(|raw| Element {
                when: get(raw, "when").and_then(|raw| Expression::of(raw, source)),
                block: self.object(checker, raw, at),
            });
            Make::List(ListOf { elements: elements.collect(), keep_empty: keep_empty(raw) })
        } else if object {
            Make::Object(self.object(checker, raw, at))
        } else if let Some(constant) = get(raw, "value") {
            Make::Constant(node(constant, source))
        } else if let Some(switch) = get(raw, "switch") {
            switched(checker, switch)?
        } else {
            expression("transform").map_or(Make::Value, Make::Transform)
        })
    }

    /// Keys of one form cannot stand beside those of another.
    fn form(&self, checker: &mut Checker<'_>, raw: &Raw) {
        let Some((form, beside)) = FORMS.iter().find(|(key, _)| key.is_empty() || get(raw, key).is_some()) else {
            return;
        };
        for entry in raw.entries() {
            let key = entry.key.as_str();
            if key == *form || key == "target" || beside.contains(&key) || RULE.key(key).is_none() {
                continue;
            }
            let (cause, fix) = match (*form, key) {
                ("", "as" | "let" | "if_missing") => {
                    (format!("`{key}` belongs to `for_each`, which the rule does not have"), "remove it".into())
                }
                ("", _) => (format!("`{key}` belongs to `list` or `for_each`"), "remove it".into()),
                ("switch", "transform") => (
                    "a rule has either a `switch` or a `transform`".to_owned(),
                    "compute in the cases: a list of `when` and `then` takes expressions".to_owned(),
                ),
                (form, key) => {
                    (format!("`{key}` cannot stand beside `{form}`"), format!("keep one of them: {}", meaning(form)))
                }
            };
            checker.error(&codes::BAD_VALUE, entry.start, entry.end, cause, fix);
        }
    }

    /// An object of its own, targets counted from it.
    fn object(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At) -> Block {
        let mut block = Block::default();
        self.fill(checker, raw, &At { target: Vec::new(), ..at.clone() }, &mut block);
        if block.rules.is_empty() && block.copies.is_empty() && get(raw, "fields").is_none_or(|f| f.items().is_empty())
        {
            let cause = "the object has no rules";
            checker.error(&codes::MISSING_KEY, raw.start, raw.start + 1, cause, "add `fields` with its rules");
        }
        block
    }

    fn for_each(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At) -> Option<ForEach> {
        let source = checker.source;
        let over_raw = get(raw, "for_each")?;
        let over = self.over(over_raw, at, source)?;
        let name = get(raw, "as").and_then(|raw| {
            let value = raw.text()?.to_owned();
            if let Some(cause) = bad_let(&value) {
                checker.error(&codes::BAD_VALUE, raw.start, raw.end, cause, "choose another name");
                return None;
            }
            Some(Spanned { value, place: source.place(raw.start, raw.end) })
        });
        let known = self.names.len();
        self.names.extend(name.iter().map(|name| name.value.clone()));
        let mut block = Block::default();
        self.fill(checker, raw, &At { target: Vec::new(), source: Vec::new(), scope: at.scope }, &mut block);
        self.names.truncate(known);
        if block.rules.is_empty() && block.copies.is_empty() && get(raw, "fields").is_none() {
            let cause = "`for_each` does not say what an element is made of";
            let fix = "add `fields`; a list of plain values is a transform: record.orders.map(order, order.id)";
            checker.error(&codes::MISSING_KEY, raw.start, raw.start + 1, cause, fix);
        }
        Some(ForEach {
            over,
            name,
            when: get(raw, "when").and_then(|raw| Expression::of(raw, source)),
            block,
            empty_if_missing: label(raw, "if_missing").as_deref() == Some("empty"),
            keep_empty: keep_empty(raw),
        })
    }

    /// A path, or an expression: what has brackets of a call or begins with a name that expressions
    /// know is one.
    fn over(&self, raw: &Raw, at: &At, source: &Source) -> Option<Over> {
        let text = raw.text().unwrap_or_default().trim();
        let path = Path::parse(text).ok().filter(|path| {
            let known = ["record", "item", "params", "value"];
            let first = match path.0.first() {
                Some(Step::Key(first)) => first.as_str(),
                _ => return false,
            };
            let quoted = text.contains(['"', '`']);
            let plain = |c: char| c.is_alphanumeric() || "._-@#:/[* ]".contains(c);
            !known.contains(&first)
                && !self.names.iter().any(|name| name == first)
                && (quoted || text.chars().all(plain))
        });
        Some(match path {
            Some(_) => Over::Path(below(&at.source, raw, source)?),
            None => Over::Expression(Expression::of(raw, source)?),
        })
    }

    /// Reads a fragment and adds its rules.
    fn include(&mut self, checker: &mut Checker<'_>, raw: &Raw, at: &At, block: &mut Block) -> Option<()> {
        let place = get(raw, "file").unwrap_or(raw);
        let written = place.text()?;
        let including = checker.source;
        let mut fail = |lost: &mut bool, cause: String, fix: &str| {
            checker.error(&codes::INCLUDE, place.start, place.end, cause, fix);
            *lost = true;
        };
        let name = match beside(&including.file, written) {
            Ok(name) => name,
            Err(cause) => {
                fail(&mut self.lost, cause, "name a file of the project, relative to this one");
                return None;
            }
        };
        if let Some(from) = self.stack.iter().position(|file| *file == name) {
            let way: Vec<&str> = self.stack[from..].iter().chain([&name]).map(String::as_str).collect();
            let cause = format!("the fragment includes itself: {}", way.join(" → "));
            fail(&mut self.lost, cause, "take out one of the includes");
            return None;
        }
        if self.stack.len() > MAX_INCLUDES || self.scopes.len() > 1000 {
            fail(&mut self.lost, "there are too many fragments in fragments".into(), "include fewer");
            return None;
        }
        let text = self.fragments.read(&name).and_then(|file| {
            yaml::text(&file.name, file.bytes).map(|text| (file.name, text)).map_err(|finding| finding.cause.clone())
        });
        let (file, text) = match text {
            Ok(text) => text,
            Err(cause) => {
                fail(&mut self.lost, cause, "fragments are named relative to the file that includes them");
                return None;
            }
        };
        self.bytes += text.len();
        if self.bytes > MAX_BYTES {
            fail(&mut self.lost, "the fragments are larger than 16 MiB together".into(), "include fewer");
            return None;
        }
        let source = Source::new(file, text);
        let mut found = Findings::new();
        let Some(fragment) = yaml::parse(&source, &mut found) else {
            self.findings.append(&mut found);
            self.lost = true;
            return None;
        };
        let mut inside = Checker::new(&source, false);
        inside.section(&fragment, &FRAGMENT, (0, 0));
        let given = get(raw, "with").map(|with| pairs(with.entries(), checker.source)).unwrap_or_default();
        let known: Vec<&str> =
            get(&fragment, "parameters").map_or(&[][..], Raw::entries).iter().map(|entry| entry.key.as_str()).collect();
        for (name, _) in given.iter().filter(|(name, _)| !known.contains(&name.value.as_str())) {
            let cause = format!("{written} has no parameter `{}`", name.value);
            let finding = Finding::error(&codes::PARAMETER, name.place.clone(), cause);
            let finding = finding.did_you_mean(&name.value, known.iter().copied());
            checker.findings.push(match finding.fix {
                Some(_) => finding,
                None if known.is_empty() => finding.fix("remove it: the fragment has no parameters"),
                None => finding.fix(format!("its parameters are {}", known.join(", "))),
            });
        }
        let missing = checker.source.place(place.start, place.end);
        let parameters = parameters(&mut inside, get(&fragment, "parameters"), &given, Some(&missing));
        self.scopes.push(Scope { fragment: Some(source.file.clone()), parameters });
        let path = |key: &str, around: &[Step]| match get(raw, key) {
            Some(raw) => below(around, raw, checker.source).map(|path| path.value.0),
            None => Some(around.to_vec()),
        };
        let inner = At {
            target: path("target", &at.target)?,
            source: path("source", &at.source)?,
            scope: self.scopes.len() - 1,
        };
        self.stack.push(name);
        let names = std::mem::take(&mut self.names);
        self.fill(&mut inside, &fragment, &inner, block);
        self.names = names;
        self.stack.pop();
        found.append(&mut inside.findings);
        self.lost |= found.iter().any(|finding| finding.severity == Severity::Error);
        self.findings.append(&mut found);
        Some(())
    }
}

/// What a form of a rule does, in words.
fn meaning(form: &str) -> &'static str {
    match form {
        "for_each" => "`for_each` makes a list by the rules under `fields`",
        "list" => "`list` writes its elements out",
        "value" => "`value` is a constant",
        "switch" => "`switch` chooses the result",
        _ => "the object is made by its own rules",
    }
}

/// A path behind what is around it.
fn below(around: &[Step], raw: &Raw, source: &Source) -> Option<Spanned<Path>> {
    let path = Path::parse(raw.text()?.trim()).ok()?;
    let steps = around.iter().cloned().chain(path.0).collect();
    Some(Spanned { value: Path(steps), place: source.place(raw.start, raw.end) })
}

fn keep_empty(raw: &Raw) -> bool {
    label(raw, "if_empty").as_deref() != Some("leave_out")
}

/// Why a name cannot stand for a value in expressions.
fn bad_let(name: &str) -> Option<String> {
    let taken = ["record", "value", "item", "index", "params", "target", "now", "true", "false", "null", "in"];
    let good =
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if taken.contains(&name) {
        return Some(format!("`{name}` has a meaning of its own in expressions"));
    }
    (!good).then(|| format!("`{name}` cannot be written in an expression: names are letters, digits and `_`"))
}

/// Conditions, each alone or with a message.
pub(super) fn checks(raw: Option<&Raw>, source: &Source) -> Vec<Check> {
    one_or_many(raw)
        .filter_map(|raw| {
            let that = Expression::of(get(raw, "that").unwrap_or(raw), source)?;
            Some(Check { that, message: label(raw, "message") })
        })
        .collect()
}

fn copying(checker: &mut Checker<'_>, raw: &Raw, at: &At) -> Option<Copying> {
    let source = checker.source;
    let names = |raw| one_or_many(Some(raw)).filter_map(|raw| below(&[], raw, source)).collect::<Vec<_>>();
    let which = match (get(raw, "pick"), get(raw, "omit")) {
        (Some(pick), None) => Which::Pick(names(pick)),
        (None, Some(omit)) => Which::Omit(names(omit)),
        (Some(_), Some(omit)) => {
            let cause = "`pick` and `omit` say two different things";
            checker.error(&codes::BAD_VALUE, omit.start, omit.end, cause, "keep one of them");
            return None;
        }
        (None, None) => {
            let cause = "the copy does not say which fields: nothing is ever copied unsaid";
            let fix = "add `pick: […]` with the fields to take, or `omit: […]` with the declared ones to leave";
            checker.error(&codes::MISSING_KEY, raw.start, raw.start + 1, cause, fix);
            return None;
        }
    };
    let from = match get(raw, "from") {
        Some(raw) => Some(below(&at.source, raw, source)?),
        None if at.source.is_empty() => None,
        None => Some(Spanned { value: Path(at.source.clone()), place: source.place(raw.start, raw.start + 1) }),
    };
    let place = source.place(raw.start, raw.start + 1);
    Some(Copying { place, from, target: Path(at.target.clone()), which, scope: at.scope })
}

fn switched(checker: &mut Checker<'_>, raw: &Raw) -> Option<Make> {
    let source = checker.source;
    let place = source.place(raw.start, raw.start + 1);
    if let RawKind::Map { .. } = raw.kind {
        let cases = get(raw, "cases")?;
        if cases.entries().is_empty() {
            checker.error(&codes::BAD_VALUE, raw.start, raw.start + 1, "the table has no cases", "add `cases`");
            return None;
        }
        let pairs = pairs(cases.entries(), source);
        let otherwise = get(raw, "otherwise").map(|raw| node(raw, source));
        if let Some(Spanned { value: Node::Text(text), place }) = &otherwise
            && ["error", "reject"].contains(&text.to_string().as_str())
        {
            let cause = format!("`otherwise: {text}` writes the text `{text}`");
            let finding = Finding::warning(&codes::BAD_VALUE, place.clone(), cause);
            checker.findings.push(finding.fix("leave `otherwise` out: a record that no case fits is then rejected"));
        }
        return Some(Make::Table(Table { place, cases: pairs, otherwise }));
    }
    let mut cases = Vec::with_capacity(raw.items().len());
    let count = raw.items().len();
    for (index, item) in raw.items().iter().enumerate() {
        let expression = |key| get(item, key).and_then(|raw| Expression::of(raw, source));
        match (expression("when"), expression("then"), expression("otherwise")) {
            (Some(when), Some(then), None) => cases.push(Case { when: Some(when), then }),
            (None, None, Some(then)) if index + 1 == count => cases.push(Case { when: None, then }),
            (None, None, Some(_)) => {
                let cause = "`otherwise` is the last case: those behind it would never be asked";
                checker.error(&codes::BAD_VALUE, item.start, item.start + 1, cause, "move it to the end");
                return None;
            }
            _ => {
                let cause = "a case is `when` with `then`, or `otherwise`";
                checker.error(&codes::BAD_VALUE, item.start, item.start + 1, cause, "give it a condition and a result");
                return None;
            }
        }
    }
    if cases.iter().all(|case| case.when.is_none()) {
        let cause = "the switch has no condition";
        checker.error(&codes::BAD_VALUE, raw.start, raw.start + 1, cause, "add a case: `when: … then: …`");
        return None;
    }
    Some(Make::Cases(cases))
}

/// Parameters with their values: what was set for them, or their defaults. `include`: where the
/// fragment that declares them is included.
fn parameters(
    checker: &mut Checker<'_>,
    raw: Option<&Raw>,
    set: &[(Spanned<String>, Spanned<Node>)],
    include: Option<&crate::error::Place>,
) -> Vec<Parameter> {
    let source = checker.source;
    let mut made = Vec::new();
    for entry in raw.map_or(&[][..], Raw::entries) {
        if let Some(cause) = bad_let(&entry.key) {
            checker.error(&codes::PARAMETER, entry.start, entry.end, cause, "choose another name");
            continue;
        }
        let long = matches!(entry.value.kind, RawKind::Map { .. });
        let default = if long { get(&entry.value, "default") } else { Some(&entry.value) };
        let said = get(&entry.value, "type").filter(|_| long).and_then(|raw| Type::named(raw.text()?));
        let given = set.iter().find(|(name, _)| name.value == entry.key).map(|(_, value)| value.clone());
        let is_set = given.is_some();
        let name = Spanned { value: entry.key.clone(), place: source.place(entry.start, entry.end) };
        let default = default.map(|raw| node(raw, source));
        let kind = said.or_else(|| default.as_ref().map(|value| kind_of(&value.value))).unwrap_or_default();
        if let Some(default) = &default
            && !is_of(&default.value, &kind)
        {
            let cause = format!("the default of `{}` is no {kind}", entry.key);
            let finding = Finding::error(&codes::PARAMETER, default.place.clone(), cause);
            checker.findings.push(finding.fix("correct the default or the type"));
            continue;
        }
        let Some(value) = given.or(default) else {
            let (place, cause, fix) = match include {
                Some(place) => (
                    place.clone(),
                    format!("the fragment needs its parameter `{}`", entry.key),
                    format!("add `with: {{ {}: … }}`", entry.key),
                ),
                None => (
                    name.place.clone(),
                    format!("the parameter `{}` has no value", entry.key),
                    format!("give it a `default`, or set it under `parameters` of connectors.yaml: `{}: …`", entry.key),
                ),
            };
            checker.findings.push(Finding::error(&codes::PARAMETER, place, cause).fix(fix));
            continue;
        };
        if is_set && !is_of(&value.value, &kind) {
            let cause = format!("the parameter `{}` is of type {kind}, and this is not", entry.key);
            let finding = Finding::error(&codes::PARAMETER, value.place.clone(), cause);
            checker.findings.push(finding.fix(format!("write a value of type {kind}")));
            continue;
        }
        made.push(Parameter { name, kind, value, set: is_set });
    }
    made
}

/// The type of a plain value.
fn kind_of(value: &Node) -> Type {
    match value {
        Node::Null => Type::Dyn,
        Node::Bool(_) => Type::Bool,
        Node::Number(text) if text.parse::<i64>().is_ok() => Type::Int,
        Node::Number(_) => Type::Decimal,
        Node::Text(_) => Type::String,
        Node::List(items) => {
            let mut kinds = items.iter().map(|item| kind_of(&item.value));
            let first = kinds.next().unwrap_or_default();
            Type::List(Box::new(if kinds.all(|kind| kind == first) { first } else { Type::Dyn }))
        }
        Node::Map(_) => Type::Map(Box::default()),
    }
}

/// Whether a plain value can be a parameter of the type.
fn is_of(value: &Node, kind: &Type) -> bool {
    match (value, kind) {
        (_, Type::Dyn) => true,
        (Node::Text(text), _) if text.has_reference() => false,
        (Node::Number(text), Type::Decimal) => crate::record::Decimal::parse(text).is_ok(),
        (Node::Bool(_), Type::Bool) | (Node::Text(_), Type::String) | (Node::Map(_), Type::Map(_)) => true,
        (Node::Number(text), Type::Int) => text.parse::<i64>().is_ok(),
        (Node::List(items), Type::List(inner)) => items.iter().all(|item| is_of(&item.value, inner)),
        _ => false,
    }
}

/// The name of a file that stands beside another, as `shop/mappings/a.yaml` names it.
fn beside(file: &str, written: &str) -> Result<String, String> {
    if written.starts_with(['/', '\\']) || written.contains("://") || written.contains('\0') {
        return Err(format!("`{written}` is no path inside of the project"));
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            // What lies above where the project's files are named from is not the project's.
            ".." if parts.pop().is_none_or(|part| part.is_empty() || part == "..") => {
                return Err(format!("`{written}` leads out of the project"));
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Parameters that the project sets and no mapping declares.
pub(super) fn unused(
    set: &[(Spanned<String>, Spanned<Node>)],
    declared: &std::collections::BTreeSet<&str>,
) -> Findings {
    set.iter()
        .filter(|(name, _)| !declared.contains(name.value.as_str()))
        .map(|(name, _)| {
            let cause = format!("no mapping has a parameter `{}`", name.value);
            let finding = Finding::warning(&codes::PARAMETER, name.place.clone(), cause);
            match nearest(&name.value, declared.iter().copied()) {
                Some(near) => finding.fix(format!("did you mean `{near}`?")),
                None => finding.fix("remove it, or declare it under `parameters` of the mapping that uses it"),
            }
        })
        .collect()
}
