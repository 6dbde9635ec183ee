//! Who runs this process, from where and with which program: what every event of it carries.

use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;

use sha2::{Digest as _, Sha256};

use crate::audit::Session;
use crate::audit::session::Ci;
use crate::config::Environment;
use crate::config::auditing::Hours;
use crate::config::circumstances::Circumstances;
use crate::error::Result;
use crate::store::Store;

/// Names of programs that start others by the clock.
const SCHEDULERS: &[&str] = &["cron", "crond", "anacron", "fcron", "atd", "supercronic", "dcron"];

/// The session of this process, without its program.
pub(super) fn session(environment: &str, hours: &Hours) -> Session {
    let told = Circumstances::of(&Environment::process());
    let terminal = std::io::stdin().is_terminal();
    let uid = rustix::process::getuid();
    let origin = match &told {
        Circumstances { origin: Some(said), .. } => said,
        told if told.ci.is_some() => "ci",
        _ if terminal => "terminal",
        told if told.systemd => "systemd",
        told if told.kubernetes => "kubernetes",
        _ if started_by_the_clock() => "cron",
        _ => "script",
    };
    let kind = match origin {
        "ci" => "pipeline",
        "terminal" if uid.is_root() => "admin",
        "terminal" => "person",
        _ => "service",
    };
    Session {
        actor: Some(told.user.unwrap_or_else(|| format!("uid:{}", uid.as_raw()))),
        actor_kind: Some(kind),
        on_behalf_of: told.behind,
        origin: Some(origin),
        host: Some(rustix::system::uname().nodename().to_string_lossy().into_owned()).filter(|host| !host.is_empty()),
        pid: Some(std::process::id()),
        ip: told.ip,
        ci: told.ci.map(|ci| Ci {
            system: ci.system.to_string(),
            run: ci.run,
            actor: ci.actor,
            commit: ci.commit,
            claimed: true,
        }),
        tool: Some(format!("consign {}", env!("CARGO_PKG_VERSION"))),
        environment: Some(environment.to_string()),
        off_hours: is_off_hours(&jiff::Zoned::now(), hours),
    }
}

/// Whether people do not work now.
fn is_off_hours(now: &jiff::Zoned, hours: &Hours) -> bool {
    let there = hours.timezone.as_ref().and_then(|name| now.in_tz(name).ok());
    let now = there.as_ref().unwrap_or(now);
    !hours.include(now.weekday().to_monday_zero_offset().unsigned_abs().into(), now.hour())
}

/// Says which program it is, by the hash of its file: worked out once for each file, then remembered.
///
/// # Errors
/// The state cannot be written.
pub(super) fn know_program(store: &mut Store) -> Result<()> {
    let Ok(path) = std::env::current_exe() else { return Ok(()) };
    let Ok(meta) = path.metadata() else { return Ok(()) };
    let version = env!("CARGO_PKG_VERSION");
    let key = format!("{}:{}:{}:{}:{}", meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec());
    store.know_program(&key, version, || {
        let mut file = std::fs::File::open(&path).ok()?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match std::io::Read::read(&mut file, &mut buffer).ok()? {
                0 => return Some(crate::audit::chain::hex(&hash.finalize())),
                read => hash.update(&buffer[..read]),
            }
        }
    })
}

/// Whether a scheduler is among the processes that this one descends from.
fn started_by_the_clock() -> bool {
    let mut pid = std::process::id();
    for _ in 0..8 {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
        // `1234 (name) S 1 …`: the name may hold blanks and brackets.
        let Some((front, back)) = stat.rsplit_once(')') else { return false };
        let name = front.split_once('(').map_or("", |(_, name)| name).to_lowercase();
        if SCHEDULERS.contains(&name.as_str()) {
            return true;
        }
        match back.split_whitespace().nth(1).and_then(|parent| parent.parse().ok()) {
            Some(parent) if parent > 1 => pid = parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Hours;

    #[test]
    fn nights_and_weekends_are_off_hours() {
        let check = |hours: &Hours, moment: &str, expected: bool| {
            let zoned: jiff::Zoned = format!("{moment}[UTC]").parse().unwrap();
            assert_eq!(super::is_off_hours(&zoned, hours), expected, "{moment} {hours:?}");
        };
        let usual = Hours::default();
        check(&usual, "2026-03-04T05:59:59", true);
        check(&usual, "2026-03-04T06:00:00", false);
        check(&usual, "2026-03-04T21:59:59", false);
        check(&usual, "2026-03-04T22:00:00", true);
        check(&usual, "2026-03-07T12:00:00", true);
        // Saturday and Sunday, through the night.
        let days = [false, false, false, false, false, true, true];
        let nights = Hours { from: 20, until: 4, days, timezone: Some("Asia/Tokyo".into()) };
        check(&nights, "2026-03-07T10:59:59", true);
        check(&nights, "2026-03-07T11:00:00", false);
        check(&nights, "2026-03-07T18:59:59", false);
        check(&nights, "2026-03-07T19:00:00", true);
        check(&nights, "2026-03-04T12:00:00", true);
        let always = Hours { from: 0, until: 24, days: [true; 7], timezone: None };
        check(&always, "2026-03-07T23:59:59", false);
    }
}
