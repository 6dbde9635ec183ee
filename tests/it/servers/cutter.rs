//! A stretch of network that breaks on purpose: it passes bytes on to a server and cuts connections
//! after so many of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// When a connection is cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// After so many bytes from the server …
    pub down: u64,
    /// … or so many to it.
    pub up: u64,
    /// Whether it goes silent instead: nothing passes any more, and nobody hangs up.
    pub silent: bool,
}

impl Cut {
    pub fn down(bytes: u64) -> Self {
        Self { down: bytes, up: u64::MAX, silent: false }
    }

    pub fn up(bytes: u64) -> Self {
        Self { down: u64::MAX, up: bytes, silent: false }
    }
}

#[derive(Default)]
struct Shared {
    /// Cuts to come, one per connection; connections after them stand.
    cuts: Mutex<Vec<Cut>>,
    down: AtomicU64,
    up: AtomicU64,
    ended: AtomicBool,
}

/// Listens until it is dropped.
pub struct Cutter {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Cutter {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let all = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if all.ended.load(Ordering::Relaxed) {
                    break;
                }
                let mut cuts = all.cuts.lock().expect("cuts");
                let cut = if cuts.is_empty() { None } else { Some(cuts.remove(0)) };
                drop(cuts);
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                pump(&client, &upstream, cut.map(|c| (c.down, c.silent)), true, &all);
                pump(&upstream, &client, cut.map(|c| (c.up, c.silent)), false, &all);
            }
        });
        Self { port, shared }
    }

    /// What happens to the next connections, in order.
    pub fn next(&self, cuts: &[Cut]) {
        *self.shared.cuts.lock().expect("cuts") = cuts.to_vec();
        self.shared.down.store(0, Ordering::Relaxed);
        self.shared.up.store(0, Ordering::Relaxed);
    }

    /// Bytes that went from the server and to it since the last plan was made.
    pub fn passed(&self) -> (u64, u64) {
        (self.shared.down.load(Ordering::Relaxed), self.shared.up.load(Ordering::Relaxed))
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the listener.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

/// Passes bytes on from one side until the cut.
fn pump(to: &TcpStream, from: &TcpStream, cut: Option<(u64, bool)>, down: bool, shared: &Arc<Shared>) {
    let (mut to, mut from) = (to.try_clone().expect("a socket"), from.try_clone().expect("a socket"));
    let shared = shared.clone();
    std::thread::spawn(move || {
        let (mut left, silent) = cut.unwrap_or((u64::MAX, false));
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(count) if count > 0 => count,
                _ => break,
            };
            let counter = if down { &shared.down } else { &shared.up };
            counter.fetch_add(count as u64, Ordering::Relaxed);
            let passes = (count as u64).min(left) as usize;
            left -= passes as u64;
            if to.write_all(&buffer[..passes]).is_err() {
                break;
            }
            if left == 0 {
                if silent {
                    // Held open, and read no more: as a machine that was unplugged.
                    std::thread::park_timeout(std::time::Duration::from_secs(600));
                }
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    });
}
