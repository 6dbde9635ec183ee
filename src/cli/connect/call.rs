//! `consign connect call NAME OPERATION`: one of the calls that a pack names.

use std::io::Read as _;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::packs::{self, pack_of};
use crate::audit::Action;
use crate::cli::context::{Context, Looked};
use crate::cli::output::{Answer, Rows};
use crate::connect::pack::Given;
use crate::connect::runtime::Runtime;
use crate::connect::web::Caller;
use crate::connect::{calling, received};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::record::ClassSet;

/// Calls an operation of a connector's pack and prints what it answers
#[derive(clap::Args, Debug)]
pub(super) struct Call {
    /// The connector's name
    name: String,
    /// The operation; left out, those that there are
    operation: Option<String>,
    /// The input, a map in JSON: `@FILE`, `-` for standard input, or the text itself
    #[arg(long, value_name = "INPUT")]
    input: Option<String>,
}

impl Call {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, connector) = packs::connector(&self.name, context)?;
        let Some(protocol) = connector.spec.and_then(pack_of) else {
            let cause = format!("`{}` uses `{}`, which has no operations", self.name, connector.uses.value);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause)
                .hint("operations belong to packs: `consign connect list --packs`"));
        };
        let pack = protocol.pack;
        let Some(name) = &self.operation else {
            let mut rows = Rows::new("operations", &["name", "about", "input"]);
            for operation in &pack.operations {
                let input: Vec<String> = operation
                    .input
                    .iter()
                    .map(|field| format!("{}{}", field.name, if field.required { "" } else { "?" }))
                    .collect();
                rows.push(vec![json!(operation.name), json!(operation.about), json!(input.join(", "))]);
            }
            if received::known(pack) {
                let about = "Whether a message that came is from the system.";
                rows.push(vec![json!(received::OPERATION), json!(about), json!("headers, body, url?, method?")]);
            }
            context.ui.answer(Answer::new().rows(rows))?;
            return Ok(Exit::Done);
        };
        if name == received::OPERATION && !pack.operations.iter().any(|known| known.name == *name) {
            let now = crate::connect::web::caller::moment(crate::store::system_clock()());
            let found = received::verify(&Given::new(pack, connector), &self.read()?, now)?;
            let text = format!("{found:#}\n");
            let answer = Answer::new().fact("operation", json!(name)).fact("result", found);
            context.ui.answer(answer.text(text))?;
            return Ok(Exit::Done);
        }
        let Some(operation) = pack.operations.iter().find(|known| known.name == *name) else {
            let cause = format!("the pack `{}` has no operation `{name}`", pack.name);
            let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
            return Err(match nearest(name, pack.operations.iter().map(|known| known.name.as_str())) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("`consign connect call {}` lists them", self.name)),
            });
        };
        let input = self.read()?;
        let streams = connector.spec.map_or(&[][..], |spec| spec.streams);
        let classes = streams.iter().flat_map(|stream| &stream.fields).map(|field| field.classes);
        let classes = classes.fold(ClassSet::NONE, ClassSet::union);
        let caller = Caller::open(Arc::new(Given::new(pack, connector)))?;
        let runtime = Runtime::start("call")?;
        let called = runtime.run(calling::call(&caller, operation, &input));
        // An answer is shown as it came: what is in it, the system's own streams say.
        let stream = Some(operation.name.as_str());
        let clear = called.is_ok();
        let looked = Looked { action: Action::OperationCalled, connector: &self.name, stream, clear };
        context.looked(&project, &looked, [classes], usize::from(called.is_ok()))?;
        let called = called?;
        let text = match &called.result {
            Json::String(text) => format!("{text}\n"),
            tree => format!("{tree:#}\n"),
        };
        let answer = Answer::new().fact("operation", json!(operation.name));
        let answer = match called.status {
            Some(status) => answer.fact("status", json!(status)),
            None => answer.fact("elements", json!(called.result.as_array().map(Vec::len))),
        };
        let answer = answer.fact("ms", json!(called.took.as_millis() as u64)).fact("result", called.result);
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }

    fn read(&self) -> Result<Json> {
        let text = match self.input.as_deref() {
            None => return Ok(Json::Null),
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).map_err(|e| Error::io("reading standard input", e))?;
                text
            }
            Some(input) => match input.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file)
                    .map_err(|e| Error::io(format!("reading `{file}`"), e).into_kind(Kind::Invalid))?,
                None => input.to_owned(),
            },
        };
        // Without the text itself: it may hold what nobody should see.
        serde_json::from_str(&text).map_err(|e| {
            let cause = format!("the input is no JSON (line {}, column {})", e.line(), e.column());
            Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
                .hint("write `--input '{\"id\": \"7\"}'` or `--input @FILE`")
        })
    }
}
