//! A server as a place: its files through SFTP.

use std::path::{Path, PathBuf};

use russh_sftp::client::error::Error as Trouble;
use russh_sftp::protocol::{FileAttributes, FileType, OpenFlags, Packet, StatusCode};

use super::failure::{found, is_plain_failure};
use super::link::{Link, Shared, hold};
use super::reading::Reading;
use super::settings::Settings;
use super::writing::Writing;
use crate::connect::bytes::{About, Edited, Entry, Opened, Place, What};
use crate::error::codes::connect::NOT_A_FILE;
use crate::error::{Error, Kind, Result};

/// A server.
pub(super) struct Server {
    link: Shared,
}

impl Server {
    /// Connects at the first call that needs it.
    ///
    /// # Errors
    /// As for [`Link::new`].
    pub(super) fn new(settings: Settings) -> Result<Self> {
        Ok(Self { link: Link::new(settings)? })
    }
}

impl Place for Server {
    fn about(&mut self, path: &Path) -> Result<Option<About>> {
        let path = text(path)?;
        let answer = hold(&self.link).look(async |live| found(live.sftp.stat(path).await))?;
        Ok(answer.map(|answer| about(&answer.attrs)))
    }

    fn is_taken(&mut self, path: &Path) -> Result<bool> {
        let path = text(path)?;
        Ok(hold(&self.link).look(async |live| found(live.sftp.lstat(path).await))?.is_some())
    }

    fn entries(&mut self, folder: &Path) -> Result<Option<Vec<Entry>>> {
        let folder = text(folder)?;
        hold(&self.link).look(async |live| {
            let Some(handle) = found(live.sftp.opendir(folder).await)? else { return Ok(None) };
            let mut entries = Vec::new();
            // Only the server's own word ends a listing: whatever else comes is an error, and what
            // was listed so far is never taken for the whole.
            let outcome = loop {
                match live.sftp.readdir(handle.handle.as_str()).await {
                    Ok(names) => entries.extend(names.files.into_iter().filter_map(entry)),
                    Err(Trouble::Status(status)) if status.status_code == StatusCode::Eof => break Ok(()),
                    Err(trouble) => break Err(trouble),
                }
            };
            let closed = live.sftp.close(handle.handle).await;
            outcome?;
            closed?;
            Ok(Some(entries))
        })
    }

    fn open(&mut self, path: &Path) -> Result<Box<dyn Opened>> {
        Ok(Box::new(Reading::open(&self.link, text(path)?)?))
    }

    fn resolve(&mut self, path: &Path) -> Result<PathBuf> {
        let given = text(path)?;
        let real = hold(&self.link).look(async |live| {
            let is_link = found(live.sftp.lstat(given).await)?.is_some_and(|answer| answer.attrs.is_symlink());
            if !is_link {
                return Ok(None);
            }
            found(live.sftp.realpath(given).await)
        })?;
        let real = real.and_then(|names| names.files.into_iter().next()).map(|file| PathBuf::from(file.filename));
        Ok(real.unwrap_or_else(|| path.to_owned()))
    }

    fn edit(&mut self, path: &Path) -> Result<Box<dyn Edited>> {
        Ok(Box::new(Writing::open(&self.link, text(path)?, OpenFlags::READ | OpenFlags::WRITE, None)?))
    }

    fn create(&mut self, path: &Path, mode: Option<u32>) -> Result<Box<dyn Edited>> {
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        Ok(Box::new(Writing::open(&self.link, text(path)?, flags, mode)?))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        let (from, to) = (text(from)?, text(to)?);
        hold(&self.link).ask(async |live| {
            if live.renames_over {
                return done(live.sftp.extended("posix-rename@openssh.com", two(from, to)).await?);
            }
            match live.sftp.rename(from, to).await {
                // Without the extension a server need not rename over a file. The new one is whole
                // and secured: between these two calls the next run would go on with it.
                Err(trouble) if is_plain_failure(&trouble) && found(live.sftp.stat(to).await)?.is_some() => {
                    live.sftp.remove(to).await?;
                    live.sftp.rename(from, to).await.map(|_| ())
                }
                outcome => outcome.map(|_| ()),
            }
        })
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        let path = text(path)?;
        hold(&self.link).look(async |live| found(live.sftp.remove(path).await)).map(|_| ())
    }

    fn secure_folder(&mut self, _folder: &Path) -> Result<()> {
        // SFTP has no word for it: names are as durable as the server makes them.
        Ok(())
    }
}

/// A path as the server takes it.
fn text(path: &Path) -> Result<&str> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::new(Kind::Invalid, &NOT_A_FILE, "the path is no text").fact("path", path.display()))?;
    // `./a` counts from where the user lands, as `a` does: some servers know only the latter.
    match text.strip_prefix("./").unwrap_or(text) {
        "" => Ok("."),
        rest => Ok(rest),
    }
}

/// Two strings, each after its length: what the rename extension takes.
fn two(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + from.len() + to.len());
    for text in [from, to] {
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// An answer that says nothing but whether it went well.
fn done(answer: Packet) -> std::result::Result<(), Trouble> {
    match answer {
        Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
        Packet::Status(status) => Err(Trouble::Status(status)),
        _ => Err(Trouble::UnexpectedPacket),
    }
}

fn what(kind: FileType) -> What {
    match kind {
        FileType::File => What::File,
        FileType::Dir => What::Folder,
        FileType::Symlink => What::Link,
        FileType::Other => What::Other,
    }
}

/// What the server told of a file.
pub(super) fn about(attributes: &FileAttributes) -> About {
    About {
        what: match attributes.permissions {
            Some(_) => what(attributes.file_type()),
            // A server that tells no kind tells the size of files only.
            None if attributes.size.is_some() => What::File,
            None => What::Other,
        },
        length: attributes.size.unwrap_or(0),
        modified: i64::from(attributes.mtime.unwrap_or(0)) * 1_000_000_000,
        object: None,
        mode: attributes.permissions.unwrap_or(0o644),
    }
}

fn entry(file: russh_sftp::protocol::File) -> Option<Entry> {
    // A name that is no text came with replaced characters: it cannot be asked for.
    if matches!(file.filename.as_str(), "." | "..") || file.filename.contains(['/', '\u{FFFD}']) {
        return None;
    }
    let about = about(&file.attrs);
    let is_told = file.attrs.size.is_some() && file.attrs.mtime.is_some() && about.what == What::File;
    Some(Entry { name: file.filename, what: about.what, about: is_told.then_some(about) })
}
