//! A file on the server while it is read: several requests are under way at once, and a connection
//! that breaks is made again and reading goes on where it was, if the file is still the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh_sftp::client::error::Error as Trouble;
use russh_sftp::protocol::{Data, FileAttributes, OpenFlags, StatusCode};
use tokio::task::JoinHandle;

use super::failure::{is_lost, told};
use super::link::{Link, Shared, hold};
use super::place::about;
use crate::connect::bytes::{About, Input, Opened};
use crate::error::codes::connect::FILE_TRUNCATED;
use crate::error::{Error, Kind, Result};

/// Requests under way at once; with 64 KiB each 2 MiB, as much as the window of the channel.
const UNDER_WAY: usize = 32;
/// So many first bytes are kept to know the file again after the connection broke.
const HEAD_BYTES: u64 = 4096;

/// An open file.
struct Remote {
    link: Shared,
    path: String,
    /// The handle, and the connection it belongs to.
    handle: String,
    connection: u64,
    /// What the file was when it was opened first.
    first: About,
    head: Vec<u8>,
}

impl Remote {
    fn open(link: &Shared, path: &str) -> Result<Self> {
        let (handle, connection, first, head) = opened(&mut hold(link), path)?;
        Ok(Self { link: link.clone(), path: path.to_owned(), handle, connection, first, head })
    }

    /// Over another connection: the same file, or an error.
    fn again(&mut self, link: &mut Link) -> Result<()> {
        let (handle, connection, now, head) = opened(link, &self.path)?;
        (self.handle, self.connection) = (handle, connection);
        let same = now.length >= self.first.length && head.starts_with(&self.head);
        // A file that grew has a later time; one that did not grow and has one was written anew.
        if same && (now.length > self.first.length || now.modified == self.first.modified) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Failed,
            &FILE_TRUNCATED,
            "the connection broke, and when it stood again the file was another one",
        )
        .fact("bytes then", self.first.length)
        .fact("bytes now", now.length)
        .hint("what was read before is kept; run again: the next run looks at the new file"))
    }

    /// Asks something of the open file, over another connection if this one breaks.
    fn ask<T>(
        &mut self,
        question: impl AsyncFn(&russh_sftp::client::RawSftpSession, &str) -> std::result::Result<T, Trouble>,
    ) -> Result<T> {
        let link = self.link.clone();
        let mut link = hold(&link);
        let mut tried = 0;
        loop {
            tried += 1;
            link.live()?;
            if link.number() != self.connection {
                self.again(&mut link)?;
            }
            let handle = self.handle.as_str();
            match link.attempt(&async |live: &super::link::Live| question(&live.sftp, handle).await) {
                Err(trouble) if is_lost(&trouble) && tried < link.tries() => link.pause(tried),
                outcome => return outcome.map_err(told),
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let link = hold(&self.link);
        if link.number() != self.connection {
            return;
        }
        if let Some(sftp) = link.session() {
            let handle = std::mem::take(&mut self.handle);
            // Nobody waits for the answer.
            link.handle().spawn(async move { sftp.close(handle).await });
        }
    }
}

/// Opens a file for reading: its handle, the connection it belongs to, what it is, how it begins.
fn opened(link: &mut Link, path: &str) -> Result<(String, u64, About, Vec<u8>)> {
    link.look(async |live| {
        let handle = live.sftp.open(path, OpenFlags::READ, FileAttributes::empty()).await?.handle;
        let first = about(&live.sftp.fstat(handle.as_str()).await?.attrs);
        let head = exactly(&live.sftp, &handle, 0, first.length.min(HEAD_BYTES) as usize, live.read_bytes).await?;
        Ok((handle, live.number, first, head))
    })
}

/// So many bytes from an offset, fewer only at the end of the file.
async fn exactly(
    sftp: &russh_sftp::client::RawSftpSession,
    handle: &str,
    offset: u64,
    wanted: usize,
    at_once: u32,
) -> std::result::Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted {
        let missing = (wanted - bytes.len()).min(at_once as usize) as u32;
        match ended(sftp.read(handle, offset + bytes.len() as u64, missing).await)? {
            None => break,
            Some(data) => bytes.extend_from_slice(&data.data[..data.data.len().min(missing as usize)]),
        }
    }
    Ok(bytes)
}

/// The bytes of an answer; `None` at the end of the file.
fn ended(outcome: std::result::Result<Data, Trouble>) -> std::result::Result<Option<Data>, Trouble> {
    match outcome {
        Ok(data) if data.data.is_empty() => Ok(None),
        Ok(data) => Ok(Some(data)),
        Err(Trouble::Status(status)) if status.status_code == StatusCode::Eof => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// A file that was opened for reading.
pub(super) struct Reading {
    remote: Arc<Mutex<Remote>>,
}

impl Reading {
    pub(super) fn open(link: &Shared, path: &str) -> Result<Self> {
        Ok(Self { remote: Arc::new(Mutex::new(Remote::open(link, path)?)) })
    }
}

fn lock(remote: &Mutex<Remote>) -> MutexGuard<'_, Remote> {
    remote.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Opened for Reading {
    fn about(&mut self) -> Result<About> {
        let answer = lock(&self.remote).ask(async |sftp, handle| sftp.fstat(handle).await)?;
        Ok(about(&answer.attrs))
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let mut remote = lock(&self.remote);
        let end = offset.saturating_add(buffer.len() as u64);
        if end <= remote.head.len() as u64 {
            buffer.copy_from_slice(&remote.head[offset as usize..end as usize]);
            return Ok(());
        }
        let wanted = buffer.len();
        let bytes = remote.ask(async |sftp, handle| exactly(sftp, handle, offset, wanted, 32 << 10).await)?;
        if bytes.len() < wanted {
            return Err(Error::of_io(std::io::ErrorKind::UnexpectedEof.into()));
        }
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    fn input(&mut self, from: u64, to: u64) -> Result<Box<dyn Input>> {
        Ok(Box::new(Flow {
            remote: self.remote.clone(),
            at: from,
            asked: from,
            end: to,
            under_way: VecDeque::new(),
            connection: 0,
            ready: Vec::new(),
            taken: 0,
            broken: 0,
        }))
    }
}

/// One request under way: the task that waits for its answer, its offset, its length.
struct Request {
    answer: JoinHandle<std::result::Result<Data, Trouble>>,
    offset: u64,
    length: u32,
}

/// The bytes of the file in order, asked for ahead.
struct Flow {
    remote: Arc<Mutex<Remote>>,
    /// The offset behind what was received.
    at: u64,
    /// The offset behind what was asked for.
    asked: u64,
    end: u64,
    under_way: VecDeque<Request>,
    /// The connection the requests went over.
    connection: u64,
    /// What was received, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
    /// How often in a row the connection broke before a byte came.
    broken: u32,
}

impl Flow {
    /// Receives the next bytes into `ready`, unless it is the end.
    fn receive(&mut self) -> Result<()> {
        self.ready.clear();
        self.taken = 0;
        let shared = self.remote.clone();
        let mut remote = lock(&shared);
        let link = remote.link.clone();
        let mut link = hold(&link);
        while self.at < self.end {
            self.ask_ahead(&mut remote, &mut link)?;
            let Some(request) = self.under_way.pop_front() else { return Ok(()) };
            let answer = link.run(request.answer).unwrap_or_else(|e| Err(Trouble::IO(e.to_string())));
            match ended(answer) {
                Ok(None) => {
                    // The end came early: the caller knows how much is missing.
                    self.forget();
                    self.end = self.at;
                }
                Ok(Some(data)) => {
                    self.broken = 0;
                    self.ready = data.data;
                    self.ready.truncate(request.length as usize);
                    self.at = request.offset + self.ready.len() as u64;
                    if self.ready.len() < request.length as usize {
                        // A short answer: what was asked for behind it would leave a gap.
                        self.forget();
                    }
                    return Ok(());
                }
                Err(trouble) if is_lost(&trouble) && self.broken + 1 < link.tries() => {
                    self.broken += 1;
                    self.forget();
                    link.hang_up();
                    link.pause(self.broken);
                }
                Err(trouble) => {
                    self.forget();
                    if is_lost(&trouble) {
                        link.hang_up();
                    }
                    return Err(told(trouble).fact("byte offset", self.at));
                }
            }
        }
        Ok(())
    }

    /// Sends requests until enough are under way.
    fn ask_ahead(&mut self, remote: &mut Remote, link: &mut Link) -> Result<()> {
        let live = link.live()?;
        let (number, at_once) = (live.number, live.read_bytes);
        if number != remote.connection {
            remote.again(link)?;
        }
        if self.connection != remote.connection {
            self.forget();
            self.connection = remote.connection;
        }
        let Some(sftp) = link.session() else { return Ok(()) };
        while self.under_way.len() < UNDER_WAY && self.asked < self.end {
            let (offset, handle, sftp) = (self.asked, remote.handle.clone(), sftp.clone());
            let length = (self.end - offset).min(u64::from(at_once)) as u32;
            let answer = link.handle().spawn(async move { sftp.read(handle, offset, length).await });
            self.under_way.push_back(Request { answer, offset, length });
            self.asked += u64::from(length);
        }
        Ok(())
    }

    /// Drops what is under way; it will be asked for again.
    fn forget(&mut self) {
        for request in self.under_way.drain(..) {
            request.answer.abort();
        }
        self.asked = self.at;
    }

    /// What is ready, received if there is nothing; empty at the end.
    fn next(&mut self) -> Result<&[u8]> {
        if self.taken == self.ready.len() {
            self.receive()?;
        }
        Ok(&self.ready[self.taken..])
    }
}

impl Input for Flow {
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let room = buffer.capacity() - buffer.len();
        let bytes = self.next()?;
        let count = bytes.len().min(room);
        buffer.extend_from_slice(&bytes[..count]);
        self.taken += count;
        Ok(count)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.next()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.forget();
    }
}
