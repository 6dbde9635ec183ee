//! The file protocol from outside: what is read, read again and taken back.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use super::super::{Guarantee, Protocol, ReadRequest, WriteRequest};
use super::Files;
use crate::config::{Connector, Mode, Node, Piece, Spanned, Stream, Text};
use crate::connect::formats::{self, Format};
use crate::connect::{Batch, Found, PART_BYTES, Part, Sink, Source};
use crate::error::{Kind, Place, Result};
use crate::record::{Column, Mark, Path as RecordPath, Position, Settled, SliceId, Type};

fn place() -> Place {
    Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() }
}

pub(super) fn options(pairs: &[(&str, &str)]) -> Vec<(Spanned<String>, Spanned<Node>)> {
    let spanned = |text: &str| Spanned { value: text.to_owned(), place: place() };
    pairs
        .iter()
        .map(|(key, value)| {
            let text = Text { pieces: vec![Piece::Literal((*value).to_owned())] };
            (spanned(key), Spanned { value: Node::Text(text), place: place() })
        })
        .collect()
}

fn connector() -> Connector {
    Connector { retry_tries: 1, ..Connector::new("files", "file", place()) }
}

fn stream(pairs: &[(&str, &str)]) -> Stream {
    Stream { options: options(pairs), ..Stream::new("lines", place()) }
}

fn format(name: &str) -> &'static dyn Format {
    formats::named(name).unwrap()
}

/// A folder and what is settled of its files.
pub(super) struct Lab {
    folder: tempfile::TempDir,
    pub(super) settled: Vec<(SliceId, Settled)>,
}

/// What a run read.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) parts: Vec<Part>,
    pub(super) text: String,
    pub(super) notes: Vec<String>,
    pub(super) error: Option<crate::error::Error>,
}

impl Lab {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settled: Vec::new() }
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(super) fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    pub(super) fn source(
        &self,
        form: &str,
        pairs: &[(&str, &str)],
        only: Option<(&SliceId, &Position)>,
    ) -> Result<Box<dyn Source>> {
        Files.source(&ReadRequest {
            root: self.folder.path(),
            connector: &connector(),
            stream: &stream(pairs),
            format: Some(format(form)),
            mode: Mode::Append,
            settled: &self.settled,
            only,
            window: None,
        })
    }

    pub(super) fn read_with(&self, form: &str, pairs: &[(&str, &str)], only: Option<(&SliceId, &Position)>) -> Outcome {
        let mut source = self.source(form, pairs, only).unwrap();
        let mut outcome = Outcome::default();
        loop {
            match source.next() {
                Ok(Some(part)) => {
                    assert_eq!(part.sequence, outcome.parts.len() as u64);
                    assert_eq!(part.end.byte - part.start.byte, part.bytes.len() as u64);
                    outcome.text.push_str(&String::from_utf8_lossy(&part.bytes));
                    outcome.parts.push(part);
                }
                Ok(None) => break,
                Err(error) => {
                    outcome.error = Some(error);
                    break;
                }
            }
        }
        outcome.notes = source.notes();
        outcome
    }

    /// Reads and settles everything that was handed out.
    pub(super) fn run(&mut self, form: &str, pairs: &[(&str, &str)]) -> Outcome {
        let outcome = self.read_with(form, pairs, None);
        for part in &outcome.parts {
            self.settle(part);
        }
        outcome
    }

    pub(super) fn settle(&mut self, part: &Part) {
        let at = Settled { position: part.end.clone(), done: part.last_of_slice };
        match self.settled.iter_mut().find(|(slice, _)| *slice == part.slice) {
            Some((_, settled)) => *settled = at,
            None => self.settled.push((part.slice.clone(), at)),
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn lines(range: std::ops::Range<u32>) -> String {
    range.map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

#[test]
fn a_large_file_comes_in_parts_of_whole_records_with_exact_positions() {
    let mut lab = Lab::new();
    let all = lines(0..300_000);
    lab.write("a.ndjson", &all);
    let outcome = lab.run("ndjson", &[("path", "a.ndjson")]);
    assert!(outcome.error.is_none());
    assert_eq!(outcome.text, all);
    assert!(outcome.parts.len() > 3);
    let (mut byte, mut line) = (0, 0);
    for part in &outcome.parts {
        assert!(part.bytes.len() <= PART_BYTES && part.bytes.ends_with(b"\n"));
        assert_eq!((part.start.byte, part.start.line), (byte, line));
        byte += part.bytes.len() as u64;
        line += part.bytes.iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!((part.end.byte, part.end.line), (byte, line));
    }
    assert_eq!(outcome.parts.iter().filter(|p| p.last_of_slice).count(), 1);
    // Resuming at each boundary gives exactly the rest.
    for part in &outcome.parts {
        lab.settled = vec![(part.slice.clone(), Settled { position: part.end.clone(), done: part.last_of_slice })];
        let rest = lab.read_with("ndjson", &[("path", "a.ndjson")], None);
        assert_eq!(rest.text, all[part.end.byte as usize..]);
        assert!(rest.parts.iter().all(|p| p.slice == part.slice));
    }
}

#[test]
fn a_header_belongs_to_each_slice_also_when_it_is_resumed() {
    let mut lab = Lab::new();
    lab.write("a.csv", "id,name\n1,x\n");
    lab.write("b.csv", "id,name,more\n2,y,z\n");
    let outcome = lab.run("csv", &[("path", "*.csv")]);
    let headers: Vec<usize> = outcome.parts.iter().map(|p| p.header.columns.len()).collect();
    assert_eq!((outcome.text.as_str(), headers), ("1,x\n2,y,z\n", vec![2, 3]));
    assert_eq!(outcome.parts[0].start.line, 1);
    assert_eq!(outcome.parts[0].start.byte, 8);
    lab.append("b.csv", "3,p,q\n");
    let outcome = lab.run("csv", &[("path", "*.csv")]);
    assert_eq!(outcome.text, "3,p,q\n");
    assert_eq!(outcome.parts[0].header.columns, ["id", "name", "more"]);
    assert_eq!(outcome.parts[0].start.line, 2);
    assert_eq!(outcome.notes.len(), 1, "{:?}", outcome.notes);
    assert!(outcome.notes[0].contains("`a.csv` was skipped"));
}

#[test]
fn an_unchanged_file_is_skipped_and_a_renamed_one_is_known_again() {
    let mut lab = Lab::new();
    lab.write("a.ndjson", lines(0..10));
    assert_eq!(lab.run("ndjson", &[("path", "*.ndjson")]).text, lines(0..10));
    std::fs::rename(lab.path("a.ndjson"), lab.path("b.ndjson")).unwrap();
    let outcome = lab.run("ndjson", &[("path", "*.ndjson")]);
    assert_eq!((outcome.parts.len(), outcome.notes.len()), (0, 1), "{:?}", outcome.notes);
    lab.append("b.ndjson", lines(10..12));
    assert_eq!(lab.run("ndjson", &[("path", "*.ndjson")]).text, lines(10..12));
    assert_eq!(lab.settled.len(), 1);
}

#[test]
fn a_replaced_file_is_a_new_slice_with_a_note() {
    let mut lab = Lab::new();
    lab.write("a.ndjson", lines(0..10));
    lab.run("ndjson", &[("path", "a.ndjson")]);
    lab.write("b.ndjson", lines(50..52));
    std::fs::rename(lab.path("b.ndjson"), lab.path("a.ndjson")).unwrap();
    let outcome = lab.run("ndjson", &[("path", "a.ndjson")]);
    assert_eq!(outcome.text, lines(50..52));
    assert!(outcome.notes[0].contains("replaced"), "{:?}", outcome.notes);
    assert_eq!(lab.settled.len(), 2);
}

#[test]
fn a_file_rewritten_in_place_is_noticed_even_behind_its_prefix() {
    let mut lab = Lab::new();
    let all = lines(0..2000);
    lab.write("a.ndjson", &all);
    lab.run("ndjson", &[("path", "a.ndjson")]);
    let other = all.replace("1999", "2999");
    lab.write("a.ndjson", &other);
    let outcome = lab.run("ndjson", &[("path", "a.ndjson")]);
    assert_eq!(outcome.text, other);
    assert!(outcome.notes[0].contains("rewritten in place"), "{:?}", outcome.notes);
    assert!(outcome.parts[0].slice.ends_with("~2"));
    assert_eq!(lab.run("ndjson", &[("path", "a.ndjson")]).parts.len(), 0, "and is then settled");
}

#[test]
fn a_truncated_file_is_an_error_with_both_sizes() {
    for keep in [9000, 100, 20, 3, 0] {
        let mut lab = Lab::new();
        let all = lines(0..2000);
        lab.write("a.ndjson", &all);
        lab.run("ndjson", &[("path", "a.ndjson")]);
        lab.write("a.ndjson", &all[..keep]);
        let error = lab.run("ndjson", &[("path", "a.ndjson")]).error.unwrap();
        assert_eq!(error.code().id, "connect-file-truncated", "{keep}: {error:?}");
        let facts = format!("{error:?}");
        assert!(
            facts.contains(&format!("now: {keep}")) && facts.contains(&format!("settled: {}", all.len())),
            "{facts}"
        );
        assert!(error.hints().iter().any(|hint| hint.contains("--full")));
    }
}

#[test]
fn another_file_in_the_same_inode_is_no_truncation() {
    let mut lab = Lab::new();
    lab.write("a.ndjson", lines(0..2000));
    lab.run("ndjson", &[("path", "a.ndjson")]);
    lab.write("a.ndjson", lines(70..75));
    assert_eq!(lab.run("ndjson", &[("path", "a.ndjson")]).text, lines(70..75));
}

#[test]
fn a_line_continued_after_it_was_read_is_an_error() {
    let mut lab = Lab::new();
    lab.write("a.csv", "id,name\n1,x\n2,y");
    assert_eq!(lab.run("csv", &[("path", "a.csv")]).text, "1,x\n2,y");
    let settled = lab.settled.clone();
    lab.append("a.csv", "yy\n3,z\n");
    let error = lab.run("csv", &[("path", "a.csv")]).error.unwrap();
    assert_eq!(error.code().id, "connect-line-continued");
    // Its end alone may follow.
    for end in ["\n", "\r\n"] {
        lab.write("a.csv", format!("id,name\n1,x\n2,y{end}3,z\n"));
        lab.settled = settled.clone();
        let outcome = lab.run("csv", &[("path", "a.csv")]);
        assert_eq!(outcome.text, "3,z\n", "{:?}", outcome.error);
        assert_eq!(outcome.parts[0].start.line, 3);
    }
}

#[test]
fn a_document_that_changed_is_read_anew() {
    let mut lab = Lab::new();
    lab.write("a.json", "[{\"n\":1},\n{\"n\":2}]\n");
    let first = lab.run("json", &[("path", "a.json")]);
    assert!(first.error.is_none(), "{:?}", first.error);
    assert_eq!(lab.run("json", &[("path", "a.json")]).parts.len(), 0);
    lab.write("a.json", "[{\"n\":1},\n{\"n\":2},\n{\"n\":3}]\n");
    let outcome = lab.run("json", &[("path", "a.json")]);
    assert!(outcome.text.contains("{\"n\":1}") && outcome.text.contains("{\"n\":3}"), "{}", outcome.text);
    assert_eq!(lab.settled.len(), 2);
}

#[test]
fn a_group_in_doubt_is_read_again_exactly() {
    for (name, coding) in [("a.ndjson", false), ("a.ndjson.gz", true)] {
        let mut lab = Lab::new();
        let all = lines(0..300_000);
        lab.write(name, if coding { gzip(all.as_bytes()) } else { all.clone().into_bytes() });
        let parts = lab.read_with("ndjson", &[("path", name)], None).parts;
        // Nothing settled, then settled after the first part; the doubt ends after the third.
        for before in [0, 1] {
            lab.settled.clear();
            if before == 1 {
                lab.settle(&parts[0]);
            }
            let end = &parts[2].end;
            let outcome = lab.read_with("ndjson", &[("path", name)], Some((&parts[2].slice, end)));
            assert!(outcome.error.is_none(), "{:?}", outcome.error);
            let from = if before == 1 { parts[0].end.byte as usize } else { 0 };
            assert_eq!(outcome.text, all[from..end.byte as usize]);
            let last = outcome.parts.last().unwrap();
            assert_eq!((last.end.byte, last.end.line), (end.byte, end.line));
        }
    }
}

#[test]
fn a_group_in_doubt_is_found_though_its_file_grew() {
    let mut lab = Lab::new();
    lab.write("a.csv", "id\n1\n2\n");
    let parts = lab.read_with("csv", &[("path", "a.csv")], None).parts;
    lab.append("a.csv", "3\n".repeat(5000));
    let outcome = lab.read_with("csv", &[("path", "a.csv")], Some((&parts[0].slice, &parts[0].end)));
    assert_eq!(outcome.text, "1\n2\n");
    assert_eq!(outcome.parts[0].slice, parts[0].slice);
    std::fs::remove_file(lab.path("a.csv")).unwrap();
    lab.write("a.csv", "id\n8\n");
    let error = lab.read_with("csv", &[("path", "a.csv")], Some((&parts[0].slice, &parts[0].end))).error.unwrap();
    assert_eq!((error.code().id, error.kind()), ("connect-not-repeatable", Kind::Partial));
    lab.settle(&parts[0]);
}

#[test]
fn gzip_of_many_members_grows_and_resumes() {
    let mut lab = Lab::new();
    lab.write("a.ndjson.gz", [gzip(lines(0..5).as_bytes()), gzip(lines(5..9).as_bytes())].concat());
    assert_eq!(lab.run("ndjson", &[("path", "a.ndjson.gz")]).text, lines(0..9));
    assert_eq!(lab.run("ndjson", &[("path", "a.ndjson.gz")]).parts.len(), 0);
    lab.append("a.ndjson.gz", gzip(lines(9..12).as_bytes()));
    let outcome = lab.run("ndjson", &[("path", "a.ndjson.gz")]);
    assert_eq!(outcome.text, lines(9..12), "{:?}", outcome.error);
}

#[test]
fn damaged_gzip_gives_what_is_whole_and_then_an_error() {
    let whole = gzip(lines(0..50_000).as_bytes());
    let mut flipped = whole.clone();
    let middle = flipped.len() - 6;
    flipped[middle] ^= 0x55;
    for (bytes, code) in [
        (whole[..whole.len() / 2].to_vec(), "connect-gzip-damaged"),
        (flipped, "connect-gzip-damaged"),
        ([whole.clone(), b"trailing".to_vec()].concat(), "connect-gzip-damaged"),
        (b"not gzip at all\n".to_vec(), "connect-gzip-damaged"),
    ] {
        let mut lab = Lab::new();
        lab.write("a.ndjson.gz", bytes);
        let outcome = lab.run("ndjson", &[("path", "a.ndjson.gz")]);
        assert_eq!(outcome.error.unwrap().code().id, code);
        assert!(lines(0..50_000).starts_with(&outcome.text));
        assert!(outcome.parts.iter().all(|part| !part.last_of_slice), "the end was not reached");
    }
}

#[test]
fn a_gzip_bomb_is_stopped_in_constant_memory() {
    let lab = Lab::new();
    let line = [vec![b'0'; 1 << 20], b"\n".to_vec()].concat();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..100 {
        encoder.write_all(&line).unwrap();
    }
    lab.write("a.ndjson.gz", encoder.finish().unwrap());
    let outcome = lab.read_with("ndjson", &[("path", "a.ndjson.gz")], None);
    assert_eq!(outcome.error.unwrap().code().id, "connect-inflation-limit");
    let outcome = lab.read_with("ndjson", &[("path", "a.ndjson.gz"), ("max_inflation", "2000")], None);
    assert!(outcome.error.is_none());
}

#[test]
fn encodings_are_decoded_strictly() {
    let mut lab = Lab::new();
    lab.write("a.csv", b"name\nM\xfcller\n");
    let with = |label| [("path", "a.csv"), ("encoding", label)];
    assert_eq!(lab.run("csv", &with("windows-1252")).text, "Müller\n");
    lab.settled.clear();
    let wide: Vec<u8> = "\u{feff}name\nŻółć\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    lab.write("a.csv", &wide);
    assert_eq!(lab.run("csv", &with("utf-16le")).text, "Żółć\n");
    lab.append("a.csv", "x\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    assert_eq!(lab.run("csv", &with("utf-16le")).text, "x\n");
    lab.settled.clear();
    lab.write("a.csv", b"name\n\x83\x5c\n\x83\xff\n");
    let outcome = lab.run("csv", &with("shift_jis"));
    let error = outcome.error.unwrap();
    assert_eq!(error.code().id, "connect-encoding-malformed");
    assert!(format!("{error:?}").contains("byte offset: 8"), "{error:?}");
    assert_eq!(outcome.text, "ソ\n", "what was whole before comes first");
    assert_eq!(lab.source("csv", &with("klingon"), None).err().unwrap().kind(), Kind::Invalid);
}

#[test]
fn zstandard_is_read_as_gzip_is() {
    let mut lab = Lab::new();
    let text: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    let frame = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let two = [frame(&text), frame("last\n")].concat();
    lab.write("a.ndjson.zst", &two);
    let options = [("path", "a.ndjson.zst")];
    assert_eq!(lab.run("ndjson", &options).text, format!("{text}last\n"));
    lab.settled.clear();
    lab.write("a.ndjson.zst", &two[..two.len() - 3]);
    let error = lab.run("ndjson", &options).error.unwrap();
    assert_eq!(error.code().id, "connect-zstd-damaged");
    lab.settled.clear();
    lab.write("a.ndjson.zst", text.as_bytes());
    assert_eq!(lab.run("ndjson", &options).error.unwrap().code().id, "connect-zstd-damaged");
    lab.settled.clear();
    lab.write("a.ndjson.zst", frame(&"x\n".repeat(40 << 20)));
    assert_eq!(lab.run("ndjson", &options).error.unwrap().code().id, "connect-inflation-limit");
}

#[test]
fn an_xml_file_says_itself_in_which_encoding_it_is() {
    let mut lab = Lab::new();
    lab.write("a.xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><d><r>M\xfcller</r></d>");
    let plain = [("path", "a.xml")];
    assert!(lab.run("xml", &plain).text.contains("<r>Müller</r>"));
    lab.settled.clear();
    let wide = "\u{feff}<?xml version='1.0' encoding='UTF-16'?><d><r>Żółć</r></d>".encode_utf16();
    for bytes in
        [wide.clone().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), wide.flat_map(u16::to_be_bytes).collect()]
    {
        lab.write("a.xml", bytes);
        assert!(lab.run("xml", &plain).text.contains("<r>Żółć</r>"));
        lab.settled.clear();
    }
    // What the stream's options say counts more.
    lab.write("a.xml", b"<?xml version='1.0' encoding='UTF-8'?><d><r>M\xfcller</r></d>");
    assert!(lab.run("xml", &[("path", "a.xml"), ("encoding", "windows-1252")]).text.contains("Müller"));
}

#[test]
fn an_xml_file_is_read_on_within_its_open_elements() {
    let mut lab = Lab::new();
    let record = |n: u32| format!("<p:r><n>{n}</n></p:r>\n");
    let body: String = (0..80_000).map(record).collect();
    lab.write("a.xml", format!("<d xmlns:p='urn:p'>\n{body}</d>\n"));
    let options = [("path", "a.xml")];
    let whole = lab.run("xml", &options);
    assert!(whole.parts.len() > 2 && whole.error.is_none());
    let part = &whole.parts[1];
    assert_eq!(part.header.columns, ["<d xmlns:p=\"urn:p\">"]);
    // Killed behind the first part: the rest is read with the same elements around it.
    let settled = Settled { position: part.start.clone(), done: false };
    lab.settled = vec![(part.slice.clone(), settled)];
    let rest = lab.run("xml", &options);
    assert!(rest.error.is_none(), "{:?}", rest.error);
    assert_eq!(rest.parts[0].header, part.header);
    assert_eq!(rest.text, whole.text[whole.parts[0].bytes.len()..]);
}

#[test]
fn what_is_no_file_is_named() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("folder")).unwrap();
    symlink("nowhere", lab.path("broken")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, lab.path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let check = |path: &str, kind: Kind, part: &str| {
        let error = lab.read_with("csv", &[("path", path)], None).error.unwrap();
        let text = format!("{error:?} {:?}", error.hints());
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(part) && text.contains(path), "{text}");
    };
    check("folder", Kind::Invalid, "is a folder");
    check("pipe", Kind::Invalid, "is a pipe");
    check("broken", Kind::Failed, "link to a file that is not");
    check("missing.csv", Kind::Failed, "count from the connector's folder");
    let outcome = lab.read_with("csv", &[("path", "none-*.csv")], None);
    assert!(outcome.error.is_none() && outcome.parts.is_empty());
    assert!(outcome.notes[0].contains("no file matches `none-*.csv`"));
}

#[test]
fn a_file_cut_while_it_is_read_gives_what_is_whole_and_then_an_error() {
    let lab = Lab::new();
    let all = lines(0..400_000);
    lab.write("a.ndjson", &all);
    let mut source = lab.source("ndjson", &[("path", "a.ndjson")], None).unwrap();
    let mut text = String::from_utf8(source.next().unwrap().unwrap().bytes).unwrap();
    let keep = all.len() / 2;
    std::fs::OpenOptions::new().write(true).open(lab.path("a.ndjson")).unwrap().set_len(keep as u64).unwrap();
    let error = loop {
        match source.next() {
            Ok(Some(part)) => {
                assert!(!part.last_of_slice);
                text.push_str(std::str::from_utf8(&part.bytes).unwrap());
            }
            Ok(None) => panic!("the cut went unnoticed"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code().id, "connect-file-truncated");
    let whole = all[..keep].rfind('\n').unwrap() + 1;
    assert_eq!(text, all[..whole]);
}

#[test]
fn a_file_replaced_while_it_is_read_is_read_to_its_end_with_a_note() {
    let lab = Lab::new();
    let all = lines(0..400_000);
    lab.write("a.ndjson", &all);
    let mut source = lab.source("ndjson", &[("path", "a.ndjson")], None).unwrap();
    let mut text = String::from_utf8(source.next().unwrap().unwrap().bytes).unwrap();
    lab.write("b.ndjson", "{}\n");
    std::fs::rename(lab.path("b.ndjson"), lab.path("a.ndjson")).unwrap();
    while let Some(part) = source.next().unwrap() {
        text.push_str(std::str::from_utf8(&part.bytes).unwrap());
    }
    assert_eq!(text, all);
    assert!(source.notes()[0].contains("replaced while it was read"));
}

#[test]
fn what_is_written_after_the_start_is_the_next_runs() {
    let mut lab = Lab::new();
    lab.write("a.ndjson", [lines(0..200_000), "{\"n\":\"ha".into()].concat());
    let mut source = lab.source("ndjson", &[("path", "a.ndjson")], None).unwrap();
    let mut parts = vec![source.next().unwrap().unwrap()];
    lab.append("a.ndjson", "lf\"}\n{}\n");
    while let Some(part) = source.next().unwrap() {
        parts.push(part);
    }
    // The file was looked at before it grew: its half line was its last one.
    assert!(parts.last().unwrap().bytes.ends_with(b"{\"n\":\"ha"));
    parts.iter().for_each(|part| lab.settle(part));
    assert_eq!(lab.run("ndjson", &[("path", "a.ndjson")]).error.unwrap().code().id, "connect-line-continued");
    // A file that has grown by the time it is opened keeps its half line for the next run.
    let mut lab = Lab::new();
    lab.write("a.ndjson", lines(0..2));
    lab.write("b.ndjson", "{\"n\":1}\n{\"n\":\"ha");
    let mut source = lab.source("ndjson", &[("path", "*.ndjson")], None).unwrap();
    let first = source.next().unwrap().unwrap();
    lab.append("b.ndjson", "lf\"}\n");
    let second = source.next().unwrap().unwrap();
    assert_eq!((second.bytes.as_slice(), second.last_of_slice), (b"{\"n\":1}\n".as_slice(), true));
    lab.settle(&first);
    lab.settle(&second);
    assert_eq!(lab.run("ndjson", &[("path", "*.ndjson")]).text, "{\"n\":\"half\"}\n");
}

#[test]
fn a_line_without_end_stops_early() {
    let lab = Lab::new();
    std::fs::File::create(lab.path("a.ndjson")).unwrap().set_len(1 << 30).unwrap();
    let outcome = lab.read_with("ndjson", &[("path", "a.ndjson")], None);
    let error = outcome.error.unwrap();
    assert!(error.code().id.contains("record"), "{error:?}");
    assert!(format!("{error:?}").contains("a.ndjson"));
}

#[test]
fn an_open_quote_does_not_take_the_whole_records_along() {
    let lab = Lab::new();
    lab.write("a.csv", "id,name\n1,x\n2,\"y\n3,z\n");
    let outcome = lab.read_with("csv", &[("path", "a.csv")], None);
    assert_eq!(outcome.text, "1,x\n");
    assert!(outcome.error.unwrap().to_string().contains("quote"));
}

#[test]
fn many_small_files_are_many_slices() {
    let mut lab = Lab::new();
    for n in 0..50 {
        lab.write(&format!("{n:03}.csv"), format!("id\n{n}\n"));
    }
    lab.write("empty.csv", "");
    let outcome = lab.run("csv", &[("path", "*.csv")]);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.parts.iter().filter(|p| p.last_of_slice).count(), 51);
    assert_eq!(outcome.text.lines().count(), 50);
    assert!(outcome.parts.iter().all(|part| part.bytes.capacity() < 4096), "small files need small buffers");
    let again = lab.run("csv", &[("path", "*.csv")]);
    assert!(again.notes[0].starts_with("51 files were skipped"), "{:?}", again.notes);
}

// ---- targets ----

/// A target of two text columns, `id` and `name`.
struct Desk {
    folder: tempfile::TempDir,
    form: &'static str,
    name: &'static str,
    settled: Option<Mark>,
}

impl Desk {
    fn new(form: &'static str, name: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), form, name, settled: None }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join(self.name)
    }

    fn sink_with(&self, anew: bool, upsert: bool) -> Result<Box<dyn Sink>> {
        with_request(self.folder.path(), self.form, self.name, anew, upsert, |request| Files.sink(request))
    }

    fn open(&self, anew: bool, in_doubt: bool) -> Result<(Box<dyn Sink>, Found)> {
        let mut sink = self.sink_with(anew, false)?;
        let settled = if anew { None } else { self.settled.as_ref() };
        let found = sink.open(settled, in_doubt)?;
        Ok((sink, found))
    }

    fn batch(&self, names: &[&str]) -> Batch {
        with_request(self.folder.path(), self.form, self.name, false, false, |request| {
            let mut encoder = Files.encoder(request).unwrap();
            let frame = request.format.unwrap().frame(&request.stream.format_options, request.columns).unwrap();
            let mut batch = Batch::default();
            for name in names {
                if batch.records > 0 {
                    batch.bytes.extend_from_slice(&frame.between);
                }
                let values = [crate::record::Value::String(name), crate::record::Value::String("x")];
                encoder.encode(&values, &mut batch.bytes).unwrap();
                batch.records += 1;
            }
            Ok(batch)
        })
        .unwrap()
    }

    fn mark(&self) -> Mark {
        let group = self.settled.as_ref().map_or(0, |mark| mark.group) + 1;
        Mark { log_id: "log".into(), route: "route".into(), group, fence: 1, length: None, known: None }
    }

    fn group(&mut self, sink: &mut Box<dyn Sink>, names: &[&str]) {
        sink.write(&self.batch(names)).unwrap();
        let mark = self.mark();
        let receipt = sink.commit(&mark).unwrap();
        assert_eq!(receipt.written, names.len() as u64);
        self.settled = Some(Mark { length: receipt.length, known: receipt.known, ..mark });
    }

    /// A whole run of one group.
    fn run(&mut self, names: &[&str]) {
        let (mut sink, _) = self.open(false, false).unwrap();
        self.group(&mut sink, names);
        sink.finish().unwrap();
    }

    fn text(&self) -> String {
        let bytes = std::fs::read(self.path()).unwrap();
        if !self.name.ends_with(".gz") {
            return String::from_utf8(bytes).unwrap();
        }
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice()), &mut text).unwrap();
        text
    }

    /// The records there, by their id.
    fn ids(&self) -> Vec<String> {
        let text = self.text();
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.starts_with('r')).map(str::to_owned).collect()
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn with_request<T>(
    root: &Path,
    form: &str,
    path: &str,
    anew: bool,
    upsert: bool,
    act: impl FnOnce(&WriteRequest<'_>) -> Result<T>,
) -> Result<T> {
    let column = |name: &str| Column { path: RecordPath::key(name), kind: Type::String, required: true };
    act(&WriteRequest {
        root,
        connector: &connector(),
        stream: &stream(&[("path", path)]),
        format: Some(format(form)),
        columns: &[column("id"), column("name")],
        key: if upsert { &[0] } else { &[] },
        mode: if upsert { Mode::Upsert } else { Mode::Append },
        anew,
        rehearse: false,
        log_id: "log",
        route: "route",
    })
}

const FORMS: &[(&str, &str)] = &[
    ("csv", "out.csv"),
    ("ndjson", "out.ndjson"),
    ("json", "out.json"),
    ("csv", "out.csv.gz"),
    ("json", "out.json.gz"),
];

#[test]
fn a_target_gets_its_name_at_the_end_and_is_continued_later() {
    for (form, name) in FORMS {
        let mut desk = Desk::new(form, name);
        let (mut sink, found) = desk.open(false, false).unwrap();
        assert_eq!(found, Found::Same);
        desk.group(&mut sink, &["r1", "r2"]);
        assert!(!desk.path().exists(), "half a target has no name");
        desk.group(&mut sink, &["r3"]);
        sink.finish().unwrap();
        assert_eq!(desk.ids(), ["r1", "r2", "r3"], "{name}");
        assert_eq!(desk.files(), [*name], "nothing is left beside it");
        desk.run(&["r4", "r5"]);
        assert_eq!(desk.ids(), ["r1", "r2", "r3", "r4", "r5"], "{name}");
        let before = desk.text();
        let (mut sink, _) = desk.open(false, false).unwrap();
        sink.finish().unwrap();
        assert_eq!(desk.text(), before, "{name}: a run without records changes nothing");
        if *form == "json" {
            assert!(serde_json::from_str::<serde_json::Value>(&before).is_ok(), "{before}");
        }
        // Written anew: the old file stays until the new one is whole.
        let (mut sink, _) = desk.open(true, false).unwrap();
        desk.settled = None;
        desk.group(&mut sink, &["r9"]);
        assert_eq!(desk.text(), before);
        sink.finish().unwrap();
        assert_eq!(desk.ids(), ["r9"]);
        assert_eq!(desk.files(), [*name]);
    }
}

#[test]
fn an_empty_run_leaves_a_well_formed_target() {
    for (form, name) in FORMS {
        let mut desk = Desk::new(form, name);
        let (mut sink, _) = desk.open(false, false).unwrap();
        sink.finish().unwrap();
        assert!(desk.ids().is_empty());
        let text = desk.text();
        if *form == "json" {
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), serde_json::json!([]), "{name}");
        }
        desk.run(&["r1"]);
        assert_eq!(desk.ids(), ["r1"], "{name}: {}", desk.text());
        if *form == "json" {
            assert!(serde_json::from_str::<serde_json::Value>(&desk.text()).is_ok(), "{name}: {}", desk.text());
        } else {
            assert!(desk.text().starts_with(&text));
        }
    }
}

#[test]
fn a_group_in_doubt_is_taken_back() {
    for (form, name) in FORMS {
        for finished_before in [false, true] {
            let mut desk = Desk::new(form, name);
            if finished_before {
                desk.run(&["r0"]);
            }
            let (mut sink, _) = desk.open(false, false).unwrap();
            desk.group(&mut sink, &["r1"]);
            sink.write(&desk.batch(&["r2"])).unwrap();
            let mark = desk.mark();
            sink.commit(&mark).unwrap();
            // The process dies before the group is settled.
            drop(sink);
            let (mut sink, found) = desk.open(false, true).unwrap();
            assert_eq!(found, Found::TakenBack, "{name} {finished_before}");
            desk.group(&mut sink, &["r2", "r3"]);
            sink.finish().unwrap();
            let mut wanted = vec!["r1", "r2", "r3"];
            if finished_before {
                wanted.insert(0, "r0");
            }
            assert_eq!(desk.ids(), wanted, "{name}: {}", desk.text());
        }
    }
}

#[test]
fn the_first_group_in_doubt_is_taken_back_too() {
    for (form, name) in FORMS {
        let mut desk = Desk::new(form, name);
        let (mut sink, _) = desk.open(false, false).unwrap();
        sink.write(&desk.batch(&["r1"])).unwrap();
        sink.commit(&desk.mark()).unwrap();
        drop(sink);
        let (mut sink, found) = desk.open(false, true).unwrap();
        assert_eq!(found, Found::TakenBack);
        desk.group(&mut sink, &["r1"]);
        sink.finish().unwrap();
        assert_eq!(desk.ids(), ["r1"], "{name}");
    }
}

#[test]
fn an_aborted_rewrite_leaves_the_old_target_in_force() {
    let mut desk = Desk::new("csv", "out.csv");
    desk.run(&["r1"]);
    let (mut sink, _) = desk.open(true, false).unwrap();
    sink.write(&desk.batch(&["r7"])).unwrap();
    sink.commit(&desk.mark()).unwrap();
    drop(sink);
    // The new file's first group was never settled: it is forgotten.
    desk.run(&["r2"]);
    assert_eq!(desk.ids(), ["r1", "r2"]);
    assert_eq!(desk.files(), ["out.csv"]);
    // Once its first group is settled, the new file is the one that is continued.
    let (mut sink, _) = desk.open(true, false).unwrap();
    desk.group(&mut sink, &["r7"]);
    drop(sink);
    desk.run(&["r8"]);
    assert_eq!(desk.ids(), ["r7", "r8"]);
}

#[test]
fn an_end_cut_short_is_mended() {
    for (form, name) in [("json", "out.json"), ("json", "out.json.gz")] {
        let mut desk = Desk::new(form, name);
        desk.run(&["r1"]);
        let length = std::fs::metadata(desk.path()).unwrap().len();
        let file = std::fs::OpenOptions::new().write(true).open(desk.path()).unwrap();
        file.set_len(length - 1).unwrap();
        let (mut sink, _) = desk.open(false, false).unwrap();
        sink.finish().unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&desk.text()).is_ok(), "{name}: {}", desk.text());
    }
}

#[test]
fn a_target_changed_by_somebody_else_is_refused() {
    for (form, name) in FORMS {
        let mut desk = Desk::new(form, name);
        desk.run(&["r1", "r2"]);
        let whole = std::fs::read(desk.path()).unwrap();
        let check = |bytes: Option<&[u8]>| {
            match bytes {
                Some(bytes) => std::fs::write(desk.path(), bytes).unwrap(),
                None => std::fs::remove_file(desk.path()).unwrap(),
            }
            let error = desk.open(false, false).err().unwrap();
            assert_eq!((error.kind(), error.code().id), (Kind::Refused, "connect-target-changed"), "{name}");
            assert!(error.hints().iter().any(|hint| hint.contains("--full")));
            assert!(error.hints().iter().any(|hint| hint.contains("sync state adopt")));
        };
        check(Some(&[&whole[..], b"more\n"].concat()));
        // Another file of the same length.
        for at in [0, whole.len() / 2, desk.settled.as_ref().unwrap().length.unwrap() as usize - 1] {
            let mut other = whole.clone();
            other[at] ^= 1;
            check(Some(&other));
        }
        let short = desk.settled.as_ref().unwrap().length.unwrap() as usize - 1;
        check(Some(&whole[..short]));
        check(None);
    }
}

#[test]
fn a_file_of_somebody_else_is_continued_if_it_fits() {
    let check = |form: &'static str, name: &'static str, there: &[u8], expected: std::result::Result<&str, &str>| {
        let mut desk = Desk::new(form, name);
        std::fs::write(desk.path(), there).unwrap();
        if !there.is_empty() && expected.is_ok() {
            let refused = desk.open(false, false).err().unwrap();
            assert_eq!((refused.kind(), refused.code().id), (Kind::Refused, "connect-target-foreign"));
            assert_eq!(desk.files(), [name], "a refusal leaves nothing behind");
        }
        desk.settled = Some(Mark { group: 1, ..Mark::default() });
        match (desk.open(false, false), expected) {
            (Ok((mut sink, _)), Ok(text)) => {
                // A crash before the first settled group leaves it as it was.
                sink.write(&desk.batch(&["r7"])).unwrap();
                sink.commit(&desk.mark()).unwrap();
                drop(sink);
                let (sink, found) = desk.open(false, true).unwrap();
                drop(sink);
                assert_eq!(found, Found::TakenBack);
                assert_eq!(std::fs::read(desk.path()).unwrap(), there, "{name}");
                desk.run(&["r1"]);
                assert_eq!(desk.text(), text);
                assert_eq!(desk.files(), [name]);
                desk.run(&["r2"]);
            }
            (Err(error), Err(part)) => {
                assert_eq!(error.kind(), Kind::Refused);
                assert!(error.to_string().contains(part), "{error}");
                assert_eq!(std::fs::read(desk.path()).unwrap(), there);
            }
            (Ok(_), Err(part)) => panic!("should be refused: {part}"),
            (Err(error), Ok(_)) => panic!("{error:?}"),
        }
    };
    check("csv", "o.csv", b"id,name\r\nr0,x\r\n", Ok("id,name\r\nr0,x\r\nr1,x\n"));
    check("csv", "o.csv", b"id,name\nr0,x", Ok("id,name\nr0,x\nr1,x\n"));
    check("csv", "o.csv", b"", Ok("id,name\nr1,x\n"));
    check("csv", "o.csv", b"id,name,more\nr0,x,y\n", Err("more columns"));
    check("csv", "o.csv", b"name,id\nx,r0\n", Err("begins otherwise"));
    check("csv", "o.csv.gz", &gzip(b"id,name\nr0,x\n"), Ok("id,name\nr0,x\nr1,x\n"));
    check("csv", "o.csv.gz", b"id,name\n", Err("gzip"));
    check("json", "o.json", b"{}", Err("begins otherwise"));
    check("json", "o.json", b"[{\"id\":\"r0\"", Err("does not end"));
    let mut desk = Desk::new("json", "o.json");
    for there in ["[{\"id\":\"r0\"}]", "[\n  {\"id\":\"r0\"}\n]\n\n"] {
        desk.settled = Some(Mark { group: 1, ..Mark::default() });
        std::fs::write(desk.path(), there).unwrap();
        desk.run(&["r1"]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&desk.text()).unwrap().as_array().unwrap().len(), 2);
    }
}

#[test]
fn giving_up_a_group_leaves_a_well_formed_target() {
    let mut desk = Desk::new("json", "out.json");
    desk.run(&["r1"]);
    let (mut sink, _) = desk.open(false, false).unwrap();
    sink.write(&desk.batch(&["r2"])).unwrap();
    sink.abandon();
    assert_eq!(desk.ids(), ["r1"]);
    assert!(serde_json::from_str::<serde_json::Value>(&desk.text()).is_ok(), "{}", desk.text());
    desk.run(&["r3"]);
    assert_eq!(desk.ids(), ["r1", "r3"]);
}

#[test]
fn modes_and_links_of_a_replaced_file_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::new("csv", "out.csv");
    let real = desk.folder.path().join("real.csv");
    std::fs::write(&real, "id,name\n").unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
    symlink("real.csv", desk.path()).unwrap();
    let (mut sink, _) = desk.open(true, false).unwrap();
    desk.group(&mut sink, &["r1"]);
    sink.finish().unwrap();
    assert!(std::fs::symlink_metadata(desk.path()).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(desk.ids(), ["r1"]);
}

#[test]
fn impossible_targets_are_named() {
    let desk = Desk::new("csv", "out.csv");
    assert_eq!(desk.sink_with(false, true).err().unwrap().kind(), Kind::Invalid, "upsert");
    std::fs::create_dir(desk.path()).unwrap();
    let error = desk.open(false, false).err().unwrap();
    assert!(error.kind() == Kind::Invalid && error.to_string().contains("folder"), "{error}");
    let desk = Desk::new("csv", "not/there/out.csv");
    let error = desk.open(false, false).err().unwrap();
    assert!(error.hints().iter().any(|hint| hint.contains("make the folder")), "{error:?}");
    let desk = Desk::new("csv", "out-*.csv");
    assert_eq!(desk.sink_with(false, false).err().unwrap().code().id, "connect-glob-malformed");
    let guarantee = |path: &str| {
        with_request(Path::new("/"), "csv", path, false, false, |request| Ok(Files.guarantee(request))).unwrap()
    };
    assert_eq!(guarantee("out.csv"), Guarantee::ExactlyOnce);
    assert_eq!(guarantee("-"), Guarantee::AtLeastOnce);
}

#[test]
fn a_slice_name_is_shared_not_copied() {
    let lab = Lab::new();
    lab.write("a.ndjson", lines(0..200_000));
    let outcome = lab.read_with("ndjson", &[("path", "a.ndjson")], None);
    assert!(Arc::ptr_eq(&outcome.parts[0].slice, &outcome.parts[1].slice));
}
