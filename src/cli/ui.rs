//! The one place that prints: data on standard output, talk on standard error.
//!
//! Everything a verb says goes through one [`Ui`], which alone knows about quiet, verbose,
//! colour, terminals and log lines. A closed pipe is not an error: what is left is not printed.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{Answer, csv, json, junit, ndjson, sarif, text};
use super::render::{self, Paint};
use super::report::Whereto;
use super::{Global, log};
use crate::config::environment::{self, Environment};
use crate::config::hide;
use crate::error::{Error, Finding, Kind, Result, Severity, codes};
use crate::report::document::Report;
use crate::report::shape;

/// The shape of what is printed on standard output.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One JSON object per line
    Ndjson,
    /// CSV with a header
    Csv,
    /// JUnit XML (verbs that check)
    Junit,
    /// SARIF 2.1.0 (verbs that check)
    Sarif,
    /// Markdown (reports)
    Markdown,
    /// One HTML page without scripts and without network (reports)
    Html,
}

impl Shape {
    /// The shape that a file's name ends in.
    fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// The form of log lines.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormat {
    /// `TIME LEVEL run=… message name="value"`
    Text,
    /// One JSON object per line
    Json,
}

/// When to colour.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The one value that prints.
pub(super) struct Ui {
    verb: String,
    shape: Shape,
    /// Whether the shape was asked for, not left to default.
    shape_asked: bool,
    quiet: bool,
    verbose: bool,
    log: Option<LogFormat>,
    paint_out: Paint,
    paint_err: Paint,
    bars: bool,
    run: Mutex<Option<String>>,
    /// Why standard output can take no more, if it cannot.
    broken: Mutex<Option<std::io::Error>>,
}

/// Verbs whose answer is findings.
const CHECKS: &[&str] = &["map.check", "connect.check", "audit.check"];
/// Verbs whose answer is tests.
const TESTS: &[&str] = &["map.test"];
/// What the names of verbs begin with whose answer is a report.
const REPORTS: &str = "report.";
/// Other verbs that have an answer in Markdown.
const TABLES: &[&str] = &["audit.check"];

impl Ui {
    pub(super) fn new(global: &Global, verb: String) -> Self {
        let paint = |terminal: bool| match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && colour_allowed(),
        };
        let terminal = std::io::stderr().is_terminal();
        Self {
            verb,
            shape: global.output.unwrap_or(Shape::Text),
            shape_asked: global.output.is_some(),
            quiet: global.quiet,
            verbose: global.verbose,
            log: global.log_format,
            paint_out: Paint(paint(std::io::stdout().is_terminal())),
            paint_err: Paint(paint(terminal)),
            bars: terminal && !global.quiet && global.log_format.is_none(),
            run: Mutex::new(None),
            broken: Mutex::new(None),
        }
    }

    /// Whether only what went wrong is to be said.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a person watches: standard error is a terminal and nothing was hushed.
    pub(super) fn is_watched(&self) -> bool {
        self.bars
    }

    /// Whether the verb has an answer in the shape that was asked for: known before it does
    /// anything.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn fits(&self) -> Result<()> {
        let fit = match self.shape {
            Shape::Junit => CHECKS.contains(&self.verb.as_str()) || TESTS.contains(&self.verb.as_str()),
            Shape::Sarif => CHECKS.contains(&self.verb.as_str()),
            Shape::Markdown if TABLES.contains(&self.verb.as_str()) => true,
            Shape::Markdown | Shape::Html => self.verb.starts_with(REPORTS),
            Shape::Text | Shape::Json | Shape::Ndjson | Shape::Csv => true,
        };
        if fit { Ok(()) } else { Err(self.unfit()) }
    }

    fn unfit(&self) -> Error {
        let shape = format!("{:?}", self.shape).to_lowercase();
        let verb = if self.verb.is_empty() { "--explain".to_string() } else { self.verb.replace('.', " ") };
        let more = match self.verb.as_str() {
            verb if TABLES.contains(&verb) => ", junit, sarif, markdown",
            verb if CHECKS.contains(&verb) => ", junit, sarif",
            verb if TESTS.contains(&verb) => ", junit",
            verb if verb.starts_with(REPORTS) => ", markdown, html",
            _ => "",
        };
        Error::new(Kind::Invalid, &codes::cli::SHAPE, format!("`consign {verb}` cannot print {shape}"))
            .hint(format!("choose one of text, json, ndjson, csv{more}"))
    }

    /// Prints what a verb answers, in the shape that was asked for.
    ///
    /// # Errors
    /// If this answer has no such shape.
    pub(super) fn answer(&self, answer: Answer) -> Result<()> {
        let printed = match self.shape {
            Shape::Text => match &answer.findings {
                Some(found) if answer.text.is_none() => render::findings(found, self.paint_out),
                _ => text::page(&answer),
            },
            Shape::Json => format!("{:#}\n", json::document(&self.verb, &answer)),
            Shape::Ndjson => ndjson::lines(&self.verb, &answer),
            Shape::Csv => csv::table(&answer),
            Shape::Junit if answer.suites.is_some() => {
                junit::suites_document(answer.suites.as_deref().unwrap_or_default())
            }
            Shape::Sarif if answer.sarif.is_some() => format!("{:#}\n", answer.sarif.clone().unwrap_or_default()),
            Shape::Junit | Shape::Sarif => {
                let Some(found) = &answer.findings else { return Err(self.unfit()) };
                if self.shape == Shape::Sarif {
                    format!("{:#}\n", sarif::document(found, &answer.rules))
                } else {
                    junit::document(found, &answer.checked)
                }
            }
            Shape::Markdown if answer.markdown.is_some() => answer.markdown.clone().unwrap_or_default(),
            Shape::Markdown | Shape::Html => return Err(self.unfit()),
        };
        if answer.aside {
            talk(&printed);
            return Ok(());
        }
        self.raw(printed.as_bytes())
    }

    /// Prints a report, or writes it to the file that was named, in the shape that was asked for or that
    /// the file's name ends in.
    ///
    /// # Errors
    /// There is no such table or shape, or the file cannot be written.
    pub(super) fn report(&self, report: &Report, whereto: &Whereto) -> Result<()> {
        let shape = match &whereto.file {
            Some(path) if !self.shape_asked => Shape::of_file(path).unwrap_or(self.shape),
            _ => self.shape,
        };
        let printed = match (&whereto.table, shape) {
            (Some(name), _) => one_table(report, name)?,
            (None, Shape::Text) => {
                let colour = whereto.file.is_none() && self.paint_out.0;
                shape::render(report, shape::Shape::Text { colour })
            }
            (None, Shape::Json) => shape::render(report, shape::Shape::Json),
            (None, Shape::Ndjson) => format!("{}\n", shape::document(report)),
            (None, Shape::Csv) => shape::render(report, shape::Shape::Csv),
            (None, Shape::Markdown) => shape::render(report, shape::Shape::Markdown),
            (None, Shape::Html) => shape::render(report, shape::Shape::Html),
            (None, Shape::Junit | Shape::Sarif) => return Err(self.unfit()),
        };
        let Some(path) = &whereto.file else { return self.raw(printed.as_bytes()) };
        let printed = hide(&printed);
        // Whole or not at all: a server that shows the file never shows half of it.
        let beside = path.with_added_extension(format!("new{}", std::process::id()));
        let written = std::fs::write(&beside, printed.as_bytes()).and_then(|()| std::fs::rename(&beside, path));
        if let Err(error) = written {
            let _never_there = std::fs::remove_file(&beside);
            return Err(Error::io(format!("writing the report to `{}`", path.display()), error));
        }
        self.note(&format!("the report is in {}", path.display()));
        Ok(())
    }

    /// Prints bytes as they are, references in the place of what they were filled in with.
    ///
    /// # Errors
    /// None today: what goes wrong is told by [`Ui::end`], so that a verb is not cut short.
    pub(super) fn raw(&self, bytes: &[u8]) -> Result<()> {
        let Ok(mut broken) = self.broken.lock() else { return Ok(()) };
        if broken.is_none() {
            let hidden = std::str::from_utf8(bytes).map(hide);
            let bytes = hidden.as_ref().map_or(bytes, |text| text.as_bytes());
            let mut out = std::io::stdout().lock();
            if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
                *broken = Some(error);
            }
        }
        Ok(())
    }

    /// Whether standard output takes nothing any more.
    pub(super) fn is_closed(&self) -> bool {
        self.broken.lock().is_ok_and(|broken| broken.is_some())
    }

    /// The end: whether standard output took everything. A closed pipe is not an error.
    ///
    /// # Errors
    /// What the operating system said when writing failed for another reason.
    pub(super) fn end(&self) -> Result<()> {
        match self.broken.lock().ok().and_then(|mut broken| broken.take()) {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("writing to standard output", error)),
            _ => Ok(()),
        }
    }

    /// Names the run that everything said from now on belongs to.
    pub(super) fn begin_run(&self, id: &str) {
        if let Ok(mut run) = self.run.lock() {
            *run = Some(id.to_string());
        }
    }

    /// Says something worth knowing.
    pub(super) fn note(&self, message: &str) {
        if !self.quiet {
            self.say(Severity::Note, message, &[]);
        }
    }

    /// Says something only with `-v`.
    pub(super) fn detail(&self, message: &str) {
        if self.verbose {
            self.say(Severity::Note, message, &[]);
        }
    }

    /// Says something that will hurt.
    pub(super) fn warn(&self, message: &str) {
        self.say(Severity::Warning, message, &[]);
    }

    /// Says something that will hurt, later and from another thread.
    pub(super) fn warner(&self) -> impl Fn(&str) + Send + 'static {
        let (log, paint) = (self.log, self.paint_err);
        move |message| {
            let now = jiff::Timestamp::now().to_string();
            match log {
                None => talk(&format!("{}: {}\n", paint.level(Severity::Warning, "warning"), text::shown(message))),
                Some(LogFormat::Text) => talk(&format!("{}\n", log::text(&now, "warning", None, message, &[]))),
                Some(LogFormat::Json) => talk(&format!("{}\n", log::json(&now, "warning", None, message, &[]))),
            }
        }
    }

    /// Says something, later and from another thread.
    pub(super) fn noter(&self) -> impl Fn(&str) + Send + 'static {
        let (log, quiet) = (self.log, self.quiet);
        move |message| {
            let now = jiff::Timestamp::now().to_string();
            match log {
                _ if quiet => {}
                None => talk(&format!("{}\n", text::shown(message))),
                Some(LogFormat::Text) => talk(&format!("{}\n", log::text(&now, "info", None, message, &[]))),
                Some(LogFormat::Json) => talk(&format!("{}\n", log::json(&now, "info", None, message, &[]))),
            }
        }
    }

    /// Findings on standard error, for verbs whose data is something else.
    pub(super) fn findings(&self, found: &[Finding]) {
        for one in found {
            match self.log {
                None => talk(&render::finding(one, self.paint_err)),
                Some(_) => self.say(one.severity, &one.cause, &finding_fields(one)),
            }
        }
    }

    /// An error: on standard error, and as a document where JSON was asked for.
    pub(super) fn error(&self, error: &Error) {
        self.talk_error(error);
        let document = json::failure(&self.verb, error);
        let printed = match self.shape {
            Shape::Json => self.raw(format!("{document:#}\n").as_bytes()),
            Shape::Ndjson => self.raw(format!("{document}\n").as_bytes()),
            Shape::Sarif => self.raw(format!("{:#}\n", sarif::document(&as_findings(error), &[])).as_bytes()),
            Shape::Junit => self.raw(junit::document(&as_findings(error), &[]).as_bytes()),
            Shape::Text | Shape::Csv | Shape::Markdown | Shape::Html => Ok(()),
        };
        drop(printed);
    }

    /// An error on standard error only, for a verb that has answered already.
    pub(super) fn talk_error(&self, error: &Error) {
        match self.log {
            None => talk(&render::error(error, self.paint_err)),
            Some(_) => {
                for one in error.all_findings() {
                    self.say(one.severity, &one.cause, &finding_fields(one));
                }
                let mut fields = vec![("code", error.code().id.to_string())];
                if let Some(at) = error.place() {
                    fields.push(("at", format!("{}:{}:{}", at.file, at.line, at.column)));
                }
                fields.extend(error.facts().iter().map(|(name, value)| (*name, value.clone())));
                fields.extend(error.hints().iter().map(|hint| ("fix", hint.clone())));
                self.say(Severity::Error, &error.to_string(), &fields);
            }
        }
    }

    fn say(&self, level: Severity, message: &str, fields: &[(&str, String)]) {
        let word = match level {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "info",
        };
        let run = self.run.lock().ok().and_then(|run| run.clone());
        let now = || jiff::Timestamp::now().to_string();
        match self.log {
            None if level == Severity::Note => talk(&format!("{}\n", text::shown(message))),
            None => talk(&format!("{}: {}\n", self.paint_err.level(level, word), text::shown(message))),
            Some(LogFormat::Text) => talk(&format!("{}\n", log::text(&now(), word, run.as_deref(), message, fields))),
            Some(LogFormat::Json) => talk(&format!("{}\n", log::json(&now(), word, run.as_deref(), message, fields))),
        }
    }

    /// Progress of something that takes a while; `total` in whatever unit it is counted in.
    pub(super) fn progress(&self, what: &str, total: Option<u64>) -> Progress<'_> {
        let bar = self.bars.then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
            let template =
                if total.is_some() { "{prefix} {bar:30} {percent}% {msg}" } else { "{prefix} {spinner} {msg}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(what.to_string());
            bar
        });
        Progress {
            ui: self,
            what: what.to_string(),
            total,
            bar,
            said: Mutex::new(Said { at: Instant::now(), tenth: 0 }),
        }
    }
}

/// Plain progress lines come at least this far apart, unless another tenth is done.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// Progress as a bar on a terminal, elsewhere as one plain line every 30 s or 10 %.
pub(super) struct Progress<'u> {
    ui: &'u Ui,
    what: String,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    said: Mutex<Said>,
}

struct Said {
    at: Instant,
    tenth: u64,
}

impl Progress<'_> {
    /// How far it is, and what to say with it. `message` is only made if it is shown.
    pub(super) fn at(&self, done: u64, message: impl Fn() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message());
            return;
        }
        let Ok(mut said) = self.said.lock() else { return };
        let tenth = self.total.filter(|t| *t > 0).map_or(0, |total| done.saturating_mul(10) / total);
        if said.at.elapsed() >= PLAIN_EVERY || (tenth > said.tenth && said.at.elapsed() >= Duration::from_secs(1)) {
            *said = Said { at: Instant::now(), tenth };
            let share = self.total.map_or_else(String::new, |_| format!(" {} %", (tenth * 10).min(100)));
            self.ui.note(&format!("{}:{share} {}", self.what, message()));
        }
    }

    /// The end: a bar disappears, what stays is said by the verb.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// One table of a report as CSV.
fn one_table(report: &Report, name: &str) -> Result<String> {
    let names = || report.tables().map(|(section, table)| format!("{}.{}", section.id, table.key));
    let found =
        report.tables().find(|(section, table)| table.key == name || format!("{}.{}", section.id, table.key) == name);
    match found {
        Some((_, table)) => Ok(shape::csv_table(table)),
        None => {
            let names: Vec<String> = names().collect();
            let have =
                if names.is_empty() { "it has none".to_string() } else { format!("it has {}", names.join(", ")) };
            Err(Error::new(Kind::Invalid, &codes::cli::SHAPE, format!("the report has no table `{name}`")).hint(have))
        }
    }
}

fn finding_fields(found: &Finding) -> Vec<(&'static str, String)> {
    let mut fields = vec![("code", found.code.id.to_string())];
    if let Some(at) = &found.place {
        fields.push(("at", format!("{}:{}:{}", at.file, at.line, at.column)));
    }
    if let Some(fix) = &found.fix {
        fields.push(("fix", fix.clone()));
    }
    fields
}

/// What a shape that holds findings shows of an error.
fn as_findings(error: &Error) -> Vec<Finding> {
    let mut found = error.all_findings().to_vec();
    if found.is_empty() {
        let mut one = Finding::error(error.code(), error.place().cloned(), error.to_string());
        one.fix = error.hints().first().cloned();
        found.push(one);
    }
    found
}

/// Standard error is talk: that nobody listens is no reason to fail.
fn talk(text: &str) {
    let mut err = std::io::stderr().lock();
    let _unheard = err.write_all(hide(text).as_bytes());
}

/// Whether NO_COLOR leaves colours on (<https://no-color.org>: present and not empty forbids them).
pub(super) fn colour_allowed() -> bool {
    !Environment::process().is_set(&environment::NO_COLOR)
}

/// Help and version, before there is a [`Ui`].
pub(super) fn print_help(text: &clap::builder::StyledStr, colour: bool) {
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    let mut out = std::io::stdout().lock();
    let _closed_pipe = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Wrong usage, before there is a [`Ui`].
pub(super) fn print_usage_error(text: &clap::builder::StyledStr, colour: bool) {
    talk(&if colour { text.ansi().to_string() } else { text.to_string() });
}

/// A document, before there is a [`Ui`].
pub(super) fn print_document(document: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    let _closed_pipe = writeln!(out, "{document:#}").and_then(|()| out.flush());
}

/// A panic is a bug of ours: a short text that asks for a report, no stack of frames.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let what = panic
            .payload()
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.payload().downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let place = panic.location().map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()));
        talk(&format!(
            "error: consign met a bug of its own: {}{place}\n  \
             what was settled is kept; the next run resumes\n  \
             fix: please report this text with consign {} and what you were doing\n  code: bug (consign --explain bug)\n",
            text::shown(&what),
            env!("CARGO_PKG_VERSION"),
        ));
    }));
}
