//! The state folder: where it may lie, who may look into it, and what is in it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::codes::store::{NETWORK, NOT_WRITABLE};
use crate::error::{Error, Kind, Result};

/// The names in a state folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder itself.
    pub root: PathBuf,
}

impl Folder {
    /// The folder at that path; nothing is touched.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }
    /// The database.
    pub fn database(&self) -> PathBuf {
        self.root.join("consign.db")
    }
    /// The key ring.
    pub fn ring(&self) -> PathBuf {
        self.root.join("keys")
    }
    /// The folder of sealed segments of the audit log.
    pub fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }
    /// The folder of lock files.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// Makes the folder and what belongs into it, each readable by its owner alone.
    ///
    /// # Errors
    /// It cannot be made or written, or lies on a network file system.
    pub fn prepare(&self, allow_network: bool) -> Result<Vec<String>> {
        let mut notices = Vec::new();
        for folder in [self.root.clone(), self.locks()] {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| self.unwritable(&folder, e))?;
        }
        if !allow_network {
            self.refuse_network()?;
        }
        // A folder may be writable by its mode and still lie on a read-only mount: ask by writing.
        let database = self.database();
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&database)
            .map_err(|e| self.unwritable(&database, e))?;
        for path in [&self.root, &database, &self.ring()] {
            if let Ok(meta) = path.metadata()
                && meta.permissions().mode() & 0o077 != 0
                && meta.uid() == rustix::process::getuid().as_raw()
            {
                let mode = if meta.is_dir() { 0o700 } else { 0o600 };
                if std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).is_ok() {
                    notices.push(format!("`{}` was open to other users; it is closed now", path.display()));
                }
            }
        }
        Ok(notices)
    }

    fn unwritable(&self, path: &Path, error: std::io::Error) -> Error {
        use std::io::ErrorKind as K;
        let doing = format!("preparing the state folder `{}`", self.root.display());
        match error.kind() {
            K::PermissionDenied | K::ReadOnlyFilesystem => {
                Error::new(Kind::Denied, &NOT_WRITABLE, format!("`{}` cannot be written", path.display()))
                    .doing(doing)
                    .hint("name a folder that this user may write to with `--state DIR` or CONSIGN_STATE")
                    .caused_by(error)
            }
            _ => Error::io(doing, error),
        }
    }

    fn refuse_network(&self) -> Result<()> {
        let Ok(facts) = rustix::fs::statfs(&self.root) else { return Ok(()) };
        let Some(kind) = network_kind(facts.f_type as u64 & 0xffff_ffff) else { return Ok(()) };
        Err(Error::new(
            Kind::Invalid,
            &NETWORK,
            format!("the state folder `{}` is on a network file system ({kind})", self.root.display()),
        )
        .hint("put the state on a local disk with `--state DIR` or CONSIGN_STATE"))
    }
}

/// Replaces a file so that a crash leaves the old or the new one: a new name, fsync, rename, fsync of the folder.
///
/// # Errors
/// As the operating system says.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_file_as(path, bytes, 0o600)
}

/// The same for a file that others may read, by its mode.
///
/// # Errors
/// As the operating system says.
pub fn replace_file_as(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let doing = || format!("writing `{}`", path.display());
    let fresh = path.with_extension(format!("new{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        File::open(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&fresh);
        Error::io(doing(), error)
    })
}

/// The name of a network file system, by the magic numbers of `statfs(2)` and the kernel's `magic.h`.
fn network_kind(magic: u64) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517b => "SMB",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB2",
        0x0102_1997 => "9P",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        0x7375_7245 => "Coda",
        0x564c => "NCP",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_and_local_ones_pass() {
        assert_eq!(network_kind(0x6969), Some("NFS"));
        assert_eq!(network_kind(0xff53_4d42), Some("CIFS"));
        for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert_eq!(network_kind(local), None);
        }
    }

    #[test]
    fn others_cannot_look_in() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::at(&temp.path().join("a/b"));
        folder.prepare(false).unwrap();
        let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.root), mode(&folder.locks()), mode(&folder.database())), (0o700, 0o700, 0o600));
        std::fs::set_permissions(&folder.root, std::fs::Permissions::from_mode(0o755)).unwrap();
        let notices = folder.prepare(false).unwrap();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(mode(&folder.root), 0o700);
    }
}
