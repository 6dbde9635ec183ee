//! `consign sync state`: where routes resume, set and reset by hand, backed up and brought back.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value as Json, json};

use crate::cli::context::{Context, who};
use crate::cli::moment;
use crate::cli::output::text::table;
use crate::cli::output::{Answer, Rows};
use crate::config::{Mapping, routes_named};
use crate::connect::rows::Bookmark;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::{Position, Settled};
use crate::store::{Held, Store};
use crate::sync;

/// Where routes resume: show, set, reset, adopt, back up, restore
#[derive(clap::Args, Debug)]
pub(super) struct State {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Shows where a route stands, slice by slice
    Show {
        /// The route's name
        name: String,
    },
    /// Sets where a slice of a route resumes; recorded with both values
    Set {
        /// The route's name
        name: String,
        /// The slice, as `state show` names it: a path, a table
        slice: String,
        /// Cursor value to begin with, records that have it included
        #[arg(long, value_name = "VALUE", conflicts_with_all = ["byte", "line", "record"])]
        cursor: Option<String>,
        /// Bytes of the (decompressed) stream before the point
        #[arg(long, required_unless_present = "cursor")]
        byte: Option<u64>,
        /// Lines before it
        #[arg(long, required_unless_present = "cursor")]
        line: Option<u64>,
        /// Records before it
        #[arg(long, required_unless_present = "cursor")]
        record: Option<u64>,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Forgets where a route stands: the next run reads everything again
    Reset {
        /// The route's name
        name: String,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Takes over a target that this state does not know, or knows less of
    Adopt {
        /// The route's name
        name: String,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Puts a copy in the place of the state
    Restore {
        /// The copy, as `state backup` made it
        from: PathBuf,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Copies the state while others go on writing
    Backup {
        /// The file to make
        to: PathBuf,
    },
}

impl State {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::Show { name } => show(&name, context),
            Verb::Set { name, slice, cursor, byte, line, record, reason } => {
                let point = match cursor {
                    Some(cursor) => Point::Cursor(cursor),
                    None => Point::Byte(byte.unwrap_or(0), line.unwrap_or(0), record.unwrap_or(0)),
                };
                set(&name, &slice, point, &reason, context)
            }
            Verb::Reset { name, reason } => {
                let (project, mappings) = context.project()?;
                let mut store = context.store(&project)?;
                // A route that is no longer in the configuration has a position still.
                let gone = mappings.iter().all(|m| m.name.value != name) && store.routes()?.contains(&name);
                let routes: Vec<String> = match gone {
                    true => vec![name.clone()],
                    false => routes_named(&mappings, &name)?.iter().map(|m| m.name.value.clone()).collect(),
                };
                let _held = lock_all(&store, routes.iter().map(String::as_str))?;
                for route in &routes {
                    store.reset_position(route, &reason, who().as_deref())?;
                }
                let text = format!("{name} starts from the beginning\nnext: consign sync run {name} --dry-run\n");
                context.ui.answer(Answer::new().fact("route", json!(name)).text(text))?;
                Ok(Exit::Done)
            }
            Verb::Adopt { name, reason } => {
                let (project, mappings) = context.project()?;
                let routes = routes_named(&mappings, &name)?;
                let mut store = context.store(&project)?;
                let _held = lock_all(&store, routes.iter().map(|m| m.name.value.as_str()))?;
                let (mut text, mut targets, mut groups) = (String::new(), Vec::new(), Vec::new());
                for mapping in routes {
                    let name = &mapping.name.value;
                    let adopted = sync::adopt(&project, mapping, &mut store, &reason, who().as_deref())?;
                    text.push_str(&match adopted.group {
                        Some(group) => format!("{name} goes on after group {group} of {}\n", adopted.target),
                        None => format!("{name} goes on behind what is in {}\n", adopted.target),
                    });
                    if adopted.appends {
                        text.push_str(
                            "what was read of the source is not known here: `append` adds again what the next run reads again\n",
                        );
                    }
                    targets.push(json!(adopted.target));
                    groups.push(json!(adopted.group));
                }
                text.push_str(&format!("next: consign sync state show {name}\n"));
                // Of one target its facts, of several a list of them.
                let told = |mut all: Vec<serde_json::Value>| if all.len() == 1 { all.remove(0) } else { json!(all) };
                context.ui.answer(
                    Answer::new()
                        .fact("route", json!(name))
                        .fact("target", told(targets))
                        .fact("group", told(groups))
                        .text(text),
                )?;
                Ok(Exit::Done)
            }
            Verb::Restore { from, reason } => {
                let (project, mappings) = context.project()?;
                let mut store = context.store(&project)?;
                let _held = mappings
                    .iter()
                    .map(|mapping| store.lock_route(&mapping.name.value, Duration::ZERO))
                    .collect::<Result<Vec<_>>>()?;
                store.restore(&from, &reason, who().as_deref())?;
                let path = from.display().to_string();
                let text = format!(
                    "the state is as it was in {path}; what was there before is kept beside it, with the ending `before-restore.bak`\nnext: consign sync status\n"
                );
                context.ui.answer(Answer::new().fact("path", json!(path)).text(text))?;
                Ok(Exit::Done)
            }
            Verb::Backup { to } => {
                let (project, _) = context.project()?;
                context.store_must(&project)?;
                if to.symlink_metadata().is_ok() {
                    let cause = format!("`{}` is there already", to.display());
                    return Err(Error::new(Kind::Invalid, &codes::cli::EXISTS, cause)
                        .hint("a backup never overwrites: name another file, with the date in it"));
                }
                let mut store = context.store(&project)?;
                store.backup(&to)?;
                let path = to.display().to_string();
                context
                    .ui
                    .answer(Answer::new().fact("path", json!(path)).text(format!("the state is copied to {path}\n")))?;
                Ok(Exit::Done)
            }
        }
    }
}

/// The locks of several routes, all or none.
fn lock_all<'n>(store: &Store, routes: impl Iterator<Item = &'n str>) -> Result<Vec<Held>> {
    routes.map(|route| store.lock_route(route, Duration::ZERO)).collect()
}

/// The route of that name: of a mapping with several targets one has to be named.
fn one_route(mappings: &[Mapping], name: &str) -> Result<String> {
    let routes = routes_named(mappings, name)?;
    match routes.as_slice() {
        [one] => Ok(one.name.value.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|route| route.name.value.as_str()).collect();
            let cause = format!("`{name}` has several targets, and each stands at a place of its own");
            Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause).hint(format!("name one: {}", names.join(", "))))
        }
    }
}

/// Where a slice is to resume.
enum Point {
    /// Before the records with this cursor value.
    Cursor(String),
    /// Behind so many bytes, lines and records.
    Byte(u64, u64, u64),
}

fn set(name: &str, slice: &str, point: Point, reason: &str, context: &Context<'_>) -> Result<Exit> {
    let (project, mappings) = context.project()?;
    let name = one_route(&mappings, name)?;
    let name = name.as_str();
    let mapping = crate::config::named(&mappings, name)?;
    let by_cursor = match &point {
        Point::Cursor(_) => sync::many::plan(&project, mapping)?.cursor_slice()?,
        Point::Byte(..) => None,
    };
    let mut store = context.store(&project)?;
    let _held = store.lock_route(name, Duration::ZERO)?;
    let before = store.route(name)?;
    let old = before.settled.iter().find(|(id, at)| **id == *slice || named(id, at) == slice);
    let id = match (old, &by_cursor) {
        // Rows are known by the table, also before the first run.
        (_, Some(own)) if **own == *slice => own.clone(),
        (Some((id, _)), _) => id.clone(),
        _ => {
            let mut there: Vec<String> = before.settled.iter().map(|(id, at)| named(id, at)).collect();
            there.extend(by_cursor.as_ref().map(ToString::to_string).filter(|own| !there.contains(own)));
            let cause = format!("`{name}` has no slice `{slice}`");
            let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
            return Err(match there.is_empty() {
                true => error.hint("it never settled anything"),
                false => error.hint(format!("it has {}", there.join(", "))),
            });
        }
    };
    let of_rows = match old {
        Some((_, at)) => {
            Bookmark::of(&at.position).is_ok_and(|bookmark| bookmark.is_some())
                || at.position.extra.get("web").is_some()
        }
        None => true,
    };
    let old = old.map(|(_, at)| at.position.clone()).unwrap_or_default();
    let unfit = |cause: String, fix: &str| Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause).hint(fix));
    let (position, told) = match point {
        Point::Cursor(_) if by_cursor.is_none() || !of_rows => {
            let cause = format!("the source of `{name}` has no cursor");
            return unfit(cause, "say where to go on with `--byte`, `--line` and `--record`");
        }
        Point::Cursor(value) => {
            let told = format!("{name} resumes {slice} with cursor value {value}, records that have it included\n");
            (Position { extra: Bookmark::given(value).extra(), ..old }, told)
        }
        Point::Byte(..) if of_rows => {
            return unfit(format!("`{slice}` is no stream of bytes"), "say where to go on with `--cursor VALUE`");
        }
        Point::Byte(byte, line, record) => {
            let told = format!("{name} resumes {slice} after byte {byte}, line {line}, record {record}\n");
            (Position { byte, line, record, extra: old.extra }, told)
        }
    };
    store.set_position(name, &id, &Settled { position, done: false }, reason, who().as_deref())?;
    context.ui.answer(Answer::new().fact("route", json!(name)).fact("slice", json!(slice)).text(told))?;
    Ok(Exit::Done)
}

/// A slice as a person names it: the path of a file, a table.
fn named(slice: &str, settled: &Settled) -> String {
    match settled.position.extra.get("path").and_then(Json::as_str) {
        Some(path) => path.to_owned(),
        None => slice.to_owned(),
    }
}

fn show(name: &str, context: &Context<'_>) -> Result<Exit> {
    let (project, mappings) = context.project()?;
    let routes = routes_named(&mappings, name)?;
    let Some(store) = context.store_read(&project)? else {
        let rows = Rows::new("slices", SLICES);
        context.ui.answer(Answer::new().fact("route", json!(name)).rows(rows).text(format!("{name} never ran\n")))?;
        return Ok(Exit::Done);
    };
    let mut told = routes.iter().map(|route| standing(&route.name.value, &store)).collect::<Result<Vec<_>>>()?;
    let answer = match told.len() {
        1 => {
            let (text, facts, rows) = told.remove(0);
            facts
                .into_iter()
                .fold(Answer::new(), |answer, (fact, value)| answer.fact(fact, value))
                .rows(rows)
                .text(text)
        }
        // Of several targets: one after the other.
        _ => {
            let (mut text, mut all) = (String::new(), Vec::new());
            for (one, facts, rows) in told {
                text.push_str(&one);
                let mut route: serde_json::Map<String, Json> =
                    facts.into_iter().map(|(fact, value)| (fact.to_string(), value)).collect();
                route.insert("slices".into(), rows.objects().collect());
                all.push(Json::Object(route));
            }
            Answer::new().fact("mapping", json!(name)).fact("routes", json!(all)).text(text)
        }
    };
    context.ui.answer(answer)?;
    Ok(Exit::Done)
}

/// Where one route stands: for a person, as facts, and slice by slice.
type Standing = (String, Vec<(&'static str, Json)>, Rows);

const SLICES: &[&str] = &["slice", "done", "byte", "line", "record", "cursor"];

/// Where one route stands: for a person, as facts, and slice by slice.
fn standing(name: &str, store: &Store) -> Result<Standing> {
    let mut rows = Rows::new("slices", SLICES);
    let state = store.route(name)?;
    for (slice, settled) in &state.settled {
        let at = &settled.position;
        let cursor = Bookmark::of(at).ok().flatten().and_then(|bookmark| bookmark.shown());
        rows.push(vec![
            json!(named(slice, settled)),
            json!(settled.done),
            json!(at.byte),
            json!(at.line),
            json!(at.record),
            json!(cursor),
        ]);
    }
    let mut text = format!("{name}: {}\n", if state.enabled { "enabled" } else { "disabled" });
    if let Some(reason) = &state.reason {
        text.push_str(&format!("  because {reason}\n"));
    }
    text.push_str(&format!("  settled groups {}, fence {}\n", state.group, state.fence));
    if let Some(intent) = &state.intent {
        text.push_str(&format!(
            "  in doubt: group {} of {} records; the next run finds out\n",
            intent.group, intent.records
        ));
    }
    if let Some(success) = state.last_success_ns {
        text.push_str(&format!("  last success {}\n", moment::shown(success)));
    }
    text.push_str(&table(&rows));
    let facts = vec![
        ("route", json!(name)),
        ("enabled", json!(state.enabled)),
        ("reason", json!(state.reason)),
        ("group", json!(state.group)),
        ("fence", json!(state.fence)),
        ("in_doubt", json!(state.intent.as_ref().map(|i| i.group))),
        ("last_run", json!(state.last_run)),
        ("last_success", json!(state.last_success_ns.map(moment::shown))),
    ];
    Ok((text, facts, rows))
}
