//! The syntax tree of an expression, as the parser leaves it.

/// A range of bytes in the text of the expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// From the beginning of one to the end of the other.
    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// An expression with its place and how deep it is nested.
#[derive(Debug, PartialEq)]
pub(super) struct Expr {
    pub kind: Kind,
    pub at: Span,
    /// Height of the tree: bounded, so that no walk over it can exhaust the stack.
    pub height: u16,
}

#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// A numeral without point, exponent or suffix; decimal text with sign.
    Integer(String),
    /// With the suffix `u`.
    Unsigned(u64),
    /// With point or exponent.
    Real(String),
    Text(String),
    Bytes(Vec<u8>),
    /// A name; `rooted` if it began with a point.
    Name {
        name: String,
        rooted: bool,
    },
    Select {
        base: Box<Expr>,
        name: String,
        name_at: Span,
        optional: bool,
    },
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
        optional: bool,
    },
    Call {
        target: Option<Box<Expr>>,
        name: String,
        name_at: Span,
        arguments: Vec<Expr>,
    },
    List(Vec<(bool, Expr)>),
    Map(Vec<(bool, Expr, Expr)>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// How tightly it binds; all bind to the left.
    pub fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
            _ => 3,
        }
    }
}

impl Kind {
    /// The height of a tree with this at its root.
    pub fn height(&self) -> u16 {
        let one = |e: &Expr| e.height;
        let below = match self {
            Self::Select { base, .. } => one(base),
            Self::Index { base, index, .. } => one(base).max(one(index)),
            Self::Call { target, arguments, .. } => {
                target.iter().map(|t| t.height).chain(arguments.iter().map(one)).max().unwrap_or(0)
            }
            Self::List(items) => items.iter().map(|(_, e)| e.height).max().unwrap_or(0),
            Self::Map(items) => items.iter().map(|(_, k, v)| k.height.max(v.height)).max().unwrap_or(0),
            Self::Not(e) | Self::Negate(e) => one(e),
            Self::Binary(_, l, r) => one(l).max(one(r)),
            Self::Conditional(c, a, b) => one(c).max(one(a)).max(one(b)),
            _ => 0,
        };
        below.saturating_add(1)
    }
}
