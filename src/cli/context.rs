//! What a verb is given: the global arguments, the one [`Ui`], and the way to the project.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use zeroize::Zeroizing;

use super::Global;
use super::ui::Ui;
use crate::audit::{Action, Draft, risk};
use crate::config::circumstances::Circumstances;
use crate::config::environment;
use crate::config::{
    Ambient, Catalog, Connector, Environment, FormatSpec, Found, Loaded, Mapping, Project, ProtocolSpec, Resolver,
    discover, load,
};
use crate::connect::{formats, protocols};
use crate::error::{Error, Kind, Result, Severity, codes};

use crate::record::{ClassSet, Timestamp};
use crate::store::lock;
use crate::store::{Folder, Opened, Options, Store};
use crate::sync::Stop;
use crate::sync::signals::GRACE;

/// What a verb is given.
pub(super) struct Context<'u> {
    pub(super) global: Global,
    pub(super) ui: &'u Ui,
    /// The project whose state was opened for writing: whoever is told of what was recorded is told at the end.
    recorded: std::cell::RefCell<Option<Project>>,
}

impl<'u> Context<'u> {
    pub(super) fn new(global: Global, ui: &'u Ui) -> Self {
        Self { global, ui, recorded: std::cell::RefCell::default() }
    }

    /// Where the project's files are.
    ///
    /// # Errors
    /// If there is no project.
    pub(super) fn find(&self) -> Result<Found> {
        let stand = std::env::current_dir().map_err(|e| Error::io("looking where we stand", e))?;
        let found = discover(&stand, self.global.config.as_deref())?;
        if found.is_example && self.global.config.is_none() {
            self.ui.note("there is no connectors.yaml: the example of the repository stands in");
        }
        Ok(found)
    }

    /// The project as it is, findings included.
    pub(super) fn load(&self, found: &Found) -> Loaded {
        let mut loaded = load(found, self.global.profile.as_deref(), &catalog());
        crate::comply::rules::attach(&mut loaded);
        if let Some(project) = &mut loaded.project {
            let state = self.state_folder(project);
            project.connectors.values_mut().for_each(|connector| connector.state = Some(state.clone()));
        }
        loaded
    }

    /// The project and its mappings, fit to run; warnings are said.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub(super) fn project(&self) -> Result<(Project, Vec<Mapping>)> {
        Ambient::of(&Environment::process())?;
        let loaded = self.load(&self.find()?);
        if !loaded.has_errors() {
            let warnings: Vec<_> =
                loaded.findings.iter().filter(|f| f.severity == Severity::Warning).cloned().collect();
            self.ui.findings(&warnings);
        }
        loaded.sound()
    }

    /// The connector with its references filled in.
    ///
    /// # Errors
    /// If a reference leads nowhere.
    pub(super) fn fill_in(&self, project: &Project, connector: &Connector) -> Result<Connector> {
        Resolver::new(&project.root, Environment::process()).connector(connector)
    }

    /// The state, for verbs that only read; `None` if there is none yet.
    ///
    /// # Errors
    /// If it is damaged, newer than this program, or cannot be read.
    pub(super) fn store_read(&self, project: &Project) -> Result<Option<Store>> {
        let opened = Store::open_read(&self.state_folder(project), self.store_options(project)?)?;
        Ok(opened.map(|opened| self.greet(opened)))
    }

    /// The state, for verbs that only read and make no sense without one.
    ///
    /// # Errors
    /// As for [`Context::store_read`], or if there is none.
    pub(super) fn store_must(&self, project: &Project) -> Result<Store> {
        self.store_read(project)?.ok_or_else(|| {
            let folder = self.state_folder(project);
            Error::new(Kind::Invalid, &codes::cli::NO_STATE, format!("there is no state in {}", folder.display()))
                .hint("nothing was run yet: `consign sync run --all`; `--state` or CONSIGN_STATE names another folder")
        })
    }

    /// The state, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened and written.
    pub(super) fn store(&self, project: &Project) -> Result<Store> {
        let mut store = self.greet(Store::open(&self.state_folder(project), self.store_options(project)?)?);
        if !project.audit.alerts.is_empty() {
            self.recorded.replace(Some(project.clone()));
        }
        super::session::know_program(&mut store)?;
        store.set_auditing(project.audit.enabled)?;
        store.notice_tokens()?;
        Ok(store)
    }

    /// Records that somebody looked at the log, where that is recorded.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(super) fn viewed(&self, project: &Project, action: Action, query: &str, events: usize) -> Result<()> {
        let of_connectors = project.connectors.values().flat_map(|connector| &connector.standards);
        let mut standards = project.compliance.standards.iter().chain(of_connectors);
        let asked = standards.any(|standard| standard.to_lowercase().starts_with("pci"));
        // Whose data was looked up is always told.
        if action != Action::SubjectViewed && !project.audit.views.unwrap_or(asked) {
            return Ok(());
        }
        let mut draft = Draft::new(action).detail("query", query).detail("events", events);
        draft.resource = Some("audit log".to_string());
        match self.store(project) {
            Ok(mut store) => store.record_event(draft).map(drop),
            Err(error) => {
                self.ui.warn(&format!("that the log was looked at could not be recorded: {error}"));
                Ok(())
            }
        }
    }

    /// Records that somebody looked at data of a system by hand, where there is a state: what was never run has
    /// nothing to be accounted for.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(super) fn looked(
        &self,
        project: &Project,
        looked: &Looked<'_>,
        classes: impl IntoIterator<Item = ClassSet>,
        records: usize,
    ) -> Result<()> {
        if !Folder::at(&self.state_folder(project)).database().exists() {
            return Ok(());
        }
        let classes = classes.into_iter().fold(ClassSet::NONE, ClassSet::union);
        let mut draft = Draft::new(looked.action).detail("connector", looked.connector).detail("records", records);
        draft.resource = Some(match looked.stream {
            Some(stream) => format!("{}.{stream}", looked.connector),
            None => looked.connector.to_string(),
        });
        draft.actor = who();
        draft.classes = classes.iter().map(|id| id.class().name).collect();
        draft.weighed.sensitivity = risk::sensitivity(classes.sensitivity());
        draft.weighed.records = records as u64;
        draft = draft.detail("clear", looked.clear);
        // What is shown is masked by its classes, if not in clear.
        draft.weighed.unprotected = if looked.clear { 1.0 } else { 0.4 };
        match self.store(project) {
            Ok(mut store) => store.record_event(draft).map(drop),
            // A state that only reads are allowed of: the look itself is not refused for it.
            Err(error) => {
                self.ui.warn(&format!("that this was looked at could not be recorded: {error}"));
                Ok(())
            }
        }
    }

    /// Forgets that somebody is to be told: they were.
    pub(super) fn told(&self) {
        self.recorded.replace(None);
    }

    /// Tells whoever is to be told of what was recorded. Whatever happens here changes no command's outcome.
    pub(super) fn tell(&self) {
        let Some(project) = self.recorded.take() else { return };
        let done = Store::open(
            &self.state_folder(&project),
            match self.store_options(&project) {
                Ok(options) => options,
                Err(error) => return self.ui.warn(&format!("alerts wait: {error}")),
            },
        )
        .and_then(|mut opened| {
            // Which program it is was noted when it was opened first.
            super::session::know_program(&mut opened.store)?;
            crate::sync::alerts::send(&project, &mut opened.store, false)
        });
        match done {
            Ok((_, failed)) => {
                failed.iter().for_each(|error| self.ui.warn(&format!("{error}; it waits and is tried again")));
            }
            Err(error) => self.ui.warn(&format!("alerts wait: {error}")),
        }
    }

    /// The signals that end a run, from now on. `asked`: how long it may drain, if that was said.
    ///
    /// # Errors
    /// If the environment says something that is no time, or handlers cannot be installed.
    pub(super) fn stop(&self, asked: Option<Duration>) -> Result<Stop> {
        let grace = match asked {
            Some(asked) => asked,
            None => Ambient::of(&Environment::process())?.grace.unwrap_or(GRACE),
        };
        let over = format!(
            "{} s of grace are over: what is under way is left as it is, and the next run resumes",
            grace.as_secs()
        );
        let say = self.ui.warner();
        Stop::on_signals(grace, move || say(&over))
    }

    fn store_options(&self, project: &Project) -> Result<Options> {
        let environment = Environment::process();
        let key = environment
            .read(&environment::CONSIGN_AUDIT_KEY)
            .or_else(|| environment.read(&environment::AUDIT_SECRET_KEY));
        let deadline = match project.lock_deadline {
            Some(said) => Some(said),
            None => Ambient::of(&environment)?.lock_deadline,
        };
        Ok(Options {
            audit_key: key.map(|key| Zeroizing::new(key.into_bytes())),
            show_first_key: self.ui.is_watched(),
            deadline: deadline.unwrap_or(lock::DEADLINE),
            pins: environment.pins_folder(),
            watch: Arc::new(crate::audit::rules::Watch::of(&project.audit)?),
            session: Arc::new(super::session::session(&project.environment, &project.audit.hours)),
            ..Options::default()
        })
    }

    fn greet(&self, opened: Opened) -> Store {
        for notice in &opened.notices {
            self.ui.note(notice);
        }
        opened.store
    }

    /// The folder of consign's own files.
    pub(super) fn state_folder(&self, project: &Project) -> PathBuf {
        self.global.state.clone().unwrap_or_else(|| project.root.join(".consign"))
    }
}

/// What somebody looked at by hand.
pub(super) struct Looked<'l> {
    pub(super) action: Action,
    pub(super) connector: &'l str,
    /// The stream or the operation.
    pub(super) stream: Option<&'l str>,
    /// Whether values were shown as they are.
    pub(super) clear: bool,
}

/// The plug-ins that a configuration is checked against.
pub(super) fn catalog() -> Catalog {
    static PROTOCOLS: OnceLock<Vec<&'static ProtocolSpec>> = OnceLock::new();
    static FORMATS: OnceLock<Vec<&'static FormatSpec>> = OnceLock::new();
    Catalog {
        protocols: PROTOCOLS.get_or_init(|| protocols::ALL.iter().map(|p| p.spec()).collect()),
        formats: FORMATS.get_or_init(|| formats::ALL.iter().map(|f| f.spec()).collect()),
        shelf: Some(&crate::connect::pack::SHELF),
    }
}

/// Who does what is done, as far as the environment tells.
pub(super) fn who() -> Option<String> {
    Circumstances::of(&Environment::process()).user
}

/// The moment it is, in nanoseconds since 1970.
pub(super) fn now_ns() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// The moment it is, for what a mapping computes with.
pub(super) fn now() -> Timestamp {
    let now = jiff::Timestamp::now();
    Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 }
}
