//! What a verb is given: the global arguments, the one [`Ui`], and the way to the project.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::Global;
use super::ui::Ui;
use crate::config::{
    Catalog, Connector, Environment, FormatSpec, Found, Loaded, Mapping, Project, ProtocolSpec, Resolver, discover,
    load,
};
use crate::connect::{formats, protocols};
use crate::error::{Error, Result, Severity};
use crate::record::Timestamp;

/// What a verb is given.
pub(super) struct Context<'u> {
    pub(super) global: Global,
    pub(super) ui: &'u Ui,
}

impl<'u> Context<'u> {
    pub(super) fn new(global: Global, ui: &'u Ui) -> Self {
        Self { global, ui }
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
        load(found, self.global.profile.as_deref(), &catalog())
    }

    /// The project and its mappings, fit to run; warnings are said.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub(super) fn project(&self) -> Result<(Project, Vec<Mapping>)> {
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

    /// The folder of consign's own files.
    pub(super) fn state_folder(&self, project: &Project) -> PathBuf {
        self.global.state.clone().unwrap_or_else(|| project.root.join(".consign"))
    }
}

/// The plug-ins that a configuration is checked against.
pub(super) fn catalog() -> Catalog {
    static PROTOCOLS: OnceLock<Vec<&'static ProtocolSpec>> = OnceLock::new();
    static FORMATS: OnceLock<Vec<&'static FormatSpec>> = OnceLock::new();
    Catalog {
        protocols: PROTOCOLS.get_or_init(|| protocols::ALL.iter().map(|p| p.spec()).collect()),
        formats: FORMATS.get_or_init(|| formats::ALL.iter().map(|f| f.spec()).collect()),
    }
}

/// The moment it is, for what a mapping computes with.
pub(super) fn now() -> Timestamp {
    let now = jiff::Timestamp::now();
    Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 }
}
