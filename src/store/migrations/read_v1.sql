-- What version 2 added to a state of version 1, for reading it as one of today: what is new has the value
-- that it would get. Tables of this connection alone go before those of the file; the file stays as it is.
CREATE TEMP VIEW runs AS SELECT *, 0 AS deleted, 0 AS unmatched FROM main.runs;
CREATE TEMP VIEW dead_letters AS SELECT *, NULL AS record_key FROM main.dead_letters;
CREATE TEMP TABLE plans (
  hash TEXT PRIMARY KEY,
  routes TEXT NOT NULL,
  author TEXT,
  saved_ns INTEGER NOT NULL,
  approver TEXT,
  approved_ns INTEGER,
  reason TEXT
);
CREATE TEMP TABLE plan_uses (hash TEXT NOT NULL, route TEXT NOT NULL, run TEXT NOT NULL);
