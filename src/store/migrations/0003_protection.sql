-- Version 3: keys that values are protected with, keys of subjects, the vault of random tokens, and who
-- was erased.
-- A key by its name and version. `wrapped` is the key itself, sealed by what `wrapped_by` names; it is
-- gone once the key is destroyed.
CREATE TABLE protection_keys (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  purpose TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'retired', 'compromised', 'destroyed')),
  wrapped_by TEXT NOT NULL,
  wrapped BLOB,
  made_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,
  used_ns INTEGER,
  reason TEXT,
  PRIMARY KEY (name, version),
  CHECK ((wrapped IS NULL) = (state = 'destroyed'))
) STRICT, WITHOUT ROWID;
-- At most one version of a key protects.
CREATE UNIQUE INDEX protection_keys_active ON protection_keys (name) WHERE state = 'active';
-- The key of a subject, sealed under the version of the key around it. `subject` is a keyed hash.
CREATE TABLE subject_keys (
  name TEXT NOT NULL,
  subject BLOB NOT NULL,
  wrapped_by TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  made_ns INTEGER NOT NULL,
  PRIMARY KEY (name, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_keys_by_subject ON subject_keys (subject);
CREATE INDEX subject_keys_by_wrap ON subject_keys (name, wrapped_by);
-- A random token for each value of a vault. `value` is a keyed hash of the value, `sealed` the value.
CREATE TABLE vault_tokens (
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  token TEXT NOT NULL,
  sealed_by TEXT NOT NULL,
  sealed BLOB NOT NULL,
  made_ns INTEGER NOT NULL,
  PRIMARY KEY (name, value)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX vault_by_token ON vault_tokens (name, token);
CREATE INDEX vault_by_seal ON vault_tokens (name, sealed_by);
-- Subjects that were erased: a tombstone, so that they do not come back. `scrubbed_ns`: when what was
-- deleted was also gone from the write-ahead log.
CREATE TABLE erased_subjects (
  subject BLOB PRIMARY KEY,
  erased_ns INTEGER NOT NULL,
  scrubbed_ns INTEGER,
  actor TEXT,
  reason TEXT
) STRICT, WITHOUT ROWID;
