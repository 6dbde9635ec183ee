//! This machine as a place: its files through the operating system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::durable::{Disk, Durable};
use crate::connect::bytes::{About, Edited, Entry, Input, Opened, Place, What};
use crate::error::codes::connect::TARGET_BUSY;
use crate::error::{Error, Kind, Result, Retry};

/// The file system.
pub(super) struct Local {
    disk: Box<dyn Durable>,
}

impl Local {
    pub(super) fn new() -> Self {
        Self::secured_by(Box::new(Disk))
    }

    /// With another way to secure what is written.
    pub(super) fn secured_by(disk: Box<dyn Durable>) -> Self {
        Self { disk }
    }
}

impl Place for Local {
    fn about(&mut self, path: &Path) -> Result<Option<About>> {
        there(std::fs::metadata(path)).map(|found| found.map(|data| about(&data)))
    }

    fn is_taken(&mut self, path: &Path) -> Result<bool> {
        there(std::fs::symlink_metadata(path)).map(|found| found.is_some())
    }

    fn entries(&mut self, folder: &Path) -> Result<Option<Vec<Entry>>> {
        let Some(listing) = there(std::fs::read_dir(folder))? else { return Ok(None) };
        let mut entries = Vec::new();
        for entry in listing {
            let entry = entry.map_err(Error::of_io)?;
            let kind = entry.file_type().map_err(Error::of_io)?;
            // A name that is no text cannot be asked for by a pattern.
            let Ok(name) = entry.file_name().into_string() else { continue };
            entries.push(Entry { name, what: what(kind), about: None });
        }
        Ok(Some(entries))
    }

    fn open(&mut self, path: &Path) -> Result<Box<dyn Opened>> {
        Ok(Box::new(Reading(File::open(path).map_err(Error::of_io)?)))
    }

    fn resolve(&mut self, path: &Path) -> Result<PathBuf> {
        Ok(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }

    fn edit(&mut self, path: &Path) -> Result<Box<dyn Edited>> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::of_io)?;
        self.writing(file)
    }

    fn create(&mut self, path: &Path, mode: Option<u32>) -> Result<Box<dyn Edited>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let file = options.open(path).map_err(Error::of_io)?;
        let mut writing = self.writing(file.try_clone().map_err(Error::of_io)?)?;
        writing.cut(0)?;
        if let Some(mode) = mode {
            file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(Error::of_io)?;
        }
        Ok(writing)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to).map_err(Error::of_io)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        there(std::fs::remove_file(path)).map(|_| ())
    }

    fn secure_folder(&mut self, folder: &Path) -> Result<()> {
        self.disk.secure_folder(folder).map_err(Error::of_io)
    }
}

impl Local {
    /// Keeps other runs off the file that is written: another route, or the same one under
    /// another state. It is freed when the file is closed, however this process ends.
    fn writing(&self, file: File) -> Result<Box<dyn Edited>> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Environment, &TARGET_BUSY, "another process is writing the target")
                    .retry(Retry::Later)
                    .hint("wait until it ends; if two routes write this file, give each its own"))
            }
            // A file system without locks has none to give.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Box::new(Writing { file, disk: self.disk.another() })),
        }
    }
}

/// What is there; `None` if nothing is.
fn there<T>(outcome: io::Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::of_io(error)),
    }
}

fn what(kind: std::fs::FileType) -> What {
    if kind.is_file() {
        What::File
    } else if kind.is_dir() {
        What::Folder
    } else if kind.is_symlink() {
        What::Link
    } else if kind.is_fifo() {
        What::Pipe
    } else {
        What::Other
    }
}

fn about(data: &std::fs::Metadata) -> About {
    About {
        what: what(data.file_type()),
        length: data.len(),
        modified: data.mtime().wrapping_mul(1_000_000_000).wrapping_add(data.mtime_nsec()),
        object: Some((data.dev(), data.ino())),
        mode: data.permissions().mode(),
    }
}

struct Reading(File);

impl Opened for Reading {
    fn about(&mut self) -> Result<About> {
        self.0.metadata().map(|data| about(&data)).map_err(Error::of_io)
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.0.read_exact_at(buffer, offset).map_err(Error::of_io)
    }

    fn input(&mut self, from: u64, _to: u64) -> Result<Box<dyn Input>> {
        let mut file = self.0.try_clone().map_err(Error::of_io)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(from)).map_err(Error::of_io)?;
        Ok(Box::new(InOrder(file)))
    }
}

/// A file from where it stands.
pub(super) struct InOrder(pub(super) File);

impl Input for InOrder {
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        again(|| rustix::io::read(&self.0, rustix::buffer::spare_capacity(buffer)))
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        again(|| rustix::io::read(&self.0, &mut *buffer))
    }
}

/// Once more where a signal came between.
fn again(mut read: impl FnMut() -> rustix::io::Result<usize>) -> Result<usize> {
    loop {
        match read() {
            Err(rustix::io::Errno::INTR) => {}
            outcome => return outcome.map_err(|errno| Error::of_io(errno.into())),
        }
    }
}

struct Writing {
    file: File,
    disk: Box<dyn Durable>,
}

impl Edited for Writing {
    fn length(&mut self) -> Result<u64> {
        self.file.metadata().map(|data| data.len()).map_err(Error::of_io)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        self.file.read_at(buffer, offset).map_err(Error::of_io)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(Error::of_io)
    }

    fn cut(&mut self, length: u64) -> Result<()> {
        self.file.set_len(length).map_err(Error::of_io)
    }

    fn secure(&mut self) -> Result<()> {
        self.disk.secure_file(&self.file).map_err(Error::of_io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::bytes::paths::list;

    #[test]
    fn files_are_listed_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b-1.csv", "a-2.csv", "a-1.csv", ".a-0.csv", "a.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("deep/er.csv")).unwrap();
        std::fs::write(folder.path().join("deep/er.csv/c.csv"), "").unwrap();
        let names = |pattern: &str| -> Vec<String> {
            list(&mut Local::new(), folder.path(), pattern).unwrap().into_iter().map(|l| l.name).collect()
        };
        assert_eq!(names("*.csv"), ["a-1.csv", "a-2.csv", "b-1.csv"]);
        assert_eq!(names("**/*.csv"), ["a-1.csv", "a-2.csv", "b-1.csv", "deep/er.csv/c.csv"]);
        assert_eq!(names("deep/*/c.csv"), ["deep/er.csv/c.csv"]);
        assert_eq!(names("deep/*.csv/nothing/*.csv"), [""; 0]);
        assert!(
            list(&mut Local::new(), folder.path(), "nothing/*.csv").is_err(),
            "a disk that is not mounted is no empty folder"
        );
        assert_eq!(names("plain.csv"), ["plain.csv"]);
        std::fs::write(folder.path().join("odd[1].csv"), "").unwrap();
        assert_eq!(names("odd[1].csv"), ["odd[1].csv"], "a file of that very name comes first");
        for bad in ["a[b", "a**", "x/[!"] {
            assert_eq!(list(&mut Local::new(), folder.path(), bad).unwrap_err().kind(), Kind::Invalid, "{bad}");
        }
    }
}
