-- What version 4 added to a state of version 3, for reading it as one of today: see `read_v1.sql`.
CREATE TEMP VIEW state AS SELECT *, 0 AS restores FROM main.state;
CREATE TEMP VIEW audit_logs AS SELECT l.*, (SELECT size FROM main.audit_heads h WHERE h.log = l.log) AS plain_until,
  NULL AS signer, NULL AS signer_wrapped_by, NULL AS signer_wrapped FROM main.audit_logs l;
CREATE TEMP TABLE audit_kinds (kind INTEGER PRIMARY KEY, level TEXT, category TEXT, action TEXT, route TEXT);
INSERT INTO audit_kinds (level, category, action, route) SELECT DISTINCT level, category, action, route FROM main.audit_events;
CREATE TEMP TABLE audit_runs (number INTEGER PRIMARY KEY, id TEXT UNIQUE);
INSERT INTO audit_runs (id) SELECT DISTINCT run FROM main.audit_events WHERE run IS NOT NULL;
CREATE TEMP VIEW audit_events AS SELECT e.log * 1099511627776 + e.seq AS at, e.ts_ns, e.epoch, k.kind,
    (SELECT number FROM audit_runs r WHERE r.id = e.run) AS run, e.leaf, e.mac, e.body
  FROM main.audit_events e
  JOIN audit_kinds k ON k.level = e.level AND k.category = e.category AND k.action = e.action AND k.route IS e.route;
CREATE TEMP TABLE audit_nodes (log INTEGER, level INTEGER, place INTEGER, hash BLOB);
CREATE TEMP TABLE audit_checkpoints (log INTEGER, size INTEGER, made_ns INTEGER, note TEXT, carried TEXT);
CREATE TEMP TABLE audit_floors (log INTEGER PRIMARY KEY, size INTEGER, last BLOB, running BLOB, frontier BLOB,
  epoch INTEGER, epoch_since_ns INTEGER, epoch_events INTEGER, last_ns INTEGER);
CREATE TEMP TABLE audit_holds (name TEXT PRIMARY KEY, from_ns INTEGER, reason TEXT, actor TEXT, placed_ns INTEGER);
