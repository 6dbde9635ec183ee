//! Exit codes: a public contract with schedulers, tested one by one.

use super::Kind;

/// How the process ends. The numbers are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Everything asked for was done, rejects within the declared tolerance included.
    Done,
    /// The run failed, or a bug of ours.
    Failed,
    /// Usage, configuration, mapping or contract invalid.
    Invalid,
    /// The surroundings: unreachable, time-out, quota spent.
    Environment,
    /// Sign-in or permission.
    Denied,
    /// Finished, not whole.
    Partial,
    /// Refused by a compliance rule or a guard.
    Refused,
    /// Another run holds the lock.
    Locked,
    /// Audit chain or state fails verification.
    Tampered,
    /// Differences found (`--detailed-exitcode`).
    Differences,
    /// Drained after SIGINT.
    Interrupted,
    /// Drained after SIGTERM.
    Terminated,
}

/// One row of the table of exit codes: number, meaning, what a scheduler does.
pub struct Row {
    /// The exit.
    pub exit: Exit,
    /// The process exit status.
    pub number: u8,
    /// What it means, one sentence.
    pub meaning: &'static str,
    /// How a scheduler should react.
    pub reaction: &'static str,
}

/// Every exit code, in the order of the numbers; the reference is made from it.
pub const TABLE: &[Row] = &[
    row(
        Exit::Done,
        0,
        "everything asked for was done (rejects within the mapping's declared tolerance included, and said)",
        "fine",
    ),
    row(Exit::Failed, 1, "the run failed, or a bug of ours", "alert; a retry is safe"),
    row(Exit::Invalid, 2, "usage, configuration, mapping or contract invalid", "never retry"),
    row(Exit::Environment, 3, "environment: unreachable, time-out, disk full, quota spent", "retry later"),
    row(Exit::Denied, 4, "sign-in or permission", "page a person"),
    row(
        Exit::Partial,
        5,
        "finished, not whole: dead letters past the tolerance, a cap reached, a suspicious empty read, doubt left",
        "ticket",
    ),
    row(Exit::Refused, 6, "refused by a compliance rule or a guard", "needs approval"),
    row(Exit::Locked, 7, "another run holds the lock", "skip"),
    row(Exit::Tampered, 8, "audit chain or state fails verification", "stop everything"),
    row(Exit::Differences, 10, "differences found (`--detailed-exitcode`)", "gate"),
    row(Exit::Interrupted, 130, "drained after SIGINT", "resume"),
    row(Exit::Terminated, 143, "drained after SIGTERM", "resume"),
];

const fn row(exit: Exit, number: u8, meaning: &'static str, reaction: &'static str) -> Row {
    Row { exit, number, meaning, reaction }
}

/// With several results the worst wins, in this order.
const WORST_FIRST: &[Exit] = &[
    Exit::Tampered,
    Exit::Refused,
    Exit::Denied,
    Exit::Invalid,
    Exit::Failed,
    Exit::Environment,
    Exit::Locked,
    Exit::Partial,
    Exit::Terminated,
    Exit::Interrupted,
    Exit::Differences,
    Exit::Done,
];

impl Exit {
    /// The exit code of a kind of error: the one place where this is decided.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Failed | Kind::Bug => Self::Failed,
            Kind::Invalid => Self::Invalid,
            Kind::Environment => Self::Environment,
            Kind::Denied => Self::Denied,
            Kind::Refused => Self::Refused,
            Kind::Locked => Self::Locked,
            Kind::Tampered => Self::Tampered,
            Kind::Partial => Self::Partial,
            Kind::Interrupted => Self::Interrupted,
        }
    }

    /// The process exit status.
    pub fn number(self) -> u8 {
        TABLE.iter().find(|row| row.exit == self).map_or(1, |row| row.number)
    }

    /// Of two results the worse one.
    pub fn worst(self, other: Self) -> Self {
        let rank = |e: Self| WORST_FIRST.iter().position(|x| *x == e).unwrap_or(0);
        if rank(self) <= rank(other) { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_contract() {
        let numbers: Vec<u8> = TABLE.iter().map(|r| r.number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 130, 143]);
        assert_eq!(TABLE.len(), WORST_FIRST.len());
    }

    #[test]
    fn the_worst_wins_in_the_order_8_6_4_2_1_3_7_5() {
        let order = [8, 6, 4, 2, 1, 3, 7, 5];
        let exit = |n: u8| TABLE.iter().find(|r| r.number == n).map(|r| r.exit).unwrap_or(Exit::Done);
        for pair in order.windows(2) {
            assert_eq!(exit(pair[0]).worst(exit(pair[1])), exit(pair[0]));
            assert_eq!(exit(pair[1]).worst(exit(pair[0])), exit(pair[0]));
        }
        assert_eq!(Exit::Done.worst(Exit::Partial), Exit::Partial);
    }
}
