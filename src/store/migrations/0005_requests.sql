-- Version 5: what is sent as a group to a target that cannot take part in a transaction, sealed, until the
-- group is settled. `group_number`: the group that the route's intent names.
CREATE TABLE kept_requests (
  route TEXT PRIMARY KEY,
  group_number INTEGER NOT NULL,
  sealed_by TEXT NOT NULL,
  sealed BLOB NOT NULL
) STRICT;
