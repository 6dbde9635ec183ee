//! What stands around the records: the elements they lie in, what lies beside them, comments. Read as
//! strictly as the records are, in constant memory; framing and decoder walk it alike.

use super::lexer::{Lexer, Markup, Name, Parsed, Tag, coded, fault};
use super::names::{Names, Scope, Wanted};
use crate::error::codes::formats::{XML_DEPTH, XML_DOCUMENT};

/// Stands in a context for: the root element was closed.
const CLOSED: &str = "</>";

/// Where the walk stands in the document.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// Names of the elements from the root to the records; `None`: each child of the root is a record.
    path: Option<Vec<Wanted>>,
    max_depth: usize,
    /// Open elements: name, and the declarations before each.
    open: Vec<(String, usize)>,
    pub scope: Scope,
    /// How many of the open elements lie on the path, from the root on.
    matched: usize,
    /// The most there ever were.
    reached: usize,
    /// The root element was closed.
    closed: bool,
    /// The context, and whether it is that of here.
    context: Vec<String>,
    stale: bool,
}

/// What a step met.
pub(super) enum Step<'a> {
    /// A record begins here; its start tag was not read.
    Record(Name<'a>),
    /// Something else, which was read.
    Moved,
    /// The end of the text.
    End,
}

impl Around {
    pub fn new(path: Option<Vec<Wanted>>, max_depth: usize) -> Self {
        Self {
            path,
            max_depth,
            open: Vec::new(),
            scope: Scope::default(),
            matched: 0,
            reached: 0,
            closed: false,
            context: Vec::new(),
            stale: false,
        }
    }

    /// Goes to the place that a context describes; `false` if it describes none.
    pub fn go_to(&mut self, names: &Names, context: &[String]) -> bool {
        *self = Self::new(self.path.take(), self.max_depth);
        self.context = context.to_vec();
        if context.is_empty() {
            return true;
        }
        if context == [CLOSED] {
            self.closed = true;
        } else {
            for text in context {
                let (mut lexer, mut attributes) = (Lexer::new(text, true), Vec::new());
                if lexer.peek() != b'<' {
                    return false;
                }
                let entered = lexer.start_tag(&mut attributes).and_then(|tag| {
                    let mark = self.scope.mark();
                    self.scope.enter(names, &tag, &attributes)?;
                    self.push(&tag.name, mark);
                    Ok(())
                });
                if entered.is_err() {
                    return false;
                }
            }
        }
        self.stale = false;
        // Whatever was to be found on the way here was found.
        self.reached = usize::MAX;
        true
    }

    /// The open elements as start tags, with what they declare.
    pub fn context(&self) -> &[String] {
        &self.context
    }

    /// Makes the context that of here.
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.context.clear();
        if self.closed {
            self.context.push(CLOSED.into());
            return;
        }
        let ends = self.open.iter().skip(1).map(|(_, mark)| *mark).chain([self.scope.mark()]);
        for ((name, mark), end) in self.open.iter().zip(ends) {
            let mut tag = format!("<{name}");
            for (prefix, uri) in self.scope.since(*mark).take(end - mark) {
                let colon = if prefix.is_empty() { "" } else { ":" };
                let uri = uri.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
                tag.push_str(&format!(" xmlns{colon}{prefix}=\"{uri}\""));
            }
            tag.push('>');
            self.context.push(tag);
        }
    }

    /// Whether the children of the innermost open element may be records.
    #[inline]
    fn at_records(&self) -> bool {
        let depth = match &self.path {
            None => 1,
            Some(path) => path.len() - 1,
        };
        self.open.len() == depth && (self.path.is_none() || self.matched == depth) && !self.closed
    }

    /// Whether an element of that name, as it is bound where the scope is, is a record here.
    pub fn is_record(&self, scope: &Scope, name: &Name<'_>) -> bool {
        self.at_records()
            && match &self.path {
                None => true,
                Some(path) => path.last().is_some_and(|last| last.is(scope.element(name), name.local())),
            }
    }

    /// Whether a record begins at the start tag here. What the tag itself declares is looked at only if
    /// it declares something; a tag that cannot be read goes by what is declared around it.
    fn record_here<'a>(&mut self, names: &Names, lexer: &mut Lexer<'a>) -> Option<Name<'a>> {
        if !self.at_records() {
            return None;
        }
        let at = lexer.at;
        lexer.at += 1;
        let name = lexer.name();
        lexer.at = at;
        let name = name.ok()?;
        let (end, _) = tag_end(lexer.bytes, at)?;
        if self.path.is_some() && may_declare(&lexer.bytes[at..end]) {
            let (mark, mut attributes) = (self.scope.mark(), Vec::new());
            let own = lexer.start_tag(&mut attributes).and_then(|tag| self.scope.enter(names, &tag, &attributes));
            let found = own.is_ok().then(|| self.is_record(&self.scope, &name));
            self.scope.leave(mark);
            lexer.at = at;
            if let Some(found) = found {
                return found.then_some(name);
            }
        }
        self.is_record(&self.scope, &name).then_some(name)
    }

    /// One step on.
    #[inline]
    pub fn step<'a>(&mut self, names: &Names, lexer: &mut Lexer<'a>) -> Parsed<Step<'a>> {
        // White space between records is most of what there is. A run that is not ended is left for later.
        let start = lexer.at;
        lexer.space();
        match lexer.peek() {
            b'<' => {}
            0 if lexer.at >= lexer.bytes.len() => {
                if !lexer.whole {
                    lexer.at = start;
                }
                return Ok(Step::End);
            }
            _ => {
                lexer.at = start;
                return self.text(lexer);
            }
        }
        match lexer.after() {
            b'/' => self.end(lexer),
            b'!' => match lexer.markup()? {
                Markup::Data(_) if self.open.is_empty() => fault(start, self.outside()),
                _ => Ok(Step::Moved),
            },
            b'?' => lexer.instruction().map(|_| Step::Moved),
            0 if lexer.at + 1 >= lexer.bytes.len() => {
                lexer.at += 1;
                lexer.fail("the text ends inside a tag")
            }
            _ if self.closed => fault(lexer.at, "a second root element begins"),
            _ => match self.record_here(names, lexer) {
                Some(name) => Ok(Step::Record(name)),
                None => self.start(names, lexer),
            },
        }
    }

    fn outside(&self) -> &'static str {
        match self.closed {
            true => "text stands behind the root element",
            false => "text stands before the root element",
        }
    }

    #[cold]
    fn text<'a>(&self, lexer: &mut Lexer<'a>) -> Parsed<Step<'a>> {
        if self.open.is_empty() {
            lexer.space();
            return fault(lexer.at, self.outside());
        }
        let start = lexer.at;
        lexer.run()?;
        if lexer.at >= lexer.bytes.len() && !lexer.whole {
            lexer.at = start;
            return Ok(Step::End);
        }
        Ok(Step::Moved)
    }

    fn end<'a>(&mut self, lexer: &mut Lexer<'a>) -> Parsed<Step<'a>> {
        let Some((name, mark)) = self.open.last() else {
            return fault(lexer.at, "an end tag stands where no element is open");
        };
        lexer.end_tag(name)?;
        self.scope.leave(*mark);
        self.open.pop();
        self.matched = self.matched.min(self.open.len());
        self.closed = self.open.is_empty();
        self.stale = true;
        Ok(Step::Moved)
    }

    #[cold]
    fn start<'a>(&mut self, names: &Names, lexer: &mut Lexer<'a>) -> Parsed<Step<'a>> {
        let at = lexer.at;
        let (mark, mut attributes) = (self.scope.mark(), Vec::new());
        let tag = lexer.start_tag(&mut attributes)?;
        if self.open.len() >= self.max_depth {
            return coded(&XML_DEPTH, at, "elements stand within each other more than `max_depth` levels deep");
        }
        if let Err(fault) = self.scope.enter(names, &tag, &attributes) {
            self.scope.leave(mark);
            return Err(fault);
        }
        let root = self.open.is_empty();
        self.push(&tag.name, mark);
        if root
            && let Some(path) = &self.path
            && self.matched == 0
            && let Some(first) = path.first()
        {
            return coded(&XML_DOCUMENT, at, self.wrong_root(names, first, &tag));
        }
        if tag.empty {
            self.scope.leave(mark);
            self.open.pop();
            self.matched = self.matched.min(self.open.len());
            self.closed = root;
        }
        Ok(Step::Moved)
    }

    fn push(&mut self, name: &Name<'_>, mark: usize) {
        let depth = self.open.len();
        let on_path = match &self.path {
            None => false,
            Some(path) => {
                self.matched == depth
                    && path.get(depth).is_some_and(|wanted| wanted.is(self.scope.element(name), name.local()))
            }
        };
        self.open.push((name.raw.to_owned(), mark));
        if on_path {
            self.matched += 1;
            self.reached = self.reached.max(self.matched);
        }
        self.stale = true;
    }

    #[cold]
    fn wrong_root(&self, names: &Names, first: &Wanted, tag: &Tag<'_>) -> String {
        let found = self.scope.element(&tag.name);
        let name = names.canonical(found, &tag.name, false);
        if first.is_but_for_space(tag.name.local()) && !found.uri.is_empty() {
            return format!(
                "the root element is `{name}`, and `records` begins with `{}` of another namespace: declare it, for example `namespaces: [\"={}\"]`",
                first.local, found.uri
            );
        }
        format!("the root element is `{name}`, and `records` begins with `{}`", first.local)
    }

    /// Checks that the document may end here.
    pub fn finish(&self, lexer: &Lexer<'_>) -> Parsed<()> {
        let end = lexer.bytes.len();
        if let Some((name, _)) = self.open.last() {
            return coded(&XML_DOCUMENT, end, format!("the document ends before `</{name}>`"));
        }
        if !self.closed {
            return coded(&XML_DOCUMENT, end, "the document is empty: no element stands in it");
        }
        match &self.path {
            Some(path) if self.reached < path.len() - 1 => coded(
                &XML_DOCUMENT,
                end,
                format!(
                    "no element `{}` stands where `records` looks for it, in {}",
                    path[self.reached].local,
                    path[..self.reached].iter().map(|step| format!("`{}`", step.local)).collect::<Vec<_>>().join("/")
                ),
            ),
            _ => Ok(()),
        }
    }

    /// The root itself was a record, and was passed.
    pub fn passed_record(&mut self) {
        if self.open.is_empty() {
            self.closed = true;
            self.stale = true;
        }
        self.reached = usize::MAX;
    }
}

/// Whether the bytes of a tag hold the word that declares namespaces, be it where it means that or not.
#[inline]
fn may_declare(tag: &[u8]) -> bool {
    memchr::memchr_iter(b'x', tag).any(|at| tag[at..].starts_with(b"xmlns"))
}

/// The end of the start tag that begins at `at` (behind its `>`), and whether it is the whole element.
/// Knows quotes; a `<` inside ends the search. `None`: the bytes end before.
pub(super) fn tag_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut here = at + 1;
    loop {
        here += bytes.get(here..)?.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\'' | b'<'))?;
        match bytes[here] {
            b'>' => return Some((here + 1, bytes[here - 1] == b'/')),
            b'<' => return Some((here, false)),
            quote => {
                here += 1;
                let value = bytes.get(here..)?;
                here += value.iter().position(|byte| *byte == quote || *byte == b'<')?;
                if bytes[here] == quote {
                    here += 1;
                }
            }
        }
    }
}

/// Where a record ends that begins at `at` with a tag of this name, be it well formed or not: tags of
/// its name are counted, all else is passed over. `None`: the bytes end before.
pub(super) fn record_end(bytes: &[u8], at: usize, name: &[u8]) -> Option<usize> {
    let (mut here, mut open) = (at, 0_usize);
    let named = |from: usize| {
        bytes
            .get(from..)?
            .strip_prefix(name)?
            .first()
            .map(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r'))
    };
    loop {
        here += memchr::memchr(b'<', bytes.get(here..)?)?;
        let after = |from: usize, what: &[u8]| {
            memchr::memmem::find(bytes.get(from..)?, what).map(|found| from + found + what.len())
        };
        match bytes.get(here + 1)? {
            b'!' => {
                let rest = &bytes[here..];
                here = if rest.starts_with(b"<!--") {
                    after(here + 4, b"-->")?
                } else if rest.starts_with(b"<![CDATA[") {
                    after(here + 9, b"]]>")?
                } else if b"<!--".starts_with(rest) || b"<![CDATA[".starts_with(rest) {
                    return None;
                } else {
                    here + 2
                };
            }
            b'?' => here = after(here + 2, b"?>")?,
            b'/' => {
                if named(here + 2) == Some(true) {
                    open = open.saturating_sub(1);
                    here = after(here, b">")?;
                    if open == 0 {
                        return Some(here);
                    }
                } else {
                    here += 2;
                }
            }
            _ if named(here + 1) == Some(true) => {
                let (end, empty) = tag_end(bytes, here)?;
                here = end;
                if !empty {
                    open += 1;
                } else if open == 0 {
                    return Some(end);
                }
            }
            _ => here += 1,
        }
    }
}
