//! A body as it comes in: JSON as a whole, lines piece by piece, so that a file of a job takes no more
//! memory than a page, however large it is.
//!
//! Where a body is cut depends on its bytes alone, not on how the network brought them: what is read again
//! after a crash falls into the same pieces.

use std::sync::Arc;

use bytes::Bytes;

use super::desk::{Desk, Vars};
use super::families;
use super::sheet::{self, Sheet};
use crate::connect::pack::read::{BodyFormat, Read};
use crate::connect::web::{Answer, Flow, Unanswered};
use crate::connect::{Cut, Framing, Header, PART_BYTES};
use crate::error::codes::connect::ANSWER_UNREADABLE;
use crate::error::{Error, Kind, Result};

/// Whether the answers of a stream are read piece by piece. Not where it is known only at their end
/// whether they are taken at all.
pub(super) fn flows(read: &Read) -> bool {
    matches!(read.format, BodyFormat::Ndjson | BodyFormat::Csv)
        && read.ceiling.as_ref().is_none_or(|ceiling| !ceiling.split)
}

/// An answer that is there, or still coming.
pub(super) enum Body {
    Whole(Answer),
    Flow(Flow),
}

/// Why there is no next piece.
pub(super) enum Stop {
    /// The answer broke off.
    Broken(Unanswered),
    /// It is not what it should be.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// An answer, as sheets.
pub(super) struct Coming {
    /// Status and headers; the body only where it is whole.
    pub head: Answer,
    pieces: Option<Pieces>,
    /// Bodies of answers with further fields of the same records.
    further: Vec<Bytes>,
}

impl Coming {
    /// Of what was asked for.
    ///
    /// # Errors
    /// If the format's options contradict each other.
    pub fn new(desk: &Desk, body: Body) -> Result<Self> {
        match body {
            Body::Whole(head) => Ok(Self { head, pieces: None, further: Vec::new() }),
            Body::Flow(flow) => {
                let head = Answer {
                    status: flow.head.status,
                    headers: flow.head.headers.clone(),
                    body: Bytes::new(),
                    took: flow.head.waited,
                };
                let most = desk.given.pack.transport.caps.body;
                let pieces = Pieces {
                    flow,
                    framing: sheet::framing(desk.read)?,
                    header: None,
                    held: Vec::new(),
                    over: false,
                    most: usize::try_from(most).unwrap_or(usize::MAX),
                };
                Ok(Self { head, pieces: Some(pieces), further: Vec::new() })
            }
        }
    }

    /// With what further requests answered for the same records.
    #[must_use]
    pub fn with(self, further: Vec<Bytes>) -> Self {
        Self { further, ..self }
    }

    /// The next piece as a sheet, and whether it is the last one. Not called again after that.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn next(&mut self, desk: &Desk, vars: &Vars) -> Result<(Sheet, bool), Stop> {
        if self.head.status >= 400 || self.head.status == 204 || self.head.status == 304 {
            return Ok((Sheet::empty(&self.head, sheet::form_at(desk)), true));
        }
        let Some(pieces) = &mut self.pieces else {
            let body = std::mem::take(&mut self.head.body);
            return Ok((Sheet::new(desk, &self.head, body, &self.further, vars)?, true));
        };
        let (bytes, last) = pieces.next(desk).await?;
        let header = pieces.header.clone().unwrap_or_default();
        Ok((Sheet::of_piece(desk, &self.head, bytes, header, vars)?, last))
    }
}

/// Cuts what comes in where records end.
struct Pieces {
    flow: Flow,
    framing: Box<dyn Framing>,
    /// Of the format; known once the beginning was read.
    header: Option<Arc<Header>>,
    /// What came and was not handed out.
    held: Vec<u8>,
    /// Nothing more comes.
    over: bool,
    /// Bytes that one record may have.
    most: usize,
}

impl Pieces {
    async fn next(&mut self, desk: &Desk) -> Result<(Vec<u8>, bool), Stop> {
        let wrong = |error: Error| Stop::Error(error.doing(format!("reading an answer for `{}`", desk.stream.name)));
        let mut wanted = PART_BYTES;
        loop {
            while !self.over && self.held.len() <= wanted {
                match self.flow.next().await.map_err(Stop::Broken)? {
                    Some(bytes) => self.held.extend_from_slice(&bytes),
                    None => self.over = true,
                }
            }
            let whole = self.over && self.held.len() <= wanted;
            let window = self.held.get(..wanted).unwrap_or(&self.held);
            if self.header.is_none() {
                if whole && window.iter().all(u8::is_ascii_whitespace) {
                    return Ok((Vec::new(), true));
                }
                if let Some(opening) = self.framing.open(window, whole).map_err(wrong)? {
                    self.held.drain(..opening.bytes);
                    self.header = Some(Arc::new(opening.header));
                    continue;
                }
            } else {
                match self.framing.cut(window, whole).map_err(wrong)? {
                    Cut::At { bytes, .. } if whole => return Ok((self.cut_off(bytes), true)),
                    Cut::At { bytes, .. } if bytes > 0 => {
                        let bytes = match &desk.read.nest {
                            Some(nest) => families::last_begins(desk, nest, &self.held[..bytes])?,
                            None => bytes,
                        };
                        if bytes > 0 {
                            return Ok((self.cut_off(bytes), false));
                        }
                    }
                    Cut::End { bytes, .. } => return Ok((self.cut_off(bytes), true)),
                    Cut::At { .. } | Cut::More => {}
                }
            }
            if whole {
                return Ok((Vec::new(), true));
            }
            if wanted >= self.most {
                let cause = format!("a record of `{}` is larger than {} MiB", desk.stream.name, self.most >> 20);
                return Err(Error::new(Kind::Failed, &ANSWER_UNREADABLE, cause)
                    .hint("`transport.caps.body_mib` of the pack says how large one may be")
                    .into());
            }
            wanted = wanted.saturating_mul(2).min(self.most);
        }
    }

    /// So many bytes from the front; what is behind them stays.
    fn cut_off(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.held.split_off(bytes);
        std::mem::replace(&mut self.held, rest)
    }
}
