//! A UUID made of a name.

use sha1::{Digest, Sha1};

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::uuid;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static UUID5: Function = Function {
    spec: Spec {
        name: "uuid5",
        aliases: &[],
        about: "The UUID of a name in a namespace (version 5, SHA-1, RFC 9562): the same name always gives the same one. Whoever can guess the name finds it.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The name."),
            Parameter::new("namespace", Kinds::TEXT, "`dns`, `url`, `oid`, `x500` or a UUID of your own."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"uuid5("www.example.com", "dns")"#, "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
            Example::fails(r#"uuid5("a", "some")"#, "namespace"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(name), Value::String(namespace)] = arguments else { return Err(super::misuse()) };
    // RFC 9562, section 6.6.
    let known = match *namespace {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        own => own,
    };
    let Some(space) = uuid::parse(known) else {
        return Err(Failure::value("the namespace is `dns`, `url`, `oid`, `x500` or a UUID"));
    };
    let digest = Sha1::new().chain_update(space).chain_update(name.as_bytes()).finalize();
    let bytes = digest.first_chunk().copied().unwrap_or_default();
    uuid::text(uuid::versioned(bytes, 5), call)
}
