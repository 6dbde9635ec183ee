//! Codes of the area `comply`: what the static flow check finds.

use super::Code;

/// Sensitive data reaches a target that is not cleared for it.
pub static FLOW: Code = Code::new(
    "comply-flow",
    "sensitive data reaches a target that is not cleared for it",
    "Data classes travel through every expression of a mapping. A class arrived at a target whose connector does not list it under `clearance`. Either the system may hold such data: then add the class to `clearance`; or it may not: then protect the value in the transform (a mask, a keyed token) or leave the field out. A class clears everything below it.",
);
/// Sensitive data decides what is written.
pub static CONTROL_FLOW: Code = Code::new(
    "comply-control-flow",
    "sensitive data decides what is written",
    "No sensitive value is written, but a condition reads one: whoever sees the target can tell something about it from which records or values are there. It is an error for health data, special categories and card authentication data, else a warning. Base the condition on another field, or clear the target for the class.",
);
/// Card authentication data is written.
pub static PROHIBITED: Code = Code::new(
    "comply-prohibited",
    "card authentication data must not be stored",
    "Card verification codes, PINs and track data are never stored after authorisation (PCI DSS 3.3.1), not even encrypted, whatever a target is cleared for. Leave the field out of the mapping.",
);
/// A rule of the project's own is broken.
pub static RULE: Code = Code::new(
    "comply-rule",
    "a rule of the project is broken",
    "A rule under `compliance: { rules }`, or of a pack that is used there, holds for this connector, mapping or flow. The finding names the rule, what it asks and the control it serves. Change what it is about, or let somebody answer for it for a while: `compliance: { waivers }` with `check: NAME_OF_THE_RULE`.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[&FLOW, &CONTROL_FLOW, &PROHIBITED, &RULE];
