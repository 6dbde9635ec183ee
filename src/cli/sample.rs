//! The first records of a stream, for looking at them: read as a run reads them, and nothing kept.

use std::path::Path;

use crate::config::{Connector, Stream};
use crate::connect::protocols::ReadRequest;
use crate::connect::{Part, RecordError, Rows, formats, protocols};
use crate::error::{Error, Kind, Result, codes};
use crate::record::{Arena, Projection, Row};

/// A record as it was found, or why it cannot be read.
pub(super) enum Found<'f, 'a> {
    /// A record.
    Row(Row<'a>, &'a Arena),
    /// No record; the place is within the part.
    Bad(&'f RecordError),
}

/// Reads up to `limit` records of a stream and hands each to `see`, with the part it stands in.
///
/// # Errors
/// Whatever ends the reading, or if this stream cannot be read.
pub(super) fn first(
    root: &Path,
    connector: &Connector,
    stream: &Stream,
    projection: &Projection,
    limit: usize,
    see: &mut dyn FnMut(&Part, Found<'_, '_>),
) -> Result<()> {
    let unreadable = |cause: String| Error::new(Kind::Invalid, &codes::cli::UNREADABLE, cause);
    let protocol = protocols::named(&connector.uses.value)
        .filter(|protocol| protocol.spec().reads)
        .ok_or_else(|| unreadable(format!("`{}` cannot be read from", connector.name)))?;
    let format = stream.format.as_ref().and_then(|name| formats::named(&name.value));
    let Some(known) = format else {
        return Err(unreadable(format!("nothing says what format `{}.{}` has", connector.name, stream.name))
            .hint("give the stream a `format:`"));
    };
    let request = ReadRequest { root, connector, stream, format, settled: &[], only: None };
    let mut source = protocol.source(&request)?;
    let mut decoder = known.decoder(&stream.format_options)?;
    let mut left = limit;
    while left > 0 {
        let Some(part) = source.next()? else { break };
        let arena = Arena::new();
        let mut taken = Taken { left, part: &part, arena: &arena, see };
        decoder.decode(&part, projection, &arena, &mut taken)?;
        left = taken.left;
    }
    Ok(())
}

struct Taken<'p, 'a, 's> {
    left: usize,
    part: &'p Part,
    arena: &'a Arena,
    see: &'s mut dyn FnMut(&Part, Found<'_, '_>),
}

impl<'a> Rows<'a> for Taken<'_, 'a, '_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        if self.left > 0 {
            self.left -= 1;
            (self.see)(self.part, Found::Row(row, self.arena));
        }
        self.left > 0
    }

    fn bad(&mut self, error: RecordError) -> bool {
        if self.left > 0 {
            self.left -= 1;
            (self.see)(self.part, Found::Bad(&error));
        }
        self.left > 0
    }
}
