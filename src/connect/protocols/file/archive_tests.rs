//! Zip archives as sources: each member a slice of its own, and what damaged or hostile ones come to.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::tests::{Lab, lines};

/// An archive of these members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, SimpleFileOptions::default())
}

fn zip_with(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        match name.strip_suffix('/') {
            Some(folder) => writer.add_directory(folder, options).unwrap(),
            None => {
                writer.start_file(*name, options).unwrap();
                writer.write_all(bytes).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Every place where these bytes stand.
fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted).map(|(at, _)| at).collect()
}

const ENTRY: &[u8] = b"PK\x01\x02";

#[test]
fn each_member_is_a_slice_with_a_name_of_its_own() {
    for options in [
        SimpleFileOptions::default(),
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
        SimpleFileOptions::default().large_file(true),
    ] {
        let mut lab = Lab::new();
        let members: &[(&str, &[u8])] = &[
            ("z.csv", b"id\n5\n"),
            ("deep/", b""),
            ("deep/er/b.csv", b"id\n3\n4\n"),
            ("a.csv", b"id\n1\n2\n"),
            ("empty.csv", b""),
            ("read.me", b"not data"),
            ("__MACOSX/._a.csv", b"hidden"),
        ];
        lab.write("x.zip", zip_with(members, options));
        let all = [("path", "*.zip"), ("member", "**/*.csv")];
        let outcome = lab.run("csv", &all);
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        assert_eq!(outcome.text, "1\n2\n3\n4\n5\n");
        let names: Vec<&str> = outcome.parts.iter().map(|part| &*part.name).collect();
        assert_eq!(names, ["x.zip/a.csv", "x.zip/deep/er/b.csv", "x.zip/empty.csv", "x.zip/z.csv"]);
        assert_eq!(outcome.parts[0].start.line, 1);
        let again = lab.run("csv", &all);
        assert_eq!(again.text, "");
        assert!(
            again.notes[0].starts_with("4 files were skipped (`x.zip/a.csv` to `x.zip/z.csv`)"),
            "{:?}",
            again.notes
        );
        // A renamed archive is the same one, and so are its members.
        std::fs::rename(lab.path("x.zip"), lab.path("y.zip")).unwrap();
        assert_eq!(lab.run("csv", &all).text, "");
        std::fs::rename(lab.path("y.zip"), lab.path("x.zip")).unwrap();
        // In an archive that was made anew only what changed or came is read.
        lab.write("x.zip", zip(&[("a.csv", b"id\n1\n2\n"), ("new.csv", b"id\n6\n"), ("z.csv", b"id\n7\n")]));
        let outcome = lab.run("csv", &all);
        assert_eq!(outcome.text, "6\n7\n");
        assert!(outcome.notes.iter().any(|note| note.contains("`x.zip/z.csv` changed")), "{:?}", outcome.notes);
        let outcome = lab.run("csv", &[("path", "x.zip"), ("member", "*.txt")]);
        assert_eq!((outcome.text.as_str(), outcome.notes[0].as_str()), ("", "no member of `x.zip` matches `*.txt`"));
    }
}

#[test]
fn a_member_is_read_on_where_it_was_settled() {
    let mut lab = Lab::new();
    let (first, second) = (lines(0..200_000), lines(200_000..200_010));
    lab.write("x.zip", zip(&[("a.ndjson", first.as_bytes()), ("b.ndjson", second.as_bytes())]));
    let with = [("path", "x.zip")];
    let whole = lab.read_with("ndjson", &with, None);
    assert!(whole.parts.len() > 4 && whole.text == first.clone() + &second);
    for settled in 0..whole.parts.len() {
        lab.settled.clear();
        whole.parts[..=settled].iter().for_each(|part| lab.settle(part));
        let rest = lab.read_with("ndjson", &with, None);
        assert!(rest.error.is_none(), "{:?}", rest.error);
        let read: String = whole.parts[..=settled].iter().map(|p| String::from_utf8_lossy(&p.bytes)).collect();
        assert!(read + &rest.text == whole.text, "settled {settled}");
        if let Some(part) = whole.parts.get(settled + 1) {
            // A group in doubt is read again, and nothing else.
            let again = lab.read_with("ndjson", &with, Some((&part.slice, &part.end)));
            assert!(
                again.error.is_none() && again.text.as_bytes() == part.bytes,
                "settled {settled}: {:?}",
                again.error
            );
        }
    }
    let (slice, end) = (whole.parts[1].slice.clone(), whole.parts[1].end.clone());
    lab.write("x.zip", zip(&[("a.ndjson", second.as_bytes())]));
    let gone = lab.read_with("ndjson", &with, Some((&slice, &end))).error.unwrap();
    assert!(gone.to_string().contains("gone or was replaced"), "{gone}");
}

#[test]
fn encodings_are_those_of_the_members() {
    let mut lab = Lab::new();
    lab.write("x.zip", zip(&[("a.csv", b"name\nM\xfcller\n"), ("b.csv", b"name\n\xd6\n")]));
    let outcome = lab.run("csv", &[("path", "x.zip"), ("encoding", "windows-1252")]);
    assert_eq!(outcome.text, "Müller\nÖ\n");
    lab.write("other", zip(&[("deep/a.csv", b"name\n1\n")]));
    assert_eq!(
        lab.run("csv", &[("path", "other"), ("compression", "zip")]).text,
        "name\n1\n".split_once('\n').unwrap().1
    );
}

fn refused(archive: &[u8], code: &str, part: &str) {
    let lab = Lab::new();
    lab.write("x.zip", archive);
    let outcome = lab.read_with("ndjson", &[("path", "x.zip")], None);
    let error = outcome.error.unwrap_or_else(|| panic!("it was read: {part}"));
    assert_eq!(error.code().id, code, "{error}");
    assert!(error.to_string().contains(part) && format!("{error:?}").contains("x.zip"), "`{part}` is not in {error:?}");
}

#[test]
fn what_is_not_read_is_named() {
    let line: &[u8] = b"{\"n\":1}\n";
    let plain = zip(&[("a.ndjson", line)]);
    let (entry, body) = (places(&plain, ENTRY)[0], &plain);
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = body.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    const UNREADABLE: &str = "connect-zip-unreadable";
    const DAMAGED: &str = "connect-zip-damaged";
    refused(&changed(entry + 8, &[1, 0]), UNREADABLE, "member `a.ndjson` is encrypted");
    refused(&changed(entry + 10, &[99, 0]), UNREADABLE, "AES");
    refused(&changed(entry + 10, &[14, 0]), UNREADABLE, "LZMA");
    for name in ["../a.ndjson", "/etc/pass", "a/../../b", "..\\b.txt", "C:\\a.txt", "a\nb"] {
        // The writer is careful with names: they are put in by hand.
        let archive = zip(&[(&"x".repeat(name.len()), line)]);
        let mut slipped = archive.clone();
        places(&archive, "x".repeat(name.len()).as_bytes())
            .into_iter()
            .for_each(|at| slipped[at..at + name.len()].copy_from_slice(name.as_bytes()));
        refused(&slipped, UNREADABLE, "leads out of the archive");
    }
    for name in ["more.zip", "b.ndjson.gz", "deep/B.ZST"] {
        refused(&zip(&[(name, line)]), UNREADABLE, "is compressed itself");
    }
    let mut twice = zip(&[("a.ndjson", line), ("b.ndjson", line)]);
    for at in places(&twice, b"b.ndjson") {
        twice[at] = b'a';
    }
    refused(&twice, UNREADABLE, "two members of the archive are named `a.ndjson`");
    let mut over = zip(&[("a.ndjson", line), ("b.ndjson", line)]);
    let second = places(&over, ENTRY)[1];
    over[second + 42..second + 46].fill(0);
    refused(&over, UNREADABLE, "lie over each other");
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("a.ndjson", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    refused(&link.finish().unwrap().into_inner(), UNREADABLE, "is a link");
    // Damage.
    refused(b"", DAMAGED, "no directory at its end");
    refused(b"PK\x03\x04 and then nothing", DAMAGED, "no directory at its end");
    for cut in [1, 10, 22, 30, 60, plain.len() - 10] {
        refused(&plain[..plain.len() - cut], DAMAGED, "no directory at its end");
    }
    refused(&[&plain[..20], &plain[24..]].concat(), DAMAGED, "");
    refused(&changed(entry, b"XX"), DAMAGED, "something else");
    refused(&changed(0, b"XX"), DAMAGED, "is not where the directory says");
    refused(&changed(entry + 16, &[1, 2, 3, 4]), DAMAGED, "not what the archive's directory says");
    refused(&changed(entry + 24, &[3, 0, 0, 0]), DAMAGED, "not what the archive's directory says");
    refused(&changed(entry + 24, &[200, 0, 0, 0]), DAMAGED, "not what the archive's directory says");
    let end = plain.len() - 22;
    refused(&changed(end + 10, &[7, 0]), DAMAGED, "more or fewer members");
    refused(&changed(end + 4, &[1, 0]), UNREADABLE, "one of several parts");
    refused(&changed(end + 12, &[255, 255, 0, 0]), DAMAGED, "does not lie where it says");
}

#[test]
fn only_members_that_are_wanted_need_to_be_readable() {
    let lab = Lab::new();
    lab.write("x.zip", zip(&[("a.ndjson", b"{}\n"), ("doc.zip", b"nested"), ("b.txt.gz", b"")]));
    let outcome = lab.read_with("ndjson", &[("path", "x.zip"), ("member", "*.ndjson")], None);
    assert!(outcome.error.is_none() && outcome.text == "{}\n", "{:?}", outcome.error);
    assert!(lab.source("ndjson", &[("path", "x.zip"), ("member", "a[")], None).is_err());
}

#[test]
fn archives_behind_a_program_with_comments_and_with_very_many_members_are_read() {
    let mut lab = Lab::new();
    let plain = zip(&[("a.ndjson", b"{\"n\":1}\n")]);
    lab.write("program.zip", [b"#!/bin/sh\nexit\n".as_slice(), &plain].concat());
    assert_eq!(lab.run("ndjson", &[("path", "program.zip")]).text, "{\"n\":1}\n");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("a comment with PK\u{5}\u{6} in it, and more behind it, so that it looks like the end").unwrap();
    for n in 0..66_000 {
        writer.start_file(format!("{n:05}.txt"), SimpleFileOptions::default()).unwrap();
    }
    writer.start_file("a.ndjson", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"{\"n\":2}\n").unwrap();
    let many = writer.finish().unwrap().into_inner();
    assert!(!places(&many, b"PK\x06\x06").is_empty(), "a large directory");
    lab.write("many.zip", &many);
    let outcome = lab.run("ndjson", &[("path", "many.zip"), ("member", "*.ndjson")]);
    assert!(outcome.error.is_none() && outcome.text == "{\"n\":2}\n", "{:?}", outcome.error);
    let locator = places(&many, b"PK\x06\x07")[0];
    let mut lost = many.clone();
    lost[locator - 56] = b'X';
    lab.write("many.zip", lost);
    let error = lab.read_with("ndjson", &[("path", "many.zip")], None).error.unwrap();
    assert!(error.to_string().contains("large directory is not there"), "{error}");
}

#[test]
fn a_bomb_is_refused_before_anything_comes_out_of_it() {
    let lab = Lab::new();
    let line = [vec![b'0'; 1 << 20], b"\n".to_vec()].concat();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("a.ndjson", SimpleFileOptions::default()).unwrap();
    for _ in 0..100 {
        writer.write_all(&line).unwrap();
    }
    let bomb = writer.finish().unwrap().into_inner();
    lab.write("a.zip", &bomb);
    let outcome = lab.read_with("ndjson", &[("path", "a.zip")], None);
    assert_eq!(outcome.error.unwrap().code().id, "connect-inflation-limit");
    assert!(outcome.parts.is_empty());
    // One that lies about its size ends where it should.
    let mut liar = bomb;
    let entry = places(&liar, ENTRY)[0];
    liar[entry + 24..entry + 28].copy_from_slice(&[0, 0, 16, 0]);
    lab.write("a.zip", liar);
    let outcome = lab.read_with("ndjson", &[("path", "a.zip"), ("max_inflation", "100000")], None);
    assert_eq!(outcome.error.unwrap().code().id, "connect-zip-damaged");
    assert!(outcome.text.len() <= 2 << 20, "{}", outcome.text.len());
}

#[test]
fn names_without_unicode_are_in_code_page_437() {
    let mut archive = zip(&[("xx.ndjson", b"{}\n")]);
    for at in places(&archive, b"xx.ndjson") {
        archive[at..at + 2].copy_from_slice(b"\x81\x9b");
    }
    let lab = Lab::new();
    lab.write("x.zip", archive);
    let outcome = lab.read_with("ndjson", &[("path", "x.zip"), ("member", "ü*")], None);
    assert_eq!(&*outcome.parts[0].name, "x.zip/ü¢.ndjson");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(200)))]

    /// Whatever is done to an archive: no panic, and what comes out was in it.
    #[test]
    fn damage_never_panics(at in 0_usize..400, bytes in prop::collection::vec(any::<u8>(), 1..6), cut in 0_usize..400) {
        let whole = zip(&[("a.ndjson", b"{\"n\":1}\n"), ("deep/b.ndjson", lines(0..50).as_bytes())]);
        let mut archive = whole.clone();
        let at = at.min(archive.len() - bytes.len());
        archive[at..at + bytes.len()].copy_from_slice(&bytes);
        archive.truncate(archive.len() - if cut > 200 { 0 } else { cut.min(archive.len()) });
        let lab = Lab::new();
        lab.write("x.zip", &archive);
        let outcome = lab.read_with("ndjson", &[("path", "x.zip")], None);
        for part in &outcome.parts {
            let known = [&b"{\"n\":1}\n"[..], lines(0..50).as_bytes()].iter().any(|text| text.starts_with(&part.bytes));
            prop_assert!(known || outcome.error.is_some());
        }
    }
}
