-- What version 7 added to a state of version 6, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP VIEW run_numbers AS SELECT started_ns, number, route, ended_ns, due_ns, state, read, written,
    rejected + refused + in_doubt AS aside, bytes_read + bytes_written AS bytes, error_code
  FROM main.runs WHERE state <> 'running';
CREATE TEMP TABLE run_calls (started_ns INTEGER, number INTEGER, connector TEXT, calls INTEGER, retries INTEGER,
  throttled INTEGER, failed INTEGER, waited_ns INTEGER, took_ns INTEGER, slowest_ns INTEGER, spread TEXT);
