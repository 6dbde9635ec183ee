-- What version 5 added to a state of version 4, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP TABLE kept_requests (route TEXT, group_number INTEGER, sealed_by TEXT, sealed BLOB);
