//! Splits the text of an expression into tokens.

use super::ast::Span;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// A name between backticks.
    Quoted(String),
    Integer(String),
    Unsigned(u64),
    Real(String),
    Text(String),
    Bytes(Vec<u8>),
    Sign(&'static str),
    End,
}

/// What is wrong and where.
#[derive(Debug)]
pub(super) struct Wrong {
    pub cause: String,
    pub fix: Option<String>,
    pub at: Span,
    pub limit: bool,
    /// What would mend it: a part of the text and what should stand there.
    pub edit: Option<(Span, String)>,
}

impl Wrong {
    pub fn new(at: Span, cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), fix: None, at, limit: false, edit: None }
    }
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
    /// Says what to put in the place of what is wrong, as the fix too.
    pub fn instead(mut self, at: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        self.fix.get_or_insert_with(|| format!("write `{text}`"));
        self.edit = Some((at, text));
        self
    }
}

/// Signs of other languages, and what they are here; longest first.
const FOREIGN: &[(&str, &str)] =
    &[("===", "=="), ("!==", "!="), ("=>", ">="), ("=<", "<="), ("<>", "!="), ("&&=", "&&"), ("||=", "||")];

/// Longest first, so that the first match is the right one.
const SIGNS: &[&str] = &[
    "&&", "||", "<=", ">=", "==", "!=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "<", ">", "!", "+", "-", "*",
    "/", "%",
];

/// All tokens, the last one [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Wrong> {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0 };
    let mut found = Vec::with_capacity(text.len() / 3 + 2);
    loop {
        lexer.skip();
        let start = lexer.at;
        let token = lexer.next()?;
        let end = token == Token::End;
        found.push((token, lexer.span(start)));
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn span(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.at as u32 }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    while self.at < self.bytes.len() && self.bytes[self.at] != b'\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn next(&mut self) -> Result<Token, Wrong> {
        let start = self.at;
        let Some(&first) = self.bytes.get(start) else { return Ok(Token::End) };
        if first.is_ascii_digit() || (first == b'.' && self.peek(1).is_ascii_digit()) {
            return self.number();
        }
        if matches!(first, b'"' | b'\'') {
            return self.text(false, false);
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            // r"", b"", rb"", br"" in either case.
            let (mut raw, mut bytes, mut length) = (false, false, 0);
            while length < 2 {
                match self.peek(length) {
                    b'r' | b'R' if !raw => raw = true,
                    b'b' | b'B' if !bytes => bytes = true,
                    _ => break,
                }
                length += 1;
            }
            if length > 0 && matches!(self.peek(length), b'"' | b'\'') {
                self.at += length;
                return self.text(raw, bytes);
            }
            while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
                self.at += 1;
            }
            return Ok(Token::Name(self.text[start..self.at].to_string()));
        }
        if first == b'`' {
            self.at += 1;
            while !matches!(self.peek(0), b'`' | b'\n') && self.at < self.bytes.len() {
                self.at += 1;
            }
            if self.peek(0) != b'`' || self.at == start + 1 {
                return Err(Wrong::new(self.span(start), "the name between backticks is not closed or empty"));
            }
            self.at += 1;
            return Ok(Token::Quoted(self.text[start + 1..self.at - 1].to_string()));
        }
        if let Some((sign, ours)) = FOREIGN.iter().find(|(sign, _)| self.bytes[start..].starts_with(sign.as_bytes())) {
            self.at += sign.len();
            let at = self.span(start);
            return Err(Wrong::new(at, format!("`{sign}` is no operator")).instead(at, *ours));
        }
        for sign in SIGNS {
            if self.bytes[start..].starts_with(sign.as_bytes()) {
                self.at += sign.len();
                return Ok(Token::Sign(sign));
            }
        }
        let character = self.text[start..].chars().next().unwrap_or(' ');
        self.at += character.len_utf8();
        let wrong = Wrong::new(self.span(start), format!("`{}` has no meaning here", character.escape_default()));
        Err(match character {
            '=' => wrong.fix("equality is written `==`").instead(self.span(start), "=="),
            '&' => wrong.fix("and is written `&&`").instead(self.span(start), "&&"),
            '|' => wrong.fix("or is written `||`").instead(self.span(start), "||"),
            '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' => {
                let wrong = wrong.fix("use the plain quotes `\"` or `'`");
                let rest = &self.text[self.at..];
                match rest.find(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
                    Some(end) if !rest[..end].contains(['"', '\\']) => {
                        let last = rest[end..].chars().next().map_or(0, char::len_utf8);
                        let at = Span { start: start as u32, end: (self.at + end + last) as u32 };
                        wrong.instead(at, format!("\"{}\"", &rest[..end]))
                    }
                    _ => wrong,
                }
            }
            _ => wrong,
        })
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Token, Wrong> {
        let start = self.at;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            self.at += 2;
            while self.peek(0).is_ascii_hexdigit() {
                self.at += 1;
            }
            let Ok(number) = u64::from_str_radix(&self.text[start + 2..self.at], 16) else {
                return Err(Wrong::new(self.span(start), "the hexadecimal number is empty or has more than 64 bits"));
            };
            if matches!(self.peek(0), b'u' | b'U') {
                self.at += 1;
                return Ok(Token::Unsigned(number));
            }
            return Ok(Token::Integer(number.to_string()));
        }
        self.digits();
        let mut real = false;
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            real = true;
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                real = true;
                self.at += 1 + sign;
                self.digits();
            }
        }
        let text = self.text[start..self.at].to_string();
        if !real && matches!(self.peek(0), b'u' | b'U') {
            self.at += 1;
            return match text.parse() {
                Ok(number) => Ok(Token::Unsigned(number)),
                Err(_) => Err(Wrong::new(self.span(start), "the number has more than 64 bits")),
            };
        }
        if self.peek(0).is_ascii_alphabetic() || self.peek(0) == b'_' {
            self.at += 1;
            return Err(
                Wrong::new(self.span(start), "a number ends where a letter begins").fix("quote it if text is meant")
            );
        }
        Ok(if real { Token::Real(text) } else { Token::Integer(text) })
    }

    /// A string or bytes, from its first quote on.
    fn text(&mut self, raw: bool, bytes: bool) -> Result<Token, Wrong> {
        let start = self.at;
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let width = if triple { 3 } else { 1 };
        self.at += width;
        let mut out = Vec::new();
        loop {
            let Some(&byte) = self.bytes.get(self.at) else {
                let end = Span { start: self.text.len() as u32, end: self.text.len() as u32 };
                return Err(Wrong::new(self.span(start), "the text is not closed")
                    .fix(format!("close it with `{}`", char::from(quote)))
                    .instead(end, char::from(quote)));
            };
            if byte == quote && (!triple || (self.peek(1) == quote && self.peek(2) == quote)) {
                self.at += width;
                break;
            }
            match byte {
                b'\n' | b'\r' if !triple => {
                    return Err(Wrong::new(self.span(start), "the text is not closed before the end of its line")
                        .fix("write a line break as `\\n`, or use three quotes"));
                }
                b'\\' if !raw => self.escape(bytes, &mut out)?,
                _ => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        if bytes {
            return Ok(Token::Bytes(out));
        }
        match String::from_utf8(out) {
            Ok(text) => Ok(Token::Text(text)),
            Err(_) => Err(Wrong::new(self.span(start), "the text is not valid UTF-8")),
        }
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let start = self.at;
        let kind = self.peek(1);
        self.at += 2.min(self.bytes.len() - self.at);
        let simple = match kind {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'?' | b'"' | b'\'' | b'`' => kind,
            b'x' | b'X' => return self.code(start, 2, 16, bytes, out),
            b'u' if !bytes => return self.code(start, 4, 16, false, out),
            b'U' if !bytes => return self.code(start, 8, 16, false, out),
            b'0'..=b'3' => {
                self.at -= 1;
                return self.code(start, 3, 8, bytes, out);
            }
            _ => {
                return Err(Wrong::new(
                    Span { start: start as u32, end: start as u32 + 1 },
                    "unknown escape after `\\`",
                )
                .fix("write `\\\\` for a backslash, or a raw text r\"…\""));
            }
        };
        out.push(simple);
        Ok(())
    }

    fn code(&mut self, start: usize, length: usize, radix: u32, bytes: bool, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let place = Span { start: start as u32, end: start as u32 + 1 };
        let digits = self.bytes.get(self.at..self.at + length).and_then(|d| std::str::from_utf8(d).ok());
        let number = digits
            .filter(|d| d.chars().all(|c| c.is_digit(radix)))
            .and_then(|d| u32::from_str_radix(d, radix).ok())
            .ok_or_else(|| Wrong::new(place, format!("{length} digits must follow here")))?;
        self.at += length;
        if bytes {
            out.push(u8::try_from(number).map_err(|_| Wrong::new(place, "a byte is at most 255"))?);
            return Ok(());
        }
        let character = char::from_u32(number).ok_or_else(|| Wrong::new(place, "there is no such character"))?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}
