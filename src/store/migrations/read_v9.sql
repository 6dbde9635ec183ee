-- What version 10 added to a state of version 9, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP TABLE run_rules (run TEXT, act TEXT, code TEXT, rule TEXT, records INTEGER, told TEXT);
CREATE TEMP TABLE withheld_rules (route TEXT, record_key BLOB, rule TEXT);
