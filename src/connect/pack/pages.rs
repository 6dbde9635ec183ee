//! `pages` and `ceiling`: how the answer to one question is read when it comes in several pages.
//!
//! A kind of pager says where the place of the next page comes from; `send` says where it goes; when it
//! ends is said by rules of their own. What every kind is watched for: a page or a place that comes
//! again, and more pages than there can be.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{self, RequestSpec, SPOT, request_keys};
use super::spot::{SEND, Send};
use super::template::{Template, Tree};
use crate::connect::web::Spot;

/// The section `pages`.
pub static PAGES: Section = Section {
    name: "pages",
    about: "How the answer is read when it comes in several pages.",
    foreign: false,
    keys: &[
        Key::new(
            "kind",
            Kind::Word(&[
                word("none", "The answer is one page."),
                word("page", "Pages are numbered: `page.number`."),
                word("offset", "Records are skipped: `page.offset`."),
                word("token", "The answer says, under `next`, by what the next page is asked for: `page.token`."),
                word("url", "The answer says the address of the next page under `next`."),
                word("link", "The header `Link` says the address of the next page (RFC 8288)."),
                word("last", "The next page begins behind the last record: `next: page.last.id`."),
                word("relay", "GraphQL connections: `pageInfo.endCursor` beside the list, while `pageInfo.hasNextPage`."),
                word("odata", "OData: `@odata.nextLink` (or `__next`) is the address of the next page."),
                word("sequence", "As `token`, and the same token once more means that there is no more for now."),
            ]),
            "Where the place of the next page comes from.",
        )
        .default("none"),
        Key::new("send", SEND, "Where the place of the page goes. `url`, `link` and `odata` are the whole address."),
        Key::new(
            "next",
            Kind::Expression,
            "What the next page is asked by, from `answer` (its list of records left out) and `page.last`, the last record. Nothing, null, false or an empty text: there is none.",
        ),
        Key::new(
            "also",
            Kind::List(&Kind::Section(&ALSO)),
            "Further values that go to the next page, beside the first one (markers in pairs).",
        ),
        Key::new("first", Kind::Whole(0, i64::MAX), "The first page's number or offset; 1 for pages, 0 for offsets."),
        Key::new("step", Kind::Word(&[
            word("records", "By the records that came."),
            word("size", "By the size that was asked for, however many came."),
        ]), "How far an offset moves.").default("records"),
        Key::new("size", Kind::Whole(1, 1_000_000), "Records that are asked for in a page: `page.size`."),
        Key::new("send_size", Kind::Section(&SPOT), "Where the size goes."),
        Key::new("rel", Kind::Label, "Which relation of the header `Link` is the next page.").default("next"),
        Key::new("stop", Kind::Section(&STOP), "When there are no more pages, whatever the kind."),
        Key::new("total", Kind::Expression, "How many records there are in all, as the answer says: fewer than that are never a silent success."),
        Key::new("most", Kind::Whole(1, 100_000_000), "Pages at most: more of them is an error, since they would never end.").default("1000000"),
        Key::new("repeat", Kind::Flag, "Whether two pages may be equal byte for byte.").default("false"),
        Key::new("stable", Kind::Flag, "Whether the place of a page stays what it was while records come and go; true but for `page` and `offset`. Says what can be promised after a crash."),
        Key::new("ahead", Kind::Whole(0, 64), "Pages that are asked for before they are needed, within the limits of the system; 0: none."),
        Key::new("keep", Kind::Flag, "Whether a run that was stopped goes on with the page it stood at; otherwise with the first one. For places that are soon forgotten: `false`.").default("true"),
        Key::new("open", Kind::Section(&OPENING), "A request before the first page (a search that is opened): what it captures is `page.open`."),
        Key::new("close", Kind::Section(&request::REQUEST), "A request after the last page."),
    ],
};

static ALSO: Section = Section {
    name: "another value of a page",
    about: "A value of the answer that goes into the next page's request.",
    foreign: false,
    keys: &[
        Key::new("next", Kind::Expression, "The value, from `answer` and `page.last`.").required(),
        Key::new("send", Kind::Section(&SPOT), "Where it goes.").required(),
    ],
};

static STOP: Section = Section {
    name: "an end of pages",
    about: "When there are no more pages. What is not said holds by kind: numbered pages end with an empty one, all others when no place is given.",
    foreign: false,
    keys: &[
        Key::new("when", Kind::Expression, "A condition on `answer` and `page`: this was the last page."),
        Key::new(
            "empty",
            Kind::Flag,
            "Whether a page without records is the last one; true for `page`, `offset` and `last`.",
        ),
        Key::new("short", Kind::Flag, "Whether a page with fewer records than its size is the last one.")
            .default("false"),
        Key::new("total", Kind::Flag, "Whether the end is there once as many records came as `total` says.")
            .default("false"),
        Key::new(
            "known",
            Kind::Flag,
            "Whether the end is there once a record is older than the cursor (of a list that begins with the newest).",
        )
        .default("false"),
    ],
};

static OPENING: Section = Section {
    name: "a request before the pages",
    about: "Asks once for what all pages need.",
    foreign: false,
    keys: request_keys![Key::new("capture", Kind::Record, "Values by name, from `answer`.")],
};

/// The section `ceiling`.
pub static CEILING: Section = Section {
    name: "ceiling",
    about: "No more than so many records of one question are given: the question is put anew before that.",
    foreign: false,
    keys: &[
        Key::new("records", Kind::Whole(1, 1_000_000_000), "Records at most.").required(),
        Key::new("by", Kind::Word(&[
            word("cursor", "Reading goes on from the cursor value of the last record; records must come in its order."),
            word("split", "The window of time is halved until it holds less. What has more than it may in the smallest window is an error."),
        ]), "How to come by the rest.").default("cursor"),
        Key::new("smallest", Kind::Label, "The smallest window: `1s`, `1d`.").default("1s"),
    ],
};

/// Where the place of the next page comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageKind {
    /// One page.
    #[default]
    None,
    /// Numbers.
    Page,
    /// Records skipped.
    Offset,
    /// A token in the answer.
    Token,
    /// An address in the answer.
    Url,
    /// An address in the header `Link`.
    Link,
    /// A value of the last record.
    Last,
    /// GraphQL connections.
    Relay,
    /// OData's next link.
    OData,
    /// A number that stays the same at the end.
    Sequence,
}

/// `pages`, read.
#[derive(Debug, Default)]
pub struct Pages {
    /// The kind.
    pub kind: PageKind,
    /// Where the place goes.
    pub send: Send,
    /// What the next page is asked by.
    pub next: Option<Template>,
    /// Further values.
    pub also: Vec<(Template, Spot)>,
    /// The first number or offset.
    pub first: u64,
    /// Whether an offset moves by the size that was asked for.
    pub by_size: bool,
    /// Records asked for in a page.
    pub size: Option<u64>,
    /// Where the size goes.
    pub send_size: Option<Spot>,
    /// Which relation of `Link` is the next page.
    pub rel: String,
    /// When it ends.
    pub stop: Stop,
    /// How many records there are in all.
    pub total: Option<Template>,
    /// Pages at most.
    pub most: u64,
    /// Whether equal pages are no error.
    pub repeat: bool,
    /// Whether places stay what they were.
    pub stable: bool,
    /// Pages asked for ahead; `None`: as the limits allow.
    pub ahead: Option<usize>,
    /// Whether a run that was stopped goes on with its page.
    pub keep: bool,
    /// A request before the first page, and what it captures.
    pub open: Option<(RequestSpec, Option<Tree>)>,
    /// A request after the last page.
    pub close: Option<RequestSpec>,
}

/// When there are no more pages.
#[derive(Debug, Default)]
pub struct Stop {
    /// A condition.
    pub when: Option<Template>,
    /// A page without records.
    pub empty: bool,
    /// A page with fewer than its size.
    pub short: bool,
    /// As many as the answer says.
    pub total: bool,
    /// A record older than the cursor.
    pub known: bool,
}

/// `ceiling`, read.
#[derive(Debug)]
pub struct Ceiling {
    /// Records at most.
    pub records: u64,
    /// Whether windows are halved; otherwise the question begins anew at the cursor.
    pub split: bool,
    /// The smallest window, in seconds.
    pub smallest: u64,
}

impl Pages {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Self {
        let Some(raw) = reader.get(read, "pages") else {
            return Self { most: 1_000_000, keep: true, stable: true, ..Self::default() };
        };
        let kind = match reader.label(raw, "kind").as_deref() {
            Some("page") => PageKind::Page,
            Some("offset") => PageKind::Offset,
            Some("token") => PageKind::Token,
            Some("url") => PageKind::Url,
            Some("link") => PageKind::Link,
            Some("last") => PageKind::Last,
            Some("relay") => PageKind::Relay,
            Some("odata") => PageKind::OData,
            Some("sequence") => PageKind::Sequence,
            _ => PageKind::None,
        };
        let whole_address = matches!(kind, PageKind::Url | PageKind::Link | PageKind::OData);
        let numbered = matches!(kind, PageKind::Page | PageKind::Offset);
        let send = match Send::read(reader, raw, "send") {
            Some(send) => send,
            None if whole_address => Send::Url,
            None => Send::Nowhere,
        };
        let next = reader.expression(raw, "next");
        match (kind, reader.get(raw, "next")) {
            (PageKind::Token | PageKind::Url | PageKind::Sequence | PageKind::Last, None) => {
                reader.error(raw, "these pages need `next`: what the next one is asked by".into(), NEXT);
            }
            (PageKind::None | PageKind::Page | PageKind::Offset | PageKind::Link, Some(of)) => {
                reader.error(of, "pages of this kind have no `next`".into(), "leave it out, or choose another `kind`");
            }
            _ => {}
        }
        let stop = reader.get(raw, "stop");
        let flag = |reader: &Reader<'_>, name: &str| stop.and_then(|stop| reader.flag(stop, name));
        let stop = Stop {
            empty: flag(reader, "empty").unwrap_or(numbered || kind == PageKind::Last),
            short: flag(reader, "short").unwrap_or(false),
            total: flag(reader, "total").unwrap_or(false),
            known: flag(reader, "known").unwrap_or(false),
            when: stop.and_then(|stop| reader.expression(stop, "when")),
        };
        let size = reader.whole(raw, "size");
        let total = reader.expression(raw, "total");
        if stop.short && size.is_none() {
            reader.error(
                raw,
                "`stop.short` compares with `size`, and there is none".into(),
                "say the `size` of a page",
            );
        }
        if stop.total && total.is_none() {
            reader.error(
                raw,
                "`stop.total` needs `total`".into(),
                "say where the answer has it: `total: answer.body.count`",
            );
        }
        if numbered && !stop.empty && !stop.short && !stop.total && stop.when.is_none() {
            reader.error(raw, "numbered pages would never end".into(), "say under `stop` when they do");
        }
        Self {
            kind,
            send,
            next,
            also: reader.items(raw, "also").filter_map(|raw| also(reader, raw)).collect(),
            first: reader.whole(raw, "first").unwrap_or(u64::from(kind == PageKind::Page)),
            by_size: reader.label(raw, "step").as_deref() == Some("size"),
            size,
            send_size: reader.spot(raw, "send_size"),
            rel: reader.label(raw, "rel").unwrap_or_else(|| "next".into()),
            stop,
            total,
            most: reader.whole(raw, "most").unwrap_or(1_000_000),
            repeat: reader.flag(raw, "repeat").unwrap_or(false),
            stable: reader.flag(raw, "stable").unwrap_or(!numbered),
            ahead: reader.whole(raw, "ahead").and_then(|ahead| usize::try_from(ahead).ok()),
            keep: reader.flag(raw, "keep").unwrap_or(true),
            open: reader.get(raw, "open").map(|open| (RequestSpec::read(reader, open), reader.tree(open, "capture"))),
            close: reader.get(raw, "close").map(|close| RequestSpec::read(reader, close)),
        }
    }

    /// Whether the places of all pages are known before any of them is there.
    pub fn foreseen(&self) -> bool {
        match self.kind {
            PageKind::Page => true,
            PageKind::Offset => self.size.is_some(),
            _ => false,
        }
    }
}

impl Ceiling {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "ceiling")?;
        Some(Self {
            records: reader.whole(raw, "records").unwrap_or(u64::MAX),
            split: reader.label(raw, "by").as_deref() == Some("split"),
            smallest: reader.span(raw, "smallest").unwrap_or(1),
        })
    }
}

const NEXT: &str = "for example `next: answer.body.paging.next`; of `last`: `next: page.last.id`";

fn also(reader: &mut Reader<'_>, raw: &Raw) -> Option<(Template, Spot)> {
    Some((reader.expression(raw, "next")?, reader.spot(raw, "send")?))
}
