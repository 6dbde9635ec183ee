-- Version 9: parts of logs that were sealed into files of their own, and the keys that signed checkpoints before.
-- The events from `first` to `last` are in that file of the folder `segments` and no longer in `audit_events`.
-- What its bytes must be stands in the log, in the event that tells of its sealing.
CREATE TABLE audit_segments (
  log INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  first_ns INTEGER NOT NULL,
  last_ns INTEGER NOT NULL,
  file TEXT NOT NULL UNIQUE,
  PRIMARY KEY (log, first)
) STRICT, WITHOUT ROWID;

-- Public keys that signed the checkpoints of a log up to that size, and the note by which each hands over to
-- the one after it: signed by both.
CREATE TABLE audit_signers (
  log INTEGER NOT NULL,
  until_size INTEGER NOT NULL,
  public BLOB NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (log, until_size)
) STRICT, WITHOUT ROWID;

-- Events that are in a sealed segment are no longer needed here; all others still are.
DROP TRIGGER audit_events_remain;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_segments WHERE log = OLD.at / 1099511627776 AND OLD.at % 1099511627776 BETWEEN first AND last)
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;
