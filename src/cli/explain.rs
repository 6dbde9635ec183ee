//! `consign --explain CODE`: the longer text of a code.

use serde_json::json;

use super::context::Context;
use super::output::Answer;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

pub(super) fn run(wanted: &str, context: &Context<'_>) -> Result<Exit> {
    let Some(code) = codes::all().find(|code| code.id == wanted) else {
        let near = nearest(wanted, codes::all().map(|code| code.id));
        let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_CODE, format!("there is no code `{wanted}`"));
        return Err(match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("every code is listed in docs/reference/error-codes.md"),
        });
    };
    let text = format!("{}: {}\n\n{}\n", code.id, code.title, code.explain);
    let answer = Answer::new()
        .fact("code", json!(code.id))
        .fact("title", json!(code.title))
        .fact("explain", json!(code.explain));
    context.ui.answer(answer.text(text))?;
    Ok(Exit::Done)
}
