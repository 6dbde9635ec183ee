-- What version 8 added to a state of version 7, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP TABLE audit_programs (file TEXT, version TEXT, sha256 TEXT, seen_ns INTEGER);
CREATE TEMP TABLE audit_subjects (number INTEGER PRIMARY KEY, token BLOB, pseudonym BLOB);
CREATE TEMP TABLE audit_touches (subject INTEGER, at INTEGER);
CREATE TEMP TABLE audit_alerts (number INTEGER PRIMARY KEY, at INTEGER, why TEXT, place TEXT, tries INTEGER, due_ns INTEGER);
CREATE TEMP TABLE audit_hits (rule TEXT, part TEXT, at INTEGER, ts_ns INTEGER);
CREATE TEMP TABLE audit_fired (rule TEXT, part TEXT, ts_ns INTEGER);
CREATE TEMP TABLE audit_tokens (account TEXT, number INTEGER);
