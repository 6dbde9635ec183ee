//! What reading and writing files asks of the place where they lie. Every call moves many bytes
//! or is made once per file, never once per record.
//!
//! Errors come without the words of what was being done: the caller knows how the user names
//! the file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link that was not followed.
    Link,
    /// A named pipe.
    Pipe,
    /// A device, a socket, whatever else.
    Other,
}

/// What a place knows of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// What it is.
    pub what: What,
    /// Bytes.
    pub length: u64,
    /// Last modification in nanoseconds since 1970.
    pub modified: i64,
    /// Device and inode, where the place has something that stays with a file when it is renamed.
    pub object: Option<(u64, u64)>,
    /// Permission bits.
    pub mode: u32,
}

impl About {
    /// Whether both are the same file, as far as this place can tell.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.object, other.object) {
            (Some(here), Some(there)) => here == there,
            _ => self.length == other.length && self.modified == other.modified,
        }
    }
}

/// A name in a folder.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its last step.
    pub name: String,
    /// What it is; a link is not followed.
    pub what: What,
    /// More about it, where the listing told; never for links.
    pub about: Option<About>,
}

/// Where files lie.
pub trait Place: Send {
    /// What stands under a path, links followed; `None`: nothing, or a link to nothing.
    ///
    /// # Errors
    /// If that cannot be found out: never taken for "nothing".
    fn about(&mut self, path: &Path) -> Result<Option<About>>;

    /// Whether the name is there, if only as a link to nothing.
    ///
    /// # Errors
    /// As for [`Place::about`].
    fn is_taken(&mut self, path: &Path) -> Result<bool>;

    /// The names in a folder, in any order, without `.` and `..` and without names that are no
    /// text; `None`: there is no such folder.
    ///
    /// # Errors
    /// If the listing is not whole.
    fn entries(&mut self, folder: &Path) -> Result<Option<Vec<Entry>>>;

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// If it is not there or may not be read.
    fn open(&mut self, path: &Path) -> Result<Box<dyn Opened>>;

    /// Where a path really leads: a link to a target stays a link, what it leads to is replaced.
    /// The path itself if nothing is there.
    ///
    /// # Errors
    /// As for [`Place::about`].
    fn resolve(&mut self, path: &Path) -> Result<PathBuf>;

    /// Opens a file that is there for writing, and keeps other runs off it where the place can.
    ///
    /// # Errors
    /// If another run writes it, or it may not be written.
    fn edit(&mut self, path: &Path) -> Result<Box<dyn Edited>>;

    /// Makes a file, or empties the one that is there, with these permission bits (those that are
    /// usual if `None`), and keeps other runs off it where the place can.
    ///
    /// # Errors
    /// As for [`Place::edit`].
    fn create(&mut self, path: &Path, mode: Option<u32>) -> Result<Box<dyn Edited>>;

    /// Gives a file another name in the same folder; what had that name is gone.
    ///
    /// # Errors
    /// If the file does not have the new name now.
    fn rename(&mut self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// If it is still there.
    fn remove(&mut self, path: &Path) -> Result<()>;

    /// Makes the names in a folder survive a power loss, where the place lets us.
    ///
    /// # Errors
    /// If that failed.
    fn secure_folder(&mut self, folder: &Path) -> Result<()>;
}

/// A file opened for reading. It stays the same file when its name goes to another one.
pub trait Opened: Send {
    /// What is known of it now.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn about(&mut self) -> Result<About>;

    /// Fills the buffer from this offset.
    ///
    /// # Errors
    /// If there are fewer bytes.
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<()>;

    /// Its bytes from one offset up to another, in order. Only the latest of them is used.
    ///
    /// # Errors
    /// If reading cannot begin.
    fn input(&mut self, from: u64, to: u64) -> Result<Box<dyn Input>>;
}

/// Bytes in order.
pub trait Input: Send {
    /// Appends what one read gives to the spare room of the buffer (there is some) and says how
    /// much that was; 0: the end.
    ///
    /// # Errors
    /// If the bytes cannot be had.
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<usize>;

    /// The same into a slice that is not empty.
    ///
    /// # Errors
    /// As for [`Input::append`].
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

/// A file opened for writing. Offsets are explicit: there is no place where it stands.
pub trait Edited: Send {
    /// Its length in bytes.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn length(&mut self) -> Result<u64>;

    /// Reads what there is at this offset, less than the buffer only at the end.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize>;

    /// Writes at this offset. An error may come as late as the next [`Edited::secure`].
    ///
    /// # Errors
    /// If the bytes cannot be written.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()>;

    /// Cuts it to this length.
    ///
    /// # Errors
    /// If it cannot be cut.
    fn cut(&mut self, length: u64) -> Result<()>;

    /// Waits until everything is written, and makes it survive a power loss where the place lets us.
    ///
    /// # Errors
    /// If something of it may be missing.
    fn secure(&mut self) -> Result<()>;
}

/// Reads with decoders that want the standard trait. An error of ours travels inside the standard one.
pub struct AsRead<R>(pub R);

impl std::io::Read for AsRead<&mut dyn Input> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.0.read(buffer).map_err(std::io::Error::other)
    }
}

impl std::io::Read for AsRead<(&mut dyn Edited, u64)> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (file, at) = &mut self.0;
        let count = file.read_at(buffer, *at).map_err(std::io::Error::other)?;
        *at += count as u64;
        Ok(count)
    }
}

/// An error that travelled through a decoder, as ours again.
pub fn unwrapped(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::of_io(error),
    }
}

/// Nothing is there.
pub fn missing() -> Error {
    Error::of_io(rustix::io::Errno::NOENT.into())
}
