//! `cursor`: what is new since the last run, and where the next one goes on.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::connect::rows::moment;
use crate::record::Path;

use super::reader::Reader;
use super::request::SPOT;
use super::spot::{SEND, Send};
use super::template::Template;
use crate::connect::web::Spot;

/// The section.
pub static CURSOR: Section = Section {
    name: "cursor",
    about: "What tells new and changed records from those that were read. Either records have it (`field`), or answers do (`next`).",
    foreign: false,
    keys: &[
        Key::new("field", Kind::RecordPath, "The field of a record that grows with every new or changed one."),
        Key::new(
            "next",
            Kind::Expression,
            "What the next run goes on with, from `answer` (a token, a delta link): of the last page that has it. `answer.headers.etag`, sent as `If-None-Match`, reads only what changed: 304 means that nothing is new.",
        ),
        Key::new("type", Kind::Word(TYPES), "What the values are.").default("timestamp"),
        Key::new(
            "like",
            Kind::Label,
            "A value as the system writes it: moments that are computed look like that (`2024-12-31 23:59:59`, `2024-12-31T23:59:59.000Z`).",
        ),
        Key::new("zone", Kind::TimeZone, "The time zone of moments that name none.").default("UTC"),
        Key::new(
            "order",
            Kind::Word(&[
                word("ascending", "The oldest first: the position moves with every page."),
                word("descending", "The newest first: the position moves when all is read."),
                word("none", "In any order: the position moves when all is read."),
            ]),
            "In which order of the cursor records come.",
        )
        .default("none"),
        Key::new("send", SEND, "Where the value goes that reading goes on from; `url`: it is the whole address."),
        Key::new("until", Kind::Section(&SPOT), "Where the upper bound goes; templates have it as `cursor.until`."),
        Key::new(
            "inclusive",
            Kind::Flag,
            "Whether records that have the value itself are given again; then they are known by `tie`.",
        )
        .default("true"),
        Key::new(
            "tie",
            Kind::OneOrMany(&Kind::RecordPath),
            "What tells records with one value apart; the stream's key unless said.",
        ),
        Key::new(
            "overlap",
            Kind::Label,
            "How far each run goes back behind where the last one ended: `5m`, `1d`, or a number. For modes with a key.",
        ),
        Key::new(
            "lag",
            Kind::Label,
            "How far a run stays behind the clock, since records become visible that much late: `60s`.",
        ),
        Key::new(
            "window",
            Kind::Label,
            "The longest time that may be asked for at once: `30d`. Reading goes window by window: `window.from`, `window.to`.",
        ),
        Key::new("start", Kind::Label, "Where the first run begins if it has to begin somewhere; may hold templates."),
        Key::new(
            "commit",
            Kind::Word(&[
                word("page", "With every page."),
                word("end", "When all is read: until then, reading starts over from where it began."),
            ]),
            "When the position moves; `page` for an ascending `field`, otherwise `end`.",
        ),
        Key::new(
            "expires",
            Kind::Label,
            "How long a position is valid: `7d`. After that everything is read anew, and said.",
        ),
        Key::new(
            "epoch",
            Kind::Expression,
            "From `answer`: what says which numbering values belong to. If it changes, everything is read anew, and said.",
        ),
    ],
};

const TYPES: &[crate::config::keys::Word] = &[
    word("timestamp", "Moments as text."),
    word("date", "Days as text: `2024-12-31`."),
    word("unix", "Seconds since 1970."),
    word("unix_ms", "Milliseconds since 1970."),
    word("number", "Numbers."),
    word("text", "Text, in the order of its bytes."),
];

/// What the values of a cursor are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CursorType {
    /// Moments as text.
    #[default]
    Timestamp,
    /// Days as text.
    Date,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// Numbers.
    Number,
    /// Text.
    Text,
}

/// In which order records come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Ascending,
    /// The newest first.
    Descending,
    /// Any.
    #[default]
    None,
}

/// `cursor`, read.
#[derive(Debug, Default)]
pub struct Cursor {
    /// The field.
    pub field: Option<Path>,
    /// What the next run goes on with.
    pub next: Option<Template>,
    /// What the values are.
    pub kind: CursorType,
    /// A value as the system writes it.
    pub like: Option<String>,
    /// The zone of moments that name none.
    pub zone: Option<String>,
    /// The order.
    pub order: Order,
    /// Where the value goes.
    pub send: Send,
    /// Where the upper bound goes.
    pub until: Option<Spot>,
    /// Whether no request says the value: then older records are left out here.
    pub unsent: bool,
    /// Whether records with the value come again.
    pub inclusive: bool,
    /// What tells records with one value apart; empty: the stream's key.
    pub tie: Vec<Path>,
    /// How far each run goes back, in the cursor's measure: seconds or a number.
    pub overlap: u64,
    /// How far it stays behind the clock, in seconds.
    pub lag: u64,
    /// The longest time at once, in seconds.
    pub window: Option<u64>,
    /// Where the first run begins.
    pub start: Option<Template>,
    /// Whether the position moves when all is read only.
    pub at_end: bool,
    /// How long a position is valid, in seconds.
    pub expires: Option<u64>,
    /// Which numbering the values belong to.
    pub epoch: Option<Template>,
}

impl Cursor {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "cursor")?;
        let kind = match reader.label(raw, "type").as_deref() {
            Some("date") => CursorType::Date,
            Some("unix") => CursorType::Unix,
            Some("unix_ms") => CursorType::UnixMs,
            Some("number") => CursorType::Number,
            Some("text") => CursorType::Text,
            _ => CursorType::Timestamp,
        };
        let order = match reader.label(raw, "order").as_deref() {
            Some("ascending") => Order::Ascending,
            Some("descending") => Order::Descending,
            _ => Order::None,
        };
        let (field, next) = (reader.path(raw, "field"), reader.expression(raw, "next"));
        match (reader.get(raw, "field"), reader.get(raw, "next")) {
            (None, None) => {
                reader.error(raw, "a cursor is a field of the records, or comes with answers".into(), EITHER);
            }
            (Some(_), Some(of)) => reader.error(of, "a cursor has `field` or `next`, not both".into(), EITHER),
            _ => {}
        }
        let like = reader.label(raw, "like");
        if let (Some(like), Some(of)) = (&like, reader.get(raw, "like"))
            && moment::read(like).is_none()
        {
            reader.error(of, "this is no moment".into(), "write one as the system does: `2024-12-31T23:59:59Z`");
        }
        let at_end = match reader.label(raw, "commit").as_deref() {
            Some(word) => word == "end",
            None => field.is_none() || order != Order::Ascending,
        };
        if field.is_some() && !at_end && order != Order::Ascending {
            reader.error(
                raw,
                "the position can move with every page only if the oldest records come first".into(),
                "say `order: ascending` and ask for that order, or leave out `commit: page`",
            );
        }
        let window = reader.span(raw, "window");
        if window.is_some() && matches!(kind, CursorType::Number | CursorType::Text) {
            reader.error(
                raw,
                "`window` is a length of time, and the cursor is none".into(),
                "say the `type` of the cursor",
            );
        }
        let send = Send::read(reader, raw, "send").unwrap_or_default();
        let until = reader.spot(raw, "until");
        let whole = super::streams::json(read).to_string();
        let spoken = ["cursor.", "window."].iter().any(|name| whole.contains(name));
        let unsent = field.is_some() && send == Send::Nowhere && until.is_none() && !spoken;
        let zone = reader.label(raw, "zone").filter(|zone| zone != "UTC");
        Some(Self {
            field,
            next,
            kind,
            like,
            zone,
            order,
            send,
            until,
            unsent,
            inclusive: reader.flag(raw, "inclusive").unwrap_or(true),
            tie: reader.items(raw, "tie").filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
            overlap: reader.span(raw, "overlap").unwrap_or(0),
            lag: reader.span(raw, "lag").unwrap_or(0),
            window,
            start: reader.template(raw, "start"),
            at_end,
            expires: reader.span(raw, "expires"),
            epoch: reader.expression(raw, "epoch"),
        })
    }
}

const EITHER: &str = "write `field: updated_at`, or `next: answer.body.next_cursor`";
