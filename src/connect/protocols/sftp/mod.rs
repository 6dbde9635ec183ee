//! SFTP: files on a server over SSH, read and written like local ones. Works with any server of
//! version 3 of the protocol; OpenSSH's extensions are used where the server offers them.
//!
//! Algorithms are the defaults of the `russh` library: key exchange by ML-KEM with X25519 or X25519, host
//! keys Ed25519, ECDSA or RSA with SHA-2, ciphers ChaCha20-Poly1305 and AES (GCM, CTR); nothing with SHA-1.

mod failure;
mod hosts;
mod link;
mod place;
mod reading;
mod settings;
mod writing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::place::Server;
use self::settings::Settings;
use super::{Guarantee, Protocol, ReadRequest, WriteRequest};
use crate::config::{Carries, Connector, Mode, OptionKind, OptionSpec, ProtocolSpec};
use crate::connect::bytes::options::{
    COMPRESSION, ENCODING, MAX_INFLATION, MEMBER, check_count, encoding, format, path, target_packing, wanted,
};
use crate::connect::bytes::{ByteSink, ByteSource, paths};
use crate::connect::options::OptionReader;
use crate::connect::{Encoder, Sink, Source};
use crate::error::codes::connect::{ENCODING_UNKNOWN, GLOB_MALFORMED, TARGET_UNFIT};
use crate::error::{Error, Kind, Result};

/// The protocol.
pub(super) struct Sftp;

/// Names under which common programs upload, unless the stream says otherwise.
const UNFINISHED: &[&str] = &[".part", ".filepart", ".tmp", ".uploading"];

static SPEC: ProtocolSpec = ProtocolSpec {
    name: "sftp",
    about: "Files on a server over SSH, plain, gzip, Zstandard or zip.",
    carries: Carries::Bytes,
    reads: true,
    modes: &[Mode::Append, Mode::Mirror],
    options: &[
        OptionSpec::new("host", OptionKind::Text, "The server's name or address.").required(),
        OptionSpec::new("port", OptionKind::Int { min: 1, max: 65_535 }, "The port the server listens on.").default("22"),
        OptionSpec::new("user", OptionKind::Text, "Who signs in.").required(),
        OptionSpec::new("password", OptionKind::Text, "The password; also answers a keyboard-interactive prompt.").secret(),
        OptionSpec::new("key_file", OptionKind::FilePath, "A file with the private key (OpenSSH, PEM, PKCS#8 or PuTTY)."),
        OptionSpec::new("key", OptionKind::Text, "The private key itself, instead of a file.").secret(),
        OptionSpec::new("passphrase", OptionKind::Text, "What the private key is encrypted with.").secret(),
        OptionSpec::new(
            "host_key",
            OptionKind::Text,
            "The server's public key (`ssh-ed25519 AAAA…`) or its fingerprint (`SHA256:…`); without it the `known_hosts` file decides.",
        ),
        OptionSpec::new(
            "known_hosts",
            OptionKind::FilePath,
            "The file of known host keys, as OpenSSH keeps it. A server that is not in it is refused.",
        )
        .default("~/.ssh/known_hosts"),
        OptionSpec::new(
            "path",
            OptionKind::Text,
            "The folder on the server that the streams' paths count from; relative ones count from where the user lands.",
        )
        .default("."),
        OptionSpec::new(
            "connect_timeout",
            OptionKind::Int { min: 1, max: 3600 },
            "Seconds that connecting and signing in may take, each try.",
        )
        .default("20"),
        OptionSpec::new("timeout", OptionKind::Int { min: 1, max: 3600 }, "Seconds to wait for an answer.").default("60"),
        OptionSpec::new(
            "keepalive",
            OptionKind::Int { min: 0, max: 3600 },
            "Seconds of silence after which the server is asked whether it is there; three questions without an answer end the connection. 0: never.",
        )
        .default("15"),
    ],
    stream_options: &[
        OptionSpec::new(
            "path",
            OptionKind::FilePath,
            "The file; a pattern (`orders-*.csv`, `**/*.csv`) reads all that match, by name.",
        )
        .required(),
        COMPRESSION,
        MEMBER,
        ENCODING,
        MAX_INFLATION,
        OptionSpec::new(
            "settle_time",
            OptionKind::Int { min: 0, max: 604_800 },
            "Seconds since its last modification before a file is read: a younger one may still be uploaded.",
        )
        .default("0"),
        OptionSpec::new(
            "unfinished",
            OptionKind::List(&OptionKind::Text),
            "Endings of names that a pattern does not find, because files have them while they are uploaded; `.part`, `.filepart`, `.tmp`, `.uploading` unless given.",
        ),
    ],
    undeclared_stream: None,
    example: "use: sftp\nwith:\n  host: files.example\n  user: consign\n  key_file: keys/id_ed25519\n  host_key: SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\nstreams:\n  orders:\n    path: out/orders-*.csv\n",
    auth: &[],
    streams: &[],
    plugin: None,
};

impl Protocol for Sftp {
    fn spec(&self) -> &'static ProtocolSpec {
        &SPEC
    }

    fn calls(&self) -> bool {
        true
    }

    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>> {
        let options = OptionReader::new(&request.stream.options, SPEC.stream_options);
        let mut wanted = wanted(request.stream, SPEC.stream_options, folder(request.connector)?, request.format)?;
        let settle_time = options.number("settle_time")?;
        wanted.settle_time = (settle_time > 0).then(|| Duration::from_secs(settle_time));
        wanted.unfinished = match request.stream.options.iter().any(|(key, _)| key.value == "unfinished") {
            true => options.list("unfinished")?,
            false => UNFINISHED.iter().map(|ending| (*ending).to_owned()).collect(),
        };
        let server = Server::new(settings(request.root, request.connector)?)?;
        let only = request.only.map(|(slice, position)| (slice.clone(), position.clone()));
        Ok(Box::new(ByteSource::new(wanted, Box::new(server), request.settled.to_vec(), only)))
    }

    fn guarantee(&self, _request: &WriteRequest<'_>) -> Guarantee {
        // A file is cut to its settled length. What the server's disk keeps after a power loss there
        // is up to it, unless it offers `fsync@openssh.com`: then it is asked.
        Guarantee::ExactlyOnce
    }

    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>> {
        format(request.format)?.encoder(&request.stream.format_options, request.columns)
    }

    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>> {
        let at_stream = |error: Error| error.at(request.stream.place.clone());
        if !SPEC.modes.contains(&request.mode) {
            return Err(at_stream(Error::new(
                Kind::Invalid,
                &TARGET_UNFIT,
                "single records of a file cannot be replaced",
            ))
            .hint("use `mode: append`, or a database as the target"));
        }
        if encoding(request.stream, SPEC.stream_options)?.is_some() {
            return Err(at_stream(Error::new(Kind::Invalid, &ENCODING_UNKNOWN, "targets are written in UTF-8 only"))
                .hint("leave `encoding` out of the target's stream"));
        }
        let path = path(request.stream, SPEC.stream_options)?;
        if paths::is_pattern(&path) {
            return Err(at_stream(Error::new(
                Kind::Invalid,
                &GLOB_MALFORMED,
                format!("the target `{path}` is a pattern, not a file"),
            )));
        }
        let frame = format(request.format)?.frame(&request.stream.format_options, request.columns)?;
        let packing = target_packing(request.stream, SPEC.stream_options, &path)?;
        check_count(request.stream, &frame, packing, false)?;
        let server = Server::new(settings(request.root, request.connector)?)?;
        let whole = folder(request.connector)?.join(path);
        let sink = ByteSink::new(Box::new(server), whole, frame, packing, request.anew);
        Ok(Box::new(sink.owned_by(request.log_id, request.route)))
    }
}

fn settings(root: &Path, connector: &Connector) -> Result<Settings> {
    Settings::of(root, connector, SPEC.options)
}

/// The folder on the server.
fn folder(connector: &Connector) -> Result<PathBuf> {
    let path = OptionReader::new(&connector.with, SPEC.options).text("path")?.unwrap_or_default();
    Ok(PathBuf::from(if path.is_empty() { "." } else { path.as_str() }))
}
