//! What a verb is given: the global arguments, the one [`Ui`], and the way to the project.

use super::Global;
use super::ui::Ui;

/// What a verb is given.
pub(super) struct Context<'u> {
    pub(super) global: Global,
    pub(super) ui: &'u Ui,
}

impl<'u> Context<'u> {
    pub(super) fn new(global: Global, ui: &'u Ui) -> Self {
        Self { global, ui }
    }
}
