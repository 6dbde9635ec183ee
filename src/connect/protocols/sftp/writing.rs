//! A file on the server while it is written: several requests are under way at once, and all of
//! them were answered before anything counts as secured.
//!
//! A connection that breaks ends the run: what was settled stays, and the next run cuts the file to
//! it and goes on.

use std::collections::VecDeque;

use russh_sftp::client::error::Error as Trouble;
use russh_sftp::protocol::{FileAttributes, OpenFlags, Status, StatusCode};
use tokio::task::JoinHandle;

use super::failure::{full, is_plain_failure, is_unsupported, lost, told};
use super::link::{Link, Live, Shared, hold};
use super::place::about;
use crate::connect::bytes::Edited;
use crate::error::codes::connect::SFTP_REFUSED;
use crate::error::{Error, Kind, Result};

/// Requests under way at once.
const UNDER_WAY: usize = 32;
/// So little free space explains a write that failed.
const NO_SPACE: u64 = 4 << 20;

type Answer = JoinHandle<std::result::Result<Status, Trouble>>;

/// A file that was opened for writing.
pub(super) struct Writing {
    link: Shared,
    path: String,
    handle: String,
    connection: u64,
    under_way: VecDeque<Answer>,
    /// Why nothing can be written any more.
    failed: bool,
}

impl Writing {
    pub(super) fn open(link: &Shared, path: &str, flags: OpenFlags, mode: Option<u32>) -> Result<Self> {
        let attributes = FileAttributes { permissions: mode, ..FileAttributes::empty() };
        let outcome = hold(link).attempted(async |live| {
            let handle = live.sftp.open(path, flags, attributes.clone()).await?.handle;
            if mode.is_some() {
                // What the server's mask took away. A server that keeps no modes has none to set.
                match live.sftp.fsetstat(handle.as_str(), attributes.clone()).await {
                    Err(trouble) if !is_unsupported(&trouble) && !is_plain_failure(&trouble) => return Err(trouble),
                    _ => {}
                }
            }
            Ok((handle, live.number))
        })?;
        let (handle, connection) = match outcome {
            Ok(opened) => opened,
            Err(trouble) => return Err(hold(link).explained(trouble, path, flags.contains(OpenFlags::CREATE))),
        };
        let (link, path) = (link.clone(), path.to_owned());
        Ok(Self { link, path, handle, connection, under_way: VecDeque::new(), failed: false })
    }

    /// Asks something of the open file; its handle does not outlive the connection.
    fn ask<T>(&mut self, question: impl AsyncFn(&Live, &str) -> std::result::Result<T, Trouble>) -> Result<T> {
        let mut link = hold(&self.link);
        if link.number() != self.connection {
            return Err(lost("the connection to the server was lost while the file was written"));
        }
        let handle = self.handle.as_str();
        match link.attempt(&async |live: &Live| question(live, handle).await) {
            Ok(answer) => Ok(answer),
            Err(trouble) => Err(told(trouble)),
        }
    }

    /// Waits until no more than so many requests are under way.
    fn wait(&mut self, left: usize) -> Result<()> {
        while self.under_way.len() > left {
            let Some(answer) = self.under_way.pop_front() else { break };
            let mut link = hold(&self.link);
            let outcome = link.run(answer).unwrap_or_else(|e| Err(Trouble::IO(e.to_string())));
            if let Err(trouble) = outcome {
                self.failed = true;
                self.under_way.drain(..).for_each(|answer| answer.abort());
                return Err(link.explained(trouble, &self.path, true));
            }
        }
        match self.failed {
            true => Err(lost("what was written before did not arrive")),
            false => Ok(()),
        }
    }
}

impl Link {
    /// What a failure to write to a path means: where the server has no word for it, its free space tells.
    fn explained(&mut self, trouble: Trouble, path: &str, writes: bool) -> Error {
        if !writes || !is_plain_failure(&trouble) {
            return told(trouble);
        }
        let folder = match path.rsplit_once('/') {
            Some(("", _)) => "/",
            Some((folder, _)) => folder,
            None => ".",
        };
        let free = self.look(async |live| match live.tells_space {
            true => live
                .sftp
                .statvfs(folder)
                .await
                .map(|space| Some(space.blocks_avail.saturating_mul(space.fragment_size))),
            false => Ok(None),
        });
        match free {
            Ok(Some(free)) if free > NO_SPACE => told(trouble)
                .into_kind(Kind::Environment)
                .fact("bytes free on the server", free)
                .hint("a quota or a limit on the size of files looks like this"),
            Ok(free) => full(free),
            Err(_) => full(None),
        }
    }
}

impl Edited for Writing {
    fn length(&mut self) -> Result<u64> {
        self.wait(0)?;
        self.ask(async |live, handle| live.sftp.fstat(handle).await).map(|answer| about(&answer.attrs).length)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        self.wait(0)?;
        let wanted = buffer.len();
        let bytes = self.ask(async |live, handle| {
            let length = wanted.min(live.read_bytes as usize) as u32;
            match live.sftp.read(handle, offset, length).await {
                Err(Trouble::Status(status)) if status.status_code == StatusCode::Eof => Ok(Vec::new()),
                outcome => outcome.map(|data| data.data),
            }
        })?;
        let count = bytes.len().min(wanted);
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        let mut offset = offset;
        let at_once = hold(&self.link).session_write_bytes();
        for piece in bytes.chunks(at_once) {
            self.wait(UNDER_WAY - 1)?;
            let link = hold(&self.link);
            let Some(sftp) = link.session().filter(|_| link.number() == self.connection) else {
                return Err(lost("the connection to the server was lost while the file was written"));
            };
            let (handle, data, at) = (self.handle.clone(), piece.to_vec(), offset);
            self.under_way.push_back(link.handle().spawn(async move { sftp.write(handle, at, data).await }));
            offset += piece.len() as u64;
        }
        Ok(())
    }

    fn cut(&mut self, length: u64) -> Result<()> {
        self.wait(0)?;
        let wanted = FileAttributes { size: Some(length), ..FileAttributes::empty() };
        self.ask(async |live, handle| live.sftp.fsetstat(handle, wanted.clone()).await.map(|_| ()))?;
        let there = self.length()?;
        if there == length {
            return Ok(());
        }
        Err(Error::new(Kind::Failed, &SFTP_REFUSED, "the server does not cut files")
            .fact("bytes there", there)
            .fact("bytes wanted", length)
            .hint("such a server can only take files written anew: use `--full`"))
    }

    fn secure(&mut self) -> Result<()> {
        self.wait(0)?;
        self.ask(async |live, handle| match live.syncs {
            // A file system that cannot sync says so; what it keeps is up to the server then.
            true => match live.sftp.fsync(handle).await {
                Err(trouble) if is_unsupported(&trouble) => Ok(()),
                outcome => outcome.map(|_| ()),
            },
            false => Ok(()),
        })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.under_way.drain(..).for_each(|answer| answer.abort());
        let link = hold(&self.link);
        if link.number() != self.connection {
            return;
        }
        if let Some(sftp) = link.session() {
            let handle = std::mem::take(&mut self.handle);
            // Whoever wanted to know that all is there has secured it: nobody waits for the answer.
            link.handle().spawn(async move { sftp.close(handle).await });
        }
    }
}
