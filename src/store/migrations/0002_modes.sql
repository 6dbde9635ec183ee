-- Version 2: modes that delete, dead letters that know their record's key.
ALTER TABLE runs ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN unmatched INTEGER NOT NULL DEFAULT 0;
-- A keyed hash of the record's key, where the mapping could still tell it.
ALTER TABLE dead_letters ADD COLUMN record_key BLOB;
-- Letters that wait, by the key of their record: a later version of it overtakes them.
CREATE INDEX letters_by_key ON dead_letters (route, record_key) WHERE record_key IS NOT NULL AND state IN ('open', 'replaying');
-- Plans that were saved, who approved of them, and the runs that used them.
CREATE TABLE plans (
  hash TEXT PRIMARY KEY,
  routes TEXT NOT NULL,
  author TEXT,
  saved_ns INTEGER NOT NULL,
  approver TEXT,
  approved_ns INTEGER,
  reason TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE plan_uses (
  hash TEXT NOT NULL,
  route TEXT NOT NULL,
  run TEXT NOT NULL,
  PRIMARY KEY (hash, route)
) STRICT, WITHOUT ROWID;
