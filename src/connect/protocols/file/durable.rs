//! The calls after which something survives a power loss, in one place: a test stands in for
//! them and forgets all that was not secured.

use std::fs::File;
use std::io;
use std::path::Path;

/// Secures what was written. Everything else the sink does with files is gone after a power loss
/// unless one of these was called.
pub(super) trait Durable: Send {
    /// Secures the content and length of a file.
    fn secure_file(&mut self, file: &File) -> io::Result<()>;
    /// Secures the names in a folder.
    fn secure_folder(&mut self, folder: &Path) -> io::Result<()>;
    /// The same for one more file.
    fn another(&self) -> Box<dyn Durable>;
}

/// The operating system's own.
pub(super) struct Disk;

impl Durable for Disk {
    fn secure_file(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn secure_folder(&mut self, folder: &Path) -> io::Result<()> {
        match File::open(folder)?.sync_all() {
            // Some file systems cannot sync a folder and keep names by themselves.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            outcome => outcome,
        }
    }

    fn another(&self) -> Box<dyn Durable> {
        Box::new(Self)
    }
}
