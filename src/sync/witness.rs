//! Both sides of witnessing (c2sp.org/tlog-witness): a small HTTP service that cosigns checkpoints of
//! other logs, and the call by which this log has its own cosigned.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::audit::chain::hex;
use crate::audit::note::{Line, Note, Purpose, Signing, Verifying, is_name};
use crate::audit::witness::{Request, Verdict, judge};
use crate::config::Secret;
use crate::connect::http;
use crate::connect::runtime::Runtime;
use crate::error::codes::audit::{KEY_BAD, WITNESS_REFUSED};
use crate::error::{Error, Kind, Result};
use crate::store::Store;
use crate::store::folder::replace_file;

/// The most bytes of a request; sixteen post-quantum signatures and a proof fit.
const LONGEST: u64 = 1 << 17;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A witness: its key, the logs that it knows, and what it saw of them.
pub struct Service {
    folder: PathBuf,
    signing: Signing,
    logs: Vec<Verifying>,
    /// One request at a time is judged and kept: two at once could roll a log back.
    turn: Mutex<()>,
}

impl Service {
    /// The witness of a folder; its key is made if there is none.
    ///
    /// # Errors
    /// The folder cannot be written, or its key file holds no key.
    pub fn open(folder: &Path, name: &str, logs: Vec<Verifying>) -> Result<Self> {
        let doing = || format!("opening the witness `{}`", folder.display());
        if !is_name(name) {
            let cause = "the name of a witness has no white space and no `+` in it";
            return Err(Error::new(Kind::Invalid, &KEY_BAD, cause));
        }
        {
            use std::os::unix::fs::DirBuilderExt as _;
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|e| Error::io(doing(), e))?;
        }
        let path = folder.join("key");
        let seed = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut seed = Zeroizing::new(vec![0u8; 32]);
                getrandom::fill(&mut seed).map_err(|e| Error::bug(format!("no random numbers are to be had: {e}")))?;
                replace_file(&path, &seed)?;
                seed
            }
            Err(error) => return Err(Error::io(doing(), error)),
        };
        let seed: &[u8; 32] = seed
            .as_slice()
            .try_into()
            .map_err(|_| Error::new(Kind::Invalid, &KEY_BAD, format!("`{}` holds no key", path.display())))?;
        let signing = Signing::new(name, Purpose::Cosignature, seed);
        Ok(Self { folder: folder.to_path_buf(), signing, logs, turn: Mutex::new(()) })
    }

    /// Its public key.
    pub fn key(&self) -> &Verifying {
        self.signing.public()
    }

    /// Listens at an address.
    ///
    /// # Errors
    /// It cannot.
    pub fn listen(&self, address: &str) -> Result<TcpListener> {
        TcpListener::bind(address)
            .map_err(|e| Error::io(format!("listening at `{address}`"), e).into_kind(Kind::Environment))
    }

    /// Answers requests, for ever or so many.
    ///
    /// # Errors
    /// Connections cannot be taken any more.
    pub fn serve(&self, listener: &TcpListener, most: Option<u64>) -> Result<()> {
        let mut answered = 0;
        while most.is_none_or(|most| answered < most) {
            let (stream, _) = listener.accept().map_err(|e| Error::io("taking a connection", e))?;
            // A request that cannot be read or answered is the other side's trouble.
            let _ = self.answer(stream);
            answered += 1;
        }
        Ok(())
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?.take(LONGEST));
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut length = 0usize;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut words = first.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, kind, body) = match (method, path) {
            ("POST", "/add-checkpoint") if length as u64 <= LONGEST => {
                let mut body = vec![0; length];
                reader.read_exact(&mut body)?;
                self.add_checkpoint(&String::from_utf8_lossy(&body))
            }
            ("GET", path) => match path.strip_prefix('/').and_then(|rest| rest.strip_suffix("/checkpoint")) {
                Some(hash) if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    match std::fs::read_to_string(self.folder.join(format!("{hash}.checkpoint"))) {
                        Ok(note) => (200, "text/plain; charset=utf-8", note),
                        Err(_) => (404, "text/plain", "nothing was cosigned of this log\n".to_string()),
                    }
                }
                _ => (404, "text/plain", "there is nothing here\n".to_string()),
            },
            _ => (404, "text/plain", "there is nothing here\n".to_string()),
        };
        let mut stream = stream;
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            if status == 200 { "OK" } else { "Refused" },
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }

    /// Status, content type and text of the answer to one request.
    pub fn add_checkpoint(&self, text: &str) -> (u16, &'static str, String) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Several processes may serve one folder: the kept checkpoint is theirs together.
        let lock = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.folder.join("lock"));
        if lock.as_ref().map_or(true, |lock| lock.lock().is_err()) {
            return (500, "text/plain", "the witness cannot keep what it sees\n".to_string());
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let file = |origin: &str| self.folder.join(format!("{}.checkpoint", hex(&Sha256::digest(origin.as_bytes()))));
        let verdict = judge(text, &self.logs, |origin| std::fs::read_to_string(file(origin)).ok(), &self.signing, time);
        let status = verdict.status();
        match verdict {
            Verdict::Cosigned(line, note) => {
                let origin = note.lines().next().unwrap_or_default().to_string();
                // Kept and synced before anybody hears of it.
                match replace_file(&file(&origin), note.as_bytes()) {
                    Ok(()) => (status, "text/plain; charset=utf-8", line),
                    Err(_) => (500, "text/plain", "the witness cannot keep what it sees\n".to_string()),
                }
            }
            Verdict::Seen(size) => (status, "text/x.tlog.size", format!("{size}\n")),
            Verdict::Unknown => (status, "text/plain", "this log is not witnessed here\n".to_string()),
            Verdict::Malformed(what) | Verdict::NotSigned(what) | Verdict::Inconsistent(what) => {
                (status, "text/plain", format!("{what}\n"))
            }
        }
    }
}

/// Signs a checkpoint of this log and has the witness at `at` cosign it; the size and the note with both
/// signatures, which is kept.
///
/// # Errors
/// The witness cannot be reached, or refuses: then the log is not the one that it saw before.
pub fn have_cosigned(store: &mut Store, at: &str, key: &Verifying, actor: Option<String>) -> Result<(u64, String)> {
    let doing = format!("having a checkpoint cosigned by `{}`", key.name);
    let signed = store.checkpoint(actor.clone())?;
    let address = Secret::new(format!("{}/add-checkpoint", at.trim_end_matches('/')));
    let client = http::client(PATIENCE, at.starts_with("https:"))?;
    let runtime = Runtime::start("witness")?;
    let mut old = 0;
    // The first answer tells what it saw last, the second is the verdict.
    for _ in 0..3 {
        let proof = if old == 0 { Vec::new() } else { store.prove_consistency(old, signed.size)? };
        let request = Request { old, proof, checkpoint: signed.note.clone() };
        let (status, text) = runtime.run(http::post(&client, &address, request.text()))?;
        match status {
            200 => {
                let refused = |what| Error::new(Kind::Tampered, &WITNESS_REFUSED, what).doing(doing.clone());
                let lines = text.lines().filter_map(|line| Line::read(line).ok());
                let mut note = Note::read(signed.note.as_bytes()).map_err(Error::bug)?;
                note.lines.extend(lines.filter(|line| line.name == key.name));
                note.check(std::slice::from_ref(key)).map_err(refused)?;
                store.checkpoint_witnessed(signed.size, &note.whole(), &key.name, actor)?;
                return Ok((signed.size, note.whole()));
            }
            409 => {
                let seen = text.trim().parse::<u64>().ok().filter(|seen| *seen <= signed.size && *seen > 0);
                old = seen.ok_or_else(|| {
                    let cause = format!("it has seen {} events of this log, which has {}", text.trim(), signed.size);
                    Error::new(Kind::Tampered, &WITNESS_REFUSED, cause).doing(doing.clone())
                })?;
            }
            404 => {
                return Err(Error::new(Kind::Denied, &WITNESS_REFUSED, "it does not know this log")
                    .doing(doing)
                    .hint(format!("give it the log's key: {}", signed.key)));
            }
            400 | 403 | 422 => {
                let kind = if status == 422 { Kind::Tampered } else { Kind::Denied };
                let cause = format!("it refused ({status}): {}", text.lines().next().unwrap_or_default());
                return Err(Error::new(kind, &WITNESS_REFUSED, cause).doing(doing));
            }
            _ => {
                return Err(
                    Error::new(Kind::Environment, &WITNESS_REFUSED, format!("the answer was {status}")).doing(doing)
                );
            }
        }
    }
    Err(Error::new(Kind::Environment, &WITNESS_REFUSED, "somebody else was always quicker").doing(doing))
}
