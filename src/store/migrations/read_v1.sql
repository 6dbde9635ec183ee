-- A state of version 1 as one of today, for reading: what was added since has the value that it would
-- get. Tables of this connection alone go before those of the file; the file stays as it is.
CREATE TEMP VIEW runs AS SELECT *, 0 AS deleted, 0 AS unmatched FROM main.runs;
CREATE TEMP VIEW dead_letters AS SELECT *, NULL AS record_key FROM main.dead_letters;
CREATE TEMP TABLE plans (
  hash TEXT PRIMARY KEY,
  routes TEXT NOT NULL,
  author TEXT,
  saved_ns INTEGER NOT NULL,
  approver TEXT,
  approved_ns INTEGER,
  reason TEXT
);
CREATE TEMP TABLE plan_uses (hash TEXT NOT NULL, route TEXT NOT NULL, run TEXT NOT NULL);
CREATE TEMP TABLE protection_keys (
  name TEXT, version INTEGER, id TEXT, purpose TEXT, state TEXT, wrapped_by TEXT, wrapped BLOB, made_ns INTEGER,
  changed_ns INTEGER, used_ns INTEGER, reason TEXT
);
CREATE TEMP TABLE subject_keys (name TEXT, subject BLOB, wrapped_by TEXT, wrapped BLOB, made_ns INTEGER);
CREATE TEMP TABLE vault_tokens (name TEXT, value BLOB, token TEXT, sealed_by TEXT, sealed BLOB, made_ns INTEGER);
CREATE TEMP TABLE erased_subjects (subject BLOB, erased_ns INTEGER, scrubbed_ns INTEGER, actor TEXT, reason TEXT);
