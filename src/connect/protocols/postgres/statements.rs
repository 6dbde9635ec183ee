//! The statements of a sink, made once: records are staged in a table of the session, and one
//! statement over all of them does what the mode asks.

use super::name::{literal, quoted};
use super::table::{Compare, Fitted, FittedColumn, Table};
use crate::config::Mode;
use crate::connect::commits;

const STAGE: &str = "pg_temp._consign_stage";
const SEEN: &str = "pg_temp._consign_seen";
/// On the numbers of the stage, where it is gone through piece by piece.
const STAGE_INDEX: &str = "_consign_stage_numbers";

/// Everything a sink says to the server more than once.
#[derive(Debug, Default)]
pub(super) struct Statements {
    /// Makes the stage, and for mirrors and rehearsals the table of keys that were seen.
    pub(super) setup: String,
    /// Takes records into the target itself. `None`: it would not do what the other statements do.
    pub(super) straight: Option<String>,
    /// Takes numbered records into the stage.
    pub(super) copy: String,
    /// Takes keys into the table of keys that were seen.
    pub(super) copy_seen: String,
    /// Takes out of the stage what a column would round; gives number and column. `None`: no
    /// column rounds.
    pub(super) unfit: Option<String>,
    /// Remembers the staged keys. `None`: nobody asks for them.
    pub(super) see: Option<String>,
    /// Whether two staged records have one key.
    pub(super) twice: String,
    /// Takes out of the stage all but the last of each key.
    pub(super) last_wins: String,
    /// Does it, for every staged record.
    pub(super) apply: String,
    /// Does it for the records from `$1` to before `$2`.
    pub(super) apply_some: String,
    /// How many staged records have their key in the target.
    pub(super) matched: String,
    /// What it would do: created, changed, unchanged, known from before, matched.
    pub(super) foresee: String,
    /// Records of the target; those of them whose key was not seen.
    pub(super) count: String,
    pub(super) count_unseen: String,
    pub(super) delete_unseen: String,
    pub(super) take_mark: String,
    pub(super) read_commit: String,
    pub(super) read_receipt: String,
    pub(super) raise_fence: String,
    pub(super) index: String,
    pub(super) unindex: String,
}

impl Statements {
    pub(super) fn new(table: &Table, fitted: &Fitted, rehearse: bool) -> Self {
        let made = Maker { table, fitted };
        let target = &fitted.table;
        let commits = &fitted.commits;
        let keyed = table.mode.keyed();
        let remembers = table.mode == Mode::Mirror || (rehearse && keyed);
        let mut setup = made.stage();
        if remembers {
            setup.push_str(&format!("; CREATE TEMP TABLE _consign_seen AS {} WITH NO DATA", made.keys_of_target()));
        }
        Self {
            setup,
            straight: made.straight(),
            copy: format!("COPY {STAGE} FROM STDIN"),
            copy_seen: format!("COPY {SEEN} FROM STDIN"),
            unfit: made.unfit(),
            see: remembers.then(|| format!("INSERT INTO {SEEN} SELECT {} FROM {STAGE} s", made.staged_keys())),
            twice: format!(
                "SELECT EXISTS (SELECT 1 FROM {STAGE} s GROUP BY {} HAVING count(*) > 1)",
                made.staged_keys()
            ),
            last_wins: format!(
                "DELETE FROM {STAGE} WHERE n IN (SELECT n FROM (SELECT n, row_number() OVER \
                 (PARTITION BY {} ORDER BY n DESC) AS place FROM {STAGE} s) AS ranked WHERE place > 1)",
                made.staged_keys()
            ),
            apply: made.apply(""),
            apply_some: made.apply("s.n >= $1 AND s.n < $2"),
            matched: format!(
                "SELECT count(*) FROM {STAGE} s WHERE EXISTS (SELECT 1 FROM {target} t WHERE {})",
                made.same_key()
            ),
            foresee: made.foresee(),
            count: format!("SELECT count(*) FROM {target}"),
            count_unseen: format!("SELECT count(*) FROM {}", made.unseen()),
            delete_unseen: format!("DELETE FROM {}", made.unseen()),
            take_mark: commits::take_mark(commits),
            raise_fence: commits::raise_fence(commits),
            read_commit: commits::read_row(commits),
            read_receipt: commits::read_receipt(commits),
            index: format!("CREATE INDEX {STAGE_INDEX} ON {STAGE} (n)"),
            unindex: format!("DROP INDEX pg_temp.{STAGE_INDEX}"),
        }
    }
}

struct Maker<'m> {
    table: &'m Table,
    fitted: &'m Fitted,
}

impl Maker<'_> {
    fn columns(&self) -> impl Iterator<Item = (usize, String)> {
        self.table.columns.iter().enumerate().map(|(index, name)| (index, quoted(name)))
    }

    /// The columns that are no part of the key.
    fn rest(&self) -> impl Iterator<Item = (usize, String)> {
        self.columns().filter(|(index, _)| !self.table.key.contains(index))
    }

    /// The stage: its number, and each column as the target has it, so that values are read and
    /// compared as they will be there. Empties itself with each transaction, in place.
    fn stage(&self) -> String {
        let columns: Vec<String> = self
            .columns()
            .map(|(index, name)| {
                let fitted = &self.fitted.columns[index];
                match (fitted.array, fitted.scale) {
                    (true, _) => format!("NULL::text AS c{index}"),
                    // Not rounded yet: what would be lost is looked for.
                    (_, Some(_)) => format!("NULL::numeric AS c{index}"),
                    _ => format!("t.{name} AS c{index}"),
                }
            })
            .collect();
        format!(
            "CREATE TEMP TABLE _consign_stage ON COMMIT DELETE ROWS AS SELECT NULL::bigint AS n, {} FROM {} t WITH NO DATA",
            columns.join(", "),
            self.fitted.table
        )
    }

    /// COPY into the target is several times as fast as the way over the stage. It knows no conflict, and
    /// nobody looks at the values in between.
    fn straight(&self) -> Option<String> {
        let looked_at = |column: &FittedColumn| column.array || column.scale.is_some();
        let fits = matches!(self.table.mode, Mode::Append | Mode::Upsert)
            && !self.fitted.ruled
            && !self.fitted.columns.iter().any(looked_at);
        let names: Vec<String> = self.columns().map(|(_, name)| name).collect();
        fits.then(|| format!("COPY {} ({}) FROM STDIN", self.fitted.table, names.join(", ")))
    }

    /// A staged value as the target takes it.
    fn staged(&self, index: usize) -> String {
        let fitted = &self.fitted.columns[index];
        match fitted.array {
            // A list comes as JSON; text may be an array in the server's own form.
            true => format!(
                "CASE WHEN s.c{index} LIKE '[%]' THEN ARRAY(SELECT jsonb_array_elements_text(s.c{index}::jsonb))::{0} \
                 ELSE s.c{index}::{0} END",
                fitted.declared
            ),
            false => format!("s.c{index}"),
        }
    }

    fn staged_keys(&self) -> String {
        let keys: Vec<String> = self.table.key.iter().map(|index| format!("s.c{index}")).collect();
        if keys.is_empty() { "s.n".into() } else { keys.join(", ") }
    }

    fn keys_of_target(&self) -> String {
        let keys: Vec<String> =
            self.table.key_names().iter().enumerate().map(|(place, name)| format!("t.{name} AS k{place}")).collect();
        format!("SELECT {} FROM {} t", keys.join(", "), self.fitted.table)
    }

    fn same_key(&self) -> String {
        let names = self.table.key.iter().zip(self.table.key_names());
        let all: Vec<String> = names.map(|(index, name)| format!("t.{name} = s.c{index}")).collect();
        if all.is_empty() { "false".into() } else { all.join(" AND ") }
    }

    /// Whether any column differs between the target's record and the other side.
    fn differs(&self, other: impl Fn(usize, &str) -> String) -> String {
        let all: Vec<String> = self
            .rest()
            .map(|(index, name)| {
                let (mine, other) = (format!("t.{name}"), other(index, &name));
                match self.fitted.columns[index].compare {
                    Compare::Plain => format!("{mine} IS DISTINCT FROM {other}"),
                    Compare::Bytes => format!("{mine} COLLATE \"C\" IS DISTINCT FROM {other} COLLATE \"C\""),
                    Compare::Text => format!("({mine})::text IS DISTINCT FROM ({other})::text"),
                }
            })
            .collect();
        if all.is_empty() { "false".into() } else { all.join(" OR ") }
    }

    /// What the mode does with the staged records for which the condition holds.
    fn apply(&self, condition: &str) -> String {
        let target = &self.fitted.table;
        let and = if condition.is_empty() { String::new() } else { format!(" AND {condition}") };
        match self.table.mode {
            Mode::Update => {
                let set: Vec<String> =
                    self.rest().map(|(index, name)| format!("{name} = {}", self.staged(index))).collect();
                let differs = self.differs(|index, _| self.staged(index));
                format!(
                    "UPDATE {target} AS t SET {} FROM {STAGE} s WHERE {} AND ({differs}){and}",
                    set.join(", "),
                    self.same_key()
                )
            }
            Mode::Delete => format!("DELETE FROM {target} AS t USING {STAGE} s WHERE {}{and}", self.same_key()),
            Mode::Append | Mode::Upsert | Mode::Mirror => {
                let names: Vec<String> = self.columns().map(|(_, name)| name).collect();
                let values: Vec<String> = (0..names.len()).map(|index| self.staged(index)).collect();
                let filter = if condition.is_empty() { String::new() } else { format!(" WHERE {condition}") };
                // In the order of reading: records come into being in it, and of two with one key
                // the later one is met later.
                let mut sql = format!(
                    "INSERT INTO {target} AS t ({}) SELECT {} FROM {STAGE} s{filter} ORDER BY s.n",
                    names.join(", "),
                    values.join(", ")
                );
                if self.table.mode.keyed() {
                    let set: Vec<String> = self.rest().map(|(_, name)| format!("{name} = excluded.{name}")).collect();
                    let action = match set.is_empty() {
                        true => "NOTHING".to_string(),
                        false => {
                            let differs = self.differs(|_, name| format!("excluded.{name}"));
                            format!("UPDATE SET {} WHERE {differs}", set.join(", "))
                        }
                    };
                    sql.push_str(&format!(" ON CONFLICT ({}) DO {action}", self.table.key_names().join(", ")));
                }
                sql
            }
        }
    }

    /// Takes out of the stage what the target would round.
    fn unfit(&self) -> Option<String> {
        let scaled: Vec<(String, String)> = self
            .fitted
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| {
                let wrong = format!("c{index} <> round(c{index}, {})", column.scale?);
                Some((wrong, literal(&self.table.columns[index])))
            })
            .collect();
        if scaled.is_empty() {
            return None;
        }
        let wrong: Vec<&str> = scaled.iter().map(|(wrong, _)| wrong.as_str()).collect();
        let which: Vec<String> = scaled.iter().map(|(wrong, name)| format!("WHEN {wrong} THEN {name}")).collect();
        Some(format!("DELETE FROM {STAGE} WHERE {} RETURNING n, CASE {} END", wrong.join(" OR "), which.join(" ")))
    }

    fn foresee(&self) -> String {
        let known: Vec<String> =
            (0..self.table.key.len()).map(|place| format!("x.k{place} = s.c{}", self.table.key[place])).collect();
        let keys: Vec<String> = (0..self.table.key.len()).map(|place| format!("k{place}")).collect();
        let differs = match self.table.mode {
            Mode::Delete => "false".to_string(),
            _ => self.differs(|index, _| self.staged(index)),
        };
        let first = keys.first().cloned().unwrap_or_else(|| "k0".into());
        format!(
            "SELECT count(*) FILTER (WHERE t.ctid IS NULL AND x.{first} IS NULL), \
             count(*) FILTER (WHERE t.ctid IS NOT NULL AND x.{first} IS NULL AND ({differs})), \
             count(*) FILTER (WHERE t.ctid IS NOT NULL AND x.{first} IS NULL AND NOT ({differs})), \
             count(*) FILTER (WHERE x.{first} IS NOT NULL), \
             count(*) FILTER (WHERE t.ctid IS NOT NULL) \
             FROM {STAGE} s LEFT JOIN {} t ON {} LEFT JOIN (SELECT DISTINCT {} FROM {SEEN}) x ON {}",
            self.fitted.table,
            self.same_key(),
            keys.join(", "),
            known.join(" AND ")
        )
    }

    /// What follows FROM to name the records whose key was not seen.
    fn unseen(&self) -> String {
        let same: Vec<String> =
            self.table.key_names().iter().enumerate().map(|(place, name)| format!("x.k{place} = t.{name}")).collect();
        format!(
            "{} AS t WHERE NOT EXISTS (SELECT 1 FROM {SEEN} x WHERE {})",
            self.fitted.table,
            if same.is_empty() { "false".into() } else { same.join(" AND ") }
        )
    }
}

/// Makes the planner see how many keys were seen.
pub(super) fn analyze_seen() -> String {
    format!("ANALYZE {SEEN}")
}
