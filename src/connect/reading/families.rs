//! Lines that were written flat, children behind their parents, as trees again (`read.nest`).

use std::collections::HashMap;

use serde_json::Value as Json;

use super::desk::{Desk, Vars};
use super::stand::text;
use crate::connect::pack::nest::Nest;
use crate::error::codes::connect::ANSWER_UNREADABLE;
use crate::error::{Error, Kind, Result};

/// Where the last family of a piece of lines begins: more of it may come. 0 if there is but one.
pub(super) fn last_begins(desk: &Desk, nest: &'static Nest, lines: &[u8]) -> Result<usize> {
    let mut end = lines.len();
    while end > 0 {
        let start = memchr::memrchr(b'\n', &lines[..end - 1]).map_or(0, |found| found + 1);
        if let Ok(record @ Json::Object(_)) = serde_json::from_slice(&lines[start..end])
            && parent(desk, nest, record)?.0.is_none()
        {
            return Ok(start);
        }
        end = start;
    }
    Ok(0)
}

/// Who is named as the parent, and the record.
fn parent(desk: &Desk, nest: &'static Nest, record: Json) -> Result<(Option<String>, Vars)> {
    let vars = Vars { record, ..Vars::default() };
    Ok((text(&desk.value(&nest.parent, &vars)?), vars))
}

struct Member {
    record: Json,
    children: Vec<(String, usize)>,
    is_child: bool,
}

/// The trees.
///
/// # Errors
/// If a child comes without its parent before it, or a line is no JSON.
pub(super) fn joined<'l>(desk: &Desk, nest: &'static Nest, lines: impl Iterator<Item = &'l [u8]>) -> Result<Vec<Json>> {
    let mut members: Vec<Member> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let record: Json = serde_json::from_slice(line).map_err(|_| {
            Error::new(Kind::Failed, &ANSWER_UNREADABLE, format!("a line of `{}` is no JSON", desk.stream.name))
        })?;
        let (parent, mut vars) = parent(desk, nest, record)?;
        if let Some(id) = text(&desk.value(&nest.id, &vars)?) {
            by_id.insert(id, members.len());
        }
        let is_child = parent.is_some();
        if let Some(parent) = parent {
            let into = text(&desk.value(&nest.into, &vars)?);
            match (by_id.get(&parent).filter(|at| **at < members.len()), into) {
                (Some(at), Some(into)) => {
                    let place = members.len();
                    members[*at].children.push((into, place));
                }
                _ => {
                    let cause = format!("a line of `{}` comes without the parent that it names", desk.stream.name);
                    return Err(Error::new(Kind::Failed, &ANSWER_UNREADABLE, cause)
                        .hint("parents have to stand before their children, and nobody else's in between"));
                }
            }
            if let Json::Object(fields) = &mut vars.record {
                nest.drop.iter().for_each(|name| {
                    fields.shift_remove(name);
                });
            }
        }
        members.push(Member { record: vars.record, children: Vec::new(), is_child });
    }
    // Children stand behind their parents: from the end on, each is whole when its parent takes it.
    let mut trees = Vec::new();
    for at in (0..members.len()).rev() {
        let children = std::mem::take(&mut members[at].children);
        for (into, child) in children {
            let child = members[child].record.take();
            if let Json::Object(fields) = &mut members[at].record {
                let list = fields.entry(into).or_insert_with(|| Json::Array(Vec::new()));
                match list {
                    Json::Array(items) => items.push(child),
                    other => *other = Json::Array(vec![child]),
                }
            }
        }
        if !members[at].is_child {
            trees.push(members[at].record.take());
        }
    }
    trees.reverse();
    Ok(trees)
}
