-- What version 3 added to a state of version 2: see `read_v1.sql`.
CREATE TEMP TABLE protection_keys (
  name TEXT, version INTEGER, id TEXT, purpose TEXT, state TEXT, wrapped_by TEXT, wrapped BLOB, made_ns INTEGER,
  changed_ns INTEGER, used_ns INTEGER, reason TEXT
);
CREATE TEMP TABLE subject_keys (name TEXT, subject BLOB, wrapped_by TEXT, wrapped BLOB, made_ns INTEGER);
CREATE TEMP TABLE vault_tokens (name TEXT, value BLOB, token TEXT, sealed_by TEXT, sealed BLOB, made_ns INTEGER);
CREATE TEMP TABLE erased_subjects (subject BLOB, erased_ns INTEGER, scrubbed_ns INTEGER, actor TEXT, reason TEXT);
