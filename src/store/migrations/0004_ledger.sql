-- Version 4: events by number and without what can be worked out, the Merkle tree over them, its signer.
-- How often the state was restored: what is remembered of numbers below holds until then.
ALTER TABLE state ADD COLUMN restores INTEGER NOT NULL DEFAULT 0;
-- Up to which event the running hash is that of leaves alone.
ALTER TABLE audit_logs ADD COLUMN plain_until INTEGER NOT NULL DEFAULT 0;
-- What signs checkpoints: public key, private key as it is wrapped, and by what.
ALTER TABLE audit_logs ADD COLUMN signer BLOB;
ALTER TABLE audit_logs ADD COLUMN signer_wrapped_by TEXT;
ALTER TABLE audit_logs ADD COLUMN signer_wrapped BLOB;
UPDATE audit_logs SET plain_until = (SELECT size FROM audit_heads h WHERE h.log = audit_logs.log);

-- What events are told apart by, once: an event names it by number.
CREATE TABLE audit_kinds (
  kind INTEGER PRIMARY KEY,
  level TEXT NOT NULL,
  category TEXT NOT NULL,
  action TEXT NOT NULL,
  route TEXT
) STRICT;
INSERT INTO audit_kinds (level, category, action, route)
  SELECT DISTINCT level, category, action, route FROM audit_events;
CREATE TABLE audit_runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO audit_runs (id) SELECT DISTINCT run FROM audit_events WHERE run IS NOT NULL;

-- `at` is the number of the log times 2^40 plus the number of the event. A body that is gone was redacted.
CREATE TABLE audit_rows (
  at INTEGER PRIMARY KEY,
  ts_ns INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  run INTEGER,
  leaf BLOB NOT NULL,
  mac BLOB NOT NULL,
  body BLOB
) STRICT;
INSERT INTO audit_rows SELECT e.log * 1099511627776 + e.seq, e.ts_ns, e.epoch, k.kind, r.number, e.leaf, e.mac, e.body
  FROM audit_events e
  JOIN audit_kinds k ON k.level = e.level AND k.category = e.category AND k.action = e.action AND k.route IS e.route
  LEFT JOIN audit_runs r ON r.id = e.run
  ORDER BY e.log, e.seq;
DROP TABLE audit_events;
ALTER TABLE audit_rows RENAME TO audit_events;
CREATE INDEX audit_events_by_kind ON audit_events (kind);
CREATE INDEX audit_events_by_run ON audit_events (run) WHERE run IS NOT NULL;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;

-- Every eighth level of the Merkle tree above the leaves.
CREATE TABLE audit_nodes (
  log INTEGER NOT NULL,
  level INTEGER NOT NULL,
  place INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (log, level, place)
) STRICT, WITHOUT ROWID;

-- Checkpoints that were signed, and where they were carried.
CREATE TABLE audit_checkpoints (
  log INTEGER NOT NULL,
  size INTEGER NOT NULL,
  made_ns INTEGER NOT NULL,
  note TEXT NOT NULL,
  carried TEXT,
  PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;

-- Where a log begins whose oldest events were pruned: the head as it stood there.
CREATE TABLE audit_floors (
  log INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  last BLOB NOT NULL,
  running BLOB NOT NULL,
  frontier BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  epoch_since_ns INTEGER NOT NULL,
  epoch_events INTEGER NOT NULL,
  last_ns INTEGER NOT NULL
) STRICT;

-- Legal holds: nothing from then on is pruned or redacted.
CREATE TABLE audit_holds (
  name TEXT PRIMARY KEY,
  from_ns INTEGER NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT,
  placed_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
