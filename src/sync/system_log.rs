//! The system's log: the socket that it listens on here, and log servers over UDP (RFC 5426).

use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Where the log of this machine listens.
pub(super) const SOCKET: &str = "/dev/log";

/// Tells the log that listens on that socket. One that is behind with its reading is waited for so long and no longer.
///
/// # Errors
/// Nobody listens there, or does not take it in time.
pub(super) fn tell(socket: &str, message: &str, patience: Duration) -> io::Result<()> {
    let from = UnixDatagram::unbound()?;
    from.set_write_timeout(Some(patience))?;
    from.send_to(message.as_bytes(), socket).map(drop)
}

/// Sends to a log server, host and port. Whether it came nobody says.
///
/// # Errors
/// It could not be sent.
pub(super) fn send(at: &str, message: &str) -> io::Result<()> {
    let from = UdpSocket::bind("[::]:0").or_else(|_| UdpSocket::bind("0.0.0.0:0"))?;
    from.send_to(message.as_bytes(), at).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_takes_nothing_more_holds_nobody_up() {
        let tell = |path: &str| tell(path, "a", Duration::from_millis(50));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let path = path.to_str().unwrap();
        assert_eq!(tell(path).unwrap_err().kind(), io::ErrorKind::NotFound);
        let _log = UnixDatagram::bind(path).unwrap();
        // It never reads: its queue is full after some messages.
        let refused = (0..10_000).find_map(|_| tell(path).err()).expect("a full queue");
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock, "{refused}");
    }
}
