-- Every time a tube's result went out: signed, or amended afterwards. What others have got, they got through one of these.
CREATE TABLE told (
  bucket BIGINT NOT NULL,
  tube BIGINT NOT NULL,
  event BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  amended BIGINT NOT NULL,
  happened_us BIGINT NOT NULL,
  recorded_us BIGINT NOT NULL,
  account BIGINT,
  PRIMARY KEY (bucket, tube, event)
);
CREATE INDEX told_recorded ON told (recorded_us, tube, event);
-- Messages from other systems, one row each, however often they were sent. The text is sealed under the message's own key.
CREATE TABLE message (
  bucket BIGINT NOT NULL,
  id BIGINT NOT NULL,
  sender_key BIGINT NOT NULL,
  content_key BIGINT NOT NULL,
  kind TEXT NOT NULL,
  sender TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  person BIGINT,
  tube BIGINT,
  finding TEXT NOT NULL,
  problems BIGINT NOT NULL,
  received_us BIGINT NOT NULL,
  settled_us BIGINT,
  settled_by BIGINT,
  remark TEXT,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX message_sender ON message (sender_key, content_key);
CREATE INDEX message_received ON message (received_us, id);
CREATE INDEX message_finding ON message (settled_us, finding);
