//! The log against others: implementations of the same specifications that are not ours, processes that
//! append at once and are killed, a witness on another host.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consign::audit::checkpoint::{Checkpoint, Proof};
use consign::audit::note::{Purpose, Signing, Verifying};
use consign::audit::{chain, merkle};
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::tlog::{self, Hash, HashReader};

use crate::support::consign;

/// A project with nothing in it but a log.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("connectors.yaml"), "version: 1\nconnectors: {}\n").expect("the project");
    folder
}

fn must(root: &Path, words: &[&str]) -> String {
    let output = consign(root).args(words).output().expect("consign starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?}\n{said}");
    String::from_utf8(output.stdout).expect("text")
}

fn exit(root: &Path, words: &[&str]) -> (i32, String) {
    let output = consign(root).args(words).output().expect("consign starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("an exit code"), said)
}

#[test]
fn what_consign_signs_and_proves_others_verify() {
    let folder = project();
    let root = folder.path();
    for n in 0..12 {
        must(root, &["audit", "add", &format!("note {n}"), "-q"]);
    }
    let early = must(root, &["audit", "checkpoint"]);
    must(root, &["audit", "add", "one more", "-q"]);
    let late = must(root, &["audit", "checkpoint"]);
    let key = must(root, &["audit", "public-key"]);
    let verifiers = VerifierList::new(vec![Box::new(StandardVerifier::new(key.trim()).expect("a key"))]);
    let read = |text: &str| {
        let note = Note::from_bytes(text.as_bytes()).expect("a note");
        let (signed, _) = note.verify(&verifiers).expect("signed");
        assert_eq!(signed.len(), 1);
        tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint")
    };
    let (early, late) = (read(&early), read(&late));
    assert!(early.size() < late.size() && late.origin().starts_with("consign/"));

    must(root, &["audit", "prove", "5", "--to", "five.tlog-proof"]);
    let text = std::fs::read_to_string(root.join("five.tlog-proof")).expect("the proof");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
    let body = STANDARD.decode(lines.next().and_then(|l| l.strip_prefix("extra ")).expect("extra")).expect("base64");
    let index: u64 = lines.next().and_then(|l| l.strip_prefix("index ")).expect("index").parse().expect("a number");
    let hashes: Vec<Hash> =
        lines.by_ref().take_while(|l| !l.is_empty()).map(|l| Hash::parse_hash(l).expect("a hash")).collect();
    let checkpoint = read(text.split_once("\n\n").expect("a checkpoint").1);
    assert_eq!((index, checkpoint.size()), (4, late.size()));
    tlog::check_record(&hashes, checkpoint.size(), *checkpoint.hash(), index, tlog::record_hash(&body)).expect("in it");
    let wrong = tlog::record_hash(b"another");
    assert!(tlog::check_record(&hashes, checkpoint.size(), *checkpoint.hash(), index, wrong).is_err());

    // Whoever has the file and the key needs no project and no log.
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::copy(root.join("five.tlog-proof"), elsewhere.path().join("p")).expect("copied");
    let told = must(elsewhere.path(), &["audit", "verify", "--proof", "p", "--key", key.trim()]);
    assert!(told.contains("event 5 is in the log"), "{told}");
    std::fs::write(elsewhere.path().join("p"), text.replacen("index 4", "index 5", 1)).expect("changed");
    let (code, said) = exit(elsewhere.path(), &["audit", "verify", "--proof", "p", "--key", key.trim()]);
    assert!(code == 8 && said.contains("audit-proof-bad"), "{code} {said}");
    let other = Signing::new("consign/other", Purpose::Note, &[1; 32]).public().line();
    std::fs::write(elsewhere.path().join("p"), &text).expect("put back");
    assert_eq!(exit(elsewhere.path(), &["audit", "verify", "--proof", "p", "--key", &other]).0, 8);
}

/// A log of another implementation, in memory.
struct Theirs(Vec<Hash>);

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

#[test]
fn what_others_sign_and_prove_consign_verifies() {
    let mut theirs = Theirs(Vec::new());
    let bodies: Vec<Vec<u8>> = (0..300u32).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect();
    let mut roots = vec![tlog::EMPTY_HASH];
    for (n, body) in bodies.iter().enumerate() {
        let more = tlog::stored_hashes(n as u64, body, &theirs).expect("hashes");
        theirs.0.extend(more);
        roots.push(tlog::tree_hash(n as u64 + 1, &theirs).expect("a root"));
    }
    let ours: Vec<chain::Hash> = bodies.iter().map(|body| chain::leaf(body)).collect();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root_at(size as u64, &ours[..]), Ok(root.0), "{size}");
    }
    // Their signer's form of a private key, with the id that ours gives the public one.
    let seed = [42u8; 32];
    let public = Signing::new("log.example/1", Purpose::Note, &seed).public().line();
    let id = public.split('+').nth(1).expect("an id");
    let skey = format!("PRIVATE+KEY+log.example/1+{id}+{}", STANDARD.encode([&[1u8][..], &seed].concat()));
    let signer = StandardSigner::new(&skey).expect("a signer");
    let key = Verifying::read(&public).expect("a key");
    for (old, size, index) in [(1u64, 2u64, 0u64), (7, 300, 299), (256, 257, 256), (255, 300, 128), (300, 300, 1)] {
        let checkpoint = tlog_tiles::Checkpoint::new("log.example/1", size, roots[size as usize], "").expect("one");
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).expect("a note");
        note.add_sigs(&[&signer]).expect("signed");
        let text = String::from_utf8(note.to_bytes()).expect("text");
        let (read, _) = Checkpoint::signed(text.as_bytes(), std::slice::from_ref(&key)).expect("verified");
        assert_eq!((read.size, read.root), (size, roots[size as usize].0));
        let hashes: Vec<chain::Hash> =
            tlog::prove_record(size, index, &theirs).expect("a proof").iter().map(|hash| hash.0).collect();
        assert_eq!(merkle::inclusion(index, size, &ours[..]), Ok(hashes.clone()), "the same proof");
        let proof = Proof { body: None, index, hashes, checkpoint: text };
        proof.check(&bodies[index as usize], std::slice::from_ref(&key)).expect("in it");
        let tree: Vec<chain::Hash> =
            tlog::prove_tree(size, old, &theirs).expect("a proof").iter().map(|hash| hash.0).collect();
        let (a, b) = (roots[old as usize].0, roots[size as usize].0);
        merkle::check_consistency(old, size, &a, &b, &tree).expect("consistent");
        assert!(merkle::check_consistency(old, size, &[1; 32], &b, &tree).is_err());
    }
}

#[test]
fn eight_processes_append_at_once_some_are_killed_and_nothing_acknowledged_is_lost() {
    let folder = project();
    let root = folder.path();
    must(root, &["audit", "add", "begun", "-q"]);
    let soak = std::env::var_os("CONSIGN_SOAK").is_some();
    let end = Instant::now() + Duration::from_secs(if soak { 60 } else { 4 });
    let acknowledged = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                let mut round = 0u32;
                while Instant::now() < end {
                    round += 1;
                    let mut command = consign(root);
                    command.args(["-o", "json", "audit", "add", &format!("lane {lane} round {round}")]);
                    let mut child =
                        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("consign starts");
                    // Every third of two lanes is killed somewhere on its way.
                    let killed = lane < 2 && round.is_multiple_of(3);
                    if killed {
                        std::thread::park_timeout(Duration::from_millis(u64::from(round * 7 % 40)));
                        let _ = child.kill();
                    }
                    let output = child.wait_with_output().expect("it ends");
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(!said.to_lowercase().contains("busy") && !said.contains("locked"), "{said}");
                    assert!(killed || output.status.success(), "{said}");
                    if output.status.success()
                        && let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&output.stdout)
                        && let Some(id) = answer["id"].as_str()
                    {
                        acknowledged.lock().expect("not poisoned").push(id.to_string());
                    }
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner().expect("not poisoned");
    let listed = must(root, &["-o", "csv", "audit", "list", "--limit", "0"]);
    let there: std::collections::BTreeSet<&str> = listed.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert!(acknowledged.len() > 8, "{}", acknowledged.len());
    for id in &acknowledged {
        assert!(there.contains(id.as_str()), "{id} was acknowledged and is lost");
    }
    must(root, &["audit", "verify"]);
}

#[test]
fn a_witness_on_another_host_cosigns_and_refuses_another_history() {
    let folder = project();
    let root = folder.path();
    must(root, &["audit", "add", "one", "-q"]);
    let key = must(root, &["audit", "public-key"]);
    let host = tempfile::tempdir().expect("a folder");
    let mut serving = consign(host.path())
        .args(["-o", "json", "audit", "witness", "serve", "--folder", "w", "--name", "w.example/1"])
        .args(["--log", key.trim(), "--listen", "127.0.0.1:0", "--requests", "9"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("consign starts");
    let mut told = String::new();
    {
        use std::io::BufRead as _;
        let mut out = std::io::BufReader::new(serving.stdout.take().expect("its output"));
        while serde_json::from_str::<serde_json::Value>(&told).is_err() {
            assert!(out.read_line(&mut told).expect("read") > 0, "it ended: {told}");
        }
    }
    let told: serde_json::Value = serde_json::from_str(&told).expect("a document");
    let at = format!("http://{}", told["address"].as_str().expect("an address"));
    let witness = told["key"].as_str().expect("a key");
    let cosign = ["audit", "witness", "cosign", "--at", &at, "--key", witness];
    must(root, &cosign);
    // A copy of the log, taken now, will go its own way.
    let fork = project();
    let copied = Command::new("cp").args(["-r", ".consign"]).arg(fork.path()).current_dir(root).status();
    assert!(copied.expect("cp").success());
    must(root, &["audit", "add", "two", "-q"]);
    let note = must(root, &[&["-o", "json"], &cosign[..]].concat());
    let note: serde_json::Value = serde_json::from_str(&note).expect("a document");
    let keys = [Verifying::read(key.trim()).expect("a key"), Verifying::read(witness).expect("a key")];
    let (checkpoint, signed) =
        Checkpoint::signed(note["note"].as_str().expect("a note").as_bytes(), &keys).expect("both");
    assert!(signed.len() == 2 && signed[1].time.is_some(), "{signed:?}");
    // The proof of an event carries both signatures.
    must(root, &["audit", "prove", "1", "--to", "p"]);
    let both = must(root, &["audit", "verify", "--proof", "p", "--key", key.trim(), "--key", witness]);
    assert!(both.contains("signed by w.example/1"), "{both}");
    for n in 0..checkpoint.size + 3 {
        must(fork.path(), &["audit", "add", &format!("another way {n}"), "-q"]);
    }
    let (code, said) = exit(fork.path(), &cosign);
    assert!(code == 8 && said.contains("audit-witness-refused"), "{code} {said}");
    let _ = serving.kill();
    let _ = serving.wait();
}
