-- Version 10: what rules of the project did to records while they moved, counted for each run, and by which rule
-- records were kept back. Beside `run_rulings` and `withheld_records`, which tell of what standards ask for.
CREATE TABLE run_rules (
  run TEXT NOT NULL,
  act TEXT NOT NULL,
  code TEXT NOT NULL,
  rule TEXT NOT NULL,
  records INTEGER NOT NULL,
  told TEXT NOT NULL,
  PRIMARY KEY (run, act, code, rule)
) STRICT, WITHOUT ROWID;
CREATE TABLE withheld_rules (
  route TEXT NOT NULL,
  record_key BLOB NOT NULL,
  rule TEXT NOT NULL,
  PRIMARY KEY (route, record_key)
) STRICT, WITHOUT ROWID;
