-- How far each follower has folded the ledger.
CREATE TABLE watermark (
  bucket BIGINT NOT NULL,
  follower TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (bucket, follower)
);
-- Events a room could not fold; the rest went on.
CREATE TABLE fold_trouble (
  bucket BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  room TEXT NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (bucket, ordinal, room)
);
