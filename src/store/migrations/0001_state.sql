-- Version 1. Appended to, never changed.
CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  born_ns INTEGER NOT NULL,
  clock_ns INTEGER NOT NULL,
  auditing INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE configs (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  document TEXT NOT NULL,
  seen_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE routes (
  route TEXT PRIMARY KEY,
  enabled INTEGER NOT NULL DEFAULT 1,
  reason TEXT,
  fence INTEGER NOT NULL DEFAULT 0,
  settled_group INTEGER NOT NULL DEFAULT 0,
  settled_mark TEXT,
  intent TEXT,
  last_run TEXT,
  last_start_ns INTEGER,
  last_due_ns INTEGER,
  last_success_ns INTEGER,
  letter_bytes INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE slices (
  route TEXT NOT NULL,
  slice TEXT NOT NULL,
  position TEXT NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (route, slice)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  route TEXT NOT NULL,
  fence INTEGER NOT NULL,
  state TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  ended_ns INTEGER,
  due_ns INTEGER,
  cause TEXT NOT NULL,
  flags TEXT NOT NULL,
  actor TEXT,
  origin TEXT,
  tenant TEXT,
  project TEXT NOT NULL,
  mapping TEXT NOT NULL,
  groups INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  mapped INTEGER NOT NULL DEFAULT 0,
  filtered INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  withheld INTEGER NOT NULL DEFAULT 0,
  produced INTEGER NOT NULL DEFAULT 0,
  superseded INTEGER NOT NULL DEFAULT 0,
  written INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  in_doubt INTEGER NOT NULL DEFAULT 0,
  bytes_read INTEGER NOT NULL DEFAULT 0,
  bytes_written INTEGER NOT NULL DEFAULT 0,
  exit INTEGER,
  error_code TEXT,
  error_cause TEXT,
  warnings TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX runs_of_route ON runs (route, number);

-- Why records of a run were rejected: kept when the letters themselves are gone.
CREATE TABLE run_rejects (
  run TEXT NOT NULL,
  code TEXT NOT NULL,
  field TEXT NOT NULL,
  records INTEGER NOT NULL,
  cause TEXT NOT NULL,
  source TEXT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (run, code, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  route TEXT NOT NULL,
  run TEXT NOT NULL,
  settled_group INTEGER NOT NULL,
  state TEXT NOT NULL,
  claim TEXT,
  code TEXT NOT NULL,
  cause TEXT NOT NULL,
  field TEXT,
  source TEXT NOT NULL,
  slice TEXT NOT NULL,
  byte INTEGER NOT NULL,
  line INTEGER NOT NULL,
  record INTEGER NOT NULL,
  col INTEGER NOT NULL,
  classes TEXT NOT NULL,
  columns TEXT NOT NULL,
  size INTEGER NOT NULL,
  digest BLOB NOT NULL,
  whole INTEGER NOT NULL,
  key_id TEXT,
  sealed BLOB,
  created_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  reason TEXT
) STRICT;
CREATE INDEX letters_of_route ON dead_letters (route, state, number);
CREATE INDEX letters_by_record ON dead_letters (route, slice, record);
CREATE INDEX letters_by_end ON dead_letters (expires_ns);

CREATE TABLE audit_logs (
  log INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  born_ns INTEGER NOT NULL,
  closed_ns INTEGER,
  first_key_id TEXT NOT NULL
) STRICT;

CREATE TABLE audit_heads (
  log INTEGER PRIMARY KEY REFERENCES audit_logs (log),
  size INTEGER NOT NULL,
  last BLOB NOT NULL,
  running BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  epoch_since_ns INTEGER NOT NULL,
  epoch_events INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  code BLOB NOT NULL,
  wrapped_by TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  frontier BLOB,
  checkpoint TEXT
) STRICT;

CREATE TABLE audit_events (
  log INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  ts_ns INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  body BLOB NOT NULL,
  leaf BLOB NOT NULL,
  previous BLOB NOT NULL,
  mac BLOB NOT NULL,
  level TEXT NOT NULL,
  category TEXT NOT NULL,
  action TEXT NOT NULL,
  run TEXT,
  route TEXT,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- A tripwire for accidents; what proves that nothing was changed is the chain.
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;
