//! String leaves: literal text with references in it, read after YAML so that a secret's
//! content can never become structure.

use super::{Piece, Text};

/// Why a text's references cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// One sentence.
    pub cause: String,
    /// What to do.
    pub fix: &'static str,
}

impl Text {
    /// Reads literal pieces and `${env:NAME}`, `${file:PATH}`, `${cmd:NAME}`; `$${` is a literal `${`.
    ///
    /// # Errors
    /// An unknown kind, an empty or impossible name, a missing `}`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                literal.push_str(&rest[..at - 1]);
                literal.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let inside = &rest[at + 2..];
            let fail = |cause: String, fix| Err(TextError { cause, fix });
            let Some(length) = inside.find('}') else {
                return fail("`${` is not closed by `}`".into(), "close it, or write `$${` for a literal `${`");
            };
            let Some((kind, name)) = inside[..length].split_once(':') else {
                return fail(
                    "a reference names its kind: `${env:…}`, `${file:…}` or `${cmd:…}`".into(),
                    "write `${env:NAME}`, or `$${` for a literal `${`",
                );
            };
            let plain =
                |extra: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
            let piece = match kind {
                "env" if plain("_") && !name.starts_with(|c: char| c.is_ascii_digit()) => Piece::Env(name.to_owned()),
                "file" if !name.trim().is_empty() => Piece::File(name.to_owned()),
                "cmd" if plain("_-.") => Piece::Command(name.to_owned()),
                "env" => {
                    return fail(
                        "the name of an environment variable is letters, digits and `_`".into(),
                        "mend the name",
                    );
                }
                "file" => return fail("the reference names no file".into(), "write `${file:PATH}`"),
                "cmd" => {
                    return fail(
                        "`${cmd:…}` takes the name of a command, not a command line".into(),
                        "define the command in `consign/commands.yaml` of your own configuration and name it here",
                    );
                }
                other => {
                    return fail(
                        format!("`{other}` is no kind of reference: there are env, file and cmd"),
                        "write `$${` for a literal `${`",
                    );
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
            rest = &inside[length + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces })
    }

    /// Text without references.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![Piece::Literal(text)] } }
    }

    /// The text, if there is no reference in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it holds a reference.
    pub fn has_reference(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Literal(_)))
    }
}

/// As written, references and all.
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => f.write_str(&text.replace("${", "$${"))?,
                Piece::Env(name) => write!(f, "${{env:{name}}}")?,
                Piece::File(path) => write!(f, "${{file:{path}}}")?,
                Piece::Command(name) => write!(f, "${{cmd:{name}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        for text in
            ["", "plain", "${env:A_1}", "a${env:B}c${file:/run/x y}d${cmd:pass-show}", "$${env:A}", "$$", "$5 {x}"]
        {
            assert_eq!(Text::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Text::parse("$${env:A}").unwrap().as_literal(), Some("${env:A}"));
        assert!(Text::parse("x${env:A}").unwrap().has_reference());
        for text in
            ["${env:A", "${A}", "${vault:a}", "${env:}", "${env:1A}", "${env:a b}", "${cmd:rm -rf /}", "${file: }"]
        {
            assert!(Text::parse(text).is_err(), "{text}");
        }
    }
}
