//! Reads the syntax of CEL into a tree, within limits that hostile text cannot pass.

use super::ast::{Expr, Kind, Operator, Span};
use super::token::{Token, Wrong, tokens};

/// The longest expression, in bytes.
pub(super) const MAX_LENGTH: usize = 65_536;
/// The deepest nesting: of parentheses while reading and of the tree that comes out.
pub(super) const MAX_DEPTH: u16 = 160;

/// Words that CEL keeps for itself: no names, yet fine as fields.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads one expression.
pub(super) fn parse(text: &str) -> Result<Expr, Wrong> {
    if text.len() > MAX_LENGTH {
        let mut wrong =
            Wrong::new(Span { start: 0, end: 1 }, format!("the expression is longer than {MAX_LENGTH} bytes"));
        wrong.limit = true;
        return Err(wrong);
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.peek() == &Token::End {
        return Err(Wrong::new(parser.place(), "the expression is empty"));
    }
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        Token::Sign(sign @ (")" | "]" | "}")) => {
            let at = parser.place();
            let wrong = Wrong::new(at, "this closes what was never opened").fix(format!("remove the `{sign}`"));
            Err(wrong.instead(at, ""))
        }
        _ => Err(parser.stray(&expression, "an operator is missing before this, or it is one too many")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: u16,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Span::default(), |(_, at)| *at)
    }

    fn behind(&self) -> Span {
        self.tokens.get(self.at.wrapping_sub(1)).map_or(Span::default(), |(_, at)| *at)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn close(&mut self, sign: &str, opened: Span) -> Result<(), Wrong> {
        if self.take(sign) {
            return Ok(());
        }
        if self.peek() == &Token::End {
            let end = Span { start: self.behind().end, end: self.behind().end };
            let wrong = Wrong::new(opened, format!("this is not closed: `{sign}` is missing"));
            return Err(wrong.fix(format!("close it with `{sign}`")).instead(end, sign));
        }
        let left = Expr { kind: Kind::Null, at: self.behind(), height: 1 };
        Err(self.stray(&left, &format!("`{sign}` or an operator is missing before this")))
    }

    /// The text of a part.
    fn part(&self, at: Span) -> &str {
        self.text.get(at.start as usize..at.end as usize).unwrap_or_default()
    }

    /// Something stands behind a whole expression: words and signs of other languages are explained.
    fn stray(&mut self, left: &Expr, otherwise: &str) -> Wrong {
        let at = self.place();
        let word = match self.peek() {
            Token::Name(word) => word.clone(),
            _ => return Wrong::new(at, otherwise),
        };
        let next = |parser: &Self, ahead: usize| match parser.tokens.get(parser.at + ahead) {
            Some((Token::Name(name), at)) => Some((name.to_ascii_lowercase(), *at)),
            _ => None,
        };
        let nothing = |name: &str| matches!(name, "null" | "none" | "nil" | "undefined");
        let wrong = Wrong::new(at, format!("`{word}` is no operator"));
        match word.to_ascii_lowercase().as_str() {
            "and" => wrong.instead(at, "&&"),
            "or" => wrong.instead(at, "||"),
            "eq" | "equals" => wrong.instead(at, "=="),
            "is" => match (next(self, 1), next(self, 2)) {
                (Some((not, _)), Some((null, end))) if not == "not" && nothing(&null) => {
                    wrong.instead(at.to(end), "!= null")
                }
                (Some((null, end)), _) if nothing(&null) => wrong.instead(at.to(end), "== null"),
                _ => wrong.instead(at, "=="),
            },
            // `this if condition else that`
            "if" => {
                self.at += 1;
                let condition = self.binary(1);
                let otherwise = matches!(self.peek(), Token::Name(word) if word == "else");
                self.at += 1;
                match (condition, otherwise.then(|| self.expression()).and_then(Result::ok)) {
                    (Ok(condition), Some(no)) => {
                        let text =
                            format!("{} ? {} : {}", self.part(condition.at), self.part(left.at), self.part(no.at));
                        wrong.instead(left.at.to(no.at), text)
                    }
                    _ => wrong.fix("write `condition ? this : that`"),
                }
            }
            _ => Wrong::new(at, otherwise),
        }
    }

    fn too_deep(&self, at: Span) -> Wrong {
        let mut wrong = Wrong::new(at, format!("the expression is nested deeper than {MAX_DEPTH}"));
        wrong.limit = true;
        wrong
    }

    fn node(&self, kind: Kind, at: Span) -> Result<Expr, Wrong> {
        let height = kind.height();
        if height > MAX_DEPTH {
            return Err(self.too_deep(at));
        }
        Ok(Expr { kind, at, height })
    }

    fn expression(&mut self) -> Result<Expr, Wrong> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(self.place()));
        }
        let condition = self.binary(1)?;
        let result = if self.take("?") {
            let question = self.behind();
            if self.take("?") {
                let other = self.binary(1)?;
                let text = format!("coalesce({}, {})", self.part(condition.at), self.part(other.at));
                let at = Span { start: question.start, end: question.end + 1 };
                return Err(Wrong::new(at, "`??` is no operator").instead(condition.at.to(other.at), text));
            }
            let yes = self.expression()?;
            if !self.take(":") {
                let end = Span { start: yes.at.end, end: yes.at.end };
                return Err(Wrong::new(question, "`?` wants a `:` with the other case")
                    .fix("write `condition ? this : that`; `: null` if there is no other")
                    .instead(end, " : null"));
            }
            let no = self.expression()?;
            let at = condition.at.to(no.at);
            self.node(Kind::Conditional(Box::new(condition), Box::new(yes), Box::new(no)), at)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(result)
    }

    fn operator(&self) -> Option<Operator> {
        use Operator as O;
        Some(match self.peek() {
            Token::Sign(sign) => match *sign {
                "||" => O::Or,
                "&&" => O::And,
                "<" => O::Less,
                "<=" => O::LessEqual,
                ">" => O::Greater,
                ">=" => O::GreaterEqual,
                "==" => O::Equal,
                "!=" => O::NotEqual,
                "+" => O::Add,
                "-" => O::Subtract,
                "*" => O::Multiply,
                "/" => O::Divide,
                "%" => O::Remainder,
                _ => return None,
            },
            Token::Name(word) if word == "in" => O::In,
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Result<Expr, Wrong> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|o| o.strength() >= least) {
            self.at += 1;
            let right = self.binary(operator.strength() + 1)?;
            let at = left.at.to(right.at);
            left = self.node(Kind::Binary(operator, Box::new(left), Box::new(right)), at)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Wrong> {
        let start = self.place();
        let mut signs = Vec::new();
        loop {
            if self.take("!") {
                signs.push(true);
            } else if self.take("-") {
                signs.push(false);
            } else {
                break;
            }
        }
        // A minus before a numeral belongs to it: the smallest int has no positive twin.
        let folded = signs.last() == Some(&false) && matches!(self.peek(), Token::Integer(_) | Token::Real(_));
        if folded {
            signs.pop();
            if let Some((Token::Integer(text) | Token::Real(text), _)) = self.tokens.get_mut(self.at) {
                text.insert(0, '-');
            }
        }
        let mut inner = self.member()?;
        for not in signs.into_iter().rev() {
            let at = start.to(inner.at);
            let kind = if not { Kind::Not(Box::new(inner)) } else { Kind::Negate(Box::new(inner)) };
            inner = self.node(kind, at)?;
        }
        Ok(inner)
    }

    fn member(&mut self) -> Result<Expr, Wrong> {
        let mut base = self.primary()?;
        loop {
            if self.take(".") {
                let optional = self.take("?");
                let name_at = self.place();
                let (name, quoted) = match self.peek() {
                    Token::Name(name) => (name.clone(), false),
                    Token::Quoted(name) => (name.clone(), true),
                    _ => return Err(Wrong::new(name_at, "a name is missing after the point")),
                };
                self.at += 1;
                if !quoted && matches!(name.as_str(), "in" | "true" | "false" | "null") {
                    let point = Span { start: name_at.start.saturating_sub(1), end: name_at.end };
                    let wrong = Wrong::new(name_at, format!("`{name}` is a word of the language"))
                        .fix(format!("write the field as `[\"{name}\"]`"));
                    return Err(if optional { wrong } else { wrong.instead(point, format!("[\"{name}\"]")) });
                }
                if !optional && !quoted && self.take("(") {
                    let arguments = self.arguments()?;
                    let at = base.at.to(self.behind());
                    base = self.node(Kind::Call { target: Some(Box::new(base)), name, name_at, arguments }, at)?;
                } else {
                    let at = base.at.to(name_at);
                    base = self.node(Kind::Select { base: Box::new(base), name, name_at, optional }, at)?;
                }
            } else if self.take("[") {
                let opened = self.behind();
                let optional = self.take("?");
                let index = self.expression()?;
                self.close("]", opened)?;
                let at = base.at.to(self.behind());
                base = self.node(Kind::Index { base: Box::new(base), index: Box::new(index), optional }, at)?;
            } else {
                return Ok(base);
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Wrong> {
        let opened = self.behind();
        let mut list = Vec::new();
        if self.take(")") {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if !self.take(",") {
                break;
            }
        }
        self.close(")", opened)?;
        Ok(list)
    }

    fn primary(&mut self) -> Result<Expr, Wrong> {
        let at = self.place();
        let token = self.peek().clone();
        if token == Token::End {
            return Err(Wrong::new(at, "the expression ends where a value is missing"));
        }
        self.at += 1;
        let kind = match token {
            Token::Integer(text) => Kind::Integer(text),
            Token::Unsigned(number) => Kind::Unsigned(number),
            Token::Real(text) => Kind::Real(text),
            Token::Text(text) => Kind::Text(text),
            Token::Bytes(bytes) => Kind::Bytes(bytes),
            Token::Name(name) => return self.named(name, false, at),
            Token::Quoted(name) => Kind::Name { name, rooted: false },
            Token::Sign(".") => match self.peek().clone() {
                Token::Name(name) => {
                    let name_at = self.place();
                    self.at += 1;
                    return self.named(name, true, at.to(name_at));
                }
                _ => return Err(Wrong::new(at, "a name is missing after the point")),
            },
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.close(")", at)?;
                return Ok(Expr { at: at.to(self.behind()), ..inner });
            }
            Token::Sign("[") => {
                let items = self.items("]", at, |parser| {
                    let optional = parser.take("?");
                    Ok((optional, parser.expression()?))
                })?;
                Kind::List(items)
            }
            Token::Sign("{") => {
                let items = self.items("}", at, |parser| {
                    let optional = parser.take("?");
                    let key = parser.expression()?;
                    if !parser.take(":") {
                        return Err(Wrong::new(parser.place(), "`:` is missing between key and value"));
                    }
                    Ok((optional, key, parser.expression()?))
                })?;
                Kind::Map(items)
            }
            Token::Sign(sign) => return Err(Wrong::new(at, format!("a value is missing before `{sign}`"))),
            Token::End => return Err(Wrong::new(at, "a value is missing")),
        };
        self.node(kind, at.to(self.behind()))
    }

    /// Whether the next token can only begin a value.
    fn begins_value(&self) -> bool {
        matches!(self.peek(), Token::Name(_) | Token::Text(_) | Token::Integer(_) | Token::Real(_) | Token::Sign("!"))
    }

    fn items<T>(
        &mut self,
        end: &str,
        opened: Span,
        one: impl Fn(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(one(self)?);
            if !self.take(",") {
                self.close(end, opened)?;
                break;
            }
        }
        Ok(items)
    }

    fn named(&mut self, name: String, rooted: bool, at: Span) -> Result<Expr, Wrong> {
        let kind = match name.as_str() {
            "true" if !rooted => Kind::Bool(true),
            "false" if !rooted => Kind::Bool(false),
            "null" if !rooted => Kind::Null,
            "in" => return Err(Wrong::new(at, "a value is missing before `in`")),
            // `not x`
            _ if name.eq_ignore_ascii_case("not") && self.begins_value() => {
                let inner = self.binary(3)?;
                let text = match inner.kind {
                    Kind::Binary(..) => format!("!({})", self.part(inner.at)),
                    _ => format!("!{}", self.part(inner.at)),
                };
                return Err(Wrong::new(at, format!("`{name}` is no operator")).instead(at.to(inner.at), text));
            }
            // `if(a, b, c)`
            "if" if self.take("(") => {
                let arguments = self.arguments()?;
                let wrong = Wrong::new(at, "`if` is no function");
                return Err(match arguments.as_slice() {
                    [condition, yes, no] => {
                        let [condition, yes, no] = [condition, yes, no].map(|one| self.part(one.at));
                        wrong.instead(at.to(self.behind()), format!("({condition} ? {yes} : {no})"))
                    }
                    _ => wrong.fix("write `condition ? this : that`"),
                });
            }
            _ if RESERVED.contains(&name.as_str()) => {
                return Err(Wrong::new(at, format!("`{name}` is reserved by the language"))
                    .fix(format!("a field of that name is written `record.{name}`"))
                    .instead(at, format!("record.{name}")));
            }
            _ if self.take("(") => {
                let arguments = self.arguments()?;
                return self.node(Kind::Call { target: None, name, name_at: at, arguments }, at.to(self.behind()));
            }
            _ => Kind::Name { name, rooted },
        };
        self.node(kind, at)
    }
}
