//! A PostgreSQL server for tests: made in a folder of its own from the installed programs, on a free
//! port, once for each test process, and gone with it. Each test gets a database of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A running server.
pub struct Server {
    bin: PathBuf,
    folder: PathBuf,
    /// The port it listens on, at 127.0.0.1.
    pub port: u16,
    /// Runs the server; once its standard input ends, which it does with this process at the latest,
    /// it stops the server and removes the folder.
    guardian: Mutex<Child>,
}

/// The password of every role that tests sign in with.
pub const PASSWORD: &str = "fixture-password";

/// The server that the tests of this process share; `None` if none is installed here, which is said,
/// and is a failure in CI.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&[], &[])).as_ref()
}

impl Server {
    /// Starts a server of one's own, with further settings (`name=value`) and files beside its data.
    pub fn start(settings: &[&str], files: &[(&str, &[u8])]) -> Option<Self> {
        Self::start_with(settings, files, None)
    }

    /// Starts one that has a disk of so many MiB, as the tablespace `small`; `None` also where nobody may
    /// mount one, which is said.
    pub fn start_with_small_disk(mebibytes: u32) -> Option<Self> {
        let allowed = Command::new("unshare").args(name_space()).arg("true").output();
        if !allowed.is_ok_and(|output| output.status.success()) {
            let why = "`unshare` (Debian: util-linux) is not allowed here, so a full disk cannot be made";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            writeln!(std::io::stderr(), "skipped: {why}").expect("standard error");
            return None;
        }
        let server = Self::start_with(&[], &[], Some(mebibytes))?;
        let folder = server.folder.join("small/space");
        server.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", folder.display()));
        Some(server)
    }

    fn start_with(settings: &[&str], files: &[(&str, &[u8])], small: Option<u32>) -> Option<Self> {
        let Some(bin) = programs() else {
            let why = "PostgreSQL is not installed (Debian: postgresql)";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            writeln!(std::io::stderr(), "skipped: {why}").expect("standard error");
            return None;
        };
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("consign-postgres-{}-{nth}", std::process::id()));
        // Left by a process of this number long ago.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        std::fs::create_dir_all(folder.join("small")).expect("a folder");
        std::fs::write(folder.join("password"), PASSWORD).expect("a password file");
        for (name, content) in files {
            use std::os::unix::fs::OpenOptionsExt as _;
            let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name));
            made.and_then(|mut file| file.write_all(content)).expect("a file for the server");
        }
        if is_root() {
            let owned = Command::new("chown").args(["-R", "65534:65534"]).arg(&folder).status();
            assert!(owned.expect("chown").success());
        }
        let made = as_user(&bin.join("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "tester", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"])
            .arg("--pwfile")
            .arg(folder.join("password"))
            .output()
            .expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let guardian = guardian(&bin, &folder, port, settings, small);
        let server = Self { bin, folder, port, guardian: Mutex::new(guardian) };
        server.await_ready();
        Some(server)
    }

    /// A new, empty database; its name.
    pub fn database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The address of a database for the superuser `tester`.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://tester:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements; what they print, columns separated by `|`.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let done = self.psql(database, sql);
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim_end().to_string()
    }

    fn psql(&self, database: &str, sql: &str) -> std::process::Output {
        /// What the system takes as one argument is a little more.
        const LONG: usize = 100_000;
        let mut command = Command::new(self.bin.join("psql"));
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "tester", "-d", database])
            .args(["-p", &self.port.to_string()])
            .env("PGPASSWORD", PASSWORD)
            .env("PGCONNECT_TIMEOUT", "5");
        if sql.len() < LONG {
            return command.args(["-c", sql]).stdin(Stdio::null()).output().expect("psql");
        }
        let command = command.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("psql");
        // Statements of this length say nothing back before they are read.
        let fed = child.stdin.take().map(|mut input| input.write_all(sql.as_bytes()));
        assert!(matches!(fed, Some(Ok(()))), "psql reads");
        child.wait_with_output().expect("psql")
    }

    /// Stops the server at once, as a crash of its machine would, and starts it again.
    pub fn restart(&self) {
        self.control(&["stop", "-m", "immediate"]);
        let log = self.folder.join("restarted.log");
        self.control(&[
            "start",
            "-l",
            &log.display().to_string(),
            "-o",
            &format!("-h 127.0.0.1 -p {} -c fsync=off -k ''", self.port),
        ]);
        self.await_ready();
    }

    fn control(&self, arguments: &[&str]) {
        let done = as_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(done.expect("pg_ctl").success(), "pg_ctl {arguments:?}");
    }

    fn await_ready(&self) {
        let since = Instant::now();
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not start: {}", self.log());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut guardian = self.guardian.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(guardian.stdin.take());
        let _ = guardian.wait();
    }
}

/// A shell that runs the server until its own standard input ends.
fn guardian(bin: &Path, folder: &Path, port: u16, settings: &[&str], small: Option<u32>) -> Child {
    // It stops whatever server has the folder by then: a test may have started it anew.
    const SCRIPT: &str = r#"
        bin=$1; folder=$2; shift 2
        "$@" >"$folder/log" 2>&1 </dev/null &
        cat >/dev/null
        pid=$(head -n 1 "$folder/data/postmaster.pid")
        kill -QUIT "$pid" 2>/dev/null
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
        rm -rf "$folder"
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(bin).arg(folder);
    if let Some(mebibytes) = small {
        // Mounted where nobody else sees it, and gone with the server.
        let mount = format!(
            "mount -t tmpfs -o size={mebibytes}m,mode=0777 tmpfs \"$0\"; mkdir \"$0/space\"; \
             if [ $(id -u) = 0 ]; then chown 65534:65534 \"$0/space\"; fi; exec \"$@\""
        );
        command.arg("unshare").args(name_space()).args(["sh", "-ec", &mount]).arg(folder.join("small"));
    }
    if is_root() {
        command.args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command.arg(bin.join("postgres")).arg("-D").arg(folder.join("data"));
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", "", "-c", "fsync=off", "-c", "max_connections=50"]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a shell")
}

/// The options of `unshare` for a mount name space of one's own, in which one's user stays.
fn name_space() -> &'static [&'static str] {
    match is_root() {
        true => &["--mount"],
        false => &["--user", "--mount", "--map-current-user", "--keep-caps"],
    }
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Command {
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
            command
        }
        false => Command::new(program),
    };
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Where the server's programs are: Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|e| Some(e.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = versions
        .chain(std::env::split_paths(&path))
        .filter(|bin| ["initdb", "postgres", "pg_ctl", "psql"].iter().all(|name| bin.join(name).exists()))
        .collect();
    found.sort();
    found.pop()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
