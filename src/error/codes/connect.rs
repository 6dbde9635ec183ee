//! Codes of the area `connect`.

use super::Code;

/// A source is not a file that can be read.
pub static NOT_A_FILE: Code = Code::new(
    "connect-not-a-file",
    "not a regular file",
    "The path of a file stream leads to a folder, a pipe or a device. Name a file, a pattern such as `orders-*.csv`, or `-` for standard input.",
);
/// A record is larger than the limit.
pub static RECORD_TOO_LARGE: Code = Code::new(
    "connect-record-too-large",
    "a record is larger than the limit",
    "No end of the record was found within 1 GiB. Often a quote is left open, or the file is not in the format that was declared.",
);
/// A file became shorter than what was already read of it.
pub static FILE_TRUNCATED: Code = Code::new(
    "connect-file-truncated",
    "a file became shorter",
    "The file has fewer bytes than were read of it before, so records that were already taken over are gone or it was rewritten. Restore the file, or read everything anew with `--full`.",
);
/// A line was continued after it had been read.
pub static LINE_CONTINUED: Code = Code::new(
    "connect-line-continued",
    "a line grew after it was read",
    "The last line of the file had no line end when it was read, and the file was then continued in the middle of that line. The record that was taken over was not whole. Let the writer end each line, and read the file anew with `--full`.",
);
/// A compressed file is damaged or cut.
pub static GZIP_DAMAGED: Code = Code::new(
    "connect-gzip-damaged",
    "a gzip file is damaged or not complete",
    "The gzip stream ends early, fails its checksum, or holds something else. Everything before the damage was read; fetch the file again and run once more.",
);
/// A Zstandard stream that cannot be decompressed.
pub static ZSTD_DAMAGED: Code = Code::new(
    "connect-zstd-damaged",
    "a Zstandard file is damaged or not complete",
    "The Zstandard stream ends early, fails its checksum, holds something else, or wants more than 32 MiB of what came before to be kept (files made with `--long` or `--ultra`: compress them again without). Everything before the damage was read; fetch the file again and run once more.",
);
/// A zip archive that is not whole, or whose directory does not describe it.
pub static ZIP_DAMAGED: Code = Code::new(
    "connect-zip-damaged",
    "a zip archive is damaged or not complete",
    "The archive has no directory at its end, or members are not where it says, or fail their checksums. Everything before the damage was read; fetch the archive again and run once more.",
);
/// A zip archive, or a member of it, that is not read.
pub static ZIP_UNREADABLE: Code = Code::new(
    "connect-zip-unreadable",
    "a zip archive holds what is not read",
    "A member that matches is encrypted, compressed in an unusual way or compressed itself, has a name that leads out of the archive or stands twice, lies over another one, or the archive is one of several parts. Nothing of the archive was read. Unpack it first, or say with `member` which members are data.",
);
/// A compressed file inflates beyond the limit.
pub static INFLATION: Code = Code::new(
    "connect-inflation-limit",
    "a compressed file inflates beyond the limit",
    "The decompressed data is more than `max_inflation` times the size of the file: this is how a decompression bomb looks. If the data is really that repetitive, raise `max_inflation` of the stream.",
);
/// Bytes do not fit the declared encoding.
pub static ENCODING_MALFORMED: Code = Code::new(
    "connect-encoding-malformed",
    "bytes do not fit the declared encoding",
    "The file holds a byte sequence that does not exist in the `encoding` of the stream. Name the right encoding; characters are never replaced silently.",
);
/// An encoding is not known.
pub static ENCODING_UNKNOWN: Code = Code::new(
    "connect-encoding-unknown",
    "unknown encoding",
    "The `encoding` of the stream is no label of the WHATWG Encoding Standard (such as `utf-8`, `windows-1252`, `utf-16le`, `shift_jis`). Targets are always written in UTF-8.",
);
/// A pattern for file names is malformed.
pub static GLOB_MALFORMED: Code = Code::new(
    "connect-glob-malformed",
    "a file pattern is malformed",
    "A pattern knows `*`, `?`, `[a-z]`, `[!a]` and, as a whole folder name, `**`. A target must be one file, not a pattern.",
);
/// A request makes no sense for a target.
pub static TARGET_UNFIT: Code = Code::new(
    "connect-target-unfit",
    "the target cannot do this",
    "The mapping asks for something this kind of target cannot do, such as replacing single records of a file (`mode: upsert`). Use `mode: append`, or a database as the target.",
);
/// Somebody else changed a target.
pub static TARGET_CHANGED: Code = Code::new(
    "connect-target-changed",
    "the target was changed by somebody else",
    "The target is not as the last settled run of this route left it: bytes or groups are missing or were added by somebody else, it is an older copy or another file of the same length. Going on could overwrite or double records. Put the target back; `consign sync run ROUTE --full` writes it anew; `consign sync state adopt` goes on behind what is there.",
);
/// A target knows the route under another state.
pub static TARGET_FOREIGN: Code = Code::new(
    "connect-target-foreign",
    "the target belongs to another state of this route",
    "The target's commit row names another log id or a group that this state has never settled, or the target is a file with records that this state never wrote, or that another state has half-written: the state folder was lost, restored or belongs to another project. Compare first; `consign sync state adopt` takes over what the target knows, `--full` writes it anew.",
);
/// A newer run took over.
pub static TARGET_FENCED: Code = Code::new(
    "connect-target-fenced",
    "a newer run of this route took over",
    "The target already holds a commit of a run with a larger fencing number. This run was stopped or lost its lease; nothing of its last group was written. Look at `consign sync history`.",
);
/// A database is locked by another process.
pub static TARGET_BUSY: Code = Code::new(
    "connect-target-busy",
    "a database or file is in use by another process",
    "Another process held the database for longer than `busy_timeout`, or another run is writing the same file. Close long transactions (an open shell, a backup, another loader) and run again: nothing was lost.",
);
/// A target table does not fit.
pub static TABLE_UNFIT: Code = Code::new(
    "connect-table-unfit",
    "the target table does not fit the mapping",
    "The table is absent, misses a column, has no unique index over the key of the mapping, or has a column type in which values would lose digits (decimals in REAL or NUMERIC columns become binary floating-point numbers). The error names what to change.",
);
/// A target refused a record.
pub static CONSTRAINT: Code = Code::new(
    "connect-constraint",
    "the target table refused a record",
    "A constraint of the target table (NOT NULL, UNIQUE, CHECK, FOREIGN KEY) does not allow a record, or a column cannot hold one of its values. PostgreSQL and SQLite refuse that record alone: it is a dead letter, all others are written, and `consign sync dlq replay` sends it again once the table or the mapping allows it. A constraint that takes more back than its record (SQLite's ON CONFLICT ROLLBACK, a deferred foreign key) fails the whole group: let the mapping check it (`required`, `validate`).",
);
/// A file is no database.
pub static NOT_A_DATABASE: Code = Code::new(
    "connect-not-a-database",
    "the file is no SQLite database",
    "The file under `path` exists but does not hold an SQLite database, or is encrypted or damaged. Name another file, or move this one away.",
);
/// An error of the database engine.
pub static DATABASE: Code = Code::new(
    "connect-database",
    "the database reported an error",
    "The database engine reported an error that has no explanation of its own here. The group in hand was taken back; settled groups stay.",
);
/// A value has no form in a target column.
pub static VALUE_UNFIT: Code = Code::new(
    "connect-value-unfit",
    "a value has no form in the target column",
    "The value's type cannot be stored in the column without loss: a list or map in a flat column, an integer beyond 64 bits, a null in a key. Convert it in the mapping.",
);
/// Standard input cannot be read twice.
pub static NOT_REPEATABLE: Code = Code::new(
    "connect-not-repeatable",
    "the source cannot be read again",
    "After a crash the last group has to be read again to know what became of its records, but its source was standard input or a file that is gone. Bring the file back, or accept the doubt with `consign sync state set`.",
);
/// A row in its stored form is damaged.
pub static ROW_MALFORMED: Code = Code::new(
    "connect-row-malformed",
    "a row cannot be read in its stored form",
    "The bytes of a database row, as a dead letter keeps them, are not what this version writes: they are cut or damaged. Read the record from its source again (`consign sync run --since …`) and discard the letter.",
);
/// Options of a row source contradict each other or the table.
pub static CURSOR_UNFIT: Code = Code::new(
    "connect-cursor-unfit",
    "the table cannot be read in this way",
    "What the stream says of its table or query (`cursor`, `tie`, `lag`, `overlap`, `sorted`) does not fit it or the mapping's mode: a column is not there, its values do not tell records apart, or a route that appends would read records twice. The error names what to change.",
);
/// A position belongs to another cursor.
pub static CURSOR_CHANGED: Code = Code::new(
    "connect-cursor-changed",
    "the stored position belongs to another cursor",
    "The route stands at a position of another table, query, cursor or tie column, or the cursor column has another type now. Going on would leave records out or read them twice. Put the stream back; or say where to go on with `consign sync state set NAME SLICE --cursor VALUE --reason TEXT`; or begin again with `consign sync state reset NAME --reason TEXT`.",
);
/// Rows without a cursor value.
pub static CURSOR_NULL: Code = Code::new(
    "connect-cursor-null",
    "records have no value in the cursor or tie columns",
    "A record whose cursor or tie column is null has no place in the order of reading and would never be read. Fill the column; or, if such records are not wanted, say so: `without_cursor: skip` for the stream, which counts them on every run.",
);
/// Rows that a cursor cannot find any more.
pub static CURSOR_MISSED: Code = Code::new(
    "connect-cursor-missed",
    "records are there that the cursor cannot tell from those already read",
    "Records came in at or behind the point that was read already, and nothing tells which of them are new. Use a cursor that grows with every change, declare a `lag` for records that are committed late, or use a keyed mode with an `overlap`.",
);
/// A host key is not known.
pub static HOST_KEY_UNKNOWN: Code = Code::new(
    "connect-host-key-unknown",
    "the server's host key is not known",
    "The server showed a key that neither the option `host_key` nor the file of `known_hosts` knows, so it could be any machine. Nothing was sent. Compare the fingerprint with the one its operator tells, by another way, then add the line that the error shows. Keys are never learned silently.",
);
/// A host key changed.
pub static HOST_KEY_CHANGED: Code = Code::new(
    "connect-host-key-changed",
    "the server's host key has changed",
    "The server showed another key than the one that is known for it, or one that was revoked. Either its operator replaced the key, or somebody stands between this machine and the server. Nothing was sent. Ask the operator; only then put the new key into `host_key` or the file of `known_hosts`.",
);
/// Signing in over SSH failed.
pub static SSH_SIGN_IN: Code = Code::new(
    "connect-ssh-sign-in",
    "signing in to the server failed",
    "The server accepted neither the key nor the password of the user, or the connector has none, or its `host_key` is none. Check `user`, `password`, `key_file` and `passphrase`, and that the server knows the public key.",
);
/// A private key cannot be used.
pub static SSH_KEY: Code = Code::new(
    "connect-ssh-key",
    "the private key cannot be used",
    "The text is no private key that is understood (OpenSSH, PEM, PKCS#8, PuTTY; RSA, ECDSA, Ed25519), or it is encrypted and the `passphrase` is missing or wrong.",
);
/// A template of a pack that cannot be read.
pub static PACK_TEMPLATE: Code = Code::new(
    "connect-pack-template",
    "a template of a pack cannot be read",
    "Between `{{` and `}}` stands an expression in the language of mappings. For the characters themselves write `{{ '{{' }}`.",
);
/// A pack, or a part of it, that is not what it has to be.
pub static PACK_INVALID: Code = Code::new(
    "connect-pack-invalid",
    "a pack contradicts itself",
    "A pack is one YAML file that says how a system is read and written. What it says at this place cannot be, or does not go with what it says elsewhere. `consign connect show NAME --expanded` shows what it comes to.",
);
/// A template of a pack that has no value.
pub static TEMPLATE_FAILED: Code = Code::new(
    "connect-template-failed",
    "a template of a pack has no value",
    "An expression in a template of a pack could not be computed from what was there: a name without a value at this place, a field that the answer does not have. The data is not shown.",
);
/// A call of an API failed.
pub static CALL_FAILED: Code = Code::new(
    "connect-call-failed",
    "a call of an API failed",
    "The system answered, and what it answered is no success: the status, and what the pack knows of it, are told. Temporary faults were tried again before.",
);
/// A call of an API got no answer.
pub static CALL_UNANSWERED: Code = Code::new(
    "connect-call-unanswered",
    "a call of an API got no answer",
    "The system could not be reached, did not answer in time, or ended the connection. Whether a call that writes took effect is then not known; it is found out before anything is sent again.",
);
/// A system lets nobody in, or not so far.
pub static CALL_DENIED: Code = Code::new(
    "connect-call-denied",
    "a system refused a call for want of a right",
    "The system knows nobody by what the connector signs in with, or grants that account no such right. Signing in anew did not help. What the system says of it is told; `consign connect probe` names the scopes that are missing, as far as the pack knows them.",
);
/// A budget of calls is spent.
pub static CALL_QUOTA: Code = Code::new(
    "connect-quota-spent",
    "the quota of a system is spent",
    "The system must not be asked again for longer than a call waits (`retry.patience` of the pack). What was settled stays; the run ends with exit code 3, says when to go on, and the next run goes on from there.",
);
/// A host that a pack is not allowed to call.
pub static HOST_NOT_ALLOWED: Code = Code::new(
    "connect-host-not-allowed",
    "an address leads to a host that is not allowed",
    "An answer named an address on another host, or a redirect led there. A pack calls its own host and those that it lists under `transport.hosts`; credentials never go to another one.",
);

/// A message is not from the system.
pub static WEBHOOK_REFUSED: Code = Code::new(
    "connect-webhook-refused",
    "a message is not known to be from the system",
    "A webhook is signed with a key that only the system and you have, over its bytes as they came. This one carries no signature, another one, or was signed longer ago than `webhook.verify.tolerance` of the pack: do not act on it.",
);
/// A sign-in lacks something.
pub static SIGN_IN_INCOMPLETE: Code = Code::new(
    "connect-sign-in-incomplete",
    "a connector does not say what it signs in with",
    "The chosen way of signing in needs a value that does not stand under the connector's `auth`, or a reference that gave nothing. `consign connect show NAME` shows what the connector says; `auth: { way: NAME }` chooses another way, if the pack has one.",
);
/// Somebody has to sign in.
pub static SIGN_IN_NEEDED: Code = Code::new(
    "connect-sign-in-needed",
    "somebody has to sign in first",
    "This way of signing in needs a person once: `consign connect login NAME` opens a browser, or shows an address and a code for another machine. What is obtained is kept encrypted in the state folder and renewed by itself from then on.",
);
/// A sign-in was refused.
pub static SIGN_IN_REFUSED: Code = Code::new(
    "connect-sign-in-refused",
    "a sign-in was refused",
    "The system, or the server that gives tokens for it, answered and lets nobody in: a password, secret or key is wrong or has ended, a person took back what was granted, a scope is not allowed. Nothing was read or written.",
);
/// A sign-in got no answer.
pub static SIGN_IN_UNANSWERED: Code = Code::new(
    "connect-sign-in-unanswered",
    "a sign-in got no answer",
    "The server that signs in could not be reached, failed, or asked to wait, in all tries; or another process has been signing in for minutes. What is kept stays as it was: run again later.",
);
/// A key of a sign-in cannot be used.
pub static SIGN_IN_KEY: Code = Code::new(
    "connect-sign-in-key",
    "a key that is signed with cannot be used",
    "Private keys are PEM (PKCS#8, PKCS#1 or SEC 1, without a passphrase) or a JWK; RSA has at least 2048 bits, elliptic keys are of P-256, P-384 or Ed25519. The algorithm of the way of signing in must fit the key. `consign connect keys NAME --new` makes a pair.",
);

/// A server cannot be reached.
pub static SFTP_UNREACHABLE: Code = Code::new(
    "connect-sftp-unreachable",
    "the server cannot be reached",
    "No connection came about in all tries: the name is unknown, nobody listens, a firewall is silent, or the SSH handshake did not end. Nothing was read or written; run again later.",
);
/// A connection was lost.
pub static SFTP_LOST: Code = Code::new(
    "connect-sftp-lost",
    "the connection to the server was lost",
    "The connection broke, or the server gave no answer within `timeout`. Reading goes on over a new connection as often as `retry.tries` allows; writing ends the run. What was settled stays, and the next run goes on from there.",
);
/// A server refused a request.
pub static SFTP_REFUSED: Code = Code::new(
    "connect-sftp-refused",
    "the server refused a request",
    "The server answered a request with an error that has no explanation of its own here, or lacks something that is needed. The error shows its words, as far as it gave any.",
);

/// A mirror would delete more than it may.
pub static DELETES_GUARDED: Code = Code::new(
    "connect-deletes-guarded",
    "a mirror would delete more records than its guard allows",
    "A mirror deletes what its source has no more. A source that lost much of its records is more often broken than right, so that `sync.deletes: {percent, records}` in the mapping bounds what one run may delete; the bound that allows more holds. Beyond it nothing is deleted. If the records are really gone, run the route once with `--allow-deletes N`, which the audit log records.",
);

/// An HTTP request failed.
pub static HTTP_FAILED: Code = Code::new(
    "connect-http-failed",
    "an HTTP request failed",
    "The other side could not be reached, did not answer in time, or answered with something else than success. Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, further certificate authorities from SSL_CERT_FILE and SSL_CERT_DIR. The address is not shown: it may be a secret.",
);

/// A server cannot be reached.
pub static SERVER_UNREACHABLE: Code = Code::new(
    "connect-server-unreachable",
    "the server cannot be reached",
    "The server does not answer, ended the connection, is starting or shutting down, or has no connection left. What was settled is kept, the group in hand was taken back by the server, and the next run resumes. Check host and port, or run again later.",
);
/// A server lets nobody in.
pub static SERVER_DENIED: Code = Code::new(
    "connect-server-denied",
    "the server refused sign-in or permission",
    "User or password are wrong, the server's own rules (pg_hba.conf) let this user not in from here, or the user lacks a right on the table. Check the connector's options and GRANT what the message names.",
);
/// A server cannot be trusted.
pub static SERVER_UNTRUSTED: Code = Code::new(
    "connect-server-untrusted",
    "the server's identity could not be verified",
    "The connection is to be secured, and the server offers no TLS, or its certificate is not of a trusted issuer, was made out for another name or has expired. Name the issuer's certificate under `ca_file` and the host as the certificate does. `tls: require` encrypts without knowing to whom.",
);
/// An answer of an API is not what it should be.
pub static ANSWER_UNREADABLE: Code = Code::new(
    "connect-answer-unreadable",
    "an answer of the system cannot be read",
    "The answer is no JSON (or CSV, or XML), ends early, or has no records where the pack says that they stand: often a page for people (a sign-in, a proxy's error), or another version of the API. Nothing of it was taken. `consign connect peek --show-requests` shows what is asked and answered.",
);
/// Pages that come again.
pub static PAGES_REPEATED: Code = Code::new(
    "connect-pages-repeated",
    "the pages of a stream go in circles",
    "A page came twice byte for byte, or the place of the next page is one that was asked for before: reading on would never end, or miss what is behind. What came before was taken. Run again; if it stays so, the pack puts the place where the system does not look for it (`pages.send`).",
);
/// More pages than there can be.
pub static PAGES_ENDLESS: Code = Code::new(
    "connect-pages-endless",
    "a stream has more pages than it can have",
    "Reading was ended after `pages.most` pages: the system seems to give pages without end. What came was taken.",
);
/// Fewer records than the system says there are.
pub static PAGES_SHORT: Code = Code::new(
    "connect-pages-short",
    "fewer records came than there are",
    "The pages ended before as many records had come as the last answer says that there are. What came was taken; the rest is missing.",
);
/// A ceiling that cannot be gone around.
pub static CEILING: Code = Code::new(
    "connect-ceiling",
    "more records than the system gives",
    "The system gives only so many records of one question, and this one has more even in the smallest window, or with one value of the cursor. What came was taken; the rest cannot be asked for so. Ask for the records in another order or with a finer cursor.",
);
/// Nothing came from a stream that is never empty.
pub static EMPTY_SUSPICIOUS: Code = Code::new(
    "connect-empty-suspicious",
    "nothing came from a stream that is never empty",
    "The pack says that this stream always has something. Often a right was taken away from whoever signs in, or a filter changed its meaning: the system then answers with nothing rather than with an error.",
);
/// One of the parts of a stream could not be read.
pub static PARTITION_FAILED: Code = Code::new(
    "connect-partition-failed",
    "one part of a stream could not be read",
    "The stream is read once for each of several accounts, sites or parents, and at least one of them failed. All others were read and settled; the next run reads on from where each of them stands.",
);
/// A job of the other side failed.
pub static JOB_FAILED: Code = Code::new(
    "connect-job-failed",
    "a job of the system failed",
    "The answer was ordered as a job, and the system gave it up, no longer knows it, or did not finish it in time. Nothing of it was taken; the next run orders it anew.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &HTTP_FAILED,
    &ANSWER_UNREADABLE,
    &PAGES_REPEATED,
    &PAGES_ENDLESS,
    &PAGES_SHORT,
    &CEILING,
    &EMPTY_SUSPICIOUS,
    &PARTITION_FAILED,
    &JOB_FAILED,
    &PACK_TEMPLATE,
    &PACK_INVALID,
    &TEMPLATE_FAILED,
    &CALL_FAILED,
    &CALL_UNANSWERED,
    &CALL_DENIED,
    &CALL_QUOTA,
    &HOST_NOT_ALLOWED,
    &WEBHOOK_REFUSED,
    &SIGN_IN_INCOMPLETE,
    &SIGN_IN_NEEDED,
    &SIGN_IN_REFUSED,
    &SIGN_IN_UNANSWERED,
    &SIGN_IN_KEY,
    &NOT_A_FILE,
    &RECORD_TOO_LARGE,
    &FILE_TRUNCATED,
    &LINE_CONTINUED,
    &GZIP_DAMAGED,
    &ZSTD_DAMAGED,
    &ZIP_DAMAGED,
    &ZIP_UNREADABLE,
    &INFLATION,
    &ENCODING_MALFORMED,
    &ENCODING_UNKNOWN,
    &GLOB_MALFORMED,
    &TARGET_UNFIT,
    &TARGET_CHANGED,
    &TARGET_FOREIGN,
    &TARGET_FENCED,
    &TARGET_BUSY,
    &TABLE_UNFIT,
    &CONSTRAINT,
    &NOT_A_DATABASE,
    &DATABASE,
    &VALUE_UNFIT,
    &NOT_REPEATABLE,
    &ROW_MALFORMED,
    &CURSOR_UNFIT,
    &CURSOR_CHANGED,
    &CURSOR_NULL,
    &CURSOR_MISSED,
    &DELETES_GUARDED,
    &HOST_KEY_UNKNOWN,
    &HOST_KEY_CHANGED,
    &SSH_SIGN_IN,
    &SSH_KEY,
    &SFTP_UNREACHABLE,
    &SFTP_LOST,
    &SFTP_REFUSED,
    &SERVER_UNREACHABLE,
    &SERVER_DENIED,
    &SERVER_UNTRUSTED,
];
