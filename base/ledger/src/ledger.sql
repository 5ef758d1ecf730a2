-- The log. Rows are inserted and never changed.
CREATE TABLE event (
  bucket BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  happened_us BIGINT NOT NULL,
  recorded_us BIGINT NOT NULL,
  actor BIGINT NOT NULL,
  body TEXT NOT NULL,
  noted TEXT NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (bucket, ordinal)
);
CREATE UNIQUE INDEX event_id ON event (bucket, id);
-- The signed end of each bucket's chain.
CREATE TABLE head (
  bucket BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  count BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (bucket)
);
-- Signatures in passing, so that a finding can be placed.
CREATE TABLE checkpoint (
  bucket BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (bucket, ordinal)
);
-- One row: the last ordinal given, signed once there is one. Locked by whoever writes.
CREATE TABLE ledger_clock (
  bucket BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (bucket)
);
-- Blocks of sequence numbers this installation's own devices have reserved.
CREATE TABLE sequence_block (
  bucket BIGINT NOT NULL,
  device BIGINT NOT NULL,
  reserved_to BIGINT NOT NULL,
  PRIMARY KEY (bucket, device)
);
