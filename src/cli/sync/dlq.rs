//! `consign sync dlq`: the records that did not make it: list, show, replay, give up.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use crate::audit::{Action, Draft};
use crate::cli::context::{Context, now, now_ns, who};
use crate::cli::moment;
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::cli::sample;
use crate::comply::inline::Hush;
use crate::config::{Project, named};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::{Letter, LetterFilter, LetterState, LetterText};
use crate::sync::{self, Options, Silent};

/// Dead letters: the records that did not make it
#[derive(clap::Args, Debug)]
pub(super) struct Dlq {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Lists dead letters, the oldest first
    List {
        #[command(flatten)]
        which: Which,
        /// With this status too (open, replaying, replayed, superseded, discarded); open unless given
        #[arg(long, value_name = "STATUS")]
        status: Vec<String>,
        /// How many at most; 0 for all
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Shows one with its record; what has a data class is masked, and the look is recorded
    Show {
        /// Its id or the beginning of it
        id: String,
    },
    /// Sends dead letters through their route again, as it is today
    Replay {
        #[command(flatten)]
        which: Which,
        /// All of them
        #[arg(long)]
        all: bool,
        /// How many at most, the oldest first; 0 for all
        #[arg(long, default_value_t = 0, value_name = "N")]
        limit: usize,
        /// Only those that were replayed fewer times than this
        #[arg(long, value_name = "N")]
        attempts: Option<u64>,
    },
    /// Gives up dead letters: their content is deleted, the reason is kept
    Discard {
        #[command(flatten)]
        which: Which,
        /// Why; recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which dead letters; everything given must hold.
#[derive(clap::Args, Debug)]
struct Which {
    /// Ids or the beginnings of them
    ids: Vec<String>,
    /// Of this route; the name of a mapping with several targets means all of them
    #[arg(long)]
    route: Option<String>,
    /// With this code
    #[arg(long)]
    code: Option<String>,
    /// Rejected by this run
    #[arg(long = "of-run", value_name = "RUN")]
    run: Option<String>,
    /// Rejected since: a date, a moment, or `36h`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Deleted within so long a time, as in `7d`
    #[arg(long, value_name = "TIME")]
    expires_within: Option<String>,
}

impl Which {
    fn is_everything(&self) -> bool {
        self.ids.is_empty()
            && self.route.is_none()
            && self.code.is_none()
            && self.run.is_none()
            && self.since.is_none()
            && self.expires_within.is_none()
    }

    fn filter(self, states: Vec<LetterState>, limit: usize) -> Result<LetterFilter> {
        Ok(LetterFilter {
            family: self.route,
            route: None,
            code: self.code,
            run: self.run,
            states,
            since_ns: self.since.map(|text| moment::past(&text, now_ns())).transpose()?,
            expires_before_ns: self.expires_within.map(|text| soon(&text)).transpose()?,
            ids: self.ids,
            limit,
            attempts_below: None,
        })
    }
}

impl Dlq {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::List { which, status, limit } => list(which, &status, limit, context),
            Verb::Show { id } => show(&id, context),
            Verb::Replay { which, all, limit, attempts } => {
                if which.is_everything() && !all {
                    return Err(Error::new(
                        Kind::Invalid,
                        &codes::cli::USAGE,
                        "nothing says which dead letters to replay",
                    )
                    .hint("name ids, or `--route`, `--code`, `--of-run`, `--since`, or `--all`"));
                }
                let filter = which.filter(vec![LetterState::Open], limit)?;
                replay(LetterFilter { attempts_below: attempts, ..filter }, context)
            }
            Verb::Discard { which, reason } => discard(which, &reason, context),
        }
    }
}

fn list(which: Which, states: &[String], limit: usize, context: &Context<'_>) -> Result<Exit> {
    let (project, mappings) = context.project()?;
    let route = which.route.clone();
    let words: Vec<&str> = LetterState::ALL.iter().map(|s| s.word()).collect();
    let mut wanted = Vec::new();
    for word in states {
        wanted.push(LetterState::of(word).ok_or_else(|| {
            Error::new(Kind::Invalid, &codes::cli::USAGE, format!("there is no state `{word}`"))
                .hint(format!("choose one of {}", words.join(", ")))
        })?);
    }
    if wanted.is_empty() {
        wanted.push(LetterState::Open);
    }
    let columns = ["id", "route", "state", "code", "field", "place", "cause", "rejected", "attempts", "expires"];
    let mut rows = Rows::new("letters", &columns);
    if let Some(store) = context.store_read(&project)? {
        for letter in store.dead_letters(&which.filter(wanted, limit)?)? {
            rows.push(vec![
                json!(letter.id),
                json!(letter.route),
                json!(letter.state.word()),
                json!(letter.code),
                json!(letter.field),
                json!(place(&letter)),
                json!(letter.cause),
                json!(moment::shown(letter.created_ns)),
                json!(letter.attempts),
                json!(moment::shown(letter.expires_ns)),
            ]);
        }
    }
    let mut answer = Answer::new();
    if rows.rows.is_empty() {
        if let Some(route) = &route {
            named(&mappings, route)?;
        }
        answer = answer.text("no dead letter\n");
    }
    let going = letters_going(context, &project, route)?;
    if going > 0 {
        let number = count(going, "open dead letter is", "open dead letters are");
        context.ui.note(&format!(
            "{number} deleted within {SOON}: replay or discard, or keep them longer with `on_error: {{ keep }}`"
        ));
    }
    context.ui.answer(answer.fact("expire_soon", json!(going)).rows(rows))?;
    Ok(Exit::Done)
}

/// How long before it is deleted a letter is said to go soon.
const SOON: &str = "3d";

/// The moment that lies so far ahead.
fn soon(text: &str) -> Result<i64> {
    let ahead = i64::try_from(moment::length(text)?.as_nanos()).unwrap_or(i64::MAX);
    Ok(now_ns().saturating_add(ahead))
}

/// How many open letters are deleted soon.
fn letters_going(context: &Context<'_>, project: &Project, route: Option<String>) -> Result<u64> {
    let filter = LetterFilter {
        route,
        states: vec![LetterState::Open],
        expires_before_ns: Some(soon(SOON)?),
        ..LetterFilter::default()
    };
    context.store_read(project)?.map_or(Ok(0), |store| store.count_dead_letters(&filter))
}

fn show(id: &str, context: &Context<'_>) -> Result<Exit> {
    let (project, mappings) = context.project()?;
    context.store_must(&project)?;
    let mut store = context.store(&project)?;
    let (letter, record) = match store.dead_letter(id) {
        Ok(LetterText { letter, payload }) => {
            // Who looked at a record is remembered like who changed one.
            let mut draft = Draft::new(Action::LetterShown).detail("clear", false);
            draft.resource = Some(letter.id.clone());
            draft.route = Some(letter.route.clone());
            draft.actor = who();
            store.record_event(draft)?;
            let mut record = sample::letter(&project, &mappings, &letter, &payload);
            if let Some(hush) = Hush::of(project.compliance.rules.detect.as_ref()) {
                record = hush.over(record);
            }
            (letter, record)
        }
        // What is done with has no content any more, and still a reason and a place.
        Err(error) => {
            let filter = LetterFilter { ids: vec![id.to_string()], limit: 2, ..LetterFilter::default() };
            match store.dead_letters(&filter)?.as_slice() {
                // Of what must never be stored nothing was kept, in whatever state the letter is.
                [one] if !matches!(one.state, LetterState::Open | LetterState::Replaying) || one.size == 0 => {
                    (one.clone(), Json::Null)
                }
                _ => return Err(error),
            }
        }
    };
    let mut text = format!("dead letter {}\n", letter.id);
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {}\n", shown(value)));
    line("route", &letter.route);
    line("state", letter.state.word());
    line("place", &place(&letter));
    line("field", letter.field.as_deref().unwrap_or("-"));
    line("cause", &letter.cause);
    line("code", &format!("{} (consign --explain {})", letter.code, letter.code));
    line("run", &letter.run);
    line("rejected", &moment::shown(letter.created_ns));
    line("kept till", &moment::shown(letter.expires_ns));
    if let Some(reason) = &letter.reason {
        line("reason", reason);
    }
    text.push_str("  record\n");
    match &record {
        Json::Object(fields) => {
            let width = fields.keys().map(|name| name.chars().count()).max().unwrap_or(0);
            for (name, value) in fields {
                let value = crate::cli::output::text::cell(value);
                text.push_str(&format!("    {:width$}  {value}\n", shown(name)));
            }
        }
        other => text.push_str(&format!("    {}\n", crate::cli::output::text::cell(other))),
    }
    if letter.state == LetterState::Open && letter.size == 0 {
        text.push_str(&format!(
            "nothing of the record is kept: such data is never stored\nnext: correct it in its source; consign sync dlq discard {} --reason TEXT\n",
            letter.id
        ));
    } else if letter.state == LetterState::Open {
        text.push_str(&format!(
            "next: mend the mapping or the source, then consign sync dlq replay {0}\n      or consign sync dlq discard {0} --reason TEXT\n",
            letter.id
        ));
    }
    let answer = Answer::new()
        .fact("id", json!(letter.id))
        .fact("route", json!(letter.route))
        .fact("state", json!(letter.state.word()))
        .fact("code", json!(letter.code))
        .fact("cause", json!(letter.cause))
        .fact("field", json!(letter.field))
        .fact(
            "place",
            json!({ "source": letter.source, "line": letter.line, "column": letter.column, "record": letter.record, "byte": letter.byte }),
        )
        .fact("run", json!(letter.run))
        .fact("rejected", json!(moment::shown(letter.created_ns)))
        .fact("expires", json!(moment::shown(letter.expires_ns)))
        .fact("attempts", json!(letter.attempts))
        .fact("whole", json!(letter.whole))
        .fact("reason", json!(letter.reason))
        .fact("record", record);
    context.ui.answer(answer.text(text))?;
    Ok(Exit::Done)
}

fn replay(filter: LetterFilter, context: &Context<'_>) -> Result<Exit> {
    let (mut project, mappings) = context.project()?;
    context.store_must(&project)?;
    let mut store = context.store(&project)?;
    sync::keys::hold(&mut project, &mappings, Some(&store))?;
    let mut routes: Vec<String> = store.dead_letters(&filter)?.into_iter().map(|letter| letter.route).collect();
    routes.sort();
    routes.dedup();
    if routes.is_empty() {
        match sync::overtaken(&store, &filter)? {
            0 => {}
            letters => return Err(sync::superseded(letters)),
        }
    }
    // So many in all, over all routes.
    let mut left = filter.limit;
    let columns = ["route", "run", "delivered", "filtered", "withheld", "rejected", "reasons"];
    let mut rows = Rows::new("routes", &columns);
    let options = Options { cause: "replay", actor: who(), ..Options::default() };
    let (mut text, mut exit) = (String::new(), Exit::Done);
    for route in &routes {
        let Some(mapping) = mappings.iter().find(|m| m.name.value == *route) else {
            let cause = format!("the mapping `{route}` of these dead letters is no longer there");
            context.ui.talk_error(&Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause));
            exit = exit.worst(Exit::Invalid);
            continue;
        };
        if filter.limit > 0 && left == 0 {
            break;
        }
        let filter = LetterFilter { limit: left, ..filter.clone() };
        let done = sync::replay(&project, mapping, &mut store, &filter, &options, now(), &mut Silent)?;
        left = left.saturating_sub((done.delivered + done.filtered + done.withheld + done.rejected) as usize);
        for note in &done.notes {
            context.ui.note(&format!("{route}: {note}"));
        }
        text.push_str(&format!("{route}: {} delivered", count(done.delivered, "record", "records")));
        if done.filtered > 0 {
            text.push_str(&format!(", {} filtered", done.filtered));
        }
        if done.withheld > 0 {
            text.push_str(&format!(", {} withheld and given up", done.withheld));
        }
        text.push_str(&format!(", {} rejected again (run {})\n", done.rejected, done.run));
        let mut reasons = Vec::new();
        for reason in &done.reasons {
            let field = reason.field.as_ref().map_or_else(String::new, |f| format!("{f}: "));
            text.push_str(&format!(
                "  {} × {field}{} (first at {})\n",
                reason.records,
                shown(&reason.cause),
                shown(&reason.first)
            ));
            reasons.push(
                json!({ "code": reason.code, "field": reason.field, "cause": reason.cause, "records": reason.records }),
            );
        }
        if done.rejected > 0 {
            exit = exit.worst(Exit::Partial);
        }
        rows.push(vec![
            json!(route),
            json!(done.run),
            json!(done.delivered),
            json!(done.filtered),
            json!(done.withheld),
            json!(done.rejected),
            json!(reasons),
        ]);
    }
    if routes.is_empty() {
        text.push_str("no open dead letter matches\n");
    }
    context.ui.answer(Answer::new().fact("exit", json!(exit.number())).rows(rows).text(text))?;
    Ok(exit)
}

fn discard(which: Which, reason: &str, context: &Context<'_>) -> Result<Exit> {
    if which.is_everything() {
        return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, "nothing says which dead letters to give up")
            .hint("name ids, or `--route`, `--code`, `--of-run`, `--since`"));
    }
    let (project, _) = context.project()?;
    context.store_must(&project)?;
    let mut store = context.store(&project)?;
    let filter = which.filter(vec![LetterState::Open], 0)?;
    let given_up = store.resolve_letters(&filter, LetterState::Discarded, reason, who().as_deref())?;
    let text = match given_up {
        0 => "no open dead letter matches\n".to_string(),
        number => format!("{} given up\n", count(number, "dead letter", "dead letters")),
    };
    context.ui.answer(Answer::new().fact("discarded", json!(given_up)).text(text))?;
    Ok(Exit::Done)
}

fn place(letter: &Letter) -> String {
    match letter.column {
        0 => format!("{}:{}", letter.source, letter.line),
        column => format!("{}:{}:{column}", letter.source, letter.line),
    }
}
