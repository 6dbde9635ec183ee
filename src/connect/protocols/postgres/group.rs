//! A group of records on its way: kept whole until it is durable, so that it can be sent again, or
//! piece by piece where one record of it is at fault.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::Client;

/// The records of a group as the encoder wrote them, and the keys that came without a record.
#[derive(Default)]
pub(super) struct Group {
    /// Whole lines, one for each record.
    pub(super) lines: Vec<Bytes>,
    pub(super) records: u64,
    /// Lines of keys.
    pub(super) seen: Vec<Bytes>,
}

impl Group {
    /// Adds the records of a batch; says whether they are as many lines as it says.
    pub(super) fn add(&mut self, bytes: &[u8], records: u64, seen: &[u8]) -> bool {
        if !seen.is_empty() {
            self.seen.push(Bytes::copy_from_slice(seen));
        }
        if bytes.is_empty() {
            return records == 0;
        }
        self.lines.push(Bytes::copy_from_slice(bytes));
        self.records += records;
        // A line feed ends a record and is nothing else: the encoder escapes those in values.
        bytes.ends_with(b"\n") && memchr::memchr_iter(b'\n', bytes).count() as u64 == records
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0 && self.seen.is_empty()
    }

    /// Where each record's line is.
    pub(super) fn index(&self) -> Index<'_> {
        let mut starts = Vec::with_capacity(self.records as usize);
        for (chunk, lines) in self.lines.iter().enumerate() {
            let mut from = 0;
            for end in memchr::memchr_iter(b'\n', lines) {
                starts.push((chunk, from));
                from = end + 1;
            }
        }
        Index { lines: &self.lines, starts }
    }
}

/// The lines of a group, one by one.
pub(super) struct Index<'g> {
    lines: &'g [Bytes],
    starts: Vec<(usize, usize)>,
}

impl Index<'_> {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The lines of these records, without copying them.
    pub(super) fn slice(&self, records: Range<usize>) -> Vec<Bytes> {
        let (Some(first), last) = (self.starts.get(records.start), self.starts.get(records.end)) else {
            return Vec::new();
        };
        let (end_chunk, end) = match last {
            Some((chunk, at)) => (*chunk, *at),
            None => (self.lines.len() - 1, self.lines[self.lines.len() - 1].len()),
        };
        let mut found = Vec::new();
        for chunk in first.0..=end_chunk {
            let from = if chunk == first.0 { first.1 } else { 0 };
            let to = if chunk == end_chunk { end } else { self.lines[chunk].len() };
            if from < to {
                found.push(self.lines[chunk].slice(from..to));
            }
        }
        found
    }

    /// The fields of a record as its line has them.
    pub(super) fn fields(&self, record: usize) -> Vec<Bytes> {
        let line: Vec<u8> = self.slice(record..record + 1).concat();
        let line = Bytes::from(line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        text.split(|byte| *byte == b'\t').map(|field| line.slice_ref(field)).collect()
    }
}

/// Streams lines into a table.
pub(super) async fn copy(client: &Client, statement: &str, lines: &[Bytes]) -> Result<u64, tokio_postgres::Error> {
    send(client, statement, lines.iter().cloned()).await
}

/// Streams lines into a table, each behind its number, from this one on.
pub(super) async fn copy_numbered(
    client: &Client,
    statement: &str,
    lines: &[Bytes],
    first: u64,
) -> Result<u64, tokio_postgres::Error> {
    let mut digits = Digits::of(first);
    send(client, statement, lines.iter().map(|lines| numbered(lines, &mut digits))).await
}

async fn send(
    client: &Client,
    statement: &str,
    lines: impl Iterator<Item = Bytes>,
) -> Result<u64, tokio_postgres::Error> {
    let mut stream = std::pin::pin!(client.copy_in::<_, Bytes>(statement).await?);
    for chunk in lines {
        if stream.feed(chunk).await.is_err() {
            // The server's own words come with the end.
            break;
        }
    }
    stream.as_mut().finish().await
}

/// Puts its number and a tab before each line.
fn numbered(lines: &[u8], digits: &mut Digits) -> Bytes {
    let mut made = BytesMut::with_capacity(lines.len() + lines.len() / 8);
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', lines) {
        made.extend_from_slice(digits.text());
        made.extend_from_slice(b"\t");
        made.extend_from_slice(&lines[from..=end]);
        digits.next();
        from = end + 1;
    }
    made.freeze()
}

/// A number as text that counts up in place.
struct Digits {
    text: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(mut number: u64) -> Self {
        let mut made = Self { text: [b'0'; 20], start: 19 };
        let mut at = 19;
        loop {
            made.text[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
            at -= 1;
        }
        made.start = at;
        made
    }

    #[inline]
    fn text(&self) -> &[u8] {
        &self.text[self.start..]
    }

    #[inline]
    fn next(&mut self) {
        let mut at = 19;
        while self.text[at] == b'9' {
            self.text[at] = b'0';
            if at == 0 {
                return;
            }
            at -= 1;
        }
        self.text[at] += 1;
        self.start = self.start.min(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_and_numbered_across_batches() {
        let mut group = Group::default();
        assert!(group.add(b"a\tx\nb\ty\n", 2, b""));
        assert!(group.add(b"", 0, b"k\n"));
        assert!(group.add(b"c\tz\n", 1, b""));
        assert!(!group.add(b"d", 1, b""), "no whole line");
        group.lines.pop();
        assert_eq!(group.lines.concat(), b"a\tx\nb\ty\nc\tz\n");
        let mut digits = Digits::of(9);
        let lines: Vec<Bytes> = group.lines.iter().map(|lines| numbered(lines, &mut digits)).collect();
        assert_eq!(lines.concat(), b"9\ta\tx\n10\tb\ty\n11\tc\tz\n");
        let index = group.index();
        assert_eq!(index.len(), 3);
        assert_eq!(index.slice(1..3).concat(), b"b\ty\nc\tz\n");
        assert_eq!(index.slice(0..2).concat(), b"a\tx\nb\ty\n");
        assert_eq!(index.slice(3..3).len(), 0);
        assert_eq!(index.fields(2), [&b"c"[..], &b"z"[..]]);
    }

    #[test]
    fn numbers_count_up() {
        for start in [0, 8, 9, 98, 99, 12_345, 999_999] {
            let mut digits = Digits::of(start);
            for number in start..start + 25 {
                assert_eq!(digits.text(), number.to_string().as_bytes());
                digits.next();
            }
        }
    }
}
