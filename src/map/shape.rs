//! What a mapping knows of the two streams it stands between.

use std::sync::Arc;

use crate::config::{FormatSpec, Stream, StreamRef};
use crate::record::contract::Contract;
use crate::record::path::Step;
use crate::record::{ClassSet, Field, Path, Type, suspect};

/// The source stream, as far as it is known before reading.
#[derive(Clone, Debug, Default)]
pub struct SourceShape {
    /// Its name as the mapping writes it.
    pub name: String,
    /// Declared fields; empty where nothing is known.
    pub fields: Vec<Field>,
    /// Whether only declared fields exist.
    pub closed: bool,
    /// Whether an undeclared field is always text (CSV).
    pub text_fields: bool,
    /// What each of its records has to be.
    pub schema: Option<Arc<Contract>>,
    /// Whether a path that nothing is known of is a finding (`--strict`).
    pub strict: bool,
}

/// The target stream, as far as it is known before writing.
#[derive(Clone, Debug, Default)]
pub struct TargetShape {
    /// Its name as the mapping writes it.
    pub name: String,
    /// Declared fields; empty where nothing is known.
    pub fields: Vec<Field>,
    /// Whether only declared fields may be written.
    pub closed: bool,
    /// Whether a record is flat: each field a scalar, null and missing the same.
    pub flat: bool,
    /// What each of its records has to be.
    pub schema: Option<Arc<Contract>>,
    /// The key it declares; serves where the mapping names none.
    pub key: Vec<Path>,
}

impl SourceShape {
    /// From the project's stream (`None`: it is used without being declared) and its format.
    pub fn of(name: &StreamRef, stream: Option<&Stream>, format: Option<&FormatSpec>) -> Self {
        Self {
            name: format!("{}.{}", name.connector, name.stream),
            fields: stream.map(|s| s.fields.clone()).unwrap_or_default(),
            closed: stream.is_some_and(|s| s.closed),
            text_fields: format.is_some_and(|f| f.text_fields),
            schema: contract(stream),
            strict: false,
        }
    }

    /// Makes a path that nothing is known of a finding.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The type of the whole record.
    pub fn kind(&self) -> Type {
        match (self.fields.is_empty(), self.closed, self.text_fields) {
            (true, false, true) => Type::Map(Box::new(Type::String)),
            (true, false, false) => Type::Dyn,
            _ => Type::Record { fields: self.fields.clone(), open: !self.closed },
        }
    }

    /// The type at a path.
    ///
    /// # Errors
    /// The key that does not exist, with the names that do.
    pub(super) fn type_at(&self, path: &Path) -> Result<Type, (String, Vec<String>)> {
        let kind = self.kind();
        match kind.at(path) {
            Ok(Type::Dyn) if self.text_fields && self.field(path).is_none() && path.0.len() == 1 => Ok(Type::String),
            Ok(found) => Ok(found),
            Err((key, known)) => Err((key, known.into_iter().map(str::to_string).collect())),
        }
    }

    /// The declaration of the field at a path through declared maps; `None` where it is not
    /// declared or a list lies on the way.
    pub(super) fn field(&self, path: &Path) -> Option<&Field> {
        let (mut fields, mut found) = (&self.fields, None);
        for step in &path.0 {
            let Step::Key(name) = step else { return None };
            let field = fields.iter().find(|f| f.name == *name)?;
            found = Some(field);
            fields = match &field.kind {
                Type::Record { fields, .. } => fields,
                _ => const { &Vec::new() },
            };
        }
        found
    }

    /// Whether the value at a path is always there and never null.
    pub(super) fn always(&self, path: &Path) -> bool {
        (1..=path.0.len()).all(|length| {
            self.field(&Path(path.0[..length].to_vec())).is_some_and(|field| field.required && !field.nullable)
        })
    }

    /// The classes that the stream declares, each with its path; elements of lists as `[*]`.
    pub(super) fn classes(&self) -> Vec<(Path, ClassSet)> {
        let mut found = Vec::new();
        collect(&self.fields, &mut Path::default(), &mut found);
        found
    }

    /// What the names of its fields give away, for display only.
    pub(super) fn suspected(&self) -> ClassSet {
        self.fields.iter().fold(ClassSet::NONE, |all, field| all.union(suspect::by_name(&field.name)))
    }
}

impl TargetShape {
    /// From the project's stream (`None`: it is used without being declared); `flat` as its
    /// format or protocol says.
    pub fn of(name: &StreamRef, stream: Option<&Stream>, flat: bool) -> Self {
        Self {
            name: format!("{}.{}", name.connector, name.stream),
            fields: stream.map(|s| s.fields.clone()).unwrap_or_default(),
            closed: stream.is_some_and(|s| s.closed),
            flat,
            schema: contract(stream),
            key: stream.map(|s| s.key.clone()).unwrap_or_default(),
        }
    }

    /// The type of the whole record; `Dyn` where nothing is declared.
    pub(super) fn kind(&self) -> Type {
        if self.fields.is_empty() && !self.closed {
            return Type::Dyn;
        }
        Type::Record { fields: self.fields.clone(), open: !self.closed }
    }
}

fn contract(stream: Option<&Stream>) -> Option<Arc<Contract>> {
    Some(Arc::clone(&stream?.schema.as_ref()?.contract))
}

/// The classes of all entries that a path touches: those above it, at it and below it.
pub(super) fn classes_at(known: &[(Path, ClassSet)], path: &Path) -> ClassSet {
    let same = |a: &Step, b: &Step| match (a, b) {
        (Step::Key(a), Step::Key(b)) => a == b,
        (Step::Index(a), Step::Index(b)) => a == b,
        (Step::Each, Step::Each | Step::Index(_)) | (Step::Index(_), Step::Each) => true,
        _ => false,
    };
    known
        .iter()
        .filter(|(at, _)| at.0.iter().zip(&path.0).all(|(a, b)| same(a, b)))
        .fold(ClassSet::NONE, |all, (_, classes)| all.union(*classes))
}

fn collect(fields: &[Field], at: &mut Path, found: &mut Vec<(Path, ClassSet)>) {
    for field in fields {
        let depth = at.0.len();
        at.0.push(Step::Key(field.name.clone()));
        if !field.classes.is_empty() {
            found.push((at.clone(), field.classes));
        }
        let mut kind = &field.kind;
        while let Type::List(inner) = kind {
            at.0.push(Step::Each);
            kind = inner;
        }
        if let Type::Record { fields, .. } = kind {
            collect(fields, at, found);
        }
        at.0.truncate(depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ClassId;

    fn field(name: &str, kind: Type, class: &str) -> Field {
        let classes = ClassId::named(class).map(ClassSet::one).unwrap_or_default();
        Field { name: name.into(), kind, required: true, nullable: false, classes }
    }

    #[test]
    fn classes_reach_up_and_down() {
        let person = Type::Record { fields: vec![field("mail", Type::String, "pii.email")], open: false };
        let source = SourceShape {
            fields: vec![
                field("people", Type::List(Box::new(person.clone())), ""),
                field("owner", person, "pii.name"),
                field("plain", Type::Int, ""),
            ],
            closed: true,
            ..SourceShape::default()
        };
        let known = source.classes();
        let check = |path: &str, expected: &str| {
            assert_eq!(classes_at(&known, &Path::parse(path).unwrap()).to_string(), expected, "{path}");
        };
        check("people[0].mail", "pii.contact.email");
        check("people[*].mail", "pii.contact.email");
        check("people", "pii.contact.email");
        check("owner", "pii.name, pii.contact.email");
        check("owner.mail", "pii.name, pii.contact.email");
        check("owner.other", "pii.name");
        check("plain", "");
        assert!(source.always(&Path::parse("owner.mail").unwrap()));
        assert!(!source.always(&Path::parse("people[0].mail").unwrap()));
        assert_eq!(source.suspected().to_string(), "");
    }

    #[test]
    fn text_formats_have_text_fields() {
        let mut source = SourceShape { text_fields: true, ..SourceShape::default() };
        let at = |source: &SourceShape, path: &str| source.type_at(&Path::parse(path).unwrap());
        assert_eq!(at(&source, "qty"), Ok(Type::String));
        assert!(at(&source, "a.b").is_err());
        source.fields = vec![field("qty", Type::Int, "")];
        assert_eq!(at(&source, "qty"), Ok(Type::Int));
        assert_eq!(at(&source, "other"), Ok(Type::String));
        source.closed = true;
        assert_eq!(at(&source, "qyt"), Err(("qyt".into(), vec!["qty".into()])));
    }
}
