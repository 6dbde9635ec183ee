//! An IP address without the part that names a machine.

use std::fmt::Write;
use std::net::IpAddr;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ANONYMIZE_IP: Function = Function {
    spec: Spec {
        name: "anonymize_ip",
        aliases: &[],
        about: "Sets the last 8 bits of an IPv4 address and the last 80 of an IPv6 address to zero, so that it names a network, not a machine.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The address.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.device.ip"], to: None },
        examples: &[
            Example::ok(r#"anonymize_ip("203.0.113.77")"#, "203.0.113.0"),
            Example::ok(r#"anonymize_ip("2001:db8:85a3:8d3::7344")"#, "2001:db8:85a3::"),
            Example::ok(r#"anonymize_ip("::ffff:203.0.113.77")"#, "203.0.113.0"),
            Example::fails(r#"anonymize_ip("203.0.113")"#, "no IP address"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let address: IpAddr = text.trim().parse().map_err(|_| Failure::value("the text is no IP address"))?;
    let network = match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4([a, b, c, 0].into())
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6([a, b, c, 0, 0, 0, 0, 0].into())
        }
    };
    let mut out = call.text(40)?;
    write!(out, "{network}").map_err(|_| Failure::limit())?;
    Ok(Value::String(out.into_bump_str()))
}
