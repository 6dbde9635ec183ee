-- Version 7: the numbers of runs that ended, in the order of their beginning and without the texts, so
-- that reports go through many of them; and the calls that runs made, by connector.
CREATE TABLE run_numbers (
  started_ns INTEGER NOT NULL,
  number INTEGER NOT NULL,
  route TEXT NOT NULL,
  ended_ns INTEGER,
  due_ns INTEGER,
  state TEXT NOT NULL,
  read INTEGER NOT NULL,
  written INTEGER NOT NULL,
  aside INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  error_code TEXT,
  PRIMARY KEY (started_ns, number)
) STRICT, WITHOUT ROWID;
INSERT INTO run_numbers SELECT started_ns, number, route, ended_ns, due_ns, state, read, written,
    rejected + refused + in_doubt, bytes_read + bytes_written, error_code
  FROM runs WHERE state <> 'running' ORDER BY started_ns, number;
-- `spread`: how many calls took how long, `step:count`; see `record::Calls`.
CREATE TABLE run_calls (
  started_ns INTEGER NOT NULL,
  number INTEGER NOT NULL,
  connector TEXT NOT NULL,
  calls INTEGER NOT NULL,
  retries INTEGER NOT NULL,
  throttled INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  waited_ns INTEGER NOT NULL,
  took_ns INTEGER NOT NULL,
  slowest_ns INTEGER NOT NULL,
  spread TEXT NOT NULL,
  PRIMARY KEY (started_ns, number, connector)
) STRICT, WITHOUT ROWID;
