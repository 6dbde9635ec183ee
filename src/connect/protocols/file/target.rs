//! What stands at a file target when a run begins: a file of ours, a half-written one, one that
//! somebody else made. Decides where writing goes on.
//!
//! Beside the target `out.csv` there may be, all hidden:
//! - `.out.csv.consign.new`: begun, no group committed yet; worth nothing.
//! - `.out.csv.consign-7.part`: being written, group 7 was the first one committed into it. The
//!   number tells whether the settled group is in this file or still in the one it will replace.
//! - `.out.csv.consign.base`: what a file of somebody else's looked like before the first group
//!   of this route was appended to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::durable::Durable;
use crate::connect::{Found, Frame};
use crate::error::codes::connect::{
    GZIP_DAMAGED, NOT_A_FILE, TARGET_BUSY, TARGET_CHANGED, TARGET_FOREIGN, TARGET_UNFIT,
};
use crate::error::{Error, Kind, Result, Retry};
use crate::record::Mark;

/// How much of a file's end is looked at for its closing.
const CLOSING_BYTES: u64 = 4096;

/// Where a run writes.
pub(super) struct Target {
    pub(super) file: File,
    /// The file that is written now: the target itself or one beside it.
    pub(super) path: PathBuf,
    /// The target.
    pub(super) named: PathBuf,
    pub(super) stage: Stage,
    /// Bytes that are settled; what lies behind them is not ours to keep.
    pub(super) settled: u64,
    /// Whether the file holds its beginning and at least one record.
    pub(super) begun: bool,
    /// Whether the beginning stands but no record.
    pub(super) headed: bool,
    /// A closing stands behind the settled bytes and goes before anything is appended.
    pub(super) closed: bool,
    /// A line end is missing before the first record.
    pub(super) unended: bool,
}

/// What kind of file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Beside the target, no group committed.
    New,
    /// Beside the target, with committed groups.
    Part,
    /// The target itself.
    InPlace,
}

/// How much of a closing stands at the end of a file.
enum Closing {
    Whole,
    /// Its writing was cut short.
    Begun,
    None,
}

/// The names around a target.
pub(super) struct Names {
    pub(super) target: PathBuf,
    pub(super) folder: PathBuf,
    name: String,
}

impl Names {
    /// # Errors
    /// A target that is a folder or device, a folder that is not there.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let doing = format!("writing `{}`", path.display());
        // A link stays a link: what it leads to is replaced.
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match std::fs::metadata(&target) {
            Ok(about) if about.is_dir() => {
                return Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target is a folder").doing(doing));
            }
            Ok(about) if !about.is_file() => {
                return Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target is a pipe or device")
                    .doing(doing)
                    .hint("use `-` to write to standard output"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(doing, error)),
        }
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let about = std::fs::metadata(&folder)
            .map_err(|e| Error::io(doing.clone(), e).fact("folder", folder.display()).hint("make the folder first"))?;
        let name = target.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        match name {
            Some(name) if about.is_dir() => Ok(Self { target, folder, name }),
            Some(_) => {
                Err(Error::new(Kind::Invalid, &NOT_A_FILE, format!("`{}` is no folder", folder.display())).doing(doing))
            }
            None => Err(Error::new(Kind::Invalid, &NOT_A_FILE, "the target has no name that is text").doing(doing)),
        }
    }

    pub(super) fn new_file(&self) -> PathBuf {
        self.folder.join(format!(".{}.consign.new", self.name))
    }

    pub(super) fn part(&self, group: u64) -> PathBuf {
        self.folder.join(format!(".{}.consign-{group}.part", self.name))
    }

    pub(super) fn base(&self) -> PathBuf {
        self.folder.join(format!(".{}.consign.base", self.name))
    }

    /// The half-written files, with the first group of each, the newest first.
    pub(super) fn parts(&self) -> Result<Vec<(u64, PathBuf)>> {
        let doing = || format!("looking into `{}`", self.folder.display());
        let prefix = format!(".{}.consign-", self.name);
        let mut parts = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(|e| Error::io(doing(), e))? {
            let entry = entry.map_err(|e| Error::io(doing(), e))?;
            let name = entry.file_name();
            let group =
                name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".part")?.parse::<u64>().ok());
            if let Some(group) = group {
                parts.push((group, entry.path()));
            }
        }
        parts.sort_by(|a, b| b.cmp(a));
        Ok(parts)
    }
}

/// What the target's format puts around records, and how it is stored.
pub(super) struct Form<'f> {
    pub(super) frame: &'f Frame,
    pub(super) gzip: bool,
}

impl Target {
    /// Finds out what stands there and opens the file to write on.
    pub(super) fn open(
        names: &Names,
        form: &Form<'_>,
        anew: bool,
        settled: Option<&Mark>,
        in_doubt: bool,
        disk: &mut dyn Durable,
    ) -> Result<(Self, Found)> {
        if anew {
            return Ok((Self::begin(names)?, Found::Same));
        }
        let group = settled.map_or(0, |mark| mark.group);
        let length = settled.and_then(|mark| mark.length).unwrap_or(0);
        let mut taken_back = false;
        let mut ours = None;
        for (first, path) in names.parts()? {
            if settled.is_some() && first <= group && ours.is_none() {
                ours = Some(path);
                continue;
            }
            // A file whose first group was never settled, or that a later one took the place of.
            taken_back |= first > group;
            remove(&path)?;
        }
        let found = |taken_back: bool| if taken_back { Found::TakenBack } else { Found::Same };
        if let Some(path) = ours {
            let target = Self::go_on(names, path, length)?;
            return Ok((target, found(in_doubt || taken_back)));
        }
        match (std::fs::metadata(&names.target), settled) {
            (Err(error), _) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(names.doing(), error)),
            (Err(_), Some(_)) if length > 0 => Err(names.changed("the target is gone").fact("bytes settled", length)),
            (Err(_), _) => Ok((Self::begin(names)?, found(taken_back))),
            (Ok(_), None) => {
                let (target, back) = Self::adopt(names, form, in_doubt, in_doubt, disk)?;
                Ok((target, found(taken_back || back)))
            }
            // Taken over by a person's word: nobody knows a settled length yet.
            (Ok(_), Some(mark)) if mark.length.is_none() => {
                let (target, back) = Self::adopt(names, form, in_doubt, true, disk)?;
                Ok((target, found(taken_back || back)))
            }
            (Ok(about), Some(_)) => {
                let (target, back) = Self::append(names, form, length, about.len(), in_doubt)?;
                Ok((target, found(taken_back || back)))
            }
        }
    }

    /// A new file beside the target.
    fn begin(names: &Names) -> Result<Self> {
        let path = names.new_file();
        let failed = |e| Error::io(names.doing(), e);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(&path)
            .map_err(failed)?;
        names.lock(&file)?;
        file.set_len(0).map_err(failed)?;
        if let Ok(about) = std::fs::metadata(&names.target) {
            // Who may read the old file may read the new one, and nobody else.
            let mode = about.permissions().mode() & 0o7777;
            file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
        }
        Ok(Self::at(names, file, path, Stage::New, 0))
    }

    fn at(names: &Names, file: File, path: PathBuf, stage: Stage, settled: u64) -> Self {
        Self {
            file,
            path,
            named: names.target.clone(),
            stage,
            settled,
            begun: settled > 0,
            headed: false,
            closed: false,
            unended: false,
        }
    }

    /// On in a half-written file of ours. Nobody else knows it, so what is behind the settled
    /// length (a group in doubt, a closing) is cut off without asking.
    fn go_on(names: &Names, path: PathBuf, length: u64) -> Result<Self> {
        let failed = |e| Error::io(format!("writing `{}`", path.display()), e);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        names.lock(&file)?;
        let there = file.metadata().map_err(failed)?.len();
        if there < length {
            return Err(names
                .changed("the half-written target is shorter than what was settled")
                .fact("half-written file", path.display())
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        cut(&file, length).map_err(failed)?;
        Ok(Self::at(names, file, path, Stage::Part, length))
    }

    /// On in the target itself, which this route wrote before.
    fn append(names: &Names, form: &Form<'_>, length: u64, there: u64, in_doubt: bool) -> Result<(Self, bool)> {
        let failed = |e| Error::io(names.doing(), e);
        let file = OpenOptions::new().read(true).write(true).open(&names.target).map_err(failed)?;
        names.lock(&file)?;
        let mut target = Self::at(names, file, names.target.clone(), Stage::InPlace, length);
        if there < length {
            return Err(names
                .changed("the target is shorter than what was settled")
                .fact("bytes there", there)
                .fact("bytes settled", length));
        }
        if there == length {
            (&target.file).seek(SeekFrom::Start(length)).map_err(failed)?;
            return Ok((target, false));
        }
        // A file without records was closed with its beginning.
        let closing = match length {
            0 => [form.frame.before.as_slice(), &form.frame.after].concat(),
            _ => form.frame.after.clone(),
        };
        match form.closing_between(&target.file, length, there, &closing).map_err(failed)? {
            Closing::Whole => {
                target.closed = true;
                (&target.file).seek(SeekFrom::Start(length)).map_err(failed)?;
                return Ok((target, false));
            }
            Closing::Begun => {}
            Closing::None if in_doubt => {}
            Closing::None => {
                return Err(names
                    .changed("somebody else has written to the target")
                    .fact("bytes there", there)
                    .fact("bytes settled", length));
            }
        }
        cut(&target.file, length).map_err(failed)?;
        Ok((target, in_doubt))
    }

    /// On in a file that this route has never settled anything in. What it looks like now is
    /// secured first, so that a crash before the first settled group can be taken back.
    /// Unless somebody said that it is to be continued (`known`), it must hold no record: a state
    /// that was lost would add everything once more.
    fn adopt(
        names: &Names,
        form: &Form<'_>,
        in_doubt: bool,
        known: bool,
        disk: &mut dyn Durable,
    ) -> Result<(Self, bool)> {
        let failed = |e| Error::io(names.doing(), e);
        let file = OpenOptions::new().read(true).write(true).open(&names.target).map_err(failed)?;
        names.lock(&file)?;
        let mut there = file.metadata().map_err(failed)?.len();
        let mut taken_back = false;
        if in_doubt && let Some((length, closing)) = read_base(&names.base()) {
            if there < length {
                return Err(names.changed("the target is shorter than before this route wrote to it"));
            }
            taken_back = there != length + closing.len() as u64;
            cut(&file, length).map_err(failed)?;
            (&file).write_all(&closing).map_err(failed)?;
            there = length + closing.len() as u64;
        }
        let mut target = Self::at(names, file, names.target.clone(), Stage::InPlace, there);
        let empty = [form.frame.before.as_slice(), &form.frame.after].concat();
        if let Closing::Whole = form.closing_between(&target.file, 0, there, &empty).map_err(failed)? {
            // A run without records ended like this.
            (target.settled, target.begun, target.closed) = (0, false, true);
        } else if there > 0 {
            target.look_at(names, form, there)?;
        }
        if target.begun && !known {
            return Err(Error::new(
                Kind::Refused,
                &TARGET_FOREIGN,
                "the target holds records that this state never wrote",
            )
            .doing(names.doing())
            .fact("bytes there", there)
            .hint("was the state lost or moved? Then put it back")
            .hint(
                "`consign sync state adopt` goes on behind what is there; `--full` replaces it; or name another file",
            ));
        }
        let mut closing = vec![0; (there - target.settled) as usize];
        target.file.read_exact_at(&mut closing, target.settled).map_err(failed)?;
        write_base(names, target.settled, &closing, disk)?;
        (&target.file).seek(SeekFrom::Start(target.settled)).map_err(failed)?;
        Ok((target, taken_back))
    }

    /// Finds out whether a file of somebody else's can be continued, and where.
    fn look_at(&mut self, names: &Names, form: &Form<'_>, there: u64) -> Result<()> {
        let failed = |e| Error::io(names.doing(), e);
        let frame = form.frame;
        let foreign = |cause: &str| {
            Error::new(Kind::Refused, &TARGET_CHANGED, cause)
                .doing(names.doing())
                .hint("name another file, move this one away, or replace it with `--full`")
        };
        let beginning = trimmed(&frame.before);
        let (head, last) = form.ends(&self.file, beginning.len() + 1).map_err(|e| match form.gzip {
            true => Error::new(Kind::Refused, &GZIP_DAMAGED, "the target is no whole gzip file")
                .doing(names.doing())
                .caused_by(e),
            false => failed(e),
        })?;
        if !head.starts_with(beginning) {
            return Err(foreign("the target begins otherwise than this mapping would: its columns are not these"));
        }
        if frame.after.is_empty() {
            let lines = frame.before.ends_with(b"\n");
            if lines && !matches!(head.get(beginning.len()), None | Some(b'\r' | b'\n')) {
                return Err(foreign("the target has more columns than this mapping writes"));
            }
            self.unended = !head.is_empty() && last != Some(b'\n') && frame.between.is_empty();
            self.begun = !head.is_empty();
            return Ok(());
        }
        if form.gzip {
            return Err(foreign(
                "a compressed file with a closing cannot be continued by a route that did not write it",
            ));
        }
        let from = there.saturating_sub(CLOSING_BYTES);
        let mut end = vec![0; (there - from) as usize];
        self.file.read_exact_at(&mut end, from).map_err(failed)?;
        let Some(body) = end.trim_ascii_end().strip_suffix(trimmed(&frame.after)) else {
            return Err(foreign("the target does not end as its format demands"));
        };
        let body = body.trim_ascii_end();
        self.settled = from + body.len() as u64;
        self.closed = true;
        self.begun = self.settled > beginning.len() as u64;
        self.headed = !self.begun;
        Ok(())
    }
}

impl Names {
    pub(super) fn doing(&self) -> String {
        format!("writing `{}`", self.target.display())
    }

    /// Keeps other runs off the file that is written: another route, or the same one under
    /// another state. It is freed when the file is closed, however this process ends.
    fn lock(&self, file: &File) -> Result<()> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Environment, &TARGET_BUSY, "another process is writing the target")
                    .doing(self.doing())
                    .retry(Retry::Later)
                    .hint("wait until it ends; if two routes write this file, give each its own"))
            }
            // A file system without locks has none to give.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    fn changed(&self, cause: &str) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause)
            .doing(self.doing())
            .hint("put the file back as it was, or write it anew with `--full`")
    }
}

impl Form<'_> {
    /// How much of this closing stands between the two offsets.
    fn closing_between(&self, file: &File, from: u64, to: u64, closing: &[u8]) -> std::io::Result<Closing> {
        if closing.is_empty() || to - from > closing.len() as u64 + 1024 {
            return Ok(Closing::None);
        }
        let mut rest = vec![0; (to - from) as usize];
        file.read_exact_at(&mut rest, from)?;
        if !self.gzip {
            return Ok(match closing.strip_prefix(rest.as_slice()) {
                Some([]) => Closing::Whole,
                Some(_) => Closing::Begun,
                None => Closing::None,
            });
        }
        let mut plain = Vec::new();
        let limit = closing.len() as u64 + 1;
        let whole = MultiGzDecoder::new(rest.as_slice()).take(limit).read_to_end(&mut plain).is_ok();
        if whole && plain == closing {
            return Ok(Closing::Whole);
        }
        let mut member = GzEncoder::new(Vec::new(), flate2::Compression::default());
        member.write_all(closing)?;
        Ok(if member.finish()?.starts_with(&rest) { Closing::Begun } else { Closing::None })
    }

    /// The first bytes and the last one of the content.
    fn ends(&self, file: &File, wanted: usize) -> std::io::Result<(Vec<u8>, Option<u8>)> {
        let mut head = vec![0; wanted];
        let mut reader = file;
        reader.seek(SeekFrom::Start(0))?;
        if !self.gzip {
            let count = file.read_at(&mut head, 0)?;
            head.truncate(count);
            let length = file.metadata()?.len();
            let mut last = [0];
            let last = if length > 0 && file.read_at(&mut last, length - 1)? == 1 { Some(last[0]) } else { None };
            return Ok((head, last));
        }
        head.clear();
        let mut last = None;
        let mut decoder = MultiGzDecoder::new(std::io::BufReader::new(reader));
        let mut block = vec![0; 64 << 10];
        loop {
            let count = decoder.read(&mut block)?;
            if count == 0 {
                return Ok((head, last));
            }
            let missing = (wanted - head.len()).min(count);
            head.extend_from_slice(&block[..missing]);
            last = Some(block[count - 1]);
        }
    }
}

/// Without white space at its end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Cuts a file and stands at its end.
pub(super) fn cut(file: &File, length: u64) -> std::io::Result<()> {
    file.set_len(length)?;
    let mut file = file;
    file.seek(SeekFrom::Start(length)).map(|_| ())
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("removing `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// The length and the closing that a file had before this route; `None` if that is not known.
fn read_base(path: &Path) -> Option<(u64, Vec<u8>)> {
    let bytes = std::fs::read(path).ok()?;
    let line = bytes.iter().position(|b| *b == b'\n')?;
    let length = std::str::from_utf8(&bytes[..line]).ok()?.parse().ok()?;
    Some((length, bytes[line + 1..].to_vec()))
}

fn write_base(names: &Names, length: u64, closing: &[u8], disk: &mut dyn Durable) -> Result<()> {
    if closing.len() as u64 > CLOSING_BYTES {
        return Err(
            Error::new(Kind::Refused, &TARGET_UNFIT, "the target's closing is unusually long").doing(names.doing())
        );
    }
    let path = names.base();
    let mut secure = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&path)?;
        file.write_all(format!("{length}\n").as_bytes())?;
        file.write_all(closing)?;
        disk.secure_file(&file)?;
        disk.secure_folder(&names.folder)
    };
    secure().map_err(|e| Error::io(names.doing(), e))
}
