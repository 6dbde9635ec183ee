//! What compliance asks of a source record beside what the mapping reads: where it stands.

/// Where in the slots of a record what is asked for stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Governed {
    /// Who the person is.
    pub subject: Option<usize>,
    /// By what consent is looked up.
    pub by: Option<usize>,
    /// Whether there is consent.
    pub consent: Option<usize>,
    /// What it is for.
    pub purposes: Option<usize>,
    /// When it was given.
    pub given: Option<usize>,
    /// When it was withdrawn.
    pub withdrawn: Option<usize>,
    /// Where the person lives.
    pub residency: Option<usize>,
    /// Whether the person objects to sale or sharing.
    pub opt_out: Option<usize>,
    /// The age, or the date of birth.
    pub age: Option<usize>,
    /// Whether who has parental authority agreed.
    pub parental: Option<usize>,
    /// The names of these slots.
    pub names: Vec<(usize, String)>,
}

impl Governed {
    /// The name of a slot.
    pub fn name(&self, slot: usize) -> String {
        self.names.iter().find(|(known, _)| *known == slot).map(|(_, name)| name.clone()).unwrap_or_default()
    }
}
