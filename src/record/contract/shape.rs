//! From a schema to static types: what `map check` can rely on before there is a record.
//!
//! Only what holds of every record that meets the schema is said; where it leaves a choice
//! (`anyOf` of several forms), the type is `dyn`.

use super::{Contract, Format, NodeId, Rule, Types};
use crate::record::{ClassSet, Field, Type};

/// The fields of records that meet a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The fields that it names.
    pub fields: Vec<Field>,
    /// Whether there are no others.
    pub closed: bool,
}

/// A schema that nothing can meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// Where.
    pub node: NodeId,
    /// One sentence.
    pub cause: String,
}

/// Most fields; past that nothing is known.
const MOST_FIELDS: usize = 20_000;
/// Deepest nesting of types; past that nothing is known.
const MOST_DEPTH: usize = 32;

/// What several schemas say together of one place.
#[derive(Clone, Debug)]
struct Told {
    types: Types,
    format: Option<Format>,
    fields: Vec<(String, Vec<NodeId>)>,
    required: Vec<String>,
    /// Other fields are forbidden.
    closed: bool,
    /// There may be fields that are named where we do not look.
    loose: bool,
    /// Fields that some forms name and others do not: nothing but their classes is known.
    perhaps: Vec<(String, ClassSet)>,
    patterns: bool,
    others: Vec<NodeId>,
    items: Vec<NodeId>,
    /// Elements differ by their place.
    tuple: bool,
    classes: ClassSet,
    /// Schemas that were looked into.
    seen: Vec<NodeId>,
}

impl Contract {
    /// The fields of the records that meet it, and what about it nothing can meet.
    pub fn shape(&self) -> (Shape, Vec<Clash>) {
        let mut shaper = Shaper { contract: self, clashes: Vec::new(), above: Vec::new(), left: MOST_FIELDS };
        let told = shaper.told(&[self.root]);
        if !told.types.is_empty() && told.types.and(Types::MAP).is_empty() {
            let cause = format!("a record is an object, and this describes {}", told.types);
            shaper.clashes.push(Clash { node: self.root, cause });
        }
        shaper.above.extend(&told.seen);
        let (fields, closed) = shaper.fields(&told);
        (Shape { fields, closed }, shaper.clashes)
    }
}

struct Shaper<'c> {
    contract: &'c Contract,
    clashes: Vec<Clash>,
    /// The schemas that lead here: one of them again has no end.
    above: Vec<NodeId>,
    left: usize,
}

impl Shaper<'_> {
    /// The type of a place and whether it may be null.
    fn kind(&mut self, ids: &[NodeId]) -> (Type, bool, ClassSet) {
        if ids.iter().any(|id| self.above.contains(id)) || self.above.len() > MOST_DEPTH * 8 || self.left == 0 {
            return (Type::Dyn, true, ClassSet::NONE);
        }
        let told = self.told(ids);
        if told.seen.iter().any(|id| self.above.contains(id)) {
            return (Type::Dyn, true, told.classes);
        }
        let nullable = told.types.has(Types::NULL);
        let plain = Types(told.types.0 & !Types::NULL.0);
        let fields_alone = told.types == Types::ALL && !told.fields.is_empty();
        let kind = match plain {
            Types::NONE => Type::Null,
            Types::BOOL => Type::Bool,
            Types::INTEGER => Type::Int,
            Types::NUMBER => Type::Decimal,
            Types::TEXT => match told.format {
                Some(Format::Date) => Type::Date,
                Some(Format::DateTime) => Type::Timestamp,
                _ => Type::String,
            },
            Types::LIST => {
                let deep = self.enter(&told);
                let inner = if told.tuple || told.items.is_empty() { Type::Dyn } else { self.kind(&told.items).0 };
                self.above.truncate(deep);
                Type::List(Box::new(inner))
            }
            Types::MAP => self.map(&told),
            // Fields that are named, and no type: an object is meant.
            _ if fields_alone => self.map(&told),
            _ => Type::Dyn,
        };
        (kind, nullable && !fields_alone, told.classes)
    }

    fn enter(&mut self, told: &Told) -> usize {
        let deep = self.above.len();
        self.above.extend(&told.seen);
        deep
    }

    fn map(&mut self, told: &Told) -> Type {
        let deep = self.enter(told);
        let kind = if told.fields.is_empty() && !told.closed {
            match (told.others.is_empty() || told.patterns || told.loose, told.required.is_empty()) {
                (false, true) => Type::Map(Box::new(self.kind(&told.others).0)),
                _ => Type::Map(Box::default()),
            }
        } else {
            let (fields, closed) = self.fields(told);
            Type::Record { fields, open: !closed }
        };
        self.above.truncate(deep);
        kind
    }

    fn fields(&mut self, told: &Told) -> (Vec<Field>, bool) {
        let mut fields = Vec::with_capacity(told.fields.len());
        for (name, ids) in &told.fields {
            if self.left == 0 {
                return (fields, false);
            }
            self.left -= 1;
            let (kind, nullable, classes) = self.kind(ids);
            fields.push(Field { name: name.clone(), kind, required: told.required.contains(name), nullable, classes });
        }
        for (name, classes) in &told.perhaps {
            match fields.iter_mut().find(|field| field.name == *name) {
                Some(field) => field.classes = field.classes.union(*classes),
                None => fields.push(Field {
                    name: name.clone(),
                    kind: Type::Dyn,
                    required: told.required.contains(name),
                    nullable: true,
                    classes: *classes,
                }),
            }
        }
        let closed = told.closed && !told.patterns && !told.loose && told.others.is_empty();
        for name in told.required.iter().filter(|name| told.fields.iter().all(|(known, _)| known != *name)) {
            if closed {
                let node = told.seen.first().copied().unwrap_or(self.contract.root);
                let cause = format!("`{name}` is required, and no field of that name is allowed");
                self.clashes.push(Clash { node, cause });
            }
            if fields.iter().all(|field| field.name != *name) {
                let kind = Type::Dyn;
                fields.push(Field {
                    name: name.clone(),
                    kind,
                    required: true,
                    nullable: true,
                    classes: ClassSet::NONE,
                });
            }
        }
        (fields, closed)
    }

    fn told(&mut self, ids: &[NodeId]) -> Told {
        let mut told = Told {
            types: Types::ALL,
            format: None,
            fields: Vec::new(),
            required: Vec::new(),
            closed: false,
            loose: false,
            perhaps: Vec::new(),
            patterns: false,
            others: Vec::new(),
            items: Vec::new(),
            tuple: false,
            classes: ClassSet::NONE,
            seen: Vec::new(),
        };
        for id in ids {
            self.add(*id, &mut told);
        }
        told
    }

    fn add(&mut self, id: NodeId, told: &mut Told) {
        if told.seen.contains(&id) || told.seen.len() > MOST_FIELDS {
            return;
        }
        told.seen.push(id);
        let (before, clashes) = (told.types, self.clashes.len());
        told.classes = told.classes.union(self.contract.classes.get(id).copied().unwrap_or_default());
        for rule in self.contract.nodes.get(id).into_iter().flatten() {
            match rule {
                Rule::Never => told.types = Types::NONE,
                Rule::Types(types) => told.types = told.types.and(*types),
                Rule::OneOf(allowed) => {
                    let types = allowed.iter().fold(Types::NONE, |all, fixed| all.or(fixed.types()));
                    told.types = told.types.and(types);
                }
                Rule::Format(format) => told.format = Some(*format),
                Rule::Fields(fields) => {
                    for (name, id) in &fields.named {
                        match told.fields.iter_mut().find(|(known, _)| known == name) {
                            Some((_, ids)) => ids.push(*id),
                            None => told.fields.push((name.clone(), vec![*id])),
                        }
                    }
                    told.patterns |= !fields.patterns.is_empty();
                    if let Some(id) = fields.others {
                        match self.contract.nodes.get(id).map(Vec::as_slice) {
                            Some([Rule::Never]) => told.closed = true,
                            Some([]) | None => {}
                            Some(_) => told.others.push(id),
                        }
                    }
                }
                Rule::OtherFields(id) => {
                    told.closed |= matches!(self.contract.nodes.get(*id).map(Vec::as_slice), Some([Rule::Never]));
                }
                Rule::Required(names) => told.required.extend(names.iter().cloned()),
                Rule::Items(first, rest) => {
                    told.tuple |= !first.is_empty();
                    told.items.extend(rest);
                }
                Rule::All(all) => all.iter().for_each(|id| self.add(*id, told)),
                Rule::Any(some) | Rule::One(some) => self.one_of(some, told),
                Rule::If(_, then, otherwise) => {
                    told.loose = true;
                    then.iter().chain(otherwise).for_each(|id| self.perhaps(*id, told));
                }
                Rule::With(_, id) => {
                    told.loose = true;
                    self.perhaps(*id, told);
                }
                _ => {}
            }
        }
        if told.types.is_empty()
            && !before.is_empty()
            && self.clashes.len() == clashes
            && !matches!(self.contract.nodes[id].as_slice(), [Rule::Never])
        {
            let cause = "nothing can meet this: what it says of the type excludes each other".to_owned();
            self.clashes.push(Clash { node: id, cause });
        }
    }

    /// Fields of a schema that holds of some records.
    fn perhaps(&mut self, id: NodeId, told: &mut Told) {
        if told.seen.contains(&id) {
            return;
        }
        let clashes = self.clashes.len();
        let form = self.told(&[id]);
        self.clashes.truncate(clashes);
        for (name, ids) in form.fields {
            let classes = ids.iter().fold(ClassSet::NONE, |all, id| all.union(self.classes_below(*id)));
            told.perhaps.push((name, classes));
        }
        told.perhaps.extend(form.perhaps);
    }

    /// The classes of a schema and of all that it leads to.
    fn classes_below(&self, id: NodeId) -> ClassSet {
        let (mut ahead, mut seen, mut found) = (vec![id], std::collections::BTreeSet::new(), ClassSet::NONE);
        while let Some(id) = ahead.pop() {
            if !seen.insert(id) {
                continue;
            }
            found = found.union(self.contract.classes.get(id).copied().unwrap_or_default());
            for rule in self.contract.nodes.get(id).into_iter().flatten() {
                rule.leads_to(&mut |id| ahead.push(id));
            }
        }
        found
    }

    /// One form of several: what all of them have in common. With null beside one form, it is that
    /// form, nullable.
    fn one_of(&mut self, some: &[NodeId], told: &mut Told) {
        if some.iter().any(|id| told.seen.contains(id)) {
            return;
        }
        // That one form is impossible is no fault while there are others.
        let clashes = self.clashes.len();
        let forms: Vec<Told> = some.iter().map(|id| self.told(&[*id])).collect();
        self.clashes.truncate(clashes);
        let null = forms.iter().any(|form| form.types == Types::NULL);
        let mut real = forms.iter().filter(|form| form.types != Types::NULL);
        let types = forms.iter().fold(Types::NONE, |all, form| all.or(form.types));
        match (real.next(), real.next()) {
            (Some(only), None) => {
                for id in only.seen.iter().take(1) {
                    let before = told.types;
                    self.add(*id, told);
                    if null {
                        told.types = before.and(only.types.or(Types::NULL));
                    }
                }
            }
            _ => {
                told.types = told.types.and(types);
                told.loose |= forms.iter().any(|form| !form.fields.is_empty() || form.loose);
                for form in &forms {
                    for (name, ids) in &form.fields {
                        let classes = ids.iter().fold(ClassSet::NONE, |all, id| all.union(self.classes_below(*id)));
                        told.perhaps.push((name.clone(), classes));
                    }
                    told.perhaps.extend(form.perhaps.iter().cloned());
                }
                let mut formats = forms.iter().filter(|form| form.types != Types::NULL).map(|form| form.format);
                if let Some(Some(first)) = formats.next()
                    && formats.all(|format| format == Some(first))
                {
                    told.format = Some(first);
                }
                // A field that carries a class in one form may carry it in any record.
                told.classes = forms.iter().fold(told.classes, |all, form| all.union(form.classes));
            }
        }
    }
}
