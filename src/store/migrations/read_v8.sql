-- What version 9 added to a state of version 8, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP TABLE audit_segments (log INTEGER, first INTEGER, last INTEGER, first_ns INTEGER, last_ns INTEGER, file TEXT);
CREATE TEMP TABLE audit_signers (log INTEGER, until_size INTEGER, public BLOB, note TEXT);
