//! Zip archives (PKWARE's APPNOTE 6.3): which members there are, and where the bytes of each lie.
//!
//! An archive is read from its end: the directory there says what is in it, one member after the other, and
//! only the members that are wanted stay in memory. Nothing is ever unpacked under a member's name.
//! What a hostile archive could do is refused: members that lie over each other, names that lead out of
//! the archive or stand twice, sizes that do not add up.

use std::collections::BTreeSet;

use super::compression::Sealed;
use super::paths::in_archive;
use super::place::{Input, Opened};
use crate::error::codes::connect::{ZIP_DAMAGED, ZIP_UNREADABLE};
use crate::error::{Error, Kind, Result};

/// So many members of one archive are read, not more: each is remembered.
const MOST_MEMBERS: usize = 100_000;
/// The end of the directory, without its comment.
const END_BYTES: u64 = 22;
/// The same for sizes beyond 32 bits, and its locator.
const END_64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
/// Before a member's bytes, without its name and extra field.
const HEADER_BYTES: u64 = 30;
/// One entry of the directory, without its name, extra field and comment.
const ENTRY_BYTES: usize = 46;
/// Names with these endings are archives or compressed files themselves.
const NESTED: &[&str] = &[".zip", ".gz", ".zst", ".7z", ".rar", ".tar", ".bz2", ".xz"];

/// The upper half of code page 437, in which names are that are not UTF-8.
const CODE_PAGE: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, with `/` between folders.
    pub name: String,
    /// Where its own header begins.
    header: u64,
    /// Its bytes in the archive.
    packed: u64,
    /// What comes out of them.
    pub sealed: Sealed,
}

/// The wanted members, in the order of their names. `length`: that of the archive.
///
/// # Errors
/// An archive that is not whole, that lies about itself, or whose wanted members cannot be read.
pub fn members(file: &mut dyn Opened, length: u64, pattern: &str) -> Result<Vec<Member>> {
    let directory = Directory::find(file, length)?;
    let mut entries = Entries {
        input: file.input(directory.start, directory.end)?,
        left: directory.end - directory.start,
        buffer: Vec::new(),
        at: 0,
    };
    let (mut members, mut count) = (Vec::new(), 0_u64);
    while let Some(member) = entries.next(pattern, directory.shift)? {
        count += 1;
        let Some(member) = member else { continue };
        if members.len() == MOST_MEMBERS {
            return Err(unreadable(format!("more than {MOST_MEMBERS} members of the archive match"))
                .hint("name fewer of them with `member`"));
        }
        members.push(member);
    }
    // Archives of the old kind count up to 65,535 and then begin anew.
    if count != directory.entries && (directory.is_large || count % 65_536 != directory.entries) {
        return Err(damaged("the archive's directory has more or fewer members than it says")
            .fact("members there", count)
            .fact("members said", directory.entries));
    }
    overlapping(&members, directory.start)?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = members.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(unreadable(format!("two members of the archive are named `{}`", pair[0].name)));
    }
    Ok(members)
}

impl Member {
    /// Where its bytes lie, as its own header says.
    ///
    /// # Errors
    /// If there is no header, or one of another member.
    pub fn range(&self, file: &mut dyn Opened, length: u64) -> Result<(u64, u64)> {
        let mut header = [0; HEADER_BYTES as usize];
        let short = || damaged(format!("member `{}` is not where the directory says", self.name));
        if self.header.checked_add(HEADER_BYTES).is_none_or(|end| end > length) {
            return Err(short());
        }
        file.read_exact_at(&mut header, self.header)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(short());
        }
        let start = self.header + HEADER_BYTES + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        match start.checked_add(self.packed) {
            Some(end) if end <= length => Ok((start, end)),
            _ => Err(short()),
        }
    }
}

/// Where the directory lies.
struct Directory {
    start: u64,
    end: u64,
    entries: u64,
    is_large: bool,
    /// What stands before the archive (a program that unpacks it): offsets do not count it.
    shift: u64,
}

impl Directory {
    fn find(file: &mut dyn Opened, length: u64) -> Result<Self> {
        let looked_at = length.min(END_BYTES + 65_535 + LOCATOR_BYTES);
        let mut bytes = vec![0; looked_at as usize];
        file.read_exact_at(&mut bytes, length - looked_at)?;
        let Some(at) = (0..=bytes.len().saturating_sub(END_BYTES as usize)).rev().find(|at| {
            // The comment behind it may hold anything, but ends with the file.
            let end = &bytes[*at..];
            end.starts_with(b"PK\x05\x06")
                && end.len() >= END_BYTES as usize
                && usize::from(u16_at(end, 20)) == end.len() - END_BYTES as usize
        }) else {
            return Err(damaged("the archive has no directory at its end: it is not whole, or is no zip archive")
                .fact("bytes", length));
        };
        let record = &bytes[at..];
        let mut end = length - looked_at + at as u64;
        let (mut entries, mut size, mut offset) =
            (u64::from(u16_at(record, 10)), u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
        let mut disks = [u32::from(u16_at(record, 4)), u32::from(u16_at(record, 6))];
        let mut is_large = false;
        let locator = at.checked_sub(LOCATOR_BYTES as usize).map(|from| &bytes[from..at]);
        if let Some(locator) = locator.filter(|locator| locator.starts_with(b"PK\x06\x07")) {
            // It stands right before its locator, unless it has an extension of its own.
            let mut large = [0; END_64_BYTES as usize];
            let told = u64_at(locator, 8);
            let before = (end - LOCATOR_BYTES).checked_sub(END_64_BYTES);
            let Some(place) = [Some(told), before].into_iter().flatten().find(|place| {
                place.checked_add(END_64_BYTES).is_some_and(|after| after <= length)
                    && file.read_exact_at(&mut large, *place).is_ok()
                    && large.starts_with(b"PK\x06\x06")
            }) else {
                return Err(damaged("the archive says that it is large, and its large directory is not there"));
            };
            disks = [u32_at(&large, 16), u32_at(&large, 20)];
            (entries, size, offset) = (u64_at(&large, 32), u64_at(&large, 40), u64_at(&large, 48));
            (end, is_large) = (place, true);
        }
        if disks != [0, 0] {
            return Err(unreadable("the archive is one of several parts").hint("join the parts first (`zip -s 0`)"));
        }
        let start = end.checked_sub(size);
        match start.and_then(|start| Some((start, start.checked_sub(offset)?))) {
            Some((start, shift)) => Ok(Self { start, end, entries, is_large, shift }),
            None => Err(damaged("the archive's directory does not lie where it says").fact("bytes", length)),
        }
    }
}

/// The entries of the directory, in order.
struct Entries {
    input: Box<dyn Input>,
    /// Bytes of the directory that were not received yet.
    left: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl Entries {
    /// Receives until so many bytes are there; `false` if the directory ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool> {
        if self.buffer.len() - self.at >= wanted {
            return Ok(true);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        while self.buffer.len() < wanted && self.left > 0 {
            self.buffer.reserve((64 << 10).max(wanted));
            let before = self.buffer.len();
            let count = self.input.append(&mut self.buffer)? as u64;
            if count == 0 {
                return Err(damaged("the archive became shorter while it was read"));
            }
            let counted = count.min(self.left);
            self.left -= counted;
            self.buffer.truncate(before + counted as usize);
        }
        Ok(self.buffer.len() >= wanted)
    }

    /// The next entry; `Some(None)` if it is not wanted.
    #[expect(clippy::option_option, reason = "the end is one thing, a member that is not wanted another")]
    fn next(&mut self, pattern: &str, shift: u64) -> Result<Option<Option<Member>>> {
        if !self.fill(1)? {
            return Ok(None);
        }
        let cut = || damaged("the archive's directory is cut short");
        if !self.fill(ENTRY_BYTES)? {
            return Err(cut());
        }
        let entry = &self.buffer[self.at..];
        if !entry.starts_with(b"PK\x01\x02") {
            return Err(damaged("the archive's directory holds something else"));
        }
        let (name, extra, comment) =
            (usize::from(u16_at(entry, 28)), usize::from(u16_at(entry, 30)), usize::from(u16_at(entry, 32)));
        let whole = ENTRY_BYTES + name + extra + comment;
        if !self.fill(whole)? {
            return Err(cut());
        }
        let entry = &self.buffer[self.at..self.at + whole];
        self.at += whole;
        member(entry, (name, extra), pattern, shift).map(Some)
    }
}

/// What an entry describes; `None` if it is a folder or not wanted.
fn member(entry: &[u8], (name, extra): (usize, usize), pattern: &str, shift: u64) -> Result<Option<Member>> {
    let flags = u16_at(entry, 8);
    let name = named(&entry[ENTRY_BYTES..ENTRY_BYTES + name]);
    // Nothing is written under these names; one that leads out is a sign of an archive made to harm.
    if name.starts_with('/')
        || name.get(1..2) == Some(":")
        || name.trim_end_matches('/').split('/').any(|step| matches!(step, ".." | "." | ""))
        || name.chars().any(char::is_control)
    {
        return Err(unreadable(format!("a member's name leads out of the archive: `{}`", name.escape_debug())));
    }
    if name.ends_with('/') || !in_archive(pattern, &name) {
        return Ok(None);
    }
    if flags & 0x2041 != 0 {
        return Err(unreadable(format!("member `{name}` is encrypted"))
            .hint("unpack the archive with its password first, or leave the member out with `member`"));
    }
    // The high half tells who made it; of Unix, the mode.
    if entry[5] == 3 && (u32_at(entry, 38) >> 16) & 0o170_000 == 0o120_000 {
        return Err(unreadable(format!("member `{name}` is a link, not a file")));
    }
    let lower = name.to_lowercase();
    if let Some(ending) = NESTED.iter().find(|ending| lower.ends_with(**ending)) {
        return Err(unreadable(format!("member `{name}` is compressed itself (`{ending}`)"))
            .hint("unpack it first, or say with `member` which members are data"));
    }
    let deflated = match u16_at(entry, 10) {
        0 => false,
        8 => true,
        other => {
            return Err(unreadable(format!(
                "member `{name}` is compressed in a way that is not read: {}",
                method(other)
            ))
            .hint("make the archive with the usual compression (deflate)"));
        }
    };
    let mut packed = u64::from(u32_at(entry, 20));
    let mut size = u64::from(u32_at(entry, 24));
    let mut header = u64::from(u32_at(entry, 42));
    let from = ENTRY_BYTES + usize::from(u16_at(entry, 28));
    let mut large = large_sizes(&entry[from..from + extra]);
    for value in [&mut size, &mut packed, &mut header] {
        if *value == u64::from(u32::MAX) {
            *value = large.next().ok_or_else(|| damaged(format!("the size of member `{name}` is not told")))?;
        }
    }
    if !deflated && packed != size {
        return Err(damaged(format!("member `{name}` is stored as it is, and its sizes differ")));
    }
    let header = header.checked_add(shift).ok_or_else(|| damaged(format!("member `{name}` lies nowhere")))?;
    Ok(Some(Member { name, header, packed, sealed: Sealed { deflated, size, packed, crc: u32_at(entry, 16) } }))
}

/// The 64-bit numbers of a zip64 extra field, in order.
fn large_sizes(extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = extra;
    let mut found: &[u8] = &[];
    while rest.len() >= 4 {
        let (id, length) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let Some(data) = rest.get(4..4 + length) else { break };
        if id == 1 {
            found = data;
            break;
        }
        rest = &rest[4 + length..];
    }
    found.chunks_exact(8).map(|bytes| u64_at(bytes, 0))
}

/// Members that share bytes make much of little: that is how the worst bombs are built.
fn overlapping(members: &[Member], directory: u64) -> Result<()> {
    let mut ranges: Vec<(u64, u64, &str)> = Vec::with_capacity(members.len());
    for member in members {
        let end = (member.header + HEADER_BYTES).checked_add(member.packed).filter(|end| *end <= directory);
        let end = end.ok_or_else(|| damaged(format!("member `{}` does not lie in the archive", member.name)))?;
        ranges.push((member.header, end, &member.name));
    }
    ranges.sort_unstable();
    match ranges.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        Some(pair) => Err(unreadable(format!("members `{}` and `{}` lie over each other", pair[0].2, pair[1].2))
            .hint("this is how a decompression bomb looks")),
        None => Ok(()),
    }
}

/// A name as text: UTF-8, or else code page 437. Some programs write `\` between folders.
fn named(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let upper: Vec<char> = CODE_PAGE.chars().collect();
            let character = |byte: &u8| match usize::from(*byte).checked_sub(128) {
                Some(index) => upper.get(index).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
                None => char::from(*byte),
            };
            bytes.iter().map(character).collect()
        }
    };
    let text = text.replace('\\', "/");
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// Compression methods that are not read, by name.
fn method(number: u16) -> String {
    let known: BTreeSet<(u16, &str)> =
        [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (95, "XZ"), (98, "PPMd"), (99, "AES")]
            .into();
    match known.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("method {number}"),
    }
}

fn damaged(cause: impl Into<String>) -> Error {
    Error::new(Kind::Failed, &ZIP_DAMAGED, cause.into())
        .hint("the archive is not complete, or is still being written: fetch it again")
}

fn unreadable(cause: impl Into<String>) -> Error {
    Error::new(Kind::Failed, &ZIP_UNREADABLE, cause.into())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
