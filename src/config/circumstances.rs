//! Who works with consign and from where, as far as the environment tells. All of it is what variables claim.

use super::environment::{CI, CONSIGN_ORIGIN, Environment};

/// What can start consign.
pub const ORIGINS: [&str; 6] = ["terminal", "cron", "systemd", "kubernetes", "ci", "script"];

/// What the environment tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The name of the account.
    pub user: Option<String>,
    /// Who became another account with `sudo` or `doas`.
    pub behind: Option<String>,
    /// The address that the terminal was reached from.
    pub ip: Option<String>,
    /// The run of a CI system.
    pub ci: Option<CiRun>,
    /// What started consign, as somebody says.
    pub origin: Option<&'static str>,
    /// Whether systemd started it.
    pub systemd: bool,
    /// Whether it runs in a Kubernetes cluster.
    pub kubernetes: bool,
}

/// The run of a CI system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CiRun {
    /// Which system.
    pub system: &'static str,
    /// Its id of the run.
    pub run: Option<String>,
    /// Who made it run.
    pub actor: Option<String>,
    /// Which commit it runs on.
    pub commit: Option<String>,
}

/// A CI system: its name, the variable that tells that it is this one, and those of run, actor and commit.
type System = (&'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// The CI systems that are told apart, by what their manuals say that they set.
static SYSTEMS: &[System] = &[
    ("github", "GITHUB_ACTIONS", &["GITHUB_RUN_ID"], &["GITHUB_ACTOR"], &["GITHUB_SHA"]),
    ("gitlab", "GITLAB_CI", &["CI_JOB_ID", "CI_PIPELINE_ID"], &["GITLAB_USER_LOGIN"], &["CI_COMMIT_SHA"]),
    ("forgejo", "FORGEJO_ACTIONS", &["FORGEJO_RUN_ID"], &["FORGEJO_ACTOR"], &["FORGEJO_SHA"]),
    ("jenkins", "JENKINS_URL", &["BUILD_TAG"], &["BUILD_USER_ID"], &["GIT_COMMIT"]),
    ("azure", "TF_BUILD", &["BUILD_BUILDID"], &["BUILD_REQUESTEDFOR"], &["BUILD_SOURCEVERSION"]),
    ("buildkite", "BUILDKITE", &["BUILDKITE_BUILD_ID"], &["BUILDKITE_BUILD_CREATOR"], &["BUILDKITE_COMMIT"]),
    ("circleci", "CIRCLECI", &["CIRCLE_WORKFLOW_ID"], &["CIRCLE_USERNAME"], &["CIRCLE_SHA1"]),
    ("bitbucket", "BITBUCKET_BUILD_NUMBER", &["BITBUCKET_BUILD_NUMBER"], &[], &["BITBUCKET_COMMIT"]),
    ("teamcity", "TEAMCITY_VERSION", &["BUILD_NUMBER"], &[], &["BUILD_VCS_NUMBER"]),
    ("travis", "TRAVIS", &["TRAVIS_BUILD_ID"], &[], &["TRAVIS_COMMIT"]),
    ("woodpecker", "CI_PIPELINE_FORGE_URL", &["CI_PIPELINE_NUMBER"], &["CI_COMMIT_AUTHOR"], &["CI_COMMIT_SHA"]),
];

impl Circumstances {
    /// What this environment tells.
    pub fn of(environment: &Environment) -> Self {
        let text = |name: &str| {
            let value = environment.get(name)?.into_string().ok()?;
            Some(value).filter(|value| !value.is_empty() && value.len() <= 200)
        };
        let first = |names: &[&str]| names.iter().find_map(|name| text(name));
        let ci = SYSTEMS
            .iter()
            .find(|(_, mark, ..)| text(mark).is_some())
            .map(|(system, _, run, actor, commit)| CiRun {
                system,
                run: first(run),
                actor: first(actor),
                commit: first(commit),
            })
            .or_else(|| environment.is_set(&CI).then(|| CiRun { system: "unknown", ..CiRun::default() }));
        Self {
            user: first(&["USER", "LOGNAME"]),
            behind: first(&["SUDO_USER", "DOAS_USER"]),
            ip: text("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(str::to_string)),
            ci,
            origin: environment
                .read(&CONSIGN_ORIGIN)
                .and_then(|said| ORIGINS.iter().copied().find(|origin| *origin == said)),
            systemd: text("INVOCATION_ID").is_some(),
            kubernetes: text("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_systems_are_told_apart_and_people_behind_accounts_are_known() {
        let of = |variables: &[(&str, &str)]| Circumstances::of(&Environment::of(variables.iter().copied()));
        assert_eq!(of(&[]), Circumstances::default());
        let ci = of(&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "42"), ("GITHUB_ACTOR", "ada")]).ci;
        let ci = ci.expect("CI");
        assert_eq!((ci.system, ci.run.as_deref(), ci.actor.as_deref()), ("github", Some("42"), Some("ada")));
        assert_eq!(of(&[("CI", "1")]).ci.expect("CI").system, "unknown");
        let sudo = of(&[("USER", "root"), ("SUDO_USER", "ada"), ("SSH_CONNECTION", "192.0.2.7 1 192.0.2.1 22")]);
        assert_eq!((sudo.user.as_deref(), sudo.behind.as_deref()), (Some("root"), Some("ada")));
        assert_eq!(sudo.ip.as_deref(), Some("192.0.2.7"));
        assert_eq!(of(&[("LOGNAME", "backup")]).user.as_deref(), Some("backup"));
    }
}
