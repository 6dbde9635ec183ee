-- Version 8: programs that wrote, whom events are about, alerts that are to be sent, hits of rules.
-- Programs that wrote to this state, by what tells one file from another, and their hashes.
CREATE TABLE audit_programs (
  file TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  seen_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Identities: a keyed hash of the key that a person or an item is known by, and the random pseudonym that
-- events carry. Erasing one empties `token`: what is left points to nobody.
CREATE TABLE audit_subjects (
  number INTEGER PRIMARY KEY,
  token BLOB UNIQUE,
  pseudonym BLOB NOT NULL UNIQUE
) STRICT;
-- Which events are about whom.
CREATE TABLE audit_touches (
  subject INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (subject, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_touches_by_event ON audit_touches (at);

-- Alerts that are to be sent: the event, why, and to which place. Gone once sent.
CREATE TABLE audit_alerts (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  why TEXT NOT NULL,
  place TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due_ns INTEGER NOT NULL
) STRICT;

-- Events that the condition of a rule held for, until they are outside of its window.
CREATE TABLE audit_hits (
  rule TEXT NOT NULL,
  part TEXT NOT NULL,
  at INTEGER NOT NULL,
  ts_ns INTEGER NOT NULL,
  PRIMARY KEY (rule, part, at)
) STRICT, WITHOUT ROWID;
-- When a rule fired last for a part: it fires once for each window.
CREATE TABLE audit_fired (
  rule TEXT NOT NULL,
  part TEXT NOT NULL,
  ts_ns INTEGER NOT NULL,
  PRIMARY KEY (rule, part)
) STRICT, WITHOUT ROWID;

-- How often the tokens of each account had been replaced when that was last recorded.
CREATE TABLE audit_tokens (
  account TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
