-- What version 6 added to a state of version 5, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP TABLE run_rulings (run TEXT, act TEXT, code TEXT, field TEXT, class TEXT, records INTEGER, told TEXT);
CREATE TEMP TABLE withheld_records (route TEXT, record_key BLOB, run TEXT, code TEXT, record INTEGER, at_ns INTEGER);
CREATE TEMP TABLE run_sums (run TEXT, field TEXT, read TEXT, filtered TEXT, rejected TEXT, withheld TEXT, mapped TEXT,
  superseded TEXT, refused TEXT, unread INTEGER);
CREATE TEMP TABLE letter_subjects (subject BLOB, letter TEXT);
