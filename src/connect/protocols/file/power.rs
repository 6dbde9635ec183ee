//! A power loss, played: all that was not secured is gone, and the next run must still find
//! every settled group.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use super::durable::Durable;
use super::local::Local;
use crate::connect::bytes::ByteSink;
use crate::connect::bytes::compression::Packing;
use crate::connect::{Batch, Frame, Sink};
use crate::record::Mark;

/// What would be on the disk after a power loss.
#[derive(Default)]
struct Platter {
    /// Secured content by inode.
    contents: BTreeMap<u64, Vec<u8>>,
    /// Secured names.
    names: BTreeMap<String, u64>,
    /// Calls left before the power goes.
    left: Option<u32>,
}

/// Secures into the platter. Real files stand for what the page cache holds.
struct Lossy(Arc<Mutex<Platter>>, std::path::PathBuf);

impl Platter {
    fn tick(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Durable for Lossy {
    fn secure_file(&mut self, file: &File) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.tick()?;
        let about = file.metadata()?;
        let mut content = vec![0; about.len() as usize];
        std::os::unix::fs::FileExt::read_exact_at(&readable(file)?, &mut content, 0)?;
        platter.contents.insert(about.ino(), content);
        Ok(())
    }

    fn secure_folder(&mut self, folder: &Path) -> io::Result<()> {
        assert_eq!(folder, self.1);
        let mut platter = self.0.lock().unwrap();
        platter.tick()?;
        platter.names = std::fs::read_dir(folder)?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name().into_string().unwrap(), entry.metadata()?.ino()))
            })
            .collect::<io::Result<_>>()?;
        Ok(())
    }

    fn another(&self) -> Box<dyn Durable> {
        Box::new(Self(self.0.clone(), self.1.clone()))
    }
}

/// The same file, opened for reading.
fn readable(file: &File) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The folder as the platter has it.
fn lose_power(folder: &Path, platter: &Mutex<Platter>) {
    let mut platter = platter.lock().unwrap();
    let old: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    // Named away first: a new file must not get an inode that the platter knows.
    let grave = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
    for path in &old {
        std::fs::rename(path, grave.path().join(path.file_name().unwrap())).unwrap();
    }
    let names = std::mem::take(&mut platter.names);
    let contents = std::mem::take(&mut platter.contents);
    for (name, inode) in names {
        let content = contents.get(&inode).cloned().unwrap_or_default();
        std::fs::write(folder.join(&name), &content).unwrap();
        let inode = std::fs::metadata(folder.join(&name)).unwrap().ino();
        platter.names.insert(name, inode);
        platter.contents.insert(inode, content);
    }
    platter.left = None;
}

/// The state of the route: what was settled, and whether an intent was recorded after it.
#[derive(Clone, Default)]
struct Store {
    mark: Option<Mark>,
    settled: u32,
    in_doubt: bool,
}

/// Groups of two records each, from the settled one to `until`, then the end. Stops where the
/// power goes.
fn run(
    folder: &Path,
    packing: Option<Packing>,
    frame: &Frame,
    platter: &Arc<Mutex<Platter>>,
    store: &RefCell<Store>,
    until: u32,
) -> crate::error::Result<()> {
    let place = Box::new(Local::secured_by(Box::new(Lossy(platter.clone(), folder.to_owned()))));
    let mut sink = ByteSink::new(place, folder.join("out"), frame.clone(), packing, false).owned_by("l", "r");
    let (mark, in_doubt) = { (store.borrow().mark.clone(), store.borrow().in_doubt) };
    sink.open(mark.as_ref(), in_doubt)?;
    loop {
        let number = store.borrow().settled + 1;
        if number > until {
            return sink.finish();
        }
        store.borrow_mut().in_doubt = true;
        let bytes = [format!("{number}a\n").as_bytes(), &frame.between, format!("{number}b\n").as_bytes()].concat();
        sink.write(&Batch { bytes, records: 2, ..Batch::default() })?;
        let mark = Mark {
            log_id: "l".into(),
            route: "r".into(),
            group: u64::from(number),
            fence: 1,
            length: None,
            known: None,
        };
        let receipt = sink.commit(&mark)?;
        *store.borrow_mut() = Store {
            mark: Some(Mark { length: receipt.length, known: receipt.known, ..mark }),
            settled: number,
            in_doubt: false,
        };
    }
}

fn content(path: &Path, packing: Option<Packing>) -> String {
    let bytes = std::fs::read(path).unwrap();
    let Some(packing) = packing else { return String::from_utf8(bytes).unwrap() };
    let mut text = String::new();
    io::Read::read_to_string(&mut packing.unpacked(bytes.as_slice()).unwrap(), &mut text).unwrap();
    text
}

fn expected(frame: &Frame, until: u32, before: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut records: Vec<String> = before.lines().map(|line| format!("{line}\n")).collect();
    records.extend((1..=until).flat_map(|n| [format!("{n}a\n"), format!("{n}b\n")]));
    [text(&frame.head(records.len() as u64)), records.join(&text(&frame.between)), text(&frame.after)].concat()
}

#[test]
fn a_power_loss_at_any_moment_keeps_every_settled_group() {
    let lines = Frame { before: b"head\n".to_vec(), ..Frame::default() };
    let brackets =
        Frame { before: b"[\n".to_vec(), between: b",".to_vec(), after: b"]\n".to_vec(), ..Frame::default() };
    let counted =
        Frame { before: b"<all n=''>".to_vec(), between: b",".to_vec(), after: b"</all>".to_vec(), count_at: Some(8) };
    let packings = [None, Some(Packing::Gzip), Some(Packing::Zstd)];
    let cells = packings.iter().flat_map(|packing| [(&lines, *packing), (&brackets, *packing)]);
    for (frame, packing) in cells.chain([(&counted, None)]) {
        for foreign in [false, true] {
            if foreign && !frame.after.is_empty() && (packing.is_some() || frame.count_at.is_some()) {
                continue;
            }
            let mut crashes = 0;
            for moment in 0..60 {
                let above = tempfile::tempdir().unwrap();
                let folder = above.path().join("folder");
                std::fs::create_dir(&folder).unwrap();
                let platter = Arc::new(Mutex::new(Platter::default()));
                let before = if foreign { "0a\n" } else { "" };
                if foreign {
                    let whole = expected(frame, 0, before);
                    let bytes = match packing {
                        Some(packing) => packing.packed(whole.as_bytes()).unwrap(),
                        None => whole.into_bytes(),
                    };
                    std::fs::write(folder.join("out"), bytes).unwrap();
                    let mut disk = Lossy(platter.clone(), folder.clone());
                    disk.secure_file(&File::open(folder.join("out")).unwrap()).unwrap();
                    disk.secure_folder(&folder).unwrap();
                }
                // A file of somebody else's is continued once a person has said so.
                let mark = foreign.then(Mark::default);
                let store = Rc::new(RefCell::new(Store { mark, ..Store::default() }));
                // Two runs: a new target, then one that is continued. The power goes in one of them.
                platter.lock().unwrap().left = Some(moment);
                let went = run(&folder, packing, frame, &platter, &store, 3)
                    .and_then(|()| run(&folder, packing, frame, &platter, &store, 5));
                crashes += u32::from(went.is_err());
                lose_power(&folder, &platter);
                let secured = store.borrow().settled;
                let text = format!("{frame:?} packing {packing:?} foreign {foreign} moment {moment} settled {secured}");
                run(&folder, packing, frame, &platter, &store, 6).unwrap_or_else(|e| panic!("{text}: {e:?}"));
                let wanted = expected(frame, 6, before);
                // White space before a closing of somebody else's goes with the closing.
                let there = content(&folder.join("out"), packing).replace("0a,", "0a\n,");
                assert_eq!(there, wanted, "{text}");
                lose_power(&folder, &platter);
                assert_eq!(content(&folder.join("out"), packing).replace("0a,", "0a\n,"), wanted, "{text}, again");
            }
            assert!(crashes >= 8, "{crashes} crashes are too few to mean something");
        }
    }
}
