-- Version 6: what compliance rules did to records while they moved, counted for each run; records that were
-- kept back, by the hash of their keys, each with its latest reason; declared sums; whose record a dead letter is.
CREATE TABLE run_rulings (
  run TEXT NOT NULL,
  act TEXT NOT NULL,
  code TEXT NOT NULL,
  field TEXT NOT NULL,
  class TEXT NOT NULL,
  records INTEGER NOT NULL,
  told TEXT NOT NULL,
  PRIMARY KEY (run, act, code, field, class)
) STRICT, WITHOUT ROWID;
CREATE TABLE withheld_records (
  route TEXT NOT NULL,
  record_key BLOB NOT NULL,
  run TEXT NOT NULL,
  code TEXT NOT NULL,
  record INTEGER NOT NULL,
  at_ns INTEGER NOT NULL,
  PRIMARY KEY (route, record_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX withheld_by_key ON withheld_records (record_key);
-- Exact decimals as text. `read` is empty where the field is no plain copy of one.
CREATE TABLE run_sums (
  run TEXT NOT NULL,
  field TEXT NOT NULL,
  read TEXT NOT NULL,
  filtered TEXT NOT NULL,
  rejected TEXT NOT NULL,
  withheld TEXT NOT NULL,
  mapped TEXT NOT NULL,
  superseded TEXT NOT NULL,
  refused TEXT NOT NULL,
  unread INTEGER NOT NULL,
  PRIMARY KEY (run, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE letter_subjects (
  subject BLOB NOT NULL,
  letter TEXT NOT NULL,
  PRIMARY KEY (subject, letter)
) STRICT, WITHOUT ROWID;
