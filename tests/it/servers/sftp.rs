//! An OpenSSH server that offers nothing but SFTP.
//!
//! As root it has a user of its own with a password and a key; that account lives in a private mount
//! namespace alone. As anybody else it serves that user, by key only: every test runs, but no password
//! is tried.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::free_port;
use crate::support::cannot;

/// The password of the user, where there is one.
pub const PASSWORD: &str = "a secret of the test";
/// What the second key is encrypted with.
pub const PASSPHRASE: &str = "a passphrase of the test";

/// A running server. Dropping it ends it.
pub struct Sftp {
    folder: tempfile::TempDir,
    child: Option<Child>,
    pub port: u16,
    pub user: String,
    /// Whether the password counts.
    pub has_password: bool,
    extra: String,
    /// Whether the folder `out` lies on a disk of its own that is nearly full.
    small: bool,
}

impl Sftp {
    /// Starts one; `None` (and a word about it) where OpenSSH is not installed.
    pub fn start() -> Option<Self> {
        Self::with("")
    }

    /// The same with further lines of configuration.
    pub fn with(extra: &str) -> Option<Self> {
        Self::made(extra, false)
    }

    /// One whose folder `out` lies on a disk of 600 KiB, see [`Sftp::inside`]. Only root can make one:
    /// for anybody else no file may become larger than that.
    pub fn with_small_disk() -> Option<Self> {
        Self::made("", true)
    }

    /// One for all tests that need no more than a folder of their own on a server.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Sftp>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A new folder on the server: its name as the user sees it.
    pub fn own_folder(&self) -> String {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let folder = format!("out/{}", MADE.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir_all(self.file(&folder)).expect("a folder");
        self.give(&self.file(&folder));
        folder
    }

    /// A connector with a stream `items` of a folder, as it stands below its name.
    pub fn connector(&self, folder: &str, items: &str) -> String {
        format!(
            "use: sftp\n    with:\n      host: 127.0.0.1\n      port: {}\n      user: {}\n      key_file: {}\n      host_key: {}\n      \
             path: {folder}\n    streams:\n      items: {{ {items} }}\n",
            self.port,
            self.user,
            self.path("user_key").display(),
            self.host_key(),
        )
    }

    fn made(extra: &str, small: bool) -> Option<Self> {
        let installed = |name: &str| Command::new(name).arg("-?").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !Path::new("/usr/sbin/sshd").exists() || installed("ssh-keygen").is_err() {
            cannot("OpenSSH is not installed (package openssh-server)");
            return None;
        }
        let is_root = is_root_here();
        let folder = tempfile::tempdir().expect("a folder");
        let user = if is_root { "tester".to_owned() } else { whoami() };
        let mut server = Self {
            folder,
            child: None,
            port: free_port(),
            user,
            has_password: is_root,
            extra: extra.to_owned(),
            small,
        };
        std::fs::set_permissions(server.folder.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
        for name in ["files", "files/in", "files/out"] {
            std::fs::create_dir(server.path(name)).expect("a folder");
        }
        key(&server.path("host_key"), &["-t", "ed25519", "-N", ""]);
        key(&server.path("host_key_rsa"), &["-t", "rsa", "-b", "2048", "-N", ""]);
        key(&server.path("user_key"), &["-t", "ed25519", "-N", ""]);
        key(&server.path("user_key_rsa"), &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", PASSPHRASE]);
        key(&server.path("user_key_new"), &["-t", "ed25519", "-N", PASSPHRASE]);
        key(&server.path("stranger"), &["-t", "ed25519", "-N", ""]);
        let known = ["user_key.pub", "user_key_rsa.pub", "user_key_new.pub"].map(|name| server.text(name)).concat();
        std::fs::write(server.path("authorized_keys"), known).expect("authorized_keys");
        if is_root {
            server.make_user();
        }
        server.run();
        Some(server)
    }

    /// A path of the server's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file as the user sees it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path("files").join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text file")
    }

    /// The public key of the host, as `known_hosts` and `host_key` have it.
    pub fn host_key(&self) -> String {
        self.text("host_key.pub").split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// The same for its RSA key.
    pub fn rsa_host_key(&self) -> String {
        self.text("host_key_rsa.pub").split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// Another account's user and password, where the test may make one.
    fn make_user(&self) {
        let hash = Command::new("openssl").args(["passwd", "-6", PASSWORD]).output();
        let hash = hash
            .ok()
            .filter(|out| out.status.success())
            .map_or_else(|| "*".to_owned(), |out| String::from_utf8(out.stdout).expect("text").trim().to_owned());
        let others = |name: &str| -> String {
            let text = std::fs::read_to_string(name).expect("the machine's accounts");
            text.lines()
                .filter(|l| !l.starts_with("tester:") && !l.starts_with("sshd:"))
                .map(|l| format!("{l}\n"))
                .collect()
        };
        let home = self.path("files").display().to_string();
        std::fs::write(
            self.path("passwd"),
            format!(
                "{}sshd:x:64022:65534::/run/sshd:/usr/sbin/nologin\ntester:x:64023:65534::{home}:/bin/sh\n",
                others("/etc/passwd")
            ),
        )
        .expect("passwd");
        std::fs::write(
            self.path("shadow"),
            format!("{}sshd:*:19000:0:99999:7:::\ntester:{hash}:19000:0:99999:7:::\n", others("/etc/shadow")),
        )
        .expect("shadow");
        std::fs::set_permissions(self.path("shadow"), std::fs::Permissions::from_mode(0o600)).expect("mode");
        for name in ["files", "files/in", "files/out"] {
            self.give(&self.path(name));
        }
    }

    /// Gives a file to the user.
    pub fn give(&self, path: &Path) {
        if self.has_password {
            std::os::unix::fs::chown(path, Some(64023), Some(65534)).expect("chown");
        }
    }

    /// Starts the program (again).
    pub fn run(&mut self) {
        let here = |name: &str| self.path(name).display().to_string();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nPasswordAuthentication {}\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPermitRootLogin no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp -d {}\nAllowTcpForwarding no\nPermitTTY no\nMaxStartups 100\n{}\n",
            self.port,
            here("host_key"),
            here("host_key_rsa"),
            here("authorized_keys"),
            if self.has_password { "yes" } else { "no" },
            here("files"),
            self.extra,
        );
        std::fs::write(self.path("sshd_config"), config).expect("sshd_config");
        let log = std::fs::File::create(self.path("log")).expect("log");
        // It ends with its standard input: also when the tests end without dropping it.
        let serve = "/usr/sbin/sshd -D -e -f \"$1/sshd_config\" & cat; kill -KILL $!";
        let mut command;
        if self.has_password {
            command = Command::new("unshare");
            command.args(["-m", "--propagation", "private", "sh", "-ec"]).arg(format!(
                "mount --bind \"$1/passwd\" /etc/passwd; mount --bind \"$1/shadow\" /etc/shadow; mount -t tmpfs tmpfs /run; mkdir /run/sshd; if [ \"$2\" = small ]; then mount -t tmpfs -o size=600k,mode=777 tmpfs \"$1/files/out\"; fi; {serve}",
            ));
            command.arg("sh").arg(self.folder.path()).arg(if self.small { "small" } else { "usual" });
        } else {
            command = Command::new("sh");
            // A signal that is not heeded makes an error of it.
            let limit = if self.small { "trap '' XFSZ; ulimit -S -f 1200; " } else { "" };
            command.args(["-ec", &format!("{limit}{serve}"), "sh"]).arg(self.folder.path());
        }
        self.child =
            Some(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().expect("sshd starts"));
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_up(self.port) {
            assert!(Instant::now() < deadline, "sshd does not answer: {}", self.text("log"));
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// A path as the server sees it, mounts of its own included.
    pub fn inside(&self, name: &str) -> PathBuf {
        if !self.has_password {
            return self.file(name);
        }
        let pid = self.child.as_ref().expect("a running server").id();
        PathBuf::from(format!("/proc/{pid}/root{}", self.file(name).display()))
    }

    /// Gives the small disk room.
    pub fn enlarge(&self) {
        let pid = self.child.as_ref().expect("a running server").id().to_string();
        let mut command;
        if self.has_password {
            command = Command::new("nsenter");
            command.args(["-t", &pid, "-m", "mount", "-o", "remount,size=64m"]).arg(self.file("out"));
        } else {
            // Sessions take the limit over from the server, a child of the shell.
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("children");
            command = Command::new("prlimit");
            command.args(["--fsize=unlimited", "--pid", children.split_whitespace().next().expect("a child")]);
        }
        assert!(command.status().expect("it starts").success());
    }

    /// Ends the program; sessions that stand go on.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            child.wait().ok();
        }
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_up(port: u16) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-"
}

fn key(path: &Path, words: &[&str]) {
    let made = Command::new("ssh-keygen").arg("-q").args(words).arg("-f").arg(path).status().expect("ssh-keygen");
    assert!(made.success());
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn is_root_here() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.starts_with(b"0")
}
